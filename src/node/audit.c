/* audit.c: one item at a time, one list at a time, one look at a time.
 *
 *   next item -> its lists (plans 0, 1) -> the lists of an account that is in one of them (2 .. 5)
 *             -> the record of that edge -> next item
 *
 * How a list that changes is recognised without a lock: a list is right if the row claims the same
 * at the end as at the beginning, and nothing in it was turned on in between. For an edge that was
 * turned off lowers the count, and only one turned on can make up for it. */
#include "node/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "node/clock.h"
#include "node/partition.h"
#include "schema/verb.h"

const enum counter audit_counter[EDGE_COUNT] = {
    [EDGE_LIKE] = COUNTER_LIKE,
    [EDGE_FAVORITE] = COUNTER_FAVORITE,
    [EDGE_FOLLOW] = COUNTER_FOLLOW,
    [EDGE_REPORT] = COUNTER_REPORT,
};

static const struct plan {
    const char *text;
    enum store_side side;
    uint8_t kind;
    bool account; /* whose list: an account's or an item's */
} plans[] = {
    {"likes of item", STORE_TAKEN, EDGE_LIKE, false},
    {"favorites of item", STORE_TAKEN, EDGE_FAVORITE, false},
    {"likes given by account", STORE_GIVEN, EDGE_LIKE, true},
    {"favorites given by account", STORE_GIVEN, EDGE_FAVORITE, true},
    {"follows given by account", STORE_GIVEN, EDGE_FOLLOW, true},
    {"followers of account", STORE_TAKEN, EDGE_FOLLOW, true},
};
#define PLANS      (sizeof plans / sizeof plans[0])
#define PLAN_ITEMS 2 /* the first ones are of items */

void audit_open(struct audit *audit, struct partition *partition, uint32_t items_per_second,
                uint64_t seed)
{
    memset(audit, 0, sizeof *audit);
    audit->partition = partition;
    audit->items_per_second = items_per_second;
    audit->random = seed;
    atomic_init(&audit->question.state, AUDIT_FREE);
}

static uint64_t draw(struct audit *audit)
{
    return audit->random = hash_mix(audit->random + 0x9E3779B97F4A7C15ULL);
}

static bool is_home(const struct audit *audit, uint64_t id)
{
    const struct partition_config *config = &audit->partition->config;

    return hash_partition(id, config->count) == config->index;
}

/* --- alarm -------------------------------------------------------------------------------------
 */

static void alarm_of(struct audit *audit, const char *text)
{
    audit->facts.differences++;
    fprintf(stderr, "zan: ALARM: self-audit: partition %u: %s\n",
            (unsigned)audit->partition->config.index, text);
    if (audit->facts.alarm[0] == '\0')
        snprintf(audit->facts.alarm, sizeof audit->facts.alarm, "%s", text);
    partition_distrust(audit->partition);
}

static void alarm_of_walk(struct audit *audit, const struct audit_walk *walk)
{
    char text[FACTS_ALARM];

    if (walk->found.count != walk->claim.count)
        snprintf(text, sizeof text,
                 "%s %" PRIu64 ", tenant %u: %" PRIu64 " by its row, %" PRIu64
                 " by its edges, at record %" PRIu64,
                 plans[walk->plan].text, walk->id, (unsigned)audit->tenant, walk->claim.count,
                 walk->found.count, walk->sequence);
    else
        snprintf(text, sizeof text,
                 "%s %" PRIu64 ", tenant %u: worth %" PRIu64 " %% by its row, %" PRIu64
                 " %% by its edges (or held, quarantined, voided or the reasons differ), at record "
                 "%" PRIu64,
                 plans[walk->plan].text, walk->id, (unsigned)audit->tenant,
                 walk->claim.credit.credited_pct, walk->found.credit.credited_pct, walk->sequence);
    alarm_of(audit, text);
}

/* --- one list ----------------------------------------------------------------------------------
 */

static uint32_t slot_of(struct audit *audit, const struct audit_walk *walk)
{
    struct hot *hot = audit->partition->hot;

    return plans[walk->plan].account ? hot_account_find(hot, audit->tenant, walk->id)
                                     : hot_item_find(hot, audit->tenant, walk->id);
}

static struct audit_claim claim_of_account(const struct account_row *row, const struct plan *plan)
{
    enum counter counter = audit_counter[plan->kind];

