/* log_replay.c: reading the log back, batch by batch.
 *
 * What log_open checked may have rotted since (or was trusted), so every frame is checked again,
 * chain and hash. A frame that fails in one copy is taken from the other; in a segment that both
 * copies have left behind it is mended at once, in the segment being written by the next open. */
#include "log/log_local.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"

struct reading {
    struct log *log;
    struct log_window window[2];
    uint64_t segment;
    struct log_place at;
    uint64_t until; /* the last durable sequence */
    uint64_t from;
};

static bool left_behind(struct log *log, uint64_t segment)
{
    bool left;

    log_lock(log);
    left = segment < log->copy[0].entered && segment < log->copy[1].entered &&
           segment < log_mirror_bound(log);
    log_unlock(log);
    return left && !log->read_only && !atomic_load(&log->failed);
}

/* Writes to one copy what the other has there. If that fails the damage stays, as it was: the
 * reader has its batch, and the next open says more. */
static void mend(struct reading *reading, int copy, const struct log_frame *frame, size_t taken)
{
    struct log_window writable = {.handle = -1};
    const struct log_dir *dir = &reading->log->dir[copy];
    const struct disk *disk = dir->disk;

    if (reading->window[copy].handle < 0 || !left_behind(reading->log, reading->segment) ||
        PLANTED("log.replay_mends_nothing"))
        return;
    if (log_window_open(&writable, dir, reading->segment, true) != 0)
        return;
    if (disk->write(disk->context, writable.handle, reading->at.offset,
                    frame->body - LOG_FRAME_BYTES, taken) == 0 &&
        disk->sync(disk->context, writable.handle) == 0)
        reading->log->mended++;
    log_window_close(&writable);
}

static bool read_frame(struct reading *reading, struct log_frame *frame, size_t *taken)
{
    bool bad = false;

    for (int copy = 0; copy < 2; copy++) {
        if (log_window_frame(&reading->window[copy], reading->at.offset,
                             reading->window[copy].file_bytes, reading->at.sequence + 1,
                             reading->at.chain, frame, taken)) {
            if (bad)
                mend(reading, 1 - copy, frame, *taken);
            return true;
        }
        bad = true;
    }
    return false;
}

static enum status replay_segment(struct reading *reading, uint64_t end_sequence, log_each each,
                                  void *argument)
{
    while (reading->at.sequence < end_sequence) {
        struct log_frame frame;
        enum status status = STATUS_OK;
        size_t taken;

        if (!read_frame(reading, &frame, &taken))
            return STATUS_CORRUPT;
        memcpy(reading->at.chain, frame.hash, LOG_HASH_BYTES);
        reading->at.sequence += frame.count;
        reading->at.offset += taken;
        if (reading->at.sequence >= reading->from)
            status = each(argument, frame.first_sequence, frame.count, frame.time_us, frame.body,
                          frame.body_bytes);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The segment that holds sequence: the last one that begins before it. */
size_t log_find_segment(const struct log_index *index, uint64_t sequence)
{
    size_t low = 0, high = index->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (index->start[middle].sequence < sequence)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t log_segment_of(const struct log *log, uint64_t sequence)
{
    return log_find_segment(&log->index, sequence) + 1;
}

static enum status replay_from(struct log *log, struct reading *reading, log_each each,
                               void *argument)
{
    size_t first = log_find_segment(&log->index, reading->from);
    enum status status = STATUS_OK;

    for (size_t i = first; i < log->index.count && status == STATUS_OK; i++) {
        const struct log_start *start = &log->index.start[i];
        uint64_t end = i + 1 < log->index.count ? log->index.start[i + 1].sequence : reading->until;

        if (start->sequence >= reading->until)
            break;
        for (int copy = 0; copy < 2; copy++) /* a copy that cannot be opened is as one damaged */
            (void)log_window_open(&reading->window[copy], &log->dir[copy], i + 1, false);
        reading->segment = i + 1;
        reading->at.offset = LOG_DATA_OFFSET;
        reading->at.sequence = start->sequence;
        memcpy(reading->at.chain, start->chain, LOG_HASH_BYTES);
        status =
            replay_segment(reading, end < reading->until ? end : reading->until, each, argument);
    }
    return status;
}

enum status log_replay(struct log *log, uint64_t from, log_each each, void *argument)
{
    struct reading reading = {.log = log, .from = from, .until = log_durable(log)};
    enum status status;

    for (int copy = 0; copy < 2; copy++)
        reading.window[copy].handle = -1;
    status = replay_from(log, &reading, each, argument);
    for (int copy = 0; copy < 2; copy++)
        log_window_free(&reading.window[copy]);
    return status;
}

static enum status pass(void *argument, uint64_t first_sequence, uint32_t count, int64_t time_us,
                        const uint8_t *body, size_t size)
{
    (void)argument, (void)first_sequence, (void)count, (void)time_us, (void)body, (void)size;
    return STATUS_OK;
}

enum status log_chain(struct log *log, uint64_t sequence, uint8_t chain[32])
{
    struct reading reading = {.log = log, .from = sequence, .until = sequence};
    enum status status;

    assert(sequence > 0 && sequence <= log_durable(log));
    for (int copy = 0; copy < 2; copy++)
        reading.window[copy].handle = -1;
    status = replay_from(log, &reading, pass, NULL);
    if (status == STATUS_OK)
        memcpy(chain, reading.at.chain, LOG_HASH_BYTES);
    for (int copy = 0; copy < 2; copy++)
        log_window_free(&reading.window[copy]);
    return status;
}
