/* diagnose.h: where an item loses, against comparable items. Pure.
 *
 * likes = shown x view/shown x hold/view x like/hold. Expected of each factor is what comparable
 * items have: the median of shown, and pooled rates. An item's own rates are drawn towards these by
 * DIAGNOSE_PRIOR impressions' worth, so that chance is not taken for a cause.
 *
 *   lost of a factor   = likes x (expected / actual - 1): what the item would have had more of,
 * were that one factor as expected and all others as they are found              beyond chance:
 * Wilson's 95 % interval leaves the expected rate out; of what is shown: under the lowest quarter
 *
 * Losses of several causes overlap and do not add up. A comment counts as COMMENT_LIKES likes, as
 * it does in heat. docs/insight.md says what each cause explains of its factor. */
#ifndef ZAN_READERS_INSIGHT_DIAGNOSE_H
#define ZAN_READERS_INSIGHT_DIAGNOSE_H

#include "readers/insight/compare.h"

#define DIAGNOSE_PRIOR_PCT 2000.0 /* 20 impressions */
#define COMMENT_LIKES      4.0
#define SAME_OF            10 /* items before this one */
#define SAME_MIN           5
#define SAME_SHARE         0.7
#define FIT_MIN            20

enum cause {
    CAUSE_GATE,
    CAUSE_ACCOUNT_WEIGHT,
    CAUSE_ASLEEP,
    CAUSE_REACH,
    CAUSE_WEAK_CLICK,
    CAUSE_MISMATCH,
    CAUSE_WEAK_START,
    CAUSE_WRONG_AUDIENCE,
    CAUSE_WEAK_MIDDLE,
    CAUSE_SAMENESS,
    CAUSE_WEAK_LIKE,
    CAUSE_FEW_COMMENTS,
    CAUSE_COUNT
};

enum cause_group { CAUSE_OF_ALGORITHM, CAUSE_OF_AUDIENCE, CAUSE_OF_CONTENT };
enum cause_verdict { CAUSE_FOUND, CAUSE_LIKELY, CAUSE_FINE, CAUSE_UNKNOWN, CAUSE_NOT_USED };

struct cause_info {
    const char *name, *measure;
    enum cause_group group;
};
extern const struct cause_info cause_infos[CAUSE_COUNT];
extern const char *const cause_group_names[];
extern const char *const cause_verdict_names[];

/* What comparison does not have. */
struct diagnose_facts {
    bool on_ladder, stopped;
    double stage;
    double first_budget; /* 0: none was given */
    bool hours_known;
    struct share awake; /* acts in the hours after publication, of all; percent of acts */
    double fit, fit_known, fit_liked, unfit_liked;
    uint32_t before,
        same; /* items of the creator before this one, SAME_OF at most; of its first tag */
    struct share same_like; /* likes of impressions of those */
};

struct diagnosed {
    enum cause cause;
    enum cause_verdict verdict;
    double lost; /* likes */
    double number, compared;
    double n; /* that the number is of */
};

struct diagnosis {
    double expected, likes, lost;
    struct diagnosed cause[CAUSE_COUNT]; /* found first, then likely ones; each by what is lost */
};

/* With nothing comparable every cause is unknown, and expected 0. */
void diagnose(const struct comparison *comparison, const struct diagnose_facts *facts,
              struct diagnosis *diagnosis);

#endif
