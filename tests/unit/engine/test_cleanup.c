/* The holder's clean-up: takes back what is meant and nothing else, undone exactly, counted by no
 * rule; the same after a replay; several steps for one call. */
#include <stdlib.h>

#include "engine/inner.h"
#include "node/load.h"
#include "support.h"
#include "support/test_judges.h"

#define HOLDER  7
#define CREATOR 9
#define ITEMS   400

static const struct reply *ask(struct test_engine *test, struct request request)
{
    return test_engine_ask(test, &request);
}

static void check_load(struct test_engine *test)
{
    assert_int_equal(load_needs(test->engine.store, test->engine.hot, &test->needs, test->now_us),
                     STATUS_OK);
}

/* One turn; true: it is answered. */
static bool turn(struct test_engine *test)
{
    struct engine *engine = &test->engine;

    test->now_us += 1000;
    hot_turn_begin(engine->hot);
    if (engine_gather(engine, &test->batch, 0, &test->needs) == 0) {
        test_engine_flush(test);
        return false;
    }
    check_load(test);
    engine_gather_creators(engine, &test->batch, 0, 1, &test->needs);
    check_load(test);
    return engine_step(engine, &test->batch, 0, 1, test->now_us) == 1;
}

/* A clean-up from its first step to its last; flush: brought to rest between all steps. */
static const struct reply *clean(struct test_engine *test, struct request request, bool flush,
                                 uint32_t *turns)
{
    test->batch.requests[0] = request;
    test->batch.count = 1;
    *turns = 1;
    while (!turn(test)) {
        assert_true(test->engine.record_count <= ENGINE_SWEEP);
        assert_true(++*turns < 10000);
        if (flush)
            test_engine_flush(test);
    }
    return &test->batch.replies[0];
}

static uint64_t run(struct test_engine *test, int64_t before_us, int64_t after_us, bool flush)
{
    struct request request = {.verb = VERB_CLEANUP_RUN,
                              .account = HOLDER,
                              .u.cleanup = {.before_us = before_us, .after_us = after_us}};
    const struct reply *reply;
    uint32_t turns;

    reply = clean(test, request, flush, &turns);
    assert_int_equal(reply->kind, REPLY_INTEGERS);
    assert_int_equal(reply->u.values[2], 0);
    return reply->u.values[0] << 32 | reply->u.values[1];
}

static uint64_t undo(struct test_engine *test, uint64_t number, bool flush)
{
    struct request request = {
        .verb = VERB_CLEANUP_UNDO, .account = HOLDER, .flags = REQUEST_HAS_CURSOR};
    const struct reply *reply;
    uint32_t turns;

    request.u.cursor = number;
    reply = clean(test, request, flush, &turns);
    assert_int_equal(reply->kind, REPLY_INTEGERS);
    assert_int_equal(reply->u.values[2], 0);
    return reply->u.values[1];
}

static bool liked(struct test_engine *test, uint64_t item)
{
    struct request request = {.verb = VERB_LIKED, .account = HOLDER, .count = 1, .u.ids = &item};

    return ask(test, request)->u.values[0] != 0;
}

static struct item_row item(struct test_engine *test, uint64_t id)
{
    return *ask(test, (struct request){.verb = VERB_COUNTS, .target = id})->item;
}

static struct account_row account(struct test_engine *test, uint64_t id)
{
    return *ask(test, (struct request){.verb = VERB_ACCOUNT_GET, .account = id})->account;
}

static void fill(struct test_engine *test, bool flush)
{
    for (uint64_t id = 1; id <= ITEMS; id++) {
        ask(test, (struct request){.verb = VERB_ITEM_SET,
                                   .target = id,
                                   .flags = REQUEST_HAS_CREATOR,
                                   .u.item.creator = CREATOR + id % 3});
        ask(test, test_set(VERB_LIKE, HOLDER, id));
        ask(test, test_set(VERB_LIKE, 1, id));
        if (flush && id == ITEMS / 2)
            test_engine_flush(test);
    }
}

