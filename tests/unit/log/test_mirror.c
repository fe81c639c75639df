/* One copy is lost: the other goes on alone; what is acknowledged then is never taken back, by no
 * crash and by no stale copy that is found alone later; and the lost one comes back whole.
 *
 * The judge is the plain list of log_world: whatever happens, everything that was durable is there
 * when the log opens, or it does not open; and it may refuse only where the one copy that had it
 * all is gone. ZAN_SEEDS says how many worlds (default 300), ZAN_SEED where to begin. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/log_world.h"

static struct log_world world;
static const char *const prefix[2] = {"a/", "b/"};

static void begin(uint64_t seed)
{
    log_world_init(&world, seed);
    world.config.degrade = true;
    world.config.witness = "w";
    log_world_must_open(&world);
}

static int teardown(void **state)
{
    (void)state;
    log_world_free(&world);
    return 0;
}

static struct log_mirror mirror(void)
{
    struct log_mirror now;

    log_mirror(world.log, &now);
    return now;
}

/* One copy's medium is lost with all that is on it. */
static void delete_all(struct disk_sim *sim, const char *with)
{
    char path[256];

    for (size_t i = 0; disk_sim_file(sim, i, path);)
        if (strncmp(path, with, strlen(with)) == 0)
            disk_sim_delete(sim, path);
        else
            i++;
}

static void lose(int copy, unsigned kinds)
{
    disk_sim_fail(world.sim, 1, kinds, prefix[copy], EIO, true);
    log_world_fill(&world, 4, 400, 1);
    assert_int_equal(mirror().state, LOG_MIRROR_ALONE);
    assert_int_equal(mirror().lost, copy);
    assert_non_null(strstr(mirror().message, "Input/output error"));
    assert_false(log_failed(world.log, NULL));
}

static void stop(void)
{
    log_world_drop(&world);
    disk_sim_kill(world.sim);
    disk_sim_heal(world.sim);
}

static void bring_back(void)
{
    disk_sim_heal(world.sim);
    assert_true(log_mirror_resync(world.log));
    log_world_settle(&world);
    log_world_settle(&world);
    if (mirror().state != LOG_MIRROR_BOTH)
        fail_msg("%s", mirror().message);
    assert_int_equal(mirror().resyncs, 1);
}

static void the_other_copy_goes_on(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++)
        for (unsigned kinds = DISK_SIM_WRITE; kinds <= DISK_SIM_SYNC; kinds *= 2) {
            begin(1);
            log_world_fill(&world, 10, 900, 2);
            lose(copy, kinds);
            log_world_fill(&world, 60, 900, 2); /* over several segments */
            assert_false(log_failed(world.log, NULL));
            log_world_check(&world);
            stop();
            log_world_must_open(&world); /* both are there: the stale one is made anew */
            assert_int_equal(mirror().state, LOG_MIRROR_BOTH);
            log_world_fill(&world, 5, 900, 2);
            stop();
            delete_all(world.sim, prefix[1 - copy]); /* so that it stands for all by itself */
            log_world_must_open(&world);
            log_world_free(&world);
        }
    begin(1);
}

static void a_stale_copy_alone_is_refused(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++)
        for (int witness = 0; witness < 2; witness++) {
            begin(2);
            log_world_fill(&world, 5, 400, 1);
            lose(copy, DISK_SIM_SYNC);
            stop();
            delete_all(world.sim, prefix[1 - copy]);
            if (witness == 0)
                delete_all(world.sim, "w/");
            assert_int_equal(log_world_open(&world), STATUS_BADDATA);
            world.log = NULL;
            assert_non_null(strstr(world.report.message, "alone may be stale"));
            log_world_free(&world);
        }
    begin(2);
}

/* While both are whole, either may be lost, as long as a witness says that they are. */
static void a_whole_copy_alone_is_taken(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++) {
        begin(3);
        log_world_fill(&world, 30, 900, 2);
        stop();
        delete_all(world.sim, prefix[copy]);
        log_world_must_open(&world);
        log_world_free(&world);
    }
    begin(3);
    log_world_fill(&world, 5, 900, 1);
    stop();
    delete_all(world.sim, "a/");
    delete_all(world.sim, "w/");
    assert_int_equal(log_world_open(&world), STATUS_BADDATA);
    world.log = NULL;
    disk_sim_delete(world.sim, "b/mirror"); /* the operator knows */
    log_world_must_open(&world);
}

