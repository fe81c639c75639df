/* What COMMAND and COMMAND DOCS answer is well formed in both protocols, and is what Redis 7 would
 * say, so that its clients understand it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp_text.h"
#include "support.h"
#include "wire/command.h"
#include "wire/command_entry.h"

#define TEXT_BYTES (1u << 20)

typedef size_t (*writer)(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                         uint8_t *out, size_t size);

static size_t put_info(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                       uint8_t *out, size_t size)
{
    return command_put_list(names, count, protocol, false, out, size);
}

static size_t put_names(const struct resp_slice *names, uint32_t count, uint8_t protocol,
                        uint8_t *out, size_t size)
{
    return command_put_list(names, count, protocol, true, out, size);
}

/* The reply as text; the size asked for first must be the size written, and no byte more. */
static const char *ask(writer write, const char *first, const char *second, uint8_t protocol)
{
    static char text[TEXT_BYTES];
    struct resp_slice names[2] = {command_slice(first), command_slice(second)};
    uint32_t count = first[0] == '\0' ? 0 : second[0] == '\0' ? 1 : 2;
    size_t size = write(names, count, protocol, NULL, 0);
    uint8_t *bytes = malloc(size);

    assert_true(size <= COMMAND_DOCS_BYTES);
    assert_int_equal(write(names, count, protocol, bytes, size), size);
    assert_int_equal(resp_text(bytes, size, text, sizeof text), size);
    free(bytes);
    return text;
}

static void info_has_the_ten_fields(void **state)
{
    (void)state;
    assert_string_equal(ask(put_info, "like", "", 2),
                        "[[\"like\" -3 [+write +denyoom +fast] 0 0 0 [+@write +@fast] [] [] []]]");
    assert_string_equal(ask(put_info, "LIKED", "nosuch", 3),
                        "[[\"liked\" -3 (+readonly) 0 0 0 (+@read +@slow) () () ()] ~]");
    assert_string_equal(ask(put_info, "ping", "SEQ", 2),
                        "[[\"ping\" -1 [+fast] 0 0 0 [+@connection +@fast] [] [] []] "
                        "[\"seq\" 1 [+readonly +fast] 0 0 0 [+@read +@fast] [] [] []]]");
    assert_string_equal(ask(put_info, "hello", "nosuch", 2),
                        "[[\"hello\" -1 [+no_auth +fast] 0 0 0 [+@connection +@fast] [] [] []] ~]");
    assert_string_equal(ask(put_info, "counts", "item|get", 2),
                        "[[\"counts\" 2 [+readonly +fast] 0 0 0 [+@read +@fast] [] [] []] "
                        "[\"item|get\" 3 [+readonly +fast] 0 0 0 [+@read +@fast] [] [] []]]");
}

static void containers_hold_their_subcommands(void **state)
{
    const char *text = ask(put_info, "account", "", 2);

    (void)state;
    assert_non_null(strstr(text, "[[\"account\" -2 "));
    assert_non_null(strstr(text, "[\"account|set\" -3 [+write +denyoom +admin +fast] "));
    assert_non_null(strstr(text, "[\"account|state\" -4 "));
    assert_non_null(strstr(text, "[\"account|get\" 3 "));
    assert_null(strstr(text, "item|"));
    text = ask(command_put_docs, "client", "", 3);
    assert_non_null(strstr(text, "\"subcommands\":{\"client|setname\":{"));
    assert_null(strstr(text, "command|"));
}

