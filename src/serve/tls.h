/* tls.h: TLS for both doors, shaped like recv and send; the only file that knows the library is
 * tls.c.
 *
 * TLS 1.3; 1.2 only if asked for, and then with ECDHE and AEAD suites only. No renegotiation, no
 * compression, no early data, no tickets and no resumption: a certificate is looked at anew on
 * every connection, so that a revocation holds at once. With a client CA, a caller may show a
 * certificate. If he does it must be good: signed by that CA, in its time, not on the revocation
 * list, its common name known; else the handshake fails with an alert.
 *
 * Threads: struct tls may be used by any (tls_reload swaps the keys for connections to come; those
 *          that are open keep theirs); a struct tls_conn belongs to one. */
#ifndef ZAN_SERVE_TLS_H
#define ZAN_SERVE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "schema/status.h"

#define TLS_NAME_MAX 64

struct tls;
struct tls_conn;

/* Files in PEM; "" is none. Texts are borrowed until tls_close. */
struct tls_config {
    const char *cert; /* the server's certificate, then those between it and the root */
    const char *key;
    const char *client_ca;  /* who signs callers' certificates; "": none are asked for */
    const char *client_crl; /* what it has taken back */
    bool allow_1_2;
    /* Is this common name a caller of ours? With context; NULL: every one is. Any thread. */
    bool (*known)(const void *context, const char *name);
    const void *context;
};

/* BADCONFIG: message says which file, and what is wrong with it. */
enum status tls_open(const struct tls_config *config, struct tls **tls, char message[256]);
/* The files again; if one is wrong, the keys stay as they were. */
enum status tls_reload(struct tls *tls, char message[256]);
void tls_close(struct tls *tls); /* NULL is allowed; connections may outlive it */

/* A connection that was accepted on a non-blocking socket, which stays the caller's. NULL: no
 * memory. */
struct tls_conn *tls_accept(struct tls *tls, int fd);
void tls_free(struct tls_conn *conn);

/* As recv: bytes, 0 at the end, or -1 with errno: EAGAIN (to be tried again when the socket can be
 * read or written), EPROTO (no TLS, or not ours; an alert has been sent), ENOMSG (the first byte
 * was not TLS at all; nothing has been sent), or the socket's own. The handshake happens in here.
 */
ssize_t tls_read(struct tls_conn *conn, void *bytes, size_t size);
/* As send. After EAGAIN the next call must begin with the same bytes. */
ssize_t tls_write(struct tls_conn *conn, const void *bytes, size_t size);
/* Tells the other side that no more will come, if there is room for it. */
void tls_end(struct tls_conn *conn);

bool tls_is_open(const struct tls_conn *conn); /* the handshake is over */

/* Once, when the handshake is over: true, and the common name of the caller's certificate, or "".
 */
bool tls_greet(struct tls_conn *conn, char name[TLS_NAME_MAX]);

#endif
