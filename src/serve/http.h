/* http.h: the HTTP door: JSON under /v1, live totals, the console, metrics, health, OpenAPI.
 *
 * libmicrohttpd has a thread of its own; a request becomes a struct call that is handed to the node,
 * and the connection sleeps until the answer is durable. docs/http.md is the caller's side.
 *
 * Bounds: line 8 KiB, 64 headers in 16 KiB, body 1 MiB; head 10 s, body 30 s, answer of the node 15 s
 *         (then 504 UNKNOWN), taking an answer 30 s, idle 60 s. A connection holds 48 KiB, and a
 *         request under way about 35 KiB more.
 * Safety: without credentials only requests for localhost or a loopback address are served. */
#ifndef ZAN_SERVE_HTTP_H
#define ZAN_SERVE_HTTP_H

#include "schema/access.h"
#include "schema/call.h"
#include "schema/facts.h"
#include "serve/credential.h"
#include "serve/epochs.h"
#include "serve/site.h"
#include "serve/tls.h"
#include "serve/vouch.h"

struct http;

struct http_config {
    const char *address; /* "127.0.0.1:8090" */
    enum plane plane;    /* who may come in; on DATA nobody is told /metrics */
    struct http *beside; /* its figures are told with this one's; outlives it; NULL: none */
    const struct site *site; /* the console; NULL: none */
    const struct credentials *credentials;  /* NULL: everybody may do all (loopback only) */
    struct tls *tls;     /* NULL: plain */
    struct vouch *vouch; /* as for the RESP door */
    struct epochs *epochs; /* as for the RESP door */
    uint32_t connections_max;
    void (*submit)(void *context, struct call *call); /* see call.h */
    void *submit_context;
    int64_t (*now_us)(void *context); /* called with facts_context */
    void (*facts)(void *context, struct facts *facts); /* http_open asks it too, for the version */
    void *facts_context;
};

/* message says what is wrong (BADCONFIG: the address). *http is owned until http_close. */
enum status http_open(const struct http_config *config, struct http **http, char message[256]);
/* The port that was really bound (for port 0 in tests). */
uint16_t http_port(const struct http *http);

/* Stops accepting, waits until every call under way is answered and told, frees. Every submitted call
 * must be answered by somebody else meanwhile. NULL is allowed. */
void http_close(struct http *http);

#endif
