/* verb.h: the commands, as an enum and a table. Everything comes from verbs.def. */
#ifndef ZAN_SCHEMA_VERB_H
#define ZAN_SCHEMA_VERB_H

#include <stddef.h>
#include <stdint.h>

#include "schema/row.h"

enum verb {
#define VERB(symbol, name, group, access, shape, edge, on, counter, since, summary, arguments)       \
    VERB_##symbol,
#include "schema/verbs.def"
#undef VERB
    VERB_COUNT
};

/* The first two are the engine's. */
enum verb_group { GROUP_WRITE, GROUP_READ, GROUP_SERVICE, GROUP_READER };

/* Kinds of access; who has which is in access.def and schema/access.h. */
enum access {
#define ACCESS(symbol, what, backend, user, creator, operator_, approver, privacy, admin, auditor, \
               why)                                                                                \
    ACCESS_##symbol,
#include "schema/access.def"
#undef ACCESS
    ACCESS_COUNT
};

/* How arguments become a request, and a request an answer. */
enum verb_shape {
    SHAPE_SET,      /* account, target -> 0|1 */
    SHAPE_EVENT,    /* account, target -> 1 */
    SHAPE_VIEW,     /* account, target, watch, duration -> 1 */
    SHAPE_ACT,      /* account, target, actions -> [0|1...] */
    SHAPE_ITEM_SET, /* target, fields -> 0|1 */
    SHAPE_ITEM_STATE,
    SHAPE_ACCOUNT_SET,
    SHAPE_ACCOUNT_STATE,
    SHAPE_ACCOUNT_REVOKE,
    SHAPE_ACCOUNT_ERASE, /* account -> 0|1; on: it is taken back */
    SHAPE_NOTICE_READ, /* account, notice -> 0|1 */
    SHAPE_CASE_OPEN, /* kind, subject, text -> id */
    SHAPE_CASE_STEP, /* case, text, and more -> 0|1 */
    SHAPE_POLICY_PROPOSE, /* text, reason -> version */
    SHAPE_POLICY_STEP,    /* version, reason -> 0|1 */
    SHAPE_NOTE,         /* text, numbers, text -> 1 */
    SHAPE_ITEM_NOTE,    /* target, numbers, text -> 1 */
    SHAPE_ACCOUNT_NOTE, /* account, numbers, text -> 1 */
    SHAPE_CLEANUP, /* account, times or clean-up -> [clean-up, how many, are there more] */
    SHAPE_CLEANUP_PREVIEW, /* account, times, count -> how many, some targets */
    SHAPE_STATES,   /* account, targets -> [0|1...] */
    SHAPE_TOTALS,   /* targets -> [count...] */
    SHAPE_COUNTS,   /* target -> map */
    SHAPE_RECEIVED, /* account -> map */
    SHAPE_TAKEN,    /* target, cursor, count -> page of accounts */
    SHAPE_GIVEN,    /* account, cursor, count -> page of targets */
    SHAPE_ACTIVITY, /* account, viewer, cursor, count -> page of targets */
    SHAPE_ITEM_GET,
    SHAPE_ACCOUNT_GET,
    SHAPE_EXPORT,    /* account, cursor, count -> page of maps, each with its kind */
    SHAPE_CASE_GET,  /* case -> map */
    SHAPE_CASE_LIST, /* state, cursor, count -> page of cases somebody has to see to */
    SHAPE_CASE_OF,   /* account or item, cursor, count -> page of cases */
    SHAPE_WEIGHED,   /* target, mark, reason, cursor, count -> page of likes as maps */
    SHAPE_POLICY_GET,  /* version, or the one in force -> map */
    SHAPE_POLICY_LIST, /* -> array of maps */
    SHAPE_NOTICES,   /* account, cursor, count -> page of notices */
    SHAPE_SHIELD,    /* target, cursor, count -> map, with a page of cases */
    SHAPE_POINTS,    /* account, cursor, count -> map, with a page of cases */
    SHAPE_SEQ,
    SHAPE_READER, /* any arguments -> a tree (answers.def); see request.u.ask */
    SHAPE_SERVICE
};

#define COUNTER_NONE COUNTER_COUNT

struct verb_info {
    const char *name;   /* "ITEM SET" */
    const char *symbol; /* "ITEM_SET" */
    const char *since;
    const char *summary;
    const char *arguments; /* the little language of verbs.def */
    uint8_t group;         /* enum verb_group */
    uint8_t access;        /* enum access */
    uint8_t shape;         /* enum verb_shape */
    uint8_t edge;          /* enum edge_kind or EDGE_NONE */
    uint8_t on;
    uint8_t counter; /* enum counter or COUNTER_NONE */
};

extern const struct verb_info verb_table[VERB_COUNT];

static inline const struct verb_info *verb_info(enum verb verb)
{
    return &verb_table[verb];
}

/* Acts on an account alone: there is no target. */
static inline int verb_is_of_account(enum verb verb)
{
    uint8_t shape = verb_info(verb)->shape;

    return shape == SHAPE_ACCOUNT_SET || shape == SHAPE_ACCOUNT_STATE ||
           shape == SHAPE_ACCOUNT_REVOKE || shape == SHAPE_ACCOUNT_ERASE ||
           shape == SHAPE_NOTICE_READ || shape == SHAPE_ACCOUNT_NOTE;
}

/* A decision about exposure (engine/note.h). */
static inline int verb_is_note(enum verb verb)
{
    uint8_t shape = verb_info(verb)->shape;

    return shape >= SHAPE_NOTE && shape <= SHAPE_ACCOUNT_NOTE;
}

/* About the rules: partition 0 answers, whatever the account. */
static inline int verb_is_of_policy(enum verb verb)
{
    uint8_t shape = verb_info(verb)->shape;

    return shape == SHAPE_POLICY_PROPOSE || shape == SHAPE_POLICY_STEP ||
           shape == SHAPE_POLICY_GET || shape == SHAPE_POLICY_LIST;
}

/* The edge of FOLLOW ends at an account; every other edge at an item. */
static inline int edge_target_is_account(uint8_t kind)
{
    return kind == EDGE_FOLLOW;
}

/* "like", "favorite", ...: the names on the wire, in JSON and in metrics. */
const char *counter_name(enum counter counter);
const char *account_state_name(enum account_state state);
const char *item_state_name(enum item_state state);
const char *visibility_name(enum visibility visibility);
const char *tier_name(enum tier tier);
const char *reason_name(enum reason reason);
/* Which one these bytes name, in any case; REASON_COUNT: none. */
enum reason reason_of(const char *bytes, size_t size);
const char *quality_name(uint32_t band); /* enum quality_band of reply.h: "full", ... */
const char *intent_name(enum intent intent);
const char *mark_name(enum edge_mark mark);
const char *sanction_name(enum sanction sanction);
const char *policy_state_name(enum rules_state state);
const char *case_kind_name(enum case_kind kind);
const char *case_decision_name(enum case_decision decision);
const char *pause_by_name(enum pause_by by); /* "creator", "review" */
/* What one sees of a case: "open", "proposed", "appealed", "applied", ... */
const char *case_state_name(enum case_state state, enum case_decision proposed, int appealed);

#endif
