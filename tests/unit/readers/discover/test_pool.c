/* Decisions on one item, deals over many, credits: no cliffs, the stated error, and nobody's share
 * by somebody else's fakes. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/pool.h"

#define DAY_US (24LL * 3600 * 1000000)

/* A platform as data/kuairand has it: long views 0.3, likes 0.032, ... */
static struct pool_platform platform;
static const struct pool_rule *rule;

static double unit(struct test_random *random)
{
    return ((double)(test_random_next(random) >> 11) + 0.5) * 0x1p-53;
}

static int learn(void **state)
{
    static const struct gate_beta rates[POOL_METRICS] = {
        {4, 9.3}, {1, 30}, {0.2, 140}, {0.1, 140}, {0.9, 900}};
    static struct pool_past past[800];
    static struct pool_tag tags[4];
    static double value[800];
    struct test_random random = {11};

    (void)state;
    rule = pool_rule_of("default");
    for (uint32_t i = 0; i < 800; i++) {
        past[i].tag = i % 4;
        past[i].seen.n = 2000;
        for (uint32_t m = 0; m < POOL_METRICS; m++)
            past[i].seen.s[m] = floor(2000 * gate_quantile(rates[m], unit(&random)));
    }
    assert_true(pool_learn(rule, past, 800, value, tags, 4, &platform));
    return 0;
}

static struct pool_item item_of(double n, double longs, double likes)
{
    struct pool_item item = {.first = rule->first};

    item.seen[0].n = n;
    item.seen[0].s[POOL_LONG] = longs;
    item.seen[0].s[POOL_LIKE] = likes;
    return item;
}

static struct pool_decision step(const struct pool_item *item)
{
    struct pool_decision decision;

    pool_step(rule, &platform, platform.rate, item, 0, &decision);
    return decision;
}

/* --- presets
 * ---------------------------------------------------------------------------------------- */

static void presets_are_whole(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < pool_rule_count; i++) {
        const struct pool_rule *one = &pool_rules[i];

        assert_ptr_equal(pool_rule_of(one->name), one);
        for (uint32_t k = 1; k < one->stages; k++)
            assert_true(one->stage_end[k] > one->stage_end[k - 1]);
        assert_true(one->worth[POOL_NEGATIVE] == 0 && one->first <= one->stage_end[0]);
        assert_true(one->stages >= 4 && one->stages <= POOL_STAGES_MAX);
    }
    assert_null(pool_rule_of("nobody's"));
}

