/* trust_bench: what a like costs the trust scorer, on a world larger than the caches.
 *
 *   trust_bench [LIKES] [MEGABYTES] [BATCH] [HUGE]      default 4000000 512 32 1
 *
 * Seeded likes of 4 M accounts on 1 M items, some of them popular, with device and network. Each
 * batch is prefetched as the loop does, then judged and observed one by one. HUGE 1 asks for pages
 * of 2 MiB. Prints nanoseconds for a like over everything, median and p99 over batches, and a
 * checksum. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/hash.h"
#include "engine/trust.h"

#define ACCOUNTS   4000000u
#define ITEMS      1000000u
#define BATCH_MAX  1024u
#define HUGE_BYTES (2u << 20)

static uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* One like in four goes to one of a thousand popular items. */
static struct act act_number(uint64_t number, uint64_t likes)
{
    uint64_t draw = hash_mix(number * 2 + 1), other = hash_mix(draw);
    uint64_t span_us = 3ULL * 86400 * 1000000;
    uint64_t account = draw % ACCOUNTS;

    return (struct act){.now_us = 1700000000000000LL + (int64_t)(number * (span_us / likes)),
                        .account = account,
                        .target = other % 4 == 0 ? (other >> 8) % 1000 : (other >> 8) % ITEMS,
                        .device = account + 1,
                        .network = account % 100000 + 1,
                        .account_first_us = 1690000000000000LL,
                        .given_likes = 20,
                        .verb = VERB_LIKE};
}

static uint64_t run_batch(struct trust *trust, uint64_t first, uint32_t batch, uint64_t likes,
                          uint64_t *sum)
{
    static struct act acts[BATCH_MAX];
    uint64_t start;

    for (uint32_t i = 0; i < batch; i++)
        acts[i] = act_number(first + i, likes);
    start = now_ns();
    for (uint32_t i = 0; i < batch; i++)
        trust_prefetch(trust, &acts[i]);
    for (uint32_t i = 0; i < batch; i++)
        trust_prefetch_deep(trust, &acts[i]);
    for (uint32_t i = 0; i < batch; i++) {
        struct trust_verdict verdict;

        trust_judge(trust, &acts[i], &verdict);
        trust_observe(trust, &acts[i]);
        *sum = *sum * 31 + verdict.score;
    }
    return now_ns() - start;
}

int main(int count, char **words)
{
    uint64_t likes = count > 1 ? strtoull(words[1], NULL, 10) : 4000000;
    size_t megabytes = count > 2 ? strtoull(words[2], NULL, 10) : 512;
    uint32_t batch = count > 3 ? (uint32_t)strtoul(words[3], NULL, 10) : 32;
    bool huge = count <= 4 || strtoul(words[4], NULL, 10) != 0;
    struct trust_config config = trust_config_for(megabytes << 20);
    size_t bytes = trust_bytes(&config);
    void *region = aligned_alloc(HUGE_BYTES, (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES);
    uint64_t batches = likes / (batch ? batch : 1), sum = 0, total = 0, *took;
    struct trust *trust;

    if (region == NULL || batch == 0 || batch > BATCH_MAX || batches == 0) {
        fprintf(stderr, "trust_bench [LIKES] [MEGABYTES] [BATCH up to %u]\n", BATCH_MAX);
        return 2;
    }
    if (huge)
        (void)madvise(region, bytes, MADV_HUGEPAGE); /* as a node should do; a hint */
    took = calloc(batches, sizeof *took);
    trust = trust_open(region, bytes, &config);
    for (uint64_t i = 0; took != NULL && i < batches; i++) {
        took[i] = run_batch(trust, i * batch, batch, likes, &sum);
        total += took[i];
    }
    if (took == NULL)
        return 2;
    qsort(took, batches, sizeof *took, by_size);
    printf("%zu bytes, batches of %u: mean %" PRIu64 " ns a like, median %" PRIu64 ", p99 %" PRIu64
           ", checksum %016" PRIx64 "\n",
           bytes, batch, total / (batches * batch), took[batches / 2] / batch,
           took[batches * 99 / 100] / batch, sum);
    free(took);
    free(region);
    return 0;
}
