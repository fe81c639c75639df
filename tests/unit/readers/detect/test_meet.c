/* Nodes that share accounts: against counting every pair, and a wide campaign. */
#include "support/ring_world.h"

#include <stdlib.h>
#include <string.h>

#include "readers/detect/meet.h"

#define ITEMS 60

/* The twin: every pair of items, by looking at every account. */
struct twin {
    double size[ITEMS], shared[ITEMS][ITEMS], factor, least;
    uint32_t set[ITEMS];
    double sum[ITEMS];
};

static void count_pairs(const struct graph *graph, struct twin *twin)
{
    double all = 0, pairs = 0;
    uint32_t large = 0;

    memset(twin, 0, sizeof *twin);
    for (uint32_t u = 0; u < graph->accounts; u++) {
        bool has[ITEMS] = {0};
        double own = graph_degree(graph, u);

        if (own > MEET_BUSY)
            continue;
        for (uint32_t k = graph->account_like[u]; k < graph->account_like[u + 1]; k++)
            has[graph->cell_item[graph->cell_of[graph->like_of[k]]]] = true;
        for (uint32_t a = 0; a < ITEMS; a++) {
            twin->size[a] += has[a];
            for (uint32_t b = 0; b < ITEMS; b++)
                twin->shared[a][b] += has[a] && has[b];
        }
        all += own;
        pairs += own * (own - 1);
    }
    for (uint32_t a = 0; a < ITEMS; a++)
        large += twin->size[a] >= MEET_SIZE;
    twin->factor = pairs / (all * all);
    twin->least = MEET_LEAST + 2 * log(large);
}

/* Joins until nothing changes: the slow way. */
static void join_pairs(struct twin *twin)
{
    for (uint32_t a = 0; a < ITEMS; a++)
        twin->set[a] = a;
    for (uint32_t a = 0; a < ITEMS; a++)
        for (uint32_t b = a + 1; b < ITEMS; b++) {
            double x = twin->shared[a][b], lambda = twin->factor * twin->size[a] * twin->size[b];
            uint32_t from = twin->set[b], to = twin->set[a];

            if (twin->size[a] < MEET_SIZE || twin->size[b] < MEET_SIZE || x < 3 || x <= lambda ||
                x * log(x / lambda) - (x - lambda) < twin->least)
                continue;
            if (from != to)
                twin->sum[to] += twin->sum[from];
            twin->sum[to] += x * log(x / lambda) - (x - lambda);
            for (uint32_t c = 0; c < ITEMS; c++)
                if (twin->set[c] == from)
                    twin->set[c] = to;
        }
}

static void is_what_counting_all_pairs_says(void **state)
{
    uint64_t seed = test_seed(79);
    uint32_t rounds_with = 0;

    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        struct ring_world world = ring_world_make(seed + round, 3000, ITEMS, 6000, 1000000);
        struct graph graph;
        struct twin twin;
        uint8_t node_in[ITEMS];
        uint32_t best = UINT32_MAX;
        uint32_t nodes, expected = 0;

        if (round % 2 == 0)
            ring_world_ring(&world, RING_NEW, 120, 20, 6, 60, 0);
        assert_int_equal(
            graph_make(ring_world_shuffled(&world), world.count, world.accounts, ITEMS, &graph), 0);
        uint8_t *gone = calloc(graph.likes, 1);
        struct layer layer = graph_layer(&graph, true);

        assert_non_null(gone);
        assert_int_equal(meet_find(&layer, gone, false, node_in, &nodes), 0);
        count_pairs(&graph, &twin);
        join_pairs(&twin);
        for (uint32_t c = 0; c < ITEMS; c++)
            if (twin.set[c] == c && twin.sum[c] > (best == UINT32_MAX ? 0 : twin.sum[best]))
                best = c;
        for (uint32_t c = 0; c < ITEMS; c++) {
            bool in = best != UINT32_MAX && twin.set[c] == best;

            assert_int_equal(node_in[c], in);
            expected += in;
        }
        assert_int_equal(nodes, expected);
        rounds_with += nodes > 0;
        if (round % 2 == 0)
            for (uint32_t c = 20; c < 26; c++)
                assert_int_equal(node_in[c], 1);
        free(gone);
        graph_free(&graph);
        free(world.like);
    }
    assert_true(rounds_with >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_what_counting_all_pairs_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
