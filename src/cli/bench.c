/* bench.c: zan bench: a load, and a check that every answer was right.
 *
 *   zan bench load    sends likes or reads to a Zan or a Redis and prints how fast it was
 *   zan bench check   asks for every item's count and compares it with the plan
 *   zan bench instr   does likes in this process, for callgrind (bench_instr.c)
 *
 * bench/run puts them together into the table of `make bench`. A load that gets one wrong answer
 * is no result: it ends with exit code 3. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bench_instr.h"
#include "cli/bench_load.h"
#include "cli/command.h"
#include "cli/options.h"

#define CHECK_IDS 1000 /* ids asked for at once by check */

struct bench_values {
    const char *to, *side, *work, *spread;
    uint64_t connections, pipeline, count, first, stored, rate, ids;
    uint64_t account_bits, item_bits, seed, expect;
    bool json;
};

#define ROW_NUMBER(name, form, text, field, low, high)                                             \
    {                                                                                              \
        name, form, text, OPTION_NUMBER, offsetof(struct bench_values, field), low, high           \
    }
#define ROW_TEXT(name, form, text, field)                                                          \
    {                                                                                              \
        name, form, text, OPTION_TEXT, offsetof(struct bench_values, field), 0, 0                  \
    }
#define ROW_FLAG(name, text, field)                                                                \
    {                                                                                              \
        name, NULL, text, OPTION_FLAG, offsetof(struct bench_values, field), 0, 0                  \
    }
#define ROWS_PLAN                                                                                  \
    ROW_TEXT("to", "HOST:PORT", "the server [127.0.0.1:6390]", to),                                \
        ROW_TEXT("side", "zan|redis", "the language it is spoken to in [zan]", side),              \
        ROW_TEXT("spread", "uniform|zipf|hot",                                                     \
                 "which items are liked: all alike; by Zipf's law; nine likes of ten on one item " \
                 "[uniform]",                                                                      \
                 spread),                                                                          \
        ROW_NUMBER("account-bits", "N", "2^N accounts [20]", account_bits, 1, 32),                 \
        ROW_NUMBER("item-bits", "N", "2^N items [16]", item_bits, 1, 31),                          \
        ROW_NUMBER("seed", "N", "another seed, other pairs [1]", seed, 0, UINT64_MAX),             \
        ROW_NUMBER("stored", "N", "likes 0 to N-1 of the plan are in the server [0]", stored, 0,   \
                   UINT64_MAX),                                                                    \
        ROW_FLAG("json", "one JSON object instead of text", json)

static const struct option_row load_rows[] = {
    ROWS_PLAN,
    ROW_TEXT("work", "like|unlike|liked|likes",
             "like, unlike: writes; liked: does an account like these items; likes: how many likes "
             "have these items [like]",
             work),
    ROW_NUMBER("connections", "N", "connections [50]", connections, 1, 10000),
    ROW_NUMBER("pipeline", "N", "requests sent at once on a connection [1]", pipeline, 1, 10000),
    ROW_NUMBER("count", "N", "requests in all [100000]", count, 1, UINT64_MAX),
    ROW_NUMBER("rate", "N",
               "requests offered a second, whatever the server does; 0: as fast as "
               "answers come [0]",
               rate, 0, 100000000),
    ROW_NUMBER("first", "N", "writes: number of the first like of the plan [0]", first, 0,
               UINT64_MAX),
    ROW_NUMBER("ids", "N", "reads: ids in a request [50]", ids, 2, TALK_IDS_MAX),
    ROW_NUMBER("expect", "N", "writes: how many of them must have changed something [all]", expect,
               0, UINT64_MAX),
};

static const struct option_row check_rows[] = {ROWS_PLAN};

struct instr_values {
    const char *data, *work;
    uint64_t count;
};

