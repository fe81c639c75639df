/* likes.h: every like a data directory's log tells of, in the order of the log.
 *
 * Told are likes that changed something, whatever they were found to be worth: who looks for rings
 * needs those that were taken back or voided as well. Of partitions one after the other, so times
 * are not in order. An import has the time its source says, all others the log's. Erased accounts
 * stay out: their likes before the erasure are told before it is seen, so what erased() says has to
 * be dropped at the end.
 *
 * Nothing is written and nothing locked; a node may run on it meanwhile (learn.h). */
#ifndef ZAN_NODE_LIKES_H
#define ZAN_NODE_LIKES_H

#include "node/node.h"

struct likes_told {
    void *with;
    enum status (*liked)(void *with, uint64_t account, uint64_t item, int64_t time_us);
    enum status (*erased)(void *with, uint64_t account);
};

/* Ends with the first status other than OK that told gives. IOFAIL, CORRUPT, BADDATA: message. */
enum status likes_read(const struct config *config, uint16_t tenant,
                       const struct node_progress *progress, const struct likes_told *told,
                       char message[256]);

#endif
