/* rows.h: what discovery keeps of an item, of an exposure, of an account, of a creator, of a tag.
 *
 * Keys (table_key): item {id, 0, tenant}; exposure {item, account, tenant}; account, creator
 * {id, 0, tenant}; tag {tag, 0, tenant}.
 *
 *   *_pct   percent of an account's act in full
 *   *_us    microseconds since the epoch, of records
 *
 * Rows are written as they are into checkpoints: no pointers, and every byte is set. */
#ifndef ZAN_READERS_DISCOVER_ROWS_H
#define ZAN_READERS_DISCOVER_ROWS_H

#include <assert.h>

#include "readers/discover/gifts.h"
#include "readers/discover/health.h"
#include "readers/discover/heat.h"
#include "readers/discover/interest.h"
#include "readers/discover/kinds.h"
#include "readers/discover/live.h"
#include "readers/discover/rising.h"
#include "readers/discover/signals.h"
#include "readers/discover/sketch.h"
#include "readers/discover/table.h"
#include "readers/discover/top.h"
#include "readers/discover/weight.h"
#include "schema/tags.h"

/* Places of an item in top lists. */
enum item_slot { SLOT_ALL, SLOT_REGION, SLOT_CREATOR, SLOT_NEWCOMERS, SLOT_TAG };
static_assert(SLOT_TAG + INTEREST_ITEM_TAGS <= TOP_SLOTS && INTEREST_ITEM_TAGS == TAGS_MAX,
              "a place for every tag");

struct item {
    struct table_head head;
    struct heat heat;
    struct signals signals;
    struct signal_stage stage_counts; /* since it came to its stage */
    struct signal_stage seen[2];      /* by its first and second audience, in all stages */
    uint64_t creator;
    uint64_t opened_pct; /* of `opened`, by what each view was credited with */
    uint64_t region;     /* of its creator (schema/region.h); 0: none */
    int64_t since_us; /* made by a record of this time, after it had been forgotten or at first */
    int64_t published_us; /* first seen, or registered */
    int64_t stopped_us;   /* on its ladder, since when; 0: it is not */
    int64_t newcomer_us;  /* among the newcomers until then; 0: never was */
    uint64_t tag[INTEREST_ITEM_TAGS];
    uint32_t duration_ms;       /* 0: not known */
    uint32_t budget;            /* credited impressions of its stage; 0: it is not in trial */
    uint32_t stages;            /* STAGE records about it */
    uint32_t sketch;            /* row + 1 of its commenters' sketch; 0: none */
    uint32_t opened;            /* accounts that first met it by what somebody had shared */
    uint32_t heatless;          /* likes that are on, brought no heat, and are remembered no more */
    struct taught taught;       /* to its kind (kinds.h) */
    struct health_pairs viewed; /* attested, credited viewers one after the other */
    uint32_t given_units[GIFTS]; /* shown as a gift before its creator was known (gifts.h) */
    uint8_t tag_count;
    uint8_t state; /* enum item_state */
    uint8_t has_creator;
    uint8_t stage;
    uint8_t
        comments_lost; /* 1: a commenter's exposure was forgotten; the sketch counts from then */
    uint8_t unused;
    uint16_t
        birth; /* which of the items that were made it is, from 1 on, and 1 again after 65,535 */
};

/* A stage as tokens and STAGE records have it: the number, and this bit for the second audience. */
#define STAGE_AUDIENCE 64

enum exposure_flag {
    EXPOSURE_IMPRESSION = 1, /* attested */
    EXPOSURE_LIKED = 2,      /* has liked at some time */
    EXPOSURE_LIKE_OFF = 4,   /* and took it back; like_taken says where it stands */
    EXPOSURE_TEACHES = 8,    /* its impression is one of those that teach (kinds.h) */
    EXPOSURE_DEPTH = 16,     /* commented after the like */
    EXPOSURE_HEATLESS = 32,  /* the like is on and brought no heat */
    EXPOSURE_FAVORITE_OFF = 64,
    EXPOSURE_VIEWED_LONG = 128 /* a long view brought its heat */
};

/* What followed one account's impression of one item. */
struct exposure {
    struct table_head head;
    int64_t like_us;
    int64_t favorite_us;
    struct heat_taken like_taken, favorite_taken;
    uint16_t bits;  /* bit per enum signal: has done, or does now */
    uint16_t valid; /* of those: neither quarantined nor voided */
    uint8_t flags;  /* enum exposure_flag */
    uint8_t stage;  /* of the impression */
    uint8_t impression_pct;
    uint8_t act_pct[SIGNAL_COUNT];      /* credited */
    uint8_t like_match, favorite_match; /* of MATCH_ONE; 0: it brought this item no heat */
    uint16_t birth;                     /* the item its like and favorite brought heat */
};
#define MATCH_ONE 64 /* a match of 1 */
static_assert(sizeof(struct exposure) == 80, "an exposure is what there is most of");

struct account {
    struct table_head head;
    struct interest interest;
    uint64_t last_item, last_creator; /* watched last */
    int64_t last_us;
};

struct creator {
    struct table_head head;
    int64_t first_us;           /* of its first item */
    int64_t suspended_until_us; /* 0: it is not */
    uint64_t region;
    uint32_t items;
    uint32_t unused;
};

/* A row of its own, for not everybody makes items: creator {id, 0, tenant}. */
struct weight_row {
    struct table_head head;
    struct weight weight;
};

struct tag_row {
    struct table_head head;
    char name[TAG_BYTES_MAX];
    uint64_t name_size;
    double mass;           /* forward: of everybody's interests */
    struct kind_sums kind; /* of items whose first tag it is */
    struct rising rising;
};

/* A row of its own: item {id, 0, tenant}. */
struct live_row {
    struct table_head head;
    struct live live;
};

struct sketch_row {
    struct table_head head;
    struct sketch sketch;
};

/* Of an account of which nothing may be kept or used, or whose assertions were revoked. Never makes
 * room for another. */
struct off {
    struct table_head head;
    uint32_t switches; /* enum account_switch */
    uint32_t epoch;    /* assertions of an earlier epoch are revoked */
};

#endif
