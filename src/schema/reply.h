/* reply.h: the answer to one request, before it becomes RESP or JSON.
 *
 * Made by the engine, written by wire (resp_reply, json_reply).
 *
 * Memory: values, page and the rows live in the batch's arena and are borrowed until the turn has
 *         written its replies. */
#ifndef ZAN_SCHEMA_REPLY_H
#define ZAN_SCHEMA_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "schema/row.h"
#include "schema/status.h"

enum reply_kind {
    REPLY_ERROR,    /* status says which; until_us for SUSPENDED; retry_ms for BUSY, RATE */
    REPLY_INTEGER,  /* value */
    REPLY_INTEGERS, /* count values */
    REPLY_WRITE,    /* map: what a write with RETURN answers (struct reply_write) */
    REPLY_COUNTS,   /* map: every counter of an item (item) */
    REPLY_BUDGET,   /* map: what a creator may be compensated with (account) */
    REPLY_RECEIVED, /* map: what a creator has received (account) */
    REPLY_PAGE,     /* cursor and count entries, newest first */
    REPLY_ITEM,     /* map: everything known of an item (item) */
    REPLY_ACCOUNT,  /* map: everything known of an account (account), and its newest case (cased) */
    REPLY_CASE,     /* map: everything known of a case (cased); own: what its subject may know */
    REPLY_CASES,    /* cursor and count cases, newest first (u.cases) */
    REPLY_WEIGHED,  /* cursor and count likes of an item, newest first (u.edges) */
    REPLY_EXPORT,   /* cursor, and one account, or one case, or else count edges (u.edges) */
    REPLY_POLICY,   /* map: a version of the rules (u.policy) */
    REPLY_POLICIES, /* count versions, newest first (u.policies) */
    REPLY_NOTICES,  /* unread, cursor and count notices, newest first (u.notices) */
    REPLY_SHIELD,   /* map: item, and count of its cases, newest first (u.shields); cursor */
    REPLY_POINTS,   /* map: account, and count cases that took points from it (u.shields); cursor */
    REPLY_TREE,     /* map: count nodes of a tree (u.tree; schema/tree.h) */
};

/* Of a VIEW or SKIP that brought a token. NONE: it brought none. */
enum attested { ATTESTED_NONE, ATTESTED_NO, ATTESTED_YES };

struct reply_entry {
    uint64_t id; /* account or target */
    uint64_t sequence;
    int64_t time_us;
};

/* One of what an account is told; other is 0 where who acted is not named. */
struct notice_view {
    struct notice notice;
    uint8_t unread, over, named;
};

/* Likes of an item by what they are worth (engine/quality.h). */
enum quality_band { QUALITY_FULL, QUALITY_MOST, QUALITY_SOME, QUALITY_NONE, QUALITY_WAITING,
                    QUALITY_VOIDED, QUALITY_BANDS };
struct quality {
    uint32_t looked; /* the newest of its likes, so many */
    uint32_t likes[QUALITY_BANDS];
    uint8_t hidden; /* bit per band that is not told */
};

struct reply {
    uint8_t kind;   /* enum reply_kind */
    uint8_t status; /* enum status */
    uint8_t replayed; /* 1: the operation id was known; this is the answer given then */
    uint8_t applied; /* writes: bit i says action i changed something */
    uint16_t count;  /* values, entries, or actions */
    uint16_t flips;  /* REPLY_WRITE of a SET verb: changes of this edge so far */
    uint32_t retry_ms;
    uint8_t on; /* REPLY_WRITE of a SET verb: the state now */
    uint8_t attested; /* REPLY_WRITE: enum attested */
    uint8_t intent; /* REPLY_WRITE of an UNLIKE that changed something: enum intent */
    uint64_t sequence; /* writes: of the record that holds the decision; 0 if none was needed */
    int64_t until_us;  /* SUSPENDED */
    uint64_t cursor;   /* REPLY_PAGE: give this back for the next page; 0: this was the last */
    union {
        int64_t value;
        const uint64_t *values;
        const struct reply_entry *page;
        const struct case_brief *cases;
        const struct edge_row *edges;
        const struct policy_view *policy;
        const struct policy_head *policies;
        const char *detail; /* see reply_detail */
        const struct notice_view *notices;
        const struct case_row *shields;
        const struct tree_node *tree;
    } u;
    const struct item_row *item;
    const struct account_row *account;
    const struct case_row *cased;
    const struct quality *quality; /* REPLY_SHIELD; NULL: not on this page */
    uint8_t own; /* REPLY_CASE */
    uint8_t noticed; /* REPLY_EXPORT: its entries are notices (u.notices) */
    uint8_t held;    /* REPLY_INTEGERS: some are held (engine/pause.h); as many values again follow: until
                      * when in ms, 0: it is not */
    uint16_t unread; /* REPLY_NOTICES: of all that is shown, not only of this page */
};

/* REPLY_ERROR: what was wrong and what was expected; NULL: the code says all. Ends with a 0. */
static inline const char *reply_detail(const struct reply *reply)
{
    return reply->status == STATUS_BADPOLICY || reply->status == STATUS_BADVALUE ? reply->u.detail
                                                                                 : NULL;
}

#endif
