/* The order of a page: held against its definition, written naively (determinants by elimination,
 * everything counted anew for each place), and its promises under random candidates. */
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/feed.h"

#define JITTER 0.05 /* as in feed.c: two equal candidates stay a finite penalty apart */
#define TAGS   12
#define MAX    60

static const struct feed_past nothing;
static struct feed_work work;

static uint32_t below(struct test_random *random, uint32_t bound)
{
    return (uint32_t)test_random_below(random, bound);
}

static struct feed_item some_item(struct test_random *random, uint64_t id, uint32_t creators)
{
    struct feed_item item = {.item = id,
                             .creator = below(random, creators),
                             .score = 0.05 + below(random, 1000) / 1000.0,
                             .source = (uint8_t)below(random, FEED_SOURCE_COUNT),
                             .trait_count = (uint8_t)below(random, 5)};

    for (uint8_t i = 0; i < item.trait_count; i++)
        item.traits[i] = (struct feed_trait){i * (uint32_t)(TAGS / 4) + below(random, TAGS / 4) + 1,
                                             (float)(1 + below(random, 3))};
    return item;
}

static void some_past(struct test_random *random, struct feed_past *past, uint32_t creators)
{
    past->count = below(random, FEED_PAST + 1);
    for (uint32_t i = 0; i < past->count; i++) {
        past->at[i].creator = below(random, creators);
        past->at[i].trait = below(random, 3); /* long runs happen */
    }
}

/* --- the definition ------------------------------------------------------------------------------
 */

struct twin {
    const struct feed_rule *rule;
    const struct feed_past *past;
    const struct feed_item *items;
    uint32_t count, placed, places[MAX];
};

static double determinant(double matrix[MAX][MAX], uint32_t n)
{
    double product = 1;

    for (uint32_t k = 0; k < n; k++) {
        product *= matrix[k][k]; /* positive definite: no pivots needed */
        for (uint32_t i = k + 1; i < n; i++) {
            double factor = matrix[i][k] / matrix[k][k];

            for (uint32_t j = k; j < n; j++)
                matrix[i][j] -= factor * matrix[k][j];
        }
    }
    return product;
}

static double gram(const struct twin *twin, const uint32_t *set, uint32_t n)
{
    static double matrix[MAX][MAX];

    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            matrix[i][j] =
                i == j ? 1 : (1 - JITTER) * feed_alike(&twin->items[set[i]], &twin->items[set[j]]);
    return n == 0 ? 1 : determinant(matrix, n);
}

static double twin_worth(struct twin *twin, uint32_t i)
{
    const struct feed_item *item = &twin->items[i];
    uint32_t same = 0, streak = 0, shown_count = 0;
    uint32_t trait = item->trait_count > 0 ? item->traits[0].id : 0;
    struct {
        uint64_t creator;
        uint32_t trait;
    } shown[MAX + FEED_PAST]; /* newest first */
    double author, share, before;

    for (uint32_t p = twin->placed; p > 0; p--) {
        const struct feed_item *placed = &twin->items[twin->places[p - 1]];

        shown[shown_count].creator = placed->creator;
        shown[shown_count++].trait = placed->trait_count > 0 ? placed->traits[0].id : 0;
    }
    for (uint32_t p = 0; p < twin->past->count; p++) {
        shown[shown_count].creator = twin->past->at[p].creator;
        shown[shown_count++].trait = twin->past->at[p].trait;
    }
    for (uint32_t p = 0; p < shown_count; p++)
        same += shown[p].creator == item->creator;
    while (trait != 0 && streak < shown_count && shown[streak].trait == trait)
        streak++;
    author = (1 - twin->rule->author_floor) * pow(twin->rule->author_decay, same) +
             twin->rule->author_floor;
    share = (double)streak / twin->rule->streak;
    before = gram(twin, twin->places, twin->placed);
    twin->places[twin->placed] = i;
    return log(item->score * author / (1 + pow(share, 4))) +
           twin->rule->diversity * log(gram(twin, twin->places, twin->placed + 1) / before);
}

static void agrees_with_the_definition(void **state)
{
    struct test_random random = {test_seed(1)};

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct feed_item items[MAX];
        struct feed_past past;
        struct feed_rule rule = feed_rule_default();
        struct twin twin = {.rule = &rule, .past = &past, .items = items};
        uint32_t places[MAX];
        uint32_t count = 1 + below(&random, 40), n = 1 + below(&random, 12), placed;

        rule.pool_share = rule.newcomer_share = 0; /* shares have their own test */
        rule.author_cap = MAX;
        rule.streak = 1 + below(&random, 10);
        for (uint32_t i = 0; i < count; i++) {
            items[i] = some_item(&random, 1000 + i, 8);
            items[i].source = FEED_MODEL;
        }
        some_past(&random, &past, 8);
        placed = feed_rank(&rule, &past, items, count, test_random_next(&random), &work, places, n);
        assert_int_equal(placed, n < count ? n : count);
        for (uint32_t p = 0; p < placed; p++) {
            double got, best = -INFINITY;

            twin.placed = p;
            memcpy(twin.places, places, sizeof twin.places);
            for (uint32_t i = 0; i < count; i++) {
                bool before = false;

                for (uint32_t q = 0; q < p; q++)
                    before = before || places[q] == i;
                if (!before && twin_worth(&twin, i) > best)
                    best = twin_worth(&twin, i);
            }
            got = twin_worth(&twin, places[p]);
            assert_true(got >= best - 1e-4); /* rows are floats */
        }
    }
}

