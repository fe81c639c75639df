/* cleanup.c: the holder takes all of his likes back in one call, and may undo that.
 *
 * One call is carried out in steps of ENGINE_SWEEP likes, a step in a turn, so that the memory a
 * turn needs and the time it takes stay bounded. What goes into the log are ordinary UNLIKE records
 * that name the clean-up: counts, weights and lists change as by single ones, but nothing that
 * rules look at counts them (record_cleanup). There is no state of a job at rest: what has been
 * taken back is taken back, and after a crash the caller, who was not answered, calls again and the
 * rest is done. Doing it twice changes nothing.
 *
 * Each one leaves a mark, an edge of kind CLEARED with the clean-up's number, the weight the like
 * had and the sequence of its un-like. A like is still off since then if its own sequence is that
 * one: the undo needs no more to restore exactly those.
 *
 * Numbers are per account: one above that of the newest mark. They live in 16 bits and begin again.
 *
 * ACCOUNT PURGE (erase.c) goes the same way over everything the account has on, and leaves no
 * marks.
 */
#include <assert.h>

#include "base/hook.h"
#include "engine/inner.h"
#include "engine/notice.h"

#define CLEANUP_MAX     20000 /* likes looked at in a call: so long others wait at most */
#define CLEANUP_UNDO_US (30LL * 24 * 3600 * 1000000)
#define RETRY_MS        100

/* What takes back an edge of that kind; an undo's list is of marks, about likes. */
static const uint8_t off_verbs[EDGE_COUNT] = {
    [EDGE_LIKE] = VERB_UNLIKE,     [EDGE_FAVORITE] = VERB_UNFAVORITE,
    [EDGE_FOLLOW] = VERB_UNFOLLOW, [EDGE_REPORT] = VERB_UNLIKE, /* never swept */
    [EDGE_CLEARED] = VERB_UNLIKE,
};

static bool is_undo(const struct request *request)
{
    return request->verb == VERB_CLEANUP_UNDO;
}

static bool is_purge(const struct request *request)
{
    return request->verb == VERB_ACCOUNT_PURGE;
}

/* Is it this one that is under way? */
static bool is_mine(const struct sweep *sweep, const struct request *request)
{
    return sweep->verb == request->verb && sweep->tenant == request->tenant &&
           sweep->account == request->account &&
           (is_undo(request) ? sweep->number == (uint16_t)request->u.cursor
                             : sweep->before_us == request->u.cleanup.before_us &&
                                   sweep->after_us == request->u.cleanup.after_us);
}

static bool in_time(const struct request *request, int64_t time_us)
{
    return (request->u.cleanup.before_us == 0 || time_us < request->u.cleanup.before_us) &&
           time_us >= request->u.cleanup.after_us;
}

/* --- what a step needs ---------------------------------------------------------------------------
 */

static enum status edge_read(struct engine *engine, uint16_t tenant, uint8_t kind, uint64_t account,
                             uint64_t target, struct edge_row *row, bool *found)
{
    const struct edge_row *edge = hot_edge_find(engine->hot, tenant, kind, account, target);

    *row = (struct edge_row){.tenant = tenant, .kind = kind, .account = account, .target = target};
    *found = edge != NULL;
    if (edge == NULL)
        return store_get_edges(engine->store, row, found, 1);
    *row = *edge;
    return STATUS_OK;
}

/* One above the newest clean-up of the account that left a mark. */
static enum status number_next(struct engine *engine, const struct request *request,
                               uint16_t *number)
{
    uint64_t below = UINT64_MAX;
    struct reply_entry newest;
    struct edge_row row;
    uint32_t count;
    bool more, found;
    enum status status = read_list(engine, request->tenant, false, EDGE_CLEARED, request->account,
                                   &newest, 1, &below, &count, &more);

    *number = 1;
    if (status != STATUS_OK || count == 0)
        return status;
    status =
        edge_read(engine, request->tenant, EDGE_CLEARED, request->account, newest.id, &row, &found);
    if (status == STATUS_OK && found && row.flips < RECORD_ERASURE - 1)
        *number = (uint16_t)(row.flips + 1);
    return status;
}

