/* From bytes to requests.
 *
 * Whole commands are parsed where they were read. What is left over is the beginning of one more
 * command, or commands for which this turn has no room; it is kept in a buffer of the connection's
 * own, the smallest that holds it. */
#include "serve/door.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/hook.h"
#include "serve/attest.h"
#include "serve/service.h"
#include "wire/command.h"

/* HELLO 3 AUTH name key SETNAME name has seven words, so four would shut RESP3 out. */
static const struct resp_limits fresh_limits = {.args_max = 7, .bulk_max = 1024};
static const struct resp_limits full_limits = {
    .args_max = RESP_ARGS_MAX, .bulk_max = RESP_BULK_MAX, .inline_allowed = true};

enum took {
    TOOK_ONE,
    TOOK_NOTHING, /* an empty line */
    TOOK_FULL,    /* there is no room in the batch */
    TOOK_LATER,   /* the connection has had its share of this turn */
    TOOK_PARKED,  /* a reader was asked: the rest waits for its answer */
    TOOK_PART,    /* the rest is no whole command */
    TOOK_LAST,    /* that was the connection's last command */
    TOOK_GONE     /* the connection is closed */
};

struct take {
    struct serve *serve;
    struct conn *conn;
    struct batch *batch;
    int64_t now_us;
    uint8_t *bytes;
    size_t size, at;
    bool own;          /* bytes are the connection's own buffer */
    uint64_t expected; /* bytes of output for what was taken in this turn, by a rough guess */
    struct command_context plain; /* these two of the command at hand; here, because locals are */
    struct command_error error;   /* cleared for every command */
};

/* --- answers of the door -------------------------------------------------------------------------
 */

static struct origin *origin_fill(struct take *take)
{
    struct origin *origin = &take->batch->origins[take->batch->count];

    origin->connection = conn_index(take->serve, take->conn);
    origin->generation = take->conn->generation;
    origin->protocol = take->conn->protocol;
    origin->close = 0;
    origin->prepared_size = 0;
    origin->prepared = NULL;
    return origin;
}

static enum took accept_request(struct take *take)
{
    take->batch->count++;
    take->conn->inflight++;
    return TOOK_ONE;
}

/* The answer stands in the arena already. */
static enum took accept_prepared(struct take *take, const uint8_t *bytes, size_t size, bool close,
                                 enum status status)
{
    struct request *request = &take->batch->requests[take->batch->count];
    struct origin *origin = origin_fill(take);

    memset(request, 0, sizeof *request);
    request->verb = VERB_COUNT;
    origin->prepared = bytes;
    origin->prepared_size = (uint32_t)size;
    origin->close = close;
    take->expected += size;
    take->serve->stats.answered[status]++;
    accept_request(take);
    if (!close)
        return TOOK_ONE;
    take->conn->state = CONN_LAST;
    return TOOK_LAST;
}

static enum took refuse(struct take *take, enum status status, const char *detail)
{
    uint8_t *bytes = arena_take(&take->batch->arena, RESP_ERROR_BYTES_MAX);

    if (bytes == NULL)
        return TOOK_FULL;
    return accept_prepared(take, bytes, resp_error(status, detail, bytes),
                           status_info(status)->close, status);
}

/* --- one command ---------------------------------------------------------------------------------
 */

static bool starts(const char *bytes, size_t size, const char *word)
{
    size_t length = strlen(word);

    return size >= length && strncasecmp(bytes, word, length) == 0;
}

/* A browser that was led to speak to us sends POST, and Host: whatever the method. */
static bool is_browser(const char *bytes, size_t size)
{
    if (PLANTED("serve.browser_welcome"))
        return false;
    return starts(bytes, size, "host:") ||
           (starts(bytes, size, "post") && (size == 4 || bytes[4] <= ' '));
}

static enum took hostile(struct take *take)
{
    take->serve->stats.closed_hostile++;
    conn_close(take->serve, take->conn);
    return TOOK_GONE;
}

static enum took no_resp(struct take *take, const struct resp_command *command)
{
    enum took took;

