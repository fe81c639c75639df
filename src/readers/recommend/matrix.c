/* matrix.c: two counting sorts: by column, then stably by row; and back. */
#include "readers/recommend/matrix.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static bool allocate(struct matrix *matrix, uint32_t rows, uint32_t columns, uint64_t pairs)
{
    *matrix = (struct matrix){.rows = rows, .columns = columns};
    matrix->row_start = calloc((size_t)rows + 1, sizeof(uint32_t));
    matrix->column_start = calloc((size_t)columns + 1, sizeof(uint32_t));
    matrix->row_column = malloc((size_t)(pairs + 1) * sizeof(uint32_t));
    matrix->column_row = malloc((size_t)(pairs + 1) * sizeof(uint32_t));
    return matrix->row_start != NULL && matrix->column_start != NULL &&
           matrix->row_column != NULL && matrix->column_row != NULL;
}

void matrix_free(struct matrix *matrix)
{
    free(matrix->row_start);
    free(matrix->column_start);
    free(matrix->row_column);
    free(matrix->column_row);
    *matrix = (struct matrix){0};
}

/* Counts at start[i + 1] become the starts. */
static void add_up(uint32_t *start, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        start[i + 1] += start[i];
}

/* start[i] was moved to where list i ends: moves it back. */
static void step_back(uint32_t *start, uint32_t count)
{
    memmove(start + 1, start, (size_t)count * sizeof *start);
    start[0] = 0;
}

