#include "support/test_engine.h"

#include <stdlib.h>

#include "node/load.h"
#include "support.h"

void test_engine_open(struct test_engine *test, const struct hot_config *hot)
{
    struct store_config store = {.partition_count = 1, .create = true};
    struct hot_config small = {
        .accounts = 4096, .items = 4096, .edges = 8192, .operations = 8192, .scratch = 8192};
    char message[256];

    *test = (struct test_engine){.now_us = 1700000000000000};
    test->engine = (struct engine){
        .hot = hot_open(hot != NULL ? hot : &small),
        .partition_count = 1,
        .create_unknown = true,
        .operation_keep_us = 24LL * 3600 * 1000000,
        .body = malloc(ENGINE_BODY_BYTES),
        .body_max = ENGINE_BODY_BYTES,
        .effects = malloc(ENGINE_EFFECTS_MAX * sizeof(struct effect)),
        .arena = {.bytes = malloc(ENGINE_ARENA_BYTES), .size = ENGINE_ARENA_BYTES},
    };
    assert_non_null(test->engine.hot);
    assert_int_equal(store_open(&store, &test->engine.store, message), STATUS_OK);
    test->batch.requests = calloc(BATCH_MAX, sizeof(struct request));
    test->batch.replies = calloc(BATCH_MAX, sizeof(struct reply));
}

void test_engine_close(struct test_engine *test)
{
    hot_close(test->engine.hot);
    store_close(test->engine.store);
    free(test->engine.body);
    free(test->engine.effects);
    free(test->engine.arena.bytes);
    free(test->batch.requests);
    free(test->batch.replies);
}

const struct reply *test_engine_ask(struct test_engine *test, const struct request *request)
{
    struct engine *engine = &test->engine;
    uint32_t to;

    test->batch.requests[0] = *request;
    test->batch.count = 1;
    test->now_us += 1000;
    hot_turn_begin(engine->hot);
    to = engine_gather(engine, &test->batch, 0, &test->needs);
    if (to == 0) {
        test_engine_flush(test);
        hot_turn_begin(engine->hot);
        to = engine_gather(engine, &test->batch, 0, &test->needs);
    }
    assert_int_equal(to, 1);
    assert_int_equal(load_needs(engine->store, engine->hot, &test->needs, test->now_us), STATUS_OK);
    for (int look = 0; look < 2; look++) {
        engine_gather_creators(engine, &test->batch, 0, 1, &test->needs);
        assert_int_equal(load_needs(engine->store, engine->hot, &test->needs, test->now_us),
                         STATUS_OK);
    }
    assert_int_equal(engine_step(engine, &test->batch, 0, 1, test->now_us), 1);
    return &test->batch.replies[0];
}

void test_engine_settle(struct test_engine *test, const struct record *settle)
{
    struct engine *engine = &test->engine;
    struct needs *needs = &test->needs;

    test->now_us += 1000;
    for (int tries = 0;; tries++) {
        hot_turn_begin(engine->hot);
        *needs = (struct needs){0};
        if (engine_gather_record(engine, settle, needs))
            break;
        assert_int_equal(tries, 0);
        test_engine_flush(test);
    }
    assert_int_equal(load_needs(engine->store, engine->hot, needs, test->now_us), STATUS_OK);
    *needs = (struct needs){0};
    assert_true(engine_gather_record_creators(engine, settle, needs));
    assert_int_equal(load_needs(engine->store, engine->hot, needs, test->now_us), STATUS_OK);
    engine_begin(engine, test->now_us);
    engine_settle(engine, settle);
}

void test_engine_load(struct test_engine *test)
{
    struct engine *engine = &test->engine;

    assert_int_equal(load_needs(engine->store, engine->hot, &test->needs, test->now_us), STATUS_OK);
    test->needs = (struct needs){0};
}

static void load_case(struct test_engine *test, uint16_t tenant, uint64_t id)
{
    test->needs = (struct needs){0};
    for (int i = 0; i < 3; i++) {
        assert_true(engine_gather_case(&test->engine, tenant, id, &test->needs));
        test_engine_load(test);
    }
}

