/* config.c: the table of config.def at work.
 *
 * A row knows its kind and where its value lies in struct config, so that setting, showing and
 * checking are one small switch each, and a new setting is one new row. */
#include "node/config.h"

#include "engine/disclose.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>

#include <ini.h>

#include "readers/discover/tuning.h"

enum kind {
    KIND_PATH,
    KIND_ADDRESS,
    KIND_SYNC,
    KIND_NUMBER,
    KIND_SIZE,
    KIND_CHOICE,
    KIND_HEAT,
    KIND_FEED,
    KIND_POOL
};

struct place {
    enum kind kind;
    size_t offset, size;
    uint64_t low, high;
};

const struct config_item config_items[] = {
#define SETTING(field, name, kind, form, low, high, fallback, description)                         \
    {name, form, fallback, description},
#include "node/config.def"
#undef SETTING
};

static const struct place places[] = {
#define SETTING(field, name, kind, form, low, high, fallback, description)                         \
    {KIND_##kind, offsetof(struct config, field), sizeof(((struct config *)0)->field), low, high},
#include "node/config.def"
#undef SETTING
};

#define COUNT (sizeof places / sizeof places[0])

const uint32_t config_item_count = COUNT;

/* What comes from outside is repeated in messages at most this long, printable. */
#define SHOWN_MAX 48

static const char *shown(const char *text, char copy[SHOWN_MAX + 4])
{
    size_t i;

    for (i = 0; i < SHOWN_MAX && text[i] != '\0'; i++)
        copy[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
    memcpy(copy + i, text[i] != '\0' ? "..." : "", text[i] != '\0' ? 4 : 1);
    return copy;
}

static enum status bad(char message[CONFIG_MESSAGE], const char *name, const char *value,
                       const char *expected)
{
    char copy[SHOWN_MAX + 4];

    snprintf(message, CONFIG_MESSAGE, "%s: expected %.150s, got '%s'", name, expected,
             shown(value, copy));
    return STATUS_BADCONFIG;
}

/* Digits only: strtoull alone would take signs and spaces. */
static bool read_number(const char *text, const char **end, uint64_t *number)
{
    char *stop;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *number = strtoull(text, &stop, 10);
    *end = stop;
    return errno == 0;
}

/* 512, 64k, 64KiB, 1GiB, 2g: powers of 1024 whatever the spelling, as memory is sold. */
static bool read_size(const char *text, uint64_t *size)
{
    static const char letters[] = "kmgt";
    const char *end, *letter;
    uint64_t number;
    unsigned shift;

    if (!read_number(text, &end, &number))
        return false;
    if (*end == '\0') {
        *size = number;
        return true;
    }
    letter = strchr(letters, tolower((unsigned char)*end));
    end++;
    if (letter == NULL || (*end != '\0' && strcasecmp(end, "iB") != 0 && strcasecmp(end, "B") != 0))
        return false;
    shift = 10u * (unsigned)(letter - letters + 1);
    *size = number << shift;
    return (*size >> shift) == number;
}

static void show_size(uint64_t size, char text[CONFIG_TEXT])
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;

    while (unit < 4 && size > 0 && size % 1024 == 0) {
        size /= 1024;
        unit++;
    }
    snprintf(text, CONFIG_TEXT, "%llu%s", (unsigned long long)size, units[unit]);
}

bool config_is_choice(const char *words, const char *value)
{
    size_t size = strlen(value);

    for (const char *word = words; size > 0 && strchr(value, '|') == NULL && word != NULL;
         word = strchr(word, '|')) {
        word += *word == '|';
        if (strncmp(word, value, size) == 0 && (word[size] == '|' || word[size] == '\0'))
            return true;
    }
    return false;
}

static bool is_sync(const char *value)
{
    const char *end;
    uint64_t ms;

    if (strcmp(value, "always") == 0 || strcmp(value, "none") == 0)
        return true;
    return strncmp(value, "group:", 6) == 0 && read_number(value + 6, &end, &ms) && *end == '\0' &&
           ms >= 1 && ms <= 1000;
}

bool config_address(const char *text, char host[CONFIG_TEXT], uint16_t *port)
{
    const char *colon = strrchr(text, ':'), *start = text, *stop, *end;
    uint64_t number;

    if (colon == NULL || !read_number(colon + 1, &end, &number) || *end != '\0' || number > 65535)
        return false;
    stop = colon;
    if (*start == '[') {
        if (stop - start < 3 || stop[-1] != ']')
            return false;
        start++;
        stop--;
    } else if (memchr(start, ':', (size_t)(stop - start)) != NULL) {
        return false; /* IPv6 without brackets: which colon is the port's? */
    }
    if (stop == start || (size_t)(stop - start) >= CONFIG_TEXT)
        return false;
    memcpy(host, start, (size_t)(stop - start));
    host[stop - start] = '\0';
    *port = (uint16_t)number;
    return true;
}

bool config_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool is_control_free(const char *value)
{
    for (; *value != '\0'; value++)
        if (iscntrl((unsigned char)*value))
            return false;
    return true;
}

/* expected: what would be right. */
static bool is_weights(enum kind kind, const char *value, char expected[TUNING_MESSAGE])
{
    struct discover_rules heat;
    struct feed_settings feed;
    struct pool_rule rule;

    if (kind == KIND_POOL)
        return strcmp(value, "off") == 0 || tuning_read_pool(value, &rule, expected);
    return kind == KIND_HEAT ? tuning_read_heat(value, &heat, expected)
                             : tuning_read_feed(value, &feed, expected);
}

static enum status set_text(struct config *config, const struct place *place,
                            const struct config_item *item, const char *value,
                            char message[CONFIG_MESSAGE])
{
    char host[CONFIG_TEXT], expected[TUNING_MESSAGE];
    uint16_t port;

    if (strlen(value) >= place->size || !is_control_free(value)) {
        snprintf(expected, sizeof expected, "at most %zu printable bytes", place->size - 1);
        return bad(message, item->name, value, expected);
    }
    if (place->kind == KIND_ADDRESS && strcmp(value, "off") != 0 &&
        !config_address(value, host, &port))
        return bad(message, item->name, value, "HOST:PORT, [IPV6]:PORT or off");
    if (place->kind == KIND_SYNC && !is_sync(value))
        return bad(message, item->name, value, "always, group:MS with MS from 1 to 1000, or none");
    if (place->kind == KIND_CHOICE && !config_is_choice(item->form, value))
        return bad(message, item->name, value, item->form);
    if ((place->kind == KIND_HEAT || place->kind == KIND_FEED || place->kind == KIND_POOL) &&
        !is_weights(place->kind, value, expected))
        return bad(message, item->name, value, expected);
    memcpy((char *)config + place->offset, value, strlen(value) + 1);
    return STATUS_OK;
}

static enum status set_number(struct config *config, const struct place *place,
                              const struct config_item *item, const char *value,
                              char message[CONFIG_MESSAGE])
{
    char low[CONFIG_TEXT], high[CONFIG_TEXT], expected[96];
    const char *end = "";
    uint64_t number = 0;
    bool good = place->kind == KIND_SIZE ? read_size(value, &number)
                                         : read_number(value, &end, &number) && *end == '\0';

    if (!good || number < place->low || number > place->high) {
        show_size(place->low, low);
        show_size(place->high, high);
        if (place->kind == KIND_SIZE)
            snprintf(expected, sizeof expected, "a size from %.20s to %.20s", low, high);
        else
            snprintf(expected, sizeof expected, "a number from %llu to %llu",
                     (unsigned long long)place->low, (unsigned long long)place->high);
        return bad(message, item->name, value, expected);
    }
    memcpy((char *)config + place->offset, &number, sizeof number);
    return STATUS_OK;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++)
        if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
            return false;
    return *a == *b;
}