static void takes_all_back_and_brings_all_back(void **state)
{
    (void)state;
    for (int flush = 0; flush < 2; flush++) {
        struct test_engine test;
        struct item_row before;
        struct account_row held;
        uint64_t got;

        test_engine_open(&test, NULL);
        fill(&test, flush);
        /* One of them is worth less: it comes back as it was. */
        test_engine_settle(&test, &(struct record){.kind = RECORD_SETTLE,
                                                   .fields = RECORD_HAS_VERDICT,
                                                   .account = HOLDER,
                                                   .target = 5,
                                                   .verdict = {.weight_pct = 30,
                                                               .reason = REASON_YOUNG,
                                                               .reasons = 1 << REASON_YOUNG}});
        before = item(&test, 5);
        held = account(&test, HOLDER);
        assert_int_equal(before.credit.credited_pct, 130);
        got = run(&test, 0, 0, flush);
        assert_int_equal(got, 1ULL << 32 | ITEMS);
        assert_int_equal(account(&test, HOLDER).given[COUNTER_LIKE], 0);
        assert_int_equal(account(&test, HOLDER).taken_back, 0); /* no rule counts them */
        for (uint64_t id = 1; id <= ITEMS; id++) {
            assert_false(liked(&test, id));
            assert_int_equal(item(&test, id).counts[COUNTER_LIKE], 1);
        }
        assert_int_equal(item(&test, 5).credit.credited_pct, 100);
        assert_int_equal(run(&test, 0, 0, flush) & UINT32_MAX, 0); /* again: nothing */
        assert_int_equal(undo(&test, 2, flush), 0);                /* not that one */
        assert_int_equal(undo(&test, 1, flush), ITEMS);
        assert_int_equal(undo(&test, 1, flush), 0);
        assert_memory_equal(account(&test, HOLDER).given, held.given, sizeof held.given);
        for (uint64_t id = 1; id <= ITEMS; id++)
            assert_true(liked(&test, id));
        assert_int_equal(item(&test, 5).credit.credited_pct, 130);
        assert_int_equal(item(&test, 5).reasons[REASON_YOUNG], 1);
        assert_int_equal(account(&test, CREATOR + 1).received[COUNTER_LIKE], 2 * 134);
        test_engine_close(&test);
    }
}

/* Likes of a middle time only. What the holder has touched since is left as he left it. */
static void undoes_exactly_what_is_still_off(void **state)
{
    struct test_engine test;
    int64_t from, to;
    uint64_t got;

    (void)state;
    test_engine_open(&test, NULL);
    for (uint64_t id = 1; id <= 10; id++)
        ask(&test, test_set(VERB_LIKE, HOLDER, id));
    from = test.now_us + 1;
    for (uint64_t id = 11; id <= 20; id++)
        ask(&test, test_set(VERB_LIKE, HOLDER, id));
    to = test.now_us + 1;
    test_engine_flush(&test);
    for (uint64_t id = 21; id <= 30; id++)
        ask(&test, test_set(VERB_LIKE, HOLDER, id));
    got = run(&test, to, from, true);
    assert_int_equal(got, 1ULL << 32 | 10);
    for (uint64_t id = 1; id <= 30; id++)
        assert_int_equal(liked(&test, id), id <= 10 || id > 20);
    ask(&test, test_set(VERB_LIKE, HOLDER, 11)); /* likes again, and takes back himself */
    ask(&test, test_set(VERB_UNLIKE, HOLDER, 11));
    ask(&test, test_set(VERB_LIKE, HOLDER, 12)); /* likes again */
    assert_int_equal(run(&test, 0, to, false), 2ULL << 32 | 11);
    assert_int_equal(undo(&test, 1, true), 8);
    for (uint64_t id = 1; id <= 30; id++)
        assert_int_equal(liked(&test, id), (id <= 10) || (id >= 13 && id <= 20));
    assert_int_equal(undo(&test, 2, false), 11);
    assert_true(liked(&test, 12) && liked(&test, 30) && !liked(&test, 11));
    assert_int_equal(account(&test, HOLDER).taken_back, 1);
    assert_int_equal(account(&test, HOLDER).given[COUNTER_LIKE], 29);
    test_engine_close(&test);
}

static void is_over_after_thirty_days_or_under_a_ban(void **state)
{
    struct test_engine test;
    struct request ban = {
        .verb = VERB_ACCOUNT_STATE, .account = HOLDER, .u.restriction.state = ACCOUNT_LIKE_BANNED};
    struct request again = {
        .verb = VERB_CLEANUP_UNDO, .account = HOLDER, .flags = REQUEST_HAS_CURSOR};
    uint32_t turns;

    (void)state;
    test_engine_open(&test, NULL);
    ask(&test, test_set(VERB_LIKE, HOLDER, 1));
    ask(&test, test_set(VERB_LIKE, HOLDER, 2));
    ask(&test, ban);
    assert_int_equal(run(&test, 0, 0, false), 1ULL << 32 | 2); /* may always take back */
    again.u.cursor = 1;
    assert_int_equal(clean(&test, again, false, &turns)->status, STATUS_SUSPENDED);
    test.now_us += 29LL * 24 * 3600 * 1000000; /* the ban is over by then */
    assert_int_equal(undo(&test, 1, false), 2);
    assert_int_equal(run(&test, 0, 0, false) & UINT32_MAX, 2);
    test.now_us += 31LL * 24 * 3600 * 1000000;
    assert_int_equal(undo(&test, 1, false), 0);
    test_engine_close(&test);
}

