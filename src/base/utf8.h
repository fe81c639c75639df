/* utf8.h: what a well-formed character is (Unicode 15, table 3-7). */
#ifndef ZAN_BASE_UTF8_H
#define ZAN_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The size of the character at bytes, or 0 if there is none; size is at least 1. */
static inline size_t utf8_size(const uint8_t *bytes, size_t size)
{
    uint8_t low = 0x80, high = 0xBF;
    size_t want;

    if (bytes[0] < 0x80)
        return 1;
    if (bytes[0] < 0xC2 || bytes[0] > 0xF4)
        return 0;
    want = bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    if (want > size)
        return 0;
    if (bytes[0] == 0xE0)
        low = 0xA0;
    if (bytes[0] == 0xED)
        high = 0x9F; /* surrogates are no characters */
    if (bytes[0] == 0xF0)
        low = 0x90;
    if (bytes[0] == 0xF4)
        high = 0x8F;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < want; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xBF)
            return 0;
    return want;
}

#endif
