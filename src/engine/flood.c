#include "engine/flood.h"

#include "base/hook.h"
#include "engine/case.h"
#include "engine/inner.h"
#include "engine/policy_words.h"
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
static void put_reasons(struct words *words, uint16_t reasons)
{
    const char *comma = "";

    for (int reason = 1; reason < REASON_COUNT; reason++) {
        if ((reasons >> reason & 1) == 0 || reason == REASON_QUARANTINE)
            continue;
        words_put(words, comma);
        words_put(words, reason_name((enum reason)reason));
        comma = ", ";
    }
}

/* What was seen, in words and numbers; its length. */
static uint8_t evidence_text(const struct record *record, const struct item_row *item, uint8_t verb,
                             char text[CASE_TEXT_MAX + 1])
{
    struct words words = words_begin(text, CASE_TEXT_MAX + 1);

    if (verb == VERB_UNLIKE) {
        words_put(&words, "many likes are taken back at once, by accounts that act together: what "
                          "they weighed waits");
        return (uint8_t)words.size;
    }
    words_put(&words, "likes ");
    words_number(&words, item->counts[COUNTER_LIKE]);
    words_put(&words, ", held ");
    words_number(&words, item->credit.held);
    words_put(&words, ": many at once look arranged, and wait for the window's end (");
    put_reasons(&words, record->verdict.reasons);
    words_put(&words, ")");
    return (uint8_t)words.size;
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
