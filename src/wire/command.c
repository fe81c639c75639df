/* From words to a request.
 *
 * A write without options (most of them) and nothing else takes a short way: two ids into the
 * request. Everything else, every error too, walks the arguments of command_spec in order. The
 * request is built aside and handed over whole, so that a refused one leaves no trace. */
#include "wire/command.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/hook.h"
#include "schema/region.h"
#include "wire/command_spec.h"
#include "wire/echo.h"
#include "wire/token.h"

#define OPID_BYTES_MAX 64
#define UUID_BYTES     36

struct parse {
    const struct resp_slice *args;
    uint32_t count;
    uint32_t at; /* the word to be read next */
    int64_t now_us;
    struct arena *arena;
    enum verb verb;
    const struct verb_info *info;
    const struct command_spec *spec;
    const struct command_argument *argument; /* the one being read */
    uint32_t seen;     /* bit i: option i was given */
    uint32_t ms_count; /* values of type ms so far */
    struct request request;
    struct command_context plain;
    struct command_error *error;
};

/* --- values ----------------------------------------------------------------------------------- */

/* Eight digits at once, the first in the lowest byte; false if one of the bytes is none. */
static inline bool eight_digits(uint64_t chunk, uint64_t *value)
{
    chunk ^= 0x3030303030303030ULL; /* digits become 0..9; adding 0x76 to more sets bit 7 */
    if (((chunk + 0x7676767676767676ULL) | chunk) & 0x8080808080808080ULL)
        return false;
    /* Neighbours are joined: pairs, fours, all eight. */
    chunk = (chunk * 2561) >> 8;
    chunk = ((chunk & 0x00FF00FF00FF00FFULL) * 6553601) >> 16;
    *value = ((chunk & 0x0000FFFF0000FFFFULL) * 42949672960001ULL) >> 32;
    return true;
}

static inline uint64_t load(const char *text, size_t size)
{
    uint64_t chunk = 0;

    memcpy(&chunk, text, size);
    return chunk;
}

/* 1 to 8 bytes of text as the last ones of eight, with zeros before them: two loads that may
 * overlap, none of them outside of the text. */
static inline uint64_t load_short(const char *text, uint32_t size)
{
    uint64_t chunk;

    if (size == 8)
        return load(text, 8);
    if (size >= 4)
        chunk = load(text, 4) | load(text + size - 4, 4) << 8 * (size - 4);
    else if (size >= 2)
        chunk = load(text, 2) | load(text + size - 2, 2) << 8 * (size - 2);
    else
        chunk = load(text, 1);
    return chunk << 8 * (8 - size) | 0x3030303030303030ULL >> 8 * size;
}

/* What more than 16 digits do: they may be too many. */
static bool last_digits(struct resp_slice text, uint64_t value, uint64_t *id)
{
    for (uint32_t i = 16; i < text.size; i++) {
        uint32_t digit = (uint32_t)(uint8_t)text.bytes[i] - '0';

        if (digit > 9)
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            (__builtin_add_overflow(value, (uint64_t)digit, &value) &&
             !PLANTED("wire.id_overflow_wraps")))
            return false;
    }
    *id = value;
    return true;
}

/* Digits of a part of an id, as a factor for what stands before them. */
static const uint32_t powers[9] = {1,      10,      100,      1000,     10000,
                                   100000, 1000000, 10000000, 100000000};

bool command_id(struct resp_slice text, uint64_t *id)
{
    uint64_t high, low;
    uint32_t rest;

    if (text.size == 0 || text.size > 20)
        return false;
    if (text.size <= 8)
        return eight_digits(load_short(text.bytes, text.size), id);
    if (!eight_digits(load(text.bytes, 8), &high))
        return false;
    rest = text.size < 16 ? text.size - 8 : 8;
    if (!eight_digits(load_short(text.bytes + 8, rest), &low))
        return false;
    return last_digits(text, high * powers[rest] + low, id);
}

/* Most operation ids are UUIDs, so this is on the hot path: a table, and one look at the end whether
 * all bytes were digits. 0 stands for no digit. */
#define IS_HEX 0x10
static const uint8_t hex_digits[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
    ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1A, ['b'] = 0x1B,
    ['c'] = 0x1C, ['d'] = 0x1D, ['e'] = 0x1E, ['f'] = 0x1F, ['A'] = 0x1A, ['B'] = 0x1B,
    ['C'] = 0x1C, ['D'] = 0x1D, ['E'] = 0x1E, ['F'] = 0x1F,
};

/* Appends count hex digits to *value; false if one of the bytes is none. */
static inline bool read_hex(const char *text, uint32_t count, uint64_t *value)
{
    uint64_t result = *value;
    uint8_t all = IS_HEX;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t digit = hex_digits[(uint8_t)text[i]];

        all &= digit;
        result = result << 4 | (digit & 0x0F);
    }
    *value = result;
    return all == IS_HEX;
}

