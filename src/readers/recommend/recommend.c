/* recommend.c: links of the history added up in a row of floats; the low-pass part only where a
 * score is asked for. What was touched is put back to 0 by the next look, so a look costs what it
 * touches. */
#include "readers/recommend/recommend.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers/recommend/best.h"
#include "readers/recommend/dense.h"
#include "readers/recommend/model.h"
#include "readers/recommend/rank.h"

/* Candidates by links alone, whose whole scores are then worked out. */
#define DRAFT_MAX (4 * RECOMMEND_BEST_MAX)

struct recommend {
    struct model model;
    struct rank *rank; /* NULL: it has no rates */
    uint32_t popular_count;
    uint32_t popular[RECOMMEND_BEST_MAX + RECOMMEND_HISTORY_MAX]; /* places, most first */
};

struct recommend_view {
    const struct recommend *recommend;
    uint32_t touched_count, known;
    uint32_t history[RECOMMEND_HISTORY_MAX]; /* places */
    float profile[MODEL_RANK_MAX];           /* sum of factor * model_factor_scale */
    struct best_one draft[DRAFT_MAX];
    float *sum;        /* of links, by place; 0 where nothing was touched */
    uint8_t *state;    /* enum place_state, by place */
    uint32_t *touched; /* places whose sum or state is not 0 */
};

enum place_state { PLACE_TOUCHED = 1, PLACE_HISTORY = 2 };

struct popularity {
    uint32_t degree, place;
};

static int by_popularity(const void *a, const void *b)
{
    const struct popularity *left = a, *right = b;

    if (left->degree != right->degree)
        return left->degree < right->degree ? 1 : -1;
    return left->place < right->place ? -1 : left->place > right->place;
}

static bool list_popular(struct recommend *recommend)
{
    const struct model *model = &recommend->model;
    uint32_t most = sizeof recommend->popular / sizeof *recommend->popular;
    struct popularity *all = malloc(((size_t)model->head->items + 1) * sizeof *all);

    if (all == NULL)
        return false;
    for (uint32_t i = 0; i < model->head->items; i++)
        all[i] = (struct popularity){model->degree[i], i};
    qsort(all, model->head->items, sizeof *all, by_popularity);
    for (uint32_t i = 0; i < model->head->items && i < most; i++)
        recommend->popular[recommend->popular_count++] = all[i].place;
    free(all);
    return true;
}

static bool read_rates(struct recommend *recommend)
{
    const struct model *model = &recommend->model;

    if (model->head->rates_bytes == 0)
        return true;
    recommend->rank = rank_read(model->rates, model->head->rates_bytes);
    return recommend->rank != NULL;
}

const struct rank *recommend_rates(const struct recommend_view *view)
{
    return view->recommend->rank;
}

enum status recommend_open(const struct disk *disk, const char *path, struct recommend **result,
                           char message[RECOMMEND_MESSAGE])
{
    struct recommend *recommend = calloc(1, sizeof *recommend);
    enum status status;

    static_assert(RECOMMEND_MESSAGE == MODEL_MESSAGE, "passed on");
    if (recommend == NULL)
        return STATUS_NOMEMORY;
    status = model_open(disk, path, &recommend->model, message);
    if (status == STATUS_OK && !list_popular(recommend))
        status = STATUS_NOMEMORY;
    if (status == STATUS_OK && !read_rates(recommend)) {
        snprintf(message, RECOMMEND_MESSAGE, "%.160s has rates that make no sense", path);
        status = STATUS_BADDATA;
    }
    if (status != STATUS_OK) {
        recommend_close(recommend);
        return status;
    }
    *result = recommend;
    return STATUS_OK;
}

struct recommend *recommend_of(struct model *model)
{
    struct recommend *recommend = calloc(1, sizeof *recommend);

    if (recommend == NULL)
        return NULL;
    recommend->model = *model;
    if (!list_popular(recommend) || !read_rates(recommend)) {
        free(recommend);
        return NULL;
    }
    *model = (struct model){0};
    return recommend;
}

void recommend_close(struct recommend *recommend)
{
    if (recommend == NULL)
        return;
    model_free(&recommend->model);
    rank_close(recommend->rank);
    free(recommend);
}

void recommend_about(const struct recommend *recommend, struct recommend_about *about)
{
    const struct model_head *head = recommend->model.head;

    *about = (struct recommend_about){.version = head->version,
                                      .tenant = head->tenant,
                                      .items = head->items,
                                      .links = head->links,
                                      .rank = head->rank,
                                      .accounts = head->accounts,
                                      .pairs = head->pairs,
                                      .bytes = recommend->model.bytes,
                                      .share = head->share};
}

struct recommend_view *recommend_view_open(const struct recommend *recommend)
{
    struct recommend_view *view = calloc(1, sizeof *view);
    size_t items = (size_t)recommend->model.head->items + 1;

