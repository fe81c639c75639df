/* detect.c: see detect.h. */
#include "readers/detect/detect.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/detect/block.h"
#include "readers/detect/peel.h"

#define NOTHING_SPEAKS -40.0F /* score of what nothing speaks for */

struct task {
    const struct graph *graph;
    const struct detect_progress *progress;
    struct detect *detect;
    uint8_t *gone; /* [likes] */
    uint8_t *account_in, *node_in;
    uint32_t rounds;
};

/* The best block of a round; it owns its odds. */
struct candidate {
    bool items;
    float *account_odds, *node_odds;
    struct block block;
};

static double gain_of(const struct block *block)
{
    return block->evidence - block->cost;
}

static bool is_finding(const struct block *block)
{
    return block->accounts >= DETECT_ACCOUNTS_MIN && block->nodes >= 2 &&
           gain_of(block) >= DETECT_GAIN_MIN && block->evidence >= DETECT_MARGIN * block->cost;
}

static enum status keep(struct candidate *candidate, const struct layer *layer,
                        const struct block *block)
{
    size_t accounts = layer->graph->accounts * sizeof(float), nodes = layer->nodes * sizeof(float);
    float *account_odds = malloc(accounts), *node_odds = malloc(nodes);

    if (account_odds == NULL || node_odds == NULL) {
        free(account_odds);
        free(node_odds);
        return STATUS_NOMEMORY;
    }
    free(candidate->account_odds);
    free(candidate->node_odds);
    memcpy(account_odds, block->account_odds, accounts);
    memcpy(node_odds, block->node_odds, nodes);
    *candidate = (struct candidate){layer->items, account_odds, node_odds, *block};
    return STATUS_OK;
}

/* The better of the two beginnings: the second is only needed where the first finds nothing. */
static enum status try_layer(struct task *task, bool items, struct candidate *candidate)
{
    struct layer layer = graph_layer(task->graph, items);
    struct block_work *work;
    struct block block;
    struct peel peeled;
    enum status status = peel(&layer, task->gone, !items, task->account_in, task->node_in, &peeled);

    if (status != STATUS_OK || peeled.accounts == 0)
        return status;
    if ((work = block_open(&layer, task->gone)) == NULL)
        return STATUS_NOMEMORY;
    block_fit(work, task->account_in, task->node_in, false, &block);
    if (!is_finding(&block))
        block_fit(work, task->account_in, task->node_in, true, &block);
    if (is_finding(&block) &&
        (candidate->account_odds == NULL || gain_of(&block) > gain_of(&candidate->block)))
        status = keep(candidate, &layer, &block);
    block_close(work);
    return status;
}

static void tell(const struct task *task, uint32_t part)
{
    const struct detect_progress *progress = task->progress;
    uint64_t done = task->rounds * 2 + part;

    if (progress != NULL && progress->told != NULL)
        progress->told(progress->with, "finding groups", done, done + 2);
}

/* --- a group --- */

static int by_odds(const void *a, const void *b)
{
    const struct detect_member *x = a, *y = b;

    if (x->odds != y->odds)
        return x->odds < y->odds ? 1 : -1;
    return x->account < y->account ? -1 : x->account > y->account;
}

static void note_place(struct task *task, const struct candidate *candidate,
                       const struct layer *layer, uint32_t node, uint32_t *inside,
                       struct detect_place *place)
{
    const struct graph *graph = task->graph;
    uint32_t item = layer->items ? node : graph->cell_item[node];

    *place = (struct detect_place){
        .item = item, .first_s = UINT32_MAX, .odds = candidate->node_odds[node]};
    for (uint32_t i = layer->like[node]; i < layer->like[node + 1]; i++) {
        if (task->gone[i] != 0 || candidate->account_odds[graph->account[i]] <= 0)
            continue;
        place->likes++;
        place->first_s = graph->time_s[i] < place->first_s ? graph->time_s[i] : place->first_s;
        place->last_s = graph->time_s[i] > place->last_s ? graph->time_s[i] : place->last_s;
        inside[graph->account[i]]++;
        task->gone[i] = 1;
    }
}

