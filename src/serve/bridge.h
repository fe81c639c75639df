/* bridge.h: TLS in front of the HTTP library: deciphers here, hands on a plain socket.
 *
 * One thread. For each caller whose handshake is over it makes a pair of sockets and gives one end
 * away; what comes out of TLS goes in there, and back. The library behind sees plain connections,
 * so that everything http.c checks of a head stays as it is.
 *
 * Bounds: connections_max; 16 KiB each way and connection; 10 s for the handshake, 2 s for the end.
 */
#ifndef ZAN_SERVE_BRIDGE_H
#define ZAN_SERVE_BRIDGE_H

#include <stdint.h>
#include <sys/socket.h>

#include "serve/tls.h"

struct bridge;

struct bridge_config {
    int listener; /* non-blocking; the bridge's from bridge_open on, if that is OK */
    struct tls *tls;
    uint32_t connections_max;
    /* The bridge's thread: a connection, and the name a certificate has proved or "". fd is handed
     * over. False: not wanted, fd is closed by whoever was asked. */
    bool (*give)(void *context, int fd, const struct sockaddr *peer, socklen_t peer_size,
                 const char *name);
    void *context;
};

enum status bridge_open(const struct bridge_config *config, struct bridge **bridge);
/* No new callers; those that are there go on. */
void bridge_stop_listening(struct bridge *bridge);
void bridge_close(struct bridge *bridge); /* NULL is allowed */

/* Handshakes that failed so far. */
uint64_t bridge_refused(const struct bridge *bridge);

#endif
