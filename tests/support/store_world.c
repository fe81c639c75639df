#include "support/store_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct world *world_make(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    world->random.state = seed;
    world->time_us = WORLD_START_US;
    world->wide = seed % 2 == 0 ? 0 : 0xF123456789ULL << 24;
    return world;
}

static uint64_t below(struct world *world, uint64_t bound)
{
    return test_random_below(&world->random, bound);
}

static void touch_account(struct world *world, unsigned tenant, unsigned account)
{
    struct account_row *row = &world->accounts[tenant][account];

    row->id = world->wide + account;
    row->tenant = (uint16_t)tenant;
    if (row->first_us == 0)
        row->first_us = world->time_us;
    row->given[below(world, COUNTER_COUNT)]++;
    row->received[below(world, COUNTER_COUNT)] += below(world, 1000);
    row->taken_back += below(world, 3) == 0;
    if (below(world, 50) == 0) {
        row->state = (uint8_t)below(world, ACCOUNT_STATE_COUNT);
        row->until_us = row->state == ACCOUNT_ACTIVE ? 0 : world->time_us + 1000;
    }
    world->account_changed[tenant][account] = true;
}

static void touch_item(struct world *world, unsigned tenant, unsigned item)
{
    struct item_row *row = &world->items[tenant][item];

    row->id = world->wide + item;
    row->tenant = (uint16_t)tenant;
    if (row->first_us == 0)
        row->first_us = world->time_us;
    row->counts[below(world, COUNTER_COUNT)]++;
    row->watch_ms += below(world, 60000);
    if (below(world, 20) == 0) {
        row->has_creator = 1;
        row->creator = below(world, WORLD_ACCOUNTS);
        row->duration_ms = (uint32_t)below(world, 100000);
        row->state = (uint8_t)below(world, ITEM_STATE_COUNT);
    }
    world->item_changed[tenant][item] = true;
}

/* Account 0 and item 0 are the busy ones, so that lists split into several rows. */
static void flip_edge(struct world *world, unsigned tenant)
{
    unsigned account = below(world, 3) == 0 ? 0 : (unsigned)below(world, WORLD_ACCOUNTS);
    unsigned item = below(world, 3) == 0 ? 0 : (unsigned)below(world, WORLD_ITEMS);
    unsigned kind = below(world, 4) != 0 ? EDGE_LIKE : (unsigned)below(world, EDGE_COUNT);
    struct world_edge *edge = &world->edges[tenant][kind][account][item];

    edge->row.account = world->wide + account;
    edge->row.target = world->wide + item;
    edge->row.tenant = (uint16_t)tenant;
    edge->row.kind = (uint8_t)kind;
    edge->row.on ^= 1;
    if (edge->row.flips < UINT16_MAX)
        edge->row.flips++;
    edge->row.sequence = world->sequence;
    edge->row.time_us = world->time_us;
    edge->changed = true;
    touch_account(world, tenant, account);
    touch_item(world, tenant, item);
}

static void add_operation(struct world *world, unsigned tenant)
{
    struct operation_row *row;

    if (world->operation_count == WORLD_OPERATIONS)
        return;
    row = &world->operations[world->operation_count++];
    row->id[0] = test_random_next(&world->random);
    row->id[1] = world->operation_count;
    row->content = test_random_next(&world->random);
    row->sequence = world->sequence;
    row->time_us = world->time_us;
    row->tenant = (uint16_t)tenant;
    row->status = STATUS_OK;
    row->applied = (uint8_t)below(world, 256);
}

void world_step(struct world *world)
{
    unsigned tenant = below(world, 5) == 0;

    world->sequence += 1 + below(world, 3);
    if (below(world, 10) != 0) /* some batches hold several records */
        world->time_us += (int64_t)below(world, 50000);
    if (below(world, 4) == 0)
        add_operation(world, tenant);
    world->marks[below(world, 3)] += below(world, 5);
    flip_edge(world, tenant);
}

/* --- flushes ------------------------------------------------------------------------------------ */

static void shuffle(struct world *world, void *rows, uint64_t count, size_t size)
{
    char *bytes = rows, spare[512];

    assert_true(size <= sizeof spare);
    for (uint64_t i = count; i > 1; i--) {
        uint64_t j = below(world, i);

        memcpy(spare, bytes + (i - 1) * size, size);
        memcpy(bytes + (i - 1) * size, bytes + j * size, size);
        memcpy(bytes + j * size, spare, size);
    }
}

