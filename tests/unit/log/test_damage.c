/* Whatever happens to the files of one copy is mended from the other; what happens to both is
 * refused by name, and nothing is changed then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/log_world.h"

#define SEGMENT   16384
#define DATA      12288
#define LOG_FRAME 112

static struct log_world world;
static struct disk_sim *yesterday, *clean;

/* Three segments with data, a spare, log.id; closed cleanly. yesterday: the disk as it was half
 * way. */
static int setup(void **state)
{
    (void)state;
    log_world_init(&world, 1);
    log_world_must_open(&world);
    log_world_fill(&world, 10, 700, 3);
    log_world_close(&world);
    yesterday = disk_sim_clone(world.sim, 7);
    log_world_must_open(&world);
    log_world_fill(&world, 15, 700, 3);
    log_world_close(&world);
    assert_true(disk_sim_exists(world.sim, "a/0000000000000004.zlog"));
    assert_false(disk_sim_exists(world.sim, "a/0000000000000006.zlog"));
    clean = disk_sim_clone(world.sim, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    disk_sim_free(yesterday);
    disk_sim_free(clean);
    log_world_free(&world);
    return 0;
}

/* The disk as setup left it. */
static void reset(void)
{
    log_world_drop(&world);
    disk_sim_free(world.sim);
    world.sim = disk_sim_clone(clean, 9);
    world.config.disk = disk_sim_disk(world.sim);
}

static void must_match(const char *path, size_t from, size_t to)
{
    const uint8_t *is = disk_sim_peek(world.sim, path), *was = disk_sim_peek(clean, path);

    assert_int_equal(disk_sim_bytes(world.sim, path), disk_sim_bytes(clean, path));
    if (memcmp(is + from, was + from, to - from) != 0)
        fail_msg("%s differs between %zu and %zu", path, from, to);
}

/* Every file as it was; heads may have moved on to a newer generation. */
static void must_be_mended(void)
{
    char path[256];

    for (size_t i = 0; disk_sim_file(clean, i, path); i++) {
        size_t bytes = (size_t)disk_sim_bytes(clean, path);

        if (!disk_sim_exists(world.sim, path))
            fail_msg("%s is missing", path);
        must_match(path, 0, 4096);
        if (bytes > DATA && strstr(path, "5.zlog") == NULL)
            must_match(path, DATA, bytes);
    }
}

static void open_mended(void)
{
    log_world_must_open(&world);
    assert_int_equal(world.report.last_sequence, world.next - 1);
    while (log_pump(world.log, 2))
        ;
    log_world_close(&world);
    must_be_mended();
}

/* ---- Every byte --------------------------------------------------------------------------- */

static unsigned findings;

static void count_finding(void *argument, const char *text)
{
    (void)argument;
    assert_true(strlen(text) > 0);
    findings++;
}

static void flip_every_byte(const char *path)
{
    /* Blank spares are made anew or written over: what is in them is nobody's. */
    bool spare = strstr(path, "4.zlog") != NULL || strstr(path, "5.zlog") != NULL;
    uint64_t bytes = disk_sim_bytes(world.sim, path);
    bool last = strstr(path, "3.zlog") != NULL;

    for (uint64_t at = 0; at < bytes; at++) {
        bool named = strstr(path, "log.id") != NULL;

        disk_sim_flip(world.sim, path, at, (uint8_t)(1 << at % 8));
        log_world_must_open(&world);
        assert_int_equal(world.report.last_sequence, world.next - 1);
        if (!spare && !named && world.report.repaired_segments == 0 &&
            !(last && world.report.torn_bytes > 0))
            fail_msg("%s: byte %llu flipped, and nobody saw", path, (unsigned long long)at);
        log_pump(world.log, 2);
        log_world_close(&world);
        if (!spare)
            must_match(path, named ? 0 : at < DATA ? 0 : DATA, at < DATA ? 4096 : bytes);
        else if (disk_sim_peek(world.sim, path)[at] != disk_sim_peek(clean, path)[at])
            disk_sim_flip(world.sim, path, at, (uint8_t)(1 << at % 8));
        if (at % 4096 == 4095 || (at < 4096 && at % 512 == 0)) {
            findings = 0;
            assert_int_equal(log_verify(&world.config, &world.report, NULL, count_finding, NULL),
                             STATUS_OK);
            assert_int_equal(findings, 0);
        }
    }
}

static void a_flip_of_any_byte_is_seen_and_mended(void **state)
{
    char path[256];
    unsigned files = 0;

    (void)state;
    for (size_t i = 0; disk_sim_file(clean, i, path); i++, files++)
        flip_every_byte(path);
    assert_true(files >= 10);
}

/* ---- Whole files -------------------------------------------------------------------------- */

static const char *const names[] = {"log.id", "0000000000000001.zlog", "0000000000000002.zlog",
                                    "0000000000000003.zlog", "0000000000000004.zlog"};
#define NAMES 5

static const char *path_of(char path[256], int copy, int name)
{
    snprintf(path, 256, "%c/%s", 'a' + copy, names[name]);
    return path;
}

enum harm {
    DELETED,
    EMPTIED,
    CUT_IN_HEADER,
    CUT_IN_HEADS,
    CUT_AT_FIRST_FRAME,
    CUT_IN_FRAMES,
    CUT_BY_ONE,
    LONGER,
    ZEROED,
    GARBAGE,
    HEADS_ZEROED,
    FIRST_FRAME_GONE,
    ANOTHERS,
    SWAPPED,
    YESTERDAYS,
    HARMS
};

static void overwrite(const char *path, uint64_t from, uint64_t to, bool garbage)
{
    const uint8_t *is = disk_sim_peek(world.sim, path);

    for (uint64_t at = from; at < to && at < disk_sim_bytes(world.sim, path); at++)
        disk_sim_flip(world.sim, path, at, garbage ? (uint8_t)(at * 37 + 11) : is[at]);
}

static void cut(const char *path, uint64_t bytes)
{
    if (bytes < disk_sim_bytes(world.sim, path))
        disk_sim_cut(world.sim, path, bytes);
}

static void harm(int copy, int name, enum harm how)
{
    static const uint64_t lengths[] = {0, 0, 100, 5000, DATA, DATA + 300, SEGMENT - 1};
    char path[256], other[256];

    path_of(path, copy, name);
    path_of(other, copy, 1 + name % (NAMES - 1)); /* a segment, another one */
    switch (how) {
    case DELETED:
        disk_sim_delete(world.sim, path);
        break;
    case EMPTIED:
    case CUT_IN_HEADER:
    case CUT_IN_HEADS:
    case CUT_AT_FIRST_FRAME:
    case CUT_IN_FRAMES:
    case CUT_BY_ONE:
        cut(path, lengths[how]);
        break;
    case LONGER:
        disk_sim_cut(world.sim, path, disk_sim_bytes(world.sim, path) + 777);
        break;
    case ZEROED:
    case GARBAGE:
        overwrite(path, 0, SEGMENT, how == GARBAGE);
        break;
    case HEADS_ZEROED:
        overwrite(path, 4096, DATA, false);
        break;
    case FIRST_FRAME_GONE:
        overwrite(path, DATA, DATA + 112, true);
        break;
    case ANOTHERS:
        disk_sim_put(world.sim, path, clean, other);
        break;
    case SWAPPED:
        disk_sim_put(world.sim, path, clean, other);
        disk_sim_put(world.sim, other, clean, path);
        break;
    case YESTERDAYS:
        if (disk_sim_exists(yesterday, path))
            disk_sim_put(world.sim, path, yesterday, path);
        break;
    case HARMS:
        break;
    }
}

static void one_harmed_copy_is_mended(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++)
        for (int name = 0; name < NAMES; name++)
            for (int how = 0; how < HARMS; how++) {
                reset();
                harm(copy, name, (enum harm)how);
                open_mended();
            }
}

