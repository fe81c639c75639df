/* serve.h: the RESP door: sockets, connections, who is calling, limits per connection.
 *
 * Each partition's thread has a door of its own; they share the listening address (SO_REUSEPORT).
 * A door belongs to one thread; nothing here locks.
 *
 * A turn:  serve_wait (who has something to say) -> serve_take (requests into a batch) -> ... ->
 *          serve_reply (answers into the connections' output, held back) -> serve_release (what is
 *          durable goes out).
 * Held back: an answer tagged with turn t leaves only after serve_release(>= t), in order, so
 * nobody sees a state that a crash could take back. Bounds:  input 256 KiB a connection. Nothing
 * more is taken from a connection while 512 KiB of answers wait for its reader; one that reads
 * nothing for stall_ms, or that 1 MiB waits for, is closed. At most pipeline_max requests of a
 * connection in one turn; connections_max in all; SERVE_BUFFERS_MAX bytes of buffers in all, after
 * which the connection that asks for more is closed. An idle connection holds no buffers. Before
 * login (only if there are credentials): 4 arguments of 1 KiB, no inline commands, one command at a
 * time, 4 KiB of input, auth_ms, a fifth of the connections. Closing: a first word POST or Host:
 * closes the connection (a browser was tricked to speak to us). A caller that shuts down its
 * sending side still gets its answers. Clock:   monotonic, for the limits in time; requests are
 * judged by the caller's now_us.
 * Parked: a request of a reader (GROUP_READER) is no part of a batch: it is handed to `ask`, and the
 * connection is parked until serve_answer: nothing more is taken from it, while all others go on. So a
 * connection has at most one such request under way, and its answers leave in the order of its
 * questions. It may be closed meanwhile: the answer is then dropped. */
#ifndef ZAN_SERVE_SERVE_H
#define ZAN_SERVE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/batch.h"
#include "schema/facts.h"
#include "schema/status.h"
#include "serve/credential.h"
#include "serve/epochs.h"
#include "serve/tls.h"
#include "serve/vouch.h"

#define SERVE_BUFFERS_MAX (256u << 20)

struct serve;

/* A connection that waits for a reader's answer. */
struct serve_ticket {
    uint32_t connection, generation;
    uint8_t protocol;
};

struct serve_config {
    const char *address; /* "127.0.0.1:6390", "[::1]:6390" */
    /* A second address, for administration; NULL: none. With separate_planes the first one lets in
     * the platform and its users alone (schema/access.h), with a second or without. */
    const char *admin_address;
    bool separate_planes;
    bool share_port;     /* SO_REUSEPORT: one of several doors */
    uint32_t connections_max;
    uint32_t pipeline_max;     /* 0: 1024 */
    uint32_t auth_ms, idle_ms; /* 0: 5000, 300000 */
    uint32_t half_ms;          /* 0: 10000; from the first byte of a command to its last */
    uint32_t stall_ms;         /* 0: 30000; answers wait and the caller reads none */
    const struct credentials *credentials; /* NULL: everybody may do all (loopback only) */
    struct tls *tls;                       /* NULL: plain. Shared, has its own lock */
    struct vouch *vouch;   /* who may vouch for users; NULL: nobody. Shared, has its own lock */
    struct epochs *epochs; /* NULL: addresses, devices, networks are dropped */
    void (*facts)(void *context, struct facts *facts); /* for INFO; NULL: all zero */
    void *facts_context;
    /* CONFIG GET: name and value of setting i, or false past the last one; NULL: there are none.
     * Both stay valid until the next call. Gets facts_context too. */
    bool (*setting)(void *context, uint32_t i, const char **name, const char **value);
    /* NODE: an administrator orders readonly, normal or resync; UNCHANGED: it was so already. On
     * anything else message may say more. NULL: nothing can be ordered. Gets facts_context too. */
    enum status (*order)(void *context, const char *who, const char *what, const char *reason,
                         char message[256]);
    /* A reader is asked: OK: serve_answer will be called with the ticket; else the refusal. The
     * request is borrowed until it returns, with what it points at. NULL: there are no readers (OFF). */
    enum status (*ask)(void *context, const struct serve_ticket *ticket,
                       const struct request *request);
    void *ask_context;
};

/* message says what is wrong (address in use, ...). *serve is owned until serve_close. Config is
 * copied; what it points at stays the caller's and must outlive the door. */
enum status serve_open(const struct serve_config *config, struct serve **serve, char message[256]);
void serve_close(struct serve *serve); /* NULL is allowed */

/* The port that was really bound (for port 0 in tests). */
uint16_t serve_port(const struct serve *serve);

/* Lets serve_wait also wake for a descriptor of somebody else. Edge-triggered: told once for each
 * thing that happens, so an eventfd need never be read. */
enum status serve_watch(struct serve *serve, int fd);

/* Waits up to timeout_ms (0: not at all, -1: for ever) until something new happens on a connection
 * or on a watched descriptor; accepts and notes who can be read. It does not look at input that
 * waits already: who can take it (serve_has_input) asks with 0. True if something happened on a
 * watched descriptor. */
bool serve_wait(struct serve *serve, int timeout_ms);

/* Is there input that could be taken at once? */
bool serve_has_input(const struct serve *serve);

/* Reads, and appends requests to the batch (up to BATCH_MAX in all, and only as many as the arena
 * has room for); fair between connections; returns how many. What the door answers by itself has
 * verb VERB_COUNT and its bytes in origin.prepared. */
uint32_t serve_take(struct serve *serve, struct batch *batch, int64_t now_us);

/* Writes the replies of a batch to the outputs, held back until turn is released. Turns come in
 * rising order. */
void serve_reply(struct serve *serve, const struct batch *batch, uint64_t turn);

/* The same for requests from .. to (exclusive) of the batch: when it is judged in several steps. */
void serve_reply_part(struct serve *serve, const struct batch *batch, uint32_t from, uint32_t to,
                      uint64_t turn);

/* The answer to what was asked with the ticket, as one more turn; the connection goes on. False: it
 * has taken requests before this one whose answers are not written yet: once more after the next
 * serve_reply. */
bool serve_answer(struct serve *serve, const struct serve_ticket *ticket,
                  const struct request *request, const struct reply *reply, uint64_t turn);

/* Everything up to turn may be seen: sends it. */
void serve_release(struct serve *serve, uint64_t turn);

/* Stop accepting; used for a clean stop. Callers who do not read their answers are from now on
 * closed after 2 seconds, so that serve_idle will be true. */
void serve_stop_listening(struct serve *serve);

/* True if no output is waiting to be sent. */
bool serve_idle(const struct serve *serve);

struct serve_stats {
    uint64_t connections_open, connections_total, connections_refused, bytes_in, bytes_out;
    uint64_t closed_slow;            /* did not read their answers */
    uint64_t closed_late;            /* idle, half a command, or no login, for too long */
    uint64_t logins;                 /* keys, assertions, certificates that were good */
    uint64_t tls_refused;            /* handshakes that failed, plain bytes among them */
    uint64_t closed_hostile;         /* POST, Host:, five wrong keys, bytes that are no RESP */
    uint64_t buffer_bytes;           /* lent to connections now */
    uint64_t requests[VERB_COUNT];   /* taken, by verb */
    uint64_t answered[STATUS_COUNT]; /* answers given by the door itself and by the engine */
};
void serve_stats(const struct serve *serve, struct serve_stats *stats);

#endif