    return (struct audit_claim){.count = plan->side == STORE_GIVEN ? row->given[counter]
                                                                   : row->received[counter],
                                .taken_back = row->taken_back};
}

static struct audit_claim claim_of_item(const struct item_row *row, const struct plan *plan)
{
    struct audit_claim claim = {.count = row->counts[audit_counter[plan->kind]],
                                .taken_back = row->taken_back};

    if (plan->kind == EDGE_LIKE) {
        claim.credit = row->credit;
        memcpy(claim.reasons, row->reasons, sizeof claim.reasons);
    }
    return claim;
}

/* What the row says now, from memory or from the store. */
static enum status read_claim(struct audit *audit, const struct audit_walk *walk,
                              struct audit_claim *claim)
{
    const struct plan *plan = &plans[walk->plan];
    struct partition *partition = audit->partition;
    uint32_t slot = slot_of(audit, walk);
    struct account_row account = {.id = walk->id, .tenant = audit->tenant};
    struct item_row item = {.id = walk->id, .tenant = audit->tenant};
    enum status status = STATUS_OK;
    bool found = true;

    if (plan->account && slot != HOT_NONE)
        account = *hot_account(partition->hot, slot);
    else if (plan->account)
        status = store_get_accounts(partition->store, &account, &found, 1);
    else if (slot != HOT_NONE)
        item = *hot_item(partition->hot, slot);
    else
        status = store_get_items(partition->store, &item, &found, 1);
    *claim = plan->account ? claim_of_account(&account, plan) : claim_of_item(&item, plan);
    if (!found)
        *claim = (struct audit_claim){0};
    return status;
}

static void list_begin(struct audit *audit, const struct audit_walk *walk, uint32_t slot,
                       struct hot_cursor *cursor)
{
    const struct plan *plan = &plans[walk->plan];

    if (plan->side == STORE_GIVEN)
        hot_list_given(audit->partition->hot, slot, plan->kind, cursor);
    else
        hot_list_taken(audit->partition->hot, slot, plan->kind, cursor);
}

static enum status walk_begin(struct audit *audit, struct audit_walk *walk)
{
    uint32_t slot = slot_of(audit, walk);

    walk->begun = true;
    walk->sequence = audit->partition->engine.sequence;
    walk->age = hot_list_age(audit->partition->hot);
    walk->below = UINT64_MAX;
    walk->found = (struct audit_claim){0};
    walk->at_rest = slot == HOT_NONE;
    if (slot != HOT_NONE)
        list_begin(audit, walk, slot, &walk->cursor);
    return read_claim(audit, walk, &walk->claim);
}

/* One of the edges of the item is looked at more closely, each with the same chance. */
static void sample(struct audit *audit, const struct audit_walk *walk, const struct edge_row *edge)
{
    if (walk->plan < PLAN_ITEMS && draw(audit) % ++audit->sampled == 0)
        audit->sample = *edge;
}

/* What a like adds to the worth of its item. */
static void add_worth(struct audit_claim *found, const struct edge_row *edge)
{
    switch (edge_mark(edge)) {
    case MARK_HELD:
        found->credit.held++;
        break;
    case MARK_QUARANTINED:
        found->credit.quarantined++;
        break;
    case MARK_VOIDED:
        found->credit.voided++;
        break;
    default:
        found->credit.credited_pct += edge->weight_pct;
    }
    if (edge_reason(edge) != REASON_NONE)
        found->reasons[edge_reason(edge) % REASON_COUNT]++;
}

static void count_edge(struct audit *audit, struct audit_walk *walk, const struct edge_row *edge)
{
    const struct plan *plan = &plans[walk->plan];

    walk->found.count++;
    if (plan->kind == EDGE_LIKE && plan->side == STORE_TAKEN)
        add_worth(&walk->found, edge);
    audit->facts.edges++;
    sample(audit, walk, edge);
}

static void look_at_memory(struct audit *audit, struct audit_walk *walk)
{
    struct hot *hot = audit->partition->hot;
    const struct edge_row *edge = NULL, *now;

    for (uint32_t i = 0; i < AUDIT_LOOK; i++) {
        edge = hot_list_next(hot, &walk->cursor);
        if (edge == NULL)
            break;
        walk->below = edge->sequence;
        /* The list has the edge as it was turned on; what it is worth may have changed since. */
        now = hot_edge_find(hot, edge->tenant, edge->kind, edge->account, edge->target);
        count_edge(audit, walk, now != NULL ? now : edge);
    }
    walk->at_rest = edge == NULL;
}

