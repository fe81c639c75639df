/* insight_answer.c: who may ask, the pieces of answers, INSIGHT ITEM (schema/answers.def says what
 * each has). */
#include "readers/insight/insight_answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "readers/discover/signals.h"
#include "readers/insight/insight_answer_inner.h"
#include "schema/access.h"
#include "schema/region.h"
#include "schema/verb.h"

#define RATE_PLACES 6
#define REGIONS_MAX 16

/* --- pieces --------------------------------------------------------------------------------------
 */

void asked_begin(struct insight_asked *asked)
{
    tree_begin(&asked->tree, asked->call);
    tree_word(&asked->tree, "formula", INSIGHT_FORMULA);
}

/* What it stands for, at the end of every answer. */
void asked_finish(struct insight_asked *asked)
{
    uint32_t late_ms = 0;

    tree_list(&asked->tree, "seq");
    for (uint16_t i = 0; i < asked->now->partitions; i++) {
        tree_id(&asked->tree, NULL, asked->now->lag[i].applied);
        if (asked->now->lag[i].late_ms > late_ms)
            late_ms = asked->now->lag[i].late_ms;
    }
    tree_end(&asked->tree);
    tree_counter(&asked->tree, "late_ms", late_ms);
    tree_finish(&asked->tree, asked->call);
}

void asked_number(struct insight_asked *asked, const char *name, double value, uint8_t places)
{
    double scaled = value * pow(10, places);

    if (!(scaled < 9e18))
        scaled = 9e18;
    if (scaled < -9e18)
        scaled = -9e18;
    tree_decimal(&asked->tree, name, llround(scaled), places);
}

void asked_ms(struct insight_asked *asked, const char *name, int64_t time_us)
{
    if (time_us == 0)
        tree_null(&asked->tree, name);
    else
        tree_integer(&asked->tree, name, time_us / 1000);
}

void asked_tag(struct insight_asked *asked, const char *name, uint64_t tag)
{
    const struct insight_name *row =
        tag == 0 ? NULL : insight_name(asked->insight, asked->call->request.tenant, tag);

    if (row == NULL)
        tree_null(&asked->tree, name);
    else
        tree_text(&asked->tree, name, row->name, row->size);
}

static struct signal_rate rate_of(double s, double n)
{
    return signals_rate((uint64_t)fmax(s, 0), (uint64_t)fmax(n, 0));
}

static void put_interval(struct insight_asked *asked, const char *name, double s, double n)
{
    struct signal_rate rate = rate_of(s, n);

    asked_number(asked, name, rate.rate, RATE_PLACES);
    asked_number(asked, "low", rate.low, RATE_PLACES);
    asked_number(asked, "high", rate.high, RATE_PLACES);
}

void asked_rate(struct insight_asked *asked, double s, double n)
{
    put_interval(asked, "rate", s, n);
}

void asked_share(struct insight_asked *asked, double s, double n)
{
    put_interval(asked, "share", s, n);
}

void asked_bands(struct insight_asked *asked, const char *name, const char *const *names,
                 const uint32_t *accounts, uint32_t count)
{
    struct cell cells[BANDS_AGE + BANDS_TRUST];
    double all = 0;

    for (uint32_t i = 0; i < count; i++) {
        cells[i] = (struct cell){.accounts = accounts[i]};
        all += accounts[i];
    }
    asked->withheld += stats_hide(cells, count);
    tree_list(&asked->tree, name);
    for (uint32_t i = 0; i < count; i++) {
        if (cells[i].hidden)
            continue;
        tree_map(&asked->tree, NULL);
        tree_word(&asked->tree, "band", names[i]);
        tree_counter(&asked->tree, "accounts", accounts[i]);
        asked_number(asked, "share", all > 0 ? accounts[i] / all : 0, 4);
        tree_end(&asked->tree);
    }
    tree_end(&asked->tree);
}