static void sweep_begin(struct engine *engine, const struct request *request)
{
    struct sweep *sweep = &engine->sweep;

    *sweep = (struct sweep){.under_way = true,
                            .verb = request->verb,
                            .tenant = request->tenant,
                            .account = request->account,
                            .kind = is_undo(request) ? EDGE_CLEARED : EDGE_LIKE,
                            .below = UINT64_MAX};
    if (is_undo(request) || is_purge(request)) {
        sweep->number = is_purge(request) ? RECORD_ERASURE : (uint16_t)request->u.cursor;
        return;
    }
    sweep->before_us = request->u.cleanup.before_us;
    sweep->after_us = request->u.cleanup.after_us;
    sweep->status = number_next(engine, request, &sweep->number);
}

/* How many likes there is room for in one step: each needs rows of item and creator and two edges.
 */
static uint32_t step_size(const struct hot_room *room)
{
    uint32_t size = ENGINE_SWEEP;
    const uint32_t most[] = {room->inboxes > 1 ? room->inboxes - 1 : 0,
                             room->items,
                             room->edges / 2,
                             room->scratch / 2,
                             room->accounts > 2 ? room->accounts - 2 : 0,
                             room->loads > 8 ? room->loads / 2 - 4 : 0};

    for (uint32_t i = 0; i < sizeof most / sizeof *most; i++)
        size = most[i] < size ? most[i] : size;
    return size;
}

/* Reads the next part of the list and keeps what is meant. */
static enum status step_list(struct engine *engine, const struct request *request, uint32_t size)
{
    struct sweep *sweep = &engine->sweep;
    struct reply_entry *entries = sweep->entries;
    uint32_t count, kept = 0;
    enum status status;

    sweep->count = 0;
    sweep->next_below = sweep->below;
    status = read_list(engine, request->tenant, false, sweep->kind, request->account, entries, size,
                       &sweep->next_below, &count, &sweep->more);
    if (status != STATUS_OK)
        return status;
    if (is_purge(request)) {
        sweep->count = count;
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool old = is_undo(request) ? entries[i].time_us < engine->now_us - CLEANUP_UNDO_US
                                    : entries[i].time_us < request->u.cleanup.after_us;

        if (old) /* and all that follow */
            sweep->more = false;
        else if (is_undo(request) || in_time(request, entries[i].time_us))
            entries[kept++] = entries[i];
    }
    sweep->count = kept;
    return STATUS_OK;
}

bool cleanup_gather(struct engine *engine, const struct request *request,
                    const struct hot_room *room, struct needs *needs)
{
    struct sweep *sweep = &engine->sweep;
    uint32_t size = step_size(room);

    if (engine->writes_refused || (sweep->under_way && !is_mine(sweep, request)))
        return true;
    if (size == 0)
        return false;
    if (!sweep->under_way)
        sweep_begin(engine, request);
    if (sweep->status == STATUS_OK)
        sweep->status = step_list(engine, request, size);
    need_account(engine, needs, request->tenant, request->account);
    if (is_purge(request))
        notice_need_inbox(engine, needs, request->tenant, request->account);
    for (uint32_t i = 0; sweep->status == STATUS_OK && i < sweep->count; i++) {
        uint64_t item = sweep->entries[i].id;

        if (is_purge(request)) {
            if (edge_target_is_account(sweep->kind))
                need_account(engine, needs, request->tenant, item);
            else
                need_item(engine, needs, request->tenant, item);
            need_edge(engine, needs, request->tenant, sweep->kind, request->account, item);
            continue;
        }
        need_item(engine, needs, request->tenant, item);
        need_edge(engine, needs, request->tenant, EDGE_LIKE, request->account, item);
        need_edge(engine, needs, request->tenant, EDGE_CLEARED, request->account, item);
    }
    return true;
}

void cleanup_gather_creators(struct engine *engine, struct needs *needs)
{
    const struct sweep *sweep = &engine->sweep;

    for (uint32_t i = 0; sweep->under_way && i < sweep->count; i++)
        need_told_back(engine, needs, sweep->tenant, off_verbs[sweep->kind], sweep->account,
                       sweep->entries[i].id);
}

/* --- the step ------------------------------------------------------------------------------------
 */

