#include "log/log_scan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"

#define PIECE_BYTES (1U << 18)

enum slot { SLOT_EMPTY, SLOT_VALID, SLOT_BAD };

/* What is known of the segment under the walk. */
struct segment {
    uint64_t number;
    uint64_t bytes;
    struct log_header header;
    bool missing[2], header_bad[2], size_bad[2];
    enum slot slot[2][2];
    struct log_head head[2][2];
    bool claimed;          /* there is a valid head in either copy */
    struct log_head claim; /* the one that claims most */
    bool claim_met;        /* the walk came exactly by where the claim ends */
    bool damaged[2];
};

/* ---- Telling ---------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static enum status
refuse(struct log_scan *scan, enum status status, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(scan->report->message, sizeof scan->report->message, format, list);
    va_end(list);
    return status;
}

static enum status refuse_io(struct log_scan *scan, int copy, uint64_t number, const char *what,
                             int error)
{
    char path[LOG_PATH_MAX];

    log_file_path(&scan->dir[copy], number, false, path);
    return refuse(scan, error == -ENOSPC || error == -EDQUOT ? STATUS_NOSPACE : STATUS_IOFAIL,
                  "%.160s: %s: %s", path, what, strerror(-error));
}

/* Damage in one copy: counted once a segment, told every time. */
__attribute__((format(printf, 4, 5))) static void
damage(struct log_scan *scan, struct segment *segment, int copy, const char *format, ...)
{
    char path[LOG_PATH_MAX], what[160], text[LOG_PATH_MAX + 168];
    va_list list;

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

static void advance(struct log_scan *scan, uint64_t bytes)
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
        int error = disk->list(disk->context, scan->dir[copy].path, list_one, &listing);

        if (error != 0 && error != -ENOENT)
            return refuse(scan, STATUS_IOFAIL, "%.160s: cannot be listed: %s", scan->dir[copy].path,
                          strerror(-error));
    }
    if (listing.full)
        return refuse(scan, STATUS_NOMEMORY, "out of memory");
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
    int error = log_window_open(window, &scan->dir[copy], number, false);
    const uint8_t *block;

    *exists = error == 0;
    *whole = false;
    if (error == -ENOENT)
        return STATUS_OK;
    if (error != 0)
        return refuse_io(scan, copy, number, "cannot be opened", error);
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
        return refuse(scan, STATUS_BADDATA, "%.100s and %.100s hold two different logs",
                      scan->dir[0].path, scan->dir[1].path);
    if (one->partition != scan->identity.partition ||
        one->partition_count != scan->identity.partition_count)
        return refuse(scan, STATUS_BADDATA,
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
            if (log_window_open(&scan->window[copy], &scan->dir[copy], scan->number[i], false) == 0)
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
    *found = LOG_FOUND_NOTHING;
    if (!any)
        return STATUS_OK;
    if (!known[0] && !known[1])
        return refuse(scan, STATUS_BADDATA,
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

/* ---- One segment: header and heads ---------------------------------------------------------- */

static bool header_fits(const struct log_scan *scan, const struct log_header *header,
                        uint64_t number)
{
    return memcmp(&header->identity, &scan->identity, sizeof header->identity) == 0 &&
           header->number == number && header->bytes >= LOG_SEGMENT_BYTES_MIN &&
           header->bytes <= LOG_SEGMENT_BYTES_MAX && header->bytes % LOG_BLOCK_BYTES == 0;
}

static void load_slots(struct log_scan *scan, struct segment *segment, int copy)
{
    for (unsigned i = 0; i < 2; i++) {
        struct log_head *head = &segment->head[copy][i];
        const uint8_t *block =
            log_window_at(&scan->window[copy], LOG_BLOCK_BYTES * (1 + i), LOG_BLOCK_BYTES);

        segment->slot[copy][i] = SLOT_BAD;
        if (block != NULL && log_is_zero(block, LOG_BLOCK_BYTES))
            segment->slot[copy][i] = SLOT_EMPTY;
        else if (block != NULL && log_head_decode(block, head) &&
                 memcmp(head->id, scan->identity.id, LOG_ID_BYTES) == 0 &&
                 head->segment == segment->number && head->generation % 2 == i)
            segment->slot[copy][i] = SLOT_VALID;
    }
}

static bool has_valid_slot(const struct segment *segment, int copy)
{
    return segment->slot[copy][0] == SLOT_VALID || segment->slot[copy][1] == SLOT_VALID;
}

static void find_claim(struct segment *segment)
{
    for (int copy = 0; copy < 2; copy++)
        for (int i = 0; i < 2; i++) {
            const struct log_head *head = &segment->head[copy][i];
            bool more = !segment->claimed || head->offset > segment->claim.offset ||
                        (head->offset == segment->claim.offset && head->sealed);

            if (segment->slot[copy][i] != SLOT_VALID || !more)
                continue;
            segment->claimed = true;
            segment->claim = *head;
        }
}

static enum status load_copy(struct log_scan *scan, struct segment *segment, int copy, bool write,
                             struct log_header *header)
{
    struct log_window *window = &scan->window[copy];
    int error = log_window_open(window, &scan->dir[copy], segment->number, write);
    const uint8_t *block;

    segment->missing[copy] = error == -ENOENT;
    segment->header_bad[copy] = true;
    if (error != 0 && error != -ENOENT)
        return refuse_io(scan, copy, segment->number, "cannot be opened", error);
    if (error != 0)
        return STATUS_OK;
    block = log_window_at(window, 0, LOG_BLOCK_BYTES);
    segment->header_bad[copy] = block == NULL || !log_header_decode(block, header) ||
                                !header_fits(scan, header, segment->number);
    load_slots(scan, segment, copy);
    return STATUS_OK;
}

/* Opens the segment in both copies, and finds out its size and what is claimed of it. */
static enum status load_segment(struct log_scan *scan, struct segment *segment, uint64_t number,
                                bool write)
{
    struct log_header header[2];
    enum status status;
    int good;

    memset(segment, 0, sizeof *segment);
    segment->number = number;
    for (int copy = 0; copy < 2; copy++)
        if ((status = load_copy(scan, segment, copy, write, &header[copy])) != STATUS_OK)
            return status;
    if (segment->header_bad[0] && segment->header_bad[1])
        return refuse(scan, STATUS_BADDATA,
                      "segment %" PRIu64 " (%.64s and %.64s) is missing, damaged, or of another "
                      "log in both copies: sequences from %" PRIu64 " are lost",
                      number, scan->dir[0].path, scan->dir[1].path, scan->end.sequence + 1);

    /* Two sizes can only be a forgotten spare of another configuration; the one in use has heads.
     */
    good = segment->header_bad[0] ||
           (!segment->header_bad[1] && !has_valid_slot(segment, 0) && has_valid_slot(segment, 1));
    segment->header = header[good];
    segment->bytes = header[good].bytes;
    if (!segment->header_bad[1 - good] && header[1 - good].bytes != segment->bytes)
        segment->header_bad[1 - good] = true;
    for (int copy = 0; copy < 2; copy++)
        segment->size_bad[copy] =
            !segment->missing[copy] && scan->window[copy].file_bytes != segment->bytes;
    find_claim(segment);
    return STATUS_OK;
}

static void tell_header(struct log_scan *scan, struct segment *segment)
{
    for (int copy = 0; copy < 2; copy++) {
        if (segment->missing[copy])
            damage(scan, segment, copy, "missing");
        else if (segment->header_bad[copy])
            damage(scan, segment, copy, "offset 0: header damaged");
        if (segment->size_bad[copy])
            damage(scan, segment, copy, "%" PRIu64 " bytes instead of %" PRIu64,
                   scan->window[copy].file_bytes, segment->bytes);
    }
}

/* ---- Repairing ------------------------------------------------------------------------------ */

static enum status write_at(struct log_scan *scan, int copy, uint64_t number, uint64_t offset,
                            const uint8_t *bytes, size_t size)
{
    struct log_window *window = &scan->window[copy];
    int error = window->disk->write(window->disk->context, window->handle, offset, bytes, size);

    return error == 0 ? STATUS_OK : refuse_io(scan, copy, number, "repair: write failed", error);
}

static enum status sync_copies(struct log_scan *scan, uint64_t number)
{
    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &scan->window[copy];
        int error = PLANTED("log.repair_without_sync")
                        ? 0
                        : window->disk->sync(window->disk->context, window->handle);

        if (error != 0)
            return refuse_io(scan, copy, number, "repair: sync failed", error);
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
                      : refuse_io(scan, copy, segment->number, "repair: cannot be made", error);
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
                      : refuse_io(scan, copy, segment->number, "repair: wrong size", error);
}

/* Makes the file whole around its frames. In place: the frames of a file whose header is bad may be
 * the only good ones left. */
static enum status repair_header(struct log_scan *scan, const struct segment *segment)
{
    uint8_t block[LOG_BLOCK_BYTES];
    enum status status = STATUS_OK;

    log_header_encode(&segment->header, block);
    for (int copy = 0; copy < 2 && status == STATUS_OK; copy++) {
        if (segment->missing[copy]) {
            status = repair_missing(scan, segment, copy);
            continue;
        }
        if (segment->size_bad[copy] && !PLANTED("log.repair_keeps_size"))
            status = repair_size(scan, segment, copy);
        if (status == STATUS_OK && segment->header_bad[copy])
            status = write_at(scan, copy, segment->number, 0, block, sizeof block);
    }
    CRASH_POINT("log.repair.header");
    return status;
}

static bool heads_settled(const struct segment *segment, int copy, const struct log_head *head)
{
    bool said = false;

    for (int i = 0; i < 2; i++) {
        const struct log_head *have = &segment->head[copy][i];

        if (segment->slot[copy][i] == SLOT_BAD)
            return false;
        said = said || (segment->slot[copy][i] == SLOT_VALID && have->offset == head->offset &&
                        have->sequence == head->sequence && have->sealed == head->sealed);
    }
    return said;
}

static uint64_t newest_generation(const struct segment *segment, int copy)
{
    uint64_t newest = 0;

    for (int i = 0; i < 2; i++)
        if (segment->slot[copy][i] == SLOT_VALID && segment->head[copy][i].generation > newest)
            newest = segment->head[copy][i].generation;
    return newest;
}

/* Writes the head until it stands and no slot is bad; always over the slot that says less. */
static enum status settle_heads(struct log_scan *scan, struct segment *segment, int copy,
                                struct log_head head)
{
    struct log_window *window = &scan->window[copy];

    for (int round = 0; round < 3 && !heads_settled(segment, copy, &head); round++) {
        int error;

        head.generation = newest_generation(segment, copy) + 1;
        error = log_file_write_head(window->disk, window->handle, &head);
        CRASH_POINT("log.repair.head_written");
        if (error == 0)
            error = window->disk->sync(window->disk->context, window->handle);
        if (error != 0)
            return refuse_io(scan, copy, segment->number, "repair: head", error);
        CRASH_POINT("log.repair.head_synced");
        segment->slot[copy][head.generation % 2] = SLOT_VALID;
        segment->head[copy][head.generation % 2] = head;
    }
    return STATUS_OK;
}

static struct log_head head_here(const struct log_scan *scan, uint64_t number, bool sealed)
{
    struct log_head head = {.sealed = sealed,
                            .segment = number,
                            .sequence = scan->end.sequence,
                            .offset = scan->end.offset};

    memcpy(head.id, scan->identity.id, LOG_ID_BYTES);
    memcpy(head.chain, scan->end.chain, LOG_HASH_BYTES);
    return head;
}

/* What is not zero in [from, to) of one copy: offset after the last such byte, or from. */
static uint64_t last_used(struct log_scan *scan, int copy, uint64_t from, uint64_t to)
{
    uint64_t used = from;
    uint64_t end = to < scan->window[copy].file_bytes ? to : scan->window[copy].file_bytes;

    for (uint64_t at = from; at < end; at += PIECE_BYTES) {
        size_t size = end - at < PIECE_BYTES ? (size_t)(end - at) : PIECE_BYTES;
        const uint8_t *bytes = log_window_at(&scan->window[copy], at, size);

        if (bytes == NULL) {
            used = at + size; /* what cannot be read is not known to be zero */
            continue;
        }
        if (log_is_zero(bytes, size))
            continue;
        while (bytes[size - 1] == 0)
            size--;
        used = at + size;
    }
    return used;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

/* Copy 1 has these very bytes here: then copy 0's hash has proved them too, at a tenth of the
 * price. */
static bool same_bytes(struct log_scan *scan, const uint8_t *bytes, size_t size)
{
    const uint8_t *other = log_window_at(&scan->window[1], scan->end.offset, size);

    return other != NULL && memcmp(bytes, other, size) == 0;
}

/* Judges one frame: good[copy] tells who has it. */
static enum status find_frame(struct log_scan *scan, struct segment *segment, bool good[2],
                              struct log_frame *frame, size_t *taken)
{
    struct log_frame frames[2];
    size_t size[2];

    frames[1].hash = NULL;
    for (int copy = 0; copy < 2; copy++)
        good[copy] =
            (copy == 1 && good[0] && same_bytes(scan, frames[0].body - LOG_FRAME_BYTES, size[0])) ||
            log_window_frame(&scan->window[copy], scan->end.offset, segment->bytes,
                             scan->end.sequence + 1, scan->end.chain, &frames[copy], &size[copy]);
    if (good[0] && good[1] && frames[1].hash != NULL &&
        memcmp(frames[0].hash, frames[1].hash, LOG_HASH_BYTES) != 0)
        return refuse(scan, STATUS_BADDATA,
                      "segment %" PRIu64 " offset %" PRIu64
                      ": the copies hold two different histories from sequence %" PRIu64,
                      segment->number, scan->end.offset, scan->end.sequence + 1);
    if (good[0] || good[1]) {
        *frame = frames[good[0] ? 0 : 1];
        *taken = size[good[0] ? 0 : 1];
    }
    return STATUS_OK;
}

/* The frame just found, brought to the copy that lacks it; above the claim, to both. */
static enum status mend_frame(struct log_scan *scan, struct segment *segment, const bool good[2],
                              const struct log_frame *frame, size_t taken, bool write)
{
    bool claimed = segment->claimed && scan->end.offset < segment->claim.offset;
    const uint8_t *bytes = frame->body - LOG_FRAME_BYTES;

    for (int copy = 0; copy < 2; copy++) {
        enum status status;

        if (!good[copy] && claimed) {
            damage(scan, segment, copy,
                   "offset %" PRIu64 ": sequences %" PRIu64 "..%" PRIu64 " damaged or missing",
                   scan->end.offset, frame->first_sequence,
                   frame->first_sequence + frame->count - 1);
            scan->report->repaired_bytes += taken;
        }
        if (!write || PLANTED("log.no_repair") || (good[copy] && claimed))
            continue;
        status = write_at(scan, copy, segment->number, scan->end.offset, bytes, taken);
        CRASH_POINT("log.repair.frame");
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void step_over(struct log_scan *scan, struct segment *segment, const struct log_frame *frame,
                      size_t taken)
{
    const struct log_head *claim = &segment->claim;

    memcpy(scan->end.chain, frame->hash, LOG_HASH_BYTES);
    scan->end.sequence += frame->count;
    scan->end.offset += taken;
    if (segment->claimed && claim->offset == scan->end.offset &&
        claim->sequence == scan->end.sequence &&
        memcmp(claim->chain, scan->end.chain, LOG_HASH_BYTES) == 0)
        segment->claim_met = true;
    scan->report->batches++;
    advance(scan, 2 * taken);
}

static enum status walk_frames(struct log_scan *scan, struct segment *segment, bool write)
{
    for (;;) {
        struct log_frame frame = {.count = 0};
        enum status status;
        bool good[2];
        size_t taken = 0;

        if ((status = find_frame(scan, segment, good, &frame, &taken)) != STATUS_OK)
            return status;
        if (!good[0] && !good[1])
            return STATUS_OK;
        if (PLANTED("log.first_bad_ends") && (!good[0] || !good[1]))
            return STATUS_OK;
        if ((status = mend_frame(scan, segment, good, &frame, taken, write)) != STATUS_OK)
            return status;
        step_over(scan, segment, &frame, taken);
    }
}

/* Nothing valid follows here; is more claimed? */
static enum status check_claim(struct log_scan *scan, const struct segment *segment)
{
    const struct log_head *claim = &segment->claim;

    if (!segment->claimed || segment->claim_met || PLANTED("log.ignore_heads"))
        return STATUS_OK;
    if (claim->offset > scan->end.offset)
        return refuse(scan, STATUS_BADDATA,
                      "segment %" PRIu64 " (%.60s and %.60s) offset %" PRIu64 ": sequences %" PRIu64
                      "..%" PRIu64 " are damaged in both copies",
                      segment->number, scan->dir[0].path, scan->dir[1].path, scan->end.offset,
                      scan->end.sequence + 1, claim->sequence);
    return refuse(scan, STATUS_BADDATA,
                  "segment %" PRIu64 ": a head claims sequence %" PRIu64 " at offset %" PRIu64
                  ", which the frames there do not bear out",
                  segment->number, claim->sequence, claim->offset);
}

/* ---- Segments ---------------------------------------------------------------------------------
 */

/* Does the segment hold anything that was once part of a log: a head, or a whole frame? */
static enum status is_used(struct log_scan *scan, uint64_t number, bool *used, bool *blank,
                           uint64_t *bytes_each)
{
    struct segment segment = {.number = number};
    struct log_header header[2] = {{.bytes = 0}, {.bytes = 0}};

    *used = false;
    *blank = true;
    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &scan->window[copy];
        enum status status = load_copy(scan, &segment, copy, false, &header[copy]);
        const uint8_t *bytes;
        struct log_frame frame;
        size_t taken;

        if (status != STATUS_OK)
            return status;
        if (segment.header_bad[copy]) {
            *blank = false;
            if (segment.missing[copy])
                continue;
        } else if (header[copy].bytes != window->file_bytes ||
                   header[copy].bytes != header[0].bytes) {
            *blank = false;
        }
        *blank =
            *blank && segment.slot[copy][0] == SLOT_EMPTY && segment.slot[copy][1] == SLOT_EMPTY;
        *used = *used || has_valid_slot(&segment, copy);
        *blank = *blank && (scan->trust_sealed ||
                            last_used(scan, copy, LOG_DATA_OFFSET, UINT64_MAX) == LOG_DATA_OFFSET);
        bytes = log_window_at(window, LOG_DATA_OFFSET, LOG_FRAME_BYTES);
        if (bytes == NULL ||
            (taken = log_frame_peek(bytes, (size_t)(window->file_bytes - LOG_DATA_OFFSET))) == 0)
            continue;
        *blank = false;
        bytes = log_window_at(window, LOG_DATA_OFFSET, taken);
        /* A frame the log already has came here as a copy of another file: that is no loss. */
        *used = *used || (bytes != NULL && log_frame_decode(bytes, taken, &frame) &&
                          frame.first_sequence > scan->end.sequence);
    }
    *bytes_each = header[0].bytes;
    return STATUS_OK;
}

/* The log ends in segment number: nothing that was ever part of it may come later. */
static enum status check_nothing_follows(struct log_scan *scan, uint64_t number)
{
    scan->spare_bytes = 0;
    for (size_t i = 0; i < scan->numbers; i++) {
        uint64_t bytes;
        bool used, blank;
        enum status status;

        if (scan->number[i] <= number)
            continue;
        if ((status = is_used(scan, scan->number[i], &used, &blank, &bytes)) != STATUS_OK)
            return status;
        if (used && !PLANTED("log.ignore_later_segments"))
            return refuse(scan, STATUS_BADDATA,
                          "segment %" PRIu64 " ends at offset %" PRIu64 ", yet segment %" PRIu64
                          " holds data: sequences from %" PRIu64 " are lost in both copies",
                          number, scan->end.offset, scan->number[i], scan->end.sequence + 1);
        if (scan->number[i] == number + 1)
            scan->spare_bytes = blank ? bytes : 0;
    }
    return STATUS_OK;
}

/* The next segment begins where this one ends: then this one ended on purpose, seal or not. */
static bool goes_on(struct log_scan *scan, uint64_t number)
{
    bool found = false;

    for (int copy = 0; copy < 2; copy++) {
        struct log_window next = {.handle = -1};
        struct log_frame frame;
        size_t taken;

        if (log_window_open(&next, &scan->dir[copy], number + 1, false) == 0)
            found =
                found || log_window_frame(&next, LOG_DATA_OFFSET, next.file_bytes,
                                          scan->end.sequence + 1, scan->end.chain, &frame, &taken);
        log_window_free(&next);
    }
    return found;
}

/* A sealed segment is zero from its last frame on. */
static enum status finish_sealed(struct log_scan *scan, struct segment *segment, bool write)
{
    struct log_head seal = head_here(scan, segment->number, true);
    uint64_t used[2];
    enum status status;

    for (int copy = 0; copy < 2; copy++) {
        used[copy] = last_used(scan, copy, scan->end.offset, segment->bytes);
        if (used[copy] > scan->end.offset)
            damage(scan, segment, copy, "offset %" PRIu64 ": bytes after the last batch",
                   scan->end.offset);
        if (!heads_settled(segment, copy, &seal) && !segment->missing[copy])
            damage(scan, segment, copy, "seal damaged or missing");
    }
    advance(scan, 2 * (segment->bytes - scan->end.offset));
    if (!write)
        return STATUS_OK;

    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &scan->window[copy];
        int error = log_file_zero(window->disk, window->handle, scan->end.offset, used[copy]);

        if (error != 0)
            return refuse_io(scan, copy, segment->number, "repair: write failed", error);
    }
    if ((status = sync_copies(scan, segment->number)) != STATUS_OK)
        return status;
    for (int copy = 0; copy < 2; copy++)
        if ((status = settle_heads(scan, segment, copy, seal)) != STATUS_OK)
            return status;
    CRASH_POINT("log.repair.sealed");
    return STATUS_OK;
}

/* No head can be read, in neither copy, and in neither because of what a crash does (it leaves
 * heads old or new, and sizes alone): what they claimed is not known. */
static bool heads_lost(struct log_scan *scan, const struct segment *segment)
{
    if (segment->claimed)
        return false;
    for (int copy = 0; copy < 2; copy++)
        if (!segment->missing[copy] && scan->window[copy].file_bytes >= segment->bytes &&
            segment->slot[copy][0] != SLOT_BAD && segment->slot[copy][1] != SLOT_BAD)
            return false;
    return true;
}

/* The end of the log: the torn tail is cut, and what is kept is made durable. */
static enum status finish_last(struct log_scan *scan, struct segment *segment, bool write)
{
    struct log_head head = head_here(scan, segment->number, false);
    enum status status;

    scan->end_bytes = segment->bytes;
    if (write && scan->end.sequence != scan->judged)
        return refuse(scan, STATUS_IOFAIL,
                      "segment %" PRIu64 ": read twice, it ended first at "
                      "sequence %" PRIu64 " and then at %" PRIu64,
                      segment->number, scan->judged, scan->end.sequence);
    if (!write && heads_lost(scan, segment))
        return refuse(
            scan, STATUS_BADDATA,
            "segment %" PRIu64 " (%.64s and %.64s): all heads are damaged in both copies: "
            "sequences from %" PRIu64 " may be lost",
            segment->number, scan->dir[0].path, scan->dir[1].path, scan->end.sequence + 1);
    scan->clean = true;
    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &scan->window[copy];
        uint64_t used = last_used(scan, copy, scan->end.offset, segment->bytes);
        int error;

        if (used - scan->end.offset > scan->report->torn_bytes)
            scan->report->torn_bytes = used - scan->end.offset;
        if (segment->slot[copy][0] == SLOT_BAD || segment->slot[copy][1] == SLOT_BAD)
            damage(scan, segment, copy, "head damaged");
        scan->generation[copy] = newest_generation(segment, copy);
        scan->clean = scan->clean && used == scan->end.offset && scan->named[copy] &&
                      heads_settled(segment, copy, &head);
        if (!write || used == scan->end.offset || PLANTED("log.keep_torn_tail"))
            continue;
        error = log_file_zero(window->disk, window->handle, scan->end.offset, used);
        if (error != 0)
            return refuse_io(scan, copy, segment->number, "repair: write failed", error);
        CRASH_POINT("log.repair.tail_cut");
    }
    advance(scan, 2 * (segment->bytes - scan->end.offset));
    if (!write)
        return STATUS_OK;

    if ((status = sync_copies(scan, segment->number)) != STATUS_OK)
        return status;
    for (int copy = 0; copy < 2; copy++) {
        if ((status = settle_heads(scan, segment, copy, head)) != STATUS_OK)
            return status;
        scan->generation[copy] = newest_generation(segment, copy);
    }
    return STATUS_OK;
}

/* Both copies sealed alike, and the first frame where it should be: with trust_sealed that is
 * enough. The frames are checked when they are read. */
static bool may_skip(struct log_scan *scan, const struct segment *segment)
{
    struct log_frame frame;
    size_t taken;

    if (!scan->trust_sealed || !segment->claimed || !segment->claim.sealed)
        return false;
    for (int copy = 0; copy < 2; copy++)
        if (segment->missing[copy] || segment->header_bad[copy] || segment->size_bad[copy] ||
            !heads_settled(segment, copy, &segment->claim) ||
            !log_window_frame(&scan->window[copy], LOG_DATA_OFFSET, segment->bytes,
                              scan->end.sequence + 1, scan->end.chain, &frame, &taken))
            return false;
    return true;
}

static void skip(struct log_scan *scan, const struct segment *segment)
{
    scan->end.offset = segment->claim.offset;
    scan->end.sequence = segment->claim.sequence;
    memcpy(scan->end.chain, segment->claim.chain, LOG_HASH_BYTES);
    advance(scan, 2 * segment->bytes);
}

/* Walks one segment. *last: the log ends in it. */
static enum status walk_segment(struct log_scan *scan, uint64_t number, bool write, bool *last)
{
    struct segment segment;
    enum status status;

    *last = false;
    scan->end.segment = number;
    scan->end.offset = LOG_DATA_OFFSET;
    if ((status = load_segment(scan, &segment, number, write)) != STATUS_OK)
        return status;
    tell_header(scan, &segment);
    advance(scan, 2 * LOG_DATA_OFFSET);
    if (may_skip(scan, &segment)) {
        skip(scan, &segment);
        return STATUS_OK;
    }
    if (write && (status = repair_header(scan, &segment)) != STATUS_OK)
        return status;

    segment.claim_met = segment.claimed && segment.claim.offset == LOG_DATA_OFFSET &&
                        segment.claim.sequence == scan->end.sequence &&
                        memcmp(segment.claim.chain, scan->end.chain, LOG_HASH_BYTES) == 0;
    if ((status = walk_frames(scan, &segment, write)) != STATUS_OK ||
        (status = check_claim(scan, &segment)) != STATUS_OK)
        return status;
    if (segment.claimed && segment.claim.sealed && segment.claim.offset != scan->end.offset)
        return refuse(scan, STATUS_BADDATA, "segment %" PRIu64 ": frames after its seal", number);
    if ((segment.claimed && segment.claim.sealed) || goes_on(scan, number))
        return finish_sealed(scan, &segment, write);
    *last = true;
    return finish_last(scan, &segment, write);
}

static enum status walk(struct log_scan *scan, uint64_t from, bool write)
{
    bool last = false;
    enum status status;

    for (uint64_t number = from; !last; number++) {
        if (number > scan->index.count) {
            if (!log_index_reserve(&scan->index))
                return refuse(scan, STATUS_NOMEMORY, "out of memory");
            log_index_add(&scan->index, scan->end.sequence, scan->end.chain);
        }
        if ((status = walk_segment(scan, number, write, &last)) != STATUS_OK)
            return status;
        for (int copy = 0; copy < 2; copy++)
            log_window_close(&scan->window[copy]);
    }
    return STATUS_OK;
}

enum status log_scan_judge(struct log_scan *scan)
{
    struct log_report *report = scan->report;
    enum status status;

    assert(scan->index.count == 0);
    memset(&scan->end, 0, sizeof scan->end);
    log_genesis(&scan->identity, scan->end.chain);
    if ((status = walk(scan, 1, false)) != STATUS_OK)
        return status;
    if ((status = check_nothing_follows(scan, scan->end.segment)) != STATUS_OK)
        return status;
    scan->clean = scan->clean && scan->fix_from == 0;
    if (scan->fix_from == 0)
        scan->fix_from = scan->end.segment;
    scan->judged = scan->end.sequence;
    report->first_sequence = scan->end.sequence > 0 ? 1 : 0;
    report->last_sequence = scan->end.sequence;
    report->segments = scan->end.segment;
    memcpy(report->chain, scan->end.chain, LOG_HASH_BYTES);
    return STATUS_OK;
}

static enum status name_copy(struct log_scan *scan, int copy)
{
    struct log_header header = {.identity = scan->identity};
    struct log_dir *dir = &scan->dir[copy];
    int handle;
    int error = log_file_make(dir, &header, &handle);

    if (error == 0) {
        dir->disk->close(dir->disk->context, handle);
        error = log_file_place(dir, 0);
    }
    return error == 0 ? STATUS_OK : refuse_io(scan, copy, 0, "cannot be made", error);
}

/* The seal of the segment before the last may still be only in the kernel's memory. */
static enum status settle_before(struct log_scan *scan)
{
    uint64_t number = scan->fix_from - 1;
    enum status status = STATUS_OK;

    for (int copy = 0; copy < 2 && number > 0; copy++) {
        int error = log_window_open(&scan->window[copy], &scan->dir[copy], number, true);

        if (error != 0)
            return refuse_io(scan, copy, number, "cannot be opened", error);
    }
    if (number > 0)
        status = sync_copies(scan, number);
    for (int copy = 0; copy < 2; copy++)
        log_window_close(&scan->window[copy]);
    return status;
}

enum status log_scan_repair(struct log_scan *scan)
{
    struct log_report judged = *scan->report;
    const struct log_start *start = &scan->index.start[scan->fix_from - 1];
    void (*finding)(void *argument, const char *text) = scan->finding;
    enum status status;

    if (scan->clean)
        return STATUS_OK;
    CRASH_POINT("log.repair.begin");
    if ((status = settle_before(scan)) != STATUS_OK)
        return status;
    scan->end.sequence = start->sequence;
    memcpy(scan->end.chain, start->chain, LOG_HASH_BYTES);
    scan->finding = NULL; /* the first walk has told it all */
    status = walk(scan, scan->fix_from, true);
    scan->finding = finding;
    if (status != STATUS_OK)
        return status;
    for (int copy = 0; copy < 2; copy++)
        if (!scan->named[copy] && (status = name_copy(scan, copy)) != STATUS_OK)
            return status;
    CRASH_POINT("log.repair.named");
    *scan->report = judged;
    return STATUS_OK;
}

void log_scan_end(struct log_scan *scan, bool keep_index)
{
    for (int copy = 0; copy < 2; copy++)
        log_window_free(&scan->window[copy]);
    free(scan->number);
    scan->number = NULL;
    if (!keep_index) {
        free(scan->index.start);
        scan->index.start = NULL;
    }
}

/* ---- Index --------------------------------------------------------------------------------------
 */

bool log_index_reserve(struct log_index *index)
{
    size_t capacity = index->capacity == 0 ? 64 : index->capacity * 2;
    struct log_start *grown;

    if (index->count < index->capacity)
        return true;
    if ((grown = realloc(index->start, capacity * sizeof *grown)) == NULL)
        return false;
    index->start = grown;
    index->capacity = capacity;
    return true;
}

void log_index_add(struct log_index *index, uint64_t sequence, const uint8_t *chain)
{
    assert(index->count < index->capacity);
    index->start[index->count].sequence = sequence;
    memcpy(index->start[index->count].chain, chain, LOG_HASH_BYTES);
    index->count++;
}