static bool read_uuid(struct resp_slice text, uint64_t opid[2])
{
    const char *at = text.bytes;
    uint64_t high = 0;
    uint64_t low = 0;
    bool good;

    if (text.size == 32) {
        good = read_hex(at, 16, &high) && read_hex(at + 16, 16, &low);
    } else if (text.size == UUID_BYTES) {
        good = at[8] == '-' && at[13] == '-' && at[18] == '-' && at[23] == '-' &&
               read_hex(at, 8, &high) && read_hex(at + 9, 4, &high) &&
               read_hex(at + 14, 4, &high) && read_hex(at + 19, 4, &low) &&
               read_hex(at + 24, 12, &low);
    } else {
        return false;
    }
    if (!good)
        return false;
    opid[0] = high;
    opid[1] = low;
    return true;
}

bool command_opid(struct resp_slice text, uint64_t opid[2])
{
    uint8_t digest[DIGEST_BYTES];

    if (text.size == 0 || text.size > OPID_BYTES_MAX)
        return false;
    if (read_uuid(text, opid))
        return true;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < ' ' || text.bytes[i] > '~')
            return false;
    }
    digest_sha256(text.bytes, text.size, NULL, 0, digest);
    for (uint32_t i = 0; i < 2; i++) {
        memcpy(&opid[i], digest + 8 * i, 8);
        opid[i] = __builtin_bswap64(opid[i]); /* as for a UUID: the first byte is the highest */
    }
    /* Marked as a UUID version 8 (RFC 9562, 5.8), or one id in 64 would look as if it carried a
     * time. */
    opid[0] = (opid[0] & ~0xF000ULL) | 0x8000ULL;
    opid[1] = (opid[1] & ~(3ULL << 62)) | 2ULL << 62;
    return true;
}

enum source command_source(struct resp_slice text)
{
    for (uint32_t source = 0; source < SOURCE_COUNT; source++) {
        if (command_same(text, command_slice(source_name((enum source)source))))
            return (enum source)source;
    }
    return SOURCE_COUNT;
}

/* --- errors ----------------------------------------------------------------------------------- */

static enum status fail(struct parse *parse, enum status status, const char *before,
                        struct resp_slice got, const char *after)
{
    char text[ECHO_BYTES];

    echo_word(got.bytes, got.size, text);
    parse->error->status = status;
    snprintf(parse->error->detail, sizeof parse->error->detail, "%s'%s'%s", before, text, after);
    return status;
}

/* About the argument that is being read: "argument 'item': expected X, got 'abc'". */
static enum status fail_value(struct parse *parse, enum status status, const char *expected,
                              struct resp_slice got)
{
    const struct command_argument *argument = parse->argument;
    char text[ECHO_BYTES];

    echo_word(got.bytes, got.size, text);
    parse->error->status = status;
    snprintf(parse->error->detail, sizeof parse->error->detail, "%s '%.*s': expected %s, got '%s'",
             argument->token ? "option" : "argument", (int)argument->name.size,
             argument->name.bytes, expected, text);
    return status;
}

static enum status fail_plain(struct parse *parse, enum status status, const char *what)
{
    const struct command_argument *argument = parse->argument;

    parse->error->status = status;
    snprintf(parse->error->detail, sizeof parse->error->detail, "%s '%.*s' %s",
             argument->token ? "option" : "argument", (int)argument->name.size,
             argument->name.bytes, what);
    return status;
}

/* The second word of a verb whose first is this one ("SET" of "ITEM SET"), or NULL. */
static const char *second_word(uint32_t verb, struct resp_slice first)
{
    const char *space = strchr(verb_table[verb].name, ' ');
    struct resp_slice half = command_slice(verb_table[verb].name);

    if (space == NULL)
        return NULL;
    half.size = (uint32_t)(space - verb_table[verb].name);
    return command_same(first, half) ? space + 1 : NULL;
}

/* All of them, from the table: "SET, STATE or GET"; empty if the first word has none. */
static void list_second_words(struct resp_slice first, const char *last_comma, char *text,
                              size_t size)
{
    const char *word, *before = NULL;
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < VERB_COUNT && used < size; i++) {
        word = second_word(i, first);
        if (word == NULL)
            continue;
        if (before != NULL)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", before);
        before = word;
    }
    if (before != NULL && used < size)
        snprintf(text + used, size - used, "%s%s", used > 0 ? last_comma : "", before);
}

/* Names the second words too if the first is only half a name ("ITEM"). */
static enum status fail_unknown(struct parse *parse)
{
    struct resp_slice first = parse->args[0];
    bool alone = parse->count == 1;
    char words[96], text[128];

