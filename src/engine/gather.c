/* gather.c: which rows a batch needs, so that they can be read all at once before the step.
 *
 * Three walks over the batch, so that the misses of many requests overlap: first the buckets are
 * prefetched, then the rows, then the rows are looked at and what is missing is noted down. A row
 * that the store's key filter knows to be absent is not asked for. */
#include <assert.h>
#include <string.h>

#include "engine/inner.h"
#include "engine/notice.h"

#define READS_AT_ONCE 2048
#define INBOX_READS   256 /* in a step: an eighth of the smallest cache stays free for them */
#define IDS_AHEAD     12  /* of one read: more do not fit into the processor's queue of misses */
#define TOGETHER                                                                                   \
    256          /* requests of a turn; of more, the first are out of the cache before the step */
#define AHEAD 64 /* requests whose memory is on its way; more would fall out of the cache again */

/* --- noting down ---------------------------------------------------------------------------------
 */

void need_account(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t id)
{
    if (hot_account_find(engine->hot, tenant, id) == HOT_NONE &&
        store_may_have_account(engine->store, tenant, id))
        needs->accounts[needs->account_count++] = (struct account_row){.id = id, .tenant = tenant};
}

void need_item(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t id)
{
    if (hot_item_find(engine->hot, tenant, id) == HOT_NONE &&
        store_may_have_item(engine->store, tenant, id))
        needs->items[needs->item_count++] = (struct item_row){.id = id, .tenant = tenant};
}

void need_edge(struct engine *engine, struct needs *needs, uint16_t tenant, uint8_t kind,
               uint64_t account, uint64_t target)
{
    if (hot_edge_find(engine->hot, tenant, kind, account, target) == NULL &&
        store_may_have_edge(engine->store, tenant, kind, account, target))
        needs->edges[needs->edge_count++] =
            (struct edge_row){.account = account, .target = target, .tenant = tenant, .kind = kind};
}

static void needs_empty(struct needs *needs)
{
    needs->account_count = needs->item_count = needs->edge_count = needs->operation_count = 0;
    needs->case_count = needs->inbox_count = needs->inbox_asked = 0;
    needs->again = false;
}

static void need_case(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t id)
{
    if (id != 0 && hot_case_find(engine->hot, tenant, id) == HOT_NONE)
        needs->cases[needs->case_count++] = (struct case_row){.id = id, .tenant = tenant};
}

/* The inbox of whom an item is from, if that is known here. */
static void need_creator_inbox(struct engine *engine, struct needs *needs, uint16_t tenant,
                               uint64_t item)
{
    uint32_t slot = hot_item_find(engine->hot, tenant, item);

    if (slot != HOT_NONE && hot_item(engine->hot, slot)->has_creator)
        notice_need_inbox(engine, needs, tenant, hot_item(engine->hot, slot)->creator);
}

/* What a case that is in memory is about. */
static void need_subject(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t id)
{
    uint32_t slot = hot_case_find(engine->hot, tenant, id);
    const struct case_row *row;

    if (slot == HOT_NONE)
        return;
    row = hot_case(engine->hot, slot);
    if (row->subject == SUBJECT_ACCOUNT) {
        need_account(engine, needs, tenant, row->about);
        notice_need_inbox(engine, needs, tenant, row->about);
    } else {
        need_item(engine, needs, tenant, row->about);
        need_creator_inbox(engine, needs, tenant, row->about);
        needs->again = needs->again || hot_item_find(engine->hot, tenant, row->about) == HOT_NONE;
    }
    for (uint32_t i = 0; i < row->reporter_count; i++)
        if (is_home(engine, row->reporters[i]))
            need_account(engine, needs, tenant, row->reporters[i]);
}

/* The newest case about an item that is reported now. */
static void need_reports(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t item)
{
    uint32_t slot = hot_item_find(engine->hot, tenant, item);

    if (slot != HOT_NONE)
        need_case(engine, needs, tenant, hot_item(engine->hot, slot)->case_id);
}

