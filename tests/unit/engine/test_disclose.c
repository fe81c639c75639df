/* What viewers are told of totals, and how far people's lists may be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/inner.h"
#include "schema/access.h"
#include "support.h"
#include "support/test_engine.h"

#define CREATOR   9
#define MINUTE_US (60LL * 1000000)
#define HOUR_US   (60 * MINUTE_US)

static const struct reply *ask(struct test_engine *test, struct request request)
{
    return test_engine_ask(test, &request);
}

static uint64_t likes(struct test_engine *test, uint8_t role, uint64_t subject, uint16_t tenant,
                      uint64_t item)
{
    struct request request = {.verb = VERB_LIKES,
                              .tenant = tenant,
                              .count = 1,
                              .u.ids = &item,
                              .role = role,
                              .subject = subject};

    return ask(test, request)->u.values[0];
}

static void small_totals_are_told_to_those_they_are_of(void **state)
{
    struct test_engine test;

    (void)state;
    test_engine_open(&test, NULL);
    test.engine.disclosure.rule.small = 5;
    ask(&test, (struct request){.verb = VERB_ITEM_SET,
                                .target = 1,
                                .flags = REQUEST_HAS_CREATOR,
                                .u.item.creator = CREATOR});
    for (uint64_t account = 100; account < 106; account++) {
        uint64_t now = account - 99;

        ask(&test, test_set(VERB_LIKE, account, 1));
        assert_int_equal(likes(&test, ROLE_USER, 100, 0, 1), now < 5 ? 0 : now);
        assert_int_equal(likes(&test, ROLE_CREATOR, 10, 0, 1), now < 5 ? 0 : now);
        assert_int_equal(likes(&test, ROLE_CREATOR, CREATOR, 0, 1), now);
        assert_int_equal(likes(&test, ROLE_BACKEND, 0, 0, 1), now);
        assert_int_equal(likes(&test, ROLE_AUDITOR, 0, 0, 1), now);
    }
    test_engine_close(&test);
}

/* A viewer sees what was true at most so long ago; it never goes by what it was before that. */
static void totals_come_late_by_tenant(void **state)
{
    struct test_engine test;
    struct disclosure *disclosure;

    (void)state;
    test_engine_open(&test, NULL);
    disclosure = &test.engine.disclosure;
    assert_true(disclose_read_delays("0:900,7:0", &disclosure->rule));
    disclosure->shown = calloc(DISCLOSE_SHOWN, sizeof *disclosure->shown);
    assert_non_null(disclosure->shown);
    ask(&test, test_set(VERB_LIKE, 1, 5));
    assert_int_equal(likes(&test, ROLE_USER, 1, 0, 5), 1);
    ask(&test, test_set(VERB_LIKE, 2, 5));
    for (int minute = 0; minute < 14; minute++) {
        test.now_us += MINUTE_US;
        assert_int_equal(likes(&test, ROLE_USER, 1, 0, 5), 1);
        assert_int_equal(likes(&test, ROLE_BACKEND, 0, 0, 5), 2);
    }
    test.now_us += MINUTE_US;
    assert_int_equal(likes(&test, ROLE_USER, 1, 0, 5), 2);
    for (uint64_t account = 1; account <= 3; account++) { /* a tenant without */
        struct request like = test_set(VERB_LIKE, account, 5);

        like.tenant = 7;
        ask(&test, like);
        assert_int_equal(likes(&test, ROLE_USER, 1, 7, 5), account);
    }
    free(disclosure->shown);
    test_engine_close(&test);
}

