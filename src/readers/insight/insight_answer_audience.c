/* insight_answer_audience.c: what a creator is told of all his items, and of whom they reach. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/insight/insight_answer_inner.h"
#include "readers/insight/slots.h"

#define TOPICS_MAX  64 /* that are looked at */
#define TOPICS_TOLD 20
#define TASTES_TOLD 16
#define SLOTS_TOLD  3
#define DAYS        28
#define DAY_US      (24 * 3600LL * 1000000)
#define ALPHA       0.05

static const struct insight_creator *creator_of(const struct insight_asked *asked)
{
    return insight_creator(asked->insight, asked->call->request.tenant,
                           asked->call->request.target);
}

/* --- INSIGHT CREATOR: topics
 * ----------------------------------------------------------------------- */

struct topic {
    uint64_t tag; /* 0: none */
    uint32_t items;
    struct share likes; /* of impressions */
};

struct topics {
    struct topic topic[TOPICS_MAX];
    uint32_t count;
    uint32_t items;
    struct share whole;
    bool attested;
};

static struct topic *topic_of(struct topics *topics, uint64_t tag)
{
    for (uint32_t i = 0; i < topics->count; i++)
        if (topics->topic[i].tag == tag)
            return &topics->topic[i];
    if (topics->count == TOPICS_MAX)
        return NULL;
    topics->topic[topics->count] = (struct topic){.tag = tag};
    return &topics->topic[topics->count++];
}

static void topic_add(struct topics *topics, const struct insight_item *item)
{
    struct topic *topic = topic_of(topics, item->tag_count > 0 ? item->tag[0] : 0);
    const struct tally *like = &item->tally[STEP_LIKE];
    struct share share = {
        (double)(topics->attested ? like->attested_pct : like->reported_pct),
        (double)(topics->attested ? item->attested_n_pct : item->tally[STEP_SHOWN].reported_pct)};

    topics->items++;
    topics->whole.s += share.s;
    topics->whole.n += share.n;
    if (topic == NULL)
        return;
    topic->items++;
    topic->likes.s += share.s;
    topic->likes.n += share.n;
}

static int by_shown(const void *a, const void *b)
{
    const struct topic *left = a, *right = b;

    if (left->likes.n != right->likes.n)
        return left->likes.n < right->likes.n ? 1 : -1;
    return left->tag < right->tag ? -1 : 1;
}

/* Those of which something can be said, the most shown first. */
static void topics_read(const struct insight_asked *asked, struct topics *topics)
{
    const struct request *request = &asked->call->request;
    const struct insight_item *item;
    uint32_t at = 0, kept = 0;

    while ((item = insight_next(&asked->insight->items, &at)) != NULL)
        if (item->has_creator && item->creator == request->target &&
            item->head.c == request->tenant)
            topic_add(topics, item);
    qsort(topics->topic, topics->count, sizeof topics->topic[0], by_shown);
    while (kept < topics->count && topics->topic[kept].likes.n >= TELLING_PCT)
        kept++;
    topics->count = kept;
}

static void put_topic(struct insight_asked *asked, const struct topics *topics,
                      const struct topic *topic)
{
    struct share others = {topics->whole.s - topic->likes.s, topics->whole.n - topic->likes.n};
    double z = stats_z(topic->likes, others);

    tree_map(&asked->tree, NULL);
    asked_tag(asked, "tag", topic->tag);
    tree_counter(&asked->tree, "items", topic->items);
    asked_number(asked, "impressions", topic->likes.n / 100, 2);
    asked_number(asked, "likes", topic->likes.s / 100, 2);
    asked_rate(asked, topic->likes.s, topic->likes.n);
    if (others.n > 0)
        asked_number(asked, "others", others.s / others.n, 6);
    else
        tree_null(&asked->tree, "others");
    asked_number(asked, "z", z, 2);
    tree_bool(&asked->tree, "significant", stats_p(z) * topics->count < ALPHA);
    tree_end(&asked->tree);
}

/* --- INSIGHT CREATOR
 * ------------------------------------------------------------------------------
 */

