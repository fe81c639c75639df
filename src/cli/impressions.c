/* impressions.c: see impressions.h.
 *
 * The affinity a row is learnt with must come from a model that has not seen the row, else it would
 * be trusted too much: rows of the first half of what is learnt have none, rows of the second half
 * have it from a model of the first; and what is ranked has it from a model of all that is learnt.
 */
#include "cli/impressions.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/progress.h"
#include "cli/sets.h"
#include "readers/recommend/model.h"
#include "readers/recommend/recommend.h"
#include "readers/recommend/train.h"

#define SLOTS_LOG2    20
#define FACTORS       8
#define FACTOR_ROUNDS 15
#define FACTOR_STEP   0.05
#define FACTOR_RIDGE  0.02
#define POPULAR_MORE  20

const char *const impressions_method_names[IMPRESSIONS_METHODS] = {"popularity", "item-knn",
                                                                   "factors", "affinity", "zan"};

struct row {
    struct rank_impression shown;
    uint32_t account, item; /* their places (struct places) */
    bool outcome[RANK_OUTCOMES];
};

struct table {
    struct row *row;
    uint64_t count, room, learnt;
    double *score; /* of the rows after the cut, by one method */
    struct rank_case *scratch;
    uint64_t seed;
    bool fixed; /* models of pairs with the setting to begin with */
    const struct work *work;
    struct impressions *result; /* NULL: nothing is judged */
};

/* --- reading -------------------------------------------------------------------------------------
 */

static const char *const columns[] = {"user_id",     "video_id", "author_id", "tag",
                                      "duration_ms", "is_click", "long_view", "is_like",
                                      "time_ms",     NULL};
enum { COLUMN_USER, COLUMN_VIDEO, COLUMN_AUTHOR, COLUMN_TAG, COLUMN_DURATION, COLUMN_CLICK };

static bool number_of(const struct lines *lines, uint32_t column, uint64_t *number)
{
    const char *text = lines_field(lines, column);
    char *end;

    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && (*end == '\0' || *end == '.' || *end == ',');
}

static bool row_of(const struct lines *lines, struct row *row)
{
    uint64_t tag = 0, duration = 0, outcome;

    *row = (struct row){0};
    if (!number_of(lines, COLUMN_USER, &row->shown.account) ||
        !number_of(lines, COLUMN_VIDEO, &row->shown.item))
        return false;
    if (!number_of(lines, COLUMN_AUTHOR, &row->shown.creator))
        row->shown.creator = 0;
    /* Several tags stand with commas between; the first is the main one. 0 is a tag too. */
    row->shown.tag = number_of(lines, COLUMN_TAG, &tag) ? (uint32_t)tag + 1 : 0;
    if (number_of(lines, COLUMN_DURATION, &duration))
        row->shown.duration_ms = (uint32_t)duration;
    for (uint32_t i = 0; i < RANK_OUTCOMES; i++)
        row->outcome[i] = number_of(lines, COLUMN_CLICK + i, &outcome) && outcome > 0;
    return true;
}

static enum status add_row(struct table *table, const struct row *row)
{
    if (table->count == table->room) {
        uint64_t room = table->room == 0 ? 1 << 16 : 2 * table->room;
        struct row *more = realloc(table->row, room * sizeof *more);

        if (more == NULL)
            return STATUS_NOMEMORY;
        table->row = more;
        table->room = room;
    }
    table->row[table->count++] = *row;
    return STATUS_OK;
}

static enum status read_rows(struct table *table, const char *path)
{
    char *message = table->result->message;
    struct lines *lines;
    struct row row;
    enum status status = lines_open(path, columns, 9, &lines, message);

    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK) {
        enum lines_end end = lines_next(lines, message);

        if (end == LINES_END)
            break;
        if (end == LINES_ROW && row_of(lines, &row)) {
            status = add_row(table, &row);
            continue;
        }
        if (end == LINES_ROW)
            snprintf(message, LINES_MESSAGE, "%.180s:%llu: not an impression", path,
                     (unsigned long long)lines_number(lines));
        status = STATUS_BADDATA;
    }
    lines_close(lines);
    return status;
}

