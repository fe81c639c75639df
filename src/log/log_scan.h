/* log_scan.h: reads the two copies side by side, judges, and repairs.
 *
 * Both copies have every frame at the same place, so one walk serves both: at each place the next
 * frame is looked for in either. What is found decides (RELIABILITY 3.5):
 *
 *   in both copies, the same        go on
 *   in one copy                     go on; the other is damaged there (or, above the claim, late)
 *   in both, but different          refused: two histories
 *   in neither, and something says  refused, with the range of sequences: a valid head in either
 *   it was durable                  copy that claims more, a seal, data in a later segment
 *   in neither, and nothing says so the end: what follows is a torn tail, never acknowledged
 *
 * A claim is the best valid head of both copies: "durable in both up to here".
 * The walk runs twice: first it only reads, and refuses before a byte is changed; then it writes,
 * from the first segment that needs it. Each repair writes what the other copy has to the same
 * place, in place, so that it may be cut off anywhere and simply runs again. Above the last claim
 * everything kept is written anew in both copies and synced: after a failed sync the kernel may
 * show bytes that are not on the medium. Last comes a head that claims it all. */
#ifndef ZAN_LOG_SCAN_H
#define ZAN_LOG_SCAN_H

#include "log/log.h"
#include "log/log_file.h"

/* Bounds of a segment's size; below, header and heads would be most of it. */
#define LOG_SEGMENT_BYTES_MIN (16U << 10)
#define LOG_SEGMENT_BYTES_MAX (1U << 30)

/* A place in the log: after the frame that ends with sequence (0: before the first). */
struct log_place {
    uint64_t segment;
    uint64_t offset;
    uint64_t sequence;
    uint8_t chain[LOG_HASH_BYTES];
};

/* How each segment begins: the place in the chain before its first frame. By number - 1. */
struct log_index {
    struct log_start {
        uint64_t sequence;
        uint8_t chain[LOG_HASH_BYTES];
    } * start;
    size_t count;
    size_t capacity;
};

/* Room for one more entry; false if memory ran out. */
bool log_index_reserve(struct log_index *index);
void log_index_add(struct log_index *index, uint64_t sequence, const uint8_t *chain);

struct log_scan {
    struct log_dir dir[2];
    struct log_identity identity;
    bool trust_sealed;      /* do not read the inside of segments sealed alike in both copies */
    uint32_t full_segments; /* but of the newest ones */
    void (*progress)(void *argument, uint64_t done, uint64_t total);
    void (*finding)(void *argument, const char *text);
    void *argument;
    struct log_report *report; /* borrowed; message is set when a call ends badly */

    uint64_t *number; /* every segment number seen in either copy, ascending */
    size_t numbers;
    bool named[2]; /* log.id is whole in this copy */
    bool known[2]; /* it holds a log */
    /* A note says that this copy (-1: none) was left out: from this segment on it is as if it were
     * missing, and is made anew from the other. */
    int stale;
    uint64_t stale_from;
    int out; /* this copy (-1: none) cannot be used now: as if it were empty, and never written */
    int suspect; /* the copy whose disk the last refusal was about; -1: none */
    int error;   /* and what the disk said, -errno */
    struct log_window window[2];
    uint64_t done, total;
    uint64_t fix_from; /* the first segment the second walk must touch */
    uint64_t judged;   /* the last sequence, as the first walk found it */
    bool clean;        /* the first walk found nothing to do */

    struct log_index index;
    struct log_place end;
    uint64_t end_bytes;     /* size of the segment the end is in */
    uint64_t generation[2]; /* of the newest head in it */
    uint64_t spare_bytes;   /* size of the segment after it, if blank in both copies, else 0 */
};

static inline bool log_scan_is_stale(const struct log_scan *scan, int copy, uint64_t number)
{
    return copy == scan->stale && number >= scan->stale_from;
}

/* Is this copy there to be written? */
static inline bool log_scan_mends(const struct log_scan *scan, int copy)
{
    return copy != scan->out;
}

enum log_found { LOG_FOUND_NOTHING, LOG_FOUND_LOG };

/* Lists both copies and finds out whose they are. partition and partition_count of identity are
 * what is expected. */
enum status log_scan_begin(struct log_scan *scan, enum log_found *found);
/* The first walk: judges, changes nothing. */
enum status log_scan_judge(struct log_scan *scan);
/* The second walk: repairs. Only after log_scan_judge said OK. */
enum status log_scan_repair(struct log_scan *scan);
/* Frees all but the index, if keep_index. */
void log_scan_end(struct log_scan *scan, bool keep_index);

#endif
