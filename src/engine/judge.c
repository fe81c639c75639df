/* judge.c: see judge.h.
 *
 * The scorer is asked about what adds to somebody's numbers: likes, views, reports. An un-like is
 * not weighed: it takes away what its like had brought; but one of a flood, by the same function,
 * makes those of its item wait. Rules are asked about everything. */
#include "engine/judge.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "engine/case.h"
#include "engine/inner.h"
#include "engine/sanction.h"

#define REOPEN_AT_ONCE 64
#define BLIND_FROM_NOW UINT32_MAX

/* --- the region ----------------------------------------------------------------------------------
 */

struct judge_sizes judge_sizes_for(size_t bytes)
{
    size_t eighth = bytes / 8 / 64 * 64;

    assert(bytes >= JUDGE_BYTES_MIN);
    return (struct judge_sizes){.windows = 3 * eighth, .trust = 4 * eighth, .holds = eighth};
}

/* How many fit: those that wait, and an eighth of all, those to be looked at once more. */
static uint64_t holds_room(size_t bytes)
{
    return (bytes - sizeof(struct holds)) / sizeof(struct hold);
}

static bool holds_are_whole(const struct holds *holds, size_t bytes)
{
    uint64_t again = holds_room(bytes) / 8;

    return holds->capacity == holds_room(bytes) - again && holds->count <= holds->capacity &&
           holds->first < holds->capacity && holds->again_capacity == again &&
           holds->again_count <= again && holds->again_first < again;
}

static bool windows_open(uint8_t *region, size_t bytes, const uint8_t *digest)
{
    if (policy_open(region, bytes, digest) != POLICY_OPENED_FOREIGN)
        return true;
    memset(region, 0, 8);
    (void)policy_open(region, bytes, digest);
    return false;
}

/* False: it was there, and cannot be used. */
static bool trust_ready(struct judges *judges, uint8_t *region, size_t bytes, bool restored)
{
    static const uint8_t never[8];
    struct trust_config config = trust_config_for(bytes);
    bool known = restored && memcmp(region, never, sizeof never) != 0; /* was scored before */

    judges->trust = known ? trust_restore(region, bytes, &config) : NULL;
    if (judges->trust != NULL)
        return true;
    judges->trust = trust_open(region, bytes, &config);
    return !known;
}

static bool holds_open(struct judges *judges, uint8_t *region, size_t bytes, bool restored)
{
    judges->holds = (struct holds *)(void *)region;
    judges->holds_bytes = bytes;
    if (restored && holds_are_whole(judges->holds, bytes))
        return true;
    *judges->holds = (struct holds){.capacity = holds_room(bytes) - holds_room(bytes) / 8,
                                    .again_capacity = holds_room(bytes) / 8};
    return !restored;
}

/* In the queue, so many of the first until the last one that nobody scored. */
static uint64_t backlog_of(const struct holds *holds)
{
    for (uint64_t i = holds->count; i > 0; i--)
        if (holds->hold[(holds->first + i - 1) % holds->capacity].reasons >> REASON_UNSCORED & 1)
            return i;
    return 0;
}

static void blind_from_now(struct judges *judges)
{
    judges->holds->blind_until_s = BLIND_FROM_NOW;
    judges->unscored = true;
}

bool judges_open(struct judges *judges, void *region, size_t bytes, const struct policy *policy,
                 const uint8_t *policy_digest, bool scored, bool restored)
{
    struct judge_sizes sizes = judge_sizes_for(bytes);
    uint8_t *at = region;
    bool whole = true, known = true, held;

    *judges = (struct judges){.policy = policy};
    judges->windows = (struct policy_table *)(void *)region;
    judges->windows_bytes = sizes.windows;
    if (policy != NULL) {
        judges->version = policy->version;
        if (policy_digest != NULL)
            memcpy(judges->digest, policy_digest, sizeof judges->digest);
    }
    if (!restored)
        memset(region, 0, bytes);
    if (policy != NULL)
        whole = windows_open(at, sizes.windows, policy_digest);
    judges->trust_bytes = sizes.trust;
    if (scored)
        known = trust_ready(judges, at + sizes.windows, sizes.trust, restored);
    held = holds_open(judges, at + sizes.windows + sizes.trust, sizes.holds, restored);
    if (!known)
        blind_from_now(judges);
    if (!held)
        judges->holds->missed = 1;
    if (!scored)
        judges->holds->blind_until_s = 0;
    judges->unscored = judges->holds->blind_until_s != 0;
    judges->backlog = backlog_of(judges->holds);
    return whole && known && held;
}

void judges_lost(struct judges *judges)
{
    if (judges->trust != NULL)
        blind_from_now(judges);
    judges->holds->missed = 1;
}

