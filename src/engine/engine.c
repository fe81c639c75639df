/* engine.c: the order of things: operation id, states, change, record, reply.
 *
 * decide (const state in, verdict out) and apply (the only thing that changes state) alternate
 * request by request: judging a whole batch first would accept the same like twice. */
#include "engine/engine.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "engine/access.h"
#include "engine/case.h"
#include "engine/flood.h"
#include "engine/inner.h"
#include "engine/note.h"
#include "engine/notice.h"
#include "engine/policy_book.h"
#include "engine/sanction.h"

/* --- apply: the same for a live decision and for a replay ----------------------------------------
 */

static void effect_apply(struct engine *engine, const struct record *record)
{
    uint16_t source = (uint16_t)record->b;

    assert(source < ENGINE_PARTITIONS_MAX);
    switch (effect_kind_of(record)) {
    case EFFECT_TARGET:
        interaction_take(engine, record, (uint8_t)(record->b >> 16));
        break;
    case EFFECT_RECEIVED:
        received_apply(engine, record->tenant, record->target, record->time_us,
                       (enum counter)(record->b >> 16 & 0xFF),
                       (int64_t)(record->c >> 1) ^ -(int64_t)(record->c & 1));
        break;
    case EFFECT_ITEM:
        registry_take_item(engine, record);
        break;
    case EFFECT_WEIGH:
        settle_take(engine, record);
        break;
    case EFFECT_CREDIT:
        credit_take(engine, record);
        break;
    case EFFECT_SETTLE:
        settle_apply(engine, record);
        break;
    case EFFECT_REPORT:
        sanction_report(engine, record->tenant, record->target, record->c != 0, record->time_us);
        break;
    case EFFECT_RULES:
        policy_take(engine, record);
        break;
    case EFFECT_COMPENSATE:
        compensation_take(engine, record);
        break;
    case EFFECT_NOTICE:
        notice_take(engine, record);
        break;
    case EFFECT_ACCOUNT:
        hot_account_change(engine->hot,
                           account_ensure(engine, record->tenant, record->target, record->time_us));
        break;
    }
    engine->marks[source] = record->a;
}

static void change_apply(struct engine *engine, const struct record *record)
{
    if (record->kind == RECORD_EFFECT) {
        effect_apply(engine, record);
        return;
    }
    if (record->kind == RECORD_SETTLE)
        settle_apply(engine, record);
    if (record->kind == RECORD_SANCTION)
        sanction_apply(engine, record);
    if (record->kind == RECORD_CASE)
        case_apply(engine, record);
    if (record->kind == RECORD_POLICY)
        policy_apply(engine, record);
    if (record->kind >= VERB_COUNT)
        return;
    switch (verb_info(record->kind)->shape) {
    case SHAPE_CASE_OPEN:
    case SHAPE_CASE_STEP:
        case_apply(engine, record);
        break;
    case SHAPE_POLICY_PROPOSE:
    case SHAPE_POLICY_STEP:
        policy_apply(engine, record);
        break;
    case SHAPE_NOTICE_READ:
        notice_read(engine, record);
        break;
    case SHAPE_ITEM_NOTE:
    case SHAPE_ACCOUNT_NOTE:
        note_apply(engine, record);
        break;
    case SHAPE_SET:
    case SHAPE_EVENT:
    case SHAPE_VIEW:
        interaction_apply(engine, record);
        break;
    case SHAPE_ITEM_SET:
    case SHAPE_ITEM_STATE:
    case SHAPE_ACCOUNT_SET:
    case SHAPE_ACCOUNT_STATE:
    case SHAPE_ACCOUNT_REVOKE:
    case SHAPE_ACCOUNT_ERASE:
    case SHAPE_CLEANUP: /* ACCOUNT PURGE; a clean-up is nothing but its UNLIKEs */
        registry_apply(engine, record);
        break;
    default: /* ACT: its actions have records of their own; notes are for who follows the log */
        break;
    }
}

