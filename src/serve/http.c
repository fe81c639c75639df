/* http.c: the only file that knows libmicrohttpd.
 *
 * Threads: one of libmicrohttpd (epoll) runs every callback here; partitions' threads run done();
 *          one clock thread cuts what takes too long. `lock` guards the list of peers, what a peer
 *          and a work point at, and the numbers. It is never held while libmicrohttpd is called.
 *
 * A request:  begun (request line read) -> head judged -> body read -> understood -> submitted, and
 *             the connection sleeps -> done() or the clock wakes it -> answered -> forgotten.
 *
 *   peer      a connection: its socket, its deadline, its failures to log in
 *   exchange  a request on a connection; belongs to libmicrohttpd's thread
 *   work      the call in the node's hands; outlives the exchange if the clock gave up on it, and
 *             is then freed by done()
 *
 * Deadlines: libmicrohttpd knows only inactivity, which a byte now and then defeats. So every phase
 * has one moment by which it must be over, and the clock shuts the socket down when it is not.
 *
 * A stream (GET /live) is an answer without an end: libmicrohttpd asks for its next bytes, and its
 * connection sleeps while there are none (push.h). Each time it has taken some it has WRITE_S anew.
 *
 * What libmicrohttpd refuses by itself (a request line that is none, a pool that overflows) is
 * answered in its own words, not as problem+json; tests/talk/t_http_corpus.py lists which. */
#include "serve/http.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "serve/bridge.h"
#include "serve/attest.h"
#include "serve/http_head.h"
#include "serve/http_listen.h"
#include "serve/push.h"
#include "wire/json.h"
#include "wire/metrics.h"
#include "wire/openapi.h"
#include "wire/problem.h"
#include "wire/text.h"

#define HEAD_S       10 /* a new connection, or one that has sent a request line: the whole head */
#define IDLE_S       60 /* a connection that was answered: until its next request line */
#define BODY_S       30 /* the body: 1 MiB at 35 KB/s */
#define ANSWER_S     15 /* the node's answer; then UNKNOWN */
#define WRITE_S      30 /* the client takes the answer */
#define CLOSING_S    2  /* reading and writing when the door closes */
#define FAILURES_MAX 5  /* wrong keys on a connection */
#define DRAIN_MAX    (4u << 20) /* a body over the limit is read so far, so that 413 can be told */
#define POOL_BYTES                                                                                 \
    (48u << 10) /* a connection's memory in libmicrohttpd: line, headers, buffers                  \
                 */

enum step { STEP_HEAD, STEP_BODY, STEP_WAITING, STEP_ANSWERED, STEP_EXPIRED, STEP_WRITING };

struct work {
    struct call call;
    struct http *http;
    struct exchange *exchange; /* NULL: nobody waits any more */
    struct json_request request;
    _Alignas(16) uint8_t storage[CALL_STORAGE_BYTES];
};

struct exchange {
    struct http *http;
    struct peer *peer;
    struct MHD_Connection *connection;
    enum step step; /* guarded, because the clock looks at it */
    bool judged;
    bool close;      /* after the answer */
    const char *uri; /* as it came; its address only, see read_headers */
    size_t line_bytes;
    struct http_head head;
    struct http_target target;
    struct problem_error error;
    struct text body;
    struct push_stream *stream; /* GET /live; libmicrohttpd's thread */
    uint64_t body_seen;
    struct work *work; /* while WAITING (guarded) and until answered */
    char id[17];
};

struct peer {
    struct peer *before, *after;
    struct exchange *exchange;
    int fd;
    int64_t deadline_s;
    bool cut;
    uint32_t failures;
    const struct credential *certificate;
};

/* A connection from the bridge, until the library tells of it. */
struct arrival {
    struct arrival *next;
    int fd;
    const struct credential *certificate;
};

struct http {
    struct http_config config;
    struct http_rules rules;
    struct MHD_Daemon *daemon;
    struct text openapi;
    struct push *push;
    uint64_t id_seed;
    atomic_uint_fast64_t id_count;
    uint16_t port;
    pthread_t clock;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct peer *peers;
    struct bridge *bridge;    /* NULL: plain */
    struct arrival *arrivals; /* guarded */
    uint32_t exchanges;       /* alive */
    uint32_t works;           /* in the node's hands */
    bool closing, stop_clock;
    struct metrics_http metrics;
};

static int64_t clock_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* --- peers: connections and their deadlines --------------------------------------------------- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static void peer_add(struct http *http, struct peer *peer)
{
    pthread_mutex_lock(&http->lock);
    peer->after = http->peers;
    if (http->peers != NULL)
        http->peers->before = peer;
    http->peers = peer;
    http->metrics.connections_open++;
    http->metrics.connections_total++;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}

/* Before libmicrohttpd closes the descriptor, so that the clock never shuts down another's. */
static void peer_remove(struct http *http, struct peer *peer)
{
    pthread_mutex_lock(&http->lock);
    if (peer->before != NULL)
        peer->before->after = peer->after;
    else
        http->peers = peer->after;
    if (peer->after != NULL)
        peer->after->before = peer->before;
    http->metrics.connections_open--;
    pthread_mutex_unlock(&http->lock);
    free(peer);
}

