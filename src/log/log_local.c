/* log_local.c: the log on local disks: opening, appending, closing. log_local.h has the design. */
#include "log/log_local.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/hook.h"

#define SEGMENT_BYTES_DEFAULT (64U << 20)
#define BUFFER_BYTES_DEFAULT  (8U << 20)
#define BUFFER_BYTES_MIN      4096

/* ---- Telling ------------------------------------------------------------------------------ */

void log_tell(struct log *log)
{
    uint64_t one = 1;

    if (log->event >= 0 && write(log->event, &one, sizeof one) != sizeof one) {
        /* Full only after 2^64 - 1 tellings nobody listened to: it is readable all the same. */
    }
}

void log_fail(struct log *log, int copy, uint64_t segment, uint64_t offset, const char *what,
              int error)
{
    char path[LOG_PATH_MAX];

    log_lock(log);
    if (!atomic_load(&log->failed)) {
        log_file_path(&log->dir[copy], segment, false, path);
        snprintf(log->message, sizeof log->message, "%.160s offset %" PRIu64 ": %s: %s", path,
                 offset, what, strerror(-error));
        atomic_store(&log->failed, true);
    }
    if (log->threads) {
        pthread_cond_signal(&log->prepare);
        pthread_cond_signal(&log->rest);
    }
    log_unlock(log);
    log_tell(log);
    log_ring_bell(log);
}

/* ---- Opening ------------------------------------------------------------------------------ */

static enum status check_config(const struct log_config *config, struct log_report *report)
{
    uint64_t segment = config->segment_bytes;

    memset(report, 0, sizeof *report);
    for (int copy = 0; copy < 2; copy++)
        if (strlen(config->dir[copy]) >= LOG_DIR_MAX) {
            snprintf(report->message, sizeof report->message, "directory name over %d bytes",
                     LOG_DIR_MAX - 1);
            return STATUS_BADCONFIG;
        }
    if (config->witness != NULL && strlen(config->witness) >= LOG_DIR_MAX) {
        snprintf(report->message, sizeof report->message, "directory name over %d bytes",
                 LOG_DIR_MAX - 1);
        return STATUS_BADCONFIG;
    }
    if (segment != 0 && (segment < LOG_SEGMENT_BYTES_MIN || segment > LOG_SEGMENT_BYTES_MAX ||
                         segment % LOG_BLOCK_BYTES != 0)) {
        snprintf(report->message, sizeof report->message,
                 "segment size must be a multiple of %d from %u to %u", LOG_BLOCK_BYTES,
                 LOG_SEGMENT_BYTES_MIN, LOG_SEGMENT_BYTES_MAX);
        return STATUS_BADCONFIG;
    }
    return STATUS_OK;
}

static void scan_prepare(struct log_scan *scan, const struct log_config *config,
                         struct log_report *report)
{
    memset(scan, 0, sizeof *scan);
    for (int copy = 0; copy < 2; copy++) {
        scan->dir[copy].disk = config->disk;
        memcpy(scan->dir[copy].path, config->dir[copy], strlen(config->dir[copy]) + 1);
    }
    scan->identity.partition = config->partition;
    scan->identity.partition_count = config->partition_count;
    scan->trust_sealed = config->trust_sealed;
    scan->full_segments = config->full_segments;
    scan->stale = scan->out = scan->suspect = -1;
    scan->report = report;
}

/* What a disk says that is gone or failing; the rest is for who set up the node (a path that is
 * none, no permission) or passes (no room, no handles). */
static bool is_of_disk(int error)
{
    switch (-error) {
    case EIO:
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case EROFS:
    case ESTALE:
    case ENOTCONN:
    case EHOSTDOWN:
    case ETIMEDOUT:
    case EREMOTEIO:
    case ENOMEDIUM:
    case EUCLEAN:
        return true;
    default:
        return false;
    }
}

/* The disk of this copy failed the opening. */
static void suspect(struct log *log, int copy, int error)
{
    log->suspect = copy;
    log->suspect_error = error;
}

/* The directory, and its name in the directory above, made to last. */
static int make_dir(const struct log_dir *dir, struct log_report *report)
{
    char above[LOG_DIR_MAX];
    char *slash;
    int error = dir->disk->make_dir(dir->disk->context, dir->path);

    memcpy(above, dir->path, sizeof above);
    slash = strrchr(above, '/');
    if (slash == NULL)
        memcpy(above, ".", 2);
    else
        slash[slash == above ? 1 : 0] = '\0';
    if (error == 0)
        error = dir->disk->sync_dir(dir->disk->context, above);
    if (error != 0)
        snprintf(report->message, sizeof report->message, "%.160s: cannot be made: %s", dir->path,
                 strerror(-error));
    return error;
}

