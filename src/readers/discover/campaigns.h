/* campaigns.h: exposure that was bought: which items, for whom, how much is left.
 *
 * From the records CAMPAIGN OPEN, CAMPAIGN STOP, SPEND CAMPAIGN (engine/note.h): what may be bought
 * is impressions to people with an interest, never likes. The engine sees to it that no more is
 * given out than was bought; here is what a feed needs to know.
 *
 *   holdout   so many percent of all accounts, by a hash of account and campaign, are never shown
 * it as paid, so that it can be told what the campaign did
 *
 * What it did is counted from the records of acts since it was opened:
 *
 *   shown     valid impressions: the first attested one of an account, of stage PAID_STAGE, that
 * was credited with anything, of a token made since it was opened. What SPEND CAMPAIGN is to say;
 * spent is what it has said. Both are functions of the records, so whoever stops between the two
 * owes the difference, no more like_pct  percent of a like: what likes were credited with, an
 * account's first since it was opened; unlike_pct: of those, what is taken back now group     the
 * same likes, and follows after a view, by account: of those held out, and of all others, shown or
 * not. Chance deals accounts to the two, so that (likes / share) beside (likes of those held out /
 * their share) is what showing it did
 *
 * With several partitions a view may be read before its campaign was, after a start from record 1:
 * then it is not counted, and given away.
 *
 * One at a time for an item. Bounds: CAMPAIGNS_MAX at the same time; one more is not shown, and
 * counted (refused).
 * Memory: the struct, the caller's; written as it is into checkpoints. Pure. */
#ifndef ZAN_READERS_DISCOVER_CAMPAIGNS_H
#define ZAN_READERS_DISCOVER_CAMPAIGNS_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/record.h"
#include "schema/tags.h"

#define CAMPAIGNS_MAX 64
#define PAID_STAGE    255 /* of impressions that were paid for */

/* The guard: a campaign whose likes are taken back like this is stopped. Ours. */
#define CAMPAIGN_GUARD_RATE 0.15 /* passed by the lower end of the interval (Wilson, 95 %) */
#define CAMPAIGN_GUARD_PCT  2000 /* with at least 20 likes of full credit */

struct campaign_group {
    uint32_t likes, follows;
};

struct campaign_offer {
    uint64_t sequence; /* of its record: one item's campaigns are told apart by it */
    uint64_t item;
    uint64_t tag[TAGS_MAX]; /* numbers of tags (discover_tag_id) */
    int64_t begin_us, until_us;
    uint64_t like_pct, unlike_pct;
    struct campaign_group group[2]; /* 1: held out */
    uint32_t shown, paid_likes;     /* likes of accounts it was shown to */
    uint32_t budget;                /* impressions; 0: a free place */
    uint32_t spent;
    uint32_t tenant;
    uint8_t tag_count;
    uint8_t holdout_pct;
    uint8_t label_size;
    char label[TAGS_LINE_MAX];
    uint8_t stopped; /* kept for its figures until the place is needed */
};

struct campaign_book {
    struct campaign_offer at[CAMPAIGNS_MAX];
    uint64_t refused;
    uint32_t count;
    uint32_t unused;
};

/* One of the three records, decided. number: of a tag, by its name. */
void campaigns_apply(struct campaign_book *book, const struct record *record,
                     uint64_t (*number)(const char *name, size_t size));
/* The newest of an item, also after its end. NULL: none was opened, or it was forgotten since. */
const struct campaign_offer *campaigns_find(const struct campaign_book *book, uint32_t tenant,
                                            uint64_t item);
/* Is anything to be given out now? */
static inline bool campaign_runs(const struct campaign_offer *campaign, int64_t now_us)
{
    return !campaign->stopped && campaign->spent < campaign->budget &&
           campaign->shown < campaign->budget && now_us < campaign->until_us;
}

/* Impressions that are still to be told by SPEND CAMPAIGN. */
static inline uint32_t campaign_owes(const struct campaign_offer *campaign)
{
    uint32_t shown = campaign->shown < campaign->budget ? campaign->shown : campaign->budget;

    return shown > campaign->spent ? shown - campaign->spent : 0;
}

/* What one act on its item was: all of an account's acts, in the order of the records. */
struct campaign_act {
    uint64_t account;
    int64_t time_us;
    int64_t like_us;       /* when its like was first set; 0: never */
    uint8_t pct, like_pct; /* what the act, and its like, were credited with */
    bool shown;            /* this is its first attested impression, and it was paid for */
    uint8_t age_min;       /* shown: of its token */
    bool saw;              /* it has a paid impression */
    bool like, relike, unlike, follow;
};
void campaigns_see(struct campaign_book *book, uint32_t tenant, uint64_t item,
                   const struct campaign_act *act);
/* Are its likes taken back too often? */
bool campaign_is_bad(const struct campaign_offer *campaign);

/* Is this account one of those who are never shown it? */
bool campaign_holds_out(const struct campaign_offer *campaign, uint64_t account);

#endif
