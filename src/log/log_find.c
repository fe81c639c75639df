/* log_find.c: whose log two directories hold, and which segments there are. */
#include "log/log_segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Telling ------------------------------------------------------------------------------ */

enum status log_refuse(struct log_scan *scan, enum status status, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(scan->report->message, sizeof scan->report->message, format, list);
    va_end(list);
    return status;
}

enum status log_refuse_io(struct log_scan *scan, int copy, uint64_t number, const char *what,
                          int error)
{
    char path[LOG_PATH_MAX];

    scan->suspect = copy;
    scan->error = error;
    log_file_path(&scan->dir[copy], number, false, path);
    return log_refuse(scan, error == -ENOSPC || error == -EDQUOT ? STATUS_NOSPACE : STATUS_IOFAIL,
                      "%.160s: %s: %s", path, what, strerror(-error));
}

/* Damage in one copy: counted once a segment, told every time. */
void log_damage(struct log_scan *scan, struct segment *segment, int copy, const char *format, ...)
{
    char path[LOG_PATH_MAX], what[160], text[LOG_PATH_MAX + 168];
    va_list list;

    if (copy == scan->out)
        return; /* it is made anew when it comes back */
    if (!segment->damaged[copy])
        scan->report->repaired_segments++;
    segment->damaged[copy] = true;
    if (scan->fix_from == 0 || segment->number < scan->fix_from)
        scan->fix_from = segment->number;
    if (scan->finding == NULL)
        return;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    log_file_path(&scan->dir[copy], segment->number, false, path);
    snprintf(text, sizeof text, "%s: %s", path, what);
    scan->finding(scan->argument, text);
}

void log_advance(struct log_scan *scan, uint64_t bytes)
{
    scan->done += bytes;
    if (scan->progress != NULL)
        scan->progress(scan->argument, scan->done < scan->total ? scan->done : scan->total,
                       scan->total);
}

/* ---- Whose log, and which segments -------------------------------------------------------- */

struct listing {
    struct log_scan *scan;
    bool full;
};

