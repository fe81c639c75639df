/* One connection: its life, its output, its deadline. */
#include "serve/door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/hook.h"

#define PIECES_AT_ONCE 64
#define DRAIN_READS    16

/* --- opening and closing -------------------------------------------------------------------------
 */

void conn_reset(struct serve *serve, struct conn *conn)
{
    struct conn_about *about = &serve->abouts[conn_index(serve, conn)];

    if ((conn->flags & CONN_FRESH) != 0)
        serve->fresh_count--;
    conn->flags &= (uint8_t)~CONN_FRESH;
    conn->protocol = 2;
    conn->who = (struct identity){.role = ROLE_ALL};
    if (serve->config.credentials != NULL) {
        conn->who.role = ROLE_NONE;
        conn->flags |= CONN_FRESH;
        serve->fresh_count++;
    }
    about->name[0] = '\0';
    memcpy(about->user, "default", sizeof "default");
}

struct conn *conn_open(struct serve *serve, int fd)
{
    if (serve->free_count == 0)
        return NULL;
    uint32_t index = serve->free_list[--serve->free_count];
    struct conn *conn = conn_at(serve, index);
    struct conn_about *about = &serve->abouts[index];
    uint32_t generation = conn->generation;

    assert(conn->state == CONN_FREE);
    if (index >= serve->used_max)
        serve->used_max = index + 1;
    memset(conn, 0, sizeof *conn);
    memset(about, 0, sizeof *about);
    conn->fd = fd;
    conn->generation = generation;
    conn->state = CONN_OPEN;
    conn->queue_next = NONE;
    about->id = ++serve->next_id;
    about->since_ms = serve->now_ms;
    if (serve->config.tls != NULL) {
        if ((conn->tls = tls_accept(serve->config.tls, fd)) == NULL) {
            conn->state = CONN_FREE;
            serve->free_list[serve->free_count++] = index;
            return NULL;
        }
        conn->flags |= CONN_HALF; /* until the handshake is over */
    }
    conn_reset(serve, conn);
    conn_deadline(serve, conn);
    serve->stats.connections_open++;
    serve->stats.connections_total++;
    return conn;
}

static void forget_output(struct serve *serve, struct conn *conn)
{
    while (conn->head != NULL) {
        struct piece *piece = conn->head;

        conn->head = piece->next;
        pool_give(&serve->pool, (enum pool_size)piece->size, piece);
    }
    conn->tail = NULL;
    serve->waiting -= conn_waiting(conn);
    conn->sent = conn->released = conn->written;
}

void conn_forget_input(struct serve *serve, struct conn *conn)
{
    if (conn->in != NULL)
        pool_give(&serve->pool, (enum pool_size)conn->in_class, conn->in);
    conn->in = NULL;
    conn->in_from = conn->in_to = 0;
    conn->need = 0;
    conn->flags &= (uint8_t)~CONN_HALF;
}

void conn_close(struct serve *serve, struct conn *conn)
{
    uint32_t index = conn_index(serve, conn);

    assert(conn->state != CONN_FREE);
    conn_forget_input(serve, conn);
    forget_output(serve, conn);
    if ((conn->flags & CONN_FRESH) != 0)
        serve->fresh_count--;
    tls_free(conn->tls);
    conn->tls = NULL;
    close(conn->fd); /* Leaves the epoll set by itself: nobody holds a copy of the descriptor. */
    conn->fd = -1;
    conn->state = CONN_FREE;
    conn->generation++;
    serve->deadlines[index] = INT64_MAX;
    serve->stats.connections_open--;
    /* One that is still in the queue gets its place back when the queue comes to it: two holders of
     * one index would tie the list into a knot. */
    if ((conn->flags & CONN_QUEUED) == 0)
        serve->free_list[serve->free_count++] = index;
    conn->flags &= CONN_QUEUED;
}

void conn_login(struct serve *serve, struct conn *conn, struct identity who, const char *name,
                size_t name_size)
{
    struct conn_about *about = &serve->abouts[conn_index(serve, conn)];

    conn->who = who;
    conn->failures = 0;
    serve->stats.logins++;
    if ((conn->flags & CONN_FRESH) != 0)
        serve->fresh_count--;
    conn->flags &= (uint8_t)~CONN_FRESH;
    snprintf(about->user, sizeof about->user, "%.*s", (int)name_size, name);
}

