/* quantile.c: see quantile.h. */
#include "readers/discover/quantile.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define FIRST_MS   100.0
#define PER_OCTAVE 4

/* Upper ends of the buckets in seconds, and what KuaiRand-Pure's 228,329 impressions show in each
 * (2022-04-25 to 05-08, data/kuairand): watch time by duration at the 10 %, 20 %, ... 90 %
 * quantile, in thousandths. */
static const uint16_t bucket_end_s[QUANTILE_BUCKETS - 1] = {7,  12,  20,  30,  45, 60,
                                                            90, 120, 180, 300, 600};
static const uint16_t kuairand[QUANTILE_BUCKETS][9] = {
    {148, 232, 380, 620, 868, 1045, 1177, 1374, 2085},
    {50, 127, 177, 255, 381, 620, 895, 1107, 1393},
    {60, 93, 129, 190, 292, 502, 889, 1066, 1204},
    {39, 57, 78, 118, 187, 382, 852, 1036, 1105},
    {22, 37, 54, 85, 150, 313, 633, 970, 1046},
    {15, 25, 36, 57, 94, 204, 498, 957, 1026},
    {6, 14, 24, 42, 75, 166, 386, 764, 1011},
    {6, 13, 20, 33, 56, 110, 272, 607, 996},
    {4, 8, 12, 19, 32, 58, 131, 346, 884},
    {2, 6, 8, 12, 20, 34, 72, 201, 570},
    {2, 3, 5, 7, 10, 16, 31, 88, 294},
    {1, 1, 2, 2, 3, 4, 5, 8, 27},
};
/* The middle of each bucket, to make milliseconds of the shares above. */
static const uint16_t bucket_middle_s[QUANTILE_BUCKETS] = {5,  10,  16,  25,  37,  52,
                                                           75, 105, 150, 230, 400, 900};

static uint32_t bin_of(uint32_t watch_ms)
{
    if (watch_ms <= FIRST_MS)
        return 0;
    double octaves = log2(watch_ms / FIRST_MS);
    uint32_t bin = (uint32_t)(octaves * PER_OCTAVE) + 1;

    return bin < QUANTILE_BINS ? bin : QUANTILE_BINS - 1;
}

static double bin_start(uint32_t bin)
{
    return bin == 0 ? 0 : FIRST_MS * exp2((double)(bin - 1) / PER_OCTAVE);
}

uint32_t quantile_bucket(uint32_t duration_ms)
{
    uint32_t bucket = 0;

    if (duration_ms == 0)
        duration_ms = 30000 - 1;
    while (bucket < QUANTILE_BUCKETS - 1 && duration_ms >= bucket_end_s[bucket] * 1000u)
        bucket++;
    return bucket;
}

/* A tenth of the mass between each two quantiles, evenly over a few points between them. */
static void prior_fill(double *prior, uint32_t bucket)
{
    double from = 0;

    for (uint32_t tenth = 0; tenth < 10; tenth++) {
        double ms = bucket_middle_s[bucket];
        double to = tenth < 9 ? kuairand[bucket][tenth] * ms : from * 1.5;

        for (uint32_t i = 0; i < 10; i++)
            prior[bin_of((uint32_t)(from + (to - from) * (i + 0.5) / 10))] += 0.01;
        from = to;
    }
}

void quantile_open(struct quantile *quantile, int64_t now_us)
{
    memset(quantile, 0, sizeof *quantile);
    quantile->clock =
        (struct heat_clock){.half_life_us = QUANTILE_HALF_LIFE_US, .landmark_us = now_us};
    for (uint32_t bucket = 0; bucket < QUANTILE_BUCKETS; bucket++)
        prior_fill(quantile->prior[bucket], bucket);
}

/* Mass of the prior, in forward numbers: it weighs the same at any time. */
static double prior_weight(const struct quantile *quantile, int64_t now_us)
{
    return QUANTILE_PRIOR * heat_forward(&quantile->clock, now_us);
}

double quantile_place(const struct quantile *quantile, uint32_t duration_ms, uint32_t watch_ms,
                      int64_t now_us)
{
    uint32_t bucket = quantile_bucket(duration_ms), bin = bin_of(watch_ms);
    double prior = prior_weight(quantile, now_us), below = 0, below_prior = 0;
    const double *mass = quantile->mass[bucket];

    for (uint32_t i = 0; i < bin; i++) {
        below += mass[i];
        below_prior += quantile->prior[bucket][i];
    }
    below += prior * below_prior;
    double within = mass[bin] + prior * quantile->prior[bucket][bin];
    double start = bin_start(bin), end = bin_start(bin + 1);
    double part = bin == 0 ? 0.5 : fmin(1, fmax(0, (watch_ms - start) / (end - start)));

    return fmin(1, (below + part * within) / (quantile->whole[bucket] + prior));
}

static void rebase(struct quantile *quantile, uint32_t halvings)
{
    for (uint32_t bucket = 0; bucket < QUANTILE_BUCKETS; bucket++) {
        quantile->whole[bucket] = ldexp(quantile->whole[bucket], -(int)halvings);
        for (uint32_t i = 0; i < QUANTILE_BINS; i++)
            quantile->mass[bucket][i] = ldexp(quantile->mass[bucket][i], -(int)halvings);
    }
}

void quantile_tick(struct quantile *quantile, int64_t now_us)
{
    uint32_t halvings = heat_advance(&quantile->clock, now_us);

    if (halvings > 0)
        rebase(quantile, halvings);
}

void quantile_add(struct quantile *quantile, uint32_t duration_ms, uint32_t watch_ms, double weight,
                  int64_t now_us)
{
    uint32_t bucket = quantile_bucket(duration_ms);

    assert(weight >= 0);
    quantile_tick(quantile, now_us);
    weight *= heat_forward(&quantile->clock, now_us);
    quantile->mass[bucket][bin_of(watch_ms)] += weight;
    quantile->whole[bucket] += weight;
}

uint32_t quantile_at(const struct quantile *quantile, uint32_t duration_ms, double share,
                     int64_t now_us)
{
    uint32_t bucket = quantile_bucket(duration_ms);
    double prior = prior_weight(quantile, now_us), below = 0;
    double want = share * (quantile->whole[bucket] + prior);

    for (uint32_t i = 0; i < QUANTILE_BINS; i++) {
        double within = quantile->mass[bucket][i] + prior * quantile->prior[bucket][i];

        if (below + within >= want && within > 0) {
            double start = bin_start(i), end = bin_start(i + 1);

            return (uint32_t)(start + (end - start) * (want - below) / within);
        }
        below += within;
    }
    return (uint32_t)bin_start(QUANTILE_BINS - 1);
}
