/* Interests: bounded, decayed, deleted; the fit against its formula. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "readers/discover/interest.h"

static void fits_by_the_formula(void **state)
{
    struct interest interest = {0};
    uint64_t music[] = {7}, sport[] = {8}, both[] = {7, 8};

    (void)state;
    assert_true(interest_fit(&interest, music, 1, 0.1, 1) == 1); /* nobody knows */
    for (uint32_t i = 0; i < 5; i++)
        interest_add(&interest, music, 1, 1, 1);
    /* m = 5, M = 5, K = 5, b = 0.25: (5 + 1.25) / 10 / 0.25 = 2.5, at most 2 */
    assert_true(interest_fit(&interest, music, 1, 0.25, 1) == 2);
    assert_true(fabs(interest_fit(&interest, music, 1, 0.5, 1) - 1.5) < 1e-12);
    /* (0 + 0.5 * 5) / 10 / 0.5 */
    assert_true(fabs(interest_fit(&interest, sport, 1, 0.5, 1) - 0.5) < 1e-12);
    assert_true(interest_fit(&interest, both, 0, 0, 1) == 1); /* no tags */
    /* an hour later in other units: forward doubles everything that comes, and the prior */
    interest_add(&interest, sport, 1, 5, 2);
    assert_true(fabs(interest_mass(&interest, both, 2) - 15) < 1e-12);
    double fit = interest_fit(&interest, sport, 1, 0.5, 2);

    assert_true(fabs(fit - (10 + 5.0) / (15 + 10) / 0.5) < 1e-12);
}

static void sixteen_tags_and_the_lightest_goes(void **state)
{
    struct interest interest = {0};
    struct test_random random = {test_seed(71)};

    (void)state;
    for (uint64_t tag = 1; tag <= INTEREST_TAGS; tag++)
        interest_add(&interest, &tag, 1, (double)tag, 1);
    uint64_t light = 99, heavy = 100;

    interest_add(&interest, &light, 1, 0.5, 1);
    assert_int_equal(interest.count, INTEREST_TAGS);
    assert_true(interest_mass(&interest, &light, 1) == 0);
    interest_add(&interest, &heavy, 1, 50, 1);
    assert_int_equal(interest.count, INTEREST_TAGS);
    assert_true(interest_mass(&interest, &heavy, 1) == 50);
    uint64_t one = 1;

    assert_true(interest_mass(&interest, &one, 1) == 0);
    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t tags[INTEREST_ITEM_TAGS];
        uint32_t count = (uint32_t)test_random_below(&random, INTEREST_ITEM_TAGS + 1);

        for (uint32_t t = 0; t < count; t++)
            tags[t] = 10 * t + test_random_below(&random, 10);
        interest_add(&interest, tags, count, (double)test_random_below(&random, 100) / 100, 1 + i);
        double fit = interest_fit(&interest, tags, count, 0.01 + (double)(i % 100) / 100, 1 + i);

        assert_true(fit >= HEAT_MATCH_MIN && fit <= HEAT_MATCH_MAX);
        assert_true(interest.count <= INTEREST_TAGS);
    }
}

static void what_is_deleted_is_gone(void **state)
{
    struct interest interest = {0};
    uint64_t a = 1, b = 2;

    (void)state;
    interest_add(&interest, &a, 1, 3, 1);
    interest_add(&interest, &b, 1, 1, 1);
    assert_true(interest_delete(&interest, 1));
    assert_false(interest_delete(&interest, 1));
    assert_true(interest_mass(&interest, &a, 1) == 0);
    assert_true(interest_mass(&interest, &b, 1) == 1);
    assert_int_equal(interest.count, 1);
    assert_true(interest.whole == 1);
    interest_rebase(&interest, 2);
    assert_true(interest.whole == 0.25 && interest.mass[0] == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_by_the_formula),
        cmocka_unit_test(sixteen_tags_and_the_lightest_goes),
        cmocka_unit_test(what_is_deleted_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
