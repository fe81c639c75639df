/* The process dies at each named point of the log, on a real disk, with real threads: nothing that
 * was durable is lost, and the next start succeeds. Needs a build with ZAN_HOOKS.
 *
 * zan-test: timeout=600
 * Runs itself as a child: test PATH = do the work in PATH. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "log/log.h"
#include "support.h"

static const char *const points[] = {
    "log.close.begin",        "log.close.done",       "log.create.copy",
    "log.group.begin",        "log.group.written.0",  "log.group.written.1",
    "log.group.head_written", "log.group.synced.0",   "log.group.synced.1",
    "log.make.created",       "log.make.filled",      "log.make.synced",
    "log.place.renamed",      "log.place.dir_synced", "log.prepare.made",
    "log.prepare.placed",     "log.published",        "log.repair.begin",
    "log.repair.header",      "log.repair.frame",     "log.repair.tail_cut",
    "log.repair.synced",      "log.repair.sealed",    "log.repair.head_written",
    "log.repair.head_synced", "log.repair.named",     "log.tidy.head_written",
    "log.tidy.synced",        "log.turn.begin",       "log.turn.seal_written",
    "log.turn.seal_synced",   "log.turn.done",
};

#define BODY_MAX 2048

static const char *self;

static void make_body(uint64_t sequence, uint8_t body[BODY_MAX], size_t *size)
{
    *size = 200 + hash_mix(sequence) % 1500;
    for (size_t i = 0; i < *size; i++)
        body[i] = (uint8_t)hash_two(sequence, i / 16);
}

static enum status open_log(const char *root, bool threads, struct log **log,
                            struct log_report *report)
{
    char path[2][96];
    struct log_config config = {.disk = &disk_posix,
                                .dir = {path[0], path[1]},
                                .partition_count = 1,
                                .segment_bytes = 16384,
                                .buffer_bytes = 16384,
                                .threads = threads,
                                .create = true};

    for (int copy = 0; copy < 2; copy++)
        snprintf(path[copy], sizeof path[copy], "%s/%c", root, 'a' + copy);
    return log_open(&config, log, report);
}

static enum status check_one(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                             const uint8_t *body, size_t size)
{
    uint64_t *next = argument;
    uint8_t expected[BODY_MAX];
    size_t expected_size;

    (void)time_us;
    assert_int_equal(first, *next);
    assert_int_equal(count, 1);
    make_body(first, expected, &expected_size);
    assert_int_equal(size, expected_size);
    assert_memory_equal(body, expected, size);
    *next = first + 1;
    return STATUS_OK;
}

/* Appends until last + more; what is durable is told through *durable. */
static void append_more(struct log *log, uint64_t last, int more, bool threads,
                        _Atomic uint64_t *durable)
{
    uint8_t body[BODY_MAX];
    size_t size;

    for (uint64_t sequence = last + 1; sequence <= last + (uint64_t)more; sequence++) {
        make_body(sequence, body, &size);
        while (log_has_room(log, size) != STATUS_OK) {
            assert_false(log_failed(log, NULL));
            if (threads)
                usleep(200);
            else
                log_pump(log, 2);
            *durable = log_durable(log);
        }
        log_append(log, sequence, 1, 0, body, size);
        *durable = log_durable(log);
        if (sequence % 7 == 0 && threads)
            usleep(2000);
    }
}

static _Atomic uint64_t *shared_counter(const char *root)
{
    char path[96];
    int fd;
    void *memory;

    snprintf(path, sizeof path, "%s/durable", root);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0 && ftruncate(fd, 4096) == 0);
    memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(memory != MAP_FAILED);
    close(fd);
    return memory;
}

/* The child: opens, appends, rests long enough for the heads to be tidied, closes. */
static int work(const char *root)
{
    _Atomic uint64_t *durable = shared_counter(root);
    struct log_report report;
    struct log *log;

    if (open_log(root, true, &log, &report) != STATUS_OK)
        return 3;
    append_more(log, report.last_sequence, 30, true, durable);
    usleep(120 * 1000);
    *durable = log_durable(log);
    append_more(log, report.last_sequence + 30, 1, true, durable);
    log_close(log);
    *durable = report.last_sequence + 31;
    return 0;
}

