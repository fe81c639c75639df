/* trial.c: see trial.h. */
#include "readers/discover/trial.h"

#include <assert.h>
#include <string.h>

size_t trial_bytes(uint32_t rows_max)
{
    return 2 * (size_t)rows_max * sizeof(uint32_t);
}

void trial_open(struct trial *trial, void *memory, uint32_t rows_max)
{
    memset(memory, 0, trial_bytes(rows_max));
    *trial = (struct trial){
        .rows = memory, .place = (uint32_t *)memory + rows_max, .rows_max = rows_max};
}

static void take_out(struct trial *trial, uint32_t row)
{
    uint32_t at = trial->place[row] - 1;
    uint32_t last = trial->rows[--trial->count];

    trial->rows[at] = last;
    trial->place[last] = at + 1;
    trial->place[row] = 0;
}

void trial_set(struct trial *trial, uint32_t row, bool in)
{
    assert(row < trial->rows_max);
    if (!in && trial->place[row] != 0)
        take_out(trial, row);
    if (in && trial->place[row] == 0) {
        trial->rows[trial->count++] = row;
        trial->place[row] = trial->count;
    }
}
