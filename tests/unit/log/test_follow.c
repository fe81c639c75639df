/* Reading the log behind its writer: every durable batch once and in order, whatever one copy does,
 * and nothing that is not durable; a place is found again, and only in the log it was in. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/log_world.h"

#define DATA 12288

static struct log_world world;
static struct log_follow *follow;
static struct log_world_reading reading;

static void begin(uint64_t seed)
{
    log_world_init(&world, seed);
    log_world_must_open(&world);
    reading = (struct log_world_reading){.world = &world};
    follow = NULL;
}

static int teardown(void **state)
{
    (void)state;
    log_follow_close(follow);
    follow = NULL;
    log_world_free(&world);
    return 0;
}

static enum status each(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                        const uint8_t *body, size_t size)
{
    assert_true(first + count - 1 <= log_durable(world.log));
    return log_world_check_one(argument, first, count, time_us, body, size);
}

static enum status step(uint64_t bytes)
{
    return log_follow_step(follow, bytes, each, &reading);
}

static uint64_t at(void)
{
    struct log_mark mark;

    log_follow_mark(follow, &mark);
    return mark.sequence;
}

static void read_all(void)
{
    while (at() < log_durable(world.log))
        assert_int_equal(step(1 << 20), STATUS_OK);
}

/* Appends, does some of the copies' work, reads some; over many segments. */
static void everything_is_read_once_and_in_order(void **state)
{
    uint64_t seed = test_seed(1);

    (void)state;
    begin(seed);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    assert_int_equal(step(1), STATUS_OK);
    for (int i = 0; i < 4000; i++) {
        switch (test_random_below(&world.random, 3)) {
        case 0:
            (void)log_world_append(&world, (size_t)test_random_below(&world.random, 900));
            break;
        case 1:
            (void)log_pump(world.log, (uint32_t)test_random_next(&world.random));
            break;
        default:
            assert_int_equal(step(test_random_below(&world.random, 3000)), STATUS_OK);
        }
    }
    log_world_settle(&world);
    read_all();
    assert_int_equal(reading.at, world.count);
    assert_true(disk_sim_exists(world.sim, "a/0000000000000008.zlog"));
    assert_int_equal(log_follow_second(follow), 0);
}

/* One copy has it, the other not: it is not read. */
static void what_is_not_durable_is_not_read(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    for (int i = 0; i < 50; i++) {
        size_t before = reading.at;

        assert_int_equal(log_world_append(&world, 300), STATUS_OK);
        while (log_durable(world.log) < world.next - 1) {
            assert_int_equal(step(1 << 20), STATUS_OK);
            assert_int_equal(reading.at, before);
            assert_true(log_pump(world.log, (uint32_t)i));
        }
        assert_int_equal(step(1 << 20), STATUS_OK);
        assert_int_equal(reading.at, before + 1);
    }
}

static int64_t given_us;

static enum status keep_time(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                             const uint8_t *body, size_t size)
{
    given_us = time_us;
    return each(argument, first, count, time_us, body, size);
}

/* What is said to come next is what the next step gives, however often it is asked; what is not
 * durable does not come next. */
static void it_is_known_when_the_next_one_was_made(void **state)
{
    int64_t time_us = 0, again_us = 0;

    (void)state;
    begin(1);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(log_follow_next(follow, &time_us), STATUS_UNCHANGED);
        assert_int_equal(log_world_append(&world, 3000), STATUS_OK);
        assert_int_equal(log_follow_next(follow, &time_us), STATUS_UNCHANGED);
        assert_int_equal(log_world_append(&world, 300), STATUS_OK);
        log_world_settle(&world);
        for (int batch = 0; batch < 2; batch++) {
            assert_int_equal(log_follow_next(follow, &time_us), STATUS_OK);
            assert_int_equal(log_follow_next(follow, &again_us), STATUS_OK);
            assert_int_equal(log_follow_step(follow, 1, keep_time, &reading), STATUS_OK);
            assert_true(time_us == again_us && time_us == given_us);
            assert_int_equal(reading.at, 2 * i + batch + 1);
        }
    }
}

static void damage_in_one_copy_is_passed_over(void **state)
{
    static const char *const paths[] = {"a/0000000000000001.zlog", "b/0000000000000002.zlog",
                                        "a/0000000000000003.zlog"};

    (void)state;
    begin(2);
    log_world_fill(&world, 60, 900, 2);
    for (int i = 0; i < 3; i++)
        for (uint64_t offset = 0; offset < 16384; offset += 61)
            disk_sim_flip(world.sim, paths[i], offset, (uint8_t)(1 << offset % 8));
    disk_sim_delete(world.sim, "a/0000000000000004.zlog");
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    read_all();
    assert_int_equal(reading.at, world.count);
    assert_true(log_follow_second(follow) > 3);
    disk_sim_put(world.sim, "a/0000000000000004.zlog", world.sim, "b/0000000000000004.zlog");
}

