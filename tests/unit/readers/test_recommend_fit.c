/* Matrix, neighbours, ridge and low-pass, each held against its definition, computed densely in
 * doubles on a small set; and the same bits from any number of threads. */
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/dense.h"
#include "readers/recommend/lowpass.h"
#include "readers/recommend/neighbours.h"
#include "readers/recommend/ridge.h"

#define ROWS    40
#define COLUMNS 24

static const struct work alone = {.threads = 1};

struct small {
    bool has[ROWS][COLUMNS];
    struct matrix matrix;
};

/* Pairs in random order, some said twice; popular columns are more popular; one row and one column
 * are empty. */
static void make_small(struct test_random *random, struct small *small)
{
    static struct matrix_pair pairs[2 * ROWS * COLUMNS];
    uint64_t count = 0;

    memset(small, 0, sizeof *small);
    for (uint32_t n = 0; n < ROWS * 6; n++) {
        uint32_t row = (uint32_t)test_random_below(random, ROWS - 1);
        uint32_t column =
            (uint32_t)test_random_below(random, 1 + test_random_below(random, COLUMNS - 1));

        small->has[row][column] = true;
        pairs[count++] = (struct matrix_pair){row, column};
        if (test_random_below(random, 4) == 0)
            pairs[count++] = (struct matrix_pair){row, column};
    }
    assert_int_equal(matrix_build(pairs, count, ROWS, COLUMNS, &small->matrix), STATUS_OK);
}

static uint32_t row_size(const struct small *small, uint32_t row)
{
    uint32_t size = 0;

    for (uint32_t c = 0; c < COLUMNS; c++)
        size += small->has[row][c];
    return size;
}

static uint32_t column_size(const struct small *small, uint32_t column)
{
    uint32_t size = 0;

    for (uint32_t r = 0; r < ROWS; r++)
        size += small->has[r][column];
    return size;
}

static void the_matrix_says_what_the_pairs_say(void **state)
{
    struct test_random random = {test_seed(1)};
    struct small small;
    uint32_t pairs = 0;

    (void)state;
    make_small(&random, &small);
    for (uint32_t r = 0; r < ROWS; r++) {
        uint32_t at = small.matrix.row_start[r];

        for (uint32_t c = 0; c < COLUMNS; c++)
            if (small.has[r][c])
                assert_int_equal(small.matrix.row_column[at++], c);
        assert_int_equal(at, small.matrix.row_start[r + 1]);
        pairs += row_size(&small, r);
    }
    for (uint32_t c = 0; c < COLUMNS; c++) {
        uint32_t at = small.matrix.column_start[c];

        for (uint32_t r = 0; r < ROWS; r++)
            if (small.has[r][c])
                assert_int_equal(small.matrix.column_row[at++], r);
        assert_int_equal(at, small.matrix.column_start[c + 1]);
    }
    assert_int_equal(small.matrix.pairs, pairs);
    matrix_free(&small.matrix);
}

static bool holds(const struct matrix *matrix, uint32_t row, uint32_t column)
{
    for (uint32_t p = matrix->row_start[row]; p < matrix->row_start[row + 1]; p++)
        if (matrix->row_column[p] == column)
            return true;
    return false;
}

static void a_split_parts_each_row(void **state)
{
    struct test_random random = {test_seed(2)};
    struct matrix kept, held, again, held_again;
    struct small small;

    (void)state;
    make_small(&random, &small);
    assert_int_equal(matrix_split(&small.matrix, 7, &kept, &held), STATUS_OK);
    for (uint32_t r = 0; r < ROWS; r++) {
        uint32_t size = row_size(&small, r), out = (size + 2) / 5;

        if (size < MATRIX_SPLIT_MIN)
            out = 0;
        assert_int_equal(matrix_row_size(&held, r), out);
        assert_int_equal(matrix_row_size(&kept, r), size - out);
        for (uint32_t c = 0; c < COLUMNS; c++)
            assert_int_equal(holds(&kept, r, c) + holds(&held, r, c), small.has[r][c]);
    }
    assert_int_equal(held.column_start[COLUMNS], held.pairs);
    assert_int_equal(matrix_split(&small.matrix, 8, &again, &held_again), STATUS_OK);
    assert_memory_not_equal(held.row_column, held_again.row_column, held.pairs * sizeof(uint32_t));
    matrix_free(&kept);
    matrix_free(&held);
    matrix_free(&again);
    matrix_free(&held_again);
    matrix_free(&small.matrix);
}

