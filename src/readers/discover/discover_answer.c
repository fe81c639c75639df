/* discover_answer.c: answers as trees (schema/answers.def says what each has). */
#include <math.h>
#include <string.h>

#include "base/hook.h"
#include "readers/discover/discover_answer_inner.h"
#include "schema/access.h"
#include "schema/region.h"
#include "schema/tree.h"
#include "schema/verb.h"

#define HEAT_PLACES  6
#define UNWANTED     0.99 /* a factor above that says nothing */
#define LIST_DEFAULT 20

/* To so many places, within what a tree can say. */
void answer_number(struct answer *answer, const char *name, double value, uint8_t places)
{
    double scaled = value * pow(10, places);

    if (!(scaled < 9e18))
        scaled = 9e18;
    if (scaled < -9e18)
        scaled = -9e18;
    tree_decimal(&answer->tree, name, llround(scaled), places);
}

static void put_pct(struct answer *answer, const char *name, uint64_t pct)
{
    tree_decimal(&answer->tree, name, pct < INT64_MAX ? (int64_t)pct : INT64_MAX, 2);
}

static void put_ms(struct answer *answer, const char *name, int64_t time_us)
{
    tree_integer(&answer->tree, name, time_us / 1000);
}

static void begin(struct answer *answer)
{
    tree_begin(&answer->tree, answer->call);
    tree_word(&answer->tree, "formula", answer->by->heat_formula);
}

/* What it stands for, at the end of every answer. */
void answer_finish(struct answer *answer)
{
    uint32_t late_ms = 0;

    tree_list(&answer->tree, "seq");
    for (uint16_t i = 0; i < answer->now->partitions; i++) {
        tree_id(&answer->tree, NULL, answer->now->lag[i].applied);
        if (answer->now->lag[i].late_ms > late_ms)
            late_ms = answer->now->lag[i].late_ms;
    }
    tree_end(&answer->tree);
    tree_counter(&answer->tree, "late_ms", late_ms);
    tree_finish(&answer->tree, answer->call);
}

uint32_t answer_count(const struct answer *answer, uint32_t max)
{
    uint32_t count = answer->call->request.count;

    if (count == 0)
        count = LIST_DEFAULT;
    return count < max ? count : max;
}

static const struct item *item_of(const struct answer *answer)
{
    return discover_item(answer->discover, answer->call->request.tenant,
                         answer->call->request.target);
}

/* --- HEAT item
 * ------------------------------------------------------------------------------------ */

static double at_now(const struct answer *answer, double forward)
{
    int64_t now_us = answer->now->now_us > answer->discover->now_us ? answer->now->now_us
                                                                    : answer->discover->now_us;
    const struct heat_clock *clock = &answer->discover->clock;

    if (forward == 0 || now_us - clock->landmark_us > 900 * clock->half_life_us)
        return 0;
    return forward / heat_forward(clock, now_us);
}

static void put_boost(struct answer *answer, const struct item *item)
{
    const struct boost *boost = NULL;

    if (item != NULL)
        boost = boost_find(answer->discover->boosts, item->head.c, item->head.a, item->tag,
                           item->tag_count, answer->discover->now_us);
    answer_number(answer, "boost", boost_factor(boost), 2);
    if (boost == NULL)
        tree_null(&answer->tree, "boost_until_ms");
    else
        put_ms(answer, "boost_until_ms", boost->until_us);
}

