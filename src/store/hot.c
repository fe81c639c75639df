/* hot.c: hash tables with chains of 32-bit indices over arrays that never move.
 *
 * Why chains and not open addressing: indices stay valid while rows come and go, so that lists can
 * be threaded through the edges and a turn can remember slots; a lookup is one miss for the bucket
 * and one for the row, and both can be prefetched for a whole batch.
 *
 * Why two regions and not a flag per edge: a frozen region is read by the thread that writes it
 * out, without a lock, because nothing in it changes any more; dropping a region is one memset. */
#include "store/hot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/hook.h"

#define LISTS_ACCOUNT 4          /* given like, favorite, follow; taken follow */
#define LISTS_ITEM    2          /* taken like, favorite */
#define HUGE_BYTES    (8u << 20) /* smaller pieces are not worth a huge page each */
#define SCRATCH       2          /* number of the region that holds what was read for this turn */

/* Management first, then the row: what a LIKE touches is in the first two cache lines. */
struct account_slot {
    uint32_t next;
    uint32_t dirty; /* epoch of the last change */
    uint32_t turn;  /* last turn that used it: pinned while that is the present one */
    uint8_t live, chance, copied, unused;
    uint32_t list_epoch[2];
    uint32_t list[2][LISTS_ACCOUNT];
    struct account_row row;
};

struct item_slot {
    uint32_t next;
    uint32_t dirty;
    uint32_t turn;
    uint8_t live, chance, copied, unused;
    uint32_t list_epoch[2];
    uint32_t list[2][LISTS_ITEM];
    struct item_row row;
};

struct edge_entry {
    struct edge_row row;
    uint32_t next;
    uint32_t given_next,
        taken_next; /* the entry before this one in the account's and target's list */
    uint32_t dead;  /* 1: a later entry of this region took its place */
};

struct operation_entry {
    struct operation_row row;
    uint32_t next;
};

struct region {
    uint32_t *edge_heads;
    struct edge_entry *edges;
    uint32_t edge_count;
    uint32_t *operation_heads;
    struct operation_entry *operations;
    uint32_t operation_count;
    uint32_t epoch;
};

/* A table of slots: what accounts and items have in common. */
struct table {
    uint32_t *heads;
    uint32_t capacity, mask, used; /* used: slots ever taken; after that slots come from eviction */
    uint32_t hand;                 /* of the clock */
    uint32_t *dirty[2];            /* slots dirty in the present epoch, and in the frozen one */
    uint32_t dirty_count[2];
    uint32_t collected; /* of the frozen list */
};

struct hot {
    struct hot_config config;
    struct table accounts, items;
    struct account_slot *account_slots;
    struct item_slot *item_slots;
    struct region region[3];
    uint32_t edge_mask[3], operation_mask[3];
    uint8_t active;      /* region that takes changes: 0 or 1 */
    bool flushing;       /* the other region is frozen and not yet at rest */
    uint32_t epoch;      /* of the active region, from 1 */
    uint32_t rest_epoch; /* everything dirty up to this epoch is at rest */
    uint32_t turn;
    uint32_t loads; /* rows brought in this turn */
    uint64_t evictions;
    /* copies for the flush */
    struct account_row *account_copies;
    struct item_row *item_copies;
    uint32_t account_copy_count, item_copy_count;
    struct edge_row *edge_copies;
    struct operation_row *operation_copies;
};

/* --- memory --------------------------------------------------------------------------------------
 */

/* Zeroed, in huge pages where the kernel has them: a third of the time of a LIKE was TLB misses. */
static void *take_memory(size_t count, size_t size)
{
    size_t bytes = count * size;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_BYTES)
        madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

static void give_memory(void *memory, size_t count, size_t size)
{
    if (memory != NULL)
        munmap(memory, count * size);
}

static uint32_t power_above(uint32_t count)
{
    uint32_t power = 64;

    while (power < count)
        power *= 2;
    return power;
}

struct hot_config hot_config_for(uint64_t bytes)
{
    /* What an edge costs: two regions of entries and buckets, and the copy for the flush. For each
     * edge of room there is half an operation, 0.6 accounts and 0.6 items. */
    uint64_t per_edge =
        2 * (sizeof(struct edge_entry) + 6) + sizeof(struct edge_row) +
        (2 * (sizeof(struct operation_entry) + 6) + sizeof(struct operation_row)) / 2 +
        (sizeof(struct account_slot) + sizeof(struct account_row) + 16) * 6 / 10 +
        (sizeof(struct item_slot) + sizeof(struct item_row) + 16) * 6 / 10;
    uint64_t edges = bytes / per_edge;

