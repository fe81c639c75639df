/* detect.c: see detect.h. */
#include "readers/detect/detect.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "readers/detect/block.h"
#include "readers/detect/meet.h"
#include "readers/detect/newcomer.h"
#include "readers/detect/peel.h"

#define PEEL_FLOOR     3.0    /* nats: of items, where the peel begins first */
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
    return fmax(block->evidence - block->cost, block->likelihood - block->paid);
}

/* By the likelihood alone only bursts are judged: the viewers of a series of videos are no chance
 * either, but they do not come to each of them within the hour. */
static bool is_finding(const struct layer *layer, const struct block *block)
{
    bool by_bound = block->evidence - block->cost >= DETECT_GAIN_MIN &&
                    block->evidence >= DETECT_MARGIN * block->cost;
    bool by_likelihood =
        !layer->items && block->likelihood - DETECT_WIDE_MARGIN * block->paid >= DETECT_GAIN_MIN;

    return block->accounts >= DETECT_ACCOUNTS_MIN && block->nodes >= 2 &&
           (by_bound || by_likelihood);
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
    candidate->items = layer->items;
    candidate->account_odds = account_odds;
    candidate->node_odds = node_odds;
    candidate->block = *block;
    return STATUS_OK;
}

static enum status offer(struct candidate *candidate, const struct layer *layer,
                         const struct block *block)
{
    if (!is_finding(layer, block) ||
        (candidate->account_odds != NULL && gain_of(block) <= gain_of(&candidate->block)))
        return STATUS_OK;
    return keep(candidate, layer, block);
}

/* Where the peel begins, with a floor. */
static enum status from_peel(struct task *task, struct block_work *work, const struct layer *layer,
                             double floor, struct candidate *candidate, bool *found)
{
    struct block block;
    struct peel peeled;
    enum status status =
        peel(layer, task->gone, !layer->items, floor, task->account_in, task->node_in, &peeled);

    *found = false;
    if (status != STATUS_OK || peeled.accounts == 0)
        return status;
    block_fit(work, task->account_in, task->node_in, false, &block);
    *found = is_finding(layer, &block);
    return offer(candidate, layer, &block);
}

/* Where nodes share accounts. */
static enum status from_meetings(struct task *task, struct block_work *work,
                                 const struct layer *layer, struct candidate *candidate)
{
    struct block block;
    uint32_t nodes;
    enum status status = meet_find(layer, task->gone, !layer->items, task->node_in, &nodes);

    if (status != STATUS_OK || nodes < 2)
        return status;
    block_fit(work, task->account_in, task->node_in, true, &block);
    return offer(candidate, layer, &block);
}

/* Of items the peel begins with a floor, which finds thinner rings, and then without, which finds
 * those that hide among many other likes. What has been found spares the rest. */
static enum status try_layer(struct task *task, bool items, struct candidate *candidate)
{
    struct layer layer = graph_layer(task->graph, items);
    struct block_work *work = block_open(&layer, task->gone);
    enum status status = STATUS_OK;
    bool found = false;

    if (work == NULL)
        return STATUS_NOMEMORY;
    if (items)
        status = from_peel(task, work, &layer, PEEL_FLOOR, candidate, &found);
    if (status == STATUS_OK && !found)
        status = from_peel(task, work, &layer, 0, candidate, &found);
    if (status == STATUS_OK && !found)
        status = from_meetings(task, work, &layer, candidate);
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

/* Theil's index of how many likes each has, less 1 / 2 mean: what it is where chance alone deals.
 */
static double uneven(const struct detect_group *group)
{
    double likes = (double)group->likes, members = group->members, all = 0;

    for (uint32_t i = 0; i < group->members; i++) {
        double own = group->member[i].likes;

        if (own > 0)
            all += own / likes * log(own * members / likes);
    }
    return all - members / (2 * likes);
}

static void group_free(struct detect_group *group)
{
    free(group->member);
    free(group->place);
}

static enum status make_group(struct task *task, const struct candidate *candidate,
                              struct detect_group *group)
{
    const struct graph *graph = task->graph;
    const struct block *block = &candidate->block;
    struct layer layer = graph_layer(graph, candidate->items);
    bool by_bound = block->evidence - block->cost >= block->likelihood - block->paid;
    uint32_t *inside = calloc(graph->accounts, sizeof *inside);