    if (view == NULL)
        return NULL;
    view->recommend = recommend;
    view->sum = calloc(items, sizeof *view->sum);
    view->state = calloc(items, sizeof *view->state);
    view->touched = malloc(items * sizeof *view->touched);
    if (view->sum == NULL || view->state == NULL || view->touched == NULL) {
        recommend_view_close(view);
        return NULL;
    }
    return view;
}

void recommend_view_close(struct recommend_view *view)
{
    if (view == NULL)
        return;
    free(view->sum);
    free(view->state);
    free(view->touched);
    free(view);
}

static void forget(struct recommend_view *view)
{
    for (uint32_t i = 0; i < view->touched_count; i++) {
        view->sum[view->touched[i]] = 0;
        view->state[view->touched[i]] = 0;
    }
    view->touched_count = view->known = 0;
    memset(view->profile, 0, sizeof view->profile);
}

static void touch(struct recommend_view *view, uint32_t place, enum place_state state)
{
    if (view->state[place] == 0)
        view->touched[view->touched_count++] = place;
    view->state[place] |= (uint8_t)state;
}

static void add_item(struct recommend_view *view, uint32_t place)
{
    const struct model *model = &view->recommend->model;
    uint32_t rank = model->head->rank, start = model->link_start[place];
    uint32_t end = model->link_start[place + 1];
    const float *factor = model->factor + (size_t)place * rank;

    if (end - start > RECOMMEND_LINKS_MAX)
        end = start + RECOMMEND_LINKS_MAX;
    for (uint32_t i = start; i < end; i++) {
        touch(view, model->link_item[i], PLACE_TOUCHED);
        view->sum[model->link_item[i]] += model->link_weight[i];
    }
    dense_add(rank, model_factor_scale(model, place), factor, view->profile);
}

uint32_t recommend_look(struct recommend_view *view, const uint64_t *history, uint32_t count)
{
    forget(view);
    for (uint32_t i = 0; i < count && view->known < RECOMMEND_HISTORY_MAX; i++) {
        uint32_t place = model_find(&view->recommend->model, history[i]);

        if (place == MODEL_NONE || view->state[place] & PLACE_HISTORY)
            continue;
        touch(view, place, PLACE_HISTORY);
        view->history[view->known++] = place;
    }
    for (uint32_t i = 0; i < view->known; i++)
        add_item(view, view->history[i]);
    return view->known;
}

static float whole_score(const struct recommend_view *view, uint32_t place)
{
    const struct model *model = &view->recommend->model;
    uint32_t rank = model->head->rank;
    const float *factor = model->factor + (size_t)place * rank;

    return view->sum[place] + model->head->share * dense_dot(rank, view->profile, factor);
}

float recommend_score(const struct recommend_view *view, uint64_t item)
{
    uint32_t place = model_find(&view->recommend->model, item);

    return place == MODEL_NONE ? 0 : whole_score(view, place);
}

static int by_score(const void *a, const void *b)
{
    const struct best_one *left = a, *right = b;

    return best_is_less(*left, *right) ? 1 : best_is_less(*right, *left) ? -1 : 0;
}

/* The most by links into view->draft, in no order. */
static uint32_t draft(struct recommend_view *view, uint32_t most)
{
    struct best best = {.kept = view->draft, .most = most};

    for (uint32_t i = 0; i < view->touched_count; i++) {
        uint32_t place = view->touched[i];

        if (!(view->state[place] & PLACE_HISTORY))
            best_offer(&best, (struct best_one){view->sum[place], place});
    }
    return best.size;
}

static uint32_t draft_popular(struct recommend_view *view)
{
    const struct recommend *recommend = view->recommend;
    uint32_t size = 0;

    for (uint32_t i = 0; i < recommend->popular_count && size < DRAFT_MAX; i++)
        if (!(view->state[recommend->popular[i]] & PLACE_HISTORY))
            view->draft[size++] = (struct best_one){
                (float)recommend->model.degree[recommend->popular[i]], recommend->popular[i]};
    return size;
}

uint32_t recommend_best(struct recommend_view *view, uint32_t n, struct recommend_found *found)
{
    uint32_t size;

    assert(n > 0 && n <= RECOMMEND_BEST_MAX);
    if (view->known > 0) {
        size = draft(view, n < DRAFT_MAX / 4 ? 4 * n : DRAFT_MAX);
        for (uint32_t i = 0; i < size; i++)
            view->draft[i].score = whole_score(view, view->draft[i].index);
        qsort(view->draft, size, sizeof *view->draft, by_score);
    } else {
        size = draft_popular(view);
    }
    if (size > n)
        size = n;
    for (uint32_t i = 0; i < size; i++)
        found[i] = (struct recommend_found){view->recommend->model.id[view->draft[i].index],
                                            view->known > 0 ? view->draft[i].score : 0};
    return size;
}

uint32_t recommend_similar(struct recommend_view *view, uint64_t item, uint32_t n,
                           struct recommend_found *found)
{
    return recommend_look(view, &item, 1) == 0 ? 0 : recommend_best(view, n, found);
}
