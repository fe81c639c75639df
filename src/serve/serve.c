/* The door's turn: wait, take, reply, release.
 *
 * One epoll set, edge-triggered, told once about each connection when it comes: in steady state
 * there is no epoll_ctl, and a turn costs one epoll_wait, one recv for each connection that has
 * spoken, one send for each that is answered. A read that returns less than it asked for has
 * emptied the socket; the edge for whatever comes after is already armed, so nothing is read twice
 * to be sure.
 *
 * Reading waits until serve_take: a batch that is full leaves the bytes in the kernel, where they
 * slow the caller down, instead of here, where they cost memory. */
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/hook.h"
#include "serve/door.h"

#define EVENTS_AT_ONCE 512
#define MARKS_AT_FIRST 4096
#define STOP_STALL_MS  2000
#define TAG_LISTENER   UINT64_MAX
#define TAG_WATCH      (UINT64_MAX - 1)
#define TAG_ADMIN      (UINT64_MAX - 2)

static int64_t monotonic_ms(void)
{
    struct timespec time;

    /* Coarse: a few ms, which is enough for limits in seconds, for a tenth of the price. */
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- opening and closing -------------------------------------------------------------------------
 */

static uint32_t or_else(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static bool allocate(struct serve *serve)
{
    uint32_t count = serve->config.connections_max;

    serve->conns = calloc(count, sizeof *serve->conns);
    serve->abouts = calloc(count, sizeof *serve->abouts);
    serve->deadlines = malloc(count * sizeof *serve->deadlines);
    serve->free_list = malloc(count * sizeof *serve->free_list);
    serve->flush = malloc(count * sizeof *serve->flush);
    serve->mark_size = MARKS_AT_FIRST;
    serve->marks = malloc(serve->mark_size * sizeof *serve->marks);
    serve->scratch = malloc(MOVE_BYTES + READ_BYTES);
    if (serve->conns == NULL || serve->abouts == NULL || serve->deadlines == NULL ||
        serve->free_list == NULL || serve->flush == NULL || serve->marks == NULL ||
        serve->scratch == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        serve->free_list[i] = count - 1 - i; /* low indexes first: they share pages */
        serve->deadlines[i] = INT64_MAX;
    }
    serve->free_count = count;
    return true;
}

static enum status prepare(struct serve *serve, char message[256])
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = TAG_LISTENER};
    enum status status;

    if (!allocate(serve)) {
        snprintf(message, 256, "no memory for %u connections", serve->config.connections_max);
        return STATUS_NOMEMORY;
    }
    serve->epoll = epoll_create1(EPOLL_CLOEXEC);
    serve->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (serve->epoll < 0 || serve->spare < 0) {
        snprintf(message, 256, "cannot open descriptors: %s", strerror(errno));
        return STATUS_BADCONFIG;
    }
    if ((status = door_listen(serve, message)) != STATUS_OK)
        return status;
    if (epoll_ctl(serve->epoll, EPOLL_CTL_ADD, serve->listener, &event) != 0) {
        snprintf(message, 256, "cannot watch %.100s: %s", serve->address, strerror(errno));
        return STATUS_BADCONFIG;
    }
    event.data.u64 = TAG_ADMIN;
    if (serve->admin_listener >= 0 &&
        epoll_ctl(serve->epoll, EPOLL_CTL_ADD, serve->admin_listener, &event) != 0) {
        snprintf(message, 256, "cannot watch %.100s: %s", serve->admin_address, strerror(errno));
        return STATUS_BADCONFIG;
    }
    return STATUS_OK;
}

enum status serve_open(const struct serve_config *config, struct serve **out, char message[256])
{
    struct serve *serve = calloc(1, sizeof *serve);
    enum status status;

    assert(config->connections_max > 0 && config->connections_max < NONE - 1);
    if (serve == NULL) {
        snprintf(message, 256, "no memory for a door");
        return STATUS_NOMEMORY;
    }
    serve->config = *config;
    serve->config.pipeline_max = or_else(config->pipeline_max, 1024);
    serve->config.auth_ms = or_else(config->auth_ms, 5000);
    serve->config.idle_ms = or_else(config->idle_ms, 300000);
    serve->config.half_ms = or_else(config->half_ms, 10000);
    serve->config.stall_ms = or_else(config->stall_ms, 30000);
    snprintf(serve->address, sizeof serve->address, "%s", config->address);
    if (config->admin_address != NULL)
        snprintf(serve->admin_address, sizeof serve->admin_address, "%s", config->admin_address);
    serve->epoll = serve->listener = serve->admin_listener = serve->spare = -1;
    serve->queue_head = serve->queue_tail = NONE;
    serve->now_ms = serve->started_ms = monotonic_ms();
    pool_open(&serve->pool, SERVE_BUFFERS_MAX);
    status = prepare(serve, message);
    if (status != STATUS_OK)
        serve_close(serve);
    else
        *out = serve;
    return status;
}

