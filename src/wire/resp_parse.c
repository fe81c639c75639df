/* The reader of RESP.
 *
 * One pass from left to right without state between calls: a command that is not whole yet is read
 * again when more has come, and `size` of an AGAIN tells from when on that is of use. A connection's
 * buffer holds many whole commands and at most one part, so the second reading is rare, and a
 * resumable parser would pay for its bookkeeping in every whole command.
 *
 * Lengths are plain decimal: no sign, no leading zero, no space; CR LF is asked for. No client
 * writes anything else, and what nobody writes is where two parsers of one stream come to differ. */
#include "wire/resp.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"

#define SHORT_BYTES 15 /* "$9\r\n", nine bytes, "\r\n" */

static enum resp_result invalid(struct resp_command *command, enum status status,
                                const char *detail)
{
    command->status = status;
    command->detail = detail;
    return RESP_INVALID;
}

static inline enum resp_result again(struct resp_command *command, size_t size)
{
    command->size = size;
    return RESP_AGAIN;
}

struct number {
    uint32_t max;
    uint32_t value;
    const char *too_big; /* the detail if the number is greater than max */
};

/* Digits, CR, LF from bytes[*at]; *at moves behind them. */
static inline enum resp_result read_number(const uint8_t *bytes, size_t size, size_t *at,
                                           struct number *number, struct resp_command *command)
{
    size_t i = *at;
    uint32_t value = 0;
    size_t digits = 0;

    for (; i < size; i++) {
        uint32_t digit = (uint32_t)bytes[i] - '0';

        if (digit > 9)
            break;
        if (digits > 0 && value == 0 && !PLANTED("wire.length_starts_with_zero"))
            return invalid(command, STATUS_PROTO, "a length starts with 0");
        value = value * 10 + digit;
        if (value > number->max)
            return invalid(command, STATUS_TOOBIG, number->too_big);
        digits++;
    }
    if (i == size)
        return again(command, size + 1);
    if (digits == 0)
        return invalid(command, STATUS_PROTO, "expected a length: decimal digits without a sign");
    if (bytes[i] != '\r')
        return invalid(command, STATUS_PROTO, "expected CR LF after a length");
    if (i + 1 == size)
        return again(command, size + 1);
    if (bytes[i + 1] != '\n')
        return invalid(command, STATUS_PROTO, "expected CR LF after a length");
    number->value = value;
    *at = i + 2;
    return RESP_OK;
}

/* A bulk string of 1 to 9 bytes that is whole and good, as nearly all are: "$5\r\n12345\r\n".
 * False: it is not that simple. */
static inline bool read_short(const uint8_t *bytes, size_t size, size_t *at,
                              struct resp_slice *slice)
{
    const uint8_t *from = bytes + *at;
    uint32_t length;

    if (size - *at < SHORT_BYTES)
        return false;
    length = (uint32_t)from[1] - '0';
    if (from[0] != '$' || length - 1 > 8 || from[2] != '\r' || from[3] != '\n' ||
        from[4 + length] != '\r' || from[5 + length] != '\n')
        return false;
    slice->bytes = (const char *)from + 4;
    slice->size = length;
    *at += 6 + length;
    return true;
}

/* One bulk string from bytes[*at] into slice; *at moves behind it. */
static inline enum resp_result read_bulk(const uint8_t *bytes, size_t size, size_t *at,
                                         uint32_t max, struct resp_slice *slice,
                                         struct resp_command *command)
{
    struct number length = {.max = max, .too_big = "an argument is longer than allowed"};
    enum resp_result result;
    size_t end;

