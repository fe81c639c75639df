/* Bands of what an item's likes are worth: each like in one, by its edge, from memory and from the
 * store alike; and what is not told cannot be reckoned from what is. */
#include "support.h"

#include "engine/quality.h"
#include "schema/access.h"
#include "support/test_engine.h"

#define ITEM    9
#define CREATOR 42

static struct test_engine test;

static int open_engine(void **state)
{
    struct request set = {.verb = VERB_ITEM_SET, .target = ITEM, .flags = REQUEST_HAS_CREATOR};

    (void)state;
    test_engine_open(&test, NULL);
    set.u.item.creator = CREATOR;
    test_engine_ask(&test, &set);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    return 0;
}

/* Likes of new accounts, worth that much. */
static void likes(uint64_t *account, uint32_t count, uint8_t weight, uint8_t mark)
{
    for (uint32_t i = 0; i < count; i++) {
        struct request like = test_set(VERB_LIKE, ++*account, ITEM);
        struct record settle = {.kind = RECORD_SETTLE,
                                .fields = RECORD_HAS_VERDICT | RECORD_CHANGED,
                                .account = *account,
                                .target = ITEM,
                                .a = mark == MARK_VOIDED ? 7 : 0,
                                .verdict = {.weight_pct = weight,
                                            .mark = mark,
                                            .reason = weight < 100 ? REASON_YOUNG : REASON_NONE}};

        assert_int_equal(test_engine_ask(&test, &like)->status, STATUS_OK);
        if (weight < WEIGHT_FULL || mark != MARK_PLAIN)
            test_engine_settle(&test, &settle);
    }
}

static struct quality shield(void)
{
    struct request request = {.verb = VERB_SHIELD,
                              .target = ITEM,
                              .count = 16,
                              .role = ROLE_CREATOR,
                              .subject = CREATOR,
                              .object_rule = RULE_ITEM};
    const struct reply *reply;

    reply = test_engine_ask(&test, &request);
    assert_int_equal(reply->kind, REPLY_SHIELD);
    assert_non_null(reply->quality);
    return *reply->quality;
}

static void each_like_is_in_its_band(void **state)
{
    uint64_t account = 0;
    struct quality told;

    (void)state;
    likes(&account, 30, 100, MARK_PLAIN);
    likes(&account, 7, 99, MARK_PLAIN);
    likes(&account, 8, 50, MARK_PLAIN);
    test_engine_flush(&test);
    likes(&account, 9, 49, MARK_PLAIN);
    likes(&account, 10, 0, MARK_PLAIN);
    likes(&account, 11, 80, MARK_HELD);
    likes(&account, 12, 80, MARK_QUARANTINED);
    likes(&account, 13, 100, MARK_VOIDED);
    told = shield();
    assert_int_equal(told.looked, 100);
    assert_int_equal(told.hidden, 0);
    assert_int_equal(told.likes[QUALITY_FULL], 30);
    assert_int_equal(told.likes[QUALITY_MOST], 15);
    assert_int_equal(told.likes[QUALITY_SOME], 9);
    assert_int_equal(told.likes[QUALITY_NONE], 10);
    assert_int_equal(told.likes[QUALITY_WAITING], 23);
    assert_int_equal(told.likes[QUALITY_VOIDED], 13);
}

static void only_the_newest_are_looked_at(void **state)
{
    uint64_t account = 0;
    struct quality told;

    (void)state;
    likes(&account, 300, 0, MARK_PLAIN);
    for (int i = 0; i < 11; i++) {
        likes(&account, 100, 100, MARK_PLAIN);
        test_engine_flush(&test);
    }
    told = shield();
    assert_in_range(told.looked, QUALITY_LOOKS, QUALITY_LOOKS + 128);
    assert_int_equal(told.likes[QUALITY_NONE] + told.likes[QUALITY_FULL], told.looked);
    assert_true(told.likes[QUALITY_FULL] >= QUALITY_LOOKS);
}

/* A band of few is hidden, and never alone with less than that: nobody is found out by a sum. */
static void few_are_not_told(void **state)
{
    struct test_random random = {test_seed(7)};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct quality quality = {0};
        uint32_t hidden = 0, told = 0;

        for (uint32_t band = 0; band < QUALITY_BANDS; band++)
            quality.likes[band] = (uint32_t)test_random_below(&random, i % 2 == 0 ? 8 : 200) *
                                  (uint32_t)test_random_below(&random, 2);
        quality_hide(&quality);
        for (uint32_t band = 0; band < QUALITY_BANDS; band++)
            if (quality.hidden >> band & 1) {
                hidden += quality.likes[band];
            } else {
                assert_true(quality.likes[band] == 0 || quality.likes[band] >= QUALITY_LEAST);
                told += quality.likes[band];
            }
        assert_true(hidden == 0 || hidden >= QUALITY_LEAST || told == 0);
        assert_true(told > 0 || hidden == 0 || quality.hidden == (1 << QUALITY_BANDS) - 1);
    }
}

static void a_small_item_tells_nothing(void **state)
{
    uint64_t account = 0;
    struct quality told;

    (void)state;
    likes(&account, 3, 100, MARK_PLAIN);
    likes(&account, 1, 0, MARK_PLAIN);
    told = shield();
    assert_int_equal(told.hidden, (1 << QUALITY_BANDS) - 1);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)
    const struct CMUnitTest tests[] = {
        EACH(each_like_is_in_its_band),
        EACH(only_the_newest_are_looked_at),
        EACH(few_are_not_told),
        EACH(a_small_item_tells_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
