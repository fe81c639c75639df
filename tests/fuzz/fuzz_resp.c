/* Any bytes to resp_parse. Beside not falling over: a good beginning stays one until it is whole or
 * wrong, slices lie inside what was used up (or behind the arguments), and an array that was read,
 * written again, is the same bytes. The first byte picks the limits. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/resp.h"
#include "wire/resp_out.h"

static const struct resp_limits limits[] = {
    {RESP_ARGS_MAX, RESP_BULK_MAX, true}, {4, 1024, false}, {3, 8, true}, {7, 1024, false}};

struct answer {
    enum resp_result result;
    struct resp_command command;
    uint8_t *bytes; /* a copy of exactly the size given, so that a byte more is seen */
};

static struct answer ask(const uint8_t *bytes, size_t size, uint8_t which, struct resp_slice *args)
{
    struct answer answer = {.command = {.args = args}, .bytes = calloc(1, size)};

    if (size > 0)
        memcpy(answer.bytes, bytes, size);
    answer.result = resp_parse(answer.bytes, size, &limits[which], &answer.command);
    assert(size == 0 || memcmp(answer.bytes, bytes, size) == 0);
    return answer;
}

static void check_slices(const struct answer *answer, size_t size, const struct resp_limits *limit)
{
    const char *start = (const char *)answer->bytes;
    const char *end = start + answer->command.size;

    assert(answer->command.size > 0 && answer->command.size <= size);
    assert(answer->command.count <= limit->args_max);
    for (uint32_t i = 0; i < answer->command.count; i++) {
        struct resp_slice arg = answer->command.args[i];

        assert(arg.size <= limit->bulk_max);
        assert((arg.bytes >= start && arg.bytes + arg.size <= end) ||
               (arg.bytes >= (const char *)(answer->command.args + answer->command.count) &&
                arg.bytes + arg.size <= (const char *)(answer->command.args + RESP_ARGS_MAX)));
    }
}

static void check_written_again(const struct answer *answer, const uint8_t *bytes)
{
    static uint8_t again[RESP_INPUT_MAX];
    struct resp_out out = {.bytes = again, .size = sizeof again, .protocol = 2};

    if (bytes[0] != '*')
        return;
    resp_out_array(&out, answer->command.count);
    for (uint32_t i = 0; i < answer->command.count; i++)
        resp_out_bulk(&out, answer->command.args[i].bytes, answer->command.args[i].size);
    assert(out.used == answer->command.size);
    assert(memcmp(again, bytes, out.used) == 0);
}

/* A shorter beginning: AGAIN, or the same answer. */
static void check_beginning(const uint8_t *bytes, size_t size, uint8_t which,
                            const struct answer *whole)
{
    static struct resp_slice args[RESP_ARGS_MAX];
    struct answer part = ask(bytes, size, which, args);

    if (part.result == RESP_AGAIN) {
        assert(part.command.size > size);
    } else {
        assert(part.result == whole->result);
        if (part.result == RESP_OK)
            assert(part.command.size == whole->command.size);
        else
            assert(part.command.status == whole->command.status &&
                   part.command.detail == whole->command.detail);
    }
    if (whole->result != RESP_AGAIN && part.result == RESP_AGAIN && whole->result == RESP_OK)
        assert(part.command.size <= whole->command.size);
    free(part.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct resp_slice args[RESP_ARGS_MAX];
    struct answer whole;
    uint8_t which;

    if (size < 1)
        return 0;
    which = data[0] % 4;
    data++;
    size--;
    whole = ask(data, size, which, args);
    if (whole.result == RESP_OK) {
        check_slices(&whole, size, &limits[which]);
        check_written_again(&whole, data);
    }
    if (whole.result == RESP_INVALID)
        assert(whole.command.status == STATUS_PROTO || whole.command.status == STATUS_TOOBIG);
    for (size_t part = 0; part < size; part += 1 + part / 64)
        check_beginning(data, part, which, &whole);
    free(whole.bytes);
    return 0;
}
