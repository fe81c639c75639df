/* A store holds what was flushed, over reopening and compaction: store_rocks against store_memory with
 * the same random flushes. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/store_world.h"

static struct store *open_at(const struct store_config *config)
{
    struct store *store = NULL;
    char message[256];
    enum status status = store_open(config, &store, message);

    if (status != STATUS_OK)
        print_message("%s: %s\n", status_info(status)->code, message);
    assert_int_equal(status, STATUS_OK);
    return store;
}

static void flush_both(struct world *world, struct store *a, struct store *b)
{
    struct store_flush flush = world_flush(world), copy = world_flush_copy(&flush);
    char message[256];

    assert_int_equal(store_flush(a, &flush, message), STATUS_OK);
    assert_int_equal(store_flush(b, &copy, message), STATUS_OK);
    assert_true(store_applied(a) == world->sequence);
    world_flush_free(&flush);
    world_flush_free(&copy);
}

static void wait_for_filter(const struct store *store)
{
    struct store_stats stats;

    do
        store_stats(store, &stats);
    while (!stats.filter_complete);
}

/* Twin: many flushes of all sizes, reopened now and then. */
static void holds_what_its_twin_holds(void **state)
{
    uint64_t seed = test_seed(11);

    (void)state;
    for (uint64_t run = 0; run < 4; run++) {
        struct world *world = world_make(seed + run);
        char path[64] = "";
        struct store_config disk = world_config(path), memory = world_config(NULL);
        struct store *rocks, *twin;

        test_dir_make(path);
        rocks = open_at(&disk);
        twin = open_at(&memory);
        for (int flush = 0; flush < 25; flush++) {
            uint64_t steps = test_random_below(&world->random, flush % 8 == 0 ? 3000 : 150);

            for (uint64_t i = 0; i < steps; i++)
                world_step(world);
            flush_both(world, rocks, twin);
            if (flush % 6 == 5) {
                store_close(rocks);
                rocks = open_at(&disk);
                assert_true(store_applied(rocks) == world->sequence);
                if (flush % 12 == 5)
                    wait_for_filter(rocks);
            }
            if (flush % 4 == 0 || flush == 24)
                world_same(world, rocks, twin, seed + (uint64_t)flush);
        }
        store_close(rocks);
        store_close(twin);
        test_dir_remove(path);
        free(world);
    }
}

static void the_filter_knows_what_is_absent(void **state)
{
    struct world *world = world_make(test_seed(12));
    char path[64] = "";
    struct store_config config = world_config(path);
    struct store *store;
    struct store_flush flush;
    char message[256];
    uint64_t absent = 0, operation[2] = {1, 2};

    (void)state;
    test_dir_make(path);
    store = open_at(&config);
    for (int i = 0; i < 500; i++)
        world_step(world);
    flush = world_flush(world);
    assert_int_equal(store_flush(store, &flush, message), STATUS_OK);
    world_flush_free(&flush);
    for (int again = 0; again < 2; again++) {
        absent = 0;
        for (uint64_t i = 0; i < 1000; i++)
            absent += !store_may_have_edge(store, 0, EDGE_LIKE, 1000000 + i, i);
        assert_true(absent > 900);
        assert_false(store_may_have_account(store, 0, 424242));
        assert_false(store_may_have_item(store, 0, 424242));
        assert_false(store_may_have_operation(store, 0, operation));
        store_prefetch_edge(store, 0, EDGE_LIKE, 1, 2);
        store_close(store);
        store = open_at(&config);
        wait_for_filter(store);
    }
    store_close(store);
    test_dir_remove(path);
    free(world);
}

static void one_operation(struct store *store, uint64_t applied, uint64_t id, int64_t time_us)
{
    struct operation_row row = {
        .id = {id, 1}, .content = 9, .sequence = applied, .time_us = time_us, .status = STATUS_OK};
    struct store_flush flush = {
        .applied = applied, .operations = &row, .operation_count = 1};
    char message[256];

    assert_int_equal(store_flush(store, &flush, message), STATUS_OK);
}

static bool finds_operation(struct store *store, uint64_t id, int64_t now_us)
{
    struct operation_row row = {.id = {id, 1}};
    bool found;

    assert_int_equal(store_get_operations(store, &row, &found, 1, now_us), STATUS_OK);
    return found;
}

