/* log_mirror.c: going on with one copy when the other is lost, and bringing the lost one back.
 *
 * A head says "durable in both", so whoever finds one copy whole may take it for the truth. With a
 * copy left out that is no longer so: the other one has more, and if that is lost later, the stale
 * one looks whole and is not. So notes are kept (the file `mirror`, log_format.h), in three places:
 * with each copy, and with a witness, a directory elsewhere.
 *
 *   both whole     from the first open on, all three say BOTH. That a copy has a note at all means:
 *                  by itself it proves nothing.
 *   a copy is lost ALONE, of a higher era, is written to the other copy and to the witness, synced,
 *                  before anything is acknowledged by that copy alone. If that fails, the log
 * fails. it is back     acknowledged is again what both have; then the copy has all there was; and
 * only then BOTH, of a higher era, is written to all three.
 *
 * A copy may be lost before the open: its disk is gone. Then the log opens with the other alone
 * (log_open, degrade), if the notes say that it has all there was: ALONE is written before it
 * serves, and the copy that is missing comes back as any other.
 *
 * At open the note of the highest era counts. ALONE: the other copy is as if it were missing from
 * the segment on in which it was lost, so that it never decides anything, and is made anew. A copy
 * that is there by itself is taken only if a second note is there to say that it is whole; else the
 * open refuses. Two of three places lost at once are beyond this, and it says so.
 *
 * Coming back runs in the lost copy's own thread, beside the writer:
 *
 *   1 all segments the other copy has left behind: what is missing here, or written since the loss,
 *     is made anew, frame by frame, checked by chain and hash, synced, named, and read back;
 *   2 the writer's thread lets the copy join (log_mirror_join): from that point on its ring is kept
 *     for both;
 *   3 what came before that point is copied as in 1, once the other copy has it;
 *   4 the copy writes what waits in the ring, as ever, and counts again;
 *   5 when it has everything that was acknowledged without it: the notes. */
#include "log/log_local.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hook.h"

#define JOIN_TRIES 5000 /* milliseconds until an attempt is given up */

/* ---- Notes -------------------------------------------------------------------------------- */

static void note_path(const struct log_dir *dir, bool temporary, char path[LOG_PATH_MAX])
{
    snprintf(path, LOG_PATH_MAX, "%s/mirror%s", dir->path, temporary ? ".new" : "");
}

static int note_write(const struct log_dir *dir, const struct log_note *note)
{
    const struct disk *disk = dir->disk;
    char path[LOG_PATH_MAX], name[LOG_PATH_MAX];
    uint8_t block[LOG_BLOCK_BYTES];
    int handle;
    int error;

    note_path(dir, true, path);
    note_path(dir, false, name);
    log_note_encode(note, block);
    error = disk->remove(disk->context, path);
    if (error != 0 && error != -ENOENT)
        return error;
    if ((error = disk->open(disk->context, path, DISK_CREATE, &handle)) != 0)
        return error;
    if ((error = disk->write(disk->context, handle, 0, block, sizeof block)) == 0)
        error = disk->sync(disk->context, handle);
    disk->close(disk->context, handle);
    if (error == 0)
        error = disk->rename(disk->context, path, name);
    if (error == 0)
        error = disk->sync_dir(disk->context, dir->path);
    CRASH_POINT("log.mirror.note");
    return error;
}

static bool note_read(const struct log_dir *dir, const struct log_identity *identity,
                      struct log_note *note)
{
    const struct disk *disk = dir->disk;
    char path[LOG_PATH_MAX];
    uint8_t block[LOG_BLOCK_BYTES];
    int handle;
    bool good;

    note_path(dir, false, path);
    if (dir->path[0] == '\0' || disk->open(disk->context, path, DISK_READ_ONLY, &handle) != 0)
        return false;
    good = disk->read(disk->context, handle, 0, block, sizeof block) == 0 &&
           log_note_decode(block, note) && memcmp(note->id, identity->id, LOG_ID_BYTES) == 0;
    disk->close(disk->context, handle);
    return good;
}