static const struct option_row instr_rows[] = {
    {"data", "DIR", "an empty directory for the log and the store [zan-instr]", OPTION_TEXT,
     offsetof(struct instr_values, data), 0, 0},
    {"work", BENCH_INSTR_WORKS,
     "new likes; the same likes again; LIKED of 50 items; bringing the likes to rest [new]",
     OPTION_TEXT, offsetof(struct instr_values, work), 0, 0},
    {"count", "N", "likes, in thousands [100]", OPTION_NUMBER, offsetof(struct instr_values, count),
     33, 100000},
};

static int run_load(int argc, char **argv);
static int run_check(int argc, char **argv);
static int run_instr(int argc, char **argv);

static const struct command bench_commands[] = {
    {.name = "bench load",
     .words = "",
     .summary = "sends a load to a Zan or a Redis, checks every answer, prints how fast it was",
     .options = load_rows,
     .option_count = sizeof load_rows / sizeof *load_rows,
     .run = run_load},
    {.name = "bench check",
     .words = "",
     .summary = "compares the count of every item with the plan",
     .options = check_rows,
     .option_count = sizeof check_rows / sizeof *check_rows,
     .run = run_check},
    {.name = "bench instr",
     .words = "",
     .summary = "does likes in this process, for callgrind to count instructions (bench/instr)",
     .options = instr_rows,
     .option_count = sizeof instr_rows / sizeof *instr_rows,
     .run = run_instr},
};

/* --- from words to a plan ------------------------------------------------------------------------
 */

/* The place of word in a row of words that ends with NULL; they were checked by options_parse. */
static uint32_t index_of(const char *word, const char *const *words)
{
    uint32_t i = 0;

    while (words[i] != NULL && strcmp(words[i], word) != 0)
        i++;
    return i;
}

static int refuse(const char *text)
{
    fprintf(stderr, "zan bench: %s\n", text);
    return EXIT_USAGE;
}

/* Likes of each item id after the first `stored` likes; NULL: no memory. */
static uint32_t *count_plan(struct plan plan, uint64_t stored)
{
    uint32_t *counts = calloc(plan_item_ids(&plan) + 1, sizeof *counts);
    uint32_t *taken = calloc(plan_items(&plan), sizeof *taken);

    plan.taken = taken;
    for (uint64_t k = 0; counts != NULL && taken != NULL && k < stored; k++)
        counts[plan_pair(&plan, k).item]++;
    free(taken);
    if (taken != NULL)
        return counts;
    free(counts);
    return NULL;
}

static int make_talk(const struct bench_values *values, struct talk *talk)
{
    static const char *const sides[] = {"zan", "redis", NULL};
    static const char *const works[] = {"like", "unlike", "liked", "likes", NULL};
    static const char *const spreads[] = {"uniform", "hot", "zipf", NULL};

    *talk = (struct talk){
        .side = (enum talk_side)index_of(values->side, sides),
        .work = (enum talk_work)index_of(values->work, works),
        .plan = {.spread = (enum plan_spread)index_of(values->spread, spreads),
                 .account_bits = (uint32_t)values->account_bits,
                 .item_bits = (uint32_t)values->item_bits,
                 .seed = values->seed},
        .next = values->first,
        .stored = values->stored,
        .ids = (uint32_t)values->ids,
    };
    if (values->first + values->count > plan_size(&talk->plan) ||
        values->stored > plan_size(&talk->plan))
        return refuse("the plan has not that many pairs; raise --account-bits or --item-bits");
    if (talk->work == TALK_LIKED &&
        (talk->plan.spread != PLAN_UNIFORM || values->stored < plan_accounts(&talk->plan) ||
         (values->stored >> talk->plan.account_bits) + 1 >= plan_items(&talk->plan)))
        return refuse("--work liked needs --spread uniform and --stored of at least a round of "
                      "accounts, less than all pairs");
    return OPTIONS_GO;
}

/* What the plan has to remember; walks zipf's counters to the first like. */
static bool prepare_plan(struct talk *talk)
{
    struct plan *plan = &talk->plan;

    if (talk->work == TALK_LIKES && (talk->counts = count_plan(*plan, talk->stored)) == NULL)
        return false;
    if (plan->spread != PLAN_ZIPF)
        return true;
    plan->taken = calloc(plan_items(plan), sizeof *plan->taken);
    for (uint64_t k = 0; plan->taken != NULL && k < talk->next; k++)
        plan_pair(plan, k);
    return plan->taken != NULL;
}

