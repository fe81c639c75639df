/* simulate_scene.c: the scenarios: what each adds to the world's own traffic.
 *
 * Everybody's visits to the victim come from one stream of chance and the attackers' acts from
 * another, and attackers are registered last: without the attack, the same honest acts remain.
 * The generators of attackers are ours: docs/simulate.md says what they stand for and what not. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/simulate.h"
#include "schema/request.h"

#define VICTIM_LIKES 160  /* of everybody, in its first day, at any scale; nobody likes twice */
#define VICTIM_RATE  0.04 /* likes per view: about the log's best seventh of videos */
#define ATTACK_AT    (12 * HOUR_MS)
#define ATTACK_LASTS HOUR_MS

enum { STREAM_VICTIM = 100, STREAM_CROWD, STREAM_ATTACK };

/* --- helpers ------------------------------------------------------------------------------------
 */

static void *list_of(uint32_t count, size_t size)
{
    void *list = calloc(count > 0 ? count : 1, size);

    if (list == NULL)
        abort();
    return list;
}

static uint32_t scaled(const struct scene *scene, double count, uint32_t least)
{
    double wanted = count * scene->world.scale;

    return wanted > least ? (uint32_t)wanted : least;
}

/* What was made so far is everybody's; what follows is the attack. */
static struct chance begin_attack(struct scene *scene)
{
    scene->honest_count = scene->world.events.count;
    return chance_of(scene->world.seed, STREAM_ATTACK);
}

static int64_t between(struct chance *chance, int64_t from_ms, int64_t to_ms)
{
    return from_ms + (int64_t)chance_below(chance, (uint64_t)(to_ms - from_ms));
}

/* A creator of some standing with one video that is published when the scenario begins. */
static void make_victim(struct scene *scene)
{
    struct world *world = &scene->world;
    struct person creator = world_register(world, world->open_ms - 400 * DAY_MS,
                                           (struct place){201u << 16, 1999999, 7});

    scene->victim = world_publish(world, creator.id, world->open_ms, VICTIM_RATE);
    ids_add(&scene->watched, scene->victim.id);
    ids_add(&scene->creators, creator.id);
    ids_add(&scene->own_items, scene->victim.id);
    scene->attack_ms = world->open_ms + ATTACK_AT;
    scene->attack_end_ms = scene->attack_ms + ATTACK_LASTS;
}

/* Everybody's visits during the first day. likers: places of people that like it in the end. */
static void visit_victim(struct scene *scene, struct ids *likers)
{
    struct world *world = &scene->world;
    struct chance chance = chance_of(world->seed, STREAM_VICTIM);
    uint32_t views = (uint32_t)(VICTIM_LIKES / VICTIM_RATE);
    bool *likes = list_of(world->person_count, sizeof *likes);

    for (uint32_t i = 0; i < views; i++) {
        const struct person *person = world_person(world, &chance);
        size_t place = (size_t)(person - world->people);
        int64_t time_ms = world_moment(&chance, world->open_ms, world->open_ms + DAY_MS);

        if (likes[place])
            continue; /* who likes it has seen it */
        likes[place] = person_visit(world, &chance, person, scene->victim.id, time_ms, VICTIM_RATE);
        scene->organic += likes[place];
    }
    for (uint32_t i = 0; likers != NULL && i < world->person_count; i++)
        if (likes[i])
            ids_add(likers, i);
    free(likes);
}

static void add_mark(struct scene *scene, uint16_t kind, int64_t time_ms)
{
    events_add(&scene->world.events, &(struct event){.time_ms = time_ms, .kind = kind});
}

/* Close together while the attack runs, each ten minutes until all is settled. */
static void add_samples(struct scene *scene)
{
    int64_t time_ms = scene->attack_ms;

    for (; time_ms < scene->attack_ms + 10 * MINUTE_MS; time_ms += 10 * SECOND_MS)
        add_mark(scene, EVENT_SAMPLE, time_ms);
    for (; time_ms < scene->attack_end_ms; time_ms += MINUTE_MS)
        add_mark(scene, EVENT_SAMPLE, time_ms);
    for (; time_ms < scene->world.close_ms; time_ms += 10 * MINUTE_MS)
        add_mark(scene, EVENT_SAMPLE, time_ms);
    add_mark(scene, EVENT_CHECK, scene->attack_end_ms);
    add_mark(scene, EVENT_SAMPLE, scene->world.close_ms);
    add_mark(scene, EVENT_CHECK, scene->world.close_ms);
}

