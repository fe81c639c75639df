/* Tokens of impressions: good for what they were made for, for two hours, and for nothing else. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "serve/attest.h"
#include "wire/command.h"
#include "wire/token.h"

#define MINUTE 60000000LL
#define DAY    (1440 * MINUTE)
#define NOW    1790000000000000LL

static char directory[64], path[128], message[256];
static struct epochs *epochs;

static int open_keys(void **state)
{
    (void)state;
    test_dir_make(directory);
    snprintf(path, sizeof path, "%s/epochs", directory);
    if (epochs_open(path, NULL, 7, 30, NOW, &epochs, message) != STATUS_OK)
        fail_msg("%s", message);
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    epochs_close(epochs);
    test_dir_remove(directory);
    return 0;
}

static const struct impression shown = {
    .account = 42, .item = 9, .at_us = NOW, .tenant = 3, .stage = 2, .place = 17};

/* The view that answers it. */
static struct request view_with(const char *text, size_t size)
{
    struct request request = {.verb = VERB_VIEW, .account = 42, .target = 9, .tenant = 3};

    command_token((struct resp_slice){text, (uint32_t)size}, &request.u.view);
    return request;
}

static struct request view_of(const struct impression *impression)
{
    char text[IMPRESSION_TEXT];

    attest_make(epochs, impression, text);
    return view_with(text, sizeof text);
}

static uint8_t judged(struct request request, int64_t now_us)
{
    attest_check(epochs, now_us, &request);
    return request.u.view.attest;
}

static void is_good_for_what_was_shown(void **state)
{
    struct request request = view_of(&shown);

    (void)state;
    attest_check(epochs, NOW + 5 * MINUTE, &request);
    assert_int_equal(request.u.view.attest, ATTEST_GOOD);
    assert_int_equal(request.u.view.stage, 2);
    assert_int_equal(request.u.view.place, 17);
    assert_int_equal(request.u.view.age_min, 5);
    request.verb = VERB_SKIP;
    request.u.view.attest = ATTEST_GIVEN;
    assert_int_equal(judged(request, NOW), ATTEST_GOOD);
    request.u.view.attest = ATTEST_NONE; /* who brought none is not blamed */
    assert_int_equal(judged(request, NOW), ATTEST_NONE);
}

static void and_for_nothing_else(void **state)
{
    struct request request = view_of(&shown);

    (void)state;
    request.account++;
    assert_int_equal(judged(request, NOW), ATTEST_BAD);
    request.account--;
    request.target++;
    assert_int_equal(judged(request, NOW), ATTEST_BAD);
    request.target--;
    request.tenant++;
    assert_int_equal(judged(request, NOW), ATTEST_BAD);
    request.tenant--;
    request.account = 9; /* the two exchanged */
    request.target = 42;
    assert_int_equal(judged(request, NOW), ATTEST_BAD);
}

static void for_two_hours(void **state)
{
    struct request request = view_of(&shown);

    (void)state;
    assert_int_equal(judged(request, NOW + 120 * MINUTE), ATTEST_GOOD);
    assert_int_equal(judged(request, NOW + 121 * MINUTE), ATTEST_BAD);
    assert_int_equal(judged(request, NOW + 65536 * MINUTE), ATTEST_BAD); /* the same low bits */
    assert_int_equal(judged(request, NOW - MINUTE), ATTEST_GOOD); /* another thread's clock */
    assert_int_equal(judged(request, NOW - 2 * MINUTE), ATTEST_BAD);
}

