/* hot.c: hash tables with chains of 32-bit indices over arrays that never move.
 *
 * Why chains and not open addressing: indices stay valid while rows come and go, so that lists can
 * be threaded through the edges and a turn can remember slots; a lookup is one miss for the bucket
 * and one for the row, and both can be prefetched for a whole batch.
 *
 * Why two regions and not a flag per edge: a frozen region is read by the thread that writes it
 * out, without a lock, because nothing in it changes any more; dropping a region is one memset.
 *
 * Why hints before the edges: most edges asked for are in neither region. One cache line answers
 * that, where two buckets and what hangs in them would be three or four. */
#include "store/hot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "store/memory.h"
#include "store/slots.h"

#define LISTS_ACCOUNT 4     /* given like, favorite, follow; taken follow */
#define LISTS_ITEM    2     /* taken like, favorite */
#define SCRATCH       2     /* number of the region that holds what was read for this turn */
#define INBOXES_MAX   32768 /* slots; a flush takes what more creators are told */
#define HINT_WORDS    4     /* of a region in a line of hints */
#define HINT_KEYS     32    /* edges of a region for which a line is made: 8 bits each */

struct account_slot {
    struct slot slot;
    uint32_t list_epoch[2]; /* of the regions whose lists these are */
    uint32_t list[2][LISTS_ACCOUNT];
    struct account_row row;
    uint32_t cleared[2]; /* given CLEARED; seldom, so not where a LIKE looks */
};

struct item_slot {
    struct slot slot;
    uint32_t list_epoch[2];
    uint32_t list[2][LISTS_ITEM];
    struct item_row row;
};

struct case_slot {
    struct slot slot;
    struct case_row row;
};

struct inbox_slot {
    struct slot slot;
    struct inbox_row row;
};

/* An item whose new likes are quarantined. */
struct window {
    uint64_t id, item; /* the case */
    uint16_t tenant;
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
    uint32_t dead; /* as for edges */
};

/* A small Bloom filter: an edge has three bits in one word of its line, of its region's half. A
 * bit that is not set: certainly not in that region. Bits of edges that have left a region stay
 * until it is emptied. With half of the room in use, where a flush begins, at most 0.8 % of the
 * absent are not told (Poisson, 4 keys a word), with all of it 4 %. */
struct hints {
    uint64_t words[HINT_WORDS][2];
};

struct region {
    uint32_t *edge_heads;
    struct edge_entry *edges;
    uint32_t edge_count;
    uint32_t *operation_heads;
    struct operation_entry *operations;
    uint32_t operation_count;
    /* Below these all is at rest: a cache, left over from when the region was the frozen one. */
    uint32_t edge_clean, operation_clean;
    uint32_t epoch;
};

struct hot {
    struct hot_config config;
    struct slots accounts, items, cases, inboxes;
    struct case_live *live; /* in order of id */
    uint32_t live_count;
    uint64_t live_lost; /* that found no room */
    struct window windows[HOT_WINDOWS_MAX];
    uint32_t window_count;
    struct slots_time time; /* epoch: of the active region, from 1 */
    struct region region[3];
    struct hints *hints; /* of the two regions; aligned to a cache line */
    uint32_t hint_mask;
    uint32_t edge_mask[3], operation_mask[3];
    uint8_t active; /* region that takes changes: 0 or 1; the other one is frozen while flushing */
    uint32_t loads; /* rows brought in this turn */
    uint32_t paused_until_s;      /* latest end of a pause of any item that was ever here */
    struct edge_row *edge_copies; /* for the flush */
    struct operation_row *operation_copies;
};

/* --- opening
 * -------------------------------------------------------------------------------------- */

struct hot_config hot_config_for(uint64_t bytes)
{
    /* What an edge costs: two regions of entries, buckets and hints, and the copy for the flush.
     * For each edge of room there is half an operation, an account and a quarter of an item: with
     * fewer accounts a flush of evenly spread likes is due for their sake, long before the edges'
     * room is used, and small flushes are what merging costs most for. */
    uint64_t per_edge =
        2 * (sizeof(struct edge_entry) + 7) + sizeof(struct edge_row) +
        (2 * (sizeof(struct operation_entry) + 6) + sizeof(struct operation_row)) / 2 +
        (sizeof(struct account_slot) + sizeof(struct account_row) + 16) +
        (sizeof(struct item_slot) + sizeof(struct item_row) + 16) / 4;
    uint64_t edges = bytes / per_edge;

    if (edges < 49152)
        edges = 49152;
    if (edges > 1u << 30)
        edges = 1u << 30;
    return (struct hot_config){
        .accounts = (uint32_t)edges,
        .items = (uint32_t)(edges / 4),
        .edges = (uint32_t)edges,
        .operations = (uint32_t)(edges / 2),
        .scratch = 65536,
        .inboxes = edges / 16 > INBOXES_MAX   ? INBOXES_MAX
                   : edges / 16 < HOT_INBOXES ? HOT_INBOXES
                                              : (uint32_t)(edges / 16),
    };
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

