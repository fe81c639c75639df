/* The store at rest, in RocksDB 7.8 through its C API. The only file that knows RocksDB.
 *
 * Data enters one way: a flush writes its rows, sorted, into one SST file beside the database and
 * ingests it in one call. That is atomic (one edit of the manifest), it costs about a sixth of the
 * CPU of memtable writes, and there is no write-ahead log whose damage could pass unseen (measured:
 * a flipped bit in a live WAL of RocksDB opens "OK" with half the rows). The META row travels in
 * the same file, so what the store says it stands for is always what it holds.
 *
 * One file, not one per table: files of one ingest are one edit too, but the meta row makes every
 * flush overlap every other anyhow, so more files would only be more runs to look into.
 *
 * Compaction is universal (size-tiered): a flush touches keys everywhere, so a levelled tree
 * rewrites a level per level; measured over 20 M likes, see docs/formats-store.md.
 * Each lookup first asks the key filter (filter.h): most keys asked are absent and cost one cache
 * line. Blooms in the files are therefore left out of the last level (optimize_filters_for_hits),
 * where nine of ten rows live and where a key that passed the filter almost always is.
 *
 * Threads: RocksDB's own, at low priority; the scan that fills the filter after an open, the same;
 * a flush on the caller's. The lookup buffers belong to the node's thread. What a flush changes and
 * a reader sees is atomic. Errors:  RocksDB 7.8.3 that recovered by itself from a full disk still
 * counts as stopped, and the next ingest dies of an assertion (file number 0). So after any error
 * of an ingest or of its background work the database is closed and opened again before the next
 * ingest, and readers wait for that behind a lock. If it cannot be opened for writing it is for
 * reading. Damage:  every block is checksummed and checked when it is read; any word of corruption
 * ends as CORRUPT, and the caller drops the directory. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hook.h"
#include "store/filter.h"
#include "store/key.h"
#include "store/ops.h"
#include "store/pack.h"
#include "store/sort.h"

/* --- tuning, each with what was measured --------------------------------------------------------
 */

#define BLOCK_BYTES                                                                                \
    4096 /* 8 KiB: 3 % less space, 25 % fewer lookups/s; 2 KiB: 4 % more, 10 % more */
#define BLOOM_BITS       10.0
#define RUNS_TRIGGER     6  /* sorted runs before two or more are merged */
#define RUNS_WAIT        40 /* a flush waits while there are so many: lookups ask each of them */
#define RUNS_WAIT_MS_MAX 60000
#define FILE_BYTES       ((uint64_t)128 << 20)
#define BACKGROUND_JOBS                                                                            \
    3 /* one of them for flushes, which there are none of: a large merge must not hold up small    \
         ones */
#define BACKGROUND_NICE                                                                            \
    8 /* a sixth of a busy core's time against an ordinary thread; 19, RocksDB's own               \
         "low", gets a seventieth, and runs would pile up under load */
#define SYNC_BYTES                                                                                 \
    ((uint64_t)1 << 20) /* written back in small steps: the log's syncs share the disk */
#define REOPEN_BYTES                                                                               \
    ((uint64_t)4 << 20) /* a new manifest, options and log fit; else reads might end */
#define PATH_BYTES     4096
#define TEMPORARY      "flush.tmp"
#define PREFETCH_AHEAD 12 /* rows; they are visited in sorted order, so at random places */

struct lookup {
    char (*keys)[KEY_BYTES_MAX];
    const char **pointers;
    size_t *sizes;
    uint32_t *rows; /* which row of the caller a key stands for */
    uint64_t *hashes;
    rocksdb_pinnableslice_t **values;
    char **errors;
};

struct rocks {
    struct store base;
    uint16_t partition;
    uint8_t log_id[16];
    int64_t operation_keep_us;
    uint64_t seed; /* of the key filter's hashes */
    char path[PATH_BYTES];
    char temporary[PATH_BYTES + 16];

    pthread_rwlock_t lock; /* of db and family: written while the database is opened again */
    rocksdb_t *db;         /* NULL: it could not be opened again */
    rocksdb_column_family_handle_t *family;
    bool suspect; /* an ingest failed: open again before the next one. The flush's own */
    rocksdb_options_t *options;
    rocksdb_options_t *sst_options;
    rocksdb_envoptions_t *env_options;
    rocksdb_env_t *env;
    rocksdb_cache_t *cache;
    rocksdb_compactionfilter_t *expiry;
    rocksdb_readoptions_t *get_options;
    rocksdb_readoptions_t *list_options;
    uint8_t list_bound[KEY_BYTES_MAX]; /* list_options points here */

    /* What the store stands for. Written by a flush, read by anybody. */
    _Atomic uint64_t applied;
    _Atomic int64_t newest_us;
    _Atomic uint64_t edges;
    _Atomic uint64_t keys;
    _Atomic uint64_t *marks;
    _Atomic uint64_t ingests; /* begun; see lookup_rows */

    struct filter filter;
    pthread_t filler;
    bool filling;
    atomic_bool filter_complete;
    atomic_bool stop;
    atomic_bool damaged; /* the filling scan met corruption; the next flush tells */

    struct lookup lookup;               /* of the node's thread */
    struct sort_entry *order, *scratch; /* of the flush */
    uint64_t order_room;

    _Atomic uint64_t filter_checks, filter_absent, gets;
    _Atomic uint64_t flushes, flush_us_total, flush_rows;
};

static struct rocks *rocks_of(struct store *store)
{
    return (struct rocks *)store;
}

static const struct rocks *rocks_of_const(const struct store *store)
{
    return (const struct rocks *)store;
}

/* False: there is no database to read from just now; end_reading is not called then. */
static bool begin_reading(struct rocks *rocks)
{
    pthread_rwlock_rdlock(&rocks->lock);
    if (rocks->db != NULL)
        return true;
    pthread_rwlock_unlock(&rocks->lock);
    return false;
}

static void end_reading(struct rocks *rocks)
{
    pthread_rwlock_unlock(&rocks->lock);
}

/* --- errors: RocksDB's C API has only texts -----------------------------------------------------
 */

static bool says(const char *error, const char *word)
{
    return strstr(error, word) != NULL;
}

static enum status status_of(const char *error)
{
    if (says(error, "No space left") || says(error, "Disk quota"))
        return STATUS_NOSPACE;
    if (strncmp(error, "Corruption", 10) == 0)
        return STATUS_CORRUPT;
    if (says(error, "While lock file") || says(error, "lock hold by"))
        return STATUS_LOCKED;
    if (strncmp(error, "IO error", 8) == 0) /* a file the manifest names is gone: damage */
        return says(error, "No such file") ? STATUS_CORRUPT : STATUS_IOFAIL;
    return STATUS_INTERNAL;
}

/* Takes the error over. */
static enum status fail(char *error, char *message)
{
    enum status status = status_of(error);

    if (message != NULL)
        snprintf(message, 256, "%s", error);
    rocksdb_free(error);
    return status;
}

static enum status refuse(char *message, enum status status, const char *text)
{
    snprintf(message, 256, "%s", text);
    return status;
}

/* --- callbacks from RocksDB ----------------------------------------------------------------------
 */

static void nothing(void *argument)
{
    (void)argument;
}

static const char *expiry_name(void *argument)
{
    (void)argument;
    return "zan.operation_expiry";
}

/* Drops operations nobody can see any more (store_operation_cutoff). Called for each row a
 * compaction moves: first byte decides nearly always. */
