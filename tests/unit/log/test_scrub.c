/* The scrubber beside a log that is open: damage in one copy of a segment left behind is mended, in
 * both it is named; what is being written is left alone. And one batch can be fetched from
 * anywhere. */
#include <string.h>

#include "support/log_world.h"

#define SEGMENT 16384
#define DATA    12288

static struct log_world world;
static struct log_scrub *scrub;

static int setup(void **state)
{
    (void)state;
    log_world_init(&world, 1);
    log_world_must_open(&world);
    while (!disk_sim_exists(world.sim, "a/0000000000000005.zlog")) {
        log_world_fill(&world, 1, 700, 2);
        log_world_settle(&world);
    }
    scrub = log_scrub_open(world.log);
    assert_non_null(scrub);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_scrub_close(scrub);
    log_world_close(&world);
    log_world_must_open(&world);
    assert_int_equal(world.report.repaired_segments, 0);
    log_world_check(&world);
    log_world_free(&world);
    return 0;
}

/* From wherever it stands until all has been read anew, in steps of some bytes; what that added to
 * the figures. */
static struct log_scrub_stats round_of(uint64_t bytes)
{
    struct log_scrub_stats before, now;

    log_scrub_stats(scrub, &before);
    do {
        assert_true(log_scrub_step(scrub, bytes) > 0);
        log_scrub_stats(scrub, &now);
    } while (now.rounds < before.rounds + 2);
    now.repaired -= before.repaired;
    now.unrepaired -= before.unrepaired;
    now.lost -= before.lost;
    return now;
}

static void a_whole_log_is_left_alone(void **state)
{
    struct log_scrub_stats seen;

    (void)state;
    for (uint64_t bytes = 1; bytes < 1 << 20; bytes *= 8) {
        uint64_t trace = disk_sim_operations(world.sim);

        seen = round_of(bytes);
        assert_int_equal(seen.repaired + seen.unrepaired + seen.lost, 0);
        assert_true(disk_sim_operations(world.sim) > trace);
    }
    assert_true(seen.rounds > 0);
}

static void damage_in_one_copy_is_mended(void **state)
{
    static const char *const paths[] = {"a/0000000000000001.zlog", "b/0000000000000002.zlog"};
    unsigned mended = 0;

    (void)state;
    for (int i = 0; i < 2; i++)
        for (uint64_t at = 0; at < SEGMENT; at += 13) {
            uint8_t was = disk_sim_peek(world.sim, paths[i])[at];
            struct log_scrub_stats seen;

            disk_sim_flip(world.sim, paths[i], at, (uint8_t)(1 << at % 8));
            seen = round_of(SEGMENT);
            assert_int_equal(seen.unrepaired + seen.lost, 0);
            mended += seen.repaired > 0;
            if (seen.repaired == 0) /* only where nothing was written */
                disk_sim_flip(world.sim, paths[i], at, (uint8_t)(1 << at % 8));
            if (seen.repaired == 0 && (was != 0 || at < DATA))
                fail_msg("%s: byte %d flipped, and nobody saw", paths[i], (int)at);
            if (at < 4096 || at >= DATA) /* heads may have become newer */
                assert_int_equal(disk_sim_peek(world.sim, paths[i])[at], was);
        }
    assert_true(mended > 2 * DATA / 13);
    assert_int_equal(round_of(SEGMENT).repaired, 0);
}

static void damage_in_both_is_named(void **state)
{
    struct log_scrub_stats seen;

    (void)state;
    for (int copy = 0; copy < 2; copy++)
        disk_sim_flip(world.sim, copy ? "b/0000000000000002.zlog" : "a/0000000000000002.zlog",
                      DATA + 150, 1);
    seen = round_of(SEGMENT);
    assert_true(seen.lost > 0);
    assert_non_null(strstr(seen.message, "0000000000000002.zlog"));
    assert_non_null(strstr(seen.message, "neither copy"));
    for (int copy = 0; copy < 2; copy++)
        disk_sim_flip(world.sim, copy ? "b/0000000000000002.zlog" : "a/0000000000000002.zlog",
                      DATA + 150, 1);
    assert_int_equal(round_of(SEGMENT).lost, 0);
}

static void a_disk_that_cannot_write_is_told(void **state)
{
    struct log_scrub_stats seen;

    (void)state;
    disk_sim_flip(world.sim, "b/0000000000000001.zlog", DATA + 150, 1);
    disk_sim_fail(world.sim, 1, DISK_SIM_WRITE, "b/0000000000000001", 5, false);
    seen = round_of(SEGMENT);
    assert_int_equal(seen.unrepaired, 1);
    assert_true(seen.repaired <=
                1); /* the second time it can, unless the failed write was enough */
    disk_sim_heal(world.sim);
    assert_int_equal(round_of(SEGMENT).repaired, 0);
}

static void what_cannot_be_read_for_a_moment_is_not_lost(void **state)
{
    struct log_scrub_stats before, now;

    (void)state;
    for (uint64_t nth = 1; nth < 60; nth++) {
        disk_sim_fail(world.sim, nth, DISK_SIM_OPEN | DISK_SIM_READ | DISK_SIM_SIZE, NULL, 5,
                      false);
        assert_int_equal(round_of(SEGMENT).lost, 0);
    }
    /* Nothing at all, for one look; then again. */
    log_scrub_stats(scrub, &before);
    disk_sim_fail(world.sim, 1, DISK_SIM_OPEN, NULL, 5, true);
    for (int i = 0; i < 100; i++) {
        log_scrub_stats(scrub, &now);
        if (now.unrepaired > before.unrepaired)
            break;
        log_scrub_step(scrub, 1);
    }
    disk_sim_heal(world.sim);
    assert_int_equal(now.lost, before.lost);
    assert_int_equal(round_of(SEGMENT).lost, 0);
}

static enum status note_batch(void *argument, uint64_t first_sequence, uint32_t count,
                              int64_t time_us, const uint8_t *body, size_t size)
{
    uint64_t *range = argument;

    (void)time_us, (void)body, (void)size;
    range[0] = first_sequence;
    range[1] = first_sequence + count;
    return STATUS_OK;
}

static void a_batch_is_fetched_by_its_number(void **state)
{
    uint64_t range[2];

    (void)state;
    for (uint64_t sequence = 1; sequence <= world.durable; sequence++) {
        uint64_t segment = log_segment_of(world.log, sequence);

        assert_int_equal(log_fetch(world.log, segment, sequence, note_batch, range), STATUS_OK);
        assert_true(range[0] <= sequence && sequence < range[1]);
    }
    disk_sim_flip(world.sim, "a/0000000000000001.zlog", DATA + 150, 1);
    assert_int_equal(log_fetch(world.log, 1, 1, note_batch, range), STATUS_OK);
    disk_sim_flip(world.sim, "b/0000000000000001.zlog", DATA + 150, 1);
    assert_int_equal(log_fetch(world.log, 1, 1, note_batch, range), STATUS_CORRUPT);
    disk_sim_flip(world.sim, "a/0000000000000001.zlog", DATA + 150, 1);
    disk_sim_flip(world.sim, "b/0000000000000001.zlog", DATA + 150, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log_is_left_alone),
        cmocka_unit_test(damage_in_one_copy_is_mended),
        cmocka_unit_test(damage_in_both_is_named),
        cmocka_unit_test(a_disk_that_cannot_write_is_told),
        cmocka_unit_test(what_cannot_be_read_for_a_moment_is_not_lost),
        cmocka_unit_test(a_batch_is_fetched_by_its_number),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
