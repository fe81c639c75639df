/* Pseudonyms: the plain address or device ends here. */
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "serve/credential.h"

#define BLOCK_BYTES 64  /* of SHA-256 */
#define TEXT_MAX    255 /* of an address or a device; a longer one is hashed first */

/* HMAC of RFC 2104 out of the library's SHA-256, for a key of half a block. The library's own HMAC
 * looks the algorithm up at every call, 1.1 us beside 0.2 us here, and a LIKE with a CTX needs
 * three; the test holds the two against each other. */
static void hmac(const struct pseudonym_key *key, const uint8_t *bytes, size_t size,
                 uint8_t digest[DIGEST_BYTES])
{
    uint8_t inner[BLOCK_BYTES], outer[BLOCK_BYTES];

    memset(inner, 0x36, sizeof inner);
    memset(outer, 0x5C, sizeof outer);
    for (size_t i = 0; i < sizeof key->bytes; i++) {
        inner[i] ^= key->bytes[i];
        outer[i] ^= key->bytes[i];
    }
    digest_sha256(inner, sizeof inner, bytes, size, digest);
    digest_sha256(outer, sizeof outer, digest, DIGEST_BYTES, digest);
}

uint64_t pseudonym(const struct pseudonym_key *key, char kind, const char *text, size_t size)
{
    uint8_t bytes[1 + TEXT_MAX], digest[DIGEST_BYTES];
    uint64_t result;

    if (size == 0)
        return 0;
    bytes[0] = (uint8_t)kind;
    if (size <= TEXT_MAX) {
        memcpy(bytes + 1, text, size);
    } else {
        digest_sha256(text, size, NULL, 0, bytes + 1);
        size = DIGEST_BYTES;
    }
    hmac(key, bytes, 1 + size, digest);
    result = get_u64(digest);
    return result != 0 ? result : 1; /* 0 says that nothing was given. */
}
