/* Exposure that is given, on pages and in the books: whose items, to whom, how much of a page;
 * credits of newcomers against a twin; and that nothing but a view changes anything. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/discover_feed.h"
#include "schema/verb.h"

#define SECOND   1000000LL
#define HOUR     (3600 * SECOND)
#define DAY      (24 * HOUR)
#define START    (1700000000 * SECOND)
#define ITEMS    200
#define CREATORS 20
#define PAGE     20
#define GIVEN    5003 /* a creator */

static struct discover discover;
static struct feeder *feeder;
static int64_t now_us;
static double credits;

static struct record record_of(uint8_t kind, uint64_t account, uint64_t target)
{
    static uint64_t sequence;

    return (struct record){.kind = kind,
                           .sequence = ++sequence,
                           .time_us = now_us,
                           .fields = RECORD_CHANGED | RECORD_HAS_ARGS,
                           .account = account,
                           .target = target};
}

static void apply(const struct record *record)
{
    discover_apply(&discover, record);
}

static void say_item(uint64_t item, uint64_t creator)
{
    struct record record = record_of(VERB_ITEM_SET, 0, item);

    record.fields |= RECORD_HAS_EXTRA;
    record.a = creator;
    record.c = REQUEST_HAS_CREATOR;
    apply(&record);
}

static void say_tag(uint64_t item, const char *tag)
{
    struct record record = record_of(VERB_ITEM_TAG, 0, item);

    record.fields |= RECORD_HAS_TEXT;
    record.text = tag;
    record.text_size = (uint8_t)strlen(tag);
    apply(&record);
}

static void act(uint8_t kind, uint64_t account, uint64_t target)
{
    struct record record = record_of(kind, account, target);

    apply(&record);
}

static void view(uint64_t account, uint64_t item, uint8_t stage, uint8_t pct)
{
    struct record record = record_of(VERB_VIEW, account, item);

    record.fields |= RECORD_HAS_IMPRESSION | RECORD_HAS_VERDICT;
    record.stage = stage;
    record.verdict.weight_pct = pct;
    record.a = record.b = 20000;
    apply(&record);
}

static void suspend(uint64_t account, int64_t until_us)
{
    struct record record = record_of(VERB_ACCOUNT_STATE, account, 0);

    record.a = until_us != 0 ? ACCOUNT_SUSPENDED : ACCOUNT_ACTIVE;
    record.b = (uint64_t)until_us;
    apply(&record);
}

static void compensated(uint64_t creator, uint32_t left_pct, int64_t until_us)
{
    struct record record = record_of(VERB_SPEND_BUDGET, creator, 0);

    record.b = left_pct | (uint64_t)(until_us / SECOND) << 32;
    apply(&record);
}

static uint32_t page_of(uint64_t account, uint32_t want, struct feed_entry *entries)
{
    struct feed_asked asked = {.account = account,
                               .want = want,
                               .now_us = now_us,
                               .seed = account * 0x9E3779B97F4A7C15ULL + (uint64_t)now_us};
    bool personal;

    return feeder_page(feeder, &discover, &asked, entries, &personal);
}

static uint32_t of(const struct feed_entry *entries, uint32_t count, enum feed_source source)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++)
        found += entries[i].source == source;
    return found;
}

static int open_world(void **state)
{
    struct discover_rules rules = discover_defaults;

    (void)state;
    now_us = START;
    rules.credits = credits;
    assert_int_equal(discover_open(&discover, 8u << 20, &rules), STATUS_OK);
    feeder = feeder_open(1024);
    assert_non_null(feeder);
    return 0;
}

static int open_items(void **state)
{
    credits = 0;
    (void)open_world(state);
    for (uint64_t item = 0; item < ITEMS; item++) {
        say_item(1000 + item, 5000 + item % CREATORS);
        say_tag(1000 + item, item % 2 ? "cats" : "news");
    }
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    feeder_close(feeder);
    discover_close(&discover);
    return 0;
}

/* --- pages ---------------------------------------------------------------------------------------
 */

static void a_share_of_the_places_and_no_more(void **state)
{
    struct feed_entry entries[FEED_PLACES_MAX];
    uint32_t given = 0, places = 0;

    (void)state;
    for (uint64_t account = 1; account <= 40; account++)
        assert_int_equal(of(entries, page_of(account, PAGE, entries), FEED_COMPENSATION), 0);
    for (uint64_t creator = 5000; creator < 5000 + CREATORS; creator++)
        compensated(creator, 100000, now_us + DAY);
    for (uint64_t account = 101; account <= 200; account++) {
        uint32_t want = 1 + (uint32_t)(account % 60), count = page_of(account, want, entries);
        uint32_t here = of(entries, count, FEED_COMPENSATION);

        assert_int_equal(count, want); /* a page is not shorter for it */
        assert_true(here <= want * 0.05 + 1);
        given += here;
        places += want;
    }
    assert_true(fabs((double)given / places - 0.05) < 0.012);
}