/* --- definitions ---------------------------------------------------------------------------------
 */

/* P_ij of ridge.h and neighbours.h. */
static double likeness(const struct small *small, double a, double b, uint32_t i, uint32_t j)
{
    double sum = 0;

    for (uint32_t r = 0; r < ROWS; r++)
        if (small->has[r][i] && small->has[r][j])
            sum += pow(row_size(small, r), -2 * a);
    return sum == 0 ? 0 : sum * pow(column_size(small, i), -b) * pow(column_size(small, j), -b);
}

/* Solves by elimination with pivots. */
static void solve(uint32_t n, double matrix[COLUMNS][COLUMNS], double right[COLUMNS])
{
    for (uint32_t step = 0; step < n; step++) {
        uint32_t pivot = step;

        for (uint32_t r = step + 1; r < n; r++)
            if (fabs(matrix[r][step]) > fabs(matrix[pivot][step]))
                pivot = r;
        for (uint32_t c = 0; c < n; c++) {
            double swap = matrix[step][c];

            matrix[step][c] = matrix[pivot][c];
            matrix[pivot][c] = swap;
        }
        double swap = right[step];
        right[step] = right[pivot];
        right[pivot] = swap;
        for (uint32_t r = 0; r < n; r++) {
            double factor = r == step ? 0 : matrix[r][step] / matrix[step][step];

            for (uint32_t c = 0; c < n; c++)
                matrix[r][c] -= factor * matrix[step][c];
            right[r] -= factor * right[step];
        }
    }
    for (uint32_t r = 0; r < n; r++)
        right[r] /= matrix[r][r];
}

static double mean_own_likeness(const struct small *small, double a, double b)
{
    double sum = 0;
    uint32_t count = 0;

    for (uint32_t i = 0; i < COLUMNS; i++) {
        sum += likeness(small, a, b, i, i);
        count += column_size(small, i) > 0;
    }
    return sum / count;
}

static void neighbours_are_the_most_alike(void **state)
{
    struct test_random random = {test_seed(3)};
    const struct neighbours_rule rule = {0.35, 0.4, 7};
    struct neighbours neighbours;
    struct small small;

    (void)state;
    make_small(&random, &small);
    assert_int_equal(neighbours_make(&small.matrix, &rule, &alone, &neighbours), STATUS_OK);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        double last = INFINITY;
        uint32_t alike = 0;

        for (uint32_t j = 0; j < COLUMNS; j++)
            alike += j != i && likeness(&small, 0.35, 0.4, i, j) > 0;
        assert_int_equal(neighbours.count[i], alike < 7 ? alike : 7);
        for (uint32_t n = 0; n < neighbours.count[i]; n++) {
            uint32_t item = neighbours.item[i * 7 + n], better = 0;
            double own = likeness(&small, 0.35, 0.4, i, item);

            assert_int_not_equal(item, i);
            assert_true(fabs(own - (double)neighbours.likeness[i * 7 + n]) < 1e-5);
            assert_true((double)neighbours.likeness[i * 7 + n] <= last);
            last = (double)neighbours.likeness[i * 7 + n];
            for (uint32_t j = 0; j < COLUMNS; j++)
                better += j != i && likeness(&small, 0.35, 0.4, i, j) > own + 1e-5;
            assert_true(better <= n);
        }
    }
    neighbours_free(&neighbours);
    matrix_free(&small.matrix);
}

