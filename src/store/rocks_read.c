/* Reading by key, and pages of lists.
 *
 * Each lookup first asks the key filter (filter.h): most keys asked are absent and cost one cache
 * line. What it lets pass is read many keys at once. The buffers belong to the node's thread. */
#include "store/rocks.h"

#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "store/key.h"
#include "store/ops.h"
#include "store/pack.h"

/* --- lookups -------------------------------------------------------------------------------- */

bool rocks_lookup_make(struct lookup *lookup)
{
    lookup->keys = malloc(STORE_MANY_MAX * sizeof *lookup->keys);
    lookup->pointers = malloc(STORE_MANY_MAX * sizeof *lookup->pointers);
    lookup->sizes = malloc(STORE_MANY_MAX * sizeof *lookup->sizes);
    lookup->rows = malloc(STORE_MANY_MAX * sizeof *lookup->rows);
    lookup->hashes = malloc(STORE_MANY_MAX * sizeof *lookup->hashes);
    lookup->values = malloc(STORE_MANY_MAX * sizeof *lookup->values);
    lookup->errors = malloc(STORE_MANY_MAX * sizeof *lookup->errors);
    return lookup->keys != NULL && lookup->pointers != NULL && lookup->sizes != NULL &&
           lookup->rows != NULL && lookup->hashes != NULL && lookup->values != NULL &&
           lookup->errors != NULL;
}

void rocks_lookup_free(struct lookup *lookup)
{
    free(lookup->keys);
    free(lookup->pointers);
    free(lookup->sizes);
    free(lookup->rows);
    free(lookup->hashes);
    free(lookup->values);
    free(lookup->errors);
}

static bool filter_says(const struct rocks *rocks, uint64_t hash)
{
    return !atomic_load_explicit(&rocks->filter_complete, memory_order_acquire) ||
           filter_may_have(&rocks->filter, hash);
}