static void a_copy_lost_as_a_whole_is_made_again(void **state)
{
    char path[256];

    (void)state;
    for (int copy = 0; copy < 2; copy++)
        for (int how = 0; how < 3; how++) {
            reset();
            for (size_t i = 0; disk_sim_file(clean, i, path); i++) {
                if (path[0] != 'a' + copy)
                    continue;
                if (how == 0 || !disk_sim_exists(yesterday, path))
                    disk_sim_delete(world.sim, path);
                else if (how == 1)
                    overwrite(path, 0, SEGMENT, true);
                else
                    disk_sim_put(world.sim, path, yesterday, path);
            }
            open_mended();
        }
}

/* Damage in both copies, each in another place: together they still hold everything. */
static void two_copies_harmed_in_different_places_mend_each_other(void **state)
{
    (void)state;
    for (int first = 0; first < NAMES; first++)
        for (int second = 0; second < NAMES; second++)
            for (int how = 0; how < SWAPPED; how++) {
                if (first == second)
                    continue;
                reset();
                harm(0, first, (enum harm)how);
                harm(1, second, (enum harm)how);
                if (how == ANOTHERS && (first == 0 || second == 0))
                    continue; /* log.id of one is then read from a file with another number */
                open_mended();
            }
    for (uint64_t at = DATA; at < DATA + 1000; at += 20) { /* the same file, but other frames */
        reset();
        disk_sim_flip(world.sim, "a/0000000000000001.zlog", 10, 1); /* header */
        disk_sim_flip(world.sim, "b/0000000000000001.zlog", at, 1);
        open_mended();
    }
}

