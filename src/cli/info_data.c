/* info_data.c: zan info --data: what lies in a data directory, read from its log without changing
 * or locking anything. Places as in node/paths.c. */
#include "cli/info_data.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "log/log.h"

#define PATH_BYTES 512

struct places {
    char log[2][PATH_BYTES], store[PATH_BYTES], mirror[PATH_BYTES];
    uint16_t partitions;
};

static void find_places(const struct config *config, struct places *places)
{
    static const char *const names[2] = {"log.a", "log.b"};
    const char *given[2] = {config->log_a, config->log_b};
    char path[PATH_BYTES + 16];
    struct stat info;

    for (int i = 0; i < 2; i++)
        if (given[i][0] != '\0')
            snprintf(places->log[i], PATH_BYTES, "%s", given[i]);
        else
            snprintf(places->log[i], PATH_BYTES, "%s/%s", config->data, names[i]);
    snprintf(places->store, PATH_BYTES, "%s/store", config->data);
    snprintf(places->mirror, PATH_BYTES, "%s/mirror", config->data);
    for (places->partitions = 0; places->partitions < 64; places->partitions++) {
        snprintf(path, sizeof path, "%s/p%u", places->log[0], places->partitions);
        if (stat(path, &info) != 0)
            break;
    }
}

/* What the files right in a directory take on disk. */
static uint64_t bytes_in(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    struct stat info;
    uint64_t bytes = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL)
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode))
            bytes += (uint64_t)info.st_blocks * 512;
    closedir(dir);
    return bytes;
}

static uint64_t bytes_of(const char *top, uint16_t partition)
{
    char path[PATH_BYTES + 16];

    snprintf(path, sizeof path, "%s/p%u", top, partition);
    return bytes_in(path);
}

static enum status read_log(const struct places *places, uint16_t partition,
                            struct log_report *report)
{
    char dir[2][PATH_BYTES + 16], witness[PATH_BYTES + 16];
    struct log_config config = {
        .disk = &disk_posix,
        .dir = {dir[0], dir[1]},
        .witness = witness,
        .partition = partition,
        .partition_count = places->partitions,
        .read_only = true,
        .trust_sealed = true,
        .full_segments = 1,
    };
    struct log *log = NULL;
    enum status status;

    for (int i = 0; i < 2; i++)
        snprintf(dir[i], sizeof dir[i], "%.500s/p%u", places->log[i], partition);
    snprintf(witness, sizeof witness, "%.500s/p%u", places->mirror, partition);
    memset(report, 0, sizeof *report);
    status = log_open(&config, &log, report);
    if (status == STATUS_OK)
        log_close(log);
    return status;
}

static void tell(const struct places *places, uint16_t partition, const struct log_report *log,
                 struct report *report)
{
    uint64_t bytes[3] = {bytes_of(places->log[0], partition), bytes_of(places->log[1], partition),
                         bytes_of(places->store, partition)};
    char name[16], a[32], b[32], c[32];
    struct report *part;

    if (report == NULL) {
        printf("partition %-3u %s records in %s segments of the log\n", partition,
               progress_number(log->last_sequence, a), progress_number(log->segments, b));
        printf("  on disk     log %s + %s bytes, store %s bytes\n", progress_number(bytes[0], a),
               progress_number(bytes[1], b), progress_number(bytes[2], c));
        if (log->torn_bytes > 0)
            printf("  torn        %s bytes at the end; the next start cuts them off\n",
                   progress_number(log->torn_bytes, a));
        return;
    }
    snprintf(name, sizeof name, "partition_%u", partition);
    part = report_object(report, name);
    report_number(part, "first_sequence", log->first_sequence);
    report_number(part, "last_sequence", log->last_sequence);
    report_number(part, "segments", log->segments);
    report_number(part, "torn_bytes", log->torn_bytes);
    report_number(part, "log_a_bytes", bytes[0]);
    report_number(part, "log_b_bytes", bytes[1]);
    report_number(part, "store_bytes", bytes[2]);
    report_bytes(part, "log_id", log->log_id, sizeof log->log_id);
    report_bytes(part, "chain", log->chain, sizeof log->chain);
}

int info_data(const struct config *config, bool json)
{
    struct places places;
    struct report *report = json ? report_new() : NULL;
    struct log_report log;
    enum status status = STATUS_OK;

    find_places(config, &places);
    if (places.partitions == 0) {
        fprintf(stderr, "zan: there is no log in %s\n", config->data);
        status = STATUS_BADDATA;
    }
    if (report != NULL)
        report_number(report, "partitions", places.partitions);
    for (uint16_t i = 0; i < places.partitions && status == STATUS_OK; i++) {
        status = read_log(&places, i, &log);
        if (status == STATUS_OK)
            tell(&places, i, &log, report);
        else
            fprintf(stderr, "zan: %s: %s\n", status_info(status)->code, log.message);
    }
    if (report != NULL)
        report_print(report, stdout);
    return (int)exit_code_of(status);
}
