/* neighbours.h: of each item the others that are taken most by the same accounts.
 *
 *   likeness(i, j) = d_i^-b d_j^-b  sum over accounts u with i and j of  d_u^-2a
 *
 * with d the number of items of an account, or of accounts of an item: what is popular, and who
 * takes everything, says little. a = b = 0.5 is the symmetrically normalised item graph of the
 * literature.
 *
 * Of equal likeness the item with the lower number goes first.
 * Memory: neighbours_make allocates 8 bytes an item and neighbour, and 8 bytes an item and thread
 * while it runs. NOMEMORY otherwise. */
#ifndef ZAN_READERS_RECOMMEND_NEIGHBOURS_H
#define ZAN_READERS_RECOMMEND_NEIGHBOURS_H

#include "readers/recommend/matrix.h"
#include "readers/recommend/work.h"

struct neighbours {
    uint32_t items, most; /* room for `most` of each item */
    uint32_t *count;      /* of item i; fewer than most where fewer share an account with it */
    uint32_t *item;       /* item[i * most ...], the most alike first */
    float *likeness;
};

struct neighbours_rule {
    double account_power; /* a */
    double item_power;    /* b */
    uint32_t most;
};

enum status neighbours_make(const struct matrix *matrix, const struct neighbours_rule *rule,
                            const struct work *work, struct neighbours *neighbours);
void neighbours_free(struct neighbours *neighbours);

#endif