static void must_be_untouched(const struct disk_sim *before)
{
    char path[256];
    size_t i;

    for (i = 0; disk_sim_file(before, i, path); i++) {
        assert_true(disk_sim_exists(world.sim, path));
        assert_int_equal(disk_sim_bytes(world.sim, path), disk_sim_bytes(before, path));
        if (disk_sim_bytes(before, path) > 0)
            assert_memory_equal(disk_sim_peek(world.sim, path), disk_sim_peek(before, path),
                                (size_t)disk_sim_bytes(before, path));
    }
    assert_false(disk_sim_file(world.sim, i, path));
}

static bool harmless_in_both(int name, enum harm how)
{
    bool spare = name == 4, named = name == 0;

    if (spare || named)
        return how != SWAPPED;
    /* The heads alone say nothing that the frames do not; zeros at the end neither. */
    return how == HEADS_ZEROED || how == LONGER || how == CUT_BY_ONE;
}

/* Yesterday's end of the log in both copies is a log like any other: the index, which knows more,
 * must notice. Of an earlier segment it is either the same, or the end too early. */
static void must_refuse_or_be_whole(int name, enum harm how, unsigned *refusals)
{
    struct disk_sim *before = disk_sim_clone(world.sim, 1);
    enum status status = log_world_open(&world);

    if (status == STATUS_OK && !harmless_in_both(name, how) && how != YESTERDAYS)
        fail_msg("%s: harm %d in both copies, and it opened at %llu of %llu", names[name], how,
                 (unsigned long long)world.report.last_sequence,
                 (unsigned long long)world.next - 1);
    if (status == STATUS_OK) {
        if (name != 3 || how != YESTERDAYS)
            assert_int_equal(world.report.last_sequence, world.next - 1);
        log_world_drop(&world);
    } else {
        world.log = NULL;
        assert_int_equal(status, STATUS_BADDATA);
        if (strstr(world.report.message, "segment") == NULL ||
            strstr(world.report.message, "sequences") == NULL)
            fail_msg("\"%s\" names no range", world.report.message);
        must_be_untouched(before);
        (*refusals)++;
    }
    disk_sim_free(before);
}

static void both_copies_harmed_alike_are_refused_by_name(void **state)
{
    unsigned refusals = 0;

    (void)state;
    for (int name = 0; name < NAMES; name++)
        for (int how = 0; how < HARMS; how++) {
            reset();
            harm(0, name, (enum harm)how);
            harm(1, name, (enum harm)how);
            must_refuse_or_be_whole(name, (enum harm)how, &refusals);
        }
    assert_true(refusals > 30);
}

static void each_frame_damaged_in_both_is_named(void **state)
{
    char words[64];

    (void)state;
    for (size_t i = 0; i < world.count; i++) {
        uint64_t first = world.batch[i].first;
        bool found = false;

        reset();
        for (int name = 1; name <= 3; name++)
            for (uint64_t at = DATA; at < SEGMENT - 112 && !found; at += 8) {
                char a[256], b[256];
                const uint8_t *bytes = disk_sim_peek(world.sim, path_of(a, 0, name)) + at;

                if (memcmp(bytes, "ZFRM", 4) != 0 || memcmp(bytes + 16, &first, 8) != 0)
                    continue;
                found = true;
                disk_sim_flip(world.sim, a, at + 50, 16);
                disk_sim_flip(world.sim, path_of(b, 1, name), at + 90, 1);
            }
        assert_true(found);
        assert_int_equal(log_world_open(&world), STATUS_BADDATA);
        world.log = NULL;
        snprintf(words, sizeof words, "sequences %llu..", (unsigned long long)first);
        if (strstr(world.report.message, words) == NULL)
            fail_msg("\"%s\" does not say %s", world.report.message, words);
    }
}

static void a_log_of_which_only_the_name_is_left_is_refused(void **state)
{
    char path[256];

    (void)state;
    reset();
    for (size_t i = 0; disk_sim_file(clean, i, path); i++)
        if (strstr(path, "log.id") == NULL)
            disk_sim_delete(world.sim, path);
    assert_int_equal(log_world_open(&world), STATUS_BADDATA);
    world.log = NULL;
    assert_non_null(strstr(world.report.message, "segment 1"));

    reset();
    for (size_t i = 0; disk_sim_file(clean, i, path); i++)
        overwrite(path, 0, SEGMENT, true);
    assert_int_equal(log_world_open(&world), STATUS_BADDATA);
    world.log = NULL;
    assert_non_null(strstr(world.report.message, "no file begins as a log"));
}

/* Stale frames: after a crash the tail is cut, other batches are written in its place, and the old
 * ones behind them must never come back. */
