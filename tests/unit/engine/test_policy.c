/* Rules at work: staircases of every action, the presets number by number, clocks, what is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/policy_change.h"
#include "engine/policy_parse.h"
#include "support.h"

#define HEAD   "policy p version 3\n"
#define SECOND 1000000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  (1700000000LL * SECOND)

enum { REGION = 1 << 20 };

static struct policy policy;
static struct policy_verdict verdict;
static _Alignas(64) uint8_t region[REGION], copy[REGION];
static struct policy_table *const state = (struct policy_table *)region;
static int64_t now_us;

static void load(const char *text, size_t size)
{
    struct policy_problem problem;

    if (!policy_parse(text, size, &policy, &problem))
        fail_msg("%u:%u: %s", problem.line, problem.column, problem.text);
}

static void begin_with(size_t bytes)
{
    memset(region, 0, sizeof region);
    assert_int_equal(policy_open(region, bytes, NULL), POLICY_OPENED_NEW);
    now_us = START;
}

static void begin(const char *rules)
{
    char text[4096];

    snprintf(text, sizeof text, HEAD "%s", rules);
    load(text, strlen(text));
    begin_with(sizeof region);
}

static bool begin_preset(const char *name)
{
    static char text[POLICY_TEXT_MAX];
    const char *source = getenv("ZAN_SOURCE");
    char path[512];
    size_t size;
    FILE *file;

    if (source == NULL)
        return false;
    snprintf(path, sizeof path, "%s/policies/%s.policy", source, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(text, 1, sizeof text, file);
    fclose(file);
    load(text, size);
    assert_string_equal(policy.name, name);
    begin_with(sizeof region);
    return true;
}

#define PRESET(name)                                                                               \
    if (!begin_preset(name))                                                                       \
    skip()

static struct act act_of(uint8_t verb, uint64_t account, uint64_t target)
{
    return (struct act){.now_us = now_us,
                        .account = account,
                        .target = target,
                        .creator = 77,
                        .has_creator = 1,
                        .account_first_us = START - 400 * DAY,
                        .verb = verb,
                        .given_likes = 50};
}

/* Judges, and carries out what is not refused. */
static void run(const struct act *act)
{
    policy_judge(&policy, state, act, &verdict);
    if (!verdict.refused)
        policy_observe(&policy, state, act);
}

static void do_it(uint8_t verb, uint64_t account, uint64_t target)
{
    struct act act = act_of(verb, account, target);

    run(&act);
}

static bool follows(enum policy_action action)
{
    bool does = (verdict.actions >> action & 1) != 0;

    if (action != POLICY_WEIGHT)
        assert_int_equal(does, verdict.rule[action] != POLICY_NONE);
    return does;
}

static const char *rule_of(enum policy_action action)
{
    return verdict.rule[action] == POLICY_NONE ? "" : policy.rules[verdict.rule[action]].name;
}

static void nothing_taken(void)
{
    assert_int_equal(verdict.points, 0);
    assert_false(verdict.actions >> POLICY_POINTS & 1);
    assert_int_equal(verdict.rule[POLICY_POINTS], POLICY_NONE);
}

static void nothing_follows(void)
{
    assert_int_equal(verdict.actions, 0);
    assert_int_equal(verdict.proposed, 0);
    assert_int_equal(verdict.refused, 0);
    assert_int_equal(verdict.weight_pct, 100);
    assert_int_equal(verdict.account_weight_pct, 100);
    assert_int_equal(verdict.points, 0);
    for (int i = 0; i < POLICY_ACTION_COUNT; i++) {
        assert_int_equal(verdict.rule[i], POLICY_NONE);
        assert_int_equal(verdict.until_us[i], 0);
    }
}

/* --- actions, one after the other ---------------------------------------------------------------
 */

static void each_action_has_its_step(void **unused)
{
    (void)unused;
    begin("rule a when count(unlike, account, 1h) > 1 then alert\n"
          "rule b when count(unlike, account, 1h) > 2 then confirm\n"
          "rule c when count(unlike, account, 1h) > 3 then review\n"
          "rule d when count(unlike, account, 1h) > 4 then hold\n"
          "rule e when count(unlike, account, 1h) > 5 then weight 60\n"
          "rule f when count(unlike, account, 1h) > 6 then weight 30\n"
          "rule g when count(unlike, account, 1h) > 7 then weight 40 for 2d\n"
          "rule h when count(unlike, account, 1h) > 8 then points -7 once per 1d\n"
          "rule i when count(unlike, account, 1h) > 9 then like-ban for 48h\n"
          "rule j when count(unlike, account, 1h) > 10 then refuse\n"
          "rule k when count(unlike, account, 1h) > 10 then limit for 7d\n");
    for (uint64_t i = 1; i <= 11; i++) {
        now_us += SECOND;
        do_it(VERB_UNLIKE, 1, 100 + i);
        assert_int_equal(follows(POLICY_ALERT), i > 1);
        assert_int_equal(follows(POLICY_CONFIRM), i > 2);
        assert_int_equal(follows(POLICY_REVIEW), i > 3);
        assert_int_equal(follows(POLICY_HOLD), i > 4);
        assert_int_equal(verdict.weight_pct, i > 6 ? 30 : i > 5 ? 60 : 100);
        assert_string_equal(rule_of(POLICY_WEIGHT), i > 6 ? "f" : i > 5 ? "e" : "");
        assert_int_equal(verdict.account_weight_pct, i > 7 ? 40 : 100);
        assert_int_equal(verdict.until_us[POLICY_WEIGHT], i > 7 ? now_us + 2 * DAY : 0);
        if (i > 7)
            assert_string_equal(policy.rules[verdict.account_weight_rule].name, "g");
        assert_int_equal(verdict.points, i == 9 ? 7 : 0); /* once, and not with a refused act */
        assert_int_equal(verdict.until_us[POLICY_LIKE_BAN], i > 9 ? now_us + 48 * HOUR : 0);
        assert_int_equal(verdict.refused, i > 10);
        assert_int_equal(verdict.until_us[POLICY_LIMIT], i > 10 ? now_us + 7 * DAY : 0);
        assert_int_equal(verdict.fired_count, i == 1 ? 0 : i < 10 ? i - 1 : i == 10 ? 8 : 10);
    }
    /* What was refused was not counted: the first to leave makes room for one. */
    assert_true(verdict.retry_us > now_us && verdict.retry_us <= START + SECOND + HOUR);
    now_us = verdict.retry_us;
    do_it(VERB_UNLIKE, 1, 200);
    assert_int_equal(verdict.refused, 0);
    do_it(VERB_UNLIKE, 1, 201);
    assert_int_equal(verdict.refused, 1);
    /* Nobody else has anything to do with it. */
    do_it(VERB_UNLIKE, 2, 201);
    nothing_follows();
    do_it(VERB_LIKE, 1, 201);
    nothing_follows();
}

static void no_points_are_taken_for_what_was_refused(void **unused)
{
    (void)unused;
    begin("rule a when count(unlike, account, 1h) > 1 then points -5 once per 1d\n"
          "rule b on unlike when flips > 2 then refuse\n");
    for (uint16_t flips = 0; flips < 6; flips += 2) {
        struct act act = act_of(VERB_UNLIKE, 1, 5);

        act.flips = (uint16_t)(4 - flips); /* refused, refused, carried out */
        run(&act);
        assert_int_equal(verdict.refused, flips < 4);
        nothing_taken();
    }
    do_it(VERB_UNLIKE, 1, 5);
    assert_int_equal(verdict.points, 5);
    begin("rule a when count(unlike, account, 1h) > 1 then refuse, points -5 once per 1d\n");
    for (int i = 0; i < 4; i++) {
        do_it(VERB_UNLIKE, 1, 5);
        assert_int_equal(verdict.refused, i > 0);
        nothing_taken();
    }
}

