/* viewer.h: what is remembered of an account for its feed: what it liked lately, whom it follows,
 * and how it took to what it was shown (taste.h).
 *
 * The first two newest first; of one more than fits the oldest goes. A like taken back is taken
 * out.
 *
 * Memory: the caller's; rows are written as they are into checkpoints. Pure. */
#ifndef ZAN_READERS_DISCOVER_VIEWER_H
#define ZAN_READERS_DISCOVER_VIEWER_H

#include <stdint.h>

#include "readers/discover/table.h"
#include "readers/discover/taste.h"

#define VIEWER_LIKED    32 /* items liked, or watched long: what a model is asked about */
#define VIEWER_FOLLOWED 16 /* creators */

struct viewer {
    struct table_head head; /* {account, 0, tenant} */
    uint64_t liked[VIEWER_LIKED];
    uint64_t followed[VIEWER_FOLLOWED];
    uint32_t liked_count, followed_count;
    struct taste taste;
};

/* The newest from now on; one that was there already moves up. */
void viewer_likes(struct viewer *viewer, uint64_t item);
void viewer_unlikes(struct viewer *viewer, uint64_t item);
void viewer_follows(struct viewer *viewer, uint64_t creator);
void viewer_unfollows(struct viewer *viewer, uint64_t creator);

#endif
