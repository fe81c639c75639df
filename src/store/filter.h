/* filter.h: "certainly not at rest", answered from one cache line.
 *
 * A blocked Bloom filter: a key's hash picks one 64-byte block, and 6 of its 512 bits. A key that was
 * added is always found; one that was not is found by mistake now and then: at 8 bits a key 2.4 %
 * of the time, at 12 bits 0.43 %, at 16 bits 0.12 % (measured by test_filter; a Bloom filter spread
 * over all of memory would be at 2.2 %, 0.31 % and 0.05 %, for 2 to 6 cache misses instead of 1).
 *
 * A filter cannot be enlarged, so a set that may grow is a stack of layers, each twice the one
 * before: adding goes to the newest, asking asks all. A restart puts all into one again.
 *
 * Threads:  any number may ask while others add; bits are only ever set, with relaxed atomics. A
 *           reader that learned of a key through anything that synchronizes (a lock, a release
 *           store after filter_add) finds it. filter_reserve: one thread at a time.
 * Memory:   layers are mapped on demand and given back by filter_free.
 * Source:   Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007. */
#ifndef ZAN_STORE_FILTER_H
#define ZAN_STORE_FILTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_LAYERS_MAX 8
#define FILTER_BITS_FULL  10 /* bits a key when a layer counts as full and the next one is begun */

struct filter_layer {
    _Atomic uint64_t *words; /* blocks * 8 */
    uint64_t blocks;
    _Atomic uint64_t keys; /* added and not there before */
};

struct filter {
    struct filter_layer layers[FILTER_LAYERS_MAX];
    _Atomic unsigned layer_count;
    bool grows;
};

/* bytes is rounded up to whole blocks. grows: begin a layer when the newest is full; otherwise
 * answers just get less useful. False: no memory. */
bool filter_init(struct filter *filter, size_t bytes, bool grows);
void filter_free(struct filter *filter);

/* Before adding about count keys to the newest layer. Lack of memory for a new layer is no failure:
 * the old one takes them. */
void filter_reserve(struct filter *filter, uint64_t count);
void filter_add(struct filter *filter, uint64_t hash);
/* Into the first layer, which was sized for what was at rest: for the scan at open. */
void filter_add_first(struct filter *filter, uint64_t hash);

bool filter_may_have(const struct filter *filter, uint64_t hash);
/* The same for many, whose lines are all on their way before the first is looked at. Returns how
 * many the filter may have. */
uint32_t filter_may_have_many(const struct filter *filter, const uint64_t *hashes, uint32_t count,
                              bool *may);
/* Brings the line of the newest and of the oldest layer. */
void filter_prefetch(const struct filter *filter, uint64_t hash);

uint64_t filter_bytes(const struct filter *filter);
uint64_t filter_keys(const struct filter *filter);

#endif
