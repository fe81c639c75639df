/* Each cause is found where it was put, costs what the definition says, and comes in its place;
 * what is as it should be, or too little to say, is not made a cause of. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "readers/insight/diagnose.h"

/* Per 100 impressions: what the comparable items have. */
#define VIEWS    80.0
#define HOLDS    40.0
#define FINISHES 20.0
#define LIKES    8.0
#define COMMENTS 4.0

static struct comparison comparison;
static struct diagnose_facts facts;
static struct diagnosis diagnosis;

static void own(enum step step, double of_100)
{
    comparison.s[step] = of_100 * comparison.n / 100;
    if (step < FUNNEL)
        comparison.step[step].had = comparison.s[step] / 100;
}

static void others(enum step step, double of_100)
{
    comparison.others_s[step] = of_100 * comparison.others_n / 100;
}

/* An item that was shown to so many and is in all things as the comparable ones. */
static void as_usual(double shown)
{
    static const struct {
        enum step step;
        double of_100;
    } usual[] = {{STEP_SHOWN, 100},       {STEP_VIEW, VIEWS}, {STEP_HOLD, HOLDS},
                 {STEP_FINISH, FINISHES}, {STEP_LIKE, LIKES}, {STEP_COMMENT, COMMENTS}};

    comparison = (struct comparison){.by = COMPARED_TO_ALL,
                                     .items = 100,
                                     .n = shown * 100,
                                     .others_n = 10000 * 100,
                                     .stage = 2,
                                     .first_budget = 8};
    for (uint32_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        others(usual[i].step, usual[i].of_100);
        own(usual[i].step, usual[i].of_100);
    }
    comparison.step[STEP_SHOWN] =
        (struct expected){.had = shown, .middle = 1000, .low = 800, .high = 1500};
    comparison.fit = 6000;
    comparison.fit_known = 10000;
    facts = (struct diagnose_facts){.on_ladder = true,
                                    .stage = 2,
                                    .first_budget = 8,
                                    .hours_known = true,
                                    .awake = {20000, 100000},
                                    .fit = 120,
                                    .fit_known = 200,
                                    .fit_liked = 12,
                                    .unfit_liked = 1,
                                    .before = 10,
                                    .same = 2,
                                    .same_like = {LIKES * 1000, 100000}};
}

static const struct diagnosed *cause_of(enum cause cause)
{
    for (uint32_t i = 0; i < CAUSE_COUNT; i++)
        if (diagnosis.cause[i].cause == cause)
            return &diagnosis.cause[i];
    fail_msg("no cause %d", (int)cause);
    return NULL;
}

static void run(void)
{
    diagnose(&comparison, &facts, &diagnosis);
}

/* It is the first, found, costs so much, and its number is held against what is said. */
static void first_is(enum cause cause, double lost, double number, double compared)
{
    run();
    assert_int_equal(diagnosis.cause[0].cause, cause);
    assert_int_equal(diagnosis.cause[0].verdict, CAUSE_FOUND);
    assert_true(fabs(diagnosis.cause[0].lost - lost) < 0.02 * lost + 0.01);
    assert_true(fabs(diagnosis.cause[0].number - number) < 1e-6);
    assert_true(fabs(diagnosis.cause[0].compared - compared) < 1e-6);
}

static void nothing_is_wrong(void **state)
{
    (void)state;
    as_usual(1000);
    run();
    assert_true(fabs(diagnosis.expected - 80) < 1e-9 && fabs(diagnosis.likes - 80) < 1e-9 &&
                diagnosis.lost == 0);
    for (uint32_t i = 0; i < CAUSE_COUNT; i++) {
        assert_int_equal(diagnosis.cause[i].verdict, CAUSE_FINE);
        assert_true(diagnosis.cause[i].lost == 0);
    }
}

/* 1,000 shown; a rate is drawn by 20 impressions towards the expected one. */
static double drawn(double own_s, double own_n, double expected)
{
    return (own_s + 20 * expected) / (own_n + 20);
}

static void the_first_seconds(void **state)
{
    double chain;

    (void)state;
    as_usual(1000);
    own(STEP_HOLD, 20);
    own(STEP_FINISH, 10);
    own(STEP_LIKE, 4); /* half of it all, behind a hold that is half */
    chain = 1000 * 0.8 * drawn(200, 800, 0.5) * drawn(40, 200, 0.2);
    first_is(CAUSE_WEAK_START, chain * (0.5 / drawn(200, 800, 0.5) - 1), 0.25, 0.5);
    assert_int_equal(cause_of(CAUSE_MISMATCH)->verdict, CAUSE_FINE);
    assert_int_equal(cause_of(CAUSE_WEAK_LIKE)->verdict, CAUSE_FINE);
    /* The same hold behind far more clicks than others have: the title promised something. */
    own(STEP_VIEW, 95);
    run();
    assert_int_equal(diagnosis.cause[0].cause, CAUSE_MISMATCH);
    assert_int_equal(diagnosis.cause[0].verdict, CAUSE_FOUND);
    assert_int_equal(cause_of(CAUSE_WEAK_START)->verdict, CAUSE_FINE);
    assert_true(cause_of(CAUSE_WEAK_START)->lost == 0);
}