    list_second_words(first, alone ? " or " : " and ", words, sizeof words);
    if (words[0] == '\0')
        return fail(parse, STATUS_UNKNOWNCMD, "", first, "");
    if (alone) {
        snprintf(text, sizeof text, " needs a second word: %s", words);
        return fail(parse, STATUS_ARITY, "", first, text);
    }
    snprintf(text, sizeof text, "%.*s has %s, not ", (int)first.size, first.bytes, words);
    return fail(parse, STATUS_UNKNOWNCMD, text, parse->args[1], "");
}

/* --- one argument ----------------------------------------------------------------------------- */

static enum status read_id(struct parse *parse, struct resp_slice text, uint64_t *id)
{
    if (command_id(text, id))
        return STATUS_OK;
    return fail_value(parse, STATUS_BADID, "an unsigned 64-bit integer", text);
}

/* All that is left are ids: they go into the arena. */
static enum status read_ids(struct parse *parse)
{
    uint32_t count = parse->count - parse->at;
    uint64_t *ids;

    if (count > REQUEST_IDS_MAX)
        return fail_plain(parse, STATUS_TOOMANY, "is given more than 1024 times");
    ids = arena_take(parse->arena, count * sizeof *ids);
    if (ids == NULL)
        return fail_plain(parse, STATUS_BUSY, "finds no room in this turn");
    for (uint32_t i = 0; i < count; i++) {
        enum status status = read_id(parse, parse->args[parse->at + i], &ids[i]);

        if (status != STATUS_OK)
            return status;
    }
    parse->at = parse->count;
    if (parse->info->shape == SHAPE_READER) {
        parse->request.u.ask.ids = ids;
        parse->request.u.ask.id_count = (uint16_t)count;
        return STATUS_OK;
    }
    parse->request.u.ids = ids;
    parse->request.count = (uint16_t)count;
    return STATUS_OK;
}

/* The one who acts, or, as an option, the one who looks. */
static enum status read_account(struct parse *parse, struct resp_slice text)
{
    struct request *request = &parse->request;

    if (!parse->argument->token)
        return read_id(parse, text, &request->account);
    request->flags |= REQUEST_HAS_VIEWER;
    return read_id(parse, text, &request->target);
}

static enum status read_target(struct parse *parse, struct resp_slice text)
{
    struct request *request = &parse->request;

    if (!parse->argument->token)
        return read_id(parse, text, &request->target);
    request->flags |= REQUEST_HAS_CREATOR;
    return read_id(parse, text,
                   parse->info->shape == SHAPE_READER ? &request->target : &request->u.item.creator);
}

/* VIEW has two: what was watched, then how long the video is. */
static enum status read_ms(struct parse *parse, struct resp_slice text)
{
    struct request *request = &parse->request;
    uint64_t ms;

    if (!command_id(text, &ms))
        return fail_value(parse, STATUS_BADVALUE, "milliseconds", text);
    if (ms > REQUEST_MS_MAX)
        return fail_value(parse, STATUS_BADWATCH, "at most 86400000", text);
    if (parse->argument->token) {
        request->u.item.duration_ms = (uint32_t)ms;
        request->flags |= REQUEST_HAS_DURATION;
    } else if (parse->ms_count++ == 0) {
        request->u.view.watch_ms = (uint32_t)ms;
    } else {
        request->u.view.duration_ms = (uint32_t)ms;
    }
    return STATUS_OK;
}

static enum status read_time(struct parse *parse, struct resp_slice text)
{
    uint64_t ms;

    if (!command_id(text, &ms) || ms > INT64_MAX / 1000)
        return fail_value(parse, STATUS_BADVALUE, "unix milliseconds", text);
    if (parse->info->shape == SHAPE_CLEANUP || parse->info->shape == SHAPE_CLEANUP_PREVIEW) {
        if (command_same(parse->argument->name, command_slice("AFTER")))
            parse->request.u.cleanup.after_us = (int64_t)ms * 1000;
        else
            parse->request.u.cleanup.before_us = (int64_t)ms * 1000;
        return STATUS_OK;
    }
    if (parse->info->shape == SHAPE_ACCOUNT_SET) {
        parse->request.u.portrait.created_us = (int64_t)ms * 1000;
        parse->request.flags |= REQUEST_HAS_CREATED;
        return STATUS_OK;
    }
    if (parse->info->shape == SHAPE_CASE_STEP) {
        bool since = parse->argument->name.bytes[0] == 'S';

        *(since ? &parse->request.u.deed.since_us : &parse->request.u.deed.until_us) =
            (int64_t)ms * 1000;
        parse->request.flags |= since ? REQUEST_HAS_SINCE : REQUEST_HAS_UNTIL;
        return STATUS_OK;
    }
    if (parse->info->shape == SHAPE_ITEM_SET) {
        parse->request.u.item.published_s =
            ms / 1000 < UINT32_MAX ? (uint32_t)(ms / 1000) : UINT32_MAX;
        return STATUS_OK;
    }
    if (verb_is_note(parse->verb)) {
        parse->request.u.note.until_s = ms / 1000 < UINT32_MAX ? (uint32_t)(ms / 1000) : UINT32_MAX;
        return STATUS_OK;
    }
    parse->request.u.restriction.until_us = (int64_t)ms * 1000;
    parse->request.flags |= REQUEST_HAS_UNTIL;
    return STATUS_OK;
}