static void each_bit_matters(void **state)
{
    struct request request = view_of(&shown);

    (void)state;
    for (uint32_t bit = 0; bit < 8 * REQUEST_TOKEN_BYTES; bit++) {
        struct request other = request;

        other.u.view.token[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (judged(other, NOW) != ATTEST_BAD)
            fail_msg("bit %u may be anything", bit);
    }
}

static void whatever_stands_there_is_no_failure(void **state)
{
    static const char *const texts[] = {"",
                                        "A",
                                        "AAAAAAAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAA",
                                        "AAAA AAAA AAAA A",
                                        "================"};
    struct test_random random = {test_seed(5)};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(judged(view_with(texts[i], strlen(texts[i])), NOW), ATTEST_BAD);
    for (int i = 0; i < 20000; i++) {
        char text[IMPRESSION_TEXT];
        uint8_t bytes[REQUEST_TOKEN_BYTES];

        for (size_t at = 0; at < sizeof bytes; at++)
            bytes[at] = (uint8_t)test_random_next(&random);
        put_u16(bytes, (uint16_t)(NOW / MINUTE)); /* of this minute, or it is not looked at */
        token_encode(bytes, sizeof bytes, text, sizeof text);
        assert_int_equal(judged(view_with(text, sizeof text), NOW), ATTEST_BAD);
    }
}

/* Every impression has its own token, and only that one. */
static void no_two_are_alike(void **state)
{
    struct test_random random = {test_seed(6)};

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct impression one = {.account = test_random_below(&random, 3),
                                 .item = test_random_below(&random, 3),
                                 .at_us = NOW + (int64_t)test_random_below(&random, 3) * MINUTE,
                                 .tenant = (uint16_t)test_random_below(&random, 2),
                                 .stage = (uint8_t)test_random_below(&random, 3),
                                 .place = (uint16_t)test_random_below(&random, 3)};
        struct request request = view_of(&one);
        bool same;

        request.account = test_random_below(&random, 3);
        request.target = test_random_below(&random, 3);
        request.tenant = (uint16_t)test_random_below(&random, 2);
        same = request.account == one.account && request.target == one.item &&
               request.tenant == one.tenant;
        assert_int_equal(judged(request, NOW + 3 * MINUTE), same ? ATTEST_GOOD : ATTEST_BAD);
    }
}

static void a_place_far_down_is_the_last(void **state)
{
    struct impression far = shown;
    struct request request;

    (void)state;
    far.place = 700;
    request = view_of(&far);
    attest_check(epochs, NOW, &request);
    assert_int_equal(request.u.view.attest, ATTEST_GOOD);
    assert_int_equal(request.u.view.place, 255);
}

static void outlives_a_restart_and_one_rotation(void **state)
{
    struct impression late = shown;
    struct request request;

    (void)state;
    late.at_us = NOW + 7 * DAY - MINUTE;
    request = view_of(&late);
    epochs_close(epochs);
    assert_int_equal(epochs_open(path, NULL, 7, 30, NOW + 7 * DAY - 1, &epochs, message),
                     STATUS_OK);
    assert_int_equal(judged(request, NOW + 7 * DAY - 1), ATTEST_GOOD);
    epochs_tick(epochs, NOW + 7 * DAY);
    assert_int_equal(epochs_number(epochs), 2);
    assert_int_equal(judged(request, NOW + 7 * DAY), ATTEST_GOOD);
    epochs_close(epochs);
    assert_int_equal(epochs_open(path, NULL, 7, 30, NOW + 7 * DAY + MINUTE, &epochs, message),
                     STATUS_OK);
    assert_int_equal(judged(request, NOW + 7 * DAY + MINUTE), ATTEST_GOOD);
    epochs_tick(epochs,
                NOW + 14 * DAY); /* the key is two epochs old: not even for a clock gone back */
    assert_int_equal(judged(request, NOW + 7 * DAY + MINUTE), ATTEST_BAD);
}

/* Before the first rotation there is no key before: nothing is good under one of zeros. */
static void no_key_is_no_key(void **state)
{
    static const uint8_t zeros[DIGEST_BYTES];
    uint8_t key[DIGEST_BYTES];
    struct request request = view_of(&shown);

    (void)state;
    assert_true(epochs_impression_key(epochs, 0, key));
    assert_memory_not_equal(key, zeros, sizeof key);
    assert_false(epochs_impression_key(epochs, 1, key));
    attest_check(NULL, NOW, &request);
    assert_int_equal(request.u.view.attest, ATTEST_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_good_for_what_was_shown, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(and_for_nothing_else, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(for_two_hours, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(each_bit_matters, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(whatever_stands_there_is_no_failure, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(no_two_are_alike, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(a_place_far_down_is_the_last, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(outlives_a_restart_and_one_rotation, open_keys, close_keys),
        cmocka_unit_test_setup_teardown(no_key_is_no_key, open_keys, close_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
