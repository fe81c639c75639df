/* client.c: see client.h.
 *
 * out holds every unanswered command: [done, sent) went to the socket, [sent, used) did not.
 * sizes is the row of their sizes, so that a reply can drop exactly its own command. */
#include "cli/client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/config.h"

#define READ_BYTES 65536
#define CONNECT_MS 5000
#define ANSWER_MS  60000 /* a server that says nothing for so long is gone */
#define VALUES_MAX 100000
#define DEPTH_MAX  8

struct bytes {
    char *bytes;
    size_t used, room;
};

struct client {
    char host[CONFIG_TEXT];
    char port[8];
    char *name, *key;
    int fd;
    struct bytes out, in;
    size_t done;  /* of out: answered, to be dropped when it is worth a move */
    size_t sent;  /* of out */
    size_t taken; /* of in: replies already given to the caller */
    size_t sizes[2 * CLIENT_WINDOW];
    uint32_t first, count; /* ring of sizes */
    struct bytes last;     /* the command just answered, for client_again */
    struct client_value *values;
    uint32_t value_count, value_room;
};

/* --- bytes -------------------------------------------------------------------------------------
 */

/* A command line tool that has no memory left for some kilobytes can only stop. */
static void make_room(struct bytes *bytes, size_t more)
{
    size_t room = bytes->room > 0 ? bytes->room : 4096;

    while (room - bytes->used < more)
        room *= 2;
    if (room == bytes->room)
        return;
    bytes->bytes = realloc(bytes->bytes, room);
    if (bytes->bytes == NULL)
        abort();
    bytes->room = room;
}

static void append(struct bytes *bytes, const char *from, size_t size)
{
    make_room(bytes, size);
    memcpy(bytes->bytes + bytes->used, from, size);
    bytes->used += size;
}

static void drop_front(struct bytes *bytes, size_t size)
{
    assert(size <= bytes->used);
    if (size == 0)
        return; /* there may be no bytes at all yet */
    memmove(bytes->bytes, bytes->bytes + size, bytes->used - size);
    bytes->used -= size;
}

static void append_command(struct bytes *bytes, const char *const *words, uint32_t count)
{
    char head[32];

    append(bytes, head, (size_t)snprintf(head, sizeof head, "*%u\r\n", count));
    for (uint32_t i = 0; i < count; i++) {
        size_t size = strlen(words[i]);

        append(bytes, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", size));
        append(bytes, words[i], size);
        append(bytes, "\r\n", 2);
    }
}

/* --- replies -----------------------------------------------------------------------------------
 */

struct reader {
    const char *at, *end;
};

/* The rest of the line after the type byte. BUSY: not whole yet. */
static enum status read_line(struct reader *reader, const char **line, size_t *size)
{
    const char *stop = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));

    if (stop == NULL)
        return STATUS_BUSY;
    if (stop == reader->at || stop[-1] != '\r')
        return STATUS_PROTO;
    *line = reader->at;
    *size = (size_t)(stop - 1 - reader->at);
    reader->at = stop + 1;
    return STATUS_OK;
}

