/* kinds.h: what items of a kind do when they are new, learnt from the log.
 *
 * The kind of an item is its first tag. An item teaches by its first KIND_TEACH credited, attested
 * impressions, and by what followed those, for as long as it stands; so each item says as much as
 * any other, and the ones that were shown most do not speak for all.
 *
 *   forward   an item counts 2^((its first record - landmark) / KIND_HALF_LIFE_US): half of what
 *             items did is forgotten in 30 days. One factor for all of an item, so that what is
 *             taken back is what was added
 *
 *   rate      successes by impressions
 *
 * Holds always: n, s >= 0; an item's part in its kind is under KIND_TEACH + 1 impressions.
 *               What an item taught moves with it when it is tagged anew.
 * Memory:       the caller's. Pure. Source of the decay: heat.h. */
#ifndef ZAN_READERS_DISCOVER_KINDS_H
#define ZAN_READERS_DISCOVER_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "readers/discover/pool.h"
#include "readers/discover/signals.h"

#define KIND_TEACH        40u
#define KIND_HALF_LIFE_US (30LL * 24 * 3600 * 1000000)
#define KIND_TIMES        4.0 /* a kind is held to be at most so many times better, or worse */
#define KIND_KNOWN        320.0 /* impressions (8 items, as gate.h) from which on the average is known */

/* Sums, forward, in impressions. */
struct kind_sums {
    double n;
    double s[POOL_METRICS];
};

/* What an item has taught so far, in percent of an impression. */
struct taught {
    uint16_t n_pct;
    uint16_t s_pct[POOL_METRICS];
};

/* The metric a signal is of; POOL_METRICS: of none. */
enum pool_metric kind_metric(enum signal signal);

/* May one more impression of it teach? */
static inline bool taught_has_room(const struct taught *taught)
{
    return taught->n_pct < KIND_TEACH * 100;
}

/* So many percent more, or less, of an impression or of a success of it. Returns by how much it
 * moved: never below nothing. */
int taught_impression(struct taught *taught, int by_pct);
int taught_success(struct taught *taught, enum pool_metric metric, int by_pct);

/* The same in a kind; forward: of the item. */
void kind_impression(struct kind_sums *kind, int by_pct, double forward);
void kind_success(struct kind_sums *kind, enum pool_metric metric, int by_pct, double forward);
/* All that an item taught, times 1 or -1. */
void kind_item(struct kind_sums *kind, const struct taught *taught, double forward);
void kind_rebase(struct kind_sums *kind, uint32_t halvings);

/* What pool_prior is to know of a kind, without one item's own part in it (NULL: none): by how much
 * its rates differ from those of all, as rates around the platform's. now_forward: of now. */
struct pool_tag kind_tag(const struct kind_sums *kind, const struct kind_sums *all,
                         const struct pool_platform *platform, const struct taught *own,
                         double own_forward, double now_forward);

/* The chance that the value of an item (pool.h: long view and like, each by the average) is the
 * average of all items or more, by what its audiences did. 0 while the average is not known, or
 * fewer than KIND_TEACH impressions are. */
double kind_chance(const struct kind_sums *all, double now_forward,
                   const struct pool_seen seen[POOL_AUDIENCES]);

#endif
