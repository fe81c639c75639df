/* Weight that was taken back: fades, waits, comes back; against a twin with floating point that
 * remembers every single un-like. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/withdraw.h"
#include "support/test_judges.h"

#define SECOND    1000000LL
#define HOUR      (3600 * SECOND)
#define DAY       (24 * HOUR)
#define HORIZON_S (24u * 3600)
#define ACCOUNTS  24
#define ITEMS     3
#define LOG_MAX   60000

static const char rules[] = "policy test version 1\n"
                            "undo 30s\n"
                            "settle 10m\n"
                            "smooth withdrawn 24h\n"
                            "freeze withdrawn 1h\n"
                            "rule half on like when flips > 6 then weight 50\n"
                            "rule many on unlike when count(unlike, account, 24h) > 30 then review "
                            "once per 24h\n";

static struct test_engine test;
static struct test_judges judged;
static struct record *records; /* all that the engine decided */
static uint32_t record_count;

static int open_with(bool scored)
{
    test_engine_open(&test, NULL);
    records = calloc(LOG_MAX, sizeof *records);
    record_count = 0;
    test_judges_open(&judged, &test.engine, rules, scored);
    return 0;
}

static int open_rules(void **state)
{
    (void)state;
    return open_with(false);
}

static int open_scored(void **state)
{
    (void)state;
    return open_with(true);
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    test_judges_close(&judged);
    free(records);
    return 0;
}

/* What the step wrote, for a replay later. */
static void keep_records(void)
{
    record_count += test_engine_records(&test, records + record_count, LOG_MAX - record_count);
}

static const struct reply *ask_as(enum verb verb, uint64_t account, uint64_t item, bool asserted)
{
    struct request request = test_set(verb, account, item);
    const struct reply *reply;

    request.flags = REQUEST_RETURN;
    request.asserted = asserted;
    request.subject = account;
    reply = test_engine_ask(&test, &request);
    assert_int_equal(reply->kind, REPLY_WRITE);
    keep_records();
    return reply;
}

static const struct reply *ask(enum verb verb, uint64_t account, uint64_t item)
{
    return ask_as(verb, account, item, false);
}

static struct item_row item_of(uint64_t id)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = id};

    return *test_engine_ask(&test, &get)->item;
}

/* As it is kept, not as it is shown. */
static const struct item_row *row_of(const struct test_engine *of, uint64_t id)
{
    uint32_t slot = hot_item_find(of->engine.hot, 0, id);

    assert_true(slot != HOT_NONE);
    return hot_item(of->engine.hot, slot);
}

static void assert_near(double is, double wanted, double leeway)
{
    if (!(fabs(is - wanted) <= leeway))
        fail_msg("%f, not %f", is, wanted);
}

static double fading_of(uint64_t id)
{
    return (double)item_of(id).withdrawn.fading_q16 / 65536;
}

static double standing_of(uint64_t id)
{
    struct item_row item = item_of(id);

    return (double)item.credit.credited_pct + (double)item.withdrawn.frozen_pct +
           (double)item.withdrawn.fading_q16 / 65536;
}

/* --- the curve ----------------------------------------------------------------------------------
 */

static double curve(double age_us, double horizon_s)
{
    return exp2(-age_us * WITHDRAW_HALVINGS / (horizon_s * SECOND));
}

static void follows_the_curve(void **state)
{
    uint64_t before = UINT64_MAX;

    (void)state;
    for (int64_t age = 0; age < 2 * DAY; age += 7 * SECOND) {
        uint64_t left = withdraw_left(1ULL << 40, age, HORIZON_S);
        double exact = exp2(40) * curve((double)age, HORIZON_S);

        assert_true(left <= before);
        assert_true((double)left >= exact * 0.9999 - 1 && (double)left <= exact * 1.001 + 1);
        before = left;
    }
    assert_int_equal(withdraw_left(1000, 0, HORIZON_S), 1000);
    assert_int_equal(withdraw_left(UINT64_MAX, INT64_MAX / 8, HORIZON_S), 0);
    assert_int_equal(withdraw_left(1000, 1, 0), 0);
    assert_true(withdraw_left(1ULL << 56, DAY, HORIZON_S) <= (1ULL << 56) / 100);
}

