/* log_format.h: the bytes of the log. Pure: no disk, no memory of its own.
 *
 * Segment file NNNNNNNNNNNNNNNN.zlog (decimal, from 1), of one fixed size, zero where nothing was
 * written yet. Integers are little endian. What a table does not name is zero, and checked.
 *
 *        0  4096  segment header, written once, when the file is made
 *     4096  4096  head slot 0 \ alternating by generation; the valid one with the highest
 *     8192  4096  head slot 1 / generation counts
 *    12288     .  frames, one after the other, each padded with zeros to 8 bytes
 *
 * Header, and log.id (the same with number 0 and bytes 0):
 *    offset size
 *         0    4  "ZSEG"
 *         4    2  format version, 1
 *         6    2  partition
 *         8    2  partition_count
 *        16    8  number of the segment
 *        24    8  size of the file
 *        32   16  log id
 *        48   32  SHA-256 of bytes 0..47
 *
 *    It holds neither the first sequence nor the previous hash, although both are wanted there at
 *    first thought: the first frame and the seal of the segment before tell them, and a header
 *    that is whole before the file gets its name leaves no half-born segment to reason about.
 *
 * Head: "all up to here is durable in BOTH copies". Written with a group's own sync, so it tells of
 * the group before; a power cut can therefore never leave a head that points past the data.
 *         0    4  "ZHED"
 *         4    2  format version, 1
 *         6    2  flags: 1 sealed (the segment ends here, and the next one exists)
 *         8    8  generation, from 1; slot = generation mod 2
 *        16    8  number of the segment
 *        24    8  last durable sequence
 *        32    8  offset of the end of the frame that holds it
 *        40   16  log id
 *        64   32  hash of that frame
 *        96   32  SHA-256 of bytes 0..95
 *
 * Note: the file `mirror`, in the directory of each copy and in a third place (log_mirror.c).
 *         0    4  "ZMIR"
 *         4    2  format version, 1
 *         6    2  0: both copies are whole; 1, 2: only the first, the second, and the other is
 * stale 8    8  era, from 1: of two notes the one with the higher era is true 16    8  the first
 * segment of the other copy that cannot be trusted; 0 if both are whole 24    8  last sequence that
 * was durable in both 32   16  log id 48   32  SHA-256 of bytes 0..47
 *
 * Frame: one batch.
 *         0    4  "ZFRM"
 *         4    2  format version, 1
 *         6    2  partition
 *         8    4  size of header and body, without padding
 *        12    4  count of records, greater than 0
 *        16    8  sequence of the first
 *        24    8  time_us
 *        32    8  epoch: number of the owner's claim; 0 as long as a log has one owner
 *        48   32  hash of the frame before
 *        80   32  SHA-256 of bytes 0..79 and the body
 *       112    .  body
 *    The first frame's "hash before" is made from the log's identity (log_genesis), so that frames
 *    of two logs can never be taken for each other. */
#ifndef ZAN_LOG_FORMAT_H
#define ZAN_LOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_FORMAT_VERSION 1
#define LOG_BLOCK_BYTES    4096
#define LOG_DATA_OFFSET    (3 * LOG_BLOCK_BYTES)
#define LOG_FRAME_BYTES    112
#define LOG_ID_BYTES       16
#define LOG_HASH_BYTES     32

#define LOG_FRAME_MAGIC 0x4D52465AU /* "ZFRM" */

struct log_identity {
    uint8_t id[LOG_ID_BYTES];
    uint16_t partition;
    uint16_t partition_count;
};

struct log_header {
    struct log_identity identity;
    uint64_t number;
    uint64_t bytes;
};

struct log_head {
    uint8_t id[LOG_ID_BYTES];
    bool sealed;
    uint64_t generation;
    uint64_t segment;
    uint64_t sequence;
    uint64_t offset;
    uint8_t chain[LOG_HASH_BYTES];
};

struct log_note {
    uint8_t id[LOG_ID_BYTES];
    uint64_t era;     /* 0: there is none */
    int alone;        /* the copy that is whole, or -1: both are */
    uint64_t segment; /* from here on the other one is stale */
    uint64_t sequence;
};

/* A frame in place: body, prev and hash point into the bytes it was decoded from. */
struct log_frame {
    uint16_t partition;
    uint32_t count;
    uint64_t first_sequence;
    int64_t time_us;
    uint64_t epoch;
    const uint8_t *prev;
    const uint8_t *hash;
    const uint8_t *body;
    size_t body_bytes;
};

/* block has LOG_BLOCK_BYTES. A decoder returns false for anything but what its encoder writes. */
void log_header_encode(const struct log_header *header, uint8_t *block);
bool log_header_decode(const uint8_t *block, struct log_header *header);
void log_head_encode(const struct log_head *head, uint8_t *block);
bool log_head_decode(const uint8_t *block, struct log_head *head);
void log_note_encode(const struct log_note *note, uint8_t *block);
bool log_note_decode(const uint8_t *block, struct log_note *note);

/* The bytes a frame takes in the file, padding included. */
size_t log_frame_room(size_t body_bytes);
/* Writes header, body and padding (log_frame_room bytes); body may be in place already.
 * Sets frame->hash to the place of the hash written. */
void log_frame_encode(struct log_frame *frame, uint8_t *bytes);
/* From the first LOG_FRAME_BYTES alone: how much a frame here would take; 0 if it cannot be one or
 * is over room. Says nothing about its truth. */
size_t log_frame_peek(const uint8_t *bytes, size_t room);
/* bytes must have what log_frame_peek said. Checks all: hash, padding, reserved bytes. */
bool log_frame_decode(const uint8_t *bytes, size_t size, struct log_frame *frame);

/* What the first frame of a log names as the hash before it. */
void log_genesis(const struct log_identity *identity, uint8_t chain[LOG_HASH_BYTES]);

bool log_is_zero(const uint8_t *bytes, size_t size);

#endif
