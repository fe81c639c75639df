/* insight_answer_time.c: what happened when: TIMELINE, ROLLUP, INSIGHT PLATFORM. */
#include <string.h>

#include "readers/insight/insight_answer_inner.h"
#include "schema/region.h"
#include "schema/tags.h"

#define POINTS_DEFAULT 48
#define POINTS_MAX     200
#define DAYS           28
#define DAY_US         (24 * 3600LL * 1000000)

/* In the order of the words of METRIC (verbs.def). */
static const uint8_t metrics[] = {
    STEP_LIKE,  METRIC_UNLIKE, STEP_SHOWN,    STEP_VIEW, STEP_HOLD,   STEP_FINISH, STEP_COMMENT,
    STEP_SHARE, STEP_FOLLOW,   STEP_FAVORITE, STEP_SKIP, STEP_REPORT, METRIC_NEW,  METRIC_RETURNING,
};

static uint8_t metric_of(uint8_t word)
{
    return metrics[word == 0 ? 0 : word - 1];
}

static void put_point(struct insight_asked *asked, const struct bucket *bucket, uint8_t metric,
                      int64_t at_us)
{
    static const struct count none;
    const struct count *count = bucket != NULL ? &bucket->count[metric] : &none;

    tree_map(&asked->tree, NULL);
    tree_integer(&asked->tree, "at_ms", at_us / 1000);
    tree_counter(&asked->tree, "raw", count->raw);
    tree_counter(&asked->tree, "valid", count->valid);
    asked_number(asked, "credited", count->credited_pct / 100.0, 2);
    tree_end(&asked->tree);
}

/* The last spans, up to the one that is under way. */
static void put_points(struct insight_asked *asked, struct scope scope, enum span span,
                       uint8_t metric)
{
    uint32_t want = asked->call->request.count;
    int64_t last_us = asked->now_us / span_us[span] * span_us[span];

    if (want == 0)
        want = POINTS_DEFAULT;
    if (want > POINTS_MAX)
        want = POINTS_MAX;
    scope.tenant = asked->call->request.tenant;
    tree_word(&asked->tree, "metric", metric_names[metric]);
    tree_word(&asked->tree, "by", span_names[span]);
    tree_bool(&asked->tree, "complete", asked->insight->buckets.lost == 0);
    tree_list(&asked->tree, "points");
    for (uint32_t i = want; i-- > 0;) {
        int64_t at_us = last_us - i * span_us[span];

        if (at_us >= 0)
            put_point(asked, buckets_find(&asked->insight->buckets, scope, span, at_us), metric,
                      at_us);
    }
    tree_end(&asked->tree);
}

/* TIMELINE item [METRIC m] [BY hour|minute|day] [COUNT n] */
void insight_tell_timeline(struct insight_asked *asked)
{
    static const enum span spans[] = {SPAN_HOUR, SPAN_HOUR, SPAN_MINUTE, SPAN_DAY};
    const struct request *request = &asked->call->request;
    struct scope scope = {.of = BUCKET_ITEM, .id = request->target};

    asked_begin(asked);
    tree_id(&asked->tree, "item", request->target);
    put_points(asked, scope, spans[request->u.ask.words[1]], metric_of(request->u.ask.words[0]));
    asked_finish(asked);
}

/* --- ROLLUP scope [OF which] [METRIC m] [BY day|hour|minute] [COUNT n]
 * ---------------------------- */

static bool id_of(const char *text, size_t size, uint64_t *id)
{
    *id = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || *id > (UINT64_MAX - 9) / 10)
            return false;
        *id = *id * 10 + (uint64_t)(text[i] - '0');
    }
    return size > 0;
}

static bool band_of(const char *text, size_t size, const char *const *names, uint32_t count,
                    uint64_t *id)
{
    for (*id = 0; *id < count; (*id)++)
        if (strlen(names[*id]) == size && memcmp(names[*id], text, size) == 0)
            return true;
    return false;
}

/* False: OF means none. */
static bool scope_of(const struct request *request, struct scope *scope)
{
    static const enum bucket_scope scopes[] = {BUCKET_ALL,     BUCKET_TAG, BUCKET_REGION,
                                               BUCKET_CREATOR, BUCKET_AGE, BUCKET_TRUST};
    const char *text = request->u.ask.text;
    size_t size = request->u.ask.text_size;

    *scope = (struct scope){.of = scopes[request->u.ask.words[0] - 1]};
    switch (scope->of) {
    case BUCKET_TAG:
        scope->id = insight_tag_id(text, size);
        return tags_is_line(text, size);
    case BUCKET_REGION:
        return size > 0 && region_read(text, size, &scope->id) && scope->id != 0;
    case BUCKET_CREATOR:
        return id_of(text, size, &scope->id);
    case BUCKET_AGE:
        return band_of(text, size, age_band_names, BANDS_AGE, &scope->id);
    case BUCKET_TRUST:
        return band_of(text, size, trust_band_names, BANDS_TRUST, &scope->id);
    default:
        return size == 0;
    }
}

