/* hash.h: fast hashes that are part of formats and of placement; not for secrets. */
#ifndef ZAN_BASE_HASH_H
#define ZAN_BASE_HASH_H

#include <stdint.h>

/* A bijection that spreads every input bit (the finalizer of splitmix64, Steele et al. 2014). */
static inline uint64_t hash_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

/* Order matters: hash_two(a, b) is not hash_two(b, a). */
static inline uint64_t hash_two(uint64_t a, uint64_t b)
{
    return hash_mix(a * 0x9E3779B97F4A7C15ULL + hash_mix(b + 0x632BE59BD9B4E019ULL));
}

/* The partition (0 .. count - 1) an id belongs to: a range of its hash. Part of the formats: a data
 * directory made for one count cannot be opened with another. */
static inline uint16_t hash_partition(uint64_t id, uint16_t count)
{
    return (uint16_t)(((hash_mix(id) >> 32) * count) >> 32);
}

#endif
