/* A staircase: each step mends one fault and names what shows next. */
#include "support.h"

#include <string.h>

#include "support/test_engine.h"

static struct test_engine test;

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

static int64_t ask(enum verb verb, uint64_t account, uint64_t target)
{
    struct request request = test_set(verb, account, target);
    const struct reply *reply = test_engine_ask(&test, &request);

    if (reply->kind == REPLY_ERROR)
        return -(int64_t)reply->status;
    assert_int_equal(reply->kind, REPLY_INTEGER);
    return reply->u.value;
}

static uint64_t total(enum verb verb, uint64_t id)
{
    struct request request = {.verb = (uint16_t)verb, .count = 1, .u.ids = &id};
    const struct reply *reply = test_engine_ask(&test, &request);

    assert_int_equal(reply->kind, REPLY_INTEGERS);
    return reply->u.values[0];
}

static uint64_t given(uint64_t account)
{
    struct request get = {.verb = VERB_ACCOUNT_GET, .account = account};

    return test_engine_ask(&test, &get)->account->given[COUNTER_LIKE];
}

static void a_like_counts_once(void **state)
{
    (void)state;
    assert_int_equal(ask(VERB_LIKE, 1, 10), 1);
    assert_int_equal(ask(VERB_LIKE, 1, 10), 0);
    assert_int_equal(total(VERB_LIKES, 10), 1);
    assert_int_equal(ask(VERB_LIKE, 2, 10), 1);
    assert_int_equal(total(VERB_LIKES, 10), 2);
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1);
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 0);
    assert_int_equal(total(VERB_LIKES, 10), 1);
    assert_int_equal(given(1), 0);
    assert_int_equal(given(2), 1);
}

static void it_is_so_after_a_flush(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(ask(VERB_LIKE, 1, 10), 1);
        test_engine_flush(&test);
        assert_int_equal(ask(VERB_LIKE, 1, 10), 0);
        test_engine_flush(&test);
        assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1);
        assert_int_equal(total(VERB_LIKES, 10), 0);
        test_engine_flush(&test);
        test_engine_flush(&test);
        assert_int_equal(ask(VERB_UNLIKE, 1, 10), 0);
    }
}

static void taking_back_what_never_was_makes_nothing(void **state)
{
    struct request get = {.verb = VERB_ACCOUNT_GET, .account = 1};

    (void)state;
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 0);
    assert_int_equal(test_engine_ask(&test, &get)->status, STATUS_NOACCOUNT);
}

static void states_are_checked_in_the_same_step(void **state)
{
    struct request close = {.verb = VERB_ITEM_STATE, .target = 10, .u.item.state = ITEM_PRIVATE};
    struct request ban = {.verb = VERB_ACCOUNT_STATE,
                          .account = 1,
                          .flags = REQUEST_HAS_UNTIL,
                          .u.restriction.state = ACCOUNT_LIKE_BANNED};

    (void)state;
    ban.u.restriction.until_us = test.now_us + 10000000;
    assert_int_equal(ask(VERB_LIKE, 1, 10), 1);
    test_engine_ask(&test, &close);
    assert_int_equal(ask(VERB_LIKE, 2, 10), -STATUS_CLOSED);
    assert_int_equal(ask(VERB_SHARE, 2, 10), -STATUS_CLOSED);
    assert_int_equal(ask(VERB_REPORT, 2, 10), 1);
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1); /* taking back stays possible */
    test_engine_ask(&test, &ban);
    assert_int_equal(ask(VERB_LIKE, 1, 11), -STATUS_SUSPENDED);
    assert_int_equal(ask(VERB_FAVORITE, 1, 11), 1);
    ban.u.restriction.state = ACCOUNT_SUSPENDED;
    test_engine_ask(&test, &ban);
    assert_int_equal(ask(VERB_FAVORITE, 1, 12), -STATUS_SUSPENDED);
    test.now_us += 11000000; /* every restriction expires */
    assert_int_equal(ask(VERB_LIKE, 1, 11), 1);
}

