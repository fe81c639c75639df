#include "node/backtest_table.h"

#include <stdlib.h>

#include "base/hash.h"

#define CAPACITY_MIN 1024

static uint64_t place(const struct backtest_key *key, uint64_t capacity)
{
    uint64_t kind = key->tenant | (uint64_t)key->what << 16;

    return hash_two(hash_two(key->a, key->b), kind) & (capacity - 1);
}

static bool is_same(const struct backtest_key *a, const struct backtest_key *b)
{
    return a->a == b->a && a->b == b->b && a->tenant == b->tenant && a->what == b->what;
}

/* Where the key stands, or would stand. There is always a free one. */
static struct backtest_entry *look(const struct backtest_table *table,
                                   const struct backtest_key *key)
{
    uint64_t at = place(key, table->capacity);

    while (table->entries[at].used && !is_same(&table->entries[at].key, key))
        at = (at + 1) & (table->capacity - 1);
    return &table->entries[at];
}

static bool grow(struct backtest_table *table)
{
    struct backtest_table larger = {
        .capacity = table->capacity == 0 ? CAPACITY_MIN : 2 * table->capacity,
        .count = table->count,
    };

    larger.entries = calloc(larger.capacity, sizeof *larger.entries);
    if (larger.entries == NULL)
        return false;
    for (uint64_t i = 0; i < table->capacity; i++)
        if (table->entries[i].used)
            *look(&larger, &table->entries[i].key) = table->entries[i];
    free(table->entries);
    *table = larger;
    return true;
}

struct backtest_entry *backtest_table_get(const struct backtest_table *table,
                                          const struct backtest_key *key)
{
    struct backtest_entry *entry = table->capacity > 0 ? look(table, key) : NULL;

    return entry != NULL && entry->used ? entry : NULL;
}

struct backtest_entry *backtest_table_put(struct backtest_table *table,
                                          const struct backtest_key *key, bool *fresh)
{
    struct backtest_entry *entry;

    if (4 * (table->count + 1) > 3 * table->capacity && !grow(table))
        return NULL;
    entry = look(table, key);
    if (fresh != NULL)
        *fresh = !entry->used;
    if (!entry->used) {
        *entry = (struct backtest_entry){.key = *key, .used = true};
        table->count++;
    }
    return entry;
}

void backtest_table_free(struct backtest_table *table)
{
    free(table->entries);
    *table = (struct backtest_table){0};
}
