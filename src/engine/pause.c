/* pause.c: see pause.h. */
#include "engine/pause.h"

#include <assert.h>

#include "base/hook.h"
#include "engine/inner.h"

#define SECOND_US 1000000LL

/* Its place among the held totals; PAUSE_COUNTERS: it has none. */
static uint32_t place_of(uint8_t counter)
{
    uint32_t place = 0;

    while (place < PAUSE_COUNTERS && pause_counter[place] != counter)
        place++;
    return place;
}

bool pause_is_open(const struct pause *pause, int64_t now_us)
{
    return pause->until_s * SECOND_US > now_us ||
           (pause->until_s != 0 && PLANTED("engine.pause_without_end"));
}

uint64_t pause_shown(const struct item_row *item, uint8_t counter, int64_t now_us)
{
    uint32_t place = place_of(counter);

    if (place == PAUSE_COUNTERS || !pause_is_open(&item->pause, now_us))
        return item->counts[counter];
    if (PLANTED("engine.pause_keeps_it_up"))
        return item->pause.held[place];
    return pause_total(item, place);
}

void pause_begin(struct engine *engine, uint32_t item, enum pause_by by, uint32_t until_s,
                 int64_t now_us)
{
    struct item_row *row = hot_item_change(engine->hot, item);
    struct pause pause = {.until_s = until_s, .by = (uint8_t)by};

    for (uint32_t place = 0; place < PAUSE_COUNTERS; place++) {
        uint64_t shown = pause_shown(row, pause_counter[place], now_us);

        pause.held[place] = shown < PAUSE_HELD_MAX ? (uint32_t)shown : PAUSE_HELD_MAX;
    }
    row->pause = pause;
    hot_item_paused(engine->hot, until_s);
}

void pause_end(struct item_row *item, int64_t now_us)
{
    if (pause_is_open(&item->pause, now_us))
        item->pause.until_s = (uint32_t)(now_us / SECOND_US);
}

/* --- the creator's own --------------------------------------------------------------------------
 */

static enum status begin_decide(struct engine *engine, const struct request *request,
                                const struct pause *pause, struct record *record)
{
    int64_t now_s = engine->now_us / SECOND_US;
    uint32_t until_s = request->u.note.until_s;

    if (pause_is_open(pause, engine->now_us))
        return pause->by == PAUSE_CREATOR && (until_s == 0 || until_s == pause->until_s)
                   ? STATUS_UNCHANGED
                   : STATUS_PAUSESTATE;
    if (until_s == 0)
        until_s = (uint32_t)now_s + PAUSE_S;
    if (until_s <= now_s || until_s - now_s > PAUSE_CREATOR_MAX_S)
        return bad_value(engine, "UNTIL (until_ms) must be after now and at most 7 days ahead, in "
                                 "unix milliseconds");
    record->fields |= RECORD_HAS_ARGS;
    record->a = until_s;
    return STATUS_OK;
}

enum status pause_decide(struct engine *engine, const struct request *request,
                         struct record *record)
{
    uint32_t slot = hot_item_find(engine->hot, request->tenant, request->target);
    const struct item_row *item;

    if (slot == HOT_NONE)
        return STATUS_NOITEM;
    item = hot_item(engine->hot, slot);
    if ((!item->has_creator || item->creator != request->account) &&
        !PLANTED("engine.anybody_pauses"))
        return bad_value(engine, "the account must be the creator of the item");
    if (request->verb == VERB_GROWTH_PAUSE)
        return begin_decide(engine, request, &item->pause, record);
    if (!pause_is_open(&item->pause, engine->now_us))
        return STATUS_UNCHANGED;
    return item->pause.by == PAUSE_CREATOR || PLANTED("engine.creator_ends_a_review")
               ? STATUS_OK
               : STATUS_PAUSESTATE;
}

void pause_apply(struct engine *engine, const struct record *record)
{
    uint32_t slot = item_ensure(engine, record->tenant, record->target, record->time_us);

    if (record->kind == VERB_GROWTH_PAUSE)
        pause_begin(engine, slot, PAUSE_CREATOR, (uint32_t)record->a, record->time_us);
    else
        pause_end(hot_item_change(engine->hot, slot), record->time_us);
}

/* --- who is shown what --------------------------------------------------------------------------
 */

bool pause_hides(struct engine *engine, const struct request *request, uint64_t item)
{
    uint32_t slot;

    if (request->role == ROLE_BACKEND || request->role == ROLE_ALL)
        return true; /* it asks for whom it shows the total to */
    if (!disclose_is_viewer(request))
        return false;
    slot = hot_item_find(engine->hot, request->tenant, item);
    return slot == HOT_NONE || !hot_item(engine->hot, slot)->has_creator ||
           hot_item(engine->hot, slot)->creator != request->subject;
}