/* A video that loses a like every minute keeps no more than one that is looked at once: at the
 * horizon 99 % are gone either way. */
static void asking_often_keeps_nothing_longer(void **state)
{
    struct withdrawn row = {0};
    int64_t now = 1700000000LL * SECOND;

    (void)state;
    withdraw_take(&row, 100, HORIZON_S, false, now);
    row.fading_q16 = 1000000ULL * 100 << 16;
    for (int64_t end = now + DAY; now < end; now += SECOND)
        withdraw_settle(&row, now);
    withdraw_settle(&row, now);
    assert_true(row.fading_q16 <= (1000000ULL * 100 << 16) / 100);
    assert_true(row.fading_q16 >= (1000000ULL * 100 << 16) / 140);
}

/* --- freezing, without an engine ----------------------------------------------------------------
 */

static void a_freeze_ends_by_itself(void **state)
{
    struct withdrawn row = {0};
    int64_t from = 1700000000LL * SECOND, now = from;

    (void)state;
    assert_true(withdraw_freeze(&row, now + HOUR, now));
    for (int i = 0; i < 90; i++) { /* somebody keeps it open: to no avail after a day */
        withdraw_take(&row, 100, HORIZON_S, i % 2 == 0, now);
        now += HOUR / 2;
        (void)withdraw_freeze(&row, now + HOUR, now);
    }
    assert_int_equal(row.freeze_until_us, from + WITHDRAW_FREEZE_MAX_US);
    assert_true(withdraw_is_frozen(&row, from + DAY - 1) && !withdraw_is_frozen(&row, from + DAY));
    assert_int_equal(row.loss_pct, 24 * 100); /* every second one of 48 that waited */
    withdraw_settle(&row, now);
    assert_int_equal(row.frozen_pct, 0);
    assert_false(
        withdraw_freeze(&row, now + HOUR, from + 2 * DAY - 1)); /* closed for another day */
    assert_true(withdraw_freeze(&row, from + 2 * DAY + HOUR, from + 2 * DAY));
    assert_int_equal(row.loss_pct, 0); /* what is measured is the window's own */
}

static void what_waits_fades_from_the_end_on(void **state)
{
    struct withdrawn row = {0}, early;
    int64_t now = 1700000000LL * SECOND;

    (void)state;
    (void)withdraw_freeze(&row, now + 2 * HOUR, now);
    withdraw_take(&row, 80, HORIZON_S, false, now);
    withdraw_settle(&row, now + 2 * HOUR - 1);
    assert_int_equal(row.frozen_pct, 80);
    assert_int_equal(row.fading_q16, 0);
    early = row;
    withdraw_release(&early, now + 2 * HOUR - 1);
    assert_int_equal(early.frozen_pct, 0);
    assert_int_equal(early.fading_q16, 80 << 16);
    withdraw_settle(&row, now + 5 * HOUR); /* looked at late: the same as if looked at in time */
    assert_near((double)row.fading_q16 / 65536, 80 * curve(3.0 * HOUR, HORIZON_S), 0.1);
    assert_int_equal(withdraw_return(&row, 80, now, now + 5 * HOUR), 0);
    assert_true(row.fading_q16 < 65536 / 10);
}

/* --- through the engine -------------------------------------------------------------------------
 */

struct gone {
    double weight;
    int64_t time_us;
};

struct twin {
    bool on[ACCOUNTS][ITEMS];
    int64_t since_us[ACCOUNTS][ITEMS];
    uint32_t weight[ACCOUNTS][ITEMS], flips[ACCOUNTS][ITEMS];
    struct gone gone[ACCOUNTS][ITEMS]; /* a like that is off, and still fades */
};

static void twin_turn(struct twin *twin, uint32_t a, uint32_t i, bool on)
{
    bool undo = test.now_us - twin->since_us[a][i] <= 30 * SECOND;

    if (twin->on[a][i] == on)
        return;
    twin->flips[a][i]++;
    twin->gone[a][i] = (struct gone){0};
    if (on)
        twin->weight[a][i] = twin->flips[a][i] > 6 ? 50 : 100;
    else if (!undo)
        twin->gone[a][i] = (struct gone){twin->weight[a][i], test.now_us};
    twin->on[a][i] = on;
    twin->since_us[a][i] = test.now_us;
}

