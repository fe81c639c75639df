/* The graph: every like is in one cell of its item, and both directions say the same. */
#include "support/ring_world.h"

#include <stdlib.h>
#include <string.h>

#include "readers/detect/ids.h"

static void check(const struct graph *graph)
{
    uint32_t seen = 0;

    assert_int_equal(graph->cell_like[graph->cells], graph->likes);
    assert_int_equal(graph->item_like[graph->items], graph->likes);
    assert_int_equal(graph->account_like[graph->accounts], graph->likes);
    for (uint32_t cell = 0; cell < graph->cells; cell++) {
        uint32_t item = graph->cell_item[cell];

        assert_true(graph->cell_like[cell] >= graph->item_like[item]);
        assert_true(graph->cell_like[cell + 1] <= graph->item_like[item + 1]);
        assert_true(graph->cell_like[cell + 1] > graph->cell_like[cell]);
        for (uint32_t i = graph->cell_like[cell]; i < graph->cell_like[cell + 1]; i++)
            assert_int_equal(graph->cell_of[i], cell);
    }
    for (uint32_t u = 0; u < graph->accounts; u++)
        for (uint32_t k = graph->account_like[u]; k < graph->account_like[u + 1]; k++, seen++)
            assert_int_equal(graph->account[graph->like_of[k]], u);
    assert_int_equal(seen, graph->likes);
}

static int by_pair(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct graph_like));
}

/* The likes the graph has, sorted. */
static struct graph_like *likes_of(const struct graph *graph)
{
    struct graph_like *like = malloc(graph->likes * sizeof *like);

    assert_non_null(like);
    for (uint32_t item = 0; item < graph->items; item++)
        for (uint32_t i = graph->item_like[item]; i < graph->item_like[item + 1]; i++)
            like[i] = (struct graph_like){graph->account[i], item, graph->time_s[i]};
    qsort(like, graph->likes, sizeof *like, by_pair);
    return like;
}

static void the_earliest_of_each_pair_is_there_whatever_the_order(void **state)
{
    struct ring_world world = ring_world_make(test_seed(63), 300, 80, 4000, 14 * 86400);
    struct graph first, second;

    (void)state;
    for (uint32_t i = 0; i < 500; i++) { /* some are said again, later or earlier */
        struct graph_like again = world.like[i];

        again.time_s = (uint32_t)test_random_below(&world.random, world.span_s);
        world.like[world.count++] = again;
    }
    assert_int_equal(graph_make(ring_world_shuffled(&world), world.count, 300, 80, &first), 0);
    assert_int_equal(graph_make(ring_world_shuffled(&world), world.count, 300, 80, &second), 0);
    check(&first);
    check(&second);
    assert_int_equal(first.likes + first.repeated, world.count);
    assert_int_equal(first.likes, second.likes);
    assert_int_equal(first.cells, second.cells);
    struct graph_like *a = likes_of(&first), *b = likes_of(&second);

    assert_memory_equal(a, b, first.likes * sizeof *a);
    for (uint32_t i = 0; i < world.count; i++)
        for (uint32_t k = 0; k < first.likes; k++)
            if (a[k].account == world.like[i].account && a[k].item == world.like[i].item) {
                assert_true(a[k].time_s <= world.like[i].time_s);
                break;
            }
    free(a);
    free(b);
    graph_free(&first);
    graph_free(&second);
    free(world.like);
}

static struct graph graph_of(const struct graph_like *likes, uint32_t count)
{
    struct graph_like *copy = malloc(count * sizeof *copy);
    struct graph graph;

    assert_non_null(copy);
    memcpy(copy, likes, count * sizeof *copy);
    assert_int_equal(graph_make(copy, count, 4, 4, &graph), 0);
    check(&graph);
    return graph;
}

static void likes_at_once_are_one_occasion(void **state)
{
    const struct graph_like likes[] = {{0, 0, 100},  {0, 1, 100}, {0, 2, 100},
                                       {0, 3, 5000}, {1, 0, 100}, {1, 1, 101}};
    struct graph graph = graph_of(likes, 6);

    (void)state;
    assert_near(graph.account_weight[0], 2, 1e-6);
    assert_near(graph.account_weight[1], 2, 1e-6);
    assert_near(graph.account_weight[2], 0, 1e-6);
    assert_near(graph.weight_all, 4, 1e-6);
    for (uint32_t i = 0; i < graph.likes; i++)
        assert_near(graph.weight[i],
                    graph.account[i] == 0 && graph.time_s[i] == 100 ? 1.0 / 3 : 1.0, 1e-6);
    graph_free(&graph);
}

static void without_times_each_like_weighs_one_and_an_item_is_a_cell(void **state)
{
    const struct graph_like likes[] = {{0, 0, 7}, {0, 1, 7}, {1, 1, 7}, {2, 3, 7}};
    struct graph graph = graph_of(likes, 4);

    (void)state;
    assert_false(graph.timed);
    assert_int_equal(graph.cells, 3);
    assert_near(graph.weight_all, 4, 1e-6);
    assert_false(graph.cell_burst[0]);
    graph_free(&graph);
}

static void one_like_is_a_graph(void **state)
{
    const struct graph_like likes[] = {{3, 3, UINT32_MAX}};
    struct graph graph = graph_of(likes, 1);

    (void)state;
    assert_int_equal(graph.cells, 1);
    graph_free(&graph);
}

static void the_grain_of_times_is_seen(void **state)
{
    const struct graph_like days[] = {{0, 0, 86400 * 3 + 7}, {1, 0, 86400 * 9 + 7}};
    const struct graph_like minutes[] = {{0, 0, 60}, {1, 0, 86400 * 9 + 120}};
    struct graph graph = graph_of(days, 2);

    (void)state;
    assert_int_equal(graph.grain_s, 86400);
    graph_free(&graph);
    graph = graph_of(minutes, 2);
    assert_int_equal(graph.grain_s, 60);
    graph_free(&graph);
}

static void ids_are_numbered_as_they_come(void **state)
{
    struct test_random random = {test_seed(64)};
    static uint64_t seen[20000];
    struct ids ids = {0};
    uint32_t count = 0, number;

    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        bool old = count > 0 && test_random_below(&random, 2) == 0;
        uint64_t id = old ? seen[test_random_below(&random, count)] : test_random_next(&random);

        assert_int_equal(ids_number(&ids, id, &number), 0);
        assert_true(number <= count);
        if (number == count)
            seen[count++] = id;
        assert_true(seen[number] == id && ids.id[number] == id);
    }
    assert_int_equal(ids.count, count);
    assert_int_equal(ids_number(&ids, 0, &number), 0);
    assert_int_equal(number, count);
    ids_free(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_of_each_pair_is_there_whatever_the_order),
        cmocka_unit_test(likes_at_once_are_one_occasion),
        cmocka_unit_test(without_times_each_like_weighs_one_and_an_item_is_a_cell),
        cmocka_unit_test(one_like_is_a_graph),
        cmocka_unit_test(the_grain_of_times_is_seen),
        cmocka_unit_test(ids_are_numbered_as_they_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
