#include "engine/sanction.h"

#include <assert.h>

#include "base/hook.h"
#include "engine/case.h"
#include "engine/inner.h"
#include "engine/notice.h"

static_assert(VERB_ACT < 16, "limit_verbs has a bit for each verb that accounts act with");

/* --- used ------------------------------------------------------------------------------------- */

enum status sanction_check(const struct account_row *row, uint8_t verb, int64_t now_us,
                           int64_t *until_us)
{
    bool banned = row->state != ACCOUNT_ACTIVE && row->until_us > now_us &&
                  (row->state >= ACCOUNT_SUSPENDED || verb == VERB_LIKE);
    bool limited = row->limit_until_us > now_us && (row->limit_verbs >> verb & 1) != 0;

    if (PLANTED("engine.ban_is_ignored"))
        return STATUS_OK;
    if (PLANTED("engine.ban_without_end") && row->state == ACCOUNT_LIKE_BANNED && verb == VERB_LIKE)
        banned = true;
    if (banned)
        *until_us = row->until_us;
    if (limited && (!banned || row->limit_until_us > row->until_us))
        *until_us = row->limit_until_us;
    if (banned && row->state == ACCOUNT_ERASED && !PLANTED("engine.erased_acts"))
        return STATUS_ERASED;
    return banned || limited ? STATUS_SUSPENDED : STATUS_OK;
}

uint8_t sanction_cut(const struct account_row *row, int64_t now_us)
{
    return row->cut_until_us > now_us ? row->cut_pct : WEIGHT_FULL;
}

uint32_t sanction_report_weight(const struct account_row *row)
{
    return 100u * (row->reports_upheld + 1u) /
           ((uint32_t)row->reports_upheld + row->reports_dismissed + 2u);
}

/* --- applied ---------------------------------------------------------------------------------- */

static void ban_apply(struct account_row *row, int64_t until_us, int64_t now_us)
{
    bool in_force = row->state != ACCOUNT_ACTIVE && row->until_us > now_us;

    if (in_force && (row->state >= ACCOUNT_SUSPENDED || row->until_us >= until_us))
        return;
    row->state = ACCOUNT_LIKE_BANNED;
    row->until_us = until_us;
}

static void limit_apply(struct account_row *row, uint16_t verbs, int64_t until_us, int64_t now_us)
{
    if (row->limit_until_us <= now_us) {
        row->limit_verbs = 0;
        row->limit_until_us = 0;
    }
    row->limit_verbs |= verbs;
    if (until_us > row->limit_until_us)
        row->limit_until_us = until_us;
}

static void cut_apply(struct account_row *row, uint8_t pct, int64_t until_us, int64_t now_us)
{
    if (row->cut_until_us > now_us && row->cut_pct < pct)
        return;
    if (row->cut_until_us > now_us && row->cut_pct == pct && row->cut_until_us > until_us)
        return;
    row->cut_pct = pct;
    row->cut_until_us = until_us;
}