/* The edges that entries at rest tell of, as they are now: from memory, else from the store. */
static enum status edges_now(struct audit *audit, const struct audit_walk *walk,
                             const struct store_entry *entries, uint32_t count,
                             struct edge_row *rows, bool *found)
{
    const struct plan *plan = &plans[walk->plan];
    struct edge_row asked[AUDIT_LOOK];
    uint32_t place[AUDIT_LOOK], n = 0;
    bool there[AUDIT_LOOK];
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t account = plan->side == STORE_TAKEN ? entries[i].other : walk->id;
        uint64_t target = plan->side == STORE_TAKEN ? walk->id : entries[i].other;
        const struct edge_row *edge =
            hot_edge_find(audit->partition->hot, audit->tenant, plan->kind, account, target);

        found[i] = edge != NULL;
        if (edge != NULL) {
            rows[i] = *edge;
            continue;
        }
        asked[n] = (struct edge_row){
            .account = account, .target = target, .tenant = audit->tenant, .kind = plan->kind};
        place[n++] = i;
    }
    if (n > 0)
        status = store_get_edges(audit->partition->store, asked, there, n);
    for (uint32_t i = 0; status == STATUS_OK && i < n; i++) {
        rows[place[i]] = asked[i];
        found[place[i]] = there[i];
    }
    return status;
}

static enum status look_at_rest(struct audit *audit, struct audit_walk *walk, bool *more)
{
    const struct plan *plan = &plans[walk->plan];
    struct store_entry entries[AUDIT_LOOK];
    struct edge_row rows[AUDIT_LOOK];
    bool found[AUDIT_LOOK];
    uint32_t count = 0;
    enum status status = store_list(audit->partition->store, plan->side, audit->tenant, plan->kind,
                                    walk->id, walk->below, entries, AUDIT_LOOK, &count, more);

    if (status == STATUS_OK && count > 0)
        status = edges_now(audit, walk, entries, count, rows, found);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < count; i++)
        if (found[i] && rows[i].on && rows[i].sequence == entries[i].sequence)
            count_edge(audit, walk, &rows[i]);
    if (count > 0)
        walk->below = entries[count - 1].sequence;
    *more = *more && count > 0;
    return STATUS_OK;
}

/* The number of the last edge that was turned on, as far as the list knows. */
static enum status newest(struct audit *audit, const struct audit_walk *walk, uint64_t *sequence)
{
    const struct plan *plan = &plans[walk->plan];
    uint32_t slot = slot_of(audit, walk), count = 0;
    const struct edge_row *edge = NULL;
    struct hot_cursor cursor;
    struct store_entry entry;
    enum status status;
    bool more;

    *sequence = 0;
    if (slot != HOT_NONE) {
        list_begin(audit, walk, slot, &cursor);
        edge = hot_list_next(audit->partition->hot, &cursor);
    }
    if (edge != NULL) {
        *sequence = edge->sequence;
        return STATUS_OK;
    }
    status = store_list(audit->partition->store, plan->side, audit->tenant, plan->kind, walk->id,
                        UINT64_MAX, &entry, 1, &count, &more);
    if (status == STATUS_OK && count > 0)
        *sequence = entry.sequence;
    return status;
}

/* Again from the beginning; false: often enough. */
static bool walk_again(struct audit *audit, struct audit_walk *walk)
{
    walk->begun = false;
    audit->facts.retaken++;
    if (++walk->tries < AUDIT_TRIES)
        return true;
    audit->facts.left_out++;
    return false;
}

/* All edges are counted: is it what the row says? True: this list is done. */
static bool walk_judge(struct audit *audit, struct audit_walk *walk, enum status *status)
{
    struct audit_claim now;
    uint64_t last;

    *status = read_claim(audit, walk, &now);
    if (*status == STATUS_OK)
        *status = newest(audit, walk, &last);
    if (*status != STATUS_OK)
        return true;
    if (last > walk->sequence || memcmp(&now, &walk->claim, sizeof now) != 0)
        return !walk_again(audit, walk);
    walk->found.taken_back = now.taken_back; /* that one is not in the edges */
    if (memcmp(&now, &walk->found, sizeof now) == 0 || PLANTED("node.audit_is_blind"))
        return true;
    if (walk->doubted && memcmp(&walk->doubt, &walk->found, sizeof now) == 0) {
        alarm_of_walk(audit, walk);
        return true;
    }
    walk->doubted = true;
    walk->doubt = walk->found;
    return !walk_again(audit, walk);
}

