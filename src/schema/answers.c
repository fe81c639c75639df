#include "schema/answers.h"

#include <stddef.h>

const struct answer_member answer_members[] = {
#define MEMBER(schema_, name_, type_, tells_) {schema_, name_, type_, tells_},
#define ANSWER(verb, schema)
#include "schema/answers.def"
#undef MEMBER
#undef ANSWER
};
const uint32_t answer_member_count = sizeof answer_members / sizeof *answer_members;

const char *answer_schema(enum verb verb)
{
    switch (verb) {
#define MEMBER(schema, name, type, tells)
#define ANSWER(verb_, schema)                                                                      \
    case VERB_##verb_:                                                                             \
        return schema;
#include "schema/answers.def"
#undef MEMBER
#undef ANSWER
    default:
        return NULL;
    }
}
