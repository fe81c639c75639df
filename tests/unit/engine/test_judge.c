/* What acts are worth, decided in the same step: rules refuse, cut and hold; held likes are
 * settled; a replay comes to the same state without judging. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_judges.h"

#define REGION_BYTES JUDGE_BYTES_MIN
#define SECOND       1000000

static const char rules[] =
    "policy test version 3\n"
    "undo 30s undo 1m for region cn\n"
    "settle 10m\n"
    "rule few    when count(like, account, 1m) > 3 then refuse\n"
    "rule churn  on like when flips > 2 then weight 40\n"
    "rule late   on like when count(like, account, 24h) > 6 then hold\n"
    "rule ban    on unlike when flips > 3 then like-ban for 48h\n"
    "rule sure   on unlike when count(unlike, account, 24h) > 2 then confirm\n"
    "rule tried  shadow on like when count(like, account, 1m) > 2 then refuse\n"
    "rule home   for region eu, cn on like then weight 30\n";

static struct test_engine test;
static struct test_judges judged;

static int open_engine(void **state)
{
    (void)state;
    test_engine_open(&test, NULL);
    test_judges_open(&judged, &test.engine, rules, false);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    test_judges_close(&judged);
    return 0;
}

static int64_t ask_with(enum verb verb, uint64_t account, uint64_t item, uint16_t flags)
{
    struct request request = test_set(verb, account, item);
    const struct reply *reply;

    request.flags |= flags;
    reply = test_engine_ask(&test, &request);
    return reply->kind == REPLY_ERROR ? -(int64_t)reply->status : reply->u.value;
}

static int64_t ask(enum verb verb, uint64_t account, uint64_t item)
{
    return ask_with(verb, account, item, 0);
}

static struct item_row item_of(uint64_t id)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = id};

    return *test_engine_ask(&test, &get)->item;
}

static void a_rule_refuses_until_there_is_room(void **state)
{
    struct request like = test_set(VERB_LIKE, 1, 13);
    const struct reply *reply;
    int64_t wait_us;

    (void)state;
    for (uint64_t i = 10; i < 13; i++)
        assert_int_equal(ask(VERB_LIKE, 1, i), 1);
    reply = test_engine_ask(&test, &like);
    assert_int_equal(reply->status, STATUS_RATE);
    wait_us = (int64_t)reply->retry_ms * 1000;
    assert_true(wait_us > 0 && wait_us <= 61LL * SECOND);
    assert_int_equal(ask(VERB_LIKE, 1, 10), 0); /* what is so already is no act */
    assert_int_equal(ask(VERB_LIKE, 2, 13), 1); /* another account has its own */
    test.now_us += wait_us;
    assert_int_equal(ask(VERB_LIKE, 1, 13), 1);
    assert_int_equal(item_of(13).counts[COUNTER_LIKE], 2);
}

static void a_rule_cuts_what_an_act_weighs(void **state)
{
    (void)state;
    assert_int_equal(ask(VERB_LIKE, 1, 10), 1);
    test.now_us += 120LL * SECOND;
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1);
    assert_int_equal(ask(VERB_LIKE, 1, 10), 1); /* the third change */
    assert_int_equal(item_of(10).credit.credited_pct, 40);
    assert_int_equal(item_of(10).reasons[REASON_POLICY], 1);
    test.now_us += 120LL * SECOND;
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1);
    assert_int_equal(item_of(10).credit.credited_pct, 0);
    assert_int_equal(item_of(10).reasons[REASON_POLICY], 0);
}

static void at_home(uint64_t account, uint64_t code)
{
    struct request request = {.verb = VERB_ACCOUNT_SET,
                              .account = account,
                              .u.portrait = {.has_region = 1, .region = code}};

    assert_int_equal(test_engine_ask(&test, &request)->u.value, 1);
}