/* Clears found, and collects the keys of rows the filter does not rule out. */
static uint32_t lookup_collect(struct rocks *rocks, const struct table *table, const char *rows,
                               bool *found, uint32_t count)
{
    struct lookup *lookup = &rocks->lookup;
    uint32_t asked = 0;

    for (uint32_t i = 0; i < count; i++) {
        lookup->hashes[i] = table->hash(rocks, rows + i * table->row_bytes);
        filter_prefetch(&rocks->filter, lookup->hashes[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        found[i] = false;
        if (!filter_says(rocks, lookup->hashes[i]))
            continue;
        lookup->sizes[asked] =
            table->key(rocks, rows + i * table->row_bytes, (uint8_t *)lookup->keys[asked]);
        lookup->pointers[asked] = lookup->keys[asked];
        lookup->rows[asked] = i;
        asked++;
    }
    count_up(&rocks->filter_checks, count);
    count_up(&rocks->filter_absent, count - asked);
    count_up(&rocks->gets, asked);
    return asked;
}

/* One answer of RocksDB into the caller's row; frees it. */
static enum status lookup_take(struct rocks *rocks, const struct table *table, char *rows,
                               bool *found, uint32_t at)
{
    struct lookup *lookup = &rocks->lookup;
    uint32_t i = lookup->rows[at];
    rocksdb_pinnableslice_t *value = lookup->values[at];
    enum status status = STATUS_OK;
    size_t size;

    if (lookup->errors[at] != NULL)
        status = rocks_fail(lookup->errors[at], NULL);
    if (value == NULL)
        return status;
    if (status == STATUS_OK) {
        const char *bytes = rocksdb_pinnableslice_value(value, &size);

        found[i] = table->unpack((const uint8_t *)bytes, size, rows + i * table->row_bytes);
        if (!found[i])
            status = STATUS_CORRUPT;
    }
    rocksdb_pinnableslice_destroy(value);
    return status;
}

static enum status lookup_once(struct rocks *rocks, const struct table *table, void *rows,
                               bool *found, uint32_t count)
{
    struct lookup *lookup = &rocks->lookup;
    uint32_t asked = lookup_collect(rocks, table, rows, found, count);
    enum status status = STATUS_OK;

    if (asked == 0)
        return STATUS_OK;
    rocks_dawdle();
    if (!begin_reading(rocks))
        return STATUS_IOFAIL;
    rocksdb_batched_multi_get_cf(rocks->db, rocks->get_options, rocks->family, asked,
                                 lookup->pointers, lookup->sizes, lookup->values, lookup->errors,
                                 false);
    for (uint32_t at = 0; at < asked; at++) {
        enum status one = lookup_take(rocks, table, rows, found, at);

        if (status == STATUS_OK)
            status = one;
    }
    end_reading(rocks); /* the values are pinned in the database: not before they are given back */
    return status;
}

/* The filter is asked before the database. If a flush enters between the two, a row the filter did
 * not know yet would be missing beside others of the same flush; so then all is asked again. The
 * count goes up after the keys are in the filter and before the rows are in the database: whoever
 * saw a row sees the new count, and whoever saw the new count sees the keys. */
static enum status lookup_rows(struct rocks *rocks, const struct table *table, void *rows,
                               bool *found, uint32_t count)
{
    uint64_t before, after = atomic_load_explicit(&rocks->ingests, memory_order_acquire);
    enum status status;

    do {
        before = after;
        status = lookup_once(rocks, table, rows, found, count);
        after = atomic_load_explicit(&rocks->ingests, memory_order_acquire);
    } while (after != before && status == STATUS_OK && !PLANTED("store.flush_seen_in_part"));
    return status;
}

enum status rocks_get_accounts(struct store *store, struct account_row *rows, bool *found,
                               uint32_t count)
{
    return lookup_rows(rocks_of(store), &rocks_account_table, rows, found, count);
}

enum status rocks_get_items(struct store *store, struct item_row *rows, bool *found, uint32_t count)
{
    return lookup_rows(rocks_of(store), &rocks_item_table, rows, found, count);
}

enum status rocks_get_inboxes(struct store *store, struct inbox_row *rows, bool *found,
                              uint32_t count)
{
    return lookup_rows(rocks_of(store), &rocks_inbox_table, rows, found, count);
}

enum status rocks_get_cases(struct store *store, struct case_row *rows, bool *found, uint32_t count)
{
    return lookup_rows(rocks_of(store), &rocks_case_table, rows, found, count);
}

enum status rocks_get_edges(struct store *store, struct edge_row *rows, bool *found, uint32_t count)
{
    return lookup_rows(rocks_of(store), &rocks_edge_table, rows, found, count);
}

enum status rocks_get_operations(struct store *store, struct operation_row *rows, bool *found,
                                 uint32_t count, int64_t now_us)
{
    struct rocks *rocks = rocks_of(store);
    int64_t newest_us = atomic_load_explicit(&rocks->newest_us, memory_order_acquire);
    int64_t cutoff_us = store_operation_cutoff(newest_us, now_us, rocks->operation_keep_us);
    enum status status = lookup_rows(rocks, &rocks_operation_table, rows, found, count);

    for (uint32_t i = 0; i < count; i++)
        if (found[i] && rows[i].time_us < cutoff_us && !PLANTED("store.expired_is_found"))
            found[i] = false;
    return status;
}

static bool may_have(const struct store *store, uint64_t hash)
{
    struct rocks *rocks = rocks_of((struct store *)(uintptr_t)store); /* only its counters change */
    bool has = filter_says(rocks, hash);

    count_up(&rocks->filter_checks, 1);
    count_up(&rocks->filter_absent, !has);
    return has;
}

bool rocks_may_have_account(const struct store *store, uint16_t tenant, uint64_t id)
{
    return may_have(store, key_hash(rocks_of_const(store)->seed, KEY_ACCOUNT, tenant, 0, id, 0));
}

bool rocks_may_have_item(const struct store *store, uint16_t tenant, uint64_t id)
{
    return may_have(store, key_hash(rocks_of_const(store)->seed, KEY_ITEM, tenant, 0, id, 0));
}

bool rocks_may_have_inbox(const struct store *store, uint16_t tenant, uint64_t id)
{
    return may_have(store, key_hash(rocks_of_const(store)->seed, KEY_INBOX, tenant, 0, id, 0));
}

#define FILTER_MANY 64
static void may_have_many(struct rocks *rocks, const struct edge_key *keys, uint32_t count,
                          bool *may)
{
    /* First: a filter that becomes complete after it was asked has still said no too often. */
    bool complete = atomic_load_explicit(&rocks->filter_complete, memory_order_acquire);
    uint64_t hashes[FILTER_MANY];
    uint32_t has;

    for (uint32_t i = 0; i < count; i++)
        hashes[i] = key_hash_edge(rocks->seed, &keys[i]);
    has = filter_may_have_many(&rocks->filter, hashes, count, may);
    if (!complete) {
        memset(may, true, count);
        has = count;
    }
    count_up(&rocks->filter_checks, count);
    count_up(&rocks->filter_absent, count - has);
}

void rocks_may_have_edges(const struct store *store, const struct edge_key *keys, uint32_t count,
                          bool *may)
{
    struct rocks *rocks = rocks_of((struct store *)(uintptr_t)store); /* only its counters change */

    if (count == 1) { /* of a LIKE: its line has been sent for */
        *may = may_have(store, key_hash_edge(rocks->seed, keys));
        return;
    }
    for (uint32_t from = 0; from < count; from += FILTER_MANY)
        may_have_many(rocks, keys + from, count - from < FILTER_MANY ? count - from : FILTER_MANY,
                      may + from);
}

bool rocks_may_have_operation(const struct store *store, uint16_t tenant, const uint64_t id[2])
{
    return may_have(store,
                    key_hash(rocks_of_const(store)->seed, KEY_OPERATION, tenant, 0, id[0], id[1]));
}

void rocks_prefetch_edge(const struct store *store, const struct edge_key *key)
{
    const struct rocks *rocks = rocks_of_const(store);

    filter_prefetch(&rocks->filter, key_hash_edge(rocks->seed, key));
}

/* --- lists ---------------------------------------------------------------------------------- */

/* The first key behind all that begin with prefix. Ids are 8 bytes before the sequence, so the
 * carry can run up to the kind, and further: an all-ones prefix does not occur (table < 255). */
static void bound_after(uint8_t *prefix, size_t size)
{
    while (size-- > 0)
        if (++prefix[size] != 0)
            return;
}

struct walk {
    struct store_entry *entries;
    uint64_t below; /* falls with each entry */
    uint32_t max, count;
    bool more;
};

/* Entries of one row that lie below the cursor, until there is one too many. */
static enum status walk_row(rocksdb_iterator_t *iterator, struct walk *walk)
{
    size_t key_size, size;
    const char *key = rocksdb_iter_key(iterator, &key_size);
    const char *value = rocksdb_iter_value(iterator, &size);
    struct unpack_list list;
    struct store_entry entry;
    int got = 0;

    if (key_size != KEY_LIST_BYTES || !unpack_list_begin(&list, (const uint8_t *)value, size,
                                                         key_list_lowest((const uint8_t *)key)))
        return STATUS_CORRUPT;
    while (!walk->more && (got = unpack_list_next(&list, &entry)) > 0) {
        if (entry.sequence >= walk->below + (PLANTED("store.below_is_included") ? 1 : 0))
            continue;
        if (walk->count == walk->max) {
            walk->more = true;
            break;
        }
        walk->entries[walk->count++] = entry;
        walk->below = entry.sequence;
    }
    return got < 0 ? STATUS_CORRUPT : STATUS_OK;
}

static enum status walk_rows(rocksdb_iterator_t *iterator, struct walk *walk)
{
    enum status status = STATUS_OK;
    char *error = NULL;

    while (rocksdb_iter_valid(iterator) && !walk->more) {
        if ((status = walk_row(iterator, walk)) != STATUS_OK)
            return status;
        rocksdb_iter_next(iterator);
        if (PLANTED("store.cursor_skips_a_row") && rocksdb_iter_valid(iterator))
            rocksdb_iter_next(iterator);
    }
    rocksdb_iter_get_error(iterator, &error);
    return error != NULL ? rocks_fail(error, NULL) : STATUS_OK;
}

enum status rocks_list(struct store *store, enum store_side side, uint16_t tenant, uint8_t kind,
                       uint64_t id, uint64_t below, struct store_entry *entries, uint32_t max,
                       uint32_t *count, bool *more)
{
    struct rocks *rocks = rocks_of(store);
    struct walk walk = {.entries = entries, .below = below, .max = max};
    uint8_t start[KEY_BYTES_MAX];
    enum status status;

    *count = 0;
    *more = false;
    if (below == 0)
        return STATUS_OK;
    /* Rows whose lowest sequence is below the cursor begin here. */
    key_list(start, rocks->partition, side, tenant, kind, id, below - 1);
    memcpy(rocks->list_bound, start, KEY_LIST_PREFIX);
    bound_after(rocks->list_bound, KEY_LIST_PREFIX);

    if (!begin_reading(rocks))
        return STATUS_IOFAIL;

    rocksdb_iterator_t *iterator =
        rocksdb_create_iterator_cf(rocks->db, rocks->list_options, rocks->family);

    rocksdb_iter_seek(iterator, (const char *)start, KEY_LIST_BYTES);
    status = walk_rows(iterator, &walk);
    rocksdb_iter_destroy(iterator);
    end_reading(rocks);
    if (status != STATUS_OK)
        return status;
    *count = walk.count;
    *more = walk.more;
    return STATUS_OK;
}
