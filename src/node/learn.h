/* learn.h: who likes and watches what, as the log of a data directory says at its end.
 *
 * A *taste* is an account and an item: it likes it now, and the like is valid (not quarantined, not
 * voided); or it watched it long, in a view that was worth something. Long is all of it, or 18 s of
 * a longer one: on the log in data/kuairand that agrees with the platform's own mark "long_view"
 * in 98.3 % of 228,329 impressions.
 *
 * An *impression* is an account's first VIEW or SKIP of an item that was worth something, with what
 * became of it until the end: clicked (not swiped away), watched long, liked. The newest, as many
 * as an eighth of the memory allowed has room for.
 *
 * Left out: accounts that were erased, and those that do not want to be shown what suits them.
 *
 * Nothing is written and nothing locked. A node may run on it meanwhile: then the end is that of
 * the moment when each partition's log was opened. What stands there may be a few records more than
 * was answered; for what is learnt that is all the same. If the node rewrites its log while it is
 * read (zan redact does, of a stopped one) that is CORRUPT or IOFAIL: read again.
 *
 * Memory: 24 bytes for each like, un-like, settlement and long view of the tenant, and at the end
 * 32; refused before that is more than three quarters of what was allowed. The rest is for
 * impressions (56 bytes each) and what is known of items. */
#ifndef ZAN_NODE_LEARN_H
#define ZAN_NODE_LEARN_H

#include "node/node.h"

#define LEARN_LONG_MS    18000
#define LEARN_PAIR_BYTES 75 /* of the memory allowed, for each note of a like or long view */

struct learn_taste {
    uint64_t account, item;
    uint64_t time; /* of the newest act: larger is later; for order alone */
    bool liked;
};

struct learn_impression {
    uint64_t account, item, creator; /* creator 0: not known */
    int64_t time_us;
    uint32_t tag; /* rank_tag of its first; 0: none */
    uint32_t duration_ms;
    bool clicked, watched, liked;
};

struct learn {
    struct learn_taste *taste; /* ascending by account, then item; each pair once */
    uint64_t count;
    struct learn_impression *impression; /* by time */
    uint64_t impressions;
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