static void collect_rows(struct world *world, struct store_flush *flush, unsigned tenant)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        if (world->account_changed[tenant][a])
            flush->accounts[flush->account_count++] = world->accounts[tenant][a];
    for (unsigned i = 0; i < WORLD_ITEMS; i++)
        if (world->item_changed[tenant][i])
            flush->items[flush->item_count++] = world->items[tenant][i];
}

/* Now and then an edge that did not change is there too: it must not be listed twice. */
static void collect_edges(struct world *world, struct store_flush *flush, unsigned tenant)
{
    struct world_edge *edges = &world->edges[tenant][0][0][0];

    for (unsigned i = 0; i < EDGE_COUNT * WORLD_ACCOUNTS * WORLD_ITEMS; i++) {
        if (!edges[i].changed && (edges[i].row.sequence == 0 || below(world, 30) != 0))
            continue;
        flush->edges[flush->edge_count++] = edges[i].row;
        edges[i].changed = false;
    }
}

struct store_flush world_flush(struct world *world)
{
    struct store_flush flush = {.applied = world->sequence, .marks = world->marks};

    flush.accounts = calloc(WORLD_TENANTS * WORLD_ACCOUNTS, sizeof *flush.accounts);
    flush.items = calloc(WORLD_TENANTS * WORLD_ITEMS, sizeof *flush.items);
    flush.edges = calloc(sizeof world->edges / sizeof(struct world_edge), sizeof *flush.edges);
    flush.operations = calloc(WORLD_OPERATIONS, sizeof *flush.operations);
    assert_true(flush.accounts != NULL && flush.items != NULL && flush.edges != NULL &&
                flush.operations != NULL);
    for (unsigned tenant = 0; tenant < WORLD_TENANTS; tenant++) {
        collect_rows(world, &flush, tenant);
        collect_edges(world, &flush, tenant);
    }
    while (world->operation_flushed < world->operation_count)
        flush.operations[flush.operation_count++] = world->operations[world->operation_flushed++];
    memset(world->account_changed, 0, sizeof world->account_changed);
    memset(world->item_changed, 0, sizeof world->item_changed);
    shuffle(world, flush.accounts, flush.account_count, sizeof *flush.accounts);
    shuffle(world, flush.items, flush.item_count, sizeof *flush.items);
    shuffle(world, flush.edges, flush.edge_count, sizeof *flush.edges);
    shuffle(world, flush.operations, flush.operation_count, sizeof *flush.operations);
    return flush;
}

void world_flush_free(struct store_flush *flush)
{
    free(flush->accounts);
    free(flush->items);
    free(flush->edges);
    free(flush->operations);
}

static void *copy_of(const void *rows, uint64_t count, size_t size)
{
    void *copy = malloc(count * size + 1);

    assert_non_null(copy);
    memcpy(copy, rows, count * size);
    return copy;
}

struct store_flush world_flush_copy(const struct store_flush *flush)
{
    struct store_flush copy = *flush;

    copy.accounts = copy_of(flush->accounts, flush->account_count, sizeof *flush->accounts);
    copy.items = copy_of(flush->items, flush->item_count, sizeof *flush->items);
    copy.edges = copy_of(flush->edges, flush->edge_count, sizeof *flush->edges);
    copy.operations = copy_of(flush->operations, flush->operation_count, sizeof *flush->operations);
    return copy;
}

struct store_config world_config(const char *path)
{
    return (struct store_config){
        .path = path,
        .partition = 1,
        .partition_count = 3,
        .log_id = "the log of tests",
        .cache_bytes = 1 << 20,
        .filter_bytes = 1 << 16,
        .operation_keep_us = WORLD_KEEP_US,
        .create = true,
    };
}

/* --- reading all ---------------------------------------------------------------------------------- */

struct sum {
    uint64_t digest;
};

static void sum_bytes(struct sum *sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        sum->digest = hash_two(sum->digest, at[i]);
}