/* A crash between two steps: what is done is done, calling again does the rest. A second clean-up
 * of another caller meanwhile is told to wait. */
static void goes_on_after_a_crash(void **state)
{
    struct test_engine test;
    struct request request = {.verb = VERB_CLEANUP_RUN, .account = HOLDER};
    struct request other = {.verb = VERB_CLEANUP_RUN, .account = 1};

    (void)state;
    test_engine_open(&test, NULL);
    fill(&test, true);
    test.batch.requests[0] = request;
    test.batch.count = 1;
    assert_false(turn(&test));
    test.batch.requests[0] = other;
    assert_true(turn(&test));
    assert_int_equal(test.batch.replies[0].status, STATUS_BUSY);
    test.engine.sweep = (struct sweep){0}; /* all that a crash forgets, the records apart */
    assert_int_equal(run(&test, 0, 0, true) & UINT32_MAX, ITEMS - ENGINE_SWEEP);
    assert_int_equal(account(&test, HOLDER).given[COUNTER_LIKE], 0);
    assert_int_equal(undo(&test, 2, false), ITEMS - ENGINE_SWEEP);
    assert_int_equal(undo(&test, 1, false), ENGINE_SWEEP);
    test_engine_close(&test);
}

static void preview_tells_what_run_does(void **state)
{
    struct test_engine test;
    struct request request = {.verb = VERB_CLEANUP_PREVIEW, .account = HOLDER, .count = 3};
    const struct reply *reply;

    (void)state;
    test_engine_open(&test, NULL);
    fill(&test, true);
    reply = ask(&test, request);
    assert_int_equal(reply->cursor, ITEMS);
    assert_int_equal(reply->count, 3);
    assert_int_equal(reply->u.page[0].id, ITEMS);
    request.u.cleanup.before_us = reply->u.page[2].time_us;
    reply = ask(&test, request);
    assert_int_equal(reply->cursor, ITEMS - 3);
    assert_int_equal(reply->u.page[0].id, ITEMS - 3);
    assert_int_equal(run(&test, request.u.cleanup.before_us, 0, false) & UINT32_MAX, ITEMS - 3);
    request.u.cleanup.before_us = 0;
    assert_int_equal(ask(&test, request)->cursor, 3);
    test_engine_close(&test);
}

/* 400 un-likes at once, under a rule that refuses the fourth in a day: the clean-up is not counted,
 * so three by hand go on, and the fourth is refused. */
static void no_rule_counts_it(void **state)
{
    static const char rules[] = "policy test version 1\n"
                                "settle 10m\n"
                                "rule few when count(unlike, account, 24h) > 3 then refuse\n";
    struct test_engine test;
    struct test_judges judged;

    (void)state;
    test_engine_open(&test, NULL);
    test_judges_open(&judged, &test.engine, rules, false);
    fill(&test, true);
    test.now_us += 3600000000;
    assert_int_equal(run(&test, 0, 0, false) & UINT32_MAX, ITEMS);
    assert_int_equal(undo(&test, 1, false), ITEMS);
    for (uint64_t id = 1; id <= 4; id++)
        assert_int_equal(ask(&test, test_set(VERB_UNLIKE, HOLDER, id))->status == STATUS_OK,
                         id < 4);
    assert_int_equal(run(&test, 0, 0, false) & UINT32_MAX, ITEMS - 3); /* and is never refused */
    test_engine_close(&test);
    test_judges_close(&judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_all_back_and_brings_all_back),
        cmocka_unit_test(undoes_exactly_what_is_still_off),
        cmocka_unit_test(is_over_after_thirty_days_or_under_a_ban),
        cmocka_unit_test(goes_on_after_a_crash),
        cmocka_unit_test(preview_tells_what_run_does),
        cmocka_unit_test(no_rule_counts_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
