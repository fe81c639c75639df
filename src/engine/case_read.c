/* Cases, shown: the answers to CASE verbs, to an account that asks for its own, and to a creator
 * who looks at his item's shield. Changes nothing. */
#include "engine/case.h"

#include "base/hook.h"
#include "engine/case_inner.h"
#include "engine/inner.h"
#include "engine/quality.h"

static bool answer_row(struct engine *engine, const struct case_row *row, bool own,
                       struct reply *reply)
{
    struct case_row *copy = arena_take(&engine->arena, sizeof *copy);

    if (copy == NULL)
        return false;
    *copy = *row;
    reply->kind = REPLY_CASE;
    reply->cased = copy;
    reply->own = own;
    return true;
}

static bool answer_error(struct reply *reply, enum status status)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
    return true;
}

bool case_reply(struct engine *engine, const struct request *request, struct reply *reply)
{
    bool opens = verb_info(request->verb)->shape == SHAPE_CASE_OPEN;
    bool own = request->verb == VERB_CASE_APPEAL || request->verb == VERB_DISAVOW;
    uint64_t id = opens ? case_id_of(engine, reply->sequence) : request->target;
    const struct case_row *row;

    if (opens && !reply->applied && !reply->replayed)
        id = case_disavowed(engine, request); /* there is one already */
    row = case_find(engine, request->tenant, id);
    if (request->flags & REQUEST_RETURN && row != NULL)
        return answer_row(engine, row, own, reply);
    reply->kind = REPLY_INTEGER;
    reply->u.value = opens ? (int64_t)id : reply->applied;
    return true;
}

bool case_is_hidden(const struct request *request, const struct case_row *row)
{
    return request->asserted && row->subject == SUBJECT_ACCOUNT && row->kind == CASE_REVIEW &&
           row->state == CASE_OPEN && row->sanctions == 0 && !PLANTED("engine.review_is_shown");
}

/* From memory or from the store, which a page of a list may ask during a step. */
static enum status row_read(struct engine *engine, uint16_t tenant, uint64_t id,
                            struct case_row *row, bool *found)
{
    const struct case_row *hot = case_find(engine, tenant, id);

    *found = hot != NULL;
    if (hot != NULL) {
        *row = *hot;
        return STATUS_OK;
    }
    *row = (struct case_row){.tenant = tenant, .id = id};
    return store_get_cases(engine->store, row, found, 1);
}

static struct case_brief brief_of(const struct case_row *row)
{
    return (struct case_brief){.id = row->id,
                               .about = row->about,
                               .opened_us = row->opened_us,
                               .due_us = case_is_live(row) ? row->due_us : 0,
                               .until_us = row->until_us,
                               .kind = row->kind,
                               .state = row->state,
                               .subject = row->subject,
                               .decision = row->decision,
                               .proposed = row->proposed,
                               .appealed = row->appealed};
}

static bool is_asked(const struct case_live *live, uint8_t filter)
{
    switch (filter) {
    case 1:
        return live->state == CASE_OPEN && live->proposed == DECISION_NONE;
    case 2:
        return live->proposed != DECISION_NONE;
    case 3:
        return live->appealed;
    case 4:
        return live->state != CASE_OPEN && live->proposed == DECISION_NONE && !live->appealed;
    default:
        return true;
    }
}

/* Partition by partition: the low byte of a cursor tells which (node/route.c sends it there). */
static bool list_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint32_t count, taken = 0,
                    max = request->count < REQUEST_CASES_MAX ? request->count : REQUEST_CASES_MAX;
    struct case_brief *briefs = arena_take(&engine->arena, max * sizeof *briefs);
    const struct case_live *live = hot_cases_live(engine->hot, &count);
    uint64_t below = request->flags & REQUEST_HAS_CURSOR ? request->u.list.cursor : UINT64_MAX;
    uint64_t cursor = 0;

    if (briefs == NULL)
        return false;
    for (uint32_t i = count; i > 0; i--) {
        struct case_row row;
        bool found;
        enum status status;

        if (live[i - 1].id >= below || live[i - 1].tenant != request->tenant ||
            !is_asked(&live[i - 1], request->u.list.filter))
            continue;
        if (taken == max) {
            cursor = briefs[taken - 1].id;
            break;
        }
        status = row_read(engine, request->tenant, live[i - 1].id, &row, &found);
        if (status != STATUS_OK)
            return answer_error(reply, status);
        if (found)
            briefs[taken++] = brief_of(&row);
    }
    if (cursor == 0 && engine->partition + 1 < engine->partition_count)
        cursor = (UINT64_MAX << 8) | (engine->partition + 1u);
    reply->kind = REPLY_CASES;
    reply->count = (uint16_t)taken;
    reply->u.cases = briefs;
    reply->cursor = cursor;
    return true;
}