bool test_engine_case(struct test_engine *test, uint32_t most)
{
    struct engine *engine = &test->engine;
    struct case_page page;
    struct hot_room room;
    uint32_t looks = 1000, count = 0;
    uint16_t tenant;
    uint64_t id;

    hot_room(engine->hot, &room);
    if (room.cases < 8 || room.accounts < 3 * most || room.items < most || room.edges < most)
        test_engine_flush(test);
    test->now_us += 1000;
    hot_turn_begin(engine->hot);
    if (!engine_case_next(engine, test->now_us, &looks, &tenant, &id))
        return false;
    load_case(test, tenant, id);
    engine_begin(engine, test->now_us);
    if (engine_case_expire(engine, tenant, id))
        return true;
    assert_int_equal(engine_case_page(engine, tenant, id, &page), STATUS_OK);
    assert_int_equal(page.id, id);
    for (; count < page.count && count < most; count++) {
        struct record record = engine_case_settle(&page, count);

        assert_true(engine_gather_record(engine, &record, &test->needs));
        test_engine_load(test);
        assert_true(engine_gather_record_creators(engine, &record, &test->needs));
        test_engine_load(test);
    }
    engine_begin(engine, test->now_us);
    engine_case_step(engine, &page, count);
    return true;
}

uint32_t test_engine_records(const struct test_engine *test, struct record *records, uint32_t room)
{
    const struct engine *engine = &test->engine;
    size_t at = 0;

    assert_true(engine->record_count <= room);
    for (uint32_t i = 0; i < engine->record_count; i++) {
        at += record_decode(engine->body + at, engine->body_size - at, &records[i]);
        records[i].sequence = engine->first_sequence + i;
        records[i].time_us = engine->now_us;
        records[i].text = NULL;
        records[i].text_size = 0;
        records[i].fields &= ~(uint32_t)RECORD_HAS_TEXT;
    }
    return engine->record_count;
}

void test_engine_replay(struct test_engine *test, const struct record *record)
{
    struct engine *engine = &test->engine;
    struct hot_room room;

    hot_room(engine->hot, &room);
    if (room.accounts < 16 || room.items < 16 || room.edges < 16 || room.cases < 16 ||
        room.inboxes < 16)
        test_engine_flush(test);
    hot_turn_begin(engine->hot);
    test->needs = (struct needs){0};
    assert_true(engine_gather_record(engine, record, &test->needs));
    test_engine_load(test);
    for (int look = 0; look < 2; look++) {
        assert_true(engine_gather_record_creators(engine, record, &test->needs));
        test_engine_load(test);
    }
    engine->effect_count = 0;
    engine_apply(engine, record);
}

void test_engine_flush(struct test_engine *test)
{
    struct hot_frozen frozen;
    struct store_flush flush;
    uint64_t marks[1] = {0};
    char message[256];

    hot_freeze(test->engine.hot);
    while (!hot_collect(test->engine.hot, 7))
        ;
    hot_frozen(test->engine.hot, &frozen);
    flush = (struct store_flush){
        .applied = test->engine.sequence,
        .accounts = frozen.accounts,
        .account_count = frozen.account_count,
        .items = frozen.items,
        .item_count = frozen.item_count,
        .edges = frozen.edges,
        .edge_count = frozen.edge_count,
        .operations = frozen.operations,
        .operation_count = frozen.operation_count,
        .cases = frozen.cases,
        .inboxes = frozen.inboxes,
        .inbox_count = frozen.inbox_count,
        .case_count = frozen.case_count,
        .marks = marks,
    };
    assert_int_equal(store_flush(test->engine.store, &flush, message), STATUS_OK);
    hot_rest(test->engine.hot);
}

struct request test_set(enum verb verb, uint64_t account, uint64_t target)
{
    return (struct request){.verb = (uint16_t)verb, .account = account, .target = target};
}