static unsigned char expiry_drop(void *argument, int level, const char *key, size_t key_size,
                                 const char *value, size_t size, char **new_value, size_t *new_size,
                                 unsigned char *changed)
{
    const struct rocks *rocks = argument;
    int64_t time_us, newest_us;

    (void)level;
    (void)new_value;
    (void)new_size;
    *changed = 0;
    if (key_size != KEY_OPERATION_BYTES || (uint8_t)key[0] != KEY_OPERATION)
        return 0;
    newest_us = atomic_load_explicit(&rocks->newest_us, memory_order_relaxed);
    return unpack_operation_time((const uint8_t *)value, size, &time_us) &&
           time_us < store_operation_cutoff(newest_us, newest_us, rocks->operation_keep_us);
}

static const char *prefix_name(void *argument)
{
    (void)argument;
    return "zan.prefix.1";
}

static char *prefix_transform(void *argument, const char *key, size_t size, size_t *prefix_size)
{
    (void)argument;
    *prefix_size = key_prefix_bytes((const uint8_t *)key, size);
    return (char *)(uintptr_t)key;
}

static unsigned char prefix_always(void *argument, const char *key, size_t size)
{
    (void)argument;
    (void)key;
    (void)size;
    return 1;
}

/* --- options
 * --------------------------------------------------------------------------------------- */

/* One filter entry per prefix, not per key: a list then costs one entry for all its rows in a file,
 * and whole keys of the other tables are their own prefix. */
static rocksdb_block_based_table_options_t *table_options(struct rocks *rocks)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_checksum(table, 4); /* XXH3: half the cost of CRC32C here */
    rocksdb_block_based_options_set_whole_key_filtering(table, 0);
    rocksdb_block_based_options_set_filter_policy(table,
                                                  rocksdb_filterpolicy_create_bloom(BLOOM_BITS));
    rocksdb_block_based_options_set_block_cache(table, rocks->cache);
    return table;
}

static rocksdb_options_t *common_options(struct rocks *rocks)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = table_options(rocks);

    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_prefix_extractor(
        options, rocksdb_slicetransform_create(NULL, nothing, prefix_transform, prefix_always,
                                               prefix_always, prefix_name));
    /* zstd in the last level: 20 % less space, but 0.5 CPU-s more per million likes to compact, and
     * lookups at two thirds of the speed. With two cores to share, CPU is the dearer one. */
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    rocksdb_options_set_env(options, rocks->env);
    return options;
}

static void set_compaction(rocksdb_options_t *options)
{
    rocksdb_universal_compaction_options_t *universal =
        rocksdb_universal_compaction_options_create();

    rocksdb_options_set_compaction_style(options, rocksdb_universal_compaction);
    rocksdb_universal_compaction_options_set_size_ratio(universal, 20);
    rocksdb_universal_compaction_options_set_max_size_amplification_percent(universal, 100);
    rocksdb_options_set_universal_compaction_options(options, universal);
    rocksdb_universal_compaction_options_destroy(universal);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, RUNS_TRIGGER);
    rocksdb_options_set_target_file_size_base(options, FILE_BYTES);
    rocksdb_options_set_optimize_filters_for_hits(options, 1);
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
}

static rocksdb_options_t *db_options(struct rocks *rocks, bool create)
{
    rocksdb_options_t *options = common_options(rocks);

    set_compaction(options);
    rocksdb_options_set_create_if_missing(options, create);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_compaction_filter(options, rocks->expiry);
    rocksdb_options_set_write_buffer_size(options, 1 << 16); /* nothing is ever written to it */
    rocksdb_options_set_wal_recovery_mode(options, rocksdb_absolute_consistency_recovery);
    rocksdb_options_set_bytes_per_sync(options, SYNC_BYTES);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    rocksdb_options_set_info_log_level(options, 2); /* warnings and errors */
    rocksdb_options_set_keep_log_file_num(options, 2);
    rocksdb_options_set_max_log_file_size(options, 1 << 20);
    return options;
}

static void make_options(struct rocks *rocks, size_t cache_bytes, bool create)
{
    rocks->env = rocksdb_create_default_env();
    rocks->cache = rocksdb_cache_create_lru(cache_bytes);
    rocks->expiry = rocksdb_compactionfilter_create(rocks, nothing, expiry_drop, expiry_name);
    rocks->options = db_options(rocks, create);
    rocks->sst_options = common_options(rocks);
    rocks->env_options = rocksdb_envoptions_create();
    rocks->get_options = rocksdb_readoptions_create();
    rocks->list_options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_iterate_upper_bound(rocks->list_options, (char *)rocks->list_bound,
                                                KEY_LIST_PREFIX);
    rocksdb_readoptions_set_prefix_same_as_start(rocks->list_options, 1);
}

static void free_options(struct rocks *rocks)
{
    if (rocks->env == NULL) /* make_options was not reached */
        return;
    rocksdb_readoptions_destroy(rocks->get_options);
    rocksdb_readoptions_destroy(rocks->list_options);
    rocksdb_envoptions_destroy(rocks->env_options);
    rocksdb_options_destroy(rocks->sst_options);
    rocksdb_options_destroy(rocks->options);
    rocksdb_compactionfilter_destroy(rocks->expiry);
    rocksdb_cache_destroy(rocks->cache);
    rocksdb_env_destroy(rocks->env);
}

/* --- lookups
 * ---------------------------------------------------------------------------------------- */

/* What the tables differ in. */
struct table {
    size_t row_bytes;
    uint64_t (*hash)(const struct rocks *rocks, const void *row);
    size_t (*key)(const struct rocks *rocks, const void *row, uint8_t *key);
    bool (*unpack)(const uint8_t *bytes, size_t size, void *row);
};

static uint64_t account_hash(const struct rocks *rocks, const void *at)
{
    const struct account_row *row = at;

    return key_hash(rocks->seed, KEY_ACCOUNT, row->tenant, 0, row->id, 0);
}

static size_t account_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct account_row *row = at;

    return key_account(key, rocks->partition, row->tenant, row->id);
}

static bool account_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_account(bytes, size, row);
}

static uint64_t item_hash(const struct rocks *rocks, const void *at)
{
    const struct item_row *row = at;

    return key_hash(rocks->seed, KEY_ITEM, row->tenant, 0, row->id, 0);
}

static size_t item_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct item_row *row = at;

    return key_item(key, rocks->partition, row->tenant, row->id);
}

static bool item_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_item(bytes, size, row);
}

static uint64_t edge_hash(const struct rocks *rocks, const void *at)
{
    const struct edge_row *row = at;
    struct edge_key key = edge_key_make(row->tenant, row->kind, row->account, row->target);

    return key_hash_edge(rocks->seed, &key);
}

static size_t edge_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    return key_edge(key, rocks->partition, at);
}

static bool edge_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_edge(bytes, size, row);
}

static uint64_t operation_hash(const struct rocks *rocks, const void *at)
{
    const struct operation_row *row = at;

    return key_hash(rocks->seed, KEY_OPERATION, row->tenant, 0, row->id[0], row->id[1]);
}

static size_t operation_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct operation_row *row = at;

    return key_operation(key, rocks->partition, row->tenant, row->id);
}

static bool operation_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_operation(bytes, size, row);
}

static uint64_t case_hash(const struct rocks *rocks, const void *at)
{
    const struct case_row *row = at;

    return key_hash(rocks->seed, KEY_CASE, row->tenant, 0, row->id, 0);
}

static size_t case_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct case_row *row = at;

    return key_case(key, KEY_CASE, rocks->partition, row->tenant, row->id);
}

static bool case_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_case(bytes, size, row);
}

static uint64_t inbox_hash(const struct rocks *rocks, const void *at)
{
    const struct inbox_row *row = at;

    return key_hash(rocks->seed, KEY_INBOX, row->tenant, 0, row->id, 0);
}

