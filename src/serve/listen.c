/* The listening socket, and who is let in. */
#include "serve/door.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_AT_ONCE 64
#define BACKLOG         4096
#define KEEPALIVE_S     300
#define FRESH_SHARE     5  /* one in so many connections may be waiting for its login, */
#define FRESH_LEAST     16 /* but so many always */
#define ADMIN_PLACES    8  /* kept for the administration's address, if there is one */

/* "127.0.0.1:6390", "[::1]:6390", "localhost:0" to host and port. */
static bool split(const char *address, char host[64], char port[8])
{
    const char *colon = strrchr(address, ':');
    size_t size;

    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5)
        return false;
    size = (size_t)(colon - address);
    if (size >= 2 && address[0] == '[' && address[size - 1] == ']') {
        address++;
        size -= 2;
    }
    if (size >= 64)
        return false;
    memcpy(host, address, size);
    host[size] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return strspn(port, "0123456789") == strlen(port) && strtoul(port, NULL, 10) <= UINT16_MAX;
}

static void note_port(struct serve *serve)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    in_port_t port = 0;

    memset(&bound, 0, sizeof bound);
    if (getsockname(serve->listener, (struct sockaddr *)&bound, &size) == 0) {
        port = bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                           : ((struct sockaddr_in *)&bound)->sin_port;
    }
    serve->port = ntohs(port);
}

static bool bind_one(struct serve *serve, const struct addrinfo *info, int *listener)
{
    int on = 1, idle_s = KEEPALIVE_S;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Linux hands these on to every accepted socket, which saves three calls for each. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    if ((!serve->config.share_port ||
         setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        *listener = fd;
        return true;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return false;
}

static enum status listen_at(struct serve *serve, const char *address, int *listener,
                             char message[256])
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    char host[64], port[8];

    if (!split(address, host, port)) {
        snprintf(message, 256, "address '%.100s': expected HOST:PORT, such as 127.0.0.1:6390",
                 address);
        return STATUS_BADCONFIG;
    }
    int error = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &list);
    if (error != 0) {
        snprintf(message, 256, "address '%.100s': %s", address, gai_strerror(error));
        return STATUS_BADCONFIG;
    }
    bool done = false;
    for (const struct addrinfo *at = list; at != NULL && !done; at = at->ai_next)
        done = bind_one(serve, at, listener);
    if (!done)
        snprintf(message, 256, "cannot listen on %.100s: %s", address, strerror(errno));
    freeaddrinfo(list);
    return done ? STATUS_OK : STATUS_BADCONFIG;
}

enum status door_listen(struct serve *serve, char message[256])
{
    enum status status = listen_at(serve, serve->address, &serve->listener, message);

    if (status == STATUS_OK)
        note_port(serve);
    if (status == STATUS_OK && serve->admin_address[0] != '\0')
        status = listen_at(serve, serve->admin_address, &serve->admin_listener, message);
    return status;
}

static void refuse(struct serve *serve, int fd)
{
    uint8_t error[RESP_ERROR_BYTES_MAX];
    size_t size = resp_error(STATUS_BUSY, "too many connections", error);

    /* Best effort: the socket is new, so there is room; and a caller that is not there any more
     * misses nothing. */
    if (send(fd, error, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        errno = 0;
    shutdown(fd, SHUT_WR);
    close(fd);
    serve->stats.connections_refused++;
    serve->stats.answered[STATUS_BUSY]++;
}

/* Out of descriptors: a caller would wait in the kernel's queue and wake us for ever. The spare one
 * is given up for a moment, to take him in and send him away. */
static bool refuse_with_spare(struct serve *serve, int listener)
{
    int fd;

    if (serve->spare < 0)
        return false;
    close(serve->spare);
    fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        refuse(serve, fd);
    serve->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

static void note_peer(struct conn_about *about, const struct sockaddr_storage *peer, socklen_t size)
{
    char host[46], port[8];

    if (getnameinfo((const struct sockaddr *)peer, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    snprintf(about->peer, sizeof about->peer, peer->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
             host, port);
}

static bool too_many_fresh(const struct serve *serve)
{
    uint32_t share = serve->config.connections_max / FRESH_SHARE;

    return serve->config.credentials != NULL &&
           serve->fresh_count >= (share > FRESH_LEAST ? share : FRESH_LEAST);
}

/* However many callers the platform has, administration finds a place. */
static bool is_full(const struct serve *serve, enum plane plane)
{
    if (plane == PLANE_ADMIN)
        return false;
    return too_many_fresh(serve) ||
           (serve->admin_listener >= 0 && serve->free_count <= ADMIN_PLACES);
}

static void admit(struct serve *serve, int fd, enum plane plane,
                  const struct sockaddr_storage *peer, socklen_t size)
{
    struct conn *conn = is_full(serve, plane) ? NULL : conn_open(serve, fd);

    if (conn == NULL) {
        refuse(serve, fd);
        return;
    }
    conn->plane = (uint8_t)plane;
    uint32_t index = conn_index(serve, conn);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u64 = (uint64_t)conn->generation << 32 | index};

    note_peer(&serve->abouts[index], peer, size);
    if (epoll_ctl(serve->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        serve->stats.connections_refused++;
        conn_close(serve, conn);
    }
}

void door_accept(struct serve *serve, int listener)
{
    enum plane plane = listener == serve->admin_listener ? PLANE_ADMIN
                       : serve->config.separate_planes   ? PLANE_DATA
                                                         : PLANE_BOTH;

    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            admit(serve, fd, plane, &peer, size);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if ((errno == EMFILE || errno == ENFILE) && refuse_with_spare(serve, listener))
            continue;
        return;
    }
}
