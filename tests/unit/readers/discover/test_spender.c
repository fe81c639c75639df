/* What campaigns owe is told once, whatever was answered, and however often it was stopped. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "readers/discover/spender.h"

#define SECOND 1000000LL

/* A door: takes requests, and answers when it is told to. */
struct door {
    struct call *call;
    uint32_t asked, amount;
    uint64_t opid;
    enum verb verb;
    char reason[200];
};

static struct campaign_book book;
static struct door door;

static void submit(void *context, struct call *call)
{
    struct door *at = context;

    at->call = call;
    at->asked++;
    at->amount = call->request.u.note.amount;
    at->opid = call->request.opid[0];
    at->verb = (enum verb)call->request.verb;
    memset(at->reason, 0, sizeof at->reason);
    if (call->request.u.note.text_size > 0)
        memcpy(at->reason, call->request.u.note.text, call->request.u.note.text_size);
}

static void answer(enum status status)
{
    door.call->reply.status = (uint8_t)status;
    door.call->done(door.call);
}

static struct spender *begin(uint32_t shown)
{
    memset(&book, 0, sizeof book);
    memset(&door, 0, sizeof door);
    book.count = 1;
    book.at[3] = (struct campaign_offer){
        .sequence = 9, .item = 7, .budget = 100, .until_us = 1000 * SECOND, .shown = shown};
    return spender_open((struct reader_door){.context = &door, .submit = submit});
}

static void each_impression_once(void **state)
{
    struct spender *spender = begin(3);
    uint64_t opid;

    (void)state;
    spender_turn(spender, &book, 10 * SECOND);
    assert_int_equal(door.asked, 1);
    assert_int_equal(door.verb, VERB_SPEND_CAMPAIGN);
    assert_int_equal(door.amount, 3);
    opid = door.opid;
    book.at[3].shown = 30;
    spender_turn(spender, &book, 20 * SECOND); /* it is under way */
    assert_int_equal(door.asked, 1);
    answer(STATUS_OK);
    spender_turn(spender, &book, 30 * SECOND); /* its record is not read yet */
    assert_int_equal(door.asked, 1);
    book.at[3].spent = 3;
    spender_turn(spender, &book, 30 * SECOND + 1); /* more than SPENDER_AT_ONCE: at once */
    assert_int_equal(door.asked, 2);
    assert_int_equal(door.amount, 27);
    assert_int_not_equal(door.opid, opid);
    answer(STATUS_NOSPACE); /* refused: again, by the same operation id */
    opid = door.opid;
    spender_turn(spender, &book, 36 * SECOND);
    assert_int_equal(door.asked, 3);
    assert_int_equal(door.opid, opid);
    answer(STATUS_OK);
    book.at[3].spent = 30;
    book.at[3].shown = 31;
    spender_turn(spender, &book, 36 * SECOND + 1); /* one: not at once */
    assert_int_equal(door.asked, 3);
    spender_turn(spender, &book, 42 * SECOND);
    assert_int_equal(door.asked, 4);
    assert_int_equal(door.amount, 1);
    spender_close(spender); /* stopped while it was under way: what it knew is gone */
    spender = spender_open((struct reader_door){.context = &door, .submit = submit});
    spender_turn(spender, &book, 43 * SECOND);
    assert_int_equal(door.asked, 5); /* no record of it: the same operation */
    opid = door.opid;
    assert_int_equal(door.amount, 1);
    spender_close(spender);
}

static void a_bad_one_pays_and_is_stopped(void **state)
{
    struct spender *spender = begin(2);

    (void)state;
    book.at[3].like_pct = 2450;
    book.at[3].unlike_pct = 1200;
    spender_turn(spender, &book, 10 * SECOND);
    assert_int_equal(door.verb, VERB_SPEND_CAMPAIGN);
    answer(STATUS_OK);
    book.at[3].spent = 2;
    spender_turn(spender, &book, 10 * SECOND + 1);
    assert_int_equal(door.verb, VERB_CAMPAIGN_STOP);
    assert_non_null(strstr(door.reason, "guard: of 24.50 likes"));
    assert_non_null(strstr(door.reason, "12.00 were taken back"));
    answer(STATUS_OK);
    spender_turn(spender, &book, 20 * SECOND);
    assert_int_equal(door.asked, 2); /* to be read */
    book.at[3].stopped = 1;
    book.at[3].shown = 90;
    spender_turn(spender, &book, 30 * SECOND);
    assert_int_equal(door.asked, 2); /* after its end nothing is told */
    spender_close(spender);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_impression_once),
        cmocka_unit_test(a_bad_one_pays_and_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
