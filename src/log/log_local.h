/* log_local.h: the inside of the log, for log_local.c, log_copy.c, log_prepare.c, log_replay.c.
 *
 * The writer's thread puts frames into a ring of memory; two copy threads each take all that waits
 * as one group, write it to their file at the place the writer has fixed, sync, and say how far
 * they are. A third thread keeps one blank segment ahead. Nobody waits for anybody but
 *
 *   a copy about to seal a segment, until the other copy has all of that segment too: so that a
 *   seal, like every head, speaks for both;
 *   the preparing thread, until both copies have entered the segment it made last.
 *
 * Ring: positions count bytes since the start and never wrap; the byte is at position modulo
 * ring_bytes. Entries start at multiples of 8 with four bytes: a frame's magic, LOG_RING_GAP (go
 * on at the ring's start: frames are never split) or LOG_RING_TURN (8 bytes: the next segment).
 *
 * Who writes what:  writer    ring bytes at `appended` and above, `appended`, the w_ fields
 *                   copy c    copy[c] (but `synced`: under the mutex), `taken`
 *                   mutex     synced, durable (atomic to read), failed, prepared, spares, note,
 *                             away, used, entered
 * With threads = false there is one thread, and neither mutex nor bell is touched. */
#ifndef ZAN_LOG_LOCAL_H
#define ZAN_LOG_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "log/log.h"
#include "log/log_scan.h"

#define LOG_RING_GAP   0U
#define LOG_RING_TURN  0x4E525554U /* "TURN" */
#define LOG_TURN_BYTES 8

/* How long a copy idles before it writes a head for what is durable but not yet claimed. */
#define LOG_IDLE_US (50 * 1000)
/* LOG_SYNC_NONE: synced after so much, or when idle. */
#define LOG_LAZY_BYTES (4U << 20)
#define LOG_RETRY_S    1
/* A lost copy is tried again after so many seconds, then twice as many, up to ... */
#define LOG_RESYNC_FIRST_S 5
#define LOG_RESYNC_LAST_S  300

struct log;

struct log_copy {
    struct log *log;
    int number; /* 0 or 1 */
    int handle;
    uint64_t position;       /* ring: taken up to here */
    struct log_place at;     /* written up to here */
    struct log_place synced; /* synced up to here; under the mutex */
    uint64_t handed;         /* last sequence written; under the mutex */
    struct log_start start;  /* how the current segment begins */
    uint64_t segment_bytes;
    uint64_t generation; /* of the newest head in the current segment */
    uint64_t claimed;    /* last sequence a head in this copy claims */
    uint64_t unsynced_bytes;
    int spare_handle;                           /* of the next segment, -1: none; under the mutex */
    uint64_t entered;                           /* the segment it is in; under the mutex */
    atomic_bool waits;                          /* for the other copy, to seal */
    _Atomic uint64_t taken;                     /* ring: free to be written over up to here */
    uint64_t syncs, sync_us_total, sync_us_max; /* under the mutex */
    pthread_t thread;
    atomic_int
        doomed; /* not 0: another thread found it failing, -errno; it leaves at its next step */
    bool away;  /* left out; written by its own thread, under the mutex */
    atomic_bool used;   /* segments are made for it; written under the mutex */
    bool returning;     /* counts again, but is still noted as stale */
    uint64_t return_at; /* has it everything up to here, it is whole */
};

/* What the writer's thread hands to a copy that comes back: everything before is on the disk of the
 * other one (or will be), everything after comes through the ring. Under the mutex. */
struct log_join {
    int wanted; /* the copy that asks, or -1 */
    bool done;
    bool spare; /* the segment after place.segment exists in the other copy already */
    uint64_t position;
    struct log_place place;
    struct log_start start; /* how that segment begins */
};

enum log_spare { LOG_SPARE_OK, LOG_SPARE_NOSPACE, LOG_SPARE_NO_HANDLE };

struct log {
    struct log_dir dir[2];
    struct log_identity identity;
    enum log_sync sync;
    uint32_t group_us;
    uint64_t segment_bytes; /* of segments to be made */
    bool threads;
    bool read_only;
    int lock[2];
    int event;

    uint8_t *ring;
    size_t ring_bytes;
    size_t frame_max; /* a frame larger than that is never taken */
    _Atomic uint64_t appended;

