/* pool.h: buffers in four sizes, lent to connections and taken back.
 *
 * A connection borrows a buffer only while bytes of it wait, so ten thousand idle ones cost
 * nothing. Last in, first out: the buffer lent next is the one still in the cache.
 *
 * Memory: the pool owns every buffer. Up to POOL_KEEP bytes of returned ones are kept, the rest
 *         goes back to the heap.
 * Bound:  lent_max; past it pool_take answers NULL. */
#ifndef ZAN_SERVE_POOL_H
#define ZAN_SERVE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum pool_size { POOL_4K, POOL_16K, POOL_64K, POOL_256K, POOL_SIZES };

#define POOL_KEEP (16u << 20)

struct pool {
    void *kept[POOL_SIZES]; /* lists through the first word */
    uint64_t kept_bytes;
    uint64_t lent_bytes;
    uint64_t lent_max;
};

static inline uint32_t pool_bytes(enum pool_size size)
{
    return 4096u << (2 * (unsigned)size);
}

/* The smallest size that holds bytes; POOL_SIZES if none does. */
enum pool_size pool_size_for(size_t bytes);

void pool_open(struct pool *pool, uint64_t lent_max);

/* Everything lent must have come back. */
void pool_close(struct pool *pool);

void *pool_take(struct pool *pool, enum pool_size size);
void pool_give(struct pool *pool, enum pool_size size, void *buffer);

#endif
