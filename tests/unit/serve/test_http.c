/* The door over real sockets, with a node that is a thread and a list: answers late, at once, out
 * of order, or never. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "serve/http.h"
#include "support.h"

#define ANSWER_BYTES (1u << 20)

/* --- a node ----------------------------------------------------------------------------------- */

struct node {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct call *calls;
    uint32_t waiting;
    uint64_t sequence;
    bool at_once; /* answer inside submit */
    bool hold;    /* answer nothing for now */
    bool stop;
    uint8_t mode;
    bool shed; /* as well */
    struct reply reply;
};

static void answer(struct node *node, struct call *call)
{
    uint64_t ids[REQUEST_IDS_MAX];
    struct reply reply = node->reply;

    if (reply.kind == REPLY_WRITE)
        reply.sequence = call->request.account; /* so that a caller knows its own answer */
    if (reply.kind == REPLY_INTEGERS) {
        reply.count = call->request.count;
        for (uint32_t i = 0; i < reply.count; i++)
            ids[i] = call->request.u.ids[i] & 1;
        reply.u.values = ids;
    }
    call_answer(call, &reply);
    call->done(call);
}

static void *run_node(void *context)
{
    struct node *node = context;

    pthread_mutex_lock(&node->lock);
    while (!node->stop) {
        struct call *call = node->hold ? NULL : node->calls;

        if (call == NULL) {
            pthread_cond_wait(&node->changed, &node->lock);
            continue;
        }
        node->calls = call->next; /* the last comes first */
        node->waiting--;
        pthread_mutex_unlock(&node->lock);
        answer(node, call);
        pthread_mutex_lock(&node->lock);
    }
    pthread_mutex_unlock(&node->lock);
    return NULL;
}

static void node_submit_call(void *context, struct call *call)
{
    struct node *node = context;

    if (node->at_once) {
        answer(node, call);
        return;
    }
    pthread_mutex_lock(&node->lock);
    call->next = node->calls;
    node->calls = call;
    node->waiting++;
    pthread_cond_broadcast(&node->changed);
    pthread_mutex_unlock(&node->lock);
}

static void node_hold(struct node *node, bool hold)
{
    pthread_mutex_lock(&node->lock);
    node->hold = hold;
    pthread_cond_broadcast(&node->changed);
    pthread_mutex_unlock(&node->lock);
}

static uint32_t node_waiting(struct node *node)
{
    uint32_t waiting;

    pthread_mutex_lock(&node->lock);
    waiting = node->waiting;
    pthread_mutex_unlock(&node->lock);
    return waiting;
}

static int64_t node_now(void *context)
{
    (void)context;
    return 1700000000000000LL;
}

static void node_tells(void *context, struct facts *facts)
{
    struct node *node = context;

    *facts = (struct facts){.version = "0.1.0", .sync = "always", .mode = node->mode};
    facts->modes[node->mode].since_s = 1700000000;
    if (node->shed)
        facts->modes[MODE_SHED].since_s = 1700000001;
}

static struct node node;
static struct http *http;
static struct credentials credentials;

static void open_door(bool with_credentials)
{
    struct http_config config = {.address = "127.0.0.1:0",
                                 .credentials = with_credentials ? &credentials : NULL,
                                 .connections_max = 200,
                                 .submit = node_submit_call,
                                 .submit_context = &node,
                                 .now_us = node_now,
                                 .facts = node_tells,
                                 .facts_context = &node};
    char message[256] = "";

    node = (struct node){.reply = {.kind = REPLY_WRITE, .applied = 1, .on = 1, .flips = 1}};
    pthread_mutex_init(&node.lock, NULL);
    pthread_cond_init(&node.changed, NULL);
    pthread_create(&node.thread, NULL, run_node, &node);
    if (http_open(&config, &http, message) != STATUS_OK)
        fail_msg("%s", message);
}

static int open_free(void **state)
{
    (void)state;
    open_door(false);
    return 0;
}

static int open_guarded(void **state)
{
    struct credential *one = &credentials.list[0];

    (void)state;
    credentials.count = 1;
    one->role = ROLE_AUDITOR;
    one->has_key = true;
    digest_sha256("reader-key", 10, NULL, 0, one->digest);
    open_door(true);
    return 0;
}

static int close_door(void **state)
{
    (void)state;
    http_close(http);
    pthread_mutex_lock(&node.lock);
    node.stop = true;
    pthread_cond_broadcast(&node.changed);
    pthread_mutex_unlock(&node.lock);
    pthread_join(node.thread, NULL);
    pthread_mutex_destroy(&node.lock);
    pthread_cond_destroy(&node.changed);
    return 0;
}

