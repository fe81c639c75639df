/* log_follow.c: reading the log behind its writer.
 *
 * What is durable lies in the file of each copy in use, so it is enough to look at log_durable: a
 * batch at or below it is there, either behind the last one or at the beginning of the next
 * segment, and which of the two its number and the hash before it tell. So nothing is asked of the
 * writer, and no lock is taken.
 *
 * A copy may be behind (it was left out), be read while its bytes are being mended, or be replaced
 * by a new file when it comes back; and what a window has read may be older than what is durable by
 * now. Each shows as a batch that cannot be read: it is then looked for again, in the other copy,
 * then in both read anew, then in both opened anew. */
#include "log/log_local.h"

#include <stdlib.h>
#include <string.h>

#include "base/hook.h"

/* One reading takes about what is new: a record with its part of a batch has this many bytes. */
#define RECORD_BYTES_GUESS 96
#define READ_BYTES_MIN     4096U
#define READ_BYTES_MAX     (1U << 18)

struct log_follow {
    struct log *log;
    struct log_window window[2];
    struct log_place at; /* the next batch begins here, or a segment later */
    uint64_t second;     /* batches read from the second copy */
    /* The next batch, if it was looked at and not given yet; its body is in a window. */
    struct log_frame next;
    size_t next_taken; /* 0: it was not */
};

static void open_segment(struct log_follow *follow, uint64_t segment)
{
    for (int copy = 0; copy < 2; copy++) /* one that cannot be opened is as one damaged */
        (void)log_window_open(&follow->window[copy], &follow->log->dir[copy], segment, false);
}

static bool frame_in(struct log_follow *follow, struct log_window *window, uint64_t offset,
                     struct log_frame *frame, size_t *taken)
{
    return log_window_frame(window, offset, window->file_bytes, follow->at.sequence + 1,
                            follow->at.chain, frame, taken);
}

/* The next batch, if it is at offset of the segment that is open. */
static bool frame_at(struct log_follow *follow, uint64_t offset, struct log_frame *frame,
                     size_t *taken)
{
    for (int copy = 0; copy < 2; copy++) {
        struct log_window *window = &follow->window[copy];
        bool found = frame_in(follow, window, offset, frame, taken);

        if (!found) {
            window->size = 0; /* what it holds may be older than the batch */
            found = frame_in(follow, window, offset, frame, taken);
        }
        follow->second += found && copy == 1;
        if (found)
            return found;
    }
    return false;
}

static bool look(struct log_follow *follow, struct log_frame *frame, size_t *taken)
{
    if (frame_at(follow, follow->at.offset, frame, taken))
        return true;
    /* A segment's end is as likely as a damaged file, but costs nothing to find out. */
    open_segment(follow, follow->at.segment + 1);
    if (frame_at(follow, LOG_DATA_OFFSET, frame, taken)) {
        follow->at.segment++;
        follow->at.offset = LOG_DATA_OFFSET;
        return true;
    }
    open_segment(follow, follow->at.segment);
    return frame_at(follow, follow->at.offset, frame, taken);
}

/* A window reads about as much as there is. */
static void set_step(struct log_follow *follow, uint64_t durable)
{
    uint64_t wish = (durable - follow->at.sequence) * RECORD_BYTES_GUESS + READ_BYTES_MIN;

    for (int copy = 0; copy < 2; copy++)
        follow->window[copy].step = wish < READ_BYTES_MAX ? (size_t)wish : READ_BYTES_MAX;
}

static void pass(struct log_follow *follow, const struct log_frame *frame, size_t taken)
{
    memcpy(follow->at.chain, frame->hash, LOG_HASH_BYTES);
    follow->at.sequence += frame->count;
    follow->at.offset += taken;
}

/* The next batch is in follow->next, if one is durable. */
static enum status find_next(struct log_follow *follow)
{
    uint64_t durable = log_durable(follow->log);