static void delays_are_read_or_refused(void **state)
{
    static const char *const good[] = {"", "0", "900", "0:0", "3:60,4:900"};
    static const char *const bad[] = {"901", "x",       "1:",   ":1",      "1:2,", "1:901",
                                      "-1",  "70000:1", "1:2 ", "1:2;2:3", " 5",   "5,6"};
    struct disclose_rule rule;
    char many[256] = "";

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(disclose_read_delays(good[i], &rule));
    assert_true(disclose_delays(&rule) && rule.tenant_count == 2 && rule.tenants[1].delay_s == 900);
    assert_true(disclose_read_delays("0:0", &rule) && !disclose_delays(&rule));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(disclose_read_delays(bad[i], &rule));
    for (int i = 0; i <= DISCLOSE_TENANTS_MAX; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s%d:1", i > 0 ? "," : "", i);
    assert_false(disclose_read_delays(many, &rule));
}

/* However the cursor is turned: so many entries an hour, each caller his own; the platform any. */
static void lists_have_a_budget(void **state)
{
    struct test_engine test;
    struct request list = {.verb = VERB_LIKERS, .target = 1, .count = 10};
    uint32_t told[3] = {0}, waits_ms[3] = {0};
    const struct reply *reply;

    (void)state;
    test_engine_open(&test, NULL);
    test.engine.disclosure.rule.list_budget = 35;
    for (uint64_t account = 1; account <= 100; account++)
        ask(&test, test_set(VERB_LIKE, account, 1));
    for (int caller = 0; caller < 3; caller++) {
        list.caller = 1000 + (uint64_t)caller;
        list.role = caller == 2 ? ROLE_BACKEND : ROLE_OPERATOR;
        list.flags = 0;
        for (int i = 0; i < 20; i++) {
            reply = ask(&test, list);
            if (reply->status == STATUS_RATE)
                break;
            told[caller] += reply->count;
            list.flags = reply->cursor != 0 ? REQUEST_HAS_CURSOR : 0;
            list.u.cursor = reply->cursor;
        }
        assert_int_equal(reply->status, caller == 2 ? STATUS_OK : STATUS_RATE);
        list.flags = 0; /* from the front: no */
        reply = ask(&test, list);
        assert_int_equal(reply->status, caller == 2 ? STATUS_OK : STATUS_RATE);
        waits_ms[caller] = reply->retry_ms;
    }
    assert_int_equal(waits_ms[2], 0);
    assert_true(waits_ms[0] > 0 && waits_ms[0] <= 3600000);
    assert_true(told[0] == 40 && told[1] == 40 && told[2] >= 150); /* the last page may pass it */
    /* Then, and not before, he may again. */
    list.caller = 1000;
    list.role = ROLE_OPERATOR;
    test.now_us = (test.now_us / HOUR_US + 1) * HOUR_US - 1100; /* an ask takes 1000 */
    reply = ask(&test, list);
    assert_int_equal(reply->status, STATUS_RATE);
    assert_int_equal(reply->retry_ms, 1);
    assert_int_equal(ask(&test, list)->count, 10);
    test_engine_close(&test);
}

/* --- what an account may ask for ----------------------------------------------------------------
 */

static void with_flows(struct test_engine *test, uint32_t copies, uint32_t clean_ups)
{
    test_engine_open(test, NULL);
    test->engine.disclosure.flowed = calloc(DISCLOSE_FLOWS, sizeof *test->engine.disclosure.flowed);
    assert_non_null(test->engine.disclosure.flowed);
    test->engine.disclosure.rule.flow_budget[FLOW_EXPORT] = copies;
    test->engine.disclosure.rule.flow_budget[FLOW_CLEANUP] = clean_ups;
}

static void without_flows(struct test_engine *test)
{
    free(test->engine.disclosure.flowed);
    test_engine_close(test);
}

static struct request copy_of(uint64_t account, uint8_t role)
{
    return (struct request){.verb = VERB_ACCOUNT_EXPORT,
                            .account = account,
                            .subject = account,
                            .count = 10,
                            .role = role};
}

/* How many first pages of a copy until there are no more; 1000: there is no end. */
static uint32_t copies_of(struct test_engine *test, uint64_t account, uint8_t role)
{
    for (uint32_t i = 0; i < 1000; i++) {
        const struct reply *reply = ask(test, copy_of(account, role));

        if (reply->status == STATUS_RATE) {
            assert_true(reply->retry_ms > 0 && reply->retry_ms <= 3600000);
            return i;
        }
        assert_int_equal(reply->kind, REPLY_EXPORT);
    }
    return 1000;
}

/* By account, whoever of holder and backend asks; not of who carries out its rights. */
static void copies_have_a_budget(void **state)
{
    struct test_engine test;
    struct request likes = {.verb = VERB_ACCOUNT_EXPORT,
                            .account = 2,
                            .count = 10,
                            .flags = REQUEST_HAS_CURSOR,
                            .role = ROLE_USER};

    (void)state;
    with_flows(&test, 30, 0);
    for (uint64_t account = 1; account <= 3; account++)
        for (uint64_t item = 1; item <= 20; item++)
            ask(&test, test_set(VERB_LIKE, account, item));
    assert_int_equal(copies_of(&test, 1, ROLE_USER), 30); /* a page without entries counts as one */
    assert_int_equal(copies_of(&test, 1, ROLE_BACKEND), 0);
    assert_int_equal(copies_of(&test, 1, ROLE_PRIVACY), 1000);
    assert_int_equal(copies_of(&test, 1, ROLE_ALL), 1000); /* nobody has proved anything */
    likes.u.cursor = 1ULL << 60 | ((1ULL << 60) - 1);
    for (int i = 0; i < 3; i++) /* 11 each: the last begins within it */
        assert_int_equal(ask(&test, likes)->count, 10);
    assert_int_equal(copies_of(&test, 2, ROLE_BACKEND), 0);
    likes.tenant = 5; /* the same number of another tenant is somebody else */
    assert_int_equal(ask(&test, likes)->status, STATUS_NOACCOUNT);
    test.now_us += HOUR_US;
    assert_int_equal(copies_of(&test, 1, ROLE_CREATOR), 30);
    without_flows(&test);
}

/* With more accounts than places: who has had much does not get it anew by others who come. */
static void many_accounts_clear_nobody(void **state)
{
    struct test_engine test;

    (void)state;
    with_flows(&test, 30, 0);
    for (uint64_t account = 1; account <= 6; account++) {
        ask(&test, test_set(VERB_LIKE, account, 1));
        assert_int_equal(copies_of(&test, account, ROLE_USER), 30);
    }
    for (uint64_t account = 100; account < 100 + 8 * DISCLOSE_FLOWS; account++) {
        struct request request = copy_of(account, ROLE_USER);

        disclose_flowed(&test.engine.disclosure, &request, FLOW_EXPORT, 1, test.now_us);
    }
    for (uint64_t account = 1; account <= 6; account++)
        assert_int_equal(copies_of(&test, account, ROLE_USER), 0);
    without_flows(&test);
}

static void clean_ups_have_a_budget(void **state)
{
    struct request run = {.verb = VERB_CLEANUP_RUN, .account = 1, .role = ROLE_USER, .subject = 1};
    struct request undo = run, look = run, purge = run;
    struct test_engine test;
    uint32_t runs = 0;

    (void)state;
    with_flows(&test, 0, 1000);
    undo.verb = VERB_CLEANUP_UNDO;
    look.verb = VERB_CLEANUP_PREVIEW;
    look.count = 10;
    for (uint64_t item = 1; item <= 20; item++)
        ask(&test, test_set(VERB_LIKE, 1, item));
    while (ask(&test, run)->kind == REPLY_INTEGERS) {
        assert_true(++runs < 100);
        undo.u.cursor = runs;
        if (ask(&test, undo)->kind != REPLY_INTEGERS)
            break;
    }
    assert_true(runs >= 2 && runs <= 8);
    assert_int_equal(ask(&test, run)->status, STATUS_RATE);
    assert_true(ask(&test, run)->retry_ms > 0);
    assert_false(test.engine.sweep.under_way); /* nobody has to wait for one that was refused */
    assert_int_equal(ask(&test, undo)->status, STATUS_RATE);
    assert_int_equal(ask(&test, look)->status, STATUS_RATE);
    assert_true(ask(&test, look)->retry_ms > 0);
    run.account = 2; /* another one's is his own */
    ask(&test, test_set(VERB_LIKE, 2, 1));
    assert_int_equal(ask(&test, run)->kind, REPLY_INTEGERS);
    look.account = 2;
    for (int i = 0; i < 4; i++)
        ask(&test, look);
    assert_int_equal(ask(&test, look)->status, STATUS_RATE);
    purge.verb = VERB_ACCOUNT_PURGE; /* not what this is about */
    assert_int_not_equal(ask(&test, purge)->status, STATUS_RATE);
    test.now_us += HOUR_US;
    run.account = 1;
    assert_int_equal(ask(&test, run)->kind, REPLY_INTEGERS);
    without_flows(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_totals_are_told_to_those_they_are_of),
        cmocka_unit_test(totals_come_late_by_tenant),
        cmocka_unit_test(delays_are_read_or_refused),
        cmocka_unit_test(lists_have_a_budget),
        cmocka_unit_test(copies_have_a_budget),
        cmocka_unit_test(many_accounts_clear_nobody),
        cmocka_unit_test(clean_ups_have_a_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