    *group = (struct detect_group){.kind = candidate->items ? DETECT_ITEMS : DETECT_BURSTS,
                                   .member = malloc(block->accounts * sizeof *group->member),
                                   .place = malloc(block->nodes * sizeof *group->place),
                                   .likes = block->inside,
                                   .expected = block->expected,
                                   .evidence = by_bound ? block->evidence : block->likelihood,
                                   .cost = by_bound ? block->cost : block->paid};
    if (inside == NULL || group->member == NULL || group->place == NULL) {
        free(inside);
        group_free(group);
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
    group->uneven = uneven(group);
    free(inside);
    return STATUS_OK;
}

static void score(struct task *task, const struct candidate *candidate)
{
    const struct graph *graph = task->graph;
    struct layer layer = graph_layer(graph, candidate->items);

    /* Whom nothing but the size of the group speaks for keeps what others say of it. */
    for (uint32_t u = 0; u < graph->accounts; u++)
        if (candidate->account_odds[u] > candidate->block.rest + 1)
            task->detect->account_score[u] =
                fmaxf(task->detect->account_score[u], candidate->account_odds[u]);
    for (uint32_t c = 0; c < layer.nodes; c++) {
        uint32_t item = layer.items ? c : graph->cell_item[c];

        task->detect->item_score[item] =
            fmaxf(task->detect->item_score[item], candidate->node_odds[c]);
    }
}

/* A group, or a community, which is only taken out of the way. */
static enum status take(struct task *task, const struct candidate *candidate)
{
    struct detect *detect = task->detect;
    struct detect_group group;
    enum status status = make_group(task, candidate, &group);

    if (status != STATUS_OK)
        return status;
    if (group.uneven > DETECT_UNEVEN_MAX && !PLANTED("detect.communities_told")) {
        group_free(&group);
        detect->communities++;
        return STATUS_OK;
    }
    score(task, candidate);
    detect->group[detect->groups++] = group;
    return STATUS_OK;
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
    if (status == STATUS_OK && candidate.account_odds == NULL)
        status = try_layer(task, true, &candidate);
    task->rounds++;
    *found = status == STATUS_OK && candidate.account_odds != NULL;
    if (*found)
        status = take(task, &candidate);
    free(candidate.account_odds);
    free(candidate.node_odds);
    return status;
}

static enum status find_all(struct task *task)
{
    enum status status = STATUS_OK;
    bool found = true;

