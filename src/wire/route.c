/* The little language of verbs.def is read again for every request: a hundred bytes, under a
 * microsecond, and no state that would have to be made at start. */
#include "wire/route.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

const struct route route_table[] = {
#define ROUTE(verb_, method_, path_, operation_, choice_, names_)                                  \
    {VERB_##verb_, METHOD_##method_, path_, operation_, choice_, names_},
#include "wire/routes.def"
#undef ROUTE
};
const uint32_t route_count = sizeof route_table / sizeof *route_table;

const char *route_method_name(enum route_method method)
{
    static const char *const names[METHOD_COUNT] = {"GET", "PUT", "POST", "DELETE"};

    assert(method < METHOD_COUNT);
    return names[method];
}

/* --- paths ---------------------------------------------------------------------------------- */

/* Does path fit the template? Arguments are one or more bytes up to the next slash. */
static bool fits(const char *form, const char *path, struct route_match *match)
{
    match->value_count = 0;
    while (*form != 0) {
        struct route_value *value = &match->values[match->value_count];

        if (*form != '{') {
            if (*form++ != *path++)
                return false;
            continue;
        }
        assert(match->value_count < ROUTE_VALUES_MAX);
        value->name = form + 1;
        value->name_size = strcspn(form + 1, "}");
        value->bytes = path;
        value->size = strcspn(path, "/");
        if (value->size == 0)
            return false;
        form += value->name_size + 2;
        path += value->size;
        match->value_count++;
    }
    return *path == 0;
}

struct route_match route_find(enum route_method method, const char *path)
{
    struct route_match found = {0};

    for (uint32_t i = 0; i < route_count; i++) {
        const struct route *route = &route_table[i];
        struct route_match match = {0};

        if (!fits(route->path, path, &match))
            continue;
        found.methods |= 1u << route->method;
        if (route->method != method || found.route != NULL)
            continue;
        match.methods = found.methods;
        match.route = route;
        found = match;
    }
    return found;
}

uint32_t route_choices(const struct route *route)
{
    uint32_t count = 1;

    while (route + count < route_table + route_count && route[count].method == route->method &&
           strcmp(route[count].path, route->path) == 0)
        count++;
    return count;
}

/* --- arguments ------------------------------------------------------------------------------ */

/* One argument of verbs.def, taken apart: [NAME:TYPE]... */
struct argument {
    const char *name, *type;
    size_t name_size, type_size;
    bool required, many;
};

/* Takes the next argument off *text; false at the end. */
static bool next_argument(const char **text, struct argument *argument)
{
    const char *at = *text + strspn(*text, " ");
    size_t size = strcspn(at, " ");

    *text = at + size;
    if (size == 0)
        return false;
    argument->required = at[0] != '[';
    argument->many = size > 3 && memcmp(at + size - 3, "...", 3) == 0;
    size -= argument->many ? 3 : 0;
    at += argument->required ? 0 : 1;
    size -= argument->required ? 0 : 2;
    argument->name = at;
    argument->name_size = strcspn(at, ":");
    assert(argument->name_size < size);
    argument->type = at + argument->name_size + 1;
    argument->type_size = size - argument->name_size - 1;
    return true;
}

static bool is(const char *bytes, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(bytes, word, size) == 0;
}

static bool is_type(const struct argument *argument, const char *type)
{
    return is(argument->type, argument->type_size, type);
}

static void lower(char *to, size_t room, const char *from, size_t size)
{
    assert(size < room);
    for (size_t i = 0; i < size; i++)
        to[i] = (char)tolower((unsigned char)from[i]);
    to[size] = 0;
}

/* The argument's name over HTTP: what `names` says, else its own in lower case. */
static void name_field(const struct route *route, const struct argument *argument,
                       struct route_field *field)
{
    const char *at = route->names;

    while (*at != 0) {
        size_t size = strcspn(at, " "), left = strcspn(at, "=");

        assert(left < size);
        if (left != argument->name_size ||
            memcmp(at, argument->name, left) != 0) {
            at += size + strspn(at + size, " ");
            continue;
        }
        lower(field->name, sizeof field->name, at + left + 1, size - left - 1);
        return;
    }
    lower(field->name, sizeof field->name, argument->name, argument->name_size);
}

static enum route_type type_of(const struct argument *argument)
{
    if (is_type(argument, "ms"))
        return TYPE_MS;
    if (is_type(argument, "time_ms"))
        return TYPE_TIME_MS;
    if (is_type(argument, "count"))
        return TYPE_PAGE;
    if (is_type(argument, "cursor"))
        return TYPE_CURSOR;
    if (is_type(argument, "account") || is_type(argument, "item") ||
        is_type(argument, "creator") || is_type(argument, "case") ||
        is_type(argument, "version"))
        return TYPE_ID;
    if (is_type(argument, "text"))
        return TYPE_REASON;
    if (is_type(argument, "policy"))
        return TYPE_POLICY;
    if (is_type(argument, "region"))
        return TYPE_REGION;
    if (is_type(argument, "token"))
        return TYPE_TOKEN;
    if (is_type(argument, "amount"))
        return TYPE_AMOUNT;
    assert(memchr(argument->type, '|', argument->type_size) != NULL);
    return TYPE_WORD;
}

static enum route_slot slot_of(const struct route *route, const struct argument *argument,
                               enum route_type type)
{
    switch (type) {
    case TYPE_MS:
        return is(argument->name, argument->name_size, "watch_ms") ? SLOT_WATCH : SLOT_DURATION;
    case TYPE_TIME_MS:
        if (is(argument->name, argument->name_size, "CREATED"))
            return SLOT_CREATED;
        if (is(argument->name, argument->name_size, "PUBLISHED"))
            return SLOT_PUBLISHED;
        if (is(argument->name, argument->name_size, "BEFORE"))
            return SLOT_BEFORE;
        if (is(argument->name, argument->name_size, "AFTER"))
            return SLOT_AFTER;
        return is(argument->name, argument->name_size, "SINCE") ? SLOT_SINCE : SLOT_UNTIL;
    case TYPE_PAGE:
        return is(argument->name, argument->name_size, "VALUE") ? SLOT_VALUE : SLOT_COUNT;
    case TYPE_CURSOR:
        return SLOT_CURSOR;
    case TYPE_WORD:
        if (is(argument->name, argument->name_size, "VISIBLE"))
            return SLOT_VISIBLE;
        if (is(argument->name, argument->name_size, "TIER"))
            return SLOT_TIER;
        if (is(argument->name, argument->name_size, "MINOR"))
            return SLOT_MINOR;
        if (is(argument->name, argument->name_size, "PERSONAL"))
            return SLOT_PERSONAL;
        if (is(argument->name, argument->name_size, "ORIGINAL"))
            return SLOT_ORIGINAL;
        if (is(argument->name, argument->name_size, "kind"))
            return SLOT_KIND;
        if (is(argument->name, argument->name_size, "subject"))
            return SLOT_SUBJECT;
        if (is(argument->name, argument->name_size, "decision"))
            return SLOT_DECISION;
        if (is(argument->name, argument->name_size, "MARK"))
            return SLOT_MARK;
        if (is(argument->name, argument->name_size, "REASON") ||
            is(argument->name, argument->name_size, "ONLY"))
            return SLOT_WHY;
        return argument->many ? SLOT_ACTIONS : SLOT_STATE;
    case TYPE_REASON:
        return is(argument->name, argument->name_size, "tag") ||
                       is(argument->name, argument->name_size, "word") ||
                       is(argument->name, argument->name_size, "label")
                   ? SLOT_NAME
                   : SLOT_REASON;
    case TYPE_AMOUNT:
        return is(argument->name, argument->name_size, "stage") ||
                       is(argument->name, argument->name_size, "HOLDOUT")
                   ? SLOT_STAGE
                   : SLOT_AMOUNT;
    case TYPE_POLICY:
        return SLOT_POLICY;
    case TYPE_REGION:
        return SLOT_REGION;
    case TYPE_TOKEN:
        return SLOT_TOKEN;
    case TYPE_ID:
        break;
    }
    if (argument->many)
        return SLOT_TARGETS;
    if (is_type(argument, "account") && !argument->required)
        return SLOT_VIEWER;
    if (is_type(argument, "account") || verb_info(route->verb)->shape == SHAPE_RECEIVED)
        return SLOT_ACCOUNT;
    return argument->required ? SLOT_TARGET : SLOT_CREATOR; /* an option: see request.u.ask, too */
}

static enum route_place place_of(const struct route *route, const struct argument *argument)
{
    const char *at = route->path;

    while ((at = strchr(at, '{')) != NULL) {
        at++;
        if (strncmp(at, argument->name, argument->name_size) == 0 && at[argument->name_size] == '}')
            return PLACE_PATH;
    }
    return route->method == METHOD_GET ? PLACE_QUERY : PLACE_BODY;
}

uint32_t route_fields(const struct route *route, struct route_field fields[ROUTE_FIELDS_MAX])
{
    const char *text = verb_info(route->verb)->arguments;
    struct argument argument;
    uint32_t count = 0;
    uint8_t words = 0;

    while (next_argument(&text, &argument)) {
        struct route_field *field = &fields[count];

        if (is_type(&argument, "flag") || is_type(&argument, "opid") ||
            is_type(&argument, "context"))
            continue;
        assert(count < ROUTE_FIELDS_MAX);
        *field = (struct route_field){.required = argument.required, .many = argument.many};
        field->type = type_of(&argument);
        field->slot = slot_of(route, &argument, field->type);
        field->place = place_of(route, &argument);
        name_field(route, &argument, field);
        if (field->type == TYPE_WORD) {
            lower(field->words, sizeof field->words, argument.type, argument.type_size);
            field->word = words++;
        }
        count++;
    }
    return count;
}
