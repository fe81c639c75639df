#include "engine/flood.h"

#include <assert.h>
#include <stdio.h>

#include "base/hook.h"
#include "engine/case.h"
#include "engine/inner.h"
#include "engine/withdraw.h"
#include "schema/verb.h"

static const struct item_row *item_of(struct engine *engine, const struct record *record)
{
    uint32_t slot = hot_item_find(engine->hot, record->tenant, record->target);

    return slot == HOT_NONE ? NULL : hot_item(engine->hot, slot);
}

static bool is_on(const struct engine *engine, const struct item_row *item, uint8_t verb)
{
    if (item == NULL)
        return false;
    return verb == VERB_LIKE ? item->window_until_us > engine->now_us
                             : withdraw_is_frozen(&item->withdrawn, engine->now_us);
}

bool flood_may_begin(struct engine *engine, const struct record *record, uint8_t verb,
                     int64_t until_us)
{
    return verb <= VERB_UNLIKE && until_us > engine->now_us && is_home(engine, record->target) &&
           (!is_on(engine, item_of(engine, record), verb) || PLANTED("engine.case_for_each_act"));
}

/* "lockstep, young": what spoke against the act that opened the window. */
static void reasons_text(uint16_t reasons, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (int reason = 1; reason < REASON_COUNT && used + 1 < size; reason++)
        if (reasons >> reason & 1 && reason != REASON_QUARANTINE)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     reason_name((enum reason)reason));
}

/* What was seen, in words and numbers; its length. */
static uint8_t evidence_text(const struct record *record, const struct item_row *item, uint8_t verb,
                             char text[CASE_TEXT_MAX + 1])
{
    char reasons[96];
    int size;

    if (verb == VERB_UNLIKE) {
        size = snprintf(text, CASE_TEXT_MAX + 1,
                        "many likes are taken back at once, by accounts that act together: what "
                        "they weighed waits");
    } else {
        reasons_text(record->verdict.reasons, reasons, sizeof reasons);
        size = snprintf(text, CASE_TEXT_MAX + 1,
                        "many likes at once that look arranged (%s): such wait for the window's "
                        "end; likes %llu, held %llu",
                        reasons, (unsigned long long)item->counts[COUNTER_LIKE],
                        (unsigned long long)item->credit.held);
    }
    return (uint8_t)(size < CASE_TEXT_MAX ? size : CASE_TEXT_MAX);
}

void flood_tell(struct engine *engine, const struct record *record, uint8_t verb)
{
    const struct item_row *item = item_of(engine, record);
    bool ruled = engine->judges != NULL && engine->judges->policy != NULL;
    char text[CASE_TEXT_MAX + 1];
    struct hot_room room;

    if (!is_on(engine, item, verb))
        return;
    hot_room(engine->hot, &room);
    if (room.live < HOT_LIVE_MAX / 4 && !PLANTED("engine.windows_take_all_room")) {
        engine->cases_refused++;
        return;
    }
    (void)case_open(
        engine, &(struct case_opening){.tenant = record->tenant,
                                       .kind = verb == VERB_LIKE ? CASE_QUARANTINE : CASE_REVIEW,
                                       .subject = SUBJECT_ITEM,
                                       .about = record->target,
                                       .policy = ruled ? engine->judges->policy->version : 0,
                                       .text_size = evidence_text(record, item, verb, text),
                                       .text = text});
}
