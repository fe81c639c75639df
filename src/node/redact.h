/* redact.h: the log of a stopped node written anew, without the ids of accounts that were erased.
 *
 * ACCOUNT PURGE takes an account out of the state; the records of what it once did stay in the log,
 * which is chained and only grows. redact copies the log, record by record, batch by batch, to
 * another data directory, and puts in place of an erased account's id
 *   for what it did to a target    a commitment to the account and that target
 *   for what it was and what was done to it    a commitment to the account
 * each a 64-bit HMAC under a key that exists only while this runs. So the same number of accounts
 * like each item at every sequence as before, each like is still followed by its own un-like, and
 * nobody, we included, can say any more that two of them were the same account, or whose. With the
 * id go its addresses, devices, networks and clock (context), its operation ids, and the texts of
 * its cases. Times and sequences stay.
 *
 * The store is made from the new log. DIR/redacted.txt ties the two logs together: ids and chains
 * of both, and how many records were changed. The old directory is left alone: destroying it, and
 * its backups, is the operator's.
 *
 * Holds always: as many batches and records as before, with the same numbers and times; counts of
 *               items are the same at every one of them. */
#ifndef ZAN_NODE_REDACT_H
#define ZAN_NODE_REDACT_H

#include "node/node.h"

struct redact_report {
    uint64_t records, redacted; /* copied; of these, changed */
    uint64_t accounts;          /* erased ones */
    char message[256];          /* why not */
};

/* to: a directory that is empty or not there. BADDATA: it is not empty. The node must not run. */
enum status node_redact(const struct config *config, const char *to,
                        const struct node_progress *progress, struct redact_report *report);

#endif
