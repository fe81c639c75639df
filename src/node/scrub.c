#include "node/scrub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "node/inner.h"

#define TICKS_A_SECOND 10

struct scrub {
    struct node *node;
    struct log_scrub *logs[ENGINE_PARTITIONS_MAX];
    struct log_scrub_stats seen[ENGINE_PARTITIONS_MAX]; /* under the mutex */
    bool stop;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

static void tell(struct scrub *scrub, uint16_t index, const struct log_scrub_stats *now)
{
    const struct log_scrub_stats *seen = &scrub->seen[index];

    if (now->repaired > seen->repaired)
        fprintf(stderr,
                "zan: note: scrub: partition %u: damage in one copy of the log was mended\n",
                (unsigned)index);
    if (now->unrepaired > seen->unrepaired || now->lost > seen->lost)
        fprintf(stderr, "zan: ALARM: scrub: partition %u: %s\n", (unsigned)index, now->message);
    if (now->lost > 0)
        atomic_store(&scrub->node->log_lost, true); /* seen at the next turn, within a second */
}

static void step(struct scrub *scrub, uint16_t index, uint64_t bytes)
{
    struct log_scrub_stats now;

    audit_read_back(&scrub->node->shards[index].audit);
    if (bytes > 0)
        log_scrub_step(scrub->logs[index], bytes);
    log_scrub_stats(scrub->logs[index], &now);
    tell(scrub, index, &now);
    pthread_mutex_lock(&scrub->mutex);
    scrub->seen[index] = now;
    pthread_mutex_unlock(&scrub->mutex);
}

/* Until the next tick, or until it is over: true. */
static bool wait_a_tick(struct scrub *scrub)
{
    struct timespec until;
    bool stop;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 1000000000L / TICKS_A_SECOND;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&scrub->mutex);
    if (!scrub->stop)
        pthread_cond_timedwait(&scrub->changed, &scrub->mutex, &until);
    stop = scrub->stop;
    pthread_mutex_unlock(&scrub->mutex);
    return stop;
}

static void *scrub_main(void *argument)
{
    struct scrub *scrub = argument;
    uint16_t count = scrub->node->count;
    uint64_t bytes = (scrub->node->config.scrub_mb_s << 20) / TICKS_A_SECOND / count;

    pthread_setname_np(pthread_self(), "zan-scrub");
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
    while (!wait_a_tick(scrub))
        for (uint16_t i = 0; i < count; i++)
            step(scrub, i, bytes);
    return NULL;
}

enum status scrub_open(struct node *node, struct scrub **result)
{
    struct scrub *scrub = calloc(1, sizeof *scrub);
    pthread_condattr_t steady;
    bool ok = true;

    if (scrub == NULL)
        return STATUS_NOMEMORY;
    scrub->node = node;
    for (uint16_t i = 0; i < node->count; i++) {
        scrub->logs[i] = log_scrub_open(node->shards[i].partition.log);
        ok = ok && scrub->logs[i] != NULL;
    }
    pthread_mutex_init(&scrub->mutex, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&scrub->changed, &steady);
    pthread_condattr_destroy(&steady);
    if (ok && pthread_create(&scrub->thread, NULL, scrub_main, scrub) == 0) {
        *result = scrub;
        return STATUS_OK;
    }
    for (uint16_t i = 0; i < node->count; i++)
        log_scrub_close(scrub->logs[i]);
    free(scrub);
    return STATUS_NOMEMORY;
}

void scrub_close(struct scrub *scrub)
{
    if (scrub == NULL)
        return;
    pthread_mutex_lock(&scrub->mutex);
    scrub->stop = true;
    pthread_cond_signal(&scrub->changed);
    pthread_mutex_unlock(&scrub->mutex);
    pthread_join(scrub->thread, NULL);
    for (uint16_t i = 0; i < scrub->node->count; i++)
        log_scrub_close(scrub->logs[i]);
    pthread_mutex_destroy(&scrub->mutex);
    pthread_cond_destroy(&scrub->changed);
    free(scrub);
}

void scrub_facts(struct scrub *scrub, struct facts *facts)
{
    if (scrub == NULL)
        return;
    pthread_mutex_lock(&scrub->mutex);
    for (uint16_t i = 0; i < scrub->node->count; i++) {
        const struct log_scrub_stats *seen = &scrub->seen[i];

        facts->scrub_bytes += seen->bytes;
        facts->scrub_segments += seen->segments;
        facts->scrub_rounds += seen->rounds;
        facts->scrub_repaired += seen->repaired;
        facts->scrub_unrepaired += seen->unrepaired;
        facts->scrub_lost += seen->lost;
        if (seen->lost > 0 && facts->audit.alarm[0] == '\0')
            snprintf(facts->audit.alarm, sizeof facts->audit.alarm, "log: %.190s", seen->message);
    }
    pthread_mutex_unlock(&scrub->mutex);
}
