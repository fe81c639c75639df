/* partition_open.c: a partition is opened, and closed again.
 *
 * The log is opened first, as it is the truth; then the store, or, damaged, another in its place;
 * then what the log has and the store has not is replayed. A replay that meets damage in the store
 * marks it, and the second try makes it again from the log. */
#include "node/partition.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/flusher.h"
#include "node/partition_inner.h"
#include "node/tree.h"

#define REPLAY_RECORDS 2048 /* applied together */
/* So much of the log's end is read whole at a start, in both copies; what is older is checked when
 * it is read, and by zan verify. */
#define CHECKED_BYTES (256ULL << 20)

/* --- replay --------------------------------------------------------------------------------- */

struct replay {
    struct partition *partition;
    const struct partition_open_hooks *hooks;
    struct record records[REPLAY_RECORDS];
    char texts[REPLAY_RECORDS][RECORD_TEXT_MAX]; /* theirs: the log's bytes do not last so long */
    uint32_t count;
    uint64_t applied_at_start, last;
    enum status status;
};

/* Reads what records[from ..] need; returns up to where there was room for it. */
static uint32_t replay_load(struct replay *replay, uint32_t from)
{
    struct partition *partition = replay->partition;
    uint32_t to = from;

    hot_turn_begin(partition->hot);
    needs_clear(partition->needs);
    while (to < replay->count &&
           engine_gather_record(&partition->engine, &replay->records[to], partition->needs))
        to++;
    replay->status = partition_load(partition);
    needs_clear(partition->needs);
    for (uint32_t i = from; i < to; i++)
        if (!engine_gather_record_creators(&partition->engine, &replay->records[i],
                                           partition->needs))
            to = i;
    if (replay->status == STATUS_OK)
        replay->status = partition_load(partition);
    if (replay->status == STATUS_OK && partition->needs->again) {
        needs_clear(partition->needs);
        for (uint32_t i = from; i < to; i++)
            if (!engine_gather_record_creators(&partition->engine, &replay->records[i],
                                               partition->needs))
                to = i;
        replay->status = partition_load(partition);
    }
    return to;
}

static enum status replay_apply(struct replay *replay)
{
    struct partition *partition = replay->partition;
    struct engine *engine = &partition->engine;

    for (uint32_t from = 0; from < replay->count;) {
        uint32_t to;

        if (hot_fill_percent(partition->hot) >= FLUSH_AT_PERCENT) {
            enum status status = partition_flush_now(partition, partition->message);

            if (status != STATUS_OK)
                return status;
        }
        to = replay_load(replay, from);
        if (replay->status != STATUS_OK)
            return replay->status;
        assert(to > from);
        for (; from < to; from++) {
            if (replay->hooks->before != NULL)
                replay->status =
                    replay->hooks->before(replay->hooks->argument, engine, &replay->records[from]);
            if (replay->status != STATUS_OK)
                return replay->status;
            engine->effect_count = 0;
            engine_apply(engine, &replay->records[from]);
            for (uint32_t i = 0; i < engine->effect_count; i++)
                replay->hooks->outbox(replay->hooks->argument, &engine->effects[i]);
        }
    }
    replay->count = 0;
    return STATUS_OK;
}

static enum status replay_some(struct replay *replay, uint64_t sequence)
{
    const struct partition_open_hooks *hooks = replay->hooks;
    struct partition *partition = replay->partition;
    enum status status = replay_apply(replay);

    if (status == STATUS_OK && hooks->progress != NULL)
        hooks->progress(hooks->argument, sequence - replay->applied_at_start,
                        replay->last - replay->applied_at_start);
    if (status != STATUS_OK || sequence != hooks->pause_at)
        return status;
    status = partition_flush_now(partition, partition->message);
    return status == STATUS_OK ? hooks->paused(hooks->argument, partition->store) : status;
}

