/* What likes are worth: raw, valid, credited, by item and by creator, against the simplest twin. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "support/test_engine.h"

#define ACCOUNTS 12
#define ITEMS    5
#define CREATORS 3

static struct test_engine test;

struct worth {
    bool on;
    uint8_t weight_pct, mark, reason;
};

struct twin {
    struct worth like[ACCOUNTS][ITEMS];
    int creator[ITEMS]; /* -1: none */
    uint64_t peak[ITEMS];
};

static int open_engine(void **state)
{
    (void)state;
    test_engine_open(&test, NULL);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    return 0;
}

static void ask(enum verb verb, uint64_t account, uint64_t target)
{
    struct request request = test_set(verb, account, target);

    assert_int_equal(test_engine_ask(&test, &request)->kind, REPLY_INTEGER);
}

static void settle(uint64_t account, uint64_t item, struct worth worth)
{
    struct record record = {.kind = RECORD_SETTLE,
                            .fields = RECORD_HAS_VERDICT | RECORD_CHANGED,
                            .account = account,
                            .target = item,
                            .a = 1, /* a case: else a void stays */
                            .verdict = {.weight_pct = worth.weight_pct,
                                        .mark = worth.mark,
                                        .reason = worth.reason}};

    test_engine_settle(&test, &record);
}

static struct item_row item_of(uint64_t id)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = id};
    const struct reply *reply = test_engine_ask(&test, &get);

    assert_int_equal(reply->kind, REPLY_ITEM);
    return *reply->item;
}

static struct credit creator_of(uint64_t id)
{
    struct request get = {.verb = VERB_RECEIVED, .account = id};
    const struct reply *reply = test_engine_ask(&test, &get);

    assert_int_equal(reply->kind, REPLY_RECEIVED);
    return reply->account->received_credit;
}

static void add_worth(struct credit *credit, const struct worth *worth)
{
    if (worth->mark == MARK_HELD)
        credit->held++;
    else if (worth->mark == MARK_QUARANTINED)
        credit->quarantined++;
    else if (worth->mark == MARK_VOIDED)
        credit->voided++;
    else
        credit->credited_pct += worth->weight_pct;
}

static void assert_credit(struct credit is, struct credit wanted)
{
    assert_int_equal(is.credited_pct, wanted.credited_pct);
    assert_int_equal(is.held, wanted.held);
    assert_int_equal(is.quarantined, wanted.quarantined);
    assert_int_equal(is.voided, wanted.voided);
}

static void compare(const struct twin *twin)
{
    struct credit creators[CREATORS] = {0};

    for (int i = 0; i < ITEMS; i++) {
        struct item_row item = item_of((uint64_t)i);
        struct credit wanted = {0};
        uint32_t reasons[REASON_COUNT] = {0};
        uint64_t raw = 0;

        for (int a = 0; a < ACCOUNTS; a++) {
            const struct worth *worth = &twin->like[a][i];

            if (!worth->on)
                continue;
            raw++;
            add_worth(&wanted, worth);
            if (worth->reason != REASON_NONE)
                reasons[worth->reason]++;
            if (twin->creator[i] >= 0)
                add_worth(&creators[twin->creator[i]], worth);
        }
        assert_int_equal(item.counts[COUNTER_LIKE], raw);
        assert_int_equal(item.peak, twin->peak[i]);
        assert_credit(item.credit, wanted);
        assert_memory_equal(item.reasons, reasons, sizeof reasons);
        assert_true(item.credit.credited_pct <= 100 * credit_valid(raw, &item.credit));
        assert_true(credit_valid(raw, &item.credit) <= raw);
    }
    for (int c = 0; c < CREATORS; c++)
        assert_credit(creator_of(100 + (uint64_t)c), creators[c]);
}

static void move_peak(struct twin *twin, int item)
{
    uint64_t raw = 0;

    for (int a = 0; a < ACCOUNTS; a++)
        raw += twin->like[a][item].on;
    if (raw > twin->peak[item])
        twin->peak[item] = raw;
}