static void the_last_copy_failing_is_final(void **state)
{
    uint64_t durable;

    (void)state;
    begin(4);
    lose(1, DISK_SIM_SYNC);
    durable = log_durable(world.log);
    disk_sim_fail(world.sim, 1, DISK_SIM_SYNC, "a/", EIO, true);
    assert_int_equal(log_world_append(&world, 100), STATUS_OK);
    for (int i = 0; i < 10; i++)
        log_pump(world.log, 0);
    assert_true(log_failed(world.log, NULL));
    assert_int_equal(log_durable(world.log), durable);
}

/* Not noted, not acknowledged. */
static void without_a_note_nothing_goes_on(void **state)
{
    uint64_t durable;

    (void)state;
    begin(5);
    log_world_fill(&world, 1, 100, 1);
    assert_int_equal(log_world_append(&world, 100), STATUS_OK);
    durable = log_durable(world.log);
    disk_sim_fail(world.sim, 1, DISK_SIM_NAME | DISK_SIM_SYNC, NULL, EIO, true);
    for (int i = 0; i < 10; i++)
        log_pump(world.log, 0);
    assert_true(log_failed(world.log, NULL));
    assert_int_equal(log_durable(world.log), durable);
}

static void it_comes_back_while_running(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++)
        for (int empty = 0; empty < 2; empty++) {
            begin(6);
            log_world_fill(&world, 40, 900, 2);
            lose(copy, DISK_SIM_SYNC);
            log_world_fill(&world, 40, 900, 2);
            if (empty == 1)
                delete_all(world.sim, prefix[copy]); /* a new medium */
            bring_back();
            log_world_fill(&world, 40, 900, 2);
            stop();
            delete_all(world.sim, prefix[1 - copy]);
            log_world_must_open(&world);
            log_world_free(&world);
        }
    begin(6);
}

/* A write that the lost medium swallows while the copy is made anew is found by reading it back. */
static void what_came_back_is_read_back(void **state)
{
    (void)state;
    begin(7);
    log_world_fill(&world, 20, 900, 2);
    lose(1, DISK_SIM_SYNC);
    log_world_fill(&world, 20, 900, 2);
    disk_sim_heal(world.sim);
    disk_sim_lose(world.sim, 9, "b/"); /* log.id, header, zeros, frames ... */
    assert_true(log_mirror_resync(world.log));
    log_world_settle(&world);
    assert_int_equal(mirror().state, LOG_MIRROR_ALONE);
    assert_non_null(strstr(mirror().message, "cannot be brought back"));
    bring_back();
}

/* --- a copy that is gone before the open ---------------------------------------------------------
 */

/* Its disk is dead for good: from the directory on, or for every file in it. */
static void kill_disk(int copy, bool whole, unsigned kinds, int error)
{
    disk_sim_fail(world.sim, 1, kinds, whole ? (copy == 0 ? "a" : "b") : prefix[copy], error, true);
}

static void it_starts_with_one_copy(void **state)
{
    static const int errors[] = {EIO, ENOENT, ENODEV, EROFS};

    (void)state;
    for (int run = 0; run < 16; run++) {
        int copy = run % 2;

        begin(10);
        log_world_fill(&world, 40, 900, 2); /* over several segments, and a tail */
        stop();
        kill_disk(copy, run / 2 % 2 == 0, DISK_SIM_ANY, errors[run / 4]);
        log_world_must_open(&world);
        assert_int_equal(mirror().state, LOG_MIRROR_ALONE);
        assert_int_equal(mirror().lost, copy);
        assert_int_equal(mirror().losses, 1);
        assert_non_null(strstr(mirror().message, strerror(errors[run / 4])));
        log_world_fill(&world, 40, 900, 2);
        assert_false(log_failed(world.log, NULL));
        log_world_drop(&world);
        disk_sim_kill(world.sim);
        kill_disk(copy, run / 2 % 2 == 0, DISK_SIM_ANY, errors[run / 4]);
        log_world_must_open(&world); /* still dead */
        log_world_fill(&world, 5, 900, 2);
        bring_back();
        log_world_fill(&world, 20, 900, 2);
        stop();
        delete_all(world.sim, prefix[1 - copy]); /* what came back stands for all by itself */
        log_world_must_open(&world);
        log_world_free(&world);
    }
    begin(10);
}

