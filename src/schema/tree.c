#include "schema/tree.h"

#include <string.h>

void tree_begin(struct tree_builder *tree, struct call *call)
{
    uint8_t *bytes = call->storage;

    assert((uintptr_t)bytes % 16 == 0);
    *tree = (struct tree_builder){
        .nodes = call->storage,
        .texts = (char *)bytes + call->storage_size,
    };
    tree_map(tree, NULL);
}

/* The map or list that is open; NULL before the root, and when nothing fits any more. */
static struct tree_node *parent(struct tree_builder *tree)
{
    return tree->depth == 0 || tree->full ? NULL : &tree->nodes[tree->open[tree->depth - 1]];
}

/* NULL: full. */
static struct tree_node *add(struct tree_builder *tree, const char *name, enum tree_kind kind)
{
    struct tree_node *above = parent(tree), *node;

    if (tree->full || tree->count == UINT16_MAX ||
        (size_t)(tree->texts - (char *)&tree->nodes[tree->count]) < sizeof(struct tree_node)) {
        tree->full = true;
        return NULL;
    }
    assert(above != NULL || tree->count == 0);
    if (above != NULL) {
        assert((name != NULL) == (above->kind == TREE_MAP));
        above->count++;
    }
    node = &tree->nodes[tree->count++];
    *node = (struct tree_node){.name = name, .kind = (uint8_t)kind};
    return node;
}

static void begin(struct tree_builder *tree, const char *name, enum tree_kind kind)
{
    assert(tree->depth < TREE_DEPTH_MAX);
    if (add(tree, name, kind) != NULL)
        tree->open[tree->depth] = tree->count - 1;
    tree->depth++; /* also when full: ends are counted */
}

void tree_map(struct tree_builder *tree, const char *name)
{
    begin(tree, name, TREE_MAP);
}

void tree_list(struct tree_builder *tree, const char *name)
{
    begin(tree, name, TREE_LIST);
}

void tree_end(struct tree_builder *tree)
{
    assert(tree->depth > 1); /* the root ends with tree_finish */
    tree->depth--;
}

static void add_integer(struct tree_builder *tree, const char *name, enum tree_kind kind,
                        int64_t value, uint8_t places)
{
    struct tree_node *node = add(tree, name, kind);

    if (node == NULL)
        return;
    node->u.integer = value;
    node->places = places;
}

void tree_integer(struct tree_builder *tree, const char *name, int64_t value)
{
    add_integer(tree, name, TREE_INTEGER, value, 0);
}

void tree_counter(struct tree_builder *tree, const char *name, uint64_t value)
{
    tree_integer(tree, name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void tree_id(struct tree_builder *tree, const char *name, uint64_t id)
{
    struct tree_node *node = add(tree, name, TREE_ID);

    if (node != NULL)
        node->u.id = id;
}

void tree_decimal(struct tree_builder *tree, const char *name, int64_t value, uint8_t places)
{
    assert(places <= TREE_DECIMALS_MAX);
    add_integer(tree, name, TREE_DECIMAL, value, places);
}

void tree_bool(struct tree_builder *tree, const char *name, bool value)
{
    add_integer(tree, name, TREE_BOOL, value, 0);
}

void tree_text(struct tree_builder *tree, const char *name, const char *text, size_t size)
{
    struct tree_node *node = add(tree, name, TREE_TEXT);

    if (node == NULL)
        return;
    if ((size_t)(tree->texts - (char *)&tree->nodes[tree->count]) < size) {
        tree->full = true;
        return;
    }
    tree->texts -= size;
    memcpy(tree->texts, text, size);
    node->u.text = tree->texts;
    node->count = (uint32_t)size;
}

void tree_word(struct tree_builder *tree, const char *name, const char *word)
{
    tree_text(tree, name, word, strlen(word));
}

void tree_null(struct tree_builder *tree, const char *name)
{
    (void)add(tree, name, TREE_NULL);
}

void tree_finish(struct tree_builder *tree, struct call *call)
{
    assert(tree->depth == 1);
    if (tree->full) {
        tree_refuse(call, STATUS_TOOBIG);
        return;
    }
    call->reply = (struct reply){
        .kind = REPLY_TREE,
        .count = (uint16_t)tree->count,
        .u.tree = tree->nodes,
    };
}

void tree_refuse(struct call *call, enum status status)
{
    call->reply = (struct reply){.kind = REPLY_ERROR,
                                 .status = (uint8_t)status,
                                 .retry_ms = status == STATUS_BUSY ? 100 : 0};
}
