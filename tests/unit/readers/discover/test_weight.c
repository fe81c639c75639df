/* A creator's weight: what others do never lowers it; what lowers it ends; what it will be can be
 * told. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "readers/discover/pool.h"
#include "readers/discover/weight.h"

#define DAY_US (24LL * 3600 * 1000000)

static double at(const struct weight *weight, int64_t now_us)
{
    struct weight_told told;

    weight_at(weight, now_us, &told);
    assert_true(told.weight >= 0 && told.weight <= 100);
    assert_true(told.multiplier >= 0.5 && told.multiplier <= 2);
    return told.weight;
}

static void nobody_is_fifty(void **state)
{
    struct weight weight = {0};
    struct weight_told told;

    (void)state;
    weight_at(&weight, 0, &told);
    for (uint32_t p = 0; p < WEIGHT_PARTS; p++)
        assert_true(told.part[p] == 50);
    assert_true(told.weight == 50 && told.multiplier == 1 && told.version == WEIGHT_VERSION);
}

/* --- third parties
 * ------------------------------------------------------------------------------------ */

/* What the pool sees of a creator's items: third parties look, like or not, take back, skip,
 * report; each weighed from nothing to everything. After each act the pool may look, and a follower
 * may come or go. */
struct audience {
    struct pool_seen seen[30];
    uint32_t items;
};

static double chance_of(const struct pool_platform *platform, const struct pool_rule *rule,
                        const struct pool_seen *seen)
{
    struct pool_item item = {.seen = {*seen}};
    struct pool_look look;

    pool_look(rule, platform, platform->rate, &item, &look);
    return look.chance;
}

static void third_party(struct test_random *random, struct weight *weight,
                        struct audience *audience, const struct pool_platform *platform,
                        int64_t now_us)
{
    const struct pool_rule *rule = pool_rule_of("default");
    uint32_t i = (uint32_t)test_random_below(random, audience->items);
    struct pool_seen *seen = &audience->seen[i];
    double credited = (double)test_random_below(random, 5) / 4;
    uint32_t metric = (uint32_t)test_random_below(random, POOL_METRICS);

    switch (test_random_below(random, 6)) {
    case 0: /* a crowd that watches and likes nothing */
        seen->n += 50 * credited;
        break;
    case 1: /* fans */
        seen->n += 50 * credited;
        seen->s[POOL_LIKE] += 10 * credited;
        seen->s[POOL_LONG] += 30 * credited;
        break;
    case 2: /* a mob skips and reports */
        seen->n += 50 * credited;
        seen->s[POOL_NEGATIVE] += 50 * credited;
        break;
    case 3: /* likes are taken back */
        seen->s[metric] /= 2;
        break;
    case 4:
        weight_fan_act(weight, credited, now_us);
        break;
    default:
        break;
    }
    weight_looked(weight, 1 + i, chance_of(platform, rule, seen), now_us);
}

static void no_act_of_others_lowers_it(void **state)
{
    struct test_random random = {test_seed(17)};
    struct pool_platform platform;
    uint32_t acts = 0, rises = 0;

    (void)state;
    pool_unlearnt(pool_rule_of("default"), &platform);
    for (uint32_t run = 0; run < 150; run++) {
        struct weight weight = {0}, alone;
        struct audience audience = {.items = 0};
        int64_t now_us = 1;

        memset(&alone, 0, sizeof alone); /* the same creator, whom nobody ever looks at */
        for (uint32_t act = 0; act < 120; act++) {
            if (audience.items == 0 ||
                (test_random_below(&random, 12) == 0 && audience.items < 30)) {
                uint32_t tag = (uint32_t)test_random_below(&random, 3);

                weight_published(&weight, ++audience.items, tag, now_us);
                weight_published(&alone, audience.items, tag, now_us);
            }
            now_us += (int64_t)test_random_below(&random, (uint64_t)DAY_US);
            double before = at(&weight, now_us), later = at(&weight, now_us + 8 * DAY_US);
            third_party(&random, &weight, &audience, &platform, now_us);
            assert_true(at(&weight, now_us) >= before - 1e-9);
            assert_true(at(&weight, now_us + 8 * DAY_US) >= later - 1e-9); /* all items closed */
            assert_true(at(&weight, now_us) >= at(&alone, now_us) - 1e-9);
            rises += at(&weight, now_us + 8 * DAY_US) > later + 1e-9;
            acts++;
        }
    }
    printf("%u acts, of which %u raised it\n", acts, rises);
    assert_true(rises > 100); /* it is no constant */
}

/* --- what lowers it
 * ------------------------------------------------------------------------------------- */

