/* quantile.h: how long videos of a length are watched, so that a view is judged against its like.
 *
 * A long video is finished by few, a short one by most: what counts as "watched long" is a place
 * among the views of videos of the same length, not a share of the length (Zhan et al.:
 * "Deconfounding Duration Bias in Watch-time Prediction", KDD 2022, call the same D2Q). Per bucket
 * of duration a histogram of watch times, in bins of a quarter of an octave, weighed by what each
 * view is worth, decaying forward with a half-life of 14 days. Until a bucket has seen enough,
 * KuaiRand's real views speak (QUANTILE_PRIOR views' worth of them, always there).
 *
 * Holds always: the place of a longer watch in the same bucket is not lower; places are in 0..1.
 * Cost:         one pass over at most QUANTILE_BINS doubles a view.
 * Memory:       the struct, the caller's. Pure. */
#ifndef ZAN_READERS_DISCOVER_QUANTILE_H
#define ZAN_READERS_DISCOVER_QUANTILE_H

#include <stdint.h>

#include "readers/discover/heat.h"

#define QUANTILE_BUCKETS      12
#define QUANTILE_BINS         72    /* 100 ms * 2^(i / 4): the last begins at 6.2 hours */
#define QUANTILE_PRIOR        200.0 /* views */
#define QUANTILE_HALF_LIFE_US (14LL * 24 * 3600 * 1000000)

struct quantile {
    struct heat_clock clock;
    double prior[QUANTILE_BUCKETS][QUANTILE_BINS]; /* sums to 1 */
    double mass[QUANTILE_BUCKETS][QUANTILE_BINS];  /* forward */
    double whole[QUANTILE_BUCKETS];
};

void quantile_open(struct quantile *quantile, int64_t now_us);

/* Time has come to now_us; it never goes back. Before the first place or add, and whenever time
 * passes. */
void quantile_tick(struct quantile *quantile, int64_t now_us);

/* Which bucket a duration is in; one that is not known (0) is taken for 30 s. */
uint32_t quantile_bucket(uint32_t duration_ms);

/* The share of views of such videos that were watched for less, halves of equal ones. now not
 * before the last add. */
double quantile_place(const struct quantile *quantile, uint32_t duration_ms, uint32_t watch_ms,
                      int64_t now_us);
void quantile_add(struct quantile *quantile, uint32_t duration_ms, uint32_t watch_ms, double weight,
                  int64_t now_us);

/* The watch time below which that share lies (0..1), to the width of a bin. */
uint32_t quantile_at(const struct quantile *quantile, uint32_t duration_ms, double share,
                     int64_t now_us);

#endif
