/* The pump between TLS sockets and the HTTP library's.
 *
 *   SHAKING -> OPEN    the handshake is over; the other end of the pair has been given away
 *   OPEN    -> ENDING  one side is done and all of it has been passed on; our sending side is shut,
 * what still comes in is thrown away, because closing over unread bytes would destroy the last
 * answer any     -> freed
 *
 * Edge-triggered: each side is pumped until it takes or gives no more. */
#include "serve/bridge.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES    16384u
#define EVENTS_AT_ONCE  128
#define ACCEPTS_AT_ONCE 64
#define PUMPS_AT_ONCE   64 /* rounds of one connection before the next one's turn */
#define SHAKE_MS        10000
#define END_MS          2000
#define SWEEP_MS        250

enum link_state { LINK_SHAKING, LINK_OPEN, LINK_ENDING };

struct way {
    uint32_t from, to;
    bool ended;  /* the giving side sends no more */
    bool closed; /* and the taking side has been told */
    uint8_t bytes[BUFFER_BYTES];
};

struct link {
    struct link *before, *after;
    int net, plain; /* plain is -1 until OPEN */
    enum link_state state;
    struct tls_conn *tls;
    int64_t deadline_ms; /* INT64_MAX: none; the library has its own */
    bool gone, again;
    struct link *next_gone;
    socklen_t peer_size;
    struct sockaddr_storage peer;
    struct way in, out;
};

struct bridge {
    struct bridge_config config;
    int epoll, wake;
    pthread_t thread;
    _Atomic bool stop, deaf;
    _Atomic uint64_t refused;
    struct link *links;
    struct link *gone; /* closed, to be freed when no event can name them any more */
    uint32_t count;
    bool again; /* some link has more to do than one turn allows */
};

static int64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- links --------------------------------------------------------------------------------------
 */

static void link_close(struct bridge *bridge, struct link *link)
{
    if (link->gone)
        return;
    link->gone = true;
    if (link->before != NULL)
        link->before->after = link->after;
    else
        bridge->links = link->after;
    if (link->after != NULL)
        link->after->before = link->before;
    bridge->count--;
    tls_free(link->tls);
    close(link->net);
    if (link->plain >= 0)
        close(link->plain);
    link->next_gone = bridge->gone;
    bridge->gone = link;
}

static void free_gone(struct bridge *bridge)
{
    while (bridge->gone != NULL) {
        struct link *link = bridge->gone;

        bridge->gone = link->next_gone;
        free(link);
    }
}

