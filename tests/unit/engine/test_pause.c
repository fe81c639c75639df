/* Growth that is not shown: what is told to whom, that nothing falls behind it, and that it ends.
 */
#include "support.h"

#include <string.h>

#include "engine/pause.h"
#include "support/test_engine.h"

#define ITEM     9
#define OTHER    10
#define CREATOR  42
#define STRANGER 43
#define DAY_US   (86400 * 1000000LL)

static struct test_engine test;

static void with_items(struct test_engine *engine)
{
    test_engine_open(engine, NULL);
    for (uint64_t item = ITEM; item <= OTHER; item++) {
        struct request set = {.verb = VERB_ITEM_SET, .target = item, .flags = REQUEST_HAS_CREATOR};

        set.u.item.creator = CREATOR;
        test_engine_ask(engine, &set);
    }
}

static int open_engine(void **state)
{
    (void)state;
    with_items(&test);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    return 0;
}

static void like(uint64_t from, uint64_t to, enum verb verb)
{
    for (uint64_t account = from; account <= to; account++) {
        struct request request = test_set(verb, account, ITEM);

        assert_int_equal(test_engine_ask(&test, &request)->status, STATUS_OK);
    }
}

static enum status ask(struct request request)
{
    const struct reply *reply = test_engine_ask(&test, &request);

    if (reply->status == STATUS_BADVALUE)
        assert_non_null(reply->u.detail);
    return (enum status)reply->status;
}

static enum status pause_by(uint64_t account, int64_t for_us)
{
    struct request request = {.verb = VERB_GROWTH_PAUSE, .account = account, .target = ITEM};

    request.u.note.until_s = for_us == 0 ? 0 : (uint32_t)((test.now_us + for_us) / 1000000);
    return ask(request);
}

static enum status resume_by(uint64_t account)
{
    return ask((struct request){.verb = VERB_GROWTH_RESUME, .account = account, .target = ITEM});
}

/* The total of the item as this caller is told it; *until_ms: what PAUSED tells. */
static uint64_t told(enum verb verb, enum role role, uint64_t subject, uint64_t *until_ms)
{
    uint64_t ids[2] = {OTHER, ITEM}, value;
    struct request request = {.verb = (uint16_t)verb,
                              .count = 2,
                              .u.ids = ids,
                              .role = (uint8_t)role,
                              .subject = subject};
    const struct reply *reply = test_engine_ask(&test, &request);

    assert_int_equal(reply->kind, REPLY_INTEGERS);
    value = reply->u.values[1];
    *until_ms = reply->held ? reply->u.values[3] : 0;
    if (reply->held)
        assert_int_equal(reply->u.values[2], 0);
    request.verb = VERB_PAUSED;
    reply = test_engine_ask(&test, &request);
    assert_int_equal(reply->u.values[0], 0);
    assert_int_equal(reply->u.values[1], *until_ms);
    return value;
}

static uint64_t likes(enum role role, uint64_t subject)
{
    uint64_t until_ms;

    return told(VERB_LIKES, role, subject, &until_ms);
}

static struct item_row item(void)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = ITEM};

    return *test_engine_ask(&test, &get)->item;
}

static void growth_is_counted_and_not_shown(void **state)
{
    uint64_t until_ms;

    (void)state;
    like(100, 109, VERB_LIKE);
    assert_int_equal(told(VERB_LIKES, ROLE_USER, 7, &until_ms), 10);
    assert_int_equal(until_ms, 0);
    assert_int_equal(pause_by(CREATOR, DAY_US), STATUS_OK);
    like(110, 129, VERB_LIKE);
    like(110, 111, VERB_FAVORITE);
    like(110, 110, VERB_SHARE);
    like(110, 110, VERB_COMMENT);
    like(110, 110, VERB_VIEW);
    like(110, 110, VERB_SKIP);
    assert_int_equal(told(VERB_LIKES, ROLE_USER, 7, &until_ms), 10);
    assert_int_equal(until_ms, item().pause.until_s * 1000ULL);
    assert_int_equal(likes(ROLE_BACKEND, 0), 10);
    assert_int_equal(likes(ROLE_CREATOR, STRANGER), 10);
    assert_int_equal(likes(ROLE_CREATOR, CREATOR), 30); /* his own */
    assert_int_equal(likes(ROLE_AUDITOR, 0), 30);
    assert_int_equal(likes(ROLE_OPERATOR, 0), 30);
    assert_int_equal(told(VERB_FAVORITES, ROLE_USER, 7, &until_ms), 0);
    assert_int_equal(told(VERB_SHARES, ROLE_USER, 7, &until_ms), 0);
    assert_int_equal(told(VERB_COMMENTS, ROLE_USER, 7, &until_ms), 0);
    assert_int_equal(told(VERB_VIEWS, ROLE_USER, 7, &until_ms), 0);
    assert_int_equal(told(VERB_SKIPS, ROLE_BACKEND, 0, &until_ms), 1); /* nobody is shown those */
    assert_int_equal(item().counts[COUNTER_LIKE], 30);
    assert_int_equal(item().credit.credited_pct, 3000);
    assert_int_equal(pause_total(&(struct item_row){.counts = {8}, .pause.held = {7}}, 0), 7);
}

