/* Assertions and the keys behind them, on a clock that is passed in. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "serve/vouch.h"
#include "wire/token.h"

#define NOW_S 1790000000LL

static uint8_t secrets[2][SIGN_KEY_BYTES];
static char directory[64], path[128];

static void write_keys(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void key_line(char line[256], const char *kid, unsigned tenant, int which)
{
    uint8_t public_key[SIGN_KEY_BYTES];
    char text[64] = "";

    sign_public(secrets[which], public_key);
    token_encode(public_key, sizeof public_key, text, sizeof text);
    snprintf(line, 256, "%s %u %s\n", kid, tenant, text);
}

static int make_keys(void **state)
{
    (void)state;
    test_dir_make(directory);
    snprintf(path, sizeof path, "%s/keys", directory);
    digest_random(secrets, sizeof secrets);
    return 0;
}

static int remove_keys(void **state)
{
    (void)state;
    test_dir_remove(directory);
    return 0;
}

static struct token usual(void)
{
    return (struct token){.kid = "a",
                          .jti = "j",
                          .for_zan = true,
                          .subject = 42,
                          .tenant = 3,
                          .epoch = 5,
                          .issued_s = NOW_S,
                          .expires_s = NOW_S + 300};
}

static size_t make(const struct token *token, int which, char text[TOKEN_BYTES_MAX])
{
    uint8_t signature[SIGN_BYTES];
    size_t size = token_write(token, text, TOKEN_BYTES_MAX);

    sign_make(secrets[which], text, size, signature);
    return token_finish(text, size, TOKEN_BYTES_MAX, signature);
}

static enum status check(struct vouch *vouch, struct token token, int which, int64_t now_s)
{
    struct identity who = {.role = ROLE_NONE};
    char text[TOKEN_BYTES_MAX];
    size_t size = make(&token, which, text);
    enum status status = vouch_check(vouch, text, size, now_s * 1000000, &who);

    assert_true(vouch_is_assertion(text, size));
    assert_int_equal(who.role, status == STATUS_OK ? ROLE_USER : ROLE_NONE);
    return status;
}

static void believes_what_a_key_signed(void **state)
{
    char line[256], message[256], text[TOKEN_BYTES_MAX];
    struct token token = usual();
    struct identity who;
    struct vouch *vouch;

    (void)state;
    key_line(line, "a", 3, 0);
    write_keys(line);
    assert_int_equal(vouch_open(path, &vouch, message), STATUS_OK);
    token.creator = true;
    size_t size = make(&token, 0, text);
    assert_int_equal(vouch_check(vouch, text, size, NOW_S * 1000000, &who), STATUS_OK);
    assert_true(who.role == ROLE_CREATOR && who.subject == 42 && who.tenant == 3);
    assert_true(who.epoch == 5 && who.asserted && who.expires_us == (NOW_S + 300) * 1000000);
    assert_true(who.caller != 0);
    for (size_t i = 0; i < size; i++) { /* no bit of it may be another */
        text[i] ^= 1;
        if (vouch_check(vouch, text, size, NOW_S * 1000000, &who) == STATUS_OK)
            fail_msg("byte %zu may be changed", i);
        text[i] ^= 1;
    }
    assert_int_equal(vouch_check(vouch, text, size - 1, NOW_S * 1000000, &who), STATUS_BADTOKEN);
    assert_int_equal(vouch_check(NULL, text, size, NOW_S * 1000000, &who), STATUS_UNKNOWNKEY);
    vouch_close(vouch);
}

static void names_what_is_wrong(void **state)
{
    char line[256], message[256];
    struct vouch *vouch;
    struct token token;

    (void)state;
    key_line(line, "a", 3, 0);
    write_keys(line);
    assert_int_equal(vouch_open(path, &vouch, message), STATUS_OK);
    token = usual();
    assert_int_equal(check(vouch, token, 0, NOW_S), STATUS_OK);
    assert_int_equal(check(vouch, token, 1, NOW_S), STATUS_BADTOKEN); /* another's signature */
    snprintf(token.kid, sizeof token.kid, "b");
    assert_int_equal(check(vouch, token, 0, NOW_S), STATUS_UNKNOWNKEY);
    token = usual();
    token.for_zan = false;
    assert_int_equal(check(vouch, token, 0, NOW_S), STATUS_TOKENAUDIENCE);
    token = usual();
    token.tenant = 4; /* the key vouches for tenant 3 only */
    assert_int_equal(check(vouch, token, 0, NOW_S), STATUS_TOKENAUDIENCE);
    token = usual();
    assert_int_equal(check(vouch, token, 0, NOW_S + 299), STATUS_OK);
    assert_int_equal(check(vouch, token, 0, NOW_S + 300), STATUS_TOKENEXPIRED);
    assert_int_equal(check(vouch, token, 0, NOW_S - 60), STATUS_OK);
    assert_int_equal(check(vouch, token, 0, NOW_S - 61), STATUS_BADTOKEN); /* from the future */
    token.expires_s = NOW_S + 301;
    assert_int_equal(check(vouch, token, 0, NOW_S), STATUS_BADTOKEN); /* lives too long */
    token.expires_s = NOW_S;
    assert_int_equal(check(vouch, token, 0, NOW_S), STATUS_BADTOKEN); /* never lives */
    vouch_close(vouch);
}

static void keys_overlap_and_go(void **state)
{
    char first[256], second[256], both[600], message[256];
    struct token old = usual(), new = usual();
    struct vouch *vouch;

    (void)state;
    snprintf(new.kid, sizeof new.kid, "b");
    key_line(first, "a", 3, 0);
    key_line(second, "b", 3, 1);
    write_keys(first);
    assert_int_equal(vouch_open(path, &vouch, message), STATUS_OK);
    assert_int_equal(check(vouch, new, 1, NOW_S), STATUS_UNKNOWNKEY);
    snprintf(both, sizeof both, "# old\n%s# new\n%s", first, second);
    write_keys(both);
    assert_int_equal(vouch_reload(vouch, message), STATUS_OK);
    assert_int_equal(check(vouch, old, 0, NOW_S), STATUS_OK);
    assert_int_equal(check(vouch, new, 1, NOW_S), STATUS_OK);
    write_keys("b 3 short\n"); /* a slip must not lock everybody out */
    assert_int_equal(vouch_reload(vouch, message), STATUS_BADCONFIG);
    assert_non_null(strstr(message, "line 1"));
    assert_int_equal(check(vouch, old, 0, NOW_S), STATUS_OK);
    write_keys(second);
    assert_int_equal(vouch_reload(vouch, message), STATUS_OK);
    assert_int_equal(check(vouch, old, 0, NOW_S), STATUS_UNKNOWNKEY);
    vouch_close(vouch);
}

static void says_which_line_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "",         "# none\n",
        "a 3\n",    "a 65536 x\n",
        "a -1 x\n", "a 3 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "a 3 x y\n"};
    char line[256], twice[600], message[256];
    struct vouch *vouch;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_keys(wrong[i]);
        assert_int_equal(vouch_open(path, &vouch, message), STATUS_BADCONFIG);
    }
    key_line(line, "a", 3, 0);
    snprintf(twice, sizeof twice, "%s%s", line, line);
    write_keys(twice);
    assert_int_equal(vouch_open(path, &vouch, message), STATUS_BADCONFIG);
    assert_non_null(strstr(message, "line 2: this key id stands here twice"));
    assert_int_equal(vouch_open("/nowhere", &vouch, message), STATUS_BADCONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(believes_what_a_key_signed),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(keys_overlap_and_go),
        cmocka_unit_test(says_which_line_is_wrong),
    };

    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