void engine_apply(struct engine *engine, const struct record *record)
{
    assert(record->sequence == engine->sequence + 1);
    engine->sequence = record->sequence;
    if (record->time_us > engine->now_us)
        engine->now_us = record->time_us;
    engine->effect_index = 0;
    if (record->fields & RECORD_CHANGED)
        change_apply(engine, record);
    if (record->fields & RECORD_HAS_OPID)
        operation_keep(engine, record,
                       record->kind == VERB_ACT ? (uint8_t)record->a
                                                : (record->fields & RECORD_CHANGED) != 0);
}

/* --- records -------------------------------------------------------------------------------------
 */

void record_commit(struct engine *engine, struct record *record)
{
    record->sequence = engine->sequence + 1;
    record->time_us = engine->now_us;
    assert(engine->body_size + RECORD_BYTES_MAX <= engine->body_max);
    engine->body_size += record_encode(record, engine->body + engine->body_size);
    engine->record_count++;
    engine_apply(engine, record);
}

/* A time of issue alone is not kept. */
static bool says_anything(const struct context *context)
{
    return (context->address | context->device | context->network | (uint64_t)context->client_us |
            context->source) != 0;
}

/* Into a place of the caller's: a record that is returned is copied in pieces larger than the
 * fields just written, and such a load waits until all stores before it have reached the cache. */
void record_begin(struct record *record, const struct request *request, uint8_t kind)
{
    *record = (struct record){
        .kind = kind,
        .tenant = request->tenant,
        .fields = request->tenant != 0 ? RECORD_HAS_TENANT : 0,
        .account = request->account,
        .target = request->target,
    };
    if (request->flags & REQUEST_CONTEXT && says_anything(&request->context)) {
        record->fields |= RECORD_HAS_CONTEXT;
        record->context = request->context;
    }
}

void record_actor(struct record *record, const struct request *request)
{
    record->fields |= RECORD_HAS_ACTOR;
    record->caller = request->caller;
    record->role = request->role;
}

void record_reasoned(struct record *record, const struct request *request, const char *text,
                     uint8_t text_size)
{
    record_actor(record, request);
    record->fields |= RECORD_HAS_TEXT;
    record->text = text;
    record->text_size = text_size;
}

void record_operation(struct record *record, const struct request *request, uint64_t content,
                      enum status status)
{
    if (!(request->flags & REQUEST_OPID))
        return;
    record->fields |= RECORD_HAS_OPID;
    record->opid[0] = request->opid[0];
    record->opid[1] = request->opid[1];
    record->content = content;
    record->status = (uint8_t)status;
    if (status != STATUS_OK)
        record->fields |= RECORD_HAS_STATUS;
}

/* --- writes --------------------------------------------------------------------------------------
 */

static void reply_error(struct reply *reply, enum status status, int64_t until_us)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
    reply->until_us = until_us;
}

/* What it was found to be worth goes into the record, unless that is everything. */
static void record_judged(struct record *record, const struct verdict *verdict, int64_t window_us)
{
    if (verdict_is_plain(verdict) && verdict->rule == 0)
        return;
    record->fields |= RECORD_HAS_VERDICT;
    record->verdict = *verdict;
    if (window_us != 0) {
        record->fields |= RECORD_HAS_EXTRA;
        record->c = (uint64_t)window_us;
    }
}

/* A report says what it weighs. Older records do not: they open no case. */
static void record_report(struct engine *engine, struct record *record)
{
    static const struct account_row unknown = {0};
    uint32_t slot;

    if (record->kind != VERB_REPORT)
        return;
    slot = hot_account_find(engine->hot, record->tenant, record->account);
    record->fields |= RECORD_HAS_ARGS;
    record->a =
        sanction_report_weight(slot != HOT_NONE ? hot_account(engine->hot, slot) : &unknown);
}

/* Who acts is not told that he was taken for a flood: he would learn by it what is seen. */
static uint8_t intent_shown(const struct request *request, const struct record *record)
{
    uint8_t intent = record->kind == VERB_UNLIKE ? record_intent(record) : INTENT_NONE;

    return request->asserted && intent == INTENT_FLOOD && !PLANTED("engine.intent_is_told")
               ? INTENT_CHANGE
               : intent;
}