    hot->edge_mask[r] = memory_power_above(region_edges(hot, r)) - 1;
    hot->operation_mask[r] = memory_power_above(region_operations(hot, r)) - 1;
    region->edge_heads = memory_take(hot->edge_mask[r] + 1, sizeof(uint32_t));
    region->edges = memory_take(region_edges(hot, r), sizeof(struct edge_entry));
    region->operation_heads = memory_take(hot->operation_mask[r] + 1, sizeof(uint32_t));
    region->operations = memory_take(region_operations(hot, r), sizeof(struct operation_entry));
    return region->edge_heads != NULL && region->edges != NULL && region->operation_heads != NULL &&
           region->operations != NULL;
}

static void region_close(struct hot *hot, int r)
{
    struct region *region = &hot->region[r];

    memory_give(region->edge_heads, hot->edge_mask[r] + 1, sizeof(uint32_t));
    memory_give(region->edges, region_edges(hot, r), sizeof(struct edge_entry));
    memory_give(region->operation_heads, hot->operation_mask[r] + 1, sizeof(uint32_t));
    memory_give(region->operations, region_operations(hot, r), sizeof(struct operation_entry));
}

static inline struct edge_key key_of(const struct edge_row *row)
{
    return edge_key_make(row->tenant, row->kind, row->account, row->target);
}

static inline uint32_t *edge_head(const struct hot *hot, int r, uint64_t hash)
{
    return &hot->region[r].edge_heads[hash & hot->edge_mask[r]];
}

static void hints_clear(struct hot *hot, int r)
{
    for (uint32_t i = 0; i <= hot->hint_mask; i++)
        for (uint32_t word = 0; word < HINT_WORDS; word++)
            hot->hints[i].words[word][r] = 0;
}

/* A turn that has held a few edges empties their buckets, not the whole table. */
static void heads_clear(struct hot *hot, int r)
{
    const struct region *region = &hot->region[r];

    if (region->edge_count > hot->edge_mask[r] / 16) {
        memset(region->edge_heads, 0, (size_t)(hot->edge_mask[r] + 1) * sizeof(uint32_t));
        return;
    }
    for (uint32_t i = 0; i < region->edge_count; i++)
        *edge_head(hot, r, key_of(&region->edges[i].row).hash) = 0;
}

/* Buckets hold index + 1, so that zeroed memory is an empty table. */
static void region_clear(struct hot *hot, int r)
{
    struct region *region = &hot->region[r];

    if (region->edge_count > 0)
        heads_clear(hot, r);
    if (region->operation_count > 0)
        memset(region->operation_heads, 0, (size_t)(hot->operation_mask[r] + 1) * sizeof(uint32_t));
    if (region->edge_count > 0 && r != SCRATCH)
        hints_clear(hot, r);
    region->edge_count = region->edge_clean = 0;
    region->operation_count = region->operation_clean = 0;
}

struct hot *hot_open(const struct hot_config *config)
{
    struct hot *hot = calloc(1, sizeof *hot);
    bool ok;

    if (hot == NULL)
        return NULL;
    hot->config = *config;
    hot->time.epoch = 1;
    hot->time.turn = 1;
    hot->region[0].epoch = 1;
    ok = slots_open(&hot->accounts, config->accounts, sizeof(struct account_slot),
                    offsetof(struct account_slot, row), sizeof(struct account_row));
    hot->hint_mask = memory_power_above(config->edges / HINT_KEYS) - 1;
    hot->hints = memory_take(hot->hint_mask + 1, sizeof *hot->hints);
    ok = slots_open(&hot->items, config->items, sizeof(struct item_slot),
                    offsetof(struct item_slot, row), sizeof(struct item_row)) &&
         ok;
    ok = slots_open(&hot->cases, config->cases != 0 ? config->cases : HOT_CASES,
                    sizeof(struct case_slot), offsetof(struct case_slot, row),
                    sizeof(struct case_row)) &&
         ok;
    ok = slots_open(&hot->inboxes, config->inboxes != 0 ? config->inboxes : HOT_INBOXES,
                    sizeof(struct inbox_slot), offsetof(struct inbox_slot, row),
                    sizeof(struct inbox_row)) &&
         ok;
    hot->live = memory_take(HOT_LIVE_MAX, sizeof *hot->live);
    ok = ok && hot->live != NULL;
    for (int r = 0; r < 3; r++)
        ok = region_open(hot, r) && ok;
    hot->edge_copies = memory_take(config->edges, sizeof *hot->edge_copies);
    hot->operation_copies = memory_take(config->operations, sizeof *hot->operation_copies);
    if (!ok || hot->hints == NULL || hot->edge_copies == NULL || hot->operation_copies == NULL) {
        hot_close(hot);
        return NULL;
    }
    return hot;
}

