/* What a record says that a like was worth before (RECORD_HAS_BEFORE): a reader that keeps no
 * edges, and knows the records alone, has the same three numbers as the engine, at every record. */
#include "support.h"

#include <stdlib.h>

#include "base/hash.h"
#include "engine/inner.h"
#include "support/test_judges.h"

#define SECOND   1000000LL
#define ACCOUNTS 12
#define ITEMS    5

static const char rules[] = "policy test version 1\n"
                            "undo 5s\n"
                            "smooth withdrawn 24h\n"
                            "rule half on like when flips > 6 then weight 50\n";

static struct test_engine test, other;
static struct test_judges judged;

/* What the reader knows, and, beside it, what it does not: each like, to hold ages against. */
struct reader {
    struct credit credit[ITEMS];
    bool ever[ACCOUNTS][ITEMS];
    int64_t since_us[ACCOUNTS][ITEMS];
    uint8_t left_pct[ACCOUNTS][ITEMS]; /* what the last un-like left to fade */
    uint64_t first, again, back, settled;
};

static struct reader reader;

static int open_engine(void **state)
{
    (void)state;
    test_engine_open(&test, NULL);
    reader = (struct reader){0};
    return 0;
}

static int open_rules(void **state)
{
    open_engine(state);
    test_judges_open(&judged, &test.engine, rules, false);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    test_judges_close(&judged);
    return 0;
}

/* --- the reader ----------------------------------------------------------------------------------
 */

static void move(struct credit *credit, struct verdict worth, int sign)
{
    if (worth.mark == MARK_HELD)
        credit->held += (uint64_t)sign;
    else if (worth.mark == MARK_QUARANTINED)
        credit->quarantined += (uint64_t)sign;
    else if (worth.mark == MARK_VOIDED)
        credit->voided += (uint64_t)sign;
    else
        credit->credited_pct += (uint64_t)(sign * worth.weight_pct);
}

static bool is_settling(const struct record *record)
{
    return record->kind == RECORD_SETTLE ||
           (record->kind == RECORD_EFFECT && effect_kind_of(record) == EFFECT_SETTLE);
}

static void check_age(const struct record *record)
{
    int64_t since_us = reader.since_us[record->account][record->target];

    assert_int_equal(record->before_age_s, (record->time_us - since_us) / SECOND);
}

static void read_like(const struct record *record)
{
    uint64_t a = record->account, i = record->target;

    move(&reader.credit[i], record_verdict(record), 1);
    assert_int_equal((record->fields & RECORD_HAS_BEFORE) != 0, reader.ever[a][i]);
    if (reader.ever[a][i]) {
        check_age(record);
        assert_int_equal(record->before_pct, reader.left_pct[a][i]);
        assert_int_equal(record->before_marks, 0);
        reader.again++;
    } else {
        reader.first++;
    }
    reader.ever[a][i] = true;
    reader.since_us[a][i] = record->time_us;
}

static void read_unlike(const struct record *record)
{
    uint64_t a = record->account, i = record->target;
    struct verdict before = record_before(record);

    assert_true(record->fields & RECORD_HAS_BEFORE);
    move(&reader.credit[i], before, -1);
    check_age(record);
    reader.left_pct[a][i] =
        record_horizon_s(record) > 0 && before.mark == MARK_PLAIN ? before.weight_pct : 0;
    reader.since_us[a][i] = record->time_us;
    reader.back++;
}

static void read_record(const struct record *record)
{
    if (record->kind == VERB_LIKE)
        read_like(record);
    else if (record->kind == VERB_UNLIKE)
        read_unlike(record);
    else if (is_settling(record) && record->fields & RECORD_HAS_BEFORE) {
        check_age(record);
        move(&reader.credit[record->target], record_before(record), -1);
        move(&reader.credit[record->target], record_verdict(record), 1);
        reader.settled++;
    }
}

/* All records of the last turn, through their bytes. */
static void read_all(const struct engine *engine)
{
    for (size_t at = 0, i = 0; i < engine->record_count; i++) {
        struct record record = {.time_us = engine->now_us};
        size_t size = record_decode(engine->body + at, engine->body_size - at, &record);

        assert_true(size > 0);
        at += size;
        if (record.fields & RECORD_CHANGED)
            read_record(&record);
    }
}

static struct credit credit_of(struct test_engine *engine, uint64_t item)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = item};

    const struct reply *reply = test_engine_ask(engine, &get);

    return reply->kind == REPLY_ITEM ? reply->item->credit : (struct credit){0};
}

static void compare(struct test_engine *engine)
{
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct credit is = credit_of(engine, i), wanted = reader.credit[i];

        assert_int_equal(is.credited_pct, wanted.credited_pct);
        assert_int_equal(is.held, wanted.held);
        assert_int_equal(is.quarantined, wanted.quarantined);
        assert_int_equal(is.voided, wanted.voided);
    }
}

/* --- one partition -------------------------------------------------------------------------------
 */

static void ask(const struct request *request)
{
    test_engine_ask(&test, request);
    read_all(&test.engine);
}

