/* The language of policies: what is read, and what is refused, where and with which words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/policy_parse.h"
#include "support.h"

#define HEAD   "policy p version 1\n"
#define SECOND 1000000LL
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

static struct policy policy, other;
static struct policy_problem problem;

static bool parse(const char *text)
{
    return policy_parse(text, strlen(text), &policy, &problem);
}

static void take(const char *text)
{
    if (!parse(text))
        fail_msg("%u:%u: %s\n%s", problem.line, problem.column, problem.text, text);
    assert_int_equal(problem.line, 0);
    assert_int_equal(problem.text[0], 0);
}

/* --- what is refused -----------------------------------------------------------------------------
 */

struct bad {
    const char *text;
    uint32_t line, column;
    const char *says; /* a part of the message */
};

static void refuse(const struct bad *bad)
{
    if (parse(bad->text))
        fail_msg("taken: %s", bad->text);
    if (problem.line != bad->line || problem.column != bad->column ||
        strstr(problem.text, bad->says) == NULL)
        fail_msg("%s\nsays %u:%u: %s\nnot  %u:%u: %s", bad->text, problem.line, problem.column,
                 problem.text, bad->line, bad->column, bad->says);
    for (const char *c = problem.text; *c != 0; c++)
        assert_true(*c >= ' ' && *c <= '~');
}

