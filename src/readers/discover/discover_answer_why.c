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
    answer_finish(answer);
}
