/* What was shown of a compensation is told once and asked for, whatever was answered; held against
 * a twin: the engine's own ledger, two logs that are read in any order, stops at any time. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "engine/compensate.h"
#include "readers/discover/discover.h"
#include "readers/discover/giver.h"
#include "schema/verb.h"

#define SECOND       1000000LL
#define DAY          (24 * 3600 * SECOND)
#define START        (1700000000LL * SECOND)
#define CREATOR      7
#define CREATORS     4
#define ITEMS        8
#define RECORDS      20000
#define UNITS_OF_PCT (GIFT_IMPRESSIONS * GIFT_UNITS / 100)

/* --- one request ---------------------------------------------------------------------------------
 */

struct door {
    struct call *call;
    uint32_t asked, amount;
    uint64_t opid, account;
};

static struct gift_book book;
static unsigned char *memory;
static struct door door;
static struct giver *giver;

static void submit(void *context, struct call *call)
{
    struct door *at = context;

    assert_int_equal(call->request.verb, VERB_SPEND_BUDGET);
    at->call = call;
    at->asked++;
    at->amount = call->request.u.note.amount;
    at->account = call->request.account;
    at->opid = call->request.opid[0];
}

static void answer(enum status status)
{
    door.call->reply.status = (uint8_t)status;
    door.call->done(door.call);
}

static void told(enum status status, uint32_t amount, uint32_t left_pct, int64_t until_us)
{
    struct record record = {.kind = VERB_SPEND_BUDGET,
                            .account = CREATOR,
                            .status = (uint8_t)status,
                            .fields = status == STATUS_OK ? RECORD_CHANGED : 0,
                            .a = amount,
                            .b = left_pct | (uint64_t)(until_us / SECOND) << 32};

    gifts_told(&book, &record);
}

static void decided(void)
{
    struct record record = {.kind = VERB_CASE_APPROVE, .sequence = 9, .target = CREATOR, .b = 1000};

    gifts_decided(&book, &record);
}

static int open_book(void **state)
{
    (void)state;
    memset(&door, 0, sizeof door);
    memset(&book, 0, sizeof book);
    memory = aligned_alloc(64, gifts_bytes(64));
    assert_non_null(memory);
    memset(memory, 0, gifts_bytes(64));
    gifts_open(&book, memory, 64);
    giver = giver_open((struct reader_door){.context = &door, .submit = submit});
    return 0;
}

static int close_book(void **state)
{
    (void)state;
    giver_close(giver);
    free(memory);
    return 0;
}

static void turn(int64_t now_us, uint32_t asked)
{
    giver_turn(giver, &book, now_us);
    assert_int_equal(door.asked, asked);
}

static void asks_until_there_is_something(void **state)
{
    (void)state;
    turn(START, 0);
    decided();
    turn(START + 2 * SECOND, 1);
    assert_true(door.account == CREATOR && door.amount == 0);
    turn(START + 4 * SECOND, 1); /* it is under way */
    answer(STATUS_NOACCOUNT);    /* his partition does not know him yet */
    turn(START + 6 * SECOND, 1); /* its record is not read yet */
    told(STATUS_NOACCOUNT, 0, 0, 0);
    turn(START + 8 * SECOND, 2);
    answer(STATUS_BUSY); /* not recorded: again, by the same operation id */
    uint64_t opid = door.opid;
    turn(START + 10 * SECOND, 3);
    assert_true(door.opid == opid);
    answer(STATUS_OK);
    told(STATUS_OK, 0, 300, START + DAY);
    turn(START + 12 * SECOND, 3);
    assert_true(gifts_left(&book, gifts_find(&book, 0, CREATOR), GIFT_COMPENSATION, START) == 150);
    decided(); /* another one, that brings nothing: asked so often and no more */
    for (uint32_t i = 0; i < 10; i++) {
        giver_turn(giver, &book, START + (14 + i) * SECOND);
        if (door.asked > 3 + i)
            answer(STATUS_OK);
        told(STATUS_OK, 0, 0, 0);
    }
    assert_int_equal(door.asked, 3 + GIFT_ASKS);
}

