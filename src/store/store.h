/* store.h: state at rest, an index that can always be rebuilt from the log.
 *
 * The store stands for the state after exactly one sequence number, store_applied; a flush moves it
 * from one to the next in one atomic step. It keeps accounts, items, edges, operations, and for
 * every listed edge kind the lists "who did this, newest first" both ways.
 *
 * store_rocks.c keeps it in RocksDB (rocks.h maps its files); store_memory.c in memory, for the
 * simulation and as a twin.
 * Both are reached through this header: store_open chooses by config.path (NULL: memory).
 *
 * Threads:  the node's thread reads; one flush at a time may run on another thread. A reader sees
 *           either everything of a flush or nothing of it.
 * Endings:  CORRUPT means the index is damaged: drop it and rebuild. IOFAIL and NOSPACE as named.
 * Memory:   the caller owns every buffer passed in. */
#ifndef ZAN_STORE_STORE_H
#define ZAN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/row.h"
#include "schema/status.h"
#include "store/edge.h"

struct store;

struct store_config {
    const char *path; /* directory; NULL: in memory */
    uint16_t partition;
    uint16_t partition_count;
    uint8_t log_id[16];   /* the log this index belongs to; another one is refused */
    size_t cache_bytes;   /* block cache; 0: 64 MiB */
    size_t filter_bytes;  /* key filter in memory; 0: sized by what is at rest, at least 16 MiB */
    int64_t operation_keep_us; /* operations older than this may be dropped; 0: 24 hours */
    bool create;
    bool read_only;
};

/* BADDATA: not a store, or of another log, partition or format; nothing was changed. CORRUPT: a
 * store, damaged. LOCKED: in use. What an interrupted flush left behind is cleared away. */
enum status store_open(const struct store_config *config, struct store **store, char message[256]);
void store_close(struct store *store);

/* The state at rest includes every record up to this sequence. 0: nothing yet. */
uint64_t store_applied(const struct store *store);

/* Effects taken over from a partition, up to this sequence of its log (section "Partitions" of
 * docs/ARCHITECTURE.md). */
uint64_t store_mark(const struct store *store, uint16_t source);

/* --- lookups: many at once, because that is twice as fast ---------------------------------------
 * keys: id and tenant of each row asked are set; a found row is filled in and found[i] set.
 * count at most STORE_MANY_MAX a call. The key filter answers most absent keys without I/O. */
#define STORE_MANY_MAX 4096
enum status store_get_accounts(struct store *store, struct account_row *rows, bool *found,
                               uint32_t count);
enum status store_get_items(struct store *store, struct item_row *rows, bool *found,
                            uint32_t count);
enum status store_get_edges(struct store *store, struct edge_row *rows, bool *found,
                            uint32_t count); /* key: tenant, kind, account, target */
enum status store_get_cases(struct store *store, struct case_row *rows, bool *found,
                            uint32_t count); /* key: tenant, id */
enum status store_get_inboxes(struct store *store, struct inbox_row *rows, bool *found,
                              uint32_t count); /* key: tenant, id */
/* key: tenant, id. now_us: older than operation_keep_us before it is not found. */
enum status store_get_operations(struct store *store, struct operation_row *rows, bool *found,
                                 uint32_t count, int64_t now_us);

/* False: certainly not at rest. Costs one cache line; no I/O. prefetch brings that line in. */
bool store_may_have_account(const struct store *store, uint16_t tenant, uint64_t id);
bool store_may_have_item(const struct store *store, uint16_t tenant, uint64_t id);
bool store_may_have_inbox(const struct store *store, uint16_t tenant, uint64_t id);
bool store_may_have_edge(const struct store *store, uint16_t tenant, uint8_t kind, uint64_t account,
                         uint64_t target);
bool store_may_have_operation(const struct store *store, uint16_t tenant, const uint64_t id[2]);
void store_prefetch_edge(const struct store *store, uint16_t tenant, uint8_t kind, uint64_t account,
                         uint64_t target);
/* The same for many at once, without a prefetch before. */
void store_may_have_edges(const struct store *store, const struct edge_key *keys, uint32_t count,
                          bool *may);

