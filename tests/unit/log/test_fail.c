/* Every operation fails once, for every n: never a false "durable", and after the failure the log
 * opens with all that was durable. A full disk is met before anything is promised, and passes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/log_world.h"

static struct log_world world;

static int teardown(void **state)
{
    (void)state;
    log_world_free(&world);
    return 0;
}

/* Always the same work: several segments, idle moments, a close in between, a second open. */
static void work(void)
{
    for (int round = 0; round < 2 && world.log != NULL; round++) {
        for (int i = 0; i < 14 && !log_failed(world.log, NULL); i++) {
            enum status status = log_world_append(&world, 100 + (size_t)(i * 271 % 900));

            if (status == STATUS_NOSPACE || status == STATUS_BUSY)
                while (log_pump(world.log, (uint32_t)i))
                    log_world_look(&world);
            else if (i % 3 == 0)
                log_pump(world.log, (uint32_t)i);
            log_world_look(&world);
        }
        while (log_pump(world.log, 1))
            log_world_look(&world);
        log_world_look(&world);
        if (log_failed(world.log, NULL) || round == 1)
            return;
        log_close(world.log);
        world.log = NULL;
        if (log_world_open(&world) != STATUS_OK)
            world.log = NULL;
    }
}

/* Sets the fault, does the work, and checks what is left. False: the fault did not strike. */
static bool try(uint64_t nth, unsigned kinds, const char *prefix, int error, bool for_good,
                bool crash)
{
    const char *message = "";
    bool failed = false;
    bool struck;

    log_world_init(&world, nth);
    disk_sim_fail(world.sim, nth, kinds, prefix, error, for_good);
    if (log_world_open(&world) != STATUS_OK) {
        assert_true(world.report.message[0] != '\0');
        world.log = NULL;
    } else {
        work();
        failed = world.log != NULL && log_failed(world.log, &message);
        if (failed) {
            assert_true(message[0] != '\0');
            assert_int_equal(log_has_room(world.log, 10), STATUS_IOFAIL);
            assert_false(log_pump(world.log, 0));
        }
    }
    struck = disk_sim_struck(world.sim);
    assert_true(struck || !failed);
    log_world_drop(&world);
    if (crash)
        disk_sim_crash(world.sim);
    else
        disk_sim_kill(world.sim);
    disk_sim_heal(world.sim);
    log_world_must_open(&world);
    log_world_fill(&world, 5, 900, 2);
    log_world_close(&world);
    log_world_free(&world);
    return struck;
}

static uint64_t every(unsigned kinds, const char *prefix, int error, bool for_good)
{
    uint64_t n = 1;

    while (try(n, kinds, prefix, error, for_good, n % 2 == 0))
        n++;
    return n - 1;
}

static void each_operation_may_fail_once(void **state)
{
    static const int errors[] = {EIO, ENOSPC, EDQUOT, EMFILE, ENOMEM, EACCES};

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        assert_true(every(DISK_SIM_ANY, NULL, errors[i], false) > 200);
}

static void each_operation_may_be_the_first_of_many_to_fail(void **state)
{
    (void)state;
    assert_true(every(DISK_SIM_ANY, NULL, EIO, true) > 200);
    assert_true(every(DISK_SIM_ANY, "a/", EIO, true) > 60);
    assert_true(every(DISK_SIM_ANY, "b/", EIO, true) > 60);
}

static void a_failed_sync_is_final(void **state)
{
    uint64_t durable;
    const char *message = NULL;

    (void)state;
    log_world_init(&world, 1);
    log_world_must_open(&world);
    log_world_fill(&world, 3, 500, 1);
    durable = log_durable(world.log);
    assert_int_equal(log_world_append(&world, 100), STATUS_OK);
    disk_sim_fail(world.sim, 1, DISK_SIM_SYNC, "a/", EIO, false);
    for (int i = 0; i < 10; i++)
        log_pump(world.log, 0);
    assert_true(log_failed(world.log, &message));
    assert_non_null(strstr(message, "a/0000000000000001.zlog offset "));
    assert_non_null(strstr(message, "sync failed: Input/output error"));
    assert_int_equal(log_durable(world.log), durable);
    assert_int_equal(log_has_room(world.log, 1), STATUS_IOFAIL);
    log_world_check(&world); /* reading goes on */
}