static void free_talk(struct talk *talk)
{
    free((void *)(uintptr_t)talk->counts);
    free(talk->plan.taken);
}

/* Loads the script into Redis and keeps its name. */
static bool load_script(const char *address, struct talk *talk, char message[256])
{
    const char *text = talk_script(talk->work);
    struct talk_sums sums = {0};
    char request[1024];
    char answer[256];
    int fd = load_connect(address, message);
    int size;
    size_t got;

    if (fd < 0)
        return false;
    size = snprintf(request, sizeof request, "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$%zu\r\n%s\r\n",
                    strlen(text), text);
    got = load_ask(fd, request, (size_t)size, &sums, answer, sizeof answer);
    close(fd);
    if (got < 5 + sizeof talk->script || memcmp(answer, "$40\r\n", 5) != 0) {
        snprintf(message, 256, "SCRIPT LOAD was refused: %.100s", sums.error);
        return false;
    }
    memcpy(talk->script, answer + 5, sizeof talk->script);
    return true;
}

/* --- zan bench load ------------------------------------------------------------------------------
 */

static bool is_write(const struct talk *talk)
{
    return talk->work == TALK_LIKE || talk->work == TALK_UNLIKE;
}

/* Is every answer what the plan says? */
static bool exact(const struct bench_values *values, const struct talk *talk,
                  const struct load_result *result)
{
    const struct talk_sums *sums = &result->sums;

    if (sums->errors != 0 || sums->replies != values->count)
        return false;
    if (is_write(talk))
        return sums->values == values->count && sums->hits == sums->sum &&
               sums->hits == (values->expect == UINT64_MAX ? values->count : values->expect);
    if (sums->values != values->count * talk->ids)
        return false;
    if (talk->work == TALK_LIKED)
        return sums->hits == talk->expected_hits;
    return sums->sum == talk->expected_sum;
}

static double us(uint64_t ns)
{
    return (double)ns / 1000.0;
}

static void print_json(const struct load_result *result, bool good)
{
    const struct histogram *times = &result->times;
    const struct talk_sums *sums = &result->sums;
    double seconds = (double)result->elapsed_ns / 1e9;

    printf("{\"exact\": %s, \"replies\": %llu, \"hits\": %llu, \"sum\": %llu, \"errors\": %llu, "
           "\"error\": \"%s\", ",
           good ? "true" : "false", (unsigned long long)sums->replies,
           (unsigned long long)sums->hits, (unsigned long long)sums->sum,
           (unsigned long long)sums->errors, sums->error);
    printf("\"seconds\": %.6f, \"per_second\": %.1f, \"client_user_us\": %llu, "
           "\"client_system_us\": %llu, \"late_us_max\": %.1f, ",
           seconds, (double)sums->replies / seconds, (unsigned long long)result->cpu_user_us,
           (unsigned long long)result->cpu_system_us, us(result->late_ns_max));
    printf("\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
           "\"max_us\": %.1f, \"mean_us\": %.1f}\n",
           us(histogram_quantile(times, 500000)), us(histogram_quantile(times, 900000)),
           us(histogram_quantile(times, 990000)), us(histogram_quantile(times, 999000)),
           us(times->largest), times->count > 0 ? us(times->sum / times->count) : 0.0);
}

