/* compare.h: what comparable items had at an item's age.
 *
 * Comparable are items of the tenant that are as old or older, were shown to somebody, and have the
 * same first tag; if those are fewer than COMPARABLE_MIN, that have the same class of length; else
 * all. At most COMPARABLE_MAX, from a place in the table on that follows from the item's id.
 *
 * Expected of a step: the median of what they had at that age, linear within a bin of ages; of a
 * rate: theirs pooled. Answers only: nothing here is held.
 *
 * Cost: looks at every item there is. */
#ifndef ZAN_READERS_INSIGHT_COMPARE_H
#define ZAN_READERS_INSIGHT_COMPARE_H

#include "readers/insight/insight.h"
#include "readers/insight/stats.h"

#define COMPARABLE_MIN 12
#define COMPARABLE_MAX 512
#define ATTESTED_MIN   20 /* credited impressions by token, from which on rates are made of those */
#define TELLING_PCT    2000 /* credited impressions from which on a rate says something */

enum comparable_by { COMPARED_TO_NONE, COMPARED_BY_TAG, COMPARED_BY_LENGTH, COMPARED_TO_ALL };
extern const char *const comparable_by_names[];

struct expected {
    double had;               /* credited, of the item itself */
    double middle, low, high; /* credited: median and quartiles */
    double percentile;        /* of the item among them, 0..1 */
};

struct comparison {
    enum comparable_by by;
    uint32_t items; /* comparable ones; 0: by is NONE */
    int64_t age_us;
    bool attested; /* what n is made of */
    struct expected step[FUNNEL];
    double n, s[STEP_COUNT];               /* of the item, in percent */
    double others_n, others_s[STEP_COUNT]; /* of the comparable items, pooled */
    double fit, fit_known;                 /* viewers of the comparable items */
    double stage;                          /* median of theirs */
    double first_budget;                   /* median of those that were given one; 0: none was */
};

void compare_item(const struct insight *insight, const struct insight_item *item, int64_t now_us,
                  struct comparison *comparison);

/* Does n come from tokens? */
bool compare_is_attested(const struct insight_item *item);

/* Credited percent of a step that the item, now lived_us old, had at that age: within a bin of ages
 * it came evenly, as far as the item has lived through it. */
double compare_had(const struct insight_item *item, enum step step, int64_t age_us,
                   int64_t lived_us);

#endif
