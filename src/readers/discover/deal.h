/* deal.h: whom a page's places for what is in trial go to: pool_deal (pool.h), asked by feeds.
 *
 * A page has so many places for items in trial (feed.h: pool_share). What they bring in about a
 * minute is the supply; pool_deal shares it out: first budgets outright, then each by its share of
 * the room it has left, an author's second item at half, an author at most his cap, newcomers at
 * least their part. A place goes to an item with a chance of its budget by the sum of all.
 *
 *   deal_begin -> deal_add for each item -> deal_close -> deal_draw, deal_find
 *
 * Bound: DEAL_MAX items. When more are in trial each deal is of the next so many, round and round.
 * One deal is for all tenants; a draw for another tenant's viewer is made again by the caller.
 *
 * Holds always: the sum of budgets is at most the supply; who has no budget is never drawn.
 * Memory:       the caller's. Pure. */
#ifndef ZAN_READERS_DISCOVER_DEAL_H
#define ZAN_READERS_DISCOVER_DEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "readers/discover/pool.h"

#define DEAL_MAX        512
#define DEAL_SUPPLY_MIN 100.0 /* a deal of less would be nothing but rounding */

/* Its circle (pool_suits), as of the deal. */
struct deal_item {
    uint64_t item;
    uint32_t tenant, row;
    double until; /* sum of budgets up to its own, and with it */
    double widen;
    uint8_t circle;
};

struct deal {
    int64_t made_us; /* 0: never */
    double supply, given;
    uint32_t count;
    struct deal_item item[DEAL_MAX];   /* in the order they were added, until the end */
    struct pool_entry entry[DEAL_MAX]; /* as pool_deal leaves them; id: place among item */
    uint32_t by_row[DEAL_MAX];         /* places among item, by row */
};

void deal_begin(struct deal *deal, int64_t now_us);
static inline bool deal_is_full(const struct deal *deal)
{
    return deal->count == DEAL_MAX;
}
/* Until it is full; rows are different ones. entry: author, share, room, due, newcomer. */
void deal_add(struct deal *deal, const struct deal_item *item, const struct pool_entry *entry);
void deal_close(struct deal *deal, const struct pool_rule *rule, double supply);

/* at: a draw, 0 <= at < 1. NULL: there is nothing to give. */
const struct deal_item *deal_draw(const struct deal *deal, double at);
/* NULL: it is not in it. */
const struct deal_item *deal_find(const struct deal *deal, uint32_t row);

#endif
