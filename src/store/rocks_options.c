/* How RocksDB is set up, each number with what was measured.
 *
 * Compaction is universal (size-tiered): a flush touches keys everywhere, so a levelled tree
 * rewrites a level per level; measured over 20 M likes, see docs/formats-store.md.
 * Blooms in the files are left out of the last level (optimize_filters_for_hits), where nine of ten
 * rows live and where a key that passed the key filter (rocks_read.c) almost always is. */
#include "store/rocks.h"

#include <rocksdb/c.h>

#include "store/key.h"
#include "store/ops.h"
#include "store/pack.h"

#define BLOCK_BYTES                                                                                \
    4096 /* 8 KiB: 3 % less space, 25 % fewer lookups/s; 2 KiB: 4 % more, 10 % more */
#define BLOOM_BITS   10.0
#define RUNS_TRIGGER 6 /* sorted runs before two or more are merged */
#define FILE_BYTES   ((uint64_t)128 << 20)
#define BACKGROUND_JOBS                                                                            \
    3 /* one of them for flushes, which there are none of: a large merge must not hold up small    \
         ones */
#define SYNC_BYTES                                                                                 \
    ((uint64_t)1 << 20) /* written back in small steps: the log's syncs share the disk */

/* --- callbacks from RocksDB ----------------------------------------------------------------- */

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

/* --- options -------------------------------------------------------------------------------- */

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

void rocks_options_make(struct rocks *rocks, size_t cache_bytes, bool create)
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

void rocks_options_free(struct rocks *rocks)
{
    if (rocks->env == NULL) /* rocks_options_make was not reached */
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
