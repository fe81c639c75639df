/* NODE: in which modes the node is, and what an administrator orders of it.
 *
 *   NODE MODE                            every mode that holds: its name, since when, why
 *   NODE MODE readonly|normal REASON     1, or 0: it was so already
 *   NODE RESYNC REASON                   1: a lost copy of the log is brought back now; 0: none is
 */
#include <stdio.h>
#include <string.h>

#include "serve/service.h"

#define NODE_USAGE "NODE takes MODE, MODE readonly|normal reason, or RESYNC reason"

static void tell_modes(struct service *service)
{
    struct resp_out *out = &service->out;
    struct facts facts;
    uint32_t held = 0;

    service_facts(service->serve, &facts);
    for (int mode = 0; mode < MODE_COUNT; mode++)
        held += facts.modes[mode].since_s != 0;
    resp_out_array(out, held);
    for (int mode = MODE_COUNT - 1; mode >= 0; mode--) {
        const struct mode_facts *now = &facts.modes[mode];

        if (now->since_s == 0)
            continue;
        resp_out_array(out, 3);
        resp_out_text(out, mode_name((enum mode)mode));
        resp_out_integer(out, (int64_t)now->since_s);
        resp_out_text(out, now->reason);
    }
}

static void order(struct service *service, const char *what, uint32_t reason_at)
{
    const struct serve *serve = service->serve;
    const char *user = serve->abouts[conn_index(serve, service->conn)].user;
    const struct resp_slice *reason = &service->args[reason_at];
    char text[256], message[256] = "";
    enum status status;

    if (serve->config.order == NULL || reason->size >= sizeof text ||
        memchr(reason->bytes, 0, reason->size) != NULL) {
        service_refuse(service, STATUS_BADVALUE, "a reason of one line is needed");
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)reason->size, reason->bytes);
    status = serve->config.order(serve->config.facts_context, user[0] != '\0' ? user : "anybody",
                                 what, text, message);
    if (status == STATUS_OK || status == STATUS_UNCHANGED)
        resp_out_integer(&service->out, status == STATUS_OK);
    else
        service_refuse(service, status, message[0] != '\0' ? message : NULL);
}

void service_node(struct service *service)
{
    if (service_word(service, 1, "MODE") && service->count == 2)
        tell_modes(service);
    else if (service_word(service, 1, "MODE") && service->count == 4 &&
             service_word(service, 2, "readonly"))
        order(service, "readonly", 3);
    else if (service_word(service, 1, "MODE") && service->count == 4 &&
             service_word(service, 2, "normal"))
        order(service, "normal", 3);
    else if (service_word(service, 1, "RESYNC") && service->count == 3)
        order(service, "resync", 2);
    else
        service_refuse(service, STATUS_UNKNOWNFIELD, NODE_USAGE);
}
