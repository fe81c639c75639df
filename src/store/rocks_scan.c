/* Reading in order: all rows for verify and rebuild, live cases and rules for a start, and all keys
 * for the key filter after an open. */
#include "store/rocks.h"

#include <rocksdb/c.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/key.h"
#include "store/ops.h"
#include "store/pack.h"

/* --- scans ---------------------------------------------------------------------------------- */

/* Called with each key and value of a scan. */
typedef enum status (*scan_each)(struct rocks *rocks, void *argument, const uint8_t *key,
                                 size_t key_size, const uint8_t *value, size_t size);

/* All rows of the tables from first up to, not with, end. The database stays open meanwhile. */
static enum status scan_locked(struct rocks *rocks, enum key_table first, enum key_table end,
                               scan_each each, void *argument)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    char from = (char)first, to = (char)end;
    enum status status = STATUS_OK;
    char *error = NULL;

    rocksdb_readoptions_set_total_order_seek(options, 1);
    rocksdb_readoptions_set_fill_cache(options, 0);
    rocksdb_readoptions_set_readahead_size(options, 1 << 20);
    rocksdb_readoptions_set_iterate_upper_bound(options, &to, 1);

    rocksdb_iterator_t *iterator = rocksdb_create_iterator_cf(rocks->db, options, rocks->family);

    for (rocksdb_iter_seek(iterator, &from, 1); status == STATUS_OK && rocksdb_iter_valid(iterator);
         rocksdb_iter_next(iterator)) {
        size_t key_size, size;
        const char *key = rocksdb_iter_key(iterator, &key_size);
        const char *value = rocksdb_iter_value(iterator, &size);

        status =
            each(rocks, argument, (const uint8_t *)key, key_size, (const uint8_t *)value, size);
    }
    rocksdb_iter_get_error(iterator, &error);
    if (error != NULL)
        status = rocks_fail(error, NULL);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    return status;
}

static enum status scan_tables(struct rocks *rocks, enum key_table first, enum key_table end,
                               scan_each each, void *argument)
{
    enum status status;

    if (!begin_reading(rocks))
        return STATUS_IOFAIL;
    status = scan_locked(rocks, first, end, each, argument);
    end_reading(rocks);
    return status;
}

static enum status visit_operation(struct rocks *rocks, const struct store_visitor *visitor,
                                   const uint8_t *key, size_t key_size, const uint8_t *value,
                                   size_t size)
{
    int64_t newest_us = atomic_load_explicit(&rocks->newest_us, memory_order_acquire);
    struct operation_row row = {0};

    if (!key_read_operation(key, key_size, rocks->partition, &row.tenant, row.id) ||
        !unpack_operation(value, size, &row))
        return STATUS_CORRUPT;
    if (row.time_us < store_operation_cutoff(newest_us, newest_us, rocks->operation_keep_us))
        return STATUS_OK;
    return visitor->operation != NULL ? visitor->operation(visitor->argument, &row) : STATUS_OK;
}

static enum status visit_edge(struct rocks *rocks, const struct store_visitor *visitor,
                              const uint8_t *key, size_t key_size, const uint8_t *value,
                              size_t size)
{
    struct edge_row row = {0};

    if (!key_read_edge(key, key_size, rocks->partition, &row) || !unpack_edge(value, size, &row))
        return STATUS_CORRUPT;
    return visitor->edge != NULL ? visitor->edge(visitor->argument, &row) : STATUS_OK;
}

static enum status visit_account(struct rocks *rocks, const struct store_visitor *visitor,
                                 const uint8_t *key, size_t key_size, const uint8_t *value,
                                 size_t size)
{
    struct account_row row = {0};

    if (!key_read_id(key, key_size, KEY_ACCOUNT, rocks->partition, &row.tenant, &row.id) ||
        !unpack_account(value, size, &row))
        return STATUS_CORRUPT;
    return visitor->account != NULL ? visitor->account(visitor->argument, &row) : STATUS_OK;
}

static enum status visit_item(struct rocks *rocks, const struct store_visitor *visitor,
                              const uint8_t *key, size_t key_size, const uint8_t *value,
                              size_t size)
{
    struct item_row row = {0};

    if (!key_read_id(key, key_size, KEY_ITEM, rocks->partition, &row.tenant, &row.id) ||
        !unpack_item(value, size, &row))
        return STATUS_CORRUPT;
    return visitor->item != NULL ? visitor->item(visitor->argument, &row) : STATUS_OK;
}

