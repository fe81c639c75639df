/* call.h: one request on its way between threads (from the HTTP door, or between partitions).
 *
 * Life: the caller fills request and done and hands the call over with a submit function; the
 *       partition's thread answers it in one of its turns, copies the reply in with call_answer, and
 *       calls done once the answer may be told (durable). done runs on the partition's thread and
 *       must be short: it only wakes the caller.
 * Memory: the caller owns the call and everything in it until it hands it over, and again from
 *       done on. reply's pointers point into storage. */
#ifndef ZAN_SCHEMA_CALL_H
#define ZAN_SCHEMA_CALL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/reply.h"
#include "schema/request.h"

struct call {
    struct request request; /* request.u.ids, if used, stays valid until done */
    struct reply reply;
    void (*done)(struct call *call);
    void *owner; /* the caller's */
    void *storage; /* room for what the reply points at; at least CALL_STORAGE_BYTES */
    size_t storage_size;
    struct call *next; /* for queues; whoever holds the call may use it */
};

/* Enough for the largest reply: a full page, or twice REQUEST_IDS_MAX values, or a row, or the rules of a
 * policy, or a feed of 100 places with a dozen values and a token each. */
#define CALL_STORAGE_BYTES (REQUEST_PAGE_MAX * sizeof(struct reply_entry) + 16384)
static_assert(sizeof(struct policy_view) + POLICY_LINES_MAX * sizeof(struct policy_line) + 64 <=
                      CALL_STORAGE_BYTES &&
                  sizeof(struct policy_view) + POLICY_TEXT_KEPT + 64 <= CALL_STORAGE_BYTES &&
                  POLICY_SLOTS * sizeof(struct policy_head) <= CALL_STORAGE_BYTES,
              "what is told of rules fits into a call");

/* Copies a reply with everything it points at into the call. */
void call_answer(struct call *call, const struct reply *reply);

#endif