static const struct credential *take_arrival(struct http *http, int fd)
{
    const struct credential *certificate = NULL;
    struct arrival *found = NULL;

    pthread_mutex_lock(&http->lock);
    for (struct arrival **at = &http->arrivals; *at != NULL; at = &(*at)->next)
        if ((*at)->fd == fd) {
            found = *at;
            *at = found->next;
            break;
        }
    pthread_mutex_unlock(&http->lock);
    if (found != NULL)
        certificate = found->certificate;
    free(found);
    return certificate;
}

/* From the bridge: a connection whose handshake is over. */
static bool on_arrival(void *context, int fd, const struct sockaddr *address, socklen_t size,
                       const char *name)
{
    struct http *http = context;
    struct arrival *arrival = calloc(1, sizeof *arrival);

    if (arrival == NULL) {
        close(fd);
        return false;
    }
    arrival->fd = fd;
    if (name[0] != '\0' && http->config.credentials != NULL)
        arrival->certificate = credentials_named(http->config.credentials, name);
    pthread_mutex_lock(&http->lock);
    arrival->next = http->arrivals;
    http->arrivals = arrival;
    pthread_mutex_unlock(&http->lock);
    if (MHD_add_connection(http->daemon, fd, address, size) == MHD_YES)
        return true;
    take_arrival(http, fd); /* the library has closed it */
    return false;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    const union MHD_ConnectionInfo *info;
    struct http *http = context;
    struct peer *peer;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*slot != NULL)
            peer_remove(http, *slot);
        return;
    }
    peer = calloc(1, sizeof *peer);
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *slot = peer;
    if (peer == NULL || info == NULL)
        return; /* a request on it finds no peer and is closed */
    peer->fd = info->connect_fd;
    peer->deadline_s = clock_s() + HEAD_S;
    if (http->bridge != NULL)
        peer->certificate = take_arrival(http, peer->fd);
    peer_add(http, peer);
}

/* The exchange goes on to a step that must be over in time. */
static void enter(struct exchange *exchange, enum step step, int64_t seconds)
{
    struct http *http = exchange->http;

    pthread_mutex_lock(&http->lock);
    exchange->step = step;
    exchange->peer->deadline_s = clock_s() + seconds;
    pthread_mutex_unlock(&http->lock);
}

/* --- the clock -------------------------------------------------------------------------------- */

/* A closing door has less patience with readers and writers, and none with idle connections. */
static void hurry(struct peer *peer, int64_t now_s)
{
    int64_t latest_s = peer->exchange == NULL ? now_s : now_s + CLOSING_S;

    if (peer->exchange != NULL && peer->exchange->step == STEP_WAITING)
        return;
    if (peer->deadline_s > latest_s)
        peer->deadline_s = latest_s;
}

/* Cuts every late peer. Returns a connection whose call took too long (to be resumed without the
 * lock), or NULL. */
static struct MHD_Connection *cut_late(struct http *http)
{
    int64_t now_s = clock_s();

    for (struct peer *peer = http->peers; peer != NULL; peer = peer->after) {
        struct exchange *exchange = peer->exchange;

        if (http->closing)
            hurry(peer, now_s);
        if (peer->cut || now_s < peer->deadline_s)
            continue;
        if (exchange != NULL && exchange->step == STEP_WAITING) {
            exchange->step = STEP_EXPIRED;
            exchange->work->exchange = NULL;
            exchange->work = NULL;
            return exchange->connection;
        }
        if (exchange != NULL && (exchange->step == STEP_ANSWERED || exchange->step == STEP_EXPIRED))
            continue; /* being woken */
        peer->cut = true;
        http->metrics.cut_total++;
        shutdown(peer->fd, SHUT_RDWR);
    }
    return NULL;
}

