/* tree.h: an answer as a tree of named values, for verbs whose answers need no writer of their own.
 *
 * Built by who answers into the call's storage; written as RESP2, RESP3 or JSON by wire (one
 * function each). What a verb's tree has is said once, in answers.def, from which the documents are
 * made; the tests hold real answers against it.
 *
 *     struct tree_builder tree;
 *     tree_begin(&tree, call);                 // the root is a map
 *     tree_integer(&tree, "seq", sequence);
 *     tree_list(&tree, "items");
 *     for (...) {
 *         tree_map(&tree, NULL);               // in a list nothing has a name
 *         tree_id(&tree, "item", id);
 *         tree_decimal(&tree, "heat", 12345, 3);  // 12.345
 *         tree_end(&tree);
 *     }
 *     tree_end(&tree);
 *     tree_finish(&tree, call);                // ends the root, makes the reply
 *
 * Bytes: an array of nodes in the order they were added, a map or list before what is in it; texts
 *        stand at the end of the storage and grow towards them.
 * Memory: names are literals; texts are copied. Full storage is no fault of the caller: what does
 * not fit makes the whole answer a refusal (TOOBIG), written by tree_finish. Bound:  depth
 * TREE_DEPTH_MAX; nodes and texts: the call's storage, and 65535 nodes. */
#ifndef ZAN_SCHEMA_TREE_H
#define ZAN_SCHEMA_TREE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/call.h"

#define TREE_DEPTH_MAX    8
#define TREE_DECIMALS_MAX 9

enum tree_kind {
    TREE_MAP,     /* count pairs */
    TREE_LIST,    /* count values */
    TREE_INTEGER, /* integer */
    TREE_ID,      /* id: a string of digits on the wire, for JavaScript's sake */
    TREE_DECIMAL, /* integer / 10^places: digits with a point */
    TREE_BOOL,    /* integer: 1 or 0 in RESP, true or false in JSON */
    TREE_TEXT,    /* text, count bytes */
    TREE_NULL
};

struct tree_node {
    const char *name; /* within a map; NULL within a list, and of the root */
    union {
        int64_t integer;
        uint64_t id;
        const char *text; /* in the storage */
    } u;
    uint32_t count; /* of what a map or list holds; of bytes of a text */
    uint8_t kind;   /* enum tree_kind */
    uint8_t places; /* of a decimal: 0 .. TREE_DECIMALS_MAX */
};
static_assert(sizeof(struct tree_node) == 24, "a feed of a hundred entries fits into a call");

struct tree_builder {
    struct tree_node *nodes;
    uint32_t count;
    char *texts; /* nodes grow up to them, they grow down from the end of the storage */
    uint32_t depth;
    uint32_t open[TREE_DEPTH_MAX];
    bool full;
};

/* Begins in call->storage, which has to be aligned to 16. */
void tree_begin(struct tree_builder *tree, struct call *call);

void tree_map(struct tree_builder *tree, const char *name);
void tree_list(struct tree_builder *tree, const char *name);
void tree_end(struct tree_builder *tree); /* of the map or list begun last */

void tree_integer(struct tree_builder *tree, const char *name, int64_t value);
void tree_counter(struct tree_builder *tree, const char *name,
                  uint64_t value); /* INT64_MAX at most */
void tree_id(struct tree_builder *tree, const char *name, uint64_t id);
/* value / 10^places. */
void tree_decimal(struct tree_builder *tree, const char *name, int64_t value, uint8_t places);
void tree_bool(struct tree_builder *tree, const char *name, bool value);
void tree_text(struct tree_builder *tree, const char *name, const char *text, size_t size);
void tree_word(struct tree_builder *tree, const char *name, const char *word); /* ends with a 0 */
void tree_null(struct tree_builder *tree, const char *name);

/* Ends the root and makes call->reply a REPLY_TREE, or TOOBIG if it did not fit. */
void tree_finish(struct tree_builder *tree, struct call *call);

/* In place of an answer. */
void tree_refuse(struct call *call, enum status status);

#endif
