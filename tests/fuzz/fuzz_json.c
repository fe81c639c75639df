/* Any path, query and body to json_read: METHOD PATH LF QUERY LF BODY. Beside not falling over: a
 * refusal names a reason and has a printable detail; a request is within the bounds the engine
 * relies on; and an answer to it is JSON. */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "schema/tree.h"
#include "wire/json.h"

#define NOW_US 1700000000000000LL

static struct json_request request;

/* Takes the bytes up to end off data, as a string; "" if end is not there. */
static char *take(const uint8_t **data, size_t *size, char end)
{
    const uint8_t *at = *size > 0 ? memchr(*data, end, *size) : NULL;
    size_t length = at != NULL ? (size_t)(at - *data) : 0;
    char *text = malloc(length + 1);

    assert(text != NULL);
    if (length > 0)
        memcpy(text, *data, length);
    text[length] = 0;
    if (at != NULL) {
        *data += length + 1;
        *size -= length + 1;
    }
    return text;
}

static enum route_method method_of(const char *text)
{
    for (unsigned method = 0; method < METHOD_COUNT; method++)
        if (strcmp(text, route_method_name((enum route_method)method)) == 0)
            return (enum route_method)method;
    return METHOD_GET;
}

static void check_error(const struct problem_error *error)
{
    size_t size = strnlen(error->detail, sizeof error->detail);
    struct text text = {0};
    json_t *root;

    assert(error->problem > STATUS_UNCHANGED && error->problem < PROBLEM_COUNT);
    assert(size < sizeof error->detail);
    for (size_t i = 0; i < size; i++)
        assert(error->detail[i] >= ' ' && error->detail[i] <= '~');
    problem_write(&text, error->problem, error->detail, NULL, "0");
    root = json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES, NULL);
    assert(root != NULL);
    json_decref(root);
    text_free(&text);
}

static void check_request(const struct request *made)
{
    const struct verb_info *info = verb_info((enum verb)made->verb);

    assert(request.route->verb == made->verb);
    assert(((made->flags & REQUEST_RETURN) != 0) == (info->group == GROUP_WRITE));
    if (info->shape == SHAPE_STATES || info->shape == SHAPE_TOTALS)
        assert(made->count >= 1 && made->count <= REQUEST_IDS_MAX && made->u.ids == request.ids);
    if (info->shape == SHAPE_TAKEN || info->shape == SHAPE_GIVEN ||
        info->shape == SHAPE_ACTIVITY || info->shape == SHAPE_CLEANUP_PREVIEW)
        assert(made->count >= 1 && made->count <= REQUEST_PAGE_MAX);
    if (info->shape == SHAPE_VIEW)
        assert(made->u.view.watch_ms <= REQUEST_MS_MAX && made->u.view.duration_ms <= REQUEST_MS_MAX);
    if (info->shape == SHAPE_ACT)
        for (uint32_t i = 0; i < made->count; i++)
            assert(made->count <= REQUEST_ACTIONS_MAX && made->u.actions[i] < VERB_COUNT);
    assert(made->context.source < SOURCE_COUNT);
    assert(made->context.client_us <= NOW_US + REQUEST_FUTURE_US);
}

static void check_answer(void)
{
    static uint64_t zeros[REQUEST_IDS_MAX];
    bool write = verb_info(request.route->verb)->group == GROUP_WRITE;
    struct reply reply = {.kind = write ? REPLY_WRITE : REPLY_INTEGERS, .applied = 1};
    struct text text = {0};
    json_t *root;

    if (verb_info(request.route->verb)->group == GROUP_READER) {
        static const struct tree_node empty = {.kind = TREE_MAP};

        reply = (struct reply){.kind = REPLY_TREE, .count = 1, .u.tree = &empty};
    } else if (!write) {
        reply.count = request.request.count;
        reply.u.values = zeros;
    }
    json_reply(&text, &request, &reply);
    root = json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES, NULL);
    assert(root != NULL);
    json_decref(root);
    text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *method = take(&data, &size, ' '), *path = take(&data, &size, '\n');
    char *name = take(&data, &size, '='), *value = take(&data, &size, '\n');
    struct json_pair pair = {name, value};
    struct json_input input = {.match = route_find(method_of(method), path),
                               .query = &pair,
                               .query_count = name[0] != 0,
                               .body = (const char *)data,
                               .body_size = size,
                               .now_us = NOW_US};
    struct problem_error error = {0};

    input.headers.opid = value[0] == '"' ? value : NULL;
    if (input.match.route != NULL) {
        if (json_read(&input, &request, &error)) {
            check_request(&request.request);
            check_answer();
        } else {
            check_error(&error);
        }
    }
    free(method);
    free(path);
    free(name);
    free(value);
    return 0;
}
