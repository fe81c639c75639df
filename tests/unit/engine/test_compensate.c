/* Compensation: a ledger that never gives more than was lost, and never pays for a staged attack.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "engine/compensate.h"
#include "engine/withdraw.h"
#include "support/test_judges.h"

#define SECOND  1000000LL
#define HOUR    (3600 * SECOND)
#define DAY     (24 * HOUR)
#define START   (1700000000LL * SECOND)
#define LIKES   40
#define CAP     30u
#define CREATOR 777
#define CROWD   60

/* --- the ledger alone ---------------------------------------------------------------------------
 */

static void gives_what_was_lost_and_less(void **state)
{
    (void)state;
    assert_int_equal(compensate_of_loss(0), 0);
    assert_int_equal(compensate_of_loss(1), 0);
    for (uint64_t loss = 2; loss < 1000000; loss += 77) {
        assert_true(compensate_of_loss(loss) < loss);
        assert_true(compensate_of_loss(loss) * 100 >= loss * 98 || loss < 128);
    }
}

static void has_a_cap_an_end_and_a_memory_of_debts(void **state)
{
    struct compensation row = {0};
    int64_t now = START;

    (void)state;
    assert_int_equal(compensate_grant(&row, 2000, CAP, now), 2000);
    assert_int_equal(compensate_grant(&row, 2000, CAP, now + DAY), 1000); /* the cap is 3000 */
    assert_int_equal(compensate_grant(&row, 2000, CAP, now + 29 * DAY), 0);
    assert_int_equal(row.balance_pct, 3000);
    assert_false(compensate_spend(&row, 3001, now + 29 * DAY));
    assert_true(compensate_spend(&row, 500, now + 29 * DAY));
    compensate_owe(&row, 2600, now + 29 * DAY); /* 2500 are left: 100 of the spent are a debt */
    assert_int_equal(row.balance_pct, 0);
    assert_int_equal(row.owed_pct, 100);
    compensate_owe(&row, 100000, now + 29 * DAY); /* no more of a debt than was spent */
    assert_int_equal(row.owed_pct, 500);
    assert_int_equal(compensate_grant(&row, 800, CAP, now + 30 * DAY), 800);
    assert_int_equal(row.balance_pct, 300); /* debts are paid first */
    assert_int_equal(row.owed_pct, 0);
    compensate_settle(&row, now + 60 * DAY - SECOND);
    assert_int_equal(row.balance_pct, 300);
    compensate_settle(&row, now + 60 * DAY);
    assert_int_equal(row.balance_pct, 0);
    assert_false(compensate_spend(&row, 1, now + 60 * DAY));
}

/* Somebody with forty accounts who tries everything in any order: likes, takes back, waits, has
 * freezes opened and cases decided in his favour every time, spends, likes again. Whenever one
 * looks, what he got and may get is less than the weight he gave up. */
static void no_order_of_acts_gains(void **state)
{
    struct test_random random = {test_seed(31)};
    uint64_t granted = 0;

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct withdrawn item = {0};
        struct compensation row = {0};
        struct {
            bool on;
            uint8_t weight;
            uint32_t flips;
            int64_t time_us, pct_off;
        } like[LIKES] = {{0}};
        int64_t now = START;

        for (int i = 0; i < 1500; i++) {
            uint32_t which = (uint32_t)test_random_below(&random, LIKES);
            int64_t given_up = 0;

            now +=
                (int64_t)test_random_below(&random, test_random_below(&random, 8) ? 7200 : 800000) *
                SECOND;
            switch (test_random_below(&random, 8)) {
            case 0:
                (void)withdraw_freeze(
                    &item, now + (int64_t)test_random_below(&random, 100000) * SECOND, now);
                break;
            case 1: {
                uint64_t amount = compensate_of_loss(item.loss_pct);

                item.loss_pct = 0;
                item.paid_pct += amount;
                granted += compensate_grant(&row, amount, 1000, now);
                break;
            }
            case 2:
                (void)compensate_spend(&row, (uint32_t)test_random_below(&random, 300), now);
                break;
            default:
                like[which].flips++;
                if (!like[which].on) {
                    compensate_owe(&row,
                                   withdraw_return(&item, (uint8_t)like[which].pct_off,
                                                   like[which].time_us, now),
                                   now);
                    like[which].weight = (uint8_t)test_random_below(&random, 101);
                } else {
                    withdraw_take(&item, like[which].weight, 24 * 3600,
                                  like[which].flips <= 2 &&
                                      now - like[which].time_us >= WITHDRAW_SEASON_US,
                                  now);
                    like[which].pct_off = like[which].weight;
                }
                like[which].on = !like[which].on;
                like[which].time_us = now;
            }
            for (uint32_t k = 0; k < LIKES; k++)
                given_up += like[k].on ? 0 : like[k].pct_off;
            compensate_settle(&row, now);
            assert_true((int64_t)row.balance_pct + row.spent_pct - row.owed_pct <= given_up);
            assert_true((int64_t)(item.loss_pct + item.paid_pct) <= given_up);
        }
    }
    assert_true(granted > 10000); /* it was worth trying */
}