    if (edges < 49152)
        edges = 49152;
    if (edges > 1u << 30)
        edges = 1u << 30;
    return (struct hot_config){
        .accounts = (uint32_t)(edges * 6 / 10),
        .items = (uint32_t)(edges * 6 / 10),
        .edges = (uint32_t)edges,
        .operations = (uint32_t)(edges / 2),
        .scratch = 65536,
    };
}

static bool table_open(struct table *table, uint32_t capacity)
{
    table->capacity = capacity;
    table->mask = power_above(capacity) - 1;
    table->heads = take_memory(table->mask + 1, sizeof *table->heads);
    table->dirty[0] = take_memory(capacity, sizeof(uint32_t));
    table->dirty[1] = take_memory(capacity, sizeof(uint32_t));
    return table->heads != NULL && table->dirty[0] != NULL && table->dirty[1] != NULL;
}

static void table_close(struct table *table)
{
    give_memory(table->heads, table->mask + 1, sizeof *table->heads);
    give_memory(table->dirty[0], table->capacity, sizeof(uint32_t));
    give_memory(table->dirty[1], table->capacity, sizeof(uint32_t));
}

static uint32_t region_edges(const struct hot *hot, int r)
{
    return r == SCRATCH ? hot->config.scratch : hot->config.edges;
}

static uint32_t region_operations(const struct hot *hot, int r)
{
    return r == SCRATCH ? hot->config.scratch : hot->config.operations;
}

static bool region_open(struct hot *hot, int r)
{
    struct region *region = &hot->region[r];

    hot->edge_mask[r] = power_above(region_edges(hot, r)) - 1;
    hot->operation_mask[r] = power_above(region_operations(hot, r)) - 1;
    region->edge_heads = take_memory(hot->edge_mask[r] + 1, sizeof(uint32_t));
    region->edges = take_memory(region_edges(hot, r), sizeof(struct edge_entry));
    region->operation_heads = take_memory(hot->operation_mask[r] + 1, sizeof(uint32_t));
    region->operations = take_memory(region_operations(hot, r), sizeof(struct operation_entry));
    return region->edge_heads != NULL && region->edges != NULL && region->operation_heads != NULL &&
           region->operations != NULL;
}

static void region_close(struct hot *hot, int r)
{
    struct region *region = &hot->region[r];

    give_memory(region->edge_heads, hot->edge_mask[r] + 1, sizeof(uint32_t));
    give_memory(region->edges, region_edges(hot, r), sizeof(struct edge_entry));
    give_memory(region->operation_heads, hot->operation_mask[r] + 1, sizeof(uint32_t));
    give_memory(region->operations, region_operations(hot, r), sizeof(struct operation_entry));
}

/* Buckets hold index + 1, so that zeroed memory is an empty table. */
static void region_clear(struct hot *hot, int r)
{
    struct region *region = &hot->region[r];

    if (region->edge_count > 0)
        memset(region->edge_heads, 0, (size_t)(hot->edge_mask[r] + 1) * sizeof(uint32_t));
    if (region->operation_count > 0)
        memset(region->operation_heads, 0, (size_t)(hot->operation_mask[r] + 1) * sizeof(uint32_t));
    region->edge_count = 0;
    region->operation_count = 0;
}

struct hot *hot_open(const struct hot_config *config)
{
    struct hot *hot = calloc(1, sizeof *hot);
    bool ok;

    if (hot == NULL)
        return NULL;
    hot->config = *config;
    hot->epoch = 1;
    hot->turn = 1;
    hot->region[0].epoch = 1;
    ok = table_open(&hot->accounts, config->accounts) && table_open(&hot->items, config->items) &&
         region_open(hot, 0) && region_open(hot, 1) && region_open(hot, SCRATCH);
    hot->account_slots = take_memory(config->accounts, sizeof *hot->account_slots);
    hot->item_slots = take_memory(config->items, sizeof *hot->item_slots);
    hot->account_copies = take_memory(config->accounts, sizeof *hot->account_copies);
    hot->item_copies = take_memory(config->items, sizeof *hot->item_copies);
    hot->edge_copies = take_memory(config->edges, sizeof *hot->edge_copies);
    hot->operation_copies = take_memory(config->operations, sizeof *hot->operation_copies);
    if (!ok || hot->account_slots == NULL || hot->item_slots == NULL ||
        hot->account_copies == NULL || hot->item_copies == NULL || hot->edge_copies == NULL ||
        hot->operation_copies == NULL) {
        hot_close(hot);
        return NULL;
    }
    return hot;
}

