/* What a viewer does not want: by the formula, beside what is usual with him, forgotten with time.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "readers/discover/taste.h"

#define DAY    86400000000LL
#define MINUTE 60000000LL
#define START  (20000 * DAY)

static const uint64_t cats[] = {11}, news[] = {22}, both[] = {11, 22};
static const struct taste_item of_cats = {.tag = cats, .tag_count = 1},
                               of_news = {.tag = news, .tag_count = 1},
                               of_both = {.tag = both, .tag_count = 2},
                               of_seven = {.has_creator = true, .creator = 7},
                               cats_of_seven = {
                                   .tag = cats, .tag_count = 1, .has_creator = true, .creator = 7};

static void show(struct taste *taste, const struct taste_item *item, uint32_t times,
                 double unwanted, int64_t now_us)
{
    struct taste_event event = {.weight = 1, .shown = true, .unwanted = unwanted};

    for (uint32_t i = 0; i < times; i++)
        taste_learn(taste, item, &event, now_us);
}

/* Of s unwanted in n shown of a trait, u in a of all. */
static double by_formula(double s, double n, double u, double a)
{
    double usual = (u + 2) / (a + 10), rate = (s + 5 * usual) / (n + 5);

    return fmin(1, fmax(TASTE_FLOOR, (1 - rate) / (1 - usual)));
}

static void near_to(double got, double want)
{
    if (fabs(got - want) > 1e-9)
        fail_msg("%.6f, by the formula %.6f", got, want);
}

static void by_the_formula(void **state)
{
    struct taste taste = {0};
    double tag, creator;

    (void)state;
    near_to(taste_factor(&taste, &of_cats, START), 1);
    show(&taste, &of_cats, 6, 1, START); /* all swiped away */
    show(&taste, &of_news, 10, 0, START);
    near_to(taste_factor(&taste, &of_cats, START), by_formula(6, 6, 6, 16));
    near_to(taste_factor(&taste, &of_news, START), 1); /* what is wanted is no more than worth it */
    near_to(taste_factor(&taste, &of_both, START), (by_formula(6, 6, 6, 16) + 1) / 2);
    near_to(taste_factor(&taste, &of_seven, START), 1);
    show(&taste, &cats_of_seven, 1, TASTE_STRONG, START); /* "not interested" */
    tag = by_formula(11, 11, 11, 21);
    creator = by_formula(5, 5, 11, 21);
    near_to(taste_factor(&taste, &cats_of_seven, START), fmax(TASTE_FLOOR, tag * creator));
    assert_true(creator < by_formula(1, 1, 7, 17)); /* said in words weighs more than a swipe */
    taste_forget(&taste, TASTE_TAG, cats[0]);
    near_to(taste_factor(&taste, &of_cats, START), 1);
}

/* Who swipes everything away has nothing against any of it. */
static void beside_what_is_usual(void **state)
{
    struct taste all = {0}, some = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        show(&all, i % 2 ? &of_cats : &of_news, 1, i / 2 % 10 != 0, START);
        show(&some, i % 2 ? &of_cats : &of_news, 1, i % 2, START);
    }
    assert_true(taste_factor(&all, &of_cats, START) > 0.6);
    assert_true(taste_factor(&some, &of_cats, START) < 0.2);
    assert_true(taste_factor(&some, &of_cats, START) >= TASTE_FLOOR);
}

/* Each act moves it a little, whoever acts; each day gives some of it back, until it is gone. */
static void smoothly_and_not_for_ever(void **state)
{
    struct taste taste = {0};
    double before = 1, factor;

    (void)state;
    show(&taste, &of_news, 40, 0, START);
    for (int i = 0; i < 60; i++) {
        show(&taste, &of_cats, 1, 1, START);
        factor = taste_factor(&taste, &of_cats, START);
        assert_true(factor <= before + 1e-3 && factor >= before - 0.18);
        before = factor;
    }
    assert_true(before < 0.25);
    for (int64_t day = 1; day <= 200; day++) {
        factor = taste_factor(&taste, &of_cats, START + day * DAY);
        assert_true(factor >= before - 1e-9 && factor <= before + 0.06);
        before = factor;
    }
    assert_true(before > 0.99);
    /* The same, if it was looked into by an act meanwhile. */
    show(&taste, &of_seven, 1, 0, START + 14 * DAY);
    assert_int_equal(taste_find(&taste, TASTE_TAG, cats[0])->counts.shown, 30 * TASTE_ONE);
    assert_true(taste_factor(&taste, &of_cats, START + 13 * DAY) < 0.6); /* a moment before */
    show(&taste, &of_seven, 1, 0, START + 300 * DAY);
    assert_null(taste_find(&taste, TASTE_TAG, cats[0]));
}

/* Counts that are full keep their rates, and a crowd of topics keeps those that say most. */
static void within_bounds(void **state)
{
    struct taste taste = {0};
    struct test_random random = {test_seed(81)};
    double factor;

    (void)state;
    for (int i = 0; i < 20000; i++)
        show(&taste, &of_cats, 1, i % 2, START);
    show(&taste, &of_news, 1000, 0, START);
    factor = taste_factor(&taste, &of_cats, START);
    if (factor > 0.85 || factor < 0.45)
        fail_msg("half of it unwanted: %.3f", factor);
    for (uint64_t i = 0; i < 500; i++) {
        uint64_t other = 100 + test_random_below(&random, 400);
        struct taste_item item = {.tag = &other, .tag_count = 1, .length = 1 + (uint32_t)i % 9};

        show(&taste, &item, 1, 0, START);
    }
    assert_non_null(taste_find(&taste, TASTE_TAG, cats[0]));
    assert_non_null(taste_find(&taste, TASTE_TAG, news[0]));
}

static void pleased(struct taste *taste, uint32_t times, uint32_t percent,
                    struct test_random *random, int64_t now_us)
{
    struct taste_event event = {.weight = 1, .shown = true};

    for (uint32_t i = 0; i < times; i++) {
        event.watched = test_random_below(random, 100) < percent;
        taste_learn(taste, &of_cats, &event, now_us);
    }
}

static void falling_rates_are_tiredness(void **state)
{
    struct test_random random = {test_seed(82)};
    double steady = 0, falling = 0, rested = 0, few = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        struct taste taste = {0};

        pleased(&taste, 20, 0, &random, START);
        few += taste_tired(&taste, START);
        taste = (struct taste){0};
        pleased(&taste, 300, 40, &random, START);
        steady += taste_tired(&taste, START) / 400;
        pleased(&taste, 30, 3, &random, START);
        falling += taste_tired(&taste, START) / 400;
        rested += taste_tired(&taste, START + 720 * MINUTE) / 400;
    }
    assert_true(few == 0); /* too little to go by */
    if (steady > 0.1 || falling < 0.7 || rested > falling / 3)
        fail_msg("steady %.3f, falling %.3f, rested %.3f", steady, falling, rested);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_formula),
        cmocka_unit_test(beside_what_is_usual),
        cmocka_unit_test(smoothly_and_not_for_ever),
        cmocka_unit_test(within_bounds),
        cmocka_unit_test(falling_rates_are_tiredness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
