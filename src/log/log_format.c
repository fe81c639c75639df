#include "log/log_format.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/hook.h"

static const uint8_t segment_magic[4] = {'Z', 'S', 'E', 'G'};
static const uint8_t head_magic[4] = {'Z', 'H', 'E', 'D'};
static const uint8_t frame_magic[4] = {'Z', 'F', 'R', 'M'};
static const uint8_t note_magic[4] = {'Z', 'M', 'I', 'R'};

#define HEADER_HASHED 48
#define HEAD_HASHED   96
#define NOTE_HASHED   48
#define FRAME_HASHED  80

static_assert(LOG_HASH_BYTES == DIGEST_BYTES, "the chain is SHA-256");
static_assert(FRAME_HASHED + LOG_HASH_BYTES == LOG_FRAME_BYTES, "the hash closes the header");

bool log_is_zero(const uint8_t *bytes, size_t size)
{
    /* Compared with itself, one byte on: memcmp then does the work, word by word. */
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static void put_start(uint8_t *bytes, const uint8_t magic[4])
{
    memcpy(bytes, magic, 4);
    put_u16(bytes + 4, LOG_FORMAT_VERSION);
}

static bool start_is(const uint8_t *bytes, const uint8_t magic[4])
{
    return memcmp(bytes, magic, 4) == 0 && get_u16(bytes + 4) == LOG_FORMAT_VERSION;
}

/* Blocks close with the hash of what is above it, then zeros. */
static void close_block(uint8_t *block, size_t hashed)
{
    digest_sha256(block, hashed, NULL, 0, block + hashed);
}

static bool block_is_whole(const uint8_t *block, size_t hashed)
{
    uint8_t digest[DIGEST_BYTES];
    size_t used = hashed + DIGEST_BYTES;

    digest_sha256(block, hashed, NULL, 0, digest);
    return memcmp(digest, block + hashed, DIGEST_BYTES) == 0 &&
           log_is_zero(block + used, LOG_BLOCK_BYTES - used);
}

void log_header_encode(const struct log_header *header, uint8_t *block)
{
    memset(block, 0, LOG_BLOCK_BYTES);
    put_start(block, segment_magic);
    put_u16(block + 6, header->identity.partition);
    put_u16(block + 8, header->identity.partition_count);
    put_u64(block + 16, header->number);
    put_u64(block + 24, header->bytes);
    memcpy(block + 32, header->identity.id, LOG_ID_BYTES);
    close_block(block, HEADER_HASHED);
}

bool log_header_decode(const uint8_t *block, struct log_header *header)
{
    if (!start_is(block, segment_magic) || !block_is_whole(block, HEADER_HASHED) ||
        !log_is_zero(block + 10, 6))
        return false;

    header->identity.partition = get_u16(block + 6);
    header->identity.partition_count = get_u16(block + 8);
    header->number = get_u64(block + 16);
    header->bytes = get_u64(block + 24);
    memcpy(header->identity.id, block + 32, LOG_ID_BYTES);
    return true;
}

void log_head_encode(const struct log_head *head, uint8_t *block)
{
    memset(block, 0, LOG_BLOCK_BYTES);
    put_start(block, head_magic);
    put_u16(block + 6, head->sealed ? 1 : 0);
    put_u64(block + 8, head->generation);
    put_u64(block + 16, head->segment);
    put_u64(block + 24, head->sequence);
    put_u64(block + 32, head->offset);
    memcpy(block + 40, head->id, LOG_ID_BYTES);
    memcpy(block + 64, head->chain, LOG_HASH_BYTES);
    close_block(block, HEAD_HASHED);
}

bool log_head_decode(const uint8_t *block, struct log_head *head)
{
    if (!start_is(block, head_magic) || !block_is_whole(block, HEAD_HASHED) ||
        get_u16(block + 6) > 1 || !log_is_zero(block + 56, 8))
        return false;

    head->sealed = get_u16(block + 6) == 1;
    head->generation = get_u64(block + 8);
    head->segment = get_u64(block + 16);
    head->sequence = get_u64(block + 24);
    head->offset = get_u64(block + 32);
    memcpy(head->id, block + 40, LOG_ID_BYTES);
    memcpy(head->chain, block + 64, LOG_HASH_BYTES);
    return true;
}

void log_note_encode(const struct log_note *note, uint8_t *block)
{
    memset(block, 0, LOG_BLOCK_BYTES);
    put_start(block, note_magic);
    put_u16(block + 6, (uint16_t)(note->alone + 1));
    put_u64(block + 8, note->era);
    put_u64(block + 16, note->segment);
    put_u64(block + 24, note->sequence);
    memcpy(block + 32, note->id, LOG_ID_BYTES);
    close_block(block, NOTE_HASHED);
}

bool log_note_decode(const uint8_t *block, struct log_note *note)
{
    if (!start_is(block, note_magic) || !block_is_whole(block, NOTE_HASHED) ||
        get_u16(block + 6) > 2)
        return false;

    note->alone = (int)get_u16(block + 6) - 1;
    note->era = get_u64(block + 8);
    note->segment = get_u64(block + 16);
    note->sequence = get_u64(block + 24);
    memcpy(note->id, block + 32, LOG_ID_BYTES);
    return note->era > 0 && (note->alone >= 0) == (note->segment > 0);
}

size_t log_frame_room(size_t body_bytes)
{
    return (LOG_FRAME_BYTES + body_bytes + 7) & ~(size_t)7;
}

void log_frame_encode(struct log_frame *frame, uint8_t *bytes)
{
    size_t size = LOG_FRAME_BYTES + frame->body_bytes;

    assert(frame->body_bytes <= UINT32_MAX - LOG_FRAME_BYTES);
    assert(frame->count > 0 && frame->first_sequence > 0);

    memset(bytes, 0, FRAME_HASHED);
    put_start(bytes, frame_magic);
    put_u16(bytes + 6, frame->partition);
    put_u32(bytes + 8, (uint32_t)size);
    put_u32(bytes + 12, frame->count);
    put_u64(bytes + 16, frame->first_sequence);
    put_u64(bytes + 24, (uint64_t)frame->time_us);
    put_u64(bytes + 32, frame->epoch);
    memcpy(bytes + 48, frame->prev, LOG_HASH_BYTES);
    if (frame->body != bytes + LOG_FRAME_BYTES && frame->body_bytes > 0)
        memcpy(bytes + LOG_FRAME_BYTES, frame->body, frame->body_bytes);
    memset(bytes + size, 0, log_frame_room(frame->body_bytes) - size);
    digest_sha256(bytes, FRAME_HASHED, bytes + LOG_FRAME_BYTES, frame->body_bytes,
                  bytes + FRAME_HASHED);
    frame->hash = bytes + FRAME_HASHED;
}

size_t log_frame_peek(const uint8_t *bytes, size_t room)
{
    uint32_t size = get_u32(bytes + 8);

    if (!start_is(bytes, frame_magic) || size < LOG_FRAME_BYTES || size > room)
        return 0;

    size_t taken = log_frame_room(size - LOG_FRAME_BYTES);

    return taken <= room ? taken : 0;
}

bool log_frame_decode(const uint8_t *bytes, size_t size, struct log_frame *frame)
{
    uint8_t digest[DIGEST_BYTES];

    if (size < LOG_FRAME_BYTES || log_frame_peek(bytes, size) != size)
        return false;

    size_t used = get_u32(bytes + 8);

    digest_sha256(bytes, FRAME_HASHED, bytes + LOG_FRAME_BYTES, used - LOG_FRAME_BYTES, digest);
    if (memcmp(digest, bytes + FRAME_HASHED, DIGEST_BYTES) != 0 && !PLANTED("log.skip_hash_check"))
        return false;
    if (!log_is_zero(bytes + used, size - used) || !log_is_zero(bytes + 40, 8))
        return false;

    frame->partition = get_u16(bytes + 6);
    frame->count = get_u32(bytes + 12);
    frame->first_sequence = get_u64(bytes + 16);
    frame->time_us = (int64_t)get_u64(bytes + 24);
    frame->epoch = get_u64(bytes + 32);
    frame->prev = bytes + 48;
    frame->hash = bytes + FRAME_HASHED;
    frame->body = bytes + LOG_FRAME_BYTES;
    frame->body_bytes = used - LOG_FRAME_BYTES;
    return frame->count > 0 && frame->first_sequence > 0 &&
           frame->first_sequence <= UINT64_MAX - frame->count;
}

void log_genesis(const struct log_identity *identity, uint8_t chain[LOG_HASH_BYTES])
{
    uint8_t bytes[LOG_ID_BYTES + 4];

    memcpy(bytes, identity->id, LOG_ID_BYTES);
    put_u16(bytes + LOG_ID_BYTES, identity->partition);
    put_u16(bytes + LOG_ID_BYTES + 2, identity->partition_count);
    digest_sha256("zan log 1", 9, bytes, sizeof bytes, chain);
}
