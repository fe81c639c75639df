/* Honest crowds lose nothing, rings lose nearly everything; over seeds. */
#include "support/trust_world.h"

#include "engine/trust_signals.h"

static uint64_t seed;
static int seed_count;

static int begin(void **state)
{
    (void)state;
    seed = test_seed(1);
    seed_count = getenv("ZAN_DEEP") != NULL ? 40 : getenv("ZAN_SEEDS") != NULL ? 1 : 2;
    return 0;
}

/* At most 0.1 % of the likes of honest people are devalued. */
static void assert_unharmed(const struct world *world)
{
    assert_true(world->side[0].devalued * 1000 <= world->side[0].likes);
    assert_true(world->side[0].final_pct * 1000 >= world->side[0].likes * 100 * 999);
}

/* 20,000 accounts, three ordinary days: what everything else happens on. */
static void ordinary(struct world *world, struct world_plans *plans, uint32_t likes)
{
    plan_ordinary(world, plans, 0, 20000, WORLD_US, WORLD_US + 3 * DAY_US, likes);
}

#define EVENT_US (WORLD_US + 2 * DAY_US)

/* One network of 5,000 among 60,000, with favourites of its own that a third of it likes at once.
 */
static void a_school_or_carrier_network_is_no_evidence(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + (uint64_t)i, 60000);
        for (uint32_t a = 0; a < 5000; a++)
            world.accounts[a].network = 7000000;
        plan_ordinary(&world, &plans, 0, 60000, WORLD_US, WORLD_US + 3 * DAY_US, 150000);
        for (uint32_t hit = 0; hit < 8; hit++)
            plan_crowd(&world, &plans, 0, 5000, 100 * hit + 7, 330,
                       WORLD_US + DAY_US + (int64_t)hit * 4 * HOUR_US, 2 * HOUR_US, 0);
        world_run(&world, &plans);
        world_print("school network", &world);
        assert_unharmed(&world);
        world_close(&world);
    }
}

/* Videos that go round the whole platform one after the other; each crowd is drawn from everybody.
 */
static void viral_videos_are_not_devalued(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 100 + (uint64_t)i, 20000);
        ordinary(&world, &plans, 30000);
        for (uint32_t video = 0; video < 16; video++)
            plan_crowd(&world, &plans, 0, 20000, 100 * video + 3, 250,
                       WORLD_US + DAY_US + (int64_t)video * 2 * HOUR_US, 2 * HOUR_US, 0);
        world_run(&world, &plans);
        world_print("viral videos", &world);
        assert_unharmed(&world);
        world_close(&world);
    }
}

/* A live event: 1,500 followers like ten videos of one creator within minutes of each; a fifth of
 * the crowd made their account for it. */
static void followers_at_a_live_event_are_not_devalued(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 200 + (uint64_t)i, 20000);
        for (uint32_t a = 19700; a < 20000; a++) {
            world.accounts[a].first_us = EVENT_US - 600 * SECOND_US;
            world.accounts[a].given = 0;
        }
        plan_ordinary(&world, &plans, 0, 19700, WORLD_US, WORLD_US + 3 * DAY_US, 30000);
        for (uint32_t video = 0; video < 10; video++)
            plan_crowd(&world, &plans, 18500, 1500, 5000000 + video, 500,
                       EVENT_US + (int64_t)video * 900 * SECOND_US, 600 * SECOND_US, 0);
        world_run(&world, &plans);
        world_print("live event", &world);
        assert_unharmed(&world);
        world_close(&world);
    }
}

/* 1,500 followers, half of whom like each new video of one creator within the hour, for three days.
 */
static void followers_of_one_creator_are_no_ring(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 270 + (uint64_t)i, 20000);
        ordinary(&world, &plans, 30000);
        for (uint32_t video = 0; video < 10; video++)
            plan_crowd(&world, &plans, 9000, 1500, 5000000 + video, 500,
                       WORLD_US + (12 + (int64_t)video * 6) * HOUR_US, HOUR_US, 0);
        world_run(&world, &plans);
        world_print("followers", &world);
        assert_unharmed(&world);
        world_close(&world);
    }
}

/* A match: 600 people of all kinds like clips of a dozen creators within three hours. Beside a ring
 * they differ in nothing but that it is one evening of a longer life. Held, not devalued. */
