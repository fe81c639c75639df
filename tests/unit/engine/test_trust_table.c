/* The memory of trust: windows beside a naive twin, sets, bytes, restoring, damage. */
#include "support/trust_world.h"

#include "engine/trust_signals.h"

static uint64_t seed;

static int begin(void **state)
{
    (void)state;
    seed = test_seed(11);
    return 0;
}

static void *room(size_t bytes)
{
    void *region = aligned_alloc(64, (bytes + 63) / 64 * 64);

    assert_non_null(region);
    return region;
}

static const struct trust_config small = {64, 64, 64, 64, 64};

static struct act random_act(struct test_random *random, int64_t now_us)
{
    static const uint8_t verbs[] = {VERB_LIKE, VERB_LIKE, VERB_LIKE,   VERB_UNLIKE,
                                    VERB_VIEW, VERB_SKIP, VERB_REPORT, VERB_FAVORITE};

    return (struct act){
        .now_us = now_us,
        .account = test_random_below(random, 300),
        .target = test_random_below(random, 40),
        .creator = test_random_below(random, 10),
        .device = test_random_below(random, 100),
        .network = test_random_below(random, 10),
        .account_first_us = WORLD_US - (int64_t)test_random_below(random, 3 * DAY_US),
        .given_likes = test_random_below(random, 5),
        .taken_back = test_random_below(random, 20),
        .tenant = (uint16_t)test_random_below(random, 2),
        .flips = (uint16_t)test_random_below(random, 3),
        .verb = verbs[test_random_below(random, 8)],
        .has_creator = (uint8_t)test_random_below(random, 2),
        .exempt = test_random_below(random, 50) == 0,
    };
}

/* --- windows beside a list of all times --- */

static uint32_t naive(const uint32_t *times, size_t count, uint32_t now_s, uint32_t width_s)
{
    uint64_t current = 0, before = 0;

    for (size_t i = 0; i < count; i++) {
        current += times[i] / width_s == now_s / width_s;
        before += times[i] / width_s + 1 == now_s / width_s;
    }
    return (uint32_t)(current + before * (width_s - now_s % width_s) / width_s);
}

static void a_sliding_count_is_what_a_list_gives(void **state)
{
    static const uint32_t widths[] = {TRUST_FAST_S, TRUST_PLACE_S, TRUST_DAY_S};
    struct test_random random = {seed};
    uint32_t times[400];

    (void)state;
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t width_s = widths[round % 3], now_s = 1000000 + round, last_s = 0;
        struct trust_count count = {0, 0};

        for (size_t i = 0; i < 400; i++) {
            now_s += (uint32_t)test_random_below(&random,
                                                 width_s / (1 + test_random_below(&random, 60)));
            count = trust_roll(count.now, count.before, last_s, now_s, width_s);
            assert_int_equal(trust_sliding(count, now_s, width_s), naive(times, i, now_s, width_s));
            count.now++;
            last_s = now_s;
            times[i] = now_s;
        }
    }
}

/* The same through the front: the rows of one account, one network, one item. */
static void rows_count_what_a_list_gives(void **state)
{
    struct trust_config config = {1024, 1024, 1024, 1024, 1024};
    void *region = room(trust_bytes(&config));
    struct trust *trust = trust_open(region, trust_bytes(&config), &config);
    struct test_random random = {seed + 1};
    uint32_t times[200], now_s = (uint32_t)(WORLD_US / SECOND_US);

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        struct act act = {.account = 1, .network = 9, .verb = VERB_LIKE, .given_likes = 5};
        struct trust_view view;
        struct trust_count day;

        now_s += (uint32_t)test_random_below(&random, i % 20 == 0 ? 100000 : 20);
        act.now_us = now_s * SECOND_US;
        act.account_first_us = act.now_us - DAY_US;
        act.target = i;
        trust_observe(trust, &act);
        times[i] = now_s;
        trust_look(trust, &act, false, &view);
        assert_non_null(view.account);
        assert_int_equal(
            trust_sliding((struct trust_count){view.account->fast[0], view.account->fast[1]}, now_s,
                          TRUST_FAST_S),
            naive(times, i + 1, now_s, TRUST_FAST_S));
        day = (struct trust_count){view.account->slow[0], view.account->slow[1]};
        assert_int_equal(trust_sliding(day, now_s, TRUST_DAY_S),
                         naive(times, i + 1, now_s, TRUST_DAY_S));
        day = (struct trust_count){view.platform->acts[0], view.platform->acts[1]};
        assert_int_equal(trust_sliding(day, now_s, TRUST_DAY_S),
                         naive(times, i + 1, now_s, TRUST_DAY_S));
        assert_int_equal(view.network->fast[0] > 0, 1);
        assert_int_equal(trust_network_item_acts(&view), 1);
        assert_true(trust_network_accounts(&view) <= 2);
    }
    free(region);
}

