/* How items do: each measure with its denominator, interval and band; that less hate is better;
 * that the diversity of an audience is Simpson's, found without keeping who it was. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "readers/discover/discover.h"
#include "schema/verb.h"

#define START (1700000000LL * 1000000)

static struct signals of(uint64_t n, uint64_t success, uint32_t raw, uint32_t valid)
{
    struct signals signals = {.impressions_pct = 100 * n};

    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++)
        signals.tally[signal].success_pct = 100 * success;
    signals.tally[SIGNAL_REPORT].success_pct = 0;
    signals.tally[SIGNAL_LIKE].raw = raw;
    signals.tally[SIGNAL_LIKE].valid = valid;
    return signals;
}

static void bands_by_the_whole_interval(void **state)
{
    static const struct {
        uint64_t n, s;
        enum health_band band;
    } cases[] = {{49, 49, HEALTH_UNKNOWN}, {50, 50, HEALTH_STRONG},      {50, 2, HEALTH_USUAL},
                 {400, 0, HEALTH_WEAK},    {400, 40, HEALTH_USUAL},      {400, 80, HEALTH_STRONG},
                 {400, 16, HEALTH_WEAK},   {100000, 10500, HEALTH_USUAL}};
    struct signals platform = of(1000, 100, 1000, 900);
    struct health_sums usual = {0};

    (void)state;
    health_add(&usual, &platform, &(struct health_pairs){.pairs = 100, .alike = 50});
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct signals item = of(cases[i].n, cases[i].s, 60, 60);
        struct health_sums sums = {0};
        struct health like, negative;

        health_add(&sums, &item, &(struct health_pairs){.pairs = 40, .alike = 0});
        like = health_of(&sums, &usual, HEALTH_LIKE);
        negative = health_of(&sums, &usual, HEALTH_NEGATIVE);
        assert_int_equal(like.band, cases[i].band);
        assert_true(like.of == (double)cases[i].n && like.usual == 0.1);
        assert_true(like.rate.low <= like.rate.rate + 1e-9);
        assert_true(like.rate.rate <= like.rate.high + 1e-9);
        assert_int_equal(negative.band, cases[i].band == HEALTH_WEAK     ? HEALTH_STRONG
                                        : cases[i].band == HEALTH_STRONG ? HEALTH_WEAK
                                                                         : cases[i].band);
        assert_int_equal(health_of(&sums, &usual, HEALTH_DIVERSITY).band, HEALTH_UNKNOWN);
        assert_true(health_of(&sums, &usual, HEALTH_AUTHENTICITY).rate.rate == 1);
        assert_true(health_of(&sums, &usual, HEALTH_AUTHENTICITY).usual == 0.9);
    }
}

/* Items of a creator together are the sum of their counts, not a mean of their rates. */
static void items_add_up(void **state)
{
    struct signals one = of(1000, 10, 10, 10), two = of(10, 10, 90, 0);
    struct health_sums sums = {0}, none = {0};

    (void)state;
    health_add(&sums, &one, &(struct health_pairs){.pairs = 30, .alike = 30});
    health_add(&sums, &two, &(struct health_pairs){.pairs = 10, .alike = 0});
    assert_true(fabs(health_of(&sums, &none, HEALTH_SHARE).rate.rate - 20.0 / 1010) < 1e-12);
    assert_true(health_of(&sums, &none, HEALTH_AUTHENTICITY).rate.rate == 0.1);
    assert_true(health_of(&sums, &none, HEALTH_DIVERSITY).rate.rate == 0.25);
    for (uint32_t m = 0; m < HEALTH_MEASURES; m++) /* nothing to compare with */
        assert_int_equal(health_of(&sums, &none, m).band, HEALTH_UNKNOWN);
}

