#include "store/sort.h"

#include <stdbool.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 6, BUCKETS = 1 << DIGIT_BITS };

static unsigned digit_of(uint64_t word, unsigned digit)
{
    return (unsigned)(word >> (digit * DIGIT_BITS)) & (BUCKETS - 1);
}

/* Turns counts into starting places. False: all in one bucket, nothing to do for this digit. */
static bool place_buckets(uint32_t *counts, uint32_t count)
{
    uint32_t place = 0;

    for (unsigned b = 0; b < BUCKETS; b++) {
        uint32_t here = counts[b];

        if (here == count)
            return false;
        counts[b] = place;
        place += here;
    }
    return true;
}

void sort_words(struct sort_entry *entries, struct sort_entry *scratch, uint32_t count)
{
    uint32_t counts[DIGITS][BUCKETS];
    struct sort_entry *from = entries, *to = scratch;

    memset(counts, 0, sizeof counts);
    for (uint32_t i = 0; i < count; i++)
        for (unsigned d = 0; d < DIGITS; d++)
            counts[d][digit_of(entries[i].word, d)]++;

    for (unsigned d = 0; d < DIGITS; d++) {
        if (count < 2 || !place_buckets(counts[d], count))
            continue;
        for (uint32_t i = 0; i < count; i++)
            to[counts[d][digit_of(from[i].word, d)]++] = from[i];

        struct sort_entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries)
        memcpy(entries, from, count * sizeof *entries);
}