bool judges_check(struct judges *judges, int64_t now_us, uint32_t lines)
{
    struct trust_config config = trust_config_for(judges->trust_bytes);
    bool trusted = judges->trust == NULL ||
                   trust_check(judges->trust, &config, now_us, &judges->check_hand, lines);
    bool held = holds_are_whole(judges->holds, judges->holds_bytes);

    if (trusted && held)
        return true;
    judges->failures++;
    if (!trusted) {
        judges->trust = trust_open(judges->trust, judges->trust_bytes, &config);
        blind_from_now(judges);
    }
    if (!held) {
        uint32_t blind_until_s = judges->trust != NULL ? BLIND_FROM_NOW : 0;

        (void)holds_open(judges, (uint8_t *)judges->holds, judges->holds_bytes, false);
        judges->holds->missed = 1;
        judges->holds->blind_until_s = blind_until_s;
        judges->unscored = judges->pending || blind_until_s != 0;
        judges->backlog = 0;
    }
    return false;
}

bool judge_enforce(struct judges *judges, const struct policy *policy, const uint8_t digest[32])
{
    uint32_t version = policy != NULL ? policy->version : 0;
    bool same = version == judges->version && memcmp(digest, judges->digest, 32) == 0 &&
                (policy == NULL) == (judges->policy == NULL);

    judges->policy = policy;
    judges->version = version;
    memcpy(judges->digest, digest, sizeof judges->digest);
    if (policy != NULL)
        windows_open((uint8_t *)judges->windows, judges->windows_bytes, digest);
    if (same)
        return false;
    memset(judges->tally, 0, sizeof judges->tally);
    judges->rules = (struct policy_verdict){0};
    return true;
}

void judge_enforce_shadow(struct judges *judges, const struct policy *policy, bool anew)
{
    judges->shadow.policy = policy;
    if (policy != NULL && judges->policy == NULL)
        windows_open((uint8_t *)judges->windows, judges->windows_bytes, judges->digest);
    if (!anew)
        return;
    judges->shadow = (struct judge_shadow){.policy = policy};
}

/* --- while nobody scores -------------------------------------------------------------------------
 */

static int64_t settle_delay(const struct judges *judges)
{
    return judges->policy != NULL ? judges->policy->settle_us : TRUST_SETTLE_US;
}

/* Blindness lasts one settling delay from the first act on: after that a held like is scored by
 * what the scorer has seen for as long as ever. */
static void look_from_now(struct judges *judges, int64_t now_us)
{
    int64_t until_s = (now_us + settle_delay(judges)) / 1000000 + 1;

    if (judges->holds->blind_until_s == BLIND_FROM_NOW)
        judges->holds->blind_until_s =
            until_s < BLIND_FROM_NOW ? (uint32_t)until_s : BLIND_FROM_NOW - 1;
}

/* Does nobody score now? */
static bool is_away(struct judges *judges, int64_t now_us)
{
    if (judges->pending || !judges->unscored || PLANTED("engine.blind_counts_in_full"))
        return judges->pending;
    if (now_us / 1000000 < (int64_t)judges->holds->blind_until_s)
        return true;
    judges->holds->blind_until_s = 0;
    judges->unscored = false;
    judges->backlog = backlog_of(judges->holds);
    return false;
}

enum judge_lack judges_lack(struct judges *judges, int64_t now_us)
{
    if (judges->pending)
        return JUDGE_PENDING;
    if (is_away(judges, now_us))
        return JUDGE_BLIND;
    if (judges->holds->missed > 0)
        return JUDGE_MISSED;
    return judges->backlog > 0 ? JUDGE_BACKLOG : JUDGE_LACKS_NOTHING;
}

/* --- the act -------------------------------------------------------------------------------------
 */

static bool is_scored(uint8_t verb)
{
    return verb == VERB_LIKE || verb == VERB_VIEW || verb == VERB_REPORT;
}

/* Does it make a difference where the account is at home? */
static bool is_regional(const struct policy *policy)
{
    return policy != NULL && policy->region_count > 0;
}

static void act_take_account(struct act *act, const struct account_row *account, bool regional)
{
    act->account_first_us = account->first_us;
    act->given_likes = account->given[COUNTER_LIKE];
    act->given_looks = account->given[COUNTER_VIEW] + account->given[COUNTER_SKIP];
    act->taken_back = account->taken_back;
    act->tier = account->tier;
    if (regional) /* it lies far behind the rest */
        act->region = account->region;
}

static void act_take_item(struct act *act, const struct item_row *item)
{
    act->creator = item->creator;
    act->has_creator = item->has_creator;
    act->target_likes = item->counts[COUNTER_LIKE];
}

bool judge_is_undo(const struct policy *policy, const struct act *act)
{
    return act->verb == VERB_UNLIKE && policy != NULL && act->edge_us != 0 &&
           act->now_us - act->edge_us <=
               policy_undo_us(policy, (enum tier)act->tier, (enum source)act->source, act->region);
}