static void each_impression_is_told_once(void **state)
{
    (void)state;
    told(STATUS_OK, 0, 300, START + DAY);
    turn(START, 0);
    gifts_shown(&book, GIFT_COMPENSATION, 0, CREATOR, 50, START); /* half believed: one percent */
    turn(START + SECOND, 0);
    turn(START + 6 * SECOND, 1); /* so little is told now and then */
    assert_int_equal(door.amount, 1);
    for (int i = 0; i < 30; i++)
        gifts_shown(&book, GIFT_COMPENSATION, 0, CREATOR, 100, START);
    turn(START + 12 * SECOND, 1);
    answer(STATUS_OK);
    turn(START + 18 * SECOND, 1);
    told(STATUS_OK, 1, 299, START + DAY);
    turn(START + 18 * SECOND + 1, 2); /* so much at once */
    assert_int_equal(door.amount, 60);
    answer(STATUS_NOBUDGET); /* likes came back: there is less than was thought */
    told(STATUS_NOBUDGET, 0, 0, 0);
    assert_true(gifts_left(&book, gifts_find(&book, 0, CREATOR), GIFT_COMPENSATION, START) == 0);
    turn(START + 20 * SECOND, 3);
    assert_int_equal(door.amount, 0);
    answer(STATUS_OK);
    told(STATUS_OK, 0, 40, START + DAY);
    turn(START + 20 * SECOND + 1, 4); /* all there is: at once */
    assert_int_equal(door.amount, 40);
    answer(STATUS_OK);
    told(STATUS_OK, 40, 0, START + DAY);
    turn(START + 30 * SECOND, 4);
    giver_close(giver); /* who stops knows nothing of it, and has nothing to tell */
    giver = giver_open((struct reader_door){.context = &door, .submit = submit});
    turn(START + 40 * SECOND, 4);
    told(STATUS_OK, 0, 100, START + DAY);
    turn(START + DAY, 4); /* over */
    turn(START + DAY - SECOND, 5);
    assert_int_equal(door.amount, 20); /* shown beyond what there was: of the next */
}

static void what_waits_is_not_given_twice(void **state)
{
    const struct gift_row *row;

    (void)state;
    told(STATUS_OK, 0, 7, START + DAY); /* three impressions and a half */
    for (int i = 0; i < 3; i++) {
        row = gifts_pick(&book, GIFT_COMPENSATION, 0, (uint64_t)i, START + i);
        assert_non_null(row);
        gifts_given(&book, row, GIFT_COMPENSATION, START + i);
    }
    assert_null(gifts_pick(&book, GIFT_COMPENSATION, 0, 5, START + SECOND));
    gifts_shown(&book, GIFT_COMPENSATION, 0, CREATOR, 100, START + SECOND);
    assert_null(gifts_pick(&book, GIFT_COMPENSATION, 0, 5, START + SECOND));
    assert_null(gifts_pick(&book, GIFT_COMPENSATION, 1, 5, START + GIFT_WAITS_US));
    row = gifts_pick(&book, GIFT_COMPENSATION, 0, 5, START + GIFT_WAITS_US); /* nobody came back */
    assert_non_null(row);
    assert_true(gifts_left(&book, row, GIFT_COMPENSATION, START + GIFT_WAITS_US) == 2.5);
    assert_null(gifts_pick(&book, GIFT_COMPENSATION, 0, 5, START + DAY)); /* over */
}

/* --- the twin ------------------------------------------------------------------------------------
 */

/* The engine, as far as it matters: its ledger, and two logs: what accounts do, and of a case, is
 * in the first; what is about the creators in the second. */
static struct compensation ledger[CREATORS];
static struct record records[2][RECORDS];
static uint32_t written[2], been_read[2];
static struct discover discover;
static struct test_random chance;
static int64_t now_us;
static uint64_t believed_units[CREATORS];
static uint64_t granted_pct, calls;

static struct record *write_record(int log, uint8_t kind, uint64_t account, uint64_t target)
{
    struct record *record = &records[log][written[log]];

