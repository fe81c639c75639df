/* While nobody scores likes are held, never in full: without the setting, when what the scorer
 * remembers is lost or damaged, and when the queue of held likes is full. What waits is scored when
 * it is back, all of it. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "engine/trust_table.h"
#include "support/test_engine.h"

#define REGION JUDGE_BYTES_MIN
#define SECOND 1000000LL
#define DELAY  TRUST_SETTLE_US /* without rules */
#define ITEM   7

static struct test_engine test;
static struct judges judges;
static uint8_t *region;

static int open_engine(void **state)
{
    (void)state;
    test_engine_open(&test, NULL);
    region = aligned_alloc(64, REGION);
    assert_true(judges_open(&judges, region, REGION, NULL, NULL, true, false));
    test.engine.judges = &judges;
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    free(region);
    return 0;
}

static void act(enum verb verb, uint64_t account)
{
    struct request request = test_set(verb, account, ITEM);
    struct hot_room room;

    hot_room(test.engine.hot, &room);
    if (room.accounts < 16 || room.items < 16 || room.edges < 16)
        test_engine_flush(&test);
    assert_int_equal(test_engine_ask(&test, &request)->status, STATUS_OK);
}

static struct item_row item(void)
{
    struct request get = {.verb = VERB_COUNTS, .target = ITEM};

    return *test_engine_ask(&test, &get)->item;
}

static void settle_what_is_due(void)
{
    const struct hold *hold;

    while (engine_holds_due(&test.engine, test.now_us, &hold, 1) > 0) {
        struct record record = engine_hold_record(hold);
        struct hot_room room;

        hot_room(test.engine.hot, &room);
        if (room.accounts < 16 || room.items < 16 || room.edges < 16)
            test_engine_flush(&test);
        hot_turn_begin(test.engine.hot);
        test.needs = (struct needs){0};
        assert_true(engine_gather_record(&test.engine, &record, &test.needs));
        test_engine_load(&test);
        engine_begin(&test.engine, test.now_us);
        engine_hold_settle(&test.engine);
    }
}

/* As node/backlog.c does, in one go. */
static uint32_t find_what_was_missed(void)
{
    static struct edge_row rows[8192];
    struct edge_row from = {.kind = EDGE_LIKE};
    uint64_t before;
    uint32_t count, all = 0;

    test_engine_flush(&test);
    assert_int_equal(store_edges_from(test.engine.store, &from, rows, 8192, &count), STATUS_OK);
    for (uint32_t i = 0; i < count; i++) {
        before = judges.holds->count;
        assert_true(engine_hold_again(&test.engine, &rows[i]));
        all += judges.holds->count > before;
    }
    settle_what_is_due();
    judges.holds->missed = 0;
    return all;
}

static enum judge_lack lack(void)
{
    return judges_lack(&judges, test.now_us);
}

static void a_scorer_that_lost_its_memory_holds_until_it_has_seen_enough(void **state)
{
    (void)state;
    act(VERB_LIKE, 1);
    assert_int_equal(lack(), JUDGE_LACKS_NOTHING);
    assert_int_equal(item().credit.credited_pct, 100);
    judges_lost(&judges);
    test.now_us += 10 * DELAY; /* nobody acts: it has seen nothing */
    assert_int_equal(lack(), JUDGE_BLIND);
    act(VERB_LIKE, 2);
    act(VERB_VIEW, 2);
    assert_int_equal(item().credit.held, 1);
    assert_int_equal(item().credit.credited_pct, 100);
    assert_int_equal(item().reasons[REASON_UNSCORED], 1);
    assert_int_equal(item().views_lost_pct, 100); /* a view weighs nothing, and stays so */
    test.now_us += DELAY - 5 * SECOND;
    act(VERB_LIKE, 3);
    settle_what_is_due();
    assert_int_equal(item().credit.held, 2);
    assert_int_equal(lack(), JUDGE_BLIND);
    test.now_us += 10 * SECOND;
    assert_int_equal(lack(), JUDGE_MISSED); /* the queue was lost as well */
    act(VERB_LIKE, 4);
    assert_int_equal(item().credit.credited_pct, 200); /* scored again */
    judges.holds->missed = 0;
    assert_int_equal(lack(), JUDGE_BACKLOG);
    settle_what_is_due();
    assert_int_equal(lack(), JUDGE_BACKLOG); /* the third was held later */
    test.now_us += DELAY;
    settle_what_is_due();
    assert_int_equal(lack(), JUDGE_LACKS_NOTHING);
    assert_int_equal(item().credit.held, 0);
    assert_int_equal(item().credit.credited_pct, 400);
}