static void docs_tell_arguments(void **state)
{
    (void)state;
    assert_string_equal(
        ask(command_put_docs, "likers", "nosuch", 3),
        "{\"likers\":{\"summary\":\"Lists the accounts that like an item, newest first.\" "
        "\"since\":\"0.1.0\" \"group\":\"read\" \"complexity\":\"O(log(M)+N), M being the entries "
        "there are and N those returned\" \"arguments\":[{\"name\":\"item\" \"type\":\"integer\"} "
        "{\"name\":\"cursor\" \"type\":\"integer\" \"token\":\"CURSOR\" \"flags\":(+optional)} "
        "{\"name\":\"count\" \"type\":\"integer\" \"token\":\"COUNT\" \"flags\":(+optional)}]}}");
    assert_non_null(strstr(ask(command_put_docs, "liked", "", 2),
                           "[\"name\" \"item\" \"type\" \"integer\" \"flags\" [+multiple]]"));
    assert_non_null(strstr(ask(command_put_docs, "like", "", 3),
                           "{\"name\":\"return\" \"type\":\"pure-token\" \"token\":\"RETURN\" "
                           "\"flags\":(+optional)}"));
    assert_non_null(strstr(ask(command_put_docs, "item|state", "", 3),
                           "{\"name\":\"state\" \"type\":\"oneof\" \"arguments\":[{\"name\":"
                           "\"published\" \"type\":\"pure-token\" \"token\":\"published\"} "));
    assert_string_equal(ask(command_put_docs, "nosuch", "", 3), "{}");
}

/* CTX names every source there is. */
static void docs_know_every_source(void **state)
{
    const char *text = ask(command_put_docs, "like", "", 3);

    (void)state;
    for (int source = 0; source < SOURCE_COUNT; source++) {
        char token[64];

        snprintf(token, sizeof token, "\"token\":\"%s\"", source_name((enum source)source));
        assert_non_null(strstr(text, token));
    }
}

/* Every command can be asked for by the name it is listed with. */
static void every_listed_name_has_docs(void **state)
{
    char *names = strdup(ask(put_names, "", "", 2));
    char *rest = names + 1;
    uint32_t top = 0;
    uint32_t count = 0;

    (void)state;
    for (char *name; (name = strtok_r(rest, "[] ", &rest)) != NULL; count++) {
        char start[64];

        assert_int_equal(name[0], '"');
        name++;
        *strchr(name, '"') = '\0';
        top += strchr(name, '|') == NULL;
        snprintf(start, sizeof start, "{\"%s\":{\"summary\":", name);
        assert_memory_equal(ask(command_put_docs, name, "", 3), start, strlen(start));
        snprintf(start, sizeof start, "[[\"%s\" ", name);
        assert_memory_equal(ask(put_info, name, "", 2), start, strlen(start));
    }
    assert_int_equal(top, command_count());
    assert_true(count > command_count());
    assert_true(count >= VERB_COUNT);
    free(names);
}

static void all_of_it_fits_where_it_is_told_to_fit(void **state)
{
    (void)state;
    for (uint8_t protocol = 2; protocol <= 3; protocol++) {
        assert_true(strlen(ask(command_put_docs, "", "", protocol)) > 10000);
        assert_true(strlen(ask(put_info, "", "", protocol)) > 1000);
    }
}

/* Asking for one name a thousand times is not answered a thousand times. */
static void questions_are_bounded(void **state)
{
    static struct resp_slice names[RESP_ARGS_MAX];
    size_t most;

    (void)state;
    for (uint32_t i = 0; i < RESP_ARGS_MAX; i++)
        names[i] = command_slice("seq");
    most = command_put_docs(names, COMMAND_NAMES_MAX, 3, NULL, 0);
    assert_int_equal(command_put_docs(names, RESP_ARGS_MAX, 3, NULL, 0), most);
    most = put_info(names, COMMAND_NAMES_MAX, 3, NULL, 0);
    assert_int_equal(put_info(names, RESP_ARGS_MAX, 3, NULL, 0), most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_has_the_ten_fields),
        cmocka_unit_test(containers_hold_their_subcommands),
        cmocka_unit_test(docs_tell_arguments),
        cmocka_unit_test(docs_know_every_source),
        cmocka_unit_test(every_listed_name_has_docs),
        cmocka_unit_test(all_of_it_fits_where_it_is_told_to_fit),
        cmocka_unit_test(questions_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