    struct log_place w_at; /* where the next frame goes */
    uint64_t w_bytes;      /* size of the segment it goes to */
    struct log_index index;
    uint64_t batches, body_bytes;
    uint64_t mended; /* frames, by log_replay */

    struct log_copy copy[2];
    atomic_uint bell; /* rung when a copy may have something to do */
    atomic_int sleepers;
    atomic_bool stopping;
    _Atomic uint64_t durable;
    atomic_bool failed;
    char message[256];

    _Atomic uint64_t prepared; /* the highest segment that exists in both copies */
    _Atomic int spare;         /* enum log_spare: how the last attempt to make one ended */
    atomic_bool retry;         /* threads = false: worth another attempt */

    bool degrade;
    int out;                    /* the copy without which the log was opened; -1: none */
    int suspect, suspect_error; /* whose disk failed the opening (-1: none), and what it said */
    struct log_dir witness;     /* path "": none */
    struct log_note note;       /* as it is on the disks */
    struct log_join join;
    atomic_bool join_wanted; /* join.wanted >= 0, without the mutex */
    bool preparing;          /* the preparing thread makes files */
    atomic_bool wish;        /* resync now */
    uint64_t losses, resyncs, attempts;
    int lost;
    char mirror_message[256];
    pthread_cond_t rest; /* where the thread of a lost copy waits */

    pthread_mutex_t mutex;
    pthread_cond_t prepare; /* rung when a spare may be wanted */
    pthread_t preparer;
    bool copy_started[2], preparer_started;
};

static inline void log_lock(struct log *log)
{
    if (log->threads)
        pthread_mutex_lock(&log->mutex);
}
static inline void log_unlock(struct log *log)
{
    if (log->threads)
        pthread_mutex_unlock(&log->mutex);
}

/* Keeps other processes out of a copy's directory; 0 also if it does already. */
int log_lock_dir(const struct log_dir *dir, int *lock);
/* The first failure is kept, and nothing becomes durable after it. path NULL: no file is named. */
void log_fail(struct log *log, int copy, uint64_t segment, uint64_t offset, const char *what,
              int error);
void log_ring_bell(struct log *log);
void log_tell(struct log *log);

/* log_copy.c. One unit of work; false: nothing to do, or waiting. */
bool log_copy_step(struct log_copy *copy);
/* Claims by a head what is durable in both; false: it is claimed already. */
bool log_copy_tidy(struct log_copy *copy);
void *log_copy_thread(void *argument);

/* log_mirror.c. */
/* May this copy be left out? Not if the other is, or does not have everything. Under the mutex. */
bool log_mirror_may_lose(const struct log *log, int copy);
/* The copy's own thread: it has failed. True: it is left out, and the other goes on (or the log has
 * failed while trying). */
bool log_leave(struct log_copy *copy, uint64_t offset, const char *what, int error);
/* One unit of work for a copy that is away or returns; false: nothing to do. */
bool log_mirror_step(struct log_copy *copy);
/* The thread of a copy that is away: waits and tries. */
void log_mirror_rest(struct log_copy *copy);
/* The writer's thread: lets a copy join, if one waits for that. */
void log_mirror_join(struct log *log);
/* Any thread: are the files still there? What is not is left out. */
void log_mirror_look(struct log *log);
/* Reads the notes; BADDATA: what is there may be stale. After log_scan_begin. */
enum status log_mirror_judge(struct log *log, struct log_scan *scan);
/* The log opens without a copy (log->out): says so, where it must stand before it serves. */
enum status log_mirror_alone(struct log *log, struct log_report *report);
/* Both copies are whole and repaired: says so, where the notes do not yet. */
enum status log_mirror_settle(struct log *log, struct log_report *report);
/* Segments before this one are whole in both copies. Under the mutex. */
uint64_t log_mirror_bound(const struct log *log);

/* log_replay.c. Place in the index of the segment that holds sequence; the writer's thread. */
size_t log_find_segment(const struct log_index *index, uint64_t sequence);

/* log_prepare.c. Makes the next segment, if one is wanted; false: not wanted. */
bool log_prepare_step(struct log *log);
void *log_prepare_thread(void *argument);

#endif
