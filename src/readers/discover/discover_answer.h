/* discover_answer.h: what discovery answers to its verbs. */
#ifndef ZAN_READERS_DISCOVER_ANSWER_H
#define ZAN_READERS_DISCOVER_ANSWER_H

#include "readers/discover/discover.h"
#include "readers/discover/discover_feed.h"
#include "readers/discover/stager.h"
#include "readers/reader.h"

/* What it answers from; all borrowed. */
struct answerer {
    struct discover *discover;
    struct feeder *feeder;
    struct stager *stager;
    struct reader_tokens tokens;
    uint32_t model; /* version of the model that the feeder asks; 0: none */
    const char *heat_formula, *feed_formula; /* their names, with what was set (tuning.h) */
};

/* Into call->reply. False: the verb is another reader's. */
bool discover_answer(const struct answerer *answerer, struct call *call,
                     const struct reader_now *now);

#endif
