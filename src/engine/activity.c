/* activity.c: what an account likes, as far as somebody else may see it.
 *
 * Three have a say: the account's own setting (who has set nothing is seen by nobody: likes tell a
 * lot about a person), the platform's policy (its `show` matrix, by relation), and the item (what
 * is private or removed is left out). Read from the live lists, so what was taken back is gone.
 *
 * A viewer must not learn that there is something he may not see. So "hidden", "empty" and "no such
 * account" are the same answer; pages are filled up over what is left out; and a cursor is given
 * only if there is a further entry he may see. The price is a bound: ACTIVITY_LOOKS likes in a row
 * of which he may see none end the list.
 *
 * Follows of the viewer and of the account meet at the account's home. Who has friends in common,
 * and who made the item, is known there only with one partition; with several such viewers count as
 * what they are otherwise, and see less. */
#include <assert.h>

#include "base/hook.h"
#include "engine/inner.h"
#include "engine/judge.h"

#define ACTIVITY_LOOKS 1024 /* likes looked at for one page */
#define ACTIVITY_CHUNK 64   /* of them at once */
#define ACTIVITY_FRIENDS                                                                           \
    64 /* newest followees of the account that are looked at for common ones                       \
        */

/* --- edges and items, from memory or from the store ----------------------------------------------
 */

/* Fills on for count edges whose keys are in rows, at most 3 * ACTIVITY_FRIENDS. */
static enum status edges_on(struct engine *engine, struct edge_row *rows, bool *on, uint32_t count)
{
    struct edge_row asked[3 * ACTIVITY_FRIENDS];
    uint32_t place[3 * ACTIVITY_FRIENDS], n = 0;
    bool found[3 * ACTIVITY_FRIENDS];
    enum status status;

    assert(count <= 3 * ACTIVITY_FRIENDS);
    for (uint32_t i = 0; i < count; i++) {
        const struct edge_row *edge = hot_edge_find(engine->hot, rows[i].tenant, rows[i].kind,
                                                    rows[i].account, rows[i].target);

        on[i] = edge != NULL && edge->on;
        if (edge != NULL)
            continue;
        place[n] = i;
        asked[n++] = rows[i];
    }
    if (n == 0)
        return STATUS_OK;
    status = store_get_edges(engine->store, asked, found, n);
    for (uint32_t i = 0; status == STATUS_OK && i < n; i++)
        on[place[i]] = found[i] && asked[i].on;
    return status;
}

/* What matters of an item here. */
struct glance {
    bool open, made_by_viewer;
};

static struct glance glance_at(const struct item_row *row, uint64_t viewer)
{
    return (struct glance){.open = row->state == ITEM_PUBLISHED ||
                                   PLANTED("engine.activity_shows_closed"),
                           .made_by_viewer = row->has_creator && row->creator == viewer};
}

static enum status items_glance(struct engine *engine, const struct request *request,
                                const struct reply_entry *entries, uint32_t count,
                                struct glance *glances)
{
    struct item_row asked[ACTIVITY_CHUNK];
    uint32_t place[ACTIVITY_CHUNK], n = 0;
    bool found[ACTIVITY_CHUNK];
    enum status status;

    for (uint32_t i = 0; i < count; i++) {
        const struct item_row *row = hot_item_peek(engine->hot, request->tenant, entries[i].id);

        glances[i] = (struct glance){.open = true}; /* of what is not known, nothing is closed */
        if (row != NULL)
            glances[i] = glance_at(row, request->target);
        else if (store_may_have_item(engine->store, request->tenant, entries[i].id)) {
            asked[n] = (struct item_row){.id = entries[i].id, .tenant = request->tenant};
            place[n++] = i;
        }
    }
    if (n == 0)
        return STATUS_OK;
    status = store_get_items(engine->store, asked, found, n);
    for (uint32_t i = 0; status == STATUS_OK && i < n; i++)
        if (found[i])
            glances[place[i]] = glance_at(&asked[i], request->target);
    return status;
}

