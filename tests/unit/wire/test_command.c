/* Words to requests: what each command takes, and what is said to words it does not take.
 *
 * Words are given as a line, as one would type them; the request comes back as a line too. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "wire/command.h"
#include "wire/command_spec.h"

#define NOW_US    1700000000000000LL
#define TEXT_SIZE 1024

struct asked {
    char line[8192]; /* the words lie in here */
    struct resp_slice args[RESP_ARGS_MAX];
    uint32_t count;
    uint8_t memory[16384] __attribute__((aligned(16)));
    struct arena arena;
    struct request request;
    struct command_context plain;
    struct command_error error;
    enum status status;
};

static void split(struct asked *asked, const char *line)
{
    static const struct resp_limits limits = {RESP_ARGS_MAX, RESP_BULK_MAX, true};
    struct resp_command command = {.args = asked->args};
    size_t size = strlen(line);

    assert_true(size + 2 < sizeof asked->line);
    memcpy(asked->line, line, size);
    memcpy(asked->line + size, "\r\n", 3);
    assert_int_equal(resp_parse((const uint8_t *)asked->line, size + 2, &limits, &command), RESP_OK);
    asked->count = command.count;
}

static struct asked *ask(const char *line)
{
    static struct asked asked;

    memset(&asked, 0, sizeof asked);
    split(&asked, line);
    asked.arena = (struct arena){.bytes = asked.memory, .size = sizeof asked.memory};
    asked.status = command_parse(asked.args, asked.count, NOW_US, &asked.arena, &asked.request,
                                 &asked.plain, &asked.error);
    return &asked;
}

static void add(char *text, const char *name, uint64_t value)
{
    size_t used = strlen(text);

    snprintf(text + used, TEXT_SIZE - used, " %s=%" PRIu64, name, value);
}

static void add_slice(char *text, const char *name, struct resp_slice slice)
{
    size_t used = strlen(text);

    if (slice.size > 0)
        snprintf(text + used, TEXT_SIZE - used, " %s='%.*s'", name, (int)slice.size, slice.bytes);
}

static void add_union(char *text, const struct request *request)
{
    switch ((enum verb_shape)verb_table[request->verb].shape) {
    case SHAPE_VIEW:
        add(text, "watch", request->u.view.watch_ms);
        add(text, "video", request->u.view.duration_ms);
        break;
    case SHAPE_ACT:
        for (uint32_t i = 0; i < request->count; i++)
            snprintf(text + strlen(text), TEXT_SIZE - strlen(text), " %s",
                     verb_table[request->u.actions[i]].name);
        break;
    case SHAPE_ITEM_SET:
    case SHAPE_ITEM_STATE:
        if (request->flags & REQUEST_HAS_CREATOR)
            add(text, "creator", request->u.item.creator);
        if (request->flags & REQUEST_HAS_DURATION)
            add(text, "duration", request->u.item.duration_ms);
        if (request->flags & REQUEST_HAS_STATE)
            add(text, "state", request->u.item.state);
        break;
    case SHAPE_ACCOUNT_STATE:
        add(text, "state", request->u.restriction.state);
        if (request->flags & REQUEST_HAS_UNTIL)
            add(text, "until", (uint64_t)request->u.restriction.until_us);
        break;
    case SHAPE_ACCOUNT_SET:
        if (request->flags & REQUEST_HAS_VISIBLE)
            add(text, "visible", request->u.portrait.visibility);
        if (request->flags & REQUEST_HAS_TIER)
            add(text, "tier", request->u.portrait.tier);
        if (request->flags & REQUEST_HAS_CREATED)
            add(text, "created", (uint64_t)request->u.portrait.created_us);
        if (request->u.portrait.has_region)
            add(text, "region", request->u.portrait.region);
        break;
    case SHAPE_STATES:
    case SHAPE_TOTALS:
        for (uint32_t i = 0; i < request->count; i++)
            add(text, "id", request->u.ids[i]);
        break;
    case SHAPE_TAKEN:
    case SHAPE_GIVEN:
    case SHAPE_ACTIVITY:
        add(text, "count", request->count);
        if (request->flags & REQUEST_HAS_CURSOR)
            add(text, "cursor", request->u.cursor);
        break;
    default:
        break;
    }
}

