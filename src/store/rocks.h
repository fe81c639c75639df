/* rocks.h: what the files of the store in RocksDB 7.8 share; seen only by them. They alone know
 * RocksDB, through its C API.
 *
 *   store_rocks.c    open, close, open again after an error; the META row; counters
 *   rocks_options.c  how RocksDB is set up: blocks, compaction, what a compaction drops
 *   rocks_table.c    what the tables differ in: hash, key and bytes of a row
 *   rocks_read.c     rows by key, behind the key filter; pages of lists
 *   rocks_flush.c    the only way data enters: one sorted file, ingested in one call
 *   rocks_scan.c     rows in order: verify, rebuild, a start; filling the key filter
 *
 * Threads: the node's (lookups, lists), the flush's (one at a time), the filler's (a scan after an
 * open), any (stats, scans), and RocksDB's own, at low priority.
 *
 * The lock guards that db is open, not its rows (RocksDB does that):
 *
 *   read    begin_reading .. end_reading, around every use of db by a lookup (also while its values
 *           are pinned), a list, a scan (the whole of it) and stats
 *   write   rocks_revive alone, while it closes the database and opens it again; it has stopped the
 *           filler before, which would keep the lock for as long as its scan takes
 *   none    open and close, which are alone; and a flush, as nobody but a flush opens again, and
 *           there is one flush at a time
 *
 * What a flush changes and a reader sees is atomic, without the lock: see lookup_rows for the order
 * of filter, count of ingests and rows. */
#ifndef ZAN_STORE_ROCKS_H
#define ZAN_STORE_ROCKS_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/hook.h"
#include "store/filter.h"
#include "store/key.h"
#include "store/ops.h"
#include "store/sort.h"

struct pack_meta;

#define ROCKS_PATH_BYTES 4096
#define ROCKS_BACKGROUND_NICE                                                                      \
    8 /* a sixth of a busy core's time against an ordinary thread; 19, RocksDB's own               \
         "low", gets a seventieth, and runs would pile up under load */

/* Room for the keys of one lookup; STORE_MANY_MAX of each. */
struct lookup {
    char (*keys)[KEY_BYTES_MAX];
    const char **pointers;
    size_t *sizes;
    uint32_t *rows; /* which row of the caller a key stands for */
    uint64_t *hashes;
    struct rocksdb_pinnableslice_t **values;
    char **errors;
};

struct rocks {
    struct store base;
    uint16_t partition;
    uint8_t log_id[16];
    int64_t operation_keep_us;
    uint64_t seed; /* of the key filter's hashes */
    char path[ROCKS_PATH_BYTES];
    char temporary[ROCKS_PATH_BYTES + 16];