void hot_close(struct hot *hot)
{
    if (hot == NULL)
        return;
    slots_close(&hot->accounts);
    slots_close(&hot->items);
    slots_close(&hot->cases);
    slots_close(&hot->inboxes);
    memory_give(hot->live, HOT_LIVE_MAX, sizeof *hot->live);
    for (int r = 0; r < 3; r++)
        region_close(hot, r);
    memory_give(hot->hints, hot->hint_mask + 1, sizeof *hot->hints);
    memory_give(hot->edge_copies, hot->config.edges, sizeof *hot->edge_copies);
    memory_give(hot->operation_copies, hot->config.operations, sizeof *hot->operation_copies);
    free(hot);
}

void hot_turn_begin(struct hot *hot)
{
    hot->time.turn++;
    hot->loads = 0;
    region_clear(hot, SCRATCH);
}

/* --- room ----------------------------------------------------------------------------------------
 */

void hot_room(const struct hot *hot, struct hot_room *room)
{
    const struct region *active = &hot->region[hot->active];
    uint32_t least =
        hot->accounts.capacity < hot->items.capacity ? hot->accounts.capacity : hot->items.capacity;

    room->accounts = slots_room(&hot->accounts);
    room->items = slots_room(&hot->items);
    room->cases = slots_room(&hot->cases);
    room->inboxes = slots_room(&hot->inboxes);
    room->live = HOT_LIVE_MAX - hot->live_count;
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

static struct account_slot *account_at(const struct hot *hot, uint32_t at)
{
    return (struct account_slot *)(void *)slots_at(&hot->accounts, at);
}

static struct item_slot *item_at(const struct hot *hot, uint32_t at)
{
    return (struct item_slot *)(void *)slots_at(&hot->items, at);
}

void hot_account_prefetch(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    __builtin_prefetch(slots_head(&hot->accounts, tenant, id));
}

void hot_item_prefetch(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    __builtin_prefetch(slots_head(&hot->items, tenant, id));
}

/* What a LIKE touches is in the first three cache lines of a slot. */
static void prefetch_slot(const struct slots *slots, uint16_t tenant, uint64_t id)
{
    uint32_t head = *slots_head(slots, tenant, id);

    if (head == 0)
        return;
    __builtin_prefetch(slots_at(slots, head - 1), 1);
    __builtin_prefetch((const char *)slots_at(slots, head - 1) + 64, 1);
    __builtin_prefetch((const char *)slots_at(slots, head - 1) + 128, 1);
}

void hot_account_prefetch_slot(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    prefetch_slot(&hot->accounts, tenant, id);
}

void hot_item_prefetch_slot(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    prefetch_slot(&hot->items, tenant, id);
}

uint32_t hot_account_find(struct hot *hot, uint16_t tenant, uint64_t id)
{
    return slots_find(&hot->accounts, &hot->time, tenant, id);
}

uint32_t hot_item_find(struct hot *hot, uint16_t tenant, uint64_t id)
{
    return slots_find(&hot->items, &hot->time, tenant, id);
}

const struct item_row *hot_item_peek(const struct hot *hot, uint16_t tenant, uint64_t id)
{
    for (uint32_t at = *slots_head(&hot->items, tenant, id); at != 0;) {
        const struct item_slot *slot = item_at(hot, at - 1);

        if (slot->row.id == id && slot->row.tenant == tenant)
            return &slot->row;
        at = slot->slot.next;
    }
    return NULL;
}

uint32_t hot_account_add(struct hot *hot, const struct account_row *row)
{
    uint32_t at = slots_add(&hot->accounts, &hot->time, row->tenant, row->id);

    account_at(hot, at)->row = *row;
    hot->loads++;
    return at;
}

uint32_t hot_item_add(struct hot *hot, const struct item_row *row)
{
    uint32_t at = slots_add(&hot->items, &hot->time, row->tenant, row->id);

    item_at(hot, at)->row = *row;
    hot_item_paused(hot, row->pause.until_s);
    hot->loads++;
    return at;
}

void hot_item_paused(struct hot *hot, uint32_t until_s)
{
    if (until_s > hot->paused_until_s)
        hot->paused_until_s = until_s;
}

uint32_t hot_paused_until_s(const struct hot *hot)
{
    return hot->paused_until_s;
}

const struct account_row *hot_account(const struct hot *hot, uint32_t slot)
{
    return &account_at(hot, slot)->row;
}

const struct item_row *hot_item(const struct hot *hot, uint32_t slot)
{
    return &item_at(hot, slot)->row;
}

struct account_row *hot_account_change(struct hot *hot, uint32_t slot)
{
    slots_change(&hot->accounts, &hot->time, slot);
    return &account_at(hot, slot)->row;
}

struct item_row *hot_item_change(struct hot *hot, uint32_t slot)
{
    slots_change(&hot->items, &hot->time, slot);
    return &item_at(hot, slot)->row;
}

/* --- edges ---------------------------------------------------------------------------------------
 */

static inline bool edge_is(const struct edge_row *row, const struct edge_key *key)
{
    return row->account == key->account && row->target == key->target && row->kind == key->kind &&
           row->tenant == key->tenant;
}

/* Hints. Buckets come from the low bits of the hash, lines and what is in them from the high ones.
 */
static inline struct hints *hints_of(const struct hot *hot, uint64_t hash)
{
    return &hot->hints[(hash >> 32) & hot->hint_mask];
}

static inline uint32_t hint_word(uint64_t hash)
{
    return (uint32_t)(hash >> 62);
}

static inline uint64_t hint_bits(uint64_t hash)
{
    return 1ULL << (hash >> 56 & 63) | 1ULL << (hash >> 26 & 63) | 1ULL << (hash >> 20 & 63);
}

/* Bit r is 0: the edge is certainly not in region r. */
static inline uint32_t hinted(const struct hot *hot, uint64_t hash)
{
    const uint64_t *words = hints_of(hot, hash)->words[hint_word(hash)];
    uint64_t bits = hint_bits(hash);

    return (uint32_t)((words[0] & bits) == bits) | (uint32_t)((words[1] & bits) == bits) << 1;
}

static inline void hint_add(struct hot *hot, int r, uint64_t hash)
{
    if (!PLANTED("hot.no_hint"))
        hints_of(hot, hash)->words[hint_word(hash)][r] |= hint_bits(hash);
}

static inline void prefetch_entry(const struct hot *hot, int r, uint64_t hash)
{
    uint32_t head = *edge_head(hot, r, hash);

    if (head != 0)
        __builtin_prefetch(&hot->region[r].edges[head - 1]);
}

/* For a change: it may enter the active region. */
void hot_edge_prefetch(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                       uint64_t target)
{
    struct edge_key key = edge_key_make(tenant, kind, account, target);

    __builtin_prefetch(hints_of(hot, key.hash), 1);
    __builtin_prefetch(edge_head(hot, hot->active, key.hash), 1);
}

void hot_edge_prefetch_slot(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                            uint64_t target)
{
    struct edge_key key = edge_key_make(tenant, kind, account, target);
    uint32_t where = hinted(hot, key.hash);
    int r = hot->active;

    if (where == 0)
        return;
    if (where >> r & 1)
        prefetch_entry(hot, r, key.hash);
    if (where >> (1 - r) & 1)
        __builtin_prefetch(edge_head(hot, 1 - r, key.hash));
}

/* Index of the live entry in region r, or HOT_NONE. */
static inline uint32_t edge_in(const struct hot *hot, int r, const struct edge_key *key)
{
    const struct region *region = &hot->region[r];

    for (uint32_t at = *edge_head(hot, r, key->hash); at != 0; at = region->edges[at - 1].next)
        if (edge_is(&region->edges[at - 1].row, key))
            return at - 1;
    return HOT_NONE;
}

/* The same in region r that is hinted at by where, or not. */
static inline uint32_t edge_hinted(const struct hot *hot, uint32_t where, int r,
                                   const struct edge_key *key)
{
    return where >> r & 1 ? edge_in(hot, r, key) : HOT_NONE;
}

static inline const struct edge_row *row_at(const struct hot *hot, int r, uint32_t at)
{
    return &hot->region[r].edges[at].row;
}

/* An edge is linked in one region at most (hot_edge_set sees to it), so the first find is the row.
 */
static inline const struct edge_row *edge_find(const struct hot *hot, uint32_t where,
                                               const struct edge_key *key)
{
    int r = hot->active;
    uint32_t at = edge_hinted(hot, where, r, key);

    if (at != HOT_NONE)
        return row_at(hot, r, at);
    at = edge_hinted(hot, where, 1 - r, key);
    if (at != HOT_NONE && !PLANTED("hot.forgets_frozen"))
        return row_at(hot, 1 - r, at);
    at = hot->region[SCRATCH].edge_count > 0 ? edge_in(hot, SCRATCH, key) : HOT_NONE;
    return at != HOT_NONE ? row_at(hot, SCRATCH, at) : NULL;
}

const struct edge_row *hot_edge_find(const struct hot *hot, uint16_t tenant, uint8_t kind,
                                     uint64_t account, uint64_t target)
{
    struct edge_key key = edge_key_make(tenant, kind, account, target);

    return edge_find(hot, hinted(hot, key.hash), &key);
}

/* Step by step for all of them, so that the misses of many overlap: the hints; the buckets of those
 * that are hinted at; their entries. */
void hot_edges_find(const struct hot *hot, const struct edge_key *keys, uint32_t count,
                    const struct edge_row **rows)
{
    bool scratch = hot->region[SCRATCH].edge_count > 0;
    struct {
        uint16_t index;
        uint8_t where;
    } looks[HOT_EDGES_MAX];
    uint32_t n = 0;

    assert(count <= HOT_EDGES_MAX);
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(hints_of(hot, keys[i].hash));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t where = hinted(hot, keys[i].hash);

        rows[i] = NULL;
        looks[n].index = (uint16_t)i;
        looks[n].where = (uint8_t)where;
        n += where != 0 || scratch;
    }
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(edge_head(hot, looks[i].where >> 1 & 1, keys[looks[i].index].hash));
    for (uint32_t i = 0; i < n; i++)
        if (looks[i].where != 0)
            prefetch_entry(hot, looks[i].where >> 1 & 1, keys[looks[i].index].hash);
    for (uint32_t i = 0; i < n; i++)
        rows[looks[i].index] = edge_find(hot, looks[i].where, &keys[looks[i].index]);
}

