/* CASE LIKES: each like with what it is worth, chosen by mark or reason, page by page, from memory
 * and from the store alike; and it costs the reader's budget as every list of people does. */
#include "support.h"

#include <string.h>

#include "schema/access.h"
#include "support/test_engine.h"

#define ITEM  9
#define LIKES 40

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

static void like(uint64_t account)
{
    struct request request = test_set(VERB_LIKE, account, ITEM);

    assert_int_equal(test_engine_ask(&test, &request)->status, STATUS_OK);
}

static void settle(uint64_t account, uint8_t weight, uint8_t mark, uint8_t reason)
{
    struct record record = {.kind = RECORD_SETTLE,
                            .fields = RECORD_HAS_VERDICT | RECORD_CHANGED,
                            .account = account,
                            .target = ITEM,
                            .a = mark == MARK_VOIDED ? 7 : 0,
                            .verdict = {.weight_pct = weight, .mark = mark, .reason = reason}};

    test_engine_settle(&test, &record);
}

static struct request asked(uint8_t mark, uint8_t reason, uint16_t count)
{
    struct request request = {.verb = VERB_CASE_LIKES, .target = ITEM, .count = count};

    request.role = ROLE_OPERATOR;
    request.caller = 5;
    request.u.list.mark = mark;
    request.u.list.reason = reason;
    return request;
}

/* All pages; the accounts in the order they were told. */
static uint32_t read_all(struct request request, struct edge_row *rows)
{
    uint32_t count = 0;

    for (;;) {
        const struct reply *reply = test_engine_ask(&test, &request);

        assert_int_equal(reply->kind, REPLY_WEIGHED);
        assert_true(reply->count <= request.count && count + reply->count <= LIKES);
        memcpy(rows + count, reply->u.edges, reply->count * sizeof *rows);
        count += reply->count;
        if (reply->cursor == 0)
            return count;
        request.flags |= REQUEST_HAS_CURSOR;
        request.u.list.cursor = reply->cursor;
    }
}

static void some_likes(void)
{
    for (uint64_t account = 1; account <= LIKES; account++)
        like(account);
    settle(3, 30, MARK_PLAIN, REASON_YOUNG);
    settle(8, 60, MARK_HELD, REASON_VELOCITY);
    settle(11, 20, MARK_QUARANTINED, REASON_LOCKSTEP);
    settle(12, 45, MARK_PLAIN, REASON_LOCKSTEP);
    settle(20, 40, MARK_PLAIN, REASON_DEVICE);
    settle(20, 0, MARK_VOIDED, REASON_REVIEW);
}

static void the_likes_are_told_as_they_are(void)
{
    struct edge_row rows[LIKES];

    assert_int_equal(read_all(asked(0, 0, 7), rows), LIKES);
    for (uint32_t i = 0; i < LIKES; i++)
        assert_int_equal(rows[i].account, LIKES - i); /* newest first, each once */
    assert_int_equal(rows[LIKES - 1].weight_pct, WEIGHT_FULL);
    assert_int_equal(edge_reason(&rows[LIKES - 1]), REASON_NONE);
    assert_int_equal(rows[LIKES - 3].weight_pct, 30);
    assert_int_equal(edge_reason(&rows[LIKES - 3]), REASON_YOUNG);

    assert_int_equal(read_all(asked(0, REASON_LOCKSTEP, 1), rows), 2);
    assert_int_equal(rows[0].account, 12);
    assert_int_equal(edge_mark(&rows[0]), MARK_PLAIN);
    assert_int_equal(rows[1].account, 11);
    assert_int_equal(edge_mark(&rows[1]), MARK_QUARANTINED);
    assert_int_equal(read_all(asked(1 + MARK_HELD, 0, 100), rows), 1);
    assert_int_equal(rows[0].account, 8);
    assert_int_equal(rows[0].weight_pct, 60);
    assert_int_equal(read_all(asked(1 + MARK_PLAIN, REASON_LOCKSTEP, 3), rows), 1);
    assert_int_equal(read_all(asked(1 + MARK_HELD, REASON_LOCKSTEP, 3), rows), 0);

    /* A void leaves the weight and what was found before it. */
    assert_int_equal(read_all(asked(1 + MARK_VOIDED, REASON_REVIEW, 2), rows), 1);
    assert_int_equal(rows[0].account, 20);
    assert_int_equal(rows[0].weight_pct, 40);
    assert_int_equal(edge_before_reason(&rows[0]), REASON_DEVICE);
    assert_int_equal(read_all(asked(0, REASON_DEVICE, 2), rows), 0);
}

static void each_is_told_with_what_it_weighs(void **state)
{
    struct request unlike = test_set(VERB_UNLIKE, 12, ITEM);
    struct edge_row rows[LIKES];

    (void)state;
    some_likes();
    the_likes_are_told_as_they_are();
    test_engine_flush(&test);
    the_likes_are_told_as_they_are();
    assert_int_equal(test_engine_ask(&test, &unlike)->status, STATUS_OK);
    assert_int_equal(read_all(asked(0, 0, 100), rows),
                     LIKES - 1); /* likes that are, not that were */
    assert_int_equal(read_all(asked(0, REASON_LOCKSTEP, 100), rows), 1);
}

static void it_costs_the_budget_of_lists(void **state)
{
    struct request request = asked(0, 0, 10), other = asked(0, 0, 10), likers;
    const struct reply *reply;

    (void)state;
    some_likes();
    test.engine.disclosure.rule.list_budget = 15;
    assert_int_equal(test_engine_ask(&test, &request)->count, 10);
    likers = (struct request){
        .verb = VERB_LIKERS, .target = ITEM, .count = 10, .role = ROLE_OPERATOR, .caller = 5};
    assert_int_equal(test_engine_ask(&test, &likers)->count, 10); /* one budget for both */
    reply = test_engine_ask(&test, &request);
    assert_int_equal(reply->kind, REPLY_ERROR);
    assert_int_equal(reply->status, STATUS_RATE);
    other.caller = 6;
    assert_int_equal(test_engine_ask(&test, &other)->count, 10);
}

static void an_item_nobody_likes_has_none(void **state)
{
    struct edge_row rows[LIKES];

    (void)state;
    assert_int_equal(read_all(asked(0, 0, 10), rows), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_told_with_what_it_weighs),
        TEST(it_costs_the_budget_of_lists),
        TEST(an_item_nobody_likes_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
