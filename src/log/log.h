/* log.h: the durable order of records, and the only truth.
 *
 * A log is a row of batches. A batch is a block of records that stands or falls together; it
 * carries the hash of the batch before it, so that nothing can be lost, changed or slipped in
 * between without being seen. Two copies are kept, in two directories (best: two disks), written
 * and synced in parallel; a batch is durable when both have it.
 *
 *   sequence    number of a record, from 1, without holes
 *   *_us        microseconds since the epoch, given by the caller
 *
 * Lifecycle:    log_open (recovers, repairs) -> log_replay -> log_append / log_durable ... ->
 *               log_close.
 * Threads:      log_append, log_has_room and log_close belong to one thread, the writer's.
 *               log_durable and log_failed may be called by any. Internally: one thread a copy, one
 *               that prepares the next segment. With threads = false nothing runs by itself and
 *               log_pump does the work of all three: that is how the simulation runs it.
 * Mirror:       with config.degrade a copy that fails is left out and the other goes on alone
 *               (log_mirror.c); it is made anew and verified, and then both count again.
 * Endings:      a failed sync or write of a batch, of the last copy there is, is final: log_failed
 * turns true, log_durable never moves again, and the node must stop; what the medium holds is found
 * out at the next open. A full disk is found before a batch is accepted, by log_has_room. Formats:
 * docs/formats.md. */
#ifndef ZAN_LOG_LOG_H
#define ZAN_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"
#include "schema/status.h"

struct log;

enum log_sync {
    LOG_SYNC_ALWAYS, /* durable means synced on both copies: the default */
    LOG_SYNC_GROUP,  /* as ALWAYS, but a sync waits up to group_us for company */
    LOG_SYNC_NONE    /* durable means handed to the kernel: a power cut loses the last seconds */
};

struct log_config {
    const struct disk *disk;
    const char *dir[2]; /* whole paths of the two copies; made if absent */
    uint16_t partition;
    uint16_t partition_count;
    enum log_sync sync;
    uint32_t group_us;
    uint64_t segment_bytes; /* size of a segment file; 0: 64 MiB */
    size_t buffer_bytes;    /* room for batches not yet durable; 0: 8 MiB */
    bool threads;
    bool create;    /* make a new log if there is none */
    bool read_only; /* open to read: nothing is repaired, written or locked */
    /* Do not read at open what is inside segments sealed alike in both copies: a start then costs
     * only the last segment, whatever the log's size. log_replay checks (and mends) each batch all
     * the same, and log_verify reads all. report.batches then counts only what was read. */
    bool trust_sealed;
    uint32_t
        full_segments; /* with trust_sealed: so many of the newest are read whole all the same */
    /* One copy that fails does not end the log: the other goes on alone, and it is noted, durably,
     * before anything is acknowledged so. Not done where both copies are on one device: a flush it
     * refuses may take with it what both had written. A copy whose disk is gone at log_open does
     * not hinder it either, if the notes say that the other has all there was. */
    bool degrade;
    const char *witness; /* directory of the third note; NULL: none (tests of the log alone) */
};

/* What log_open found and did; for the start banner and for zan verify. */
struct log_report {
    uint64_t first_sequence; /* 0: the log is empty */
    uint64_t last_sequence;
    uint64_t batches;
    uint64_t segments;
    uint64_t torn_bytes;        /* cut off at the end: never acknowledged */
    uint64_t repaired_segments; /* damaged in one copy, mended from the other; once a copy */
    uint64_t repaired_bytes;
    uint8_t log_id[16];
    uint8_t chain[32]; /* hash of the last batch */
    char message[256]; /* why not, if log_open failed: names file, offset, sequence range */
};

/* Opens, checks, cuts the torn tail, repairs one copy from the other.
 * Ends: OK; BADDATA (not a log, other partition count, hole, both copies damaged: message names
 * the range); LOCKED; IOFAIL; NOSPACE. *log is written only on OK; owned until log_close. */
enum status log_open(const struct log_config *config, struct log **log, struct log_report *report);

/* Calls each(argument, ...) for every batch that holds a sequence >= from, in order. A status other
 * than OK from each ends the replay and is returned; CORRUPT: a batch can be read in neither copy
 * any more. The body is borrowed until each returns. May be called any time by the writer's thread;
 * sees what is durable. */
typedef enum status (*log_each)(void *argument, uint64_t first_sequence, uint32_t count,
                                int64_t time_us, const uint8_t *body, size_t size);
enum status log_replay(struct log *log, uint64_t from, log_each each, void *argument);

/* The hash of the batch that holds sequence, a durable one: it stands for every record up to the end
 * of that batch, in this order. CORRUPT: it can be read in neither copy. The writer's thread. */
enum status log_chain(struct log *log, uint64_t sequence, uint8_t chain[32]);

/* Can a batch of size bytes be taken now?  OK; BUSY (the buffer is full, or the next segment is not
 * ready yet: wait for the event); NOSPACE (no next segment: the disk is full; retried every second
 * by itself); TOOBIG (over half the buffer or over a segment: never); IOFAIL (the log has failed);
 * READONLY; NOMEMORY. */
enum status log_has_room(struct log *log, size_t size);

/* Adds a batch of count records with numbers first_sequence ..; copies body. log_has_room must have
 * said OK for size since the last append. first_sequence must be the last one plus 1. */
void log_append(struct log *log, uint64_t first_sequence, uint32_t count, int64_t time_us,
                const uint8_t *body, size_t size);

/* Highest sequence that is durable as promised by config.sync. Never moves back. */
uint64_t log_durable(const struct log *log);

/* True once a write or sync failed. The message says what and where; static until log_close. */
bool log_failed(const struct log *log, const char **message);

