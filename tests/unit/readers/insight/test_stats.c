/* Small audiences stay unseen, whatever is asked; quantiles and tests are those of the book. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "readers/insight/bucket.h"
#include "readers/insight/stats.h"

#define SECOND 1000000LL
#define MINUTE (60 * SECOND)
#define DAY    (24 * 60 * MINUTE)

/* Random parts: what is shown has a quorum, what is hidden has one together or is nothing, and no
 * more is hidden than has to be. */
static void nobody_is_told_of_few(void **state)
{
    struct test_random random = {.state = test_seed(3)};

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct cell cells[8];
        uint32_t count = 1 + (uint32_t)test_random_below(&random, 8), shown = 0, few = 0, large = 0;
        uint64_t hidden = 0, told;

        for (uint32_t i = 0; i < count; i++)
            cells[i] = (struct cell){.accounts = test_random_below(&random, 25)};
        told = stats_hide(cells, count);
        for (uint32_t i = 0; i < count; i++) {
            bool is_few = cells[i].accounts > 0 && cells[i].accounts < INSIGHT_QUORUM;

            if (cells[i].hidden) {
                hidden += cells[i].accounts;
                large += !is_few;
            } else {
                assert_false(is_few);
                shown += cells[i].accounts > 0;
            }
            few += is_few;
        }
        assert_int_equal(told, hidden);
        assert_true(hidden == 0 || hidden >= INSIGHT_QUORUM || shown == 0);
        assert_true(large <= 1 && (few > 0 || hidden == 0));
    }
}

