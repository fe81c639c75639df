/* Posteriors against exact binomial sums, and evidence that keeps its error however often one
 * looks: by enumeration of every path, not by chance. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "readers/discover/gate.h"

#define LOOKS 220 /* impressions of the enumeration; a look after each */

static double choose_log(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

static double binomial(double n, double k, double p)
{
    return exp(choose_log(n, k) + k * log(p) + (n - k) * log1p(-p));
}

/* I_x(k, n - k + 1) is the chance of k successes of n and more. */
static void follows_exact_binomial_sums(void **state)
{
    (void)state;
    for (int n = 1; n <= 90; n += 7)
        for (int k = 1; k <= n; k++)
            for (double x = 0.004; x < 1; x += 0.083) {
                struct gate_beta beta = {k, n - k + 1};
                double sum = 0, below = 0;

                for (int j = n; j >= k; j--)
                    sum += binomial(n, j, x);
                for (int j = 0; j < k; j++)
                    below += binomial(n, j, x);
                assert_true(fabs(gate_cdf(beta, x) - sum) < 1e-11);
                assert_true(fabs(gate_above(beta, x) - below) < 1e-11);
                assert_true(fabs(exp(gate_cdf_log(beta, x)) / sum - 1) < 1e-9);
            }
}

/* I_x(a, 1) = x^a, where no double reaches. */
static void tails_keep_their_digits(void **state)
{
    (void)state;
    for (double a = 10; a < 3000; a *= 3)
        assert_true(fabs(gate_cdf_log((struct gate_beta){a, 1}, 1e-3) - a * log(1e-3)) < 1e-9 * a);
    for (double n = 1000; n < 2e6; n *= 7) { /* symmetric: a half at a half, however sharp */
        assert_true(fabs(gate_cdf((struct gate_beta){n, n}, 0.5) - 0.5) < 1e-9);
        assert_true(gate_cdf((struct gate_beta){n, n}, 0.45) < 0.001);
    }
}

static void quantiles_are_inverse(void **state)
{
    (void)state;
    for (double a = 0.3; a < 400; a *= 3)
        for (double b = 1; b < 4000; b *= 4)
            for (double share = 0.01; share < 1; share += 0.11) {
                double x = gate_quantile((struct gate_beta){a, b}, share);

                assert_true(fabs(gate_cdf((struct gate_beta){a, b}, x) - share) < 1e-6);
            }
}

/* --- evidence ------------------------------------------------------------------------------------
 */

typedef double (*evidence)(struct gate_beta prior, struct gate_count count, double bar);

/* The chance that evidence ever reaches 1 / alpha within LOOKS looks, if the rate is p: the weight
 * of all paths that are not there yet is carried from look to look. */
static double ever(evidence of, struct gate_beta prior, double bar, double alpha, double p)
{
    static double at[LOOKS + 2], next[LOOKS + 2];
    double hit = 0;

    for (int s = 0; s <= LOOKS; s++)
        at[s] = s == 0;
    for (int n = 1; n <= LOOKS; n++) {
        for (int s = 0; s <= n; s++) {
            next[s] = (s < n ? at[s] * (1 - p) : 0) + (s > 0 ? at[s - 1] * p : 0);
            if (next[s] > 0 && of(prior, (struct gate_count){n, s}, bar) >= -log(alpha)) {
                hit += next[s];
                next[s] = 0;
            }
        }
        for (int s = 0; s <= n; s++)
            at[s] = next[s];
    }
    return hit;
}

/* "The posterior says under the bar, with 1 - alpha": what one is tempted to look at again and
 * again. */
static double tempting(struct gate_beta prior, struct gate_count count, double bar)
{
    double under = gate_cdf(gate_posterior(prior, count), bar);

    return log(under / (1 - under + 1e-300)) - log(19) - log(0.05);
}

static void error_holds_at_every_look(void **state)
{
    static const struct gate_beta priors[] = {{0.75, 49.25}, {3, 7}, {1, 1}, {0.94, 28.5}};
    static const double bars[] = {0.03, 0.1, 0.4};
    double worst = 0, tempted = 0;

    (void)state;
    for (size_t k = 0; k < sizeof priors / sizeof priors[0]; k++)
        for (size_t b = 0; b < sizeof bars / sizeof bars[0]; b++)
            for (double alpha = 0.05; alpha <= 0.2; alpha *= 4)
                for (double times = 1; times <= 1.5; times += 0.5) {
                    double hit = ever(gate_under_log, priors[k], bars[b], alpha, times * bars[b]);

                    assert_true(hit <= alpha);
                    worst = fmax(worst, hit / alpha);
                }
    tempted = ever(tempting, (struct gate_beta){1, 1}, 0.4, 0.05, 0.4) / 0.05;
    printf("of alpha at most %.2f is used; looking at a posterior of 95 %% would use %.1f times "
           "alpha\n",
           worst, tempted);
    assert_true(worst > 0.2);   /* it is no bound that nothing comes near */
    assert_true(tempted > 1.5); /* and this test would notice */
}

static void error_holds_on_the_other_side(void **state)
{
    (void)state;
    for (double p = 0.01; p <= 0.05; p += 0.02)
        assert_true(ever(gate_over_log, (struct gate_beta){0.5, 49.5}, 0.05, 0.05, p) <= 0.05);
    assert_true(ever(gate_over_log, (struct gate_beta){0.5, 49.5}, 0.05, 0.05, 0.15) > 0.9);
}

static void what_is_bad_is_found(void **state)
{
    (void)state;
    assert_true(ever(gate_under_log, (struct gate_beta){3, 7}, 0.45, 0.05, 0.25) > 0.95);
    assert_true(ever(gate_under_log, (struct gate_beta){0.94, 28.5}, 0.1, 0.05, 0.02) > 0.9);
}

/* Weights that are given before it is known what follows do not break it. */
static void error_holds_with_weights(void **state)
{
    struct test_random random = {test_seed(7)};
    struct gate_beta prior = {0.94, 28.5};
    double alpha = 0.1, bar = 0.08;
    uint32_t hits = 0, runs = 1500;

    (void)state;
    for (uint32_t r = 0; r < runs; r++) {
        struct gate_count count = {0, 0};
        bool hit = false;

        for (uint32_t i = 0; i < 150 && !hit; i++) {
            double weight = (double)test_random_below(&random, 101) / 100;

            count.n += weight;
            count.s += (double)test_random_below(&random, 100000) < bar * 100000 ? weight : 0;
            hit = gate_under_log(prior, count, bar) >= -log(alpha);
        }
        hits += hit;
    }
    assert_true(hits <= alpha * runs + 4 * sqrt(alpha * runs));
}

/* --- priors and sums
 * ------------------------------------------------------------------------------ */

static double unit(struct test_random *random)
{
    return ((double)(test_random_next(random) >> 11) + 0.5) * 0x1p-53;
}

/* By inversion: slow, and nothing shared with what is tested but the distribution function. */
static double draw(struct test_random *random, struct gate_beta beta)
{
    return gate_quantile(beta, unit(random));
}

static void a_prior_is_learnt(void **state)
{
    struct test_random random = {test_seed(3)};
    struct gate_beta truth = {1.5, 40}, learnt = {0, 0};
    static struct gate_count items[1500];

    (void)state;
    for (uint32_t i = 0; i < 1500; i++) {
        double p = draw(&random, truth);

        items[i].n = 300;
        items[i].s = 0;
        for (uint32_t k = 0; k < 300; k++)
            items[i].s += unit(&random) < p;
    }
    assert_true(gate_learn(items, 1500, 100, &learnt));
    assert_true(fabs(gate_mean(learnt) / gate_mean(truth) - 1) < 0.1);
    assert_true(fabs((learnt.a + learnt.b) / (truth.a + truth.b) - 1) < 0.25);
    learnt = gate_prior_x;
    assert_false(gate_learn(items, 7, 100, &learnt));    /* too few */
    assert_false(gate_learn(items, 1500, 301, &learnt)); /* none old enough */
    assert_true(learnt.a == gate_prior_x.a && learnt.b == gate_prior_x.b);
}

static void alike_items_teach_a_strict_prior(void **state)
{
    struct gate_count items[20];
    struct gate_beta learnt;

    (void)state;
    for (uint32_t i = 0; i < 20; i++)
        items[i] = (struct gate_count){1000, 30};
    assert_true(gate_learn(items, 20, 100, &learnt));
    assert_true(learnt.a + learnt.b > 9999);
}

static void the_sum_is_near_the_truth(void **state)
{
    struct test_random random = {test_seed(5)};
    static const struct gate_beta rates[][2] = {{{0.94, 28.5}, {3, 7}},
                                                {{1.94, 36.5}, {5, 13}},
                                                {{6, 100}, {40, 80}},
                                                {{0.94, 68.5}, {10, 40}}};
    double weight[2] = {1 / 0.032, 1 / 0.3}, away = 0;

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        struct gate_value value = gate_sum(rates[k], weight, 2);
        static double sums[8000];

        for (uint32_t i = 0; i < 8000; i++)
            sums[i] =
                weight[0] * draw(&random, rates[k][0]) + weight[1] * draw(&random, rates[k][1]);
        for (double bar = 0.5; bar < 5; bar += 0.5) {
            double above = 0;

            for (uint32_t i = 0; i < 8000; i++)
                above += sums[i] >= bar;
            away = fmax(away, fabs(gate_sum_above(value, bar) - above / 8000));
        }
    }
    printf("at most %.3f away\n", away);
    assert_true(away < 0.05);
    assert_true(gate_sum_above((struct gate_value){1, 0.1, 3}, 3.5) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_exact_binomial_sums),
        cmocka_unit_test(tails_keep_their_digits),
        cmocka_unit_test(quantiles_are_inverse),
        cmocka_unit_test(error_holds_at_every_look),
        cmocka_unit_test(error_holds_on_the_other_side),
        cmocka_unit_test(what_is_bad_is_found),
        cmocka_unit_test(error_holds_with_weights),
        cmocka_unit_test(a_prior_is_learnt),
        cmocka_unit_test(alike_items_teach_a_strict_prior),
        cmocka_unit_test(the_sum_is_near_the_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
