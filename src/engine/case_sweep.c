/* Cases, carried out by the partition itself: which case is next, its end when nobody came, and the
 * sweep of a decision over likes, a page at a time (engine.h, engine_case_*). Each step is records,
 * so a crash between two goes on behind the last one. */
#include "engine/case.h"

#include <assert.h>

#include "base/hook.h"
#include "engine/case_inner.h"
#include "engine/inner.h"

bool engine_case_next(struct engine *engine, int64_t now_us, uint32_t *looks, uint16_t *tenant,
                      uint64_t *id)
{
    uint32_t count;
    const struct case_live *live = hot_cases_live(engine->hot, &count);

    for (; *looks > 0 && count > 0; (*looks)--) {
        const struct case_live *at;

        if (engine->case_hand >= count)
            engine->case_hand = 0;
        at = &live[engine->case_hand];
        if (at->state == CASE_APPLYING || at->state == CASE_RESTORING || at->due_us <= now_us) {
            *tenant = at->tenant;
            *id = at->id;
            return true;
        }
        engine->case_hand++;
    }
    return false;
}

bool engine_case_expire(struct engine *engine, uint16_t tenant, uint64_t id)
{
    const struct case_row *row = case_find(engine, tenant, id);
    struct record record = {.kind = RECORD_CASE,
                            .tenant = tenant,
                            .fields = RECORD_HAS_ARGS | RECORD_CHANGED |
                                      (tenant != 0 ? RECORD_HAS_TENANT : 0),
                            .a = id,
                            .b = CASE_EXPIRES};

    if (row == NULL || !case_is_live(row) || row->due_us > engine->now_us ||
        row->state == CASE_APPLYING || row->state == CASE_RESTORING)
        return false;
    record_commit(engine, &record);
    case_follow(engine, tenant, id, 0, 0);
    return true;
}

enum status engine_case_page(struct engine *engine, uint16_t tenant, uint64_t id,
                             struct case_page *page)
{
    const struct case_row *row = case_find(engine, tenant, id);

    page->id = 0;
    page->count = 0;
    page->more = false;
    page->below = 0;
    if (row == NULL || (row->state != CASE_APPLYING && row->state != CASE_RESTORING))
        return STATUS_OK;
    page->tenant = tenant;
    page->id = id;
    page->about = row->about;
    page->item = row->subject == SUBJECT_ITEM;
    page->below = row->cursor;
    return read_list(engine, tenant, page->item, EDGE_LIKE, page->about, page->likes, ENGINE_SWEEP,
                     &page->below, &page->count, &page->more);
}

struct record engine_case_settle(const struct case_page *page, uint32_t i)
{
    return (struct record){
        .kind = RECORD_SETTLE,
        .tenant = page->tenant,
        .fields = RECORD_HAS_ARGS | RECORD_HAS_VERDICT | RECORD_CHANGED |
                  (page->tenant != 0 ? RECORD_HAS_TENANT : 0),
        .account = page->item ? page->likes[i].id : page->about,
        .target = page->item ? page->about : page->likes[i].id,
        .a = page->id,
        .verdict = {.weight_pct = WEIGHT_FULL},
    };
}

/* Is it of the reason that was chosen? A voided like is known by the one it had before. */
static bool is_meant(const struct case_row *row, const struct edge_row *edge)
{
    enum reason only = case_only(row->decision, row->value);

    return only == REASON_NONE || edge_before_reason(edge) == only ||
           PLANTED("engine.void_of_any_reason");
}

/* What the case makes of this like. False: nothing, it is none of those that were meant. */
static bool worth_of(const struct case_row *row, const struct edge_row *edge,
                     struct verdict *verdict)
{
    uint8_t mark = edge_mark(edge);

    *verdict = (struct verdict){.weight_pct = edge->weight_pct, .rule = row->rule};
    verdict->policy = row->policy;
    if (row->state == CASE_RESTORING && row->decision == DECISION_VOID) {
        verdict->mark = edge_before_mark(edge);
        verdict->reason = edge_before_reason(edge);
        if (PLANTED("engine.restore_gives_full_weight"))
            verdict->weight_pct = WEIGHT_FULL;
        return mark == MARK_VOIDED;
    }
    if (row->state == CASE_APPLYING && row->decision == DECISION_VOID) {
        verdict->mark = MARK_VOIDED;
        verdict->reason = REASON_REVIEW;
        verdict->reasons = 1u << REASON_REVIEW;
        return mark != MARK_VOIDED;
    }
    verdict->mark = MARK_PLAIN;
    if (edge->weight_pct < WEIGHT_FULL)
        verdict->reason = edge_reason(edge);
    return mark == MARK_QUARANTINED || (mark == MARK_HELD && row->decision == DECISION_CREDIT);
}

void engine_case_step(struct engine *engine, const struct case_page *page, uint32_t count)
{
    const struct case_row *row = case_find(engine, page->tenant, page->id);
    uint64_t likes = 0;
    bool done = count == page->count && !page->more;
    struct record record = {.kind = RECORD_CASE,
                            .tenant = page->tenant,
                            .fields = RECORD_HAS_ARGS | RECORD_HAS_EXTRA | RECORD_CHANGED |
                                      (page->tenant != 0 ? RECORD_HAS_TENANT : 0),
                            .a = page->id,
                            .c = page->below};

    assert(row != NULL && count <= page->count);
    for (uint32_t i = 0; i < count; i++) {
        struct record settle = engine_case_settle(page, i);
        const struct edge_row *edge =
            hot_edge_find(engine->hot, page->tenant, EDGE_LIKE, settle.account, settle.target);
        uint32_t before = engine->record_count;

        if (PLANTED("engine.restore_forgets_one") && row->state == CASE_RESTORING && i == 0)
            continue;
        record.c = page->likes[i].sequence;
        if (page->likes[i].time_us < row->since_us && row->decision != DECISION_QUARANTINE)
            continue;
        if (row->to_us != 0 && page->likes[i].time_us > row->to_us)
            continue;
        if (edge == NULL || !edge->on || !is_meant(row, edge) ||
            !worth_of(row, edge, &settle.verdict))
            continue;
        engine_settle(engine, &settle);
        likes += engine->record_count - before;
    }
    if (count == page->count)
        record.c = page->below;
    record.b = (done ? CASE_DONE : CASE_STEP) | likes << 8;
    record_commit(engine, &record);
    if (done)
        case_follow(engine, page->tenant, page->id, 0, 0);
}
