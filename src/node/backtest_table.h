/* backtest_table.h: what a back-test keeps beside the rows: a hash table that grows.
 *
 * Keys are whole, not only their hash: two are never taken for one. An entry's address holds until
 * the next put. */
#ifndef ZAN_NODE_BACKTEST_TABLE_H
#define ZAN_NODE_BACKTEST_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct backtest_key {
    uint64_t a, b;
    uint16_t tenant;
    uint16_t what; /* the caller's: which of its tables this would be */
};

struct backtest_entry {
    struct backtest_key key;
    bool used;
    int64_t value[3];
};

struct backtest_table {
    struct backtest_entry *entries;
    uint64_t count, capacity; /* capacity: 0 or a power of two */
};

/* NULL if it is not there. */
struct backtest_entry *backtest_table_get(const struct backtest_table *table,
                                          const struct backtest_key *key);
/* Makes it, all 0, if it is not there; *fresh (may be NULL) says whether. NULL: no memory. */
struct backtest_entry *backtest_table_put(struct backtest_table *table,
                                          const struct backtest_key *key, bool *fresh);
void backtest_table_free(struct backtest_table *table);

#endif
