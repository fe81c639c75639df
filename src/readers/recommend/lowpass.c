/* lowpass.c: sparse times dense by rows (work.c), everything dense by the library.
 *
 * A block becomes orthonormal by the eigenvectors of its Gram matrix G = U L U': Q = B U L^-1/2;
 * those whose l is nothing beside the greatest are dropped, so a matrix of low rank needs no
 * special case. One such step squares the condition of the block, which a round of the iteration
 * keeps small; the last block takes two. Gram matrices are summed over pieces of rows of a fixed
 * size, in their order. */
#include "readers/recommend/lowpass.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "readers/recommend/dense.h"

#define PIECE     512  /* rows of a sparse product */
#define GRAM_ROWS 8192 /* rows of one part of a Gram matrix */
#define NOTHING   1e-6 /* of the greatest eigenvalue: that is rounding */

struct job {
    const struct matrix *matrix;
    const struct work *work;
    uint32_t width;  /* columns of the blocks */
    uint32_t target; /* width after the change that is under way */
    float *row_scale, *column_scale;
    float *items, *spare; /* blocks of items */
    float *accounts;      /* a block of accounts */
    float *parts;         /* of a Gram matrix; memory of spare or its own */
    uint32_t gram_of;     /* rows of the block in gram_from */
    const float *gram_from;
    float *change; /* width by target: what the block is multiplied with */
    double *gram, *value;
};

static void fill(struct job *job, uint64_t seed)
{
    size_t size = (size_t)job->matrix->columns * job->width;

    for (size_t i = 0; i < size; i++) { /* uniform does as well as normal */
        uint64_t bits = hash_two(seed, i) >> 40;

        job->items[i] = (float)bits / (float)(1 << 23) - 1;
    }
}

/* accounts = N * items, some rows of it. */
static void forward(void *context, uint32_t piece, uint32_t worker)
{
    struct job *job = context;
    const struct matrix *matrix = job->matrix;
    uint32_t end = (piece + 1) * PIECE;

    (void)worker;
    for (uint32_t row = piece * PIECE; row < end && row < matrix->rows; row++) {
        float *to = job->accounts + (size_t)row * job->width;

        memset(to, 0, job->width * sizeof *to);
        for (uint32_t p = matrix->row_start[row]; p < matrix->row_start[row + 1]; p++) {
            uint32_t column = matrix->row_column[p];

            dense_add(job->width, job->row_scale[row] * job->column_scale[column],
                      job->items + (size_t)column * job->width, to);
        }
    }
}

/* items = N' * accounts. */
static void back(void *context, uint32_t piece, uint32_t worker)
{
    struct job *job = context;
    const struct matrix *matrix = job->matrix;
    uint32_t end = (piece + 1) * PIECE;

    (void)worker;
    for (uint32_t column = piece * PIECE; column < end && column < matrix->columns; column++) {
        float *to = job->items + (size_t)column * job->width;

        memset(to, 0, job->width * sizeof *to);
        for (uint32_t p = matrix->column_start[column]; p < matrix->column_start[column + 1]; p++) {
            uint32_t row = matrix->column_row[p];

            dense_add(job->width, job->row_scale[row] * job->column_scale[column],
                      job->accounts + (size_t)row * job->width, to);
        }
    }
}

static void gram_part(void *context, uint32_t piece, uint32_t worker)
{
    struct job *job = context;
    uint32_t from = piece * GRAM_ROWS, rows = job->gram_of - from;

    (void)worker;
    dense_gram(rows < GRAM_ROWS ? rows : GRAM_ROWS, job->width,
               job->gram_from + (size_t)from * job->width,
               job->parts + (size_t)piece * job->width * job->width);
}

static uint32_t parts_of(uint32_t rows)
{
    return (rows + GRAM_ROWS - 1) / GRAM_ROWS;
}

/* gram = transpose(block) * block. */
static void gram(struct job *job, const float *block, uint32_t rows)
{
    size_t size = (size_t)job->width * job->width;

    job->gram_from = block;
    job->gram_of = rows;
    work_run(job->work, NULL, parts_of(rows), gram_part, job);
    for (size_t i = 0; i < size; i++)
        job->gram[i] = 0;
    for (uint32_t part = 0; part < parts_of(rows); part++)
        for (size_t i = 0; i < size; i++)
            job->gram[i] += (double)job->parts[part * size + i];
}

static void change_some(void *context, uint32_t piece, uint32_t worker)
{
    struct job *job = context;
    uint32_t from = piece * PIECE, rows = job->matrix->columns - from;

    (void)worker;
    dense_multiply(rows < PIECE ? rows : PIECE, job->target, job->width,
                   job->items + (size_t)from * job->width, job->change,
                   job->spare + (size_t)from * job->target);
}

/* items = items * change, which makes it `target` wide. */
static void change(struct job *job)
{
    float *swap = job->items;

    work_run(job->work, NULL, (job->matrix->columns + PIECE - 1) / PIECE, change_some, job);
    job->items = job->spare;
    job->spare = swap;
    job->width = job->target;
}

