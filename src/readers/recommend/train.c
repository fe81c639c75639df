/* train.c: hold back, fit, look, move; then fit everything.
 *
 * The search goes along one number after the other from a start that was good on every set tried
 * (docs/recommend.md has the table), and keeps a step if the sum of recall and ndcg on what was
 * held back grows. A fit of the ridge costs seconds, so there are FITS_MAX of them at most; the mix
 * with the low-pass costs a pass over the scores, so there are many. */
#include "readers/recommend/train.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/dense.h"
#include "readers/recommend/lowpass.h"
#include "readers/recommend/neighbours.h"
#include "readers/recommend/ridge.h"

#define ACCOUNTS_MAX   3000  /* that a step is judged by */
#define FITS_MAX       9     /* of the ridge while tuning */
#define GAIN           1.001 /* a step that brings less is not kept */
#define PENALTY_STEP   1.7
#define POWER_STEP     0.15
#define POWER_MAX      0.6
#define NEIGHBOURS_MAX 200
#define RANK_MAX       512
#define PROGRAM_BYTES  (32U << 20) /* the program itself, and buffers of the library */
#define LINKS_PIECE    256         /* items whose links are sorted at once */

/* Whom the neighbours are chosen by: what did best for lists of 100 on the sets of
 * docs/recommend.md. */
#define NEAR_ACCOUNT_POWER 0.35
#define NEAR_ITEM_POWER    0.4

/* Of the low-pass (lowpass.h). */
#define SMOOTH_ACCOUNT_POWER 0.3
#define SMOOTH_ITEM_POWER    0.4F

static const uint32_t ranks[] = {1, 16, 64, 128, 256, RANK_MAX};
static const float shares[] = {0.1F, 0.25F, 0.5F, 0.8F, 1.3F, 2.5F};
#define RANKS  (sizeof ranks / sizeof *ranks)
#define SHARES (sizeof shares / sizeof *shares)

struct train_setting train_default(void)
{
    return (struct train_setting){.account_power = 0.15,
                                  .item_power = 0.3,
                                  .penalty = 8,
                                  .neighbours = 100,
                                  .rank = RANK_MAX,
                                  .share = 0.8};
}

/* --- memory --------------------------------------------------------------------------------------
 */

static uint64_t most_neighbours(const struct train_options *options)
{
    return options->tune ? NEIGHBOURS_MAX : options->start.neighbours;
}

static uint32_t most_rank(const struct matrix *matrix, const struct train_options *options)
{
    uint32_t least = matrix->rows < matrix->columns ? matrix->rows : matrix->columns;
    uint32_t most = options->tune ? RANK_MAX : options->start.rank;

    /* Half of what there is: beyond it a low-pass is no filter. */
    return most < (least + 1) / 2 ? most : (least + 1) / 2;
}

uint64_t train_bytes(const struct matrix *matrix, const struct train_options *options)
{
    uint64_t items = matrix->columns, links = items * most_neighbours(options);
    uint64_t rank = most_rank(matrix, options), threads = options->work.threads;
    uint64_t own = matrix_bytes(matrix->rows, items, matrix->pairs) * (options->tune ? 2 : 1);
    uint64_t model = 8 * links + 4 * items * rank + 16 * items;
    uint64_t near = 12 * links;
    uint64_t desks = threads * (512 * items + 20 * (uint64_t)matrix->rows + 24 * items);
    uint64_t smooth = lowpass_bytes(matrix->rows, items, (uint32_t)rank);
    uint64_t fit = 4 * items * rank + model + near + desks;

    return PROGRAM_BYTES + own + near + (smooth > fit ? smooth : fit);
}

/* --- a model of the parts ------------------------------------------------------------------------
 */

struct link {
    uint32_t item;
    float weight;
};

struct parts {
    const struct matrix *matrix;
    const struct neighbours *neighbours;
    const float *weight; /* as neighbours->item */
    const struct lowpass *lowpass;
    uint32_t rank; /* of its factors, so many */
};

static int by_strength(const void *a, const void *b)
{
    const struct link *left = a, *right = b;
    float x = fabsf(left->weight), y = fabsf(right->weight);

    if (x != y)
        return x < y ? 1 : -1;
    return left->item < right->item ? -1 : left->item > right->item;
}

struct sorting {
    struct model *model;
    struct link *link;
};

