/* Codes of regions: what is one, and that number and text are the same thing. */
#include "support.h"

#include <string.h>

#include "schema/region.h"

static bool reads(const char *text, const char *as)
{
    char back[REGION_SIZE_MAX];
    uint64_t region = 7;

    if (!region_read(text, strlen(text), &region))
        return false;
    assert_true(region_is_whole(region));
    assert_int_equal(region_write(region, back), strlen(as));
    assert_memory_equal(back, as, strlen(as));
    return true;
}

static void is_what_it_says(void **state)
{
    static const char *const bad[] = {"",    "e",   "abcdefghi", "1a",           "-eu",
                                      "eu-", "e u", "e_u",       "\xE6\x97\xA5", "eu\n",
                                      "@@",  "a`",  "eu-west-1"};

    (void)state;
    assert_true(reads("cn", "cn"));
    assert_true(reads("CN-Gd", "cn-gd"));
    assert_true(reads("z9-8az-0", "z9-8az-0"));
    assert_true(reads("abcdefgh", "abcdefgh"));
    assert_true(reads("none", ""));
    assert_true(reads("NONE", ""));
    assert_true(reads("nonesuch", "nonesuch"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(reads(bad[i], bad[i]));
    uint64_t region;
    assert_false(region_read("a\0b", 3, &region));
}

/* Every number is either refused, or read from the text it writes. */
static void one_number_one_text(void **state)
{
    struct test_random random = {test_seed(31)};
    uint64_t made;
    uint32_t whole = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t region = 0;
        char text[REGION_SIZE_MAX];

        for (uint64_t at = 0, size = test_random_below(&random, 10); at < size; at++)
            region |= test_random_below(&random, i & 1 ? 38 : 64) << (6 * at);
        if (!region_is_whole(region))
            continue;
        whole++;
        assert_true(region == 0 || region_read(text, region_write(region, text), &made));
        assert_true(region == 0 || made == region);
    }
    assert_true(whole > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_it_says),
        cmocka_unit_test(one_number_one_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