static void what_cannot_be_read(void **state)
{
    static const struct bad rows[] = {
        {"", 1, 1, "expected 'policy NAME version N' as the first line, found the end of the text"},
        {"rule x then allow", 1, 1,
         "expected 'policy NAME version N' as the first line, found 'rule'"},
        {"# nothing\n\n  ", 3, 3, "found the end of the text"},
        {"policy", 1, 7, "expected the policy's name"},
        {"policy 7 version 1", 1, 8, "expected the policy's name, found '7'"},
        {"policy Big version 1", 1, 8, "a name is made of small letters, digits and '-'"},
        {"policy a-name-that-is-much-too-long-for-us version 1", 1, 8, "at most 31"},
        {"policy p", 1, 9, "expected 'version' and a number"},
        {"policy p version x", 1, 18, "expected the version, a whole number, found 'x'"},
        {"policy p version 0", 1, 18, "versions begin with 1"},
        {"policy p version 1.5", 1, 18, "expected the version, a whole number, found '1.5'"},
        {"policy p version 9999999999", 1, 18, "at most 1000000000"},
        {HEAD "rules x", 2, 1,
         "expected a statement (rule, undo, settle, notify, show, smooth, freeze or "
         "compensate), found 'rules'"},
        {HEAD "rule", 2, 5, "expected a name for the rule"},
        {HEAD "rule r when", 2, 12, "expected a condition (count, ratio, distinct, share, flips"},
        {HEAD "rule r when counts(like", 2, 13, "found 'counts'"},
        {HEAD "rule r when count like", 2, 19, "expected '('"},
        {HEAD "rule r when count(lik, account, 1h) > 5", 2, 19, "expected a verb (like, unlike,"},
        {HEAD "rule r when count(LIKE, account, 1h) > 5", 2, 19, "found 'LIKE'"},
        {HEAD "rule r when count(act, account, 1h) > 5", 2, 19, "expected a verb"},
        {HEAD "rule r when count(like account", 2, 24, "expected ',' and a scope"},
        {HEAD "rule r when count(like, user, 1h) > 5", 2, 25,
         "expected a scope: whose acts are counted (account, pair, item, creator, device, network, "
         "address or campaign), found 'user'"},
        {HEAD "rule r when count(like, account) > 5", 2, 32,
         "expected ',' and a window, like ', 24h'"},
        {HEAD "rule r when count(like, account, 24) > 5", 2, 34,
         "expected a time: a whole number and s, m, h or d"},
        {HEAD "rule r when count(like, account, 24hours) > 5", 2, 34,
         "like 30s, 10m, 24h, 7d, found '24hours'"},
        {HEAD "rule r when count(like, account, 1w) > 5", 2, 34, "expected a time"},
        {HEAD "rule r when count(like, account, 0s) > 5", 2, 34,
         "the time is too short: at least 1 s"},
        {HEAD "rule r when count(like, account, 401d) > 5", 2, 34,
         "the time is too long: at most 400 d"},
        {HEAD "rule r when count(like, account, 99999999999999999999999s) > 5", 2, 34, "too long"},
        {HEAD "rule r when count(like, account, 1h) 5", 2, 38,
         "expected a comparison (>, >=, <, <= or =)"},
        {HEAD "rule r when count(like, account, 1h) > 5%", 2, 40,
         "expected a whole number, found '5%'"},
        {HEAD "rule r when count(like, account, 1h) > 5h", 2, 40, "expected a whole number"},
        {HEAD "rule r when count(like, account, 1h) > -5", 2, 40,
         "expected a whole number, found '-'"},
        {HEAD "rule r when count(like, account, 1h) > 2000000000", 2, 40, "at most 1000000000"},
        {HEAD "rule r when count(like, account, 1h > 5", 2, 37, "expected ')'"},
        {HEAD "rule r when count(follow, item, 1h) > 5", 2, 27, "write creator instead of item"},
        {HEAD "rule r when count(like, account, 1h) > 5 or flips > 3", 2, 42,
         "there is no 'or': write a second rule"},
        {HEAD "rule r when count(like, account, 1h) > 5 allow", 2, 42,
         "expected 'and' or 'then', found 'allow'"},
        {HEAD "rule r allow", 2, 8,
         "expected 'shadow', 'on', 'for tier', 'for region', 'when' or 'then'"},
        {HEAD "rule r when distinct(pair, like, account, 1h) > 5", 2, 22,
         "expected what is to be told apart (account, device, network, address or item)"},
        {HEAD "rule r when distinct(account, like, account, 1h) > 5 then alert", 2, 22,
         "this is always 1"},
        {HEAD "rule r when distinct(item, like, pair, 1h) > 5 then alert", 2, 22,
         "this is always 1"},
        {HEAD "rule r when distinct(item, follow, account, 1h) > 5 then alert", 2, 22,
         "no items to tell apart"},
        {HEAD "rule r when ratio(like, like, account, 1h, minimum 9) > 5%", 2, 25,
         "this is always 100%"},
        {HEAD "rule r when ratio(unlike, like, account, 1h) > 5%", 2, 44,
         "expected ', minimum' and a number: a share of two or three acts says nothing"},
        {HEAD "rule r when ratio(unlike, like, account, 1h, minimum) > 5%", 2, 53,
         "expected the smallest sample"},
        {HEAD "rule r when ratio(unlike, like, account, 1h, minimum 9) > 5", 2, 59,
         "expected a share in percent, like 20% or 12.5%"},
        {HEAD "rule r when ratio(unlike, like, account, 1h, minimum 9) > 1.2.3%", 2, 59,
         "expected a share in percent"},
        {HEAD "rule r when ratio(unlike, like, account, 1h, minimum 9) > 10001%", 2, 59,
         "the share is too large"},
        {HEAD "rule r when ratio(follow, like, item, 1h, minimum 9) > 5% then alert", 2, 33,
         "write creator instead of item"},
        {HEAD "rule r when ratio(like, follow, item, 1h, minimum 9) > 5% then alert", 2, 25,
         "write account or creator as the scope"},
        {HEAD "rule r when share(view, like, account, minimum 9) > 5%", 2, 19,
         "only share(unlike, like, account, minimum N) is kept"},
        {HEAD "rule r when share(unlike, like, item, minimum 9) > 5%", 2, 33, "expected account"},
        {HEAD "rule r when age < 7", 2, 19, "expected a time"},
        {HEAD "rule r when flips > 7d", 2, 21, "expected a whole number"},
        {HEAD "rule r when tier = verified", 2, 13, "write 'for tier verified' before 'when'"},
        {HEAD "rule r for verified", 2, 12, "expected 'tier' or 'region'"},
        {HEAD "rule r for region 86", 2, 19, "expected a region, a code of 2 to 8 letters"},
        {HEAD "rule r for region none then alert", 2, 19, "expected a region"},
        {HEAD "rule r on like for region cn, eu, jp, kr, us, ca, br, mx, in, id, th, vn, ph, my, "
              "sg, au, nz then alert",
         2, 91, "too many different regions: at most 16"},
        {HEAD "notify any like silent in cn", 2, 27, "expected 'region' and its code"},
        {HEAD "show any like trace in region", 2, 30, "expected a region"},
        {HEAD "rule r for tier gold then alert", 2, 17,
         "expected a tier (ordinary, verified or elder), found 'gold'"},
        {HEAD "rule r when flips > 3 then alert", 2, 6,
         "Write 'on like' or another verb before 'when'"},
        {HEAD
         "rule r when count(like, account, 1h) > 5 and count(view, account, 1h) < 1 then alert",
         2, 6, "the conditions count different verbs: write 'on like'"},
        {HEAD "rule r on like then ban", 2, 21,
         "expected an action (allow, alert, confirm, review, hold, weight,"},
        {HEAD "rule r on like then alert for 7d", 2, 27, "'alert' takes no time: leave 'for' out"},
        {HEAD "rule r on like then weight", 2, 27,
         "expected the weight in percent, a whole number from 0 to 99"},
        {HEAD "rule r on like then weight 100", 2, 28, "a weight of 100 or more changes nothing"},
        {HEAD "rule r on like then weight 50.5", 2, 28, "a whole number from 0 to 99"},
        {HEAD "rule r on like then alert, alert", 2, 28, "the rule says this already"},
        {HEAD "rule r on like then alert, allow", 2, 28, "nothing else can follow"},
        {HEAD "rule r on like then allow, alert", 2, 28, "nothing else can follow"},
        {HEAD "rule r on like then review proposing alert", 2, 38,
         "a review can decide on limit, like-ban, weight or points"},
        {HEAD "rule r on like then alert once 7d", 2, 32,
         "expected 'per' and a time, like 'once per 30d'"},
        {HEAD "rule r on like then alert\nrule r on like then hold", 3, 6,
         "a rule of this name stands in line 2"},
        {HEAD "rule r on like then alert\n\xE8\xB5\x9E", 3, 1, "expected a statement"},
        {HEAD "# \xE8\xB5\x9E\xE8\xB5\x9E\nrule r on \xE8\xB5\x9E like", 3, 11, "), found '?"},
        {HEAD "undo", 2, 5, "expected a time"},
        {HEAD "undo 2h", 2, 6, "the time is too long: at most 1 h"},
        {HEAD "undo 30s for elder", 2, 14, "expected 'tier', 'region' or 'source'"},
        {HEAD "undo 30s for source tv", 2, 21, "expected a source (none, button,"},
        {HEAD "settle 31d", 2, 8, "at most 30 d"},
        {HEAD "settle 1000000000d", 2, 8, "at most 30 d"},
        {HEAD "settle 99999999999999999999d", 2, 8, "at most 30 d"},
        {HEAD "smooth 1h", 2, 8, "expected 'withdrawn' and a time, found '1h'"},
        {HEAD "smooth withdrawn 31d", 2, 18, "at most 30 d"},
        {HEAD "freeze withdrawn 25h", 2, 18, "at most 24 h"},
        {HEAD "compensate lots", 2, 12, "how many likes' worth"},
        {HEAD "compensate 1000001", 2, 12, "at most 1000000"},
        {HEAD "settle 1h settle 2h", 2, 18, "settle stands above already"},
        {HEAD "notify friend like silent", 2, 8,
         "expected 'any' or a relation (stranger, follower, mutual, common or creator), found "
         "'friend'"},
        {HEAD "notify any love silent", 2, 12, "expected a verb"},
        {HEAD "notify any like loud", 2, 17,
         "expected how it is told (silent, digest or explicit), found 'loud'"},
        {HEAD "show any like silent", 2, 15, "expected what is shown (hidden, state or trace)"},
        {HEAD "a-word-that-is-far-too-long-to-be-repeated", 2, 1,
         "found 'a-word-that-is-far-too-l...'"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        refuse(&rows[i]);
    print_message("%u texts refused\n", (unsigned)(sizeof rows / sizeof *rows));
}

#define OTHERS "restricts an account for what others did"
#define OWN    "needs a condition on what the account itself did, more than once"
#define SHARED "a shared network, address or device alone is no evidence"
#define END    "needs an end: every restriction expires"

static void what_would_be_unfair(void **state)
{
    static const struct bad rows[] = {
        /* for what others did */
        {HEAD "rule r when count(report, item, 1h) > 50 then like-ban for 1d", 2, 47,
         OTHERS " (item scope)"},
        {HEAD "rule r when count(unlike, creator, 1h) > 50 then limit for 1d", 2, 50,
         OTHERS " (creator scope)"},
        {HEAD "rule r when distinct(account, like, device, 1h) > 5 then refuse", 2, 58,
         OTHERS " (device scope)"},
        {HEAD "rule r when count(like, network, 1h) > 5 then points -5 once per 1d", 2, 47,
         OTHERS " (network scope)"},
        {HEAD "rule r when count(like, campaign, 1h) > 5 then weight 50 for 7d", 2, 48,
         OTHERS " (campaign scope)"},
        {HEAD "rule r when count(like, address, 1h) > 5 then weight 50 for 7d", 2, 47, OTHERS},
        {HEAD "rule r when ratio(unlike, like, item, 1h, minimum 100) > 50% then limit for 7d", 2,
         67, OTHERS},
        {HEAD "rule r when count(report, item, 1h) > 50 then review proposing limit for 7d", 2, 64,
         OTHERS},
        {HEAD "rule r when count(report, item, 1h) > 50 then alert,\n hold, weight 5 for 1d", 3, 8,
         OTHERS},
        /* with a condition on the account that everybody meets */
        {HEAD "rule r when count(report, item, 1h) > 50 and count(report, account, 1h) > 0 then "
              "limit for 1d",
         2, 82, OTHERS},
        {HEAD
         "rule r when count(report, item, 1h) > 50 and count(report, account, 1h) >= 1 then refuse",
         2, 83, OTHERS},
        {HEAD
         "rule r when count(report, item, 1h) > 50 and count(report, account, 1h) < 99 then refuse",
         2, 83, OTHERS},
        {HEAD "rule r when count(report, item, 1h) > 50 and age < 7d then refuse", 2, 60, OTHERS},
        {HEAD "rule r when count(like, item, 1h) > 50 and flips > 1 then refuse", 2, 59, OTHERS},
        {HEAD "rule r when count(unlike, item, 1h) > 50 and takebacks > 0 then refuse", 2, 65,
         OTHERS},
        {HEAD "rule r when count(like, item, 1h) > 50 and given > 100 then refuse", 2, 61, OTHERS},
        {HEAD "rule r when count(unlike, item, 1h) > 50 and share(unlike, like, account, minimum "
              "1) > 50% then refuse",
         2, 97, OTHERS},
        /* for nothing */
        {HEAD "rule r on like then refuse", 2, 21, OWN},
        {HEAD "rule r on like when age < 1d then like-ban for 1d", 2, 35, OWN},
        {HEAD "rule r on like when likes > 100000 then refuse", 2, 41, OWN},
        {HEAD "rule r when count(like, account, 1h) <= 5 then limit for 1h", 2, 48, OWN},
        {HEAD "rule r when ratio(unlike, like, account, 1d, minimum 9) > 50% then limit for 7d", 2,
         68, OWN},
        {HEAD "rule r when ratio(unlike, like, account, 1d, minimum 99) < 50% then limit for 7d", 2,
         69, OWN},
        {HEAD "rule r when share(unlike, like, account, minimum 99) > 0% then limit for 7d", 2, 64,
         OWN},
        /* a shared network or device alone */
        {HEAD "rule r when distinct(device, like, network, 1h) > 50 then weight 50", 2, 59, SHARED},
        {HEAD "rule r when count(like, network, 1h) > 500 then hold", 2, 49, SHARED},
        {HEAD "rule r when distinct(account, like, device, 1h) > 5 then weight 0", 2, 58, SHARED},
        {HEAD "rule r when distinct(account, like, device, 1h) > 5 and count(like, network, 1h) > "
              "50 then hold",
         2, 92, SHARED},
        {HEAD
         "rule r when count(like, network, 1h) > 500 and count(like, item, 1h) > 900 then hold",
         2, 81, SHARED},
        {HEAD
         "rule r when count(like, network, 1h) > 500 and count(like, account, 1h) > 0 then hold",
         2, 82, SHARED},
        {HEAD "rule r when count(like, network, 1h) > 500 and age >= 0s then hold", 2, 63, SHARED},
        /* without an end */
        {HEAD "rule r when count(unlike, account, 1d) > 50 then limit", 2, 50,
         "'limit' " END ". Write 'limit for 7d'"},
        {HEAD "rule r when count(unlike, account, 1d) > 50 then like-ban", 2, 50,
         "'like-ban' " END},
        {HEAD "rule r when count(unlike, account, 1d) > 5 then review proposing weight 5", 2, 66,
         "'weight' " END},
        {HEAD "rule r when count(unlike, account, 1d) > 50 then limit for 367d", 2, 60,
         "the time is too long: at most 366 d"},
        {HEAD "rule r when count(unlike, account, 1d) > 50 then limit for 0s", 2, 60, "too short"},
        {HEAD "rule r when count(unlike, account, 1d) > 50 then refuse for 1d", 2, 57,
         "or write 'limit for'"},
        {HEAD "rule r when count(unlike, account, 1d) > 50 then points -5", 2, 6,
         "write how often at the end of the rule, like 'once per 30d'"},
        {HEAD "rule r when count(unlike, account, 1d) > 50 then points -5 for 1d", 2, 60,
         "write 'once per 30d'"},
        {HEAD "rule r when count(unlike, account, 1d) > 50 then points 5", 2, 57,
         "rules take points, they do not give them"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        refuse(&rows[i]);
    print_message("%u texts refused\n", (unsigned)(sizeof rows / sizeof *rows));
}

/* --- what is fair --------------------------------------------------------------------------------
 */

static void what_is_fair_is_taken(void **state)
{
    static const struct {
        const char *when, *then;
    } rows[] = {
        {"count(report, item, 1h) > 50", "alert, confirm, review, hold"},
        {"count(report, item, 1h) > 50", "weight 0"},
        {"count(like, creator, 1h) > 50", "weight 0"},
        {"count(like, campaign, 1h) > 50", "weight 0"},
        {"count(like, network, 1h) > 50", "alert, confirm, review"},
        {"count(like, network, 1h) > 50 and age < 7d", "weight 0, hold"},
        {"count(like, network, 1h) > 50 and count(like, account, 1m) > 10", "weight 0"},
        {"count(report, item, 1h) > 50 and count(report, account, 1h) > 5", "limit for 1d"},
        {"takebacks > 1 and count(unlike, item, 1h) > 5", "like-ban for 1d"},
        {"count(unlike, pair, 1h) >= 2", "refuse"},
        {"distinct(device, like, account, 1h) > 1", "points -1 once per 1s"},
        {"share(unlike, like, account, minimum 10) > 0.01%", "limit for 366d"},
        {"ratio(unlike, like, account, 400d, minimum 10) >= 1%", "weight 99 for 1s"},
    };
    char text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, HEAD "rule r when %s then %s", rows[i].when, rows[i].then);
        take(text);
    }
    take(HEAD "rule r on like for tier elder then allow");
    take(HEAD "rule r on unlike when flips > 2 then refuse");
    assert_false(parse(HEAD "rule r then alert on like")); /* clauses stand before 'then' */
}

static void everything_is_where_it_belongs(void **state)
{
    const struct policy_rule *rule;

    (void)state;
    take("# a comment \xE8\xB5\x9E\r\n"
         "policy two-words version 42 # more\n"
         "undo 30s undo 90s for tier elder, verified\tundo 2m for source voice,assistive\n"
         "settle 3h smooth withdrawn 24h\nfreeze withdrawn 1h compensate 500 "
         "rule first shadow for tier verified, elder on unlike, like\n"
         "  when count(unlike, account, 24h) >= 5 and share(unlike, like, account, minimum 20) > "
         "12.5%\n"
         "   and age < 30d and ratio(unlike,like,pair,7d,minimum 3)<=0.25% then review proposing\n"
         "  limit for 7d, weight 50% for 48h once per 1d\n"
         "rule second when distinct(device, unlike, network, 10m) > 5 then alert\n");
    assert_string_equal(policy.name, "two-words");
    assert_int_equal(policy.version, 42);
    assert_int_equal(policy.settle_us, 3 * HOUR);
    assert_int_equal(policy.smooth_us, 24 * HOUR);
    assert_int_equal(policy.freeze_us, HOUR);
    assert_int_equal(policy.compensate, 500);
    assert_int_equal(policy_undo_us(&policy, TIER_ORDINARY, SOURCE_BUTTON, 0), 30 * SECOND);
    assert_int_equal(policy_undo_us(&policy, TIER_ELDER, SOURCE_BUTTON, 0), 90 * SECOND);
    assert_int_equal(policy_undo_us(&policy, TIER_VERIFIED, SOURCE_VOICE, 0), 120 * SECOND);
    assert_int_equal(policy.rule_count, 2);
    rule = &policy.rules[0];
    assert_string_equal(rule->name, "first");
    assert_int_equal(rule->line, 5);
    assert_int_equal(rule->shadow, 1);
    assert_int_equal(rule->tiers, 1 << TIER_VERIFIED | 1 << TIER_ELDER);
    assert_true(rule->verbs == (1ULL << VERB_LIKE | 1ULL << VERB_UNLIKE));
    assert_int_equal(rule->subject, POLICY_ACCOUNT);
    assert_int_equal(rule->condition_count, 4);
    assert_int_equal(rule->conditions[0].op, POLICY_AT_LEAST);
    assert_int_equal(rule->conditions[0].threshold, 5);
    assert_int_equal(policy.metrics[rule->conditions[0].metric].shape.span_us, DAY);
    assert_int_equal(rule->conditions[1].fact, POLICY_SHARE);
    assert_int_equal(rule->conditions[1].threshold, 1250);
    assert_int_equal(rule->conditions[1].minimum, 20);
    assert_int_equal(rule->conditions[2].threshold, 30 * DAY);
    assert_int_equal(rule->conditions[3].threshold, 25);
    assert_int_equal(rule->conditions[3].op, POLICY_AT_MOST);
    assert_int_equal(policy.metrics[rule->conditions[3].metric].verb, VERB_UNLIKE);
    assert_int_equal(policy.metrics[rule->conditions[3].base].verb, VERB_LIKE);
    assert_int_equal(rule->deed_count, 3);
    assert_int_equal(rule->deeds[0].action, POLICY_REVIEW);
    assert_int_equal(rule->deeds[0].proposed, 0);
    assert_int_equal(rule->deeds[1].action, POLICY_LIMIT);
    assert_int_equal(rule->deeds[1].proposed, 1);
    assert_int_equal(rule->deeds[1].for_us, 7 * DAY);
    assert_int_equal(rule->deeds[2].percent, 50);
    assert_int_equal(rule->deeds[2].for_us, 2 * DAY);
    assert_int_not_equal(rule->once, POLICY_NONE);
    rule = &policy.rules[1];
    assert_int_equal(rule->subject, POLICY_NETWORK);
    assert_int_equal(rule->once, POLICY_NONE);
    assert_true(rule->verbs == 1ULL << VERB_UNLIKE);
}

static void regions_have_their_own(void **state)
{
    const struct policy_rule *rule;
    uint32_t cn, eu;

    (void)state;
    take(HEAD "undo 30s undo 5m for region EU, cn-gd\n"
              "rule a for region cn, eu for tier elder on like then allow\n"
              "rule b on like then alert\n"
              "notify creator like digest in region cn notify any like explicit\n"
              "show any like state show stranger like hidden in region eu,cn-gd\n");
    assert_int_equal(policy.region_count, 3);
    eu = policy_region(&policy, 5 | 21 << 6), cn = policy_region(&policy, 899);
    assert_true(eu == 0 && cn == 2);
    assert_int_equal(policy_region(&policy, 0), POLICY_REGIONS_MAX);
    assert_int_equal(policy_region(&policy, 900), POLICY_REGIONS_MAX);
    rule = &policy.rules[0];
    assert_int_equal(rule->regions, 1 << cn | 1 << eu);
    assert_int_equal(rule->tiers, 1 << TIER_ELDER);
    assert_int_equal(policy.rules[1].regions, 0);
    assert_int_equal(policy_undo_us(&policy, TIER_ELDER, SOURCE_BUTTON, 0), 30 * SECOND);
    assert_int_equal(policy_undo_us(&policy, TIER_ELDER, SOURCE_BUTTON, 899), 30 * SECOND);
    assert_int_equal(policy_undo_us(&policy, TIER_ELDER, SOURCE_BUTTON, 5 | 21 << 6), 300 * SECOND);
    /* What is said for a region stands before what is said for all, wherever it stands. */
    assert_int_equal(policy_notify_of(&policy, cn, POLICY_ITEM_CREATOR, VERB_LIKE), POLICY_DIGEST);
    assert_int_equal(policy_notify_of(&policy, cn, POLICY_MUTUAL, VERB_LIKE), POLICY_EXPLICIT);
    assert_int_equal(policy_notify_of(&policy, eu, POLICY_ITEM_CREATOR, VERB_LIKE),
                     POLICY_EXPLICIT);
    assert_int_equal(policy_notify_of(&policy, POLICY_REGIONS_MAX, POLICY_ITEM_CREATOR, VERB_LIKE),
                     POLICY_EXPLICIT);
    assert_int_equal(policy_show_of(&policy, eu, POLICY_STRANGER, VERB_LIKE), POLICY_HIDDEN);
    assert_int_equal(policy_show_of(&policy, cn, POLICY_STRANGER, VERB_LIKE), POLICY_STATE);
}

static void notices_are_set_from_wide_to_narrow(void **state)
{
    (void)state;
    take(HEAD "notify any any digest\nnotify mutual any explicit\nnotify mutual like silent\n"
              "show any like trace\n");
    assert_int_equal(policy.notify[POLICY_STRANGER][VERB_UNLIKE], POLICY_DIGEST);
    assert_int_equal(policy.notify[POLICY_MUTUAL][VERB_UNLIKE], POLICY_EXPLICIT);
    assert_int_equal(policy.notify[POLICY_MUTUAL][VERB_LIKE], POLICY_SILENT);
    assert_int_equal(policy.show[POLICY_COMMON][VERB_LIKE], POLICY_TRACE);
    assert_int_equal(policy.show[POLICY_COMMON][VERB_UNLIKE], POLICY_HIDDEN);
    take(HEAD);
    assert_int_equal(policy.notify[POLICY_ITEM_CREATOR][VERB_LIKE], POLICY_SILENT);
    assert_int_equal(policy.settle_us, 600 * SECOND);
    assert_int_equal(policy.undo_us[TIER_ORDINARY], 0);
}

/* --- windows -------------------------------------------------------------------------------------
 */

static void shared_windows_are_counted_once(void **state)
{
    (void)state;
    take(HEAD "rule a when count(unlike, account, 24h) > 5 then alert\n"
              "rule b when count(unlike, account, 24h) > 20 then alert\n"
              "rule c when count(unlike, account, 1d) > 3 and flips > 3 then alert\n");
    assert_int_equal(policy.metric_count, 1);
    assert_int_equal(policy.metrics[0].most, 21);
    take(HEAD "rule a when count(unlike, account, 24h) > 5 then alert\n"
              "rule b when count(unlike, account, 23h) > 5 then alert\n"
              "rule c when count(unlike, pair, 24h) > 5 then alert\n"
              "rule d when count(like, account, 24h) > 5 then alert\n"
              "rule e when distinct(item, unlike, account, 24h) > 5 then alert\n"
              "rule f when distinct(device, unlike, account, 24h) > 5 then alert\n");
    assert_int_equal(policy.metric_count, 6);
    /* A ratio sums without end: a small count of the same stays exact, a large one is the same. */
    take(HEAD "rule a when ratio(unlike, like, account, 24h, minimum 9) > 5% then alert\n"
              "rule b when count(unlike, account, 24h) > 5 then alert\n"
              "rule c when count(like, account, 24h) > 500 then alert\n");
    assert_int_equal(policy.metric_count, 3);
    assert_int_equal(policy.counted.first[VERB_LIKE + 1] - policy.counted.first[VERB_LIKE], 1);
    assert_int_equal(policy.counted.first[VERB_UNLIKE + 1] - policy.counted.first[VERB_UNLIKE], 2);
}

static void a_window_keeps_its_key_where_it_is_the_same(void **state)
{
    (void)state;
    take(HEAD "rule a when count(unlike, account, 24h) > 5 then alert\n");
    other = policy;
    take("policy q version 2\nrule z when count(view, item, 1h) > 9 then alert\n"
         "rule y when count(unlike, account, 24h) > 7 then hold\n");
    assert_true(policy.metrics[1].salt == other.metrics[0].salt);
    assert_true(policy.metrics[0].salt != other.metrics[0].salt);
}

/* --- bounds --------------------------------------------------------------------------------------
 */

static char large[POLICY_TEXT_MAX * 2];

static size_t rules(unsigned count, const char *format)
{
    size_t size = (size_t)snprintf(large, sizeof large, HEAD);

    for (unsigned i = 0; i < count; i++)
        size += (size_t)snprintf(large + size, sizeof large - size, format, i, i + 1);
    return size;
}

static void more_than_there_is_room_for(void **state)
{
    static const char *const seven =
        "flips > 1 and flips > 2 and flips > 3 and flips > 4 and flips > 5 and "
        "flips > 6 and flips > 7";
    char text[512];

    (void)state;
    rules(POLICY_RULES_MAX, "rule r%u on like when given > %u then alert\n");
    take(large);
    assert_int_equal(policy.rule_count, POLICY_RULES_MAX);
    rules(POLICY_RULES_MAX + 1, "rule r%u on like when given > %u then alert\n");
    refuse(&(struct bad){large, POLICY_RULES_MAX + 2, 6, "too many rules: at most 256"});

    rules(128, "rule r%u when count(like, account, %us) > 9 then alert once per 9d\n");
    take(large);
    assert_int_equal(policy.metric_count, 256);
    rules(129, "rule r%u when count(like, account, %us) > 9 then alert once per 9d\n");
    refuse(&(struct bad){large, 130, 16, "too many different windows"});

    snprintf(text, sizeof text, HEAD "rule r on like when %s and flips > 8 then alert", seven);
    take(text);
    snprintf(text, sizeof text,
             HEAD "rule r on like when %s and flips > 8 and flips > 9 then alert", seven);
    refuse(&(struct bad){text, 2, 133, "too many conditions in one rule: at most 8"});
    refuse(&(struct bad){HEAD "rule r on like then alert, hold, weight 5, review, confirm", 2, 52,
                         "too many actions in one rule: at most 4"});

    memset(large, '#', sizeof large);
    large[POLICY_TEXT_MAX + 1] = 0;
    refuse(&(struct bad){large, 1, 1, "the text is too long; bytes: at most 65536"});
    memcpy(large, HEAD, strlen(HEAD));
    assert_true(policy_parse(large, POLICY_TEXT_MAX, &policy, &problem));
}

static void a_zero_byte_is_no_end(void **state)
{
    static const char text[] = HEAD "rule a on like then alert\n\0rule b on like then alert\n";

    (void)state;
    assert_false(policy_parse(text, sizeof text - 1, &policy, &problem));
    assert_int_equal(problem.line, 3);
    assert_int_equal(problem.column, 1);
    assert_non_null(strstr(problem.text, "found '?'"));
}

static void every_cut_of_a_policy_ends_well(void **state)
{
    static const char text[] =
        HEAD "undo 2m for tier elder\nnotify any like digest\n"
             "rule a shadow on like when ratio(unlike, like, account, 1h, minimum 20) "
             ">= 12.5% then review proposing points -5 once per 3d # end\n";
    char *copy;

    (void)state;
    for (size_t size = 0; size < sizeof text; size++) { /* on the heap, so that ASan sees its end */
        copy = malloc(size + 1);
        memcpy(copy, text, size);
        if (!policy_parse(copy, size, &policy, &problem))
            assert_true(problem.line >= 1 && problem.column >= 1 && problem.text[0] != 0);
        free(copy);
    }
    take(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(what_would_be_unfair),
        cmocka_unit_test(what_is_fair_is_taken),
        cmocka_unit_test(everything_is_where_it_belongs),
        cmocka_unit_test(regions_have_their_own),
        cmocka_unit_test(notices_are_set_from_wide_to_narrow),
        cmocka_unit_test(shared_windows_are_counted_once),
        cmocka_unit_test(a_window_keeps_its_key_where_it_is_the_same),
        cmocka_unit_test(more_than_there_is_room_for),
        cmocka_unit_test(a_zero_byte_is_no_end),
        cmocka_unit_test(every_cut_of_a_policy_ends_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
