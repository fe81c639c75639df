/* flood.h: people are asked to look when the scorer makes the acts of an item wait.
 *
 * A like that opens a quarantine window over its item, or an un-like that makes those of its item
 * wait (withdraw.h), opens a case about the item (case.h). One case for each window: what keeps it
 * open longer opens no other. The item's partition opens it, so it does not matter which partition
 * had seen the flood.
 *
 *   quarantine   until_ms tells the window's end; left alone the case ends then by itself, once
 *                its likes have been scored again (case.c, window_goes_on)
 *   review       of un-likes; 7 days, as every review
 *
 * Holds always: nothing happens to anybody by it. What people may open is not crowded out: a
 * quarter of the room for live cases is theirs. Costs a plain act nothing: only one that carries a
 * window is looked at. */
#ifndef ZAN_ENGINE_FLOOD_H
#define ZAN_ENGINE_FLOOD_H

#include "engine/engine.h"

/* Would this act, of a LIKE or UNLIKE that says its item's acts wait until until_us, be the first
 * to say so? Before its record is applied. */
bool flood_may_begin(struct engine *engine, const struct record *record, uint8_t verb,
                     int64_t until_us);
/* It may, and its record is applied: opens the case, if it did begin. */
void flood_tell(struct engine *engine, const struct record *record, uint8_t verb);

#endif