/* Of items equally alike the lower number is kept, and goes first. */
static void equals_go_by_number(void **state)
{
    const struct matrix_pair pairs[] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}};
    const struct neighbours_rule rule = {0.5, 0.5, 2};
    struct neighbours neighbours;
    struct matrix matrix;

    (void)state;
    assert_int_equal(matrix_build(pairs, 5, 1, 5, &matrix), STATUS_OK);
    assert_int_equal(neighbours_make(&matrix, &rule, &alone, &neighbours), STATUS_OK);
    assert_int_equal(neighbours.item[2 * 2], 0);
    assert_int_equal(neighbours.item[2 * 2 + 1], 1);
    assert_int_equal(neighbours.item[0], 1);
    assert_int_equal(neighbours.item[1], 2);
    neighbours_free(&neighbours);
    matrix_free(&matrix);
}

/* Any powers, some neighbours: each item's system solved by elimination. */
static void the_ridge_solves_each_neighbourhood(void **state)
{
    struct test_random random = {test_seed(4)};
    const struct neighbours_rule near = {0.35, 0.4, 9};
    const struct ridge_rule rule = {0.15, 0.3, 1.5, 7};
    float weight[COLUMNS * 9];
    struct neighbours neighbours;
    struct small small;
    double own;

    (void)state;
    make_small(&random, &small);
    own = mean_own_likeness(&small, 0.15, 0.3);
    assert_int_equal(neighbours_make(&small.matrix, &near, &alone, &neighbours), STATUS_OK);
    assert_int_equal(ridge_fit(&small.matrix, &neighbours, &rule, &alone, weight), STATUS_OK);
    for (uint32_t j = 0; j < COLUMNS; j++) {
        uint32_t n = neighbours.count[j] < 7 ? neighbours.count[j] : 7;
        const uint32_t *item = neighbours.item + (size_t)j * 9;
        double gram[COLUMNS][COLUMNS], right[COLUMNS];

        for (uint32_t r = 0; r < n; r++) {
            for (uint32_t c = 0; c < n; c++)
                gram[r][c] = likeness(&small, 0.15, 0.3, item[r], item[c]) + (r == c) * 1.5 * own;
            right[r] = likeness(&small, 0.15, 0.3, item[r], j);
        }
        solve(n, gram, right);
        for (uint32_t r = 0; r < n; r++) {
            double scaled = right[r] * pow(column_size(&small, item[r]), -0.3) *
                            pow(column_size(&small, j), 0.3);

            assert_true(fabs(scaled - (double)weight[j * 9 + r]) < 1e-4);
        }
        for (uint32_t r = n; r < 9; r++)
            assert_true(weight[j * 9 + r] == 0);
    }
    neighbours_free(&neighbours);
    matrix_free(&small.matrix);
}

/* With all items as neighbours and no powers it is EASE: B = I - Q diag(1 / Q_jj), Q the inverse of
 * G + penalty I. */
