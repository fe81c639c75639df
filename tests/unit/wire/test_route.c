/* The HTTP column: every verb has a path, every path finds its verb, and the page about it is whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "wire/route.h"

static void every_verb_that_is_no_handshake_has_a_path(void **state)
{
    (void)state;
    for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
        bool found = verb_table[verb].group == GROUP_SERVICE;

        for (uint32_t i = 0; i < route_count && !found; i++)
            found = route_table[i].verb == verb;
        if (!found)
            fail_msg("%s has no row in routes.def", verb_table[verb].name);
    }
}

/* A path with its arguments filled in. */
static void fill(const char *form, char path[128])
{
    size_t used = 0;

    for (const char *at = form; *at != 0; at++) {
        if (*at == '{') {
            used += (size_t)snprintf(path + used, 128 - used, "%zu", used);
            at = strchr(at, '}');
        } else {
            path[used++] = *at;
        }
    }
    path[used] = 0;
}

static void every_row_is_found_by_its_own_path(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < route_count; i += route_choices(&route_table[i])) {
        struct route_match match;
        char path[128];

        fill(route_table[i].path, path);
        match = route_find(route_table[i].method, path);
        assert_ptr_equal(match.route, &route_table[i]);
        assert_true(match.methods >> route_table[i].method & 1);
        for (uint32_t j = 0; j < match.value_count; j++) {
            char number[24];

            snprintf(number, sizeof number, "%zu", (size_t)(match.values[j].bytes - path));
            assert_int_equal(match.values[j].size, strlen(number));
            assert_memory_equal(match.values[j].bytes, number, strlen(number));
        }
    }
}

static void rows_with_one_path_stand_together(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < route_count; i++)
        for (uint32_t j = i + 1; j < route_count; j++) {
            bool same = route_table[i].method == route_table[j].method &&
                        strcmp(route_table[i].path, route_table[j].path) == 0;

            if (!same)
                continue;
            assert_true(j < i + route_choices(&route_table[i]));
            assert_string_not_equal(route_table[i].choice, route_table[j].choice);
            assert_string_equal(route_table[i].operation, route_table[j].operation);
        }
}

static void other_paths_are_not_found(void **state)
{
    static const char *const paths[] = {
        "",          "/v1",           "/v1/",          "/v1/items",          "/v1/items/",
        "/v1/items//likes/1",         "/v1/items/1/likes/",                  "/v1/items/1/likes/2/",
        "/v1/items/1/likes/2/3",      "//v1/items/1",  "/v1/items/1/Likes",  "/v2/items/1",
        "v1/items/1",                 "/v1/sequence/", "/v1/batch/states/1", "/V1/sequence",
    };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct route_match match = route_find(METHOD_GET, paths[i]);

        if (match.methods != 0)
            fail_msg("%s was found", paths[i]);
    }
}

static void a_known_path_tells_the_methods_it_takes(void **state)
{
    struct route_match match = route_find(METHOD_POST, "/v1/items/9/likes/7");

    (void)state;
    assert_null(match.route);
    assert_int_equal(match.methods, 1 << METHOD_GET | 1 << METHOD_PUT | 1 << METHOD_DELETE);
    assert_int_equal(route_find(METHOD_COUNT, "/v1/sequence").methods, 1 << METHOD_GET);
}

static const struct route_field *field_of(const struct route_field *fields, uint32_t count,
                                          const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    fail_msg("no field %s", name);
    return NULL;
}

static void arguments_know_their_place(void **state)
{
    struct route_field fields[ROUTE_FIELDS_MAX];
    uint32_t count = route_fields(route_find(METHOD_POST, "/v1/items/9/views").route, fields);

    (void)state;
    assert_int_equal(count, 5);
    assert_int_equal(field_of(fields, count, "token")->slot, SLOT_TOKEN);
    assert_false(field_of(fields, count, "token")->required);
    assert_int_equal(field_of(fields, count, "item")->place, PLACE_PATH);
    assert_int_equal(field_of(fields, count, "account")->place, PLACE_BODY);
    assert_int_equal(field_of(fields, count, "watch_ms")->slot, SLOT_WATCH);
    assert_true(field_of(fields, count, "duration_ms")->required);
    count = route_fields(route_find(METHOD_GET, "/v1/items/9/likes").route, fields);
    assert_int_equal(field_of(fields, count, "cursor")->place, PLACE_QUERY);
    assert_false(field_of(fields, count, "count")->required);
    count = route_fields(route_find(METHOD_PUT, "/v1/items/9").route, fields);
    assert_int_equal(field_of(fields, count, "item")->slot, SLOT_TARGET);
    assert_int_equal(field_of(fields, count, "creator")->slot, SLOT_CREATOR);
    assert_int_equal(field_of(fields, count, "duration_ms")->type, TYPE_MS);
    assert_string_equal(field_of(fields, count, "state")->words, "published|private|removed");
    count = route_fields(route_find(METHOD_PUT, "/v1/accounts/9/state").route, fields);
    assert_int_equal(field_of(fields, count, "until_ms")->slot, SLOT_UNTIL);
}

/* json.c takes the place of a word for its number. */
static void words_stand_in_the_order_of_the_enums(void **state)
{
    struct route_field fields[ROUTE_FIELDS_MAX];
    uint32_t count = route_fields(route_find(METHOD_PUT, "/v1/items/9/state").route, fields);
    char words[ROUTE_WORDS] = "";

    (void)state;
    for (unsigned i = 0; i < ITEM_STATE_COUNT; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i > 0 ? "|" : "",
                 item_state_name((enum item_state)i));
    assert_string_equal(field_of(fields, count, "state")->words, words);
    count = route_fields(route_find(METHOD_PUT, "/v1/accounts/9/state").route, fields);
    words[0] = 0;
    for (unsigned i = 0; i < ACCOUNT_ERASED; i++) /* that one has verbs of its own */
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i > 0 ? "|" : "",
                 account_state_name((enum account_state)i));
    assert_string_equal(field_of(fields, count, "state")->words, words);
}

static char *read_page(void)
{
    const char *source = getenv("ZAN_SOURCE");
    char path[512], *text;
    FILE *file;
    size_t size;

    snprintf(path, sizeof path, "%s/docs/http.md", source != NULL ? source : ".");
    file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    text = calloc(1, 1 << 20);
    size = fread(text, 1, (1 << 20) - 1, file);
    text[size] = 0;
    fclose(file);
    return text;
}

static void the_page_about_http_has_every_row(void **state)
{
    char *page = read_page();
    unsigned missing = 0;

    (void)state;
    if (page == NULL)
        skip(); /* run outside the source tree */
    for (uint32_t i = 0; i < route_count; i++) {
        const struct route *route = &route_table[i];
        char line[256];

        snprintf(line, sizeof line, "| %s | `%s %s` |", verb_info(route->verb)->name,
                 route_method_name(route->method), route->path);
        if (strstr(page, line) != NULL)
            continue;
        missing++;
        printf("docs/http.md lacks: %s\n", line);
    }
    free(page);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_that_is_no_handshake_has_a_path),
        cmocka_unit_test(every_row_is_found_by_its_own_path),
        cmocka_unit_test(rows_with_one_path_stand_together),
        cmocka_unit_test(other_paths_are_not_found),
        cmocka_unit_test(a_known_path_tells_the_methods_it_takes),
        cmocka_unit_test(arguments_know_their_place),
        cmocka_unit_test(words_stand_in_the_order_of_the_enums),
        cmocka_unit_test(the_page_about_http_has_every_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
