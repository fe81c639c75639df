/* What is learnt of a log: the last word on each like, also when it came as an effect that an
 * item's partition asked for, or as a settlement; of whom nothing is learnt; and a bound on memory.
 * The records are written here, so that each says exactly one thing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "node/config.h"
#include "node/inner.h"
#include "node/learn.h"
#include "readers/recommend/rank.h"
#include "schema/tags.h"
#include "support.h"

#define PARTITIONS 2
#define GOOD       50
#define BYTES      (1 << 20)

static char root[64];
static struct log *logs[PARTITIONS];
static uint64_t next[PARTITIONS];
static struct learn learn;

static void open_log(uint16_t index)
{
    char path[2][96], parent[2][96];
    struct log_report report;
    struct log_config config = {.disk = &disk_posix,
                                .dir = {path[0], path[1]},
                                .partition = index,
                                .partition_count = PARTITIONS,
                                .sync = LOG_SYNC_NONE,
                                .segment_bytes = 1 << 20,
                                .threads = true,
                                .create = true};

    for (int copy = 0; copy < 2; copy++) {
        snprintf(parent[copy], sizeof parent[copy], "%s/log.%c", root, 'a' + copy);
        assert_int_equal(disk_posix.make_dir(disk_posix.context, parent[copy]), 0);
        snprintf(path[copy], sizeof path[copy], "%s/log.%c/p%u", root, 'a' + copy, (unsigned)index);
    }
    assert_int_equal(log_open(&config, &logs[index], &report), STATUS_OK);
    next[index] = 1;
}

static int setup(void **state)
{
    (void)state;
    test_dir_make(root);
    for (uint16_t i = 0; i < PARTITIONS; i++)
        open_log(i);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    learn_free(&learn);
    for (uint16_t i = 0; i < PARTITIONS; i++)
        log_close(logs[i]);
    test_dir_remove(root);
    return 0;
}

static void write_to(uint16_t index, struct record record)
{
    uint8_t body[RECORD_BYTES_MAX];
    size_t size;

    if (record.tenant != 0)
        record.fields |= RECORD_HAS_TENANT;
    size = record_encode(&record, body);
    while (log_has_room(logs[index], size) != STATUS_OK)
        log_event_clear(logs[index]);
    log_append(logs[index], next[index]++, 1, 1000, body, size);
}

static void say(struct record record)
{
    write_to(0, record);
}

static enum status read_with(uint64_t bytes_max)
{
    static struct config config;

    for (uint16_t i = 0; i < PARTITIONS; i++)
        while (log_durable(logs[i]) < next[i] - 1)
            continue;
    config_default(&config);
    snprintf(config.data, sizeof config.data, "%s", root);
    config.partitions = PARTITIONS;
    learn_free(&learn);
    return learn_read(&config, 0, bytes_max, NULL, &learn);
}

static bool learnt(uint64_t account, uint64_t item)
{
    for (uint64_t i = 0; i < learn.count; i++)
        if (learn.taste[i].account == account && learn.taste[i].item == item)
            return true;
    return false;
}

/* --- records -------------------------------------------------------------------------------------
 */

static struct verdict worth(uint8_t weight_pct, uint8_t mark)
{
    return (struct verdict){.weight_pct = weight_pct, .mark = mark};
}

static struct record of(uint8_t kind, uint64_t account, uint64_t item)
{
    return (struct record){
        .kind = kind, .fields = RECORD_CHANGED, .account = account, .target = item};
}

static struct record like(uint64_t account, uint64_t item, struct verdict verdict)
{
    struct record record = of(VERB_LIKE, account, item);

    record.fields |= RECORD_HAS_VERDICT;
    record.verdict = verdict;
    return record;
}

static struct record settle(uint64_t account, uint64_t item, struct verdict verdict)
{
    struct record record = like(account, item, verdict);

    record.kind = RECORD_SETTLE;
    return record;
}

/* An item's partition asks the account's for another worth; only where the account lives does it
 * say what was before. */
static struct record asked(uint64_t account, uint64_t item, struct verdict verdict, bool before)
{
    struct record record = settle(account, item, verdict);

    record.kind = RECORD_EFFECT;
    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA | (before ? RECORD_HAS_BEFORE : 0);
    record.b = 6ULL << 32; /* EFFECT_SETTLE */
    record.before_pct = 100;
    return record;
}

static struct record view(uint64_t account, uint64_t item, uint64_t watch_ms, uint64_t duration_ms)
{
    struct record record = of(VERB_VIEW, account, item);

    record.fields |= RECORD_HAS_ARGS;
    record.a = watch_ms;
    record.b = duration_ms;
    return record;
}

/* --- promises ------------------------------------------------------------------------------------
 */

