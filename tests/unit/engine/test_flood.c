/* People are asked to look at what the scorer makes wait: one case for each window, in the item's
 * partition, with what was seen; it ends by itself with the window, once its likes are scored
 * again. The scorer is the real one, and sees a rack of new accounts on one device. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/case.h"
#include "engine/inner.h"
#include "engine/policy_parse.h"
#include "support/test_engine.h"

#define SECOND  1000000LL
#define HOUR    (3600 * SECOND)
#define DAY     (24 * HOUR)
#define ITEM    777
#define REGION  ((size_t)8 << 20)
#define RECORDS 40000
#define RACK    150

static struct test_engine test, other;
static struct judges judges;
static struct policy *policy;
static void *region;
static uint8_t *bytes; /* what the engine has written, to be replayed */
static size_t bytes_used;
static struct {
    size_t at;
    int64_t time_us;
} written[RECORDS];
static uint32_t written_count;

static void keep(void)
{
    for (size_t at = 0, i = 0; i < test.engine.record_count; i++) {
        struct record record;
        size_t size = record_decode(test.engine.body + at, test.engine.body_size - at, &record);

        assert_true(size > 0 && written_count < RECORDS);
        written[written_count].at = bytes_used;
        written[written_count++].time_us = test.engine.now_us;
        memcpy(bytes + bytes_used, test.engine.body + at, size);
        bytes_used += size;
        at += size;
    }
    test.engine.record_count = 0;
}

static const struct reply *ask(const struct request *request)
{
    const struct reply *reply = test_engine_ask(&test, request);

    keep();
    return reply;
}

static void like(uint64_t account, uint64_t item, uint64_t device)
{
    struct request request = test_set(VERB_LIKE, account, item);
    struct hot_room room;

    hot_room(test.engine.hot, &room);
    if (room.accounts < 32 || room.items < 32 || room.edges < 64 || room.cases < 16 ||
        room.inboxes < 16)
        test_engine_flush(&test);
    request.flags |= REQUEST_CONTEXT;
    request.context.device = device;
    ask(&request);
}

/* Three days of a platform, so that the scorer knows what is usual. */
static int open_engine(void **state)
{
    static const char rules[] = "policy test version 4\nsettle 10m\n";
    static const struct hot_config hot = {.accounts = 2048,
                                          .items = 1024,
                                          .edges = 4096,
                                          .operations = 512,
                                          .scratch = 4096,
                                          .cases = 64};
    struct policy_problem problem;

    (void)state;
    test_engine_open(&test, &hot);
    policy = calloc(1, sizeof *policy);
    region = aligned_alloc(64, REGION);
    bytes = malloc((size_t)RECORDS * 128);
    bytes_used = written_count = 0;
    if (!policy_parse(rules, sizeof rules - 1, policy, &problem))
        fail_msg("line %u: %s", problem.line, problem.text);
    assert_true(judges_open(&judges, region, REGION, policy, NULL, true, false));
    test.engine.judges = &judges;
    for (uint64_t i = 0; i < 3000; i++) {
        test.now_us += 80 * SECOND;
        like(i * 7 % 400, 2000 + i * 11 % 600, 50000 + i * 7 % 400);
    }
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    free(policy);
    free(region);
    free(bytes);
    return 0;
}

static struct item_row item_of(uint64_t id)
{
    struct request get = {.verb = VERB_COUNTS, .target = id};

    return *test_engine_ask(&test, &get)->item;
}

static struct case_row case_of(uint64_t id)
{
    struct request get = {.verb = VERB_CASE_GET, .target = id};
    const struct reply *reply = test_engine_ask(&test, &get);

    assert_int_equal(reply->kind, REPLY_CASE);
    return *reply->cased;
}

/* New accounts, one device, one item, within minutes. */
static void rack(uint64_t from, uint64_t item, uint32_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        test.now_us += 2 * SECOND;
        like(from + i, item, 31337);
    }
}

static void settle_what_is_due(void)
{
    const struct hold *hold;

    while (engine_holds_due(&test.engine, test.now_us, &hold, 1) > 0) {
        struct record record = engine_hold_record(hold);
        struct hot_room room;

        hot_room(test.engine.hot, &room);
        if (room.accounts < 32 || room.edges < 32)
            test_engine_flush(&test);
        hot_turn_begin(test.engine.hot);
        test.needs = (struct needs){0};
        assert_true(engine_gather_record(&test.engine, &record, &test.needs));
        test_engine_load(&test);
        engine_begin(&test.engine, test.now_us);
        engine_hold_settle(&test.engine);
        keep();
    }
}

static void run_cases(void)
{
    for (int i = 0; i < 1000 && test_engine_case(&test, 16); i++)
        keep();
}

