/* The memory against a plain array: whatever is evicted, frozen or copied aside, what was changed
 * is either still here or in the flush, never lost and never old. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "store/hot.h"

#define IDS 500

static const struct hot_config sizes = {
    .accounts = 128, .items = 128, .edges = 64, .operations = 64, .scratch = 16};

struct at_rest {
    struct account_row rows[IDS];
    bool known[IDS];
};

static uint32_t bring(struct hot *hot, const struct at_rest *rest, uint64_t id)
{
    uint32_t slot = hot_account_find(hot, 0, id);

    if (slot != HOT_NONE)
        return slot;
    if (rest->known[id])
        return hot_account_add(hot, &rest->rows[id]);
    return hot_account_add(hot, &(struct account_row){.id = id});
}

static void to_rest(struct hot *hot, struct at_rest *rest)
{
    struct hot_frozen frozen;

    hot_frozen(hot, &frozen);
    for (uint64_t i = 0; i < frozen.account_count; i++) {
        rest->rows[frozen.accounts[i].id] = frozen.accounts[i];
        rest->known[frozen.accounts[i].id] = true;
    }
    hot_rest(hot);
}

/* Counts only grow; a freeze is a snapshot: what is at rest afterwards is exactly what was so then.
 */
static void a_flush_is_a_snapshot(void **state)
{
    struct hot *hot = hot_open(&sizes);
    struct at_rest *rest = calloc(1, sizeof *rest);
    struct test_random random = {.state = test_seed(11)};
    uint64_t now[IDS] = {0}, snapshot[IDS] = {0};
    bool flushing = false;
    uint64_t flushes = 0;

    (void)state;
    for (int step = 0; step < 200000; step++) {
        uint64_t id = test_random_below(&random, IDS);
        struct hot_room room;
        uint32_t slot;

        hot_turn_begin(hot);
        hot_room(hot, &room);
        slot = bring(hot, rest, id);
        assert_int_equal(hot_account(hot, slot)->given[0], now[id]);
        if (room.accounts > 0 && test_random_below(&random, 3) > 0) {
            hot_account_change(hot, slot)->given[0]++;
            now[id]++;
        }
        if (!flushing && (room.accounts < 10 || test_random_below(&random, 200) == 0)) {
            hot_freeze(hot);
            memcpy(snapshot, now, sizeof now);
            flushing = true;
        }
        if (flushing && hot_collect(hot, (uint32_t)test_random_below(&random, 4)) &&
            test_random_below(&random, 5) == 0) {
            to_rest(hot, rest);
            flushing = false;
            flushes++;
            for (uint64_t i = 0; i < IDS; i++)
                assert_int_equal(rest->rows[i].given[0], snapshot[i]);
        }
    }
    assert_true(flushes > 100);
    hot_close(hot);
    free(rest);
}

static struct edge_row edge(uint64_t account, uint64_t target, uint64_t sequence, uint8_t on)
{
    return (struct edge_row){
        .account = account, .target = target, .sequence = sequence, .on = on, .kind = EDGE_LIKE};
}

static void an_edge_is_found_where_it_changed_last(void **state)
{
    struct hot *hot = hot_open(&sizes);
    struct edge_row row = edge(1, 2, 10, 1);
    struct hot_frozen frozen;

    (void)state;
    hot_turn_begin(hot);
    hot_edge_hold(hot, &row);
    assert_int_equal(hot_edge_find(hot, 0, EDGE_LIKE, 1, 2)->sequence, 10);
    assert_null(hot_edge_find_fresh(hot, 0, EDGE_LIKE, 1, 2)); /* the store has that one */
    row = edge(1, 2, 11, 0);
    hot_edge_set(hot, &row, HOT_NONE, HOT_NONE);
    assert_int_equal(hot_edge_find_fresh(hot, 0, EDGE_LIKE, 1, 2)->sequence, 11);
    hot_turn_begin(hot);
    hot_freeze(hot);
    while (!hot_collect(hot, 1))
        ;
    assert_int_equal(hot_edge_find_fresh(hot, 0, EDGE_LIKE, 1, 2)->sequence, 11);
    assert_int_equal(hot_edge_find(hot, 0, EDGE_LIKE, 1, 2)->sequence, 11);
    row = edge(1, 2, 12, 1);
    hot_edge_set(hot, &row, HOT_NONE, HOT_NONE);
    assert_int_equal(hot_edge_find(hot, 0, EDGE_LIKE, 1, 2)->sequence, 12);
    hot_frozen(hot, &frozen); /* the flush has what was so when it began */
    assert_int_equal(frozen.edge_count, 1);
    assert_int_equal(frozen.edges[0].sequence, 11);
    hot_rest(hot);
    assert_int_equal(hot_edge_find(hot, 0, EDGE_LIKE, 1, 2)->sequence, 12);
    assert_null(hot_edge_find(hot, 1, EDGE_LIKE, 1, 2));
    assert_null(hot_edge_find(hot, 0, EDGE_FAVORITE, 1, 2));
    hot_close(hot);
}

/* What a like is worth changes while the like is being flushed: it stays in its lists. */
static void a_like_that_is_weighed_during_a_flush_stays_listed(void **state)
{
    struct hot *hot = hot_open(&sizes);
    struct edge_row row = edge(1, 2, 10, 1);
    struct hot_cursor cursor;
    uint32_t item;

    (void)state;
    hot_turn_begin(hot);
    item = hot_item_add(hot, &(struct item_row){.id = 2});
    hot_item_change(hot, item);
    hot_edge_set(hot, &row, HOT_NONE, item);
    hot_freeze(hot);
    row.weight_pct = 30;
    hot_edge_set(hot, &row, HOT_NONE, HOT_NONE);
    hot_list_taken(hot, item, EDGE_LIKE, &cursor);
    assert_non_null(hot_list_next(hot, &cursor));
    assert_null(hot_list_next(hot, &cursor));
    row.on = 0;
    row.sequence = 11;
    hot_edge_set(hot, &row, HOT_NONE, HOT_NONE);
    hot_list_taken(hot, item, EDGE_LIKE, &cursor);
    assert_null(hot_list_next(hot, &cursor));
    hot_close(hot);
}