/* By the region that the account has when it acts; 899 is cn, 902 is none that is named. */
static void a_rule_is_for_a_region(void **state)
{
    (void)state;
    assert_int_equal(ask(VERB_LIKE, 1, 10), 1);
    assert_int_equal(item_of(10).credit.credited_pct, 100);
    at_home(1, 899);
    assert_int_equal(ask(VERB_LIKE, 1, 11), 1);
    assert_int_equal(item_of(11).credit.credited_pct, 30);
    test_engine_flush(&test);
    test.now_us += 50LL * SECOND; /* longer than 30 s: an undo there alone */
    assert_int_equal(ask(VERB_UNLIKE, 1, 11), 1);
    assert_int_equal(judged.judges.act.exempt, 1);
    at_home(1, 902);
    assert_int_equal(ask(VERB_LIKE, 1, 12), 1);
    assert_int_equal(item_of(12).credit.credited_pct, 100);
    test.now_us += 50LL * SECOND;
    assert_int_equal(ask(VERB_UNLIKE, 1, 12), 1);
    assert_int_equal(judged.judges.act.exempt, 0);
}

static void settle_what_is_due(void)
{
    const struct hold *hold[8];
    uint32_t due = engine_holds_due(&test.engine, test.now_us, hold, 8);

    for (uint32_t i = 0; i < due; i++) {
        struct record record = engine_hold_record(hold[i]);

        test.needs = (struct needs){0};
        hot_turn_begin(test.engine.hot);
        assert_true(engine_gather_record(&test.engine, &record, &test.needs));
        assert_int_equal(test.needs.edge_count, 0); /* all in memory here */
    }
    engine_begin(&test.engine, test.now_us);
    while (due-- > 0)
        engine_hold_settle(&test.engine);
}

static void held_likes_count_when_they_are_settled(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 8; i++) {
        assert_int_equal(ask(VERB_LIKE, 1, 20 + i), 1);
        test.now_us += 61LL * SECOND;
    }
    assert_int_equal(item_of(25).credit.credited_pct, 100);
    assert_int_equal(item_of(26).credit.held, 1);
    assert_int_equal(item_of(27).credit.held, 1);
    assert_int_equal(item_of(27).credit.credited_pct, 0);
    settle_what_is_due();
    assert_int_equal(item_of(26).credit.held, 1); /* not yet */
    assert_int_equal(ask(VERB_UNLIKE, 1, 27), 1); /* taken back while it is held */
    test.now_us += 600LL * SECOND;
    settle_what_is_due();
    assert_int_equal(item_of(26).credit.held, 0);
    assert_int_equal(item_of(26).credit.credited_pct, 100);
    assert_int_equal(item_of(27).credit.held, 0);
    assert_int_equal(item_of(27).credit.credited_pct, 0);
    assert_int_equal(judged.judges.holds->count, 0);
}

/* A hold of a like that was worth 40 when it was done; no scorer knows anything against it now. */
static void settled_late_it_is_worth_what_it_was(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        uint64_t item = 40 + (uint64_t)late;

        judged.judges.unscored = judged.judges.pending = true;
        assert_int_equal(ask(VERB_LIKE, 1, item), 1);
        judged.judges.unscored = judged.judges.pending = false;
        judged.judges.holds->hold[judged.judges.holds->first].weight_pct = 40;
        test.now_us += (late ? 3 : 1) * 601LL * SECOND;
        settle_what_is_due();
        assert_int_equal(item_of(item).credit.credited_pct, late ? 40 : 100);
    }
}

static void without_the_scorer_nothing_counts_in_full(void **state)
{
    (void)state;
    judged.judges.unscored = judged.judges.pending = true;
    assert_int_equal(ask(VERB_LIKE, 1, 10), 1);
    assert_int_equal(item_of(10).credit.held, 1);
    assert_int_equal(item_of(10).reasons[REASON_UNSCORED], 1);
    test.now_us += 601LL * SECOND;
    settle_what_is_due();
    assert_int_equal(item_of(10).credit.held, 1); /* pending until the scorer is back */
    judged.judges.unscored = judged.judges.pending = false;
    test.now_us += 3700LL * SECOND;
    settle_what_is_due();
    assert_int_equal(item_of(10).credit.credited_pct, 100);
}