/* The next start finds the disk again: what it has is stale, and made anew. */
static void the_next_start_brings_it_back(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++) {
        begin(11);
        log_world_fill(&world, 30, 900, 2);
        stop();
        kill_disk(copy, true, DISK_SIM_ANY, EIO);
        log_world_must_open(&world);
        log_world_fill(&world, 30, 900, 2);
        stop();
        log_world_must_open(&world);
        assert_int_equal(mirror().state, LOG_MIRROR_BOTH);
        stop();
        delete_all(world.sim, prefix[1 - copy]);
        log_world_must_open(&world);
        log_world_free(&world);
    }
    begin(11);
}

static void it_refuses_to_start_with_one_copy(void **state)
{
    (void)state;
    for (int why = 0; why < 5; why++) {
        begin(12);
        log_world_fill(&world, 5, 400, 1);
        if (why == 0)
            lose(1, DISK_SIM_SYNC); /* the other has more */
        stop();
        if (why == 1) /* nothing says that the other is whole */
            delete_all(world.sim, "w/");
        world.config.degrade = why != 2;
        kill_disk(0, true, DISK_SIM_ANY, why == 3 ? EACCES : EIO);
        if (why == 4) {
            delete_all(world.sim, "a/");
            delete_all(world.sim, "b/");
            delete_all(world.sim, "w/");
        }
        assert_int_equal(log_world_open(&world),
                         why == 2 || why == 3 ? STATUS_IOFAIL : STATUS_BADDATA);
        world.log = NULL;
        if (strstr(world.report.message, why < 2   ? "alone may be stale"
                                         : why < 4 ? "a: cannot be made"
                                                   : "a new one needs both") == NULL)
            fail_msg("%d: %s", why, world.report.message);
        log_world_free(&world);
    }
    begin(12);
}

/* It serves only when it is noted that it does so alone. */
static void a_start_alone_is_noted_first(void **state)
{
    (void)state;
    begin(13);
    log_world_fill(&world, 20, 900, 2);
    stop();
    kill_disk(1, true, DISK_SIM_ANY, EIO);
    log_world_must_open(&world);
    log_world_fill(&world, 20, 900, 2);
    stop();
    delete_all(world.sim, "a/");
    assert_int_equal(log_world_open(&world), STATUS_BADDATA);
    world.log = NULL;
    assert_non_null(strstr(world.report.message, "alone may be stale"));
    log_world_free(&world);
    begin(13);
}

/* --- random worlds -------------------------------------------------------------------------------
 */

static uint64_t lost, returned, refused, started; /* so that it is seen that all of it happens */

static void look(void)
{
    if (world.log != NULL)
        log_world_look(&world);
}

/* Some work, which may meet any fault. */
static void work(uint64_t steps)
{
    for (uint64_t i = 0; i < steps && !log_failed(world.log, NULL); i++) {
        enum status status = log_world_append(&world, test_random_below(&world.random, 900));

        if (status != STATUS_OK || test_random_below(&world.random, 3) == 0)
            for (int k = 0; k < 6; k++) {
                log_pump(world.log, (uint32_t)test_random_next(&world.random));
                look();
            }
        if (test_random_below(&world.random, 12) == 0)
            log_mirror_resync(world.log);
    }
    look();
}

static void strike(void)
{
    static const unsigned kinds[] = {DISK_SIM_WRITE, DISK_SIM_SYNC, DISK_SIM_NAME, DISK_SIM_ANY};
    static const int errors[] = {EIO, ENOSPC, EROFS};
    int copy = (int)test_random_below(&world.random, 2);
    uint64_t nth = 1 + test_random_below(&world.random, 30);

    disk_sim_fail(world.sim, nth, kinds[test_random_below(&world.random, 4)], prefix[copy],
                  errors[test_random_below(&world.random, 3)],
                  test_random_below(&world.random, 2) == 0);
}

/* Which copy alone has everything: 0, 1; -1: each of them has. What is not known for sure, because
 * the end came in the middle of it, is 2. */
static int sole_copy(bool died)
{
    struct log_mirror now = mirror();

    if (now.state != LOG_MIRROR_BOTH)
        return died && now.state == LOG_MIRROR_RETURNING ? 2 : 1 - now.lost;
    return died && now.losses > 0 ? 2 : -1;
}

