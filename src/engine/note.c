/* note.c: see note.h. */
#include "engine/note.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "engine/compensate.h"
#include "engine/inner.h"
#include "engine/pause.h"
#include "schema/tags.h"

/* --- what they say -------------------------------------------------------------------------------
 */

/* Two texts in one, the name first; how long it is stands among the numbers. */
static enum status say(struct engine *engine, const struct request *request, struct record *record)
{
    size_t size = (size_t)request->u.note.name_size + request->u.note.text_size;
    char *text;

    if (size == 0)
        return STATUS_OK;
    if (size > RECORD_TEXT_MAX)
        return bad_value(engine, "name and text may have 200 bytes together");
    text = arena_take(&engine->arena, size);
    assert(text != NULL); /* step_room looked */
    if (request->u.note.name_size > 0)
        memcpy(text, request->u.note.name, request->u.note.name_size);
    if (request->u.note.text_size > 0)
        memcpy(text + request->u.note.name_size, request->u.note.text, request->u.note.text_size);
    record->fields |= RECORD_HAS_TEXT;
    record->text = text;
    record->text_size = (uint8_t)size;
    return STATUS_OK;
}

static void number(struct record *record, uint64_t a, uint64_t b)
{
    record->fields |= RECORD_HAS_ARGS;
    record->a = a;
    record->b = b;
}

/* --- what they are about -------------------------------------------------------------------------
 */

static enum status item_check(const struct engine *engine, const struct request *request)
{
    return hot_item_find(engine->hot, request->tenant, request->target) == HOT_NONE ? STATUS_NOITEM
                                                                                    : STATUS_OK;
}

static enum status account_check(const struct engine *engine, const struct request *request)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);

    if (slot == HOT_NONE)
        return STATUS_NOACCOUNT;
    return hot_account(engine->hot, slot)->state == ACCOUNT_ERASED ? STATUS_ERASED : STATUS_OK;
}

/* --- each of them --------------------------------------------------------------------------------
 */

static enum status tags_check(const struct request *request)
{
    struct tag tags[TAGS_MAX];

    return tags_read(request->u.note.text, request->u.note.text_size, tags) > 0 ? STATUS_OK
                                                                                : STATUS_BADTAGS;
}

static enum status forget_decide(struct engine *engine, const struct request *request)
{
    enum status status = account_check(engine, request);

    return status == STATUS_OK && request->u.note.text_size > 0 ? tags_check(request) : status;
}

static enum status boost_check(struct engine *engine, const struct request *request)
{
    struct tag tags[TAGS_MAX];

    if (request->verb == VERB_BOOST_ITEM)
        return item_check(engine, request);
    if (request->verb == VERB_BOOST_WORD)
        return tags_is_line(request->u.note.name, request->u.note.name_size)
                   ? STATUS_OK
                   : bad_value(engine, "a word is 1 to 64 bytes of UTF-8, no control characters, "
                                       "no space at its ends");
    return tags_read(request->u.note.name, request->u.note.name_size, tags) == 1 ? STATUS_OK
                                                                                 : STATUS_BADTAGS;
}

static enum status boost_decide(struct engine *engine, const struct request *request,
                                struct record *record)
{
    uint32_t factor = request->u.note.amount;
    int64_t left_us = request->u.note.until_s * 1000000LL - engine->now_us;
    enum status status = boost_check(engine, request);

    if (status != STATUS_OK)
        return status;
    if (factor < NOTE_FACTOR_NONE || factor > NOTE_FACTOR_MAX)
        return STATUS_BADBOOST;
    if (factor > NOTE_FACTOR_NONE && (left_us <= 0 || (left_us > NOTE_BOOST_MAX_S * 1000000LL &&
                                                       !PLANTED("engine.boost_without_end"))))
        return STATUS_BADBOOST;
    number(record, factor | (uint64_t)request->u.note.name_size << 16, request->u.note.until_s);
    return STATUS_OK;
}

static enum status stage_decide(struct engine *engine, const struct request *request,
                                struct record *record)
{
    enum status status = item_check(engine, request);

    number(record, request->u.note.word | (uint64_t)request->u.note.value << 8,
           request->u.note.amount);
    return status;
}

static enum status budget_decide(struct engine *engine, const struct request *request,
                                 struct record *record)
{
    enum status status = account_check(engine, request);
    struct compensation budget;

    if (status != STATUS_OK)
        return status;
    budget =
        hot_account(engine->hot, hot_account_find(engine->hot, request->tenant, request->account))
            ->compensation;
    if (!compensate_spend(&budget, request->u.note.amount, engine->now_us) &&
        !PLANTED("engine.budget_overspent"))
        return STATUS_NOBUDGET;
    number(record, request->u.note.amount, budget.balance_pct | (uint64_t)budget.until_s << 32);
    return STATUS_OK;
}

/* --- campaigns -----------------------------------------------------------------------------------
 */

/* The row of an item that is there, published or not. */
static const struct item_row *item_of(const struct engine *engine, const struct request *request)
{
    return hot_item(engine->hot, hot_item_find(engine->hot, request->tenant, request->target));
}