/* --- when ----------------------------------------------------------------------------------------
 */

/* Answers are on their way and their time is not the caller's to spend. */
static bool waits_for_us(const struct conn *conn)
{
    return conn->inflight > 0 || conn->released < conn->written;
}

void conn_deadline(struct serve *serve, struct conn *conn)
{
    const struct serve_config *config = &serve->config;
    uint32_t index = conn_index(serve, conn);
    int64_t now = serve->now_ms;

    if (conn->state == CONN_DRAIN)
        serve->deadlines[index] = now + DRAIN_MS;
    else if ((conn->flags & CONN_FRESH) != 0)
        serve->deadlines[index] = serve->abouts[index].since_ms + config->auth_ms;
    else if ((conn->flags & CONN_BLOCKED) != 0)
        serve->deadlines[index] = now + config->stall_ms;
    else if ((conn->flags & CONN_HALF) != 0)
        serve->deadlines[index] = now + config->half_ms;
    else
        serve->deadlines[index] = now + config->idle_ms;
}

static void time_is_up(struct serve *serve, struct conn *conn)
{
    bool fresh = (conn->flags & CONN_FRESH) != 0;

    if ((conn->flags & CONN_QUEUED) != 0)
        return; /* He has spoken, and nobody has listened yet. */
    if (conn->state != CONN_DRAIN && !fresh && (conn->flags & CONN_BLOCKED) == 0 &&
        waits_for_us(conn)) {
        conn_deadline(serve, conn);
        return;
    }
    if ((conn->flags & CONN_BLOCKED) != 0) {
        if (PLANTED("serve.slow_forever"))
            return;
        serve->stats.closed_slow++;
    } else if (conn->state != CONN_DRAIN) {
        serve->stats.closed_late++;
    }
    conn_close(serve, conn);
}

void conn_sweep(struct serve *serve)
{
    if (serve->now_ms < serve->sweep_ms)
        return;
    serve->sweep_ms = serve->now_ms + SWEEP_MS;
    for (uint32_t i = 0; i < serve->used_max; i++) {
        if (serve->deadlines[i] <= serve->now_ms)
            time_is_up(serve, conn_at(serve, i));
    }
}

/* --- input ---------------------------------------------------------------------------------------
 */

static bool may_take(const struct conn *conn)
{
    if (conn->state != CONN_OPEN || conn_waiting(conn) >= OUTPUT_PAUSE)
        return false;
    /* Before login one command at a time: its answer must have gone out. */
    return (conn->flags & CONN_FRESH) == 0 || (conn->inflight == 0 && conn_waiting(conn) == 0);
}

void conn_wake(struct serve *serve, struct conn *conn)
{
    uint32_t index = conn_index(serve, conn);
    uint32_t rest = conn->in_to - conn->in_from;

    if ((conn->flags & CONN_QUEUED) != 0 || !may_take(conn))
        return;
    if ((conn->flags & CONN_READABLE) == 0 && (rest == 0 || rest < conn->need))
        return;
    conn->flags |= CONN_QUEUED;
    conn->queue_next = NONE;
    if (serve->queue_tail == NONE)
        serve->queue_head = index;
    else
        conn_at(serve, serve->queue_tail)->queue_next = index;
    serve->queue_tail = index;
    serve->queue_count++;
}

ssize_t conn_recv(struct conn *conn, void *bytes, size_t room)
{
    return conn->tls == NULL ? recv(conn->fd, bytes, room, 0) : tls_read(conn->tls, bytes, room);
}

/* What comes is thrown away, and needs no deciphering for that. */
void conn_drain(struct serve *serve, struct conn *conn)
{
    for (int i = 0; i < DRAIN_READS; i++) {
        ssize_t size = recv(conn->fd, serve->scratch, READ_BYTES, 0);

        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (size <= 0)
            break;
    }
    /* Closed by the caller; or he talks on and on, and has had his answer. */
    conn_close(serve, conn);
}

/* --- output --------------------------------------------------------------------------------------
 */

