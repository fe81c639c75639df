/* certificate.c: see certificate.h.
 *
 * Before each record is applied the replay asks us: if its time is later than a moment that waits,
 * the state as it stands is that moment's. When the item is published is found out by looking at
 * its row after each record about it; the moments that follow from it wait from then on. */
#include "node/certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "node/inner.h"
#include "node/tree.h"

#define DAY_US (24 * 3600 * 1000000LL)

struct making {
    const struct certificate_options *options;
    const struct node_progress *progress;
    struct certificate *result;
    uint64_t sequence; /* of the last record that was applied */
    int64_t time_us;   /* of the one that is about to be */
    bool touched;      /* the last one was about the item */
};

/* --- moments -------------------------------------------------------------------------------------
 */

static void wait_for(struct certificate *result, enum certificate_kind kind, int64_t at_us)
{
    result->moments[result->count++] =
        (struct certificate_moment){.at_us = at_us, .kind = (uint8_t)kind};
}

/* The item as it stands: in memory if it changed lately, else at rest. */
static enum status find_row(const struct making *making, struct engine *engine,
                            struct item_row *row, bool *there)
{
    const struct certificate_options *options = making->options;
    uint32_t slot = hot_item_find(engine->hot, options->tenant, options->item);

    *row = (struct item_row){.id = options->item, .tenant = options->tenant};
    *there = slot != HOT_NONE;
    if (!*there)
        return store_get_items(engine->store, row, there, 1);
    *row = *hot_item(engine->hot, slot);
    return STATUS_OK;
}

static enum status take(struct making *making, struct engine *engine,
                        struct certificate_moment *moment)
{
    moment->reached = true;
    moment->sequence = making->sequence;
    return find_row(making, engine, &moment->row, &moment->there);
}

/* Those that are over, now that the next record is later. */
static enum status take_due(struct making *making, struct engine *engine)
{
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < making->result->count && status == STATUS_OK; i++) {
        struct certificate_moment *moment = &making->result->moments[i];

        if (!moment->reached &&
            moment->at_us < making->time_us + (PLANTED("node.certificate_is_early") ? 1 : 0))
            status = take(making, engine, moment);
    }
    return status;
}

/* Was it published by the last record? */
static enum status look(struct making *making, struct engine *engine)
{
    struct certificate *result = making->result;
    struct item_row row;
    bool there;
    enum status status;

    if (!making->touched || result->published)
        return STATUS_OK;
    making->touched = false;
    status = find_row(making, engine, &row, &there);
    if (status != STATUS_OK || !there || row.state != ITEM_PUBLISHED)
        return status;
    result->published = true;
    result->published_us = making->time_us;
    wait_for(result, CERTIFICATE_PUBLISHED, making->time_us);
    wait_for(result, CERTIFICATE_WEEK, making->time_us + 7 * DAY_US);
    wait_for(result, CERTIFICATE_MONTH, making->time_us + 30 * DAY_US);
    return STATUS_OK;
}

/* Before a record is applied. */
static enum status see(void *argument, struct engine *engine, const struct record *record)
{
    struct making *making = argument;
    enum status status = look(making, engine);

    if (status == STATUS_OK && record->time_us > making->time_us) {
        making->time_us = record->time_us;
        status = take_due(making, engine);
    }
    making->sequence = record->sequence;
    making->touched =
        record->target == making->options->item && record->tenant == making->options->tenant;
    return status;
}

/* --- the replay ----------------------------------------------------------------------------------
 */

static void replay_progress(void *argument, uint64_t done, uint64_t total)
{
    const struct making *making = argument;

    if (making->progress != NULL)
        making->progress->report(making->progress->argument, "replaying the log", done, total);
}

static int by_time(const void *first, const void *second)
{
    const struct certificate_moment *a = first, *b = second;

    if ((a->kind == CERTIFICATE_END) != (b->kind == CERTIFICATE_END))
        return a->kind == CERTIFICATE_END ? 1 : -1;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

static enum status finish(struct making *making, struct partition *partition)
{
    struct certificate *result = making->result;
    enum status status = look(making, &partition->engine);
    struct certificate_moment *end;

    result->last_us = making->time_us;
    wait_for(result, CERTIFICATE_END, making->time_us);
    end = &result->moments[result->count - 1];
    if (status == STATUS_OK)
        status = take(making, &partition->engine, end);
    if (status == STATUS_OK && !end->there) {
        snprintf(result->message, sizeof result->message,
                 "item %llu is not in this log: neither registered nor ever liked",
                 (unsigned long long)making->options->item);
        return STATUS_NOITEM;
    }
    for (uint32_t i = 0; i < result->count && status == STATUS_OK; i++) {
        struct certificate_moment *moment = &result->moments[i];

        if (moment->reached && moment->sequence > 0)
            status = log_chain(partition->log, moment->sequence, moment->chain);
    }
    qsort(result->moments, result->count, sizeof *result->moments, by_time);
    return status;
}

static enum status replay(struct making *making, const struct partition_config *config)
{
    struct partition_open_hooks hooks = {.argument = making,
                                         .progress = replay_progress,
                                         .outbox = partition_no_outbox,
                                         .before = see};
    struct certificate *result = making->result;
    struct partition *partition = malloc(sizeof *partition);
    struct partition_report report = {0};
    enum status status;

    if (partition == NULL)
        return STATUS_NOMEMORY;
    status = partition_open(partition, config, &hooks, &report);
    if (status == STATUS_OK) {
        memcpy(result->log_id, report.log.log_id, sizeof result->log_id);
        result->records = report.log.last_sequence;
        result->damaged = report.log.repaired_segments;
        status = finish(making, partition);
        partition_close(partition);
    } else {
        memcpy(result->message, report.message, sizeof report.message);
    }
    free(partition);
    return status;
}

enum status certificate_make(const struct certificate_options *options,
                             const struct node_progress *progress, struct certificate *certificate)
{
    struct making making = {.options = options, .progress = progress, .result = certificate};
    struct partition_config config;
    char message[256] = "";
    enum status status;

    *certificate = (struct certificate){
        .partition = hash_partition(options->item, (uint16_t)options->config->partitions)};
    for (uint32_t i = 0; i < options->asked_count; i++)
        wait_for(certificate, CERTIFICATE_ASKED, options->asked_us[i]);
    status = partition_config_from(options->config, certificate->partition, true, &config, message);
    if (status == STATUS_OK)
        status = node_check_stopped(&config, message);
    if (status != STATUS_OK) {
        memcpy(certificate->message, message, sizeof message);
        return status;
    }
    snprintf(config.store_dir, sizeof config.store_dir, "%.400s/p%u", options->scratch,
             (unsigned)certificate->partition);
    status = replay(&making, &config);
    tree_remove(config.store_dir);
    if (status != STATUS_OK && certificate->message[0] == '\0')
        snprintf(certificate->message, sizeof certificate->message, "%s",
                 status_info(status)->text);
    return status;
}
