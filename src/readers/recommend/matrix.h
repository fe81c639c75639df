/* matrix.h: who took what: accounts (rows) by items (columns), 1 or nothing.
 *
 * Kept twice, by rows and by columns (compressed sparse rows each), with both lists ascending. Rows
 * and columns are numbered from 0; what their outside ids are is the caller's business.
 *
 * Memory:  matrix_build allocates 8 bytes a pair and 8 a row or column; matrix_free frees them.
 * Holds always: each pair once; row lists and column lists say the same. */
#ifndef ZAN_READERS_RECOMMEND_MATRIX_H
#define ZAN_READERS_RECOMMEND_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/status.h"

#define MATRIX_PAIRS_MAX 2000000000U

struct matrix_pair {
    uint32_t row, column;
};

struct matrix {
    uint32_t rows, columns, pairs;
    uint32_t *row_start; /* rows + 1; the columns of row r are row_column[row_start[r]...] */
    uint32_t *row_column;
    uint32_t *column_start; /* columns + 1 */
    uint32_t *column_row;
};

/* From pairs in any order, repeated or not; they are read and left alone. NOMEMORY. */
enum status matrix_build(const struct matrix_pair *pairs, uint64_t count, uint32_t rows,
                         uint32_t columns, struct matrix *matrix);
void matrix_free(struct matrix *matrix);

static inline uint32_t matrix_row_size(const struct matrix *matrix, uint32_t row)
{
    return matrix->row_start[row + 1] - matrix->row_start[row];
}

static inline uint32_t matrix_column_size(const struct matrix *matrix, uint32_t column)
{
    return matrix->column_start[column + 1] - matrix->column_start[column];
}

/* How many pairs each row, or column, has, to that power; 0 for none. The caller frees it. NULL: no
 * memory. */
float *matrix_row_powers(const struct matrix *matrix, double power);
float *matrix_column_powers(const struct matrix *matrix, double power);

/* Two matrices of the same shape out of one: of each row of at least MATRIX_SPLIT_MIN pairs a fifth
 * (rounded, at least 1) goes to held; all else to kept. Which, is drawn by seed: of every other row
 * (by hash) any; of the rest one item and those that most go along with it, by the likeness of
 * neighbours.h with powers 0.25 and 0.5.
 *
 * Why both: what a fifth drawn at random leaves behind is the rest of the same evening, the same
 * place, the same series, so that near neighbours look better than they are for what comes next. A
 * held back group asks whether a model finds its way there from outside (docs/recommend.md).
 * NOMEMORY. */
#define MATRIX_SPLIT_MIN   4
#define MATRIX_SPLIT_SHARE 5
enum status matrix_split(const struct matrix *matrix, uint64_t seed, struct matrix *kept,
                         struct matrix *held);

/* Bytes that matrix_build will keep. */
static inline uint64_t matrix_bytes(uint64_t rows, uint64_t columns, uint64_t pairs)
{
    return (rows + columns + 2 + 2 * pairs) * sizeof(uint32_t);
}

#endif
