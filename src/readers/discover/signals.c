/* signals.c: see signals.h. */
#include "readers/discover/signals.h"

#include <math.h>

const char *const signal_names[SIGNAL_COUNT] = {
    [SIGNAL_CLICK] = "click",
    [SIGNAL_HOLD] = "hold_3s",
    [SIGNAL_COMPLETION] = "completion",
    [SIGNAL_LONG_VIEW] = "long_view",
    [SIGNAL_REPLAY] = "replay",
    [SIGNAL_EARLY_EXIT] = "early_exit",
    [SIGNAL_LIKE] = "like",
    [SIGNAL_COMMENT] = "comment",
    [SIGNAL_SHARE] = "share",
    [SIGNAL_FOLLOW] = "follow",
    [SIGNAL_FAVORITE] = "favorite",
    [SIGNAL_SKIP] = "skip",
    [SIGNAL_REPORT] = "report",
};

uint16_t signals_of_view(uint32_t watch_ms, uint32_t duration_ms, double place)
{
    uint16_t bits = 1 << SIGNAL_CLICK;
    bool whole = duration_ms > 0 && watch_ms >= duration_ms;

    if (watch_ms >= SIGNAL_HOLD_MS || whole)
        bits |= 1 << SIGNAL_HOLD;
    if (place >= SIGNAL_COMPLETION_PLACE)
        bits |= 1 << SIGNAL_COMPLETION;
    if (place >= SIGNAL_LONG_PLACE)
        bits |= 1 << SIGNAL_LONG_VIEW;
    if (place < SIGNAL_EARLY_PLACE)
        bits |= 1 << SIGNAL_EARLY_EXIT;
    if (duration_ms > 0 && watch_ms >= duration_ms + (uint64_t)duration_ms / 4)
        bits |= 1 << SIGNAL_REPLAY;
    return bits;
}

struct signal_rate signals_rate(uint64_t success_pct, uint64_t n_pct)
{
    const double z = 1.959963984540054; /* 97.5 % of the normal distribution */
    struct signal_rate result = {.rate = 0, .low = 0, .high = 1};

    if (n_pct == 0)
        return result;
    double n = (double)n_pct / 100;
    double p = success_pct < n_pct ? (double)success_pct / (double)n_pct : 1;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));

    result.rate = p;
    /* Exact at its ends, which rounding misses by a hair: who lost nobody is not below 100 %. */
    result.low = p > 0 ? fmax(0, middle - half) : 0;
    result.high = p < 1 ? fmin(1, middle + half) : 1;
    return result;
}

static struct signal_rate rate_of(const struct signals *signals, enum signal signal)
{
    return signals_rate(signals->tally[signal].success_pct, signals->impressions_pct);
}

/* Early exits and likes of the clicks: who did not click was promised nothing. */
static struct signal_rate rate_of_clicks(const struct signals *signals, enum signal signal)
{
    return signals_rate(signals->tally[signal].success_pct,
                        signals->tally[SIGNAL_CLICK].success_pct);
}

enum mismatch signals_mismatch(const struct signals *item, const struct signals *base)
{
    if (item->impressions_pct < MISMATCH_IMPRESSIONS_PCT ||
        base->impressions_pct < 10 * MISMATCH_IMPRESSIONS_PCT)
        return MISMATCH_UNKNOWN;
    bool clicked = rate_of(item, SIGNAL_CLICK).low > rate_of(base, SIGNAL_CLICK).rate;
    bool left =
        rate_of_clicks(item, SIGNAL_EARLY_EXIT).low > rate_of_clicks(base, SIGNAL_EARLY_EXIT).rate;
    bool unloved =
        rate_of_clicks(item, SIGNAL_LIKE).rate < rate_of_clicks(base, SIGNAL_LIKE).rate / 2;

    return clicked && left && unloved ? MISMATCH_TITLE : MISMATCH_NONE;
}
