/* What the measures of zan simulate make of what a server showed. The file is taken in whole: the
 * command line is no library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/simulate_judge.c"

static const struct scenario any = {.name = "any"};
static struct judgement judgement;
static struct scene scene;

static const struct measure *find(const char *key)
{
    for (uint32_t i = 0; i < judgement.count; i++)
        if (strcmp(judgement.measure[i].key, key) == 0)
            return &judgement.measure[i];
    fail_msg("there is no measure %s", key);
    return NULL;
}

static void begin(const char *variant)
{
    judgement = (struct judgement){.scenario = &any, .variant = variant};
    scene = (struct scene){.attack_ms = 1000000};
}

/* Three looks, ten seconds apart, and an end. */
static struct shown shown_of(struct sample samples[3], struct counts *end)
{
    for (int i = 0; i < 3; i++)
        samples[i].time_ms = 1000000 + i * 10000;
    return (struct shown){.samples = samples, .sample_count = 3, .items = end};
}

static void a_goal_is_met_up_to_its_limit(void **state)
{
    (void)state;
    begin("x1");
    at_most(&judgement, "a", "", "%", 1, 1);
    at_most(&judgement, "b", "", "%", 1, 1.01);
    at_least(&judgement, "c", "", "%", 99, 99);
    at_least(&judgement, "d", "", "%", 99, 98.9);
    unmeasured(&judgement, "e", "", "why");
    tell(&judgement, "f", "", "", 7);
    assert_int_equal(measure_verdict(find("x1.a")), VERDICT_MET);
    assert_int_equal(measure_verdict(find("x1.b")), VERDICT_MISSED);
    assert_int_equal(measure_verdict(find("x1.c")), VERDICT_MET);
    assert_int_equal(measure_verdict(find("x1.d")), VERDICT_MISSED);
    assert_int_equal(measure_verdict(find("x1.e")), VERDICT_UNMEASURED);
    assert_int_equal(measure_verdict(find("x1.f")), VERDICT_TOLD);
}

static void of_many_seeds_the_worst_counts(void **state)
{
    (void)state;
    begin("");
    for (int seed = 0; seed < 9; seed++) {
        at_most(&judgement, "most", "", "%", 1, seed == 4 ? 3 : 0.5);
        at_least(&judgement, "least", "", "%", 99, 100 - seed * 0.1);
    }
    assert_int_equal(find("most")->met, 8);
    assert_int_equal(find("most")->missed, 1);
    assert_true(fabs(find("most")->worst - 3) < 1e-9);
    assert_int_equal(measure_verdict(find("most")), VERDICT_MISSED);
    assert_true(fabs(find("least")->worst - 99.2) < 1e-9);
    assert_int_equal(measure_verdict(find("least")), VERDICT_MET);
    assert_int_equal(judgement.count, 2);
}

static void sabotage_counts_either_way(void **state)
{
    struct sample samples[3] = {0};
    struct counts with = {.raw = 220, .credited = 98}, without = {.raw = 100, .credited = 100};
    struct shown one = shown_of(samples, &with), two = shown_of(samples, &without);

    (void)state;
    begin("x1");
    judge_sabotage(&judgement, 0, &scene, &one, &two);
    assert_true(fabs(find("x1.heat")->worst - 2) < 1e-9);
    assert_int_equal(measure_verdict(find("x1.heat")), VERDICT_MISSED);
    assert_int_equal(measure_verdict(find("x1.standing")), VERDICT_MET);
    one.standings_changed = 1;
    judge_sabotage(&judgement, 0, &scene, &one, &two);
    assert_int_equal(measure_verdict(find("x1.standing")), VERDICT_MISSED);
    assert_int_equal(measure_verdict(find("x1.pool")), VERDICT_UNMEASURED);
}

static void a_brushing_is_judged_at_its_end_and_its_worst_moment(void **state)
{
    struct sample with[3] = {0}, without[3] = {0};
    struct counts with_end = {.credited = 101}, without_end = {.credited = 100};
    struct shown one = shown_of(with, &with_end), two = shown_of(without, &without_end);

    (void)state;
    begin("new-x10");
    for (int i = 0; i < 3; i++) {
        with[i].counts = (struct counts){.raw = 150, .credited = i == 1 ? 58 : 50};
        without[i].counts = (struct counts){.raw = 50, .credited = 50};
    }
    judge_brushing(&judgement, 1, &scene, &one, &two);
    assert_int_equal(measure_verdict(find("new-x10.settled")), VERDICT_MET);
    assert_true(fabs(find("new-x10.worst")->worst - 8) < 1e-9);
    assert_int_equal(measure_verdict(find("new-x10.worst")), VERDICT_MISSED);
    /* 8 of 100 fakes counted at the second look: over by the third, 20 s after the first. */
    assert_true(fabs(find("new-x10.neutral")->worst - 20) < 1e-9);
    assert_int_equal(measure_verdict(find("new-x10.neutral")), VERDICT_MET);
}

static void a_flood_is_judged_by_what_is_lost(void **state)
{
    struct sample with[3] = {0}, without[3] = {0};
    struct counts end = {.credited = 100};
    struct shown one = shown_of(with, &end), two = shown_of(without, &end);

    (void)state;
    begin("low-trust");
    for (int i = 0; i < 3; i++) {
        with[i].counts.credited = i == 2 ? 95 : 130; /* a gain is no loss */
        without[i].counts.credited = 100;
    }
    judge_flood(&judgement, 0, &scene, &one, &two);
    assert_true(fabs(find("low-trust.loss")->worst - 5) < 1e-9);
}

