/* json.c: reading. jansson reads the JSON; before it sees a byte, a scan bounds depth and strings,
 * so that a hostile body costs no more than its own size.
 *
 * Every value comes either as text (path, query, header) or as a JSON member; `struct given` hides
 * which. The words and bounds are those of command.c: the same request means the same by RESP. */
#include "wire/json.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "schema/region.h"
#include "wire/command.h"
#include "wire/echo.h"

struct given {
    const json_t *json; /* not NULL: this; else the bytes */
    const char *bytes;
    size_t size;
};

/* For an error's detail. */
struct shown {
    char text[ECHO_BYTES];
};

static struct shown show(const char *bytes, size_t size)
{
    struct shown shown = {{0}};

    echo_word(bytes, size, shown.text);
    return shown;
}

/* --- the body ------------------------------------------------------------------------------- */

/* Steps over one string, *at being behind its first quote; false if it is over the limit. */
static bool skip_string(const char *body, size_t size, size_t *at)
{
    size_t start = *at;

    while (*at < size && body[*at] != '"')
        *at += body[*at] == '\\' ? 2 : 1;
    if (*at < size)
        *at += 1;
    return *at - start <= JSON_STRING_MAX + 1;
}

static bool within_limits(const char *body, size_t size, struct problem_error *error)
{
    uint32_t depth = 0;

    for (size_t at = 0; at < size;) {
        char byte = body[at++];

        if (byte == '"' && !skip_string(body, size, &at)) {
            problem_set(error, PROBLEM_BADJSON, "a string is over %u bytes", JSON_STRING_MAX);
            return false;
        }
        if ((byte == '{' || byte == '[') && ++depth > JSON_DEPTH_MAX) {
            problem_set(error, PROBLEM_BADJSON, "objects and arrays are nested over %u deep",
                        JSON_DEPTH_MAX);
            return false;
        }
        if ((byte == '}' || byte == ']') && depth > 0)
            depth--;
    }
    return true;
}

/* The object in the body (an empty body is an empty object), owned by the caller; or NULL. */
static json_t *parse_body(const struct json_input *input, struct problem_error *error)
{
    json_error_t where;
    json_t *root;

    if (input->body_size == 0)
        return json_object();
    if (!within_limits(input->body, input->body_size, error))
        return NULL;
    root = json_loadb(input->body, input->body_size, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        problem_set(error, PROBLEM_BADJSON, "line %d, column %d: not valid JSON, or a key twice",
                    where.line, where.column);
        return NULL;
    }
    if (!json_is_object(root)) {
        problem_set(error, PROBLEM_BADJSON, "the body must be an object");
        json_decref(root);
        return NULL;
    }
    return root;
}

/* Which of the rows that share a path is meant. */
static const struct route *choose(const struct route *first, const json_t *body,
                                  struct problem_error *error)
{
    const char *verb = json_string_value(json_object_get(body, "verb"));

    if (first->choice[0] == 0)
        return first;
    for (uint32_t i = 0; verb != NULL && i < route_choices(first); i++)
        if (strcmp(first[i].choice, verb) == 0)
            return &first[i];
    problem_set(error, json_object_get(body, "verb") == NULL ? STATUS_ARITY : STATUS_BADVALUE,
                "\"verb\" must name what is asked for: \"%s\" or another listed in /openapi.json",
                first->choice);
    return NULL;
}

/* --- values --------------------------------------------------------------------------------- */

static struct given given_text(const char *bytes, size_t size)
{
    return (struct given){.bytes = bytes, .size = size};
}

/* A JSON string becomes text. */
static struct given given_json(const json_t *json)
{
    if (json_is_string(json))
        return (struct given){.json = json,
                              .bytes = json_string_value(json),
                              .size = json_string_length(json)};
    return (struct given){.json = json};
}

/* An unsigned integer: digits, or a JSON integer. */
static bool to_u64(struct given given, uint64_t *value)
{
    if (given.bytes != NULL)
        return given.size <= 20 &&
               command_id((struct resp_slice){given.bytes, (uint32_t)given.size}, value);
    if (!json_is_integer(given.json) || json_integer_value(given.json) < 0)
        return false;
    *value = (uint64_t)json_integer_value(given.json);
    return true;
}