void hot_close(struct hot *hot)
{
    if (hot == NULL)
        return;
    table_close(&hot->accounts);
    table_close(&hot->items);
    for (int r = 0; r < 3; r++)
        region_close(hot, r);
    give_memory(hot->account_slots, hot->config.accounts, sizeof *hot->account_slots);
    give_memory(hot->item_slots, hot->config.items, sizeof *hot->item_slots);
    give_memory(hot->account_copies, hot->config.accounts, sizeof *hot->account_copies);
    give_memory(hot->item_copies, hot->config.items, sizeof *hot->item_copies);
    give_memory(hot->edge_copies, hot->config.edges, sizeof *hot->edge_copies);
    give_memory(hot->operation_copies, hot->config.operations, sizeof *hot->operation_copies);
    free(hot);
}

void hot_turn_begin(struct hot *hot)
{
    hot->turn++;
    hot->loads = 0;
    region_clear(hot, SCRATCH);
}

/* --- room ----------------------------------------------------------------------------------------
 */

/* Three quarters may be dirty; the last quarter is for reads. */
static uint32_t dirty_left(const struct table *table)
{
    uint32_t limit = table->capacity / 4 * 3;
    uint32_t dirty = table->dirty_count[0] + table->dirty_count[1];

    return dirty < limit ? limit - dirty : 0;
}

void hot_room(const struct hot *hot, struct hot_room *room)
{
    const struct region *active = &hot->region[hot->active];
    uint32_t least =
        hot->accounts.capacity < hot->items.capacity ? hot->accounts.capacity : hot->items.capacity;

    room->accounts = dirty_left(&hot->accounts);
    room->items = dirty_left(&hot->items);
    room->edges = hot->config.edges - active->edge_count;
    room->operations = hot->config.operations - active->operation_count;
    room->loads = least / 5 > hot->loads ? least / 5 - hot->loads : 0;
    room->scratch = hot->config.scratch -
                    (hot->region[SCRATCH].edge_count > hot->region[SCRATCH].operation_count
                         ? hot->region[SCRATCH].edge_count
                         : hot->region[SCRATCH].operation_count);
}

/* --- accounts and items --------------------------------------------------------------------------
 */

static uint64_t row_hash(uint16_t tenant, uint64_t id)
{
    return hash_mix(id + 0x9E3779B97F4A7C15ULL * tenant + 1);
}

static uint32_t *account_head(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    return &hot->accounts.heads[row_hash(tenant, id) & hot->accounts.mask];
}

static uint32_t *item_head(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    return &hot->items.heads[row_hash(tenant, id) & hot->items.mask];
}

void hot_account_prefetch(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    __builtin_prefetch(account_head(hot, tenant, id));
}

void hot_item_prefetch(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    __builtin_prefetch(item_head(hot, tenant, id));
}

void hot_account_prefetch_slot(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    uint32_t head = *account_head(hot, tenant, id);

    if (head != 0) {
        __builtin_prefetch(&hot->account_slots[head - 1], 1);
        __builtin_prefetch((const char *)&hot->account_slots[head - 1] + 64, 1);
    }
}

void hot_item_prefetch_slot(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    uint32_t head = *item_head(hot, tenant, id);

    if (head != 0) {
        __builtin_prefetch(&hot->item_slots[head - 1], 1);
        __builtin_prefetch((const char *)&hot->item_slots[head - 1] + 64, 1);
    }
}

uint32_t hot_account_find(struct hot *hot, uint16_t tenant, uint64_t id)
{
    for (uint32_t at = *account_head(hot, tenant, id); at != 0;) {
        struct account_slot *slot = &hot->account_slots[at - 1];

        if (slot->row.id == id && slot->row.tenant == tenant) {
            slot->turn = hot->turn;
            slot->chance = 1;
            return at - 1;
        }
        at = slot->next;
    }
    return HOT_NONE;
}

uint32_t hot_item_find(struct hot *hot, uint16_t tenant, uint64_t id)
{
    for (uint32_t at = *item_head(hot, tenant, id); at != 0;) {
        struct item_slot *slot = &hot->item_slots[at - 1];

        if (slot->row.id == id && slot->row.tenant == tenant) {
            slot->turn = hot->turn;
            slot->chance = 1;
            return at - 1;
        }
        at = slot->next;
    }
    return HOT_NONE;
}

