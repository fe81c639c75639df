/* compensate.h: exposure for likes that were taken back by arrangement: a ledger with a cap.
 *
 * A creator is given at most what was measured as lost (withdraw.h: loss_pct), by a case that two
 * people decided, at most the policy's cap in COMPENSATE_PERIOD_S, and for COMPENSATE_KEEP_S: what
 * is not spent by then is gone. Likes that come back take it back; of what is spent already they
 * leave a debt, which later grants pay first. So nobody gains by staging it: what is paid is less
 * than the weight given up for it (by the part that never fades within the horizon), is owed again
 * when that comes back, and is not paid for likes younger than a week.
 *
 *   *_pct   percent of a like of full weight
 *   now_us  engine time, of records
 *
 * Holds always: balance <= granted <= cap (while it is not 0); integers only; pure.
 * Memory:       struct compensation (schema/row.h), of the caller: the row of the creator. */
#ifndef ZAN_ENGINE_COMPENSATE_H
#define ZAN_ENGINE_COMPENSATE_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/row.h"

#define COMPENSATE_PERIOD_S (30u * 24 * 3600)
#define COMPENSATE_KEEP_S   (30u * 24 * 3600)

/* What a measured loss is worth: all but the 128th part that has not faded at the horizon. */
uint64_t compensate_of_loss(uint64_t loss_pct);

/* What has expired by now_us is gone. */
void compensate_settle(struct compensation *row, int64_t now_us);
/* cap_likes: of the policy. Returns what was granted, debts paid included. */
uint32_t compensate_grant(struct compensation *row, uint64_t amount_pct, uint32_t cap_likes,
                          int64_t now_us);
/* Takes back: from the balance, and from what was spent as a debt. */
void compensate_owe(struct compensation *row, uint64_t amount_pct, int64_t now_us);
/* Exposure of that worth was given out. False: there is not so much; nothing changed. */
bool compensate_spend(struct compensation *row, uint32_t amount_pct, int64_t now_us);

#endif
