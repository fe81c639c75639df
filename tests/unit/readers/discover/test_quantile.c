/* Watch times among their like: against a sorted list of the same views. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "readers/discover/quantile.h"

#define DAY_US (24 * 3600 * 1000000LL)
#define START  (1700000000 * 1000000LL)
#define VIEWS  20000

static struct quantile quantile;

static int ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static double share_below(const uint32_t *watch, double limit)
{
    uint32_t count = 0;

    while (count < VIEWS && watch[count] < limit)
        count++;
    return (double)count / VIEWS;
}

/* With many views of a length the prior weighs 1 %, and a bin is 19 % wide. */
static void places_are_those_of_a_sorted_list(void **state)
{
    struct test_random random = {test_seed(51)};
    static uint32_t watch[VIEWS];

    (void)state;
    quantile_open(&quantile, START);
    for (uint32_t i = 0; i < VIEWS; i++) {
        watch[i] =
            (uint32_t)(200 + 60000 * pow((double)test_random_below(&random, 10000) / 10000, 3));
        quantile_add(&quantile, 50000, watch[i], 1, START + i);
    }
    qsort(watch, VIEWS, sizeof watch[0], ascending);
    for (uint32_t i = VIEWS / 20; i < VIEWS; i += VIEWS / 20) {
        double place = quantile_place(&quantile, 50000, watch[i], START + VIEWS);

        assert_true(place > share_below(watch, watch[i] / 1.19) - 0.02);
        assert_true(place < share_below(watch, watch[i] * 1.19) + 0.02);
        uint32_t at = quantile_at(&quantile, 50000, (double)i / VIEWS, START + VIEWS);

        assert_true(at > watch[i] * 0.85 - 20 && at < watch[i] * 1.15 + 20);
    }
}

static void longer_is_never_lower(void **state)
{
    struct test_random random = {test_seed(52)};

    (void)state;
    quantile_open(&quantile, START);
    for (uint32_t i = 0; i < 3000; i++)
        quantile_add(&quantile, (uint32_t)test_random_below(&random, 700000),
                     (uint32_t)test_random_below(&random, 100000),
                     (double)test_random_below(&random, 100) / 100, START + i * 1000000LL);
    for (uint32_t duration = 1000; duration < 800000; duration += 40000) {
        double before = 0;

        for (uint32_t watch = 0; watch < 90000000; watch = watch * 9 / 8 + 7) {
            double place = quantile_place(&quantile, duration, watch, START + 3000000000LL);

            assert_true(place >= before - 1e-12 && place >= 0 && place <= 1);
            before = place;
        }
    }
}

/* KuaiRand's quantiles, before there are views of one's own; a fake's view of weight 0 moves
 * nothing; what is old counts less than what is new. */
static void begins_as_kuairand_and_forgets(void **state)
{
    (void)state;
    quantile_open(&quantile, START);
    /* 60 to 90 s: the median is watched 5.6 %, the 70 % quantile is at 27 % */
    uint32_t median = quantile_at(&quantile, 75000, 0.5, START);
    uint32_t late = quantile_at(&quantile, 75000, 0.7, START + 900 * DAY_US);

    assert_true(median > 4000 && median < 7000);
    assert_true(late > 23000 && late < 34000);
    for (uint32_t i = 0; i < 100000; i++)
        quantile_add(&quantile, 75000, 75000, 0, START + i);
    assert_int_equal(quantile_at(&quantile, 75000, 0.5, START + 100000), median);
    for (uint32_t i = 0; i < 10000; i++)
        quantile_add(&quantile, 75000, 70000, 1, START + 1000000);
    assert_true(quantile_at(&quantile, 75000, 0.5, START + 1000000) > 60000);
    int64_t later = START + 3000 * DAY_US; /* 214 half-lives: it is as at the beginning */
    uint32_t again = quantile_at(&quantile, 75000, 0.5, later);

    assert_int_equal(again, median);
    for (uint32_t i = 0; i < 10000; i++)
        quantile_add(&quantile, 75000, 1000, 1, START + 9000 * DAY_US); /* the landmark moves */
    assert_true(quantile_at(&quantile, 75000, 0.5, START + 9000 * DAY_US) < 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_those_of_a_sorted_list),
        cmocka_unit_test(longer_is_never_lower),
        cmocka_unit_test(begins_as_kuairand_and_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
