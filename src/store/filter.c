#include "store/filter.h"

#include <assert.h>
#include <sys/mman.h>

#include "base/hash.h"

enum { BLOCK_BYTES = 64, BLOCK_WORDS = 8, BITS_PER_KEY = 6, BIT_BITS = 9 };

static_assert(BITS_PER_KEY * BIT_BITS <= 64, "all places come from one hash");

__extension__ typedef unsigned __int128 u128;

static bool layer_map(struct filter_layer *layer, uint64_t bytes)
{
    uint64_t blocks = (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
    void *memory = mmap(NULL, blocks * BLOCK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return false;
    /* Random access over hundreds of megabytes: with 4 KiB pages each check would also miss the
     * TLB. A refusal does no harm. */
    (void)madvise(memory, blocks * BLOCK_BYTES, MADV_HUGEPAGE);
    layer->words = memory;
    layer->blocks = blocks;
    atomic_store_explicit(&layer->keys, 0, memory_order_relaxed);
    return true;
}

bool filter_init(struct filter *filter, size_t bytes, bool grows)
{
    assert(bytes > 0);
    filter->grows = grows;
    if (!layer_map(&filter->layers[0], bytes))
        return false;
    atomic_store_explicit(&filter->layer_count, 1, memory_order_release);
    return true;
}

void filter_free(struct filter *filter)
{
    unsigned count = atomic_exchange(&filter->layer_count, 0);

    for (unsigned i = 0; i < count; i++)
        munmap((void *)filter->layers[i].words, filter->layers[i].blocks * BLOCK_BYTES);
}

/* The block comes from the high bits, the places in it from a second mix: taken from the same
 * bits, keys of one block would also share places. */
static _Atomic uint64_t *block_of(const struct filter_layer *layer, uint64_t hash)
{
    return layer->words + (uint64_t)((u128)hash * layer->blocks >> 64) * BLOCK_WORDS;
}

static uint64_t places_of(uint64_t hash)
{
    return hash_mix(hash ^ 0x9E3779B97F4A7C15ULL);
}

static inline bool layer_has(const struct filter_layer *layer, uint64_t hash, uint64_t places)
{
    _Atomic uint64_t *block = block_of(layer, hash);

    for (unsigned i = 0; i < BITS_PER_KEY; i++, places >>= BIT_BITS) {
        unsigned bit = places & ((1u << BIT_BITS) - 1);
        uint64_t word = atomic_load_explicit(&block[bit >> 6], memory_order_relaxed);

        if ((word >> (bit & 63) & 1) == 0)
            return false;
    }
    return true;
}

static void layer_add(struct filter_layer *layer, uint64_t hash)
{
    _Atomic uint64_t *block = block_of(layer, hash);
    uint64_t places = places_of(hash);
    bool changed = false;

    for (unsigned i = 0; i < BITS_PER_KEY; i++, places >>= BIT_BITS) {
        unsigned bit = places & ((1u << BIT_BITS) - 1);
        uint64_t one = 1ULL << (bit & 63);

        /* A locked instruction only where a bit is missing: most bits of a warm block are there. */
        if ((atomic_load_explicit(&block[bit >> 6], memory_order_relaxed) & one) != 0)
            continue;
        atomic_fetch_or_explicit(&block[bit >> 6], one, memory_order_relaxed);
        changed = true;
    }
    if (changed)
        atomic_fetch_add_explicit(&layer->keys, 1, memory_order_relaxed);
}

void filter_reserve(struct filter *filter, uint64_t count)
{
    unsigned layers = atomic_load_explicit(&filter->layer_count, memory_order_relaxed);
    struct filter_layer *newest = &filter->layers[layers - 1];
    uint64_t room = newest->blocks * BLOCK_BYTES * 8 / FILTER_BITS_FULL;
    uint64_t keys = atomic_load_explicit(&newest->keys, memory_order_relaxed);

    if (!filter->grows || layers == FILTER_LAYERS_MAX || keys + count <= room)
        return;
    if (layer_map(&filter->layers[layers], newest->blocks * BLOCK_BYTES * 2))
        atomic_store_explicit(&filter->layer_count, layers + 1, memory_order_release);
}

void filter_add(struct filter *filter, uint64_t hash)
{
    unsigned layers = atomic_load_explicit(&filter->layer_count, memory_order_relaxed);
    uint64_t places = places_of(hash);

    /* A key an older layer has would only fill the newest: rows change more often than they come. */
    for (unsigned i = 0; i + 1 < layers; i++)
        if (layer_has(&filter->layers[i], hash, places))
            return;
    layer_add(&filter->layers[layers - 1], hash);
}

void filter_add_first(struct filter *filter, uint64_t hash)
{
    layer_add(&filter->layers[0], hash);
}

static inline bool layers_have(const struct filter *filter, unsigned layers, uint64_t hash)
{
    uint64_t places = places_of(hash);

    for (unsigned i = layers; i-- > 0;)
        if (layer_has(&filter->layers[i], hash, places))
            return true;
    return false;
}

bool filter_may_have(const struct filter *filter, uint64_t hash)
{
    return layers_have(filter, atomic_load_explicit(&filter->layer_count, memory_order_acquire),
                       hash);
}

uint32_t filter_may_have_many(const struct filter *filter, const uint64_t *hashes, uint32_t count,
                              bool *may)
{
    unsigned layers = atomic_load_explicit(&filter->layer_count, memory_order_acquire);
    uint32_t sum = 0;

    for (unsigned layer = 0; count > 1 && layer < layers; layer++)
        for (uint32_t i = 0; i < count; i++)
            __builtin_prefetch((const void *)block_of(&filter->layers[layer], hashes[i]));
    for (uint32_t i = 0; i < count; i++) {
        may[i] = layers_have(filter, layers, hashes[i]);
        sum += may[i];
    }
    return sum;
}

void filter_prefetch(const struct filter *filter, uint64_t hash)
{
    unsigned layers = atomic_load_explicit(&filter->layer_count, memory_order_acquire);

    __builtin_prefetch((const void *)block_of(&filter->layers[layers - 1], hash));
    if (layers > 1)
        __builtin_prefetch((const void *)block_of(&filter->layers[0], hash));
}

uint64_t filter_bytes(const struct filter *filter)
{
    unsigned layers = atomic_load_explicit(&filter->layer_count, memory_order_acquire);
    uint64_t bytes = 0;

    for (unsigned i = 0; i < layers; i++)
        bytes += filter->layers[i].blocks * BLOCK_BYTES;
    return bytes;
}

uint64_t filter_keys(const struct filter *filter)
{
    unsigned layers = atomic_load_explicit(&filter->layer_count, memory_order_acquire);
    uint64_t keys = 0;

    for (unsigned i = 0; i < layers; i++)
        keys += atomic_load_explicit(&filter->layers[i].keys, memory_order_relaxed);
    return keys;
}
