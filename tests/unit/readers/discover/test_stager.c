/* Who decides about exposure: items climb, rest and stop by what their audience did, each step
 * once, also when answers are late, lost, or a new stager takes over. The door here makes the
 * record that the engine would make; records reach discovery when the test says so. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/stager.h"
#include "schema/verb.h"

#define SECOND  1000000LL
#define START   (1700000000 * SECOND)
#define ITEMS   120
#define WAITING 64

static struct discover discover;
static struct stager *stager;
static int64_t now_us;
static uint64_t sequence;

/* Requests that were answered, and their records that were not read yet. */
static struct waiting {
    struct record record;
    char text[256];
} waiting[WAITING];
static uint32_t waiting_count;
static uint32_t refuse_next; /* so many requests are refused */
static uint32_t asked;
static char last_text[256]; /* of the last request */

static void submit(void *context, struct call *call)
{
    const struct request *request = &call->request;
    struct waiting *one = &waiting[waiting_count];

    (void)context;
    asked++;
    assert_int_equal(request->verb, VERB_STAGE);
    assert_true(request->u.note.text_size > 0 && request->u.note.text_size < 200);
    assert_true(request->opid[0] >> 12 != 0);
    memset(&call->reply, 0, sizeof call->reply);
    if (refuse_next > 0) {
        refuse_next--;
        call->reply.status = STATUS_BUSY;
        call->done(call);
        return;
    }
    assert_true(waiting_count < WAITING);
    waiting_count++;
    memcpy(one->text, request->u.note.text, request->u.note.text_size);
    memset(last_text, 0, sizeof last_text);
    memcpy(last_text, request->u.note.text, request->u.note.text_size);
    one->record = (struct record){.kind = VERB_STAGE,
                                  .time_us = now_us,
                                  .fields = RECORD_CHANGED | RECORD_HAS_ARGS | RECORD_HAS_TEXT,
                                  .target = request->target,
                                  .a = request->u.note.word | (uint64_t)request->u.note.value << 8,
                                  .b = request->u.note.amount,
                                  .text_size = request->u.note.text_size};
    call->reply.status = STATUS_OK;
    call->done(call);
}

static void read_records(void)
{
    for (uint32_t i = 0; i < waiting_count; i++) {
        waiting[i].record.sequence = ++sequence;
        waiting[i].record.text = waiting[i].text;
        discover_apply(&discover, &waiting[i].record);
    }
    waiting_count = 0;
}

static struct record record_of(uint8_t kind, uint64_t account, uint64_t target)
{
    return (struct record){.kind = kind,
                           .sequence = ++sequence,
                           .time_us = now_us,
                           .fields = RECORD_CHANGED,
                           .account = account,
                           .target = target};
}