    assert_true(written[log] < RECORDS);
    *record = (struct record){.kind = kind,
                              .sequence = ++written[log],
                              .time_us = now_us,
                              .fields = RECORD_CHANGED | RECORD_HAS_ARGS,
                              .account = account,
                              .target = target};
    return record;
}

/* The front door: decides at once, or is too busy; the record is read later. */
static void decide(void *context, struct call *call)
{
    struct compensation *row = &ledger[call->request.account - CREATOR];
    uint32_t amount = call->request.u.note.amount;
    struct record *record;
    bool good;

    (void)context;
    calls++;
    if (test_random_below(&chance, 8) == 0) {
        call->reply.status = STATUS_BUSY;
        call->done(call);
        return;
    }
    good = compensate_spend(row, amount, now_us);
    record = write_record(1, VERB_SPEND_BUDGET, call->request.account, 0);
    if (good) {
        record->a = amount;
        record->b = row->balance_pct | (uint64_t)row->until_s << 32;
    } else {
        record->fields = 0;
        record->status = STATUS_NOBUDGET;
    }
    call->reply.status = good ? STATUS_OK : STATUS_NOBUDGET;
    call->done(call);
}

static void read_one(int log)
{
    discover_apply(&discover, &records[log][been_read[log]++]);
}

/* Was the reader told all that the ledger has? Likes that come back nobody tells it. */
static bool is_told(uint64_t creator, const struct gift_row *row)
{
    const struct compensation *has = &ledger[creator - CREATOR];

    return row->left_pct == has->balance_pct && row->until_s == has->until_s;
}

/* Everything, in some order of the two. */
static void read_all(void)
{
    while (been_read[0] < written[0] || been_read[1] < written[1]) {
        int log = (int)test_random_below(&chance, 2);

        read_one(been_read[log] < written[log] ? log : 1 - log);
    }
}

static void tell_items(void)
{
    for (uint64_t item = 0; item < ITEMS; item++) {
        struct record *record = write_record(0, VERB_ITEM_SET, 0, item);

        record->fields |= RECORD_HAS_EXTRA;
        record->a = CREATOR + item % CREATORS;
        record->c = REQUEST_HAS_CREATOR;
    }
}

/* Two people agree; what it brings may be nothing. */
static void grant(uint64_t creator)
{
    struct record *record = write_record(0, VERB_CASE_APPROVE, 0, creator);
    uint32_t before = ledger[creator - CREATOR].balance_pct;

    record->b = 400;
    (void)compensate_grant(&ledger[creator - CREATOR], 1 + test_random_below(&chance, 300), 400,
                           now_us);
    granted_pct += ledger[creator - CREATOR].balance_pct - before;
}

/* A view that says it was given, once or twice, by somebody believed or not. */
static void view(uint64_t item, uint64_t account)
{
    static const uint8_t weights[] = {100, 100, 100, 60, 1, 0};
    uint8_t pct = weights[test_random_below(&chance, sizeof weights)];

    believed_units[item % CREATORS] += pct;
    for (uint64_t i = 0; i <= test_random_below(&chance, 2); i++) {
        struct record *record = write_record(0, VERB_VIEW, account, item);

        record->fields |= RECORD_HAS_IMPRESSION | RECORD_HAS_VERDICT;
        record->stage = STAGE_COMPENSATION;
        record->verdict.weight_pct = pct;
        record->a = record->b = 20000;
    }
}

/* As a feed does. */
static void show(uint64_t account)
{
    const struct gift_row *row = gifts_pick(&discover.gifts, GIFT_COMPENSATION, 0, account, now_us);
    struct compensation *has;
    uint64_t creator, untold;

    if (row == NULL)
        return;
    creator = row->head.a;
    has = &ledger[creator - CREATOR];
    compensate_settle(has, now_us);
    untold = believed_units[creator - CREATOR] - (uint64_t)has->spent_pct * UNITS_OF_PCT;
    if (is_told(creator, row)) /* nothing is given that is not there, or that has ended */
        assert_true((uint64_t)has->balance_pct * UNITS_OF_PCT >= untold + GIFT_UNITS);
    gifts_given(&discover.gifts, row, GIFT_COMPENSATION, now_us);
    if (test_random_below(&chance, 10) != 0)
        view(creator - CREATOR + CREATORS * test_random_below(&chance, 2), account);
}

