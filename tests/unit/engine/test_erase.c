/* The right to be forgotten: asked for, waited for, carried out; what counts fall by, what is left,
 * what no act can bring back; the same after a replay (model.privacy and zan verify see to that).
 */
#include "engine/inner.h"
#include "engine/notice.h"
#include "node/load.h"
#include "support.h"
#include "support/test_engine.h"

#define HOLDER  7
#define OTHER   8
#define CREATOR 9
#define ITEMS   300
#define NOTICES 20
#define HOUR_US (3600LL * 1000000)

static const struct reply *ask(struct test_engine *test, struct request request)
{
    return test_engine_ask(test, &request);
}

static uint8_t status_of(struct test_engine *test, uint16_t verb)
{
    return ask(test, (struct request){.verb = verb, .account = HOLDER})->status;
}

static void load(struct test_engine *test)
{
    assert_int_equal(load_needs(test->engine.store, test->engine.hot, &test->needs, test->now_us),
                     STATUS_OK);
}

/* From its first step to its last. */
static const struct reply *purge(struct test_engine *test, bool flush)
{
    struct engine *engine = &test->engine;

    test->batch.requests[0] = (struct request){.verb = VERB_ACCOUNT_PURGE, .account = HOLDER};
    test->batch.count = 1;
    for (uint32_t turns = 0;; turns++) {
        assert_true(turns < 10000);
        test->now_us += 1000;
        hot_turn_begin(engine->hot);
        if (engine_gather(engine, &test->batch, 0, &test->needs) == 0) {
            test_engine_flush(test);
            continue;
        }
        load(test);
        engine_gather_creators(engine, &test->batch, 0, 1, &test->needs);
        load(test);
        if (engine_step(engine, &test->batch, 0, 1, test->now_us) == 1)
            return &test->batch.replies[0];
        if (flush)
            test_engine_flush(test);
    }
}

static struct account_row account(struct test_engine *test, uint64_t id)
{
    return *ask(test, (struct request){.verb = VERB_ACCOUNT_GET, .account = id})->account;
}

static struct item_row item(struct test_engine *test, uint64_t id)
{
    return *ask(test, (struct request){.verb = VERB_COUNTS, .target = id})->item;
}

static void fill(struct test_engine *test, bool flush)
{
    test->engine.erase_wait_us = HOUR_US;
    for (uint64_t id = 1; id <= ITEMS; id++) {
        ask(test, (struct request){.verb = VERB_ITEM_SET,
                                   .target = id,
                                   .flags = REQUEST_HAS_CREATOR,
                                   .u.item.creator = CREATOR});
        ask(test, test_set(VERB_LIKE, HOLDER, id));
        ask(test, test_set(VERB_LIKE, OTHER, id));
        if (id % 3 == 0)
            ask(test, test_set(VERB_FAVORITE, HOLDER, id));
        if (flush && id == ITEMS / 2)
            test_engine_flush(test);
    }
    ask(test, test_set(VERB_UNLIKE, HOLDER, 1));
    ask(test, test_set(VERB_FOLLOW, HOLDER, CREATOR));
    ask(test, test_set(VERB_FOLLOW, OTHER, HOLDER));
    ask(test, test_set(VERB_REPORT, HOLDER, 2));
    ask(test, test_set(VERB_SHARE, HOLDER, 2));
    ask(test, (struct request){.verb = VERB_ACCOUNT_SET,
                               .account = HOLDER,
                               .flags = REQUEST_HAS_TIER | REQUEST_HAS_SWITCH,
                               .u.portrait = {.tier = TIER_ELDER,
                                              .switches = SWITCH_IMPERSONAL,
                                              .switch_mask = SWITCH_IMPERSONAL,
                                              .has_region = 1,
                                              .region = 899 /* cn */}});
}