static void penalties_end(void **state)
{
    struct weight weight = {0};
    struct weight_step step[WEIGHT_PENALTIES];
    double before = 0;

    (void)state;
    weight_upheld(&weight, 30, 60 * DAY_US, 7, 0, 0);
    weight_upheld(&weight, 10, 400 * DAY_US, 8, 0, 0); /* not longer than 90 days */
    assert_true(fabs(at(&weight, 0) - 10) < 1e-9);
    for (int64_t day = 1; day <= 90; day++) {
        assert_true(at(&weight, day * DAY_US) > before); /* better each day */
        before = at(&weight, day * DAY_US);
    }
    assert_true(at(&weight, 90 * DAY_US) == 50);
    assert_int_equal(weight_recovery(&weight, 0, step), 2);
    assert_true(step[0].at_us == 60 * DAY_US && step[1].at_us == 90 * DAY_US);
    for (uint32_t i = 0; i < 2; i++) /* what was told comes true */
        assert_true(fabs(step[i].weight - at(&weight, step[i].at_us)) < 1e-9);
    assert_true(step[1].multiplier == 1);
    assert_int_equal(weight_recovery(&weight, 90 * DAY_US, step), 0);
    assert_true(weight_lifted(&weight, 7, 0)); /* an appeal */
    assert_true(fabs(at(&weight, 0) - 40) < 1e-9);
    assert_false(weight_lifted(&weight, 7, 0));
}

static void penalties_are_bounded(void **state)
{
    struct weight weight = {0};

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        weight_upheld(&weight, (double)(i % 50), 60 * DAY_US, i + 1, 0, 0);
    assert_true(at(&weight, 0) == 0);
    assert_true(at(&weight, 60 * DAY_US) == 50);
}

static void own_items_make_focus_and_originality(void **state)
{
    struct weight one = {0}, many = {0};
    struct weight_told told, copied;

    (void)state;
    for (uint32_t i = 0; i < 30; i++) {
        weight_published(&one, 100 + i, 5, i * DAY_US);
        weight_published(&many, 100 + i, i, i * DAY_US);
    }
    assert_int_equal(one.items, WEIGHT_ITEMS);
    weight_at(&one, 30 * DAY_US, &told);
    assert_true(told.part[WEIGHT_FOCUS] > 90 && told.part[WEIGHT_ORIGINALITY] > 90);
    weight_at(&many, 30 * DAY_US, &copied);
    assert_true(copied.part[WEIGHT_FOCUS] < 15);
    weight_upheld(&one, 0, 60 * DAY_US, 3, 129, 30 * DAY_US); /* a copy */
    weight_at(&one, 30 * DAY_US, &copied);
    assert_true(copied.part[WEIGHT_ORIGINALITY] < told.part[WEIGHT_ORIGINALITY]);
    assert_true(weight_lifted(&one, 3, 129));
    weight_at(&one, 30 * DAY_US, &copied);
    assert_true(copied.part[WEIGHT_ORIGINALITY] == told.part[WEIGHT_ORIGINALITY]);
}

/* Who tags nothing is neither focused nor scattered; a tag that comes later is taken. */
static void untagged_is_neither(void **state)
{
    struct weight weight = {0};
    struct weight_told told;

    (void)state;
    for (uint64_t i = 0; i < 20; i++)
        weight_published(&weight, 1 + i, 0, DAY_US);
    weight_at(&weight, DAY_US, &told);
    assert_true(told.part[WEIGHT_FOCUS] == 50);
    for (uint64_t i = 0; i < 20; i++)
        weight_tagged(&weight, 1 + i, 7);
    weight_at(&weight, DAY_US, &told);
    assert_true(told.part[WEIGHT_FOCUS] > 90);
    weight_original(&weight, 3, false);
    weight_original(&weight, 999, false); /* one that is gone */
    weight_at(&weight, DAY_US, &told);
    assert_true(fabs(told.part[WEIGHT_ORIGINALITY] - 100.0 * 21 / 24) < 1e-9);
}

static void good_items_make_history(void **state)
{
    struct weight weight = {0};
    struct weight_told told;

    (void)state;
    weight_published(&weight, 1, 5, 0);
    weight_looked(&weight, 1, 0.9, DAY_US);
    weight_looked(&weight, 1, 0.1, 2 * DAY_US);           /* a mob came later */
    weight_looked(&weight, 1, 1.0, WEIGHT_CLOSED_US + 1); /* too late */
    weight_looked(&weight, 99, 1.0, DAY_US);              /* not one of the creator's */
    weight_at(&weight, 2 * DAY_US, &told);
    assert_true(told.part[WEIGHT_HISTORY] == 50 && told.closed == 0); /* not closed yet */
    weight_at(&weight, WEIGHT_CLOSED_US, &told);
    assert_true(fabs(told.part[WEIGHT_HISTORY] - 90) < 1e-9 && told.closed == 1);
    assert_int_equal(weight_advice(&told), WEIGHT_FANS);
}

static void fans_forget_in_time_alone(void **state)
{
    struct weight weight = {0};
    struct weight_told told;

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        weight_fan_act(&weight, 1, DAY_US);
    weight_at(&weight, DAY_US, &told);
    assert_true(fabs(told.part[WEIGHT_FANS] - 75) < 1e-9);
    weight_at(&weight, DAY_US + WEIGHT_FORGET_US, &told);
    assert_true(fabs(told.part[WEIGHT_FANS] - (100 - 50 * exp2(-0.5))) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_fifty),
        cmocka_unit_test(no_act_of_others_lowers_it),
        cmocka_unit_test(penalties_end),
        cmocka_unit_test(penalties_are_bounded),
        cmocka_unit_test(own_items_make_focus_and_originality),
        cmocka_unit_test(good_items_make_history),
        cmocka_unit_test(untagged_is_neither),
        cmocka_unit_test(fans_forget_in_time_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
