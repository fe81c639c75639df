/* discover_answer.h: what discovery answers to HEAT, SIGNALS, TOP, RISING, LIVE, INTERESTS. */
#ifndef ZAN_READERS_DISCOVER_ANSWER_H
#define ZAN_READERS_DISCOVER_ANSWER_H

#include "readers/discover/discover.h"
#include "readers/reader.h"

/* Into call->reply. False: the verb is another reader's. */
bool discover_answer(struct discover *discover, struct call *call, const struct reader_now *now);

#endif
