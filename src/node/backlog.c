#include "node/backlog.h"

#include "engine/judge.h"
#include "node/partition.h"

static void walk_begin(struct backlog *backlog, const struct partition *partition)
{
    *backlog = (struct backlog){
        .under_way = true,
        .waits = true,
        .after = partition->engine.sequence,
        .missed = partition->engine.judges->holds->missed,
        .from = {.kind = EDGE_LIKE},
        .looked_us = backlog->looked_us,
    };
}

/* Everything was looked at. What was missed meanwhile is for the next walk. */
static void walk_end(struct backlog *backlog, struct partition *partition)
{
    struct holds *holds = partition->engine.judges->holds;

    backlog->under_way = false;
    holds->missed -= holds->missed < backlog->missed ? holds->missed : backlog->missed;
}

/* The key behind this one; where likes of the tenant end, the first of the next. False: no more. */
static bool go_on_behind(struct backlog *backlog, const struct edge_row *row)
{
    bool like = row->kind == EDGE_LIKE;

    backlog->from = (struct edge_row){.kind = EDGE_LIKE, .tenant = row->tenant};
    if (like && (row->target < UINT64_MAX || row->account < UINT64_MAX)) {
        backlog->from.account = row->account + (row->target == UINT64_MAX);
        backlog->from.target = row->target + 1;
        return true;
    }
    backlog->from.tenant++;
    return row->tenant < UINT16_MAX;
}

static enum status step(struct backlog *backlog, struct partition *partition)
{
    struct edge_row rows[BACKLOG_AT_ONCE];
    uint32_t count;
    enum status status =
        store_edges_from(partition->store, &backlog->from, rows, BACKLOG_AT_ONCE, &count);
    bool more = status == STATUS_OK && count == BACKLOG_AT_ONCE;

    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        if (rows[i].kind != EDGE_LIKE) {
            more = go_on_behind(backlog, &rows[i]);
            break;
        }
        if (!engine_hold_again(&partition->engine, &rows[i]))
            return STATUS_OK; /* from this one on, when there is room */
        if (!go_on_behind(backlog, &rows[i]))
            more = false;
    }
    if (status == STATUS_OK && !more)
        walk_end(backlog, partition);
    return status;
}

void backlog_step(struct backlog *backlog, struct partition *partition, int64_t steady_us)
{
    const struct judges *judges = partition->engine.judges;

    if (judges == NULL || judges->unscored || judges->holds->missed == 0) {
        backlog->under_way = false; /* it would only fill the queue */
        return;
    }
    if (steady_us - backlog->looked_us < BACKLOG_EVERY_US)
        return;
    backlog->looked_us = steady_us;
    if (!backlog->under_way)
        walk_begin(backlog, partition);
    backlog->waits = backlog->waits && store_applied(partition->store) < backlog->after;
    if (backlog->waits || judges->holds->count > judges->holds->capacity / 2)
        return;
    if (step(backlog, partition) != STATUS_OK)
        backlog->under_way = false; /* the audit tells of damage */
}
