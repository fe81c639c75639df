/* evaluate.h: how well a model ranks what was held back.
 *
 * All items that an account has not in `seen` are ranked by score (of equal ones the lower place
 * goes first), and the first TOP of them are held against what it has in `held`:
 *
 *   recall   hits / items held back
 *   ndcg     sum over hits of 1 / log2(rank + 1), as a share of what min(held, TOP) hits in front
 * would give
 *
 * each the mean over accounts with something held back: the protocol of LightGCN (He et al., SIGIR
 * 2020).
 *
 * Memory: 512 bytes an item a thread, and 16 an account and setting. */
#ifndef ZAN_READERS_RECOMMEND_EVALUATE_H
#define ZAN_READERS_RECOMMEND_EVALUATE_H

#include "readers/recommend/matrix.h"
#include "readers/recommend/model.h"
#include "readers/recommend/work.h"

#define EVALUATE_TOP          20
#define EVALUATE_SETTINGS_MAX 64

/* One way to mix: the first `rank` factors, by this share. */
struct evaluate_setting {
    uint32_t rank;
    float share;
};

struct evaluate_figures {
    double recall, ndcg;
    uint32_t accounts;
};

/* Figures of each setting; settings ascend by rank. Accounts: of every one with something held back
 * the share whose number, hashed with seed, is among the lowest `most` (0: all of them). Places of
 * the model are columns of the matrices. NOMEMORY. */
struct evaluate_task {
    const struct model *model;
    const struct matrix *seen, *held;
    const struct evaluate_setting *settings;
    uint32_t setting_count;
    uint32_t most;
    uint64_t seed;
};
enum status evaluate(const struct evaluate_task *task, const struct work *work,
                     struct evaluate_figures *figures);

/* The metrics of one ranking: hit[i] says whether rank i + 1 is right. */
double evaluate_recall(const uint8_t *hit, uint32_t count, uint32_t held);
double evaluate_ndcg(const uint8_t *hit, uint32_t count, uint32_t held);

#endif