static void account_unlink(struct hot *hot, uint32_t victim)
{
    struct account_slot *slot = &hot->account_slots[victim];
    uint32_t *link = account_head(hot, slot->row.tenant, slot->row.id);

    while (*link != victim + 1) {
        assert(*link != 0);
        link = &hot->account_slots[*link - 1].next;
    }
    *link = slot->next;
}

static void item_unlink(struct hot *hot, uint32_t victim)
{
    struct item_slot *slot = &hot->item_slots[victim];
    uint32_t *link = item_head(hot, slot->row.tenant, slot->row.id);

    while (*link != victim + 1) {
        assert(*link != 0);
        link = &hot->item_slots[*link - 1].next;
    }
    *link = slot->next;
}

/* A slot for a new row: a fresh one, or that of a clean row nobody used lately. hot_room promised
 * that there is one: at most 3/4 are dirty and at most 1/5 pinned. */
static uint32_t account_slot_take(struct hot *hot)
{
    struct table *table = &hot->accounts;

    if (table->used < table->capacity)
        return table->used++;
    for (uint64_t steps = 0;; steps++) {
        uint32_t at = table->hand;
        struct account_slot *slot = &hot->account_slots[at];

        assert(steps < 3 * (uint64_t)table->capacity);
        table->hand = at + 1 < table->capacity ? at + 1 : 0;
        if ((slot->dirty > hot->rest_epoch && !PLANTED("hot.evicts_dirty")) ||
            slot->turn == hot->turn)
            continue;
        if (slot->chance) {
            slot->chance = 0;
            continue;
        }
        account_unlink(hot, at);
        hot->evictions++;
        return at;
    }
}

static uint32_t item_slot_take(struct hot *hot)
{
    struct table *table = &hot->items;

    if (table->used < table->capacity)
        return table->used++;
    for (uint64_t steps = 0;; steps++) {
        uint32_t at = table->hand;
        struct item_slot *slot = &hot->item_slots[at];

        assert(steps < 3 * (uint64_t)table->capacity);
        table->hand = at + 1 < table->capacity ? at + 1 : 0;
        if (slot->dirty > hot->rest_epoch || slot->turn == hot->turn)
            continue;
        if (slot->chance) {
            slot->chance = 0;
            continue;
        }
        item_unlink(hot, at);
        hot->evictions++;
        return at;
    }
}

uint32_t hot_account_add(struct hot *hot, const struct account_row *row)
{
    uint32_t at = account_slot_take(hot);
    struct account_slot *slot = &hot->account_slots[at];
    uint32_t *head = account_head(hot, row->tenant, row->id);

    *slot = (struct account_slot){.row = *row, .turn = hot->turn, .chance = 1, .next = *head};
    *head = at + 1;
    hot->loads++;
    return at;
}

uint32_t hot_item_add(struct hot *hot, const struct item_row *row)
{
    uint32_t at = item_slot_take(hot);
    struct item_slot *slot = &hot->item_slots[at];
    uint32_t *head = item_head(hot, row->tenant, row->id);

    *slot = (struct item_slot){.row = *row, .turn = hot->turn, .chance = 1, .next = *head};
    *head = at + 1;
    hot->loads++;
    return at;
}

const struct account_row *hot_account(const struct hot *hot, uint32_t slot)
{
    return &hot->account_slots[slot].row;
}

const struct item_row *hot_item(const struct hot *hot, uint32_t slot)
{
    return &hot->item_slots[slot].row;
}

/* Is a row that was last changed in this epoch part of the flush under way, and not copied yet? */
static bool must_copy(const struct hot *hot, uint32_t dirty, uint8_t copied)
{
    return hot->flushing && dirty == hot->epoch - 1 && !copied;
}

struct account_row *hot_account_change(struct hot *hot, uint32_t at)
{
    struct account_slot *slot = &hot->account_slots[at];

    if (slot->dirty == hot->epoch)
        return &slot->row;
    if (must_copy(hot, slot->dirty, slot->copied) && !PLANTED("hot.no_copy_aside"))
        hot->account_copies[hot->account_copy_count++] = slot->row;
    slot->dirty = hot->epoch;
    slot->copied = 0;
    hot->accounts.dirty[0][hot->accounts.dirty_count[0]++] = at;
    return &slot->row;
}