static bool is_case(const struct verb_info *info)
{
    return info->shape == SHAPE_CASE_OPEN || info->shape == SHAPE_CASE_STEP ||
           info->shape == SHAPE_CASE_GET;
}

/* Does the request report something? */
static bool reports(const struct request *request, const struct verb_info *info)
{
    if (info->shape != SHAPE_ACT)
        return request->verb == VERB_REPORT;
    for (uint32_t i = 0; i < request->count; i++)
        if (request->u.actions[i] == VERB_REPORT)
            return true;
    return false;
}

static void need_operation(struct engine *engine, struct needs *needs, uint16_t tenant,
                           const uint64_t id[2])
{
    if (hot_operation_find(engine->hot, tenant, id) == NULL &&
        store_may_have_operation(engine->store, tenant, id))
        needs->operations[needs->operation_count++] =
            (struct operation_row){.id = {id[0], id[1]}, .tenant = tenant};
}

/* Edges that reads ask for are looked for together, those of several requests, so that their misses
 * overlap. What may be at rest and is not in memory is noted down. */
static void need_asked(struct engine *engine, struct needs *needs)
{
    const struct edge_row *rows[HOT_EDGES_MAX];
    bool may[HOT_EDGES_MAX];
    struct edge_key *keys = needs->asked;
    uint32_t n = 0;

    hot_edges_find(engine->hot, keys, needs->asked_count, rows);
    for (uint32_t i = 0; i < needs->asked_count; i++)
        if (rows[i] == NULL)
            keys[n++] = keys[i];
    store_may_have_edges(engine->store, keys, n, may);
    for (uint32_t i = 0; i < n; i++)
        if (may[i])
            needs->edges[needs->edge_count++] = (struct edge_row){.account = keys[i].account,
                                                                  .target = keys[i].target,
                                                                  .tenant = keys[i].tenant,
                                                                  .kind = keys[i].kind};
    needs->asked_count = 0;
}

static void ask_edges(struct engine *engine, const struct request *request, uint8_t edge,
                      struct needs *needs)
{
    uint64_t account = request->account;
    uint16_t tenant = request->tenant;

    for (uint32_t i = 0, some; i < request->count; i += some) {
        struct edge_key *keys = needs->asked + needs->asked_count;
        const uint64_t *ids = request->u.ids + i;
        uint32_t room = HOT_EDGES_MAX - needs->asked_count;

        some = request->count - i < room ? request->count - i : room;
        for (uint32_t k = 0; k < some; k++)
            keys[k] = edge_key_make(tenant, edge, account, ids[k]);
        needs->asked_count += some;
        if (needs->asked_count == HOT_EDGES_MAX)
            need_asked(engine, needs);
    }
}

/* --- room ----------------------------------------------------------------------------------------
 */

/* What is left for this step; every request takes its worst case. */
struct budget {
    struct hot_room room;
    uint64_t told, restricted; /* bit per enum verb: may change an inbox of whom it is done to; of
                                  whom does it */
    uint32_t inboxes;          /* that are only read */
    uint32_t cases;            /* rows of needs */
    uint32_t needs;            /* the fullest array of needs still takes so many */
    uint32_t reads; /* rows looked at for reads: what is brought in here is still in the cache when
                       the step looks at it, if it is not too much */
};

static bool take(uint32_t *left, uint32_t amount)
{
    if (*left < amount)
        return false;
    *left -= amount;
    return true;
}

static_assert(VERB_ACT < 64, "a bit for every verb that is done to something");

/* Looked up once for a batch: what the rules in force may tell whom it is done to. */
static uint64_t told_verbs(const struct engine *engine)
{
    uint64_t verbs = 0;

    for (uint8_t verb = 0; verb < VERB_ACT; verb++)
        verbs |= (uint64_t)notice_may(engine, verb) << verb;
    return verbs;
}

