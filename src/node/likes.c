/* likes.c: see likes.h. */
#include "node/likes.h"

#include <stdio.h>
#include <string.h>

#include "node/inner.h"
#include "schema/batch.h"

struct pass {
    const struct node_progress *progress;
    const struct likes_told *told;
    uint64_t records, total;
    uint16_t tenant;
};

static enum status see(const struct pass *pass, const struct record *record, int64_t time_us)
{
    const struct context *context = &record->context;

    if (record->tenant != pass->tenant || !(record->fields & RECORD_CHANGED))
        return STATUS_OK;
    if (record->kind == VERB_ACCOUNT_PURGE)
        return pass->told->erased(pass->told->with, record->account);
    if (record->kind != VERB_LIKE || record_cleanup(record) != 0) /* a clean-up undone is no act */
        return STATUS_OK;
    if (record->fields & RECORD_HAS_CONTEXT && context->source == SOURCE_IMPORT &&
        context->client_us > 0)
        time_us = context->client_us;
    return pass->told->liked(pass->told->with, record->account, record->target, time_us);
}

static enum status look(void *argument, uint64_t first_sequence, uint32_t count, int64_t time_us,
                        const uint8_t *body, size_t size)
{
    struct pass *pass = argument;
    struct record record;
    size_t at = 0;

    (void)first_sequence;
    for (uint32_t i = 0; i < count; i++) {
        size_t used = record_decode(body + at, size - at, &record);
        enum status status;

        if (used == 0)
            return STATUS_CORRUPT;
        at += used;
        if ((status = see(pass, &record, time_us)) != STATUS_OK)
            return status;
    }
    pass->records += count;
    if (pass->progress != NULL)
        pass->progress->report(pass->progress->argument, "reading the log", pass->records,
                               pass->total);
    return STATUS_OK;
}

static enum status read_partition(struct pass *pass, const struct config *config, uint16_t index,
                                  char message[256])
{
    struct partition_config partition;
    struct log_report found = {0};
    struct log *log;
    enum status status = partition_config_from(config, index, true, &partition, message);

    if (status != STATUS_OK)
        return status;
    struct log_config from = {.disk = &disk_posix,
                              .dir = {partition.log_dir[0], partition.log_dir[1]},
                              .witness = partition.mirror_dir,
                              .partition = partition.index,
                              .partition_count = partition.count,
                              .segment_bytes = partition.segment_bytes,
                              .read_only = true};

    status = log_open(&from, &log, &found);
    if (status != STATUS_OK) {
        memcpy(message, found.message, 256);
        return status;
    }
    pass->total += found.last_sequence;
    if (found.last_sequence > 0)
        status = log_replay(log, 1, look, pass);
    log_close(log);
    return status;
}

enum status likes_read(const struct config *config, uint16_t tenant,
                       const struct node_progress *progress, const struct likes_told *told,
                       char message[256])
{
    struct pass pass = {.progress = progress, .told = told, .tenant = tenant};
    enum status status = STATUS_OK;

    message[0] = '\0';
    for (uint16_t i = 0; status == STATUS_OK && i < config->partitions; i++)
        status = read_partition(&pass, config, i, message);
    if (status != STATUS_OK && message[0] == '\0')
        snprintf(message, 256, "%s", status_info(status)->text);
    return status;
}
