/* What views are worth: raw and credited, by records alone, against the simplest twin; a flood of
 * viewers that never looked before; who looked before, and who is imported. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/inner.h"
#include "support/test_judges.h"

#define ITEMS        5
#define SECOND       1000000
#define DAY          (86400LL * SECOND)
#define REGION_BYTES JUDGE_BYTES_MIN

static struct test_engine test, other;
static struct test_judges judged;

static int open_engine(void **state)
{
    (void)state;
    test_engine_open(&test, NULL);
    return 0;
}

static int open_scored(void **state)
{
    open_engine(state);
    test_judges_open(&judged, &test.engine, NULL, true);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    test_judges_close(&judged);
    return 0;
}

static struct item_row item_in(struct test_engine *engine, uint64_t id)
{
    struct request get = {.verb = VERB_ITEM_GET, .target = id};
    const struct reply *reply = test_engine_ask(engine, &get);

    assert_int_equal(reply->kind, REPLY_ITEM);
    return *reply->item;
}

static struct item_row item_of(uint64_t id)
{
    return item_in(&test, id);
}

/* --- by records ---------------------------------------------------------------------------------
 */

struct twin {
    uint64_t raw[ITEMS], credited_pct[ITEMS];
    uint64_t halves[ITEMS]; /* of views that count in full and may still be taken along */
};

static struct record any_view(struct test_random *random, uint64_t account, uint64_t item)
{
    struct record record = {.kind = VERB_VIEW,
                            .fields = RECORD_CHANGED | RECORD_HAS_ARGS,
                            .account = account,
                            .target = item,
                            .a = test_random_below(random, 60000),
                            .b = test_random_below(random, UINT32_MAX)};

    if (test_random_below(random, 3) > 0)
        return record;
    record.fields |= RECORD_HAS_VERDICT;
    record.verdict = (struct verdict){.weight_pct = (uint8_t)test_random_below(random, 101),
                                      .mark = (uint8_t)test_random_below(random, MARK_VOIDED),
                                      .reason = REASON_FIRST_TIMERS};
    return record;
}

/* What comes of it. A third of those that are not plain take some before them along. */
static void twin_view(struct twin *twin, struct test_random *random, struct record *record)
{
    size_t i = record->target;
    struct verdict verdict = record_verdict(record);
    uint64_t along = 0;

    twin->raw[i]++;
    if (verdict_is_plain(&verdict)) {
        twin->credited_pct[i] += WEIGHT_FULL;
        twin->halves[i] += 2;
        return;
    }
    if (test_random_below(random, 3) == 0)
        along = twin->halves[i] < 255 ? twin->halves[i] : 255;
    record->b |= along << 32;
    twin->halves[i] -= along;
    twin->credited_pct[i] -= along * WEIGHT_FULL / 2;
    twin->credited_pct[i] += verdict.mark == MARK_PLAIN ? verdict.weight_pct : 0;
}

static void compare(struct test_engine *engine, const struct twin *twin)
{
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct item_row item;

        if (twin->raw[i] == 0)
            continue;
        item = item_in(engine, i);
        assert_int_equal(item.counts[COUNTER_VIEW], twin->raw[i]);
        assert_int_equal(item_views_pct(&item), twin->credited_pct[i]);
    }
}

/* Through its bytes, as a log has it. */
static struct record through_bytes(const struct record *record)
{
    uint8_t bytes[RECORD_BYTES_MAX];
    size_t size = record_encode(record, bytes);
    struct record back = {0};

    assert_int_equal(record_decode(bytes, size, &back), size);
    return back;
}

static void apply(struct test_engine *engine, const struct record *record)
{
    struct record back = through_bytes(record);

    back.sequence = engine->engine.sequence + 1;
    back.time_us = engine->engine.now_us + SECOND;
    engine_begin(&engine->engine, back.time_us);
    engine_apply(&engine->engine, &back);
}

static void two_numbers_are_always_those_of_the_records(void **state)
{
    struct test_random random = {test_seed(3)};
    struct twin twin = {0};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct record record =
            any_view(&random, test_random_below(&random, 20), test_random_below(&random, ITEMS));

        twin_view(&twin, &random, &record);
        apply(&test, &record);
        if (i % 500 == 0)
            compare(&test, &twin);
        if (i % 700 == 0)
            test_engine_flush(&test);
    }
    compare(&test, &twin);
}

