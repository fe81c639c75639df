/* due.c: see due.h. */
#include "readers/discover/due.h"

static size_t heap_bytes(uint32_t rows_max)
{
    return sizeof(struct due_entry) * rows_max;
}

size_t due_bytes(uint32_t rows_max)
{
    return heap_bytes(rows_max) + (sizeof(uint32_t) * (size_t)rows_max + 15) / 16 * 16;
}

void due_open(struct due *due, void *memory, uint32_t rows_max)
{
    *due = (struct due){.heap = memory,
                        .place = (void *)((unsigned char *)memory + heap_bytes(rows_max))};
}

static void put(struct due *due, uint32_t at, struct due_entry entry)
{
    due->heap[at] = entry;
    due->place[entry.row] = at + 1;
}

/* Puts entry where it belongs, from the free place at. */
static void settle(struct due *due, uint32_t at, struct due_entry entry)
{
    while (at > 0 && due->heap[(at - 1) / 2].at_us > entry.at_us) {
        put(due, at, due->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= due->count)
            break;
        if (child + 1 < due->count && due->heap[child + 1].at_us < due->heap[child].at_us)
            child++;
        if (due->heap[child].at_us >= entry.at_us)
            break;
        put(due, at, due->heap[child]);
        at = child;
    }
    put(due, at, entry);
}

static void drop(struct due *due, uint32_t row)
{
    uint32_t at = due->place[row] - 1;

    due->place[row] = 0;
    due->count--;
    if (at < due->count)
        settle(due, at, due->heap[due->count]);
}

void due_set(struct due *due, uint32_t row, int64_t at_us)
{
    struct due_entry entry = {.at_us = at_us, .row = row};

    if (at_us == INT64_MAX) {
        if (due->place[row] != 0)
            drop(due, row);
    } else if (due->place[row] == 0) {
        settle(due, due->count++, entry);
    } else if (due->heap[due->place[row] - 1].at_us != at_us) {
        settle(due, due->place[row] - 1, entry);
    }
}

int64_t due_next(const struct due *due, uint32_t *row)
{
    if (due->count == 0)
        return INT64_MAX;
    *row = due->heap[0].row;
    return due->heap[0].at_us;
}