static void a_like_ban_refuses_likes_only(void **unused)
{
    (void)unused;
    begin("rule a on like, share when count(share, account, 1h) > 2 then like-ban for 1h\n");
    for (int i = 0; i < 3; i++)
        do_it(VERB_SHARE, 1, 5);
    assert_true(follows(POLICY_LIKE_BAN));
    assert_int_equal(verdict.refused, 0);
    do_it(VERB_LIKE, 1, 5); /* three shares are more than two whatever comes now */
    assert_true(follows(POLICY_LIKE_BAN));
    assert_int_equal(verdict.refused, 1);
}

static void the_strongest_of_a_kind_is_told(void **unused)
{
    (void)unused;
    begin("rule a when count(like, account, 1h) > 1 then limit for 1h\n"
          "rule b when count(like, account, 1h) > 1 then limit for 3h\n"
          "rule c when count(like, account, 1h) > 1 then limit for 2h\n"
          "rule d when count(like, account, 1h) > 1 then weight 50 for 1h\n"
          "rule e when count(like, account, 1h) > 1 then weight 20 for 1h\n"
          "rule f when count(like, account, 1h) > 1 then weight 20 for 2h\n"
          "rule g when count(like, account, 1h) > 1 then review\n"
          "rule h when count(like, account, 1h) > 1 then review proposing limit for 3d\n"
          "rule i when count(like, account, 1h) > 1 then review proposing weight 1 for 3d\n");
    do_it(VERB_LIKE, 1, 5);
    nothing_follows();
    do_it(VERB_LIKE, 1, 6);
    assert_string_equal(rule_of(POLICY_LIMIT), "b");
    assert_int_equal(verdict.until_us[POLICY_LIMIT], now_us + 3 * HOUR);
    assert_int_equal(verdict.account_weight_pct, 20);
    assert_string_equal(policy.rules[verdict.account_weight_rule].name, "f");
    assert_int_equal(verdict.weight_pct, 100);
    assert_string_equal(rule_of(POLICY_REVIEW), "h"); /* the first that proposes something */
    assert_int_equal(verdict.proposed, 1 << POLICY_LIMIT);
    assert_int_equal(verdict.fired_count, 9);
}

static void a_proposal_is_no_act(void **unused)
{
    (void)unused;
    begin("rule a when count(like, account, 1h) > 1 then review proposing limit for 3d, like-ban "
          "for 1d,"
          " weight 5 for 1d\n");
    do_it(VERB_LIKE, 1, 5);
    do_it(VERB_LIKE, 1, 6);
    assert_int_equal(verdict.actions, 1 << POLICY_REVIEW);
    assert_int_equal(verdict.proposed,
                     1 << POLICY_LIMIT | 1 << POLICY_LIKE_BAN | 1 << POLICY_WEIGHT);
    assert_int_equal(verdict.refused, 0);
    assert_int_equal(verdict.account_weight_pct, 100);
}

static void allow_ends_the_asking(void **unused)
{
    (void)unused;
    begin("rule a when count(like, account, 1h) > 2 then alert\n"
          "rule b on like for tier verified then allow\n"
          "rule c when count(like, account, 1h) > 2 then refuse\n");
    for (int i = 0; i < 5; i++) {
        struct act act = act_of(VERB_LIKE, 1, 5);

        act.tier = TIER_VERIFIED;
        run(&act);
        assert_int_equal(verdict.refused, 0);
        assert_true(follows(POLICY_ALLOW));
        assert_int_equal(follows(POLICY_ALERT), i >= 2); /* stands above */
    }
    do_it(VERB_LIKE, 1, 5);
    assert_int_equal(verdict.refused, 1);
    assert_false(follows(POLICY_ALLOW));
}

static void shadow_tells_and_does_nothing(void **unused)
{
    (void)unused;
    begin("rule a shadow on like then allow\n"
          "rule b shadow when count(like, account, 1h) > 1 then limit for 1h, weight 1, review\n"
          "rule c when count(like, account, 1h) > 2 then alert\n");
    for (int i = 0; i < 3; i++)
        do_it(VERB_LIKE, 1, 5);
    assert_int_equal(verdict.actions, 1 << POLICY_ALERT);
    assert_int_equal(verdict.refused, 0);
    assert_int_equal(verdict.weight_pct, 100);
    assert_true(verdict.shadow[0] == 3 && verdict.fired[0] == 4);
    assert_int_equal(verdict.hit_count, 3);
    assert_int_equal(verdict.hits[1].rule, 1);
    assert_int_equal(verdict.hits[1].shadow, 1);
    assert_int_equal(verdict.hits[1].value[0], 3);
    assert_int_equal(verdict.hits[2].shadow, 0);
}

static void tiers_have_their_own_rules(void **unused)
{
    struct act act;

    (void)unused;
    begin("rule a for tier ordinary when count(like, account, 1h) > 1 then refuse\n"
          "rule b for tier verified, elder when count(like, account, 1h) > 3 then refuse\n");
    for (int tier = 0; tier < TIER_COUNT; tier++)
        for (int i = 1; i <= 5; i++) {
            act = act_of(VERB_LIKE, (uint64_t)tier, 5);
            act.tier = (uint8_t)tier;
            run(&act);
            assert_int_equal(verdict.refused, i > (tier == TIER_ORDINARY ? 1 : 3));
        }
}

/* 0: none was said; 899 is cn, 902 fn, 1351 gu. */
static void regions_have_their_own_rules(void **unused)
{
    static const uint64_t regions[] = {0, 899, 902, 1351};
    struct act act;

    (void)unused;
    begin(
        "rule a for region cn when count(like, account, 1h) > 1 then refuse\n"
        "rule b for region fn, cn for tier ordinary when count(like, account, 1h) > 3 then alert\n"
        "rule c when count(like, account, 1h) > 4 then hold\n");
    for (int r = 0; r < 4; r++)
        for (int tier = 0; tier < TIER_COUNT; tier++)
            for (int i = 1; i <= 5; i++) {
                bool cn = r == 1;

                act = act_of(VERB_LIKE, (uint64_t)(4 * tier + r), 5);
                act.tier = (uint8_t)tier;
                act.region = regions[r];
                policy_judge(&policy, state, &act, &verdict);
                policy_observe(&policy, state, &act);
                assert_int_equal(verdict.refused, cn && i > 1);
                assert_int_equal(follows(POLICY_ALERT),
                                 (cn || r == 2) && tier == TIER_ORDINARY && i > 3);
                assert_int_equal(follows(POLICY_HOLD), i > 4);
            }
}

