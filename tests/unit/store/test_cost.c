/* What a like costs in the store: CPU, bytes, lookups. The bounds are on bytes and on the filter, never on
 * time; the times are printed. The figures of docs/formats-store.md were made by
 *   ZAN_COST_EDGES=20000000 ZAN_COST_FLUSH=1000000 test.unit.store.cost
 *
 * Likes: accounts uniform among 1 M (or as many as there are likes / 20), items by Zipf's law among a
 * tenth as many; every like also changes its account and its item; one in ten carries an
 * operation id if ZAN_COST_OPERATIONS is set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/store.h"
#include "support.h"

struct sizes {
    uint64_t edges, flush, accounts, items;
    bool operations;
};

static uint64_t number(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : fallback;
}

/* The clocks of CPU time: of this thread, of the whole process. */
#define THREAD  CLOCK_THREAD_CPUTIME_ID
#define PROCESS CLOCK_PROCESS_CPUTIME_ID

static double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double wall(void)
{
    return seconds(CLOCK_MONOTONIC);
}

static uint64_t zipf(struct test_random *random, uint64_t count)
{
    double u = (double)(test_random_next(random) >> 11) / 9007199254740992.0;

    return (uint64_t)(exp(u * log((double)count)) - 1); /* density 1/x */
}

/* The pair of the i-th like; pairs may repeat (some percent), like likes taken back and given again. */
static void pair_of(const struct sizes *sizes, uint64_t i, uint64_t *account, uint64_t *item)
{
    struct test_random random = {hash_mix(i)};

    *account = test_random_below(&random, sizes->accounts);
    *item = zipf(&random, sizes->items);
}

static int compare_pairs(const void *left, const void *right)
{
    const struct edge_row *a = left, *b = right;

    if (a->account != b->account)
        return a->account < b->account ? -1 : 1;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    return a->sequence < b->sequence ? 1 : -1;
}

static uint64_t drop_repeats(struct edge_row *rows, uint64_t count)
{
    uint64_t kept = 0;

    qsort(rows, count, sizeof *rows, compare_pairs);
    for (uint64_t i = 0; i < count; i++)
        if (kept == 0 || rows[kept - 1].account != rows[i].account ||
            rows[kept - 1].target != rows[i].target)
            rows[kept++] = rows[i];
    for (uint64_t i = kept; i > 1; i--) { /* as they come out of a hash table */
        uint64_t j = hash_mix(i) % i;
        struct edge_row spare = rows[i - 1];

        rows[i - 1] = rows[j];
        rows[j] = spare;
    }
    return kept;
}

struct batch {
    struct store_flush flush;
    uint64_t *account_mark, *item_mark; /* flush number + 1 in which an id was last seen */
};

static void touch(struct batch *batch, uint64_t round, const struct edge_row *row)
{
    struct store_flush *flush = &batch->flush;

    if (batch->account_mark[row->account] != round) {
        batch->account_mark[row->account] = round;
        struct account_row *account = &flush->accounts[flush->account_count++];
        memset(account, 0, sizeof *account);
        account->id = row->account;
        account->first_us = row->time_us;
        account->given[COUNTER_LIKE] = round;
        account->given[COUNTER_VIEW] = round * 9;
    }
    if (batch->item_mark[row->target] != round) {
        batch->item_mark[row->target] = round;
        struct item_row *item = &flush->items[flush->item_count++];
        memset(item, 0, sizeof *item);
        item->id = row->target;
        item->first_us = row->time_us;
        item->has_creator = 1;
        item->creator = row->target / 10;
        item->counts[COUNTER_LIKE] = round * 10;
        item->counts[COUNTER_VIEW] = round * 100;
        item->watch_ms = round * 100000;
    }
}

static void make_batch(const struct sizes *sizes, struct batch *batch, uint64_t from)
{
    struct store_flush *flush = &batch->flush;
    uint64_t round = from / sizes->flush + 1;

    flush->applied = from + sizes->flush;
    flush->edge_count = sizes->flush;
    flush->account_count = flush->item_count = flush->operation_count = 0;
    for (uint64_t i = 0; i < sizes->flush; i++) {
        struct edge_row *row = &flush->edges[i];

        *row = (struct edge_row){.sequence = from + i + 1, .on = 1, .flips = 1};
        row->time_us = 1750000000000000LL + (int64_t)((from + i) / 32 * 640); /* 50,000 a second */
        pair_of(sizes, from + i, &row->account, &row->target);
        touch(batch, round, row);
        if (sizes->operations && i % 10 == 0)
            flush->operations[flush->operation_count++] = (struct operation_row){
                .id = {hash_mix(from + i), i}, .content = hash_mix(~i), .sequence = row->sequence,
                .time_us = row->time_us};
    }
    flush->edge_count = drop_repeats(flush->edges, flush->edge_count);
}

