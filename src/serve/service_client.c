/* CLIENT: names, and a line about each connection in the form of Redis. */
#include <stdio.h>
#include <string.h>

#include "serve/service.h"
#include "wire/command.h"

#define LINE_BYTES 640
#define LINES_MAX  1000 /* of one answer: together less than OUTPUT_MAX */

bool service_set_text(struct service *service, char to[NAME_MAX_BYTES], struct resp_slice text)
{
    if (text.size >= NAME_MAX_BYTES) {
        service_refuse(service, STATUS_BADVALUE, "a name has at most 63 bytes");
        return false;
    }
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < '!' || text.bytes[i] > '~') {
            service_refuse(service, STATUS_BADVALUE,
                           "a name has printable ASCII bytes only, and no spaces");
            return false;
        }
    }
    memcpy(to, text.bytes, text.size);
    to[text.size] = '\0';
    return true;
}

static size_t put_line(struct serve *serve, const struct conn *conn, char line[LINE_BYTES])
{
    uint32_t index = conn_index(serve, conn);
    const struct conn_about *about = &serve->abouts[index];
    int64_t age_s = (serve->now_ms - about->since_ms) / 1000;
    int64_t idle_s = (serve->now_ms - (serve->deadlines[index] - serve->config.idle_ms)) / 1000;
    int size = snprintf(line, LINE_BYTES,
                        "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=0 "
                        "qbuf=%u oll=%u omem=%llu user=%s resp=%u lib-name=%s lib-ver=%s\n",
                        (unsigned long long)about->id, about->peer, serve->address, conn->fd,
                        about->name, (long long)age_s, (long long)(idle_s > 0 ? idle_s : 0),
                        conn->state == CONN_OPEN     ? "N"
                        : conn->state == CONN_PARKED ? "b"
                                                     : "c", conn->in_to - conn->in_from,
                        conn->head != NULL ? 1U : 0U, (unsigned long long)conn_waiting(conn),
                        about->user, conn->protocol, about->library, about->library_version);

    assert(size > 0 && size < LINE_BYTES);
    return (size_t)size;
}

static void info(struct service *service)
{
    char line[LINE_BYTES];

    service_verbatim(service, line, put_line(service->serve, service->conn, line));
}

/* Is this connection among those asked for (CLIENT LIST ID n...)? */
static bool listed(const struct service *service, uint32_t index)
{
    uint64_t id;

    if (service->serve->conns[index].state == CONN_FREE)
        return false;
    if (service->count == 2)
        return true;
    for (uint32_t i = 3; i < service->count; i++) {
        if (command_id(service->args[i], &id) && id == service->serve->abouts[index].id)
            return true;
    }
    return false;
}

static size_t put_lines(struct service *service, struct resp_out *out)
{
    struct serve *serve = service->serve;
    char line[LINE_BYTES];
    uint32_t count = 0;

    for (uint32_t i = 0; i < serve->used_max && count < LINES_MAX; i++) {
        if (listed(service, i)) {
            resp_out_raw(out, line, put_line(serve, conn_at(serve, i), line));
            count++;
        }
    }
    return out->used;
}

/* Where others call from is nobody's business but the administrator's. The lines are written twice:
 * first to know how long they are. */
static void list(struct service *service)
{
    struct resp_out nowhere = {.protocol = 2};
    char head[40];
    size_t size;

    enum status status = access_verb(&service->conn->who, service->now_us, VERB_CONFIG);
    if (status != STATUS_OK) {
        service_refuse(service, status, NULL);
        return;
    }
    if (service->count > 2 && (!service_word(service, 2, "ID") || service->count == 3)) {
        service_refuse(service, STATUS_UNKNOWNFIELD, "CLIENT LIST takes ID number...");
        return;
    }
    size = put_lines(service, &nowhere);
    int length = service->out.protocol < 3 ? snprintf(head, sizeof head, "$%zu\r\n", size)
                                           : snprintf(head, sizeof head, "=%zu\r\ntxt:", size + 4);
    resp_out_raw(&service->out, head, (size_t)length);
    put_lines(service, &service->out);
    resp_out_raw(&service->out, "\r\n", 2);
}

static void set_info(struct service *service, struct conn_about *about)
{
    char *to = service_word(service, 2, "LIB-NAME")  ? about->library
               : service_word(service, 2, "LIB-VER") ? about->library_version
                                                     : NULL;

    if (to == NULL)
        service_refuse(service, STATUS_UNKNOWNFIELD, "CLIENT SETINFO takes LIB-NAME or LIB-VER");
    else if (service_set_text(service, to, service->args[3]))
        resp_out_simple(&service->out, "OK");
}

static void get_name(struct service *service, const struct conn_about *about)
{
    if (about->name[0] != '\0')
        resp_out_text(&service->out, about->name);
    else
        resp_out_null(&service->out);
}

static void on_or_off(struct service *service)
{
    if (service_word(service, 2, "ON") || service_word(service, 2, "OFF"))
        resp_out_simple(&service->out, "OK");
    else
        service_refuse(service, STATUS_BADVALUE, "expected ON or OFF");
}

void service_client(struct service *service)
{
    struct serve *serve = service->serve;
    struct conn_about *about = &serve->abouts[conn_index(serve, service->conn)];
    uint32_t count = service->count;

    if (count == 3 && service_word(service, 1, "SETNAME")) {
        if (service_set_text(service, about->name, service->args[2]))
            resp_out_simple(&service->out, "OK");
    } else if (count == 2 && service_word(service, 1, "GETNAME")) {
        get_name(service, about);
    } else if (count == 4 && service_word(service, 1, "SETINFO")) {
        set_info(service, about);
    } else if (count == 2 && service_word(service, 1, "ID")) {
        resp_out_integer(&service->out, (int64_t)about->id);
    } else if (count == 2 && service_word(service, 1, "INFO")) {
        info(service);
    } else if (service_word(service, 1, "LIST")) {
        list(service);
    } else if (count == 3 &&
               (service_word(service, 1, "NO-EVICT") || service_word(service, 1, "NO-TOUCH"))) {
        on_or_off(service);
    } else {
        service_refuse(
            service, STATUS_UNKNOWNFIELD,
            "CLIENT takes SETNAME name, GETNAME, SETINFO attribute value, ID, INFO, LIST, "
            "NO-EVICT or NO-TOUCH");
    }
}