static void put_weights(struct answer *answer)
{
    tree_list(&answer->tree, "weights");
    for (uint32_t verb = 0; verb < HEAT_VERBS; verb++) {
        tree_map(&answer->tree, NULL);
        tree_word(&answer->tree, "act", heat_weights[verb].name);
        answer_number(answer, "weight", answer->discover->rules.weight[verb], 3);
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
}

static void answer_heat(struct answer *answer)
{
    const struct item *item = item_of(answer);
    double heat = item ? discover_heat(answer->discover, item, answer->now->now_us) : 0;

    begin(answer);
    tree_id(&answer->tree, "item", answer->call->request.target);
    tree_bool(&answer->tree, "known", item != NULL);
    answer_number(answer, "heat", heat, HEAT_PLACES);
    answer_number(answer, "leaving",
                  item ? fmin(heat, at_now(answer, item->heat.fading + item->heat.frozen)) : 0,
                  HEAT_PLACES);
    put_boost(answer, item);
    answer_number(answer, "ranked_by", item ? heat * discover_boost_of(answer->discover, item) : 0,
                  HEAT_PLACES);
    tree_counter(&answer->tree, "half_life_s",
                 (uint64_t)answer->discover->rules.half_life_us / 1000000);
    put_weights(answer);
    answer_finish(answer);
}

/* --- SIGNALS item
 * --------------------------------------------------------------------------------- */

static void put_signal(struct answer *answer, const struct signals *signals, uint32_t signal)
{
    const struct signal_tally *tally = &signals->tally[signal];
    struct signal_rate rate = signals_rate(tally->success_pct, signals->impressions_pct);

    tree_map(&answer->tree, NULL);
    tree_word(&answer->tree, "signal", signal_names[signal]);
    tree_counter(&answer->tree, "raw", tally->raw);
    tree_counter(&answer->tree, "valid", tally->valid);
    put_pct(answer, "credited", tally->credited_pct);
    put_pct(answer, "successes", tally->success_pct);
    answer_number(answer, "rate", rate.rate, 6);
    answer_number(answer, "low", rate.low, 6);
    answer_number(answer, "high", rate.high, 6);
    tree_end(&answer->tree);
}

static const char *mismatch_word(enum mismatch mismatch)
{
    return mismatch == MISMATCH_TITLE ? "title" : mismatch == MISMATCH_NONE ? "none" : "unknown";
}

static void answer_signals(struct answer *answer)
{
    static const struct signals nothing;
    const struct item *item = item_of(answer);
    const struct signals *signals = item ? &item->signals : &nothing;
    struct discover_commenters commenters = {0, true};

    if (item != NULL)
        commenters = discover_commenters(answer->discover, item);
    begin(answer);
    tree_id(&answer->tree, "item", answer->call->request.target);
    tree_bool(&answer->tree, "known", item != NULL);
    tree_counter(&answer->tree, "impressions", signals->impressions);
    put_pct(answer, "impressions_credited", signals->impressions_pct);
    tree_counter(&answer->tree, "commenters", (uint64_t)llround(commenters.count));
    tree_bool(&answer->tree, "commenters_exact", commenters.exact);
    tree_counter(&answer->tree, "opened", item != NULL ? item->opened : 0);
    put_pct(answer, "opened_credited", item != NULL ? item->opened_pct : 0);
    tree_word(&answer->tree, "mismatch",
              mismatch_word(signals_mismatch(signals, answer->discover->platform)));
    tree_list(&answer->tree, "signals");
    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++)
        put_signal(answer, signals, signal);
    tree_end(&answer->tree);
    answer_health(answer, item);
    answer_finish(answer);
}

/* --- TOP scope [OF name] [COUNT n]
 * ----------------------------------------------------------------- */

static bool number_of(const char *text, size_t size, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || *value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(text[i] - '0');
    }
    return size > 0;
}

/* Which list OF means. False: it means none. */
static bool scope_read(const struct request *request, enum scope_kind kind, uint64_t *id)
{
    const char *text = request->u.ask.text;
    size_t size = request->u.ask.text_size;

    *id = 0;
    switch (kind) {
    case SCOPE_TAG:
        *id = discover_tag_id(text, size);
        return tags_is_line(text, size);
    case SCOPE_REGION:
        return size > 0 && region_read(text, size, id) && *id != 0;
    case SCOPE_CREATOR:
        return number_of(text, size, id);
    default:
        return size == 0;
    }
}

#define TOP_ANSWER_MAX 100

