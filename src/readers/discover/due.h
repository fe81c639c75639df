/* due.h: which item has something to do next: an indexed heap of times.
 *
 * Holds always: due_next is the least time of all rows that have one.
 * Cost:         O(log n) a change. Memory: due_bytes(), the caller's, 16 byte aligned. */
#ifndef ZAN_READERS_DISCOVER_DUE_H
#define ZAN_READERS_DISCOVER_DUE_H

#include <stddef.h>
#include <stdint.h>

struct due_entry {
    int64_t at_us;
    uint32_t row;
    uint32_t unused;
};

struct due {
    struct due_entry *heap;
    uint32_t *place; /* of a row in the heap, + 1; 0: it has no time */
    uint32_t count;
};

size_t due_bytes(uint32_t rows_max);
/* The memory is zeroed. */
void due_open(struct due *due, void *memory, uint32_t rows_max);
/* INT64_MAX: none. */
void due_set(struct due *due, uint32_t row, int64_t at_us);
/* The earliest time, and whose; INT64_MAX: nobody's. */
int64_t due_next(const struct due *due, uint32_t *row);

#endif
