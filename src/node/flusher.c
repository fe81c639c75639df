#include "node/flusher.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/policy_book.h"

enum job { JOB_NONE, JOB_WAITING, JOB_RUNNING, JOB_NOSPACE, JOB_ENDED };

struct flusher {
    struct hot *hot;
    struct store *store;
    struct signals *signals;
    struct policy_book *book;
    bool threads, stop;
    void (*wake)(void *argument);
    void *argument;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum job job;
    enum status status;
    char message[256];
    uint64_t applied;
    uint64_t marks[ENGINE_PARTITIONS_MAX];
};

enum status flusher_write(struct hot *hot, struct store *store, struct signals *signals,
                          struct policy_book *book, uint64_t applied, const uint64_t *marks,
                          char message[256])
{
    struct hot_frozen frozen;
    struct store_flush flush;
    enum status status;

    signals_write(signals, applied);

    hot_frozen(hot, &frozen);
    flush = (struct store_flush){
        .applied = applied,
        .accounts = frozen.accounts,
        .account_count = frozen.account_count,
        .items = frozen.items,
        .item_count = frozen.item_count,
        .edges = frozen.edges,
        .edge_count = frozen.edge_count,
        .operations = frozen.operations,
        .operation_count = frozen.operation_count,
        .cases = frozen.cases,
        .case_count = frozen.case_count,
        .inboxes = frozen.inboxes,
        .inbox_count = frozen.inbox_count,
        .policies = book->frozen,
        .policy_count = book->frozen_count,
        .marks = marks,
    };
    status = store_flush(store, &flush, message);
    if (status == STATUS_OK)
        signals_settle(signals, applied);
    return status;
}

static enum status run_job(struct flusher *flusher, char message[256])
{
    return flusher_write(flusher->hot, flusher->store, flusher->signals, flusher->book,
                         flusher->applied, flusher->marks, message);
}

static void wait_a_second(struct flusher *flusher)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_cond_timedwait(&flusher->changed, &flusher->mutex, &until);
}

static void *flusher_main(void *argument)
{
    struct flusher *flusher = argument;

    pthread_setname_np(pthread_self(), "zan-flush");
    /* The loop answers people; the flush only must keep up. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
    pthread_mutex_lock(&flusher->mutex);
    for (;;) {
        char message[256] = "";
        enum status status;

        while (flusher->job != JOB_WAITING && !flusher->stop)
            pthread_cond_wait(&flusher->changed, &flusher->mutex);
        if (flusher->job != JOB_WAITING)
            break;
        flusher->job = JOB_RUNNING;
        pthread_mutex_unlock(&flusher->mutex);
        status = run_job(flusher, message);
        pthread_mutex_lock(&flusher->mutex);
        if (status == STATUS_NOSPACE && !flusher->stop) {
            flusher->job = JOB_NOSPACE;
            flusher->wake(flusher->argument);
            wait_a_second(flusher);
            flusher->job = JOB_WAITING;
            continue;
        }
        flusher->job = JOB_ENDED;
        flusher->status = status;
        memcpy(flusher->message, message, sizeof message);
        flusher->wake(flusher->argument);
    }
    pthread_mutex_unlock(&flusher->mutex);
    return NULL;
}

struct flusher *flusher_open(struct hot *hot, struct store *store, struct signals *signals,
                             struct policy_book *book, bool threads, void (*wake)(void *argument), void *argument)
{
    struct flusher *flusher = calloc(1, sizeof *flusher);

    if (flusher == NULL)
        return NULL;
    *flusher = (struct flusher){.hot = hot,
                                .store = store,
                                .signals = signals,
                                .book = book,
                                .threads = threads,
                                .wake = wake,
                                .argument = argument};
    pthread_mutex_init(&flusher->mutex, NULL);
    pthread_cond_init(&flusher->changed, NULL);
    if (threads && pthread_create(&flusher->thread, NULL, flusher_main, flusher) != 0) {
        free(flusher);
        return NULL;
    }
    return flusher;
}

void flusher_close(struct flusher *flusher)
{
    if (flusher == NULL)
        return;
    pthread_mutex_lock(&flusher->mutex);
    flusher->stop = true;
    pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->mutex);
    if (flusher->threads)
        pthread_join(flusher->thread, NULL);
    pthread_cond_destroy(&flusher->changed);
    pthread_mutex_destroy(&flusher->mutex);
    free(flusher);
}

void flusher_begin(struct flusher *flusher, uint64_t applied, const uint64_t *marks, uint32_t count)
{
    assert(count <= ENGINE_PARTITIONS_MAX);
    pthread_mutex_lock(&flusher->mutex);
    assert(flusher->job == JOB_NONE);
    flusher->applied = applied;
    memcpy(flusher->marks, marks, count * sizeof *marks);
    flusher->job = JOB_WAITING;
    pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->mutex);
}

enum flusher_result flusher_poll(struct flusher *flusher, enum status *status, char message[256])
{
    enum flusher_result result = FLUSHER_BUSY;

    pthread_mutex_lock(&flusher->mutex);
    if (flusher->job == JOB_NOSPACE) {
        result = FLUSHER_NOSPACE;
    } else if (flusher->job == JOB_ENDED) {
        flusher->job = JOB_NONE;
        *status = flusher->status;
        memcpy(message, flusher->message, 256);
        result = flusher->status == STATUS_OK ? FLUSHER_OK : FLUSHER_FAILED;
    }
    pthread_mutex_unlock(&flusher->mutex);
    return result;
}

bool flusher_pump(struct flusher *flusher)
{
    if (flusher->job != JOB_WAITING && flusher->job != JOB_NOSPACE)
        return false;
    flusher->message[0] = '\0';
    flusher->status = run_job(flusher, flusher->message);
    flusher->job = flusher->status == STATUS_NOSPACE ? JOB_NOSPACE : JOB_ENDED;
    return true;
}