static double choose_log(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* The literal rule stops exactly what is under 3 of 100; so its error is an exact binomial sum, and
 * large. */
static void douyin_is_literal(void **state)
{
    const struct pool_rule *douyin = pool_rule_of("douyin");
    struct pool_decision decision;
    double wrong = 0;

    (void)state;
    for (int likes = 0; likes <= 100; likes++) {
        struct pool_item item = item_of(100, 0, likes);

        pool_step(douyin, &platform, platform.rate, &item, 5, &decision);
        assert_int_equal(decision.verdict == POOL_STOP_LITERAL, likes < 3);
        assert_int_equal(decision.verdict == POOL_CLIMB, likes >= 3);
        assert_true((decision.expires_us > 5) == (likes < 3) &&
                    (decision.appeal != NULL) == (likes < 3));
        if (likes < 3) /* of items that really have 5 % */
            wrong += exp(choose_log(100, likes) + likes * log(0.05) + (100 - likes) * log(0.95));
    }
    assert_true(fabs(wrong - 0.1183) < 0.0001);
    struct pool_item early = item_of(99, 0, 0);
    pool_step(douyin, &platform, platform.rate, &early, 0, &decision);
    assert_int_equal(decision.verdict, POOL_STAY);
    assert_true(decision.budget == 1);
}

/* --- no cliffs
 * ---------------------------------------------------------------------------------------- */

/* The most that one like more can change the share by, over all that can be seen in so many
 * impressions. */
static double steepest(double n)
{
    double most = 0, costs = 0;

    for (double longs = 0; longs <= n; longs += fmax(1, floor(n / 12)))
        for (double likes = 0; likes < fmin(n, 4 + n / 5); likes += 1) {
            struct pool_item less = item_of(n, longs, likes), more = item_of(n, longs, likes + 1);
            struct pool_look one, two;

            pool_look(rule, &platform, platform.rate, &less, &one);
            pool_look(rule, &platform, platform.rate, &more, &two);
            costs = fmax(costs, one.share - two.share);
            most = fmax(most, two.share - one.share);
        }
    assert_true(costs < 1e-4); /* a like never costs, but for the Beta that stands for a sum */
    return most;
}

static void one_like_is_no_cliff(void **state)
{
    static const struct {
        double n, most;
    } stated[] = {{20, 0.75}, {100, 0.75}, {500, 0.60}, {2000, 0.35}};

    (void)state;
    for (size_t i = 0; i < sizeof stated / sizeof stated[0]; i++) {
        double most = steepest(stated[i].n);

        printf("of %g impressions one like changes the share by at most %.3f\n", stated[i].n, most);
        assert_true(most <= stated[i].most);
    }
}

static void share_is_a_curve(void **state)
{
    double before = 0;

    (void)state;
    assert_true(pool_share(rule, 0) == 0 && pool_share(rule, 1) == 1);
    for (double chance = 0; chance <= 1; chance += 0.0005) {
        double share = pool_share(rule, chance);

        assert_true(share >= before && share - before < 0.005 && share <= 1);
        before = share;
    }
}

static void negative_feedback_never_helps(void **state)
{
    double before = 1;

    (void)state;
    for (double bad = 0; bad < 60; bad += 1) {
        struct pool_item item = item_of(400, 150, 20);
        struct pool_look look;

        item.seen[0].s[POOL_NEGATIVE] = bad;
        pool_look(rule, &platform, platform.rate, &item, &look);
        assert_true(look.share <= before + 1e-12);
        before = look.share;
    }
    assert_true(before < 0.05);
}

/* --- stops
 * ------------------------------------------------------------------------------------------------
 */

/* An item whose value is at the bar, made of what makes it hardest: one rate at its bar, the other
 * at nothing. */
static bool is_stopped(struct test_random *random, double likes, double longs, uint32_t looks)
{
    struct pool_item item = {.first = rule->first};

    for (uint32_t look = 0; look < looks; look++) {
        for (uint32_t a = 0; a < POOL_AUDIENCES; a++)
            for (uint32_t i = 0; i < 25; i++) {
                item.seen[a].n += 1;
                item.seen[a].s[POOL_LIKE] += unit(random) < likes;
                item.seen[a].s[POOL_LONG] += unit(random) < longs;
            }
        if (step(&item).verdict == POOL_STOP)
            return true;
    }
    return false;
}

static void good_items_are_not_stopped(void **state)
{
    struct test_random random = {test_seed(21)};
    uint32_t by_likes = 0, by_longs = 0, bad = 0, runs = 120;

    (void)state;
    for (uint32_t r = 0; r < runs; r++) {
        by_likes += is_stopped(&random, platform.rate_bar[POOL_LIKE], 0.02, 16);
        by_longs += is_stopped(&random, 0.0005, platform.rate_bar[POOL_LONG], 16);
        bad += r < 20 && is_stopped(&random, 0.2 * platform.rate_bar[POOL_LIKE], 0.1, 30);
    }
    assert_true(by_likes <= rule->alpha * runs && by_longs <= rule->alpha * runs);
    assert_true(bad > 15); /* and it does stop what is bad */
}

/* A value at the bar needs a rate at its bar: what the guarantee rests on. */
static void bars_fit_together(void **state)
{
    double value = 0;

    (void)state;
    for (uint32_t m = 0; m < POOL_METRICS; m++)
        value += platform.weight[m] * platform.rate_bar[m];
    assert_true(fabs(value - platform.bar) < 1e-9);
}

static void a_second_audience_comes_before_a_stop(void **state)
{
    struct pool_item item = item_of(0, 0, 0);
    bool went = false;

    (void)state;
    for (double n = 0; n < 4000; n += 20) {
        struct pool_decision decision;

        item.seen[0].n = n;
        decision = step(&item);
        item.stage = decision.stage;
        assert_int_not_equal(decision.verdict, POOL_STOP); /* whatever the first does alone */
        went = went || decision.verdict == POOL_SECOND;
        assert_true(!went || decision.audience == 1);
    }
    assert_true(went);
    item.seen[1].n = 4000;
    assert_int_equal(step(&item).verdict, POOL_STOP);
    assert_true(step(&item).budget == 0 && step(&item).expires_us > 0);
    item.seen[1].s[POOL_LIKE] = 800; /* the second likes it */
    assert_int_not_equal(step(&item).verdict, POOL_STOP);
    assert_int_equal(step(&item).audience, 1);
    assert_true(step(&item).share > 0.9);
}

/* A22: viewers of no weight, who never like, are not there; the same weight for a view and what
 * follows it. */
static void weight_cancels(void **state)
{
    struct pool_item whole = item_of(400, 140, 20), half = item_of(200, 70, 10);
    struct pool_decision one = step(&whole), two = step(&half);

    (void)state;
    /* half the weight is half the evidence, and the same rate */
    for (uint32_t m = POOL_LONG; m <= POOL_LIKE; m++)
        assert_true(one.gate[0][m].count.s / one.gate[0][m].count.n ==
                    two.gate[0][m].count.s / two.gate[0][m].count.n);
    assert_true(two.gate[0][POOL_LIKE].high - two.gate[0][POOL_LIKE].low >
                one.gate[0][POOL_LIKE].high - one.gate[0][POOL_LIKE].low);
}

static void a_stage_is_climbed(void **state)
{
    struct pool_item item = item_of(0, 0, 0);

    (void)state;
    assert_int_equal(step(&item).verdict, POOL_FIRST);
    assert_true(step(&item).budget == rule->first);
    item = item_of(rule->stage_end[0], 20, 4);
    assert_int_equal(step(&item).verdict, POOL_CLIMB);
    assert_int_equal(step(&item).stage, 1);
    assert_true(step(&item).room == rule->stage_end[1] - rule->stage_end[0]);
    item = item_of(rule->stage_end[0] - 1, 20, 4);
    assert_int_equal(step(&item).stage, 0);
}

/* An impression more or less, also a bit of one by somebody who hardly counts, moves the room by
 * little, wherever on the ladder; with an edge, what is one impression before its end has a room of
 * one, and one impression later a room of thousands. */
static void a_stage_has_no_edge(void **state)
{
    const struct pool_rule *douyin = pool_rule_of("douyin");
    uint32_t stage = 0;

    (void)state;
    for (double seen = rule->first; seen < 2 * rule->stage_end[rule->stages - 2]; seen *= 1.003) {
        double before = pool_room(rule, stage, seen), after;

        while (seen * 1.003 >= rule->stage_end[stage])
            stage++;
        after = pool_room(rule, stage, seen * 1.003);
        assert_true(before > 0 && after > 0 && fabs(after / before - 1) < 0.01);
    }
    assert_true(pool_room(rule, 2, 200) == 800 && pool_room(rule, 1, 200) == 800);
    assert_true(pool_room(rule, rule->stages - 1, rule->stage_end[rule->stages - 1]) == 0);
    assert_true(pool_room(douyin, 0, 99) == 1);
}

static void comments_break_out(void **state)
{
    double before = 0;

    (void)state;
    for (double comments = 0; comments <= 120; comments += 2) {
        struct pool_item item = item_of(200, 60, 6);
        struct pool_decision decision;

        item.seen[0].s[POOL_COMMENT] = comments;
        decision = step(&item);
        assert_true(decision.widen >= before); /* it widens first, and then breaks out */
        before = decision.widen;
        assert_int_equal(decision.breakout,
                         decision.gate[decision.audience][POOL_COMMENT].low > 0.15);
        assert_true(!decision.breakout || decision.widen > 0.99);
    }
    assert_true(before == 1);
}

static void audiences_are_apart(void **state)
{
    struct pool_decision first = {.audience = 0}, second = {.audience = 1};

    (void)state;
    for (double fit = 0.5; fit <= 2; fit += 0.01)
        assert_false(pool_suits(&first, fit, 0.5) && pool_suits(&second, fit, 0.5));
    assert_true(pool_suits(&first, 0.5, 0.05) && pool_suits(&second, 2, 0.05)); /* exploration */
    first.circle = 1;
    for (first.widen = 0; first.widen < 1; first.widen += 0.1)
        assert_int_equal(pool_suits(&first, 1.2 - 0.3 * first.widen + 0.001, 0.5), true);
}

/* --- what the platform teaches
 * ----------------------------------------------------------------------- */

static void tags_teach(void **state)
{
    struct gate_beta prior[POOL_METRICS];
    struct pool_tag loved = {.items = 200}, unknown = {.items = 0};

    (void)state;
    loved.rates[POOL_LIKE] = 200 * 0.1;
    pool_prior(&platform, &loved, prior);
    assert_true(gate_mean(prior[POOL_LIKE]) > 0.09 && gate_mean(prior[POOL_LIKE]) < 0.1);
    pool_prior(&platform, &unknown, prior);
    assert_true(fabs(gate_mean(prior[POOL_LIKE]) - gate_mean(platform.rate[POOL_LIKE])) < 1e-9);
    pool_prior(&platform, NULL, prior);
    assert_true(prior[POOL_LIKE].a == platform.rate[POOL_LIKE].a);
}

static void nothing_learnt_is_as_published(void **state)
{
    struct pool_platform fresh;
    struct pool_past past[3] = {{.seen = {.n = 1000, .s = {300, 30}}}};
    struct pool_tag tags[1];
    double value[3];

    (void)state;
    assert_false(pool_learn(rule, past, 3, value, tags, 1, &fresh));
    assert_true(fresh.rate[POOL_LIKE].a == 0.75 && fresh.rate[POOL_LIKE].b == 49.25);
}

/* --- deals
 * -------------------------------------------------------------------------------------------- */

#define ENTRIES 60

static void fill(struct test_random *random, struct pool_entry *entry, uint32_t count,
                 uint32_t authors)
{
    for (uint32_t i = 0; i < count; i++)
        entry[i] = (struct pool_entry){.id = i,
                                       .author = test_random_below(random, authors),
                                       .share = unit(random),
                                       .room = (double)test_random_below(random, 500),
                                       .due = test_random_below(random, 5) == 0 ? 8 : 0,
                                       .newcomer = test_random_below(random, 4) == 0};
}

static void check_deal(const struct pool_rule *with, struct pool_entry *entry, double supply,
                       double given)
{
    double sum = 0, due = 0, author_sum[ENTRIES] = {0}, author_due[ENTRIES] = {0};

    for (uint32_t i = 0; i < ENTRIES; i++)
        due += entry[i].due;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_true(entry[i].budget >= 0 &&
                    entry[i].budget <= entry[i].due + entry[i].share * entry[i].room + 1e-6);
        assert_true(due > supply || entry[i].budget >= entry[i].due - 1e-9);
        sum += entry[i].budget;
        author_sum[entry[i].author] += entry[i].budget;
        author_due[entry[i].author] += entry[i].due;
    }
    assert_true(sum <= supply + 1e-6 && fabs(sum - given) < 1e-6);
    for (uint32_t a = 0; a < ENTRIES; a++)
        assert_true(author_sum[a] <= fmax(with->author_cap * supply, author_due[a]) + 1e-6);
}

