/* partition.h: one partition: its engine, log and store, and the loop that turns them.
 *
 * The turn itself (partition_turn) knows no sockets and no threads, so that the simulation can
 * drive it: requests come in as a batch, answers leave through `held`. */
#ifndef ZAN_NODE_PARTITION_H
#define ZAN_NODE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/policy_book.h"
#include "log/log.h"
#include "node/backlog.h"
#include "node/signals.h"
#include "store/hot.h"
#include "store/store.h"

struct partition_config {
    const struct disk *disk; /* for the log; tests pass one that fails */
    char log_dir[2][512];
    char mirror_dir[512]; /* for the note that a copy is lost; "": none */
    bool degrade;         /* one copy of the log may go on alone */
    char store_dir[512];
    struct store *store; /* not NULL: use this one, which outlives the partition (simulation) */
    const struct hot_config *hot; /* not NULL: these sizes, not those that memory_bytes gives */
    uint16_t index, count;
    enum log_sync sync;
    uint32_t group_us;
    uint64_t segment_bytes;
    uint64_t memory_bytes;
    int64_t operation_keep_us;
    int64_t erase_wait_us;
    struct disclose_rule disclose;
    int64_t flush_us; /* at most this long until state is at rest */
    bool create_unknown;
    struct signals_config signals; /* bytes 0: nothing is judged */
    size_t signals_spare;          /* bytes 0: what is taken once there are rules after all */
    struct book_hooks rules;       /* see engine/policy_book.h */
    const char *rules_text;        /* of the setting, borrowed */
    size_t rules_size;
    uint8_t rules_mark[32]; /* of what was set */
    bool clock_requests;    /* time is what the requests say (for simulation) */
    bool threads; /* log and flush have threads of their own; false: partition_pump does their work
                   */
    bool read_only; /* the log is only read; the store is one to be thrown away (zan verify) */
};

enum flush_state {
    FLUSH_IDLE,       /* nothing under way */
    FLUSH_COLLECTING, /* frozen; rows are copied aside, and the log catches up */
    FLUSH_WRITING,    /* the flush thread has it */
    FLUSH_DONE,       /* written; the loop will call hot_rest */
    FLUSH_RETRY       /* the disk is full: tried again every second */
};

struct flusher;

struct partition {
    struct partition_config config;
    struct hot *hot;
    struct store *store;
    struct log *log;
    struct engine engine;
    struct needs *needs;
    struct signals signals;
    struct backlog backlog;
    struct flusher *flusher;
    enum flush_state flush;
    uint64_t flush_sequence;                     /* what the flush under way stands for */
    uint64_t flush_marks[ENGINE_PARTITIONS_MAX]; /* as they were then */
    int64_t flushed_us;                          /* when the last flush began */
    uint64_t flush_hold;   /* effects of records above this are not durable yet: no flush */
    int64_t stalled_us;    /* since when no write could be taken; 0: not stalled */
    int64_t paced_us;      /* writes are slowed down: when pace_records was last reckoned; else 0 */
    int64_t pace_since_us; /* by the clock of the turns, as all three */
    int64_t pace_records;  /* so many more may be written now; below 0: a step took more */
    enum status failure;   /* not OK: the partition must stop */
    char message[256];     /* why */
    bool store_damaged;    /* a read or a flush said so: it is made again at the next start */
    bool distrusted;       /* the audit found damage */
    bool readonly;         /* that, or the scrubber found some, or it was ordered: no writes */
    bool nospace;          /* the log or the store waits for space */
    int64_t cases_us;      /* when cases were last looked at */
    bool sweeping;         /* one is under way: go on at once */
    uint64_t turns;
};

struct partition_report {
    struct log_report log;
    uint64_t replayed;
    bool rebuilt;
    bool signals_lost; /* what the judges had seen lately is not there: they begin anew */
    char message[256];
};

/* progress(argument, done, total) is called while replaying; may be NULL.
 * outbox(argument, effect) gets the effects of replayed records; may be NULL with one partition. */
struct partition_open_hooks {
    void *argument;
    void (*progress)(void *argument, uint64_t done, uint64_t total);
    void (*outbox)(void *argument, const struct effect *effect);
    /* Sees a record before the replay applies it, its rows in memory; not OK ends the replay. */
    enum status (*before)(void *argument, struct engine *engine, const struct record *record);
    void (*wake)(void *argument); /* the flush thread has news for the loop */
    /* if not 0: once the replay has reached this sequence, and the store stands for it */
    uint64_t pause_at;
    enum status (*paused)(void *argument, struct store *store);
};

/* The outbox of who only looks: nobody is told. */
void partition_no_outbox(void *argument, const struct effect *effect);

enum status partition_open(struct partition *partition, const struct partition_config *config,
                           const struct partition_open_hooks *hooks,
                           struct partition_report *report);

/* One step of the loop over batch->requests[from ..]: loads, decides, appends. Returns up to where
 * the batch is answered (exclusive); from itself if nothing could be taken now (stalled).
 * The replies are valid until the next call; they may be told once log_durable reaches *need.
 * The effects are in partition->engine.effects until the next call. */
uint32_t partition_turn(struct partition *partition, struct batch *batch, uint32_t from,
                        int64_t now_us, uint64_t *need);

/* Takes over effects of other partitions; returns how many of them (the rest: later). */
uint32_t partition_take(struct partition *partition, const struct record *const *effects,
                        uint32_t count, int64_t now_us, uint64_t *need);

/* Scores held likes again that are due; returns how many. need as in partition_turn. */
uint32_t partition_settle(struct partition *partition, int64_t now_us, uint64_t *need);
bool partition_has_due(const struct partition *partition, int64_t now_us);

/* If the setting `policy` is another one than when people last decided: records that it is in
 * force. False: not now (need to ask again if *again), or there was nothing to record. */
bool partition_setting(struct partition *partition, int64_t now_us, uint64_t *need, bool *again);

/* What rules are judged with, made ready on a partition that had nothing. */
struct judges *partition_judges(struct partition *partition);

/* One step of what cases ask for: a sweep, an expiry. True: something was recorded, *need as for a
 * turn, and the effects are in partition->engine.effects. */
bool partition_cases(struct partition *partition, int64_t now_us, int64_t steady_us,
                     uint64_t *need);

/* Moves the flush along; call once in every round of the loop, with a clock of its own that never
 * moves back. False: the partition has failed. */
bool partition_tend(struct partition *partition, int64_t steady_us);

/* How long the loop may sleep at most, in milliseconds, or -1. */
int partition_sleep_ms(const struct partition *partition);

/* threads = false: one unit of the work that threads would do. False: nothing to do. */
bool partition_pump(struct partition *partition, uint32_t pick);

/* The state is not what the log says: from now on writes are refused (READONLY), and the next start
 * makes the store again from the log. */
void partition_distrust(struct partition *partition);

/* Writes everything to the store (when stopping, or rebuilding). */
enum status partition_flush_all(struct partition *partition);

/* Without waiting for anything: what a crash leaves is on the disk. */
void partition_close(struct partition *partition);

#endif
