/* log_segment.c: one segment in both copies: header, size, heads, and what they claim. */
#include "log/log_segment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hook.h"

#define PIECE_BYTES (1U << 18)

/* ---- One segment: header and heads -------------------------------------------------------- */

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

bool log_segment_has_head(const struct segment *segment, int copy)
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

enum status log_segment_load_copy(struct log_scan *scan, struct segment *segment, int copy,
                                  bool write, struct log_header *header)
{
    struct log_window *window = &scan->window[copy];
    int error = -ENOENT;
    const uint8_t *block;

    if (copy == scan->out ||
        (log_scan_is_stale(scan, copy, segment->number) && !PLANTED("log.stale_is_trusted")))
        log_window_close(window);
    else
        error = log_window_open(window, &scan->dir[copy], segment->number, write);

    segment->missing[copy] = error == -ENOENT;
    segment->header_bad[copy] = true;
    if (error != 0 && error != -ENOENT)
        return log_refuse_io(scan, copy, segment->number, "cannot be opened", error);
    if (error != 0)
        return STATUS_OK;
    block = log_window_at(window, 0, LOG_BLOCK_BYTES);
    segment->header_bad[copy] = block == NULL || !log_header_decode(block, header) ||
                                !header_fits(scan, header, segment->number);
    load_slots(scan, segment, copy);
    return STATUS_OK;
}

/* Opens the segment in both copies, and finds out its size and what is claimed of it. */
enum status log_segment_load(struct log_scan *scan, struct segment *segment, uint64_t number,
                             bool write)
{
    struct log_header header[2];
    enum status status;
    int good;

    memset(segment, 0, sizeof *segment);
    segment->number = number;
    for (int copy = 0; copy < 2; copy++)
        if ((status = log_segment_load_copy(scan, segment, copy, write, &header[copy])) !=
            STATUS_OK)
            return status;
    if (segment->header_bad[0] && segment->header_bad[1])
        return log_refuse(scan, STATUS_BADDATA,
                          "segment %" PRIu64
                          " (%.64s and %.64s) is missing, damaged, or of another "
                          "log in both copies: sequences from %" PRIu64 " are lost",
                          number, scan->dir[0].path, scan->dir[1].path, scan->end.sequence + 1);

    /* Two sizes can only be a forgotten spare of another configuration; the one in use has heads.
     */
    good =
        segment->header_bad[0] || (!segment->header_bad[1] && !log_segment_has_head(segment, 0) &&
                                   log_segment_has_head(segment, 1));
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

void log_segment_tell(struct log_scan *scan, struct segment *segment)
{
    for (int copy = 0; copy < 2; copy++) {
        if (log_scan_is_stale(scan, copy, segment->number))
            log_damage(scan, segment, copy, "stale: the other copy went on alone");
        else if (segment->missing[copy])
            log_damage(scan, segment, copy, "missing");
        else if (segment->header_bad[copy])
            log_damage(scan, segment, copy, "offset 0: header damaged");
        if (segment->size_bad[copy])
            log_damage(scan, segment, copy, "%" PRIu64 " bytes instead of %" PRIu64,
                       scan->window[copy].file_bytes, segment->bytes);
    }
}

/* What is not zero in [from, to) of one copy: offset after the last such byte, or from. */
uint64_t log_segment_used(struct log_scan *scan, int copy, uint64_t from, uint64_t to)
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

bool log_heads_settled(const struct segment *segment, int copy, const struct log_head *head)
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

uint64_t log_newest_generation(const struct segment *segment, int copy)
{
    uint64_t newest = 0;

    for (int i = 0; i < 2; i++)
        if (segment->slot[copy][i] == SLOT_VALID && segment->head[copy][i].generation > newest)
            newest = segment->head[copy][i].generation;
    return newest;
}
