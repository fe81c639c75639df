/* The key filter never forgets a key, and rarely invents one. */
#include <pthread.h>
#include <stdio.h>

#include "base/hash.h"
#include "store/filter.h"
#include "support.h"

enum { KEYS = 200000 };

static uint32_t count_true(const bool *values, uint32_t count)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

/* Many at once are answered like each; how many absent ones pass? */
static double wrong_share(const struct filter *filter, uint64_t seed)
{
    uint64_t wrong = 0, hashes[100];
    bool may[100];
    uint32_t has;

    for (uint64_t from = 0; from < KEYS; from += 100) {
        for (uint64_t i = 0; i < 100; i++) /* every second key is one that is there */
            hashes[i] = hash_two(seed, i % 2 == 0 ? ~(from + i) : from + i);
        has = filter_may_have_many(filter, hashes, 100, may);
        assert_int_equal(has, count_true(may, 100));
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(may[i], filter_may_have(filter, hashes[i]));
    }
    for (uint64_t i = 0; i < KEYS; i++)
        wrong += filter_may_have(filter, hash_two(seed, ~i));
    return (double)wrong / KEYS;
}

/* Bits a key, and the share of absent keys that may pass: the figures of filter.h, with room. */
static void never_forgets_and_rarely_invents(void **state)
{
    static const struct {
        unsigned bits;
        double share;
    } rows[] = {{8, 0.035}, {12, 0.009}, {16, 0.004}, {24, 0.0015}};
    uint64_t seed = test_seed(1);

    (void)state;
    for (unsigned r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct filter filter = {0};
        double share;

        assert_true(filter_init(&filter, (size_t)KEYS * rows[r].bits / 8, false));
        for (uint64_t i = 0; i < KEYS; i++)
            filter_add(&filter, hash_two(seed, i));
        for (uint64_t i = 0; i < KEYS; i++)
            assert_true(filter_may_have(&filter, hash_two(seed, i)));
        share = wrong_share(&filter, seed);
        printf("%u bits a key: %.2f %% of absent keys pass\n", rows[r].bits, share * 100);
        assert_true(share < rows[r].share);
        filter_free(&filter);
    }
}

static void an_empty_one_has_nothing(void **state)
{
    struct filter filter = {0};

    (void)state;
    assert_true(filter_init(&filter, 1000, true));
    assert_true(wrong_share(&filter, 1) == 0);
    assert_int_equal(filter_bytes(&filter), 1024);
    filter_free(&filter);
}

/* Filled to 60 times its size: new layers keep it useful; all older keys are still found. */
static void grows_when_it_is_full(void **state)
{
    struct filter filter = {0};
    uint64_t seed = test_seed(2);
    double share;

    (void)state;
    assert_true(filter_init(&filter, (size_t)KEYS * 10 / 8 / 60, true));
    for (uint64_t i = 0; i < KEYS; i += 1000) {
        filter_reserve(&filter, 1000);
        for (uint64_t j = i; j < i + 1000; j++)
            filter_add(&filter, hash_two(seed, j));
    }
    for (uint64_t i = 0; i < KEYS; i++)
        assert_true(filter_may_have(&filter, hash_two(seed, i)));
    share = wrong_share(&filter, seed);
    printf("%u layers: %.2f %% of absent keys pass\n", filter.layer_count, share * 100);
    assert_true(filter.layer_count > 4 && share < 0.06);
    assert_in_range(filter_keys(&filter), KEYS - KEYS / 12, KEYS);
    filter_free(&filter);
}

static void known_keys_do_not_fill_it(void **state)
{
    struct filter filter = {0};
    uint64_t keys;

    (void)state;
    assert_true(filter_init(&filter, 4096, true));
    for (uint64_t i = 0; i < 1000; i++)
        filter_add(&filter, hash_mix(i));
    keys = filter_keys(&filter);
    for (int round = 0; round < 100; round++) {
        filter_reserve(&filter, 1000);
        for (uint64_t i = 0; i < 1000; i++)
            filter_add(&filter, hash_mix(i));
    }
    assert_int_equal(filter_keys(&filter), keys);
    assert_true(filter.layer_count <= 2);
    filter_free(&filter);
}

static struct filter shared;
static _Atomic uint64_t published;

static void *add_all(void *argument)
{
    (void)argument;
    for (uint64_t i = 0; i < KEYS; i++) {
        if (i % 1000 == 0)
            filter_reserve(&shared, 1000);
        filter_add(&shared, hash_mix(i));
        atomic_store_explicit(&published, i + 1, memory_order_release);
    }
    return NULL;
}

/* What was published after it was added is found, while more is being added. */
static void a_reader_finds_what_was_published(void **state)
{
    pthread_t adder;
    uint64_t at = 0;

    (void)state;
    shared = (struct filter){0};
    atomic_store(&published, 0);
    assert_true(filter_init(&shared, 4096, true));
    assert_int_equal(pthread_create(&adder, NULL, add_all, NULL), 0);
    while (at < KEYS) {
        uint64_t to = atomic_load_explicit(&published, memory_order_acquire);

        for (; at < to; at++)
            assert_true(filter_may_have(&shared, hash_mix(at)));
    }
    pthread_join(adder, NULL);
    filter_free(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_forgets_and_rarely_invents),
        cmocka_unit_test(an_empty_one_has_nothing),
        cmocka_unit_test(grows_when_it_is_full),
        cmocka_unit_test(known_keys_do_not_fill_it),
        cmocka_unit_test(a_reader_finds_what_was_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