uint64_t case_shown_from(struct engine *engine, const struct request *request, uint64_t id)
{
    struct case_row row = {0};
    bool found = false;

    while (request->asserted && id != 0) {
        if (row_read(engine, request->tenant, id, &row, &found) != STATUS_OK || !found ||
            !case_is_hidden(request, &row))
            break; /* a failure is told by who reads it next */
        id = row.before;
    }
    return id;
}

/* From the newest along the links to the ones before. */
static bool of_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint8_t subject = request->verb == VERB_CASES ? SUBJECT_ACCOUNT : request->u.list.subject;
    uint64_t about = request->verb == VERB_CASES ? request->account : request->target, id = 0;
    uint32_t taken = 0, slot,
             max = request->count < REQUEST_CASES_MAX ? request->count : REQUEST_CASES_MAX;
    struct case_brief *briefs = arena_take(&engine->arena, max * sizeof *briefs);
    struct case_row row = {0};
    bool found;

    if (briefs == NULL)
        return false;
    slot = subject == SUBJECT_ACCOUNT ? hot_account_find(engine->hot, request->tenant, about)
                                      : hot_item_find(engine->hot, request->tenant, about);
    if (slot != HOT_NONE)
        id = subject == SUBJECT_ACCOUNT ? hot_account(engine->hot, slot)->case_id
                                        : hot_item(engine->hot, slot)->case_id;
    id = case_shown_from(engine, request, id);
    if (request->flags & REQUEST_HAS_CURSOR)
        id = request->u.list.cursor;
    for (; id != 0 && taken < max; id = case_shown_from(engine, request, row.before)) {
        enum status status = row_read(engine, request->tenant, id, &row, &found);

        if (status != STATUS_OK)
            return answer_error(reply, status);
        if (!found || row.subject != subject || row.about != about ||
            case_is_hidden(request, &row)) /* no page ends before one: somebody guesses */
            return answer_error(reply, STATUS_BADCURSOR);
        if (request->verb == VERB_CASE_OF || row.state != CASE_GATHERING)
            briefs[taken++] = brief_of(&row);
    }
    reply->kind = REPLY_CASES;
    reply->count = (uint16_t)taken;
    reply->u.cases = briefs;
    reply->cursor = id;
    return true;
}

static bool get_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    const struct case_row *row = case_find(engine, request->tenant, request->target);
    bool own = request->verb == VERB_CASE_OWN;

    if (row != NULL && own && !PLANTED("engine.any_case_is_own")) {
        bool mine = row->subject == SUBJECT_ACCOUNT && row->about == request->account;

        if (row->subject == SUBJECT_ITEM) {
            uint32_t slot = hot_item_find(engine->hot, row->tenant, row->about);

            mine = slot != HOT_NONE && hot_item(engine->hot, slot)->has_creator &&
                   hot_item(engine->hot, slot)->creator == request->account &&
                   row->state != CASE_GATHERING;
        }
        if (!mine || case_is_hidden(request, row))
            row = NULL;
    }
    return row != NULL ? answer_row(engine, row, own, reply) : answer_error(reply, STATUS_NOCASE);
}

enum status case_about(struct engine *engine, uint16_t tenant, uint64_t account, uint64_t id,
                       struct case_row *row, bool *found)
{
    enum status status = row_read(engine, tenant, id, row, found);

