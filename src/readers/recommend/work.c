/* work.c: the next piece is taken from a counter, so a slow piece holds nobody up. */
#include "readers/recommend/work.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "readers/recommend/dense.h"

struct run {
    const struct work *work;
    const char *what;
    uint32_t pieces;
    atomic_uint next;
    atomic_uint workers;
    void (*each)(void *context, uint32_t piece, uint32_t worker);
    void *context;
};

static void *take_pieces(void *argument)
{
    struct run *run = argument;
    uint32_t worker = atomic_fetch_add(&run->workers, 1);

    dense_begin();
    for (;;) {
        uint32_t piece = atomic_fetch_add(&run->next, 1);

        if (piece >= run->pieces)
            return NULL;
        run->each(run->context, piece, worker);
    }
}

/* The calling thread's share: the same, and it tells how far all have come. */
static void take_and_tell(struct run *run)
{
    for (;;) {
        uint32_t piece = atomic_fetch_add(&run->next, 1);

        if (piece >= run->pieces)
            return;
        run->each(run->context, piece, 0);
        if (run->work->tell != NULL && run->what != NULL)
            run->work->tell(run->work->context, run->what, piece, run->pieces);
    }
}

void work_run(const struct work *work, const char *what, uint32_t pieces,
              void (*each)(void *context, uint32_t piece, uint32_t worker), void *context)
{
    struct run run = {
        .work = work, .what = what, .pieces = pieces, .each = each, .context = context};
    pthread_t thread[WORK_THREADS_MAX];
    uint32_t started = 0;

    assert(work->threads >= 1 && work->threads <= WORK_THREADS_MAX);
    assert(pieces < UINT32_MAX - WORK_THREADS_MAX); /* each thread asks once too often */
    atomic_init(&run.next, 0);
    atomic_init(&run.workers, 1);
    while (started + 1 < work->threads && started + 1 < pieces &&
           pthread_create(&thread[started], NULL, take_pieces, &run) == 0)
        started++;
    dense_begin();
    take_and_tell(&run);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
}
