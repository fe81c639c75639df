/* simulate_world.c: who is there and what they do when nobody attacks.
 *
 * Measured (simulate_facts.h): how often somebody is shown something, how many are shown what, how
 * many of a video's viewers like it, at which hours, how many likes are taken back, how many come
 * by double tap, how old accounts are. Assumed, because no public log tells it: what is marked so
 * below. */
#include "cli/simulate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/simulate_facts.h"
#include "schema/request.h"

#define PEOPLE       12000
#define PEOPLE_LEAST 2000 /* fewer like too little in a day to tell what is usual */
#define ITEMS        3000
#define ITEMS_LEAST  600
#define WARM_DAYS    7
#define LOG_DAYS     14 /* what the log's figures are for */
/* Assumed: the log is a sample of what people were shown, 9 impressions in two weeks; they saw so
 * many times more, 65 a day. (A world in which hardly anybody likes anything is none in which ten
 * fakes to each honest like of one video can be told from everybody.) */
#define SAMPLED 100
/* Of those who only look, one in so many is played: looks outnumber likes fifty to one. All of the
 * victim's are. */
#define THIN 50
/* Accounts are years old, and the log is two weeks: of the likes that somebody must have given in a
 * life at this rate, up to so many are played before the warm-up, so that who likes for the first
 * time is as rare as it is. Old videos take them. */
#define PAST_LIKES 3
#define PAST_ITEMS 200
/* Assumed: home networks of very different sizes, some carriers whose addresses fifty share, two
 * and a half people behind a home address, two in five acts on the way. */
#define HOME_NETWORKS    30
#define CARRIERS         4
#define HOME_SHARED      2.5
#define CARRIER_SHARED   50
#define ON_THE_WAY       0.4
#define AT_OWN_HOURS     0.8
#define AGE_DAYS_MAX     1500 /* older is as good as this, and a slot of time stays short */
#define SLOT_MS          ((AGE_DAYS_MAX + 60) * DAY_MS)
#define OPEN_MS          1651939200000LL /* 2022-05-08 in China: the log's last day begins */
#define OPEN_SLOT_ONE_MS 315504000000LL  /* 1980, in China */
#define ID_SLOT          (1ULL << 40)

/* --- chance -------------------------------------------------------------------------------------
 */

struct chance chance_of(uint64_t seed, uint64_t stream)
{
    return (struct chance){.state = hash_two(seed, stream)};
}

uint64_t chance_bits(struct chance *chance)
{
    return hash_mix(chance->state += 0x9E3779B97F4A7C15ULL);
}

uint64_t chance_below(struct chance *chance, uint64_t bound)
{
    assert(bound > 0);
    return (uint64_t)(((__uint128_t)chance_bits(chance) * bound) >> 64);
}

double chance_part(struct chance *chance)
{
    return (double)(chance_bits(chance) >> 11) * 0x1p-53;
}

bool chance_hit(struct chance *chance, double probability)
{
    return chance_part(chance) < probability;
}