/* The same regions in another order are the same rule. */
static void a_rule_changes_with_its_regions(void **unused)
{
    static const char *const others[] = {"cn, fn", "fn, cn", "cn", "cn, fn, gu"};
    static struct policy first;

    (void)unused;
    begin("rule a for region cn, fn on like then alert\n");
    first = policy;
    for (int i = 0; i < 4; i++) {
        char text[128];

        snprintf(text, sizeof text, "rule z for region gu on like then alert\n"
                                    "rule a for region %s on like then alert\n", others[i]);
        begin(text);
        assert_int_equal(policy_rule_change(&policy, &policy.rules[1], &first),
                         i < 2 ? RULES_SAME : RULES_CHANGED);
        assert_int_equal(policy_rule_change(&first, &first.rules[0], &policy),
                         i < 2 ? RULES_SAME : RULES_CHANGED);
    }
}

static void an_exempt_act_meets_no_rule_and_is_not_counted(void **unused)
{
    struct act act;

    (void)unused;
    begin("rule a when count(unlike, account, 1h) > 2 then review\n");
    for (int i = 0; i < 9; i++) { /* undone: not one of them counts */
        act = act_of(VERB_UNLIKE, 1, 5);
        act.exempt = 1;
        run(&act);
        nothing_follows();
        assert_int_equal(verdict.fired_count, 0);
    }
    do_it(VERB_UNLIKE, 1, 5);
    do_it(VERB_UNLIKE, 1, 6);
    nothing_follows();
    do_it(VERB_UNLIKE, 1, 7);
    assert_true(follows(POLICY_REVIEW));
    act = act_of(VERB_UNLIKE, 1, 8);
    act.exempt = 1;
    run(&act);
    nothing_follows();
}

static void once_per_time_and_subject(void **unused)
{
    int64_t first;

    (void)unused;
    begin("rule a when count(unlike, account, 365d) > 2 then review once per 7d\n"
          "rule b when count(unlike, item, 1h) > 2 then alert once per 1h\n");
    for (int i = 0; i < 2; i++)
        do_it(VERB_UNLIKE, 1, 5);
    nothing_follows();
    now_us += SECOND;
    do_it(VERB_UNLIKE, 1, 5);
    assert_true(follows(POLICY_REVIEW) && follows(POLICY_ALERT));
    first = now_us;
    for (int i = 0; i < 5; i++) {
        now_us += MINUTE;
        do_it(VERB_UNLIKE, 1, 5);
        nothing_follows();
    }
    do_it(VERB_UNLIKE, 2, 5); /* the item's alert was told, whoever acts */
    nothing_follows();
    do_it(VERB_UNLIKE, 1, 6); /* the account's review too, whatever the item */
    nothing_follows();
    now_us = first + 7 * DAY - HOUR;
    do_it(VERB_UNLIKE, 1, 5);
    nothing_follows();
    now_us = first + 7 * DAY;
    do_it(VERB_UNLIKE, 1, 5);
    assert_true(follows(POLICY_REVIEW));
    assert_false(follows(POLICY_ALERT));
}

/* --- conditions ----------------------------------------------------------------------------------
 */

static void what_the_rows_know(void **unused)
{
    struct act act;

    (void)unused;
    begin("rule flips on like, unlike when flips > 4 then alert\n"
          "rule takebacks on like, unlike when takebacks >= 3 then confirm\n"
          "rule young on like when age < 1d then hold\n"
          "rule hasty on unlike when edge-age < 10s then review\n"
          "rule given on like when given = 10 then weight 9\n"
          "rule likes on like when likes >= 1000 then weight 8\n");
    act = act_of(VERB_LIKE, 1, 5);
    for (uint16_t flips = 0; flips < 9; flips++) { /* this act is one more */
        act.verb = flips % 2 ? VERB_UNLIKE : VERB_LIKE;
        act.flips = flips;
        run(&act);
        assert_int_equal(follows(POLICY_ALERT), flips >= 4);
        assert_int_equal(follows(POLICY_CONFIRM), flips >= 5); /* off for the third time */
    }
    act = act_of(VERB_LIKE, 1, 5);
    act.account_first_us = now_us - DAY + 1;
    run(&act);
    assert_true(follows(POLICY_HOLD));
    act.account_first_us = now_us - DAY;
    run(&act);
    assert_false(follows(POLICY_HOLD));
    act.account_first_us = now_us + DAY; /* nobody is younger than new */
    run(&act);
    assert_true(follows(POLICY_HOLD));
    act = act_of(VERB_UNLIKE, 1, 5);
    run(&act);
    assert_false(follows(POLICY_REVIEW)); /* never set: no answer */
    act.edge_us = now_us - 10 * SECOND + 1;
    run(&act);
    assert_true(follows(POLICY_REVIEW));
    act.edge_us = now_us - 10 * SECOND;
    run(&act);
    assert_false(follows(POLICY_REVIEW));
    act = act_of(VERB_LIKE, 1, 5);
    act.given_likes = 9;
    run(&act);
    assert_int_equal(verdict.weight_pct, 9);
    act.target_likes = 1000;
    run(&act);
    assert_int_equal(verdict.weight_pct, 8);
}

static void shares_and_ratios_want_a_sample(void **unused)
{
    struct act act = act_of(VERB_UNLIKE, 1, 5);

    (void)unused;
    begin("rule share when share(unlike, like, account, minimum 20) > 25% then alert\n"
          "rule ratio when ratio(unlike, like, account, 30d, minimum 20) >= 25% then confirm\n");
    act.now_us = now_us;
    act.given_likes = 14; /* 14 on, 5 off: 19 ever */
    act.taken_back = 5;
    run(&act);
    assert_false(follows(POLICY_ALERT));
    act.given_likes = 15; /* 6 of 20 */
    run(&act);
    assert_true(follows(POLICY_ALERT));
    assert_int_equal(verdict.hits[0].value[0], 6);
    assert_int_equal(verdict.hits[0].base[0], 20);
    act.given_likes = 19; /* 6 of 24: 25 %, not more */
    run(&act);
    assert_false(follows(POLICY_ALERT));
    begin("rule ratio when ratio(unlike, like, account, 30d, minimum 20) >= 25% then confirm\n");
    for (uint64_t i = 0; i < 19; i++)
        do_it(VERB_LIKE, 1, i);
    for (uint64_t i = 0; i < 5; i++) {
        do_it(VERB_UNLIKE, 1, i);
        nothing_follows(); /* 5 of 19 is 26 %, of too few */
    }
    do_it(VERB_LIKE, 1, 19);
    nothing_follows();
    do_it(VERB_UNLIKE, 1, 6);
    assert_true(follows(POLICY_CONFIRM));
    assert_int_equal(verdict.hits[0].value[0], 6);
    assert_int_equal(verdict.hits[0].base[0], 20);
}

static void what_is_not_given_meets_no_condition(void **unused)
{
    struct act act;

    (void)unused;
    begin("rule a when count(like, device, 1h) > 2 then alert\n"
          "rule b when count(like, network, 1h) < 100 then confirm\n"
          "rule c when count(like, campaign, 1h) >= 0 then review\n"
          "rule d when count(like, creator, 1h) > 0 then hold\n"
          "rule e when distinct(address, like, account, 1h) >= 2 then weight 1\n");
    for (int i = 0; i < 5; i++) {
        act = act_of(VERB_LIKE, 1, 5);
        act.has_creator = 0;
        run(&act);
        nothing_follows();
    }
    for (int i = 0; i < 3; i++) {
        act = act_of(VERB_LIKE, 1, 5);
        act.device = act.network = act.campaign = 9;
        act.address = 5;
        run(&act);
        assert_int_equal(follows(POLICY_ALERT), i == 2);
        assert_true(follows(POLICY_CONFIRM) && follows(POLICY_REVIEW) && follows(POLICY_HOLD));
        assert_int_equal(verdict.weight_pct, 100); /* one address */
    }
}