/* A lock is the kernel's, not the disk's: a simulated disk has one user anyway. The two copies are
 * locked one by one, so that naming one directory twice is found here. */
int log_lock_dir(const struct log_dir *dir, int *lock)
{
    char path[LOG_PATH_MAX];
    int handle, error;

    if (dir->disk != &disk_posix || *lock >= 0)
        return 0;
    snprintf(path, sizeof path, "%s/lock", dir->path);
    handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (handle >= 0 && flock(handle, LOCK_EX | LOCK_NB) == 0) {
        *lock = handle;
        return 0;
    }
    error = -errno;
    if (handle >= 0)
        close(handle);
    return error;
}

static enum status lock_dir(struct log *log, int copy, struct log_report *report)
{
    const struct log_dir *dir = &log->dir[copy];
    int error = make_dir(dir, report);
    bool made = error == 0, taken;

    if (made)
        error = log_lock_dir(dir, &log->lock[copy]);
    if (error == 0)
        return STATUS_OK;
    suspect(log, copy, error);
    taken = made && error == -EWOULDBLOCK;
    if (made)
        snprintf(report->message, sizeof report->message, "%.160s/lock: %s", dir->path,
                 taken ? "in use by another process, or named for both copies" : strerror(-error));
    return taken ? STATUS_LOCKED : STATUS_IOFAIL;
}

static bool on_one_device(const int lock[2])
{
    struct stat a, b;

    return fstat(lock[0], &a) != 0 || fstat(lock[1], &b) != 0 || a.st_dev == b.st_dev;
}

static enum status lock_dirs(struct log *log, struct log_report *report)
{
    enum status status = STATUS_OK;

    for (int copy = 0; copy < 2 && status == STATUS_OK; copy++)
        if (copy != log->out)
            status = lock_dir(log, copy, report);
    if (status == STATUS_OK && log->witness.path[0] != '\0' && make_dir(&log->witness, report) != 0)
        status = STATUS_IOFAIL;
    if (log->degrade && log->lock[0] >= 0 && log->lock[1] >= 0 && on_one_device(log->lock))
        log->degrade = false;
    return status;
}

/* A new log: segment 1 in one copy, then in the other; the scan that follows finds a log with
 * nothing in it, and does the rest. Cut off after the first copy, it does the second as well. */
static enum status create(struct log_scan *scan, uint64_t segment_bytes)
{
    struct log_header header = {.number = 1, .bytes = segment_bytes};
    uint8_t seed[DIGEST_BYTES];

    if (scan->dir[0].disk == &disk_posix)
        digest_random(scan->identity.id, LOG_ID_BYTES);
    else {
        digest_sha256("zan simulated log", 17, &scan->identity.partition, 2, seed);
        memcpy(scan->identity.id, seed, LOG_ID_BYTES);
    }
    header.identity = scan->identity;
    for (int copy = 0; copy < 2; copy++) {
        int handle;
        int error = log_file_make(&scan->dir[copy], &header, &handle);

        if (error == 0) {
            scan->dir[copy].disk->close(scan->dir[copy].disk->context, handle);
            error = log_file_place(&scan->dir[copy], 1);
        }
        CRASH_POINT("log.create.copy");
        if (error != 0) {
            scan->suspect = copy;
            scan->error = error;
            snprintf(scan->report->message, sizeof scan->report->message,
                     "%.160s: a log cannot be made: %s", scan->dir[copy].path, strerror(-error));
            return error == -ENOSPC || error == -EDQUOT ? STATUS_NOSPACE : STATUS_IOFAIL;
        }
    }
    return STATUS_OK;
}

static enum status scan_all(struct log *log, struct log_scan *scan, const struct log_config *config)
{
    enum log_found found;
    enum status status = log_scan_begin(scan, &found);

