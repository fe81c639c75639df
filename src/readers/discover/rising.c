/* rising.c: see rising.h. */
#include "readers/discover/rising.h"

#include <math.h>
#include <string.h>

static const struct {
    int64_t part_us;
    uint32_t parts;
} shapes[RISING_WINDOWS] = {
    [RISING_5MIN] = {60 * 1000000LL, 5},
    [RISING_HOUR] = {5 * 60 * 1000000LL, 12},
};

/* By constants, which costs no division. */
static int64_t part_of(uint32_t window, int64_t time_us)
{
    return window == RISING_5MIN ? time_us / 60000000 : time_us / 300000000;
}

static void advance(struct rising *rising, uint32_t window, int64_t part)
{
    if (part >= rising->part[window] + RISING_RING)
        memset(rising->pct[window], 0, sizeof rising->pct[window]);
    else
        for (int64_t at = rising->part[window] + 1; at <= part; at++)
            rising->pct[window][at % RISING_RING] = 0;
    if (part > rising->part[window])
        rising->part[window] = part;
}

void rising_add(struct rising *rising, uint32_t weight_pct, int64_t time_us)
{
    for (uint32_t window = 0; window < RISING_WINDOWS; window++) {
        int64_t part = part_of(window, time_us);

        advance(rising, window, part);
        if (part <= rising->part[window] - RISING_RING)
            continue;
        uint32_t *pct = &rising->pct[window][part % RISING_RING];

        *pct = *pct > UINT32_MAX - weight_pct ? UINT32_MAX : *pct + weight_pct;
    }
}

/* Of the parts [from, from + parts), what is still in the ring. */
static double sum_of(const struct rising *rising, uint32_t window, int64_t from)
{
    double sum = 0;

    for (int64_t at = from; at < from + shapes[window].parts; at++)
        if (at <= rising->part[window] && at > rising->part[window] - RISING_RING)
            sum += rising->pct[window][at % RISING_RING];
    return sum / 100;
}

struct rising_trend rising_read(const struct rising *rising, enum rising_window window,
                                int64_t now_us)
{
    int64_t now = now_us / shapes[window].part_us;
    uint32_t parts = shapes[window].parts;
    double x0 = sum_of(rising, window, now - parts), x1 = sum_of(rising, window, now - 2 * parts);
    double x2 = sum_of(rising, window, now - 3 * parts);

    return (struct rising_trend){
        .last = x0,
        .before = x1,
        .difference = x0 - x1,
        .acceleration = (x0 - x1) - (x1 - x2),
        .ratio = (x0 + 1) / (x1 + 1),
        .z = x0 + x1 > 0 ? (x0 - x1) / sqrt(x0 + x1) : 0,
        .until_us = now * shapes[window].part_us,
    };
}