static void deals_keep_their_bounds(void **state)
{
    struct test_random random = {test_seed(31)};
    struct pool_entry entry[ENTRIES];

    (void)state;
    for (uint32_t r = 0; r < 1000; r++) {
        double supply = (double)test_random_below(&random, 6000);

        fill(&random, entry, ENTRIES, 1 + (uint32_t)test_random_below(&random, ENTRIES));
        check_deal(rule, entry, supply, pool_deal(rule, entry, ENTRIES, supply));
    }
}

static void one_level_for_all(void **state)
{
    struct pool_rule plain = *rule;
    struct pool_entry entry[4] = {{.id = 0, .author = 0, .share = 1, .room = 1000},
                                  {.id = 1, .author = 1, .share = 0.5, .room = 1000},
                                  {.id = 2, .author = 2, .share = 0.25, .room = 8},
                                  {.id = 3, .author = 3, .share = 0, .room = 1000}};

    (void)state;
    plain.newcomer_share = 0;
    plain.author_cap = 1;
    assert_true(fabs(pool_deal(&plain, entry, 4, 302) - 302) < 1e-6);
    assert_true(fabs(entry[0].budget - 200) < 1e-6 && fabs(entry[1].budget - 100) < 1e-6);
    assert_true(fabs(entry[2].budget - 2) < 1e-6 && entry[3].budget == 0);
    assert_true(fabs(pool_deal(&plain, entry, 4, 1e6) - 1502) <
                1e-6); /* what nobody can use stays */
}