/* Something is in the account's inbox. */
static void tell(struct test_engine *test, bool flush)
{
    struct inbox_row row = {.id = HOLDER, .count = 1, .last = 1};
    uint32_t slot;

    row.at[0] = (struct notice){.id = 1, .target = 77, .time_us = test->now_us};
    hot_turn_begin(test->engine.hot);
    slot = hot_inbox_add(test->engine.hot, &(struct inbox_row){.id = HOLDER});
    *hot_inbox_change(test->engine.hot, slot) = row;
    if (flush)
        test_engine_flush(test);
}

static uint32_t told(struct test_engine *test)
{
    uint32_t slot = hot_inbox_find(test->engine.hot, 0, HOLDER);

    assert_true(slot != HOT_NONE);
    return hot_inbox(test->engine.hot, slot)->count + hot_inbox(test->engine.hot, slot)->last;
}

static void is_asked_for_waits_and_may_be_taken_back(void **state)
{
    struct test_engine test;

    (void)state;
    test_engine_open(&test, NULL);
    fill(&test, false);
    assert_int_equal(status_of(&test, VERB_ACCOUNT_KEEP), STATUS_UNCHANGED);
    assert_int_equal(purge(&test, false)->status, STATUS_NOTDUE); /* nobody asked */
    assert_int_equal(status_of(&test, VERB_ACCOUNT_ERASE), STATUS_OK);
    assert_true((int64_t)account(&test, HOLDER).erase_s * 1000000 >=
                test.now_us + HOUR_US - 1000000);
    assert_int_equal(status_of(&test, VERB_ACCOUNT_ERASE), STATUS_UNCHANGED);
    assert_int_equal(purge(&test, false)->status, STATUS_NOTDUE); /* not yet */
    test.now_us += HOUR_US + 2000000;
    assert_int_equal(status_of(&test, VERB_ACCOUNT_KEEP), STATUS_OK);
    assert_int_equal(purge(&test, false)->status, STATUS_NOTDUE); /* thought again */
    assert_int_equal(account(&test, HOLDER).given[COUNTER_LIKE], ITEMS - 1);
    assert_int_equal(
        ask(&test, (struct request){.verb = VERB_ACCOUNT_ERASE, .account = 99})->status,
        STATUS_NOACCOUNT);
    test_engine_close(&test);
}

static void counts_fall_and_a_tombstone_is_left(void **state)
{
    (void)state;
    for (int flush = 0; flush < 2; flush++) {
        struct test_engine test;
        const struct reply *reply;
        struct account_row row, creator;
        uint64_t one = 1;

        test_engine_open(&test, NULL);
        fill(&test, flush);
        tell(&test, flush);
        ask(&test, (struct request){.verb = VERB_ACCOUNT_ERASE, .account = HOLDER});
        test.now_us += HOUR_US + 2000000;
        reply = purge(&test, flush);
        assert_int_equal(reply->kind, REPLY_INTEGERS);
        assert_int_equal(reply->u.values[1], ITEMS - 1 + ITEMS / 3 + 1);
        assert_int_equal(reply->u.values[2], 0);
        for (uint64_t id = 1; id <= ITEMS; id++) {
            assert_int_equal(item(&test, id).counts[COUNTER_LIKE], 1);
            assert_int_equal(item(&test, id).counts[COUNTER_FAVORITE], 0);
            assert_int_equal(item(&test, id).credit.credited_pct, 100);
        }
        assert_int_equal(told(&test), 0);
        creator = account(&test, CREATOR);
        assert_int_equal(creator.received[COUNTER_LIKE], ITEMS);
        assert_int_equal(creator.received[COUNTER_FOLLOW], 0);
        row = account(&test, HOLDER);
        assert_int_equal(row.state, ACCOUNT_ERASED);
        assert_int_equal(row.given[COUNTER_LIKE] | row.given[COUNTER_FAVORITE] |
                             row.given[COUNTER_FOLLOW] | row.given[COUNTER_SHARE],
                         0);
        assert_int_equal(row.given[COUNTER_REPORT], 1); /* the report stands */
        assert_int_equal(row.received[COUNTER_FOLLOW], 1);
        assert_int_equal(row.taken_back, 0); /* neither what was, nor what the erasure took */
        assert_true((row.tier | row.switches | row.visibility | row.region) == 0);
        assert_true(row.first_us == 0 && row.erase_s == 0 && row.epoch == 1);
        /* Nothing can be done in its name any more, by whomever. */
        assert_int_equal(ask(&test, test_set(VERB_LIKE, HOLDER, one))->status, STATUS_ERASED);
        assert_int_equal(ask(&test, test_set(VERB_FOLLOW, HOLDER, OTHER))->status, STATUS_ERASED);
        assert_int_equal(status_of(&test, VERB_ACCOUNT_SET), STATUS_ERASED);
        assert_int_equal(status_of(&test, VERB_ACCOUNT_STATE), STATUS_ERASED);
        assert_int_equal(status_of(&test, VERB_ACCOUNT_ERASE), STATUS_ERASED);
        assert_int_equal(status_of(&test, VERB_ACCOUNT_KEEP), STATUS_ERASED);
        test.now_us += 4000LL * 24 * HOUR_US; /* for good */
        assert_int_equal(ask(&test, test_set(VERB_LIKE, HOLDER, one))->status, STATUS_ERASED);
        assert_int_equal(purge(&test, flush)->u.values[1], 0); /* again: nothing */
        test_engine_close(&test);
    }
}

