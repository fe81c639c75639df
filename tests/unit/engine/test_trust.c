/* A staircase: each reason alone leaves at least half of the weight; two take it. Then what the
 * memory promises: same acts, same bytes; saved and restored; nothing outside of it is touched. */
#include "support/trust_world.h"

#include "engine/trust_signals.h"

#define NOW_US (WORLD_US + 3 * DAY_US)

static struct world world;
static uint64_t seed;

static int begin(void **state)
{
    (void)state;
    seed = test_seed(7);
    return 0;
}

/* Twelve meet each hour of the last day, at items of as many creators; sixty others at some of
 * theirs. */
static void plan_company(struct world_plans *plans)
{
    for (uint32_t hour = 0; hour < 29; hour++)
        for (uint32_t i = 0; i < 12; i++)
            plan_add(plans, NOW_US - (29 - hour) * HOUR_US + i * 60 * SECOND_US, 3600 + i,
                     670000 + hour * 100, 0);
    for (uint32_t hour = 0; hour < 24; hour++)
        for (uint32_t i = hour % 2; i < 60; i += 1 + hour % 3)
            plan_add(plans, NOW_US - (24 - hour) * HOUR_US + i * 20 * SECOND_US, 3000 + i,
                     800000 + hour * 100, 0);
}

/* Three ordinary days behind it. */
static int open_world(void **state)
{
    struct world_plans plans = {0};

    (void)state;
    world_open(&world, seed, 4000);
    plan_company(&plans);
    plan_ordinary(&world, &plans, 0, 3000, WORLD_US, NOW_US, 12000);
    world_run(&world, &plans);
    memset(world.side, 0, sizeof world.side);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static struct trust_verdict judge(const struct act *act)
{
    struct trust_verdict verdict;

    trust_judge(world.trust, act, &verdict);
    return verdict;
}

static struct trust_verdict settle(const struct act *act, const struct trust_verdict *first)
{
    struct trust_verdict verdict = {.reasons = first->reasons};

    trust_settle(world.trust, act, &verdict);
    assert_int_equal(verdict.mark, MARK_PLAIN);
    return verdict;
}

/* The act is judged, done, and scored again: with one signal it keeps half at least. */
static void assert_alone(const struct act *act, enum reason reason)
{
    struct trust_verdict first = judge(act), last;

    assert_true(first.points[reason] > 0);
    assert_true(first.reasons >> reason & 1);
    assert_int_equal(first.reason, reason);
    assert_true(first.families <= 1);
    assert_true(first.weight_pct >= 50);
    trust_observe(world.trust, act);
    last = settle(act, &first);
    assert_true(last.weight_pct >= 50);
}

/* What the account would be worth if it acted now, in the end. */
static uint8_t final_weight(const struct act *act)
{
    struct trust_verdict first = judge(act);

    trust_observe(world.trust, act);
    if (first.mark != MARK_PLAIN)
        first = settle(act, &first);
    return first.weight_pct;
}

/* --- one signal --- */

static struct act act_at(uint32_t account, uint64_t item)
{
    return world_act(&world, NOW_US + HOUR_US, VERB_LIKE, account, item);
}

static struct act racing(uint32_t account)
{
    struct act act = act_at(account, 500000);

    for (uint64_t i = 0; i < 100; i++) {
        act.target = 500000 + i * 10;
        trust_observe(world.trust, &act);
    }
    act.target = 700000;
    return act;
}

static struct act on_shared_device(uint64_t item, uint32_t others)
{
    struct act act = act_at(100, item);

    act.device = 31337;
    for (uint32_t i = 0; i < others; i++) {
        act.account = 2000 + i;
        trust_observe(world.trust, &act);
    }
    act.account = 100;
    return act;
}

static struct act among_first_timers(uint64_t item, uint32_t others)
{
    struct act act = act_at(3000, item);

    act.given_likes = 0;
    for (uint32_t i = 0; i < others; i++) {
        act.account = 3001 + i;
        act.network = 50000 + i;
        act.device = 50000 + i;
        trust_observe(world.trust, &act);
    }
    act.account = 3000;
    act.network = act.device = 49999;
    return act;
}

static void an_ordinary_like_counts_in_full(void **state)
{
    struct act act = act_at(5, 123456);
    struct trust_verdict verdict = judge(&act);

    (void)state;
    assert_int_equal(verdict.weight_pct, 100);
    assert_int_equal(verdict.mark, MARK_PLAIN);
    assert_int_equal(verdict.score, 0);
    assert_int_equal(verdict.reason, REASON_NONE);
}

static void speed_alone_leaves_half(void **state)
{
    struct act act = racing(10);

    (void)state;
    assert_true(judge(&act).points[REASON_VELOCITY] >= 400);
    assert_int_equal(judge(&act).mark, MARK_HELD);
    assert_alone(&act, REASON_VELOCITY);
}

static void being_new_alone_leaves_all(void **state)
{
    struct act act = act_at(11, 600000);

    (void)state;
    act.account_first_us = act.now_us - 2 * HOUR_US;
    assert_int_equal(judge(&act).mark, MARK_PLAIN);
    assert_int_equal(judge(&act).weight_pct, 100);
    assert_alone(&act, REASON_YOUNG);
}

static void first_timers_alone_leave_half(void **state)
{
    struct act act = among_first_timers(610000, 12);

    (void)state;
    assert_true(judge(&act).points[REASON_FIRST_TIMERS] >= 400);
    assert_alone(&act, REASON_FIRST_TIMERS);
}

static void taking_back_alone_leaves_half(void **state)
{
    struct act act = act_at(12, 620000);

    (void)state;
    act.given_likes = 10;
    act.taken_back = 90;
    assert_alone(&act, REASON_UNLIKER);
}

static void an_unusual_hour_alone_leaves_all(void **state)
{
    struct act act = act_at(3500, 0);

    (void)state;
    for (uint64_t i = 0; i < 30; i++) {
        act.now_us = NOW_US + (int64_t)(i / 3) * DAY_US + (int64_t)(i % 3) * HOUR_US;
        act.target = 630000 + i * 10;
        trust_observe(world.trust, &act);
    }
    act.now_us = NOW_US + 10 * DAY_US + 12 * HOUR_US;
    assert_int_equal(judge(&act).mark, MARK_PLAIN);
    assert_alone(&act, REASON_HOUR);
    act.now_us = NOW_US + 11 * DAY_US;
    assert_int_equal(judge(&act).points[REASON_HOUR], 0);
}

static void a_device_alone_leaves_half(void **state)
{
    struct act act = on_shared_device(640000, 9);

    (void)state;
    assert_alone(&act, REASON_DEVICE);
    act = on_shared_device(650000, 2); /* a family */
    assert_int_equal(judge(&act).score, 0);
}

/* Few or many: a network is only ever asked about acts that are out of step already. */
static void a_network_alone_is_nothing(void **state)
{
    (void)state;
    for (uint32_t count = 100; count <= 1000; count *= 10) {
        struct act act = act_at(0, 660000 + count);

        act.network = 77 + count;
        for (uint32_t i = 1; i < count; i++) {
            act.account = i;
            act.device = 100000 + i;
            trust_observe(world.trust, &act);
        }
        act.account = 0;
        assert_int_equal(judge(&act).points[REASON_NETWORK], 0);
        assert_int_equal(judge(&act).weight_pct, 100);
        assert_int_equal(judge(&act).mark, MARK_PLAIN);
        assert_true(judge(&act).families == 0);
    }
}

/* Twelve who met at 29 items of as many creators come to the thirtieth: company, and nothing else.
 */
static void company_alone_leaves_half(void **state)
{
    struct act act;

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        act = world_act(&world, NOW_US + i * 60 * SECOND_US, VERB_LIKE, 3600 + i, 690000);
        if (i < 11)
            trust_observe(world.trust, &act);
    }
    assert_true(judge(&act).points[REASON_LOCKSTEP] >= 600);
    assert_int_equal(judge(&act).mark, MARK_HELD);
    assert_alone(&act, REASON_LOCKSTEP);
}