static void newcomers_have_a_floor(void **state)
{
    struct pool_entry entry[40];

    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        entry[i] = (struct pool_entry){
            .id = i, .author = i, .share = i < 4 ? 0.01 : 0.9, .room = 100000, .newcomer = i < 4};
    pool_deal(rule, entry, 40, 10000);
    double newcomers = 0;
    for (uint32_t i = 0; i < 40; i++)
        newcomers += entry[i].newcomer ? entry[i].budget : 0;
    assert_true(fabs(newcomers - 1000) < 1);
}

static void an_author_is_bounded(void **state)
{
    struct pool_entry entry[60];
    double first = 0, one = 0;

    (void)state;
    for (uint32_t i = 0; i < 60; i++)
        entry[i] =
            (struct pool_entry){.id = i, .author = i < 20 ? 0 : i, .share = 0.9, .room = 100000};
    pool_deal(rule, entry, 60, 10000);
    for (uint32_t i = 0; i < 60; i++) {
        first += entry[i].author == 0 ? entry[i].budget : 0;
        one += entry[i].author == 59 ? entry[i].budget : 0;
    }
    assert_true(fabs(first - 500) < 1e-3); /* 5 % */
    assert_true(fabs(one - 9500.0 / 40) < 1e-3);
    assert_true(fabs(entry[0].budget / entry[1].budget - 2) <
                1e-9); /* a second item of the author: half */
}

