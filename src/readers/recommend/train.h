/* train.h: from a matrix to a model, with what is to be chosen chosen on a part of it that was held
 * back.
 *
 * One setting for every data set; what differs between them (how much the taste of those who take
 * much counts, how strong the ridge is, rank and share of the low-pass) is found by holding back a
 * fifth of each account's items, fitting the rest a few times, and taking what ranks the held ones
 * best (recall + ndcg). Then everything is fitted with that.
 *
 * Memory:  train_bytes says what it takes at most, before it takes anything. */
#ifndef ZAN_READERS_RECOMMEND_TRAIN_H
#define ZAN_READERS_RECOMMEND_TRAIN_H

#include "readers/recommend/evaluate.h"
#include "readers/recommend/matrix.h"
#include "readers/recommend/model.h"
#include "readers/recommend/work.h"

struct train_setting {
    double account_power, item_power, penalty; /* ridge.h */
    uint32_t neighbours;
    uint32_t rank; /* of the low-pass; 0: none */
    double share;
};

struct train_options {
    uint64_t seed;
    bool tune;                  /* else start is taken as it is */
    struct train_setting start; /* train_default() */
    uint64_t memory_bytes;      /* 0: no bound */
    struct work work;
};

struct train_report {
    struct train_setting setting;        /* chosen */
    struct evaluate_figures held;        /* what it reached on what was held back; 0 without tune */
    struct evaluate_figures ridge_alone; /* and the ridge without low-pass */
    uint32_t fits;                       /* of the ridge, with the last */
    uint64_t bytes;                      /* train_bytes */
};

struct train_setting train_default(void);

/* Bytes that training takes at most, with the matrix itself. */
uint64_t train_bytes(const struct matrix *matrix, const struct train_options *options);

/* ids of the columns, ascending; NULL: their numbers. NOSPACE: more than memory_bytes; nothing was
 * done. NOMEMORY; BADDATA: nothing to learn from (fewer than two items, no pair). Version and
 * tenant of the model are the caller's to set. */
enum status train_model(const struct matrix *matrix, const uint64_t *ids,
                        const struct train_options *options, struct model *model,
                        struct train_report *report);

/* To hold others against: scores are the number of accounts, or sums of likeness to the 100 nearest
 * items (the cosine, neighbours.h with a = 0 and b = 0.5). */
enum status train_popularity(const struct matrix *matrix, struct model *model);
enum status train_item_knn(const struct matrix *matrix, const struct work *work,
                           struct model *model);

#endif
