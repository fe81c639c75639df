/* policy_table.h: windows by key, in a region of fixed size that is saved and restored as it is.
 *
 * A key is a hash of what is counted (verb, scope, span, shape), tenant and whose. A set of seven
 * ways answers for a key; where all seven are taken, the one whose content would expire first makes
 * room: what nobody can see any more first of all. What is lost that way is counted anew from zero,
 * which favours the one who is counted; lost_live tells how often it happened.
 *
 * Bytes, little endian: 512 of header (struct policy_table), then sets of 512:
 *   0   4 x 7   tag of each way: 0 empty, 1 second line of the way before it, else of its key
 *   28  4       0
 *   32  4 x 7   second at which its content expires, since the epoch
 *   60  4       0
 *   64  64 x 7  blocks (window.h); their first 4 bytes are the rest of the key. Wide ones begin in
 *               way 1, 3 or 5
 *
 * Memory: the caller's, aligned to 64; no pointers inside. The same calls leave the same bytes. */
#ifndef ZAN_ENGINE_POLICY_TABLE_H
#define ZAN_ENGINE_POLICY_TABLE_H

#include "engine/window.h"

#define POLICY_TABLE_VERSION 1
#define POLICY_TABLE_ALIGN   64
#define POLICY_TABLE_WAYS    7
#define POLICY_TABLE_DIGEST  32

struct policy_table {
    uint8_t magic[8]; /* "ZANPTAB1" */
    uint64_t bytes;   /* of the whole region, as used */
    uint64_t sets;
    uint64_t lost_live;                  /* blocks that made room while they still counted */
    uint64_t made;                       /* blocks ever begun */
    uint8_t digest[POLICY_TABLE_DIGEST]; /* of the policy's text; all 0: not told */
    uint8_t unused[440];
};

/* The block of a key, or NULL. */
const void *policy_table_find(const struct policy_table *table, uint64_t key, bool wide);

/* The block of a key, made from zeros if it is not there; it will expire at now_us + span_s. */
void *policy_table_take(struct policy_table *table, uint64_t key, const struct window_shape *shape,
                        int64_t now_us);

/* Where the block of a key seems to be, by the tags alone, or NULL: for prefetching. */
const void *policy_table_way(const struct policy_table *table, uint64_t key, bool wide);

void policy_table_prefetch(const struct policy_table *table, uint64_t key);

#endif
