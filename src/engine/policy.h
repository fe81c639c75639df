/* policy.h: what the platform's own rules say to an act.
 *
 * A policy is a text (docs/policy.md), read by policy_parse (policy_parse.h). Its rules count acts
 * in sliding windows (window.h) that live in one flat region (policy_table.h), the policy's
 * signals.
 *
 * For each act:   policy_prefetch   some acts ahead, policy_prefetch_windows fewer
 *                 policy_judge      what should happen; counts the act itself; changes nothing
 *                 policy_observe    the act was carried out: count it. Not for refused acts
 *
 * Holds always: the same acts leave the same bytes in the region (a replay calls policy_observe).
 *               An exempt act (undo, the holder's clean-up) meets no rule and is not counted.
 *               What is not there is not held against anybody: a metric of a device that was not
 *               given, of a creator that is not known, of a sample that is too small, meets no
 *               condition. Lost windows count from zero.
 *               A rule can only restrict the one who acts, for what he did himself, for a time
 *               (policy_parse refuses others).
 * Memory:       all structs and the region are the caller's; names live in struct policy. */
#ifndef ZAN_ENGINE_POLICY_H
#define ZAN_ENGINE_POLICY_H

#include <stddef.h>

#include "engine/act.h"
#include "engine/policy_table.h"
#include "schema/request.h"

#define POLICY_TEXT_MAX       65536 /* bytes of a policy's text */
#define POLICY_RULES_MAX      256
#define POLICY_CONDITIONS_MAX 8   /* of one rule */
#define POLICY_ACTIONS_MAX    4   /* of one rule */
#define POLICY_METRICS_MAX    256 /* different windows of a policy */
#define POLICY_NAME_MAX       32  /* with its 0 */
#define POLICY_REGIONS_MAX    16  /* different regions that a policy names */
#define POLICY_HITS_MAX       16  /* rules whose numbers a verdict keeps */
#define POLICY_NONE           UINT16_MAX

/* Whose acts are counted. Words in policy_words.c. */
enum policy_scope {
    POLICY_ACCOUNT,
    POLICY_PAIR, /* account x item */
    POLICY_ITEM,
    POLICY_CREATOR,
    POLICY_DEVICE,
    POLICY_NETWORK,
    POLICY_ADDRESS,
    POLICY_CAMPAIGN,
    POLICY_SCOPE_COUNT
};

enum policy_op { POLICY_GREATER, POLICY_AT_LEAST, POLICY_LESS, POLICY_AT_MOST, POLICY_EQUAL };

/* What a condition looks at. */
enum policy_fact {
    POLICY_COUNT,     /* count(verb, scope, window) */
    POLICY_RATIO,     /* ratio(verb, verb, scope, window, minimum n), in 1/100 percent */
    POLICY_DISTINCT,  /* distinct(of, verb, scope, window) */
    POLICY_SHARE,     /* likes taken back of all likes ever given, in 1/100 percent */
    POLICY_FLIPS,     /* changes of this account x item, with this act */
    POLICY_TAKEBACKS, /* times it was taken back, with this act */
    POLICY_AGE,       /* of the account, us */
    POLICY_EDGE_AGE,  /* since the last change of this account x item, us; none: no answer */
    POLICY_GIVEN,     /* likes of the account that are on, with this act */
    POLICY_LIKES,     /* likes of the item before this act */
    POLICY_FACT_COUNT
};

/* Ordered: of two, the later one is the stronger where only one can be shown. */
enum policy_action {
    POLICY_ALLOW,    /* the rules below are not asked */
    POLICY_ALERT,    /* tell the operators */
    POLICY_CONFIRM,  /* ask the one who acts whether he means it */
    POLICY_REVIEW,   /* open a case */
    POLICY_HOLD,     /* the act counts when it has been scored again */
    POLICY_WEIGHT,   /* the act weighs at most that much; with a time: the account's acts do */
    POLICY_POINTS,   /* points of the incentive programme are taken */
    POLICY_REFUSE,   /* this act is refused; retry_us tells when there is room */
    POLICY_LIMIT,    /* acts of this verb are refused until then, this one too */
    POLICY_LIKE_BAN, /* likes are refused until then; this act too, if it is one */
    POLICY_ACTION_COUNT
};

enum policy_relation { /* of the one who looks, to the one who acted */
                       POLICY_STRANGER,
                       POLICY_FOLLOWER,
                       POLICY_MUTUAL,
                       POLICY_COMMON, /* has friends in common */
                       POLICY_ITEM_CREATOR,
                       POLICY_RELATION_COUNT
};

