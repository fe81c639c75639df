/* interest.h: what an account likes, as at most 16 tags with weights; how an item suits it.
 *
 * A like adds its credited weight to the item's tags, in equal parts; a long view INTEREST_VIEW of
 * that. Masses decay forward (heat.h) with a half-life of 14 days; when a 17th tag comes, the
 * lightest goes. The same sums over everybody are what is usual.
 *
 * A tag is a number here: a hash of its name (discover_tag_id).
 *
 *   fit = clamp((m + K b) / (M + K) / b, 0.5, 2)
 *     m  the account's mass on the item's tags      M  all of its mass
 *     b  the share of those tags in everybody's     K  5
 *
 * An account of whom nothing is known, and an item without tags, fit as 1: K likes' worth of what
 * is usual stands before the account's own. What likes are taken back is not taken out: it fades.
 *
 * Holds always: fit in 0.5 .. 2; at most INTEREST_TAGS tags; masses finite and >= 0.
 * Memory:       the caller's. Pure. */
#ifndef ZAN_READERS_DISCOVER_INTEREST_H
#define ZAN_READERS_DISCOVER_INTEREST_H

#include <stdint.h>

#include "readers/discover/heat.h"

#define INTEREST_TAGS         16
#define INTEREST_ITEM_TAGS    8 /* of one item: TAGS_MAX */
#define INTEREST_VIEW         0.25
#define INTEREST_PRIOR        5.0
#define INTEREST_HALF_LIFE_US (14LL * 24 * 3600 * 1000000)

struct interest {
    double mass[INTEREST_TAGS]; /* forward */
    double whole;               /* also of tags that had to go */
    uint64_t tag[INTEREST_TAGS];
    uint32_t count;
};

/* weight: in likes, spread over the tags. forward: heat_forward of the interests' clock. */
void interest_add(struct interest *interest, const uint64_t *tags, uint32_t count, double weight,
                  double forward);
double interest_mass(const struct interest *interest, const uint64_t *tags, uint32_t count);
/* share: of the item's tags in everybody's mass. */
double interest_fit(const struct interest *interest, const uint64_t *tags, uint32_t count,
                    double share, double forward);
/* True if it was there. */
int interest_delete(struct interest *interest, uint64_t tag);
void interest_rebase(struct interest *interest, uint32_t halvings);

#endif