static void answer_top(struct answer *answer)
{
    static const char *const names[] = {"all", "tag", "region", "creator", "newcomers"};
    const struct request *request = &answer->call->request;
    enum scope_kind kind = request->u.ask.words[0] - 1u;
    uint32_t rows[TOP_ANSWER_MAX], count;
    uint64_t id, refused;

    if (!scope_read(request, kind, &id)) {
        tree_refuse(answer->call, STATUS_BADVALUE);
        return;
    }
    count = discover_top(answer->discover, request->tenant, kind, id,
                         answer_count(answer, TOP_ANSWER_MAX), rows, &refused);
    begin(answer);
    tree_word(&answer->tree, "scope", names[kind]);
    if (request->u.ask.text_size > 0)
        tree_text(&answer->tree, "of", request->u.ask.text, request->u.ask.text_size);
    else
        tree_null(&answer->tree, "of");
    tree_bool(&answer->tree, "complete", refused == 0);
    tree_list(&answer->tree, "items");
    for (uint32_t i = 0; i < count; i++) {
        const struct item *item = table_row(&answer->discover->items, rows[i]);

        tree_map(&answer->tree, NULL);
        tree_id(&answer->tree, "item", item->head.a);
        answer_number(answer, "heat", discover_heat(answer->discover, item, answer->now->now_us),
                      HEAT_PLACES);
        answer_number(answer, "boost", discover_boost_of(answer->discover, item), 2);
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
    answer_finish(answer);
}

/* --- RISING [WINDOW] [COUNT]
 * ------------------------------------------------------------------------ */

static void put_trend(struct answer *answer, const struct discover_trend *trend)
{
    tree_map(&answer->tree, NULL);
    tree_text(&answer->tree, "tag", trend->tag->name, trend->tag->name_size);
    answer_number(answer, "last", trend->trend.last, 2);
    answer_number(answer, "before", trend->trend.before, 2);
    answer_number(answer, "difference", trend->trend.difference, 2);
    answer_number(answer, "acceleration", trend->trend.acceleration, 2);
    answer_number(answer, "ratio", trend->trend.ratio, 3);
    answer_number(answer, "z", trend->trend.z, 2);
    tree_end(&answer->tree);
}

static void answer_rising(struct answer *answer)
{
    static const uint32_t seconds[RISING_WINDOWS] = {300, 3600};
    const struct request *request = &answer->call->request;
    enum rising_window window = request->u.ask.words[0] == 2 ? RISING_HOUR : RISING_5MIN;
    struct discover_trend trends[DISCOVER_RISING_MAX];
    struct rising none = {0};
    uint32_t count = discover_rising(answer->discover, request->tenant, window, answer->now->now_us,
                                     answer_count(answer, DISCOVER_RISING_MAX), trends);

    begin(answer);
    tree_counter(&answer->tree, "window_s", seconds[window]);
    put_ms(answer, "until_ms", rising_read(&none, window, answer->now->now_us).until_us);
    tree_list(&answer->tree, "tags");
    for (uint32_t i = 0; i < count; i++)
        put_trend(answer, &trends[i]);
    tree_end(&answer->tree);
    answer_finish(answer);
}

/* --- LIVE item
 * -------------------------------------------------------------------------------------- */

static void answer_live(struct answer *answer)
{
    const struct request *request = &answer->call->request;
    struct live live = discover_live(answer->discover, request->tenant, request->target);

    begin(answer);
    tree_id(&answer->tree, "item", request->target);
    tree_list(&answer->tree, "windows");
    for (uint32_t window = 0; window < LIVE_WINDOWS; window++) {
        struct live_sum sum = live_read(&live, window, answer->now->now_us);

        tree_map(&answer->tree, NULL);
        tree_counter(&answer->tree, "seconds", live_seconds[window]);
        put_ms(answer, "from_ms", sum.from_us);
        for (uint32_t act = 0; act < LIVE_ACTS; act++) {
            if (act == LIVE_LIKE_PCT)
                put_pct(answer, live_act_names[act], sum.count[act]);
            else
                tree_counter(&answer->tree, live_act_names[act], sum.count[act]);
        }
        tree_end(&answer->tree);
    }
    tree_end(&answer->tree);
    answer_finish(answer);
}

/* --- INTERESTS account
 * -------------------------------------------------------------------------------- */

static void put_tag(struct answer *answer, uint64_t id)
{
    const struct tag_row *tag = discover_tag(answer->discover, answer->call->request.tenant, id);

    if (tag != NULL && tag->name_size > 0)
        tree_text(&answer->tree, "tag", tag->name, tag->name_size);
    else
        tree_null(&answer->tree, "tag");
}

static void put_interests(struct answer *answer, const struct interest *interest)
{
    for (uint32_t i = 0; i < interest->count; i++) {
        tree_map(&answer->tree, NULL);
        put_tag(answer, interest->tag[i]);
        answer_number(answer, "share",
                      interest->whole > 0 ? interest->mass[i] / interest->whole : 0, 4);
        tree_end(&answer->tree);
    }
}

static void put_unwanted(struct answer *answer, const struct taste *taste)
{
    for (uint32_t i = 0; i < TASTE_TRAITS; i++) {
        const struct taste_trait *trait = &taste->at[i];
        double factor = taste_factor_of(taste, trait, answer->now->now_us);

        if ((trait->kind != TASTE_TAG && trait->kind != TASTE_CREATOR) || factor > UNWANTED)
            continue;
        tree_map(&answer->tree, NULL);
        if (trait->kind == TASTE_TAG) {
            put_tag(answer, trait->id);
            tree_null(&answer->tree, "creator");
        } else {
            tree_null(&answer->tree, "tag");
            tree_id(&answer->tree, "creator", trait->id);
        }
        answer_number(answer, "factor", factor, 2);
        tree_end(&answer->tree);
    }
}

static void answer_interests(struct answer *answer)
{
    const struct request *request = &answer->call->request;
    const struct account *account =
        discover_account(answer->discover, request->tenant, request->account);
    const struct viewer *viewer =
        discover_viewer(answer->discover, request->tenant, request->account);

    begin(answer);
    tree_id(&answer->tree, "account", request->account);
    tree_bool(&answer->tree, "personal",
              discover_may_personalise(answer->discover, request->tenant, request->account));
    tree_list(&answer->tree, "tags");
    if (account != NULL)
        put_interests(answer, &account->interest);
    tree_end(&answer->tree);
    tree_list(&answer->tree, "unwanted");
    if (viewer != NULL)
        put_unwanted(answer, &viewer->taste);
    tree_end(&answer->tree);
    answer_number(answer, "tired",
                  viewer == NULL ? 0 : taste_tired(&viewer->taste, answer->now->now_us), 2);
    answer_finish(answer);
}

/* What the door leaves to whoever knows the objects (engine/access.h): is the item the caller's
 * own, is his assertion still good? */
static enum status check(const struct discover *discover, const struct request *request)
{
    const struct item *item;

    if (request->asserted &&
        discover_is_revoked(discover, request->tenant, request->subject, request->epoch))
        return STATUS_TOKENREVOKED;
    if (request->object_rule != RULE_ITEM || PLANTED("discover.any_item"))
        return STATUS_OK;
    item = discover_item(discover, request->tenant, request->target);
    return item != NULL && item->has_creator && item->creator == request->subject ? STATUS_OK
                                                                                  : STATUS_NOPERM;
}

bool discover_answer(const struct answerer *answerer, struct call *call,
                     const struct reader_now *now)
{
    static void (*const answers[])(struct answer *) = {
        [VERB_HEAT - VERB_HEAT] = answer_heat,
        [VERB_TOP - VERB_HEAT] = answer_top,
        [VERB_RISING - VERB_HEAT] = answer_rising,
        [VERB_LIVE - VERB_HEAT] = answer_live,
        [VERB_SIGNALS - VERB_HEAT] = answer_signals,
        [VERB_INTERESTS - VERB_HEAT] = answer_interests,
        [VERB_FEED - VERB_HEAT] = answer_feed,
        [VERB_SIMILAR - VERB_HEAT] = answer_similar,
        [VERB_WHY - VERB_HEAT] = answer_why,
        [VERB_WEIGHT - VERB_HEAT] = answer_weight,
        [VERB_CAMPAIGN_GET - VERB_HEAT] = answer_campaign,
        [VERB_CAMPAIGN_REACH - VERB_HEAT] = answer_reach,
    };
    struct answer answer = {
        .by = answerer, .discover = answerer->discover, .call = call, .now = now};
    uint32_t which = call->request.verb - (uint32_t)VERB_HEAT;
    enum status status = check(answerer->discover, &call->request);

    if (which >= sizeof answers / sizeof answers[0] || answers[which] == NULL)
        return false;
    if (status != STATUS_OK)
        tree_refuse(call, status);
    else
        answers[which](&answer);
    return true;
}