enum policy_notice { POLICY_SILENT, POLICY_DIGEST, POLICY_EXPLICIT, POLICY_NOTICE_COUNT };
enum policy_showing { POLICY_HIDDEN, POLICY_STATE, POLICY_TRACE, POLICY_SHOWING_COUNT };

struct policy_condition {
    uint8_t fact;          /* enum policy_fact */
    uint8_t op;            /* enum policy_op */
    uint16_t metric, base; /* COUNT, DISTINCT, RATIO: which; RATIO: of what */
    uint32_t minimum;      /* RATIO, SHARE: of what is divided by */
    uint64_t threshold;
};

struct policy_deed {
    uint8_t action;   /* enum policy_action */
    uint8_t proposed; /* 1: only what a review may decide */
    uint8_t percent;  /* WEIGHT */
    uint32_t points;  /* POINTS: how many are taken */
    int64_t for_us;   /* 0: this act only */
};

struct policy_rule {
    char name[POLICY_NAME_MAX];
    uint32_t line;  /* of its name in the text */
    uint64_t verbs; /* bit per enum verb: acts it is asked about */
    uint8_t shadow;
    uint8_t tiers;   /* bit per enum tier */
    uint8_t subject; /* enum policy_scope: whom a review or an alert is about; ACCOUNT: who acts */
    uint8_t condition_count, deed_count;
    uint16_t once; /* metric of "once per", or POLICY_NONE */
    uint16_t regions; /* bit per place in policy.regions: whose acts it is for; 0: everybody's */
    struct policy_condition conditions[POLICY_CONDITIONS_MAX];
    struct policy_deed deeds[POLICY_ACTIONS_MAX];
};

/* One window, shared by all conditions that look at the same. */
struct policy_metric {
    uint8_t fact;  /* COUNT or DISTINCT */
    uint8_t verb;  /* VERB_COUNT: "once per" of a rule, counts when it fires */
    uint8_t scope; /* enum policy_scope */
    uint8_t of;    /* DISTINCT: enum policy_scope */
    uint8_t sum;   /* used by a ratio: no largest number */
    uint64_t most; /* largest number that has to be told apart */
    uint64_t salt; /* stands for all of the above, and the shape, in keys */
    struct window_shape shape;
};

/* Lists of rules or metrics by verb: those of verb v are at[first[v] .. first[v + 1]). */
#define POLICY_AS_ALL    UINT8_MAX
#define POLICY_VERBS_MAX 16 /* verbs that can be counted */
struct policy_rules_of {
    uint16_t first[VERB_COUNT + 1];
    uint16_t at[POLICY_RULES_MAX * POLICY_VERBS_MAX];
};
struct policy_metrics_of {
    uint16_t first[VERB_COUNT + 1];
    uint16_t at[POLICY_METRICS_MAX * POLICY_VERBS_MAX];
};

struct policy {
    char name[POLICY_NAME_MAX];
    uint32_t version;
    int64_t settle_us;           /* delay after which held likes are scored again */
    int64_t smooth_us;           /* horizon of weight that is taken back (withdraw.h); 0: none */
    int64_t freeze_us;           /* un-likes of a flood wait so long, again and again; 0: never */
    uint32_t compensate;         /* likes' worth at most, for a creator in 30 days; 0: none */
    int64_t undo_us[TIER_COUNT]; /* see policy_undo_us */
    int64_t undo_source_us[SOURCE_COUNT];
    uint8_t notify[POLICY_RELATION_COUNT][VERB_COUNT]; /* enum policy_notice */
    uint8_t show[POLICY_RELATION_COUNT][VERB_COUNT];   /* enum policy_showing */
    /* Regions that are named, and what is said for their accounts: the table of a region stands
     * before the one for all, where its cell is not POLICY_AS_ALL. */
    uint16_t region_count;
    uint64_t regions[POLICY_REGIONS_MAX]; /* region.h */
    int64_t undo_region_us[POLICY_REGIONS_MAX];
    uint8_t notify_region[POLICY_REGIONS_MAX][POLICY_RELATION_COUNT][VERB_COUNT];
    uint8_t show_region[POLICY_REGIONS_MAX][POLICY_RELATION_COUNT][VERB_COUNT];
    uint16_t rule_count, metric_count;
    struct policy_rules_of by_verb;   /* rules that an act of this verb is judged by, in order */
    struct policy_metrics_of counted; /* windows it is counted in */
    struct policy_metrics_of needed;  /* those, and windows that its rules look at */
    uint8_t has_once[VERB_COUNT];     /* one of these rules says "once per" */
    struct policy_metric metrics[POLICY_METRICS_MAX];
    struct policy_rule rules[POLICY_RULES_MAX];
};

