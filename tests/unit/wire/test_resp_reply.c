/* Every kind of reply, in both protocols, as the exact words a client reads. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "resp_text.h"
#include "schema/status.h"
#include "support.h"
#include "wire/resp.h"
#include "wire/resp_out.h"

#define TEXT_BYTES 65536

/* What a client reads, after checks that hold for every reply. */
static const char *read_back(const struct request *request, const struct reply *reply,
                             uint8_t protocol)
{
    static char text[TEXT_BYTES];
    size_t bound = resp_reply_bound(request, reply);
    uint8_t *bytes = malloc(bound); /* of that size, so that a sanitizer sees one byte more */
    size_t size = resp_reply(request, reply, protocol, bytes);

    assert_true(size <= bound);
    assert_int_equal(resp_text(bytes, size, text, sizeof text), size);
    free(bytes);
    return text;
}

static void assert_reads(const struct request *request, const struct reply *reply,
                         const char *in_two, const char *in_three)
{
    assert_string_equal(read_back(request, reply, 2), in_two);
    assert_string_equal(read_back(request, reply, 3), in_three);
}

static const struct request like = {.verb = VERB_LIKE};

static void integers(void **state)
{
    static const int64_t values[] = {0, 1, 2, -1, 9, 10, 99, 100, 12345, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct reply reply = {.kind = REPLY_INTEGER, .u.value = values[i]};
        char expected[32];

        snprintf(expected, sizeof expected, "%" PRId64, values[i]);
        assert_reads(&like, &reply, expected, expected);
    }
}

static void lists_of_integers(void **state)
{
    static const uint64_t values[] = {0, 1, 18446744073709551615ULL, 42};
    struct reply reply = {.kind = REPLY_INTEGERS, .count = 4, .u.values = values};

    (void)state;
    assert_reads(&like, &reply, "[0 1 9223372036854775807 42]", "[0 1 9223372036854775807 42]");
    reply.count = 0;
    assert_reads(&like, &reply, "[]", "[]");
}

static void pages(void **state)
{
    static const struct reply_entry page[] = {
        {.id = 18446744073709551615ULL, .sequence = 9, .time_us = 1700000000123456},
        {.id = 0, .sequence = 4, .time_us = 1999},
    };
    struct reply reply = {.kind = REPLY_PAGE, .count = 2, .cursor = 4, .u.page = page};
    const char *both = "[\"4\" [[\"18446744073709551615\" 1700000000123] [\"0\" 1]]]";

    (void)state;
    assert_reads(&like, &reply, both, both);
    reply = (struct reply){.kind = REPLY_PAGE};
    assert_reads(&like, &reply, "[\"0\" []]", "[\"0\" []]");
}

static void writes_with_return(void **state)
{
    struct item_row item = {.id = 5, .counts = {7, 1, 0, 99, 2, 3, 4, 0}, .views_lost_pct = 40};
    struct reply reply = {
        .kind = REPLY_WRITE, .applied = 1, .sequence = 77, .on = 1, .flips = 3, .item = &item};

    (void)state;
    assert_reads(
        &like, &reply,
        "[\"applied\" 1 \"sequence\" 77 \"on\" 1 \"flips\" 3 \"replayed\" 0 \"counts\" "
        "[\"like\" 7 \"favorite\" 1 \"view\" 99 \"share\" 2 \"comment\" 3 \"skip\" 4 "
        "\"report\" 0 "
        "\"likes\" [\"raw\" 7 \"valid\" 7 \"credited\" \"0.00\" \"held\" 0 \"quarantined\" 0 "
        "\"voided\" 0 \"fading\" \"0.00\" \"frozen\" \"0.00\" "
        "\"peak\" 0 \"reasons\" []] \"views\" [\"raw\" 99 \"credited\" \"98.60\"] \"paused\" ~]]",
        "{\"applied\":1 \"sequence\":77 \"on\":1 \"flips\":3 \"replayed\":0 \"counts\":"
        "{\"like\":7 \"favorite\":1 \"view\":99 \"share\":2 \"comment\":3 \"skip\":4 "
        "\"report\":0 "
        "\"likes\":{\"raw\":7 \"valid\":7 \"credited\":\"0.00\" \"held\":0 \"quarantined\":0 "
        "\"voided\":0 \"fading\":\"0.00\" \"frozen\":\"0.00\" "
        "\"peak\":0 \"reasons\":{}} \"views\":{\"raw\":99 \"credited\":\"98.60\"} \"paused\":~}}");
    reply = (struct reply){.kind = REPLY_WRITE, .intent = INTENT_FLOOD};
    assert_reads(&like, &reply,
                 "[\"applied\" 0 \"sequence\" 0 \"on\" 0 \"flips\" 0 \"intent\" \"flood\" "
                 "\"replayed\" 0 \"counts\" ~]",
                 "{\"applied\":0 \"sequence\":0 \"on\":0 \"flips\":0 \"intent\":\"flood\" "
                 "\"replayed\":0 \"counts\":~}");
}