static void sleep_a_second(struct http *http)
{
    struct timespec until;

    if (http->peers == NULL && !http->closing) {
        pthread_cond_wait(&http->changed, &http->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_cond_timedwait(&http->changed, &http->lock, &until);
}

static void *run_clock(void *context)
{
    struct http *http = context;

    pthread_mutex_lock(&http->lock);
    while (!http->stop_clock) {
        struct MHD_Connection *expired = cut_late(http);

        if (expired == NULL) {
            sleep_a_second(http);
            continue;
        }
        pthread_mutex_unlock(&http->lock);
        MHD_resume_connection(expired);
        pthread_mutex_lock(&http->lock);
    }
    pthread_mutex_unlock(&http->lock);
    return NULL;
}

/* --- an exchange's life ----------------------------------------------------------------------- */

static void make_id(struct http *http, char id[17])
{
    uint64_t count = atomic_fetch_add(&http->id_count, 1);

    snprintf(id, 17, "%016llx", (unsigned long long)hash_mix(http->id_seed + count));
}

/* RFC 9112, 3.2: a target has no blanks, no control characters, nothing beyond ASCII. */
static bool is_target(const char *uri)
{
    for (; *uri != 0; uri++)
        if (*uri <= 0x20 || *uri >= 0x7F)
            return false;
    return true;
}

/* The request line has been read. What this returns becomes the exchange of all later calls. */
static void *on_line(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http *http = context;
    struct peer *peer = peer_of(connection);
    struct exchange *exchange = peer != NULL ? calloc(1, sizeof *exchange) : NULL;

    if (exchange == NULL)
        return NULL;
    exchange->http = http;
    exchange->peer = peer;
    exchange->connection = connection;
    exchange->uri = uri;
    exchange->line_bytes = strlen(uri);
    exchange->head.bad_target = !is_target(uri);
    make_id(http, exchange->id);
    pthread_mutex_lock(&http->lock);
    assert(peer->exchange == NULL);
    peer->exchange = exchange;
    peer->deadline_s = clock_s() + HEAD_S;
    http->exchanges++;
    pthread_mutex_unlock(&http->lock);
    return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http *http = context;
    struct exchange *exchange = *slot;

    (void)connection;
    (void)code;
    if (exchange == NULL)
        return;
    *slot = NULL;
    pthread_mutex_lock(&http->lock);
    assert(exchange->step != STEP_WAITING);
    exchange->peer->exchange = NULL;
    exchange->peer->deadline_s = clock_s() + IDLE_S;
    http->exchanges--;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
    push_end(exchange->stream);
    free(exchange->work);
    text_free(&exchange->body);
    free(exchange);
}

/* --- answers ---------------------------------------------------------------------------------- */

struct answer {
    unsigned http;
    const char *type;
    struct text body;
    const struct site_file *file; /* in place of a body */
    const char *location;
    uint32_t retry_s;
};

/* The console runs its own scripts and styles and nobody else's, none of them within the page,
 * talks to this door alone and is shown within no other page. Posters are drawn by the page itself.
 */
#define SITE_POLICY                                                                                \
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "               \
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
#define SITE_FOREVER "public, max-age=31536000, immutable"
#define DATA_POLICY  "default-src 'none'; frame-ancestors 'none'"

static bool add_headers(struct exchange *exchange, const struct answer *answer,
                        struct MHD_Response *response)
{
    const struct site_file *file = answer->file;
    char retry[12];
    bool good = true;
    struct {
        bool wanted;
        const char *name, *value;
    } headers[] = {
        {answer->type != NULL, "Content-Type", answer->type},
        {file == NULL, "Cache-Control", "no-store"},
        {file != NULL, "Cache-Control", file != NULL && file->forever ? SITE_FOREVER : "no-cache"},
        {true, "X-Content-Type-Options", "nosniff"},
        {true, "Content-Security-Policy", file != NULL ? SITE_POLICY : DATA_POLICY},
        {file != NULL && answer->http == 200, "Content-Encoding", "gzip"},
        {file != NULL, "ETag", file != NULL ? file->etag : ""},
        {file != NULL, "Referrer-Policy", "no-referrer"},
        {file != NULL, "Cross-Origin-Opener-Policy", "same-origin"},
        {file != NULL, "Cross-Origin-Resource-Policy", "same-origin"},
        {file != NULL, "Permissions-Policy", "microphone=(self), camera=(), geolocation=()"},
        {answer->location != NULL, "Location", answer->location},
        {answer->location != NULL, "Vary", "Accept"},
        {true, "X-Request-Id", exchange->id},
        {exchange->close, "Connection", "close"},
        {answer->http == 401, "WWW-Authenticate", "Bearer realm=\"zan\""},
        {answer->http == 405 || exchange->target.options, "Allow", exchange->target.allow},
        {answer->retry_s > 0, "Retry-After", retry},
    };

    snprintf(retry, sizeof retry, "%u", answer->retry_s);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (headers[i].wanted &&
            MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES)
            good = false;
    return good;
}

/* Queues the answer; its body is taken over. MHD_NO closes the connection without an answer. */
static enum MHD_Result put_answer(struct exchange *exchange, struct answer *answer)
{
    struct http *http = exchange->http;
    enum MHD_Result result = MHD_NO;
    struct MHD_Response *response;

    if (answer->body.failed) {
        text_free(&answer->body);
        return MHD_NO;
    }
    response = answer->file != NULL && answer->http == 200
                   ? MHD_create_response_from_buffer(answer->file->size,
                                                     (void *)(uintptr_t)answer->file->bytes,
                                                     MHD_RESPMEM_PERSISTENT)
                   : MHD_create_response_from_buffer(answer->body.size, answer->body.bytes,
                                                     MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        text_free(&answer->body);
        return MHD_NO;
    }
    enter(exchange, STEP_WRITING, WRITE_S);
    if (add_headers(exchange, answer, response))
        result = MHD_queue_response(exchange->connection, answer->http, response);
    MHD_destroy_response(response);
    pthread_mutex_lock(&http->lock);
    http->metrics.answers[answer->http / 100]++;
    pthread_mutex_unlock(&http->lock);
    return result;
}

static bool is_failed_login(uint32_t problem)
{
    return problem == STATUS_WRONGPASS || problem == STATUS_BADTOKEN ||
           problem == STATUS_UNKNOWNKEY || problem == STATUS_TOKENAUDIENCE;
}

static enum MHD_Result put_problem(struct exchange *exchange, uint32_t problem, const char *detail,
                                   const struct reply *reply)
{
    struct status_info info = problem_info(problem);
    struct answer answer = {.http = (unsigned)info.http, .type = "application/problem+json"};

    if (problem < STATUS_COUNT) {
        pthread_mutex_lock(&exchange->http->lock);
        exchange->http->metrics.denied[problem]++; /* all are counted, denials are told */
        pthread_mutex_unlock(&exchange->http->lock);
    }
    if (info.close)
        exchange->close = true;
    if (is_failed_login(problem) && ++exchange->peer->failures >= FAILURES_MAX)
        exchange->close = true;
    answer.retry_s = problem_retry_s(problem, reply);
    problem_write(&answer.body, problem, detail, reply, exchange->id);
    return put_answer(exchange, &answer);
}

static enum MHD_Result put_error(struct exchange *exchange)
{
    return put_problem(exchange, exchange->error.problem, exchange->error.detail, NULL);
}

/* --- service paths ---------------------------------------------------------------------------- */

static bool is_ready(enum mode mode)
{
    return mode == MODE_NORMAL || mode == MODE_SHED || mode == MODE_RISK_DEGRADED ||
           mode == MODE_MIRROR_DEGRADED;
}

/* Each that holds, the gravest first. Why is not for everybody: /metrics, INFO and NODE MODE tell.
 */
static void write_modes(struct text *text, const struct facts *facts)
{
    bool first = true;

    for (int mode = MODE_COUNT - 1; mode >= 0; mode--) {
        const struct mode_facts *now = &facts->modes[mode];
        const char *name = mode_name((enum mode)mode);

        if (now->since_s == 0)
            continue;
        text_puts(text, first ? "{\"mode\":" : ",{\"mode\":");
        text_json(text, name, strlen(name));
        text_puts(text, ",\"since\":");
        text_u64(text, now->since_s);
        text_puts(text, "}");
        first = false;
    }
}

/* What follows the log: it changes nothing of the node's health, likes do without. */
static void write_reader(struct text *text, const struct reader_facts *reader)
{
    text_puts(text, "{\"name\":");
    text_json(text, reader->name, strlen(reader->name));
    text_puts(text, ",\"state\":");
    text_json(text, reader->state, strlen(reader->state));
    text_puts(text, ",\"lag_records\":");
    text_u64(text, reader->lag_records);
    text_puts(text, ",\"late_ms\":");
    text_u64(text, reader->late_us / 1000);
    text_puts(text, "}");
}

static void write_readers(struct text *text, const struct facts *facts)
{
    const char *between = "";

    text_puts(text, "[");
    for (uint32_t i = 0; i < FACTS_READERS_MAX; i++) {
        if (!facts->readers[i].on)
            continue;
        text_puts(text, between);
        write_reader(text, &facts->readers[i]);
        between = ",";
    }
    text_puts(text, "]");
}

static void write_health(struct text *text, const struct facts *facts)
{
    const char *mode = mode_name((enum mode)facts->mode);

    text_puts(text, "{\"mode\":");
    text_json(text, mode, strlen(mode));
    text_puts(text, is_ready((enum mode)facts->mode) ? ",\"ready\":true" : ",\"ready\":false");
    text_puts(text, ",\"modes\":[");
    write_modes(text, facts);
    text_puts(text, "],\"readers\":");
    write_readers(text, facts);
    text_puts(text, "}\n");
}

static void write_index(struct text *text, const struct facts *facts)
{
    text_puts(text, "{\"name\":\"zan\",\"version\":");
    text_json(text, facts->version, strnlen(facts->version, sizeof facts->version));
    text_puts(text, ",\"links\":[\"/openapi.json\",\"/healthz\",\"/readyz\",\"/metrics\","
                    "\"/problems\"]}\n");
}

static struct metrics_http figures_of(struct http *http)
{
    struct metrics_http own;

    pthread_mutex_lock(&http->lock);
    own = http->metrics;
    pthread_mutex_unlock(&http->lock);
    own.streams_open = push_count(http->push);
    own.tls_refused = http->bridge != NULL ? bridge_refused(http->bridge) : 0;
    return own;
}

static void figures_add(struct metrics_http *sum, const struct metrics_http *more)
{
    sum->connections_open += more->connections_open;
    sum->connections_total += more->connections_total;
    sum->cut_total += more->cut_total;
    sum->streams_open += more->streams_open;
    sum->tls_refused += more->tls_refused;
    for (int code = 0; code < STATUS_COUNT; code++)
        sum->denied[code] += more->denied[code];
    for (int digit = 0; digit < 6; digit++)
        sum->answers[digit] += more->answers[digit];
}

static void write_metrics(struct http *http, struct text *text, const struct facts *facts)
{
    struct metrics_http own = figures_of(http), more;

    if (http->config.beside != NULL) {
        more = figures_of(http->config.beside);
        figures_add(&own, &more);
    }
    metrics_write(text, facts);
    metrics_http_write(text, &own);
}

/* Whether it is asked for a second time. A list of tags is searched as it stands: ours has quotes
 * and no blanks, so no other tag can hold it. */
static enum MHD_Result put_file(struct exchange *exchange)
{
    const struct site_file *file = exchange->target.file;
    const char *known = exchange->head.if_none_match;
    struct answer answer = {.http = 200, .type = file->type, .file = file};

    if (known != NULL && strstr(known, file->etag) != NULL) {
        answer.http = 304;
        answer.type = NULL;
    }
    return put_answer(exchange, &answer);
}

/* {"open":false,"role":"user","account":"42","tenant":0,"expires_ms":1790000000000,"version":"0.2.0"}
 * open: this node asks for no credentials. */
static void write_session(struct text *text, const struct exchange *exchange,
                          const struct facts *facts)
{
    const struct identity *who = &exchange->target.who;
    const char *role = role_name((enum role)who->role);

    text_puts(text, "{\"open\":");
    text_puts(text, exchange->http->config.credentials == NULL ? "true" : "false");
    text_puts(text, ",\"role\":");
    text_json(text, role, strlen(role));
    text_puts(text, ",\"account\":");
    if (who->role == ROLE_USER || who->role == ROLE_CREATOR)
        text_json_id(text, who->subject);
    else
        text_puts(text, "null");
    text_puts(text, ",\"tenant\":");
    text_u64(text, who->tenant);
    text_puts(text, ",\"expires_ms\":");
    if (who->expires_us > 0)
        text_i64(text, who->expires_us / 1000);
    else
        text_puts(text, "null");
    text_puts(text, ",\"version\":");
    text_json(text, facts->version, strnlen(facts->version, sizeof facts->version));
    text_puts(text, "}\n");
}

/* --- streams ---------------------------------------------------------------------------------- */

/* libmicrohttpd can write: what is there to be said? */
static ssize_t on_stream(void *context, uint64_t position, char *bytes, size_t size)
{
    struct exchange *exchange = context;
    ssize_t taken = push_take(exchange->stream, bytes, size);

    (void)position;
    if (taken < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (taken > 0) {
        enter(exchange, STEP_WRITING, WRITE_S);
        return taken;
    }
    MHD_suspend_connection(exchange->connection);
    if (!push_sleep(exchange->stream))
        MHD_resume_connection(exchange->connection);
    return 0;
}

/* On its own thread. The exchange sleeps, so it is still there. */
static void on_news(void *owner)
{
    MHD_resume_connection(((struct exchange *)owner)->connection);
}

static enum MHD_Result refuse_stream(struct exchange *exchange, enum status status,
                                     const char *detail)
{
    problem_set(&exchange->error, status, "%s", detail);
    return put_error(exchange);
}

static enum MHD_Result put_stream(struct exchange *exchange)
{
    const struct http_head *head = &exchange->head;
    struct answer answer = {.http = 200, .type = "text/event-stream"};
    struct MHD_Response *response;
    enum MHD_Result result = MHD_NO;
    uint64_t ids[PUSH_IDS_MAX];
    uint32_t count = 0;

    if (head->query_count == 1 && strcmp(head->query[0].name, "items") == 0)
        count = push_read_ids(head->query[0].value, ids);
    if (count == 0)
        return refuse_stream(exchange, STATUS_BADVALUE, "/live?items=1,2,3: 1 to 64 ids");
    if (exchange->target.head)
        return put_answer(exchange, &answer);
    exchange->stream =
        push_begin(exchange->http->push, &exchange->target.who, ids, count, exchange);
    if (exchange->stream == NULL)
        return refuse_stream(exchange, STATUS_BUSY, "there are too many streams");
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, on_stream, exchange, NULL);
    if (response == NULL)
        return MHD_NO;
    enter(exchange, STEP_WRITING, WRITE_S);
    if (add_headers(exchange, &answer, response))
        result = MHD_queue_response(exchange->connection, answer.http, response);
    MHD_destroy_response(response);
    pthread_mutex_lock(&exchange->http->lock);
    exchange->http->metrics.answers[2]++;
    pthread_mutex_unlock(&exchange->http->lock);
    return result;
}

/* --- what is no verb ----------------------------------------------------------------------------
 */

static enum MHD_Result put_service(struct exchange *exchange)
{
    struct answer answer = {.http = 200, .type = "application/json"};
    struct http *http = exchange->http;
    struct facts facts = {0};

    if (exchange->target.service == SERVICE_SITE)
        return put_file(exchange);
    if (exchange->target.service == SERVICE_LIVE)
        return put_stream(exchange);

    http->config.facts(http->config.facts_context, &facts);
    switch (exchange->target.service) {
    case SERVICE_INDEX:
        write_index(&answer.body, &facts);
        break;
    case SERVICE_HEALTH:
        answer.http = facts.mode == MODE_FAILED ? 503 : 200;
        write_health(&answer.body, &facts);
        break;
    case SERVICE_READY:
        answer.http = is_ready((enum mode)facts.mode) ? 200 : 503;
        answer.retry_s = answer.http == 503;
        write_health(&answer.body, &facts);
        break;
    case SERVICE_METRICS:
        answer.type = METRICS_TYPE;
        write_metrics(http, &answer.body, &facts);
        break;
    case SERVICE_OPENAPI:
        text_put(&answer.body, http->openapi.bytes, http->openapi.size);
        break;
    case SERVICE_PROBLEMS:
        problem_list(&answer.body);
        break;
    case SERVICE_PROBLEM:
        problem_describe(&answer.body, exchange->target.problem);
        text_puts(&answer.body, "\n");
        break;
    case SERVICE_SESSION:
        write_session(&answer.body, exchange, &facts);
        break;
    case SERVICE_TO_SITE:
        answer.http = 303;
        answer.type = NULL;
        answer.location = SITE_ROOT;
        break;
    case SERVICE_VERB:
    case SERVICE_LIVE:
    case SERVICE_SITE:
    case SERVICE_NONE:
        assert(false); /* not a service */
    }
    return put_answer(exchange, &answer);
}

/* --- verbs ------------------------------------------------------------------------------------ */

/* On a partition's thread: the answer is durable. The work counts until the waking is over, so
 * that the door is not torn down under it. */
static void on_done(struct call *call)
{
    struct work *work = call->owner;
    struct http *http = work->http;
    struct MHD_Connection *connection = NULL;

    pthread_mutex_lock(&http->lock);
    if (work->exchange != NULL) {
        work->exchange->step = STEP_ANSWERED;
        connection = work->exchange->connection;
    }
    pthread_mutex_unlock(&http->lock);
    if (connection != NULL)
        MHD_resume_connection(connection);
    else
        free(work);
    pthread_mutex_lock(&http->lock);
    http->works--;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}

static uint64_t make_pseudonym(const struct http *http, char kind, const char *text)
{
    return http->config.epochs == NULL
               ? 0
               : epochs_pseudonym(http->config.epochs, kind, text, strlen(text));
}

/* Head, path and body to a request. The work is the exchange's from here on. */
static bool understand(struct exchange *exchange)
{
    struct http *http = exchange->http;
    struct json_input input = {.match = exchange->target.match,
                               .query = exchange->head.query,
                               .query_count = exchange->head.query_count,
                               .body = exchange->body.bytes,
                               .body_size = exchange->body.size,
                               .headers = exchange->head.json,
                               .now_us = http->config.now_us(http->config.facts_context)};
    struct work *work = calloc(1, sizeof *work);
    struct context *context;
    enum status status;

    if (work == NULL) {
        problem_set(&exchange->error, STATUS_NOMEMORY, "%s", "");
        return false;
    }
    exchange->work = work;
    if (!json_read(&input, &work->request, &exchange->error))
        return false;
    status = access_judge(&exchange->target.who, input.now_us, &work->request.request);
    if (status != STATUS_OK) {
        problem_set(&exchange->error, status, "%s", "");
        return false;
    }
    attest_check(http->config.epochs, input.now_us, &work->request.request);
    context = &work->request.request.context;
    context->address = make_pseudonym(http, 'a', work->request.address);
    context->device = make_pseudonym(http, 'd', work->request.device);
    context->network = make_pseudonym(http, 'n', work->request.network);
    return true;
}

/* Hands the call over; the connection sleeps until on_done or the clock wakes it. It must sleep
 * before the call goes: the answer may come at once. */
static void submit(struct exchange *exchange)
{
    struct http *http = exchange->http;
    struct work *work = exchange->work;

    work->http = http;
    work->exchange = exchange;
    work->call.request = work->request.request;
    work->call.done = on_done;
    work->call.owner = work;
    work->call.storage = work->storage;
    work->call.storage_size = sizeof work->storage;
    MHD_suspend_connection(exchange->connection);
    pthread_mutex_lock(&http->lock);
    exchange->step = STEP_WAITING;
    exchange->peer->deadline_s = clock_s() + ANSWER_S;
    http->works++;
    pthread_mutex_unlock(&http->lock);
    http->config.submit(http->config.submit_context, &work->call);
}

static enum MHD_Result put_reply(struct exchange *exchange)
{
    struct work *work = exchange->work;
    const struct reply *reply = &work->call.reply;
    struct answer answer = {.http = 200, .type = "application/json"};

    if (reply->kind == REPLY_ERROR)
        return put_problem(exchange, reply->status,
                           reply_detail(reply) != NULL ? reply_detail(reply) : "", reply);
    json_reply(&answer.body, &work->request, reply);
    return put_answer(exchange, &answer);
}

/* --- the steps of a request ------------------------------------------------------------------- */

/* libmicrohttpd 0.9.75 takes a bare line feed for the end of a line, joins folded lines, cuts names
 * and values at a NUL and swallows blanks: all of them ways to make two servers in a row see
 * different requests (RFC 9112, 11.2). It parses in place, though, writing a 0 over what ends a
 * piece. So the pieces lie in memory as they came, and a well-formed head is one in which every
 * piece begins where the piece before, plus its separator, ended. The addresses are compared and
 * never followed. Later versions refuse all this by themselves, and are not asked. */
struct layout {
    struct http_head *head;
    uintptr_t next; /* where the next line must begin */
};

static bool layout_is_known(void)
{
    return strncmp(MHD_get_version(), "0.9.75", 6) == 0;
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_size, const char *value, size_t value_size)
{
    struct layout *layout = context;

    (void)kind;
    if (name == NULL || strlen(name) != name_size || (uintptr_t)name != layout->next)
        layout->head->bad_lines = true;
    if (value == NULL || strlen(value) != value_size)
        layout->head->bad_lines = true;
    layout->next = (uintptr_t)value + value_size + 2;
    http_head_header(layout->head, name == NULL ? "" : name, value == NULL ? "" : value);
    return MHD_YES;
}

static void read_headers(struct exchange *exchange, const char *version)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct http_head *head = &exchange->head;
    struct layout layout = {head, (uintptr_t)version + strlen(version) + 2};

    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, on_header, &layout);
    if ((uintptr_t)exchange->uri != (uintptr_t)head->method + strlen(head->method) + 1 ||
        (uintptr_t)version != (uintptr_t)exchange->uri + exchange->line_bytes + 1)
        head->bad_lines = true;
    if (size == NULL || (uintptr_t)head->method + size->header_size != layout.next + 2)
        head->bad_lines = true;
    if (!layout_is_known())
        head->bad_lines = false;
}

