/* How the log is meant to be used, and what it says when it is used otherwise. */
#include <string.h>

#include "base/bytes.h"
#include "support/log_world.h"

static struct log_world world;

static int setup(void **state)
{
    (void)state;
    log_world_init(&world, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_world_free(&world);
    return 0;
}

static void what_is_durable_comes_back(void **state)
{
    (void)state;
    log_world_must_open(&world);
    assert_int_equal(world.report.last_sequence, 0);
    assert_int_equal(world.report.first_sequence, 0);
    log_world_fill(&world, 200, 900, 3);
    log_world_check(&world);
    log_world_close(&world);

    log_world_must_open(&world);
    assert_int_equal(world.report.last_sequence, world.next - 1);
    assert_int_equal(world.report.first_sequence, 1);
    assert_int_equal(world.report.batches, 200);
    assert_int_equal(world.report.torn_bytes, 0);
    assert_int_equal(world.report.repaired_segments, 0);
    assert_true(world.report.segments > 5);
    log_world_fill(&world, 50, 900, 3);
    log_world_close(&world);
    log_world_must_open(&world);
}

static void nothing_is_durable_before_both_copies_have_it(void **state)
{
    (void)state;
    log_world_must_open(&world);
    assert_int_equal(log_world_append(&world, 100), STATUS_OK);
    assert_int_equal(log_durable(world.log), 0);
    assert_true(log_pump(world.log, 0));
    assert_int_equal(log_durable(world.log), 0);
    assert_true(log_pump(world.log, 1));
    assert_int_equal(log_durable(world.log), world.next - 1);
    log_world_look(&world);
}

static void a_clean_log_is_opened_without_a_write(void **state)
{
    uint64_t before;

    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 30, 900, 3);
    log_world_close(&world);
    disk_sim_fail(world.sim, 1, DISK_SIM_WRITE | DISK_SIM_SYNC, NULL, 5, true);
    before = disk_sim_operations(world.sim);
    log_world_must_open(&world);
    assert_true(disk_sim_operations(world.sim) > before);
    assert_false(disk_sim_struck(world.sim));
    disk_sim_heal(world.sim);
}

static void a_segment_may_be_filled_to_the_last_byte(void **state)
{
    size_t body = 16384 - 12288 - 112;

    (void)state;
    world.config.buffer_bytes = 16384;
    log_world_must_open(&world);
    for (int i = 0; i < 4; i++) {
        log_world_settle(&world);
        assert_int_equal(log_world_append(&world, body), STATUS_OK);
        log_world_settle(&world);
        log_world_close(&world);
        log_world_must_open(&world);
        assert_int_equal(world.report.segments, i + 1);
    }
    assert_int_equal(log_has_room(world.log, body + 1), STATUS_TOOBIG);
    assert_int_equal(log_has_room(world.log, SIZE_MAX), STATUS_TOOBIG);
}

static void a_full_buffer_is_busy_and_frees_itself(void **state)
{
    enum status status;

    (void)state;
    log_world_must_open(&world);
    log_world_settle(&world);
    while ((status = log_world_append(&world, 300)) == STATUS_OK)
        ;
    assert_int_equal(status, STATUS_BUSY);
    log_world_settle(&world);
    assert_int_equal(log_world_append(&world, 300), STATUS_OK);
    log_world_settle(&world);
    log_world_check(&world);
}

struct seen {
    uint64_t first, calls, stop_at;
};

static enum status see(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                       const uint8_t *body, size_t size)
{
    struct seen *seen = argument;

    (void)time_us;
    (void)body;
    (void)size;
    if (seen->calls++ == 0)
        seen->first = first;
    return seen->stop_at != 0 && first + count > seen->stop_at ? STATUS_BUSY : STATUS_OK;
}

static void a_replay_begins_with_the_batch_that_holds_the_sequence(void **state)
{
    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 100, 900, 3);
    for (size_t i = 0; i < world.count; i++)
        for (uint32_t k = 0; k < world.batch[i].count; k++) {
            struct seen seen = {0};

            assert_int_equal(log_replay(world.log, world.batch[i].first + k, see, &seen),
                             STATUS_OK);
            assert_int_equal(seen.first, world.batch[i].first);
            assert_int_equal(seen.calls, world.count - i);
        }
    struct seen none = {0};
    assert_int_equal(log_replay(world.log, world.next, see, &none), STATUS_OK);
    assert_int_equal(none.calls, 0);
    struct seen stopped = {.stop_at = world.batch[50].first};
    assert_int_equal(log_replay(world.log, 1, see, &stopped), STATUS_BUSY);
    assert_int_equal(stopped.calls, 51);
}

static void refused(enum status expected, const char *words)
{
    enum status status = log_world_open(&world);

    if (status == STATUS_OK)
        fail_msg("opened, instead of: %s", words);
    assert_int_equal(status, expected);
    world.log = NULL;
    if (strstr(world.report.message, words) == NULL)
        fail_msg("message \"%s\" does not say \"%s\"", world.report.message, words);
}

