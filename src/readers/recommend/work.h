/* work.h: independent pieces of a long computation, spread over threads.
 *
 * A piece is done by one thread from beginning to end, and which one does it changes nothing:
 * results are the same for any number of threads, as long as pieces write to places of their own
 * and the pieces themselves do not depend on the number.
 *
 * Holds always: the calling thread is worker 0, and the only one that calls tell.
 * Memory:       threads live for one call of work_run; nothing is kept. */
#ifndef ZAN_READERS_RECOMMEND_WORK_H
#define ZAN_READERS_RECOMMEND_WORK_H

#include <stdint.h>

#define WORK_THREADS_MAX 64

struct work {
    uint32_t threads; /* 1..WORK_THREADS_MAX, with the calling one */
    /* How far the whole has come; context is work_tell's. NULL: nobody asks. */
    void (*tell)(void *context, const char *what, uint64_t done, uint64_t whole);
    void *context;
};

/* Calls each(context, piece, worker) for pieces 0..pieces-1; worker is below work->threads. Where a
 * thread cannot be had, fewer do the same. what: for tell, "ridge"; NULL: silent. */
void work_run(const struct work *work, const char *what, uint32_t pieces,
              void (*each)(void *context, uint32_t piece, uint32_t worker), void *context);

#endif
