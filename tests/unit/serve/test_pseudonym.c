/* Pseudonyms. */
#include "support.h"

#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "serve/credential.h"

static void hides_and_tells_apart(void **state)
{
    struct pseudonym_key key, other;
    char text[600];

    (void)state;
    memset(&key, 1, sizeof key);
    memset(&other, 2, sizeof other);
    memset(text, 'x', sizeof text);
    uint64_t address = pseudonym(&key, 'a', "192.0.2.1", 9);
    /* First 8 bytes, little endian, of HMAC-SHA-256 under 32 bytes of 01, of "a192.0.2.1"; from
     * another implementation. */
    assert_int_equal(address, 0x3c8b3985425a3bb6U);
    assert_int_equal(address, pseudonym(&key, 'a', "192.0.2.1", 9));
    assert_int_not_equal(address, pseudonym(&key, 'd', "192.0.2.1", 9));
    assert_int_not_equal(address, pseudonym(&key, 'n', "192.0.2.1", 9));
    assert_int_not_equal(address, pseudonym(&other, 'a', "192.0.2.1", 9));
    assert_int_not_equal(address, pseudonym(&key, 'a', "192.0.2.10", 10));
    assert_int_equal(pseudonym(&key, 'a', "", 0), 0);
    assert_int_equal(pseudonym(&key, 'a', NULL, 0), 0);
    assert_int_not_equal(pseudonym(&key, 'a', text, 599), pseudonym(&key, 'a', text, 600));
    assert_int_not_equal(pseudonym(&key, 'a', text, 255), pseudonym(&key, 'a', text, 256));
}

static void is_the_hmac_of_the_library(void **state)
{
    struct test_random random = {test_seed(7)};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct pseudonym_key key;
        uint8_t bytes[256], digest[DIGEST_BYTES];
        size_t size = 1 + (size_t)test_random_below(&random, 255);

        for (size_t j = 0; j < sizeof key.bytes; j++)
            key.bytes[j] = (uint8_t)test_random_next(&random);
        for (size_t j = 0; j <= size; j++)
            bytes[j] = (uint8_t)test_random_next(&random);
        digest_hmac(key.bytes, bytes, 1 + size, digest);
        assert_int_equal(pseudonym(&key, (char)bytes[0], (const char *)bytes + 1, size),
                         get_u64(digest));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_and_tells_apart),
        cmocka_unit_test(is_the_hmac_of_the_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
