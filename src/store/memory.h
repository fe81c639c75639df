/* memory.h: big pieces of memory, taken at start and kept. */
#ifndef ZAN_STORE_MEMORY_H
#define ZAN_STORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed; NULL if there is none. Pages become real when they are first touched; in huge pages where
 * the kernel has them: a third of the time of a LIKE was TLB misses. */
void *memory_take(size_t count, size_t size);

/* NULL is allowed. The same count and size as taken. */
void memory_give(void *memory, size_t count, size_t size);

/* The least power of two that is at least count, and at least 64. */
uint32_t memory_power_above(uint32_t count);

#endif
