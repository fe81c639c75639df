/* Any words to command_parse: the words are separated by LF. Beside not falling over: a refusal
 * names a reason in printable words and leaves no trace, a request is what its verb allows, verbs
 * are found as a plain comparison finds them, and every answer to it fits its bound. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/command.h"
#include "wire/command_spec.h"

#define NOW_US 1700000000000000LL

static uint32_t split(const uint8_t *data, size_t size, struct resp_slice *args)
{
    uint32_t count = 0;
    size_t from = 0;

    for (size_t i = 0; i <= size && count < RESP_ARGS_MAX; i++) {
        if (i < size && data[i] != '\n')
            continue;
        args[count++] =
            (struct resp_slice){.bytes = (const char *)data + from, .size = (uint32_t)(i - from)};
        from = i + 1;
    }
    return count;
}

static enum verb naive_verb(const struct resp_slice *args, uint32_t count)
{
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        const char *name = verb_table[verb].name;
        const char *space = strchr(name, ' ');
        size_t first = space != NULL ? (size_t)(space - name) : strlen(name);

        if (args[0].size != first || strncasecmp(args[0].bytes, name, first) != 0 ||
            memchr(args[0].bytes, '\0', first) != NULL)
            continue;
        if (space == NULL)
            return (enum verb)verb;
        if (count > 1 && command_same(args[1], command_slice(space + 1)))
            return (enum verb)verb;
    }
    return VERB_COUNT;
}

static void check_error(const struct command_error *error, enum status status)
{
    size_t size = strnlen(error->detail, sizeof error->detail);
    uint8_t bytes[RESP_ERROR_BYTES_MAX];

    assert(status != STATUS_OK && error->status == status);
    assert(size > 0 && size < sizeof error->detail);
    for (size_t i = 0; i < size; i++)
        assert(error->detail[i] >= ' ' && error->detail[i] <= '~');
    assert(resp_error(status, error->detail, bytes) <= RESP_ERROR_BYTES_MAX);
}

static void check_answer(const struct request *request)
{
    struct item_row item = {.id = UINT64_MAX};
    struct reply reply = {.kind = REPLY_WRITE, .applied = 0xFF, .flips = 0xFFFF, .item = &item,
                          .sequence = UINT64_MAX};
    size_t bound = resp_reply_bound(request, &reply);
    uint8_t *bytes = malloc(bound);

    assert(resp_reply(request, &reply, 2, bytes) <= bound);
    assert(resp_reply(request, &reply, 3, bytes) <= bound);
    free(bytes);
}

static void check_request(const struct request *request, const struct command_context *plain)
{
    const struct verb_info *info = verb_info((enum verb)request->verb);

    assert(request->count <= REQUEST_IDS_MAX);
    assert(request->context.source < SOURCE_COUNT);
    assert(request->context.client_us <= NOW_US + REQUEST_FUTURE_US);
    assert(plain->address.size <= COMMAND_CONTEXT_MAX && plain->device.size <= COMMAND_CONTEXT_MAX &&
           plain->network.size <= COMMAND_CONTEXT_MAX);
    if (info->shape == SHAPE_VIEW)
        assert(request->u.view.watch_ms <= REQUEST_MS_MAX &&
               request->u.view.duration_ms <= REQUEST_MS_MAX);
    if (info->shape == SHAPE_ACT) {
        assert(request->count >= 1 && request->count <= REQUEST_ACTIONS_MAX);
        for (uint32_t i = 0; i < request->count; i++)
            assert(verb_table[request->u.actions[i]].group == GROUP_WRITE);
    }
    if (info->shape == SHAPE_TAKEN || info->shape == SHAPE_GIVEN ||
        info->shape == SHAPE_ACTIVITY || info->shape == SHAPE_CLEANUP_PREVIEW)
        assert(request->count >= 1 && request->count <= REQUEST_PAGE_MAX);
    if (info->shape == SHAPE_STATES || info->shape == SHAPE_TOTALS)
        assert(request->count >= 1 && request->u.ids != NULL);
    if (info->group == GROUP_READ)
        assert((request->flags & (REQUEST_RETURN | REQUEST_OPID | REQUEST_CONTEXT)) == 0);
    if (info->group == GROUP_WRITE)
        check_answer(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct resp_slice args[RESP_ARGS_MAX];
    static uint8_t memory[4096] __attribute__((aligned(16)));
    struct arena arena = {.bytes = memory, .size = sizeof memory};
    struct request request;
    struct request before;
    struct command_context plain;
    struct command_error error;
    uint8_t *copy = malloc(size);
    uint32_t count;
    uint32_t words;
    enum status status;

    if (size > 0)
        memcpy(copy, data, size);
    count = split(copy, size, args);
    memset(&request, 0xA5, sizeof request);
    memset(&plain, 0xA5, sizeof plain);
    memcpy(&before, &request, sizeof before);
    assert(command_verb(args, count, &words) == naive_verb(args, count));
    status = command_parse(args, count, NOW_US, &arena, &request, &plain, &error);
    if (status == STATUS_OK) {
        check_request(&request, &plain);
    } else {
        check_error(&error, status);
        assert(memcmp(&request, &before, sizeof before) == 0);
        assert(arena.used == 0);
    }
    free(copy);
    return 0;
}
