#include "wire/resp_out.h"

#include <string.h>

#define HEAD_BYTES_MAX 24 /* a type, 20 digits, CR, LF */

size_t resp_out_digits(uint64_t value, char text[20])
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char back[20];
    size_t at = sizeof back;

    while (value >= 100) {
        at -= 2;
        memcpy(back + at, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(back + at, pairs + 2 * value, 2);
    } else {
        back[--at] = (char)('0' + value);
    }
    memcpy(text, back + at, sizeof back - at);
    return sizeof back - at;
}

void resp_out_raw(struct resp_out *out, const void *bytes, size_t size)
{
    /* Once something did not fit, used is past size and nothing is written any more. */
    if (size > 0 && out->used <= out->size && size <= out->size - out->used)
        memcpy(out->bytes + out->used, bytes, size);
    out->used += size;
}

static void head(struct resp_out *out, char type, uint64_t value)
{
    char text[HEAD_BYTES_MAX];
    size_t size = 1 + resp_out_digits(value, text + 1);

    text[0] = type;
    text[size++] = '\r';
    text[size++] = '\n';
    resp_out_raw(out, text, size);
}

void resp_out_simple(struct resp_out *out, const char *text)
{
    resp_out_raw(out, "+", 1);
    resp_out_raw(out, text, strlen(text));
    resp_out_raw(out, "\r\n", 2);
}

void resp_out_bulk(struct resp_out *out, const void *bytes, size_t size)
{
    head(out, '$', size);
    resp_out_raw(out, bytes, size);
    resp_out_raw(out, "\r\n", 2);
}

void resp_out_text(struct resp_out *out, const char *text)
{
    resp_out_bulk(out, text, strlen(text));
}

void resp_out_integer(struct resp_out *out, int64_t value)
{
    if (value >= 0) {
        head(out, ':', (uint64_t)value);
        return;
    }
    resp_out_raw(out, ":", 1);
    head(out, '-', 0 - (uint64_t)value);
}

void resp_out_counter(struct resp_out *out, uint64_t value)
{
    head(out, ':', value <= INT64_MAX ? value : INT64_MAX);
}

void resp_out_id(struct resp_out *out, uint64_t id)
{
    char text[20];

    resp_out_bulk(out, text, resp_out_digits(id, text));
}

/* A bulk string in both protocols: exact, where a double would be rounded. */
void resp_out_hundredths(struct resp_out *out, uint64_t value)
{
    char text[20 + 3];
    size_t size = resp_out_digits(value / 100, text);

    text[size++] = '.';
    text[size++] = (char)('0' + value / 10 % 10);
    text[size++] = (char)('0' + value % 10);
    resp_out_bulk(out, text, size);
}

void resp_out_null(struct resp_out *out)
{
    if (out->protocol >= 3)
        resp_out_raw(out, "_\r\n", 3);
    else
        resp_out_raw(out, "$-1\r\n", 5);
}

void resp_out_array(struct resp_out *out, uint32_t count)
{
    head(out, '*', count);
}

void resp_out_map(struct resp_out *out, uint32_t pairs)
{
    if (out->protocol >= 3)
        head(out, '%', pairs);
    else
        head(out, '*', 2 * (uint64_t)pairs);
}

void resp_out_set(struct resp_out *out, uint32_t count)
{
    head(out, out->protocol >= 3 ? '~' : '*', count);
}
