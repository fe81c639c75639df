/* rank.c: see rank.h.
 *
 * Rates stand in one table of places found by hash; a place has room for one key. What is expected
 * of a pair (account and tag, say) is what is known of the account alone, so its feature says only
 * what the pair adds. */
#include "readers/recommend/rank.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"

#define STEP       0.1  /* of AdaGrad */
#define RIDGE      1e-5 /* pulls weights to 0, each time */
#define ODDS_MAX   6    /* log-odds beyond that say nothing more */
#define BUCKETS    64
#define RATE_LEAST 1e-4

enum group {
    GROUP_ITEM,
    GROUP_CREATOR,
    GROUP_TAG,
    GROUP_DURATION,
    GROUP_TAG_DURATION,
    GROUP_ACCOUNT,
    GROUP_ACCOUNT_TAG, /* from here on expected: the account's own rate */
    GROUP_ACCOUNT_CREATOR,
    GROUP_ACCOUNT_DURATION,
    GROUPS
};

/* Impressions at the expected rate that are added to each. */
static const double strength[GROUPS] = {20, 20, 100, 100, 50, 10, 5, 3, 5};

#define FEATURES (1 + GROUPS * RANK_OUTCOMES + 2)

struct place {
    uint64_t key; /* 0: empty */
    float shown, hits[RANK_OUTCOMES];
    uint64_t spare;
};
static_assert(sizeof(struct place) == 32, "rank.h says so");

struct line {
    double weight[FEATURES], squares[FEATURES];
};

struct rank {
    uint32_t slots_log2;
    uint64_t count;
    double hits[RANK_OUTCOMES];
    struct line line[RANK_OUTCOMES];
    struct place *place;
};

const char *const rank_outcome_names[RANK_OUTCOMES] = {"click", "long view", "like"};

struct rank *rank_open(uint32_t slots_log2)
{
    struct rank *rank = calloc(1, sizeof *rank);

    assert(slots_log2 >= 10 && slots_log2 <= 26);
    if (rank == NULL)
        return NULL;
    rank->slots_log2 = slots_log2;
    rank->place = calloc((size_t)1 << slots_log2, sizeof *rank->place);
    if (rank->place == NULL) {
        free(rank);
        return NULL;
    }
    return rank;
}

void rank_close(struct rank *rank)
{
    if (rank == NULL)
        return;
    free(rank->place);
    free(rank);
}

uint64_t rank_count(const struct rank *rank)
{
    return rank->count;
}

/* --- rates ---------------------------------------------------------------------------------------
 */

static uint64_t bucket_of(uint32_t duration_ms)
{
    double third = duration_ms == 0 ? 0 : 3 * log2(duration_ms / 1000.0 + 1);

    return third >= BUCKETS - 1 ? BUCKETS - 1 : (uint64_t)third + (duration_ms > 0);
}

static void keys_of(const struct rank_impression *impression, uint64_t key[GROUPS])
{
    uint64_t bucket = bucket_of(impression->duration_ms), tag = impression->tag;

    key[GROUP_ITEM] = impression->item;
    key[GROUP_CREATOR] = impression->creator;
    key[GROUP_TAG] = tag;
    key[GROUP_DURATION] = bucket;
    key[GROUP_TAG_DURATION] = hash_two(tag, bucket);
    key[GROUP_ACCOUNT] = impression->account;
    key[GROUP_ACCOUNT_TAG] = hash_two(impression->account, tag);
    key[GROUP_ACCOUNT_CREATOR] = hash_two(impression->account, impression->creator);
    key[GROUP_ACCOUNT_DURATION] = hash_two(impression->account, bucket);
    for (uint64_t group = 0; group < GROUPS; group++)
        key[group] = hash_two(key[group], group + 1) | 1; /* never 0 */
}

static struct place *place_of(const struct rank *rank, uint64_t key)
{
    return &rank->place[hash_mix(key) >> (64 - rank->slots_log2)];
}

static double overall(const struct rank *rank, int outcome)
{
    return (rank->hits[outcome] + 1) / ((double)rank->count + 4);
}

static double smoothed(const struct rank *rank, uint64_t key, enum group group, int outcome,
                       double expected)
{
    const struct place *place = place_of(rank, key);

    if (place->key != key)
        return expected;
    return ((double)place->hits[outcome] + strength[group] * expected) /
           ((double)place->shown + strength[group]);
}

static double log_odds(double rate)
{
    if (rate < RATE_LEAST)
        rate = RATE_LEAST;
    if (rate > 1 - RATE_LEAST)
        rate = 1 - RATE_LEAST;
    return log(rate / (1 - rate));
}

static double within(double odds)
{
    return odds > ODDS_MAX ? ODDS_MAX : odds < -ODDS_MAX ? -ODDS_MAX : odds;
}

/* The same for all outcomes, but for the first: the log-odds of the outcome in all, which has
 * weight 1. */
static void features_of(const struct rank *rank, const struct rank_impression *impression,
                        double feature[FEATURES])
{
    uint64_t key[GROUPS];
    uint32_t at = 0;

    keys_of(impression, key);
    feature[at++] = 1;
    for (int outcome = 0; outcome < RANK_OUTCOMES; outcome++) {
        double base = overall(rank, outcome);
        double own = smoothed(rank, key[GROUP_ACCOUNT], GROUP_ACCOUNT, outcome, base);

        for (enum group group = 0; group < GROUPS; group++) {
            double expected = group > GROUP_ACCOUNT ? own : base;
            double rate = smoothed(rank, key[group], group, outcome, expected);

            feature[at++] = within(log_odds(rate) - log_odds(expected));
        }
    }
    feature[at++] = impression->has_affinity;
    feature[at++] =
        impression->has_affinity ? log1p(20 * fmax(0, (double)impression->affinity)) : 0;
    assert(at == FEATURES);
}