/* Whom it is done to may be told. */
static void record_notice(struct engine *engine, struct record *record)
{
    const struct verb_info *info = verb_info(record->kind);
    bool ruled = engine->judges != NULL && engine->judges->policy != NULL;

    if (!ruled && (info->edge == EDGE_NONE || info->on))
        return;
    notice_decide(engine, record,
                  info->edge == EDGE_NONE || info->on
                      ? NULL
                      : hot_edge_find(engine->hot, record->tenant, info->edge, record->account,
                                      record->target));
}

/* Was it shown? The door has looked at the token. Not for the answer to a retry: what was attested
 * then is in the record. */
static void record_impression(struct record *record, const struct request *request,
                              struct reply *reply)
{
    const struct request_view *view = &request->u.view;

    if (record->kind != VERB_VIEW && record->kind != VERB_SKIP)
        return;
    if (view->attest == ATTEST_GIVEN || view->attest == ATTEST_BAD)
        reply->attested = ATTESTED_NO;
    if (view->attest != ATTEST_GOOD)
        return;
    reply->attested = ATTESTED_YES;
    record->fields |= RECORD_HAS_IMPRESSION;
    record->stage = view->stage;
    record->place = view->place;
    record->age_min = view->age_min;
}

/* One interaction: decided, and, if it changes anything or has to be remembered, recorded. */
static enum status interaction_write(struct engine *engine, const struct request *request,
                                     uint64_t content, struct reply *reply)
{
    uint8_t verb = (uint8_t)request->verb;
    const struct edge_row *before = NULL;
    enum status status = interaction_check(engine, request, verb, &reply->until_us);
    bool change =
        status == STATUS_OK && interaction_changes(engine, request->tenant, verb, request->account,
                                                   request->target, &before);
    struct verdict verdict;
    int64_t window_us = 0;
    struct record record;
    bool flood;

    if (change) {
        status = judge_act(engine, request, verb, &verdict, &window_us, reply);
        change = status == STATUS_OK;
        if (!change)
            judge_sanction(engine);
    }
    if (!change && (!(request->flags & REQUEST_OPID) || PLANTED("engine.repeat_not_kept")))
        return status == STATUS_OK ? STATUS_UNCHANGED : status;
    record_begin(&record, request, verb);
    if (verb == VERB_VIEW) {
        record.fields |= RECORD_HAS_ARGS;
        record.a = request->u.view.watch_ms;
        record.b = request->u.view.duration_ms;
    }
    if (verb >= VERB_VIEW && verb <= VERB_SKIP)
        record_impression(&record, request, reply);
    record_report(engine, &record);
    if (change) {
        record.fields |= RECORD_CHANGED;
        record_judged(&record, &verdict, window_us);
        judge_unlike(engine, &record, window_us);
        judge_view(engine, &record);
        if (before != NULL)
            record_like_before(&record, before, engine->now_us);
        reply->intent = intent_shown(request, &record);
        record_notice(engine, &record);
    } else if (status == STATUS_OK) {
        status = STATUS_UNCHANGED;
    }
    record_operation(&record, request, content, status);
    flood = change && window_us != 0 && flood_may_begin(engine, &record, verb, window_us);
    record_commit(engine, &record);
    reply->sequence = record.sequence;
    reply->applied = change;
    if (flood)
        flood_tell(engine, &record, verb);
    if (change)
        judge_sanction(engine);
    return status;
}

/* Several: all are checked before the first is applied. Their records are one batch of the log,
 * which stands or falls as one. */
static enum status act_write(struct engine *engine, const struct request *request, uint64_t content,
                             struct reply *reply)
{
    const struct edge_row *before;
    struct verdict verdict;
    int64_t window_us;
    enum status status = STATUS_OK;
    struct record record;