/* Times and lengths: numbers only when they are JSON. */
static bool to_number(struct given given, uint64_t *value)
{
    return (given.json == NULL || json_is_integer(given.json)) && to_u64(given, value);
}

static bool read_id(const char *name, struct given given, uint64_t *id,
                    struct problem_error *error)
{
    if (to_u64(given, id))
        return true;
    problem_set(error, STATUS_BADID, "%s is not an unsigned 64-bit integer: %s", name,
                show(given.bytes, given.size).text);
    return false;
}

static bool read_bounded(const char *name, struct given given, uint64_t low, uint64_t high,
                         enum status status, uint64_t *value, struct problem_error *error)
{
    if (!to_number(given, value)) {
        problem_set(error, STATUS_BADVALUE, "%s must be a whole number", name);
        return false;
    }
    if (*value >= low && *value <= high)
        return true;
    problem_set(error, status, "%s must be from %llu to %llu", name, (unsigned long long)low,
                (unsigned long long)high);
    return false;
}

/* Place of a word in "a|b|c", or -1. */
static int find_word(const char *words, const char *word, size_t size)
{
    for (int i = 0;; i++) {
        size_t length = strcspn(words, "|");

        if (length == size && memcmp(words, word, size) == 0)
            return i;
        if (words[length] == 0)
            return -1;
        words += length + 1;
    }
}

static bool read_word(const struct route_field *field, struct given given, int *place,
                      struct problem_error *error)
{
    *place = given.bytes == NULL ? -1 : find_word(field->words, given.bytes, given.size);
    if (*place >= 0)
        return true;
    problem_set(error, STATUS_BADVALUE, "%s must be one of %s", field->name, field->words);
    return false;
}

/* --- fields into the request ---------------------------------------------------------------- */

static bool array_fits(const struct route_field *field, const json_t *array, size_t most,
                       struct problem_error *error)
{
    if (!json_is_array(array) || json_array_size(array) == 0) {
        problem_set(error, STATUS_BADVALUE, "%s must be an array of 1 to %zu", field->name, most);
        return false;
    }
    if (json_array_size(array) <= most)
        return true;
    problem_set(error, STATUS_TOOMANY, "%s has %zu entries, at most %zu are allowed", field->name,
                json_array_size(array), most);
    return false;
}

static bool read_ids(const struct route_field *field, struct given given, struct json_request *out,
                     struct problem_error *error)
{
    if (field->place == PLACE_PATH) {
        out->request.count = 1;
        out->request.u.ids = out->ids;
        return read_id(field->name, given, out->ids, error);
    }
    if (!array_fits(field, given.json, REQUEST_IDS_MAX, error))
        return false;
    for (size_t i = 0; i < json_array_size(given.json); i++)
        if (!read_id(field->name, given_json(json_array_get(given.json, i)), &out->ids[i], error))
            return false;
    out->request.count = (uint16_t)json_array_size(given.json);
    out->request.u.ids = out->ids;
    return true;
}

/* The verb whose name is this word in lower case; every word of ACT is one. */
static enum verb verb_of_word(const char *word, size_t size)
{
    for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
        const char *name = verb_table[verb].name;

        if (strlen(name) == size && strncasecmp(name, word, size) == 0)
            return (enum verb)verb;
    }
    return VERB_COUNT;
}

static bool read_actions(const struct route_field *field, struct given given,
                         struct request *request, struct problem_error *error)
{
    if (!array_fits(field, given.json, REQUEST_ACTIONS_MAX, error))
        return false;
    for (size_t i = 0; i < json_array_size(given.json); i++) {
        struct given one = given_json(json_array_get(given.json, i));
        enum verb verb;
        int place;

        if (!read_word(field, one, &place, error))
            return false;
        verb = verb_of_word(one.bytes, one.size);
        assert(verb != VERB_COUNT);
        request->u.actions[i] = (uint8_t)verb;
    }
    request->count = (uint16_t)json_array_size(given.json);
    return true;
}

/* The words in verbs.def stand in the order of enum item_state and enum account_state; a unit
 * test holds them together. */
static bool read_state(const struct route_field *field, struct given given,
                       struct request *request, struct problem_error *error)
{
    int place;

