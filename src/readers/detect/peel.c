/* peel.c: see peel.h. Weights are whole sixteenths of a nat, so that a queue of buckets will do:
 * one bucket for each sum up to EXACT, then wider ones. Wide buckets hold the heavy, which are the
 * last to go; which of two of them goes first matters little. */
#include "readers/detect/peel.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT    16.0
#define EXACT   8192u
#define BUCKETS (EXACT + 64 * 24)
#define NOBODY  UINT32_MAX

struct heap {
    const struct layer *layer;
    const uint8_t *gone;
    bool only_bursts;
    uint32_t accounts, members; /* members: accounts, then nodes */
    uint32_t lowest;            /* no bucket below has anybody */
    uint32_t first[BUCKETS];
    uint32_t *next, *before; /* of the same bucket */
    uint32_t *weight;        /* what is left of it; sixteenths of a nat */
    uint8_t *in;
    double floor;          /* nats */
    uint16_t *like_weight; /* [likes] sixteenths of a nat; 0: does not count */
    float *log_of;         /* of accounts 16 (ln(E / degree) - floor), of nodes 16 ln(size) */
};

static uint32_t bucket_of(uint32_t weight)
{
    if (weight < EXACT)
        return weight;
    uint32_t octave = 31 - (uint32_t)__builtin_clz(weight); /* 13 and more */

    return EXACT + (octave - 13) * 64 + ((weight >> (octave - 6)) & 63);
}

static void push(struct heap *heap, uint32_t who)
{
    uint32_t bucket = bucket_of(heap->weight[who]);

    heap->next[who] = heap->first[bucket];
    heap->before[who] = NOBODY;
    if (heap->next[who] != NOBODY)
        heap->before[heap->next[who]] = who;
    heap->first[bucket] = who;
    if (bucket < heap->lowest)
        heap->lowest = bucket;
}

static void unlink_from(struct heap *heap, uint32_t who)
{
    uint32_t next = heap->next[who], before = heap->before[who];

    if (before != NOBODY)
        heap->next[before] = next;
    else
        heap->first[bucket_of(heap->weight[who])] = next;
    if (next != NOBODY)
        heap->before[next] = before;
}

static uint32_t take_lightest(struct heap *heap)
{
    while (heap->lowest < BUCKETS && heap->first[heap->lowest] == NOBODY)
        heap->lowest++;
    assert(heap->lowest < BUCKETS);
    uint32_t who = heap->first[heap->lowest];

    unlink_from(heap, who);
    return who;
}

static bool counts(const struct heap *heap, uint32_t like)
{
    const struct graph *graph = heap->layer->graph;

    return heap->gone[like] == 0 && (!heap->only_bursts || graph->cell_burst[graph->cell_of[like]]);
}

static float sixteenths(double ratio)
{
    return (float)(UNIT * log(ratio));
}

/* Of a like of that account at that node; node counts from 0. */
static uint16_t weight_of(const struct heap *heap, uint32_t like, uint32_t account, uint32_t node)
{
    float weight = (heap->log_of[account] - heap->log_of[heap->accounts + node]) *
                       heap->layer->graph->weight[like] +
                   0.5F; /* rounds */

    return weight >= 1 && counts(heap, like) ? (uint16_t)weight : 0;
}

/* One neighbour goes: who weighs less. */
static void lose(struct heap *heap, uint32_t who, uint32_t weight)
{
    if (weight == 0 || heap->in[who] == 0)
        return;
    unlink_from(heap, who);
    assert(heap->weight[who] >= weight);
    heap->weight[who] -= weight;
    push(heap, who);
}

static uint64_t weigh_all(struct heap *heap)
{
    const struct layer *layer = heap->layer;
    uint64_t all = 0;

    for (uint32_t u = 0; u < heap->accounts; u++) {
        double degree = (double)layer->graph->account_weight[u];

        heap->log_of[u] = sixteenths(layer->graph->weight_all / (degree > 0 ? degree : 1)) -
                          (float)(UNIT * heap->floor);
    }
    for (uint32_t c = 0; c < layer->nodes; c++) {
        double size = (double)layer_weight(layer, c);

        heap->log_of[heap->accounts + c] = sixteenths(size > 0 ? size : 1);
        for (uint32_t i = layer->like[c]; i < layer->like[c + 1]; i++) {
            uint16_t weight = weight_of(heap, i, layer->graph->account[i], c);

            heap->like_weight[i] = weight;

            heap->weight[layer->graph->account[i]] += weight;
            heap->weight[heap->accounts + c] += weight;
            all += weight;
        }
    }
    return all;
}

