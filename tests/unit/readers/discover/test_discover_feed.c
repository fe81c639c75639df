/* Pages: what may be on one, what may not, and that a profile is looked at only where it may be. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "readers/discover/discover_feed.h"
#include "readers/recommend/model.h"
#include "readers/recommend/rank.h"
#include "readers/recommend/recommend.h"
#include "schema/verb.h"

#define SECOND   1000000LL
#define HOUR     (3600 * SECOND)
#define START    (1700000000 * SECOND)
#define ITEMS    300
#define ACCOUNTS 60
#define CREATORS 40
#define PAGE     20

static struct discover discover;
static struct feeder *feeder;
static int64_t now_us;

static struct record record_of(uint8_t kind, uint64_t account, uint64_t target)
{
    static uint64_t sequence;

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

    if (kind == VERB_VIEW) {
        record.fields |= RECORD_HAS_ARGS;
        record.a = 20000;
        record.b = 30000;
    }
    discover_apply(&discover, &record);
}

static void tell(uint8_t kind, uint64_t target, uint64_t a, uint64_t b, const char *text)
{
    struct record record = record_of(kind, 0, target);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_TEXT;
    record.a = a;
    record.b = b;
    record.text = text;
    record.text_size = (uint8_t)strlen(text);
    discover_apply(&discover, &record);
}

static void say_item(uint64_t item, uint64_t creator, const char *tags)
{
    struct record record = record_of(VERB_ITEM_SET, 0, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = creator;
    record.c = REQUEST_HAS_CREATOR;
    discover_apply(&discover, &record);
    tell(VERB_ITEM_TAG, item, 0, 0, tags);
}

static void switch_off(uint64_t account)
{
    struct record record = record_of(VERB_ACCOUNT_SET, account, 0);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = (uint64_t)SWITCH_IMPERSONAL << 16;
    record.c = PORTRAIT_PERSONAL;
    discover_apply(&discover, &record);
}

static uint32_t page_of(uint64_t account, uint32_t want, struct feed_entry *entries, bool *personal)
{
    struct feed_asked asked = {.account = account,
                               .want = want,
                               .now_us = now_us,
                               .seed = account * 977 + (uint64_t)now_us};

    return feeder_page(feeder, &discover, &asked, entries, personal);
}

static bool has(const struct feed_entry *entries, uint32_t count, uint64_t item)
{
    for (uint32_t i = 0; i < count; i++)
        if (entries[i].item == item)
            return true;
    return false;
}

static int open_world(void **state)
{
    static const char *const tags[] = {"cats", "food,cats", "news", "music", "sport,news"};

    (void)state;
    now_us = START;
    assert_int_equal(discover_open(&discover, 8u << 20, &discover_defaults), STATUS_OK);
    feeder = feeder_open(256);
    assert_non_null(feeder);
    for (uint64_t item = 0; item < ITEMS; item++)
        say_item(1000 + item, 5000 + item % CREATORS, tags[item % 5]);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    feeder_close(feeder);
    discover_close(&discover);
    return 0;
}

/* --- promises ------------------------------------------------------------------------------------
 */

static void only_what_may_come(void **state)
{
    struct test_random random = {test_seed(1)};
    static bool seen[ACCOUNTS][ITEMS];
    static uint8_t states[ITEMS];

    (void)state;
    memset(seen, 0, sizeof seen);
    memset(states, 0, sizeof states);
    for (int step = 0; step < 6000; step++) {
        uint64_t account = test_random_below(&random, ACCOUNTS);
        uint64_t item = test_random_below(&random, ITEMS);

        now_us += SECOND;
        switch (test_random_below(&random, 12)) {
        case 0:
            states[item] = (uint8_t)test_random_below(&random, ITEM_STATE_COUNT);
            struct record record = record_of(VERB_ITEM_STATE, 0, 1000 + item);

            record.fields |= RECORD_HAS_ARGS;
            record.a = states[item];
            discover_apply(&discover, &record);
            break;
        case 1:
            tell(VERB_STAGE, 1000 + item, STAGE_ENTER, 100, "try it");
            break;
        case 2:
            act(VERB_FOLLOW, account, 5000 + item % CREATORS);
            break;
        case 3:
        case 4: {
            struct feed_entry entries[PAGE];
            bool personal;
            uint32_t count = page_of(account, PAGE, entries, &personal);

            for (uint32_t i = 0; i < count; i++) {
                assert_in_range(entries[i].item, 1000, 1000 + ITEMS - 1);
                assert_int_equal(states[entries[i].item - 1000], ITEM_PUBLISHED);
                assert_false(seen[account][entries[i].item - 1000]);
                assert_true(5000 + (entries[i].item - 1000) % CREATORS != account);
                assert_false(has(entries, i, entries[i].item));
            }
            break;
        }
        default:
            act(test_random_below(&random, 3) ? VERB_VIEW : VERB_LIKE, account, 1000 + item);
            seen[account][item] = true;
        }
    }
}

