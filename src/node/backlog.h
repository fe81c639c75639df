/* backlog.h: held likes that wait in no queue are found again.
 *
 * A like that is held waits in the judges' queue to be scored again (engine/judge.h). The queue is
 * no part of what the log makes: if it is lost, or was too small while nobody scored, such likes
 * would be held for ever. Their edges say what they are, so this goes over the likes at rest in the
 * order of their keys, and puts those that are held or quarantined, of accounts that live here,
 * into the queue again: BACKLOG_AT_ONCE each BACKLOG_EVERY_US, 128,000 likes a second at most.
 *
 * Begins when the scorer is back and everything up to then is at rest; waits while the queue is
 * half full. A like that is in the queue twice is settled once. What was missed is kept with the
 * queue, so a restart begins again.
 *
 * Memory: the caller's struct; nothing is allocated. */
#ifndef ZAN_NODE_BACKLOG_H
#define ZAN_NODE_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/row.h"

#define BACKLOG_AT_ONCE  256
#define BACKLOG_EVERY_US 2000

struct partition;

struct backlog {
    bool under_way, waits; /* waits: for everything up to after to be at rest */
    uint64_t after;
    uint32_t missed;      /* as it was when this walk began */
    struct edge_row from; /* the next like to be looked at, by its key */
    int64_t looked_us;
};

/* One step, if there is one to take now. Where something cannot be read the walk begins again.
 * steady_us: a clock that never goes back. */
void backlog_step(struct backlog *backlog, struct partition *partition, int64_t steady_us);

#endif