static void a_restart_does_not_end_it(void **state)
{
    (void)state;
    judges_lost(&judges);
    act(VERB_LIKE, 1);
    assert_true(judges_open(&judges, region, REGION, NULL, NULL, true, true));
    assert_int_equal(lack(), JUDGE_BLIND);
    act(VERB_LIKE, 2);
    assert_int_equal(item().credit.held, 2);
    test.now_us += DELAY + 5 * SECOND;
    assert_int_equal(lack(), JUDGE_MISSED);
    judges.holds->missed = 0;
    assert_true(judges_open(&judges, region, REGION, NULL, NULL, true, true));
    assert_int_equal(lack(), JUDGE_BACKLOG);
    settle_what_is_due();
    assert_int_equal(lack(), JUDGE_LACKS_NOTHING);
    assert_int_equal(item().credit.credited_pct, 200);
}

/* More than the queue holds, while nobody scores: none counts, none is forgotten for good. */
static void a_full_queue_counts_nothing_in_full(void **state)
{
    uint64_t likes = judges.holds->capacity + 500;

    (void)state;
    judges.pending = judges.unscored = true;
    for (uint64_t i = 0; i < likes; i++) {
        act(VERB_LIKE, 100 + i);
        if (i % 64 == 0)
            settle_what_is_due();
    }
    settle_what_is_due();
    assert_int_equal(item().credit.held, likes);
    assert_int_equal(item().credit.credited_pct, 0);
    assert_int_equal(judges.holds->count, judges.holds->capacity);
    assert_int_equal(judges.holds->missed, 500);
    test.now_us += 2 * DELAY;
    settle_what_is_due();
    assert_int_equal(item().credit.credited_pct, 0);
    judges.pending = judges.unscored = false;
    judges.backlog = 0;
    assert_int_equal(lack(), JUDGE_MISSED);
    test.now_us += 2 * DELAY;
    settle_what_is_due();
    assert_int_equal(item().credit.held, 500);
    assert_int_equal(find_what_was_missed(), 500);
    test.now_us += DELAY;
    settle_what_is_due();
    assert_int_equal(item().credit.held, 0);
    assert_int_equal(item().credit.credited_pct, 100 * likes);
    assert_int_equal(lack(), JUDGE_LACKS_NOTHING);
}

/* What a case gives back as held waits in the queue again, or it would be held for ever. */
static void what_is_given_back_as_held_is_scored(void **state)
{
    struct record settle = {.kind = RECORD_SETTLE,
                            .fields = RECORD_HAS_ARGS | RECORD_HAS_VERDICT | RECORD_CHANGED,
                            .account = 1,
                            .target = ITEM,
                            .a = 77,
                            .verdict = {.weight_pct = 100, .mark = MARK_VOIDED}};

    (void)state;
    judges.pending = judges.unscored = true;
    act(VERB_LIKE, 1);
    judges.pending = judges.unscored = false;
    test_engine_settle(&test, &settle);
    assert_int_equal(item().credit.voided, 1);
    test.now_us += 2 * DELAY;
    settle_what_is_due();
    assert_int_equal(judges.holds->count, 0);
    settle.verdict =
        (struct verdict){.weight_pct = 100, .mark = MARK_HELD, .reason = REASON_UNSCORED};
    test_engine_settle(&test, &settle);
    assert_int_equal(item().credit.held, 1);
    test.now_us += 2 * DELAY;
    settle_what_is_due();
    assert_int_equal(item().credit.held, 0);
    assert_int_equal(item().credit.credited_pct, 100);
}

