/* case_map.h: what is told of a case, once for RESP and JSON.
 *
 * Two views: everything, with the numbers of the records that prove it; and what whom it is about
 * may know: what was decided, by which rule, until when, how to appeal, but not what gave it away.
 *
 * Memory: texts point into the row or into the program. */
#ifndef ZAN_WIRE_CASE_MAP_H
#define ZAN_WIRE_CASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "schema/region.h"
#include "schema/reply.h"

enum case_field_type {
    CASE_FIELD_ID,
    CASE_FIELD_COUNT,
    CASE_FIELD_SIGNED,
    CASE_FIELD_BOOL,
    CASE_FIELD_TIME, /* us; 0: null */
    CASE_FIELD_NONE, /* null */
    CASE_FIELD_WORD, /* zero terminated */
    CASE_FIELD_TEXT  /* text, size */
};

struct case_field {
    const char *name;
    uint8_t type;
    uint64_t value;
    const char *text;
    size_t size;
};

#define CASE_FIELDS_MAX 44
#define CASE_WORDS_MAX  64 /* room for the names of all sanctions */

/* words: the caller's, for the time the fields are used. */
uint32_t case_fields(const struct case_row *row, int own, struct case_field fields[CASE_FIELDS_MAX],
                     char words[CASE_WORDS_MAX]);
/* What somebody is told. */
uint32_t notice_fields(const struct notice_view *view, struct case_field fields[CASE_FIELDS_MAX]);
uint32_t case_brief_fields(const struct case_brief *brief,
                           struct case_field fields[CASE_FIELDS_MAX]);

/* What restricts an account now (what is over is not there any more: read_account_copy). */
#define STANDING_WORDS_MAX                                                                        \
    (160 + REGION_SIZE_MAX) /* room for the names of all verbs that can be limited, and a region */
uint32_t standing_fields(const struct account_row *row, struct case_field fields[CASE_FIELDS_MAX],
                         char words[STANDING_WORDS_MAX]);

/* A like of an item, for who judges it. */
uint32_t weighed_fields(const struct edge_row *edge, struct case_field fields[CASE_FIELDS_MAX]);

/* One line of an export: an edge and what it is worth. */
uint32_t export_fields(const struct edge_row *edge, struct case_field fields[CASE_FIELDS_MAX]);

#endif