static void *take(uint64_t count, size_t size)
{
    void *rows = calloc(count, size);

    assert_non_null(rows);
    return rows;
}

static void flush_all(struct store *store, const struct sizes *sizes)
{
    struct batch batch = {0};
    struct store_flush *flush = &batch.flush;
    double cpu = 0, all = 0, started = wall();
    char message[256];

    flush->edges = take(sizes->flush, sizeof *flush->edges);
    flush->accounts = take(sizes->flush, sizeof *flush->accounts);
    flush->items = take(sizes->items, sizeof *flush->items);
    flush->operations = take(sizes->flush, sizeof *flush->operations);
    batch.account_mark = take(sizes->accounts, sizeof *batch.account_mark);
    batch.item_mark = take(sizes->items, sizeof *batch.item_mark);
    for (uint64_t from = 0; from < sizes->edges; from += sizes->flush) {
        double self = seconds(THREAD), both = seconds(PROCESS);

        make_batch(sizes, &batch, from);
        self = seconds(THREAD) - self;
        all -= self; /* making the batch is not the store's work */
        all -= both;
        self = seconds(THREAD);
        assert_int_equal(store_flush(store, flush, message), STATUS_OK);
        cpu += seconds(THREAD) - self;
        all += seconds(PROCESS);
    }
    printf("flush: %.2f CPU-s per 1 M likes by its own thread, %.2f with compaction so far; %.1f s\n",
           cpu * 1e6 / (double)sizes->edges, all * 1e6 / (double)sizes->edges, wall() - started);
    free(flush->edges);
    free(flush->accounts);
    free(flush->items);
    free(flush->operations);
    free(batch.account_mark);
    free(batch.item_mark);
}

/* Until the background is quiet: its CPU does not move. */
static void settle(const char *what, uint64_t likes)
{
    double before = seconds(PROCESS), quiet = 0, started = before;

    while (quiet < 1.5) {
        struct timespec pause = {.tv_nsec = 250000000};

        nanosleep(&pause, NULL);
        double now = seconds(PROCESS);
        quiet = now - before < 0.005 ? quiet + 0.25 : 0;
        before = now;
    }
    if (what != NULL)
        printf("%s: %.2f more CPU-s per 1 M likes\n", what, (before - started) * 1e6 / (double)likes);
}

static double get_rate(struct store *store, const struct sizes *sizes, uint32_t many, bool present,
                       bool ordered)
{
    enum { ROUNDS_MAX = 4000 };
    struct edge_row rows[1024];
    bool found[1024];
    uint64_t rounds = 200000 / many, hits = 0, seed = 1;
    double cpu = seconds(THREAD);

    if (rounds > ROUNDS_MAX)
        rounds = ROUNDS_MAX;
    for (uint64_t r = 0; r < rounds; r++) {
        uint64_t account = 0;

        memset(rows, 0, many * sizeof *rows);
        for (uint32_t i = 0; i < many; i++) {
            pair_of(sizes, hash_mix(seed++) % sizes->edges, &rows[i].account, &rows[i].target);
            if (!present)
                rows[i].target += sizes->items;
            if (ordered) /* LIKED: one account, many items */
                rows[i].account = i == 0 ? (account = rows[0].account) : account;
        }
        assert_int_equal(store_get_edges(store, rows, found, many), STATUS_OK);
        for (uint32_t i = 0; i < many; i++)
            hits += found[i];
    }
    if (!ordered)
        assert_true(present ? hits == rounds * many : hits == 0);
    return (double)(rounds * many) / (seconds(THREAD) - cpu);
}

