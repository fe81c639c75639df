/* What record_encode writes, record_decode reads back; what it cannot have written is refused. */
#include <string.h>

#include "schema/record.h"
#include "schema/verb.h"
#include "support.h"

static uint64_t any_number(struct test_random *random)
{
    /* All lengths of varint are as likely. */
    return test_random_next(random) >> test_random_below(random, 64);
}

static uint8_t any_kind(struct test_random *random)
{
    uint64_t kind = test_random_below(random, VERB_COUNT + 5);

    if (kind >= VERB_COUNT)
        return (uint8_t)(RECORD_EFFECT + kind - VERB_COUNT);
    return verb_table[kind].group == GROUP_WRITE ? (uint8_t)kind : VERB_LIKE;
}

static struct record any_record(struct test_random *random)
{
    struct record record = {.sequence = 7, .time_us = 9};

    record.kind = any_kind(random);
    record.fields = (uint32_t)test_random_below(random, RECORD_FIELDS_ALL + 1);
    record.account = any_number(random);
    record.target = any_number(random);
    if (record.fields & RECORD_HAS_TENANT)
        record.tenant = (uint16_t)any_number(random);
    if (record.fields & RECORD_HAS_STATUS)
        record.status = (uint8_t)test_random_below(random, STATUS_COUNT);
    if (record.fields & RECORD_HAS_OPID) {
        record.opid[0] = test_random_next(random);
        record.opid[1] = test_random_next(random);
        record.content = test_random_next(random);
    }
    if (record.fields & RECORD_HAS_CONTEXT)
        record.context = (struct context){.address = test_random_next(random),
                                          .device = test_random_next(random),
                                          .network = test_random_next(random),
                                          .client_us = (int64_t)test_random_next(random),
                                          .source =
                                              (uint8_t)test_random_below(random, SOURCE_COUNT)};
    if (record.fields & RECORD_HAS_ARGS) {
        record.a = any_number(random);
        record.b = any_number(random);
    }
    if (record.fields & RECORD_HAS_EXTRA)
        record.c = any_number(random);
    if (record.fields & RECORD_HAS_VERDICT)
        record.verdict = (struct verdict){
            .weight_pct = (uint8_t)test_random_below(random, WEIGHT_FULL + 1),
            .mark = (uint8_t)test_random_below(random, MARK_COUNT),
            .reason = (uint8_t)test_random_below(random, REASON_COUNT),
            .reasons = (uint16_t)any_number(random),
            .rule = (uint16_t)any_number(random),
            .policy = (uint32_t)any_number(random),
        };
    if (record.fields & RECORD_HAS_ACTOR) {
        record.caller = test_random_next(random);
        record.role = (uint8_t)any_number(random);
    }
    if (record.fields & RECORD_HAS_TEXT) {
        static const char text[RECORD_TEXT_MAX] = "because of what was seen";

        record.text = text;
        record.text_size = (uint8_t)(1 + test_random_below(random, RECORD_TEXT_MAX));
    }
    if (record.fields & RECORD_HAS_NOTICE)
        record.notify = (uint8_t)test_random_next(random);
    if (record.notify & NOTIFY_BACK)
        record.since_us = (int64_t)any_number(random);
    if (record.fields & RECORD_HAS_BEFORE) {
        record.before_pct = (uint8_t)test_random_below(random, WEIGHT_FULL + 1);
        record.before_marks = (uint8_t)(test_random_below(random, MARK_COUNT) |
                                        test_random_below(random, REASON_COUNT) << 4);
        record.before_age_s = (uint32_t)any_number(random);
    }
    if (record.fields & RECORD_HAS_IMPRESSION) {
        record.stage = (uint8_t)any_number(random);
        record.place = (uint8_t)any_number(random);
        record.age_min = (uint8_t)any_number(random);
    }
    return record;
}

static void assert_same(const struct record *a, const struct record *b)
{
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->time_us, b->time_us);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->tenant, b->tenant);
    assert_int_equal(a->fields, b->fields);
    assert_int_equal(a->account, b->account);
    assert_int_equal(a->target, b->target);
    assert_int_equal(a->a, b->a);
    assert_int_equal(a->b, b->b);
    assert_int_equal(a->c, b->c);
    assert_int_equal(a->opid[0], b->opid[0]);
    assert_int_equal(a->opid[1], b->opid[1]);
    assert_int_equal(a->content, b->content);
    assert_int_equal(a->context.address, b->context.address);
    assert_int_equal(a->context.device, b->context.device);
    assert_int_equal(a->context.network, b->context.network);
    assert_int_equal(a->context.client_us, b->context.client_us);
    assert_int_equal(a->context.source, b->context.source);
    assert_int_equal(a->verdict.weight_pct, b->verdict.weight_pct);
    assert_int_equal(a->verdict.mark, b->verdict.mark);
    assert_int_equal(a->verdict.reason, b->verdict.reason);
    assert_int_equal(a->verdict.reasons, b->verdict.reasons);
    assert_int_equal(a->verdict.rule, b->verdict.rule);
    assert_int_equal(a->verdict.policy, b->verdict.policy);
    assert_int_equal(a->caller, b->caller);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->text_size, b->text_size);
    if (a->text_size > 0)
        assert_memory_equal(a->text, b->text, a->text_size);
    assert_true(a->notify == b->notify && a->since_us == b->since_us);
    assert_true(a->before_pct == b->before_pct && a->before_marks == b->before_marks &&
                a->before_age_s == b->before_age_s);
    assert_true(a->stage == b->stage && a->place == b->place && a->age_min == b->age_min);
}