static enum status read_count(struct parse *parse, struct resp_slice text)
{
    uint64_t count;

    if (!command_id(text, &count) || count == 0 || count > REQUEST_PAGE_MAX)
        return fail_value(parse, STATUS_BADVALUE, "1 to 1000", text);
    if (parse->info->shape == SHAPE_CASE_STEP)
        parse->request.u.deed.value = (uint16_t)count;
    else
        parse->request.count = (uint16_t)count;
    return STATUS_OK;
}

/* 0 is where SCAN begins and ends, so it begins here too. */
static enum status read_cursor(struct parse *parse, struct resp_slice text)
{
    uint64_t cursor;

    if (!command_id(text, &cursor))
        return fail_value(parse, STATUS_BADCURSOR, "the cursor of an earlier reply", text);
    if (cursor != 0) {
        parse->request.u.cursor = cursor;
        parse->request.flags |= REQUEST_HAS_CURSOR;
    }
    return STATUS_OK;
}

static enum status read_opid(struct parse *parse, struct resp_slice text)
{
    if (!command_opid(text, parse->request.opid))
        return fail_value(parse, STATUS_BADOPID, "a UUID or 1 to 64 printable bytes", text);
    parse->request.flags |= REQUEST_OPID;
    return STATUS_OK;
}

void command_token(struct resp_slice text, struct request_view *view)
{
    size_t size = token_decode(text.bytes, text.size, view->token, sizeof view->token);

    view->attest = size == sizeof view->token ? ATTEST_GIVEN : ATTEST_BAD;
}

static bool is_one_of(struct resp_slice words, struct resp_slice text)
{
    struct resp_slice word;

    while (command_next_word(&words, &word)) {
        if (command_same(word, text))
            return true;
    }
    return false;
}

static enum status fail_word(struct parse *parse, struct resp_slice text)
{
    struct resp_slice words = parse->argument->words;
    char expected[96];

    snprintf(expected, sizeof expected, "%.*s", (int)words.size, words.bytes);
    return fail_value(parse, STATUS_BADVALUE, expected, text);
}

/* Which of count states text names; count if none. */
static uint8_t find_item_state(struct resp_slice text)
{
    uint8_t state = 0;

    while (state < ITEM_STATE_COUNT &&
           !command_same(text, command_slice(item_state_name((enum item_state)state))))
        state++;
    return state;
}

static uint8_t find_account_state(struct resp_slice text)
{
    uint8_t state = 0;

    while (state < ACCOUNT_STATE_COUNT &&
           !command_same(text, command_slice(account_state_name((enum account_state)state))))
        state++;
    return state;
}

/* "on" or "off"; what may be switched off is kept as what is kept from the account. */
static void read_switch(struct request *request, uint8_t bit, bool on)
{
    request->u.portrait.switch_mask |= bit;
    request->u.portrait.switches |= on == (bit == SWITCH_MINOR) ? bit : 0;
    request->flags |= REQUEST_HAS_SWITCH;
}

/* ACCOUNT SET has four: VISIBLE, TIER, MINOR and PERSONAL. */
static void read_portrait(struct parse *parse, struct resp_slice text)
{
    struct request *request = &parse->request;
    struct resp_slice name = parse->argument->name;
    uint8_t place = 0;

    if (command_same(name, command_slice("MINOR")) ||
        command_same(name, command_slice("PERSONAL"))) {
        read_switch(request, name.bytes[0] == 'M' ? SWITCH_MINOR : SWITCH_IMPERSONAL,
                    command_same(text, command_slice("on")));
        return;
    }
    if (command_same(name, command_slice("TIER"))) {
        while (!command_same(text, command_slice(tier_name((enum tier)place))))
            place++;
        request->u.portrait.tier = place;
        request->flags |= REQUEST_HAS_TIER;
        return;
    }
    while (!command_same(text, command_slice(visibility_name((enum visibility)place))))
        place++;
    request->u.portrait.visibility = place;
    request->flags |= REQUEST_HAS_VISIBLE;
}

static enum status read_region(struct parse *parse, struct resp_slice text)
{
    if (!region_read(text.bytes, text.size, &parse->request.u.portrait.region))
        return fail_value(parse, STATUS_BADVALUE, "a region such as cn or eu-west, or none", text);
    parse->request.u.portrait.has_region = 1;
    return STATUS_OK;
}

/* Place of text in "a|b|c"; it is one of them. */
static uint8_t place_of(struct resp_slice words, struct resp_slice text)
{
    struct resp_slice word;
    uint8_t place = 0;

    while (command_next_word(&words, &word) && !command_same(word, text))
        place++;
    return place;
}