static void put_totals(struct insight_asked *asked, const struct insight_creator *creator,
                       bool attested)
{
    double n =
        (double)(attested ? creator->attested_n_pct : creator->tally[STEP_SHOWN].reported_pct);

    tree_word(&asked->tree, "basis", attested ? "attested" : "reported");
    asked_number(asked, "impressions", n / 100, 2);
    tree_list(&asked->tree, "steps");
    for (enum step step = 0; step < STEP_COUNT; step++) {
        const struct tally *tally = &creator->tally[step];

        tree_map(&asked->tree, NULL);
        tree_word(&asked->tree, "step", metric_names[step]);
        tree_counter(&asked->tree, "raw", tally->raw);
        tree_counter(&asked->tree, "valid", tally->valid);
        asked_number(asked, "credited", (double)tally->credited_pct / 100, 2);
        asked_rate(asked, (double)(attested ? tally->attested_pct : tally->reported_pct), n);
        tree_end(&asked->tree);
    }
    tree_end(&asked->tree);
}

static void put_likers(struct insight_asked *asked, const struct insight_creator *creator)
{
    tree_map(&asked->tree, "likers");
    tree_counter(&asked->tree, "likers", creator->likers);
    tree_counter(&asked->tree, "followed", creator->likers_followed);
    asked_rate(asked, creator->likers_followed * 100.0, creator->likers * 100.0);
    tree_end(&asked->tree);
}

static void put_day(struct insight_asked *asked, uint32_t day)
{
    static const struct {
        const char *name;
        uint32_t metric;
    } told[] = {{"shown", STEP_SHOWN},    {"likes", STEP_LIKE}, {"unlikes", METRIC_UNLIKE},
                {"follows", STEP_FOLLOW}, {"new", METRIC_NEW},  {"returning", METRIC_RETURNING}};
    struct scope scope = {.of = BUCKET_CREATOR,
                          .id = asked->call->request.target,
                          .tenant = asked->call->request.tenant};
    const struct bucket *bucket =
        buckets_find(&asked->insight->buckets, scope, SPAN_DAY, day * DAY_US);

    tree_map(&asked->tree, NULL);
    tree_integer(&asked->tree, "at_ms", day * DAY_US / 1000);
    for (uint32_t i = 0; i < sizeof told / sizeof told[0]; i++)
        tree_counter(&asked->tree, told[i].name,
                     bucket != NULL ? bucket->count[told[i].metric].raw : 0);
    tree_end(&asked->tree);
}

void insight_tell_creator(struct insight_asked *asked)
{
    static const struct insight_creator nothing;
    const struct insight_creator *known = creator_of(asked);
    const struct insight_creator *creator = known != NULL ? known : &nothing;
    bool attested = creator->attested_n_pct >= ATTESTED_MIN * 100;
    struct topics topics = {.attested = attested};
    uint32_t today = (uint32_t)(asked->now_us / DAY_US);

    topics_read(asked, &topics);
    asked_begin(asked);
    tree_id(&asked->tree, "creator", asked->call->request.target);
    tree_bool(&asked->tree, "known", known != NULL);
    tree_counter(&asked->tree, "items", topics.items);
    tree_counter(&asked->tree, "follows_gained", creator->follows_gained);
    tree_counter(&asked->tree, "follows_lost", creator->follows_lost);
    put_totals(asked, creator, attested);
    asked_bands(asked, "quality", trust_band_names, creator->likers_trust, BANDS_TRUST);
    put_likers(asked, creator);
    tree_list(&asked->tree, "topics");
    for (uint32_t i = 0; i < topics.count && i < TOPICS_TOLD; i++)
        put_topic(asked, &topics, &topics.topic[i]);
    tree_end(&asked->tree);
    tree_list(&asked->tree, "days");
    for (uint32_t day = today < DAYS ? 0 : today - DAYS + 1; day <= today; day++)
        put_day(asked, day);
    tree_end(&asked->tree);
    tree_counter(&asked->tree, "withheld", asked->withheld);
    asked_finish(asked);
}

/* --- INSIGHT AUDIENCE
 * -----------------------------------------------------------------------------
 */

/* Different accounts of this week and those before it that are kept. */
static double reached(const struct insight_creator *creator, int64_t now_us)
{
    uint32_t week = (uint32_t)(now_us / DAY_US / 7);
    struct sketch all = {0};

    for (uint32_t i = 0; i < CREATOR_WEEKS; i++)
        if (creator->week[i] + CREATOR_WEEKS > week)
            sketch_join(&all, &creator->met[i]);
    return sketch_count(&all);
}