/* The same of whom they may restrict. */
static uint64_t restricted_verbs(const struct engine *engine)
{
    uint64_t verbs = 0;

    for (uint8_t verb = 0; engine->judges != NULL && verb < VERB_ACT; verb++)
        verbs |= (uint64_t)notice_may_sanction(engine, verb) << verb;
    return verbs;
}

static uint64_t verbs_of(const struct request *request, const struct verb_info *info)
{
    uint64_t verbs = 0;

    if (info->shape != SHAPE_ACT)
        return request->verb < VERB_ACT ? 1ULL << request->verb : 0;
    for (uint32_t i = 0; i < request->count; i++)
        verbs |= 1ULL << request->u.actions[i];
    return verbs;
}

/* Inboxes that a write may change. */
static uint32_t inboxes_of(const struct budget *budget, const struct request *request,
                           const struct verb_info *info)
{
    uint64_t verbs = verbs_of(request, info);

    if (verbs != 0)
        return (verbs & budget->told ? 1u : 0u) + (verbs & budget->restricted ? 1u : 0u);
    return is_case(info) || info->shape == SHAPE_NOTICE_READ || info->shape == SHAPE_ITEM_SET;
}

static bool has_room(struct budget *budget, const struct engine *engine,
                     const struct request *request, const struct verb_info *info)
{
    if (info->group == GROUP_READ) {
        uint32_t ids = info->shape == SHAPE_STATES || info->shape == SHAPE_TOTALS ? request->count
                       : info->shape == SHAPE_ACTIVITY                            ? 2
                                                                                  : 1;

        if ((info->shape == SHAPE_NOTICES || info->shape == SHAPE_EXPORT) &&
            !take(&budget->inboxes, 1))
            return false;
        ids += request->asserted; /* the row of who calls */
        if (info->shape == SHAPE_CASE_GET && !take(&budget->cases, 1))
            return false;
        return take(&budget->reads, ids) && take(&budget->needs, ids) &&
               take(&budget->room.loads, ids) && take(&budget->room.scratch, ids);
    }
    if (engine->writes_refused)
        return true;
    if (!take(&budget->room.inboxes, inboxes_of(budget, request, info)))
        return false;
    /* One of a case, its subject and those who reported. */
    if ((is_case(info) || reports(request, info)) &&
        !(take(&budget->cases, 1) && take(&budget->room.cases, 1) &&
          take(&budget->room.accounts, CASE_REPORTERS) && take(&budget->needs, CASE_REPORTERS) &&
          take(&budget->room.loads, CASE_REPORTERS)))
        return false;
    return take(&budget->room.accounts, 3) && take(&budget->room.items, 1) &&
           take(&budget->room.edges, 3) && take(&budget->room.operations, 1) &&
           take(&budget->room.loads, 5) && take(&budget->room.scratch, 3) &&
           take(&budget->needs, 4);
}

/* --- the walks -----------------------------------------------------------------------------------
 */

static void prefetch_buckets(const struct engine *engine, const struct request *request)
{
    const struct verb_info *info = verb_info(request->verb);

    if (info->group != GROUP_WRITE)
        return;
    if (engine->judges != NULL)
        judge_prefetch(engine, request, false);
    hot_account_prefetch(engine->hot, request->tenant, request->account);
    if (edge_target_is_account(info->edge))
        hot_account_prefetch(engine->hot, request->tenant, request->target);
    else
        hot_item_prefetch(engine->hot, request->tenant, request->target);
    if (info->edge != EDGE_NONE) {
        hot_edge_prefetch(engine->hot, request->tenant, info->edge, request->account,
                          request->target);
        store_prefetch_edge(engine->store, request->tenant, info->edge, request->account,
                            request->target);
    }
}