enum status config_set(struct config *config, const char *name, const char *value,
                       char message[CONFIG_MESSAGE])
{
    char copy[SHOWN_MAX + 4];

    for (uint32_t i = 0; i < COUNT; i++) {
        if (!same_name(config_items[i].name, name))
            continue;
        if (places[i].kind == KIND_NUMBER || places[i].kind == KIND_SIZE)
            return set_number(config, &places[i], &config_items[i], value, message);
        return set_text(config, &places[i], &config_items[i], value, message);
    }
    snprintf(message, CONFIG_MESSAGE,
             "there is no setting '%s'; zan serve --help lists every setting", shown(name, copy));
    return STATUS_BADCONFIG;
}

void config_default(struct config *config)
{
    char message[CONFIG_MESSAGE];

    memset(config, 0, sizeof *config);
    for (uint32_t i = 0; i < COUNT; i++) {
        enum status status =
            config_set(config, config_items[i].name, config_items[i].fallback, message);

        assert(status == STATUS_OK);
        (void)status;
    }
}

void config_model_path(const struct config *config, char *path, size_t size)
{
    if (config->discover_model[0] != '\0')
        snprintf(path, size, "%s", config->discover_model);
    else
        snprintf(path, size, "%s/readers/recommend.model", config->data);
}

bool config_get(const struct config *config, uint32_t i, const char **name, char value[CONFIG_TEXT])
{
    uint64_t number;

    if (i >= COUNT)
        return false;
    *name = config_items[i].name;
    if (places[i].kind != KIND_NUMBER && places[i].kind != KIND_SIZE) {
        snprintf(value, CONFIG_TEXT, "%s", (const char *)config + places[i].offset);
        return true;
    }
    memcpy(&number, (const char *)config + places[i].offset, sizeof number);
    if (places[i].kind == KIND_SIZE)
        show_size(number, value);
    else
        snprintf(value, CONFIG_TEXT, "%llu", (unsigned long long)number);
    return true;
}

