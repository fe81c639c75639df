/* meet.c: see meet.h. */
#include "readers/detect/meet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SHARED 3

struct meet {
    const struct layer *layer;
    const uint8_t *gone;
    bool only_bursts;
    uint8_t *out;      /* [likes] does not count */
    uint32_t *shared;  /* [nodes] accounts in common with the node that is looked at */
    uint32_t *touched; /* [nodes] where shared is not 0 */
    uint32_t *set;     /* [nodes] who stands for the set it is in */
    float *sum;        /* [nodes] of who stands for a set: nats of its pairs */
    uint32_t *size;    /* [nodes] likes of accounts that are not busy */
    double factor;     /* lambda of two nodes of one like each */
    double least;      /* nats */
};

static bool counts(const struct meet *meet, uint32_t like)
{
    const struct graph *graph = meet->layer->graph;

    return meet->gone[like] == 0 && graph_degree(graph, graph->account[like]) <= MEET_BUSY &&
           (!meet->only_bursts || graph->cell_burst[graph->cell_of[like]]);
}

static uint32_t set_of(struct meet *meet, uint32_t node)
{
    while (meet->set[node] != node) {
        meet->set[node] = meet->set[meet->set[node]];
        node = meet->set[node];
    }
    return node;
}

static void join(struct meet *meet, uint32_t a, uint32_t b, double nats)
{
    uint32_t low = set_of(meet, a), high = set_of(meet, b);

    if (low > high) {
        uint32_t swap = low;

        low = high;
        high = swap;
    }
    if (low != high) {
        meet->set[high] = low;
        meet->sum[low] += meet->sum[high];
    }
    meet->sum[low] += (float)nats;
}

/* Sizes of nodes, the factor and what is the least, of the likes that count. */
static void measure(struct meet *meet)
{
    const struct graph *graph = meet->layer->graph;
    double all = 0, pairs = 0;
    uint32_t large = 0;

    for (uint32_t u = 0; u < graph->accounts; u++) {
        double own = 0;

        for (uint32_t k = graph->account_like[u]; k < graph->account_like[u + 1]; k++)
            if ((meet->out[graph->like_of[k]] = !counts(meet, graph->like_of[k])) == 0) {
                meet->size[layer_node(meet->layer, graph->like_of[k])]++;
                own++;
            }
        all += own;
        pairs += own * (own - 1);
    }
    meet->factor = all > 0 ? pairs / (all * all) : 0;
    for (uint32_t c = 0; c < meet->layer->nodes; c++)
        large += meet->size[c] >= MEET_SIZE;
    meet->least = MEET_LEAST + 2 * log(large > 0 ? large : 1);
}

static void look_at(struct meet *meet, uint32_t node)
{
    const struct graph *graph = meet->layer->graph;
    uint32_t touched = 0;

    for (uint32_t i = meet->layer->like[node]; i < meet->layer->like[node + 1]; i++) {
        uint32_t u = graph->account[i];

        if (meet->out[i] != 0)
            continue;
        for (uint32_t k = graph->account_like[u]; k < graph->account_like[u + 1]; k++) {
            uint32_t like = graph->like_of[k];

            if (meet->out[like] != 0)
                continue;
            uint32_t other = layer_node(meet->layer, like);

            if (other <= node || meet->size[other] < MEET_SIZE)
                continue;
            if (meet->shared[other]++ == 0)
                meet->touched[touched++] = other;
        }
    }
    for (uint32_t t = 0; t < touched; t++) {
        uint32_t other = meet->touched[t];
        double x = meet->shared[other];

        meet->shared[other] = 0;
        if (x < LEAST_SHARED)
            continue;
        double lambda = meet->factor * meet->size[node] * meet->size[other];
        double nats = x > lambda ? x * log(x / lambda) - (x - lambda) : 0;

        if (nats >= meet->least)
            join(meet, node, other, nats);
    }
}

static uint32_t choose(struct meet *meet, uint8_t *node_in)
{
    uint32_t best = 0, count = 0;

    for (uint32_t c = 0; c < meet->layer->nodes; c++)
        if (meet->set[c] == c && meet->sum[c] > meet->sum[best])
            best = c;
    for (uint32_t c = 0; c < meet->layer->nodes; c++) {
        node_in[c] = meet->sum[best] > 0 && set_of(meet, c) == best;
        count += node_in[c];
    }
    return count;
}

enum status meet_find(const struct layer *layer, const uint8_t *gone, bool only_bursts,
                      uint8_t *node_in, uint32_t *nodes)
{
    struct meet meet = {.layer = layer,
                        .gone = gone,
                        .only_bursts = only_bursts,
                        .out = malloc(layer->graph->likes),
                        .shared = calloc(layer->nodes, sizeof(uint32_t)),
                        .touched = malloc(layer->nodes * sizeof(uint32_t)),
                        .set = malloc(layer->nodes * sizeof(uint32_t)),
                        .sum = calloc(layer->nodes, sizeof(float)),
                        .size = calloc(layer->nodes, sizeof(uint32_t))};
    enum status status = STATUS_NOMEMORY;

    if (meet.out != NULL && meet.shared != NULL && meet.touched != NULL && meet.set != NULL &&
        meet.sum != NULL && meet.size != NULL) {
        status = STATUS_OK;
        for (uint32_t c = 0; c < layer->nodes; c++)
            meet.set[c] = c;
        measure(&meet);
        for (uint32_t c = 0; c < layer->nodes; c++)
            if (meet.size[c] >= MEET_SIZE)
                look_at(&meet, c);
        *nodes = choose(&meet, node_in);
    }
    free(meet.out);
    free(meet.shared);
    free(meet.touched);
    free(meet.set);
    free(meet.sum);
    free(meet.size);
    return status;
}
