/* request.h: one thing somebody asked, after parsing and before judging.
 *
 * Made by wire (from RESP or HTTP), judged by the engine. A plain struct, so that a batch is an
 * array.
 *
 * Memory: ids points into memory of whoever made the request and is borrowed until the reply to it
 *         has been written. Everything else is in the struct. */
#ifndef ZAN_SCHEMA_REQUEST_H
#define ZAN_SCHEMA_REQUEST_H

#include <stdint.h>

#include "schema/verb.h"

#define REQUEST_IDS_MAX     1024 /* ids in one read */
#define REQUEST_ACTIONS_MAX 8    /* actions in one ACT */
#define REQUEST_PAGE_MAX    1000 /* entries in one page of a list */
#define REQUEST_PAGE        100  /* entries when COUNT is not given */
#define REQUEST_MS_MAX      86400000u /* 24 hours: the longest watch or video time */
#define REQUEST_CASES_MAX   100  /* cases in one page */
#define REQUEST_SHIELD_MAX  16   /* the same, with all that is known of each */
#define REQUEST_AMOUNT_MAX 1000000000u
#define REQUEST_NAME_MAX 64 /* bytes of a tag, a search word, a label */
#define REQUEST_FUTURE_US   300000000LL /* how far a client's clock may be ahead */
#define REQUEST_ISSUED_US   300000000LL /* how far from here a time of issue may lie, both ways */

#define REQUEST_ASK_WORDS   4 /* arguments that are one of some words, of one SHAPE_READER */

enum request_flag {
    REQUEST_RETURN = 1,       /* the caller wants a map, not an integer */
    REQUEST_OPID = 2,         /* opid is set */
    REQUEST_CONTEXT = 4,      /* context is set */
    REQUEST_HAS_CREATOR = 8,  /* ITEM SET: creator is set */
    REQUEST_HAS_DURATION = 16, /* ITEM SET: duration_ms is set */
    REQUEST_HAS_STATE = 32,   /* ITEM SET: state is set */
    REQUEST_HAS_UNTIL = 64,   /* ACCOUNT STATE: until_us is set */
    REQUEST_HAS_CURSOR = 128, /* lists: cursor is set */
    REQUEST_HAS_VIEWER = 256, /* ACTIVITY: target is who looks */
    REQUEST_HAS_VISIBLE = 512, /* ACCOUNT SET: visibility is set */
    REQUEST_HAS_TIER = 1024,
    REQUEST_HAS_CREATED = 2048,
    REQUEST_CONFIRMED = 4096, /* a rule asked whether it is meant: it is */
    REQUEST_HAS_SINCE = 8192,  /* CASE PROPOSE: since_us is set */
    REQUEST_HAS_SWITCH = 16384 /* ACCOUNT SET: switch_mask is set */
};

/* Where a like came from. Part of the formats. */
enum source { SOURCE_NONE, SOURCE_BUTTON, SOURCE_DOUBLE_TAP, SOURCE_VOICE, SOURCE_ASSISTIVE,
              SOURCE_COMPANION, SOURCE_IMPORT, SOURCE_OTHER,
              SOURCE_MENU,  /* chosen from a menu: a SKIP from there says "not interested" */
              SOURCE_SHARE, /* opened from what somebody shared */
              SOURCE_COUNT };

/* What the caller says about the circumstances. Addresses, devices and networks are keyed
 * pseudonyms, made at the door; the plain values go no further than there. 0: not given. */
struct context {
    uint64_t address;
    uint64_t device;
    uint64_t network;
    int64_t client_us; /* the client's clock */
    uint8_t source;    /* enum source */
};

/* The token of an impression that came with a VIEW or a SKIP (serve/attest.h). */
enum attest { ATTEST_NONE, ATTEST_GIVEN, ATTEST_GOOD, ATTEST_BAD };
#define REQUEST_TOKEN_BYTES 12

struct request_view {
    uint32_t watch_ms, duration_ms;
    uint8_t token[REQUEST_TOKEN_BYTES];
    uint8_t attest; /* enum attest; GIVEN until the door has looked at it */
    uint8_t stage, place, age_min; /* GOOD: what it said */
};

/* ITEM SET: whose work it is. Part of the formats. */
enum item_origin { ORIGIN_UNSAID, ORIGIN_OWN, ORIGIN_REPOST };