/* --- lists: newest first ------------------------------------------------------------------------
 * Up to max candidates with a sequence below `below`. An entry at rest says "at that sequence this
 * edge was turned on"; it still holds only if the edge's row says so now, which the caller checks
 * (it also has to look at what is not yet at rest). *more: there are further ones. */
struct store_entry {
    uint64_t other; /* the account (TAKEN) or the target (GIVEN) */
    uint64_t sequence;
    int64_t time_us;
};
enum store_side { STORE_GIVEN, STORE_TAKEN };
enum status store_list(struct store *store, enum store_side side, uint16_t tenant, uint8_t kind,
                       uint64_t id, uint64_t below, struct store_entry *entries, uint32_t max,
                       uint32_t *count, bool *more);

/* --- flush --------------------------------------------------------------------------------------
 * Moves the store to `applied` in one atomic step. Rows replace what was there. Edges that are on,
 * of a listed kind, and changed since the last flush (sequence above store_applied; the older ones
 * are listed already) also enter both lists. The arrays are borrowed until the call returns and may
 * be reordered by it. Runs on any one thread. On a failure nothing has changed.
 *
 * The caller promises (asserted): applied is not below store_applied; no sequence is above applied;
 * no two rows of an array have the same key; two listed edges of the same kind that share an
 * account or a target have different sequences.
 *
 * A reader may see the rows of a flush a moment before store_applied tells of it; the caller keeps
 * what it is flushing in sight of its readers until the call has returned. The call may wait while
 * earlier flushes are being merged. NOSPACE: try again when there is space. */
#define STORE_FLUSH_MAX (1u << 30) /* rows in an array */
struct store_flush {
    uint64_t applied;
    struct account_row *accounts;
    uint64_t account_count;
    struct item_row *items;
    uint64_t item_count;
    struct edge_row *edges;
    uint64_t edge_count;
    struct operation_row *operations;
    uint64_t operation_count;
    struct case_row *cases;
    uint64_t case_count;
    struct inbox_row *inboxes;
    uint64_t inbox_count;
    struct policy_row *policies; /* by slot */
    uint64_t policy_count;
    const uint64_t *marks; /* partition_count of them; NULL: as they are */
};
enum status store_flush(struct store *store, const struct store_flush *flush, char message[256]);

/* --- whole scans, for verify and rebuild checks; any order within a table; stops on non-OK ------ */
struct store_visitor {
    void *argument;
    enum status (*account)(void *argument, const struct account_row *row);
    enum status (*item)(void *argument, const struct item_row *row);
    enum status (*edge)(void *argument, const struct edge_row *row);
    enum status (*operation)(void *argument, const struct operation_row *row);
    enum status (*cased)(void *argument, const struct case_row *row);
    enum status (*inbox)(void *argument, const struct inbox_row *row);
    enum status (*policy)(void *argument, const struct policy_row *row);
};
enum status store_scan(struct store *store, const struct store_visitor *visitor);

/* --- in the order of tenant and id, a few at a time: for who looks at all of them in the end -----
 * Up to max items from (tenant, id) on. *count below max: the end was reached. */
enum status store_items_from(struct store *store, uint16_t tenant, uint64_t id,
                              struct item_row *rows, uint32_t max, uint32_t *count);

/* The same of edges, in the order of tenant, kind, account and target, from the key of *from on. */
enum status store_edges_from(struct store *store, const struct edge_row *from,
                             struct edge_row *rows, uint32_t max, uint32_t *count);

/* The cases that somebody has to see to (case_is_live); reads nothing else. */
enum status store_scan_live(struct store *store, void *argument,
                            enum status (*each)(void *argument, const struct case_row *row));

/* Every version of the rules, and the row that tells which is in force; reads nothing else. */
enum status store_scan_policies(struct store *store, void *argument,
                                enum status (*each)(void *argument, const struct policy_row *row));

struct store_stats {
    uint64_t disk_bytes, edges_estimate, filter_bytes, cache_bytes;
    bool filter_complete;
    uint64_t filter_keys, filter_checks, filter_absent, gets;
    uint64_t flushes, flush_us_total, flush_rows;
};
void store_stats(const struct store *store, struct store_stats *stats);

#endif
