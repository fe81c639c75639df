/* interaction.c: what accounts do to items and creators.
 *
 * An account's partition owns the edge and what the account gave; the target's partition owns what
 * the target got; the creator's partition what the creator received. With one partition all three
 * are here; otherwise the later two are effects. */
#include <assert.h>

#include "base/hook.h"
#include "engine/case.h"
#include "engine/inner.h"
#include "engine/notice.h"
#include "engine/sanction.h"
#include "engine/withdraw.h"

/* --- decide --------------------------------------------------------------------------------------
 */

static enum status account_check(struct engine *engine, const struct request *request, uint8_t verb,
                                 int64_t *until_us)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    const struct account_row *row;

    if (slot == HOT_NONE)
        return engine->create_unknown ? STATUS_OK : STATUS_NOACCOUNT;
    row = hot_account(engine->hot, slot);
    return sanction_check(row, verb, engine->now_us, until_us);
}

/* Taking back and reporting stay possible when an item is closed. */
static bool works_on_closed(uint8_t verb)
{
    return verb == VERB_UNLIKE || verb == VERB_UNFAVORITE || verb == VERB_REPORT;
}

static enum status target_check(struct engine *engine, const struct request *request, uint8_t verb)
{
    uint32_t slot;

    if (edge_target_is_account(verb_info(verb)->edge)) {
        slot = hot_account_find(engine->hot, request->tenant, request->target);
        return slot == HOT_NONE && !engine->create_unknown ? STATUS_NOACCOUNT : STATUS_OK;
    }
    slot = hot_item_find(engine->hot, request->tenant, request->target);
    if (slot == HOT_NONE)
        return engine->create_unknown ? STATUS_OK : STATUS_NOITEM;
    if (hot_item(engine->hot, slot)->state != ITEM_PUBLISHED && !works_on_closed(verb) &&
        !PLANTED("engine.closed_is_ignored"))
        return STATUS_CLOSED;
    return STATUS_OK;
}

enum status interaction_check(struct engine *engine, const struct request *request, uint8_t verb,
                              int64_t *until_us)
{
    enum status status = account_check(engine, request, verb, until_us);

    return status != STATUS_OK ? status : target_check(engine, request, verb);
}

/* Events always do; a state only if it is another one. */
bool interaction_changes(const struct engine *engine, uint16_t tenant, uint8_t verb,
                         uint64_t account, uint64_t target, const struct edge_row **before)
{
    const struct verb_info *info = verb_info(verb);
    const struct edge_row *edge;
    bool on;

    *before = NULL;
    if (info->edge == EDGE_NONE)
        return true;
    edge = hot_edge_find(engine->hot, tenant, info->edge, account, target);
    on = edge != NULL && edge->on;
    *before = edge;
    if (PLANTED("engine.toggle"))
        return true;
    return on != (info->on != 0);
}

/* --- effects -------------------------------------------------------------------------------------
 */

void effect_emit(struct engine *engine, const struct record *cause, uint16_t to,
                 enum effect_kind kind, uint8_t verb, uint64_t account, uint64_t target,
                 int64_t amount, const struct verdict *verdict)
{
    struct effect *effect;

    assert(engine->effect_count < ENGINE_EFFECTS_MAX);
    assert(engine->effect_index < EFFECTS_PER_RECORD);
    effect = &engine->effects[engine->effect_count++];
    effect->to = to;
    effect->record = (struct record){
        .kind = RECORD_EFFECT,
        .tenant = cause->tenant,
        .time_us = cause->time_us,
        .fields = RECORD_HAS_ARGS | RECORD_HAS_EXTRA | RECORD_CHANGED |
                  (cause->tenant != 0 ? RECORD_HAS_TENANT : 0),
        .account = account,
        .target = target,
        .a = cause->sequence * EFFECTS_PER_RECORD + engine->effect_index++,
        .b = engine->partition | (uint64_t)verb << 16 | (uint64_t)kind << 32,
        .c = (uint64_t)amount << 1 ^ (uint64_t)(amount >> 63), /* zigzag: small whatever the sign */
    };
    if (verdict != NULL &&
        (!verdict_is_plain(verdict) || kind == EFFECT_WEIGH || kind == EFFECT_SETTLE)) {
        effect->record.fields |= RECORD_HAS_VERDICT;
        effect->record.verdict = *verdict;
    }
}