/* --- two signals --- */

static void speed_and_taking_back_take_it(void **state)
{
    struct act act = racing(20);

    (void)state;
    act.given_likes = 10;
    act.taken_back = 90;
    assert_true(final_weight(&act) < 50);
}

static void a_device_and_taking_back_take_it(void **state)
{
    struct act act = on_shared_device(710000, 9);

    (void)state;
    act.given_likes = 10;
    act.taken_back = 90;
    assert_true(final_weight(&act) < 50);
}

static void first_timers_of_one_network_take_it(void **state)
{
    struct act act = among_first_timers(720000, 0);

    (void)state;
    act.network = 4242;
    for (uint32_t i = 0; i < 12; i++) {
        act.account = 3001 + i;
        act.device = 60000 + i;
        trust_observe(world.trust, &act);
    }
    act.account = 3000;
    assert_true(judge(&act).points[REASON_NETWORK] >= TRUST_STRONG);
    assert_true(final_weight(&act) < 50);
}

static void first_timers_in_a_surge_take_it(void **state)
{
    struct act act = among_first_timers(730000, 30);

    (void)state;
    assert_true(judge(&act).points[REASON_VELOCITY] > 0);
    assert_true(final_weight(&act) < 50);
}

/* The same item, the same burst: who has liked before keeps all. */
static void an_old_account_in_the_same_burst_keeps_all(void **state)
{
    struct act act;

    (void)state;
    (void)among_first_timers(740000, 60);
    act = act_at(40, 740000);
    assert_int_equal(judge(&act).weight_pct, 100);
    assert_int_equal(judge(&act).mark, MARK_PLAIN);
}

