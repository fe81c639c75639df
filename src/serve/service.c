/* Handshake, login and help. The words and shapes are those of Redis 7, because clients check them.
 */
#include "serve/service.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hook.h"
#include "wire/command.h"

/* --- helpers -------------------------------------------------------------------------------------
 */

void service_refuse(struct service *service, enum status status, const char *detail)
{
    uint8_t bytes[RESP_ERROR_BYTES_MAX];

    resp_out_raw(&service->out, bytes, resp_error(status, detail, bytes));
    service->status = status;
    if (status_info(status)->close)
        service->close = true;
}

bool service_word(const struct service *service, uint32_t index, const char *word)
{
    return index < service->count && service->args[index].size == strlen(word) &&
           strncasecmp(service->args[index].bytes, word, strlen(word)) == 0;
}

void service_verbatim(struct service *service, const char *text, size_t size)
{
    char head[40];
    int length;

    if (service->out.protocol < 3) {
        resp_out_bulk(&service->out, text, size);
        return;
    }
    length = snprintf(head, sizeof head, "=%zu\r\ntxt:", size + 4);
    resp_out_raw(&service->out, head, (size_t)length);
    resp_out_raw(&service->out, text, size);
    resp_out_raw(&service->out, "\r\n", 2);
}

/* Does byte stand in the class that begins behind '['? *at moves behind the ']'. */
static bool in_class(struct resp_slice pattern, uint32_t *at, char byte)
{
    uint32_t i = *at;
    bool not = i < pattern.size && pattern.bytes[i] == '^', found = false;

    for (i += not ; i < pattern.size && pattern.bytes[i] != ']'; i++) {
        char from = pattern.bytes[i], to = from;

        if (i + 2 < pattern.size && pattern.bytes[i + 1] == '-' && pattern.bytes[i + 2] != ']') {
            to = pattern.bytes[i + 2];
            i += 2;
        }
        found |= byte >= from && byte <= to;
    }
    *at = i + 1;
    return found != not ;
}

