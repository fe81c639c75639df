/* discover_answer_inner.h: what the files that answer share.
 *
 *   discover_answer.c       HEAT, SIGNALS, TOP, RISING, LIVE, INTERESTS
 *   discover_answer_feed.c  FEED, SIMILAR
 *   discover_answer_why.c   WHY
 *   discover_answer_weight.c  WEIGHT
 *   discover_answer_health.c  what SIGNALS and WEIGHT tell of how items do
 *   discover_answer_campaign.c  CAMPAIGN GET
 *   discover_answer_reach.c  CAMPAIGN REACH
 */
#ifndef ZAN_READERS_DISCOVER_ANSWER_INNER_H
#define ZAN_READERS_DISCOVER_ANSWER_INNER_H

#include "readers/discover/discover_answer.h"
#include "schema/tree.h"

struct answer {
    const struct answerer *by;
    struct discover *discover;
    struct call *call;
    const struct reader_now *now;
    struct tree_builder tree;
};

/* --- discover_answer.c */
void answer_number(struct answer *answer, const char *name, double value, uint8_t places);
/* What was asked for, or as many as a list has if nothing was said; at most max. */
uint32_t answer_count(const struct answer *answer, uint32_t max);
void answer_finish(struct answer *answer);

/* --- discover_answer_feed.c */
void answer_feed(struct answer *answer);
void answer_similar(struct answer *answer);

/* --- discover_answer_why.c */
void answer_why(struct answer *answer);

/* --- discover_answer_weight.c */
void answer_weight(struct answer *answer);

/* --- discover_answer_health.c */
/* Of an item (NULL: of nothing), and of a creator's last ones. */
void answer_health(struct answer *answer, const struct item *item);
void answer_health_of(struct answer *answer, const struct weight *weight);

/* --- discover_answer_campaign.c */
void answer_campaign(struct answer *answer);
/* --- discover_answer_reach.c */
void answer_reach(struct answer *answer);

#endif