/* keep is 60 s: found up to then, hidden after, whatever compaction did, on both kinds. */
static void operations_expire(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        char path[64] = "";
        struct store_config config;
        struct store *store;
        const int64_t t = WORLD_START_US, second = 1000000;

        test_dir_make(path);
        config = world_config(kind == 0 ? path : NULL);
        store = open_at(&config);
        one_operation(store, 1, 100, t);
        assert_true(finds_operation(store, 100, t + 60 * second));
        assert_false(finds_operation(store, 100, t + 60 * second + 1));
        assert_false(finds_operation(store, 101, t));
        for (uint64_t i = 0; i < 40; i++) /* 10 s each, enough runs to be merged */
            one_operation(store, 2 + i, i, t + (int64_t)(i + 1) * 10 * second);
        for (uint64_t i = 0; i < 40; i++) { /* even if the clock went back: see ops.h */
            assert_true(finds_operation(store, i, t + 400 * second) == (i >= 33));
            assert_true(finds_operation(store, i, t) == (i >= 33));
        }
        store_close(store);
        test_dir_remove(path);
    }
}

static enum status try_open(const struct store_config *config, char *message)
{
    struct store *store = NULL;
    enum status status = store_open(config, &store, message);

    assert_true((status == STATUS_OK) == (store != NULL));
    store_close(store);
    return status;
}

