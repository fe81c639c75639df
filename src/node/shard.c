/* shard.c: the loop of one partition; shard_door.c is its door, shard_facts.c what it tells of
 * itself.
 *
 *   wait -> mail -> effects of others -> calls -> requests of the door -> flush -> release answers
 */
#include "node/shard.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/hook.h"
#include "node/clock.h"
#include "node/inner.h"
#include "node/shard_inner.h"

#define EFFECTS_AT_ONCE 1024
#define GOODBYE_US      3000000 /* a clean stop waits so long for callers to take their answers */
#define STORAGE_BYTES   (16u << 20) /* replies of one door turn, several partitions only */

/* --- mail ----------------------------------------------------------------------------------- */

void shard_wake(struct shard *shard)
{
    uint64_t one = 1;

    /* The write is saved while the loop is awake: it looks here before it sleeps again. */
    atomic_store(&shard->signalled, true);
    if (atomic_exchange(&shard->asleep, false))
        while (write(shard->wake_fd, &one, sizeof one) < 0)
            continue;
}

void shard_mail_call(struct shard *shard, struct call *call)
{
    call->next = atomic_load(&shard->calls);
    while (!atomic_compare_exchange_weak(&shard->calls, &call->next, call))
        continue;
    shard_wake(shard);
}

void shard_mail_effect(struct shard *shard, struct effect_mail *mail)
{
    mail->next = atomic_load(&shard->effects);
    while (!atomic_compare_exchange_weak(&shard->effects, &mail->next, mail))
        continue;
    shard_wake(shard);
}

/* Empties the mail into the waiting lists, oldest first. */
static void take_mail(struct shard *shard)
{
    struct call *call = atomic_exchange(&shard->calls, NULL), *calls = NULL;
    struct effect_mail *mail = atomic_exchange(&shard->effects, NULL), *mails = NULL;

    while (call != NULL) {
        struct call *next = call->next;

        call->next = calls;
        calls = call;
        call = next;
    }
    for (; calls != NULL; calls = calls->next) {
        *shard->calls_tail = calls;
        shard->calls_tail = &calls->next;
    }
    while (mail != NULL) {
        struct effect_mail *next = mail->next;

        mail->next = mails;
        mails = mail;
        mail = next;
    }
    for (; mails != NULL; mails = mails->next) {
        *shard->effects_tail = mails;
        shard->effects_tail = &mails->next;
    }
}

/* --- entries -------------------------------------------------------------------------------- */

struct entry *shard_entry_take(struct shard *shard, uint64_t need)
{
    struct entry *entry = shard->free_entries;

    assert(entry != NULL); /* the caller looked */
    shard->free_entries = entry->next;
    *entry = (struct entry){.first = shard->partition.engine.first_sequence, .need = need};
    *shard->entries_tail = entry;
    shard->entries_tail = &entry->next;
    return entry;
}

/* Effects the partition has just made, on account of entry. They leave once their cause is durable
 * (release): one that was durable where it went, while a crash took its cause, would stay for ever,
 * and its number would be given again to another one, which the receiver would then drop. */
void shard_send_effects(struct shard *shard, struct entry *entry)
{
    struct engine *engine = &shard->partition.engine;
    struct effect_mail **tail = &entry->unsent;

    while (*tail != NULL)
        tail = &(*tail)->next;
    for (uint32_t i = 0; i < engine->effect_count; i++) {
        const struct effect *effect = &engine->effects[i];
        struct effect_mail *mail = malloc(sizeof *mail);

        if (mail == NULL)
            abort(); /* the record is in the log: start again from there */
        *mail = (struct effect_mail){
            .record = effect->record, .from = shard, .entry = entry, .to = effect->to};
        atomic_fetch_add(&entry->open, 1);
        atomic_fetch_add(&shard->node->outstanding, 1);
        *tail = mail;
        tail = &mail->next;
    }
    engine->effect_count = 0;
}

static void mail_unsent(struct shard *shard, struct entry *entry)
{
    for (struct effect_mail *mail = entry->unsent, *next; mail != NULL; mail = next) {
        next = mail->next;
        shard_mail_effect(&shard->node->shards[mail->to], mail);
    }
    entry->unsent = NULL;
}

void shard_count_latency(struct shard *shard, const struct entry *entry, int64_t now_us)
{
    uint64_t us = now_us > entry->taken_us ? (uint64_t)(now_us - entry->taken_us) : 0;
    int bucket = us <= 1 ? 0 : 64 - __builtin_clzll(us - 1);

    if (bucket >= FACTS_LATENCY_BUCKETS)
        bucket = FACTS_LATENCY_BUCKETS - 1;
    shard->latency[bucket] += entry->answers;
    shard->latency_sum_us += us * entry->answers;
    shard->latency_count += entry->answers;
}

