/* policy_map.h: what is told of a version of the rules, once for RESP and JSON.
 *
 * Memory: texts point into the view or into the program; digits is the caller's. */
#ifndef ZAN_WIRE_POLICY_MAP_H
#define ZAN_WIRE_POLICY_MAP_H

#include "wire/case_map.h"

#define POLICY_FIELDS_MAX  24
#define POLICY_DIGITS      64
#define POLICY_HEAD_BYTES  1536 /* of all fields but the text, over RESP */
#define POLICY_LINE_FIELDS 7
#define POLICY_LINE_BYTES  256

uint32_t policy_head_fields(const struct policy_head *head,
                            struct case_field fields[POLICY_FIELDS_MAX],
                            char digits[POLICY_DIGITS]);
/* Head, and what the view has besides its lines. */
uint32_t policy_fields(const struct policy_view *view, struct case_field fields[POLICY_FIELDS_MAX],
                       char digits[POLICY_DIGITS]);
uint32_t policy_line_fields(const struct policy_line *line,
                            struct case_field fields[POLICY_FIELDS_MAX]);

#endif
