/* trial.h: which items are in trial: they have a budget of impressions and have not used it up.
 *
 * A set of rows (of the table of items) from which a random one is had at once. The order within
 * means nothing.
 *
 * Memory: trial_bytes(), the caller's, 16 byte aligned. Pure. */
#ifndef ZAN_READERS_DISCOVER_TRIAL_H
#define ZAN_READERS_DISCOVER_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trial {
    uint32_t *rows;  /* count of them */
    uint32_t *place; /* of each row: where in rows, plus 1; 0: it is not in trial */
    uint32_t count, rows_max;
};

size_t trial_bytes(uint32_t rows_max);
void trial_open(struct trial *trial, void *memory, uint32_t rows_max);
/* In, or out; no matter whether it was. */
void trial_set(struct trial *trial, uint32_t row, bool in);

#endif