static void acts_with_return(void **state)
{
    struct request act = {.verb = VERB_ACT, .count = 3};
    struct reply reply = {.kind = REPLY_WRITE, .applied = 5, .sequence = 8, .replayed = 1};

    (void)state;
    assert_reads(&act, &reply, "[\"applied\" [1 0 1] \"sequence\" 8 \"replayed\" 1 \"counts\" ~]",
                 "{\"applied\":[1 0 1] \"sequence\":8 \"replayed\":1 \"counts\":~}");
}

static void follows_tell_what_the_creator_received(void **state)
{
    struct request follow = {.verb = VERB_FOLLOW};
    struct account_row creator = {.received = {1, 2, 3, 4, 5, 6, 7, 8}};
    struct reply reply = {
        .kind = REPLY_WRITE, .applied = 1, .sequence = 8, .on = 1, .flips = 1, .account = &creator};

    (void)state;
    assert_string_equal(
        read_back(&follow, &reply, 3),
        "{\"applied\":1 \"sequence\":8 \"on\":1 \"flips\":1 \"replayed\":0 "
        "\"counts\":{\"like\":1 \"favorite\":2 \"follow\":3 \"view\":4 \"share\":5 "
        "\"comment\":6 \"skip\":7 \"report\":8 "
        "\"likes\":{\"raw\":1 \"valid\":1 \"credited\":\"0.00\" \"held\":0 \"quarantined\":0 "
        "\"voided\":0}}}");
}

static void rows_of_items(void **state)
{
    struct item_row item = {.id = 18446744073709551615ULL,
                            .state = ITEM_REMOVED,
                            .duration_ms = 60000,
                            .first_us = 1700000000000000,
                            .watch_ms = 12,
                            .taken_back = 2,
                            .published_s = 1600000000,
                            .repost = 1,
                            .campaign = {500, 20, 1700000000, 10},
                            .counts = {1}};
    struct reply reply = {.kind = REPLY_ITEM, .item = &item};

    (void)state;
    assert_string_equal(
        read_back(&like, &reply, 3),
        "{\"id\":\"18446744073709551615\" \"state\":\"removed\" \"creator\":~ "
        "\"duration_ms\":60000 "
        "\"first_ms\":1700000000000 \"watch_ms\":12 \"taken_back\":2 \"original\":0 "
        "\"published_ms\":1600000000000 \"campaign\":{\"budget\":500 \"spent\":20 "
        "\"until_ms\":1700000000000 \"holdout_pct\":10} \"counts\":{\"like\":1 "
        "\"favorite\":0 \"view\":0 \"share\":0 \"comment\":0 \"skip\":0 \"report\":0 "
        "\"likes\":{\"raw\":1 \"valid\":1 \"credited\":\"0.00\" \"held\":0 \"quarantined\":0 "
        "\"voided\":0 \"fading\":\"0.00\" \"frozen\":\"0.00\" "
        "\"peak\":0 \"reasons\":{}} \"views\":{\"raw\":0 \"credited\":\"0.00\"} \"paused\":~}}");
    item.has_creator = 1;
    item.creator = 0;
    assert_non_null(strstr(read_back(&like, &reply, 2), "\"creator\" \"0\" "));
    reply.kind = REPLY_COUNTS;
    assert_reads(
        &like, &reply,
        "[\"like\" 1 \"favorite\" 0 \"view\" 0 \"share\" 0 \"comment\" 0 \"skip\" 0 "
        "\"report\" 0 "
        "\"likes\" [\"raw\" 1 \"valid\" 1 \"credited\" \"0.00\" \"held\" 0 \"quarantined\" 0 "
        "\"voided\" 0 \"fading\" \"0.00\" \"frozen\" \"0.00\" "
        "\"peak\" 0 \"reasons\" []] \"views\" [\"raw\" 0 \"credited\" \"0.00\"] \"paused\" ~]",
        "{\"like\":1 \"favorite\":0 \"view\":0 \"share\":0 \"comment\":0 \"skip\":0 "
        "\"report\":0 "
        "\"likes\":{\"raw\":1 \"valid\":1 \"credited\":\"0.00\" \"held\":0 \"quarantined\":0 "
        "\"voided\":0 \"fading\":\"0.00\" \"frozen\":\"0.00\" "
        "\"peak\":0 \"reasons\":{}} \"views\":{\"raw\":0 \"credited\":\"0.00\"} \"paused\":~}");
}