/* It hides no like that was taken back, so it cannot keep a number up. */
static void what_falls_is_shown(void **state)
{
    (void)state;
    like(100, 119, VERB_LIKE);
    assert_int_equal(pause_by(CREATOR, 0), STATUS_OK);
    like(120, 129, VERB_LIKE);
    assert_int_equal(likes(ROLE_USER, 7), 20);
    like(100, 114, VERB_UNLIKE);
    assert_int_equal(likes(ROLE_USER, 7), 15);
    like(100, 114, VERB_LIKE);
    assert_int_equal(likes(ROLE_USER, 7), 20);
}

static void it_ends_by_itself(void **state)
{
    uint64_t until_ms;

    (void)state;
    assert_int_equal(pause_by(CREATOR, 7 * DAY_US + 2000000), STATUS_BADVALUE);
    assert_int_equal(pause_by(CREATOR, -1000000), STATUS_BADVALUE);
    assert_int_equal(pause_by(CREATOR, 0), STATUS_OK); /* a day, if not said */
    like(100, 104, VERB_LIKE);
    test_engine_flush(&test);
    test.now_us += DAY_US - 60000000;
    assert_int_equal(likes(ROLE_USER, 7), 0);
    assert_int_equal(item().pause.by, PAUSE_CREATOR);
    test.now_us += 61000000;
    assert_int_equal(told(VERB_LIKES, ROLE_USER, 7, &until_ms), 5);
    assert_int_equal(until_ms, 0);
    assert_int_equal(item().pause.until_s, 0); /* as it is told */
}

static void it_is_the_creators_alone(void **state)
{
    struct request set = {.verb = VERB_ITEM_SET, .target = ITEM, .flags = REQUEST_HAS_CREATOR};
    struct request nothing = {.verb = VERB_GROWTH_PAUSE, .account = CREATOR, .target = 999};

    (void)state;
    assert_int_equal(pause_by(STRANGER, DAY_US), STATUS_BADVALUE);
    assert_int_equal(ask(nothing), STATUS_NOITEM);
    assert_int_equal(pause_by(CREATOR, DAY_US), STATUS_OK);
    assert_int_equal(pause_by(CREATOR, DAY_US), STATUS_UNCHANGED);
    assert_int_equal(pause_by(CREATOR, 2 * DAY_US), STATUS_PAUSESTATE); /* no chain without a gap */
    assert_int_equal(resume_by(STRANGER), STATUS_BADVALUE);
    assert_int_equal(resume_by(CREATOR), STATUS_OK);
    assert_int_equal(resume_by(CREATOR), STATUS_UNCHANGED);
    assert_int_equal(pause_by(CREATOR, DAY_US), STATUS_OK);
    set.u.item.creator = STRANGER;
    assert_int_equal(ask(set), STATUS_OK);
    assert_int_equal(resume_by(CREATOR), STATUS_BADVALUE);
    assert_int_equal(resume_by(STRANGER), STATUS_OK);
}

/* --- by two people ------------------------------------------------------------------------------
 */

static uint64_t case_about(uint8_t subject, uint8_t kind, uint64_t about)
{
    struct request open = {.verb = VERB_CASE_OPEN, .target = about, .caller = 5};
    const struct reply *reply;

    open.u.deed.kind = kind;
    open.u.deed.subject = subject;
    open.u.deed.text = "a regulator asks";
    open.u.deed.text_size = 16;
    reply = test_engine_ask(&test, &open);
    assert_int_equal(reply->status, STATUS_OK);
    return (uint64_t)reply->u.value;
}

static enum status step(enum verb verb, uint64_t id, uint64_t caller, uint8_t decision,
                        int64_t for_us)
{
    struct request request = {.verb = (uint16_t)verb, .target = id, .caller = caller};

    request.account = verb == VERB_CASE_APPEAL ? caller : 0;
    request.u.deed.decision = decision;
    request.u.deed.text = "x";
    request.u.deed.text_size = 1;
    if (for_us != 0) {
        request.flags = REQUEST_HAS_UNTIL;
        request.u.deed.until_us = test.now_us + for_us;
    }
    return ask(request);
}

static uint64_t decided(int64_t for_us)
{
    uint64_t id = case_about(SUBJECT_ITEM, CASE_REVIEW, ITEM);

    assert_int_equal(step(VERB_CASE_PROPOSE, id, 5, DECISION_PAUSE, for_us), STATUS_OK);
    assert_int_equal(step(VERB_CASE_APPROVE, id, 5, 0, 0), STATUS_FOUREYES);
    assert_int_equal(item().pause.by, PAUSE_CREATOR); /* or nobody's */
    assert_int_equal(step(VERB_CASE_APPROVE, id, 6, 0, 0), STATUS_OK);
    assert_int_equal(item().pause.by, PAUSE_REVIEW);
    return id;
}

