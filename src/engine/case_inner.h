/* case_inner.h: what the files of cases share; case.h is for everybody else.
 *
 *   case.c         applies: the states, who is told
 *   case_decide.c  decides: what may be done now, and what follows
 *   case_read.c    answers
 *   case_sweep.c   what the partition does by itself */
#ifndef ZAN_ENGINE_CASE_INNER_H
#define ZAN_ENGINE_CASE_INNER_H

#include "engine/engine.h"

#define SECOND_US 1000000LL

static inline uint64_t case_id_of(const struct engine *engine, uint64_t sequence)
{
    return sequence << 8 | engine->partition;
}

/* NULL: not there. */
static inline const struct case_row *case_find(struct engine *engine, uint16_t tenant, uint64_t id)
{
    uint32_t slot = id == 0 ? HOT_NONE : hot_case_find(engine->hot, tenant, id);

    return slot == HOT_NONE ? NULL : hot_case(engine->hot, slot);
}

static inline bool case_is_sanction(uint8_t decision)
{
    return decision >= DECISION_LIKE_BAN && decision <= DECISION_POINTS;
}

static inline const struct item_row *case_item_of(struct engine *engine,
                                                  const struct request *request)
{
    uint32_t slot = hot_item_find(engine->hot, request->tenant, request->target);

    return slot == HOT_NONE ? NULL : hot_item(engine->hot, slot);
}

/* --- case_decide.c */
/* The disavowal of the request's item that nobody has decided yet; 0: none. */
uint64_t case_disavowed(struct engine *engine, const struct request *request);
/* After the record of a decision, or of an end, has been applied: sanctions begin or are lifted.
 * decided_before: the sequence of the decision that was in force until then. */
void case_follow(struct engine *engine, uint16_t tenant, uint64_t id, uint8_t verb,
                 uint64_t decided_before);

#endif