static const struct log_dir *place_of(const struct log *log, int place)
{
    return place < 2 ? &log->dir[place] : &log->witness;
}

/* ---- Opening ------------------------------------------------------------------------------ */

static enum status refuse(struct log_scan *scan, int copy, const char *why)
{
    snprintf(scan->report->message, sizeof scan->report->message,
             "%.60s: no log is here, and the other copy alone may be stale: %s%.60s/mirror",
             scan->dir[copy].path, why, scan->dir[1 - copy].path);
    return STATUS_BADDATA;
}

enum status log_mirror_judge(struct log *log, struct log_scan *scan)
{
    struct log_note note[3];
    bool there[3], any = false;

    for (int place = 0; place < 3; place++) {
        there[place] =
            place != scan->out && note_read(place_of(log, place), &scan->identity, &note[place]);
        any = any || there[place];
        if (there[place] && note[place].era > log->note.era)
            log->note = note[place];
    }
    if (!any && scan->out >= 0 && !PLANTED("log.notes_are_ignored")) {
        snprintf(scan->report->message, sizeof scan->report->message,
                 "%.60s cannot be used, and nothing says that %.60s is whole by itself",
                 scan->dir[scan->out].path, scan->dir[1 - scan->out].path);
        return STATUS_BADDATA;
    }
    if (PLANTED("log.notes_are_ignored") || !any)
        return STATUS_OK;
    if (log->note.alone >= 0) {
        scan->stale = 1 - log->note.alone;
        scan->stale_from = log->note.segment;
        if (!scan->known[log->note.alone])
            return refuse(scan, log->note.alone, "it is the one that was left out, says ");
        return STATUS_OK;
    }
    for (int copy = 0; copy < 2; copy++)
        if (!scan->known[copy] && there[1 - copy] && !there[copy] && !there[2] &&
            !PLANTED("log.one_note_is_enough"))
            return refuse(scan, copy, "to go on with it all the same, remove ");
    return STATUS_OK;
}

/* BOTH in every place, unless no copy may be left out and none ever was. */
enum status log_mirror_settle(struct log *log, struct log_report *report)
{
    struct log_note note = {.era = log->note.era + 1, .alone = -1};
    bool all = true;

    memcpy(note.id, log->identity.id, LOG_ID_BYTES);
    for (int place = 0; place < 3; place++) {
        struct log_note found;

        if (place_of(log, place)->path[0] != '\0')
            all = all && note_read(place_of(log, place), &log->identity, &found) &&
                  found.era == log->note.era && found.alone < 0;
    }
    if (log->note.era > 0 ? all : !log->degrade)
        return STATUS_OK;
    for (int place = 0; place < 3; place++) {
        const struct log_dir *dir = place_of(log, place);
        int error = dir->path[0] != '\0' ? note_write(dir, &note) : 0;

        if (error == 0)
            continue;
        log->suspect = place < 2 ? place : -1;
        log->suspect_error = error;
        snprintf(report->message, sizeof report->message, "%.160s/mirror: cannot be written: %s",
                 dir->path, strerror(-error));
        return error == -ENOSPC || error == -EDQUOT ? STATUS_NOSPACE : STATUS_IOFAIL;
    }
    log->note = note;
    return STATUS_OK;
}

/* What is sealed is in both copies: the other one is made anew from the last segment on. */
enum status log_mirror_alone(struct log *log, struct log_report *report)
{
    int good = 1 - log->out;
    struct log_note note = {.era = log->note.era + 1,
                            .alone = good,
                            .segment = log->w_at.segment,
                            .sequence = log->index.start[log->w_at.segment - 1].sequence};

    if (log->note.alone == good)
        return STATUS_OK; /* it says so already, and from which segment on */
    memcpy(note.id, log->identity.id, LOG_ID_BYTES);
    for (int place = 0; place < 3; place++) {
        const struct log_dir *dir = place_of(log, place);
        int error = place == log->out || dir->path[0] == '\0' || PLANTED("log.opens_without_note")
                        ? 0
                        : note_write(dir, &note);

        if (error == 0)
            continue;
        snprintf(report->message, sizeof report->message,
                 "%.160s/mirror: that one copy goes on alone cannot be noted: %s", dir->path,
                 strerror(-error));
        return error == -ENOSPC || error == -EDQUOT ? STATUS_NOSPACE : STATUS_IOFAIL;
    }
    log->note = note;
    return STATUS_OK;
}

