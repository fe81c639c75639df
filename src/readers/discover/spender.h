/* spender.h: tells the engine what campaigns have given out, and stops one that goes wrong.
 *
 * What a campaign owes (campaigns.h) goes through the front door as SPEND CAMPAIGN: as soon as it
 * is SPENDER_AT_ONCE impressions, else every SPENDER_US. One whose likes are taken back too often
 * is stopped by CAMPAIGN STOP, with the figures as its reason.
 *
 * Each once: for a campaign one request is under way at a time, and after it was answered the next
 * one waits until its record was read, so that what is owed is never counted twice. The caller
 * turns this only when all that is durable was read: who stops in between finds, when it starts
 * again, either the record or nothing. Beside that a request has an operation id made of the
 * campaign, of what was spent before it and of the amount. The engine sees to it that it is never
 * more than was bought.
 *
 * Paid for afterwards, then: pages that were given out and are still being looked at when the
 * budget ends are given away (at most so many as were under way at that moment); the other way
 * round, who bought would pay for what nobody has seen.
 *
 * Memory: one block, at open. */
#ifndef ZAN_READERS_DISCOVER_SPENDER_H
#define ZAN_READERS_DISCOVER_SPENDER_H

#include "readers/discover/campaigns.h"
#include "readers/reader.h"

#define SPENDER_AT_ONCE 20
#define SPENDER_US      5000000LL
#define SPENDER_SLOTS   4 /* requests under way */

struct spender;

/* NULL: no memory. door.submit NULL is none: nothing is ever sent. */
struct spender *spender_open(struct reader_door door);
/* When no request will be answered any more. NULL is allowed. */
void spender_close(struct spender *spender);
void spender_turn(struct spender *spender, const struct campaign_book *book, int64_t now_us);

#endif
