/* Peeling: against all subsets of small graphs, and a clique among noise. */
#include "support/ring_world.h"

#include <stdlib.h>

#include "readers/detect/peel.h"

#define SMALL 6 /* accounts, and items */

/* Weight of what is inside the accounts and items of two masks, as peel.h says it. */
static double inside(const struct graph *graph, uint32_t accounts, uint32_t items)
{
    struct layer layer = graph_layer(graph, true);
    double all = 0;

    for (uint32_t item = 0; item < graph->items; item++)
        for (uint32_t i = graph->item_like[item]; i < graph->item_like[item + 1]; i++)
            if (accounts >> graph->account[i] & 1 && items >> item & 1)
                all += fmax(
                    0, log(graph->weight_all / ((double)graph->account_weight[graph->account[i]] *
                                                (double)layer_weight(&layer, item))));
    return all;
}

static double densest(const struct graph *graph)
{
    double best = 0;

    for (uint32_t accounts = 1; accounts < 1u << SMALL; accounts++)
        for (uint32_t items = 1; items < 1u << SMALL; items++)
            best = fmax(best, inside(graph, accounts, items) /
                                  (__builtin_popcount(accounts) + __builtin_popcount(items)));
    return best;
}

static uint32_t mask_of(const uint8_t *in, uint32_t count)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < count; i++)
        mask |= (uint32_t)in[i] << i;
    return mask;
}

static void is_at_least_half_as_dense_as_the_densest(void **state)
{
    struct test_random random = {test_seed(65)};
    uint8_t gone[SMALL * SMALL] = {0}, account_in[SMALL], item_in[SMALL];

    (void)state;
    for (uint32_t round = 0; round < 100; round++) {
        struct graph_like *likes = malloc(SMALL * SMALL * sizeof *likes);
        uint32_t count = 0, chance = 20 + (uint32_t)test_random_below(&random, 60);
        struct graph graph;
        struct peel out;

        assert_non_null(likes);
        for (uint32_t u = 0; u < SMALL; u++)
            for (uint32_t i = 0; i < SMALL; i++)
                if (count == 0 || test_random_below(&random, 100) < chance)
                    likes[count++] = (struct graph_like){u, i, 0};
        assert_int_equal(graph_make(likes, count, SMALL, SMALL, &graph), 0);
        struct layer layer = graph_layer(&graph, true);

        assert_int_equal(peel(&layer, gone, false, 0, account_in, item_in, &out), 0);
        uint32_t accounts = mask_of(account_in, SMALL), items = mask_of(item_in, SMALL);
        double best = densest(&graph);

        assert_int_equal(__builtin_popcount(accounts), out.accounts);
        assert_int_equal(__builtin_popcount(items), out.nodes);
        if (out.accounts + out.nodes > 0) /* a sixteenth is what weights are rounded to */
            assert_near(out.density, inside(&graph, accounts, items) / (out.accounts + out.nodes),
                        0.1);
        assert_true(out.density + 0.1 >= best / 2);
        graph_free(&graph);
    }
}

static void a_clique_among_noise_is_what_is_left(void **state)
{
    struct ring_world world = ring_world_make(test_seed(66), 2000, 500, 8000, 14 * 86400);
    uint32_t first = ring_world_ring(&world, RING_NEW, 30, 100, 20, 100, 0), found = 0;
    struct graph graph;
    struct peel out;

    (void)state;
    assert_int_equal(
        graph_make(ring_world_shuffled(&world), world.count, world.accounts, 500, &graph), 0);
    struct layer layer = graph_layer(&graph, true);
    uint8_t *gone = calloc(graph.likes, 1), *account_in = malloc(graph.accounts),
            *item_in = malloc(graph.items);

    assert_true(gone != NULL && account_in != NULL && item_in != NULL);
    assert_int_equal(peel(&layer, gone, false, 0, account_in, item_in, &out), 0);
    for (uint32_t u = first; u < graph.accounts; u++)
        found += account_in[u];
    assert_int_equal(found, 30);
    assert_true(out.accounts < 40);

    for (uint32_t i = 0; i < graph.likes; i++) /* what is gone is not there */
        gone[i] = graph.account[i] >= first;
    assert_int_equal(peel(&layer, gone, false, 0, account_in, item_in, &out), 0);
    for (uint32_t u = first; u < graph.accounts; u++)
        assert_int_equal(account_in[u], 0);
    free(gone);
    free(account_in);
    free(item_in);
    free(world.like);
    graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_at_least_half_as_dense_as_the_densest),
        cmocka_unit_test(a_clique_among_noise_is_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