/* In both it is told; once it can be read again, nothing is missing and nothing comes twice. */
static void damage_in_both_is_told_and_ends_with_the_damage(void **state)
{
    (void)state;
    begin(3);
    log_world_fill(&world, 60, 900, 2);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    for (int round = 0; round < 2; round++) {
        for (int copy = 0; copy < 2; copy++)
            disk_sim_flip(world.sim, copy ? "b/0000000000000002.zlog" : "a/0000000000000002.zlog",
                          DATA + 150, 1);
        for (int i = 0; round == 0 && i < 4; i++) {
            enum status status = step(1 << 20);

            assert_int_equal(status, STATUS_CORRUPT);
            assert_true(reading.at > 0 && reading.at < world.count);
        }
    }
    read_all();
    assert_int_equal(reading.at, world.count);
}

static void a_disk_that_fails_for_a_moment_is_asked_again(void **state)
{
    (void)state;
    begin(4);
    log_world_fill(&world, 60, 900, 2);
    for (uint64_t nth = 1; nth < 40; nth++) {
        assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
        reading.at = 0;
        disk_sim_fail(world.sim, nth, DISK_SIM_OPEN | DISK_SIM_READ | DISK_SIM_SIZE, NULL, EIO,
                      false);
        while (at() < log_durable(world.log))
            assert_int_equal(step(700), STATUS_OK); /* the other copy has it */
        assert_int_equal(reading.at, world.count);
        disk_sim_heal(world.sim);
        log_follow_close(follow);
        follow = NULL;
    }
}

/* A copy is lost, the other goes on over several segments, the lost one comes back as new files. */
static void one_copy_is_enough(void **state)
{
    static const char *const prefix[2] = {"a/", "b/"};

    (void)state;
    for (int copy = 0; copy < 2; copy++) {
        log_world_init(&world, 5);
        world.config.degrade = true;
        world.config.witness = "w";
        log_world_must_open(&world);
        reading = (struct log_world_reading){.world = &world};
        assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
        log_world_fill(&world, 10, 900, 2);
        assert_int_equal(step(2000), STATUS_OK);
        disk_sim_fail(world.sim, 1, DISK_SIM_ANY, prefix[copy], EIO, true);
        log_world_fill(&world, 60, 900, 2);
        read_all();
        assert_int_equal(reading.at, world.count);
        disk_sim_heal(world.sim);
        assert_true(log_mirror_resync(world.log));
        for (int i = 0; i < 20; i++) {
            log_world_fill(&world, 3, 900, 2);
            read_all();
        }
        assert_int_equal(reading.at, world.count);
        log_follow_close(follow);
        follow = NULL;
        log_world_free(&world);
    }
    begin(5);
}

/* Every place that there was is found again, also by the next process. */
static void a_place_is_found_again(void **state)
{
    struct log_mark marks[60];

    (void)state;
    begin(6);
    log_world_fill(&world, 60, 900, 2);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(step(1), STATUS_OK);
        log_follow_mark(follow, &marks[i]);
    }
    for (int life = 0; life < 2; life++) {
        for (size_t i = 0; i < 60; i++) {
            log_follow_close(follow);
            follow = NULL;
            assert_int_equal(log_follow_open(world.log, &marks[i], &follow), STATUS_OK);
            reading.at = i + 1;
            read_all();
            assert_int_equal(reading.at, 60);
        }
        log_follow_close(follow);
        follow = NULL;
        log_world_close(&world);
        log_world_must_open(&world);
    }
}

static void another_logs_place_is_refused(void **state)
{
    struct log_mark mark, other;
    struct log_follow *none = NULL;

    (void)state;
    begin(7);
    log_world_fill(&world, 30, 900, 2);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    while (reading.at < 20)
        assert_int_equal(step(1), STATUS_OK);
    log_follow_mark(follow, &mark);
    other = mark;
    other.log_id[3] ^= 1;
    assert_int_equal(log_follow_open(world.log, &other, &none), STATUS_BADDATA);
    other = mark;
    other.chain[31] ^= 1; /* the same number, another history */
    assert_int_equal(log_follow_open(world.log, &other, &none), STATUS_BADDATA);
    other = mark;
    other.sequence = log_durable(world.log) + 1; /* the log was longer then */
    assert_int_equal(log_follow_open(world.log, &other, &none), STATUS_BADDATA);
    for (other = mark; other.sequence > 0; other.sequence--) { /* within a batch, or another one */
        bool same = other.sequence == mark.sequence;

        assert_int_equal(log_follow_open(world.log, &other, &none),
                         same ? STATUS_OK : STATUS_BADDATA);
        if (same)
            log_follow_close(none);
        none = NULL;
    }
    assert_null(none);
}