/* A crash between two steps: the account is closed already, calling again does the rest. */
static void goes_on_after_a_crash(void **state)
{
    struct test_engine test;
    struct engine *engine = &test.engine;

    (void)state;
    test_engine_open(&test, NULL);
    fill(&test, true);
    ask(&test, (struct request){.verb = VERB_ACCOUNT_ERASE, .account = HOLDER});
    test.now_us += HOUR_US + 2000000;
    test.batch.requests[0] = (struct request){.verb = VERB_ACCOUNT_PURGE, .account = HOLDER};
    test.batch.count = 1;
    hot_turn_begin(engine->hot);
    assert_int_equal(engine_gather(engine, &test.batch, 0, &test.needs), 1);
    load(&test);
    engine_gather_creators(engine, &test.batch, 0, 1, &test.needs);
    load(&test);
    assert_int_equal(engine_step(engine, &test.batch, 0, 1, test.now_us), 0); /* more to do */
    engine->sweep = (struct sweep){0};
    assert_int_equal(ask(&test, test_set(VERB_LIKE, HOLDER, ITEMS + 1))->status, STATUS_ERASED);
    assert_int_equal(purge(&test, true)->u.values[1], ITEMS - 1 + ITEMS / 3 + 1 - ENGINE_SWEEP);
    assert_int_equal(account(&test, HOLDER).given[COUNTER_LIKE], 0);
    test_engine_close(&test);
}

/* Nobody sees what a minor likes, whatever is set; the account itself does. */
static void a_minor_is_seen_by_nobody(void **state)
{
    struct test_engine test;
    struct request set = {.verb = VERB_ACCOUNT_SET,
                          .account = HOLDER,
                          .flags = REQUEST_HAS_VISIBLE,
                          .u.portrait = {.visibility = VISIBLE_TO_ALL}};
    struct request look = {.verb = VERB_ACTIVITY,
                           .account = HOLDER,
                           .target = OTHER,
                           .count = 10,
                           .flags = REQUEST_HAS_VIEWER};

    (void)state;
    test_engine_open(&test, NULL);
    ask(&test, test_set(VERB_LIKE, HOLDER, 1));
    ask(&test, test_set(VERB_FOLLOW, HOLDER, OTHER)); /* mutual: the preset shows him most */
    ask(&test, test_set(VERB_FOLLOW, OTHER, HOLDER));
    ask(&test, set);
    assert_int_equal(ask(&test, look)->count, 1);
    set.flags = REQUEST_HAS_SWITCH;
    set.u.portrait.switches = set.u.portrait.switch_mask = SWITCH_MINOR;
    assert_int_equal(ask(&test, set)->u.value, 1);
    assert_int_equal(ask(&test, set)->u.value, 0);
    assert_int_equal(account(&test, HOLDER).visibility, VISIBLE_TO_ALL);
    assert_int_equal(ask(&test, look)->count, 0);
    look.target = HOLDER;
    assert_int_equal(ask(&test, look)->count, 1);
    look.target = OTHER;
    set.u.portrait.switches = 0;
    assert_int_equal(ask(&test, set)->u.value, 1);
    assert_int_equal(ask(&test, look)->count, 1);
    test_engine_close(&test);
}

