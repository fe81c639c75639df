/* store_world.h: a small random world that keeps the promises of store_flush, for tests of stores.
 *
 * A world knows its accounts, items, edges and operations as they stand, moves a step at a time, and
 * hands out what changed since the last flush. The same seed makes the same world. */
#ifndef ZAN_TESTS_STORE_WORLD_H
#define ZAN_TESTS_STORE_WORLD_H

#include "store/store.h"
#include "support.h"

#define WORLD_ACCOUNTS   40
#define WORLD_ITEMS      25
#define WORLD_TENANTS    2
#define WORLD_OPERATIONS 4000
#define WORLD_START_US   1750000000000000LL
#define WORLD_KEEP_US    (60 * 1000000LL)

struct world_edge {
    struct edge_row row;
    bool changed;
};

struct world {
    struct test_random random;
    uint64_t sequence;
    int64_t time_us;
    uint64_t marks[3];
    struct account_row accounts[WORLD_TENANTS][WORLD_ACCOUNTS];
    struct item_row items[WORLD_TENANTS][WORLD_ITEMS];
    struct world_edge edges[WORLD_TENANTS][EDGE_COUNT][WORLD_ACCOUNTS][WORLD_ITEMS];
    bool account_changed[WORLD_TENANTS][WORLD_ACCOUNTS];
    bool item_changed[WORLD_TENANTS][WORLD_ITEMS];
    struct operation_row operations[WORLD_OPERATIONS];
    uint32_t operation_count, operation_flushed;
    uint64_t wide; /* added to ids, so that some worlds have 64-bit ones */
};

struct world *world_make(uint64_t seed); /* free() it */
void world_step(struct world *world);

/* What changed since the last time, in random order; the arrays are freed by world_flush_free. */
struct store_flush world_flush(struct world *world);
void world_flush_free(struct store_flush *flush);
struct store_flush world_flush_copy(const struct store_flush *flush);

struct store_config world_config(const char *path);

/* Every row, list (all pages, several page sizes and cursors), mark and figure of the two stores is
 * the same. Fails the test if not. seed picks the cursors. */
void world_same(struct world *world, struct store *a, struct store *b, uint64_t seed);

/* Reads all there is. Status of the first failure; the digest covers everything read. */
enum status world_read(const struct world *world, struct store *store, uint64_t *digest);

#endif
