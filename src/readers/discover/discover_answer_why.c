/* discover_answer_why.c: WHY: where an item stands on its ladder, and by what it is judged. */
#include <math.h>

#include "readers/discover/discover_answer_inner.h"

#define RATE_PLACES 4

static void put_gate(struct answer *answer, uint32_t audience, uint32_t metric,
                     const struct pool_gate *gate)
{
    tree_map(&answer->tree, NULL);
    tree_word(&answer->tree, "audience", audience == 0 ? "first" : "second");
    tree_word(&answer->tree, "metric", pool_metric_names[metric]);
    answer_number(answer, "impressions", gate->count.n, 2);
    answer_number(answer, "successes", gate->count.s, 2);
    answer_number(answer, "rate", gate->mean, RATE_PLACES);
    answer_number(answer, "low", gate->low, RATE_PLACES);
    answer_number(answer, "high", gate->high, RATE_PLACES);
    answer_number(answer, "bar", gate->bar, RATE_PLACES);
    answer_number(answer, "sure", gate->sure, RATE_PLACES);
    answer_number(answer, "evidence", exp(fmin(gate->evidence, 20)), 2);
    tree_bool(&answer->tree, "proven", gate->proven);
    tree_end(&answer->tree);
}

static void put_gates(struct answer *answer, const struct pool_decision *decision)
{
    tree_list(&answer->tree, "gates");
    for (uint32_t audience = 0; audience < POOL_AUDIENCES; audience++)
        for (uint32_t metric = 0; metric < POOL_METRICS; metric++)
            put_gate(answer, audience, metric, &decision->gate[audience][metric]);
    tree_end(&answer->tree);
}

static void put_ms(struct answer *answer, const char *name, int64_t time_us)
{
    if (time_us == 0)
        tree_null(&answer->tree, name);
    else
        tree_integer(&answer->tree, name, time_us / 1000);
}

static void put_standing(struct answer *answer, const struct item *item,
                         const struct stager_told *told)
{
    const struct pool_decision *decision = &told->decision;
    bool stopped = item->stopped_us != 0;

    tree_word(&answer->tree, "state",
              stopped            ? "stopped"
              : item->budget > 0 ? "on-its-ladder"
                                 : "not-on-a-ladder");
    tree_counter(&answer->tree, "stage", item->stage & (STAGE_AUDIENCE - 1));
    tree_word(&answer->tree, "audience", item->stage & STAGE_AUDIENCE ? "second" : "first");
    tree_counter(&answer->tree, "budget", item->budget);
    answer_number(answer, "used", (double)item->stage_counts.n_pct / 100, 2);
    put_ms(answer, "stopped_ms", item->stopped_us);
    put_ms(answer, "ends_ms", stopped ? item->stopped_us + told->stop_us : 0);
    if (stopped)
        tree_word(&answer->tree, "appeal",
                  "CASE OPEN review item ID reason; two people may take it up again");
    else
        tree_null(&answer->tree, "appeal");
    tree_word(&answer->tree, "verdict", pool_verdict_names[decision->verdict]);
    answer_number(answer, "chance", decision->chance, RATE_PLACES);
    answer_number(answer, "share", decision->share, RATE_PLACES);
    answer_number(answer, "value", decision->value, RATE_PLACES);
    answer_number(answer, "bar", decision->bar, RATE_PLACES);
}

/* --- what its creator was given (gifts.h) --------------------------------------------------------
 */

static const char *credit_state(const struct answer *answer, const struct item *item,
                                const struct gift_row *row)
{
    static const char *const names[] = {[POOL_CREDIT_GIVEN] = "may-have",
                                        [POOL_CREDIT_HAS] = "used-up",
                                        [POOL_CREDIT_NOT_NEW] = "not-new",
                                        [POOL_CREDIT_RESTRICTED] = "restricted",
                                        [POOL_CREDIT_EMPTY] = "purse-empty"};
    int64_t now_us = answer->now->now_us;

    if (row != NULL && pool_credit_left(&row->credit, now_us) > 0)
        return "open";
    if (row != NULL && row->credit.granted > row->credit.spent && now_us >= row->credit.expires_us)
        return "lapsed";
    return names[discover_credit_of(answer->discover, item->head.c, item->creator, now_us)];
}

static void put_credit(struct answer *answer, const struct item *item, const struct gift_row *row)
{
    const struct pool_credit none = {0}, *credit = row != NULL ? &row->credit : &none;

    tree_map(&answer->tree, NULL);
    tree_word(&answer->tree, "gift", "credit");
    tree_word(&answer->tree, "state", credit_state(answer, item, row));
    answer_number(answer, "spent", credit->spent, 2);
    answer_number(answer, "left", pool_credit_left(credit, answer->now->now_us), 2);
    put_ms(answer, "until_ms", credit->expires_us);
    tree_end(&answer->tree);
}

static void put_compensation(struct answer *answer, const struct gift_row *row)
{
    const struct gift_row none = {0}, *has = row != NULL ? row : &none;
    bool open = has->left_pct > 0 && answer->now->now_us / 1000000 < has->until_s;
    double left_pct = open ? has->left_pct - gift_owes(has, answer->now->now_us) : 0;

    tree_map(&answer->tree, NULL);
    tree_word(&answer->tree, "gift", "compensation");
    tree_word(&answer->tree, "state",
              has->asks > 0        ? "asked-about"
              : open               ? "open"
              : has->spent_pct > 0 ? "used-up"
                                   : "none");
    answer_number(answer, "spent", (double)has->shown_units / GIFT_UNITS, 2);
    answer_number(answer, "left", left_pct * GIFT_IMPRESSIONS / 100, 2);
    put_ms(answer, "until_ms", open ? has->until_s * 1000000LL : 0);
    tree_end(&answer->tree);
}

static void put_gifts(struct answer *answer, const struct item *item)
{
    const struct gift_row *row = gifts_find(&answer->discover->gifts, item->head.c, item->creator);

    tree_list(&answer->tree, "gifts");
    if (item->has_creator) {
        put_compensation(answer, row);
        put_credit(answer, item, row);
    }
    tree_end(&answer->tree);
}

void answer_why(struct answer *answer)
{
    const struct request *request = &answer->call->request;
    const struct item *item = discover_item(answer->discover, request->tenant, request->target);
    const struct item unknown = {0};
    struct stager_told told;

    stager_why(answer->by->stager, answer->discover, item != NULL ? item : &unknown,
               answer->now->now_us, &told);
    tree_begin(&answer->tree, answer->call);
    tree_word(&answer->tree, "rule", told.decision.rule);
    tree_counter(&answer->tree, "rule_version", told.decision.rule_version);
    tree_bool(&answer->tree, "decides", told.live);
    tree_bool(&answer->tree, "learnt", told.learnt);
    tree_id(&answer->tree, "item", request->target);
    tree_bool(&answer->tree, "known", item != NULL);
    put_standing(answer, item != NULL ? item : &unknown, &told);
    if (told.kind != NULL && told.kind->name_size > 0)
        tree_text(&answer->tree, "kind", told.kind->name, told.kind->name_size);
    else
        tree_null(&answer->tree, "kind");
    answer_number(answer, "kind_items", told.kind_items, 2);
    answer_number(answer, "weight", told.weight, 2);
    answer_number(answer, "first_budget", told.item.first, 2);
    put_gates(answer, &told.decision);
    put_gifts(answer, item != NULL ? item : &unknown);
    answer_finish(answer);
}
