/* gate.h: what so many successes of so many impressions say about a rate.
 *
 * A gate is a rate (likes per valid impression, say) with a bar. n and s are *credited*: the sum of
 * weights of the impressions, and of those among them that were followed by the act; one weight for
 * an impression and for all that follows it, from the same trust function, given before it is known
 * what follows. So viewers that count for nothing can neither lift a rate nor starve it
 * (RELIABILITY A21, A22). They need not be whole.
 *
 *   posterior   Beta(a + s, b + n - s), a and b being what the platform's own items teach
 * (empirical Bayes; Robbins 1956, Casella 1985), or as X published them: Beta(0.75, 49.25), a mean
 * of 1.5 %. evidence    for "the rate is under the bar": the likelihood of what was seen, averaged
 * over the part of the prior below the bar, against the likelihood at the bar. If the rate is at
 * the bar or above, this is a supermartingale that begins at 1, so it *ever* reaches 1 / alpha with
 * a chance of at most alpha, however often one looks (Ville 1939; mixtures: Robbins 1970; Howard,
 * Ramdas, McAuliffe, Sekhon 2021). With weights w <= 1 too: E[R^w] <= (E R)^w = 1.
 *
 * Pure: no state, no I/O, no memory. Doubles: what is decided by them is written down (a record)
 * and never decided again, so another machine's last bit does not matter. Sources: incomplete beta
 * by the continued fraction 8.17.22 of the NIST Handbook (dlmf.nist.gov), evaluated by Lentz's
 * method (1976). X's prior: "the-algorithm", 2023 and 2026, as FEATURES F70 notes it. */
#ifndef ZAN_READERS_DISCOVER_GATE_H
#define ZAN_READERS_DISCOVER_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* A version of everything in this file that a decision rests on. */
#define GATE_VERSION 1

/* Beta(a, b); both above 0. */
struct gate_beta {
    double a, b;
};

/* Credited impressions and successes; 0 <= s <= n. */
struct gate_count {
    double n, s;
};

extern const struct gate_beta gate_prior_x; /* 0.75, 49.25 */

/* I_x(a, b), the chance that a Beta(a, b) is at most x; its logarithm, also where it is too small
 * for a double; and the chance that it is at least x, without loss near 0. 0 <= x <= 1. */
double gate_cdf(struct gate_beta beta, double x);
double gate_cdf_log(struct gate_beta beta, double x);
double gate_above(struct gate_beta beta, double x);

/* The x with I_x(a, b) = share, 0 < share < 1; to a part in 1e11. */
double gate_quantile(struct gate_beta beta, double share);

double gate_mean(struct gate_beta beta);
double gate_variance(struct gate_beta beta);

struct gate_beta gate_posterior(struct gate_beta prior, struct gate_count count);

/* Logarithm of the evidence that the rate is under the bar, resp. over it; 0 < bar < 1. Not
 * negative evidence for the contrary: that is the other one. */
double gate_under_log(struct gate_beta prior, struct gate_count count, double bar);
double gate_over_log(struct gate_beta prior, struct gate_count count, double bar);

/* The prior with that mean and that variance of true rates; variance 0 and less: the strictest. a +
 * b is kept within 2 and 10,000. 0 < mean < 1. */
struct gate_beta gate_of_moments(double mean, double variance);

/* The prior that items of the platform teach, by the method of moments: mean and variance of their
 * rates, less what chance adds to the variance, mean (1 - mean) / n an item. Items under n_min are
 * left out. Fewer than GATE_LEARN_ITEMS, or not a success (or nothing else) among them, teach
 * nothing: false, prior untouched. */
#define GATE_LEARN_ITEMS 8
bool gate_learn(const struct gate_count *items, uint32_t count, double n_min,
                struct gate_beta *prior);

/* The sum over i of weight[i] * rate i, rates independent and each Beta: mean and variance, and the
 * chance that it is at least bar, by the Beta on [0, sum of weights] of the same mean and variance
 * (a sum of Betas has no closed form; unit.readers.discover.gate holds it against simulation,
 * within 0.05). */
struct gate_value {
    double mean, variance, whole; /* whole: the sum of the weights, the most it can be */
};
struct gate_value gate_sum(const struct gate_beta *rate, const double *weight, uint32_t count);
double gate_sum_above(struct gate_value value, double bar);

#endif