/* --- through cases ------------------------------------------------------------------------------
 */

static const char rules[] = "policy test version 1\n"
                            "undo 30s\n"
                            "smooth withdrawn 24h\n"
                            "freeze withdrawn 1h\n"
                            "compensate 30\n";

static struct test_engine test;
static struct test_judges judged;
static struct record *records;
static uint32_t record_count;

static int open_engine(void **state)
{
    (void)state;
    test_engine_open(&test, NULL);
    records = calloc(4096, sizeof *records);
    record_count = 0;
    test_judges_open(&judged, &test.engine, rules, false);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    test_judges_close(&judged);
    free(records);
    return 0;
}

static void keep_records(void)
{
    record_count += test_engine_records(&test, records + record_count, 4096 - record_count);
}

static const struct reply *ask(const struct request *request)
{
    const struct reply *reply = test_engine_ask(&test, request);

    keep_records();
    return reply;
}

static void turn(enum verb verb, uint64_t account)
{
    struct request request = test_set(verb, account, 1);

    assert_int_equal(ask(&request)->u.value, 1);
}

static struct compensation budget(void)
{
    struct request get = {.verb = VERB_BUDGET, .account = CREATOR, .target = CREATOR};
    const struct reply *reply = ask(&get);

    assert_int_equal(reply->kind, REPLY_BUDGET);
    return reply->account->compensation;
}

static uint64_t open_case(void)
{
    struct request request = {.verb = VERB_CASE_OPEN, .target = 1, .caller = 5};

    request.u.deed.kind = CASE_REVIEW;
    request.u.deed.subject = SUBJECT_ITEM;
    request.u.deed.text = "many at once";
    request.u.deed.text_size = 12;
    return (uint64_t)ask(&request)->u.value;
}

static enum status step(enum verb verb, uint64_t id, uint64_t caller, uint8_t decision,
                        uint16_t value)
{
    struct request request = {.verb = (uint16_t)verb, .target = id, .caller = caller};

    request.u.deed.decision = decision;
    request.u.deed.value = value;
    request.u.deed.text = "so";
    request.u.deed.text_size = 2;
    return ask(&request)->status;
}

static enum status decide(uint64_t id, uint8_t decision, uint16_t value)
{
    enum status status = step(VERB_CASE_PROPOSE, id, 5, decision, value);

    return status == STATUS_OK ? step(VERB_CASE_APPROVE, id, 6, 0, 0) : status;
}

static const struct withdrawn *item(void)
{
    return &hot_item(test.engine.hot, hot_item_find(test.engine.hot, 0, 1))->withdrawn;
}

/* The account takes back, and is taken for a flood, as a scorer would have it recorded. */
static void freeze_by(uint64_t account)
{
    struct record freeze = {.kind = VERB_UNLIKE,
                            .fields = RECORD_CHANGED | RECORD_HAS_ARGS | RECORD_HAS_EXTRA,
                            .sequence = test.engine.sequence + 1,
                            .time_us = test.now_us,
                            .account = account,
                            .target = 1,
                            .b = INTENT_FLOOD | 24ULL * 3600 << 8,
                            .c = (uint64_t)(test.now_us + HOUR)};

    test_engine_replay(&test, &freeze);
    records[record_count++] = freeze;
}

/* CROWD likes that stand for so long; then a freeze, and the first count of them are taken back. */
static void stage(int64_t stood_us, uint32_t count)
{
    struct request set = {.verb = VERB_ITEM_SET, .target = 1, .flags = REQUEST_HAS_CREATOR};

    set.u.item.creator = CREATOR;
    (void)ask(&set);
    turn(VERB_LIKE, 5000);
    for (uint64_t a = 0; a < CROWD; a++)
        turn(VERB_LIKE, a);
    test.now_us += stood_us;
    freeze_by(5000);
    for (uint64_t a = 0; a < count; a++)
        turn(VERB_UNLIKE, a);
}

