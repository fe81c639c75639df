/* http_head.h: what an HTTP request says before its body, and whether it may go on.
 *
 * Knows nothing of sockets or of the HTTP library: http.c fills a head, http_head_judge decides.
 *
 * Order of the judgement: form, host, path and method, which page asks, who is calling, kind of
 * body. */
#ifndef ZAN_SERVE_HTTP_HEAD_H
#define ZAN_SERVE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/credential.h"
#include "serve/site.h"
#include "serve/vouch.h"
#include "wire/json.h"
#include "wire/problem.h"
#include "wire/route.h"

#define HTTP_LINE_MAX         8192 /* method, target and version together */
#define HTTP_HEADERS_MAX      64
#define HTTP_HEADER_BYTES_MAX 16384 /* names, values and four bytes between, all headers */
#define HTTP_QUERY_MAX        16
#define HTTP_TRIMMED_BYTES    512 /* values that came with blanks behind them */

enum http_service {
    SERVICE_VERB, /* under /v1, by the tables */
    SERVICE_INDEX,
    SERVICE_HEALTH,
    SERVICE_READY,
    SERVICE_METRICS,
    SERVICE_OPENAPI,
    SERVICE_PROBLEMS,
    SERVICE_PROBLEM,
    SERVICE_LIVE,    /* totals as they change (push.h) */
    SERVICE_SESSION, /* who the caller is, for the console */
    SERVICE_SITE,    /* a file of the console */
    SERVICE_TO_SITE, /* a browser that should be told where the console is */
    SERVICE_NONE
};

/* Strings are borrowed from whoever fills the head. Zeroed, it is empty. */
struct http_head {
    const char *method, *path;
    bool version_1_0;
    size_t line_bytes;
    uint32_t header_count;
    size_t header_bytes;
    bool bad_name;  /* a header name that is no token, or a value with control characters */
    bool bad_lines; /* bare line feeds, folded lines, NULs, more than one blank in the first line */
    bool bad_target;   /* blanks or bytes beyond ASCII in it */
    const char *twice; /* a header that may stand once only and did not; or NULL */
    const char *host, *length, *encoding, *authorization, *content_type, *content_encoding, *expect;
    const char *origin, *fetch_site;    /* what a browser says of the page that asks */
    const char *accept, *if_none_match; /* may stand twice: the first */
    struct json_headers json;
    struct json_pair query[HTTP_QUERY_MAX];
    uint32_t query_count;             /* may be over HTTP_QUERY_MAX; only so many are kept */
    char trimmed[HTTP_TRIMMED_BYTES]; /* the head must stay where it is */
    size_t trimmed_bytes;
};

/* What the door is set to. */
struct http_rules {
    const struct credentials *credentials; /* NULL: everybody may do all, on loopback only */
    struct vouch *vouch;
    const struct credential *certificate; /* what the connection itself has proved; NULL: nothing */
    const struct site *site;              /* NULL: none */
    bool loopback;                        /* the door listens on a loopback address */
    uint8_t plane;                        /* enum plane */
    int64_t now_us;
};

/* The judgement. */
struct http_target {
    enum http_service service;
    struct route_match match;     /* SERVICE_VERB */
    uint32_t problem;             /* SERVICE_PROBLEM: which one is asked about */
    const struct site_file *file; /* SERVICE_SITE */
    bool head;                    /* HEAD: no body in the answer */
    bool options;                 /* OPTIONS: only Allow is asked for */
    struct identity who;          /* the caller */
    uint64_t body_bytes;          /* as announced; 0 if chunked or none */
    bool has_body;
    char allow[64];
};

void http_head_header(struct http_head *head, const char *name, const char *value);
void http_head_query(struct http_head *head, const char *name, const char *value);

/* error->problem is 0 if the request may go on. target->allow is set whenever the path is known. */
void http_head_judge(const struct http_head *head, const struct http_rules *rules,
                     struct http_target *target, struct problem_error *error);

#endif