static void a_cover_nobody_clicks(void **state)
{
    double chain;

    (void)state;
    as_usual(1000);
    own(STEP_VIEW, 40);
    own(STEP_HOLD, 20);
    own(STEP_FINISH, 10);
    own(STEP_LIKE, 4);
    own(STEP_COMMENT, 2);
    chain = 1000 * drawn(400, 1000, 0.8) * 0.5 * 0.2;
    first_is(CAUSE_WEAK_CLICK, chain * (0.8 / drawn(400, 1000, 0.8) - 1), 0.4, 0.8);
}

/* Stopped, on a lower stage, or none of its affair. */
static void a_gate(void **state)
{
    (void)state;
    as_usual(100);
    facts.stopped = true;
    facts.stage = 0;
    first_is(CAUSE_GATE, 8 * (1001.0 / 101 - 1), 0, 2);
    assert_true(cause_of(CAUSE_REACH)->lost == 0);
    facts.stopped = false;
    run();
    assert_int_equal(cause_of(CAUSE_GATE)->verdict, CAUSE_LIKELY);
    facts.on_ladder = false;
    first_is(CAUSE_REACH, 8 * (1001.0 / 101 - 1), 100, 1000);
    assert_int_equal(cause_of(CAUSE_GATE)->verdict, CAUSE_NOT_USED);
}

static void a_small_first_budget(void **state)
{
    (void)state;
    as_usual(1000);
    facts.first_budget = 4;
    first_is(CAUSE_ACCOUNT_WEIGHT, 4 * 80.0 / 1001, 4, 8);
    facts.first_budget = 0;
    run();
    assert_int_equal(cause_of(CAUSE_ACCOUNT_WEIGHT)->verdict, CAUSE_NOT_USED);
}

/* Nobody awake: 1 % of a day in three hours that have an eighth on the average. */
static void asleep(void **state)
{
    double lost = 8 * (1001.0 / 101 - 1);

    (void)state;
    as_usual(100);
    facts.awake = (struct share){1000, 100000};
    first_is(CAUSE_ASLEEP, lost * (1 - 0.01 / 0.125), 0.01, 0.125);
    assert_int_equal(diagnosis.cause[1].cause, CAUSE_REACH);
    assert_true(fabs(diagnosis.cause[1].lost - lost * 0.01 / 0.125) < 0.01 * lost);
    facts.hours_known = false;
    run();
    assert_int_equal(cause_of(CAUSE_ASLEEP)->verdict, CAUSE_UNKNOWN);
}

/* Who fits likes ten of a hundred, who does not one; a fifth fits where three fifths could. */
static void the_wrong_audience(void **state)
{
    double chain, now = 0.2 * 0.1 + 0.8 * 0.01, then = 0.6 * 0.1 + 0.4 * 0.01;

    (void)state;
    as_usual(1000);
    own(STEP_LIKE, 4);
    facts.fit_known = 1000;
    facts.fit = 200;
    facts.fit_liked = 20;
    facts.unfit_liked = 8;
    chain = 1000 * 0.8 * 0.5 * drawn(40, 400, 0.2);
    first_is(CAUSE_WRONG_AUDIENCE, chain * (then / now - 1), 0.2, 0.6);
    assert_true(cause_of(CAUSE_WEAK_LIKE)->lost == 0);
    facts.unfit_liked = 80; /* who fits likes no more than who does not */
    run();
    assert_int_equal(cause_of(CAUSE_WRONG_AUDIENCE)->verdict, CAUSE_FINE);
    facts.fit_known = 10;
    run();
    assert_int_equal(cause_of(CAUSE_WRONG_AUDIENCE)->verdict, CAUSE_UNKNOWN);
}

static void liked_less(void **state)
{
    double chain;

    (void)state;
    as_usual(1000);
    own(STEP_LIKE, 4);
    chain = 1000 * 0.8 * 0.5 * drawn(40, 400, 0.2);
    first_is(CAUSE_WEAK_LIKE, chain * (0.2 / drawn(40, 400, 0.2) - 1), 0.1, 0.2);
    own(STEP_FINISH, 5); /* because nobody sees the end */
    run();
    assert_int_equal(diagnosis.cause[0].cause, CAUSE_WEAK_MIDDLE);
    assert_true(cause_of(CAUSE_WEAK_LIKE)->lost < diagnosis.cause[0].lost / 10);
}