static void an_account_that_flips_uses_room_but_counts_once(void **state)
{
    struct hot *hot = hot_open(&sizes);
    struct hot_cursor cursor;
    struct hot_frozen frozen;
    struct item_row item = {.id = 2};
    uint32_t slot;

    (void)state;
    hot_turn_begin(hot);
    slot = hot_item_add(hot, &item);
    for (uint64_t i = 1; i <= 20; i++) {
        struct edge_row row = edge(1, 2, i, i % 2);

        hot_item_change(hot, slot);
        hot_edge_set(hot, &row, HOT_NONE, slot);
    }
    struct edge_row last = edge(1, 2, 21, 1);
    hot_edge_set(hot, &last, HOT_NONE, slot);
    hot_list_taken(hot, slot, EDGE_LIKE, &cursor);
    assert_int_equal(hot_list_next(hot, &cursor)->sequence, 21);
    assert_null(hot_list_next(hot, &cursor));
    hot_freeze(hot);
    while (!hot_collect(hot, 1))
        ;
    hot_frozen(hot, &frozen);
    assert_int_equal(frozen.edge_count, 1);
    hot_rest(hot);
    hot_close(hot);
}

#define ACCOUNTS 12
#define TARGETS  16

struct edges {
    struct edge_row now[ACCOUNTS][TARGETS], rest[ACCOUNTS][TARGETS];
};

/* Every edge by itself and all at once: in memory as it is now, or not in memory and at rest so. */
static void check_edges(struct hot *hot, const struct edges *edges)
{
    struct edge_key keys[ACCOUNTS * TARGETS];
    const struct edge_row *rows[ACCOUNTS * TARGETS];
    uint64_t targets[TARGETS], on[ACCOUNTS * TARGETS];

    for (uint64_t i = 0; i < ACCOUNTS * TARGETS; i++)
        keys[i] = edge_key_make(0, EDGE_LIKE, i / TARGETS, i % TARGETS);
    hot_edges_find(hot, keys, ACCOUNTS * TARGETS, rows);
    for (uint64_t i = 0; i < ACCOUNTS * TARGETS; i++) {
        const struct edge_row *now = &edges->now[i / TARGETS][i % TARGETS];
        const struct edge_row *rest = &edges->rest[i / TARGETS][i % TARGETS];

        assert_ptr_equal(rows[i], hot_edge_find(hot, 0, EDGE_LIKE, i / TARGETS, i % TARGETS));
        assert_int_equal(rows[i] != NULL ? rows[i]->sequence : rest->sequence, now->sequence);
        targets[i % TARGETS] = i % TARGETS;
        if (i % TARGETS == TARGETS - 1)
            hot_edges_on(hot, 0, EDGE_LIKE, i / TARGETS, targets, TARGETS, on + i + 1 - TARGETS);
    }
    for (uint64_t i = 0; i < ACCOUNTS * TARGETS; i++)
        assert_int_equal(on[i], rows[i] != NULL && rows[i]->on);
}

static void edges_to_rest(struct hot *hot, struct edges *edges)
{
    struct hot_frozen frozen;

    while (!hot_collect(hot, 16))
        ;
    hot_frozen(hot, &frozen);
    for (uint64_t i = 0; i < frozen.edge_count; i++)
        edges->rest[frozen.edges[i].account][frozen.edges[i].target] = frozen.edges[i];
    hot_rest(hot);
}

/* Regions fill, freeze, serve as a cache and are emptied; some edges are held for a turn. */
static void many_edges_are_found_like_each(void **state)
{
    struct hot *hot = hot_open(&sizes);
    struct edges *edges = calloc(1, sizeof *edges);
    struct test_random random = {.state = test_seed(12)};

    (void)state;
    for (uint64_t step = 1; step <= 20000; step++) {
        uint64_t account = test_random_below(&random, ACCOUNTS);
        uint64_t target = test_random_below(&random, TARGETS);
        struct edge_row row = edge(account, target, step, (uint8_t)(step % 2));
        struct hot_room room;

        hot_turn_begin(hot);
        hot_room(hot, &room);
        if (hot_can_freeze(hot) && (room.edges == 0 || test_random_below(&random, 100) == 0))
            hot_freeze(hot);
        else if (!hot_can_freeze(hot) && test_random_below(&random, 20) == 0)
            edges_to_rest(hot, edges);
        hot_room(hot, &room);
        for (uint64_t i = 0; i < 3; i++) {
            uint64_t held = test_random_below(&random, TARGETS);

            if (edges->rest[account][held].sequence > 0 &&
                hot_edge_find(hot, 0, EDGE_LIKE, account, held) == NULL)
                hot_edge_hold(hot, &edges->rest[account][held]);
        }
        if (room.edges > 0) {
            hot_edge_set(hot, &row, HOT_NONE, HOT_NONE);
            edges->now[account][target] = row;
        }
        if (step % 16 == 0)
            check_edges(hot, edges);
    }
    hot_close(hot);
    free(edges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flush_is_a_snapshot),
        cmocka_unit_test(an_edge_is_found_where_it_changed_last),
        cmocka_unit_test(a_like_that_is_weighed_during_a_flush_stays_listed),
        cmocka_unit_test(an_account_that_flips_uses_room_but_counts_once),
        cmocka_unit_test(many_edges_are_found_like_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