static void lift_apply(struct account_row *row, enum sanction kind, int64_t until_us)
{
    switch (kind) {
    case SANCTION_LIKE_BAN:
        if (row->state == ACCOUNT_LIKE_BANNED && row->until_us == until_us) {
            row->state = ACCOUNT_ACTIVE;
            row->until_us = 0;
        }
        break;
    case SANCTION_LIMIT:
        if (row->limit_until_us == until_us) {
            row->limit_verbs = 0;
            row->limit_until_us = 0;
        }
        break;
    case SANCTION_CUT:
        if (row->cut_until_us == until_us) {
            row->cut_pct = 0;
            row->cut_until_us = 0;
        }
        break;
    default:
        break;
    }
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Whom it restricts is told at once: what, until when, by which case. */
static void sanction_told(struct engine *engine, const struct record *record)
{
    uint8_t kind = (uint8_t)record->b;
    bool back = kind == SANCTION_POINTS && unzigzag(record->c) > 0;
    struct notice_order order = {
        .tenant = record->tenant,
        .kind = kind == SANCTION_LIFT || back ? NOTICE_LIFTED : NOTICE_SANCTION,
        .how = kind == SANCTION_LIFT ? (uint8_t)(record->b >> 8) : kind,
        .account = record->account,
        .case_id = record->a,
        .until_us = kind < SANCTION_POINTS ? (int64_t)record->c : 0,
    };

    if (kind <= SANCTION_LIFT)
        notice_tell(engine, record, &order);
}

void sanction_apply(struct engine *engine, const struct record *record)
{
    uint32_t slot = account_ensure(engine, record->tenant, record->account, record->time_us);
    struct account_row *row = hot_account_change(engine->hot, slot);
    uint16_t amount = (uint16_t)(record->b >> 8);
    int64_t until_us = (int64_t)record->c;

    if (record->a != 0)
        case_sanctioned(engine, record);
    sanction_told(engine, record);
    switch ((enum sanction)(record->b & 0xFF)) {
    case SANCTION_LIKE_BAN:
        ban_apply(row, until_us, record->time_us);
        break;
    case SANCTION_LIMIT:
        limit_apply(row, amount, until_us, record->time_us);
        break;
    case SANCTION_CUT:
        cut_apply(row, (uint8_t)amount, until_us, record->time_us);
        break;
    case SANCTION_POINTS:
        row->points += unzigzag(record->c);
        break;
    case SANCTION_LIFT:
        lift_apply(row, (enum sanction)amount, until_us);
        break;
    default:
        break;
    }
}

void sanction_report(struct engine *engine, uint16_t tenant, uint64_t account, bool upheld,
                     int64_t time_us)
{
    uint32_t slot = account_ensure(engine, tenant, account, time_us);
    struct account_row *row = hot_account_change(engine->hot, slot);
    uint16_t *count = upheld ? &row->reports_upheld : &row->reports_dismissed;

    if (*count < UINT16_MAX)
        (*count)++;
}

/* --- ordered ---------------------------------------------------------------------------------- */

/* Would it change anything that is worth a record? */
static bool changes(const struct account_row *row, const struct sanction_order *order,
                    int64_t now_us)
{
    int64_t soon_us = order->until_us - SANCTION_STEP_US;

    if (order->lift || order->kind == SANCTION_POINTS)
        return true;
    switch ((enum sanction)order->kind) {
    case SANCTION_LIKE_BAN:
        return row->state == ACCOUNT_ACTIVE || row->until_us <= now_us ||
               (row->state == ACCOUNT_LIKE_BANNED && row->until_us < soon_us);
    case SANCTION_LIMIT:
        return row->limit_until_us <= now_us || row->limit_until_us < soon_us ||
               (order->amount & ~row->limit_verbs) != 0;
    case SANCTION_CUT:
        return row->cut_until_us <= now_us || order->amount < row->cut_pct ||
               (order->amount == row->cut_pct && row->cut_until_us < soon_us);
    default:
        return false;
    }
}

static bool has_an_end(const struct sanction_order *order, int64_t now_us)
{
    if (order->kind == SANCTION_POINTS)
        return order->points > 0;
    if (order->lift || PLANTED("engine.sanction_without_end"))
        return true;
    return order->until_us > now_us && order->until_us - now_us <= SANCTION_MAX_US;
}

bool sanction_order(struct engine *engine, const struct sanction_order *order)
{
    uint32_t slot = hot_account_find(engine->hot, order->tenant, order->account);
    struct account_row none = {0};
    const struct account_row *row = slot != HOT_NONE ? hot_account(engine->hot, slot) : &none;
    bool points = order->kind == SANCTION_POINTS;
    int64_t change = order->lift ? order->points : -order->points;
    struct record record = {
        .kind = RECORD_SANCTION,
        .tenant = order->tenant,
        .fields = RECORD_HAS_ARGS | RECORD_HAS_EXTRA | RECORD_CHANGED |
                  (order->tenant != 0 ? RECORD_HAS_TENANT : 0) |
                  (order->rule != 0 ? RECORD_HAS_VERDICT : 0),
        .account = order->account,
        .a = order->case_id,
        .b = order->kind | (uint64_t)order->amount << 8,
        .c = points ? (uint64_t)change << 1 ^ (uint64_t)(change >> 63) : (uint64_t)order->until_us,
        .verdict = {.weight_pct = WEIGHT_FULL, .rule = order->rule, .policy = order->policy},
    };

    if (!has_an_end(order, engine->now_us) || !changes(row, order, engine->now_us))
        return false;
    if (order->lift && !points)
        record.b = SANCTION_LIFT | (uint64_t)order->kind << 8;
    record_commit(engine, &record);
    return true;
}

/* --- by rules --------------------------------------------------------------------------------- */

static bool has(const struct policy_verdict *verdict, enum policy_action action)
{
    return (verdict->actions >> action & 1) != 0;
}

/* The verbs that the rule limits: those it was asked about. */
static uint16_t verbs_of(const struct policy *policy, uint16_t rule)
{
    return rule < policy->rule_count
               ? (uint16_t)(policy->rules[rule].verbs & ((1u << (VERB_ACT + 1)) - 1))
               : 0;
}

static struct sanction_order order_of(const struct act *act, const struct policy *policy,
                                      enum sanction kind, uint16_t rule, int64_t until_us)
{
    return (struct sanction_order){
        .tenant = act->tenant,
        .account = act->account,
        .kind = (uint8_t)kind,
        .until_us = until_us,
        .rule = (uint16_t)(rule + 1),
        .policy = policy->version,
    };
}

/* Fills orders (room for 4) with what the verdict wants done; returns how many. */
static uint32_t orders_of(const struct act *act, const struct policy *policy,
                          const struct policy_verdict *verdict, struct sanction_order *orders)
{
    uint32_t count = 0;

    if (has(verdict, POLICY_LIKE_BAN))
        orders[count++] = order_of(act, policy, SANCTION_LIKE_BAN, verdict->rule[POLICY_LIKE_BAN],
                                   verdict->until_us[POLICY_LIKE_BAN]);
    if (has(verdict, POLICY_LIMIT)) {
        orders[count] = order_of(act, policy, SANCTION_LIMIT, verdict->rule[POLICY_LIMIT],
                                 verdict->until_us[POLICY_LIMIT]);
        orders[count++].amount =
            (uint16_t)(verbs_of(policy, verdict->rule[POLICY_LIMIT]) | 1u << act->verb);
    }
    if (has(verdict, POLICY_WEIGHT) && verdict->account_weight_rule != POLICY_NONE) {
        orders[count] = order_of(act, policy, SANCTION_CUT, verdict->account_weight_rule,
                                 verdict->until_us[POLICY_WEIGHT]);
        orders[count++].amount = verdict->account_weight_pct;
    }
    if (has(verdict, POLICY_POINTS)) {
        orders[count] = order_of(act, policy, SANCTION_POINTS, verdict->rule[POLICY_POINTS], 0);
        orders[count++].points = verdict->points;
    }
    return count;
}

/* The sentence of the rule: what was counted against what. */
static uint8_t explain(const struct policy *policy, const struct policy_verdict *verdict,
                       uint16_t rule, char text[POLICY_EXPLAIN_BYTES])
{
    for (uint32_t i = 0; i < verdict->hit_count; i++) {
        if (verdict->hits[i].rule != rule)
            continue;
        return (uint8_t)policy_explain(policy, &verdict->hits[i], POLICY_ENGLISH, text,
                                       CASE_TEXT_MAX + 1);
    }
    return 0;
}

static uint64_t open_case(struct engine *engine, const struct act *act, const struct policy *policy,
                          const struct policy_verdict *verdict, uint8_t kind, uint16_t rule)
{
    char text[POLICY_EXPLAIN_BYTES];
    struct case_opening opening = {
        .tenant = act->tenant,
        .kind = kind,
        .subject = SUBJECT_ACCOUNT,
        .about = act->account,
        .rule = (uint16_t)(rule + 1),
        .policy = policy->version,
        .text = text,
        .text_size = explain(policy, verdict, rule, text),
    };

    return case_open(engine, &opening);
}

void sanction_from_verdict(struct engine *engine, const struct act *act,
                           const struct policy *policy, const struct policy_verdict *verdict)
{
    uint32_t slot = hot_account_find(engine->hot, act->tenant, act->account);
    struct account_row none = {0};
    const struct account_row *row = slot != HOT_NONE ? hot_account(engine->hot, slot) : &none;
    struct sanction_order orders[4];
    uint32_t count = orders_of(act, policy, verdict, orders), wanted = 0;
    bool review = has(verdict, POLICY_REVIEW) || has(verdict, POLICY_ALERT);
    uint16_t rule = POLICY_NONE;
    uint64_t case_id = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!has_an_end(&orders[i], engine->now_us) || !changes(row, &orders[i], engine->now_us))
            continue;
        orders[wanted++] = orders[i];
        rule = (uint16_t)(orders[i].rule - 1);
    }
    /* What people are asked to look at is a case of its own: it is open and may name another rule,
     * while a restriction has to name its rule and can be appealed from the first moment. It comes
     * first, so that the newest case, which an account reads, is the one that restricts it. */
    if (review)
        case_id =
            open_case(engine, act, policy, verdict, CASE_REVIEW,
                      verdict->rule[has(verdict, POLICY_REVIEW) ? POLICY_REVIEW : POLICY_ALERT]);
    if (wanted > 0 && (!review || !PLANTED("engine.review_hides_sanction")))
        case_id = open_case(engine, act, policy, verdict, CASE_SANCTION, rule);
    for (uint32_t i = 0; i < wanted; i++) {
        orders[i].case_id = case_id;
        sanction_order(engine, &orders[i]);
    }
}
