/* stats.h: the statistics that answers need, and what keeps small audiences unseen. Pure.
 *
 * Sources: Wilson 1927 (signals_rate, readers/discover/signals.h); z of two proportions with pooled
 * variance (any textbook); Bonferroni's correction as in Dunn 1961. */
#ifndef ZAN_READERS_INSIGHT_STATS_H
#define ZAN_READERS_INSIGHT_STATS_H

#include <stdbool.h>
#include <stdint.h>

/* Nobody is told of fewer accounts. */
#define INSIGHT_QUORUM 10

/* s of n, both in credited percent. */
struct share {
    double s, n;
};

/* Standard deviations by which a's rate is above b's; 0 where one of them has no n. */
double stats_z(struct share a, struct share b);
/* Of a difference that large, either way, by chance. */
double stats_p(double z);

/* The value below which that share (0..1) of the sorted values lies, linear between two. */
double stats_quantile(const double *sorted, uint32_t count, double share);
/* Share of values below, and half of those that are equal. */
double stats_percentile(const double *values, uint32_t count, double value);

/* One of several parts of an audience. */
struct cell {
    uint64_t accounts;
    bool hidden;
};

/* Hides every part with fewer than INSIGHT_QUORUM accounts; if those together are fewer as well,
 * the smallest of the others too, so that nobody can find them by taking away. A part with nobody
 * in it stays. Returns the accounts in hidden parts. */
uint64_t stats_hide(struct cell *cells, uint32_t count);

#endif
