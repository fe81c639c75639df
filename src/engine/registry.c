/* registry.c: what is known of accounts and items: their existence, states, creators. */
#include <assert.h>

#include "engine/inner.h"
#include "engine/note.h"
#include "engine/notice.h"
#include "schema/access.h"

#define RESTRICTION_US     (7LL * 24 * 3600 * 1000000)   /* when UNTIL is not given */
#define RESTRICTION_MAX_US (366LL * 24 * 3600 * 1000000) /* every restriction expires */

/* ITEM SET in a record: c is a mask of what was given, and the state. */
#define ITEM_MASK(request)                                                                         \
    ((request)->flags & (REQUEST_HAS_CREATOR | REQUEST_HAS_DURATION | REQUEST_HAS_STATE))

uint32_t account_ensure(struct engine *engine, uint16_t tenant, uint64_t id, int64_t time_us)
{
    uint32_t slot = hot_account_find(engine->hot, tenant, id);

    if (slot == HOT_NONE)
        slot = hot_account_add(
            engine->hot, &(struct account_row){.id = id, .tenant = tenant, .first_us = time_us});
    return slot;
}

uint32_t item_ensure(struct engine *engine, uint16_t tenant, uint64_t id, int64_t time_us)
{
    uint32_t slot = hot_item_find(engine->hot, tenant, id);

    if (slot == HOT_NONE)
        slot = hot_item_add(engine->hot,
                            &(struct item_row){.id = id, .tenant = tenant, .first_us = time_us});
    return slot;
}

static bool origin_changes(const struct request *request, const struct item_row *row)
{
    uint8_t original = request->u.item.original;

    return (original != ORIGIN_UNSAID && row->repost != (original == ORIGIN_REPOST)) ||
           (request->u.item.published_s != 0 && row->published_s != request->u.item.published_s);
}

static enum status item_set_decide(struct engine *engine, const struct request *request,
                                   struct record *record)
{
    uint32_t slot = hot_item_find(engine->hot, request->tenant, request->target);
    const struct item_row *row = slot == HOT_NONE ? NULL : hot_item(engine->hot, slot);
    uint16_t mask = ITEM_MASK(request);
    bool change = row == NULL;

    record->fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record->a = mask & REQUEST_HAS_CREATOR ? request->u.item.creator : 0;
    record->b = (mask & REQUEST_HAS_DURATION ? request->u.item.duration_ms : 0) |
                (uint64_t)request->u.item.published_s << 32;
    record->c = mask | (mask & REQUEST_HAS_STATE ? (uint64_t)request->u.item.state << 8 : 0) |
                (uint64_t)request->u.item.original << 16;
    if (request->u.item.published_s * 1000000LL > engine->now_us)
        return bad_value(engine, "PUBLISHED (published_ms) must not be after now, in unix "
                                 "milliseconds");
    if (row != NULL) {
        if (mask & REQUEST_HAS_CREATOR)
            change = change || !row->has_creator || row->creator != request->u.item.creator;
        if (mask & REQUEST_HAS_DURATION)
            change = change || row->duration_ms != request->u.item.duration_ms;
        if (mask & REQUEST_HAS_STATE)
            change = change || row->state != request->u.item.state;
        change = change || origin_changes(request, row);
    }
    return change ? STATUS_OK : STATUS_UNCHANGED;
}

static enum status item_state_decide(struct engine *engine, const struct request *request,
                                     struct record *record)
{
    uint32_t slot = hot_item_find(engine->hot, request->tenant, request->target);

    record->fields |= RECORD_HAS_ARGS;
    record->a = request->u.item.state;
    if (slot == HOT_NONE)
        return engine->create_unknown ? STATUS_OK : STATUS_NOITEM;
    return hot_item(engine->hot, slot)->state == request->u.item.state ? STATUS_UNCHANGED
                                                                       : STATUS_OK;
}

static enum status account_state_decide(struct engine *engine, const struct request *request,
                                        struct record *record)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    uint8_t state = request->u.restriction.state;
    int64_t until_us = 0;

    if (slot == HOT_NONE && !engine->create_unknown)
        return STATUS_NOACCOUNT;
    if (state != ACCOUNT_ACTIVE) {
        until_us = request->flags & REQUEST_HAS_UNTIL ? request->u.restriction.until_us
                                                      : engine->now_us + RESTRICTION_US;
        if (until_us <= engine->now_us || until_us - engine->now_us > RESTRICTION_MAX_US)
            return bad_value(engine, "UNTIL (until_ms) must be after now and at most 366 days "
                                     "ahead, in unix milliseconds");
    }
    record->fields |= RECORD_HAS_ARGS;
    record->a = state;
    record->b = (uint64_t)until_us;
    if (slot != HOT_NONE) {
        const struct account_row *row = hot_account(engine->hot, slot);

        if (row->state == ACCOUNT_ERASED)
            return STATUS_ERASED;
        if (row->state == state && row->until_us == until_us)
            return STATUS_UNCHANGED;
    }
    return STATUS_OK;
}

