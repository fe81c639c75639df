/* guidance.h: what differs by client and by region around a like, as guidance.def has it.
 *
 * Facts and texts alone; nothing of it is state, and nobody's data is looked at. */
#ifndef ZAN_SCHEMA_GUIDANCE_H
#define ZAN_SCHEMA_GUIDANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/call.h"

/* In the order of the words of GUIDANCE in verbs.def. */
enum client {
#define CLIENT(symbol, name, tells) CLIENT_##symbol,
#define GUIDANCE(client, situation, key, can, low_ms, high_ms, zh, en)
#define WORDING(region, key, zh, en)
#include "schema/guidance.def"
#undef CLIENT
#undef GUIDANCE
#undef WORDING
    CLIENT_COUNT,
    CLIENT_ANY = CLIENT_COUNT
};

enum language { LANGUAGE_ZH, LANGUAGE_EN, LANGUAGE_COUNT };

struct guidance {
    uint8_t client; /* enum client */
    bool can;
    const char *situation, *key;
    uint32_t low_ms, high_ms; /* both 0: it is no matter of time */
    const char *text[LANGUAGE_COUNT];
};

struct wording {
    const char *region, *key;
    const char *text[LANGUAGE_COUNT];
};

extern const struct guidance guidance_table[];
extern const uint32_t guidance_count;
extern const struct wording wording_table[];
extern const uint32_t wording_count;

const char *client_name(enum client client);
const char *client_tells(enum client client);
/* The row of a situation for a client: its own, or that of ANY; NULL: there is none. */
const struct guidance *guidance_of(enum client client, const char *situation);
/* The row of a key for a region code of so many bytes: its own, that of what stands before the '-'
 * of it, or the one without a region; NULL: there is none. */
const struct wording *wording_of(const char *region, size_t size, const char *key);

/* GUIDANCE, into the call; done is not called. */
void guidance_answer(struct call *call);

#endif