static const char *tell(const struct asked *asked)
{
    static char text[TEXT_SIZE];
    const struct request *request = &asked->request;

    if (asked->status != STATUS_OK) {
        assert_int_equal(asked->status, asked->error.status);
        snprintf(text, sizeof text, "%s %s", status_info(asked->status)->code, asked->error.detail);
        return text;
    }
    snprintf(text, sizeof text, "%s", verb_table[request->verb].name);
    if (request->account != 0)
        add(text, "account", request->account);
    if (request->target != 0)
        add(text, "target", request->target);
    add_union(text, request);
    if (request->flags & REQUEST_RETURN)
        snprintf(text + strlen(text), TEXT_SIZE - strlen(text), " return");
    if (request->flags & REQUEST_OPID)
        snprintf(text + strlen(text), TEXT_SIZE - strlen(text), " opid=%016" PRIx64 "%016" PRIx64,
                 request->opid[0], request->opid[1]);
    if (request->flags & REQUEST_CONTEXT) {
        add(text, "source", request->context.source);
        add(text, "client", (uint64_t)request->context.client_us);
        add_slice(text, "address", asked->plain.address);
        add_slice(text, "device", asked->plain.device);
        add_slice(text, "network", asked->plain.network);
        if (request->issued_us != 0)
            add(text, "issued", (uint64_t)request->issued_us);
    }
    return text;
}

struct row {
    const char *words;
    const char *told;
};

#define UUID "01890a5d-ac96-774b-bcce-b302099a8057"

