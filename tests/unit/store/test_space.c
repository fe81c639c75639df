/* zan-test: timeout=600
 *
 * A full disk: a flush ends with NOSPACE and changes nothing, reads go on, and the store goes on by
 * itself when there is space again. On a small tmpfs of its own; skipped where it may not mount one.
 * Fills at random moments, so that compaction and the manifest run out of space too. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "support/store_world.h"

static uint64_t free_bytes(const char *path)
{
    struct statvfs info;

    assert_int_equal(statvfs(path, &info), 0);
    return info.f_bavail * info.f_bsize;
}

/* A stranger's file that leaves so many bytes. */
static void fill(const char *directory, uint64_t leave)
{
    static char zeros[4096];
    char path[100];
    int handle;

    snprintf(path, sizeof path, "%s/stranger", directory);
    handle = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(handle >= 0);
    while (free_bytes(directory) > leave)
        if (write(handle, zeros, sizeof zeros) <= 0)
            break;
    close(handle);
}

static void empty(const char *directory)
{
    char path[100];

    snprintf(path, sizeof path, "%s/stranger", directory);
    (void)unlink(path);
}

static double clock_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_nsec = ms * 1000000};

    nanosleep(&pause, NULL);
}

struct scene {
    struct world *world;
    struct store *store, *twin;
    unsigned refused;
    double longest_s;
};

/* One flush; while the disk is full it is refused and all is as it was; then it goes through. */
static void flush_through(struct scene *scene, const char *directory)
{
    struct store_flush flush = world_flush(scene->world), copy = world_flush_copy(&flush);
    uint64_t before = store_applied(scene->store);
    char message[256];
    enum status status = store_flush(scene->store, &flush, message);
    double since_s;

    if (status != STATUS_OK) {
        if (status != STATUS_NOSPACE)
            fail_msg("%s: %s", status_info(status)->code, message);
        scene->refused++;
        assert_true(store_applied(scene->store) == before);
        world_same(scene->world, scene->store, scene->twin, before);
        /* Compaction meets the full disk meanwhile; or it frees space, and the flush goes through. */
        for (int again = 0; again < 3 && status == STATUS_NOSPACE; again++) {
            pause_ms(20);
            fill(directory, 0);
            status = store_flush(scene->store, &flush, message);
            assert_true(status == STATUS_OK || status == STATUS_NOSPACE);
        }
    }
    empty(directory);
    since_s = clock_s();
    while (status != STATUS_OK) { /* as the node does: again and again */
        if (clock_s() - since_s > 60)
            fail_msg("still refused after a minute: %s: %s", status_info(status)->code, message);
        pause_ms(100);
        status = store_flush(scene->store, &flush, message);
        if (status != STATUS_OK)
            assert_int_equal(status, STATUS_NOSPACE);
    }
    if (clock_s() - since_s > scene->longest_s)
        scene->longest_s = clock_s() - since_s;
    assert_int_equal(store_flush(scene->twin, &copy, message), STATUS_OK);
    world_same(scene->world, scene->store, scene->twin, before);
    world_flush_free(&flush);
    world_flush_free(&copy);
}

static void goes_on_when_there_is_space_again(void **state)
{
    struct scene scene = {.world = world_make(test_seed(41))};
    char directory[64] = "", path[80], message[256];
    struct store_config config, memory = world_config(NULL);
    const char *text = getenv("ZAN_FILLS");
    long rounds = text != NULL ? strtol(text, NULL, 10) : 40;

    (void)state;
    test_dir_make(directory);
    if (mount("none", directory, "tmpfs", 0, "size=16m") != 0) {
        test_dir_remove(directory);
        free(scene.world);
        skip();
    }
    snprintf(path, sizeof path, "%s/store", directory);
    config = world_config(path);
    assert_int_equal(store_open(&config, &scene.store, message), STATUS_OK);
    assert_int_equal(store_open(&memory, &scene.twin, message), STATUS_OK);
    for (long round = 0; round < rounds; round++) {
        for (int i = 0; i < 150; i++)
            world_step(scene.world);
        if (round % 3 != 0)
            fill(directory, test_random_below(&scene.world->random, 6) * 4096);
        flush_through(&scene, directory);
    }
    printf("%u of %ld flushes were refused first; the longest wait was %.1f s\n", scene.refused,
           rounds, scene.longest_s);
    assert_true(scene.refused > 0);
    store_close(scene.store);
    assert_int_equal(store_open(&config, &scene.store, message), STATUS_OK);
    world_same(scene.world, scene.store, scene.twin, 1);
    store_close(scene.store);
    store_close(scene.twin);
    free(scene.world);
    umount(directory);
    test_dir_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(goes_on_when_there_is_space_again)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