/* Accounts in one partition, items in another: what a view is worth rides on the effect. */
static void an_item_elsewhere_is_told_the_worth(void **state)
{
    struct test_random random = {test_seed(4)};
    uint64_t item = 0, account = 0;
    struct twin twin = {0};

    (void)state;
    test_engine_open(&other, NULL);
    test.engine.partition_count = other.engine.partition_count = 2;
    other.engine.partition = 1;
    while (hash_partition(item, 2) != 1)
        item++;
    assert_true(item < ITEMS);
    while (hash_partition(account, 2) != 0)
        account++;
    for (int i = 0; i < 3000; i++) {
        struct record record = any_view(&random, account, item);

        twin_view(&twin, &random, &record);
        apply(&test, &record);
        assert_int_equal(test.engine.effect_count, 1);
        assert_int_equal(test.engine.effects[0].to, 1);
        engine_begin(&other.engine, other.engine.now_us + SECOND);
        record = through_bytes(&test.engine.effects[0].record);
        engine_take(&other.engine, &record);
    }
    compare(&other, &twin);
    assert_int_equal(twin.raw[item], 3000);
    test.engine.partition_count = other.engine.partition_count = 1;
    test_engine_close(&other);
}

/* Whatever a record says, credited never goes below nothing. */
static void no_record_takes_more_than_there_is(void **state)
{
    struct record record = {.kind = VERB_VIEW,
                            .fields = RECORD_CHANGED | RECORD_HAS_ARGS | RECORD_HAS_VERDICT,
                            .account = 1,
                            .target = 2,
                            .b = 255ULL << 32,
                            .verdict = {.mark = MARK_HELD}};

    (void)state;
    for (int i = 1; i < 5; i++) {
        struct item_row item;

        apply(&test, &record);
        item = item_of(2);
        assert_int_equal(item.counts[COUNTER_VIEW], i);
        assert_int_equal(item_views_pct(&item), 0);
    }
}

/* --- by the scorer ------------------------------------------------------------------------------
 */

#define REGULARS 60u
#define BOTS     40u
#define VICTIM   5000u

static void look(enum verb verb, uint64_t account, uint64_t item, enum source source)
{
    struct request request = test_set(verb, account, item);

    if (source == SOURCE_IMPORT) {
        request.flags |= REQUEST_CONTEXT;
        request.context.source = SOURCE_IMPORT;
    }
    test.now_us += SECOND;
    assert_int_equal(test_engine_ask(&test, &request)->u.value, 1);
}

static uint64_t credited(uint64_t item)
{
    struct item_row row = item_of(item);

    return item_views_pct(&row);
}

/* On four days regulars look at things of their own taste. The bots are there and do nothing. */
static void a_platform_looks(void)
{
    for (uint64_t i = 0; i < BOTS; i++) {
        struct request set = {.verb = VERB_ACCOUNT_SET, .account = 9000 + i};

        test_engine_ask(&test, &set);
    }
    for (uint64_t day = 0; day < 8; day += 2) {
        for (uint64_t i = 0; i < 4 * REGULARS; i++) {
            test.now_us += 59LL * SECOND;
            look(VERB_VIEW, 1 + i % REGULARS, 1000 * day + i / 4 + i % 7 * 100 + 9, 0);
        }
        test.now_us += DAY;
    }
}

/* Ten regulars view the victim, five of them like it; then bots come that never looked at anything;
 * then ten more regulars. */
static void flood(void)
{
    for (uint64_t i = 1; i <= 10; i++)
        look(VERB_VIEW, i, VICTIM, 0);
    for (uint64_t i = 1; i <= 5; i++)
        look(VERB_LIKE, i, VICTIM, 0);
    for (uint64_t i = 0; i < BOTS; i++)
        look(VERB_VIEW, 9000 + i, VICTIM, 0);
    for (uint64_t i = 11; i <= 20; i++)
        look(VERB_VIEW, i, VICTIM, 0);
}

static void a_flood_of_first_looks_is_worth_nothing(void **state)
{
    struct item_row item;

    (void)state;
    a_platform_looks();
    flood();
    item = item_of(VICTIM);
    assert_int_equal(item.counts[COUNTER_VIEW], 20 + BOTS);    /* raw is what it is */
    assert_int_equal(item_views_pct(&item), 20 * WEIGHT_FULL); /* the first of them as well */
    assert_int_equal(item.credit.credited_pct + item.credit.held * WEIGHT_FULL, 5 * WEIGHT_FULL);
    assert_int_equal(judged.judges.reopened, 0); /* views speak about views */
}

