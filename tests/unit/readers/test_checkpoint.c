/* A checkpoint is what was saved, or is refused: whatever bit is wrong in it, wherever the program
 * or the power ended while one was written, and never in place of another reader's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers/checkpoint.h"
#include "support.h"
#include "support/disk_sim.h"

#define PATH           "d/tally.checkpoint"
#define PARTS          3
#define SIZE_MAX_BYTES 200000

/* A reader that holds some bytes. */
struct tally {
    uint32_t size;
    uint8_t bytes[SIZE_MAX_BYTES];
};

static struct tally held, made;
static struct checkpoint_work work;
static struct disk_sim *sim;
static struct checkpoint_place places[PARTS], found[PARTS];
static char message[160];
static uint64_t bytes;

static enum status save(void *self, struct reader_sink *sink)
{
    struct tally *tally = self;
    enum status status = reader_put(sink, &tally->size, sizeof tally->size);

    for (uint32_t at = 0; status == STATUS_OK && at < tally->size; at += 1000) /* in pieces */
        status =
            reader_put(sink, tally->bytes + at, tally->size - at < 1000 ? tally->size - at : 1000);
    return status;
}

static enum status restore(void *self, struct reader_source *source)
{
    struct tally *tally = self;

    if (reader_get(source, &tally->size, sizeof tally->size) != STATUS_OK ||
        tally->size > SIZE_MAX_BYTES)
        return STATUS_BADDATA;
    return reader_get(source, tally->bytes, tally->size);
}

static const struct reader writer = {.name = "tally", .version = 7, .self = &held, .save = save};
static const struct reader taker = {
    .name = "tally", .version = 7, .self = &made, .restore = restore};

static void fill(uint64_t seed, uint32_t size)
{
    struct test_random random = {.state = seed};

    memset(&held, 0, sizeof held);
    held.size = size;
    for (uint32_t i = 0; i < size; i++)
        held.bytes[i] = (uint8_t)test_random_next(&random);
    for (int i = 0; i < PARTS; i++) {
        memset(places[i].mark.log_id, (int)seed + i, sizeof places[i].mark.log_id);
        memset(places[i].mark.chain, (int)seed + 9 * i, sizeof places[i].mark.chain);
        places[i].mark.sequence = seed * 1000 + (uint64_t)i;
        places[i].time_us = (int64_t)seed * 77;
    }
}

static enum status write_it(void)
{
    return checkpoint_write(&work, disk_sim_disk(sim), "d", &writer, places, PARTS, &bytes);
}

static enum status read_with(const struct reader *reader, uint16_t partitions)
{
    memset(&made, 0, sizeof made);
    return checkpoint_read(&work, disk_sim_disk(sim), "d", reader, found, partitions, message);
}

static bool is_what_was_saved(void)
{
    return made.size == held.size && memcmp(made.bytes, held.bytes, held.size) == 0 &&
           memcmp(found, places, sizeof places) == 0;
}

static int setup(void **state)
{
    const struct disk *disk;

    (void)state;
    sim = disk_sim_new(1);
    disk = disk_sim_disk(sim);
    return disk->make_dir(disk->context, "d");
}

static int teardown(void **state)
{
    (void)state;
    disk_sim_free(sim);
    return 0;
}

static void it_comes_back_whatever_its_size(void **state)
{
    static const uint32_t sizes[] = {0, 1, 999, 65531, 65532, 65533, 131068, 131069, 200000};

    (void)state;
    assert_int_equal(read_with(&taker, PARTS), STATUS_UNCHANGED);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        fill(i + 1, sizes[i]);
        assert_int_equal(write_it(), STATUS_OK);
        assert_int_equal(bytes, disk_sim_bytes(sim, PATH));
        assert_int_equal(read_with(&taker, PARTS), STATUS_OK);
        assert_true(is_what_was_saved());
    }
}

