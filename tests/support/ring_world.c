/* ring_world.c: see ring_world.h. */
#include "support/ring_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void add(struct ring_world *world, uint32_t account, uint32_t item, uint32_t time_s)
{
    assert(world->count < RING_LIKES_MAX);
    world->like[world->count++] = (struct graph_like){account, item, time_s};
}

/* A rank in 0 .. count - 1 with a chance of 1 / (rank + 10), nearly. */
static uint32_t rank_of(struct test_random *random, uint32_t count)
{
    for (;;) {
        uint32_t rank = (uint32_t)test_random_below(random, count);

        if (test_random_below(random, rank + 10) < 10)
            return rank;
    }
}

struct ring_world ring_world_make(uint64_t seed, uint32_t accounts, uint32_t items, uint32_t likes,
                                  uint32_t span_s)
{
    struct ring_world world = {.accounts = accounts,
                               .items = items,
                               .span_s = span_s,
                               .random = {seed},
                               .like = malloc(RING_LIKES_MAX * sizeof *world.like)};

    assert(world.like != NULL);
    for (uint32_t i = 0; i < likes; i++)
        add(&world,
            i % 2 == 0 ? rank_of(&world.random, accounts)
                       : (uint32_t)test_random_below(&world.random, accounts),
            rank_of(&world.random, items), (uint32_t)test_random_below(&world.random, span_s));
    return world;
}

uint32_t ring_world_ring(struct ring_world *world, uint32_t first, uint32_t size,
                         uint32_t first_item, uint32_t items, uint32_t density_pct,
                         uint32_t window_s)
{
    if (first == RING_NEW) {
        first = world->accounts;
        world->accounts += size;
    }
    for (uint32_t i = 0; i < items; i++) {
        uint32_t width_s = window_s == 0 ? world->span_s : window_s;
        uint32_t from_s = (uint32_t)test_random_below(&world->random, world->span_s - width_s + 1);

        for (uint32_t u = 0; u < size; u++)
            if (test_random_below(&world->random, 100) < density_pct)
                add(world, first + u, first_item + i,
                    from_s + (uint32_t)test_random_below(&world->random, width_s));
    }
    return first;
}

void ring_world_crowd(struct ring_world *world, uint32_t item, uint32_t size, uint32_t window_s)
{
    uint32_t from_s = (uint32_t)test_random_below(&world->random, world->span_s - window_s);

    for (uint32_t i = 0; i < size; i++)
        add(world, (uint32_t)test_random_below(&world->random, world->accounts), item,
            from_s + (uint32_t)test_random_below(&world->random, window_s));
}

struct graph_like *ring_world_shuffled(struct ring_world *world)
{
    struct graph_like *copy = malloc(world->count * sizeof *copy);

    assert(copy != NULL);
    memcpy(copy, world->like, world->count * sizeof *copy);
    for (uint32_t i = world->count - 1; i > 0; i--) {
        uint32_t j = (uint32_t)test_random_below(&world->random, i + 1);
        struct graph_like swap = copy[i];

        copy[i] = copy[j];
        copy[j] = swap;
    }
    return copy;
}
