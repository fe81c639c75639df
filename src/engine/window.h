/* window.h: how often something happened in the last span of time, in one or two cache lines.
 *
 * A block is 64 bytes, or 128 if its shape is wide. What is in it depends on the shape, and the
 * shape only on the span and on the largest number that has to be told apart:
 *
 *   ring      the last 24 (56) times: counts up to that many exactly
 *   buckets   24 counts of 16 bits (28 of 32) over 1/24 (1/28) of the span each
 *   list      the last 12 (28) different elements, each with the time it was last seen
 *   sketch    seven bitmaps of 128 bits, one for each seventh of the span: linear counting, of
 * every 2^sample_bits-th element if there may be more than 128
 *
 * Error, always in favour of the one who is counted, so that a rule "more than n" never fires
 * early: an act leaves the window early, never late: in ring and list by at most 1/8000 of the
 * span, in buckets by at most 1/24, in a sketch by at most 1/7; numbers above what a ring or list
 *   holds are told as one more than it holds; a list takes two elements for one in 1 of 65,536
 * pairs; a sketch tells less than it estimates by two standard deviations (a sixth, or a quarter if
 * it samples).
 *
 *   *_us      microseconds; a time before the last one that was added counts as that one, so that a
 *             clock that moves back grants nothing; a jump forward empties the window
 * Holds always: integers only; the same calls leave the same bytes. Any bytes are a block: what a
 *           damaged one tells is wrong, but nothing outside it is read or written.
 * Memory:   the caller's; a block of zeros is an empty one.
 * Source:   linear counting: Whang, Vander-Zanden, Taylor, "A Linear-Time Probabilistic Counting
 *           Algorithm for Database Applications", 1990. */
#ifndef ZAN_ENGINE_WINDOW_H
#define ZAN_ENGINE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_BYTES       64u
#define WINDOW_SPAN_US_MIN 1000000LL
#define WINDOW_SPAN_US_MAX (400LL * 86400 * 1000000)

enum window_kind { WINDOW_RING, WINDOW_BUCKETS, WINDOW_LIST, WINDOW_SKETCH, WINDOW_KIND_COUNT };

struct window_shape {
    uint8_t kind;        /* enum window_kind */
    uint8_t wide;        /* 1: two lines */
    uint8_t shift;       /* ring, list: a tick is 1 << shift us */
    uint8_t sample_bits; /* sketch */
    uint32_t ticks;      /* ring, list: the span in ticks, at most 32768 */
    uint32_t span_s;     /* the span in seconds, rounded up */
    int64_t span_us;
    uint64_t width_us; /* buckets, sketch: one part of the span */
    uint64_t inverse;  /* of width_us, so that no turn divides */
};

/* A shape that tells counts up to most apart, and says "more" of those above it. */
struct window_shape window_count_shape(int64_t span_us, uint64_t most);
/* A shape for sums without a largest one, as ratios need them; wide: more than 65,535 in 1/24 of
 * the span are possible. */
struct window_shape window_sum_shape(int64_t span_us, bool wide);
/* The same as window_count_shape for different elements. */
struct window_shape window_distinct_shape(int64_t span_us, uint64_t most);

/* How often in the span that ends at now_us; how many different elements, for list and sketch. */
uint64_t window_value(const struct window_shape *shape, const void *block, int64_t now_us);

/* What window_value would tell after window_add; changes nothing. */
uint64_t window_value_with(const struct window_shape *shape, const void *block, int64_t now_us,
                           uint64_t element);

/* It happened. element is ignored by ring and buckets. */
void window_add(const struct window_shape *shape, void *block, int64_t now_us, uint64_t element);

/* When window_value will be below most if nothing is added: for "ask again at". now_us if it is so
 * already. Not later than now_us + span_us. */
int64_t window_room_us(const struct window_shape *shape, const void *block, int64_t now_us,
                       uint64_t most);

static inline uint32_t window_bytes(const struct window_shape *shape)
{
    return WINDOW_BYTES << shape->wide;
}

#endif
