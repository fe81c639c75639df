/* http.h: the HTTP door: JSON under /v1, metrics, health, the OpenAPI document.
 *
 * libmicrohttpd has threads of its own; a request becomes a struct call that is handed to the node,
 * and the connection sleeps until the answer is durable. */
#ifndef ZAN_SERVE_HTTP_H
#define ZAN_SERVE_HTTP_H

#include "schema/call.h"
#include "schema/facts.h"
#include "serve/credential.h"

struct http;

struct http_config {
    const char *address; /* "127.0.0.1:8090" */
    const struct credentials *credentials;  /* NULL: everybody is admin (loopback only) */
    const struct pseudonym_key *pseudonym;
    uint32_t connections_max;
    void (*submit)(void *context, struct call *call); /* see call.h */
    void *submit_context;
    int64_t (*now_us)(void *context);
    void (*facts)(void *context, struct facts *facts);
    void *facts_context;
};

enum status http_open(const struct http_config *config, struct http **http, char message[256]);
uint16_t http_port(const struct http *http);

/* Stops accepting, waits for calls under way, frees. NULL is allowed. */
void http_close(struct http *http);

#endif