static void comes_back_as_it_went(void **state)
{
    struct test_random random = {test_seed(1)};

    (void)state;
    for (int i = 0; i < 50000; i++) {
        struct record record = any_record(&random);
        struct record back = {.sequence = 7, .time_us = 9};
        uint8_t bytes[RECORD_BYTES_MAX];
        size_t size = record_encode(&record, bytes);

        assert_int_equal(record_decode(bytes, size, &back), size);
        assert_same(&record, &back);
    }
}

static void needs_every_byte(void **state)
{
    struct test_random random = {test_seed(2)};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct record record = any_record(&random);
        struct record back;
        uint8_t bytes[RECORD_BYTES_MAX];
        size_t size = record_encode(&record, bytes);

        for (size_t short_size = 0; short_size < size; short_size++)
            assert_int_equal(record_decode(bytes, short_size, &back), 0);
    }
}

/* Whatever is accepted is what would be written: there are no two spellings of one record. */
static void accepts_one_spelling(void **state)
{
    struct test_random random = {test_seed(3)};
    uint64_t accepted = 0;

    (void)state;
    for (int i = 0; i < 300000; i++) {
        struct record record = any_record(&random);
        struct record back = {.sequence = 0};
        uint8_t bytes[RECORD_BYTES_MAX];
        uint8_t again[RECORD_BYTES_MAX];
        size_t size = record_encode(&record, bytes);
        size_t used;

        bytes[test_random_below(&random, size)] ^= (uint8_t)(1u << test_random_below(&random, 8));
        used = record_decode(bytes, size, &back);
        if (used == 0)
            continue;
        accepted++;
        assert_true(used <= size);
        assert_int_equal(record_encode(&back, again), used);
        assert_memory_equal(again, bytes, used);
    }
    assert_true(accepted > 1000);
}

static void leaves_the_result_alone_when_it_refuses(void **state)
{
    static const uint8_t bad[] = {VERB_LIKE, RECORD_HAS_STATUS, 1, 2, STATUS_COUNT};
    struct record record;
    struct record before;

    (void)state;
    memset(&record, 0xA5, sizeof record);
    memcpy(&before, &record, sizeof record);
    assert_int_equal(record_decode(bad, sizeof bad, &record), 0);
    assert_memory_equal(&record, &before, sizeof record);
}

struct refusal {
    const char *why;
    uint8_t bytes[12];
    size_t size;
};