/* Each row mends one fault of the one before. */
static void a_wrong_directory_is_refused_by_name(void **state)
{
    char path[64], inner[128], message[256];
    struct store_config good, config;
    FILE *file;

    (void)state;
    test_dir_make(path);
    snprintf(inner, sizeof inner, "%s/store", path);
    good = world_config(inner);
    config = good;

    config.create = false; /* not there, and not to be made */
    assert_int_equal(try_open(&config, message), STATUS_BADDATA);
    assert_int_not_equal(access(inner, F_OK), 0);
    config.path = path; /* somebody else's directory */
    config.create = true;
    snprintf(inner, sizeof inner, "%s/letter.txt", path);
    file = fopen(inner, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(try_open(&config, message), STATUS_BADDATA);
    config.path = inner; /* a file */
    assert_int_equal(try_open(&config, message), STATUS_BADDATA);

    snprintf(inner, sizeof inner, "%s/store", path);
    assert_int_equal(try_open(&good, message), STATUS_OK); /* makes it */
    config = good;
    config.log_id[15] ^= 1;
    assert_int_equal(try_open(&config, message), STATUS_BADDATA);
    assert_non_null(strstr(message, "another log"));
    config = good;
    config.partition = 2;
    assert_int_equal(try_open(&config, message), STATUS_BADDATA);
    assert_non_null(strstr(message, "partition 1 of 3, not 2 of 3"));
    config = good;
    config.partition_count = 4;
    assert_int_equal(try_open(&config, message), STATUS_BADDATA);
    config = good;
    config.create = false;
    assert_int_equal(try_open(&config, message), STATUS_OK);
    test_dir_remove(path);
}

static void a_second_one_is_locked_out(void **state)
{
    char path[64] = "", message[256];
    struct store_config config = world_config(path);
    struct store *store;

    (void)state;
    test_dir_make(path);
    store = open_at(&config);
    assert_int_equal(try_open(&config, message), STATUS_LOCKED);
    store_close(store);
    test_dir_remove(path);
}

static void read_only_reads_and_does_not_write(void **state)
{
    struct world *world = world_make(test_seed(13));
    char path[64] = "", message[256];
    struct store_config config = world_config(path), memory = world_config(NULL);
    struct store *store, *twin = open_at(&memory);
    struct store_flush flush = {.applied = 1ULL << 40};

    (void)state;
    test_dir_make(path);
    store = open_at(&config);
    for (int i = 0; i < 500; i++)
        world_step(world);
    flush_both(world, store, twin);
    store_close(store);
    config.create = false;
    config.read_only = true;
    store = open_at(&config);
    world_same(world, store, twin, 1);
    assert_int_equal(store_flush(store, &flush, message), STATUS_READONLY);
    assert_true(store_applied(store) == world->sequence);
    store_close(store);
    store_close(twin);
    test_dir_remove(path);
    free(world);
}

static void a_key_may_be_asked_twice_in_one_call(void **state)
{
    char path[64] = "", message[256];
    struct store_config config = world_config(path);
    struct store *store;
    struct edge_row row = {.account = 7, .target = 8, .sequence = 1, .time_us = 5, .on = 1, .flips = 1};
    struct store_flush flush = {.applied = 1, .edges = &row, .edge_count = 1};
    struct edge_row rows[100];
    bool found[100];

    (void)state;
    test_dir_make(path);
    store = open_at(&config);
    assert_int_equal(store_flush(store, &flush, message), STATUS_OK);
    memset(rows, 0, sizeof rows);
    for (int i = 0; i < 100; i++) {
        rows[i].account = 7;
        rows[i].target = 8 + (uint64_t)(i % 3);
    }
    assert_int_equal(store_get_edges(store, rows, found, 100), STATUS_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(found[i], i % 3 == 0);
        assert_int_equal(rows[i].sequence, i % 3 == 0);
    }
    assert_int_equal(store_get_edges(store, rows, found, 0), STATUS_OK);
    store_close(store);
    test_dir_remove(path);
}

static void items_of(struct store *store, uint32_t page)
{
    static const struct item_row all[] = {{.id = 0, .tenant = 0},          {.id = 1, .tenant = 0},
                                          {.id = 255, .tenant = 0},        {.id = 256, .tenant = 0},
                                          {.id = UINT64_MAX, .tenant = 0}, {.id = 0, .tenant = 1},
                                          {.id = 7, .tenant = 1},          {.id = 3, .tenant = 300}};
    struct item_row rows[16];
    uint32_t count, at = 0;
    uint64_t from = 0;
    uint16_t tenant = 0;

    do {
        assert_int_equal(store_items_from(store, tenant, from, rows, page, &count), STATUS_OK);
        assert_true(count <= page);
        for (uint32_t i = 0; i < count; i++, at++) {
            assert_true(rows[i].id == all[at].id && rows[i].tenant == all[at].tenant);
            assert_int_equal(rows[i].counts[COUNTER_LIKE], at);
            from = rows[i].id + 1;
            tenant = rows[i].id == UINT64_MAX ? (uint16_t)(rows[i].tenant + 1) : rows[i].tenant;
        }
    } while (count == page);
    assert_int_equal(at, sizeof all / sizeof all[0]);
}

/* In the order of tenant and id, whatever the page; both stores. */
static void items_come_in_order(void **state)
{
    static const struct {
        uint64_t id;
        uint16_t tenant;
    } keys[] = {{7, 1}, {256, 0}, {0, 0}, {3, 300}, {UINT64_MAX, 0}, {1, 0}, {0, 1}, {255, 0}};
    static const uint64_t places[] = {6, 3, 0, 7, 4, 1, 5, 2};
    struct item_row rows[8] = {{0}};
    char path[64] = "", message[256];

    (void)state;
    test_dir_make(path);
    for (int memory = 0; memory < 2; memory++) {
        struct store_config config = world_config(memory ? NULL : path);
        struct store *store = open_at(&config);
        struct store_flush flush = {.applied = 1, .items = rows, .item_count = 8};

        for (int i = 0; i < 8; i++) {
            rows[i] = (struct item_row){.id = keys[i].id, .tenant = keys[i].tenant};
            rows[i].counts[COUNTER_LIKE] = places[i];
        }
        assert_int_equal(store_flush(store, &flush, message), STATUS_OK);
        for (uint32_t page = 1; page <= 9; page++)
            items_of(store, page);
        store_close(store);
    }
    test_dir_remove(path);
}

/* One item with far more entries than fit a row: every page size and cursor gives the same list. */
static void a_long_list_is_walked_by_any_page(void **state)
{
    enum { COUNT = 2000, FLUSHES = 4 };
    char path[64] = "", message[256];
    struct store_config config = world_config(path);
    struct store *store;
    struct edge_row *rows = calloc(COUNT, sizeof *rows);
    struct store_entry entries[700];
    struct test_random random = {test_seed(14)};

    (void)state;
    test_dir_make(path);
    store = open_at(&config);
    for (uint64_t f = 0; f < FLUSHES; f++) {
        struct store_flush flush = {
            .applied = (f + 1) * COUNT, .edges = rows, .edge_count = COUNT};

        for (uint64_t i = 0; i < COUNT; i++)
            rows[i] = (struct edge_row){.account = f * COUNT + i,
                                        .target = 5,
                                        .sequence = f * COUNT + i + 1,
                                        .time_us = (int64_t)(i + 1),
                                        .on = 1,
                                        .flips = 1};
        assert_int_equal(store_flush(store, &flush, message), STATUS_OK);
    }
    for (int round = 0; round < 300; round++) {
        uint64_t below = test_random_below(&random, COUNT * FLUSHES + 3);
        uint32_t max = 1 + (uint32_t)test_random_below(&random, 700), count;
        uint64_t left = below == 0 ? 0 : below - 1;
        bool more;

        if (left > COUNT * FLUSHES)
            left = COUNT * FLUSHES;
        assert_int_equal(store_list(store, STORE_TAKEN, 0, EDGE_LIKE, 5, below, entries, max,
                                    &count, &more),
                         STATUS_OK);
        assert_int_equal(count, left < max ? left : max);
        assert_int_equal(more, left > max);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(entries[i].sequence == left - i);
            assert_true(entries[i].other == left - i - 1);
        }
    }
    store_close(store);
    test_dir_remove(path);
    free(rows);
}

/* --- one thread flushes, another reads --- */

enum { ROWS = 300, GENERATIONS = 60 };

struct generations {
    struct store *store;
    _Atomic uint64_t done;
};

