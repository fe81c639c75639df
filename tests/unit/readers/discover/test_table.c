/* Tables of fixed size against a plain list, under random keys of which far more exist than fit. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "readers/discover/table.h"

struct row {
    struct table_head head;
    uint64_t value;
};

#define CAPACITY 37
#define KEYS     120

static struct table table;
static void *memory;

static int open_table(void **state)
{
    (void)state;
    memory = calloc(1, table_bytes(sizeof(struct row), CAPACITY));
    table_open(&table, memory, sizeof(struct row), CAPACITY);
    return 0;
}

static int close_table(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static struct table_key key_of(uint64_t i)
{
    return (struct table_key){i / 3, i % 3 * 7, (uint32_t)(i % 2)};
}

static void holds_what_it_was_given(void **state)
{
    struct test_random random = {test_seed(11)};
    uint32_t where[KEYS];
    uint64_t value[KEYS];

    (void)state;
    memset(where, 0xFF, sizeof where);
    for (uint32_t step = 0; step < 200000; step++) {
        uint64_t i = test_random_below(&random, KEYS);
        uint32_t row = table_find(&table, key_of(i), test_random_below(&random, 2));

        assert_int_equal(row, where[i]);
        if (row == TABLE_NONE) {
            uint32_t victim = table_victim(&table);

            assert_int_equal(victim != TABLE_NONE, table_is_full(&table));
            if (victim != TABLE_NONE) {
                for (uint32_t j = 0; j < KEYS; j++)
                    if (where[j] == victim)
                        where[j] = TABLE_NONE;
                table_remove(&table, victim);
            }
            where[i] = table_add(&table, key_of(i));
            value[i] = test_random_next(&random);
            ((struct row *)table_row(&table, where[i]))->value = value[i];
        } else if (test_random_below(&random, 4) == 0) {
            table_remove(&table, row);
            where[i] = TABLE_NONE;
        } else {
            assert_int_equal(((struct row *)table_row(&table, row))->value, value[i]);
        }
        assert_true(table.count <= CAPACITY);
    }
}

/* What is used between two passes of the hand stays, whatever else comes. */
static void what_is_used_stays(void **state)
{
    struct test_random random = {test_seed(12)};
    uint32_t used = table_add(&table, key_of(1000));

    (void)state;
    for (uint32_t step = 0; step < 5000; step++) {
        struct table_key key = key_of(2000 + step);
        uint32_t victim = table_victim(&table);

        assert_int_not_equal(victim, used);
        if (victim != TABLE_NONE)
            table_remove(&table, victim);
        table_add(&table, key);
        assert_int_equal(table_find(&table, key_of(1000), true), used);
        (void)test_random_next(&random);
    }
}

static double warmth_of(const void *row)
{
    return (double)((const struct row *)row)->value;
}

static void the_coldest_goes_and_the_pinned_never(void **state)
{
    (void)state;
    table.warmth = warmth_of;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct row *row = table_row(&table, table_add(&table, key_of(i)));

        row->value = 1000 - i;
        row->head.recent = 0;
        row->head.pinned = i == 5;
    }
    uint32_t victim = table_victim(&table);
    const struct row *row = table_row(&table, victim);

    /* Rows 0 .. 8 without the pinned 5th were looked at. */
    assert_int_equal(row->value, 1000 - TABLE_LOOK);
    for (uint32_t i = 0; i < CAPACITY; i++)
        ((struct table_head *)table_row(&table, i))->pinned = 1;
    assert_int_equal(table_victim(&table), TABLE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(holds_what_it_was_given, open_table, close_table),
        cmocka_unit_test_setup_teardown(what_is_used_stays, open_table, close_table),
        cmocka_unit_test_setup_teardown(the_coldest_goes_and_the_pinned_never, open_table,
                                        close_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
