/* partition.c: the turn, what cases ask for, and the flush; partition_open.c brings it up.
 *
 * Order of a turn: load what is needed, decide and apply, append the records. If the log has failed
 * nothing of it was told to anybody; the process ends and comes back from the log. */
#include "node/partition.h"

#include <stdio.h>
#include <string.h>

#include "base/hook.h"
#include "node/flusher.h"
#include "node/load.h"
#include "node/partition_inner.h"

#define COLLECT_ROWS    512     /* copied aside in one round of the loop */
#define STALL_US        5000000 /* no room for writes for so long: answer BUSY */
#define SETTLE_AT_ONCE  256
#define PACE_AT_PERCENT 75 /* of the room, while a flush is under way: writes slow down */
#define PACE_US_MIN     2000000
#define PACE_ROOM_MIN   256
#define STORE_DAMAGED   "the store is damaged; the next start makes it again from the log"

/* --- a damaged store ------------------------------------------------------------------------ */

/* A file beside the store says that it is damaged, so that the next start drops it and makes it
 * again: what is damaged inside is found by reading it, not by opening it. */
void partition_damage_path(const struct partition *partition, char path[540])
{
    snprintf(path, 540, "%s.damaged", partition->config.store_dir);
}

void partition_damage_mark(struct partition *partition)
{
    char path[540];
    FILE *file;

    partition->store_damaged = true;
    if (partition->config.store != NULL)
        return;
    partition_damage_path(partition, path);
    file = fopen(path, "w");
    if (file != NULL)
        fclose(file); /* without it the next start only finds out later */
}

void partition_distrust(struct partition *partition)
{
    if (!partition->distrusted)
        partition_damage_mark(partition);
    partition->distrusted = partition->readonly = true;
}

/* --- the turn ------------------------------------------------------------------------------- */

enum status partition_load(struct partition *partition)
{
    enum status status =
        load_needs(partition->store, partition->hot, partition->needs, partition->engine.now_us);

    if (status == STATUS_CORRUPT)
        partition_damage_mark(partition);
    return status;
}

static void fail(struct partition *partition, enum status status, const char *message)
{
    if (partition->failure != STATUS_OK)
        return;
    partition->failure = status;
    snprintf(partition->message, sizeof partition->message, "%s", message);
}

/* May writes be taken in this turn? False: not even refused; wait. */
static bool gate(struct partition *partition)
{
    enum status room = log_has_room(partition->log, partition->engine.body_max);

    partition->nospace = room == STATUS_NOSPACE || partition->flush == FLUSH_RETRY;
    partition->engine.writes_refused = room != STATUS_OK;
    partition->engine.refusal = room;
    if (partition->readonly) {
        partition->engine.writes_refused = true;
        partition->engine.refusal = STATUS_READONLY;
    }
    /* Busy is over in a moment; a log that failed ends the process (partition_tend). */
    return room != STATUS_BUSY && room != STATUS_IOFAIL;
}

static bool load_for(struct partition *partition, struct batch *batch, uint32_t from, uint32_t *to)
{
    enum status status;

    hot_turn_begin(partition->hot);
    *to = engine_gather(&partition->engine, batch, from, partition->needs);
    if (*to == from)
        return true;
    status = partition_load(partition);
    if (status == STATUS_OK) {
        engine_gather_creators(&partition->engine, batch, from, *to, partition->needs);
        status = partition_load(partition);
    }
    if (status == STATUS_OK && partition->needs->again) {
        engine_gather_creators(&partition->engine, batch, from, *to, partition->needs);
        status = partition_load(partition);
    }
    if (status != STATUS_OK)
        fail(partition, status, STORE_DAMAGED);
    return status == STATUS_OK;
}

/* No room in memory for writes: the flush must end first. That is a matter of a moment, unless the
 * disk is full or too slow; then writes are refused and reads go on. */
static bool stall(struct partition *partition, int64_t now_us)
{
    if (partition->stalled_us == 0)
        partition->stalled_us = now_us;
    if (partition->flush != FLUSH_RETRY && now_us - partition->stalled_us < STALL_US)
        return false;
    partition->engine.writes_refused = true;
    partition->engine.refusal = partition->flush == FLUSH_RETRY ? STATUS_NOSPACE : STATUS_BUSY;
    return true;
}