static void with_all_neighbours_it_is_ease(void **state)
{
    struct test_random random = {test_seed(5)};
    const struct neighbours_rule near = {0.5, 0.5, COLUMNS};
    struct ridge_rule rule = {0, 0, 0, COLUMNS};
    static float weight[COLUMNS * COLUMNS];
    struct neighbours neighbours;
    struct small small;
    double penalty = 2;

    (void)state;
    make_small(&random, &small);
    /* Every two items share an account here: EASE has no choice of neighbours. */
    struct matrix_pair pairs[ROWS * COLUMNS];
    uint64_t count = 0;
    for (uint32_t c = 0; c < COLUMNS; c++)
        small.has[ROWS - 1][c] = true;
    for (uint32_t r = 0; r < ROWS; r++)
        for (uint32_t c = 0; c < COLUMNS; c++)
            if (small.has[r][c])
                pairs[count++] = (struct matrix_pair){r, c};
    matrix_free(&small.matrix);
    assert_int_equal(matrix_build(pairs, count, ROWS, COLUMNS, &small.matrix), STATUS_OK);
    rule.penalty = penalty / mean_own_likeness(&small, 0, 0);
    assert_int_equal(neighbours_make(&small.matrix, &near, &alone, &neighbours), STATUS_OK);
    assert_int_equal(ridge_fit(&small.matrix, &neighbours, &rule, &alone, weight), STATUS_OK);
    for (uint32_t j = 0; j < COLUMNS; j++) {
        double gram[COLUMNS][COLUMNS], column[COLUMNS] = {0};

        for (uint32_t r = 0; r < COLUMNS; r++)
            for (uint32_t c = 0; c < COLUMNS; c++)
                gram[r][c] = likeness(&small, 0, 0, r, c) + (r == c) * penalty;
        column[j] = 1;
        solve(COLUMNS, gram, column); /* column j of Q */
        assert_int_equal(neighbours.count[j], COLUMNS - 1);
        for (uint32_t n = 0; n < COLUMNS - 1; n++) {
            double ease = -column[neighbours.item[j * COLUMNS + n]] / column[j];

            assert_true(fabs(ease - (double)weight[j * COLUMNS + n]) < 1e-4);
        }
    }
    neighbours_free(&neighbours);
    matrix_free(&small.matrix);
}

/* Two neighbours that are alike to the last bit, and as good as no ridge. */
static void a_ridge_without_a_solution_says_so(void **state)
{
    const struct neighbours_rule near = {0.5, 0.5, 2};
    const struct ridge_rule rule = {0, 0, 1e-30, 2};
    struct matrix_pair pairs[12];
    struct neighbours neighbours;
    struct matrix matrix;
    float weight[6];

    (void)state;
    for (uint32_t i = 0; i < 12; i++)
        pairs[i] = (struct matrix_pair){i / 3, i % 3};
    assert_int_equal(matrix_build(pairs, 12, 4, 3, &matrix), STATUS_OK);
    assert_int_equal(neighbours_make(&matrix, &near, &alone, &neighbours), STATUS_OK);
    assert_int_equal(ridge_fit(&matrix, &neighbours, &rule, &alone, weight), STATUS_BADDATA);
    neighbours_free(&neighbours);
    matrix_free(&matrix);
}

/* N'N v = value v, orthonormal, descending, and together the whole trace: so they are all there
 * are, and the first ones of a smaller rank are the same. */
static void the_low_pass_has_the_eigenvectors(void **state)
{
    struct test_random random = {test_seed(6)};
    double trace = 0, sum = 0, first = 0;
    const struct lowpass_rule whole = {0.5, 0.5, COLUMNS}, three = {0.5, 0.5, 3};
    struct lowpass all, some;
    struct small small;

    (void)state;
    make_small(&random, &small);
    assert_int_equal(lowpass_make(&small.matrix, &whole, 5, &alone, &all), STATUS_OK);
    assert_int_equal(lowpass_make(&small.matrix, &three, 6, &alone, &some), STATUS_OK);
    assert_int_equal(some.rank, 3);
    assert_true(all.rank <= COLUMNS - 1); /* one column is empty */
    for (uint32_t i = 0; i < COLUMNS; i++)
        trace += likeness(&small, 0.5, 0.5, i, i);
    for (uint32_t k = 0; k < all.rank; k++) {
        sum += all.value[k];
        assert_true(k == 0 || all.value[k] <= all.value[k - 1] + 1e-6);
        for (uint32_t i = 0; i < COLUMNS; i++) {
            double product = 0;

            for (uint32_t j = 0; j < COLUMNS; j++)
                product += likeness(&small, 0.5, 0.5, i, j) * (double)all.vector[j * all.rank + k];
            assert_true(fabs(product - all.value[k] * (double)all.vector[i * all.rank + k]) < 1e-4);
        }
        for (uint32_t l = 0; l <= k; l++) {
            double product = 0;

            for (uint32_t i = 0; i < COLUMNS; i++)
                product +=
                    (double)all.vector[i * all.rank + k] * (double)all.vector[i * all.rank + l];
            assert_true(fabs(product - (k == l)) < 1e-4);
        }
    }
    assert_true(fabs(sum - trace) < 1e-3);
    for (uint32_t k = 0; k < 3; k++)
        assert_true(fabs(some.value[k] - all.value[k]) < 1e-4);
    /* The first is the root of popularity. */
    for (uint32_t i = 0; i < COLUMNS; i++)
        first += (double)all.vector[i * all.rank] * sqrt(column_size(&small, i));
    assert_true(fabs(all.value[0] - 1) < 1e-4);
    assert_true(fabs(fabs(first) - sqrt(small.matrix.pairs)) < 1e-2);
    lowpass_free(&all);
    lowpass_free(&some);
    matrix_free(&small.matrix);
}