/* --- promises ------------------------------------------------------------------------------------
 */

static void no_item_twice_and_few_of_one_creator(void **state)
{
    struct test_random random = {test_seed(2)};

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct feed_item items[MAX];
        struct feed_rule rule = feed_rule_default();
        uint32_t places[MAX];
        uint32_t count = 1 + below(&random, MAX), n = 1 + below(&random, MAX), placed;
        uint32_t creators = 1 + below(&random, 10), possible = 0;

        rule.author_cap = 1 + below(&random, 4);
        rule.campaign_share = 1;
        for (uint32_t i = 0; i < count; i++) /* half of them twice */
            items[i] = some_item(&random, 1000 + below(&random, count / 2 + 1), creators);
        for (uint32_t i = 0; i < count; i++) /* one creator for an item, as it is */
            items[i].creator = items[i].item % creators;
        placed =
            feed_rank(&rule, &nothing, items, count, test_random_next(&random), &work, places, n);
        for (uint64_t creator = 0; creator < creators; creator++) {
            uint32_t distinct = 0;

            for (uint64_t id = 1000; id < 1000 + MAX; id++) {
                bool there = false;

                for (uint32_t i = 0; i < count; i++)
                    there = there || (items[i].item == id && items[i].creator == creator);
                distinct += there;
            }
            possible += distinct < rule.author_cap ? distinct : rule.author_cap;
        }
        for (uint32_t p = 0; p < placed; p++) {
            uint32_t same = 0;

            for (uint32_t q = 0; q < p; q++) {
                assert_true(items[places[q]].item != items[places[p]].item);
                same += items[places[q]].creator == items[places[p]].creator;
            }
            if (p < possible)
                assert_true(same < rule.author_cap);
        }
    }
}

static void the_order_given_does_not_matter(void **state)
{
    struct test_random random = {test_seed(3)};

    (void)state;
    for (int round = 0; round < 100; round++) {
        struct feed_item items[MAX], mixed[MAX];
        struct feed_rule rule = feed_rule_default();
        uint32_t places[MAX], again[MAX];

        for (uint32_t i = 0; i < MAX; i++) {
            items[i] = some_item(&random, 1000 + i, 6);
            items[i].score = 1 + below(&random, 3); /* many equals */
        }
        memcpy(mixed, items, sizeof mixed);
        for (uint32_t i = MAX - 1; i > 0; i--) {
            uint32_t j = below(&random, i + 1);
            struct feed_item swap = mixed[i];

            mixed[i] = mixed[j];
            mixed[j] = swap;
        }
        assert_int_equal(feed_rank(&rule, &nothing, items, MAX, 77, &work, places, 20), 20);
        assert_int_equal(feed_rank(&rule, &nothing, mixed, MAX, 77, &work, again, 20), 20);
        for (uint32_t p = 0; p < 20; p++)
            assert_int_equal(items[places[p]].item, mixed[again[p]].item);
    }
}

/* Of a page of 100: 15 places for what is tried, 5 for newcomers, whatever the seed, one more or
 * less for the start; also when nothing there is worth as much as the rest. */
static void shares_are_kept(void **state)
{
    struct test_random random = {test_seed(4)};

    (void)state;
    for (int round = 0; round < 20; round++) {
        static struct feed_item items[FEED_CANDIDATES_MAX];
        struct feed_rule rule = feed_rule_default();
        uint32_t places[FEED_PLACES_MAX], tried = 0, new = 0;

        for (uint32_t i = 0; i < FEED_CANDIDATES_MAX; i++) {
            items[i] = some_item(&random, 1000 + i, 500);
            items[i].source = i % 4 == 0 ? FEED_POOL : i % 4 == 1 ? FEED_NEWCOMER : FEED_MODEL;
            items[i].score = items[i].source == FEED_MODEL ? 1 : 0.001;
        }
        assert_int_equal(feed_rank(&rule, &nothing, items, FEED_CANDIDATES_MAX,
                                   test_random_next(&random), &work, places, 100),
                         100);
        for (uint32_t p = 0; p < 100; p++) {
            tried += items[places[p]].source == FEED_POOL;
            new += items[places[p]].source == FEED_NEWCOMER;
        }
        assert_in_range(tried, 14, 16);
        assert_in_range(new, 4, 6);
    }
}