static void what_was_served_rests(void **state)
{
    struct feed_entry first[PAGE], second[PAGE], later[FEED_PLACES_MAX];
    bool personal;
    uint32_t count;

    (void)state;
    assert_int_equal(page_of(7, PAGE, first, &personal), PAGE);
    assert_int_equal(page_of(7, PAGE, second, &personal), PAGE);
    for (uint32_t i = 0; i < PAGE; i++)
        assert_false(has(first, PAGE, second[i].item));
    now_us += FEED_SERVED_US + SECOND;
    count = page_of(7, FEED_PLACES_MAX, later, &personal);
    assert_true(has(later, count, first[0].item)); /* nothing came of it: it may come again */
}

static void nobody_sees_his_own_nor_a_suspended_creators(void **state)
{
    struct feed_entry entries[FEED_PLACES_MAX];
    struct record record = record_of(VERB_ACCOUNT_STATE, 5003, 0);
    bool personal;
    uint32_t count;

    (void)state;
    record.fields |= RECORD_HAS_ARGS;
    record.a = ACCOUNT_SUSPENDED;
    record.b = (uint64_t)(now_us + 24 * HOUR);
    discover_apply(&discover, &record);
    for (uint64_t item = 3; item < ITEMS; item += CREATORS)
        act(VERB_LIKE, 1, 1000 + item); /* hot, but of no use */
    for (uint64_t item = 4; item < ITEMS; item += CREATORS)
        act(VERB_LIKE, 1, 1000 + item);
    count = page_of(5004, FEED_PLACES_MAX, entries, &personal);
    assert_true(count > 50);
    for (uint32_t i = 0; i < count; i++)
        assert_true(entries[i].item % CREATORS != 3 && entries[i].item % CREATORS != 4);
    count = page_of(9, FEED_PLACES_MAX, entries, &personal);
    assert_true(has(entries, count, 1004)); /* it is shown to others */
}

/* Two accounts, one with a rich profile, one with none: with the profile switched off the rich one
 * gets, seed for seed, what anybody gets. */
static void without_a_profile_all_get_the_same(void **state)
{
    struct feed_entry off[PAGE], other[PAGE];
    struct feed_asked asked = {.want = PAGE, .seed = 12345};
    bool personal;

    (void)state;
    for (uint64_t i = 0; i < 200; i++)
        act(VERB_LIKE, 30 + i % 20, 1000 + i % 7);
    for (uint64_t item = 290; item < 300; item++) { /* both have seen the same */
        act(VERB_LIKE, 11, 1000 + item);
        act(VERB_LIKE, 12, 1000 + item);
    }
    act(VERB_FOLLOW, 11, 5001);
    act(VERB_VIEW, 11, 1289);
    act(VERB_SKIP, 12, 1289);
    for (uint64_t item = 0; item < 5; item++)
        tell(VERB_STAGE, 1100 + item, STAGE_ENTER, 100, "try it");
    switch_off(11);
    switch_off(12);
    asked.now_us = now_us;
    asked.account = 11;
    assert_int_equal(feeder_page(feeder, &discover, &asked, off, &personal), PAGE);
    assert_false(personal);
    asked.account = 12;
    assert_int_equal(feeder_page(feeder, &discover, &asked, other, &personal), PAGE);
    for (uint32_t i = 0; i < PAGE; i++) {
        assert_int_equal(off[i].item, other[i].item);
        assert_true(off[i].source == FEED_POOL || off[i].source == FEED_NEWCOMER ||
                    off[i].source == FEED_TOP);
    }
    assert_null(discover_viewer(&discover, 0, 11)); /* nothing is kept either */
}

static void interests_and_follows_are_found(void **state)
{
    struct feed_entry entries[FEED_PLACES_MAX];
    uint32_t count, of[FEED_SOURCE_COUNT] = {0}, cats = 0;
    bool personal;

    (void)state;
    now_us += 8 * 24 * HOUR; /* nobody is a newcomer any more */
    discover_tick(&discover, now_us);
    for (uint64_t item = 0; item < ITEMS; item++)
        for (uint64_t account = 0; account < 1 + item % 3; account++)
            act(VERB_LIKE, 100 + account, 1000 + item);
    for (uint64_t item = 0; item < 60; item += 5)
        act(VERB_LIKE, 7, 1000 + item); /* cats */
    act(VERB_FOLLOW, 7, 5013);
    count = page_of(7, PAGE, entries, &personal);
    assert_true(personal);
    assert_int_equal(count, PAGE);
    for (uint32_t i = 0; i < count; i++) {
        of[entries[i].source]++;
        cats += entries[i].item % 5 < 2;
    }
    assert_true(of[FEED_INTEREST] >= 5);
    assert_true(of[FEED_FOLLOW] >= 1);
    assert_true(cats >= 10); /* two in five items have the tag: 8 by chance */
    assert_true(cats <= 18); /* and yet other things, too */
}