    pthread_rwlock_t lock; /* of db and family: written while the database is opened again */
    struct rocksdb_t *db;  /* NULL: it could not be opened again */
    struct rocksdb_column_family_handle_t *family;
    bool suspect; /* an ingest failed: open again before the next one. The flush's own */
    struct rocksdb_options_t *options;
    struct rocksdb_options_t *sst_options;
    struct rocksdb_envoptions_t *env_options;
    struct rocksdb_env_t *env;
    struct rocksdb_cache_t *cache;
    struct rocksdb_compactionfilter_t *expiry;
    struct rocksdb_readoptions_t *get_options;
    struct rocksdb_readoptions_t *list_options;
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

static inline struct rocks *rocks_of(struct store *store)
{
    return (struct rocks *)store;
}

static inline const struct rocks *rocks_of_const(const struct store *store)
{
    return (const struct rocks *)store;
}

/* False: there is no database to read from just now; end_reading is not called then. */
static inline bool begin_reading(struct rocks *rocks)
{
    pthread_rwlock_rdlock(&rocks->lock);
    if (rocks->db != NULL)
        return true;
    pthread_rwlock_unlock(&rocks->lock);
    return false;
}

static inline void end_reading(struct rocks *rocks)
{
    pthread_rwlock_unlock(&rocks->lock);
}

/* A counter that one thread writes and any may read: no locked instruction. */
static inline void count_up(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

/* Makes the window of that planted bug wide enough to be met by a test. */
static inline void rocks_dawdle(void)
{
    struct timespec pause = {.tv_nsec = 2000000};

    if (PLANTED("store.flush_seen_in_part"))
        nanosleep(&pause, NULL);
}

/* --- store_rocks.c */
/* What an error of RocksDB is to us. Takes it over; its text goes into message, unless NULL. */
enum status rocks_fail(char *error, char *message);
enum status rocks_refuse(char *message, enum status status, const char *text);
/* Has the database taken in a file without its keys? Then CORRUPT. */
enum status rocks_check_bounds(struct rocks *rocks, char *message);
/* From here on the store stands for this. */
void rocks_publish(struct rocks *rocks, const struct pack_meta *meta, const uint64_t *marks);
/* Before a flush: is the database fit for it? Opens it again after an error; takes the lock. */
enum status rocks_revive(struct rocks *rocks, char *message);

/* --- rocks_options.c */
void rocks_options_make(struct rocks *rocks, size_t cache_bytes, bool create);
void rocks_options_free(struct rocks *rocks);

/* --- rocks_table.c */
/* What the tables differ in. */
struct table {
    size_t row_bytes;
    uint64_t (*hash)(const struct rocks *rocks, const void *row);
    size_t (*key)(const struct rocks *rocks, const void *row, uint8_t *key);
    bool (*unpack)(const uint8_t *bytes, size_t size, void *row);
};

extern const struct table rocks_account_table;
extern const struct table rocks_item_table;
extern const struct table rocks_edge_table;
extern const struct table rocks_operation_table;
extern const struct table rocks_case_table;
extern const struct table rocks_inbox_table;

/* The hash by which the key filter knows a key; false: of a table that the filter leaves out. */
bool rocks_hash_of_key(const struct rocks *rocks, const uint8_t *key, size_t size, uint64_t *hash);

/* --- rocks_read.c: of ops.h, on the node's thread */
bool rocks_lookup_make(struct lookup *lookup);
void rocks_lookup_free(struct lookup *lookup);
enum status rocks_get_accounts(struct store *store, struct account_row *rows, bool *found,
                               uint32_t count);
enum status rocks_get_items(struct store *store, struct item_row *rows, bool *found,
                            uint32_t count);
enum status rocks_get_inboxes(struct store *store, struct inbox_row *rows, bool *found,
                              uint32_t count);
enum status rocks_get_cases(struct store *store, struct case_row *rows, bool *found,
                            uint32_t count);
enum status rocks_get_edges(struct store *store, struct edge_row *rows, bool *found,
                            uint32_t count);
enum status rocks_get_operations(struct store *store, struct operation_row *rows, bool *found,
                                 uint32_t count, int64_t now_us);
bool rocks_may_have_account(const struct store *store, uint16_t tenant, uint64_t id);
bool rocks_may_have_item(const struct store *store, uint16_t tenant, uint64_t id);
bool rocks_may_have_inbox(const struct store *store, uint16_t tenant, uint64_t id);
void rocks_may_have_edges(const struct store *store, const struct edge_key *keys, uint32_t count,
                          bool *may);
bool rocks_may_have_operation(const struct store *store, uint16_t tenant, const uint64_t id[2]);
void rocks_prefetch_edge(const struct store *store, const struct edge_key *key);
enum status rocks_list(struct store *store, enum store_side side, uint16_t tenant, uint8_t kind,
                       uint64_t id, uint64_t below, struct store_entry *entries, uint32_t max,
                       uint32_t *count, bool *more);

/* --- rocks_flush.c: of ops.h */
enum status rocks_flush(struct store *store, const struct store_flush *flush, char message[256]);

/* --- rocks_scan.c: of ops.h, on any thread */
enum status rocks_scan(struct store *store, const struct store_visitor *visitor);
enum status rocks_items_from(struct store *store, uint16_t tenant, uint64_t id,
                             struct item_row *rows, uint32_t max, uint32_t *count);
enum status rocks_edges_from(struct store *store, const struct edge_row *from,
                             struct edge_row *rows, uint32_t max, uint32_t *count);
enum status rocks_scan_live(struct store *store, void *argument,
                            enum status (*each)(void *argument, const struct case_row *row));
enum status rocks_scan_policies(struct store *store, void *argument,
                                enum status (*each)(void *argument, const struct policy_row *row));
/* The key filter: made, and, unless the store is empty, filled by a thread (start, stop); lookups
 * ask RocksDB until it is complete. Stop before db is closed. */
bool rocks_filter_make(struct rocks *rocks, size_t configured, bool empty);
void rocks_filler_start(struct rocks *rocks);
void rocks_filler_stop(struct rocks *rocks);

#endif