static void an_operation_id_has_one_answer(void **state)
{
    struct request like = test_set(VERB_LIKE, 1, 10);
    struct request other = test_set(VERB_LIKE, 1, 11);
    const struct reply *reply;
    uint64_t sequence;

    (void)state;
    like.flags = other.flags = REQUEST_OPID | REQUEST_RETURN;
    like.opid[0] = other.opid[0] = 77;
    reply = test_engine_ask(&test, &like);
    assert_int_equal(reply->applied, 1);
    assert_int_equal(reply->replayed, 0);
    sequence = reply->sequence;
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1);
    test_engine_flush(&test);
    reply = test_engine_ask(&test, &like); /* a late retry: told, not done again */
    assert_int_equal(reply->applied, 1);
    assert_int_equal(reply->replayed, 1);
    assert_int_equal(reply->sequence, sequence);
    assert_int_equal(reply->on, 0);
    assert_int_equal(total(VERB_LIKES, 10), 0);
    assert_int_equal(test_engine_ask(&test, &other)->status, STATUS_CONFLICT);
}

static uint8_t issued(struct request request, int64_t before_us)
{
    request.flags |= REQUEST_CONTEXT;
    request.issued_us = test.now_us + 1000 - before_us; /* an ask takes 1000 */
    return test_engine_ask(&test, &request)->status;
}

/* Five minutes both ways of the engine's clock; what has an id and was done is told for ever. */
static void a_stale_request_is_not_done(void **state)
{
    struct request like = test_set(VERB_LIKE, 1, 10), other = test_set(VERB_LIKE, 1, 11);
    struct request look = {.verb = VERB_COUNTS, .target = 10}, view = test_set(VERB_VIEW, 1, 10);
    uint64_t sequence;

    (void)state;
    sequence = test.engine.sequence;
    assert_int_equal(issued(like, REQUEST_ISSUED_US + 1), STATUS_STALE);
    assert_int_equal(issued(like, -REQUEST_ISSUED_US - 1), STATUS_STALE);
    assert_int_equal(issued(view, 86400 * 1000000LL), STATUS_STALE);
    like.flags = other.flags = REQUEST_OPID;
    like.opid[0] = 77;
    other.opid[0] = 78;
    assert_int_equal(issued(like, REQUEST_ISSUED_US + 1), STATUS_STALE);
    assert_int_equal(test.engine.sequence, sequence); /* not even that it was refused */
    assert_int_equal(issued(like, REQUEST_ISSUED_US), STATUS_OK);
    assert_int_equal(issued(other, -REQUEST_ISSUED_US), STATUS_OK);
    assert_int_equal(test_engine_ask(&test, &look)->item->counts[COUNTER_LIKE], 1);
    /* The same bytes again, much later: what became of them, and nothing is done. */
    assert_int_equal(ask(VERB_UNLIKE, 1, 10), 1);
    assert_int_equal(issued(like, 2 * REQUEST_ISSUED_US), STATUS_OK);
    assert_int_equal(test.batch.replies[0].replayed, 1);
    assert_int_equal(total(VERB_LIKES, 10), 0);
    view.flags = REQUEST_CONTEXT; /* who says no time is not asked for one */
    assert_int_equal(test_engine_ask(&test, &view)->status, STATUS_OK);
}

static void what_an_item_gets_its_creator_receives(void **state)
{
    struct request set = {
        .verb = VERB_ITEM_SET, .target = 10, .flags = REQUEST_HAS_CREATOR, .u.item.creator = 500};
    struct request received = {.verb = VERB_RECEIVED, .account = 500};

    (void)state;
    ask(VERB_LIKE, 1, 10);
    test_engine_ask(&test, &set);
    ask(VERB_LIKE, 2, 10);
    test_engine_flush(&test);
    ask(VERB_SHARE, 2, 10);
    ask(VERB_FOLLOW, 2, 500);
    const struct reply *reply = test_engine_ask(&test, &received);
    assert_int_equal(reply->account->received[COUNTER_LIKE], 2);
    assert_int_equal(reply->account->received[COUNTER_SHARE], 1);
    assert_int_equal(reply->account->received[COUNTER_FOLLOW], 1);
    set.u.item.creator = 501; /* everything moves with the item */
    test_engine_ask(&test, &set);
    reply = test_engine_ask(&test, &received);
    assert_int_equal(reply->account->received[COUNTER_LIKE], 0);
    assert_int_equal(reply->account->received[COUNTER_FOLLOW], 1);
    received.account = 501;
    reply = test_engine_ask(&test, &received);
    assert_int_equal(reply->account->received[COUNTER_LIKE], 2);
}

