/* insight_answer.h: what insight answers to its verbs. */
#ifndef ZAN_READERS_INSIGHT_ANSWER_H
#define ZAN_READERS_INSIGHT_ANSWER_H

#include "readers/insight/insight.h"
#include "readers/reader.h"

/* Into call->reply. False: the verb is another reader's. */
bool insight_answer(const struct insight *insight, struct call *call, const struct reader_now *now);

#endif