static void scopes_and_tenants_are_apart(void **unused)
{
    struct act act;

    (void)unused;
    begin("rule account when count(like, account, 1h) > 1 then alert\n"
          "rule pair when count(like, pair, 1h) > 1 then confirm\n"
          "rule item when count(like, item, 1h) > 1 then review\n"
          "rule creator when count(follow, creator, 1h) > 1 then hold\n");
    do_it(VERB_LIKE, 5, 5);
    nothing_follows();
    do_it(VERB_LIKE, 5, 6);
    assert_int_equal(verdict.actions, 1 << POLICY_ALERT);
    do_it(VERB_LIKE, 6, 5);
    assert_int_equal(verdict.actions, 1 << POLICY_REVIEW);
    do_it(VERB_LIKE, 5, 5);
    assert_int_equal(verdict.actions, 1 << POLICY_ALERT | 1 << POLICY_CONFIRM | 1 << POLICY_REVIEW);
    act = act_of(VERB_LIKE, 5, 5);
    act.tenant = 1;
    run(&act);
    nothing_follows();
    act = act_of(VERB_FOLLOW, 5, 5); /* who is followed is the creator */
    act.has_creator = 0;
    run(&act);
    nothing_follows();
    act.account = 6;
    run(&act);
    assert_int_equal(verdict.actions, 1 << POLICY_HOLD);
}

static void judging_changes_nothing(void **unused)
{
    struct act act = act_of(VERB_LIKE, 1, 5);

    (void)unused;
    begin("rule a when count(like, account, 1h) > 1 then alert once per 1h\n");
    act.now_us = now_us;
    memcpy(copy, region, sizeof region);
    for (int i = 0; i < 9; i++) {
        policy_judge(&policy, state, &act, &verdict);
        nothing_follows();
        policy_prefetch(&policy, state, &act);
        policy_prefetch_windows(&policy, state, &act);
    }
    assert_memory_equal(copy, region, sizeof region);
}

/* --- the presets, number by number ---------------------------------------------------------------
 */

static void preset_channels(void **unused)
{
    struct act act;

    (void)unused;
    PRESET("channels");
    for (uint64_t i = 1; i <= 6; i++) { /* over 5 in 24 h: review, which may limit for 7 days */
        now_us += HOUR;
        do_it(VERB_UNLIKE, 1, i);
        assert_int_equal(follows(POLICY_REVIEW), i == 6);
        assert_int_equal(verdict.refused, 0);
    }
    assert_int_equal(verdict.actions, 1 << POLICY_REVIEW);
    assert_int_equal(verdict.proposed, 1 << POLICY_LIMIT | 1 << POLICY_WEIGHT);
    {
        const struct policy_rule *rule = &policy.rules[verdict.rule[POLICY_REVIEW]];

        assert_int_equal(rule->deeds[1].action, POLICY_LIMIT);
        assert_int_equal(rule->deeds[1].for_us, 7 * DAY);
        assert_int_equal(rule->deeds[2].percent, 50);
        assert_int_equal(rule->deeds[2].for_us, 7 * DAY);
    }
    now_us += HOUR;
    do_it(VERB_UNLIKE, 1, 7);
    assert_int_equal(verdict.actions, 0); /* one case is enough */
    for (uint64_t i = 1; i <= 20; i++) {  /* five a day for ever are fine */
        now_us += 5 * HOUR;
        do_it(VERB_UNLIKE, 2, i);
        nothing_follows();
    }
    /* over 30 % of the account's likes: less weight */
    act = act_of(VERB_UNLIKE, 3, 1);
    act.given_likes = 15;
    act.taken_back = 5; /* 6 of 20 with this one: 30 % */
    run(&act);
    assert_int_equal(verdict.account_weight_pct, 100);
    act.taken_back = 6;
    act.given_likes = 14; /* 7 of 20 */
    run(&act);
    assert_int_equal(verdict.account_weight_pct, 50);
    assert_int_equal(verdict.until_us[POLICY_WEIGHT], act.now_us + 7 * DAY);
    act.given_likes = 12; /* 7 of 18: too few */
    run(&act);
    assert_int_equal(verdict.account_weight_pct, 100);
    /* over 15 % of an item's likes of a day: one review, of nobody's restriction */
    for (uint64_t i = 0; i < 130; i++) {
        do_it(VERB_LIKE, 1000 + i, 777);
        nothing_follows();
    }
    for (uint64_t i = 0; i < 40; i++) {
        do_it(VERB_UNLIKE, 1000 + i, 777);
        assert_int_equal(verdict.actions, i == 19 ? 1 << POLICY_REVIEW : 0);
        assert_int_equal(verdict.proposed, 0);
    }
    /* many devices of one network in a burst: alert, and nothing else */
    for (uint64_t i = 1; i <= 6; i++) {
        act = act_of(VERB_UNLIKE, 100 + i, i);
        act.network = 9;
        act.device = i;
        run(&act);
        assert_int_equal(verdict.actions, i == 6 ? 1 << POLICY_ALERT : 0);
    }
    assert_int_equal(policy.notify[POLICY_STRANGER][VERB_UNLIKE], POLICY_SILENT);
    assert_int_equal(policy.notify[POLICY_MUTUAL][VERB_UNLIKE], POLICY_SILENT);
    assert_int_equal(policy.show[POLICY_COMMON][VERB_UNLIKE], POLICY_STATE);
    assert_int_equal(policy.show[POLICY_STRANGER][VERB_UNLIKE], POLICY_HIDDEN);
}

static void preset_douyin(void **unused)
{
    (void)unused;
    PRESET("douyin");
    for (uint64_t i = 1; i <= 51; i++) { /* 50 un-likes a day */
        now_us += MINUTE;
        do_it(VERB_UNLIKE, 1, i);
        assert_int_equal(verdict.refused, i == 51);
    }
    assert_string_equal(rule_of(POLICY_REFUSE), "unlikes-a-day");
    assert_true(verdict.retry_us > START + DAY - MINUTE &&
                verdict.retry_us <= START + DAY + MINUTE);
    now_us = verdict.retry_us;
    do_it(VERB_UNLIKE, 1, 51);
    assert_int_equal(verdict.refused, 0);
    for (uint64_t i = 1; i <= 4; i++) { /* one work more than 3 times: no likes for 48 h */
        now_us += 30 * DAY;
        do_it(VERB_UNLIKE, 2, 9);
        assert_int_equal(follows(POLICY_LIKE_BAN), i == 4);
        assert_int_equal(verdict.refused, 0); /* taking back stays possible */
    }
    assert_int_equal(verdict.until_us[POLICY_LIKE_BAN], now_us + 48 * HOUR);
    do_it(VERB_UNLIKE, 3, 9);
    nothing_follows();
    do_it(VERB_UNLIKE, 2, 10);
    nothing_follows();
}

