/* answers.h: answers.def as tables. */
#ifndef ZAN_SCHEMA_ANSWERS_H
#define ZAN_SCHEMA_ANSWERS_H

#include <stdint.h>

#include "schema/verb.h"

struct answer_member {
    const char *schema, *name, *type, *tells;
};

extern const struct answer_member answer_members[];
extern const uint32_t answer_member_count;

/* The schema of what a verb answers; NULL if it is not of answers.def. */
const char *answer_schema(enum verb verb);

#endif