static void a_rule_may_ask_whether_it_is_meant(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(ask(VERB_LIKE, 1, 10 + i), 1);
        test.now_us += 40LL * SECOND;
    }
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1);
    assert_int_equal(ask(VERB_UNLIKE, 1, 11), 1);
    assert_int_equal(ask(VERB_UNLIKE, 1, 12), -STATUS_CONFIRM);
    assert_int_equal(ask_with(VERB_UNLIKE, 1, 12, REQUEST_CONFIRMED), 1);
    /* An undo is nobody's business. */
    assert_int_equal(ask(VERB_LIKE, 1, 13), 1);
    test.now_us += 5LL * SECOND;
    assert_int_equal(ask(VERB_UNLIKE, 1, 13), 1);
}

static void a_rule_restricts_who_acted_for_a_time(void **state)
{
    struct request act = {.verb = VERB_ACT,
                          .account = 5,
                          .target = 30,
                          .count = 2,
                          .u.actions = {VERB_LIKE, VERB_SHARE}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(VERB_LIKE, 1, 10), 1);
        test.now_us += 60LL * SECOND;
        assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1); /* the second one is the fourth change */
        test.now_us += 60LL * SECOND;
    }
    assert_int_equal(ask(VERB_LIKE, 1, 11), -STATUS_SUSPENDED);
    assert_int_equal(ask(VERB_SHARE, 1, 11), 1);
    assert_int_equal(ask(VERB_LIKE, 2, 11), 1); /* nobody else */
    test.now_us += 48LL * 3600 * SECOND;
    assert_int_equal(ask(VERB_LIKE, 1, 11), 1); /* it really ends */
    assert_int_equal(test_engine_ask(&test, &act)->u.values[0], 1);
    assert_int_equal(item_of(30).credit.credited_pct, 100);
}

static void imports_are_taken_over_as_they_were(void **state)
{
    struct request like = test_set(VERB_LIKE, 1, 0);

    (void)state;
    like.flags = REQUEST_CONTEXT;
    like.context.source = SOURCE_IMPORT;
    for (uint64_t i = 0; i < 50; i++) {
        like.target = i;
        assert_int_equal(test_engine_ask(&test, &like)->u.value, 1);
    }
    assert_int_equal(ask(VERB_LIKE, 1, 100), 1); /* and are not held against anybody */
    like.asserted = 1;                           /* a user cannot say so */
    like.target = 101;
    assert_int_equal(test_engine_ask(&test, &like)->status, STATUS_NOPERM);
}

static void signals_that_are_kept_go_on(void **state)
{
    (void)state;
    for (uint64_t i = 10; i < 13; i++)
        assert_int_equal(ask(VERB_LIKE, 1, i), 1);
    assert_true(
        judges_open(&judged.judges, judged.region, REGION_BYTES, judged.policy, NULL, false, true));
    assert_int_equal(ask(VERB_LIKE, 1, 13), -STATUS_RATE);
    memset(judged.region, 0xA5, REGION_BYTES); /* what is no signals is begun anew, and says so */
    assert_false(
        judges_open(&judged.judges, judged.region, REGION_BYTES, judged.policy, NULL, false, true));
    assert_int_equal(ask(VERB_LIKE, 1, 13), 1);
}

/* Records of every step, applied by an engine that judges nothing. */
static void a_replay_does_not_judge(void **state)
{
    static struct test_engine replay;
    struct test_random random = {test_seed(5)};

    (void)state;
    test_engine_open(&replay, NULL);
    for (int i = 0; i < 3000; i++) {
        size_t at = 0;
        uint64_t account = test_random_below(&random, 4), item = test_random_below(&random, 9);

        test.now_us += (int64_t)test_random_below(&random, 30) * SECOND;
        (void)ask_with(test_random_below(&random, 3) > 0 ? VERB_LIKE : VERB_UNLIKE, account, item,
                       (uint16_t)(test_random_below(&random, 2) * REQUEST_CONFIRMED));
        for (int part = 0; part < 2; part++) {
            for (at = 0; at < test.engine.body_size;) {
                struct record record = {.sequence = replay.engine.sequence + 1,
                                        .time_us = test.engine.now_us};

                at += record_decode(test.engine.body + at, test.engine.body_size - at, &record);
                engine_apply(&replay.engine, &record);
            }
            if (part == 0)
                settle_what_is_due();
        }
    }
    for (uint64_t item = 0; item < 9; item++) {
        struct request get = {.verb = VERB_ITEM_GET, .target = item};
        struct item_row a = item_of(item), b = *test_engine_ask(&replay, &get)->item;

        assert_memory_equal(&a, &b, sizeof a);
    }
    assert_true(judged.judges.held > 0 && judged.judges.settled > 0 && judged.judges.devalued > 0 &&
                judged.judges.refused > 0);
    test_engine_close(&replay);
}

