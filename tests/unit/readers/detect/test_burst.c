/* Bursts: by hand, and against looking at every window there is. */
#include "support/ring_world.h"

#include <stdlib.h>

#include "readers/detect/burst.h"

#define DAY_S 86400u
#define MOST  400

static struct burst_clock even_clock(uint32_t days)
{
    static uint64_t bin[BURST_BINS];
    struct burst_clock clock;

    for (uint32_t i = 0; i < BURST_BINS; i++)
        bin[i] = 100;
    burst_clock_make(&clock, 0, days * DAY_S - 1, 1, bin);
    return clock;
}

static void a_share_is_what_time_and_platform_say(void **state)
{
    static uint64_t bin[BURST_BINS];
    struct burst_clock clock = even_clock(10);

    (void)state;
    assert_near(burst_share(&clock, DAY_S, DAY_S), 0.1, 1e-6);
    assert_near(burst_share(&clock, 0, 3600), 1.0 / 240, 1e-6);
    /* All likes in the first half: a day there is a fifth of the likes and a tenth of the time. */
    for (uint32_t i = 0; i < BURST_BINS; i++)
        bin[i] = i < BURST_BINS / 2 ? 7 : 0;
    burst_clock_make(&clock, 0, 10 * DAY_S - 1, 1, bin);
    assert_near(burst_share(&clock, DAY_S, DAY_S), 0.15, 1e-6);
    assert_near(burst_share(&clock, 7 * DAY_S, DAY_S), 0.05, 1e-6);
}

static void scales_fit_into_the_time_there_is(void **state)
{
    struct burst_clock clock = even_clock(14);
    static uint64_t bin[BURST_BINS] = {1};

    (void)state;
    assert_int_equal(clock.scales, BURST_SCALES);
    assert_int_equal(clock.scale_s[BURST_SCALES - 1], 2 * DAY_S);
    burst_clock_make(&clock, 0, 3600 * 6, 1, bin); /* six hours: an hour is the longest */
    assert_int_equal(clock.scales, 3);
    burst_clock_make(&clock, 0, 100 * DAY_S, DAY_S, bin); /* days: none is shorter */
    assert_int_equal(clock.scales, 2);
    burst_clock_make(&clock, 5, 5, 1, bin); /* no time at all */
    assert_int_equal(clock.scales, 0);
}

static void five_within_ten_minutes_are_one(void **state)
{
    struct burst_clock clock = even_clock(14);
    uint32_t time_s[] = {1000, 300000, 300100, 300200, 300300, 300600, 900000};
    struct burst found[7 * BURST_SCALES];
    uint8_t taken[7];
    uint32_t count = burst_find(&clock, time_s, 7, found, taken);
    double lambda = 7.0 * 600 / (14 * DAY_S);

    (void)state;
    assert_int_equal(count, 1);
    assert_int_equal(found[0].first, 1);
    assert_int_equal(found[0].last, 5);
    assert_near(found[0].gain, 5 * log(5 / lambda) - (5 - lambda), 1e-3);
}

static double gain_of(const struct burst_clock *clock, const uint32_t *time_s, uint32_t count,
                      uint32_t first, uint32_t scale_s, uint32_t *last)
{
    double lambda = burst_share(clock, time_s[first], scale_s) * count, k;

    for (*last = first; *last + 1 < count && time_s[*last + 1] - time_s[first] <= scale_s;)
        ++*last;
    k = *last - first + 1;
    if (lambda < 1e-4)
        lambda = 1e-4;
    return k < 2 || k <= 2 * lambda ? 0 : k * log(k / lambda) - (k - lambda);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void the_greatest_of_all_windows_is_found(void **state)
{
    struct test_random random = {test_seed(62)};
    struct burst_clock clock = even_clock(14);
    static struct burst found[MOST * BURST_SCALES];
    static uint32_t time_s[MOST];
    static uint8_t taken[MOST];

    (void)state;
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t count = 1 + (uint32_t)test_random_below(&random, MOST), last;
        uint32_t span_s = round % 3 == 0 ? 2 * DAY_S : 14 * DAY_S;
        double best = 0, seen = 0;

        for (uint32_t i = 0; i < count; i++)
            time_s[i] = (uint32_t)test_random_below(&random, span_s);
        qsort(time_s, count, sizeof time_s[0], ascending);
        for (uint32_t s = 0; s < clock.scales; s++)
            for (uint32_t i = 0; i < count; i++)
                best = fmax(best, gain_of(&clock, time_s, count, i, clock.scale_s[s], &last));
        uint32_t bursts = burst_find(&clock, time_s, count, found, taken);

        for (uint32_t b = 0; b < bursts; b++) {
            assert_true(found[b].last > found[b].first && found[b].last < count);
            assert_true(b == 0 || found[b].first > found[b - 1].last);
            assert_true(found[b].gain >= (float)BURST_GAIN);
            seen = fmax(seen, (double)found[b].gain);
        }
        if (best >= BURST_GAIN)
            assert_near(seen, best, 1e-3);
        else
            assert_int_equal(bursts, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_what_time_and_platform_say),
        cmocka_unit_test(scales_fit_into_the_time_there_is),
        cmocka_unit_test(five_within_ten_minutes_are_one),
        cmocka_unit_test(the_greatest_of_all_windows_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
