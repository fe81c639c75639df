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

static void a_rule_begins_with_a_preset(void **state)
{
    static const struct {
        const char *text, *told;
    } wrong[] = {{"", "off, default, likes or douyin"},
                 {"defaults", "off, default, likes or douyin"},
                 {"first=20", "off, default, likes or douyin"},
                 {"default,", "of first, floor"},
                 {"default,size=2", "of first, floor"},
                 {"default,alpha=0.6", "alpha=NUMBER from 1e-06 to 0.5"},
                 {"default,floor=9", "floor at most first"},
                 {"default,first=41", "the end of the first stage (40)"},
                 {"default,ladder=", "ladder=N/N/"},
                 {"default,ladder=100/100", "ladder=N/N/"},
                 {"default,ladder=100/", "ladder=N/N/"},
                 {"default,ladder=1.5", "ladder=N/N/"},
                 {"default,ladder=100/200000000", "ladder=N/N/"},
                 {"default,ladder=10/20/30/40/50/60/70/80/90/100/110/120", "1 to 11 whole"}};
    const struct pool_rule *ours = pool_rule_of("default");
    struct pool_rule rule, other;
    char message[TUNING_MESSAGE];

    (void)state;
    assert_true(tuning_read_pool("douyin", &rule, message));
    assert_true(rule.literal && rule.literal_rate == 0.03);
    assert_int_equal(tuning_of_pool(&rule), 0);
    assert_true(
        tuning_read_pool("default, first=20,ladder=100/1000/20000,stop-hours=48", &rule, message));
    assert_int_equal(rule.stages, 4);
    assert_true(rule.first == 20 && rule.stage_end[0] == 100 && rule.stage_end[2] == 20000);
    assert_true(rule.stage_end[3] == 1e9 && rule.stop_us == 48 * 3600000000LL);
    assert_true(rule.alpha == ours->alpha && rule.worth[POOL_LONG] == 1);
    assert_int_not_equal(tuning_of_pool(&rule), 0);
    assert_true(
        tuning_read_pool("default,first=20,ladder=100/1000/20001,stop-hours=48", &other, message));
    assert_int_not_equal(tuning_of_pool(&rule), tuning_of_pool(&other));
    assert_true(tuning_read_pool("default,first=8", &other, message));
    assert_int_equal(tuning_of_pool(&other), 0); /* as it is anyway */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(tuning_read_pool(wrong[i].text, &rule, message));
        if (strstr(message, wrong[i].told) == NULL)
            fail_msg("'%s': %s", wrong[i].text, message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_named_stays),
        cmocka_unit_test(what_cannot_be_is_refused_by_name),
        cmocka_unit_test(the_name_tells_the_weights),
        cmocka_unit_test(a_rule_begins_with_a_preset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