/* Fills until the disk is full; whatever was taken becomes durable. */
static void fill_up(void)
{
    enum status status;
    int tries = 0;

    while ((status = log_world_append(&world, 700)) != STATUS_NOSPACE) {
        if (status == STATUS_BUSY)
            log_pump(world.log, 2);
        assert_true(status == STATUS_OK || status == STATUS_BUSY);
        assert_true(tries++ < 1000);
    }
    log_world_settle(&world);
    assert_false(log_failed(world.log, NULL));
    assert_int_equal(world.durable, world.next - 1);
}

static void a_full_disk_passes(void **state)
{
    (void)state;
    log_world_init(&world, 1);
    disk_sim_capacity(world.sim, 200000);
    log_world_must_open(&world);
    for (int i = 1; i <= 5; i++) {
        fill_up();
        log_world_check(&world);
        assert_int_equal(log_has_room(world.log, 700), STATUS_NOSPACE);
        while (log_pump(world.log, 0))
            ;
        assert_int_equal(log_has_room(world.log, 700), STATUS_NOSPACE);
        assert_false(disk_sim_exists(world.sim, "a/0000000000000001.zlog.new"));
        disk_sim_capacity(world.sim, 200000 + (uint64_t)i * 100000);
        log_world_settle(&world); /* the retry */
        assert_int_equal(log_has_room(world.log, 700), STATUS_OK);
    }
    fill_up();
    log_world_close(&world);
    log_world_must_open(&world);
    assert_int_equal(log_world_append(&world, 700), STATUS_BUSY); /* not tried yet */
    fill_up();
    log_world_free(&world);

    log_world_init(&world, 2);
    disk_sim_capacity(world.sim, 20000);
    assert_int_equal(log_world_open(&world), STATUS_NOSPACE);
    world.log = NULL;
    disk_sim_capacity(world.sim, 0);
    log_world_must_open(&world);
}

/* Too many open files is what a crowd of clients can cause: the log waits, it does not fail. */
static void too_many_open_files_pass(void **state)
{
    (void)state;
    log_world_init(&world, 1);
    log_world_must_open(&world);
    disk_sim_fail(world.sim, 1, DISK_SIM_OPEN, NULL, EMFILE, true);
    while (log_world_append(&world, 700) == STATUS_OK)
        log_world_settle(&world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(log_has_room(world.log, 700), STATUS_BUSY);
        log_world_settle(&world);
    }
    assert_false(log_failed(world.log, NULL));
    disk_sim_heal(world.sim);
    assert_int_equal(log_has_room(world.log, 700), STATUS_BUSY); /* asks for another attempt */
    log_world_settle(&world);
    assert_int_equal(log_has_room(world.log, 700), STATUS_OK);
    log_world_fill(&world, 30, 900, 3);
}

/* Sectors that cannot be read are as sectors that are wrong. */
static void one_copy_that_cannot_be_read_is_enough_trouble_for_none(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 200; nth++) {
        log_world_init(&world, 1);
        log_world_must_open(&world);
        log_world_fill(&world, 20, 900, 3);
        log_world_close(&world);
        disk_sim_fail(world.sim, nth, DISK_SIM_READ, nth % 2 == 0 ? "a/" : "b/", EIO, false);
        log_world_must_open(&world);
        disk_sim_heal(world.sim);
        log_world_fill(&world, 3, 900, 3);
        log_world_close(&world);
        log_world_must_open(&world);
        assert_int_equal(world.report.repaired_segments, 0);
        log_world_free(&world);
    }
    log_world_init(&world, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_may_fail_once),
        cmocka_unit_test(each_operation_may_be_the_first_of_many_to_fail),
        cmocka_unit_test_teardown(a_failed_sync_is_final, teardown),
        cmocka_unit_test_teardown(a_full_disk_passes, teardown),
        cmocka_unit_test_teardown(too_many_open_files_pass, teardown),
        cmocka_unit_test_teardown(one_copy_that_cannot_be_read_is_enough_trouble_for_none,
                                  teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
