/* insight_answer_diagnose.c: DIAGNOSE: what an item's own rows say, put to diagnose.h. */
#include <stdlib.h>

#include "readers/insight/diagnose.h"
#include "readers/insight/insight_answer_inner.h"
#include "readers/insight/slots.h"
#include "schema/request.h"

#define HOUR_US (3600LL * 1000000)

/* The items of the creator before this one, the newest SAME_OF of them. */
struct earlier {
    const struct insight_item *item[SAME_OF];
    uint32_t count;
};

static void earlier_keep(struct earlier *earlier, const struct insight_item *item)
{
    uint32_t at = earlier->count;

    while (at > 0 && earlier->item[at - 1]->published_us < item->published_us)
        at--;
    if (at == SAME_OF)
        return;
    if (earlier->count < SAME_OF)
        earlier->count++;
    for (uint32_t i = earlier->count - 1; i > at; i--)
        earlier->item[i] = earlier->item[i - 1];
    earlier->item[at] = item;
}

static void look_before(const struct insight *insight, const struct insight_item *item,
                        bool attested, struct diagnose_facts *facts)
{
    const struct insight_item *other;
    struct earlier earlier = {.count = 0};
    uint32_t at = 0;

    if (!item->has_creator || item->tag_count == 0)
        return;
    while ((other = insight_next(&insight->items, &at)) != NULL)
        if (other != item && other->head.c == item->head.c && other->has_creator &&
            other->creator == item->creator && other->published_us < item->published_us)
            earlier_keep(&earlier, other);
    facts->before = earlier.count;
    for (uint32_t i = 0; i < earlier.count; i++) {
        const struct tally *like = &earlier.item[i]->tally[STEP_LIKE];

        other = earlier.item[i];
        if (other->tag_count == 0 || other->tag[0] != item->tag[0])
            continue;
        facts->same++;
        facts->same_like.s += (double)(attested ? like->attested_pct : like->reported_pct);
        facts->same_like.n +=
            (double)(attested ? other->attested_n_pct : other->tally[STEP_SHOWN].reported_pct);
    }
}

static void look_at_hours(const struct insight *insight, const struct insight_item *item,
                          struct diagnose_facts *facts)
{
    struct slots slots = slots_of(insight, item->head.c, item->has_creator ? item->creator : 0);
    uint32_t hour = (uint32_t)(item->published_us / HOUR_US % 24);

    if (slots.map == NULL)
        return;
    facts->hours_known = true;
    facts->awake.n = (double)slots_whole(slots.map) * 100;
    facts->awake.s = slots_after(slots.map, hour) * facts->awake.n;
}

static struct diagnose_facts facts_of(const struct insight *insight,
                                      const struct insight_item *item, bool attested)
{
    struct diagnose_facts facts = {
        .on_ladder = item->stage_us != 0,
        .stopped = item->stage_us != 0 && item->step == STAGE_STOP,
        .stage = item->stage & (INSIGHT_STAGES - 1),
        .first_budget = item->first_budget,
        .fit = item->fit,
        .fit_known = item->fit_known,
        .fit_liked = item->fit_liked,
        .unfit_liked = item->unfit_liked,
    };

    look_before(insight, item, attested, &facts);
    look_at_hours(insight, item, &facts);
    return facts;
}

static void put_cause(struct insight_asked *asked, const struct insight_item *item,
                      const struct diagnosed *cause, double whole)
{
    const struct cause_info *info = &cause_infos[cause->cause];
    bool numbers = cause->verdict != CAUSE_UNKNOWN && cause->verdict != CAUSE_NOT_USED;
    bool evidence = (cause->cause == CAUSE_GATE || cause->cause == CAUSE_ACCOUNT_WEIGHT) &&
                    item->stage_text_size > 0;

    tree_map(&asked->tree, NULL);
    tree_word(&asked->tree, "cause", info->name);
    tree_word(&asked->tree, "group", cause_group_names[info->group]);
    tree_word(&asked->tree, "verdict", cause_verdict_names[cause->verdict]);
    asked_number(asked, "lost", cause->lost, 2);
    asked_number(asked, "share", whole > 0 ? cause->lost / whole : 0, 4);
    tree_word(&asked->tree, "measure", info->measure);
    if (numbers) {
        asked_number(asked, "number", cause->number, 4);
        asked_number(asked, "compared", cause->compared, 4);
    } else {
        tree_null(&asked->tree, "number");
        tree_null(&asked->tree, "compared");
    }
    asked_number(asked, "n", cause->n, 2);
    if (evidence)
        tree_text(&asked->tree, "evidence", item->stage_text, item->stage_text_size);
    else
        tree_null(&asked->tree, "evidence");
    tree_end(&asked->tree);
}

void insight_tell_diagnosis(struct insight_asked *asked)
{
    static const struct insight_item nothing;
    const struct request *request = &asked->call->request;
    const struct insight_item *item =
        insight_item(asked->insight, request->tenant, request->target);
    struct comparison comparison = {0};
    struct diagnose_facts facts = {0};
    struct diagnosis diagnosis;
    bool known = item != NULL;
    double whole = 0;

    if (known) {
        compare_item(asked->insight, item, asked->now_us, &comparison);
        facts = facts_of(asked->insight, item, comparison.attested);
    } else {
        item = &nothing;
    }
    diagnose(&comparison, &facts, &diagnosis);
    for (uint32_t i = 0; i < CAUSE_COUNT; i++)
        whole += diagnosis.cause[i].lost;
    asked_begin(asked);
    tree_id(&asked->tree, "item", request->target);
    tree_bool(&asked->tree, "known", known);
    if (item->has_creator)
        tree_id(&asked->tree, "creator", item->creator);
    else
        tree_null(&asked->tree, "creator");
    tree_counter(&asked->tree, "age_s", (uint64_t)comparison.age_us / 1000000);
    tree_word(&asked->tree, "basis", comparison.attested ? "attested" : "reported");
    asked_comparable(asked, item, &comparison);
    if (comparison.items > 0)
        asked_number(asked, "expected", diagnosis.expected, 2);
    else
        tree_null(&asked->tree, "expected");
    asked_number(asked, "likes", diagnosis.likes, 2);
    asked_number(asked, "lost", diagnosis.lost, 2);
    tree_list(&asked->tree, "causes");
    for (uint32_t i = 0; i < CAUSE_COUNT; i++)
        put_cause(asked, item, &diagnosis.cause[i], whole);
    tree_end(&asked->tree);
    asked_finish(asked);
}