/* --- those who attack ---------------------------------------------------------------------------
 */

enum ring {
    RING_NEW,      /* accounts of the last six hours, one network, five to a device */
    RING_SLEEPERS, /* old accounts on five networks that do nothing but orders: before the victim's,
                      those of other customers, most of the ring within an hour each */
    RING_LOYAL,    /* the same, but only ever for this creator: to the eye, a fan club */
    RING_DEVICES,  /* some weeks old, on carriers, twenty to a device */
    RING_PAID,     /* real people who are paid: nothing sets them apart but what they like */
    RING_COUNT
};

static struct person make_member(struct scene *scene, struct chance *chance, enum ring ring,
                                 uint32_t index)
{
    struct world *world = &scene->world;
    int64_t at_ms = scene->attack_ms;
    uint32_t network;

    switch (ring) {
    case RING_NEW:
        return world_register(world, between(chance, at_ms - 6 * HOUR_MS, at_ms - 10 * MINUTE_MS),
                              (struct place){900u << 16 | (uint32_t)chance_below(chance, 50),
                                             3000000 + index / 5, 900});
    case RING_SLEEPERS:
    case RING_LOYAL:
        network = 901 + (uint32_t)chance_below(chance, 5);
        return world_register(
            world, between(chance, at_ms - 400 * DAY_MS, at_ms - 60 * DAY_MS),
            (struct place){network << 16 | index % 60000, 4000000 + index, network});
    case RING_DEVICES:
        network = 100 + (uint32_t)chance_below(chance, 4);
        return world_register(world, between(chance, at_ms - 60 * DAY_MS, at_ms - 10 * DAY_MS),
                              (struct place){network << 16 | (uint32_t)chance_below(chance, 20),
                                             5000000 + index / 20, network});
    default:
        return world->people[chance_below(chance, world->person_count)];
    }
}

/* What the ring did for other customers in the three days before: for each of these orders, seven
 * of ten of its members like a video of somebody else within an hour. */
#define ORDERS 6

static void earlier_orders(struct scene *scene, struct chance *chance, const struct person *person,
                           const uint64_t customer[ORDERS])
{
    for (uint32_t k = 0; k < ORDERS; k++) {
        int64_t from_ms = scene->attack_ms - (int64_t)(ORDERS - k) * 11 * HOUR_MS;
        int64_t time_ms = between(chance, from_ms, from_ms + HOUR_MS);

        if (!chance_hit(chance, 0.7))
            continue;
        person_act(&scene->world, person, VERB_VIEW, customer[k], time_ms, person->home);
        person_act(&scene->world, person, VERB_LIKE, customer[k], time_ms + 2500, person->home);
    }
}

/* count likes of the victim while the attack runs, each after a look; members may be NULL, else
 * gets everyone. The loyal like four more videos of the same creator just before. */
static void ring_likes(struct scene *scene, struct chance *chance, enum ring ring, uint32_t count,
                       const uint64_t *others, struct person *members)
{
    struct world *world = &scene->world;
    uint64_t customer[ORDERS];

    for (uint32_t k = 0; k < ORDERS; k++)
        customer[k] = world->items[chance_below(chance, world->item_count)].id;
    for (uint32_t i = 0; i < count; i++) {
        struct person person = make_member(scene, chance, ring, i);
        int64_t time_ms = between(chance, scene->attack_ms, scene->attack_end_ms - MINUTE_MS);
        struct place place = ring == RING_PAID ? person_place(&person, chance) : person.home;

        if (ring == RING_SLEEPERS)
            earlier_orders(scene, chance, &person, customer);
        for (uint32_t k = 0; k < 4 && ring == RING_LOYAL && others != NULL; k++)
            person_act(world, &person, VERB_LIKE, others[k], time_ms - (4 - k) * 3000, place);
        person_act(world, &person, VERB_VIEW, scene->victim.id, time_ms, place);
        person_act(world, &person, VERB_LIKE, scene->victim.id, time_ms + 2500, place);
        if (members != NULL)
            members[i] = person;
    }
    scene->fake += count;
}