static enum status visit_case(struct rocks *rocks, const struct store_visitor *visitor,
                              enum key_table table, const uint8_t *key, size_t key_size,
                              const uint8_t *value, size_t size)
{
    struct case_row row = {0};

    if (!key_read_id(key, key_size, table, rocks->partition, &row.tenant, &row.id) ||
        !unpack_case(value, size, &row) || (table == KEY_LIVE && !case_is_live(&row)))
        return STATUS_CORRUPT;
    return visitor->cased != NULL && table == KEY_CASE ? visitor->cased(visitor->argument, &row)
                                                       : STATUS_OK;
}

static enum status visit_inbox(struct rocks *rocks, const struct store_visitor *visitor,
                               const uint8_t *key, size_t key_size, const uint8_t *value,
                               size_t size)
{
    struct inbox_row row = {0};

    if (!key_read_id(key, key_size, KEY_INBOX, rocks->partition, &row.tenant, &row.id) ||
        !unpack_inbox(value, size, &row))
        return STATUS_CORRUPT;
    return visitor->inbox != NULL ? visitor->inbox(visitor->argument, &row) : STATUS_OK;
}

static bool read_policy(struct rocks *rocks, const uint8_t *key, size_t key_size,
                        const uint8_t *value, size_t size, struct policy_row *row)
{
    uint16_t tenant;
    uint64_t slot;

    if (!key_read_id(key, key_size, KEY_POLICY, rocks->partition, &tenant, &slot) || tenant != 0 ||
        slot > POLICY_STATE_SLOT)
        return false;
    row->head.slot = (uint8_t)slot;
    return unpack_policy(value, size, row);
}

static enum status visit_policy(struct rocks *rocks, const struct store_visitor *visitor,
                                const uint8_t *key, size_t key_size, const uint8_t *value,
                                size_t size)
{
    struct policy_row row = {0};

    if (!read_policy(rocks, key, key_size, value, size, &row))
        return STATUS_CORRUPT;
    return visitor->policy != NULL ? visitor->policy(visitor->argument, &row) : STATUS_OK;
}

/* A row of a list is read to its end: that is the check. */
static enum status visit_list(const uint8_t *key, size_t key_size, const uint8_t *value,
                              size_t size)
{
    struct unpack_list list;
    struct store_entry entry;
    int got = -1;

    if (key_size == KEY_LIST_BYTES && unpack_list_begin(&list, value, size, key_list_lowest(key)))
        while ((got = unpack_list_next(&list, &entry)) > 0)
            ;
    return got == 0 ? STATUS_OK : STATUS_CORRUPT;
}

static enum status visit(struct rocks *rocks, void *argument, const uint8_t *key, size_t key_size,
                         const uint8_t *value, size_t size)
{
    const struct store_visitor *visitor = argument;

    switch (key_size > 0 ? key[0] : 0) {
    case KEY_META:
        return STATUS_OK;
    case KEY_ACCOUNT:
        return visit_account(rocks, visitor, key, key_size, value, size);
    case KEY_ITEM:
        return visit_item(rocks, visitor, key, key_size, value, size);
    case KEY_EDGE:
        return visit_edge(rocks, visitor, key, key_size, value, size);
    case KEY_GIVEN:
    case KEY_TAKEN:
        return visit_list(key, key_size, value, size);
    case KEY_OPERATION:
        return visit_operation(rocks, visitor, key, key_size, value, size);
    case KEY_CASE:
    case KEY_LIVE:
        return visit_case(rocks, visitor, (enum key_table)key[0], key, key_size, value, size);
    case KEY_INBOX:
        return visit_inbox(rocks, visitor, key, key_size, value, size);
    case KEY_POLICY:
        return visit_policy(rocks, visitor, key, key_size, value, size);
    default:
        return STATUS_CORRUPT;
    }
}

enum status rocks_scan(struct store *store, const struct store_visitor *visitor)
{
    struct store_visitor copy = *visitor;

    return scan_tables(rocks_of(store), KEY_META, KEY_TABLE_END, visit, &copy);
}

