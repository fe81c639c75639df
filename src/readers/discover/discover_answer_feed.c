/* discover_answer_feed.c: FEED and SIMILAR (schema/answers.def says what they have).
 *
 * Each entry of a feed has a token: brought back with the VIEW or SKIP that follows, it attests
 * that the item was shown, and what pays for it: what was bought is of stage PAID_STAGE and a
 * compensation of STAGE_COMPENSATION, which are none of the ladder: no gate counts them. A
 * newcomer's credit is a bit beside the item's stage. */
#include "base/hash.h"
#include "readers/discover/discover_answer_inner.h"
#include "schema/impression.h"

#define SCORE_PLACES 6
#define RATE_PLACES  5

static void begin(struct answer *answer)
{
    tree_begin(&answer->tree, answer->call);
    tree_word(&answer->tree, "formula", answer->by->feed_formula);
    if (answer->by->model != 0 &&
        feeder_has_model(answer->by->feeder, answer->call->request.tenant))
        tree_counter(&answer->tree, "model", answer->by->model);
    else
        tree_null(&answer->tree, "model");
}

static void put_creator(struct answer *answer, const struct item *item)
{
    if (item->has_creator)
        tree_id(&answer->tree, "creator", item->creator);
    else
        tree_null(&answer->tree, "creator");
}

static void put_label(struct answer *answer, const struct feed_entry *entry)
{
    static const char given[] = "given to its creator as a compensation",
                      credit[] = "given to a new creator";
    const struct campaign_offer *offer = NULL;

    if (entry->source == FEED_COMPENSATION) {
        tree_text(&answer->tree, "label", given, sizeof given - 1);
        return;
    }
    if (entry->source == FEED_CREDIT) {
        tree_text(&answer->tree, "label", credit, sizeof credit - 1);
        return;
    }
    if (entry->source == FEED_CAMPAIGN)
        offer =
            campaigns_find(answer->discover->campaigns, answer->call->request.tenant, entry->item);
    if (offer != NULL)
        tree_text(&answer->tree, "label", offer->label, offer->label_size);
    else
        tree_null(&answer->tree, "label");
}

static void put_token(struct answer *answer, const struct feed_entry *entry, uint8_t stage,
                      uint32_t place)
{
    const struct reader_tokens *tokens = &answer->by->tokens;
    struct impression impression = {.account = answer->call->request.account,
                                    .item = entry->item,
                                    .at_us = answer->now->now_us,
                                    .tenant = answer->call->request.tenant,
                                    .place = (uint16_t)place,
                                    .stage = stage};
    char text[IMPRESSION_TEXT];

    if (tokens->make == NULL) {
        tree_null(&answer->tree, "token");
        return;
    }
    tokens->make(tokens->context, &impression, text);
    tree_text(&answer->tree, "token", text, sizeof text);
}

static uint8_t stage_of(const struct feed_entry *entry, const struct item *item)
{
    switch (entry->source) {
    case FEED_CAMPAIGN:
        return PAID_STAGE;
    case FEED_COMPENSATION:
        return STAGE_COMPENSATION;
    case FEED_CREDIT:
        return item->stage | STAGE_CREDIT;
    default:
        return item->stage;
    }
}

static void put_rate(struct answer *answer, const char *name, double rate)
{
    if (rate < 0)
        tree_null(&answer->tree, name);
    else
        answer_number(answer, name, rate, RATE_PLACES);
}

static void put_entry(struct answer *answer, const struct feed_entry *entry, uint32_t place)
{
    const struct item *item = table_row(&answer->discover->items, entry->row);
    uint8_t stage = stage_of(entry, item);

    tree_map(&answer->tree, NULL);
    tree_id(&answer->tree, "item", entry->item);
    put_creator(answer, item);
    tree_word(&answer->tree, "source", feed_source_name(entry->source));
    answer_number(answer, "score", entry->score, SCORE_PLACES);
    put_rate(answer, "long_view", entry->long_view);
    put_rate(answer, "like", entry->like);
    answer_number(answer, "boost", discover_boost_of(answer->discover, item), 2);
    put_label(answer, entry);
    tree_counter(&answer->tree, "stage",
                 gift_ladder_stage(stage) > STAGE_OF_LADDER ? stage : stage & (STAGE_AUDIENCE - 1));
    if (entry->source == FEED_POOL)
        tree_bool(&answer->tree, "explore", entry->beyond);
    put_token(answer, entry, stage, place);
    tree_end(&answer->tree);
}

/* How many places went to what is in trial. */
static uint32_t placed(const struct feed_entry *entries, uint32_t count)
{
    uint32_t places = 0;

    for (uint32_t i = 0; i < count; i++)
        places += entries[i].source == FEED_POOL;
    return places;
}

void answer_feed(struct answer *answer)
{
    const struct request *request = &answer->call->request;
    struct feed_asked asked = {.account = request->account,
                               .tenant = request->tenant,
                               .want = answer_count(answer, FEED_PLACES_MAX),
                               .now_us = answer->now->now_us};
    struct feed_entry entries[FEED_PLACES_MAX];
    bool personal;
    uint32_t count;

    asked.seed = hash_two(hash_two(request->account, (uint64_t)asked.now_us), request->tenant);
    feeder_deal(answer->by->feeder,
                stager_deal(answer->by->stager, answer->discover, asked.now_us));
    count = feeder_page(answer->by->feeder, answer->discover, &asked, entries, &personal);
    stager_placed(answer->by->stager, placed(entries, count), asked.now_us);
    begin(answer);
    tree_id(&answer->tree, "account", request->account);
    tree_bool(&answer->tree, "personal", personal);
    tree_list(&answer->tree, "items");
    for (uint32_t place = 0; place < count; place++)
        put_entry(answer, &entries[place], place);
    tree_end(&answer->tree);
    answer_finish(answer);
}

void answer_similar(struct answer *answer)
{
    const struct request *request = &answer->call->request;
    struct feed_entry entries[FEED_PLACES_MAX];
    bool by_model;
    uint32_t count =
        feeder_similar(answer->by->feeder, answer->discover, request->tenant, request->target,
                       answer_count(answer, FEED_PLACES_MAX), entries, &by_model);

    begin(answer);
    tree_id(&answer->tree, "item", request->target);
    tree_word(&answer->tree, "by", by_model ? "model" : "tags");
    tree_list(&answer->tree, "items");
    for (uint32_t i = 0; i < count; i++) {
        tree_map(&answer->tree, NULL);
        tree_id(&answer->tree, "item", entries[i].item);
        put_creator(answer, table_row(&answer->discover->items, entries[i].row));
        if (by_model)
            answer_number(answer, "score", entries[i].score, SCORE_PLACES);
        else
            tree_null(&answer->tree, "score");
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
    answer_finish(answer);
}