    for (uint32_t i = 0; status == STATUS_OK && i < request->count; i++)
        status = PLANTED("engine.act_checks_one") && i > 0
                     ? STATUS_OK
                     : interaction_check(engine, request, request->u.actions[i], &reply->until_us);
    for (uint32_t i = 0; status == STATUS_OK && i < request->count; i++)
        if (interaction_changes(engine, request->tenant, request->u.actions[i], request->account,
                                request->target, &before))
            status = judge_act(engine, request, request->u.actions[i], &verdict, &window_us, reply);
    if (status != STATUS_OK)
        judge_sanction(engine);
    for (uint32_t i = 0; status == STATUS_OK && i < request->count; i++) {
        uint8_t verb = request->u.actions[i];
        bool flood;

        if (!interaction_changes(engine, request->tenant, verb, request->account, request->target,
                                 &before))
            continue;
        record_begin(&record, request, verb);
        record.fields |= RECORD_CHANGED;
        record_report(engine, &record);
        /* Again, with what the ones before it have changed; it is too late to refuse it. */
        if (judge_act(engine, request, verb, &verdict, &window_us, reply) == STATUS_OK)
            record_judged(&record, &verdict, window_us);
        judge_unlike(engine, &record, window_us);
        record_like_before(&record, before, engine->now_us);
        record_notice(engine, &record);
        flood = window_us != 0 && flood_may_begin(engine, &record, verb, window_us);
        record_commit(engine, &record);
        reply->sequence = record.sequence;
        reply->applied |= (uint8_t)(1u << i);
        if (flood)
            flood_tell(engine, &record, verb);
        judge_sanction(engine);
    }
    if (status == STATUS_OK && reply->applied == 0)
        status = STATUS_UNCHANGED;
    if (request->flags & REQUEST_OPID) {
        record_begin(&record, request, VERB_ACT);
        record.fields |= RECORD_HAS_ARGS;
        record.a = reply->applied;
        record_operation(&record, request, content, status);
        record_commit(engine, &record);
        reply->sequence = record.sequence;
    }
    return status;
}

static enum status registry_write(struct engine *engine, const struct request *request,
                                  uint64_t content, struct reply *reply)
{
    struct record record;
    enum status status;

    record_begin(&record, request, (uint8_t)request->verb);
    status = registry_decide(engine, request, &record);
    if (status == STATUS_OK)
        record.fields |= RECORD_CHANGED;
    else if (!(request->flags & REQUEST_OPID))
        return status;
    record_operation(&record, request, content, status);
    record_commit(engine, &record);
    reply->sequence = record.sequence;
    reply->applied = status == STATUS_OK;
    return status;
}

/* A write with RETURN: what is so now. False: no room in the arena. */
static bool reply_map(struct engine *engine, const struct request *request,
                      const struct verb_info *info, struct reply *reply)
{
    const struct edge_row *edge;

    if (info->shape == SHAPE_CASE_OPEN || info->shape == SHAPE_CASE_STEP)
        return case_reply(engine, request, reply);
    if (verb_is_of_policy(request->verb))
        return policy_reply(engine, request, reply);
    reply->kind = REPLY_WRITE;
    if (info->shape == SHAPE_NOTE)
        return true;
    if (info->shape == SHAPE_ACT)
        reply->count = request->count;
    if (info->edge != EDGE_NONE) {
        edge = hot_edge_find(engine->hot, request->tenant, info->edge, request->account,
                             request->target);
        if (edge != NULL) {
            reply->on = edge->on;
            reply->flips = edge->flips;
            if (reply->sequence == 0)
                reply->sequence = edge->sequence;
        }
    }
    if (edge_target_is_account(info->edge))
        return !is_home(engine, request->target) ||
               read_account_copy(engine, request->tenant, request->target, reply);
    if (verb_is_of_account(request->verb))
        return read_account_copy(engine, request->tenant, request->account, reply);
    return !is_home(engine, request->target) ||
           read_item_copy(engine, request->tenant, request->target, reply);
}

static bool reply_plain(struct engine *engine, const struct request *request,
                        const struct verb_info *info, struct reply *reply)
{
    uint64_t *values;

    if (info->shape == SHAPE_CASE_OPEN)
        return case_reply(engine, request, reply);
    if (info->shape == SHAPE_POLICY_PROPOSE)
        return policy_reply(engine, request, reply);
    if (info->shape != SHAPE_ACT) {
        reply->kind = REPLY_INTEGER;
        reply->u.value = reply->applied;
        return true;
    }
    values = arena_take(&engine->arena, request->count * sizeof *values);
    if (values == NULL)
        return false;
    for (uint32_t i = 0; i < request->count; i++)
        values[i] = reply->applied >> i & 1;
    reply->kind = REPLY_INTEGERS;
    reply->count = request->count;
    reply->u.values = values;
    return true;
}