/* The window of an item opens with an act and lasts two hours; the one before is kept. */
static void a_window_opens_with_an_act(void **state)
{
    void *region = room(trust_bytes(&small));
    struct trust *trust = trust_open(region, trust_bytes(&small), &small);
    struct act act = {.now_us = WORLD_US, .verb = VERB_LIKE, .target = 3, .given_likes = 9};
    struct trust_view view;

    (void)state;
    for (uint32_t i = 0; i < 10; i++, act.now_us += 20 * 60 * SECOND_US) {
        act.account = i;
        trust_look(trust, &act, false, &view);
        assert_int_equal(view.window.count, i % 6);
        trust_observe(trust, &act);
    }
    act.now_us = WORLD_US + HOUR_US;
    trust_look(trust, &act, true, &view);
    assert_int_equal(view.window.count, 6);
    act.now_us = WORLD_US - 1 * SECOND_US;
    trust_look(trust, &act, true, &view);
    assert_int_equal(view.window.count, 0);
    free(region);
}

/* --- sets --- */

static void the_oldest_makes_room(void **state)
{
    void *region = room(trust_bytes(&small));
    struct trust *trust = trust_open(region, trust_bytes(&small), &small);
    uint32_t known = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        struct trust_account *row = trust_account_take(trust, trust_key(0, 1, i));

        assert_int_equal(row->last_s, 0);
        row->last_s = (uint32_t)i + 1;
        assert_ptr_equal(trust_account_get(trust, trust_key(0, 1, i)), row);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        const struct trust_account *row = trust_account_get(trust, trust_key(0, 1, i));

        known += row != NULL;
        if (row == NULL)
            continue;
        assert_int_equal(row->last_s, i + 1);
        for (uint64_t later = i + 1; later < 1000; later++) /* younger ones of its set are there */
            if (trust_key(0, 1, later) >> 32 >> 27 == trust_key(0, 1, i) >> 32 >> 27)
                assert_non_null(trust_account_get(trust, trust_key(0, 1, later)));
    }
    assert_int_equal(known, 64);
    free(region);
}

static void the_least_pair_makes_room(void **state)
{
    void *region = room(trust_bytes(&small));
    struct trust *trust = trust_open(region, trust_bytes(&small), &small);
    struct trust_pair *kept = trust_pair_take(trust, trust_key(0, 2, 0), 100);
    uint64_t key = trust_key(0, 2, 0);

    (void)state;
    kept->count = 20;
    for (uint64_t i = 1; i < 1000; i++)
        trust_pair_take(trust, trust_key(0, 2, i), 100)->count = 1;
    assert_non_null(trust_pair_get(trust, key));
    for (uint64_t i = 1; i < 1000; i++) /* a month later it is worth no more than a new one */
        trust_pair_take(trust, trust_key(0, 2, 1000 + i), 100 + 720)->count = 1;
    assert_null(trust_pair_get(trust, key));
    free(region);
}

static void memory_is_as_asked(void **state)
{
    (void)state;
    for (size_t bytes = TRUST_BYTES_MIN; bytes <= (size_t)1 << 32; bytes += bytes / 3) {
        struct trust_config config = trust_config_for(bytes);

        assert_true(trust_bytes(&config) <= bytes);
        assert_true(trust_bytes(&config) > bytes / 3);
    }
}

/* --- bytes --- */

static uint64_t hash_of(const void *region, size_t bytes)
{
    const uint64_t *words = region;
    uint64_t hash = 0;

    for (size_t i = 0; i < bytes / 8; i++)
        hash = hash_mix(hash ^ words[i]);
    return hash;
}