void asked_hours(struct insight_asked *asked, const struct insight_map *map)
{
    bool told = map != NULL && map->accounts >= INSIGHT_QUORUM;

    tree_list(&asked->tree, "hours");
    for (uint32_t hour = 0; hour < 24 && told; hour++) {
        tree_map(&asked->tree, NULL);
        tree_counter(&asked->tree, "hour", hour);
        tree_counter(&asked->tree, "shown", map->shown[hour]);
        tree_counter(&asked->tree, "likes", map->likes[hour]);
        tree_end(&asked->tree);
    }
    tree_end(&asked->tree);
}

static int by_accounts(const void *a, const void *b)
{
    const struct insight_map *left = *(const struct insight_map *const *)a;
    const struct insight_map *right = *(const struct insight_map *const *)b;

    if (left->accounts != right->accounts)
        return left->accounts < right->accounts ? 1 : -1;
    return left->head.b < right->head.b ? -1 : 1;
}

#define REGIONS_SEEN 256

/* The maps of all regions of one, the largest first. */
static uint32_t regions_of(const struct insight_asked *asked, enum map_kind kind, uint64_t id,
                           const struct insight_map *maps[REGIONS_SEEN])
{
    const struct table *table = &asked->insight->maps;
    const struct insight_map *map;
    uint32_t at = 0, count = 0;

    while (count < REGIONS_SEEN && (map = insight_next(table, &at)) != NULL)
        if (map->head.a == id && map->head.b != 0 &&
            map->head.c == (asked->call->request.tenant | (uint32_t)kind << 16))
            maps[count++] = map;
    qsort(maps, count, sizeof maps[0], by_accounts);
    return count;
}

static void put_region(struct insight_asked *asked, const struct insight_map *map)
{
    char text[REGION_SIZE_MAX];
    size_t size = region_write(map->head.b, text);

    tree_map(&asked->tree, NULL);
    tree_text(&asked->tree, "region", text, size);
    tree_counter(&asked->tree, "accounts", map->accounts);
    tree_list(&asked->tree, "shown");
    for (uint32_t hour = 0; hour < 24; hour++)
        tree_counter(&asked->tree, NULL, map->shown[hour]);
    tree_end(&asked->tree);
    tree_list(&asked->tree, "likes");
    for (uint32_t hour = 0; hour < 24; hour++)
        tree_counter(&asked->tree, NULL, map->likes[hour]);
    tree_end(&asked->tree);
    tree_end(&asked->tree);
}

void asked_regions(struct insight_asked *asked, enum map_kind kind, uint64_t id)
{
    const struct insight_map *maps[REGIONS_SEEN];
    struct cell cells[REGIONS_SEEN];
    uint32_t count = regions_of(asked, kind, id, maps), told = 0;

    for (uint32_t i = 0; i < count; i++)
        cells[i] = (struct cell){.accounts = maps[i]->accounts};
    asked->withheld += stats_hide(cells, count);
    tree_list(&asked->tree, "regions");
    for (uint32_t i = 0; i < count && told < REGIONS_MAX; i++) {
        if (cells[i].hidden || maps[i]->accounts == 0)
            continue;
        put_region(asked, maps[i]);
        told++;
    }
    tree_end(&asked->tree);
}

void asked_met(struct insight_asked *asked, const char *name, uint32_t met_new,
               uint32_t met_returning)
{
    tree_map(&asked->tree, name);
    tree_counter(&asked->tree, "new", met_new);
    tree_counter(&asked->tree, "returning", met_returning);
    tree_end(&asked->tree);
}

/* --- INSIGHT ITEM item
 * ---------------------------------------------------------------------------- */

static void put_nulls(struct insight_asked *asked)
{
    tree_null(&asked->tree, "expected");
    tree_null(&asked->tree, "expected_low");
    tree_null(&asked->tree, "expected_high");
    tree_null(&asked->tree, "percentile");
}

static const char *against(const struct comparison *comparison, enum step step)
{
    struct signal_rate rate = rate_of(comparison->s[step], comparison->n);
    bool less_is_better = step == STEP_SKIP || step == STEP_REPORT;
    double others;

    if (step == STEP_SHOWN)
        return "usual"; /* all that are shown it are */
    if (comparison->items == 0 || comparison->n < TELLING_PCT || comparison->others_n <= 0)
        return "unknown";
    others = comparison->others_s[step] / comparison->others_n;
    if (rate.low > others)
        return less_is_better ? "worse" : "better";
    if (rate.high < others)
        return less_is_better ? "better" : "worse";
    return "usual";
}

