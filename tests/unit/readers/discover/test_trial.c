/* Which items are in trial: a set, against an array of marks. */
#include "support.h"

#include <stdbool.h>

#include "readers/discover/trial.h"

#define ROWS 50

static void is_a_set(void **state)
{
    struct test_random random = {test_seed(1)};
    static uint32_t memory[2 * ROWS];
    struct trial trial;
    bool in[ROWS] = {false};

    (void)state;
    assert_int_equal(trial_bytes(ROWS), sizeof memory);
    trial_open(&trial, memory, ROWS);
    for (int step = 0; step < 20000; step++) {
        uint32_t row = (uint32_t)test_random_below(&random, ROWS), count = 0;
        bool now = test_random_below(&random, 2);

        in[row] = now;
        trial_set(&trial, row, now);
        for (uint32_t i = 0; i < ROWS; i++)
            count += in[i];
        assert_int_equal(trial.count, count);
        for (uint32_t i = 0; i < trial.count; i++) {
            assert_true(in[trial.rows[i]]);
            assert_int_equal(trial.place[trial.rows[i]], i + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_a_set)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