static void prefetch_rows(const struct engine *engine, const struct request *request)
{
    const struct verb_info *info = verb_info(request->verb);

    if (info->group != GROUP_WRITE)
        return;
    if (engine->judges != NULL)
        judge_prefetch(engine, request, true);
    hot_account_prefetch_slot(engine->hot, request->tenant, request->account);
    if (!edge_target_is_account(info->edge))
        hot_item_prefetch_slot(engine->hot, request->tenant, request->target);
    if (info->edge != EDGE_NONE)
        hot_edge_prefetch_slot(engine->hot, request->tenant, info->edge, request->account,
                               request->target);
}

static void totals_ahead(const struct engine *engine, const struct request *request, uint32_t i)
{
    if (i + 2 * IDS_AHEAD < request->count)
        hot_item_prefetch(engine->hot, request->tenant, request->u.ids[i + 2 * IDS_AHEAD]);
    if (i + IDS_AHEAD < request->count)
        hot_item_prefetch_slot(engine->hot, request->tenant, request->u.ids[i + IDS_AHEAD]);
}

static void note_read(struct engine *engine, const struct request *request,
                      const struct verb_info *info, struct needs *needs)
{
    switch (info->shape) {
    case SHAPE_STATES:
        ask_edges(engine, request, info->edge, needs);
        break;
    case SHAPE_TOTALS:
        for (uint32_t i = 0; i < request->count; i++) {
            totals_ahead(engine, request, i);
            if (info->counter == COUNTER_FOLLOW)
                need_account(engine, needs, request->tenant, request->u.ids[i]);
            else
                need_item(engine, needs, request->tenant, request->u.ids[i]);
        }
        break;
    case SHAPE_NOTICES:
        notice_need_inbox(engine, needs, request->tenant, request->account);
        break;
    case SHAPE_COUNTS:
    case SHAPE_ITEM_GET:
    case SHAPE_SHIELD:
    case SHAPE_WEIGHED:
        need_item(engine, needs, request->tenant, request->target);
        break;
    case SHAPE_TAKEN:
        if (info->edge == EDGE_FOLLOW)
            need_account(engine, needs, request->tenant, request->target);
        else
            need_item(engine, needs, request->tenant, request->target);
        break;
    case SHAPE_CLEANUP_PREVIEW:
        need_account(engine, needs, request->tenant, request->account);
        break;
    case SHAPE_ACTIVITY: /* and who follows whom */
        need_account(engine, needs, request->tenant, request->account);
        need_edge(engine, needs, request->tenant, EDGE_FOLLOW, request->target, request->account);
        need_edge(engine, needs, request->tenant, EDGE_FOLLOW, request->account, request->target);
        break;
    case SHAPE_CASE_GET:
        need_case(engine, needs, request->tenant, request->target);
        break;
    case SHAPE_CASE_OF:
        if (request->verb == VERB_CASE_OF && request->u.list.subject == SUBJECT_ITEM)
            need_item(engine, needs, request->tenant, request->target);
        else
            need_account(engine, needs, request->tenant,
                         request->verb == VERB_CASE_OF ? request->target : request->account);
        break;
    case SHAPE_EXPORT:
        notice_need_inbox(engine, needs, request->tenant, request->account);
        need_account(engine, needs, request->tenant, request->account);
        break;
    case SHAPE_RECEIVED:
    case SHAPE_ACCOUNT_GET:
    case SHAPE_GIVEN:
        need_account(engine, needs, request->tenant, request->account);
        break;
    default:
        break;
    }
}

static void note_interaction(struct engine *engine, uint16_t tenant, uint8_t verb, uint64_t account,
                             uint64_t target, struct needs *needs)
{
    const struct verb_info *info = verb_info(verb);

    if (edge_target_is_account(info->edge))
        need_account(engine, needs, tenant, target);
    else
        need_item(engine, needs, tenant, target);
    if (info->edge != EDGE_NONE)
        need_edge(engine, needs, tenant, info->edge, account, target);
}