/* What STAGE does. Part of the formats. */
enum stage_step { STAGE_ENTER, STAGE_ADVANCE, STAGE_AGAIN, STAGE_STOP, STAGE_RESUME,
                  STAGE_STEP_COUNT };

struct request {
    uint16_t verb;  /* enum verb */
    uint16_t flags; /* enum request_flag */
    uint16_t tenant;
    uint16_t count; /* ids, actions, or page size */
    uint64_t account;
    uint64_t target; /* item, or creator for FOLLOW */
    union {
        struct request_view view; /* VIEW; of a SKIP the token alone */
        uint8_t actions[REQUEST_ACTIONS_MAX]; /* ACT: enum verb, count of them */
        struct {
            uint64_t creator;
            uint32_t duration_ms;
            uint32_t published_s; /* 0: not said */
            uint8_t state;
            uint8_t original; /* enum item_origin */
        } item;
        struct {
            int64_t until_us;
            uint8_t state;
        } restriction;
        struct {
            int64_t created_us;
            uint64_t region; /* region.h; if has_region */
            uint8_t visibility, tier;
            uint8_t switches, switch_mask; /* enum account_switch */
            uint8_t has_region;
        } portrait;
        struct {
            int64_t before_us; /* likes set before that; 0: all */
            int64_t after_us;  /* likes set at that time or later */
        } cleanup;             /* CLEANUP UNDO: cursor is the clean-up */
        const uint64_t *ids; /* reads of several targets, count of them */
        uint64_t cursor;     /* lists: sequence below which the next entry lies */
        struct {
            uint64_t cursor;
            uint8_t subject; /* CASE OF: enum case_subject */
            uint8_t filter;  /* CASE LIST: 0: all; 1 + place in its words */
            uint8_t mark, reason; /* CASE LIKES: 1 + enum edge_mark, enum reason; 0: all */
        } list;
        struct {
            const char *text; /* the reason; borrowed as ids is */
            int64_t since_us, until_us;
            uint16_t value;
            uint8_t text_size;
            uint8_t kind, subject, decision; /* as the verb has them */
            uint8_t only; /* void, credit: enum reason of the likes that are meant; 0: all */
        } deed;
        struct {
            const char *text, *name; /* of a note; borrowed as ids is */
            uint32_t until_s, amount;
            uint16_t value;
            uint8_t text_size, name_size;
            uint8_t word; /* STAGE: enum stage_step; CAMPAIGN OPEN: 1: the hold-out was said */
        } note;
        struct {
            const char *reason, *text; /* POLICY PROPOSE: of the rules; borrowed as ids is */
            uint32_t text_size;
            uint8_t reason_size;
        } rules;
        /* SHAPE_READER: what its arguments were, in order; account, target (an item or a creator; as an
         * option with REQUEST_HAS_CREATOR; another account with REQUEST_HAS_VIEWER) and count (0: not
         * given) are above, the cursor is where other verbs have it. Texts and ids are borrowed as
         * ids is. */
        struct {
            uint64_t cursor;
            const char *text;
            const uint64_t *ids;
            uint16_t id_count;
            uint8_t text_size;
            uint8_t words[REQUEST_ASK_WORDS]; /* 1 + place of the ith argument that is one of some
                                               * words; 0: not given */
        } ask;
    } u;
    uint64_t opid[2];
    struct context context;
    int64_t issued_us; /* with context: when the caller sent it; 0: not given. Not recorded */
    /* Who is calling: written by access_judge from the caller's proof (schema/access.h). */
    uint64_t caller;     /* the credential */
    uint64_t subject;    /* the account, for an asserted user or creator */
    uint32_t epoch;      /* of the assertion */
    uint8_t role;        /* enum role */
    uint8_t object_rule; /* enum access_rule: ITEM is the engine's to check (engine/access.h) */
    uint8_t asserted;    /* 1: the epoch is the engine's to check */
};

/* DISAVOW is a case of a kind of its own about an item. */
static inline void request_disavow(struct request *request)
{
    request->u.deed.kind = CASE_DISAVOWAL;
    request->u.deed.subject = SUBJECT_ITEM;
}

const char *source_name(enum source source);

#endif