/* Held up on the way, or captured and sent again. Who says no time is not asked for one. */
static bool is_stale(const struct engine *engine, const struct request *request)
{
    return request->issued_us != 0 && !PLANTED("engine.stale_is_done") &&
           (request->issued_us > engine->now_us + REQUEST_ISSUED_US ||
            request->issued_us < engine->now_us - REQUEST_ISSUED_US);
}

static void write_decide(struct engine *engine, const struct request *request,
                         const struct verb_info *info, struct reply *reply)
{
    uint64_t content = 0;
    enum status status;

    if (engine->writes_refused) {
        reply_error(reply, engine->refusal, 0);
        reply->retry_ms = 1000;
        return;
    }
    if (request->flags & REQUEST_OPID) {
        content = operation_content(request);
        if (operation_answer(engine, request, content, reply))
            return;
    }
    /* After the operation id: what was done with it is told whenever somebody asks, and what is
     * stale now was certainly not done by this id. Not recorded: it says nothing for later. */
    if (request->flags & REQUEST_CONTEXT && is_stale(engine, request)) {
        reply_error(reply, STATUS_STALE, 0);
        return;
    }
    if (info->shape == SHAPE_SET || info->shape == SHAPE_EVENT || info->shape == SHAPE_VIEW)
        status = interaction_write(engine, request, content, reply);
    else if (info->shape == SHAPE_ACT)
        status = act_write(engine, request, content, reply);
    else if (info->shape == SHAPE_CASE_OPEN || info->shape == SHAPE_CASE_STEP)
        status = case_write(engine, request, content, reply);
    else if (verb_is_of_policy(request->verb))
        status = policy_write(engine, request, content, reply);
    else
        status = registry_write(engine, request, content, reply);
    reply->status = (uint8_t)status;
    if (status == STATUS_OK || status == STATUS_UNCHANGED)
        return;
    reply->kind = REPLY_ERROR;
    if (status == STATUS_BADVALUE) {
        reply->u.detail = engine->expected;
        engine->expected = NULL;
    }
}

/* --- the step ------------------------------------------------------------------------------------
 */

/* The largest answer to a write, so that a decided write always finds room for its answer. */
#define WRITE_ARENA_BYTES                                                                          \
    (sizeof(struct item_row) + sizeof(struct account_row) + sizeof(struct case_row) +              \
     REQUEST_ACTIONS_MAX * 8 + RECORD_TEXT_MAX + 64)

/* A write makes a record; each act of it may make a case and the sanctions of a rule. */
static uint32_t records_of(const struct request *request)
{
    uint32_t acts = verb_info(request->verb)->shape == SHAPE_ACT ? request->count : 1;

    if (verb_info(request->verb)->group == GROUP_WRITE && verb_is_of_policy(request->verb))
        return policy_records(request);
    return 1 + acts * (ENGINE_RECORDS_MAX / REQUEST_ACTIONS_MAX);
}

static bool step_room(const struct engine *engine, const struct request *request)
{
    size_t records = records_of(request) * (size_t)RECORD_BYTES_MAX;

    if (records > engine->body_max)
        records = engine->body_max; /* rules in a small log: refused (policy_book.c) */
    return engine->body_size + records <= engine->body_max &&
           engine->effect_count + (size_t)EFFECTS_PER_RECORD * ENGINE_PARTITIONS_MAX <=
               ENGINE_EFFECTS_MAX &&
           engine->arena.size - engine->arena.used >= WRITE_ARENA_BYTES;
}

/* Does the caller's assertion stand for an epoch of his account that is over? Where his row lives
 * elsewhere, there is nothing here to revoke by: his own acts are decided at home. */
static bool is_revoked(struct engine *engine, const struct request *request)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->subject);
    uint32_t epoch = slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->epoch;

    return access_check_epoch(request, epoch) != STATUS_OK;
}