struct policy_hit {
    uint16_t rule;
    uint8_t shadow;
    uint64_t value[POLICY_CONDITIONS_MAX]; /* what each condition saw, this act included */
    uint64_t base[POLICY_CONDITIONS_MAX];  /* RATIO, SHARE: what it was divided by */
};

struct policy_verdict {
    uint16_t actions;  /* bit per enum policy_action, of rules in effect; proposals are not in it */
    uint16_t proposed; /* the same, of what reviews may decide; see rules[review].deeds */
    uint8_t refused;   /* 1: the act is not to be carried out */
    uint8_t weight_pct;                 /* of this act, at most */
    uint8_t account_weight_pct;         /* of the account's acts until until_us[POLICY_WEIGHT] */
    uint8_t hit_count;                  /* of hits, shadow ones included */
    uint16_t fired_count;               /* of rules, may be more than hits */
    uint32_t points;                    /* to be taken; of the rule that takes most */
    int64_t retry_us;                   /* REFUSE: when the act may be tried again; 0: not known */
    uint16_t rule[POLICY_ACTION_COUNT]; /* the strongest of each kind, or POLICY_NONE */
    int64_t until_us[POLICY_ACTION_COUNT]; /* 0: this act only */
    uint16_t account_weight_rule;
    uint64_t fired[POLICY_RULES_MAX / 64];   /* rules in effect */
    uint64_t shadow[POLICY_RULES_MAX / 64];  /* rules that only tell what they would have done */
    struct policy_hit hits[POLICY_HITS_MAX]; /* filled up to hit_count */
};

/* --- signals -------------------------------------------------------------------------------------
 */

enum policy_opened {
    POLICY_OPENED_NEW,     /* the region was empty (first 8 bytes 0): formatted */
    POLICY_OPENED_KEPT,    /* signals of the same policy */
    POLICY_OPENED_CHANGED, /* of another one: windows that are the same go on, others expire */
    POLICY_OPENED_FOREIGN  /* no signals, or of another size or version: nothing was touched */
};

/* Bytes of a region for at least that many blocks (an account with three windows needs three). */
size_t policy_bytes(uint64_t blocks);

/* region: aligned to POLICY_TABLE_ALIGN, at least policy_bytes(1). digest: of the policy's text, or
 * NULL. After FOREIGN the caller may set the first 8 bytes to 0 and open again. */
enum policy_opened policy_open(void *region, size_t bytes, const uint8_t *digest);

/* --- judging -------------------------------------------------------------------------------------
 */

/* Touch what judging will read: first where windows are noted, then, when that has arrived (some
 * acts later), the windows themselves. Only verb and ids of the act are looked at. */
void policy_prefetch(const struct policy *policy, const struct policy_table *state,
                     const struct act *act);
void policy_prefetch_windows(const struct policy *policy, const struct policy_table *state,
                             const struct act *act);

void policy_judge(const struct policy *policy, const struct policy_table *state,
                  const struct act *act, struct policy_verdict *verdict);
void policy_observe(const struct policy *policy, struct policy_table *state, const struct act *act);

/* How long after a like of this tier, source and region its un-like is an undo. */
int64_t policy_undo_us(const struct policy *policy, enum tier tier, enum source source,
                       uint64_t region);

/* Where the region stands in policy->regions, or POLICY_REGIONS_MAX: it is not named. */
uint32_t policy_region(const struct policy *policy, uint64_t region);

/* What is told, and shown, of an act of an account of the region at that place. */
enum policy_notice policy_notify_of(const struct policy *policy, uint32_t place,
                                    enum policy_relation relation, enum verb verb);
enum policy_showing policy_show_of(const struct policy *policy, uint32_t place,
                                   enum policy_relation relation, enum verb verb);

/* --- explaining ----------------------------------------------------------------------------------
 */

enum policy_language { POLICY_ENGLISH, POLICY_CHINESE };

/* One sentence: rule, policy, version, what was counted, against what, what follows. Ends with a 0,
 * is cut between characters if size is too small; returns its length. */
size_t policy_explain(const struct policy *policy, const struct policy_hit *hit,
                      enum policy_language language, char *text, size_t size);
#define POLICY_EXPLAIN_BYTES 2048 /* is always enough */

/* --- words (policy_words.c) ----------------------------------------------------------------------
 */

const char *policy_scope_name(enum policy_scope scope);
const char *policy_fact_name(enum policy_fact fact);
const char *policy_action_name(enum policy_action action);
const char *policy_op_name(enum policy_op op);
const char *policy_relation_name(enum policy_relation relation);
const char *policy_notice_name(enum policy_notice notice);
const char *policy_showing_name(enum policy_showing showing);
const char *policy_tier_name(enum tier tier);

/* Can acts of this verb be counted and judged? Those that accounts do to items and creators. */
bool policy_verb(uint32_t verb);

#endif
