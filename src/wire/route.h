/* route.h: which verb an HTTP path means, and where its arguments come from.
 *
 * Everything is derived from routes.def and verbs.def; nothing is kept. */
#ifndef ZAN_WIRE_ROUTE_H
#define ZAN_WIRE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/verb.h"

enum route_method { METHOD_GET, METHOD_PUT, METHOD_POST, METHOD_DELETE, METHOD_COUNT };
enum route_place { PLACE_PATH, PLACE_QUERY, PLACE_BODY };
enum route_type { TYPE_ID, TYPE_MS, TYPE_TIME_MS, TYPE_PAGE, TYPE_CURSOR, TYPE_WORD,
                  TYPE_REASON, TYPE_POLICY, TYPE_REGION, TYPE_TOKEN,
                  TYPE_AMOUNT };

/* Which part of a struct request an argument fills. */
enum route_slot {
    SLOT_ACCOUNT,
    SLOT_TARGET,
    SLOT_TARGETS, /* ids */
    SLOT_CREATOR,
    SLOT_WATCH,
    SLOT_DURATION,
    SLOT_ACTIONS,
    SLOT_STATE,
    SLOT_UNTIL,
    SLOT_CURSOR,
    SLOT_VIEWER,
    SLOT_VISIBLE,
    SLOT_TIER,
    SLOT_MINOR,
    SLOT_PERSONAL,
    SLOT_CREATED,
    SLOT_REGION,
    SLOT_KIND,
    SLOT_SUBJECT,
    SLOT_DECISION,
    SLOT_MARK,
    SLOT_WHY, /* enum reason */
    SLOT_REASON,
    SLOT_POLICY,
    SLOT_SINCE,
    SLOT_VALUE,
    SLOT_COUNT,
    SLOT_BEFORE,
    SLOT_AFTER,
    SLOT_TOKEN,
    SLOT_NAME,   /* of a note: what it is about, in words */
    SLOT_AMOUNT,
    SLOT_STAGE, /* or another small number */
    SLOT_ORIGINAL,
    SLOT_PUBLISHED
};

#define ROUTE_FIELDS_MAX 8
#define ROUTE_NAME       24
#define ROUTE_WORDS      128
#define ROUTE_VALUES_MAX 2 /* arguments in a path */

struct route {
    enum verb verb;
    enum route_method method;
    const char *path; /* "/v1/items/{item}/likes/{account}" */
    const char *operation;
    const char *choice;
    const char *names;
};

struct route_field {
    char name[ROUTE_NAME];   /* "account", "duration_ms" */
    char words[ROUTE_WORDS]; /* TYPE_WORD: "published|private|removed", in lower case */
    enum route_slot slot;
    enum route_type type;
    enum route_place place;
    bool required;
    bool many; /* an array, if it is in the body */
    uint8_t word; /* TYPE_WORD: its place among the verb's arguments of this type */
};

extern const struct route route_table[];
extern const uint32_t route_count;

/* Not zero terminated; borrowed from the path that was matched. */
struct route_value {
    const char *name;
    size_t name_size;
    const char *bytes;
    size_t size;
};

/* How a path and a method met the table. */
struct route_match {
    const struct route *route; /* the first of its method and path; NULL: none */
    uint32_t methods;          /* bit m: the path takes enum route_method m; 0: no such path */
    uint32_t value_count;
    struct route_value values[ROUTE_VALUES_MAX];
};

/* method may be METHOD_COUNT: none of ours. The path is taken as it stands, without unescaping:
 * arguments are digits. */
struct route_match route_find(enum route_method method, const char *path);

/* The rows with the method and path of route, route being the first of them. */
uint32_t route_choices(const struct route *route);

/* The arguments of the verb, in order, as HTTP gives them. Returns how many. */
uint32_t route_fields(const struct route *route, struct route_field fields[ROUTE_FIELDS_MAX]);

const char *route_method_name(enum route_method method);

#endif