static void note_write(struct engine *engine, const struct request *request,
                       const struct verb_info *info, const struct budget *budget,
                       struct needs *needs)
{
    if (engine->writes_refused)
        return;
    if (verbs_of(request, info) & budget->restricted)
        notice_need_inbox(engine, needs, request->tenant, request->account);
    if (request->flags & REQUEST_OPID)
        need_operation(engine, needs, request->tenant, request->opid);
    switch (info->shape) {
    case SHAPE_SET:
    case SHAPE_EVENT:
    case SHAPE_VIEW:
        need_account(engine, needs, request->tenant, request->account);
        note_interaction(engine, request->tenant, (uint8_t)request->verb, request->account,
                         request->target, needs);
        break;
    case SHAPE_ACT:
        need_account(engine, needs, request->tenant, request->account);
        for (uint32_t i = 0; i < request->count; i++)
            note_interaction(engine, request->tenant, request->u.actions[i], request->account,
                             request->target, needs);
        break;
    case SHAPE_ITEM_SET:
        if (request->flags & REQUEST_HAS_CREATOR) {
            need_account(engine, needs, request->tenant, request->u.item.creator);
            notice_need_inbox(engine, needs, request->tenant, request->u.item.creator);
        }
        need_item(engine, needs, request->tenant, request->target);
        break;
    case SHAPE_ITEM_STATE:
    case SHAPE_ITEM_NOTE:
        need_item(engine, needs, request->tenant, request->target);
        break;
    case SHAPE_NOTE:
        break;
    case SHAPE_NOTICE_READ:
        need_account(engine, needs, request->tenant, request->account);
        notice_need_inbox(engine, needs, request->tenant, request->account);
        break;
    case SHAPE_CASE_OPEN:
        if (request->u.deed.subject == SUBJECT_ACCOUNT)
            need_account(engine, needs, request->tenant, request->target);
        else
            need_item(engine, needs, request->tenant, request->target);
        break;
    case SHAPE_CASE_STEP:
        need_case(engine, needs, request->tenant, request->target);
        break;
    case SHAPE_POLICY_PROPOSE:
    case SHAPE_POLICY_STEP:
        break;
    default:
        need_account(engine, needs, request->tenant, request->account);
        break;
    }
}

/* Where to go on with what the turn before has begun; a batch begins at 0. */
static uint32_t ahead(const uint32_t *reached, uint32_t from)
{
    return from > 0 && *reached > from ? *reached : from;
}

uint32_t engine_gather(struct engine *engine, const struct batch *batch, uint32_t from,
                       struct needs *needs)
{
    struct budget budget = {
        .needs = ENGINE_NEEDS_MAX, .reads = READS_AT_ONCE, .cases = ENGINE_CASES_MAX};
    uint32_t at = from, buckets = ahead(&needs->buckets, from), rows = ahead(&needs->rows, from);
    uint32_t end = batch->count - from > TOGETHER ? from + TOGETHER : batch->count;

    needs->asked_count = 0;
    needs_empty(needs);
    hot_room(engine->hot, &budget.room);
    budget.inboxes = INBOX_READS;
    budget.told = told_verbs(engine);
    budget.restricted = restricted_verbs(engine);
    for (; at < end; at++) {
        const struct request *request = &batch->requests[at];
        const struct verb_info *info;

        for (; buckets < batch->count && buckets < at + 2 * AHEAD; buckets++)
            if (batch->requests[buckets].verb < VERB_COUNT)
                prefetch_buckets(engine, &batch->requests[buckets]);
        for (; rows < batch->count && rows < at + AHEAD; rows++)
            if (batch->requests[rows].verb < VERB_COUNT)
                prefetch_rows(engine, &batch->requests[rows]);
        if (request->verb >= VERB_COUNT)
            continue;
        info = verb_info(request->verb);
        if (info->shape == SHAPE_CLEANUP) { /* a step of its own */
            if (at == from && cleanup_gather(engine, request, &budget.room, needs))
                at++;
            break;
        }
        if (!has_room(&budget, engine, request, info))
            break;
        if (request->asserted)
            need_account(engine, needs, request->tenant, request->subject);
        if (info->group == GROUP_READ)
            note_read(engine, request, info, needs);
        else
            note_write(engine, request, info, &budget, needs);
    }
    if (needs->asked_count > 0)
        need_asked(engine, needs);
    needs->buckets = buckets;
    needs->rows = rows;
    return at;
}

