/* newcomer.h: items whose likers do hardly anything else, far more than is usual.
 *
 * Accounts that were made for one campaign act once or twice; they meet nowhere, so no block shows
 * them. But an item that is liked by nobody else is odd. Likes are told apart by how many likes
 * their account has in all (six classes: 1, 2, 3, 4 and 5, 6 to 9, more). An item is a mixture of
 * what is usual, h0, and of a campaign, h1, with a share a of its own:
 *
 *   surprise = max over a of  sum over its likes ln(1 - a + a h1 / h0)  x  1 / (1 + (n - 1) rho)
 *
 * rho is how much more than chance honest items differ (an overdispersion, from the median item),
 * so that n likes of one item count as few. h1 is at first what has one or two likes; then it is
 * learnt from the items that stand out, as h0 is from the others.
 *
 * An honest crowd of people who are new is the same to it. Where most accounts act once anyhow
 * nothing stands out. An account's odds are those of its class in that item.
 *
 * Source: first-time likers as a signal: Beutel et al., "CopyCatch", WWW 2013, and Cao et al.,
 * "SynchroTrap", CCS 2014, which see such accounts only by time; the share against the platform's
 * own is ours, and was measured (docs/detect.md).
 *
 * Memory: 40 bytes an item while it runs. Pure but for that. */
#ifndef ZAN_READERS_DETECT_NEWCOMER_H
#define ZAN_READERS_DETECT_NEWCOMER_H

#include "readers/detect/graph.h"

#define NEWCOMER_CLASSES 6

struct newcomer {
    double usual[NEWCOMER_CLASSES], campaign[NEWCOMER_CLASSES]; /* h0, h1; sums are 1 */
    double rho;
    uint32_t learnt; /* items h1 was learnt from; 0: it is the first guess */
    float *surprise; /* [items] nats; owned */
    float *share;    /* [items] a */
};

/* Class of an account with so many likes, at least one. */
uint32_t newcomer_class(uint32_t likes);

/* stands_out: nats from which an item teaches what a campaign is. */
enum status newcomer_find(const struct graph *graph, double stands_out, struct newcomer *newcomer);
void newcomer_free(struct newcomer *newcomer);

/* Log odds that a like of that class at that item is of the campaign; -INFINITY: there is none. */
float newcomer_odds(const struct newcomer *newcomer, uint32_t item, uint32_t class_of);

#endif