struct item_row *hot_item_change(struct hot *hot, uint32_t at)
{
    struct item_slot *slot = &hot->item_slots[at];

    if (slot->dirty == hot->epoch)
        return &slot->row;
    if (must_copy(hot, slot->dirty, slot->copied))
        hot->item_copies[hot->item_copy_count++] = slot->row;
    slot->dirty = hot->epoch;
    slot->copied = 0;
    hot->items.dirty[0][hot->items.dirty_count[0]++] = at;
    return &slot->row;
}

/* --- edges ---------------------------------------------------------------------------------------
 */

static uint64_t edge_hash(uint16_t tenant, uint8_t kind, uint64_t account, uint64_t target)
{
    return hash_two(account + ((uint64_t)tenant << 48), target + ((uint64_t)kind << 56));
}

static bool edge_is(const struct edge_row *row, uint16_t tenant, uint8_t kind, uint64_t account,
                    uint64_t target)
{
    return row->account == account && row->target == target && row->kind == kind &&
           row->tenant == tenant;
}

void hot_edge_prefetch(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                       uint64_t target)
{
    uint64_t hash = edge_hash(tenant, kind, account, target);

    __builtin_prefetch(&hot->region[0].edge_heads[hash & hot->edge_mask[0]], 1);
    __builtin_prefetch(&hot->region[1].edge_heads[hash & hot->edge_mask[1]], 1);
}

void hot_edge_prefetch_slot(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                            uint64_t target)
{
    uint64_t hash = edge_hash(tenant, kind, account, target);

    for (int r = 0; r < 2; r++) {
        uint32_t head = hot->region[r].edge_heads[hash & hot->edge_mask[r]];

        if (head != 0)
            __builtin_prefetch(&hot->region[r].edges[head - 1]);
    }
}

/* Index of the live entry in region r, or HOT_NONE. */
static inline uint32_t edge_in(const struct hot *hot, int r, uint64_t hash, uint16_t tenant,
                               uint8_t kind, uint64_t account, uint64_t target)
{
    const struct region *region = &hot->region[r];

    for (uint32_t at = region->edge_heads[hash & hot->edge_mask[r]]; at != 0;
         at = region->edges[at - 1].next)
        if (edge_is(&region->edges[at - 1].row, tenant, kind, account, target))
            return at - 1;
    return HOT_NONE;
}

/* The active region first: what changed last is there. */
static inline const struct edge_row *edge_find(const struct hot *hot, uint16_t tenant, uint8_t kind,
                                               uint64_t account, uint64_t target, bool fresh)
{
    uint64_t hash = edge_hash(tenant, kind, account, target);
    int r = hot->active;
    uint32_t at = edge_in(hot, r, hash, tenant, kind, account, target);

    if (at != HOT_NONE)
        return &hot->region[r].edges[at].row;
    r = 1 - r;
    if (PLANTED("hot.forgets_frozen") || (fresh && !hot->flushing))
        return NULL;
    if (hot->region[r].edge_count > 0) {
        at = edge_in(hot, r, hash, tenant, kind, account, target);
        if (at != HOT_NONE)
            return &hot->region[r].edges[at].row;
    }
    if (fresh || hot->region[SCRATCH].edge_count == 0)
        return NULL;
    at = edge_in(hot, SCRATCH, hash, tenant, kind, account, target);
    return at == HOT_NONE ? NULL : &hot->region[SCRATCH].edges[at].row;
}

const struct edge_row *hot_edge_find(const struct hot *hot, uint16_t tenant, uint8_t kind,
                                     uint64_t account, uint64_t target)
{
    return edge_find(hot, tenant, kind, account, target, false);
}

const struct edge_row *hot_edge_find_fresh(const struct hot *hot, uint16_t tenant, uint8_t kind,
                                           uint64_t account, uint64_t target)
{
    return edge_find(hot, tenant, kind, account, target, true);
}

static uint32_t edge_add(struct hot *hot, int r, uint64_t hash, const struct edge_row *row)
{
    struct region *region = &hot->region[r];
    uint32_t *head = &region->edge_heads[hash & hot->edge_mask[r]];
    uint32_t at = region->edge_count++;

    assert(at < region_edges(hot, r));
    region->edges[at] = (struct edge_entry){.row = *row, .next = *head};
    *head = at + 1;
    return at;
}