static void the_last_word_on_a_like_counts(void **state)
{
    static const struct {
        uint8_t weight_pct, mark;
        bool counts;
    } rows[] = {{100, MARK_PLAIN, true},
                {1, MARK_HELD, true},
                {0, MARK_PLAIN, false},
                {100, MARK_QUARANTINED, false},
                {100, MARK_VOIDED, false}};

    (void)state;
    for (uint64_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct verdict full = worth(100, MARK_PLAIN), none = worth(0, MARK_PLAIN);
        struct verdict now = worth(rows[row].weight_pct, rows[row].mark);
        struct verdict before = rows[row].counts ? none : full; /* so that the last word decides */

        say(like(1, row, now));
        say(like(2, row, before));
        say(settle(2, row, now));
        say(like(3, row, before));
        say(asked(3, row, now, true));
        say(like(4, row, now)); /* the effect of somebody who lives elsewhere says nothing here */
        say(asked(4, row, before, false));
        say(settle(5, row, now));
        say(of(VERB_UNLIKE, 5, row));
    }
    assert_int_equal(read_with(BYTES), STATUS_OK);
    for (uint64_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (uint64_t account = 1; account <= 4; account++)
            if (learnt(account, row) != rows[row].counts)
                fail_msg("account %d, row %d", (int)account, (int)row);
        assert_false(learnt(5, row));
    }
    assert_int_equal(learn.likes, learn.count);
}

/* A void that was restored, each by an effect; and what is refused or of another tenant. */
static void an_effect_takes_and_gives_back(void **state)
{
    struct record refused = like(6, 3, worth(100, MARK_PLAIN)), other = refused;

    (void)state;
    say(like(6, 1, worth(100, MARK_PLAIN)));
    say(like(6, 2, worth(100, MARK_PLAIN)));
    say(asked(6, 1, worth(100, MARK_VOIDED), true));
    say(asked(6, 2, worth(100, MARK_VOIDED), true));
    say(asked(6, 2, worth(100, MARK_PLAIN), true));
    refused.fields &= ~(uint32_t)RECORD_CHANGED;
    say(refused);
    other.tenant = 7;
    say(other);
    write_to(1, like(8, 1, worth(100, MARK_PLAIN))); /* each partition has its own */
    assert_int_equal(read_with(BYTES), STATUS_OK);
    assert_false(learnt(6, 1));
    assert_true(learnt(6, 2));
    assert_false(learnt(6, 3));
    assert_true(learnt(8, 1));
    assert_int_equal(learn.count, 2);
    assert_int_equal(learn.records, 8);
}

static void long_views_count_and_short_ones_do_not(void **state)
{
    struct record worthless = view(1, 4, 20000, 60000);

    (void)state;
    say(view(1, 1, LEARN_LONG_MS, 60000));
    say(view(1, 2, LEARN_LONG_MS - 1, 60000));
    say(view(1, 3, 5000, 5000));
    worthless.fields |= RECORD_HAS_VERDICT;
    worthless.verdict = worth(100, MARK_QUARANTINED);
    say(worthless);
    say(view(1, 5, 20000, 60000));
    say(like(1, 5, worth(100, MARK_PLAIN)));
    say(of(VERB_UNLIKE, 1, 5)); /* it was watched all the same */
    assert_int_equal(read_with(BYTES), STATUS_OK);
    assert_true(learnt(1, 1) && !learnt(1, 2) && learnt(1, 3) && !learnt(1, 4) && learnt(1, 5));
    assert_int_equal(learn.views, 3);
}

static struct record personal(uint64_t account, bool off)
{
    struct record record = of(VERB_ACCOUNT_SET, account, 0);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.c = PORTRAIT_PERSONAL;
    record.a = off ? (uint64_t)SWITCH_IMPERSONAL << 16 : 0;
    return record;
}

static void of_some_nothing_is_learnt(void **state)
{
    (void)state;
    for (uint64_t account = 1; account <= 4; account++)
        say(like(account, 9, worth(100, MARK_PLAIN)));
    say(of(VERB_ACCOUNT_PURGE, 1, 0));
    say(personal(2, true));
    say(personal(3, true));
    say(personal(3, false));
    assert_int_equal(read_with(BYTES), STATUS_OK);
    assert_true(!learnt(1, 9) && !learnt(2, 9) && learnt(3, 9) && learnt(4, 9));
}

static const struct learn_impression *shown(uint64_t account, uint64_t item)
{
    const struct learn_impression *found = NULL;

    for (uint64_t i = 0; i < learn.impressions; i++)
        if (learn.impression[i].account == account && learn.impression[i].item == item) {
            assert_null(found); /* once a pair */
            found = &learn.impression[i];
        }
    return found;
}

/* Each pair once, with all that came of it, and with what was said last of the item, in whatever
 * partition. */
