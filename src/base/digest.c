#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void digest_sha256(const void *first, size_t first_size, const void *second, size_t second_size,
                   uint8_t digest[DIGEST_BYTES])
{
    /* The low-level calls, although deprecated, need no allocation: EVP costs three times as much
     * for the small batches of a quiet node. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    SHA256_CTX state;

    SHA256_Init(&state);
    SHA256_Update(&state, first, first_size);
    if (second_size > 0)
        SHA256_Update(&state, second, second_size);
    SHA256_Final(digest, &state);
#pragma GCC diagnostic pop
}

void digest_hmac(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t size,
                 uint8_t digest[DIGEST_BYTES])
{
    unsigned int length = 0;
    const void *result = HMAC(EVP_sha256(), key, DIGEST_BYTES, bytes, size, digest, &length);

    assert(result != NULL && length == DIGEST_BYTES);
    (void)result;
}

int digest_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void digest_random(void *bytes, size_t size)
{
    /* Up to 256 bytes arrive whole and never fail once the kernel's pool is ready. */
    assert(size <= 256);
    if (getrandom(bytes, size, 0) != (ssize_t)size)
        abort();
}

/* --- signatures ---------------------------------------------------------------------------------
 */

void sign_public(const uint8_t private_key[SIGN_KEY_BYTES], uint8_t public_key[SIGN_KEY_BYTES])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, SIGN_KEY_BYTES);
    size_t size = SIGN_KEY_BYTES;

    if (key == NULL || EVP_PKEY_get_raw_public_key(key, public_key, &size) != 1)
        abort(); /* no memory: any 32 bytes are a key */
    EVP_PKEY_free(key);
}

void sign_make(const uint8_t private_key[SIGN_KEY_BYTES], const void *bytes, size_t size,
               uint8_t signature[SIGN_BYTES])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, SIGN_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t made = SIGN_BYTES;

    if (key == NULL || context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &made, bytes, size) != 1)
        abort();
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

int sign_check(const uint8_t public_key[SIGN_KEY_BYTES], const void *bytes, size_t size,
               const uint8_t signature[SIGN_BYTES])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, SIGN_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = key != NULL && context != NULL &&
               EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestVerify(context, signature, SIGN_BYTES, bytes, size) == 1;

    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}