static void put_record(struct engine *engine, uint8_t verb, uint64_t item,
                       const struct edge_row *like, const struct edge_row *worth)
{
    struct sweep *sweep = &engine->sweep;
    struct record record = {
        .kind = verb,
        .tenant = sweep->tenant,
        .fields = RECORD_CHANGED | RECORD_HAS_ARGS | (sweep->tenant != 0 ? RECORD_HAS_TENANT : 0),
        .account = sweep->account,
        .target = item,
        .a = sweep->number,
    };

    if (worth != NULL)
        record.verdict = edge_verdict(worth);
    if (worth != NULL && !verdict_is_plain(&record.verdict))
        record.fields |= RECORD_HAS_VERDICT;
    judge_unlike(engine, &record, 0);
    record_like_before(
        &record,
        like != NULL ? like
                     : hot_edge_find(engine->hot, sweep->tenant, EDGE_LIKE, sweep->account, item),
        engine->now_us);
    notice_decide(engine, &record, like);
    record_commit(engine, &record);
    sweep->done++;
}

static void take_back(struct engine *engine, uint64_t item)
{
    const struct sweep *sweep = &engine->sweep;
    const struct edge_row *edge =
        hot_edge_find(engine->hot, sweep->tenant, sweep->kind, sweep->account, item);

    if (edge != NULL && edge->on)
        put_record(engine, off_verbs[sweep->kind], item, edge, NULL);
}

/* A purge goes on with the next kind. */
static void kind_next(struct sweep *sweep)
{
    if (sweep->verb != VERB_ACCOUNT_PURGE || sweep->more || sweep->kind + 1 >= EDGE_LISTED)
        return;
    sweep->kind++;
    sweep->next_below = UINT64_MAX;
    sweep->more = !PLANTED("engine.purge_keeps_favorites");
}

/* Only what this clean-up took back, and nobody has touched since. */
static void bring_back(struct engine *engine, uint64_t item)
{
    const struct sweep *sweep = &engine->sweep;
    const struct edge_row *like =
        hot_edge_find(engine->hot, sweep->tenant, EDGE_LIKE, sweep->account, item);
    const struct edge_row *mark =
        hot_edge_find(engine->hot, sweep->tenant, EDGE_CLEARED, sweep->account, item);
    bool still = like != NULL && mark != NULL && !like->on &&
                 (like->sequence == mark->sequence || PLANTED("engine.undo_brings_all_back"));

    if (still && mark->on && mark->flips == sweep->number &&
        mark->time_us >= engine->now_us - CLEANUP_UNDO_US)
        put_record(engine, VERB_LIKE, item, NULL, mark);
}

/* Room in this step for the record, and the effects, of one more? */
static bool record_room(const struct engine *engine)
{
    return engine->body_size + RECORD_BYTES_MAX <= engine->body_max &&
           engine->effect_count + (size_t)EFFECTS_PER_RECORD <= ENGINE_EFFECTS_MAX;
}

static void step_do(struct engine *engine, const struct request *request)
{
    struct sweep *sweep = &engine->sweep;

    for (uint32_t i = 0; i < sweep->count; i++) {
        if (!record_room(engine)) { /* the next step begins with this one */
            sweep->next_below = sweep->entries[i].sequence + 1;
            sweep->more = true;
            break;
        }
        if (is_undo(request))
            bring_back(engine, sweep->entries[i].id);
        else
            take_back(engine, sweep->entries[i].id);
    }
    kind_next(sweep);
    sweep->looked += ENGINE_SWEEP;
    sweep->below = sweep->next_below;
    sweep->count = 0;
}

static bool end_error(struct engine *engine, struct reply *reply, enum status status)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
    engine->sweep.under_way = false;
    return true;
}

/* Who is restricted may take back; what he brings back would be likes he may not give now. */
static bool is_restricted(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    const struct account_row *row = slot == HOT_NONE ? NULL : hot_account(engine->hot, slot);

    if (row == NULL || row->state == ACCOUNT_ACTIVE || row->until_us <= engine->now_us)
        return false;
    if (row->state != ACCOUNT_ERASED)
        reply->until_us = row->until_us;
    return is_undo(request);
}

/* Has the account taken back, brought back and looked at as much as it may for now? */
static bool is_spent(struct engine *engine, const struct request *request, struct reply *reply)
{
    if (disclose_flow(&engine->disclosure, request, FLOW_CLEANUP, engine->now_us))
        return false;
    reply->retry_ms = disclose_retry_ms(engine->now_us);
    return true;
}