static void a_stranger_is_refused_by_name(void **state)
{
    (void)state;
    world.config.create = false;
    refused(STATUS_BADDATA, "there is no log here");
    world.config.create = true;
    log_world_must_open(&world);
    log_world_fill(&world, 30, 900, 3);
    log_world_close(&world);

    world.config.partition_count = 2;
    refused(STATUS_BADDATA, "partition 0 of 1, and partition 0 of 2");
    world.config.partition_count = 1;
    world.config.partition = 7;
    refused(STATUS_BADDATA, "partition 7 of 1");

    /* A log of another partition stands for any other log: its id differs. */
    world.config.dir[0] = "c";
    world.config.dir[1] = "d";
    assert_int_equal(log_world_open(&world), STATUS_OK);
    log_world_drop(&world);
    world.config.dir[0] = "a";
    refused(STATUS_BADDATA, "two different logs");
    world.config.segment_bytes = 16385;
    refused(STATUS_BADCONFIG, "multiple of 4096");
    world.config.segment_bytes = 16384;
    world.config.dir[1] = "b";
    world.config.partition = 0;
    log_world_must_open(&world);
}

static void another_segment_size_is_used_from_the_next_segment_on(void **state)
{
    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 30, 900, 3);
    log_world_close(&world);
    world.config.segment_bytes = 32768;
    log_world_must_open(&world);
    log_world_fill(&world, 100, 900, 3);
    log_world_close(&world);
    world.config.segment_bytes = 16384;
    log_world_must_open(&world);
    log_world_fill(&world, 100, 900, 3);
    log_world_close(&world);
    log_world_must_open(&world);
}

static void a_reader_changes_nothing(void **state)
{
    uint64_t torn;

    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 60, 900, 3);
    assert_int_equal(log_world_append(&world, 100), STATUS_OK);
    assert_true(log_pump(world.log, 0)); /* one copy is ahead */
    log_world_drop(&world);
    disk_sim_flip(world.sim, "a/0000000000000001.zlog", 13000, 1);

    disk_sim_fail(world.sim, 1, DISK_SIM_WRITE | DISK_SIM_SYNC | DISK_SIM_SYNC_DIR, NULL, 5, true);
    world.config.read_only = true;
    log_world_must_open(&world);
    assert_int_equal(log_has_room(world.log, 1), STATUS_READONLY);
    assert_false(log_pump(world.log, 0));
    assert_int_equal(world.report.repaired_segments, 1);
    torn = world.report.torn_bytes;
    log_close(world.log);
    world.log = NULL;
    assert_false(disk_sim_struck(world.sim));
    assert_int_equal(torn, 0);
    disk_sim_heal(world.sim);
    world.config.read_only = false;
    log_world_must_open(&world);
}

struct findings {
    unsigned count;
    char last[512];
    uint64_t done, total;
};

static void keep_finding(void *argument, const char *text)
{
    struct findings *findings = argument;

    findings->count++;
    strncpy(findings->last, text, sizeof findings->last - 1);
}

static void keep_progress(void *argument, uint64_t done, uint64_t total)
{
    struct findings *findings = argument;

    assert_true(done >= findings->done && done <= total);
    findings->done = done;
    findings->total = total;
}

static void verify_names_the_damage_and_leaves_it(void **state)
{
    struct findings findings = {0};

    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 60, 900, 3);
    log_world_close(&world);
    assert_int_equal(
        log_verify(&world.config, &world.report, keep_progress, keep_finding, &findings),
        STATUS_OK);
    assert_int_equal(findings.count, 0);
    assert_true(findings.done > 0);
    assert_int_equal(world.report.last_sequence, world.next - 1);

    disk_sim_flip(world.sim, "b/0000000000000002.zlog", 12288 + 120, 4);
    for (int i = 0; i < 2; i++) {
        findings = (struct findings){0};
        assert_int_equal(log_verify(&world.config, &world.report, NULL, keep_finding, &findings),
                         STATUS_OK);
        assert_int_equal(findings.count, 1);
        assert_non_null(strstr(findings.last, "b/0000000000000002.zlog: offset 12288: sequences"));
        assert_int_equal(world.report.repaired_segments, 1);
    }
    log_world_must_open(&world);
    log_world_close(&world);
    findings = (struct findings){0};
    assert_int_equal(log_verify(&world.config, &world.report, NULL, keep_finding, &findings),
                     STATUS_OK);
    assert_int_equal(findings.count, 0);
}

/* With trust_sealed a start reads the ends of the segments only. The damage inside is met by the
 * reader, who takes the other copy and mends it, or by a full open. */
