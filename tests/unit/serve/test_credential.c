/* The credentials file. */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "serve/credential.h"

#define KEY_A "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* "abc" */
#define KEY_E "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855" /* "" */

static enum status read_text(const char *text, mode_t mode, struct credentials *credentials,
                             char message[256])
{
    char directory[64], path[128];
    enum status status;
    FILE *file;

    test_dir_make(directory);
    snprintf(path, sizeof path, "%s/credentials", directory);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
    message[0] = '\0';
    status = credentials_read(path, credentials, message);
    test_dir_remove(directory);
    return status;
}

static enum role role_of(const struct credentials *credentials, const char *name, size_t name_size,
                         const char *key, size_t key_size)
{
    const struct credential *one = credentials_check(credentials, name, name_size, key, key_size);

    return one != NULL ? (enum role)one->role : ROLE_NONE;
}

static void reads_callers(void **state)
{
    struct credentials credentials;
    char message[256];

    (void)state;
    assert_int_equal(read_text("# callers\n\n  studio auditor " KEY_A "\n"
                               "back-end\tbackend\t" KEY_E " tenant=65535 # the backend\r\n"
                               "ada administrator " KEY_A "\nlocked operator - tenant=0",
                               0640, &credentials, message),
                     STATUS_OK);
    assert_int_equal(credentials.count, 4);
    assert_string_equal(credentials.list[1].name, "back-end");
    assert_int_equal(credentials.list[0].role, ROLE_AUDITOR);
    assert_int_equal(role_of(&credentials, "studio", 6, "abc", 3), ROLE_AUDITOR);
    assert_int_equal(role_of(&credentials, "ada", 3, "abc", 3), ROLE_ADMINISTRATOR);
    assert_int_equal(role_of(&credentials, "back-end", 8, "", 0), ROLE_BACKEND);
    assert_int_equal(role_of(&credentials, NULL, 0, "", 0), ROLE_BACKEND);
    assert_int_equal(role_of(&credentials, NULL, 0, "abc", 3), ROLE_AUDITOR);
    assert_int_equal(role_of(&credentials, "studio", 6, "abd", 3), ROLE_NONE);
    assert_int_equal(role_of(&credentials, "studio", 5, "abc", 3), ROLE_NONE);
    assert_int_equal(role_of(&credentials, "Studio", 6, "abc", 3), ROLE_NONE);
    assert_int_equal(role_of(&credentials, "", 0, "abc", 3), ROLE_NONE);
    assert_int_equal(role_of(&credentials, "studio", 6, "", 0), ROLE_NONE);
    assert_int_equal(role_of(&credentials, "locked", 6, "", 0), ROLE_NONE);
    assert_int_equal(role_of(&credentials, "locked", 6, "-", 1), ROLE_NONE);
    assert_int_equal(credentials_named(&credentials, "locked")->role, ROLE_OPERATOR);
    assert_null(credentials_named(&credentials, "lock"));
    struct identity who = credential_identity(&credentials.list[1]);
    assert_int_equal(who.tenant, 65535);
    assert_int_equal(who.role, ROLE_BACKEND);
    assert_true(who.caller == credential_number("back-end") && who.caller != 0);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "there is no caller"},
        {"# nothing\n", "there is no caller"},
        {"a auditor\n", "line 1: expected NAME ROLE"},
        {"\na auditor " KEY_A " more\n", "line 2: expected NAME ROLE"},
        {"a owner " KEY_A "\n", "line 1: role 'owner'"},
        {"a reader " KEY_A "\n", "line 1: role 'reader' is gone: take auditor"},
        {"a writer " KEY_A "\n", "line 1: role 'writer' is now backend"},
        {"a admin " KEY_A "\n", "line 1: role 'admin' is now backend"},
        {"a user " KEY_A "\n", "line 1: role users and creators come with an assertion"},
        {"a nobody " KEY_A "\n", "line 1: role 'nobody'"},
        {"a everybody " KEY_A "\n", "line 1: role 'everybody'"},
        {"a auditor " KEY_A " tenant=65536\n", "line 1: expected NAME ROLE"},
        {"a auditor " KEY_A " tenant=\n", "line 1: expected NAME ROLE"},
        {"a auditor " KEY_A " tenant=-1\n", "line 1: expected NAME ROLE"},
        {"a auditor " KEY_A " tenant=1 2\n", "line 1: expected NAME ROLE"},
        {"a auditor abc\n", "64 hexadecimal"},
        {"a auditor x"
         "a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
         "64 hexadecimal"},
        {"a=b auditor " KEY_A "\n", "line 1: a name"},
        {"n123456789012345678901234567890123456789012345678901234567890123 auditor " KEY_A "\n",
         "line 1: a name"},
        {"default auditor " KEY_A "\n", "line 1: clients say 'default'"},
        {"a auditor " KEY_A "\na backend " KEY_E "\n", "line 2: the name 'a' stands here twice"},
    };
    struct credentials credentials;
    char message[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_text(cases[i].text, 0600, &credentials, message), STATUS_BADCONFIG);
        if (strstr(message, cases[i].message) == NULL)
            fail_msg("expected '%s', got '%s'", cases[i].message, message);
    }
    assert_int_equal(read_text("a auditor " KEY_A "\n", 0620, &credentials, message),
                     STATUS_BADCONFIG);
    assert_non_null(strstr(message, "others can write it"));
    assert_int_equal(credentials_read("/nowhere/at/all", &credentials, message), STATUS_BADCONFIG);
    assert_int_equal(credentials_read("/", &credentials, message), STATUS_BADCONFIG);
}

static void has_room_for_so_many(void **state)
{
    static char text[CREDENTIALS_MAX * 100 + 200];
    struct credentials credentials;
    char message[256];
    size_t size = 0;

    (void)state;
    for (int i = 0; i <= CREDENTIALS_MAX; i++) {
        if (i == CREDENTIALS_MAX) {
            assert_int_equal(read_text(text, 0600, &credentials, message), STATUS_OK);
            assert_int_equal(credentials.count, CREDENTIALS_MAX);
        }
        size += (size_t)snprintf(text + size, sizeof text - size, "n%d auditor " KEY_A "\n", i);
    }
    assert_int_equal(read_text(text, 0600, &credentials, message), STATUS_BADCONFIG);
    assert_non_null(strstr(message, "line 257: more than 256"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_callers),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(has_room_for_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