uint8_t *conn_room(struct serve *serve, struct conn *conn, size_t size)
{
    struct piece *tail = conn->tail;

    if (tail != NULL && tail->room - tail->used >= size)
        return tail->bytes + tail->used;

    enum pool_size class = pool_size_for(size + sizeof(struct piece));
    if (class == POOL_SIZES)
        return NULL;
    struct piece *piece = pool_take(&serve->pool, class);
    if (piece == NULL)
        return NULL;
    piece->next = NULL;
    piece->used = 0;
    piece->size = (uint8_t) class;
    piece->room = pool_bytes(class) - (uint32_t)sizeof(struct piece);
    if (tail == NULL)
        conn->head = piece;
    else
        tail->next = piece;
    conn->tail = piece;
    return piece->bytes;
}

bool conn_write(struct serve *serve, struct conn *conn, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        uint8_t *room = conn_room(serve, conn, 1);
        if (room == NULL)
            return false;
        size_t part = conn->tail->room - conn->tail->used;

        part = part < size ? part : size;
        memcpy(room, bytes, part);
        conn->tail->used += (uint32_t)part;
        bytes += part;
        size -= part;
    }
    return true;
}

/* Takes size bytes that were sent off the front. */
static void sent(struct serve *serve, struct conn *conn, size_t size)
{
    conn->sent += size;
    serve->waiting -= size;
    serve->stats.bytes_out += size;
    while (size > 0) {
        struct piece *piece = conn->head;
        size_t left = piece->used - conn->head_sent;

        if (size < left) {
            conn->head_sent += (uint32_t)size;
            return;
        }
        size -= left;
        conn->head_sent = 0;
        /* The last piece may have room for what comes next, but an empty one is better given back:
         * idle connections hold nothing. */
        conn->head = piece->next;
        if (conn->head == NULL)
            conn->tail = NULL;
        pool_give(&serve->pool, (enum pool_size)piece->size, piece);
    }
}

/* One system call; returns as send does. */
static ssize_t send_some(struct conn *conn, uint64_t size)
{
    const struct piece *piece = conn->head;
    size_t left = piece->used - conn->head_sent;

    if (conn->tls != NULL)
        return tls_write(conn->tls, piece->bytes + conn->head_sent, size < left ? size : left);
    if (size <= left)
        return send(conn->fd, piece->bytes + conn->head_sent, size, MSG_NOSIGNAL);

    struct iovec parts[PIECES_AT_ONCE];
    struct msghdr message = {.msg_iov = parts};
    uint32_t from = conn->head_sent;

    for (; piece != NULL && size > 0 && message.msg_iovlen < PIECES_AT_ONCE; piece = piece->next) {
        size_t part = piece->used - from;

        part = part < size ? part : size;
        parts[message.msg_iovlen].iov_base = (void *)(uintptr_t)(piece->bytes + from);
        parts[message.msg_iovlen++].iov_len = part;
        size -= part;
        from = 0;
    }
    return sendmsg(conn->fd, &message, MSG_NOSIGNAL);
}

/* All answers are out and no more will come. */
static void finish(struct serve *serve, struct conn *conn)
{
    if (conn->tls != NULL)
        tls_end(conn->tls);
    if ((conn->flags & CONN_EOF) != 0 || shutdown(conn->fd, SHUT_WR) != 0) {
        conn_close(serve, conn);
        return;
    }
    conn_forget_input(serve, conn);
    conn->state = CONN_DRAIN;
    conn_deadline(serve, conn);
    conn_drain(serve, conn);
}

void conn_flush(struct serve *serve, struct conn *conn)
{
    bool was_blocked = (conn->flags & CONN_BLOCKED) != 0;
    bool moved = false;

    conn->flags &= (uint8_t) ~(CONN_FLUSH | CONN_BLOCKED);
    while (conn->sent < conn->released) {
        uint64_t asked = conn->released - conn->sent;
        ssize_t size = send_some(conn, asked);

        if (size > 0) {
            sent(serve, conn, PLANTED("serve.short_write") ? asked : (size_t)size);
            moved = true;
            continue;
        }
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            conn_close(serve, conn);
            return;
        }
        conn->flags |= CONN_BLOCKED;
        if (!was_blocked || moved) /* One who reads gets his time anew. */
            conn_deadline(serve, conn);
        return;
    }
    if (was_blocked)
        conn_deadline(serve, conn);
    if (conn->state == CONN_LAST && conn->inflight == 0 && conn->sent == conn->written) {
        finish(serve, conn);
        return;
    }
    conn_wake(serve, conn);
}