static void act_is_all_or_nothing(void **state)
{
    struct request act = {.verb = VERB_ACT,
                          .account = 1,
                          .target = 10,
                          .count = 3,
                          .u.actions = {VERB_LIKE, VERB_COMMENT, VERB_FAVORITE}};
    struct request ban = {.verb = VERB_ACCOUNT_STATE,
                          .account = 1,
                          .flags = REQUEST_HAS_UNTIL,
                          .u.restriction.state = ACCOUNT_LIKE_BANNED};
    const struct reply *reply;

    (void)state;
    ask(VERB_LIKE, 1, 10);
    reply = test_engine_ask(&test, &act);
    assert_int_equal(reply->kind, REPLY_INTEGERS);
    assert_int_equal(reply->u.values[0], 0);
    assert_int_equal(reply->u.values[1], 1);
    assert_int_equal(reply->u.values[2], 1);
    ban.u.restriction.until_us = test.now_us + 10000000;
    test_engine_ask(&test, &ban);
    assert_int_equal(test_engine_ask(&test, &act)->status, STATUS_SUSPENDED);
    assert_int_equal(total(VERB_COMMENTS, 10), 1);
    act.u.actions[0] = VERB_COMMENT; /* what is refused stands last: nothing before it happens */
    act.u.actions[1] = VERB_LIKE;
    act.count = 2;
    assert_int_equal(test_engine_ask(&test, &act)->status, STATUS_SUSPENDED);
    assert_int_equal(total(VERB_COMMENTS, 10), 1);
}

static uint32_t page(enum verb verb, uint64_t id, uint64_t *cursor, uint64_t *ids, uint16_t max)
{
    struct request request = {.verb = (uint16_t)verb, .account = id, .target = id, .count = max};
    const struct reply *reply;

    if (*cursor != 0) {
        request.flags = REQUEST_HAS_CURSOR;
        request.u.cursor = *cursor;
    }
    reply = test_engine_ask(&test, &request);
    assert_int_equal(reply->kind, REPLY_PAGE);
    for (uint32_t i = 0; i < reply->count; i++)
        ids[i] = reply->u.page[i].id;
    *cursor = reply->cursor;
    return reply->count;
}

/* Against the simplest model there is: an array, newest last. */
static void lists_are_newest_first_across_flushes(void **state)
{
    struct test_random random = {.state = test_seed(3)};
    uint64_t model[400];
    uint32_t count = 0;

    (void)state;
    for (int step = 0; step < 3000; step++) {
        uint64_t account = test_random_below(&random, 120);
        uint32_t at = 0;

        while (at < count && model[at] != account)
            at++;
        if (test_random_below(&random, 3) > 0) {
            assert_int_equal(ask(VERB_LIKE, account, 7), at == count);
            if (at == count)
                model[count++] = account;
        } else {
            assert_int_equal(ask(VERB_UNLIKE, account, 7), at < count);
            if (at < count) {
                memmove(&model[at], &model[at + 1], (count - at - 1) * sizeof model[0]);
                count--;
            }
        }
        if (test_random_below(&random, 40) == 0)
            test_engine_flush(&test);
        if (test_random_below(&random, 20) == 0) {
            uint64_t ids[16], cursor = 0;
            uint32_t seen = 0;

            do {
                uint32_t n = page(VERB_LIKERS, 7, &cursor, ids, 16);

                for (uint32_t i = 0; i < n; i++, seen++)
                    assert_int_equal(ids[i], model[count - 1 - seen]);
            } while (cursor != 0);
            assert_int_equal(seen, count);
        }
    }
    assert_int_equal(total(VERB_LIKES, 7), count);
}