/* One look. True: the list is done. */
static bool walk_look(struct audit *audit, struct audit_walk *walk, enum status *status)
{
    bool more = false;

    *status = STATUS_OK;
    if (!walk->begun)
        *status = walk_begin(audit, walk);
    if (*status != STATUS_OK)
        return true;
    if (!walk->at_rest) {
        if (walk->age != hot_list_age(audit->partition->hot))
            return !walk_again(audit, walk); /* the cursor is of another time */
        look_at_memory(audit, walk);
        if (!walk->at_rest)
            return false;
    }
    *status = look_at_rest(audit, walk, &more);
    if (*status != STATUS_OK)
        return true;
    return more ? false : walk_judge(audit, walk, status);
}

/* --- the record of an edge ---------------------------------------------------------------------
 */

static void ask_log(struct audit *audit)
{
    if (audit->sampled == 0 || atomic_load(&audit->question.state) != AUDIT_FREE ||
        audit->sample.sequence > log_durable(audit->partition->log))
        return;
    audit->question.edge = audit->sample;
    audit->question.segment = log_segment_of(audit->partition->log, audit->sample.sequence);
    atomic_store(&audit->question.state, AUDIT_ASKED);
}

static void hear_log(struct audit *audit)
{
    int state = atomic_load(&audit->question.state);
    const struct edge_row *edge = &audit->question.edge;
    char text[FACTS_ALARM];

    if (state == AUDIT_FREE || state == AUDIT_ASKED)
        return;
    if (state == AUDIT_OTHER && !PLANTED("node.audit_believes_edges")) {
        snprintf(text, sizeof text,
                 "edge %u of account %" PRIu64 " and target %" PRIu64 ", tenant %u: record %" PRIu64
                 " of the log says something else",
                 (unsigned)edge->kind, edge->account, edge->target, (unsigned)edge->tenant,
                 edge->sequence);
        alarm_of(audit, text);
    }
    if (state == AUDIT_UNREADABLE)
        audit->facts.unreadable++; /* the scrubber will say more */
    else
        audit->facts.records++;
    atomic_store(&audit->question.state, AUDIT_FREE);
}

struct reading_back {
    const struct edge_row *edge;
    bool same, met;
};

static bool tells_of(const struct record *record, const struct edge_row *edge)
{
    uint8_t verb = record->kind == RECORD_EFFECT ? (uint8_t)(record->b >> 16) : record->kind;

    return verb < VERB_COUNT && record->account == edge->account &&
           record->target == edge->target && record->tenant == edge->tenant &&
           verb_info(verb)->edge == edge->kind && verb_info(verb)->on == edge->on;
}

static enum status read_batch(void *argument, uint64_t first_sequence, uint32_t count,
                              int64_t time_us, const uint8_t *body, size_t size)
{
    struct reading_back *reading = argument;
    struct record record;

    (void)time_us;
    for (uint32_t i = 0; i < count; i++) {
        size_t used = record_decode(body, size, &record);

        if (used == 0)
            return STATUS_CORRUPT;
        if (first_sequence + i == reading->edge->sequence) {
            reading->met = true;
            reading->same = tells_of(&record, reading->edge);
            return STATUS_OK;
        }
        body += used;
        size -= used;
    }
    return STATUS_OK;
}

void audit_read_back(struct audit *audit)
{
    struct reading_back reading = {.edge = &audit->question.edge};
    enum status status;

    if (atomic_load(&audit->question.state) != AUDIT_ASKED)
        return;
    status = log_fetch(audit->partition->log, audit->question.segment, reading.edge->sequence,
                       read_batch, &reading);
    atomic_store(&audit->question.state, status != STATUS_OK || !reading.met ? AUDIT_UNREADABLE
                                         : reading.same                      ? AUDIT_SAME
                                                                             : AUDIT_OTHER);
}

/* --- the rotation ------------------------------------------------------------------------------
 */

static bool is_past(uint16_t tenant, uint64_t id, uint16_t other_tenant, uint64_t other)
{
    return tenant > other_tenant || (tenant == other_tenant && id >= other);
}

/* Fills the list of the next items. An empty one: there are none yet, or the end was reached. */
static enum status refill(struct audit *audit)
{
    enum status status;

