/* HyperLogLog against exact counts: within four standard errors nearly always, and twice is once.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "readers/discover/sketch.h"

static void counts_within_its_error(void **state)
{
    struct test_random random = {test_seed(41)};
    const uint32_t sizes[] = {1, 10, 100, 400, 1000, 10000, 100000};

    (void)state;
    for (uint32_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        double squares = 0;
        uint32_t rounds = sizes[s] > 10000 ? 20 : 60;

        for (uint32_t round = 0; round < rounds; round++) {
            struct sketch sketch = {0}, before;
            uint64_t base = test_random_next(&random);

            for (uint32_t i = 0; i < sizes[s]; i++)
                sketch_add(&sketch, base + i);
            before = sketch;
            for (uint32_t i = 0; i < sizes[s]; i += 3)
                sketch_add(&sketch, base + i);
            assert_memory_equal(&sketch, &before, sizeof sketch);
            double error = sketch_count(&sketch) / sizes[s] - 1;

            assert_true(fabs(error) < 5 * SKETCH_ERROR);
            squares += error * error;
        }
        assert_true(sqrt(squares / rounds) < 1.5 * SKETCH_ERROR);
    }
    struct sketch empty = {0};

    assert_true(sketch_count(&empty) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_within_its_error)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
