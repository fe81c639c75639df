/* evaluate.c: accounts in pieces; for each piece the scores by links and by the low-pass are two
 * blocks of floats, and each setting is a pass over their mix. The low-pass of a higher rank is
 * that of the lower one and some more, so the second block is added to as ranks ascend. */
#include "readers/recommend/evaluate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "readers/recommend/dense.h"

#define PIECE 64 /* accounts */

struct result {
    double recall, ndcg;
};

struct desk { /* one for each thread */
    float *links, *smooth, *profile;
};

struct job {
    const struct evaluate_task *task;
    uint32_t *account;
    uint32_t accounts;
    struct result *result; /* of account i, setting s: result[i * setting_count + s] */
    struct desk desk[WORK_THREADS_MAX];
};

double evaluate_recall(const uint8_t *hit, uint32_t count, uint32_t held)
{
    uint32_t hits = 0;

    for (uint32_t i = 0; i < count; i++)
        hits += hit[i];
    return held == 0 ? 0 : (double)hits / held;
}

double evaluate_ndcg(const uint8_t *hit, uint32_t count, uint32_t held)
{
    double gain = 0, ideal = 0;

    for (uint32_t i = 0; i < count; i++) {
        double worth = 1 / log2(i + 2.0);

        gain += hit[i] ? worth : 0;
        ideal += i < held ? worth : 0;
    }
    return ideal > 0 ? gain / ideal : 0;
}

/* --- scores of a piece -------------------------------------------------------------------------
 */

static void score_links(const struct job *job, const struct desk *desk, uint32_t at, uint32_t row)
{
    const struct model *model = job->task->model;
    const struct matrix *seen = job->task->seen;
    float *to = desk->links + (size_t)at * model->head->items;
    float *profile = desk->profile + (size_t)at * model->head->rank;

    memset(to, 0, model->head->items * sizeof *to);
    memset(profile, 0, model->head->rank * sizeof *profile);
    for (uint32_t p = seen->row_start[row]; p < seen->row_start[row + 1]; p++) {
        uint32_t item = seen->row_column[p];

        for (uint32_t i = model->link_start[item]; i < model->link_start[item + 1]; i++)
            to[model->link_item[i]] += model->link_weight[i];
        if (model->head->rank > 0)
            dense_add(model->head->rank, model_factor_scale(model, item),
                      model->factor + (size_t)item * model->head->rank, profile);
    }
    for (uint32_t p = seen->row_start[row]; p < seen->row_start[row + 1]; p++)
        to[seen->row_column[p]] = -INFINITY; /* never ranked */
}

/* Factors from..to-1 of all accounts of the piece. */
static void add_smooth(const struct job *job, const struct desk *desk, uint32_t count,
                       uint32_t from, uint32_t to)
{
    const struct model *model = job->task->model;
    uint32_t rank = model->head->rank;

    if (to > from)
        dense_score(count, model->head->items, to - from, 1, desk->profile + from, rank,
                    model->factor + from, rank, desk->smooth);
}

struct top {
    uint32_t count;
    float score[EVALUATE_TOP];
    uint32_t place[EVALUATE_TOP];
};

static void insert(struct top *top, uint32_t place, float score)
{
    uint32_t at = top->count < EVALUATE_TOP ? top->count++ : EVALUATE_TOP - 1;

    while (at > 0 && top->score[at - 1] < score) {
        top->score[at] = top->score[at - 1];
        top->place[at] = top->place[at - 1];
        at--;
    }
    top->score[at] = score;
    top->place[at] = place;
}

static void rank(const float *links, const float *smooth, float share, uint32_t items,
                 struct top *top)
{
    float bar = -INFINITY;

    top->count = 0;
    for (uint32_t i = 0; i < items; i++) {
        float score = links[i] + share * smooth[i];

        if (score > bar) {
            insert(top, i, score);
            if (top->count == EVALUATE_TOP)
                bar = top->score[EVALUATE_TOP - 1];
        }
    }
}

