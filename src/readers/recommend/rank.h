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
 * Served (rank_read): what was learnt of items, creators, tags and lengths, without a word of any
 * account. Whoever asks brings what he knows of the account (`side`); of it, files keep nothing.
 *
 * Holds always: the same impressions in the same order give the same bits; nothing is read but what
 * is handed in. Memory:       fixed at rank_open: 2^slots_log2 * 32 bytes for the rates. A full
 * place is taken over by what comes, if it was seen more seldom: each visit wears it down. Source:
 * per-coordinate steps: Duchi, Hazan, Singer, JMLR 2011 (AdaGrad). */
#ifndef ZAN_READERS_RECOMMEND_RANK_H
#define ZAN_READERS_RECOMMEND_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rank_outcome { RANK_CLICK, RANK_LONG_VIEW, RANK_LIKE, RANK_OUTCOMES };

extern const char *const rank_outcome_names[RANK_OUTCOMES];

/* Impressions of one account, and what became of them. */
struct rank_side {
    double shown, hits[RANK_OUTCOMES];
};
enum { RANK_OF_ACCOUNT, RANK_OF_TAG, RANK_OF_CREATOR, RANK_OF_DURATION, RANK_SIDES };

struct rank_impression {
    uint64_t account, item, creator;
    uint32_t tag;                 /* the main one; 0: none */
    uint32_t duration_ms;         /* 0: not known */
    bool has_affinity;            /* the model knew some of the account's history */
    float affinity;               /* recommend_score */
    const struct rank_side *side; /* RANK_SIDES: all of it, with this tag, creator, length; NULL: as
                                     learnt, and of one that was read: nothing */
};

/* The number of a tag (tags_id): never 0. */
static inline uint32_t rank_tag(uint64_t id)
{
    return (uint32_t)(id >> 32) | 1;
}
/* The length as it is looked at: 0, not known, to 63. */
uint32_t rank_length(uint32_t duration_ms);

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

/* How often the outcome is, of all impressions. */
double rank_usual(const struct rank *rank, enum rank_outcome outcome);
/* Impressions that the item was learnt from. */
double rank_shown(const struct rank *rank, uint64_t item);

/* As bytes, for the file of a model (docs/formats.md). */
size_t rank_bytes(const struct rank *rank);
void rank_write(const struct rank *rank, void *bytes);
/* NULL: they make no sense, or there is no memory. One to be asked, and never to learn. */
struct rank *rank_read(const void *bytes, size_t size);

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