/* --- who is it that looks ------------------------------------------------------------------------
 */

static bool follows(struct engine *engine, uint16_t tenant, uint64_t account, uint64_t other)
{
    const struct edge_row *edge = hot_edge_find(engine->hot, tenant, EDGE_FOLLOW, account, other);

    return edge != NULL && edge->on;
}

static struct edge_row follow_row(uint16_t tenant, uint64_t account, uint64_t target)
{
    return (struct edge_row){
        .tenant = tenant, .kind = EDGE_FOLLOW, .account = account, .target = target};
}

/* Is there one whom the account and the viewer follow and who follows both? Among the newest
 * followees of the account. */
static enum status has_common(struct engine *engine, const struct request *request, bool *common)
{
    struct reply_entry friends[ACTIVITY_FRIENDS];
    struct edge_row rows[3 * ACTIVITY_FRIENDS];
    bool on[3 * ACTIVITY_FRIENDS], more;
    uint64_t below = UINT64_MAX, account = request->account, viewer = request->target;
    uint32_t count;
    enum status status = read_list(engine, request->tenant, false, EDGE_FOLLOW, account, friends,
                                   ACTIVITY_FRIENDS, &below, &count, &more);

    *common = false;
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        rows[3 * i] = follow_row(request->tenant, friends[i].id, account);
        rows[3 * i + 1] = follow_row(request->tenant, viewer, friends[i].id);
        rows[3 * i + 2] = follow_row(request->tenant, friends[i].id, viewer);
    }
    status = edges_on(engine, rows, on, 3 * count);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        *common = *common || (on[3 * i] && on[3 * i + 1] && on[3 * i + 2]);
    return status;
}

/* What the policy lets a relation see of this account's likes. Without a policy: as
 * policies/default.policy. */
static enum policy_showing shown_to(const struct engine *engine, const struct account_row *row,
                                    enum policy_relation relation)
{
    const struct policy *policy = engine->judges != NULL ? engine->judges->policy : NULL;

    if (policy != NULL)
        return policy_show_of(policy, policy_region(policy, row != NULL ? row->region : 0),
                              relation, VERB_LIKE);
    return relation == POLICY_STRANGER || relation == POLICY_ITEM_CREATOR ? POLICY_HIDDEN
                                                                          : POLICY_STATE;
}

static bool admits(uint8_t visibility, enum policy_relation relation)
{
    if (PLANTED("engine.activity_stranger_sees"))
        return true;
    switch ((enum visibility)visibility) {
    case VISIBLE_TO_MUTUALS:
        return relation == POLICY_MUTUAL;
    case VISIBLE_TO_FOLLOWERS:
        return relation == POLICY_MUTUAL || relation == POLICY_FOLLOWER;
    case VISIBLE_TO_ALL:
        return true;
    case VISIBLE_TO_NOBODY:
    case VISIBILITY_COUNT:
        break;
    }
    return false;
}

/* What this viewer sees of this account's likes; own: of likes of his own items. */
struct sight {
    enum policy_showing any, own;
};

/* Whatever the holder or the platform has set. */
static bool is_minor(const struct account_row *row)
{
    return (row->switches & SWITCH_MINOR) != 0 && !PLANTED("engine.minor_is_seen");
}