static void what_is_in_trial_gets_its_share(void **state)
{
    uint32_t tried = 0, places = 0;

    (void)state;
    for (uint64_t account = 100; account < 130; account++)
        for (uint64_t item = 0; item < 100; item++)
            act(VERB_LIKE, account, 1000 + item);
    now_us += 8 * 24 * HOUR;
    discover_tick(&discover, now_us);
    for (uint64_t item = 200; item < 230; item++)
        tell(VERB_STAGE, 1000 + item, STAGE_ENTER, 1000, "try it");
    for (uint64_t account = 1; account <= 20; account++) {
        struct feed_entry entries[PAGE];
        bool personal;
        uint32_t count = page_of(account, PAGE, entries, &personal);

        places += count;
        for (uint32_t i = 0; i < count; i++)
            tried += entries[i].source == FEED_POOL;
    }
    assert_int_equal(places, 400);
    assert_in_range(tried, 50, 80); /* 15 %: 60 */
    for (uint64_t item = 200; item < 230; item++)
        tell(VERB_STAGE, 1000 + item, STAGE_STOP, 0, "enough");
    assert_int_equal(discover.trial.count, 0);
}

static void paid_exposure_is_for_who_is_interested(void **state)
{
    uint32_t shown = 0, shown_to_others = 0;

    (void)state;
    tell(VERB_CAMPAIGN_OPEN, 1253, 1000, (uint64_t)(now_us / SECOND + 3600) | 4ULL << 32,
         "Acmemusic");
    for (uint64_t account = 1; account <= 40; account++) {
        for (uint64_t item = 0; item < 30; item++)
            if (account % 2 == 0 ? item % 5 == 3 : item % 5 == 0)
                act(VERB_LIKE, account, 1000 + item); /* music, or cats */
        struct feed_entry entries[PAGE];
        bool personal;
        uint32_t count = page_of(account, PAGE, entries, &personal);

        for (uint32_t i = 0; i < count; i++)
            if (entries[i].source == FEED_CAMPAIGN) {
                assert_int_equal(entries[i].item, 1253);
                *(account % 2 == 0 ? &shown : &shown_to_others) += 1;
            }
    }
    assert_true(shown >= 15);
    assert_int_equal(shown_to_others, 0);
}

static void alike_by_tags_where_no_model_is(void **state)
{
    struct feed_entry entries[10];
    bool by_model;

    (void)state;
    for (uint64_t item = 0; item < ITEMS; item++)
        act(VERB_LIKE, item % 9, 1000 + item);
    assert_int_equal(feeder_similar(feeder, &discover, 0, 1002, 10, entries, &by_model), 10);
    assert_false(by_model);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(entries[i].item % 5 == 2 || entries[i].item % 5 == 4); /* news */
        assert_true(entries[i].item != 1002);
    }
    assert_int_equal(feeder_similar(feeder, &discover, 0, 77, 10, entries, &by_model), 0);
}

/* How many of the page's items have the tag "cats": two in five, by chance. */
static uint32_t cats_in(uint64_t account, uint32_t places)
{
    struct feed_entry entries[30];
    bool personal;
    uint32_t count = page_of(account, places, entries, &personal), cats = 0;

    assert_int_equal(count, places);
    for (uint32_t i = 0; i < count; i++)
        cats += entries[i].item % 5 < 2;
    return cats;
}

static uint32_t cats_of(uint64_t account)
{
    return cats_in(account, 30);
}

/* Who swipes cats away gets fewer of them, and nobody else does; a report or "not interested"
 * weighs more; with time they come back. */