/* How many cases there are about the item, from the newest on. */
static uint32_t cases_of(uint64_t item)
{
    uint32_t count = 0;

    for (uint64_t id = item_of(item).case_id; id != 0; id = case_of(id).before)
        count++;
    return count;
}

/* Another engine comes to the same from the records alone. */
static void assert_replays(uint64_t item)
{
    struct hot_config hot = {.accounts = 2048,
                             .items = 1024,
                             .edges = 4096,
                             .operations = 512,
                             .scratch = 4096,
                             .cases = 64};
    struct request get = {.verb = VERB_COUNTS, .target = item};
    struct item_row row = item_of(item), again;

    test_engine_open(&other, &hot);
    for (uint32_t i = 0; i < written_count; i++) {
        struct record record = {0};

        assert_true(record_decode(bytes + written[i].at, RECORD_BYTES_MAX, &record) > 0);
        record.sequence = other.engine.sequence + 1;
        record.time_us = written[i].time_us;
        test_engine_replay(&other, &record);
    }
    assert_int_equal(other.engine.sequence, test.engine.sequence);
    other.now_us = test.now_us;
    again = *test_engine_ask(&other, &get)->item;
    assert_memory_equal(&row, &again, sizeof row);
    for (uint64_t id = row.case_id; id != 0; id = case_of(id).before) {
        struct request get_case = {.verb = VERB_CASE_GET, .target = id};
        struct case_row is = case_of(id), there = *test_engine_ask(&other, &get_case)->cased;

        assert_memory_equal(&is, &there, sizeof is);
    }
    test_engine_close(&other);
}

static void a_window_opens_one_case_that_ends_with_it(void **state)
{
    struct case_row row;
    struct item_row item;

    (void)state;
    rack(900000, ITEM, RACK);
    item = item_of(ITEM);
    assert_true(item.credit.quarantined > 20 && item.window_until_us > test.now_us);
    assert_int_equal(cases_of(ITEM), 1); /* many likes kept the window open: one case */
    row = case_of(item.case_id);
    assert_int_equal(row.kind, CASE_QUARANTINE);
    assert_int_equal(row.state, CASE_OPEN);
    assert_int_equal(row.opener, 0);
    assert_int_equal(row.policy, 4);
    assert_true(row.due_us > row.opened_us && row.due_us <= item.window_until_us);
    assert_int_equal(row.until_us, row.due_us);
    row.text[CASE_TEXT_OPENED][CASE_TEXT_MAX - 1] = '\0';
    assert_non_null(strstr(row.text[CASE_TEXT_OPENED], "device"));
    assert_non_null(strstr(row.text[CASE_TEXT_OPENED], "likes "));

    /* The window was kept open longer: so is the case. */
    test.now_us = row.due_us + SECOND;
    assert_true(item.window_until_us > test.now_us);
    run_cases();
    row = case_of(row.id);
    assert_int_equal(row.state, CASE_OPEN);
    assert_int_equal(row.due_us, item.window_until_us);

    /* It is over, but its likes wait for their turn: the case is not over yet. */
    test.now_us = item.window_until_us + SECOND;
    run_cases();
    assert_int_equal(case_of(row.id).state, CASE_OPEN);
    settle_what_is_due();
    assert_int_equal(item_of(ITEM).credit.quarantined, 0);
    test.now_us += 120 * SECOND;
    run_cases();
    row = case_of(row.id);
    assert_int_equal(row.state, CASE_EXPIRED);
    assert_true(row.ended_sequence != 0);
    assert_false(case_is_live(&row));
    assert_replays(ITEM);
}

static uint64_t caller;

static enum status step(enum verb verb, uint64_t id, uint8_t decision)
{
    struct request request = {.verb = (uint16_t)verb, .target = id, .caller = ++caller};

    request.u.deed.decision = decision;
    request.u.deed.text = "because";
    request.u.deed.text_size = 7;
    return (enum status)ask(&request)->status;
}

/* What people decide about it holds, and the window opens no second case. */
static void people_may_settle_it_before(void **state)
{
    uint64_t id, taken;

    (void)state;
    rack(900000, ITEM, RACK);
    id = item_of(ITEM).case_id;
    assert_int_equal(step(VERB_CASE_PROPOSE, id, DECISION_VOID), STATUS_OK);
    assert_int_equal(step(VERB_CASE_APPROVE, id, 0), STATUS_OK);
    run_cases();
    assert_int_equal(case_of(id).state, CASE_APPLIED);
    taken = item_of(ITEM).credit.voided;
    assert_int_equal(taken, item_of(ITEM).counts[COUNTER_LIKE]);
    assert_int_equal(item_of(ITEM).credit.quarantined, 0);
    rack(910000, ITEM, 20); /* the window is the same one */
    assert_int_equal(cases_of(ITEM), 1);
    test.now_us += 2 * HOUR;
    settle_what_is_due();
    run_cases();
    assert_int_equal(item_of(ITEM).credit.voided, taken);
    assert_int_equal(item_of(ITEM).credit.quarantined, 0);
    assert_replays(ITEM);
}

