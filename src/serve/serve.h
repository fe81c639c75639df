/* serve.h: the RESP door: sockets, connections, who is calling, limits per connection.
 *
 * Each partition's thread has a door of its own; they share the listening address (SO_REUSEPORT).
 * A door belongs to one thread; nothing here locks.
 *
 * A turn:  serve_wait -> serve_take (requests into a batch) -> ... -> serve_reply (answers into the
 *          connections' output, held back) -> serve_release (what is durable goes out).
 * Held back: an answer tagged with turn t leaves only after serve_release(>= t), in order, so nobody
 *          sees a state that a crash could take back.
 * Bounds:  input 256 KiB and output 1 MiB a connection, then it is closed (slow reader); at most
 *          pipeline_max requests of a connection in one turn; connections_max in all. A
 *          connection that has been idle holds no buffers.
 * Closing: a first word POST or Host: closes the connection (a browser was tricked to speak to us). */
#ifndef ZAN_SERVE_SERVE_H
#define ZAN_SERVE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/batch.h"
#include "schema/facts.h"
#include "schema/status.h"
#include "serve/credential.h"

struct serve;

struct serve_config {
    const char *address; /* "127.0.0.1:6390", "[::1]:6390" */
    bool share_port;     /* SO_REUSEPORT: one of several doors */
    uint32_t connections_max;
    uint32_t pipeline_max;    /* 0: 1024 */
    uint32_t auth_ms, idle_ms; /* 0: 5000, 300000; idle counts half a command too */
    const struct credentials *credentials; /* NULL: everybody is admin (loopback only) */
    const struct pseudonym_key *pseudonym;
    void (*facts)(void *context, struct facts *facts); /* for INFO */
    void *facts_context;
    /* CONFIG GET: name and value of setting i, or false past the last one */
    bool (*setting)(void *context, uint32_t i, const char **name, const char **value);
};

/* message says what is wrong (address in use, ...). *serve is owned until serve_close. */
enum status serve_open(const struct serve_config *config, struct serve **serve, char message[256]);
void serve_close(struct serve *serve);

/* The port that was really bound (for port 0 in tests). */
uint16_t serve_port(const struct serve *serve);

/* Lets serve_wait also wake for a descriptor of somebody else. */
enum status serve_watch(struct serve *serve, int fd);

/* Waits up to timeout_ms (0: not at all, -1: for ever), accepts, reads what has come.
 * True if something happened on a watched descriptor. */
bool serve_wait(struct serve *serve, int timeout_ms);

/* Is there unparsed input that could be taken at once? */
bool serve_has_input(const struct serve *serve);

/* Appends requests to the batch (up to BATCH_MAX in all); fair between connections; returns how many. */
uint32_t serve_take(struct serve *serve, struct batch *batch, int64_t now_us);

/* Writes the replies of a batch to the outputs, held back until turn is released. Turns come in
 * rising order. */
void serve_reply(struct serve *serve, const struct batch *batch, uint64_t turn);

/* Everything up to turn may be seen: sends it. */
void serve_release(struct serve *serve, uint64_t turn);

/* Stop accepting; used for a clean stop. */
void serve_stop_listening(struct serve *serve);

/* True if no output is waiting to be sent. */
bool serve_idle(const struct serve *serve);

struct serve_stats {
    uint64_t connections_open, connections_total, connections_refused, bytes_in, bytes_out;
    uint64_t answered[STATUS_COUNT]; /* answers given by the door itself and by the engine */
};
void serve_stats(const struct serve *serve, struct serve_stats *stats);

#endif
