/* bench_instr.c: zan bench instr: likes through parser, engine, log and reply in one thread.
 *
 * For valgrind --tool=callgrind, which counts instructions: the same number on a busy machine and
 * on a quiet one, so it can be compared from commit to commit (bench/instr,
 * docs/results/instr.json). What a time would also tell, cache misses and waiting, it does not see.
 *
 * Each stage is a function that is never inlined, named instr_...: those are the lines of the
 * result. Everything runs at fixed times with fixed batches; the log has no threads here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_instr.h"
#include "cli/bench_talk.h"
#include "node/partition.h"
#include "wire/command.h"

#define BATCH_REQUESTS 1000 /* requests in a turn: 10 connections with 100 each */
#define READ_IDS       50
#define ANSWER_BYTES   4096
#define TURN_US        1000
#define MEMORY_BYTES   (1024ULL << 20) /* the default of zan serve */

struct instr {
    struct partition partition;
    struct batch batch;
    struct talk talk;
    struct resp_slice args[RESP_ARGS_MAX];
    uint8_t *bytes; /* the requests of a turn */
    size_t size;
    uint8_t answer[ANSWER_BYTES];
    uint64_t ones; /* values not 0 in answers */
    int64_t now_us;
};

#define STAGE __attribute__((noinline)) static

/* --- the stages ----------------------------------------------------------------------------------
 */

STAGE void instr_parse(struct instr *instr)
{
    static const struct resp_limits limits = {
        .args_max = RESP_ARGS_MAX, .bulk_max = RESP_BULK_MAX, .inline_allowed = true};
    struct resp_command command = {.args = instr->args};
    struct command_context plain;
    struct command_error error;
    size_t at = 0;

    instr->batch.count = 0;
    arena_reset(&instr->batch.arena);
    while (at < instr->size) {
        struct request *request = &instr->batch.requests[instr->batch.count];

        if (resp_parse(instr->bytes + at, instr->size - at, &limits, &command) != RESP_OK ||
            command_parse(command.args, command.count, instr->now_us, &instr->batch.arena, request,
                          &plain, &error) != STATUS_OK)
            abort();
        instr->batch.count++;
        at += command.size;
    }
}

/* Looks up, decides, applies, records, appends; then the replies. */
STAGE void instr_decide(struct instr *instr, uint32_t *from, uint64_t *need)
{
    uint32_t to = partition_turn(&instr->partition, &instr->batch, *from, instr->now_us, need);

    if (to == *from)
        abort(); /* there is room for everything; the partition has failed */
    *from = to;
}

/* Checksums, the chain, both copies. */
STAGE void instr_log(struct instr *instr)
{
    while (log_pump(instr->partition.log, 0))
        ;
}

STAGE void instr_reply(struct instr *instr, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct request *request = &instr->batch.requests[i];
        const struct reply *reply = &instr->batch.replies[i];

        if (resp_reply_bound(request, reply) > sizeof instr->answer)
            abort();
        resp_reply(request, reply, 2, instr->answer);
    }
}

/* From memory into sorted files: later and in the background, but somebody has to do it. */
STAGE void instr_flush(struct instr *instr)
{
    if (partition_flush_all(&instr->partition) != STATUS_OK)
        abort();
}

/* --- a turn --------------------------------------------------------------------------------------
 */

static void make_requests(struct instr *instr, uint32_t count)
{
    instr->size = 0;
    for (uint32_t i = 0; i < count; i++)
        instr->size += talk_request(&instr->talk, 0, (char *)instr->bytes + instr->size);
}

static void sum_answers(struct instr *instr, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct reply *reply = &instr->batch.replies[i];

        if (reply->kind == REPLY_INTEGER)
            instr->ones += reply->u.value != 0;
        for (uint32_t j = 0; reply->kind == REPLY_INTEGERS && j < reply->count; j++)
            instr->ones += reply->u.values[j] != 0;
    }
}

static void one_turn(struct instr *instr, uint32_t count)
{
    uint64_t need;

    make_requests(instr, count);
    instr->now_us += TURN_US;
    instr_parse(instr);
    for (uint32_t done = 0; done < instr->batch.count;) {
        uint32_t from = done;

        instr_decide(instr, &done, &need);
        instr_reply(instr, from, done);
        sum_answers(instr, from, done);
        instr_log(instr);
    }
}

