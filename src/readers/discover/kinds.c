/* kinds.c: see kinds.h. */
#include "readers/discover/kinds.h"

#include <math.h>
#include <stddef.h>

#include "base/hook.h"

/* How strong a belief at the average stands before an item's own counts, in impressions: as in
 * pool.c, where nothing was learnt. */
static const double strength[POOL_METRICS] = {[POOL_LONG] = 10, [POOL_LIKE] = 50};

enum pool_metric kind_metric(enum signal signal)
{
    switch (signal) {
    case SIGNAL_LONG_VIEW:
        return POOL_LONG;
    case SIGNAL_LIKE:
        return POOL_LIKE;
    case SIGNAL_COMMENT:
        return POOL_COMMENT;
    case SIGNAL_SHARE:
        return POOL_SHARE;
    case SIGNAL_SKIP:
    case SIGNAL_REPORT:
        return POOL_NEGATIVE;
    default:
        return POOL_METRICS;
    }
}

static int move(uint16_t *value, int by)
{
    int before = *value, after = before + by;

    *value = (uint16_t)(after < 0 ? 0 : after > UINT16_MAX ? UINT16_MAX : after);
    return *value - before;
}

int taught_impression(struct taught *taught, int by_pct)
{
    return move(&taught->n_pct, by_pct);
}

int taught_success(struct taught *taught, enum pool_metric metric, int by_pct)
{
    return move(&taught->s_pct[metric], by_pct);
}

/* What was rounded away may be missing when the last of it leaves. */
static void add(double *sum, double by)
{
    *sum = fmax(*sum + by, 0);
}

void kind_impression(struct kind_sums *kind, int by_pct, double forward)
{
    add(&kind->n, by_pct * forward / 100);
}

void kind_success(struct kind_sums *kind, enum pool_metric metric, int by_pct, double forward)
{
    add(&kind->s[metric], by_pct * forward / 100);
}

void kind_item(struct kind_sums *kind, const struct taught *taught, double forward)
{
    kind_impression(kind, taught->n_pct, forward);
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        kind_success(kind, m, taught->s_pct[m], forward);
}

void kind_rebase(struct kind_sums *kind, uint32_t halvings)
{
    kind->n = ldexp(kind->n, -(int)halvings);
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        kind->s[m] = ldexp(kind->s[m], -(int)halvings);
}

static struct kind_sums without(const struct kind_sums *kind, const struct taught *own,
                                double own_forward)
{
    struct kind_sums others = *kind;

    if (own != NULL && !PLANTED("discover.own_prior"))
        kind_item(&others, own, -own_forward);
    return others;
}

struct pool_tag kind_tag(const struct kind_sums *kind, const struct kind_sums *all,
                         const struct pool_platform *platform, const struct taught *own,
                         double own_forward, double now_forward)
{
    struct kind_sums others = without(kind, own, own_forward),
                     rest = without(all, own, own_forward);
    struct pool_tag tag = {.items = others.n / now_forward / KIND_TEACH};

    for (uint32_t m = 0; m < POOL_METRICS; m++) {
        double times = 1;

        if (others.n > 0 && rest.s[m] > 0)
            times = others.s[m] / others.n * rest.n / rest.s[m];
        times = fmin(fmax(times, 1 / KIND_TIMES), KIND_TIMES);
        tag.rates[m] = tag.items * fmin(times * gate_mean(platform->rate[m]), 1);
    }
    return tag;
}

double kind_chance(const struct kind_sums *all, double now_forward,
                   const struct pool_seen seen[POOL_AUDIENCES])
{
    static const enum pool_metric metrics[] = {POOL_LONG, POOL_LIKE};
    struct gate_beta rate[2];
    double weight[2], n = seen[0].n + seen[1].n;

    if (all->n / now_forward < KIND_KNOWN || n < KIND_TEACH)
        return 0;
    for (uint32_t i = 0; i < 2; i++) {
        enum pool_metric m = metrics[i];
        double mean = all->s[m] / all->n, s = seen[0].s[m] + seen[1].s[m];

        if (mean <= 0 || mean >= 1)
            return 0;
        rate[i] = gate_posterior((struct gate_beta){mean * strength[m], (1 - mean) * strength[m]},
                                 (struct gate_count){n, s});
        weight[i] = 1 / mean;
    }
    return gate_sum_above(gate_sum(rate, weight, 2), 2);
}
