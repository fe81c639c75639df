#include "serve/http_head.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hook.h"

/* --- filling -------------------------------------------------------------------------------- */

/* RFC 9110, 5.6.2: what a header name is made of. */
static bool is_token(const char *text)
{
    if (*text == 0)
        return false;
    for (; *text != 0; text++)
        if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
            return false;
    return true;
}

/* RFC 9110, 5.5: no control characters but the tab. */
static bool is_field_value(const char *text)
{
    for (; *text != 0; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7F)
            return false;
    return true;
}

/* Where the value of a header that stands once at most is kept; NULL if it is none of ours. */
static const char **place_of(struct http_head *head, const char *name)
{
    const struct {
        const char *name;
        const char **place;
    } known[] = {
        {"Host", &head->host},
        {"Content-Length", &head->length},
        {"Transfer-Encoding", &head->encoding},
        {"Authorization", &head->authorization},
        {"Content-Type", &head->content_type},
        {"Content-Encoding", &head->content_encoding},
        {"Expect", &head->expect},
        {"Origin", &head->origin},
        {"Sec-Fetch-Site", &head->fetch_site},
        {"Idempotency-Key", &head->json.opid},
        {"X-Zan-Address", &head->json.address},
        {"X-Zan-Device", &head->json.device},
        {"X-Zan-Network", &head->json.network},
        {"X-Zan-Source", &head->json.source},
        {"X-Zan-Client-Ms", &head->json.client_ms},
        {"X-Zan-Issued-Ms", &head->json.issued_ms},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(known[i].name, name) == 0)
            return known[i].place;
    return NULL;
}

/* Blanks around a value are no part of it (RFC 9110, 5.5); those behind it come along. */
static const char *trim(struct http_head *head, const char *value)
{
    size_t size = strlen(value);
    char *copy = head->trimmed + head->trimmed_bytes;

    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--;
    if (value[size] == 0)
        return value;
    if (size >= sizeof head->trimmed - head->trimmed_bytes) {
        head->bad_name = true;
        return value;
    }
    memcpy(copy, value, size);
    copy[size] = 0;
    head->trimmed_bytes += size + 1;
    return copy;
}

void http_head_header(struct http_head *head, const char *name, const char *value)
{
    const char **place = place_of(head, name);

    head->header_count++;
    head->header_bytes += strlen(name) + strlen(value) + 4;
    if (!is_token(name) || !is_field_value(value))
        head->bad_name = true;
    if (strcasecmp(name, "Accept") == 0 && head->accept == NULL)
        head->accept = value;
    if (strcasecmp(name, "If-None-Match") == 0 && head->if_none_match == NULL)
        head->if_none_match = value;
    if (place == NULL)
        return;
    if (*place != NULL)
        head->twice = name;
    *place = trim(head, value);
}

void http_head_query(struct http_head *head, const char *name, const char *value)
{
    if (head->query_count < HTTP_QUERY_MAX)
        head->query[head->query_count] = (struct json_pair){name, value};
    head->query_count++;
}

/* --- form ----------------------------------------------------------------------------------- */

static void judge_length(const struct http_head *head, struct http_target *target,
                         struct problem_error *error)
{
    const char *digits = head->length;

    if (head->length != NULL && head->encoding != NULL)
        problem_set(error, PROBLEM_BADHTTP, "Content-Length and Transfer-Encoding together");
    if (head->encoding != NULL && strcasecmp(head->encoding, "chunked") != 0)
        problem_set(error, PROBLEM_BADHTTP, "the only transfer encoding known here is chunked");
    if (head->encoding != NULL && head->version_1_0)
        problem_set(error, PROBLEM_BADHTTP, "HTTP/1.0 has no Transfer-Encoding");
    target->has_body = head->encoding != NULL;
    if (digits == NULL)
        return;
    if (digits[0] == 0 || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 19) {
        problem_set(error, PROBLEM_BADHTTP, "Content-Length is not a number of bytes");
        return;
    }
    target->body_bytes = strtoull(digits, NULL, 10);
    target->has_body = target->body_bytes > 0;
    if (target->body_bytes > JSON_BODY_MAX)
        problem_set(error, STATUS_TOOBIG, "a body of %s bytes is over 1 MiB", digits);
}

