/* ring_world.h: a small platform of likes with rings and crowds put into it. Generators of our own;
 * they show the mechanism, not that real fraudsters are found. */
#ifndef ZAN_TESTS_RING_WORLD_H
#define ZAN_TESTS_RING_WORLD_H

#include <math.h>

#include "readers/detect/graph.h"
#include "support.h"

#define RING_LIKES_MAX 200000

struct ring_world {
    struct graph_like *like; /* room for RING_LIKES_MAX; from malloc */
    uint32_t count, accounts, items;
    uint32_t span_s;
    struct test_random random;
};

/* Honest likes: the popularity of items, and the activity of accounts in every other like, falls
 * off as 1 / (rank + 10); the other likes are of anybody. Times are even. */
struct ring_world ring_world_make(uint64_t seed, uint32_t accounts, uint32_t items, uint32_t likes,
                                  uint32_t span_s);

#define RING_NEW UINT32_MAX

/* size accounts from `first` on (RING_NEW: new ones) like each of the items first_item .. + items
 * with a chance of density_pct, within window_s of a time of the item's own (0: at any time). The
 * first account. */
uint32_t ring_world_ring(struct ring_world *world, uint32_t first, uint32_t size,
                         uint32_t first_item, uint32_t items, uint32_t density_pct,
                         uint32_t window_s);

/* size accounts drawn from all come to one item within window_s. */
void ring_world_crowd(struct ring_world *world, uint32_t item, uint32_t size, uint32_t window_s);

/* A copy of the likes, in another order; the graph takes it over. */
struct graph_like *ring_world_shuffled(struct ring_world *world);

/* As cmocka has it for float. */
#define assert_near(a, b, by) assert_true(fabs((double)(a) - (double)(b)) <= (double)(by))

#endif
