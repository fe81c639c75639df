/* The self-audit over a whole partition: nothing is found where all is right, whatever changes
 * meanwhile; a count that is not its edges is found, and so is a record that says something else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit.h"
#include "node/partition.h"
#include "support.h"
#include "support/disk_sim.h"

static const struct hot_config room = {
    .accounts = 4096, .items = 4096, .edges = 16384, .operations = 16384, .scratch = 16384};

struct world {
    struct disk_sim *sim;
    struct store *store;
    struct partition partition;
    struct audit audit;
    struct batch batch;
    int64_t now_us;
};

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct store_config store = {.partition_count = 1};
    struct partition_open_hooks hooks = {0};
    struct partition_report report;
    struct partition_config config = {
        .log_dir = {"/a", "/b"},
        .hot = &room,
        .count = 1,
        .segment_bytes = 1 << 20,
        .operation_keep_us = INT64_MAX / 4,
        .flush_us = 3000000,
        .create_unknown = true,
    };
    char message[256];

    world->sim = disk_sim_new(1);
    world->now_us = 1800000000000000;
    assert_int_equal(store_open(&store, &world->store, message), STATUS_OK);
    config.disk = disk_sim_disk(world->sim);
    config.store = world->store;
    assert_int_equal(partition_open(&world->partition, &config, &hooks, &report), STATUS_OK);
    world->batch.requests = calloc(BATCH_MAX, sizeof(struct request));
    world->batch.replies = calloc(BATCH_MAX, sizeof(struct reply));
    audit_open(&world->audit, &world->partition, 1000, 7);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;

    partition_close(&world->partition);
    store_close(world->store);
    disk_sim_free(world->sim);
    free(world->batch.requests);
    free(world->batch.replies);
    free(world);
    return 0;
}

static void settle(struct world *world)
{
    for (uint32_t pick = 0; partition_pump(&world->partition, pick) && pick < 1000; pick++)
        ;
    assert_true(partition_tend(&world->partition, world->now_us));
}

static void ask(struct world *world, enum verb verb, uint64_t account, uint64_t target)
{
    uint64_t need;

    world->batch.requests[0] =
        (struct request){.verb = (uint16_t)verb, .account = account, .target = target};
    world->batch.count = 1;
    assert_int_equal(partition_turn(&world->partition, &world->batch, 0, world->now_us, &need), 1);
    settle(world);
}

static void rest(struct world *world)
{
    settle(world);
    assert_int_equal(partition_flush_all(&world->partition), STATUS_OK);
}

static void look(struct world *world)
{
    world->now_us += 1000000;
    audit_turn(&world->audit, world->now_us);
    audit_read_back(&world->audit);
}

/* Until every item has been seen once. */
static void look_round(struct world *world)
{
    uint64_t rounds = world->audit.facts.rounds;

    for (int i = 0; i < 20000 && world->audit.facts.rounds < rounds + 2; i++)
        look(world);
    assert_true(world->audit.facts.rounds >= rounds + 2 || world->partition.readonly);
}

/* Some at rest, some in memory, some taken back. */
static void fill(struct world *world)
{
    for (uint64_t i = 0; i < 600; i++) {
        ask(world, VERB_LIKE, i % 150, i * i % 40);
        ask(world, i % 3 ? VERB_FAVORITE : VERB_UNLIKE, i % 97, i % 40);
        ask(world, i % 5 ? VERB_FOLLOW : VERB_UNFOLLOW, i % 31, i % 17);
        if (i % 250 == 249)
            rest(world);
    }
    for (uint64_t i = 0; i < 300; i++) /* longer than a look, at rest and in memory */
        ask(world, VERB_LIKE, i, 1000);
    rest(world);
    for (uint64_t i = 300; i < 600; i++)
        ask(world, VERB_LIKE, i, 1000);
}

static void all_is_right(void **state)
{
    struct world *world = *state;

    fill(world);
    look_round(world);
    assert_int_equal(world->audit.facts.differences, 0);
    assert_false(world->partition.readonly);
    assert_true(world->audit.facts.items >= 40);
    assert_true(world->audit.facts.accounts >= 30);
    assert_true(world->audit.facts.edges >= 1000);
    assert_true(world->audit.facts.records >= 30);
    assert_int_equal(world->audit.facts.unreadable, 0);
    assert_int_equal(world->audit.facts.left_out, 0);
}

