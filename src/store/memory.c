#include "store/memory.h"

#include <sys/mman.h>

#define HUGE_BYTES (8u << 20) /* smaller pieces are not worth a huge page each */

void *memory_take(size_t count, size_t size)
{
    size_t bytes = count * size;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_BYTES)
        madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void memory_give(void *memory, size_t count, size_t size)
{
    if (memory != NULL)
        munmap(memory, count * size);
}

uint32_t memory_power_above(uint32_t count)
{
    uint32_t power = 64;

    while (power < count)
        power *= 2;
    return power;
}
