/* What kinds of items do, as a prior: the arithmetic, its bounds, and that nobody is judged by
 * himself. That the sums are those of the definition is held in test_discover_weight.c. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "readers/discover/kinds.h"

static struct pool_platform platform;

static int open_platform(void **state)
{
    (void)state;
    pool_unlearnt(pool_rule_of("default"), &platform);
    platform.rate[POOL_LIKE] = (struct gate_beta){4, 96};
    platform.strength[POOL_LIKE] = 200;
    return 0;
}

static struct kind_sums sums_of(double n, double likes)
{
    struct kind_sums sums = {.n = n};

    for (uint32_t m = 0; m < POOL_METRICS; m++)
        sums.s[m] = likes;
    return sums;
}

static void by_the_definition(void **state)
{
    struct kind_sums kind = sums_of(160, 16), all = sums_of(800, 40); /* 10 % beside 5 % */
    struct gate_beta prior[POOL_METRICS];
    struct pool_tag tag;

    (void)state;
    tag = kind_tag(&kind, &all, &platform, NULL, 1, 2);
    assert_true(tag.items == 2); /* 80 impressions as of now */
    pool_prior(&platform, &tag, prior);
    /* twice as good as all: two items of 8 % and six of 4 % */
    assert_true(fabs(gate_mean(prior[POOL_LIKE]) - (2 * 0.08 + 6 * 0.04) / 8) < 1e-12);
    assert_true(fabs(prior[POOL_LIKE].a + prior[POOL_LIKE].b - 200) < 1e-9);
}

/* One tag may be held to be four times as good at most, and not less than a quarter. */
static void times_are_bounded(void **state)
{
    struct kind_sums best = sums_of(4000, 4000), worst = sums_of(4000, 0), all = sums_of(8000, 80);
    struct gate_beta prior[POOL_METRICS];
    struct pool_tag tag;

    (void)state;
    tag = kind_tag(&best, &all, &platform, NULL, 1, 1);
    pool_prior(&platform, &tag, prior);
    assert_true(gate_mean(prior[POOL_LIKE]) < KIND_TIMES * 0.04);
    assert_true(gate_mean(prior[POOL_LIKE]) > 0.9 * KIND_TIMES * 0.04);
    tag = kind_tag(&worst, &all, &platform, NULL, 1, 1);
    pool_prior(&platform, &tag, prior);
    assert_true(gate_mean(prior[POOL_LIKE]) > 0.04 / KIND_TIMES);
    all = sums_of(8000, 0); /* nobody ever did it */
    tag = kind_tag(&worst, &all, &platform, NULL, 1, 1);
    pool_prior(&platform, &tag, prior);
    assert_true(fabs(gate_mean(prior[POOL_LIKE]) - 0.04) < 1e-12);
}

/* An item's own first impressions are no part of what is thought of it before. */
static void nobody_is_judged_by_himself(void **state)
{
    struct test_random random = {test_seed(1)};

    (void)state;
    for (int run = 0; run < 200; run++) {
        struct kind_sums kind = sums_of(400, 20), all = sums_of(4000, 150);
        struct kind_sums with = kind, whole = all;
        double forward = 1 + (double)test_random_below(&random, 7);
        struct pool_tag before = kind_tag(&kind, &all, &platform, NULL, 1, 3), after;
        struct taught own = {.n_pct = (uint16_t)test_random_below(&random, 4000)};

        for (uint32_t m = 0; m < POOL_METRICS; m++)
            own.s_pct[m] = (uint16_t)test_random_below(&random, own.n_pct + 1u);
        kind_item(&with, &own, forward);
        kind_item(&whole, &own, forward);
        after = kind_tag(&with, &whole, &platform, &own, forward, 3);
        assert_true(fabs(after.items - before.items) < 1e-9);
        for (uint32_t m = 0; m < POOL_METRICS; m++)
            assert_true(fabs(after.rates[m] - before.rates[m]) < 1e-9);
        kind_item(&with, &own, -forward); /* and what was added can be taken away */
        assert_true(fabs(with.n - kind.n) < 1e-9 && fabs(with.s[POOL_LIKE] - 20) < 1e-9);
    }
}

static void what_is_taught_is_bounded(void **state)
{
    struct taught taught = {0};

    (void)state;
    assert_true(taught_has_room(&taught));
    for (int i = 0; i < 60; i++)
        if (taught_has_room(&taught))
            assert_int_equal(taught_impression(&taught, 75), 75);
    assert_true(taught.n_pct >= KIND_TEACH * 100 && taught.n_pct < KIND_TEACH * 100 + 100);
    assert_int_equal(taught_success(&taught, POOL_LIKE, 30), 30);
    assert_int_equal(taught_success(&taught, POOL_LIKE, -50), -30);
}

static void chances_wait_for_enough(void **state)
{
    struct kind_sums all = sums_of(KIND_KNOWN, 32), few = sums_of(KIND_KNOWN - 1, 32);
    struct pool_seen good[POOL_AUDIENCES] = {{.n = 30}, {.n = 10}}, poor[POOL_AUDIENCES];

    (void)state;
    memcpy(poor, good, sizeof poor);
    good[0].s[POOL_LIKE] = good[0].s[POOL_LONG] = 10;
    assert_true(kind_chance(&all, 1, good) > 0.95);
    assert_true(kind_chance(&all, 1, poor) < 0.1);
    assert_true(kind_chance(&few, 1, good) == 0);
    assert_true(kind_chance(&all, 2, good) == 0); /* half of it is forgotten */
    good[1].n = 9;
    assert_true(kind_chance(&all, 1, good) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_definition),           cmocka_unit_test(times_are_bounded),
        cmocka_unit_test(nobody_is_judged_by_himself), cmocka_unit_test(what_is_taught_is_bounded),
        cmocka_unit_test(chances_wait_for_enough),
    };

    return cmocka_run_group_tests(tests, open_platform, NULL);
}