    if (*at == size)
        return again(command, size + 1);
    if (bytes[*at] != '$')
        return invalid(command, STATUS_PROTO, "expected '$' and the length of an argument");
    (*at)++;
    result = read_number(bytes, size, at, &length, command);
    if (result != RESP_OK)
        return result;
    end = *at + length.value;
    if (end + 2 > RESP_INPUT_MAX && !PLANTED("wire.command_without_end"))
        return invalid(command, STATUS_TOOBIG, "the command is longer than 256 KiB");
    if (end >= size)
        return again(command, end + 1);
    if (bytes[end] != '\r')
        return invalid(command, STATUS_PROTO, "expected CR LF after an argument");
    if (end + 1 == size)
        return again(command, size + 1);
    if (bytes[end + 1] != '\n' && !PLANTED("wire.argument_without_lf"))
        return invalid(command, STATUS_PROTO, "expected CR LF after an argument");
    slice->bytes = (const char *)bytes + *at;
    slice->size = length.value;
    *at = end + 2;
    return RESP_OK;
}

static enum resp_result parse_array(const uint8_t *bytes, size_t size,
                                    const struct resp_limits *limits,
                                    struct resp_command *command)
{
    struct number count = {.max = limits->args_max, .too_big = "more arguments than allowed"};
    size_t at = 1;
    enum resp_result result = read_number(bytes, size, &at, &count, command);
    bool shorts = limits->bulk_max >= 9;

    if (result != RESP_OK)
        return result;
    for (uint32_t i = 0; i < count.value; i++) {
        if (shorts && read_short(bytes, size, &at, &command->args[i]))
            continue;
        result = read_bulk(bytes, size, &at, limits->bulk_max, &command->args[i], command);
        if (result != RESP_OK)
            return result;
    }
    command->count = count.value;
    command->size = at;
    return RESP_OK;
}

/* --- inline ----------------------------------------------------------------------------------- */

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_control(uint8_t byte)
{
    return (byte < ' ' && byte != '\t') || byte == 0x7F;
}

/* The line's length without its end, and with it. Control bytes are refused at once: a line nobody
 * typed (TLS on the plain port, say) must not wait for a LF that never comes. */
static enum resp_result find_line(const uint8_t *bytes, size_t size, size_t *length, size_t *whole,
                                  struct resp_command *command)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            *length = i;
            *whole = i + 1;
            return RESP_OK;
        }
        if (bytes[i] == '\r') {
            if (i + 1 == size)
                return again(command, size + 1);
            if (bytes[i + 1] != '\n')
                return invalid(command, STATUS_PROTO, "expected LF after CR");
            *length = i;
            *whole = i + 2;
            return RESP_OK;
        }
        if (i == RESP_INLINE_MAX)
            return invalid(command, STATUS_TOOBIG, "an inline line is longer than 16 KiB");
        if (is_control(bytes[i]))
            return invalid(command, STATUS_PROTO, "a control byte in an inline line");
    }
    return again(command, size + 1);
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The byte that the escape at line[*at] stands for (line[*at] is the backslash); *at moves behind
 * it. A backslash before anything unknown stands for that byte itself. */
static uint8_t unescape(const uint8_t *line, size_t length, size_t *at)
{
    static const char from[] = "nrtba";
    static const char to[] = "\n\r\t\b\a";
    size_t i = *at + 1;

    if (i + 2 < length && line[i] == 'x' && hex_digit(line[i + 1]) >= 0 &&
        hex_digit(line[i + 2]) >= 0) {
        *at = i + 3;
        return (uint8_t)(hex_digit(line[i + 1]) << 4 | hex_digit(line[i + 2]));
    }
    *at = i + 1;
    for (size_t k = 0; from[k] != '\0'; k++) {
        if (line[i] == (uint8_t)from[k])
            return (uint8_t)to[k];
    }
    return line[i];
}

/* Where unquoted words go: the end of the caller's args, which the words before them do not reach
 * (checked). The bytes themselves stay as they are, so that the same line may be parsed again. */
struct spare {
    uint8_t *bytes;
    size_t used;
};

/* As many bytes as the line has: no word gets longer by losing its quotes. */
static struct spare spare_for(struct resp_slice *args, size_t length)
{
    static_assert(RESP_INLINE_MAX <= RESP_ARGS_MAX * sizeof(struct resp_slice),
                  "a whole line must fit");
    return (struct spare){.bytes = (uint8_t *)(args + RESP_ARGS_MAX) - length};
}

