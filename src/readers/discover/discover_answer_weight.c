/* discover_answer_weight.c: WEIGHT: what a creator's weight is made of, what weighs on it, and
 * until when. */
#include "readers/discover/discover_answer_inner.h"

#define PLACES 2

static void put_parts(struct answer *answer, const struct weight_told *told)
{
    tree_list(&answer->tree, "parts");
    for (uint32_t part = 0; part < WEIGHT_PARTS; part++) {
        tree_map(&answer->tree, NULL);
        tree_word(&answer->tree, "part", weight_part_names[part]);
        answer_number(answer, "value", told->part[part], PLACES);
        answer_number(answer, "share", weight_part_shares[part], PLACES);
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
}

static void put_penalties(struct answer *answer, const struct weight *weight, int64_t now_us)
{
    tree_list(&answer->tree, "penalties");
    for (uint32_t i = 0; i < WEIGHT_PENALTIES; i++) {
        const struct weight_penalty *penalty = &weight->penalty[i];

        if (penalty->expires_us <= now_us)
            continue;
        tree_map(&answer->tree, NULL);
        tree_id(&answer->tree, "case", penalty->case_id);
        answer_number(answer, "points", penalty->points, PLACES);
        answer_number(answer, "left", weight_left(penalty, now_us), PLACES);
        tree_integer(&answer->tree, "from_ms", penalty->from_us / 1000);
        tree_integer(&answer->tree, "ends_ms", penalty->expires_us / 1000);
        tree_word(&answer->tree, "appeal",
                  "CASE APPEAL account case reason; two people look again");
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
}

static void put_recovery(struct answer *answer, const struct weight *weight, int64_t now_us)
{
    struct weight_step steps[WEIGHT_PENALTIES];
    uint32_t count = weight_recovery(weight, now_us, steps);

    tree_list(&answer->tree, "recovery");
    for (uint32_t i = 0; i < count; i++) {
        tree_map(&answer->tree, NULL);
        tree_integer(&answer->tree, "at_ms", steps[i].at_us / 1000);
        answer_number(answer, "weight", steps[i].weight, PLACES);
        answer_number(answer, "multiplier", steps[i].multiplier, PLACES);
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
}

static void put_items(struct answer *answer, const struct weight *weight, int64_t now_us)
{
    tree_list(&answer->tree, "items");
    for (uint32_t i = 0; i < weight->items; i++) {
        const struct weight_item *item = &weight->item[i];

        tree_map(&answer->tree, NULL);
        tree_id(&answer->tree, "item", item->id);
        tree_integer(&answer->tree, "since_ms", item->published_us / 1000);
        tree_bool(&answer->tree, "closed", weight_is_closed(item, now_us));
        answer_number(answer, "best", item->best, 4);
        tree_bool(&answer->tree, "original", !item->copy);
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
}

void answer_weight(struct answer *answer)
{
    static const struct weight nothing;
    const struct request *request = &answer->call->request;
    const struct weight *known =
        discover_weight(answer->discover, request->tenant, request->target);
    const struct weight *weight = known != NULL ? known : &nothing;
    int64_t now_us = answer->now->now_us;
    struct weight_told told;

    weight_at(weight, now_us, &told);
    tree_begin(&answer->tree, answer->call);
    tree_counter(&answer->tree, "version", told.version);
    tree_id(&answer->tree, "creator", request->target);
    tree_bool(&answer->tree, "known", known != NULL);
    answer_number(answer, "weight", told.weight, PLACES);
    answer_number(answer, "multiplier", told.multiplier, PLACES);
    put_parts(answer, &told);
    answer_number(answer, "fan_acts", weight_fans(weight, now_us), PLACES);
    tree_counter(&answer->tree, "closed", told.closed);
    answer_number(answer, "taken", told.penalties, PLACES);
    put_penalties(answer, weight, now_us);
    put_recovery(answer, weight, now_us);
    tree_word(&answer->tree, "advice", weight_part_names[weight_advice(&told)]);
    put_items(answer, weight, now_us);
    answer_health_of(answer, weight);
    answer_finish(answer);
}
