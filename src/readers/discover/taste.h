/* taste.h: how one viewer has taken to what it was shown, by what that was about.
 *
 * A *trait* is a tag, a creator, or a length (interest.h, rank.h have others; a viewer has these).
 * Of the TASTE_TRAITS that say most, and of all together, it is counted what was shown, clicked,
 * watched long, liked, and how much of it was *unwanted*:
 *
 *   swiped away 1, left early 0.5, "not interested" or reported 5 (a report by the reporter's
 * record)
 *
 *   counts     in TASTE_ONE of an impression, weighed by what the act was credited with. One that
 * is full is halved with its others, so that rates stay. They halve every TASTE_HALF_LIFE days, in
 * steps of a day unwanted   of a trait beside what is usual with this viewer (many swipe most
 * things away): r = (unwanted + TASTE_PRIOR usual) / (shown + TASTE_PRIOR) factor = (1 - r) / (1 -
 * usual), 1 at most and TASTE_FLOOR at least of an item: its creator's, times the mean of its
 * tags'. Nothing is barred: what is shown no more is forgotten, and comes back tired      0..1: how
 * far long views and likes of the last some 20 impressions lie under those of the last some 200, in
 * standard errors: none at 1, all at 3; a pause takes it away by half each 6 hours
 *
 * Holds always: factor is in TASTE_FLOOR .. 1, and 1 of what nothing is known; it moves with each
 * act by no more than that act's weight among those counted. Memory: the caller's; rows are written
 * as they are into checkpoints, no byte is left to chance. Pure. The constants are ours. */
#ifndef ZAN_READERS_DISCOVER_TASTE_H
#define ZAN_READERS_DISCOVER_TASTE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "schema/tags.h"

#define TASTE_TRAITS    20
#define TASTE_ONE       64 /* a count of one impression */
#define TASTE_HALF_LIFE 14 /* days: as long as interests (interest.h) */
#define TASTE_PRIOR     5.0
#define TASTE_FLOOR     0.1
#define TASTE_EARLY     0.5
#define TASTE_STRONG    5.0

enum taste_kind { TASTE_NONE, TASTE_TAG, TASTE_CREATOR, TASTE_LENGTH };

struct taste_counts {
    uint16_t shown, clicked, watched, liked, unwanted;
};

struct taste_trait {
    uint64_t id;
    struct taste_counts counts;
    uint8_t kind; /* enum taste_kind; NONE: free */
    uint8_t unused[5];
};
static_assert(sizeof(struct taste_trait) == 24, "twenty of them for each viewer");

struct taste {
    struct taste_counts all;
    uint16_t day_low;     /* day of the last halving, since 1970 */
    float recent, usual;  /* shares of long views and likes */
    uint32_t impressions; /* in them; saturates */
    uint32_t minute;      /* of the last, since 1970 */
    uint32_t unused;
    struct taste_trait at[TASTE_TRAITS];
};

/* What an item is about. */
struct taste_item {
    const uint64_t *tag;
    uint64_t creator; /* where has_creator */
    uint32_t tag_count;
    uint32_t length; /* taste_length */
    bool has_creator;
};

/* A third of an octave each; 0: not known. */
uint32_t taste_length(uint32_t duration_ms);

/* What one act was news of. */
struct taste_event {
    double weight; /* 0..1 */
    bool shown, clicked, watched, liked;
    double unwanted;
};
void taste_learn(struct taste *taste, const struct taste_item *item,
                 const struct taste_event *event, int64_t now_us);

double taste_factor(const struct taste *taste, const struct taste_item *item, int64_t now_us);
/* Of one trait alone. */
double taste_factor_of(const struct taste *taste, const struct taste_trait *trait, int64_t now_us);
double taste_tired(const struct taste *taste, int64_t now_us);

/* NULL: nothing is known of it. */
const struct taste_trait *taste_find(const struct taste *taste, enum taste_kind kind, uint64_t id);
void taste_forget(struct taste *taste, enum taste_kind kind, uint64_t id);

#endif