static enum status refuse_the_third(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                                    const uint8_t *body, size_t size)
{
    enum status status = each(argument, first, count, time_us, body, size);

    return reading.at == 3 ? STATUS_NOMEMORY : status;
}

static void who_reads_may_stop(void **state)
{
    (void)state;
    begin(8);
    log_world_fill(&world, 10, 900, 2);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    assert_int_equal(log_follow_step(follow, 1 << 20, refuse_the_third, &reading), STATUS_NOMEMORY);
    assert_int_equal(reading.at, 3);
    read_all();
    assert_int_equal(reading.at, 10);
}

/* --- with threads, on the real disk --------------------------------------------------------------
 */

struct chase {
    _Atomic uint64_t last; /* what the reader has to reach */
    uint64_t sum, next;
};

static enum status add_up(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                          const uint8_t *body, size_t size)
{
    struct chase *chase = argument;

    assert_true(first == chase->next && time_us == (int64_t)first * 1000);
    chase->next = first + count;
    for (size_t i = 0; i < size; i++)
        chase->sum += body[i];
    return STATUS_OK;
}

static void *chase_main(void *argument)
{
    struct chase *chase = argument;

    while (atomic_load(&chase->last) == 0 || chase->next <= atomic_load(&chase->last)) {
        assert_true(log_follow_step(follow, 4096, add_up, chase) == STATUS_OK);
        sched_yield();
    }
    return NULL;
}

static enum status add_sum(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                           const uint8_t *body, size_t size)
{
    (void)first, (void)count, (void)time_us;
    for (size_t i = 0; i < size; i++)
        *(uint64_t *)argument += body[i];
    return STATUS_OK;
}

static void a_thread_keeps_up_with_the_writer(void **state)
{
    char root[64], path[2][80];
    struct chase chase = {.next = 1};
    uint64_t sum = 0;
    pthread_t thread;

    (void)state;
    log_world_init(&world, 9);
    disk_sim_free(world.sim);
    world.sim = NULL;
    test_dir_make(root);
    for (int copy = 0; copy < 2; copy++) {
        snprintf(path[copy], sizeof path[copy], "%s/%c", root, 'a' + copy);
        world.config.dir[copy] = path[copy];
    }
    world.config.disk = &disk_posix;
    world.config.threads = true;
    world.config.sync = LOG_SYNC_NONE; /* quick, and read before it is on the medium */
    world.config.segment_bytes = 65536;
    world.config.buffer_bytes = 65536;
    log_world_must_open(&world);
    assert_int_equal(log_follow_open(world.log, NULL, &follow), STATUS_OK);
    assert_int_equal(pthread_create(&thread, NULL, chase_main, &chase), 0);
    for (int i = 0; i < 3000; i++)
        while (log_world_append(&world, (size_t)test_random_below(&world.random, 600)) != STATUS_OK)
            sched_yield();
    atomic_store(&chase.last, world.next - 1);
    pthread_join(thread, NULL);
    assert_int_equal(chase.next, world.next);
    assert_int_equal(log_replay(world.log, 1, add_sum, &sum), STATUS_OK);
    assert_int_equal(chase.sum, sum);
    log_follow_close(follow);
    follow = NULL;
    log_world_close(&world);
    test_dir_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(everything_is_read_once_and_in_order, teardown),
        cmocka_unit_test_teardown(what_is_not_durable_is_not_read, teardown),
        cmocka_unit_test_teardown(it_is_known_when_the_next_one_was_made, teardown),
        cmocka_unit_test_teardown(damage_in_one_copy_is_passed_over, teardown),
        cmocka_unit_test_teardown(damage_in_both_is_told_and_ends_with_the_damage, teardown),
        cmocka_unit_test_teardown(a_disk_that_fails_for_a_moment_is_asked_again, teardown),
        cmocka_unit_test_teardown(one_copy_is_enough, teardown),
        cmocka_unit_test_teardown(a_place_is_found_again, teardown),
        cmocka_unit_test_teardown(another_logs_place_is_refused, teardown),
        cmocka_unit_test_teardown(who_reads_may_stop, teardown),
        cmocka_unit_test_teardown(a_thread_keeps_up_with_the_writer, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