    if (!read_word(field, given, &place, error))
        return false;
    if (verb_is_note(request->verb)) {
        request->u.note.word = (uint8_t)place;
        return true;
    }
    if (request->verb == VERB_ACCOUNT_STATE) {
        request->u.restriction.state = (uint8_t)place;
        return true;
    }
    if (request->verb == VERB_CASE_LIST) {
        request->u.list.filter = (uint8_t)(1 + place);
        return true;
    }
    if (field->slot == SLOT_ORIGINAL) {
        request->u.item.original = place == 0 ? ORIGIN_OWN : ORIGIN_REPOST;
        return true;
    }
    request->u.item.state = (uint8_t)place;
    request->flags |= REQUEST_HAS_STATE;
    return true;
}

/* As command.c has it. */
static bool read_case_word(const struct route_field *field, struct given given,
                           struct request *request, struct problem_error *error)
{
    int place;

    if (!read_word(field, given, &place, error))
        return false;
    if (field->slot == SLOT_MARK)
        request->u.list.mark = (uint8_t)(1 + place);
    else if (field->slot == SLOT_WHY && request->verb == VERB_CASE_LIKES)
        request->u.list.reason = (uint8_t)reason_of(given.bytes, given.size);
    else if (field->slot == SLOT_WHY)
        request->u.deed.only = (uint8_t)reason_of(given.bytes, given.size);
    else if (field->slot == SLOT_KIND)
        request->u.deed.kind = place == 0 ? CASE_REVIEW : CASE_QUARANTINE;
    else if (field->slot == SLOT_DECISION)
        request->u.deed.decision = (uint8_t)(DECISION_VOID + place);
    else if (request->verb == VERB_CASE_OF)
        request->u.list.subject = (uint8_t)place;
    else
        request->u.deed.subject = (uint8_t)place;
    return true;
}

static int digit_of(char letter)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = strchr(digits, letter);

    return letter == 0 || at == NULL ? -1 : (int)((at - digits) % 16);
}

