/* service.h: what the door answers by itself: handshake, login, help, INFO, CLIENT, CONFIG.
 *
 * An answer that does not fit leaves out->used greater than out->size and is asked for again; so
 * whatever changes a connection answers in few bytes, and SERVICE_ROOM of them are always there. */
#ifndef ZAN_SERVE_SERVICE_H
#define ZAN_SERVE_SERVICE_H

#include "serve/door.h"
#include "wire/resp_out.h"

#define SERVICE_ROOM 4096

struct service {
    struct serve *serve;
    struct conn *conn;
    const struct resp_slice *args; /* with the verb's name */
    uint32_t count;
    int64_t now_us;
    struct resp_out out;
    bool close;         /* afterwards */
    enum status status; /* how it went, for the counters */
};

/* verb is one of GROUP_SERVICE; role has been checked. */
void service_answer(struct service *service, enum verb verb);

/* --- for the files of the service ----------------------------------------------------------------
 */

void service_refuse(struct service *service, enum status status, const char *detail);
bool service_word(const struct service *service, uint32_t index, const char *word);
void service_verbatim(struct service *service, const char *text, size_t size);

void service_facts(const struct serve *serve, struct facts *facts);

/* A name for people: printable, without spaces, shorter than NAME_MAX_BYTES; else refused and
 * false. */
bool service_set_text(struct service *service, char to[NAME_MAX_BYTES], struct resp_slice text);

void service_client(struct service *service); /* service_client.c */
void service_info(struct service *service);   /* service_info.c */
void service_node(struct service *service);   /* service_node.c */

/* Redis' patterns: * ? [a-z] [^a-z] \x; without regard to case. */
bool service_matches(struct resp_slice pattern, const char *text);

#endif