/* Likes come and go, and flushes, between any two looks. */
static void what_moves_is_no_difference(void **state)
{
    struct world *world = *state;
    struct test_random random = {test_seed(11)};

    fill(world);
    for (int i = 0; i < 6000; i++) {
        uint64_t account = test_random_below(&random, 600);

        if (test_random_below(&random, 4) == 0)
            ask(world, test_random_below(&random, 2) ? VERB_LIKE : VERB_UNLIKE, account,
                test_random_below(&random, 3) ? 1000 : account % 40);
        if (test_random_below(&random, 400) == 0)
            rest(world);
        look(world);
    }
    assert_int_equal(world->audit.facts.differences, 0);
    assert_true(world->audit.facts.retaken > 0);
    look_round(world);
    assert_int_equal(world->audit.facts.differences, 0);
}

static void must_find(struct world *world, const char *text)
{
    look_round(world);
    assert_int_equal(world->audit.facts.differences, 1);
    if (strstr(world->audit.facts.alarm, text) == NULL)
        fail_msg("the alarm says: %s", world->audit.facts.alarm);
    assert_true(world->partition.readonly);
    ask(world, VERB_LIKE, 7777, 7777);
    assert_int_equal(world->batch.replies[0].status, STATUS_READONLY);
    ask(world, VERB_COUNTS, 0, 1);
    assert_int_equal(world->batch.replies[0].kind, REPLY_COUNTS);
}

static struct item_row *item_of(struct world *world, uint64_t id)
{
    hot_turn_begin(world->partition.hot);
    return hot_item_change(world->partition.hot, hot_item_find(world->partition.hot, 0, id));
}

static struct account_row *account_of(struct world *world, uint64_t id)
{
    hot_turn_begin(world->partition.hot);
    return hot_account_change(world->partition.hot, hot_account_find(world->partition.hot, 0, id));
}

static void a_like_too_many_is_found(void **state)
{
    fill(*state);
    item_of(*state, 1000)->counts[COUNTER_LIKE]++;
    must_find(*state, "likes of item 1000");
}

static void a_favorite_too_few_is_found(void **state)
{
    fill(*state);
    item_of(*state, 7)->counts[COUNTER_FAVORITE]--;
    must_find(*state, "favorites of item 7");
}

/* Once there are weights, marks and reasons: their sums as well. */
static void a_wrong_worth_is_found(void **state)
{
    fill(*state);
    item_of(*state, 1000)->credit.credited_pct--;
    must_find(*state, "likes of item 1000, tenant 0: worth");
}

static void a_wrong_reason_is_found(void **state)
{
    fill(*state);
    item_of(*state, 3)->reasons[REASON_YOUNG]++;
    must_find(*state, "likes of item 3, tenant 0: worth");
}

static void a_wrong_account_is_found(void **state)
{
    fill(*state);
    for (uint64_t i = 0; i < 600; i++) /* all: which one is drawn is chance */
        account_of(*state, i)->given[COUNTER_LIKE]++;
    must_find(*state, "likes given by account");
}

static void a_wrong_follower_count_is_found(void **state)
{
    fill(*state);
    for (uint64_t i = 0; i < 600; i++)
        account_of(*state, i)->received[COUNTER_FOLLOW]++;
    must_find(*state, "followers of account");
}

/* An edge that the log does not know, with counts to match. */
static void an_edge_from_nowhere_is_found(void **state)
{
    struct world *world = *state;
    struct partition *partition = &world->partition;
    struct edge_row edge = {.account = 5, .target = 2000, .kind = EDGE_LIKE, .on = 1, .flips = 1};

    fill(world);
    ask(world, VERB_VIEW, 5, 2000);
    edge.sequence = partition->engine.sequence;
    edge.time_us = world->now_us;
    item_of(world, 2000)->counts[COUNTER_LIKE]++;
    account_of(world, 5)->given[COUNTER_LIKE]++;
    hot_turn_begin(partition->hot);
    hot_edge_set(partition->hot, &edge, hot_account_find(partition->hot, 0, 5),
                 hot_item_find(partition->hot, 0, 2000));
    rest(world);
    must_find(world, "says something else");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_right, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_moves_is_no_difference, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_like_too_many_is_found, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_favorite_too_few_is_found, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_wrong_worth_is_found, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_wrong_reason_is_found, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_wrong_account_is_found, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_wrong_follower_count_is_found, open_world, close_world),
        cmocka_unit_test_setup_teardown(an_edge_from_nowhere_is_found, open_world, close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