static void pairs_are_simpsons_index(void **state)
{
    struct test_random random = {test_seed(1)};
    struct health_pairs pairs = {0}, all = {0};
    double sum = 0;

    (void)state;
    for (uint32_t i = 1; i <= 10; i++) /* interest i of so many viewers of 55 */
        sum += (double)(i * i) / (55.0 * 55);
    for (uint32_t i = 0; i < 60000; i++) {
        uint64_t at = test_random_below(&random, 55);
        uint32_t interest = 1;

        while (at >= interest)
            at -= interest++;
        health_seen(&pairs, &all, interest);
    }
    assert_int_equal(pairs.pairs, 59999);
    assert_int_equal(all.pairs, pairs.pairs);
    assert_true(fabs((double)pairs.alike / pairs.pairs - sum) < 0.01);
    pairs = (struct health_pairs){.last = 1, .pairs = UINT32_MAX, .alike = 7};
    health_seen(&pairs, &all, 1);
    assert_true(pairs.pairs == UINT32_MAX && pairs.alike == 7);
}

/* --- from records --------------------------------------------------------------------------------
 */

static struct discover discover;

static void tell(uint8_t kind, uint64_t account, uint64_t item, uint32_t fields, const char *text)
{
    static uint64_t sequence;

    sequence++;
    struct record record = {.kind = kind,
                            .sequence = sequence,
                            .time_us = START + (int64_t)sequence,
                            .fields = RECORD_CHANGED | fields,
                            .account = account,
                            .target = item,
                            .text = text,
                            .text_size = (uint8_t)(text != NULL ? strlen(text) : 0)};

    if (kind == VERB_VIEW) {
        record.fields |= RECORD_HAS_ARGS;
        record.a = record.b = 20000;
    }
    if (kind == VERB_ACCOUNT_SET) {
        record.a = (uint64_t)SWITCH_IMPERSONAL << 16;
        record.c = PORTRAIT_PERSONAL;
    }
    discover_apply(&discover, &record);
}

static void only_attested_viewers_with_interests_count(void **state)
{
    const struct item *item;

    (void)state;
    assert_int_equal(discover_open(&discover, 8u << 20, &discover_defaults), STATUS_OK);
    tell(VERB_ITEM_TAG, 0, 1, RECORD_HAS_TEXT, "cats");
    tell(VERB_ITEM_TAG, 0, 2, RECORD_HAS_TEXT, "news");
    for (uint64_t account = 10; account < 30; account++)
        tell(VERB_LIKE, account, 1 + account % 2, 0, NULL);
    for (uint64_t account = 10; account < 18; account++) /* cats and news in turn */
        tell(VERB_VIEW, account, 3, RECORD_HAS_IMPRESSION, NULL);
    tell(VERB_VIEW, 17, 3, RECORD_HAS_IMPRESSION, NULL); /* the same once more */
    tell(VERB_VIEW, 18, 3, 0, NULL);                     /* not attested */
    tell(VERB_VIEW, 99, 3, RECORD_HAS_IMPRESSION, NULL); /* nobody knows what interests him */
    tell(VERB_ACCOUNT_SET, 20, 0, RECORD_HAS_ARGS | RECORD_HAS_EXTRA, NULL);
    tell(VERB_VIEW, 20, 3, RECORD_HAS_IMPRESSION, NULL); /* nobody may know */
    item = discover_item(&discover, 0, 3);
    assert_int_equal(item->viewed.pairs, 7);
    assert_int_equal(item->viewed.alike, 0);
    tell(VERB_VIEW, 21, 3, RECORD_HAS_IMPRESSION, NULL); /* as the last that counted: 17 */
    item = discover_item(&discover, 0, 3);
    assert_int_equal(item->viewed.pairs, 8);
    assert_int_equal(item->viewed.alike, 1);
    assert_int_equal(discover.viewed.pairs, 8);
    discover_close(&discover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_by_the_whole_interval),
        cmocka_unit_test(items_add_up),
        cmocka_unit_test(pairs_are_simpsons_index),
        cmocka_unit_test(only_attested_viewers_with_interests_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