void serve_close(struct serve *serve)
{
    if (serve == NULL)
        return;
    if (serve->conns != NULL) {
        for (uint32_t i = 0; i < serve->config.connections_max; i++) {
            if (serve->conns[i].state != CONN_FREE)
                conn_close(serve, &serve->conns[i]);
        }
    }
    if (serve->listener >= 0)
        close(serve->listener);
    if (serve->admin_listener >= 0)
        close(serve->admin_listener);
    if (serve->spare >= 0)
        close(serve->spare);
    if (serve->epoll >= 0)
        close(serve->epoll);
    pool_close(&serve->pool);
    free(serve->conns);
    free(serve->abouts);
    free(serve->deadlines);
    free(serve->free_list);
    free(serve->flush);
    free(serve->marks);
    free(serve->scratch);
    free(serve);
}

uint16_t serve_port(const struct serve *serve)
{
    return serve->port;
}

enum status serve_watch(struct serve *serve, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = TAG_WATCH};

    return epoll_ctl(serve->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? STATUS_OK : STATUS_BADCONFIG;
}

void serve_stop_listening(struct serve *serve)
{
    if (serve->listener >= 0)
        close(serve->listener);
    if (serve->admin_listener >= 0)
        close(serve->admin_listener);
    serve->listener = serve->admin_listener = -1;
    /* Nobody who does not read his answers may hold up a stop for long. */
    if (serve->config.stall_ms > STOP_STALL_MS)
        serve->config.stall_ms = STOP_STALL_MS;
    for (uint32_t i = 0; i < serve->used_max; i++) {
        if ((serve->conns[i].flags & CONN_BLOCKED) != 0)
            conn_deadline(serve, conn_at(serve, i));
    }
}

bool serve_idle(const struct serve *serve)
{
    return serve->waiting == 0;
}

void serve_stats(const struct serve *serve, struct serve_stats *stats)
{
    *stats = serve->stats;
    stats->buffer_bytes = serve->pool.lent_bytes;
}

/* --- waiting -------------------------------------------------------------------------------------
 */

static void note(struct serve *serve, const struct epoll_event *event)
{
    struct conn *conn = conn_at(serve, (uint32_t)event->data.u64);

    if (conn->state == CONN_FREE || conn->generation != (uint32_t)(event->data.u64 >> 32))
        return; /* An event for a connection that an earlier event closed. */
    if ((event->events & (EPOLLERR | EPOLLHUP)) != 0) {
        conn_close(serve, conn); /* Both ways are shut: nobody is there to hear an answer. */
        return;
    }
    if ((event->events & EPOLLRDHUP) != 0)
        conn->flags |= CONN_FIN;
    /* In TLS reading may have waited for room to write. */
    if ((event->events & (EPOLLIN | EPOLLRDHUP)) != 0 || conn->tls != NULL) {
        conn->flags |= CONN_READABLE;
        if (conn->state == CONN_DRAIN) {
            conn_drain(serve, conn);
            return;
        }
    }
    if ((event->events & EPOLLOUT) != 0 && (conn->flags & CONN_BLOCKED) != 0)
        conn_flush(serve, conn);
    else
        conn_wake(serve, conn);
}

/* How long epoll may sleep: the sweep must not come too late. */
static int nap_ms(int timeout_ms, int64_t until_ms, int64_t now_ms)
{
    int64_t left = timeout_ms < 0 ? SWEEP_MS : until_ms - now_ms;

    if (left < 0)
        return 0;
    return left < SWEEP_MS ? (int)left : SWEEP_MS;
}

