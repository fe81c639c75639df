/* campaigns.h: exposure that was bought: which items, for whom, how much is left.
 *
 * From the records CAMPAIGN OPEN, CAMPAIGN STOP, SPEND CAMPAIGN (engine/note.h): what may be bought
 * is impressions to people with an interest, never likes. The engine sees to it that no more is
 * given out than was bought; here is what a feed needs to know.
 *
 *   holdout   so many percent of all accounts, by a hash of account and campaign, are never shown
 * it as paid, so that it can be told what the campaign did
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

struct campaign_offer {
    uint64_t sequence; /* of its record: one item's campaigns are told apart by it */
    uint64_t item;
    uint64_t tag[TAGS_MAX]; /* numbers of tags (discover_tag_id) */
    int64_t until_us;
    uint32_t budget; /* impressions; 0: a free place */
    uint32_t spent;
    uint32_t tenant;
    uint8_t tag_count;
    uint8_t holdout_pct;
    uint8_t label_size;
    char label[TAGS_LINE_MAX];
    uint8_t unused;
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
/* NULL: none was opened, or it was stopped, or forgotten after its end. */
const struct campaign_offer *campaigns_find(const struct campaign_book *book, uint32_t tenant,
                                            uint64_t item);
/* Is anything to be given out now? */
static inline bool campaign_runs(const struct campaign_offer *campaign, int64_t now_us)
{
    return campaign->spent < campaign->budget && now_us < campaign->until_us;
}

/* Is this account one of those who are never shown it? */
bool campaign_holds_out(const struct campaign_offer *campaign, uint64_t account);

#endif