    if (is_browser((const char *)take->bytes + take->at, take->size - take->at))
        return hostile(take);
    took = refuse(take, command->status, command->detail);
    if (took == TOOK_LAST)
        take->serve->stats.closed_hostile++;
    return took;
}

static enum took wrong(struct take *take, const struct resp_slice *args, uint32_t count,
                       const struct command_error *error)
{
    uint32_t words;
    enum verb verb = command_verb(args, count, &words);

    if (error->status == STATUS_BUSY)
        return TOOK_FULL;
    if (verb == VERB_COUNT && is_browser(args[0].bytes, args[0].size))
        return hostile(take);
    /* Who may not call it learns nothing about its arguments; before login, not even whether there
     * is such a command. */
    enum status status = (take->conn->flags & CONN_FRESH) != 0 ? STATUS_NOAUTH : STATUS_OK;
    if (verb != VERB_COUNT)
        status = access_verb(&take->conn->who, take->now_us, verb);
    if (status != STATUS_OK)
        return refuse(take, status, NULL);
    return refuse(take, error->status, error->detail);
}

static enum took serve_itself(struct take *take, enum verb verb, const struct resp_slice *args,
                              uint32_t count)
{
    struct arena *arena = &take->batch->arena;
    struct service service = {.serve = take->serve,
                              .conn = take->conn,
                              .args = args,
                              .count = count,
                              .now_us = take->now_us};

    service.out.bytes = arena->bytes + arena->used;
    service.out.size = arena->size - arena->used;
    service.out.protocol = take->conn->protocol;
    if (service.out.size < SERVICE_ROOM)
        return TOOK_FULL;
    service_answer(&service, verb);
    if (service.out.used > service.out.size)
        return take->batch->count > 0 ? TOOK_FULL
                                      : refuse(take, STATUS_TOOBIG, "the answer is too long");
    uint8_t *bytes = arena_take(arena, service.out.used);
    if (bytes == NULL)
        return TOOK_FULL; /* Only rounding stood in the way. */
    take->serve->stats.requests[verb]++;
    return accept_prepared(take, bytes, service.out.used, service.close, service.status);
}

static void make_pseudonyms(const struct take *take, struct request *request,
                            const struct command_context *plain)
{
    struct epochs *epochs = take->serve->config.epochs;

    if (epochs == NULL)
        return;
    request->context.address =
        epochs_pseudonym(epochs, 'a', plain->address.bytes, plain->address.size);
    request->context.device =
        epochs_pseudonym(epochs, 'd', plain->device.bytes, plain->device.size);
    request->context.network =
        epochs_pseudonym(epochs, 'n', plain->network.bytes, plain->network.size);
}

/* Lists may need much output, everything else little: what is taken from a connection in one turn
 * stays below OUTPUT_PAUSE, which leaves as much again until OUTPUT_MAX. */
static uint32_t output_of(const struct request *request, const struct verb_info *info)
{
    if (info->shape == SHAPE_TAKEN || info->shape == SHAPE_GIVEN || info->shape == SHAPE_ACTIVITY ||
        info->shape == SHAPE_CLEANUP_PREVIEW)
        return 64u + request->count * 56u;
    if (info->shape == SHAPE_WEIGHED)
        return 64u + request->count * 224u;
    if (info->shape == SHAPE_EXPORT)
        return 4096u + request->count * 160u;
    if (info->shape == SHAPE_NOTICES)
        return 64u + (request->count < NOTICES_MAX ? request->count : NOTICES_MAX) * 640u;
    if (info->shape == SHAPE_SHIELD || info->shape == SHAPE_POINTS)
        return 4096u + (request->count < REQUEST_SHIELD_MAX ? request->count : REQUEST_SHIELD_MAX) *
                           1536u;
    if (info->shape == SHAPE_STATES || info->shape == SHAPE_TOTALS)
        return 16u + request->count * 12u;
    if (info->group == GROUP_READ || info->shape == SHAPE_CLEANUP ||
        (request->flags & REQUEST_RETURN) != 0)
        return 768;
    return 64;
}

