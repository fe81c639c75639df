/* paths.c: where everything lies in the data directory, and how settings become a partition's.
 *
 *   DATA/log.a/pN  DATA/log.b/pN   the two copies of the log (or log_a, log_b of the settings)
 *   DATA/mirror/pN                 notes whether both are whole (log/log_mirror.c)
 *   DATA/orders                    what administrators have ordered (orders.h)
 *   DATA/store/pN                  the index, can be made again
 *   DATA/keys/pseudonym.epochs     turn addresses into pseudonyms */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "node/inner.h"

void path_join(char *path, size_t size, const char *dir, const char *name)
{
    int used = snprintf(path, size, "%s/%s", dir, name);

    if (used < 0 || (size_t)used >= size)
        abort(); /* both come from bounded settings: size is always enough */
}

static enum status make_dir(const char *path, char message[256])
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return STATUS_OK;
    snprintf(message, 256, "cannot make directory %.180s: %s", path, strerror(errno));
    return errno == ENOSPC ? STATUS_NOSPACE : STATUS_IOFAIL;
}

static enum status sync_mode(const struct config *config, struct partition_config *partition,
                             char message[256])
{
    if (strcmp(config->sync, "always") == 0) {
        partition->sync = LOG_SYNC_ALWAYS;
    } else if (strcmp(config->sync, "none") == 0) {
        partition->sync = LOG_SYNC_NONE;
    } else if (strncmp(config->sync, "group:", 6) == 0) {
        partition->sync = LOG_SYNC_GROUP;
        partition->group_us = (uint32_t)strtoul(config->sync + 6, NULL, 10) * 1000;
    } else {
        snprintf(message, 256, "sync must be always, group:MS or none, not %s", config->sync);
        return STATUS_BADCONFIG;
    }
    return STATUS_OK;
}

enum status partition_config_from(const struct config *config, uint16_t index, bool read_only,
                                  struct partition_config *partition, char message[256])
{
    char name[16], dir[512];
    enum status status;

    *partition = (struct partition_config){
        .disk = &disk_posix,
        .index = index,
        .count = (uint16_t)config->partitions,
        .segment_bytes = config->segment_mb << 20,
        .memory_bytes = config->memory_bytes / config->partitions,
        .operation_keep_us = (int64_t)config->operation_hours * 3600 * 1000000,
        .erase_wait_us = (int64_t)config->erase_wait_hours * 3600 * 1000000,
        .flush_us = (int64_t)config->flush_seconds * 1000000,
        .create_unknown = strcmp(config->unknown, "refuse") != 0,
        .degrade = strcmp(config->mirror, "require") != 0,
        .clock_requests = strcmp(config->clock, "requests") == 0,
        .threads = true,
        .read_only = read_only,
    };
    if (!disclose_read_delays(config->display_delay, &partition->disclose))
        return STATUS_BADCONFIG; /* config_check has said why */
    partition->disclose.small = (uint32_t)config->small_counts;
    partition->disclose.list_budget = (uint32_t)config->list_budget;
    partition->disclose.flow_budget[FLOW_EXPORT] = (uint32_t)config->export_budget;
    partition->disclose.flow_budget[FLOW_CLEANUP] = (uint32_t)config->cleanup_budget;
    snprintf(name, sizeof name, "p%u", (unsigned)index);
    for (int copy = 0; copy < 2; copy++) {
        const char *set = copy == 0 ? config->log_a : config->log_b;

        if (set[0] != '\0')
            path_join(dir, sizeof dir, set, "");
        else
            path_join(dir, sizeof dir, config->data, copy == 0 ? "log.a" : "log.b");
        if (!read_only && (status = make_dir(dir, message)) != STATUS_OK && !partition->degrade)
            return status; /* else log_open tells whether it goes on without */
        path_join(partition->log_dir[copy], sizeof partition->log_dir[copy], dir, name);
    }
    path_join(dir, sizeof dir, config->data, "mirror");
    if (!read_only && (status = make_dir(dir, message)) != STATUS_OK)
        return status;
    path_join(partition->mirror_dir, sizeof partition->mirror_dir, dir, name);
    path_join(dir, sizeof dir, config->data, "store");
    if (!read_only && (status = make_dir(dir, message)) != STATUS_OK)
        return status;
    path_join(partition->store_dir, sizeof partition->store_dir, dir, name);
    return sync_mode(config, partition, message);
}
