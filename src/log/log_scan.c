#include "log/log_scan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "log/log_segment.h"

/* ---- Frames ------------------------------------------------------------------------------- */

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
        return log_refuse(scan, STATUS_BADDATA,
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
            log_damage(scan, segment, copy,
                       "offset %" PRIu64 ": sequences %" PRIu64 "..%" PRIu64 " damaged or missing",
                       scan->end.offset, frame->first_sequence,
                       frame->first_sequence + frame->count - 1);
            scan->report->repaired_bytes += taken;
        }
        if (!write || PLANTED("log.no_repair") || (good[copy] && claimed) ||
            !log_scan_mends(scan, copy))
            continue;
        status = log_mend_write(scan, copy, segment->number, scan->end.offset, bytes, taken);
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
    log_advance(scan, 2 * taken);
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
        return log_refuse(scan, STATUS_BADDATA,
                          "segment %" PRIu64 " (%.60s and %.60s) offset %" PRIu64
                          ": sequences %" PRIu64 "..%" PRIu64 " are damaged in both copies",
                          segment->number, scan->dir[0].path, scan->dir[1].path, scan->end.offset,
                          scan->end.sequence + 1, claim->sequence);
    return log_refuse(scan, STATUS_BADDATA,
                      "segment %" PRIu64 ": a head claims sequence %" PRIu64 " at offset %" PRIu64
                      ", which the frames there do not bear out",
                      segment->number, claim->sequence, claim->offset);
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

/* ---- Segments ----------------------------------------------------------------------------- */

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
        enum status status = log_segment_load_copy(scan, &segment, copy, false, &header[copy]);
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
        *used = *used || log_segment_has_head(&segment, copy);
        *blank = *blank && (scan->trust_sealed || log_segment_used(scan, copy, LOG_DATA_OFFSET,
                                                                   UINT64_MAX) == LOG_DATA_OFFSET);
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
            return log_refuse(scan, STATUS_BADDATA,
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

        if (copy != scan->out && !log_scan_is_stale(scan, copy, number + 1) &&
            log_window_open(&next, &scan->dir[copy], number + 1, false) == 0)
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
        used[copy] = log_segment_used(scan, copy, scan->end.offset, segment->bytes);
        if (used[copy] > scan->end.offset)
            log_damage(scan, segment, copy, "offset %" PRIu64 ": bytes after the last batch",
                       scan->end.offset);
        if (!log_heads_settled(segment, copy, &seal) && !segment->missing[copy])
            log_damage(scan, segment, copy, "seal damaged or missing");
    }
    log_advance(scan, 2 * (segment->bytes - scan->end.offset));
    if (!write)
        return STATUS_OK;

    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &scan->window[copy];
        int error = log_scan_mends(scan, copy)
                        ? log_file_zero(window->disk, window->handle, scan->end.offset, used[copy])
                        : 0;

        if (error != 0)
            return log_refuse_io(scan, copy, segment->number, "repair: write failed", error);
    }
    if ((status = log_mend_sync(scan, segment->number)) != STATUS_OK)
        return status;
    for (int copy = 0; copy < 2; copy++)
        if (log_scan_mends(scan, copy) &&
            (status = log_mend_heads(scan, segment, copy, seal)) != STATUS_OK)
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
    for (int copy = 0; copy < 2; copy++) {
        int bad =
            (segment->slot[copy][0] == SLOT_BAD ? 1 : 0) + (segment->slot[copy][1] == SLOT_BAD);
        /* One that is by itself may have been cut off in the first head it wrote here. */
        int may = log_scan_is_stale(scan, 1 - copy, segment->number) ? 1 : 0;

        if (!segment->missing[copy] && scan->window[copy].file_bytes >= segment->bytes &&
            bad <= may)
            return false;
    }
    return true;
}

/* The end of the log: the torn tail is cut, and what is kept is made durable. */
static enum status finish_last(struct log_scan *scan, struct segment *segment, bool write)
{
    struct log_head head = head_here(scan, segment->number, false);
    enum status status;

    scan->end_bytes = segment->bytes;
    if (write && scan->end.sequence != scan->judged)
        return log_refuse(scan, STATUS_IOFAIL,
                          "segment %" PRIu64 ": read twice, it ended first at "
                          "sequence %" PRIu64 " and then at %" PRIu64,
                          segment->number, scan->judged, scan->end.sequence);
    if (!write && heads_lost(scan, segment))
        return log_refuse(
            scan, STATUS_BADDATA,
            "segment %" PRIu64 " (%.64s and %.64s): all heads are damaged in both copies: "
            "sequences from %" PRIu64 " may be lost",
            segment->number, scan->dir[0].path, scan->dir[1].path, scan->end.sequence + 1);
    scan->clean = true;
    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &scan->window[copy];
        uint64_t used = log_segment_used(scan, copy, scan->end.offset, segment->bytes);
        int error;