    *found =
        status == STATUS_OK && *found && row->subject == SUBJECT_ACCOUNT && row->about == account;
    return status;
}

bool case_newest(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    uint64_t id = slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->case_id;
    struct case_row *row;
    bool found;

    id = case_shown_from(engine, request, id);
    if (id == 0)
        return true;
    row = arena_take(&engine->arena, sizeof *row);
    if (row == NULL)
        return false;
    if (case_about(engine, request->tenant, request->account, id, row, &found) == STATUS_OK &&
        found) {
        reply->cased = row;
        reply->own = 1;
    }
    return true;
}

/* Everything about the likes of an item that its creator can show: in his own view, from the newest
 * case on. What users reported is theirs until a person has looked at it. */
static bool shield_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    const struct item_row *item = case_item_of(engine, request);
    uint32_t max = request->count < REQUEST_SHIELD_MAX ? request->count : REQUEST_SHIELD_MAX;
    struct case_row *rows = arena_take(&engine->arena, max * sizeof *rows);
    uint64_t id = request->flags & REQUEST_HAS_CURSOR ? request->u.cursor
                  : item == NULL                      ? 0
                                                      : item->case_id;
    uint32_t count = 0;

    if (item == NULL)
        return answer_error(reply, STATUS_NOITEM);
    if (rows == NULL || !read_item_copy(engine, request->tenant, request->target, reply))
        return false;
    while (id != 0 && count < max) {
        bool found;
        enum status status = row_read(engine, request->tenant, id, &rows[count], &found);

        if (status != STATUS_OK)
            return answer_error(reply, status);
        if (!found || rows[count].subject != SUBJECT_ITEM || rows[count].about != request->target)
            return answer_error(reply, STATUS_BADCURSOR);
        id = rows[count].before;
        count += rows[count].state != CASE_GATHERING;
    }
    reply->kind = REPLY_SHIELD;
    reply->count = (uint16_t)count;
    reply->u.shields = rows;
    reply->cursor = id;
    reply->own = 1;
    return request->flags & REQUEST_HAS_CURSOR || quality_answer(engine, request, reply);
}

#define POINTS_LOOKS 64 /* cases that one page of the ledger looks at */

/* The ledger of points: the cases that took some, from the newest on. Whether they were given back
 * is in each: by an appeal that was granted or not answered, or by a restore. */
static bool points_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint32_t max = request->count < REQUEST_SHIELD_MAX ? request->count : REQUEST_SHIELD_MAX;
    struct case_row *rows = arena_take(&engine->arena, max * sizeof *rows);
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    uint64_t id = slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->case_id;
    uint32_t count = 0;

    if (slot == HOT_NONE)
        return answer_error(reply, STATUS_NOACCOUNT);
    if (rows == NULL || !read_account_copy(engine, request->tenant, request->account, reply))
        return false;
    if (request->flags & REQUEST_HAS_CURSOR)
        id = request->u.cursor;
    for (uint32_t looks = 0; id != 0 && count < max && looks < POINTS_LOOKS; looks++) {
        bool found;
        enum status status =
            case_about(engine, request->tenant, request->account, id, &rows[count], &found);

        if (status != STATUS_OK)
            return answer_error(reply, status);
        if (!found)
            return answer_error(reply, STATUS_BADCURSOR);
        id = rows[count].before;
        count += (rows[count].sanctions >> SANCTION_POINTS & 1) != 0;
    }
    reply->kind = REPLY_POINTS;
    reply->count = (uint16_t)count;
    reply->u.shields = rows;
    reply->cursor = id;
    reply->own = 1;
    return true;
}

bool case_read(struct engine *engine, const struct request *request, struct reply *reply)
{
    switch (verb_info(request->verb)->shape) {
    case SHAPE_CASE_GET:
        return get_answer(engine, request, reply);
    case SHAPE_SHIELD:
        return shield_answer(engine, request, reply);
    case SHAPE_POINTS:
        return points_answer(engine, request, reply);
    case SHAPE_CASE_LIST:
        return list_answer(engine, request, reply);
    default:
        return of_answer(engine, request, reply);
    }
}
