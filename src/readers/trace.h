/* trace.h: a running hash of what was read of each partition, by which one can tell that each
 * decision was read once and in order.
 *
 * With one partition a reader's digest is of the trace and of all that the reader holds. With
 * several it is of the trace alone: between partitions there is no order, and what depends on one
 * (the last bit of a sum of doubles, which row is the coldest) ends otherwise in another. */
#ifndef ZAN_READERS_TRACE_H
#define ZAN_READERS_TRACE_H

#include "base/digest.h"
#include "base/hash.h"
#include "readers/reader.h"

struct trace {
    uint64_t of[READER_PARTITIONS_MAX];
};

static inline void trace_read(struct trace *trace, uint16_t partition, const struct record *record)
{
    uint64_t hash = hash_two(trace->of[partition], record->sequence);

    hash = hash_two(hash, record->account ^ (uint64_t)record->kind << 56);
    trace->of[partition] = hash_two(hash, record->target);
}

/* state: a digest of what the reader holds; zeroes where it is not part of it. */
static inline void trace_digest(const struct trace *trace, const uint8_t state[DIGEST_BYTES],
                                uint8_t digest[DIGEST_BYTES])
{
    digest_sha256(trace->of, sizeof trace->of, state, DIGEST_BYTES, digest);
}

#endif
