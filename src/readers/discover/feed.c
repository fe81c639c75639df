/* feed.c: see feed.h.
 *
 * The factor d^2 of every candidate is kept up to date with an incremental Cholesky factorisation
 * of the Gram matrix: when j is placed, row[i] = (S_ij - <row_i, row_j>) / d_j and d_i^2 -=
 * row[i]^2. The matrix is (1 - JITTER) S + JITTER I, so that two equal candidates stay a finite
 * penalty apart. */
#include "readers/discover/feed.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define JITTER 0.05

struct choice {
    const struct feed_rule *rule;
    const struct feed_past *past;
    const struct feed_item *items;
    uint32_t count;
    uint32_t *places;
    uint32_t placed;
    uint32_t run_trait, run; /* how many of the last shown, in a row, have this first trait */
    uint32_t placed_of[FEED_SOURCE_COUNT];
    struct feed_work *work;
};

struct feed_rule feed_rule_default(void)
{
    return (struct feed_rule){.diversity = 0.5,
                              .author_decay = 0.5,
                              .author_floor = 0.25,
                              .author_cap = 3,
                              .streak = 10,
                              .pool_share = 0.15,
                              .newcomer_share = 0.05,
                              .campaign_share = 0.05,
                              .gift_share = 0.05};
}

const char *feed_source_name(uint8_t source)
{
    static const char *const names[FEED_SOURCE_COUNT] = {"model",    "interest",     "follow",
                                                         "top",      "pool",         "newcomer",
                                                         "campaign", "compensation", "credit"};

    return source < FEED_SOURCE_COUNT ? names[source] : "?";
}

static void traits_to_length_1(struct feed_item *item)
{
    double sum = 0;

    assert(item->trait_count <= FEED_TRAITS);
    for (uint8_t i = 0; i < item->trait_count; i++)
        sum += (double)item->traits[i].weight * (double)item->traits[i].weight;
    for (uint8_t i = 0; i < item->trait_count && sum > 0; i++)
        item->traits[i].weight = (float)((double)item->traits[i].weight / sqrt(sum));
}

double feed_alike(const struct feed_item *a, const struct feed_item *b)
{
    double sum = 0;

    for (uint8_t i = 0; i < a->trait_count; i++)
        for (uint8_t j = 0; j < b->trait_count; j++)
            if (a->traits[i].id == b->traits[j].id)
                sum += (double)a->traits[i].weight * (double)b->traits[j].weight;
    return sum > 1 ? 1 : sum;
}

static uint32_t first_trait(const struct feed_item *item)
{
    return item->trait_count > 0 ? item->traits[0].id : 0;
}

static void run_on(struct choice *choice, uint32_t trait)
{
    choice->run = trait == choice->run_trait ? choice->run + 1 : 1;
    choice->run_trait = trait;
}

static void begin(struct choice *choice, struct feed_item *items)
{
    const struct feed_past *past = choice->past;

    memset(choice->work->taken, 0, sizeof choice->work->taken);
    memset(choice->work->here, 0, sizeof choice->work->here);
    for (uint32_t i = past->count; i > 0; i--)
        run_on(choice, past->at[i - 1].trait);
    for (uint32_t i = 0; i < choice->count; i++) {
        assert(items[i].score > 0 && items[i].source < FEED_SOURCE_COUNT);
        traits_to_length_1(&items[i]);
        choice->work->d2[i] = 1;
        choice->work->author[i] = 1;
        for (uint32_t p = 0; p < past->count; p++)
            if (past->at[p].creator == items[i].creator)
                choice->work->author[i] *= choice->rule->author_decay;
    }
}

static double author_factor(const struct choice *choice, uint32_t i)
{
    return (1 - choice->rule->author_floor) * choice->work->author[i] + choice->rule->author_floor;
}

static double streak_factor(const struct choice *choice, uint32_t trait)
{
    double share = trait != 0 && trait == choice->run_trait
                       ? (double)choice->run / (double)choice->rule->streak
                       : 0;

    return 1 / (1 + share * share * share * share);
}

static double worth(const struct choice *choice, uint32_t i)
{
    const struct feed_item *item = &choice->items[i];

    return log(item->score * author_factor(choice, i) * streak_factor(choice, first_trait(item))) +
           choice->rule->diversity * log(choice->work->d2[i]);
}

/* The lower of two equals is the one with the lower id, whatever order they came in. */
static bool is_better(double worth, const struct feed_item *item, double best,
                      const struct feed_item *than)
{
    return than == NULL || worth > best || (worth == best && item->item < than->item);
}

