/* resp_text.h: RESP bytes as a line a test can compare: an independent reader, written to be
 * simple. Strings are "bulk" or +simple, numbers bare, null ~, [arrays], (sets), {maps}, -errors. */
#ifndef ZAN_TESTS_RESP_TEXT_H
#define ZAN_TESTS_RESP_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resp_text {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    char *text;
    size_t room;
    size_t used;
    bool good;
};

static inline void resp_text_add(struct resp_text *read, const void *bytes, size_t size)
{
    if (read->used + size + 1 > read->room) {
        read->good = false;
        return;
    }
    memcpy(read->text + read->used, bytes, size);
    read->used += size;
    read->text[read->used] = '\0';
}

/* The line at read->at without its CR LF; read->at moves behind it. */
static inline size_t resp_text_line(struct resp_text *read, const char **line)
{
    const uint8_t *end = memchr(read->bytes + read->at, '\r', read->size - read->at);
    size_t size;

    if (end == NULL || end + 1 >= read->bytes + read->size || end[1] != '\n') {
        read->good = false;
        return 0;
    }
    *line = (const char *)read->bytes + read->at;
    size = (size_t)(end - read->bytes) - read->at;
    read->at += size + 2;
    return size;
}

static inline void resp_text_value(struct resp_text *read, int depth);

static inline void resp_text_many(struct resp_text *read, long count, const char *marks, int depth,
                                  bool pairs)
{
    resp_text_add(read, marks, 1);
    for (long i = 0; i < count && read->good; i++) {
        if (i > 0)
            resp_text_add(read, " ", 1);
        resp_text_value(read, depth + 1);
        if (pairs) {
            resp_text_add(read, ":", 1);
            resp_text_value(read, depth + 1);
        }
    }
    resp_text_add(read, marks + 1, 1);
}

static inline void resp_text_bulk(struct resp_text *read, long size)
{
    if (size < 0) {
        resp_text_add(read, "~", 1);
        return;
    }
    if (read->size - read->at < (size_t)size + 2 ||
        memcmp(read->bytes + read->at + size, "\r\n", 2) != 0) {
        read->good = false;
        return;
    }
    resp_text_add(read, "\"", 1);
    resp_text_add(read, read->bytes + read->at, (size_t)size);
    resp_text_add(read, "\"", 1);
    read->at += (size_t)size + 2;
}

static inline void resp_text_value(struct resp_text *read, int depth)
{
    const char *line = "";
    size_t size;
    long number;

    if (!read->good || depth > 16 || read->at >= read->size) {
        read->good = false;
        return;
    }
    size = resp_text_line(read, &line);
    if (!read->good || size == 0) {
        read->good = false;
        return;
    }
    number = size > 1 ? strtol(line + 1, NULL, 10) : 0;
    switch (line[0]) {
    case '+':
    case '-':
        resp_text_add(read, line, size);
        return;
    case ':':
        resp_text_add(read, line + 1, size - 1);
        return;
    case '_':
        resp_text_add(read, "~", 1);
        return;
    case '$':
        resp_text_bulk(read, number);
        return;
    case '*':
        resp_text_many(read, number, "[]", depth, false);
        return;
    case '~':
        resp_text_many(read, number, "()", depth, false);
        return;
    case '%':
        resp_text_many(read, number, "{}", depth, true);
        return;
    default:
        read->good = false;
    }
}

/* One value; the bytes it took, or 0 if it is not well formed or does not fit into text. */
static inline size_t resp_text(const uint8_t *bytes, size_t size, char *text, size_t room)
{
    struct resp_text read = {.bytes = bytes, .size = size, .text = text, .room = room,
                             .good = true};

    text[0] = '\0';
    resp_text_value(&read, 0);
    return read.good ? read.at : 0;
}

#endif
