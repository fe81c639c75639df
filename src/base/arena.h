/* arena.h: scratch memory that is reset whole.
 *
 * Memory: the block belongs to whoever called arena_make; pieces are borrowed until arena_reset.
 * Bound:  the block never grows; arena_take answers NULL when it is used up, which the caller turns
 *         into a smaller batch, never into a failure. */
#ifndef ZAN_BASE_ARENA_H
#define ZAN_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *bytes;
    size_t size;
    size_t used;
};

/* Aligned to 16. NULL if there is no room. */
static inline void *arena_take(struct arena *arena, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    void *piece;

    if (rounded < size || arena->size - arena->used < rounded)
        return NULL;
    piece = arena->bytes + arena->used;
    arena->used += rounded;
    return piece;
}

static inline void arena_reset(struct arena *arena)
{
    arena->used = 0;
}

#endif