static const struct row rows[] = {
    /* writes that set a state */
    {"LIKE 1 2", "LIKE account=1 target=2"},
    {"like 18446744073709551615 18446744073709551615",
     "LIKE account=18446744073709551615 target=18446744073709551615"},
    {"Unlike 007 00", "UNLIKE account=7"},
    {"FAVORITE 1 2", "FAVORITE account=1 target=2"},
    {"UNFAVORITE 1 2 RETURN", "UNFAVORITE account=1 target=2 return"},
    {"FOLLOW 1 2", "FOLLOW account=1 target=2"},
    {"UNFOLLOW 1 2 return", "UNFOLLOW account=1 target=2 return"},
    {"REPORT 1 2", "REPORT account=1 target=2"},
    {"LIKE 1 2 OPID " UUID, "LIKE account=1 target=2 opid=01890a5dac96774bbcceb302099a8057"},
    {"LIKE 1 2 opid 01890A5DAC96774BBCCEB302099A8057 RETURN",
     "LIKE account=1 target=2 return opid=01890a5dac96774bbcceb302099a8057"},
    {"LIKE 1 2 RETURN OPID " UUID " CTX SOURCE button",
     "LIKE account=1 target=2 return opid=01890a5dac96774bbcceb302099a8057 source=1 client=0"},
    {"LIKE 1 2 CTX SOURCE Double-Tap ADDRESS ::1 DEVICE d NETWORK n TIME 1699999999999 RETURN",
     "LIKE account=1 target=2 return source=2 client=1699999999999000 address='::1' device='d' "
     "network='n'"},
    {"LIKE 1 2 CTX TIME 0 OPID " UUID,
     "LIKE account=1 target=2 opid=01890a5dac96774bbcceb302099a8057 source=0 client=0"},
    {"LIKE 1 2 CTX DEVICE RETURN", "LIKE account=1 target=2 source=0 client=0 device='RETURN'"},
    {"LIKE 1 2 CTX NETWORK \"\" SOURCE none", "LIKE account=1 target=2 source=0 client=0"},
    {"LIKE 1 2 CTX TIME 1700000300000", "LIKE account=1 target=2 source=0 client=1700000300000000"},
    {"LIKE 1 2 CTX DEVICE d ISSUED 1600000000000",
     "LIKE account=1 target=2 source=0 client=0 device='d' issued=1600000000000000"},
    {"LIKE 1 2 CTX ISSUED 9000000000000000",
     "LIKE account=1 target=2 source=0 client=0 issued=9000000000000000000"},
    {"LIKE 1 2 CTX ISSUED 0",
     "BADVALUE option 'CTX': expected ISSUED in unix milliseconds, got '0'"},
    {"LIKE 1 2 CTX ISSUED 9223372036854776",
     "BADVALUE option 'CTX': expected ISSUED in unix milliseconds, got '9223372036854776'"},
    {"LIKE 1 2 CTX ISSUED now",
     "BADVALUE option 'CTX': expected ISSUED in unix milliseconds, got 'now'"},
    {"LIKE 1 2 OPID RETURN RETURN",
     "LIKE account=1 target=2 return opid=c3172d0be78c87a4a8dab757679cd775"},

    {"LIKE", "ARITY argument 'account' is missing"},
    {"LIKE 1", "ARITY argument 'item' is missing"},
    {"FOLLOW 1", "ARITY argument 'creator' is missing"},
    {"LIKE 1 2 3", "UNKNOWNFIELD '3' is not an option here"},
    {"LIKE 1 2 FROM button", "UNKNOWNFIELD 'FROM' is not an option here"},
    {"LIKE 1 2 RETURN 3", "UNKNOWNFIELD '3' is not an option here"},
    {"LIKE 1 2 CTX SOURCE button COLOR red", "UNKNOWNFIELD 'COLOR' is not an option here"},
    {"LIKE x 2", "BADID argument 'account': expected an unsigned 64-bit integer, got 'x'"},
    {"LIKE 1 -2", "BADID argument 'item': expected an unsigned 64-bit integer, got '-2'"},
    {"LIKE 1 +2", "BADID argument 'item': expected an unsigned 64-bit integer, got '+2'"},
    {"LIKE 1 \" 2\"", "BADID argument 'item': expected an unsigned 64-bit integer, got ' 2'"},
    {"LIKE 1 \"\"", "BADID argument 'item': expected an unsigned 64-bit integer, got ''"},
    {"LIKE 1 18446744073709551616",
     "BADID argument 'item': expected an unsigned 64-bit integer, got '18446744073709551616'"},
    {"LIKE 1 000000000000000000001",
     "BADID argument 'item': expected an unsigned 64-bit integer, got '000000000000000000001'"},
    {"LIKE 1 \"2\\x00\"", "BADID argument 'item': expected an unsigned 64-bit integer, got '2?'"},
    {"LIKE 1 1e3", "BADID argument 'item': expected an unsigned 64-bit integer, got '1e3'"},
    {"FOLLOW 1 bob", "BADID argument 'creator': expected an unsigned 64-bit integer, got 'bob'"},
    {"LIKE 1 2 OPID", "ARITY option 'OPID' needs a value"},
    {"LIKE 1 2 OPID \"\"", "BADOPID option 'OPID': expected a UUID or 1 to 64 printable bytes, got ''"},
    {"LIKE 1 2 OPID \"\\x01\"",
     "BADOPID option 'OPID': expected a UUID or 1 to 64 printable bytes, got '?'"},
    {"LIKE 1 2 OPID \xE8\xB5\x9E",
     "BADOPID option 'OPID': expected a UUID or 1 to 64 printable bytes, got '??" "?'"},
    {"LIKE 1 2 RETURN RETURN", "BADVALUE option 'RETURN' is given twice"},
    {"LIKE 1 2 OPID a opid a", "BADVALUE option 'OPID' is given twice"},
    {"LIKE 1 2 CTX SOURCE voice CTX TIME 1", "BADVALUE option 'CTX' is given twice"},
    {"LIKE 1 2 CTX",
     "ARITY option 'CTX' needs SOURCE, ADDRESS, DEVICE, NETWORK, TIME or ISSUED and a value"},
    {"LIKE 1 2 CTX RETURN",
     "ARITY option 'CTX' needs SOURCE, ADDRESS, DEVICE, NETWORK, TIME or ISSUED and a value"},
    {"LIKE 1 2 CTX SOURCE", "ARITY option 'CTX': expected a value behind the name, got 'SOURCE'"},
    {"LIKE 1 2 CTX SOURCE tap",
     "BADVALUE option 'CTX': expected a SOURCE such as button or double-tap, got 'tap'"},
    {"LIKE 1 2 CTX DEVICE a DEVICE b",
     "BADVALUE option 'CTX': expected every name once, got 'DEVICE'"},
    {"LIKE 1 2 CTX TIME noon",
     "BADVALUE option 'CTX': expected TIME in unix milliseconds, got 'noon'"},
    {"LIKE 1 2 CTX TIME 1700000300001",
     "BADTIME option 'CTX': expected a TIME that is not in the future, got '1700000300001'"},
    {"LIKE 1 2 CTX TIME 18446744073709551615",
     "BADTIME option 'CTX': expected a TIME that is not in the future, got "
     "'18446744073709551615'"},

    /* events */
    {"SHARE 1 2", "SHARE account=1 target=2"},
    {"COMMENT 1 2 OPID " UUID, "COMMENT account=1 target=2 opid=01890a5dac96774bbcceb302099a8057"},
    {"SKIP 1 2 RETURN", "SKIP account=1 target=2 return"},
    {"VIEW 1 2 1500 60000", "VIEW account=1 target=2 watch=1500 video=60000"},
    {"VIEW 1 2 0 0", "VIEW account=1 target=2 watch=0 video=0"},
    {"VIEW 1 2 86400000 86400000 RETURN",
     "VIEW account=1 target=2 watch=86400000 video=86400000 return"},
    {"VIEW 1 2", "ARITY argument 'watch_ms' is missing"},
    {"VIEW 1 2 3", "ARITY argument 'duration_ms' is missing"},
    {"VIEW 1 2 RETURN", "BADVALUE argument 'watch_ms': expected milliseconds, got 'RETURN'"},
    {"VIEW 1 2 3 -4", "BADVALUE argument 'duration_ms': expected milliseconds, got '-4'"},
    {"VIEW 1 2 86400001 1", "BADWATCH argument 'watch_ms': expected at most 86400000, got '86400001'"},
    {"VIEW 1 2 1 4294967296",
     "BADWATCH argument 'duration_ms': expected at most 86400000, got '4294967296'"},

    /* several at once */
    {"ACT 1 2 LIKE", "ACT account=1 target=2 LIKE"},
    {"ACT 1 2 like favorite share comment",
     "ACT account=1 target=2 LIKE FAVORITE SHARE COMMENT"},
    {"ACT 1 2 UNLIKE UNFAVORITE REPORT SHARE COMMENT SKIP RETURN",
     "ACT account=1 target=2 UNLIKE UNFAVORITE REPORT SHARE COMMENT SKIP return"},
    {"ACT 1 2", "ARITY argument 'action' is missing"},
    {"ACT 1 2 RETURN", "ARITY argument 'action' is missing"},
    {"ACT 1 2 LIKE LIKE",
     "BADVALUE argument 'action': expected actions that do not contradict, got 'LIKE'"},
    {"ACT 1 2 LIKE SHARE UNLIKE",
     "BADVALUE argument 'action': expected actions that do not contradict, got 'UNLIKE'"},
    {"ACT 1 2 UNFAVORITE FAVORITE",
     "BADVALUE argument 'action': expected actions that do not contradict, got 'FAVORITE'"},
    {"ACT 1 2 SHARE SHARE",
     "BADVALUE argument 'action': expected actions that do not contradict, got 'SHARE'"},
    {"ACT 1 2 FOLLOW",
     "BADVALUE argument 'action': expected "
     "LIKE|UNLIKE|FAVORITE|UNFAVORITE|REPORT|SHARE|COMMENT|SKIP, got 'FOLLOW'"},
    {"ACT 1 2 LIKE RETURN SHARE", "UNKNOWNFIELD 'SHARE' is not an option here"},

    /* items and accounts */
    {"ITEM SET 5", "ITEM SET target=5"},
    {"item set 5 creator 0 duration 60000 state private",
     "ITEM SET target=5 creator=0 duration=60000 state=1"},
    {"ITEM SET 5 STATE REMOVED RETURN CREATOR 8", "ITEM SET target=5 creator=8 state=2 return"},
    {"ITEM SET 5 CREATOR 1 CREATOR 2", "BADVALUE option 'CREATOR' is given twice"},
    {"ITEM SET 5 CREATOR", "ARITY option 'CREATOR' needs a value"},
    {"ITEM SET 5 CREATOR x",
     "BADID option 'CREATOR': expected an unsigned 64-bit integer, got 'x'"},
    {"ITEM SET 5 DURATION 86400001",
     "BADWATCH option 'DURATION': expected at most 86400000, got '86400001'"},
    {"ITEM SET 5 STATE gone",
     "BADVALUE option 'STATE': expected published|private|removed, got 'gone'"},
    {"ITEM SET", "ARITY argument 'item' is missing"},
    {"ITEM STATE 5 published", "ITEM STATE target=5 state=0"},
    {"ITEM STATE 5", "ARITY argument 'state' is missing"},
    {"ITEM STATE 5 active",
     "BADVALUE argument 'state': expected published|private|removed, got 'active'"},
    {"ACCOUNT SET 4 RETURN", "ACCOUNT SET account=4 return"},
    {"ACCOUNT SET 4 TIER elder REGION cN", "ACCOUNT SET account=4 tier=2 region=899"},
    {"ACCOUNT SET 4 REGION none", "ACCOUNT SET account=4 region=0"},
    {"ACCOUNT SET 4 REGION c",
     "BADVALUE option 'REGION': expected a region such as cn or eu-west, or none, got 'c'"},
    {"ACCOUNT STATE 4 active", "ACCOUNT STATE account=4 state=0"},
    {"ACCOUNT STATE 4 like-banned UNTIL 1800000000000",
     "ACCOUNT STATE account=4 state=1 until=1800000000000000"},
    {"ACCOUNT STATE 4 Suspended UNTIL 0 RETURN", "ACCOUNT STATE account=4 state=2 until=0 return"},
    {"ACCOUNT STATE 4 banned",
     "BADVALUE argument 'state': expected active|like-banned|suspended, got 'banned'"},
    {"ACCOUNT STATE 4 suspended UNTIL tomorrow",
     "BADVALUE option 'UNTIL': expected unix milliseconds, got 'tomorrow'"},
    {"ACCOUNT STATE 4 suspended UNTIL 9223372036854776",
     "BADVALUE option 'UNTIL': expected unix milliseconds, got '9223372036854776'"},
    {"ITEM GET 5", "ITEM GET target=5"},
    {"ACCOUNT GET 5", "ACCOUNT GET account=5"},
    {"ITEM", "ARITY 'ITEM' needs a second word: SET, STATE, TAG or GET"},
    {"account", "ARITY 'account' needs a second word: SET, STATE, REVOKE, ERASE, KEEP, PURGE, GET "
                "or EXPORT"},
    {"ITEM DROP 5", "UNKNOWNCMD ITEM has SET, STATE, TAG and GET, not 'DROP'"},
    {"NOTICE", "ARITY 'NOTICE' needs a second word: READ"},
    {"NOTICE FOO", "UNKNOWNCMD NOTICE has READ, not 'FOO'"},
    {"CLEANUP FOO", "UNKNOWNCMD CLEANUP has RUN, UNDO and PREVIEW, not 'FOO'"},
    {"CASE", "ARITY 'CASE' needs a second word: OPEN, PROPOSE, APPROVE, REJECT, APPEAL, GET, LIST, "
             "OF, LIKES or OWN"},
    {"POLICY FOO 1", "UNKNOWNCMD POLICY has PROPOSE, APPROVE, REJECT, SHADOW, WITHDRAW, SHOW, GET, "
                     "DIFF and LIST, not 'FOO'"},
    {"LIKEFOO SET", "UNKNOWNCMD 'LIKEFOO'"},

    /* reads */
    {"LIKED 1 2", "LIKED account=1 id=2"},
    {"LIKED 1 2 3 3 18446744073709551615",
     "LIKED account=1 id=2 id=3 id=3 id=18446744073709551615"},
    {"FOLLOWED 1 2 3", "FOLLOWED account=1 id=2 id=3"},
    {"LIKED 1", "ARITY argument 'item' is missing"},
    {"LIKED 1 2 x", "BADID argument 'item': expected an unsigned 64-bit integer, got 'x'"},
    {"LIKED 1 2 RETURN", "BADID argument 'item': expected an unsigned 64-bit integer, got 'RETURN'"},
    {"LIKES 1", "LIKES id=1"},
    {"FOLLOWS 1 2", "FOLLOWS id=1 id=2"},
    {"LIKES", "ARITY argument 'item' is missing"},
    {"COUNTS 7", "COUNTS target=7"},
    {"COUNTS 7 8", "ARITY '8' is one word too many"},
    {"RECEIVED 7", "RECEIVED account=7 target=7"},
    {"LIKERS 7", "LIKERS target=7 count=100"},
    {"LIKERS 7 CURSOR 12 COUNT 1000", "LIKERS target=7 count=1000 cursor=12"},
    {"FOLLOWERS 7 COUNT 1 CURSOR 18446744073709551615",
     "FOLLOWERS target=7 count=1 cursor=18446744073709551615"},
    {"LIKEDBY 7 CURSOR 0", "LIKEDBY account=7 count=100"},
    {"LIKERS 7 COUNT 0", "BADVALUE option 'COUNT': expected 1 to 1000, got '0'"},
    {"LIKERS 7 COUNT 1001", "BADVALUE option 'COUNT': expected 1 to 1000, got '1001'"},
    {"LIKERS 7 COUNT -1", "BADVALUE option 'COUNT': expected 1 to 1000, got '-1'"},
    {"LIKERS 7 CURSOR next",
     "BADCURSOR option 'CURSOR': expected the cursor of an earlier reply, got 'next'"},
    {"LIKERS 7 CURSOR", "ARITY option 'CURSOR' needs a value"},
    {"LIKERS 7 8", "UNKNOWNFIELD '8' is not an option here"},
    {"SEQ", "SEQ"},
    {"SEQ 1", "ARITY '1' is one word too many"},

    /* the door's own: only counted here */
    {"PING", "PING"},
    {"PING hello", "PING"},
    {"PING a b", "ARITY 'b' is one word too many"},
    {"ECHO", "ARITY argument 'message' is missing"},
    {"ECHO a b", "ARITY 'b' is one word too many"},
    {"AUTH k", "AUTH"},
    {"AUTH n k", "AUTH"},
    {"AUTH", "ARITY argument 'key' is missing"},
    {"AUTH a b c", "ARITY 'c' is one word too many"},
    {"HELLO 3 AUTH a b SETNAME c", "HELLO"},
    {"CLIENT", "ARITY argument 'subcommand' is missing"},
    {"CLIENT SETINFO LIB-NAME x", "CLIENT"},
    {"COMMAND", "COMMAND"},
    {"COMMAND DOCS a b c d", "COMMAND"},
    {"QUIT", "QUIT"},
    {"QUIT now", "ARITY 'now' is one word too many"},
    {"SELECT 0", "SELECT"},

    /* no such thing */
    {"GET 1", "UNKNOWNCMD 'GET'"},
    {"LIKEE 1 2", "UNKNOWNCMD 'LIKEE'"},
    {"LIK 1 2", "UNKNOWNCMD 'LIK'"},
    {"\"\" 1 2", "UNKNOWNCMD ''"},
    {"\"ITEM SET\" 5", "UNKNOWNCMD 'ITEM SET'"},
    {"\"ITEM\\x00SET\" 5", "UNKNOWNCMD 'ITEM?SET'"},
    {"ITEM|SET 5", "UNKNOWNCMD 'ITEM|SET'"},
    {"\"LIKE\\r\\n+O\" 1 2", "UNKNOWNCMD 'LIKE??+O'"},
    /* What may be a key or an address is not repeated. */
    {"0123456789abcdef 1 2", "UNKNOWNCMD '16 bytes'"},
    {"LIKE 203.0.113.77 2",
     "BADID argument 'account': expected an unsigned 64-bit integer, got '12 bytes'"},
    {"LIKE 1 2 correct-horse", "UNKNOWNFIELD '13 bytes' is not an option here"},
    {"UNFAVOURITE 1 2", "UNKNOWNCMD 'UNFAVOURITE'"},
};

