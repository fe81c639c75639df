/* json.h: the JSON of the HTTP door: bodies and paths to a request, replies to bodies.
 *
 * Ids, sequences and cursors leave as decimal strings (a JavaScript number holds 53 bits) and may
 * come as strings or as integers below 2^63. Times (ms since the epoch) and lengths are numbers named *_ms.
 * Counts are numbers: 2^53 likes are not in sight.
 *
 * Limits (RELIABILITY 4.6): depth 8, a string 16 KiB, an array 1024 (8 for actions), no key twice,
 * nothing after the object, UTF-8, no \u0000. A member nobody knows is refused. */
#ifndef ZAN_WIRE_JSON_H
#define ZAN_WIRE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/reply.h"
#include "schema/request.h"
#include "wire/problem.h"
#include "wire/route.h"
#include "wire/text.h"

#define JSON_DEPTH_MAX   8
#define JSON_STRING_MAX  16384
#define JSON_BODY_MAX    (1u << 20)
#define JSON_CIRCUMSTANCE_MAX 256 /* bytes of an address, a device, a network */

struct json_pair {
    const char *name;
    const char *value; /* never NULL; empty if it had no "=" */
};

/* Headers that carry something of the request; NULL: not sent. */
struct json_headers {
    const char *opid; /* Idempotency-Key */
    const char *address, *device, *network, *source, *client_ms, *issued_ms; /* X-Zan-... */
};

/* What the door has read. Everything is borrowed. */
struct json_input {
    struct route_match match; /* match.route is not NULL */
    const struct json_pair *query;
    uint32_t query_count;
    const char *body; /* may be NULL if body_size is 0 */
    size_t body_size;
    struct json_headers headers;
    int64_t now_us;
};

/* What it means. request.u.ids may point at ids: the struct must stay where it is. */
struct json_request {
    const struct route *route; /* the row that was meant, after looking at "verb" */
    struct request request;    /* without the pseudonyms: the door makes them of the following */
    char address[JSON_CIRCUMSTANCE_MAX + 1];
    char device[JSON_CIRCUMSTANCE_MAX + 1];
    char network[JSON_CIRCUMSTANCE_MAX + 1];
    char reason[CASE_TEXT_MAX];
    char name[REQUEST_NAME_MAX];
    union {
        uint64_t ids[REQUEST_IDS_MAX];
        char rules[POLICY_TEXT_KEPT];
    };
};

/* False: error says why, and request holds nothing of use. */
bool json_read(const struct json_input *input, struct json_request *request,
               struct problem_error *error);

/* The body of a 200. The reply must not be REPLY_ERROR. */
void json_reply(struct text *text, const struct json_request *request, const struct reply *reply);

#endif
