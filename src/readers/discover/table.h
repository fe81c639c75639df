/* table.h: rows by key, in room taken once; a full table lets the coldest go.
 *
 * A row begins with struct table_head and stays where it is until it is removed: its number is a
 * handle. Second chance: a row that was found again since the hand last passed is passed over once;
 * a new one was not, so what comes once pushes out nothing that comes often. Of the first
 * TABLE_LOOK rows that the hand finds unused, the one with the least warmth goes.
 *
 * Holds always: at most one row a key; count <= capacity; a pinned row is never a victim.
 * Cost:         find, add and remove are O(1) expected (linear probing at a load of at most 1/2); a
 *               victim costs O(1) amortized, O(capacity) at worst (every row used or pinned).
 * Memory:       table_bytes(), the caller's, 16 byte aligned: capacity rows and 8 bytes for each of
 *               the next power of two above 2 * capacity places. Nothing is allocated. */
#ifndef ZAN_READERS_DISCOVER_TABLE_H
#define ZAN_READERS_DISCOVER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE UINT32_MAX
#define TABLE_LOOK 8

struct table_key {
    uint64_t a, b;
    uint32_t c;
};

struct table_head {
    uint64_t a, b;
    uint32_t c;
    uint8_t used;   /* 0: a free row */
    uint8_t recent; /* found since the hand passed */
    uint8_t pinned;
    uint8_t unused;
};

struct table {
    unsigned char *rows;
    uint64_t *places; /* part of the hash << 32 | row + 1; 0: empty */
    /* How much it would cost to lose a row; NULL: all alike. */
    double (*warmth)(const void *row);
    uint32_t row_size, capacity, count;
    uint32_t free_row; /* the first of a chain through head.c, + 1; 0: none was given back */
    uint32_t fresh;    /* rows from here on were never used: their memory is untouched */
    uint32_t hand, mask;
    uint64_t evicted; /* so far */
};

/* capacity from 1 to 2^30; row_size a multiple of 8, at least that of the head. */
size_t table_bytes(uint32_t row_size, uint32_t capacity);
/* The memory is zeroed; what is not used of it is never written. */
void table_open(struct table *table, void *memory, uint32_t row_size, uint32_t capacity);

/* The row, or TABLE_NONE. touch: it counts as used. */
uint32_t table_find(struct table *table, struct table_key key, bool touch);

/* The row that has to go before one more fits: the caller takes leave of it and removes it.
 * TABLE_NONE: there is room, or (table_is_full) every row is pinned. */
uint32_t table_victim(struct table *table);

/* A new row, zeroed but for its head; the key must not be there, and there must be room. */
uint32_t table_add(struct table *table, struct table_key key);
void table_remove(struct table *table, uint32_t row);

/* Rows, fresh, free_row, hand and evicted were put back as they were (a checkpoint): finds them
 * again. False: they are no table of so many rows. */
bool table_index(struct table *table, uint32_t count);

static inline bool table_is_full(const struct table *table)
{
    return table->count == table->capacity;
}

/* The number of a row. */
static inline uint32_t table_number(const struct table *table, const void *row)
{
    return (uint32_t)((size_t)((const unsigned char *)row - table->rows) / table->row_size);
}

static inline void *table_row(const struct table *table, uint32_t row)
{
    return table->rows + (size_t)row * table->row_size;
}

#endif