/* It has a place in the order of answers, but none in the batch. */
static enum took ask_reader(struct take *take, const struct request *request)
{
    const struct serve_config *config = &take->serve->config;
    struct conn *conn = take->conn;
    struct serve_ticket ticket = {.connection = conn_index(take->serve, conn),
                                  .generation = conn->generation,
                                  .protocol = conn->protocol};
    enum status status = STATUS_OFF;
    enum verb verb = (enum verb)request->verb;
    enum took took = TOOK_PARKED;

    if (config->ask != NULL)
        status = config->ask(config->ask_context, &ticket, request);
    if (status != STATUS_OK)
        took = refuse(take, status, NULL);
    if (took != TOOK_FULL) /* else it comes again */
        take->serve->stats.requests[verb]++;
    if (took != TOOK_PARKED)
        return took;
    conn->inflight++;
    conn->state = CONN_PARKED;
    return TOOK_PARKED;
}

static enum took take_command(struct take *take, const struct resp_command *command)
{
    struct request *request = &take->batch->requests[take->batch->count];

    if (command->count == 0)
        return TOOK_NOTHING;
    if (command_parse(command->args, command->count, take->now_us, &take->batch->arena, request,
                      &take->plain, &take->error) != STATUS_OK)
        return wrong(take, command->args, command->count, &take->error);

    enum verb verb = (enum verb)request->verb;
    const struct verb_info *info = verb_info(verb);

    enum status status = access_judge(&take->conn->who, take->now_us, request);
    if (status != STATUS_OK)
        return refuse(take, status, NULL);
    if (info->group >= GROUP_SERVICE)
        return info->group == GROUP_READER
                   ? ask_reader(take, request)
                   : serve_itself(take, verb, command->args, command->count);
    if ((request->flags & REQUEST_CONTEXT) != 0)
        make_pseudonyms(take, request, &take->plain);
    if (verb >= VERB_VIEW && verb <= VERB_SKIP)
        attest_check(take->serve->config.epochs, take->now_us, request);
    take->serve->stats.requests[verb]++;
    take->expected += output_of(request, info);
    origin_fill(take);
    return accept_request(take);
}

/* --- one connection ------------------------------------------------------------------------------
 */

static bool turn_is_over(const struct take *take, uint32_t taken)
{
    const struct conn *conn = take->conn;

    return taken == take->serve->config.pipeline_max ||
           conn_waiting(conn) + take->expected >= OUTPUT_PAUSE ||
           ((conn->flags & CONN_FRESH) != 0 && (conn->inflight > 0 || conn_waiting(conn) > 0));
}

static enum took take_all(struct take *take)
{
    struct conn *conn = take->conn;
    struct resp_command command = {.args = take->serve->args};
    uint32_t taken = 0;

    while (take->at < take->size) {
        if (take->batch->count == BATCH_MAX || turn_is_over(take, taken)) {
            conn->need = 0;
            return take->batch->count == BATCH_MAX ? TOOK_FULL : TOOK_LATER;
        }
        const struct resp_limits *limits =
            (conn->flags & CONN_FRESH) != 0 ? &fresh_limits : &full_limits;
        enum resp_result result =
            resp_parse(take->bytes + take->at, take->size - take->at, limits, &command);
        if (result == RESP_AGAIN) {
            conn->need = command.size;
            return TOOK_PART;
        }
        enum took took = result == RESP_OK ? take_command(take, &command) : no_resp(take, &command);
        if (took != TOOK_ONE && took != TOOK_NOTHING) {
            if (took == TOOK_FULL || took == TOOK_PARKED)
                conn->need = 0; /* what is left may be whole commands */
            if (took == TOOK_PARKED && !PLANTED("serve.parked_asks_again"))
                take->at += command.size;
            return took;
        }
        take->at += command.size;
        taken++;
    }
    return TOOK_ONE;
}

