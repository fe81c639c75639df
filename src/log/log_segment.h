/* log_segment.h: the inside of the scan: what is known of the segment under the walk, and the calls
 * of log_find.c, log_segment.c and log_mend.c that log_scan.c puts in order. */
#ifndef ZAN_LOG_SEGMENT_H
#define ZAN_LOG_SEGMENT_H

#include "log/log_scan.h"

enum slot { SLOT_EMPTY, SLOT_VALID, SLOT_BAD };

/* What is known of the segment under the walk. */
struct segment {
    uint64_t number;
    uint64_t bytes;
    struct log_header header;
    bool missing[2], header_bad[2], size_bad[2];
    enum slot slot[2][2];
    struct log_head head[2][2];
    bool claimed;          /* there is a valid head in either copy */
    struct log_head claim; /* the one that claims most */
    bool claim_met;        /* the walk came exactly by where the claim ends */
    bool damaged[2];
};

/* ---- Telling (log_find.c) ----------------------------------------------------------------- */

/* Puts why not into the report; returns status. */
__attribute__((format(printf, 3, 4))) enum status
log_refuse(struct log_scan *scan, enum status status, const char *format, ...);
enum status log_refuse_io(struct log_scan *scan, int copy, uint64_t number, const char *what,
                          int error);
/* Damage in one copy: counted once a segment, told every time. */
__attribute__((format(printf, 4, 5))) void
log_damage(struct log_scan *scan, struct segment *segment, int copy, const char *format, ...);
void log_advance(struct log_scan *scan, uint64_t bytes);

/* ---- One segment (log_segment.c) ---------------------------------------------------------- */

/* Opens it in both copies, and finds out its size and what is claimed of it. */
enum status log_segment_load(struct log_scan *scan, struct segment *segment, uint64_t number,
                             bool write);
/* In one copy only; header is set if segment->header_bad[copy] is not. */
enum status log_segment_load_copy(struct log_scan *scan, struct segment *segment, int copy,
                                  bool write, struct log_header *header);
bool log_segment_has_head(const struct segment *segment, int copy);
/* Counts what is wrong with header and size as damage. */
void log_segment_tell(struct log_scan *scan, struct segment *segment);
/* The offset after the last byte of [from, to) in one copy that is not zero, or cannot be read;
 * from, if there is none. */
uint64_t log_segment_used(struct log_scan *scan, int copy, uint64_t from, uint64_t to);
/* Do the heads of this copy say what head says, and is no slot bad? */
bool log_heads_settled(const struct segment *segment, int copy, const struct log_head *head);
uint64_t log_newest_generation(const struct segment *segment, int copy);

/* ---- Mending (log_mend.c) ----------------------------------------------------------------- */

enum status log_mend_write(struct log_scan *scan, int copy, uint64_t number, uint64_t offset,
                           const uint8_t *bytes, size_t size);
enum status log_mend_sync(struct log_scan *scan, uint64_t number);
/* The file is there in both copies, of the right size, with its header. */
enum status log_mend_header(struct log_scan *scan, const struct segment *segment);
/* Writes the head until it stands and no slot is bad; always over the slot that says less. */
enum status log_mend_heads(struct log_scan *scan, struct segment *segment, int copy,
                           struct log_head head);

#endif