/* Pages follow one another while the list changes under them: nobody twice, nobody who stayed lost.
 */
static void pages_go_on_while_the_list_changes(void **state)
{
    struct test_random random = {.state = test_seed(5)};
    uint64_t cursor = 0, ids[7];
    uint8_t seen[3000] = {0};

    (void)state;
    for (uint64_t account = 0; account < 1000; account++)
        ask(VERB_LIKE, account, 7);
    do {
        uint32_t n = page(VERB_LIKERS, 7, &cursor, ids, 7);

        for (uint32_t i = 0; i < n; i++) {
            assert_true(ids[i] < 1000);
            assert_int_equal(seen[ids[i]]++, 0);
        }
        ask(VERB_LIKE, 1000 + test_random_below(&random, 1000), 7);
        ask(VERB_UNLIKE, 1000 + test_random_below(&random, 1000), 7);
        if (test_random_below(&random, 30) == 0)
            test_engine_flush(&test);
    } while (cursor != 0);
    for (uint64_t account = 0; account < 1000; account++)
        assert_int_equal(seen[account], 1);
}

/* Replaying the records gives the same state: checked through every reply of a second engine. */
static void a_replay_gives_the_same(void **state)
{
    static struct test_engine second;
    struct test_random random = {.state = test_seed(4)};
    static const enum verb verbs[] = {VERB_LIKE,   VERB_UNLIKE, VERB_FAVORITE, VERB_UNFAVORITE,
                                      VERB_FOLLOW, VERB_SHARE,  VERB_VIEW,     VERB_REPORT};

    (void)state;
    test_engine_open(&second, NULL);
    for (int step = 0; step < 5000; step++) {
        struct request request =
            test_set(verbs[test_random_below(&random, 8)], test_random_below(&random, 50),
                     test_random_below(&random, 50));
        const uint8_t *bytes = test.engine.body;

        if (test_random_below(&random, 10) == 0)
            request = (struct request){.verb = VERB_ITEM_SET,
                                       .flags = REQUEST_HAS_CREATOR,
                                       .target = test_random_below(&random, 50),
                                       .u.item.creator = test_random_below(&random, 9)};
        test_engine_ask(&test, &request);
        for (uint32_t i = 0; i < test.engine.record_count; i++) {
            struct record record = {0};
            size_t size = record_decode(bytes, 200, &record);

            assert_true(size > 0);
            bytes += size;
            record.sequence = test.engine.first_sequence + i;
            record.time_us = test.engine.now_us;
            engine_apply(&second.engine, &record);
        }
    }
    for (uint64_t id = 0; id < 50; id++) {
        struct request item = {.verb = VERB_COUNTS, .target = id};
        struct request account = {.verb = VERB_ACCOUNT_GET, .account = id};
        const struct reply *a = test_engine_ask(&test, &item);
        const struct reply *b = test_engine_ask(&second, &item);

        assert_memory_equal(a->item, b->item, sizeof *a->item);
        a = test_engine_ask(&test, &account);
        b = test_engine_ask(&second, &account);
        assert_int_equal(a->kind, b->kind);
        if (a->kind == REPLY_ACCOUNT)
            assert_memory_equal(a->account, b->account, sizeof *a->account);
    }
    test_engine_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_like_counts_once, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(it_is_so_after_a_flush, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(taking_back_what_never_was_makes_nothing, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(states_are_checked_in_the_same_step, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(an_operation_id_has_one_answer, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_stale_request_is_not_done, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(what_an_item_gets_its_creator_receives, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(act_is_all_or_nothing, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(lists_are_newest_first_across_flushes, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(pages_go_on_while_the_list_changes, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(a_replay_gives_the_same, open_engine, close_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
