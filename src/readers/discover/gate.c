/* gate.c: Beta posteriors and evidence that may be looked at as often as one likes. See gate.h. */
#include "readers/discover/gate.h"

#include <assert.h>
#include <math.h>

#include "base/hook.h"

#define FRACTION_TERMS                                                                             \
    400 /* converges in O(sqrt(max(a, b))) terms; a + b of a million takes some 300 */
#define FRACTION_NEAR 1e-15
#define TINY          1e-300
#define STRENGTH_MIN  2.0
#define STRENGTH_MAX  10000.0

const struct gate_beta gate_prior_x = {0.75, 49.25};

/* lgamma writes signgam, which threads share. */
static double log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

static double log_beta(double a, double b)
{
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

static double not_zero(double x)
{
    return fabs(x) < TINY ? TINY : x;
}

/* The fraction of 8.17.22; quick where x < (a + 1) / (a + b + 2). */
static double fraction(double a, double b, double x)
{
    double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), value = d;

    for (int m = 1; m <= FRACTION_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

        d = 1 / not_zero(1 + even * d);
        c = not_zero(1 + even / c);
        value *= d * c;
        d = 1 / not_zero(1 + odd * d);
        c = not_zero(1 + odd / c);
        value *= d * c;
        if (fabs(d * c - 1) < FRACTION_NEAR)
            break;
    }
    return value;
}

/* log of x^a (1 - x)^b / (a B(a, b)) times the fraction: I_x on the quick side. */
static double side_log(double a, double b, double x)
{
    return a * log(x) + b * log1p(-x) - log(a) - log_beta(a, b) + log(fraction(a, b, x));
}

static bool is_quick(struct gate_beta beta, double x)
{
    return x < (beta.a + 1) / (beta.a + beta.b + 2);
}

double gate_cdf_log(struct gate_beta beta, double x)
{
    assert(beta.a > 0 && beta.b > 0 && x >= 0 && x <= 1);
    if (x <= 0)
        return -INFINITY;
    if (x >= 1)
        return 0;
    if (is_quick(beta, x))
        return fmin(side_log(beta.a, beta.b, x), 0);
    return log1p(-fmin(exp(side_log(beta.b, beta.a, 1 - x)), 1));
}

double gate_cdf(struct gate_beta beta, double x)
{
    return exp(gate_cdf_log(beta, x));
}

double gate_above(struct gate_beta beta, double x)
{
    return gate_cdf((struct gate_beta){beta.b, beta.a}, 1 - x);
}

double gate_quantile(struct gate_beta beta, double share)
{
    double low = 0, high = 1;

    assert(share > 0 && share < 1);
    while (high - low > 1e-11 * high && high > TINY) {
        double middle = (low + high) / 2;

        if (gate_cdf(beta, middle) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double gate_mean(struct gate_beta beta)
{
    return beta.a / (beta.a + beta.b);
}

double gate_variance(struct gate_beta beta)
{
    double mean = gate_mean(beta);

    return mean * (1 - mean) / (beta.a + beta.b + 1);
}

struct gate_beta gate_posterior(struct gate_beta prior, struct gate_count count)
{
    assert(count.s >= 0 && count.s <= count.n);
    return (struct gate_beta){prior.a + count.s, prior.b + count.n - count.s};
}

double gate_under_log(struct gate_beta prior, struct gate_count count, double bar)
{
    struct gate_beta posterior = gate_posterior(prior, count);

    assert(bar > 0 && bar < 1);
    if (PLANTED("discover.evidence_is_posterior")) /* what one is tempted to look at */
        return gate_cdf_log(posterior, bar) - log(gate_above(posterior, bar));
    return log_beta(posterior.a, posterior.b) + gate_cdf_log(posterior, bar) -
           log_beta(prior.a, prior.b) - gate_cdf_log(prior, bar) - count.s * log(bar) -
           (count.n - count.s) * log1p(-bar);
}

double gate_over_log(struct gate_beta prior, struct gate_count count, double bar)
{
    struct gate_beta mirrored = {prior.b, prior.a};

    return gate_under_log(mirrored, (struct gate_count){count.n, count.n - count.s}, 1 - bar);
}

struct gate_beta gate_of_moments(double mean, double variance)
{
    double strength = variance > 0 ? mean * (1 - mean) / variance - 1 : STRENGTH_MAX;

    assert(mean > 0 && mean < 1);
    strength = fmin(fmax(strength, STRENGTH_MIN), STRENGTH_MAX);
    return (struct gate_beta){mean * strength, (1 - mean) * strength};
}

static bool teaches(struct gate_count count, double n_min)
{
    return count.n > 0 && count.n >= n_min;
}

bool gate_learn(const struct gate_count *items, uint32_t count, double n_min,
                struct gate_beta *prior)
{
    double sum = 0, spread = 0, chance = 0, mean;
    uint32_t used = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!teaches(items[i], n_min))
            continue;
        sum += items[i].s / items[i].n;
        used++;
    }
    if (used < GATE_LEARN_ITEMS || sum <= 0 || sum >= used)
        return false;
    mean = sum / used;
    for (uint32_t i = 0; i < count; i++) {
        if (!teaches(items[i], n_min))
            continue;
        double away = items[i].s / items[i].n - mean;

        spread += away * away;
        chance += mean * (1 - mean) / items[i].n;
    }
    *prior = gate_of_moments(mean, spread / (used - 1) - chance / used);
    return true;
}

struct gate_value gate_sum(const struct gate_beta *rate, const double *weight, uint32_t count)
{
    struct gate_value value = {0, 0, 0};

    for (uint32_t i = 0; i < count; i++) {
        assert(weight[i] >= 0);
        value.mean += weight[i] * gate_mean(rate[i]);
        value.variance += weight[i] * weight[i] * gate_variance(rate[i]);
        value.whole += weight[i];
    }
    assert(value.whole > 0);
    return value;
}

double gate_sum_above(struct gate_value value, double bar)
{
    double mean = value.mean / value.whole, variance = value.variance / (value.whole * value.whole);
    double strength = mean * (1 - mean) / variance - 1;

    if (bar >= value.whole)
        return 0;
    return gate_above((struct gate_beta){mean * strength, (1 - mean) * strength},
                      fmax(bar, 0) / value.whole);
}