static size_t inbox_key(const struct rocks *rocks, const void *at, uint8_t *key)
{
    const struct inbox_row *row = at;

    return key_case(key, KEY_INBOX, rocks->partition, row->tenant, row->id);
}

static bool inbox_unpack(const uint8_t *bytes, size_t size, void *row)
{
    return unpack_inbox(bytes, size, row);
}

static const struct table inbox_table = {sizeof(struct inbox_row), inbox_hash, inbox_key,
                                         inbox_unpack};
static const struct table case_table = {sizeof(struct case_row), case_hash, case_key, case_unpack};
static const struct table account_table = {sizeof(struct account_row), account_hash, account_key,
                                           account_unpack};
static const struct table item_table = {sizeof(struct item_row), item_hash, item_key, item_unpack};
static const struct table edge_table = {sizeof(struct edge_row), edge_hash, edge_key, edge_unpack};
static const struct table operation_table = {sizeof(struct operation_row), operation_hash,
                                             operation_key, operation_unpack};

static bool lookup_make(struct lookup *lookup)
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

static void lookup_free(struct lookup *lookup)
{
    free(lookup->keys);
    free(lookup->pointers);
    free(lookup->sizes);
    free(lookup->rows);
    free(lookup->hashes);
    free(lookup->values);
    free(lookup->errors);
}

