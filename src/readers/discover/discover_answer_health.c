/* discover_answer_health.c: how an item or a creator's items do, as SIGNALS and WEIGHT tell it. */
#include "readers/discover/discover_answer_inner.h"
#include "readers/discover/health.h"

#define PLACES 4

static void put(struct answer *answer, const struct health_sums *sums)
{
    struct health_sums platform = {0};

    health_add(&platform, answer->discover->platform, &answer->discover->viewed);
    tree_list(&answer->tree, "health");
    for (uint32_t measure = 0; measure < HEALTH_MEASURES; measure++) {
        struct health health = health_of(sums, &platform, measure);

        tree_map(&answer->tree, NULL);
        tree_word(&answer->tree, "measure", health_names[measure]);
        answer_number(answer, "value", health.rate.rate, PLACES);
        answer_number(answer, "low", health.rate.low, PLACES);
        answer_number(answer, "high", health.rate.high, PLACES);
        answer_number(answer, "of", health.of, 2);
        answer_number(answer, "usual", health.usual, PLACES);
        tree_word(&answer->tree, "band", health_band_names[health.band]);
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
}

void answer_health(struct answer *answer, const struct item *item)
{
    struct health_sums sums = {0};

    if (item != NULL)
        health_add(&sums, &item->signals, &item->viewed);
    put(answer, &sums);
}

void answer_health_of(struct answer *answer, const struct weight *weight)
{
    struct health_sums sums = {0};

    for (uint32_t i = 0; i < weight->items; i++) {
        const struct item *item =
            discover_item(answer->discover, answer->call->request.tenant, weight->item[i].id);

        if (item != NULL)
            health_add(&sums, &item->signals, &item->viewed);
    }
    put(answer, &sums);
}