static void entry_tell(struct shard *shard, struct entry *entry)
{
    struct node *node = shard->node;

    for (struct call *call = entry->calls, *next; call != NULL; call = next) {
        next = call->next;
        call->done(call);
        atomic_fetch_sub(&node->outstanding, 1);
    }
    for (struct effect_mail *mail = entry->mails, *next; mail != NULL; mail = next) {
        struct shard *from = mail->from;

        next = mail->next;
        atomic_fetch_sub(&mail->entry->open, 1);
        shard_wake(from);
        free(mail);
        atomic_fetch_sub(&node->outstanding, 1);
    }
}

/* Lets go what is durable. With one partition entries end in order; with several, one that waits
 * for other partitions must not hold up one that they wait for. */
static void release(struct shard *shard)
{
    uint64_t durable = log_durable(shard->partition.log);
    uint64_t turn = 0, hold = UINT64_MAX;
    int64_t now_us = 0;
    struct entry **link = &shard->entries;

    if (PLANTED("node.answer_before_durable"))
        durable = UINT64_MAX;
    if (atomic_load(&shard->replayed.open) > 0)
        hold = shard->replayed.first - 1;
    while (*link != NULL && (*link)->need <= durable) {
        struct entry *entry = *link;

        mail_unsent(shard, entry);
        if (atomic_load(&entry->open) > 0) {
            if (entry->first - 1 < hold)
                hold = entry->first - 1;
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        if (*link == NULL)
            shard->entries_tail = link;
        if (entry->answers > 0) {
            if (now_us == 0)
                now_us = clock_steady_us();
            shard_count_latency(shard, entry, now_us);
        }
        if (entry->turn > turn)
            turn = entry->turn;
        entry_tell(shard, entry);
        entry->next = shard->free_entries;
        shard->free_entries = entry;
    }
    shard->partition.flush_hold = hold;
    if (turn > 0)
        serve_release(shard->serve, turn);
}

/* --- effects and calls ---------------------------------------------------------------------- */

static void do_effects(struct shard *shard, int64_t now_us)
{
    while (shard->effects_waiting != NULL && shard->free_entries != NULL) {
        const struct record *records[EFFECTS_AT_ONCE];
        struct effect_mail *mail = shard->effects_waiting, *last = NULL;
        struct entry *entry;
        uint32_t count = 0, taken;
        uint64_t need;

        for (; mail != NULL && count < EFFECTS_AT_ONCE; mail = mail->next)
            records[count++] = &mail->record;
        taken = partition_take(&shard->partition, records, count, now_us, &need);
        if (taken == 0)
            return;
        entry = shard_entry_take(shard, need);
        entry->mails = shard->effects_waiting;
        mail = shard->effects_waiting;
        for (uint32_t i = 0; i < taken; i++) {
            last = mail;
            mail = mail->next;
        }
        last->next = NULL;
        shard->effects_waiting = mail;
        if (mail == NULL)
            shard->effects_tail = &shard->effects_waiting;
        shard_send_effects(shard, entry);
    }
}

/* Held likes whose time has come; nobody waits for an answer. */
static void do_settle(struct shard *shard, int64_t now_us)
{
    uint64_t need;

    shard->more_due = partition_has_due(&shard->partition, now_us);
    if (shard->more_due && shard->free_entries != NULL &&
        partition_settle(&shard->partition, now_us, &need) > 0)
        shard_send_effects(shard, shard_entry_take(shard, need));
}

/* Fills the mailed batch from the waiting calls. */
static uint32_t gather_calls(struct shard *shard)
{
    struct call *call = shard->calls_waiting;
    uint32_t count = 0;

    for (; call != NULL && count < BATCH_MAX; call = call->next) {
        shard->mailed.requests[count] = call->request;
        shard->mailed_calls[count++] = call;
    }
    shard->mailed.count = count;
    return count;
}

static void do_calls(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    while (shard->calls_waiting != NULL && shard->free_entries != NULL) {
        uint32_t count = gather_calls(shard), done;
        struct entry *entry;
        struct call **tail;
        uint64_t need;

        done = partition_turn(&shard->partition, &shard->mailed, 0, now_us, &need);
        if (done == 0) {
            /* The first one may be a clean-up that goes on in the next round. */
            if (shard->partition.engine.effect_count > 0)
                shard_send_effects(shard, shard_entry_take(shard, need));
            return;
        }
        assert(done <= count);
        entry = shard_entry_take(shard, need);
        entry->answers = done;
        entry->taken_us = steady_us;
        tail = &entry->calls;
        shard->calls_waiting = shard->mailed_calls[done - 1]->next;
        if (shard->calls_waiting == NULL)
            shard->calls_tail = &shard->calls_waiting;
        for (uint32_t i = 0; i < done; i++) {
            call_answer(shard->mailed_calls[i], &shard->mailed.replies[i]);
            shard->call_answers[shard->mailed.replies[i].status]++;
            *tail = shard->mailed_calls[i];
            tail = &shard->mailed_calls[i]->next;
        }
        *tail = NULL;
        shard_send_effects(shard, entry);
    }
}

/* Before anybody is answered: a setting that was changed is in force from here on. */
static void do_setting(struct shard *shard, int64_t now_us)
{
    uint64_t need;

    if (!shard->setting_open || shard->free_entries == NULL)
        return;
    if (partition_setting(&shard->partition, now_us, &need, &shard->setting_open))
        shard_send_effects(shard, shard_entry_take(shard, need));
}

/* What cases ask for: nobody waits for it, but its effects are accounted for like any other's. */
static void do_cases(struct shard *shard, int64_t now_us, int64_t steady_us)
{
    uint64_t need;

    if (shard->free_entries == NULL || atomic_load(&shard->node->stopping) ||
        !partition_cases(&shard->partition, now_us, steady_us, &need))
        return;
    shard_send_effects(shard, shard_entry_take(shard, need));
}

/* --- the loop ------------------------------------------------------------------------------- */

/* Between two turns: a look at what is there already. */
static void look_after(struct shard *shard, int64_t steady_us)
{
    /* One is enough: what went wrong there may have gone wrong everywhere, and a like may touch
     * several. */
    if (shard->audit.facts.differences > 0)
        atomic_store(&shard->node->distrusted, true);
    if (atomic_load(&shard->node->distrusted))
        partition_distrust(&shard->partition);
    /* With a damaged log the store may be all there is: it is kept. */
    shard->partition.readonly = shard->partition.distrusted ||
                                atomic_load(&shard->node->log_lost) ||
                                atomic_load(&shard->node->ordered_readonly);
    backlog_step(&shard->partition.backlog, &shard->partition, steady_us);
    audit_turn(&shard->audit, steady_us);
}

static bool has_work(struct shard *shard)
{
    return shard->calls_waiting != NULL || shard->effects_waiting != NULL || shard->more_due ||
           (!shard->door_turn.under_way && shard->door_from < shard->door.count) ||
           (shard->door_turn.under_way && atomic_load(&shard->door_turn.open) == 0) ||
           (!shard->door_turn.under_way && serve_has_input(shard->serve));
}

static int sleep_ms(struct shard *shard)
{
    int limit = partition_sleep_ms(&shard->partition);

    if (atomic_load(&shard->node->stopping))
        return 1;
    /* Work that could not be done a moment ago: wait for the flush or the log to say so, and not
     * for long. */
    if (has_work(shard))
        return shard->partition.stalled_us != 0 || shard->partition.paced_us != 0 ||
                       shard->free_entries == NULL
                   ? 1
                   : 0;
    return audit_sleep_ms(&shard->audit, clock_steady_us(), limit);
}

static void drain_wake(struct shard *shard)
{
    uint64_t count;

    if (read(shard->wake_fd, &count, sizeof count) < 0)
        return; /* nobody had written: fine */
}

static void wait_for_work(struct shard *shard)
{
    int timeout = sleep_ms(shard);

    if (timeout != 0) {
        atomic_store(&shard->asleep, true);
        if (atomic_exchange(&shard->signalled, false))
            timeout = 0;
    }
    if (serve_wait(shard->serve, timeout)) {
        drain_wake(shard);
        log_event_clear(shard->partition.log);
    }
    atomic_store(&shard->asleep, false);
}

/* A shard may end once no door sends calls any more (each says so once) and none are under way:
 * before that another shard might still need it. */
static bool ended(struct shard *shard, int64_t steady_us)
{
    struct node *node = shard->node;

    if (!atomic_load(&node->stopping))
        return false;
    if (!shard->quiet && !shard->door_turn.under_way && shard->door_from >= shard->door.count) {
        shard->quiet = true;
        atomic_fetch_add(&node->quiet, 1);
    }
    return atomic_load(&node->quiet) == node->count && atomic_load(&node->outstanding) == 0 &&
           shard->entries == NULL &&
           (serve_idle(shard->serve) || steady_us - atomic_load(&node->stopping_us) > GOODBYE_US);
}

static void *shard_main(void *argument)
{
    struct shard *shard = argument;
    bool several = shard->node->count > 1;
    bool closed = false;
    int64_t steady_us = clock_steady_us();
    char name[16];

    snprintf(name, sizeof name, "zan-p%u", (unsigned)shard->index);
    pthread_setname_np(pthread_self(), name);
    while (!ended(shard, steady_us)) {
        int64_t now_us;

        wait_for_work(shard);
        if (atomic_load(&shard->node->failure) != STATUS_OK && !PLANTED("node.others_run_on"))
            break; /* another partition has failed: nothing is answered any more */
        now_us = clock_wall_us();
        steady_us = clock_steady_us();
        take_mail(shard);
        do_setting(shard, now_us);
        do_settle(shard, now_us);
        do_effects(shard, now_us);
        do_calls(shard, now_us, steady_us);
        if (several)
            shard_do_door_calls(shard, now_us, steady_us);
        else
            shard_do_door(shard, now_us, steady_us);
        shard_do_answers(shard);
        do_cases(shard, now_us, steady_us);
        release(shard);
        if (!partition_tend(&shard->partition, steady_us)) {
            int none = STATUS_OK;

            atomic_store(&shard->node->failed_shard, shard->index);
            atomic_compare_exchange_strong(&shard->node->failure, &none,
                                           (int)shard->partition.failure);
            node_stop(shard->node);
            break;
        }
        look_after(shard, steady_us);
        shard_publish(shard, steady_us);
        if (!closed && atomic_load(&shard->node->stopping)) {
            closed = true;
            serve_stop_listening(shard->serve);
        }
    }
    atomic_store(&shard->running, false);
    return NULL;
}

void shard_start(struct shard *shard)
{
    atomic_store(&shard->running, true);
    if (pthread_create(&shard->thread, NULL, shard_main, shard) != 0)
        abort(); /* no thread at start: nothing has begun */
}

/* --- opening and closing -------------------------------------------------------------------- */

static bool batch_open(struct batch *batch, size_t arena_bytes)
{
    batch->requests = calloc(BATCH_MAX, sizeof *batch->requests);
    batch->replies = calloc(BATCH_MAX, sizeof *batch->replies);
    batch->origins = calloc(BATCH_MAX, sizeof *batch->origins);
    batch->arena = (struct arena){.size = arena_bytes};
    if (arena_bytes > 0)
        batch->arena.bytes = malloc(arena_bytes);
    return batch->requests != NULL && batch->replies != NULL && batch->origins != NULL &&
           (arena_bytes == 0 || batch->arena.bytes != NULL);
}

static void batch_close(struct batch *batch)
{
    free(batch->requests);
    free(batch->replies);
    free(batch->origins);
    free(batch->arena.bytes);
}

enum status shard_open(struct shard *shard, struct node *node, uint16_t index)
{
    bool ok;

    *shard = (struct shard){.node = node, .index = index, .wake_fd = -1, .setting_open = true};
    shard->calls_tail = &shard->calls_waiting;
    shard->effects_tail = &shard->effects_waiting;
    shard->entries_tail = &shard->entries;
    pthread_mutex_init(&shard->facts_mutex, NULL);
    ok = batch_open(&shard->door, BATCH_ARENA_BYTES) && batch_open(&shard->mailed, 0);
    shard->mailed_calls = calloc(BATCH_MAX, sizeof(struct call *));
    shard->entry_memory = calloc(SHARD_ENTRIES, sizeof *shard->entry_memory);
    shard->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (node->count > 1) {
        shard->door_turn.calls = calloc(BATCH_MAX, sizeof(struct call));
        shard->door_turn.storage =
            (struct arena){.bytes = malloc(STORAGE_BYTES), .size = STORAGE_BYTES};
        ok = ok && shard->door_turn.calls != NULL && shard->door_turn.storage.bytes != NULL;
    }
    if (!ok || shard->mailed_calls == NULL || shard->entry_memory == NULL || shard->wake_fd < 0)
        return STATUS_NOMEMORY;
    if (shard_asks_open(shard) != STATUS_OK)
        return STATUS_NOMEMORY;
    for (uint32_t i = 0; i < SHARD_ENTRIES; i++) {
        shard->entry_memory[i].next = shard->free_entries;
        shard->free_entries = &shard->entry_memory[i];
    }
    return STATUS_OK;
}

static void mails_free(struct effect_mail *mail)
{
    for (struct effect_mail *next; mail != NULL; mail = next) {
        next = mail->next;
        free(mail);
    }
}

void shard_close(struct shard *shard)
{
    assert(!atomic_load(&shard->running));
    /* A rebuild opens partitions that never run: what they told each other is told again at a
     * start. */
    mails_free(atomic_exchange(&shard->effects, NULL));
    mails_free(shard->effects_waiting);
    serve_close(shard->serve);
    partition_close(&shard->partition);
    batch_close(&shard->door);
    batch_close(&shard->mailed);
    shard_asks_close(shard);
    free(shard->mailed_calls);
    free(shard->entry_memory);
    free(shard->door_turn.calls);
    free(shard->door_turn.storage.bytes);
    if (shard->wake_fd >= 0)
        close(shard->wake_fd);
    pthread_mutex_destroy(&shard->facts_mutex);
}