static void rows_of_accounts(void **state)
{
    struct account_row account = {.id = 3,
                                  .state = ACCOUNT_LIKE_BANNED,
                                  .until_us = 5000,
                                  .first_us = 7000,
                                  .taken_back = 1,
                                  .given = {9},
                                  .region = 899};
    struct reply reply = {.kind = REPLY_ACCOUNT, .account = &account};

    (void)state;
    assert_string_equal(
        read_back(&like, &reply, 3),
        "{\"id\":\"3\" \"state\":\"like-banned\" \"until_ms\":5 \"first_ms\":7 "
        "\"visible\":\"nobody\" \"tier\":\"ordinary\" \"epoch\":0 \"taken_back\":1 "
        "\"standing\":{\"limited\":\"\" \"limit_until_ms\":~ \"cut_pct\":100 \"cut_until_ms\":~ "
        "\"points\":0 \"erase_ms\":~ \"minor\":0 \"personal\":1 \"region\":\"cn\"} \"case\":~ "
        "\"given\":{\"like\":9 \"favorite\":0 \"follow\":0 \"view\":0 \"share\":0 \"comment\":0 "
        "\"skip\":0 \"report\":0} \"received\":{\"like\":0 \"favorite\":0 \"follow\":0 \"view\":0 "
        "\"share\":0 \"comment\":0 \"skip\":0 \"report\":0 "
        "\"likes\":{\"raw\":0 \"valid\":0 \"credited\":\"0.00\" \"held\":0 \"quarantined\":0 "
        "\"voided\":0}}}");
    account.state = ACCOUNT_ACTIVE;
    assert_non_null(strstr(read_back(&like, &reply, 2), "\"until_ms\" ~ "));
    reply.kind = REPLY_RECEIVED;
    assert_non_null(strstr(read_back(&like, &reply, 2), "\"follow\" 0 "));
}

static void refusals(void **state)
{
    struct reply reply = {.kind = REPLY_ERROR, .status = STATUS_NOITEM};

    (void)state;
    assert_reads(
        &like, &reply,
        "-NOITEM the item is not known; register it with ITEM SET, or set unknown = create",
        "-NOITEM the item is not known; register it with ITEM SET, or set unknown = create");
    reply = (struct reply){
        .kind = REPLY_ERROR, .status = STATUS_SUSPENDED, .until_us = 1700000000123456};
    assert_string_equal(read_back(&like, &reply, 2),
                        "-SUSPENDED the account may not do this until the time given; wait until "
                        "then, or appeal; until=1700000000123");
    reply = (struct reply){.kind = REPLY_ERROR, .status = STATUS_BUSY, .retry_ms = 250};
    assert_non_null(strstr(read_back(&like, &reply, 2), "; retry_ms=250"));
    reply = (struct reply){.kind = REPLY_ERROR, .status = STATUS_RATE, .retry_ms = 61001};
    assert_non_null(strstr(read_back(&like, &reply, 2), "; retry_ms=61001"));
}

/* One line whatever is said, and no longer than told. */
static void errors_are_one_line(void **state)
{
    char nasty[600];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof nasty; i++)
        nasty[i] = "\r\n\x1B\x7F\x01:1"[i % 7];
    nasty[sizeof nasty - 1] = '\0';
    for (int status = 0; status < STATUS_COUNT; status++) {
        uint8_t bytes[RESP_ERROR_BYTES_MAX];
        size_t size = resp_error((enum status)status, nasty, bytes);

        assert_true(size <= sizeof bytes);
        assert_memory_equal(bytes + size - 2, "\r\n", 2);
        for (size_t i = 0; i + 2 < size; i++)
            assert_true(bytes[i] >= ' ' && bytes[i] != 0x7F);
    }
}

static void errors_tell_the_detail(void **state)
{
    uint8_t bytes[RESP_ERROR_BYTES_MAX];
    size_t size = resp_error(STATUS_BADID, "argument 'item'", bytes);
    static const char expected[] =
        "-BADID an id is not an unsigned 64-bit integer: argument 'item'; send decimal digits from "
        "0 to 18446744073709551615, without sign or spaces\r\n";

    (void)state;
    assert_int_equal(size, sizeof expected - 1);
    assert_memory_equal(bytes, expected, size);
    assert_int_equal(resp_error(STATUS_BADID, NULL, bytes), resp_error(STATUS_BADID, "", bytes));
}

