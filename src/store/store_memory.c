/* The store in memory: for the simulation, and the naive twin of store_rocks.c in its tests.
 *
 * As simple as can be, and shares no code with the other one: each table is an array sorted by key; a
 * flush sorts what came with qsort and merges it into a new array; a lookup is a binary search. A
 * list entry is a row like any other, sorted by (id, sequence falling).
 *
 * A flush costs as much as all there is: meant for up to a million rows. Nothing survives close.
 * Threads: a mutex around each call; a flush builds aside and swaps under it. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "store/ops.h"

struct table {
    size_t row_bytes;
    int (*compare)(const void *a, const void *b);
    char *rows;
    uint64_t count;
};

/* A list entry as a row. */
struct link {
    uint16_t tenant;
    uint8_t kind;
    uint64_t id;
    struct store_entry entry;
};

enum { ACCOUNTS, ITEMS, EDGES, OPERATIONS, CASES, INBOXES, POLICIES, GIVEN, TAKEN, TABLES };

struct memory {
    struct store base;
    pthread_mutex_t mutex;
    int64_t operation_keep_us;
    int64_t newest_us;
    uint64_t applied;
    uint64_t *marks;
    struct table tables[TABLES];
    struct store_stats stats;
};

#define COMPARE(a, b)                                                                              \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            return (a) < (b) ? -1 : 1;                                                             \
    } while (0)

static int compare_accounts(const void *left, const void *right)
{
    const struct account_row *a = left, *b = right;

    COMPARE(a->tenant, b->tenant);
    COMPARE(a->id, b->id);
    return 0;
}

static int compare_items(const void *left, const void *right)
{
    const struct item_row *a = left, *b = right;

    COMPARE(a->tenant, b->tenant);
    COMPARE(a->id, b->id);
    return 0;
}

static int compare_edges(const void *left, const void *right)
{
    const struct edge_row *a = left, *b = right;

    COMPARE(a->tenant, b->tenant);
    COMPARE(a->kind, b->kind);
    COMPARE(a->account, b->account);
    COMPARE(a->target, b->target);
    return 0;
}

static int compare_operations(const void *left, const void *right)
{
    const struct operation_row *a = left, *b = right;

    COMPARE(a->tenant, b->tenant);
    COMPARE(a->id[0], b->id[0]);
    COMPARE(a->id[1], b->id[1]);
    return 0;
}

static int compare_cases(const void *left, const void *right)
{
    const struct case_row *a = left, *b = right;

    COMPARE(a->tenant, b->tenant);
    COMPARE(a->id, b->id);
    return 0;
}

static int compare_inboxes(const void *left, const void *right)
{
    const struct inbox_row *a = left, *b = right;

    COMPARE(a->tenant, b->tenant);
    COMPARE(a->id, b->id);
    return 0;
}

static int compare_policies(const void *left, const void *right)
{
    const struct policy_row *a = left, *b = right;

    COMPARE(a->head.slot, b->head.slot);
    return 0;
}

static int compare_links(const void *left, const void *right)
{
    const struct link *a = left, *b = right;

    COMPARE(a->tenant, b->tenant);
    COMPARE(a->kind, b->kind);
    COMPARE(a->id, b->id);
    COMPARE(b->entry.sequence, a->entry.sequence); /* newest first */
    return 0;
}

static const struct table empty_tables[TABLES] = {
    [ACCOUNTS] = {sizeof(struct account_row), compare_accounts, NULL, 0},
    [ITEMS] = {sizeof(struct item_row), compare_items, NULL, 0},
    [EDGES] = {sizeof(struct edge_row), compare_edges, NULL, 0},
    [OPERATIONS] = {sizeof(struct operation_row), compare_operations, NULL, 0},
    [CASES] = {sizeof(struct case_row), compare_cases, NULL, 0},
    [INBOXES] = {sizeof(struct inbox_row), compare_inboxes, NULL, 0},
    [POLICIES] = {sizeof(struct policy_row), compare_policies, NULL, 0},
    [GIVEN] = {sizeof(struct link), compare_links, NULL, 0},
    [TAKEN] = {sizeof(struct link), compare_links, NULL, 0},
};

static struct memory *memory_of(const struct store *store)
{
    return (struct memory *)(uintptr_t)store; /* the mutex is locked by readers too */
}

