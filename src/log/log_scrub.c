/* log_scrub.c: reading the log on the disk while it is being written.
 *
 * Only segments that both copies have left behind are touched: nobody writes them any more but
 * log_replay, which mends with the same bytes. Where such a segment ends, its seal tells (a head
 * with the flag); one seal that can be read, in either copy, is enough.
 *
 * A repair writes what the other copy has to the same place, syncs, and reads it back. A file that
 * is gone or has lost its size is not made again here: the next open does that, with nobody beside
 * it. Until then it is told as not repaired. */
#include "log/log_local.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hook.h"

struct log_scrub {
    struct log *log;
    struct log_window window[2];
    uint64_t segment; /* 0: none open */
    struct log_head seal;
    struct log_place from; /* how the segment begins */
    uint64_t doubted;      /* the segment in which neither copy could be read, once */
    struct log_place at;   /* next frame; the chain is known from the segment before */
    struct log_scrub_stats stats;
};

struct log_scrub *log_scrub_open(struct log *log)
{
    struct log_scrub *scrub = calloc(1, sizeof *scrub);

    if (scrub == NULL)
        return NULL;
    scrub->log = log;
    scrub->window[0].handle = scrub->window[1].handle = -1;
    return scrub;
}

void log_scrub_close(struct log_scrub *scrub)
{
    if (scrub == NULL)
        return;
    log_window_free(&scrub->window[0]);
    log_window_free(&scrub->window[1]);
    free(scrub);
}

void log_scrub_stats(const struct log_scrub *scrub, struct log_scrub_stats *stats)
{
    *stats = scrub->stats;
}

/* What could not be mended in one copy. */
static void unrepaired(struct log_scrub *scrub, int copy, const char *what)
{
    char path[LOG_PATH_MAX];

    scrub->stats.unrepaired++;
    log_file_path(&scrub->log->dir[copy], scrub->at.segment, false, path);
    snprintf(scrub->stats.message, sizeof scrub->stats.message,
             "%.140s: after record %" PRIu64 ": %.60s", path, scrub->at.sequence, what);
}

static void leave(struct log_scrub *scrub)
{
    log_window_close(&scrub->window[0]);
    log_window_close(&scrub->window[1]);
    scrub->segment = 0;
}

/* What neither copy has. That ends writes, so a second look must say so too: a disk that could not
 * be read for a moment, or memory that was short, has lost nothing. False: look again. */
static bool lost(struct log_scrub *scrub, const char *what)
{
    if (scrub->doubted != scrub->segment && !PLANTED("log.scrub_is_hasty")) {
        scrub->doubted = scrub->segment;
        scrub->at = scrub->from;
        leave(scrub);
        return false;
    }
    unrepaired(scrub, 0, what);
    scrub->stats.unrepaired--;
    scrub->stats.lost++;
    return true;
}

/* Forgets what the window holds: it is to be read from the disk again. */
static const uint8_t *read_anew(struct log_window *window, uint64_t offset, size_t size)
{
    window->size = 0;
    return log_window_at(window, offset, size);
}

static bool write_over(struct log_scrub *scrub, int copy, uint64_t offset, const uint8_t *bytes,
                       size_t size)
{
    struct log_window writable = {.handle = -1};
    const struct log_dir *dir = &scrub->log->dir[copy];
    const uint8_t *now;
    bool written;

    if (atomic_load(&scrub->log->failed) || scrub->log->read_only ||
        PLANTED("log.scrub_mends_nothing") ||
        log_window_open(&writable, dir, scrub->segment, true) != 0)
        return false;
    written = dir->disk->write(dir->disk->context, writable.handle, offset, bytes, size) == 0 &&
              dir->disk->sync(dir->disk->context, writable.handle) == 0;
    log_window_close(&writable);
    now = written ? read_anew(&scrub->window[copy], offset, size) : NULL;
    return now != NULL && memcmp(now, bytes, size) == 0;
}

static void mend(struct log_scrub *scrub, int copy, uint64_t offset, const uint8_t *bytes,
                 size_t size, const char *what)
{
    if (write_over(scrub, copy, offset, bytes, size))
        scrub->stats.repaired++;
    else
        unrepaired(scrub, copy, what);
}

/* --- header and heads ----------------------------------------------------------------------------
 */