static void step(struct twin *twin, struct test_random *random)
{
    int a = (int)test_random_below(random, ACCOUNTS), i = (int)test_random_below(random, ITEMS);
    struct worth *like = &twin->like[a][i];
    struct request set = {.verb = VERB_ITEM_SET, .target = (uint64_t)i};

    switch (test_random_below(random, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        ask(VERB_LIKE, (uint64_t)a, (uint64_t)i);
        if (!like->on)
            *like = (struct worth){true, WEIGHT_FULL, MARK_PLAIN, REASON_NONE};
        move_peak(twin, i);
        break;
    case 4:
    case 5:
        ask(VERB_UNLIKE, (uint64_t)a, (uint64_t)i);
        like->on = false;
        break;
    case 6:
        twin->creator[i] = (int)test_random_below(random, CREATORS);
        set.flags = REQUEST_HAS_CREATOR;
        set.u.item.creator = 100 + (uint64_t)twin->creator[i];
        test_engine_ask(&test, &set);
        break;
    case 7:
        test_engine_flush(&test);
        break;
    default: {
        struct worth worth = {like->on, (uint8_t)test_random_below(random, WEIGHT_FULL + 1),
                              (uint8_t)test_random_below(random, MARK_COUNT),
                              (uint8_t)test_random_below(random, REASON_COUNT)};

        if (worth.mark == MARK_VOIDED)
            worth.reason = REASON_REVIEW; /* whatever was said: a void is a review's */
        settle((uint64_t)a, (uint64_t)i, worth);
        if (like->on)
            *like = worth;
    }
    }
}

static void three_numbers_are_always_those_of_the_edges(void **state)
{
    struct test_random random = {test_seed(7)};
    struct twin twin = {0};

    (void)state;
    for (int i = 0; i < ITEMS; i++) {
        struct request set = {.verb = VERB_ITEM_SET, .target = (uint64_t)i};

        twin.creator[i] = -1;
        test_engine_ask(&test, &set);
    }
    for (int c = 0; c < CREATORS; c++) {
        struct request set = {.verb = VERB_ACCOUNT_SET, .account = 100 + (uint64_t)c};

        test_engine_ask(&test, &set);
    }
    for (int i = 0; i < 20000; i++) {
        step(&twin, &random);
        if (i % 50 == 0)
            compare(&twin);
    }
    compare(&twin);
}

static void settling_keeps_a_like_in_its_place(void **state)
{
    struct request likers = {.verb = VERB_LIKERS, .target = 1, .count = 10};
    const struct reply *reply;

    (void)state;
    for (int flushed = 0; flushed < 3; flushed++) {
        for (uint64_t a = 1; a <= 3; a++)
            ask(VERB_LIKE, a, 1);
        if (flushed > 0)
            test_engine_flush(&test);
        settle(1, 1, (struct worth){true, 30, MARK_PLAIN, REASON_YOUNG});
        if (flushed > 1)
            test_engine_flush(&test);
        reply = test_engine_ask(&test, &likers);
        assert_int_equal(reply->count, 3);
        for (uint32_t i = 0; i < 3; i++)
            assert_int_equal(reply->u.page[i].id, 3 - i);
        assert_int_equal(item_of(1).credit.credited_pct, 230);
        ask(VERB_UNLIKE, 1, 1);
        assert_int_equal(item_of(1).credit.credited_pct, 200);
        ask(VERB_UNLIKE, 2, 1);
        ask(VERB_UNLIKE, 3, 1);
        assert_int_equal(item_of(1).credit.credited_pct, 0);
    }
}

static void what_is_taken_back_is_not_settled(void **state)
{
    uint64_t sequence;

    (void)state;
    ask(VERB_LIKE, 1, 1);
    ask(VERB_UNLIKE, 1, 1);
    sequence = test.engine.sequence;
    settle(1, 1, (struct worth){true, 50, MARK_PLAIN, REASON_REVIEW});
    settle(2, 1, (struct worth){true, 50, MARK_PLAIN, REASON_REVIEW});
    assert_int_equal(test.engine.sequence, sequence);
    ask(VERB_LIKE, 1, 1);
    settle(1, 1, (struct worth){true, WEIGHT_FULL, MARK_PLAIN, REASON_NONE}); /* already so */
    assert_int_equal(test.engine.sequence, sequence + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(three_numbers_are_always_those_of_the_edges, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(settling_keeps_a_like_in_its_place, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(what_is_taken_back_is_not_settled, open_engine,
                                        close_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