/* To every other partition. They share one index: each sees it once. */
void effect_emit_all(struct engine *engine, const struct record *cause, enum effect_kind kind,
                     uint64_t target, int64_t amount)
{
    uint32_t index = engine->effect_index;

    for (uint16_t to = 0; to < engine->partition_count; to++) {
        if (to == engine->partition)
            continue;
        engine->effect_index = index;
        effect_emit(engine, cause, to, kind, 0, 0, target, amount, NULL);
    }
}

/* --- apply ---------------------------------------------------------------------------------------
 */

static void add(uint64_t *count, int64_t amount)
{
    assert(amount >= 0 || *count >= (uint64_t)-amount);
    *count += (uint64_t)amount;
}

void received_apply(struct engine *engine, uint16_t tenant, uint64_t creator, int64_t time_us,
                    enum counter counter, int64_t amount)
{
    uint32_t slot = account_ensure(engine, tenant, creator, time_us);

    add(&hot_account_change(engine->hot, slot)->received[counter], amount);
}

void received_move(struct engine *engine, const struct record *cause, uint64_t creator,
                   enum counter counter, int64_t amount)
{
    if (is_home(engine, creator))
        received_apply(engine, cause->tenant, creator, cause->time_us, counter, amount);
    else
        effect_emit(engine, cause, hash_partition(creator, engine->partition_count),
                    EFFECT_RECEIVED, (uint8_t)counter, 0, creator, amount, NULL);
}

/* The highest count of likes there was, and until when. */
static void peak_move(struct item_row *item, int64_t amount, int64_t time_us)
{
    uint64_t likes = item->counts[COUNTER_LIKE]; /* already moved */

    if (likes > item->peak) {
        item->peak = likes;
        item->peak_us = 0;
    } else if (amount < 0 && item->peak_us == 0) {
        item->peak_us = time_us;
    }
}

/* What is known of a change of an edge, beside the verb. */
struct turn {
    struct verdict worth; /* of the like that comes or goes, or of the view */
    uint8_t back_pct;     /* a like comes back: what its withdrawal had left to fade, */
    int64_t before_us;    /* and when it was; a like goes: when it came */
    bool seasoned;        /* a like goes that was the first, and stood for long */
    uint32_t horizon_s;   /* of an un-like */
    int64_t window_us;    /* LIKE: quarantine of the item; UNLIKE: freeze; 0: none */
    uint64_t watch_ms;    /* of a VIEW */
    uint8_t along;        /* of a VIEW: halves of views before it that count no longer */
};

/* A like went: its weight fades, or waits. */
static void withdrawn_apply(struct item_row *item, const struct turn *turn, int64_t time_us)
{
    struct withdrawn *row = &item->withdrawn;

    if (turn->window_us > time_us && turn->horizon_s > 0)
        (void)withdraw_freeze(row, turn->window_us, time_us);
    if (turn->worth.mark == MARK_PLAIN)
        withdraw_take(row, turn->worth.weight_pct, turn->horizon_s, turn->seasoned, time_us);
}

/* A like came back: what of it was compensated is owed again. */
static void returned_apply(struct engine *engine, const struct record *record,
                           struct item_row *item, const struct turn *turn)
{
    uint64_t owed_pct =
        withdraw_return(&item->withdrawn, turn->back_pct, turn->before_us, record->time_us);

    if (item->has_creator && !PLANTED("engine.relike_keeps_compensation"))
        compensation_move(engine, record, item->creator, -(int64_t)owed_pct, 0);
}

/* A quarantine opens, or stays open longer; the creator is told when it opens. */
static void window_apply(struct engine *engine, const struct record *record, struct item_row *item,
                         int64_t until_us)
{
    bool opens = item->window_until_us <= record->time_us;

    if (until_us <= item->window_until_us)
        return;
    item->window_until_us = until_us;
    if (opens)
        notice_tell_creator(engine, record, item->id,
                            (struct notice_order){.kind = NOTICE_WINDOW, .until_us = until_us});
}

/* What a view is worth less than in full, and those it takes along. Held or quarantined it is worth
 * nothing, for good: no view is scored again. At most all that there is: a record of another make
 * may say what it likes. */