uint64_t log_mirror_bound(const struct log *log)
{
    return log->note.alone >= 0 ? log->note.segment : UINT64_MAX;
}

/* ---- Leaving ------------------------------------------------------------------------------ */

/* From here on everything that asks "has the other one got it too?" is told yes. */
static void count_out(struct log_copy *copy)
{
    struct log *log = copy->log;
    const struct log_copy *other = &log->copy[1 - copy->number];
    uint64_t has;

    log_lock(log);
    copy->synced.sequence = copy->handed = UINT64_MAX;
    has = log->sync == LOG_SYNC_NONE ? other->handed : other->synced.sequence;
    if (!atomic_load(&log->failed) && has > atomic_load(&log->durable))
        atomic_store(&log->durable, has);
    atomic_store(&log->retry, true);
    if (log->threads)
        pthread_cond_signal(&log->prepare);
    log_unlock(log);
    atomic_store(&copy->taken, UINT64_MAX);
    log_tell(log);
    log_ring_bell(log);
}

/* ALONE, where it must stand before anything is acknowledged so. False: the log has failed. */
static bool note_alone(struct log_copy *copy, uint64_t segment, uint64_t sequence)
{
    struct log *log = copy->log;
    int good = 1 - copy->number;
    struct log_note note = {
        .era = log->note.era + 1, .alone = good, .segment = segment, .sequence = sequence};
    int error = 0;

    if (log->note.alone == good)
        return true; /* it says so already; what came back since is made anew once more */
    memcpy(note.id, log->identity.id, LOG_ID_BYTES);
    if (!PLANTED("log.alone_without_note"))
        error = note_write(&log->dir[good], &note);
    if (error == 0 && log->witness.path[0] != '\0' && !PLANTED("log.alone_without_note"))
        error = note_write(&log->witness, &note);
    log_lock(log);
    log->note = note;
    log_unlock(log);
    if (error != 0)
        log_fail(log, good, segment, 0, "that it goes on alone cannot be noted", error);
    return error == 0;
}

bool log_mirror_may_lose(const struct log *log, int copy)
{
    return log->degrade && !log->copy[1 - copy].away && log->note.alone != copy &&
           !atomic_load(&log->failed);
}

bool log_leave(struct log_copy *copy, uint64_t offset, const char *what, int error)
{
    struct log *log = copy->log;
    uint64_t segment, sequence;
    char path[LOG_PATH_MAX];

    log_lock(log);
    if (!log_mirror_may_lose(log, copy->number) && !PLANTED("log.last_copy_leaves")) {
        log_unlock(log);
        return false;
    }
    copy->away = true;
    copy->returning = false;
    atomic_store(&copy->used, false);
    atomic_store(&copy->doomed, 0);
    segment = copy->synced.segment;
    sequence = log->copy[0].synced.sequence < log->copy[1].synced.sequence
                   ? log->copy[0].synced.sequence
                   : log->copy[1].synced.sequence;
    log->losses++;
    log->lost = copy->number;
    log_file_path(&log->dir[copy->number], copy->at.segment, false, path);
    snprintf(log->mirror_message, sizeof log->mirror_message, "%.150s offset %" PRIu64 ": %s: %s",
             path, offset, what, strerror(-error));
    log_unlock(log);
    CRASH_POINT("log.mirror.lost");
    if (note_alone(copy, segment, sequence))
        count_out(copy);
    CRASH_POINT("log.mirror.alone");
    return true;
}

/* ---- Coming back: segments ---------------------------------------------------------------- */

/* A segment of the good copy, and how far it is to be taken over. */
struct source {
    struct log_window window;
    struct log_header header;
    struct log_head seal; /* sealed: what it says */
    struct log_place from, until;
};

static bool gives_up(const struct log *log)
{
    return atomic_load(&log->failed) || (log->threads && atomic_load(&log->stopping));
}