static void an_impression_is_what_became_of_it(void **state)
{
    struct record set = of(VERB_ITEM_SET, 0, 1), tags = of(VERB_ITEM_TAG, 0, 1);
    struct record worthless = view(1, 4, 20000, 60000);
    const struct learn_impression *one;

    (void)state;
    say(view(1, 1, 900, 60000));
    say(like(1, 1, worth(100, MARK_PLAIN)));
    say(view(1, 1, 60000, 60000));
    say(of(VERB_SKIP, 1, 2));
    say(view(2, 1, 900, 60000));
    say(of(VERB_SKIP, 2, 1)); /* and swiped away at last */
    say(like(2, 1, worth(100, MARK_PLAIN)));
    say(of(VERB_UNLIKE, 2, 1));
    worthless.fields |= RECORD_HAS_VERDICT;
    worthless.verdict = worth(100, MARK_VOIDED);
    say(worthless);
    say(like(1, 5, worth(100, MARK_PLAIN))); /* of which no view is known */
    say(view(3, 1, 900, 60000));
    say(personal(3, true));
    set.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    set.c = REQUEST_HAS_CREATOR;
    set.a = 76;
    write_to(1, set);
    set.a = 77;
    write_to(1, set);
    tags.fields |= RECORD_HAS_TEXT;
    tags.text = "cats,dogs";
    tags.text_size = 9;
    write_to(1, tags);
    assert_int_equal(read_with(BYTES), STATUS_OK);
    assert_int_equal(learn.impressions, 3);
    one = shown(1, 1);
    assert_true(one->clicked && one->watched && one->liked);
    assert_int_equal(one->duration_ms, 60000);
    assert_int_equal(one->creator, 77);
    assert_int_equal(one->tag, rank_tag(tags_id("cats", 4)));
    one = shown(2, 1);
    assert_true(!one->clicked && !one->watched && !one->liked);
    one = shown(1, 2);
    assert_true(!one->clicked && one->creator == 0 && one->tag == 0);
}

/* There is room for the newest. */
static void the_newest_impressions_are_kept(void **state)
{
    uint64_t bytes = 64 * 1024, most = bytes / 8 / sizeof(struct learn_impression);

    (void)state;
    for (uint64_t item = 1; item <= 600; item++)
        say(of(VERB_SKIP, 1, item));
    assert_int_equal(read_with(bytes), STATUS_OK);
    assert_in_range(learn.impressions, 10, most);
    for (uint64_t item = 1; item <= 600; item++)
        assert_true((shown(1, item) != NULL) == (item > 600 - learn.impressions));
}

static void more_than_was_allowed_is_refused(void **state)
{
    (void)state;
    for (uint64_t item = 0; item < 10; item++)
        say(like(1, item, worth(100, MARK_PLAIN)));
    assert_int_equal(read_with(9 * LEARN_PAIR_BYTES), STATUS_NOSPACE);
    assert_non_null(strstr(learn.message, "more likes and views"));
    assert_int_equal(read_with(10 * LEARN_PAIR_BYTES), STATUS_OK);
    assert_int_equal(learn.count, 10);
}

/* Beside the plainest way to say it: a table that each record writes to. */
static void it_is_what_a_table_says(void **state)
{
    enum { ACCOUNTS = 6, ITEMS = 8 };
    struct test_random random = {test_seed(10)};
    bool liked[ACCOUNTS][ITEMS] = {{false}};
    uint64_t count = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint64_t account = test_random_below(&random, ACCOUNTS);
        uint64_t item = test_random_below(&random, ITEMS);
        struct verdict now = worth((uint8_t)(test_random_below(&random, 3) * GOOD),
                                   (uint8_t)test_random_below(&random, MARK_COUNT));
        bool counts = now.weight_pct > 0 && now.mark <= MARK_HELD;
        uint16_t home = (uint16_t)(account % PARTITIONS);

        switch (test_random_below(&random, 5)) {
        case 0:
            write_to(home, like(account, item, now));
            break;
        case 1:
            write_to(home, settle(account, item, now));
            break;
        case 2:
            write_to(home, asked(account, item, now, true));
            break;
        case 3:
            write_to(home, of(VERB_UNLIKE, account, item));
            counts = false;
            break;
        default:
            write_to((uint16_t)(1 - home), asked(account, item, now, false));
            continue;
        }
        liked[account][item] = counts;
    }
    assert_int_equal(read_with(BYTES), STATUS_OK);
    for (uint64_t account = 0; account < ACCOUNTS; account++)
        for (uint64_t item = 0; item < ITEMS; item++) {
            assert_int_equal(learnt(account, item), liked[account][item]);
            count += liked[account][item];
        }
    assert_true(count > 0 && count == learn.count);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(the_last_word_on_a_like_counts),         EACH(an_effect_takes_and_gives_back),
        EACH(long_views_count_and_short_ones_do_not), EACH(of_some_nothing_is_learnt),
        EACH(an_impression_is_what_became_of_it),     EACH(the_newest_impressions_are_kept),
        EACH(more_than_was_allowed_is_refused),       EACH(it_is_what_a_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
