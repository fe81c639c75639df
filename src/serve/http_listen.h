/* http_listen.h: "127.0.0.1:8090" or "[::1]:8090" to a listening socket. */
#ifndef ZAN_SERVE_HTTP_LISTEN_H
#define ZAN_SERVE_HTTP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/status.h"

struct http_listen {
    int fd; /* owned by the caller; non-blocking */
    uint16_t port;
    bool loopback;
};

/* Numeric addresses and "localhost" only: a name could be turned elsewhere later. */
enum status http_listen_open(const char *address, struct http_listen *listen, char message[256]);

#endif