static void people_who_follow_one_event_are_not_devalued(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 250 + (uint64_t)i, 20000);
        ordinary(&world, &plans, 30000);
        for (uint32_t clip = 0; clip < 12; clip++)
            plan_crowd(&world, &plans, 5000, 600, 5000000 + clip * 100, 400,
                       EVENT_US + (int64_t)clip * 900 * SECOND_US, 900 * SECOND_US, 0);
        world_run(&world, &plans);
        world_print("match", &world);
        assert_unharmed(&world);
        world_close(&world);
    }
}

/* A platform in its first days: everybody is new, nobody is devalued for it. */
static void on_a_new_platform_everybody_is_young(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 300 + (uint64_t)i, 20000);
        for (uint32_t a = 0; a < 20000; a++) {
            world.accounts[a].first_us = WORLD_US + (int64_t)a * 3 * DAY_US / 20000;
            world.accounts[a].given = 0;
        }
        for (uint32_t like = 0; like < 30000; like++) {
            int64_t at_us = WORLD_US + (int64_t)test_random_below(&world.random, 3 * DAY_US);
            uint64_t known = (uint64_t)(at_us - WORLD_US) * 20000 / (3 * DAY_US) + 1;

            plan_add(&plans, at_us, test_random_below(&world.random, known < 20000 ? known : 20000),
                     world_item(&world), 0);
        }
        plan_crowd(&world, &plans, 9000, 4000, 77, 300, EVENT_US, 2 * HOUR_US, 0);
        world_run(&world, &plans);
        world_print("new platform", &world);
        assert_unharmed(&world);
        world_close(&world);
    }
}

/* Friends: eight who share what they watch, all day. Few enough to hold, too few to devalue
 * under 50. */
static void a_circle_of_friends_never_goes_under_half(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 400 + (uint64_t)i, 20000);
        ordinary(&world, &plans, 30000);
        for (uint32_t video = 0; video < 30; video++)
            plan_crowd(&world, &plans, 300, 8, 3000000 + video * 100, 800,
                       EVENT_US + (int64_t)video * 1800 * SECOND_US, 1200 * SECOND_US, 0);
        world_run(&world, &plans);
        world_print("friends", &world);
        assert_int_equal(world.side[0].low, 0);
        world_close(&world);
    }
}

/* 300 old accounts, each with its own device and network, sent to 40 items of many creators. The
 * first items pass: nobody has met yet. From the tenth on at most a tenth of the weight is left. */
static void a_ring_of_old_accounts_is_found_by_its_company(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 500 + (uint64_t)i, 20000);
        ordinary(&world, &plans, 30000);
        for (uint32_t item = 0; item < 40; item++)
            plan_crowd(&world, &plans, 600, 300, 3000000 + item * 100, 400,
                       WORLD_US + DAY_US + (int64_t)item * HOUR_US, HOUR_US / 2,
                       item >= 10 ? 1 : 2);
        world_run(&world, &plans);
        world_print("ring of old accounts", &world);
        assert_unharmed(&world);
        assert_true(world.side[1].final_pct <= world.side[1].likes * 12);
        world_close(&world);
    }
}

/* Cheap: 400 accounts made for it, on one network, at one item, within ten minutes. */
static void new_accounts_of_one_network_gain_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 600 + (uint64_t)i, 20400);
        for (uint32_t a = 20000; a < 20400; a++) {
            world.accounts[a].first_us = EVENT_US - 60 * SECOND_US;
            world.accounts[a].given = 0;
            world.accounts[a].network = 8000000;
        }
        ordinary(&world, &plans, 30000);
        plan_crowd(&world, &plans, 20000, 400, 3000000, 1000, EVENT_US, 600 * SECOND_US, 1);
        world_run(&world, &plans);
        world_print("new accounts, one network", &world);
        assert_unharmed(&world);
        assert_true(world.side[1].early_pct <= world.side[1].likes * 2);
        assert_true(world.side[1].final_pct <= world.side[1].likes * 2);
        world_close(&world);
    }
}

