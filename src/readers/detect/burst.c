/* burst.c: see burst.h. For each scale one pass with two ends; of windows that overlap at one scale
 * only the greatest is a candidate, so there are at most count / 2 of a scale. */
#include "readers/detect/burst.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_LIKES  2
#define LEAST_TIMES  2.0  /* less than twice what is expected is no burst, however many */
#define LEAST_LAMBDA 1e-4 /* an item is never more surprising than this */
#define TIMES_SPAN   6    /* a scale has to fit into the time there is so often */

static const uint32_t scale_s[BURST_SCALES] = {600,      1800,      3600,      2 * 3600,
                                               4 * 3600, 12 * 3600, 24 * 3600, 48 * 3600};

uint32_t burst_bin(uint32_t first_s, uint32_t last_s, uint32_t time_s)
{
    uint64_t span = (uint64_t)last_s - first_s + 1;

    return (uint32_t)((uint64_t)(time_s - first_s) * BURST_BINS / span);
}

void burst_clock_make(struct burst_clock *clock, uint32_t first_s, uint32_t last_s,
                      uint32_t grain_s, const uint64_t bin[BURST_BINS])
{
    double all = 0, below = 0;

    *clock = (struct burst_clock){.first_s = first_s, .last_s = last_s};
    for (uint32_t i = 0; i < BURST_SCALES; i++)
        if (scale_s[i] >= grain_s && (uint64_t)scale_s[i] * TIMES_SPAN <= last_s - first_s)
            clock->scale_s[clock->scales++] = scale_s[i];
    for (uint32_t i = 0; i < BURST_BINS; i++)
        all += (double)bin[i];
    for (uint32_t i = 0; i < BURST_BINS; i++) {
        clock->below[i] = all > 0 ? below / all : 0;
        below += (double)bin[i];
    }
    clock->below[BURST_BINS] = 1;
}

static double below_at(const struct burst_clock *clock, double bins)
{
    if (bins >= BURST_BINS)
        return 1;
    uint32_t i = (uint32_t)bins;

    return clock->below[i] + (clock->below[i + 1] - clock->below[i]) * (bins - i);
}

double burst_share(const struct burst_clock *clock, uint32_t from_s, uint32_t length_s)
{
    double span = (double)clock->last_s - clock->first_s + 1;
    double from = (double)(from_s - clock->first_s) * BURST_BINS / span;
    double part = length_s / span, to = from + part * BURST_BINS;

    return 0.5 * (below_at(clock, to) - below_at(clock, from)) + 0.5 * (part < 1 ? part : 1);
}

static double gain_of(const struct burst_clock *clock, uint32_t from_s, uint32_t length_s,
                      uint32_t likes, uint32_t count)
{
    double lambda = burst_share(clock, from_s, length_s) * count;

    if (lambda < LEAST_LAMBDA)
        lambda = LEAST_LAMBDA;
    if (likes < LEAST_LIKES || likes <= LEAST_TIMES * lambda)
        return 0;
    return likes * log(likes / lambda) - (likes - lambda);
}

/* Candidates of one scale, appended to found; overlapping ones leave the greatest. */
static uint32_t scan(const struct burst_clock *clock, uint32_t length_s, const uint32_t *time_s,
                     uint32_t count, struct burst *found)
{
    struct burst best = {0};
    uint32_t end = 0, made = 0;

    for (uint32_t i = 0; i < count; i++) {
        while (end < count && time_s[end] - time_s[i] <= length_s)
            end++;
        if (end - i < LEAST_LIKES)
            continue;
        double gain = gain_of(clock, time_s[i], length_s, end - i, count);
        if (gain < BURST_GAIN)
            continue;
        if (best.gain > 0 && i > best.last) {
            found[made++] = best;
            best.gain = 0;
        }
        if ((float)gain > best.gain)
            best = (struct burst){i, end - 1, (float)gain};
    }
    if (best.gain > 0)
        found[made++] = best;
    return made;
}

static int by_gain(const void *a, const void *b)
{
    const struct burst *x = a, *y = b;

    if (x->gain != y->gain)
        return x->gain < y->gain ? 1 : -1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->last < y->last ? -1 : x->last > y->last;
}

static int by_first(const void *a, const void *b)
{
    const struct burst *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

uint32_t burst_find(const struct burst_clock *clock, const uint32_t *time_s, uint32_t count,
                    struct burst *found, uint8_t *taken)
{
    uint32_t candidates = 0, kept = 0;

    for (uint32_t i = 0; i < clock->scales; i++)
        candidates += scan(clock, clock->scale_s[i], time_s, count, found + candidates);
    assert(candidates <= (uint64_t)count * clock->scales / 2 + clock->scales);
    if (candidates == 0)
        return 0;
    qsort(found, candidates, sizeof *found, by_gain);
    memset(taken, 0, count);
    for (uint32_t i = 0; i < candidates; i++) {
        struct burst burst = found[i];
        size_t size = burst.last - burst.first + 1;

        if (memchr(taken + burst.first, 1, size) != NULL)
            continue;
        memset(taken + burst.first, 1, size);
        found[kept++] = burst;
    }
    qsort(found, kept, sizeof *found, by_first);
    return kept;
}
