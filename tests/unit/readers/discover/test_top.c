/* Top lists in many scopes against sorting everything, under random rises, falls, joins and leaves.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "readers/discover/top.h"

#define ROWS   300
#define SCOPES 12

static struct top top;
static void *memory;
static double key[ROWS];
static uint32_t in[ROWS][TOP_SLOTS]; /* scope + 1; 0: none */

static void open_with(struct top_size size)
{
    memory = calloc(1, top_bytes(size));
    top_open(&top, memory, size);
    memset(in, 0, sizeof in);
    memset(key, 0, sizeof key);
}

static struct table_key scope_of(uint32_t i)
{
    return (struct table_key){i, 99, 1};
}

static int by_key(const void *left, const void *right)
{
    double a = key[*(const uint32_t *)left], b = key[*(const uint32_t *)right];

    return a < b ? 1 : a > b ? -1 : 0;
}

static bool is_odd(void *owner, uint32_t row)
{
    (void)owner;
    return row % 2 == 1;
}

static void scope_is_sorted(uint32_t scope, uint32_t want, bool odd)
{
    uint32_t all[ROWS], count = 0, rows[TOP_READ_MAX];
    uint64_t refused;

    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t slot = 0; slot < TOP_SLOTS; slot++)
            if (in[row][slot] == scope + 1 && !(odd && row % 2 == 1))
                all[count++] = row;
    qsort(all, count, sizeof all[0], by_key);
    uint32_t found =
        top_read(&top, scope_of(scope), want, odd ? is_odd : NULL, NULL, rows, &refused);

    assert_int_equal(refused, 0);
    assert_int_equal(found, count < want ? count : want);
    for (uint32_t i = 0; i < found; i++) {
        bool member = false;

        assert_true(key[rows[i]] == key[all[i]]);
        for (uint32_t slot = 0; slot < TOP_SLOTS; slot++)
            member |= in[rows[i]][slot] == scope + 1;
        assert_true(member);
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(rows[i], rows[j]);
    }
}

static void one_step(struct test_random *random)
{
    uint32_t row = (uint32_t)test_random_below(random, ROWS);
    uint32_t slot = (uint32_t)test_random_below(random, TOP_SLOTS);
    uint32_t kind = (uint32_t)test_random_below(random, 10);

    if (kind < 7) { /* mostly small rises, some falls */
        key[row] = kind < 5 ? key[row] + (double)test_random_below(random, 5)
                            : key[row] * (double)test_random_below(random, 100) / 100;
        top_move(&top, row, key[row]);
    } else if (!top_is_in(&top, row, slot)) {
        uint32_t scope = (uint32_t)test_random_below(random, SCOPES);

        for (uint32_t i = 0; i < TOP_SLOTS; i++)
            if (in[row][i] == scope + 1)
                return; /* a row is in a scope once */
        assert_true(top_join(&top, scope_of(scope), row, slot, key[row]));
        in[row][slot] = scope + 1;
    } else if (kind == 7) {
        top_leave(&top, row, slot);
        in[row][slot] = 0;
    } else if (test_random_below(random, 50) == 0) {
        top_leave_all(&top, row);
        memset(in[row], 0, sizeof in[row]);
    }
}

static void is_what_sorting_gives(void **state)
{
    struct test_random random = {test_seed(31)};

    (void)state;
    open_with((struct top_size){ROWS, SCOPES, 20000});
    for (uint32_t step = 0; step < 60000; step++) {
        one_step(&random);
        if (step % 50 == 0)
            scope_is_sorted((uint32_t)test_random_below(&random, SCOPES),
                            1 + (uint32_t)test_random_below(&random, 40), step % 100 == 0);
        if (step % 20000 == 19999) {
            top_rescale(&top, 3);
            for (uint32_t row = 0; row < ROWS; row++)
                key[row] /= 8;
        }
    }
    for (uint32_t scope = 0; scope < SCOPES; scope++)
        scope_is_sorted(scope, ROWS, false);
    for (uint32_t row = 0; row < ROWS; row++)
        top_leave_all(&top, row);
    assert_int_equal(top.scopes.count, 0); /* empty scopes are given back */
    free(memory);
}

/* No room is said, and what is there stays right. */
static void a_full_one_says_so(void **state)
{
    uint32_t rows[TOP_READ_MAX];
    uint64_t refused;

    (void)state;
    open_with((struct top_size){ROWS, 2, 8});
    for (uint32_t row = 0; row < 6; row++) {
        key[row] = row;
        assert_int_equal(top_join(&top, scope_of(0), row, 0, key[row]), row < 4);
    }
    assert_int_equal(top_read(&top, scope_of(0), 10, NULL, NULL, rows, &refused), 4);
    assert_int_equal(refused, 2);
    assert_int_equal(rows[0], 3);
    assert_true(top_join(&top, scope_of(1), 5, 0, 5));
    assert_false(top_join(&top, scope_of(2), 4, 0, 4)); /* no room for a third scope */
    assert_int_equal(top_read(&top, scope_of(2), 10, NULL, NULL, rows, &refused), 0);
    assert_true(refused > 0);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_sorting_gives),
        cmocka_unit_test(a_full_one_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
