/* withdraw.h: what likes leave behind when they are taken back.
 *
 * The raw count, valid and credited fall at once: they are sums over the likes that are on, and
 * stay so. Beside them an item has the weight that was taken back and still stands. It fades:
 * half of it is gone after a seventh of the horizon, 99.2 % (127 of 128) at the horizon. What
 * ranks items looks at credited + fading + frozen, so no minute can crash it, and an honest
 * withdrawal takes its full effect.
 *
 * Freeze: while many take back together, what they take back does not fade yet (frozen). It begins
 * to when the freeze ends; a freeze ends by itself, WITHDRAW_FREEZE_MAX_US after it began at the
 * latest, and no other begins for as long after.
 *
 *   *_pct, *_q16   percent of a like; the same << 16
 *   *_us           microseconds since the epoch, of records: engine time, never back
 *   horizon_s      of the policy, in the record: 0 takes effect at once and leaves nothing
 *
 * Holds always: what stands is never more than the weight that was taken back; a like that comes
 *               back takes what its own withdrawal had left, so going back and forth gains nothing
 *               (where it cannot be told how much is left, at least that much). A weight of 0
 *               leaves nothing. Integers only: the same records leave the same bits.
 * Cost:         a fixed number of steps for each un-like and each like that had been one; nothing
 *               for other likes. One accumulator an item: when the policy's horizon changes, what
 *               fades goes on with the new one.
 * Memory:       struct withdrawn (schema/row.h), of the caller. */
#ifndef ZAN_ENGINE_WITHDRAW_H
#define ZAN_ENGINE_WITHDRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/row.h"

#define WITHDRAW_HALVINGS      7 /* to the horizon: 2^-7 is left, 0.8 % */
#define WITHDRAW_HORIZON_MAX_S (30u * 24 * 3600)
#define WITHDRAW_FREEZE_MAX_US (24LL * 3600 * 1000000)
/* A like that was on for less is not compensated for: bought today and taken back tomorrow. */
#define WITHDRAW_SEASON_US (7LL * 24 * 3600 * 1000000)

/* What is left of value after age_us. Rounds down; at most 0.1 % from the curve. */
uint64_t withdraw_left(uint64_t value, int64_t age_us, uint32_t horizon_s);

/* Brings the row to now_us: what fades has faded, a freeze that is over has ended. Changes nothing
 * that a later call would not have found as well, up to rounding down. */
void withdraw_settle(struct withdrawn *row, int64_t now_us);

/* A like of that weight was taken back. seasoned: it is one to be compensated for. */
void withdraw_take(struct withdrawn *row, uint8_t weight_pct, uint32_t horizon_s, bool seasoned,
                   int64_t now_us);

/* A like that was taken back at taken_us, and weighed that much, is there again. Returns what of
 * its compensation is owed now. */
uint64_t withdraw_return(struct withdrawn *row, uint8_t weight_pct, int64_t taken_us,
                         int64_t now_us);

/* Un-likes wait until until_us from now on; true: there was no freeze before. */
bool withdraw_freeze(struct withdrawn *row, int64_t until_us, int64_t now_us);
/* Ends it: what waited begins to fade. */
void withdraw_release(struct withdrawn *row, int64_t now_us);

static inline bool withdraw_is_frozen(const struct withdrawn *row, int64_t now_us)
{
    return row->freeze_until_us > now_us;
}

#endif
