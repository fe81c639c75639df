/* discover_feed.h: a page for one account; what is like an item.
 *
 * Candidates, at most FEED_CANDIDATES_MAX, each from the first of these that knows it:
 *
 *   campaign    paid exposure, for interests it was bought for; labelled
 *   compensation, credit   of a creator who has some left (gifts.h), and whom the account does not
 *               follow: the best fitting of his hottest that is not stopped; for whom it does not
 *               fit (under 1), one page in FEED_MISFIT. No more of each than its share
 *   pool        items in trial: where pools decide, as many as the page has places for them, drawn
 *               from the deal (deal.h); else a random sample of them
 *   newcomer    the hottest of newcomers
 *   model       what the model finds for the account's last likes and long views (recommend.h)
 *   interest    the hottest of the account's heaviest tags
 *   follow      the hottest of the creators it follows
 *   top         the hottest of all, and of its region
 *
 * Left out: what is not published, of a suspended creator, the account's own; what it has acted on
 * or was shown (an exposure), or was given in the last FEED_SERVED_US without an answer.
 *
 * Circles, where pools decide: an item in trial comes to who is in its circle (pool_suits), or
 * follows its creator. One in ten of the places for what is in trial, by a draw, is for anybody:
 * the only way to who is outside, and the entry says so (beyond). There is no circle for who has no
 * profile, or no interests yet, for an item without tags, and for one whose tags are more than half
 * of everybody's interests: nobody could fit them well.
 *
 *   score = expected * wanted * tie * boost
 *           where a model is served that has rates; elsewhere, and of what is in trial (no rate is
 * known yet): value * fit * wanted * tie * (0.5 + model) * (0.5 + heat) * boost
 *
 *   expected  how likely showing it becomes a long view, and a like, each by how usual it is, the
 * mean of both (rank.h: by rates of the item, its creator, tag and length, the account's own with
 *           those, and the model's affinity); less where its viewers swipe it away, as below. Moved
 * by chance, to learn of what is little known: times 1 + explore * z * sd, 0.1 at the least. z:
 *           about normal, 3 at most; sd = sqrt((1 - p) / (p (n + 20))), p: of the long view, n:
 *           impressions the item was learnt from
 *   value   how often credited impressions of it became a like, and a long view, each beside the
 *           platform's own rate; `prior` impressions of that rate stand before its own. Less where
 *           it is beyond doubt that more of its viewers than of others swipe it away or report it:
 *           by (1 - the lower end of its rate) / (1 - the platform's), 0.5 at the least
 *   fit     of tags and interests, 0.5 .. 2 (interest.h)
 *           an item in trial before its second audience: 2.5 - fit
 *   wanted  less of what is about things this viewer swipes away, leaves, reports (taste.h)
 *   tie     `followed` (2) for a creator the account follows, else 1
 *   model   its score by the best of this page, 0 .. 1; 0.5 where there is no model to ask
 *   heat    ln(1 + heat) by that of the hottest of this page; 0.5 for what is in trial
 *
 * and the order of the page is feed.h; for a viewer who likes less and less of it (taste_tired),
 * with up to three times the diversity and half the streak. Constants are ours.
 *
 * Without a profile (PERSONAL off, a minor's account): campaign and pool without regard to
 * interests, gifts, newcomers, top; fit, wanted and tie are 1, model is 0.5; rates are asked
 * without a word of the account. What it has seen is left out all the same.
 *
 * Only what was served is kept here, and by no checkpoint: all else is a function of the records.
 * Memory: one block, at open. */
#ifndef ZAN_READERS_DISCOVER_DISCOVER_FEED_H
#define ZAN_READERS_DISCOVER_DISCOVER_FEED_H

#include "readers/discover/deal.h"
#include "readers/discover/discover.h"
#include "readers/discover/feed.h"
#include "readers/recommend/recommend.h"

#define FEED_SERVED       48   /* of an account's last pages */
#define FEED_SERVED_BYTES 1024 /* an account, about */
#define FEED_SERVED_US    (30LL * 60 * 1000000)
#define FEED_PLACES       20 /* where COUNT is not given */
#define FEED_MISFIT       4
#define FEED_FORMULA      "feed-3"

/* What a platform may set (tuning.h). */
struct feed_settings {
    struct feed_rule rule;
    double prior;    /* impressions of the platform's rate before an item's own: 50 */
    double followed; /* tie of a followed creator: 2 */
    double explore;  /* 0.5 */
};
struct feed_settings feed_settings_default(void);

struct feed_asked {
    uint64_t account;
    uint32_t tenant;
    uint32_t want; /* 1 .. FEED_PLACES_MAX */
    int64_t now_us;
    uint64_t seed;
};

struct feed_entry {
    uint64_t item;
    uint32_t row; /* of the item */
    double score;
    double long_view, like; /* expected rates; below 0: no rates were asked */
    uint8_t source;         /* enum feed_source */
    bool beyond;            /* in trial, and the viewer is outside of its circle: to explore */
};

/* What pays for an entry of that source. */
static inline enum gift feed_gift(uint8_t source)
{
    return source == FEED_COMPENSATION ? GIFT_COMPENSATION
           : source == FEED_CREDIT     ? GIFT_CREDIT
                                       : GIFT_NONE;
}

struct feeder;

/* accounts: of how many what was served is remembered. NULL: no memory. */
struct feeder *feeder_open(uint32_t accounts);
void feeder_close(struct feeder *feeder); /* NULL is allowed */
/* In place of the defaults. */
void feeder_tune(struct feeder *feeder, const struct feed_settings *settings);
/* What is in trial is dealt, from now on, until the next call; NULL: it is sampled evenly. */
void feeder_deal(struct feeder *feeder, const struct deal *deal);
/* Asked from now on, for that tenant; NULL: there is none. The caller closes the view, after the
 * last page from it. */
void feeder_model(struct feeder *feeder, struct recommend_view *view, uint32_t tenant);
/* Is there a model to be asked for this tenant? */
bool feeder_has_model(const struct feeder *feeder, uint32_t tenant);

/* Best first; entries has room for want. Returns how many. *personal: was a profile looked at? */
uint32_t feeder_page(struct feeder *feeder, struct discover *discover,
                     const struct feed_asked *asked, struct feed_entry *entries, bool *personal);

/* What accounts that like the item like too, best first; where no model knows it: the hottest of
 * its tags (*by_model false). Published ones only. Returns how many. */
uint32_t feeder_similar(struct feeder *feeder, struct discover *discover, uint32_t tenant,
                        uint64_t item, uint32_t want, struct feed_entry *entries, bool *by_model);

#endif