static bool switches_decide(const struct request *request, const struct account_row *row,
                            struct record *record)
{
    uint8_t mask = request->u.portrait.switch_mask, now = row == NULL ? 0 : row->switches;

    record->c |= (mask & SWITCH_MINOR ? PORTRAIT_MINOR : 0u) |
                 (mask & SWITCH_IMPERSONAL ? PORTRAIT_PERSONAL : 0u);
    record->a |= (uint64_t)request->u.portrait.switches << 16;
    return (now & mask) != request->u.portrait.switches;
}

/* Who asks as himself was held to his visibility at the door; what was not said stays as it is. */
static enum status account_set_decide(struct engine *engine, const struct request *request,
                                      struct record *record)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);
    const struct account_row *row = slot == HOT_NONE ? NULL : hot_account(engine->hot, slot);
    bool change = row == NULL;

    if (row != NULL && row->state == ACCOUNT_ERASED)
        return STATUS_ERASED;
    if (row == NULL && request->object_rule == RULE_ACCOUNT && !engine->create_unknown)
        return STATUS_NOACCOUNT; /* the platform registers */
    if (request->flags & REQUEST_HAS_VISIBLE) {
        record->c |= PORTRAIT_VISIBILITY;
        record->a |= request->u.portrait.visibility;
        change = change || row->visibility != request->u.portrait.visibility;
    }
    if (request->flags & REQUEST_HAS_TIER) {
        record->c |= PORTRAIT_TIER;
        record->a |= (uint64_t)request->u.portrait.tier << 8;
        change = change || row->tier != request->u.portrait.tier;
    }
    if (request->flags & REQUEST_HAS_CREATED) {
        if (request->u.portrait.created_us > engine->now_us)
            return bad_value(engine, "CREATED (created_ms) must not be after now, in unix "
                                     "milliseconds");
        record->c |= PORTRAIT_CREATED;
        record->b = (uint64_t)request->u.portrait.created_us;
        change = change || row->first_us != request->u.portrait.created_us;
    }
    if (request->flags & REQUEST_HAS_SWITCH)
        change = switches_decide(request, row, record) || change;
    if (request->u.portrait.has_region) {
        record->c |= PORTRAIT_REGION | request->u.portrait.region << PORTRAIT_REGION_SHIFT;
        change = change || row->region != request->u.portrait.region;
    }
    if (record->c != 0)
        record->fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    return change ? STATUS_OK : STATUS_UNCHANGED;
}

static void account_set_apply(const struct record *record, struct account_row *row)
{
    uint8_t mask = (uint8_t)((record->c & PORTRAIT_MINOR ? SWITCH_MINOR : 0) |
                             (record->c & PORTRAIT_PERSONAL ? SWITCH_IMPERSONAL : 0));

    if (!(record->fields & RECORD_HAS_EXTRA))
        return;
    if (record->c & PORTRAIT_VISIBILITY)
        row->visibility = (uint8_t)record->a;
    if (record->c & PORTRAIT_TIER)
        row->tier = (uint8_t)(record->a >> 8);
    if (record->c & PORTRAIT_CREATED)
        row->first_us = (int64_t)record->b;
    row->switches = (uint8_t)((row->switches & ~mask) | (uint8_t)(record->a >> 16));
    if (record->c & PORTRAIT_REGION)
        row->region = record_region(record);
}

static enum status account_revoke_decide(struct engine *engine, const struct request *request,
                                         struct record *record)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);

    if (slot == HOT_NONE && !engine->create_unknown)
        return STATUS_NOACCOUNT;
    if (slot != HOT_NONE && hot_account(engine->hot, slot)->state == ACCOUNT_ERASED)
        return STATUS_ERASED;
    record->fields |= RECORD_HAS_ARGS;
    record->a = 1 + (uint64_t)(slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->epoch);
    return record->a <= UINT32_MAX ? STATUS_OK : STATUS_UNCHANGED;
}

/* Is there anything that reading up to there changes? */
static enum status notice_read_decide(struct engine *engine, const struct request *request,
                                      struct record *record)
{
    uint32_t slot = hot_inbox_find(engine->hot, request->tenant, request->account);

    record->fields |= RECORD_HAS_ARGS;
    record->a = request->u.cursor;
    return slot != HOT_NONE && notice_reads(hot_inbox(engine->hot, slot), record->a, engine->now_us)
               ? STATUS_OK
               : STATUS_UNCHANGED;
}

