#include "wire/command_spec.h"

#include <assert.h>
#include <string.h>

static struct command_spec specs[VERB_COUNT];

static const char *const type_names[] = {
    [TYPE_ACCOUNT] = "account", [TYPE_ITEM] = "item",       [TYPE_CREATOR] = "creator",
    [TYPE_MS] = "ms",           [TYPE_TIME_MS] = "time_ms", [TYPE_COUNT] = "count",
    [TYPE_CURSOR] = "cursor",   [TYPE_TEXT] = "text",       [TYPE_OPID] = "opid",
    [TYPE_FLAG] = "flag",       [TYPE_CONTEXT] = "context", [TYPE_AUTH] = "auth",
    [TYPE_CASE] = "case",       [TYPE_VERSION] = "version", [TYPE_POLICY] = "policy",
    [TYPE_REGION] = "region",   [TYPE_TOKEN] = "token",     [TYPE_AMOUNT] = "amount",
    [TYPE_WORD] = "word",
};

const char *command_type_name(enum command_type type)
{
    assert(type <= TYPE_WORD);
    return type_names[type];
}

const struct command_spec *command_spec(enum verb verb)
{
    assert(verb < VERB_COUNT);
    return &specs[verb];
}

static uint8_t lower(char byte)
{
    return (uint8_t)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
}

bool command_same(struct resp_slice a, struct resp_slice b)
{
    if (a.size != b.size)
        return false;
    for (uint32_t i = 0; i < a.size; i++) {
        if (lower(a.bytes[i]) != lower(b.bytes[i]))
            return false;
    }
    return true;
}

static struct resp_slice slice_to(struct resp_slice text, uint32_t size)
{
    return (struct resp_slice){.bytes = text.bytes, .size = size};
}

static struct resp_slice slice_from(struct resp_slice text, uint32_t at)
{
    return (struct resp_slice){.bytes = text.bytes + at, .size = text.size - at};
}

/* Where byte first is in text; text.size if nowhere. */
static uint32_t find(struct resp_slice text, char byte)
{
    const char *at = memchr(text.bytes, byte, text.size);

    return at != NULL ? (uint32_t)(at - text.bytes) : text.size;
}

bool command_next_word(struct resp_slice *words, struct resp_slice *word)
{
    uint32_t size = find(*words, '|');

    if (words->size == 0)
        return false;
    *word = slice_to(*words, size);
    *words = slice_from(*words, size < words->size ? size + 1 : size);
    return true;
}

/* --- reading verbs.def; a fault in the table is a fault of the program, so: assert ------------ */

static uint8_t type_of(struct resp_slice text)
{
    if (find(text, '|') < text.size)
        return TYPE_WORD;
    for (uint8_t type = 0; type < TYPE_WORD; type++) {
        if (command_same(text, command_slice(type_names[type])))
            return type;
    }
    assert(false && "verbs.def: a type nobody knows");
    return TYPE_TEXT;
}

static bool ends_with_dots(struct resp_slice text)
{
    return text.size > 3 && memcmp(text.bytes + text.size - 3, "...", 3) == 0;
}

/* name:type, [NAME:type], name:type... */
static struct command_argument read_argument(struct resp_slice text)
{
    struct command_argument argument = {.optional = text.bytes[0] == '['};
    uint32_t colon;

    if (argument.optional) {
        assert(text.bytes[text.size - 1] == ']');
        text = slice_to(slice_from(text, 1), text.size - 2);
    }
    argument.multiple = ends_with_dots(text);
    if (argument.multiple)
        text = slice_to(text, text.size - 3);
    colon = find(text, ':');
    assert(colon > 0 && colon + 1 < text.size);
    argument.name = slice_to(text, colon);
    argument.token = text.bytes[0] >= 'A' && text.bytes[0] <= 'Z';
    text = slice_from(text, colon + 1);
    argument.type = type_of(text);
    if (argument.type == TYPE_WORD)
        argument.words = text;
    return argument;
}

static void add_argument(struct command_spec *spec, struct command_argument argument)
{
    /* Options come last and may be left out; the parser relies on both. */
    assert(spec->count < COMMAND_ARGUMENTS_MAX);
    assert(argument.token ? argument.optional : spec->positional == spec->count);
    spec->arguments[spec->count++] = argument;
    if (!argument.token)
        spec->positional++;
    if (!argument.optional)
        spec->needed++;
    if (argument.token || argument.multiple)
        spec->open = true;
}

void command_spec_read(const char *arguments, struct command_spec *spec)
{
    struct resp_slice rest = command_slice(arguments);

    *spec = (struct command_spec){.words = 1};
    while (rest.size > 0) {
        uint32_t size = find(rest, ' ');

        if (size > 0)
            add_argument(spec, read_argument(slice_to(rest, size)));
        rest = slice_from(rest, size < rest.size ? size + 1 : size);
    }
}

__attribute__((constructor)) static void read_specs(void)
{
    for (uint32_t verb = 0; verb < VERB_COUNT; verb++) {
        command_spec_read(verb_table[verb].arguments, &specs[verb]);
        if (strchr(verb_table[verb].name, ' ') != NULL)
            specs[verb].words = 2;
    }
}