static bool header_is_right(const struct log_scrub *scrub, const uint8_t *block)
{
    struct log_header header;

    return block != NULL && log_header_decode(block, &header) && header.number == scrub->segment &&
           memcmp(&header.identity, &scrub->log->identity, sizeof header.identity) == 0;
}

/* False: look again. */
static bool check_headers(struct log_scrub *scrub)
{
    uint8_t good[LOG_BLOCK_BYTES];
    bool right[2];

    for (int copy = 0; copy < 2; copy++) {
        const uint8_t *block = log_window_at(&scrub->window[copy], 0, LOG_BLOCK_BYTES);

        right[copy] = header_is_right(scrub, block);
        if (right[copy])
            memcpy(good, block, LOG_BLOCK_BYTES);
    }
    scrub->stats.bytes += 2 * LOG_BLOCK_BYTES;
    if (!right[0] && !right[1] && !lost(scrub, "no header, in both copies"))
        return false;
    for (int copy = 0; copy < 2; copy++)
        if (!right[copy] && right[1 - copy])
            mend(scrub, copy, 0, good, LOG_BLOCK_BYTES, "a header that cannot be written");
    return true;
}

static bool head_at(struct log_scrub *scrub, int copy, int slot, struct log_head *head, bool *empty)
{
    const uint8_t *block = log_window_at(&scrub->window[copy],
                                         (uint64_t)(slot + 1) * LOG_BLOCK_BYTES, LOG_BLOCK_BYTES);

    *empty = block != NULL && log_is_zero(block, LOG_BLOCK_BYTES);
    return block != NULL && log_head_decode(block, head) && head->segment == scrub->segment &&
           memcmp(head->id, scrub->log->identity.id, LOG_ID_BYTES) == 0;
}

/* The seal, again, in a slot whose head is damaged. */
static void mend_head(struct log_scrub *scrub, int copy, int slot, uint64_t generation)
{
    struct log_head head = scrub->seal;
    uint8_t block[LOG_BLOCK_BYTES];

    head.generation = generation + 1 + ((generation + 1) % 2 != (uint64_t)slot);
    log_head_encode(&head, block);
    mend(scrub, copy, (uint64_t)(slot + 1) * LOG_BLOCK_BYTES, block, sizeof block,
         "a head that cannot be written");
}

/* False: there is no seal in either copy. */
static bool check_heads(struct log_scrub *scrub)
{
    struct log_head head;
    bool sealed = false, bad[2][2], empty;
    uint64_t generation[2] = {0, 0};

    for (int copy = 0; copy < 2; copy++)
        for (int slot = 0; slot < 2; slot++) {
            bool there = head_at(scrub, copy, slot, &head, &empty);

            bad[copy][slot] = !there && !empty;
            if (there && head.generation > generation[copy])
                generation[copy] = head.generation;
            if (there && head.sealed) {
                scrub->seal = head;
                sealed = true;
            }
        }
    scrub->stats.bytes += 4 * LOG_BLOCK_BYTES;
    for (int copy = 0; copy < 2 && sealed; copy++)
        for (int slot = 0; slot < 2; slot++)
            if (bad[copy][slot])
                mend_head(scrub, copy, slot, generation[copy]);
    return sealed;
}

/* --- one segment ---------------------------------------------------------------------------------
 */

static uint64_t left_behind_by_both(struct log *log)
{
    uint64_t a, b;

    log_lock(log);
    a = log->copy[0].entered;
    b = log->copy[1].entered;
    a = a < b ? a : b;
    b = log_mirror_bound(log);
    log_unlock(log);
    return (a < b ? a : b) - 1;
}

/* Opens the next one that nobody writes; false: there is none yet. */
static bool enter(struct log_scrub *scrub)
{
    uint64_t last = left_behind_by_both(scrub->log);

    if (scrub->at.segment >= last && scrub->at.segment > 0) {
        scrub->stats.rounds++;
        scrub->at = (struct log_place){0};
    }
    if (last == 0)
        return false;
    if (scrub->at.segment == 0)
        log_genesis(&scrub->log->identity, scrub->at.chain);
    scrub->from = scrub->at;
    scrub->segment = ++scrub->at.segment;
    scrub->at.offset = LOG_DATA_OFFSET;
    for (int copy = 0; copy < 2; copy++)
        if (log_window_open(&scrub->window[copy], &scrub->log->dir[copy], scrub->segment, false) !=
            0)
            unrepaired(scrub, copy, "cannot be opened; the next start makes it again");
    if (!check_headers(scrub) || check_heads(scrub) || !lost(scrub, "no seal, in both copies"))
        return true;
    scrub->at = (struct log_place){0}; /* how the next one begins is not known: round again */
    leave(scrub);
    return true;
}

