/* log_prepare.c: keeps one blank segment ahead, so that no commit ever has to grow a file.
 *
 * A full disk can therefore only be met here, where nothing is promised yet: the attempt is undone,
 * log_has_room says NOSPACE once the current segment is full, and a second later it is tried again.
 * Both copies are made whole before either gets its name; a crash in between leaves a spare in one
 * copy only, which the next open does not count. */
#include "log/log_local.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/hook.h"

/* Left free after a segment was made: room for the index, for a head, for the operator. */
static uint64_t reserve_bytes(const struct log *log)
{
    return log->segment_bytes / 4;
}

static int check_space(const struct log *log, const bool used[2], int *lacking)
{
    uint64_t need = log->segment_bytes + reserve_bytes(log);

    for (int copy = 0; copy < 2; copy++) {
        const struct log_dir *dir = &log->dir[copy];
        uint64_t free_bytes;
        int error;

        *lacking = copy;
        if (!used[copy])
            continue;
        error = dir->disk->free_bytes(dir->disk->context, dir->path, &free_bytes);
        if (error != 0)
            return error;
        if (free_bytes < need)
            return -ENOSPC;
    }
    return 0;
}

static int make_both(struct log *log, uint64_t number, const bool used[2], int handle[2], int *copy)
{
    struct log_header header = {
        .identity = log->identity, .number = number, .bytes = log->segment_bytes};
    int error;

    if ((error = check_space(log, used, copy)) != 0)
        return error;
    for (*copy = 0; *copy < 2; (*copy)++)
        if (used[*copy] && (error = log_file_make(&log->dir[*copy], &header, &handle[*copy])) != 0)
            return error;
    CRASH_POINT("log.prepare.made");
    for (*copy = 0; *copy < 2; (*copy)++) {
        if (!used[*copy] || (PLANTED("log.spare_in_one_copy") && *copy == 1))
            continue;
        if ((error = log_file_place(&log->dir[*copy], number)) != 0)
            return error;
        CRASH_POINT("log.prepare.placed");
    }
    return 0;
}

static void undo(struct log *log, uint64_t number, const int handle[2])
{
    for (int copy = 0; copy < 2; copy++) {
        const struct log_dir *dir = &log->dir[copy];

        if (handle[copy] < 0)
            continue;
        dir->disk->close(dir->disk->context, handle[copy]);
        log_file_drop_temporary(dir, number);
    }
}

/* Has the other copy's disk room enough that it cannot be the same, full one? */
static bool only_here(const struct log *log, int copy)
{
    const struct log_dir *other = &log->dir[1 - copy];
    uint64_t need = 2 * (log->segment_bytes + reserve_bytes(log));
    uint64_t free_bytes = 0;

    return other->disk->free_bytes(other->disk->context, other->path, &free_bytes) == 0 &&
           free_bytes >= need;
}

/* Out of space or of handles: that passes. Anything else says the disk is failing. A copy that may
 * be left out is told so, and leaves at its own next step. */
static enum log_spare judge(struct log *log, int copy, uint64_t number, int error)
{
    bool full = error == -ENOSPC || error == -EDQUOT;
    bool may_go;

    log_lock(log);
    may_go = copy < 2 && log_mirror_may_lose(log, copy);
    log_unlock(log);
    if (may_go && full && !only_here(log, copy))
        may_go = false;
    if (error == -EMFILE || error == -ENFILE || error == -ENOMEM)
        return LOG_SPARE_NO_HANDLE;
    if (may_go) {
        atomic_store(&log->copy[copy].doomed, error);
        log_ring_bell(log);
        return LOG_SPARE_NO_HANDLE;
    }
    if (full)
        return LOG_SPARE_NOSPACE;
    log_fail(log, copy < 2 ? copy : 1, number, 0, "next segment cannot be made", error);
    return LOG_SPARE_OK;
}

static bool is_wanted(const struct log *log)
{
    for (int copy = 0; copy < 2; copy++)
        if (log->copy[copy].used && (log->copy[copy].spare_handle >= 0 ||
                                     log->copy[copy].entered != atomic_load(&log->prepared)))
            return false;
    return !atomic_load(&log->failed);
}

static void make_next(struct log *log)
{
    uint64_t number;
    int handle[2] = {-1, -1};
    bool used[2];
    int copy;
    int error;

    log_lock(log);
    log->preparing = is_wanted(log);
    number = atomic_load(&log->prepared) + 1;
    used[0] = log->copy[0].used;
    used[1] = log->copy[1].used;
    log_unlock(log);
    if (!log->preparing)
        return;
    error = make_both(log, number, used, handle, &copy);
    if (error != 0) {
        undo(log, number, handle);
        atomic_store(&log->spare, (int)judge(log, copy, number, error));
    }
    log_lock(log);
    log->preparing = false;
    if (error == 0) {
        for (copy = 0; copy < 2; copy++)
            if (used[copy])
                log->copy[copy].spare_handle = handle[copy];
        atomic_store(&log->prepared, number);
        atomic_store(&log->spare, (int)LOG_SPARE_OK);
    }
    log_unlock(log);
    if (error == 0)
        log_tell(log); /* who was told NOSPACE or BUSY may come again */
}

bool log_prepare_step(struct log *log)
{
    if (!is_wanted(log) || !atomic_load(&log->retry))
        return false;
    make_next(log);
    atomic_store(&log->retry, false);
    return true;
}

void *log_prepare_thread(void *argument)
{
    struct log *log = argument;

    pthread_setname_np(pthread_self(), "zan-log-next");
    pthread_mutex_lock(&log->mutex);
    while (!atomic_load(&log->stopping) && !atomic_load(&log->failed)) {
        struct timespec until;

        if (is_wanted(log)) {
            pthread_mutex_unlock(&log->mutex);
            make_next(log);
            pthread_mutex_lock(&log->mutex);
            if (atomic_load(&log->spare) == LOG_SPARE_OK)
                continue;
        }
        if (atomic_load(&log->stopping) || atomic_load(&log->failed))
            break;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOG_RETRY_S;
        if (atomic_load(&log->spare) == LOG_SPARE_OK && !log->degrade)
            pthread_cond_wait(&log->prepare, &log->mutex);
        else if (pthread_cond_timedwait(&log->prepare, &log->mutex, &until) == ETIMEDOUT &&
                 log->degrade) {
            pthread_mutex_unlock(&log->mutex);
            log_mirror_look(log);
            pthread_mutex_lock(&log->mutex);
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}
