/* ridge.c: the Gram matrix of a neighbourhood, and its Cholesky factor.
 *
 * No Gram matrix of all items is ever made (42 million entries on Gowalla): for one item, the
 * accounts that have some of its neighbours are found from the columns, each with the list of the
 * neighbours it has (in ascending places); an account with c of them adds its weight to c * c / 2
 * entries. Solving a hundred unknowns costs a third of a million multiplications, which is about
 * what the gathering costs.
 *
 * What an account adds is added in the order in which the accounts were met, which is the same in
 * any thread: so are the bits. */
#include "readers/recommend/ridge.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/dense.h"

#define PIECE 32 /* items */

struct desk {         /* one for each thread */
    uint32_t *has;    /* of an account: how many of the neighbours; 0 between two items */
    uint32_t *from;   /* where its list begins in places */
    uint32_t *met;    /* accounts, in the order they were met */
    uint32_t *places; /* the lists */
    size_t places_max;
    float *gram, *right;
};

struct job {
    const struct matrix *matrix;
    const struct neighbours *neighbours;
    const float *account_weight, *item_scale;
    float penalty;
    uint32_t nearest;
    float *weight;
    struct desk desk[WORK_THREADS_MAX];
    atomic_uint no_memory, unsolved;
};

static uint32_t count_accounts(const struct job *job, struct desk *desk, const uint32_t *item,
                               uint32_t count, size_t *places)
{
    const struct matrix *matrix = job->matrix;
    uint32_t met = 0;

    *places = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t end = matrix->column_start[item[i] + 1];

        for (uint32_t p = matrix->column_start[item[i]]; p < end; p++) {
            uint32_t account = matrix->column_row[p];

            if (desk->has[account]++ == 0)
                desk->met[met++] = account;
        }
        *places += matrix_column_size(matrix, item[i]);
    }
    return met;
}

static bool room_for(struct desk *desk, size_t places)
{
    uint32_t *more;

    if (places <= desk->places_max)
        return true;
    more = realloc(desk->places, 2 * places * sizeof *more);
    if (more == NULL)
        return false;
    desk->places = more;
    desk->places_max = 2 * places;
    return true;
}

static void list_places(const struct job *job, struct desk *desk, const uint32_t *item,
                        uint32_t count, uint32_t met)
{
    const struct matrix *matrix = job->matrix;
    uint32_t from = 0;

    for (uint32_t i = 0; i < met; i++) {
        desk->from[desk->met[i]] = from;
        from += desk->has[desk->met[i]];
        desk->has[desk->met[i]] = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t end = matrix->column_start[item[i] + 1];

        for (uint32_t p = matrix->column_start[item[i]]; p < end; p++) {
            uint32_t account = matrix->column_row[p];

            desk->places[desk->from[account] + desk->has[account]++] = i;
        }
    }
}

/* On and below the diagonal: places are ascending. */
static void add_gram(const struct job *job, const struct desk *desk, uint32_t count, uint32_t met)
{
    for (uint32_t m = 0; m < met; m++) {
        uint32_t account = desk->met[m], has = desk->has[account];
        const uint32_t *places = desk->places + desk->from[account];
        float weight = job->account_weight[account];

        for (uint32_t i = 0; i < has; i++) {
            float *row = desk->gram + (size_t)places[i] * count;

            for (uint32_t j = 0; j <= i; j++)
                row[places[j]] += weight;
        }
    }
}

static void add_right(const struct job *job, const struct desk *desk, uint32_t item)
{
    const struct matrix *matrix = job->matrix;

    for (uint32_t p = matrix->column_start[item]; p < matrix->column_start[item + 1]; p++) {
        uint32_t account = matrix->column_row[p];
        const uint32_t *places = desk->places + desk->from[account];

        for (uint32_t i = 0; i < desk->has[account]; i++)
            desk->right[places[i]] += job->account_weight[account];
    }
}

static void scale(const struct job *job, const struct desk *desk, const uint32_t *item,
                  uint32_t count, uint32_t of)
{
    for (uint32_t i = 0; i < count; i++) {
        float *row = desk->gram + (size_t)i * count;

        for (uint32_t j = 0; j <= i; j++)
            row[j] *= job->item_scale[item[i]] * job->item_scale[item[j]];
        row[i] += job->penalty;
        desk->right[i] *= job->item_scale[item[i]] * job->item_scale[of];
    }
}