bool serve_wait(struct serve *serve, int timeout_ms)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t until_ms = timeout_ms > 0 ? monotonic_ms() + timeout_ms : 0;
    bool watched = false;

    for (;;) {
        int nap = timeout_ms == 0 ? 0 : nap_ms(timeout_ms, until_ms, serve->now_ms);
        int count = epoll_wait(serve->epoll, events, EVENTS_AT_ONCE, nap);

        serve->now_ms = monotonic_ms();
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == TAG_LISTENER)
                door_accept(serve, serve->listener);
            else if (events[i].data.u64 == TAG_ADMIN)
                door_accept(serve, serve->admin_listener);
            else if (events[i].data.u64 == TAG_WATCH)
                watched = true;
            else
                note(serve, &events[i]);
        }
        conn_sweep(serve);
        if (timeout_ms == 0 || count > 0)
            return watched;
        if (timeout_ms > 0 && serve->now_ms >= until_ms)
            return watched;
    }
}

/* --- taking --------------------------------------------------------------------------------------
 */

bool serve_has_input(const struct serve *serve)
{
    return serve->queue_count > 0;
}

static struct conn *pop(struct serve *serve)
{
    struct conn *conn = conn_at(serve, serve->queue_head);

    serve->queue_head = conn->queue_next;
    if (serve->queue_head == NONE)
        serve->queue_tail = NONE;
    else
        __builtin_prefetch(conn_at(serve, serve->queue_head));
    serve->queue_count--;
    conn->flags &= (uint8_t)~CONN_QUEUED;
    return conn;
}

uint32_t serve_take(struct serve *serve, struct batch *batch, int64_t now_us)
{
    uint32_t before = batch->count;
    uint32_t visits = serve->queue_count; /* Each at most once: who has more waits at the end. */
    bool full = false;

    if (serve->config.epochs != NULL)
        epochs_tick(serve->config.epochs, now_us);
    while (visits-- > 0 && !full && batch->count < BATCH_MAX) {
        struct conn *conn = pop(serve);

        if (conn->state == CONN_FREE)
            serve->free_list[serve->free_count++] = conn_index(serve, conn);
        else
            full = take_from(serve, conn, batch, now_us);
    }
    return batch->count - before;
}

/* --- replying ------------------------------------------------------------------------------------
 */

static bool mark_push(struct serve *serve, struct mark mark)
{
    if (serve->mark_to - serve->mark_from == serve->mark_size) {
        /* More turns held back than ever before. */
        uint64_t size = serve->mark_size * 2;
        struct mark *marks = malloc(size * sizeof *marks);

        if (marks == NULL)
            return false;
        for (uint64_t i = serve->mark_from; i < serve->mark_to; i++)
            marks[i & (size - 1)] = serve->marks[i & (serve->mark_size - 1)];
        free(serve->marks);
        serve->marks = marks;
        serve->mark_size = size;
    }
    serve->marks[serve->mark_to++ & (serve->mark_size - 1)] = mark;
    return true;
}

/* Writes one reply; false if buffers are used up. */
static bool write_one(struct serve *serve, struct conn *conn, const struct batch *batch, uint32_t i)
{
    const struct origin *origin = &batch->origins[i];
    const struct reply *reply = &batch->replies[i];

    if (origin->prepared != NULL)
        return conn_write(serve, conn, origin->prepared, origin->prepared_size);

    uint8_t *room = conn_room(serve, conn, resp_reply_bound(&batch->requests[i], reply));
    if (room == NULL)
        return false;
    conn->tail->used += (uint32_t)resp_reply(&batch->requests[i], reply, origin->protocol, room);
    return true;
}

/* The commonest answer, :0 or :1, without a call. */
static inline bool write_bit(struct conn *conn, const struct origin *origin,
                             const struct reply *reply)
{
    struct piece *tail = conn->tail;

    if (reply->kind != REPLY_INTEGER || origin->prepared != NULL || (uint64_t)reply->u.value > 1 ||
        tail == NULL || tail->room - tail->used < 4)
        return false;
    memcpy(tail->bytes + tail->used, reply->u.value != 0 ? ":1\r\n" : ":0\r\n", 4);
    tail->used += 4;
    return true;
}

static void count_answer(struct serve *serve, struct conn *conn, const struct origin *origin,
                         const struct reply *reply)
{
    if (origin->prepared != NULL)
        return; /* Was counted when it was made. */
    assert(reply->status < STATUS_COUNT);
    serve->stats.answered[reply->status]++;
    if (reply->kind == REPLY_ERROR && status_info((enum status)reply->status)->close)
        conn->state = CONN_LAST;
}

