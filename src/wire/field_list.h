/* field_list.h: filling a row of fields (case_map.h) one after the other.
 *
 * Inner to the files of this room that say what a thing tells of itself. Memory: texts are pointed
 * at, never copied. */
#ifndef ZAN_WIRE_FIELD_LIST_H
#define ZAN_WIRE_FIELD_LIST_H

#include <assert.h>
#include <string.h>

#include "wire/case_map.h"

struct field_list {
    struct case_field *fields; /* the caller's; room of them */
    uint32_t room, count;
};

static inline void field_number(struct field_list *list, const char *name,
                                enum case_field_type type, uint64_t value)
{
    assert(list->count < list->room);
    list->fields[list->count++] =
        (struct case_field){.name = name, .type = (uint8_t)type, .value = value};
}

/* Before 1970, and 1970 itself: null. */
static inline void field_moment(struct field_list *list, const char *name, int64_t time_us)
{
    field_number(list, name, CASE_FIELD_TIME, time_us > 0 ? (uint64_t)time_us : 0);
}

static inline void field_text(struct field_list *list, const char *name, const char *bytes,
                              size_t size)
{
    field_number(list, name, CASE_FIELD_TEXT, 0);
    list->fields[list->count - 1].text = bytes;
    list->fields[list->count - 1].size = size;
}

/* One of the program's own words, zero terminated. */
static inline void field_word(struct field_list *list, const char *name, const char *bytes)
{
    field_text(list, name, bytes, strlen(bytes));
    list->fields[list->count - 1].type = CASE_FIELD_WORD;
}

#endif