/* --- judging -------------------------------------------------------------------------------------
 */

/* Cases of the rows after the cut. Equal scores are told apart at random, or the order of time
 * would be part of the figure. */
static uint64_t cases_of(struct table *table, int outcome)
{
    uint64_t count = table->count - table->learnt;

    for (uint64_t i = 0; i < count; i++) {
        const struct row *row = &table->row[table->learnt + i];

        table->scratch[i] =
            (struct rank_case){row->shown.account, table->score[i], row->outcome[outcome]};
    }
    return count;
}

static void judge(struct table *table, enum impressions_method method, int outcome)
{
    struct impressions_figures *figures = &table->result->figures[method][outcome];
    uint64_t count = cases_of(table, outcome);

    figures->auc = rank_auc(table->scratch, count);
    cases_of(table, outcome);
    for (uint64_t i = 0; i < count; i++)
        table->scratch[i].score +=
            1e-9 * (double)(hash_two(table->seed, i) >> 11) / (double)(1ULL << 53);
    figures->ndcg = rank_ndcg(table->scratch, count, IMPRESSIONS_TOP, &figures->groups);
    if (method != IMPRESSIONS_ZAN)
        return;
    cases_of(table, outcome);
    table->result->calibration_error[outcome] =
        rank_calibration(table->scratch, count, IMPRESSIONS_BINS, table->result->bin[outcome]);
    for (uint64_t i = 0; i < count; i++) {
        table->result->bias[outcome] += table->score[i];
        table->result->hits[outcome] += table->row[table->learnt + i].outcome[outcome];
    }
    table->result->bias[outcome] /= fmax(1, (double)table->result->hits[outcome]);
}

/* --- popularity, and factors ---------------------------------------------------------------------
 */

/* Accounts and items of all rows, as places. */
struct places {
    uint64_t *account, *item;
    uint32_t accounts, items;
};

static void places_free(struct places *places)
{
    free(places->account);
    free(places->item);
}

static bool places_make(struct table *table, struct places *places)
{
    struct sets_list list = {0};
    struct sets sets = {0};
    bool whole = true;

    *places = (struct places){0};
    for (uint64_t i = 0; whole && i < table->count; i++)
        whole = sets_add(&list, table->row[i].shown.account, table->row[i].shown.item);
    if (!whole || sets_make(&list, NULL, &sets) != STATUS_OK) {
        free(list.pair);
        return false;
    }
    *places = (struct places){
        .account = sets.account, .item = sets.item, .accounts = sets.accounts, .items = sets.items};
    sets.account = sets.item = NULL;
    sets_free(&sets);
    for (uint64_t i = 0; i < table->count; i++) {
        struct row *row = &table->row[i];

        row->account = sets_find(places->account, places->accounts, row->shown.account);
        row->item = sets_find(places->item, places->items, row->shown.item);
    }
    return true;
}

static double mean_of(const struct table *table, int outcome)
{
    uint64_t hits = 0;

    for (uint64_t i = 0; i < table->learnt; i++)
        hits += table->row[i].outcome[outcome];
    return ((double)hits + 0.5) / ((double)table->learnt + 1);
}

struct tally {
    double shown, hits;
};

static void tally_add(struct tally *tally, bool hit)
{
    tally->shown += 1;
    tally->hits += hit;
}

static enum status by_popularity(struct table *table, const struct places *places, int outcome)
{
    size_t bytes = ((size_t)places->items + 1) * sizeof(struct tally);
    struct tally *tally = malloc(bytes);
    double mean = mean_of(table, outcome);

    assert(table->row != NULL);
    if (tally == NULL)
        return STATUS_NOMEMORY;
    memset(tally, 0, bytes);
    for (uint64_t i = 0; i < table->learnt; i++)
        tally_add(&tally[table->row[i].item], table->row[i].outcome[outcome]);
    for (uint64_t i = table->learnt; i < table->count; i++) {
        const struct tally *of = &tally[table->row[i].item];

        table->score[i - table->learnt] =
            (of->hits + POPULAR_MORE * mean) / (of->shown + POPULAR_MORE);
    }
    free(tally);
    return STATUS_OK;
}