/* The creator of an item that is in memory now, if what happens to the item happens here. */
void need_creator(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t item_id)
{
    uint32_t slot = hot_item_find(engine->hot, tenant, item_id);
    const struct item_row *item;

    if (slot == HOT_NONE)
        return;
    item = hot_item(engine->hot, slot);
    if (item->has_creator && is_home(engine, item->creator))
        need_account(engine, needs, tenant, item->creator);
}

/* Whom an item, that is in memory now, is from, or who is followed: what tells him needs. levels:
 * what the act may say of who follows whom. */
static void need_recipient(struct engine *engine, struct needs *needs, uint16_t tenant,
                           uint8_t verb, uint64_t account, uint64_t target, uint8_t levels)
{
    uint32_t slot;

    if (edge_target_is_account(verb_info(verb)->edge)) {
        notice_need(engine, needs, tenant, account, target, levels);
        return;
    }
    slot = hot_item_find(engine->hot, tenant, target);
    if (slot != HOT_NONE && hot_item(engine->hot, slot)->has_creator)
        notice_need(engine, needs, tenant, account, hot_item(engine->hot, slot)->creator, levels);
}

void need_told_back(struct engine *engine, struct needs *needs, uint16_t tenant, uint8_t verb,
                    uint64_t account, uint64_t target)
{
    if (!edge_target_is_account(verb_info(verb)->edge))
        need_creator(engine, needs, tenant, target);
    need_recipient(engine, needs, tenant, verb, account, target, 0);
}

static void need_told(struct engine *engine, const struct request *request,
                      const struct verb_info *info, struct needs *needs)
{
    if (info->shape != SHAPE_ACT) {
        need_recipient(engine, needs, request->tenant, (uint8_t)request->verb, request->account,
                       request->target, notice_levels(engine, (uint8_t)request->verb));
        return;
    }
    for (uint32_t i = 0; i < request->count; i++) {
        uint8_t levels = notice_levels(engine, request->u.actions[i]);

        if (levels != 0 || i == 0) /* the inbox once, the follows with the first that asks */
            need_recipient(engine, needs, request->tenant, request->u.actions[i], request->account,
                           request->target, levels);
    }
}

void engine_gather_creators(struct engine *engine, const struct batch *batch, uint32_t from,
                            uint32_t to, struct needs *needs)
{
    uint64_t told = told_verbs(engine);

    needs_empty(needs);
    for (uint32_t at = from; at < to; at++) {
        const struct request *request = &batch->requests[at];
        const struct verb_info *info;

        if (request->verb >= VERB_COUNT)
            continue;
        info = verb_info(request->verb);
        if (request->verb == VERB_DISAVOW) {
            need_reports(engine, needs, request->tenant, request->target);
            continue;
        }
        if (is_case(info)) {
            need_subject(engine, needs, request->tenant, request->target);
            continue;
        }
        if (engine->writes_refused)
            continue;
        if (verbs_of(request, info) & told)
            need_told(engine, request, info, needs);
        if (reports(request, info))
            need_reports(engine, needs, request->tenant, request->target);
        if (info->shape == SHAPE_CLEANUP)
            cleanup_gather_creators(engine, needs);
        else if (info->group == GROUP_WRITE && !edge_target_is_account(info->edge) &&
                 !verb_is_of_account(request->verb))
            need_creator(engine, needs, request->tenant, request->target);
    }
}

/* --- one record (replay, effects) ----------------------------------------------------------------
 */

