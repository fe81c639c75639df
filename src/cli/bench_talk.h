/* bench_talk.h: the requests of a load, and what the answers to them say.
 *
 * The same work said in two languages: to Zan with its verbs, to Redis with the commands somebody
 * would use who builds likes on it (docs/bench.md). Requests are written into a buffer on the fly;
 * that costs 20 to 40 ns each, so that the generator stays cheaper than any server.
 *
 * Answers are not kept: they are added up (struct talk_sums), and the sums are compared with what
 * the plan says they must be. */
#ifndef ZAN_CLI_BENCH_TALK_H
#define ZAN_CLI_BENCH_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/bench_plan.h"

enum talk_side { TALK_ZAN, TALK_REDIS };

enum talk_work {
    TALK_LIKE,   /* set that an account likes an item */
    TALK_UNLIKE, /* and that it does not */
    TALK_LIKED,  /* which of these items does an account like */
    TALK_LIKES   /* how many likes have these items */
};

struct talk {
    enum talk_side side;
    enum talk_work work;
    struct plan plan;
    uint64_t next;                        /* like number of the next write */
    uint64_t stored;                      /* reads: likes 0 .. stored - 1 are there */
    const uint32_t *counts;               /* reads: likes of each item id, index 0 unused */
    uint32_t ids;                         /* reads: ids in a request */
    uint64_t draw;                        /* reads: position in the random stream */
    char script[40];                      /* Redis: name of the script, in hex */
    uint64_t expected_hits, expected_sum; /* grow with every read written */
};

/* No request is longer. */
#define TALK_IDS_MAX             1000
#define TALK_REQUEST_BYTES       30
#define talk_request_bound(talk) ((size_t)256 + (size_t)(talk)->ids * TALK_REQUEST_BYTES)

/* Writes the next request; returns its size. now_ms is the score Redis keeps (Zan has a clock). */
size_t talk_request(struct talk *talk, uint64_t now_ms, char *bytes);

/* The text of the Redis script, for SCRIPT LOAD. */
const char *talk_script(enum talk_work work);

/* What answers say. hits: values that are there and not 0. */
struct talk_sums {
    uint64_t replies, values, hits, sum, errors;
    char error[128]; /* the first one */
    uint64_t *each;  /* if not NULL: the values themselves, the first each_max of them */
    uint64_t each_max;
};

/* Where an answer that has come in part is continued. */
struct talk_reader {
    uint32_t elements; /* of an array, still to come */
};

/* Adds up whole answers, stops at the first that has not come whole. Returns the bytes used;
 * SIZE_MAX if they are no answer. */
size_t talk_read(struct talk_reader *reader, struct talk_sums *sums, const char *bytes,
                 size_t size);

#endif
