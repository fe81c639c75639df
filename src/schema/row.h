/* row.h: what the store keeps: accounts, items, edges, operations.
 *
 * These are the shapes in memory. Their bytes at rest are in store/key.h and docs/formats.md.
 *
 *   *_us        microseconds since the epoch, as the node's clock gave them to a record
 *   sequence    number of the record that made the last change, from 1, per partition
 *   counts      indexed by enum counter
 *
 * Holds always: counts[COUNTER_LIKE] of an item is the number of edges (EDGE_LIKE, *, item) that
 *               are on; the same for every other counter that has an edge.
 *               given[c] of an account counts what it did, received[c] what its items (and, for
 *               COUNTER_FOLLOW, the account itself) got. */
#ifndef ZAN_SCHEMA_ROW_H
#define ZAN_SCHEMA_ROW_H

#include <stdint.h>

/* What is counted. The order is part of the formats: add at the end, never reorder. */
enum counter {
    COUNTER_LIKE,
    COUNTER_FAVORITE,
    COUNTER_FOLLOW,
    COUNTER_VIEW,
    COUNTER_SHARE,
    COUNTER_COMMENT,
    COUNTER_SKIP,
    COUNTER_REPORT,
    COUNTER_COUNT
};

/* What can be on or off between an account and a target. Part of the formats. */
enum edge_kind {
    EDGE_LIKE,     /* account -> item */
    EDGE_FAVORITE, /* account -> item */
    EDGE_FOLLOW,   /* account -> account */
    EDGE_REPORT,   /* account -> item; is never taken back, is never listed */
    EDGE_COUNT,
    EDGE_NONE = 255
};
#define EDGE_LISTED 3 /* kinds below this one are listed both ways, newest first */

enum account_state { ACCOUNT_ACTIVE, ACCOUNT_LIKE_BANNED, ACCOUNT_SUSPENDED, ACCOUNT_STATE_COUNT };
/* Who may see what an account likes; who has not said so is seen by nobody. Part of the formats. */
enum visibility { VISIBLE_TO_NOBODY, VISIBLE_TO_MUTUALS, VISIBLE_TO_FOLLOWERS, VISIBLE_TO_ALL,
                  VISIBILITY_COUNT };
enum item_state { ITEM_PUBLISHED, ITEM_PRIVATE, ITEM_REMOVED, ITEM_STATE_COUNT };

/* What a like that is on is worth at present (docs/integrity.md). Part of the formats. */
enum edge_mark {
    MARK_PLAIN,       /* counts with its weight */
    MARK_HELD,        /* valid; credited when it has been scored again */
    MARK_QUARANTINED, /* neither valid nor credited until a review settles it */
    MARK_VOIDED,      /* neither, by a decision with evidence */
    MARK_COUNT
};

/* Why a like does not count in full. One is the main one (edges, totals); records carry all of them
 * as bits. Part of the formats: add at the end. */
enum reason {
    REASON_NONE,
    REASON_VELOCITY,     /* surprising speed of the account, device, network or item */
    REASON_LOCKSTEP,     /* acts together with the same others, again and again */
    REASON_FIRST_TIMERS, /* the item is liked by accounts that never liked before */
    REASON_YOUNG,        /* a new account */
    REASON_HOUR,         /* at hours that are not this account's */
    REASON_UNLIKER,      /* takes most likes back */
    REASON_DEVICE,       /* many accounts on one device, in synchrony */
    REASON_NETWORK,      /* many accounts of one network, in synchrony */
    REASON_POLICY,       /* a rule */
    REASON_INCENTIVE,    /* made for a reward */
    REASON_QUARANTINE,   /* a window is open */
    REASON_REVIEW,       /* a decision of people */
    REASON_UNSCORED,     /* the scorer could not answer: pending */
    REASON_COUNT         /* at most 16: a nibble at rest */
};