static struct edge_row edge_of_generation(uint64_t g, uint64_t i)
{
    return (struct edge_row){.account = i,
                             .target = 5,
                             .sequence = g * ROWS + i + 1,
                             .time_us = (int64_t)g,
                             .on = 1,
                             .flips = (uint16_t)g};
}

/* Never seen before: the key filter learns of it in the same flush. */
static struct edge_row new_edge_of_generation(uint64_t g, uint64_t i)
{
    struct edge_row row = edge_of_generation(g, i);

    row.account = (g + 1) * ROWS + i;
    row.kind = EDGE_REPORT;
    return row;
}

/* Generation g sets the same edges to sequences g * ROWS + 1 ..., lists them again, and adds new ones. */
static void *flush_generations(void *argument)
{
    struct generations *shared = argument;
    struct edge_row *rows = calloc(2 * ROWS, sizeof *rows);
    char message[256];

    for (uint64_t g = 1; g <= GENERATIONS; g++) {
        struct store_flush flush = {
            .applied = g * ROWS + ROWS, .edges = rows, .edge_count = 2 * ROWS};

        for (uint64_t i = 0; i < ROWS; i++) {
            rows[2 * i] = edge_of_generation(g, i);
            rows[2 * i + 1] = new_edge_of_generation(g, i);
        }
        if (store_flush(shared->store, &flush, message) != STATUS_OK)
            abort();
        atomic_store(&shared->done, g);
    }
    free(rows);
    return NULL;
}

static bool has_new_edges(struct store *store, uint64_t g)
{
    static struct edge_row rows[ROWS];
    bool found[ROWS];

    for (uint64_t i = 0; i < ROWS; i++)
        rows[i] = new_edge_of_generation(g, i);
    assert_int_equal(store_get_edges(store, rows, found, ROWS), STATUS_OK);
    for (uint64_t i = 0; i < ROWS; i++)
        assert_int_equal(found[i], found[0]);
    return found[0];
}

static uint64_t generation_of_edges(struct store *store)
{
    static struct edge_row rows[ROWS];
    bool found[ROWS];

    memset(rows, 0, sizeof rows);
    for (uint64_t i = 0; i < ROWS; i++) {
        rows[i].account = i;
        rows[i].target = 5;
    }
    assert_int_equal(store_get_edges(store, rows, found, ROWS), STATUS_OK);
    for (uint64_t i = 0; i < ROWS; i++) {
        assert_int_equal(found[i], found[0]);
        assert_true(rows[i].flips == rows[0].flips);
    }
    return rows[0].flips;
}

static uint64_t generation_of_list(struct store *store)
{
    static struct store_entry entries[ROWS + 1];
    uint32_t count;
    bool more;

    assert_int_equal(store_list(store, STORE_TAKEN, 0, EDGE_LIKE, 5, UINT64_MAX, entries, ROWS,
                                &count, &more),
                     STATUS_OK);
    if (count == 0)
        return 0;
    assert_int_equal(count, ROWS);
    for (uint32_t i = 0; i < ROWS; i++)
        assert_true(entries[i].time_us == entries[0].time_us);
    assert_int_equal(more, entries[0].time_us > 1);
    return (uint64_t)entries[0].time_us;
}

static void a_reader_sees_all_of_a_flush_or_nothing(void **state)
{
    char path[64] = "";
    struct store_config config;
    struct generations shared = {0};
    uint64_t reads = 0, last = 0;
    pthread_t writer;

    (void)state;
    test_dir_make(path);
    config = world_config(path);
    shared.store = open_at(&config);
    assert_int_equal(pthread_create(&writer, NULL, flush_generations, &shared), 0);
    while (last < GENERATIONS) {
        uint64_t done = atomic_load(&shared.done);
        bool next = has_new_edges(shared.store, done + 1);
        uint64_t edges = generation_of_edges(shared.store);
        uint64_t list = generation_of_list(shared.store);

        assert_true(edges >= done + next && edges >= last && list >= edges);
        last = edges;
        reads++;
    }
    pthread_join(writer, NULL);
    printf("%lu reads beside %d flushes\n", (unsigned long)reads, GENERATIONS);
    store_close(shared.store);
    test_dir_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_its_twin_holds),
        cmocka_unit_test(the_filter_knows_what_is_absent),
        cmocka_unit_test(operations_expire),
        cmocka_unit_test(a_wrong_directory_is_refused_by_name),
        cmocka_unit_test(a_second_one_is_locked_out),
        cmocka_unit_test(read_only_reads_and_does_not_write),
        cmocka_unit_test(a_key_may_be_asked_twice_in_one_call),
        cmocka_unit_test(items_come_in_order),
        cmocka_unit_test(a_long_list_is_walked_by_any_page),
        cmocka_unit_test(a_reader_sees_all_of_a_flush_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
