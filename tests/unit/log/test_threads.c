/* The log as the node runs it: real threads, the real disk.
 *
 * zan-test: timeout=600 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/log_world.h"

static struct log_world world;
static char root[64], path[2][80];

static int setup(void **state)
{
    (void)state;
    test_dir_make(root);
    log_world_init(&world, 1);
    disk_sim_free(world.sim);
    world.sim = NULL;
    for (int copy = 0; copy < 2; copy++) {
        snprintf(path[copy], sizeof path[copy], "%s/%c", root, 'a' + copy);
        world.config.dir[copy] = path[copy];
    }
    world.config.disk = &disk_posix;
    world.config.threads = true;
    world.config.segment_bytes = 1 << 20;
    world.config.buffer_bytes = 1 << 18;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_world_free(&world);
    test_dir_remove(root);
    return 0;
}

static void wait_for_event(void)
{
    struct pollfd poll_one = {.fd = log_event_fd(world.log), .events = POLLIN};

    assert_true(poll(&poll_one, 1, 60000) == 1); /* a hang, not a duration, is what this finds */
    log_event_clear(world.log);
    log_world_look(&world);
}

static void append_waiting(size_t size)
{
    enum status status;

    while ((status = log_world_append(&world, size)) == STATUS_BUSY || status == STATUS_NOSPACE)
        wait_for_event();
    assert_int_equal(status, STATUS_OK);
}

static void a_hundred_thousand_batches_come_back(void **state)
{
    uint64_t count =
        getenv("ZAN_BATCHES") != NULL ? strtoull(getenv("ZAN_BATCHES"), NULL, 10) : 100000;

    (void)state;
    log_world_must_open(&world);
    for (uint64_t i = 0; i < count; i++)
        append_waiting((size_t)test_random_below(&world.random, 300));
    while (log_durable(world.log) < world.next - 1)
        wait_for_event();
    log_world_look(&world);
    log_world_check(&world);
    log_world_close(&world);
    log_world_must_open(&world);
    assert_int_equal(world.report.last_sequence, world.next - 1);
    assert_int_equal(world.report.repaired_segments, 0);
    assert_int_equal(world.report.torn_bytes, 0);
    log_world_close(&world);
    assert_int_equal(log_verify(&world.config, &world.report, NULL, NULL, NULL), STATUS_OK);
    world.config.trust_sealed = true;
    log_world_must_open(&world);
}

static void one_at_a_time_through_many_segments(void **state)
{
    (void)state;
    world.config.segment_bytes = 65536;
    log_world_must_open(&world);
    for (int i = 0; i < 300; i++) {
        append_waiting(1500);
        while (log_durable(world.log) < world.next - 1)
            wait_for_event();
    }
    log_world_look(&world);
    log_world_close(&world);
    log_world_must_open(&world);
    assert_int_equal(world.report.batches, 300);
}

static void closing_waits_for_what_was_appended(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        log_world_must_open(&world);
        for (int k = 0; k < 20; k++)
            append_waiting(2000);
        log_world_close(&world);
    }
    log_world_must_open(&world);
    assert_int_equal(world.report.batches, 400);
}

static void other_ways_to_sync(void **state)
{
    (void)state;
    for (int sync = LOG_SYNC_GROUP; sync <= LOG_SYNC_NONE; sync++) {
        world.config.sync = (enum log_sync)sync;
        world.config.group_us = 500;
        log_world_must_open(&world);
        for (int i = 0; i < 3000; i++)
            append_waiting(1000);
        while (log_durable(world.log) < world.next - 1)
            wait_for_event();
        log_world_look(&world);
        log_world_check(&world);
        log_world_close(&world);
    }
    log_world_must_open(&world);
    assert_int_equal(world.report.batches, 6000);
}

static void two_users_are_one_too_many(void **state)
{
    struct log *second = NULL;
    struct log_report report;
    struct log_config config;

    (void)state;
    log_world_must_open(&world);
    assert_int_equal(log_open(&world.config, &second, &report), STATUS_LOCKED);
    assert_non_null(strstr(report.message, "in use"));
    assert_null(second);
    config = world.config;
    config.read_only = true;
    assert_int_equal(log_open(&config, &second, &report), STATUS_OK);
    log_close(second);
    log_world_close(&world);

    config = world.config;
    config.dir[1] = config.dir[0];
    assert_int_equal(log_open(&config, &second, &report), STATUS_LOCKED);
    log_world_must_open(&world);
}

/* ---- A disk between the log and the real one, which fails when told ----------------------- */

static atomic_int syncs_left, space_left;

static int failing_sync(void *context, int handle)
{
    if (atomic_fetch_sub(&syncs_left, 1) <= 0)
        return -EIO;
    return disk_posix.sync(context, handle);
}

static int little_space(void *context, const char *where, uint64_t *bytes)
{
    int result = disk_posix.free_bytes(context, where, bytes);

    if (!atomic_load(&space_left))
        *bytes = 0;
    return result;
}

static void a_failed_sync_stops_all_of_it(void **state)
{
    static struct disk disk; /* outlives the test: teardown still closes through it */
    const char *message = NULL;
    uint64_t durable;

    (void)state;
    disk = disk_posix;
    disk.sync = failing_sync;
    world.config.disk = &disk;
    for (int left = 0; left < 60; left++) {
        atomic_store(&syncs_left, 1000000);
        log_world_must_open(&world);
        atomic_store(&syncs_left, left);
        while (!log_failed(world.log, &message)) {
            enum status status = log_world_append(&world, 1000);

            assert_true(status == STATUS_OK || status == STATUS_BUSY || status == STATUS_IOFAIL);
            if (status != STATUS_OK && !log_failed(world.log, NULL))
                wait_for_event();
        }
        durable = log_durable(world.log);
        assert_non_null(strstr(message, "Input/output error"));
        assert_int_equal(log_has_room(world.log, 10), STATUS_IOFAIL);
        log_world_look(&world);
        log_close(world.log);
        world.log = NULL;
        assert_int_equal(world.durable, durable);
        assert_true(world.durable < world.next);
    }
    atomic_store(&syncs_left, 1000000);
    log_world_must_open(&world);
}

static void space_that_comes_back_is_noticed(void **state)
{
    static struct disk disk; /* outlives the test: teardown still closes through it */
    enum status status;

    (void)state;
    disk = disk_posix;
    disk.free_bytes = little_space;
    world.config.disk = &disk;
    world.config.segment_bytes = 65536;
    atomic_store(&space_left, 0);
    log_world_must_open(&world);
    while ((status = log_world_append(&world, 1000)) != STATUS_NOSPACE) {
        assert_true(status == STATUS_OK || status == STATUS_BUSY);
        if (status == STATUS_BUSY && log_durable(world.log) < world.next - 1)
            wait_for_event();
    }
    while (log_durable(world.log) < world.next - 1)
        wait_for_event();
    assert_int_equal(log_has_room(world.log, 1000), STATUS_NOSPACE);
    atomic_store(&space_left, 1);
    append_waiting(1000);
    log_world_look(&world);
    log_world_close(&world);
    log_world_must_open(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_hundred_thousand_batches_come_back), TEST(one_at_a_time_through_many_segments),
        TEST(closing_waits_for_what_was_appended),  TEST(other_ways_to_sync),
        TEST(two_users_are_one_too_many),           TEST(a_failed_sync_stops_all_of_it),
        TEST(space_that_comes_back_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