static void preset_bilibili(void **unused)
{
    struct act act;

    (void)unused;
    PRESET("bilibili");
    for (uint64_t i = 1; i <= 31; i++) { /* 30 a day */
        now_us += MINUTE;
        do_it(VERB_UNLIKE, 1, i);
        assert_int_equal(verdict.refused, i == 31);
    }
    act = act_of(VERB_UNLIKE, 2, 1); /* over 20 %: points, once in 30 days */
    act.given_likes = 17;
    act.taken_back = 3; /* 4 of 20 */
    run(&act);
    nothing_follows();
    act.given_likes = 16;
    act.taken_back = 4; /* 5 of 20 */
    run(&act);
    assert_int_equal(verdict.actions, 1 << POLICY_POINTS);
    assert_int_equal(verdict.points, 10);
    for (int i = 0; i < 3; i++) {
        act.now_us = now_us += 9 * DAY;
        run(&act);
        nothing_follows();
    }
    act.now_us = now_us += 4 * DAY;
    run(&act);
    assert_int_equal(verdict.points, 10);
}

static void preset_kuaishou(void **unused)
{
    (void)unused;
    PRESET("kuaishou");
    for (uint64_t i = 1; i <= 101; i++) {
        now_us += MINUTE;
        do_it(VERB_UNLIKE, 1, i);
        assert_int_equal(follows(POLICY_REVIEW), i == 101);
        assert_int_equal(verdict.refused, 0);
    }
    for (uint64_t i = 1; i <= 6; i++) {
        now_us += DAY;
        do_it(VERB_UNLIKE, 2, 9);
        assert_int_equal(follows(POLICY_CONFIRM), i == 6);
    }
    for (uint64_t i = 1; i <= 30; i++)
        do_it(VERB_LIKE, 3, i);
    for (uint64_t i = 1; i <= 16; i++) {
        do_it(VERB_UNLIKE, 3, i);
        assert_int_equal(verdict.account_weight_pct, i == 16 ? 70 : 100);
    }
    assert_int_equal(policy.notify[POLICY_MUTUAL][VERB_UNLIKE], POLICY_DIGEST);
    assert_int_equal(policy.notify[POLICY_ITEM_CREATOR][VERB_UNLIKE], POLICY_SILENT);
    assert_int_equal(policy.show[POLICY_MUTUAL][VERB_UNLIKE], POLICY_TRACE);
    assert_int_equal(policy.show[POLICY_STRANGER][VERB_UNLIKE], POLICY_HIDDEN);
}

static void preset_weibo(void **unused)
{
    (void)unused;
    PRESET("weibo");
    assert_int_equal(policy.notify[POLICY_ITEM_CREATOR][VERB_UNLIKE], POLICY_EXPLICIT);
    assert_int_equal(policy.notify[POLICY_MUTUAL][VERB_UNLIKE], POLICY_EXPLICIT);
    assert_int_equal(policy.notify[POLICY_STRANGER][VERB_UNLIKE], POLICY_SILENT);
    assert_int_equal(policy.show[POLICY_STRANGER][VERB_UNLIKE], POLICY_TRACE);
    for (uint64_t i = 1; i <= 101; i++) {
        now_us += MINUTE;
        do_it(VERB_UNLIKE, 1, i);
        assert_int_equal(follows(POLICY_REVIEW), i == 101);
    }
}

/* Every number of the default: the last act that passes and the first that does not. */
/* The example of regions: 899 is cn, 4 | 5 << 6 is de. */
static void example_regions(void **unused)
{
    struct act act;

    (void)unused;
    PRESET("regions");
    assert_int_equal(policy.region_count, 2);
    for (uint64_t i = 1; i <= 51; i++) {
        act = act_of(VERB_UNLIKE, 1, i);
        act.region = 899;
        run(&act);
        assert_int_equal(verdict.refused, i > 50);
        act.account = 2;
        act.region = 4 | 5 << 6;
        run(&act);
        nothing_follows();
    }
    assert_int_equal(policy_undo_us(&policy, TIER_ELDER, SOURCE_BUTTON, act.region), 300 * SECOND);
    assert_int_equal(
        policy_notify_of(&policy, policy_region(&policy, act.region), POLICY_MUTUAL, VERB_LIKE),
        POLICY_SILENT);
}

static void preset_default(void **unused)
{
    static const struct {
        uint8_t verb;
        uint64_t most;
        int64_t within_us;
    } rates[] = {{VERB_LIKE, 120, MINUTE},  {VERB_UNLIKE, 60, MINUTE}, {VERB_FOLLOW, 200, HOUR},
                 {VERB_COMMENT, 300, HOUR}, {VERB_SHARE, 300, HOUR},   {VERB_FAVORITE, 120, MINUTE},
                 {VERB_REPORT, 100, DAY},   {VERB_LIKE, 5000, DAY}};
    struct act act;

    (void)unused;
    PRESET("default");
    for (unsigned r = 0; r < sizeof rates / sizeof *rates; r++) {
        begin_with(sizeof region);
        for (uint64_t i = 1; i <= rates[r].most + 1; i++) {
            now_us =
                START + (int64_t)i * (rates[r].within_us * 9 / 10) / (int64_t)(rates[r].most + 1);
            do_it(rates[r].verb, 1, i);
            assert_int_equal(verdict.refused, i > rates[r].most);
        }
    }
    begin_with(sizeof region); /* verified: 20,000 a day and any speed */
    for (uint64_t i = 1; i <= 20001; i++) {
        act = act_of(VERB_LIKE, 1, i);
        act.tier = TIER_VERIFIED;
        run(&act);
        assert_int_equal(verdict.refused, i > 20000);
    }
    act = act_of(VERB_LIKE, 2, 5); /* back and forth weighs nothing from the 13th change on */
    act.flips = 11;
    run(&act);
    assert_int_equal(verdict.weight_pct, 100);
    act.flips = 12;
    run(&act);
    assert_int_equal(verdict.weight_pct, 0);
    for (uint64_t i = 1; i <= 301; i++) {
        now_us += 4 * MINUTE;
        do_it(VERB_UNLIKE, 3, i);
        assert_int_equal(verdict.actions, i == 301 ? 1 << POLICY_REVIEW : 0);
    }
    for (uint64_t i = 1; i <= 90;
         i++) { /* a mob reports: reports are held, the item is untouched */
        act = act_of(VERB_REPORT, 1000 + i, 5);
        run(&act);
        assert_int_equal(verdict.refused, 0);
        if (i <= 50)
            nothing_follows();
    }
    assert_true(verdict.actions == 0 || verdict.actions == 1 << POLICY_HOLD);
    assert_int_equal(policy_undo_us(&policy, TIER_ORDINARY, SOURCE_BUTTON, 0), 30 * SECOND);
    assert_int_equal(policy_undo_us(&policy, TIER_ELDER, SOURCE_BUTTON, 0), 120 * SECOND);
    assert_int_equal(policy_undo_us(&policy, TIER_ORDINARY, SOURCE_VOICE, 0), 120 * SECOND);
}

/* A heavy day: eight hours of a like each 12 s, a view each 4 s, comments, follows, clean-ups. */
static void a_heavy_user_never_meets_the_default(void **unused)
{
    struct test_random random = {test_seed(21)};
    struct act act;

    (void)unused;
    PRESET("default");
    for (int day = 0; day < 3; day++, now_us += 16 * HOUR)
        for (int i = 0; i < 8 * 3600 / 4; i++, now_us += 4 * SECOND) {
            uint64_t item = test_random_next(&random);

            do_it(VERB_VIEW, 1, item);
            nothing_follows();
            if (i % 3 == 0)
                do_it(VERB_LIKE, 1, item);
            nothing_follows();
            if (i % 60 == 0)
                do_it(VERB_UNLIKE, 1, item);
            nothing_follows();
            if (i % 50 == 0)
                do_it(VERB_COMMENT, 1, item);
            if (i % 90 == 0)
                do_it(VERB_FOLLOW, 1, item);
            nothing_follows();
            assert_int_equal(verdict.fired_count, 0);
        }
    for (int i = 0; i < 5000; i++) { /* and then takes everything back at once, by the bulk path */
        act = act_of(VERB_UNLIKE, 1, (uint64_t)i);
        act.exempt = 1;
        run(&act);
        nothing_follows();
    }
}