static void act_fill(struct engine *engine, struct act *act, uint16_t tenant, uint8_t verb,
                     uint64_t account, uint64_t target, const struct context *context,
                     int64_t time_us, bool regional)
{
    uint8_t kind = verb_info(verb)->edge;
    uint32_t slot = hot_account_find(engine->hot, tenant, account);
    const struct edge_row *edge;

    *act = (struct act){
        .now_us = time_us,
        .account = account,
        .target = target,
        .account_first_us = time_us,
        .tenant = tenant,
        .verb = verb,
    };
    if (context != NULL) {
        act->address = context->address;
        act->device = context->device;
        act->network = context->network;
        act->source = context->source;
    }
    if (slot != HOT_NONE)
        act_take_account(act, hot_account(engine->hot, slot), regional);
    if (kind != EDGE_NONE &&
        (edge = hot_edge_find(engine->hot, tenant, kind, account, target)) != NULL) {
        act->flips = edge->flips;
        act->edge_us = edge->time_us;
    }
    if (!edge_target_is_account(kind) &&
        (slot = hot_item_find(engine->hot, tenant, target)) != HOT_NONE)
        act_take_item(act, hot_item(engine->hot, slot));
}

static void act_make(struct engine *engine, uint16_t tenant, uint8_t verb, uint64_t account,
                     uint64_t target, const struct context *context, int64_t time_us)
{
    const struct judges *judges = engine->judges;
    struct act *act = &engine->judges->act;

    act_fill(engine, act, tenant, verb, account, target, context, time_us,
             is_regional(judges->policy) || is_regional(judges->shadow.policy));
    act->exempt = judge_is_undo(judges->policy, act);
}

static const struct context *context_of(const struct record *record)
{
    return record->fields & RECORD_HAS_CONTEXT ? &record->context : NULL;
}

struct act judge_act_of(struct engine *engine, const struct record *record,
                        const struct policy *policy)
{
    struct act act;

    act_fill(engine, &act, record->tenant, record->kind, record->account, record->target,
             context_of(record), record->time_us, is_regional(policy));
    act.exempt = record_cleanup(record) != 0 || judge_is_undo(policy, &act);
    return act;
}

/* What happened elsewhere and long ago is taken over as it was: its pace is that of a program. Only
 * the platform may say so (judge_act), so a replay needs not ask. */
static bool is_import(const struct act *act)
{
    return act->source == SOURCE_IMPORT;
}

/* --- judging -------------------------------------------------------------------------------------
 */

/* The lesser weight stands; the reason of whoever took more. */
static void verdict_lower(struct verdict *verdict, uint8_t weight_pct, uint8_t mark,
                          enum reason reason)
{
    if (weight_pct < verdict->weight_pct || mark > verdict->mark) {
        verdict->reason = (uint8_t)reason;
        verdict->reasons |= (uint16_t)(1u << reason);
    }
    if (weight_pct < verdict->weight_pct)
        verdict->weight_pct = weight_pct;
    if (mark > verdict->mark)
        verdict->mark = mark;
}

static enum status refusal_of(const struct judges *judges, struct reply *reply)
{
    const struct policy_verdict *rules = &judges->rules;

    for (int action = POLICY_LIKE_BAN; action >= POLICY_LIMIT; action--)
        if (rules->rule[action] != POLICY_NONE && rules->until_us[action] > judges->act.now_us) {
            reply->until_us = rules->until_us[action];
            return STATUS_SUSPENDED;
        }
    reply->retry_ms = rules->retry_us > judges->act.now_us
                          ? (uint32_t)((rules->retry_us - judges->act.now_us) / 1000 + 1)
                          : 1000;
    return STATUS_RATE;
}

static void tally_rule(const struct policy_rule *rule, uint8_t verb, struct judge_tally *tally)
{
    uint32_t actions = 0;

    for (uint32_t i = 0; i < rule->deed_count; i++)
        if (!rule->deeds[i].proposed)
            actions |= 1u << rule->deeds[i].action;
    if (verb != VERB_LIKE)
        actions &= ~(1u << POLICY_LIKE_BAN);
    tally->fired++;
    tally->refused +=
        (actions & (1u << POLICY_REFUSE | 1u << POLICY_LIMIT | 1u << POLICY_LIKE_BAN)) != 0;
    tally->held += actions >> POLICY_HOLD & 1;
    tally->cut += actions >> POLICY_WEIGHT & 1;
}

/* Few acts meet a rule: the words are nearly always 0. */
static void tally_rules(const struct policy *policy, const struct policy_verdict *rules,
                        uint8_t verb, struct judge_tally *tally)
{
    if (rules->fired_count == 0)
        return;
    for (uint32_t word = 0; word < POLICY_RULES_MAX / 64; word++) {
        uint64_t bits = rules->fired[word];

        if (!PLANTED("engine.shadow_is_not_counted"))
            bits |= rules->shadow[word];
        for (; bits != 0; bits &= bits - 1) {
            uint32_t index = 64 * word + (uint32_t)__builtin_ctzll(bits);

            tally_rule(&policy->rules[index], verb, &tally[index]);
        }
    }
}

