/* rank.c: see rank.h.
 *
 * Rates stand in one table of places found by hash; a place has room for one key. What is expected
 * of a pair (account and tag, say) is what is known of the account alone, so its feature says only
 * what the pair adds. */
#include "readers/recommend/rank.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    uint64_t group; /* enum group */
};
static_assert(sizeof(struct place) == 32, "rank.h says so");

struct line {
    double weight[FEATURES], squares[FEATURES];
};

struct rank {
    uint32_t slots_log2;
    bool served; /* was read: a key stands at the first free place from its own */
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

uint32_t rank_length(uint32_t duration_ms)
{
    double third = duration_ms == 0 ? 0 : 3 * log2(duration_ms / 1000.0 + 1);

    return third >= BUCKETS - 1 ? BUCKETS - 1 : (uint32_t)third + (duration_ms > 0);
}

static void keys_of(const struct rank_impression *impression, uint64_t key[GROUPS])
{
    uint64_t bucket = rank_length(impression->duration_ms), tag = impression->tag;

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

/* NULL: nothing is known of it. */
static const struct place *find(const struct rank *rank, uint64_t key)
{
    const struct place *place = place_of(rank, key),
                       *end = rank->place + (1ULL << rank->slots_log2);

    while (rank->served && place->key != 0 && place->key != key)
        place = place + 1 < end ? place + 1 : rank->place;
    return place->key == key ? place : NULL;
}

double rank_usual(const struct rank *rank, enum rank_outcome outcome)
{
    return overall(rank, (int)outcome);
}

double rank_shown(const struct rank *rank, uint64_t item)
{
    const struct place *place = find(rank, hash_two(item, GROUP_ITEM + 1) | 1);

    return place == NULL ? 0 : (double)place->shown;
}

/* What is known of each group of an impression. */
static void sides_of(const struct rank *rank, const struct rank_impression *impression,
                     struct rank_side side[GROUPS])
{
    uint64_t key[GROUPS];

    keys_of(impression, key);
    for (enum group group = 0; group < GROUPS; group++) {
        const struct place *place;

        side[group] = (struct rank_side){0};
        if (group >= GROUP_ACCOUNT && impression->side != NULL) {
            side[group] = impression->side[group - GROUP_ACCOUNT];
            continue;
        }
        if ((place = find(rank, key[group])) == NULL)
            continue;
        side[group].shown = (double)place->shown;
        for (int outcome = 0; outcome < RANK_OUTCOMES; outcome++)
            side[group].hits[outcome] = (double)place->hits[outcome];
    }
}

static double smoothed(const struct rank_side *side, enum group group, int outcome, double expected)
{
    return (side->hits[outcome] + strength[group] * expected) / (side->shown + strength[group]);
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
    struct rank_side side[GROUPS];
    uint32_t at = 0;

    sides_of(rank, impression, side);
    feature[at++] = 1;
    for (int outcome = 0; outcome < RANK_OUTCOMES; outcome++) {
        double base = overall(rank, outcome);
        double own = smoothed(&side[GROUP_ACCOUNT], GROUP_ACCOUNT, outcome, base);

        for (enum group group = 0; group < GROUPS; group++) {
            double expected = group > GROUP_ACCOUNT ? own : base;
            double rate = smoothed(&side[group], group, outcome, expected);

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

static void take_in(struct rank *rank, uint64_t key, enum group group,
                    const bool outcome[RANK_OUTCOMES])
{
    struct place *place = place_of(rank, key);

    if (place->key != key && place->shown >= 1) {
        place->shown *= 0.5F; /* worn down; the next one may have it */
        for (int i = 0; i < RANK_OUTCOMES; i++)
            place->hits[i] *= 0.5F;
        return;
    }
    if (place->key != key)
        *place = (struct place){.key = key, .group = group};
    place->shown += 1;
    for (int i = 0; i < RANK_OUTCOMES; i++)
        place->hits[i] += outcome[i];
}

void rank_learn(struct rank *rank, const struct rank_impression *impression,
                const bool outcome[RANK_OUTCOMES])
{
    double feature[FEATURES];
    uint64_t key[GROUPS];

    assert(!rank->served && impression->side == NULL);
    features_of(rank, impression, feature);
    for (int i = 0; i < RANK_OUTCOMES; i++)
        step(&rank->line[i], feature, predict(rank, i, feature) - outcome[i]);
    keys_of(impression, key);
    for (enum group group = 0; group < GROUPS; group++)
        take_in(rank, key[group], group, outcome);
    rank->count++;
    for (int i = 0; i < RANK_OUTCOMES; i++)
        rank->hits[i] += outcome[i];
}

/* --- as bytes ------------------------------------------------------------------------------------
 */

struct rank_head {
    char magic[8];
    uint32_t features, outcomes;
    uint64_t count, places;
    double hits[RANK_OUTCOMES];
    double weight[RANK_OUTCOMES][FEATURES];
};

struct kept {
    uint64_t key;
    float shown, hits[RANK_OUTCOMES];
};
static_assert(sizeof(struct kept) == 24, "docs/formats.md");

/* Of an account nothing is written. */
static bool is_kept(const struct place *place)
{
    return place->key != 0 && place->group < GROUP_ACCOUNT;
}

static uint64_t kept_count(const struct rank *rank)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < 1ULL << rank->slots_log2; i++)
        count += is_kept(&rank->place[i]);
    return count;
}

size_t rank_bytes(const struct rank *rank)
{
    return sizeof(struct rank_head) + (size_t)kept_count(rank) * sizeof(struct kept);
}

static int by_key(const void *a, const void *b)
{
    const struct kept *left = a, *right = b;

    return left->key < right->key ? -1 : left->key > right->key;
}

void rank_write(const struct rank *rank, void *bytes)
{
    struct rank_head head = {.magic = "ZANRATES",
                             .features = FEATURES,
                             .outcomes = RANK_OUTCOMES,
                             .count = rank->count,
                             .places = kept_count(rank)};
    struct kept *kept = (void *)((char *)bytes + sizeof head);
    uint64_t at = 0;

    memcpy(head.hits, rank->hits, sizeof head.hits);
    for (int i = 0; i < RANK_OUTCOMES; i++)
        memcpy(head.weight[i], rank->line[i].weight, sizeof head.weight[i]);
    memcpy(bytes, &head, sizeof head);
    for (uint64_t i = 0; i < 1ULL << rank->slots_log2; i++)
        if (is_kept(&rank->place[i])) {
            struct kept one = {.key = rank->place[i].key, .shown = rank->place[i].shown};

            memcpy(one.hits, rank->place[i].hits, sizeof one.hits);
            memcpy(&kept[at++], &one, sizeof one);
        }
    qsort(kept, (size_t)head.places, sizeof *kept, by_key);
}

static bool makes_sense(const struct rank_head *head, size_t size)
{
    if (memcmp(head->magic, "ZANRATES", sizeof head->magic) != 0 || head->features != FEATURES ||
        head->outcomes != RANK_OUTCOMES || head->places > 1ULL << 28 ||
        size != sizeof *head + (size_t)head->places * sizeof(struct kept))
        return false;
    for (int i = 0; i < RANK_OUTCOMES; i++) {
        if (!(head->hits[i] >= 0 && head->hits[i] <= (double)head->count))
            return false;
        for (int j = 0; j < FEATURES; j++)
            if (!isfinite(head->weight[i][j]))
                return false;
    }
    return true;
}

static bool put_kept(struct rank *rank, const struct kept *kept)
{
    struct place *place = place_of(rank, kept->key),
                 *end = rank->place + (1ULL << rank->slots_log2);

    if (kept->key == 0 || !(kept->shown >= 0) || !isfinite(kept->shown))
        return false;
    while (place->key != 0)
        place = place + 1 < end ? place + 1 : rank->place;
    *place = (struct place){.key = kept->key, .shown = kept->shown};
    for (int i = 0; i < RANK_OUTCOMES; i++) {
        if (!(kept->hits[i] >= 0 && kept->hits[i] <= kept->shown))
            return false;
        place->hits[i] = kept->hits[i];
    }
    return true;
}

struct rank *rank_read(const void *bytes, size_t size)
{
    struct rank_head head;
    struct rank *rank;
    uint32_t slots_log2 = 10;
    uint64_t before = 0;

    if (size < sizeof head)
        return NULL;
    memcpy(&head, bytes, sizeof head);
    if (!makes_sense(&head, size))
        return NULL;
    while (1ULL << slots_log2 < 2 * head.places && slots_log2 < 26)
        slots_log2++;
    rank = head.places < 1ULL << slots_log2 ? rank_open(slots_log2) : NULL;
    if (rank == NULL)
        return NULL;
    rank->served = true;
    rank->count = head.count;
    memcpy(rank->hits, head.hits, sizeof rank->hits);
    for (int i = 0; i < RANK_OUTCOMES; i++)
        memcpy(rank->line[i].weight, head.weight[i], sizeof head.weight[i]);
    for (uint64_t i = 0; i < head.places; i++) {
        struct kept kept;

        memcpy(&kept, (const char *)bytes + sizeof head + i * sizeof kept, sizeof kept);
        if (kept.key <= before || !put_kept(rank, &kept)) {
            rank_close(rank);
            return NULL;
        }
        before = kept.key;
    }
    return rank;
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