/* The rows from where the iterator stands. */
static enum status items_take(struct rocks *rocks, rocksdb_iterator_t *iterator,
                              struct item_row *rows, uint32_t max, uint32_t *count)
{
    char *error = NULL;

    for (; *count < max && rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
        size_t key_size, size;
        const char *key = rocksdb_iter_key(iterator, &key_size);
        const char *value = rocksdb_iter_value(iterator, &size);
        struct item_row *row = &rows[*count];

        *row = (struct item_row){0};
        if (!key_read_id((const uint8_t *)key, key_size, KEY_ITEM, rocks->partition, &row->tenant,
                         &row->id) ||
            !unpack_item((const uint8_t *)value, size, row))
            return STATUS_CORRUPT;
        (*count)++;
    }
    rocksdb_iter_get_error(iterator, &error);
    return error != NULL ? rocks_fail(error, NULL) : STATUS_OK;
}

static enum status edges_take(struct rocks *rocks, rocksdb_iterator_t *iterator,
                              struct edge_row *rows, uint32_t max, uint32_t *count)
{
    char *error = NULL;

    for (; *count < max && rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
        size_t key_size, size;
        const char *key = rocksdb_iter_key(iterator, &key_size);
        const char *value = rocksdb_iter_value(iterator, &size);
        struct edge_row *row = &rows[*count];

        *row = (struct edge_row){0};
        if (!key_read_edge((const uint8_t *)key, key_size, rocks->partition, row) ||
            !unpack_edge((const uint8_t *)value, size, row))
            return STATUS_CORRUPT;
        (*count)++;
    }
    rocksdb_iter_get_error(iterator, &error);
    return error != NULL ? rocks_fail(error, NULL) : STATUS_OK;
}

/* One of the two arrays is not NULL: what it takes rows of. */
static enum status rows_from(struct rocks *rocks, enum key_table table, const uint8_t *from,
                             size_t from_size, struct item_row *items, struct edge_row *edges,
                             uint32_t max, uint32_t *count)
{
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *iterator;
    char to = (char)(table + 1);
    enum status status;

    if (!begin_reading(rocks))
        return STATUS_IOFAIL;
    options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_total_order_seek(options, 1);
    rocksdb_readoptions_set_fill_cache(options, 0);
    rocksdb_readoptions_set_iterate_upper_bound(options, &to, 1);
    iterator = rocksdb_create_iterator_cf(rocks->db, options, rocks->family);
    rocksdb_iter_seek(iterator, (const char *)from, from_size);
    status = items != NULL ? items_take(rocks, iterator, items, max, count)
                           : edges_take(rocks, iterator, edges, max, count);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    end_reading(rocks);
    return status;
}

enum status rocks_items_from(struct store *store, uint16_t tenant, uint64_t id,
                             struct item_row *rows, uint32_t max, uint32_t *count)
{
    struct rocks *rocks = rocks_of(store);
    uint8_t from[KEY_BYTES_MAX];
    size_t size = key_item(from, rocks->partition, tenant, id);

    return rows_from(rocks, KEY_ITEM, from, size, rows, NULL, max, count);
}

enum status rocks_edges_from(struct store *store, const struct edge_row *from,
                             struct edge_row *rows, uint32_t max, uint32_t *count)
{
    struct rocks *rocks = rocks_of(store);
    uint8_t key[KEY_BYTES_MAX];
    size_t size = key_edge(key, rocks->partition, from);

    return rows_from(rocks, KEY_EDGE, key, size, NULL, rows, max, count);
}

struct live {
    void *argument;
    enum status (*each)(void *argument, const struct case_row *row);
};

static enum status live_one(struct rocks *rocks, void *argument, const uint8_t *key,
                            size_t key_size, const uint8_t *value, size_t size)
{
    const struct live *live = argument;
    struct case_row row = {0};

    if (!key_read_id(key, key_size, KEY_LIVE, rocks->partition, &row.tenant, &row.id) ||
        !unpack_case(value, size, &row))
        return STATUS_CORRUPT;
    return live->each(live->argument, &row);
}

enum status rocks_scan_live(struct store *store, void *argument,
                            enum status (*each)(void *argument, const struct case_row *row))
{
    struct live live = {argument, each};