static void judge_form(const struct http_head *head, struct http_target *target,
                       struct problem_error *error)
{
    if (head->line_bytes > HTTP_LINE_MAX)
        problem_set(error, PROBLEM_LONGLINE, "%s", "");
    if (head->header_count > HTTP_HEADERS_MAX || head->header_bytes > HTTP_HEADER_BYTES_MAX)
        problem_set(error, PROBLEM_MANYHEADERS, "%s", "");
    if (head->bad_lines)
        problem_set(error, PROBLEM_BADHTTP,
                    "lines must end in CR LF, must not be folded and must not hold a NUL");
    if (head->bad_target)
        problem_set(error, PROBLEM_BADHTTP, "the target has bytes a target must not have");
    if (head->bad_name)
        problem_set(error, PROBLEM_BADHTTP, "a header name or value has bytes it must not have");
    if (head->twice != NULL)
        problem_set(error, PROBLEM_BADHTTP, "the header %.40s is there twice", head->twice);
    if (head->host == NULL && !head->version_1_0)
        problem_set(error, PROBLEM_BADHTTP, "the Host header is missing");
    if (head->expect != NULL && strcasecmp(head->expect, "100-continue") != 0)
        problem_set(error, PROBLEM_BADHTTP, "the only expectation known here is 100-continue");
    judge_length(head, target, error);
}

/* --- host ----------------------------------------------------------------------------------- */

static bool is_loopback_name(const char *host)
{
    size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    const char *port = host + (size <= strlen(host) ? size : strlen(host));

    if (*port != 0 && (*port != ':' || strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    if (size == 9 && strncasecmp(host, "localhost", size) == 0)
        return true;
    if (size == 5 && memcmp(host, "[::1]", size) == 0)
        return true;
    /* 127.0.0.0/8; "127.evil.example" is a name and not in it. */
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == size;
}

/* Without credentials, whoever reaches the port is trusted: then a page in a browser on this
 * machine must not reach it through a name that was pointed here (DNS rebinding). */
static void judge_host(const struct http_head *head, const struct http_rules *rules,
                       struct problem_error *error)
{
    if (rules->credentials == NULL && head->host != NULL && !is_loopback_name(head->host))
        problem_set(error, PROBLEM_MISDIRECTED, "%s", "");
}

/* --- path and method ------------------------------------------------------------------------ */

/* A browser that opens the door's address wants the page; all others the index. */
static bool wants_page(const struct http_head *head)
{
    return head->accept != NULL && strstr(head->accept, "text/html") != NULL;
}

/* The console's own path, or any that leads to it. */
static enum http_service find_page(const struct http_head *head, const struct site *site,
                                   struct http_target *target)
{
    const char *path = head->path;

    if (site == NULL || site->count == 0)
        return SERVICE_NONE;
    if (strcmp(path, "/console") == 0 || (strcmp(path, "/") == 0 && wants_page(head)))
        return SERVICE_TO_SITE;
    target->file = site_find(site, strcmp(path, SITE_ROOT) == 0 ? SITE_ROOT "index.html" : path);
    return target->file != NULL ? SERVICE_SITE : SERVICE_NONE;
}

static enum http_service find_service(const char *path, struct http_target *target)
{
    static const struct {
        const char *path;
        enum http_service service;
    } known[] = {
        {"/", SERVICE_INDEX},
        {"/healthz", SERVICE_HEALTH},
        {"/readyz", SERVICE_READY},
        {"/metrics", SERVICE_METRICS},
        {"/openapi.json", SERVICE_OPENAPI},
        {"/problems", SERVICE_PROBLEMS},
        {"/live", SERVICE_LIVE},
        {"/session", SERVICE_SESSION},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].path, path) == 0)
            return known[i].service;
    if (strncmp(path, "/problems/", 10) == 0) {
        target->problem = problem_find(path + 10);
        return target->problem > STATUS_UNCHANGED && target->problem < PROBLEM_COUNT
                   ? SERVICE_PROBLEM
                   : SERVICE_NONE;
    }
    return SERVICE_NONE;
}

static enum route_method method_of(const char *name)
{
    for (unsigned method = 0; method < METHOD_COUNT; method++)
        if (strcmp(route_method_name((enum route_method)method), name) == 0)
            return (enum route_method)method;
    return METHOD_COUNT;
}