static int by_value(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void quantiles_are_between_their_neighbours(void **state)
{
    const double four[] = {1, 2, 4, 8};
    struct test_random random = {.state = test_seed(4)};

    (void)state;
    assert_true(stats_quantile(four, 4, 0) == 1 && stats_quantile(four, 4, 1) == 8);
    assert_true(stats_quantile(four, 4, 0.5) == 3);
    assert_true(stats_quantile(four, 4, 0.25) == 1.75);
    assert_true(stats_percentile(four, 4, 2) == 0.375);
    assert_true(stats_percentile(four, 4, 100) == 1 && stats_percentile(four, 4, 0) == 0);
    for (int round = 0; round < 1000; round++) {
        double values[50];
        uint32_t count = 1 + (uint32_t)test_random_below(&random, 50);
        double share = (double)test_random_below(&random, 1001) / 1000, at;
        uint32_t below = 0;

        for (uint32_t i = 0; i < count; i++)
            values[i] = (double)test_random_below(&random, 1000);
        qsort(values, count, sizeof values[0], by_value);
        at = stats_quantile(values, count, share);
        for (uint32_t i = 0; i < count; i++)
            below += values[i] < at;
        assert_true(below <= ceil(share * (count - 1)) + 1e-9);
    }
}

/* 40 of 1,000 against 20 of 1,000: z = 0.02 / sqrt(0.03 * 0.97 * 2 / 1000) = 2.62, p = 0.0087. */
static void two_rates_differ_beyond_chance_or_not(void **state)
{
    struct share a = {4000, 100000}, b = {2000, 100000}, none = {0, 0};
    double z = stats_z(a, b);

    (void)state;
    assert_true(fabs(z - 2.6217) < 0.001);
    assert_true(fabs(stats_p(z) - 0.00875) < 0.0001);
    assert_true(stats_z(b, a) == -z && stats_p(-z) == stats_p(z));
    assert_true(stats_z(a, none) == 0 && stats_z(none, none) == 0 && stats_p(0) == 1);
    assert_true(stats_z((struct share){100, 100}, (struct share){200, 200}) == 0);
}

/* --- rollups -------------------------------------------------------------------------------------
 */

#define ROWS 64

static void *memory;

static struct buckets opened(uint32_t rows)
{
    struct buckets buckets = {0};

    memory = calloc(1, table_bytes(sizeof(struct bucket), rows));
    assert_non_null(memory);
    buckets_open(&buckets, memory, rows);
    return buckets;
}

static const struct bucket_change one_like = {STEP_LIKE, 1, 1, 50};
static const struct scope of_item = {.of = BUCKET_ITEM, .id = 7, .tenant = 1};

static uint32_t likes_at(const struct buckets *buckets, enum span span, int64_t at_us)
{
    const struct bucket *bucket = buckets_find(buckets, of_item, span, at_us);

    return bucket == NULL ? 0 : bucket->count[STEP_LIKE].raw;
}

/* What is over goes by itself and leaves room: nothing is lost, however long it goes on. */
static void what_is_over_goes(void **state)
{
    struct buckets buckets = opened(1024);
    int64_t now_us = 1000 * DAY;

    (void)state;
    for (int i = 0; i < 20000; i++, now_us += MINUTE)
        buckets_add(&buckets, of_item, &one_like, 1, now_us, now_us);
    now_us -= MINUTE;
    assert_int_equal(buckets.lost, 0);
    assert_int_equal(likes_at(&buckets, SPAN_MINUTE, now_us), 1);
    assert_int_equal(likes_at(&buckets, SPAN_MINUTE, now_us - 179 * MINUTE), 1);
    assert_int_equal(likes_at(&buckets, SPAN_HOUR, now_us - 60 * MINUTE), 60);
    assert_int_equal(likes_at(&buckets, SPAN_DAY, 1000 * DAY), 24 * 60);
    assert_true(buckets.table.count < 180 + 2 * 15 * 24 + 20);
    /* What is older than is kept makes no row. */
    buckets_add(&buckets, of_item, &one_like, 1, now_us - 401 * DAY, now_us);
    assert_int_equal(likes_at(&buckets, SPAN_DAY, now_us - 401 * DAY), 0);
    free(memory);
}

/* Without room minutes go before days. */
static void minutes_go_first(void **state)
{
    struct buckets buckets = opened(ROWS);
    int64_t now_us = 1000 * DAY;

    (void)state;
    for (int i = 0; i < 12; i++)
        buckets_add(&buckets, of_item, &one_like, 1, now_us - i * DAY, now_us);
    for (int i = 0; i < 170; i++)
        buckets_add(&buckets, of_item, &one_like, 1, now_us + i * MINUTE, now_us + i * MINUTE);
    assert_true(buckets.lost > 50);
    for (int i = 1; i < 12; i++)
        assert_int_equal(likes_at(&buckets, SPAN_DAY, now_us - i * DAY), 1);
    free(memory);
}

/* What comes later changes a row that is there, makes none, and takes no more than there is. */
static void what_comes_later_makes_no_row(void **state)
{
    struct buckets buckets = opened(ROWS);
    const struct bucket_change less = {STEP_LIKE, 0, -1, -90};
    const int64_t now_us = 1000 * DAY;

    (void)state;
    buckets_add(&buckets, of_item, &less, 1, now_us, now_us);
    assert_int_equal(buckets.table.count, 0);
    buckets_add(&buckets, of_item, &one_like, 1, now_us, now_us);
    buckets_add(&buckets, of_item, &less, 1, now_us, now_us);
    assert_int_equal(buckets_find(&buckets, of_item, SPAN_HOUR, now_us)->count[STEP_LIKE].valid, 0);
    assert_int_equal(
        buckets_find(&buckets, of_item, SPAN_HOUR, now_us)->count[STEP_LIKE].credited_pct, 0);
    assert_int_equal(likes_at(&buckets, SPAN_HOUR, now_us), 1);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_told_of_few),
        cmocka_unit_test(quantiles_are_between_their_neighbours),
        cmocka_unit_test(two_rates_differ_beyond_chance_or_not),
        cmocka_unit_test(what_is_over_goes),
        cmocka_unit_test(minutes_go_first),
        cmocka_unit_test(what_comes_later_makes_no_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
