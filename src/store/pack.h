/* pack.h: rows as bytes, and back. The keys are in key.h; a value does not repeat its key.
 *
 * Integers are LEB128 varints unless a width is given; "time" is zigzag(time_us - PACK_TIME_BASE),
 * which is a byte shorter than the plain number for some nine years around now.
 *
 *   account    [1] state | tier << 2 | visibility << 4, varint fields, varint mask given, varint mask
 *              received, then what the fields name: until, first (times), taken_back; the counts of
 *              the masks; then what the fields name: credit, epoch, [1] cut and its time, limited
 *              verbs and their time, zigzag points, case, reports upheld and dismissed; balance,
 *              granted, spent, owed, from, until of the budget; privacy (erase, [1]
 *              switches); region
 *   item       [1] state | has_creator << 7, varint fields, varint mask counts, then: first (time),
 *              creator, duration_ms, watch_ms, taken_back; the counts of the mask; then: credit with
 *              varint mask reasons and the counts of that mask; zigzag(peak - likes) and its time;
 *              end of the window (time) and its case; fading_q16 and its time, horizon, frozen likes
 *              and weight, the freeze's two times, loss, paid; what its views lack to full weight, in percent;
 *              published (seconds) and [1] repost; of the campaign budget, spent, until, [1] hold-out;
 *              of a pause until (seconds), five held totals, [1] by whom
 *   credit     held, quarantined, voided, and what the rest lacks to full weight, in percent
 *   edge       [1] on | weighed << 1 | min(flips, 63) << 2, varint sequence, time, varint flips if 63
 *              or more; if weighed [1] weight_pct, [1] mark | reason << 4, else in full
 *   inbox      varint last, read, time read_us, varint count; each: [4] kind, verb, how, quiet, varint
 *              id - the one before, varint target, other, times time_us, until_us, varint count
 *   operation  time, [8] content, [1] status, [1] applied, varint sequence
 *              (the time leads: the compaction filter reads nothing else)
 *   list       [1] width of ids; the newest entry: varint sequence - lowest of the key, time,
 *              [width] other; every further one: varint sequence before - sequence, zigzag(time
 *              before - time), [width] other; up to the end of the value
 *   meta       [4] "ZanS", [2] version, [2] partition, [2] partition count, [16] log id,
 *              [8] applied, [8] newest time, [8] edges, [8] keys, varint per mark
 *
 * Holds always: unpack(pack(row)) is row. A value that no pack wrote is refused (false), never
 *               trusted: sizes, ranges and trailing bytes are checked.
 * Memory:       the caller owns everything; nothing is allocated. */
#ifndef ZAN_STORE_PACK_H
#define ZAN_STORE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/row.h"
#include "store/store.h"

#define PACK_TIME_BASE 1700000000000000LL /* 2023-11-14 */
#define PACK_VERSION                                                                              \
    9 /* 1: before likes had weights; 2: before what was taken back fades; 3: before erasure;     \
         4: before rules were versioned; 5: before views had weights;
         6: before accounts had regions; 7: before items had campaigns;
         8: before growth could be paused */

/* No row is longer: heads, masks, and some 45 integers of at most 10 bytes. */
#define PACK_ROW_BYTES_MAX 512

/* A case: some 40 integers and its texts. */
#define PACK_POLICY_BYTES_MAX (256 + 32 + 2 * POLICY_REASON_MAX + POLICY_TEXT_KEPT)
#define PACK_CASE_BYTES_MAX (16 + 48 * 10 + CASE_TEXTS * (1 + CASE_TEXT_MAX))

/* An inbox: its head, and 9 integers a notice. */
#define PACK_INBOX_BYTES_MAX (40 + NOTICES_MAX * 56)

/* Entries in one row of a list. A page of 100 somewhere in a long list decodes at most this many
 * too much; at 256 the key and the block's bookkeeping (35 bytes) are lost in the noise. */
#define PACK_LIST_MAX       256
#define PACK_LIST_BYTES_MAX (1 + PACK_LIST_MAX * 28)

size_t pack_account(uint8_t *bytes, const struct account_row *row);
size_t pack_item(uint8_t *bytes, const struct item_row *row);
size_t pack_edge(uint8_t *bytes, const struct edge_row *row);
size_t pack_case(uint8_t *bytes, const struct case_row *row); /* PACK_CASE_BYTES_MAX */
size_t pack_inbox(uint8_t *bytes, const struct inbox_row *row); /* PACK_INBOX_BYTES_MAX */
size_t pack_policy(uint8_t *bytes, const struct policy_row *row); /* PACK_POLICY_BYTES_MAX */
size_t pack_operation(uint8_t *bytes, const struct operation_row *row);

/* The key's fields of row are left alone. */
bool unpack_account(const uint8_t *bytes, size_t size, struct account_row *row);
bool unpack_item(const uint8_t *bytes, size_t size, struct item_row *row);
bool unpack_edge(const uint8_t *bytes, size_t size, struct edge_row *row);
bool unpack_case(const uint8_t *bytes, size_t size, struct case_row *row);
bool unpack_inbox(const uint8_t *bytes, size_t size, struct inbox_row *row);
bool unpack_policy(const uint8_t *bytes, size_t size, struct policy_row *row);
bool unpack_operation(const uint8_t *bytes, size_t size, struct operation_row *row);
/* Only the time of an operation. */
bool unpack_operation_time(const uint8_t *bytes, size_t size, int64_t *time_us);

/* count from 1 to PACK_LIST_MAX; sequences strictly falling. The key's lowest is the last one's. */
size_t pack_list(uint8_t *bytes, const struct store_entry *entries, uint32_t count);

/* Walks the entries of a row. next: 1 an entry, 0 the end, -1 the bytes are damaged. */
struct unpack_list {
    const uint8_t *bytes;
    size_t size;
    uint64_t lowest;
    struct store_entry last;
    unsigned width;
    bool begun;
};
bool unpack_list_begin(struct unpack_list *list, const uint8_t *bytes, size_t size,
                       uint64_t lowest);
int unpack_list_next(struct unpack_list *list, struct store_entry *entry);

struct pack_meta {
    uint16_t partition;
    uint16_t partition_count;
    uint8_t log_id[16];
    uint64_t applied;
    int64_t newest_us; /* of all edges and operations ever flushed */
    uint64_t edges;    /* about how many there are */
    uint64_t keys;     /* about how many rows there are, lists not counted: sizes the key filter */
};
size_t pack_meta_bytes_max(uint16_t partition_count);
size_t pack_meta(uint8_t *bytes, const struct pack_meta *meta, const uint64_t *marks);
/* The fixed part. False: not a meta row. *version is set if it is one of any version. */
bool unpack_meta(const uint8_t *bytes, size_t size, struct pack_meta *meta, uint16_t *version);
/* marks has room for partition_count; call after unpack_meta said true. */
bool unpack_marks(const uint8_t *bytes, size_t size, uint64_t *marks, uint16_t partition_count);

#endif