static void every_row_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *told = tell(ask(rows[i].words));

        if (strcmp(told, rows[i].told) != 0)
            fail_msg("%s\n  told:     %s\n  expected: %s", rows[i].words, told, rows[i].told);
    }
}

/* --- verbs ------------------------------------------------------------------------------------ */

static enum verb naive_verb(const char *name)
{
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        if (strcasecmp(verb_table[verb].name, name) == 0)
            return (enum verb)verb;
    }
    return VERB_COUNT;
}

static enum verb verb_of(const char *text, uint32_t *words)
{
    static struct asked asked;

    split(&asked, text);
    return command_verb(asked.args, asked.count, words);
}

static void every_verb_is_found_in_any_case(void **state)
{
    struct test_random random = {test_seed(6)};
    uint32_t words;

    (void)state;
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        for (int round = 0; round < 20; round++) {
            char name[32];

            snprintf(name, sizeof name, "%s", verb_table[verb].name);
            for (char *at = name; *at != '\0'; at++) {
                if (test_random_below(&random, 2) == 0)
                    *at = (char)tolower(*at);
            }
            assert_int_equal(verb_of(name, &words), verb);
            assert_int_equal(words, strchr(name, ' ') != NULL ? 2 : 1);
        }
    }
    assert_int_equal(command_verb(NULL, 0, &words), VERB_COUNT);
}

