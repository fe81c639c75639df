/* table.c: see table.h. A place holds 32 bits of the hash beside the row's number: its low bits say
 * where it is at home, all of them whether it is worth looking at the row. So a probe touches a row
 * only where it will most likely be the right one, and a removal touches none. Removal shifts back
 * (Knuth 6.4, algorithm R): no tombstones, so a table that is full for years is as fast as a new
 * one. */
#include "readers/discover/table.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

static uint32_t places_for(uint32_t capacity)
{
    uint32_t places = 2;

    while (places < 2 * (uint64_t)capacity)
        places *= 2;
    return places;
}

size_t table_bytes(uint32_t row_size, uint32_t capacity)
{
    return ((size_t)row_size * capacity + 15) / 16 * 16 + sizeof(uint64_t) * places_for(capacity);
}

void table_open(struct table *table, void *memory, uint32_t row_size, uint32_t capacity)
{
    assert(capacity > 0 && capacity <= 1u << 30);
    assert(row_size >= sizeof(struct table_head) && row_size % 8 == 0);
    *table = (struct table){.rows = memory,
                            .row_size = row_size,
                            .capacity = capacity,
                            .mask = places_for(capacity) - 1};
    table->places =
        (void *)((unsigned char *)memory + ((size_t)row_size * capacity + 15) / 16 * 16);
}

static uint32_t key_hash(struct table_key key)
{
    return (uint32_t)hash_mix(key.a * 0x9E3779B97F4A7C15ULL +
                              hash_mix(key.b ^ (uint64_t)key.c << 40));
}

static struct table_head *head_of(const struct table *table, uint32_t row)
{
    return table_row(table, row);
}

static uint32_t place_of(const struct table *table, struct table_key key, uint32_t hash)
{
    for (uint32_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        uint64_t place = table->places[at];

        if (place == 0)
            return at;
        if ((uint32_t)(place >> 32) != hash)
            continue;
        const struct table_head *head = head_of(table, (uint32_t)place - 1);

        if (head->a == key.a && head->b == key.b && head->c == key.c)
            return at;
    }
}

uint32_t table_find(struct table *table, struct table_key key, bool touch)
{
    uint64_t place = table->places[place_of(table, key, key_hash(key))];

    if (place == 0)
        return TABLE_NONE;
    uint32_t row = (uint32_t)place - 1;

    if (touch)
        head_of(table, row)->recent = 1;
    return row;
}

uint32_t table_victim(struct table *table)
{
    uint32_t best = TABLE_NONE, seen = 0;
    double least = 0;

    if (!table_is_full(table))
        return TABLE_NONE;
    /* Two rounds find every row that is not pinned: the first takes away that it was used. */
    for (uint64_t steps = 0; steps < 2 * (uint64_t)table->capacity && seen < TABLE_LOOK; steps++) {
        uint32_t row = table->hand;
        struct table_head *head = head_of(table, row);

        table->hand = row + 1 < table->capacity ? row + 1 : 0;
        if (head->pinned)
            continue;
        if (head->recent) {
            head->recent = 0;
            continue;
        }
        double warmth = table->warmth ? table->warmth(head) : 0;

        seen++;
        if (best == TABLE_NONE || warmth < least) {
            best = row;
            least = warmth;
        }
        if (!table->warmth)
            break;
    }
    return best;
}

uint32_t table_add(struct table *table, struct table_key key)
{
    assert(!table_is_full(table));
    uint32_t hash = key_hash(key), at = place_of(table, key, hash), row;

    assert(table->places[at] == 0);
    row = table->free_row != 0 ? table->free_row - 1 : table->fresh++;
    struct table_head *head = head_of(table, row);

    if (table->free_row != 0)
        table->free_row = head->c;
    memset(head, 0, table->row_size);
    *head = (struct table_head){.a = key.a, .b = key.b, .c = key.c, .used = 1};
    table->places[at] = (uint64_t)hash << 32 | (row + 1);
    table->count++;
    return row;
}

/* Closes the gap at a place: whatever was pushed past it moves up. */
static void places_close(struct table *table, uint32_t gap)
{
    for (uint32_t at = (gap + 1) & table->mask; table->places[at] != 0;
         at = (at + 1) & table->mask) {
        uint32_t home = (uint32_t)(table->places[at] >> 32) & table->mask;

        if (((at - home) & table->mask) < ((at - gap) & table->mask))
            continue;
        table->places[gap] = table->places[at];
        gap = at;
    }
    table->places[gap] = 0;
}

void table_remove(struct table *table, uint32_t row)
{
    struct table_head *head = head_of(table, row);
    struct table_key key = {head->a, head->b, head->c};

    assert(row < table->capacity && head->used);
    places_close(table, place_of(table, key, key_hash(key)));
    memset(head, 0, table->row_size); /* what is removed is nowhere any more */
    head->c = table->free_row;
    table->free_row = row + 1;
    table->count--;
}

bool table_index(struct table *table, uint32_t count)
{
    memset(table->places, 0, sizeof *table->places * ((size_t)table->mask + 1));
    table->count = 0;
    for (uint32_t row = 0; row < table->fresh; row++) {
        const struct table_head *head = head_of(table, row);
        struct table_key key = {head->a, head->b, head->c};
        uint32_t hash = key_hash(key);

        if (head->used > 1 || (!head->used && head->c > table->fresh))
            return false;
        if (!head->used)
            continue;
        uint32_t at = place_of(table, key, hash);

        if (table->places[at] != 0)
            return false;
        table->places[at] = (uint64_t)hash << 32 | (row + 1);
        table->count++;
    }
    return table->count == count;
}
