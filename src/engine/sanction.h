/* sanction.h: what restricts an account, for a time, and how that ends.
 *
 * Each restriction is a RECORD_SANCTION: whom, what, until when, by which rule of which version or
 * by which case. It ends by itself: nothing has to run for that, it is checked when it is used.
 *
 * An account has at most one of each kind: like-ban (its state), limit of verbs, weight cut.
 *   limit   verbs of a second one join; the later end holds for all
 *   cut     a stronger or equal one takes the place of a weaker one, a weaker one waits for none
 *   ban     the later end holds; a suspension by the platform is never made weaker
 * A lift ends the one that has exactly the end it names, so that giving one back does not touch
 * another that has taken its place.
 *
 * Holds always: every restriction has an end, at most SANCTION_MAX_US away. Rules restrict only the
 *               account whose own act they saw (policy.h); nothing here touches an item or a
 * creator. Pure, as the rest of the engine. */
#ifndef ZAN_ENGINE_SANCTION_H
#define ZAN_ENGINE_SANCTION_H

#include "engine/act.h"
#include "engine/engine.h"
#include "engine/policy.h"

#define SANCTION_MAX_US (366LL * 24 * 3600 * 1000000)
/* One that would only end this much later than the one in force is not recorded again. */
#define SANCTION_STEP_US (3600LL * 1000000)

struct sanction_order {
    uint16_t tenant;
    uint64_t account;
    uint8_t kind;     /* enum sanction, but not LIFT */
    uint8_t lift;     /* 1: end it (or give the points back) */
    uint16_t amount;  /* LIMIT: bit per enum verb; CUT: of 100 */
    int64_t until_us; /* all but POINTS */
    int64_t points;   /* POINTS: how many are taken, from 1 */
    uint64_t case_id; /* 0: none */
    uint16_t rule;    /* 1 + index, 0: none */
    uint32_t policy;
};

/* May this verb be done now? SUSPENDED with until when. */
enum status sanction_check(const struct account_row *row, uint8_t verb, int64_t now_us,
                           int64_t *until_us);

/* What the account's acts count for now, of 100. */
uint8_t sanction_cut(const struct account_row *row, int64_t now_us);

/* Records and applies one. False: nothing would change, or it has no end; nothing was recorded. */
bool sanction_order(struct engine *engine, const struct sanction_order *order);

/* Everything that rules in effect want done about the account of the act: its restrictions and a
 * case that tells of them, with the rule that restricts, open to appeal; and a case of its own for
 * what people are asked to look at. The row of the account must be in memory, and room for 6
 * records. */
void sanction_from_verdict(struct engine *engine, const struct act *act,
                           const struct policy *policy, const struct policy_verdict *verdict);

/* Replay, and the second half of sanction_order. */
void sanction_apply(struct engine *engine, const struct record *record);

/* A review has found one of the account's reports right, or not. */
void sanction_report(struct engine *engine, uint16_t tenant, uint64_t account, bool upheld,
                     int64_t time_us);

/* What a report of this account weighs, in hundredths: its share of reports that were right, with
 * one of each added, so that a newcomer weighs half. */
uint32_t sanction_report_weight(const struct account_row *row);

#endif
