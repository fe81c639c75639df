/* stager.h: moves items along their ladder: looks at what their audience did, and asks for STAGE.
 *
 * The decision is pool.h's (pool_step); here is who is looked at and when, and what the decision
 * leaves behind: a record, by a request through the front door. Replaying it decides nothing.
 *
 *   who      a published item of a creator, under STAGER_NEW_US old, enters with its first budget.
 *            One whose budget is used up gets the next, climbs, goes to its second audience, or
 *            stops. One whose stop has lapsed is taken up again. One whose share is under one
 *            impression rests, and is looked at again: the platform changes too
 *   when     every STAGER_US, up to STAGER_LOOKS rows a turn, round and round
 *   learnt   the platform's own rates, when asked for and older than STAGER_LEARN_US, from up to
 *            STAGER_PAST items that were shown often enough to teach (pool.h)
 *   first    the first budget, by the creator's weight (weight.h) as of then
 *   prior    what others of the item's kind did when they were new, beside all that were (kinds.h)
 *   deal     whom a page's places for what is in trial go to (deal.h): made when a feed asks and
 *            the last is STAGER_US old. What feeds gave is remembered for the supply, and kept by
 *            no checkpoint
 *
 * For an item one request is under way at a time, and the next waits until the record of the last
 * was read: the number of STAGE records of the item is its basis, and part of the operation id. The
 * caller turns this only when all that is durable was read, so who stops in between finds, when it
 * starts again, either the record or nothing.
 *
 * Memory: one block, at open. */
#ifndef ZAN_READERS_DISCOVER_STAGER_H
#define ZAN_READERS_DISCOVER_STAGER_H

#include "readers/discover/deal.h"
#include "readers/discover/discover.h"
#include "readers/discover/pool.h"
#include "readers/reader.h"

#define STAGER_US        2000000LL
#define STAGER_LEARN_US  (60LL * 1000000)
#define STAGER_NEW_US    (7LL * 24 * 3600 * 1000000)
#define STAGER_LOOKS     20000
#define STAGER_PAST      4096
#define STAGER_KINDS     1024 /* of items that teach; what finds no place is of one kind */
#define STAGER_PLACES_US (60LL * 1000000)
#define STAGER_SLOTS     8 /* requests under way */

struct stager;

/* rule: the caller's, which stays as it is until close. NULL: nothing is decided, and WHY tells what the default rule would. NULL: no memory. */
struct stager *stager_open(struct reader_door door, const struct pool_rule *rule);
/* When no request will be answered any more. NULL is allowed. */
void stager_close(struct stager *stager);
void stager_turn(struct stager *stager, struct discover *discover, int64_t now_us);

/* Whom places for what is in trial go to; NULL: nobody decides (no rule). Good until the next call.
 */
const struct deal *stager_deal(struct stager *stager, const struct discover *discover,
                               int64_t now_us);
/* A page had so many. */
void stager_placed(struct stager *stager, uint32_t places, int64_t now_us);

/* What would be decided of it now, and by what it is judged. */
struct stager_told {
    struct pool_decision decision;
    struct pool_item item;
    const struct tag_row *kind; /* by which it was judged before anybody saw it; NULL: by all */
    double kind_items;          /* how many other items' first impressions that rests on */
    double weight;              /* of its creator, by which the first budget is */
    bool learnt;                /* the platform's own rates, not those of nobody's */
    bool live;                  /* somebody decides by it */
    int64_t stop_us;            /* how long a stop lasts */
};
void stager_why(struct stager *stager, const struct discover *discover, const struct item *item,
                int64_t now_us, struct stager_told *told);

#endif
