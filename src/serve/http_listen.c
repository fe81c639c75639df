#include "serve/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_BACKLOG 1024

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Splits at the last colon and takes brackets off; false if there is no port or no room. */
static bool split(const char *address, char host[64], char port[8])
{
    const char *colon = strrchr(address, ':');
    size_t size;

    /* getaddrinfo would take 99999 for 34463. */
    if (colon == NULL || strlen(colon + 1) > 5 || strlen(colon + 1) == 0 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strtoul(colon + 1, NULL, 10) > 65535)
        return false;
    size = (size_t)(colon - address);
    if (size >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        size -= 2;
    }
    if (size == 0 || size >= 64)
        return false;
    memcpy(host, address, size);
    host[size] = 0;
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    if (strcmp(host, "localhost") == 0)
        memcpy(host, "127.0.0.1", 10);
    return true;
}

static bool parse(const char *text, union address *address, socklen_t *size)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char host[64], port[8];

    if (!split(text, host, port) || getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    memset(address, 0, sizeof *address);
    memcpy(address, found->ai_addr, found->ai_addrlen);
    *size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool is_loopback(const union address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static bool listen_on(int fd, const union address *address, socklen_t size)
{
    int yes = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
           bind(fd, &address->any, size) == 0 && listen(fd, HTTP_BACKLOG) == 0;
}

enum status http_listen_open(const char *address, struct http_listen *out, char message[256])
{
    union address where;
    socklen_t size;
    int fd;

    if (!parse(address, &where, &size)) {
        snprintf(message, 256, "http address \"%.100s\": expected 127.0.0.1:8090 or [::1]:8090",
                 address);
        return STATUS_BADCONFIG;
    }
    fd = socket(where.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !listen_on(fd, &where, size) || getsockname(fd, &where.any, &size) != 0) {
        snprintf(message, 256, "http address %.100s: %s", address, strerror(errno));
        if (fd >= 0)
            close(fd);
        return STATUS_BADCONFIG;
    }
    out->fd = fd;
    out->port = ntohs(where.any.sa_family == AF_INET ? where.v4.sin_port : where.v6.sin6_port);
    out->loopback = is_loopback(&where);
    return STATUS_OK;
}