static void two_people_and_a_loss_make_a_budget(void **state)
{
    uint64_t id;

    (void)state;
    stage(8 * DAY, 20);
    assert_int_equal(item()->loss_pct, 2100);
    assert_int_equal(budget().balance_pct, 0); /* nothing by itself */
    id = open_case();
    assert_int_equal(step(VERB_CASE_PROPOSE, id, 5, DECISION_COMPENSATE, 0), STATUS_OK);
    assert_int_equal(step(VERB_CASE_APPROVE, id, 5, 0, 0), STATUS_FOUREYES);
    assert_int_equal(budget().balance_pct, 0);
    assert_int_equal(step(VERB_CASE_APPROVE, id, 6, 0, 0), STATUS_OK);
    assert_true(records[record_count - 1].target == CREATOR); /* who reads the log is told whose */
    assert_int_equal(budget().balance_pct, compensate_of_loss(2100));
    assert_int_equal(item()->loss_pct, 0);
    assert_int_equal(decide(open_case(), DECISION_COMPENSATE, 0), STATUS_CASESTATE); /* once */
    test.now_us += 31 * DAY;
    assert_int_equal(budget().balance_pct, 0); /* and it ends */
}

static void not_for_young_likes_nor_above_the_cap(void **state)
{
    (void)state;
    stage(6 * DAY, 20);
    assert_int_equal(item()->loss_pct, 0);
    assert_int_equal(decide(open_case(), DECISION_COMPENSATE, 0), STATUS_CASESTATE);
    test.now_us += 5 * DAY;
    freeze_by(20);
    for (uint64_t a = 21; a < CROWD; a++)
        turn(VERB_UNLIKE, a);
    assert_true(item()->loss_pct == 100 * (CROWD - 20));
    assert_int_equal(decide(open_case(), DECISION_COMPENSATE, 0), STATUS_OK);
    assert_int_equal(budget().balance_pct, 100 * CAP);
}

static void likes_that_come_back_take_it_back(void **state)
{
    uint32_t given;

    (void)state;
    stage(8 * DAY, 20);
    assert_int_equal(decide(open_case(), DECISION_COMPENSATE, 10), STATUS_OK);
    given = budget().balance_pct;
    assert_int_equal(given, 1000); /* as proposed: ten */
    test.now_us += 2 * DAY;
    turn(VERB_LIKE, 3);
    assert_int_equal(budget().balance_pct, given - 100);
    for (uint64_t a = 4; a < 20; a++)
        turn(VERB_LIKE, a);
    assert_int_equal(budget().balance_pct, 0);
    assert_int_equal(item()->paid_pct, 0);
}

static void a_restore_takes_back_what_is_left(void **state)
{
    uint64_t id;

    (void)state;
    stage(8 * DAY, 20);
    id = open_case();
    assert_int_equal(decide(id, DECISION_COMPENSATE, 0), STATUS_OK);
    turn(VERB_LIKE, 3);
    assert_int_equal(decide(id, DECISION_RESTORE, 0), STATUS_OK);
    assert_int_equal(budget().balance_pct, 0);
    assert_int_equal(budget().owed_pct, 0);
    assert_int_equal(item()->paid_pct, 0);
}

static void a_dismissal_ends_the_freeze(void **state)
{
    (void)state;
    stage(8 * DAY, 20);
    assert_true(withdraw_is_frozen(item(), test.now_us));
    assert_int_equal(decide(open_case(), DECISION_DISMISS, 0), STATUS_OK);
    assert_false(withdraw_is_frozen(item(), test.now_us + 1000));
    assert_int_equal(item()->frozen_pct, 0);
    assert_true(item()->fading_q16 >> 16 > 2000);
}

static void a_replay_pays_the_same(void **state)
{
    struct test_engine other;
    uint32_t mine, slot;

    (void)state;
    likes_that_come_back_take_it_back(state);
    test.now_us += DAY;
    mine = hot_account_find(test.engine.hot, 0, CREATOR);
    test_engine_open(&other, NULL);
    for (uint32_t i = 0; i < record_count; i++)
        test_engine_replay(&other, &records[i]);
    slot = hot_account_find(other.engine.hot, 0, CREATOR);
    assert_memory_equal(hot_account(other.engine.hot, slot), hot_account(test.engine.hot, mine),
                        sizeof(struct account_row));
    slot = hot_item_find(other.engine.hot, 0, 1);
    assert_memory_equal(&hot_item(other.engine.hot, slot)->withdrawn, item(), sizeof *item());
    test_engine_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_was_lost_and_less),
        cmocka_unit_test(has_a_cap_an_end_and_a_memory_of_debts),
        cmocka_unit_test(no_order_of_acts_gains),
        cmocka_unit_test_setup_teardown(two_people_and_a_loss_make_a_budget, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(not_for_young_likes_nor_above_the_cap, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(likes_that_come_back_take_it_back, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(a_restore_takes_back_what_is_left, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(a_dismissal_ends_the_freeze, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_replay_pays_the_same, open_engine, close_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