/* --- nobody is restricted for what others do -----------------------------------------------------
 */

static uint16_t restricting(void)
{
    return (uint16_t)(verdict.actions & (1 << POLICY_POINTS | 1 << POLICY_REFUSE |
                                         1 << POLICY_LIMIT | 1 << POLICY_LIKE_BAN)) |
           (uint16_t)((verdict.account_weight_pct < 100) << POLICY_ACTION_COUNT);
}

/* One quiet account; a crowd that does all it can on its item, creator, network and device. The
 * quiet one is judged with the crowd and without it: what restricts it is the same. Returns how
 * often it was. */
static uint32_t sabotage_run(struct test_random *random)
{
    static const uint8_t verbs[] = {VERB_LIKE, VERB_UNLIKE, VERB_REPORT, VERB_SKIP, VERB_SHARE};
    static _Alignas(64) uint8_t alone[1 << 16];
    struct policy_table *table = (struct policy_table *)alone;
    uint64_t acts = 30 + test_random_below(random, 100);
    uint32_t restricted = 0;
    uint16_t with;

    memset(alone, 0, sizeof alone);
    policy_open(alone, sizeof alone, NULL);
    begin_with(1 << 16);
    for (uint64_t i = 0; i < acts; i++) {
        bool quiet = test_random_below(random, 12) == 0;
        struct act act = act_of(verbs[test_random_below(random, 5)],
                                quiet ? 1 : 2 + test_random_below(random, 30), 9);

        now_us += (int64_t)test_random_below(random, 30 * SECOND);
        act.now_us = now_us;
        act.creator = 1; /* the quiet one made it, too */
        act.device = 3 + test_random_below(random, 2);
        act.network = act.address = act.campaign = 4;
        act.flips = (uint16_t)test_random_below(random, 3);
        run(&act);
        if (!quiet)
            continue;
        with = restricting();
        restricted += with != 0;
        policy_judge(&policy, table, &act, &verdict);
        assert_int_equal(with, restricting());
        if (!verdict.refused)
            policy_observe(&policy, table, &act);
    }
    return restricted;
}

/* Every restriction there is, for two or three acts of one's own; and all that others may cause. */
static const char strict[] =
    "rule a when count(unlike, account, 1h) > 1 then weight 50 for 1h\n"
    "rule b when count(like, pair, 1h) >= 3 then refuse\n"
    "rule c when count(report, account, 1h) > 2 then limit for 1h\n"
    "rule d when distinct(device, share, account, 1h) > 1 then like-ban for 1h\n"
    "rule e when count(skip, account, 1h) > 1 then points -1 once per 10m\n"
    "rule f when count(like, item, 1h) > 1 then hold, weight 0, review, alert\n"
    "rule g when count(unlike, creator, 1h) > 1 then hold, weight 0, review, alert\n"
    "rule h when distinct(account, report, network, 1h) > 1 then alert, review, confirm\n"
    "rule i when count(share, campaign, 1h) > 1 then hold, weight 0 once per 5m\n"
    "rule j when count(skip, device, 1h) > 1 then alert, review once per 5m\n";

static void third_parties_restrict_nobody(void **unused)
{
    static const char *const presets[] = {NULL,       "default",  "channels", "douyin",
                                          "bilibili", "kuaishou", "weibo"};
    struct test_random random = {test_seed(22)};
    uint32_t runs = getenv("ZAN_DEEP") != NULL ? 150000 : 1000, restricted = 0;

    (void)unused;
    for (unsigned p = 0; p < sizeof presets / sizeof *presets; p++) {
        if (presets[p] == NULL)
            begin(strict);
        else
            PRESET(presets[p]);
        for (uint32_t i = 0; i < runs; i++)
            restricted += sabotage_run(&random);
    }
    assert_true(restricted > 1000);
}

/* --- clocks --------------------------------------------------------------------------------------
 */

static void no_clock_grants_a_quota(void **unused)
{
    static const int64_t jumps[] = {-SECOND, -HOUR, -3650 * DAY, 0, SECOND};

    (void)unused;
    for (unsigned j = 0; j < sizeof jumps / sizeof *jumps; j++) {
        begin("rule a when count(unlike, account, 24h) > 5 then refuse\n"
              "rule b when count(like, account, 24h) > 100 then refuse\n");
        for (uint64_t i = 1; i <= 5; i++)
            do_it(VERB_UNLIKE, 1, i);
        for (uint64_t i = 1; i <= 100; i++)
            do_it(VERB_LIKE, 1, i);
        assert_int_equal(verdict.refused, 0);
        now_us += jumps[j];
        do_it(VERB_UNLIKE, 1, 6);
        assert_int_equal(verdict.refused, 1);
        do_it(VERB_LIKE, 1, 101);
        assert_int_equal(verdict.refused, 1);
    }
    now_us += 3650 * DAY; /* forward: the windows are empty, as they would be */
    for (uint64_t i = 1; i <= 6; i++) {
        do_it(VERB_UNLIKE, 1, i);
        assert_int_equal(verdict.refused, i == 6);
    }
    now_us -= 3650 * DAY; /* and back: the five of just now still count */
    do_it(VERB_UNLIKE, 1, 7);
    assert_int_equal(verdict.refused, 1);
}

/* --- what is kept --------------------------------------------------------------------------------
 */

static void random_act(struct test_random *random)
{
    struct act act = act_of((uint8_t)test_random_below(random, VERB_SKIP + 1),
                            test_random_below(random, 50), test_random_below(random, 50));

    now_us += (int64_t)test_random_below(random, MINUTE);
    act.device = test_random_below(random, 5);
    act.network = test_random_below(random, 3);
    act.taken_back = test_random_below(random, 60);
    act.exempt = test_random_below(random, 20) == 0;
    act.tier = (uint8_t)test_random_below(random, TIER_COUNT);
    run(&act);
}

static void same_acts_same_bytes(void **unused)
{
    uint64_t seed = test_seed(23);
    struct test_random random = {seed};

    (void)unused;
    PRESET("channels");
    for (int i = 0; i < 20000; i++)
        random_act(&random);
    memcpy(copy, region, sizeof region);
    random.state = seed;
    begin_with(sizeof region);
    for (int i = 0; i < 20000; i++)
        random_act(&random);
    assert_memory_equal(copy, region, sizeof region);
}