static double predict(const struct rank *rank, int outcome, const double feature[FEATURES])
{
    const struct line *line = &rank->line[outcome];
    double odds = log_odds(overall(rank, outcome));

    for (uint32_t i = 0; i < FEATURES; i++)
        odds += line->weight[i] * feature[i];
    return 1 / (1 + exp(-odds));
}

void rank_predict(const struct rank *rank, const struct rank_impression *impression,
                  double rate[RANK_OUTCOMES])
{
    double feature[FEATURES];

    features_of(rank, impression, feature);
    for (int outcome = 0; outcome < RANK_OUTCOMES; outcome++)
        rate[outcome] = predict(rank, outcome, feature);
}

/* --- learning ------------------------------------------------------------------------------------
 */

static void step(struct line *line, const double feature[FEATURES], double error)
{
    for (uint32_t i = 0; i < FEATURES; i++) {
        double slope = error * feature[i] + RIDGE * line->weight[i];

        line->squares[i] += slope * slope;
        if (line->squares[i] > 0)
            line->weight[i] -= STEP * slope / sqrt(line->squares[i]);
    }
}

static void take_in(struct rank *rank, uint64_t key, const bool outcome[RANK_OUTCOMES])
{
    struct place *place = place_of(rank, key);

    if (place->key != key && place->shown >= 1) {
        place->shown *= 0.5F; /* worn down; the next one may have it */
        for (int i = 0; i < RANK_OUTCOMES; i++)
            place->hits[i] *= 0.5F;
        return;
    }
    if (place->key != key)
        *place = (struct place){.key = key};
    place->shown += 1;
    for (int i = 0; i < RANK_OUTCOMES; i++)
        place->hits[i] += outcome[i];
}

void rank_learn(struct rank *rank, const struct rank_impression *impression,
                const bool outcome[RANK_OUTCOMES])
{
    double feature[FEATURES];
    uint64_t key[GROUPS];

    features_of(rank, impression, feature);
    for (int i = 0; i < RANK_OUTCOMES; i++)
        step(&rank->line[i], feature, predict(rank, i, feature) - outcome[i]);
    keys_of(impression, key);
    for (int group = 0; group < GROUPS; group++)
        take_in(rank, key[group], outcome);
    rank->count++;
    for (int i = 0; i < RANK_OUTCOMES; i++)
        rank->hits[i] += outcome[i];
}

/* --- figures -------------------------------------------------------------------------------------
 */

static int by_score(const void *a, const void *b)
{
    const struct rank_case *left = a, *right = b;

    return left->score < right->score ? -1 : left->score > right->score;
}

static int by_group(const void *a, const void *b)
{
    const struct rank_case *left = a, *right = b;

    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    return by_score(b, a); /* the best first */
}

double rank_auc(struct rank_case *cases, uint64_t count)
{
    double hits = 0, pairs = 0;

    qsort(cases, (size_t)count, sizeof *cases, by_score);
    for (uint64_t from = 0, to; from < count; from = to) { /* a run of equal scores */
        double equal = 0, missed = 0;

        for (to = from; to < count && cases[to].score <= cases[from].score; to++) {
            equal += cases[to].hit;
            missed += !cases[to].hit;
        }
        pairs += missed * hits + missed * equal / 2; /* hits below or beside each miss: lost */
        hits += equal;
    }
    return hits == 0 || hits == (double)count ? 0.5 : 1 - pairs / (hits * ((double)count - hits));
}

static double ndcg_of(const struct rank_case *cases, uint64_t count, uint32_t top)
{
    double gain = 0, ideal = 0;
    uint64_t hits = 0;

    for (uint64_t i = 0; i < count; i++)
        hits += cases[i].hit;
    for (uint64_t i = 0; i < count && i < top; i++) {
        double worth = 1 / log2((double)i + 2);

        gain += cases[i].hit ? worth : 0;
        ideal += i < hits ? worth : 0;
    }
    return hits == 0 || hits == count ? -1 : gain / ideal;
}

double rank_ndcg(struct rank_case *cases, uint64_t count, uint32_t top, uint32_t *groups)
{
    double sum = 0;

    *groups = 0;
    qsort(cases, (size_t)count, sizeof *cases, by_group);
    for (uint64_t from = 0, to; from < count; from = to) {
        double ndcg;

        for (to = from; to < count && cases[to].group == cases[from].group; to++)
            ;
        ndcg = ndcg_of(cases + from, to - from, top);
        *groups += ndcg >= 0;
        sum += ndcg >= 0 ? ndcg : 0;
    }
    return *groups == 0 ? 0 : sum / *groups;
}

double rank_calibration(struct rank_case *cases, uint64_t count, uint32_t bins,
                        struct rank_bin *bin)
{
    double error = 0;

    qsort(cases, (size_t)count, sizeof *cases, by_score);
    for (uint32_t b = 0; b < bins; b++) {
        uint64_t from = count * b / bins, to = count * (b + 1) / bins;

        bin[b] = (struct rank_bin){.count = to - from};
        for (uint64_t i = from; i < to; i++) {
            bin[b].predicted += cases[i].score;
            bin[b].observed += cases[i].hit;
        }
        error += fabs(bin[b].predicted - bin[b].observed);
        if (to > from) {
            bin[b].predicted /= (double)(to - from);
            bin[b].observed /= (double)(to - from);
        }
    }
    return count == 0 ? 0 : error / (double)count;
}