static struct request page(uint64_t cursor, uint16_t count)
{
    return (struct request){.verb = VERB_ACCOUNT_EXPORT,
                            .account = HOLDER,
                            .count = count,
                            .flags = cursor != 0 ? REQUEST_HAS_CURSOR : 0,
                            .u.cursor = cursor};
}

static uint64_t open_case(struct test_engine *test, uint64_t about)
{
    return (uint64_t)ask(test, (struct request){.verb = VERB_CASE_OPEN,
                                                .target = about,
                                                .u.deed = {.kind = CASE_REVIEW,
                                                           .subject = SUBJECT_ACCOUNT,
                                                           .text = "why",
                                                           .text_size = 3}})
        ->u.value;
}

static void tell_him(struct test_engine *test)
{
    struct record cause = {.time_us = test->now_us};
    struct notice_order order = {.kind = NOTICE_DECIDED, .account = HOLDER};

    ask(test, (struct request){.verb = VERB_NOTICES, .account = HOLDER, .count = 1});
    for (order.case_id = 1; order.case_id <= NOTICES; order.case_id++)
        notice_tell(&test->engine, &cause, &order);
}

/* Page by page, from memory and from the store: each like exactly once, with what it is worth. */
static void an_export_has_everything_once(void **state)
{
    (void)state;
    for (int flush = 0; flush < 2; flush++) {
        struct test_engine test;
        uint32_t seen[EDGE_COUNT][ITEMS + 1] = {{0}}, cases = 0, accounts = 0, pages = 0,
                                          notices[NOTICES + 1] = {0};
        uint64_t cursor = 0, first, second, other;

        test_engine_open(&test, NULL);
        fill(&test, flush);
        test_engine_settle(&test, &(struct record){.kind = RECORD_SETTLE,
                                                   .fields = RECORD_HAS_VERDICT,
                                                   .account = HOLDER,
                                                   .target = 5,
                                                   .verdict = {.weight_pct = 30,
                                                               .reason = REASON_YOUNG,
                                                               .reasons = 1 << REASON_YOUNG}});
        first = open_case(&test, HOLDER);
        second = open_case(&test, HOLDER);
        other = open_case(&test, OTHER);
        tell_him(&test);
        assert_true(first != 0 && second > first && other > second);
        do {
            const struct reply *reply = ask(&test, page(cursor, 7));

            assert_int_equal(reply->kind, REPLY_EXPORT);
            assert_true(reply->count <= 7 && ++pages < 1000);
            for (uint32_t i = 0; reply->noticed && i < reply->count; i++)
                notices[reply->u.notices[i].notice.id]++;
            for (uint32_t i = 0; !reply->noticed && i < reply->count; i++) {
                const struct edge_row *edge = &reply->u.edges[i];

                assert_true(edge->on && edge->account == HOLDER && edge->target <= ITEMS);
                seen[edge->kind][edge->target]++;
                assert_int_equal(edge->weight_pct, edge->kind != EDGE_LIKE ? 0
                                                   : edge->target == 5     ? 30
                                                                           : 100);
                if (edge->target == 5 && edge->kind == EDGE_LIKE)
                    assert_int_equal(edge_reason(edge), REASON_YOUNG);
            }
            accounts += reply->account != NULL;
            if (reply->cased != NULL) {
                assert_true(reply->own && reply->cased->id == (cases == 0 ? second : first));
                cases++;
            }
            cursor = reply->cursor;
        } while (cursor != 0);
        for (uint64_t id = 1; id <= ITEMS; id++) {
            assert_int_equal(seen[EDGE_LIKE][id], id != 1); /* that one was taken back */
            assert_int_equal(seen[EDGE_FAVORITE][id], id % 3 == 0);
        }
        assert_int_equal(seen[EDGE_FOLLOW][CREATOR], 1);
        assert_true(accounts == 1 && cases == 2);
        for (uint32_t id = 1; id <= NOTICES; id++)
            assert_int_equal(notices[id], 1);
        /* A cursor is no key to what is others'. */
        assert_int_equal(ask(&test, page(5ULL << 60 | other, 7))->status, STATUS_BADCURSOR);
        assert_int_equal(ask(&test, page(9ULL << 60 | 1, 7))->status, STATUS_BADCURSOR);
        assert_int_equal(ask(&test, page(1, 7))->status, STATUS_BADCURSOR);
        test_engine_close(&test);
    }
}