static enum MHD_Result on_query(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    (void)kind;
    http_head_query(context, name, value == NULL ? "" : value);
    return MHD_YES;
}

/* The head is complete. What is wrong with it is told now if the connection closes anyway or the
 * client waits for leave to send; else after the body, so that the connection can be kept. */
static enum MHD_Result judge(struct exchange *exchange, const char *method, const char *path,
                             const char *version)
{
    struct http_head *head = &exchange->head;
    struct http_target *target = &exchange->target;
    struct http_rules rules = exchange->http->rules;
    bool now;

    head->method = method;
    head->path = path;
    head->version_1_0 = strcmp(version, "HTTP/1.0") == 0;
    head->line_bytes = exchange->line_bytes + strlen(method) + strlen(version) + 2;
    read_headers(exchange, version);
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, on_query, head);
    rules.certificate = exchange->peer->certificate;
    rules.now_us = exchange->http->config.now_us(exchange->http->config.facts_context);
    http_head_judge(head, &rules, target, &exchange->error);
    exchange->judged = true;
    if (strcmp(version, "HTTP/1.1") != 0 && !head->version_1_0)
        problem_set(&exchange->error, PROBLEM_BADHTTP, "HTTP/1.1 is spoken here");
    if (target->has_body)
        enter(exchange, STEP_BODY, BODY_S);
    if (exchange->error.problem == 0)
        return MHD_YES;
    now = problem_info(exchange->error.problem).close &&
          (exchange->error.problem != STATUS_TOOBIG || target->body_bytes > DRAIN_MAX);
    return now || head->expect != NULL ? put_error(exchange) : MHD_YES;
}