/* The strongest links of each item first. */
static void sort_some(void *context, uint32_t piece, uint32_t worker)
{
    const struct sorting *sorting = context;
    const struct model *model = sorting->model;
    uint32_t end = (piece + 1) * LINKS_PIECE;

    (void)worker;
    for (uint32_t i = piece * LINKS_PIECE; i < end && i < model->head->items; i++) {
        uint32_t from = model->link_start[i], to = model->link_start[i + 1];

        qsort(sorting->link + from, to - from, sizeof *sorting->link, by_strength);
        for (uint32_t at = from; at < to; at++) {
            model->link_item[at] = sorting->link[at].item;
            model->link_weight[at] = sorting->link[at].weight;
        }
    }
}

static uint32_t count_links(const struct parts *parts)
{
    uint32_t links = 0;

    if (parts->neighbours == NULL)
        return 0;
    for (uint32_t item = 0; item < parts->matrix->columns; item++)
        for (uint32_t i = 0; i < parts->neighbours->count[item]; i++)
            links += parts->weight[(size_t)item * parts->neighbours->most + i] != 0;
    return links;
}

/* From lists by what is scored to lists by what one has. */
static void turn_links(const struct parts *parts, struct model *model, struct link *link)
{
    const struct neighbours *neighbours = parts->neighbours;
    uint32_t items = parts->matrix->columns, *start = model->link_start;

    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t item = 0; item < items; item++)
            for (uint32_t i = 0; i < neighbours->count[item]; i++) {
                size_t at = (size_t)item * neighbours->most + i;

                if (parts->weight[at] == 0)
                    continue;
                if (pass == 0)
                    start[neighbours->item[at] + 1]++;
                else
                    link[start[neighbours->item[at]]++] = (struct link){item, parts->weight[at]};
            }
        for (uint32_t i = 0; pass == 0 && i < items; i++)
            start[i + 1] += start[i];
    }
    memmove(start + 1, start, (size_t)items * sizeof *start);
    start[0] = 0;
}

static void set_factors(const struct parts *parts, struct model *model)
{
    const struct lowpass *lowpass = parts->lowpass;

    for (uint32_t item = 0; item < parts->matrix->columns; item++) {
        const float *from = parts->rank > 0 ? lowpass->vector + (size_t)item * lowpass->rank : NULL;
        float *to = model->factor + (size_t)item * parts->rank;
        float scale = powf((float)model->degree[item], model->head->factor_power);

        for (uint32_t k = 0; k < parts->rank; k++)
            to[k] = from[k] * scale;
    }
}

static enum status assemble(const struct parts *parts, const struct work *work, struct model *model)
{
    uint32_t links = count_links(parts), items = parts->matrix->columns;
    struct link *link = malloc(((size_t)links + 1) * sizeof *link);
    struct sorting sorting = {model, link};
    enum status status = STATUS_NOMEMORY;

    if (link != NULL)
        status = model_make(items, parts->rank, links, model);
    if (status == STATUS_OK) {
        for (uint32_t item = 0; item < items; item++) {
            model->id[item] = item;
            model->degree[item] = matrix_column_size(parts->matrix, item);
        }
        if (links > 0)
            turn_links(parts, model, link);
        work_run(work, NULL, (items + LINKS_PIECE - 1) / LINKS_PIECE, sort_some, &sorting);
        model->head->factor_power = SMOOTH_ITEM_POWER;
        set_factors(parts, model);
    }
    free(link);
    return status;
}

/* --- one fit -------------------------------------------------------------------------------------
 */

struct bench { /* one matrix and what is made of it once */
    const struct matrix *matrix;
    struct neighbours neighbours;
    struct lowpass lowpass;
    float *weight;
    uint32_t fits;
};

static enum status bench_set_up(struct bench *bench, const struct matrix *matrix, uint32_t most,
                                uint32_t rank, const struct train_options *options)
{
    const struct neighbours_rule rule = {NEAR_ACCOUNT_POWER, NEAR_ITEM_POWER, most};
    const struct lowpass_rule smooth = {SMOOTH_ACCOUNT_POWER, (double)SMOOTH_ITEM_POWER, rank};
    enum status status;

    *bench = (struct bench){.matrix = matrix};
    status = lowpass_make(matrix, &smooth, options->seed, &options->work, &bench->lowpass);
    if (status == STATUS_OK)
        status = neighbours_make(matrix, &rule, &options->work, &bench->neighbours);
    if (status == STATUS_OK) {
        bench->weight = malloc(((size_t)matrix->columns * most + 1) * sizeof(float));
        status = bench->weight == NULL ? STATUS_NOMEMORY : STATUS_OK;
    }
    return status;
}

