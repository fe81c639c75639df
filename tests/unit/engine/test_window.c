/* Windows against a twin that keeps every time, on random acts: never too much, and too little only
 * as window.h says. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/window.h"
#include "support.h"

#define SECOND 1000000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  (1700000000LL * SECOND)
#define YEARS  (10 * 365 * DAY)

enum { TIMES = 3000 };

struct block {
    _Alignas(64) uint8_t bytes[2 * WINDOW_BYTES];
};

/* The least time by which an act may leave too early. */
static int64_t early_us(const struct window_shape *shape)
{
    switch (shape->kind) {
    case WINDOW_RING:
    case WINDOW_LIST:
        return shape->span_us / 8000;
    case WINDOW_BUCKETS:
        return shape->span_us / (shape->wide ? 28 : 24) + 1;
    default:
        return shape->span_us / 7 + 1;
    }
}

static uint64_t room_of(const struct window_shape *shape)
{
    if (shape->kind == WINDOW_RING)
        return shape->wide ? 56 : 24;
    if (shape->kind == WINDOW_LIST)
        return shape->wide ? 28 : 12;
    return UINT64_MAX;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Mostly bursts, sometimes a pause of about the span, rarely a jump. */
static int64_t pause_us(struct test_random *random, int64_t span_us)
{
    switch (test_random_below(random, 40)) {
    case 0:
        return (int64_t)test_random_below(random, (uint64_t)span_us * 2);
    case 1:
        return span_us;
    case 2:
        return test_random_below(random, 10) == 0 ? YEARS : 0;
    case 3:
    case 4:
    case 5:
        return (int64_t)test_random_below(random, (uint64_t)span_us / 4 + 1);
    default:
        return (int64_t)test_random_below(random, (uint64_t)span_us / 60 + 1);
    }
}

static uint64_t within(const int64_t *times, int count, int64_t now_us, int64_t span_us)
{
    uint64_t found = 0;

    for (int i = count; i > 0 && now_us - times[i - 1] < span_us; i--)
        found++;
    return found;
}

static void shapes_follow_the_number(void **state)
{
    (void)state;
    assert_int_equal(window_count_shape(DAY, 24).kind, WINDOW_RING);
    assert_int_equal(window_bytes(&(struct window_shape){.wide = 0}), 64);
    assert_int_equal(window_count_shape(DAY, 24).wide, 0);
    assert_int_equal(window_count_shape(DAY, 25).wide, 1);
    assert_int_equal(window_count_shape(DAY, 56).kind, WINDOW_RING);
    assert_int_equal(window_count_shape(DAY, 57).kind, WINDOW_BUCKETS);
    assert_int_equal(window_count_shape(DAY, 57).wide, 0);
    assert_int_equal(window_count_shape(DAY, 70000).wide, 1);
    assert_int_equal(window_distinct_shape(DAY, 12).kind, WINDOW_LIST);
    assert_int_equal(window_distinct_shape(DAY, 28).wide, 1);
    assert_int_equal(window_distinct_shape(DAY, 29).kind, WINDOW_SKETCH);
    assert_int_equal(window_distinct_shape(DAY, 128).sample_bits, 0);
    assert_int_equal(window_distinct_shape(DAY, 5000).sample_bits, 6);
}

static void count_run(struct test_random *random, int64_t span_us, uint64_t most)
{
    static int64_t times[TIMES];
    struct window_shape shape = window_count_shape(span_us, most);
    struct block block = {{0}};
    int64_t now_us = START + (int64_t)test_random_below(random, DAY);

    for (int i = 0; i < TIMES; i++) {
        uint64_t exact, inner, value;

        now_us += pause_us(random, span_us);
        exact = within(times, i, now_us, span_us);
        inner = within(times, i, now_us, span_us - early_us(&shape));
        value = window_value(&shape, &block, now_us);
        assert_true(value <= exact);
        assert_true(value >= least(inner, room_of(&shape)));
        assert_true(window_value_with(&shape, &block, now_us, 1) == value + 1);
        window_add(&shape, &block, now_us, 1);
        times[i] = now_us;
    }
}

static void counts_as_the_twin_does(void **state)
{
    static const int64_t spans[] = {SECOND, MINUTE, 7 * MINUTE, DAY, 365 * DAY, 400 * DAY};
    static const uint64_t numbers[] = {1, 6, 24, 25, 51, 56, 57, 1000, 100000};
    struct test_random random = {test_seed(11)};

    (void)state;
    for (unsigned s = 0; s < sizeof spans / sizeof *spans; s++)
        for (unsigned n = 0; n < sizeof numbers / sizeof *numbers; n++)
            count_run(&random, spans[s], numbers[n]);
}

/* --- different elements --------------------------------------------------------------------------
 */

enum { ELEMENTS = 40 };

/* Returns how often the list told fewer than it should: two elements of one hash. */
static int distinct_run(struct test_random *random, int64_t span_us, uint64_t most)
{
    struct window_shape shape = window_distinct_shape(span_us, most);
    int64_t seen[ELEMENTS], now_us = START, none = -YEARS * 10;
    uint64_t salt = test_random_next(random);
    struct block block = {{0}};
    int fewer = 0;

    for (int i = 0; i < ELEMENTS; i++)
        seen[i] = none;
    for (int i = 0; i < TIMES; i++) {
        uint64_t element = test_random_below(random, ELEMENTS), exact = 0, inner = 0, value, with;

        now_us += pause_us(random, span_us);
        for (int e = 0; e < ELEMENTS; e++) {
            exact += now_us - seen[e] < span_us;
            inner += now_us - seen[e] < span_us - early_us(&shape);
        }
        value = window_value(&shape, &block, now_us);
        assert_true(value <= exact);
        fewer += value < least(inner, room_of(&shape));
        with = window_value_with(&shape, &block, now_us, salt + element);
        assert_true(with == value || with == value + 1);
        if (now_us - seen[element] >= span_us)
            fewer += with == value; /* it is new */
        window_add(&shape, &block, now_us, salt + element);
        assert_true(window_value(&shape, &block, now_us) == least(with, room_of(&shape)));
        seen[element] = now_us;
    }
    return fewer;
}

static void tells_elements_apart_as_the_twin_does(void **state)
{
    struct test_random random = {test_seed(12)};
    int runs = 0, bad = 0;

    (void)state;
    for (int i = 0; i < 40; i++)
        for (uint64_t most = 4; most <= 28; most += 12, runs++)
            bad += distinct_run(&random, i % 2 ? DAY : 10 * MINUTE, most) > 0;
    print_message("%d of %d runs met two elements of one hash\n", bad, runs);
    assert_true(bad <= 12); /* 40 elements: 1.2 %; 12 of 120 never happens by chance */
}

static void sketches_tell_less_and_rarely_more(void **state)
{
    static const uint64_t numbers[] = {40, 100, 128, 500, 2000, 5000, 100000};
    struct test_random random = {test_seed(13)};

    (void)state;
    for (unsigned n = 0; n < sizeof numbers / sizeof *numbers; n++) {
        struct window_shape shape = window_distinct_shape(10 * MINUTE, numbers[n]);
        uint32_t more = 0, less = 0, trials = numbers[n] > 10000 ? 40 : 200;
        double sum = 0;

        for (uint32_t t = 0; t < trials; t++) {
            struct block block = {{0}};
            uint64_t salt = test_random_next(&random), value;

            for (uint64_t i = 0; i < numbers[n] * 2; i++) /* each twice, within six sevenths */
                window_add(&shape, &block, START + (int64_t)(i * 8 * MINUTE / (numbers[n] * 2)),
                           salt + i / 2);
            value = window_value(&shape, &block, START + 8 * MINUTE);
            more += value > numbers[n];
            less += value * 2 < numbers[n];
            sum += (double)value / (double)numbers[n];
        }
        print_message("%7llu different: told %.2f of them, more than there are in %.1f %%\n",
                      (unsigned long long)numbers[n], sum / trials, more * 100.0 / trials);
        assert_true(more * 100 <= trials * 6);
        assert_true(less * 100 <= trials * 6);
        assert_true(sum / trials > 0.68 && sum / trials < 0.92);
    }
}

static void a_sketch_forgets(void **state)
{
    struct window_shape shape = window_distinct_shape(7 * MINUTE, 100);
    struct block block = {{0}};

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        window_add(&shape, &block, START, i);
    assert_true(window_value(&shape, &block, START + 6 * MINUTE - SECOND) > 60);
    assert_int_equal(window_value(&shape, &block, START + 7 * MINUTE), 0);
    window_add(&shape, &block, START + 20 * MINUTE, 5);
    assert_int_equal(window_value(&shape, &block, START + 20 * MINUTE), 1);
    assert_int_equal(window_value_with(&shape, &block, START + 20 * MINUTE, 5), 1);
    assert_int_equal(window_value_with(&shape, &block, START + 20 * MINUTE, 6), 2);
}

/* --- clocks (T14) --------------------------------------------------------------------------------
 */

static void each_shape(void (*check)(const struct window_shape *shape))
{
    struct window_shape shapes[] = {
        window_count_shape(DAY, 10),     window_count_shape(DAY, 50),
        window_count_shape(DAY, 1000),   window_sum_shape(DAY, true),
        window_distinct_shape(DAY, 10),  window_distinct_shape(DAY, 28),
        window_distinct_shape(DAY, 100),
    };

    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(&shapes[i]);
}

static void check_clock(const struct window_shape *shape)
{
    struct block block = {{0}}, before;
    uint64_t full, slack = shape->kind != WINDOW_SKETCH; /* it tells less */

    for (uint64_t i = 0; i < 9; i++)
        window_add(shape, &block, START + (int64_t)i * SECOND, i);
    full = window_value(shape, &block, START + 9 * SECOND);
    assert_true(full == 9 || (shape->kind == WINDOW_SKETCH && full >= 7));
    /* Back by a second, an hour, ten years, to nothing: nothing is granted. */
    assert_true(window_value(shape, &block, START - SECOND) == full);
    assert_true(window_value(shape, &block, START - HOUR) == full);
    assert_true(window_value(shape, &block, START - YEARS) == full);
    assert_true(window_value(shape, &block, 0) == full);
    assert_true(window_value(shape, &block, -5) == full);
    window_add(shape, &block, START - YEARS, 100);
    assert_true(window_value(shape, &block, START) >= full + slack);
    /* Frozen: what comes counts. */
    before = block;
    window_add(shape, &block, START + 8 * SECOND, 101);
    assert_true(window_value(shape, &block, START + 8 * SECOND) >= full + 2 * slack);
    /* Forward by ten years: empty, and counting again; back from there grants nothing either. */
    block = before;
    assert_true(window_value(shape, &block, START + YEARS) == 0);
    window_add(shape, &block, START + YEARS, 7);
    assert_true(window_value(shape, &block, START + YEARS) == 1);
    assert_true(window_value(shape, &block, START) == 1);
    window_add(shape, &block, START, 8);
    assert_true(window_value(shape, &block, START + YEARS + HOUR) == 2);
    assert_true(window_value(shape, &block, INT64_MAX) == 0);
}

static void no_clock_grants_anything(void **state)
{
    (void)state;
    each_shape(check_clock);
}

/* Somebody acts whenever he may, on a clock that jumps and freezes: within any span he acted at
 * most as often as allowed, counted over the part of it that the shape keeps. */
static void quota_run(struct test_random *random, uint64_t most)
{
    static int64_t times[TIMES * 4];
    struct window_shape shape = window_count_shape(HOUR, most);
    struct block block = {{0}};
    int64_t now_us = START;
    int done = 0;

    for (int i = 0; i < TIMES * 4; i++) {
        switch (test_random_below(random, 60)) {
        case 0:
            now_us += HOUR;
            break;
        case 1:
            now_us += (int64_t)test_random_below(random, HOUR);
            break;
        case 2:
            break;
        default:
            now_us += (int64_t)test_random_below(random, (uint64_t)HOUR / most);
        }
        if (window_value_with(&shape, &block, now_us, 0) > most) {
            assert_true(window_room_us(&shape, &block, now_us, most) > now_us);
            continue;
        }
        window_add(&shape, &block, now_us, 0);
        times[done++] = now_us;
        assert_true(within(times, done, now_us, HOUR - early_us(&shape)) <= most);
    }
    assert_true(done > (int)most * 3);
}

static void quota_holds_in_every_span(void **state)
{
    struct test_random random = {test_seed(14)};

    (void)state;
    for (int i = 0; i < 10; i++) {
        quota_run(&random, 5);
        quota_run(&random, 50);
        quota_run(&random, 300);
    }
}

/* --- the rest ------------------------------------------------------------------------------------
 */

static void check_room(const struct window_shape *shape)
{
    struct test_random random = {test_seed(15)};
    struct block block = {{0}};
    int64_t now_us = START, at;
    uint64_t most = 8;

    if (shape->kind == WINDOW_LIST || shape->kind == WINDOW_SKETCH)
        return; /* told as the whole span */
    for (int i = 0; i < 500; i++) {
        now_us += pause_us(&random, shape->span_us);
        at = window_room_us(shape, &block, now_us, most);
        assert_true(at >= now_us && at <= now_us + shape->span_us);
        assert_true(window_value(shape, &block, at) < most);
        if (at > now_us)
            assert_true(window_value(shape, &block, at - 1) >= most);
        window_add(shape, &block, now_us, (uint64_t)i);
    }
}

static void tells_when_there_is_room(void **state)
{
    (void)state;
    each_shape(check_room);
}

static void full_buckets_stay_full(void **state)
{
    struct window_shape shape = window_count_shape(DAY, 60000);
    struct block block = {{0}};

    (void)state;
    assert_int_equal(shape.wide, 0);
    for (int i = 0; i < 200000; i++)
        window_add(&shape, &block, START, 0);
    assert_true(window_value(&shape, &block, START) == UINT16_MAX);
    assert_true(window_value(&shape, &block, START + DAY) == 0);
}

static void check_bytes(const struct window_shape *shape)
{
    struct test_random random = {test_seed(16)};

    for (int i = 0; i < 2000; i++) {
        struct block block;
        int64_t now_us =
            (int64_t)(test_random_next(&random) >> (1 + test_random_below(&random, 40)));

        for (unsigned b = 0; b < sizeof block.bytes; b++)
            block.bytes[b] = (uint8_t)test_random_next(&random);
        window_value(shape, &block, now_us);
        window_value_with(shape, &block, now_us, 7);
        window_room_us(shape, &block, now_us / 2, 5);
        window_add(shape, &block, now_us, 7);
        window_add(shape, &block, now_us + 5, 8);
        window_value(shape, &block, now_us + DAY);
    }
}

static void any_bytes_are_a_block(void **state)
{
    (void)state;
    each_shape(check_bytes);
}

static void check_same(const struct window_shape *shape)
{
    struct block a = {{0}}, b = {{0}};
    struct test_random random = {test_seed(17)};
    int64_t now_us = START;

    for (int i = 0; i < 1000; i++) {
        uint64_t element = test_random_below(&random, 50);

        now_us += pause_us(&random, shape->span_us);
        window_add(shape, &a, now_us, element);
        window_value(shape, &b, now_us); /* looking changes nothing */
        window_add(shape, &b, now_us, element);
        assert_memory_equal(a.bytes, b.bytes, sizeof a.bytes);
        if (!shape->wide) /* one line is one line */
            for (unsigned k = WINDOW_BYTES; k < sizeof a.bytes; k++)
                assert_int_equal(a.bytes[k], 0);
        for (unsigned k = 0; k < 4; k++) /* the table's */
            assert_int_equal(a.bytes[k], 0);
    }
}

static void same_acts_same_bytes(void **state)
{
    (void)state;
    each_shape(check_same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_follow_the_number),
        cmocka_unit_test(counts_as_the_twin_does),
        cmocka_unit_test(tells_elements_apart_as_the_twin_does),
        cmocka_unit_test(sketches_tell_less_and_rarely_more),
        cmocka_unit_test(a_sketch_forgets),
        cmocka_unit_test(no_clock_grants_anything),
        cmocka_unit_test(quota_holds_in_every_span),
        cmocka_unit_test(tells_when_there_is_room),
        cmocka_unit_test(full_buckets_stay_full),
        cmocka_unit_test(any_bytes_are_a_block),
        cmocka_unit_test(same_acts_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