/* A name with one byte changed, added or taken away is what a plain comparison says it is. */
static void near_misses_are_missed(void **state)
{
    struct test_random random = {test_seed(7)};

    (void)state;
    for (int round = 0; round < 200000; round++) {
        const char *name = verb_table[test_random_below(&random, VERB_COUNT)].name;
        char text[32];
        size_t size = strlen(name);
        size_t at = test_random_below(&random, size);
        struct resp_slice word = {.bytes = text};
        uint32_t words;
        enum verb expected;

        snprintf(text, sizeof text, "%s", name);
        switch (test_random_below(&random, 3)) {
        case 0:
            text[at] = (char)(1 + test_random_below(&random, 255));
            break;
        case 1:
            memmove(text + at, text + at + 1, size - at);
            break;
        default:
            memmove(text + at + 1, text + at, size - at + 1);
            text[at] = (char)(1 + test_random_below(&random, 255));
            break;
        }
        word.size = (uint32_t)strlen(text);
        expected = strchr(text, ' ') != NULL ? VERB_COUNT : naive_verb(text);
        assert_int_equal(command_verb(&word, 1, &words), expected);
    }
}

/* --- numbers ---------------------------------------------------------------------------------- */

static bool naive_id(const char *text, size_t size, uint64_t *id)
{
    __extension__ unsigned __int128 value = 0;

    if (size == 0 || size > 20)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *id = (uint64_t)value;
    return value <= UINT64_MAX;
}