static void two_people_pause_and_an_appeal_ends_it(void **state)
{
    uint64_t id, account;

    (void)state;
    like(100, 104, VERB_LIKE);
    account = case_about(SUBJECT_ACCOUNT, CASE_REVIEW, CREATOR);
    assert_int_equal(step(VERB_CASE_PROPOSE, account, 5, DECISION_PAUSE, DAY_US), STATUS_BADVALUE);
    id = case_about(SUBJECT_ITEM, CASE_QUARANTINE, ITEM);
    assert_int_equal(step(VERB_CASE_PROPOSE, id, 5, DECISION_PAUSE, DAY_US), STATUS_BADVALUE);
    id = case_about(SUBJECT_ITEM, CASE_REVIEW, ITEM);
    assert_int_equal(step(VERB_CASE_PROPOSE, id, 5, DECISION_PAUSE, 31 * DAY_US), STATUS_BADVALUE);
    assert_int_equal(step(VERB_CASE_REJECT, id, 6, 0, 0), STATUS_OK);
    id = decided(30 * DAY_US);
    like(105, 109, VERB_LIKE);
    assert_int_equal(likes(ROLE_USER, 7), 5);
    assert_int_equal(resume_by(CREATOR), STATUS_PAUSESTATE);
    assert_int_equal(pause_by(CREATOR, DAY_US), STATUS_PAUSESTATE);
    assert_int_equal(step(VERB_CASE_APPEAL, id, STRANGER, 0, 0), STATUS_NOCASE);
    assert_int_equal(step(VERB_CASE_APPEAL, id, CREATOR, 0, 0), STATUS_OK);
    assert_int_equal(likes(ROLE_USER, 7), 5);
    assert_int_equal(step(VERB_CASE_PROPOSE, id, 5, DECISION_RESTORE, 0), STATUS_OK);
    assert_int_equal(step(VERB_CASE_APPROVE, id, 6, 0, 0), STATUS_OK);
    assert_int_equal(likes(ROLE_USER, 7), 10);
}

/* Nobody answers the appeal: it is given back. */
static void an_appeal_that_nobody_answers_ends_it(void **state)
{
    uint64_t id;

    (void)state;
    id = decided(30 * DAY_US);
    like(100, 104, VERB_LIKE);
    assert_int_equal(step(VERB_CASE_APPEAL, id, CREATOR, 0, 0), STATUS_OK);
    test.now_us += 14 * DAY_US + 1000000;
    while (test_engine_case(&test, 100))
        continue;
    assert_int_equal(likes(ROLE_USER, 7), 5);
}

/* One upon the other goes on with what was shown: the number makes no jump. */
static void a_review_over_the_creators_own_makes_no_jump(void **state)
{
    (void)state;
    like(100, 104, VERB_LIKE);
    assert_int_equal(pause_by(CREATOR, DAY_US), STATUS_OK);
    like(105, 129, VERB_LIKE);
    (void)decided(2 * DAY_US);
    assert_int_equal(likes(ROLE_USER, 7), 5);
    test.now_us += DAY_US + 1000000;
    assert_int_equal(likes(ROLE_USER, 7), 5);
    test.now_us += DAY_US;
    assert_int_equal(likes(ROLE_USER, 7), 30);
}

/* The records alone lead there, over a flush and without it. */
static void a_replay_is_the_same(void **state)
{
    struct test_engine again;
    struct record records[64];
    struct request get = {.verb = VERB_ITEM_GET, .target = ITEM};
    uint32_t count = 0;

    (void)state;
    with_items(&again);
    for (int i = 0; i < 8; i++) {
        struct request request = test_set(VERB_LIKE, 100 + (uint64_t)i, ITEM);

        if (i == 3)
            request =
                (struct request){.verb = VERB_GROWTH_PAUSE, .account = CREATOR, .target = ITEM};
        (void)test_engine_ask(&test, &request);
        count += test_engine_records(&test, records + count, 64 - count);
        if (i == 5)
            test_engine_flush(&test);
    }
    for (uint32_t i = 0; i < count; i++)
        test_engine_replay(&again, &records[i]);
    again.now_us = test.now_us;
    assert_memory_equal(&test_engine_ask(&again, &get)->item->pause,
                        &test_engine_ask(&test, &get)->item->pause, sizeof(struct pause));
    test_engine_close(&again);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)
    const struct CMUnitTest tests[] = {
        EACH(growth_is_counted_and_not_shown),
        EACH(what_falls_is_shown),
        EACH(it_ends_by_itself),
        EACH(it_is_the_creators_alone),
        EACH(two_people_pause_and_an_appeal_ends_it),
        EACH(an_appeal_that_nobody_answers_ends_it),
        EACH(a_review_over_the_creators_own_makes_no_jump),
        EACH(a_replay_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
