/* bench_load.h: sends a load to a server and measures what comes back.
 *
 * Closed loop (rate 0): each connection sends `pipeline` requests, waits for all their answers, and
 * sends the next ones: the most a server can do. A time is from the sending of the group to the
 * reading of the answer.
 * Open loop (rate > 0): request i is due at start + i / rate, whatever the server does, on
 * connection i % connections. A time counts from when the request was DUE: if the server stalls,
 * those who would have come meanwhile are counted as waiting (no coordinated omission).
 *
 * One thread, epoll, one read and one write per connection and wake-up. Everything is allocated
 * before the clock starts. */
#ifndef ZAN_CLI_BENCH_LOAD_H
#define ZAN_CLI_BENCH_LOAD_H

#include <stdint.h>

#include "cli/bench_histogram.h"
#include "cli/bench_talk.h"

#define LOAD_SILENCE_S 60 /* no answer at all for this long: the server is given up */

struct load_config {
    const char *address; /* 127.0.0.1:6390, [::1]:6390 */
    uint32_t connections;
    uint32_t pipeline; /* closed loop */
    uint64_t count;    /* requests in all */
    uint64_t rate;     /* a second; 0: closed loop */
};

struct load_result {
    uint64_t elapsed_ns;
    uint64_t cpu_user_us, cpu_system_us; /* of the generator, clock running */
    uint64_t late_ns_max;                /* open loop: how late the generator itself was */
    struct talk_sums sums;
    struct histogram times; /* ns */
    char message[256];      /* why it failed */
};

/* Runs the load. False: message says why. talk->next moves on. */
bool load_run(const struct load_config *config, struct talk *talk, struct load_result *result);

/* A connected TCP socket, blocking; -1 with a message. */
int load_connect(const char *address, char message[256]);

/* Sends one request on a blocking socket and reads until size bytes are full or one whole answer
 * has come; returns what was read, 0 on failure. For scripts and checks, not for measuring. */
size_t load_ask(int fd, const char *request, size_t request_size, struct talk_sums *sums,
                char *answer, size_t size);

#endif
