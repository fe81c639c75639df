/* The radix sort sorts, and stably: whatever the words look like. */
#include <stdlib.h>

#include "store/sort.h"
#include "support.h"

static void sorts_stably_whatever_the_words(void **state)
{
    struct test_random random = {test_seed(1)};

    (void)state;
    for (int round = 0; round < 200; round++) {
        uint32_t count = (uint32_t)test_random_below(&random, 3000);
        unsigned shift = (unsigned)test_random_below(&random, 64);
        unsigned up = (unsigned)test_random_below(&random, shift + 1);
        struct sort_entry *entries = calloc(count + 1, sizeof *entries);
        struct sort_entry *scratch = calloc(count + 1, sizeof *scratch);
        uint64_t sum = 0;

        for (uint32_t i = 0; i < count; i++) {
            entries[i].word = test_random_next(&random) >> shift << up;
            entries[i].index = i;
            sum += entries[i].word * (i + 1);
        }
        sort_words(entries, scratch, count);
        for (uint32_t i = 0; i < count; i++) {
            sum -= entries[i].word * (entries[i].index + 1);
            if (i == 0)
                continue;
            assert_true(entries[i - 1].word <= entries[i].word);
            if (entries[i - 1].word == entries[i].word)
                assert_true(entries[i - 1].index < entries[i].index);
        }
        assert_int_equal(sum, 0);
        free(entries);
        free(scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sorts_stably_whatever_the_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