static bool read_seal(struct log_window *window, const struct log *log, uint64_t number,
                      struct log_head *seal)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        const uint8_t *block = log_window_at(window, LOG_BLOCK_BYTES * (1 + slot), LOG_BLOCK_BYTES);

        if (block != NULL && log_head_decode(block, seal) && seal->sealed &&
            seal->segment == number && memcmp(seal->id, log->identity.id, LOG_ID_BYTES) == 0)
            return true;
    }
    return false;
}

static bool read_header(struct log_window *window, const struct log *log, uint64_t number,
                        struct log_header *header)
{
    const uint8_t *block = log_window_at(window, 0, LOG_BLOCK_BYTES);

    return block != NULL && log_header_decode(block, header) && header->number == number &&
           header->bytes == window->file_bytes &&
           memcmp(&header->identity, &log->identity, sizeof header->identity) == 0;
}

static int source_open(struct log *log, int good, uint64_t number, struct source *source)
{
    int error = log_window_open(&source->window, &log->dir[good], number, false);

    if (error != 0)
        return error;
    source->from.segment = number;
    source->from.offset = LOG_DATA_OFFSET;
    return read_header(&source->window, log, number, &source->header) ? 0 : -EIO;
}

/* Writes the frames of the source to handle. */
static int copy_frames(struct log *log, struct source *source, const struct disk *disk, int handle)
{
    struct log_place at = source->from;

    while (at.offset < source->until.offset) {
        struct log_frame frame;
        size_t taken;
        int error;

        if (gives_up(log))
            return -ECANCELED;
        if (!log_window_frame(&source->window, at.offset, source->until.offset, at.sequence + 1,
                              at.chain, &frame, &taken))
            return -EIO;
        error = disk->write(disk->context, handle, at.offset, frame.body - LOG_FRAME_BYTES, taken);
        if (error != 0)
            return error;
        memcpy(at.chain, frame.hash, LOG_HASH_BYTES);
        at.sequence += frame.count;
        at.offset += taken;
        if (PLANTED("log.resync_stops_early"))
            break;
    }
    return 0;
}

/* Is it there now, to the last frame? */
static int verify(struct log_copy *copy, const struct source *source)
{
    struct log_window window = {.handle = -1};
    struct log_header header;
    struct log_place at = source->from;
    struct log *log = copy->log;
    int error = log_window_open(&window, &log->dir[copy->number], at.segment, false);

    if (error == 0 && !read_header(&window, log, at.segment, &header))
        error = -EIO;
    while (error == 0 && at.offset < source->until.offset) {
        struct log_frame frame;
        size_t taken;

        if (!log_window_frame(&window, at.offset, source->until.offset, at.sequence + 1, at.chain,
                              &frame, &taken)) {
            error = PLANTED("log.resync_unverified") ? 0 : -EIO;
            break;
        }
        memcpy(at.chain, frame.hash, LOG_HASH_BYTES);
        at.sequence += frame.count;
        at.offset += taken;
    }
    if (error == 0 && at.sequence != source->until.sequence && !PLANTED("log.resync_unverified"))
        error = -EIO;
    log_window_free(&window);
    return error;
}

static struct log_head head_of(const struct log *log, const struct log_place *place, bool sealed)
{
    struct log_head head = {.sealed = sealed,
                            .generation = 1,
                            .segment = place->segment,
                            .sequence = place->sequence,
                            .offset = place->offset};

    memcpy(head.id, log->identity.id, LOG_ID_BYTES);
    memcpy(head.chain, place->chain, LOG_HASH_BYTES);
    return head;
}

