/* client.h: a RESP client that never forgets a question.
 *
 * Commands are added to a queue and sent in order; each stays there until its reply was taken, so
 * that after a broken connection client_connect sends the unanswered ones again. That is safe
 * because whoever needs it gives each write an operation id.
 *
 *   window    commands added and not yet answered; the caller keeps it at or below CLIENT_WINDOW
 *
 * Memory: the client owns everything; a value is borrowed until the next client_take
 *         or client_turn. */
#ifndef ZAN_CLI_CLIENT_H
#define ZAN_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/status.h"

#define CLIENT_WINDOW      512        /* a server takes 1024 a turn; half keeps both sides busy */
#define CLIENT_REPLY_BYTES (4u << 20) /* a longer reply is no reply of ours */
#define CLIENT_MESSAGE     256

struct client;

enum client_kind {
    CLIENT_TEXT, /* simple or bulk string, verbatim, big number, double */
    CLIENT_ERROR,
    CLIENT_INTEGER, /* and booleans */
    CLIENT_NULL,
    CLIENT_LIST /* array, set, push, map (keys and values in turn) */
};

/* A reply, in the order it came: a list is followed by its count members, and theirs. */
struct client_value {
    enum client_kind kind;
    int64_t integer;
    const char *text; /* not ended by 0 */
    size_t size;
    uint32_t count; /* LIST: members, keys and values counted apart */
    uint32_t next;  /* index of the value after this one and all within */
};

/* address is HOST:PORT. name and key may be NULL: no AUTH. Connects; BADCONFIG (not an address),
 * UNKNOWN (nobody there: message), NOAUTH. *client is owned until client_close. */
enum status client_open(const char *address, const char *name, const char *key,
                        struct client **client, char message[CLIENT_MESSAGE]);
void client_close(struct client *client);

/* Connects again after a failure, authenticates, and will send every unanswered command anew. */
enum status client_connect(struct client *client, char message[CLIENT_MESSAGE]);

/* Adds a command of NUL-ended words. */
void client_add(struct client *client, const char *const *words, uint32_t count);
uint32_t client_window(const struct client *client);

/* Sends and receives what is possible; waits up to timeout_ms if nothing is. UNKNOWN: the
 * connection is gone (see message). */
enum status client_turn(struct client *client, int timeout_ms, char message[CLIENT_MESSAGE]);

/* The next reply, if it is there whole: OK; BUSY: not yet; PROTO: not RESP. values[0] is the reply.
 * Forgets the command it answers (but see client_again). */
enum status client_take(struct client *client, const struct client_value **values);

/* The command just answered goes to the end of the queue once more (it was BUSY, say). */
void client_again(struct client *client);

/* One command, one reply; only when the window is empty. */
enum status client_call(struct client *client, const char *const *words, uint32_t count,
                        const struct client_value **values, char message[CLIENT_MESSAGE]);

/* Does the error begin with this code word? */
bool client_is_error(const struct client_value *value, const char *code);

#endif