struct factors {
    double bias;
    double factor[FACTORS];
};

static double factor_odds(double base, const struct factors *a, const struct factors *b)
{
    double odds = base + a->bias + b->bias;

    for (int k = 0; k < FACTORS; k++)
        odds += a->factor[k] * b->factor[k];
    return odds;
}

static void factor_step(struct factors *a, struct factors *b, double error)
{
    a->bias -= FACTOR_STEP * (error + FACTOR_RIDGE * a->bias);
    b->bias -= FACTOR_STEP * (error + FACTOR_RIDGE * b->bias);
    for (int k = 0; k < FACTORS; k++) {
        double x = a->factor[k], y = b->factor[k];

        a->factor[k] -= FACTOR_STEP * (error * y + FACTOR_RIDGE * x);
        b->factor[k] -= FACTOR_STEP * (error * x + FACTOR_RIDGE * y);
    }
}

static void factors_begin(struct factors *factors, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < FACTORS; k++)
            factors[i].factor[k] =
                0.2 *
                ((double)(hash_two(seed, i * FACTORS + k) >> 11) / (double)(1ULL << 53) - 0.5);
}

static enum status by_factors(struct table *table, const struct places *places, int outcome)
{
    struct factors *account = calloc((size_t)places->accounts + 1, sizeof *account);
    struct factors *item = calloc((size_t)places->items + 1, sizeof *item);
    double mean = mean_of(table, outcome), base = log(mean / (1 - mean));
    bool whole = account != NULL && item != NULL;

    if (whole) {
        factors_begin(account, places->accounts, table->seed);
        factors_begin(item, places->items, table->seed + 1);
    }
    for (int round = 0; whole && round < FACTOR_ROUNDS; round++)
        for (uint64_t i = 0; i < table->learnt; i++) {
            struct factors *a = &account[table->row[i].account], *b = &item[table->row[i].item];
            double rate = 1 / (1 + exp(-factor_odds(base, a, b)));

            factor_step(a, b, rate - table->row[i].outcome[outcome]);
        }
    for (uint64_t i = table->learnt; whole && i < table->count; i++)
        table->score[i - table->learnt] =
            factor_odds(base, &account[table->row[i].account], &item[table->row[i].item]);
    free(account);
    free(item);
    return whole ? STATUS_OK : STATUS_NOMEMORY;
}

/* --- by a model of pairs -------------------------------------------------------------------------
 */

struct pairs_model {
    struct sets sets;
    struct recommend *recommend;
    struct recommend_view *view;
};

static void pairs_free(struct pairs_model *model)
{
    recommend_view_close(model->view);
    recommend_close(model->recommend);
    sets_free(&model->sets);
    *model = (struct pairs_model){0};
}

/* The pairs of rows below `end` with one of the outcomes (bits). */
static bool collect_pairs(const struct table *table, uint64_t end, uint32_t outcomes,
                          struct sets *sets)
{
    struct sets_list list = {0};
    bool whole = true;

    for (uint64_t i = 0; whole && i < end; i++) {
        const struct row *row = &table->row[i];

        for (uint32_t o = 0; whole && o < RANK_OUTCOMES; o++)
            if (outcomes >> o & 1 && row->outcome[o])
                whole = sets_add(&list, row->shown.account, row->shown.item);
    }
    whole = whole && sets_make(&list, NULL, sets) == STATUS_OK;
    free(list.pair);
    return whole;
}

static enum status pairs_make(struct table *table, uint64_t end, uint32_t outcomes, bool knn,
                              struct pairs_model *result)
{
    const struct train_options options = {
        .seed = table->seed, .tune = !table->fixed, .start = train_default(), .work = *table->work};
    struct train_report report;
    struct model model = {0};
    enum status status;