static void more_videos(struct scene *scene, uint64_t others[4])
{
    for (uint32_t i = 0; i < 4; i++) {
        others[i] =
            world_publish(&scene->world, scene->victim.creator, scene->world.open_ms, VICTIM_RATE)
                .id;
        ids_add(&scene->own_items, others[i]);
    }
}

/* The scene of most attacks: a victim (or a creator who cheats: to the server it is the same). */
static void stage_victim(struct scene *scene, struct ids *likers)
{
    make_victim(scene);
    visit_victim(scene, likers);
    add_samples(scene);
}

static const uint32_t times[] = {1, 10, 100};

static void stage_sabotage(struct scene *scene, int variant)
{
    static const enum ring rings[] = {RING_NEW, RING_SLEEPERS, RING_DEVICES};
    struct chance chance;
    uint64_t others[4];

    stage_victim(scene, NULL);
    more_videos(scene, others);
    if (variant < 0)
        return;
    chance = begin_attack(scene);
    for (uint32_t i = 0; i < 3; i++)
        ring_likes(scene, &chance, rings[i], times[variant] * scene->organic / 3, others, NULL);
}

static void stage_brushing(struct scene *scene, int variant)
{
    static const struct {
        enum ring ring;
        uint32_t times;
    } rings[] = {{RING_NEW, 1},      {RING_NEW, 10},   {RING_NEW, 100}, {RING_SLEEPERS, 10},
                 {RING_DEVICES, 10}, {RING_LOYAL, 10}, {RING_PAID, 1}};
    struct chance chance;
    uint64_t others[4];

    stage_victim(scene, NULL);
    more_videos(scene, others);
    chance = begin_attack(scene);
    if (variant >= 0)
        ring_likes(scene, &chance, rings[variant].ring, rings[variant].times * scene->organic,
                   others, NULL);
}

/* Likes ten times everybody's, and eight hours later all of them are taken back in ten minutes. */
static void ring_takes_back(struct scene *scene, enum ring ring, uint32_t many)
{
    struct chance chance = begin_attack(scene);
    uint32_t count = many * scene->organic;
    struct person *members = list_of(count, sizeof *members);
    int64_t from_ms = scene->attack_ms + 8 * HOUR_MS;

    ring_likes(scene, &chance, ring, count, NULL, members);
    for (uint32_t i = 0; i < count; i++)
        person_act(&scene->world, &members[i], VERB_UNLIKE, scene->victim.id,
                   between(&chance, from_ms, from_ms + 10 * MINUTE_MS), members[i].home);
    free(members);
}

static void stage_flood(struct scene *scene, int variant)
{
    stage_victim(scene, NULL);
    if (variant >= 0)
        ring_takes_back(scene, variant == 0 ? RING_SLEEPERS : RING_DEVICES, 10);
}

#define MOB_LASTS (10 * MINUTE_MS)

/* A fan club that was bought takes back at once; or people who liked of their own accord agree to. */
static void stage_mob(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    int64_t from_ms = world->open_ms + MOB_AT;
    struct ids likers = {0};
    uint64_t others[4];
    struct chance chance;

    more_videos(scene, others);
    stage_victim(scene, &likers);
    chance = begin_attack(scene);
    if (variant == 0) {
        struct person *members = list_of(10 * scene->organic, sizeof *members);

        ring_likes(scene, &chance, RING_LOYAL, 10 * scene->organic, others, members);
        for (uint32_t i = 0; i < 10 * scene->organic; i++)
            person_act(world, &members[i], VERB_UNLIKE, scene->victim.id,
                       between(&chance, from_ms, from_ms + MOB_LASTS), members[i].home);
        free(members);
    }
    for (uint32_t i = 0; variant == 1 && i < likers.count; i++) {
        const struct person *person = &world->people[likers.id[i]];

        if (chance_hit(&chance, 0.7))
            person_act(world, person, VERB_UNLIKE, scene->victim.id,
                       between(&chance, from_ms, from_ms + MOB_LASTS),
                       person_place(person, &chance));
    }
    free(likers.id);
}

