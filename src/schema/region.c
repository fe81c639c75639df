/* region.c: see region.h. */
#include "schema/region.h"

#include <assert.h>
#include <string.h>

#define BITS 6
#define DASH 37

static const char characters[] = "\0abcdefghijklmnopqrstuvwxyz0123456789-";

/* 0: not one of ours. */
static uint64_t place_of(char character)
{
    if (character >= 'A' && character <= 'Z')
        character = (char)(character - 'A' + 'a');
    if (character >= 'a' && character <= 'z')
        return (uint64_t)(character - 'a') + 1;
    if (character >= '0' && character <= '9')
        return (uint64_t)(character - '0') + 27;
    return character == '-' ? DASH : 0;
}

/* The code that "none" would have. */
static uint64_t none(void)
{
    return 14 | 15 << BITS | 14 << 2 * BITS | 5 << 3 * BITS;
}

bool region_read(const char *text, size_t size, uint64_t *region)
{
    uint64_t code = 0;

    if (size < 2 || size > REGION_SIZE_MAX || place_of(text[0]) > 26 ||
        place_of(text[size - 1]) == DASH)
        return false;
    for (size_t i = 0; i < size; i++) {
        uint64_t place = place_of(text[i]);

        if (place == 0)
            return false;
        code |= place << (BITS * i);
    }
    *region = code == none() ? 0 : code;
    return true;
}

size_t region_write(uint64_t region, char text[REGION_SIZE_MAX])
{
    size_t size = 0;

    assert(region_is_whole(region));
    for (; region != 0; region >>= BITS)
        text[size++] = characters[region & 63];
    return size;
}

bool region_is_whole(uint64_t region)
{
    char text[REGION_SIZE_MAX];
    uint64_t again;
    size_t size = 0;

    if (region == 0)
        return true;
    if (region >> (BITS * REGION_SIZE_MAX) != 0)
        return false;
    for (uint64_t left = region; left != 0; left >>= BITS) {
        if ((left & 63) == 0 || (left & 63) > DASH)
            return false;
        text[size++] = characters[left & 63];
    }
    return region_read(text, size, &again) && again == region;
}