static void what_was_swiped_away_comes_less(void **state)
{
    struct record bored = record_of(VERB_SKIP, 8, 1061);
    uint32_t before, after, other;

    (void)state;
    now_us += 8 * 24 * HOUR;
    discover_tick(&discover, now_us);
    for (uint64_t item = 0; item < ITEMS; item++)
        act(VERB_LIKE, 100 + item % 7, 1000 + item);
    before = cats_of(7) + cats_of(8);
    now_us += FEED_SERVED_US + SECOND;
    for (uint64_t item = 0; item < 60; item++)
        act(item % 5 < 2 ? VERB_SKIP : VERB_VIEW, 7, 1000 + item);
    bored.fields |= RECORD_HAS_CONTEXT;
    bored.context.source = SOURCE_MENU;
    for (uint64_t item = 60; item < 63; item++) { /* two of cats, one of news */
        bored.target = 1000 + item;
        if (item % 5 < 2)
            discover_apply(&discover, &bored);
    }
    after = cats_of(7);
    other = cats_of(8);
    if (before < 16 || after > before / 4 || other >= before / 2 || other <= after)
        fail_msg("cats before %u (of two), swiped away %u, said %u", before, after, other);
    assert_true(cats_of(9) >= before / 2 - 4);
    now_us += 180 * 24 * HOUR;
    discover_tick(&discover, now_us);
    assert_true(cats_of(7) >= before / 2 - 4);
}

/* Cats are warmest by far. Who has had enough of what he is shown gets fewer of the same. */
static void the_tired_get_more_variety(void **state)
{
    struct taste *taste;
    uint32_t fresh, tired;

    (void)state;
    now_us += 8 * 24 * HOUR;
    for (uint64_t item = 0; item < ITEMS / 2; item++)
        for (uint64_t account = 0; account < (item % 5 < 2 ? 60u : 1u); account++)
            act(VERB_LIKE, 100 + account, 1000 + item);
    act(VERB_VIEW, 7, 1299);
    taste = &((struct viewer *)(uintptr_t)discover_viewer(&discover, 0, 7))->taste;
    fresh = cats_in(7, 8);
    now_us += FEED_SERVED_US + SECOND;
    taste->impressions = 1000;
    taste->usual = 0.5F;
    taste->recent = 0;
    taste->minute = (uint32_t)(now_us / 60000000);
    assert_true(taste_tired(taste, now_us) > 0.99);
    tired = cats_in(7, 8);
    if (tired + 2 > fresh)
        fail_msg("%u of 8 are cats, and %u for the tired", fresh, tired);
}

/* Half of the viewers of three items watch all of it. The other half swipe it away, do so and
 * nobody believes them, or leave: only the first of these takes something from the item, for all.
 */
static void an_items_own_bad_rate_counts(void **state)
{
    struct feed_entry entries[FEED_PLACES_MAX];
    double score[3] = {0};
    uint32_t count;
    bool personal;

    (void)state;
    now_us += 8 * 24 * HOUR;
    for (uint64_t account = 0; account < 200; account++)
        for (uint64_t item = 0; item < 3; item++) {
            bool away = account % 2 && item < 2;
            struct record record =
                record_of(away ? VERB_SKIP : VERB_VIEW, 100 + account, 1000 + item * 5);

            record.fields |= RECORD_HAS_IMPRESSION | RECORD_HAS_ARGS;
            record.a = account % 2 ? 1000 : 30000;
            record.b = 30000;
            if (away && item == 1)
                record.fields |= RECORD_HAS_VERDICT; /* weight 0 */
            discover_apply(&discover, &record);
        }
    for (uint64_t account = 400; account < 500; account++)
        act(VERB_SKIP, account, 1010); /* of no impression of ours */
    count = page_of(7, FEED_PLACES_MAX, entries, &personal);
    for (uint32_t i = 0; i < count; i++)
        for (uint64_t item = 0; item < 3; item++)
            if (entries[i].item == 1000 + item * 5)
                score[item] = entries[i].score;
    if (score[0] <= 0.5 * score[2] || score[0] > 0.8 * score[2] || score[1] < score[2])
        fail_msg("swiped away %.4f, by nobody %.4f, left %.4f", score[0], score[1], score[2]);
}

/* A model that knows nothing but rates: the higher an item's number, the more are watched long; and
 * how often items were shown differs, too. */
static struct recommend *model_with_rates(void)
{
    struct test_random random = {test_seed(2)};
    struct rank *rank = rank_open(16);
    struct model model;
    struct recommend *recommend;

    for (int i = 0; i < 30000; i++) {
        uint64_t item = test_random_below(&random, ITEMS);
        struct rank_impression shown = {.account = 1 + test_random_below(&random, 5000),
                                        .item = 1000 + item,
                                        .creator = 5000 + item % CREATORS};
        bool watched = test_random_below(&random, 2 * ITEMS) < item;
        bool outcome[RANK_OUTCOMES] = {true, watched,
                                       watched && test_random_below(&random, 9) == 0};

        rank_learn(rank, &shown, outcome);
    }
    assert_int_equal(model_make(2, 1, 0, &model), STATUS_OK);
    assert_int_equal(model_add_rates(&model, rank_bytes(rank)), STATUS_OK);
    rank_write(rank, model.rates);
    rank_close(rank);
    recommend = recommend_of(&model);
    assert_non_null(recommend);
    return recommend;
}

