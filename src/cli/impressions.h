/* impressions.h: a log of what was shown, for zan recommend rank.
 *
 * Rows as data/kuairand has them (columns time_ms, user_id, video_id, author_id, tag, duration_ms,
 * is_click, long_view, is_like), in order of time. The cut parts them: what is before is learnt
 * from, what is after is ranked, as it was shown.
 *
 * Methods, each learnt from nothing after the cut:
 *
 *   popularity  the item's rate of the outcome, 20 impressions at the mean added
 *   item-knn    likeness of the item to those the account had that outcome with (neighbours.h,
 * cosine, 100) factors     matrix factorisation with a logistic loss: mean, account, item, 8
 * factors each affinity    the model of docs/recommend.md, on long views and likes zan rank.h, with
 * that affinity
 *
 * Memory: 56 bytes a row, and the methods. */
#ifndef ZAN_CLI_IMPRESSIONS_H
#define ZAN_CLI_IMPRESSIONS_H

#include "cli/lines.h"
#include "node/learn.h"
#include "readers/recommend/rank.h"
#include "readers/recommend/work.h"

enum impressions_method {
    IMPRESSIONS_POPULARITY,
    IMPRESSIONS_KNN,
    IMPRESSIONS_FACTORS,
    IMPRESSIONS_AFFINITY,
    IMPRESSIONS_ZAN,
    IMPRESSIONS_METHODS
};

extern const char *const impressions_method_names[IMPRESSIONS_METHODS];

#define IMPRESSIONS_BINS 10
#define IMPRESSIONS_TOP  10

struct impressions_figures {
    double auc;      /* over all impressions after the cut */
    double ndcg;     /* mean over accounts with a hit and a miss, of their first 10 */
    uint32_t groups; /* such accounts */
};

struct impressions {
    uint64_t learnt, ranked;
    uint64_t hits[RANK_OUTCOMES]; /* after the cut */
    struct impressions_figures figures[IMPRESSIONS_METHODS][RANK_OUTCOMES];
    struct rank_bin bin[RANK_OUTCOMES][IMPRESSIONS_BINS]; /* of zan */
    double calibration_error[RANK_OUTCOMES];
    double bias[RANK_OUTCOMES]; /* mean predicted by mean observed */
    double predict_us;          /* one prediction of all three rates */
    char message[LINES_MESSAGE];
};

/* cut: the part of the rows, by time, that is learnt from; above 0, below 1. */
enum status impressions_evaluate(const char *path, double cut, uint64_t seed,
                                 const struct work *work, struct impressions *result);

/* Rates for serving, learnt from impressions of a log, in their order. NOMEMORY. */
enum status impressions_learn(const struct learn_impression *impression, uint64_t count,
                              uint64_t seed, const struct work *work, struct rank **rank);

#endif