/* --- damage -------------------------------------------------------------------------------------
 */

static uint8_t *trust_at(void)
{
    return (uint8_t *)judges.trust;
}

static bool look(void)
{
    return judges_check(&judges, test.now_us, 1u << 20); /* all of it */
}

static void live_a_while(void)
{
    for (uint64_t i = 0; i < 400; i++) {
        struct request request = test_set(i % 5 == 0 ? VERB_VIEW : VERB_LIKE, i % 40, 5000 + i);

        request.flags = REQUEST_CONTEXT;
        request.context.device = 1 + i % 9;
        request.context.network = 1 + i % 4;
        test.now_us += 20 * SECOND;
        if (i % 50 == 0)
            test_engine_flush(&test);
        assert_int_equal(test_engine_ask(&test, &request)->status, STATUS_OK);
    }
}

static void what_was_seen_is_whole(void **state)
{
    (void)state;
    assert_true(look());
    live_a_while();
    assert_true(look());
    for (uint64_t account = 0; account < 40; account++)
        trust_forget(judges.trust, 0, account);
    assert_true(look());
    assert_int_equal(judges.failures, 0);
}

/* Of every byte of the header, and of many rows, a flip that makes what can never be. */
static void damage_is_found_and_nothing_counts(void **state)
{
    (void)state;
    live_a_while();
    for (size_t at = 0; at < 16; at++) {
        trust_at()[at] ^= 0x40;
        assert_false(look());
        assert_int_equal(lack(), JUDGE_BLIND);
        assert_true(look()); /* it began anew */
        act(VERB_LIKE, 1000 + at);
        assert_int_equal(item().credit.held, at + 1);
        assert_int_equal(item().credit.credited_pct, 0);
    }
    assert_int_equal(judges.failures, 16);
}

static void a_row_that_cannot_be_is_found(void **state)
{
    struct trust_config config = trust_config_for(judges.trust_bytes);
    uint64_t hand = 0, found = 0;

    (void)state;
    live_a_while();
    assert_true(trust_check(judges.trust, &config, test.now_us, &hand, 1u << 20));
    for (size_t at = 0; at < trust_bytes(&config); at += 64) {
        uint8_t *line = trust_at() + at, kept = line[7];

        line[7] ^= 0x80; /* a time far ahead, or something where nothing is */
        hand = at / 64 - (at > 0);
        found += !trust_check(judges.trust, &config, test.now_us, &hand, 1);
        line[7] = kept;
    }
    assert_true(found > trust_bytes(&config) / 64 * 9 / 10);
    hand = 0;
    assert_true(trust_check(judges.trust, &config, test.now_us, &hand, 1u << 20));
}

static void a_queue_that_cannot_be_begins_anew(void **state)
{
    (void)state;
    judges_lost(&judges);
    act(VERB_LIKE, 1);
    judges.holds->count = UINT64_MAX / 2;
    assert_false(look());
    assert_int_equal(judges.holds->count, 0);
    assert_true(judges.holds->missed > 0);
    act(VERB_LIKE, 2);
    assert_int_equal(item().credit.held, 2);
    test.now_us += 3 * DELAY;
    act(VERB_LIKE, 3);
    assert_int_equal(lack(), JUDGE_MISSED);
    assert_int_equal(find_what_was_missed() > 0, true);
    settle_what_is_due();
    assert_int_equal(item().credit.held, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_scorer_that_lost_its_memory_holds_until_it_has_seen_enough),
        TEST(a_restart_does_not_end_it),
        TEST(a_full_queue_counts_nothing_in_full),
        TEST(what_is_given_back_as_held_is_scored),
        TEST(what_was_seen_is_whole),
        TEST(damage_is_found_and_nothing_counts),
        TEST(a_row_that_cannot_be_is_found),
        TEST(a_queue_that_cannot_be_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