static void stage_staged(struct scene *scene, int variant)
{
    stage_victim(scene, NULL);
    if (variant >= 0)
        ring_takes_back(scene, RING_NEW, 5);
}

/* On the second day three of ten take their like back, spread over the hours as people are. */
static void stage_withdrawal(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    struct ids likers = {0};
    struct chance chance;

    stage_victim(scene, &likers);
    chance = begin_attack(scene);
    for (uint32_t i = 0; variant >= 0 && i < likers.count; i++) {
        const struct person *person = &world->people[likers.id[i]];

        if (!chance_hit(&chance, 0.3))
            continue;
        person_act(
            world, person, VERB_UNLIKE, scene->victim.id,
            world_moment(&chance, world->open_ms + 26 * HOUR_MS, world->open_ms + 2 * DAY_MS),
            person_place(person, &chance));
        scene->withdrawn++;
    }
    free(likers.id);
}

/* Forty new videos at their first gate, a hundred honest viewers each; against them, a hundred
 * viewers that never like. */
#define GATES      40
#define GATE_VIEWS 100

static void stage_gate(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    struct chance chance = chance_of(world->seed, STREAM_CROWD), bad;
    struct item gate[GATES];

    stage_victim(scene, NULL);
    for (uint32_t k = 0; k < GATES; k++) {
        int64_t from_ms = world->open_ms + k * 20 * MINUTE_MS;
        uint64_t creator = world->items[chance_below(&chance, world->item_count)].creator;

        gate[k] = world_publish(world, creator, from_ms, 0.015 + 0.06 * chance_part(&chance));
        ids_add(&scene->watched, gate[k].id);
        for (uint32_t i = 0; i < GATE_VIEWS; i++)
            person_visit(world, &chance, world_person(world, &chance), gate[k].id,
                         between(&chance, from_ms + MINUTE_MS, from_ms + 3 * HOUR_MS),
                         gate[k].like_rate);
    }
    bad = begin_attack(scene);
    for (uint32_t k = 0; variant >= 0 && k < GATES; k++) {
        int64_t from_ms = world->open_ms + k * 20 * MINUTE_MS;

        for (uint32_t i = 0; i < GATE_VIEWS; i++) {
            struct person person = make_member(scene, &bad, i % RING_PAID, k * GATE_VIEWS + i);

            if (person.joined_ms > from_ms)
                person = make_member(scene, &bad, RING_SLEEPERS, k * GATE_VIEWS + i);
            person_act(world, &person, VERB_VIEW, gate[k].id,
                       between(&bad, from_ms + MINUTE_MS, from_ms + HOUR_MS), person.home);
        }
    }
}

static void stage_reports(struct scene *scene, int variant)
{
    uint32_t count = scaled(scene, 600, 200);
    struct chance chance;

    stage_victim(scene, NULL);
    chance = begin_attack(scene);
    for (uint32_t i = 0; variant >= 0 && i < count; i++) {
        struct person person = make_member(scene, &chance, i % RING_COUNT, i);

        person_act(&scene->world, &person, VERB_REPORT, scene->victim.id,
                   between(&chance, scene->attack_ms, scene->attack_ms + 30 * MINUTE_MS),
                   person.home);
    }
}

/* --- those who do not ---------------------------------------------------------------------------
 */

/* A look and a like of somebody in a crowd, who is innocent of everything. */
static void crowd_like(struct scene *scene, struct chance *chance, const struct person *person,
                       uint64_t item, int64_t time_ms, struct place place)
{
    struct event event = {.time_ms = time_ms,
                          .kind = VERB_VIEW,
                          .account = person->id,
                          .target = item,
                          .extra = 8000 + chance_below(chance, 20000),
                          .place = place};

    events_add(&scene->world.events, &event);
    event.kind = VERB_LIKE;
    event.extra = 0;
    event.time_ms += 1000 + (int64_t)chance_below(chance, 15000);
    event.source = chance_hit(chance, 0.54) ? SOURCE_DOUBLE_TAP : SOURCE_BUTTON;
    events_add(&scene->world.events, &event);
    ids_add(&scene->innocent, person->id);
}