static void what_was_cut_never_comes_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        log_world_free(&world);
        log_world_init(&world, seed);
        log_world_must_open(&world);
        log_world_fill(&world, 3, 100, 1);
        for (int i = 0; i < 8; i++)
            assert_int_equal(log_world_append(&world, 400), STATUS_OK);
        /* Copy a gets the group, but its first frame is torn. */
        uint64_t at = DATA;
        while (memcmp(disk_sim_peek(world.sim, "a/0000000000000001.zlog") + at, "ZFRM", 4) == 0) {
            uint32_t size;
            memcpy(&size, disk_sim_peek(world.sim, "a/0000000000000001.zlog") + at + 8, 4);
            at += (size + 7) & ~7U;
        }
        log_pump(world.log, 0);
        log_world_drop(&world);
        disk_sim_kill(world.sim);
        disk_sim_flip(world.sim, "a/0000000000000001.zlog", at + 200, 1);
        world.life = 0; /* the same bodies as before: the worst case */
        log_world_must_open(&world);
        assert_true(world.report.torn_bytes > 1000);
        assert_int_equal(log_world_append(&world, 400), STATUS_OK);
        log_world_settle(&world);
        log_world_close(&world);
        log_world_must_open(&world);
        assert_int_equal(world.report.last_sequence, world.next - 1);
        assert_int_equal(world.report.torn_bytes, 0);
    }
}

/* The seal is on the medium before anything in the next segment is: so the next segment cannot
 * vanish from both copies unseen, however young it is. */
static void a_segment_that_vanishes_young_is_missed(void **state)
{
    unsigned refused = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        log_world_free(&world);
        log_world_init(&world, seed);
        log_world_must_open(&world);
        log_world_settle(&world);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(log_world_append(&world, 800), STATUS_OK);
            while (log_durable(world.log) < world.next - 1)
                assert_true(log_pump(world.log, 0));
        }
        log_world_look(&world);
        assert_true(disk_sim_exists(world.sim, "a/0000000000000002.zlog"));
        log_world_drop(&world);
        disk_sim_crash(world.sim);
        disk_sim_delete(world.sim, "a/0000000000000002.zlog");
        disk_sim_delete(world.sim, "b/0000000000000002.zlog");
        if (disk_sim_exists(world.sim, "a/0000000000000003.zlog"))
            disk_sim_delete(world.sim, "a/0000000000000003.zlog");
        if (disk_sim_exists(world.sim, "b/0000000000000003.zlog"))
            disk_sim_delete(world.sim, "b/0000000000000003.zlog");
        refused += log_world_open(&world) == STATUS_BADDATA;
    }
    assert_int_equal(refused, 40);
}

/* A frame that is whole, of this log, of the right sequence, at the right place, but of another
 * history: only the chain tells. */
static void a_frame_slipped_in_is_thrown_out(void **state)
{
    static const char *const file[2] = {"a/0000000000000001.zlog", "b/0000000000000001.zlog"};
    uint8_t slipped[2000];
    size_t size = 400 + LOG_FRAME;
    size_t at = DATA + 2 * size;

    (void)state;
    for (int copies = 1; copies <= 2; copies++) {
        for (uint64_t life = 2; life-- > 0;) { /* two histories of the same shape */
            log_world_free(&world);
            log_world_init(&world, 1);
            world.life = life;
            log_world_must_open(&world);
            for (int i = 0; i < 5; i++)
                assert_int_equal(log_world_append(&world, 400), STATUS_OK);
            log_world_settle(&world);
            log_world_close(&world);
            if (life == 1)
                memcpy(slipped, disk_sim_peek(world.sim, file[0]) + at, size);
        }
        for (int copy = 0; copy < copies; copy++) {
            const uint8_t *is = disk_sim_peek(world.sim, file[copy]);

            assert_memory_equal(is + at, slipped, 40); /* magic, size, count, sequence, time */
            for (size_t i = 0; i < size; i++)
                disk_sim_flip(world.sim, file[copy], at + i, is[at + i] ^ slipped[i]);
        }
        if (copies == 1) {
            log_world_must_open(&world);
            assert_int_equal(world.report.repaired_segments, 1);
        } else {
            assert_int_equal(log_world_open(&world), STATUS_BADDATA);
            world.log = NULL;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_flip_of_any_byte_is_seen_and_mended),
        TEST(one_harmed_copy_is_mended),
        TEST(a_copy_lost_as_a_whole_is_made_again),
        TEST(two_copies_harmed_in_different_places_mend_each_other),
        TEST(both_copies_harmed_alike_are_refused_by_name),
        TEST(each_frame_damaged_in_both_is_named),
        TEST(a_log_of_which_only_the_name_is_left_is_refused),
        TEST(what_was_cut_never_comes_back),
        TEST(a_segment_that_vanishes_young_is_missed),
        TEST(a_frame_slipped_in_is_thrown_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