    if (status != STATUS_OK)
        return status;
    if (found == LOG_FOUND_NOTHING && log->out >= 0) {
        snprintf(scan->report->message, sizeof scan->report->message,
                 "%.60s cannot be used, and %.60s holds no log: a new one needs both",
                 config->dir[log->out], config->dir[1 - log->out]);
        return STATUS_BADDATA;
    }
    if (found == LOG_FOUND_NOTHING) {
        if (!config->create || config->read_only) {
            snprintf(scan->report->message, sizeof scan->report->message,
                     "%.160s: there is no log here", config->dir[0]);
            return STATUS_BADDATA;
        }
        if ((status = create(scan, log->segment_bytes)) != STATUS_OK ||
            (status = log_scan_begin(scan, &found)) != STATUS_OK)
            return status;
    }
    if ((status = log_mirror_judge(log, scan)) != STATUS_OK ||
        (status = log_scan_judge(scan)) != STATUS_OK)
        return status;
    return config->read_only ? STATUS_OK : log_scan_repair(scan);
}

static int open_segment(const struct log_dir *dir, uint64_t number, int *handle)
{
    char path[LOG_PATH_MAX];

    log_file_path(dir, number, false, path);
    return dir->disk->open(dir->disk->context, path, 0, handle);
}

/* Both copies stand where the scan ended. */
static enum status set_copy(struct log *log, const struct log_scan *scan, int number)
{
    struct log_copy *copy = &log->copy[number];
    bool spare = scan->spare_bytes == log->segment_bytes;
    int error;

    copy->at = scan->end;
    copy->synced = scan->end;
    copy->handed = scan->end.sequence;
    copy->entered = scan->end.segment;
    copy->claimed = scan->end.sequence;
    copy->generation = scan->generation[number];
    copy->segment_bytes = scan->end_bytes;
    copy->start = scan->index.start[scan->end.segment - 1];
    if (log->read_only)
        return STATUS_OK;
    if (number == log->out) { /* as count_out of log_mirror.c leaves one */
        copy->away = true;
        atomic_store(&copy->used, false);
        copy->synced.sequence = copy->handed = UINT64_MAX;
        atomic_store(&copy->taken, UINT64_MAX);
        return STATUS_OK;
    }
    error = open_segment(&log->dir[number], scan->end.segment, &copy->handle);
    if (error == 0 && spare)
        error = open_segment(&log->dir[number], scan->end.segment + 1, &copy->spare_handle);
    if (error == 0)
        return STATUS_OK;
    suspect(log, number, error);
    snprintf(scan->report->message, sizeof scan->report->message, "%.160s: %s",
             log->dir[number].path, strerror(-error));
    return STATUS_IOFAIL;
}

static enum status set_state(struct log *log, struct log_scan *scan)
{
    enum status status;

    log->identity = scan->identity;
    log->index = scan->index;
    log->w_at = scan->end;
    log->w_bytes = scan->end_bytes;
    atomic_store(&log->durable, scan->end.sequence);
    atomic_store(&log->prepared,
                 scan->end.segment + (scan->spare_bytes == log->segment_bytes ? 1 : 0));
    atomic_store(&log->retry, true);
    for (int copy = 0; copy < 2; copy++)
        if ((status = set_copy(log, scan, copy)) != STATUS_OK)
            return status;
    return STATUS_OK;
}

static void stop_threads(struct log *log)
{
    if (!log->threads)
        return;
    atomic_store(&log->stopping, true);
    log_ring_bell(log);
    pthread_mutex_lock(&log->mutex);
    pthread_cond_signal(&log->prepare);
    pthread_cond_signal(&log->rest);
    pthread_mutex_unlock(&log->mutex);
    for (int copy = 0; copy < 2; copy++)
        if (log->copy_started[copy])
            pthread_join(log->copy[copy].thread, NULL);
    if (log->preparer_started)
        pthread_join(log->preparer, NULL);
    log->copy_started[0] = log->copy_started[1] = log->preparer_started = false;
}

static enum status start_threads(struct log *log, struct log_report *report)
{
    int error = 0;