/* A file descriptor that becomes readable when log_durable or log_failed changed, or log_has_room
 * may say something better; the writer's thread clears it with log_event_clear. -1 with threads =
 * false. */
int log_event_fd(const struct log *log);
void log_event_clear(struct log *log);

/* threads = false: does one unit of the waiting work (write and sync copy 0, or copy 1, or prepare
 * a segment; chosen by pick, any number; when none of these waits, a head is brought up to date).
 * Returns false if nothing is waiting. A segment that could not be made for want of space is tried
 * again after log_has_room has said so. */
bool log_pump(struct log *log, uint32_t pick);

/* --- when one copy is lost ----------------------------------------------------------------------
 * May be called by any thread. */

enum log_mirror_state {
    LOG_MIRROR_BOTH,
    LOG_MIRROR_ALONE,    /* a copy is left out: what is acknowledged is on the other alone */
    LOG_MIRROR_RETURNING /* it is written to again, but has not everything yet */
};
struct log_mirror {
    enum log_mirror_state state;
    int lost;          /* the copy that is left out, or was last */
    bool degrade;      /* as it is in force: false on one device */
    uint64_t sequence; /* the last one that was durable in both when it was lost */
    uint64_t losses, resyncs, attempts;
    char message[256]; /* why it was lost, or why the last attempt to bring it back failed */
};
void log_mirror(const struct log *log, struct log_mirror *mirror);

/* Brings the lost copy back now, and does not wait for the next attempt by itself (after 5 seconds,
 * then ever more seldom, up to every 5 minutes). False: no copy is lost. */
bool log_mirror_resync(struct log *log);

/* --- looking at what is on the disk, beside the writer ------------------------------------------
 * log_segment_of belongs to the writer's thread; log_fetch and the scrubber to any one other. */

/* The segment that holds a sequence. */
uint64_t log_segment_of(const struct log *log, uint64_t sequence);

/* Calls each for the batch of that segment that holds sequence, a durable one, from the copy that
 * can be read. CORRUPT: neither can. The chain is not checked: only the batch itself. */
enum status log_fetch(struct log *log, uint64_t segment, uint64_t sequence, log_each each,
                      void *argument);

/* Reads segments that both copies have left behind, from the first one on and round and round; what
 * is damaged in one copy is written anew from the other. */
struct log_scrub;
struct log_scrub_stats {
    uint64_t bytes, segments, rounds; /* read, of both copies; read to the end; all of them */
    uint64_t repaired;                /* frames, headers and heads */
    uint64_t unrepaired;              /* good in one copy, and could not be written to the other */
    uint64_t lost;                    /* damaged in both copies */
    char message[256];                /* the last of these: file, sequence, what */
};
struct log_scrub *log_scrub_open(struct log *log); /* NULL: no memory */
/* Reads up to about so many bytes; returns how many: 0, if there is nothing to be read yet. */
uint64_t log_scrub_step(struct log_scrub *scrub, uint64_t bytes);
void log_scrub_stats(const struct log_scrub *scrub, struct log_scrub_stats *stats);
void log_scrub_close(struct log_scrub *scrub);

/* --- following the log while it is written --------------------------------------------------------
 * log_follow_open belongs to the writer's thread (or comes before it has one); the rest to any one
 * other, for each follower. Followers are closed before the log. Only reads; nothing that the writer
 * or the copies do waits for one, and the writer does not know that they are there. */

/* A place between two batches: all up to sequence, and the hash of the batch that ends with it. */
struct log_mark {
    uint8_t log_id[16];
    uint64_t sequence; /* 0: before the first; chain is then not looked at */
    uint8_t chain[32];
};

/* Follows from a place on: what log_follow_mark said, now or in an earlier process. NULL: from the
 * first batch. Ends: OK; BADDATA: this log does not have that place (another log, a shorter one, or
 * one with another history); CORRUPT: it cannot be read; NOMEMORY. */
struct log_follow;
enum status log_follow_open(struct log *log, const struct log_mark *from,
                            struct log_follow **follow);

/* Calls each for batches that are durable, in order, each once, until there are none left or about
 * so many bytes were read. OK also if there was nothing. A status of each ends the step and is
 * returned: that batch counts as given. CORRUPT: the next batch can be read in neither copy; the next
 * step tries again, for a disk may fail for a moment. NOMEMORY. */
enum status log_follow_step(struct log_follow *follow, uint64_t bytes, log_each each,
                            void *argument);
/* When the next batch was made, if one is durable that was not given yet: it is then the next that a
 * step gives. UNCHANGED: there is none; else as log_follow_step. */
enum status log_follow_next(struct log_follow *follow, int64_t *time_us);
/* After the last batch that was given. */
void log_follow_mark(const struct log_follow *follow, struct log_mark *mark);
/* Batches that the first copy did not have, and the second did. */
uint64_t log_follow_second(const struct log_follow *follow);
void log_follow_close(struct log_follow *follow); /* NULL is allowed */

struct log_stats {
    uint64_t appended_batches, appended_bytes;
    uint64_t syncs[2];
    uint64_t sync_us_total[2], sync_us_max[2];
    uint64_t mended_batches; /* found damaged in one copy by log_replay, and mended */
    uint64_t segments;
    uint64_t buffered_bytes;
};
void log_stats(const struct log *log, struct log_stats *stats);

/* Waits until everything appended is durable, seals the heads, closes. NULL is allowed. */
void log_close(struct log *log);

/* Reads every byte of both copies without changing anything, and compares them.
 * progress may be NULL; it gets bytes done and in all. Damage is told through finding, once. */
enum status log_verify(const struct log_config *config, struct log_report *report,
                       void (*progress)(void *argument, uint64_t done, uint64_t total),
                       void (*finding)(void *argument, const char *text), void *argument);

#endif