/* A moment near the middle of a span: the mean of three. */
static int64_t bell(struct chance *chance, int64_t from_ms, int64_t to_ms)
{
    return (between(chance, from_ms, to_ms) + between(chance, from_ms, to_ms) +
            between(chance, from_ms, to_ms)) /
           3;
}

/* People of the world, nobody twice: a random start and a step that meets everybody. */
static const struct person *other_person(const struct world *world, uint32_t start, uint32_t i)
{
    return &world->people[(start + i) % world->person_count];
}

static void stage_crowd(struct scene *scene, double many, uint32_t least, int64_t lasts_ms)
{
    struct world *world = &scene->world;
    struct chance chance = chance_of(world->seed, STREAM_CROWD);
    uint32_t count = scaled(scene, many, least);
    uint32_t start = (uint32_t)chance_below(&chance, world->person_count);

    make_victim(scene);
    scene->attack_ms = world->open_ms + 19 * HOUR_MS; /* the evening */
    scene->attack_end_ms = scene->attack_ms + lasts_ms;
    if (count > world->person_count)
        count = world->person_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct person *person = other_person(world, start, i);

        crowd_like(scene, &chance, person, scene->victim.id,
                   bell(&chance, scene->attack_ms, scene->attack_end_ms),
                   person_place(person, &chance));
    }
    add_samples(scene);
}

static void stage_viral(struct scene *scene, int variant)
{
    (void)variant;
    stage_crowd(scene, 3000, 800, 4 * HOUR_MS);
}

static void stage_live(struct scene *scene, int variant)
{
    (void)variant;
    stage_crowd(scene, 2000, 600, 10 * MINUTE_MS);
}

/* A show on television says: install it and like this. Half of those who do are minutes old, each
 * on a phone and a line of its own. */
static void stage_install(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    struct chance chance = chance_of(world->seed, STREAM_CROWD);
    uint32_t count = scaled(scene, 2000, 600);
    uint32_t start = (uint32_t)chance_below(&chance, world->person_count);

    (void)variant;
    make_victim(scene);
    for (uint32_t i = 0; i < count; i++) {
        struct person person = *other_person(world, start, i);
        int64_t time_ms = bell(&chance, scene->attack_ms, scene->attack_end_ms);

        if (i % 2 == 0) {
            person.home.device = 6000000 + i;
            person = world_register(
                world, time_ms - between(&chance, 2 * MINUTE_MS, 20 * MINUTE_MS), person.home);
        }
        crowd_like(scene, &chance, &person, scene->victim.id, time_ms, person.home);
    }
    add_samples(scene);
}

/* Eight hundred pupils behind one address; in three breaks most like one to three of five videos
 * that all of them talk about. */
static void stage_school(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    struct chance chance = chance_of(world->seed, STREAM_CROWD);
    uint32_t count = scaled(scene, 800, 300);
    uint32_t start = (uint32_t)chance_below(&chance, world->person_count);

    (void)variant;
    make_victim(scene);
    for (uint32_t k = 0; k < 4; k++) {
        struct item item = world_publish(world, scene->victim.creator, world->open_ms, 0);

        ids_add(&scene->watched, item.id);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct person *person = other_person(world, start, i);
        struct place place = {300u << 16 | 1, person->home.device, 300};

        for (uint32_t at = 0; at < 3; at++) {
            int64_t from_ms = world->open_ms + (9 + 2 * (int64_t)at) * HOUR_MS + 50 * MINUTE_MS;

            if (chance_hit(&chance, 0.6))
                crowd_like(scene, &chance, person,
                           scene->watched.id[chance_below(&chance, scene->watched.count)],
                           between(&chance, from_ms, from_ms + 10 * MINUTE_MS), place);
        }
    }
    add_samples(scene);
}

