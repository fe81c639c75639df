/* operation.c: operation ids: one id, one answer.
 *
 * An id is kept with a hash of what was asked. The same id with the same content gets the answer
 * given then; with another content it is a conflict. A UUID version 7 carries its own time: one
 * that is older than ids are kept, and not found, was perhaps used and forgotten, so it is refused
 * (EXPIREDID). */
#include <assert.h>

#include "base/hook.h"
#include "engine/inner.h"

/* Part of the formats: it stands in the log and in the store. */
uint64_t operation_content(const struct request *request)
{
    uint64_t hash = hash_two(request->verb, request->tenant);

    hash = hash_two(hash, request->account);
    hash = hash_two(hash, request->target);
    switch (verb_info(request->verb)->shape) {
    case SHAPE_VIEW:
        hash = hash_two(hash, request->u.view.watch_ms);
        hash = hash_two(hash, request->u.view.duration_ms);
        break;
    case SHAPE_ACT:
        for (int i = 0; i < request->count; i++)
            hash = hash_two(hash, request->u.actions[i]);
        break;
    case SHAPE_ITEM_SET:
        hash = hash_two(hash, request->flags &
                                  (REQUEST_HAS_CREATOR | REQUEST_HAS_DURATION | REQUEST_HAS_STATE));
        if (request->flags & REQUEST_HAS_CREATOR)
            hash = hash_two(hash, request->u.item.creator);
        if (request->flags & REQUEST_HAS_DURATION)
            hash = hash_two(hash, request->u.item.duration_ms);
        if (request->flags & REQUEST_HAS_STATE)
            hash = hash_two(hash, request->u.item.state);
        if (request->u.item.original != ORIGIN_UNSAID)
            hash = hash_two(hash, 32 + request->u.item.original);
        if (request->u.item.published_s != 0)
            hash = hash_two(hash, 64 + ((uint64_t)request->u.item.published_s << 8));
        break;
    case SHAPE_ACCOUNT_SET: /* without options as it always was */
        if (request->flags & REQUEST_HAS_VISIBLE)
            hash = hash_two(hash, 1 + request->u.portrait.visibility);
        if (request->flags & REQUEST_HAS_TIER)
            hash = hash_two(hash, 65 + request->u.portrait.tier);
        if (request->flags & REQUEST_HAS_CREATED)
            hash = hash_two(hash, 128 + (uint64_t)request->u.portrait.created_us);
        if (request->u.portrait.has_region)
            hash = hash_two(hash, 96 + (request->u.portrait.region << 8));
        break;
    case SHAPE_ITEM_STATE:
        hash = hash_two(hash, request->u.item.state);
        break;
    case SHAPE_ACCOUNT_STATE:
        hash = hash_two(hash, request->u.restriction.state);
        if (request->flags & REQUEST_HAS_UNTIL)
            hash = hash_two(hash, (uint64_t)request->u.restriction.until_us);
        break;
    case SHAPE_CASE_OPEN:
    case SHAPE_CASE_STEP:
        hash = hash_two(hash, request->u.deed.kind | (uint64_t)request->u.deed.subject << 8 |
                                  (uint64_t)request->u.deed.decision << 16 |
                                  (uint64_t)request->u.deed.value << 32);
        hash = hash_two(hash, (uint64_t)request->u.deed.since_us);
        hash = hash_two(hash, (uint64_t)request->u.deed.until_us);
        for (int i = 0; i < request->u.deed.text_size; i++)
            hash = hash_two(hash, (uint8_t)request->u.deed.text[i]);
        break;
    case SHAPE_NOTE:
    case SHAPE_ITEM_NOTE:
    case SHAPE_ACCOUNT_NOTE:
        hash = hash_two(hash, request->u.note.amount | (uint64_t)request->u.note.until_s << 32);
        hash = hash_two(hash, request->u.note.value | (uint64_t)request->u.note.word << 16 |
                                  (uint64_t)request->u.note.name_size << 32);
        for (int i = 0; i < request->u.note.name_size; i++)
            hash = hash_two(hash, (uint8_t)request->u.note.name[i]);
        for (int i = 0; i < request->u.note.text_size; i++)
            hash = hash_two(hash, (uint8_t)request->u.note.text[i]);
        break;
    case SHAPE_POLICY_PROPOSE:
    case SHAPE_POLICY_STEP:
        for (uint32_t i = 0; i < request->u.rules.reason_size; i++)
            hash = hash_two(hash, (uint8_t)request->u.rules.reason[i]);
        for (uint32_t i = 0; i < request->u.rules.text_size; i++)
            hash = hash_two(hash, (uint8_t)request->u.rules.text[i]);
        break;
    default:
        break;
    }
    return hash;
}

/* The time in a UUID version 7 (RFC 9562, 5.7): its first 48 bits, in milliseconds. -1 for others.
 */
static int64_t opid_time_us(const uint64_t opid[2])
{
    if ((opid[0] >> 12 & 0xF) != 7 || opid[1] >> 62 != 2)
        return -1;
    return (int64_t)(opid[0] >> 16) * 1000;
}

static void answer_error(struct reply *reply, enum status status)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
}

bool operation_answer(struct engine *engine, const struct request *request, uint64_t content,
                      struct reply *reply)
{
    const struct operation_row *row =
        hot_operation_find(engine->hot, request->tenant, request->opid);
    int64_t made_us;

    if (PLANTED("engine.operation_forgotten"))
        return false;
    if (row != NULL && engine->now_us - row->time_us <= engine->operation_keep_us) {
        if (row->content != content && !PLANTED("engine.operation_other_content")) {
            answer_error(reply, STATUS_CONFLICT);
            return true;
        }
        reply->replayed = 1;
        reply->sequence = row->sequence;
        reply->applied = row->applied;
        reply->status = row->status;
        if (row->status != STATUS_OK && row->status != STATUS_UNCHANGED)
            reply->kind = REPLY_ERROR;
        return true;
    }
    made_us = opid_time_us(request->opid);
    if (made_us >= 0 && engine->now_us - made_us > engine->operation_keep_us) {
        answer_error(reply, STATUS_EXPIREDID);
        return true;
    }
    return false;
}

void operation_keep(struct engine *engine, const struct record *record, uint8_t applied)
{
    assert(record->fields & RECORD_HAS_OPID);
    hot_operation_set(engine->hot, &(struct operation_row){
                                       .id = {record->opid[0], record->opid[1]},
                                       .content = record->content,
                                       .sequence = record->sequence,
                                       .time_us = record->time_us,
                                       .tenant = record->tenant,
                                       .status = record->status,
                                       .applied = applied,
                                   });
}
