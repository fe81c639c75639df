/* What is a list of tags, and what is not. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "schema/tags.h"

static uint32_t count_of(const char *text)
{
    struct tag tags[TAGS_MAX];

    return tags_read(text, strlen(text), tags);
}

static void reads_what_is_between_commas(void **state)
{
    struct tag tags[TAGS_MAX];

    (void)state;
    assert_int_equal(tags_read("cats,slow food,\xE6\x97\xA5\xE5\xB8\xB8", 21, tags), 3);
    assert_int_equal(tags[0].size, 4);
    assert_memory_equal(tags[1].bytes, "slow food", 9);
    assert_int_equal(tags[2].size, 6);
    assert_int_equal(count_of("a"), 1);
    assert_int_equal(count_of("a,b,c,d,e,f,g,h"), 8);
    assert_int_equal(count_of("aaaaaaaaaaaaaaaaaaaaaaaa"), 1); /* 24 bytes */
    assert_int_equal(count_of("a,A"), 2);                      /* nothing is folded */
}

static void refuses(void **state)
{
    static const char *const wrong[] = {
        "",
        ",",
        "a,",
        ",a",
        "a,,b",
        "a,b,c,d,e,f,g,h,i",
        "aaaaaaaaaaaaaaaaaaaaaaaaa",
        "a,b,a",
        " a",
        "a ",
        "a, b",
        "a\tb",
        "a\x7F",
        "\xC2\x85",
        "\xC0\x80",
        "\xED\xA0\x80",
        "\xE6\x97",
        "\xFF",
        "a\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (count_of(wrong[i]) != 0)
            fail_msg("row %zu is taken", i);
    assert_int_equal(tags_read("a\0b", 3, (struct tag[TAGS_MAX]){{0}}), 0);
}

/* Against the sentence in the header, and never outside of the text. */
static void any_bytes(void **state)
{
    static const char letters[] = "ab,, \xE6\x97\xA5\n";
    struct test_random random = {test_seed(8)};
    uint32_t taken = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t size = test_random_below(&random, 12), at = 0;
        char *text = malloc(size + 1);
        struct tag tags[TAGS_MAX];
        uint32_t count;

        for (size_t j = 0; j < size; j++)
            text[j] = letters[test_random_below(&random, sizeof letters - 1)];
        count = tags_read(text, size, tags);
        taken += count > 0;
        for (uint32_t t = 0; t < count; t++) {
            assert_ptr_equal(tags[t].bytes, text + at);
            assert_true(tags[t].size > 0 && tags[t].size <= TAG_BYTES_MAX);
            assert_null(memchr(tags[t].bytes, ',', tags[t].size));
            assert_null(memchr(tags[t].bytes, '\n', tags[t].size));
            at += tags[t].size + 1u;
        }
        assert_true(count == 0 || at == size + 1);
        free(text);
    }
    assert_true(taken > 1000);
}

static void a_line_is_longer_and_has_commas(void **state)
{
    char text[65];

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(tags_is_line(text, 64));
    assert_false(tags_is_line(text, 65));
    assert_false(tags_is_line(text, 0));
    assert_true(tags_is_line("a, b", 4));
    assert_false(tags_is_line("a\n", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_between_commas),
        cmocka_unit_test(refuses),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(a_line_is_longer_and_has_commas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
