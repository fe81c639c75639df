/* Assertions as text. What is refused here is never looked at with a key. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "wire/token.h"

#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"JWT\"}"
#define PAYLOAD                                                                                    \
    "{\"aud\":\"zan\",\"sub\":\"42\",\"role\":\"user\",\"iat\":1,\"exp\":2,\"jti\":\"j\"}"

static struct token token;

static bool reads(const char *header, const char *payload, size_t signature_bytes)
{
    static const uint8_t signature[80];
    char text[2048];
    size_t size = token_encode((const uint8_t *)header, strlen(header), text, sizeof text);

    text[size++] = '.';
    size += token_encode((const uint8_t *)payload, strlen(payload), text + size, 1000);
    text[size++] = '.';
    size += token_encode(signature, signature_bytes, text + size, 200);
    return token_read(text, size, &token);
}

static void base64url_has_one_spelling(void **state)
{
    static const char *const bad[] = {"A",  "AA=",  "AB",  "AAB",   "A+",
                                      "A/", "AA==", "A A", "AAAAA", "\xc3\xa4"};
    uint8_t bytes[64], back[64];
    char text[100];

    (void)state;
    /* RFC 4648, 10, without the padding. */
    assert_int_equal(token_encode((const uint8_t *)"foobar", 5, text, sizeof text), 7);
    assert_memory_equal(text, "Zm9vYmE", 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        digest_random(bytes, sizeof bytes);
        size_t length = token_encode(bytes, size, text, sizeof text);
        assert_int_equal(token_decode(text, length, back, sizeof back), size);
        assert_memory_equal(bytes, back, size);
        if (size > 0)
            assert_true(token_decode(text, length, back, size - 1) == SIZE_MAX);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (token_decode(bad[i], strlen(bad[i]), back, sizeof back) != SIZE_MAX)
            fail_msg("'%s' was decoded", bad[i]);
}

static void reads_what_is_said(void **state)
{
    (void)state;
    assert_true(reads(HEADER, PAYLOAD, 64));
    assert_string_equal(token.kid, "k");
    assert_string_equal(token.jti, "j");
    assert_true(token.for_zan && !token.creator);
    assert_true(token.subject == 42 && token.issued_s == 1 && token.expires_s == 2);
    assert_true(token.tenant == 0 && token.epoch == 0);
    assert_true(
        reads("{\"alg\":\"EdDSA\",\"kid\":\"k\"}",
              "{\"aud\":[\"x\",\"zan\"],\"sub\":\"18446744073709551615\",\"role\":\"creator\","
              "\"iat\":1,\"exp\":2,\"jti\":\"j\",\"tenant\":65535,\"epoch\":4294967295,"
              "\"name\":{\"any\":[1]}}",
              64));
    assert_true(token.for_zan && token.creator && token.subject == UINT64_MAX);
    assert_true(token.tenant == 65535 && token.epoch == UINT32_MAX);
    assert_true(reads(HEADER,
                      "{\"aud\":\"nan\",\"sub\":\"0\",\"role\":\"user\",\"iat\":1,\"exp\":2,"
                      "\"jti\":\"j\"}",
                      64));
    assert_false(token.for_zan);
}

