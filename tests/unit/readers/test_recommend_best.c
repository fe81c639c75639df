/* The best n: against sorting everything, in whatever order it is offered. */
#include "support.h"

#include <stdlib.h>

#include "readers/recommend/best.h"

#define OFFERS 300
#define MOST   40

static int greatest_first(const void *a, const void *b)
{
    const struct best_one *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void are_the_first_of_all_sorted(void **state)
{
    struct test_random random = {test_seed(61)};
    struct best_one all[OFFERS], room[MOST];

    (void)state;
    for (uint32_t round = 0; round < 400; round++) {
        uint32_t count = 1 + (uint32_t)test_random_below(&random, OFFERS);
        struct best best = {.kept = room, .most = 1 + (uint32_t)test_random_below(&random, MOST)};
        uint32_t size;

        for (uint32_t i = 0; i < count; i++)
            all[i] = (struct best_one){(float)test_random_below(&random, 50), i};
        for (uint32_t i = count - 1; i > 0; i--) {
            uint32_t j = (uint32_t)test_random_below(&random, i + 1);
            struct best_one swap = all[i];

            all[i] = all[j];
            all[j] = swap;
        }
        for (uint32_t i = 0; i < count; i++)
            best_offer(&best, all[i]);
        size = count < best.most ? count : best.most;
        assert_int_equal(best.size, size);
        qsort(all, count, sizeof all[0], greatest_first);
        while (size > 0) {
            struct best_one least = best_take_least(&best);

            size--;
            assert_true(least.index == all[size].index && least.score == all[size].score);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(are_the_first_of_all_sorted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
