/* The block: against the formulas of block.h said plainly, over every account and node, in double
 * and with libm. */
#include "support/ring_world.h"

#include <stdlib.h>
#include <string.h>

#include "readers/detect/block.h"

#define ACCOUNTS 900
#define ITEMS    200
#define LIKES    3000
#define RING     60

struct twin {
    double account_odds[ACCOUNTS + RING], node_odds[ITEMS], lambda[ITEMS], size[ITEMS];
    double *to_account, *to_node; /* [likes] */
};

static double share(double odds)
{
    return 1 / (1 + exp(-odds));
}

/* As many rounds as any fit takes; without leaving anything out. */
static void fit(const struct graph *graph, const uint8_t *account_in, const uint8_t *node_in,
                struct twin *twin)
{
    double members = 0, nodes = 0, inside = 0, q, all = graph->likes;

    for (uint32_t u = 0; u < graph->accounts; u++)
        members += account_in[u];
    for (uint32_t c = 0; c < ITEMS; c++) {
        double in = 0;

        twin->size[c] = graph->item_like[c + 1] - graph->item_like[c];
        for (uint32_t i = graph->item_like[c]; i < graph->item_like[c + 1]; i++) {
            in += account_in[graph->account[i]];
            twin->to_node[i] = 0;
        }
        nodes += node_in[c];
        inside += node_in[c] ? in : 0;
        twin->node_odds[c] = node_in[c] ? 4 : -1000;
        twin->lambda[c] =
            fmax(twin->size[c] - (node_in[c] ? in : 0), fmax(0.02 * twin->size[c], 0.2));
    }
    q = inside / (members * nodes);
    for (uint32_t round = 0; round < 40; round++) {
        double rest = log(members / graph->accounts) - q * nodes, expected_members = 0;
        double expected_nodes = 0;

        for (uint32_t u = 0; u < graph->accounts; u++)
            twin->account_odds[u] = rest;
        for (uint32_t c = 0; c < ITEMS; c++)
            for (uint32_t i = graph->item_like[c]; i < graph->item_like[c + 1]; i++) {
                uint32_t u = graph->account[i];

                twin->to_account[i] = log1p(share(twin->node_odds[c] - twin->to_node[i]) * q * all /
                                            (graph_degree(graph, u) * twin->lambda[c]));
                twin->account_odds[u] += twin->to_account[i];
            }
        for (uint32_t u = 0; u < graph->accounts; u++)
            expected_members += share(twin->account_odds[u]);
        members = fmax(expected_members, 3);
        inside = 0;
        for (uint32_t c = 0; c < ITEMS; c++) {
            double sum = 0, in = 0, lambda = twin->lambda[c], size = twin->size[c];

            for (uint32_t i = graph->item_like[c]; i < graph->item_like[c + 1]; i++) {
                uint32_t u = graph->account[i];
                double p = share(twin->account_odds[u] - twin->to_account[i]);

                twin->to_node[i] =
                    log((p * q * all / graph_degree(graph, u) + (1 - p) * lambda) / size);
                sum += twin->to_node[i];
                in += share(twin->account_odds[u]);
            }
            double odds = log(nodes / ITEMS) + sum - (q * members + lambda - size);

            twin->node_odds[c] = twin->node_odds[c] < -900 ? odds : (twin->node_odds[c] + odds) / 2;
            twin->lambda[c] = fmax(size - in, fmax(0.02 * size, 0.2));
            expected_nodes += share(twin->node_odds[c]);
            inside += in * share(twin->node_odds[c]);
        }
        nodes = fmax(expected_nodes, 2);
        q = fmax(inside / (members * nodes), 1e-5);
    }
}

static void says_what_the_formulas_say(void **state)
{
    uint64_t seed = test_seed(80);

    (void)state;
    for (uint32_t round = 0; round < 6; round++) {
        struct ring_world world = ring_world_make(seed + round, ACCOUNTS, ITEMS, LIKES, 10000000);
        uint32_t first = ring_world_ring(&world, RING_NEW, RING, 50, 50, 35, 0), near = 0,
                 members = 0;
        uint8_t account_in[ACCOUNTS + RING] = {0}, node_in[ITEMS] = {0};
        static struct twin twin;
        struct graph graph;
        struct block block;

        for (uint32_t i = 0; i < world.count; i++) /* no times: each like weighs one */
            world.like[i].time_s = 0;
        assert_int_equal(
            graph_make(ring_world_shuffled(&world), world.count, world.accounts, ITEMS, &graph), 0);
        uint8_t *gone = calloc(graph.likes, 1);
        struct layer layer = graph_layer(&graph, true);
        struct block_work *work = block_open(&layer, gone);

        twin.to_account = calloc(graph.likes, sizeof(double));
        twin.to_node = calloc(graph.likes, sizeof(double));
        assert_true(gone != NULL && work != NULL && twin.to_account != NULL &&
                    twin.to_node != NULL);
        for (uint32_t u = 0; u < RING / 2; u++) /* it begins with half of the ring, and others */
            account_in[first + u] = account_in[u] = 1;
        for (uint32_t c = 50; c < 90; c++)
            node_in[c] = 1;
        block_fit(work, account_in, node_in, false, &block);
        fit(&graph, account_in, node_in, &twin);
        for (uint32_t u = 0; u < graph.accounts; u++) {
            double off = (double)block.account_odds[u] - twin.account_odds[u];

            if (fabs(twin.account_odds[u]) > 3) /* nearer to 0 the last round decides */
                assert_int_equal(block.account_odds[u] > 0, twin.account_odds[u] > 0);
            members += block.account_odds[u] > 0;
            near += fabs(off) < 0.05 * fabs(twin.account_odds[u]) + 0.5;
        }
        for (uint32_t c = 0; c < ITEMS; c++)
            if (fabs(twin.node_odds[c]) > 3)
                assert_int_equal(block.node_odds[c] > 0, twin.node_odds[c] > 0);
        assert_true(near >= graph.accounts * 98 / 100);
        assert_int_equal(members, block.accounts);
        assert_true(members >= RING * 9 / 10 && members <= RING * 11 / 10);
        assert_true(block.evidence > 1.2 * block.cost);
        block_close(work);
        free(twin.to_account);
        free(twin.to_node);
        free(gone);
        graph_free(&graph);
        free(world.like);
    }
}

static void dissolves_where_there_is_none(void **state)
{
    struct ring_world world = ring_world_make(test_seed(81), ACCOUNTS, ITEMS, LIKES, 1000000);
    uint8_t account_in[ACCOUNTS] = {0}, node_in[ITEMS] = {0};
    struct graph graph;
    struct block block;

    (void)state;
    assert_int_equal(graph_make(ring_world_shuffled(&world), world.count, ACCOUNTS, ITEMS, &graph),
                     0);
    uint8_t *gone = calloc(graph.likes, 1);
    struct layer layer = graph_layer(&graph, true);
    struct block_work *work = block_open(&layer, gone);

    assert_true(gone != NULL && work != NULL);
    for (uint32_t u = 0; u < 100; u++)
        account_in[u] = 1;
    for (uint32_t c = 0; c < 50; c++)
        node_in[c] = 1;
    block_fit(work, account_in, node_in, false, &block);
    assert_true(block.evidence <= block.cost);
    block_fit(work, account_in, node_in, true, &block);
    assert_true(block.evidence <= block.cost);
    block_close(work);
    free(gone);
    graph_free(&graph);
    free(world.like);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_formulas_say),
        cmocka_unit_test(dissolves_where_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
