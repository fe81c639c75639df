/* clock.h: the only place that reads the machine's clocks. */
#ifndef ZAN_NODE_CLOCK_H
#define ZAN_NODE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_us(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Since the epoch: labels records. May jump; the engine's own clock does not move back. */
static inline int64_t clock_wall_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}

/* Never jumps: for durations and timeouts. */
static inline int64_t clock_steady_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

#endif
