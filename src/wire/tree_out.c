/* The nodes stand in the order in which they are written, so RESP, whose maps say at first how many
 * pairs they have, is one walk. JSON has to know where a map or list ends: a stack of what is left.
 */
#include "wire/tree_out.h"

#include <string.h>

#define VALUE_BYTES_MAX (24 + TREE_DECIMAL_BYTES) /* a bulk string of a decimal; the rest is less  \
                                                   */
#define HEAD_BYTES_MAX 24

size_t tree_decimal_text(int64_t value, uint8_t places, char text[TREE_DECIMAL_BYTES])
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[20], whole[20 + TREE_DECIMALS_MAX + 1];
    size_t count = resp_out_digits(size, digits), fill = 0, used = 0;

    assert(places <= TREE_DECIMALS_MAX);
    if (count <= places) /* 5 with two places is 005 */
        fill = places + 1u - count;
    memset(whole, '0', fill);
    memcpy(whole + fill, digits, count);
    count += fill;
    if (value < 0)
        text[used++] = '-';
    memcpy(text + used, whole, count - places);
    used += count - places;
    if (places == 0)
        return used;
    text[used++] = '.';
    memcpy(text + used, whole + count - places, places);
    return used + places;
}

size_t resp_tree_bound(const struct tree_node *nodes, uint32_t count)
{
    size_t bound = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].name != NULL)
            bound += HEAD_BYTES_MAX + strlen(nodes[i].name);
        bound += VALUE_BYTES_MAX;
        if (nodes[i].kind == TREE_TEXT)
            bound += nodes[i].count;
    }
    return bound;
}

static void resp_value(struct resp_out *out, const struct tree_node *node)
{
    char text[TREE_DECIMAL_BYTES];

    switch ((enum tree_kind)node->kind) {
    case TREE_MAP:
        resp_out_map(out, node->count);
        return;
    case TREE_LIST:
        resp_out_array(out, node->count);
        return;
    case TREE_INTEGER:
    case TREE_BOOL:
        resp_out_integer(out, node->u.integer);
        return;
    case TREE_ID:
        resp_out_id(out, node->u.id);
        return;
    case TREE_DECIMAL:
        resp_out_bulk(out, text, tree_decimal_text(node->u.integer, node->places, text));
        return;
    case TREE_TEXT:
        resp_out_bulk(out, node->u.text, node->count);
        return;
    case TREE_NULL:
        resp_out_null(out);
        return;
    }
}

void resp_out_tree(struct resp_out *out, const struct tree_node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].name != NULL)
            resp_out_text(out, nodes[i].name);
        resp_value(out, &nodes[i]);
    }
}

static void json_value(struct text *text, const struct tree_node *node)
{
    char digits[TREE_DECIMAL_BYTES];

    switch ((enum tree_kind)node->kind) {
    case TREE_MAP:
        text_puts(text, node->count > 0 ? "{" : "{}");
        return;
    case TREE_LIST:
        text_puts(text, node->count > 0 ? "[" : "[]");
        return;
    case TREE_INTEGER:
        text_i64(text, node->u.integer);
        return;
    case TREE_BOOL:
        text_puts(text, node->u.integer != 0 ? "true" : "false");
        return;
    case TREE_ID:
        text_json_id(text, node->u.id);
        return;
    case TREE_DECIMAL:
        text_put(text, digits, tree_decimal_text(node->u.integer, node->places, digits));
        return;
    case TREE_TEXT:
        text_json(text, node->u.text, node->count);
        return;
    case TREE_NULL:
        text_puts(text, "null");
        return;
    }
}

/* What is open: its end, and how many values are still to come. */
struct level {
    const char *end;
    uint32_t left;
};

void json_out_tree(struct text *text, const struct tree_node *nodes, uint32_t count)
{
    struct level levels[TREE_DEPTH_MAX + 1];
    uint32_t depth = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct tree_node *node = &nodes[i];
        bool holds = node->kind == TREE_MAP || node->kind == TREE_LIST;

        if (node->name != NULL) {
            text_json(text, node->name, strlen(node->name));
            text_put(text, ":", 1);
        }
        json_value(text, node);
        if (holds && node->count > 0) {
            assert(depth < TREE_DEPTH_MAX);
            levels[depth++] = (struct level){node->kind == TREE_MAP ? "}" : "]", node->count};
            continue;
        }
        while (depth > 0 && --levels[depth - 1].left == 0)
            text_puts(text, levels[--depth].end);
        if (depth > 0)
            text_put(text, ",", 1);
    }
    assert(depth == 0);
}
