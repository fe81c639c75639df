/* sketch.c: see sketch.h. */
#include "readers/discover/sketch.h"

#include <math.h>

#include "base/hash.h"

#define ALPHA                                                                                      \
    (0.7213 / (1 + 1.079 / SKETCH_REGISTERS)) /* of the paper, for 128 registers and more */

void sketch_add(struct sketch *sketch, uint64_t id)
{
    uint64_t hash = hash_mix(id ^ 0x5A414E536B65ULL); /* not the hash that places ids in tables */
    uint32_t at = (uint32_t)(hash % SKETCH_REGISTERS);
    uint64_t rest = hash / SKETCH_REGISTERS | 1ULL << 56;
    uint8_t rank = (uint8_t)(__builtin_ctzll(rest) + 1);

    if (rank > sketch->rank[at])
        sketch->rank[at] = rank;
}

double sketch_count(const struct sketch *sketch)
{
    double sum = 0, empty = 0;

    for (uint32_t i = 0; i < SKETCH_REGISTERS; i++) {
        sum += ldexp(1, -sketch->rank[i]);
        empty += sketch->rank[i] == 0;
    }
    double estimate = ALPHA * SKETCH_REGISTERS * SKETCH_REGISTERS / sum;

    if (estimate <= 2.5 * SKETCH_REGISTERS && empty > 0)
        return SKETCH_REGISTERS * log(SKETCH_REGISTERS / empty);
    return estimate;
}

void sketch_join(struct sketch *sketch, const struct sketch *with)
{
    for (uint32_t i = 0; i < SKETCH_REGISTERS; i++)
        if (with->rank[i] > sketch->rank[i])
            sketch->rank[i] = with->rank[i];
}