/* The act as the shadow's rules see it: their undo is their own; a clean-up is exempt for all. */
static struct act shadow_act(const struct judges *judges)
{
    bool undo = judge_is_undo(judges->policy, &judges->act);
    bool own = judge_is_undo(judges->shadow.policy, &judges->act);
    struct act act = judges->act;

    act.exempt = own || (act.exempt && !undo);
    return act;
}

/* What the proposed rules would say; nothing follows from it. */
static void judge_in_shadow(struct judges *judges)
{
    struct judge_shadow *shadow = &judges->shadow;
    const struct policy_verdict *rules = &shadow->rules;
    struct act act = shadow_act(judges);

    policy_judge(shadow->policy, judges->windows, &act, &shadow->rules);
    tally_rules(shadow->policy, rules, act.verb, shadow->tally);
    shadow->judged++;
    shadow->refused += rules->refused;
    shadow->held += !rules->refused && rules->actions >> POLICY_HOLD & 1;
    shadow->cut += !rules->refused && rules->rule[POLICY_WEIGHT] != POLICY_NONE &&
                   rules->weight_pct < WEIGHT_FULL;
}

/* By the rules. */
static enum status judge_rules(struct judges *judges, bool confirmed, struct verdict *verdict,
                               struct reply *reply)
{
    const struct policy_verdict *rules = &judges->rules;

    policy_judge(judges->policy, judges->windows, &judges->act, &judges->rules);
    tally_rules(judges->policy, rules, judges->act.verb, judges->tally);
    verdict->policy = judges->policy->version;
    if (rules->refused && !PLANTED("engine.rules_do_not_refuse"))
        return refusal_of(judges, reply);
    if (rules->actions >> POLICY_CONFIRM & 1 && !confirmed)
        return STATUS_CONFIRM;
    if (rules->rule[POLICY_WEIGHT] != POLICY_NONE && rules->weight_pct < WEIGHT_FULL) {
        verdict_lower(verdict, rules->weight_pct, MARK_PLAIN, REASON_POLICY);
        verdict->rule = (uint16_t)(1 + rules->rule[POLICY_WEIGHT]);
    }
    if (rules->actions >> POLICY_HOLD & 1) {
        verdict_lower(verdict, WEIGHT_FULL, MARK_HELD, REASON_POLICY);
        verdict->rule = (uint16_t)(1 + rules->rule[POLICY_HOLD]);
    }
    return STATUS_OK;
}

/* By what was seen. */
static void judge_score(struct judges *judges, struct verdict *verdict, int64_t *window_us)
{
    const struct trust_verdict *score = &judges->score;
    const struct act *act = &judges->act;

    if (judges->trust == NULL || act->exempt)
        return;
    trust_judge(judges->trust, act, &judges->score);
    verdict_lower(verdict, score->weight_pct, score->mark, (enum reason)score->reason);
    verdict->reasons |= score->reasons;
    judges->along = score->along;
    if (score->mark == MARK_QUARANTINED)
        *window_us =
            trust_flood_us(judges->trust, act->tenant, act->verb, act->target, act->now_us);
}

static uint8_t account_cut_pct(struct engine *engine, const struct act *act)
{
    uint32_t slot = hot_account_find(engine->hot, act->tenant, act->account);
    const struct account_row *account;

    if (slot == HOT_NONE)
        return WEIGHT_FULL;
    account = hot_account(engine->hot, slot);
    return account->cut_until_us > act->now_us ? account->cut_pct : WEIGHT_FULL;
}

static void count_verdict(struct judges *judges, const struct verdict *verdict)
{
    judges->judged++;
    judges->held += verdict->mark == MARK_HELD;
    judges->quarantined += verdict->mark == MARK_QUARANTINED;
    judges->devalued += verdict->mark == MARK_PLAIN && verdict->weight_pct < WEIGHT_FULL;
}

/* An un-like of a flood: until when those of its item wait; 0: it is none. */
static int64_t judge_freeze(const struct judges *judges)
{
    const struct act *act = &judges->act;

    if (act->verb != VERB_UNLIKE || judges->trust == NULL || judges->policy == NULL ||
        judges->policy->freeze_us == 0 || !trust_floods(judges->trust, act))
        return 0;
    return act->now_us + judges->policy->freeze_us;
}

enum status judge_decide(struct judges *judges, bool confirmed, uint8_t cut_pct,
                         struct verdict *verdict, int64_t *window_us, struct reply *reply)
{
    enum status status = STATUS_OK;