static enum status replay_batch(void *argument, uint64_t first_sequence, uint32_t count,
                                int64_t time_us, const uint8_t *body, size_t size)
{
    struct replay *replay = argument;
    struct engine *engine = &replay->partition->engine;

    for (uint32_t i = 0; i < count; i++) {
        struct record *record = &replay->records[replay->count];
        size_t used = record_decode(body, size, record);

        if (used == 0) {
            snprintf(replay->partition->message, 256, "record %llu in the log cannot be read",
                     (unsigned long long)(first_sequence + i));
            return STATUS_CORRUPT;
        }
        if (record->text_size > 0)
            record->text = memcpy(replay->texts[replay->count], record->text, record->text_size);
        body += used;
        size -= used;
        record->sequence = first_sequence + i;
        record->time_us = time_us;
        if (record->sequence <= replay->applied_at_start) {
            if (time_us > engine->now_us)
                engine->now_us = time_us; /* only the clock: the state has it */
            continue;
        }
        if (++replay->count == REPLAY_RECORDS || record->sequence == replay->hooks->pause_at) {
            enum status status = replay_some(replay, record->sequence);

            if (status != STATUS_OK)
                return status;
        }
    }
    if (size != 0) {
        snprintf(replay->partition->message, 256, "batch of record %llu in the log is too long",
                 (unsigned long long)first_sequence);
        return STATUS_CORRUPT;
    }
    return STATUS_OK;
}

/* --- opening -------------------------------------------------------------------------------- */

/* Opens the store; one that is damaged is dropped, for the log makes it again. What is no store of
 * this log may be somebody's: it is put aside, once. */
static enum status store_open_or_drop(struct partition *partition, const struct log_report *log,
                                      struct partition_report *report)
{
    const struct partition_config *config = &partition->config;
    struct store_config store = {
        .path = config->store_dir,
        .partition = config->index,
        .partition_count = config->count,
        .cache_bytes = config->memory_bytes / 8,
        .operation_keep_us = config->operation_keep_us,
        .create = true,
    };
    enum status status;
    char damaged[540];

    memcpy(store.log_id, log->log_id, sizeof store.log_id);
    partition_damage_path(partition, damaged);
    if (config->store == NULL && access(damaged, F_OK) == 0) {
        tree_remove(config->store_dir);
        unlink(damaged); /* last: a crash in between drops what is left of it again */
        report->rebuilt = true;
    }
    if (config->store != NULL) {
        partition->store = config->store;
        status = STATUS_OK;
    } else {
        status = store_open(&store, &partition->store, report->message);
    }
    if (status == STATUS_OK && store_applied(partition->store) > log->last_sequence) {
        /* Never make a shorter past true: somebody has to say which one is right. */
        snprintf(report->message, sizeof report->message,
                 "the log ends at record %llu, but the store stands for record %llu: the log has "
                 "lost records; restore it, or run zan rebuild to accept the shorter log",
                 (unsigned long long)log->last_sequence,
                 (unsigned long long)store_applied(partition->store));
        return STATUS_BADDATA;
    }
    if (status != STATUS_CORRUPT && status != STATUS_BADDATA)
        return status;
    if (status == STATUS_CORRUPT) {
        tree_remove(config->store_dir);
    } else {
        char aside[sizeof config->store_dir + 8];

        snprintf(aside, sizeof aside, "%s.aside", config->store_dir);
        if (rename(config->store_dir, aside) != 0)
            return status;
    }
    report->rebuilt = true;
    return store_open(&store, &partition->store, report->message);
}

static enum status engine_open(struct partition *partition)
{
    struct engine *engine = &partition->engine;
    const struct partition_config *config = &partition->config;