        if (!log_scan_mends(scan, copy))
            continue;
        if (used - scan->end.offset > scan->report->torn_bytes)
            scan->report->torn_bytes = used - scan->end.offset;
        if (segment->slot[copy][0] == SLOT_BAD || segment->slot[copy][1] == SLOT_BAD)
            log_damage(scan, segment, copy, "head damaged");
        scan->generation[copy] = log_newest_generation(segment, copy);
        scan->clean = scan->clean && used == scan->end.offset && scan->named[copy] &&
                      log_heads_settled(segment, copy, &head);
        if (!write || used == scan->end.offset || PLANTED("log.keep_torn_tail"))
            continue;
        error = log_file_zero(window->disk, window->handle, scan->end.offset, used);
        if (error != 0)
            return log_refuse_io(scan, copy, segment->number, "repair: write failed", error);
        CRASH_POINT("log.repair.tail_cut");
    }
    log_advance(scan, 2 * (segment->bytes - scan->end.offset));
    if (!write)
        return STATUS_OK;

    if ((status = log_mend_sync(scan, segment->number)) != STATUS_OK)
        return status;
    for (int copy = 0; copy < 2; copy++) {
        if (!log_scan_mends(scan, copy))
            continue;
        if ((status = log_mend_heads(scan, segment, copy, head)) != STATUS_OK)
            return status;
        scan->generation[copy] = log_newest_generation(segment, copy);
    }
    return STATUS_OK;
}

/* Both copies sealed alike, and the first frame where it should be: with trust_sealed that is
 * enough. The frames are checked when they are read. */
static bool may_skip(struct log_scan *scan, const struct segment *segment)
{
    struct log_frame frame;
    size_t taken;

    if (!scan->trust_sealed || !segment->claimed || !segment->claim.sealed ||
        scan->end.segment + scan->full_segments > scan->number[scan->numbers - 1])
        return false;
    for (int copy = 0; copy < 2; copy++)
        if (!log_scan_mends(scan, copy))
            continue;
        else if (segment->missing[copy] || segment->header_bad[copy] || segment->size_bad[copy] ||
                 !log_heads_settled(segment, copy, &segment->claim) ||
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
    log_advance(scan, 2 * segment->bytes);
}

/* Walks one segment. *last: the log ends in it. */
static enum status walk_segment(struct log_scan *scan, uint64_t number, bool write, bool *last)
{
    struct segment segment;
    enum status status;

    *last = false;
    scan->end.segment = number;
    scan->end.offset = LOG_DATA_OFFSET;
    if ((status = log_segment_load(scan, &segment, number, write)) != STATUS_OK)
        return status;
    log_segment_tell(scan, &segment);
    log_advance(scan, 2 * LOG_DATA_OFFSET);
    if (may_skip(scan, &segment)) {
        skip(scan, &segment);
        return STATUS_OK;
    }
    if (write && (status = log_mend_header(scan, &segment)) != STATUS_OK)
        return status;

    segment.claim_met = segment.claimed && segment.claim.offset == LOG_DATA_OFFSET &&
                        segment.claim.sequence == scan->end.sequence &&
                        memcmp(segment.claim.chain, scan->end.chain, LOG_HASH_BYTES) == 0;
    if ((status = walk_frames(scan, &segment, write)) != STATUS_OK ||
        (status = check_claim(scan, &segment)) != STATUS_OK)
        return status;
    if (segment.claimed && segment.claim.sealed && segment.claim.offset != scan->end.offset)
        return log_refuse(scan, STATUS_BADDATA, "segment %" PRIu64 ": frames after its seal",
                          number);
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
                return log_refuse(scan, STATUS_NOMEMORY, "out of memory");
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
    return error == 0 ? STATUS_OK : log_refuse_io(scan, copy, 0, "cannot be made", error);
}

/* The seal of the segment before the last may still be only in the kernel's memory. */
static enum status settle_before(struct log_scan *scan)
{
    uint64_t number = scan->fix_from - 1;
    enum status status = STATUS_OK;

    for (int copy = 0; copy < 2 && number > 0; copy++) {
        int error = !log_scan_mends(scan, copy)
                        ? 0
                        : log_window_open(&scan->window[copy], &scan->dir[copy], number, true);

        if (error != 0)
            return log_refuse_io(scan, copy, number, "cannot be opened", error);
    }
    if (number > 0)
        status = log_mend_sync(scan, number);
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
        if (!scan->named[copy] && log_scan_mends(scan, copy) &&
            (status = name_copy(scan, copy)) != STATUS_OK)
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

/* ---- Index -------------------------------------------------------------------------------- */

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
