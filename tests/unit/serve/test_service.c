/* Handshake, login, help: what the door says by itself. */
#include "support/door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "serve/service.h"
#include "wire/command.h"

/* Says, and hears an answer that begins so. */
static void starts(struct test_door *door, int fd, const char *said, const char *heard)
{
    char line[1024];

    door_says(door, fd, said);
    door_line(door, fd, line, sizeof line);
    if (strncmp(line, heard, strlen(heard)) != 0)
        fail_msg("%s: expected %s..., got %s", said, heard, line);
}

static void give_facts(void *context, struct facts *facts)
{
    (void)context;
    *facts = (struct facts){.version = "9.8.7",
                            .sync = "always",
                            .uptime_s = 90000,
                            .partitions = 2,
                            .mode = MODE_SHED,
                            .connections_open = 5};
    facts->requests[VERB_ITEM_SET] = 12;
    facts->answers[STATUS_BUSY] = 3;
}

static bool give_setting(void *context, uint32_t i, const char **name, const char **value)
{
    static const char *const names[] = {"data", "resp", "sync", "segment_mb"};
    static const char *const values[] = {"/d", "127.0.0.1:6390", "always", "64"};

    (void)context;
    if (i >= 4)
        return false;
    *name = names[i];
    *value = values[i];
    return true;
}

static struct credentials *three_callers(void)
{
    static struct credentials credentials;
    static const char *const names[] = {"rita", "walt", "ada"};
    static const char *const keys[] = {"read", "write", "rule"};
    static const uint8_t roles[] = {ROLE_AUDITOR, ROLE_BACKEND, ROLE_ADMINISTRATOR};

    credentials.count = 3;
    for (int i = 0; i < 3; i++) {
        snprintf(credentials.list[i].name, sizeof credentials.list[i].name, "%s", names[i]);
        credentials.list[i].role = roles[i];
        credentials.list[i].has_key = true;
        digest_sha256(keys[i], strlen(keys[i]), NULL, 0, credentials.list[i].digest);
    }
    return &credentials;
}

/* "LIKE 1 2" as an array of bulk strings, which is all that is taken before login. */
static const char *array(const char *words)
{
    static char text[4096];
    char copy[2048], *save = NULL, *list[64];
    size_t size = 0;
    int count = 0;

    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        list[count++] = word;
    size += (size_t)snprintf(text, sizeof text, "*%d\r\n", count);
    for (int i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "$%zu\r\n%s\r\n", strlen(list[i]),
                                 list[i]);
    return text;
}

/* --- who is calling ------------------------------------------------------------------------------
 */

static void asks_who_is_calling(void **state)
{
    struct test_door door;
    struct serve_stats stats;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.credentials = three_callers()});
    fd = door_call(&door);
    starts(&door, fd, array("LIKE 1 2"), "-NOAUTH ");
    starts(&door, fd, array("LIKE one 2"), "-NOAUTH ");
    starts(&door, fd, array("NOSUCH"), "-NOAUTH ");
    starts(&door, fd, array("CONFIG GET *"), "-NOAUTH ");
    starts(&door, fd, array("INFO"), "-NOAUTH ");
    starts(&door, fd, array("HELLO 3"), "-NOAUTH ");
    starts(&door, fd, array("CLIENT LIST"), "-NOAUTH ");
    door_talk(&door, fd, array("PING"), "+PONG\r\n");
    starts(&door, fd, array("AUTH ada read"), "-WRONGPASS ");
    starts(&door, fd, array("AUTH nobody rule"), "-WRONGPASS ");
    starts(&door, fd, array("LIKES 2"), "-NOAUTH ");
    door_talk(&door, fd, array("AUTH rita read"), "+OK\r\n");
    starts(&door, fd, array("LIKE 1 2"), "-NOPERM ");
    starts(&door, fd, array("ITEM SET 2"), "-NOPERM ");
    door_talk(&door, fd, array("LIKES 2"), ":0\r\n");
    door_talk(&door, fd, array("AUTH write"), "+OK\r\n");
    door_talk(&door, fd, array("LIKE 1 2"), ":2\r\n");
    door_talk(&door, fd, array("AUTH default write"), "+OK\r\n"); /* what clients say for no name */
    starts(&door, fd, array("AUTH default wrong"), "-WRONGPASS ");
    starts(&door, fd, array("INFO"), "-NOPERM "); /* of all tenants together */
    door_talk(&door, fd, array("ITEM SET 2"), ":2\r\n");
    door_talk(&door, fd, "AUTH ada rule\r\n", "+OK\r\n"); /* inline works after login */
    starts(&door, fd, array("ITEM SET 2"), "-NOPERM "); /* nor may an administrator write */
    door_talk(&door, fd, array("RESET"), "+RESET\r\n");
    starts(&door, fd, array("LIKES 2"), "-NOAUTH ");
    serve_stats(door.serve, &stats);
    assert_int_equal(stats.requests[VERB_LIKE], 1);
    assert_int_equal(stats.requests[VERB_ITEM_SET], 1);
    assert_int_equal(stats.answered[STATUS_WRONGPASS], 3);
    assert_int_equal(stats.answered[STATUS_NOPERM], 4);
    close(fd);
    door_close(&door);
}

