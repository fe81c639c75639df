/* record.h: a decision, as it stands in the log for good.
 *
 * The engine makes a record per decision; applying records in order gives the state, always the
 * same (replay). A record says what was decided, not only what was asked.
 *
 * Bytes of one record in a batch body (integers are LEB128 varints unless a width is given):
 *
 *   1        kind      enum verb, or RECORD_EFFECT, RECORD_CLAIM
 *   varint   fields    which of the following are there (enum record_field), two bytes at most
 *   varint   account
 *   varint   target
 *   [2]      tenant                          RECORD_HAS_TENANT   (absent: 0)
 *   [1]      status    enum status           RECORD_HAS_STATUS   (absent: OK)
 *   [16+8]   opid, content                   RECORD_HAS_OPID     little endian
 *   [1+8*3+8] source, address, device, network, client_us         RECORD_HAS_CONTEXT
 *   [varint varint] a, b                     RECORD_HAS_ARGS
 *   [varint] c                               RECORD_HAS_EXTRA
 *   [1 1 varint*3] weight_pct, mark|reason<<4, reasons, rule, policy   RECORD_HAS_VERDICT
 *   [8 1]    caller, role                    RECORD_HAS_ACTOR
 *   [1 n]    size of text, text              RECORD_HAS_TEXT
 *   [1 (varint)] notify, since_us if NOTIFY_BACK      RECORD_HAS_NOTICE
 *   [1 1 varint] weight_pct, mark|reason<<4, age_s    RECORD_HAS_BEFORE
 *   [1 1 1]  stage, place, age_min           RECORD_HAS_IMPRESSION
 *
 * What a, b, c mean, by kind: VIEW watch_ms, duration_ms |
 * record_along<<32. REPORT its weight in percent. ITEM SET creator, duration_ms | published_s<<32 (0: not
 * said), mask|state<<8|enum item_origin<<16.
 * ITEM STATE state. ACCOUNT SET visibility | tier<<8 | switches<<16, created_us, mask (enum portrait_field) |
 * region<<16 (region.h).
 * ACCOUNT STATE state, until_us. ACT: one record for each action that changed
 * something, in one batch. EFFECT: source partition, source sequence, verb. SETTLE: the case it
 * carries out, or 0. SANCTION: the case it belongs to, or 0; enum sanction | amount<<8 (of LIFT: the
 * sanction it ends); until_us, or for POINTS the change in zigzag. CASE: the case (0: opened by
 * this record); enum case_event | more<<8 (OPENED: kind | subject<<8; STEP: likes done); OPENED: when
 * it is due, STEP: the cursor. CASE OPEN, DISAVOW: 0; kind | subject<<8. NOTICE READ: the notice, 0.
 * CASE PROPOSE: the case; decision |
 * value<<8; since<<32 | to, in seconds. CASE APPROVE, REJECT, APPEAL: the case. CASE APPROVE b: of a
 * compensation its cap in likes; target: of one, or of its end, whose budget it changes (older: 0).
 * EFFECT b: see engine/inner.h.
 * LIKE, UNLIKE a: the clean-up that undoes or does it (record_cleanup). UNLIKE b: enum intent |
 * horizon_s<<8 of what fades (withdraw.h); c: the item's un-likes wait until then; neither: older.
 * UNLIKE, UNFAVORITE, UNFOLLOW a: RECORD_ERASURE, the account was erased. ACCOUNT ERASE a: from when
 * on it may be, in seconds. ACCOUNT PURGE: it is erased; those of its reactions follow. GROWTH PAUSE a:
 * until when, in seconds.
 *
 * POLICY PROPOSE: target the number given, a the bytes of its text; POLICY APPROVE, REJECT, SHADOW,
 * WITHDRAW: target the version. POLICY: target the version; a: enum rules_event, b: of TEXT where in
 * the text it stands, of TAKES the bytes of the text; text.
 *
 * ITEM TAG: text (tags.h). INTEREST FORGET: the tags as text, or none: all. BOOST ITEM, TAG, WORD: factor in
 * percent | size of the name<<16, until in seconds; text: the name (of TAG and WORD), then the reason.
 * STAGE: enum stage_step | stage<<8, budget of impressions; text. SPEND BUDGET: percent of a like,
 * percent left after it | until when in seconds<<32 (older: 0).
 * CAMPAIGN OPEN: budget of impressions | hold-out in percent<<32, until in seconds | size of the label<<32;
 * text: the label, then the tags of the audience. CAMPAIGN STOP: text. SPEND CAMPAIGN: impressions, 0.
 * All of these have ACTOR; the newest of BOOST about the same counts, until it ends.
 *
 * BEFORE is what a like was worth until this record, for readers that keep no edges; applying looks
 * past it. It stands where the account lives, once for each change, and older records have none:
 *   UNLIKE   what the like counted for, by its mark; age: since it was set
 *   LIKE     the account had liked the item before: what its un-like left to fade (weight 0: it took
 *            effect at once); age: since that un-like. A first LIKE has none
 *   SETTLE, and an EFFECT that asks for one (EFFECT_SETTLE, whose verdict is the new worth): a void, a
 *            restore, a score made again; age: since the like was set. A SETTLE about somebody who
 *            lives elsewhere has none: its effect tells
 *
 * IMPRESSION, of a VIEW or SKIP: this node showed the item to the account, age_min minutes before, at
 * that stage and place (serve/attest.h). It may come more than once.
 *
 * A record's number is first_seq of its batch plus its place; its time is its batch's time. */
