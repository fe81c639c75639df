/* Any bytes to token_read. Two ways in, by the first byte: the rest as it is; or HEADER LF PAYLOAD
 * that are encoded first, so that the JSON is reached. What is read has the form that the rest
 * relies on, and a token that was written from it is read as the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/token.h"

static void check(const struct token *token, size_t size)
{
    char text[TOKEN_BYTES_MAX];
    struct token again;
    size_t written;

    assert(token->kid[0] != '\0' && strlen(token->kid) <= TOKEN_KID_MAX);
    assert(token->jti[0] != '\0' && strlen(token->jti) <= TOKEN_JTI_MAX);
    assert(token->issued_s >= 0 && token->expires_s >= 0 && token->covered < size);
    written = token_write(token, text, sizeof text);
    if (written == 0)
        return; /* a kid with a quote in it */
    written = token_finish(text, written, sizeof text, token->signature);
    assert(written > 0 && token_read(text, written, &again));
    assert(strcmp(again.kid, token->kid) == 0 && strcmp(again.jti, token->jti) == 0);
    assert(again.subject == token->subject && again.epoch == token->epoch);
    assert(again.tenant == token->tenant && again.creator == token->creator);
    assert(again.for_zan == token->for_zan && again.expires_s == token->expires_s);
    assert(memcmp(again.signature, token->signature, TOKEN_SIGNATURE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t signature[TOKEN_SIGNATURE] = {1, 2, 3};
    char text[8192];
    struct token token;
    const uint8_t *line;
    size_t used;

    if (size == 0 || size > 4096)
        return 0;
    if (data[0] != '{' || (line = memchr(data, '\n', size)) == NULL) {
        if (token_read((const char *)data, size, &token))
            check(&token, size);
        return 0;
    }
    used = token_encode(data, (size_t)(line - data), text, sizeof text);
    text[used++] = '.';
    used +=
        token_encode(line + 1, size - (size_t)(line + 1 - data), text + used, sizeof text - used);
    used = token_finish(text, used, sizeof text, signature);
    if (used > 0 && token_read(text, used, &token))
        check(&token, used);
    return 0;
}