static void gives_up_after_five_wrong_keys(void **state)
{
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.credentials = three_callers()});
    fd = door_call(&door);
    for (int i = 0; i < 4; i++)
        starts(&door, fd, array("AUTH ada wrong"), "-WRONGPASS ");
    door_talk(&door, fd, array("AUTH ada rule"), "+OK\r\n"); /* A right one wipes the slate. */
    for (int i = 0; i < 4; i++)
        starts(&door, fd, array("HELLO 3 AUTH ada wrong"), "-WRONGPASS ");
    starts(&door, fd, array("AUTH wrong"), "-WRONGPASS ");
    door_hears_end(&door, fd);
    door_close(&door);
}

static void takes_little_before_login(void **state)
{
    static const char *const too_much[] = {
        "PING\r\n",
        "*8\r\n$4\r\nPING\r\n",
        "*2\r\n$4\r\nECHO\r\n$1025\r\n",
    };
    struct test_door door;
    char text[8192];
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.credentials = three_callers()});
    for (size_t i = 0; i < sizeof too_much / sizeof too_much[0]; i++) {
        fd = door_call(&door);
        starts(&door, fd, too_much[i], i == 0 ? "-PROTO " : "-TOOBIG ");
        door_hears_end(&door, fd);
    }
    /* Each argument is small enough, the command is not. */
    fd = door_call(&door);
    size_t size = (size_t)snprintf(text, sizeof text, "*7\r\n");
    for (int i = 0; i < 6; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "$1000\r\n%01000d\r\n", 7);
    door_say(&door, fd, text, size);
    starts(&door, fd, "", "-TOOBIG ");
    door_hears_end(&door, fd);
    /* One at a time: the second command is not looked at before the first answer has left. */
    fd = door_call(&door);
    door.held = true;
    door.taken = 0;
    for (int i = 0; i < 10; i++)
        door_says(&door, fd, array("PING"));
    door_hears_nothing(&door, fd);
    assert_int_equal(door.taken, 1);
    door.held = false;
    for (int i = 0; i < 10; i++)
        door_hears(&door, fd, "+PONG\r\n");
    /* A login opens the rest of what came with it. */
    door_says(&door, fd, array("AUTH walt write"));
    for (int i = 0; i < 100; i++)
        door_says(&door, fd, array("LIKE 1 2"));
    door_hears(&door, fd, "+OK\r\n");
    for (int i = 0; i < 100; i++)
        door_hears(&door, fd, ":2\r\n");
    close(fd);
    door_close(&door);
}

static void keeps_places_for_those_who_have_logged_in(void **state)
{
    struct test_door door;
    int fd[16], one, other;

    (void)state;
    door_open(&door, (struct serve_config){.credentials = three_callers(), .connections_max = 40});
    for (int i = 0; i < 16; i++)
        fd[i] = door_call(&door);
    one = door_call(&door);
    starts(&door, one, "", "-BUSY ");
    door_hears_end(&door, one);
    door_talk(&door, fd[0], array("AUTH walt write"), "+OK\r\n");
    other = door_call(&door);
    door_talk(&door, other, array("AUTH walt write"), "+OK\r\n");
    close(other);
    for (int i = 0; i < 16; i++)
        close(fd[i]);
    door_close(&door);
}

