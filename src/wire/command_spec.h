/* command_spec.h: the arguments column of verbs.def, taken apart.
 *
 * The little language is read once, before main, into one table that never changes after; the
 * parser, COMMAND DOCS and the documents are made from it. */
#ifndef ZAN_WIRE_COMMAND_SPEC_H
#define ZAN_WIRE_COMMAND_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/verb.h"
#include "wire/resp.h"

#define COMMAND_ARGUMENTS_MAX 12

enum command_type {
    TYPE_ACCOUNT,
    TYPE_ITEM,
    TYPE_CREATOR,
    TYPE_MS,
    TYPE_TIME_MS,
    TYPE_COUNT,
    TYPE_CURSOR,
    TYPE_TEXT,
    TYPE_OPID,
    TYPE_FLAG,
    TYPE_CONTEXT,
    TYPE_AUTH,
    TYPE_CASE,
    TYPE_VERSION, /* of the rules */
    TYPE_POLICY,  /* text of rules */
    TYPE_REGION,
    TYPE_AMOUNT, /* 0 to a milliard */
    TYPE_TOKEN,   /* of an impression */
    TYPE_WORD /* one of words, "a|b|c" */
};

struct command_argument {
    struct resp_slice name;  /* "item"; or "OPID", the word that introduces an option */
    struct resp_slice words; /* TYPE_WORD */
    uint8_t type;            /* enum command_type */
    bool optional;
    bool token; /* the name itself is written before the value */
    bool multiple;
};

struct command_spec {
    uint8_t count;      /* of arguments */
    uint8_t positional; /* the first so many have no token */
    uint8_t needed;     /* words after the name that must be there */
    bool open;          /* no upper bound of words follows from the arguments */
    uint8_t words;      /* of the name: 1, or 2 ("ITEM SET") */
    struct command_argument arguments[COMMAND_ARGUMENTS_MAX];
};

const struct command_spec *command_spec(enum verb verb);

/* Reads the little language; what it cannot read is a fault of the program (assert). The slices
 * point into arguments. */
void command_spec_read(const char *arguments, struct command_spec *spec);

/* "account", "ms", ...: the type's name in verbs.def. */
const char *command_type_name(enum command_type type);

/* Do they differ in nothing but upper and lower case? */
bool command_same(struct resp_slice a, struct resp_slice b);

/* Takes the next of "a|b|c" off *words; false if none is left. */
bool command_next_word(struct resp_slice *words, struct resp_slice *word);

static inline struct resp_slice command_slice(const char *text)
{
    return (struct resp_slice){.bytes = text, .size = (uint32_t)__builtin_strlen(text)};
}

#endif
