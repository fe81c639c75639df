/* neighbours.c: item by item: the accounts that have it, and all that those have, are added up in a
 * row of floats; the best of what was touched are kept. The sum over accounts is in ascending
 * order, so it has the same bits whoever works it out. */
#include "readers/recommend/neighbours.h"

#include <stdlib.h>
#include <string.h>

#include "readers/recommend/best.h"

#define PIECE 64 /* items */

struct desk { /* one for each thread */
    float *sum;
    uint32_t *touched;
    struct best_one *room;
};

struct job {
    const struct matrix *matrix;
    struct neighbours *to;
    const float *account_weight, *item_weight;
    struct desk desk[WORK_THREADS_MAX];
};

static uint32_t add_up(const struct job *job, const struct desk *desk, uint32_t item)
{
    const struct matrix *matrix = job->matrix;
    uint32_t touched = 0;

    for (uint32_t p = matrix->column_start[item]; p < matrix->column_start[item + 1]; p++) {
        uint32_t account = matrix->column_row[p];
        float weight = job->account_weight[account];

        for (uint32_t q = matrix->row_start[account]; q < matrix->row_start[account + 1]; q++) {
            uint32_t other = matrix->row_column[q];

            if (desk->sum[other] == 0)
                desk->touched[touched++] = other;
            desk->sum[other] += weight;
        }
    }
    return touched;
}

static void keep_best(const struct job *job, const struct desk *desk, uint32_t item,
                      uint32_t touched, struct best *best)
{
    for (uint32_t i = 0; i < touched; i++) {
        uint32_t other = desk->touched[i];
        float likeness = desk->sum[other] * job->item_weight[other] * job->item_weight[item];

        desk->sum[other] = 0;
        if (other != item)
            best_offer(best, (struct best_one){likeness, other});
    }
}

static void find(struct job *job, const struct desk *desk, uint32_t item)
{
    struct neighbours *to = job->to;
    struct best best = {.kept = desk->room, .most = to->most};

    keep_best(job, desk, item, add_up(job, desk, item), &best);
    to->count[item] = best.size;
    while (best.size > 0) { /* from the last place to the first */
        struct best_one least = best_take_least(&best);
        size_t place = (size_t)item * to->most + best.size;

        to->item[place] = least.index;
        to->likeness[place] = least.score;
    }
}

static void find_some(void *context, uint32_t piece, uint32_t worker)
{
    struct job *job = context;
    uint32_t end = (piece + 1) * PIECE;

    if (end > job->matrix->columns)
        end = job->matrix->columns;
    for (uint32_t item = piece * PIECE; item < end; item++)
        find(job, &job->desk[worker], item);
}

static bool weights(struct job *job, const struct neighbours_rule *rule)
{
    job->account_weight = matrix_row_powers(job->matrix, -2 * rule->account_power);
    job->item_weight = matrix_column_powers(job->matrix, -rule->item_power);
    if (job->account_weight == NULL || job->item_weight == NULL)
        return false;
    return true;
}

static bool desks(struct job *job, uint32_t threads)
{
    size_t columns = (size_t)job->matrix->columns + 1;
    bool whole = true;

    for (uint32_t i = 0; i < threads; i++) {
        struct desk *desk = &job->desk[i];

        desk->sum = calloc(columns, sizeof *desk->sum);
        desk->touched = malloc(columns * sizeof *desk->touched);
        desk->room = malloc(((size_t)job->to->most + 1) * sizeof *desk->room);
        whole = whole && desk->sum != NULL && desk->touched != NULL && desk->room != NULL;
    }
    return whole;
}

static void clear(struct job *job, uint32_t threads)
{
    for (uint32_t i = 0; i < threads; i++) {
        free(job->desk[i].sum);
        free(job->desk[i].touched);
        free(job->desk[i].room);
    }
    free((float *)job->account_weight);
    free((float *)job->item_weight);
}

enum status neighbours_make(const struct matrix *matrix, const struct neighbours_rule *rule,
                            const struct work *work, struct neighbours *neighbours)
{
    size_t places = (size_t)matrix->columns * rule->most + 1;
    struct job job = {.matrix = matrix, .to = neighbours};
    bool whole;

    *neighbours = (struct neighbours){.items = matrix->columns, .most = rule->most};
    neighbours->count = calloc((size_t)matrix->columns + 1, sizeof(uint32_t));
    neighbours->item = malloc(places * sizeof(uint32_t));
    neighbours->likeness = malloc(places * sizeof(float));
    whole = neighbours->count != NULL && neighbours->item != NULL && neighbours->likeness != NULL;
    whole = weights(&job, rule) && desks(&job, work->threads) && whole;
    if (whole)
        work_run(work, "neighbours", (matrix->columns + PIECE - 1) / PIECE, find_some, &job);
    else
        neighbours_free(neighbours);
    clear(&job, work->threads);
    return whole ? STATUS_OK : STATUS_NOMEMORY;
}

void neighbours_free(struct neighbours *neighbours)
{
    free(neighbours->count);
    free(neighbours->item);
    free(neighbours->likeness);
    *neighbours = (struct neighbours){0};
}