    *verdict = (struct verdict){.weight_pct = WEIGHT_FULL};
    *window_us = 0;
    if (judges->shadow.policy != NULL)
        judge_in_shadow(judges);
    if (judges->policy != NULL)
        status = judge_rules(judges, confirmed, verdict, reply);
    if (status != STATUS_OK) {
        judges->refused++;
        return status;
    }
    if (!is_scored(judges->act.verb)) {
        *window_us = judge_freeze(judges);
        return STATUS_OK;
    }
    if (judges->unscored)
        look_from_now(judges, judges->act.now_us);
    if (judges->unscored && is_away(judges, judges->act.now_us) &&
        !PLANTED("engine.unscored_counts_in_full"))
        verdict_lower(verdict, WEIGHT_FULL, MARK_HELD, REASON_UNSCORED);
    judge_score(judges, verdict, window_us);
    if (cut_pct < WEIGHT_FULL)
        verdict_lower(verdict, cut_pct, MARK_PLAIN, REASON_POLICY);
    count_verdict(judges, verdict);
    return STATUS_OK;
}

enum status judge_act(struct engine *engine, const struct request *request, uint8_t verb,
                      struct verdict *verdict, int64_t *window_us, struct reply *reply)
{
    struct judges *judges = engine->judges;
    enum status status;

    *verdict = (struct verdict){.weight_pct = WEIGHT_FULL};
    *window_us = 0;
    if (judges == NULL) {
        if (verb == VERB_LIKE)
            case_quarantine(engine, request->tenant, request->target, verdict);
        return STATUS_OK;
    }
    judges->along = 0;
    act_make(engine, request->tenant, verb, request->account, request->target,
             request->flags & REQUEST_CONTEXT ? &request->context : NULL, engine->now_us);
    judges->act_is_ready = true;
    if (is_import(&judges->act)) {
        judges->act_is_ready = !request->asserted;
        return request->asserted ? STATUS_NOPERM : STATUS_OK;
    }
    status = judge_decide(judges, request->flags & REQUEST_CONFIRMED,
                          is_scored(verb) ? account_cut_pct(engine, &judges->act) : WEIGHT_FULL,
                          verdict, window_us, reply);
    if (verb == VERB_LIKE && status == STATUS_OK)
        case_quarantine(engine, request->tenant, request->target, verdict);
    judges->act_is_ready = status == STATUS_OK;
    return status;
}

/* Rules that only tell somebody, or that only ask, say nothing of the account. */
#define ACTIONS_MILD (1u << POLICY_ALLOW | 1u << POLICY_ALERT | 1u << POLICY_CONFIRM)

static enum intent intent_of(const struct judges *judges, const struct record *record,
                             int64_t freeze_us)
{
    if (record_cleanup(record) != 0)
        return INTENT_CLEANUP;
    if (judges->act.exempt)
        return INTENT_UNDO;
    if (freeze_us != 0 || (judges->rules.actions & ~ACTIONS_MILD) != 0)
        return INTENT_FLOOD;
    return INTENT_CHANGE;
}

/* A slip leaves nothing behind; all else fades. */
void judge_unlike(struct engine *engine, struct record *record, int64_t freeze_us)
{
    const struct judges *judges = engine->judges;
    enum intent intent;
    uint64_t horizon_s = 0;

    if (record->kind != VERB_UNLIKE || judges == NULL || judges->policy == NULL ||
        (record_cleanup(record) == 0 && is_import(&judges->act)))
        return;
    intent = intent_of(judges, record, freeze_us);
    if (intent != INTENT_UNDO || PLANTED("engine.undo_fades"))
        horizon_s = (uint64_t)(judges->policy->smooth_us / 1000000);
    record->fields |= RECORD_HAS_ARGS;
    record->b = (uint64_t)intent | horizon_s << 8;
    if (freeze_us != 0 && horizon_s != 0) {
        record->fields |= RECORD_HAS_EXTRA;
        record->c = (uint64_t)freeze_us;
    }
}

/* The first views of a flood of newcomers go with the one that shows it. */
void judge_view(const struct engine *engine, struct record *record)
{
    if (record->kind == VERB_VIEW && engine->judges != NULL)
        record->b |= (uint64_t)engine->judges->along << 32;
}

void judge_sanction(struct engine *engine)
{
    const struct judges *judges = engine->judges;

    if (judges == NULL || judges->policy == NULL || judges->rules.fired_count == 0 ||
        is_import(&judges->act) ||
        hot_account_find(engine->hot, judges->act.tenant, judges->act.account) == HOT_NONE)
        return;
    sanction_from_verdict(engine, &judges->act, judges->policy, &judges->rules);
}

/* --- learning ------------------------------------------------------------------------------------
 */