/* A counter that one thread writes and any may read: no locked instruction. */
static void count_up(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

static bool filter_says(const struct rocks *rocks, uint64_t hash)
{
    return !atomic_load_explicit(&rocks->filter_complete, memory_order_acquire) ||
           filter_may_have(&rocks->filter, hash);
}

/* Makes the window of that planted bug wide enough to be met by a test. */
static void dawdle(void)
{
    struct timespec pause = {.tv_nsec = 2000000};

    if (PLANTED("store.flush_seen_in_part"))
        nanosleep(&pause, NULL);
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
        status = fail(lookup->errors[at], NULL);
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
    dawdle();
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

static enum status rocks_get_accounts(struct store *store, struct account_row *rows, bool *found,
                                      uint32_t count)
{
    return lookup_rows(rocks_of(store), &account_table, rows, found, count);
}

static enum status rocks_get_items(struct store *store, struct item_row *rows, bool *found,
                                   uint32_t count)
{
    return lookup_rows(rocks_of(store), &item_table, rows, found, count);
}

static enum status rocks_get_inboxes(struct store *store, struct inbox_row *rows, bool *found,
                                     uint32_t count)
{
    return lookup_rows(rocks_of(store), &inbox_table, rows, found, count);
}

static enum status rocks_get_cases(struct store *store, struct case_row *rows, bool *found,
                                   uint32_t count)
{
    return lookup_rows(rocks_of(store), &case_table, rows, found, count);
}

static enum status rocks_get_edges(struct store *store, struct edge_row *rows, bool *found,
                                   uint32_t count)
{
    return lookup_rows(rocks_of(store), &edge_table, rows, found, count);
}

static enum status rocks_get_operations(struct store *store, struct operation_row *rows,
                                        bool *found, uint32_t count, int64_t now_us)
{
    struct rocks *rocks = rocks_of(store);
    int64_t newest_us = atomic_load_explicit(&rocks->newest_us, memory_order_acquire);
    int64_t cutoff_us = store_operation_cutoff(newest_us, now_us, rocks->operation_keep_us);
    enum status status = lookup_rows(rocks, &operation_table, rows, found, count);

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

static bool rocks_may_have_account(const struct store *store, uint16_t tenant, uint64_t id)
{
    return may_have(store, key_hash(rocks_of_const(store)->seed, KEY_ACCOUNT, tenant, 0, id, 0));
}

static bool rocks_may_have_item(const struct store *store, uint16_t tenant, uint64_t id)
{
    return may_have(store, key_hash(rocks_of_const(store)->seed, KEY_ITEM, tenant, 0, id, 0));
}

static bool rocks_may_have_inbox(const struct store *store, uint16_t tenant, uint64_t id)
{
    return may_have(store, key_hash(rocks_of_const(store)->seed, KEY_INBOX, tenant, 0, id, 0));
}

#define FILTER_MANY 64
static void may_have_many(struct rocks *rocks, const struct edge_key *keys, uint32_t count,
                          bool *may)
{
    uint64_t hashes[FILTER_MANY];
    uint32_t has;

    for (uint32_t i = 0; i < count; i++)
        hashes[i] = key_hash_edge(rocks->seed, &keys[i]);
    has = filter_may_have_many(&rocks->filter, hashes, count, may);
    if (!atomic_load_explicit(&rocks->filter_complete, memory_order_acquire)) {
        memset(may, true, count);
        has = count;
    }
    count_up(&rocks->filter_checks, count);
    count_up(&rocks->filter_absent, count - has);
}

static void rocks_may_have_edges(const struct store *store, const struct edge_key *keys,
                                 uint32_t count, bool *may)
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

static bool rocks_may_have_operation(const struct store *store, uint16_t tenant,
                                     const uint64_t id[2])
{
    return may_have(store,
                    key_hash(rocks_of_const(store)->seed, KEY_OPERATION, tenant, 0, id[0], id[1]));
}

static void rocks_prefetch_edge(const struct store *store, const struct edge_key *key)
{
    const struct rocks *rocks = rocks_of_const(store);

    filter_prefetch(&rocks->filter, key_hash_edge(rocks->seed, key));
}

/* --- lists
 * ------------------------------------------------------------------------------------------- */

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
    return error != NULL ? fail(error, NULL) : STATUS_OK;
}

static enum status rocks_list(struct store *store, enum store_side side, uint16_t tenant,
                              uint8_t kind, uint64_t id, uint64_t below,
                              struct store_entry *entries, uint32_t max, uint32_t *count,
                              bool *more)
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

/* --- flush
 * -------------------------------------------------------------------------------------------- */

/* One SST file being written. After the first error the puts do nothing. */
struct sst {
    rocksdb_sstfilewriter_t *writer;
    char *error;
    uint64_t rows;
};

static void sst_put(struct sst *sst, const uint8_t *key, size_t key_size, const uint8_t *value,
                    size_t size)
{
    if (sst->error != NULL)
        return;
    rocksdb_sstfilewriter_put(sst->writer, (const char *)key, key_size, (const char *)value, size,
                              &sst->error);
    sst->rows++;
}

static bool order_reserve(struct rocks *rocks, uint64_t count)
{
    if (count <= rocks->order_room)
        return true;
    free(rocks->order);
    free(rocks->scratch);
    rocks->order = malloc(count * sizeof *rocks->order);
    rocks->scratch = malloc(count * sizeof *rocks->scratch);
    rocks->order_room = rocks->order != NULL && rocks->scratch != NULL ? count : 0;
    return rocks->order_room != 0;
}

/* Sorts rocks->order (count entries, indexes set) by one field of the rows. The rows are at random
 * places after the first field, so each is fetched ahead. */
#define ORDER_BY(rocks, rows, count, expression)                                                   \
    do {                                                                                           \
        for (uint32_t at = 0; at < (count); at++) {                                                \
            if (at + PREFETCH_AHEAD < (count))                                                     \
                __builtin_prefetch(&(rows)[(rocks)->order[at + PREFETCH_AHEAD].index]);            \
            const __typeof__(*(rows)) *row = &(rows)[(rocks)->order[at].index];                    \
            (rocks)->order[at].word = (expression);                                                \
        }                                                                                          \
        sort_words((rocks)->order, (rocks)->scratch, (count));                                     \
    } while (0)

static void order_all(struct rocks *rocks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        rocks->order[i].index = i;
}

static void put_meta(struct rocks *rocks, struct sst *sst, const struct pack_meta *meta,
                     const uint64_t *marks, uint8_t *bytes)
{
    uint8_t key[KEY_BYTES_MAX];
    size_t key_size = key_meta(key, rocks->partition);

    if (!PLANTED("store.meta_is_skipped") || meta->applied == 0)
        sst_put(sst, key, key_size, bytes, pack_meta(bytes, meta, marks));
}

/* Rows in key order into the file, and their keys into the filter: before the ingest, so that
 * no reader can be told "absent" of a row that is at rest. */
#define PUT_ROWS(rocks, sst, rows, count, table, pack)                                             \
    do {                                                                                           \
        uint8_t key[KEY_BYTES_MAX], value[PACK_ROW_BYTES_MAX];                                     \
        for (uint32_t at = 0; at < (count); at++) {                                                \
            if (at + PREFETCH_AHEAD < (count))                                                     \
                __builtin_prefetch(&(rows)[(rocks)->order[at + PREFETCH_AHEAD].index]);            \
            const __typeof__(*(rows)) *row = &(rows)[(rocks)->order[at].index];                    \
            size_t key_size = (table).key((rocks), row, key);                                      \
            sst_put((sst), key, key_size, value, pack(value, row));                                \
        }                                                                                          \
    } while (0)

static void filter_rows(struct rocks *rocks, const struct table *table, const void *rows,
                        uint64_t count)
{
    enum { MANY = 16 };
    uint64_t hashes[MANY];

    filter_reserve(&rocks->filter, count);
    for (uint64_t from = 0; from < count; from += MANY) {
        uint64_t many = count - from < MANY ? count - from : MANY;

        for (uint64_t i = 0; i < many; i++) {
            hashes[i] = table->hash(rocks, (const char *)rows + (from + i) * table->row_bytes);
            filter_prefetch(&rocks->filter, hashes[i]);
        }
        if (from == MANY)
            dawdle();
        for (uint64_t i = 0; i < many; i++)
            filter_add(&rocks->filter, hashes[i]);
    }
}

static void put_accounts(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint32_t count = (uint32_t)flush->account_count;

    filter_rows(rocks, &account_table, flush->accounts, count);
    order_all(rocks, count);
    ORDER_BY(rocks, flush->accounts, count, row->id);
    ORDER_BY(rocks, flush->accounts, count, row->tenant);
    PUT_ROWS(rocks, sst, flush->accounts, count, account_table, pack_account);
}

static void put_items(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint32_t count = (uint32_t)flush->item_count;

    filter_rows(rocks, &item_table, flush->items, count);
    order_all(rocks, count);
    ORDER_BY(rocks, flush->items, count, row->id);
    ORDER_BY(rocks, flush->items, count, row->tenant);
    PUT_ROWS(rocks, sst, flush->items, count, item_table, pack_item);
}

static void put_operations(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint32_t count = (uint32_t)flush->operation_count;

    if (!PLANTED("store.filter_misses_operations"))
        filter_rows(rocks, &operation_table, flush->operations, count);
    order_all(rocks, count);
    ORDER_BY(rocks, flush->operations, count, row->id[1]);
    ORDER_BY(rocks, flush->operations, count, row->id[0]);
    ORDER_BY(rocks, flush->operations, count, row->tenant);
    PUT_ROWS(rocks, sst, flush->operations, count, operation_table, pack_operation);
}

/* Cases are few, so they are put in order here; and after them those that are live, each once
 * more: a start reads them without walking over all that are closed. */
static int compare_cases(const void *left, const void *right)
{
    const struct case_row *a = left, *b = right;

    if (a->tenant != b->tenant)
        return a->tenant < b->tenant ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void sst_delete(struct sst *sst, const uint8_t *key, size_t key_size)
{
    if (sst->error != NULL)
        return;
    rocksdb_sstfilewriter_delete(sst->writer, (const char *)key, key_size, &sst->error);
    sst->rows++;
}

static void put_cases(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint8_t key[KEY_BYTES_MAX], value[PACK_CASE_BYTES_MAX];

    if (flush->case_count == 0)
        return;
    filter_rows(rocks, &case_table, flush->cases, flush->case_count);
    qsort(flush->cases, flush->case_count, sizeof *flush->cases, compare_cases);
    for (uint64_t i = 0; i < flush->case_count; i++)
        sst_put(sst, key, case_key(rocks, &flush->cases[i], key), value,
                pack_case(value, &flush->cases[i]));
    for (uint64_t i = 0; i < flush->case_count; i++) {
        const struct case_row *row = &flush->cases[i];
        size_t size = key_case(key, KEY_LIVE, rocks->partition, row->tenant, row->id);

        if (case_is_live(row))
            sst_put(sst, key, size, value, pack_case(value, row));
        else
            sst_delete(sst, key, size);
    }
}

/* Few, and by slot. */
static void put_policies(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint8_t key[KEY_BYTES_MAX];
    uint8_t *value = flush->policy_count > 0 ? malloc(PACK_POLICY_BYTES_MAX) : NULL;

    for (uint64_t i = 0; i < flush->policy_count; i++) {
        const struct policy_row *row = &flush->policies[i];

        if (value == NULL)
            abort(); /* no room for 17 KB: start again from the log */
        sst_put(sst, key, key_case(key, KEY_POLICY, rocks->partition, 0, row->head.slot), value,
                pack_policy(value, row));
    }
    free(value);
}

static uint64_t edge_class(const struct edge_row *row)
{
    return (uint64_t)row->tenant << 8 | row->kind;
}

static void put_edges(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint32_t count = (uint32_t)flush->edge_count;

    filter_rows(rocks, &edge_table, flush->edges, count);
    order_all(rocks, count);
    ORDER_BY(rocks, flush->edges, count, row->target);
    ORDER_BY(rocks, flush->edges, count, row->account);
    ORDER_BY(rocks, flush->edges, count, edge_class(row));
    PUT_ROWS(rocks, sst, flush->edges, count, edge_table, pack_edge);
}

/* An edge enters the lists when it was turned on since the last flush. */
static bool edge_is_listed(const struct edge_row *row, uint64_t before)
{
    return edge_kind_listed(row->kind) && (row->on != 0 || PLANTED("store.off_edges_are_listed")) &&
           (row->sequence > before || PLANTED("store.edges_are_listed_again"));
}

static uint64_t list_id(const struct edge_row *row, enum store_side side)
{
    return side == STORE_GIVEN ? row->account : row->target;
}

static bool same_list(const struct edge_row *a, const struct edge_row *b, enum store_side side)
{
    return a->kind == b->kind && a->tenant == b->tenant && list_id(a, side) == list_id(b, side);
}

/* The caller has the room for the value: here it would be cleared for each row, and most are short.
 */
static void put_list_row(struct rocks *rocks, struct sst *sst, enum store_side side,
                         const struct edge_row *any, const struct store_entry *entries,
                         uint32_t count, uint8_t value[PACK_LIST_BYTES_MAX])
{
    uint8_t key[KEY_BYTES_MAX];
    size_t key_size = key_list(key, rocks->partition, side, any->tenant, any->kind,
                               list_id(any, side), entries[count - 1].sequence);

    sst_put(sst, key, key_size, value, pack_list(value, entries, count));
}

/* rocks->order holds the listed edges in the order of the table, newest first within a list. */
static void put_list_rows(struct rocks *rocks, struct sst *sst, enum store_side side,
                          const struct edge_row *edges, uint32_t count)
{
    struct store_entry entries[PACK_LIST_MAX];
    uint8_t value[PACK_LIST_BYTES_MAX];
    const struct edge_row *list = NULL;
    uint32_t held = 0;

    for (uint32_t at = 0; at < count; at++) {
        const struct edge_row *row = &edges[rocks->order[at].index];

        if (at + PREFETCH_AHEAD < count)
            __builtin_prefetch(&edges[rocks->order[at + PREFETCH_AHEAD].index]);
        if (held > 0 && (held == PACK_LIST_MAX || !same_list(list, row, side))) {
            put_list_row(rocks, sst, side, list, entries, held, value);
            held = 0;
        }
        list = row;
        entries[held++] = (struct store_entry){
            .other = side == STORE_GIVEN ? row->target : row->account,
            .sequence = row->sequence,
            .time_us = row->time_us,
        };
    }
    if (held > 0)
        put_list_row(rocks, sst, side, list, entries, held, value);
}

static void put_list(struct rocks *rocks, struct sst *sst, enum store_side side,
                     const struct store_flush *flush, uint64_t before)
{
    const struct edge_row *edges = flush->edges;
    uint32_t count = 0;

    for (uint32_t i = 0; i < (uint32_t)flush->edge_count; i++)
        if (edge_is_listed(&edges[i], before))
            rocks->order[count++].index = i;
    if (!PLANTED("store.list_is_unsorted"))
        ORDER_BY(rocks, edges, count, ~row->sequence);
    ORDER_BY(rocks, edges, count, list_id(row, side));
    ORDER_BY(rocks, edges, count, edge_class(row));
    put_list_rows(rocks, sst, side, edges, count);
}

/* What the meta row says after this flush. */
static struct pack_meta next_meta(const struct rocks *rocks, const struct store_flush *flush)
{
    uint64_t before = atomic_load_explicit(&rocks->applied, memory_order_relaxed);
    struct pack_meta meta = {
        .partition = rocks->partition,
        .partition_count = rocks->base.partition_count,
        .applied = flush->applied,
        .newest_us = atomic_load_explicit(&rocks->newest_us, memory_order_relaxed),
        .edges = atomic_load_explicit(&rocks->edges, memory_order_relaxed),
        .keys = atomic_load_explicit(&rocks->keys, memory_order_relaxed),
    };
    uint64_t edges = meta.edges;

    memcpy(meta.log_id, rocks->log_id, sizeof meta.log_id);
    for (uint64_t i = 0; i < flush->edge_count; i++) {
        const struct edge_row *row = &flush->edges[i];

        assert(row->sequence <= flush->applied);
        if (row->time_us > meta.newest_us)
            meta.newest_us = row->time_us;
        meta.edges += row->flips <= 1 && row->sequence > before; /* was never at rest */
    }
    for (uint64_t i = 0; i < flush->operation_count; i++)
        if (flush->operations[i].time_us > meta.newest_us)
            meta.newest_us = flush->operations[i].time_us;
    /* Exact when the filter is whole; until then a guess that leaves out accounts and items. */
    meta.keys += meta.edges - edges + flush->operation_count + flush->case_count +
                 flush->inbox_count;
    if (atomic_load_explicit(&rocks->filter_complete, memory_order_acquire))
        meta.keys = filter_keys(&rocks->filter);
    return meta;
}

static int compare_inboxes(const void *left, const void *right)
{
    const struct inbox_row *a = left, *b = right;

    if (a->tenant != b->tenant)
        return a->tenant < b->tenant ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void put_inboxes(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint8_t key[KEY_BYTES_MAX], value[PACK_INBOX_BYTES_MAX];

    if (flush->inbox_count == 0)
        return;
    filter_rows(rocks, &inbox_table, flush->inboxes, flush->inbox_count);
    qsort(flush->inboxes, flush->inbox_count, sizeof *flush->inboxes, compare_inboxes);
    for (uint64_t i = 0; i < flush->inbox_count; i++)
        sst_put(sst, key, inbox_key(rocks, &flush->inboxes[i], key), value,
                pack_inbox(value, &flush->inboxes[i]));
}

static void put_all(struct rocks *rocks, struct sst *sst, const struct store_flush *flush,
                    const struct pack_meta *meta, const uint64_t *marks, uint8_t *meta_bytes)
{
    uint64_t before = atomic_load_explicit(&rocks->applied, memory_order_relaxed);

    put_meta(rocks, sst, meta, marks, meta_bytes);
    put_accounts(rocks, sst, flush);
    put_items(rocks, sst, flush);
    put_edges(rocks, sst, flush);
    CRASH_POINT("store.sst_half_written");
    put_list(rocks, sst, STORE_GIVEN, flush, before);
    put_list(rocks, sst, STORE_TAKEN, flush, before);
    put_operations(rocks, sst, flush);
    put_cases(rocks, sst, flush);
    put_inboxes(rocks, sst, flush);
    put_policies(rocks, sst, flush);
}

static enum status write_sst(struct rocks *rocks, const struct store_flush *flush,
                             const struct pack_meta *meta, const uint64_t *marks, char *message)
{
    struct sst sst = {0};
    uint8_t *meta_bytes = malloc(pack_meta_bytes_max(meta->partition_count));

    if (meta_bytes == NULL)
        return refuse(message, STATUS_NOMEMORY, "no memory for the meta row");
    (void)unlink(rocks->temporary);
    sst.writer = rocksdb_sstfilewriter_create(rocks->env_options, rocks->sst_options);
    rocksdb_sstfilewriter_open(sst.writer, rocks->temporary, &sst.error);
    put_all(rocks, &sst, flush, meta, marks, meta_bytes);
    if (sst.error == NULL)
        rocksdb_sstfilewriter_finish(sst.writer, &sst.error); /* syncs the file */
    rocksdb_sstfilewriter_destroy(sst.writer);
    free(meta_bytes);
    count_up(&rocks->flush_rows, sst.rows);
    return sst.error != NULL ? fail(sst.error, message) : STATUS_OK;
}

/* Links the file into the database, and makes it part of it by one edit of the manifest. */
static enum status ingest(struct rocks *rocks, char *message)
{
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
    const char *files[1] = {rocks->temporary};
    char *error = NULL;

    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    rocksdb_ingestexternalfileoptions_set_allow_global_seqno(options, 1);
    /* The memtable is always empty; if a flush of it were needed something else wrote here. */
    rocksdb_ingestexternalfileoptions_set_allow_blocking_flush(options, 0);
    atomic_fetch_add_explicit(&rocks->ingests, 1, memory_order_release);
    rocksdb_ingest_external_file_cf(rocks->db, rocks->family, files, 1, options, &error);
    rocksdb_ingestexternalfileoptions_destroy(options);
    return error != NULL ? fail(error, message) : STATUS_OK;
}

/* RocksDB 7.8.3 does not look at a read that fails while it takes the bounds of an ingested file,
 * and writes the file down as empty: gets pass it over, iterators meet rows outside of it and
 * abort. Every file has rows, so one without bounds is known by that (found by fault.io). */
static enum status check_bounds(struct rocks *rocks, char *message)
{
    const rocksdb_livefiles_t *files = rocksdb_livefiles(rocks->db);
    bool good = true;

    for (int i = 0; i < rocksdb_livefiles_count(files); i++) {
        size_t smallest, largest_size;

        (void)rocksdb_livefiles_smallestkey(files, i, &smallest);
        (void)rocksdb_livefiles_largestkey(files, i, &largest_size);
        good = good && smallest > 0 && largest_size > 0;
    }
    rocksdb_livefiles_destroy(files);
    return good ? STATUS_OK
                : refuse(message, STATUS_CORRUPT,
                         "a file of the store was taken in without its keys");
}

static uint64_t runs_now(struct rocks *rocks)
{
    char *text = rocksdb_property_value(rocks->db, "rocksdb.num-files-at-level0");
    uint64_t runs = text != NULL ? strtoull(text, NULL, 10) : 0;

    rocksdb_free(text);
    return runs;
}

/* Back-pressure: RocksDB does not slow an ingest down, and runs that pile up slow every lookup.
 * Bounded, so that a compaction that cannot go on does not hold the flush for ever. */
static void wait_for_runs(struct rocks *rocks)
{
    struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

    for (int ms = 0; ms < RUNS_WAIT_MS_MAX && runs_now(rocks) >= RUNS_WAIT; ms += 20)
        nanosleep(&pause, NULL);
}

static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void publish(struct rocks *rocks, const struct pack_meta *meta, const uint64_t *marks)
{
    atomic_store_explicit(&rocks->edges, meta->edges, memory_order_relaxed);
    atomic_store_explicit(&rocks->keys, meta->keys, memory_order_relaxed);
    atomic_store_explicit(&rocks->newest_us, meta->newest_us, memory_order_release);
    for (uint16_t i = 0; i < rocks->base.partition_count; i++)
        atomic_store_explicit(&rocks->marks[i], marks[i], memory_order_relaxed);
    atomic_store_explicit(&rocks->applied, meta->applied, memory_order_release);
}

/* --- scans
 * -----------------------------------------------------------------------------------------------
 */

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
        status = fail(error, NULL);
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

static enum status rocks_scan(struct store *store, const struct store_visitor *visitor)
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
    return error != NULL ? fail(error, NULL) : STATUS_OK;
}

static enum status rocks_items_from(struct store *store, uint16_t tenant, uint64_t id,
                                    struct item_row *rows, uint32_t max, uint32_t *count)
{
    struct rocks *rocks = rocks_of(store);
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *iterator;
    uint8_t from[KEY_BYTES_MAX];
    char to = (char)(KEY_ITEM + 1);
    size_t from_size = key_item(from, rocks->partition, tenant, id);
    enum status status;

    if (!begin_reading(rocks))
        return STATUS_IOFAIL;
    options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_total_order_seek(options, 1);
    rocksdb_readoptions_set_fill_cache(options, 0);
    rocksdb_readoptions_set_iterate_upper_bound(options, &to, 1);
    iterator = rocksdb_create_iterator_cf(rocks->db, options, rocks->family);
    rocksdb_iter_seek(iterator, (const char *)from, from_size);
    status = items_take(rocks, iterator, rows, max, count);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    end_reading(rocks);
    return status;
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

static enum status rocks_scan_live(struct store *store, void *argument,
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

static enum status rocks_scan_policies(struct store *store, void *argument,
                                       enum status (*each)(void *argument,
                                                           const struct policy_row *row))
{
    struct policies policies = {argument, each};

    return scan_tables(rocks_of(store), KEY_POLICY, KEY_TABLE_END, policy_one, &policies);
}

/* --- the key filter after an open
 * -------------------------------------------------------------------------- */

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

static bool hash_of_key(const struct rocks *rocks, const uint8_t *key, size_t size, uint64_t *hash)
{
    struct operation_row operation;
    struct account_row account;
    struct item_row item;
    struct edge_row edge;
    struct case_row cased;
    struct inbox_row inbox;

    if (key_read_edge(key, size, rocks->partition, &edge))
        *hash = edge_hash(rocks, &edge);
    else if (key_read_operation(key, size, rocks->partition, &operation.tenant, operation.id))
        *hash = operation_hash(rocks, &operation);
    else if (key_read_id(key, size, KEY_ACCOUNT, rocks->partition, &account.tenant, &account.id))
        *hash = account_hash(rocks, &account);
    else if (key_read_id(key, size, KEY_ITEM, rocks->partition, &item.tenant, &item.id))
        *hash = item_hash(rocks, &item);
    else if (key_read_id(key, size, KEY_CASE, rocks->partition, &cased.tenant, &cased.id))
        *hash = case_hash(rocks, &cased);
    else if (key_read_id(key, size, KEY_INBOX, rocks->partition, &inbox.tenant, &inbox.id))
        *hash = inbox_hash(rocks, &inbox);
    else
        return false;
    return true;
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
    if (!hash_of_key(rocks, key, key_size, &hash))
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

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
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

static bool make_filter(struct rocks *rocks, size_t configured, bool empty)
{
    if (!filter_init(&rocks->filter, filter_bytes_wanted(rocks, configured), configured == 0))
        return false;
    atomic_store(&rocks->filter_complete, empty);
    return true; /* until it is complete, or if its thread cannot start, lookups ask RocksDB */
}

/* --- open
 * --------------------------------------------------------------------------------------------------
 */

struct directory {
    bool exists, current, tables, foreign;
};

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool is_numbered(const char *name, const char *ending)
{
    size_t digits = strspn(name, "0123456789");

    return digits > 0 && strcmp(name + digits, ending) == 0;
}

static void look_at_name(struct directory *directory, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return;
    if (strcmp(name, "CURRENT") == 0)
        directory->current = true;
    else if (is_numbered(name, ".sst"))
        directory->tables = true;
    else if (!is_numbered(name, ".log") && !is_numbered(name, ".dbtmp") &&
             !begins(name, "MANIFEST-") && !begins(name, "OPTIONS-") && !begins(name, "LOG") &&
             strcmp(name, "LOCK") != 0 && strcmp(name, "IDENTITY") != 0 &&
             strcmp(name, TEMPORARY) != 0)
        directory->foreign = true;
}

static enum status look_at(const char *path, struct directory *directory, char *message)
{
    DIR *list = opendir(path);
    struct dirent *entry;

    *directory = (struct directory){0};
    if (list == NULL && errno == ENOENT)
        return STATUS_OK;
    if (list == NULL) {
        snprintf(message, 256, "%s cannot be read: %s", path, strerror(errno));
        return errno == ENOTDIR ? STATUS_BADDATA : STATUS_IOFAIL;
    }
    directory->exists = true;
    while ((entry = readdir(list)) != NULL)
        look_at_name(directory, entry->d_name);
    closedir(list);
    return STATUS_OK;
}

/* Looks before RocksDB does: it would make a database among foreign files, and take a store that
 * lost its CURRENT file for a new one. *fresh: there is nothing yet. */
static enum status check_directory(const struct store_config *config, bool *fresh, char *message)
{
    struct directory directory;
    enum status status = look_at(config->path, &directory, message);

    *fresh = !directory.current;
    if (status != STATUS_OK || directory.current)
        return status;
    if (directory.foreign)
        return refuse(message, STATUS_BADDATA, "the directory holds files that are not a store's");
    if (directory.tables)
        return refuse(message, STATUS_CORRUPT, "the store has lost its file CURRENT");
    if (!config->create)
        return refuse(message, STATUS_BADDATA, "there is no store in this directory");
    if (!directory.exists && mkdir(config->path, 0700) != 0) {
        snprintf(message, 256, "%s cannot be made: %s", config->path, strerror(errno));
        return errno == ENOSPC ? STATUS_NOSPACE : STATUS_IOFAIL;
    }
    return STATUS_OK;
}

struct opening {
    struct rocks *rocks;
    bool read_only;
    char *error;
};

static void *open_database_now(void *argument)
{
    struct opening *opening = argument;
    struct rocks *rocks = opening->rocks;
    const char *names[1] = {"default"};
    const rocksdb_options_t *options[1] = {rocks->options};

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
    if (opening->read_only)
        rocks->db = rocksdb_open_for_read_only_column_families(
            rocks->options, rocks->path, 1, names, options, &rocks->family, 0, &opening->error);
    else
        rocks->db = rocksdb_open_column_families(rocks->options, rocks->path, 1, names, options,
                                                 &rocks->family, &opening->error);
    return NULL;
}

/* On a thread of its own: the background threads RocksDB starts while it opens inherit its nice
 * value, and the caller could not raise its own again. */
static enum status open_database(struct rocks *rocks, bool fresh, bool read_only, char *message)
{
    struct opening opening = {rocks, read_only, NULL};
    pthread_t thread;

    if (pthread_create(&thread, NULL, open_database_now, &opening) != 0)
        return refuse(message, STATUS_NOMEMORY, "no thread to open the store");
    pthread_join(thread, NULL);
    if (opening.error == NULL)
        return STATUS_OK;

    enum status status = fail(opening.error, message);

    /* Whatever else a database that was there says when it does not open, it is damaged. */
    return !fresh && status == STATUS_INTERNAL ? STATUS_CORRUPT : status;
}

static enum status check_meta(const struct rocks *rocks, const struct pack_meta *meta,
                              char *message)
{
    if (meta->partition_count != rocks->base.partition_count ||
        meta->partition != rocks->partition) {
        snprintf(message, 256, "the store is partition %u of %u, not %u of %u", meta->partition,
                 meta->partition_count, rocks->partition, rocks->base.partition_count);
        return STATUS_BADDATA;
    }
    if (memcmp(meta->log_id, rocks->log_id, sizeof meta->log_id) != 0 &&
        !PLANTED("store.any_log_will_do"))
        return refuse(message, STATUS_BADDATA, "the store belongs to another log");
    return STATUS_OK;
}

static enum status take_meta(struct rocks *rocks, const uint8_t *bytes, size_t size, char *message)
{
    struct pack_meta meta;
    uint16_t version;
    enum status status;
    uint64_t *marks;

    if (!unpack_meta(bytes, size, &meta, &version)) {
        snprintf(message, 256, "the meta row has format %u, not %u", version,
                 (unsigned)PACK_VERSION);
        /* An older one is made again from the log; a newer one is not ours to touch. */
        return version > PACK_VERSION ? STATUS_BADDATA : STATUS_CORRUPT;
    }
    if ((status = check_meta(rocks, &meta, message)) != STATUS_OK)
        return status;
    if ((marks = malloc(meta.partition_count * sizeof *marks)) == NULL)
        return refuse(message, STATUS_NOMEMORY, "no memory for the marks");
    if (unpack_marks(bytes, size, marks, meta.partition_count))
        publish(rocks, &meta, marks);
    else
        status = refuse(message, STATUS_CORRUPT, "the meta row is damaged");
    free(marks);
    return status;
}

/* The key of the meta row has the partition in it: the one of another partition is found by a seek.
 */
static enum status read_meta(struct rocks *rocks, bool *found, char *message)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    enum status status = STATUS_OK;
    char *error = NULL;

    rocksdb_readoptions_set_total_order_seek(options, 1);

    rocksdb_iterator_t *iterator = rocksdb_create_iterator_cf(rocks->db, options, rocks->family);

    rocksdb_iter_seek_to_first(iterator);
    rocksdb_iter_get_error(iterator, &error);
    *found = rocksdb_iter_valid(iterator);
    if (error != NULL) {
        status = fail(error, message);
    } else if (*found) {
        size_t key_size, size;
        const char *key = rocksdb_iter_key(iterator, &key_size);
        const char *value = rocksdb_iter_value(iterator, &size);

        status = key_size == KEY_META_BYTES && key[0] == KEY_META
                     ? take_meta(rocks, (const uint8_t *)value, size, message)
                     : refuse(message, STATUS_CORRUPT, "the store has lost its meta row");
    }
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    return status;
}

static void close_database(struct rocks *rocks)
{
    if (rocks->db == NULL)
        return;
    rocksdb_cancel_all_background_work(rocks->db, 1);
    rocksdb_column_family_handle_destroy(rocks->family);
    rocksdb_close(rocks->db);
    rocks->db = NULL;
}

/* --- after an error
 * ----------------------------------------------------------------------------------------- */

/* What RocksDB has against writing: an empty batch asks. */
static enum status ask_error(struct rocks *rocks, char *message)
{
    rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    char *error = NULL;

    rocksdb_writeoptions_disable_WAL(options, 1);
    rocksdb_write(rocks->db, options, batch, &error);
    rocksdb_writebatch_destroy(batch);
    rocksdb_writeoptions_destroy(options);
    return error != NULL ? fail(error, message) : STATUS_OK;
}

static bool had_background_errors(struct rocks *rocks)
{
    uint64_t errors = 0;

    (void)rocksdb_property_int(rocks->db, "rocksdb.background-errors", &errors);
    return errors > 0;
}

static bool has_room_to_reopen(const struct rocks *rocks)
{
    struct statvfs info;

    return statvfs(rocks->path, &info) != 0 || info.f_bavail * info.f_bsize >= REOPEN_BYTES;
}

static void stop_filler(struct rocks *rocks)
{
    atomic_store(&rocks->stop, true);
    if (rocks->filling)
        pthread_join(rocks->filler, NULL);
    rocks->filling = false;
    atomic_store(&rocks->stop, false);
}

static void start_filler(struct rocks *rocks)
{
    if (!atomic_load(&rocks->filter_complete))
        rocks->filling = pthread_create(&rocks->filler, NULL, fill_filter, rocks) == 0;
}

/* The flush whose ingest failed may stand in the manifest after all: the meta row tells. */
static enum status open_again(struct rocks *rocks, char *message)
{
    char ignored[256];
    bool found;
    enum status status;

    close_database(rocks);
    rocksdb_options_set_create_if_missing(rocks->options, 0);
    if ((status = open_database(rocks, false, false, message)) == STATUS_OK)
        status = read_meta(rocks, &found, message);
    else
        (void)open_database(rocks, false, true, ignored);
    return status;
}

/* Before a flush: is the database fit for it? */
static enum status revive(struct rocks *rocks, char *message)
{
    enum status status;

    if (rocks->db != NULL && !rocks->suspect && !had_background_errors(rocks))
        return STATUS_OK;
    status = rocks->db != NULL ? ask_error(rocks, message) : STATUS_OK;
    if (status == STATUS_CORRUPT || status == STATUS_IOFAIL)
        return status;
    if (!has_room_to_reopen(rocks))
        return refuse(message, STATUS_NOSPACE, "the disk is full");
    stop_filler(rocks);
    pthread_rwlock_wrlock(&rocks->lock);
    status = open_again(rocks, message);
    pthread_rwlock_unlock(&rocks->lock);
    start_filler(rocks);
    rocks->suspect = status != STATUS_OK;
    return status;
}

static enum status flush_to(struct rocks *rocks, const struct store_flush *flush,
                            const uint64_t *marks, char *message)
{
    struct pack_meta meta = next_meta(rocks, flush);
    enum status status;

    CRASH_POINT("store.before_sst");
    if ((status = write_sst(rocks, flush, &meta, marks, message)) == STATUS_OK) {
        CRASH_POINT("store.sst_written");
        if ((status = revive(rocks, message)) == STATUS_OK) { /* writing took its time */
            status = ingest(rocks, message);
            rocks->suspect = status != STATUS_OK;
            if (status == STATUS_OK)
                status = check_bounds(rocks, message);
        }
        CRASH_POINT("store.ingested");
    }
    (void)unlink(rocks->temporary); /* gone already if all went well */
    if (status != STATUS_OK)
        return status;
    publish(rocks, &meta, marks);
    CRASH_POINT("store.published");
    return STATUS_OK;
}

static uint64_t largest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static enum status rocks_flush(struct store *store, const struct store_flush *flush,
                               char message[256])
{
    struct rocks *rocks = rocks_of(store);
    uint64_t rows = largest(largest(flush->account_count, flush->item_count),
                            largest(flush->edge_count, flush->operation_count));
    uint64_t started_us = clock_us();
    uint64_t *marks;
    enum status status;

    if (atomic_load_explicit(&rocks->damaged, memory_order_relaxed))
        return refuse(message, STATUS_CORRUPT, "the scan after opening met damaged rows");
    if ((status = revive(rocks, message)) != STATUS_OK)
        return status;
    if ((marks = malloc(store->partition_count * sizeof *marks)) == NULL ||
        !order_reserve(rocks, rows)) {
        free(marks);
        return refuse(message, STATUS_NOMEMORY, "no memory to sort a flush");
    }
    for (uint16_t i = 0; i < store->partition_count; i++)
        marks[i] = flush->marks != NULL
                       ? flush->marks[i]
                       : atomic_load_explicit(&rocks->marks[i], memory_order_relaxed);
    wait_for_runs(rocks);
    status = flush_to(rocks, flush, marks, message);
    free(marks);
    count_up(&rocks->flushes, status == STATUS_OK);
    count_up(&rocks->flush_us_total, clock_us() - started_us);
    return status;
}

/* A new store says at once whose it is. */
static enum status write_first_meta(struct rocks *rocks, const struct store_config *config,
                                    char *message)
{
    struct store_flush nothing_yet = {0};

    if (!config->create)
        return refuse(message, STATUS_BADDATA, "the store in this directory is empty");
    return rocks_flush(&rocks->base, &nothing_yet, message);
}

static void rocks_close(struct store *store)
{
    struct rocks *rocks = rocks_of(store);

    stop_filler(rocks);
    close_database(rocks);
    pthread_rwlock_destroy(&rocks->lock);
    free_options(rocks);
    filter_free(&rocks->filter);
    lookup_free(&rocks->lookup);
    free(rocks->order);
    free(rocks->scratch);
    free((void *)rocks->marks);
    free(rocks);
}

static enum status open_steps(struct rocks *rocks, const struct store_config *config, char *message)
{
    bool fresh, found;
    enum status status;

    if ((status = check_directory(config, &fresh, message)) != STATUS_OK)
        return status;
    make_options(rocks, config->cache_bytes, fresh);
    CRASH_POINT("store.before_open");
    if ((status = open_database(rocks, fresh, config->read_only, message)) != STATUS_OK)
        return status;
    CRASH_POINT("store.opened");
    if (!config->read_only)
        (void)unlink(rocks->temporary);
    if ((status = check_bounds(rocks, message)) != STATUS_OK)
        return status;
    if ((status = read_meta(rocks, &found, message)) != STATUS_OK)
        return status;
    if (!make_filter(rocks, config->filter_bytes, !found))
        return refuse(message, STATUS_NOMEMORY, "no memory for the key filter");
    start_filler(rocks);
    return found ? STATUS_OK : write_first_meta(rocks, config, message);
}

static void rocks_stats(const struct store *store, struct store_stats *stats)
{
    struct rocks *rocks = rocks_of((struct store *)(uintptr_t)store); /* only to lock */
    uint64_t readers_bytes = 0;

    if (begin_reading(rocks)) {
        (void)rocksdb_property_int(rocks->db, "rocksdb.live-sst-files-size", &stats->disk_bytes);
        (void)rocksdb_property_int(rocks->db, "rocksdb.estimate-table-readers-mem", &readers_bytes);
        end_reading(rocks);
    }
    stats->edges_estimate = atomic_load_explicit(&rocks->edges, memory_order_relaxed);
    stats->filter_bytes = filter_bytes(&rocks->filter);
    stats->cache_bytes = rocksdb_cache_get_usage(rocks->cache) + readers_bytes;
    stats->filter_complete = atomic_load(&rocks->filter_complete);
    stats->filter_keys = filter_keys(&rocks->filter);
    stats->filter_checks = atomic_load_explicit(&rocks->filter_checks, memory_order_relaxed);
    stats->filter_absent = atomic_load_explicit(&rocks->filter_absent, memory_order_relaxed);
    stats->gets = atomic_load_explicit(&rocks->gets, memory_order_relaxed);
    stats->flushes = atomic_load_explicit(&rocks->flushes, memory_order_relaxed);
    stats->flush_us_total = atomic_load_explicit(&rocks->flush_us_total, memory_order_relaxed);
    stats->flush_rows = atomic_load_explicit(&rocks->flush_rows, memory_order_relaxed);
}

static uint64_t rocks_applied(const struct store *store)
{
    return atomic_load_explicit(&rocks_of_const(store)->applied, memory_order_acquire);
}

static uint64_t rocks_mark(const struct store *store, uint16_t source)
{
    return atomic_load_explicit(&rocks_of_const(store)->marks[source], memory_order_relaxed);
}

static const struct store_ops rocks_ops = {
    .close = rocks_close,
    .applied = rocks_applied,
    .mark = rocks_mark,
    .get_accounts = rocks_get_accounts,
    .get_items = rocks_get_items,
    .get_edges = rocks_get_edges,
    .get_operations = rocks_get_operations,
    .get_cases = rocks_get_cases,
    .get_inboxes = rocks_get_inboxes,
    .scan_live = rocks_scan_live,
    .scan_policies = rocks_scan_policies,
    .may_have_account = rocks_may_have_account,
    .may_have_item = rocks_may_have_item,
    .may_have_inbox = rocks_may_have_inbox,
    .may_have_edges = rocks_may_have_edges,
    .may_have_operation = rocks_may_have_operation,
    .prefetch_edge = rocks_prefetch_edge,
    .list = rocks_list,
    .flush = rocks_flush,
    .scan = rocks_scan,
    .items_from = rocks_items_from,
    .stats = rocks_stats,
};

enum status store_rocks_open(const struct store_config *config, struct store **store,
                             char message[256])
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    enum status status;

    if (rocks == NULL)
        return refuse(message, STATUS_NOMEMORY, "no memory for a store");
    rocks->base = (struct store){&rocks_ops, config->read_only, config->partition_count};
    pthread_rwlock_init(&rocks->lock, NULL);
    rocks->partition = config->partition;
    rocks->operation_keep_us = config->operation_keep_us;
    memcpy(rocks->log_id, config->log_id, sizeof rocks->log_id);
    rocks->seed = get_u64(config->log_id);
    rocks->marks = calloc(config->partition_count, sizeof *rocks->marks);
    if (rocks->marks == NULL || !lookup_make(&rocks->lookup)) {
        rocks_close(&rocks->base);
        return refuse(message, STATUS_NOMEMORY, "no memory for a store");
    }
    if (strlen(config->path) >= sizeof rocks->path) {
        rocks_close(&rocks->base);
        return refuse(message, STATUS_BADDATA, "the path is too long");
    }
    snprintf(rocks->path, sizeof rocks->path, "%s", config->path);
    snprintf(rocks->temporary, sizeof rocks->temporary, "%s/" TEMPORARY, config->path);
    if ((status = open_steps(rocks, config, message)) != STATUS_OK) {
        rocks_close(&rocks->base);
        return status;
    }
    *store = &rocks->base;
    return STATUS_OK;
}
