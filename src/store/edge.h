/* edge.h: the key of an edge with its hash, made once for memory and for the filter of what is at
 * rest. The hash is no part of any format. */
#ifndef ZAN_STORE_EDGE_H
#define ZAN_STORE_EDGE_H

#include <stdint.h>

#include "base/hash.h"

struct edge_key {
    uint64_t account, target;
    uint64_t hash;
    uint16_t tenant;
    uint8_t kind; /* enum edge_kind */
};

/* The first half is the same for all targets of an account: in a loop it is taken out of it. */
static inline struct edge_key edge_key_make(uint16_t tenant, uint8_t kind, uint64_t account,
                                            uint64_t target)
{
    uint64_t begin = hash_mix(account + ((uint64_t)tenant << 48) + ((uint64_t)kind << 40));

    return (struct edge_key){.account = account,
                             .target = target,
                             .hash = hash_mix(begin + target * 0x9E3779B97F4A7C15ULL),
                             .tenant = tenant,
                             .kind = kind};
}

#endif
