/* live.h: what happened to an item in the last 10 seconds, minute, five minutes (a live room's
 * pulse).
 *
 * Each window has 10 parts (1 s, 6 s, 30 s) that begin at whole multiples of their length; it is
 * the part that now is in and the 9 before it, so it reaches back between 9/10 and the whole of its
 * length: from_us says since when. Counted are acts, raw and credited; a thing that is taken back
 * is not taken out of what happened.
 *
 * Memory: the struct, the caller's. Pure; times of one item never go back by more than a window's
 * part (an act older than the window is left out). */
#ifndef ZAN_READERS_DISCOVER_LIVE_H
#define ZAN_READERS_DISCOVER_LIVE_H

#include <stdint.h>

#define LIVE_PARTS 10

enum live_window { LIVE_10S, LIVE_60S, LIVE_5MIN, LIVE_WINDOWS };
enum live_act { LIVE_LIKE, LIVE_LIKE_PCT, LIVE_VIEW, LIVE_COMMENT, LIVE_SHARE, LIVE_ACTS };

extern const char *const live_act_names[LIVE_ACTS];
extern const uint32_t live_seconds[LIVE_WINDOWS];

struct live {
    uint32_t count[LIVE_WINDOWS][LIVE_PARTS][LIVE_ACTS]; /* saturates */
    int64_t part[LIVE_WINDOWS];                          /* number of the newest part */
};

struct live_sum {
    int64_t from_us;
    uint64_t count[LIVE_ACTS];
};

void live_add(struct live *live, enum live_act act, uint32_t amount, int64_t time_us);
struct live_sum live_read(const struct live *live, enum live_window window, int64_t now_us);

#endif
