/* pool_eval.h: what zan pool eval plays: worlds of items, and policies that share impressions out
 * among them.
 *
 * A world is a cohort of items of one hour, drawn without replacement from real videos. Each has
 * its real rates (platform's own daily averages, data/kuairand/videos.tsv.gz, of plays: in a feed
 * that plays by itself an impression is a play), and nobody knows them. A policy shares out items *
 * even impressions; after each share it sees what they brought. A viewer is shown 20 items and none
 * twice, so an item has at most items * even / 20.
 *
 *   value     rate / the platform's mean rate, long view and like, summed: a like and a long view
 * are worth the same in all. What is truly best is judged by true values; --truth takes likes or
 * long views alone. long view is watched longer than 70 % of the views of its length
 * (discovery.md), so 30 % of a bucket's: an item's rate is 0.3 * its own long_time_play rate / that
 * of its bucket of duration (ten of them) like      given a long view 3.87 times as likely as
 * without one (data/kuairand/impressions.tsv.gz: 3.51 and 0.91 %)
 *
 * What a platform knows before: the other half of the videos (by a hash of their ids), 500
 * impressions of each.
 *
 * Measures, the same for every policy:
 *   found     of the truly best tenth, the share that is in the policy's own choice of a tenth at
 * the end wasted    share of all impressions that went to the truly worst half stopped   of the
 * truly best tenth, the share that got less than an even share of the impressions: whatever a
 * policy calls it, it has stopped them
 *
 * Randomness: one stream for a world, one for each policy in it, both from the seed. */
#ifndef ZAN_CLI_POOL_EVAL_H
#define ZAN_CLI_POOL_EVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/lines.h"
#include "readers/discover/pool.h"

#define POOL_ITEMS_MAX  1000
#define POOL_SLOTS      20 /* shown to one viewer */
#define POOL_PAST_SEEN  500
#define POOL_LIKE_LIFT  3.87
#define POOL_LONG_SHARE 0.3
#define POOL_TAGS_MAX   256

/* --- chance ---------------------------------------------------------------------------------- */

struct pool_random {
    uint64_t state;
};

uint64_t pool_random_next(struct pool_random *random);
double pool_random_unit(struct pool_random *random); /* in (0, 1) */
uint32_t pool_random_below(struct pool_random *random, uint32_t bound);
double pool_random_beta(struct pool_random *random, struct gate_beta beta);
uint32_t pool_random_binomial(struct pool_random *random, uint32_t n, double p);
/* x down or up to a whole number, such that it is x on average. */
uint32_t pool_random_round(struct pool_random *random, double x);

/* --- data --------------------------------------------------------------------------------------
 */

struct pool_video {
    uint64_t id;
    double rate[POOL_METRICS];
    double duration_s, plays;
    uint32_t kind;        /* of what it is: tag and length; priors are learnt by it */
    bool past;            /* of those that teach */
    uint32_t tape, shown; /* first bit and number of its real impressions */
};

struct pool_data {
    struct pool_video *video;
    uint32_t count;
    uint32_t kinds;
    double mean[POOL_METRICS];
    uint8_t
        *tape; /* of all videos: bit per metric of each real impression, by video, in time order */
};

/* directory: with videos.tsv.gz, and impressions.tsv.gz if tapes are wanted. */
enum status pool_data_load(const char *directory, bool tapes, struct pool_data *data,
                           char message[LINES_MESSAGE]);
void pool_data_free(struct pool_data *data);

/* --- worlds --------------------------------------------------------------------------------------
 */

enum pool_truth { POOL_BY_VALUE, POOL_BY_LIKES, POOL_BY_LONG };

struct pool_entrant {
    const struct pool_video *video;
    double rate[POOL_AUDIENCES][POOL_METRICS];
    struct gate_beta prior[POOL_METRICS];
    double truth;
    bool best, worst, mismatched;
};

