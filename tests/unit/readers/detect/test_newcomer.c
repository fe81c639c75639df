/* Items liked by accounts that do nothing else, among items that are not. */
#include "support/ring_world.h"

#include <stdlib.h>

#include "readers/detect/detect.h"
#include "readers/detect/newcomer.h"
#include "readers/detect/quick.h"

#define DAY_S    86400u
#define ACCOUNTS 4000
#define ITEMS    600

static void classes_are_by_likes(void **state)
{
    const uint32_t classes[] = {0, 0, 1, 2, 3, 3, 4, 4, 4, 4, 5, 5};

    (void)state;
    for (uint32_t likes = 1; likes < 12; likes++)
        assert_int_equal(newcomer_class(likes), classes[likes]);
    assert_int_equal(newcomer_class(UINT32_MAX), 5);
}

/* Everybody likes five things at least; then size new accounts like one item each. */
static struct ring_world busy_platform(uint64_t seed)
{
    struct ring_world world = ring_world_make(test_seed(seed), ACCOUNTS, ITEMS, 0, 14 * DAY_S);

    for (uint32_t u = 0; u < ACCOUNTS; u++) {
        uint32_t likes = 1 + (uint32_t)test_random_below(&world.random, 12);

        for (uint32_t i = 0; i < likes; i++)
            world.like[world.count++] =
                (struct graph_like){u, (uint32_t)test_random_below(&world.random, ITEMS),
                                    (uint32_t)test_random_below(&world.random, world.span_s)};
    }
    return world;
}

static struct graph graph_of(struct ring_world *world)
{
    struct graph graph;

    assert_int_equal(
        graph_make(ring_world_shuffled(world), world->count, world->accounts, world->items, &graph),
        0);
    return graph;
}

static void campaigns_stand_out_and_crowds_do_not(void **state)
{
    struct ring_world world = busy_platform(76);
    struct newcomer newcomer;

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        ring_world_crowd(&world, 300 + i, 100, 7200);
        ring_world_ring(&world, RING_NEW, 60, i, 1, 100, 5 * DAY_S);
    }
    struct graph graph = graph_of(&world);

    assert_int_equal(newcomer_find(&graph, DETECT_GAIN_MIN, &newcomer), 0);
    assert_int_equal(newcomer.learnt, 5);
    for (uint32_t item = 0; item < ITEMS; item++)
        assert_int_equal((double)newcomer.surprise[item] >= DETECT_GAIN_MIN, item < 5);
    assert_true(newcomer.campaign[0] > 0.9); /* learnt: one like each */
    assert_true(newcomer_odds(&newcomer, 0, 0) > 3 && newcomer_odds(&newcomer, 0, 5) < -3);
    newcomer_free(&newcomer);
    graph_free(&graph);
    free(world.like);
}

static void they_are_told_as_one_group(void **state)
{
    struct ring_world world = busy_platform(77);
    uint32_t first = ring_world_ring(&world, RING_NEW, 70, 3, 1, 100, 3 * DAY_S);
    struct detect detect;

    (void)state;
    ring_world_ring(&world, RING_NEW, 80, 9, 1, 100, 3 * DAY_S);
    struct graph graph = graph_of(&world);

    assert_int_equal(detect_run(&graph, NULL, &detect), 0);
    assert_int_equal(detect.groups, 1);
    assert_int_equal(detect.group[0].kind, DETECT_NEWCOMERS);
    assert_int_equal(detect.group[0].places, 2);
    assert_true(detect.group[0].evidence - detect.group[0].cost > 0);
    for (uint32_t u = first; u < world.accounts; u++)
        assert_true(detect.account_score[u] > 0);
    for (uint32_t item = 0; item < ITEMS; item++)
        assert_int_equal(detect.item_score[item] > 0, item == 3 || item == 9);
    detect_free(&detect);
    graph_free(&graph);
    free(world.like);
}

/* A platform where nearly all act once: that is what it is like. */
static void where_all_act_once_nothing_stands_out(void **state)
{
    struct ring_world world = ring_world_make(test_seed(78), ACCOUNTS, ITEMS, 0, 14 * DAY_S);
    struct newcomer newcomer;

    (void)state;
    for (uint32_t u = 0; u < ACCOUNTS; u++)
        world.like[world.count++] =
            (struct graph_like){u, (uint32_t)test_random_below(&world.random, 60), u};
    struct graph graph = graph_of(&world);

    assert_int_equal(newcomer_find(&graph, DETECT_GAIN_MIN, &newcomer), 0);
    for (uint32_t item = 0; item < ITEMS; item++)
        assert_true((double)newcomer.surprise[item] < DETECT_GAIN_MIN / 2);
    newcomer_free(&newcomer);
    graph_free(&graph);
    free(world.like);
}

static void quick_functions_are_near_libm(void **state)
{
    (void)state;
    for (double x = 1e-30; x < 1e30; x *= 1.0007)
        assert_near(quick_log((float)x), log((double)(float)x), 2e-5);
    for (double x = -60; x < 60; x += 0.003)
        assert_near(quick_share((float)x), 1 / (1 + exp(-(double)(float)x)), 2e-5);
    assert_true(quick_share(-INFINITY) == 0 && quick_share(INFINITY) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_by_likes),
        cmocka_unit_test(campaigns_stand_out_and_crowds_do_not),
        cmocka_unit_test(they_are_told_as_one_group),
        cmocka_unit_test(where_all_act_once_nothing_stands_out),
        cmocka_unit_test(quick_functions_are_near_libm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