/* --- handshake -----------------------------------------------------------------------------------
 */

static void shakes_hands(void **state)
{
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.facts = give_facts});
    fd = door_call(&door);
    door_talk(&door, fd, "HELLO\r\n",
              "*14\r\n$6\r\nserver\r\n$3\r\nzan\r\n$7\r\nversion\r\n$5\r\n9.8.7\r\n$5\r\nproto\r\n"
              ":2\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\n"
              "master\r\n$7\r\nmodules\r\n*0\r\n");
    starts(&door, fd, "HELLO 4\r\n", "-NOPROTO ");
    starts(&door, fd, "HELLO x\r\n", "-NOPROTO ");
    starts(&door, fd, "HELLO 3 SETNAME\r\n", "-UNKNOWNFIELD ");
    starts(&door, fd, "HELLO 3 AUTH ada rule\r\n", "-WRONGPASS ");
    starts(&door, fd, "HELLO 3 SETNAME \"a b\"\r\n", "-BADVALUE ");
    door_talk(&door, fd, "CLIENT GETNAME\r\n", "$-1\r\n"); /* Still RESP2: HELLO 3 was refused. */
    door_talk(&door, fd, "HELLO 3 SETNAME me\r\n",
              "%7\r\n$6\r\nserver\r\n$3\r\nzan\r\n$7\r\nversion\r\n$5\r\n9.8.7\r\n$5\r\nproto\r\n"
              ":3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\n"
              "master\r\n$7\r\nmodules\r\n*0\r\n");
    door_talk(&door, fd, "CLIENT GETNAME\r\n", "$2\r\nme\r\n");
    door_talk(&door, fd, "RESET\r\nCLIENT GETNAME\r\n", "+RESET\r\n$-1\r\n");
    starts(&door, fd, "AUTH key\r\n", "-WRONGPASS ");
    door_talk(&door, fd, "SELECT 0\r\n", "+OK\r\n");
    starts(&door, fd, "SELECT 1\r\n", "-BADVALUE ");
    door_talk(&door, fd, "PING hi\r\n", "$2\r\nhi\r\n");
    starts(&door, fd, "ECHO\r\n", "-ARITY ");
    starts(&door, fd, "GET x\r\n", "-UNKNOWNCMD ");
    close(fd);
    door_close(&door);
}

static void knows_its_callers(void **state)
{
    struct test_door door;
    char text[4096];
    int fd, other;

    (void)state;
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    other = door_call(&door);
    door_talk(&door, fd, "CLIENT ID\r\n", ":1\r\n");
    door_talk(&door, other, "CLIENT ID\r\n", ":2\r\n");
    door_talk(&door, fd, "CLIENT SETNAME worker-1\r\n", "+OK\r\n");
    starts(&door, fd, "CLIENT SETNAME \"two words\"\r\n", "-BADVALUE ");
    door_talk(&door, fd, "CLIENT SETINFO lib-name some-lib\r\n", "+OK\r\n");
    door_talk(&door, fd, "CLIENT SETINFO LIB-VER 1.2\r\n", "+OK\r\n");
    starts(&door, fd, "CLIENT SETINFO COLOR red\r\n", "-UNKNOWNFIELD ");
    door_talk(&door, fd, "CLIENT GETNAME\r\n", "$8\r\nworker-1\r\n");
    door_talk(&door, fd, "CLIENT NO-EVICT on\r\n", "+OK\r\n");
    starts(&door, fd, "CLIENT NO-TOUCH maybe\r\n", "-BADVALUE ");
    starts(&door, fd, "CLIENT TRACKING on\r\n", "-UNKNOWNFIELD ");
    starts(&door, fd, "CLIENT KILL ID 2\r\n", "-UNKNOWNFIELD ");
    starts(&door, fd, "CLIENT REPLY OFF\r\n", "-UNKNOWNFIELD ");
    starts(&door, fd, "CLIENT INFO\r\n", "$");
    door_line(&door, fd, text, sizeof text);
    assert_non_null(strstr(text, "id=1 addr=127.0.0.1:"));
    assert_non_null(strstr(text, " name=worker-1 "));
    assert_non_null(strstr(text, " user=default resp=2 lib-name=some-lib lib-ver=1.2\n"));
    door_hears(&door, fd, "\r\n");
    starts(&door, fd, "CLIENT LIST\r\n", "$");
    door_line(&door, fd, text, sizeof text);
    assert_memory_equal(text, "id=1 ", 5);
    door_line(&door, fd, text, sizeof text);
    assert_memory_equal(text, "id=2 ", 5);
    door_hears(&door, fd, "\r\n");
    starts(&door, fd, "CLIENT LIST ID 2 7\r\n", "$");
    door_line(&door, fd, text, sizeof text);
    assert_memory_equal(text, "id=2 ", 5);
    door_hears(&door, fd, "\r\n");
    starts(&door, fd, "CLIENT LIST ID\r\n", "-UNKNOWNFIELD ");
    close(fd);
    close(other);
    door_close(&door);
}