    *engine = (struct engine){
        .hot = partition->hot,
        .store = partition->store,
        .partition = config->index,
        .partition_count = config->count,
        .erase_wait_us = config->erase_wait_us,
        .disclosure.rule = config->disclose,
        .create_unknown = config->create_unknown,
        .operation_keep_us = config->operation_keep_us,
        .sequence = store_applied(partition->store),
        .body_max = ENGINE_BODY_BYTES,
    };
    if (config->segment_bytes / 4 < engine->body_max)
        engine->body_max = config->segment_bytes / 4;
    for (uint16_t source = 0; source < config->count; source++)
        engine->marks[source] = store_mark(partition->store, source);
    engine->arena = (struct arena){.bytes = malloc(ENGINE_ARENA_BYTES), .size = ENGINE_ARENA_BYTES};
    engine->body = malloc(ENGINE_BODY_BYTES);
    engine->effects = malloc(ENGINE_EFFECTS_MAX * sizeof *engine->effects);
    partition->needs = malloc(sizeof *partition->needs);
    engine->book = calloc(1, sizeof *engine->book);
    if (engine->book == NULL || engine->arena.bytes == NULL || engine->body == NULL ||
        engine->effects == NULL || partition->needs == NULL)
        return STATUS_NOMEMORY;
    if (config->read_only)
        return STATUS_OK;
    engine->disclosure.flowed = calloc(DISCLOSE_FLOWS, sizeof *engine->disclosure.flowed);
    if (engine->disclosure.flowed == NULL)
        return STATUS_NOMEMORY;
    if (!disclose_delays(&config->disclose))
        return STATUS_OK;
    engine->disclosure.shown = calloc(DISCLOSE_SHOWN, sizeof *engine->disclosure.shown);
    if (engine->disclosure.shown == NULL)
        return STATUS_NOMEMORY;
    return STATUS_OK;
}

static enum status restore_policy(void *argument, const struct policy_row *row)
{
    struct partition *partition = argument;

    policy_book_restore(partition->engine.book, row);
    return STATUS_OK;
}

/* What is known of the rules, before anything is judged. */
static enum status book_ready(struct partition *partition)
{
    const struct partition_config *config = &partition->config;
    struct policy_book *book = partition->engine.book;
    enum status status;

    book->hooks = config->rules;
    book->setting = config->signals.policy;
    memcpy(book->setting_digest, config->signals.policy_digest, sizeof book->setting_digest);
    memcpy(book->setting_mark, config->rules_mark, sizeof book->setting_mark);
    book->setting_text = config->rules_text;
    book->setting_size = config->rules_size;
    status = store_scan_policies(partition->store, partition, restore_policy);
    if (status == STATUS_CORRUPT)
        partition_damage_mark(partition);
    if (config->signals.bytes == 0 && (book->state.version != 0 || book->state.shadow != 0))
        partition->config.signals.bytes = config->signals_spare;
    return status;
}

struct judges *partition_judges(struct partition *partition)
{
    if (partition->config.signals_spare == 0)
        return NULL;
    partition->config.signals.bytes = partition->config.signals_spare;
    signals_begin(&partition->signals, partition->config.signals_spare);
    return &partition->signals.judges;
}

static enum status judges_ready(struct partition *partition, struct partition_report *report)
{
    bool found;
    enum status status = signals_open(&partition->signals, &partition->config.signals,
                                      store_applied(partition->store), &found);

    if (status == STATUS_OK && partition->config.signals.bytes > 0)
        partition->engine.judges = &partition->signals.judges;
    report->signals_lost = !found;
    if (status == STATUS_OK)
        policy_book_enforce(&partition->engine);
    return status;
}

static enum status replay_tail(struct partition *partition,
                               const struct partition_open_hooks *hooks,
                               struct partition_report *report)
{
    struct replay *replay = calloc(1, sizeof *replay);
    uint64_t last = report->log.last_sequence;
    uint64_t from = partition->engine.sequence + 1;
    enum status status;

    if (replay == NULL)
        return STATUS_NOMEMORY;
    replay->partition = partition;
    replay->hooks = hooks;
    replay->applied_at_start = from - 1;
    replay->last = last;
    /* At least the last batch is read: the engine's clock starts from its time. */
    status = last == 0
                 ? STATUS_OK
                 : log_replay(partition->log, from < last ? from : last, replay_batch, replay);
    if (status == STATUS_OK)
        status = replay_apply(replay);
    if (status == STATUS_OK && partition->engine.sequence != last) {
        snprintf(partition->message, sizeof partition->message,
                 "the log was read up to record %llu of %llu",
                 (unsigned long long)partition->engine.sequence, (unsigned long long)last);
        status = STATUS_CORRUPT;
    }
    if (status != STATUS_OK)
        memcpy(report->message, partition->message, sizeof report->message);
    report->replayed = last - (from - 1);
    free(replay);
    return status;
}

