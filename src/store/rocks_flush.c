/* Flushing: the only way data enters.
 *
 * A flush writes its rows, sorted, into one SST file beside the database and ingests it in one
 * call. That is atomic (one edit of the manifest), it costs about a sixth of the CPU of memtable
 * writes, and there is no write-ahead log whose damage could pass unseen (measured: a flipped bit
 * in a live WAL of RocksDB opens "OK" with half the rows). The META row travels in the same file,
 * so what the store says it stands for is always what it holds.
 *
 * One file, not one per table: files of one ingest are one edit too, but the meta row makes every
 * flush overlap every other anyhow, so more files would only be more runs to look into. */
#include "store/rocks.h"

#include <assert.h>
#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hook.h"
#include "store/key.h"
#include "store/pack.h"
#include "store/sort.h"

#define RUNS_WAIT        40 /* a flush waits while there are so many: lookups ask each of them */
#define RUNS_WAIT_MS_MAX 60000
#define PREFETCH_AHEAD   12 /* rows; they are visited in sorted order, so at random places */

/* --- the file ------------------------------------------------------------------------------- */

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
            rocks_dawdle();
        for (uint64_t i = 0; i < many; i++)
            filter_add(&rocks->filter, hashes[i]);
    }
}

/* Rows whose key is tenant and id. */
#define PUT_BY_ID(rocks, sst, rows, count, table, pack)                                            \
    do {                                                                                           \
        filter_rows((rocks), &(table), (rows), (count));                                           \
        order_all((rocks), (count));                                                               \
        ORDER_BY((rocks), (rows), (count), row->id);                                               \
        ORDER_BY((rocks), (rows), (count), row->tenant);                                           \
        PUT_ROWS((rocks), (sst), (rows), (count), (table), pack);                                  \
    } while (0)

static void put_accounts(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint32_t count = (uint32_t)flush->account_count;

    PUT_BY_ID(rocks, sst, flush->accounts, count, rocks_account_table, pack_account);
}

static void put_items(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint32_t count = (uint32_t)flush->item_count;

    PUT_BY_ID(rocks, sst, flush->items, count, rocks_item_table, pack_item);
}

static void put_operations(struct rocks *rocks, struct sst *sst, const struct store_flush *flush)
{
    uint32_t count = (uint32_t)flush->operation_count;

    if (!PLANTED("store.filter_misses_operations"))
        filter_rows(rocks, &rocks_operation_table, flush->operations, count);
    order_all(rocks, count);
    ORDER_BY(rocks, flush->operations, count, row->id[1]);
    ORDER_BY(rocks, flush->operations, count, row->id[0]);
    ORDER_BY(rocks, flush->operations, count, row->tenant);
    PUT_ROWS(rocks, sst, flush->operations, count, rocks_operation_table, pack_operation);
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
    filter_rows(rocks, &rocks_case_table, flush->cases, flush->case_count);
    qsort(flush->cases, flush->case_count, sizeof *flush->cases, compare_cases);
    for (uint64_t i = 0; i < flush->case_count; i++)
        sst_put(sst, key, rocks_case_table.key(rocks, &flush->cases[i], key), value,
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

    filter_rows(rocks, &rocks_edge_table, flush->edges, count);
    order_all(rocks, count);
    ORDER_BY(rocks, flush->edges, count, row->target);
    ORDER_BY(rocks, flush->edges, count, row->account);
    ORDER_BY(rocks, flush->edges, count, edge_class(row));
    PUT_ROWS(rocks, sst, flush->edges, count, rocks_edge_table, pack_edge);
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
    meta.keys +=
        meta.edges - edges + flush->operation_count + flush->case_count + flush->inbox_count;
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
    filter_rows(rocks, &rocks_inbox_table, flush->inboxes, flush->inbox_count);
    qsort(flush->inboxes, flush->inbox_count, sizeof *flush->inboxes, compare_inboxes);
    for (uint64_t i = 0; i < flush->inbox_count; i++)
        sst_put(sst, key, rocks_inbox_table.key(rocks, &flush->inboxes[i], key), value,
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
        return rocks_refuse(message, STATUS_NOMEMORY, "no memory for the meta row");
    (void)unlink(rocks->temporary);
    sst.writer = rocksdb_sstfilewriter_create(rocks->env_options, rocks->sst_options);
    rocksdb_sstfilewriter_open(sst.writer, rocks->temporary, &sst.error);
    put_all(rocks, &sst, flush, meta, marks, meta_bytes);
    if (sst.error == NULL)
        rocksdb_sstfilewriter_finish(sst.writer, &sst.error); /* syncs the file */
    rocksdb_sstfilewriter_destroy(sst.writer);
    free(meta_bytes);
    count_up(&rocks->flush_rows, sst.rows);
    return sst.error != NULL ? rocks_fail(sst.error, message) : STATUS_OK;
}

/* --- taking it in --------------------------------------------------------------------------- */

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
    return error != NULL ? rocks_fail(error, message) : STATUS_OK;
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

static enum status flush_to(struct rocks *rocks, const struct store_flush *flush,
                            const uint64_t *marks, char *message)
{
    struct pack_meta meta = next_meta(rocks, flush);
    enum status status;

    CRASH_POINT("store.before_sst");
    if ((status = write_sst(rocks, flush, &meta, marks, message)) == STATUS_OK) {
        CRASH_POINT("store.sst_written");
        if ((status = rocks_revive(rocks, message)) == STATUS_OK) { /* writing took its time */
            status = ingest(rocks, message);
            rocks->suspect = status != STATUS_OK;
            if (status == STATUS_OK)
                status = rocks_check_bounds(rocks, message);
        }
        CRASH_POINT("store.ingested");
    }
    (void)unlink(rocks->temporary); /* gone already if all went well */
    if (status != STATUS_OK)
        return status;
    rocks_publish(rocks, &meta, marks);
    CRASH_POINT("store.published");
    return STATUS_OK;
}

static uint64_t largest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

enum status rocks_flush(struct store *store, const struct store_flush *flush, char message[256])
{
    struct rocks *rocks = rocks_of(store);
    uint64_t rows = largest(largest(flush->account_count, flush->item_count),
                            largest(flush->edge_count, flush->operation_count));
    uint64_t started_us = clock_us();
    uint64_t *marks;
    enum status status;

    if (atomic_load_explicit(&rocks->damaged, memory_order_relaxed))
        return rocks_refuse(message, STATUS_CORRUPT, "the scan after opening met damaged rows");
    if ((status = rocks_revive(rocks, message)) != STATUS_OK)
        return status;
    if ((marks = malloc(store->partition_count * sizeof *marks)) == NULL ||
        !order_reserve(rocks, rows)) {
        free(marks);
        return rocks_refuse(message, STATUS_NOMEMORY, "no memory to sort a flush");
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