bool cleanup_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    struct sweep *sweep = &engine->sweep;
    enum status status = STATUS_OK;
    uint64_t *values;

    if (sweep->under_way && !is_mine(sweep, request)) { /* one at a time, from two doors */
        reply->kind = REPLY_ERROR;
        reply->status = STATUS_BUSY;
        reply->retry_ms = RETRY_MS;
        return true;
    }
    if (engine->writes_refused) {
        reply->retry_ms = 1000;
        return end_error(engine, reply, engine->refusal);
    }
    if (sweep->status != STATUS_OK)
        return end_error(engine, reply, sweep->status);
    if (is_purge(request) && sweep->looked == 0)
        status = erase_begin(engine, request);
    else if (!is_purge(request) && is_restricted(engine, request, reply))
        status = reply->until_us != 0 ? STATUS_SUSPENDED : STATUS_ERASED;
    else if (sweep->looked == 0 && is_spent(engine, request, reply))
        status = STATUS_RATE;
    if (status != STATUS_OK)
        return end_error(engine, reply, status);
    step_do(engine, request);
    if (sweep->more && sweep->looked < CLEANUP_MAX)
        return false;
    sweep->under_way = false;
    if (!is_purge(request))
        disclose_flowed(&engine->disclosure, request, FLOW_CLEANUP, sweep->looked, engine->now_us);
    values = arena_take(&engine->arena, 3 * sizeof *values);
    assert(values != NULL); /* step_room looked */
    values[0] = (sweep->done > 0 || is_undo(request)) && !is_purge(request) ? sweep->number : 0;
    values[1] = sweep->done;
    values[2] = sweep->more;
    reply->kind = REPLY_INTEGERS;
    reply->count = 3;
    reply->u.values = values;
    return true;
}

/* --- apply ---------------------------------------------------------------------------------------
 */

void cleanup_apply(struct engine *engine, const struct record *record, uint32_t giver)
{
    const struct edge_row *like =
        hot_edge_find(engine->hot, record->tenant, EDGE_LIKE, record->account, record->target);
    struct edge_row mark = {
        .account = record->account,
        .target = record->target,
        .sequence = record->sequence,
        .time_us = record->time_us,
        .tenant = record->tenant,
        .flips = record_cleanup(record),
        .kind = EDGE_CLEARED,
        .on = record->kind == VERB_UNLIKE,
    };

    if (mark.on && like != NULL) {
        mark.weight_pct = like->weight_pct;
        mark.marks = like->marks;
    }
    hot_edge_set(engine->hot, &mark, giver, HOT_NONE);
}

/* --- the preview ---------------------------------------------------------------------------------
 */

bool cleanup_preview(struct engine *engine, const struct request *request, struct reply *reply)
{
    struct reply_entry *sample = arena_take(&engine->arena, request->count * sizeof *sample);
    uint64_t below = UINT64_MAX, total = 0;
    uint32_t kept = 0, looked = 0;
    bool more = true;

    if (sample == NULL)
        return false;
    if (is_spent(engine, request, reply)) {
        reply->kind = REPLY_ERROR;
        reply->status = STATUS_RATE;
        return true;
    }
    for (; more && looked < CLEANUP_MAX; looked += 2 * ENGINE_SWEEP) {
        struct reply_entry entries[2 * ENGINE_SWEEP];
        uint32_t count;
        enum status status = read_list(engine, request->tenant, false, EDGE_LIKE, request->account,
                                       entries, 2 * ENGINE_SWEEP, &below, &count, &more);

        if (status != STATUS_OK) {
            reply->kind = REPLY_ERROR;
            reply->status = (uint8_t)status;
            return true;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (!in_time(request, entries[i].time_us))
                continue;
            total++;
            if (kept < request->count)
                sample[kept++] = entries[i];
        }
        if (count > 0 && entries[count - 1].time_us < request->u.cleanup.after_us)
            more = false;
    }
    disclose_flowed(&engine->disclosure, request, FLOW_CLEANUP, looked, engine->now_us);
    reply->kind = REPLY_PAGE;
    reply->count = (uint16_t)kept;
    reply->u.page = sample;
    reply->cursor = more && total > 0 ? CLEANUP_MAX : total;
    return true;
}
