#include "support/log_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BODY_MAX 65536

void log_world_init(struct log_world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->random.state = seed;
    world->sim = disk_sim_new(seed);
    world->config = (struct log_config){.disk = disk_sim_disk(world->sim),
                                        .dir = {"a", "b"},
                                        .partition_count = 1,
                                        .segment_bytes = 16384,
                                        .buffer_bytes = 8192,
                                        .create = true};
    world->next = 1;
    world->body = malloc(BODY_MAX);
    assert_non_null(world->body);
}

void log_world_free(struct log_world *world)
{
    log_world_drop(world);
    disk_sim_free(world->sim);
    free(world->batch);
    free(world->body);
}

static void make_body(struct log_world *world, const struct log_world_batch *batch)
{
    struct test_random random = {.state = hash_two(batch->first, batch->salt)};

    for (uint32_t i = 0; i < batch->size; i++)
        world->body[i] = i % 8 == 0 ? (uint8_t)test_random_next(&random) : (uint8_t)i;
}

enum status log_world_open(struct log_world *world)
{
    world->life++;
    return log_open(&world->config, &world->log, &world->report);
}

static void cut_list(struct log_world *world)
{
    uint64_t last = world->report.last_sequence;

    while (world->count > 0 && world->batch[world->count - 1].first > last)
        world->count--;
    world->next = last + 1;
    if (world->count > 0) {
        const struct log_world_batch *batch = &world->batch[world->count - 1];

        assert_int_equal(batch->first + batch->count - 1, last);
    } else {
        assert_int_equal(last, 0);
    }
}

void log_world_must_open(struct log_world *world)
{
    enum status status = log_world_open(world);

    if (status != STATUS_OK)
        fail_msg("log_open: %s: %s", status_info(status)->code, world->report.message);
    if (world->report.last_sequence < world->durable)
        fail_msg("sequence %llu was durable, the log ends at %llu",
                 (unsigned long long)world->durable,
                 (unsigned long long)world->report.last_sequence);
    cut_list(world);
    log_world_look(world);
    log_world_check(world);
}

enum status log_world_append(struct log_world *world, size_t size)
{
    enum status status = log_has_room(world->log, size);
    struct log_world_batch *batch;

    if (status != STATUS_OK)
        return status;
    if (world->count == world->capacity) {
        world->capacity = world->capacity == 0 ? 64 : world->capacity * 2;
        world->batch = realloc(world->batch, world->capacity * sizeof *batch);
        assert_non_null(world->batch);
    }
    batch = &world->batch[world->count++];
    *batch = (struct log_world_batch){.first = world->next,
                                      .count = 1 + (uint32_t)test_random_below(&world->random, 5),
                                      .size = (uint32_t)size,
                                      .time_us = (int64_t)world->next * 1000,
                                      .salt = hash_two(world->life, world->config.partition)};
    make_body(world, batch);
    log_append(world->log, batch->first, batch->count, batch->time_us, world->body, batch->size);
    memset(world->body, 0xEE, batch->size); /* the log must have copied it */
    world->next += batch->count;
    return STATUS_OK;
}

void log_world_look(struct log_world *world)
{
    uint64_t durable = log_durable(world->log);

    assert_true(durable >= world->durable || world->life == 0);
    assert_true(durable < world->next);
    world->durable = durable;
}

void log_world_settle(struct log_world *world)
{
    while (log_pump(world->log, (uint32_t)test_random_next(&world->random)))
        log_world_look(world);
    log_world_look(world);
}

void log_world_fill(struct log_world *world, size_t count, size_t size_max, unsigned every)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)test_random_below(&world->random, size_max + 1);
        enum status status;

        while ((status = log_world_append(world, size)) == STATUS_BUSY)
            assert_true(log_pump(world->log, (uint32_t)test_random_next(&world->random)));
        assert_int_equal(status, STATUS_OK);
        if (test_random_below(&world->random, every) == 0)
            log_world_settle(world);
    }
    log_world_settle(world);
    assert_int_equal(world->durable, world->next - 1);
}

enum status log_world_check_one(void *argument, uint64_t first, uint32_t count, int64_t time_us,
                                const uint8_t *body, size_t size)
{
    struct log_world_reading *reading = argument;
    struct log_world *world = reading->world;
    const struct log_world_batch *batch = &world->batch[reading->at++];

    assert_true(reading->at <= world->count);
    assert_int_equal(first, batch->first);
    assert_int_equal(count, batch->count);
    assert_int_equal(time_us, batch->time_us);
    assert_int_equal(size, batch->size);
    make_body(world, batch);
    assert_memory_equal(body, world->body, size);
    return STATUS_OK;
}

void log_world_check(struct log_world *world)
{
    struct log_world_reading reading = {.world = world};
    size_t durable = 0;

    while (durable < world->count && world->batch[durable].first <= world->durable)
        durable++;
    assert_int_equal(log_replay(world->log, 1, log_world_check_one, &reading), STATUS_OK);
    assert_int_equal(reading.at, durable);
}

void log_world_close(struct log_world *world)
{
    log_close(world->log);
    world->log = NULL;
    world->durable = world->next - 1;
}

void log_world_drop(struct log_world *world)
{
    if (world->log == NULL)
        return;
    if (world->sim != NULL)
        disk_sim_die(world->sim, 0);
    log_close(world->log); /* every call fails at once: only memory is given back */
    if (world->sim != NULL)
        disk_sim_heal(world->sim);
    world->log = NULL;
}