static uint32_t room_left(const struct hot *hot)
{
    struct hot_room room;
    uint32_t least;

    hot_room(hot, &room);
    least = room.edges < room.operations ? room.edges : room.operations;
    least = room.accounts < least ? room.accounts : least;
    return room.items < least ? room.items : least;
}

/* A flush may take long: the merges behind it lag, or the disk is slow. Writes that went on at full
 * speed would use the room up and then meet a full stop. So from PACE_AT_PERCENT on they get the
 * room that is left at the rate at which it would last for as long again as this has taken so far:
 * it shrinks as 1/time and does not end, whereas a fixed rate would and a fixed time (tried:
 * 10 s) slowed down flushes that were about to end. The last of the room is for the stall, which
 * tells that nothing goes on any more. Returns up to which request the batch may go now; from
 * itself if the first one is a write that has to wait. */
static uint32_t pace(struct partition *partition, const struct batch *batch, uint32_t from,
                     int64_t now_us)
{
    int64_t age_us, allowed;
    uint32_t room;

    if (partition->flush == FLUSH_IDLE || partition->flush == FLUSH_RETRY ||
        partition->engine.writes_refused || hot_fill_percent(partition->hot) < PACE_AT_PERCENT ||
        (room = room_left(partition->hot)) < PACE_ROOM_MIN) {
        partition->paced_us = 0;
        return batch->count;
    }
    if (partition->paced_us == 0 || now_us < partition->paced_us) { /* or the clock went back */
        partition->pace_since_us = partition->paced_us = now_us;
        partition->pace_records = 1;
    }
    age_us = now_us - partition->pace_since_us + PACE_US_MIN;
    allowed = (int64_t)room * (now_us - partition->paced_us) / age_us;
    if (allowed > 0) { /* else: the next call has more time to give out */
        partition->paced_us = now_us;
        partition->pace_records += allowed;
    }
    if (partition->pace_records > BATCH_MAX)
        partition->pace_records = BATCH_MAX;
    for (uint32_t at = from, writes = 0; at < batch->count; at++) {
        enum verb verb = batch->requests[at].verb;

        if (verb < VERB_COUNT && verb_info(verb)->group == GROUP_WRITE &&
            (int64_t)++writes > partition->pace_records)
            return at;
    }
    return batch->count;
}

static void append(struct partition *partition)
{
    struct engine *engine = &partition->engine;

    if (engine->record_count > 0)
        log_append(partition->log, engine->first_sequence, engine->record_count, engine->now_us,
                   engine->body, engine->body_size);
}

/* --clock requests: the first request's time, if it says one and it is no step back; returns up to
 * where the requests go with it. A turn has one time, so each new time is a turn of its own: what
 * happens does not depend on how the requests came in. */
static uint32_t same_time(const struct partition *partition, const struct batch *batch,
                          uint32_t from, int64_t *time_us)
{
    uint32_t to = from;

    *time_us = partition->engine.now_us;
    for (; to < batch->count; to++) {
        const struct request *request = &batch->requests[to];
        bool says = request->verb < VERB_COUNT && (request->flags & REQUEST_CONTEXT) != 0;

        if (!says || request->context.client_us <= *time_us)
            continue;
        if (to > from)
            break;
        *time_us = request->context.client_us;
    }
    return to;
}

static uint32_t turn(struct partition *partition, struct batch *batch, uint32_t from,
                     int64_t now_us, int64_t time_us, uint64_t *need)
{
    struct engine *engine = &partition->engine;
    uint32_t paced, to, done;

    if (!gate(partition))
        return from;
    /* With several partitions the last fifth of the room is for effects: if writes could take it
     * all, two full partitions would wait for each other's flush for ever. */
    if (partition->config.count > 1 && partition->flush != FLUSH_IDLE &&
        hot_fill_percent(partition->hot) >= 80 && !stall(partition, now_us))
        return from;
    paced = pace(partition, batch, from, now_us);
    if (paced == from && from < batch->count)
        return from;
    if (!load_for(partition, batch, from, &to))
        return from;
    if (to > paced)
        to = paced;
    if (to == from) {
        if (!stall(partition, now_us) || !load_for(partition, batch, from, &to))
            return from;
    } else if (!engine->writes_refused) {
        partition->stalled_us = 0;
    }
    done = engine_step(engine, batch, from, to, time_us);
    if (engine->answers[STATUS_CORRUPT] > 0) {
        partition_damage_mark(partition);
        fail(partition, STATUS_CORRUPT, STORE_DAMAGED);
        return from; /* nobody has heard of this step, the log included */
    }
    append(partition);
    partition->pace_records -= engine->record_count;
    partition->turns++;
    /* What was read may rest on records that are not durable yet, so reads wait as well. */
    *need = engine->sequence;
    return done;
}

