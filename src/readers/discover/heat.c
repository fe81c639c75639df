/* heat.c: see heat.h.
 *
 * The weights. Published ones exist for predicted probabilities, not for counts: the heavy ranker
 * of Twitter's "For You" (twitter/the-algorithm-ml, projects/home/recap/README.md, as of March
 * 2023) adds favorite 0.5, retweet 1, reply 27 (13.5 in an earlier version of the same file), half
 * a video watched 0.005, and takes off 74 for "show less" and 369 for a report. Divided by the
 * weight of a favorite: share 2, comment 27 to 54, half a view 0.01. Taken here: the order and the
 * share as they are; the comment damped, because a count of comments is cheap to make where a
 * predicted chance is not; the view raised to its long form (above the 70 % quantile of its length:
 * 31 % of KuaiRand's views, 18 for each like, so that all long views weigh about as much as all
 * likes). A favorite has no published figure: between like and comment. Nothing takes heat away but
 * what had brought it: a negative weight would be a weapon of third parties. */
#include "readers/discover/heat.h"

#include <assert.h>
#include <math.h>

const struct heat_weight heat_weights[HEAT_VERBS] = {
    [HEAT_LIKE] = {"like", 1, "the unit"},
    [HEAT_FAVORITE] = {"favorite", 2, "our own: between a like and a comment"},
    [HEAT_COMMENT] = {"comment", 4,
                      "published order, damped (27 to 54 likes for predicted replies)"},
    [HEAT_SHARE] = {"share", 2, "as published: a retweet is 1, a favorite 0.5"},
    [HEAT_LONG_VIEW] = {"long_view", 0.05,
                        "published 0.01 for half a view; our own for a long one"},
};

double heat_forward(const struct heat_clock *clock, int64_t time_us)
{
    int64_t age_us = time_us - clock->landmark_us;
    int64_t whole = age_us / clock->half_life_us, rest = age_us % clock->half_life_us;

    assert(clock->half_life_us > 0);
    if (rest < 0) {
        rest += clock->half_life_us;
        whole--;
    }
    if (whole < -1100)
        return 0;
    assert(whole < 1000); /* heat_advance was called */
    return ldexp(exp2((double)rest / (double)clock->half_life_us), (int)whole);
}

uint32_t heat_advance(struct heat_clock *clock, int64_t now_us)
{
    int64_t halvings = (now_us - clock->landmark_us) / clock->half_life_us;

    if (halvings < HEAT_REBASE)
        return 0;
    clock->landmark_us += halvings * clock->half_life_us;
    return halvings < 4000 ? (uint32_t)halvings : 4000;
}

void heat_rebase(struct heat *heat, uint32_t halvings)
{
    heat->live = ldexp(heat->live, -(int)halvings);
    heat->fading = ldexp(heat->fading, -(int)halvings);
    heat->frozen = ldexp(heat->frozen, -(int)halvings);
}

static int64_t step_us(const struct heat *heat)
{
    return (int64_t)heat->horizon_s * 1000000 / HEAT_STEPS;
}

/* One step at a time, each with the dust swept at its own moment: the bits are the same however
 * many are made in one call. stepped_us ends at the last step, not at until_us, for the same
 * reason. */
static void steps_make(struct heat *heat, const struct heat_clock *clock, int64_t until_us)
{
    const double kept = 0.84089641525371454; /* 2^(-7/28) */
    int64_t length_us = step_us(heat);

    static_assert(HEAT_HALVINGS * 4 == HEAT_STEPS, "a quarter of a halving each");
    while (heat->fading > 0) {
        int64_t next_us = (heat->stepped_us / length_us + 1) * length_us;

        if (next_us > until_us)
            return;
        heat->stepped_us = next_us;
        heat->steps++;
        heat->fading *= kept;
        if (heat->fading < HEAT_DUST * heat_forward(clock, next_us))
            heat->fading = 0;
    }
}

bool heat_step(struct heat *heat, const struct heat_clock *clock, int64_t now_us)
{
    double before = heat->fading + heat->frozen;

    if (heat->frozen_until_us != 0 && heat->frozen_until_us <= now_us) {
        steps_make(heat, clock, heat->frozen_until_us);
        if (heat->fading == 0)
            heat->stepped_us = heat->frozen_until_us;
        heat->fading += heat->frozen;
        heat->frozen = 0;
        heat->frozen_until_us = 0;
        heat->thaws++;
        heat->thaw_step = heat->steps;
    }
    steps_make(heat, clock, now_us);
    return heat->fading + heat->frozen != before;
}

int64_t heat_due(const struct heat *heat)
{
    int64_t due = INT64_MAX;

    if (heat->fading > 0)
        due = (heat->stepped_us / step_us(heat) + 1) * step_us(heat);
    if (heat->frozen_until_us != 0 && heat->frozen_until_us < due)
        due = heat->frozen_until_us;
    return due;
}

void heat_add(struct heat *heat, double forward)
{
    assert(forward >= 0);
    heat->live += forward;
}

/* Sums of what was added and is taken away again need not end at 0 to the last bit. */
static void live_less(struct heat *heat, double forward)
{
    heat->live = heat->live > forward ? heat->live - forward : 0;
}

void heat_drop(struct heat *heat, double forward)
{
    assert(forward >= 0);
    live_less(heat, forward);
}

struct heat_taken heat_take(struct heat *heat, double forward, uint32_t horizon_s, int64_t now_us)
{
    struct heat_taken taken = {.at_once = horizon_s == 0};

    assert(forward >= 0);
    double stands = forward < heat->live ? forward : heat->live;

    live_less(heat, forward);
    if (horizon_s == 0)
        return taken;
    heat->horizon_s = horizon_s < HEAT_HORIZON_MAX_S ? horizon_s : HEAT_HORIZON_MAX_S;
    if (heat->fading == 0 && heat->stepped_us < now_us)
        heat->stepped_us = now_us;
    taken.frozen = heat->frozen_until_us > now_us;
    taken.step = taken.frozen ? heat->thaws : heat->steps;
    if (taken.frozen)
        heat->frozen += stands;
    else
        heat->fading += stands;
    return taken;
}

/* Of several freezes ago, at which step it began to fade is not known: as late as can be, so that
 * no more than what stands is ever counted twice. */
static double left_of(const struct heat *heat, struct heat_taken taken)
{
    uint32_t step = taken.frozen ? heat->thaw_step : taken.step;

    return exp2(-(double)(heat->steps - step) * HEAT_HALVINGS / HEAT_STEPS);
}

void heat_return(struct heat *heat, struct heat_taken taken, double forward)
{
    assert(forward >= 0);
    heat->live += forward;
    if (taken.at_once)
        return;
    double *where = &heat->fading;
    double left = forward;

    if (taken.frozen && taken.step == heat->thaws)
        where = &heat->frozen;
    else
        left *= left_of(heat, taken);
    *where = *where > left ? *where - left : 0;
}

void heat_freeze(struct heat *heat, int64_t until_us)
{
    if (until_us > heat->frozen_until_us)
        heat->frozen_until_us = until_us;
}