/* OK: the record's change is to be applied. UNCHANGED: it is already so. Else refused. */
enum status registry_decide(struct engine *engine, const struct request *request,
                            struct record *record)
{
    switch (verb_info(request->verb)->shape) {
    case SHAPE_ITEM_SET:
        return item_set_decide(engine, request, record);
    case SHAPE_ITEM_STATE:
        return item_state_decide(engine, request, record);
    case SHAPE_NOTE:
    case SHAPE_ITEM_NOTE:
    case SHAPE_ACCOUNT_NOTE:
        return note_decide(engine, request, record);
    case SHAPE_NOTICE_READ:
        return notice_read_decide(engine, request, record);
    case SHAPE_ACCOUNT_REVOKE:
        return account_revoke_decide(engine, request, record);
    case SHAPE_ACCOUNT_ERASE:
        return erase_decide(engine, request, record);
    case SHAPE_ACCOUNT_STATE:
        return account_state_decide(engine, request, record);
    case SHAPE_ACCOUNT_SET:
        return account_set_decide(engine, request, record);
    default:
        assert(0);
        return STATUS_INTERNAL;
    }
}

/* What an item has received moves with it to its new creator. */
static void creator_move(struct engine *engine, const struct record *record,
                         const struct item_row *item, uint64_t creator, int sign)
{
    for (int c = 0; c < COUNTER_COUNT; c++)
        if (item->counts[c] != 0)
            received_move(engine, record, creator, (enum counter)c,
                          sign * (int64_t)item->counts[c]);
    credit_creator_all(engine, record, item, creator, sign);
}

static void item_set_apply(struct engine *engine, const struct record *record)
{
    uint32_t slot = item_ensure(engine, record->tenant, record->target, record->time_us);
    struct item_row *row = hot_item_change(engine->hot, slot);
    uint64_t mask = record->c & 0xFF;

    if (mask & REQUEST_HAS_DURATION)
        row->duration_ms = (uint32_t)record->b;
    if (mask & REQUEST_HAS_STATE)
        row->state = (uint8_t)(record->c >> 8);
    if ((record->c >> 16 & 3) != ORIGIN_UNSAID)
        row->repost = (record->c >> 16 & 3) == ORIGIN_REPOST;
    if (record->b >> 32 != 0)
        row->published_s = (uint32_t)(record->b >> 32);
    if (mask & REQUEST_HAS_CREATOR && !(row->has_creator && row->creator == record->a)) {
        if (row->has_creator)
            creator_move(engine, record, row, row->creator, -1);
        row->has_creator = 1;
        row->creator = record->a;
        creator_move(engine, record, row, row->creator, 1);
    }
    effect_emit_all(engine, record, EFFECT_ITEM, record->target, row->state);
}

void registry_apply(struct engine *engine, const struct record *record)
{
    switch (record->kind) {
    case VERB_ITEM_SET:
        item_set_apply(engine, record);
        break;
    case VERB_ITEM_STATE: {
        uint32_t slot = item_ensure(engine, record->tenant, record->target, record->time_us);

        hot_item_change(engine->hot, slot)->state = (uint8_t)record->a;
        effect_emit_all(engine, record, EFFECT_ITEM, record->target, (int64_t)record->a);
        break;
    }
    case VERB_ACCOUNT_SET:
    case VERB_ACCOUNT_REVOKE:
    case VERB_ACCOUNT_ERASE:
    case VERB_ACCOUNT_KEEP:
    case VERB_ACCOUNT_PURGE:
    case VERB_ACCOUNT_STATE: {
        uint32_t slot = account_ensure(engine, record->tenant, record->account, record->time_us);
        struct account_row *row = hot_account_change(engine->hot, slot);

        if (record->kind == VERB_ACCOUNT_REVOKE) {
            row->epoch = (uint32_t)record->a;
        } else if (record->kind >= VERB_ACCOUNT_ERASE && record->kind <= VERB_ACCOUNT_PURGE) {
            erase_apply(engine, record, row);
        } else if (record->kind == VERB_ACCOUNT_STATE) {
            row->state = (uint8_t)record->a;
            row->until_us = (int64_t)record->b;
        } else {
            account_set_apply(record, row);
        }
        effect_emit_all(engine, record, EFFECT_ACCOUNT, record->account, 0);
        break;
    }
    default:
        assert(0);
    }
}

/* A copy of what another partition knows, so that writes are checked against it here. */
void registry_take_item(struct engine *engine, const struct record *effect)
{
    uint32_t slot = item_ensure(engine, effect->tenant, effect->target, effect->time_us);

    hot_item_change(engine->hot, slot)->state = (uint8_t)(effect->c >> 1);
}