uint32_t partition_turn(struct partition *partition, struct batch *batch, uint32_t from,
                        int64_t now_us, uint64_t *need)
{
    uint32_t whole = batch->count, done;
    int64_t time_us = now_us;

    if (partition->config.clock_requests)
        batch->count = same_time(partition, batch, from, &time_us);
    done = turn(partition, batch, from, now_us, time_us, need);
    batch->count = whole;
    return done;
}

/* Brings in what applying these records needs; of how many of them, the first ones. */
static uint32_t load_records(struct partition *partition, const struct record *const *records,
                             uint32_t count)
{
    struct engine *engine = &partition->engine;
    uint32_t n = 0;
    enum status status;

    needs_clear(partition->needs);
    while (n < count && engine_gather_record(engine, records[n], partition->needs))
        n++;
    status = partition_load(partition);
    needs_clear(partition->needs);
    for (uint32_t i = 0; i < n; i++)
        if (!engine_gather_record_creators(engine, records[i], partition->needs))
            n = i;
    if (status == STATUS_OK)
        status = partition_load(partition);
    if (status != STATUS_OK) {
        fail(partition, status, STORE_DAMAGED);
        return 0;
    }
    return n;
}

/* The same at the beginning of a turn, if there is room for what they change. */
static uint32_t take_rows(struct partition *partition, const struct record *const *records,
                          uint32_t count)
{
    struct hot_room room;

    hot_room(partition->hot, &room);
    if (log_has_room(partition->log, partition->engine.body_max) != STATUS_OK ||
        room.accounts < 3 * count || room.items < count || room.edges < count)
        return 0;
    hot_turn_begin(partition->hot);
    return load_records(partition, records, count);
}

bool partition_has_due(const struct partition *partition, int64_t now_us)
{
    const struct hold *hold[1];

    if (partition->config.clock_requests)
        now_us = partition->engine.now_us;
    return engine_holds_due(&partition->engine, now_us, hold, 1) > 0;
}

uint32_t partition_settle(struct partition *partition, int64_t now_us, uint64_t *need)
{
    struct engine *engine = &partition->engine;
    const struct hold *hold[SETTLE_AT_ONCE];
    struct record records[SETTLE_AT_ONCE];
    const struct record *pointers[SETTLE_AT_ONCE];
    uint32_t count;

    if (partition->config.clock_requests)
        now_us = engine->now_us;
    count = engine_holds_due(engine, now_us, hold, SETTLE_AT_ONCE);
    for (uint32_t i = 0; i < count; i++) {
        records[i] = engine_hold_record(hold[i]);
        pointers[i] = &records[i];
    }
    count = take_rows(partition, pointers, count);
    if (count == 0)
        return 0;
    engine_begin(engine, now_us);
    for (uint32_t i = 0; i < count && engine_can_take(engine, 1); i++)
        engine_hold_settle(engine);
    append(partition);
    partition->turns++;
    *need = engine->sequence;
    return count;
}

uint32_t partition_take(struct partition *partition, const struct record *const *effects,
                        uint32_t count, int64_t now_us, uint64_t *need)
{
    struct engine *engine = &partition->engine;
    uint32_t n = take_rows(partition, effects, count);

    if (n == 0)
        return 0;
    engine_begin(engine, partition->config.clock_requests ? engine->now_us : now_us);
    for (uint32_t i = 0; i < n; i++) {
        if (!engine_can_take(engine, 2)) {
            n = i;
            break;
        }
        engine_take(engine, effects[i]);
    }
    append(partition);
    partition->turns++;
    *need = engine->sequence;
    return n;
}

bool partition_setting(struct partition *partition, int64_t now_us, uint64_t *need, bool *again)
{
    struct engine *engine = &partition->engine;

    *again = partition->readonly || log_has_room(partition->log, engine->body_max) != STATUS_OK;
    if (*again)
        return false;
    engine_begin(engine, partition->config.clock_requests ? engine->now_us : now_us);
    if (!policy_setting_takes(engine))
        return false;
    append(partition);
    partition->turns++;
    *need = engine->sequence;
    return true;
}

