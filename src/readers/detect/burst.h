/* burst.h: where an item's likes come thicker than they should.
 *
 * A *burst* is a stretch of an item's likes within a window of one of the scales that is far more
 * than the item's own count leads to expect at that time:
 *
 *   k likes where lambda = n x share are expected:  gain = k ln(k / lambda) - (k - lambda)
 *
 * (the log likelihood ratio of Poisson counts; Kulldorff, "A spatial scan statistic", 1997). share
 * is the mean of the window's share of the platform's likes and of its share of the whole time: so
 * the hours of the day explain what they can. Bursts of an item do not overlap; the greatest gain
 * goes first. Whether a burst is a crowd or was bought is not asked here.
 *
 * Pure; the caller owns everything. */
#ifndef ZAN_READERS_DETECT_BURST_H
#define ZAN_READERS_DETECT_BURST_H

#include <stdint.h>

#define BURST_SCALES 8
#define BURST_BINS   2048
#define BURST_GAIN                                                                                 \
    4.0 /* nats; chance alone makes such pairs, and what is built on them bears it                 \
         */

struct burst_clock {
    uint32_t first_s, last_s;
    uint32_t scales, scale_s[BURST_SCALES]; /* those that fit into the time there is */
    double below[BURST_BINS + 1];           /* share of all likes before each bin begins */
};

/* bin[i]: likes of bin i of BURST_BINS equal parts of first_s .. last_s. */
void burst_clock_make(struct burst_clock *clock, uint32_t first_s, uint32_t last_s,
                      uint32_t grain_s, const uint64_t bin[BURST_BINS]);
uint32_t burst_bin(uint32_t first_s, uint32_t last_s, uint32_t time_s);

/* Share of [from_s, from_s + length_s], above 0. */
double burst_share(const struct burst_clock *clock, uint32_t from_s, uint32_t length_s);

struct burst {
    uint32_t first, last; /* likes first .. last of the item, counted from 0 */
    float gain;
};

/* Bursts of one item with likes at time_s[0..count), ascending. Room for count * scales / 2 +
 * scales in found, which is also scratch; taken: count bytes of scratch. How many were found; they
 * stand first, by time. */
uint32_t burst_find(const struct burst_clock *clock, const uint32_t *time_s, uint32_t count,
                    struct burst *found, uint8_t *taken);

#endif