static void every_wrong_bit_is_seen(void **state)
{
    (void)state;
    fill(3, 300);
    assert_int_equal(write_it(), STATUS_OK);
    for (uint64_t at = 0; at < bytes; at++) {
        disk_sim_flip(sim, PATH, at, (uint8_t)(1 << at % 8));
        assert_int_equal(read_with(&taker, PARTS), STATUS_BADDATA);
        assert_true(message[0] != '\0');
        disk_sim_flip(sim, PATH, at, (uint8_t)(1 << at % 8));
    }
    assert_int_equal(read_with(&taker, PARTS), STATUS_OK);
    for (uint64_t size = bytes; size-- > 0;) {
        disk_sim_cut(sim, PATH, size);
        assert_int_equal(read_with(&taker, PARTS), STATUS_BADDATA);
    }
}

static void another_readers_is_refused(void **state)
{
    struct reader other = taker;

    (void)state;
    fill(4, 5000);
    assert_int_equal(write_it(), STATUS_OK);
    other.version = 8;
    assert_int_equal(read_with(&other, PARTS), STATUS_BADDATA);
    assert_int_equal(read_with(&taker, PARTS - 1), STATUS_BADDATA);
    other = taker;
    other.name = "other";
    disk_sim_put(sim, "d/other.checkpoint", sim, PATH);
    assert_int_equal(read_with(&other, PARTS), STATUS_BADDATA);
}

/* What the next process finds after the program, or the power, has ended at any moment of writing:
 * the old one or the new one, or nothing that it takes for one. */
static void a_crash_leaves_the_old_one_or_the_new_one(void **state)
{
    unsigned old = 0, fresh = 0;

    (void)state;
    for (int power = 0; power < 2; power++)
        for (uint64_t nth = 1;; nth++) {
            struct tally *before = malloc(sizeof *before);
            enum status status;
            bool struck;

            assert_non_null(before);
            disk_sim_free(sim);
            sim = disk_sim_new(nth);
            disk_sim_disk(sim)->make_dir(disk_sim_disk(sim)->context, "d");
            fill(5, 150000);
            assert_int_equal(write_it(), STATUS_OK);
            *before = held;
            fill(6, 70000);
            disk_sim_die(sim, nth);
            status = write_it();
            struck = disk_sim_struck(sim);
            if (power)
                disk_sim_crash(sim);
            else
                disk_sim_kill(sim);
            disk_sim_heal(sim);
            if (read_with(&taker, PARTS) != STATUS_OK)
                fail_msg("power %d, operation %d: %s", power, (int)nth, message);
            if (made.size == before->size) {
                assert_memory_equal(made.bytes, before->bytes, before->size);
                assert_true(status != STATUS_OK); /* what was said to be there is there */
                old++;
            } else {
                assert_true(is_what_was_saved());
                fresh++;
            }
            free(before);
            assert_int_equal(write_it(), STATUS_OK); /* and it goes on */
            assert_int_equal(read_with(&taker, PARTS), STATUS_OK);
            if (!struck)
                break;
        }
    assert_true(old > 4 && fresh > 1);
}

static void a_disk_that_fails_leaves_the_old_one(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        fill(5, 150000);
        assert_int_equal(write_it(), STATUS_OK);
        fill(6, 70000);
        disk_sim_fail(sim, nth, DISK_SIM_ANY, NULL, nth % 2 ? EIO : ENOSPC, false);
        if (write_it() == STATUS_OK && disk_sim_struck(sim)) {
            disk_sim_heal(sim); /* removing what was not there, closing */
            continue;
        }
        if (!disk_sim_struck(sim))
            break;
        disk_sim_heal(sim);
        assert_int_equal(read_with(&taker, PARTS), STATUS_OK);
        assert_true(made.size == 150000 || made.size == 70000);
    }
    disk_sim_heal(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_comes_back_whatever_its_size, setup, teardown),
        cmocka_unit_test_setup_teardown(every_wrong_bit_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(another_readers_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_leaves_the_old_one_or_the_new_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_leaves_the_old_one, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