/* --- cases ---------------------------------------------------------------------------------- */

#define CASES_EVERY_US 20000 /* without a sweep under way */
#define CASES_LOOKS    512   /* heads looked at each time */

/* Brings in the case and what it is about. */
static bool case_load(struct partition *partition, uint16_t tenant, uint64_t id)
{
    enum status status = STATUS_OK;

    hot_turn_begin(partition->hot);
    for (int i = 0; i < 3 && status == STATUS_OK; i++) {
        needs_clear(partition->needs);
        engine_gather_case(&partition->engine, tenant, id, partition->needs);
        status = partition_load(partition);
    }
    if (status != STATUS_OK)
        fail(partition, status, STORE_DAMAGED);
    return status == STATUS_OK;
}

/* Brings in the rows of the first likes of a page; returns of how many. */
static uint32_t case_load_likes(struct partition *partition, const struct case_page *page)
{
    struct record records[ENGINE_SWEEP];
    const struct record *pointers[ENGINE_SWEEP];

    for (uint32_t i = 0; i < page->count; i++) {
        records[i] = engine_case_settle(page, i);
        pointers[i] = &records[i];
    }
    return load_records(partition, pointers, page->count);
}

static void case_sweep(struct partition *partition, uint16_t tenant, uint64_t id, int64_t now_us)
{
    struct engine *engine = &partition->engine;
    struct case_page page;
    enum status status = engine_case_page(engine, tenant, id, &page);
    uint32_t count;

    if (status != STATUS_OK) {
        fail(partition, status, STORE_DAMAGED);
        return;
    }
    if (page.id != id)
        return; /* it is not in memory: nothing to sweep */
    count = case_load_likes(partition, &page);
    if (partition->failure != STATUS_OK || (count == 0 && page.count > 0))
        return;
    engine_begin(engine, now_us);
    while (count > 0 && !engine_can_take(engine, count + 8))
        count /= 2;
    engine_case_step(engine, &page, count);
}

bool partition_cases(struct partition *partition, int64_t now_us, int64_t steady_us, uint64_t *need)
{
    struct engine *engine = &partition->engine;
    struct hot_room room;
    uint32_t looks = CASES_LOOKS;
    uint64_t id = 0, before = engine->sequence;
    uint16_t tenant;

    if (!partition->sweeping && steady_us - partition->cases_us < CASES_EVERY_US)
        return false;
    partition->cases_us = steady_us;
    partition->sweeping = false;
    if (partition->config.clock_requests)
        now_us = engine->now_us;
    if (!engine_case_next(engine, now_us > engine->now_us ? now_us : engine->now_us, &looks,
                          &tenant, &id))
        return false;
    hot_room(partition->hot, &room);
    if (log_has_room(partition->log, engine->body_max) != STATUS_OK || room.cases < 4 ||
        room.inboxes < 4 || room.accounts < 3 * ENGINE_SWEEP || room.items < ENGINE_SWEEP ||
        room.edges < ENGINE_SWEEP || hot_fill_percent(partition->hot) >= PACE_AT_PERCENT)
        return false;
    if (!case_load(partition, tenant, id))
        return false;
    engine_begin(engine, now_us);
    if (!engine_case_expire(engine, tenant, id))
        case_sweep(partition, tenant, id, now_us);
    if (partition->failure != STATUS_OK || engine->sequence == before) {
        engine->case_hand++; /* it could not be done: the next one */
        return false;
    }
    append(partition);
    partition->sweeping = true;
    partition->turns++;
    *need = engine->sequence;
    return true;
}

/* --- the flush ------------------------------------------------------------------------------ */

/* From here on changes go to the other region; what was so far stands for this sequence. */
static void freeze(struct partition *partition)
{
    hot_freeze(partition->hot);
    partition->flush_sequence =
        partition->engine.sequence - (PLANTED("node.flush_one_less") ? 1 : 0);
    memcpy(partition->flush_marks, partition->engine.marks, sizeof partition->flush_marks);
    signals_copy(&partition->signals);
    policy_book_freeze(partition->engine.book);
}

/* Writes out what is in memory, here and now. */
enum status partition_flush_now(struct partition *partition, char message[256])
{
    enum status status;