/* The lost copy's file, made anew. *handle stays open if it is not NULL. */
static int make_segment(struct log_copy *copy, struct source *source, bool sealed, int *handle)
{
    struct log *log = copy->log;
    const struct log_dir *dir = &log->dir[copy->number];
    struct log_head head = head_of(log, &source->until, sealed);
    int file;
    int error = log_file_make(dir, &source->header, &file);

    if (error != 0)
        return error;
    error = copy_frames(log, source, dir->disk, file);
    if (error == 0 && (sealed || source->until.sequence > source->from.sequence))
        error = log_file_write_head(dir->disk, file, &head);
    if (error == 0)
        error = dir->disk->sync(dir->disk->context, file);
    CRASH_POINT("log.mirror.copied");
    if (error == 0)
        error = log_file_place(dir, source->from.segment);
    if (error == 0)
        error = verify(copy, source);
    if (error == 0 && handle != NULL) {
        *handle = file;
        return 0;
    }
    dir->disk->close(dir->disk->context, file);
    if (error != 0)
        log_file_drop_temporary(dir, source->from.segment);
    return error;
}

/* Written before the loss, and still there: header, size and seal are as they should be. What is
 * inside is the scrubber's. */
static bool is_there(struct log_copy *copy, const struct source *source)
{
    struct log_window window = {.handle = -1};
    struct log_header header;
    struct log_head seal;
    uint64_t number = source->from.segment;
    bool there =
        log_window_open(&window, &copy->log->dir[copy->number], number, false) == 0 &&
        read_header(&window, copy->log, number, &header) && header.bytes == source->header.bytes &&
        read_seal(&window, copy->log, number, &seal) && seal.sequence == source->seal.sequence &&
        memcmp(seal.chain, source->seal.chain, LOG_HASH_BYTES) == 0;

    log_window_free(&window);
    return there;
}

/* One that the good copy has sealed. place: how it begins; then: how the next one does. */
static int take_sealed(struct log_copy *copy, uint64_t number, struct log_place *place)
{
    struct log *log = copy->log;
    struct source source = {.window = {.handle = -1}};
    int error = source_open(log, 1 - copy->number, number, &source);

    if (error == 0 && !read_seal(&source.window, log, number, &source.seal))
        error = -EIO;
    if (error == 0) {
        source.from.sequence = place->sequence;
        memcpy(source.from.chain, place->chain, LOG_HASH_BYTES);
        source.until = source.from;
        source.until.offset = source.seal.offset;
        source.until.sequence = source.seal.sequence;
        memcpy(source.until.chain, source.seal.chain, LOG_HASH_BYTES);
        if (number >= log->note.segment || !is_there(copy, &source))
            error = make_segment(copy, &source, true, NULL);
        *place = source.until;
    }
    log_window_free(&source.window);
    return error;
}

/* The one in which the copy joined: up to there. */
static int take_last(struct log_copy *copy, const struct log_join *join, int *handle,
                     uint64_t *bytes)
{
    struct log *log = copy->log;
    struct source source = {.window = {.handle = -1}};
    int error = source_open(log, 1 - copy->number, join->place.segment, &source);

    if (error == 0) {
        source.from.sequence = join->start.sequence;
        memcpy(source.from.chain, join->start.chain, LOG_HASH_BYTES);
        source.until = join->place;
        *bytes = source.header.bytes;
        error = make_segment(copy, &source, false, handle);
    }
    log_window_free(&source.window);
    return error;
}

/* log.id, if it is gone as well. */
static int take_name(struct log_copy *copy)
{
    struct log *log = copy->log;
    const struct log_dir *dir = &log->dir[copy->number];
    struct log_header header = {.identity = log->identity};
    int handle;
    int error = dir->disk->make_dir(dir->disk->context, dir->path);

    if (error == 0)
        error = log_lock_dir(dir, &log->lock[copy->number]);
    if (error == 0)
        error = log_file_make(dir, &header, &handle);
    if (error != 0)
        return error;
    dir->disk->close(dir->disk->context, handle);
    return log_file_place(dir, 0);
}

/* ---- Coming back: joining ----------------------------------------------------------------- */

static void nap(struct log *log)
{
    struct timespec wait = {.tv_nsec = 1000 * 1000};

    (void)log;
    nanosleep(&wait, NULL);
}