/* Once a request is known to be wrong, its body is read and forgotten. */
static enum MHD_Result take_body(struct exchange *exchange, const char *bytes, size_t size)
{
    exchange->body_seen += size;
    if (exchange->body_seen > DRAIN_MAX)
        return MHD_NO;
    if (exchange->body_seen > JSON_BODY_MAX)
        problem_set(&exchange->error, STATUS_TOOBIG, "%s", "");
    if (exchange->error.problem != 0)
        text_free(&exchange->body);
    else
        text_put(&exchange->body, bytes, size);
    return MHD_YES;
}

/* The request is complete. */
static enum MHD_Result act(struct exchange *exchange)
{
    struct http *http = exchange->http;
    struct answer answer = {.http = 204};
    bool closing;

    pthread_mutex_lock(&http->lock);
    closing = http->closing;
    pthread_mutex_unlock(&http->lock);
    if (closing)
        problem_set(&exchange->error, STATUS_STOPPING, "%s", "");
    if (exchange->body.failed)
        problem_set(&exchange->error, STATUS_NOMEMORY, "%s", "");
    if (exchange->error.problem != 0)
        return put_error(exchange);
    if (exchange->target.options)
        return put_answer(exchange, &answer);
    if (exchange->target.service != SERVICE_VERB)
        return put_service(exchange);
    if (!understand(exchange))
        return put_error(exchange);
    submit(exchange);
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **slot)
{
    struct exchange *exchange = *slot;
    struct http *http = context;
    enum MHD_Result result;
    enum step step;

    (void)connection;
    if (exchange == NULL)
        return MHD_NO; /* there was no memory for it */
    if (!exchange->judged)
        return judge(exchange, method, url, version);
    if (*upload_size > 0) {
        result = take_body(exchange, upload, *upload_size);
        *upload_size = 0;
        return result;
    }
    pthread_mutex_lock(&http->lock);
    step = exchange->step;
    pthread_mutex_unlock(&http->lock);
    if (step == STEP_ANSWERED)
        return put_reply(exchange);
    if (step == STEP_EXPIRED)
        return put_problem(exchange, STATUS_UNKNOWN, "the node did not answer in time", NULL);
    return act(exchange);
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* Arguments are digits and need no escapes; what is escaped is none of ours and stays so. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static bool start_daemon(struct http *http, int fd)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (fd < 0 ? MHD_USE_NO_LISTEN_SOCKET : 0);
    unsigned limit = http->config.connections_max > 0 ? http->config.connections_max : 1000;
    struct MHD_OptionItem listener[] = {{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
                                        {MHD_OPTION_END, 0, NULL}};

    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_ARRAY, fd < 0 ? listener + 1 : listener,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_URI_LOG_CALLBACK, on_line, http,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT, limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_END);
    return http->daemon != NULL;
}

