/* zan-test: timeout=600
 *
 * A store whose process was killed stands for exactly one flush: the last one that was answered, or a
 * later one. Killed at any moment, and (in builds with hooks) at every named crash point.
 *
 * This program is its own victim: "test.unit.store.crash victim PATH SEED" opens the store, finds out how
 * far it is, goes on flushing the same world, and writes a byte to standard output after each flush. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/store_world.h"

enum { FLUSHES = 40 };

static uint64_t seed;
static uint64_t digests[FLUSHES + 1], sequences[FLUSHES + 1];
static struct world *after; /* the world after all flushes: what is asked for */

static struct store_flush next_flush(struct world *world, int number)
{
    for (int i = 0; i < 20 + number % 7 * 30; i++)
        world_step(world);
    return world_flush(world);
}

static int victim(const char *path, uint64_t world_seed)
{
    struct store_config config = world_config(path);
    struct world *world = world_make(world_seed);
    struct store *store;
    char message[256];
    enum status status = store_open(&config, &store, message);

    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", status_info(status)->code, message);
        return 1;
    }
    for (int f = 0; f < FLUSHES; f++) {
        struct store_flush flush = next_flush(world, f);

        if (flush.applied > store_applied(store)) {
            if (store_flush(store, &flush, message) != STATUS_OK)
                return 1;
            if (write(STDOUT_FILENO, "f", 1) != 1)
                return 1;
        }
        world_flush_free(&flush);
    }
    store_close(store);
    free(world);
    return 0;
}

static int make_truth(void **state)
{
    struct store_config config = world_config(NULL);
    struct world *world;
    struct store *twin;
    char message[256];

    (void)state;
    after = world_make(seed);
    for (int f = 0; f < FLUSHES; f++) {
        struct store_flush flush = next_flush(after, f);
        world_flush_free(&flush);
    }
    world = world_make(seed);
    assert_int_equal(store_open(&config, &twin, message), STATUS_OK);
    assert_int_equal(world_read(after, twin, &digests[0]), STATUS_OK);
    for (int f = 0; f < FLUSHES; f++) {
        struct store_flush flush = next_flush(world, f);

        assert_int_equal(store_flush(twin, &flush, message), STATUS_OK);
        sequences[f + 1] = flush.applied;
        assert_int_equal(world_read(after, twin, &digests[f + 1]), STATUS_OK);
        world_flush_free(&flush);
    }
    store_close(twin);
    free(world);
    return 0;
}

static int drop_truth(void **state)
{
    (void)state;
    free(after);
    return 0;
}

/* Starts a victim; *answers is the reading end of what it writes. */
static pid_t start(const char *path, const char *crash, int *answers)
{
    char number[32];
    int ends[2];
    pid_t child;

    snprintf(number, sizeof number, "%lu", (unsigned long)seed);
    assert_int_equal(pipe(ends), 0);
    if ((child = fork()) == 0) {
        if (crash != NULL)
            setenv("ZAN_CRASH", crash, 1);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "victim", "victim", path, number, (char *)NULL);
        _exit(2);
    }
    assert_true(child > 0);
    close(ends[1]);
    *answers = ends[0];
    return child;
}

static int count_answers(int answers)
{
    char bytes[FLUSHES + 1];
    int count = 0;
    ssize_t size;

    while ((size = read(answers, bytes, sizeof bytes)) > 0)
        count += (int)size;
    close(answers);
    return count;
}

static int flushes_at_rest(const struct store *store)
{
    for (int f = 0; f <= FLUSHES; f++)
        if (store_applied(store) == sequences[f])
            return f;
    fail_msg("the store stands for %lu, which no flush was", (unsigned long)store_applied(store));
    return -1;
}

/* Opens what a victim left, checks it whole, and returns how many flushes it holds. */
static int check(const char *path, int at_least)
{
    struct store_config config = world_config(path);
    struct store *store = NULL;
    char message[256];
    uint64_t digest = 0;
    enum status status = store_open(&config, &store, message);
    int flushes;

    if (status != STATUS_OK)
        fail_msg("%s: %s", status_info(status)->code, message);
    flushes = flushes_at_rest(store);
    assert_true(flushes >= at_least);
    assert_int_equal(world_read(after, store, &digest), STATUS_OK);
    assert_true(digest == digests[flushes]);
    store_close(store);
    return flushes;
}

static void killed_at_any_moment(void **state)
{
    struct test_random random = {seed};
    char path[64] = "";
    int flushes = 0, rounds = 0;

    (void)state;
    test_dir_make(path);
    while (flushes < FLUSHES && rounds++ < 60) {
        struct timespec pause = {.tv_nsec = (long)test_random_below(&random, 120) * 1000000};
        int answers, code;
        pid_t child = start(path, NULL, &answers);

        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        flushes += count_answers(answers);
        waitpid(child, &code, 0);
        if (WIFEXITED(code) && WEXITSTATUS(code) != 0)
            fail_msg("the victim failed");
        flushes = check(path, flushes);
    }
    printf("%d flushes survived %d kills\n", flushes, rounds);
    test_dir_remove(path);
}

#ifdef ZAN_HOOKS
static const char *const points[] = {
    "store.before_open",      "store.opened",      "store.before_sst", "store.sst_half_written",
    "store.sst_written",      "store.ingested",    "store.published",
};
#endif

/* The nth time each point is reached: 1 is while the store is made. */
static void killed_at_each_crash_point(void **state)
{
    (void)state;
#ifndef ZAN_HOOKS
    skip();
#else
    for (unsigned p = 0; p < sizeof points / sizeof *points; p++) {
        for (int n = 1; n <= (p < 2 ? 1 : 9); n += 2) {
            char path[64] = "", crash[80];
            int answers, code, flushes;
            pid_t child;

            test_dir_make(path);
            snprintf(crash, sizeof crash, "%s:%d", points[p], n);
            child = start(path, crash, &answers);
            flushes = count_answers(answers);
            waitpid(child, &code, 0);
            if (!WIFSIGNALED(code))
                fail_msg("%s was not reached", crash);
            (void)check(path, flushes);
            child = start(path, NULL, &answers); /* and it can be gone on with */
            (void)count_answers(answers);
            waitpid(child, &code, 0);
            assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
            assert_int_equal(check(path, 0), FLUSHES);
            test_dir_remove(path);
        }
    }
#endif
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment),
        cmocka_unit_test(killed_at_each_crash_point),
    };

    if (count == 4 && strcmp(words[1], "victim") == 0)
        return victim(words[2], strtoull(words[3], NULL, 10));
    seed = test_seed(31);
    return cmocka_run_group_tests(tests, make_truth, drop_truth);
}