/* A quoted part, from behind its opening quote at *at to its closing one. False if it does not
 * close, or if more than a space follows. */
static bool unquote(const uint8_t *line, size_t length, size_t *at, struct spare *spare,
                    uint8_t quote)
{
    while (*at < length) {
        uint8_t byte = line[*at];

        if (byte == quote) {
            (*at)++;
            return *at == length || is_space(line[*at]);
        }
        if (byte == '\\' && *at + 1 < length && (quote == '"' || line[*at + 1] == '\'')) {
            spare->bytes[spare->used++] = unescape(line, length, at);
            continue;
        }
        spare->bytes[spare->used++] = byte;
        (*at)++;
    }
    return false;
}

/* One word from line[*at], which is no space. False if quotes are unbalanced. */
static bool read_word(const uint8_t *line, size_t length, size_t *at, struct spare *spare,
                      struct resp_slice *word)
{
    size_t start = *at;
    size_t spare_start = spare->used;
    uint8_t quote;
    bool good;

    while (*at < length && !is_space(line[*at]) && line[*at] != '"' && line[*at] != '\'')
        (*at)++;
    *word = (struct resp_slice){.bytes = (const char *)line + start,
                                .size = (uint32_t)(*at - start)};
    if (*at == length || is_space(line[*at]))
        return true;
    memcpy(spare->bytes + spare->used, line + start, *at - start);
    spare->used += *at - start;
    quote = line[(*at)++];
    good = unquote(line, length, at, spare, quote);
    *word = (struct resp_slice){.bytes = (const char *)spare->bytes + spare_start,
                                .size = (uint32_t)(spare->used - spare_start)};
    return good;
}

static enum resp_result parse_inline(const uint8_t *bytes, size_t size,
                                     const struct resp_limits *limits,
                                     struct resp_command *command)
{
    size_t length = 0;
    size_t whole = 0;
    size_t at = 0;
    uint32_t count = 0;
    enum resp_result result = find_line(bytes, size, &length, &whole, command);
    struct spare spare;

    if (result != RESP_OK)
        return result;
    spare = spare_for(command->args, length);
    for (;;) {
        struct resp_slice word;

        while (at < length && is_space(bytes[at]))
            at++;
        if (at == length)
            break;
        if (count == limits->args_max)
            return invalid(command, STATUS_TOOBIG, "more arguments than allowed");
        if (!read_word(bytes, length, &at, &spare, &word))
            return invalid(command, STATUS_PROTO, "unbalanced quotes in an inline line");
        if (word.size > limits->bulk_max)
            return invalid(command, STATUS_TOOBIG, "an argument is longer than allowed");
        if (spare.used > 0 && (const uint8_t *)(command->args + count + 1) > spare.bytes)
            return invalid(command, STATUS_TOOBIG, "too many words in a line with quotes");
        command->args[count++] = word;
    }
    command->count = count;
    command->size = whole;
    return RESP_OK;
}

enum resp_result resp_parse(const uint8_t *bytes, size_t size, const struct resp_limits *limits,
                            struct resp_command *command)
{
    size_t clipped = size < RESP_INPUT_MAX ? size : RESP_INPUT_MAX;
    enum resp_result result;

    assert(limits->args_max <= RESP_ARGS_MAX && limits->bulk_max <= RESP_BULK_MAX);
    if (size == 0)
        return again(command, 1);
    if (bytes[0] != '*') {
        if (!limits->inline_allowed)
            return invalid(command, STATUS_PROTO, "expected '*' and the number of arguments");
        return parse_inline(bytes, size, limits, command);
    }
    result = parse_array(bytes, clipped, limits, command);
    if (result == RESP_AGAIN && size >= RESP_INPUT_MAX)
        return invalid(command, STATUS_TOOBIG, "the command is longer than 256 KiB");
    return result;
}
