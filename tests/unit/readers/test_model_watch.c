/* The model that is served: taken into use when it is there, changed when the file is, kept when
 * what came after it is no good. */
#include "support.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "readers/model_watch.h"
#include "readers/recommend/model.h"

/* The real disk: its thread and ours are at it together. */
#define FRESH "made"

struct world {
    char dir[64], path[80], fresh[80];
    const struct disk *disk;
    struct model_watch *watch;
    struct model_used used;
    struct model_told told;
    int64_t now_us;
};

static void begin(struct world *world)
{
    *world = (struct world){.dir = "/tmp/zan-model-XXXXXX", .disk = &disk_posix, .now_us = 1000000};
    assert_non_null(mkdtemp(world->dir));
    snprintf(world->path, sizeof world->path, "%s/model", world->dir);
    snprintf(world->fresh, sizeof world->fresh, "%s/" FRESH, world->dir);
    assert_int_equal(model_watch_open(world->disk, world->path, &world->watch), STATUS_OK);
}

static void end(struct world *world)
{
    model_watch_close(world->watch);
    unlink(world->path);
    assert_int_equal(rmdir(world->dir), 0);
}

/* Under its name, whole: or so many bytes of it. */
static void put(struct world *world, uint32_t version, uint64_t size)
{
    struct model model;
    char message[MODEL_MESSAGE];

    assert_int_equal(model_make(2, 1, 1, &model), STATUS_OK);
    model.id[0] = 7;
    model.id[1] = 9;
    model.degree[0] = model.degree[1] = 1;
    model.link_start[1] = model.link_start[2] = 1;
    model.link_item[0] = 1;
    model.link_weight[0] = 2;
    model.head->version = version;
    model.head->tenant = (uint16_t)(version % 3);
    assert_int_equal(model_save(&model, world->disk, world->fresh, message), STATUS_OK);
    if (size < model.bytes)
        assert_int_equal(truncate(world->fresh, (off_t)size), 0);
    model_free(&model);
    assert_int_equal(rename(world->fresh, world->path), 0);
}

static void put_model(struct world *world, uint32_t version)
{
    put(world, version, UINT64_MAX);
}

/* Looks come with the clock of the caller; the helper answers when it does. */
static void turn_until(struct world *world, uint64_t taken, uint64_t refused)
{
    do {
        world->now_us += MODEL_LOOK_US;
        model_watch_turn(world->watch, world->now_us, &world->used);
        model_watch_tell(world->watch, &world->told);
        sched_yield();
    } while (world->told.taken < taken || world->told.refused < refused);
}

static void newest_good_one(void **state)
{
    struct world world;
    const uint64_t history[] = {7};

    (void)state;
    begin(&world);
    for (int i = 0; i < 10; i++)
        turn_until(&world, 0, 0);
    assert_null(world.used.view); /* no file: nothing, and nothing wrong */
    assert_string_equal(world.told.message, "");
    put_model(&world, 5);
    turn_until(&world, 1, 0);
    assert_int_equal(world.used.version, 5);
    assert_int_equal(world.used.tenant, 2);
    assert_int_equal(recommend_look(world.used.view, history, 1), 1);
    assert_true(recommend_score(world.used.view, 9) == 2);
    put_model(&world, 6);
    turn_until(&world, 2, 0);
    assert_int_equal(world.used.version, 6);
    for (int i = 0; i < 100; i++)
        turn_until(&world, 2, 0);
    assert_int_equal(world.told.taken, 2); /* the same file is not opened again */
    put(&world, 8, MODEL_HEAD + 9);
    turn_until(&world, 2, 1);
    assert_non_null(strstr(world.told.message, "/model is cut off"));
    assert_int_equal(world.used.version, 6);
    assert_int_equal(recommend_look(world.used.view, history, 1), 1); /* it goes on */
    put(&world, 8, 3);
    turn_until(&world, 2, 2);
    assert_non_null(strstr(world.told.message, "too short"));
    for (int i = 0; i < 100; i++) /* tried again, and not told again */
        turn_until(&world, 2, 2);
    assert_int_equal(world.told.refused, 2);
    unlink(world.path);
    put_model(&world, 7);
    turn_until(&world, 3, 2);
    assert_int_equal(world.used.version, 7);
    assert_string_equal(world.told.message, "");
    end(&world);
}

static void closes_with_a_model_nobody_took(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    put_model(&world, 5);
    model_watch_turn(world.watch, world.now_us, &world.used);
    end(&world);
    begin(&world);
    end(&world); /* never turned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_good_one),
        cmocka_unit_test(closes_with_a_model_nobody_took),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