static void print_text(const struct load_result *result, bool good)
{
    const struct histogram *times = &result->times;
    const struct talk_sums *sums = &result->sums;
    double seconds = (double)result->elapsed_ns / 1e9;
    double replies = (double)sums->replies;

    printf("%.0f requests in %.3f s: %.0f a second\n", replies, seconds, replies / seconds);
    printf("time     p50 %.1f us   p90 %.1f us   p99 %.1f us   p99.9 %.1f us   max %.1f us\n",
           us(histogram_quantile(times, 500000)), us(histogram_quantile(times, 900000)),
           us(histogram_quantile(times, 990000)), us(histogram_quantile(times, 999000)),
           us(times->largest));
    printf("client   %.3f us of CPU a request (%.0f %% of one core)\n",
           (double)(result->cpu_user_us + result->cpu_system_us) / replies,
           (double)(result->cpu_user_us + result->cpu_system_us) / seconds / 1e4);
    printf("answers  %llu values, %llu not zero, sum %llu, %llu errors: %s\n",
           (unsigned long long)sums->values, (unsigned long long)sums->hits,
           (unsigned long long)sums->sum, (unsigned long long)sums->errors,
           good ? "every one as it must be" : "WRONG");
    if (sums->errors > 0)
        printf("first error: %s\n", sums->error);
}

static struct bench_values default_values(void)
{
    return (struct bench_values){.to = "127.0.0.1:6390",
                                 .side = "zan",
                                 .work = "like",
                                 .spread = "uniform",
                                 .connections = 50,
                                 .pipeline = 1,
                                 .count = 100000,
                                 .ids = 50,
                                 .account_bits = 20,
                                 .item_bits = 16,
                                 .seed = 1,
                                 .expect = UINT64_MAX};
}

static int run_load(int argc, char **argv)
{
    struct bench_values values = default_values();
    static struct load_result result; /* 30 KB of buckets */
    struct load_config config;
    struct talk talk;
    bool good;
    int code = options_parse(&bench_commands[0], argc, argv, &values, NULL, NULL);

    if (code != OPTIONS_GO || (code = make_talk(&values, &talk)) != OPTIONS_GO)
        return code;
    if (!prepare_plan(&talk)) {
        free_talk(&talk);
        return refuse("not enough memory for the plan");
    }
    config = (struct load_config){.address = values.to,
                                  .connections = (uint32_t)values.connections,
                                  .pipeline = (uint32_t)values.pipeline,
                                  .count = values.count,
                                  .rate = values.rate};
    good =
        talk.side == TALK_ZAN || !is_write(&talk) || load_script(values.to, &talk, result.message);
    good = good && load_run(&config, &talk, &result);
    free_talk(&talk);
    if (!good) {
        fprintf(stderr, "zan bench: %s\n", result.message);
        return EXIT_UNREACHABLE;
    }
    good = exact(&values, &talk, &result);
    if (values.json)
        print_json(&result, good);
    else
        print_text(&result, good);
    return good ? EXIT_DONE : EXIT_FINDINGS;
}

/* --- zan bench check -----------------------------------------------------------------------------
 */

struct checker {
    int fd;
    const struct talk *talk;
    const uint32_t *counts;
    char *request, *answer;
    uint64_t each[CHECK_IDS];
    uint64_t wrong, likes;
};

#define CHECK_BYTES (CHECK_IDS * 32 + 64)

/* The command for item ids first .. first + count - 1. */
static size_t write_check(struct checker *checker, uint64_t first, uint64_t count)
{
    bool zan = checker->talk->side == TALK_ZAN;
    int size = snprintf(checker->request, CHECK_BYTES, "*%llu\r\n%s\r\n",
                        (unsigned long long)count + 1, zan ? "$5\r\nLIKES" : "$4\r\nMGET");

    for (uint64_t i = 0; i < count; i++) {
        char id[32];
        int digits =
            snprintf(id, sizeof id, "%s%llu", zan ? "" : "c:", (unsigned long long)(first + i));

        size += snprintf(checker->request + size, CHECK_BYTES - (size_t)size, "$%d\r\n%s\r\n",
                         digits, id);
    }
    return (size_t)size;
}