/* Room for more bytes behind the rest in the connection's own buffer. */
static bool grow(struct serve *serve, struct conn *conn)
{
    uint32_t rest = conn->in_to - conn->in_from;
    enum pool_size class = (enum pool_size)conn->in_class;

    if (conn->in_to < pool_bytes(class))
        return true;
    if (conn->in_from > 0) {
        memmove(conn->in, conn->in + conn->in_from, rest);
    } else {
        uint8_t *bigger = class + 1 < POOL_SIZES ? pool_take(&serve->pool, class + 1) : NULL;

        if (bigger == NULL)
            return false;
        memcpy(bigger, conn->in, rest);
        pool_give(&serve->pool, class, conn->in);
        conn->in = bigger;
        conn->in_class = (uint8_t)(class + 1);
    }
    conn->in_from = 0;
    conn->in_to = rest;
    return true;
}

/* The caller sends no more. */
static void ended(struct serve *serve, struct conn *conn)
{
    conn->flags = (uint8_t)((conn->flags | CONN_EOF) & ~CONN_READABLE);
    conn->state = CONN_LAST;
    conn_forget_input(serve, conn);
    if (conn->inflight == 0 && conn_waiting(conn) == 0)
        conn_close(serve, conn);
}

/* The handshake failed. Whoever does not speak TLS at all hears it in words; the others have been
 * sent an alert, which must not be destroyed by closing over unread bytes. */