/* Stops without having said anything, and is made again from the first record on. */
static void again(void)
{
    struct gift_row before[CREATORS], after;

    for (uint64_t i = 0; i < CREATORS; i++) {
        const struct gift_row *row = gifts_find(&discover.gifts, 0, CREATOR + i);

        before[i] = row != NULL ? *row : (struct gift_row){0};
    }
    giver_close(giver);
    giver = giver_open((struct reader_door){.submit = decide});
    discover_clear(&discover);
    been_read[0] = been_read[1] = 0;
    read_all();
    for (uint64_t i = 0; i < CREATORS; i++) {
        const struct gift_row *row = gifts_find(&discover.gifts, 0, CREATOR + i);

        after = row != NULL ? *row : (struct gift_row){0};
        assert_true(before[i].shown_units == after.shown_units);
        assert_true(before[i].spent_pct == after.spent_pct);
        assert_true(before[i].left_pct == after.left_pct && before[i].tells == after.tells);
    }
}

static void quiet(void)
{
    for (int i = 0; i < 20; i++) {
        read_all();
        now_us += 6 * SECOND;
        giver_turn(giver, &discover.gifts, now_us);
    }
    read_all();
}

static void check(void)
{
    for (uint64_t i = 0; i < CREATORS; i++) {
        const struct gift_row *row = gifts_find(&discover.gifts, 0, CREATOR + i);
        uint64_t owed;

        compensate_settle(&ledger[i], now_us);
        if (row == NULL)
            continue;
        assert_true(row->shown_units == believed_units[i]);
        assert_true(row->spent_pct == ledger[i].spent_pct);
        assert_true((uint64_t)ledger[i].spent_pct * UNITS_OF_PCT <= believed_units[i]);
        owed = believed_units[i] / UNITS_OF_PCT - ledger[i].spent_pct;
        assert_true(owed == 0 || ledger[i].balance_pct == 0); /* all that can be, is */
    }
}

static void the_engine_and_the_books_agree(void **state)
{
    uint64_t spent = 0;

    (void)state;
    chance = (struct test_random){test_seed(77)};
    for (int round = 0; round < 12; round++) {
        memset(ledger, 0, sizeof ledger);
        memset(written, 0, sizeof written);
        memset(been_read, 0, sizeof been_read);
        memset(believed_units, 0, sizeof believed_units);
        now_us = START;
        assert_int_equal(discover_open(&discover, 4u << 20, &discover_defaults), STATUS_OK);
        giver = giver_open((struct reader_door){.submit = decide});
        tell_items();
        read_all();
        for (uint64_t i = 0; i < 2500; i++) {
            now_us += (int64_t)test_random_below(&chance, 3 * SECOND);
            switch (test_random_below(&chance, 40)) {
            case 0:
                grant(CREATOR + test_random_below(&chance, CREATORS));
                break;
            case 1: { /* likes come back; nobody is told */
                uint64_t at = test_random_below(&chance, CREATORS);

                compensate_owe(&ledger[at], test_random_below(&chance, 60), now_us);
                break;
            }
            case 2:
                read_all();
                now_us += (int64_t)test_random_below(&chance, 4) * DAY;
                break;
            case 3:
                if (test_random_below(&chance, 6) == 0) {
                    read_all();
                    again();
                }
                break;
            default:
                show(10000 + i);
            }
            if (test_random_below(&chance, 3) == 0) {
                read_all();
                giver_turn(giver, &discover.gifts, now_us);
            }
        }
        quiet();
        check();
        for (int i = 0; i < CREATORS; i++)
            spent += ledger[i].spent_pct;
        giver_close(giver);
        discover_close(&discover);
    }
    assert_true(spent > 1000 && calls > 300 && granted_pct > spent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asks_until_there_is_something, open_book, close_book),
        cmocka_unit_test_setup_teardown(each_impression_is_told_once, open_book, close_book),
        cmocka_unit_test_setup_teardown(what_waits_is_not_given_twice, open_book, close_book),
        cmocka_unit_test(the_engine_and_the_books_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
