#include "schema/guidance.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "schema/region.h"
#include "schema/tree.h"

#define YES true
#define NO  false

const struct guidance guidance_table[] = {
#define CLIENT(symbol, name, tells)
#define GUIDANCE(client_, situation_, key_, can_, low, high, zh, en)                               \
    {CLIENT_##client_, can_, situation_, key_, low, high, {zh, en}},
#define WORDING(region, key, zh, en)
#include "schema/guidance.def"
#undef GUIDANCE
#undef WORDING
};
const uint32_t guidance_count = sizeof guidance_table / sizeof *guidance_table;

const struct wording wording_table[] = {
#define GUIDANCE(client, situation, key, can, low_ms, high_ms, zh, en)
#define WORDING(region_, key_, zh, en) {region_, key_, {zh, en}},
#include "schema/guidance.def"
#undef CLIENT
#undef WORDING
};
const uint32_t wording_count = sizeof wording_table / sizeof *wording_table;

static const char *const clients[CLIENT_COUNT][2] = {
#define CLIENT(symbol, name, tells) {name, tells},
#define WORDING(region, key, zh, en)
#include "schema/guidance.def"
#undef CLIENT
#undef GUIDANCE
#undef WORDING
};

const char *client_name(enum client client)
{
    assert(client < CLIENT_COUNT);
    return clients[client][0];
}

const char *client_tells(enum client client)
{
    assert(client < CLIENT_COUNT);
    return clients[client][1];
}

const struct guidance *guidance_of(enum client client, const char *situation)
{
    const struct guidance *any = NULL;

    for (uint32_t i = 0; i < guidance_count; i++) {
        const struct guidance *row = &guidance_table[i];

        if (strcmp(row->situation, situation) != 0)
            continue;
        if (row->client == client && !PLANTED("schema.guidance_of_any"))
            return row;
        if (row->client == CLIENT_ANY)
            any = row;
    }
    return any;
}

static const struct wording *exactly(const char *region, size_t size, const char *key)
{
    for (uint32_t i = 0; i < wording_count; i++)
        if (strcmp(wording_table[i].key, key) == 0 && strlen(wording_table[i].region) == size &&
            memcmp(wording_table[i].region, region, size) == 0)
            return &wording_table[i];
    return NULL;
}

const struct wording *wording_of(const char *region, size_t size, const char *key)
{
    const struct wording *row = exactly(region, size, key);
    const char *dash = size > 0 ? memchr(region, '-', size) : NULL;

    if (row == NULL && dash != NULL)
        row = exactly(region, (size_t)(dash - region), key);
    return row != NULL ? row : exactly("", 0, key);
}

/* --- the answer ----------------------------------------------------------------------------------
 */

/* Is it the first row of its situation? Each is told once, in the order of the table. */
static bool is_first(uint32_t row)
{
    for (uint32_t i = 0; i < row; i++)
        if (strcmp(guidance_table[i].situation, guidance_table[row].situation) == 0)
            return false;
    return true;
}

static void put_entry(struct tree_builder *tree, const struct guidance *row, uint32_t language)
{
    tree_map(tree, NULL);
    tree_word(tree, "situation", row->situation);
    tree_word(tree, "key", row->key);
    tree_bool(tree, "can", row->can);
    if (row->high_ms == 0) {
        tree_null(tree, "low_ms");
        tree_null(tree, "high_ms");
    } else {
        tree_counter(tree, "low_ms", row->low_ms);
        tree_counter(tree, "high_ms", row->high_ms);
    }
    tree_word(tree, "text", row->text[language]);
    tree_end(tree);
}

static void put_wording(struct tree_builder *tree, const char *region, size_t size,
                        uint32_t language)
{
    tree_list(tree, "wording");
    for (uint32_t i = 0; i < wording_count; i++) {
        const struct wording *row;

        if (wording_table[i].region[0] != '\0')
            continue;
        row = wording_of(region, size, wording_table[i].key);
        assert(row != NULL); /* this one, if no other */
        tree_map(tree, NULL);
        tree_word(tree, "key", row->key);
        tree_word(tree, "text", row->text[language]);
        tree_end(tree);
    }
    tree_end(tree);
}

void guidance_answer(struct call *call)
{
    const struct request *request = &call->request;
    enum client client = (enum client)(request->u.ask.words[0] - 1);
    uint32_t language = request->u.ask.words[1] == 0 ? LANGUAGE_EN : request->u.ask.words[1] - 1u;
    char code[REGION_SIZE_MAX];
    struct tree_builder tree;
    uint64_t region = 0;
    size_t size;

    assert(client < CLIENT_COUNT && language < LANGUAGE_COUNT);
    if (request->u.ask.text_size > 0 &&
        !region_read(request->u.ask.text, request->u.ask.text_size, &region)) {
        tree_refuse(call, STATUS_BADVALUE);
        call->reply.u.detail = "REGION (region) must be a code such as cn or eu-west, or none";
        return;
    }
    size = region_write(region, code);
    tree_begin(&tree, call);
    tree_word(&tree, "client", client_name(client));
    tree_word(&tree, "language", language == LANGUAGE_ZH ? "zh" : "en");
    tree_text(&tree, "region", code, size);
    tree_list(&tree, "entries");
    for (uint32_t i = 0; i < guidance_count; i++) {
        const struct guidance *row = guidance_of(client, guidance_table[i].situation);

        if (is_first(i) && row != NULL)
            put_entry(&tree, row, language);
    }
    tree_end(&tree);
    put_wording(&tree, code, size, language);
    tree_finish(&tree, call);
}