/* --- help ----------------------------------------------------------------------------------------
 */

static void tells_settings(void **state)
{
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.setting = give_setting});
    fd = door_call(&door);
    door_talk(&door, fd, "CONFIG GET S*\r\n",
              "*4\r\n$4\r\nsync\r\n$6\r\nalways\r\n$10\r\nsegment_mb\r\n$2\r\n64\r\n");
    door_talk(&door, fd, "CONFIG GET save appendonly\r\n", "*0\r\n");
    door_talk(&door, fd, "CONFIG GET data d*\r\n", "*2\r\n$4\r\ndata\r\n$2\r\n/d\r\n");
    starts(&door, fd, "CONFIG SET sync none\r\n", "-UNKNOWNFIELD ");
    starts(&door, fd, "CONFIG GET\r\n", "-");
    close(fd);
    door_close(&door);
}

static void matches_as_redis_does(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"*", "", true},
        {"*", "abc", true},
        {"", "", true},
        {"", "a", false},
        {"a*c", "abbbc", true},
        {"a*c", "abbbd", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"[ab]x", "bx", true},
        {"[^ab]x", "bx", false},
        {"[a-c]x", "Bx", true},
        {"[a-c]x", "dx", false},
        {"\\*", "*", true},
        {"\\*", "x", false},
        {"*a*b*c*", "xxaxxbxxcxx", true},
        {"*a*b*c*", "xxaxxcxxbxx", false},
        {"[", "x", false},
        {"[a", "a", true},
        {"SYNC", "sync", true},
        {"a\\", "a\\", true},
        {"**", "q", true},
        {"a*", "a", true},
        {"?", "", false},
        {"[^", "x", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* On the heap without a 0, so that a sanitizer sees a step too far. */
        size_t size = strlen(cases[i].pattern);
        char *bytes = malloc(size + 1);
        struct resp_slice pattern = {bytes + 1, (uint32_t)size};

        memcpy(bytes + 1, cases[i].pattern, size);
        if (service_matches(pattern, cases[i].text) != cases[i].matches)
            fail_msg("'%s' '%s'", cases[i].pattern, cases[i].text);
        free(bytes);
    }
    /* Thirty stars in a row of a's: a naive matcher would not come back. */
    const char *stars = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
    char text[1000];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(service_matches((struct resp_slice){stars, (uint32_t)strlen(stars)}, text));
}

/* Reads a bulk or verbatim string. */
static void hear_text(struct test_door *door, int fd, char type, char *text, size_t room)
{
    char line[64];
    size_t size;

    door_line(door, fd, line, sizeof line);
    assert_int_equal(line[0], type);
    size = strtoul(line + 1, NULL, 10);
    assert_true(size < room);
    door_hear(door, fd, text, size);
    text[size] = '\0';
    door_hears(door, fd, "\r\n");
}