static bool to_integer(const char *text, size_t size, int64_t *integer)
{
    bool negative = size > 0 && text[0] == '-';
    uint64_t value = 0;

    if (size - negative == 0 || size - negative > 19)
        return false;
    for (size_t i = negative; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value > INT64_MAX)
        return false;
    *integer = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static struct client_value *new_value(struct client *client, enum client_kind kind)
{
    struct client_value *value;

    if (client->value_count == client->value_room) {
        client->value_room = client->value_room > 0 ? client->value_room * 2 : 64;
        client->values = realloc(client->values, client->value_room * sizeof *client->values);
        if (client->values == NULL)
            abort();
    }
    value = &client->values[client->value_count++];
    memset(value, 0, sizeof *value);
    value->kind = kind;
    value->next = client->value_count;
    return value;
}

static enum status read_bulk(struct client *client, struct reader *reader, int64_t size,
                             enum client_kind kind)
{
    struct client_value *value;

    if (size == -1) {
        new_value(client, CLIENT_NULL);
        return STATUS_OK;
    }
    if (size < 0 || size > (int64_t)CLIENT_REPLY_BYTES)
        return STATUS_PROTO;
    if (reader->end - reader->at < size + 2)
        return STATUS_BUSY;
    if (reader->at[size] != '\r' || reader->at[size + 1] != '\n')
        return STATUS_PROTO;
    value = new_value(client, kind);
    value->text = reader->at;
    value->size = (size_t)size;
    reader->at += size + 2;
    return STATUS_OK;
}

static enum status read_value(struct client *client, struct reader *reader, unsigned depth);

static enum status read_list(struct client *client, struct reader *reader, int64_t count,
                             unsigned depth)
{
    uint32_t index = client->value_count;
    enum status status = STATUS_OK;

    if (count == -1) {
        new_value(client, CLIENT_NULL);
        return STATUS_OK;
    }
    if (count < 0 || count > VALUES_MAX || depth >= DEPTH_MAX)
        return STATUS_PROTO;
    new_value(client, CLIENT_LIST)->count = (uint32_t)count;
    for (int64_t i = 0; i < count && status == STATUS_OK; i++)
        status = read_value(client, reader, depth + 1);
    client->values[index].next = client->value_count; /* not a pointer kept: values may move */
    return status;
}

static enum status read_line_value(struct client *client, char type, const char *line, size_t size,
                                   int64_t integer)
{
    enum client_kind kind = CLIENT_TEXT;
    struct client_value *value;

    if (type == '-')
        kind = CLIENT_ERROR;
    else if (type == ':' || type == '#')
        kind = CLIENT_INTEGER;
    else if (type == '_')
        kind = CLIENT_NULL;
    value = new_value(client, kind);
    value->text = line;
    value->size = size;
    value->integer = type == '#' ? line[0] == 't' : integer;
    return STATUS_OK;
}

static enum status read_value(struct client *client, struct reader *reader, unsigned depth)
{
    const char *line;
    size_t size;
    int64_t integer = 0;
    char type;
    enum status status;

    if (reader->at == reader->end)
        return STATUS_BUSY;
    type = *reader->at++;
    if ((status = read_line(reader, &line, &size)) != STATUS_OK)
        return status;
    if (strchr("$*:%~>=!", type) != NULL && type != '\0' && !to_integer(line, size, &integer))
        return STATUS_PROTO;
    switch (type) {
    case '+':
    case '-':
    case ':':
    case ',':
    case '(':
    case '_':
        return read_line_value(client, type, line, size, integer);
    case '#':
        return size == 1 ? read_line_value(client, type, line, size, 0) : STATUS_PROTO;
    case '$':
    case '=':
        return read_bulk(client, reader, integer, CLIENT_TEXT);
    case '!':
        return read_bulk(client, reader, integer, CLIENT_ERROR);
    case '*':
    case '~':
    case '>':
        return read_list(client, reader, integer, depth);
    case '%':
        return read_list(client, reader, integer >= 0 ? 2 * integer : integer, depth);
    default:
        return STATUS_PROTO;
    }
}

/* --- the connection ----------------------------------------------------------------------------
 */

static bool wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = events};

    return poll(&item, 1, timeout_ms) == 1;
}

static int connect_to(const struct addrinfo *to)
{
    int one = 1, error = 0;
    socklen_t size = sizeof error;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS)
        error = errno;
    else if (!wait_for(fd, POLLOUT, CONNECT_MS))
        error = ETIMEDOUT;
    else
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        return fd;
    }
    close(fd);
    errno = error;
    return -1;
}

/* AUTH goes alone and first, outside the queue: it must not be sent twice on one connection. */
static enum status authenticate(struct client *client, char message[CLIENT_MESSAGE])
{
    const char *words[3] = {"AUTH", client->name, client->key};
    struct bytes command = {0};
    char reply[256];
    ssize_t size = -1;

