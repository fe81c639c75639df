/* learn.h: who likes and watches what, as the log of a data directory says at its end.
 *
 * A *taste* is an account and an item: it likes it now, and the like is valid (not quarantined, not
 * voided); or it watched it long, in a view that was worth something. Long is all of it, or 18 s of
 * a longer one: on the log in data/kuairand that agrees with the platform's own mark "long_view"
 * in 98.3 % of 228,329 impressions.
 *
 * Left out: accounts that were erased, and those that do not want to be shown what suits them.
 *
 * Nothing is written and nothing locked. A node may run on it meanwhile: then the end is that of
 * the moment when each partition's log was opened. What stands there may be a few records more than
 * was answered; for what is learnt that is all the same. If the node rewrites its log while it is
 * read (zan redact does, of a stopped one) that is CORRUPT or IOFAIL: read again.
 *
 * Memory: 24 bytes for each like, un-like, settlement and long view of the tenant, and at the end
 * the same again; refused before it is more than was allowed. */
#ifndef ZAN_NODE_LEARN_H
#define ZAN_NODE_LEARN_H

#include "node/node.h"

#define LEARN_LONG_MS 18000

struct learn_taste {
    uint64_t account, item;
    uint64_t time; /* of the newest act: larger is later; for order alone */
};

struct learn {
    struct learn_taste *taste; /* ascending by account, then item; each pair once */
    uint64_t count;
    uint64_t records, likes,
        views;         /* read; pairs that are liked; pairs watched long and not liked */
    char message[256]; /* why not */
};

/* NOSPACE: it would take more than bytes_max. NOMEMORY, IOFAIL, CORRUPT, BADDATA. Only after OK is
 * learn_free due. */
enum status learn_read(const struct config *config, uint16_t tenant, uint64_t bytes_max,
                       const struct node_progress *progress, struct learn *learn);
void learn_free(struct learn *learn);

#endif
