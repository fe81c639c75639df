/* report.c: the only file of this room that sees jansson. A struct report is a json_t in disguise,
 * so that no header shows a foreign type. */
#include "cli/report.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/bytes.h"

static json_t *json_of(struct report *report)
{
    return (json_t *)(void *)report;
}

static void put(struct report *report, const char *name, json_t *value)
{
    if (value == NULL || json_object_set_new(json_of(report), name, value) != 0)
        abort();
}

struct report *report_new(void)
{
    json_t *object = json_object();

    if (object == NULL)
        abort();
    return (struct report *)(void *)object;
}

void report_text(struct report *report, const char *name, const char *value)
{
    json_t *text = json_string(value);

    /* Not UTF-8 (a path may be anything): shown as far as it can be. */
    put(report, name, text != NULL ? text : json_string("(not UTF-8)"));
}

void report_number(struct report *report, const char *name, uint64_t value)
{
    put(report, name, json_integer((json_int_t)value));
}

void report_real(struct report *report, const char *name, double value)
{
    put(report, name, json_real(value));
}

void report_flag(struct report *report, const char *name, bool value)
{
    put(report, name, json_boolean(value));
}

void report_bytes(struct report *report, const char *name, const uint8_t *bytes, size_t size)
{
    char hex[129];

    size = size < 64 ? size : 64;
    hex_put(hex, bytes, size);
    hex[2 * size] = '\0';
    report_text(report, name, hex);
}

struct report *report_object(struct report *report, const char *name)
{
    json_t *object = json_object();

    put(report, name, object);
    return (struct report *)(void *)object;
}

struct report *report_element(struct report *report, const char *name)
{
    json_t *list = json_object_get(json_of(report), name), *object = json_object();

    if (list == NULL) {
        list = json_array();
        put(report, name, list);
    }
    if (json_array_append_new(list, object) != 0)
        abort();
    return (struct report *)(void *)object;
}

void report_add(struct report *report, const char *name, const char *value)
{
    json_t *list = json_object_get(json_of(report), name), *text = json_string(value);

    if (list == NULL) {
        list = json_array();
        put(report, name, list);
    }
    if (json_array_append_new(list, text != NULL ? text : json_string("(not UTF-8)")) != 0)
        abort();
}

void report_print(struct report *report, FILE *out)
{
    json_dumpf(json_of(report), out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(json_of(report));
}
