/* log_mend.c: the writing half of the scan: each call brings one piece of one segment to what it
 * should be, in place, and may be cut off anywhere and called again. */
#include "log/log_segment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hook.h"

/* ---- Repairing ---------------------------------------------------------------------------- */

enum status log_mend_write(struct log_scan *scan, int copy, uint64_t number, uint64_t offset,
                           const uint8_t *bytes, size_t size)
{
    struct log_window *window = &scan->window[copy];
    int error = window->disk->write(window->disk->context, window->handle, offset, bytes, size);

    return error == 0 ? STATUS_OK
                      : log_refuse_io(scan, copy, number, "repair: write failed", error);
}

enum status log_mend_sync(struct log_scan *scan, uint64_t number)
{
    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &scan->window[copy];
        int error = !log_scan_mends(scan, copy) || PLANTED("log.repair_without_sync")
                        ? 0
                        : window->disk->sync(window->disk->context, window->handle);

        if (error != 0)
            return log_refuse_io(scan, copy, number, "repair: sync failed", error);
    }
    CRASH_POINT("log.repair.synced");
    return STATUS_OK;
}

static enum status repair_missing(struct log_scan *scan, const struct segment *segment, int copy)
{
    struct log_dir *dir = &scan->dir[copy];
    int handle;
    int error = log_file_make(dir, &segment->header, &handle);

    if (error == 0) {
        dir->disk->close(dir->disk->context, handle);
        error = log_file_place(dir, segment->number);
    }
    if (error == 0)
        error = log_window_open(&scan->window[copy], dir, segment->number, true);
    return error == 0 ? STATUS_OK
                      : log_refuse_io(scan, copy, segment->number, "repair: cannot be made", error);
}

static enum status repair_size(struct log_scan *scan, const struct segment *segment, int copy)
{
    struct log_window *window = &scan->window[copy];
    const struct disk *disk = window->disk;
    int error = window->file_bytes > segment->bytes
                    ? disk->truncate(disk->context, window->handle, segment->bytes)
                    : log_file_zero(disk, window->handle, window->file_bytes, segment->bytes);

    window->file_bytes = segment->bytes;
    window->size = 0;
    return error == 0 ? STATUS_OK
                      : log_refuse_io(scan, copy, segment->number, "repair: wrong size", error);
}

/* Makes the file whole around its frames. In place: the frames of a file whose header is bad may be
 * the only good ones left. */
enum status log_mend_header(struct log_scan *scan, const struct segment *segment)
{
    uint8_t block[LOG_BLOCK_BYTES];
    enum status status = STATUS_OK;

    log_header_encode(&segment->header, block);
    for (int copy = 0; copy < 2 && status == STATUS_OK; copy++) {
        if (!log_scan_mends(scan, copy))
            continue;
        if (segment->missing[copy]) {
            status = repair_missing(scan, segment, copy);
            continue;
        }
        if (segment->size_bad[copy] && !PLANTED("log.repair_keeps_size"))
            status = repair_size(scan, segment, copy);
        if (status == STATUS_OK && segment->header_bad[copy])
            status = log_mend_write(scan, copy, segment->number, 0, block, sizeof block);
    }
    CRASH_POINT("log.repair.header");
    return status;
}

/* Writes the head until it stands and no slot is bad; always over the slot that says less. */
enum status log_mend_heads(struct log_scan *scan, struct segment *segment, int copy,
                           struct log_head head)
{
    struct log_window *window = &scan->window[copy];

    for (int round = 0; round < 3 && !log_heads_settled(segment, copy, &head); round++) {
        int error;

        head.generation = log_newest_generation(segment, copy) + 1;
        error = log_file_write_head(window->disk, window->handle, &head);
        CRASH_POINT("log.repair.head_written");
        if (error == 0)
            error = window->disk->sync(window->disk->context, window->handle);
        if (error != 0)
            return log_refuse_io(scan, copy, segment->number, "repair: head", error);
        CRASH_POINT("log.repair.head_synced");
        segment->slot[copy][head.generation % 2] = SLOT_VALID;
        segment->head[copy][head.generation % 2] = head;
    }
    return STATUS_OK;
}