    *result = (struct pairs_model){0};
    if (!collect_pairs(table, end, outcomes, &result->sets))
        return STATUS_NOMEMORY;
    status = knn ? train_item_knn(&result->sets.train, table->work, &model)
                 : train_model(&result->sets.train, result->sets.item, &options, &model, &report);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; knn && i < result->sets.items; i++)
        model.id[i] = result->sets.item[i];
    result->recommend = recommend_of(&model);
    if (result->recommend == NULL) {
        model_free(&model);
        return STATUS_NOMEMORY;
    }
    result->view = recommend_view_open(result->recommend);
    return result->view == NULL ? STATUS_NOMEMORY : STATUS_OK;
}

/* How many of the account's pairs the model knows. */
static uint32_t look_at(const struct pairs_model *model, uint64_t account)
{
    const struct matrix *matrix = &model->sets.train;
    uint64_t history[RECOMMEND_HISTORY_MAX];
    uint32_t row = sets_find(model->sets.account, model->sets.accounts, account), count = 0;

    if (row == UINT32_MAX)
        return recommend_look(model->view, history, 0);
    for (uint32_t p = matrix->row_start[row];
         p < matrix->row_start[row + 1] && count < RECOMMEND_HISTORY_MAX; p++)
        history[count++] = model->sets.item[matrix->row_column[p]];
    return recommend_look(model->view, history, count);
}

static enum status by_neighbours(struct table *table, int outcome)
{
    struct pairs_model model;
    enum status status = pairs_make(table, table->learnt, 1U << outcome, true, &model);

    for (uint64_t i = table->learnt; status == STATUS_OK && i < table->count; i++) {
        look_at(&model, table->row[i].shown.account);
        table->score[i - table->learnt] =
            (double)recommend_score(model.view, table->row[i].shown.item);
    }
    pairs_free(&model);
    return status;
}

/* Affinities of rows from..to-1 by a model of the rows before `end`. */
static enum status set_affinities(struct table *table, uint64_t end, uint64_t from, uint64_t to)
{
    struct pairs_model model;
    enum status status =
        pairs_make(table, end, 1U << RANK_LONG_VIEW | 1U << RANK_LIKE, false, &model);

    for (uint64_t i = from; status == STATUS_OK && i < to; i++) {
        struct rank_impression *shown = &table->row[i].shown;

        shown->has_affinity = look_at(&model, shown->account) > 0;
        shown->affinity = recommend_score(model.view, shown->item);
    }
    pairs_free(&model);
    return status;
}

/* --- ours ----------------------------------------------------------------------------------------
 */

static enum status by_rank(struct table *table)
{
    struct rank *rank = rank_open(SLOTS_LOG2);
    uint64_t ranked = table->count - table->learnt;
    double(*rate)[RANK_OUTCOMES] = malloc((size_t)(ranked + 1) * sizeof *rate);
    bool whole = rank != NULL && rate != NULL;
    int64_t from_us;

    for (uint64_t i = 0; whole && i < table->learnt; i++)
        rank_learn(rank, &table->row[i].shown, table->row[i].outcome);
    from_us = progress_now_us();
    for (uint64_t i = 0; whole && i < ranked; i++)
        rank_predict(rank, &table->row[table->learnt + i].shown, rate[i]);
    table->result->predict_us = (double)(progress_now_us() - from_us) / fmax(1, (double)ranked);
    for (int outcome = 0; whole && outcome < RANK_OUTCOMES; outcome++) {
        for (uint64_t i = 0; i < ranked; i++)
            table->score[i] = rate[i][outcome];
        judge(table, IMPRESSIONS_ZAN, outcome);
    }
    rank_close(rank);
    free(rate);
    return whole ? STATUS_OK : STATUS_NOMEMORY;
}

static enum status baselines(struct table *table)
{
    struct places places;
    enum status status = places_make(table, &places) ? STATUS_OK : STATUS_NOMEMORY;

