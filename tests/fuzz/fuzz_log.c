/* The decoders of the log's bytes, and the walk over a segment file of any content.
 *
 * First byte: which. Whatever is taken must be what the encoder would have written: decode, encode,
 * compare. Hashes are mended first if the second byte is odd, or the fuzzer would never get past
 * them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "log/log_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *bytes, size_t hashed)
{
    digest_sha256(bytes, hashed, NULL, 0, bytes + hashed);
}

static void try_header(uint8_t *block, bool mended)
{
    struct log_header header;
    uint8_t again[LOG_BLOCK_BYTES];

    if (mended)
        mend(block, 48);
    if (!log_header_decode(block, &header))
        return;
    log_header_encode(&header, again);
    assert(memcmp(block, again, sizeof again) == 0);
}

static void try_head(uint8_t *block, bool mended)
{
    struct log_head head;
    uint8_t again[LOG_BLOCK_BYTES];

    if (mended)
        mend(block, 96);
    if (!log_head_decode(block, &head))
        return;
    log_head_encode(&head, again);
    assert(memcmp(block, again, sizeof again) == 0);
}

static void try_frame(uint8_t *bytes, size_t size, bool mended)
{
    struct log_frame frame;
    uint8_t *again;
    size_t taken;

    if (size < LOG_FRAME_BYTES || (taken = log_frame_peek(bytes, size)) == 0)
        return;
    assert(taken <= size && taken % 8 == 0 && taken >= LOG_FRAME_BYTES);
    if (mended)
        digest_sha256(bytes, 80, bytes + LOG_FRAME_BYTES, get_u32(bytes + 8) - LOG_FRAME_BYTES,
                      bytes + 80);
    if (!log_frame_decode(bytes, taken, &frame))
        return;
    assert(log_frame_room(frame.body_bytes) == taken);
    again = malloc(taken);
    assert(again != NULL);
    log_frame_encode(&frame, again);
    assert(memcmp(bytes, again, taken) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t block[LOG_BLOCK_BYTES] = {0};
    uint8_t *copy;

    if (size < 2)
        return 0;
    memcpy(block, data + 2, size - 2 < sizeof block ? size - 2 : sizeof block);
    if (data[0] % 3 == 0)
        try_header(block, data[1] % 2 == 1);
    if (data[0] % 3 == 1)
        try_head(block, data[1] % 2 == 1);
    if (data[0] % 3 == 2) {
        copy = malloc(size - 2 +
                      1); /* of its very size, so that a sanitizer sees every step past it */
        assert(copy != NULL);
        memcpy(copy, data + 2, size - 2);
        try_frame(copy, size - 2, data[1] % 2 == 1);
        free(copy);
    }
    return 0;
}