static enum status sight_of(struct engine *engine, const struct request *request,
                            struct sight *sight)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    const struct account_row *row = slot == HOT_NONE ? NULL : hot_account(engine->hot, slot);
    uint8_t visibility = row == NULL || is_minor(row) ? VISIBLE_TO_NOBODY : row->visibility;
    enum policy_relation relation = POLICY_STRANGER;
    enum status status = STATUS_OK;
    bool common = false;

    *sight = (struct sight){POLICY_HIDDEN, POLICY_HIDDEN};
    if (request->flags & REQUEST_HAS_VIEWER) {
        if (request->target == request->account) {
            *sight = (struct sight){POLICY_TRACE, POLICY_TRACE};
            return STATUS_OK;
        }
        if (follows(engine, request->tenant, request->target, request->account))
            relation = follows(engine, request->tenant, request->account, request->target)
                           ? POLICY_MUTUAL
                           : POLICY_FOLLOWER;
        else if (visibility == VISIBLE_TO_ALL && engine->partition_count == 1 &&
                 shown_to(engine, row, POLICY_COMMON) != shown_to(engine, row, POLICY_STRANGER))
            status = has_common(engine, request, &common);
    }
    if (common)
        relation = POLICY_COMMON;
    if (status != STATUS_OK || !admits(visibility, relation))
        return status;
    sight->any = sight->own = shown_to(engine, row, relation);
    if (request->flags & REQUEST_HAS_VIEWER &&
        shown_to(engine, row, POLICY_ITEM_CREATOR) > sight->own)
        sight->own = shown_to(engine, row, POLICY_ITEM_CREATOR);
    return STATUS_OK;
}

/* --- the page ------------------------------------------------------------------------------------
 */

/* Takes over of a chunk what may be seen; returns how many entries there are then. */
static uint32_t keep_seen(const struct sight *sight, const struct reply_entry *chunk,
                          const struct glance *glances, uint32_t count, struct reply_entry *entries,
                          uint32_t kept, uint32_t max)
{
    for (uint32_t i = 0; i < count && kept < max; i++) {
        enum policy_showing showing = glances[i].made_by_viewer ? sight->own : sight->any;

        if (!glances[i].open || showing == POLICY_HIDDEN)
            continue;
        entries[kept] = chunk[i];
        if (showing == POLICY_STATE)
            entries[kept].time_us = 0; /* that, but not when */
        kept++;
    }
    return kept;
}

/* Fills entries, at most max; count: how many. */
static enum status page_fill(struct engine *engine, const struct request *request,
                             const struct sight *sight, struct reply_entry *entries, uint32_t max,
                             uint32_t *kept)
{
    uint64_t below = request->flags & REQUEST_HAS_CURSOR ? request->u.cursor : UINT64_MAX;
    bool more = true;

    *kept = 0;
    for (uint32_t looks = 0; more && *kept < max && looks < ACTIVITY_LOOKS;
         looks += ACTIVITY_CHUNK) {
        struct reply_entry chunk[ACTIVITY_CHUNK];
        struct glance glances[ACTIVITY_CHUNK];
        uint32_t count;
        enum status status = read_list(engine, request->tenant, false, EDGE_LIKE, request->account,
                                       chunk, ACTIVITY_CHUNK, &below, &count, &more);

        if (status == STATUS_OK)
            status = items_glance(engine, request, chunk, count, glances);
        if (status != STATUS_OK)
            return status;
        *kept = keep_seen(sight, chunk, glances, count, entries, *kept, max);
    }
    return STATUS_OK;
}

bool activity_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint32_t max = request->count + 1u, kept = 0; /* one more tells whether there is a next page */
    struct reply_entry *entries = arena_take(&engine->arena, max * sizeof *entries);
    struct sight sight;
    enum status status;

    if (entries == NULL)
        return false;
    status = sight_of(engine, request, &sight);
    if (status == STATUS_OK && (sight.any != POLICY_HIDDEN || sight.own != POLICY_HIDDEN))
        status = page_fill(engine, request, &sight, entries, max, &kept);
    if (status != STATUS_OK) {
        reply->kind = REPLY_ERROR;
        reply->status = (uint8_t)status;
        return true;
    }
    reply->kind = REPLY_PAGE;
    reply->count = kept < max ? (uint16_t)kept : request->count;
    reply->cursor = kept < max ? 0 : entries[request->count - 1].sequence;
    reply->u.page = entries;
    return true;
}