/* A text in the query: %XX is a byte (RFC 3986; a plus is a plus). False: an escape is not whole. */
static bool unescape(struct given given, char *text, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < given.size; i++) {
        char byte = given.bytes[i];

        if (byte == '%') {
            int high = i + 2 < given.size ? digit_of(given.bytes[i + 1]) : -1;
            int low = i + 2 < given.size ? digit_of(given.bytes[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            byte = (char)(16 * high + low);
            i += 2;
        }
        text[(*size)++] = byte;
    }
    return true;
}

static bool read_ask_text(const struct route_field *field, struct given given,
                          struct json_request *out, struct problem_error *error)
{
    size_t size = given.size;

    out->request.u.ask.text = out->reason;
    if (field->place != PLACE_QUERY)
        memcpy(out->reason, given.bytes, given.size);
    else if (!unescape(given, out->reason, &size)) {
        problem_set(error, STATUS_BADVALUE, "%s has an escape that is not whole", field->name);
        return false;
    }
    out->request.u.ask.text_size = (uint8_t)size;
    return true;
}

static bool read_reason(const struct route_field *field, struct given given,
                        struct json_request *out, struct problem_error *error)
{
    if (given.bytes == NULL || given.size == 0 || given.size > CASE_TEXT_MAX) {
        problem_set(error, STATUS_BADVALUE, "%s must be a text of 1 to %d bytes", field->name,
                    CASE_TEXT_MAX);
        return false;
    }
    if (verb_info(out->request.verb)->shape == SHAPE_READER)
        return read_ask_text(field, given, out, error);
    memcpy(out->reason, given.bytes, given.size);
    if (verb_is_note(out->request.verb)) {
        out->request.u.note.text = out->reason;
        out->request.u.note.text_size = (uint8_t)given.size;
        return true;
    }
    if (verb_is_of_policy(out->request.verb)) {
        out->request.u.rules.reason = out->reason;
        out->request.u.rules.reason_size = (uint8_t)given.size;
        return true;
    }
    out->request.u.deed.text = out->reason;
    out->request.u.deed.text_size = (uint8_t)given.size;
    return true;
}

static bool read_name(const struct route_field *field, struct given given,
                      struct json_request *out, struct problem_error *error)
{
    if (given.bytes == NULL || given.size == 0 || given.size > sizeof out->name) {
        problem_set(error, STATUS_BADVALUE, "%s must be a text of 1 to %d bytes", field->name,
                    REQUEST_NAME_MAX);
        return false;
    }
    memcpy(out->name, given.bytes, given.size);
    out->request.u.note.name = out->name;
    out->request.u.note.name_size = (uint8_t)given.size;
    return true;
}

static bool read_amount(const struct route_field *field, struct given given,
                        struct request *request, struct problem_error *error)
{
    bool stage = field->slot == SLOT_STAGE;
    uint64_t value;

    if (!read_bounded(field->name, given, 0, stage ? UINT8_MAX : REQUEST_AMOUNT_MAX,
                      STATUS_BADVALUE, &value, error))
        return false;
    request->u.note.word |= !field->required;
    if (stage)
        request->u.note.value = (uint16_t)value;
    else
        request->u.note.amount = (uint32_t)value;
    return true;
}

static bool read_token(const struct route_field *field, struct given given,
                       struct request *request, struct problem_error *error)
{
    if (given.bytes == NULL) {
        problem_set(error, STATUS_BADVALUE, "%s must be a text", field->name);
        return false;
    }
    command_token((struct resp_slice){given.bytes, (uint32_t)given.size}, &request->u.view);
    return true;
}

static bool read_policy(const struct route_field *field, struct given given,
                        struct json_request *out, struct problem_error *error)
{
    if (given.bytes == NULL || given.size == 0 || given.size > sizeof out->rules) {
        problem_set(error, STATUS_BADVALUE, "%s must be a text of 1 to %zu bytes", field->name,
                    sizeof out->rules);
        return false;
    }
    memcpy(out->rules, given.bytes, given.size);
    out->request.u.rules.text = out->rules;
    out->request.u.rules.text_size = (uint32_t)given.size;
    return true;
}

static bool read_case_time(const struct route_field *field, struct given given,
                           struct request *request, struct problem_error *error)
{
    uint64_t value;
    bool since = field->slot == SLOT_SINCE;

    if (!read_bounded(field->name, given, 0, INT64_MAX / 1000, STATUS_BADVALUE, &value, error))
        return false;
    *(since ? &request->u.deed.since_us : &request->u.deed.until_us) = (int64_t)value * 1000;
    request->flags |= since ? REQUEST_HAS_SINCE : REQUEST_HAS_UNTIL;
    return true;
}

static bool read_portrait(const struct route_field *field, struct given given,
                          struct request *request, struct problem_error *error)
{
    int place;

    if (!read_word(field, given, &place, error))
        return false;
    if (field->slot == SLOT_MINOR || field->slot == SLOT_PERSONAL) {
        uint8_t bit = field->slot == SLOT_MINOR ? SWITCH_MINOR : SWITCH_IMPERSONAL;

        request->u.portrait.switch_mask |= bit;
        request->u.portrait.switches |= (place == 0) == (bit == SWITCH_MINOR) ? bit : 0;
        request->flags |= REQUEST_HAS_SWITCH;
    } else if (field->slot == SLOT_TIER) {
        request->u.portrait.tier = (uint8_t)place;
        request->flags |= REQUEST_HAS_TIER;
    } else {
        request->u.portrait.visibility = (uint8_t)place;
        request->flags |= REQUEST_HAS_VISIBLE;
    }
    return true;
}

static bool read_region(const struct route_field *field, struct given given,
                        struct request *request, struct problem_error *error)
{
    if (given.bytes == NULL ||
        !region_read(given.bytes, given.size, &request->u.portrait.region)) {
        problem_set(error, STATUS_BADVALUE, "%s must be a code such as cn or eu-west, or none",
                    field->name);
        return false;
    }
    request->u.portrait.has_region = 1;
    return true;
}

static bool read_length(const struct route_field *field, struct given given,
                        struct request *request, struct problem_error *error)
{
    uint64_t value;

    if (!read_bounded(field->name, given, 0, REQUEST_MS_MAX, STATUS_BADWATCH, &value, error))
        return false;
    if (field->slot == SLOT_WATCH) {
        request->u.view.watch_ms = (uint32_t)value;
    } else if (request->verb == VERB_ITEM_SET) {
        request->u.item.duration_ms = (uint32_t)value;
        request->flags |= REQUEST_HAS_DURATION;
    } else {
        request->u.view.duration_ms = (uint32_t)value;
    }
    return true;
}

static bool read_until(const struct route_field *field, struct given given,
                       struct request *request, struct problem_error *error)
{
    uint64_t value;

    if (!read_bounded(field->name, given, 0, INT64_MAX / 1000, STATUS_BADVALUE, &value, error))
        return false;
    if (field->slot == SLOT_BEFORE || field->slot == SLOT_AFTER) {
        *(field->slot == SLOT_BEFORE ? &request->u.cleanup.before_us
                                     : &request->u.cleanup.after_us) = (int64_t)value * 1000;
        return true;
    }
    if (field->slot == SLOT_CREATED) {
        request->u.portrait.created_us = (int64_t)value * 1000;
        request->flags |= REQUEST_HAS_CREATED;
        return true;
    }
    if (field->slot == SLOT_PUBLISHED) {
        request->u.item.published_s =
            value / 1000 < UINT32_MAX ? (uint32_t)(value / 1000) : UINT32_MAX;
        return true;
    }
    if (verb_is_note(request->verb)) {
        request->u.note.until_s = value / 1000 < UINT32_MAX ? (uint32_t)(value / 1000) : UINT32_MAX;
        return true;
    }
    request->u.restriction.until_us = (int64_t)value * 1000;
    request->flags |= REQUEST_HAS_UNTIL;
    return true;
}

static bool read_cursor(struct given given, struct request *request, struct problem_error *error)
{
    uint64_t cursor;

    if (!to_u64(given, &cursor)) {
        problem_set(error, STATUS_BADCURSOR, "a cursor is what the page before gave");
        return false;
    }
    if (cursor == 0)
        return true; /* from the newest on, as over RESP */
    request->u.cursor = cursor;
    request->flags |= REQUEST_HAS_CURSOR;
    return true;
}

/* Of SHAPE_READER, what request.u.ask keeps elsewhere than other shapes do. */
static bool read_ask(const struct route_field *field, struct given given, struct json_request *out,
                     struct problem_error *error)
{
    struct request *request = &out->request;
    uint64_t cursor = request->u.ask.cursor;
    uint16_t count = request->count;
    int place;

    if (field->type == TYPE_WORD) {
        if (!read_word(field, given, &place, error))
            return false;
        assert(field->word < REQUEST_ASK_WORDS);
        request->u.ask.words[field->word] = (uint8_t)(1 + place);
        return true;
    }
    if (field->slot == SLOT_CREATOR) {
        request->flags |= REQUEST_HAS_CREATOR;
        return read_id(field->name, given, &request->target, error);
    }
    if (field->slot == SLOT_REASON)
        return read_reason(field, given, out, error);
    if (!read_ids(field, given, out, error))
        return false;
    request->u.ask.ids = out->ids;
    request->u.ask.id_count = request->count;
    request->u.ask.cursor = cursor;
    request->count = count;
    return true;
}

static bool is_ask(const struct route_field *field, const struct request *request)
{
    return verb_info(request->verb)->shape == SHAPE_READER &&
           (field->type == TYPE_WORD || field->slot == SLOT_CREATOR ||
            field->slot == SLOT_REASON || field->slot == SLOT_TARGETS);
}

static bool read_field(const struct route_field *field, struct given given,
                       struct json_request *out, struct problem_error *error)
{
    struct request *request = &out->request;
    uint64_t value;

    if (is_ask(field, request))
        return read_ask(field, given, out, error);
    switch (field->slot) {
    case SLOT_ACCOUNT:
        return read_id(field->name, given, &request->account, error);
    case SLOT_TARGET:
        return read_id(field->name, given, &request->target, error);
    case SLOT_CREATOR:
        request->flags |= REQUEST_HAS_CREATOR;
        return read_id(field->name, given, &request->u.item.creator, error);
    case SLOT_TARGETS:
        return read_ids(field, given, out, error);
    case SLOT_ACTIONS:
        return read_actions(field, given, request, error);
    case SLOT_ORIGINAL:
    case SLOT_STATE:
        return read_state(field, given, request, error);
    case SLOT_WATCH:
    case SLOT_DURATION:
        return read_length(field, given, request, error);
    case SLOT_VIEWER:
        request->flags |= REQUEST_HAS_VIEWER;
        return read_id(field->name, given, &request->target, error);
    case SLOT_VISIBLE:
    case SLOT_TIER:
    case SLOT_MINOR:
    case SLOT_PERSONAL:
        return read_portrait(field, given, request, error);
    case SLOT_REGION:
        return read_region(field, given, request, error);
    case SLOT_CREATED:
    case SLOT_PUBLISHED:
    case SLOT_BEFORE:
    case SLOT_AFTER:
        return read_until(field, given, request, error);
    case SLOT_UNTIL:
        if (request->verb != VERB_CASE_PROPOSE)
            return read_until(field, given, request, error);
        return read_case_time(field, given, request, error);
    case SLOT_SINCE:
        return read_case_time(field, given, request, error);
    case SLOT_KIND:
    case SLOT_SUBJECT:
    case SLOT_DECISION:
    case SLOT_MARK:
    case SLOT_WHY:
        return read_case_word(field, given, request, error);
    case SLOT_POLICY:
        return read_policy(field, given, out, error);
    case SLOT_REASON:
        return read_reason(field, given, out, error);
    case SLOT_NAME:
        return read_name(field, given, out, error);
    case SLOT_AMOUNT:
    case SLOT_STAGE:
        return read_amount(field, given, request, error);
    case SLOT_TOKEN:
        return read_token(field, given, request, error);
    case SLOT_VALUE:
        if (!read_bounded(field->name, given, 1, REQUEST_PAGE_MAX, STATUS_BADVALUE, &value, error))
            return false;
        request->u.deed.value = (uint16_t)value;
        return true;
    case SLOT_CURSOR:
        return read_cursor(given, request, error);
    case SLOT_COUNT:
        if (!read_bounded(field->name, given, 1, REQUEST_PAGE_MAX, STATUS_BADVALUE, &value, error))
            return false;
        request->count = (uint16_t)value;
        return true;
    }
    assert(false); /* a slot nobody knows */
    return false;
}

/* --- where fields come from ----------------------------------------------------------------- */

static bool find_in_path(const struct json_input *input, const struct route_field *field,
                         struct given *given)
{
    for (uint32_t i = 0; i < input->match.value_count; i++) {
        const struct route_value *value = &input->match.values[i];

        if (strlen(field->name) != value->name_size ||
            memcmp(field->name, value->name, value->name_size) != 0)
            continue;
        *given = given_text(value->bytes, value->size);
        return true;
    }
    return false;
}

static bool find_in_query(const struct json_input *input, const struct route_field *field,
                          struct given *given)
{
    for (uint32_t i = 0; i < input->query_count; i++) {
        if (strcmp(input->query[i].name, field->name) != 0)
            continue;
        *given = given_text(input->query[i].value, strlen(input->query[i].value));
        return true;
    }
    return false;
}

static bool find_field(const struct json_input *input, const json_t *body,
                       const struct route_field *field, struct given *given)
{
    const json_t *member;

    switch (field->place) {
    case PLACE_PATH:
        return find_in_path(input, field, given);
    case PLACE_QUERY:
        return find_in_query(input, field, given);
    case PLACE_BODY:
        break;
    }
    member = json_object_get(body, field->name);
    if (member != NULL)
        *given = given_json(member);
    return member != NULL;
}

static bool is_field(const struct route_field *fields, uint32_t count, enum route_place place,
                     const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].place == place && strcmp(fields[i].name, name) == 0)
            return true;
    return false;
}

