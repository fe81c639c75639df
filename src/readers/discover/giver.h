/* giver.h: tells the engine what was shown of compensations, and asks what is left of them.
 *
 * What is owed (gifts.h: gift_owes) goes through the front door as SPEND BUDGET: at once when it is
 * GIVER_AT_ONCE_PCT or all there is, else every GIVER_US. One of 0 asks what a decision gave, every
 * GIVER_ASK_US until there is something, GIFT_ASKS times at most. Credits have nobody to be told.
 *
 * Each once, as with campaigns (spender.h): one request for a creator is under way at a time, and
 * the next waits until the record of the last was read; the caller turns this only when all that is
 * durable was read; and the operation id is made of what the request goes by. The engine sees to it
 * that it is never more than was granted.
 *
 * Memory: one block, at open. */
#ifndef ZAN_READERS_DISCOVER_GIVER_H
#define ZAN_READERS_DISCOVER_GIVER_H

#include "readers/discover/gifts.h"
#include "readers/reader.h"

#define GIVER_AT_ONCE_PCT 40
#define GIVER_US          5000000LL
#define GIVER_ASK_US      1000000LL
#define GIVER_SLOTS       4 /* requests under way */

struct giver;

/* NULL: no memory. door.submit NULL is none: nothing is ever sent. */
struct giver *giver_open(struct reader_door door);
/* When no request will be answered any more. NULL is allowed. */
void giver_close(struct giver *giver);
void giver_turn(struct giver *giver, const struct gift_book *book, int64_t now_us);

#endif