static void compare(const struct twin *twin)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item_row item = item_of(i);
        double fading = 0, credited = 0;

        for (uint32_t a = 0; a < ACCOUNTS; a++) {
            const struct gone *gone = &twin->gone[a][i];

            credited += twin->on[a][i] ? twin->weight[a][i] : 0;
            fading += gone->weight * curve((double)(test.now_us - gone->time_us), HORIZON_S);
        }
        assert_near((double)item.credit.credited_pct, credited, 0.001);
        assert_near((double)item.withdrawn.fading_q16 / 65536, fading, 0.5 + fading / 50);
        assert_true(item.credit.credited_pct <= 100 * item.counts[COUNTER_LIKE]);
    }
}

static void fades_as_the_twin_says(void **state)
{
    struct test_random random = {test_seed(21)};
    struct twin *twin = calloc(1, sizeof *twin);

    (void)state;
    for (uint32_t i = 0; i < ITEMS; i++) {
        (void)ask(VERB_LIKE, 0, i);
        twin_turn(twin, 0, i, true);
    }
    for (int i = 0; i < 6000; i++) {
        uint32_t a = (uint32_t)test_random_below(&random, ACCOUNTS);
        uint32_t item = (uint32_t)test_random_below(&random, ITEMS);
        bool on = test_random_below(&random, 2) == 0;

        test.now_us += test_random_below(&random, 4) == 0
                           ? (int64_t)test_random_below(&random, 40) * SECOND
                           : (int64_t)test_random_below(&random, 3000) * SECOND;
        (void)ask(on ? VERB_LIKE : VERB_UNLIKE, a, item);
        twin_turn(twin, a, item, on);
        if (i % 20 == 0)
            compare(twin);
        if (i % 500 == 0)
            test_engine_flush(&test);
    }
    free(twin);
}

/* A replay has no judges, no policy: the records alone lead to the same rows, bit for bit. */
static void a_replay_fades_to_the_same_bits(void **state)
{
    struct test_random random = {test_seed(22)};
    struct test_engine other;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        test.now_us += (int64_t)test_random_below(&random, 2000) * SECOND;
        (void)ask(test_random_below(&random, 2) ? VERB_LIKE : VERB_UNLIKE,
                  test_random_below(&random, ACCOUNTS), test_random_below(&random, ITEMS));
    }
    test_engine_open(&other, NULL);
    for (uint32_t i = 0; i < record_count; i++)
        test_engine_replay(&other, &records[i]);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_memory_equal(row_of(&test, i), row_of(&other, i), sizeof(struct item_row));
    assert_true(row_of(&test, 0)->withdrawn.fading_q16 > 0);
    test_engine_close(&other);
}

static void raw_falls_at_once_and_weight_by_and_by(void **state)
{
    (void)state;
    for (uint64_t a = 1; a <= 10; a++)
        (void)ask(VERB_LIKE, a, 1);
    test.now_us += DAY;
    for (uint64_t a = 1; a <= 10; a++)
        (void)ask(VERB_UNLIKE, a, 1);
    assert_int_equal(item_of(1).counts[COUNTER_LIKE], 0);
    assert_int_equal(item_of(1).credit.credited_pct, 0);
    assert_true(standing_of(1) > 999);
    test.now_us += 60 * SECOND; /* no minute crashes it */
    assert_true(standing_of(1) > 1000 * 0.994);
    test.now_us += DAY;
    assert_true(standing_of(1) <= 1000 * 0.01); /* and it takes effect */
}