/* From eigenvectors (rows of gram) to change: column k is vector k times factor[k]. */
static void set_change(struct job *job, uint32_t target, bool orthonormal)
{
    job->target = target;
    for (uint32_t k = 0; k < target; k++) {
        double factor = orthonormal ? 1 / sqrt(job->value[k]) : 1;

        for (uint32_t i = 0; i < job->width; i++)
            job->change[(size_t)i * target + k] =
                (float)(factor * job->gram[(size_t)k * job->width + i]);
    }
}

static bool make_orthonormal(struct job *job)
{
    uint32_t target = 0;

    gram(job, job->items, job->matrix->columns);
    if (!dense_eigen(job->width, job->gram, job->value))
        return false;
    while (target < job->width && job->value[target] > NOTHING * job->value[0])
        target++;
    if (target == 0) /* an empty matrix */
        return false;
    set_change(job, target, true);
    change(job);
    return true;
}

static bool iterate(struct job *job, uint64_t seed, uint32_t rank)
{
    uint32_t rows = (job->matrix->rows + PIECE - 1) / PIECE;
    uint32_t columns = (job->matrix->columns + PIECE - 1) / PIECE;

    fill(job, seed);
    for (uint32_t round = 0; round < LOWPASS_ROUNDS; round++) {
        if (round > 0 && !make_orthonormal(job))
            return false;
        work_run(job->work, "low-pass", rows, forward, job);
        work_run(job->work, "low-pass", columns, back, job);
    }
    if (!make_orthonormal(job) || !make_orthonormal(job))
        return false;
    work_run(job->work, "low-pass", rows, forward, job);
    gram(job, job->accounts, job->matrix->rows);
    if (!dense_eigen(job->width, job->gram, job->value))
        return false;
    set_change(job, rank < job->width ? rank : job->width, false);
    change(job);
    return true;
}

static bool allocate(struct job *job, const struct lowpass_rule *rule)
{
    const struct matrix *matrix = job->matrix;
    size_t width = job->width, square = width * width;
    uint32_t longest = matrix->rows > matrix->columns ? matrix->rows : matrix->columns;

    job->row_scale = matrix_row_powers(matrix, -rule->account_power);
    job->column_scale = matrix_column_powers(matrix, -rule->item_power);
    job->items = malloc((size_t)matrix->columns * width * sizeof(float));
    job->spare = malloc((size_t)matrix->columns * width * sizeof(float));
    job->accounts = malloc((size_t)matrix->rows * width * sizeof(float));
    job->parts = malloc(parts_of(longest) * square * sizeof(float));
    job->change = malloc(square * sizeof(float));
    job->gram = malloc(square * sizeof(double));
    job->value = malloc(width * sizeof(double));
    return job->row_scale != NULL && job->column_scale != NULL && job->items != NULL &&
           job->spare != NULL && job->accounts != NULL && job->parts != NULL &&
           job->change != NULL && job->gram != NULL && job->value != NULL;
}

static void clear(struct job *job)
{
    free(job->row_scale);
    free(job->column_scale);
    free(job->items);
    free(job->spare);
    free(job->accounts);
    free(job->parts);
    free(job->change);
    free(job->gram);
    free(job->value);
}

enum status lowpass_make(const struct matrix *matrix, const struct lowpass_rule *rule,
                         uint64_t seed, const struct work *work, struct lowpass *lowpass)
{
    uint32_t least = matrix->rows < matrix->columns ? matrix->rows : matrix->columns;
    struct job job = {.matrix = matrix, .work = work, .width = rule->rank + LOWPASS_MORE};

    *lowpass = (struct lowpass){.items = matrix->columns};
    if (matrix->pairs == 0 || rule->rank == 0)
        return STATUS_OK;
    if (job.width > least)
        job.width = least;
    if (!allocate(&job, rule)) {
        clear(&job);
        return STATUS_NOMEMORY;
    }
    if (iterate(&job, seed, rule->rank)) {
        lowpass->rank = job.width;
        lowpass->vector = job.items;
        lowpass->value = job.value;
        job.items = NULL;
        job.value = NULL;
    }
    clear(&job);
    return lowpass->rank > 0 ? STATUS_OK : STATUS_NOMEMORY;
}

void lowpass_free(struct lowpass *lowpass)
{
    free(lowpass->vector);
    free(lowpass->value);
    *lowpass = (struct lowpass){0};
}

uint64_t lowpass_bytes(uint64_t rows, uint64_t columns, uint32_t rank)
{
    uint64_t width = (uint64_t)rank + LOWPASS_MORE;
    uint64_t parts = (rows > columns ? rows : columns) / GRAM_ROWS + 6;

    return (2 * columns + rows) * width * sizeof(float) + parts * width * width * sizeof(float);
}
