/* rising.h: which tags are gaining, by windows of five minutes and of an hour.
 *
 * Counted is credited weight (percent of an act) of first likes, favorites, comments and shares on
 * items of the tag. Windows are whole parts that are over (1 minute; 5 minutes): x0 the last
 * window, x1 the one before it, x2 the one before that. Now itself is in no window: half a window
 * is no fall.
 *
 *   difference    x0 - x1
 *   acceleration  (x0 - x1) - (x1 - x2)
 *   ratio         (x0 + 1) / (x1 + 1)
 *   z             (x0 - x1) / sqrt(x0 + x1): so many standard deviations, were nothing rising
 *                 (difference of two Poisson counts)
 *
 * A tag rises with x0 >= RISING_LEAST and z >= RISING_Z; ranked by z, so that 3 after 1 is not
 * above 300 after 150.
 *
 * Memory: the struct, the caller's. Pure. */
#ifndef ZAN_READERS_DISCOVER_RISING_H
#define ZAN_READERS_DISCOVER_RISING_H

#include <stdbool.h>
#include <stdint.h>

enum rising_window { RISING_5MIN, RISING_HOUR, RISING_WINDOWS };

#define RISING_PARTS_MAX 12 /* of a window */
#define RISING_RING      (3 * RISING_PARTS_MAX + 1)
#define RISING_LEAST     20.0 /* acts of full weight */
#define RISING_Z         3.0  /* about 1 in 700 by chance, for each tag and look */

struct rising {
    int64_t part[RISING_WINDOWS];              /* number of the newest part */
    uint32_t pct[RISING_WINDOWS][RISING_RING]; /* saturates */
};

struct rising_trend {
    double last, before, difference, acceleration, ratio, z; /* in acts of full weight */
    int64_t until_us;                                        /* the end of the last window */
};

void rising_add(struct rising *rising, uint32_t weight_pct, int64_t time_us);
struct rising_trend rising_read(const struct rising *rising, enum rising_window window,
                                int64_t now_us);

static inline bool rising_is(const struct rising_trend *trend)
{
    return trend->last >= RISING_LEAST && trend->z >= RISING_Z;
}

#endif