/* Nothing is passed over in silence: a typing error must not become a like without its context. */
static bool nothing_unknown(const struct json_input *input, const struct route *route,
                            const json_t *body, const struct route_field *fields, uint32_t count,
                            struct problem_error *error)
{
    bool write = verb_info(route->verb)->group == GROUP_WRITE;
    const char *name;
    json_t *member;

    for (uint32_t i = 0; i < input->query_count; i++) {
        name = input->query[i].name;
        if (!is_field(fields, count, PLACE_QUERY, name)) {
            problem_set(error, STATUS_UNKNOWNFIELD, "no query parameter %s is known here",
                        show(name, strlen(name)).text);
            return false;
        }
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(name, input->query[j].name) == 0) {
                problem_set(error, STATUS_BADVALUE, "the query parameter %s is there twice", name);
                return false;
            }
    }
    json_object_foreach ((json_t *)body, name, member) {
        if (is_field(fields, count, PLACE_BODY, name) || (write && strcmp(name, "context") == 0) ||
            (write && strcmp(name, "confirmed") == 0) ||
            (route->choice[0] != 0 && strcmp(name, "verb") == 0))
            continue;
        problem_set(error, STATUS_UNKNOWNFIELD, "no member %s is known here",
                    show(name, strlen(name)).text);
        return false;
    }
    return true;
}