#ifndef ZAN_SCHEMA_RECORD_H
#define ZAN_SCHEMA_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "schema/request.h"
#include "schema/status.h"

enum {
    RECORD_EFFECT = 0xF0, /* an account's partition tells a target's what happened */
    RECORD_CLAIM = 0xF1,  /* a new owner of the partition takes over */
    RECORD_SETTLE = 0xF2, /* what a like is worth is decided anew */
    RECORD_SANCTION = 0xF3, /* one restriction of an account begins, or ends early */
    RECORD_CASE = 0xF4,     /* the node's own step of a case (enum case_event) */
    RECORD_POLICY = 0xF5    /* a part of what the next record says of the rules (enum rules_event) */
};

enum record_field {
    RECORD_HAS_TENANT = 1,
    RECORD_HAS_STATUS = 2,
    RECORD_HAS_OPID = 4,
    RECORD_HAS_CONTEXT = 8,
    RECORD_HAS_ARGS = 16,
    RECORD_HAS_EXTRA = 32,
    RECORD_CHANGED = 64, /* the decision changed state (absent: unchanged or refused) */
    RECORD_HAS_VERDICT = 128, /* absent: full weight, plain */
    RECORD_HAS_ACTOR = 256,   /* who decided: operators' and the node's own decisions */
    RECORD_HAS_TEXT = 512,    /* why, in words */
    RECORD_HAS_NOTICE = 1024, /* somebody is told, or what he was told is taken back */
    RECORD_HAS_BEFORE = 2048, /* what a like was worth until now */
    RECORD_HAS_IMPRESSION = 4096, /* it answers something that was shown */
    RECORD_FIELDS_ALL = 8191
};

/* What the rules in force said about telling whom the act was done to (docs/notices.md): how loud
 * (enum policy_notice), two bits for each relation of him to the one who acted. */
enum record_notify {
    NOTIFY_ANYBODY_SHIFT = 0,
    NOTIFY_FOLLOWER_SHIFT = 2,
    NOTIFY_MUTUAL_SHIFT = 4,
    NOTIFY_LEVELS = 63,
    NOTIFY_BACK = 64,  /* the state it changes was set at since_us: a notice of that goes */
    NOTIFY_AGAIN = 128 /* a clean-up undone: is counted where it was, and told to nobody. With BACK:
                          what it takes back was counted in no digest */
};

/* What an ACCOUNT SET says; older ones have no mask and say that the account is there. */
enum portrait_field {
    PORTRAIT_VISIBILITY = 1,
    PORTRAIT_TIER = 2,
    PORTRAIT_CREATED = 4,
    PORTRAIT_MINOR = 8,    /* its bit of enum account_switch is bits 16.. of a */
    PORTRAIT_PERSONAL = 16,
    PORTRAIT_REGION = 32
};
#define PORTRAIT_REGION_SHIFT 16