static void restored_bytes_go_on(void **unused)
{
    static _Alignas(64) uint8_t second[REGION];
    uint8_t digest[POLICY_TABLE_DIGEST] = {1, 2, 3}, changed[POLICY_TABLE_DIGEST] = {4};
    struct test_random random = {test_seed(24)}, then;
    int64_t then_us;

    (void)unused;
    PRESET("default");
    memset(region, 0, sizeof region);
    assert_int_equal(policy_open(region, sizeof region, digest), POLICY_OPENED_NEW);
    for (int i = 0; i < 5000; i++)
        random_act(&random);
    memcpy(copy, region, sizeof region); /* saved */
    then = random;
    then_us = now_us;
    for (int i = 0; i < 5000; i++)
        random_act(&random);
    memcpy(second, region, sizeof region);
    memcpy(region, copy, sizeof region); /* restored, acts after it replayed */
    assert_int_equal(policy_open(region, sizeof region, digest), POLICY_OPENED_KEPT);
    now_us = then_us;
    for (int i = 0; i < 5000; i++)
        random_act(&then);
    assert_memory_equal(second, region, sizeof region);
    assert_int_equal(policy_open(region, sizeof region, changed), POLICY_OPENED_CHANGED);
    assert_int_equal(policy_open(region, sizeof region, changed), POLICY_OPENED_KEPT);
    memcpy(copy, region, sizeof region);
    assert_int_equal(policy_open(region, sizeof region / 2, digest), POLICY_OPENED_FOREIGN);
    assert_memory_equal(copy, region, sizeof region);
    region[7]++; /* another version */
    assert_int_equal(policy_open(region, sizeof region, digest), POLICY_OPENED_FOREIGN);
}

static void a_changed_policy_keeps_what_is_the_same(void **unused)
{
    static const char next[] = "policy p version 4\n"
                               "rule new when count(unlike, item, 1h) > 3 then alert\n"
                               "rule old when count(unlike, account, 24h) > 7 then review\n";

    (void)unused;
    begin("rule old when count(unlike, account, 24h) > 5 then alert\n");
    for (uint64_t i = 0; i < 7; i++)
        do_it(VERB_UNLIKE, 1, i);
    load(next, strlen(next));
    do_it(VERB_UNLIKE, 1, 8);
    assert_int_equal(verdict.actions, 1 << POLICY_REVIEW); /* the eighth */
}

static void a_full_table_forgets_what_expires_first(void **unused)
{
    uint64_t known = 0;

    (void)unused;
    begin("rule a when count(like, account, 10m) > 2 then alert\n"
          "rule b when count(share, account, 24h) > 2 then alert\n"
          "rule c when count(comment, account, 24h) > 40 then alert\n");
    begin_with(policy_bytes(700));
    for (uint64_t i = 0; i < 300; i++) /* shares of 300 accounts are to be kept */
        for (int k = 0; k < 2; k++)
            do_it(VERB_SHARE, i, 5);
    for (uint64_t i = 0; i < 100000; i++) { /* likes of 100,000 come and go */
        now_us += 10000;
        do_it(VERB_LIKE, 1000 + i, 5);
    }
    assert_true(state->lost_live > 0);
    for (uint64_t i = 0; i < 300; i++) {
        do_it(VERB_SHARE, i, 5);
        known += follows(POLICY_ALERT);
    }
    assert_true(known >= 290);   /* but for sets that had more than seven of them */
    begin_with(policy_bytes(1)); /* one set: wide and small ones push each other out */
    for (uint64_t i = 0; i < 2000; i++) {
        do_it(i % 3 == 0 ? VERB_COMMENT : i % 3 == 1 ? VERB_SHARE : VERB_LIKE, i % 11, 5);
        now_us += SECOND;
    }
    assert_true(state->sets >= 1 && state->made > 100);
}

/* The same acts through a table that never has to forget, and through small ones: losing windows
 * never makes a rule "more than" fire that would not have. */
static void what_is_lost_favours_the_one_who_is_counted(void **unused)
{
    struct test_random random = {test_seed(25)};
    static _Alignas(64) uint8_t small[4096];
    struct policy_table *table = (struct policy_table *)small;
    struct policy_verdict other;
    uint32_t fewer = 0;

    (void)unused;
    begin("rule a when count(unlike, account, 1h) > 5 then alert\n"
          "rule b when count(unlike, account, 24h) > 30 then alert\n"
          "rule c when count(unlike, account, 24h) > 80 then alert\n"
          "rule d when distinct(item, unlike, account, 24h) > 20 then alert\n"
          "rule e when count(unlike, pair, 24h) > 3 then alert\n");
    memset(small, 0, sizeof small);
    policy_open(small, sizeof small, NULL);
    for (int i = 0; i < 30000; i++) {
        struct act act =
            act_of(VERB_UNLIKE, test_random_below(&random, 20), test_random_below(&random, 40));

        now_us += 20 * SECOND;
        act.now_us = now_us;
        run(&act);
        policy_judge(&policy, table, &act, &other);
        policy_observe(&policy, table, &act);
        assert_true((other.fired[0] & ~verdict.fired[0]) == 0);
        fewer += other.fired[0] != verdict.fired[0];
    }
    assert_true(fewer > 0 && table->lost_live > 0);
}

static void any_bytes_are_a_region(void **unused)
{
    struct test_random random = {test_seed(26)};

    (void)unused;
    PRESET("channels");
    for (int round = 0; round < 20; round++) {
        begin_with(policy_bytes(20));
        for (size_t i = sizeof(struct policy_table); i < policy_bytes(20); i++)
            region[i] = (uint8_t)(test_random_next(&random) & (round % 2 ? 0xFF : 0x01));
        for (int i = 0; i < 500; i++)
            random_act(&random);
    }
}

/* --- a naive second reading of whole policies ----------------------------------------------------
 */

enum { TWIN_ACTS = 4000 };

static void the_twin_fires_the_same_rules(void **unused)
{
    static struct act acts[TWIN_ACTS];
    struct test_random random = {test_seed(27)};
    uint32_t fired = 0, twin_fired, at_edge = 0;

    (void)unused;
    begin("rule a when count(unlike, account, 1h) > 5 then alert\n"
          "rule b when count(unlike, pair, 24h) >= 3 then alert\n"
          "rule c when count(like, item, 30m) > 12 then alert\n"
          "rule d when distinct(account, like, network, 1h) > 9 then alert\n"
          "rule e on like when count(unlike, account, 1h) = 2 then alert\n");
    for (int n = 0; n < TWIN_ACTS; n++) {
        uint64_t counts[5] = {0}, inner[5] = {0}, accounts = 0, accounts_inner = 0;
        uint64_t bits = 0, bits_inner = 0;
        struct act *act = &acts[n];

        now_us += (int64_t)test_random_below(&random, 3 * MINUTE);
        *act = act_of(test_random_below(&random, 2) ? VERB_LIKE : VERB_UNLIKE,
                      test_random_below(&random, 12), test_random_below(&random, 8));
        act->network = test_random_below(&random, 3);
        for (int i = 0; i <= n; i++) {
            int64_t age = now_us - acts[i].now_us;
            bool mine = acts[i].account == act->account, unlike = acts[i].verb == VERB_UNLIKE;
            struct {
                bool is;
                int64_t span;
            } seen[] = {{unlike && mine, HOUR},
                        {unlike && mine && acts[i].target == act->target, DAY},
                        {!unlike && acts[i].target == act->target, HOUR / 2},
                        {!unlike && act->network != 0 && acts[i].network == act->network, HOUR}};

            for (int k = 0; k < 3; k++) {
                counts[k] += seen[k].is && age < seen[k].span;
                inner[k] += seen[k].is && age < seen[k].span - seen[k].span / 8000;
            }
            if (seen[3].is && age < seen[3].span)
                accounts |= 1ULL << acts[i].account;
            if (seen[3].is && age < seen[3].span - seen[3].span / 8000)
                accounts_inner |= 1ULL << acts[i].account;
        }
        if (act->verb == VERB_UNLIKE) {
            bits = (counts[0] > 5) | (uint64_t)(counts[1] >= 3) << 1;
            bits_inner = (inner[0] > 5) | (uint64_t)(inner[1] >= 3) << 1;
        } else {
            bits = (uint64_t)(counts[2] > 12) << 2 |
                   (uint64_t)(__builtin_popcountll(accounts) > 9) << 3 |
                   (uint64_t)(counts[0] == 2) << 4;
            bits_inner = (uint64_t)(inner[2] > 12) << 2 |
                         (uint64_t)(__builtin_popcountll(accounts_inner) > 9) << 3 |
                         (uint64_t)(inner[0] == 2) << 4;
        }
        run(act);
        twin_fired = (uint32_t)__builtin_popcountll(bits);
        fired += twin_fired;
        if (bits == bits_inner)
            assert_true(verdict.fired[0] == bits);
        else
            at_edge++;
    }
    print_message("%u rules fired, %u acts at the edge of a window\n", fired, at_edge);
    assert_true(fired > 500 && at_edge < 20);
}