static void take_node(struct heap *heap, uint32_t c)
{
    const struct layer *layer = heap->layer;

    for (uint32_t i = layer->like[c]; i < layer->like[c + 1]; i++)
        lose(heap, layer->graph->account[i], heap->like_weight[i]);
}

static void take_account(struct heap *heap, uint32_t u)
{
    const struct layer *layer = heap->layer;

    for (uint32_t k = layer->graph->account_like[u]; k < layer->graph->account_like[u + 1]; k++) {
        uint32_t i = layer->graph->like_of[k];

        if (heap->like_weight[i] > 0)
            lose(heap, heap->accounts + layer_node(layer, i), heap->like_weight[i]);
    }
}

/* Takes all away; order gets who went when (weight is not needed any more then, and holds it). */
static uint32_t take_all(struct heap *heap, uint64_t all, double *density)
{
    uint32_t left = 0, best_left = 0;

    for (uint32_t who = 0; who < heap->members; who++)
        if (heap->weight[who] > 0) {
            heap->in[who] = 1;
            push(heap, who);
            left++;
        }
    *density = 0;
    while (left > 0) {
        double here = (double)all / left;

        if (here > *density) {
            *density = here;
            best_left = left;
        }
        uint32_t who = take_lightest(heap);

        all -= heap->weight[who];
        heap->in[who] = 0;
        if (who < heap->accounts)
            take_account(heap, who);
        else
            take_node(heap, who - heap->accounts);
        heap->weight[who] = left--;
    }
    *density /= UNIT;
    return best_left;
}

static enum status make_room(struct heap *heap)
{
    heap->next = malloc(heap->members * sizeof(uint32_t));
    heap->before = malloc(heap->members * sizeof(uint32_t));
    heap->weight = calloc(heap->members, sizeof(uint32_t));
    heap->in = calloc(heap->members, 1);
    heap->log_of = malloc(heap->members * sizeof(float));
    heap->like_weight = malloc(heap->layer->graph->likes * sizeof(uint16_t));
    for (uint32_t i = 0; i < BUCKETS; i++)
        heap->first[i] = NOBODY;
    heap->lowest = BUCKETS;
    return heap->next != NULL && heap->before != NULL && heap->weight != NULL && heap->in != NULL &&
                   heap->log_of != NULL
               ? STATUS_OK
               : STATUS_NOMEMORY;
}

static void drop_room(struct heap *heap)
{
    free(heap->next);
    free(heap->before);
    free(heap->weight);
    free(heap->in);
    free(heap->log_of);
    free(heap->like_weight);
}

enum status peel(const struct layer *layer, const uint8_t *gone, bool only_bursts, double floor,
                 uint8_t *account_in, uint8_t *node_in, struct peel *out)
{
    struct heap heap = {.layer = layer,
                        .gone = gone,
                        .only_bursts = only_bursts,
                        .floor = floor,
                        .accounts = layer->graph->accounts,
                        .members = layer->graph->accounts + layer->nodes};
    enum status status = make_room(&heap);

    *out = (struct peel){0};
    if (status == STATUS_OK) {
        uint64_t all = weigh_all(&heap);
        uint32_t left = take_all(&heap, all, &out->density);

        /* A member of the best set went when at most that many were left. */
        for (uint32_t who = 0; who < heap.members; who++) {
            uint8_t in = heap.weight[who] > 0 && heap.weight[who] <= left;

            *(who < heap.accounts ? account_in + who : node_in + (who - heap.accounts)) = in;
            *(who < heap.accounts ? &out->accounts : &out->nodes) += in;
        }
    }
    drop_room(&heap);
    return status;
}