void hot_edge_hold(struct hot *hot, const struct edge_row *row)
{
    uint64_t hash = edge_hash(row->tenant, row->kind, row->account, row->target);

    if (edge_in(hot, SCRATCH, hash, row->tenant, row->kind, row->account, row->target) == HOT_NONE)
        edge_add(hot, SCRATCH, hash, row);
}

static void edge_unlink(struct hot *hot, int r, uint64_t hash, uint32_t victim)
{
    struct region *region = &hot->region[r];
    uint32_t *link = &region->edge_heads[hash & hot->edge_mask[r]];

    while (*link != victim + 1) {
        assert(*link != 0);
        link = &region->edges[*link - 1].next;
    }
    *link = region->edges[victim].next;
    region->edges[victim].dead = 1;
}

/* The head of a list in a region; a head from an earlier use of the region counts as empty. */
static uint32_t *list_head(struct hot *hot, int r, uint32_t *list_epoch, uint32_t *lists,
                           uint32_t lists_count, uint32_t which)
{
    if (list_epoch[r] != hot->region[r].epoch) {
        list_epoch[r] = hot->region[r].epoch;
        memset(lists, 0, lists_count * sizeof *lists);
    }
    return &lists[which];
}

static uint32_t *given_head(struct hot *hot, int r, uint32_t at, uint8_t kind)
{
    struct account_slot *slot = &hot->account_slots[at];

    return list_head(hot, r, slot->list_epoch, slot->list[r], LISTS_ACCOUNT, kind);
}

static uint32_t *taken_head(struct hot *hot, int r, uint32_t at, uint8_t kind)
{
    if (kind == EDGE_FOLLOW) {
        struct account_slot *slot = &hot->account_slots[at];

        return list_head(hot, r, slot->list_epoch, slot->list[r], LISTS_ACCOUNT, 3);
    }
    struct item_slot *slot = &hot->item_slots[at];

    return list_head(hot, r, slot->list_epoch, slot->list[r], LISTS_ITEM, kind);
}

void hot_edge_set(struct hot *hot, const struct edge_row *row, uint32_t giver, uint32_t taker)
{
    uint64_t hash = edge_hash(row->tenant, row->kind, row->account, row->target);
    int r = hot->active;
    uint32_t at = edge_in(hot, r, hash, row->tenant, row->kind, row->account, row->target);
    bool listed = row->on && row->kind < EDGE_LISTED;

    if (at != HOT_NONE && !listed) {
        hot->region[r].edges[at].row = *row;
        return;
    }
    /* Turned on again: a new entry, so that it is the newest of its lists. */
    if (at != HOT_NONE)
        edge_unlink(hot, r, hash, at);
    at = edge_add(hot, r, hash, row);
    if (!listed)
        return;
    if (giver != HOT_NONE) {
        uint32_t *head = given_head(hot, r, giver, row->kind);

        hot->region[r].edges[at].given_next = *head;
        *head = at + 1;
    }
    if (taker != HOT_NONE) {
        uint32_t *head = taken_head(hot, r, taker, row->kind);

        hot->region[r].edges[at].taken_next = *head;
        *head = at + 1;
    }
}

/* --- lists ---------------------------------------------------------------------------------------
 */

/* First entry + 1 of a slot's list in region r, or 0. */
static uint32_t list_start(const struct hot *hot, int r, const uint32_t *list_epoch,
                           const uint32_t *lists, uint32_t which)
{
    bool dirty = r == hot->active || hot->flushing;

    return dirty && list_epoch[r] == hot->region[r].epoch ? lists[which] : 0;
}

void hot_list_given(const struct hot *hot, uint32_t account, uint8_t kind,
                    struct hot_cursor *cursor)
{
    const struct account_slot *slot = &hot->account_slots[account];
    int r = hot->active;

    *cursor = (struct hot_cursor){
        .entry = list_start(hot, r, slot->list_epoch, slot->list[r], kind),
        .older = list_start(hot, 1 - r, slot->list_epoch, slot->list[1 - r], kind),
        .region = (uint8_t)r,
        .kind = kind,
    };
}