/* --- files -------------------------------------------------------------------------------------
 */

/* inih cuts lines at its own limit without a word and does not tell the handler where it is; so
 * this reader counts the lines and sees the ones that do not fit. */
struct reading {
    FILE *file;
    struct config *config;
    const char *path;
    int line;
    bool cut;
    enum status status;
    char *message;
};

static char *read_line(char *line, int size, void *stream)
{
    struct reading *reading = stream;
    size_t length;

    if (reading->cut || fgets(line, size, reading->file) == NULL)
        return NULL;
    reading->line++;
    length = strlen(line);
    if (length == (size_t)size - 1 && line[length - 1] != '\n')
        reading->cut = true;
    return line;
}

static int read_setting(void *argument, const char *section, const char *name, const char *value)
{
    struct reading *reading = argument;
    char what[CONFIG_MESSAGE];

    if (reading->status != STATUS_OK || reading->cut)
        return 0;
    if (section[0] != '\0') {
        snprintf(what, sizeof what, "sections like [%.40s] mean nothing here", section);
        reading->status = STATUS_BADCONFIG;
    } else {
        reading->status = config_set(reading->config, name, value, what);
    }
    if (reading->status != STATUS_OK)
        snprintf(reading->message, CONFIG_MESSAGE, "%.90s:%d: %.150s", reading->path, reading->line,
                 what);
    return reading->status == STATUS_OK;
}

enum status config_read(struct config *config, const char *path, char message[CONFIG_MESSAGE])
{
    struct reading reading = {.config = config, .path = path, .message = message};
    int wrong;

    reading.file = fopen(path, "re");
    if (reading.file == NULL) {
        snprintf(message, CONFIG_MESSAGE, "%.160s: %s", path, strerror(errno));
        return STATUS_BADCONFIG;
    }
    wrong = ini_parse_stream(read_line, &reading, read_setting, &reading);
    fclose(reading.file);
    if (reading.status != STATUS_OK)
        return reading.status;
    if (reading.cut)
        snprintf(message, CONFIG_MESSAGE, "%.160s:%d: the line is too long", path, reading.line);
    else if (wrong != 0)
        snprintf(message, CONFIG_MESSAGE, "%.160s:%d: expected name = value", path, wrong);
    return wrong != 0 || reading.cut ? STATUS_BADCONFIG : STATUS_OK;
}

/* --- what must hold between settings ------------------------------------------------------------
 */

bool config_has_tls(const struct config *config, const char *door)
{
    return config->tls_cert[0] != '\0' &&
           (strcmp(config->tls_doors, "both") == 0 || strcmp(config->tls_doors, door) == 0);
}

bool config_has_admin(const struct config *config)
{
    return strcmp(config->admin_resp, "off") != 0 || strcmp(config->admin_http, "off") != 0;
}

/* tls: what tls-doors calls a door of this kind. */
static enum status check_door(const struct config *config, const char *name, const char *tls,
                              const char *address, char message[CONFIG_MESSAGE])
{
    char host[CONFIG_TEXT];
    uint16_t port;

    if (strcmp(address, "off") == 0)
        return STATUS_OK;
    if (config_address(address, host, &port) && config_is_loopback(host))
        return STATUS_OK;
    if (config->credentials[0] == '\0') {
        snprintf(message, CONFIG_MESSAGE,
                 "%s: %.80s can be reached from other machines, so credentials are needed: "
                 "zan key NAME ROLE makes a line for the file of --credentials",
                 name, address);
        return STATUS_BADCONFIG;
    }
    if (config_has_tls(config, tls) || strcmp(config->plain_remote, "yes") == 0)
        return STATUS_OK;
    snprintf(message, CONFIG_MESSAGE,
             "%s: %.80s can be reached from other machines, and keys could be read on the way: set "
             "tls-cert and tls-key, or plain-remote = yes if something else enciphers",
             name, address);
    return STATUS_BADCONFIG;
}