    if (!log->threads)
        return STATUS_OK;
    if ((log->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
        error = errno;
    for (int copy = 0; copy < 2 && error == 0; copy++) {
        error = pthread_create(&log->copy[copy].thread, NULL, log_copy_thread, &log->copy[copy]);
        log->copy_started[copy] = error == 0;
    }
    if (error == 0) {
        error = pthread_create(&log->preparer, NULL, log_prepare_thread, log);
        log->preparer_started = error == 0;
    }
    if (error == 0)
        return STATUS_OK;
    snprintf(report->message, sizeof report->message, "threads: %s", strerror(error));
    return STATUS_NOMEMORY;
}

static void release(struct log *log)
{
    stop_threads(log);
    for (int copy = 0; copy < 2; copy++) {
        const struct disk *disk = log->dir[copy].disk;

        if (log->copy[copy].handle >= 0)
            disk->close(disk->context, log->copy[copy].handle);
        if (log->copy[copy].spare_handle >= 0)
            disk->close(disk->context, log->copy[copy].spare_handle);
        if (log->lock[copy] >= 0)
            close(log->lock[copy]);
    }
    if (log->event >= 0)
        close(log->event);
    if (log->threads) {
        pthread_mutex_destroy(&log->mutex);
        pthread_cond_destroy(&log->prepare);
        pthread_cond_destroy(&log->rest);
    }
    free(log->index.start);
    free(log->ring);
    free(log);
}

static void init_threads(struct log *log)
{
    pthread_condattr_t steady;

    if (!log->threads)
        return;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&log->mutex, NULL);
    pthread_cond_init(&log->prepare, &steady);
    pthread_cond_init(&log->rest, &steady);
    pthread_condattr_destroy(&steady);
}

/* Everything but the disk; NULL if memory ran out. */
static struct log *allocate(const struct log_config *config)
{
    struct log *log = calloc(1, sizeof *log);
    size_t half;

    if (log == NULL)
        return NULL;
    log->sync = config->sync;
    log->group_us = config->group_us;
    log->segment_bytes = config->segment_bytes != 0 ? config->segment_bytes : SEGMENT_BYTES_DEFAULT;
    log->ring_bytes = config->buffer_bytes != 0 ? config->buffer_bytes : BUFFER_BYTES_DEFAULT;
    log->ring_bytes =
        (log->ring_bytes < BUFFER_BYTES_MIN ? BUFFER_BYTES_MIN : log->ring_bytes) & ~(size_t)15;
    /* A frame of half the ring always finds room once the ring is empty, wherever that begins. */
    half = log->ring_bytes / 2 - LOG_TURN_BYTES;
    log->frame_max = half < log->segment_bytes - LOG_DATA_OFFSET
                         ? half
                         : (size_t)(log->segment_bytes - LOG_DATA_OFFSET);
    log->threads = config->threads && !config->read_only;
    log->read_only = config->read_only;
    log->event = -1;
    log->degrade = config->degrade && !config->read_only;
    log->join.wanted = -1;
    log->lost = log->out = log->suspect = -1;
    log->note.alone = -1;
    log->witness.disk = config->disk;
    if (config->witness != NULL)
        memcpy(log->witness.path, config->witness, strlen(config->witness) + 1);
    for (int number = 0; number < 2; number++) {
        log->dir[number].disk = config->disk;
        memcpy(log->dir[number].path, config->dir[number], strlen(config->dir[number]) + 1);
        log->lock[number] = -1;
        log->copy[number].log = log;
        log->copy[number].number = number;
        log->copy[number].handle = -1;
        log->copy[number].spare_handle = -1;
        log->copy[number].used = true;
    }
    init_threads(log);
    if (!log->read_only && (log->ring = malloc(log->ring_bytes)) == NULL) {
        release(log);
        return NULL;
    }
    return log;
}

static enum status open_into(struct log *log, const struct log_config *config,
                             struct log_report *report)
{
    struct log_scan scan;
    enum status status;

    if (!config->read_only && (status = lock_dirs(log, report)) != STATUS_OK)
        return status;
    scan_prepare(&scan, config, report);
    scan.out = log->out;
    if ((status = scan_all(log, &scan, config)) == STATUS_OK)
        status = set_state(log, &scan);
    if (status != STATUS_OK && scan.suspect >= 0)
        suspect(log, scan.suspect, scan.error);
    if (status == STATUS_OK && !config->read_only)
        status = log->out >= 0 ? log_mirror_alone(log, report) : log_mirror_settle(log, report);
    log_scan_end(&scan, log->index.start != NULL);
    return status == STATUS_OK ? start_threads(log, report) : status;
}

/* Are they on one device, as far as can be seen? A disk that is gone does not tell. */
static bool seen_on_one_device(const struct log *log)
{
    struct stat a, b;

    return log->dir[0].disk == &disk_posix && stat(log->dir[0].path, &a) == 0 &&
           stat(log->dir[1].path, &b) == 0 && a.st_dev == b.st_dev;
}

/* The copy that could not be opened, if the log may open without it; -1. */
static int may_open_without(const struct log *log, enum status status)
{
    bool may = status == STATUS_IOFAIL && log->degrade && !log->read_only && log->suspect >= 0 &&
               is_of_disk(log->suspect_error) && !seen_on_one_device(log);

    return may ? log->suspect : -1;
}

/* With the other copy alone, if the notes say that it has all there was (log_mirror.c). */
static enum status open_without(const struct log_config *config, int copy, struct log **log,
                                struct log_report *report)
{
    struct log *opened = allocate(config);
    enum status status;