static void bench_clear(struct bench *bench)
{
    neighbours_free(&bench->neighbours);
    lowpass_free(&bench->lowpass);
    free(bench->weight);
    *bench = (struct bench){0};
}

/* rank: how many of the factors go into the model. */
static enum status bench_fit(struct bench *bench, const struct train_setting *setting,
                             uint32_t rank, const struct work *work, struct model *model)
{
    const struct ridge_rule rule = {setting->account_power, setting->item_power, setting->penalty,
                                    setting->neighbours};
    struct parts parts = {.matrix = bench->matrix,
                          .neighbours = &bench->neighbours,
                          .weight = bench->weight,
                          .lowpass = &bench->lowpass};
    enum status status = ridge_fit(bench->matrix, &bench->neighbours, &rule, work, bench->weight);

    bench->fits++;
    parts.rank = rank < bench->lowpass.rank ? rank : bench->lowpass.rank;
    return status == STATUS_OK ? assemble(&parts, work, model) : status;
}

/* --- the search ----------------------------------------------------------------------------------
 */

struct search {
    const struct train_options *options;
    struct bench bench;
    struct matrix kept, held;
    struct train_setting best;
    struct evaluate_figures figures, ridge_alone;
};

static double worth(const struct evaluate_figures *figures)
{
    return figures->recall + figures->ndcg;
}

/* All ranks and shares (whole), or some shares at the rank that is best so far. Returns how many.
 */
static uint32_t mixes(const struct search *search, bool whole,
                      struct evaluate_setting mix[EVALUATE_SETTINGS_MAX])
{
    uint32_t count = 0, top = search->bench.lowpass.rank;

    static_assert(RANKS * SHARES + 1 <= EVALUATE_SETTINGS_MAX, "room for all");
    mix[count++] = (struct evaluate_setting){0, 0};
    for (uint32_t r = 0; whole && r < RANKS && (r == 0 || ranks[r - 1] < top); r++)
        for (uint32_t s = 0; s < SHARES; s++)
            mix[count++] = (struct evaluate_setting){ranks[r] < top ? ranks[r] : top, shares[s]};
    for (int step = -1; !whole && step <= 1; step++)
        mix[count++] =
            (struct evaluate_setting){search->best.rank < top ? search->best.rank : top,
                                      (float)(search->best.share * pow(PENALTY_STEP, step))};
    return count;
}

/* Fits with this setting and keeps it, with the best mix, if it is better. */
static enum status attempt(struct search *search, struct train_setting setting, bool whole,
                           bool *better)
{
    struct evaluate_setting mix[EVALUATE_SETTINGS_MAX];
    struct evaluate_figures figures[EVALUATE_SETTINGS_MAX];
    uint32_t count = mixes(search, whole, mix), best = 0;
    const struct work *work = &search->options->work;
    struct evaluate_task task = {.seen = &search->kept,
                                 .held = &search->held,
                                 .settings = mix,
                                 .setting_count = count,
                                 .most = ACCOUNTS_MAX,
                                 .seed = search->options->seed};
    struct model model = {0};
    enum status status = bench_fit(&search->bench, &setting, mix[count - 1].rank, work, &model);

    *better = false;
    if (status != STATUS_OK)
        return status;
    task.model = &model;
    status = evaluate(&task, work, figures);
    model_free(&model);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 1; i < count; i++)
        if (worth(&figures[i]) > worth(&figures[best]))
            best = i;
    if (worth(&figures[best]) <= GAIN * worth(&search->figures))
        return STATUS_OK;
    *better = true;
    setting.rank = mix[best].rank;
    setting.share = (double)mix[best].share;
    search->best = setting;
    search->figures = figures[best];
    search->ridge_alone = figures[0];
    return STATUS_OK;
}

enum knob { KNOB_PENALTY, KNOB_ACCOUNT, KNOB_ITEM, KNOB_NEIGHBOURS, KNOB_COUNT };

/* The setting one step along; false: there is none. */
static bool step_along(struct train_setting *setting, enum knob knob, int way)
{
    double *power = knob == KNOB_ACCOUNT ? &setting->account_power : &setting->item_power;

    switch (knob) {
    case KNOB_PENALTY:
        setting->penalty *= pow(PENALTY_STEP, way);
        return setting->penalty > 0.1 && setting->penalty < 1000;
    case KNOB_ACCOUNT:
    case KNOB_ITEM:
        *power += way * POWER_STEP;
        return *power > -1e-9 && *power < POWER_MAX + 1e-9;
    default:
        way = way > 0 && setting->neighbours < NEIGHBOURS_MAX;
        setting->neighbours = NEIGHBOURS_MAX;
        return way != 0;
    }
}

