#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define TEXT_FIRST_ROOM 512

/* Room for size more bytes and the 0; doubles, so that n bytes cost O(n). */
static bool grow(struct text *text, size_t size)
{
    size_t room = text->room == 0 ? TEXT_FIRST_ROOM : text->room;
    char *bytes;

    if (text->failed || size > SIZE_MAX / 4 || text->size > SIZE_MAX / 4)
        return false;
    if (text->room > text->size + size)
        return true;
    while (room <= text->size + size)
        room *= 2;
    bytes = realloc(text->bytes, room);
    if (bytes == NULL)
        return false;
    text->bytes = bytes;
    text->room = room;
    return true;
}

void text_put(struct text *text, const char *bytes, size_t size)
{
    if (!grow(text, size)) {
        text->failed = true;
        return;
    }
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = 0;
}

void text_puts(struct text *text, const char *string)
{
    text_put(text, string, strlen(string));
}

void text_u64(struct text *text, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_put(text, digits + at, sizeof digits - at);
}

void text_i64(struct text *text, int64_t value)
{
    if (value >= 0) {
        text_u64(text, (uint64_t)value);
        return;
    }
    text_put(text, "-", 1);
    text_u64(text, 0 - (uint64_t)value);
}

static void put_escaped(struct text *text, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};

    text_put(text, escape, sizeof escape);
}

void text_json(struct text *text, const char *bytes, size_t size)
{
    text_put(text, "\"", 1);
    for (size_t i = 0; i < size;) {
        size_t step = utf8_size((const uint8_t *)bytes + i, size - i);
        uint8_t byte = (uint8_t)bytes[i];

        if (step == 0) {
            text_put(text, "?", 1);
            step = 1;
        } else if (byte == '"' || byte == '\\') {
            text_put(text, "\\", 1);
            text_put(text, bytes + i, 1);
        } else if (byte < 0x20 || byte == 0x7F) {
            put_escaped(text, byte);
        } else {
            text_put(text, bytes + i, step);
        }
        i += step;
    }
    text_put(text, "\"", 1);
}

void text_json_id(struct text *text, uint64_t value)
{
    text_put(text, "\"", 1);
    text_u64(text, value);
    text_put(text, "\"", 1);
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}