static void much_the_same(void **state)
{
    (void)state;
    as_usual(1000);
    own(STEP_LIKE, 4);
    facts.same = 8;
    run();
    assert_int_equal(diagnosis.cause[0].cause, CAUSE_SAMENESS);
    assert_true(diagnosis.cause[0].number == 0.8 && diagnosis.cause[0].compared == SAME_SHARE);
    assert_true(diagnosis.cause[0].lost > 30 && diagnosis.cause[0].lost < 45);
    facts.same_like.s = 4000; /* those before it were liked no more */
    run();
    assert_int_equal(cause_of(CAUSE_SAMENESS)->verdict, CAUSE_FINE);
    facts.before = SAME_MIN - 1;
    run();
    assert_int_equal(cause_of(CAUSE_SAMENESS)->verdict, CAUSE_UNKNOWN);
}

static void few_comments(void **state)
{
    (void)state;
    as_usual(1000);
    own(STEP_COMMENT, 1);
    first_is(CAUSE_FEW_COMMENTS, (0.05 - drawn(10, 800, 0.05)) * 800 * COMMENT_LIKES, 10.0 / 800,
             0.05);
}

/* 30 impressions: half the holds there should be is chance yet. */
static void chance_is_no_cause(void **state)
{
    (void)state;
    as_usual(30);
    comparison.step[STEP_SHOWN].middle = comparison.step[STEP_SHOWN].low = 30;
    own(STEP_HOLD, 33);
    own(STEP_LIKE, 6.6);
    run();
    assert_int_equal(cause_of(CAUSE_WEAK_START)->verdict, CAUSE_LIKELY);
    as_usual(10);
    own(STEP_HOLD, 0);
    run();
    assert_int_equal(cause_of(CAUSE_WEAK_START)->verdict, CAUSE_UNKNOWN);
    assert_true(cause_of(CAUSE_WEAK_START)->lost == 0);
}

static void nothing_to_compare_with(void **state)
{
    (void)state;
    as_usual(1000);
    comparison.items = 0;
    comparison.by = COMPARED_TO_NONE;
    run();
    for (uint32_t i = 0; i < CAUSE_COUNT; i++)
        assert_int_equal(diagnosis.cause[i].verdict, CAUSE_UNKNOWN);
    assert_true(diagnosis.expected == 0 && diagnosis.lost == 0);
}

/* Of random items: found before likely before the rest, each by what it costs, every cause once,
 * and nothing that is no number. */
static void in_the_order_of_what_it_costs(void **state)
{
    struct test_random random = {.state = test_seed(9)};

    (void)state;
    for (int round = 0; round < 5000; round++) {
        uint32_t seen = 0;

        as_usual((double)test_random_below(&random, 3000));
        for (enum step step = STEP_VIEW; step <= STEP_COMMENT; step++)
            own(step, (double)test_random_below(&random, 101));
        facts.fit_known = (double)test_random_below(&random, 400);
        facts.fit = facts.fit_known / 2;
        facts.stopped = test_random_below(&random, 2);
        facts.same = (uint32_t)test_random_below(&random, 11);
        run();
        for (uint32_t i = 0; i < CAUSE_COUNT; i++) {
            const struct diagnosed *cause = &diagnosis.cause[i], *next = cause + 1;

            seen |= 1u << cause->cause;
            assert_true(isfinite(cause->lost) && cause->lost >= 0);
            assert_true(cause->lost == 0 || cause->verdict <= CAUSE_LIKELY);
            if (i + 1 < CAUSE_COUNT)
                assert_true(cause->verdict < next->verdict ||
                            (cause->verdict == next->verdict && cause->lost >= next->lost));
        }
        assert_int_equal(seen, (1u << CAUSE_COUNT) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_wrong),
        cmocka_unit_test(the_first_seconds),
        cmocka_unit_test(a_cover_nobody_clicks),
        cmocka_unit_test(a_gate),
        cmocka_unit_test(a_small_first_budget),
        cmocka_unit_test(asleep),
        cmocka_unit_test(the_wrong_audience),
        cmocka_unit_test(liked_less),
        cmocka_unit_test(much_the_same),
        cmocka_unit_test(few_comments),
        cmocka_unit_test(chance_is_no_cause),
        cmocka_unit_test(nothing_to_compare_with),
        cmocka_unit_test(in_the_order_of_what_it_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
