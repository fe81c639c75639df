/* judge.h: what an act is worth, before it is applied, and what is learnt from it afterwards.
 *
 * Rules (policy.h) come first: they may refuse, hold or cut. Then the scorer (trust.h). The least
 * weight and the gravest mark of all stand. What was decided goes into the record; a replay learns
 * from records and never judges.
 *
 *   signals    all that is remembered to judge by: one region, 64 byte aligned, without pointers:
 *              windows of the rules, the scorer's memory, the held likes. It is written out with
 *              each flush and read back at a start; it is no part of the state that the log makes.
 *
 * Memory: everything belongs to the caller; nothing is allocated. */
#ifndef ZAN_ENGINE_JUDGE_H
#define ZAN_ENGINE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/act.h"
#include "engine/policy.h"
#include "engine/trust.h"
#include "schema/record.h"

/* A like that waits to be scored again, or for its window to be settled: 64 bytes. */
struct hold {
    uint64_t account, item;
    uint64_t address, device, network;
    int64_t time_us; /* when it was done */
    int64_t due_us;
    uint16_t tenant;
    uint16_t reasons;
    uint8_t source;
    uint8_t weight_pct; /* what it seemed to be worth when it was done */
    uint8_t unused[2];
};

/* A ring in order of due times; a full one lets the oldest be settled early, or, while nobody
 * scores, loses it: it stays held, is counted (missed), and is found again (node/backlog.h). Behind
 * it a second one, of likes that counted in full and are to be looked at once more, because what
 * came after them speaks against them (trust_observe); they go first, and those that look bad by
 * now are held. A full one takes no more. */
struct holds {
    uint64_t first, count, capacity;
    uint64_t early; /* were settled before their time, for want of room */
    uint64_t again_first, again_count, again_capacity;
    uint32_t missed;        /* held likes that wait in no queue, at least so many; saturates */
    uint32_t blind_until_s; /* the scorer knows nothing yet; BLIND_FROM_NOW: from the next act on */
    struct hold hold[];
};

/* How often a rule held, and what followed; of a shadow rule, what would have followed. */
struct judge_tally {
    uint64_t fired, refused, held, cut;
};

/* Rules that are judged beside those in force, without effect. */
struct judge_shadow {
    const struct policy *policy; /* NULL: none */
    struct policy_verdict rules;
    uint64_t judged, refused, held, cut; /* acts, and what would have become of them */
    struct judge_tally tally[POLICY_RULES_MAX];
};

/* Why likes are held that nobody scored (mode risk-degraded), the gravest first. */
enum judge_lack {
    JUDGE_LACKS_NOTHING,
    JUDGE_PENDING, /* by the setting */
    JUDGE_BLIND,   /* the scorer lost what it had seen; it looks, and its word is not taken yet */
    JUDGE_MISSED,  /* it is back; likes that wait in no queue are being found again (node/backlog.h)
                    */
    JUDGE_BACKLOG  /* it is back; what was held meanwhile waits to be scored */
};

struct judges {
    const struct policy *policy; /* NULL: no rules */
    struct policy_table *windows;
    struct trust *trust; /* NULL: acts are not scored */
    struct holds *holds;
    bool unscored;    /* the scorer is not there, or blind: likes are held, never full weight */
    bool pending;     /* it is not to be there, by the setting */
    uint64_t backlog; /* of the queue: so many of the first until the last one that nobody scored */
    uint64_t failures;   /* times that what it remembers was found damaged or lost */
    uint64_t check_hand; /* judges_check goes round */
    /* Of the act judged last: */
    struct act act;
    bool act_is_ready; /* and is the one that is being applied */
    struct policy_verdict rules;
    struct trust_verdict score;
    uint8_t along; /* of a view: what before it counts no longer (trust.h) */
    uint64_t judged, refused, devalued, held, quarantined, settled; /* for facts */
    uint64_t reopened;                          /* counted in full at first and were held later */
    struct judge_tally tally[POLICY_RULES_MAX]; /* by rule; for facts */
    size_t windows_bytes, trust_bytes, holds_bytes;
    uint32_t version; /* of the policy the tally is of, and its digest */
    uint8_t digest[32];
    struct judge_shadow shadow;
};

struct judge_sizes {
    size_t windows, trust, holds; /* bytes of each part, multiples of 64 */
};
/* Shares of a region of so many bytes; at least JUDGE_BYTES_MIN. */
#define JUDGE_BYTES_MIN ((size_t)2 << 20)
struct judge_sizes judge_sizes_for(size_t bytes);

/* Makes judges over a region of judge_sizes_for(bytes). restored: it holds what was saved; parts
 * that cannot be used are begun anew, and the answer is false. */
bool judges_open(struct judges *judges, void *region, size_t bytes, const struct policy *policy,
                 const uint8_t *policy_digest, bool scored, bool restored);

/* The scorer's memory, and the queue, are not what they were: it begins anew, and for one settling
 * delay its word is not taken (likes are held). Held likes wait in no queue. */
void judges_lost(struct judges *judges);
/* Looks at so many lines of what is remembered, the next ones each time. False: it was damaged, and
 * is lost from here on (judges_lost). */
#define JUDGE_CHECK_LINES 1024
bool judges_check(struct judges *judges, int64_t now_us, uint32_t lines);
enum judge_lack judges_lack(struct judges *judges, int64_t now_us);
/* A like that is held, by its edge, waits in the queue from here on. False: no room now. */
bool judges_requeue(struct judges *judges, const struct edge_row *edge);

/* Other rules from here on (NULL: none); windows that they have in common go on. True: they are
 * others than before, so what each has done is counted anew. */
bool judge_enforce(struct judges *judges, const struct policy *policy, const uint8_t digest[32]);
/* policy: made by policy_beside, or NULL. anew: its figures begin from zero. */
void judge_enforce_shadow(struct judges *judges, const struct policy *policy, bool anew);

/* --- judging once more what stands in a log (node/backtest.h) ------------------------------------
 * judge_act_of, then judge_decide and, if it was carried out, judge_observe: as for a live act. */
struct engine;
struct reply;

/* The act that a record stands for, from rows as they are before it is applied. policy: whose undo
 * window counts; NULL: none does. */
struct act judge_act_of(struct engine *engine, const struct record *record,
                        const struct policy *policy);
/* Shortly after the like it is an undo, not a change of mind. */
bool judge_is_undo(const struct policy *policy, const struct act *act);

/* What judges->act is worth. cut_pct: what the account's acts count for. Not OK: it is refused. */
enum status judge_decide(struct judges *judges, bool confirmed, uint8_t cut_pct,
                         struct verdict *verdict, int64_t *window_us, struct reply *reply);
/* judges->act was carried out and was worth that. */
void judge_observe(struct judges *judges, const struct verdict *verdict, int64_t window_us);

#endif