void hot_list_taken(const struct hot *hot, uint32_t at, uint8_t kind, struct hot_cursor *cursor)
{
    int r = hot->active;
    bool follow = kind == EDGE_FOLLOW;
    const uint32_t *epochs =
        follow ? hot->account_slots[at].list_epoch : hot->item_slots[at].list_epoch;
    const uint32_t *newer = follow ? hot->account_slots[at].list[r] : hot->item_slots[at].list[r];
    const uint32_t *older =
        follow ? hot->account_slots[at].list[1 - r] : hot->item_slots[at].list[1 - r];
    uint32_t which = follow ? 3 : kind;

    *cursor = (struct hot_cursor){
        .entry = list_start(hot, r, epochs, newer, which),
        .older = list_start(hot, 1 - r, epochs, older, which),
        .region = (uint8_t)r,
        .taken = 1,
        .kind = kind,
    };
}

/* A frozen entry is void if the active region knows the edge: that is newer. */
static bool entry_holds(const struct hot *hot, int r, const struct edge_entry *entry)
{
    const struct edge_row *row = &entry->row;

    if (!row->on) /* an entry that was replaced is off: only what is off can be turned on again */
        return false;
    if (r == hot->active || hot->region[hot->active].edge_count == 0)
        return true;
    return edge_in(hot, hot->active, edge_hash(row->tenant, row->kind, row->account, row->target),
                   row->tenant, row->kind, row->account, row->target) == HOT_NONE;
}

const struct edge_row *hot_list_next(const struct hot *hot, struct hot_cursor *cursor)
{
    for (;;) {
        const struct edge_entry *entry;
        int r = cursor->region;

        if (cursor->entry == 0) {
            if (cursor->older == 0)
                return NULL;
            cursor->entry = cursor->older;
            cursor->older = 0;
            cursor->region = (uint8_t)(1 - hot->active);
            continue;
        }
        entry = &hot->region[r].edges[cursor->entry - 1];
        cursor->entry = cursor->taken ? entry->taken_next : entry->given_next;
        if (entry_holds(hot, r, entry))
            return &entry->row;
    }
}

uint64_t hot_list_age(const struct hot *hot)
{
    return (uint64_t)hot->epoch << 32 | hot->rest_epoch;
}

/* --- operations ----------------------------------------------------------------------------------
 */

static uint64_t operation_hash(uint16_t tenant, const uint64_t id[2])
{
    return hash_two(id[0] ^ tenant, id[1]);
}

static struct operation_row *operation_in(const struct hot *hot, int r, uint64_t hash,
                                          uint16_t tenant, const uint64_t id[2])
{
    const struct region *region = &hot->region[r];

    if (region->operation_count == 0)
        return NULL;
    for (uint32_t at = region->operation_heads[hash & hot->operation_mask[r]]; at != 0;
         at = region->operations[at - 1].next) {
        struct operation_row *row = &region->operations[at - 1].row;

        if (row->id[0] == id[0] && row->id[1] == id[1] && row->tenant == tenant)
            return row;
    }
    return NULL;
}

const struct operation_row *hot_operation_find(const struct hot *hot, uint16_t tenant,
                                               const uint64_t id[2])
{
    uint64_t hash = operation_hash(tenant, id);
    const struct operation_row *row = operation_in(hot, hot->active, hash, tenant, id);

    if (row == NULL)
        row = operation_in(hot, 1 - hot->active, hash, tenant, id);
    if (row == NULL)
        row = operation_in(hot, SCRATCH, hash, tenant, id);
    return row;
}

static void operation_add(struct hot *hot, int r, const struct operation_row *row)
{
    struct region *region = &hot->region[r];
    uint64_t hash = operation_hash(row->tenant, row->id);
    uint32_t *head = &region->operation_heads[hash & hot->operation_mask[r]];
    uint32_t at = region->operation_count++;

    assert(at < region_operations(hot, r));
    region->operations[at] = (struct operation_entry){.row = *row, .next = *head};
    *head = at + 1;
}

void hot_operation_hold(struct hot *hot, const struct operation_row *row)
{
    if (operation_in(hot, SCRATCH, operation_hash(row->tenant, row->id), row->tenant, row->id) ==
        NULL)
        operation_add(hot, SCRATCH, row);
}

void hot_operation_set(struct hot *hot, const struct operation_row *row)
{
    struct operation_row *known =
        operation_in(hot, hot->active, operation_hash(row->tenant, row->id), row->tenant, row->id);

    if (known != NULL)
        *known = *row; /* an expired id, used anew */
    else
        operation_add(hot, hot->active, row);
}

/* --- flush ---------------------------------------------------------------------------------------
 */

bool hot_can_freeze(const struct hot *hot)
{
    return !hot->flushing;
}