/* --- the scorer: what counted in full and should not have
 * ------------------------------------------
 */

static int open_scored(void **state)
{
    open_engine(state);
    assert_true(judges_open(&judged.judges, judged.region, REGION_BYTES, NULL, NULL, true, false));
    return 0;
}

#define DAY       (86400LL * SECOND)
#define REGULARS  60u
#define NEWCOMERS 40u
#define VICTIM    5000u

/* Regulars like something of their own taste on four days, so that a newcomer is rare by then. */
static void a_platform_lives(void)
{
    for (uint64_t day = 0; day < 8; day += 2) {
        for (uint64_t like = 0; like < 4 * REGULARS; like++) {
            test.now_us += 60LL * SECOND;
            assert_int_equal(
                ask(VERB_LIKE, 1 + like % REGULARS, 1000 * day + like / 4 + like % 7 * 100 + 9), 1);
        }
        test.now_us += 2 * DAY - 4LL * REGULARS * 60 * SECOND;
    }
    test.now_us -= DAY;
}

static void settle_everything(void)
{
    const struct hold *hold[1];

    while (engine_holds_due(&test.engine, test.now_us, hold, 1) > 0)
        settle_what_is_due();
}

/* Accounts nobody knows come to one item, one each second: the first of them count in full until it
 * is seen what they are part of. Three regulars who were there before keep what they gave. */
static void brush(void)
{
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(ask(VERB_LIKE, 1 + i, VICTIM), 1);
    for (uint64_t i = 0; i < NEWCOMERS; i++) {
        test.now_us += SECOND;
        assert_int_equal(ask(VERB_LIKE, 9000 + i, VICTIM), 1);
    }
}

static void what_comes_after_a_like_speaks_against_it_too(void **state)
{
    struct item_row item;

    (void)state;
    a_platform_lives();
    brush();
    item = item_of(VICTIM);
    assert_in_range(item.credit.credited_pct, 400, 1000); /* the first of them got through */
    settle_everything();
    item = item_of(VICTIM);
    assert_int_equal(item.credit.credited_pct, 300);
    assert_true(judged.judges.reopened > 0 && item.credit.held > judged.judges.reopened - 1);
    assert_int_equal(item.counts[COUNTER_LIKE], 3 + NEWCOMERS); /* raw is what it is */
    test.now_us += TRUST_SETTLE_US + SECOND;
    settle_everything();
    item = item_of(VICTIM);
    assert_int_equal(item.credit.credited_pct, 300);
    assert_int_equal(item.credit.held, 0);
}

/* An un-like of a like that was taken back into the queue takes nothing with it. */
static void a_reopened_like_that_goes_takes_nothing(void **state)
{
    (void)state;
    a_platform_lives();
    brush();
    settle_everything();
    for (uint64_t i = 0; i < NEWCOMERS; i++) {
        test.now_us += SECOND;
        assert_int_equal(ask(VERB_UNLIKE, 9000 + i, VICTIM), 1);
        assert_int_equal(item_of(VICTIM).credit.credited_pct, 300);
    }
    test.now_us += TRUST_SETTLE_US + SECOND;
    settle_everything();
    assert_int_equal(item_of(VICTIM).credit.credited_pct, 300);
    assert_int_equal(item_of(VICTIM).credit.held, 0);
}

