/* ops.h: what a kind of store has to do; seen only inside this room (store.c dispatches).
 *
 * Each function is the one of store.h with the same name; what store.h promises about arguments has
 * been asserted before. */
#ifndef ZAN_STORE_OPS_H
#define ZAN_STORE_OPS_H

#include <stdio.h>

#include "store/store.h"

#define STORE_OPERATION_KEEP_US (24 * 3600 * 1000000LL)
#define STORE_CACHE_BYTES       ((size_t)64 << 20)
#define STORE_FILTER_BYTES_MIN  ((size_t)16 << 20)

struct store_ops {
    void (*close)(struct store *store);
    uint64_t (*applied)(const struct store *store);
    uint64_t (*mark)(const struct store *store, uint16_t source);
    enum status (*get_accounts)(struct store *store, struct account_row *rows, bool *found,
                                uint32_t count);
    enum status (*get_items)(struct store *store, struct item_row *rows, bool *found,
                             uint32_t count);
    enum status (*get_edges)(struct store *store, struct edge_row *rows, bool *found,
                             uint32_t count);
    enum status (*get_operations)(struct store *store, struct operation_row *rows, bool *found,
                                  uint32_t count, int64_t now_us);
    enum status (*get_cases)(struct store *store, struct case_row *rows, bool *found,
                             uint32_t count);
    enum status (*get_inboxes)(struct store *store, struct inbox_row *rows, bool *found,
                               uint32_t count);
    enum status (*scan_live)(struct store *store, void *argument,
                             enum status (*each)(void *argument, const struct case_row *row));
    enum status (*scan_policies)(struct store *store, void *argument,
                                 enum status (*each)(void *argument,
                                                     const struct policy_row *row));
    bool (*may_have_account)(const struct store *store, uint16_t tenant, uint64_t id);
    bool (*may_have_item)(const struct store *store, uint16_t tenant, uint64_t id);
    bool (*may_have_inbox)(const struct store *store, uint16_t tenant, uint64_t id);
    void (*may_have_edges)(const struct store *store, const struct edge_key *keys, uint32_t count,
                           bool *may);
    bool (*may_have_operation)(const struct store *store, uint16_t tenant, const uint64_t id[2]);
    void (*prefetch_edge)(const struct store *store, const struct edge_key *key);
    enum status (*list)(struct store *store, enum store_side side, uint16_t tenant, uint8_t kind,
                        uint64_t id, uint64_t below, struct store_entry *entries, uint32_t max,
                        uint32_t *count, bool *more);
    enum status (*flush)(struct store *store, const struct store_flush *flush, char message[256]);
    enum status (*scan)(struct store *store, const struct store_visitor *visitor);
    enum status (*items_from)(struct store *store, uint16_t tenant, uint64_t id,
                               struct item_row *rows, uint32_t max, uint32_t *count);
    enum status (*edges_from)(struct store *store, const struct edge_row *from,
                              struct edge_row *rows, uint32_t max, uint32_t *count);
    void (*stats)(const struct store *store, struct store_stats *stats);
};

/* Every kind of store begins with this. */
struct store {
    const struct store_ops *ops;
    bool read_only;
    uint16_t partition_count;
};

enum status store_rocks_open(const struct store_config *config, struct store **store,
                             char message[256]);
enum status store_memory_open(const struct store_config *config, struct store **store,
                              char message[256]);

/* When operations up to this time are hidden: those older than keep_us before now_us, and those
 * that may have been dropped already because of newest_us, the latest time at rest. With the
 * clock of records never going back the second is never the later one; it is there so that
 * the answer is the same whether or not a row has been dropped, whatever the clock did. */
static inline int64_t store_operation_cutoff(int64_t newest_us, int64_t now_us, int64_t keep_us)
{
    int64_t latest = newest_us > now_us ? newest_us : now_us;

    return latest < INT64_MIN + keep_us ? INT64_MIN : latest - keep_us;
}

#endif
