/* rows.h: what insight keeps of an item, of an account that met it, of an account, of a creator.
 *
 * Keys (table_key): item {id, 0, tenant}; exposure {item, account, tenant}; account, creator {id,
 * 0, tenant}; tie {creator, account, tenant}; map {id, region, tenant | enum map_kind << 16}; taste
 * {creator, tag, tenant}; name {tag, 0, tenant}; active {day, 0, tenant}.
 *
 *   *_pct   percent of an account's act in full; sums of such
 *   *_us    microseconds since the epoch, of records
 *
 * Integers only: what is held ends with the same bits on every machine. Rows are written as they
 * are into checkpoints: no pointers, and every byte is set. */
#ifndef ZAN_READERS_INSIGHT_ROWS_H
#define ZAN_READERS_INSIGHT_ROWS_H

#include <assert.h>
#include <stdint.h>

#include "readers/discover/sketch.h"
#include "readers/discover/table.h"
#include "schema/tags.h"

/* What an account does to an item; the first FUNNEL of them are the funnel, in its order. Bits of
 * an exposure, and indexes: add at the end. */
enum step {
    STEP_SHOWN, /* a VIEW or SKIP came */
    STEP_VIEW,
    STEP_HOLD,   /* watched 3 s, or the whole of a shorter video */
    STEP_FINISH, /* nine tenths of the length */
    STEP_LIKE,
    STEP_COMMENT,
    STEP_SHARE,
    STEP_FOLLOW, /* the creator, within STEP_FOLLOW_US of watching the item */
    STEP_FAVORITE,
    STEP_SKIP,
    STEP_REPORT,
    STEP_COUNT
};
#define FUNNEL (STEP_FOLLOW + 1)

/* What rollups count beside the steps. */
enum metric {
    METRIC_UNLIKE = STEP_COUNT, /* likes taken back */
    METRIC_NEW,                 /* accounts that met the creator that day for the first time */
    METRIC_RETURNING,           /* accounts that had met him on an earlier day */
    METRIC_COUNT
};

extern const char *const metric_names[METRIC_COUNT]; /* of steps and metrics */

#define STEP_HOLD_MS    3000
#define STEP_FINISH_PCT 90
#define STEP_FOLLOW_US  (10LL * 60 * 1000000)

struct tally {
    uint32_t raw, valid;
    uint64_t credited_pct;
    uint64_t reported_pct; /* the smaller one of the act's weight and that of being shown */
    uint64_t attested_pct; /* the same, of those shown by token */
};

/* Bins of an item's age, each up to (and without) its end; the last has none. */
#define AGES 12
extern const int64_t age_ends_us[AGES];

/* By the age of the account that acts; the last: not known. */
#define BANDS_AGE 6
extern const char *const age_band_names[BANDS_AGE];
/* By what the act is worth, in percent: 0, 1 to 49, 50 to 99, 100. */
#define BANDS_TRUST 4
extern const char *const trust_band_names[BANDS_TRUST];

#define RETENTION 12 /* how long it was watched at the first view: up to so many ms */
extern const uint32_t retention_ms[RETENTION];

#define STAGE_TEXT_MAX 96
#define INSIGHT_STAGES                                                                             \
    64 /* a stage as records have it: the number, and above it who is its audience */

