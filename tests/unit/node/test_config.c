/* Settings: what is taken, what is refused and how that is told. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/config.h"

static struct config config;
static char message[CONFIG_MESSAGE];

static void defaults_are_those_of_the_table(void **state)
{
    const char *name;
    char value[CONFIG_TEXT];

    (void)state;
    config_default(&config);
    assert_string_equal(config.resp, "127.0.0.1:6390");
    assert_string_equal(config.sync, "always");
    assert_int_equal(config.memory_bytes, 1ULL << 30);
    for (uint32_t i = 0; i < config_item_count; i++) {
        assert_true(config_get(&config, i, &name, value));
        assert_string_equal(name, config_items[i].name);
        assert_string_equal(value, config_items[i].fallback);
    }
    assert_false(config_get(&config, config_item_count, &name, value));
    assert_int_equal(config_check(&config, message), STATUS_OK);
}

static void sizes_are_powers_of_1024(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } cases[] = {
        {"16777216", 16ULL << 20},
        {"16384k", 16ULL << 20},
        {"64MiB", 64ULL << 20},
        {"64mb", 64ULL << 20},
        {"2g", 2ULL << 30},
        {"2GiB", 2ULL << 30},
        {"1TiB", 1ULL << 40},
        {"16777215", 0},
        {"17TiB", 0},
        {"", 0},
        {"k", 0},
        {"1 g", 0},
        {"-1g", 0},
        {"+1g", 0},
        {"1gg", 0},
        {"1x", 0},
        {"1.5g", 0},
        {"99999999999999999999", 0},
        {"18014398509481984k", 0},
        {"1g ", 0},
        {" 1g", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum status status;

        config_default(&config);
        status = config_set(&config, "memory", cases[i].text, message);
        if (cases[i].bytes == 0) {
            assert_int_equal(status, STATUS_BADCONFIG);
            assert_non_null(strstr(message, "a size from 16MiB to 16TiB"));
            assert_int_equal(config.memory_bytes, 1ULL << 30);
        } else {
            assert_int_equal(status, STATUS_OK);
            assert_int_equal(config.memory_bytes, cases[i].bytes);
        }
    }
}

/* name, value, what the message must contain; NULL: taken. */
static const char *const settings[][3] = {
    {"sync", "none", NULL},
    {"sync", "group:1", NULL},
    {"sync", "group:1000", NULL},
    {"sync", "group:0", "1 to 1000"},
    {"sync", "group:1001", "1 to 1000"},
    {"sync", "group:", "1 to 1000"},
    {"sync", "group:5ms", "1 to 1000"},
    {"sync", "Always", "always"},
    {"unknown", "refuse", NULL},
    {"unknown", "create", NULL},
    {"unknown", "creat", "create|refuse"},
    {"unknown", "", "create|refuse"},
    {"unknown", "create|refuse", "create|refuse"},
    {"partitions", "64", NULL},
    {"partitions", "0", "1 to 64"},
    {"partitions", "65", "1 to 64"},
    {"flush-seconds", "5", NULL},
    {"flush_seconds", "5", NULL}, /* files are often written with _ */
    {"flush seconds", "5", "no setting"},
    {"http", "off", NULL},
    {"http", "[::1]:0", NULL},
    {"http", "::1:8090", "HOST:PORT"},
    {"http", "localhost", "HOST:PORT"},
    {"http", ":8090", "HOST:PORT"},
    {"http", "127.0.0.1:65536", "HOST:PORT"},
    {"http", "127.0.0.1:", "HOST:PORT"},
    {"http", "[]:1", "HOST:PORT"},
    {"data", "/a/b c", NULL},
    {"data", "a\nb", "printable"},
    {"nothing", "1", "no setting 'nothing'"},
    {"", "1", "no setting"},
    {"no\x01t", "1", "'no?t'"},
};

static void each_value_is_taken_or_refused_with_what_was_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        struct config before;
        enum status status;

        config_default(&config);
        before = config;
        status = config_set(&config, settings[i][0], settings[i][1], message);
        assert_int_equal(status, settings[i][2] == NULL ? STATUS_OK : STATUS_BADCONFIG);
        if (settings[i][2] != NULL) {
            assert_non_null(strstr(message, settings[i][2]));
            assert_memory_equal(&before, &config, sizeof config);
        }
    }
}