static bool start_clock(struct http *http)
{
    pthread_condattr_t attributes;
    bool good;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&http->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!good)
        return false;
    if (pthread_create(&http->clock, NULL, run_clock, http) == 0)
        return true;
    pthread_cond_destroy(&http->changed);
    return false;
}

static void stop_clock(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    http->stop_clock = true;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
    pthread_join(http->clock, NULL);
    pthread_cond_destroy(&http->changed);
}

static bool start_push(struct http *http)
{
    struct push_config config = {.submit = http->config.submit,
                                 .submit_context = http->config.submit_context,
                                 .now_us = http->config.now_us,
                                 .now_context = http->config.facts_context,
                                 .wake = on_news};

    return push_open(&config, &http->push) == STATUS_OK;
}

static void stop_push(struct http *http)
{
    push_stop(http->push);
    push_close(http->push);
}

static void write_openapi(struct http *http)
{
    struct facts facts = {0};

    http->config.facts(http->config.facts_context, &facts);
    facts.version[sizeof facts.version - 1] = 0;
    openapi_write(&http->openapi, facts.version);
}

/* From a filled http to running threads; on failure everything but http is given back. */
static enum status start(struct http *http, int fd, char message[256])
{
    if (pthread_mutex_init(&http->lock, NULL) != 0)
        return STATUS_NOMEMORY;
    if (!start_push(http)) {
        pthread_mutex_destroy(&http->lock);
        snprintf(message, 256, "http: a thread could not be started");
        return STATUS_NOMEMORY;
    }
    if (!start_clock(http)) {
        stop_push(http);
        pthread_mutex_destroy(&http->lock);
        snprintf(message, 256, "http: a thread could not be started");
        return STATUS_NOMEMORY;
    }
    if (start_daemon(http, http->config.tls != NULL ? MHD_INVALID_SOCKET : fd)) {
        struct bridge_config bridge = {.listener = fd,
                                       .tls = http->config.tls,
                                       .connections_max = http->config.connections_max,
                                       .give = on_arrival,
                                       .context = http};

        if (http->config.tls == NULL || bridge_open(&bridge, &http->bridge) == STATUS_OK)
            return STATUS_OK;
        MHD_stop_daemon(http->daemon);
    }
    stop_clock(http);
    stop_push(http);
    pthread_mutex_destroy(&http->lock);
    snprintf(message, 256, "http: libmicrohttpd could not be started: %s", strerror(errno));
    return STATUS_NOMEMORY;
}