void hot_edges_on(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                  const uint64_t *targets, uint32_t count, uint64_t *on)
{
    uint32_t scratch = hot->region[SCRATCH].edge_count;

    for (uint32_t i = 0; i < count; i++) {
        struct edge_key key = edge_key_make(tenant, kind, account, targets[i]);
        uint32_t where = hinted(hot, key.hash);
        const struct edge_row *row = NULL;

        if ((where | scratch) != 0)
            row = edge_find(hot, where, &key);
        on[i] = row != NULL && row->on;
    }
}

const struct edge_row *hot_edge_find_fresh(const struct hot *hot, uint16_t tenant, uint8_t kind,
                                           uint64_t account, uint64_t target)
{
    struct edge_key key = edge_key_make(tenant, kind, account, target);
    uint32_t where = hinted(hot, key.hash);

    for (int i = 0; i < (hot->time.flushing ? 2 : 1); i++) {
        int r = i == 0 ? hot->active : 1 - hot->active;
        uint32_t at = edge_hinted(hot, where, r, &key);

        if (at != HOT_NONE && at >= hot->region[r].edge_clean)
            return &hot->region[r].edges[at].row;
    }
    return NULL;
}

static uint32_t edge_add(struct hot *hot, int r, uint64_t hash, const struct edge_row *row)
{
    struct region *region = &hot->region[r];
    uint32_t *head = edge_head(hot, r, hash);
    uint32_t at = region->edge_count++;

    assert(at < region_edges(hot, r));
    region->edges[at] = (struct edge_entry){.row = *row, .next = *head};
    *head = at + 1;
    if (r != SCRATCH)
        hint_add(hot, r, hash);
    return at;
}

