/* log_copy.c: one copy's writer: takes all that waits in the ring, writes it, syncs it, says so.
 *
 * A group goes out as one write (two, where the ring wraps), one write of a head that tells of the
 * time before this group, and one sync for both. The file is full of zeros already, so the sync
 * changes no metadata.
 * Sleeping is a futex, not a condition variable: the common case, a writer that appends while the
 * copies are busy syncing, is then one atomic add and no call into the kernel, and waking both
 * copies is one call. */
#include "log/log_local.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hook.h"

/* ---- Bell --------------------------------------------------------------------------------- */

/* Rung after the work is visible. A sleeper counts itself before it looks at the bell in the
 * kernel, the ringer moves the bell before it looks at the count: one of them sees the other. */
void log_ring_bell(struct log *log)
{
    if (!log->threads)
        return;
    atomic_fetch_add(&log->bell, 1);
    if (atomic_load(&log->sleepers) > 0)
        syscall(SYS_futex, &log->bell, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Returns true if it rang, false after timeout_us (0: never). */
static bool bell_wait(struct log *log, unsigned heard, long timeout_us)
{
    struct timespec wait = {.tv_sec = timeout_us / 1000000, .tv_nsec = timeout_us % 1000000 * 1000};
    long result;
    int error;

    atomic_fetch_add(&log->sleepers, 1);
    result = syscall(SYS_futex, &log->bell, FUTEX_WAIT_PRIVATE, heard,
                     timeout_us > 0 ? &wait : NULL, NULL, 0);
    error = errno;
    atomic_fetch_sub(&log->sleepers, 1);
    return result == 0 || error != ETIMEDOUT;
}

static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- Disk --------------------------------------------------------------------------------- */

static const struct disk *disk_of(const struct log_copy *copy)
{
    return copy->log->dir[copy->number].disk;
}

/* The copy is left out, if that may be; or it is the end. */
static void copy_failed(struct log_copy *copy, uint64_t offset, const char *what, int error)
{
    if (!log_leave(copy, offset, what, error))
        log_fail(copy->log, copy->number, copy->at.segment, offset, what, error);
}

static bool copy_write(struct log_copy *copy, uint64_t offset, const uint8_t *bytes, size_t size)
{
    const struct disk *disk = disk_of(copy);
    int error = disk->write(disk->context, copy->handle, offset, bytes, size);

    if (error != 0)
        copy_failed(copy, offset, "write failed", error);
    return error == 0;
}

/* Counts the sync's time only where there is time: the simulation has none. */
static bool copy_sync(struct log_copy *copy)
{
    const struct disk *disk = disk_of(copy);
    struct log *log = copy->log;
    uint64_t begin = log->threads ? clock_us() : 0;
    int error = PLANTED("log.ack_before_sync") ? 0 : disk->sync(disk->context, copy->handle);
    uint64_t took = log->threads ? clock_us() - begin : 0;

    if (PLANTED("log.ignore_sync_error"))
        error = 0;
    if (error != 0) {
        copy_failed(copy, copy->at.offset, "sync failed", error);
        return false;
    }
    copy->unsynced_bytes = 0;
    log_lock(log);
    copy->syncs++;
    copy->sync_us_total += took;
    if (took > copy->sync_us_max)
        copy->sync_us_max = took;
    log_unlock(log);
    return true;
}

/* ---- Heads -------------------------------------------------------------------------------- */

/* What both copies have synced, as far as the segment under this copy's hand goes. */
static struct log_place both_synced(struct log_copy *copy)
{
    struct log *log = copy->log;
    struct log_place place;

    log_lock(log);
    place = log->copy[0].synced.sequence <= log->copy[1].synced.sequence ? log->copy[0].synced
                                                                         : log->copy[1].synced;
    log_unlock(log);
    if (PLANTED("log.head_ahead"))
        place = copy->at;
    if (place.segment != copy->at.segment) {
        place.segment = copy->at.segment;
        place.offset = LOG_DATA_OFFSET;
        place.sequence = copy->start.sequence;
        memcpy(place.chain, copy->start.chain, LOG_HASH_BYTES);
    }
    return place;
}

static bool write_head(struct log_copy *copy, const struct log_place *place, bool sealed)
{
    struct log_head head = {.sealed = sealed,
                            .generation = copy->generation + 1,
                            .segment = copy->at.segment,
                            .sequence = place->sequence,
                            .offset = place->offset};
    int error;

    memcpy(head.id, copy->log->identity.id, LOG_ID_BYTES);
    memcpy(head.chain, place->chain, LOG_HASH_BYTES);
    error = log_file_write_head(disk_of(copy), copy->handle, &head);
    if (error != 0) {
        copy_failed(copy, LOG_BLOCK_BYTES, "head: write failed", error);
        return false;
    }
    copy->generation++;
    copy->claimed = place->sequence;
    return true;
}

/* ---- Publishing --------------------------------------------------------------------------- */

/* Says how far this copy is; wakes who waits for it. */
static void publish(struct log_copy *copy, bool synced)
{
    struct log *log = copy->log;
    const struct log_copy *other = &log->copy[1 - copy->number];
    uint64_t durable;
    bool moved = false;

    log_lock(log);
    copy->handed = copy->at.sequence;
    if (synced)
        copy->synced = copy->at;
    if (!atomic_load(&log->failed)) {
        uint64_t mine = log->sync == LOG_SYNC_NONE ? copy->handed : copy->synced.sequence;
        uint64_t theirs = log->sync == LOG_SYNC_NONE ? other->handed : other->synced.sequence;

        durable = mine < theirs || PLANTED("log.one_copy_counts") ? mine : theirs;
        moved = durable > atomic_load(&log->durable);
        if (moved)
            atomic_store(&log->durable, durable);
    }
    log_unlock(log);
    atomic_store(&copy->taken, copy->position);
    CRASH_POINT("log.published");
    if (moved)
        log_tell(log);
    if (atomic_load(&other->waits))
        log_ring_bell(log);
}

/* Under the mutex, so that the other's publish either comes before the look or sees the flag. */
static bool other_has(struct log_copy *copy, uint64_t sequence)
{
    struct log *log = copy->log;
    bool has;

    log_lock(log);
    has = log->copy[1 - copy->number].synced.sequence >= sequence;
    atomic_store(&copy->waits, !has);
    log_unlock(log);
    return has || PLANTED("log.seal_alone");
}

/* ---- Groups ------------------------------------------------------------------------------- */

struct run {
    const uint8_t *bytes;
    size_t size;
};

struct group {
    struct run run[2];
    int runs;
    uint64_t position;      /* in the ring, after the group */
    struct log_place place; /* in the log, after the group */
};

static uint32_t ring_word(const struct log *log, uint64_t position)
{
    return get_u32(log->ring + position % log->ring_bytes);
}

/* All frames that wait, up to a turn. */
static void collect(const struct log_copy *copy, uint64_t appended, struct group *group)
{
    const struct log *log = copy->log;

    group->runs = 0;
    group->position = copy->position;
    group->place = copy->at;
    while (group->position < appended) {
        const uint8_t *bytes = log->ring + group->position % log->ring_bytes;
        uint32_t word = get_u32(bytes);
        size_t taken;

        if (word == LOG_RING_TURN)
            return;
        if (word == LOG_RING_GAP) {
            group->position += log->ring_bytes - group->position % log->ring_bytes;
            continue;
        }
        assert(word == LOG_FRAME_MAGIC);
        if (group->runs == 0 ||
            group->run[group->runs - 1].bytes + group->run[group->runs - 1].size != bytes) {
            assert(group->runs < 2);
            group->run[group->runs++] = (struct run){.bytes = bytes, .size = 0};
        }
        taken = log_frame_room(get_u32(bytes + 8) - LOG_FRAME_BYTES);
        group->run[group->runs - 1].size += taken;
        group->position += taken;
        group->place.offset += taken;
        group->place.sequence = get_u64(bytes + 16) + get_u32(bytes + 12) - 1;
        memcpy(group->place.chain, bytes + LOG_FRAME_BYTES - LOG_HASH_BYTES, LOG_HASH_BYTES);
    }
}

static bool write_group(struct log_copy *copy, const struct group *group)
{
    uint64_t offset = copy->at.offset;

    for (int i = 0; i < group->runs; i++) {
        if (!copy_write(copy, offset, group->run[i].bytes, group->run[i].size))
            return false;
        offset += group->run[i].size;
        copy->unsynced_bytes += group->run[i].size;
    }
    assert(offset == group->place.offset && offset <= copy->segment_bytes);
    return true;
}

/* Writes the group; syncs it, unless it may wait. */
static bool take_group(struct log_copy *copy, const struct group *group)
{
    struct log_place durable = both_synced(copy);
    bool lazy = copy->log->sync == LOG_SYNC_NONE &&
                copy->unsynced_bytes + group->run[0].size < LOG_LAZY_BYTES;

    CRASH_POINT("log.group.begin");
    if (PLANTED("log.head_ahead"))
        durable = group->place;
    if (!write_group(copy, group))
        return false;
    if (copy->number == 0)
        CRASH_POINT("log.group.written.0");
    else
        CRASH_POINT("log.group.written.1");
    if (!lazy && durable.sequence > copy->claimed && !write_head(copy, &durable, false))
        return false;
    CRASH_POINT("log.group.head_written");
    copy->at = group->place;
    copy->position = group->position;
    if (!lazy && !copy_sync(copy))
        return false;
    if (copy->number == 0)
        CRASH_POINT("log.group.synced.0");
    else
        CRASH_POINT("log.group.synced.1");
    publish(copy, !lazy);
    return true;
}

/* ---- Turning to the next segment ---------------------------------------------------------- */

static bool sync_lazy(struct log_copy *copy)
{
    if (copy->synced.sequence == copy->at.sequence)
        return true;
    if (!copy_sync(copy))
        return false;
    publish(copy, true);
    return true;
}

static void enter_next(struct log_copy *copy)
{
    struct log *log = copy->log;
    const struct disk *disk = disk_of(copy);

    disk->close(disk->context, copy->handle);
    copy->position += LOG_TURN_BYTES;
    copy->start.sequence = copy->at.sequence;
    memcpy(copy->start.chain, copy->at.chain, LOG_HASH_BYTES);
    copy->generation = 0;
    copy->segment_bytes = log->segment_bytes;

    log_lock(log);
    assert(copy->spare_handle >= 0);
    assert(atomic_load(&log->prepared) == copy->at.segment + 1);
    copy->handle = copy->spare_handle;
    copy->spare_handle = -1;
    copy->entered = ++copy->at.segment;
    copy->at.offset = LOG_DATA_OFFSET;
    copy->synced = copy->at;
    if (log->threads)
        pthread_cond_signal(&log->prepare);
    log_unlock(log);
    atomic_store(&log->retry, true);
    atomic_store(&copy->taken, copy->position);
}

/* The segment is full. First everything in it becomes durable in both copies, then the seal says so
 * and that the next segment exists, and only then is that one written to. */
static bool turn(struct log_copy *copy)
{
    struct log *log = copy->log;

    if (log->sync == LOG_SYNC_NONE && !sync_lazy(copy))
        return false;
    if (!other_has(copy, copy->at.sequence))
        return false;
    CRASH_POINT("log.turn.begin");
    if (!write_head(copy, &copy->at, true))
        return false;
    CRASH_POINT("log.turn.seal_written");
    if (!PLANTED("log.seal_without_sync") && !copy_sync(copy))
        return false;
    CRASH_POINT("log.turn.seal_synced");
    enter_next(copy);
    CRASH_POINT("log.turn.done");
    return true;
}

bool log_copy_step(struct log_copy *copy)
{
    struct log *log = copy->log;
    uint64_t appended = atomic_load(&log->appended);
    struct group group;

    if (atomic_load(&log->failed))
        return false;
    if (copy->away || copy->returning || atomic_load(&copy->doomed) != 0)
        if (log_mirror_step(copy) || copy->away)
            return !copy->away;
    if (copy->position == appended)
        return false;
    collect(copy, appended, &group);
    if (group.runs > 0)
        return take_group(copy, &group);
    assert(group.position < appended);
    copy->position = group.position; /* a gap, if any */
    assert(ring_word(log, copy->position) == LOG_RING_TURN);
    return turn(copy);
}

bool log_copy_tidy(struct log_copy *copy)
{
    struct log *log = copy->log;
    struct log_place durable;

    if (atomic_load(&log->failed) || copy->away)
        return false;
    if (copy->synced.sequence != copy->at.sequence)
        return sync_lazy(copy);
    durable = both_synced(copy);
    if (durable.sequence <= copy->claimed)
        return false;
    if (!write_head(copy, &durable, false))
        return false;
    CRASH_POINT("log.tidy.head_written");
    if (!copy_sync(copy))
        return false;
    CRASH_POINT("log.tidy.synced");
    return true;
}

/* ---- Thread ------------------------------------------------------------------------------- */

static bool is_untidy(struct log_copy *copy)
{
    return copy->claimed != copy->at.sequence;
}

static void wait_for_company(struct log *log)
{
    struct timespec wait = {.tv_sec = log->group_us / 1000000,
                            .tv_nsec = (long)(log->group_us % 1000000) * 1000};

    nanosleep(&wait, NULL);
}

void *log_copy_thread(void *argument)
{
    struct log_copy *copy = argument;
    struct log *log = copy->log;

    pthread_setname_np(pthread_self(), copy == &log->copy[0] ? "zan-log-a" : "zan-log-b");
    while (!atomic_load(&log->failed)) {
        unsigned heard = atomic_load(&log->bell);

        if (copy->away) {
            if (atomic_load(&log->stopping))
                break;
            log_mirror_rest(copy);
            continue;
        }
        if (log->sync == LOG_SYNC_GROUP && !atomic_load(&log->stopping) &&
            atomic_load(&log->appended) != copy->position)
            wait_for_company(log);
        if (log_copy_step(copy))
            continue;
        if (atomic_load(&log->stopping) && atomic_load(&log->appended) == copy->position)
            break;
        if (!bell_wait(log, heard, is_untidy(copy) ? LOG_IDLE_US : 0))
            log_copy_tidy(copy);
    }
    return NULL;
}
