/* Forward decay against its definition: the sum over all acts, each halved for its age, remembered
 * one by one. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/heat.h"

#define SECOND    1000000LL
#define HOUR      (3600 * SECOND)
#define ACTS      4000
#define ITEMS     5
#define HORIZON_S (24u * 3600)

/* One act: stands from time_us on; taken back at taken_us, it fades from fades_us on. */
struct act {
    uint32_t item;
    double worth;
    int64_t time_us, fades_us;
    bool off;
    struct heat_taken taken;
};

static struct heat_clock clock_;
static struct heat heat[ITEMS];
static int64_t frozen_until[ITEMS]; /* the twin's own */
static struct act acts[ACTS];
static uint32_t act_count;

static double left_by_definition(const struct act *act, int64_t now_us)
{
    int64_t step = (int64_t)HORIZON_S * SECOND / HEAT_STEPS;

    if (!act->off)
        return 1;
    if (act->fades_us >= now_us)
        return 1;
    return pow(2, -7.0 / 28 * (double)(now_us / step - act->fades_us / step));
}

static double by_definition(uint32_t item, int64_t now_us)
{
    double sum = 0;

    for (uint32_t i = 0; i < act_count; i++)
        if (acts[i].item == item)
            sum += acts[i].worth * left_by_definition(&acts[i], now_us) *
                   pow(2, (double)(acts[i].time_us - now_us) / (double)clock_.half_life_us);
    return sum;
}

static double by_heat(uint32_t item, int64_t now_us)
{
    return heat_sum(&heat[item]) / heat_forward(&clock_, now_us);
}

static double forward_of(const struct act *act)
{
    return act->worth * heat_forward(&clock_, act->time_us);
}

static void one_act(struct test_random *random, int64_t now_us)
{
    uint32_t kind = (uint32_t)test_random_below(random, 10);

    if ((kind < 6 && act_count < ACTS) || act_count == 0) {
        struct act *act = &acts[act_count++];

        *act = (struct act){.item = (uint32_t)test_random_below(random, ITEMS),
                            .worth = (double)(1 + test_random_below(random, 400)) / 100,
                            .time_us = now_us};
        heat_add(&heat[act->item], forward_of(act));
        return;
    }
    struct act *act = &acts[test_random_below(random, act_count)];
    struct heat *its = &heat[act->item];

    if (kind == 6) { /* a worth found to be less */
        double less = act->worth / 2;

        if (act->off)
            return;
        heat_drop(its, (act->worth - less) * heat_forward(&clock_, act->time_us));
        act->worth = less;
    } else if (!act->off) {
        act->taken = heat_take(its, forward_of(act), HORIZON_S, now_us);
        act->off = true;
        act->fades_us = frozen_until[act->item] > now_us ? frozen_until[act->item] : now_us;
    } else {
        heat_return(its, act->taken, forward_of(act));
        act->off = false;
    }
}

/* Random likes, withdrawals, returns, voids and freezes of all items, over months: many landmarks.
 */
static void is_the_sum_of_the_definition(void **state)
{
    struct test_random random = {test_seed(21)};
    int64_t now_us = 1700000000 * SECOND;

    (void)state;
    memset(heat, 0, sizeof heat);
    memset(frozen_until, 0, sizeof frozen_until);
    act_count = 0;
    clock_ = (struct heat_clock){.half_life_us = 6 * HOUR, .landmark_us = now_us};
    for (uint32_t step = 0; step < 6000; step++) {
        now_us += (int64_t)test_random_below(&random, (uint64_t)HOUR / 2);
        if (test_random_below(&random, 1500) == 0)
            now_us += 200 * 24 * HOUR; /* 800 half-lives: the landmark moves */
        uint32_t halvings = heat_advance(&clock_, now_us);

        for (uint32_t i = 0; i < ITEMS; i++) {
            if (halvings > 0)
                heat_rebase(&heat[i], halvings);
            heat_step(&heat[i], &clock_, now_us);
        }
        if (test_random_below(&random, 300) == 0) {
            uint32_t item = (uint32_t)test_random_below(&random, ITEMS);

            if (frozen_until[item] + 48 * HOUR < now_us) { /* a day at most, then none for a day */
                frozen_until[item] = now_us + 3 * HOUR;
                heat_freeze(&heat[item], frozen_until[item]);
            }
        }
        one_act(&random, now_us);
        for (uint32_t i = 0; i < ITEMS && step % 16 == 0; i++) {
            double want = by_definition(i, now_us), got = by_heat(i, now_us);

            /* What fades under HEAT_DUST is taken for nothing; so may what fades after it be. */
            if (fabs(got - want) > 1e-9 * want + 4 * HEAT_DUST)
                fail_msg("step %u item %u: %.12g, by definition %.12g", step, i, got, want);
        }
    }
}