/* The words of cases: a unit test holds their order and that of the enums together. */
static void read_case_word(struct parse *parse, struct resp_slice text)
{
    struct request *request = &parse->request;
    struct resp_slice name = parse->argument->name;
    uint8_t place = place_of(parse->argument->words, text);

    if (parse->info->shape == SHAPE_CASE_LIST)
        request->u.list.filter = (uint8_t)(1 + place);
    else if (parse->info->shape == SHAPE_CASE_OF)
        request->u.list.subject = place;
    else if (command_same(name, command_slice("MARK")))
        request->u.list.mark = (uint8_t)(1 + place);
    else if (command_same(name, command_slice("REASON")))
        request->u.list.reason = (uint8_t)reason_of(text.bytes, text.size);
    else if (command_same(name, command_slice("ONLY")))
        request->u.deed.only = (uint8_t)reason_of(text.bytes, text.size);
    else if (command_same(name, command_slice("kind")))
        request->u.deed.kind = place == 0 ? CASE_REVIEW : CASE_QUARANTINE;
    else if (command_same(name, command_slice("subject")))
        request->u.deed.subject = place;
    else
        request->u.deed.decision = (uint8_t)(DECISION_VOID + place);
}

/* A note has two texts at most; the one that names something is called so. */
static bool is_name(struct resp_slice argument)
{
    return command_same(argument, command_slice("tag")) ||
           command_same(argument, command_slice("word")) ||
           command_same(argument, command_slice("label"));
}

static void note_text(struct parse *parse, const char *copy, uint8_t size)
{
    struct request *request = &parse->request;

    if (is_name(parse->argument->name)) {
        request->u.note.name = copy;
        request->u.note.name_size = size;
    } else {
        request->u.note.text = copy;
        request->u.note.text_size = size;
    }
}

/* A reason: into the arena, for it has to last as long as the request. */
static enum status read_text(struct parse *parse, struct resp_slice text)
{
    char *copy;

    bool note = verb_is_note(parse->verb);

    if (note && is_name(parse->argument->name) && text.size > REQUEST_NAME_MAX)
        return fail_value(parse, STATUS_BADVALUE, "1 to 64 bytes", text);
    if (text.size == 0 || text.size > CASE_TEXT_MAX)
        return fail_value(parse, STATUS_BADVALUE, "1 to 200 bytes", text);
    copy = arena_take(parse->arena, text.size);
    if (copy == NULL)
        return fail_plain(parse, STATUS_BUSY, "finds no room in this turn");
    memcpy(copy, text.bytes, text.size);
    if (note) {
        note_text(parse, copy, (uint8_t)text.size);
        return STATUS_OK;
    }
    if (parse->info->shape == SHAPE_READER) {
        parse->request.u.ask.text = copy;
        parse->request.u.ask.text_size = (uint8_t)text.size;
        return STATUS_OK;
    }
    if (verb_is_of_policy(parse->verb)) {
        parse->request.u.rules.reason = copy;
        parse->request.u.rules.reason_size = (uint8_t)text.size;
        return STATUS_OK;
    }
    parse->request.u.deed.text = copy;
    parse->request.u.deed.text_size = (uint8_t)text.size;
    return STATUS_OK;
}

static enum status read_amount(struct parse *parse, struct resp_slice text)
{
    bool small = command_same(parse->argument->name, command_slice("stage")) ||
                 parse->argument->token;
    uint64_t amount;

    if (!command_id(text, &amount) || amount > (small ? UINT8_MAX : REQUEST_AMOUNT_MAX))
        return fail_value(parse, STATUS_BADVALUE, small ? "0 to 255" : "0 to 1000000000", text);
    parse->request.u.note.word |= parse->argument->token;
    if (small)
        parse->request.u.note.value = (uint16_t)amount;
    else
        parse->request.u.note.amount = (uint32_t)amount;
    return STATUS_OK;
}

/* Rules: what is in them is the engine's to read. */
static enum status read_policy(struct parse *parse, struct resp_slice text)
{
    char *copy;

    if (text.size == 0 || text.size > POLICY_TEXT_KEPT)
        return fail_plain(parse, STATUS_BADVALUE, "must have 1 to 16384 bytes");
    copy = arena_take(parse->arena, text.size);
    if (copy == NULL)
        return fail_plain(parse, STATUS_BUSY, "finds no room in this turn");
    memcpy(copy, text.bytes, text.size);
    parse->request.u.rules.text = copy;
    parse->request.u.rules.text_size = text.size;
    return STATUS_OK;
}

static bool is_case(const struct verb_info *info)
{
    return info->shape >= SHAPE_CASE_OPEN && info->shape <= SHAPE_CASE_STEP;
}