static void list_one(void *argument, const char *name)
{
    struct listing *listing = argument;
    struct log_scan *scan = listing->scan;
    uint64_t number = log_file_number(name);

    if (number == 0 || listing->full)
        return;
    if (scan->numbers % 64 == 0) {
        uint64_t *grown = realloc(scan->number, (scan->numbers + 64) * sizeof *grown);

        if (grown == NULL) {
            listing->full = true;
            return;
        }
        scan->number = grown;
    }
    scan->number[scan->numbers++] = number;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static enum status list_segments(struct log_scan *scan)
{
    struct listing listing = {.scan = scan};
    size_t kept = 0;

    for (int copy = 0; copy < 2; copy++) {
        const struct disk *disk = scan->dir[copy].disk;
        int error = copy == scan->out
                        ? 0
                        : disk->list(disk->context, scan->dir[copy].path, list_one, &listing);

        if (error != 0 && error != -ENOENT) {
            scan->suspect = copy;
            scan->error = error;
            return log_refuse(scan, STATUS_IOFAIL, "%.160s: cannot be listed: %s",
                              scan->dir[copy].path, strerror(-error));
        }
    }
    if (listing.full)
        return log_refuse(scan, STATUS_NOMEMORY, "out of memory");
    if (scan->numbers > 0)
        qsort(scan->number, scan->numbers, sizeof *scan->number, ascending);
    for (size_t i = 0; i < scan->numbers; i++)
        if (i == 0 || scan->number[i] != scan->number[kept - 1])
            scan->number[kept++] = scan->number[i];
    scan->numbers = kept;
    return STATUS_OK;
}

/* The header of file number in one copy, if it is whole. */
static enum status read_header(struct log_scan *scan, int copy, uint64_t number, bool *exists,
                               bool *whole, struct log_header *header)
{
    struct log_window *window = &scan->window[copy];
    int error =
        copy == scan->out ? -ENOENT : log_window_open(window, &scan->dir[copy], number, false);
    const uint8_t *block;

    *exists = error == 0;
    *whole = false;
    if (error == -ENOENT)
        return STATUS_OK;
    if (error != 0)
        return log_refuse_io(scan, copy, number, "cannot be opened", error);
    block = log_window_at(window, 0, LOG_BLOCK_BYTES);
    *whole = block != NULL && log_header_decode(block, header) && header->number == number &&
             (number != 0 || window->file_bytes == LOG_BLOCK_BYTES);
    log_window_close(window);
    return STATUS_OK;
}

/* log.id says whose log a copy is; without it, the first segment that can be read does. */
static enum status find_identity(struct log_scan *scan, int copy, struct log_identity *identity,
                                 bool *known, bool *any)
{
    struct log_header header;
    enum status status;
    bool exists, whole;

    *known = false;
    if ((status = read_header(scan, copy, 0, &exists, &whole, &header)) != STATUS_OK)
        return status;
    *any = *any || exists;
    scan->named[copy] = whole;
    for (size_t i = 0; i < scan->numbers && !whole; i++)
        if ((status = read_header(scan, copy, scan->number[i], &exists, &whole, &header)) !=
            STATUS_OK)
            return status;
    if (whole) {
        *known = true;
        *identity = header.identity;
    }
    return STATUS_OK;
}

static enum status check_identity(struct log_scan *scan, const struct log_identity found[2],
                                  const bool known[2])
{
    const struct log_identity *one = known[0] ? &found[0] : &found[1];

    if (known[0] && known[1] && memcmp(&found[0], &found[1], sizeof found[0]) != 0)
        return log_refuse(scan, STATUS_BADDATA, "%.100s and %.100s hold two different logs",
                          scan->dir[0].path, scan->dir[1].path);
    if (one->partition != scan->identity.partition ||
        one->partition_count != scan->identity.partition_count)
        return log_refuse(scan, STATUS_BADDATA,
                          "%.160s is partition %u of %u, and partition %u of %u was asked for",
                          scan->dir[known[0] ? 0 : 1].path, one->partition, one->partition_count,
                          scan->identity.partition, scan->identity.partition_count);
    scan->identity = *one;
    return STATUS_OK;
}

static void measure(struct log_scan *scan)
{
    for (int copy = 0; copy < 2; copy++)
        for (size_t i = 0; i < scan->numbers; i++) {
            if (copy != scan->out &&
                log_window_open(&scan->window[copy], &scan->dir[copy], scan->number[i], false) == 0)
                scan->total += scan->window[copy].file_bytes;
            log_window_close(&scan->window[copy]);
        }
}

enum status log_scan_begin(struct log_scan *scan, enum log_found *found)
{
    struct log_identity identity[2];
    bool known[2], any = false;
    enum status status;

    memset(identity, 0, sizeof identity);
    for (int copy = 0; copy < 2; copy++)
        scan->window[copy].handle = -1;
    if ((status = list_segments(scan)) != STATUS_OK)
        return status;
    any = scan->numbers > 0;
    for (int copy = 0; copy < 2; copy++) {
        status = find_identity(scan, copy, &identity[copy], &known[copy], &any);
        if (status != STATUS_OK)
            return status;
    }
    scan->known[0] = known[0];
    scan->known[1] = known[1];
    *found = LOG_FOUND_NOTHING;
    if (!any)
        return STATUS_OK;
    if (!known[0] && !known[1])
        return log_refuse(scan, STATUS_BADDATA,
                          "%.160s: no file begins as a log of format %d does, in neither copy",
                          scan->dir[0].path, LOG_FORMAT_VERSION);
    if ((status = check_identity(scan, identity, known)) != STATUS_OK)
        return status;
    if (scan->progress != NULL)
        measure(scan);
    *found = LOG_FOUND_LOG;
    memcpy(scan->report->log_id, scan->identity.id, LOG_ID_BYTES);
    return STATUS_OK;
}
