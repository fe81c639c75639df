/* Decisions about exposure: what is refused, what stands in the record, and that no budget is ever
 * spent twice. */
#include "support.h"

#include <string.h>

#include "engine/compensate.h"
#include "engine/note.h"
#include "support/test_engine.h"

#define DAY_S  86400u
#define ITEM   9
#define HOLDER 42
#define EDITOR 77

static struct test_engine test;

static int open_engine(void **state)
{
    struct request item = {.verb = VERB_ITEM_SET, .target = ITEM};
    struct request account = {.verb = VERB_ACCOUNT_SET, .account = HOLDER};

    (void)state;
    test_engine_open(&test, NULL);
    test_engine_ask(&test, &item);
    test_engine_ask(&test, &account);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    return 0;
}

static uint32_t now_s(void)
{
    return (uint32_t)(test.now_us / 1000000);
}

static struct request note(enum verb verb, const char *name, const char *text)
{
    struct request request = {.verb = (uint16_t)verb,
                              .target = verb_info(verb)->shape == SHAPE_ITEM_NOTE ? ITEM : 0,
                              .account = verb_info(verb)->shape == SHAPE_ACCOUNT_NOTE ? HOLDER : 0,
                              .caller = EDITOR,
                              .role = 4};

    request.u.note.name = name;
    request.u.note.name_size = (uint8_t)strlen(name);
    request.u.note.text = text;
    request.u.note.text_size = (uint8_t)strlen(text);
    return request;
}

static enum status answer(const struct request *request)
{
    const struct reply *reply = test_engine_ask(&test, request);

    if (reply->status == STATUS_BADVALUE)
        assert_non_null(reply->u.detail); /* what would do */
    return (enum status)reply->status;
}

/* The one record that the last turn made; its text points into the engine's bytes. */
static struct record written(void)
{
    struct record record = {0};

    assert_int_equal(test.engine.record_count, 1);
    assert_int_equal(record_decode(test.engine.body, test.engine.body_size, &record),
                     test.engine.body_size);
    assert_true(record.fields & RECORD_CHANGED);
    return record;
}

static void assert_text(const struct record *record, const char *text)
{
    assert_int_equal(record->text_size, strlen(text));
    assert_memory_equal(record->text, text, strlen(text));
}

static void tags_stand_in_the_record(void **state)
{
    struct request request = note(VERB_ITEM_TAG, "", "cats,slow food");
    struct record record;

    (void)state;
    assert_int_equal(answer(&request), STATUS_OK);
    record = written();
    assert_int_equal(record.target, ITEM);
    assert_text(&record, "cats,slow food");
    assert_int_equal(record.caller, EDITOR);
    assert_int_equal(answer(&request), STATUS_OK); /* again: nothing is kept to compare with */
    request.u.note.text_size = 5;                  /* "cats," */
    assert_int_equal(answer(&request), STATUS_BADTAGS);
    request.target = 10;
    assert_int_equal(answer(&request), STATUS_NOITEM); /* though a like would let it be */
}

static void interests_are_the_holders(void **state)
{
    struct request all = note(VERB_INTEREST_FORGET, "", "");
    struct request some = note(VERB_INTEREST_FORGET, "", "cats");
    struct record record;

    (void)state;
    assert_int_equal(answer(&all), STATUS_OK);
    record = written();
    assert_int_equal(record.account, HOLDER);
    assert_false(record.fields & RECORD_HAS_TEXT);
    assert_int_equal(answer(&some), STATUS_OK);
    record = written();
    assert_text(&record, "cats");
    some.account = 43;
    assert_int_equal(answer(&some), STATUS_NOACCOUNT);
}

static struct request boost(enum verb verb, uint32_t factor, uint32_t until_s)
{
    struct request request = note(verb, verb == VERB_BOOST_ITEM ? "" : "cats", "the day of cats");