/* Larger than the pieces, so that several threads really share the work. */
static void any_number_of_threads_gives_the_same_bits(void **state)
{
    enum { MANY_ROWS = 3000, MANY_COLUMNS = 1200, MANY_PAIRS = 24000, MOST = 20 };
    struct test_random random = {test_seed(7)};
    struct matrix_pair *pairs = malloc(MANY_PAIRS * sizeof *pairs);
    const struct neighbours_rule near = {0.35, 0.4, MOST};
    const struct ridge_rule rule = {0.15, 0.3, 4, MOST};
    const struct lowpass_rule smooth = {0.3, 0.4, 16};
    struct neighbours neighbours[2];
    struct lowpass lowpass[2];
    struct matrix matrix;
    float *weight[2];

    (void)state;
    dense_begin();
    for (uint32_t i = 0; i < MANY_PAIRS; i++)
        pairs[i] = (struct matrix_pair){(uint32_t)test_random_below(&random, MANY_ROWS),
                                        (uint32_t)test_random_below(&random, MANY_COLUMNS)};
    assert_int_equal(matrix_build(pairs, MANY_PAIRS, MANY_ROWS, MANY_COLUMNS, &matrix), STATUS_OK);
    for (uint32_t i = 0; i < 2; i++) {
        const struct work work = {.threads = i == 0 ? 1 : 5};

        weight[i] = calloc((size_t)MANY_COLUMNS * MOST, sizeof(float));
        assert_int_equal(neighbours_make(&matrix, &near, &work, &neighbours[i]), STATUS_OK);
        assert_int_equal(ridge_fit(&matrix, &neighbours[i], &rule, &work, weight[i]), STATUS_OK);
        assert_int_equal(lowpass_make(&matrix, &smooth, 9, &work, &lowpass[i]), STATUS_OK);
    }
    assert_memory_equal(neighbours[0].item, neighbours[1].item,
                        (size_t)MANY_COLUMNS * MOST * sizeof(uint32_t));
    assert_memory_equal(weight[0], weight[1], (size_t)MANY_COLUMNS * MOST * sizeof(float));
    assert_memory_equal(lowpass[0].vector, lowpass[1].vector,
                        (size_t)MANY_COLUMNS * 16 * sizeof(float));
    for (uint32_t i = 0; i < 2; i++) {
        neighbours_free(&neighbours[i]);
        lowpass_free(&lowpass[i]);
        free(weight[i]);
    }
    matrix_free(&matrix);
    free(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_matrix_says_what_the_pairs_say),
        cmocka_unit_test(a_split_parts_each_row),
        cmocka_unit_test(neighbours_are_the_most_alike),
        cmocka_unit_test(equals_go_by_number),
        cmocka_unit_test(the_ridge_solves_each_neighbourhood),
        cmocka_unit_test(with_all_neighbours_it_is_ease),
        cmocka_unit_test(a_ridge_without_a_solution_says_so),
        cmocka_unit_test(the_low_pass_has_the_eigenvectors),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