/* 5,000 accounts of a carrier leave through one address, in one evening; two of five like the same
 * video, the others what there is. */
static void stage_nat(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    struct chance chance = chance_of(world->seed, STREAM_CROWD);
    uint32_t count = scaled(scene, 5000, 1000);
    uint32_t start = (uint32_t)chance_below(&chance, world->person_count);
    int64_t from_ms = world->open_ms + 18 * HOUR_MS;

    (void)variant;
    make_victim(scene);
    for (uint32_t k = 0; k < 20; k++)
        ids_add(&scene->watched, world_publish(world, scene->victim.creator, world->open_ms, 0).id);
    if (count > world->person_count)
        count = world->person_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct person *person = other_person(world, start, i);
        struct place place = {101u << 16 | 60000, person->home.device, 101};
        uint64_t item = scene->victim.id;

        if (!chance_hit(&chance, 0.4))
            item = scene->watched.id[chance_below(&chance, scene->watched.count)];
        crowd_like(scene, &chance, person, item, between(&chance, from_ms, from_ms + 4 * HOUR_MS),
                   place);
    }
    add_samples(scene);
}

/* People who have liked thirty videos in ten days, and one evening remove every like they gave. */
static void stage_cleanup(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    struct chance chance = chance_of(world->seed, STREAM_CROWD);
    uint32_t count = scaled(scene, 100, 30),
             liked = world->item_count < 30 ? world->item_count : 30;

    (void)variant;
    make_victim(scene);
    for (uint32_t i = 0; i < count; i++) {
        struct person person = world_register(world, world->open_ms - (100 + (int64_t)i) * DAY_MS,
                                              (struct place){5u << 16 | i, 2000000 + i, 5});
        int64_t clean_ms = between(&chance, scene->attack_ms, scene->attack_end_ms);
        uint32_t start = (uint32_t)chance_below(&chance, world->item_count);

        for (uint32_t k = 0; k < liked; k++) {
            uint64_t item = world->items[(start + k) % world->item_count].id;

            crowd_like(scene, &chance, &person, item,
                       world_moment(&chance, world->open_ms - 10 * DAY_MS, world->open_ms),
                       person.home);
            person_act(world, &person, VERB_UNLIKE, item, clean_ms + 400 * k, person.home);
        }
    }
    add_samples(scene);
}

/* Nobody attacks and nothing goes viral: two weeks and four days of what everybody does. */
static void stage_world(struct scene *scene, int variant)
{
    struct world *world = &scene->world;

    (void)variant;
    make_victim(scene);
    for (uint32_t i = 0; i < world->item_count; i++)
        ids_add(&scene->watched, world->items[i].id);
    for (uint32_t i = 0; i < world->person_count; i++)
        ids_add(&scene->innocent, world->people[i].id);
    add_mark(scene, EVENT_CHECK, world->open_ms);
    add_samples(scene);
}

/* --- probing ------------------------------------------------------------------------------------
 */

/* Likes one by one, in turn from accounts that are bound to be seen through (new, one network, in a
 * burst) and from people's own: what tells the two apart in the answers? */
#define PROBES 400

static void stage_probing(struct scene *scene, int variant)
{
    struct world *world = &scene->world;
    struct chance chance = begin_attack(scene);

    (void)variant;
    make_victim(scene);
    scene->attack_ms = world->close_ms;
    scene->probes = list_of(PROBES, sizeof *scene->probes);
    scene->probe_count = PROBES;
    for (uint32_t i = 0; i < PROBES; i++) {
        struct probe *probe = &scene->probes[i];

        probe->person = make_member(scene, &chance, i % 2 == 0 ? RING_NEW : RING_PAID, i);
        probe->item = world->items[chance_below(&chance, world->item_count)].id;
        if (i % 2 == 0)
            probe->item = scene->victim.id;
        probe->time_ms = world->close_ms + MINUTE_MS + i * 2 * SECOND_MS;
    }
}

/* --- third parties ------------------------------------------------------------------------------
 */

#define SEQUENCE_ACTS 12 /* at most, in one sequence */
#define CHECK_EVERY   1000