static void sealed_segments_may_be_trusted(void **state)
{
    static const char file[] = "a/0000000000000002.zlog";
    struct log_stats stats;

    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 100, 900, 3);
    log_world_close(&world);
    log_world_must_open(&world);
    assert_int_equal(world.report.batches, 100);
    log_world_close(&world);

    disk_sim_flip(world.sim, file, 14000, 4);
    world.config.trust_sealed = true;
    assert_int_equal(log_world_open(&world), STATUS_OK);
    assert_true(world.report.batches < 100);
    assert_int_equal(world.report.last_sequence, world.next - 1);
    assert_int_equal(world.report.repaired_segments, 0);
    log_close(world.log); /* nothing was read: the damage is still there */
    world.config.trust_sealed = false;
    log_world_must_open(&world);
    assert_int_equal(world.report.repaired_segments, 1);
    log_world_close(&world);

    disk_sim_flip(world.sim, file, 14000, 4);
    world.config.trust_sealed = true;
    world.config.full_segments = 1000; /* all that there are */
    log_world_must_open(&world);
    assert_int_equal(world.report.repaired_segments, 1);
    log_world_close(&world);
    world.config.full_segments = 0;

    disk_sim_flip(world.sim, file, 14000, 4);
    log_world_must_open(&world); /* and replays all */
    log_stats(world.log, &stats);
    assert_int_equal(stats.mended_batches, 1);
    log_world_check(&world);
    log_stats(world.log, &stats);
    assert_int_equal(stats.mended_batches, 1);
    log_world_fill(&world, 30, 900, 3);
    log_world_close(&world);
    world.config.trust_sealed = false;
    log_world_must_open(&world);
    assert_int_equal(world.report.repaired_segments, 0);
}

static void a_batch_rotten_in_both_copies_is_never_handed_out(void **state)
{
    struct seen seen = {0};

    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 60, 900, 3);
    disk_sim_flip(world.sim, "a/0000000000000002.zlog", 12288 + 112, 4);
    disk_sim_flip(world.sim, "b/0000000000000002.zlog", 12288 + 112, 4);
    assert_int_equal(log_replay(world.log, 1, see, &seen), STATUS_CORRUPT);
    assert_true(seen.calls > 0 && seen.calls < world.count);
}

/* A process that stopped in the middle of a failed sync leaves pages the kernel calls clean and the
 * medium does not have. What is kept at the next open must be on the medium. */
static void what_is_kept_after_a_failed_sync_reaches_the_medium(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        log_world_free(&world);
        log_world_init(&world, seed);
        log_world_must_open(&world);
        log_world_fill(&world, 5, 900, 3);
        assert_int_equal(log_world_append(&world, 700), STATUS_OK);
        disk_sim_fail(world.sim, 1, DISK_SIM_SYNC, NULL, 5, true);
        while (log_pump(world.log, (uint32_t)seed))
            ;
        assert_true(log_failed(world.log, NULL));
        log_world_drop(&world);
        disk_sim_kill(world.sim);
        log_world_must_open(&world); /* sees the cache, so the batch may well be kept */
        log_world_drop(&world);
        disk_sim_kill(world.sim);
        disk_sim_evict(world.sim);
        world.durable = world.next - 1;
        log_world_must_open(&world);
        log_world_drop(&world);
        disk_sim_crash(world.sim);
        log_world_must_open(&world);
    }
}

static void lazy_sync_hands_to_the_kernel(void **state)
{
    (void)state;
    world.config.sync = LOG_SYNC_NONE;
    log_world_must_open(&world);
    log_world_fill(&world, 200, 900, 20);
    log_world_drop(&world);
    disk_sim_kill(world.sim); /* the process ends, the kernel lives: nothing is lost */
    log_world_must_open(&world);
    log_world_fill(&world, 20, 900, 20);
    log_world_close(&world);
    disk_sim_crash(world.sim);
    log_world_must_open(&world);

    for (int i = 0; i < 20; i++) { /* a power cut loses the last of it, and never more than that */
        assert_int_equal(log_world_append(&world, 500), STATUS_OK);
        assert_true(log_pump(world.log, 0));
        assert_true(log_pump(world.log, 1));
        if (i % 4 == 0)
            log_world_settle(&world);
        log_world_drop(&world);
        disk_sim_crash(world.sim);
        world.durable = 0;
        log_world_must_open(&world);
    }
}

static void statistics_add_up(void **state)
{
    struct log_stats stats;

    (void)state;
    log_world_must_open(&world);
    log_world_fill(&world, 60, 900, 3);
    log_stats(world.log, &stats);
    assert_int_equal(stats.appended_batches, 60);
    assert_int_equal(stats.buffered_bytes, 0);
    assert_true(stats.syncs[0] > 0 && stats.syncs[1] > 0);
    assert_true(stats.segments > 1);
    assert_int_equal(log_event_fd(world.log), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(what_is_durable_comes_back),
        TEST(nothing_is_durable_before_both_copies_have_it),
        TEST(a_clean_log_is_opened_without_a_write),
        TEST(a_segment_may_be_filled_to_the_last_byte),
        TEST(a_full_buffer_is_busy_and_frees_itself),
        TEST(a_replay_begins_with_the_batch_that_holds_the_sequence),
        TEST(a_stranger_is_refused_by_name),
        TEST(another_segment_size_is_used_from_the_next_segment_on),
        TEST(a_reader_changes_nothing),
        TEST(verify_names_the_damage_and_leaves_it),
        TEST(sealed_segments_may_be_trusted),
        TEST(a_batch_rotten_in_both_copies_is_never_handed_out),
        TEST(what_is_kept_after_a_failed_sync_reaches_the_medium),
        TEST(lazy_sync_hands_to_the_kernel),
        TEST(statistics_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