static void read_ask_word(struct parse *parse, struct resp_slice text)
{
    uint32_t place = 0; /* among the arguments of this kind */

    for (const struct command_argument *at = parse->spec->arguments; at < parse->argument; at++)
        place += at->type == TYPE_WORD;
    assert(place < REQUEST_ASK_WORDS);
    parse->request.u.ask.words[place] = (uint8_t)(1 + place_of(parse->argument->words, text));
}

static enum status read_state(struct parse *parse, struct resp_slice text)
{
    struct request *request = &parse->request;

    if (!is_one_of(parse->argument->words, text))
        return fail_word(parse, text);
    if (parse->info->shape == SHAPE_READER) {
        read_ask_word(parse, text);
        return STATUS_OK;
    }
    if (parse->info->shape == SHAPE_ACCOUNT_SET) {
        read_portrait(parse, text);
        return STATUS_OK;
    }
    if (is_case(parse->info) || parse->info->shape == SHAPE_CASE_LIST ||
        parse->info->shape == SHAPE_CASE_OF || parse->info->shape == SHAPE_WEIGHED) {
        read_case_word(parse, text);
        return STATUS_OK;
    }
    if (verb_is_note(parse->verb)) {
        request->u.note.word = place_of(parse->argument->words, text);
        return STATUS_OK;
    }
    if (parse->info->shape == SHAPE_ACCOUNT_STATE) {
        request->u.restriction.state = find_account_state(text);
        assert(request->u.restriction.state < ACCOUNT_STATE_COUNT);
        return STATUS_OK;
    }
    if (command_same(parse->argument->name, command_slice("ORIGINAL"))) {
        request->u.item.original = command_same(text, command_slice("yes")) ? ORIGIN_OWN
                                                                            : ORIGIN_REPOST;
        return STATUS_OK;
    }
    request->u.item.state = find_item_state(text);
    request->flags |= REQUEST_HAS_STATE;
    assert(request->u.item.state < ITEM_STATE_COUNT);
    return STATUS_OK;
}

/* --- ACT: several actions --------------------------------------------------------------------- */

static const struct command_argument *find_option(const struct command_spec *spec,
                                                  struct resp_slice text)
{
    for (uint32_t i = spec->positional; i < spec->count; i++) {
        if (command_same(spec->arguments[i].name, text))
            return &spec->arguments[i];
    }
    return NULL;
}

/* Two actions that set the same edge, or the same event twice: no order of them is what was meant. */
static bool is_at_odds(const struct request *request, enum verb verb)
{
    for (uint32_t i = 0; i < request->count; i++) {
        const struct verb_info *other = verb_info((enum verb)request->u.actions[i]);

        if (request->u.actions[i] == verb)
            return true;
        if (other->edge != EDGE_NONE && other->edge == verb_info(verb)->edge &&
            !PLANTED("wire.act_contradicts"))
            return true;
    }
    return false;
}

static enum status read_actions(struct parse *parse)
{
    struct request *request = &parse->request;
    uint32_t words;

    for (; parse->at < parse->count; parse->at++) {
        struct resp_slice text = parse->args[parse->at];
        enum verb verb;

        if (find_option(parse->spec, text) != NULL)
            break;
        if (!is_one_of(parse->argument->words, text))
            return fail_word(parse, text);
        if (request->count == REQUEST_ACTIONS_MAX)
            return fail_plain(parse, STATUS_TOOMANY, "is given more than 8 times");
        verb = command_verb(&text, 1, &words);
        assert(verb < VERB_COUNT);
        if (is_at_odds(request, verb))
            return fail_value(parse, STATUS_BADVALUE, "actions that do not contradict", text);
        request->u.actions[request->count++] = (uint8_t)verb;
    }
    if (request->count == 0)
        return fail_plain(parse, STATUS_ARITY, "is missing");
    return STATUS_OK;
}

/* --- CTX: pairs of a name and a value --------------------------------------------------------- */

enum context_key {
    KEY_SOURCE,
    KEY_ADDRESS,
    KEY_DEVICE,
    KEY_NETWORK,
    KEY_TIME,
    KEY_ISSUED,
    KEY_COUNT
};

static enum context_key find_key(struct resp_slice text)
{
    static const char *const names[KEY_COUNT] = {"SOURCE",  "ADDRESS", "DEVICE",
                                                  "NETWORK", "TIME",    "ISSUED"};
    uint32_t key = 0;

    while (key < KEY_COUNT && !command_same(text, command_slice(names[key])))
        key++;
    return (enum context_key)key;
}

static enum status read_client_time(struct parse *parse, struct resp_slice text)
{
    uint64_t latest_ms = (uint64_t)(parse->now_us + REQUEST_FUTURE_US) / 1000;
    uint64_t ms;

    if (!command_id(text, &ms))
        return fail_value(parse, STATUS_BADVALUE, "TIME in unix milliseconds", text);
    if (ms > latest_ms && !PLANTED("wire.future_is_fine"))
        return fail_value(parse, STATUS_BADTIME, "a TIME that is not in the future", text);
    parse->request.context.client_us = (int64_t)ms * 1000;
    return STATUS_OK;
}

