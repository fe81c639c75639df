/* stats.c: see stats.h. */
#include "readers/insight/stats.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "base/hook.h"

double stats_z(struct share a, struct share b)
{
    double na = a.n / 100, nb = b.n / 100, pooled, variance;

    if (na <= 0 || nb <= 0)
        return 0;
    pooled = fmin((a.s + b.s) / (a.n + b.n), 1);
    variance = pooled * (1 - pooled) * (1 / na + 1 / nb);
    return variance > 0 ? (a.s / a.n - b.s / b.n) / sqrt(variance) : 0;
}

double stats_p(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

double stats_quantile(const double *sorted, uint32_t count, double share)
{
    assert(count > 0 && share >= 0 && share <= 1);
    double at = share * (count - 1);
    uint32_t below = (uint32_t)at, above = below + 1 < count ? below + 1 : below;

    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

double stats_percentile(const double *values, uint32_t count, double value)
{
    double below = 0;

    for (uint32_t i = 0; i < count; i++)
        below += values[i] < value ? 1 : values[i] > value ? 0 : 0.5;
    return count > 0 ? below / count : 0;
}

uint64_t stats_hide(struct cell *cells, uint32_t count)
{
    struct cell *smallest = NULL;
    uint64_t hidden = 0;

    for (uint32_t i = 0; i < count; i++) {
        cells[i].hidden = cells[i].accounts > 0 && cells[i].accounts < INSIGHT_QUORUM;
        hidden += cells[i].hidden ? cells[i].accounts : 0;
        if (!cells[i].hidden && cells[i].accounts > 0 &&
            (smallest == NULL || cells[i].accounts < smallest->accounts))
            smallest = &cells[i];
    }
    if (hidden > 0 && hidden < INSIGHT_QUORUM && smallest != NULL &&
        !PLANTED("insight.one_is_left")) {
        smallest->hidden = true;
        hidden += smallest->accounts;
    }
    return hidden;
}
