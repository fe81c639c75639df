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
    EDGE_CLEARED,  /* account -> item: a clean-up took the like back. flips: its number; weight and
                      marks: of the like; sequence: of both. Counted nowhere */
    EDGE_COUNT,
    EDGE_NONE = 255
};
#define EDGE_LISTED 3 /* kinds below this one are listed both ways, newest first */
#define EDGE_COUNTED 4 /* kinds below this one have a counter */

/* CLEARED is listed as well, by account. */
static inline int edge_kind_listed(uint8_t kind)
{
    return kind < EDGE_LISTED || kind == EDGE_CLEARED;
}

enum account_state {
    ACCOUNT_ACTIVE,
    ACCOUNT_LIKE_BANNED,
    ACCOUNT_SUSPENDED,
    ACCOUNT_ERASED, /* for good: until_us lies beyond all time */
    ACCOUNT_STATE_COUNT
};
/* What an account is kept from, or keeps others from; bits of switches. Part of the formats. */
enum account_switch {
    SWITCH_MINOR = 1,     /* nobody sees what it likes */
    SWITCH_IMPERSONAL = 2 /* is not to be shown what suits it */
};
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

/* What an un-like was taken for, by the rules and the scorer of its time. Part of the formats. */
enum intent {
    INTENT_NONE,    /* not looked at: no rules, an import, an older log */
    INTENT_UNDO,    /* shortly after its like: a slip; takes effect at once */
    INTENT_CLEANUP, /* by the holder's clean-up */
    INTENT_CHANGE,  /* of mind: nothing speaks against it */
    INTENT_FLOOD,   /* one of many at once, or of an account that a rule held for a flood */
    INTENT_COUNT
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

/* Weight of likes that were taken back and that still stands: it fades (engine/withdraw.h). */
struct withdrawn {
    uint64_t fading_q16; /* percent << 16, as it was at fading_us */
    int64_t fading_us;
    uint32_t horizon_s;    /* after so long it has taken effect; of the latest un-like */
    uint32_t frozen_likes; /* taken back while the freeze was open */
    uint64_t frozen_pct;   /* what they weighed: stands until the freeze ends, then fades */
    int64_t freeze_from_us, freeze_until_us; /* the last freeze; 0: there was none */
    uint64_t loss_pct; /* of frozen likes that had stood long enough to be compensated for */
    uint64_t paid_pct; /* compensated; owed again by likes that come back */
};

/* Exposure that a creator may be given for likes that were taken back by arrangement. In percent
 * of a like; never more than the measured loss, nor than the cap of a period. */
struct compensation {
    uint32_t balance_pct; /* may still be spent, until until_s */
    uint32_t granted_pct; /* since from_s */
    uint32_t spent_pct;   /* ever; saturates */
    uint32_t owed_pct;    /* of what was spent: the likes came back; later grants pay it first */
    uint32_t from_s, until_s; /* seconds since the epoch */
};

/* Likes less those that were found not to count. */
static inline uint64_t credit_valid(uint64_t raw, const struct credit *credit)
{
    return raw - credit->quarantined - credit->voided;
}

/* Exposure that was bought for an item, in impressions; budget 0: there was none. What else was said
 * (label, audience) is in the log. */
struct campaign {
    uint32_t budget, spent; /* spent is never more */
    uint32_t until_s;       /* it ends, seconds since the epoch */
    uint8_t holdout_pct;    /* of its audience, who do not see it, to learn what it does */
};

static inline int campaign_is_open(const struct campaign *campaign, int64_t now_us)
{
    return campaign->spent < campaign->budget && campaign->until_s > now_us / 1000000;
}

/* Who paused the visible growth of an item. Part of the formats. */
enum pause_by { PAUSE_CREATOR, PAUSE_REVIEW, PAUSE_BY_COUNT };
#define PAUSE_COUNTERS 5          /* those that everybody is shown (engine/pause.h) */
#define PAUSE_HELD_MAX UINT32_MAX /* a total as high is not held */

/* Growth of an item that is not shown: no more than held is told until until_s. */
struct pause {
    uint32_t until_s; /* seconds since the epoch; 0: there was none */
    uint32_t held[PAUSE_COUNTERS];
    uint8_t by; /* enum pause_by */
};

/* Which counter each of them is. */
static const uint8_t pause_counter[PAUSE_COUNTERS] = {COUNTER_LIKE, COUNTER_FAVORITE, COUNTER_VIEW,
                                                      COUNTER_SHARE, COUNTER_COMMENT};

/* What a LIKE looks at comes first, side by side: the order is for the processor's cache lines. */
struct account_row {
    uint64_t id;
    uint16_t tenant;
    uint8_t state;       /* enum account_state */
    uint8_t tier;        /* enum tier */
    uint32_t taken_back; /* how many likes this account has taken back, ever; saturates */
    int64_t until_us; /* a state other than ACTIVE ends here; every restriction expires */
    int64_t limit_until_us;
    uint64_t given[COUNTER_COUNT];
    int64_t first_us;     /* when the account was first seen */
    int64_t cut_until_us; /* 0: no cut */
    uint32_t epoch;       /* assertions of an earlier epoch are revoked */
    uint8_t cut_pct;      /* what its acts count for until cut_until_us, of 100 */
    uint8_t visibility;   /* enum visibility of what it likes */
    uint16_t limit_verbs; /* bit per enum verb: refused until limit_until_us */
    uint64_t received[COUNTER_COUNT];
    struct credit received_credit; /* of the likes among received */
    int64_t points;                /* incentive points, by records alone */
    uint64_t case_id;              /* the newest case about it; 0: none ever */
    uint16_t reports_upheld, reports_dismissed; /* of its reports, by reviews; saturate */
    struct compensation compensation; /* of a creator */
    uint32_t erase_s; /* may be erased from then on, seconds since the epoch; 0: nobody asked */
    uint8_t switches; /* enum account_switch */
    uint64_t region;  /* region.h; 0: none was said */
};

struct item_row {
    uint64_t id;
    uint16_t tenant;
    uint8_t state;       /* enum item_state */
    uint8_t has_creator; /* 0 or 1; id 0 is a valid creator */
    uint32_t duration_ms; /* 0: not known */
    uint64_t creator;
    int64_t window_until_us; /* a quarantine window is open until then; 0: none */
    struct credit credit;    /* of its likes */
    uint64_t peak;           /* highest raw count of likes so far, and when */
    int64_t peak_us;
    uint64_t counts[COUNTER_COUNT];
    uint64_t taken_back; /* likes taken back, ever */
    int64_t first_us;
    uint64_t watch_ms; /* sum over all views */
    uint64_t case_id;  /* the newest case about it; 0: none ever */
    uint32_t reasons[REASON_COUNT]; /* likes that are on and do not count in full, by main reason */
    struct withdrawn withdrawn;
    uint64_t views_lost_pct; /* what its views are worth less than in full, in percent of a view */
    uint32_t published_s;    /* when it was first published, as was said; 0: nobody said */
    uint8_t repost;          /* 1: it is somebody else's work */
    struct campaign campaign;
    struct pause pause;
};

/* What is shown while a pause is open: no more than is held, and what fell as it is. */
static inline uint64_t pause_total(const struct item_row *item, uint32_t place)
{
    uint64_t count = item->counts[pause_counter[place]], held = item->pause.held[place];

    return held == PAUSE_HELD_MAX || count < held ? count : held;
}

/* Sum of the weights of an item's views, in percent: what a rate is to be divided by. One that is
 * not plain (held, quarantined) weighs nothing, and stays so: no view is ever scored again. */
static inline uint64_t item_views_pct(const struct item_row *item)
{
    return item->counts[COUNTER_VIEW] * WEIGHT_FULL - item->views_lost_pct;
}

struct edge_row {
    uint64_t account;
    uint64_t target;
    uint64_t sequence; /* of the last change of state */
    int64_t time_us;   /* of the last change of state */
    uint16_t tenant;
    uint16_t flips; /* changes of state so far; saturates at UINT16_MAX */
    uint8_t kind;   /* enum edge_kind */
    uint8_t on;     /* 0 or 1 */
    uint8_t weight_pct; /* of a like, while it is on: 0..100; off: what of it fades; else 0 */
    uint8_t marks;      /* enum edge_mark | main enum reason << 4 */
};

/* marks: bits 0..1 the mark, 2..3 of a voided like the mark it had before, 4..7 the main reason, of
 * a voided like (whose reason is a review) the one it had before. With the weight, which a void
 * leaves alone, that is all it takes to give back exactly what was taken. */
static inline uint8_t edge_mark(const struct edge_row *edge)
{
    return edge->marks & 3;
}

static inline uint8_t edge_reason(const struct edge_row *edge)
{
    return edge_mark(edge) == MARK_VOIDED ? REASON_REVIEW : edge->marks >> 4;
}

static inline uint8_t edge_before_mark(const struct edge_row *edge)
{
    return edge->marks >> 2 & 3;
}

static inline uint8_t edge_before_reason(const struct edge_row *edge)
{
    return edge->marks >> 4;
}

/* The marks of a like that is voided now. */
static inline uint8_t edge_marks_voided(const struct edge_row *edge)
{
    if (edge_mark(edge) == MARK_VOIDED)
        return edge->marks;
    return (uint8_t)((edge->marks & 0xF0) | (edge->marks & 3) << 2 | MARK_VOIDED);
}

static inline uint8_t edge_marks(uint8_t mark, uint8_t reason)
{
    return (uint8_t)(mark | reason << 4);
}

/* --- sanctions and cases (docs/integrity.md); all enums are parts of the formats --------------- */

/* One restriction of an account. */
enum sanction {
    SANCTION_LIKE_BAN, /* likes are refused until then */
    SANCTION_LIMIT,    /* amount: bit per enum verb that is refused until then */
    SANCTION_CUT,      /* amount: what its acts count for until then, of 100 */
    SANCTION_POINTS,   /* incentive points taken or given back */
    SANCTION_LIFT,     /* ends one of the others early, or gives points back */
    SANCTION_UPHELD,   /* one of its reports was right */
    SANCTION_DISMISSED, /* one of its reports was not */
    SANCTION_COUNT
};

enum case_kind {
    CASE_REVIEW,     /* something to be looked at */
    CASE_SANCTION,   /* a rule restricted an account; open to appeal */
    CASE_QUARANTINE, /* a window over the likes of an item */
    CASE_REPORTS,    /* what users reported, weighed */
    CASE_DISAVOWAL,  /* a creator says that the likes of his item are none of his doing */
    CASE_KIND_COUNT
};

enum case_state {
    CASE_GATHERING, /* reports that do not weigh enough yet; nobody's work */
    CASE_OPEN,
    CASE_APPLYING,  /* a sweep is under way */
    CASE_APPLIED,
    CASE_RESTORING, /* a sweep that gives back is under way */
    CASE_RESTORED,
    CASE_REJECTED,
    CASE_EXPIRED, /* nobody decided in time: in favour of whom it is about */
    CASE_STATE_COUNT
};

enum case_decision {
    DECISION_NONE,
    DECISION_VOID,       /* likes are taken out of valid */
    DECISION_CREDIT,     /* quarantined and held likes count with their weight */
    DECISION_QUARANTINE, /* likes of the item from now until then wait for a decision */
    DECISION_LIKE_BAN,
    DECISION_LIMIT,
    DECISION_CUT,
    DECISION_POINTS,
    DECISION_DISMISS, /* nothing is done; the case closes */
    DECISION_RESTORE, /* what the case did is given back */
    DECISION_COMPENSATE, /* likes were taken back by arrangement: the creator is given exposure */
    DECISION_PAUSE,      /* growth of the item is not shown until then */
    DECISION_COUNT
};

/* Of a void or a credit the value tells which likes are meant: those of one main reason. */
#define CASE_ONLY 0x8000

/* That reason; REASON_NONE: all. */
static inline enum reason case_only(uint8_t decision, uint16_t value)
{
    if ((decision != DECISION_VOID && decision != DECISION_CREDIT) || (value & CASE_ONLY) == 0)
        return REASON_NONE;
    return (enum reason)((value & 0xFF) % REASON_COUNT);
}

enum case_subject { SUBJECT_ACCOUNT, SUBJECT_ITEM, SUBJECT_COUNT };

/* Steps that no person takes. */
enum case_event { CASE_OPENED, CASE_EXPIRES, CASE_STEP, CASE_DONE, CASE_EVENT_COUNT };

enum case_text { CASE_TEXT_OPENED, CASE_TEXT_DECIDED, CASE_TEXT_APPEAL, CASE_TEXTS };
#define CASE_TEXT_MAX  200 /* bytes, as in a record */
#define CASE_REPORTERS 8   /* kept by id, to learn whether they were right */

/* id: sequence of the record that opened it << 8 | partition. What has been recorded about it stands
 * in the log under the sequence numbers, this is where it stands now. */
struct case_row {
    uint64_t id;
    uint64_t about;  /* the account or item */
    uint64_t before; /* the case about the same before this one; 0: none */
    uint64_t opener, proposer, approver, appellant; /* callers; 0: the node, or nobody */
    uint64_t proposed_sequence, decided_sequence, appealed_sequence, ended_sequence; /* 0: not yet */
    uint64_t cursor;         /* a sweep: likes at or above it are done */
    uint64_t likes;          /* changed by the decision */
    uint64_t restored;       /* given back */
    int64_t opened_us, decided_us;
    int64_t due_us;   /* open, or under appeal: then it ends in favour of the subject */
    int64_t until_us; /* when what was decided ends; 0: it is no matter of time */
    int64_t since_us, to_us; /* which likes: given from then to then; to 0: until the decision */
    int64_t ends_us[3];      /* of the sanctions it carries: like-ban, limit, cut */
    int64_t points;          /* taken */
    uint64_t granted_pct;    /* exposure given, as far as the creator's cap allows */
    uint64_t reporters[CASE_REPORTERS]; /* of a case to compensate: the creator */
    uint32_t policy; /* version of the rules, and the rule + 1; 0: no rule */
    uint32_t weight; /* of its reports, in hundredths */
    uint16_t rule;
    uint16_t tenant;
    uint16_t value;          /* of the decision: percent, points, verbs; case_only */
    uint16_t proposed_value; /* of the proposal */
    uint8_t kind, state, subject, decision;
    uint8_t proposed; /* enum case_decision that waits for a second person */
    uint8_t appealed; /* 1: an appeal waits for an answer */
    uint8_t appeals;  /* how many there were */
    uint8_t sanctions; /* bit per enum sanction that it carries */
    uint8_t reporter_count;
    uint8_t text_size[CASE_TEXTS];
    char text[CASE_TEXTS][CASE_TEXT_MAX];
};

/* One line of a list of cases. */
struct case_brief {
    uint64_t id, about;
    int64_t opened_us, due_us, until_us;
    uint8_t kind, state, subject, decision, proposed, appealed;
};

/* A case that somebody, or the node, still has to do something about. */
struct case_live {
    uint64_t id;
    int64_t due_us;
    uint16_t tenant, rule;
    uint8_t kind, state, proposed, appealed;
};

/* Does somebody, or the node, still have to do something about it? */
static inline int case_is_live(const struct case_row *row)
{
    return row->state == CASE_OPEN || row->state == CASE_APPLYING || row->state == CASE_RESTORING ||
           (row->state == CASE_APPLIED &&
            (row->appealed || row->proposed != DECISION_NONE ||
             row->decision == DECISION_QUARANTINE));
}

/* --- notices (docs/notices.md); enums are parts of the formats: add at the end ----------------- */

enum notice_kind {
    NOTICE_DIGEST,   /* count acts of one verb on target, since time_us */
    NOTICE_ACT,      /* one act, of account other on target */
    NOTICE_SANCTION, /* a restriction (how: enum sanction) until until_us; other: its case */
    NOTICE_LIFTED,   /* it was ended early, or points were given back */
    NOTICE_DECIDED,  /* case other about the account or its item: how (enum case_decision) */
    NOTICE_APPEAL,   /* an appeal: how 1: granted, 0: not */
    NOTICE_WINDOW,   /* likes of the item target are being looked at, until until_us */
    NOTICE_SETTLED,  /* that is over: how (enum case_decision; 0: nobody decided, they count) */
    NOTICE_KIND_COUNT
};

#define NOTICES_MAX 48 /* in an inbox; docs/notices.md says which goes when one more comes */

struct notice {
    uint64_t target; /* item; account for FOLLOW; 0 */
    uint64_t other;
    int64_t time_us;
    int64_t until_us; /* 0: none */
    uint32_t id;      /* from 1, rising, per account */
    uint32_t count;   /* DIGEST: acts */
    uint8_t kind;     /* enum notice_kind */
    uint8_t verb;     /* enum verb, of DIGEST and ACT */
    uint8_t how;
    uint8_t quiet; /* 1: a mark, no message (policy: digest) */
};

/* What an account is told. at is in the order of ids. */
struct inbox_row {
    uint64_t id; /* the account */
    int64_t read_us;
    uint32_t last, read; /* ids: the newest ever; read up to there */
    uint16_t tenant;
    uint16_t count;
    struct notice at[NOTICES_MAX];
};

/* --- versions of the rules (docs/policy.md); enums are parts of the formats ---------------------- */

enum rules_state {
    RULES_DRAFT, /* its text is being read from the log */
    RULES_PROPOSED,
    RULES_ACTIVE,
    RULES_REPLACED, /* was in force until another one was */
    RULES_REJECTED,
    RULES_WITHDRAWN,
    RULES_STATE_COUNT
};

/* What RECORD_POLICY tells, each before the record that it belongs to, in the same batch. */
enum rules_event {
    RULES_TEXT,    /* the next bytes of the text */
    RULES_DIGEST,  /* SHA-256 of the whole, in hexadecimal digits */
    RULES_SETTING, /* the same of the setting at that time: a preset's name, a file's text */
    RULES_TAKES,   /* the setting was changed and is in force from here on */
    RULES_WAS,     /* what the setting had in force until people decided for the first time */
    RULES_EVENT_COUNT
};

#define POLICY_SLOTS      32    /* versions that are kept; the log has all */
#define POLICY_OPEN_MAX   16    /* proposed at the same time */
#define POLICY_TEXT_KEPT  16384 /* bytes of a text that is proposed */
#define POLICY_REASON_MAX 200
#define POLICY_STATE_SLOT POLICY_SLOTS /* the row that tells what is in force */
#define POLICY_LINES_MAX  300   /* rules told in one answer */

/* A version of the rules without its text. In the row of POLICY_STATE_SLOT: version is the one in
 * force (0: the setting's, which nobody has changed since the first start), and what is marked. */
struct policy_head {
    uint32_t version;
    uint32_t text_size; /* 0: the text is the setting's own (none, or too long to be kept) */
    uint32_t shadow;    /* state: the version that runs in shadow; 0: none */
    uint32_t last;      /* state: the highest number given */
    uint64_t proposer, decider; /* callers; 0: nobody, or the setting */
    uint64_t proposed_sequence, decided_sequence; /* of records; 0: not yet */
    int64_t proposed_us, decided_us;
    int64_t ended_us;  /* when another one took its place */
    int64_t shadow_us; /* state: since when */
    uint8_t digest[32]; /* of the text; state: of the setting, as RULES_SETTING has it */
    uint8_t slot, state; /* enum rules_state */
    uint8_t by_setting;  /* 1: nobody proposed it, the setting was changed */
    uint8_t reason_size, decision_size;
    char name[32];
    char reason[POLICY_REASON_MAX], decision[POLICY_REASON_MAX];
};

struct policy_row {
    struct policy_head head;
    char text[POLICY_TEXT_KEPT];
};

/* A rule as POLICY SHOW and POLICY DIFF tell it. */
enum rules_change { RULES_SAME, RULES_NEW, RULES_CHANGED, RULES_GONE, RULES_CHANGE_COUNT };
struct policy_line {
    char name[32];
    uint8_t shadow, change;
    int64_t since_us; /* its windows have been counted since then; 0: since before rules were changed */
    uint64_t fired, refused, held, cut;
};

struct policy_view {
    struct policy_head head;
    uint8_t has_text, has_lines, in_shadow, more;
    uint16_t line_count;
    int64_t counted_us; /* since when what is told was counted; 0: it is not counted */
    uint64_t judged, refused, held, cut; /* acts, in shadow */
    const struct policy_line *lines;
    const char *text;
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
