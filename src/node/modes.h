/* modes.h: in which modes (RELIABILITY 3.4) a partition is, since when and why.
 *
 * Several may hold at one time; the gravest is "the" mode. Looked at by the partition's thread
 * whenever it publishes its facts; what begins and ends with a copy of the log is told on the
 * error output too. */
#ifndef ZAN_NODE_MODES_H
#define ZAN_NODE_MODES_H

#include <stdint.h>

#include "schema/facts.h"

struct shard;

struct modes {
    struct mode_facts now[MODE_COUNT];
    int64_t shed_us; /* when load was last being shed; it ends 5 seconds after */
    uint64_t losses, resyncs;
};

void modes_look(struct shard *shard, int64_t wall_us, int64_t steady_us, struct facts *facts);

#endif