    for (int outcome = 0; status == STATUS_OK && outcome < RANK_OUTCOMES; outcome++) {
        status = by_popularity(table, &places, outcome);
        if (status == STATUS_OK) {
            judge(table, IMPRESSIONS_POPULARITY, outcome);
            status = by_factors(table, &places, outcome);
        }
        if (status == STATUS_OK) {
            judge(table, IMPRESSIONS_FACTORS, outcome);
            status = by_neighbours(table, outcome);
        }
        if (status == STATUS_OK)
            judge(table, IMPRESSIONS_KNN, outcome);
    }
    places_free(&places);
    return status;
}

static enum status evaluate_all(struct table *table)
{
    uint64_t half = table->learnt / 2;
    enum status status = baselines(table);

    if (status == STATUS_OK)
        status = set_affinities(table, half, half, table->learnt);
    if (status == STATUS_OK)
        status = set_affinities(table, table->learnt, table->learnt, table->count);
    for (int outcome = 0; status == STATUS_OK && outcome < RANK_OUTCOMES; outcome++) {
        for (uint64_t i = table->learnt; i < table->count; i++)
            table->score[i - table->learnt] = (double)table->row[i].shown.affinity;
        judge(table, IMPRESSIONS_AFFINITY, outcome);
    }
    return status == STATUS_OK ? by_rank(table) : status;
}

enum status impressions_evaluate(const char *path, double cut, uint64_t seed,
                                 const struct work *work, struct impressions *result)
{
    struct table table = {.seed = seed, .work = work, .result = result};
    enum status status;

    assert(cut > 0 && cut < 1);
    *result = (struct impressions){0};
    status = read_rows(&table, path);
    if (status == STATUS_OK) {
        table.learnt = (uint64_t)(cut * (double)table.count);
        result->learnt = table.learnt;
        result->ranked = table.count - table.learnt;
        table.score = calloc((size_t)result->ranked + 1, sizeof *table.score);
        table.scratch = calloc((size_t)result->ranked + 1, sizeof *table.scratch);
        status =
            table.score == NULL || table.scratch == NULL ? STATUS_NOMEMORY : evaluate_all(&table);
        if (status != STATUS_OK)
            snprintf(result->message, sizeof result->message, "%.180s: %s", path,
                     status == STATUS_BADDATA ? "too few impressions to learn from"
                                              : "memory ran out");
    }
    free(table.row);
    free(table.score);
    free(table.scratch);
    return status;
}

/* --- for serving ---------------------------------------------------------------------------------
 */

static struct row row_from(const struct learn_impression *one)
{
    return (struct row){.shown = {.account = one->account,
                                  .item = one->item,
                                  .creator = one->creator,
                                  .tag = one->tag,
                                  .duration_ms = one->duration_ms},
                        .outcome = {[RANK_CLICK] = one->clicked,
                                    [RANK_LONG_VIEW] = one->watched,
                                    [RANK_LIKE] = one->liked}};
}

/* Places for what there is, about: nine of each impression, many of them the same. */
static uint32_t slots_for(uint64_t impressions)
{
    uint32_t slots_log2 = 12;

    while (slots_log2 < SLOTS_LOG2 && 1ULL << slots_log2 < 5 * impressions)
        slots_log2++;
    return slots_log2;
}

enum status impressions_learn(const struct learn_impression *impression, uint64_t count,
                              uint64_t seed, const struct work *work, struct rank **rank)
{
    struct table table = {.seed = seed, .fixed = true, .work = work};
    enum status status = STATUS_OK;

    *rank = rank_open(slots_for(count));
    if (*rank == NULL)
        return STATUS_NOMEMORY;
    for (uint64_t i = 0; i < count && status == STATUS_OK; i++) {
        struct row row = row_from(&impression[i]);

        status = add_row(&table, &row);
    }
    table.learnt = count;
    if (status == STATUS_OK)
        status = set_affinities(&table, count / 2, count / 2, count);
    if (status == STATUS_BADDATA)
        status = STATUS_OK; /* too few pairs in the first half: then without */
    for (uint64_t i = 0; i < count && status == STATUS_OK; i++)
        rank_learn(*rank, &table.row[i].shown, table.row[i].outcome);
    free(table.row);
    if (status != STATUS_OK) {
        rank_close(*rank);
        *rank = NULL;
    }
    return status;
}
