/* The chance that zan pool eval draws from, against exact sums. The file is taken in whole: the
 * command line is no library. */
#include "support.h"

#include "cli/pool_random.c"

#define DRAWS 20000

static void binomials_are_exact(void **state)
{
    static const struct {
        uint32_t n;
        double p;
    } cases[] = {{8, 0.03}, {25, 0.3}, {12, 0.8}, {40, 0.5}};
    struct pool_random random = {test_seed(9)};

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        uint32_t n = cases[c].n, seen[64] = {0};
        double p = cases[c].p, away = 0, chance = pow(1 - p, n);

        for (uint32_t i = 0; i < DRAWS; i++)
            seen[pool_random_binomial(&random, n, p)]++;
        for (uint32_t k = 0; k <= n; k++) {
            away = fmax(away, fabs(seen[k] / (double)DRAWS - chance));
            chance *= (double)(n - k) / (k + 1) * p / (1 - p);
        }
        assert_true(away < 0.016); /* 4.5 standard errors of a half */
    }
    assert_int_equal(pool_random_binomial(&random, 0, 0.5), 0);
    assert_int_equal(pool_random_binomial(&random, 9, 0), 0);
    assert_int_equal(pool_random_binomial(&random, 9, 1), 9);
}

static void betas_follow_their_distribution(void **state)
{
    static const struct gate_beta betas[] = {{0.75, 49.25}, {3, 7}, {40, 900}};
    struct pool_random random = {test_seed(10)};

    (void)state;
    for (size_t b = 0; b < sizeof betas / sizeof betas[0]; b++)
        for (double share = 0.1; share < 1; share += 0.2) {
            double x = gate_quantile(betas[b], share), below = 0;

            for (uint32_t i = 0; i < DRAWS / 4; i++)
                below += pool_random_beta(&random, betas[b]) <= x;
            assert_true(fabs(4 * below / DRAWS - share) < 0.03);
        }
}

static void rounding_keeps_the_mean(void **state)
{
    struct pool_random random = {test_seed(11)};
    double sum = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++)
        sum += pool_random_round(&random, 2.3);
    assert_true(fabs(sum / DRAWS - 2.3) < 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binomials_are_exact),
        cmocka_unit_test(betas_follow_their_distribution),
        cmocka_unit_test(rounding_keeps_the_mean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