static struct person third_party(struct scene *scene, struct chance *chance,
                                 const struct person *bots, uint32_t bot_count)
{
    if (chance_hit(chance, 0.5))
        return bots[chance_below(chance, bot_count)];
    return scene->world.people[chance_below(chance, scene->world.person_count)];
}

/* Some acts on one creator and one of its items: a mob (others each time), somebody who cannot make
 * up the mind (always the same), and from one place or from many. */
static void one_sequence(struct scene *scene, struct chance *chance, const struct person *bots,
                         uint32_t bot_count, int64_t from_ms, int64_t to_ms)
{
    static const enum verb verbs[] = {VERB_LIKE,   VERB_UNLIKE,   VERB_VIEW,    VERB_REPORT,
                                      VERB_SKIP,   VERB_FAVORITE, VERB_COMMENT, VERB_UNFAVORITE,
                                      VERB_FOLLOW, VERB_UNFOLLOW, VERB_SHARE};
    struct world *world = &scene->world;
    const struct item *item = &world->items[chance_below(chance, world->item_count)];
    struct person person = third_party(scene, chance, bots, bot_count);
    bool mob = chance_hit(chance, 0.6), one_place = chance_hit(chance, 0.5);
    bool one_verb = chance_hit(chance, 0.4);
    enum verb verb = verbs[chance_below(chance, sizeof verbs / sizeof verbs[0])];
    uint64_t acts = 1 + chance_below(chance, SEQUENCE_ACTS);
    struct place place = person.home;

    for (uint64_t i = 0; i < acts; i++) {
        if (mob)
            person = third_party(scene, chance, bots, bot_count);
        if (!one_verb)
            verb = verbs[chance_below(chance, sizeof verbs / sizeof verbs[0])];
        person_act(world, &person, verb,
                   verb == VERB_FOLLOW || verb == VERB_UNFOLLOW ? item->creator : item->id,
                   between(chance, from_ms, to_ms), one_place ? place : person.home);
    }
}

static void stage_third_parties(struct scene *scene, uint64_t sequences)
{
    struct world *world = &scene->world;
    struct chance chance = begin_attack(scene);
    int64_t span_ms = world->close_ms - world->open_ms - 2 * MINUTE_MS;
    struct person bots[300];

    make_victim(scene);
    for (uint32_t i = 0; i < 300; i++)
        bots[i] = make_member(scene, &chance, i % RING_PAID, i);
    for (uint32_t i = 0; i < world->item_count; i++) {
        if (i == 0 || world->items[i].creator != world->items[i - 1].creator)
            ids_add(&scene->creators, world->items[i].creator);
        ids_add(&scene->own_items, world->items[i].id);
    }
    for (uint64_t i = 0; i < sequences; i++) {
        int64_t from_ms = world->open_ms + (int64_t)(i * (uint64_t)span_ms / sequences);

        one_sequence(scene, &chance, bots, 300, from_ms, from_ms + MINUTE_MS);
        if (i % CHECK_EVERY == CHECK_EVERY - 1)
            add_mark(scene, EVENT_CHECK, from_ms + MINUTE_MS);
    }
    add_mark(scene, EVENT_CHECK, world->close_ms);
}

static void stage_evidence(struct scene *scene, int variant)
{
    stage_brushing(scene, variant >= 0 ? 1 : variant);
    scene->verify = true;
}

/* --- the making ---------------------------------------------------------------------------------
 */

/* What would happen after the end does not. */
static void cut_off(struct scene *scene)
{
    struct events *events = &scene->world.events;

    while (events->count > 0 && events->event[events->count - 1].time_ms > scene->world.close_ms)
        events->count--;
}

/* The same sum, the same honest acts (whatever their order in memory). */
static uint64_t honest_sum(const struct scene *scene)
{
    const struct events *events = &scene->world.events;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < events->count; i++) {
        const struct event *event = &events->event[i];
        uint64_t who = hash_two(event->account, event->target);

        if (event->order < scene->honest_count)
            sum += hash_two(hash_two(who, (uint64_t)event->time_ms),
                            (uint64_t)event->kind << 40 | event->place.device);
    }
    return sum;
}