    request.u.note.amount = factor;
    request.u.note.until_s = until_s;
    return request;
}

static void a_boost_is_small_and_ends(void **state)
{
    static const enum verb verbs[] = {VERB_BOOST_ITEM, VERB_BOOST_TAG, VERB_BOOST_WORD};
    uint32_t week = 7 * DAY_S;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct request request = boost(verbs[i], 200, now_s() + week);

        assert_int_equal(answer(&request), STATUS_OK);
        request = boost(verbs[i], 201, now_s() + week);
        assert_int_equal(answer(&request), STATUS_BADBOOST);
        request = boost(verbs[i], 99, now_s() + week);
        assert_int_equal(answer(&request), STATUS_BADBOOST);
        request = boost(verbs[i], 150, now_s() + week + 2);
        assert_int_equal(answer(&request), STATUS_BADBOOST);
        request = boost(verbs[i], 150, now_s() - 1);
        assert_int_equal(answer(&request), STATUS_BADBOOST);
        request = boost(verbs[i], 150, 0);
        assert_int_equal(answer(&request), STATUS_BADBOOST);
        request = boost(verbs[i], 100, 0); /* ends it */
        assert_int_equal(answer(&request), STATUS_OK);
    }
}

static void a_boost_tells_who_what_and_why(void **state)
{
    struct request request = boost(VERB_BOOST_TAG, 150, now_s() + DAY_S);
    struct record record;

    (void)state;
    assert_int_equal(answer(&request), STATUS_OK);
    record = written();
    assert_int_equal(record.a, 150 | 4u << 16);
    assert_int_equal(record.b, request.u.note.until_s);
    assert_text(&record, "catsthe day of cats");
    assert_int_equal(record.caller, EDITOR);
    assert_int_equal(record.role, 4);
    request.u.note.name = "cats,dogs";
    request.u.note.name_size = 9;
    assert_int_equal(answer(&request), STATUS_BADTAGS);
    request.verb = VERB_BOOST_WORD; /* a comma means nothing in a search word */
    assert_int_equal(answer(&request), STATUS_OK);
    request.u.note.name = " cats";
    assert_int_equal(answer(&request), STATUS_BADVALUE);
}

static void two_texts_fit_or_are_refused(void **state)
{
    static char name[64], reason[200];
    struct request request = boost(VERB_BOOST_WORD, 150, now_s() + DAY_S);

    (void)state;
    memset(name, 'n', sizeof name);
    memset(reason, 'r', sizeof reason);
    request.u.note.name = name;
    request.u.note.name_size = 64;
    request.u.note.text = reason;
    request.u.note.text_size = 136;
    assert_int_equal(answer(&request), STATUS_OK);
    assert_int_equal(written().text_size, RECORD_TEXT_MAX);
    request.u.note.text_size = 137;
    assert_int_equal(answer(&request), STATUS_BADVALUE);
}

static void a_stage_keeps_its_evidence(void **state)
{
    struct request request = note(VERB_STAGE, "", "like 0.041 of 212, p 0.97 over 0.03");
    struct record record;

    (void)state;
    request.u.note.word = STAGE_ADVANCE;
    request.u.note.value = 2;
    request.u.note.amount = 1500;
    assert_int_equal(answer(&request), STATUS_OK);
    record = written();
    assert_int_equal(record.a, STAGE_ADVANCE | 2u << 8);
    assert_int_equal(record.b, 1500);
    assert_text(&record, "like 0.041 of 212, p 0.97 over 0.03");
}