static bool opens_case(uint8_t verb)
{
    return verb < VERB_COUNT && verb_info(verb)->shape == SHAPE_CASE_OPEN;
}

/* How many inboxes it may change. */
static uint32_t record_tells(const struct record *record)
{
    if (record->fields & RECORD_HAS_NOTICE || record->kind == RECORD_SANCTION ||
        record->kind == RECORD_CASE || record->kind == VERB_NOTICE_READ ||
        record->kind == VERB_ACCOUNT_PURGE || record->kind == VERB_ITEM_SET)
        return 1;
    if (record->kind == RECORD_EFFECT) /* a quarantine opens */
        return effect_kind_of(record) == EFFECT_TARGET && record->c != 0;
    return (record->kind == VERB_LIKE && record->c != 0) ||
           (record->kind < VERB_COUNT && is_case(verb_info(record->kind)));
}

bool engine_gather_record(struct engine *engine, const struct record *record, struct needs *needs)
{
    struct budget budget = {.needs = ENGINE_NEEDS_MAX};
    uint8_t verb = record->kind;

    hot_room(engine->hot, &budget.room);
    if (needs->account_count + 3 > ENGINE_NEEDS_MAX || needs->case_count + 1 > ENGINE_CASES_MAX ||
        budget.room.cases < needs->case_count + 2 || budget.room.inboxes < needs->inbox_asked + 2 ||
        needs->inbox_count + 2 > ENGINE_NEEDS_MAX || needs->edge_count + 2 > ENGINE_NEEDS_MAX ||
        budget.room.loads < 4 + needs->account_count + needs->item_count ||
        budget.room.scratch < 3 + needs->edge_count + needs->operation_count)
        return false;
    if (!(record->fields & RECORD_CHANGED))
        return true;
    needs->inbox_asked += record_tells(record);
    if (verb == RECORD_EFFECT) {
        enum effect_kind kind = effect_kind_of(record);

        if (kind == EFFECT_RULES)
            return true;
        if (kind == EFFECT_NOTICE) {
            need_account(engine, needs, record->tenant, record->target);
            notice_need(engine, needs, record->tenant,
                        (uint8_t)(record->b >> 16) < VERB_COUNT ? record->account : ~record->target,
                        record->target,
                        (uint8_t)(record->b >> 16) < VERB_COUNT ? record->notify : 0);
            return true;
        }

        if (kind == EFFECT_RECEIVED || kind == EFFECT_ACCOUNT || kind == EFFECT_CREDIT ||
            kind == EFFECT_REPORT || kind == EFFECT_COMPENSATE)
            need_account(engine, needs, record->tenant, record->target);
        else if (kind == EFFECT_WEIGH || kind == EFFECT_SETTLE)
            note_interaction(engine, record->tenant, VERB_LIKE, record->account, record->target,
                             needs);
        else if (kind == EFFECT_ITEM)
            need_item(engine, needs, record->tenant, record->target);
        else
            note_interaction(engine, record->tenant, (uint8_t)(record->b >> 16), record->account,
                             record->target, needs);
        return true;
    }
    if (verb == RECORD_SETTLE)
        note_interaction(engine, record->tenant, VERB_LIKE, record->account, record->target, needs);
    if (verb == RECORD_SANCTION) {
        need_account(engine, needs, record->tenant, record->account);
        notice_need_inbox(engine, needs, record->tenant, record->account);
    }
    if (verb == RECORD_SANCTION || verb == RECORD_CASE || opens_case(verb))
        need_case(engine, needs, record->tenant, record->a);
    if ((verb == RECORD_CASE && record->a == 0) || opens_case(verb)) {
        /* Which of the two it is about is in b; the other is 0. */
        need_account(engine, needs, record->tenant, record->account);
        need_item(engine, needs, record->tenant, record->target);
    }
    if (verb >= VERB_COUNT)
        return true;
    switch (verb_info(verb)->shape) {
    case SHAPE_CASE_OPEN:
        break;
    case SHAPE_CASE_STEP:
        need_case(engine, needs, record->tenant, record->a);
        break;
    case SHAPE_SET:
    case SHAPE_EVENT:
    case SHAPE_VIEW:
        need_account(engine, needs, record->tenant, record->account);
        note_interaction(engine, record->tenant, verb, record->account, record->target, needs);
        if (record_cleanup(record) != 0)
            need_edge(engine, needs, record->tenant, EDGE_CLEARED, record->account, record->target);
        break;
    case SHAPE_ITEM_SET:
        if (record->c & REQUEST_HAS_CREATOR) {
            need_account(engine, needs, record->tenant, record->a);
            notice_need_inbox(engine, needs, record->tenant, record->a);
        }
        need_item(engine, needs, record->tenant, record->target);
        break;
    case SHAPE_ITEM_STATE:
    case SHAPE_ITEM_NOTE:
        need_item(engine, needs, record->tenant, record->target);
        break;
    case SHAPE_NOTICE_READ:
        notice_need_inbox(engine, needs, record->tenant, record->account);
        break;
    case SHAPE_CLEANUP: /* ACCOUNT PURGE */
        need_account(engine, needs, record->tenant, record->account);
        notice_need_inbox(engine, needs, record->tenant, record->account);
        break;
    case SHAPE_ACCOUNT_SET:
    case SHAPE_ACCOUNT_STATE:
    case SHAPE_ACCOUNT_REVOKE:
    case SHAPE_ACCOUNT_ERASE:
    case SHAPE_ACCOUNT_NOTE:
        need_account(engine, needs, record->tenant, record->account);
        break;
    default:
        break;
    }
    return true;
}