static void only_what_may_be_shown(void **state)
{
    struct feed_entry entries[FEED_PLACES_MAX];
    uint64_t stopped = 1000 + 3, hidden = 1000 + 3 + CREATORS, seen[4] = {0};

    (void)state;
    compensated(GIVEN, 100000, now_us + DAY);
    compensated(5004, 100000, now_us + DAY);
    suspend(5004, now_us + DAY);
    struct record stop = record_of(VERB_STAGE, 0, stopped);
    stop.a = STAGE_STOP;
    apply(&stop);
    struct record hide = record_of(VERB_ITEM_STATE, 0, hidden);
    hide.a = ITEM_PRIVATE;
    apply(&hide);
    act(VERB_FOLLOW, 7, GIVEN);
    for (uint64_t account = 1; account <= 200; account++) {
        uint32_t count = page_of(account == 200 ? GIVEN : account, PAGE, entries);

        for (uint32_t i = 0; i < count; i++) {
            if (entries[i].source != FEED_COMPENSATION)
                continue;
            assert_true((entries[i].item - 1000) % CREATORS == GIVEN - 5000);
            assert_true(entries[i].item != stopped && entries[i].item != hidden);
            assert_true(account != 7 && account != 200); /* a follower; himself */
            seen[0]++;
        }
    }
    assert_true(seen[0] > 100);
}

/* Of two crowds, one that likes cats and one that likes news, it is given to the one that likes
 * what he makes; and now and then to the other. */
static void to_whom_it_fits(void **state)
{
    struct feed_entry entries[PAGE];
    uint32_t fits = 0, misfits = 0;

    (void)state;
    for (uint64_t account = 1; account <= 400; account++)
        for (uint64_t item = 0; item < 8; item++)
            act(VERB_LIKE, account, 1100 + 2 * item + account % 2);
    compensated(GIVEN, 1000000, now_us + DAY); /* all of his are of cats */
    for (uint64_t account = 1; account <= 400; account++) {
        uint32_t given = of(entries, page_of(account, PAGE, entries), FEED_COMPENSATION);

        if (account % 2)
            fits += given;
        else
            misfits += given;
    }
    assert_true(fits > 180);
    assert_true(misfits > 40 && misfits < 150); /* two tries, each one in four */
}

static void nothing_after_the_last_and_nothing_after_the_end(void **state)
{
    struct feed_entry entries[FEED_PLACES_MAX];
    uint32_t given = 0;

    (void)state;
    compensated(GIVEN, 2, now_us + HOUR); /* one, and a page has places for five */
    assert_int_equal(of(entries, page_of(400, FEED_PLACES_MAX, entries), FEED_COMPENSATION), 1);
    now_us += GIFT_WAITS_US;               /* nobody has looked */
    compensated(GIVEN, 25, now_us + HOUR); /* twelve and a half */
    for (uint64_t account = 1; account <= 60; account++) {
        uint32_t count = page_of(account, PAGE, entries);

        for (uint32_t i = 0; i < count; i++)
            if (entries[i].source == FEED_COMPENSATION) {
                view(account, entries[i].item, STAGE_COMPENSATION, 100);
                given++;
            }
    }
    assert_int_equal(given, 12);
    compensated(GIVEN, 30, now_us + HOUR); /* fifteen: many ask before the first has looked */
    for (uint64_t account = 201; account <= 300; account++)
        given += of(entries, page_of(account, PAGE, entries), FEED_COMPENSATION);
    assert_int_equal(given, 12 + 3);
    compensated(GIVEN, 1000, now_us + HOUR);
    assert_int_equal(of(entries, page_of(100, PAGE, entries), FEED_COMPENSATION), 1);
    now_us += HOUR;
    for (uint64_t account = 101; account <= 120; account++)
        assert_int_equal(of(entries, page_of(account, PAGE, entries), FEED_COMPENSATION), 0);
}

