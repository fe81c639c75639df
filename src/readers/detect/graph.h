/* graph.h: likes as a graph of accounts and cells.
 *
 * A *cell* is a piece of an item's likes: a burst (burst.h), or all that is in none. Likes are
 * numbered so that those of an item, and within it those of a cell, stand together; a cell is a
 * range of likes, and so is an item. The same arrays are therefore two graphs (*layers*): accounts
 * and cells, and accounts and items.
 *
 * Accounts and items are 0 .. count - 1, times whole seconds since any fixed moment. An account
 * likes an item once: of several the earliest counts. Results do not depend on the order of the
 * input.
 *
 * Likes that an account did at the very same time are one *occasion* and weigh one together:
 * whoever has a hundred things copied or imported at once did one thing. Where times are days, a
 * day is one. (Of a log without times each like weighs one.)
 *
 * Memory: 20 bytes a like while it is made (and the 12 of the input, which it takes over), 20
 * after; 9 a cell, 8 an account, 4 an item. NOMEMORY otherwise; then nothing is left. */
#ifndef ZAN_READERS_DETECT_GRAPH_H
#define ZAN_READERS_DETECT_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/status.h"

#define GRAPH_LIKES_MAX UINT32_C(0xFFFFFFF0)

struct graph_like {
    uint32_t account, item, time_s;
};

struct graph {
    uint32_t likes, accounts, items, cells;
    uint32_t repeated;                 /* likes that were left out, being there already */
    bool timed;                        /* not all at the same time */
    uint32_t first_s, last_s, grain_s; /* all times are first_s plus multiples of grain_s */
    uint32_t *account;                 /* [likes] who */
    uint32_t *time_s;                  /* [likes] when */
    uint32_t *item_like;               /* [items + 1] where an item's likes begin */
    uint32_t *cell_like;               /* [cells + 1] where a cell's likes begin */
    uint32_t *cell_item;               /* [cells] */
    bool *cell_burst;                  /* [cells] */
    uint32_t *cell_of;                 /* [likes] */
    uint32_t *account_like;            /* [accounts + 1] into like_of */
    uint32_t *like_of;                 /* [likes] an account's likes, ascending */
    float *weight;         /* [likes] one by how many likes this account did at that time */
    float *account_weight; /* [accounts] its occasions: sum of its likes' weights */
    double weight_all;
};

/* Takes over likes (from malloc), also when it fails. count > 0; each account < accounts, each item
 * < items. BADDATA: more than GRAPH_LIKES_MAX. */
enum status graph_make(struct graph_like *likes, uint64_t count, uint32_t accounts, uint32_t items,
                       struct graph *graph);
void graph_free(struct graph *graph);

/* One of the two graphs. Borrowed from the graph. */
struct layer {
    const struct graph *graph;
    uint32_t nodes;       /* cells or items */
    const uint32_t *like; /* [nodes + 1] */
    bool items;
};

struct layer graph_layer(const struct graph *graph, bool items);

static inline uint32_t layer_node(const struct layer *layer, uint32_t like)
{
    uint32_t cell = layer->graph->cell_of[like];

    return layer->items ? layer->graph->cell_item[cell] : cell;
}

/* Likes of the account; their weight is account_weight. */
static inline uint32_t graph_degree(const struct graph *graph, uint32_t account)
{
    return graph->account_like[account + 1] - graph->account_like[account];
}

/* Weight of all likes of the node. */
static inline float layer_weight(const struct layer *layer, uint32_t node)
{
    float weight = 0;

    for (uint32_t i = layer->like[node]; i < layer->like[node + 1]; i++)
        weight += layer->graph->weight[i];
    return weight;
}

#endif
