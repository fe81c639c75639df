/* tree_out.h: a tree (schema/tree.h) as RESP and as JSON.
 *
 * Ids are strings in both, decimals bulk strings in RESP (exact, where a double would be rounded)
 * and numbers in JSON. */
#ifndef ZAN_WIRE_TREE_OUT_H
#define ZAN_WIRE_TREE_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "schema/tree.h"
#include "wire/resp_out.h"
#include "wire/text.h"

/* No tree of these nodes needs more in either protocol. */
size_t resp_tree_bound(const struct tree_node *nodes, uint32_t count);
void resp_out_tree(struct resp_out *out, const struct tree_node *nodes, uint32_t count);

void json_out_tree(struct text *text, const struct tree_node *nodes, uint32_t count);

#define TREE_DECIMAL_BYTES 32
/* "-0.05" for -5 and 2 places; not ended with a 0. Returns its size. */
size_t tree_decimal_text(int64_t value, uint8_t places, char text[TREE_DECIMAL_BYTES]);

#endif