static bool check_some(struct checker *checker, uint64_t first, uint64_t count)
{
    struct talk_sums sums = {.each = checker->each, .each_max = CHECK_IDS};
    size_t size = write_check(checker, first, count);

    if (load_ask(checker->fd, checker->request, size, &sums, checker->answer, CHECK_BYTES) == 0 ||
        sums.values != count)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        checker->likes += checker->each[i];
        if (checker->each[i] == checker->counts[first + i])
            continue;
        if (checker->wrong++ < 5)
            fprintf(stderr, "item %llu has %llu likes, must have %u\n",
                    (unsigned long long)(first + i), (unsigned long long)checker->each[i],
                    checker->counts[first + i]);
    }
    return true;
}

static bool check_all(struct checker *checker)
{
    uint64_t ids = plan_item_ids(&checker->talk->plan);

    for (uint64_t first = 1; first <= ids; first += CHECK_IDS) {
        uint64_t left = ids - first + 1;

        if (!check_some(checker, first, left < CHECK_IDS ? left : CHECK_IDS))
            return false;
    }
    return true;
}

static int run_check(int argc, char **argv)
{
    struct bench_values values = default_values();
    static struct checker checker;
    char message[256] = "the connection broke or the answer was wrong";
    struct talk talk;
    bool good = false;
    int code;

    values.count = 0;
    code = options_parse(&bench_commands[1], argc, argv, &values, NULL, NULL);
    if (code != OPTIONS_GO || (code = make_talk(&values, &talk)) != OPTIONS_GO)
        return code;
    checker = (struct checker){.talk = &talk,
                               .counts = count_plan(talk.plan, values.stored),
                               .request = malloc(CHECK_BYTES),
                               .answer = malloc(CHECK_BYTES)};
    checker.fd = load_connect(values.to, message);
    if (checker.counts != NULL && checker.request != NULL && checker.answer != NULL &&
        checker.fd >= 0)
        good = check_all(&checker);
    if (checker.fd >= 0)
        close(checker.fd);
    free((void *)(uintptr_t)checker.counts);
    free(checker.request);
    free(checker.answer);
    if (!good) {
        fprintf(stderr, "zan bench: %s\n", message);
        return EXIT_UNREACHABLE;
    }
    printf(values.json ? "{\"likes\": %llu, \"items\": %llu, \"wrong\": %llu}\n"
                       : "%llu likes on %llu items: %llu counts are wrong\n",
           (unsigned long long)checker.likes, (unsigned long long)plan_item_ids(&talk.plan),
           (unsigned long long)checker.wrong);
    return checker.wrong == 0 ? EXIT_DONE : EXIT_FINDINGS;
}

/* --- zan bench instr -----------------------------------------------------------------------------
 */

static int run_instr(int argc, char **argv)
{
    struct instr_values values = {.data = "zan-instr", .work = "new", .count = 100};
    int code = options_parse(&bench_commands[2], argc, argv, &values, NULL, NULL);

    if (code != OPTIONS_GO)
        return code;
    if (mkdir(values.data, 0700) != 0) {
        fprintf(stderr, "zan bench: %s: %s\n", values.data, strerror(errno));
        return EXIT_USAGE;
    }
    return bench_instr(values.data, values.count * 1000, values.work) ? EXIT_DONE : EXIT_FAILED;
}

/* --- zan bench -----------------------------------------------------------------------------------
 */

static int print_overview(FILE *out)
{
    fprintf(out, "zan bench: measures a node, beside Redis if you like\n\nUsage:\n");
    for (uint32_t i = 0; i < sizeof bench_commands / sizeof *bench_commands; i++)
        fprintf(out, "  zan %-12s  %s\n", bench_commands[i].name, bench_commands[i].summary);
    fprintf(
        out,
        "\nzan bench load --help shows the options. The whole comparison with Redis and\n"
        "PostgreSQL is `make bench` in the source tree; docs/bench.md tells how it measures.\n");
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

int cli_bench(int argc, char **argv)
{
    if (argc < 2)
        return print_overview(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_overview(stdout);
    for (uint32_t i = 0; i < sizeof bench_commands / sizeof *bench_commands; i++)
        if (strcmp(argv[1], bench_commands[i].name + strlen("bench ")) == 0)
            return bench_commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "zan bench: there is no '%s'\n", argv[1]);
    return print_overview(stderr);
}
