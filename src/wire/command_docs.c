/* COMMAND and COMMAND DOCS: the tables in the words of Redis 7, so that redis-cli hints and helps.
 *
 * Nothing here is called a key: ids are numbers that the node itself spreads over partitions, and a
 * client that hashes keys to cluster slots, or writes a prefix before them, must leave them alone.
 * So every key position is 0 and every id is of type integer. */
#include "wire/command.h"

#include <assert.h>
#include <string.h>

#include "wire/command_entry.h"
#include "wire/resp_out.h"

#define NAME_BYTES_MAX 32

/* "ITEM SET" as "item|set"; a token as the name of its argument. */
static void put_name(struct resp_out *out, struct resp_slice name)
{
    char text[NAME_BYTES_MAX];

    assert(name.size <= sizeof text);
    for (uint32_t i = 0; i < name.size; i++) {
        char byte = name.bytes[i];

        text[i] = byte == ' ' ? '|' : (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
    resp_out_bulk(out, text, name.size);
}

static void put_slice(struct resp_out *out, struct resp_slice text)
{
    resp_out_bulk(out, text.bytes, text.size);
}

static void put_pair(struct resp_out *out, const char *name, const char *value)
{
    resp_out_text(out, name);
    resp_out_text(out, value);
}

/* --- arguments of COMMAND DOCS ---------------------------------------------------------------- */

/* The values that follow CTX and AUTH, in any order for the first. */
static const char context_arguments[] =
    "[SOURCE:none|button|double-tap|voice|assistive|companion|import|other|menu|share] "
    "[ADDRESS:text] [DEVICE:text] [NETWORK:text] [TIME:time_ms] [ISSUED:time_ms]";
static const char auth_arguments[] = "username:text password:text";

static const char *redis_type(const struct command_argument *argument)
{
    switch ((enum command_type)argument->type) {
    case TYPE_ACCOUNT:
    case TYPE_ITEM:
    case TYPE_CREATOR:
    case TYPE_MS:
    case TYPE_COUNT:
    case TYPE_AMOUNT:
    case TYPE_CURSOR:
    case TYPE_CASE:
    case TYPE_VERSION:
        return "integer";
    case TYPE_TIME_MS:
        return "unix-time";
    case TYPE_TEXT:
    case TYPE_POLICY:
    case TYPE_REGION:
    case TYPE_OPID:
    case TYPE_TOKEN:
        return "string";
    case TYPE_FLAG:
        return "pure-token";
    case TYPE_CONTEXT:
    case TYPE_AUTH:
        return "block";
    case TYPE_WORD:
        return "oneof";
    }
    assert(false && "a type nobody knows");
    return "string";
}

static void put_flags(struct resp_out *out, const struct command_argument *argument)
{
    resp_out_text(out, "flags");
    resp_out_set(out, (uint32_t)argument->optional + argument->multiple);
    if (argument->optional)
        resp_out_simple(out, "optional");
    if (argument->multiple)
        resp_out_simple(out, "multiple");
}

static void put_words(struct resp_out *out, struct resp_slice words)
{
    struct resp_slice left = words;
    struct resp_slice word;
    uint32_t count = 0;

    while (command_next_word(&left, &word))
        count++;
    resp_out_text(out, "arguments");
    resp_out_array(out, count);
    while (command_next_word(&words, &word)) {
        resp_out_map(out, 3);
        resp_out_text(out, "name");
        put_name(out, word);
        put_pair(out, "type", "pure-token");
        resp_out_text(out, "token");
        put_slice(out, word);
    }
}

static void put_arguments(struct resp_out *out, const char *arguments);

static void put_inner_arguments(struct resp_out *out, const struct command_argument *argument)
{
    if (argument->type == TYPE_WORD)
        put_words(out, argument->words);
    if (argument->type == TYPE_CONTEXT)
        put_arguments(out, context_arguments);
    if (argument->type == TYPE_AUTH)
        put_arguments(out, auth_arguments);
}

static void put_argument(struct resp_out *out, const struct command_argument *argument)
{
    bool inner = argument->type == TYPE_WORD || argument->type == TYPE_CONTEXT ||
                 argument->type == TYPE_AUTH;
    bool flags = argument->optional || argument->multiple;

    resp_out_map(out, 2 + (uint32_t)argument->token + flags + inner);
    resp_out_text(out, "name");
    put_name(out, argument->name);
    put_pair(out, "type", redis_type(argument));
    if (argument->token) {
        resp_out_text(out, "token");
        put_slice(out, argument->name);
    }
    if (flags)
        put_flags(out, argument);
    if (inner)
        put_inner_arguments(out, argument);
}

/* Goes down one level at most: what stands in a CTX or AUTH has no block in it. */
static void put_arguments(struct resp_out *out, const char *arguments)
{
    struct command_spec spec;

    command_spec_read(arguments, &spec);
    resp_out_text(out, "arguments");
    resp_out_array(out, spec.count);
    for (uint32_t i = 0; i < spec.count; i++)
        put_argument(out, &spec.arguments[i]);
}

/* Anybody may ask, and asking is cheaper than answering. */
static uint32_t at_most(uint32_t count)
{
    return count < COMMAND_NAMES_MAX ? count : COMMAND_NAMES_MAX;
}

/* --- COMMAND DOCS ----------------------------------------------------------------------------- */

static const char *group_name(const struct command_entry *entry)
{
    static const char *const names[] = {
        [GROUP_WRITE] = "write", [GROUP_READ] = "read", [GROUP_SERVICE] = "connection",
        [GROUP_READER] = "reader"};

    return names[verb_info((enum verb)entry->verb)->group];
}

static void put_docs(struct resp_out *out, const struct command_entry *entry);

static void put_docs_of_children(struct resp_out *out, const struct command_entry *parent,
                                 uint32_t children)
{
    const struct command_entry *entry;

    resp_out_text(out, "subcommands");
    resp_out_map(out, children);
    for (uint32_t i = 0; (entry = command_entry(i)) != NULL; i++) {
        if (command_entry_is_child(entry, parent))
            put_docs(out, entry);
    }
}

/* Its name and its map. */
static void put_docs(struct resp_out *out, const struct command_entry *entry)
{
    uint32_t children = command_entry_children(entry);
    bool arguments = children == 0 && entry->arguments[0] != '\0';

    put_name(out, command_slice(entry->name));
    resp_out_map(out, 4 + (uint32_t)(children > 0) + arguments);
    put_pair(out, "summary", entry->summary);
    put_pair(out, "since", entry->since);
    put_pair(out, "group", group_name(entry));
    put_pair(out, "complexity",
             children > 0 ? "Depends on subcommand." : command_entry_complexity(entry));
    if (arguments)
        put_arguments(out, entry->arguments);
    if (children > 0)
        put_docs_of_children(out, entry, children);
}

static void put_docs_of_all(struct resp_out *out)
{
    const struct command_entry *entry;

    resp_out_map(out, command_count());
    for (uint32_t i = 0; (entry = command_entry(i)) != NULL; i++) {
        if (command_entry_is_top(entry))
            put_docs(out, entry);
    }
}

/* Names that nobody knows are left out, as Redis does. */
static void put_docs_of_some(struct resp_out *out, const struct resp_slice *names, uint32_t count)
{
    uint32_t known = 0;

    for (uint32_t i = 0; i < count; i++)
        known += command_entry_find(names[i]) != NULL;
    resp_out_map(out, known);
    for (uint32_t i = 0; i < count; i++) {
        const struct command_entry *entry = command_entry_find(names[i]);

        if (entry != NULL)
            put_docs(out, entry);
    }
}

size_t command_put_docs(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                        uint8_t *out, size_t size)
{
    struct resp_out writer = {.bytes = out, .size = size, .protocol = protocol};

    if (count == 0)
        put_docs_of_all(&writer);
    else
        put_docs_of_some(&writer, names, at_most(count));
    return writer.used;
}

/* --- COMMAND, COMMAND INFO, COMMAND LIST ------------------------------------------------------ */

/* Words including the name; negative: at least so many. */
static int64_t arity_of(const struct command_entry *entry)
{
    struct command_spec spec;
    int64_t name_words = command_entry_is_top(entry) ? 1 : 2;

    if (entry->arguments == NULL)
        return -2;
    command_spec_read(entry->arguments, &spec);
    if (spec.open || spec.needed < spec.count)
        return -(name_words + spec.needed);
    return name_words + spec.needed;
}

/* May be sent before AUTH. */
static bool is_handshake(enum verb verb)
{
    return verb == VERB_HELLO || verb == VERB_AUTH || verb == VERB_QUIT || verb == VERB_RESET;
}

/* Several ids or a page take longer than the writer's other steps. */
static bool is_fast(const struct verb_info *info)
{
    switch ((enum verb_shape)info->shape) {
    case SHAPE_STATES:
    case SHAPE_TOTALS:
    case SHAPE_TAKEN:
    case SHAPE_GIVEN:
    case SHAPE_ACTIVITY:
    case SHAPE_EXPORT:
    case SHAPE_WEIGHED:
    case SHAPE_CASE_LIST:
    case SHAPE_CASE_OF:
    case SHAPE_POLICY_PROPOSE:
    case SHAPE_POLICY_LIST:
    case SHAPE_CLEANUP:
    case SHAPE_CLEANUP_PREVIEW:
    case SHAPE_SHIELD:
    case SHAPE_POINTS:
    case SHAPE_READER:
        return false;
    default:
        return true;
    }
}

/* What Redis calls admin: nothing that a user of the platform may call. */
static bool is_admin(enum verb verb)
{
    uint8_t access = verb_info(verb)->access;

    return access == ACCESS_REGISTER || access == ACCESS_PORTRAY || access == ACCESS_RESTRICT ||
           access == ACCESS_DECIDE || access == ACCESS_PROPOSE || access == ACCESS_EVIDENCE ||
           access == ACCESS_WEIGHED;
}

static void put_command_flags(struct resp_out *out, enum verb verb)
{
    const struct verb_info *info = verb_info(verb);
    const char *names[5];
    uint32_t count = 0;

    if (info->group == GROUP_WRITE) {
        names[count++] = "write";
        names[count++] = "denyoom";
    }
    if (info->group == GROUP_READ || info->group == GROUP_READER)
        names[count++] = "readonly";
    if (is_admin(verb))
        names[count++] = "admin";
    if (is_handshake(verb))
        names[count++] = "no_auth";
    if (is_fast(info))
        names[count++] = "fast";
    resp_out_set(out, count);
    for (uint32_t i = 0; i < count; i++)
        resp_out_simple(out, names[i]);
}

static void put_categories(struct resp_out *out, enum verb verb)
{
    static const char *const groups[] = {
        [GROUP_WRITE] = "@write", [GROUP_READ] = "@read", [GROUP_SERVICE] = "@connection",
        [GROUP_READER] = "@read"};
    const struct verb_info *info = verb_info(verb);
    bool admin = is_admin(verb);

    resp_out_set(out, admin ? 3 : 2);
    resp_out_simple(out, groups[info->group]);
    if (admin)
        resp_out_simple(out, "@admin");
    resp_out_simple(out, is_fast(info) ? "@fast" : "@slow");
}

/* The ten fields of Redis 7: name, arity, flags, first key, last key, step, categories, tips, key
 * specifications, subcommands. */
static void put_info(struct resp_out *out, const struct command_entry *entry)
{
    uint32_t children = command_entry_children(entry);
    const struct command_entry *child;

    resp_out_array(out, 10);
    put_name(out, command_slice(entry->name));
    resp_out_integer(out, arity_of(entry));
    put_command_flags(out, (enum verb)entry->verb);
    for (uint32_t i = 0; i < 3; i++)
        resp_out_integer(out, 0);
    put_categories(out, (enum verb)entry->verb);
    resp_out_set(out, 0);
    resp_out_set(out, 0);
    if (children == 0) {
        resp_out_set(out, 0);
        return;
    }
    resp_out_array(out, children);
    for (uint32_t i = 0; (child = command_entry(i)) != NULL; i++) {
        if (command_entry_is_child(child, entry))
            put_info(out, child);
    }
}

static void put_names(struct resp_out *out)
{
    const struct command_entry *entry;
    uint32_t count = 0;

    while (command_entry(count) != NULL)
        count++;
    resp_out_array(out, count);
    for (uint32_t i = 0; (entry = command_entry(i)) != NULL; i++)
        put_name(out, command_slice(entry->name));
}

static void put_info_of_all(struct resp_out *out)
{
    const struct command_entry *entry;

    resp_out_array(out, command_count());
    for (uint32_t i = 0; (entry = command_entry(i)) != NULL; i++) {
        if (command_entry_is_top(entry))
            put_info(out, entry);
    }
}

/* Here a name that nobody knows has its place, and null in it. */
static void put_info_of_some(struct resp_out *out, const struct resp_slice *names, uint32_t count)
{
    resp_out_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct command_entry *entry = command_entry_find(names[i]);

        if (entry != NULL)
            put_info(out, entry);
        else
            resp_out_null(out);
    }
}

size_t command_put_list(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                        bool names_only, uint8_t *out, size_t size)
{
    struct resp_out writer = {.bytes = out, .size = size, .protocol = protocol};

    if (names_only)
        put_names(&writer);
    else if (count == 0)
        put_info_of_all(&writer);
    else
        put_info_of_some(&writer, names, at_most(count));
    return writer.used;
}

uint32_t command_count(void)
{
    const struct command_entry *entry;
    uint32_t count = 0;

    for (uint32_t i = 0; (entry = command_entry(i)) != NULL; i++)
        count += command_entry_is_top(entry);
    return count;
}