    if (client->key == NULL)
        return STATUS_OK;
    if (client->name == NULL)
        words[1] = client->key;
    append_command(&command, words, client->name != NULL ? 3 : 2);
    if (send(client->fd, command.bytes, command.used, MSG_NOSIGNAL) == (ssize_t)command.used &&
        wait_for(client->fd, POLLIN, CONNECT_MS))
        size = recv(client->fd, reply, sizeof reply, 0);
    free(command.bytes);
    if (size >= 5 && memcmp(reply, "+OK\r\n", 5) == 0)
        return STATUS_OK;
    snprintf(message, CLIENT_MESSAGE, "%.80s:%s refused the key: %.*s", client->host, client->port,
             size > 2 ? (int)(size < 100 ? size - 2 : 98) : 0, reply);
    return STATUS_NOAUTH;
}

enum status client_connect(struct client *client, char message[CLIENT_MESSAGE])
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int problem;

    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->sent = client->done;
    client->in.used = client->taken = 0;
    if ((problem = getaddrinfo(client->host, client->port, &hints, &list)) != 0) {
        snprintf(message, CLIENT_MESSAGE, "%.200s: %s", client->host, gai_strerror(problem));
        return STATUS_UNKNOWN;
    }
    for (const struct addrinfo *to = list; to != NULL && client->fd < 0; to = to->ai_next)
        client->fd = connect_to(to);
    freeaddrinfo(list);
    if (client->fd < 0) {
        snprintf(message, CLIENT_MESSAGE, "nobody answers at %.200s:%s: %s", client->host,
                 client->port, strerror(errno));
        return STATUS_UNKNOWN;
    }
    return authenticate(client, message);
}

enum status client_open(const char *address, const char *name, const char *key,
                        struct client **result, char message[CLIENT_MESSAGE])
{
    struct client *client = calloc(1, sizeof *client);
    uint16_t port;
    enum status status;

    if (client == NULL)
        abort();
    client->fd = -1;
    if (!config_address(address, client->host, &port)) {
        snprintf(message, CLIENT_MESSAGE, "expected HOST:PORT, got '%.100s'", address);
        free(client);
        return STATUS_BADCONFIG;
    }
    snprintf(client->port, sizeof client->port, "%u", port);
    client->name = name != NULL ? strdup(name) : NULL;
    client->key = key != NULL ? strdup(key) : NULL;
    if ((status = client_connect(client, message)) != STATUS_OK) {
        client_close(client);
        return status;
    }
    *result = client;
    return STATUS_OK;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    if (client->fd >= 0)
        close(client->fd);
    free(client->name);
    free(client->key);
    free(client->out.bytes);
    free(client->in.bytes);
    free(client->last.bytes);
    free(client->values);
    free(client);
}

/* --- questions and answers ---------------------------------------------------------------------
 */

static void push_size(struct client *client, size_t size)
{
    uint32_t room = sizeof client->sizes / sizeof client->sizes[0];

    assert(client->count < room);
    client->sizes[(client->first + client->count) % room] = size;
    client->count++;
}

void client_add(struct client *client, const char *const *words, uint32_t count)
{
    size_t before = client->out.used;

    append_command(&client->out, words, count);
    push_size(client, client->out.used - before);
}

uint32_t client_window(const struct client *client)
{
    return client->count;
}

static enum status lost(struct client *client, const char *why, char message[CLIENT_MESSAGE])
{
    snprintf(message, CLIENT_MESSAGE, "%.200s:%s: %s", client->host, client->port, why);
    close(client->fd);
    client->fd = -1;
    return STATUS_UNKNOWN;
}

static void drop_answered(struct client *client)
{
    drop_front(&client->out, client->done);
    client->sent -= client->done;
    client->done = 0;
}