static void hold_add(struct holds *holds, const struct hold *hold)
{
    uint64_t at = (holds->first + holds->count) % holds->capacity;

    if (holds->count == holds->capacity) {
        /* The caller settles the oldest first (engine_holds_due), unless nobody scores; this is the
         * last resort. It stays held, and is found again when there is room. */
        holds->first = (holds->first + 1) % holds->capacity;
        holds->count--;
        holds->missed += holds->missed < UINT32_MAX && !PLANTED("engine.full_queue_forgets");
    }
    holds->hold[at] = *hold;
    holds->count++;
}

static void hold_push(struct judges *judges, const struct act *act, const struct verdict *verdict,
                      int64_t window_us)
{
    int64_t delay_us = settle_delay(judges);
    struct hold hold = {
        .account = act->account,
        .item = act->target,
        .address = act->address,
        .device = act->device,
        .network = act->network,
        .time_us = act->now_us,
        .due_us = act->now_us + delay_us > window_us ? act->now_us + delay_us : window_us,
        .tenant = act->tenant,
        .reasons = verdict->reasons,
        .source = act->source,
        .weight_pct = verdict->weight_pct,
    };

    hold_add(judges->holds, &hold);
}

static struct hold hold_of(const struct trust_like *like)
{
    return (struct hold){
        .account = like->account,
        .item = like->target,
        .address = like->address,
        .device = like->device,
        .network = like->network,
        .time_us = like->time_us,
        .tenant = like->tenant,
        .reasons = like->reasons,
        .source = like->source,
        .weight_pct = WEIGHT_FULL,
    };
}

/* What was seen of it at the moment is lost, but for the main reason. */
bool judges_requeue(struct judges *judges, const struct edge_row *edge)
{
    struct holds *holds = judges->holds;
    struct hold hold = {.account = edge->account,
                        .item = edge->target,
                        .time_us = edge->time_us,
                        .due_us = edge->time_us + settle_delay(judges),
                        .tenant = edge->tenant,
                        .reasons = (uint16_t)(1u << edge_reason(edge)),
                        .weight_pct = edge->weight_pct};

    if (holds->count > holds->capacity - holds->capacity / 4)
        return false;
    hold_add(holds, &hold);
    judges->backlog = holds->count;
    return true;
}

bool engine_hold_again(struct engine *engine, const struct edge_row *row)
{
    const struct edge_row *edge =
        hot_edge_find(engine->hot, row->tenant, EDGE_LIKE, row->account, row->target);

    if (edge == NULL)
        edge = row;
    if (!edge->on || !is_home(engine, edge->account) ||
        (edge_mark(edge) != MARK_HELD && edge_mark(edge) != MARK_QUARANTINED))
        return true;
    return judges_requeue(engine->judges, edge);
}

/* The likes that the target of judges->act got shortly before. */
static void reopen(struct judges *judges)
{
    struct trust_like likes[REOPEN_AT_ONCE];
    struct holds *holds = judges->holds;
    uint32_t count = trust_recent(judges->trust, &judges->act, likes, REOPEN_AT_ONCE);

    for (uint32_t i = 0; i < count && holds->again_count < holds->again_capacity; i++) {
        uint64_t at = (holds->again_first + holds->again_count++) % holds->again_capacity;
        struct hold hold = hold_of(&likes[i]);

        hold.due_us = judges->act.now_us;
        holds->hold[holds->capacity + at] = hold;
    }
}

void judge_hold(struct engine *engine, const struct record *record, const struct edge_row *edge)
{
    struct judges *judges = engine->judges;
    struct trust_like like = {.account = record->account,
                              .target = record->target,
                              .time_us = edge->time_us,
                              .tenant = record->tenant};
    struct hold hold;

    if (judges == NULL)
        return;
    if (record->a != 0) { /* given back by a case: by now it waits in no queue */
        if (!judges_requeue(judges, edge) && judges->holds->missed < UINT32_MAX)
            judges->holds->missed++;
        return;
    }
    if (judges->trust != NULL)
        (void)trust_recall(judges->trust, record->tenant, record->account, record->target,
                           edge->time_us, &like);
    hold = hold_of(&like);
    hold.reasons |= record->verdict.reasons;
    hold.weight_pct = record->verdict.weight_pct;
    hold.due_us = record->time_us + settle_delay(judges);
    hold_add(judges->holds, &hold);
    judges->reopened++;
}

void judge_prepare(struct engine *engine, const struct record *record)
{
    struct judges *judges = engine->judges;

    if (judges == NULL || judges->act_is_ready)
        return;
    act_make(engine, record->tenant, record->kind, record->account, record->target,
             context_of(record), record->time_us);
    if (record_cleanup(record) != 0 && !PLANTED("engine.cleanup_is_judged"))
        judges->act.exempt = 1;
    judges->act_is_ready = true;
}

