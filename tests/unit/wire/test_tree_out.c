/* An answer as a tree: what is built is what is written, in RESP2, RESP3 and JSON; what does not
 * fit is a refusal, however little room there is. */
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "wire/json.h"
#include "wire/resp.h"
#include "wire/tree_out.h"

static _Alignas(16) uint8_t storage[CALL_STORAGE_BYTES];
static struct call call;

static void begin(struct tree_builder *tree, size_t size)
{
    memset(storage, 0xAB, sizeof storage);
    call = (struct call){.storage = storage, .storage_size = size};
    tree_begin(tree, &call);
}

static void build(struct tree_builder *tree, size_t size)
{
    begin(tree, size);
    tree_id(tree, "seq", UINT64_MAX);
    tree_integer(tree, "below", -7);
    tree_list(tree, "items");
    for (int i = 0; i < 2; i++) {
        tree_map(tree, NULL);
        tree_decimal(tree, "heat", i == 0 ? 12345 : -5, 3);
        tree_word(tree, "why", i == 0 ? "new" : "a \"b\"\r\n");
        tree_end(tree);
    }
    tree_end(tree);
    tree_map(tree, "none");
    tree_end(tree);
    tree_list(tree, "empty");
    tree_end(tree);
    tree_bool(tree, "on", true);
    tree_null(tree, "until");
    tree_finish(tree, &call);
}

static void is_resp(uint8_t protocol, const char *expected)
{
    struct request request = {0};
    size_t bound = resp_reply_bound(&request, &call.reply);
    uint8_t *bytes = malloc(bound);
    size_t size = resp_reply(&request, &call.reply, protocol, bytes);

    assert_non_null(bytes);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(bytes, expected, size);
    free(bytes);
}

static void is_json(const char *expected)
{
    struct json_request request = {0};
    struct text text = {0};

    json_reply(&text, &request, &call.reply);
    assert_string_equal(text.bytes, expected);
    text_free(&text);
}

static void one_tree_in_three_languages(void **state)
{
    struct tree_builder tree;

    (void)state;
    build(&tree, sizeof storage);
    assert_int_equal(call.reply.kind, REPLY_TREE);
    is_resp(3, "%7\r\n$3\r\nseq\r\n$20\r\n18446744073709551615\r\n$5\r\nbelow\r\n:-7\r\n"
               "$5\r\nitems\r\n*2\r\n"
               "%2\r\n$4\r\nheat\r\n$6\r\n12.345\r\n$3\r\nwhy\r\n$3\r\nnew\r\n"
               "%2\r\n$4\r\nheat\r\n$6\r\n-0.005\r\n$3\r\nwhy\r\n$7\r\na \"b\"\r\n\r\n"
               "$4\r\nnone\r\n%0\r\n$5\r\nempty\r\n*0\r\n$2\r\non\r\n:1\r\n$5\r\nuntil\r\n_\r\n");
    is_resp(2, "*14\r\n$3\r\nseq\r\n$20\r\n18446744073709551615\r\n$5\r\nbelow\r\n:-7\r\n"
               "$5\r\nitems\r\n*2\r\n"
               "*4\r\n$4\r\nheat\r\n$6\r\n12.345\r\n$3\r\nwhy\r\n$3\r\nnew\r\n"
               "*4\r\n$4\r\nheat\r\n$6\r\n-0.005\r\n$3\r\nwhy\r\n$7\r\na \"b\"\r\n\r\n"
               "$4\r\nnone\r\n*0\r\n$5\r\nempty\r\n*0\r\n$2\r\non\r\n:1\r\n$5\r\nuntil\r\n$-1\r\n");
    is_json("{\"seq\":\"18446744073709551615\",\"below\":-7,\"items\":[{\"heat\":12.345,"
            "\"why\":\"new\"},{\"heat\":-0.005,\"why\":\"a \\\"b\\\"\\u000d\\u000a\"}],\"none\":{},"
            "\"empty\":[],\"on\":true,\"until\":null}\n");
}

static void an_empty_tree_is_an_empty_map(void **state)
{
    struct tree_builder tree;

    (void)state;
    begin(&tree, sizeof storage);
    tree_finish(&tree, &call);
    is_resp(3, "%0\r\n");
    is_resp(2, "*0\r\n");
    is_json("{}\n");
}

static void decimals_are_exact(void **state)
{
    static const struct {
        int64_t value;
        uint8_t places;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {0, 2, "0.00"},
        {5, 0, "5"},
        {5, 1, "0.5"},
        {-1, 9, "-0.000000001"},
        {100, 2, "1.00"},
        {-12345, 2, "-123.45"},
        {INT64_MIN, 9, "-9223372036.854775808"},
        {INT64_MAX, 0, "9223372036854775807"},
    };
    char text[TREE_DECIMAL_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = tree_decimal_text(cases[i].value, cases[i].places, text);

        assert_int_equal(size, strlen(cases[i].text));
        assert_memory_equal(text, cases[i].text, size);
    }
}

/* In every amount of room it is the whole answer or a refusal, and nothing behind the room is
 * touched. */
static void what_does_not_fit_is_refused(void **state)
{
    struct tree_builder tree;
    size_t least = 0;

    (void)state;
    for (size_t size = 0; size < 512; size++) {
        build(&tree, size);
        if (call.reply.kind == REPLY_TREE && least == 0)
            least = size;
        assert_int_equal(call.reply.kind, least == 0 ? REPLY_ERROR : REPLY_TREE);
        if (least == 0)
            assert_int_equal(call.reply.status, STATUS_TOOBIG);
        for (size_t i = size; i < 1024; i++)
            assert_int_equal(storage[i], 0xAB);
    }
    assert_int_equal(least, 14 * sizeof(struct tree_node) + 3 + 7);
}

static void the_bound_holds_for_every_tree(void **state)
{
    struct test_random random = {.state = test_seed(1)};

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct tree_builder tree;
        uint32_t depth = 1;
        bool list[TREE_DEPTH_MAX + 1] = {0};

        begin(&tree, sizeof storage);
        for (int i = 0; i < 60; i++) {
            const char *name = list[depth] ? NULL : "a_name";
            uint64_t pick = test_random_below(&random, 8);

            if (pick < 2 && depth < TREE_DEPTH_MAX) {
                (pick == 0 ? tree_map : tree_list)(&tree, name);
                list[++depth] = pick == 1;
            } else if (pick == 2 && depth > 1) {
                tree_end(&tree);
                depth--;
            } else if (pick == 3) {
                tree_decimal(&tree, name, (int64_t)test_random_next(&random),
                             (uint8_t)test_random_below(&random, TREE_DECIMALS_MAX + 1));
            } else if (pick == 4) {
                tree_text(&tree, name, "\x01\x02 text", test_random_below(&random, 7));
            } else if (pick == 5) {
                tree_id(&tree, name, test_random_next(&random));
            } else {
                tree_integer(&tree, name, (int64_t)test_random_next(&random));
            }
        }
        for (; depth > 1; depth--)
            tree_end(&tree);
        tree_finish(&tree, &call);
        for (uint8_t protocol = 2; protocol <= 3; protocol++) {
            struct request request = {0};
            size_t bound = resp_reply_bound(&request, &call.reply);
            uint8_t *bytes = malloc(bound);

            assert_non_null(bytes);
            assert_true(resp_reply(&request, &call.reply, protocol, bytes) <= bound);
            free(bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_tree_in_three_languages),
        cmocka_unit_test(an_empty_tree_is_an_empty_map),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(the_bound_holds_for_every_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