/* --- the flood window --- */

/* What an ordinary platform does meanwhile. */
static void go_on(uint32_t number, int64_t now_us)
{
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t some = number * 3 + i;
        struct act act =
            world_act(&world, now_us, VERB_LIKE, some * 7 % 3000, 1000 + some * 11 % 20000);

        trust_observe(world.trust, &act);
    }
}

static void a_flood_opens_a_window_that_ends(void **state)
{
    int64_t from_us = NOW_US + HOUR_US, open_us, closed_us = 0;
    uint32_t openings = 0;
    struct act act;

    (void)state;
    assert_int_equal(trust_flood_us(world.trust, 0, VERB_LIKE, 750000, from_us), 0);
    for (uint32_t i = 0; i < 60 * 360; i++) { /* one each ten seconds for sixty hours */
        act = (struct act){.now_us = from_us + (int64_t)i * 10 * SECOND_US,
                           .account = 1000000 + i,
                           .target = 750000,
                           .verb = VERB_LIKE};
        act.account_first_us = act.now_us - SECOND_US;
        open_us = trust_flood_us(world.trust, 0, VERB_LIKE, 750000, act.now_us);
        trust_observe(world.trust, &act);
        go_on(i, act.now_us);
        openings += open_us == 0 && trust_flood_us(world.trust, 0, VERB_LIKE, 750000, act.now_us);
        if (openings == 1 && open_us == 0 && i > 360 && closed_us == 0)
            closed_us = act.now_us;
        if (i != 100)
            continue;
        assert_true(open_us > act.now_us);
        act.account = 5;
        assert_int_equal(judge(&act).mark, MARK_QUARANTINED);
        assert_true(judge(&act).reasons >> REASON_QUARANTINE & 1);
        assert_int_equal(settle(&act, &(struct trust_verdict){0}).mark, MARK_PLAIN);
        act = world_act(&world, act.now_us, VERB_LIKE, 41, 750000);
        assert_int_equal(judge(&act).mark, MARK_PLAIN); /* honest ones go on */
    }
    assert_true(closed_us >= from_us + 24 * HOUR_US && closed_us < from_us + 25 * HOUR_US);
    assert_int_equal(openings, 2);
    assert_int_equal(trust_flood_us(world.trust, 0, VERB_LIKE, 750000, closed_us + 3 * DAY_US), 0);
    assert_int_equal(trust_flood_us(world.trust, 0, VERB_UNLIKE, 750000, from_us + HOUR_US), 0);
}

/* --- one function for all acts --- */

/* A ring that has liked together comes to one target with another verb; so do people who have not.
 */
static void the_same_ring_is_found_whatever_it_does(void **state)
{
    static const uint8_t verbs[] = {VERB_LIKE, VERB_UNLIKE, VERB_REPORT, VERB_VIEW};
    uint32_t weight[4] = {0};

    (void)state;
    for (uint32_t verb = 0; verb < 4; verb++)
        for (uint32_t i = 0; i < 120; i++) {
            uint32_t account = i % 2 == 0 ? 3000 + i / 2 : i / 2;
            struct act act = world_act(&world, NOW_US + HOUR_US + i * 10 * SECOND_US, verbs[verb],
                                       account, 900000 + verb * 1000);
            uint8_t final = final_weight(&act);

            if (i % 2 == 0)
                weight[verb] += final;
            else
                assert_int_equal(final, 100);
        }
    for (uint32_t verb = 0; verb < 4; verb++) {
        print_message("verb %u: weight of the ring %u %%\n", verbs[verb], weight[verb] / 60);
        assert_true(weight[verb] / 60 <= 40);
    }
}

/* --- tenants, exemption --- */

static void tenants_do_not_know_each_other(void **state)
{
    struct act act = among_first_timers(760000, 60);
    struct trust_view view;

    (void)state;
    assert_true(judge(&act).score > 0);
    act.account = 3001;
    act.device = act.network = 50000;
    trust_look(world.trust, &act, false, &view);
    assert_true(view.platform && view.account && view.item && view.device && view.device_item &&
                view.network && view.network_item);
    act.tenant = 1;
    assert_int_equal(judge(&act).score, 0);
    trust_look(world.trust, &act, false, &view);
    assert_true(!view.platform && !view.account && !view.item && !view.device &&
                !view.device_item && !view.network && !view.network_item);
    act = racing(21);
    act.tenant = 1;
    assert_int_equal(judge(&act).score, 0);
}

