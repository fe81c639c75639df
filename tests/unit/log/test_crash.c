/* Power cuts and kills at any operation, also during recovery, with and without damage in one copy:
 * nothing durable is ever lost, and no state a cut can leave is ever refused.
 *
 * zan-test: timeout=600
 * ZAN_SEED=n runs the one world of that seed; ZAN_SEEDS=n runs n of them, from that seed or 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/log_world.h"

#define SEEDS 4000

static struct log_world world;
static uint64_t opens, refused_by_cut;

static uint64_t below(uint64_t bound)
{
    return test_random_below(&world.random, bound);
}

static void configure(uint64_t seed)
{
    static const uint64_t segments[] = {16384, 20480, 65536};
    static const size_t buffers[] = {4096, 8192, 16384};

    log_world_init(&world, seed);
    world.config.segment_bytes = segments[below(3)];
    world.config.buffer_bytes = buffers[below(3)];
    world.config.trust_sealed = below(4) == 0;
    world.config.partition = (uint16_t)below(5);
    world.config.partition_count = 5;
}

/* Some appends and pumps, until the power is cut or it is enough; or, in the copy that lies, a
 * write is lost or lands elsewhere. */
static void live(const char *lying)
{
    uint64_t steps = 1 + below(60);

    if (lying != NULL && below(2) == 0)
        disk_sim_lose(world.sim, 1 + below(20), lying);
    else if (lying != NULL)
        disk_sim_misdirect(world.sim, 1 + below(20), lying);
    else if (below(4) != 0)
        disk_sim_die(world.sim, 1 + below(60));
    for (uint64_t i = 0; i < steps && !log_failed(world.log, NULL); i++) {
        if (below(3) == 0)
            log_world_append(&world, (size_t)below(1800));
        else
            log_pump(world.log, (uint32_t)below(3));
        log_world_look(&world);
    }
}

/* One byte of one file of one copy; or the file is gone, or cut short. */
static void damage(const char *copy)
{
    char path[256], chosen[256] = "";
    unsigned seen = 0;

    for (size_t i = 0; disk_sim_file(world.sim, i, path); i++)
        if (strncmp(path, copy, strlen(copy)) == 0 && disk_sim_bytes(world.sim, path) > 0 &&
            below(++seen) == 0)
            memcpy(chosen, path, sizeof chosen);
    if (chosen[0] == '\0')
        return;
    switch (below(8)) {
    case 0:
        disk_sim_delete(world.sim, chosen);
        break;
    case 1:
        disk_sim_cut(world.sim, chosen, below(disk_sim_bytes(world.sim, chosen)));
        break;
    default: {
        uint64_t bytes = disk_sim_bytes(world.sim, chosen);

        /* Mostly where there is something: near the start. */
        disk_sim_flip(world.sim, chosen, below(below(4) == 0 || bytes < 16384 ? bytes : 16384),
                      (uint8_t)(1 << below(8)));
    }
    }
}

static void end_badly(void)
{
    log_world_drop(&world);
    if (below(4) == 0)
        disk_sim_kill(world.sim);
    else
        disk_sim_crash(world.sim);
}

/* Openings that are cut off, each at a later point by chance, then one that is not. */
static void recover(void)
{
    while (below(2) == 0) {
        enum status status;

        disk_sim_die(world.sim, 1 + below(120));
        status = log_world_open(&world);
        opens++;
        if (status != STATUS_OK) {
            if (!disk_sim_struck(world.sim))
                fail_msg("refused without a fault: %s", world.report.message);
            refused_by_cut++;
            world.log = NULL;
        } else if (world.report.last_sequence < world.durable) {
            fail_msg("lost: %llu < %llu", (unsigned long long)world.report.last_sequence,
                     (unsigned long long)world.durable);
        }
        end_badly();
        disk_sim_heal(world.sim);
    }
    opens++;
    log_world_must_open(&world);
}

static void run(uint64_t seed, bool damaged)
{
    configure(seed);
    /* Damage that is trusted to be none stays, and then meets damage in the other copy. */
    world.config.trust_sealed = world.config.trust_sealed && !damaged;
    recover();
    for (uint64_t lives = 1 + below(8); lives > 0; lives--) {
        const char *copy = below(2) == 0 ? "a/" : "b/";
        const char *lying = damaged && below(3) == 0 ? copy : NULL;

        live(lying);
        if (below(6) == 0 && !log_failed(world.log, NULL) &&
            (!disk_sim_struck(world.sim) || lying != NULL)) {
            disk_sim_heal(world.sim);
            log_world_settle(&world);
            log_world_close(&world);
        } else {
            end_badly();
            disk_sim_heal(world.sim);
        }
        if (damaged && below(2) == 0)
            damage(copy);
        recover();
    }
    log_world_free(&world);
}

/* A seed alone: the one world of a red run. */
static uint64_t seeds(void)
{
    const char *text = getenv("ZAN_SEEDS");

    if (text != NULL)
        return strtoull(text, NULL, 10);
    return getenv("ZAN_SEED") != NULL ? 1 : SEEDS;
}

static void run_many(bool damaged)
{
    uint64_t count = seeds();
    uint64_t first = test_seed(1);

    for (uint64_t i = 0; i < count; i++) {
        fprintf(stderr, "\rseed %llu ", (unsigned long long)(first + i));
        run(first + i, damaged);
    }
    fprintf(stderr, "\r");
    printf("%llu worlds, %llu openings, %llu of them cut off\n", (unsigned long long)count,
           (unsigned long long)opens, (unsigned long long)refused_by_cut);
}

static void nothing_durable_is_lost_in_a_power_cut(void **state)
{
    (void)state;
    run_many(false);
}

static void nor_with_one_copy_damaged_at_the_same_time(void **state)
{
    (void)state;
    run_many(true);
}

static uint64_t trace(uint64_t seed)
{
    uint64_t hash;

    configure(seed);
    recover();
    live(NULL);
    end_badly();
    disk_sim_heal(world.sim);
    recover();
    hash = disk_sim_trace(world.sim);
    log_world_free(&world);
    return hash;
}

static void the_same_seed_makes_the_same_world(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++)
        assert_int_equal(trace(seed), trace(seed));
    assert_int_not_equal(trace(1), trace(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_durable_is_lost_in_a_power_cut),
        cmocka_unit_test(nor_with_one_copy_damaged_at_the_same_time),
        cmocka_unit_test(the_same_seed_makes_the_same_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