/* A node that comes back has from the log which likes were reopened, and settles them. */
static void a_reopened_like_waits_after_a_restart(void **state)
{
    static struct test_engine back;
    static struct judges learnt;
    void *memory = aligned_alloc(64, REGION_BYTES);
    struct record record = {.kind = RECORD_SETTLE,
                            .fields = RECORD_HAS_VERDICT | RECORD_CHANGED,
                            .account = 7,
                            .target = 8,
                            .verdict = {.weight_pct = 40,
                                        .mark = MARK_HELD,
                                        .reason = REASON_FIRST_TIMERS,
                                        .reasons = 1u << REASON_FIRST_TIMERS}};
    struct request like = test_set(VERB_LIKE, 7, 8);

    (void)state;
    test_engine_open(&back, NULL);
    assert_true(judges_open(&learnt, memory, REGION_BYTES, NULL, NULL, true, false));
    back.engine.judges = &learnt;
    back.now_us = test.now_us;
    like.flags |= REQUEST_CONTEXT;
    like.context.device = 77;
    assert_int_equal(test_engine_ask(&back, &like)->u.value, 1);
    record.sequence = back.engine.sequence + 1;
    record.time_us = back.engine.now_us + SECOND;
    engine_apply(&back.engine, &record);
    assert_int_equal(learnt.holds->count, 1);
    assert_int_equal(learnt.holds->hold[0].account, 7);
    assert_int_equal(learnt.holds->hold[0].device, 77);
    assert_int_equal(learnt.holds->hold[0].due_us, record.time_us + TRUST_SETTLE_US);
    test_engine_close(&back);
    free(memory);
}

/* Rules are counted by what they did; a shadow rule by what it would have done, and it does it not.
 */
static void a_shadow_rule_is_counted_and_does_nothing(void **state)
{
    uint32_t tried = judged.policy->rule_count - 2u;

    (void)state;
    assert_int_equal(judged.policy->rules[tried].shadow, 1);
    for (uint64_t item = 10; item < 13; item++)
        assert_int_equal(ask(VERB_LIKE, 1, item), 1);
    assert_int_equal(judged.judges.tally[tried].fired, 1);
    assert_int_equal(judged.judges.tally[tried].refused, 1);
    assert_int_equal(judged.judges.tally[0].fired, 0);
    assert_int_equal(ask(VERB_LIKE, 1, 13), -STATUS_RATE);
    assert_int_equal(judged.judges.tally[0].refused, 1);
    assert_int_equal(judged.judges.tally[tried].refused, 2);
    assert_int_equal(judged.judges.refused, 1);
    assert_int_equal(judged.judges.tally[tried].held + judged.judges.tally[tried].cut, 0);
}

int main(void)
{
#define WITH_ENGINE(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)
#define WITH_SCORER(name) cmocka_unit_test_setup_teardown(name, open_scored, close_engine)
    const struct CMUnitTest tests[] = {
        WITH_SCORER(what_comes_after_a_like_speaks_against_it_too),
        WITH_SCORER(a_reopened_like_that_goes_takes_nothing),
        WITH_SCORER(a_reopened_like_waits_after_a_restart),
        WITH_ENGINE(a_rule_refuses_until_there_is_room),
        WITH_ENGINE(a_rule_cuts_what_an_act_weighs),
        WITH_ENGINE(a_rule_is_for_a_region),
        WITH_ENGINE(held_likes_count_when_they_are_settled),
        WITH_ENGINE(settled_late_it_is_worth_what_it_was),
        WITH_ENGINE(without_the_scorer_nothing_counts_in_full),
        WITH_ENGINE(a_shadow_rule_is_counted_and_does_nothing),
        WITH_ENGINE(a_rule_may_ask_whether_it_is_meant),
        WITH_ENGINE(a_rule_restricts_who_acted_for_a_time),
        WITH_ENGINE(imports_are_taken_over_as_they_were),
        WITH_ENGINE(signals_that_are_kept_go_on),
        WITH_ENGINE(a_replay_does_not_judge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