void log_mirror_join(struct log *log)
{
    struct log_join *join = &log->join;

    log_lock(log);
    if (join->wanted >= 0 && !log->preparing) {
        struct log_copy *copy = &log->copy[join->wanted];

        join->place = log->w_at;
        join->start = log->index.start[log->w_at.segment - 1];
        join->position = atomic_load(&log->appended);
        join->spare = atomic_load(&log->prepared) > log->w_at.segment;
        join->done = true;
        join->wanted = -1;
        atomic_store(&log->join_wanted, false);
        atomic_store(&copy->taken, join->position);
        copy->entered = log->w_at.segment;
        atomic_store(&copy->used, true);
    }
    log_unlock(log);
}

/* False: the writer did not come by. */
static bool ask_to_join(struct log_copy *copy)
{
    struct log *log = copy->log;
    bool done = false;

    log_lock(log);
    if (copy->spare_handle >= 0)
        log->dir[copy->number].disk->close(log->dir[copy->number].disk->context,
                                           copy->spare_handle);
    copy->spare_handle = -1;
    log->join = (struct log_join){.wanted = copy->number};
    atomic_store(&log->join_wanted, true);
    log_unlock(log);
    if (!log->threads)
        log_mirror_join(log);
    for (int i = 0; i < JOIN_TRIES && !done && !gives_up(log); i++) {
        log_lock(log);
        done = log->join.done;
        log_unlock(log);
        if (done)
            break;
        log_tell(log);
        nap(log);
    }
    log_lock(log);
    done = log->join.done;
    log->join.wanted = -1;
    atomic_store(&log->join_wanted, false);
    log_unlock(log);
    return done;
}

/* Waits until the good copy has all up to there. */
static int wait_for(struct log_copy *copy, const struct log_place *place, bool left)
{
    struct log *log = copy->log;
    struct log_copy *other = &log->copy[1 - copy->number];

    for (;;) {
        bool has;

        log_lock(log);
        has = left ? other->entered > place->segment : other->synced.sequence >= place->sequence;
        log_unlock(log);
        if (has)
            return 0;
        if (!log->threads || gives_up(log))
            return -ECANCELED;
        nap(log);
    }
}

static int make_spare(struct log_copy *copy, uint64_t number)
{
    struct log *log = copy->log;
    const struct log_dir *dir = &log->dir[copy->number];
    struct log_header header = {
        .identity = log->identity, .number = number, .bytes = log->segment_bytes};
    int handle;
    int error = log_file_make(dir, &header, &handle);

    if (error == 0 && (error = log_file_place(dir, number)) != 0)
        dir->disk->close(dir->disk->context, handle);
    if (error != 0)
        return error;
    log_lock(log);
    copy->spare_handle = handle;
    log_unlock(log);
    return 0;
}

/* It stands where it joined, and counts again: nothing is acknowledged without it from here on. */
static void count_in(struct log_copy *copy, const struct log_join *join, int handle, uint64_t bytes)
{
    struct log *log = copy->log;
    const struct log_dir *dir = &log->dir[copy->number];

    if (copy->handle >= 0)
        dir->disk->close(dir->disk->context, copy->handle);
    copy->handle = handle;
    copy->position = join->position;
    copy->at = join->place;
    copy->start = join->start;
    copy->segment_bytes = bytes;
    copy->generation = 1;
    copy->claimed = join->place.sequence;
    copy->unsynced_bytes = 0;
    log_lock(log);
    copy->synced = copy->at;
    copy->handed = copy->at.sequence;
    copy->away = false;
    copy->returning = true;
    copy->return_at = atomic_load(&log->durable);
    log_unlock(log);
    log_ring_bell(log);
}

/* Out again: nothing here was promised yet, and the notes never said otherwise. */
static void count_out_again(struct log_copy *copy)
{
    struct log *log = copy->log;

    log_lock(log);
    atomic_store(&copy->used, false);
    copy->entered = log->note.segment;
    if (log->threads)
        pthread_cond_signal(&log->prepare);
    log_unlock(log);
    atomic_store(&copy->taken, UINT64_MAX);
    log_tell(log);
}