    return scan_tables(rocks_of(store), KEY_LIVE, KEY_LIVE + 1, live_one, &live);
}

struct policies {
    void *argument;
    enum status (*each)(void *argument, const struct policy_row *row);
};

static enum status policy_one(struct rocks *rocks, void *argument, const uint8_t *key,
                              size_t key_size, const uint8_t *value, size_t size)
{
    const struct policies *policies = argument;
    struct policy_row row = {0};

    if (!read_policy(rocks, key, key_size, value, size, &row))
        return STATUS_CORRUPT;
    return policies->each(policies->argument, &row);
}

enum status rocks_scan_policies(struct store *store, void *argument,
                                enum status (*each)(void *argument, const struct policy_row *row))
{
    struct policies policies = {argument, each};

    return scan_tables(rocks_of(store), KEY_POLICY, KEY_TABLE_END, policy_one, &policies);
}

/* --- the key filter after an open ----------------------------------------------------------- */

/* Hashes wait here until their cache lines have come. */
struct fill {
    uint64_t hashes[16];
    unsigned count;
};

static void fill_add(struct rocks *rocks, struct fill *fill)
{
    for (unsigned i = 0; i < fill->count; i++)
        filter_add_first(&rocks->filter, fill->hashes[i]);
    fill->count = 0;
}

static enum status fill_one(struct rocks *rocks, void *argument, const uint8_t *key,
                            size_t key_size, const uint8_t *value, size_t size)
{
    struct fill *fill = argument;
    uint64_t hash;

    (void)value;
    (void)size;
    if (atomic_load_explicit(&rocks->stop, memory_order_relaxed))
        return STATUS_STOPPING;
    if (!rocks_hash_of_key(rocks, key, key_size, &hash))
        return STATUS_CORRUPT;
    filter_prefetch(&rocks->filter, hash);
    fill->hashes[fill->count++] = hash;
    if (fill->count == sizeof fill->hashes / sizeof *fill->hashes)
        fill_add(rocks, fill);
    return STATUS_OK;
}

/* Lists and rules are left out: nobody asks for one by a key. A flush that runs beside adds its own
 * keys. */
static void *fill_filter(void *argument)
{
    struct rocks *rocks = argument;
    struct fill fill = {.count = 0};
    enum status status;

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), ROCKS_BACKGROUND_NICE);
    status = scan_tables(rocks, KEY_ACCOUNT, KEY_GIVEN, fill_one, &fill);
    if (status == STATUS_OK)
        status = scan_tables(rocks, KEY_OPERATION, KEY_LIVE, fill_one, &fill);
    if (status == STATUS_OK)
        status = scan_tables(rocks, KEY_INBOX, KEY_INBOX + 1, fill_one, &fill);
    fill_add(rocks, &fill);
    if (status == STATUS_OK)
        atomic_store_explicit(&rocks->filter_complete, true, memory_order_release);
    if (status == STATUS_CORRUPT)
        atomic_store(&rocks->damaged, true);
    return NULL;
}

/* 16 bits for a key that is there: it may grow by 60 % before FILTER_BITS_FULL. */
static size_t filter_bytes_wanted(const struct rocks *rocks, size_t configured)
{
    uint64_t bytes = atomic_load_explicit(&rocks->keys, memory_order_relaxed) * 16 / 8;

    if (configured != 0)
        return configured;
    return bytes > STORE_FILTER_BYTES_MIN ? (size_t)bytes : STORE_FILTER_BYTES_MIN;
}

bool rocks_filter_make(struct rocks *rocks, size_t configured, bool empty)
{
    if (!filter_init(&rocks->filter, filter_bytes_wanted(rocks, configured), configured == 0))
        return false;
    atomic_store(&rocks->filter_complete, empty);
    return true; /* until it is complete, or if its thread cannot start, lookups ask RocksDB */
}

void rocks_filler_stop(struct rocks *rocks)
{
    atomic_store(&rocks->stop, true);
    if (rocks->filling)
        pthread_join(rocks->filler, NULL);
    rocks->filling = false;
    atomic_store(&rocks->stop, false);
}

void rocks_filler_start(struct rocks *rocks)
{
    if (!atomic_load(&rocks->filter_complete))
        rocks->filling = pthread_create(&rocks->filler, NULL, fill_filter, rocks) == 0;
}