static enum status make_group(struct task *task, const struct candidate *candidate)
{
    const struct graph *graph = task->graph;
    const struct block *block = &candidate->block;
    struct layer layer = graph_layer(graph, candidate->items);
    struct detect_group *group = &task->detect->group[task->detect->groups];
    uint32_t *inside = calloc(graph->accounts, sizeof *inside);

    *group = (struct detect_group){.kind = candidate->items ? DETECT_ITEMS : DETECT_BURSTS,
                                   .member = malloc(block->accounts * sizeof *group->member),
                                   .place = malloc(block->nodes * sizeof *group->place),
                                   .likes = block->inside,
                                   .expected = block->expected,
                                   .evidence = block->evidence,
                                   .cost = block->cost};
    task->detect->groups++;
    if (inside == NULL || group->member == NULL || group->place == NULL) {
        free(inside);
        return STATUS_NOMEMORY;
    }
    for (uint32_t c = 0; c < layer.nodes; c++)
        if (candidate->node_odds[c] > 0)
            note_place(task, candidate, &layer, c, inside, &group->place[group->places++]);
    for (uint32_t u = 0; u < graph->accounts; u++)
        if (candidate->account_odds[u] > 0)
            group->member[group->members++] =
                (struct detect_member){u, inside[u], candidate->account_odds[u]};
    qsort(group->member, group->members, sizeof *group->member, by_odds);
    free(inside);
    return STATUS_OK;
}

static void score(struct task *task, const struct candidate *candidate)
{
    const struct graph *graph = task->graph;
    struct layer layer = graph_layer(graph, candidate->items);

    for (uint32_t u = 0; u < graph->accounts; u++)
        task->detect->account_score[u] =
            fmaxf(task->detect->account_score[u], candidate->account_odds[u]);
    for (uint32_t c = 0; c < layer.nodes; c++) {
        uint32_t item = layer.items ? c : graph->cell_item[c];

        task->detect->item_score[item] =
            fmaxf(task->detect->item_score[item], candidate->node_odds[c]);
    }
}

/* One round; *found says whether there may be more. */
static enum status find_one(struct task *task, bool *found)
{
    struct candidate candidate = {0};
    enum status status = STATUS_OK;

    tell(task, 0);
    if (task->graph->timed)
        status = try_layer(task, false, &candidate);
    tell(task, 1);
    if (status == STATUS_OK)
        status = try_layer(task, true, &candidate);
    task->rounds++;
    *found = status == STATUS_OK && candidate.account_odds != NULL;
    if (*found) {
        score(task, &candidate);
        status = make_group(task, &candidate);
    }
    free(candidate.account_odds);
    free(candidate.node_odds);
    return status;
}

static enum status find_all(struct task *task)
{
    enum status status = STATUS_OK;
    bool found = true;

    while (status == STATUS_OK && found && task->detect->groups < DETECT_GROUPS_MAX)
        status = find_one(task, &found);
    return status;
}

enum status detect_run(const struct graph *graph, const struct detect_progress *progress,
                       struct detect *detect)
{
    uint32_t nodes = graph->cells > graph->items ? graph->cells : graph->items;
    struct task task = {.graph = graph,
                        .progress = progress,
                        .detect = detect,
                        .gone = calloc(graph->likes, 1),
                        .account_in = malloc(graph->accounts),
                        .node_in = malloc(nodes)};
    enum status status = STATUS_NOMEMORY;

    *detect = (struct detect){.account_score = malloc(graph->accounts * sizeof(float)),
                              .item_score = malloc(graph->items * sizeof(float))};
    if (task.gone != NULL && task.account_in != NULL && task.node_in != NULL &&
        detect->account_score != NULL && detect->item_score != NULL) {
        for (uint32_t u = 0; u < graph->accounts; u++)
            detect->account_score[u] = NOTHING_SPEAKS;
        for (uint32_t i = 0; i < graph->items; i++)
            detect->item_score[i] = NOTHING_SPEAKS;
        status = find_all(&task);
    }
    free(task.gone);
    free(task.account_in);
    free(task.node_in);
    if (status != STATUS_OK)
        detect_free(detect);
    return status;
}

void detect_free(struct detect *detect)
{
    for (uint32_t i = 0; i < detect->groups; i++) {
        free(detect->group[i].member);
        free(detect->group[i].place);
    }
    free(detect->account_score);
    free(detect->item_score);
    *detect = (struct detect){0};
}