/* --- context and operation id --------------------------------------------------------------- */

static bool read_source(struct given given, struct context *context, struct problem_error *error)
{
    for (unsigned source = 0; given.bytes != NULL && source < SOURCE_COUNT; source++) {
        const char *name = source_name((enum source)source);

        if (strlen(name) != given.size || memcmp(name, given.bytes, given.size) != 0)
            continue;
        context->source = (uint8_t)source;
        return true;
    }
    problem_set(error, STATUS_BADVALUE, "source must be one listed in /openapi.json, not %s",
                show(given.bytes, given.size).text);
    return false;
}

static bool read_client_ms(struct given given, int64_t now_us, struct context *context,
                           struct problem_error *error)
{
    uint64_t value;

    if (!read_bounded("client_ms", given, 0, INT64_MAX / 1000, STATUS_BADVALUE, &value, error))
        return false;
    context->client_us = (int64_t)value * 1000;
    if (context->client_us - REQUEST_FUTURE_US <= now_us)
        return true;
    problem_set(error, STATUS_BADTIME, "client_ms is over 5 minutes ahead of this server");
    return false;
}

static bool read_issued_ms(struct given given, struct request *request, struct problem_error *error)
{
    uint64_t value;

    if (!read_bounded("issued_ms", given, 1, INT64_MAX / 1000, STATUS_BADVALUE, &value, error))
        return false;
    request->issued_us = (int64_t)value * 1000;
    return true;
}

