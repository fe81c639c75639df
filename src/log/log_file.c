#include "log/log_file.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"

/* One step of filling and of reading: large enough to hide the calls, small enough for any cache.
 */
#define STEP_BYTES (1U << 18)
/* A new file is synced in pieces: one sync of 64 MiB would hold up the commits beside it. */
#define PIECE_BYTES (4U << 20)
#define NAME_DIGITS 16

void log_file_path(const struct log_dir *dir, uint64_t number, bool temporary,
                   char path[LOG_PATH_MAX])
{
    const char *end = temporary ? ".new" : "";
    int size = number == 0 ? snprintf(path, LOG_PATH_MAX, "%s/log.id%s", dir->path, end)
                           : snprintf(path, LOG_PATH_MAX, "%s/%016" PRIu64 ".zlog%s", dir->path,
                                      number, end);

    assert(size > 0 && size < LOG_PATH_MAX);
    (void)size;
}

uint64_t log_file_number(const char *name)
{
    uint64_t number = 0;

    if (strlen(name) != NAME_DIGITS + 5 || strcmp(name + NAME_DIGITS, ".zlog") != 0)
        return 0;
    for (int i = 0; i < NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    return number;
}

int log_file_zero(const struct disk *disk, int handle, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[STEP_BYTES];

    while (from < to) {
        uint64_t piece_end = (from / PIECE_BYTES + 1) * PIECE_BYTES;
        uint64_t end = piece_end < to ? piece_end : to;
        int error;

        for (uint64_t at = from; at < end; at += STEP_BYTES) {
            size_t size = end - at < STEP_BYTES ? (size_t)(end - at) : STEP_BYTES;

            if ((error = disk->write(disk->context, handle, at, zeros, size)) != 0)
                return error;
        }
        if (end < to && (error = disk->sync(disk->context, handle)) != 0)
            return error;
        from = end;
    }
    return 0;
}

static int fill(const struct log_dir *dir, const struct log_header *header, int handle)
{
    const struct disk *disk = dir->disk;
    uint8_t block[LOG_BLOCK_BYTES];
    int error;

    log_header_encode(header, block);
    if ((error = disk->write(disk->context, handle, 0, block, sizeof block)) != 0)
        return error;
    if ((error = log_file_zero(disk, handle, LOG_BLOCK_BYTES, header->bytes)) != 0)
        return error;
    CRASH_POINT("log.make.filled");
    return PLANTED("log.make_without_sync") ? 0 : disk->sync(disk->context, handle);
}

int log_file_make(const struct log_dir *dir, const struct log_header *header, int *handle)
{
    const struct disk *disk = dir->disk;
    char path[LOG_PATH_MAX];
    int error;

    log_file_path(dir, header->number, true, path);
    error = disk->remove(disk->context, path); /* what a crash may have left */
    if (error != 0 && error != -ENOENT)
        return error;
    if ((error = disk->open(disk->context, path, DISK_CREATE, handle)) != 0)
        return error;
    CRASH_POINT("log.make.created");
    if ((error = fill(dir, header, *handle)) != 0) {
        disk->close(disk->context, *handle);
        disk->remove(disk->context, path);
        *handle = -1;
        return error;
    }
    CRASH_POINT("log.make.synced");
    return 0;
}

int log_file_place(const struct log_dir *dir, uint64_t number)
{
    const struct disk *disk = dir->disk;
    char from[LOG_PATH_MAX], to[LOG_PATH_MAX];
    int error;

    log_file_path(dir, number, true, from);
    log_file_path(dir, number, false, to);
    if ((error = disk->rename(disk->context, from, to)) != 0)
        return error;
    CRASH_POINT("log.place.renamed");
    if (!PLANTED("log.skip_dir_sync"))
        error = disk->sync_dir(disk->context, dir->path);
    CRASH_POINT("log.place.dir_synced");
    return error;
}

void log_file_drop_temporary(const struct log_dir *dir, uint64_t number)
{
    char path[LOG_PATH_MAX];

    log_file_path(dir, number, true, path);
    dir->disk->remove(dir->disk->context, path);
}

int log_file_write_head(const struct disk *disk, int handle, const struct log_head *head)
{
    uint8_t block[LOG_BLOCK_BYTES];
    uint64_t slot = PLANTED("log.one_head_slot") ? 0 : head->generation % 2;

    log_head_encode(head, block);
    return disk->write(disk->context, handle, LOG_BLOCK_BYTES * (1 + slot), block, sizeof block);
}

int log_window_open(struct log_window *window, const struct log_dir *dir, uint64_t number,
                    bool writable)
{
    const struct disk *disk = dir->disk;
    char path[LOG_PATH_MAX];
    int error;

    log_window_close(window);
    window->disk = disk;
    log_file_path(dir, number, false, path);
    error = disk->open(disk->context, path, writable ? 0 : DISK_READ_ONLY, &window->handle);
    if (error != 0) {
        window->handle = -1;
        return error;
    }
    if ((error = disk->size(disk->context, window->handle, &window->file_bytes)) != 0)
        log_window_close(window);
    return error;
}

void log_window_close(struct log_window *window)
{
    if (window->disk != NULL && window->handle >= 0)
        window->disk->close(window->disk->context, window->handle);
    window->handle = -1;
    window->file_bytes = 0;
    window->size = 0;
}

void log_window_free(struct log_window *window)
{
    log_window_close(window);
    free(window->bytes);
    window->bytes = NULL;
    window->capacity = 0;
}

/* Fills the window from offset, with at least size and at most a step of bytes. If the disk cannot
 * read that much, only what was asked for is tried: a bad sector must not hide its neighbours. */
static bool window_load(struct log_window *window, uint64_t offset, size_t size)
{
    uint64_t left = window->file_bytes - offset;
    size_t step = window->step != 0 ? window->step : STEP_BYTES;
    size_t wish = size > step ? size : step;

    if (wish > left)
        wish = (size_t)left;
    if (wish > window->capacity) {
        uint8_t *bytes = realloc(window->bytes, wish);

        if (bytes == NULL)
            return false;
        window->bytes = bytes;
        window->capacity = wish;
    }
    window->start = offset;
    window->size = wish;
    if (window->disk->read(window->disk->context, window->handle, offset, window->bytes, wish) == 0)
        return true;
    window->size = size;
    if (window->disk->read(window->disk->context, window->handle, offset, window->bytes, size) == 0)
        return true;
    window->size = 0;
    return false;
}

const uint8_t *log_window_at(struct log_window *window, uint64_t offset, size_t size)
{
    if (window->handle < 0 || offset > window->file_bytes || size > window->file_bytes - offset)
        return NULL;
    if (offset < window->start || offset + size > window->start + window->size)
        if (!window_load(window, offset, size))
            return NULL;
    return window->bytes + (offset - window->start);
}

bool log_window_frame(struct log_window *window, uint64_t offset, uint64_t end, uint64_t sequence,
                      const uint8_t *chain, struct log_frame *frame, size_t *taken)
{
    const uint8_t *bytes;

    if (offset > end || end - offset < LOG_FRAME_BYTES)
        return false;
    if ((bytes = log_window_at(window, offset, LOG_FRAME_BYTES)) == NULL)
        return false;
    if ((*taken = log_frame_peek(bytes, (size_t)(end - offset))) == 0)
        return false;
    if ((bytes = log_window_at(window, offset, *taken)) == NULL)
        return false;
    if (!log_frame_decode(bytes, *taken, frame) || frame->first_sequence != sequence)
        return false;
    return memcmp(frame->prev, chain, LOG_HASH_BYTES) == 0 || PLANTED("log.skip_chain_check");
}