static void what_had_no_weight_leaves_none(void **state)
{
    struct record settle = {
        .kind = RECORD_SETTLE, .fields = RECORD_HAS_VERDICT | RECORD_CHANGED, .target = 1, .a = 1};
    static const struct verdict worthless[] = {{.weight_pct = 0, .reason = REASON_YOUNG},
                                               {.weight_pct = 100, .mark = MARK_HELD},
                                               {.weight_pct = 100, .mark = MARK_QUARANTINED},
                                               {.weight_pct = 100, .mark = MARK_VOIDED}};

    (void)state;
    for (uint64_t a = 0; a < 4; a++) {
        (void)ask(VERB_LIKE, a + 1, 1);
        settle.account = a + 1;
        settle.verdict = worthless[a];
        test_engine_settle(&test, &settle);
        test.now_us += HOUR;
        assert_int_equal(ask(VERB_UNLIKE, a + 1, 1)->intent, INTENT_CHANGE);
    }
    assert_true(fading_of(1) == 0);
}

/* A slip leaves nothing; going back and forth leaves no more than a like that stayed. */
static void back_and_forth_gains_nothing(void **state)
{
    (void)state;
    (void)ask(VERB_LIKE, 1, 1);
    test.now_us += 10 * SECOND;
    assert_int_equal(ask(VERB_UNLIKE, 1, 1)->intent, INTENT_UNDO);
    assert_true(fading_of(1) == 0);
    for (int i = 0; i < 5; i++) {
        (void)ask(VERB_LIKE, 1, 2);
        assert_true(standing_of(2) <= 100.1);
        test.now_us += HOUR;
        (void)ask(VERB_UNLIKE, 1, 2);
        assert_true(standing_of(2) <= 100.1);
        test.now_us += HOUR;
    }
}

static void a_cleanup_fades_and_its_undo_restores(void **state)
{
    struct request clean = {.verb = VERB_CLEANUP_RUN, .account = 1};

    (void)state;
    (void)ask(VERB_LIKE, 1, 1);
    test.now_us += HOUR;
    assert_int_equal(test_engine_ask(&test, &clean)->u.values[1], 1);
    assert_true(fading_of(1) > 99.9);
    test.now_us += 3 * HOUR;
    clean = (struct request){.verb = VERB_CLEANUP_UNDO, .account = 1};
    clean.u.cursor = 1;
    assert_int_equal(test_engine_ask(&test, &clean)->u.values[1], 1);
    assert_true(fading_of(1) < 0.1);
    assert_int_equal(item_of(1).credit.credited_pct, 100);
}

/* --- intent and floods --------------------------------------------------------------------------
 */

static void an_unlike_says_what_it_was_taken_for(void **state)
{
    uint8_t intent = INTENT_NONE;

    (void)state;
    for (uint64_t i = 0; i < 32; i++)
        (void)ask(VERB_LIKE, 1, 100 + i);
    test.now_us += HOUR;
    for (uint64_t i = 0; i < 31; i++)
        intent = ask_as(VERB_UNLIKE, 1, 100 + i, false)->intent;
    assert_int_equal(intent, INTENT_FLOOD); /* the rule of thirty */
    (void)ask(VERB_LIKE, 1, 200);
    test.now_us += 60 * SECOND;
    judged.policy->rules[1].once = POLICY_NONE;
    /* The one who does it is not told, or he would know what is seen. */
    assert_int_equal(ask_as(VERB_UNLIKE, 1, 200, true)->intent, INTENT_CHANGE);
    assert_int_equal(record_intent(&records[record_count - 2]) == INTENT_FLOOD ||
                         record_intent(&records[record_count - 1]) == INTENT_FLOOD,
                     1);
    (void)ask(VERB_LIKE, 2, 100);
    test.now_us += HOUR;
    assert_int_equal(ask(VERB_UNLIKE, 2, 100)->intent, INTENT_CHANGE);
    assert_int_equal(ask(VERB_UNLIKE, 2, 100)->intent, INTENT_NONE); /* so already */
}

static void placed(enum verb verb, uint64_t account, uint64_t item, uint64_t device)
{
    struct request request = test_set(verb, account, item);

    request.flags = REQUEST_CONTEXT;
    request.context.device = device;
    assert_int_equal(test_engine_ask(&test, &request)->kind, REPLY_INTEGER);
    keep_records();
}

#define CROWD 200