static void honest_withdrawal_takes_its_weight(void **state)
{
    struct counts there = {.raw = 100, .credited = 80}, gone = {.raw = 70, .credited = 56};
    struct shown one = {.items = &gone}, two = {.items = &there};

    (void)state;
    begin("");
    scene.withdrawn = 30;
    judge_withdrawal(&judgement, 0, &scene, &one, &two);
    assert_true(fabs(find("effect")->worst - 100) < 1e-9);
    gone.credited = 60; /* a sixth of it was kept back */
    judge_withdrawal(&judgement, 0, &scene, &one, &two);
    assert_int_equal(measure_verdict(find("effect")), VERDICT_MISSED);
}

static void a_crowd_is_judged_by_weight_and_by_reasons(void **state)
{
    struct counts items[2] = {{.raw = 900, .credited = 900, .views = 900, .views_credited = 900},
                              {.raw = 100, .credited = 100, .views = 100, .views_credited = 100}};
    struct shown shown = {.items = items};

    (void)state;
    begin("");
    scene.watched.count = 2;
    judge_crowd(&judgement, 0, &scene, &shown, NULL);
    assert_int_equal(measure_verdict(find("devalued")), VERDICT_MET);
    items[1].by_reason = 2; /* as many as two of a thousand have a reason, whatever they weigh */
    judge_crowd(&judgement, 0, &scene, &shown, NULL);
    assert_true(fabs(find("devalued")->worst - 0.2) < 1e-9);
    assert_int_equal(measure_verdict(find("devalued")), VERDICT_MISSED);
    assert_int_equal(measure_verdict(find("sanctions")), VERDICT_MET);
    assert_int_equal(measure_verdict(find("views")), VERDICT_MET);
    items[0].views_credited = 898;
    judge_crowd(&judgement, 0, &scene, &shown, NULL);
    assert_int_equal(measure_verdict(find("views")), VERDICT_MISSED);
    shown.sanctioned = 1;
    judge_crowd(&judgement, 0, &scene, &shown, NULL);
    assert_int_equal(measure_verdict(find("sanctions")), VERDICT_MISSED);
}

static void a_gate_divides_what_is_credited(void **state)
{
    struct counts without[3] = {{0},
                                {.credited = 3, .views = 100, .views_credited = 100},
                                {.credited = 2, .views = 100, .views_credited = 100}};
    struct counts with[3] = {{0},
                             {.credited = 3, .views = 200, .views_credited = 100},
                             {.credited = 2, .views = 200, .views_credited = 100}};
    struct shown one = {.items = with}, two = {.items = without};

    (void)state;
    begin("");
    scene.watched.count = 3;
    judge_gate(&judgement, 0, &scene, &one, &two);
    assert_int_equal(measure_verdict(find("decision")), VERDICT_MET);
    assert_true(fabs(find("believed")->worst) < 1e-9);
    with[1].views_credited = 101; /* one fake view, and it is under 3 % */
    judge_gate(&judgement, 0, &scene, &one, &two);
    assert_true(fabs(find("decision")->worst - 50) < 1e-9);
    assert_int_equal(measure_verdict(find("decision")), VERDICT_MISSED);
    assert_true(fabs(find("believed")->worst - 0.5) < 1e-9);
}

static void what_was_not_seen_is_not_measured(void **state)
{
    struct counts plain = {.raw = 10, .credited = 10};
    struct shown shown = {.items = &plain, .guessed = -1, .verified = -1};

    (void)state;
    begin("");
    judge_probing(&judgement, 0, &scene, &shown, NULL);
    judge_evidence(&judgement, 0, &scene, &shown, &shown);
    assert_int_equal(measure_verdict(find("guess")), VERDICT_UNMEASURED);
    assert_int_equal(measure_verdict(find("reasons")), VERDICT_UNMEASURED);
    assert_int_equal(measure_verdict(find("replay")), VERDICT_UNMEASURED);
    shown.guessed = 0.8;
    plain.credited = 4;
    plain.by_reason = 5; /* six count less */
    shown.verified = 0;
    judge_probing(&judgement, 0, &scene, &shown, NULL);
    judge_evidence(&judgement, 0, &scene, &shown, &shown);
    assert_int_equal(measure_verdict(find("guess")), VERDICT_MISSED);
    assert_int_equal(measure_verdict(find("reasons")), VERDICT_MISSED);
    assert_int_equal(measure_verdict(find("replay")), VERDICT_MISSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_goal_is_met_up_to_its_limit),
        cmocka_unit_test(of_many_seeds_the_worst_counts),
        cmocka_unit_test(sabotage_counts_either_way),
        cmocka_unit_test(a_brushing_is_judged_at_its_end_and_its_worst_moment),
        cmocka_unit_test(a_flood_is_judged_by_what_is_lost),
        cmocka_unit_test(honest_withdrawal_takes_its_weight),
        cmocka_unit_test(a_crowd_is_judged_by_weight_and_by_reasons),
        cmocka_unit_test(a_gate_divides_what_is_credited),
        cmocka_unit_test(what_was_not_seen_is_not_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