/* Whether it is too long ago, or ahead, is the engine's to say: an operation id that is known has
 * its answer whenever it was sent. */
static enum status read_issued(struct parse *parse, struct resp_slice text)
{
    uint64_t ms;

    if (!command_id(text, &ms) || ms == 0 || ms > (uint64_t)INT64_MAX / 1000)
        return fail_value(parse, STATUS_BADVALUE, "ISSUED in unix milliseconds", text);
    parse->request.issued_us = (int64_t)ms * 1000;
    return STATUS_OK;
}

static enum status read_pseudonymous(struct parse *parse, struct resp_slice text,
                                     struct resp_slice *place)
{
    if (text.size > COMMAND_CONTEXT_MAX)
        return fail_value(parse, STATUS_BADVALUE, "at most 256 bytes", text);
    *place = text;
    return STATUS_OK;
}

static enum status read_pair(struct parse *parse, enum context_key key, struct resp_slice text)
{
    enum source source;

    switch (key) {
    case KEY_SOURCE:
        source = command_source(text);
        if (source == SOURCE_COUNT)
            return fail_value(parse, STATUS_BADVALUE, "a SOURCE such as button or double-tap",
                              text);
        parse->request.context.source = (uint8_t)source;
        return STATUS_OK;
    case KEY_ADDRESS:
        return read_pseudonymous(parse, text, &parse->plain.address);
    case KEY_DEVICE:
        return read_pseudonymous(parse, text, &parse->plain.device);
    case KEY_NETWORK:
        return read_pseudonymous(parse, text, &parse->plain.network);
    case KEY_TIME:
        return read_client_time(parse, text);
    case KEY_ISSUED:
        return read_issued(parse, text);
    case KEY_COUNT:
        break;
    }
    assert(false && "not a key of CTX");
    return STATUS_INTERNAL;
}

static enum status read_context(struct parse *parse)
{
    uint32_t seen = 0;

    while (parse->at < parse->count) {
        struct resp_slice name = parse->args[parse->at];
        enum context_key key = find_key(name);
        enum status status;

        if (key == KEY_COUNT)
            break;
        if (seen & 1u << key)
            return fail_value(parse, STATUS_BADVALUE, "every name once", name);
        if (parse->at + 1 == parse->count)
            return fail_value(parse, STATUS_ARITY, "a value behind the name", name);
        status = read_pair(parse, key, parse->args[parse->at + 1]);
        if (status != STATUS_OK)
            return status;
        seen |= 1u << key;
        parse->at += 2;
    }
    if (seen == 0)
        return fail_plain(parse, STATUS_ARITY,
                          "needs SOURCE, ADDRESS, DEVICE, NETWORK, TIME or ISSUED and a value");
    parse->request.flags |= REQUEST_CONTEXT;
    return STATUS_OK;
}

/* --- all arguments ---------------------------------------------------------------------------- */

static enum status read_value(struct parse *parse)
{
    struct resp_slice text = parse->args[parse->at++];

    switch ((enum command_type)parse->argument->type) {
    case TYPE_ACCOUNT:
        return read_account(parse, text);
    case TYPE_ITEM:
    case TYPE_CREATOR:
        return read_target(parse, text);
    case TYPE_MS:
        return read_ms(parse, text);
    case TYPE_TIME_MS:
        return read_time(parse, text);
    case TYPE_COUNT:
        return read_count(parse, text);
    case TYPE_CURSOR:
        return read_cursor(parse, text);
    case TYPE_OPID:
        return read_opid(parse, text);
    case TYPE_WORD:
        return read_state(parse, text);
    case TYPE_POLICY:
        return read_policy(parse, text);
    case TYPE_REGION:
        return read_region(parse, text);
    case TYPE_AMOUNT:
        return read_amount(parse, text);
    case TYPE_VERSION:
    case TYPE_CASE:
        return read_id(parse, text, &parse->request.target);
    case TYPE_TEXT:
        return read_text(parse, text);
    case TYPE_TOKEN:
        command_token(text, &parse->request.u.view);
        return STATUS_OK;
    case TYPE_FLAG:
    case TYPE_CONTEXT:
    case TYPE_AUTH:
        break;
    }
    assert(false && "verbs.def: this type has no place in a request");
    return STATUS_INTERNAL;
}

static enum status read_argument(struct parse *parse)
{
    const struct command_argument *argument = parse->argument;

    if (argument->type == TYPE_FLAG) {
        parse->request.flags |=
            argument->name.bytes[0] == 'R' ? REQUEST_RETURN : REQUEST_CONFIRMED;
        return STATUS_OK;
    }
    if (argument->type == TYPE_CONTEXT)
        return read_context(parse);
    if (parse->at == parse->count)
        return fail_plain(parse, STATUS_ARITY,
                          argument->token ? "needs a value" : "is missing");
    if (argument->multiple)
        return argument->type == TYPE_WORD ? read_actions(parse) : read_ids(parse);
    return read_value(parse);
}

