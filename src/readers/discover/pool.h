/* pool.h: how many impressions an item gets next, to whom, and why.
 *
 * A published item climbs a ladder. Its first budget is given outright: first * multiplier of its
 * creator's weight (weight.h, 0.5 to 2), and never under the floor if the creator is a newcomer.
 * After that, whenever it is looked at,
 *
 *   value    sum over metrics of worth * rate / the platform's rate (long view and like, 1 each)
 *   chance   P(value >= bar | what its audience did); bar: a quantile of the platform's own items
 *   share    (1 + half^steep) * chance^steep / (chance^steep + half^steep): 0 .. 1, no cliff (G20)
 *   budget   share * min(room of its stage, level)
 *
 * room is what its stage lets it have before it is looked at again; level is one number for all
 * items of a deal, such that the budgets are what there is to give. So bad items fall out of the
 * race without a decision that could be wrong, and the good ones share what is left.
 *
 * A stop is another thing: it is final (until its expiry or an appeal), so it needs proof, in two
 * different audiences, in each of which *every* metric of value must be under its bar by evidence
 * of 1 / alpha (gate.h). An item whose value is at the bar or above has at least one rate at its
 * bar or above, and that one's evidence ever reaches 1 / alpha with a chance of alpha at most. So
 * it is stopped with a chance of at most alpha, at any number of looks (intersection of tests:
 * Berger 1982).
 *
 * Two audiences: what one did counts for the other with the discount kin (a power prior: Ibrahim
 * and Chen 2000). The item is shown where its chance is better; an item that fails in the first is
 * thereby shown to the second, whose chance has fallen less.
 *
 * Preset likes is the same with likes alone as value. Preset douyin is the rule as it is told
 * (FEATURES F70): of the first 100 impressions under 3 % likes: stop.
 *
 * Pure; memory is the caller's. All counts are credited (gate.h). Deterministic, but for the last
 * bit of libm. */
#ifndef ZAN_READERS_DISCOVER_POOL_H
#define ZAN_READERS_DISCOVER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "readers/discover/gate.h"

#define POOL_VERSION    2
#define POOL_STAGES_MAX 12
#define POOL_AUDIENCES  2

/* Each has a gate. NEGATIVE: skipped at once or reported; the only one where less is better. */
enum pool_metric { POOL_LONG, POOL_LIKE, POOL_COMMENT, POOL_SHARE, POOL_NEGATIVE, POOL_METRICS };

extern const char *const pool_metric_names[POOL_METRICS];

struct pool_rule {
    const char *name;
    uint32_t version;
    bool literal; /* douyin: nothing but the 3 % of the first stage */

    uint32_t stages;
    double stage_end[POOL_STAGES_MAX]; /* impressions in all, above 0, rising */
    double first;                      /* the first budget */
    double floor;                      /* of a newcomer's */

    double
        worth[POOL_METRICS]; /* of what the platform's average item does, in value; NEGATIVE: 0 */
    double bar_quantile;     /* of the platform's values */
    double half, steep;      /* share is a half at chance = half (nearly) */
    double alpha;            /* of a stop */
    double kin;              /* 0..1: what the other audience says counts so much */
    double literal_rate;     /* 0.03 */

    double break_rate, break_sure,
        break_from;        /* comments: 0.15 by a lower bound of 0.95; begins to widen at */
    double negative_times; /* bar of NEGATIVE: so many times the platform's rate */

    double newcomer_share; /* of a deal, at least, while newcomers can use it */
    double author_decay,
        author_floor;  /* an author's 2nd, 3rd ... item in a deal: decay^(k - 1), not under floor */
    double author_cap; /* of a deal, at most, one author */
    int64_t stop_us;   /* how long a stop lasts */
};

/* The table of presets; NULL for a name that is none. */
const struct pool_rule *pool_rule_of(const char *name);
extern const struct pool_rule pool_rules[];
extern const uint32_t pool_rule_count;