static enum status send_some(struct client *client, char message[CLIENT_MESSAGE])
{
    while (client->sent < client->out.used) {
        ssize_t size = send(client->fd, client->out.bytes + client->sent,
                            client->out.used - client->sent, MSG_NOSIGNAL);

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return STATUS_OK;
        if (size < 0)
            return lost(client, strerror(errno), message);
        client->sent += (size_t)size;
    }
    return STATUS_OK;
}

static enum status receive_some(struct client *client, char message[CLIENT_MESSAGE])
{
    ssize_t size;

    drop_front(&client->in, client->taken);
    client->taken = 0;
    make_room(&client->in, READ_BYTES);
    size =
        recv(client->fd, client->in.bytes + client->in.used, client->in.room - client->in.used, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return STATUS_OK;
    if (size <= 0)
        return lost(client, size == 0 ? "closed the connection" : strerror(errno), message);
    client->in.used += (size_t)size;
    return STATUS_OK;
}

enum status client_turn(struct client *client, int timeout_ms, char message[CLIENT_MESSAGE])
{
    struct pollfd item = {.fd = client->fd, .events = POLLIN};
    enum status status;

    if (client->fd < 0) {
        snprintf(message, CLIENT_MESSAGE, "not connected");
        return STATUS_UNKNOWN;
    }
    if ((status = send_some(client, message)) != STATUS_OK)
        return status;
    if (client->sent < client->out.used)
        item.events |= POLLOUT;
    if (poll(&item, 1, timeout_ms) <= 0)
        return STATUS_OK;
    if ((item.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        return receive_some(client, message);
    return STATUS_OK;
}

/* Keeps the bytes of the command at the front (for client_again) and takes it off the queue. */
static void drop_command(struct client *client)
{
    uint32_t room = sizeof client->sizes / sizeof client->sizes[0];
    size_t size = client->sizes[client->first];

    assert(client->count > 0 && client->sent >= client->done + size);
    client->last.used = 0;
    append(&client->last, client->out.bytes + client->done, size);
    client->done += size;
    if (client->done > READ_BYTES)
        drop_answered(client);
    client->first = (client->first + 1) % room;
    client->count--;
}

enum status client_take(struct client *client, const struct client_value **values)
{
    struct reader reader = {client->in.bytes + client->taken, client->in.bytes + client->in.used};
    enum status status;

    client->value_count = 0;
    if (client->in.used == client->taken)
        return STATUS_BUSY;
    status = read_value(client, &reader, 0);
    if (status == STATUS_BUSY && client->in.used - client->taken > CLIENT_REPLY_BYTES)
        return STATUS_PROTO;
    if (status != STATUS_OK)
        return status;
    if (client->count == 0)
        return STATUS_PROTO; /* an answer to no question: an error that closes, or not RESP */
    client->taken = (size_t)(reader.at - client->in.bytes);
    drop_command(client);
    *values = client->values;
    return STATUS_OK;
}

void client_again(struct client *client)
{
    append(&client->out, client->last.bytes, client->last.used);
    push_size(client, client->last.used);
}

enum status client_call(struct client *client, const char *const *words, uint32_t count,
                        const struct client_value **values, char message[CLIENT_MESSAGE])
{
    int64_t waited_ms = 0;
    enum status status;

    assert(client->count == 0);
    client_add(client, words, count);
    for (;;) {
        if ((status = client_turn(client, 1000, message)) != STATUS_OK)
            return status;
        status = client_take(client, values);
        if (status == STATUS_OK)
            return STATUS_OK;
        if (status != STATUS_BUSY || (waited_ms += 1000) > ANSWER_MS)
            return lost(client, status == STATUS_BUSY ? "no answer" : "not a RESP answer", message);
    }
}

bool client_is_error(const struct client_value *value, const char *code)
{
    size_t size = strlen(code);

    return value->kind == CLIENT_ERROR && value->size >= size &&
           memcmp(value->text, code, size) == 0 &&
           (value->size == size || value->text[size] == ' ');
}