    if (!audit->begun) { /* anywhere, so that frequent restarts do not look at the same ones */
        audit->from = audit->first = draw(audit) >> draw(audit) % 64; /* ids are small or not */
        audit->from_tenant = audit->first_tenant = 0;
        audit->begun = true;
    }
    status = store_items_from(audit->partition->store, audit->from_tenant, audit->from,
                              audit->items, AUDIT_ITEMS, &audit->item_count);
    audit->item_at = 0;
    if (status == STATUS_OK && audit->item_count == 0 && !audit->wrapped) {
        audit->wrapped = true;
        audit->from_tenant = 0;
        audit->from = 0;
        status = store_items_from(audit->partition->store, 0, 0, audit->items, AUDIT_ITEMS,
                                  &audit->item_count);
    }
    return status;
}

/* The round is over once the rotation has come by where it began. */
static bool round_is_over(const struct audit *audit)
{
    return audit->wrapped && (audit->item_count == 0 || is_past(audit->from_tenant, audit->from,
                                                                audit->first_tenant, audit->first));
}

static void note_round(struct audit *audit)
{
    audit->wrapped = false;
    if (!audit->seen)
        return; /* there are no items yet */
    audit->seen = false;
    audit->facts.rounds++;
    audit->facts.round_s = (uint64_t)clock_wall_us() / 1000000;
}

static void step_over(struct audit *audit, const struct item_row *item)
{
    audit->from_tenant = item->id == UINT64_MAX ? (uint16_t)(item->tenant + 1) : item->tenant;
    audit->from = item->id + 1;
}

static bool next_item(struct audit *audit, int64_t now_us, enum status *status)
{
    *status = STATUS_OK;
    if (now_us < audit->item_us)
        return false;
    if (audit->item_at == audit->item_count)
        *status = refill(audit);
    while (*status == STATUS_OK && audit->item_at < audit->item_count && !audit->busy) {
        const struct item_row *item = &audit->items[audit->item_at++];

        step_over(audit, item);
        if (!is_home(audit, item->id))
            continue;
        audit->tenant = item->tenant;
        audit->walk = (struct audit_walk){.plan = 0, .id = item->id};
        audit->busy = audit->seen = true;
        audit->sampled = 0;
        audit->facts.items++;
    }
    if (*status == STATUS_OK && audit->item_at == audit->item_count && round_is_over(audit))
        note_round(audit);
    audit->item_us =
        now_us + (audit->item_count == 0 ? 1000000 : 1000000 / audit->items_per_second);
    return audit->busy;
}

/* After a list: the next one of the item, then those of an account, then the log. */
static void next_walk(struct audit *audit)
{
    uint8_t plan = (uint8_t)(audit->walk.plan + 1);
    uint64_t id = audit->walk.id;

    if (plan == PLAN_ITEMS) {
        if (audit->sampled > 0)
            ask_log(audit);
        id = audit->sample.account;
        audit->busy = audit->sampled > 0 && is_home(audit, id);
        audit->facts.accounts += audit->busy;
    }
    if (plan == PLANS)
        audit->busy = false;
    audit->walk = (struct audit_walk){.plan = plan, .id = id};
}

void audit_turn(struct audit *audit, int64_t now_us)
{
    enum status status = STATUS_OK;
    int64_t began_us;

    if (audit->items_per_second == 0 || now_us < audit->next_us ||
        audit->partition->failure != STATUS_OK || audit->partition->distrusted)
        return;
    began_us = clock_steady_us();
    hot_turn_begin(audit->partition->hot);
    hear_log(audit);
    if ((audit->busy || next_item(audit, now_us, &status)) && status == STATUS_OK &&
        walk_look(audit, &audit->walk, &status))
        next_walk(audit);
    if (status == STATUS_CORRUPT)
        alarm_of(audit, "the store is damaged");
    audit->next_us = now_us + AUDIT_SHARE * (clock_steady_us() - began_us);
}

int audit_sleep_ms(const struct audit *audit, int64_t now_us, int limit)
{
    int64_t until_us =
        audit->busy || audit->item_us < audit->next_us ? audit->next_us : audit->item_us;
    int64_t ms = (until_us - now_us + 999) / 1000;

    if (audit->items_per_second == 0 || audit->partition->distrusted || ms > limit)
        return limit;
    return ms < 1 ? 1 : (int)ms;
}