static void fit(struct job *job, struct desk *desk, uint32_t of)
{
    const struct neighbours *neighbours = job->neighbours;
    size_t at = (size_t)of * neighbours->most;
    const uint32_t *item = neighbours->item + at;
    uint32_t count = neighbours->count[of], met;
    float *weight = job->weight + at;
    size_t places;

    memset(weight, 0, neighbours->most * sizeof *weight);
    if (count > job->nearest)
        count = job->nearest;
    if (count == 0)
        return;
    met = count_accounts(job, desk, item, count, &places);
    if (room_for(desk, places)) {
        memset(desk->gram, 0, (size_t)count * count * sizeof(float));
        memset(desk->right, 0, count * sizeof(float));
        list_places(job, desk, item, count, met);
        add_gram(job, desk, count, met);
        add_right(job, desk, of);
        scale(job, desk, item, count, of);
        if (!dense_solve(count, desk->gram, desk->right))
            atomic_fetch_add(&job->unsolved, 1);
        for (uint32_t i = 0; i < count; i++)
            weight[i] = desk->right[i] * job->item_scale[item[i]] / job->item_scale[of];
    } else {
        atomic_fetch_add(&job->no_memory, 1);
    }
    for (uint32_t i = 0; i < met; i++)
        desk->has[desk->met[i]] = 0;
}

static void fit_some(void *context, uint32_t piece, uint32_t worker)
{
    struct job *job = context;
    uint32_t end = (piece + 1) * PIECE;

    if (end > job->matrix->columns)
        end = job->matrix->columns;
    for (uint32_t item = piece * PIECE; item < end; item++)
        fit(job, &job->desk[worker], item);
}

/* The mean of P_ii = d_i^-2b sum over accounts of i of d_u^-2a. */
static double mean_diagonal(const struct job *job)
{
    const struct matrix *matrix = job->matrix;
    double sum = 0;
    uint32_t items = 0;

    for (uint32_t item = 0; item < matrix->columns; item++) {
        double own = 0;

        for (uint32_t p = matrix->column_start[item]; p < matrix->column_start[item + 1]; p++)
            own += (double)job->account_weight[matrix->column_row[p]];
        if (own > 0)
            items++;
        sum += own * (double)job->item_scale[item] * (double)job->item_scale[item];
    }
    return items == 0 ? 1 : sum / items;
}

static bool weights(struct job *job, const struct ridge_rule *rule)
{
    job->account_weight = matrix_row_powers(job->matrix, -2 * rule->account_power);
    job->item_scale = matrix_column_powers(job->matrix, -rule->item_power);
    if (job->account_weight == NULL || job->item_scale == NULL)
        return false;
    job->penalty = (float)(rule->penalty * mean_diagonal(job));
    return true;
}

static bool desks(struct job *job, uint32_t threads)
{
    size_t rows = (size_t)job->matrix->rows + 1, most = job->nearest;
    bool whole = true;

    for (uint32_t i = 0; i < threads; i++) {
        struct desk *desk = &job->desk[i];

        desk->has = calloc(rows, sizeof *desk->has);
        desk->from = malloc(rows * sizeof *desk->from);
        desk->met = malloc(rows * sizeof *desk->met);
        desk->gram = malloc((most * most + 1) * sizeof *desk->gram);
        desk->right = malloc((most + 1) * sizeof *desk->right);
        whole = whole && desk->has != NULL && desk->from != NULL && desk->met != NULL &&
                desk->gram != NULL && desk->right != NULL;
    }
    return whole;
}

static void clear(struct job *job, uint32_t threads)
{
    for (uint32_t i = 0; i < threads; i++) {
        struct desk *desk = &job->desk[i];

        free(desk->has);
        free(desk->from);
        free(desk->met);
        free(desk->places);
        free(desk->gram);
        free(desk->right);
    }
    free((float *)job->account_weight);
    free((float *)job->item_scale);
}

enum status ridge_fit(const struct matrix *matrix, const struct neighbours *neighbours,
                      const struct ridge_rule *rule, const struct work *work, float *weight)
{
    struct job job = {
        .matrix = matrix, .neighbours = neighbours, .nearest = rule->nearest, .weight = weight};
    bool whole;

    assert(rule->penalty > 0);
    atomic_init(&job.no_memory, 0);
    atomic_init(&job.unsolved, 0);
    whole = weights(&job, rule);
    whole = desks(&job, work->threads) && whole;
    if (whole)
        work_run(work, "ridge", (matrix->columns + PIECE - 1) / PIECE, fit_some, &job);
    clear(&job, work->threads);
    if (!whole || atomic_load(&job.no_memory) > 0)
        return STATUS_NOMEMORY;
    return atomic_load(&job.unsolved) > 0 ? STATUS_BADDATA : STATUS_OK;
}