static enum status check_keys(const struct config *config, char message[CONFIG_MESSAGE])
{
    const char *wrong = NULL;

    if (config->assertion_keys[0] != '\0' && config->credentials[0] == '\0')
        wrong = "assertion-keys: without credentials everybody may do everything, and an assertion "
                "would take nothing away; set credentials too";
    else if ((config->tls_cert[0] == '\0') != (config->tls_key[0] == '\0'))
        wrong = "tls-cert and tls-key: one is of no use without the other";
    else if (config->tls_client_ca[0] != '\0' &&
             (config->tls_cert[0] == '\0' || config->credentials[0] == '\0'))
        wrong = "tls-client-ca: a certificate stands for a name of credentials; set tls-cert and "
                "credentials too";
    else if (config->tls_client_crl[0] != '\0' && config->tls_client_ca[0] == '\0')
        wrong = "tls-client-crl: whose? set tls-client-ca too";
    if (wrong == NULL)
        return STATUS_OK;
    snprintf(message, CONFIG_MESSAGE, "%s", wrong);
    return STATUS_BADCONFIG;
}

/* Whoever can write could move time, and with it every window, hold and restriction. */
static enum status check_clock(const struct config *config, char message[CONFIG_MESSAGE])
{
    const char *const doors[] = {config->resp, config->http, config->admin_resp,
                                 config->admin_http};
    char host[CONFIG_TEXT];
    uint16_t port;

    if (strcmp(config->clock, "requests") != 0)
        return STATUS_OK;
    for (int i = 0; i < 4; i++)
        if (strcmp(doors[i], "off") != 0 &&
            !(config_address(doors[i], host, &port) && config_is_loopback(host))) {
            snprintf(message, CONFIG_MESSAGE,
                     "clock: requests is for simulation on this machine alone, but %.80s can be "
                     "reached from others",
                     doors[i]);
            return STATUS_BADCONFIG;
        }
    return STATUS_OK;
}

/* Apart by whom? By credentials alone; and by addresses that are not the same ones. */
static enum status check_admin(const struct config *config, char message[CONFIG_MESSAGE])
{
    const char *wrong = NULL;

    if (!config_has_admin(config))
        return STATUS_OK;
    if (config->credentials[0] == '\0')
        wrong = "admin-resp, admin-http: without credentials everybody may do everything on every "
                "door; set credentials too";
    else if (strcmp(config->admin_resp, config->resp) == 0 ||
             (strcmp(config->admin_http, "off") != 0 &&
              strcmp(config->admin_http, config->http) == 0))
        wrong = "admin-resp, admin-http: must be other addresses than resp and http";
    if (wrong == NULL)
        return STATUS_OK;
    snprintf(message, CONFIG_MESSAGE, "%s", wrong);
    return STATUS_BADCONFIG;
}

enum status config_check(const struct config *config, char message[CONFIG_MESSAGE])
{
    struct disclose_rule rule;
    enum status status;

    if (config->data[0] == '\0') {
        snprintf(message, CONFIG_MESSAGE, "data: a directory is needed");
        return STATUS_BADCONFIG;
    }
    if (strcmp(config->resp, "off") == 0) {
        snprintf(message, CONFIG_MESSAGE, "resp: this door cannot be off");
        return STATUS_BADCONFIG;
    }
    if (!disclose_read_delays(config->display_delay, &rule)) {
        snprintf(message, CONFIG_MESSAGE,
                 "display-delay: must be SECONDS or TENANT:SECONDS,... (at most %d s, %d tenants)",
                 DISCLOSE_DELAY_MAX_S, DISCLOSE_TENANTS_MAX);
        return STATUS_BADCONFIG;
    }
    if (config->log_a[0] != '\0' && strcmp(config->log_a, config->log_b) == 0) {
        snprintf(message, CONFIG_MESSAGE,
                 "log-a and log-b are the same directory; two copies need two places");
        return STATUS_BADCONFIG;
    }
    if ((status = check_keys(config, message)) != STATUS_OK ||
        (status = check_clock(config, message)) != STATUS_OK)
        return status;
    if ((status = check_admin(config, message)) != STATUS_OK ||
        (status = check_door(config, "resp", "resp", config->resp, message)) != STATUS_OK ||
        (status = check_door(config, "http", "http", config->http, message)) != STATUS_OK ||
        (status = check_door(config, "admin-resp", "resp", config->admin_resp, message)) !=
            STATUS_OK)
        return status;
    return check_door(config, "admin-http", "http", config->admin_http, message);
}