static void flip(const char *root, const char *name, off_t offset)
{
    char path[128];
    uint8_t byte = 0;
    int fd;

    snprintf(path, sizeof path, "%s/%s", root, name);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0 && pread(fd, &byte, 1, offset) == 1);
    byte ^= 1;
    assert_true(pwrite(fd, &byte, 1, offset) == 1);
    close(fd);
}

/* A log of some segments, closed in mid-work, with something to repair in every way. */
static uint64_t make_damaged(const char *root)
{
    _Atomic uint64_t durable = 0;
    struct log_report report;
    struct log *log;
    char path[128];
    uint64_t last;

    assert_int_equal(open_log(root, false, &log, &report), STATUS_OK);
    append_more(log, 0, 20, false, &durable);
    log_close(log);
    assert_int_equal(open_log(root, false, &log, &report), STATUS_OK);
    assert_true(report.segments >= 5);
    last = report.last_sequence;
    log_close(log);
    flip(root, "b/0000000000000001.zlog", 10);
    flip(root, "b/0000000000000001.zlog", 12288 + 130);
    flip(root, "a/0000000000000002.zlog", 4096 + 30);
    flip(root, "b/0000000000000002.zlog", 12288 + 130);
    snprintf(path, sizeof path, "%s/b/0000000000000003.zlog", root);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/b/0000000000000004.zlog", root);
    assert_int_equal(truncate(path, 9000), 0);
    snprintf(path, sizeof path, "%s/a/log.id", root);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%016llu.zlog", (unsigned long long)report.segments);
    char active[160];
    snprintf(active, sizeof active, "a/%s", path);
    flip(root, active, 16380); /* a torn tail */
    return last;
}

/* One run that dies at the nth passing of a point. Returns whether it did. */
static bool die_at(const char *point, int nth, bool damaged)
{
    char root[64], crash[64];
    struct log_report report;
    struct log *log;
    uint64_t last = 0, next = 1, durable;
    _Atomic uint64_t unused = 0;
    bool died;
    int status;
    pid_t child;

    test_dir_make(root);
    if (damaged)
        last = make_damaged(root);
    _Atomic uint64_t *counter = shared_counter(root);
    *counter = last;
    snprintf(crash, sizeof crash, "%s:%d", point, nth);
    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("ZAN_CRASH", crash, 1);
        execl(self, self, root, (char *)NULL);
        _exit(9);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!died && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        fail_msg("%s: the child ended with %x", crash, (unsigned)status);
    durable = *counter;
    munmap((void *)counter, 4096);

    if (open_log(root, false, &log, &report) != STATUS_OK)
        fail_msg("%s: %s", crash, report.message);
    if (report.last_sequence < durable)
        fail_msg("%s: %llu were durable, %llu are there", crash, (unsigned long long)durable,
                 (unsigned long long)report.last_sequence);
    assert_int_equal(log_replay(log, 1, check_one, &next), STATUS_OK);
    assert_int_equal(next, report.last_sequence + 1);
    append_more(log, report.last_sequence, 5, false, &unused);
    log_close(log);
    test_dir_remove(root);
    return died;
}

static void each_point_is_survived(void **state)
{
    unsigned deaths = 0;

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        unsigned here = 0;

        for (int nth = 1; nth <= 2; nth++)
            here +=
                (unsigned)die_at(points[i], nth, false) + (unsigned)die_at(points[i], nth, true);
        if (here == 0)
            fail_msg("%s was never reached", points[i]);
        deaths += here;
    }
    printf("%zu points, %u deaths\n", sizeof points / sizeof points[0], deaths);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_point_is_survived)};

    self = argv[0];
    if (argc > 1)
        return work(argv[1]);
#ifndef ZAN_HOOKS
    (void)tests;
    puts("skipped: built without ZAN_HOOKS");
    return 77;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
