/* rank.h: how likely one impression becomes a click, a long view, a like.
 *
 * A logistic regression for each outcome, over how far the observed rates of the item, its creator,
 * its tag, its length and the account (alone, and with each of these) lie from what was to be
 * expected, and the account's affinity to the item (recommend.h). It learns from one impression at
 * a time: first from the rates as they were before it, then the rates take it in; so what it learns
 * is how far a rate can be trusted for something new, and its answers are rates, not only an order.
 *
 *   rate         0..1
 *   log-odds     log(p / (1 - p)), of rates smoothed by `strength` impressions at the expected rate
 *   duration     in buckets of a third of an octave
 *
 * Holds always: the same impressions in the same order give the same bits; nothing is read but what
 * is handed in. Memory:       fixed at rank_open: 2^slots_log2 * 32 bytes for the rates. A full
 * place is taken over by what comes, if it was seen more seldom: each visit wears it down. Source:
 * per-coordinate steps: Duchi, Hazan, Singer, JMLR 2011 (AdaGrad). */
#ifndef ZAN_READERS_RECOMMEND_RANK_H
#define ZAN_READERS_RECOMMEND_RANK_H

#include <stdbool.h>
#include <stdint.h>

enum rank_outcome { RANK_CLICK, RANK_LONG_VIEW, RANK_LIKE, RANK_OUTCOMES };

extern const char *const rank_outcome_names[RANK_OUTCOMES];

struct rank_impression {
    uint64_t account, item, creator;
    uint32_t tag;         /* the main one; 0: none */
    uint32_t duration_ms; /* 0: not known */
    bool has_affinity;    /* the model knew some of the account's history */
    float affinity;       /* recommend_score */
};

struct rank;

/* NULL: no memory. slots_log2 in 10..26. */
struct rank *rank_open(uint32_t slots_log2);
void rank_close(struct rank *rank); /* NULL is allowed */

void rank_predict(const struct rank *rank, const struct rank_impression *impression,
                  double rate[RANK_OUTCOMES]);

/* What became of it. */
void rank_learn(struct rank *rank, const struct rank_impression *impression,
                const bool outcome[RANK_OUTCOMES]);

/* Impressions learnt from. */
uint64_t rank_count(const struct rank *rank);

/* --- how good an order, and how true a rate, is --------------------------------------------------
 */

struct rank_case {
    uint64_t group; /* cases of one account */
    double score;
    bool hit;
};

/* The chance that of a hit and a miss, drawn at random, the hit has the higher score; equal ones
 * count half. Sorts the cases. 0.5 if there is no such pair. */
double rank_auc(struct rank_case *cases, uint64_t count);

/* The mean over groups with a hit and a miss of the NDCG of their first `top` by score (of equal
 * scores, the mean of their orders is not taken: the caller breaks ties at random by adding to the
 * score). Sorts the cases. groups: how many. */
double rank_ndcg(struct rank_case *cases, uint64_t count, uint32_t top, uint32_t *groups);

/* Cases by score in `bins` of equal size: mean score and share of hits of each, and the mean of
 * their differences weighed by size: the expected calibration error. Sorts the cases. */
struct rank_bin {
    uint64_t count;
    double predicted, observed;
};
double rank_calibration(struct rank_case *cases, uint64_t count, uint32_t bins,
                        struct rank_bin *bin);

#endif