/* From the join on. */
static int finish(struct log_copy *copy, uint64_t number, struct log_place *place)
{
    struct log *log = copy->log;
    struct log_join join;
    uint64_t bytes = 0;
    int handle = -1;
    int error = 0;

    log_lock(log);
    join = log->join;
    log_unlock(log);
    for (; number < join.place.segment && error == 0; number++) {
        struct log_place left = {.segment = number};

        if ((error = wait_for(copy, &left, true)) == 0)
            error = take_sealed(copy, number, place);
    }
    if (error == 0)
        error = wait_for(copy, &join.place, false);
    if (error == 0)
        error = take_last(copy, &join, &handle, &bytes);
    if (error == 0 && join.spare)
        error = make_spare(copy, join.place.segment + 1);
    CRASH_POINT("log.mirror.joined");
    if (error == 0) {
        count_in(copy, &join, handle, bytes);
        return 0;
    }
    if (handle >= 0)
        log->dir[copy->number].disk->close(log->dir[copy->number].disk->context, handle);
    return error;
}

static uint64_t entered_by_other(struct log_copy *copy)
{
    struct log *log = copy->log;
    uint64_t entered;

    log_lock(log);
    entered = log->copy[1 - copy->number].entered;
    log_unlock(log);
    return entered;
}

/* Step 1. A writer at full speed fills segments faster than they are copied: once another round
 * does not halve what is left, it is time to join, and the writer waits (the ring is full) until
 * the rest is copied. */
static int chase(struct log_copy *copy, uint64_t *number, struct log_place *place)
{
    uint64_t behind = UINT64_MAX;
    int error = 0;

    for (;;) {
        uint64_t entered = entered_by_other(copy);

        if (entered - *number <= 1 || entered - *number > behind / 2)
            return 0;
        behind = entered - *number;
        for (; error == 0 && *number < entered; (*number)++)
            error = take_sealed(copy, *number, place);
        if (error != 0)
            return error;
    }
}

/* What it had written further than the other one before it was lost is of no history. Before it
 * joins: from then on segments are made for it. */
static int drop_later(struct log_copy *copy)
{
    const struct log_dir *dir = &copy->log->dir[copy->number];
    char path[LOG_PATH_MAX];
    int error = 0;

    for (uint64_t later = 1; later <= 2 && (error == 0 || error == -ENOENT); later++) {
        log_file_path(dir, copy->log->note.segment + later, false, path);
        error = dir->disk->remove(dir->disk->context, path);
    }
    return error == -ENOENT ? 0 : error;
}

static int come_back(struct log_copy *copy)
{
    struct log_place place = {.segment = 1};
    uint64_t number = 1;
    int error = take_name(copy);

    log_genesis(&copy->log->identity, place.chain);
    if (error == 0)
        error = drop_later(copy);
    if (error == 0)
        error = chase(copy, &number, &place);
    if (error != 0)
        return error;
    if (!ask_to_join(copy))
        return -ETIMEDOUT;
    if ((error = finish(copy, number, &place)) != 0)
        count_out_again(copy);
    return error;
}

/* One attempt; what went wrong is told. */
static bool attempt(struct log_copy *copy)
{
    struct log *log = copy->log;
    int error;

    log_lock(log);
    log->attempts++;
    log_unlock(log);
    error = come_back(copy);
    if (error == 0)
        return true;
    log_lock(log);
    if (error != -ECANCELED)
        snprintf(log->mirror_message, sizeof log->mirror_message,
                 "%.150s: cannot be brought back: %s", log->dir[copy->number].path,
                 strerror(-error));
    log_unlock(log);
    return false;
}

/* ---- Coming back: the notes --------------------------------------------------------------- */

/* It has everything that was acknowledged without it: from now on either copy may be lost. */
static void come_home(struct log_copy *copy)
{
    struct log *log = copy->log;
    struct log_note note = {.era = log->note.era + 1, .alone = -1};

    memcpy(note.id, log->identity.id, LOG_ID_BYTES);
    log_lock(log);
    log->note = note; /* if this is cut off, the next note must be of a higher era still */
    log_unlock(log);
    copy->returning = false;
    for (int place = 2; place >= 0; place--) {
        const struct log_dir *dir = place_of(log, place);
        int error = dir->path[0] != '\0' ? note_write(dir, &note) : 0;

        if (error == 0)
            continue;
        if (place != copy->number ||
            !log_leave(copy, 0, "that both copies are whole cannot be noted", error))
            log_fail(log, place < 2 ? place : 0, copy->at.segment, 0,
                     "that both copies are whole cannot be noted", error);
        return;
    }
    CRASH_POINT("log.mirror.whole");
    log_lock(log);
    log->resyncs++;
    log->mirror_message[0] = '\0';
    log_unlock(log);
    log_tell(log);
}

