/* A copy that is lost and comes back while the writer never stops: real threads, a real disk whose
 * writes and syncs to one copy can be made to fail.
 *
 * zan-test: timeout=300 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/log_world.h"

#define ROUNDS      3
#define HANDLES_MAX 1024

static struct log_world world;
static char root[64], path[3][80];
static struct disk disk;
static atomic_int owner[HANDLES_MAX]; /* 1 + the copy whose file a handle is of */
static atomic_bool fails[2];

static int failing(int handle)
{
    int copy = handle >= 0 && handle < HANDLES_MAX ? atomic_load(&owner[handle]) - 1 : -1;

    return copy >= 0 && atomic_load(&fails[copy]) ? -EIO : 0;
}

static int open_file(void *context, const char *name, int flags, int *handle)
{
    int error = disk_posix.open(context, name, flags, handle);
    int which = 0;

    for (int copy = 0; copy < 2; copy++)
        if (strncmp(name, path[copy], strlen(path[copy])) == 0)
            which = copy + 1;
    if (error == 0 && *handle < HANDLES_MAX)
        atomic_store(&owner[*handle], which);
    return error;
}

static int write_file(void *context, int handle, uint64_t offset, const void *bytes, size_t size)
{
    int error = failing(handle);

    return error != 0 ? error : disk_posix.write(context, handle, offset, bytes, size);
}

static int sync_file(void *context, int handle)
{
    int error = failing(handle);

    return error != 0 ? error : disk_posix.sync(context, handle);
}

static int setup(void **state)
{
    (void)state;
    test_dir_make(root);
    log_world_init(&world, 1);
    disk_sim_free(world.sim);
    world.sim = NULL;
    for (int place = 0; place < 3; place++)
        snprintf(path[place], sizeof path[place], "%s/%c", root, place < 2 ? 'a' + place : 'w');
    disk = disk_posix;
    disk.open = open_file;
    disk.write = write_file;
    disk.sync = sync_file;
    world.config.disk = &disk;
    world.config.dir[0] = path[0];
    world.config.dir[1] = path[1];
    world.config.witness = path[2];
    world.config.degrade = true;
    world.config.threads = true;
    world.config.segment_bytes = 1 << 17;
    world.config.buffer_bytes = 1 << 16;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_world_free(&world);
    test_dir_remove(root);
    return 0;
}

static enum log_mirror_state mirror_state(void)
{
    struct log_mirror mirror;

    log_mirror(world.log, &mirror);
    return mirror.state;
}

/* As the node's loop does: append what there is room for, else wait for news. */
static void append_some(int count)
{
    for (int i = 0; i < count; i++) {
        enum status status;

        while ((status = log_world_append(&world, test_random_below(&world.random, 3000))) ==
                   STATUS_BUSY ||
               status == STATUS_NOSPACE) {
            struct pollfd event = {.fd = log_event_fd(world.log), .events = POLLIN};

            poll(&event, 1, 100);
            log_event_clear(world.log);
        }
        assert_int_equal(status, STATUS_OK);
        if (i % 8 == 0)
            log_event_clear(world.log);
        log_world_look(&world);
    }
}

static void until(enum log_mirror_state wanted)
{
    for (int i = 0; mirror_state() != wanted; i++) {
        struct log_mirror mirror;

        append_some(5);
        log_mirror(world.log, &mirror);
        if (i > 3000)
            fail_msg("it never came: %s", mirror.message);
        if (wanted == LOG_MIRROR_BOTH)
            log_mirror_resync(world.log);
    }
}

static void all_durable(void)
{
    for (int i = 0; world.durable < world.next - 1; i++) {
        struct pollfd event = {.fd = log_event_fd(world.log), .events = POLLIN};

        assert_true(i < 10000);
        poll(&event, 1, 100);
        log_event_clear(world.log);
        log_world_look(&world);
    }
}

static void delete_copy(int copy)
{
    char name[160];

    for (uint64_t number = 1; number < 2000; number++) {
        snprintf(name, sizeof name, "%s/%016llu.zlog", path[copy], (unsigned long long)number);
        remove(name);
    }
    snprintf(name, sizeof name, "%s/log.id", path[copy]);
    remove(name);
    snprintf(name, sizeof name, "%s/mirror", path[copy]);
    remove(name);
}

static void the_writer_never_stops(void **state)
{
    (void)state;
    log_world_must_open(&world);
    for (int round = 0; round < ROUNDS; round++) {
        int copy = round % 2;

        append_some(100);
        atomic_store(&fails[copy], true);
        until(LOG_MIRROR_ALONE);
        append_some(200);
        all_durable(); /* by the other alone */
        assert_false(log_failed(world.log, NULL));
        atomic_store(&fails[copy], false);
        until(LOG_MIRROR_BOTH);
        all_durable();
        log_world_check(&world);
        if (round % 3 != 2)
            continue;
        log_world_close(&world);
        delete_copy(1 - copy); /* what came back stands for all by itself */
        log_world_must_open(&world);
    }
}

static void both_fail(void **state)
{
    uint64_t durable;

    (void)state;
    log_world_must_open(&world);
    append_some(50);
    atomic_store(&fails[0], true);
    until(LOG_MIRROR_ALONE);
    all_durable();
    durable = log_durable(world.log);
    atomic_store(&fails[1], true);
    assert_int_equal(log_world_append(&world, 100), STATUS_OK);
    for (int i = 0; i < 10000 && !log_failed(world.log, NULL); i++)
        poll(NULL, 0, 1);
    assert_true(log_failed(world.log, NULL));
    assert_int_equal(log_durable(world.log), durable);
    atomic_store(&fails[0], false);
    atomic_store(&fails[1], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_writer_never_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(both_fail, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
