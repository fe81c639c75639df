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

struct account_row {
    uint64_t id;
    uint16_t tenant;
    uint8_t state;    /* enum account_state */
    uint8_t reserved; /* 0 */
    uint32_t taken_back; /* how many likes this account has taken back, ever; saturates */
    int64_t until_us; /* a state other than ACTIVE ends here; every restriction expires */
    int64_t first_us; /* when the account was first seen */
    uint64_t given[COUNTER_COUNT];
    uint64_t received[COUNTER_COUNT];
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
};

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
