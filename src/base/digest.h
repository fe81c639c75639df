/* digest.h: SHA-256, HMAC-SHA-256 and Ed25519 signatures, from OpenSSL (digest.c is the only file
 * that sees it, but for serve/tls.c). */
#ifndef ZAN_BASE_DIGEST_H
#define ZAN_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32

/* Of the concatenation of two pieces; the second may be empty. */
void digest_sha256(const void *first, size_t first_size, const void *second, size_t second_size,
                   uint8_t digest[DIGEST_BYTES]);

void digest_hmac(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t size,
                 uint8_t digest[DIGEST_BYTES]);

/* 1 if equal; takes the same time whatever the bytes are. */
int digest_equal(const uint8_t *a, const uint8_t *b, size_t size);

#define SIGN_KEY_BYTES 32 /* private or public, raw (RFC 8032) */
#define SIGN_BYTES     64

/* Ed25519. sign_public: the public key of a private one (32 random bytes). */
void sign_public(const uint8_t private_key[SIGN_KEY_BYTES], uint8_t public_key[SIGN_KEY_BYTES]);
void sign_make(const uint8_t private_key[SIGN_KEY_BYTES], const void *bytes, size_t size,
               uint8_t signature[SIGN_BYTES]);
/* 1 if the signature is that of the key over the bytes. */
int sign_check(const uint8_t public_key[SIGN_KEY_BYTES], const void *bytes, size_t size,
               const uint8_t signature[SIGN_BYTES]);

/* Random bytes from the kernel, for keys and names; never for decisions. */
void digest_random(void *bytes, size_t size);

#endif
