#include "schema/call.h"

#include <assert.h>
#include <string.h>

/* Copies size bytes to the call's storage at *used; returns the copy. */
static void *keep(struct call *call, size_t *used, const void *bytes, size_t size)
{
    uint8_t *copy = (uint8_t *)call->storage + *used;

    assert(call->storage_size - *used >= size);
    memcpy(copy, bytes, size);
    *used += (size + 15) & ~(size_t)15;
    return copy;
}

static void keep_policy(struct call *call, size_t *used, const struct policy_view *view)
{
    struct policy_view *copy = keep(call, used, view, sizeof *view);

    if (view->line_count > 0)
        copy->lines = keep(call, used, view->lines, view->line_count * sizeof *view->lines);
    if (view->has_text)
        copy->text = keep(call, used, view->text, view->head.text_size);
    call->reply.u.policy = copy;
}

void call_answer(struct call *call, const struct reply *reply)
{
    size_t used = 0;

    call->reply = *reply;
    if (reply->kind == REPLY_INTEGERS)
        call->reply.u.values = keep(call, &used, reply->u.values,
                                    (1u + reply->held) * reply->count * sizeof(uint64_t));
    if (reply->kind == REPLY_PAGE)
        call->reply.u.page =
            keep(call, &used, reply->u.page, reply->count * sizeof(struct reply_entry));
    if (reply->kind == REPLY_CASES)
        call->reply.u.cases =
            keep(call, &used, reply->u.cases, reply->count * sizeof(struct case_brief));
    if ((reply->kind == REPLY_EXPORT || reply->kind == REPLY_WEIGHED) && reply->count > 0 &&
        !reply->noticed)
        call->reply.u.edges =
            keep(call, &used, reply->u.edges, reply->count * sizeof(struct edge_row));
    if (reply->kind == REPLY_POLICIES)
        call->reply.u.policies =
            keep(call, &used, reply->u.policies, reply->count * sizeof(struct policy_head));
    if (reply->kind == REPLY_POLICY)
        keep_policy(call, &used, reply->u.policy);
    if (reply->kind == REPLY_ERROR && reply->status == STATUS_BADPOLICY && reply->u.detail != NULL)
        call->reply.u.detail = keep(call, &used, reply->u.detail, strlen(reply->u.detail) + 1);
    if (reply->kind == REPLY_NOTICES || (reply->kind == REPLY_EXPORT && reply->noticed))
        call->reply.u.notices =
            keep(call, &used, reply->u.notices, reply->count * sizeof(struct notice_view));
    if (reply->kind == REPLY_SHIELD || reply->kind == REPLY_POINTS)
        call->reply.u.shields =
            keep(call, &used, reply->u.shields, reply->count * sizeof(struct case_row));
    if (reply->quality != NULL)
        call->reply.quality = keep(call, &used, reply->quality, sizeof *reply->quality);
    if (reply->cased != NULL)
        call->reply.cased = keep(call, &used, reply->cased, sizeof *reply->cased);
    if (reply->item != NULL)
        call->reply.item = keep(call, &used, reply->item, sizeof *reply->item);
    if (reply->account != NULL)
        call->reply.account = keep(call, &used, reply->account, sizeof *reply->account);
}