static int by_id(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;

    return one < two ? -1 : one > two;
}

static void unique(struct ids *ids)
{
    uint32_t kept = 0;

    if (ids->count == 0)
        return;
    qsort(ids->id, ids->count, sizeof *ids->id, by_id);
    for (uint32_t i = 0; i < ids->count; i++)
        if (i == 0 || ids->id[i] != ids->id[i - 1])
            ids->id[kept++] = ids->id[i];
    ids->count = kept;
}

void scene_make(struct scene *scene, const struct scenario *scenario, int variant, uint64_t seed,
                double scale, uint32_t slot, uint64_t sequences)
{
    *scene = (struct scene){0};
    world_make(&scene->world, seed, scale, slot);
    if (scenario->stage != NULL)
        scenario->stage(scene, variant);
    else
        stage_third_parties(scene, sequences);
    if (variant < 0)
        scene->honest_count = scene->world.events.count;
    events_sort(&scene->world.events);
    cut_off(scene);
    scene->honest = honest_sum(scene);
    unique(&scene->innocent);
    unique(&scene->creators);
}

void scene_free(struct scene *scene)
{
    world_free(&scene->world);
    free(scene->watched.id);
    free(scene->innocent.id);
    free(scene->creators.id);
    free(scene->own_items.id);
    free(scene->probes);
    *scene = (struct scene){0};
}

#define ONE                                                                                        \
    {                                                                                              \
        "", NULL                                                                                   \
    }

const struct scenario scenarios[] = {
    {"world", "everybody's ordinary life for eighteen days, beside the real log", ONE, false,
     stage_world, judge_world},
    {"third-parties", "random acts of others on every creator; no creator's standing may change",
     ONE, false, NULL, judge_third_parties},
    {"sabotage",
     "a rival fakes likes on a victim: bots, sleepers, device farms",
     {"x1", "x10", "x100", NULL},
     true,
     stage_sabotage,
     judge_sabotage},
    {"unlike-flood",
     "a mob of low trust likes, then takes all back; likes bought and withdrawn",
     {"low-trust", "bought", NULL},
     true,
     stage_flood,
     judge_flood},
    {"mob",
     "many take back within ten minutes: a fan club that was bought, people who agreed to",
     {"club", "people", NULL},
     true,
     stage_mob,
     judge_mob},
    {"withdrawal", "three of ten honest likers take their like back, over a day", ONE, true,
     stage_withdrawal, judge_withdrawal},
    {"brushing",
     "a creator's own ring: bots on one network, sleepers in lockstep, device farms",
     {"new-x1", "new-x10", "new-x100", "lockstep-x10", "devices-x10", "loyal-x10", "paid-x1", NULL},
     true,
     stage_brushing,
     judge_brushing},
    {"gate", "viewers that never like, so that new videos fail their first gate", ONE, true,
     stage_gate, judge_gate},
    {"viral", "a video goes viral in an evening", ONE, false, stage_viral, judge_crowd},
    {"school", "800 pupils behind one address like the same videos in their breaks", ONE, false,
     stage_school, judge_crowd},
    {"nat", "5,000 accounts behind one address of a carrier", ONE, false, stage_nat, judge_crowd},
    {"live", "a live event: 2,000 likes in ten minutes", ONE, false, stage_live, judge_crowd},
    {"install", "a show sends 2,000 people, half of them minutes old", ONE, false, stage_install,
     judge_install},
    {"cleanup", "people remove every like they ever gave", ONE, false, stage_cleanup,
     judge_cleanup},
    {"reports", "a mob reports a video", ONE, true, stage_reports, judge_reports},
    {"staged", "a creator stages an attack on itself, for the compensation", ONE, true,
     stage_staged, judge_staged},
    {"probing", "likes one by one, to learn from the answers which ones count", ONE, false,
     stage_probing, judge_probing},
    {"evidence", "after a brushing: is every decision explained, does the log replay to it", ONE,
     true, stage_evidence, judge_evidence},
    {0},
};