/* What an act was found to be worth, and why (docs/integrity.md). */
struct verdict {
    uint8_t weight_pct; /* 0..100 */
    uint8_t mark;       /* enum edge_mark */
    uint8_t reason;     /* enum reason: the main one */
    uint16_t reasons;   /* all of them, bit per enum reason */
    uint16_t rule;      /* 1 + index of the rule that decided, 0: none */
    uint32_t policy;    /* version of the rules in force */
};

#define RECORD_TEXT_MAX  200
#define RECORD_BYTES_MAX 400 /* no encoded record is longer; asserted by record_encode */

struct record {
    uint64_t sequence; /* not in the bytes: from the batch */
    int64_t time_us;   /* not in the bytes: from the batch */
    uint8_t kind;
    uint8_t status;
    uint16_t tenant;
    uint32_t fields;
    uint64_t account;
    uint64_t target;
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint64_t opid[2];
    uint64_t content;
    struct context context;
    struct verdict verdict;
    uint32_t before_age_s; /* saturates */
    uint64_t caller; /* whose decision: id of a credential; 0: the node's own */
    uint8_t role;
    uint8_t text_size;
    uint8_t notify;   /* enum record_notify */
    uint8_t before_pct;   /* with before_marks: RECORD_HAS_BEFORE */
    uint8_t before_marks; /* enum edge_mark | main enum reason << 4 */
    uint8_t stage, place, age_min; /* RECORD_HAS_IMPRESSION */
    const char *text; /* borrowed: from the bytes it was decoded from */
    int64_t since_us; /* NOTIFY_BACK */
};

/* The verdict that needs not be written. */
static inline int verdict_is_plain(const struct verdict *verdict)
{
    return verdict->weight_pct == WEIGHT_FULL && verdict->mark == MARK_PLAIN;
}

/* What the record says an act is worth; older records, and most, say nothing: in full. */
static inline struct verdict record_verdict(const struct record *record)
{
    struct verdict verdict = {.weight_pct = WEIGHT_FULL};

    if (record->fields & RECORD_HAS_VERDICT)
        verdict = record->verdict;
    if (verdict.mark == MARK_VOIDED)
        verdict.reason = REASON_REVIEW; /* see edge_before_mark */
    return verdict;
}

/* Of an ACCOUNT SET that says PORTRAIT_REGION: a code of region.h; 0: none any more. */
static inline uint64_t record_region(const struct record *record)
{
    return record->c >> PORTRAIT_REGION_SHIFT;
}

/* In place of a clean-up's number: the whole account goes; no mark is left to undo it by. */
#define RECORD_ERASURE 0xFFFF

/* The account's clean-up that this LIKE or UNLIKE belongs to; 0: none. Rules pass such acts over, and
 * nothing that rules look at counts them. */
static inline uint16_t record_cleanup(const struct record *record)
{
    return record->kind <= VERB_UNFOLLOW && record->fields & RECORD_HAS_ARGS ? (uint16_t)record->a
                                                                             : 0;
}

/* What the like was worth until then; of a record without BEFORE, nothing. */
static inline struct verdict record_before(const struct record *record)
{
    return (struct verdict){.weight_pct = record->before_pct,
                            .mark = record->before_marks & 15,
                            .reason = record->before_marks >> 4};
}

/* Of an UNLIKE. */
static inline uint8_t record_intent(const struct record *record)
{
    return record->fields & RECORD_HAS_ARGS && (record->b & 0xFF) < INTENT_COUNT
               ? (uint8_t)record->b
               : INTENT_NONE;
}

static inline uint32_t record_horizon_s(const struct record *record)
{
    return record->fields & RECORD_HAS_ARGS ? (uint32_t)(record->b >> 8) : 0;
}

/* Of a VIEW: what views before it were found out by it and count no longer; in halves of a view. */
static inline uint8_t record_along(const struct record *record)
{
    return record->fields & RECORD_HAS_ARGS ? (uint8_t)(record->b >> 32) : 0;
}

/* Writes record to bytes (room for RECORD_BYTES_MAX); returns how many were written. */
size_t record_encode(const struct record *record, uint8_t *bytes);

/* Reads one record from bytes; returns its size, or 0 if the bytes are no record.
 * sequence and time_us of the result are left alone. */
size_t record_decode(const uint8_t *bytes, size_t size, struct record *record);

#endif