static void write_allow(uint32_t methods, char allow[64])
{
    size_t used = 0;

    for (unsigned method = 0; method < METHOD_COUNT; method++) {
        if ((methods >> method & 1) == 0)
            continue;
        used += (size_t)snprintf(allow + used, 64 - used, "%s, %s",
                                 route_method_name((enum route_method)method),
                                 method == METHOD_GET ? "HEAD, " : "");
    }
    snprintf(allow + used, 64 - used, "OPTIONS");
}

static void judge_path(const struct http_head *head, const struct http_rules *rules,
                       struct http_target *target, struct problem_error *error)
{
    enum route_method method;

    target->head = strcmp(head->method, "HEAD") == 0;
    target->options = strcmp(head->method, "OPTIONS") == 0;
    method = target->head ? METHOD_GET : method_of(head->method);
    target->service = find_page(head, rules->site, target);
    if (target->service == SERVICE_NONE)
        target->service = find_service(head->path, target);
    if (target->service != SERVICE_NONE) {
        target->match.methods = 1u << METHOD_GET;
    } else {
        target->match = route_find(method, head->path);
        target->service = target->match.methods != 0 ? SERVICE_VERB : SERVICE_NONE;
    }
    if (target->options && strcmp(head->path, "*") == 0) {
        target->match.methods = (1u << METHOD_COUNT) - 1;
        target->service = SERVICE_INDEX;
    }
    if (target->service == SERVICE_NONE) {
        problem_set(error, PROBLEM_NOROUTE, "%s", "");
        return;
    }
    write_allow(target->match.methods, target->allow);
    if (!target->options && (method == METHOD_COUNT || (target->match.methods >> method & 1) == 0))
        problem_set(error, PROBLEM_BADMETHOD, "allowed: %s", target->allow);
}

/* --- which page asks ------------------------------------------------------------------------ */

/* A browser says which page a request comes from, and no page can make it lie. Ours is of this very
 * host; what changes anything is taken from no other. (Callers that are no browsers say nothing.)
 */
static bool is_own_page(const struct http_head *head)
{
    const char *host;

    if (head->fetch_site != NULL && strcasecmp(head->fetch_site, "same-origin") != 0 &&
        strcasecmp(head->fetch_site, "none") != 0)
        return false;
    if (head->origin == NULL || PLANTED("serve.any_origin"))
        return true;
    host = strstr(head->origin, "://");
    return host != NULL && head->host != NULL && strcasecmp(host + 3, head->host) == 0;
}

static void judge_page(const struct http_head *head, const struct http_target *target,
                       struct problem_error *error)
{
    bool reads = target->head || target->options || strcmp(head->method, "GET") == 0;

    if (!reads && !is_own_page(head))
        problem_set(error, PROBLEM_FOREIGNPAGE, "%s", "");
}

/* --- who is calling ------------------------------------------------------------------------- */

/* The verb whose access the path needs; VERB_COUNT: anybody may. */
static enum verb verb_needed(const struct http_target *target, const struct http_rules *rules)
{
    if (target->options)
        return VERB_COUNT;
    if (target->service == SERVICE_VERB)
        return (enum verb)target->match.route->verb;
    if (target->service == SERVICE_LIVE)
        return VERB_LIKES;
    if (target->service == SERVICE_METRICS && (!rules->loopback || rules->plane == PLANE_DATA))
        return VERB_INFO;
    return VERB_COUNT;
}

/* The refusal of whoever may call none of the path's verbs; one of several stands in the body, and
 * is judged with it. */
static enum status judge_verbs(const struct http_target *target, const struct http_rules *rules,
                               enum verb verb)
{
    const struct route *route = target->match.route;
    uint32_t choices = target->service == SERVICE_VERB ? route_choices(route) : 1;
    enum status status = STATUS_NOPERM;

    if (choices <= 1)
        return access_verb(&target->who, rules->now_us, verb);
    for (uint32_t i = 0; i < choices && status != STATUS_OK; i++)
        status = access_verb(&target->who, rules->now_us, (enum verb)route[i].verb);
    return status;
}

static enum status find_caller(const struct http_head *head, const struct http_rules *rules,
                               struct identity *who)
{
    const struct credential *credential;
    const char *key;