void judge_observe(struct judges *judges, const struct verdict *verdict, int64_t window_us)
{
    struct act *act = &judges->act;

    act->weight_pct = verdict->weight_pct;
    act->mark = verdict->mark;
    if (judges->shadow.policy != NULL) { /* first: it looks at windows as they were judged by */
        struct act seen = shadow_act(judges);

        policy_observe(judges->shadow.policy, judges->windows, &seen);
    }
    if (judges->policy != NULL)
        policy_observe(judges->policy, judges->windows, act);
    /* Views speak about views: who floods an item with them does not stop its likes. */
    if (judges->trust != NULL && !act->exempt && trust_observe(judges->trust, act) &&
        act->verb != VERB_VIEW && act->verb != VERB_SKIP)
        reopen(judges);
    if (act->verb == VERB_LIKE && (verdict->mark == MARK_HELD || verdict->mark == MARK_QUARANTINED))
        hold_push(judges, act, verdict, window_us);
}

void judge_learn(struct engine *engine, const struct record *record)
{
    struct judges *judges = engine->judges;
    struct verdict verdict = record_verdict(record);

    if (judges == NULL)
        return;
    assert(judges->act_is_ready && judges->act.account == record->account &&
           judges->act.target == record->target && judges->act.verb == record->kind);
    judges->act_is_ready = false;
    if (!is_import(&judges->act))
        judge_observe(judges, &verdict, (int64_t)record->c);
}

/* The place in the ring stays, of a like that never was (its time). */
static void hold_forget(struct hold *hold, uint16_t tenant, uint64_t account)
{
    if (hold->account == account && hold->tenant == tenant)
        *hold = (struct hold){.time_us = INT64_MIN, .due_us = hold->due_us};
}

void judge_forget(struct engine *engine, uint16_t tenant, uint64_t account)
{
    struct judges *judges = engine->judges;

    if (judges == NULL || PLANTED("engine.judges_remember_the_erased"))
        return;
    for (uint64_t i = 0; i < judges->holds->capacity + judges->holds->again_capacity; i++)
        hold_forget(&judges->holds->hold[i], tenant, account);
    if (judges->trust != NULL)
        trust_forget(judges->trust, tenant, account);
}

void judge_prefetch(const struct engine *engine, const struct request *request, bool deep)
{
    const struct judges *judges = engine->judges;
    struct act act;

    if (request->verb >= VERB_COUNT)
        return;
    act = (struct act){.verb = (uint8_t)request->verb,
                       .tenant = request->tenant,
                       .account = request->account,
                       .target = request->target,
                       .now_us = engine->now_us,
                       .address = request->context.address,
                       .device = request->context.device,
                       .network = request->context.network};
    if (judges->policy != NULL && deep)
        policy_prefetch_windows(judges->policy, judges->windows, &act);
    else if (judges->policy != NULL)
        policy_prefetch(judges->policy, judges->windows, &act);
    if (judges->trust != NULL && deep)
        trust_prefetch_deep(judges->trust, &act);
    else if (judges->trust != NULL)
        trust_prefetch(judges->trust, &act);
}

/* --- settling ------------------------------------------------------------------------------------
 */

/* Room is kept for what one turn can add, so that none is lost; not while nobody scores. */
static bool is_due(const struct judges *judges, uint64_t i, int64_t now_us)
{
    const struct holds *holds = judges->holds;
    const struct hold *hold = &holds->hold[(holds->first + i) % holds->capacity];

    return hold->due_us <= now_us ||
           (holds->count - i > holds->capacity - holds->capacity / 8 &&
            (!judges->unscored || PLANTED("engine.full_queue_counts_in_full")));
}

uint32_t engine_holds_due(const struct engine *engine, int64_t now_us, const struct hold **hold,
                          uint32_t count)
{
    const struct holds *holds = engine->judges != NULL ? engine->judges->holds : NULL;
    uint32_t due = 0;

    if (holds == NULL)
        return 0;
    for (; due < count && due < holds->again_count; due++)
        hold[due] =
            &holds->hold[holds->capacity + (holds->again_first + due) % holds->again_capacity];
    if (due > 0)
        return due;
    for (; due < count && due < holds->count && is_due(engine->judges, due, now_us); due++)
        hold[due] = &holds->hold[(holds->first + due) % holds->capacity];
    return due;
}

struct record engine_hold_record(const struct hold *hold)
{
    return (struct record){
        .kind = RECORD_SETTLE,
        .tenant = hold->tenant,
        .fields = RECORD_HAS_VERDICT | RECORD_CHANGED | (hold->tenant != 0 ? RECORD_HAS_TENANT : 0),
        .account = hold->account,
        .target = hold->item,
    };
}

static enum reason main_reason(uint16_t reasons)
{
    for (int reason = 1; reason < REASON_COUNT; reason++)
        if (reasons >> reason & 1)
            return (enum reason)reason;
    return REASON_UNSCORED;
}

static void act_again(struct engine *engine, const struct hold *hold)
{
    struct context context = {.address = hold->address,
                              .device = hold->device,
                              .network = hold->network,
                              .source = hold->source};

    act_make(engine, hold->tenant, VERB_LIKE, hold->account, hold->item, &context, hold->time_us);
}