static void first_budgets(void **state)
{
    (void)state;
    assert_true(pool_multiplier(0) == 0.5 && pool_multiplier(50) == 1 && pool_multiplier(100) == 2);
    assert_true(pool_multiplier(-5) == 0.5 && pool_multiplier(1e9) == 2);
    assert_true(pool_first(rule, 0, false) == rule->first / 2);
    assert_true(pool_first(rule, 0, true) == rule->floor); /* newcomers have a floor */
    assert_true(pool_first(rule, 100, true) == 2 * rule->first);
}

/* --- credits
 * --------------------------------------------------------------------------------------------- */

static void credits_are_booked(void **state)
{
    struct pool_credit credit = {0};
    struct pool_purse purse = {.limit = 900};

    (void)state;
    assert_int_equal(pool_credit_grant(&credit, &purse, 11, 0, false, 0), POOL_CREDIT_NOT_NEW);
    assert_int_equal(pool_credit_grant(&credit, &purse, 2, POOL_CREDIT_AGE_US + 1, false, 0),
                     POOL_CREDIT_NOT_NEW);
    assert_int_equal(pool_credit_grant(&credit, &purse, 2, DAY_US, true, 0),
                     POOL_CREDIT_RESTRICTED);
    assert_true(purse.given == 0);
    assert_int_equal(pool_credit_grant(&credit, &purse, 2, DAY_US, false, 1000), POOL_CREDIT_GIVEN);
    assert_int_equal(pool_credit_grant(&credit, &purse, 2, DAY_US, false, 1000), POOL_CREDIT_HAS);
    struct pool_credit other = {0};
    assert_int_equal(pool_credit_grant(&other, &purse, 2, DAY_US, false, 1000), POOL_CREDIT_EMPTY);
    assert_true(pool_credit_spend(&credit, 120, 2000) == 120);
    assert_true(pool_credit_left(&credit, 2000) == 380);
    assert_true(pool_credit_spend(&credit, 1000, 1000 + POOL_CREDIT_US) == 0); /* lapsed */
    assert_true(credit.granted == credit.spent + credit.lapsed);
    assert_true(pool_credit_spend(&other, 5, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_whole),
        cmocka_unit_test(douyin_is_literal),
        cmocka_unit_test(one_like_is_no_cliff),
        cmocka_unit_test(share_is_a_curve),
        cmocka_unit_test(negative_feedback_never_helps),
        cmocka_unit_test(good_items_are_not_stopped),
        cmocka_unit_test(bars_fit_together),
        cmocka_unit_test(a_second_audience_comes_before_a_stop),
        cmocka_unit_test(weight_cancels),
        cmocka_unit_test(a_stage_is_climbed),
        cmocka_unit_test(a_stage_has_no_edge),
        cmocka_unit_test(comments_break_out),
        cmocka_unit_test(audiences_are_apart),
        cmocka_unit_test(tags_teach),
        cmocka_unit_test(nothing_learnt_is_as_published),
        cmocka_unit_test(deals_keep_their_bounds),
        cmocka_unit_test(one_level_for_all),
        cmocka_unit_test(newcomers_have_a_floor),
        cmocka_unit_test(an_author_is_bounded),
        cmocka_unit_test(first_budgets),
        cmocka_unit_test(credits_are_booked),
    };

    return cmocka_run_group_tests(tests, learn, NULL);
}