/* Two items, any two moments: who is ahead stays ahead while nothing happens. */
static void time_alone_changes_no_order(void **state)
{
    struct test_random random = {test_seed(22)};
    int64_t now_us = 1700000000 * SECOND;

    (void)state;
    for (uint32_t round = 0; round < 200; round++) {
        struct heat two[2];
        struct heat_clock clock = {.half_life_us = HOUR, .landmark_us = now_us};

        memset(two, 0, sizeof two);
        for (uint32_t i = 0; i < 40; i++) {
            now_us += (int64_t)test_random_below(&random, (uint64_t)HOUR);
            heat_add(&two[i % 2],
                     (double)test_random_below(&random, 100) * heat_forward(&clock, now_us));
        }
        bool first = heat_sum(&two[0]) > heat_sum(&two[1]);

        for (uint32_t i = 0; i < 20; i++) {
            now_us += (int64_t)test_random_below(&random, 200 * (uint64_t)HOUR);
            uint32_t halvings = heat_advance(&clock, now_us);

            for (uint32_t k = 0; k < 2; k++) {
                if (halvings > 0)
                    heat_rebase(&two[k], halvings);
                assert_false(heat_step(&two[k], &clock, now_us));
            }
            /* Below that doubles have no bits left to tell them apart. */
            if (heat_sum(&two[0]) > 1e-290 && heat_sum(&two[1]) > 1e-290)
                assert_int_equal(heat_sum(&two[0]) > heat_sum(&two[1]), first);
        }
    }
}

/* However often a like goes and comes, it never stands for more than one. */
static void back_and_forth_gains_nothing(void **state)
{
    struct test_random random = {test_seed(23)};
    struct heat_clock clock = {.half_life_us = 1000 * HOUR, .landmark_us = 0};
    struct heat one = {0};
    struct heat_taken taken = {0};
    int64_t now_us = HOUR;
    bool on = true;

    (void)state;
    heat_add(&one, 1);
    for (uint32_t step = 0; step < 20000; step++) {
        now_us += (int64_t)test_random_below(&random, (uint64_t)HOUR / 4);
        heat_step(&one, &clock, now_us);
        if (test_random_below(&random, 200) == 0)
            heat_freeze(&one, now_us + HOUR);
        if (test_random_below(&random, 4) > 0)
            continue;
        if (on)
            taken = heat_take(&one, 1, HORIZON_S, now_us);
        else
            heat_return(&one, taken, 1);
        on = !on;
        assert_true(heat_sum(&one) <= 1 + 1e-9);
        assert_true(one.live >= 0 && one.fading >= 0 && one.frozen >= 0);
    }
}

/* Ticking often or seldom ends with the same bits; so does a landmark that moves. */
static void how_often_one_looks_changes_nothing(void **state)
{
    struct test_random random = {test_seed(24)};

    (void)state;
    for (uint32_t round = 0; round < 300; round++) {
        struct heat_clock clock = {.half_life_us = 6 * HOUR, .landmark_us = 0};
        int64_t from = 1000 * HOUR + (int64_t)test_random_below(&random, (uint64_t)HOUR);
        struct heat often = {.live = 7}, seldom = often;

        (void)heat_advance(&clock, from);
        (void)heat_take(&often, 3.3, HORIZON_S, from);
        (void)heat_take(&seldom, 3.3, HORIZON_S, from);
        int64_t to = from + (int64_t)test_random_below(&random, 40 * (uint64_t)HOUR);

        for (int64_t at = from; at < to;
             at += 1 + (int64_t)test_random_below(&random, (uint64_t)HOUR))
            heat_step(&often, &clock, at);
        heat_step(&often, &clock, to);
        heat_step(&seldom, &clock, to);
        assert_memory_equal(&often, &seldom, sizeof often);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_sum_of_the_definition),
        cmocka_unit_test(time_alone_changes_no_order),
        cmocka_unit_test(back_and_forth_gains_nothing),
        cmocka_unit_test(how_often_one_looks_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
