/* boost.h: items, or all items of a tag, that somebody lifts for a while; labelled where it shows.
 *
 * Each has a factor of at most 2 and an end at most 7 days after its beginning; who and why are in
 * the log (sequence). They do not multiply: the highest one that holds counts. A search word lifts
 * the items that have it as a tag. The newest about the same target counts; a factor of 100 ends
 * it.
 *
 * Bounds: BOOSTS_MAX at the same time; one more is left out and counted (refused).
 * Memory: the struct, the caller's. Pure. */
#ifndef ZAN_READERS_DISCOVER_BOOST_H
#define ZAN_READERS_DISCOVER_BOOST_H

#include <stdbool.h>
#include <stdint.h>

#define BOOSTS_MAX      256
#define BOOST_PCT_MAX   200
#define BOOST_LENGTH_US (7LL * 24 * 3600 * 1000000)

enum boost_of { BOOST_ITEM, BOOST_TAG, BOOST_WORD };

struct boost {
    uint64_t sequence; /* of its record */
    uint64_t target;   /* item, or number of a tag */
    int64_t from_us, until_us;
    uint32_t tenant;
    uint16_t factor_pct; /* 101 .. BOOST_PCT_MAX; 0: a free place */
    uint8_t of;          /* enum boost_of */
    uint8_t unused;
};

struct boost_book {
    struct boost at[BOOSTS_MAX];
    uint64_t refused;
    uint32_t count;
    uint32_t unused;
};

/* Begins it, or ends what there was about the same; factor and end are brought within the bounds.
 * False: nothing changed. */
bool boost_set(struct boost_book *book, struct boost boost);
/* One that is over at now_us: taken out. False: none. */
bool boost_expire(struct boost_book *book, int64_t now_us, struct boost *ended);
/* The highest that holds at now_us, NULL: none. */
const struct boost *boost_find(const struct boost_book *book, uint32_t tenant, uint64_t item,
                               const uint64_t *tags, uint32_t count, int64_t now_us);

static inline double boost_factor(const struct boost *boost)
{
    return boost ? boost->factor_pct / 100.0 : 1;
}

#endif