static void long_text_is_refused_whole(void **state)
{
    char text[CONFIG_TEXT + 1];

    (void)state;
    config_default(&config);
    memset(text, 'x', sizeof text);
    text[CONFIG_TEXT] = '\0';
    assert_int_equal(config_set(&config, "data", text, message), STATUS_BADCONFIG);
    assert_string_equal(config.data, "zan-data");
    text[CONFIG_TEXT - 1] = '\0';
    assert_int_equal(config_set(&config, "data", text, message), STATUS_OK);
}

static void doors_of_administration_are_apart(void **state)
{
    static const char *const doors[][2] = {{"admin-resp", "resp"}, {"admin-http", "http"}};

    (void)state;
    for (size_t door = 0; door < 2; door++) {
        config_default(&config);
        assert_false(config_has_admin(&config));
        config_set(&config, doors[door][0], "127.0.0.1:1", message);
        assert_true(config_has_admin(&config));
        assert_int_equal(config_check(&config, message), STATUS_BADCONFIG);
        assert_non_null(strstr(message, "credentials"));
        config_set(&config, "credentials", "file", message);
        assert_int_equal(config_check(&config, message), STATUS_OK);
        config_set(&config, doors[door][1], "127.0.0.1:1", message);
        assert_int_equal(config_check(&config, message), STATUS_BADCONFIG);
        assert_non_null(strstr(message, "other addresses"));
        config_set(&config, doors[door][0], "10.0.0.1:1", message);
        assert_int_equal(config_check(&config, message), STATUS_BADCONFIG);
        assert_non_null(strstr(message, doors[door][0]));
        assert_non_null(strstr(message, "tls-cert"));
        config_set(&config, "plain-remote", "yes", message);
        assert_int_equal(config_check(&config, message), STATUS_OK);
    }
}

static void doors_beyond_this_machine_need_credentials(void **state)
{
    static const struct {
        const char *address;
        bool here;
    } cases[] = {
        {"127.0.0.1:1", true},  {"127.8.9.10:1", true},         {"localhost:1", true},
        {"[::1]:1", true},      {"0.0.0.0:1", false},           {"10.0.0.1:1", false},
        {"[::]:1", false},      {"example.org:1", false},       {"127.0.0.1.example.org:1", false},
        {"128.0.0.1:1", false}, {"[::ffff:10.0.0.1]:1", false},
    };
    static const char *const doors[] = {"resp", "http"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t door = 0; door < 2; door++) {
            config_default(&config);
            assert_int_equal(config_set(&config, doors[door], cases[i].address, message),
                             STATUS_OK);
            assert_int_equal(config_check(&config, message),
                             cases[i].here ? STATUS_OK : STATUS_BADCONFIG);
            if (!cases[i].here)
                assert_non_null(strstr(message, "zan key"));
            assert_int_equal(config_set(&config, "credentials", "file", message), STATUS_OK);
            assert_int_equal(config_check(&config, message),
                             cases[i].here ? STATUS_OK : STATUS_BADCONFIG);
            if (!cases[i].here)
                assert_non_null(strstr(message, "tls-cert"));
            config_set(&config, "plain-remote", "yes", message);
            assert_int_equal(config_check(&config, message), STATUS_OK);
            config_set(&config, "plain-remote", "no", message);
            config_set(&config, "tls-cert", "file", message);
            assert_int_equal(config_check(&config, message), STATUS_BADCONFIG); /* no key */
            config_set(&config, "tls-key", "file", message);
            assert_int_equal(config_check(&config, message), STATUS_OK);
            config_set(&config, "tls-doors", doors[1 - door], message);
            assert_int_equal(config_check(&config, message),
                             cases[i].here ? STATUS_OK : STATUS_BADCONFIG);
        }
}

static void a_clock_of_requests_stays_on_this_machine(void **state)
{
    static const char *const doors[] = {"resp", "http"};

    (void)state;
    for (size_t door = 0; door < 2; door++) {
        config_default(&config);
        assert_string_equal(config.clock, "machine");
        assert_int_equal(config_set(&config, "clock", "requests", message), STATUS_OK);
        assert_int_equal(config_check(&config, message), STATUS_OK);
        config_set(&config, "credentials", "file", message);
        config_set(&config, doors[door], "10.0.0.1:1", message);
        assert_int_equal(config_check(&config, message), STATUS_BADCONFIG);
        assert_non_null(strstr(message, "clock"));
    }
}