static enum status read_edges(const struct world *world, struct store *store, struct sum *sum)
{
    for (unsigned tenant = 0; tenant < WORLD_TENANTS; tenant++) {
        for (unsigned kind = 0; kind < EDGE_COUNT; kind++) {
            static struct edge_row rows[WORLD_ACCOUNTS * WORLD_ITEMS];
            static struct edge_key keys[WORLD_ACCOUNTS * WORLD_ITEMS];
            static bool found[WORLD_ACCOUNTS * WORLD_ITEMS], may[WORLD_ACCOUNTS * WORLD_ITEMS];
            enum status status;

            memset(rows, 0, sizeof rows);
            for (unsigned i = 0; i < WORLD_ACCOUNTS * WORLD_ITEMS; i++) {
                rows[i].account = world->wide + i / WORLD_ITEMS;
                rows[i].target = world->wide + i % WORLD_ITEMS;
                rows[i].tenant = (uint16_t)tenant;
                rows[i].kind = (uint8_t)kind;
            }
            status = store_get_edges(store, rows, found, WORLD_ACCOUNTS * WORLD_ITEMS);
            if (status != STATUS_OK)
                return status;
            for (unsigned i = 0; i < WORLD_ACCOUNTS * WORLD_ITEMS; i++)
                keys[i] = edge_key_make((uint16_t)tenant, (uint8_t)kind, rows[i].account,
                                        rows[i].target);
            store_may_have_edges(store, keys, WORLD_ACCOUNTS * WORLD_ITEMS, may);
            for (unsigned i = 0; i < WORLD_ACCOUNTS * WORLD_ITEMS; i++) {
                assert_true(!found[i] || may[i]);
                assert_true(!found[i] || store_may_have_edge(store, (uint16_t)tenant,
                                                             (uint8_t)kind, rows[i].account,
                                                             rows[i].target));
                sum_bytes(sum, &found[i], 1);
                sum_bytes(sum, &rows[i], found[i] ? sizeof rows[i] : 0);
            }
        }
    }
    return STATUS_OK;
}

static enum status read_rows(const struct world *world, struct store *store, struct sum *sum)
{
    for (unsigned tenant = 0; tenant < WORLD_TENANTS; tenant++) {
        struct account_row accounts[WORLD_ACCOUNTS];
        struct item_row items[WORLD_ITEMS];
        bool found[WORLD_ACCOUNTS];
        enum status status;

        memset(accounts, 0, sizeof accounts);
        memset(items, 0, sizeof items);
        for (unsigned i = 0; i < WORLD_ACCOUNTS; i++) {
            accounts[i].id = world->wide + i;
            accounts[i].tenant = (uint16_t)tenant;
        }
        for (unsigned i = 0; i < WORLD_ITEMS; i++) {
            items[i].id = world->wide + i;
            items[i].tenant = (uint16_t)tenant;
        }
        if ((status = store_get_accounts(store, accounts, found, WORLD_ACCOUNTS)) != STATUS_OK)
            return status;
        for (unsigned i = 0; i < WORLD_ACCOUNTS; i++)
            assert_true(!found[i] ||
                        store_may_have_account(store, (uint16_t)tenant, accounts[i].id));
        sum_bytes(sum, found, sizeof found);
        sum_bytes(sum, accounts, sizeof accounts);
        if ((status = store_get_items(store, items, found, WORLD_ITEMS)) != STATUS_OK)
            return status;
        for (unsigned i = 0; i < WORLD_ITEMS; i++)
            assert_true(!found[i] || store_may_have_item(store, (uint16_t)tenant, items[i].id));
        sum_bytes(sum, found, WORLD_ITEMS);
        sum_bytes(sum, items, sizeof items);
    }
    return STATUS_OK;
}

/* Operations are asked as of the store's own newest time, so that two stores may be compared that
 * stand for different sequences. */
static enum status read_operations(const struct world *world, struct store *store, struct sum *sum)
{
    struct operation_row *rows = calloc(WORLD_OPERATIONS, sizeof *rows);
    static bool found[WORLD_OPERATIONS];
    enum status status;

    assert_non_null(rows);
    for (uint32_t i = 0; i < WORLD_OPERATIONS; i++) {
        rows[i].id[0] = world->operations[i].id[0];
        rows[i].id[1] = world->operations[i].id[1];
        rows[i].tenant = world->operations[i].tenant;
    }
    status = store_get_operations(store, rows, found, WORLD_OPERATIONS, WORLD_START_US);
    for (uint32_t i = 0; status == STATUS_OK && i < WORLD_OPERATIONS; i++) {
        assert_true(!found[i] || store_may_have_operation(store, rows[i].tenant, rows[i].id));
        sum_bytes(sum, &found[i], 1);
        sum_bytes(sum, &rows[i], found[i] ? sizeof rows[i] : 0);
    }
    free(rows);
    return status;
}