static void view_apply(struct item_row *item, const struct turn *turn)
{
    uint64_t all_pct = item->counts[COUNTER_VIEW] * WEIGHT_FULL; /* this one is among them */
    uint64_t lost_pct = turn->worth.mark == MARK_PLAIN
                            ? (uint64_t)WEIGHT_FULL - turn->worth.weight_pct
                            : WEIGHT_FULL;

    if (PLANTED("engine.views_count_in_full"))
        return;
    lost_pct += (uint64_t)turn->along * WEIGHT_FULL / 2;
    item->views_lost_pct += lost_pct;
    if (item->views_lost_pct > all_pct)
        item->views_lost_pct = all_pct;
}

/* What the verb does to its item, and to the item's creator. */
static void item_apply(struct engine *engine, const struct record *record, uint32_t slot,
                       uint8_t verb, const struct turn *turn)
{
    const struct verb_info *info = verb_info(verb);
    struct item_row *item = hot_item_change(engine->hot, slot);
    int64_t amount = info->edge == EDGE_NONE || info->on ? 1 : -1;

    add(&item->counts[info->counter], amount);
    item->watch_ms += turn->watch_ms;
    if (verb == VERB_VIEW)
        view_apply(item, turn);
    if (item->has_creator && !PLANTED("engine.creator_gets_nothing"))
        received_move(engine, record, item->creator, info->counter, amount);
    if (item->has_creator && record->fields & RECORD_HAS_NOTICE)
        notice_act(engine, record, verb, item->creator, item->id);
    if (info->edge != EDGE_LIKE)
        return;
    peak_move(item, amount, record->time_us);
    credit_item(engine, record, item, &turn->worth, amount);
    if (amount < 0) {
        item->taken_back++;
        withdrawn_apply(item, turn, record->time_us);
        return;
    }
    window_apply(engine, record, item, turn->window_us);
    if (turn->back_pct > 0)
        returned_apply(engine, record, item, turn);
}

/* What it does to the account that is followed. */
static void follow_apply(struct engine *engine, const struct record *record, uint8_t verb)
{
    received_apply(engine, record->tenant, record->target, record->time_us, COUNTER_FOLLOW,
                   verb_info(verb)->on ? 1 : -1);
    notice_act(engine, record, verb, record->target, 0);
}

/* What it does to the account that acts. */
static void account_apply(struct engine *engine, uint32_t slot, const struct verb_info *info,
                          uint16_t cleanup)
{
    struct account_row *account = hot_account_change(engine->hot, slot);
    bool off = info->edge != EDGE_NONE && !info->on;

    if (!(off && PLANTED("engine.given_only_grows")))
        add(&account->given[info->counter], off ? -1 : 1);
    if (off && info->edge == EDGE_LIKE && (cleanup == 0 || PLANTED("engine.cleanup_counts")) &&
        account->taken_back < UINT32_MAX)
        account->taken_back++;
}

/* Sets the edge; tells what the like that came or went is worth, and what was before. */
static void edge_apply(struct engine *engine, const struct record *record,
                       const struct verb_info *info, uint32_t giver, uint32_t taker,
                       uint16_t cleanup, struct turn *turn)
{
    const struct edge_row *old =
        hot_edge_find(engine->hot, record->tenant, info->edge, record->account, record->target);
    uint16_t flips = old == NULL ? 0 : old->flips;
    struct edge_row edge = {
        .account = record->account,
        .target = record->target,
        .sequence = record->sequence,
        .time_us = record->time_us,
        .tenant = record->tenant,
        .flips = flips < UINT16_MAX && cleanup == 0 ? (uint16_t)(flips + 1) : flips,
        .kind = info->edge,
        .on = info->on,
    };

    if (info->edge == EDGE_LIKE && info->on) {
        turn->worth = record_verdict(record);
        edge.weight_pct = turn->worth.weight_pct;
        edge.marks = edge_marks(turn->worth.mark, turn->worth.reason);
        if (old != NULL) {
            turn->back_pct = old->weight_pct;
            turn->before_us = old->time_us;
        }
    } else if (info->edge == EDGE_LIKE && old != NULL) {
        turn->worth = PLANTED("engine.unlike_takes_full_weight") ? record_verdict(record)
                                                                 : edge_verdict(old);
        turn->before_us = old->time_us;
        turn->seasoned =
            old->flips <= 1 && record->time_us - old->time_us >= WITHDRAW_SEASON_US;
        if (turn->horizon_s > 0 && turn->worth.mark == MARK_PLAIN)
            edge.weight_pct = turn->worth.weight_pct; /* so much of it fades */
    }
    hot_edge_set(engine->hot, &edge, giver, taker);
}

