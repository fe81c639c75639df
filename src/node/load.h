/* load.h: reads from the store what a batch needs and memory does not have. */
#ifndef ZAN_NODE_LOAD_H
#define ZAN_NODE_LOAD_H

#include "engine/engine.h"

/* Everything in needs becomes present in hot, or is known to be absent. */
enum status load_needs(struct store *store, struct hot *hot, struct needs *needs, int64_t now_us);

#endif