static void tells_about_the_node(void **state)
{
    static char text[32768];
    struct test_door door;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){.facts = give_facts});
    fd = door_call(&door);
    door_says(&door, fd, "INFO\r\n");
    hear_text(&door, fd, '$', text, sizeof text);
    assert_memory_equal(text, "# Server\r\nredis_version:7.2.0\r\n", 31);
    assert_non_null(strstr(text, "\r\nzan_version:9.8.7\r\n"));
    assert_non_null(strstr(text, "\r\n\r\n# Clients\r\nconnected_clients:5\r\n"));
    assert_non_null(strstr(text, "\r\nloading:0\r\n"));
    assert_non_null(strstr(text, "\r\nrole:master\r\n"));
    assert_non_null(strstr(text, "\r\nmode:shed\r\nsync:always\r\npartitions:2\r\n"));
    assert_non_null(strstr(text, "\r\nrequests_item_set:12\r\n"));
    assert_non_null(strstr(text, "\r\nanswers_BUSY:3\r\n"));
    door_says(&door, fd, "INFO replication nosuch\r\n");
    hear_text(&door, fd, '$', text, sizeof text);
    assert_string_equal(text, "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n");
    door_says(&door, fd, "INFO nosuch\r\n");
    hear_text(&door, fd, '$', text, sizeof text);
    assert_string_equal(text, "");
    starts(&door, fd, "HELLO 3\r\n", "%7\r\n");
    for (int i = 0; i < 20; i++)
        door_line(&door, fd, text, sizeof text);
    while (strcmp(text, "*0\r\n") != 0)
        door_line(&door, fd, text, sizeof text);
    door_says(&door, fd, "INFO KEYSPACE\r\n");
    hear_text(&door, fd, '=', text, sizeof text);
    assert_string_equal(text, "txt:# Keyspace\r\n");
    close(fd);
    door_close(&door);
}

static void helps(void **state)
{
    struct test_door door;
    char text[1024];
    unsigned count = 0;
    int fd;

    (void)state;
    door_open(&door, (struct serve_config){0});
    fd = door_call(&door);
    door_says(&door, fd, "COMMAND COUNT\r\n");
    door_line(&door, fd, text, sizeof text);
    count = (unsigned)strtoul(text + 1, NULL, 10);
    assert_true(count > 30);
    door_says(&door, fd, "COMMAND LIST\r\n"); /* with subcommands, as Redis has it */
    door_line(&door, fd, text, sizeof text);
    assert_true(strtoul(text + 1, NULL, 10) > count);
    count = (unsigned)strtoul(text + 1, NULL, 10);
    for (unsigned i = 0; i < 2 * count; i++)
        door_line(&door, fd, text, sizeof text);
    starts(&door, fd, "COMMAND DOCS like\r\n", "*2\r\n");
    door_hears(&door, fd, "$4\r\nlike\r\n");
    close(fd);
    fd = door_call(&door);
    starts(&door, fd, "COMMAND GETKEYS LIKE 1 2\r\n", "-BADVALUE ");
    starts(&door, fd, "COMMAND NOSUCH\r\n", "-UNKNOWNFIELD ");
    /* All of them, with an arena that has no room in this turn but will in the next. */
    door.batch.arena.size = COMMAND_DOCS_BYTES + 8192;
    for (int i = 0; i < 3; i++) {
        door_says(&door, fd, "COMMAND DOCS\r\n");
        door_line(&door, fd, text, sizeof text);
        assert_int_equal(text[0], '*');
        door_says(&door, fd, "ECHO the-end\r\n");
        while (strcmp(text, "the-end\r\n") != 0)
            door_line(&door, fd, text, sizeof text);
    }
    door.batch.arena.size = 8192;
    starts(&door, fd, "COMMAND DOCS\r\n", "-TOOBIG ");
    close(fd);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_who_is_calling),
        cmocka_unit_test(gives_up_after_five_wrong_keys),
        cmocka_unit_test(takes_little_before_login),
        cmocka_unit_test(keeps_places_for_those_who_have_logged_in),
        cmocka_unit_test(shakes_hands),
        cmocka_unit_test(knows_its_callers),
        cmocka_unit_test(tells_settings),
        cmocka_unit_test(matches_as_redis_does),
        cmocka_unit_test(tells_about_the_node),
        cmocka_unit_test(helps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