static void no_tls(struct serve *serve, struct conn *conn, int error)
{
    uint8_t text[RESP_ERROR_BYTES_MAX];

    serve->stats.tls_refused++;
    if (conn->inflight > 0 || conn_waiting(conn) > 0) {
        conn_close(serve, conn);
        return;
    }
    if (error == ENOMSG) {
        size_t size = resp_error(STATUS_PROTO, "this port speaks TLS", text);

        if (send(conn->fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            errno = 0; /* best effort */
        serve->stats.answered[STATUS_PROTO]++;
    }
    conn_forget_input(serve, conn);
    conn->flags &= (uint8_t) ~(CONN_READABLE | CONN_HALF);
    if (shutdown(conn->fd, SHUT_WR) != 0) {
        conn_close(serve, conn);
        return;
    }
    conn->state = CONN_DRAIN;
    conn_deadline(serve, conn);
    conn_drain(serve, conn);
}

/* After the handshake: a certificate has proved a name. */
static void greet(struct serve *serve, struct conn *conn)
{
    const struct credential *credential;
    char name[TLS_NAME_MAX];

    if (!tls_greet(conn->tls, name) || name[0] == '\0' || serve->config.credentials == NULL)
        return;
    credential = credentials_named(serve->config.credentials, name);
    if (credential != NULL &&
        access_plane((enum plane)conn->plane, (enum role)credential_identity(credential).role))
        conn_login(serve, conn, credential_identity(credential), name, strlen(name));
}

/* Reads once into bytes; false if there is nothing (or nobody) to go on with. */
static bool read_some(struct serve *serve, struct conn *conn, uint8_t *bytes, size_t room,
                      size_t *size)
{
    ssize_t got = conn_recv(conn, bytes, room);

    if (got == 0) {
        ended(serve, conn);
        return false;
    }
    if (got < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            conn->flags &= (uint8_t)~CONN_READABLE;
        else if (errno == EPROTO || errno == ENOMSG)
            no_tls(serve, conn, errno);
        else if (errno != EINTR)
            conn_close(serve, conn);
        return false;
    }
    if (conn->tls != NULL)
        greet(serve, conn); /* and one read is one record, however much there is */
    else if ((size_t)got < room && (conn->flags & CONN_FIN) == 0)
        conn->flags &= (uint8_t)~CONN_READABLE;
    serve->stats.bytes_in += (uint64_t)got;
    *size = (size_t)got;
    return true;
}

/* Reads behind the rest, wherever that is; false as read_some. */
static bool look(struct take *take)
{
    struct serve *serve = take->serve;
    struct conn *conn = take->conn;
    uint32_t rest = conn->in_to - conn->in_from;
    size_t room = (conn->flags & CONN_FRESH) != 0 ? FRESH_BYTES - rest : READ_BYTES;
    size_t size;

    if (rest <= MOVE_BYTES) {
        if (rest > 0)
            memcpy(serve->scratch, conn->in + conn->in_from, rest);
        if (!read_some(serve, conn, serve->scratch + rest, room, &size))
            return false;
        take->bytes = serve->scratch;
    } else {
        if (!grow(serve, conn)) {
            /* A longer command is refused when it is parsed: so it is the pool that is empty. */
            serve->stats.closed_slow++;
            conn_close(serve, conn);
            return false;
        }
        uint32_t space = pool_bytes((enum pool_size)conn->in_class) - conn->in_to;

        room = room < space ? room : space;
        if (!read_some(serve, conn, conn->in + conn->in_to, room, &size))
            return false;
        conn->in_to += (uint32_t)size;
        take->bytes = conn->in + conn->in_from;
        take->own = true;
    }
    take->size = rest + size;
    return true;
}

/* Keeps what was not taken. */
static bool keep(struct take *take)
{
    struct conn *conn = take->conn;
    size_t rest = take->size - take->at;

    if (rest == 0 || PLANTED("serve.rest_is_lost")) {
        conn_forget_input(take->serve, conn);
        return true;
    }
    if (take->own) {
        conn->in_from += (uint32_t)take->at;
        return true;
    }
    if (conn->in == NULL || rest > pool_bytes((enum pool_size)conn->in_class)) {
        enum pool_size class = pool_size_for(rest);
        size_t need = conn->need;

        conn_forget_input(take->serve, conn);
        conn->need = need;
        conn->in = pool_take(&take->serve->pool, class);
        if (conn->in == NULL)
            return false;
        conn->in_class = (uint8_t) class;
    }
    memcpy(conn->in, take->bytes + take->at, rest);
    conn->in_from = 0;
    conn->in_to = (uint32_t)rest;
    return true;
}

/* Before login a command must fit FRESH_BYTES. */
static bool fresh_is_full(const struct conn *conn)
{
    return (conn->flags & CONN_FRESH) != 0 && conn->in_to - conn->in_from >= FRESH_BYTES;
}

static bool too_long(struct take *take)
{
    if (refuse(take, STATUS_TOOBIG, "before login a command has at most 4096 bytes") == TOOK_FULL) {
        conn_wake(take->serve, take->conn);
        return true;
    }
    conn_forget_input(take->serve, take->conn);
    return false;
}

bool take_from(struct serve *serve, struct conn *conn, struct batch *batch, int64_t now_us)
{
    struct take take = {.serve = serve, .conn = conn, .batch = batch, .now_us = now_us};
    uint32_t rest = conn->in_to - conn->in_from;
    uint32_t before = batch->count;
    bool was_half = (conn->flags & CONN_HALF) != 0;

    if (conn->state != CONN_OPEN)
        return false;
    if (rest > 0 && rest >= conn->need) {
        take.bytes = conn->in + conn->in_from;
        take.size = rest;
        take.own = true;
    } else if (fresh_is_full(conn)) {
        take.bytes = conn->in + conn->in_from;
        take.size = take.at = rest;
        take.own = true;
        return too_long(&take);
    } else if (!look(&take)) {
        return false;
    }

    enum took took = take_all(&take);
    if (took == TOOK_GONE)
        return false;
    if (took == TOOK_LAST) {
        conn_forget_input(serve, conn);
        return false;
    }
    if (!keep(&take)) {
        serve->stats.closed_slow++;
        conn_close(serve, conn);
        return false;
    }
    conn->flags &= (uint8_t)~CONN_HALF;
    if (took == TOOK_PART)
        conn->flags |= CONN_HALF;
    if (batch->count > before || took == TOOK_PARKED || (took == TOOK_PART) != was_half)
        conn_deadline(serve, conn);
    conn_wake(serve, conn);
    return took == TOOK_FULL;
}
