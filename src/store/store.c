/* The door to the stores: checks what the caller promised, then hands over to the kind that was
 * opened. One indirect call; a call for many rows pays it once. */
#include "store/store.h"

#include <assert.h>
#include <stdio.h>

#include "store/ops.h"

enum status store_open(const struct store_config *config, struct store **store, char message[256])
{
    struct store_config full = *config;

    assert(config->partition_count > 0 && config->partition < config->partition_count);
    assert(!(config->create && config->read_only));
    *store = NULL;
    message[0] = '\0';
    if (full.operation_keep_us == 0)
        full.operation_keep_us = STORE_OPERATION_KEEP_US;
    if (full.cache_bytes == 0)
        full.cache_bytes = STORE_CACHE_BYTES;
    return full.path != NULL ? store_rocks_open(&full, store, message)
                             : store_memory_open(&full, store, message);
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->ops->close(store);
}

uint64_t store_applied(const struct store *store)
{
    return store->ops->applied(store);
}

uint64_t store_mark(const struct store *store, uint16_t source)
{
    assert(source < store->partition_count);
    return store->ops->mark(store, source);
}

enum status store_get_accounts(struct store *store, struct account_row *rows, bool *found,
                               uint32_t count)
{
    assert(count <= STORE_MANY_MAX);
    return store->ops->get_accounts(store, rows, found, count);
}

enum status store_get_items(struct store *store, struct item_row *rows, bool *found, uint32_t count)
{
    assert(count <= STORE_MANY_MAX);
    return store->ops->get_items(store, rows, found, count);
}

enum status store_get_edges(struct store *store, struct edge_row *rows, bool *found, uint32_t count)
{
    assert(count <= STORE_MANY_MAX);
    return store->ops->get_edges(store, rows, found, count);
}

enum status store_get_operations(struct store *store, struct operation_row *rows, bool *found,
                                 uint32_t count, int64_t now_us)
{
    assert(count <= STORE_MANY_MAX);
    return store->ops->get_operations(store, rows, found, count, now_us);
}

enum status store_get_cases(struct store *store, struct case_row *rows, bool *found, uint32_t count)
{
    assert(count <= STORE_MANY_MAX);
    return count == 0 ? STATUS_OK : store->ops->get_cases(store, rows, found, count);
}

enum status store_get_inboxes(struct store *store, struct inbox_row *rows, bool *found,
                              uint32_t count)
{
    assert(count <= STORE_MANY_MAX);
    return count == 0 ? STATUS_OK : store->ops->get_inboxes(store, rows, found, count);
}

bool store_may_have_inbox(const struct store *store, uint16_t tenant, uint64_t id)
{
    return store->ops->may_have_inbox(store, tenant, id);
}

enum status store_scan_live(struct store *store, void *argument,
                            enum status (*each)(void *argument, const struct case_row *row))
{
    return store->ops->scan_live(store, argument, each);
}

enum status store_scan_policies(struct store *store, void *argument,
                                enum status (*each)(void *argument, const struct policy_row *row))
{
    return store->ops->scan_policies(store, argument, each);
}

bool store_may_have_account(const struct store *store, uint16_t tenant, uint64_t id)
{
    return store->ops->may_have_account(store, tenant, id);
}

bool store_may_have_item(const struct store *store, uint16_t tenant, uint64_t id)
{
    return store->ops->may_have_item(store, tenant, id);
}

bool store_may_have_edge(const struct store *store, uint16_t tenant, uint8_t kind, uint64_t account,
                         uint64_t target)
{
    struct edge_key key = edge_key_make(tenant, kind, account, target);
    bool may;

    store->ops->may_have_edges(store, &key, 1, &may);
    return may;
}

bool store_may_have_operation(const struct store *store, uint16_t tenant, const uint64_t id[2])
{
    return store->ops->may_have_operation(store, tenant, id);
}

void store_prefetch_edge(const struct store *store, uint16_t tenant, uint8_t kind, uint64_t account,
                         uint64_t target)
{
    struct edge_key key = edge_key_make(tenant, kind, account, target);

    store->ops->prefetch_edge(store, &key);
}

void store_may_have_edges(const struct store *store, const struct edge_key *keys, uint32_t count,
                          bool *may)
{
    store->ops->may_have_edges(store, keys, count, may);
}

enum status store_list(struct store *store, enum store_side side, uint16_t tenant, uint8_t kind,
                       uint64_t id, uint64_t below, struct store_entry *entries, uint32_t max,
                       uint32_t *count, bool *more)
{
    assert(edge_kind_listed(kind));
    assert(side == STORE_GIVEN || side == STORE_TAKEN);
    return store->ops->list(store, side, tenant, kind, id, below, entries, max, count, more);
}

enum status store_flush(struct store *store, const struct store_flush *flush, char message[256])
{
    message[0] = '\0';
    assert(flush->applied >= store_applied(store));
    assert(flush->account_count <= STORE_FLUSH_MAX && flush->item_count <= STORE_FLUSH_MAX &&
           flush->edge_count <= STORE_FLUSH_MAX && flush->operation_count <= STORE_FLUSH_MAX &&
           flush->case_count <= STORE_FLUSH_MAX && flush->inbox_count <= STORE_FLUSH_MAX &&
           flush->policy_count <= POLICY_SLOTS + 1);
    if (store->read_only) {
        snprintf(message, 256, "the store was opened for reading only");
        return STATUS_READONLY;
    }
    return store->ops->flush(store, flush, message);
}

enum status store_scan(struct store *store, const struct store_visitor *visitor)
{
    return store->ops->scan(store, visitor);
}

enum status store_items_from(struct store *store, uint16_t tenant, uint64_t id,
                              struct item_row *rows, uint32_t max, uint32_t *count)
{
    assert(max > 0);
    *count = 0;
    return store->ops->items_from(store, tenant, id, rows, max, count);
}

enum status store_edges_from(struct store *store, const struct edge_row *from,
                             struct edge_row *rows, uint32_t max, uint32_t *count)
{
    assert(max > 0 && from->kind < EDGE_COUNT);
    *count = 0;
    return store->ops->edges_from(store, from, rows, max, count);
}

void store_stats(const struct store *store, struct store_stats *stats)
{
    *stats = (struct store_stats){0};
    store->ops->stats(store, stats);
}