/* The whole medium of one copy is gone. Refusing is right only if it had what the other has not. */
static void lose_a_medium(int sole, uint64_t seed)
{
    int copy = (int)test_random_below(&world.random, 2);
    struct disk_sim *kept = disk_sim_clone(world.sim, seed);
    enum status status;
    char path[256];

    delete_all(world.sim, prefix[copy]);
    status = log_world_open(&world);
    if (status == STATUS_OK) {
        uint64_t last = world.report.last_sequence;

        if (last < world.durable)
            fail_msg("seed %llu: sequence %llu was durable, the stale copy ends at %llu",
                     (unsigned long long)seed, (unsigned long long)world.durable,
                     (unsigned long long)last);
        stop();
    } else {
        world.log = NULL;
        refused++;
        if (sole != copy && sole != 2)
            fail_msg("seed %llu: copy %d was whole, and is refused: %s", (unsigned long long)seed,
                     1 - copy, world.report.message);
        for (size_t i = 0; disk_sim_file(kept, i, path); i++)
            disk_sim_put(world.sim, path, kept, path);
    }
    disk_sim_free(kept);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* A disk is dead when the log opens. Refusing is right only if it had what the other has not. */
static void start_without(int sole, uint64_t seed)
{
    int copy = (int)test_random_below(&world.random, 2);
    bool whole = test_random_below(&world.random, 2) == 0;
    unsigned kinds = test_random_below(&world.random, 2) == 0 ? DISK_SIM_ANY : DISK_SIM_OPEN;
    enum status status;

    kill_disk(copy, whole, kinds, EIO);
    status = log_world_open(&world);
    if (status == STATUS_OK) {
        uint64_t last = world.report.last_sequence;

        started += mirror().state == LOG_MIRROR_ALONE;
        log_world_drop(&world);
        if (last < world.durable)
            fail_msg("seed %llu: sequence %llu was durable, the one copy ends at %llu",
                     (unsigned long long)seed, (unsigned long long)world.durable,
                     (unsigned long long)last);
    } else {
        world.log = NULL;
        refused++;
        if (sole != copy && sole != 2)
            fail_msg("seed %llu: copy %d was whole, and is refused: %s", (unsigned long long)seed,
                     1 - copy, world.report.message);
    }
    disk_sim_kill(world.sim);
    disk_sim_heal(world.sim);
}

static void one_life(uint64_t seed)
{
    bool dies = test_random_below(&world.random, 3) == 0;
    int sole;

    work(test_random_below(&world.random, 20));
    strike();
    work(10 + test_random_below(&world.random, 30));
    if (test_random_below(&world.random, 2) == 0)
        disk_sim_heal(world.sim);
    if (dies)
        disk_sim_die(world.sim, 1 + test_random_below(&world.random, 300));
    work(test_random_below(&world.random, 40));
    lost += mirror().losses;
    returned += mirror().resyncs;
    sole = sole_copy(dies || log_failed(world.log, NULL));
    log_world_drop(&world);
    if (test_random_below(&world.random, 2) == 0)
        disk_sim_crash(world.sim);
    else
        disk_sim_kill(world.sim);
    disk_sim_heal(world.sim);
    if (test_random_below(&world.random, 2) == 0)
        lose_a_medium(sole, seed);
    else
        start_without(sole, seed);
    log_world_must_open(&world);
}

static void any_single_failure_in_any_world(void **state)
{
    uint64_t first = number("ZAN_SEED", 1);
    uint64_t seeds = number("ZAN_SEEDS", getenv("ZAN_SEED") != NULL ? 1 : 800);

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        begin(seed);
        for (int life = 0; life < 3; life++)
            one_life(seed);
        log_world_fill(&world, 5, 900, 2);
        log_world_close(&world);
        log_world_free(&world);
    }
    assert_true(seeds < 100 ||
                (lost > seeds / 2 && returned > seeds / 10 && refused > 5 && started > seeds / 5));
    begin(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_other_copy_goes_on, teardown),
        cmocka_unit_test_teardown(a_stale_copy_alone_is_refused, teardown),
        cmocka_unit_test_teardown(a_whole_copy_alone_is_taken, teardown),
        cmocka_unit_test_teardown(the_last_copy_failing_is_final, teardown),
        cmocka_unit_test_teardown(without_a_note_nothing_goes_on, teardown),
        cmocka_unit_test_teardown(it_comes_back_while_running, teardown),
        cmocka_unit_test_teardown(what_came_back_is_read_back, teardown),
        cmocka_unit_test_teardown(it_starts_with_one_copy, teardown),
        cmocka_unit_test_teardown(the_next_start_brings_it_back, teardown),
        cmocka_unit_test_teardown(it_refuses_to_start_with_one_copy, teardown),
        cmocka_unit_test_teardown(a_start_alone_is_noted_first, teardown),
        cmocka_unit_test_teardown(any_single_failure_in_any_world, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