static char small(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* One step of a pattern that is no '*'; *at moves behind it. */
static bool step_matches(struct resp_slice pattern, uint32_t *at, char byte)
{
    char wanted = pattern.bytes[(*at)++];

    if (wanted == '?')
        return true;
    if (wanted == '[')
        return in_class(pattern, at, small(byte));
    if (wanted == '\\' && *at < pattern.size)
        wanted = pattern.bytes[(*at)++];
    return small(wanted) == small(byte);
}

/* The text is walked once; after a misfit the last '*' takes one byte more. Earlier ones need no
 * second look, so that no pattern takes longer than its length times the text's. */
bool service_matches(struct resp_slice pattern, const char *text)
{
    uint32_t at = 0, star = NONE;
    const char *star_text = NULL;

    while (*text != '\0') {
        if (at < pattern.size && pattern.bytes[at] == '*') {
            star = ++at;
            star_text = text;
        } else if (at < pattern.size && step_matches(pattern, &at, *text)) {
            text++;
        } else if (star != NONE) {
            at = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.bytes[at] == '*')
        at++;
    return at >= pattern.size;
}

/* --- who is calling ------------------------------------------------------------------------------
 */

static bool is_word(struct resp_slice text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.bytes, word, text.size) == 0;
}

/* Counts a failure and closes after too many. */
static bool refuse_login(struct service *service, enum status status)
{
    service_refuse(service, status, NULL);
    if (++service->conn->failures >= KEY_FAILURES && !PLANTED("serve.keys_without_end")) {
        service->close = true;
        service->serve->stats.closed_hostile++;
    }
    return false;
}

/* Proved, but not to come in by this door. */
static bool is_for_door(struct service *service, enum role role)
{
    if (access_plane((enum plane)service->conn->plane, role))
        return true;
    service_refuse(service, STATUS_NOPERM,
                   service->conn->plane == PLANE_ADMIN
                       ? "this address is for administration; the platform has another"
                       : "administration has an address of its own");
    return false;
}

static bool check_assertion(struct service *service, struct resp_slice text)
{
    struct identity who;
    enum status status =
        vouch_check(service->serve->config.vouch, text.bytes, text.size, service->now_us, &who);

    if (status != STATUS_OK)
        return refuse_login(service, status);
    if (!is_for_door(service, (enum role)who.role))
        return false;
    /* CLIENT LIST is the administrator's, who must not see which accounts are about. */
    conn_login(service->serve, service->conn, who, "assertion", 9);
    return true;
}

/* True if name and key are right; else the refusal is the answer. In RESP3 a client that was given
 * a key and no name says "default": that is no name. */
static bool check_key(struct service *service, struct resp_slice name, struct resp_slice key)
{
    const struct credentials *credentials = service->serve->config.credentials;
    const struct credential *credential;
    bool named = name.bytes != NULL && !is_word(name, "default");

    if (credentials == NULL) {
        service_refuse(service, STATUS_WRONGPASS, "this node asks for no credentials");
        return false;
    }
    if (named ? is_word(name, "assertion") : vouch_is_assertion(key.bytes, key.size))
        return check_assertion(service, key);
    credential =
        credentials_check(credentials, named ? name.bytes : NULL, name.size, key.bytes, key.size);
    if (credential == NULL)
        return refuse_login(service, STATUS_WRONGPASS);
    if (!is_for_door(service, (enum role)credential_identity(credential).role))
        return false;
    if (!named)
        name = (struct resp_slice){"default", 7};
    conn_login(service->serve, service->conn, credential_identity(credential), name.bytes,
               name.size);
    return true;
}

static void ok(struct service *service)
{
    resp_out_simple(&service->out, "OK");
}

static void auth(struct service *service)
{
    struct resp_slice none = {NULL, 0};
    bool good = service->count == 2 ? check_key(service, none, service->args[1])
                                    : check_key(service, service->args[1], service->args[2]);

    if (good)
        ok(service);
}

struct hello {
    uint8_t protocol;
    struct resp_slice user, key, name;
};

/* False: refused. */
static bool hello_read(struct service *service, struct hello *hello)
{
    uint64_t protocol;
    uint32_t i = 2;

    if (service->count < 2)
        return true;
    if (!command_id(service->args[1], &protocol) || protocol < 2 || protocol > 3) {
        /* Not of status.def: clients fall back to RESP2 when they read this word. */
        static const char error[] = "-NOPROTO unsupported protocol version; 2 and 3 are spoken\r\n";

        resp_out_raw(&service->out, error, sizeof error - 1);
        service->status = STATUS_BADVALUE;
        return false;
    }
    hello->protocol = (uint8_t)protocol;
    while (i < service->count) {
        if (service_word(service, i, "AUTH") && i + 2 < service->count) {
            hello->user = service->args[i + 1];
            hello->key = service->args[i + 2];
            i += 3;
        } else if (service_word(service, i, "SETNAME") && i + 1 < service->count) {
            hello->name = service->args[i + 1];
            i += 2;
        } else {
            service_refuse(service, STATUS_UNKNOWNFIELD, "HELLO takes AUTH name key, SETNAME name");
            return false;
        }
    }
    return true;
}

static void hello_answer(struct service *service)
{
    struct serve *serve = service->serve;
    struct conn *conn = service->conn;
    struct resp_out *out = &service->out;
    struct facts facts;

    service_facts(serve, &facts);
    out->protocol = conn->protocol;
    resp_out_map(out, 7);
    resp_out_text(out, "server");
    resp_out_text(out, "zan");
    resp_out_text(out, "version");
    resp_out_text(out, facts.version);
    resp_out_text(out, "proto");
    resp_out_integer(out, conn->protocol);
    resp_out_text(out, "id");
    resp_out_integer(out, (int64_t)serve->abouts[conn_index(serve, conn)].id);
    resp_out_text(out, "mode");
    resp_out_text(out, "standalone");
    resp_out_text(out, "role");
    resp_out_text(out, "master");
    resp_out_text(out, "modules");
    resp_out_array(out, 0);
}

static void hello(struct service *service)
{
    struct conn *conn = service->conn;
    struct hello hello = {.protocol = conn->protocol};

    if (!hello_read(service, &hello))
        return;
    if (hello.user.bytes != NULL && !check_key(service, hello.user, hello.key))
        return;
    if ((conn->flags & CONN_FRESH) != 0) {
        service_refuse(service, STATUS_NOAUTH, "HELLO must come with AUTH name key, or after it");
        return;
    }
    if (hello.name.bytes != NULL &&
        !service_set_text(service, service->serve->abouts[conn_index(service->serve, conn)].name,
                          hello.name))
        return;
    conn->protocol = hello.protocol;
    hello_answer(service);
}

/* --- the rest ------------------------------------------------------------------------------------
 */

static void ping(struct service *service)
{
    if (service->count > 1)
        resp_out_bulk(&service->out, service->args[1].bytes, service->args[1].size);
    else
        resp_out_simple(&service->out, "PONG");
}

static void reset(struct service *service)
{
    conn_reset(service->serve, service->conn);
    resp_out_simple(&service->out, "RESET");
}

static void select_database(struct service *service)
{
    uint64_t index;

    if (command_id(service->args[1], &index) && index == 0)
        ok(service);
    else
        service_refuse(service, STATUS_BADVALUE, "there is only database 0");
}

static void command(struct service *service)
{
    struct resp_out *out = &service->out;
    const struct resp_slice *names = service->count > 2 ? service->args + 2 : NULL;
    uint32_t count = service->count > 2 ? service->count - 2 : 0;
    uint8_t *at = out->bytes + out->used;
    size_t room = out->size - out->used;

    if (service->count == 1)
        out->used += command_put_list(NULL, 0, out->protocol, false, at, room);
    else if (service_word(service, 1, "DOCS"))
        out->used += command_put_docs(names, count, out->protocol, at, room);
    else if (service_word(service, 1, "INFO"))
        out->used += command_put_list(names, count, out->protocol, false, at, room);
    else if (service_word(service, 1, "LIST") && count == 0)
        out->used += command_put_list(NULL, 0, out->protocol, true, at, room);
    else if (service_word(service, 1, "COUNT") && count == 0)
        resp_out_integer(out, command_count());
    else if (service_word(service, 1, "GETKEYS"))
        service_refuse(service, STATUS_BADVALUE, "the command has no key arguments");
    else
        service_refuse(service, STATUS_UNKNOWNFIELD, "COMMAND takes COUNT, LIST, INFO or DOCS");
}

static bool asked_for(const struct service *service, const char *name)
{
    for (uint32_t i = 2; i < service->count; i++) {
        if (service_matches(service->args[i], name))
            return true;
    }
    return false;
}

static void config(struct service *service)
{
    const struct serve_config *settings = &service->serve->config;
    const char *name, *value;
    uint32_t found = 0;

    if (service_word(service, 1, "SET")) {
        service_refuse(service, STATUS_UNKNOWNFIELD, "settings are read at start only");
        return;
    }
    if (!service_word(service, 1, "GET") || service->count < 3) {
        service_refuse(service, STATUS_UNKNOWNFIELD, "CONFIG takes GET pattern...");
        return;
    }
    if (settings->setting == NULL) {
        resp_out_map(&service->out, 0);
        return;
    }
    for (uint32_t i = 0; settings->setting(settings->facts_context, i, &name, &value); i++)
        found += asked_for(service, name);
    resp_out_map(&service->out, found);
    for (uint32_t i = 0; settings->setting(settings->facts_context, i, &name, &value); i++) {
        if (asked_for(service, name)) {
            resp_out_text(&service->out, name);
            resp_out_text(&service->out, value);
        }
    }
}

void service_answer(struct service *service, enum verb verb)
{
    service->status = STATUS_OK;
    switch (verb) {
    case VERB_HELLO:
        hello(service);
        return;
    case VERB_AUTH:
        auth(service);
        return;
    case VERB_PING:
        ping(service);
        return;
    case VERB_ECHO:
        resp_out_bulk(&service->out, service->args[1].bytes, service->args[1].size);
        return;
    case VERB_QUIT:
        ok(service);
        service->close = true;
        return;
    case VERB_RESET:
        reset(service);
        return;
    case VERB_SELECT:
        select_database(service);
        return;
    case VERB_CLIENT:
        service_client(service);
        return;
    case VERB_COMMAND:
        command(service);
        return;
    case VERB_CONFIG:
        config(service);
        return;
    case VERB_NODE:
        service_node(service);
        return;
    case VERB_INFO:
        service_info(service);
        return;
    default:
        /* A service verb was added to the table and not here. */
        service_refuse(service, STATUS_UNKNOWNCMD, NULL);
    }
}