/* One that was put aside does not come back before another window does. */
static void a_dismissal_leaves_the_window_alone(void **state)
{
    uint64_t id;

    (void)state;
    rack(900000, ITEM, RACK);
    id = item_of(ITEM).case_id;
    assert_int_equal(step(VERB_CASE_REJECT, id, 0), STATUS_OK);
    assert_true(item_of(ITEM).window_until_us > test.now_us);
    rack(910000, ITEM, 20);
    assert_int_equal(cases_of(ITEM), 1);
    test.now_us += 3 * HOUR;
    settle_what_is_due();
    run_cases();
    rack(920000, ITEM, RACK);
    assert_int_equal(cases_of(ITEM), 2);
    assert_int_equal(case_of(item_of(ITEM).case_id).kind, CASE_QUARANTINE);
    assert_replays(ITEM);
}

/* A case of another kind about the item does not hide it; and a like that says so ends it late. */
static void it_is_a_case_of_its_own(void **state)
{
    struct request open = {.verb = VERB_CASE_OPEN, .target = ITEM, .caller = 5};

    (void)state;
    like(1, ITEM, 0);
    open.u.deed.kind = CASE_REVIEW;
    open.u.deed.subject = SUBJECT_ITEM;
    open.u.deed.text = "why";
    open.u.deed.text_size = 3;
    assert_int_equal(ask(&open)->status, STATUS_OK);
    rack(900000, ITEM, RACK);
    assert_int_equal(cases_of(ITEM), 2);
    assert_int_equal(case_of(item_of(ITEM).case_id).kind, CASE_QUARANTINE);
}

/* A flood over many items: a quarter of the room for live cases stays for what people open. */
static void people_keep_room_for_their_cases(void **state)
{
    struct hot *hot = test.engine.hot;
    struct hot_room room;
    uint64_t refused;

    (void)state;
    hot_room(hot, &room);
    for (uint64_t i = 0; room.live >= HOT_LIVE_MAX / 4; i++, hot_room(hot, &room)) {
        struct case_row row = {.id = (1000000 + i) << 8, .state = CASE_OPEN, .due_us = INT64_MAX};

        hot_case_note(hot, &row);
    }
    refused = test.engine.cases_refused;
    rack(900000, ITEM, RACK);
    assert_true(item_of(ITEM).credit.quarantined > 20); /* it waits all the same */
    assert_int_equal(cases_of(ITEM), 0);
    assert_int_equal(test.engine.cases_refused, refused + 1);
}

/* Accounts of one partition, an item of another: the item's opens the case. */
static void the_case_is_where_the_item_lives(void **state)
{
    struct request get = {.verb = VERB_COUNTS}, cased = {.verb = VERB_CASE_GET};
    const struct reply *reply;
    uint64_t item = ITEM;

    (void)state;
    test_engine_open(&other, NULL);
    test.engine.partition_count = other.engine.partition_count = 2;
    other.engine.partition = 1;
    while (hash_partition(item, 2) != 1)
        item++;
    for (uint64_t i = 0, account = 900000; i < RACK; account++) {
        struct effect effect;

        if (hash_partition(account, 2) != 0)
            continue;
        i++;
        test.now_us += 2 * SECOND;
        like(account, item, 31337);
        for (uint32_t k = 0; k < test.engine.effect_count; k++) {
            effect = test.engine.effects[k];
            if (effect_kind_of(&effect.record) != EFFECT_TARGET)
                continue;
            hot_turn_begin(other.engine.hot);
            other.needs = (struct needs){0};
            assert_true(engine_gather_record(&other.engine, &effect.record, &other.needs));
            test_engine_load(&other);
            assert_true(engine_gather_record_creators(&other.engine, &effect.record, &other.needs));
            test_engine_load(&other);
            engine_begin(&other.engine, test.engine.now_us);
            engine_take(&other.engine, &effect.record);
        }
    }
    other.now_us = test.now_us;
    get.target = item;
    cased.target = test_engine_ask(&other, &get)->item->case_id;
    assert_true(cased.target != 0);
    reply = test_engine_ask(&other, &cased);
    assert_int_equal(reply->kind, REPLY_CASE);
    assert_int_equal(reply->cased->kind, CASE_QUARANTINE);
    assert_int_equal(reply->cased->before, 0);
    assert_int_equal(reply->cased->about, item);
    test.engine.partition_count = other.engine.partition_count = 1;
    test_engine_close(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_window_opens_one_case_that_ends_with_it), TEST(people_may_settle_it_before),
        TEST(a_dismissal_leaves_the_window_alone),       TEST(it_is_a_case_of_its_own),
        TEST(people_keep_room_for_their_cases),          TEST(the_case_is_where_the_item_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
