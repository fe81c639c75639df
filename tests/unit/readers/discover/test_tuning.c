/* Weights as a platform sets them: each by name, in its bounds, told by the formula's name. */
#include "support.h"

#include <string.h>

#include "readers/discover/tuning.h"

static void what_is_not_named_stays(void **state)
{
    struct discover_rules rules;
    struct feed_settings feed, plain = feed_settings_default();
    char message[TUNING_MESSAGE];

    (void)state;
    assert_true(tuning_read_heat("default", &rules, message));
    assert_int_equal(tuning_of_heat(&rules), 0);
    assert_true(tuning_read_heat("comment=6, long-view=0.1,half-life-hours=12", &rules, message));
    assert_true(rules.weight[HEAT_COMMENT] == 6 && rules.weight[HEAT_LONG_VIEW] == 0.1);
    assert_true(rules.weight[HEAT_LIKE] == 1 && rules.depth == HEAT_DEPTH);
    assert_int_equal(rules.half_life_us, 12 * 3600000000LL);
    assert_true(tuning_read_feed("author-cap=7,campaigns=0.25", &feed, message));
    assert_int_equal(feed.rule.author_cap, 7);
    assert_true(feed.rule.campaign_share == 0.25 && feed.prior == plain.prior);
    assert_int_equal(feed.rule.streak, plain.rule.streak);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *told;
    } heat[] = {{"", "of like, favorite"},
                {"smile=1", "of like, favorite"},
                {"like", "of like, favorite"},
                {"likes=1", "of like, favorite"},
                {"like=1,", "of like, favorite"},
                {"comment=-1", "comment=NUMBER from 0 to 100"},
                {"comment=1e2", "comment=NUMBER from 0 to 100"},
                {"comment=inf", "comment=NUMBER from 0 to 100"},
                {"comment=1.2.3", "comment=NUMBER from 0 to 100"},
                {"comment=", "comment=NUMBER from 0 to 100"},
                {"comment=100.01", "comment=NUMBER from 0 to 100"},
                {"like=2,depth=0.9", "depth=NUMBER from 1 to 10"},
                {"half-life-hours=0", "half-life-hours=NUMBER from 1"}},
      feed[] = {{"author-cap=0", "author-cap=NUMBER from 1 to 100, a whole one"},
                {"author-cap=2.5", "a whole one"},
                {"author-decay=1.1", "author-decay=NUMBER from 0 to 1"},
                {"pool=0.5,newcomers=0.4,campaigns=0.2", "together at most 1"}};
    struct discover_rules rules, before;
    struct feed_settings settings;
    char message[TUNING_MESSAGE];

    (void)state;
    memset(&rules, 7, sizeof rules);
    before = rules;
    for (size_t i = 0; i < sizeof heat / sizeof heat[0]; i++) {
        assert_false(tuning_read_heat(heat[i].text, &rules, message));
        if (strstr(message, heat[i].told) == NULL)
            fail_msg("'%s': %s", heat[i].text, message);
        assert_memory_equal(&rules, &before, sizeof rules);
    }
    for (size_t i = 0; i < sizeof feed / sizeof feed[0]; i++) {
        assert_false(tuning_read_feed(feed[i].text, &settings, message));
        if (strstr(message, feed[i].told) == NULL)
            fail_msg("'%s': %s", feed[i].text, message);
    }
}

/* The name of a formula stands for its weights: other ones, another name; the same, the same. */
static void the_name_tells_the_weights(void **state)
{
    static const char *const texts[] = {"comment=6", "comment=5", "favorite=6", "depth=2",
                                        "half-life-hours=23"};
    struct discover_rules rules, again;
    struct feed_settings feed;
    uint32_t seen[8];
    char message[TUNING_MESSAGE], text[TUNING_FORMULA];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(tuning_read_heat(texts[i], &rules, message));
        seen[i] = tuning_of_heat(&rules);
        assert_int_not_equal(seen[i], 0);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
    }
    assert_true(tuning_read_heat("like=1,half-life-hours=23,comment=4", &again, message));
    assert_int_equal(tuning_of_heat(&again), seen[4]); /* however it was written */
    assert_true(tuning_read_feed("streak=11", &feed, message));
    assert_int_not_equal(tuning_of_feed(&feed), 0);
    tuning_formula("heat-1", 0, text);
    assert_string_equal(text, "heat-1");
    tuning_formula("heat-1", 0x1a2b, text);
    assert_string_equal(text, "heat-1+00001a2b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_named_stays),
        cmocka_unit_test(what_cannot_be_is_refused_by_name),
        cmocka_unit_test(the_name_tells_the_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
