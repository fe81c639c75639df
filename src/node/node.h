/* node.h: a running Zan: partitions, doors, clock; the only room that knows all.
 *
 * Each partition is a thread with its own engine, log, store and RESP door. One more thread (in
 * libmicrohttpd) is the HTTP door. docs/ARCHITECTURE.md tells the turn of the loop.
 *
 * Lifecycle: node_open (recovers; may take seconds) -> node_start -> ... node_stop -> node_close.
 */
#ifndef ZAN_NODE_NODE_H
#define ZAN_NODE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/config.h"
#include "schema/call.h"
#include "schema/facts.h"
#include "schema/status.h"

struct node;

/* Told while opening: what is going on, how much is done of how much (total 0: not known). */
struct node_progress {
    void *argument;
    void (*report)(void *argument, const char *what, uint64_t done, uint64_t total);
};

/* What was found and done while opening; for the banner. */
struct node_report {
    uint64_t records;  /* in the log */
    uint64_t replayed; /* applied again because the store did not have them */
    uint64_t torn_bytes, repaired_bytes;
    bool signals_lost; /* the judges begin anew */
    uint32_t rules_version; /* decided by people, or by a changed setting; 0: the setting's */
    uint64_t rules_unreadable; /* approved, and not to be read by this program */
    char rules_name[32];
    bool setting_takes; /* the setting was changed since: it is in force from this start on */
    bool rebuilt;      /* the store was damaged or absent and was made again */
    char message[256]; /* why not */
};

/* Can the files that others wrote be used: rules, callers? Makes nothing: before a node that has no
 * data yet makes a directory. node_open finds the rest. */
enum status node_check(const struct config *config, char message[256]);

/* Config is copied. */
enum status node_open(const struct config *config, const struct node_progress *progress,
                      struct node **node, struct node_report *report);

/* The console that the HTTP door shows; before node_start. Borrowed until node_close. */
struct site;
void node_show(struct node *node, const struct site *site);

/* Opens the doors and starts the threads. */
enum status node_start(struct node *node, char message[256]);

uint16_t node_resp_port(const struct node *node);
uint16_t node_http_port(const struct node *node);

/* Asks for a clean stop; returns at once; may be called from a signal handler. */
void node_stop(struct node *node);

/* Reads the files of keys again (SIGHUP): those of TLS and assertion-keys. If one is wrong,
 * message says so, and from it on keys stay as they were. Any thread. */
enum status node_reload(struct node *node, char message[256]);

/* Waits until the node has stopped, by node_stop or by failing. OK, or why it failed (message). */
enum status node_wait(struct node *node, char message[256]);

void node_close(struct node *node);

/* What the process has given up (FACTS_SANDBOX_...), for INFO and the metrics. Any thread. */
void node_tell_sandbox(struct node *node, uint8_t parts);

/* Hands a request to the partition it belongs to (see call.h). Any thread. */
void node_submit(struct node *node, struct call *call);

/* Any thread. */
void node_facts(struct node *node, struct facts *facts);

/* Drops the store of every partition and makes it again from the log. The node must not run. */
enum status node_rebuild(const struct config *config, const struct node_progress *progress,
                         struct node_report *report);

/* Checks a stopped data directory whole: both copies of the log, the chain, the store against a
 * replay, every count against its edges. Changes nothing. finding gets one line per damage. */
struct node_verification {
    uint64_t batches, records, accounts, items, edges, operations;
    uint64_t findings;
    uint8_t state_hash[32]; /* of the whole state, the same on every machine and build */
    uint8_t chain[32];      /* of the last batch of partition 0 */
    char message[256];
};
enum status node_verify(const struct config *config, const struct node_progress *progress,
                        void (*finding)(void *argument, const char *text), void *argument,
                        struct node_verification *verification);

#endif