static void a_page_leaves_no_trace(void **state)
{
    struct feed_entry entries[PAGE];
    uint8_t before[32], after[32];

    (void)state;
    compensated(GIVEN, 1000, now_us + DAY);
    discover_digest(&discover, before);
    for (uint64_t account = 1; account <= 30; account++)
        (void)page_of(account, PAGE, entries);
    discover_digest(&discover, after);
    assert_memory_equal(before, after, sizeof before);
}

/* --- what a view that was given counts for -------------------------------------------------------
 */

/* The same views and likes, given or not: the same heat, the same raw, valid and credited numbers.
 * Of gates: a credit counts as the stage it stands in, a compensation for none. */
static void it_counts_as_any_view_does(void **state)
{
    static const uint8_t stages[] = {2, STAGE_CREDIT | 2, STAGE_COMPENSATION};
    struct item like[3];
    double heat[3];

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t item = 1000;

        (void)open_items(state);
        struct record stage = record_of(VERB_STAGE, 0, item);

        stage.a = STAGE_ENTER | 2 << 8;
        stage.b = 100;
        apply(&stage);
        for (uint64_t account = 1; account <= 10; account++) {
            view(account, item, stages[i], (uint8_t)(10 * account));
            act(VERB_LIKE, account, item);
        }
        like[i] = *discover_item(&discover, 0, item);
        heat[i] = discover_heat(&discover, &like[i], now_us);
        (void)close_world(state);
    }
    for (uint32_t i = 1; i < 3; i++) {
        assert_true(heat[i] == heat[0]);
        assert_memory_equal(&like[i].signals, &like[0].signals, sizeof like[0].signals);
    }
    assert_true(like[0].stage_counts.n_pct == 550);
    assert_memory_equal(&like[1].stage_counts, &like[0].stage_counts, sizeof like[0].stage_counts);
    assert_memory_equal(&like[1].seen, &like[0].seen, sizeof like[0].seen);
    assert_true(like[2].stage_counts.n_pct == 0 && like[2].seen[0].n_pct == 0 &&
                like[2].seen[1].n_pct == 0);
}

/* --- credits -------------------------------------------------------------------------------------
 */

/* As the page of documentation has it, written anew. */
struct twin {
    uint64_t creator;
    uint32_t items;
    int64_t first_us, until_us, suspended_us;
    double given, used;
};
#define MAKERS 60
static struct twin makers[MAKERS];
static double purse;
static int64_t period;

static void twin_item(struct twin *twin)
{
    if (now_us / GIFT_PERIOD_US != period) {
        period = now_us / GIFT_PERIOD_US;
        purse = 0;
    }
    if (twin->items++ == 0)
        twin->first_us = now_us;
    if (twin->given > 0 || twin->items > 10 || now_us - twin->first_us > 90 * DAY ||
        twin->suspended_us > now_us || purse + 500 > credits)
        return;
    purse += 500;
    twin->given = 500;
    twin->until_us = now_us + 14 * DAY;
}

static void credits_agree_with_the_twin(void **state)
{
    struct test_random random = {test_seed(91)};
    uint64_t item = 0, lapsed = 0, refused = 0;

    (void)state;
    credits = 6000; /* a purse for twelve */
    (void)open_world(state);
    memset(makers, 0, sizeof makers);
    purse = 0;
    period = now_us / GIFT_PERIOD_US;
    for (uint64_t i = 0; i < MAKERS; i++)
        makers[i].creator = 100 + i;
    for (uint64_t i = 0; i < 30000; i++) {
        struct twin *twin = &makers[test_random_below(&random, MAKERS)];
        const struct gift_row *row;
        double left;

        now_us += (int64_t)test_random_below(&random, 20) * 60 * SECOND;
        switch (test_random_below(&random, 60)) {
        case 0:
            say_item(1000 + item, twin->creator);
            twin_item(twin);
            item++;
            break;
        case 1:
            twin->suspended_us = test_random_below(&random, 2)
                                     ? now_us + (int64_t)test_random_below(&random, 9) * DAY
                                     : 0;
            suspend(twin->creator, twin->suspended_us);
            break;
        default:
            if (item > 0) {
                uint64_t which = test_random_below(&random, item);
                uint8_t pct = (uint8_t)test_random_below(&random, 101);
                uint64_t owner = discover_item(&discover, 0, 1000 + which)->creator - 100;

                view(1000000 + i, 1000 + which, STAGE_CREDIT, pct);
                left =
                    now_us < makers[owner].until_us ? makers[owner].given - makers[owner].used : 0;
                makers[owner].used += fmin(pct / 100.0, left);
            }
        }
        row = gifts_find(&discover.gifts, 0, twin->creator);
        left = now_us < twin->until_us ? twin->given - twin->used : 0;
        assert_true(fabs((row != NULL ? gifts_left(&discover.gifts, row, GIFT_CREDIT, now_us) : 0) -
                         left) < 1e-6);
        lapsed += twin->given > twin->used && now_us >= twin->until_us;
        refused += twin->given == 0 && twin->items > 0;
        if (row != NULL)
            assert_true(row->credit.spent <= row->credit.granted);
    }
    assert_true(lapsed > 100 && refused > 100 && item > 200);
}