    if (head->authorization == NULL && rules->certificate != NULL) {
        *who = credential_identity(rules->certificate);
        return STATUS_OK;
    }
    if (head->authorization == NULL)
        return STATUS_NOAUTH;
    if (strncasecmp(head->authorization, "Bearer ", 7) != 0)
        return STATUS_WRONGPASS;
    key = head->authorization + 7 + strspn(head->authorization + 7, " ");
    if (vouch_is_assertion(key, strlen(key)))
        return vouch_check(rules->vouch, key, strlen(key), rules->now_us, who);
    credential = credentials_check(rules->credentials, NULL, 0, key, strlen(key));
    if (credential == NULL)
        return STATUS_WRONGPASS;
    *who = credential_identity(credential);
    return STATUS_OK;
}

/* Whoever asks who he is may be nobody yet; a proof that is wrong is refused here as well. */
static bool is_nobody_asking(const struct http_head *head, const struct http_rules *rules,
                             const struct http_target *target)
{
    return target->service == SERVICE_SESSION && head->authorization == NULL &&
           rules->certificate == NULL;
}

static void judge_caller(const struct http_head *head, const struct http_rules *rules,
                         struct http_target *target, struct problem_error *error)
{
    enum status status;
    enum verb verb;

    if (error->problem != 0)
        return;
    target->who.role = ROLE_ALL;
    verb = verb_needed(target, rules);
    if (rules->credentials == NULL || (verb == VERB_COUNT && target->service != SERVICE_SESSION))
        return;
    target->who.role = ROLE_NONE;
    if (is_nobody_asking(head, rules, target))
        return;
    status = find_caller(head, rules, &target->who);
    if (status == STATUS_OK && !access_plane((enum plane)rules->plane, (enum role)target->who.role))
        status = STATUS_NOPERM;
    if (status == STATUS_OK && verb != VERB_COUNT)
        status = judge_verbs(target, rules, verb);
    if (status != STATUS_OK)
        problem_set(error, status, "%s",
                    status == STATUS_WRONGPASS && head->authorization != NULL &&
                            strncasecmp(head->authorization, "Bearer ", 7) != 0
                        ? "the Authorization header must be: Bearer KEY"
                        : "");
}

/* --- body ----------------------------------------------------------------------------------- */

static bool is_json_type(const char *type)
{
    static const char json[] = "application/json";
    size_t size = sizeof json - 1;

    if (type == NULL || strncasecmp(type, json, size) != 0)
        return false;
    type += size + strspn(type + size, " \t");
    if (*type == 0)
        return true;
    if (*type != ';')
        return false;
    type += 1 + strspn(type + 1, " \t");
    return strcasecmp(type, "charset=utf-8") == 0 || strcasecmp(type, "charset=\"utf-8\"") == 0;
}

static void judge_body(const struct http_head *head, const struct http_target *target,
                       struct problem_error *error)
{
    if (!target->has_body)
        return;
    if (target->options || target->service != SERVICE_VERB)
        problem_set(error, PROBLEM_NOBODY, "%s", "");
    else if (target->match.route != NULL && target->match.route->method == METHOD_GET)
        problem_set(error, PROBLEM_NOBODY, "%s", "");
    else if (!is_json_type(head->content_type) || head->content_encoding != NULL)
        problem_set(error, PROBLEM_BADTYPE, "%s", "");
}

void http_head_judge(const struct http_head *head, const struct http_rules *rules,
                     struct http_target *target, struct problem_error *error)
{
    *target = (struct http_target){.service = SERVICE_NONE, .match = {0}};
    *error = (struct problem_error){0};
    judge_form(head, target, error);
    judge_host(head, rules, error);
    judge_path(head, rules, target, error);
    judge_page(head, target, error);
    judge_caller(head, rules, target, error);
    judge_body(head, target, error);
    if (head->query_count > HTTP_QUERY_MAX)
        problem_set(error, STATUS_UNKNOWNFIELD, "over %d query parameters", HTTP_QUERY_MAX);
    if (target->service != SERVICE_VERB && target->service != SERVICE_LIVE &&
        target->service != SERVICE_TO_SITE && !target->options && head->query_count > 0 &&
        target->service != SERVICE_INDEX)
        problem_set(error, STATUS_UNKNOWNFIELD, "no query parameter is known here");
}