static uint64_t output_bytes(const struct conn *conn, const struct piece *tail, uint32_t used)
{
    uint64_t bytes = 0;

    if (tail == NULL)
        tail = conn->head;
    else
        bytes = tail->used - used, tail = tail->next;
    for (; tail != NULL; tail = tail->next)
        bytes += tail->used;
    return bytes;
}

/* Replies from .. to, all of one connection. */
static void reply_run(struct serve *serve, struct conn *conn, const struct batch *batch,
                      uint32_t from, uint32_t to, uint64_t turn)
{
    struct piece *tail = conn->tail;
    uint32_t used = tail != NULL ? tail->used : 0;
    bool good = true;

    for (uint32_t i = from; i < to && good; i++) {
        const struct origin *origin = &batch->origins[i];
        const struct reply *reply = &batch->replies[i];

        good = write_bit(conn, origin, reply) || write_one(serve, conn, batch, i);
        count_answer(serve, conn, origin, reply);
        if (origin->close != 0)
            conn->state = CONN_LAST;
    }
    uint64_t bytes = output_bytes(conn, tail, used);

    conn->inflight -= to - from;
    conn->written += bytes;
    serve->waiting += bytes;
    struct mark mark = {turn, conn->written, conn_index(serve, conn), conn->generation};
    if (!good || conn_waiting(conn) > OUTPUT_MAX || !mark_push(serve, mark)) {
        serve->stats.closed_slow++;
        conn_close(serve, conn);
    }
}

void serve_reply_part(struct serve *serve, const struct batch *batch, uint32_t from, uint32_t to,
                      uint64_t turn)
{
    const struct origin *origins = batch->origins;

    assert(turn >= serve->turn && from <= to && to <= batch->count);
    serve->turn = turn;
    while (from < to) {
        uint32_t end = from + 1;
        uint32_t index = origins[from].connection;

        while (end < to && origins[end].connection == index &&
               origins[end].generation == origins[from].generation)
            end++;
        if (index != ORIGIN_NONE) {
            struct conn *conn = conn_at(serve, index);

            if (conn->state != CONN_FREE && (conn->generation == origins[from].generation ||
                                             PLANTED("serve.reply_to_stranger")))
                reply_run(serve, conn, batch, from, end, turn);
        }
        from = end;
    }
}

void serve_reply(struct serve *serve, const struct batch *batch, uint64_t turn)
{
    serve_reply_part(serve, batch, 0, batch->count, turn);
}

bool serve_answer(struct serve *serve, const struct serve_ticket *ticket,
                  const struct request *request, const struct reply *reply, uint64_t turn)
{
    struct conn *conn = conn_at(serve, ticket->connection);
    struct request asked = *request;
    struct reply answer = *reply;
    struct origin origin = {.connection = ticket->connection,
                            .generation = ticket->generation,
                            .protocol = ticket->protocol};
    struct batch batch = {.count = 1, .requests = &asked, .replies = &answer, .origins = &origin};

    if (conn->state == CONN_FREE || conn->generation != ticket->generation)
        return true; /* nobody waits any more */
    if (conn->inflight > 1 && !PLANTED("serve.answer_out_of_order"))
        return false;
    if (conn->state == CONN_PARKED)
        conn->state = CONN_OPEN; /* before the answer, which may be the connection's last */
    serve_reply(serve, &batch, turn);
    if (conn->state != CONN_FREE && conn->generation == ticket->generation)
        conn_wake(serve, conn);
    return true;
}

void serve_release(struct serve *serve, uint64_t turn)
{
    while (serve->mark_from < serve->mark_to) {
        const struct mark *mark = &serve->marks[serve->mark_from & (serve->mark_size - 1)];
        struct conn *conn = conn_at(serve, mark->connection);

        if (mark->turn > turn && !PLANTED("serve.release_early"))
            break;
        serve->mark_from++;
        if (conn->generation != mark->generation || conn->state == CONN_FREE)
            continue;
        conn->released = mark->end;
        if ((conn->flags & (CONN_FLUSH | CONN_BLOCKED)) != 0)
            continue; /* Listed already, or the socket's own event will come. */
        conn->flags |= CONN_FLUSH;
        serve->flush[serve->flush_count++] = mark->connection;
    }
    for (uint32_t i = 0; i < serve->flush_count; i++) {
        struct conn *conn = conn_at(serve, serve->flush[i]);

        if ((conn->flags & CONN_FLUSH) != 0)
            conn_flush(serve, conn);
    }
    serve->flush_count = 0;
}
