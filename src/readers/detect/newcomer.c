/* newcomer.c: see newcomer.h. */
#include "readers/detect/newcomer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS       4
#define STEPS        20 /* of the share of one item */
#define THIN_CLASSES 2  /* classes of the first guess */
#define LEAST_RHO    0.002
#define LEAST_SHARE  1e-3   /* of a class, so that nothing is impossible */
#define TEACHES      20     /* an item with so many likes says how much items differ */
#define CHI2_MEDIAN  0.4549 /* of one degree of freedom */

uint32_t newcomer_class(uint32_t likes)
{
    return likes <= 3 ? likes - 1 : likes <= 5 ? 3 : likes <= 9 ? 4 : 5;
}

struct counts {
    uint32_t of[NEWCOMER_CLASSES], all;
};

static struct counts count_item(const struct graph *graph, uint32_t item)
{
    struct counts counts = {0};

    for (uint32_t i = graph->item_like[item]; i < graph->item_like[item + 1]; i++)
        counts.of[newcomer_class(graph_degree(graph, graph->account[i]))]++;
    counts.all = graph->item_like[item + 1] - graph->item_like[item];
    return counts;
}

static void normalise(double share[NEWCOMER_CLASSES])
{
    double all = 0;

    for (uint32_t k = 0; k < NEWCOMER_CLASSES; k++)
        all += share[k];
    for (uint32_t k = 0; k < NEWCOMER_CLASSES; k++)
        share[k] = all > 0 ? fmax(share[k] / all, LEAST_SHARE) : 1.0 / NEWCOMER_CLASSES;
}

/* The share of the campaign by expectation and maximisation, and what it is better by. */
static double fit_share(const struct newcomer *newcomer, const struct counts *counts, double *share)
{
    double a = 0.5, gain = 0;

    for (uint32_t step = 0; step < STEPS; step++) {
        double mine = 0;

        for (uint32_t k = 0; k < NEWCOMER_CLASSES; k++) {
            double campaign = a * newcomer->campaign[k];

            mine += counts->of[k] * campaign / (campaign + (1 - a) * newcomer->usual[k]);
        }
        a = mine / counts->all;
    }
    for (uint32_t k = 0; k < NEWCOMER_CLASSES; k++)
        gain += counts->of[k] * log(1 - a + a * newcomer->campaign[k] / newcomer->usual[k]);
    *share = a;
    return gain > 0 ? gain : 0;
}

static void judge_items(const struct graph *graph, const struct counts *all_counts,
                        struct newcomer *newcomer)
{
    for (uint32_t item = 0; item < graph->items; item++) {
        struct counts counts = all_counts[item];
        double share = 0, gain = 0;

        if (counts.all > 1)
            gain = fit_share(newcomer, &counts, &share) / (1 + (counts.all - 1) * newcomer->rho);
        newcomer->surprise[item] = (float)gain;
        newcomer->share[item] = (float)share;
    }
}

/* What is usual, from items that do not stand out; what a campaign is, from those that do. */
static void learn(const struct graph *graph, const struct counts *all_counts, double stands_out,
                  struct newcomer *newcomer)
{
    double usual[NEWCOMER_CLASSES] = {0}, campaign[NEWCOMER_CLASSES] = {0};

    newcomer->learnt = 0;
    for (uint32_t item = 0; item < graph->items; item++) {
        struct counts counts = all_counts[item];
        bool stands = (double)newcomer->surprise[item] >= stands_out;
        double a = (double)newcomer->share[item];

        newcomer->learnt += stands;
        for (uint32_t k = 0; k < NEWCOMER_CLASSES; k++) {
            double mine = a * newcomer->campaign[k];

            if (stands)
                campaign[k] += counts.of[k] * mine / (mine + (1 - a) * newcomer->usual[k]);
            if ((double)newcomer->surprise[item] < stands_out / 2)
                usual[k] += counts.of[k];
        }
    }
    normalise(usual);
    memcpy(newcomer->usual, usual, sizeof usual);
    if (newcomer->learnt == 0) {
        memset(campaign, 0, sizeof campaign);
        memcpy(campaign, usual, THIN_CLASSES * sizeof usual[0]);
    }
    normalise(campaign);
    memcpy(newcomer->campaign, campaign, sizeof campaign);
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return x < y ? -1 : x > y;
}

static uint32_t thin_of(const struct counts *counts)
{
    uint32_t thin = 0;

    for (uint32_t k = 0; k < THIN_CLASSES; k++)
        thin += counts->of[k];
    return thin;
}

/* From the median item: (z^2 / its median by chance - 1) / (n - 1), z of the share of the thin
 * beside that of the median item. Medians, so that half of the items would have to be bought to
 * hide. */
static double measure_rho(const struct graph *graph, const struct counts *all_counts, float *room)
{
    uint32_t count = 0;

    for (uint32_t item = 0; item < graph->items; item++) {
        struct counts counts = all_counts[item];

        if (counts.all >= TEACHES)
            room[count++] = (float)thin_of(&counts) / (float)counts.all;
    }
    if (count == 0)
        return 1;
    qsort(room, count, sizeof *room, ascending);
    double thin = fmin(fmax((double)room[count / 2], LEAST_SHARE), 1 - LEAST_SHARE);

    count = 0;
    for (uint32_t item = 0; item < graph->items; item++) {
        struct counts counts = all_counts[item];
        double all = counts.all, off = thin_of(&counts) - all * thin;

        if (counts.all >= TEACHES)
            room[count++] =
                (float)((off * off / (all * thin * (1 - thin)) / CHI2_MEDIAN - 1) / (all - 1));
    }
    qsort(room, count, sizeof *room, ascending);
    return fmax((double)room[count / 2], LEAST_RHO);
}

enum status newcomer_find(const struct graph *graph, double stands_out, struct newcomer *newcomer)
{
    float *room = malloc(graph->items * sizeof *room);
    struct counts *all_counts = malloc(graph->items * sizeof *all_counts);

    *newcomer = (struct newcomer){.surprise = calloc(graph->items, sizeof(float)),
                                  .share = calloc(graph->items, sizeof(float))};
    if (room == NULL || all_counts == NULL || newcomer->surprise == NULL ||
        newcomer->share == NULL) {
        free(room);
        free(all_counts);
        newcomer_free(newcomer);
        return STATUS_NOMEMORY;
    }
    for (uint32_t item = 0; item < graph->items; item++)
        all_counts[item] = count_item(graph, item);
    newcomer->rho = measure_rho(graph, all_counts, room);
    free(room);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        learn(graph, all_counts, stands_out, newcomer);
        judge_items(graph, all_counts, newcomer);
    }
    free(all_counts);
    return STATUS_OK;
}

void newcomer_free(struct newcomer *newcomer)
{
    free(newcomer->surprise);
    free(newcomer->share);
    newcomer->surprise = newcomer->share = NULL;
}

float newcomer_odds(const struct newcomer *newcomer, uint32_t item, uint32_t class_of)
{
    double a = (double)newcomer->share[item];

    if (a <= 0)
        return -INFINITY;
    if (a > 0.999)
        a = 0.999;
    return (float)log(a / (1 - a) * newcomer->campaign[class_of] / newcomer->usual[class_of]);
}