static void ids_are_those_of_a_plain_loop(void **state)
{
    struct test_random random = {test_seed(8)};

    (void)state;
    for (int round = 0; round < 500000; round++) {
        size_t size = test_random_below(&random, 23);
        char *text = malloc(size + 1); /* of that size, so that a sanitizer sees one byte more */
        uint64_t expected = 0;
        uint64_t id = 0;
        bool good;

        for (size_t i = 0; i < size; i++)
            text[i] = (char)('0' + test_random_below(&random, 10));
        if (size == 20 && test_random_below(&random, 2) == 0)
            memcpy(text, "184467440737095516", 18);
        if (size > 0 && test_random_below(&random, 4) == 0)
            text[test_random_below(&random, size)] = (char)test_random_next(&random);
        good = naive_id(text, size, &expected);
        assert_int_equal(command_id((struct resp_slice){text, (uint32_t)size}, &id), good);
        if (good)
            assert_int_equal(id, expected);
        free(text);
    }
}

static bool opid_of(const char *text, uint64_t opid[2])
{
    return command_opid(command_slice(text), opid);
}

static void operation_ids(void **state)
{
    char long_text[66];
    uint64_t a[2];
    uint64_t b[2];

    (void)state;
    assert_true(opid_of(UUID, a));
    assert_int_equal(a[0], 0x01890a5dac96774bULL);
    assert_int_equal(a[1], 0xbcceb302099a8057ULL);
    assert_true(opid_of("01890A5Dac96774bBCCEb302099A8057", b));
    assert_memory_equal(a, b, sizeof a);

    /* SHA-256("abc") begins ba7816bf 8f01cfea 414140de 5dae2223 (FIPS 180-2); marked as UUID 8. */
    assert_true(opid_of("abc", a));
    assert_int_equal(a[0], 0xba7816bf8f018feaULL);
    assert_int_equal(a[1], 0x814140de5dae2223ULL);

    /* Nearly a UUID is a text like any other. */
    assert_true(opid_of("01890a5d-ac96-774b-bcce-b302099a805g", b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(opid_of("01890a5d-ac96-774b-bcceb302099a80577", b));
    assert_true(opid_of("01890a5d_ac96-774b-bcce-b302099a8057", b));

    memset(long_text, 'x', sizeof long_text);
    long_text[65] = '\0';
    assert_false(opid_of(long_text, b));
    long_text[64] = '\0';
    assert_true(opid_of(long_text, b));
    assert_false(opid_of("", b));
    assert_false(opid_of("a\nb", b));
    assert_false(opid_of("\x7F", b));
    assert_true(opid_of(" ", b));
}

static void sources(void **state)
{
    (void)state;
    for (int source = 0; source < SOURCE_COUNT; source++)
        assert_int_equal(command_source(command_slice(source_name((enum source)source))), source);
    assert_int_equal(command_source(command_slice("DOUBLE-TAP")), SOURCE_DOUBLE_TAP);
    assert_int_equal(command_source(command_slice("")), SOURCE_COUNT);
    assert_int_equal(command_source(command_slice("butto")), SOURCE_COUNT);
}

/* --- limits and failures ---------------------------------------------------------------------- */

/* Asks LIKES for count ids with an arena of arena_size bytes. */
static enum status ask_many(uint32_t count, size_t arena_size, struct request *request,
                            struct arena *arena, struct command_error *error)
{
    static struct resp_slice args[RESP_ARGS_MAX];
    static uint8_t memory[16384] __attribute__((aligned(16)));
    struct command_context plain;

    args[0] = command_slice("LIKES");
    for (uint32_t i = 1; i <= count; i++)
        args[i] = command_slice("12345678901234567890");
    *arena = (struct arena){.bytes = memory, .size = arena_size, .used = 16};
    return command_parse(args, count + 1, NOW_US, arena, request, &plain, error);
}

static void as_many_ids_as_allowed(void **state)
{
    struct request request;
    struct command_error error;
    struct arena arena;

    (void)state;
    assert_int_equal(ask_many(1024, 16384, &request, &arena, &error), STATUS_OK);
    assert_int_equal(request.count, 1024);
    assert_int_equal(request.u.ids[1023], 12345678901234567890ULL);
    assert_int_equal(arena.used, 16 + 8192);
    assert_int_equal(ask_many(1025, 16384, &request, &arena, &error), STATUS_TOOMANY);
    assert_int_equal(error.status, STATUS_TOOMANY);
    assert_string_equal(error.detail, "argument 'item' is given more than 1024 times");
    assert_int_equal(arena.used, 16);
}

static void no_room_is_busy_and_leaves_no_trace(void **state)
{
    struct request request;
    struct request before;
    struct command_error error;
    struct arena arena;

    (void)state;
    memset(&request, 0xA5, sizeof request);
    memcpy(&before, &request, sizeof request);
    assert_int_equal(ask_many(100, 500, &request, &arena, &error), STATUS_BUSY);
    assert_int_equal(arena.used, 16);
    assert_memory_equal(&request, &before, sizeof request);
}

static void refused_words_leave_no_trace(void **state)
{
    static struct asked asked;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request before;
        struct command_context plain_before;

        memset(&asked, 0xA5, sizeof asked);
        asked.arena = (struct arena){.bytes = asked.memory, .size = sizeof asked.memory};
        memcpy(&before, &asked.request, sizeof before);
        memcpy(&plain_before, &asked.plain, sizeof plain_before);
        split(&asked, rows[i].words);
        if (command_parse(asked.args, asked.count, NOW_US, &asked.arena, &asked.request,
                          &asked.plain, &asked.error) == STATUS_OK)
            continue;
        assert_memory_equal(&before, &asked.request, sizeof before);
        assert_memory_equal(&plain_before, &asked.plain, sizeof plain_before);
        assert_int_equal(asked.arena.used, 0);
    }
}

static void long_words_are_not_repeated_in_errors(void **state)
{
    char line[1100] = "LIKE 1 ";
    const struct asked *asked;

    (void)state;
    memset(line + 7, 'z', 1000);
    asked = ask(line);
    assert_int_equal(asked->status, STATUS_BADID);
    assert_non_null(strstr(asked->error.detail, "'1000 bytes'"));
    memset(line, 'z', 1000);
    asked = ask(line);
    assert_int_equal(asked->status, STATUS_UNKNOWNCMD);
    assert_string_equal(asked->error.detail, "'1007 bytes'");
}

static void long_circumstances_are_refused(void **state)
{
    char line[1100] = "LIKE 1 2 CTX DEVICE ";
    size_t size = strlen(line);

    (void)state;
    memset(line + size, 'd', 256);
    assert_int_equal(ask(line)->status, STATUS_OK);
    line[size + 256] = 'd';
    assert_int_equal(ask(line)->status, STATUS_BADVALUE);
}

/* --- from the table --------------------------------------------------------------------------- */

/* A good word for an argument. */
static const char *sample(const struct command_argument *argument, char *text, size_t room)
{
    struct resp_slice words = argument->words;
    struct resp_slice word;

    switch ((enum command_type)argument->type) {
    case TYPE_WORD:
        assert_true(command_next_word(&words, &word));
        snprintf(text, room, "%.*s", (int)word.size, word.bytes);
        return text;
    case TYPE_CONTEXT:
        return "SOURCE voice";
    case TYPE_REGION:
        return "eu";
    case TYPE_FLAG:
        return "";
    default:
        return "7";
    }
}

/* All needed words are enough, one less is ARITY; and every option is taken, with them. */
static void every_verb_takes_what_its_row_says(void **state)
{
    (void)state;
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        const struct command_spec *spec = command_spec((enum verb)verb);
        char line[256];
        char word[64];

        if (verb_table[verb].group == GROUP_SERVICE)
            continue;
        snprintf(line, sizeof line, "%s", verb_table[verb].name);
        for (uint32_t i = 0; i < spec->positional; i++) {
            assert_int_equal(ask(line)->status, STATUS_ARITY);
            snprintf(line + strlen(line), sizeof line - strlen(line), " %s",
                     sample(&spec->arguments[i], word, sizeof word));
        }
        assert_int_equal(ask(line)->status, STATUS_OK);
        assert_int_equal(ask(line)->request.verb, verb);
        for (uint32_t i = spec->positional; i < spec->count; i++) {
            snprintf(line + strlen(line), sizeof line - strlen(line), " %.*s %s",
                     (int)spec->arguments[i].name.size, spec->arguments[i].name.bytes,
                     sample(&spec->arguments[i], word, sizeof word));
            assert_int_equal(ask(line)->status, STATUS_OK);
        }
    }
}