static void list_rate(struct store *store, const struct sizes *sizes)
{
    struct store_entry entries[100];
    uint64_t rounds = 3000, got = 0;

    for (unsigned side = 0; side < 2; side++) {
        double cpu = seconds(THREAD);

        got = 0;
        for (uint64_t r = 0; r < rounds; r++) {
            uint64_t account, item;
            uint32_t count;
            bool more;

            pair_of(sizes, hash_mix(r) % sizes->edges, &account, &item);
            assert_int_equal(store_list(store, side == 0 ? STORE_GIVEN : STORE_TAKEN, 0, EDGE_LIKE,
                                        side == 0 ? account : item, UINT64_MAX, entries, 100,
                                        &count, &more),
                             STATUS_OK);
            assert_true(count > 0);
            got += count;
        }
        cpu = seconds(THREAD) - cpu;
        printf("list %s: %.0f pages/s, %.1f entries each\n", side == 0 ? "given" : "taken",
               (double)rounds / cpu, (double)got / (double)rounds);
    }
}

static void look_up(struct store *store, const struct sizes *sizes)
{
    struct store_stats before, after;

    printf("get present: %.0f/s alone, %.0f/s by 50, %.0f/s by 1000\n",
           get_rate(store, sizes, 1, true, false), get_rate(store, sizes, 50, true, false),
           get_rate(store, sizes, 1000, true, false));
    store_stats(store, &before);
    printf("get absent:  %.0f/s alone, %.0f/s by 50, %.0f/s by 1000\n",
           get_rate(store, sizes, 1, false, false), get_rate(store, sizes, 50, false, false),
           get_rate(store, sizes, 1000, false, false));
    store_stats(store, &after);
    printf("50 items of one account: %.0f/s\n", get_rate(store, sizes, 50, true, true));
    list_rate(store, sizes);
    printf("filter: %.2f %% of absent keys pass, %.2f bytes a key, complete %d\n",
           100.0 - 100.0 * (double)(after.filter_absent - before.filter_absent) /
                       (double)(after.filter_checks - before.filter_checks),
           (double)after.filter_bytes / (double)after.filter_keys, after.filter_complete);
    if (after.filter_complete)
        assert_true(after.filter_absent - before.filter_absent >
                    (after.filter_checks - before.filter_checks) / 10 * 9);
}

static struct store *open_timed(const struct store_config *config, bool wait)
{
    struct store_stats stats;
    struct store *store;
    char message[256];
    double started = wall(), cpu = seconds(PROCESS);

    assert_int_equal(store_open(config, &store, message), STATUS_OK);
    printf("open: %.1f ms", (wall() - started) * 1e3);
    do {
        struct timespec pause = {.tv_nsec = 1000000};

        nanosleep(&pause, NULL);
        store_stats(store, &stats);
    } while (wait && !stats.filter_complete);
    printf("; filter whole after %.2f s, %.2f CPU-s\n", wall() - started, seconds(PROCESS) - cpu);
    return store;
}

static void a_like_is_small_at_rest(void **state)
{
    struct sizes sizes = {.edges = number("ZAN_COST_EDGES", 400000),
                          .flush = number("ZAN_COST_FLUSH", 100000),
                          .operations = getenv("ZAN_COST_OPERATIONS") != NULL};
    char path[64] = "";
    struct store_config config = {.path = path, .partition_count = 1, .create = true};
    struct store_stats stats;
    struct store *store;

    (void)state;
    sizes.edges = sizes.edges / sizes.flush * sizes.flush;
    sizes.accounts = number("ZAN_COST_ACCOUNTS", sizes.edges / 20 < 1000000 ? sizes.edges / 20 : 1000000);
    sizes.items = sizes.accounts / 10;
    test_dir_make(path);
    store = open_timed(&config, true);
    flush_all(store, &sizes);
    settle("after the last flush", sizes.edges);
    store_stats(store, &stats);
    printf("at rest: %.1f bytes a like (%.1f MB), %.1f MB cache and tables, %lu edges\n",
           (double)stats.disk_bytes / (double)sizes.edges, (double)stats.disk_bytes / 1e6,
           (double)stats.cache_bytes / 1e6, (unsigned long)stats.edges_estimate);
    assert_true(stats.disk_bytes < sizes.edges * 80);
    look_up(store, &sizes);
    store_close(store);
    store = open_timed(&config, true);
    look_up(store, &sizes);
    store_close(store);
    test_dir_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_like_is_small_at_rest)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
