/* digest.h: SHA-256 and HMAC-SHA-256, from OpenSSL (digest.c is the only file that sees it). */
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

/* Random bytes from the kernel, for keys and names; never for decisions. */
void digest_random(void *bytes, size_t size);

#endif