static int open_credits(void **state)
{
    credits = 1000; /* for two */
    return open_world(state);
}

static void a_newcomer_is_tried_with_it(void **state)
{
    struct feed_entry entries[PAGE];
    uint32_t given = 0;

    (void)state;
    say_item(1, 50);
    for (uint64_t item = 100; item < 140; item++)
        say_item(item, 60 + item % 20);
    assert_int_equal(discover_credit_of(&discover, 0, 50, now_us), POOL_CREDIT_HAS);
    assert_int_equal(discover_credit_of(&discover, 0, 60, now_us), POOL_CREDIT_HAS);
    assert_int_equal(discover_credit_of(&discover, 0, 61, now_us), POOL_CREDIT_EMPTY);
    for (uint64_t account = 1000; account < 1100; account++) {
        uint32_t count = page_of(account, PAGE, entries);

        for (uint32_t i = 0; i < count; i++)
            if (entries[i].source == FEED_CREDIT) {
                uint64_t creator = discover_item(&discover, 0, entries[i].item)->creator;

                assert_true(creator == 50 || creator == 60);
                given++;
            }
    }
    assert_true(given >= 90);
    now_us += 14 * DAY;
    for (uint64_t account = 2000; account < 2020; account++)
        assert_int_equal(of(entries, page_of(account, PAGE, entries), FEED_CREDIT), 0);
}

/* --- what small creators have of the places (F49, F78)
 * ----------------------------------------------
 */

#define HEADS    10
#define SMALL    40
#define HEAD_ID  100
#define SMALL_ID 500
#define EACH     12 /* items of a head; a small one has one */
#define VIEWERS  300

struct shares {
    double small, heads_top, gini;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Ten heads whose items are liked, and forty small creators, eight days old, with one item each
 * that nobody likes yet: who has the 6,000 places of 300 pages. */
static struct shares shares_with(double limit, bool plain)
{
    struct feed_settings settings = feed_settings_default();
    struct feed_entry entries[PAGE];
    double places[HEADS + SMALL] = {0}, all = 0, sum = 0;
    struct shares shares = {0};

