/* batch.h: the requests of one turn of the loop, their replies, and where they came from.
 *
 * serve fills requests and origins, the engine fills replies, serve writes them out. The three
 * arrays run side by side. A request that serve answered by itself (a handshake, a parse error) has
 * verb VERB_COUNT and its bytes are in origin.prepared: the engine passes over it, so that answers
 * leave in the order of the questions.
 *
 * Memory: the arrays and the arena belong to the node, which allocates them once. Before each turn
 *         it sets count to 0 and resets the arena, which then holds ids and prepared answers. */
#ifndef ZAN_SCHEMA_BATCH_H
#define ZAN_SCHEMA_BATCH_H

#include <stdint.h>

#include "base/arena.h"
#include "schema/reply.h"
#include "schema/request.h"

#define BATCH_MAX         4096        /* requests in one turn */
#define BATCH_ARENA_BYTES (4u << 20)  /* ids, pages and texts of one turn */

#define ORIGIN_NONE UINT32_MAX /* not from the RESP door: serve passes over it */

struct origin {
    uint32_t connection; /* index, chosen by serve; or ORIGIN_NONE */
    uint32_t generation; /* of that index: a closed connection's replies are dropped */
    uint8_t protocol;    /* 2 or 3: RESP version at the time of the request */
    uint8_t close;       /* 1: close the connection after this reply */
    uint32_t prepared_size;
    const uint8_t *prepared; /* not NULL: these bytes are the reply */
};

struct batch {
    uint32_t count;
    struct request *requests; /* BATCH_MAX */
    struct reply *replies;    /* BATCH_MAX */
    struct origin *origins;   /* BATCH_MAX */
    struct arena arena;
};

#endif