/* The same from 400 networks: nothing shared but being new and being at once. */
static void new_accounts_of_many_networks_gain_little(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 700 + (uint64_t)i, 20400);
        for (uint32_t a = 20000; a < 20400; a++) {
            world.accounts[a].first_us = EVENT_US - 60 * SECOND_US;
            world.accounts[a].given = 0;
        }
        ordinary(&world, &plans, 30000);
        plan_crowd(&world, &plans, 20000, 400, 3000000, 1000, EVENT_US, 600 * SECOND_US, 1);
        world_run(&world, &plans);
        world_print("new accounts, many networks", &world);
        assert_unharmed(&world);
        assert_true(world.side[1].early_pct <= world.side[1].likes * 2);
        assert_true(world.side[1].final_pct <= world.side[1].likes * 2);
        world_close(&world);
    }
}

/* A creator buys ten times what the video has: 200 honest likes over the day, 2,000 new accounts of
 * as many networks, within an hour or over the day. RELIABILITY 5.4 asks for at most 2 % and 5 %;
 * some likes pass before the first is suspected, so the video must not be tiny. */
static void brushing_with_new_accounts_gains_a_few_likes(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count * 2; i++) {
        struct world_plans plans = {0};
        struct world world;
        int64_t from_us = i % 2 == 0 ? EVENT_US + 6 * HOUR_US : EVENT_US;
        int64_t long_us = i % 2 == 0 ? HOUR_US : DAY_US;

        world_open(&world, seed + 900 + (uint64_t)i, 22000);
        for (uint32_t a = 20000; a < 22000; a++) {
            world.accounts[a].first_us = EVENT_US - 600 * SECOND_US;
            world.accounts[a].given = 0;
        }
        ordinary(&world, &plans, 60000);
        for (uint32_t like = 0; like < 200; like++)
            plan_add(&plans, EVENT_US + (int64_t)test_random_below(&world.random, DAY_US),
                     test_random_below(&world.random, 20000), 3000000, 0);
        for (uint32_t like = 0; like < 2000; like++)
            plan_add(&plans, from_us + (int64_t)test_random_below(&world.random, (uint64_t)long_us),
                     20000 + like, 3000000, 1);
        world_run(&world, &plans);
        world_print(i % 2 == 0 ? "brushing in an hour" : "brushing over a day", &world);
        assert_unharmed(&world);
        assert_true(world.side[1].early_pct <= 200 * 5);
        assert_true(world.side[1].final_pct <= 200 * 4);
        world_close(&world);
    }
}

/* A phone rack: 12 old accounts on each of 30 devices. */
static void a_rack_of_devices_is_found(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 800 + (uint64_t)i, 20000);
        for (uint32_t a = 600; a < 960; a++)
            world.accounts[a].device = 9000000 + (a - 600) / 12;
        ordinary(&world, &plans, 30000);
        plan_crowd(&world, &plans, 600, 360, 3000000, 1000, EVENT_US, HOUR_US / 2, 1);
        world_run(&world, &plans);
        world_print("rack of devices", &world);
        assert_unharmed(&world);
        assert_true(world.side[1].final_pct <= world.side[1].likes * 35);
        world_close(&world);
    }
}

/* 400 accounts of a year, each with its own device and network, that have done nothing in their
 * lives but two thirds of six orders of the last three days; then somebody sends them to a video
 * with thirty likes. (Whoever they were sent to before has lost as little as gained: the first of
 * an order count until it is seen what it is.) */
static void who_only_ever_took_orders_has_no_past(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 1000 + (uint64_t)i, 20400);
        for (uint32_t a = 20000; a < 20400; a++)
            world.accounts[a].given = 0;
        plan_ordinary(&world, &plans, 0, 20000, WORLD_US, WORLD_US + 3 * DAY_US, 60000);
        for (uint32_t order = 0; order < 6; order++)
            plan_crowd(&world, &plans, 20000, 400, 3000000 + order * 100, 660,
                       WORLD_US + DAY_US + (int64_t)order * 7 * HOUR_US, HOUR_US, 2);
        for (uint32_t like = 0; like < 30; like++)
            plan_add(&plans, EVENT_US + (int64_t)test_random_below(&world.random, DAY_US),
                     test_random_below(&world.random, 20000), 4000000, 0);
        plan_crowd(&world, &plans, 20000, 400, 4000000, 1000, EVENT_US + 20 * HOUR_US, HOUR_US, 1);
        world_run(&world, &plans);
        world_print("only orders", &world);
        assert_unharmed(&world);
        assert_true(world.side[1].final_pct <= 100);
        assert_true(world.side[1].early_pct <= 30 * 20);
        world_close(&world);
    }
}