static bool answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    const struct verb_info *info = verb_info(request->verb);

    reply->kind = REPLY_INTEGER;
    if (request->asserted && is_revoked(engine, request)) {
        reply->kind = REPLY_ERROR;
        reply->status = STATUS_TOKENREVOKED;
    } else if (info->shape == SHAPE_CLEANUP) {
        if (!cleanup_answer(engine, request, reply))
            return false;
    } else if (info->group == GROUP_READ) {
        if (!read_answer(engine, request, reply))
            return false;
    } else {
        bool fits = true;

        write_decide(engine, request, info, reply);
        if (reply->kind != REPLY_ERROR)
            fits = request->flags & REQUEST_RETURN ? reply_map(engine, request, info, reply)
                                                   : reply_plain(engine, request, info, reply);
        assert(fits); /* step_room looked */
    }
    engine->requests[request->verb]++;
    engine->answers[reply->status]++;
    return true;
}

void engine_begin(struct engine *engine, int64_t now_us)
{
    if (now_us > engine->now_us || PLANTED("engine.clock_moves_back"))
        engine->now_us = now_us;
    engine->body_size = 0;
    engine->record_count = 0;
    engine->first_sequence = engine->sequence + 1;
    engine->effect_count = 0;
    arena_reset(&engine->arena);
}

uint32_t engine_step(struct engine *engine, struct batch *batch, uint32_t from, uint32_t to,
                     int64_t now_us)
{
    uint32_t at = from;

    engine_begin(engine, now_us);
    for (; at < to; at++) {
        struct reply *reply = &batch->replies[at];

        if (batch->requests[at].verb >= VERB_COUNT)
            continue;
        *reply = (struct reply){0};
        if (!step_room(engine, &batch->requests[at]) ||
            !answer(engine, &batch->requests[at], reply))
            break;
    }
    return at;
}

/* --- effects from other partitions ---------------------------------------------------------------
 */

bool engine_can_take(const struct engine *engine, uint32_t count)
{
    return engine->body_size + (size_t)count * RECORD_BYTES_MAX <= engine->body_max &&
           engine->effect_count + (size_t)count * 2 <= ENGINE_EFFECTS_MAX;
}

/* A like that lives here is asked, from where its item lives, to be worth something else. */
static void effect_before(struct engine *engine, struct record *effect)
{
    const struct edge_row *like;

    if (effect_kind_of(effect) != EFFECT_SETTLE)
        return;
    like = hot_edge_find(engine->hot, effect->tenant, EDGE_LIKE, effect->account, effect->target);
    if (like != NULL && like->on)
        record_like_before(effect, like, engine->now_us);
}

void engine_take(struct engine *engine, const struct record *effect)
{
    struct record record = *effect;
    uint8_t verb = (uint8_t)(effect->b >> 16);
    bool flood;

    if (effect->a <= engine->marks[(uint16_t)effect->b] && !PLANTED("engine.effect_taken_twice"))
        return;
    flood = effect_kind_of(effect) == EFFECT_TARGET && verb <= VERB_UNLIKE && effect->c > 1 &&
            flood_may_begin(engine, effect, verb, (int64_t)(effect->c >> 1));
    effect_before(engine, &record);
    record_commit(engine, &record);
    if (flood)
        flood_tell(engine, &record, verb);
}

void engine_settle(struct engine *engine, const struct record *settle)
{
    const struct edge_row *edge =
        hot_edge_find(engine->hot, settle->tenant, EDGE_LIKE, settle->account, settle->target);
    struct record record = *settle;

    assert(settle->kind == RECORD_SETTLE && settle->fields & RECORD_HAS_VERDICT);
    if (edge == NULL || !edge->on)
        return;
    /* A void is lifted by the case that made it or by another decision, not by scoring again. */
    if (edge_mark(edge) == MARK_VOIDED && settle->a == 0)
        return;
    if (settle->verdict.mark == MARK_VOIDED
            ? edge_mark(edge) == MARK_VOIDED
            : edge->weight_pct == settle->verdict.weight_pct &&
                  edge->marks == edge_marks(settle->verdict.mark, settle->verdict.reason))
        return;
    record.fields |= RECORD_CHANGED;
    if (is_home(engine, record.account))
        record_like_before(&record, edge, engine->now_us);
    record_commit(engine, &record);
}