static bool read_circumstance(const char *name, struct given given, char *out,
                              struct problem_error *error)
{
    if (given.bytes == NULL || given.size > JSON_CIRCUMSTANCE_MAX) {
        problem_set(error, STATUS_BADVALUE, "%s must be a text of at most %d bytes", name,
                    JSON_CIRCUMSTANCE_MAX);
        return false;
    }
    memcpy(out, given.bytes, given.size);
    out[given.size] = 0;
    return true;
}

static bool read_one_context(const char *name, struct given given, int64_t now_us,
                             struct json_request *out, struct problem_error *error)
{
    out->request.flags |= REQUEST_CONTEXT;
    if (strcmp(name, "source") == 0)
        return read_source(given, &out->request.context, error);
    if (strcmp(name, "client_ms") == 0)
        return read_client_ms(given, now_us, &out->request.context, error);
    if (strcmp(name, "issued_ms") == 0)
        return read_issued_ms(given, &out->request, error);
    if (strcmp(name, "address") == 0)
        return read_circumstance(name, given, out->address, error);
    if (strcmp(name, "device") == 0)
        return read_circumstance(name, given, out->device, error);
    if (strcmp(name, "network") == 0)
        return read_circumstance(name, given, out->network, error);
    problem_set(error, STATUS_UNKNOWNFIELD, "no member %s is known in context",
                show(name, strlen(name)).text);
    return false;
}

/* Headers first, then the body, which is closer to the act and wins. */
/* A rule asked whether this is meant, and the person said so. */
static bool read_confirmed(const json_t *body, struct json_request *out,
                           struct problem_error *error)
{
    const json_t *confirmed = json_object_get(body, "confirmed");

    if (confirmed != NULL && !json_is_boolean(confirmed)) {
        problem_set(error, STATUS_BADVALUE, "confirmed must be true or false");
        return false;
    }
    if (json_is_true(confirmed))
        out->request.flags |= REQUEST_CONFIRMED;
    return true;
}