    if (opened == NULL)
        return STATUS_NOMEMORY;
    opened->out = opened->lost = copy;
    opened->losses = 1;
    memcpy(opened->mirror_message, report->message, sizeof opened->mirror_message);
    memset(report, 0, sizeof *report);
    if ((status = open_into(opened, config, report)) == STATUS_OK)
        *log = opened;
    else
        release(opened);
    return status;
}

enum status log_open(const struct log_config *config, struct log **log, struct log_report *report)
{
    struct log *opened;
    enum status status;
    int without;

    if ((status = check_config(config, report)) != STATUS_OK)
        return status;
    if ((opened = allocate(config)) == NULL) {
        snprintf(report->message, sizeof report->message, "out of memory");
        return STATUS_NOMEMORY;
    }
    if ((status = open_into(opened, config, report)) == STATUS_OK) {
        *log = opened;
        return STATUS_OK;
    }
    without = may_open_without(opened, status);
    release(opened);
    return without >= 0 ? open_without(config, without, log, report) : status;
}

/* ---- Appending ---------------------------------------------------------------------------- */

/* Where in the ring an append would put things. */
struct slot {
    bool turn;
    uint64_t turn_at;
    uint64_t gap_at; /* frame_at, if there is no gap */
    uint64_t frame_at;
    uint64_t end;
};

static struct slot plan(const struct log *log, size_t room)
{
    uint64_t at = atomic_load_explicit(&log->appended, memory_order_relaxed);
    struct slot slot = {.turn = log->w_at.offset + room > log->w_bytes, .turn_at = at};
    uint64_t left;

    if (slot.turn)
        at += LOG_TURN_BYTES;
    slot.gap_at = at;
    left = log->ring_bytes - at % log->ring_bytes;
    if (left < room)
        at += left;
    slot.frame_at = at;
    slot.end = at + room;
    return slot;
}

static uint64_t taken_by_both(const struct log *log)
{
    uint64_t a = atomic_load(&log->copy[0].taken), b = atomic_load(&log->copy[1].taken);

    return a < b ? a : b;
}

enum status log_has_room(struct log *log, size_t size)
{
    size_t room;
    struct slot slot;

    if (log->read_only)
        return STATUS_READONLY;
    if (atomic_load(&log->failed))
        return STATUS_IOFAIL;
    if (size > log->frame_max || (room = log_frame_room(size)) > log->frame_max)
        return STATUS_TOOBIG;
    slot = plan(log, room);
    if (slot.end - taken_by_both(log) > log->ring_bytes)
        return STATUS_BUSY;
    if (!slot.turn)
        return STATUS_OK;
    if (atomic_load(&log->prepared) <= log->w_at.segment) {
        atomic_store(&log->retry, true);
        return atomic_load(&log->spare) == LOG_SPARE_NOSPACE ? STATUS_NOSPACE : STATUS_BUSY;
    }
    return log_index_reserve(&log->index) ? STATUS_OK : STATUS_NOMEMORY;
}

static void put_word(struct log *log, uint64_t position, uint32_t word)
{
    put_u32(log->ring + position % log->ring_bytes, word);
}

/* The writer's own view of the turn; the copies follow when they come to it. */
static void turn_writer(struct log *log)
{
    log_index_add(&log->index, log->w_at.sequence, log->w_at.chain);
    log->w_at.segment++;
    log->w_at.offset = LOG_DATA_OFFSET;
    log->w_bytes = log->segment_bytes;
}

void log_append(struct log *log, uint64_t first_sequence, uint32_t count, int64_t time_us,
                const uint8_t *body, size_t size)
{
    size_t room = log_frame_room(size);
    struct slot slot = plan(log, room);
    struct log_frame frame = {.partition = log->identity.partition,
                              .count = count,
                              .first_sequence = first_sequence,
                              .time_us = time_us,
                              .prev = log->w_at.chain,
                              .body = body,
                              .body_bytes = size};

    assert(!log->read_only && room <= log->frame_max);
    assert(first_sequence == log->w_at.sequence + 1 && count > 0);
    assert(slot.end - taken_by_both(log) <= log->ring_bytes);

    if (slot.turn) {
        assert(atomic_load(&log->prepared) > log->w_at.segment);
        put_word(log, slot.turn_at, LOG_RING_TURN);
        turn_writer(log);
    }
    if (slot.gap_at != slot.frame_at)
        put_word(log, slot.gap_at, LOG_RING_GAP);
    log_frame_encode(&frame, log->ring + slot.frame_at % log->ring_bytes);
    log->w_at.sequence += count;
    log->w_at.offset += room;
    memcpy(log->w_at.chain, frame.hash, LOG_HASH_BYTES);
    log->batches++;
    log->body_bytes += size;
    atomic_store(&log->appended, slot.end);
    log_ring_bell(log);
}

uint64_t log_durable(const struct log *log)
{
    return atomic_load(&log->durable);
}

bool log_failed(const struct log *log, const char **message)
{
    bool failed = atomic_load(&log->failed);

    if (failed && message != NULL)
        *message = log->message; /* written before failed was */
    return failed;
}

int log_event_fd(const struct log *log)
{
    return log->event;
}

void log_event_clear(struct log *log)
{
    uint64_t count;

    if (log->event >= 0 && read(log->event, &count, sizeof count) < 0)
        return; /* nothing was told since */
    if (atomic_load(&log->join_wanted))
        log_mirror_join(log);
}

bool log_pump(struct log *log, uint32_t pick)
{
    assert(!log->threads);
    if (log->read_only)
        return false;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t work = (pick + i) % 3;

        if (work < 2 ? log_copy_step(&log->copy[work]) : log_prepare_step(log))
            return true;
    }
    return log_copy_tidy(&log->copy[pick % 2]) || log_copy_tidy(&log->copy[1 - pick % 2]);
}