/* A platform with a past: 400 accounts that like one another's items, one by one. */
static void live_a_while(void)
{
    for (uint64_t a = 0; a < 2 * CROWD; a++)
        placed(VERB_LIKE, 1000 + a, 5000 + a, 0);
    for (uint64_t a = 0; a < 2 * CROWD; a++) {
        test.now_us += 300 * SECOND;
        placed(VERB_LIKE, 1000 + a, 1, 9000 + a);
    }
    test.now_us += 8 * DAY;
    for (uint64_t a = 0; a < 2 * CROWD; a++) {
        test.now_us += 60 * SECOND;
        placed(VERB_UNLIKE, 1000 + a, 5000 + a, 0);
    }
    test.now_us += DAY;
}

/* 200 accounts on ten devices take back within ten minutes: after the first some thirty it is
 * seen, and what follows waits. It fades when that is over; nobody's raw count was touched. */
static void a_flood_of_one_hand_waits(void **state)
{
    struct item_row before, during;
    double stood;

    (void)state;
    live_a_while();
    before = item_of(1);
    stood = standing_of(1);
    assert_true(before.credit.credited_pct >= 2 * CROWD * 90);
    for (uint64_t a = 0; a < CROWD; a++) {
        test.now_us += 3 * SECOND;
        placed(VERB_UNLIKE, 1000 + a, 1, 70 + a % 10);
    }
    during = item_of(1);
    assert_int_equal(during.counts[COUNTER_LIKE], CROWD);
    assert_true(before.case_id == 0 && during.case_id != 0); /* people are asked to look, once */
    assert_true(during.withdrawn.frozen_likes >= CROWD / 2);
    assert_true(during.withdrawn.loss_pct <= during.withdrawn.frozen_pct);
    assert_true(during.withdrawn.loss_pct >= CROWD / 2 * 90); /* they had stood for a week */
    assert_true(standing_of(1) >= stood * 0.99);
    test.now_us += 30 * 60 * SECOND;
    assert_int_equal(item_of(1).withdrawn.frozen_pct, during.withdrawn.frozen_pct);
    test.now_us += DAY + HOUR;
    assert_int_equal(item_of(1).withdrawn.frozen_pct, 0);
    assert_true(fading_of(1) <= CROWD); /* 1 % of what it was */
}

/* The same number, each from its own device: a change of mind of many. */
static void a_crowd_that_changes_its_mind_does_not_wait(void **state)
{
    (void)state;
    live_a_while();
    for (uint64_t a = 0; a < CROWD; a++) {
        test.now_us += 3 * SECOND;
        placed(VERB_UNLIKE, 1000 + a, 1, 9000 + a);
    }
    assert_int_equal(item_of(1).withdrawn.frozen_likes, 0);
    test.now_us += DAY;
    assert_true(fading_of(1) <= CROWD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_curve),
        cmocka_unit_test(asking_often_keeps_nothing_longer),
        cmocka_unit_test(a_freeze_ends_by_itself),
        cmocka_unit_test(what_waits_fades_from_the_end_on),
        cmocka_unit_test_setup_teardown(fades_as_the_twin_says, open_rules, close_engine),
        cmocka_unit_test_setup_teardown(a_replay_fades_to_the_same_bits, open_rules, close_engine),
        cmocka_unit_test_setup_teardown(raw_falls_at_once_and_weight_by_and_by, open_rules,
                                        close_engine),
        cmocka_unit_test_setup_teardown(what_had_no_weight_leaves_none, open_rules, close_engine),
        cmocka_unit_test_setup_teardown(back_and_forth_gains_nothing, open_rules, close_engine),
        cmocka_unit_test_setup_teardown(a_cleanup_fades_and_its_undo_restores, open_rules,
                                        close_engine),
        cmocka_unit_test_setup_teardown(an_unlike_says_what_it_was_taken_for, open_rules,
                                        close_engine),
        cmocka_unit_test_setup_teardown(a_flood_of_one_hand_waits, open_scored, close_engine),
        cmocka_unit_test_setup_teardown(a_crowd_that_changes_its_mind_does_not_wait, open_scored,
                                        close_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
