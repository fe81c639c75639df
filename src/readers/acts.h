/* acts.h: which records are acts on an item, and what their verdicts are worth to a reader. */
#ifndef ZAN_READERS_ACTS_H
#define ZAN_READERS_ACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/record.h"
#include "schema/verb.h"

/* A reaction to an item, or what one is found to be worth; not a follow, which is to a creator. */
static inline bool act_is_of_item(const struct record *record)
{
    switch (record->kind) {
    case VERB_LIKE:
    case VERB_UNLIKE:
    case VERB_FAVORITE:
    case VERB_UNFAVORITE:
    case VERB_REPORT:
    case VERB_VIEW:
    case VERB_SHARE:
    case VERB_COMMENT:
    case VERB_SKIP:
    case RECORD_SETTLE:
        return true;
    case RECORD_EFFECT: /* the worth of a like, decided elsewhere (record.h, BEFORE) */
        return (record->fields & RECORD_HAS_BEFORE) != 0;
    default:
        return false;
    }
}

/* Takes something back, or says what something is worth: makes no rows. */
static inline bool act_is_later(const struct record *record)
{
    return record->kind == VERB_UNLIKE || record->kind == VERB_UNFAVORITE ||
           record->kind == RECORD_SETTLE || record->kind == RECORD_EFFECT;
}

/* Percent of an account's act in full. */
static inline uint8_t act_credited(const struct verdict *verdict)
{
    return verdict->mark == MARK_PLAIN ? verdict->weight_pct : 0;
}

static inline bool act_valid(const struct verdict *verdict)
{
    return verdict->mark == MARK_PLAIN || verdict->mark == MARK_HELD;
}

#endif