/* The same accounts, new to liking: five videos of one creator within seconds of each other, the
 * last of them is the one that is meant. */
static void who_began_a_minute_ago_has_no_past(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 1100 + (uint64_t)i, 20400);
        plan_ordinary(&world, &plans, 0, 20000, WORLD_US, WORLD_US + 3 * DAY_US, 60000);
        for (uint32_t a = 20000; a < 20400; a++) {
            int64_t at_us = EVENT_US + (int64_t)test_random_below(&world.random, HOUR_US);

            world.accounts[a].given = 0;
            for (uint32_t video = 0; video < 5; video++)
                plan_add(&plans, at_us + video * 3 * SECOND_US, a, 4000000 + video, 1);
        }
        world_run(&world, &plans);
        world_print("began a minute ago", &world);
        assert_unharmed(&world);
        assert_true(world.side[1].final_pct <= 500);
        world_close(&world);
    }
}

/* People with a life come to a video that surges, some of them three times in a week: of what they
 * do, most is not that. */
static void who_also_likes_what_surges_has_a_past(void **state)
{
    (void)state;
    for (int i = 0; i < seed_count; i++) {
        struct world_plans plans = {0};
        struct world world;

        world_open(&world, seed + 1200 + (uint64_t)i, 4000);
        for (uint32_t a = 0; a < 4000; a++)
            world.accounts[a].given = 0;
        plan_ordinary(&world, &plans, 0, 4000, WORLD_US, WORLD_US + 3 * DAY_US, 60000);
        for (uint32_t video = 0; video < 3; video++)
            plan_crowd(&world, &plans, 0, 4000, 100 * video + 3, 300,
                       WORLD_US + DAY_US * 2 + (int64_t)video * 5 * HOUR_US, 2 * HOUR_US, 0);
        world_run(&world, &plans);
        world_print("three surges", &world);
        assert_unharmed(&world);
        world_close(&world);
    }
}

/* A flood of accounts that act once does not make the scorer forget who is known. */
static void a_flood_does_not_flush_the_memory(void **state)
{
    (void)state;
    struct world world;
    uint32_t known = 0;

    world_open(&world, seed, 200000);
    for (uint32_t a = 0; a < 1000; a++)
        for (uint32_t like = 0; like < 8; like++)
            world_like(&world, WORLD_US + (int64_t)(a * 8 + like) * SECOND_US, a, a * 8 + like, 0);
    for (uint32_t a = 1000; a < 200000; a++)
        world_like(&world, WORLD_US + DAY_US + (int64_t)a * 1000, a, 100000000 + a, 0);
    for (uint32_t a = 0; a < 1000; a++) {
        struct act act = world_act(&world, WORLD_US + 2 * DAY_US, VERB_LIKE, a, 100000000 + a);
        struct trust_view view;

        trust_look(world.trust, &act, false, &view);
        known += view.account != NULL;
    }
    print_message("%u of 1000 are known after 199,000 strangers\n", known);
    assert_true(known >= 980);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_school_or_carrier_network_is_no_evidence),
        cmocka_unit_test(viral_videos_are_not_devalued),
        cmocka_unit_test(followers_at_a_live_event_are_not_devalued),
        cmocka_unit_test(followers_of_one_creator_are_no_ring),
        cmocka_unit_test(people_who_follow_one_event_are_not_devalued),
        cmocka_unit_test(on_a_new_platform_everybody_is_young),
        cmocka_unit_test(a_circle_of_friends_never_goes_under_half),
        cmocka_unit_test(a_ring_of_old_accounts_is_found_by_its_company),
        cmocka_unit_test(new_accounts_of_one_network_gain_nothing),
        cmocka_unit_test(new_accounts_of_many_networks_gain_little),
        cmocka_unit_test(brushing_with_new_accounts_gains_a_few_likes),
        cmocka_unit_test(a_rack_of_devices_is_found),
        cmocka_unit_test(who_only_ever_took_orders_has_no_past),
        cmocka_unit_test(who_began_a_minute_ago_has_no_past),
        cmocka_unit_test(who_also_likes_what_surges_has_a_past),
        cmocka_unit_test(a_flood_does_not_flush_the_memory),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