/* The same accounts, who looked around a little a week ago: these are not told from people. */
static void who_looked_before_is_believed(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < BOTS; i++)
        look(VERB_VIEW, 9000 + i, 600 + i, 0);
    a_platform_looks();
    flood();
    assert_int_equal(credited(VICTIM), (20 + BOTS) * WEIGHT_FULL);
}

/* A third of a crowd that a show sends is new: its views are settled at once as its likes are
 * later. */
static void a_crowd_with_newcomers_counts(void **state)
{
    (void)state;
    a_platform_looks();
    for (uint64_t i = 1; i <= REGULARS; i++) {
        look(VERB_VIEW, i, VICTIM, 0);
        if (i % 2 == 0)
            look(VERB_VIEW, 9000 + i, VICTIM, 0);
    }
    assert_int_equal(credited(VICTIM), (REGULARS + REGULARS / 2) * WEIGHT_FULL);
}

static void a_few_first_looks_count(void **state)
{
    (void)state;
    a_platform_looks();
    for (uint64_t i = 1; i <= 30; i++)
        look(VERB_VIEW, i % 15 == 0 ? 8000 + i : i, VICTIM, 0);
    assert_int_equal(credited(VICTIM), 30 * WEIGHT_FULL);
}

static void what_was_imported_counts_in_full(void **state)
{
    (void)state;
    a_platform_looks();
    for (uint64_t i = 0; i < BOTS; i++)
        look(VERB_VIEW, 9000 + i, VICTIM, SOURCE_IMPORT);
    assert_int_equal(credited(VICTIM), BOTS * WEIGHT_FULL);
}

/* Pending, never full: and a view is not scored again. */
static void without_the_scorer_views_weigh_nothing(void **state)
{
    (void)state;
    look(VERB_VIEW, 1, 7, 0);
    assert_int_equal(credited(7), WEIGHT_FULL);
    judged.judges.trust = NULL;
    judged.judges.unscored = judged.judges.pending = true;
    look(VERB_VIEW, 2, 7, 0);
    assert_int_equal(credited(7), WEIGHT_FULL);
}

/* Its records, applied by an engine that judges nothing, and by one whose scorer learns from them:
 * the same row, and the same memory. */
static void a_replay_comes_to_the_same(void **state)
{
    static struct judges learnt;
    void *memory = aligned_alloc(64, REGION_BYTES);
    struct item_row is, was;

    (void)state;
    test_engine_open(&other, NULL);
    assert_true(judges_open(&learnt, memory, REGION_BYTES, NULL, NULL, true, false));
    for (int pass = 0; pass < 2; pass++) {
        other.engine.judges = pass == 0 ? &learnt : NULL;
        for (uint64_t i = 0; i < 1300; i++) {
            uint64_t item = 1000 * (uint64_t)pass + (i >= 1200 ? 9 : i / 10);
            struct record record = {0};

            look(VERB_VIEW, i < 1200 ? i % 40 : 7000 + 1000 * (uint64_t)pass + i, item, 0);
            test.now_us += i < 1200 ? 400LL * SECOND : 0;
            assert_true(record_decode(test.engine.body, test.engine.body_size, &record) > 0);
            record.sequence = other.engine.sequence + 1;
            record.time_us = test.engine.now_us;
            engine_begin(&other.engine, record.time_us);
            engine_apply(&other.engine, &record);
        }
        is = item_of(1000 * (uint64_t)pass + 9);
        was = item_in(&other, 1000 * (uint64_t)pass + 9);
        assert_memory_equal(&is, &was, sizeof is);
        assert_true(is.views_lost_pct > 90 * WEIGHT_FULL);
        if (pass == 0)
            assert_memory_equal(judged.region, memory, REGION_BYTES);
    }
    test_engine_close(&other);
    free(memory);
}

int main(void)
{
#define WITH_ENGINE(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)
#define WITH_SCORER(name) cmocka_unit_test_setup_teardown(name, open_scored, close_engine)
    const struct CMUnitTest tests[] = {
        WITH_ENGINE(two_numbers_are_always_those_of_the_records),
        WITH_ENGINE(an_item_elsewhere_is_told_the_worth),
        WITH_ENGINE(no_record_takes_more_than_there_is),
        WITH_SCORER(a_flood_of_first_looks_is_worth_nothing),
        WITH_SCORER(who_looked_before_is_believed),
        WITH_SCORER(a_crowd_with_newcomers_counts),
        WITH_SCORER(a_few_first_looks_count),
        WITH_SCORER(what_was_imported_counts_in_full),
        WITH_SCORER(without_the_scorer_views_weigh_nothing),
        WITH_SCORER(a_replay_comes_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