    credits = limit;
    (void)open_world(NULL);
    if (plain) { /* what looks best, and nothing else */
        settings.rule.newcomer_share = settings.rule.gift_share = settings.rule.pool_share = 0;
        settings.rule.author_decay = settings.rule.author_floor = 1;
        settings.rule.author_cap = FEED_PLACES_MAX;
        settings.rule.diversity = 0;
        feeder_tune(feeder, &settings);
    }
    for (uint64_t head = 0; head < HEADS; head++)
        for (uint64_t item = 0; item < EACH; item++)
            say_item(1000 + head * EACH + item, HEAD_ID + head);
    now_us += 91 * DAY; /* they are known since long; their likes are of today */
    for (uint64_t item = 0; item < HEADS * EACH; item++)
        for (uint64_t like = 0; like < 20 + item / EACH * 5; like++)
            act(VERB_LIKE, 100000 + like, 1000 + item);
    for (uint64_t item = 0; item < SMALL; item++)
        say_item(5000 + item, SMALL_ID + item);
    now_us += 8 * DAY; /* nobody is among the newcomers any more */
    discover_tick(&discover, now_us);
    for (uint64_t account = 1; account <= VIEWERS; account++) {
        uint32_t count = page_of(account, PAGE, entries);

        for (uint32_t i = 0; i < count; i++) {
            uint64_t creator = discover_item(&discover, 0, entries[i].item)->creator;

            places[creator < SMALL_ID ? creator - HEAD_ID : HEADS + creator - SMALL_ID]++;
            shares.small += creator >= SMALL_ID;
            all++;
        }
    }
    shares.small /= all;
    qsort(places, HEADS + SMALL, sizeof places[0], by_value);
    for (uint32_t i = 0; i < HEADS + SMALL; i++)
        sum += (2.0 * (i + 1) - (HEADS + SMALL) - 1) * places[i];
    shares.gini = sum / (all * (HEADS + SMALL));
    shares.heads_top = places[HEADS + SMALL - 1] / all;
    (void)close_world(NULL);
    return shares;
}

static void small_creators_have_room(void **state)
{
    struct shares plain = shares_with(0, true), without = shares_with(0, false),
                  with = shares_with(SMALL * 500, false);

    (void)state;
    print_message(
        "small creators %.3f %.3f %.3f, the largest %.3f %.3f %.3f, Gini %.3f %.3f %.3f\n",
        plain.small, without.small, with.small, plain.heads_top, without.heads_top, with.heads_top,
        plain.gini, without.gini, with.gini);
    assert_true(plain.small < 0.01 && without.small < 0.01 && with.small > 0.045);
    assert_true(plain.heads_top > 0.5 && with.heads_top <= 0.15);
    assert_true(with.gini < without.gini - 0.03 && without.gini < plain.gini - 0.05);
}

/* --- checkpoints, and an order that the log of another partition has
 * ------------------------------
 */

static unsigned char *saved;
static size_t saved_size, got;

static enum status put(void *context, const void *bytes, size_t size)
{
    (void)context;
    memcpy(saved + saved_size, bytes, size);
    saved_size += size;
    return STATUS_OK;
}

static enum status get(void *context, void *bytes, size_t size)
{
    (void)context;
    memcpy(bytes, saved + got, size);
    got += size;
    return STATUS_OK;
}

static void a_checkpoint_keeps_it(void **state)
{
    struct reader_sink sink = {.put = put};
    struct reader_source source = {.get = get};
    const struct gift_row *row;

    (void)state;
    saved = malloc(16u << 20);
    saved_size = got = 0;
    say_item(1, 50);
    compensated(50, 100, now_us + DAY);
    view(900, 1, STAGE_COMPENSATION, 100);
    view(901, 1, STAGE_CREDIT, 50);
    assert_int_equal(discover_save(&discover, &sink), STATUS_OK);
    discover_clear(&discover);
    assert_null(gifts_find(&discover.gifts, 0, 50));
    assert_int_equal(discover_restore(&discover, &source), STATUS_OK);
    row = gifts_find(&discover.gifts, 0, 50);
    assert_true(gifts_left(&discover.gifts, row, GIFT_COMPENSATION, now_us) == 49);
    assert_true(gifts_left(&discover.gifts, row, GIFT_CREDIT, now_us) == 499.5);
    assert_true(gifts_pick(&discover.gifts, GIFT_COMPENSATION, 0, 1, now_us) == row);
    assert_true(gifts_pick(&discover.gifts, GIFT_CREDIT, 0, 1, now_us) == row);
    free(saved);
}

static void a_view_before_its_creator_is_known_is_his(void **state)
{
    (void)state;
    view(900, 1, STAGE_COMPENSATION, 100);
    view(901, 1, STAGE_COMPENSATION, 40);
    view(902, 1, STAGE_CREDIT, 100);
    say_item(1, 50);
    assert_true(gifts_find(&discover.gifts, 0, 50)->shown_units == 140);
    assert_true(gifts_find(&discover.gifts, 0, 50)->credit.spent == 1);
    say_item(2, 50);
    say_item(1, 51); /* it is another's now; what was is not */
    assert_true(gifts_find(&discover.gifts, 0, 50)->shown_units == 140);
    assert_true(gifts_find(&discover.gifts, 0, 51)->shown_units == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_share_of_the_places_and_no_more, open_items, close_world),
        cmocka_unit_test_setup_teardown(only_what_may_be_shown, open_items, close_world),
        cmocka_unit_test_setup_teardown(to_whom_it_fits, open_items, close_world),
        cmocka_unit_test_setup_teardown(nothing_after_the_last_and_nothing_after_the_end,
                                        open_items, close_world),
        cmocka_unit_test_setup_teardown(a_page_leaves_no_trace, open_items, close_world),
        cmocka_unit_test(it_counts_as_any_view_does),
        cmocka_unit_test_teardown(credits_agree_with_the_twin, close_world),
        cmocka_unit_test_setup_teardown(a_newcomer_is_tried_with_it, open_credits, close_world),
        cmocka_unit_test(small_creators_have_room),
        cmocka_unit_test_setup_teardown(a_checkpoint_keeps_it, open_credits, close_world),
        cmocka_unit_test_setup_teardown(a_view_before_its_creator_is_known_is_his, open_credits,
                                        close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