static void refuses_everything_else(void **state)
{
    static const char *const headers[] = {"",
                                          "[]",
                                          "{}",
                                          "{\"alg\":\"none\",\"kid\":\"k\"}",
                                          "{\"alg\":\"HS256\",\"kid\":\"k\"}",
                                          "{\"alg\":\"eddsa\",\"kid\":\"k\"}",
                                          "{\"alg\":\"EdDSA\"}",
                                          "{\"alg\":\"EdDSA\",\"kid\":\"\"}",
                                          "{\"alg\":\"EdDSA\",\"kid\":7}",
                                          "{\"alg\":\"EdDSA\",\"kid\":\"a b\"}",
                                          "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"crit\":[\"b64\"]}",
                                          "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"JOSE\"}",
                                          "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"kid\":\"l\"}",
                                          "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"jwk\":{}}"};
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"\"zan\"", "7"},
        {"\"zan\"", "[7]"},
        {"\"42\"", "42"},
        {"\"42\"", "\"042\""},
        {"\"42\"", "\"-1\""},
        {"\"42\"", "\"\""},
        {"\"42\"", "\"18446744073709551616\""},
        {"\"42\"", "\"1 \""},
        {"\"user\"", "\"admin\""},
        {"\"user\"", "\"administrator\""},
        {"\"user\"", "null"},
        {"\"iat\":1", "\"iat\":1.5"},
        {"\"iat\":1", "\"iat\":-1"},
        {"\"iat\":1,", ""},
        {"\"exp\":2,", ""},
        {"\"exp\":2", "\"exp\":\"2\""},
        {"\"exp\":2", "\"exp\":2,\"exp\":3"},
        {"\"exp\":2", "\"exp\":99999999999999"},
        {"\"jti\":\"j\"", "\"jti\":\"\""},
        {",\"jti\":\"j\"", ""},
        {"\"iat\":1", "\"iat\":1,\"tenant\":65536"},
        {"\"iat\":1", "\"iat\":1,\"epoch\":4294967296"},
        {"}", "},"},
    };
    char payload[512];

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (reads(headers[i], PAYLOAD, 64))
            fail_msg("header %s was read", headers[i]);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *at = strstr(PAYLOAD, changes[i].from);

        assert_non_null(at);
        snprintf(payload, sizeof payload, "%.*s%s%s", (int)(at - PAYLOAD), PAYLOAD, changes[i].to,
                 at + strlen(changes[i].from));
        if (reads(HEADER, payload, 64))
            fail_msg("payload %s was read", payload);
    }
    assert_false(reads(HEADER, PAYLOAD, 63));
    assert_false(reads(HEADER, PAYLOAD, 65));
    assert_false(reads(HEADER, PAYLOAD, 0));
    assert_false(token_read("..", 2, &token));
    assert_false(token_read("", 0, &token));
}

static void comes_back_as_it_was_written(void **state)
{
    struct token made = {.kid = "2026-07",
                         .jti = "abc",
                         .for_zan = true,
                         .creator = true,
                         .tenant = 3,
                         .epoch = 9,
                         .subject = 1ULL << 63,
                         .issued_s = 1000,
                         .expires_s = 1300};
    uint8_t secret[SIGN_KEY_BYTES], public_key[SIGN_KEY_BYTES], signature[SIGN_BYTES];
    char text[TOKEN_BYTES_MAX];

    (void)state;
    digest_random(secret, sizeof secret);
    sign_public(secret, public_key);
    size_t covered = token_write(&made, text, sizeof text);
    sign_make(secret, text, covered, signature);
    size_t size = token_finish(text, covered, sizeof text, signature);
    assert_true(size > covered);
    assert_true(token_read(text, size, &token));
    assert_int_equal(token.covered, covered);
    assert_int_equal(sign_check(public_key, text, token.covered, token.signature), 1);
    text[3] ^= 1;
    assert_int_equal(sign_check(public_key, text, token.covered, token.signature), 0);
    assert_true(token.creator && token.subject == made.subject && token.epoch == 9);
    for (size_t room = 0; room < size; room++) {
        size_t used = token_write(&made, text, room);
        assert_true(used == 0 || token_finish(text, used, room, signature) == 0);
    }
    snprintf(made.kid, sizeof made.kid, "a\"b");
    assert_int_equal(token_write(&made, text, sizeof text), 0);
}

/* RFC 8032, 7.1, test 2: a key of one byte of message. */
static void signs_as_others_do(void **state)
{
    static const uint8_t secret[] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda,
                                     0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
                                     0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24,
                                     0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
    static const uint8_t expected[] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a,
                                       0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
                                       0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c,
                                       0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    uint8_t public_key[SIGN_KEY_BYTES], signature[SIGN_BYTES];

    (void)state;
    sign_public(secret, public_key);
    assert_memory_equal(public_key, expected, sizeof expected);
    sign_make(secret, "\x72", 1, signature);
    assert_int_equal(signature[0], 0x92);
    assert_int_equal(signature[63], 0x00);
    assert_int_equal(sign_check(public_key, "\x72", 1, signature), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_has_one_spelling),
        cmocka_unit_test(reads_what_is_said),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(comes_back_as_it_was_written),
        cmocka_unit_test(signs_as_others_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