/* A value of a quantile table at 0 <= part < 1, straight between two places. */
static double quantile(const uint32_t table[41], double part)
{
    double at = part * 40;
    unsigned place = (unsigned)at;

    assert(place < 40);
    return table[place] + (at - place) * ((double)table[place + 1] - table[place]);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static void *grown(void *list, uint32_t room, size_t size)
{
    void *more = reallocarray(list, room, size);

    if (more == NULL)
        abort();
    return more;
}

void ids_add(struct ids *ids, uint64_t id)
{
    if (ids->count == ids->room) {
        ids->room = ids->room > 0 ? 2 * ids->room : 64;
        ids->id = grown(ids->id, ids->room, sizeof *ids->id);
    }
    ids->id[ids->count++] = id;
}

void events_add(struct events *events, const struct event *event)
{
    if (events->count == events->room) {
        events->room = events->room > 0 ? 2 * events->room : 4096;
        events->event = grown(events->event, events->room, sizeof *events->event);
    }
    events->event[events->count] = *event;
    events->event[events->count].order = events->count;
    events->count++;
}

static int compare(const void *a, const void *b)
{
    const struct event *one = a, *two = b;

    if (one->time_ms != two->time_ms)
        return one->time_ms < two->time_ms ? -1 : 1;
    return one->order < two->order ? -1 : one->order > two->order;
}

void events_sort(struct events *events)
{
    qsort(events->event, events->count, sizeof *events->event, compare);
}

/* --- time --------------------------------------------------------------------------------------
 */

static unsigned hour_of(int64_t time_ms)
{
    return (unsigned)((time_ms / HOUR_MS + 8) % 24); /* China */
}

int64_t world_moment(struct chance *chance, int64_t from_ms, int64_t to_ms)
{
    uint32_t most = 0;

    assert(from_ms < to_ms);
    for (unsigned hour = 0; hour < 24; hour++)
        most = fact_hour_ppm[hour] > most ? fact_hour_ppm[hour] : most;
    for (;;) { /* thrown away as often as the hour is quiet */
        int64_t time_ms = from_ms + (int64_t)chance_below(chance, (uint64_t)(to_ms - from_ms));

        if (chance_below(chance, most) < fact_hour_ppm[hour_of(time_ms)])
            return time_ms;
    }
}

/* The same, mostly at the hours this person likes. Whole days, from midnight. */
static int64_t person_moment(struct chance *chance, const struct person *person, int64_t from_ms,
                             int64_t to_ms)
{
    int64_t day_ms, hour;

    if (!chance_hit(chance, AT_OWN_HOURS))
        return world_moment(chance, from_ms, to_ms);
    day_ms =
        from_ms + (int64_t)chance_below(chance, (uint64_t)((to_ms - from_ms) / DAY_MS)) * DAY_MS;
    hour = person->hours[chance_below(chance, PERSONAL_HOURS)];
    return day_ms + hour * HOUR_MS + (int64_t)chance_below(chance, HOUR_MS);
}

/* --- acts --------------------------------------------------------------------------------------
 */

struct place person_place(const struct person *person, struct chance *chance)
{
    return chance_hit(chance, ON_THE_WAY) ? person->carrier : person->home;
}

void person_act(struct world *world, const struct person *person, enum verb verb, uint64_t item,
                int64_t time_ms, struct place place)
{
    struct event event = {.time_ms = time_ms,
                          .kind = (uint16_t)verb,
                          .source = SOURCE_BUTTON,
                          .account = person->id,
                          .target = item,
                          .extra = verb == VERB_VIEW ? 15000 : 0,
                          .place = place};

    events_add(&world->events, &event);
}

/* Assumed: half of what is taken back is taken back within a minute (a slip), the rest within a
 * day. */
static int64_t regret_ms(struct chance *chance)
{
    if (chance_hit(chance, 0.5))
        return (int64_t)chance_below(chance, MINUTE_MS) + 1;
    return (int64_t)chance_below(chance, DAY_MS) + MINUTE_MS;
}

/* A like, and as often as the log has it, its taking back. */
static bool give_like(struct world *world, struct chance *chance, struct event *event)
{
    event->kind = VERB_LIKE;
    event->source =
        chance_hit(chance, FACT_DOUBLE_TAP_PPM / 1e6) ? SOURCE_DOUBLE_TAP : SOURCE_BUTTON;
    events_add(&world->events, event);
    if (!chance_hit(chance, FACT_TAKEN_BACK_PPM / 1e6))
        return true;
    event->kind = VERB_UNLIKE;
    event->source = SOURCE_BUTTON;
    event->time_ms += regret_ms(chance);
    events_add(&world->events, event);
    return false;
}

/* What comes of one look, decided before where and when: most of everybody's are not played. */
struct look {
    bool likes;
    enum verb more; /* VERB_COUNT: nothing */
};

static struct look look_of(struct chance *chance, const struct person *person, double like_rate)
{
    static const struct {
        enum verb verb;
        uint32_t ppm;
    } more[] = {{VERB_SKIP, FACT_HATE_PPM},
                {VERB_COMMENT, FACT_COMMENT_PPM},
                {VERB_SHARE, FACT_FORWARD_PPM}};
    struct look look = {chance_hit(chance, like_rate * person->eager), VERB_COUNT};
    double part = chance_part(chance);

    for (unsigned i = 0; i < 3 && look.more == VERB_COUNT; i++)
        if ((part -= more[i].ppm / (double)FACT_VIEW_PPM) < 0)
            look.more = more[i].verb;
    return look;
}

static bool play_look(struct world *world, struct chance *chance, const struct person *person,
                      uint64_t item, int64_t time_ms, struct look look)
{
    struct event event = {.time_ms = time_ms,
                          .kind = VERB_VIEW,
                          .account = person->id,
                          .target = item,
                          .extra = chance_below(chance, 60000),
                          .place = person_place(person, chance)};

    events_add(&world->events, &event);
    event.extra = 0;
    event.time_ms += (int64_t)(1 + chance_below(chance, 20)) * SECOND_MS / 2;
    if (look.more != VERB_COUNT)
        person_act(world, person, look.more, item, event.time_ms + 9000, event.place);
    return look.likes && give_like(world, chance, &event);
}

bool person_visit(struct world *world, struct chance *chance, const struct person *person,
                  uint64_t item, int64_t time_ms, double like_rate)
{
    struct look look = look_of(chance, person, like_rate);

    return play_look(world, chance, person, item, time_ms, look);
}

/* --- people and items --------------------------------------------------------------------------
 */

struct person world_register(struct world *world, int64_t joined_ms, struct place place)
{
    struct person person = {.id = world->next_id++,
                            .joined_ms = joined_ms,
                            .home = place,
                            .carrier = place,
                            .eager = 1};
    struct event event = {
        .time_ms = joined_ms, .kind = VERB_ACCOUNT_SET, .account = person.id, .place = place};

    events_add(&world->events, &event);
    return person;
}

struct item world_publish(struct world *world, uint64_t creator, int64_t time_ms, double like_rate)
{
    struct item item = {.id = world->next_id++, .creator = creator, .like_rate = like_rate};
    struct event event = {
        .time_ms = time_ms, .kind = VERB_ITEM_SET, .target = item.id, .extra = creator};

    events_add(&world->events, &event);
    return item;
}

static struct person make_person(struct world *world, struct chance *chance, uint32_t index,
                                 uint32_t count)
{
    double square = chance_part(chance);
    uint32_t network = 1 + (uint32_t)(square * square * HOME_NETWORKS);
    uint32_t house = 1 + (uint32_t)chance_below(chance, 1 + (uint64_t)(count / HOME_SHARED));
    uint32_t carrier = (uint32_t)chance_below(chance, CARRIERS);
    uint32_t shared = (uint32_t)chance_below(chance, 1 + count / CARRIERS / CARRIER_SHARED);
    int64_t age_ms = (int64_t)(quantile(fact_age_days_40, chance_part(chance)) * (double)DAY_MS);
    int64_t youngest_ms = (WARM_DAYS + 1) * DAY_MS; /* nobody joins during the warm-up */
    struct person person;

    if (age_ms > AGE_DAYS_MAX * DAY_MS)
        age_ms = AGE_DAYS_MAX * DAY_MS - (int64_t)chance_below(chance, DAY_MS);
    if (age_ms < youngest_ms)
        age_ms = youngest_ms + (int64_t)chance_below(chance, DAY_MS);
    person = world_register(world, world->open_ms - age_ms,
                            (struct place){network << 16 | house, 1 + index, network});
    person.carrier = (struct place){(100 + carrier) << 16 | shared, 1 + index, 100 + carrier};
    for (unsigned i = 0; i < PERSONAL_HOURS; i++)
        person.hours[i] = (uint8_t)hour_of(world_moment(chance, 0, DAY_MS));
    person.impressions =
        (uint32_t)(quantile(fact_activity_40, chance_part(chance)) * SAMPLED + 0.5);
    /* Assumed: how eager people are falls off exponentially. */
    person.eager = -log1p(-chance_part(chance));
    return person;
}

static void make_people(struct world *world)
{
    struct chance chance = chance_of(world->seed, 1);
    uint32_t count = (uint32_t)(PEOPLE * world->scale);
    double sum = 0, eager = 0;

    world->person_count = count > PEOPLE_LEAST ? count : PEOPLE_LEAST;
    world->people = grown(NULL, world->person_count, sizeof *world->people);
    world->person_sum = grown(NULL, world->person_count, sizeof *world->person_sum);
    for (uint32_t i = 0; i < world->person_count; i++) {
        world->people[i] = make_person(world, &chance, i, world->person_count);
        world->person_sum[i] = sum += world->people[i].impressions;
        eager += world->people[i].impressions * world->people[i].eager;
    }
    for (uint32_t i = 0; i < world->person_count; i++)
        world->people[i].eager *= sum / eager; /* over all that is shown, the mean is 1 */
}

/* Creators are accounts of their own; as many as there are authors to the log's videos. */
static void make_items(struct world *world)
{
    struct chance chance = chance_of(world->seed, 2);
    uint32_t count = (uint32_t)(ITEMS * world->scale);
    double sum = 0, liked = 0;
    uint64_t creator = 0;

    world->item_count = count > ITEMS_LEAST ? count : ITEMS_LEAST;
    world->items = grown(NULL, world->item_count, sizeof *world->items);
    world->item_sum = grown(NULL, world->item_count, sizeof *world->item_sum);
    for (uint32_t i = 0; i < world->item_count; i++) {
        int64_t time_ms = world->open_ms - (WARM_DAYS + 2) * DAY_MS;
        double rate = quantile(fact_like_rate_ppm_40, chance_part(&chance)) / 1e6;

        if (i == 0 || chance_hit(&chance, 1e6 / FACT_VIDEOS_PER_CREATOR_PPM))
            creator = world_register(world, time_ms - 90 * DAY_MS,
                                     (struct place){200u << 16 | i, 1000000 + i, 1 + i % 20})
                          .id;
        world->items[i] = world_publish(world, creator, time_ms, rate);
        world->items[i].weight = quantile(fact_popularity_40, (i + 0.5) / world->item_count);
        world->item_sum[i] = sum += world->items[i].weight;
        liked += world->items[i].weight * rate;
    }
    /* So that over all impressions the log's share of likes comes out. */
    for (uint32_t i = 0; i < world->item_count; i++)
        world->items[i].like_rate *= FACT_LIKE_PPM / (double)FACT_VIEW_PPM / (liked / sum);
}

/* The first place whose running sum is above part * the whole. */
static uint32_t pick(const double *sums, uint32_t count, double part)
{
    double at = part * sums[count - 1];
    uint32_t low = 0, high = count - 1;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (sums[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct person *world_person(const struct world *world, struct chance *chance)
{
    return &world->people[pick(world->person_sum, world->person_count, chance_part(chance))];
}

/* How many of the first PAST_LIKES happened, if so many are expected in a life (Poisson). */
static uint32_t past_likes(struct chance *chance, double expected)
{
    double part = chance_part(chance), term = exp(-expected), sum = term;
    uint32_t count = 0;

    while (count < PAST_LIKES && part >= sum) {
        count++;
        term *= expected / count;
        sum += term;
    }
    return count;
}

static void make_past(struct world *world)
{
    struct chance chance = chance_of(world->seed, 4);
    int64_t begin_ms = world->open_ms - (AGE_DAYS_MAX + 20) * DAY_MS;
    int64_t end_ms = world->open_ms - (WARM_DAYS + 2) * DAY_MS;
    uint64_t creator = world_register(world, begin_ms, (struct place){202u << 16, 1900000, 3}).id;
    uint64_t items[PAST_ITEMS];

    for (uint32_t i = 0; i < PAST_ITEMS; i++)
        items[i] = world_publish(world, creator, begin_ms, 0).id;
    for (uint32_t i = 0; i < world->person_count; i++) {
        const struct person *person = &world->people[i];
        int64_t joined_ms = person->joined_ms < end_ms ? person->joined_ms : end_ms - DAY_MS;
        double fortnights = (double)(end_ms - joined_ms) / (double)(LOG_DAYS * DAY_MS);
        uint32_t count = past_likes(&chance, person->impressions * person->eager * fortnights *
                                                 FACT_LIKE_PPM / 1e6);

        for (uint32_t k = 0; k < count; k++)
            person_act(world, person, VERB_LIKE, items[chance_below(&chance, PAST_ITEMS)],
                       world_moment(&chance, person->joined_ms, end_ms + DAY_MS),
                       person_place(person, &chance));
    }
}

static void make_traffic(struct world *world)
{
    struct chance chance = chance_of(world->seed, 3);
    int64_t from_ms = world->warm_ms;
    double days = (double)(world->quiet_ms - from_ms) / (double)DAY_MS;

    for (uint32_t i = 0; i < world->person_count; i++) {
        const struct person *person = &world->people[i];
        uint32_t shows = (uint32_t)(person->impressions * days / LOG_DAYS + 0.5);

        for (uint32_t k = 0; k < shows; k++) {
            const struct item *item =
                &world->items[pick(world->item_sum, world->item_count, chance_part(&chance))];
            struct look look;

            if (!chance_hit(&chance, FACT_VIEW_PPM / 1e6))
                continue;
            world->looks++;
            look = look_of(&chance, person, item->like_rate);
            if (look.likes || look.more != VERB_COUNT || chance_below(&chance, THIN) == 0)
                play_look(world, &chance, person, item->id,
                          person_moment(&chance, person, from_ms, world->quiet_ms), look);
        }
    }
}

void world_make(struct world *world, uint64_t seed, double scale, uint32_t slot)
{
    assert(slot <= WORLD_SLOTS);
    *world = (struct world){.seed = seed, .scale = scale, .id_base = slot * ID_SLOT};
    world->next_id = world->id_base + 1;
    world->open_ms = slot == 0 ? OPEN_MS : OPEN_SLOT_ONE_MS + (int64_t)(slot - 1) * SLOT_MS;
    world->quiet_ms = world->open_ms + 4 * DAY_MS;   /* a day, and three to settle */
    world->close_ms = world->quiet_ms + 2 * HOUR_MS; /* the last likes settle, too */
    world->warm_ms = world->open_ms - WARM_DAYS * DAY_MS;
    make_people(world);
    make_items(world);
    make_past(world);
    make_traffic(world);
}

void world_free(struct world *world)
{
    free(world->people);
    free(world->items);
    free(world->item_sum);
    free(world->person_sum);
    free(world->events.event);
    *world = (struct world){0};
}
