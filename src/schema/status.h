/* status.h: how things end. Codes, texts and certainty come from status.def.
 *
 * Three kinds of ending (docs/ARCHITECTURE.md, "Endings"): a *refusal* is a normal result that goes
 * into the reply; a *failure* of disk, network or input is an enum status the caller handles at
 * once; the *impossible* is an assert. */
#ifndef ZAN_SCHEMA_STATUS_H
#define ZAN_SCHEMA_STATUS_H

#include <stdbool.h>

enum status {
#define STATUS(symbol, code, http, certain, connection, text, advice) STATUS_##symbol,
#include "schema/status.def"
#undef STATUS
    STATUS_COUNT
};

struct status_info {
    const char *symbol; /* "NOITEM" */
    const char *code;   /* first word on the wire */
    int http;
    bool certain; /* true: what was asked certainly did not happen (or did, for OK) */
    bool close;   /* true: the connection is closed after the answer */
    const char *text;
    const char *advice;
};

/* Never NULL; status must be below STATUS_COUNT. The result is static. */
const struct status_info *status_info(enum status status);

#endif
