/* health.c: see health.h. */
#include "readers/discover/health.h"

#include "base/hook.h"

const char *const health_names[HEALTH_MEASURES] = {
    "completion", "like", "comment", "share", "negative", "authenticity", "diversity"};
const char *const health_band_names[HEALTH_BANDS] = {"unknown", "weak", "usual", "strong"};

static void count(struct health_pairs *pairs, uint32_t alike)
{
    if (pairs->pairs == UINT32_MAX)
        return;
    pairs->pairs++;
    pairs->alike += alike;
}

void health_seen(struct health_pairs *pairs, struct health_pairs *all, uint32_t interest)
{
    if (pairs->last != 0) {
        count(pairs, pairs->last == interest);
        count(all, pairs->last == interest);
    }
    pairs->last = interest;
}

static void add(struct health_sums *sums, enum health_measure measure, uint64_t is_pct,
                uint64_t of_pct)
{
    sums->is_pct[measure] += is_pct < of_pct ? is_pct : of_pct;
    sums->of_pct[measure] += of_pct;
}

void health_add(struct health_sums *sums, const struct signals *signals,
                const struct health_pairs *pairs)
{
    const struct signal_tally *tally = signals->tally;
    uint64_t n_pct = signals->impressions_pct;

    add(sums, HEALTH_COMPLETION, tally[SIGNAL_COMPLETION].success_pct, n_pct);
    add(sums, HEALTH_LIKE, tally[SIGNAL_LIKE].success_pct, n_pct);
    add(sums, HEALTH_COMMENT, tally[SIGNAL_COMMENT].success_pct, n_pct);
    add(sums, HEALTH_SHARE, tally[SIGNAL_SHARE].success_pct, n_pct);
    add(sums, HEALTH_NEGATIVE, tally[SIGNAL_SKIP].success_pct + tally[SIGNAL_REPORT].success_pct,
        n_pct);
    add(sums, HEALTH_AUTHENTICITY, tally[SIGNAL_LIKE].valid * 100ULL,
        tally[SIGNAL_LIKE].raw * 100ULL);
    add(sums, HEALTH_DIVERSITY, (pairs->pairs - pairs->alike) * 100ULL, pairs->pairs * 100ULL);
}

/* Where the interval lies; as if more were better. */
static enum health_band band_of(const struct health *health)
{
    if (health->of < HEALTH_LEAST || health->usual <= 0)
        return HEALTH_UNKNOWN;
    if (health->rate.low > health->usual * (1 + HEALTH_MARGIN))
        return HEALTH_STRONG;
    return health->rate.high < health->usual * (1 - HEALTH_MARGIN) ? HEALTH_WEAK : HEALTH_USUAL;
}

static enum health_band turned(enum health_band band)
{
    return band == HEALTH_WEAK ? HEALTH_STRONG : band == HEALTH_STRONG ? HEALTH_WEAK : band;
}

struct health health_of(const struct health_sums *sums, const struct health_sums *platform,
                        enum health_measure measure)
{
    struct health health = {
        .of = (double)sums->of_pct[measure] / 100,
        .rate = signals_rate(sums->is_pct[measure], sums->of_pct[measure]),
        .usual = signals_rate(platform->is_pct[measure], platform->of_pct[measure]).rate};

    health.band = band_of(&health);
    if (measure == HEALTH_NEGATIVE && !PLANTED("discover.hated_is_healthy"))
        health.band = turned(health.band);
    return health;
}