static enum status search_run(struct search *search)
{
    bool better;
    enum status status = attempt(search, search->options->start, true, &better);

    for (int knob = 0; status == STATUS_OK && knob < KNOB_COUNT; knob++)
        for (int way = 1; status == STATUS_OK && way >= -1; way -= 2) {
            bool moved = false;

            do {
                struct train_setting next = search->best;

                better = false;
                if (search->bench.fits < FITS_MAX && step_along(&next, (enum knob)knob, way))
                    status = attempt(search, next, false, &better);
                moved = moved || better;
            } while (status == STATUS_OK && better);
            if (moved)
                break;
        }
    if (status == STATUS_OK)
        status = attempt(search, search->best, true, &better); /* the mix, once more in full */
    return status;
}

static enum status tune(const struct matrix *matrix, const struct train_options *options,
                        struct train_report *report)
{
    struct search search = {.options = options, .best = options->start};
    enum status status = matrix_split(matrix, options->seed, &search.kept, &search.held);

    if (status == STATUS_OK && search.held.pairs > 0) {
        status = bench_set_up(&search.bench, &search.kept, NEIGHBOURS_MAX,
                              most_rank(matrix, options), options);
        if (status == STATUS_OK)
            status = search_run(&search);
    }
    report->setting = search.best;
    report->held = search.figures;
    report->ridge_alone = search.ridge_alone;
    report->fits = search.bench.fits;
    bench_clear(&search.bench);
    matrix_free(&search.kept);
    matrix_free(&search.held);
    return status;
}

enum status train_model(const struct matrix *matrix, const uint64_t *ids,
                        const struct train_options *options, struct model *model,
                        struct train_report *report)
{
    struct bench bench = {0};
    enum status status = STATUS_OK;

    *report =
        (struct train_report){.setting = options->start, .bytes = train_bytes(matrix, options)};
    if (matrix->pairs == 0 || matrix->columns < 2)
        return STATUS_BADDATA;
    if (options->memory_bytes > 0 && report->bytes > options->memory_bytes)
        return STATUS_NOSPACE;
    dense_begin();
    if (options->tune)
        status = tune(matrix, options, report);
    if (status == STATUS_OK)
        status =
            bench_set_up(&bench, matrix, report->setting.neighbours, report->setting.rank, options);
    if (status == STATUS_OK)
        status = bench_fit(&bench, &report->setting, report->setting.rank, &options->work, model);
    if (status == STATUS_OK) {
        struct model_head *head = model->head;

        report->fits++;
        head->share = (float)report->setting.share;
        head->account_power = (float)report->setting.account_power;
        head->item_power = (float)report->setting.item_power;
        head->penalty = (float)report->setting.penalty;
        head->neighbours = report->setting.neighbours;
        head->accounts = matrix->rows;
        head->pairs = matrix->pairs;
        for (uint32_t i = 0; ids != NULL && i < head->items; i++)
            model->id[i] = ids[i];
    }
    bench_clear(&bench);
    return status;
}

/* --- baselines -----------------------------------------------------------------------------------
 */

enum status train_popularity(const struct matrix *matrix, struct model *model)
{
    enum status status = model_make(matrix->columns, 1, 0, model);

    if (status != STATUS_OK)
        return status;
    model->head->share = 1;
    model->head->factor_power = 0.5F;
    for (uint32_t item = 0; item < matrix->columns; item++) {
        model->id[item] = item;
        /* Each item of a history brings 1 times the popularity of what is scored. */
        model->degree[item] = matrix_column_size(matrix, item);
        model->factor[item] = (float)model->degree[item];
    }
    return STATUS_OK;
}

enum status train_item_knn(const struct matrix *matrix, const struct work *work,
                           struct model *model)
{
    const struct neighbours_rule rule = {0, 0.5, 100};
    struct neighbours neighbours;
    enum status status = neighbours_make(matrix, &rule, work, &neighbours);

    if (status == STATUS_OK) {
        struct parts parts = {
            .matrix = matrix, .neighbours = &neighbours, .weight = neighbours.likeness};

        status = assemble(&parts, work, model);
        neighbours_free(&neighbours);
    }
    return status;
}