static void put_step(struct insight_asked *asked, const struct insight_item *item,
                     const struct comparison *comparison, enum step step)
{
    const struct tally *tally = &item->tally[step];

    tree_map(&asked->tree, NULL);
    tree_word(&asked->tree, "step", metric_names[step]);
    tree_counter(&asked->tree, "raw", tally->raw);
    tree_counter(&asked->tree, "valid", tally->valid);
    asked_number(asked, "credited", (double)tally->credited_pct / 100, 2);
    asked_rate(asked, comparison->s[step], comparison->n);
    if (step < FUNNEL && comparison->items > 0) {
        const struct expected *expected = &comparison->step[step];

        asked_number(asked, "expected", expected->middle, 2);
        asked_number(asked, "expected_low", expected->low, 2);
        asked_number(asked, "expected_high", expected->high, 2);
        asked_number(asked, "percentile", expected->percentile, 4);
    } else {
        put_nulls(asked);
    }
    if (comparison->others_n > 0)
        asked_number(asked, "expected_rate", comparison->others_s[step] / comparison->others_n,
                     RATE_PLACES);
    else
        tree_null(&asked->tree, "expected_rate");
    tree_word(&asked->tree, "against", against(comparison, step));
    tree_end(&asked->tree);
}

/* Likes taken back of those given: of all items together. */
static void put_others(struct insight_asked *asked)
{
    const struct insight_item *item;
    double given = 0, taken = 0;
    uint32_t at = 0;

    while ((item = insight_next(&asked->insight->items, &at)) != NULL) {
        if (item->head.c != asked->call->request.tenant)
            continue;
        given += item->likes_given;
        taken += item->likes_taken;
    }
    if (given > 0)
        asked_number(asked, "others", taken / given, RATE_PLACES);
    else
        tree_null(&asked->tree, "others");
}

static void put_likes(struct insight_asked *asked, const struct insight_item *item)
{
    tree_map(&asked->tree, "likes");
    tree_counter(&asked->tree, "now", item->tally[STEP_LIKE].raw);
    tree_counter(&asked->tree, "peak", item->like_peak);
    asked_ms(asked, "peak_ms", item->like_peak_us);
    tree_counter(&asked->tree, "given", item->likes_given);
    tree_counter(&asked->tree, "taken_back", item->likes_taken);
    asked_rate(asked, item->likes_taken * 100.0, item->likes_given * 100.0);
    put_others(asked);
    tree_end(&asked->tree);
}

static void put_retention(struct insight_asked *asked, const struct insight_item *item)
{
    double all = 0, gone = 0;

    for (uint32_t i = 0; i < RETENTION; i++)
        all += item->retention[i];
    tree_list(&asked->tree, "retention");
    for (uint32_t i = 0; i < RETENTION; i++) {
        gone += item->retention[i];
        tree_map(&asked->tree, NULL);
        if (retention_ms[i] == UINT32_MAX)
            tree_null(&asked->tree, "until_ms");
        else
            tree_counter(&asked->tree, "until_ms", retention_ms[i]);
        tree_counter(&asked->tree, "accounts", item->retention[i]);
        asked_number(asked, "left", all > 0 ? (all - gone) / all : 0, 4);
        tree_end(&asked->tree);
    }
    tree_end(&asked->tree);
}

void asked_comparable(struct insight_asked *asked, const struct insight_item *item,
                      const struct comparison *comparison)
{
    tree_map(&asked->tree, "comparable");
    tree_word(&asked->tree, "by", comparable_by_names[comparison->by]);
    asked_tag(asked, "tag", comparison->by == COMPARED_BY_TAG ? item->tag[0] : 0);
    tree_counter(&asked->tree, "items", comparison->items);
    tree_end(&asked->tree);
}