static enum status note_live(void *argument, const struct case_row *row)
{
    hot_case_note(argument, row);
    return STATUS_OK;
}

static void no_wake(void *argument)
{
    (void)argument;
}

static enum status open_once(struct partition *partition, const struct partition_config *config,
                             const struct partition_open_hooks *hooks,
                             struct partition_report *report)
{
    struct log_config log;
    struct hot_config hot;
    enum status status;

    *partition = (struct partition){.config = *config};
    *report = (struct partition_report){0};
    if (partition->config.segment_bytes == 0)
        partition->config.segment_bytes = 64u << 20;
    log = (struct log_config){
        .disk = config->disk,
        .dir = {partition->config.log_dir[0], partition->config.log_dir[1]},
        .partition = config->index,
        .partition_count = config->count,
        .sync = config->sync,
        .group_us = config->group_us,
        .segment_bytes = partition->config.segment_bytes,
        .threads = config->threads,
        .trust_sealed = !config->read_only,
        .full_segments = (uint32_t)(CHECKED_BYTES / partition->config.segment_bytes + 1),
        .create = !config->read_only,
        .read_only = config->read_only,
        .degrade = config->degrade,
        .witness = config->mirror_dir[0] != '\0' ? partition->config.mirror_dir : NULL,
    };
    status = log_open(&log, &partition->log, &report->log);
    if (status != STATUS_OK) {
        memcpy(report->message, report->log.message, sizeof report->message);
        return status;
    }
    status = store_open_or_drop(partition, &report->log, report);
    if (status == STATUS_OK) {
        /* A sixteenth for filter and one eighth for the cache are the store's. */
        hot = config->hot != NULL
                  ? *config->hot
                  : hot_config_for(config->memory_bytes / 16 * 13 - config->signals.bytes * 2);
        partition->hot = hot_open(&hot);
        status = partition->hot == NULL ? STATUS_NOMEMORY : engine_open(partition);
    }
    if (status == STATUS_OK) {
        status = store_scan_live(partition->store, partition->hot, note_live);
        if (status == STATUS_CORRUPT)
            partition_damage_mark(partition);
    }
    if (status == STATUS_OK)
        status = book_ready(partition);
    if (status == STATUS_OK)
        status = judges_ready(partition, report);
    if (status == STATUS_OK)
        status = replay_tail(partition, hooks, report);
    if (status == STATUS_OK) /* what was counted is counted since this start */
        partition->engine.book->counted_us = partition->engine.book->shadow_counted_us =
            partition->engine.now_us;
    if (status == STATUS_OK) {
        partition->flusher = flusher_open(
            partition->hot, partition->store, &partition->signals, partition->engine.book,
            config->threads, hooks->wake != NULL ? hooks->wake : no_wake, hooks->argument);
        if (partition->flusher == NULL)
            status = STATUS_NOMEMORY;
    }
    return status;
}

void partition_no_outbox(void *argument, const struct effect *effect)
{
    (void)argument;
    (void)effect;
}

enum status partition_open(struct partition *partition, const struct partition_config *config,
                           const struct partition_open_hooks *hooks,
                           struct partition_report *report)
{
    enum status status = open_once(partition, config, hooks, report);

    /* Damage that the replay ran into: the store is marked now, and the second try drops it. */
    if (status != STATUS_OK && partition->store_damaged && config->store == NULL) {
        partition_close(partition);
        status = open_once(partition, config, hooks, report);
    }
    if (status != STATUS_OK)
        partition_close(partition);
    return status;
}

void partition_close(struct partition *partition)
{
    flusher_close(partition->flusher);
    log_close(partition->log);
    if (partition->store != NULL && partition->store != partition->config.store)
        store_close(partition->store);
    hot_close(partition->hot);
    signals_close(&partition->signals);
    free(partition->engine.arena.bytes);
    free(partition->engine.body);
    free(partition->engine.effects);
    free(partition->engine.disclosure.shown);
    free(partition->engine.disclosure.flowed);
    free(partition->needs);
    free(partition->engine.book);
    *partition = (struct partition){0};
}