void insight_tell_rollup(struct insight_asked *asked)
{
    static const char *const names[] = {"all", "tag", "region", "creator", "age", "trust"};
    static const enum span spans[] = {SPAN_DAY, SPAN_DAY, SPAN_HOUR, SPAN_MINUTE};
    const struct request *request = &asked->call->request;
    enum span span = spans[request->u.ask.words[2]];
    struct scope scope;

    if (!scope_of(request, &scope) || !(scope_spans[scope.of] >> span & 1)) {
        tree_refuse(asked->call, STATUS_BADVALUE);
        return;
    }
    asked_begin(asked);
    tree_word(&asked->tree, "scope", names[request->u.ask.words[0] - 1]);
    if (request->u.ask.text_size > 0)
        tree_text(&asked->tree, "of", request->u.ask.text, request->u.ask.text_size);
    else
        tree_null(&asked->tree, "of");
    put_points(asked, scope, span, metric_of(request->u.ask.words[1]));
    asked_finish(asked);
}

/* --- INSIGHT PLATFORM ----------------------------------------------------------------------------
 */

static double active_of(const struct insight_asked *asked, uint32_t last, uint32_t days)
{
    struct sketch all = {0};

    for (uint32_t day = last < days ? 0 : last - days + 1; day <= last; day++) {
        const struct sketch *sketch =
            insight_active(asked->insight, asked->call->request.tenant, day);

        if (sketch != NULL)
            sketch_join(&all, sketch);
    }
    return sketch_count(&all);
}

static const struct bucket *day_at(const struct insight_asked *asked, uint32_t day)
{
    return buckets_find(&asked->insight->buckets,
                        (struct scope){.of = BUCKET_ALL, .tenant = asked->call->request.tenant},
                        SPAN_DAY, day * DAY_US);
}

static void put_day(struct insight_asked *asked, uint32_t day)
{
    static const struct bucket nothing;
    const struct bucket *bucket = day_at(asked, day);
    const struct count *count = bucket != NULL ? bucket->count : nothing.count;

    tree_map(&asked->tree, NULL);
    tree_integer(&asked->tree, "at_ms", day * DAY_US / 1000);
    asked_number(asked, "active", active_of(asked, day, 1), 0);
    tree_counter(&asked->tree, "shown", count[STEP_SHOWN].raw);
    tree_counter(&asked->tree, "likes", count[STEP_LIKE].raw);
    tree_counter(&asked->tree, "likes_valid", count[STEP_LIKE].valid);
    asked_number(asked, "likes_credited", count[STEP_LIKE].credited_pct / 100.0, 2);
    tree_counter(&asked->tree, "unlikes", count[METRIC_UNLIKE].raw);
    tree_end(&asked->tree);
}

static void put_share(struct insight_asked *asked, const char *name, double part, double whole,
                      uint8_t places)
{
    if (whole > 0)
        asked_number(asked, name, part / whole, places);
    else
        tree_null(&asked->tree, name);
}

void insight_tell_platform(struct insight_asked *asked)
{
    uint32_t today = (uint32_t)(asked->now_us / DAY_US),
             first = today < DAYS ? 0 : today - DAYS + 1;
    double month = active_of(asked, today, DAYS), days = 0, likes = 0;

    for (uint32_t day = first; day <= today; day++) {
        const struct bucket *bucket = day_at(asked, day);

        days += active_of(asked, day, 1);
        likes += bucket != NULL ? bucket->count[STEP_LIKE].raw : 0;
    }
    asked_begin(asked);
    asked_number(asked, "day_active", active_of(asked, today, 1), 0);
    asked_number(asked, "week_active", active_of(asked, today, 7), 0);
    asked_number(asked, "month_active", month, 0);
    asked_number(asked, "error", SKETCH_ERROR, 3);
    put_share(asked, "stickiness", days / DAYS, month, 4);
    put_share(asked, "likes_per_active", likes, days, 4);
    tree_list(&asked->tree, "days");
    for (uint32_t day = first; day <= today; day++)
        put_day(asked, day);
    tree_end(&asked->tree);
    asked_finish(asked);
}