/* With an operation id a note is written once, and another one under it is a conflict. */
static void a_retry_writes_nothing(void **state)
{
    struct request request = note(VERB_ITEM_TAG, "", "cats");
    const struct reply *reply;
    uint64_t sequence;

    (void)state;
    request.flags = REQUEST_OPID | REQUEST_RETURN;
    request.opid[0] = 5;
    reply = test_engine_ask(&test, &request);
    assert_int_equal(reply->kind, REPLY_WRITE);
    assert_non_null(reply->item);
    sequence = test.engine.sequence;
    reply = test_engine_ask(&test, &request);
    assert_true(reply->replayed && reply->applied);
    assert_int_equal(test.engine.sequence, sequence);
    request.u.note.text = "dogs";
    assert_int_equal(answer(&request), STATUS_CONFLICT);
    request = note(VERB_BOOST_WORD, "cats", "why");
    request.flags = REQUEST_RETURN;
    request.u.note.amount = 100;
    reply = test_engine_ask(&test, &request);
    assert_int_equal(reply->kind, REPLY_WRITE);
    assert_true(reply->item == NULL && reply->account == NULL && reply->applied);
}

/* --- budgets -------------------------------------------------------------------------------------
 */

/* As a case of two people would: the row is the engine's. */
static void grant(uint32_t amount_pct)
{
    uint32_t slot = hot_account_find(test.engine.hot, 0, HOLDER);

    (void)compensate_grant(&hot_account_change(test.engine.hot, slot)->compensation, amount_pct,
                           1000000, test.engine.now_us);
}

static struct compensation budget(void)
{
    struct request get = {.verb = VERB_BUDGET, .account = HOLDER, .target = HOLDER};

    return test_engine_ask(&test, &get)->account->compensation;
}

static enum status spend(uint32_t amount_pct)
{
    struct request request = note(VERB_SPEND_BUDGET, "", "");

    request.u.note.amount = amount_pct;
    return answer(&request);
}

static void no_budget_is_spent_twice(void **state)
{
    struct test_random random = {test_seed(44)};
    uint64_t granted = 0, spent = 0, gone = 0;

    (void)state;
    assert_int_equal(spend(1), STATUS_NOBUDGET);
    assert_int_equal(spend(0), STATUS_OK); /* says what there is: nothing */
    assert_true(written().b == 0);
    for (int i = 0; i < 5000; i++) {
        uint32_t amount = 1 + (uint32_t)test_random_below(&random, 900);
        struct compensation before = budget();

        if (test_random_below(&random, 3) == 0) {
            grant(amount);
            granted += amount;
        } else if (spend(amount) == STATUS_OK) {
            assert_true(amount <= before.balance_pct);
            assert_true(written().a == amount);
            assert_true(written().b ==
                        ((before.balance_pct - amount) | (uint64_t)before.until_s << 32));
            spent += amount;
        } else {
            assert_true(amount > before.balance_pct);
        }
        if (test_random_below(&random, 20) == 0) { /* asked, nothing is spent */
            assert_int_equal(spend(0), STATUS_OK);
            assert_true((uint32_t)written().b == budget().balance_pct);
        }
        if (test_random_below(&random, 50) == 0)
            test_engine_flush(&test);
        if (test_random_below(&random, 500) == 0) { /* what is left expires */
            gone += budget().balance_pct;
            test.now_us += (COMPENSATE_KEEP_S + 1) * 1000000LL;
        }
        assert_true(spent + budget().balance_pct + gone == granted);
        assert_int_equal(budget().spent_pct, spent);
    }
    assert_true(spent > 10000 && gone > 0);
}

/* What the record says is spent in a replay too, and leaves the same row. */
static void a_replay_spends_the_same(void **state)
{
    static struct test_engine other;
    struct record record;
    struct compensation is, again;
    uint32_t slot;

    (void)state;
    grant(500);
    test_engine_open(&other, NULL);
    slot =
        hot_account_add(other.engine.hot,
                        hot_account(test.engine.hot, hot_account_find(test.engine.hot, 0, HOLDER)));
    assert_int_equal(spend(200), STATUS_OK);
    record = written();
    record.sequence = 1;
    record.time_us = test.now_us;
    test_engine_replay(&other, &record);
    is = budget();
    again = hot_account(other.engine.hot, slot)->compensation;
    assert_int_equal(is.balance_pct, 300);
    assert_memory_equal(&is, &again, sizeof is);
    test_engine_close(&other);
}

