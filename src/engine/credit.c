/* credit.c: what likes are worth: three numbers for each item and creator, kept exact.
 *
 * The edge carries its weight and mark, so a like that goes takes away exactly what it had brought.
 * A SETTLE record changes what a like is worth and nothing else. The account's partition decides;
 * the item's partition has a copy of the edge and follows (EFFECT_WEIGH), the creator's gets sums
 * (EFFECT_CREDIT). */
#include <assert.h>

#include "base/hook.h"
#include "engine/compensate.h"
#include "engine/inner.h"

/* The numbers of a credit, for effects. Part of the formats. */
enum credit_field { CREDIT_PCT, CREDIT_HELD, CREDIT_QUARANTINED, CREDIT_VOIDED, CREDIT_FIELDS };

struct verdict edge_verdict(const struct edge_row *edge)
{
    if (!edge->on)
        return (struct verdict){0};
    return (struct verdict){
        .weight_pct = edge->weight_pct, .mark = edge_mark(edge), .reason = edge_reason(edge)};
}

void record_like_before(struct record *record, const struct edge_row *like, int64_t now_us)
{
    int64_t age_s;

    if (like == NULL || like->kind != EDGE_LIKE || PLANTED("engine.before_is_forgotten"))
        return;
    age_s = (now_us - like->time_us) / 1000000;
    record->fields |= RECORD_HAS_BEFORE;
    record->before_pct = like->weight_pct;
    record->before_marks = like->on ? edge_marks(edge_mark(like), edge_reason(like)) : MARK_PLAIN;
    record->before_age_s = age_s < 0 ? 0 : age_s < UINT32_MAX ? (uint32_t)age_s : UINT32_MAX;
}

static uint64_t *credit_field(struct credit *credit, enum credit_field field)
{
    switch (field) {
    case CREDIT_PCT:
        return &credit->credited_pct;
    case CREDIT_HELD:
        return &credit->held;
    case CREDIT_QUARANTINED:
        return &credit->quarantined;
    default:
        return &credit->voided;
    }
}

static void credit_move(struct credit *credit, enum credit_field field, int64_t amount)
{
    uint64_t *sum = credit_field(credit, field);

    assert(amount >= 0 || *sum >= (uint64_t)-amount);
    *sum += (uint64_t)amount;
}

/* Which number a like of that worth stands in, and with how much. */
static enum credit_field field_of(const struct verdict *verdict, int64_t *amount)
{
    switch ((enum edge_mark)verdict->mark) {
    case MARK_HELD:
        return CREDIT_HELD;
    case MARK_QUARANTINED:
        return CREDIT_QUARANTINED;
    case MARK_VOIDED:
        return CREDIT_VOIDED;
    default:
        *amount *= verdict->weight_pct;
        return CREDIT_PCT;
    }
}

static void creator_apply(struct engine *engine, uint16_t tenant, uint64_t creator, int64_t time_us,
                          enum credit_field field, int64_t amount)
{
    uint32_t slot = account_ensure(engine, tenant, creator, time_us);

    credit_move(&hot_account_change(engine->hot, slot)->received_credit, field, amount);
}

static void creator_move(struct engine *engine, const struct record *cause, uint64_t creator,
                         enum credit_field field, int64_t amount)
{
    if (amount == 0)
        return;
    if (is_home(engine, creator))
        creator_apply(engine, cause->tenant, creator, cause->time_us, field, amount);
    else
        effect_emit(engine, cause, hash_partition(creator, engine->partition_count), EFFECT_CREDIT,
                    (uint8_t)field, 0, creator, amount, NULL);
}

void credit_item(struct engine *engine, const struct record *cause, struct item_row *item,
                 const struct verdict *verdict, int64_t amount)
{
    int64_t moved = amount;
    enum credit_field field = field_of(verdict, &moved);

    credit_move(&item->credit, field, moved);
    if (verdict->reason != REASON_NONE)
        item->reasons[verdict->reason] += (uint32_t)amount;
    if (item->has_creator)
        creator_move(engine, cause, item->creator, field, moved);
}

void credit_creator_all(struct engine *engine, const struct record *cause,
                        const struct item_row *item, uint64_t creator, int sign)
{
    struct credit credit = item->credit;

    for (int field = 0; field < CREDIT_FIELDS; field++)
        creator_move(engine, cause, creator, (enum credit_field)field,
                     sign * (int64_t)*credit_field(&credit, (enum credit_field)field));
}

