/* A flush that does not end (the merges behind it lag): writes slow down and do not stop; the
 * answer BUSY comes only when the room is really used up; reads go on all the time. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/partition.h"
#include "support/disk_sim.h"

#define STEP_US 10000
#define BOOT_US 1799990000000000 /* the steady clock is not the clock of the turns */
#define BATCH   500
#define SECOND  (1000000 / STEP_US)

static const struct hot_config room = {
    .accounts = 1 << 17, .items = 1 << 14, .edges = 60000, .operations = 60000, .scratch = 16384};

struct world {
    struct disk_sim *sim;
    struct store *store;
    struct partition partition;
    struct batch batch;
    int64_t now_us;
    uint64_t next;
};

static void open_world(struct world *world)
{
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
}

static void close_world(struct world *world)
{
    partition_close(&world->partition);
    store_close(world->store);
    disk_sim_free(world->sim);
    free(world->batch.requests);
    free(world->batch.replies);
}

/* A batch of new likes; how many were applied. The log's
 * threads work, the flush thread does not. */
static uint32_t write_some(struct world *world, uint32_t *busy)
{
    uint32_t at = 0, done, applied = 0;
    uint64_t need;

    for (uint32_t i = 0; i < BATCH; i++)
        world->batch.requests[i] = (struct request){
            .verb = VERB_LIKE, .account = world->next + i, .target = (world->next + i) % 1000};
    world->batch.count = BATCH;
    while ((done = partition_turn(&world->partition, &world->batch, at, world->now_us, &need)) > at)
        for (; at < done; at++) {
            applied += world->batch.replies[at].status == STATUS_OK;
            *busy += world->batch.replies[at].status == STATUS_BUSY;
        }
    world->next += at;
    for (uint32_t pick = 0; log_pump(world->partition.log, pick) && pick < 100; pick++)
        ;
    assert_true(partition_tend(&world->partition, world->now_us - BOOT_US));
    world->now_us += STEP_US;
    return applied;
}

static bool reads(struct world *world)
{
    uint64_t need;

    world->batch.requests[0] = (struct request){.verb = VERB_COUNTS, .target = 1};
    world->batch.count = 1;
    return partition_turn(&world->partition, &world->batch, 0, world->now_us, &need) == 1;
}

static void writes_slow_down_and_do_not_stop(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    uint32_t second, busy = 0;

    (void)state;
    open_world(world);
    while (world->partition.flush != FLUSH_WRITING)
        (void)write_some(world, &busy);
    for (int s = 0; s < 15; s++) { /* a flush of fifteen seconds */
        second = 0;
        for (int i = 0; i < SECOND; i++) {
            second += write_some(world, &busy);
            assert_true(reads(world));
        }
        printf("second %d: %u likes\n", s, second);
        assert_true(second > 20);
        assert_int_equal(busy, 0);
    }
    /* And fast again as soon as it ends. */
    while (world->partition.flush != FLUSH_IDLE) {
        (void)partition_pump(&world->partition, 3);
        assert_true(partition_tend(&world->partition, world->now_us - BOOT_US));
    }
    second = write_some(world, &busy);
    assert_int_equal(second, BATCH);
    close_world(world);
    free(world);
}

static void a_full_room_is_told(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    uint32_t busy = 0;

    (void)state;
    open_world(world);
    for (int s = 0; s < 400 && busy == 0; s++)
        for (int i = 0; i < SECOND; i++)
            (void)write_some(world, &busy);
    assert_true(busy > 0);
    assert_true(reads(world));
    close_world(world);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_slow_down_and_do_not_stop),
        cmocka_unit_test(a_full_room_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