/* The number that goes with the effect of an act; see struct turn. */
static int64_t effect_amount(const struct record *record, const struct turn *turn)
{
    if (record->kind == VERB_VIEW || record->kind == VERB_REPORT)
        return (int64_t)record->a;
    return turn->window_us;
}

void interaction_apply(struct engine *engine, const struct record *record)
{
    const struct verb_info *info = verb_info(record->kind);
    uint32_t giver = account_ensure(engine, record->tenant, record->account, record->time_us);
    bool follow = edge_target_is_account(info->edge);
    bool home = is_home(engine, record->target);
    uint32_t taker = HOT_NONE;
    uint16_t cleanup = record_cleanup(record);
    struct turn turn = {.watch_ms = record->kind == VERB_VIEW ? record->a : 0};
    uint32_t report_weight = record->kind == VERB_REPORT ? (uint32_t)record->a : 0;

    if (record->kind <= VERB_UNLIKE)
        turn.window_us = (int64_t)record->c;
    if (record->kind == VERB_UNLIKE)
        turn.horizon_s = record_horizon_s(record);
    if (record->kind == VERB_VIEW) {
        turn.worth = record_verdict(record);
        turn.along = record_along(record);
    }
    judge_prepare(engine, record);
    if (home)
        taker = follow ? account_ensure(engine, record->tenant, record->target, record->time_us)
                       : item_ensure(engine, record->tenant, record->target, record->time_us);
    account_apply(engine, giver, info, cleanup);
    if (cleanup != 0 && cleanup != RECORD_ERASURE)
        cleanup_apply(engine, record, giver);
    if (info->edge != EDGE_NONE)
        edge_apply(engine, record, info, giver, taker, cleanup, &turn);
    if (!home) {
        effect_emit(engine, record, hash_partition(record->target, engine->partition_count),
                    EFFECT_TARGET, record->kind, record->account, record->target,
                    effect_amount(record, &turn),
                    record->fields & RECORD_HAS_VERDICT ? &record->verdict : NULL);
        engine->effects[engine->effect_count - 1].record.b |= (uint64_t)(record->kind == VERB_VIEW ? turn.along : turn.horizon_s) << 40;
        notice_ride(engine, record);
    } else if (follow) {
        follow_apply(engine, record, record->kind);
    } else {
        item_apply(engine, record, taker, record->kind, &turn);
    }
    if (home && report_weight > 0)
        case_reported(engine, record, taker, record->account, report_weight);
    judge_learn(engine, record);
}

/* The target's half, where the account lives elsewhere. */
void interaction_take(struct engine *engine, const struct record *effect, uint8_t verb)
{
    const struct verb_info *info = verb_info(verb);
    bool follow = edge_target_is_account(info->edge);
    uint32_t taker = follow
                         ? account_ensure(engine, effect->tenant, effect->target, effect->time_us)
                         : item_ensure(engine, effect->tenant, effect->target, effect->time_us);
    struct turn turn = {.watch_ms = verb == VERB_VIEW ? effect->c >> 1 : 0};

    if (verb <= VERB_UNLIKE)
        turn.window_us = (int64_t)(effect->c >> 1);
    if (verb == VERB_UNLIKE)
        turn.horizon_s = (uint32_t)(effect->b >> 40);
    if (verb == VERB_VIEW) {
        turn.worth = record_verdict(effect);
        turn.along = (uint8_t)(effect->b >> 40);
    }
    if (info->edge != EDGE_NONE)
        edge_apply(engine, effect, info, HOT_NONE, taker, 0, &turn);
    if (follow)
        follow_apply(engine, effect, verb);
    else
        item_apply(engine, effect, taker, verb, &turn);
    if (verb == VERB_REPORT && effect->c > 0)
        case_reported(engine, effect, taker, effect->account, (uint32_t)(effect->c >> 1));
}
