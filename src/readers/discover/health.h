/* health.h: how an item, or a creator's items, do: several measures beside the platform's, never
 * one.
 *
 * There is no sum of them, on purpose: a number that says all is a number that can be bought. Each
 * measure has its denominator, an interval, what is usual, and a band; nothing is decided by them.
 *
 *   completion, like, comment, share   of credited impressions (signals.h)
 *   negative       skipped or reported, of credited impressions; less is better
 *   authenticity   likes that are valid, of all likes that are on
 *   diversity      of two viewers who saw it one after the other, how often their heaviest
 * interests differ: one less Simpson's index, without keeping who they were. Of those whose
 *                  interests are known
 *
 *   band           weak, strong: the whole 95 % interval is more than a tenth of what is usual
 * below it, or above; else usual. unknown: fewer than HEALTH_LEAST, or nothing to compare
 *
 * Pure; memory is the caller's. Sources: Wilson 1927 (the interval); Simpson, "Measurement of
 * Diversity", Nature 1949. */
#ifndef ZAN_READERS_DISCOVER_HEALTH_H
#define ZAN_READERS_DISCOVER_HEALTH_H

#include <stdint.h>

#include "readers/discover/signals.h"

#define HEALTH_LEAST  50.0
#define HEALTH_MARGIN 0.1

enum health_measure {
    HEALTH_COMPLETION,
    HEALTH_LIKE,
    HEALTH_COMMENT,
    HEALTH_SHARE,
    HEALTH_NEGATIVE,
    HEALTH_AUTHENTICITY,
    HEALTH_DIVERSITY,
    HEALTH_MEASURES
};
enum health_band { HEALTH_UNKNOWN, HEALTH_WEAK, HEALTH_USUAL, HEALTH_STRONG, HEALTH_BANDS };

extern const char *const health_names[HEALTH_MEASURES];
extern const char *const health_band_names[HEALTH_BANDS];

/* Viewers one after the other. Written as it is into checkpoints. */
struct health_pairs {
    uint32_t last;  /* heaviest interest of the last one, folded; 0: none yet */
    uint32_t pairs; /* saturates, and alike with it */
    uint32_t alike;
};

/* interest: of who sees it now, folded; not 0. Also into all, whose last is of no meaning. */
void health_seen(struct health_pairs *pairs, struct health_pairs *all, uint32_t interest);

/* Of some items together: successes of denominators, in hundredths. */
struct health_sums {
    uint64_t of_pct[HEALTH_MEASURES], is_pct[HEALTH_MEASURES];
};
void health_add(struct health_sums *sums, const struct signals *signals,
                const struct health_pairs *pairs);

struct health {
    double of; /* the denominator */
    struct signal_rate rate;
    double usual;
    enum health_band band;
};
/* platform: the same of all items. */
struct health health_of(const struct health_sums *sums, const struct health_sums *platform,
                        enum health_measure measure);

#endif
