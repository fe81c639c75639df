/* token.h: a signed assertion as text, in both directions: base64url and JSON, no keys, no clock.
 *
 * An assertion is a compact JWS (RFC 7515, 7519) with EdDSA over Ed25519 (RFC 8037):
 *     base64url(header) . base64url(payload) . base64url(signature)
 *     header   {"alg":"EdDSA","kid":TEXT,"typ":"JWT"}             typ may be absent
 *     payload {"aud":"zan","sub":"42","role":"user"|"creator","tenant":N,"epoch":N,"iat":S,"exp":S,
 *               "jti":TEXT}                                       tenant and epoch may be absent: 0
 * sub is the account in decimal digits, iat and exp are whole seconds since 1970. Members that are
 * not listed are passed over in the payload and refused in the header ("crit" could change what the
 * rest means); a member that stands twice is refused. One spelling only: base64url without padding
 * and without stray bits.
 *
 * Safety: token_read says what the bytes mean, not that they are true: whoever calls it checks the
 *         signature over `covered` bytes before believing anything (serve/vouch.c). */
#ifndef ZAN_WIRE_TOKEN_H
#define ZAN_WIRE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_BYTES_MAX   1024
#define TOKEN_SIGNATURE   64
#define TOKEN_KID_MAX     63
#define TOKEN_JTI_MAX     63
#define TOKEN_PUBLIC_TEXT 43 /* 32 bytes in base64url */

struct token {
    char kid[TOKEN_KID_MAX + 1];
    char jti[TOKEN_JTI_MAX + 1];
    bool for_zan; /* "aud" is "zan", or a list that has it */
    bool creator; /* else user */
    uint16_t tenant;
    uint32_t epoch;
    uint64_t subject;
    int64_t issued_s, expires_s;
    size_t covered; /* bytes from the first on that the signature is over */
    uint8_t signature[TOKEN_SIGNATURE];
};

/* False: not of this form; token is then undefined. */
bool token_read(const char *text, size_t size, struct token *token);

/* Header and payload with the dot between; 0 if kid or jti is not printable or there is no room. */
size_t token_write(const struct token *token, char *text, size_t room);

/* Appends the dot and the signature; the whole size, 0 if there is no room. */
size_t token_finish(char *text, size_t size, size_t room, const uint8_t signature[TOKEN_SIGNATURE]);

/* base64url without padding. token_decode: the number of bytes, or SIZE_MAX if the text is not in
 * its one spelling or has more than room bytes. */
size_t token_encode(const uint8_t *bytes, size_t size, char *text, size_t room);
size_t token_decode(const char *text, size_t size, uint8_t *bytes, size_t room);

#endif