/* As it looks by now. */
static struct verdict score_again(struct engine *engine, const struct hold *hold)
{
    struct judges *judges = engine->judges;
    struct verdict verdict = {.weight_pct = WEIGHT_FULL};
    struct trust_verdict *score = &judges->score;
    uint8_t cut_pct;

    act_again(engine, hold);
    if (judges->trust != NULL) {
        *score = (struct trust_verdict){.reasons = hold->reasons};
        trust_settle(judges->trust, &judges->act, score);
        verdict_lower(&verdict, score->weight_pct, MARK_PLAIN, (enum reason)score->reason);
        verdict.reasons |= score->reasons;
    }
    /* Much later (a node that was down, a backlog) the scorer may have forgotten what was against
     * it: then what was seen at the time stands. */
    if (engine->now_us > hold->due_us + settle_delay(judges) && !PLANTED("engine.late_is_full"))
        verdict_lower(&verdict, hold->weight_pct, MARK_PLAIN, main_reason(hold->reasons));
    cut_pct = account_cut_pct(engine, &judges->act);
    if (cut_pct < WEIGHT_FULL)
        verdict_lower(&verdict, cut_pct, MARK_PLAIN, REASON_POLICY);
    verdict.policy = judges->policy != NULL ? judges->policy->version : 0;
    return verdict;
}

/* Still to be settled, and not a later like of the same account? */
static bool waits(struct engine *engine, const struct hold *hold)
{
    const struct edge_row *edge =
        hot_edge_find(engine->hot, hold->tenant, EDGE_LIKE, hold->account, hold->item);

    return edge != NULL && edge->on && edge->time_us == hold->time_us &&
           (edge_mark(edge) == MARK_HELD || edge_mark(edge) == MARK_QUARANTINED);
}

/* A like that counts in full: held, if by now it should not. */
static void settle_again(struct engine *engine)
{
    struct trust_verdict *score = &engine->judges->score;
    struct holds *holds = engine->judges->holds;
    struct hold hold = holds->hold[holds->capacity + holds->again_first];
    struct record record = engine_hold_record(&hold);
    const struct edge_row *edge =
        hot_edge_find(engine->hot, hold.tenant, EDGE_LIKE, hold.account, hold.item);

    holds->again_first = (holds->again_first + 1) % holds->again_capacity;
    holds->again_count--;
    if (engine->judges->trust == NULL || edge == NULL || !edge->on ||
        edge->time_us != hold.time_us || edge_mark(edge) != MARK_PLAIN ||
        edge->weight_pct != WEIGHT_FULL)
        return;
    act_again(engine, &hold);
    *score = (struct trust_verdict){.reasons = hold.reasons};
    trust_review(engine->judges->trust, &engine->judges->act, score);
    if (score->mark != MARK_HELD)
        return;
    record.verdict = (struct verdict){.weight_pct = WEIGHT_FULL};
    verdict_lower(&record.verdict, score->weight_pct, MARK_HELD, (enum reason)score->reason);
    record.verdict.reasons |= score->reasons;
    record.verdict.policy = engine->judges->policy != NULL ? engine->judges->policy->version : 0;
    engine_settle(engine, &record);
}

void engine_hold_settle(struct engine *engine)
{
    struct judges *judges = engine->judges;
    struct holds *holds = judges->holds;
    struct hold hold = holds->hold[holds->first];
    struct record record = engine_hold_record(&hold);
    uint32_t slot;

    if (holds->again_count > 0) {
        settle_again(engine);
        return;
    }

    assert(holds->count > 0);
    holds->first = (holds->first + 1) % holds->capacity;
    holds->count--;
    judges->backlog -= judges->backlog > 0;
    if (!waits(engine, &hold))
        return;
    slot = hot_item_find(engine->hot, hold.tenant, hold.item);
    if (slot != HOT_NONE && hot_item(engine->hot, slot)->window_until_us > engine->now_us &&
        hold.due_us <= engine->now_us) { /* the window is open: again when it ends */
        hold.due_us = hot_item(engine->hot, slot)->window_until_us;
        holds->hold[(holds->first + holds->count++) % holds->capacity] = hold;
        return;
    }
    if (is_away(judges, engine->now_us) && !PLANTED("engine.full_queue_counts_in_full")) {
        hold.due_us = engine->now_us + settle_delay(judges); /* pending until the scorer is back */
        if (!judges->pending && holds->blind_until_s != BLIND_FROM_NOW)
            hold.due_us = (int64_t)holds->blind_until_s * 1000000; /* that is known */
        holds->hold[(holds->first + holds->count++) % holds->capacity] = hold;
        return;
    }
    holds->early += hold.due_us > engine->now_us;
    record.verdict = score_again(engine, &hold);
    judges->settled++;
    engine_settle(engine, &record);
}