/* What the platform's own items taught. */
struct pool_platform {
    struct gate_beta rate[POOL_METRICS]; /* of an item of which nothing is known */
    double weight[POOL_METRICS];         /* worth / mean rate */
    double bar;                          /* value that bar_quantile of the items do not reach */
    double rate_bar[POOL_METRICS];
    double strength[POOL_METRICS]; /* a + b of an item whose tag is known */
};

/* What an audience did; s <= n. */
struct pool_seen {
    double n;
    double s[POOL_METRICS];
};

/* With no items to learn from: as X published it for likes. */
void pool_unlearnt(const struct pool_rule *rule, struct pool_platform *platform);

/* Items of one tag: sums of observed rates, and how many. */
struct pool_tag {
    double rates[POOL_METRICS];
    double items;
};

/* An item that is old enough to teach (100 impressions and more). */
struct pool_past {
    struct pool_seen seen;
    uint32_t tag; /* index of tags */
};

/* Learns all of it. Fewer than GATE_LEARN_ITEMS old items: false, and platform is as unlearnt.
 * value: room for count numbers; the items' values come to stand there, sorted (all old enough to
 * teach). tags are made anew. */
bool pool_learn(const struct pool_rule *rule, const struct pool_past *past, uint32_t count,
                double *value, struct pool_tag *tags, uint32_t tag_count,
                struct pool_platform *platform);

/* The bars again, for a rule with another bar_quantile; value as pool_learn left it. */
void pool_relevel(const struct pool_rule *rule, const double *value, uint32_t count,
                  struct pool_platform *platform);

/* What to think of an item of a tag before anybody saw it: the tag's mean rates, against which the
 * platform's count as POOL_TAG_KIN items, as strong as items of one tag are alike. tag NULL: the
 * platform's. */
#define POOL_TAG_KIN 6.0
void pool_prior(const struct pool_platform *platform, const struct pool_tag *tag,
                struct gate_beta prior[POOL_METRICS]);

struct pool_item {
    struct pool_seen seen[POOL_AUDIENCES];
    double first; /* its first budget, pool_first() */
    uint8_t stage;
    bool stopped;
};

enum pool_verdict {
    POOL_FIRST,         /* its first budget is not used up */
    POOL_STAY,          /* in its stage, with the share told */
    POOL_CLIMB,         /* the stage is passed */
    POOL_SECOND,        /* it now goes to the second audience */
    POOL_STOP,          /* proven under every bar, twice */
    POOL_STOP_NEGATIVE, /* proven over the bar of negative feedback, twice */
    POOL_STOP_LITERAL,  /* douyin */
    POOL_VERDICTS
};

extern const char *const pool_verdict_names[POOL_VERDICTS];

/* Why: one for each metric and audience. */
struct pool_gate {
    struct gate_count count; /* of that audience alone */
    struct gate_beta posterior;
    double mean, low, high; /* and the 90 % around it */
    double bar;
    double sure;     /* probability of being on the good side of the bar */
    double evidence; /* for the bad side: 1 at first, a proof at 1 / alpha; log */
    bool proven;     /* bad */
};

struct pool_decision {
    enum pool_verdict verdict;
    uint8_t stage, audience;           /* from now on */
    uint8_t circle;                    /* how far from its tags: 0 the nearest */
    bool breakout;                     /* comments over 15 % by their lower bound */
    double chance, share, room, widen; /* widen 0..1: towards the next circle, smooth */
    double budget;                     /* if everything is there: share * room */
    double value, bar;
    struct pool_gate gate[POOL_AUDIENCES][POOL_METRICS];
    const char *rule;
    uint32_t rule_version, gate_version;
    int64_t expires_us; /* of a stop; 0: none */
    const char *appeal; /* how; NULL if there is nothing to appeal against */
};

/* What an item in that stage may have before it is looked at again: as much as the stage is long
 * where it begins, as much as the next one is where it ends, and between them in proportion (in the
 * first, from nothing), so that no impression more or less opens or shuts a door. In the last, as
 * much at any time as fits into it. A literal rule has edges: what is left of the stage. At least
 * four stages; 0 <= stage < rule->stages. */