/* --- a client --------------------------------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(http_port(http))};
    struct timeval patience = {.tv_sec = 30};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    return fd;
}

static void say(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        assert_true(sent > 0);
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* One whole answer, by its Content-Length; its status, or 0 if the connection was closed before. */
static int hear(int fd, char *text)
{
    const char *end, *length;
    size_t used = 0, want = 0;

    text[0] = 0;
    for (;;) {
        ssize_t got = recv(fd, text + used, ANSWER_BYTES - 1 - used, 0);

        if (got <= 0)
            return 0;
        used += (size_t)got;
        text[used] = 0;
        end = strstr(text, "\r\n\r\n");
        if (end == NULL)
            continue;
        length = strcasestr(text, "\r\nContent-Length: ");
        want = (size_t)(end - text) + 4;
        if (length != NULL && length < end && strncmp(text + 9, "204", 3) != 0)
            want += strtoul(length + 18, NULL, 10);
        if (used >= want)
            return atoi(text + 9);
    }
}

/* Patience running out is not being closed. */
static bool is_closed(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);

    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static int ask_on(int fd, const char *line, const char *headers, const char *body, char *text)
{
    char request[4096];
    int size = snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: localhost\r\n%s", line,
                        headers);

    if (body != NULL)
        size += snprintf(request + size, sizeof request - (size_t)size,
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    size += snprintf(request + size, sizeof request - (size_t)size, "\r\n%s",
                     body != NULL ? body : "");
    say(fd, request, (size_t)size);
    return hear(fd, text);
}

static char text[ANSWER_BYTES];

static int ask(const char *line, const char *headers, const char *body)
{
    int fd = dial();
    int status = ask_on(fd, line, headers, body, text);

    close(fd);
    return status;
}

static bool says(const char *part)
{
    return strstr(text, part) != NULL;
}

/* --- what is promised ------------------------------------------------------------------------- */