static int by_count(const void *a, const void *b)
{
    const struct insight_taste *left = *(const struct insight_taste *const *)a;
    const struct insight_taste *right = *(const struct insight_taste *const *)b;

    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return left->head.b < right->head.b ? -1 : 1;
}

#define TASTES_SEEN 256

/* What fewer than a quorum like is left out of the list, not of the whole. */
static void put_interests(struct insight_asked *asked, bool told)
{
    const struct request *request = &asked->call->request;
    const struct insight_taste *tastes[TASTES_SEEN] = {NULL}, *taste;
    uint32_t at = 0, count = 0;
    double whole = 0;

    while (count < TASTES_SEEN && (taste = insight_next(&asked->insight->tastes, &at)) != NULL) {
        if (taste->head.a != request->target || taste->head.c != request->tenant)
            continue;
        tastes[count++] = taste;
        whole += (double)taste->count;
    }
    qsort(tastes, count, sizeof tastes[0], by_count);
    tree_list(&asked->tree, "interests");
    for (uint32_t i = 0; i < count && i < TASTES_TOLD && told; i++) {
        if (tastes[i]->count < INSIGHT_QUORUM ||
            insight_name(asked->insight, request->tenant, tastes[i]->head.b) == NULL)
            continue;
        tree_map(&asked->tree, NULL);
        asked_tag(asked, "tag", tastes[i]->head.b);
        asked_number(asked, "share", (double)tastes[i]->count / whole, 4);
        tree_end(&asked->tree);
    }
    tree_end(&asked->tree);
}

static void put_slot(struct insight_asked *asked, const struct insight_map *map, uint32_t hour)
{
    double s = (double)slots_hour(map, hour) * 100, n = (double)slots_whole(map) * 100;
    struct tree_builder *tree = &asked->tree;

    tree_map(tree, NULL);
    tree_counter(tree, "hour", hour);
    asked_share(asked, s, n);
    tree_end(tree);
}

static void put_slots(struct insight_asked *asked)
{
    struct slots slots =
        slots_of(asked->insight, asked->call->request.tenant, asked->call->request.target);
    bool told[24] = {false};

    tree_list(&asked->tree, "slots");
    for (uint32_t i = 0; i < SLOTS_TOLD && slots.map != NULL; i++) {
        uint32_t best = 24;

        for (uint32_t hour = 0; hour < 24; hour++)
            if (!told[hour] &&
                (best == 24 || slots_hour(slots.map, hour) > slots_hour(slots.map, best)))
                best = hour;
        told[best] = true;
        put_slot(asked, slots.map, best);
    }
    tree_end(&asked->tree);
    tree_word(&asked->tree, "slots_of", slots.own ? "creator" : "platform");
}

void insight_tell_audience(struct insight_asked *asked)
{
    static const struct insight_creator nothing;
    const struct request *request = &asked->call->request;
    const struct insight_creator *known = creator_of(asked);
    const struct insight_creator *creator = known != NULL ? known : &nothing;
    const struct insight_map *map =
        insight_map(asked->insight, MAP_CREATOR, request->tenant, request->target, 0);
    double accounts = reached(creator, asked->now_us);
    bool enough = map != NULL && map->accounts >= INSIGHT_QUORUM;

    asked_begin(asked);
    tree_id(&asked->tree, "creator", request->target);
    tree_bool(&asked->tree, "known", known != NULL);
    if (enough && accounts >= INSIGHT_QUORUM)
        tree_counter(&asked->tree, "accounts_28d", (uint64_t)llround(accounts));
    else
        tree_null(&asked->tree, "accounts_28d");
    asked_number(asked, "error", SKETCH_ERROR, 3);
    asked_met(asked, "met", creator->met_new, creator->met_returning);
    asked_bands(asked, "ages", age_band_names, creator->met_age, BANDS_AGE);
    asked_hours(asked, map);
    asked_regions(asked, MAP_CREATOR, request->target);
    put_interests(asked, enough);
    put_slots(asked);
    tree_counter(&asked->tree, "withheld", asked->withheld);
    asked_finish(asked);
}