/* Lists of columns from lists of rows: ascending, for rows come in order. */
static void transpose(struct matrix *matrix)
{
    memset(matrix->column_start, 0, ((size_t)matrix->columns + 1) * sizeof(uint32_t));
    for (uint32_t p = 0; p < matrix->pairs; p++)
        matrix->column_start[matrix->row_column[p] + 1]++;
    add_up(matrix->column_start, matrix->columns);
    for (uint32_t row = 0; row < matrix->rows; row++)
        for (uint32_t p = matrix->row_start[row]; p < matrix->row_start[row + 1]; p++)
            matrix->column_row[matrix->column_start[matrix->row_column[p]]++] = row;
    step_back(matrix->column_start, matrix->columns);
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

/* Sorts each row's columns and drops repetitions. */
static void tidy_rows(struct matrix *matrix)
{
    uint32_t to = 0, from = 0;

    for (uint32_t row = 0; row < matrix->rows; row++) {
        uint32_t end = matrix->row_start[row + 1], first = to;

        qsort(matrix->row_column + from, end - from, sizeof(uint32_t), by_number);
        for (; from < end; from++)
            if (to == first || matrix->row_column[to - 1] != matrix->row_column[from])
                matrix->row_column[to++] = matrix->row_column[from];
        matrix->row_start[row + 1] = to;
    }
    matrix->pairs = to;
}

enum status matrix_build(const struct matrix_pair *pairs, uint64_t count, uint32_t rows,
                         uint32_t columns, struct matrix *matrix)
{
    assert(count <= MATRIX_PAIRS_MAX);
    if (!allocate(matrix, rows, columns, count)) {
        matrix_free(matrix);
        return STATUS_NOMEMORY;
    }
    for (uint64_t i = 0; i < count; i++) {
        assert(pairs[i].row < rows && pairs[i].column < columns);
        matrix->row_start[pairs[i].row + 1]++;
    }
    add_up(matrix->row_start, rows);
    for (uint64_t i = 0; i < count; i++)
        matrix->row_column[matrix->row_start[pairs[i].row]++] = pairs[i].column;
    step_back(matrix->row_start, rows);
    tidy_rows(matrix);
    transpose(matrix);
    return STATUS_OK;
}

/* What a split works with: order of a row's places (the first go out), and sums by column. */
struct splitting {
    const struct matrix *matrix;
    uint64_t seed;
    bool *is_held;
    struct drawn {
        double first;  /* the greatest goes first */
        uint64_t then; /* of equals the least */
        uint32_t place;
    } * drawn;
    float *sum;
};

static float *powers(const uint32_t *start, uint32_t count, double power)
{
    float *all = malloc(((size_t)count + 1) * sizeof *all);

    for (uint32_t i = 0; all != NULL && i < count; i++) {
        uint32_t size = start[i + 1] - start[i];

        all[i] = size == 0 ? 0 : (float)pow(size, power);
    }
    return all;
}

float *matrix_row_powers(const struct matrix *matrix, double power)
{
    return powers(matrix->row_start, matrix->rows, power);
}

float *matrix_column_powers(const struct matrix *matrix, double power)
{
    return powers(matrix->column_start, matrix->columns, power);
}

static int by_turn(const void *a, const void *b)
{
    const struct drawn *left = a, *right = b;

    if (left->first != right->first)
        return left->first < right->first ? 1 : -1;
    return left->then < right->then ? -1 : left->then > right->then;
}

/* Adds weight * (1 / sqrt of its size) of each row that has the column to the sums of all it has;
 * with weight 0 the sums go back to 0. */
static void add_company(struct splitting *splitting, uint32_t column, float weight)
{
    const struct matrix *matrix = splitting->matrix;

    for (uint32_t p = matrix->column_start[column]; p < matrix->column_start[column + 1]; p++) {
        uint32_t row = matrix->column_row[p];
        float share = weight / sqrtf((float)matrix_row_size(matrix, row));

        for (uint32_t q = matrix->row_start[row]; q < matrix->row_start[row + 1]; q++) {
            float *sum = &splitting->sum[matrix->row_column[q]];

            *sum = weight > 0 ? *sum + share : 0;
        }
    }
}

/* The likeness of each of the row's items to one of them. */
static void draw_company(struct splitting *splitting, uint32_t row)
{
    const struct matrix *matrix = splitting->matrix;
    uint32_t start = matrix->row_start[row], size = matrix_row_size(matrix, row);
    uint32_t chosen = matrix->row_column[start + hash_two(splitting->seed, ~(uint64_t)row) % size];

    add_company(splitting, chosen, 1);
    for (uint32_t i = 0; i < size; i++) {
        uint32_t column = matrix->row_column[start + i];

        splitting->drawn[i].first = column == chosen ? INFINITY
                                                     : (double)splitting->sum[column] /
                                                           sqrt(matrix_column_size(matrix, column));
    }
    add_company(splitting, chosen, 0);
}

static void mark_row(struct splitting *splitting, uint32_t row)
{
    const struct matrix *matrix = splitting->matrix;
    uint32_t start = matrix->row_start[row], size = matrix_row_size(matrix, row);
    uint32_t out = (size + MATRIX_SPLIT_SHARE / 2) / MATRIX_SPLIT_SHARE;

    for (uint32_t i = 0; i < size; i++) {
        uint64_t pair = ((uint64_t)row << 32) | matrix->row_column[start + i];

        splitting->is_held[start + i] = false;
        splitting->drawn[i] = (struct drawn){0, hash_two(splitting->seed, pair), start + i};
    }
    if (size < MATRIX_SPLIT_MIN)
        return;
    if (hash_two(splitting->seed, row) & 1)
        draw_company(splitting, row);
    qsort(splitting->drawn, size, sizeof *splitting->drawn, by_turn);
    for (uint32_t i = 0; i < (out > 0 ? out : 1); i++)
        splitting->is_held[splitting->drawn[i].place] = true;
}

static void take(const struct matrix *matrix, const bool *is_held, bool which, struct matrix *to)
{
    for (uint32_t row = 0; row < matrix->rows; row++) {
        for (uint32_t p = matrix->row_start[row]; p < matrix->row_start[row + 1]; p++)
            if (is_held[p] == which)
                to->row_column[to->pairs++] = matrix->row_column[p];
        to->row_start[row + 1] = to->pairs;
    }
    transpose(to);
}

static enum status split(struct splitting *splitting, struct matrix *kept, struct matrix *held)
{
    const struct matrix *matrix = splitting->matrix;
    uint32_t out = 0;

    for (uint32_t row = 0; row < matrix->rows; row++)
        mark_row(splitting, row);
    for (uint32_t p = 0; p < matrix->pairs; p++)
        out += splitting->is_held[p];
    if (!allocate(kept, matrix->rows, matrix->columns, matrix->pairs - out) ||
        !allocate(held, matrix->rows, matrix->columns, out)) {
        matrix_free(kept);
        matrix_free(held);
        return STATUS_NOMEMORY;
    }
    take(matrix, splitting->is_held, false, kept);
    take(matrix, splitting->is_held, true, held);
    return STATUS_OK;
}

enum status matrix_split(const struct matrix *matrix, uint64_t seed, struct matrix *kept,
                         struct matrix *held)
{
    size_t columns = (size_t)matrix->columns + 1;
    struct splitting splitting = {.matrix = matrix,
                                  .seed = seed,
                                  .is_held = malloc((size_t)matrix->pairs + 1),
                                  .drawn = malloc(columns * sizeof(struct drawn)),
                                  .sum = calloc(columns, sizeof(float))};
    enum status status = STATUS_NOMEMORY;

    *kept = *held = (struct matrix){0};
    if (splitting.is_held != NULL && splitting.drawn != NULL && splitting.sum != NULL)
        status = split(&splitting, kept, held);
    free(splitting.is_held);
    free(splitting.drawn);
    free(splitting.sum);
    return status;
}