/* Options mean the same in every order. */
static void options_come_in_any_order(void **state)
{
    static const char *const options[] = {"RETURN", ("OPID " UUID), "CTX SOURCE voice TIME 5"};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    char first[TEXT_SIZE] = "";

    (void)state;
    for (int i = 0; i < 6; i++) {
        char line[256];

        snprintf(line, sizeof line, "LIKE 1 2 %s %s %s", options[orders[i][0]],
                 options[orders[i][1]], options[orders[i][2]]);
        if (i == 0)
            snprintf(first, sizeof first, "%s", tell(ask(line)));
        assert_string_equal(tell(ask(line)), first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_told),
        cmocka_unit_test(every_verb_is_found_in_any_case),
        cmocka_unit_test(near_misses_are_missed),
        cmocka_unit_test(ids_are_those_of_a_plain_loop),
        cmocka_unit_test(operation_ids),
        cmocka_unit_test(sources),
        cmocka_unit_test(as_many_ids_as_allowed),
        cmocka_unit_test(no_room_is_busy_and_leaves_no_trace),
        cmocka_unit_test(refused_words_leave_no_trace),
        cmocka_unit_test(long_words_are_not_repeated_in_errors),
        cmocka_unit_test(long_circumstances_are_refused),
        cmocka_unit_test(every_verb_takes_what_its_row_says),
        cmocka_unit_test(options_come_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