/* --- campaigns -----------------------------------------------------------------------------------
 */

static struct request campaign_of(uint32_t budget, uint32_t until_s)
{
    struct request request = note(VERB_CAMPAIGN_OPEN, "promoted", "cats,dogs");

    request.u.note.amount = budget;
    request.u.note.until_s = until_s;
    return request;
}

static enum status give_out(uint32_t impressions)
{
    struct request request = note(VERB_SPEND_CAMPAIGN, "", "");

    request.u.note.amount = impressions;
    return answer(&request);
}

static struct campaign campaign(void)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = ITEM};

    return test_engine_ask(&test, &get)->item->campaign;
}

static void a_campaign_says_what_it_is(void **state)
{
    struct request request = campaign_of(5000, now_s() + DAY_S);
    struct request wrong;
    struct record record;

    (void)state;
    wrong = campaign_of(0, now_s() + DAY_S);
    assert_int_equal(answer(&wrong), STATUS_BADCAMPAIGN);
    wrong = campaign_of(5000, now_s() + 91 * DAY_S);
    assert_int_equal(answer(&wrong), STATUS_BADCAMPAIGN);
    wrong = campaign_of(5000, now_s() - 1);
    assert_int_equal(answer(&wrong), STATUS_BADCAMPAIGN);
    wrong = request;
    wrong.u.note.word = 1;
    wrong.u.note.value = 51;
    assert_int_equal(answer(&wrong), STATUS_BADCAMPAIGN);
    wrong = request;
    wrong.u.note.name_size = 0; /* nothing is shown for money unlabelled */
    assert_int_equal(answer(&wrong), STATUS_BADCAMPAIGN);
    wrong = request;
    wrong.u.note.text = "cats,cats";
    assert_int_equal(answer(&wrong), STATUS_BADTAGS);
    wrong = request;
    wrong.target = 10;
    assert_int_equal(answer(&wrong), STATUS_NOITEM);
    assert_int_equal(campaign().budget, 0);
    assert_int_equal(answer(&request), STATUS_OK);
    record = written();
    assert_int_equal(record.a, 5000 | 10ULL << 32);
    assert_int_equal(record.b, request.u.note.until_s | 8ULL << 32);
    assert_text(&record, "promotedcats,dogs");
    assert_int_equal(record.caller, EDITOR);
    assert_int_equal(campaign().holdout_pct, 10);
    assert_int_equal(answer(&request), STATUS_CAMPAIGNSTATE);
}

static void a_campaign_ends(void **state)
{
    struct request stop = note(VERB_CAMPAIGN_STOP, "", "taken back too often");
    struct request open, close = {.verb = VERB_ITEM_STATE, .target = ITEM};

    (void)state;
    assert_int_equal(answer(&stop), STATUS_CAMPAIGNSTATE);
    assert_int_equal(give_out(1), STATUS_CAMPAIGNSTATE);
    open = campaign_of(10, now_s() + DAY_S);
    assert_int_equal(answer(&open), STATUS_OK);
    assert_int_equal(give_out(0), STATUS_BADVALUE);
    assert_int_equal(give_out(10), STATUS_OK);
    assert_int_equal(give_out(1), STATUS_CAMPAIGNSTATE); /* all are given out: it is over */
    open = campaign_of(10, now_s() + DAY_S);
    open.u.note.word = 1; /* nobody is held out, and that was said */
    assert_int_equal(answer(&open), STATUS_OK);
    assert_int_equal(campaign().holdout_pct, 0);
    assert_int_equal(campaign().spent, 0);
    assert_int_equal(answer(&stop), STATUS_OK);
    assert_int_equal(give_out(1), STATUS_CAMPAIGNSTATE);
    assert_int_equal(answer(&stop), STATUS_CAMPAIGNSTATE);
    open = campaign_of(10, now_s() + 5);
    assert_int_equal(answer(&open), STATUS_OK);
    test.now_us += 6000000;
    assert_int_equal(give_out(1), STATUS_CAMPAIGNSTATE);
    open = campaign_of(10, now_s() + DAY_S);
    assert_int_equal(answer(&open), STATUS_OK);
    close.u.item.state = ITEM_REMOVED;
    assert_int_equal(answer(&close), STATUS_OK);
    assert_int_equal(give_out(1), STATUS_CLOSED);
    assert_int_equal(answer(&stop), STATUS_OK);
    assert_int_equal(answer(&open), STATUS_CLOSED);
}

