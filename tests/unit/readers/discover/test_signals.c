/* Rates with their interval, what a watch time says, and titles that promise too much. */
#include "support.h"

#include <math.h>

#include "readers/discover/signals.h"

static bool has(uint16_t bits, enum signal signal)
{
    return bits >> signal & 1;
}

static void a_view_says(void **state)
{
    (void)state;
    uint16_t bits = signals_of_view(2000, 2000, 0.9);

    assert_true(has(bits, SIGNAL_HOLD)); /* the whole of a short one */
    assert_true(has(bits, SIGNAL_LONG_VIEW) && has(bits, SIGNAL_COMPLETION));
    assert_false(has(bits, SIGNAL_REPLAY) || has(bits, SIGNAL_EARLY_EXIT));
    bits = signals_of_view(2999, 60000, 0.1);
    assert_false(has(bits, SIGNAL_HOLD) || has(bits, SIGNAL_COMPLETION));
    assert_true(has(bits, SIGNAL_EARLY_EXIT) && has(bits, SIGNAL_CLICK));
    assert_true(has(signals_of_view(3000, 60000, 0.3), SIGNAL_HOLD));
    assert_true(has(signals_of_view(75000, 60000, 0.99), SIGNAL_REPLAY));
    assert_false(has(signals_of_view(74999, 60000, 0.99), SIGNAL_REPLAY));
    assert_false(has(signals_of_view(80000, 0, 0.99), SIGNAL_REPLAY)); /* length not known */
}

/* Coverage: of many draws the interval holds the true rate about as often as it says. */
static void the_interval_holds_the_rate(void **state)
{
    struct test_random random = {test_seed(61)};
    const double rates[] = {0.02, 0.1, 0.5, 0.9};

    (void)state;
    for (uint32_t r = 0; r < 4; r++)
        for (uint32_t n = 50; n <= 800; n *= 4) {
            uint32_t held = 0, rounds = 2000;

            for (uint32_t round = 0; round < rounds; round++) {
                uint64_t s = 0;

                for (uint32_t i = 0; i < n; i++)
                    s += (double)test_random_below(&random, 1000000) < rates[r] * 1000000;
                struct signal_rate rate = signals_rate(s * 100, (uint64_t)n * 100);

                assert_true(rate.low <= rate.rate && rate.rate <= rate.high);
                held += rate.low <= rates[r] && rates[r] <= rate.high;
            }
            assert_true(held > 0.90 * rounds && held < 0.99 * rounds);
        }
    struct signal_rate none = signals_rate(0, 0);

    assert_true(none.rate == 0 && none.low == 0 && none.high == 1);
    for (uint64_t n_pct = 100; n_pct < 500000; n_pct += 100) { /* exact at the ends */
        assert_true(signals_rate(n_pct, n_pct).high == 1);
        assert_true(signals_rate(0, n_pct).low == 0);
    }
}

static struct signals item_of(uint64_t n, double click, double early, double like)
{
    struct signals signals = {.impressions_pct = n * 100};

    signals.tally[SIGNAL_CLICK].success_pct = (uint64_t)(100 * (double)n * click);
    signals.tally[SIGNAL_EARLY_EXIT].success_pct = (uint64_t)(100 * (double)n * click * early);
    signals.tally[SIGNAL_LIKE].success_pct = (uint64_t)(100 * (double)n * click * like);
    return signals;
}

static void a_title_that_promises_too_much(void **state)
{
    struct signals base = item_of(100000, 0.44, 0.2, 0.04);
    struct signals bait = item_of(1000, 0.7, 0.5, 0.01);
    struct signals good = item_of(1000, 0.7, 0.2, 0.06);
    struct signals dull = item_of(1000, 0.2, 0.5, 0.01);
    struct signals loved = item_of(1000, 0.7, 0.5, 0.05);
    struct signals few = item_of(90, 0.7, 0.5, 0.01);

    (void)state;
    assert_int_equal(signals_mismatch(&bait, &base), MISMATCH_TITLE);
    assert_int_equal(signals_mismatch(&good, &base), MISMATCH_NONE);
    assert_int_equal(signals_mismatch(&dull, &base), MISMATCH_NONE);
    assert_int_equal(signals_mismatch(&loved, &base), MISMATCH_NONE);
    assert_int_equal(signals_mismatch(&few, &base), MISMATCH_UNKNOWN);
    assert_int_equal(signals_mismatch(&bait, &few), MISMATCH_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_says),
        cmocka_unit_test(the_interval_holds_the_rate),
        cmocka_unit_test(a_title_that_promises_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
