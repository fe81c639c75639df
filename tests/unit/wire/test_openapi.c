/* The OpenAPI document: it is JSON, it has every route, and every $ref points at something. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "wire/openapi.h"
#include "wire/route.h"

static json_t *root;

static int open_document(void **state)
{
    struct text text = {0};
    json_error_t error;

    (void)state;
    openapi_write(&text, "0.1.0");
    if (text.failed)
        return -1;
    root = json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES, &error);
    text_free(&text);
    return root == NULL ? -1 : 0;
}

static int close_document(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

static json_t *operation_of(const struct route *route)
{
    static const char *const keys[METHOD_COUNT] = {"get", "put", "post", "delete"};

    return json_object_get(
        json_object_get(json_object_get(root, "paths"), route->path), keys[route->method]);
}

static void it_has_every_route_with_its_path_arguments(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < route_count; i++) {
        json_t *operation = operation_of(&route_table[i]);
        size_t in_path = 0, index;
        json_t *parameter;

        assert_non_null(operation);
        assert_string_equal(json_string_value(json_object_get(operation, "operationId")),
                            route_table[i].operation);
        json_array_foreach (json_object_get(operation, "parameters"), index, parameter) {
            const char *in = json_string_value(json_object_get(parameter, "in"));

            in_path += in != NULL && strcmp(in, "path") == 0;
        }
        for (const char *at = route_table[i].path; (at = strchr(at, '{')) != NULL; at++)
            in_path--;
        assert_int_equal(in_path, 0);
    }
}

static void operation_ids_are_unique(void **state)
{
    json_t *seen = json_object(), *path, *operation;
    const char *name, *method;

    (void)state;
    json_object_foreach (json_object_get(root, "paths"), name, path)
        json_object_foreach (path, method, operation) {
            const char *id = json_string_value(json_object_get(operation, "operationId"));

            assert_non_null(id);
            assert_null(json_object_get(seen, id));
            json_object_set_new(seen, id, json_true());
        }
    json_decref(seen);
}

/* Follows "#/a/b/c". */
static json_t *follow(const char *reference)
{
    json_t *at = root;
    char key[64];

    assert_int_equal(reference[0], '#');
    for (reference++; *reference == '/' && at != NULL;) {
        size_t size = strcspn(reference + 1, "/");

        snprintf(key, sizeof key, "%.*s", (int)size, reference + 1);
        at = json_object_get(at, key);
        reference += size + 1;
    }
    return at;
}

static unsigned check_references(json_t *at)
{
    unsigned count = 0;
    const char *key;
    json_t *value;
    size_t index;

    json_array_foreach (at, index, value)
        count += check_references(value);
    json_object_foreach (at, key, value) {
        count += check_references(value);
        if (strcmp(key, "$ref") != 0)
            continue;
        if (follow(json_string_value(value)) == NULL)
            fail_msg("%s points at nothing", json_string_value(value));
        count++;
    }
    return count;
}

static void every_reference_points_at_something(void **state)
{
    (void)state;
    assert_true(check_references(root) > 100);
}

static void the_batch_lists_its_verbs_and_bounds(void **state)
{
    json_t *body = json_object_get(operation_of(route_find(METHOD_POST, "/v1/batch/states").route),
                                   "requestBody");
    json_t *schema, *properties, *targets;

    (void)state;
    schema = json_object_get(
        json_object_get(json_object_get(body, "content"), "application/json"), "schema");
    properties = json_object_get(schema, "properties");
    targets = json_object_get(properties, "targets");
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(properties, "verb"), "enum")), 4);
    assert_int_equal(json_integer_value(json_object_get(targets, "maxItems")), 1024);
    assert_true(json_is_true(json_object_get(body, "required")));
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_every_route_with_its_path_arguments),
        cmocka_unit_test(operation_ids_are_unique),
        cmocka_unit_test(every_reference_points_at_something),
        cmocka_unit_test(the_batch_lists_its_verbs_and_bounds),
    };

    return cmocka_run_group_tests(tests, open_document, close_document);
}