static enum status read_list(struct store *store, enum store_side side, uint16_t tenant,
                             uint8_t kind, uint64_t id, uint32_t page, uint64_t begin,
                             struct sum *sum)
{
    struct store_entry entries[64];
    uint64_t at = begin;
    bool more = true;

    assert_true(page <= 64);
    while (more) {
        uint32_t count;
        enum status status =
            store_list(store, side, tenant, kind, id, at, entries, page, &count, &more);

        if (status != STATUS_OK)
            return status;
        assert_true(count == page || !more);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(entries[i].sequence < at);
            at = entries[i].sequence;
            sum_bytes(sum, &entries[i], sizeof entries[i]);
        }
        sum_bytes(sum, &more, 1);
    }
    return STATUS_OK;
}

static enum status read_lists(const struct world *world, struct store *store, uint32_t page,
                              uint64_t begin, struct sum *sum)
{
    for (uint16_t tenant = 0; tenant < WORLD_TENANTS; tenant++)
        for (uint8_t kind = 0; kind < EDGE_LISTED; kind++)
            for (unsigned id = 0; id < WORLD_ACCOUNTS; id++)
                for (unsigned side = 0; side < 2; side++) {
                    enum status status =
                        read_list(store, side == 0 ? STORE_GIVEN : STORE_TAKEN, tenant, kind,
                                  world->wide + id, page, begin, sum);
                    if (status != STATUS_OK)
                        return status;
                }
    return STATUS_OK;
}

static enum status sum_account(void *argument, const struct account_row *row)
{
    struct sum *sum = argument;
    struct sum one = {1};

    sum_bytes(&one, row, sizeof *row);
    sum->digest += one.digest; /* any order */
    return STATUS_OK;
}

static enum status sum_item(void *argument, const struct item_row *row)
{
    struct sum *sum = argument;
    struct sum one = {2};

    sum_bytes(&one, row, sizeof *row);
    sum->digest += one.digest;
    return STATUS_OK;
}

static enum status sum_edge(void *argument, const struct edge_row *row)
{
    struct sum *sum = argument;
    struct sum one = {3};

    sum_bytes(&one, row, sizeof *row);
    sum->digest += one.digest;
    return STATUS_OK;
}

static enum status sum_operation(void *argument, const struct operation_row *row)
{
    struct sum *sum = argument;
    struct sum one = {4};

    sum_bytes(&one, row, sizeof *row);
    sum->digest += one.digest;
    return STATUS_OK;
}

static enum status read_scan(struct store *store, struct sum *sum)
{
    struct sum all = {0};
    struct store_visitor visitor = {&all, sum_account, sum_item, sum_edge, sum_operation,
                                    NULL, NULL, NULL};
    enum status status = store_scan(store, &visitor);

    sum_bytes(sum, &all, sizeof all);
    return status;
}

enum status world_read(const struct world *world, struct store *store, uint64_t *digest)
{
    uint64_t head[4] = {store_applied(store), store_mark(store, 0), store_mark(store, 1),
                        store_mark(store, 2)};
    struct sum sum = {0};
    enum status status;

    sum_bytes(&sum, head, sizeof head);
    if ((status = read_rows(world, store, &sum)) != STATUS_OK ||
        (status = read_edges(world, store, &sum)) != STATUS_OK ||
        (status = read_operations(world, store, &sum)) != STATUS_OK ||
        (status = read_lists(world, store, 64, UINT64_MAX, &sum)) != STATUS_OK ||
        (status = read_scan(store, &sum)) != STATUS_OK)
        return status;
    *digest = sum.digest;
    return STATUS_OK;
}

void world_same(struct world *world, struct store *a, struct store *b, uint64_t seed)
{
    struct test_random random = {seed};
    uint64_t first = 0, second = 1;

    assert_int_equal(world_read(world, a, &first), STATUS_OK);
    assert_int_equal(world_read(world, b, &second), STATUS_OK);
    assert_true(first == second);
    for (int i = 0; i < 3; i++) {
        uint32_t page = 1 + (uint32_t)test_random_below(&random, 63);
        uint64_t begin = test_random_below(&random, world->sequence + 2);
        struct sum one = {0}, other = {0};

        assert_int_equal(read_lists(world, a, page, begin, &one), STATUS_OK);
        assert_int_equal(read_lists(world, b, page, begin, &other), STATUS_OK);
        assert_true(one.digest == other.digest);
    }
}