    while (status == STATUS_OK && found &&
           task->detect->groups + task->detect->communities < DETECT_GROUPS_MAX - 1)
        status = find_one(task, &found);
    return status;
}

/* --- newcomers --- */

/* An item that does not stand out lends its accounts no more than that. */
static float damped(float odds, float surprise)
{
    float most = 2 * (surprise - (float)DETECT_GAIN_MIN);

    return odds < most ? odds : most;
}

static void score_newcomers(struct task *task, const struct newcomer *newcomer)
{
    const struct graph *graph = task->graph;
    struct detect *detect = task->detect;

    for (uint32_t item = 0; item < graph->items; item++) {
        float surprise = newcomer->surprise[item], share = newcomer->share[item];

        if (surprise <= 0 || share <= 0)
            continue;
        detect->item_score[item] =
            fmaxf(detect->item_score[item], damped(logf(share / (1.001F - share)) + 4, surprise));
        for (uint32_t i = graph->item_like[item]; i < graph->item_like[item + 1]; i++) {
            uint32_t account = graph->account[i];
            float odds =
                newcomer_odds(newcomer, item, newcomer_class(graph_degree(graph, account)));

            detect->account_score[account] =
                fmaxf(detect->account_score[account], damped(odds, surprise));
        }
    }
}

static bool stands_out(const struct newcomer *newcomer, uint32_t item)
{
    return (double)newcomer->surprise[item] >= DETECT_GAIN_MIN &&
           (double)newcomer->share[item] >= DETECT_CAMPAIGN_SHARE;
}

/* One place of the group. inside[account] counts its likes, odds[account] are the best of them. */
static void note_campaign(const struct task *task, const struct newcomer *newcomer, uint32_t item,
                          uint32_t *inside, float *odds, struct detect_group *group)
{
    const struct graph *graph = task->graph;
    struct detect_place *place = &group->place[group->places++];

    *place = (struct detect_place){
        .item = item, .first_s = UINT32_MAX, .odds = newcomer->surprise[item]};
    for (uint32_t i = graph->item_like[item]; i < graph->item_like[item + 1]; i++) {
        uint32_t u = graph->account[i], class_of = newcomer_class(graph_degree(graph, u));
        float own = newcomer_odds(newcomer, item, class_of);

        group->expected += own > 0 ? newcomer->usual[class_of] : 0;
        if (own <= 0)
            continue;
        place->likes++;
        place->first_s = graph->time_s[i] < place->first_s ? graph->time_s[i] : place->first_s;
        place->last_s = graph->time_s[i] > place->last_s ? graph->time_s[i] : place->last_s;
        group->members += inside[u]++ == 0;
        odds[u] = inside[u] == 1 ? own : fmaxf(odds[u], own);
    }
    group->likes += place->likes;
    group->evidence = fmin(group->evidence, (double)newcomer->surprise[item]);
}

static enum status list_members(const struct graph *graph, const uint32_t *inside,
                                const float *odds, struct detect_group *group)
{
    uint32_t at = 0;

    group->member = malloc(((size_t)group->members + 1) * sizeof *group->member);
    if (group->member == NULL)
        return STATUS_NOMEMORY;
    for (uint32_t u = 0; u < graph->accounts; u++)
        if (inside[u] > 0)
            group->member[at++] = (struct detect_member){u, inside[u], odds[u]};
    qsort(group->member, group->members, sizeof *group->member, by_odds);
    return STATUS_OK;
}

/* All such items are one group: what it is about is their likers, who are alike in that. */
static enum status tell_campaigns(struct task *task, const struct newcomer *newcomer,
                                  uint32_t items)
{
    const struct graph *graph = task->graph;
    struct detect_group group = {.kind = DETECT_NEWCOMERS,
                                 .place = malloc(items * sizeof *group.place),
                                 .evidence = INFINITY,
                                 .cost = log(graph->items)};
    uint32_t *inside = calloc(graph->accounts, sizeof *inside);
    float *odds = malloc(graph->accounts * sizeof *odds);
    enum status status = STATUS_NOMEMORY;

    if (group.place != NULL && inside != NULL && odds != NULL) {
        for (uint32_t item = 0; item < graph->items; item++)
            if (stands_out(newcomer, item))
                note_campaign(task, newcomer, item, inside, odds, &group);
        status = list_members(graph, inside, odds, &group);
    }
    free(inside);
    free(odds);
    if (status == STATUS_OK)
        task->detect->group[task->detect->groups++] = group;
    else
        group_free(&group);
    return status;
}

/* Over all likes, also those of groups: what an item is like does not depend on who was named. */
static enum status find_newcomers(struct task *task)
{
    struct newcomer newcomer;
    uint32_t items = 0;
    enum status status = newcomer_find(task->graph, DETECT_GAIN_MIN, &newcomer);

    if (status != STATUS_OK)
        return status;
    score_newcomers(task, &newcomer);
    for (uint32_t item = 0; item < task->graph->items; item++)
        items += stands_out(&newcomer, item);
    if (items > 0)
        status = tell_campaigns(task, &newcomer, items);
    newcomer_free(&newcomer);
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
        if (status == STATUS_OK)
            status = find_newcomers(&task);
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
    for (uint32_t i = 0; i < detect->groups; i++)
        group_free(&detect->group[i]);
    free(detect->account_score);
    free(detect->item_score);
    *detect = (struct detect){0};
}
