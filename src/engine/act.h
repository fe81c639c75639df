/* act.h: one act as the judges see it: what was asked, and what the rows knew before it.
 *
 * Made by the engine for policy and trust, the same when judged live and when learnt from in a
 * replay: every field comes from the record or from rows as they stood before it.
 *
 *   *_us       microseconds since the epoch; now_us never moves back between two acts
 *   0          in address, device, network, campaign: not given
 *
 * Memory:      a plain struct; nothing is pointed at. */
#ifndef ZAN_ENGINE_ACT_H
#define ZAN_ENGINE_ACT_H

#include <stdint.h>

#include "schema/verb.h"

struct act {
    int64_t now_us;
    uint64_t account;
    uint64_t target;  /* item, or creator for FOLLOW */
    uint64_t creator; /* of the item; see has_creator */
    uint64_t address, device, network; /* pseudonyms of this epoch */
    uint64_t campaign;
    int64_t account_first_us; /* when the account was made or first seen; now_us if just now */
    int64_t edge_us;          /* when the edge was last set; 0: never */
    uint64_t given_likes;     /* likes of the account that are on, before this act */
    uint64_t taken_back;      /* likes it ever took back */
    uint64_t given_looks;     /* views and skips of the account, before this act */
    uint64_t
        region; /* of the account (region.h), where the rules ask for it; 0: none, or not asked */
    uint64_t target_likes;    /* raw likes of the item; 0 where the item lives elsewhere */
    uint16_t tenant;
    uint16_t flips;      /* of the edge, before this act; saturates */
    uint8_t verb;        /* enum verb: LIKE, UNLIKE, VIEW, SKIP, REPORT, ... */
    uint8_t source;      /* enum source */
    uint8_t tier;        /* enum tier of the account */
    uint8_t has_creator; /* 0 or 1 */
    uint8_t exempt;      /* 1: undo window or the holder's clean-up: rules on un-likes pass it over */
    uint8_t weight_pct;  /* X_observe: what was decided; X_judge ignores it */
    uint8_t mark;        /* the same, enum edge_mark */
};

#endif