enum status http_open(const struct http_config *config, struct http **out, char message[256])
{
    struct http *http = calloc(1, sizeof *http);
    struct http_listen listen;
    enum status status;

    if (http == NULL)
        return STATUS_NOMEMORY;
    http->config = *config;
    if ((status = http_listen_open(config->address, &listen, message)) != STATUS_OK) {
        free(http);
        return status;
    }
    http->port = listen.port;
    http->rules = (struct http_rules){.credentials = config->credentials,
                                      .vouch = config->vouch,
                                      .loopback = listen.loopback,
                                      .site = config->site,
                                      .plane = (uint8_t)config->plane};
    write_openapi(http);
    if (http->openapi.failed ||
        getrandom(&http->id_seed, sizeof http->id_seed, 0) != sizeof http->id_seed)
        status = STATUS_NOMEMORY;
    else
        status = start(http, listen.fd, message);
    if (status != STATUS_OK) {
        close(listen.fd);
        text_free(&http->openapi);
        free(http);
        return status;
    }
    *out = http;
    return STATUS_OK;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

void http_close(struct http *http)
{
    int fd = MHD_INVALID_SOCKET;

    if (http == NULL)
        return;
    /* From now on callers are refused; but the descriptor stays until the daemon is gone, whose
     * thread takes it out of its set in its own time and ends the process if it is another's by
     * then. */
    if (http->bridge != NULL)
        bridge_stop_listening(http->bridge);
    else if ((fd = MHD_quiesce_daemon(http->daemon)) != MHD_INVALID_SOCKET)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_lock(&http->lock);
    http->closing = true;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
    push_stop(http->push);
    pthread_mutex_lock(&http->lock);
    while (http->exchanges > 0 || http->works > 0)
        pthread_cond_wait(&http->changed, &http->lock);
    pthread_mutex_unlock(&http->lock);
    stop_clock(http);
    bridge_close(http->bridge);
    MHD_stop_daemon(http->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    while (http->arrivals != NULL)
        take_arrival(http, http->arrivals->fd);
    push_close(http->push);
    assert(http->peers == NULL && http->exchanges == 0);
    pthread_mutex_destroy(&http->lock);
    text_free(&http->openapi);
    free(http);
}