static void put_head(struct insight_asked *asked, const struct insight_item *item, bool known)
{
    tree_id(&asked->tree, "item", asked->call->request.target);
    tree_bool(&asked->tree, "known", known);
    if (item->has_creator)
        tree_id(&asked->tree, "creator", item->creator);
    else
        tree_null(&asked->tree, "creator");
    asked_ms(asked, "published_ms", item->published_us);
}

static void answer_item(struct insight_asked *asked)
{
    static const struct insight_item nothing;
    const struct request *request = &asked->call->request;
    const struct insight_item *item =
        insight_item(asked->insight, request->tenant, request->target);
    struct comparison comparison = {0};
    bool known = item != NULL;

    if (known)
        compare_item(asked->insight, item, asked->now_us, &comparison);
    else
        item = &nothing;
    asked_begin(asked);
    put_head(asked, item, known);
    tree_counter(&asked->tree, "age_s", (uint64_t)comparison.age_us / 1000000);
    tree_list(&asked->tree, "tags");
    for (uint32_t i = 0; i < item->tag_count; i++)
        asked_tag(asked, NULL, item->tag[i]);
    tree_end(&asked->tree);
    tree_word(&asked->tree, "basis", comparison.attested ? "attested" : "reported");
    asked_number(asked, "impressions", comparison.n / 100, 2);
    tree_counter(&asked->tree, "attested", item->attested);
    asked_comparable(asked, item, &comparison);
    tree_list(&asked->tree, "steps");
    for (enum step step = 0; step < STEP_COUNT; step++)
        put_step(asked, item, &comparison, step);
    tree_end(&asked->tree);
    put_likes(asked, item);
    asked_bands(asked, "quality", trust_band_names, item->likers_trust, BANDS_TRUST);
    asked_bands(asked, "ages", age_band_names, item->likers_age, BANDS_AGE);
    asked_hours(asked, insight_map(asked->insight, MAP_ITEM, request->tenant, request->target, 0));
    asked_regions(asked, MAP_ITEM, request->target);
    asked_met(asked, "audience", item->met_new, item->met_returning);
    put_retention(asked, item);
    tree_counter(&asked->tree, "withheld", asked->withheld);
    asked_finish(asked);
}

/* --- who may ask ---------------------------------------------------------------------------------
 */

/* What the door leaves to whoever knows the objects: is the item the caller's own, is his assertion
 * still good? */
static enum status check(const struct insight *insight, const struct request *request)
{
    const struct insight_item *item;

    if (request->asserted &&
        insight_is_revoked(insight, request->tenant, request->subject, request->epoch))
        return STATUS_TOKENREVOKED;
    if (request->object_rule != RULE_ITEM || PLANTED("insight.any_item"))
        return STATUS_OK;
    item = insight_item(insight, request->tenant, request->target);
    return item != NULL && item->has_creator && item->creator == request->subject ? STATUS_OK
                                                                                  : STATUS_NOPERM;
}

bool insight_answer(const struct insight *insight, struct call *call, const struct reader_now *now)
{
    static void (*const answers[VERB_COUNT])(struct insight_asked *) = {
        [VERB_INSIGHT_ITEM] = answer_item,
        [VERB_TIMELINE] = insight_tell_timeline,
        [VERB_INSIGHT_CREATOR] = insight_tell_creator,
        [VERB_INSIGHT_AUDIENCE] = insight_tell_audience,
        [VERB_INSIGHT_PLATFORM] = insight_tell_platform,
        [VERB_ROLLUP] = insight_tell_rollup,
        [VERB_DIAGNOSE] = insight_tell_diagnosis,
    };
    struct insight_asked asked = {.insight = insight, .call = call, .now = now};
    enum status status = check(insight, &call->request);

    if (answers[call->request.verb] == NULL)
        return false;
    asked.now_us = now->now_us > insight->record_us ? now->now_us : insight->record_us;
    if (status != STATUS_OK)
        tree_refuse(call, status);
    else
        answers[call->request.verb](&asked);
    return true;
}
