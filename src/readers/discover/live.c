/* live.c: see live.h. A ring for each window; a part that is entered anew is cleared first. */
#include "readers/discover/live.h"

#include <string.h>

const char *const live_act_names[LIVE_ACTS] = {"likes", "likes_credited", "views", "comments",
                                               "shares"};
const uint32_t live_seconds[LIVE_WINDOWS] = {10, 60, 300};

static int64_t part_us(uint32_t window)
{
    return (int64_t)live_seconds[window] * 1000000 / LIVE_PARTS;
}

/* By constants, which costs no division. */
static int64_t part_of(uint32_t window, int64_t time_us)
{
    switch (window) {
    case LIVE_10S:
        return time_us / 1000000;
    case LIVE_60S:
        return time_us / 6000000;
    default:
        return time_us / 30000000;
    }
}

static void advance(struct live *live, uint32_t window, int64_t part)
{
    if (part >= live->part[window] + LIVE_PARTS)
        memset(live->count[window], 0, sizeof live->count[window]);
    else
        for (int64_t at = live->part[window] + 1; at <= part; at++)
            memset(live->count[window][at % LIVE_PARTS], 0, sizeof live->count[window][0]);
    if (part > live->part[window])
        live->part[window] = part;
}

void live_add(struct live *live, enum live_act act, uint32_t amount, int64_t time_us)
{
    for (uint32_t window = 0; window < LIVE_WINDOWS; window++) {
        int64_t part = part_of(window, time_us);

        advance(live, window, part);
        if (part <= live->part[window] - LIVE_PARTS)
            continue;
        uint32_t *count = &live->count[window][part % LIVE_PARTS][act];

        *count = *count > UINT32_MAX - amount ? UINT32_MAX : *count + amount;
    }
}

struct live_sum live_read(const struct live *live, enum live_window window, int64_t now_us)
{
    int64_t part = now_us / part_us(window), first = part - LIVE_PARTS + 1;
    struct live_sum sum = {.from_us = first * part_us(window)};

    for (int64_t at = first; at <= live->part[window] && at <= part; at++)
        for (uint32_t act = 0; act < LIVE_ACTS && at > live->part[window] - LIVE_PARTS; act++)
            sum.count[act] += live->count[window][at % LIVE_PARTS][act];
    return sum;
}