/* The first row that is not before key. */
static uint64_t table_find(const struct table *table, const void *key)
{
    uint64_t low = 0, high = table->count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (table->compare(table->rows + middle * table->row_bytes, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool table_get(const struct table *table, void *row)
{
    uint64_t at = table_find(table, row);

    if (at == table->count || table->compare(table->rows + at * table->row_bytes, row) != 0)
        return false;
    memcpy(row, table->rows + at * table->row_bytes, table->row_bytes);
    return true;
}

/* rows, sorted, replace those of old with the same key. The result is owned by *merged. */
static bool table_merge(const struct table *old, const char *rows, uint64_t count,
                        struct table *merged)
{
    size_t size = old->row_bytes;
    uint64_t i = 0, j = 0;

    *merged = *old;
    merged->count = 0;
    if ((merged->rows = malloc((old->count + count + 1) * size)) == NULL)
        return false;
    while (i < old->count || j < count) {
        int order = i == old->count ? 1
                    : j == count    ? -1
                                    : old->compare(old->rows + i * size, rows + j * size);
        const char *from = order < 0 ? old->rows + i * size : rows + j * size;

        memcpy(merged->rows + merged->count++ * size, from, size);
        i += order <= 0;
        j += order >= 0;
    }
    return true;
}

static enum status get_many(struct memory *memory, unsigned which, void *rows, bool *found,
                            uint32_t count)
{
    const struct table *table = &memory->tables[which];

    pthread_mutex_lock(&memory->mutex);
    for (uint32_t i = 0; i < count; i++)
        found[i] = table_get(table, (char *)rows + i * table->row_bytes);
    memory->stats.gets += count;
    pthread_mutex_unlock(&memory->mutex);
    return STATUS_OK;
}

static enum status memory_get_accounts(struct store *store, struct account_row *rows, bool *found,
                                       uint32_t count)
{
    return get_many(memory_of(store), ACCOUNTS, rows, found, count);
}

static enum status memory_get_items(struct store *store, struct item_row *rows, bool *found,
                                    uint32_t count)
{
    return get_many(memory_of(store), ITEMS, rows, found, count);
}

static enum status memory_get_edges(struct store *store, struct edge_row *rows, bool *found,
                                    uint32_t count)
{
    return get_many(memory_of(store), EDGES, rows, found, count);
}

static enum status memory_get_operations(struct store *store, struct operation_row *rows,
                                         bool *found, uint32_t count, int64_t now_us)
{
    struct memory *memory = memory_of(store);
    enum status status = get_many(memory, OPERATIONS, rows, found, count);
    int64_t cutoff_us =
        store_operation_cutoff(memory->newest_us, now_us, memory->operation_keep_us);

    for (uint32_t i = 0; i < count; i++)
        found[i] = found[i] && rows[i].time_us >= cutoff_us;
    return status;
}

static enum status memory_get_cases(struct store *store, struct case_row *rows, bool *found,
                                    uint32_t count)
{
    return get_many(memory_of(store), CASES, rows, found, count);
}

static enum status memory_get_inboxes(struct store *store, struct inbox_row *rows, bool *found,
                                      uint32_t count)
{
    return get_many(memory_of(store), INBOXES, rows, found, count);
}

static bool has_one(const struct store *store, unsigned which, void *row)
{
    struct memory *memory = memory_of(store);
    bool has;

    pthread_mutex_lock(&memory->mutex);
    has = table_get(&memory->tables[which], row);
    memory->stats.filter_checks++;
    memory->stats.filter_absent += !has;
    pthread_mutex_unlock(&memory->mutex);
    return has;
}

static bool memory_may_have_account(const struct store *store, uint16_t tenant, uint64_t id)
{
    struct account_row row = {.tenant = tenant, .id = id};

    return has_one(store, ACCOUNTS, &row);
}

static bool memory_may_have_item(const struct store *store, uint16_t tenant, uint64_t id)
{
    struct item_row row = {.tenant = tenant, .id = id};

    return has_one(store, ITEMS, &row);
}

static bool memory_may_have_inbox(const struct store *store, uint16_t tenant, uint64_t id)
{
    struct inbox_row row = {.tenant = tenant, .id = id};

    return has_one(store, INBOXES, &row);
}

static void memory_may_have_edges(const struct store *store, const struct edge_key *keys,
                                  uint32_t count, bool *may)
{
    for (uint32_t i = 0; i < count; i++) {
        struct edge_row row = {.tenant = keys[i].tenant,
                               .kind = keys[i].kind,
                               .account = keys[i].account,
                               .target = keys[i].target};

        may[i] = has_one(store, EDGES, &row);
    }
}

static bool memory_may_have_operation(const struct store *store, uint16_t tenant,
                                      const uint64_t id[2])
{
    struct operation_row row = {.tenant = tenant, .id = {id[0], id[1]}};

    return has_one(store, OPERATIONS, &row);
}

static void memory_prefetch_edge(const struct store *store, const struct edge_key *key)
{
    (void)store;
    (void)key;
}

static enum status memory_list(struct store *store, enum store_side side, uint16_t tenant,
                               uint8_t kind, uint64_t id, uint64_t below,
                               struct store_entry *entries, uint32_t max, uint32_t *count,
                               bool *more)
{
    struct memory *memory = memory_of(store);
    const struct table *table = &memory->tables[side == STORE_GIVEN ? GIVEN : TAKEN];
    const struct link first = {
        .tenant = tenant, .kind = kind, .id = id, .entry.sequence = below - 1};

    *count = 0;
    *more = false;
    if (below == 0)
        return STATUS_OK;
    pthread_mutex_lock(&memory->mutex);
    for (uint64_t at = table_find(table, &first); at < table->count; at++) {
        const struct link *link = (const struct link *)(const void *)table->rows + at;

        if (link->tenant != tenant || link->kind != kind || link->id != id)
            break;
        if (*count == max) {
            *more = true;
            break;
        }
        entries[(*count)++] = link->entry;
    }
    pthread_mutex_unlock(&memory->mutex);
    return STATUS_OK;
}

/* --- flush ---------------------------------------------------------------------------------------- */

static uint64_t make_links(const struct memory *memory, const struct store_flush *flush, bool given,
                           struct link *links)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < flush->edge_count; i++) {
        const struct edge_row *row = &flush->edges[i];

        assert(row->sequence <= flush->applied);
        if (!edge_kind_listed(row->kind) || row->on == 0 || row->sequence <= memory->applied)
            continue;
        links[count++] = (struct link){
            .tenant = row->tenant,
            .kind = row->kind,
            .id = given ? row->account : row->target,
            .entry = {given ? row->target : row->account, row->sequence, row->time_us},
        };
    }
    return count;
}

static bool merge_rows(const struct table *old, void *rows, uint64_t count, struct table *merged)
{
    if (count > 0)
        qsort(rows, count, old->row_bytes, old->compare);
    for (uint64_t i = 1; i < count; i++)
        assert(old->compare((char *)rows + (i - 1) * old->row_bytes,
                            (char *)rows + i * old->row_bytes) < 0);
    return table_merge(old, rows, count, merged);
}

static bool merge_links(const struct memory *memory, const struct store_flush *flush, bool given,
                        struct table *merged)
{
    const struct table *old = &memory->tables[given ? GIVEN : TAKEN];
    struct link *links = malloc((flush->edge_count + 1) * sizeof *links);
    bool done;

    if (links == NULL)
        return false;
    done = merge_rows(old, links, make_links(memory, flush, given, links), merged);
    free(links);
    return done;
}

static bool merge_all(const struct memory *memory, const struct store_flush *flush,
                      struct table *merged)
{
    const struct table *old = memory->tables;

    return merge_rows(&old[ACCOUNTS], flush->accounts, flush->account_count, &merged[ACCOUNTS]) &&
           merge_rows(&old[ITEMS], flush->items, flush->item_count, &merged[ITEMS]) &&
           merge_rows(&old[EDGES], flush->edges, flush->edge_count, &merged[EDGES]) &&
           merge_rows(&old[OPERATIONS], flush->operations, flush->operation_count,
                      &merged[OPERATIONS]) &&
           merge_rows(&old[CASES], flush->cases, flush->case_count, &merged[CASES]) &&
           merge_rows(&old[INBOXES], flush->inboxes, flush->inbox_count, &merged[INBOXES]) &&
           merge_rows(&old[POLICIES], flush->policies, flush->policy_count, &merged[POLICIES]) &&
           merge_links(memory, flush, true, &merged[GIVEN]) &&
           merge_links(memory, flush, false, &merged[TAKEN]);
}

static void free_tables(struct table *tables)
{
    for (unsigned i = 0; i < TABLES; i++)
        free(tables[i].rows);
}

static int64_t newest_of(const struct memory *memory, const struct store_flush *flush)
{
    int64_t newest_us = memory->newest_us;

    for (uint64_t i = 0; i < flush->edge_count; i++)
        if (flush->edges[i].time_us > newest_us)
            newest_us = flush->edges[i].time_us;
    for (uint64_t i = 0; i < flush->operation_count; i++)
        if (flush->operations[i].time_us > newest_us)
            newest_us = flush->operations[i].time_us;
    return newest_us;
}

static enum status memory_flush(struct store *store, const struct store_flush *flush,
                                char message[256])
{
    struct memory *memory = memory_of(store);
    struct table merged[TABLES];

    memset(merged, 0, sizeof merged);
    if (!merge_all(memory, flush, merged)) {
        free_tables(merged);
        snprintf(message, 256, "no memory for a flush");
        return STATUS_NOMEMORY;
    }
    CRASH_POINT("store.memory_merged");
    pthread_mutex_lock(&memory->mutex);
    free_tables(memory->tables);
    memcpy(memory->tables, merged, sizeof merged);
    memory->newest_us = newest_of(memory, flush);
    memory->applied = flush->applied;
    if (flush->marks != NULL)
        memcpy(memory->marks, flush->marks, store->partition_count * sizeof *memory->marks);
    memory->stats.flushes++;
    memory->stats.flush_rows += flush->account_count + flush->item_count + flush->edge_count +
                                flush->operation_count;
    pthread_mutex_unlock(&memory->mutex);
    return STATUS_OK;
}

/* --- the rest --------------------------------------------------------------------------------------- */

static enum status memory_scan(struct store *store, const struct store_visitor *visitor)
{
    struct memory *memory = memory_of(store);
    const struct table *tables = memory->tables;
    enum status status = STATUS_OK;

    pthread_mutex_lock(&memory->mutex);

#define VISIT(which, type, each)                                                                   \
    for (uint64_t i = 0; each != NULL && status == STATUS_OK && i < tables[which].count; i++)      \
        status = each(visitor->argument, (const type *)(const void *)tables[which].rows + i)

    VISIT(ACCOUNTS, struct account_row, visitor->account);
    VISIT(ITEMS, struct item_row, visitor->item);
    VISIT(EDGES, struct edge_row, visitor->edge);
    VISIT(CASES, struct case_row, visitor->cased);
    VISIT(INBOXES, struct inbox_row, visitor->inbox);
    VISIT(POLICIES, struct policy_row, visitor->policy);
    int64_t cutoff_us =
        store_operation_cutoff(memory->newest_us, memory->newest_us, memory->operation_keep_us);
    const struct operation_row *operations = (const void *)tables[OPERATIONS].rows;
    for (uint64_t i = 0; visitor->operation != NULL && status == STATUS_OK &&
                         i < tables[OPERATIONS].count;
         i++)
        if (operations[i].time_us >= cutoff_us)
            status = visitor->operation(visitor->argument, &operations[i]);
#undef VISIT
    pthread_mutex_unlock(&memory->mutex);
    return status;
}

static bool item_is_from(const struct item_row *row, uint16_t tenant, uint64_t id)
{
    return row->tenant > tenant || (row->tenant == tenant && row->id >= id);
}

/* The rows are in no order: the lowest ones are kept sorted while all are looked at. */
static enum status memory_items_from(struct store *store, uint16_t tenant, uint64_t id,
                                     struct item_row *rows, uint32_t max, uint32_t *count)
{
    struct memory *memory = memory_of(store);
    const struct item_row *all = (const void *)memory->tables[ITEMS].rows;

    pthread_mutex_lock(&memory->mutex);
    for (uint64_t i = 0; i < memory->tables[ITEMS].count; i++) {
        uint32_t at = *count;

        if (!item_is_from(&all[i], tenant, id))
            continue;
        while (at > 0 && item_is_from(&rows[at - 1], all[i].tenant, all[i].id))
            at--;
        if (at == max)
            continue;
        if (*count < max)
            (*count)++;
        memmove(&rows[at + 1], &rows[at], (*count - at - 1) * sizeof *rows);
        rows[at] = all[i];
    }
    pthread_mutex_unlock(&memory->mutex);
    return STATUS_OK;
}

/* As memory_items_from. */
static enum status memory_edges_from(struct store *store, const struct edge_row *from,
                                     struct edge_row *rows, uint32_t max, uint32_t *count)
{
    struct memory *memory = memory_of(store);
    const struct edge_row *all = (const void *)memory->tables[EDGES].rows;

    pthread_mutex_lock(&memory->mutex);
    for (uint64_t i = 0; i < memory->tables[EDGES].count; i++) {
        uint32_t at = *count;

        if (compare_edges(&all[i], from) < 0)
            continue;
        while (at > 0 && compare_edges(&rows[at - 1], &all[i]) > 0)
            at--;
        if (at == max)
            continue;
        if (*count < max)
            (*count)++;
        memmove(&rows[at + 1], &rows[at], (*count - at - 1) * sizeof *rows);
        rows[at] = all[i];
    }
    pthread_mutex_unlock(&memory->mutex);
    return STATUS_OK;
}

static enum status memory_scan_live(struct store *store, void *argument,
                                    enum status (*each)(void *argument, const struct case_row *row))
{
    const struct table *table = &memory_of(store)->tables[CASES];
    enum status status = STATUS_OK;

    for (uint64_t i = 0; status == STATUS_OK && i < table->count; i++) {
        const struct case_row *row = (const struct case_row *)(const void *)table->rows + i;

        if (case_is_live(row))
            status = each(argument, row);
    }
    return status;
}

static enum status memory_scan_policies(struct store *store, void *argument,
                                        enum status (*each)(void *argument,
                                                            const struct policy_row *row))
{
    const struct table *table = &memory_of(store)->tables[POLICIES];
    const struct policy_row *rows = (const void *)table->rows;
    enum status status = STATUS_OK;

    for (uint64_t i = 0; status == STATUS_OK && i < table->count; i++)
        status = each(argument, &rows[i]);
    return status;
}

static void memory_stats(const struct store *store, struct store_stats *stats)
{
    struct memory *memory = memory_of(store);

    pthread_mutex_lock(&memory->mutex);
    *stats = memory->stats;
    stats->edges_estimate = memory->tables[EDGES].count;
    stats->filter_complete = true;
    pthread_mutex_unlock(&memory->mutex);
}

static uint64_t memory_applied(const struct store *store)
{
    struct memory *memory = memory_of(store);
    uint64_t applied;

    pthread_mutex_lock(&memory->mutex);
    applied = memory->applied;
    pthread_mutex_unlock(&memory->mutex);
    return applied;
}

static uint64_t memory_mark(const struct store *store, uint16_t source)
{
    struct memory *memory = memory_of(store);
    uint64_t mark;

    pthread_mutex_lock(&memory->mutex);
    mark = memory->marks[source];
    pthread_mutex_unlock(&memory->mutex);
    return mark;
}

static void memory_close(struct store *store)
{
    struct memory *memory = memory_of(store);

    free_tables(memory->tables);
    free(memory->marks);
    pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

static const struct store_ops memory_ops = {
    .close = memory_close,
    .applied = memory_applied,
    .mark = memory_mark,
    .get_accounts = memory_get_accounts,
    .get_items = memory_get_items,
    .get_edges = memory_get_edges,
    .get_operations = memory_get_operations,
    .get_cases = memory_get_cases,
    .get_inboxes = memory_get_inboxes,
    .scan_live = memory_scan_live,
    .scan_policies = memory_scan_policies,
    .may_have_account = memory_may_have_account,
    .may_have_item = memory_may_have_item,
    .may_have_inbox = memory_may_have_inbox,
    .may_have_edges = memory_may_have_edges,
    .may_have_operation = memory_may_have_operation,
    .prefetch_edge = memory_prefetch_edge,
    .list = memory_list,
    .flush = memory_flush,
    .scan = memory_scan,
    .items_from = memory_items_from,
    .edges_from = memory_edges_from,
    .stats = memory_stats,
};

enum status store_memory_open(const struct store_config *config, struct store **store,
                              char message[256])
{
    struct memory *memory = calloc(1, sizeof *memory);
    pthread_mutexattr_t attributes;

    if (memory != NULL)
        memory->marks = calloc(config->partition_count, sizeof *memory->marks);
    if (memory == NULL || memory->marks == NULL) {
        free(memory);
        snprintf(message, 256, "no memory for a store");
        return STATUS_NOMEMORY;
    }
    memory->base = (struct store){&memory_ops, config->read_only, config->partition_count};
    memory->operation_keep_us = config->operation_keep_us;
    memcpy(memory->tables, empty_tables, sizeof empty_tables);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE); /* a visitor may look up */
    pthread_mutex_init(&memory->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    *store = &memory->base;
    return STATUS_OK;
}