static void settings_that_contradict_are_named(void **state)
{
    (void)state;
    config_default(&config);
    config_set(&config, "log-a", "/x", message);
    config_set(&config, "log-b", "/x", message);
    assert_int_equal(config_check(&config, message), STATUS_BADCONFIG);
    assert_non_null(strstr(message, "two places"));
    config_default(&config);
    config_set(&config, "resp", "off", message);
    assert_int_equal(config_check(&config, message), STATUS_BADCONFIG);
    config_default(&config);
    config_set(&config, "data", "", message);
    assert_int_equal(config_check(&config, message), STATUS_BADCONFIG);
}

/* --- files -------------------------------------------------------------------------------------
 */

static enum status read_text(const char *text, size_t size)
{
    char dir[64], path[80];
    FILE *file;
    enum status status;

    test_dir_make(dir);
    snprintf(path, sizeof path, "%s/zan.conf", dir);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
    config_default(&config);
    status = config_read(&config, path, message);
    if (status != STATUS_OK)
        assert_memory_equal(message, path, strlen(path));
    test_dir_remove(dir);
    return status;
}

static void files_hold_names_and_values(void **state)
{
    static const char good[] = "# a comment\n; another\n\nmemory = 2GiB\npartitions=4\n"
                               "  \nflush_seconds = 7 ; said here\n";

    (void)state;
    assert_int_equal(read_text(good, sizeof good - 1), STATUS_OK);
    assert_int_equal(config.memory_bytes, 2ULL << 30);
    assert_int_equal(config.partitions, 4);
    assert_int_equal(config.flush_seconds, 7);
}

static void bad_lines_are_named_by_number(void **state)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"memory = 1GiB\n\nmemori = 2GiB\n", ":3: there is no setting 'memori'"},
        {"memory = lots\npartitions = x\n", ":1: memory: expected a size"},
        {"[server]\nmemory = 1GiB\n", ":2: sections like [server]"},
        {"memory 1GiB\n", ":1: expected name = value"},
        {"memory = 1GiB\n= 4\n", ":2: "},
        {"pool = off\nheat = comment=-1\n", ":2: heat: expected comment=NUMBER from 0 to 100"},
        {"feed = pool=0.9, newcomers=0.2\n", ":1: feed: expected pool, newcomers, campaigns"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_text(cases[i].text, strlen(cases[i].text)), STATUS_BADCONFIG);
        assert_non_null(strstr(message, cases[i].told));
    }
    assert_int_equal(config_read(&config, "/nowhere/zan.conf", message), STATUS_BADCONFIG);
    assert_non_null(strstr(message, "/nowhere/zan.conf"));
}

static void a_line_too_long_is_no_line(void **state)
{
    char text[1200] = "data = ";

    (void)state;
    memset(text + 7, 'y', 600);
    memcpy(text + 607, "\nmemory = 2GiB\n", 15);
    assert_int_equal(read_text(text, 622), STATUS_BADCONFIG);
    assert_non_null(strstr(message, ":1: the line is too long"));
}

static void any_bytes_end_well(void **state)
{
    struct test_random random = {test_seed(7)};

    (void)state;
    for (int round = 0; round < 300; round++) {
        char text[400];
        size_t size = test_random_below(&random, sizeof text);
        static const char likely[] = "memory=partitions 0123456789kmg\n\n#;[]\t\r";

        for (size_t i = 0; i < size; i++)
            text[i] = test_random_below(&random, 4) > 0
                          ? likely[test_random_below(&random, sizeof likely - 1)]
                          : (char)test_random_below(&random, 256);
        (void)read_text(text, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(each_value_is_taken_or_refused_with_what_was_expected),
        cmocka_unit_test(long_text_is_refused_whole),
        cmocka_unit_test(doors_beyond_this_machine_need_credentials),
        cmocka_unit_test(doors_of_administration_are_apart),
        cmocka_unit_test(a_clock_of_requests_stays_on_this_machine),
        cmocka_unit_test(settings_that_contradict_are_named),
        cmocka_unit_test(files_hold_names_and_values),
        cmocka_unit_test(bad_lines_are_named_by_number),
        cmocka_unit_test(a_line_too_long_is_no_line),
        cmocka_unit_test(any_bytes_end_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