static void no_campaign_is_overspent(void **state)
{
    struct test_random random = {test_seed(45)};
    uint32_t budget = 0, spent = 0, opened = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint32_t amount = 1 + (uint32_t)test_random_below(&random, 40);

        if (budget == spent) {
            struct request open = campaign_of(amount * 20, now_s() + DAY_S);

            assert_int_equal(answer(&open), STATUS_OK);
            budget = amount * 20;
            spent = 0;
            opened++;
        }
        if (give_out(amount) == STATUS_OK)
            spent += amount;
        else if (give_out(budget - spent) == STATUS_OK)
            spent = budget;
        assert_true(spent <= budget);
        assert_int_equal(campaign().spent, spent);
        if (test_random_below(&random, 50) == 0)
            test_engine_flush(&test);
    }
    assert_true(opened > 100);
}

/* --- items ---------------------------------------------------------------------------------------
 */

static struct item_row item_row(void)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = ITEM};

    return *test_engine_ask(&test, &get)->item;
}

static void an_item_says_whose_it_is_and_since_when(void **state)
{
    struct request set = {.verb = VERB_ITEM_SET, .target = ITEM};
    struct record record;

    (void)state;
    assert_true(item_row().repost == 0 && item_row().published_s == 0);
    set.u.item.original = ORIGIN_OWN;
    assert_int_equal(answer(&set), STATUS_UNCHANGED);
    set.u.item.original = ORIGIN_REPOST;
    set.u.item.published_s = 1600000000;
    set.flags = REQUEST_HAS_DURATION;
    set.u.item.duration_ms = 60000;
    assert_int_equal(answer(&set), STATUS_OK);
    record = written();
    assert_int_equal(record.b, 60000 | 1600000000ULL << 32);
    assert_int_equal(answer(&set), STATUS_UNCHANGED);
    test_engine_flush(&test);
    assert_int_equal(item_row().repost, 1);
    assert_int_equal(item_row().published_s, 1600000000);
    assert_int_equal(item_row().duration_ms, 60000);
    set = (struct request){.verb = VERB_ITEM_SET,
                           .target = ITEM,
                           .flags = REQUEST_HAS_STATE,
                           .u.item.state = ITEM_PRIVATE};
    assert_int_equal(answer(&set), STATUS_OK); /* what is not said stays */
    assert_true(item_row().repost == 1 && item_row().published_s == 1600000000);
    set.u.item.original = ORIGIN_OWN;
    assert_int_equal(answer(&set), STATUS_OK);
    assert_int_equal(item_row().repost, 0);
    set.u.item.published_s = now_s() + 60;
    assert_int_equal(answer(&set), STATUS_BADVALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tags_stand_in_the_record, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(interests_are_the_holders, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_boost_is_small_and_ends, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_boost_tells_who_what_and_why, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(two_texts_fit_or_are_refused, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_stage_keeps_its_evidence, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_retry_writes_nothing, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(no_budget_is_spent_twice, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_replay_spends_the_same, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_campaign_says_what_it_is, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_campaign_ends, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(no_campaign_is_overspent, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(an_item_says_whose_it_is_and_since_when, open_engine,
                                        close_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
