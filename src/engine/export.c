/* export.c: what is kept of an account, told to the account, page by page.
 *
 * Sections one after the other: the account itself; its likes, favorites and follows that are on,
 * each newest first, with what a like is worth and why; what its clean-ups took back; the cases
 * about it, one a page, as it may see them; what it is told (NOTICES). To the holder himself a like
 * is plain until people have decided about it: what the rules and the scorer think of each would
 * teach him to get past them. The cursor is the section and where in it to go on: below which
 * sequence, or at which case. Nothing is kept between two pages, so what changes meanwhile is seen
 * as it is then; what stays as it was is told exactly once. */
#include <assert.h>

#include "base/hook.h"
#include "engine/case.h"
#include "engine/disclose.h"
#include "engine/inner.h"
#include "engine/notice.h"

enum section {
    SECTION_ACCOUNT,
    SECTION_LIKES,
    SECTION_CLEARED = 4,
    SECTION_CASES,
    SECTION_NOTICES,
    SECTION_END
};

#define SECTION_SHIFT 60
#define BELOW_ALL     ((1ULL << SECTION_SHIFT) - 1)
#define ROWS_AT_ONCE  READ_EDGES_MAX

static uint64_t cursor_of(uint64_t section, uint64_t below)
{
    return section >= SECTION_END ? 0 : section << SECTION_SHIFT | (below & BELOW_ALL);
}

static uint8_t kind_of(uint64_t section)
{
    return section == SECTION_CLEARED ? EDGE_CLEARED : (uint8_t)(section - SECTION_LIKES);
}

static bool fail(struct reply *reply, enum status status)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
    return true;
}

/* Verdicts of the rules and of the scorer are not told like by like to who made it. */
static void rows_veil(const struct request *request, struct edge_row *rows, uint32_t count)
{
    if (!disclose_is_viewer(request))
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct edge_row *edge = &rows[i];

        if ((edge->kind != EDGE_LIKE && edge->kind != EDGE_CLEARED) ||
            edge_reason(edge) == REASON_REVIEW)
            continue;
        edge->weight_pct = WEIGHT_FULL;
        edge->marks = edge_marks(MARK_PLAIN, REASON_NONE);
    }
}

static bool edges_answer(struct engine *engine, const struct request *request, uint64_t section,
                         uint64_t below, struct reply *reply)
{
    struct edge_row *rows = arena_take(&engine->arena, request->count * sizeof *rows);
    struct reply_entry entries[ROWS_AT_ONCE];
    uint32_t taken = 0, count = 0;
    bool more = true;

    if (rows == NULL)
        return false;
    if (below == BELOW_ALL)
        below = UINT64_MAX;
    while (more && taken < request->count) {
        uint32_t want = request->count - taken;
        enum status status =
            read_list(engine, request->tenant, false, kind_of(section), request->account, entries,
                      want < ROWS_AT_ONCE ? want : ROWS_AT_ONCE, &below, &count, &more);

        if (status == STATUS_OK)
            status = read_edges(engine, request->tenant, false, kind_of(section), request->account,
                                entries, count, rows + taken);
        if (status != STATUS_OK)
            return fail(reply, status);
        taken += count;
        if (count == 0)
            break; /* a stretch of what does not hold any more: the next page goes on behind it */
    }
    rows_veil(request, rows, taken);
    reply->count = (uint16_t)taken;
    reply->u.edges = rows;
    reply->cursor = more ? cursor_of(section, below) : cursor_of(section + 1, BELOW_ALL);
    return true;
}

static bool case_answer(struct engine *engine, const struct request *request, uint64_t id,
                        struct reply *reply)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    struct case_row *row;
    enum status status;
    bool found;

    if (id == BELOW_ALL)
        id = case_shown_from(engine, request,
                             slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->case_id);
    reply->cursor = cursor_of(SECTION_NOTICES, BELOW_ALL);
    if (id == 0)
        return true;
    row = arena_take(&engine->arena, sizeof *row);
    if (row == NULL)
        return false;
    status = case_about(engine, request->tenant, request->account, id, row, &found);
    found = (found && !case_is_hidden(request, row)) || PLANTED("engine.export_of_others");
    if (status != STATUS_OK || !found)
        return fail(reply, status != STATUS_OK ? status : STATUS_BADCURSOR);
    reply->cased = row;
    reply->own = 1;
    id = case_shown_from(engine, request, row->before);
    if (id != 0)
        reply->cursor = cursor_of(SECTION_CASES, id);
    return true;
}

/* As NOTICES tells them: a copy reads nothing for him, and names nobody whom that names not. */
static bool notices_answer(struct engine *engine, const struct request *request, uint64_t below,
                           struct reply *reply)
{
    struct request list = *request;

    list.flags |= REQUEST_HAS_CURSOR;
    list.u.cursor = below;
    if (!notice_answer(engine, &list, reply))
        return false;
    reply->kind = REPLY_EXPORT;
    reply->noticed = 1;
    if (reply->cursor != 0)
        reply->cursor = cursor_of(SECTION_NOTICES, reply->cursor);
    return true;
}

static bool page_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint64_t cursor = request->flags & REQUEST_HAS_CURSOR ? request->u.cursor : 0;
    uint64_t section = cursor >> SECTION_SHIFT;

    reply->kind = REPLY_EXPORT;
    if (section >= SECTION_END || (section == SECTION_ACCOUNT && cursor != 0))
        return fail(reply, STATUS_BADCURSOR);
    if (hot_account_find(engine->hot, request->tenant, request->account) == HOT_NONE)
        return fail(reply, STATUS_NOACCOUNT);
    if (section == SECTION_CASES)
        return case_answer(engine, request, cursor & BELOW_ALL, reply);
    if (section == SECTION_NOTICES)
        return notices_answer(engine, request, cursor & BELOW_ALL, reply);
    if (section != SECTION_ACCOUNT)
        return edges_answer(engine, request, section, cursor & BELOW_ALL, reply);
    reply->cursor = cursor_of(SECTION_LIKES, BELOW_ALL);
    return read_account_copy(engine, request->tenant, request->account, reply);
}

bool export_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    if (!disclose_flow(&engine->disclosure, request, FLOW_EXPORT, engine->now_us)) {
        reply->retry_ms = disclose_retry_ms(engine->now_us);
        return fail(reply, STATUS_RATE);
    }
    if (!page_answer(engine, request, reply))
        return false;
    if (reply->kind == REPLY_EXPORT)
        disclose_flowed(&engine->disclosure, request, FLOW_EXPORT, 1u + reply->count,
                        engine->now_us);
    return true;
}
