/* door.h: what the files of the RESP door share; nobody else includes it.
 *
 * A connection is a small struct in an array; its index is its name, its generation tells two
 * holders of one index apart.
 *
 *   FREE -> OPEN     accepted
 *   OPEN -> PARKED   a reader was asked: nothing more is taken until its answer is written, which
 *                    brings it back to OPEN
 *   OPEN -> LAST     no more input is taken (QUIT, bad bytes, the caller has shut down); answers
 * that are on their way still go out LAST -> DRAIN    all answers are sent; our side is shut down,
 * what still comes in is thrown away, because closing a socket with unread bytes would destroy the
 * last answer any  -> FREE     closed
 *
 * Input:   read into the door's one big buffer, where whole commands are parsed in place; only a
 * rest that cannot be taken yet moves to a buffer of the connection's own. Output:  a list of
 * pieces. Three counters of bytes, each of which only grows and never passes the next: sent <=
 * released <= written. */
#ifndef ZAN_SERVE_DOOR_H
#define ZAN_SERVE_DOOR_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/pool.h"
#include "serve/serve.h"
#include "wire/resp.h"

#define NONE UINT32_MAX

#define READ_BYTES     65536u /* asked of one read: more than 1024 commands of usual size */
#define FRESH_BYTES    4096u  /* of input before login */
#define MOVE_BYTES     2048u /* a rest up to this is copied before the next read, and saves reads */
#define OUTPUT_PAUSE   (512u << 10)
#define OUTPUT_MAX     (1u << 20)
#define KEY_FAILURES   5u
#define DRAIN_MS       2000
#define SWEEP_MS       250
#define NAME_MAX_BYTES 64u

enum conn_state { CONN_FREE, CONN_OPEN, CONN_PARKED, CONN_LAST, CONN_DRAIN };

enum conn_flag {
    CONN_READABLE = 1, /* the last read did not empty the socket, or more has come since */
    CONN_QUEUED = 2,   /* in the door's queue */
    CONN_BLOCKED = 4,  /* the socket takes no more output for now */
    CONN_FLUSH = 8,    /* has newly released output */
    CONN_EOF = 16,     /* the caller sends no more */
    CONN_FRESH = 32,   /* has not logged in, and must */
    CONN_HALF = 64,    /* the rest is the beginning of a command */
    CONN_FIN = 128     /* the kernel has seen the caller's end: a read will come to it */
};

struct piece {
    struct piece *next;
    uint32_t used;
    uint32_t room;
    uint8_t size; /* enum pool_size */
    uint8_t bytes[];
};

struct conn {
    int fd;
    uint32_t generation;
    uint8_t state; /* enum conn_state */
    uint8_t flags; /* enum conn_flag */
    uint8_t protocol;
    uint8_t failures; /* wrong keys */
    uint8_t in_class; /* enum pool_size of in */
    uint8_t plane;    /* enum plane: of the address it came to */
    uint32_t queue_next;
    uint32_t inflight; /* taken and not yet replied to */
    /* the rest of the input: in[in_from .. in_to), if in is not NULL */
    uint32_t in_from, in_to;
    uint8_t *in;
    size_t need; /* fewer bytes than this are not worth parsing */
    struct tls_conn *tls; /* NULL: plain */
    struct identity who;
    struct piece *head, *tail;
    uint32_t head_sent; /* bytes of the first piece */
    uint64_t sent, released, written;
};

/* What only CLIENT asks for. */
struct conn_about {
    uint64_t id;
    int64_t since_ms;
    char peer[56];
    char name[NAME_MAX_BYTES], library[NAME_MAX_BYTES], library_version[NAME_MAX_BYTES];
    char user[NAME_MAX_BYTES];
};

/* Turn `turn` ends at byte `end` of the connection's output. */
struct mark {
    uint64_t turn, end;
    uint32_t connection, generation;
};

struct serve {
    struct serve_config config;
    char address[128], admin_address[128];
    int admin_listener;         /* -1: none */
    int epoll, listener, spare; /* spare: given up to refuse a caller when descriptors run out */
    uint16_t port;
    int64_t now_ms, started_ms, sweep_ms;
    struct conn *conns;        /* connections_max */
    struct conn_about *abouts; /* side by side */
    int64_t *deadlines;        /* side by side: when the sweep looks closer, in ms */
    uint32_t *free_list;
    uint32_t free_count;
    uint32_t used_max;                            /* no index at or above this was ever used */
    uint32_t fresh_count;                         /* not logged in */
    uint32_t queue_head, queue_tail, queue_count; /* who has something to take */
    uint32_t *flush;                              /* who has something to send */
    uint32_t flush_count;
    struct mark *marks; /* a ring, size a power of two */
    uint64_t mark_from, mark_to, mark_size;
    uint64_t turn;    /* the last one replied to */
    uint64_t waiting; /* bytes written and not sent */
    uint64_t next_id;
    struct pool pool;
    struct serve_stats stats;
    struct resp_slice args[RESP_ARGS_MAX];
    uint8_t *scratch; /* MOVE_BYTES + READ_BYTES: the one big buffer */
};

static inline struct conn *conn_at(struct serve *serve, uint32_t index)
{
    return &serve->conns[index];
}
static inline uint32_t conn_index(const struct serve *serve, const struct conn *conn)
{
    return (uint32_t)(conn - serve->conns);
}
static inline uint64_t conn_waiting(const struct conn *conn)
{
    return conn->written - conn->sent;
}

/* --- conn.c --------------------------------------------------------------------------------------
 */

/* NULL if there is no room: the caller refuses. fd is the connection's from now on. */
struct conn *conn_open(struct serve *serve, int fd);
void conn_close(struct serve *serve, struct conn *conn);

/* Puts it in the queue if something can be taken from it now. */
void conn_wake(struct serve *serve, struct conn *conn);

/* A new deadline, from what the connection is doing. */
void conn_deadline(struct serve *serve, struct conn *conn);

/* Room for size bytes at the end of the output; NULL if buffers are used up. Then conn_wrote. */
uint8_t *conn_room(struct serve *serve, struct conn *conn, size_t size);

/* Appends bytes of any size; false if buffers are used up. */
bool conn_write(struct serve *serve, struct conn *conn, const uint8_t *bytes, size_t size);

/* Sends what is released; may close the connection. */
void conn_flush(struct serve *serve, struct conn *conn);

/* Reads and throws away; closes when the caller has closed. */
void conn_drain(struct serve *serve, struct conn *conn);

/* Forgets the input that waits. */
void conn_forget_input(struct serve *serve, struct conn *conn);

/* Identity and protocol as after connecting. */
void conn_reset(struct serve *serve, struct conn *conn);

/* Who is calling is known from now on. */
void conn_login(struct serve *serve, struct conn *conn, struct identity who, const char *name,
                size_t name_size);

/* As recv, through TLS if there is any. */
ssize_t conn_recv(struct conn *conn, void *bytes, size_t room);

/* The sweep: closes whose time is up. */
void conn_sweep(struct serve *serve);

/* --- listen.c ------------------------------------------------------------------------------------
 */

/* Binds serve->address, and admin_address if there is one; fills the listeners and port. */
enum status door_listen(struct serve *serve, char message[256]);
void door_accept(struct serve *serve, int listener);

/* --- take.c --------------------------------------------------------------------------------------
 */

/* Takes from one connection. True: the batch is full. */
bool take_from(struct serve *serve, struct conn *conn, struct batch *batch, int64_t now_us);

#endif