void log_stats(const struct log *log, struct log_stats *stats)
{
    struct log *unlocked = (struct log *)log; /* the mutex is not part of what const promises */

    memset(stats, 0, sizeof *stats);
    stats->appended_batches = log->batches;
    stats->appended_bytes = log->body_bytes;
    stats->mended_batches = log->mended;
    stats->segments = log->w_at.segment;
    stats->buffered_bytes = atomic_load(&log->appended) - taken_by_both(log);
    log_lock(unlocked);
    for (int copy = 0; copy < 2; copy++) {
        stats->syncs[copy] = log->copy[copy].syncs;
        stats->sync_us_total[copy] = log->copy[copy].sync_us_total;
        stats->sync_us_max[copy] = log->copy[copy].sync_us_max;
    }
    log_unlock(unlocked);
}

void log_close(struct log *log)
{
    if (log == NULL)
        return;
    CRASH_POINT("log.close.begin");
    /* The threads end when all is written; then this one does their last work: the heads. */
    atomic_store(&log->stopping, true);
    stop_threads(log);
    while (!log->read_only && (log_copy_step(&log->copy[0]) || log_copy_step(&log->copy[1]) ||
                               log_copy_tidy(&log->copy[0]) || log_copy_tidy(&log->copy[1])))
        ;
    CRASH_POINT("log.close.done");
    release(log);
}

/* ---- Verifying ---------------------------------------------------------------------------- */

static enum status judge_notes(const struct log_config *config, struct log_scan *scan)
{
    struct log_config reader = *config;
    struct log *log;
    enum status status;

    reader.read_only = true;
    if ((log = allocate(&reader)) == NULL)
        return STATUS_NOMEMORY;
    status = log_mirror_judge(log, scan);
    release(log);
    return status;
}

enum status log_verify(const struct log_config *config, struct log_report *report,
                       void (*progress)(void *argument, uint64_t done, uint64_t total),
                       void (*finding)(void *argument, const char *text), void *argument)
{
    struct log_scan scan;
    enum log_found found;
    enum status status;

    if ((status = check_config(config, report)) != STATUS_OK)
        return status;
    scan_prepare(&scan, config, report);
    scan.trust_sealed = false;
    scan.progress = progress;
    scan.finding = finding;
    scan.argument = argument;
    status = log_scan_begin(&scan, &found);
    if (status == STATUS_OK && found == LOG_FOUND_NOTHING) {
        snprintf(report->message, sizeof report->message, "%.160s: there is no log here",
                 config->dir[0]);
        status = STATUS_BADDATA;
    }
    if (status == STATUS_OK)
        status = judge_notes(config, &scan);
    if (status == STATUS_OK)
        status = log_scan_judge(&scan);
    if (status != STATUS_OK && finding != NULL)
        finding(argument, report->message);
    log_scan_end(&scan, false);
    return status;
}