static uint64_t bytes_hash(const struct world *one)
{
    const uint64_t *words = one->region;
    size_t count = trust_bytes(&one->trust->config) / 8;
    uint64_t hash = 0;

    for (size_t i = 0; i < count; i++)
        hash = hash_mix(hash ^ words[i]);
    return hash;
}

static void what_is_exempt_is_neither_judged_nor_learnt(void **state)
{
    uint64_t before = bytes_hash(&world);
    struct act act = world_act(&world, NOW_US + HOUR_US, VERB_UNLIKE, 50, 0);

    (void)state;
    act.exempt = 1;
    act.taken_back = 1000;
    for (uint64_t i = 0; i < 200; i++) {
        act.target = 1000 + i;
        assert_int_equal(judge(&act).score, 0);
        trust_observe(world.trust, &act);
    }
    assert_int_equal(bytes_hash(&world), before);
}

static void judging_changes_nothing(void **state)
{
    struct act act = racing(22);
    uint64_t before = bytes_hash(&world);
    struct trust_verdict verdict = judge(&act);

    (void)state;
    trust_prefetch(world.trust, &act);
    trust_prefetch_deep(world.trust, &act);
    (void)settle(&act, &verdict);
    assert_int_equal(bytes_hash(&world), before);
}

/* --- the clock --- */

static void a_jump_of_the_clock_grants_and_takes_nothing(void **state)
{
    struct act act = racing(30), later;

    (void)state;
    assert_true(judge(&act).score > 0);
    later = act;
    later.now_us += 400 * DAY_US; /* the past is past, nothing overflows */
    assert_int_equal(judge(&later).points[REASON_VELOCITY], 0);
    later.now_us = act.now_us - DAY_US; /* never happens; answers as if no time had passed */
    assert_true(judge(&later).points[REASON_VELOCITY] > 0);
    trust_observe(world.trust, &later);
    assert_true(judge(&act).points[REASON_VELOCITY] > 0);
    later.now_us = -5;
    trust_observe(world.trust, &later);
    later.now_us = INT64_MAX;
    trust_observe(world.trust, &later);
    (void)judge(&later);
}

/* --- words --- */

static void a_verdict_is_explained(void **state)
{
    struct trust_verdict verdict = {.weight_pct = 20, .score = 780, .reasons = 0x6};
    char text[TRUST_EXPLAIN_BYTES];
    size_t length;

    (void)state;
    verdict.points[REASON_VELOCITY] = 300;
    verdict.points[REASON_LOCKSTEP] = 480;
    length = trust_explain(&verdict, TRUST_ENGLISH, text);
    assert_int_equal(length, strlen(text));
    assert_string_equal(text,
                        "Counts 20 %, score 780 of 1000: surprising speed (300), lockstep with "
                        "the same others (480).");
    trust_explain(&verdict, TRUST_CHINESE, text);
    assert_string_equal(
        text, "按 20% 计入，得分 780/1000：速度异常（300）、与同一批账号同步行动（480）。");
    memset(&verdict, 0xFF, sizeof verdict); /* the longest there is */
    verdict.reasons = (1u << REASON_COUNT) - 1;
    for (int mark = 0; mark < MARK_COUNT; mark++)
        for (int language = TRUST_ENGLISH; language <= TRUST_CHINESE; language++) {
            verdict.mark = (uint8_t)mark;
            assert_true(trust_explain(&verdict, (enum trust_language)language, text) <
                        TRUST_EXPLAIN_BYTES);
        }
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(an_ordinary_like_counts_in_full),
        IN_WORLD(speed_alone_leaves_half),
        IN_WORLD(being_new_alone_leaves_all),
        IN_WORLD(first_timers_alone_leave_half),
        IN_WORLD(taking_back_alone_leaves_half),
        IN_WORLD(an_unusual_hour_alone_leaves_all),
        IN_WORLD(a_device_alone_leaves_half),
        IN_WORLD(a_network_alone_is_nothing),
        IN_WORLD(company_alone_leaves_half),
        IN_WORLD(speed_and_taking_back_take_it),
        IN_WORLD(a_device_and_taking_back_take_it),
        IN_WORLD(first_timers_of_one_network_take_it),
        IN_WORLD(first_timers_in_a_surge_take_it),
        IN_WORLD(an_old_account_in_the_same_burst_keeps_all),
        IN_WORLD(a_flood_opens_a_window_that_ends),
        IN_WORLD(the_same_ring_is_found_whatever_it_does),
        IN_WORLD(tenants_do_not_know_each_other),
        IN_WORLD(what_is_exempt_is_neither_judged_nor_learnt),
        IN_WORLD(judging_changes_nothing),
        IN_WORLD(a_jump_of_the_clock_grants_and_takes_nothing),
        cmocka_unit_test(a_verdict_is_explained),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
