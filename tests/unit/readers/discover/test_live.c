/* Short windows and rising tags against a list of every act with its time. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/live.h"
#include "readers/discover/rising.h"

#define SECOND 1000000LL
#define START  (1700000000 * SECOND)
#define ACTS   20000

static int64_t times[ACTS];
static uint32_t kinds[ACTS];
static uint32_t amounts[ACTS];

static uint64_t count_of(uint32_t count, uint32_t kind, int64_t from_us, int64_t to_us)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        if (kinds[i] == kind && times[i] >= from_us && times[i] < to_us)
            sum += amounts[i];
    return sum;
}

static void a_pulse_is_what_happened(void **state)
{
    struct test_random random = {test_seed(81)};
    struct live live;
    int64_t now_us = START;

    (void)state;
    memset(&live, 0, sizeof live);
    for (uint32_t i = 0; i < 4000; i++) {
        now_us += (int64_t)test_random_below(&random, 2 * (uint64_t)SECOND);
        if (test_random_below(&random, 300) == 0)
            now_us += 400 * SECOND;
        times[i] = now_us;
        kinds[i] = (uint32_t)test_random_below(&random, LIVE_ACTS);
        amounts[i] = 1 + (uint32_t)test_random_below(&random, 100);
        live_add(&live, kinds[i], amounts[i], now_us);
        int64_t look_us = now_us + (int64_t)test_random_below(&random, 20 * (uint64_t)SECOND);

        for (uint32_t window = 0; window < LIVE_WINDOWS; window++) {
            struct live_sum sum = live_read(&live, window, look_us);
            int64_t length = live_seconds[window] * SECOND;

            assert_true(look_us - sum.from_us <= length &&
                        look_us - sum.from_us >= length * 9 / 10);
            for (uint32_t act = 0; act < LIVE_ACTS; act++)
                assert_int_equal(sum.count[act], count_of(i + 1, act, sum.from_us, look_us + 1));
        }
    }
}

static void rising_is_by_whole_windows(void **state)
{
    struct test_random random = {test_seed(82)};
    const int64_t part[RISING_WINDOWS] = {60 * SECOND, 300 * SECOND};
    const int64_t length[RISING_WINDOWS] = {300 * SECOND, 3600 * SECOND};
    struct rising rising;
    int64_t now_us = START;

    (void)state;
    memset(&rising, 0, sizeof rising);
    for (uint32_t i = 0; i < 6000; i++) {
        now_us += (int64_t)test_random_below(&random, 10 * (uint64_t)SECOND);
        if (test_random_below(&random, 1000) == 0)
            now_us += 10000 * SECOND;
        times[i] = now_us;
        kinds[i] = 0;
        amounts[i] = (uint32_t)test_random_below(&random, 101);
        rising_add(&rising, amounts[i], now_us);
        for (uint32_t w = 0; w < RISING_WINDOWS && i % 7 == 0; w++) {
            struct rising_trend trend = rising_read(&rising, w, now_us);
            int64_t until = now_us / part[w] * part[w];
            double x[3];

            for (uint32_t k = 0; k < 3; k++)
                x[k] =
                    (double)count_of(i + 1, 0, until - (k + 1) * length[w], until - k * length[w]) /
                    100;
            assert_true(trend.until_us == until && trend.last == x[0] && trend.before == x[1]);
            assert_true(fabs(trend.difference - (x[0] - x[1])) < 1e-9);
            assert_true(fabs(trend.acceleration - (x[0] - 2 * x[1] + x[2])) < 1e-9);
            assert_true(fabs(trend.ratio - (x[0] + 1) / (x[1] + 1)) < 1e-9);
        }
    }
}

/* Few acts never rise, a steady tag rarely, a doubled one surely. */
static void noise_does_not_rise(void **state)
{
    struct test_random random = {test_seed(83)};
    uint32_t steady = 0, doubled = 0, few = 0, rounds = 300;

    (void)state;
    for (uint32_t round = 0; round < rounds; round++) {
        struct rising tag[3];

        memset(tag, 0, sizeof tag);
        for (int64_t at = 0; at < 600; at++) {
            for (uint32_t k = 0; k < 10; k++) {
                if (test_random_below(&random, 10) < 5)
                    rising_add(&tag[0], 100, START / 300 / SECOND * 300 * SECOND + at * SECOND);
                if (test_random_below(&random, 10) < (at < 300 ? 2u : 4u))
                    rising_add(&tag[1], 100, START / 300 / SECOND * 300 * SECOND + at * SECOND);
            }
            if (at >= 300 && at % 20 == 0)
                rising_add(&tag[2], 100, START / 300 / SECOND * 300 * SECOND + at * SECOND);
        }
        int64_t now_us = START / 300 / SECOND * 300 * SECOND + 600 * SECOND;
        struct rising_trend trend = rising_read(&tag[0], RISING_5MIN, now_us);

        steady += rising_is(&trend);
        trend = rising_read(&tag[1], RISING_5MIN, now_us);
        doubled += rising_is(&trend);
        trend = rising_read(&tag[2], RISING_5MIN, now_us);
        few += rising_is(&trend);
    }
    assert_true(steady <= rounds / 50);
    assert_int_equal(doubled, rounds);
    assert_int_equal(few, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulse_is_what_happened),
        cmocka_unit_test(rising_is_by_whole_windows),
        cmocka_unit_test(noise_does_not_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