bool log_mirror_step(struct log_copy *copy)
{
    struct log *log = copy->log;
    int doomed = atomic_load(&copy->doomed);

    if (copy->away)
        return !log->threads && !atomic_load(&log->stopping) &&
               log->copy[1 - copy->number].synced.sequence == log->w_at.sequence &&
               atomic_exchange(&log->wish, false) && attempt(copy);
    if (doomed != 0) {
        if (!log_leave(copy, 0, "cannot be used any more", doomed))
            log_fail(log, copy->number, copy->at.segment, 0, "cannot be used any more", doomed);
        return true;
    }
    if (!copy->returning || copy->synced.sequence < copy->return_at)
        return false;
    come_home(copy);
    return true;
}

void log_mirror_rest(struct log_copy *copy)
{
    struct log *log = copy->log;
    long wait_s = LOG_RESYNC_FIRST_S;

    while (copy->away && !gives_up(log)) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += wait_s;
        pthread_mutex_lock(&log->mutex);
        while (!atomic_load(&log->wish) && !gives_up(log) &&
               pthread_cond_timedwait(&log->rest, &log->mutex, &until) != ETIMEDOUT)
            ;
        atomic_store(&log->wish, false);
        pthread_mutex_unlock(&log->mutex);
        if (gives_up(log) || attempt(copy))
            return;
        wait_s = wait_s * 2 < LOG_RESYNC_LAST_S ? wait_s * 2 : LOG_RESYNC_LAST_S;
    }
}

/* ---- From outside ------------------------------------------------------------------------- */

void log_mirror_look(struct log *log)
{
    for (int number = 0; number < 2; number++) {
        struct log_copy *copy = &log->copy[number];
        const struct disk *disk = log->dir[number].disk;
        char path[LOG_PATH_MAX];
        uint64_t segment;
        int handle, error;
        bool may_go;

        log_lock(log);
        may_go = !copy->away && log_mirror_may_lose(log, number);
        segment = copy->entered;
        log_unlock(log);
        if (!may_go)
            continue; /* the last copy: what is open can still be written, and read */
        log_file_path(&log->dir[number], segment, false, path);
        error = disk->open(disk->context, path, DISK_READ_ONLY, &handle);
        if (error == 0)
            disk->close(disk->context, handle);
        else if (error != -EMFILE && error != -ENFILE && error != -ENOMEM) {
            atomic_store(&copy->doomed, error);
            log_ring_bell(log);
        }
    }
}

bool log_mirror_resync(struct log *log)
{
    bool lost;

    log_lock(log);
    lost = log->copy[0].away || log->copy[1].away;
    if (lost) {
        atomic_store(&log->wish, true);
        if (log->threads)
            pthread_cond_signal(&log->rest);
    }
    log_unlock(log);
    return lost;
}

void log_mirror(const struct log *log, struct log_mirror *mirror)
{
    struct log *unlocked = (struct log *)log; /* the mutex is not part of what const promises */

    log_lock(unlocked);
    *mirror = (struct log_mirror){.state = log->copy[0].away || log->copy[1].away ? LOG_MIRROR_ALONE
                                           : log->note.alone >= 0 ? LOG_MIRROR_RETURNING
                                                                  : LOG_MIRROR_BOTH,
                                  .lost = log->lost,
                                  .degrade = log->degrade,
                                  .sequence = log->note.sequence,
                                  .losses = log->losses,
                                  .resyncs = log->resyncs,
                                  .attempts = log->attempts};
    memcpy(mirror->message, log->mirror_message, sizeof mirror->message);
    log_unlock(unlocked);
}