void hot_edge_hold(struct hot *hot, const struct edge_row *row)
{
    struct edge_key key = key_of(row);

    if (edge_in(hot, SCRATCH, &key) == HOT_NONE)
        edge_add(hot, SCRATCH, key.hash, row);
}

/* Takes an entry out of its bucket. Whoever writes a frozen region out does not look at buckets. */
static void edge_unlink(struct hot *hot, int r, uint64_t hash, uint32_t victim)
{
    struct region *region = &hot->region[r];
    uint32_t *link = edge_head(hot, r, hash);

    while (*link != victim + 1) {
        assert(*link != 0);
        link = &region->edges[*link - 1].next;
    }
    *link = region->edges[victim].next;
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

static uint32_t *account_head(struct hot *hot, int r, uint32_t at, uint32_t which)
{
    struct account_slot *slot = account_at(hot, at);

    if (slot->list_epoch[r] != hot->region[r].epoch)
        slot->cleared[r] = 0;
    return list_head(hot, r, slot->list_epoch, slot->list[r], LISTS_ACCOUNT, which);
}

static uint32_t *given_head(struct hot *hot, int r, uint32_t at, uint8_t kind)
{
    uint32_t *head = account_head(hot, r, at, kind == EDGE_CLEARED ? 0 : kind);

    return kind == EDGE_CLEARED ? &account_at(hot, at)->cleared[r] : head;
}

static uint32_t *taken_head(struct hot *hot, int r, uint32_t at, uint8_t kind)
{
    if (kind == EDGE_FOLLOW)
        return account_head(hot, r, at, 3);
    struct item_slot *slot = item_at(hot, at);

    return list_head(hot, r, slot->list_epoch, slot->list[r], LISTS_ITEM, kind);
}

void hot_edge_set(struct hot *hot, const struct edge_row *row, uint32_t giver, uint32_t taker)
{
    struct edge_key key = key_of(row);
    uint32_t where = hinted(hot, key.hash);
    int r = hot->active;
    uint32_t at = edge_hinted(hot, where, r, &key);
    bool listed = row->on && edge_kind_listed(row->kind);

    /* The same sequence: it was on already, and only what it is worth has changed. */
    if (at != HOT_NONE && at >= hot->region[r].edge_clean &&
        (!listed || hot->region[r].edges[at].row.sequence == row->sequence)) {
        hot->region[r].edges[at].row = *row;
        return;
    }
    /* Turned on again: a new entry, so that it is the newest of its lists. At rest: a new one as
     * well, so that the flush takes it. What the other region says is old from now on, and might
     * outlive this one. */
    if (at != HOT_NONE) {
        edge_unlink(hot, r, key.hash, at);
        hot->region[r].edges[at].dead = 1;
    }
    at = edge_hinted(hot, where, 1 - r, &key);
    if (at != HOT_NONE && !PLANTED("hot.leaves_the_old"))
        edge_unlink(hot, 1 - r, key.hash, at);
    at = edge_add(hot, r, key.hash, row);
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
    bool dirty = r == hot->active || hot->time.flushing;

    return dirty && list_epoch[r] == hot->region[r].epoch ? lists[which] : 0;
}

void hot_list_given(const struct hot *hot, uint32_t account, uint8_t kind,
                    struct hot_cursor *cursor)
{
    const struct account_slot *slot = account_at(hot, account);
    int r = hot->active;
    bool cleared = kind == EDGE_CLEARED;
    uint32_t which = cleared ? 0 : kind;

    *cursor = (struct hot_cursor){
        .entry = list_start(hot, r, slot->list_epoch, cleared ? &slot->cleared[r] : slot->list[r],
                            which),
        .older = list_start(hot, 1 - r, slot->list_epoch,
                            cleared ? &slot->cleared[1 - r] : slot->list[1 - r], which),
        .region = (uint8_t)r,
        .kind = kind,
    };
}

void hot_list_taken(const struct hot *hot, uint32_t at, uint8_t kind, struct hot_cursor *cursor)
{
    int r = hot->active;
    bool follow = kind == EDGE_FOLLOW;
    const uint32_t *epochs =
        follow ? account_at(hot, at)->list_epoch : item_at(hot, at)->list_epoch;
    const uint32_t *newer = follow ? account_at(hot, at)->list[r] : item_at(hot, at)->list[r];
    const uint32_t *older =
        follow ? account_at(hot, at)->list[1 - r] : item_at(hot, at)->list[1 - r];
    uint32_t which = follow ? 3 : kind;

    *cursor = (struct hot_cursor){
        .entry = list_start(hot, r, epochs, newer, which),
        .older = list_start(hot, 1 - r, epochs, older, which),
        .region = (uint8_t)r,
        .taken = 1,
        .kind = kind,
    };
}

/* A frozen entry is void if the edge has changed since: then the active region knows better. */
static bool entry_holds(const struct hot *hot, int r, const struct edge_entry *entry)
{
    const struct edge_row *row = &entry->row;
    const struct region *active = &hot->region[hot->active];
    struct edge_key key;
    uint32_t at;

    if (!row->on) /* an entry that was replaced is off: only what is off can be turned on again */
        return false;
    if (r == hot->active || active->edge_count == active->edge_clean)
        return true;
    key = key_of(row);
    at = edge_hinted(hot, hinted(hot, key.hash), hot->active, &key);
    if (at == HOT_NONE || at < active->edge_clean)
        return true;
    /* Only what it is worth has changed meanwhile: it stays where it is. */
    return active->edges[at].row.on && active->edges[at].row.sequence == row->sequence &&
           !PLANTED("hot.weighing_unlists");
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
    return (uint64_t)hot->time.epoch << 32 | hot->time.rest_epoch;
}

/* --- cases ---------------------------------------------------------------------------------------
 */

static struct case_slot *case_at(const struct hot *hot, uint32_t at)
{
    return (struct case_slot *)(void *)slots_at(&hot->cases, at);
}

uint32_t hot_case_find(struct hot *hot, uint16_t tenant, uint64_t id)
{
    return slots_find(&hot->cases, &hot->time, tenant, id);
}

uint32_t hot_case_add(struct hot *hot, const struct case_row *row)
{
    uint32_t at = slots_add(&hot->cases, &hot->time, row->tenant, row->id);

    case_at(hot, at)->row = *row;
    return at;
}

const struct case_row *hot_case(const struct hot *hot, uint32_t slot)
{
    return &case_at(hot, slot)->row;
}

struct case_row *hot_case_change(struct hot *hot, uint32_t slot)
{
    slots_change(&hot->cases, &hot->time, slot);
    return &case_at(hot, slot)->row;
}

/* --- inboxes -------------------------------------------------------------------------------------
 */

static struct inbox_slot *inbox_at(const struct hot *hot, uint32_t at)
{
    return (struct inbox_slot *)(void *)slots_at(&hot->inboxes, at);
}

uint32_t hot_inbox_find(struct hot *hot, uint16_t tenant, uint64_t id)
{
    return slots_find(&hot->inboxes, &hot->time, tenant, id);
}

uint32_t hot_inbox_add(struct hot *hot, const struct inbox_row *row)
{
    uint32_t at = slots_add(&hot->inboxes, &hot->time, row->tenant, row->id);

    inbox_at(hot, at)->row = *row;
    return at;
}

const struct inbox_row *hot_inbox(const struct hot *hot, uint32_t slot)
{
    return &inbox_at(hot, slot)->row;
}

struct inbox_row *hot_inbox_change(struct hot *hot, uint32_t slot)
{
    slots_change(&hot->inboxes, &hot->time, slot);
    return &inbox_at(hot, slot)->row;
}

/* The first head that is not before id. */
static uint32_t live_find(const struct hot *hot, uint64_t id)
{
    uint32_t low = 0, high = hot->live_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (hot->live[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void window_note(struct hot *hot, const struct case_row *row)
{
    bool open = row->state == CASE_APPLIED && row->decision == DECISION_QUARANTINE;
    uint32_t at = 0;

    while (at < hot->window_count && hot->windows[at].id != row->id)
        at++;
    if (!open && at < hot->window_count)
        hot->windows[at] = hot->windows[--hot->window_count];
    if (open && at == hot->window_count && at < HOT_WINDOWS_MAX)
        hot->windows[hot->window_count++] =
            (struct window){.id = row->id, .item = row->about, .tenant = row->tenant};
}

bool hot_case_window(const struct hot *hot, uint16_t tenant, uint64_t item)
{
    for (uint32_t i = 0; i < hot->window_count; i++)
        if (hot->windows[i].item == item && hot->windows[i].tenant == tenant)
            return true;
    return false;
}

void hot_case_note(struct hot *hot, const struct case_row *row)
{
    uint32_t at = live_find(hot, row->id);
    bool there = at < hot->live_count && hot->live[at].id == row->id;
    size_t behind = (hot->live_count - at) * sizeof *hot->live;

    window_note(hot, row);
    if (!case_is_live(row)) {
        if (there)
            memmove(&hot->live[at], &hot->live[at + 1], behind - sizeof *hot->live);
        hot->live_count -= there;
        return;
    }
    if (!there && hot->live_count == HOT_LIVE_MAX) {
        hot->live_lost++;
        return;
    }
    if (!there) {
        memmove(&hot->live[at + 1], &hot->live[at], behind);
        hot->live_count++;
    }
    hot->live[at] = (struct case_live){.id = row->id,
                                       .due_us = row->due_us,
                                       .tenant = row->tenant,
                                       .rule = row->rule,
                                       .kind = row->kind,
                                       .state = row->state,
                                       .proposed = row->proposed,
                                       .appealed = row->appealed};
}

const struct case_live *hot_cases_live(const struct hot *hot, uint32_t *count)
{
    *count = hot->live_count;
    return hot->live;
}

/* --- operations ----------------------------------------------------------------------------------
 */

static uint64_t operation_hash(uint16_t tenant, const uint64_t id[2])
{
    return hash_two(id[0] ^ tenant, id[1]);
}

/* Index of the newest entry of region r, or HOT_NONE. */
static uint32_t operation_in(const struct hot *hot, int r, uint64_t hash, uint16_t tenant,
                             const uint64_t id[2])
{
    const struct region *region = &hot->region[r];

    for (uint32_t at = region->operation_heads[hash & hot->operation_mask[r]]; at != 0;
         at = region->operations[at - 1].next) {
        const struct operation_row *row = &region->operations[at - 1].row;

        if (row->id[0] == id[0] && row->id[1] == id[1] && row->tenant == tenant)
            return at - 1;
    }
    return HOT_NONE;
}

const struct operation_row *hot_operation_find(const struct hot *hot, uint16_t tenant,
                                               const uint64_t id[2])
{
    uint64_t hash = operation_hash(tenant, id);

    for (int r = 0; r < 3; r++) {
        uint32_t at = operation_in(hot, r, hash, tenant, id);

        if (at != HOT_NONE)
            return &hot->region[r].operations[at].row;
    }
    return NULL;
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
        HOT_NONE)
        operation_add(hot, SCRATCH, row);
}

static void operation_unlink(struct hot *hot, int r, uint64_t hash, uint32_t victim)
{
    struct region *region = &hot->region[r];
    uint32_t *link = &region->operation_heads[hash & hot->operation_mask[r]];

    while (*link != victim + 1) {
        assert(*link != 0);
        link = &region->operations[*link - 1].next;
    }
    *link = region->operations[victim].next;
}

/* An id is mostly new; one that is there already has expired and is used anew. */
void hot_operation_set(struct hot *hot, const struct operation_row *row)
{
    uint64_t hash = operation_hash(row->tenant, row->id);

    for (int r = 0; r < 2; r++) {
        uint32_t at = operation_in(hot, r, hash, row->tenant, row->id);

        if (at == HOT_NONE)
            continue;
        operation_unlink(hot, r, hash, at);
        if (r == hot->active)
            hot->region[r].operations[at].dead = 1;
    }
    operation_add(hot, hot->active, row);
}

/* --- flush ---------------------------------------------------------------------------------------
 */

bool hot_can_freeze(const struct hot *hot)
{
    return !hot->time.flushing;
}

bool hot_is_dirty(const struct hot *hot)
{
    const struct region *active = &hot->region[hot->active];

    return hot->accounts.dirty_count[0] > 0 || hot->items.dirty_count[0] > 0 ||
           hot->cases.dirty_count[0] > 0 || hot->inboxes.dirty_count[0] > 0 ||
           active->edge_count > active->edge_clean ||
           active->operation_count > active->operation_clean;
}

static uint32_t percent(uint32_t part, uint32_t whole)
{
    return whole == 0 ? 100 : (uint32_t)((uint64_t)part * 100 / whole);
}

/* Of the 3/4 that may be dirty, and that the flush under way has not taken. A flush that begins at
 * half of it leaves as much again for the time it takes. */
static uint32_t slots_percent(const struct slots *slots)
{
    return percent(slots->dirty_count[0], slots->capacity / 4 * 3 - slots->dirty_count[1]);
}

uint32_t hot_fill_percent(const struct hot *hot)
{
    const struct region *active = &hot->region[hot->active];
    uint32_t fill[6] = {
        percent(active->edge_count - active->edge_clean, hot->config.edges - active->edge_clean),
        percent(active->operation_count - active->operation_clean,
                hot->config.operations - active->operation_clean),
        slots_percent(&hot->accounts),
        slots_percent(&hot->items),
        slots_percent(&hot->cases),
        slots_percent(&hot->inboxes),
    };
    uint32_t most = 0;

    for (int i = 0; i < 6; i++)
        if (fill[i] > most)
            most = fill[i];
    return most;
}

/* The region that takes changes next keeps what it has as a cache, if that leaves half of it free.
 */
static void region_reuse(struct hot *hot, int r)
{
    struct region *region = &hot->region[r];

    if (region->edge_count > hot->config.edges / 2 ||
        region->operation_count > hot->config.operations / 2)
        region_clear(hot, r);
    region->edge_clean = region->edge_count;
    region->operation_clean = region->operation_count;
}

void hot_freeze(struct hot *hot)
{
    assert(!hot->time.flushing);
    slots_freeze(&hot->accounts);
    slots_freeze(&hot->items);
    slots_freeze(&hot->cases);
    slots_freeze(&hot->inboxes);
    hot->time.flushing = true;
    hot->time.epoch++;
    hot->active = 1 - hot->active;
    region_reuse(hot, hot->active);
    hot->region[hot->active].epoch = hot->time.epoch;
}

bool hot_collect(struct hot *hot, uint32_t count)
{
    assert(hot->time.flushing);
    return slots_collect(&hot->accounts, &hot->time, &count) &&
           slots_collect(&hot->items, &hot->time, &count) &&
           slots_collect(&hot->cases, &hot->time, &count) &&
           slots_collect(&hot->inboxes, &hot->time, &count);
}

void hot_frozen(struct hot *hot, struct hot_frozen *frozen)
{
    const struct region *region = &hot->region[1 - hot->active];
    uint64_t edges = 0, operations = 0;

    for (uint32_t i = region->edge_clean; i < region->edge_count; i++)
        if (!region->edges[i].dead || PLANTED("hot.flushes_the_dead"))
            hot->edge_copies[edges++] = region->edges[i].row;
    for (uint32_t i = region->operation_clean; i < region->operation_count; i++)
        if (!region->operations[i].dead)
            hot->operation_copies[operations++] = region->operations[i].row;
    *frozen = (struct hot_frozen){
        .accounts = (struct account_row *)(void *)hot->accounts.copies,
        .account_count = hot->accounts.copy_count,
        .items = (struct item_row *)(void *)hot->items.copies,
        .item_count = hot->items.copy_count,
        .edges = hot->edge_copies,
        .edge_count = edges,
        .operations = hot->operation_copies,
        .operation_count = operations,
        .cases = (struct case_row *)(void *)hot->cases.copies,
        .case_count = hot->cases.copy_count,
        .inboxes = (struct inbox_row *)(void *)hot->inboxes.copies,
        .inbox_count = hot->inboxes.copy_count,
    };
}

void hot_rest(struct hot *hot)
{
    assert(hot->time.flushing);
    hot->time.flushing = false;
    hot->time.rest_epoch = hot->time.epoch - 1;
    slots_rest(&hot->accounts);
    slots_rest(&hot->items);
    slots_rest(&hot->cases);
    slots_rest(&hot->inboxes);
}

void hot_stats(const struct hot *hot, struct hot_stats *stats)
{
    *stats = (struct hot_stats){
        .accounts = hot->accounts.used,
        .items = hot->items.used,
        .edges = (uint64_t)hot->region[0].edge_count + hot->region[1].edge_count,
        .operations = (uint64_t)hot->region[0].operation_count + hot->region[1].operation_count,
        .edges_room = hot->config.edges - hot->region[hot->active].edge_count,
        .evictions = hot->accounts.evictions + hot->items.evictions + hot->cases.evictions,
        .cases_live = hot->live_count,
        .cases_unlisted = hot->live_lost,
    };
}
