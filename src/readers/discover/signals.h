/* signals.h: what became of an item's impressions, as counts with their denominators.
 *
 * An *impression* is attested: Zan issued it, a VIEW or SKIP came back with its token (record field
 * IMPRESSION). Each account's impression of an item counts once. A *success* is an impression
 * after, or during, which the same account did the act. Who acts without an attested impression is
 * in raw, valid and credited, and in no rate.
 *
 *   raw       accounts that do it now (like, favorite), or that did it (what cannot be taken back)
 *   valid     less those quarantined or voided
 *   credited  percent of an account: what each was worth when it was done, or was later found to be
 *   n, s      percent of an impression: the viewer's weight; of a success the smaller one of the
 *             impression's and the act's. So what nobody believes neither lifts a rate nor starves
 *             it, by one function.
 *
 * Pure; the structs are the caller's.
 * Source of the interval: Wilson 1927, with n of credited impressions. */
#ifndef ZAN_READERS_DISCOVER_SIGNALS_H
#define ZAN_READERS_DISCOVER_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of an exposure, and indexes of the vector. Add at the end. */
enum signal {
    SIGNAL_CLICK,      /* the impression became a view (and was not swiped away) */
    SIGNAL_HOLD,       /* watched 3 s, or the whole of a shorter video */
    SIGNAL_COMPLETION, /* longer than half of all views of such videos */
    SIGNAL_LONG_VIEW,  /* longer than 70 % of them */
    SIGNAL_REPLAY,     /* more than once through: 1.25 times the length */
    SIGNAL_EARLY_EXIT, /* shorter than 80 % of them */
    SIGNAL_LIKE,
    SIGNAL_COMMENT, /* different accounts */
    SIGNAL_SHARE,
    SIGNAL_FOLLOW, /* the creator, within SIGNAL_FOLLOW_US of watching the item */
    SIGNAL_FAVORITE,
    SIGNAL_SKIP,
    SIGNAL_REPORT,
    SIGNAL_COUNT
};

#define SIGNAL_HOLD_MS          3000
#define SIGNAL_COMPLETION_PLACE 0.5
#define SIGNAL_LONG_PLACE       0.7
#define SIGNAL_EARLY_PLACE      0.2
#define SIGNAL_FOLLOW_US        (10LL * 60 * 1000000)

extern const char *const signal_names[SIGNAL_COUNT];

struct signal_tally {
    uint32_t raw, valid;
    uint64_t credited_pct;
    uint64_t success_pct;
};

struct signals {
    struct signal_tally tally[SIGNAL_COUNT];
    uint32_t impressions;          /* attested, one an account */
    uint32_t credited_impressions; /* of those, worth anything */
    uint64_t impressions_pct;
};

/* The same of one stage of a ladder: what a gate decides by. */
struct signal_stage {
    uint64_t n_pct;
    uint32_t success_pct[SIGNAL_COUNT]; /* saturates */
};

/* What a view's watch time says: a bit for each enum signal. place: quantile_place. */
uint16_t signals_of_view(uint32_t watch_ms, uint32_t duration_ms, double place);

struct signal_rate {
    double rate;      /* successes by impressions; 0 of 0: 0 */
    double low, high; /* Wilson, 95 % */
};
struct signal_rate signals_rate(uint64_t success_pct, uint64_t n_pct);

/* Title and content disagree: many click, many leave early, few like. Each against what the
 * platform shows, and only where the interval leaves no doubt. base: the platform's own rates. */
enum mismatch {
    MISMATCH_UNKNOWN, /* too few impressions to say */
    MISMATCH_NONE,
    MISMATCH_TITLE /* promises what the content does not keep */
};
#define MISMATCH_IMPRESSIONS_PCT (100 * 100) /* 100 credited impressions */
enum mismatch signals_mismatch(const struct signals *item, const struct signals *base);

#endif