    if (hot_can_freeze(partition->hot)) {
        if (!hot_is_dirty(partition->hot) && partition->engine.book->dirty == 0 &&
            store_applied(partition->store) == partition->engine.sequence)
            return STATUS_OK;
        freeze(partition);
    }
    while (!hot_collect(partition->hot, 65536))
        ;
    status =
        flusher_write(partition->hot, partition->store, &partition->signals, partition->engine.book,
                      partition->flush_sequence, partition->flush_marks, message);
    if (status == STATUS_OK)
        hot_rest(partition->hot);
    if (status == STATUS_CORRUPT)
        partition_damage_mark(partition);
    return status;
}

static void flush_collect(struct partition *partition)
{
    bool collected = hot_collect(partition->hot, COLLECT_ROWS);

    /* The store must not get ahead of the log, nor of effects that still have to be sent again. */
    if (!collected ||
        (log_durable(partition->log) < partition->flush_sequence &&
         !PLANTED("node.flush_before_durable")) ||
        partition->flush_hold < partition->flush_sequence)
        return;
    flusher_begin(partition->flusher, partition->flush_sequence, partition->flush_marks,
                  partition->config.count);
    partition->flush = FLUSH_WRITING;
}

static void flush_poll(struct partition *partition)
{
    enum status status = STATUS_OK;
    char message[256] = "";

    switch (flusher_poll(partition->flusher, &status, message)) {
    case FLUSHER_BUSY:
        partition->flush = FLUSH_WRITING;
        break;
    case FLUSHER_NOSPACE:
        partition->flush = FLUSH_RETRY;
        break;
    case FLUSHER_OK:
        hot_rest(partition->hot);
        partition->flush = FLUSH_IDLE;
        break;
    case FLUSHER_FAILED:
        if (status == STATUS_CORRUPT)
            partition_damage_mark(partition);
        fail(partition, status, message);
        break;
    }
}

bool partition_tend(struct partition *partition, int64_t steady_us)
{
    const char *message = NULL;

    if (log_failed(partition->log, &message))
        fail(partition, STATUS_IOFAIL, message);
    if (partition->config.count == 1)
        partition->flush_hold = UINT64_MAX;
    switch (partition->flush) {
    case FLUSH_IDLE:
        if (hot_fill_percent(partition->hot) < FLUSH_AT_PERCENT &&
            (steady_us - partition->flushed_us < partition->config.flush_us ||
             (!hot_is_dirty(partition->hot) && partition->engine.book->dirty == 0)))
            break;
        freeze(partition);
        partition->flushed_us = steady_us;
        partition->flush = FLUSH_COLLECTING;
        break;
    case FLUSH_COLLECTING:
        flush_collect(partition);
        break;
    case FLUSH_WRITING:
    case FLUSH_DONE:
    case FLUSH_RETRY:
        flush_poll(partition);
        break;
    }
    return partition->failure == STATUS_OK;
}

int partition_sleep_ms(const struct partition *partition)
{
    if (partition->flush == FLUSH_COLLECTING || partition->sweeping ||
        partition->engine.sweep.under_way)
        return 0;
    if (partition->backlog.under_way)
        return 2;
    if (partition->stalled_us != 0 || partition->paced_us != 0 || partition->nospace ||
        partition->flush == FLUSH_RETRY)
        return 100;
    return 1000;
}

bool partition_pump(struct partition *partition, uint32_t pick)
{
    if (pick % 4 == 3 && flusher_pump(partition->flusher))
        return true;
    return log_pump(partition->log, pick / 4) || flusher_pump(partition->flusher);
}

enum status partition_flush_all(struct partition *partition)
{
    enum status status;

    /* A flush under way is finished first; what changed since then is a second one. */
    while (partition->flush == FLUSH_WRITING || partition->flush == FLUSH_RETRY) {
        if (!partition->config.threads && !flusher_pump(partition->flusher))
            return STATUS_IOFAIL;
        flush_poll(partition);
        if (partition->failure != STATUS_OK)
            return partition->failure;
        if (partition->flush == FLUSH_RETRY)
            return STATUS_NOSPACE;
    }
    if (partition->flush == FLUSH_COLLECTING) {
        status = partition_flush_now(partition, partition->message);
        if (status != STATUS_OK)
            return status;
        partition->flush = FLUSH_IDLE;
    }
    return partition_flush_now(partition, partition->message);
}