static uint64_t run(struct trust *trust, struct test_random *random, int64_t *now_us, uint32_t acts)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < acts; i++) {
        struct trust_verdict verdict;
        struct act act;

        *now_us += (int64_t)test_random_below(random, 30 * SECOND_US);
        act = random_act(random, *now_us);
        trust_judge(trust, &act, &verdict);
        act.weight_pct = verdict.weight_pct;
        act.mark = verdict.mark;
        trust_observe(trust, &act);
        sum = hash_mix(sum ^ verdict.score ^ (uint64_t)verdict.reasons << 16 ^
                       (uint64_t)verdict.weight_pct << 32 ^ (uint64_t)verdict.mark << 40);
        act.now_us -= HOUR_US;
        trust_settle(trust, &act, &verdict);
        assert_int_equal(verdict.mark, MARK_PLAIN);
        sum = hash_mix(sum ^ verdict.score);
    }
    return sum;
}

/* The same on gcc and clang, -O0 and -O2, with and without sanitizers. If the scorer is changed on
 * purpose: new numbers here, and TRUST_VERSION one more if old bytes mean something else now. */
static void the_same_acts_leave_the_same_bytes_on_every_build(void **state)
{
    struct trust_config config = {256, 256, 256, 1024, 256};
    size_t bytes = trust_bytes(&config);
    void *region = room(bytes);
    struct trust *trust = trust_open(region, bytes, &config);
    struct test_random random = {42};
    int64_t now_us = WORLD_US;
    uint64_t verdicts = run(trust, &random, &now_us, 20000);

    (void)state;
    print_message("verdicts %016llx, bytes %016llx\n", (unsigned long long)verdicts,
                  (unsigned long long)hash_of(region, bytes));
    assert_true(verdicts == 0x8cf6d0a8477ebe47ULL);
    assert_true(hash_of(region, bytes) == 0x3cfd07b39a752f9cULL);
    free(region);
}

static void what_is_saved_goes_on_as_if_nothing_had_been(void **state)
{
    size_t bytes = trust_bytes(&small);
    void *one = room(bytes), *other = room(bytes);
    struct trust *trust = trust_open(one, bytes, &small);
    struct test_random random = {seed + 2}, again;
    int64_t now_us = WORLD_US, again_us;

    (void)state;
    run(trust, &random, &now_us, 5000);
    memcpy(other, one, bytes);
    again = random;
    again_us = now_us;
    assert_ptr_equal(trust_restore(other, bytes, &small), other);
    assert_true(run(trust, &random, &now_us, 5000) ==
                run((struct trust *)other, &again, &again_us, 5000));
    assert_memory_equal(one, other, bytes);
    free(one);
    free(other);
}

static void another_shape_is_not_restored(void **state)
{
    size_t bytes = trust_bytes(&small);
    struct trust_config larger = {64, 64, 64, 128, 64};
    struct trust *trust = trust_open(room(trust_bytes(&larger)), trust_bytes(&larger), &small);

    (void)state;
    assert_non_null(trust_restore(trust, bytes, &small));
    assert_null(trust_restore(trust, bytes - 1, &small));
    assert_null(trust_restore(trust, trust_bytes(&larger), &larger));
    trust->version++;
    assert_null(trust_restore(trust, bytes, &small));
    trust->version--;
    trust->magic ^= 1;
    assert_null(trust_restore(trust, bytes, &small));
    free(trust);
}

/* Whatever the bytes are: no read or write outside (the sanitizers watch), no more than 1000
 * points. */
static void damage_stays_inside(void **state)
{
    size_t bytes = trust_bytes(&small);
    struct test_random random = {seed + 3};

    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        void *region = room(bytes);
        struct trust *trust = trust_open(region, bytes, &small);
        uint64_t *words = region;
        int64_t now_us = WORLD_US;

        run(trust, &random, &now_us, 500);
        for (size_t i = sizeof *trust / 8; i < bytes / 8;
             i++) /* tags stay, so that rows are found */
            if (round % 2 == 0)
                words[i] ^= test_random_next(&random) & 0xFFFFFFFF00000000ULL;
            else if (i % 8 != 0)
                words[i] = test_random_next(&random);
        run(trust, &random, &now_us, 2000);
        free(region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sliding_count_is_what_a_list_gives),
        cmocka_unit_test(rows_count_what_a_list_gives),
        cmocka_unit_test(a_window_opens_with_an_act),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(the_least_pair_makes_room),
        cmocka_unit_test(memory_is_as_asked),
        cmocka_unit_test(the_same_acts_leave_the_same_bytes_on_every_build),
        cmocka_unit_test(what_is_saved_goes_on_as_if_nothing_had_been),
        cmocka_unit_test(another_shape_is_not_restored),
        cmocka_unit_test(damage_stays_inside),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
