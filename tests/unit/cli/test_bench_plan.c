/* The plan of likes and the histogram of zan bench: pure headers, asked directly. If the plan gave a
 * pair twice, a right server would look wrong, and a wrong one right. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "cli/bench_histogram.h"
#include "cli/bench_plan.h"

#define COUNT 300000

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The first count pairs as sorted numbers. */
static void walk(struct plan *plan, uint64_t *pairs, uint64_t count)
{
    plan->taken = calloc(plan_items(plan), sizeof *plan->taken);
    for (uint64_t k = 0; k < count; k++) {
        struct plan_pair pair = plan_pair(plan, k);

        assert_in_range(pair.account, 1, plan_accounts(plan));
        assert_in_range(pair.item, 1, plan_item_ids(plan));
        pairs[k] = pair.account << 32 | pair.item;
    }
    free(plan->taken);
    qsort(pairs, count, sizeof *pairs, by_value);
}

static void no_pair_comes_twice(void **state)
{
    static uint64_t pairs[COUNT];
    uint64_t seed = test_seed(7);

    (void)state;
    for (enum plan_spread spread = PLAN_UNIFORM; spread <= PLAN_ZIPF; spread++) {
        for (uint32_t account_bits = 12; account_bits <= 18; account_bits += 3) {
            struct plan plan = {.spread = spread, .account_bits = account_bits, .item_bits = 8,
                                .seed = seed};
            uint64_t count = plan_size(&plan) < COUNT ? plan_size(&plan) : COUNT;

            walk(&plan, pairs, count);
            for (uint64_t k = 1; k < count; k++)
                assert_true(pairs[k - 1] != pairs[k]);
        }
    }
}

/* At the full size of a small plan, every account likes every item: nothing is left out. */
static void a_whole_plan_is_every_pair(void **state)
{
    static uint64_t pairs[1 << 12];
    struct plan plan = {.account_bits = 7, .item_bits = 5, .seed = test_seed(3)};

    (void)state;
    assert_int_equal(plan_size(&plan), 1 << 12);
    walk(&plan, pairs, plan_size(&plan));
    for (uint64_t k = 0; k < plan_size(&plan); k++)
        assert_int_equal(pairs[k], ((k >> 5) + 1) << 32 | ((k & 31) + 1));
}

/* What LIKED is asked with: the item of a round that is over is liked, of one to come is not. */
static void a_round_can_be_asked_backwards(void **state)
{
    struct plan plan = {.account_bits = 6, .item_bits = 6, .seed = test_seed(5)};
    static bool liked[64][64];
    uint64_t rounds = 20;

    (void)state;
    memset(liked, 0, sizeof liked);
    for (uint64_t k = 0; k < rounds << plan.account_bits; k++)
        liked[plan_pair(&plan, k).account - 1][plan_pair(&plan, k).item - 1] = true;
    for (uint64_t account = 0; account < 64; account++)
        for (uint64_t round = 0; round < 64; round++)
            assert_int_equal(liked[account][plan_item_of_round(&plan, account, round)],
                             round < rounds);
}

static void hot_is_nine_of_ten(void **state)
{
    struct plan plan = {.spread = PLAN_HOT, .account_bits = 17, .item_bits = 10, .seed = 1};
    uint64_t hot = 0;

    (void)state;
    for (uint64_t k = 0; k < 100000; k++)
        hot += plan_pair(&plan, k).item == 1;
    assert_int_equal(hot, 90000);
}

static void zipf_falls_by_half_with_each_doubling_of_rank(void **state)
{
    struct plan plan = {.spread = PLAN_ZIPF, .account_bits = 18, .item_bits = 10, .seed = 1};
    uint32_t taken[1 << 10] = {0};
    uint64_t before = UINT64_MAX;

    (void)state;
    plan.taken = taken;
    for (uint64_t k = 0; k < 500000; k++)
        plan_pair(&plan, k);
    for (uint32_t rank = 1; rank < 1 << 6; rank *= 2) {
        uint64_t likes = taken[plan_mix(rank, 10)];

        assert_in_range(likes, 500000 / 10 / rank * 9 / 10, 500000 / 10 / rank * 11 / 10);
        assert_true(likes < before);
        before = likes;
    }
}

/* A quantile is never below the true one and at most 1/64 above. */
static void quantiles_are_tight_from_above(void **state)
{
    static struct histogram histogram;
    static uint64_t values[20001];
    struct test_random random = {test_seed(11)};
    uint64_t shares[] = {1, 500000, 900000, 990000, 999000, 1000000};

    (void)state;
    for (uint32_t i = 0; i < 20001; i++) {
        values[i] = test_random_next(&random) >> test_random_below(&random, 60);
        histogram_add(&histogram, values[i], 1);
    }
    qsort(values, 20001, sizeof *values, by_value);
    for (uint32_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        uint64_t rank = (20001 * shares[i] + 999999) / 1000000;
        uint64_t exact = values[rank - 1];
        uint64_t told = histogram_quantile(&histogram, shares[i]);

        assert_true(told >= exact && told - exact <= exact / 64);
    }
    assert_int_equal(histogram.largest, values[20000]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_pair_comes_twice),
        cmocka_unit_test(a_whole_plan_is_every_pair),
        cmocka_unit_test(a_round_can_be_asked_backwards),
        cmocka_unit_test(hot_is_nine_of_ten),
        cmocka_unit_test(zipf_falls_by_half_with_each_doubling_of_rank),
        cmocka_unit_test(quantiles_are_tight_from_above),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
