/* feed.h: in which order candidates are shown to one viewer.
 *
 * Takes what others found and scored (the model, interests, followed creators, pools), and puts
 * together a page: what is worth most, but not the same thing again and again.
 *
 *   score       expected value of showing the candidate, above 0; only ratios matter
 *   trait       what makes two candidates alike: a tag, the creator; ids are the caller's
 *   place       position in the page, from 0
 *
 * Each place gets the candidate with the greatest
 *
 *     ln(score * author * streak) + diversity * ln(d^2)
 *
 * where d^2 is how much of the candidate's traits is not in what was placed before it (the
 * determinant of the traits' Gram matrix grows by this factor), so without the other two factors a
 * page is the greedy answer of a determinantal point process.
 *
 *   author      (1 - floor) * decay^k + floor, k: candidates of the same creator before it, on this
 *               page and among the last shown
 *   streak      1 / (1 + (s / streak)^4), s: how many of the last shown, in a row up to this place,
 *               have the same first trait. No cliff: 0.94 at half of it, 0.5 at the whole
 *
 * A share of the places, at least, is for candidates that are to be tried (source POOL) and one for
 * those of newcomers; which places, the seed decides, evenly spread. Places for which there is no
 * such candidate go to the others. Paid exposure (CAMPAIGN) gets its share and no more, if need be
 * the page is shorter. What is given (COMPENSATION, CREDIT) has its share for certain; that it is
 * no more, the caller sees to, by offering no more (feed_owed).
 *
 * Holds always: no item twice; at most author_cap of one creator, unless nothing else is left; the
 *               order of the candidates given does not matter (ties: the lower id first).
 * Memory:       the caller's; nothing is allocated. Bounds are the constants below.
 * Cost:         O(n * count), 0.6 ms for 20 places of 500 candidates of six traits, on a busy
 * machine. Source:       greedy MAP of a DPP: Chen, Zhang, Zhou, "Fast Greedy MAP Inference for
 * Determinantal Point Process", NeurIPS 2018. Author factor: the form and the numbers (0.5, 0.25)
 * of the author diversity discount in X's published home mixer (2023). Streak: ours. */
#ifndef ZAN_READERS_DISCOVER_FEED_H
#define ZAN_READERS_DISCOVER_FEED_H

#include <stdbool.h>
#include <stdint.h>

#define FEED_CANDIDATES_MAX 1024
#define FEED_PLACES_MAX     100
#define FEED_TRAITS         8
#define FEED_PAST           32 /* of the last shown, newest first */

/* Where a candidate came from; told to the viewer as the reason. */
enum feed_source {
    FEED_MODEL,        /* accounts that like alike */
    FEED_INTEREST,     /* what the viewer is interested in */
    FEED_FOLLOW,       /* a creator the viewer follows */
    FEED_TOP,          /* what many like */
    FEED_POOL,         /* an item being tried */
    FEED_NEWCOMER,     /* a new creator's */
    FEED_CAMPAIGN,     /* paid for, and labelled */
    FEED_COMPENSATION, /* given to its creator (gifts.h), and labelled */
    FEED_CREDIT,       /* the same, for newcomers */
    FEED_SOURCE_COUNT
};

struct feed_trait {
    uint32_t id;
    float weight; /* above 0; the kinds are the caller's to balance */
};

struct feed_item {
    uint64_t item, creator;
    double score;
    uint8_t source; /* enum feed_source */
    uint8_t trait_count;
    struct feed_trait traits[FEED_TRAITS]; /* distinct ids; the first is what a streak is about */
};

struct feed_rule {
    double diversity;                  /* 0: none */
    double author_decay;               /* 0..1 */
    double author_floor;               /* 0..1 */
    uint32_t author_cap;               /* at least 1 */
    uint32_t streak;                   /* at least 1 */
    double pool_share, newcomer_share; /* of the places, at least; 0..1 together */
    double campaign_share;             /* neither less nor more, if there is any */
    double gift_share;                 /* of COMPENSATION, and of CREDIT: at least */
};

/* diversity 0.5, decay 0.5, floor 0.25, cap 3, streak 10, 15 % tried, 5 % newcomers, 5 % paid, 5 %
 * of each gift: ours, but for decay and floor. */
struct feed_rule feed_rule_default(void);

/* What the viewer was shown last, newest first. */
struct feed_past {
    uint32_t count;
    struct {
        uint64_t creator;
        uint32_t trait; /* the first; 0: none */
    } at[FEED_PAST];
};

/* Room to work in; nothing in it lasts. Too large for a thread's stack. */
struct feed_work {
    double d2[FEED_CANDIDATES_MAX];     /* what is new in it */
    double author[FEED_CANDIDATES_MAX]; /* decay^k */
    float rows[FEED_PLACES_MAX][FEED_CANDIDATES_MAX];
    uint16_t here[FEED_CANDIDATES_MAX]; /* of the same creator on this page */
    bool taken[FEED_CANDIDATES_MAX];
};

/* Puts up to n of count items into places (indices into items), best first; returns how many: less
 * than n only if there are fewer different items that may come. Traits are brought to length 1 in
 * place. */
uint32_t feed_rank(const struct feed_rule *rule, const struct feed_past *past,
                   struct feed_item *items, uint32_t count, uint64_t seed, struct feed_work *work,
                   uint32_t *places, uint32_t n);

/* How many of n places are of a source with that share; the seed decides about the last one. */
uint32_t feed_owed(double share, uint64_t seed, uint32_t n);

/* 0: nothing alike; 1: the same. Traits as feed_rank leaves them. */
double feed_alike(const struct feed_item *a, const struct feed_item *b);

const char *feed_source_name(uint8_t source);

#endif