/* That there is nothing to try takes nothing from newcomers. */
static void a_share_does_not_wait_for_another(void **state)
{
    struct feed_item items[MAX];
    struct feed_rule rule = feed_rule_default();
    struct test_random random = {test_seed(5)};
    uint32_t places[20], new = 0;

    (void)state;
    for (uint32_t i = 0; i < MAX; i++) {
        items[i] = some_item(&random, 1000 + i, 500);
        items[i].source = i % 2 ? FEED_NEWCOMER : FEED_MODEL;
        items[i].score = i % 2 ? 0.001 : 1;
    }
    assert_int_equal(feed_rank(&rule, &nothing, items, MAX, 0, &work, places, 20), 20);
    for (uint32_t p = 0; p < 20; p++)
        new += items[places[p]].source == FEED_NEWCOMER;
    assert_int_equal(new, 1);
}

/* Ten of a kind in a row: an eleventh must be worth twice as much as another kind; nine or eleven
 * change that little (no cliff). */
static void sameness_costs_without_a_cliff(void **state)
{
    double last = 1;

    (void)state;
    for (uint32_t run = 0; run <= 20; run++) {
        struct feed_past past = {.count = run};
        struct feed_rule rule = feed_rule_default();
        double low = 1, high = 64, factor;

        rule.pool_share = rule.newcomer_share = 0;
        for (uint32_t i = 0; i < run; i++) {
            past.at[i].creator = 500 + i;
            past.at[i].trait = 9;
        }
        for (int step = 0; step < 40; step++) { /* the score at which the same kind comes first */
            double score = (low + high) / 2;
            struct feed_item items[2] = {
                {.item = 1, .creator = 1, .score = score, .trait_count = 1, .traits = {{9, 1}}},
                {.item = 2, .creator = 2, .score = 1, .trait_count = 1, .traits = {{8, 1}}}};
            uint32_t place;

            feed_rank(&rule, &past, items, 2, 0, &work, &place, 1);
            *(place == 0 ? &high : &low) = score;
        }
        factor = 1 / high;
        if (run == 10)
            assert_true(fabs(factor - 0.5) < 1e-6);
        assert_true(factor <= last && last - factor < 0.11);
        last = factor;
    }
}

static void paid_exposure_keeps_to_its_share(void **state)
{
    struct test_random random = {test_seed(6)};

    (void)state;
    for (int round = 0; round < 20; round++) {
        struct feed_item items[MAX];
        struct feed_rule rule = feed_rule_default();
        uint32_t places[MAX], placed, paid = 0;

        for (uint32_t i = 0; i < MAX; i++) {
            items[i] = some_item(&random, 1000 + i, 500);
            items[i].source = i % 2 ? FEED_CAMPAIGN : FEED_MODEL;
            items[i].score = round % 2 == 0 ? 1 : i % 2 ? 1000 : 0.001;
        }
        placed =
            feed_rank(&rule, &nothing, items, MAX, test_random_next(&random), &work, places, 20);
        assert_int_equal(placed, 20);
        for (uint32_t p = 0; p < placed; p++)
            paid += items[places[p]].source == FEED_CAMPAIGN;
        assert_in_range(paid, 1, 2);
        for (uint32_t i = 0; i < MAX; i++) /* nothing but what is paid for: an almost empty page */
            items[i].source = FEED_CAMPAIGN;
        placed =
            feed_rank(&rule, &nothing, items, MAX, test_random_next(&random), &work, places, 20);
        assert_in_range(placed, 0, 1);
    }
}

static void what_is_alike_is_spread(void **state)
{
    struct feed_item items[6];
    struct feed_rule rule = feed_rule_default();
    uint32_t places[6];

    (void)state;
    for (uint32_t i = 0; i < 6; i++) /* three about 7, slightly better; three about other things */
        items[i] = (struct feed_item){.item = i,
                                      .creator = 10 + i,
                                      .score = i < 3 ? 1.1 : 1,
                                      .trait_count = 1,
                                      .traits = {{i < 3 ? 7 : 20 + i, 1}}};
    feed_rank(&rule, &nothing, items, 6, 0, &work, places, 4);
    assert_int_equal(places[0], 0);
    for (uint32_t p = 1; p < 4; p++)
        assert_true(places[p] >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(no_item_twice_and_few_of_one_creator),
        cmocka_unit_test(the_order_given_does_not_matter),
        cmocka_unit_test(shares_are_kept),
        cmocka_unit_test(a_share_does_not_wait_for_another),
        cmocka_unit_test(sameness_costs_without_a_cliff),
        cmocka_unit_test(paid_exposure_keeps_to_its_share),
        cmocka_unit_test(what_is_alike_is_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
