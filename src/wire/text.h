/* text.h: a text that grows while it is written: JSON, metrics, documents.
 *
 * The hot path (RESP) never uses this; a text is for the HTTP door, where a request may allocate.
 *
 * Holds always: bytes[size] is 0 once anything was written. After a failed allocation the text is
 *               failed and stays as it is: writers need no checks, the reader of it checks once.
 * Memory:       bytes belong to the text until text_free, or until the caller takes them and
 *               zeroes the struct. A zeroed struct is an empty text. */
#ifndef ZAN_WIRE_TEXT_H
#define ZAN_WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes;
    size_t size; /* without the 0 at the end */
    size_t room;
    bool failed;
};

void text_put(struct text *text, const char *bytes, size_t size);
void text_puts(struct text *text, const char *string);
void text_u64(struct text *text, uint64_t value);
void text_i64(struct text *text, int64_t value);

/* A JSON string with its quotes. What is not UTF-8 becomes '?'. */
void text_json(struct text *text, const char *bytes, size_t size);

/* An unsigned number between quotes: JavaScript cannot hold 64 bits. */
void text_json_id(struct text *text, uint64_t value);

void text_free(struct text *text);

#endif
