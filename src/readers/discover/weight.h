/* weight.h: a creator's weight, 0..100: how large the first budget of what it publishes is (pool.h:
 * half to twice).
 *
 *   weight = 0.40 history + 0.25 fans + 0.15 focus + 0.20 originality - penalties
 *   50: a creator nobody knows
 *
 *   history      of its last 20 items those that are closed (7 days old): each 50, and up to 100
 *                as far as it was ever more likely than not to be better than the platform's
 *                average item: 50 + 50 max(0, 2 best - 1), best being the highest chance that its
 *                value reached the average (kinds.h) of the looks at it
 *   fans         50 + 50 (1 - 2^(-acts / 100)), acts: credited acts of followers, half of them
 *                forgotten in 30 days
 *   focus        how alike its last 20 items are: the chance that two of them have one first tag;
 *                untagged ones are as likely alike as not; with 4 items' worth of 0.5
 *   originality  share of its last 20 items not said to be copies; with 4 items' worth of 0.5
 *   penalties    restrictions that two people decided: so many points, less by the day, nothing at
 *                expiry
 *
 * Third parties never lower it (I7, G21), which is a property of the form and not of thresholds:
 * what others do comes in only through weight_looked and weight_fan_act, and a sub-score is not
 * falling in either. Whoever looks and does not like, un-likes, skips, reports, or un-follows can
 * keep an item from counting for its creator; it cannot make it count against it, and never bring a
 * sub-score under the 50 of a creator whom nobody has looked at. What lowers: time (fans forget;
 * old items give way to the creator's own newer ones), own items (focus), and reviews that two
 * people upheld. What comes in is credited and attested, so devalued viewers change nothing at all.
 *
 * The price: a creator whose items are all poor keeps 50. Each of those items is judged by its own
 * audience, in its first stage; there is no need to hold it against the next.
 *
 * Pure; memory is the caller's. Sources: FEATURES F79 to F82; the multiplier's bound is F80's. */
#ifndef ZAN_READERS_DISCOVER_WEIGHT_H
#define ZAN_READERS_DISCOVER_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>

#define WEIGHT_VERSION     2 /* 1: untagged items were alike; in no running node */
#define WEIGHT_ITEMS       20
#define WEIGHT_PENALTIES   8
#define WEIGHT_NEUTRAL     50.0
#define WEIGHT_CLOSED_US   (7LL * 24 * 3600 * 1000000)
#define WEIGHT_FORGET_US   (30LL * 24 * 3600 * 1000000)
#define WEIGHT_PENALTY_US  (90LL * 24 * 3600 * 1000000) /* the longest */
#define WEIGHT_FAN_ACTS    100.0
#define WEIGHT_PRIOR_ITEMS 4.0

enum weight_part { WEIGHT_HISTORY, WEIGHT_FANS, WEIGHT_FOCUS, WEIGHT_ORIGINALITY, WEIGHT_PARTS };

extern const char *const weight_part_names[WEIGHT_PARTS];
extern const double weight_part_shares[WEIGHT_PARTS];

struct weight_item {
    uint64_t id;
    int64_t published_us;
    double best;  /* highest chance of being better than the average; 0: never looked at */
    uint32_t tag; /* 0: none is known */
    uint8_t copy;
    uint8_t unused[3];
};

struct weight_penalty {
    double points;
    int64_t from_us, expires_us; /* 0: none */
    uint64_t case_id;
};

/* Written as it is into checkpoints. */
struct weight {
    struct weight_item item[WEIGHT_ITEMS]; /* the newest, in order of publication */
    uint32_t items, unused;
    double fan_acts; /* as of fans_us */
    int64_t fans_us;
    struct weight_penalty penalty[WEIGHT_PENALTIES];
};

struct weight_told {
    double weight, multiplier;
    double part[WEIGHT_PARTS];
    double penalties;
    uint32_t version;
    uint32_t closed; /* items that history looks at */
};

/* The creator's own act. The oldest gives way; time does not go back. */
void weight_published(struct weight *weight, uint64_t item, uint32_t tag, int64_t now_us);

/* What it is about, and whose work it is, as the platform says; of an item that is gone nothing. */
void weight_tagged(struct weight *weight, uint64_t item, uint32_t tag);
void weight_original(struct weight *weight, uint64_t item, bool original);

/* The pool looked at an item: chance that its value is the platform's average or more, 0..1, by
 * credited counts. Items that are closed, or gone, are past it. */
void weight_looked(struct weight *weight, uint64_t item, double chance, int64_t now_us);

/* A follower did something; credited 0..1. */
void weight_fan_act(struct weight *weight, double credited, int64_t now_us);

/* A review, upheld by two people: points (0..100) that are gone at expiry, at most
 * WEIGHT_PENALTY_US away. The mildest gives way if there are too many. copy_of: an item found to be
 * a copy, 0: none. */
void weight_upheld(struct weight *weight, double points, int64_t expires_us, uint64_t case_id,
                   uint64_t copy, int64_t now_us);

/* An appeal: takes back what that case did. False: nothing of it is left. */
bool weight_lifted(struct weight *weight, uint64_t case_id, uint64_t copy);

void weight_at(const struct weight *weight, int64_t now_us, struct weight_told *told);

/* Credited acts of followers, as far as they are not forgotten. */
double weight_fans(const struct weight *weight, int64_t now_us);
/* What is left of it, in points. */
double weight_left(const struct weight_penalty *penalty, int64_t now_us);
/* Does history look at it? */
bool weight_is_closed(const struct weight_item *item, int64_t now_us);

/* When what weighs on it will have gone: the weight at each expiry of a penalty, with all else as
 * it is now. Returns how many (at most WEIGHT_PENALTIES), in order of time. */
struct weight_step {
    int64_t at_us;
    double weight, multiplier;
};
uint32_t weight_recovery(const struct weight *weight, int64_t now_us,
                         struct weight_step step[WEIGHT_PENALTIES]);

/* What would raise it most, of what is the creator's to do: the part that lacks most, by its share.
 */
enum weight_part weight_advice(const struct weight_told *told);

#endif