static bool watch(struct bridge *bridge, struct link *link, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = link};

    return epoll_ctl(bridge->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void link_end(struct bridge *bridge, struct link *link)
{
    tls_end(link->tls);
    if (shutdown(link->net, SHUT_WR) != 0) {
        link_close(bridge, link);
        return;
    }
    if (link->plain >= 0)
        close(link->plain);
    link->plain = -1;
    link->state = LINK_ENDING;
    link->deadline_ms = now_ms() + END_MS;
}

static void link_fails(struct bridge *bridge, struct link *link, int error)
{
    static const char words[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                "Content-Length: 21\r\nConnection: close\r\n\r\n"
                                "this port speaks TLS\n";

    if (link->state == LINK_SHAKING && (error == EPROTO || error == ENOMSG))
        atomic_fetch_add(&bridge->refused, 1);
    if (error == ENOMSG && send(link->net, words, sizeof words - 1, MSG_NOSIGNAL) < 0)
        errno = 0; /* best effort */
    if (error == EPROTO || error == ENOMSG)
        link_end(bridge, link);
    else
        link_close(bridge, link);
}

/* The handshake is over: the pair is made, and one end given away. */
static bool link_opens(struct bridge *bridge, struct link *link)
{
    char name[TLS_NAME_MAX];
    int pair[2];

    if (!tls_greet(link->tls, name))
        return true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    link->plain = pair[0];
    link->state = LINK_OPEN;
    link->deadline_ms = INT64_MAX;
    if (!watch(bridge, link, link->plain)) {
        close(pair[1]);
        return false;
    }
    return bridge->config.give(bridge->config.context, pair[1], (struct sockaddr *)&link->peer,
                               link->peer_size, name);
}

/* --- the pump -----------------------------------------------------------------------------------
 */

enum moved { MOVED_NOTHING, MOVED_SOME, MOVED_FAILED };

static bool waits(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* One read and one write from TLS to the library. */
static enum moved move_in(struct bridge *bridge, struct link *link)
{
    struct way *way = &link->in;
    bool moved = false;
    ssize_t size;

    if (way->from == way->to && !way->ended) {
        size = tls_read(link->tls, way->bytes, sizeof way->bytes);
        if (size < 0 && !waits(errno))
            return MOVED_FAILED;
        if (link->state == LINK_SHAKING && !link_opens(bridge, link)) {
            errno = ECONNABORTED;
            return MOVED_FAILED;
        }
        if (size >= 0) {
            moved = true;
            way->from = 0;
            way->to = (uint32_t)size;
            way->ended = size == 0;
        }
    }
    if (link->plain < 0)
        return moved ? MOVED_SOME : MOVED_NOTHING;
    if (way->from < way->to) {
        size = send(link->plain, way->bytes + way->from, way->to - way->from, MSG_NOSIGNAL);
        if (size > 0) {
            way->from += (uint32_t)size;
            moved = true;
        } else if (!waits(errno)) {
            /* The library has heard enough; what it answers still counts. */
            way->from = way->to;
        }
    }
    if (way->from == way->to && way->ended && !way->closed) {
        shutdown(link->plain, SHUT_WR);
        way->closed = true;
    }
    return moved ? MOVED_SOME : MOVED_NOTHING;
}

/* One read and one write from the library to TLS. */
static enum moved move_out(struct link *link)
{
    struct way *way = &link->out;
    bool moved = false;
    ssize_t size;

    if (way->from == way->to && !way->ended) {
        size = recv(link->plain, way->bytes, sizeof way->bytes, 0);
        if (size >= 0) {
            moved = true;
            way->from = 0;
            way->to = (uint32_t)size;
            way->ended = size == 0;
        } else if (!waits(errno)) {
            way->ended = true;
        }
    }
    if (way->from < way->to) {
        size = tls_write(link->tls, way->bytes + way->from, way->to - way->from);
        if (size < 0 && !waits(errno))
            return MOVED_FAILED;
        if (size > 0) {
            way->from += (uint32_t)size;
            moved = true;
        }
    }
    return moved ? MOVED_SOME : MOVED_NOTHING;
}

static void drain(struct bridge *bridge, struct link *link)
{
    uint8_t bytes[4096];
    ssize_t size;

    for (int i = 0; i < PUMPS_AT_ONCE; i++) {
        size = recv(link->net, bytes, sizeof bytes, 0);
        if (size < 0 && waits(errno))
            return;
        if (size <= 0)
            break;
    }
    link_close(bridge, link);
}

static void pump(struct bridge *bridge, struct link *link)
{
    link->again = false;
    for (int i = 0; i < PUMPS_AT_ONCE && !link->gone; i++) {
        enum moved in, out = MOVED_NOTHING;

        if (link->state == LINK_ENDING) {
            drain(bridge, link);
            return;
        }
        in = move_in(bridge, link);
        if (in != MOVED_FAILED && link->state == LINK_OPEN)
            out = move_out(link);
        if (in == MOVED_FAILED || out == MOVED_FAILED) {
            link_fails(bridge, link, errno);
            continue;
        }
        if (link->state == LINK_SHAKING && link->in.ended) {
            link_close(bridge, link);
            return;
        }
        if (link->out.ended && link->out.from == link->out.to) {
            link_end(bridge, link);
            continue;
        }
        if (in == MOVED_NOTHING && out == MOVED_NOTHING)
            return;
    }
    if (!link->gone)
        link->again = bridge->again = true;
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static void admit(struct bridge *bridge, int fd, const struct sockaddr_storage *peer,
                  socklen_t size)
{
    struct link *link =
        bridge->count < bridge->config.connections_max ? malloc(sizeof *link) : NULL;

    if (link == NULL) {
        close(fd);
        return;
    }
    memset(link, 0, offsetof(struct link, in));
    link->in.from = link->in.to = link->out.from = link->out.to = 0;
    link->in.ended = link->in.closed = link->out.ended = link->out.closed = false;
    link->net = fd;
    link->plain = -1;
    link->peer = *peer;
    link->peer_size = size;
    link->deadline_ms = now_ms() + SHAKE_MS;
    link->tls = tls_accept(bridge->config.tls, fd);
    if (link->tls == NULL || !watch(bridge, link, fd)) {
        tls_free(link->tls);
        close(fd);
        free(link);
        return;
    }
    link->after = bridge->links;
    if (bridge->links != NULL)
        bridge->links->before = link;
    bridge->links = link;
    bridge->count++;
}

static void accept_some(struct bridge *bridge)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE && !atomic_load(&bridge->deaf); i++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        int fd = accept4(bridge->config.listener, (struct sockaddr *)&peer, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            admit(bridge, fd, &peer, size);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

static void sweep(struct bridge *bridge, int64_t now)
{
    for (struct link *link = bridge->links, *next; link != NULL; link = next) {
        next = link->after;
        if (link->again)
            pump(bridge, link);
        else if (link->deadline_ms <= now)
            link_close(bridge, link);
    }
}

static void *run(void *context)
{
    struct bridge *bridge = context;
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t sweep_ms = now_ms() + SWEEP_MS;

    while (!atomic_load(&bridge->stop)) {
        int count = epoll_wait(bridge->epoll, events, EVENTS_AT_ONCE, bridge->again ? 0 : SWEEP_MS);
        int64_t now = now_ms();

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == bridge)
                accept_some(bridge);
            else if (events[i].data.ptr != NULL && !((struct link *)events[i].data.ptr)->gone)
                pump(bridge, events[i].data.ptr);
        }
        if (bridge->again || now >= sweep_ms) {
            bridge->again = false;
            sweep_ms = now + SWEEP_MS;
            sweep(bridge, now);
        }
        free_gone(bridge);
    }
    return NULL;
}

/* --- opening and closing ------------------------------------------------------------------------
 */

static bool start(struct bridge *bridge)
{
    struct epoll_event listener = {.events = EPOLLIN, .data.ptr = bridge};
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};

    return bridge->epoll >= 0 && bridge->wake >= 0 &&
           epoll_ctl(bridge->epoll, EPOLL_CTL_ADD, bridge->config.listener, &listener) == 0 &&
           epoll_ctl(bridge->epoll, EPOLL_CTL_ADD, bridge->wake, &wake) == 0 &&
           pthread_create(&bridge->thread, NULL, run, bridge) == 0;
}

enum status bridge_open(const struct bridge_config *config, struct bridge **out)
{
    struct bridge *bridge = calloc(1, sizeof *bridge);

    if (bridge == NULL)
        return STATUS_NOMEMORY;
    bridge->config = *config;
    bridge->epoll = epoll_create1(EPOLL_CLOEXEC);
    bridge->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (start(bridge)) {
        *out = bridge;
        return STATUS_OK;
    }
    if (bridge->epoll >= 0)
        close(bridge->epoll);
    if (bridge->wake >= 0)
        close(bridge->wake);
    free(bridge);
    return STATUS_NOMEMORY;
}

void bridge_stop_listening(struct bridge *bridge)
{
    atomic_store(&bridge->deaf, true);
    epoll_ctl(bridge->epoll, EPOLL_CTL_DEL, bridge->config.listener, NULL);
    shutdown(bridge->config.listener, SHUT_RDWR);
}

void bridge_close(struct bridge *bridge)
{
    uint64_t one = 1;

    if (bridge == NULL)
        return;
    atomic_store(&bridge->stop, true);
    while (write(bridge->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    pthread_join(bridge->thread, NULL);
    while (bridge->links != NULL)
        link_close(bridge, bridge->links);
    free_gone(bridge);
    close(bridge->epoll);
    close(bridge->wake);
    close(bridge->config.listener);
    free(bridge);
}

uint64_t bridge_refused(const struct bridge *bridge)
{
    return atomic_load(&bridge->refused);
}