double pool_room(const struct pool_rule *rule, uint32_t stage, double seen);

double pool_multiplier(double weight); /* 0..100 -> 0.5..2, 50 -> 1 */
double pool_first(const struct pool_rule *rule, double weight, bool newcomer);

/* chance -> share; both 0..1, rising, continuous. */
double pool_share(const struct pool_rule *rule, double chance);

/* The decision. prior: of the item's tag, or platform->rate. item is read only: what changes is in
 * out. */
void pool_step(const struct pool_rule *rule, const struct pool_platform *platform,
               const struct gate_beta *prior, const struct pool_item *item, int64_t now_us,
               struct pool_decision *out);

/* The same without reasons: chance, share and audience alone. For deals over many items. */
struct pool_look {
    double chance, share, value;
    uint8_t audience;
};
void pool_look(const struct pool_rule *rule, const struct pool_platform *platform,
               const struct gate_beta *prior, const struct pool_item *item, struct pool_look *look);

/* Whether a stop is proven: STOP, STOP_NEGATIVE, or STAY. */
enum pool_verdict pool_proof(const struct pool_rule *rule, const struct pool_platform *platform,
                             const struct gate_beta *prior, const struct pool_item *item);

/* Would this viewer do? fit of interests 0.5..2 (interest.h). The first audience is those who fit
 * best (circle 0: 1.5 and more; 1: 1.2; 2: 0.9; 3 and on: all); the second those whom the first two
 * circles leave out. explore 0..1: a draw; under POOL_EXPLORE anybody does. */
#define POOL_EXPLORE 0.1
bool pool_suits(const struct pool_decision *decision, double fit, double explore);

/* One item in a deal. due is given before everything else (first budgets, credits). */
struct pool_entry {
    uint64_t id, author;
    double share, room, due;
    bool newcomer;
    double budget; /* out */
    double first;  /* out: the part of it that was due */
    bool done;     /* pool_deal's own */
};

/* Shares supply out; sorts the entries by author and share. What nobody can use stays: returns what
 * was given. each budget <= due + share * room; sum <= supply; an author <= author_cap * supply (if
 * there are authors enough to use the rest); newcomers >= newcomer_share * supply, as far as their
 * rooms go. */
double pool_deal(const struct pool_rule *rule, struct pool_entry *entry, uint32_t count,
                 double supply);

/* Exposure credits: a gift of impressions with a purpose and an end. A ledger for each creator;
 * amounts in impressions. What is given in a period is bounded for one creator and for all. */
#define POOL_CREDIT_US        (14LL * 24 * 3600 * 1000000)
#define POOL_CREDIT_NEWCOMER  500.0
#define POOL_CREDIT_ITEMS_MAX 10 /* published before: no newcomer any more */
#define POOL_CREDIT_AGE_US    (90LL * 24 * 3600 * 1000000)

struct pool_credit {
    double granted, spent, lapsed; /* in all; granted = spent + lapsed + what is left */
    int64_t expires_us;            /* of what is left */
};
struct pool_purse {
    double given, limit; /* of all creators in this period */
};

enum pool_credit_answer {
    POOL_CREDIT_GIVEN,
    POOL_CREDIT_HAS,
    POOL_CREDIT_NOT_NEW,
    POOL_CREDIT_RESTRICTED,
    POOL_CREDIT_EMPTY
};

/* One gift a newcomer: not restricted, few items, a young account, nothing granted before, purse
 * not empty. */
enum pool_credit_answer pool_credit_grant(struct pool_credit *credit, struct pool_purse *purse,
                                          uint32_t items, int64_t age_us, bool restricted,
                                          int64_t now_us);
double pool_credit_left(const struct pool_credit *credit, int64_t now_us);
/* Spends at most amount; what it took. What has lapsed is booked as such, and nothing of it is
 * spent. */
double pool_credit_spend(struct pool_credit *credit, double amount, int64_t now_us);

#endif