/* The best that is left of these sources (bits), or count if there is none. */
static uint32_t best_of(const struct choice *choice, uint32_t sources, bool capped)
{
    uint32_t found = choice->count;
    double best = 0;

    for (uint32_t i = 0; i < choice->count; i++) {
        const struct feed_item *item = &choice->items[i];
        double value;

        if (choice->work->taken[i] || !(sources >> item->source & 1))
            continue;
        if (capped && choice->work->here[i] >= choice->rule->author_cap)
            continue;
        value = worth(choice, i);
        if (is_better(value, item, best, found < choice->count ? &choice->items[found] : NULL)) {
            found = i;
            best = value;
        }
    }
    return found;
}

/* From now on the candidates are judged beside this one, too; copies of it are out. */
static void place(struct choice *choice, uint32_t j)
{
    float *row = choice->work->rows[choice->placed];
    double length = sqrt(choice->work->d2[j]);

    for (uint32_t i = 0; i < choice->count; i++) {
        double product = (1 - JITTER) * feed_alike(&choice->items[i], &choice->items[j]);

        if (choice->work->taken[i])
            continue;
        for (uint32_t p = 0; p < choice->placed; p++)
            product -= (double)choice->work->rows[p][i] * (double)choice->work->rows[p][j];
        row[i] = (float)(product / length);
        choice->work->d2[i] -= (double)row[i] * (double)row[i];
        if (choice->work->d2[i] < JITTER / 2)
            choice->work->d2[i] = JITTER / 2; /* rounding */
        choice->work->taken[i] = choice->items[i].item == choice->items[j].item;
        if (choice->items[i].creator == choice->items[j].creator) {
            choice->work->here[i]++;
            choice->work->author[i] *= choice->rule->author_decay;
        }
    }
    run_on(choice, first_trait(&choice->items[j]));
    choice->places[choice->placed++] = j;
    choice->placed_of[choice->items[j].source]++;
}

/* Where shares begin to be owed, 0..1. */
static double start_of(uint64_t seed)
{
    return (double)(seed >> 40) / (double)(1 << 24);
}

/* Up to and with this place there are to be so many of a source: evenly spread from a start in
 * 0..1. */
static uint32_t owed(const struct choice *choice, double share, double start)
{
    return (uint32_t)floor((choice->placed + 1) * share + start);
}

uint32_t feed_owed(double share, uint64_t seed, uint32_t n)
{
    return (uint32_t)floor(n * share + start_of(seed));
}

/* What may come here at all: paid exposure only up to its share. */
static uint32_t sources_allowed(const struct choice *choice, double start)
{
    uint32_t all = (1u << FEED_SOURCE_COUNT) - 1;
    bool paid =
        choice->placed_of[FEED_CAMPAIGN] < owed(choice, choice->rule->campaign_share, start);

    return paid ? all : all & ~(1u << FEED_CAMPAIGN);
}

/* The best of a source that has not got its share yet; count: it has, or there is none. */
static uint32_t best_owed(const struct choice *choice, enum feed_source source, double share,
                          double start)
{
    if (choice->placed_of[source] >= owed(choice, share, start))
        return choice->count;
    return best_of(choice, 1u << source, true);
}

static uint32_t choose(const struct choice *choice, uint64_t seed)
{
    double start = start_of(seed);
    uint32_t allowed = sources_allowed(choice, start);
    uint32_t found = best_owed(choice, FEED_POOL, choice->rule->pool_share, start);

    if (found == choice->count)
        found = best_owed(choice, FEED_NEWCOMER, choice->rule->newcomer_share, start);
    if (found == choice->count)
        found = best_owed(choice, FEED_CAMPAIGN, choice->rule->campaign_share, start);
    if (found == choice->count)
        found = best_owed(choice, FEED_COMPENSATION, choice->rule->gift_share, start);
    if (found == choice->count)
        found = best_owed(choice, FEED_CREDIT, choice->rule->gift_share, start);
    if (found == choice->count)
        found = best_of(choice, allowed, true);
    if (found == choice->count)
        found = best_of(choice, allowed, false);
    return found;
}

uint32_t feed_rank(const struct feed_rule *rule, const struct feed_past *past,
                   struct feed_item *items, uint32_t count, uint64_t seed, struct feed_work *work,
                   uint32_t *places, uint32_t n)
{
    struct choice choice = {
        .rule = rule, .past = past, .items = items, .count = count, .places = places, .work = work};

    assert(count <= FEED_CANDIDATES_MAX && n <= FEED_PLACES_MAX && past->count <= FEED_PAST);
    assert(rule->author_cap > 0 && rule->streak > 0);
    begin(&choice, items);
    while (choice.placed < n) {
        uint32_t best = choose(&choice, seed);

        if (best == count)
            break;
        place(&choice, best);
    }
    return choice.placed;
}