struct insight_item {
    struct table_head head;
    uint64_t creator;
    int64_t published_us; /* first seen, or registered */
    int64_t like_peak_us;
    int64_t stage_us; /* of the last STAGE record; 0: none */
    uint64_t tag[TAGS_MAX];
    struct tally tally[STEP_COUNT];
    uint64_t attested_n_pct;      /* shown by token, weighed */
    int32_t by_age[AGES][FUNNEL]; /* change of credited_pct while it had that age */
    uint32_t retention[RETENTION];
    uint32_t likers_age[BANDS_AGE], likers_trust[BANDS_TRUST]; /* of the likes that are on */
    uint32_t likes_given, likes_taken; /* ever; one account may do it often */
    uint32_t like_peak;                /* the most that were on at a time */
    uint32_t met_new, met_returning; /* of those it was shown to, by what the creator was to them */
    uint32_t fit_known, fit, fit_liked, unfit_liked; /* viewers whose taste is known; see fits() */
    uint32_t attested;                               /* accounts it was shown to by token */
    uint32_t duration_ms;                            /* 0: not known */
    uint32_t first_budget; /* of impressions, when it entered its ladder */
    uint8_t has_creator;
    uint8_t state;  /* enum item_state */
    uint8_t origin; /* enum item_origin */
    uint8_t tag_count;
    uint8_t stage, step; /* of the last STAGE record; step: enum stage_step */
    uint8_t stage_text_size;
    uint8_t unused[5];
    char stage_text[STAGE_TEXT_MAX];
};

enum exposure_flags {
    SEEN_ATTESTED = 1,
    SEEN_FIT_KNOWN = 2,
    SEEN_FIT = 4,
    SEEN_NEW = 8 /* the creator was new to it */
};

/* What one account did to one item. */
struct insight_exposure {
    struct table_head head;
    int64_t like_us;             /* of the like that is on */
    uint16_t bits;               /* bit per enum step: has done, or does now */
    uint16_t valid;              /* of those: neither quarantined nor voided */
    uint8_t act_pct[STEP_COUNT]; /* credited */
    uint8_t attested_pct;
    uint8_t flags;
    uint8_t age_band; /* of the account when it liked */
    uint8_t unused[6];
};
static_assert(sizeof(struct insight_exposure) == 56, "an exposure is what there is most of");

#define TASTES_KEPT 4

struct insight_account {
    struct table_head head; /* pinned: something is switched off, or assertions were revoked */
    int64_t created_us;     /* 0: nobody said */
    uint64_t region;        /* 0: nobody said */
    uint64_t last_item, last_creator; /* watched last */
    int64_t last_us;
    uint64_t taste[TASTES_KEPT]; /* first tags of the items liked last, different ones; 0: none */
    uint32_t epoch;              /* assertions of an earlier one are revoked */
    uint8_t switches;            /* enum account_switch */
    uint8_t unused[3];
};

#define CREATOR_WEEKS 5

struct insight_creator {
    struct table_head head;
    struct tally tally[STEP_COUNT]; /* of all items */
    uint64_t attested_n_pct;
    uint32_t met_new, met_returning;  /* accounts and days */
    uint32_t likers, likers_followed; /* accounts that liked something; those that followed then */
    uint32_t likers_trust[BANDS_TRUST];
    uint32_t met_age[BANDS_AGE]; /* accounts, when they met him first */
    uint32_t follows_gained, follows_lost;
    uint32_t week[CREATOR_WEEKS]; /* since the epoch; at week % CREATOR_WEEKS */
    uint32_t unused;
    struct sketch met[CREATOR_WEEKS];
};

enum tie_flags { TIE_LIKED = 1, TIE_FOLLOWS = 2, TIE_LIKED_FIRST = 4 };

/* An account that met a creator (was shown something of his, or liked it), or that follows him. */
struct insight_tie {
    struct table_head head;
    uint32_t first_day, last_day; /* since the epoch; 0: it has not met him yet */
    uint8_t flags;
    uint8_t unused[7];
};

enum map_kind { MAP_CREATOR, MAP_ITEM, MAP_ALL };

struct insight_map {
    struct table_head head;
    uint32_t accounts; /* that met the creator, or were shown the item; once each */
    uint32_t unused;
    uint32_t shown[24], likes[24]; /* by hour of the day, UTC */
};

/* What else a creator's audience likes: account-days of those whose last tastes include the tag. */
struct insight_taste {
    struct table_head head;
    uint64_t count;
};

struct insight_name {
    struct table_head head;
    char name[TAG_BYTES_MAX];
    uint64_t size;
};

/* A day of the platform: who did anything. */
struct insight_active {
    struct table_head head;
    struct sketch sketch;
};

#endif
