/* What an item had at an age, and which others it is held against. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "readers/insight/compare.h"
#include "schema/verb.h"

#define SECOND 1000000LL
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define START  (19700 * DAY)

static struct insight insight;
static int64_t now_us;

static void apply(uint8_t kind, uint64_t account, uint64_t item, uint64_t a, uint64_t b, uint64_t c,
                  const char *text)
{
    static uint64_t sequence;
    struct record record = {.kind = kind,
                            .sequence = ++sequence,
                            .time_us = now_us,
                            .fields = RECORD_CHANGED | RECORD_HAS_ARGS | RECORD_HAS_EXTRA,
                            .account = account,
                            .target = item,
                            .a = a,
                            .b = b,
                            .c = c};

    if (text != NULL) {
        record.fields |= RECORD_HAS_TEXT;
        record.text = text;
        record.text_size = (uint8_t)strlen(text);
    }
    insight_apply(&insight, &record);
}

static void item_of(uint64_t item, uint32_t duration_ms, const char *tag)
{
    apply(VERB_ITEM_SET, 0, item, 900, duration_ms, REQUEST_HAS_CREATOR | REQUEST_HAS_DURATION,
          NULL);
    if (tag != NULL)
        apply(VERB_ITEM_TAG, 0, item, 0, 0, 0, tag);
}

/* So many are shown it, so many of them like it. */
static void audience_of(uint64_t item, uint32_t shown, uint32_t likes)
{
    for (uint32_t i = 0; i < shown; i++) {
        apply(VERB_VIEW, 1000 * item + i, item, 5000, 10000, 0, NULL);
        if (i < likes)
            apply(VERB_LIKE, 1000 * item + i, item, 0, 0, 0, NULL);
    }
}

static void compare(uint64_t item, struct comparison *comparison)
{
    compare_item(&insight, insight_item(&insight, 0, item), now_us, comparison);
}

static void open_world(void)
{
    now_us = START;
    assert_int_equal(insight_open(&insight, 8u << 20), STATUS_OK);
}

/* Whose age is 30 minutes is held against what others had then, not against what they have. */
static void the_same_age_is_compared(void **state)
{
    struct comparison comparison;

    (void)state;
    open_world();
    for (uint64_t item = 1; item <= 20; item++) {
        item_of(item, 10000, "a");
        audience_of(item, (uint32_t)item, 0); /* at once: 1 .. 20 */
    }
    now_us = START + 5 * HOUR;
    for (uint64_t item = 1; item <= 20; item++)
        audience_of(item, 100, 50); /* much later */
    now_us = START + DAY;
    item_of(50, 10000, "a");
    audience_of(50, 16, 2);
    now_us += HOUR / 2;
    compare(50, &comparison);
    assert_int_equal(comparison.by, COMPARED_BY_TAG);
    assert_int_equal(comparison.items, 20);
    assert_true(comparison.age_us == HOUR / 2);
    assert_true(comparison.step[STEP_SHOWN].had == 16);
    assert_true(comparison.step[STEP_SHOWN].middle == 10.5);
    assert_true(comparison.step[STEP_SHOWN].low == 5.75);
    assert_true(comparison.step[STEP_SHOWN].high == 15.25);
    assert_true(comparison.step[STEP_SHOWN].percentile == (15 + 0.5) / 20);
    assert_true(comparison.step[STEP_LIKE].middle == 0);
    insight_close(&insight);
}

/* The first class that has enough: its tag, its length, all; younger items and those nobody was
 * shown are none of them. */
static void the_nearest_class_with_enough(void **state)
{
    struct comparison comparison;

    (void)state;
    open_world();
    for (uint64_t item = 1; item <= 11; item++) {
        item_of(item, 10000, "a");
        audience_of(item, 10, 1);
    }
    item_of(12, 10000, "a"); /* shown to nobody */
    now_us += DAY;
    item_of(50, 10000, "a");
    audience_of(50, 30, 3);
    item_of(51, 10000, "a");
    now_us += HOUR;
    item_of(13, 10000, "a"); /* younger than the two */
    audience_of(13, 10, 1);
    compare(51, &comparison);
    assert_int_equal(comparison.by, COMPARED_BY_TAG); /* 1 to 11, and 50 */
    assert_int_equal(comparison.items, 12);
    compare(50, &comparison);
    assert_int_equal(comparison.by, COMPARED_TO_NONE);
    assert_int_equal(comparison.items, 0);
    assert_true(comparison.others_n == 0);
    now_us = START;
    item_of(14, 10000, "b");
    audience_of(14, 10, 1);
    now_us = START + DAY + HOUR;
    compare(50, &comparison);
    assert_int_equal(comparison.by, COMPARED_BY_LENGTH);
    assert_int_equal(comparison.items, 12);
    item_of(14, 600000, "b");
    compare(50, &comparison);
    assert_int_equal(comparison.by, COMPARED_TO_ALL);
    assert_int_equal(comparison.items, 12);
    assert_true(comparison.others_n == 12 * 10 * 100);
    assert_true(comparison.others_s[STEP_LIKE] == 12 * 100);
    assert_true(comparison.n == 3000 && comparison.s[STEP_LIKE] == 300);
    insight_close(&insight);
}

/* Within a bin of ages what was had grows evenly. */
static void within_a_bin_it_grows_evenly(void **state)
{
    const struct insight_item *item;

    (void)state;
    open_world();
    item_of(1, 10000, NULL);
    now_us += 2 * HOUR;
    audience_of(1, 40, 0); /* in the bin of 1 to 3 hours */
    item = insight_item(&insight, 0, 1);
    assert_true(compare_had(item, STEP_SHOWN, HOUR, DAY) == 0);
    assert_true(compare_had(item, STEP_SHOWN, 2 * HOUR, DAY) == 2000);
    assert_true(compare_had(item, STEP_SHOWN, 3 * HOUR, DAY) == 4000);
    assert_true(compare_had(item, STEP_SHOWN, 1000 * DAY, 1000 * DAY) == 4000);
    /* No older than two hours, it has lived through half of the bin. */
    assert_true(compare_had(item, STEP_SHOWN, 2 * HOUR, 2 * HOUR) == 4000);
    assert_true(compare_had(item, STEP_SHOWN, 3 * HOUR / 2, 2 * HOUR) == 2000);
    insight_close(&insight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_age_is_compared),
        cmocka_unit_test(the_nearest_class_with_enough),
        cmocka_unit_test(within_a_bin_it_grows_evenly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