/* The holder reads no verdict of rules or scorer off his copy; what people decided he does. */
static void an_export_is_no_oracle(void **state)
{
    static const uint8_t roles[] = {ROLE_USER, ROLE_CREATOR, ROLE_BACKEND, ROLE_PRIVACY};
    static const struct verdict verdicts[] = {
        {.weight_pct = 30, .reason = REASON_POLICY, .reasons = 1 << REASON_POLICY},
        {.weight_pct = 100,
         .mark = MARK_HELD,
         .reason = REASON_YOUNG,
         .reasons = 1 << REASON_YOUNG},
        {.weight_pct = 40, .reason = REASON_REVIEW, .reasons = 1 << REASON_REVIEW},
        {.mark = MARK_VOIDED, .reason = REASON_REVIEW, .reasons = 1 << REASON_REVIEW}};
    struct test_engine test;

    (void)state;
    test_engine_open(&test, NULL);
    fill(&test, 0);
    for (uint32_t i = 0; i < 4; i++)
        test_engine_settle(&test, &(struct record){.kind = RECORD_SETTLE,
                                                   .fields = RECORD_HAS_VERDICT,
                                                   .account = HOLDER,
                                                   .target = 5 + i,
                                                   .verdict = verdicts[i]});
    for (uint32_t r = 0; r < 4; r++) {
        struct request wanted = page(1ULL << 60 | ((1ULL << 60) - 1), ITEMS);
        bool veiled = r < 2;
        uint32_t seen = 0;
        const struct reply *reply;

        wanted.role = roles[r];
        reply = ask(&test, wanted);
        assert_int_equal(reply->kind, REPLY_EXPORT);
        for (uint32_t i = 0; i < reply->count; i++) {
            const struct edge_row *edge = &reply->u.edges[i];
            uint64_t which = edge->target - 5;

            if (edge->target < 5 || edge->target > 8)
                continue;
            seen++;
            if (which < 2 && veiled) {
                assert_int_equal(edge->weight_pct, 100);
                assert_int_equal(edge->marks, 0);
                continue;
            }
            assert_int_equal(edge_mark(edge), verdicts[which].mark);
            assert_int_equal(edge_reason(edge), verdicts[which].reason);
            if (which < 3)
                assert_int_equal(edge->weight_pct, verdicts[which].weight_pct);
        }
        assert_int_equal(seen, 4);
    }
    test_engine_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_asked_for_waits_and_may_be_taken_back),
        cmocka_unit_test(counts_fall_and_a_tombstone_is_left),
        cmocka_unit_test(goes_on_after_a_crash),
        cmocka_unit_test(a_minor_is_seen_by_nobody),
        cmocka_unit_test(an_export_has_everything_once),
        cmocka_unit_test(an_export_is_no_oracle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
