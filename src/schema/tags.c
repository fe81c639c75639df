/* tags.c: see tags.h. */
#include "schema/tags.h"

#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"

static bool is_plain(const char *text, size_t size)
{
    if (size == 0 || text[0] == ' ' || text[size - 1] == ' ')
        return false;
    for (size_t at = 0; at < size;) {
        size_t step = utf8_size((const uint8_t *)text + at, size - at);

        if (step == 0 || (uint8_t)text[at] < 0x20 || text[at] == 0x7F)
            return false;
        if ((uint8_t)text[at] == 0xC2 && (uint8_t)text[at + 1] < 0xA0)
            return false; /* U+0080 to U+009F are control characters too */
        at += step;
    }
    return true;
}

bool tags_is_line(const char *text, size_t size)
{
    return size <= TAGS_LINE_MAX && is_plain(text, size);
}

static bool is_there(const struct tag *tags, uint32_t count, const char *bytes, size_t size)
{
    for (uint32_t i = 0; i < count; i++)
        if (tags[i].size == size && memcmp(tags[i].bytes, bytes, size) == 0)
            return true;
    return false;
}

uint32_t tags_read(const char *text, size_t size, struct tag tags[TAGS_MAX])
{
    uint32_t count = 0;

    for (size_t at = 0; at <= size;) {
        const char *comma = size > at ? memchr(text + at, ',', size - at) : NULL;
        size_t end = comma != NULL ? (size_t)(comma - text) : size, length = end - at;

        if (count == TAGS_MAX || length > TAG_BYTES_MAX || !is_plain(text + at, length) ||
            is_there(tags, count, text + at, length))
            return 0;
        tags[count++] = (struct tag){.bytes = text + at, .size = (uint8_t)length};
        at = end + 1;
    }
    return count;
}

uint64_t tags_id(const char *name, size_t size)
{
    uint64_t hash = size;

    for (size_t i = 0; i < size; i++)
        hash = hash_two(hash, (uint8_t)name[i]);
    return hash;
}