/* --- sentences -----------------------------------------------------------------------------------
 */

static void a_hit_is_told(void **unused)
{
    char text[POLICY_EXPLAIN_BYTES], cut[64];
    struct act act;
    size_t size;

    (void)unused;
    PRESET("channels");
    for (uint64_t i = 1; i <= 6; i++)
        do_it(VERB_UNLIKE, 1, i);
    assert_int_equal(verdict.hit_count, 1);
    policy_explain(&policy, &verdict.hits[0], POLICY_ENGLISH, text, sizeof text);
    assert_string_equal(text,
                        "rule unlikes-a-day of policy channels (version 1): unlike of this account "
                        "in 24 h: 6, more than 5. What follows: review, proposing limit for 7 d, "
                        "weight 50 % for 7 d.");
    policy_explain(&policy, &verdict.hits[0], POLICY_CHINESE, text, sizeof text);
    assert_string_equal(
        text,
        "规则 unlikes-a-day（策略 channels 第 1 版）：该账号在 24 小时内取消点赞次数：6，超过 "
        "5。结果：转人工复核、建议限制此类操作，为期 7 天、权重降为 50 %，为期 7 天。");
    for (size_t room = 1; room < sizeof cut; room++) { /* cut between characters, always ended */
        memset(cut, 'x', sizeof cut);
        size = policy_explain(&policy, &verdict.hits[0], POLICY_CHINESE, cut, room);
        assert_true(size < room && cut[size] == 0 && strlen(cut) == size);
        assert_memory_equal(cut, text, size);
        assert_true(((uint8_t)text[size] & 0xC0) != 0x80);
    }
    begin("rule all shadow on unlike when share(unlike, like, account, minimum 10) > 12% and age > "
          "7d and"
          " edge-age < 2h and distinct(device, unlike, network, 10m) >= 1 and"
          " ratio(unlike, like, account, 30d, minimum 0) >= 0% and flips >= 1"
          " then weight 5, refuse, points -3, alert once per 1d\n");
    act = act_of(VERB_LIKE, 1, 5);
    policy_observe(&policy, state, &act);
    act.verb = VERB_UNLIKE;
    act.taken_back = 6;
    act.network = act.device = 4;
    act.edge_us = now_us - HOUR;
    policy_judge(&policy, state, &act, &verdict);
    assert_int_equal(verdict.hit_count, 1);
    policy_explain(&policy, &verdict.hits[0], POLICY_ENGLISH, text, sizeof text);
    assert_string_equal(
        text,
        "rule all of policy p (version 3): likes this account has taken back of all it gave: "
        "12.5 % (7 of 56), more than 12 %; and age of the account: 400 d, more than 7 d; and "
        "time since its last change on this item: 1 h, less than 2 h; and different devices "
        "with unlike of this network in 10 min: 1, at least 1; and unlike as a share of like "
        "of this account in 30 d: 100 % (1 of 1), at least 0 %; and changes of this account on "
        "this item: 1, at least 1. Would follow (shadow): weight 5 %, refuse, points -3, alert.");
}

static void every_word_has_a_sentence(void **unused)
{
    char text[POLICY_EXPLAIN_BYTES];
    struct policy_hit hit = {0};

    (void)unused;
    begin(
        "rule all on unlike when count(like, item, 1h) < 5 and distinct(account, unlike, address, "
        "90s) <= 3 and"
        " ratio(view, skip, campaign, 36h, minimum 5) = 5% and share(unlike, like, account, "
        "minimum 5) > 1%"
        " and flips > 5 and takebacks > 3 and age < 9d and edge-age > 5m then alert, confirm, "
        "hold, review\n"
        "rule more on report when likes > 5 and given > 7 and count(follow, creator, 1d) > 9 and"
        " count(report, device, 1d) > 9 and count(comment, pair, 2s) > 5 then refuse, limit for 3h,"
        " like-ban for 90s, weight 7\n");
    for (uint16_t rule = 0; rule < 2; rule++)
        for (int language = 0; language < 2; language++) {
            hit.rule = rule;
            assert_true(policy_explain(&policy, &hit, (enum policy_language)language, text,
                                       sizeof text) < sizeof text - 200);
            assert_null(strstr(text, "(null)"));
            print_message("%s\n", text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_action_has_its_step),
        cmocka_unit_test(no_points_are_taken_for_what_was_refused),
        cmocka_unit_test(a_like_ban_refuses_likes_only),
        cmocka_unit_test(the_strongest_of_a_kind_is_told),
        cmocka_unit_test(a_proposal_is_no_act),
        cmocka_unit_test(allow_ends_the_asking),
        cmocka_unit_test(shadow_tells_and_does_nothing),
        cmocka_unit_test(tiers_have_their_own_rules),
        cmocka_unit_test(regions_have_their_own_rules),
        cmocka_unit_test(a_rule_changes_with_its_regions),
        cmocka_unit_test(an_exempt_act_meets_no_rule_and_is_not_counted),
        cmocka_unit_test(once_per_time_and_subject),
        cmocka_unit_test(what_the_rows_know),
        cmocka_unit_test(shares_and_ratios_want_a_sample),
        cmocka_unit_test(what_is_not_given_meets_no_condition),
        cmocka_unit_test(scopes_and_tenants_are_apart),
        cmocka_unit_test(judging_changes_nothing),
        cmocka_unit_test(preset_channels),
        cmocka_unit_test(preset_douyin),
        cmocka_unit_test(preset_bilibili),
        cmocka_unit_test(preset_kuaishou),
        cmocka_unit_test(preset_weibo),
        cmocka_unit_test(preset_default),
        cmocka_unit_test(example_regions),
        cmocka_unit_test(a_heavy_user_never_meets_the_default),
        cmocka_unit_test(third_parties_restrict_nobody),
        cmocka_unit_test(no_clock_grants_a_quota),
        cmocka_unit_test(same_acts_same_bytes),
        cmocka_unit_test(restored_bytes_go_on),
        cmocka_unit_test(a_changed_policy_keeps_what_is_the_same),
        cmocka_unit_test(a_full_table_forgets_what_expires_first),
        cmocka_unit_test(what_is_lost_favours_the_one_who_is_counted),
        cmocka_unit_test(any_bytes_are_a_region),
        cmocka_unit_test(the_twin_fires_the_same_rules),
        cmocka_unit_test(a_hit_is_told),
        cmocka_unit_test(every_word_has_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