void credit_take(struct engine *engine, const struct record *effect)
{
    creator_apply(engine, effect->tenant, effect->target, effect->time_us,
                  (enum credit_field)(effect->b >> 16 & 0xFF),
                  (int64_t)(effect->c >> 1) ^ -(int64_t)(effect->c & 1));
}

/* --- compensation --------------------------------------------------------------------------------
 */

static void compensation_apply(struct engine *engine, const struct record *cause, uint64_t creator,
                               int64_t amount_pct, uint32_t cap)
{
    uint32_t slot = account_ensure(engine, cause->tenant, creator, cause->time_us);
    struct compensation *row = &hot_account_change(engine->hot, slot)->compensation;

    if (amount_pct > 0)
        (void)compensate_grant(row, (uint64_t)amount_pct, cap, cause->time_us);
    else
        compensate_owe(row, (uint64_t)-amount_pct, cause->time_us);
}

void compensation_move(struct engine *engine, const struct record *cause, uint64_t creator,
                       int64_t amount_pct, uint32_t cap)
{
    if (amount_pct == 0)
        return;
    if (is_home(engine, creator)) {
        compensation_apply(engine, cause, creator, amount_pct, cap);
        return;
    }
    effect_emit(engine, cause, hash_partition(creator, engine->partition_count), EFFECT_COMPENSATE,
                0, 0, creator, amount_pct, NULL);
    engine->effects[engine->effect_count - 1].record.b |= (uint64_t)cap << 40;
}

void compensation_take(struct engine *engine, const struct record *effect)
{
    compensation_apply(engine, effect, effect->target,
                       (int64_t)(effect->c >> 1) ^ -(int64_t)(effect->c & 1),
                       (uint32_t)(effect->b >> 40));
}

/* --- settling ------------------------------------------------------------------------------------
 */

/* The edge as it will be; false: there is no like to settle (it was taken back meanwhile). */
static bool edge_weigh(struct engine *engine, const struct record *record, struct verdict *old)
{
    const struct edge_row *found =
        hot_edge_find(engine->hot, record->tenant, EDGE_LIKE, record->account, record->target);
    struct verdict verdict = record_verdict(record);
    struct edge_row edge;

    if (found == NULL || !found->on)
        return false;
    *old = edge_verdict(found);
    edge = *found;
    if (verdict.mark == MARK_VOIDED) {
        edge.marks = edge_marks_voided(found);
    } else {
        edge.weight_pct = verdict.weight_pct;
        edge.marks = edge_marks(verdict.mark, verdict.reason);
    }
    hot_edge_set(engine->hot, &edge, HOT_NONE, HOT_NONE);
    return true;
}

static void item_weigh(struct engine *engine, const struct record *record,
                       const struct verdict *old)
{
    struct verdict verdict = record_verdict(record);
    struct item_row *item = hot_item_change(
        engine->hot, item_ensure(engine, record->tenant, record->target, record->time_us));

    if (!PLANTED("engine.settle_keeps_the_old"))
        credit_item(engine, record, item, old, -1);
    credit_item(engine, record, item, &verdict, 1);
}

void settle_apply(struct engine *engine, const struct record *record)
{
    struct verdict old, verdict = record_verdict(record);

    if (!is_home(engine, record->account)) { /* a sweep over an item: its owner decides */
        effect_emit(engine, record, hash_partition(record->account, engine->partition_count),
                    EFFECT_SETTLE, 0, record->account, record->target, 0, &verdict);
        return;
    }
    if (!edge_weigh(engine, record, &old))
        return;
    if (verdict.mark == MARK_HELD || verdict.mark == MARK_QUARANTINED)
        judge_hold(
            engine, record,
            hot_edge_find(engine->hot, record->tenant, EDGE_LIKE, record->account, record->target));
    if (is_home(engine, record->target))
        item_weigh(engine, record, &old);
    else
        effect_emit(engine, record, hash_partition(record->target, engine->partition_count),
                    EFFECT_WEIGH, 0, record->account, record->target, 0, &verdict);
}

void settle_take(struct engine *engine, const struct record *effect)
{
    struct verdict old;

    if (edge_weigh(engine, effect, &old))
        item_weigh(engine, effect, &old);
}
