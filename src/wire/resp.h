/* resp.h: RESP2 and RESP3, from bytes to arguments and from replies to bytes.
 *
 * Source: the Redis serialization protocol specification (redis.io, "RESP protocol spec").
 *
 * Reading: an array of bulk strings, or one line of words (inline, with "..." and '...' quoting).
 * The parser copies nothing: slices point into the caller's bytes and live as long as those. Only
 * words with quotes are written anew, into the unused end of the caller's args: they live until args
 * is used again.
 *
 * Holds always: the parser decides from left to right, and byte n alone cannot be judged by what
 *               follows it. So every beginning of a good command is AGAIN, and once INVALID, more
 *               bytes give the same INVALID. */
#ifndef ZAN_WIRE_RESP_H
#define ZAN_WIRE_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/reply.h"
#include "schema/request.h"
#include "schema/status.h"

#define RESP_ARGS_MAX   1100      /* 1024 ids and the words around them */
#define RESP_BULK_MAX   65536     /* bytes of one argument */
#define RESP_INLINE_MAX 16384     /* bytes of one inline line, without its end */
#define RESP_INPUT_MAX  (256u << 10) /* bytes of one whole command */

struct resp_slice {
    const char *bytes;
    uint32_t size;
};

enum resp_result { RESP_OK, RESP_AGAIN, RESP_INVALID };

struct resp_limits {
    uint32_t args_max; /* no more than RESP_ARGS_MAX */
    uint32_t bulk_max; /* no more than RESP_BULK_MAX */
    bool inline_allowed;
};

struct resp_command {
    uint32_t count;             /* arguments; 0 for an empty line, which is passed over */
    struct resp_slice *args;    /* given by the caller; room for RESP_ARGS_MAX, whatever args_max */
    size_t size;                /* RESP_OK: bytes used up. RESP_AGAIN: with fewer bytes than this,
                                   more than were given, it will be AGAIN again */
    enum status status;         /* on RESP_INVALID: PROTO or TOOBIG */
    const char *detail;         /* on RESP_INVALID: static text, what was expected */
};

/* OK: one command. AGAIN: the bytes so far are a good beginning. INVALID: close the connection.
 * Never reads past size; work is bounded by size. The same bytes may be parsed again. */
enum resp_result resp_parse(const uint8_t *bytes, size_t size, const struct resp_limits *limits,
                            struct resp_command *command);

/* --- writing ------------------------------------------------------------------------------------
 * A growing buffer would allocate in the turn; so the caller asks for the bound, makes room, then
 * writes. The shapes of all replies are in docs/protocol.md. */

/* An upper bound for the bytes resp_reply writes for this request and reply. */
size_t resp_reply_bound(const struct request *request, const struct reply *reply);

/* Writes the reply; protocol is 2 or 3 (maps become flat arrays in 2). Returns the bytes written. */
size_t resp_reply(const struct request *request, const struct reply *reply, uint8_t protocol,
                  uint8_t *bytes);

#define RESP_ERROR_BYTES_MAX 512

/* "-CODE text: detail; advice\r\n" into bytes (room for RESP_ERROR_BYTES_MAX); returns the size.
 * detail may be NULL or ""; it must be printable and is cut to what fits. */
size_t resp_error(enum status status, const char *detail, uint8_t *bytes);

#endif