/* Rates decide the order where there are any; a little chance moves it, by what is not known; and
 * without a profile two accounts get the same, whatever they did. */
static void by_expected_value_where_rates_are_served(void **state)
{
    struct feed_entry entries[PAGE], moved[PAGE], other[PAGE];
    struct feed_settings settings = feed_settings_default();
    struct recommend *recommend = model_with_rates();
    struct recommend_view *view = recommend_view_open(recommend);
    struct feed_asked asked = {.account = 7, .want = PAGE, .seed = 99};
    uint32_t count, upper = 0, same = 0;
    bool personal;

    (void)state;
    now_us += 8 * 24 * HOUR;
    discover_tick(&discover, now_us);
    for (uint64_t item = 0; item < ITEMS; item += 3)
        act(VERB_LIKE, 100, 1000 + item);
    feeder_model(feeder, view, 0);
    settings.explore = settings.rule.diversity = 0;
    settings.rule.author_decay = 1;
    feeder_tune(feeder, &settings);
    asked.now_us = now_us;
    count = feeder_page(feeder, &discover, &asked, entries, &personal);
    assert_int_equal(count, PAGE);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(entries[i].long_view > 0 && entries[i].long_view < 1);
        assert_true(entries[i].like > 0 && entries[i].like < entries[i].long_view);
        assert_true(i == 0 || entries[i].score <= entries[i - 1].score);
        upper += entries[i].item >= 1000 + ITEMS / 2;
    }
    assert_true(upper >= PAGE - 2);
    settings.explore = 1;
    feeder_tune(feeder, &settings);
    asked.now_us = now_us += FEED_SERVED_US + SECOND;
    feeder_page(feeder, &discover, &asked, moved, &personal);
    upper = 0;
    for (uint32_t i = 0; i < PAGE; i++) {
        same += moved[i].item == entries[i].item;
        upper += moved[i].item >= 1000 + ITEMS / 2;
    }
    assert_true(same < PAGE && upper >= PAGE * 3 / 4); /* moved, and no lottery */
    act(VERB_VIEW, 11, 1298);
    act(VERB_SKIP, 12, 1298);
    act(VERB_FOLLOW, 11, 5003);
    switch_off(11);
    switch_off(12);
    asked.account = 11;
    feeder_page(feeder, &discover, &asked, entries, &personal);
    assert_false(personal);
    asked.account = 12;
    feeder_page(feeder, &discover, &asked, other, &personal);
    for (uint32_t i = 0; i < PAGE; i++) {
        assert_int_equal(entries[i].item, other[i].item);
        assert_true(entries[i].long_view == other[i].long_view && entries[i].like == other[i].like);
    }
    feeder_model(feeder, NULL, 0);
    feeder_page(feeder, &discover, &asked, entries, &personal);
    assert_true(entries[0].long_view < 0); /* no rates, none told */
    recommend_view_close(view);
    recommend_close(recommend);
}

/* A page changes nothing that records do not say. */
static void a_page_leaves_no_trace(void **state)
{
    struct feed_entry entries[PAGE];
    uint8_t before[32], after[32];
    bool personal;

    (void)state;
    for (uint64_t item = 0; item < 50; item++)
        act(VERB_LIKE, 7, 1000 + item);
    discover_digest(&discover, before);
    for (uint64_t account = 0; account < 300; account++)
        page_of(account, PAGE, entries, &personal);
    discover_digest(&discover, after);
    assert_memory_equal(before, after, sizeof before);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(only_what_may_come),
        WITH_WORLD(what_was_served_rests),
        WITH_WORLD(nobody_sees_his_own_nor_a_suspended_creators),
        WITH_WORLD(without_a_profile_all_get_the_same),
        WITH_WORLD(interests_and_follows_are_found),
        WITH_WORLD(what_is_in_trial_gets_its_share),
        WITH_WORLD(paid_exposure_is_for_who_is_interested),
        WITH_WORLD(alike_by_tags_where_no_model_is),
        WITH_WORLD(what_was_swiped_away_comes_less),
        WITH_WORLD(the_tired_get_more_variety),
        WITH_WORLD(an_items_own_bad_rate_counts),
        WITH_WORLD(by_expected_value_where_rates_are_served),
        WITH_WORLD(a_page_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
