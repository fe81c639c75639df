/* resp_out.h: RESP values into a bounded buffer.
 *
 * Writes until the buffer is full and counts on after that, so that one pass tells how much room a
 * second one needs: all was written if used <= size.
 *
 *   protocol    2 or 3; in 2 a map is a flat array, a set an array, null a null bulk string */
#ifndef ZAN_WIRE_RESP_OUT_H
#define ZAN_WIRE_RESP_OUT_H

#include <stddef.h>
#include <stdint.h>

struct resp_out {
    uint8_t *bytes;
    size_t size;
    size_t used; /* bytes needed so far; may be greater than size */
    uint8_t protocol;
};

void resp_out_raw(struct resp_out *out, const void *bytes, size_t size);
void resp_out_simple(struct resp_out *out, const char *text); /* no CR, no LF inside */
void resp_out_text(struct resp_out *out, const char *text);   /* a bulk string */
void resp_out_bulk(struct resp_out *out, const void *bytes, size_t size);
void resp_out_integer(struct resp_out *out, int64_t value);
void resp_out_counter(struct resp_out *out, uint64_t value); /* an integer; INT64_MAX at most */
void resp_out_id(struct resp_out *out, uint64_t id);         /* a bulk string of digits */
void resp_out_hundredths(struct resp_out *out, uint64_t value); /* 1234: a bulk string 12.34 */
void resp_out_null(struct resp_out *out);
void resp_out_array(struct resp_out *out, uint32_t count);
void resp_out_map(struct resp_out *out, uint32_t pairs);
void resp_out_set(struct resp_out *out, uint32_t count);

/* Decimal digits of value into text (room for 20); returns how many. */
size_t resp_out_digits(uint64_t value, char text[20]);

#endif