static bool read_context(const struct json_input *input, const json_t *body,
                         struct json_request *out, struct problem_error *error)
{
    const struct json_headers *headers = &input->headers;
    const struct json_pair pairs[] = {
        {"address", headers->address}, {"device", headers->device},
        {"network", headers->network}, {"source", headers->source},
        {"client_ms", headers->client_ms}, {"issued_ms", headers->issued_ms},
    };
    json_t *context = json_object_get(body, "context"), *member;
    const char *name;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].value != NULL &&
            !read_one_context(pairs[i].name, given_text(pairs[i].value, strlen(pairs[i].value)),
                              input->now_us, out, error))
            return false;
    if (context != NULL && !json_is_object(context)) {
        problem_set(error, STATUS_BADVALUE, "context must be an object");
        return false;
    }
    json_object_foreach (context, name, member)
        if (!read_one_context(name, given_json(member), input->now_us, out, error))
            return false;
    return true;
}

/* The header's value may stand between quotes, as the draft of Idempotency-Key writes it. */
static bool read_opid(const char *text, struct request *request, struct problem_error *error)
{
    size_t size;

    if (text == NULL)
        return true;
    size = strlen(text);
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"') {
        text++;
        size -= 2;
    }
    if (size > 64 || !command_opid((struct resp_slice){text, (uint32_t)size}, request->opid)) {
        problem_set(error, STATUS_BADOPID, "Idempotency-Key must be 1 to 64 printable bytes");
        return false;
    }
    request->flags |= REQUEST_OPID;
    return true;
}

/* --- the whole ------------------------------------------------------------------------------ */

static bool read_fields(const struct json_input *input, const json_t *body,
                        struct json_request *out, struct problem_error *error)
{
    struct route_field fields[ROUTE_FIELDS_MAX];
    uint32_t count = route_fields(out->route, fields);

    if (!nothing_unknown(input, out->route, body, fields, count, error))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct given given = {0};

        if (find_field(input, body, &fields[i], &given)) {
            if (!read_field(&fields[i], given, out, error))
                return false;
        } else if (fields[i].required) {
            problem_set(error, STATUS_ARITY, "%s is missing", fields[i].name);
            return false;
        }
    }
    return true;
}

static bool read_all(const struct json_input *input, const json_t *body, struct json_request *out,
                     struct problem_error *error)
{
    const struct verb_info *info;

    out->route = choose(input->match.route, body, error);
    if (out->route == NULL)
        return false;
    info = verb_info(out->route->verb);
    out->request.verb = (uint16_t)out->route->verb;
    if (info->shape == SHAPE_TAKEN || info->shape == SHAPE_GIVEN ||
        info->shape == SHAPE_ACTIVITY || info->shape == SHAPE_CASE_LIST ||
        info->shape == SHAPE_CASE_OF || info->shape == SHAPE_NOTICES ||
        info->shape == SHAPE_SHIELD || info->shape == SHAPE_POINTS || info->shape == SHAPE_CLEANUP_PREVIEW ||
        info->shape == SHAPE_EXPORT || info->shape == SHAPE_WEIGHED)
        out->request.count = REQUEST_PAGE;
    if (!read_fields(input, body, out, error))
        return false;
    if (out->request.verb == VERB_DISAVOW)
        request_disavow(&out->request);
    if (info->shape == SHAPE_RECEIVED)
        out->request.target = out->request.account; /* both, as over RESP */
    if (info->group != GROUP_WRITE)
        return true;
    out->request.flags |= REQUEST_RETURN;
    return read_confirmed(body, out, error) && read_context(input, body, out, error) &&
           read_opid(input->headers.opid, &out->request, error);
}

bool json_read(const struct json_input *input, struct json_request *request,
               struct problem_error *error)
{
    json_t *body;
    bool good;

    assert(input->match.route != NULL);
    memset(request, 0, offsetof(struct json_request, ids));
    if (input->match.route->method == METHOD_GET && input->body_size > 0) {
        problem_set(error, PROBLEM_NOBODY, "%s", "");
        return false;
    }
    body = parse_body(input, error);
    if (body == NULL) {
        problem_set(error, STATUS_NOMEMORY, "%s", "");
        return false;
    }
    good = read_all(input, body, request, error);
    json_decref(body);
    return good;
}
