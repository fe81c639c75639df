/* top.h: which rows are the highest, in many scopes at once; exact at every moment.
 *
 * A *row* (0 .. rows_max - 1) has one key and may be in up to TOP_SLOTS scopes; a *scope* is a name
 * (table_key) with an indexed 4-ary heap of its rows. When a row's key changes it is sifted in each
 * of its scopes: O(log n) at worst, O(1) as a rule (a key that rises a little passes no parent).
 * The first k are read without touching the heap, in O(k log k): best of a frontier that begins
 * with the root.
 *
 * Bounds: scopes_max scopes, and entries_max entries of all heaps together (blocks of 4 * 2^i,
 *         doubled when full, reused by size). A scope that finds no room does not take the row, and
 *         counts it (refused): what it then answers is the top of those it has, and says so. An
 *         empty scope is given back.
 * Holds always: top_read is exactly what sorting the scope's rows by key gives, but for the order
 *               of equal keys; keys are finite.
 * Memory:       top_bytes(), the caller's, 16 byte aligned. */
#ifndef ZAN_READERS_DISCOVER_TOP_H
#define ZAN_READERS_DISCOVER_TOP_H

#include "readers/discover/table.h"

#define TOP_SLOTS     12
#define TOP_CLASS_MIN 2 /* the smallest block has 4 entries */
#define TOP_CLASSES   31
#define TOP_READ_MAX  500  /* k of one read */
#define TOP_LOOKS_MAX 2000 /* rows that one read looks at */

struct top_size {
    uint32_t rows_max, scopes_max, entries_max;
};

struct top_entry {
    double key;
    uint32_t ref; /* row * TOP_SLOTS + slot */
    uint32_t unused;
};

struct top_scope {
    struct table_head head;
    uint32_t base;  /* of its block */
    uint32_t count; /* of its rows */
    uint8_t class;  /* its block has 2^class entries; 0: none */
    uint8_t unused[7];
    uint64_t refused; /* rows that found no room */
};

struct top_place {
    uint32_t scope; /* row + 1; 0: this slot is in none */
    uint32_t at;
};

struct top {
    struct table scopes;
    struct top_entry *entries;
    struct top_place *places;         /* rows_max * TOP_SLOTS */
    struct top_entry *frontier;       /* of top_read */
    uint32_t free_block[TOP_CLASSES]; /* the first of a chain; TABLE_NONE */
    struct top_size size;
    uint32_t entries_used; /* handed out so far */
    uint64_t refused;      /* rows that found no room, in any scope */
};

size_t top_bytes(struct top_size size);
/* The memory is zeroed. */
void top_open(struct top *top, void *memory, struct top_size size);

/* Puts a row into a scope; the slot must be free. False: no room. */
bool top_join(struct top *top, struct table_key scope, uint32_t row, uint32_t slot, double key);
/* Takes it out again; a free slot is left alone. */
void top_leave(struct top *top, uint32_t row, uint32_t slot);
void top_leave_all(struct top *top, uint32_t row);

static inline bool top_is_in(const struct top *top, uint32_t row, uint32_t slot)
{
    return top->places[row * TOP_SLOTS + slot].scope != 0;
}

/* The row's key is another one. */
void top_move(struct top *top, uint32_t row, double key);

/* Every key becomes another one of the same order (a landmark moved). */
void top_rescale(struct top *top, int halvings);

/* The rows with the highest keys, highest first; want at most TOP_READ_MAX. skip: rows that are not
 * wanted (NULL: none); after so many that TOP_LOOKS_MAX were looked at it stops. Returns how many;
 * *refused: rows of the scope that are not in it for want of room. */
uint32_t top_read(struct top *top, struct table_key scope, uint32_t want,
                  bool (*skip)(void *owner, uint32_t row), void *owner, uint32_t *rows,
                  uint64_t *refused);

#endif