static struct record any_settle(struct test_random *random)
{
    return (struct record){
        .kind = RECORD_SETTLE,
        .fields = RECORD_HAS_VERDICT | RECORD_CHANGED,
        .account = test_random_below(random, ACCOUNTS),
        .target = test_random_below(random, ITEMS),
        .a = test_random_below(random, 2), /* 0: no case, a void stays */
        .verdict = {.weight_pct = (uint8_t)test_random_below(random, WEIGHT_FULL + 1),
                    .mark = (uint8_t)(test_random_below(random, 2) * MARK_VOIDED),
                    .reason = (uint8_t)test_random_below(random, REASON_COUNT)},
    };
}

static void step(struct test_random *random)
{
    struct request request =
        test_set(VERB_LIKE, test_random_below(random, ACCOUNTS), test_random_below(random, ITEMS));
    uint64_t what = test_random_below(random, 40);
    struct record settle;

    test.now_us += (int64_t)test_random_below(random, 20 * SECOND);
    if (what < 14) {
        ask(&request);
    } else if (what < 24) {
        request.verb = VERB_UNLIKE;
        ask(&request);
    } else if (what < 28) {
        request.verb = VERB_ACT;
        request.count = 3;
        request.u.actions[0] = VERB_UNLIKE;
        request.u.actions[1] = VERB_FAVORITE;
        request.u.actions[2] = VERB_LIKE;
        ask(&request);
    } else if (what == 28) {
        request.verb = VERB_CLEANUP_RUN;
        ask(&request);
    } else if (what == 29) {
        request.verb = VERB_CLEANUP_UNDO;
        request.flags = REQUEST_HAS_CURSOR;
        request.u.cursor = 1 + test_random_below(random, 3);
        ask(&request);
    } else if (what == 30) {
        test_engine_flush(&test);
    } else {
        settle = any_settle(random);
        test_engine_settle(&test, &settle);
        read_all(&test.engine);
    }
}

static void walk(uint64_t seed)
{
    struct test_random random = {test_seed(seed)};

    for (int i = 0; i < 6000; i++) {
        step(&random);
        if (i % 50 == 0)
            compare(&test);
    }
    compare(&test);
    assert_true(reader.first == ACCOUNTS * ITEMS && reader.again > 300 && reader.back > 300 &&
                reader.settled > 300);
}

static void a_reader_without_edges_has_the_same_numbers(void **state)
{
    (void)state;
    walk(31);
}

static void it_has_them_where_likes_fade(void **state)
{
    (void)state;
    walk(32);
}

/* --- two partitions ------------------------------------------------------------------------------
 */

/* Hands over what one engine has for the other, and reads what that makes of it. */
static void deliver(struct test_engine *from, struct test_engine *to)
{
    uint32_t count = from->engine.effect_count;
    struct effect *effects = calloc(count + 1, sizeof *effects);

    for (uint32_t i = 0; i < count; i++)
        effects[i] = from->engine.effects[i];
    for (uint32_t i = 0; i < count; i++) {
        hot_turn_begin(to->engine.hot);
        to->needs = (struct needs){0};
        assert_true(engine_gather_record(&to->engine, &effects[i].record, &to->needs));
        test_engine_load(to);
        assert_true(engine_gather_record_creators(&to->engine, &effects[i].record, &to->needs));
        test_engine_load(to);
        engine_begin(&to->engine, from->engine.now_us);
        engine_take(&to->engine, &effects[i].record);
        read_all(&to->engine);
    }
    free(effects);
}

/* The item's partition settles likes of accounts that live elsewhere: told once, by the account's.
 */
static void what_another_partition_settles_is_told_once(void **state)
{
    struct test_random random = {test_seed(33)};
    uint64_t item = 0, account = 0;

    (void)state;
    test_engine_open(&other, NULL);
    test.engine.partition_count = other.engine.partition_count = 2;
    other.engine.partition = 1;
    while (hash_partition(item, 2) != 1)
        item++;
    while (hash_partition(account, 2) != 0)
        account++;
    assert_true(item < ITEMS && account < ACCOUNTS);
    for (int i = 0; i < 2000; i++) {
        struct request like =
            test_set(test_random_below(&random, 3) > 0 ? VERB_LIKE : VERB_UNLIKE, account, item);
        struct record settle = any_settle(&random);

        ask(&like);
        deliver(&test, &other);
        settle.account = account;
        settle.target = item;
        settle.a = 1;
        other.now_us = test.now_us;
        test_engine_settle(&other, &settle);
        read_all(&other.engine);
        deliver(&other, &test);
        deliver(&test, &other);
        assert_int_equal(credit_of(&other, item).credited_pct, reader.credit[item].credited_pct);
        assert_int_equal(credit_of(&other, item).voided, reader.credit[item].voided);
    }
    assert_true(reader.settled > 500);
    test.engine.partition_count = other.engine.partition_count = 1;
    test_engine_close(&other);
}

/* --- what it costs -------------------------------------------------------------------------------
 */

static void a_first_like_is_as_short_as_ever(void **state)
{
    struct request like = test_set(VERB_LIKE, 1, 2);

    (void)state;
    ask(&like);
    assert_int_equal(test.engine.body_size, 4); /* kind, fields, account, target */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reader_without_edges_has_the_same_numbers, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(it_has_them_where_likes_fade, open_rules, close_engine),
        cmocka_unit_test_setup_teardown(what_another_partition_settles_is_told_once, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(a_first_like_is_as_short_as_ever, open_engine,
                                        close_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