static void a_like_is_answered_when_the_node_has_answered(void **state)
{
    (void)state;
    assert_int_equal(ask("PUT /v1/items/9/likes/7", "", NULL), 200);
    assert_true(says("\"applied\":true,\"sequence\":\"7\",\"on\":true"));
    assert_true(says("\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_true(says("\r\nCache-Control: no-store\r\n"));
    assert_true(says("\r\nX-Request-Id: "));
    node.at_once = true;
    assert_int_equal(ask("PUT /v1/items/9/likes/8", "", "{\"context\":{\"source\":\"button\"}}"),
                     200);
    assert_true(says("\"sequence\":\"8\""));
}

static void many_connections_get_their_own_answers(void **state)
{
    enum { COUNT = 100 };
    int fds[COUNT];
    char line[64], expected[64];

    (void)state;
    node_hold(&node, true);
    for (int i = 0; i < COUNT; i++) {
        int size;

        fds[i] = dial();
        size = snprintf(line, sizeof line, "PUT /v1/items/9/likes/%d HTTP/1.1\r\nHost: localhost"
                                           "\r\n\r\n", i + 1000);
        say(fds[i], line, (size_t)size);
    }
    while (node_waiting(&node) < COUNT)
        usleep(1000);
    node_hold(&node, false);
    for (int i = 0; i < COUNT; i++) {
        snprintf(expected, sizeof expected, "\"sequence\":\"%d\"", i + 1000);
        assert_int_equal(hear(fds[i], text), 200);
        assert_true(says(expected));
        assert_int_equal(ask_on(fds[i], "GET /healthz", "", NULL, text), 200);
        close(fds[i]);
    }
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    char requests[4096];
    size_t used = 0, at = 0;
    int fd = dial();

    (void)state;
    for (int i = 1; i <= 20; i++)
        used += (size_t)snprintf(requests + used, sizeof requests - used,
                                 "DELETE /v1/items/9/likes/%d HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                                 i, i == 20 ? "Connection: close\r\n" : "");
    say(fd, requests, used);
    used = 0;
    for (ssize_t got; (got = recv(fd, text + used, sizeof text - 1 - used, 0)) > 0;)
        used += (size_t)got;
    text[used] = 0;
    for (int i = 1; i <= 20; i++) {
        char expected[64];
        char *found;

        snprintf(expected, sizeof expected, "\"sequence\":\"%d\"", i);
        found = strstr(text + at, expected);
        assert_non_null(found);
        at = (size_t)(found - text);
    }
    close(fd);
}

static void refusals_are_problems(void **state)
{
    (void)state;
    node.reply = (struct reply){.kind = REPLY_ERROR, .status = STATUS_BUSY, .retry_ms = 1500};
    assert_int_equal(ask("PUT /v1/items/9/likes/7", "", NULL), 503);
    assert_true(says("\r\nRetry-After: 2\r\n"));
    assert_true(says("\r\nContent-Type: application/problem+json\r\n"));
    assert_true(says("\"code\":\"BUSY\"") && says("\"retry_ms\":1500"));
    node.reply.status = STATUS_SUSPENDED;
    node.reply.until_us = 5000000;
    assert_int_equal(ask("PUT /v1/items/9/likes/7", "", NULL), 403);
    assert_true(says("\"until_ms\":5000"));
    node.reply.status = STATUS_IOFAIL;
    assert_int_equal(ask("PUT /v1/items/9/likes/7", "", NULL), 500);
    assert_true(says("\"certain\":false") && says("\r\nConnection: close\r\n"));
}

static void a_kept_connection_survives_wrong_requests(void **state)
{
    int fd = dial();

    (void)state;
    assert_int_equal(ask_on(fd, "POST /v1/nothing", "", "{\"a\":1}", text), 404);
    assert_int_equal(ask_on(fd, "POST /v1/sequence", "", "{\"a\":1}", text), 405);
    assert_true(says("\r\nAllow: GET, HEAD, OPTIONS\r\n"));
    assert_int_equal(ask_on(fd, "POST /v1/items/9/shares", "", "{\"account\":", text), 400);
    assert_int_equal(ask_on(fd, "POST /v1/items/9/shares", "", "{\"account\":\"x\"}", text), 422);
    assert_int_equal(ask_on(fd, "OPTIONS /v1/sequence", "", NULL, text), 204);
    assert_int_equal(ask_on(fd, "POST /v1/items/9/shares", "", "{\"account\":\"7\"}", text), 200);
    close(fd);
}

static void batches_come_back_whole(void **state)
{
    (void)state;
    node.reply = (struct reply){.kind = REPLY_INTEGERS};
    assert_int_equal(ask("POST /v1/batch/states", "",
                         "{\"verb\":\"like\",\"account\":\"7\",\"targets\":[1,2,\"3\"]}"),
                     200);
    assert_true(says("{\"account\":\"7\",\"verb\":\"like\",\"on\":[true,false,true]}"));
}

static void service_paths_answer(void **state)
{
    (void)state;
    assert_int_equal(ask("GET /", "", NULL), 200);
    assert_int_equal(ask("GET /healthz", "", NULL), 200);
    assert_int_equal(ask("GET /readyz", "", NULL), 200);
    assert_int_equal(ask("GET /openapi.json", "", NULL), 200);
    assert_true(says("\"openapi\": \"3.1.0\""));
    assert_int_equal(ask("GET /metrics", "", NULL), 200);
    assert_true(says("zan_http_connections_open 1\n"));
    assert_int_equal(ask("GET /problems/CONFLICT", "", NULL), 200);
    node.mode = MODE_READONLY;
    node.shed = true;
    assert_int_equal(ask("GET /readyz", "", NULL), 503);
    assert_true(says("{\"mode\":\"readonly\",\"ready\":false,\"modes\":["
                     "{\"mode\":\"readonly\",\"since\":1700000000},"
                     "{\"mode\":\"shed\",\"since\":1700000001}],\"readers\":[]}"));
    assert_int_equal(ask("GET /healthz", "", NULL), 200);
}

static void large_bodies_are_refused_and_the_refusal_is_heard(void **state)
{
    static char body[2u << 20];
    char head[128];
    int fd = dial(), size;

    (void)state;
    memset(body, ' ', sizeof body);
    size = snprintf(head, sizeof head, "PUT /v1/items/9 HTTP/1.1\r\nHost: localhost\r\n"
                                       "Content-Length: %zu\r\n\r\n", sizeof body);
    say(fd, head, (size_t)size);
    say(fd, body, sizeof body);
    assert_int_equal(hear(fd, text), 413);
    assert_true(is_closed(fd));
    close(fd);
    fd = dial();
    size = snprintf(head, sizeof head, "PUT /v1/items/9 HTTP/1.1\r\nHost: localhost\r\n"
                                       "Transfer-Encoding: chunked\r\n"
                                       "Content-Type: application/json\r\n\r\n%zx\r\n",
                    sizeof body);
    say(fd, head, (size_t)size);
    say(fd, body, sizeof body);
    say(fd, "\r\n0\r\n\r\n", 7);
    assert_int_equal(hear(fd, text), 413);
    close(fd);
}

static void keys_decide(void **state)
{
    int fd = dial();

    (void)state;
    assert_int_equal(ask("GET /v1/sequence", "", NULL), 401);
    assert_true(says("\r\nWWW-Authenticate: Bearer"));
    node.reply = (struct reply){.kind = REPLY_INTEGER, .u.value = 3};
    assert_int_equal(ask("GET /v1/sequence", "Authorization: Bearer reader-key\r\n", NULL), 200);
    assert_true(says("{\"sequences\":[\"3\"]}"));
    assert_int_equal(ask("PUT /v1/items/9/likes/7", "Authorization: Bearer reader-key\r\n", NULL),
                     403);
    assert_int_equal(ask("GET /healthz", "", NULL), 200);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask_on(fd, "GET /v1/sequence", "Authorization: Bearer x\r\n", NULL, text),
                         401);
        assert_int_equal(says("\r\nConnection: close\r\n"), i == 4);
    }
    assert_true(is_closed(fd));
    close(fd);
}

static void a_client_that_left_is_no_harm(void **state)
{
    (void)state;
    node_hold(&node, true);
    for (int i = 0; i < 20; i++) {
        static const char request[] = "PUT /v1/items/9/likes/7 HTTP/1.1\r\nHost: localhost\r\n\r\n";
        int fd = dial();

        say(fd, request, sizeof request - 1);
        while (node_waiting(&node) < (uint32_t)i + 1)
            usleep(1000);
        close(fd);
    }
    node_hold(&node, false);
    assert_int_equal(ask("GET /healthz", "", NULL), 200);
}

static void *let_go(void *context)
{
    usleep(300000);
    node_hold(context, false);
    return NULL;
}

/* http_close is called while calls are under way; they are answered, then it returns. */
static void closing_answers_what_is_under_way(void **state)
{
    static const char request[] = "PUT /v1/items/9/likes/7 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int busy = dial(), idle = dial();
    pthread_t helper;

    (void)state;
    assert_int_equal(ask_on(idle, "GET /healthz", "", NULL, text), 200);
    node_hold(&node, true);
    say(busy, request, sizeof request - 1);
    while (node_waiting(&node) < 1)
        usleep(1000);
    pthread_create(&helper, NULL, let_go, &node);
    http_close(http);
    http = NULL;
    assert_int_equal(hear(busy, text), 200);
    assert_true(is_closed(busy));
    assert_true(is_closed(idle));
    pthread_join(helper, NULL);
    close(busy);
    close(idle);
}

/* The clock gives up on a node that does not answer; the late answer then finds nobody. */
static void a_silent_node_is_an_unknown_outcome(void **state)
{
    (void)state;
    node_hold(&node, true);
    assert_int_equal(ask("PUT /v1/items/9/likes/7", "", NULL), 504);
    assert_true(says("\"code\":\"UNKNOWN\"") && says("\"certain\":false"));
    node_hold(&node, false);
}

/* A byte now and then keeps no connection open (slowloris). */
static void a_head_that_dribbles_is_cut(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ";
    int fd = dial();

    (void)state;
    say(fd, request, sizeof request - 1);
    for (int i = 0; i < 300; i++) {
        usleep(100000);
        if (send(fd, "a", 1, MSG_NOSIGNAL) < 0)
            break;
    }
    assert_true(is_closed(fd) || errno == EPIPE);
    close(fd);
}

static void bad_addresses_are_named(void **state)
{
    static const char *const bad[] = {"", "8090", "127.0.0.1", "127.0.0.1:", ":8090",
                                      "example.org:8090", "127.0.0.1:99999", "300.0.0.1:1"};
    struct http_config config = {.submit = node_submit_call, .facts = node_tells,
                                 .now_us = node_now, .facts_context = &node};
    struct http *other = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[256] = "";

        config.address = bad[i];
        assert_int_equal(http_open(&config, &other, message), STATUS_BADCONFIG);
        assert_non_null(strstr(message, "http address"));
        assert_null(other);
    }
    http_close(NULL);
}

#define FREE(test)    cmocka_unit_test_setup_teardown(test, open_free, close_door)
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, open_guarded, close_door)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FREE(a_like_is_answered_when_the_node_has_answered),
        FREE(many_connections_get_their_own_answers),
        FREE(pipelined_requests_are_answered_in_order),
        FREE(refusals_are_problems),
        FREE(a_kept_connection_survives_wrong_requests),
        FREE(batches_come_back_whole),
        FREE(service_paths_answer),
        FREE(large_bodies_are_refused_and_the_refusal_is_heard),
        GUARDED(keys_decide),
        FREE(a_client_that_left_is_no_harm),
        FREE(closing_answers_what_is_under_way),
        FREE(a_silent_node_is_an_unknown_outcome),
        FREE(a_head_that_dribbles_is_cut),
        FREE(bad_addresses_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
