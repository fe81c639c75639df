/* tags.h: what an item is about, in words: "cats,slow food,日常".
 *
 * 1 to 8 tags between commas; each 1 to 24 bytes of UTF-8 without control characters, no space
 * first or last, none twice. What they mean, and which there are, is the platform's affair: bytes
 * are compared, nothing is folded. As a text of a record they are at most 199 bytes.
 *
 * Memory: tags point into the text they were read from. */
#ifndef ZAN_SCHEMA_TAGS_H
#define ZAN_SCHEMA_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAGS_MAX      8
#define TAG_BYTES_MAX 24
#define TAGS_LINE_MAX 64 /* bytes of a search word, or a label */

struct tag {
    const char *bytes;
    uint8_t size;
};

/* How many tags the text is; 0: it is none. */
uint32_t tags_read(const char *text, size_t size, struct tag tags[TAGS_MAX]);

/* 1 to TAGS_LINE_MAX bytes of UTF-8 without control characters, no space first or last? */
bool tags_is_line(const char *text, size_t size);

/* The number a tag, or a search word, is known by where it is computed with. */
uint64_t tags_id(const char *name, size_t size);

#endif