static enum status read_options(struct parse *parse)
{
    const struct command_spec *spec = parse->spec;

    while (parse->at < parse->count) {
        struct resp_slice text = parse->args[parse->at];
        uint32_t bit;
        enum status status;

        parse->argument = find_option(spec, text);
        if (parse->argument == NULL && spec->positional == spec->count)
            return fail(parse, STATUS_ARITY, "", text, " is one word too many");
        if (parse->argument == NULL)
            return fail(parse, STATUS_UNKNOWNFIELD, "", text, " is not an option here");
        bit = 1u << (parse->argument - spec->arguments);
        if ((parse->seen & bit) != 0 && !PLANTED("wire.option_twice"))
            return fail_plain(parse, STATUS_BADVALUE, "is given twice");
        parse->seen |= bit;
        parse->at++;
        status = read_argument(parse);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_all(struct parse *parse)
{
    for (uint32_t i = 0; i < parse->spec->positional; i++) {
        enum status status;

        parse->argument = &parse->spec->arguments[i];
        status = read_argument(parse);
        if (status != STATUS_OK)
            return status;
    }
    return read_options(parse);
}

/* The door reads the words of service verbs itself; only how many there are is checked here. */
static enum status check_service(struct parse *parse)
{
    uint32_t given = parse->count - parse->spec->words;

    if (given < parse->spec->needed) {
        parse->argument = &parse->spec->arguments[0];
        while (parse->argument->optional)
            parse->argument++;
        return fail_plain(parse, STATUS_ARITY, "is missing");
    }
    if (given > parse->spec->count && !parse->spec->open)
        return fail(parse, STATUS_ARITY, "", parse->args[parse->count - 1],
                    " is one word too many");
    return STATUS_OK;
}

static bool is_page(uint8_t shape)
{
    return shape == SHAPE_TAKEN || shape == SHAPE_GIVEN || shape == SHAPE_ACTIVITY ||
           shape == SHAPE_CASE_LIST || shape == SHAPE_CASE_OF || shape == SHAPE_NOTICES ||
           shape == SHAPE_SHIELD || shape == SHAPE_POINTS || shape == SHAPE_CLEANUP_PREVIEW || shape == SHAPE_EXPORT ||
           shape == SHAPE_WEIGHED;
}

static enum status parse_slowly(struct parse *parse, struct request *request,
                                struct command_context *plain)
{
    size_t arena_used = parse->arena->used;
    enum status status;

    parse->request.verb = (uint16_t)parse->verb;
    if (is_page(parse->info->shape))
        parse->request.count = REQUEST_PAGE;
    if (parse->info->group == GROUP_SERVICE)
        status = check_service(parse);
    else
        status = read_all(parse);
    if (status != STATUS_OK) {
        parse->arena->used = arena_used;
        return status;
    }
    if (parse->verb == VERB_DISAVOW)
        request_disavow(&parse->request);
    /* The creator of RECEIVED is an account, and the target of the question. */
    if (parse->info->shape == SHAPE_RECEIVED)
        parse->request.account = parse->request.target;
    *request = parse->request;
    *plain = parse->plain;
    return STATUS_OK;
}

/* "VERB account target" and nothing else. False: it is not that simple, take the long way. */
static inline bool parse_quickly(enum verb verb, const struct resp_slice *args, uint32_t count,
                                 struct request *request, struct command_context *plain)
{
    uint8_t shape = verb_info(verb)->shape;
    uint64_t account;
    uint64_t target;

    if (count != 3 || (shape != SHAPE_SET && shape != SHAPE_EVENT))
        return false;
    if (!command_id(args[1], &account) || !command_id(args[2], &target))
        return false;
    memset(request, 0, sizeof *request);
    memset(plain, 0, sizeof *plain);
    request->verb = (uint16_t)verb;
    request->account = account;
    request->target = target;
    return true;
}

enum status command_parse(const struct resp_slice *args, uint32_t count, int64_t now_us,
                          struct arena *arena, struct request *request,
                          struct command_context *plain, struct command_error *error)
{
    uint32_t words = 0;
    enum verb verb = command_verb(args, count, &words);

    assert(count > 0 && now_us >= 0);
    if (verb != VERB_COUNT && parse_quickly(verb, args, count, request, plain))
        return STATUS_OK;

    struct parse parse = {.args = args, .count = count, .at = words, .now_us = now_us,
                          .arena = arena, .verb = verb, .error = error};

    if (verb == VERB_COUNT)
        return fail_unknown(&parse);
    parse.info = verb_info(verb);
    parse.spec = command_spec(verb);
    return parse_slowly(&parse, request, plain);
}
