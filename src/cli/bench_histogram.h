/* bench_histogram.h: times in buckets of equal relative width.
 *
 * 64 buckets for every doubling: a bucket is at most 1/64 (1.6 %) wide, so a quantile read from it
 * is at most that much too high. Values below 64 ns are exact. 30 KB, no allocation.
 * Source: the idea of HdrHistogram (Gil Tene). */
#ifndef ZAN_CLI_BENCH_HISTOGRAM_H
#define ZAN_CLI_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 6
#define HISTOGRAM_BUCKETS   ((64 - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t largest;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline uint32_t histogram_bucket(uint64_t value)
{
    uint32_t power;

    if (value < (1u << HISTOGRAM_STEP_BITS))
        return (uint32_t)value;
    power = 63u - (uint32_t)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return (power << HISTOGRAM_STEP_BITS) + (uint32_t)(value >> power);
}

/* The largest value that falls into a bucket. */
static inline uint64_t histogram_ceiling(uint32_t bucket)
{
    uint32_t power;
    uint64_t step;

    if (bucket < (2u << HISTOGRAM_STEP_BITS))
        return bucket;
    power = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    step = (bucket & ((1u << HISTOGRAM_STEP_BITS) - 1)) | (1u << HISTOGRAM_STEP_BITS);
    return ((step + 1) << power) - 1;
}

static inline void histogram_add(struct histogram *histogram, uint64_t value, uint64_t times)
{
    histogram->buckets[histogram_bucket(value)] += times;
    histogram->count += times;
    histogram->sum += value * times;
    if (value > histogram->largest)
        histogram->largest = value;
}

/* The value that share_ppm of a million stay at or below; 0 if there are none. */
static inline uint64_t histogram_quantile(const struct histogram *histogram, uint64_t share_ppm)
{
    uint64_t wanted = (histogram->count * share_ppm + 999999) / 1000000;
    uint64_t seen = 0;

    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0)
            return histogram_ceiling(i) < histogram->largest ? histogram_ceiling(i)
                                                             : histogram->largest;
    }
    return 0;
}

#endif