static void fill(struct test_random *random, void *bytes, size_t size)
{
    uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        at[i] = test_random_below(random, 4) == 0 ? (uint8_t)test_random_next(random) : 0xFF;
}

/* Large numbers everywhere: the bounds hold, and what is written is well formed. */
static void bounds_hold(void **state)
{
    static struct reply_entry page[REQUEST_PAGE_MAX];
    static uint64_t values[REQUEST_IDS_MAX];
    static char detail[1000];
    struct test_random random = {test_seed(4)};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct request request = {.verb = (uint16_t)test_random_below(&random, VERB_COUNT)};
        struct item_row item;
        struct account_row account;
        struct reply reply;

        fill(&random, &item, sizeof item);
        fill(&random, &account, sizeof account);
        fill(&random, &reply, sizeof reply);
        reply.intent = (uint8_t)test_random_below(&random, INTENT_COUNT);
        item.state = (uint8_t)test_random_below(&random, ITEM_STATE_COUNT);
        item.pause.by = (uint8_t)test_random_below(&random, PAUSE_BY_COUNT);
        account.state = (uint8_t)test_random_below(&random, ACCOUNT_STATE_COUNT);
        account.visibility = (uint8_t)test_random_below(&random, VISIBILITY_COUNT);
        account.tier = (uint8_t)test_random_below(&random, TIER_COUNT);
        account.region = test_random_below(&random, 2) ? 899 : 0;
        reply.kind = (uint8_t)test_random_below(&random, REPLY_ACCOUNT + 1);
        reply.status = (uint8_t)test_random_below(&random, STATUS_COUNT);
        reply.item = &item;
        reply.cased = NULL;
        reply.account = &account;
        reply.count = (uint16_t)test_random_below(&random, REQUEST_ACTIONS_MAX + 1);
        if (reply.kind == REPLY_PAGE || reply.kind == REPLY_INTEGERS)
            reply.count = (uint16_t)test_random_below(&random, REQUEST_PAGE_MAX + 1);
        if (reply.kind == REPLY_PAGE) {
            fill(&random, page, sizeof page);
            reply.u.page = page;
        }
        if (reply.kind == REPLY_INTEGERS) {
            fill(&random, values, sizeof values);
            reply.u.values = values;
        }
        if (reply.kind == REPLY_ERROR) { /* the longest that a policy's text may be refused with */
            memset(detail, 'x', sizeof detail - 1);
            reply.u.detail = detail;
        }
        read_back(&request, &reply, (uint8_t)(2 + test_random_below(&random, 2)));
    }
}

static void digits_are_those_of_printf(void **state)
{
    struct test_random random = {test_seed(5)};

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t value = test_random_next(&random) >> test_random_below(&random, 64);
        char expected[24];
        char text[20];
        size_t size = resp_out_digits(value, text);

        assert_int_equal(size, snprintf(expected, sizeof expected, "%" PRIu64, value));
        assert_memory_equal(text, expected, size);
    }
}

/* Nothing past the end, whatever the size is; and the bytes needed are told all the same. */
static void a_short_buffer_is_left_in_peace(void **state)
{
    (void)state;
    for (size_t size = 0; size < 40; size++) {
        uint8_t bytes[40];
        struct resp_out out = {.bytes = bytes, .size = size, .protocol = 3};

        memset(bytes, 0xEE, sizeof bytes);
        resp_out_map(&out, 1);
        resp_out_text(&out, "some words");
        resp_out_integer(&out, -12345);
        resp_out_null(&out);
        assert_int_equal(out.used, 4 + 5 + 12 + 9 + 3);
        for (size_t i = size; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], 0xEE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(lists_of_integers),
        cmocka_unit_test(pages),
        cmocka_unit_test(writes_with_return),
        cmocka_unit_test(acts_with_return),
        cmocka_unit_test(follows_tell_what_the_creator_received),
        cmocka_unit_test(rows_of_items),
        cmocka_unit_test(rows_of_accounts),
        cmocka_unit_test(refusals),
        cmocka_unit_test(errors_are_one_line),
        cmocka_unit_test(errors_tell_the_detail),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(digits_are_those_of_printf),
        cmocka_unit_test(a_short_buffer_is_left_in_peace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