static bool frame_of(struct log_scrub *scrub, int copy, struct log_frame *frame, size_t *taken)
{
    return log_window_frame(&scrub->window[copy], scrub->at.offset, scrub->seal.offset,
                            scrub->at.sequence + 1, scrub->at.chain, frame, taken);
}

/* The next frame in both copies; false: it is in neither, or not the same. */
static bool check_frame(struct log_scrub *scrub)
{
    struct log_frame frame[2];
    size_t taken[2];
    bool right[2];
    int good;

    for (int copy = 0; copy < 2; copy++)
        right[copy] = frame_of(scrub, copy, &frame[copy], &taken[copy]);
    if (!right[0] && !right[1])
        return false;
    good = right[0] ? 0 : 1;
    if (right[0] && right[1] && memcmp(frame[0].hash, frame[1].hash, LOG_HASH_BYTES) != 0)
        return false; /* two histories */
    if (!right[1 - good] && scrub->window[1 - good].handle >= 0)
        mend(scrub, 1 - good, scrub->at.offset, frame[good].body - LOG_FRAME_BYTES, taken[good],
             "a batch that cannot be written");
    memcpy(scrub->at.chain, frame[good].hash, LOG_HASH_BYTES);
    scrub->at.sequence += frame[good].count;
    scrub->at.offset += taken[good];
    scrub->stats.bytes += 2 * taken[good];
    return true;
}

/* The end of the segment, or what can be known of it. */
static void finish(struct log_scrub *scrub)
{
    scrub->at.sequence = scrub->seal.sequence;
    memcpy(scrub->at.chain, scrub->seal.chain, LOG_HASH_BYTES);
    scrub->stats.segments++;
    scrub->doubted = 0;
    leave(scrub);
}

uint64_t log_scrub_step(struct log_scrub *scrub, uint64_t bytes)
{
    uint64_t before = scrub->stats.bytes;

    while (scrub->stats.bytes - before < bytes) {
        if (scrub->segment == 0 && !enter(scrub))
            break;
        if (scrub->segment == 0)
            break;
        if (scrub->at.offset >= scrub->seal.offset) {
            finish(scrub);
        } else if (!check_frame(scrub)) {
            if (lost(scrub, "a batch that can be read in neither copy, or is two"))
                finish(scrub);
        }
    }
    return scrub->stats.bytes - before;
}

/* --- one batch -----------------------------------------------------------------------------------
 */

/* Steps from frame to frame by their sizes alone until one may hold the sequence. */
static bool seek_frame(struct log_window *window, uint64_t sequence, struct log_frame *frame)
{
    uint64_t offset = LOG_DATA_OFFSET;
    const uint8_t *bytes;

    while ((bytes = log_window_at(window, offset, LOG_FRAME_BYTES)) != NULL) {
        size_t size = log_frame_peek(bytes, (size_t)(window->file_bytes - offset));
        uint64_t first = get_u64(bytes + 16);

        if (size == 0 || first > sequence)
            return false;
        if (sequence - first < get_u32(bytes + 12))
            return (bytes = log_window_at(window, offset, size)) != NULL &&
                   log_frame_decode(bytes, size, frame);
        offset += size;
    }
    return false;
}

enum status log_fetch(struct log *log, uint64_t segment, uint64_t sequence, log_each each,
                      void *argument)
{
    enum status status = STATUS_CORRUPT;

    for (int copy = 0; copy < 2 && status == STATUS_CORRUPT; copy++) {
        struct log_window window = {.handle = -1};
        struct log_frame frame;

        if (log_window_open(&window, &log->dir[copy], segment, false) == 0 &&
            seek_frame(&window, sequence, &frame))
            status = each(argument, frame.first_sequence, frame.count, frame.time_us, frame.body,
                          frame.body_bytes);
        log_window_free(&window);
    }
    return status;
}