static bool run(struct instr *instr, uint64_t count, uint64_t expected)
{
    instr->ones = 0;
    for (uint64_t done = 0; done < count; done += BATCH_REQUESTS)
        one_turn(instr, BATCH_REQUESTS);
    if (log_durable(instr->partition.log) != instr->partition.engine.sequence) {
        fprintf(stderr, "zan bench: the log is behind\n");
        return false;
    }
    if (instr->ones == expected)
        return true;
    fprintf(stderr, "zan bench: %llu values are not 0, must be %llu\n",
            (unsigned long long)instr->ones, (unsigned long long)expected);
    return false;
}

/* --- from nothing to the end ---------------------------------------------------------------------
 */

static bool allocate(struct instr *instr)
{
    struct batch *batch = &instr->batch;

    batch->requests = calloc(BATCH_MAX, sizeof *batch->requests);
    batch->replies = calloc(BATCH_MAX, sizeof *batch->replies);
    batch->origins = calloc(BATCH_MAX, sizeof *batch->origins);
    batch->arena = (struct arena){.bytes = malloc(BATCH_ARENA_BYTES), .size = BATCH_ARENA_BYTES};
    instr->bytes = malloc(BATCH_REQUESTS * talk_request_bound(&instr->talk));
    return batch->requests != NULL && batch->replies != NULL && batch->origins != NULL &&
           batch->arena.bytes != NULL && instr->bytes != NULL;
}

static bool open_partition(struct instr *instr, const char *path)
{
    struct partition_config config = {.disk = &disk_posix,
                                      .count = 1,
                                      .sync = LOG_SYNC_NONE,
                                      .segment_bytes = 64u << 20,
                                      .memory_bytes = MEMORY_BYTES,
                                      .operation_keep_us = 86400000000LL,
                                      .flush_us = 86400000000LL,
                                      .create_unknown = true};
    static const struct partition_open_hooks hooks;
    static struct partition_report report;
    enum status status;

    snprintf(config.log_dir[0], sizeof config.log_dir[0], "%s/log.a", path);
    snprintf(config.log_dir[1], sizeof config.log_dir[1], "%s/log.b", path);
    snprintf(config.store_dir, sizeof config.store_dir, "%s/store", path);
    status = partition_open(&instr->partition, &config, &hooks, &report);
    if (status == STATUS_OK)
        return true;
    fprintf(stderr, "zan bench: %s: %s\n", status_info(status)->code, report.message);
    return false;
}

/* callgrind counts only while this runs (--toggle-collect). */
STAGE bool instr_measured(struct instr *instr, uint64_t count, uint64_t expected, bool flush)
{
    if (flush)
        instr_flush(instr);
    return count == 0 || run(instr, count, expected);
}

static bool run_work(struct instr *instr, uint64_t count, const char *work)
{
    instr->talk.stored = count;
    if (strcmp(work, "new") == 0)
        return instr_measured(instr, count, count, false);
    if (!run(instr, count, count))
        return false;
    if (strcmp(work, "flush") == 0)
        return instr_measured(instr, 0, 0, true);
    instr->talk.next = 0;
    if (strcmp(work, "again") == 0)
        return instr_measured(instr, count, 0, false);
    instr->talk.work = TALK_LIKED;
    return instr_measured(instr, BATCH_REQUESTS, BATCH_REQUESTS * READ_IDS / 2, false);
}

bool bench_instr(const char *path, uint64_t count, const char *work)
{
    struct instr *instr = calloc(1, sizeof *instr);
    bool good;

    if (instr == NULL)
        return false;
    instr->now_us = 1700000000000000LL;
    /* Few accounts, so that LIKED finds rounds that are over. */
    instr->talk =
        (struct talk){.ids = READ_IDS, .plan = {.account_bits = 14, .item_bits = 12, .seed = 1}};
    good = allocate(instr) && open_partition(instr, path);
    if (good) {
        good = run_work(instr, count, work);
        partition_close(&instr->partition);
    }
    if (good)
        printf("{\"count\": %llu, \"work\": \"%s\"}\n", (unsigned long long)count, work);
    free(instr->batch.requests);
    free(instr->batch.replies);
    free(instr->batch.origins);
    free(instr->batch.arena.bytes);
    free(instr->bytes);
    free(instr);
    return good;
}
