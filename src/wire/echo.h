/* echo.h: what came in, as far as an error may repeat it.
 *
 * Errors end up in other people's logs, and what stands in the wrong place may be a key, a token or
 * an address. So a word is repeated if it is a number, or letters only (a name that was misspelt),
 * or short; of anything else only the size is told. Always one line of printable bytes. */
#ifndef ZAN_WIRE_ECHO_H
#define ZAN_WIRE_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ECHO_BYTES 40 /* with the 0 */
#define ECHO_SHORT 8  /* so many bytes are no key, and no address */
#define ECHO_PLAIN 32 /* digits only, or letters only */

static inline bool echo_is_plain(const char *bytes, size_t size)
{
    bool digits = false, letters = false;

    for (size_t i = 0; i < size; i++) {
        char c = bytes[i];

        if (c >= '0' && c <= '9')
            digits = true;
        else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
            letters = true;
        else if (i > 0 || (c != '-' && c != '+'))
            return false;
    }
    return !(digits && letters);
}

static inline void echo_word(const char *bytes, size_t size, char text[ECHO_BYTES])
{
    if (size > ECHO_SHORT && (size > ECHO_PLAIN || !echo_is_plain(bytes, size))) {
        snprintf(text, ECHO_BYTES, "%zu bytes", size);
        return;
    }
    for (size_t i = 0; i < size; i++)
        text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    text[size] = '\0';
}

#endif
