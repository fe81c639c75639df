/* Deals: whom places for what is in trial go to, by themselves and as feeds ask for them: draws
 * follow the budgets; nobody outside of an item's circle is shown it but to explore; newcomers and
 * authors get what pool_deal says; when there are more items than a deal has room for, all have
 * their turn. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/discover_feed.h"
#include "readers/discover/stager.h"
#include "schema/verb.h"

#define SECOND  1000000LL
#define START   (1700000000 * SECOND)
#define TAGS    5
#define VIEWERS 40
#define TRIED   60  /* items in trial: 1 .. TRIED */
#define LIKED   500 /* items that interests are made of, from here on: of nobody, in no trial */
#define PAGE    20

static struct discover discover;
static struct stager *stager;
static struct feeder *feeder;
static int64_t now_us;
static uint64_t sequence;

/* Nothing is asked here: items are staged by hand. */
static void submit(void *context, struct call *call)
{
    (void)context;
    memset(&call->reply, 0, sizeof call->reply);
    call->reply.status = STATUS_BUSY;
    call->done(call);
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

static void act(uint8_t kind, uint64_t account, uint64_t target)
{
    struct record record = record_of(kind, account, target);

    discover_apply(&discover, &record);
}

static void say_item(uint64_t item, uint64_t creator, uint32_t tag)
{
    static const char *const names[TAGS] = {"cats", "news", "food", "music", "sport"};
    struct record record = record_of(VERB_ITEM_SET, 0, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = creator;
    record.c = creator != 0 ? REQUEST_HAS_CREATOR : 0;
    discover_apply(&discover, &record);
    record = record_of(VERB_ITEM_TAG, 0, item);
    record.fields |= RECORD_HAS_TEXT;
    record.text = names[tag % TAGS];
    record.text_size = (uint8_t)strlen(record.text);
    discover_apply(&discover, &record);
}

static void say_stage(uint64_t item, uint8_t stage, uint32_t budget)
{
    struct record record = record_of(VERB_STAGE, 0, item);

    record.fields |= RECORD_HAS_ARGS;
    record.a = STAGE_ADVANCE | (uint64_t)stage << 8;
    record.b = budget;
    discover_apply(&discover, &record);
}

/* An attested impression by somebody nobody heard of. */
static void show(uint64_t item, bool long_view, uint8_t then)
{
    static uint64_t account = 1 << 20;
    struct record record = record_of(VERB_VIEW, ++account, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_IMPRESSION;
    record.a = long_view ? 60000 : 300;
    record.b = 30000;
    record.stage = discover_item(&discover, 0, item)->stage;
    discover_apply(&discover, &record);
    if (then != 0)
        act(then, account, item);
}

static uint32_t page_of(uint64_t account, struct feed_entry entries[PAGE])
{
    struct feed_asked asked = {.account = account,
                               .want = PAGE,
                               .now_us = now_us,
                               .seed = (uint64_t)now_us * 0x9E3779B97F4A7C15ULL ^ account << 40};
    bool personal;

    feeder_deal(feeder, stager_deal(stager, &discover, now_us));
    return feeder_page(feeder, &discover, &asked, entries, &personal);
}

static void open_stager(const char *rule)
{
    struct reader_door door = {.context = &discover, .submit = submit};

    stager = stager_open(door, rule == NULL ? NULL : pool_rule_of(rule));
    assert_non_null(stager);
}

static int open_world(void **state)
{
    (void)state;
    now_us = START;
    assert_int_equal(discover_open(&discover, 32u << 20, &discover_defaults), STATUS_OK);
    feeder = feeder_open(256);
    assert_non_null(feeder);
    open_stager("default");
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    stager_close(stager);
    feeder_close(feeder);
    discover_close(&discover);
    return 0;
}

/* --- the deal by itself --------------------------------------------------------------------------
 */

static void draws_follow_the_budgets(void **state)
{
    static struct deal deal;
    static struct pool_entry twin[200];
    const struct pool_rule *rule = pool_rule_of("default");
    struct test_random random = {test_seed(1)};
    uint32_t drawn[200] = {0};
    double given;

    (void)state;
    deal_begin(&deal, 5);
    assert_null(deal_draw(&deal, 0));
    for (uint32_t i = 0; i < 200; i++) {
        struct deal_item item = {.item = 1000 + i, .row = (i * 37) % 200};
        struct pool_entry entry = {.author = test_random_below(&random, 60),
                                   .share = (double)test_random_below(&random, 101) / 100,
                                   .room = (double)test_random_below(&random, 40),
                                   .due = (double)test_random_below(&random, 3),
                                   .newcomer = test_random_below(&random, 8) == 0};

        twin[i] = entry;
        twin[i].id = i;
        deal_add(&deal, &item, &entry);
    }
    deal_close(&deal, rule, 1000);
    given = pool_deal(rule, twin, 200, 1000);
    assert_true(fabs(deal.given - given) < 1e-6 && deal.given <= 1000 + 1e-6);
    for (uint32_t i = 0; i < 40000; i++)
        drawn[deal_draw(&deal, (double)test_random_below(&random, 1 << 30) / (1 << 30))->item -
              1000]++;
    for (uint32_t i = 0; i < 200; i++) {
        double expected = 40000 * twin[i].budget / given;

        assert_true(fabs(drawn[twin[i].id] - expected) <= 5.5 * sqrt(expected + 1));
        assert_int_equal(deal_find(&deal, i)->row, i);
    }
    assert_null(deal_find(&deal, 200));
}

/* --- circles -------------------------------------------------------------------------------------
 */

/* By the definition, with what WHY tells of the item. */
static bool is_inside(uint64_t account, uint64_t id)
{
    static const double least[] = {1.5, 1.2, 0.9};
    const struct item *item = discover_item(&discover, 0, id);
    double fit = discover_fit(&discover, 0, account, item, now_us);
    uint32_t circle;
    double bar, next;
    struct stager_told told;

    stager_why(stager, &discover, item, now_us, &told);
    if (item->stage & STAGE_AUDIENCE)
        return fit < 1.2;
    circle = item->stage + (told.decision.breakout ? 1u : 0u);
    if (circle >= 3)
        return true;
    bar = least[circle];
    next = circle == 2 ? 0.5 : least[circle + 1];
    return fit >= bar - told.decision.widen * (bar - next) - 1e-9;
}

static void interests(void)
{
    for (uint64_t i = 0; i < 50; i++)
        say_item(LIKED + i, 0, (uint32_t)i);
    for (uint64_t viewer = 0; viewer < VIEWERS; viewer++)
        for (uint64_t i = 0; i < 6; i++)
            act(VERB_LIKE, 100 + viewer, LIKED + viewer % TAGS + i * TAGS);
}

static void circles_are_a_bound(void **state)
{
    struct test_random random = {test_seed(2)};
    uint32_t places = 0, beyond = 0, inside = 0, outside_all = 0;
    struct feed_entry entries[PAGE];

    (void)state;
    interests();
    for (uint64_t id = 1; id <= TRIED; id++)
        say_item(id, 5000 + id, (uint32_t)id);
    for (uint64_t id = 1; id <= TRIED; id++) {
        uint32_t shown = (uint32_t)test_random_below(&random, 30);
        uint8_t stage = (uint8_t)test_random_below(&random, 4);

        say_stage(id, stage | (test_random_below(&random, 5) == 0 ? STAGE_AUDIENCE : 0), 3000);
        for (uint32_t i = 0; i < shown; i++) /* some break out by comments */
            show(id, true, id % 4 == 0 && i % 2 == 0 ? VERB_COMMENT : VERB_LIKE);
    }
    for (int round = 0; round < 10; round++) {
        now_us += 2 * 3600 * SECOND;
        for (uint64_t viewer = 0; viewer < VIEWERS; viewer++) {
            uint32_t count = page_of(100 + viewer, entries);

            for (uint32_t i = 0; i < count; i++) {
                bool is_inside_it;

                if (entries[i].item > TRIED)
                    continue;
                is_inside_it = is_inside(100 + viewer, entries[i].item);
                outside_all += !is_inside_it;
                if (entries[i].source != FEED_POOL) {
                    assert_true(is_inside_it && !entries[i].beyond);
                    continue;
                }
                assert_true(entries[i].beyond == !is_inside_it);
                places++;
                beyond += entries[i].beyond;
                inside += is_inside_it;
            }
        }
    }
    assert_true(places > 700 && inside > 500);
    assert_int_equal(beyond, outside_all);
    assert_true(beyond > places / 40 && beyond < places / 6); /* one in ten is anybody */
}

/* Who has no interests yet is outside of nothing; who follows the creator is his audience. */
static void who_is_in_no_circle(void **state)
{
    struct feed_entry entries[PAGE], others[PAGE];
    uint32_t count, followed = 0;

    (void)state;
    interests();
    for (uint64_t id = 1; id <= TRIED; id++) {
        say_item(id, 5000 + id % 4, 0); /* cats */
        say_stage(id, 0, 3000);
    }
    act(VERB_FOLLOW, 101, 5001); /* of news */
    for (int round = 0; round < 40; round++) {
        now_us += 3600 * SECOND;
        count = page_of(90000, entries); /* nobody knows him */
        for (uint32_t i = 0; i < count; i++)
            assert_false(entries[i].beyond);
        assert_true(count > 0);
        count = page_of(101, others);
        for (uint32_t i = 0; i < count; i++)
            if (others[i].item <= TRIED && !others[i].beyond) {
                assert_int_equal(others[i].item % 4, 1);
                followed++;
            }
    }
    assert_true(followed > 20);
}

/* --- what feeds give -----------------------------------------------------------------------------
 */

/* Items of known creators with all the room there is, and of newcomers that do poorly: newcomers
 * get their tenth; an author with many items gets no more than his cap. */
static void floors_and_caps_reach_the_page(void **state)
{
    struct feed_entry entries[PAGE];
    uint32_t places = 0, newcomers = 0, many = 0;
    const struct deal *deal;
    double author = 0;

    (void)state;
    for (uint64_t id = 1; id <= 80; id++) {
        uint64_t creator = id <= 30 ? 7000 : 7000 + id; /* 30 items are of one */

        if (id <= 60)
            for (uint64_t i = 0; i < 4; i++)
                say_item(10000 + 10 * creator + i, creator, 0);
    }
    now_us += 9 * 24 * 3600 * SECOND;
    for (uint64_t id = 1; id <= 80; id++) {
        say_item(id, id <= 30 ? 7000 : 7000 + id, (uint32_t)id);
        say_stage(id, 0, 3000);
        for (uint64_t i = 0; i < 20; i++)
            show(id, id <= 60, id <= 60 && i % 4 == 0 ? VERB_LIKE : 0);
        say_stage(id, 0, 3000);
    }
    now_us += 10 * SECOND;
    stager_placed(stager, 2000, now_us);
    deal = stager_deal(stager, &discover, now_us);
    assert_true(deal->supply > 1900 && deal->given > 1000);
    for (uint32_t i = 0; i < deal->count; i++)
        if (deal->item[deal->entry[i].id].item <= 30)
            author += deal->entry[i].budget;
    assert_true(author <= 0.05 * deal->supply + 1e-6);
    for (uint64_t viewer = 0; viewer < 700; viewer++) {
        uint32_t count = page_of(50000 + viewer, entries);

        for (uint32_t i = 0; i < count; i++) {
            if (entries[i].source != FEED_POOL)
                continue;
            places++;
            newcomers += entries[i].item > 60 && entries[i].item <= 80;
            many += entries[i].item <= 30;
        }
    }
    assert_true(places > 1500);
    assert_true(newcomers > places / 12);
    assert_true(many < places / 8);
}

/* What nobody has seen yet is shown first: its first budget comes before all else, the rest after.
 */
static void first_budgets_come_first(void **state)
{
    const struct deal *deal;
    double fresh = 0, others = 0;

    (void)state;
    for (uint64_t id = 1; id <= 40; id++) {
        say_item(id, 5000 + id, (uint32_t)id);
        say_stage(id, 0, id <= 10 ? 8 : 3000);
        for (uint64_t i = 0; id > 10 && i < 20; i++)
            show(id, i % 2 == 0, i % 8 == 0 ? VERB_LIKE : 0);
    }
    show(1, true, 0); /* one of its eight */
    deal = stager_deal(stager, &discover, now_us);
    for (uint32_t i = 0; i < deal->count; i++) {
        uint64_t id = deal->item[deal->entry[i].id].item;

        if (id <= 10)
            assert_true(fabs(deal->entry[i].due - (id == 1 ? 7 : 8)) < 1e-9);
        *(id <= 10 ? &fresh : &others) += deal->entry[i].budget;
    }
    assert_true(fresh >= 79 - 1e-6 && others > 0 && others <= 21 + 1e-6);
}

static void all_have_their_turn(void **state)
{
    static bool dealt[3 * DEAL_MAX + 1];
    uint32_t missing = 0;

    (void)state;
    for (uint64_t id = 1; id <= 3 * DEAL_MAX; id++) {
        say_item(id, 9000 + id, (uint32_t)id);
        say_stage(id, 0, 8);
    }
    for (int turn = 0; turn < 3; turn++) {
        const struct deal *deal = stager_deal(stager, &discover, now_us);

        assert_int_equal(deal->count, DEAL_MAX);
        assert_true(stager_deal(stager, &discover, now_us + STAGER_US - 1)->made_us == now_us);
        for (uint32_t i = 0; i < deal->count; i++)
            dealt[deal->item[i].item] = true;
        now_us += STAGER_US;
    }
    for (uint64_t id = 1; id <= 3 * DEAL_MAX; id++)
        missing += !dealt[id];
    assert_int_equal(missing, 0);
}

/* What a feed gave makes the supply, and is forgotten. */
static void supply_is_what_feeds_give(void **state)
{
    (void)state;
    say_item(1, 5001, 0);
    say_stage(1, 0, 1000000);
    assert_true(stager_deal(stager, &discover, now_us)->supply == DEAL_SUPPLY_MIN);
    for (int i = 0; i < 600; i++)
        stager_placed(stager, 3, now_us += SECOND / 10);
    assert_true(stager_deal(stager, &discover, now_us)->supply > 1200);
    now_us += 600 * SECOND;
    assert_true(stager_deal(stager, &discover, now_us)->supply == DEAL_SUPPLY_MIN);
}

static void without_a_rule_nothing_is_dealt(void **state)
{
    struct feed_entry entries[PAGE];
    uint32_t count, tried = 0;

    (void)state;
    stager_close(stager);
    open_stager(NULL);
    interests();
    for (uint64_t id = 1; id <= TRIED; id++) {
        say_item(id, 5000 + id, 0);
        say_stage(id, 0, 3000);
    }
    assert_null(stager_deal(stager, &discover, now_us));
    count = page_of(101, entries);
    for (uint32_t i = 0; i < count; i++)
        tried += entries[i].item <= TRIED && entries[i].source == FEED_POOL;
    assert_true(tried > 0);
}

/* The second budget of a page: an item that left its trial, or is gone, is in no page for it. */
static void what_left_its_trial_is_not_dealt(void **state)
{
    struct feed_entry entries[PAGE];

    (void)state;
    for (uint64_t id = 1; id <= 4; id++) {
        say_item(id, 5000 + id, 0);
        say_stage(id, 0, 100);
    }
    assert_int_equal(stager_deal(stager, &discover, now_us)->count, 4);
    for (uint64_t id = 1; id <= 3; id++)
        say_stage(id, 0, 0);
    for (uint64_t viewer = 0; viewer < 50; viewer++) {
        uint32_t count = page_of(80000 + viewer, entries);

        for (uint32_t i = 0; i < count; i++)
            assert_true(entries[i].source != FEED_POOL || entries[i].item == 4);
    }
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_follow_the_budgets),
        WITH_WORLD(circles_are_a_bound),
        WITH_WORLD(who_is_in_no_circle),
        WITH_WORLD(floors_and_caps_reach_the_page),
        WITH_WORLD(first_budgets_come_first),
        WITH_WORLD(all_have_their_turn),
        WITH_WORLD(supply_is_what_feeds_give),
        WITH_WORLD(without_a_rule_nothing_is_dealt),
        WITH_WORLD(what_left_its_trial_is_not_dealt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