static enum status open_decide(struct engine *engine, const struct request *request,
                               struct record *record)
{
    int64_t left_us = request->u.note.until_s * 1000000LL - engine->now_us;
    uint32_t budget = request->u.note.amount;
    uint64_t holdout_pct = request->u.note.word != 0 ? request->u.note.value : NOTE_HOLDOUT;
    enum status status = item_check(engine, request);

    if (status != STATUS_OK)
        return status;
    if (item_of(engine, request)->state != ITEM_PUBLISHED)
        return STATUS_CLOSED;
    if (campaign_is_open(&item_of(engine, request)->campaign, engine->now_us))
        return STATUS_CAMPAIGNSTATE;
    if (budget == 0 || left_us <= 0 || left_us > NOTE_CAMPAIGN_MAX_S * 1000000LL ||
        holdout_pct > NOTE_HOLDOUT_MAX ||
        !tags_is_line(request->u.note.name, request->u.note.name_size))
        return STATUS_BADCAMPAIGN;
    number(record, budget | holdout_pct << 32,
           request->u.note.until_s | (uint64_t)request->u.note.name_size << 32);
    return tags_check(request);
}

static enum status stop_decide(struct engine *engine, const struct request *request)
{
    enum status status = item_check(engine, request);

    if (status != STATUS_OK)
        return status;
    return campaign_is_open(&item_of(engine, request)->campaign, engine->now_us)
               ? STATUS_OK
               : STATUS_CAMPAIGNSTATE;
}

static enum status campaign_decide(struct engine *engine, const struct request *request,
                                   struct record *record)
{
    enum status status = stop_decide(engine, request);
    const struct campaign *campaign;

    if (status != STATUS_OK)
        return status;
    if (item_of(engine, request)->state != ITEM_PUBLISHED)
        return STATUS_CLOSED;
    campaign = &item_of(engine, request)->campaign;
    if (request->u.note.amount == 0)
        return bad_value(engine, "an amount of 1 or more is needed");
    if (request->u.note.amount > campaign->budget - campaign->spent &&
        !PLANTED("engine.campaign_overspent"))
        return STATUS_NOBUDGET;
    number(record, request->u.note.amount, 0);
    return STATUS_OK;
}

static void campaign_apply(struct engine *engine, const struct record *record)
{
    uint32_t slot = item_ensure(engine, record->tenant, record->target, record->time_us);
    struct campaign *campaign = &hot_item_change(engine->hot, slot)->campaign;

    switch (record->kind) {
    case VERB_CAMPAIGN_OPEN:
        *campaign = (struct campaign){.budget = (uint32_t)record->a,
                                      .until_s = (uint32_t)record->b,
                                      .holdout_pct = (uint8_t)(record->a >> 32)};
        break;
    case VERB_CAMPAIGN_STOP:
        campaign->until_s = (uint32_t)(record->time_us / 1000000);
        break;
    default:
        campaign->spent += (uint32_t)record->a;
        if (campaign->spent > campaign->budget) /* a record of another make */
            campaign->spent = campaign->budget;
    }
}

static enum status decide(struct engine *engine, const struct request *request,
                          struct record *record)
{
    enum status status;

    switch (request->verb) {
    case VERB_ITEM_TAG:
        status = item_check(engine, request);
        return status == STATUS_OK ? tags_check(request) : status;
    case VERB_INTEREST_FORGET:
        return forget_decide(engine, request);
    case VERB_BOOST_ITEM:
    case VERB_BOOST_TAG:
    case VERB_BOOST_WORD:
        return boost_decide(engine, request, record);
    case VERB_STAGE:
        return stage_decide(engine, request, record);
    case VERB_CAMPAIGN_OPEN:
        return open_decide(engine, request, record);
    case VERB_CAMPAIGN_STOP:
        return stop_decide(engine, request);
    case VERB_SPEND_CAMPAIGN:
        return campaign_decide(engine, request, record);
    case VERB_SPEND_BUDGET:
        return budget_decide(engine, request, record);
    case VERB_GROWTH_PAUSE:
    case VERB_GROWTH_RESUME:
        return pause_decide(engine, request, record);
    default:
        assert(0);
        return STATUS_INTERNAL;
    }
}

enum status note_decide(struct engine *engine, const struct request *request, struct record *record)
{
    enum status status = decide(engine, request, record);

    if (status != STATUS_OK)
        return status;
    record_actor(record, request);
    return say(engine, request, record);
}

void note_apply(struct engine *engine, const struct record *record)
{
    uint32_t slot;

    if (record->kind >= VERB_CAMPAIGN_OPEN && record->kind <= VERB_SPEND_CAMPAIGN)
        campaign_apply(engine, record);
    if (record->kind == VERB_GROWTH_PAUSE || record->kind == VERB_GROWTH_RESUME)
        pause_apply(engine, record);
    if (record->kind != VERB_SPEND_BUDGET)
        return;
    slot = account_ensure(engine, record->tenant, record->account, record->time_us);
    (void)compensate_spend(&hot_account_change(engine->hot, slot)->compensation,
                           (uint32_t)record->a, record->time_us);
}
