/* region.h: where an account is at home, as the platform says: a short code of its own choice.
 *
 * 2 to 8 characters: small letters, digits and '-', a letter first, no '-' last ("cn", "cn-gd",
 * "eu"). Capital letters are read as small ones. "none" is the word for no region. What a code
 * stands for is the platform's affair; nothing here knows of countries.
 *
 * As a number a code has 48 bits, six for each character, the first one lowest: 1..26 letters,
 * 27..36 digits, 37 '-', 0 behind the end. 0 is no region. The number stands in records (ACCOUNT
 * SET) and in rows. */
#ifndef ZAN_SCHEMA_REGION_H
#define ZAN_SCHEMA_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_SIZE_MAX 8

/* Reads a code, or "none" (0). False: it is neither. */
bool region_read(const char *text, size_t size, uint64_t *region);

/* Writes the code, without a 0; returns its size, 0 for no region. */
size_t region_write(uint64_t region, char text[REGION_SIZE_MAX]);

/* Is it 0, or a number that region_read makes? */
bool region_is_whole(uint64_t region);

#endif
