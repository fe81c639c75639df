/* impression.h: that an item was shown to an account, and the text that says so.
 *
 * Whoever makes a feed asks for a token for each entry (readers/reader.h: reader_tokens); a VIEW or
 * a SKIP brings it back, and the door knows it for its own (serve/attest.h). */
#ifndef ZAN_SCHEMA_IMPRESSION_H
#define ZAN_SCHEMA_IMPRESSION_H

#include <stdint.h>

#define IMPRESSION_LIFE_MIN 120
#define IMPRESSION_TEXT     16 /* letters of base64url; no zero behind them */

struct impression {
    uint64_t account, item;
    int64_t at_us; /* the wall clock */
    uint16_t tenant;
    uint16_t place; /* in the feed, from 0; 255 stands for all that are further down */
    uint8_t stage;
};

#endif