bool hot_is_dirty(const struct hot *hot)
{
    const struct region *active = &hot->region[hot->active];

    return hot->accounts.dirty_count[0] > 0 || hot->items.dirty_count[0] > 0 ||
           active->edge_count > 0 || active->operation_count > 0;
}

uint32_t hot_fill_percent(const struct hot *hot)
{
    const struct region *active = &hot->region[hot->active];
    uint64_t fill = (uint64_t)active->edge_count * 100 / hot->config.edges;
    uint64_t operations = (uint64_t)active->operation_count * 100 / hot->config.operations;
    /* Half of the 3/4 that may be dirty: the other half is for the time of the flush. */
    uint64_t accounts =
        (uint64_t)hot->accounts.dirty_count[0] * 100 / (hot->accounts.capacity * 3ULL / 8);
    uint64_t items = (uint64_t)hot->items.dirty_count[0] * 100 / (hot->items.capacity * 3ULL / 8);

    if (operations > fill)
        fill = operations;
    if (accounts > fill)
        fill = accounts;
    if (items > fill)
        fill = items;
    return (uint32_t)fill;
}

static void table_freeze(struct table *table)
{
    uint32_t *list = table->dirty[1];

    assert(table->dirty_count[1] == 0);
    table->dirty[1] = table->dirty[0];
    table->dirty_count[1] = table->dirty_count[0];
    table->dirty[0] = list;
    table->dirty_count[0] = 0;
    table->collected = 0;
}

void hot_freeze(struct hot *hot)
{
    assert(!hot->flushing);
    table_freeze(&hot->accounts);
    table_freeze(&hot->items);
    hot->account_copy_count = 0;
    hot->item_copy_count = 0;
    hot->flushing = true;
    hot->epoch++;
    hot->active = 1 - hot->active;
    region_clear(hot, hot->active);
    hot->region[hot->active].epoch = hot->epoch;
}

bool hot_collect(struct hot *hot, uint32_t count)
{
    struct table *accounts = &hot->accounts, *items = &hot->items;

    assert(hot->flushing);
    for (; count > 0 && accounts->collected < accounts->dirty_count[1]; count--) {
        struct account_slot *slot = &hot->account_slots[accounts->dirty[1][accounts->collected++]];

        if (must_copy(hot, slot->dirty, slot->copied)) {
            hot->account_copies[hot->account_copy_count++] = slot->row;
            slot->copied = 1;
        }
    }
    for (; count > 0 && items->collected < items->dirty_count[1]; count--) {
        struct item_slot *slot = &hot->item_slots[items->dirty[1][items->collected++]];

        if (must_copy(hot, slot->dirty, slot->copied)) {
            hot->item_copies[hot->item_copy_count++] = slot->row;
            slot->copied = 1;
        }
    }
    return accounts->collected == accounts->dirty_count[1] &&
           items->collected == items->dirty_count[1];
}

void hot_frozen(struct hot *hot, struct hot_frozen *frozen)
{
    const struct region *region = &hot->region[1 - hot->active];
    uint64_t edges = 0;

    for (uint32_t i = 0; i < region->edge_count; i++)
        if (!region->edges[i].dead || PLANTED("hot.flushes_the_dead"))
            hot->edge_copies[edges++] = region->edges[i].row;
    for (uint32_t i = 0; i < region->operation_count; i++)
        hot->operation_copies[i] = region->operations[i].row;
    *frozen = (struct hot_frozen){
        .accounts = hot->account_copies,
        .account_count = hot->account_copy_count,
        .items = hot->item_copies,
        .item_count = hot->item_copy_count,
        .edges = hot->edge_copies,
        .edge_count = edges,
        .operations = hot->operation_copies,
        .operation_count = region->operation_count,
    };
}

void hot_rest(struct hot *hot)
{
    assert(hot->flushing);
    hot->flushing = false;
    hot->rest_epoch = hot->epoch - 1;
    hot->accounts.dirty_count[1] = 0;
    hot->items.dirty_count[1] = 0;
}

void hot_stats(const struct hot *hot, struct hot_stats *stats)
{
    *stats = (struct hot_stats){
        .accounts = hot->accounts.used,
        .items = hot->items.used,
        .edges = (uint64_t)hot->region[0].edge_count + hot->region[1].edge_count,
        .operations = (uint64_t)hot->region[0].operation_count + hot->region[1].operation_count,
        .edges_room = hot->config.edges - hot->region[hot->active].edge_count,
        .evictions = hot->evictions,
    };
}
