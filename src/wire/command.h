/* command.h: arguments to a request, by the table in verbs.def. */
#ifndef ZAN_WIRE_COMMAND_H
#define ZAN_WIRE_COMMAND_H

#include "base/arena.h"
#include "schema/request.h"
#include "schema/status.h"
#include "wire/resp.h"

#define COMMAND_CONTEXT_MAX 256 /* bytes of an address, device or network in a CTX */

/* The plain circumstances of a CTX, before they become pseudonyms. Slices are borrowed. */
struct command_context {
    struct resp_slice address, device, network;
};

struct command_error {
    enum status status;
    char detail[192]; /* which argument and what was expected; printable, no more than 64 bytes
                         of what came in are repeated, with others replaced by '?' */
};

/* Which verb the words name ("like", "ITEM SET"), how many words the name takes; VERB_COUNT if
 * none. */
enum verb command_verb(const struct resp_slice *args, uint32_t count, uint32_t *words);

/* Fills request (ids into the arena). context.client_us and source are filled; address, device and
 * network go to plain, for the door to make pseudonyms of. SERVICE verbs get verb only, and the
 * number of words is checked.
 * now_us: for BADTIME. Returns OK or error->status; then error is filled and nothing else.
 * BUSY: the arena is used up; try again in the next turn.
 * ITEM STATE: the state is in u.item.state (HAS_STATE is set). ACCOUNT STATE: u.restriction.
 * RECEIVED: the creator is both account and target. */
enum status command_parse(const struct resp_slice *args, uint32_t count, int64_t now_us,
                          struct arena *arena, struct request *request,
                          struct command_context *plain, struct command_error *error);

/* An unsigned 64-bit integer: 1 to 20 decimal digits, no sign, no space; 0 and leading zeros are
 * fine. False otherwise. */
bool command_id(struct resp_slice text, uint64_t *id);

/* A UUID (with or without dashes) as its 128 bits, opid[0] being the first 64, big endian (so the
 * milliseconds of a version 7 are opid[0] >> 16); any other 1 to 64 printable bytes as the first 128
 * bits of their SHA-256, marked as a UUID of version 8. False if it is neither. */
bool command_opid(struct resp_slice text, uint64_t opid[2]);

/* The token of an impression. Whatever else stands there is a token that is not good: a view is not
 * refused for it. */
void command_token(struct resp_slice text, struct request_view *view);

/* The source that text names ("double-tap"), in any case; SOURCE_COUNT if none. */
enum source command_source(struct resp_slice text);

#define COMMAND_NAMES_MAX  128    /* names in one question; more are not answered */
#define COMMAND_DOCS_BYTES 131072 /* room that is enough for all docs, and for the whole list */

/* COMMAND DOCS names...: RESP bytes into out, in the form of Redis 7. names empty: all commands; a
 * subcommand is named "item|set". Returns the bytes needed; all is written only if that is at most
 * size. */
size_t command_put_docs(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                        uint8_t *out, size_t size);

/* COMMAND and COMMAND INFO names..., in the same way; names_only: COMMAND LIST. */
size_t command_put_list(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                        bool names_only, uint8_t *out, size_t size);

/* What COMMAND COUNT answers. */
uint32_t command_count(void);

#endif