bool engine_gather_record_creators(struct engine *engine, const struct record *record,
                                   struct needs *needs)
{
    enum effect_kind kind = effect_kind_of(record);
    uint8_t verb = record->kind == RECORD_EFFECT && kind == EFFECT_TARGET
                       ? (uint8_t)(record->b >> 16)
                       : record->kind;

    if (record->kind == RECORD_SETTLE ||
        (record->kind == RECORD_EFFECT && (kind == EFFECT_WEIGH || kind == EFFECT_SETTLE)))
        verb = VERB_LIKE;
    if (needs->account_count + 1 + CASE_REPORTERS > ENGINE_NEEDS_MAX ||
        needs->item_count + 1 > ENGINE_NEEDS_MAX || needs->case_count + 1 > ENGINE_CASES_MAX ||
        needs->inbox_count + 2 > ENGINE_NEEDS_MAX || needs->edge_count + 2 > ENGINE_NEEDS_MAX)
        return false;
    if (!(record->fields & RECORD_CHANGED))
        return true;
    if (record->kind == RECORD_CASE || record->kind == RECORD_SANCTION ||
        (record->kind < VERB_COUNT && is_case(verb_info(record->kind)))) {
        need_subject(engine, needs, record->tenant, record->a);
        return true;
    }
    if (verb >= VERB_COUNT)
        return true;
    if (record_tells(record) != 0)
        need_recipient(engine, needs, record->tenant, verb, record->account, record->target,
                       record->notify);
    if (verb == VERB_REPORT)
        need_reports(engine, needs, record->tenant, record->target);
    if (!edge_target_is_account(verb_info(verb)->edge) && !verb_is_of_account(verb))
        need_creator(engine, needs, record->tenant, record->target);
    return true;
}

bool engine_gather_case(struct engine *engine, uint16_t tenant, uint64_t id, struct needs *needs)
{
    if (needs->case_count + 1 > ENGINE_CASES_MAX ||
        needs->account_count + 1 + CASE_REPORTERS > ENGINE_NEEDS_MAX ||
        needs->item_count + 1 > ENGINE_NEEDS_MAX)
        return false;
    need_case(engine, needs, tenant, id);
    need_subject(engine, needs, tenant, id);
    return true;
}
