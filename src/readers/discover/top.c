/* top.c: see top.h. Entries hold the key beside the row, so that sifting stays within one array;
 * four children lie in one cache line. */
#include "readers/discover/top.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define ARITY        4
#define FRONTIER_MAX (TOP_LOOKS_MAX * ARITY + ARITY) /* every look takes one and adds four */

static size_t round_up(size_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

size_t top_bytes(struct top_size size)
{
    return round_up(table_bytes(sizeof(struct top_scope), size.scopes_max)) +
           sizeof(struct top_entry) * size.entries_max +
           round_up(sizeof(struct top_place) * TOP_SLOTS * size.rows_max) +
           sizeof(struct top_entry) * FRONTIER_MAX;
}

void top_open(struct top *top, void *memory, struct top_size size)
{
    unsigned char *at = memory;

    assert(size.rows_max > 0 && size.rows_max <= 1u << 28 && size.entries_max >= 4);
    *top = (struct top){.size = size};
    table_open(&top->scopes, at, sizeof(struct top_scope), size.scopes_max);
    at += round_up(table_bytes(sizeof(struct top_scope), size.scopes_max));
    top->entries = (void *)at;
    at += sizeof(struct top_entry) * size.entries_max;
    top->places = (void *)at;
    at += round_up(sizeof(struct top_place) * TOP_SLOTS * size.rows_max);
    top->frontier = (void *)at;
    for (int i = 0; i < TOP_CLASSES; i++)
        top->free_block[i] = TABLE_NONE;
}

/* --- blocks ------------------------------------------------------------------------------------
 */

static uint32_t block_take(struct top *top, uint8_t class)
{
    uint32_t base = top->free_block[class];

    if (base != TABLE_NONE) {
        top->free_block[class] = top->entries[base].ref;
        return base;
    }
    if (top->size.entries_max - top->entries_used < 1u << class)
        return TABLE_NONE;
    base = top->entries_used;
    top->entries_used += 1u << class;
    return base;
}

static void block_give(struct top *top, uint32_t base, uint8_t class)
{
    top->entries[base].ref = top->free_block[class];
    top->free_block[class] = base;
}

/* Room for one more in the scope's heap. */
static bool scope_grow(struct top *top, struct top_scope *scope)
{
    uint8_t class = scope->class == 0 ? TOP_CLASS_MIN : (uint8_t)(scope->class + 1);

    if (scope->class != 0 && scope->count < 1u << scope->class)
        return true;
    if (class >= TOP_CLASSES)
        return false;
    uint32_t base = block_take(top, class);

    if (base == TABLE_NONE)
        return false;
    if (scope->class != 0) {
        memcpy(&top->entries[base], &top->entries[scope->base],
               sizeof(struct top_entry) * scope->count);
        block_give(top, scope->base, scope->class);
    }
    scope->base = base;
    scope->class = class;
    return true;
}

/* --- heap --------------------------------------------------------------------------------------
 */

static void put(struct top *top, struct top_entry *heap, uint32_t at, struct top_entry entry)
{
    heap[at] = entry;
    top->places[entry.ref].at = at;
}

static void sift_up(struct top *top, struct top_entry *heap, uint32_t at)
{
    struct top_entry entry = heap[at];

    while (at > 0) {
        uint32_t parent = (at - 1) / ARITY;

        if (heap[parent].key >= entry.key)
            break;
        put(top, heap, at, heap[parent]);
        at = parent;
    }
    put(top, heap, at, entry);
}

static uint32_t best_child(const struct top_entry *heap, uint32_t count, uint32_t at)
{
    uint32_t first = at * ARITY + 1, best = first;

    for (uint32_t i = first + 1; i < first + ARITY && i < count; i++)
        if (heap[i].key > heap[best].key)
            best = i;
    return best;
}

static void sift_down(struct top *top, struct top_entry *heap, uint32_t count, uint32_t at)
{
    struct top_entry entry = heap[at];

    while (at * ARITY + 1 < count) {
        uint32_t child = best_child(heap, count, at);

        if (heap[child].key <= entry.key)
            break;
        put(top, heap, at, heap[child]);
        at = child;
    }
    put(top, heap, at, entry);
}

static void sift(struct top *top, struct top_scope *scope, uint32_t at, double before)
{
    struct top_entry *heap = &top->entries[scope->base];

    if (heap[at].key >= before)
        sift_up(top, heap, at);
    else
        sift_down(top, heap, scope->count, at);
}

/* --- rows --------------------------------------------------------------------------------------
 */

bool top_join(struct top *top, struct table_key key_of_scope, uint32_t row, uint32_t slot,
              double key)
{
    struct top_place *place = &top->places[row * TOP_SLOTS + slot];
    uint32_t at = table_find(&top->scopes, key_of_scope, false);

    assert(row < top->size.rows_max && slot < TOP_SLOTS && place->scope == 0);
    assert(isfinite(key));
    if (at == TABLE_NONE && table_is_full(&top->scopes)) {
        top->refused++;
        return false;
    }
    if (at == TABLE_NONE)
        at = table_add(&top->scopes, key_of_scope);
    struct top_scope *scope = table_row(&top->scopes, at);

    if (!scope_grow(top, scope)) {
        scope->refused++;
        top->refused++;
        return false;
    }
    struct top_entry *heap = &top->entries[scope->base];

    place->scope = at + 1;
    put(top, heap, scope->count, (struct top_entry){.key = key, .ref = row * TOP_SLOTS + slot});
    scope->count++;
    sift_up(top, heap, scope->count - 1);
    return true;
}

void top_leave(struct top *top, uint32_t row, uint32_t slot)
{
    struct top_place *place = &top->places[row * TOP_SLOTS + slot];

    if (place->scope == 0)
        return;
    struct top_scope *scope = table_row(&top->scopes, place->scope - 1);
    struct top_entry *heap = &top->entries[scope->base];
    uint32_t at = place->at;
    double before = heap[at].key;

    scope->count--;
    if (at < scope->count) {
        put(top, heap, at, heap[scope->count]);
        sift(top, scope, at, before);
    }
    if (scope->count == 0 && scope->refused == 0) {
        block_give(top, scope->base, scope->class);
        table_remove(&top->scopes, place->scope - 1);
    }
    *place = (struct top_place){0, 0};
}

void top_leave_all(struct top *top, uint32_t row)
{
    for (uint32_t slot = 0; slot < TOP_SLOTS; slot++)
        top_leave(top, row, slot);
}

void top_move(struct top *top, uint32_t row, double key)
{
    const struct top_place *places = &top->places[row * TOP_SLOTS];

    assert(isfinite(key));
    for (uint32_t slot = 0; slot < TOP_SLOTS; slot++) {
        if (places[slot].scope == 0)
            continue;
        struct top_scope *scope = table_row(&top->scopes, places[slot].scope - 1);
        struct top_entry *entry = &top->entries[scope->base + places[slot].at];
        double before = entry->key;

        entry->key = key;
        sift(top, scope, places[slot].at, before);
    }
}

void top_rescale(struct top *top, int halvings)
{
    for (uint32_t at = 0; at < top->scopes.capacity; at++) {
        const struct top_scope *scope = table_row(&top->scopes, at);

        for (uint32_t i = 0; scope->head.used && i < scope->count; i++)
            top->entries[scope->base + i].key = ldexp(top->entries[scope->base + i].key, -halvings);
    }
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* The frontier: a binary heap of places of the scope's heap, by key. */
static void frontier_push(struct top_entry *frontier, uint32_t *count, double key, uint32_t place)
{
    uint32_t at = (*count)++;

    while (at > 0 && frontier[(at - 1) / 2].key < key) {
        frontier[at] = frontier[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    frontier[at] = (struct top_entry){.key = key, .ref = place};
}

static uint32_t frontier_pop(struct top_entry *frontier, uint32_t *count)
{
    uint32_t place = frontier[0].ref, at = 0;
    struct top_entry last = frontier[--*count];

    while (2 * at + 1 < *count) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < *count && frontier[child + 1].key > frontier[child].key)
            child++;
        if (frontier[child].key <= last.key)
            break;
        frontier[at] = frontier[child];
        at = child;
    }
    frontier[at] = last;
    return place;
}

uint32_t top_read(struct top *top, struct table_key key_of_scope, uint32_t want,
                  bool (*skip)(void *owner, uint32_t row), void *owner, uint32_t *rows,
                  uint64_t *refused)
{
    uint32_t at = table_find(&top->scopes, key_of_scope, false), found = 0, waiting = 0;

    assert(want <= TOP_READ_MAX);
    *refused = 0;
    if (at == TABLE_NONE) {
        *refused = table_is_full(&top->scopes) ? top->refused : 0;
        return 0;
    }
    const struct top_scope *scope = table_row(&top->scopes, at);
    const struct top_entry *heap = &top->entries[scope->base];

    *refused = scope->refused;
    if (scope->count > 0)
        frontier_push(top->frontier, &waiting, heap[0].key, 0);
    for (uint32_t looks = 0; found < want && waiting > 0 && looks < TOP_LOOKS_MAX; looks++) {
        uint32_t place = frontier_pop(top->frontier, &waiting);
        uint32_t row = heap[place].ref / TOP_SLOTS;

        if (!skip || !skip(owner, row))
            rows[found++] = row;
        for (uint32_t child = place * ARITY + 1;
             child <= place * ARITY + ARITY && child < scope->count; child++)
            frontier_push(top->frontier, &waiting, heap[child].key, child);
    }
    return found;
}