static void refuses(void **state)
{
    static const struct refusal refusals[] = {
        {"nothing", {0}, 0},
        {"a read is no record", {VERB_LIKED, 0, 1, 2}, 4},
        {"no such kind", {0xEF, 0, 1, 2}, 4},
        {"no such field", {VERB_LIKE, 0x80, 0x40, 1, 2}, 5},
        {"half an impression", {VERB_VIEW, 0x80, 0x20, 1, 2, 1, 0}, 7},
        {"half of what was before", {VERB_LIKE, 0x80, 0x10, 1, 2, 100, 0}, 7},
        {"before, a weight over all", {VERB_LIKE, 0x80, 0x10, 1, 2, WEIGHT_FULL + 1, 0, 0}, 8},
        {"before, no such mark", {VERB_LIKE, 0x80, 0x10, 1, 2, 1, MARK_COUNT, 0}, 8},
        {"before, no such reason", {VERB_LIKE, 0x80, 0x10, 1, 2, 1, REASON_COUNT << 4, 0}, 8},
        {"fields not in their shortest form", {VERB_LIKE, 0x81, 0x00, 1, 2}, 5},
        {"a weight over all", {VERB_LIKE, 0x80, 0x01, 1, 2, WEIGHT_FULL + 1, 0, 0, 0, 0}, 10},
        {"no such mark", {VERB_LIKE, 0x80, 0x01, 1, 2, 1, MARK_COUNT, 0, 0, 0}, 10},
        {"no such reason", {VERB_LIKE, 0x80, 0x01, 1, 2, 1, REASON_COUNT << 4, 0, 0, 0}, 10},
        {"an empty text", {VERB_LIKE, 0x80, 0x04, 1, 2, 0}, 6},
        {"half a text", {VERB_LIKE, 0x80, 0x04, 1, 2, 2, 'a'}, 7},
        {"account not in its shortest form", {VERB_LIKE, 0, 0x81, 0x00, 2}, 5},
        {"account over 64 bits",
         {VERB_LIKE, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02},
         12},
        {"no such status", {VERB_LIKE, RECORD_HAS_STATUS, 1, 2, STATUS_COUNT}, 5},
        {"half a tenant", {VERB_LIKE, RECORD_HAS_TENANT, 1, 2, 3}, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct record record;

        if (record_decode(refusals[i].bytes, refusals[i].size, &record) != 0)
            fail_msg("accepted: %s", refusals[i].why);
    }
}

static void a_plain_like_is_short(void **state)
{
    struct record record = {
        .kind = VERB_LIKE, .fields = RECORD_CHANGED, .account = 100, .target = 1000};
    uint8_t bytes[RECORD_BYTES_MAX];

    (void)state;
    assert_int_equal(record_encode(&record, bytes), 5);
}

/* These numbers are in every log and store ever written. If this test is red, a row was put
 * in the middle of verbs.def or status.def: old logs would tell another story. */
static void numbers_in_the_format_do_not_move(void **state)
{
    (void)state;
    assert_int_equal(VERB_LIKE, 0);
    assert_int_equal(VERB_UNLIKE, 1);
    assert_int_equal(VERB_FAVORITE, 2);
    assert_int_equal(VERB_UNFAVORITE, 3);
    assert_int_equal(VERB_FOLLOW, 4);
    assert_int_equal(VERB_UNFOLLOW, 5);
    assert_int_equal(VERB_REPORT, 6);
    assert_int_equal(VERB_VIEW, 7);
    assert_int_equal(VERB_SHARE, 8);
    assert_int_equal(VERB_COMMENT, 9);
    assert_int_equal(VERB_SKIP, 10);
    assert_int_equal(VERB_ACT, 11);
    assert_int_equal(VERB_ITEM_SET, 12);
    assert_int_equal(VERB_ITEM_STATE, 13);
    assert_int_equal(VERB_ACCOUNT_SET, 14);
    assert_int_equal(VERB_ACCOUNT_STATE, 15);
    assert_int_equal(VERB_CASE_OPEN, 16);
    assert_int_equal(VERB_CASE_PROPOSE, 17);
    assert_int_equal(VERB_CASE_APPROVE, 18);
    assert_int_equal(VERB_CASE_REJECT, 19);
    assert_int_equal(VERB_CASE_APPEAL, 20);
    assert_int_equal(SANCTION_LIFT, 4);
    assert_int_equal(CASE_REPORTS, 3);
    assert_int_equal(CASE_EXPIRED, 7);
    assert_int_equal(DECISION_RESTORE, 9);
    assert_int_equal(CASE_DONE, 3);
    assert_int_equal(VERB_CLEANUP_RUN, 21);
    assert_int_equal(VERB_CLEANUP_UNDO, 22);
    assert_int_equal(VERB_ACCOUNT_REVOKE, 23);
    assert_int_equal(VERB_ACCOUNT_ERASE, 24);
    assert_int_equal(VERB_ACCOUNT_KEEP, 25);
    assert_int_equal(VERB_ACCOUNT_PURGE, 26);
    assert_int_equal(VERB_POLICY_PROPOSE, 27);
    assert_int_equal(VERB_POLICY_WITHDRAW, 31);
    assert_int_equal(STATUS_OK, 0);
    assert_int_equal(STATUS_UNCHANGED, 1);
    assert_int_equal(STATUS_NOACCOUNT, 17);
    assert_int_equal(STATUS_NOITEM, 18);
    assert_int_equal(STATUS_CLOSED, 19);
    assert_int_equal(STATUS_SUSPENDED, 20);
    assert_int_equal(STATUS_CONFLICT, 21);
    assert_int_equal(STATUS_EXPIREDID, 22);
    assert_int_equal(MARK_VOIDED, 3);
    assert_int_equal(REASON_VELOCITY, 1);
    assert_int_equal(REASON_UNSCORED, 13);
    assert_int_equal(TIER_ELDER, 2);
    assert_int_equal(VISIBLE_TO_ALL, 3);
    assert_int_equal(SOURCE_BUTTON, 1);
    assert_int_equal(SOURCE_DOUBLE_TAP, 2);
    assert_int_equal(SOURCE_VOICE, 3);
    assert_int_equal(SOURCE_ASSISTIVE, 4);
    assert_int_equal(SOURCE_COMPANION, 5);
    assert_int_equal(SOURCE_IMPORT, 6);
    assert_int_equal(SOURCE_OTHER, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_went),
        cmocka_unit_test(needs_every_byte),
        cmocka_unit_test(accepts_one_spelling),
        cmocka_unit_test(leaves_the_result_alone_when_it_refuses),
        cmocka_unit_test(refuses),
        cmocka_unit_test(a_plain_like_is_short),
        cmocka_unit_test(numbers_in_the_format_do_not_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
