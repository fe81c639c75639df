/* weighed.c: CASE LIKES: the likes of an item one by one, with what each is worth, for who judges.
 *
 * The item's partition has every like of the item in its list and a copy of the edge, which follows
 * whatever the account's partition decides (credit.c), so one partition answers. A page may be
 * chosen by mark and main reason; it looks at a bounded number of likes and says where to go on, so
 * one may be empty with more to come. It is a list of people, and costs its reader's budget as
 * LIKERS does (disclose.h). */
#include <assert.h>

#include "base/hook.h"
#include "engine/disclose.h"
#include "engine/inner.h"

#define LOOKS_MAX 4096 /* likes that one page looks at: some milliseconds at rest */

static bool fail(struct reply *reply, enum status status)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
    return true;
}

static bool is_asked(const struct request *request, const struct edge_row *edge)
{
    uint8_t mark = request->u.list.mark, reason = request->u.list.reason;

    return (mark == 0 || edge_mark(edge) == mark - 1) &&
           (reason == REASON_NONE || edge_reason(edge) == reason);
}

/* Takes of the likes the ones that were asked for; how many rows there are then. */
static uint32_t keep_asked(const struct request *request, const struct edge_row *likes,
                           uint32_t count, struct edge_row *rows, uint32_t taken)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_asked(request, &likes[i]))
            rows[taken++] = likes[i];
    return taken;
}

bool weighed_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    struct edge_row *rows, likes[READ_EDGES_MAX];
    struct reply_entry entries[READ_EDGES_MAX];
    uint64_t below = request->flags & REQUEST_HAS_CURSOR ? request->u.list.cursor : UINT64_MAX;
    uint32_t taken = 0, looked = 0, count = 1;
    bool more = true;

    if (!disclose_list(&engine->disclosure, request, engine->now_us))
        return fail(reply, STATUS_RATE);
    rows = arena_take(&engine->arena, request->count * sizeof *rows);
    if (rows == NULL)
        return false;
    while (more && count > 0 && taken < request->count && looked < LOOKS_MAX) {
        uint32_t want = request->count - taken;
        enum status status =
            read_list(engine, request->tenant, true, EDGE_LIKE, request->target, entries,
                      want < READ_EDGES_MAX ? want : READ_EDGES_MAX, &below, &count, &more);

        if (status == STATUS_OK)
            status = read_edges(engine, request->tenant, true, EDGE_LIKE, request->target, entries,
                                count, likes);
        if (status != STATUS_OK)
            return fail(reply, status);
        taken = keep_asked(request, likes, count, rows, taken);
        looked += count;
    }
    disclose_listed(&engine->disclosure, request, taken, engine->now_us);
    reply->kind = REPLY_WEIGHED;
    reply->count = (uint16_t)taken;
    reply->u.edges = rows;
    reply->cursor = more ? below : 0;
    return true;
}