static bool has(const struct matrix *matrix, uint32_t row, uint32_t column)
{
    uint32_t low = matrix->row_start[row], high = matrix->row_start[row + 1];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (matrix->row_column[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < matrix->row_start[row + 1] && matrix->row_column[low] == column;
}

static void judge(const struct job *job, const struct top *top, uint32_t row, struct result *result)
{
    const struct matrix *held = job->task->held;
    uint32_t size = matrix_row_size(held, row);
    uint8_t hit[EVALUATE_TOP] = {0};

    for (uint32_t i = 0; i < top->count; i++)
        hit[i] = has(held, row, top->place[i]);
    result->recall = evaluate_recall(hit, EVALUATE_TOP, size);
    result->ndcg = evaluate_ndcg(hit, EVALUATE_TOP, size);
}

static void evaluate_some(void *context, uint32_t piece, uint32_t worker)
{
    struct job *job = context;
    const struct evaluate_task *task = job->task;
    const struct desk *desk = &job->desk[worker];
    uint32_t first = piece * PIECE, items = task->model->head->items, done = 0;
    uint32_t count = job->accounts - first < PIECE ? job->accounts - first : PIECE;
    struct top top;

    memset(desk->smooth, 0, (size_t)count * items * sizeof(float));
    for (uint32_t i = 0; i < count; i++)
        score_links(job, desk, i, job->account[first + i]);
    for (uint32_t s = 0; s < task->setting_count; s++) {
        const struct evaluate_setting *setting = &task->settings[s];

        add_smooth(job, desk, count, done, setting->rank);
        done = setting->rank;
        for (uint32_t i = 0; i < count; i++) {
            rank(desk->links + (size_t)i * items, desk->smooth + (size_t)i * items, setting->share,
                 items, &top);
            judge(job, &top, job->account[first + i],
                  &job->result[(size_t)(first + i) * task->setting_count + s]);
        }
    }
}

/* --- all of it -----------------------------------------------------------------------------------
 */

struct drawn {
    uint64_t hash;
    uint32_t account;
};

static int by_hash(const void *a, const void *b)
{
    const struct drawn *left = a, *right = b;

    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

static int by_account(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static bool draw_accounts(struct job *job)
{
    const struct matrix *held = job->task->held;
    struct drawn *drawn = malloc(((size_t)held->rows + 1) * sizeof *drawn);

    job->account = malloc(((size_t)held->rows + 1) * sizeof *job->account);
    if (drawn == NULL || job->account == NULL) {
        free(drawn);
        return false;
    }
    for (uint32_t row = 0; row < held->rows; row++)
        if (matrix_row_size(held, row) > 0)
            drawn[job->accounts++] = (struct drawn){hash_two(job->task->seed, row), row};
    qsort(drawn, job->accounts, sizeof *drawn, by_hash);
    if (job->task->most > 0 && job->accounts > job->task->most)
        job->accounts = job->task->most;
    for (uint32_t i = 0; i < job->accounts; i++)
        job->account[i] = drawn[i].account;
    qsort(job->account, job->accounts, sizeof *job->account, by_account);
    free(drawn);
    return true;
}

static bool desks(struct job *job, uint32_t threads)
{
    const struct model_head *head = job->task->model->head;
    bool whole = true;

    for (uint32_t i = 0; i < threads; i++) {
        struct desk *desk = &job->desk[i];

        desk->links = malloc(((size_t)PIECE * head->items + 1) * sizeof(float));
        desk->smooth = malloc(((size_t)PIECE * head->items + 1) * sizeof(float));
        desk->profile = malloc(((size_t)PIECE * head->rank + 1) * sizeof(float));
        whole = whole && desk->links != NULL && desk->smooth != NULL && desk->profile != NULL;
    }
    return whole;
}

/* In the order of accounts, so that the sum has the same bits every time. */
static void add_up(const struct job *job, struct evaluate_figures *figures)
{
    uint32_t settings = job->task->setting_count;

    for (uint32_t s = 0; s < settings; s++) {
        double recall = 0, ndcg = 0;

        for (uint32_t i = 0; i < job->accounts; i++) {
            recall += job->result[(size_t)i * settings + s].recall;
            ndcg += job->result[(size_t)i * settings + s].ndcg;
        }
        figures[s] = (struct evaluate_figures){.accounts = job->accounts};
        if (job->accounts > 0) {
            figures[s].recall = recall / job->accounts;
            figures[s].ndcg = ndcg / job->accounts;
        }
    }
}

enum status evaluate(const struct evaluate_task *task, const struct work *work,
                     struct evaluate_figures *figures)
{
    struct job job = {.task = task};
    bool whole;

    assert(task->setting_count <= EVALUATE_SETTINGS_MAX);
    assert(task->seen->columns == task->model->head->items);
    assert(task->held->columns == task->seen->columns && task->held->rows == task->seen->rows);
    for (uint32_t s = 0; s < task->setting_count; s++)
        assert(task->settings[s].rank <= task->model->head->rank &&
               (s == 0 || task->settings[s - 1].rank <= task->settings[s].rank));
    whole = draw_accounts(&job);
    job.result = malloc(((size_t)job.accounts * task->setting_count + 1) * sizeof *job.result);
    whole = desks(&job, work->threads) && whole && job.result != NULL;
    if (whole) {
        work_run(work, "evaluating", (job.accounts + PIECE - 1) / PIECE, evaluate_some, &job);
        add_up(&job, figures);
    }
    for (uint32_t i = 0; i < work->threads; i++) {
        free(job.desk[i].links);
        free(job.desk[i].smooth);
        free(job.desk[i].profile);
    }
    free(job.account);
    free(job.result);
    return whole ? STATUS_OK : STATUS_NOMEMORY;
}