    if (PLANTED("log.follow_past_durable"))
        durable = UINT64_MAX;
    if (follow->next_taken > 0)
        return STATUS_OK;
    if (follow->at.sequence >= durable)
        return STATUS_UNCHANGED;
    set_step(follow, durable);
    if (look(follow, &follow->next, &follow->next_taken))
        return STATUS_OK;
    follow->next_taken = 0;
    return STATUS_CORRUPT;
}

enum status log_follow_next(struct log_follow *follow, int64_t *time_us)
{
    enum status status = find_next(follow);

    if (status == STATUS_OK)
        *time_us = follow->next.time_us;
    return status;
}

enum status log_follow_step(struct log_follow *follow, uint64_t bytes, log_each each,
                            void *argument)
{
    uint64_t done = 0;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && done < bytes && (status = find_next(follow)) == STATUS_OK) {
        const struct log_frame *frame = &follow->next;

        pass(follow, frame, follow->next_taken);
        done += follow->next_taken;
        follow->next_taken = 0;
        status = each(argument, frame->first_sequence, frame->count, frame->time_us, frame->body,
                      frame->body_bytes);
    }
    return status == STATUS_UNCHANGED ? STATUS_OK : status;
}

void log_follow_mark(const struct log_follow *follow, struct log_mark *mark)
{
    memcpy(mark->log_id, follow->log->identity.id, LOG_ID_BYTES);
    mark->sequence = follow->at.sequence;
    memcpy(mark->chain, follow->at.chain, LOG_HASH_BYTES);
}

uint64_t log_follow_second(const struct log_follow *follow)
{
    return follow->second;
}

/* From the beginning of the segment that has the place to the place itself. */
static enum status walk_to(struct log_follow *follow, const struct log_mark *from)
{
    const struct log_index *index = &follow->log->index;
    size_t first = log_find_segment(index, from->sequence);

    follow->at.segment = first + 1;
    follow->at.sequence = index->start[first].sequence;
    memcpy(follow->at.chain, index->start[first].chain, LOG_HASH_BYTES);
    open_segment(follow, follow->at.segment);
    while (follow->at.sequence < from->sequence) {
        struct log_frame frame;
        size_t taken;

        if (!look(follow, &frame, &taken))
            return STATUS_CORRUPT;
        pass(follow, &frame, taken);
    }
    if (follow->at.sequence != from->sequence)
        return STATUS_BADDATA;
    if (memcmp(follow->at.chain, from->chain, LOG_HASH_BYTES) != 0 &&
        !PLANTED("log.follow_any_history"))
        return STATUS_BADDATA;
    return STATUS_OK;
}

static enum status begin(struct log_follow *follow, const struct log_mark *from)
{
    if (from != NULL && memcmp(from->log_id, follow->log->identity.id, LOG_ID_BYTES) != 0)
        return STATUS_BADDATA;
    if (from != NULL && from->sequence > log_durable(follow->log))
        return STATUS_BADDATA;
    if (from != NULL && from->sequence > 0)
        return walk_to(follow, from);
    log_genesis(&follow->log->identity, follow->at.chain);
    follow->at.segment = 1;
    open_segment(follow, 1);
    return STATUS_OK;
}

enum status log_follow_open(struct log *log, const struct log_mark *from,
                            struct log_follow **result)
{
    struct log_follow *follow = calloc(1, sizeof *follow);
    enum status status;

    if (follow == NULL)
        return STATUS_NOMEMORY;
    follow->log = log;
    follow->at.offset = LOG_DATA_OFFSET;
    follow->window[0].handle = follow->window[1].handle = -1;
    status = begin(follow, from);
    if (status == STATUS_OK)
        *result = follow;
    else
        log_follow_close(follow);
    return status;
}

void log_follow_close(struct log_follow *follow)
{
    if (follow == NULL)
        return;
    log_window_free(&follow->window[0]);
    log_window_free(&follow->window[1]);
    free(follow);
}