static void say_item(uint64_t item)
{
    struct record record = record_of(VERB_ITEM_SET, 0, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = 5000 + item;
    record.c = REQUEST_HAS_CREATOR;
    discover_apply(&discover, &record);
}

static void say_tag(uint64_t item, const char *tag)
{
    struct record record = record_of(VERB_ITEM_TAG, 0, item);

    record.fields |= RECORD_HAS_TEXT;
    record.text = tag;
    record.text_size = (uint8_t)strlen(tag);
    discover_apply(&discover, &record);
}

static const struct item *item_of(uint64_t id)
{
    return discover_item(&discover, 0, id);
}

/* One attested impression by an account of its own; watched to the end, and liked, as it says. */
static void show(uint64_t item, bool long_view, bool like)
{
    static uint64_t account = 1 << 20;
    struct record record = record_of(VERB_VIEW, ++account, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_IMPRESSION;
    record.a = long_view ? 60000 : 300;
    record.b = 30000;
    record.stage = item_of(item)->stage;
    discover_apply(&discover, &record);
    if (like) {
        record = record_of(VERB_LIKE, account, item);
        discover_apply(&discover, &record);
    }
}

static void open_stager(const char *rule)
{
    struct reader_door door = {.context = &discover, .submit = submit};

    stager = stager_open(door, rule == NULL ? NULL : pool_rule_of(rule));
    assert_non_null(stager);
}

static void turn(void)
{
    now_us += STAGER_US;
    stager_turn(stager, &discover, now_us);
}

/* Turns until nothing is asked any more. */
static void settle(void)
{
    uint32_t before;

    do {
        before = asked;
        turn();
        read_records();
    } while (asked != before);
}

static int open_world(void **state)
{
    (void)state;
    now_us = START;
    waiting_count = refuse_next = asked = 0;
    assert_int_equal(discover_open(&discover, 16u << 20, &discover_defaults), STATUS_OK);
    open_stager("default");
    for (uint64_t item = 1; item <= ITEMS; item++)
        say_item(item);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    stager_close(stager);
    discover_close(&discover);
    return 0;
}

/* --- steps ---------------------------------------------------------------------------------------
 */

static void each_enters_once(void **state)
{
    (void)state;
    settle();
    assert_int_equal(asked, ITEMS);
    for (uint64_t item = 1; item <= ITEMS; item++) {
        assert_int_equal(item_of(item)->stages, 1);
        assert_true(item_of(item)->budget >= 1);
    }
    assert_int_equal(discover.trial.count, ITEMS);
    settle();
    assert_int_equal(asked, ITEMS);
}

/* Answered, and the record is not read for a long time: nothing is asked twice. Refused: asked
 * again. */
static void late_records_and_refusals(void **state)
{
    (void)state;
    refuse_next = 5;
    for (int i = 0; i < 20; i++)
        turn();
    assert_int_equal(waiting_count, STAGER_SLOTS); /* all wait for their records */
    assert_int_equal(asked, STAGER_SLOTS + 5);
    read_records();
    settle();
    assert_int_equal(asked, ITEMS + 5);
    for (uint64_t item = 1; item <= ITEMS; item++)
        assert_int_equal(item_of(item)->stages, 1);
}

static void old_ones_private_ones_and_those_of_nobody_stay(void **state)
{
    struct record record = record_of(VERB_ITEM_STATE, 0, 1);
    struct record like = record_of(VERB_LIKE, 77, 9999); /* an item nobody registered */

    (void)state;
    record.fields |= RECORD_HAS_ARGS;
    record.a = ITEM_PRIVATE;
    discover_apply(&discover, &record);
    discover_apply(&discover, &like);
    settle();
    assert_int_equal(item_of(1)->stages, 0);
    assert_int_equal(item_of(9999)->stages, 0);
    now_us += STAGER_NEW_US;
    record.a = ITEM_PUBLISHED;
    record.time_us = now_us;
    discover_apply(&discover, &record);
    settle();
    assert_int_equal(item_of(1)->stages, 0);
}

static void without_a_rule_nothing_is_decided(void **state)
{
    struct stager_told told;

    (void)state;
    stager_close(stager);
    open_stager(NULL);
    settle();
    assert_int_equal(asked, 0);
    stager_why(stager, &discover, item_of(1), now_us, &told);
    assert_false(told.live);
    assert_string_equal(told.decision.rule, "default");
}

/* Good items (1 .. 24), average, and bad (97 ..): what is given follows what they are worth. */
static void the_good_are_shown_more(void **state)
{
    struct test_random random = {test_seed(1)};
    double shown[3] = {0};
    uint32_t stopped[3] = {0};

    (void)state;
    for (int round = 0; round < 60; round++) {
        settle();
        for (uint64_t id = 1; id <= ITEMS; id++) {
            int kind = id <= 24 ? 0 : id < 97 ? 1 : 2;
            uint64_t likes = kind == 0 ? 12 : kind == 1 ? 4 : 1; /* of 100 */
            uint64_t longs = kind == 0 ? 55 : kind == 1 ? 30 : 12;
            uint64_t left = item_of(id)->budget * 100ULL > item_of(id)->stage_counts.n_pct
                                ? item_of(id)->budget - item_of(id)->stage_counts.n_pct / 100
                                : 0;

            for (uint64_t i = 0; i < left && i < 40; i++)
                show(id, test_random_below(&random, 100) < longs,
                     test_random_below(&random, 100) < likes);
        }
    }
    for (uint64_t id = 1; id <= ITEMS; id++) {
        int kind = id <= 24 ? 0 : id < 97 ? 1 : 2;

        shown[kind] += (double)(item_of(id)->seen[0].n_pct + item_of(id)->seen[1].n_pct) / 100;
        stopped[kind] += item_of(id)->stopped_us != 0;
    }
    assert_true(shown[0] / 24 > 10 * shown[2] / 24);
    assert_true(shown[0] / 24 > 3 * shown[1] / 72);
    assert_int_equal(stopped[0], 0);
}

/* A stop is proven in two audiences, lapses, and says why meanwhile. */
static void a_stop_takes_two_audiences_and_ends(void **state)
{
    struct stager_told told;
    struct record record;

    (void)state;
    for (uint64_t id = 2; id <= 60; id++) /* a platform to be held against */
        for (int i = 0; i < 110; i++)
            show(id, i % 3 == 0, i % 20 == 0);
    settle();
    for (int i = 0; i < 600;
         i++) { /* shown to many, liked by nobody; its budget is not asked here */
        record = record_of(VERB_VIEW, 3000000 + (uint64_t)i, 1);
        record.fields |= RECORD_HAS_ARGS | RECORD_HAS_IMPRESSION;
        record.a = 300;
        record.b = 30000;
        record.stage = i % 2 ? STAGE_AUDIENCE : 0;
        discover_apply(&discover, &record);
        record = record_of(VERB_SKIP, 3000000 + (uint64_t)i, 1);
        discover_apply(&discover, &record);
    }
    now_us += STAGER_LEARN_US;
    settle();
    assert_true(item_of(1)->stopped_us != 0);
    assert_int_equal(item_of(1)->budget, 0);
    stager_why(stager, &discover, item_of(1), now_us, &told);
    assert_true(told.item.stopped);
    assert_true(told.learnt);
    for (uint32_t audience = 0; audience < POOL_AUDIENCES; audience++)
        assert_true(told.decision.gate[audience][POOL_LIKE].proven ||
                    told.decision.gate[audience][POOL_NEGATIVE].proven);
    now_us += told.stop_us;
    settle();
    assert_int_equal(item_of(1)->stopped_us, 0);
    assert_true(item_of(1)->budget > 0);
}

/* Another stager takes over in the middle (a restart): it asks for nothing that was decided. */
static void a_restart_goes_on(void **state)
{
    (void)state;
    turn();
    read_records();
    stager_close(stager);
    open_stager("default");
    settle();
    assert_int_equal(asked, ITEMS);
    for (uint64_t item = 1; item <= ITEMS; item++)
        assert_int_equal(item_of(item)->stages, 1);
}

/* The first budget follows the creator's weight, half to twice, but for a newcomer's floor; WHY and
 * the record tell it. */
static void weights_make_first_budgets(void **state)
{
    uint64_t good = 9001, bad = 9002;
    struct stager_told told;
    struct record record;

    (void)state;
    settle();
    assert_int_equal(item_of(1)->budget, 8); /* a newcomer's: not under the floor */
    for (uint64_t i = 0; i < 30; i++) {      /* known creators: no newcomers any more */
        for (uint64_t who = good; who <= bad; who++) {
            record = record_of(VERB_ITEM_SET, 0, 100 * who + i);
            record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
            record.a = who;
            record.c = REQUEST_HAS_CREATOR;
            discover_apply(&discover, &record);
        }
        now_us += 3600 * SECOND;
    }
    now_us += 10LL * 24 * 3600 * SECOND;
    record = record_of(VERB_CASE_APPROVE, 0, 0);
    record.a = 55;
    discover_apply(&discover, &record);
    record = record_of(RECORD_SANCTION, bad, 0);
    record.a = 55;
    record.b = SANCTION_LIMIT;
    record.c = (uint64_t)(now_us + 80LL * 24 * 3600 * SECOND);
    discover_apply(&discover, &record);
    for (uint64_t who = good; who <= bad; who++) {
        record = record_of(VERB_ITEM_SET, 0, 100 * who + 99);
        record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
        record.a = who;
        record.c = REQUEST_HAS_CREATOR;
        discover_apply(&discover, &record);
        settle();
        stager_why(stager, &discover, item_of(100 * who + 99), now_us, &told);
        assert_true(told.weight == discover_weight_at(&discover, 0, who, now_us));
        assert_true(told.item.first == 8 * pool_multiplier(told.weight));
        assert_int_equal(item_of(100 * who + 99)->budget, (uint32_t)told.item.first);
        assert_non_null(strstr(last_text, "new; creator's weight")); /* the record says so */
    }
    assert_true(item_of(100 * good + 99)->budget > item_of(100 * bad + 99)->budget);
}

/* What is thought of an item before anybody saw it is what others of its kind did. */
static void kinds_make_priors(void **state)
{
    struct stager_told good, bad, none;

    (void)state;
    settle();
    for (uint64_t id = 1; id <= 90; id++) {
        int like = id <= 30 ? 8 : id <= 60 ? 60 : 25, long_view = id <= 30 ? 2 : id <= 60 ? 8 : 3;

        if (id <= 60)
            say_tag(id, id <= 30 ? "cats" : "news");
        for (int i = 0; i < 120; i++)
            show(id, (i + (int)id) % long_view == 0, (i + (int)id) % like == 0);
    }
    say_item(201);
    say_tag(201, "cats");
    say_item(202);
    say_tag(202, "news");
    say_item(203);
    now_us += STAGER_LEARN_US;
    stager_why(stager, &discover, item_of(201), now_us, &good);
    stager_why(stager, &discover, item_of(202), now_us, &bad);
    stager_why(stager, &discover, item_of(203), now_us, &none);
    assert_true(good.learnt && good.kind != NULL && none.kind == NULL);
    assert_true(fabs(good.kind_items - 30) < 0.1 && none.kind_items == 0);
    for (uint32_t m = POOL_LONG; m <= POOL_LIKE; m++) {
        assert_true(good.decision.gate[0][m].mean > 1.3 * none.decision.gate[0][m].mean);
        assert_true(bad.decision.gate[0][m].mean < 0.8 * none.decision.gate[0][m].mean);
    }
    assert_true(good.decision.chance > none.decision.chance &&
                none.decision.chance > bad.decision.chance);
    say_tag(203, "news"); /* it is judged by its kind from now on */
    stager_why(stager, &discover, item_of(203), now_us, &none);
    assert_true(fabs(none.decision.chance - bad.decision.chance) < 1e-3); /* a minute later */
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(each_enters_once),
        WITH_WORLD(late_records_and_refusals),
        WITH_WORLD(old_ones_private_ones_and_those_of_nobody_stay),
        WITH_WORLD(without_a_rule_nothing_is_decided),
        WITH_WORLD(the_good_are_shown_more),
        WITH_WORLD(a_stop_takes_two_audiences_and_ends),
        WITH_WORLD(a_restart_goes_on),
        WITH_WORLD(weights_make_first_budgets),
        WITH_WORLD(kinds_make_priors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