struct pool_world {
    const struct pool_data *data;
    const struct pool_rule *rule;
    struct pool_platform platform; /* learnt with tags */
    struct pool_tag tags[4 * POOL_TAGS_MAX];
    struct pool_entrant item[POOL_ITEMS_MAX];
    uint32_t count, even, cap;
    bool tapes;
    struct pool_past *past; /* scratch */
    double *values;         /* of the items that taught, sorted */
    uint32_t learnt;        /* how many */
};

struct pool_world_options {
    uint32_t items, even;
    enum pool_truth truth;
    bool tapes;        /* real impressions instead of drawn ones */
    double mismatched; /* share of the items whose first audience does not suit them */
    const char *rule;  /* ours; NULL: default */
};

void pool_world_make(struct pool_world *world, const struct pool_data *data,
                     const struct pool_rule *rule, const struct pool_world_options *options,
                     uint64_t seed);
void pool_world_free(struct pool_world *world);

/* --- races
 * ---------------------------------------------------------------------------------------- */

struct pool_race {
    const struct pool_world *world;
    struct pool_random random;
    struct pool_item item[POOL_ITEMS_MAX];
    uint32_t shown[POOL_ITEMS_MAX];
    uint32_t begin[POOL_ITEMS_MAX];  /* where its tape begins */
    uint32_t left;                   /* impressions to give */
    uint32_t looked[POOL_ITEMS_MAX]; /* shown when it was last looked at */
    struct pool_look look[POOL_ITEMS_MAX];
    double score[POOL_ITEMS_MAX]; /* by which the policy ranks in the end */
    bool ended[POOL_ITEMS_MAX];   /* stopped for good */
};

struct pool_figures {
    double found, wasted, stopped, ended, best_share;
};

struct pool_policy {
    const char *name, *what;
    bool rival; /* one of those that are to be beaten */
    void (*play)(struct pool_race *race, const struct pool_policy *policy);
    /* what play is to do; each policy uses some */
    const char *rule; /* of literal; ours have the world's */
    bool by_value, no_tags, one_audience, plain_share;
    double bar_quantile, half, steep;
};

extern const struct pool_policy pool_policies[];
extern const uint32_t pool_policy_count;
#define POOL_POLICIES_MAX 24

void pool_race_begin(const struct pool_world *world, uint64_t seed, struct pool_race *race);

/* Shows an item to so many viewers at most; returns how many it were. */
uint32_t pool_show(struct pool_race *race, uint32_t item, uint32_t audience, uint32_t viewers);
void pool_race_run(const struct pool_world *world, const struct pool_policy *policy, uint64_t seed,
                   struct pool_race *race, struct pool_figures *figures);

/* --- attacks and monopoly
 * ------------------------------------------------------------------------- */

struct pool_attack {
    const char *name, *what;
    double fake_views, fake_likes; /* for each real impression */
    double weight;                 /* credited, of each fake */
    double goal;                   /* share of runs that may change; below 0: told */
};
extern const struct pool_attack pool_attacks[];
extern const uint32_t pool_attack_count;

struct pool_attack_figures {
    uint64_t runs, changed, moved_much, changed_literal;
    double share_moved; /* the most that a share was moved by, mean over the runs */
};
/* One item of the world, up its ladder alone; each look is made again with the fakes. */
void pool_attack_run(const struct pool_world *world, const struct pool_attack *attack,
                     uint64_t seed, struct pool_race *race, struct pool_attack_figures *figures);

struct pool_monopoly {
    double gini_items, gini_authors, newcomers, top_author;
};
enum pool_monopoly_kind { POOL_GREEDY, POOL_WITHOUT, POOL_WITH, POOL_MONOPOLY_KINDS };
extern const char *const pool_monopoly_names[POOL_MONOPOLY_KINDS];
void pool_monopoly_run(const struct pool_world *world, enum pool_monopoly_kind kind, uint64_t seed,
                       struct pool_race *race, struct pool_monopoly *figures);

#endif
