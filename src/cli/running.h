/* running.h: a node inside this process, with its banner and its signals; for serve and demo. */
#ifndef ZAN_CLI_RUNNING_H
#define ZAN_CLI_RUNNING_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cli/sandbox.h"
#include "node/node.h"

struct running {
    struct node *node;
    struct config config;
    struct node_report report;
    char resp[CONFIG_TEXT + 8]; /* HOST:PORT as really bound */
    char http[CONFIG_TEXT + 8]; /* "" if off */
    struct sandbox sandbox;
    int notify_fd; /* to systemd; -1: not started by it */
    pthread_t signals;
    sigset_t set;
    atomic_bool stopping, ending;
};

/* Opens (with a progress bar), starts, and confines the process (sandbox.h); from here on SIGTERM
 * and SIGINT stop the node. On a failure a message was printed, and nothing is left. */
enum status running_start(struct running *running, const struct config *config, bool quiet,
                          bool warn);

/* Addresses, data directory, durability, what recovery did, a line to paste. */
void running_banner(const struct running *running, FILE *out);

/* True after the first signal. */
bool running_stopping(const struct running *running);

/* Asks for a clean stop; returns at once. */
void running_stop(struct running *running);

/* Waits until the node has stopped: by a signal, by running_stop, or by failing. */
enum status running_wait(struct running *running, char message[CONFIG_MESSAGE]);
void running_end(struct running *running);

/* Tells systemd ("READY=1"); nothing if the process was not started by it. */
void running_notify(const struct running *running, const char *state);

#endif