/* Part of the formats. */
enum tier { TIER_ORDINARY, TIER_VERIFIED, TIER_ELDER, TIER_COUNT };

/* What the likes of an item, or of all items of a creator, are worth. Always:
 * held + quarantined + voided <= raw count, and credited_pct <= 100 * (raw - these three). */
struct credit {
    uint64_t credited_pct; /* sum of weights of the plain ones, in percent */
    uint64_t held, quarantined, voided;
};

#define WEIGHT_FULL 100

/* Likes less those that were found not to count. */
static inline uint64_t credit_valid(uint64_t raw, const struct credit *credit)
{
    return raw - credit->quarantined - credit->voided;
}

struct account_row {
    uint64_t id;
    uint16_t tenant;
    uint8_t state;       /* enum account_state */
    uint8_t tier;        /* enum tier */
    uint32_t taken_back; /* how many likes this account has taken back, ever; saturates */
    int64_t until_us; /* a state other than ACTIVE ends here; every restriction expires */
    int64_t first_us; /* when the account was first seen */
    uint32_t epoch;       /* assertions of an earlier epoch are revoked */
    uint8_t cut_pct;      /* what its acts count for until cut_until_us, of 100 */
    uint8_t visibility;   /* enum visibility of what it likes */
    uint16_t limit_verbs; /* bit per counter: refused until limit_until_us */
    int64_t cut_until_us; /* 0: no cut */
    int64_t limit_until_us;
    int64_t points;   /* incentive points, by records alone */
    uint64_t case_id; /* of the restriction in force, or the last one; 0: none ever */
    uint64_t given[COUNTER_COUNT];
    uint64_t received[COUNTER_COUNT];
    struct credit received_credit; /* of the likes among received */
};

struct item_row {
    uint64_t id;
    uint16_t tenant;
    uint8_t state;       /* enum item_state */
    uint8_t has_creator; /* 0 or 1; id 0 is a valid creator */
    uint32_t duration_ms; /* 0: not known */
    uint64_t creator;
    int64_t first_us;
    uint64_t watch_ms;   /* sum over all views */
    uint64_t taken_back; /* likes taken back, ever */
    uint64_t counts[COUNTER_COUNT];
    struct credit credit;           /* of its likes */
    uint32_t reasons[REASON_COUNT]; /* likes that are on and do not count in full, by main reason */
    uint64_t peak;                  /* highest raw count of likes so far, and when */
    int64_t peak_us;
    int64_t window_until_us; /* a quarantine window is open until then; 0: none */
    uint64_t case_id;        /* of that window */
};

struct edge_row {
    uint64_t account;
    uint64_t target;
    uint64_t sequence; /* of the last change of state */
    int64_t time_us;   /* of the last change of state */
    uint16_t tenant;
    uint16_t flips; /* changes of state so far; saturates at UINT16_MAX */
    uint8_t kind;   /* enum edge_kind */
    uint8_t on;     /* 0 or 1 */
    uint8_t weight_pct; /* of a like, while it is on: 0..100; else 0 */
    uint8_t marks;      /* enum edge_mark | main enum reason << 4 */
};

static inline uint8_t edge_mark(const struct edge_row *edge)
{
    return edge->marks & 15;
}

static inline uint8_t edge_reason(const struct edge_row *edge)
{
    return edge->marks >> 4;
}

static inline uint8_t edge_marks(uint8_t mark, uint8_t reason)
{
    return (uint8_t)(mark | reason << 4);
}

/* What was answered to an operation id, so that a retry gets the same answer. */
struct operation_row {
    uint64_t id[2];
    uint64_t content;  /* hash of what was asked; another hash is a CONFLICT */
    uint64_t sequence; /* of the record that holds the decision */
    int64_t time_us;
    uint16_t tenant;
    uint8_t status;  /* enum status: OK, or why it was refused */
    uint8_t applied; /* bit i: action i of the request changed something */
};

#endif
