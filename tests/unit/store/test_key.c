/* Keys sort as the tables are read; every row comes back from its bytes; no other bytes become one.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "schema/region.h"
#include "store/key.h"
#include "store/pack.h"
#include "support.h"

enum { ROUNDS = 20000 };

/* Numbers of every size, the ends of the range among them. */
static uint64_t any(struct test_random *random)
{
    uint64_t value = test_random_next(random) >> test_random_below(random, 64);

    switch (test_random_below(random, 8)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    default:
        return value;
    }
}

static int64_t any_time(struct test_random *random)
{
    switch (test_random_below(random, 5)) {
    case 0:
        return 0;
    case 1:
        return INT64_MIN;
    case 2:
        return INT64_MAX;
    default:
        return PACK_TIME_BASE + (int64_t)(test_random_next(random) >> 20);
    }
}

static void any_counts(struct test_random *random, uint64_t *counts)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        counts[i] = test_random_below(random, 2) != 0 ? any(random) : 0;
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static void edge_keys_sort_by_tenant_kind_account_target(void **state)
{
    struct test_random random = {test_seed(1)};

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct edge_row a = {0}, b = {0}, back = {0};
        uint8_t ka[KEY_BYTES_MAX], kb[KEY_BYTES_MAX];
        int expected;

        a.tenant = (uint16_t)test_random_below(&random, 3);
        b.tenant = (uint16_t)test_random_below(&random, 3);
        a.kind = (uint8_t)test_random_below(&random, EDGE_COUNT);
        b.kind = (uint8_t)test_random_below(&random, EDGE_COUNT);
        a.account = any(&random);
        b.account = test_random_below(&random, 2) != 0 ? a.account : any(&random);
        a.target = any(&random);
        b.target = any(&random);
        assert_int_equal(key_edge(ka, 7, &a), KEY_EDGE_BYTES);
        key_edge(kb, 7, &b);
        expected = order(a.tenant, b.tenant);
        expected = expected != 0 ? expected : order(a.kind, b.kind);
        expected = expected != 0 ? expected : order(a.account, b.account);
        expected = expected != 0 ? expected : order(a.target, b.target);
        assert_int_equal(sign(memcmp(ka, kb, KEY_EDGE_BYTES)), expected);
        assert_true(key_read_edge(ka, KEY_EDGE_BYTES, 7, &back));
        assert_memory_equal(&back, &a, sizeof a);
        assert_false(key_read_edge(ka, KEY_EDGE_BYTES, 8, &back));
        assert_false(key_read_edge(ka, KEY_EDGE_BYTES - 1, 7, &back));
    }
}

static void list_keys_sort_newest_first_within_an_id(void **state)
{
    struct test_random random = {test_seed(2)};

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t a[KEY_BYTES_MAX], b[KEY_BYTES_MAX];
        uint64_t id = any(&random), other = test_random_below(&random, 2) != 0 ? id : any(&random);
        uint64_t first = any(&random), second = any(&random);
        int expected = order(id, other);

        key_list(a, 0, STORE_TAKEN, 1, EDGE_LIKE, id, first);
        key_list(b, 0, STORE_TAKEN, 1, EDGE_LIKE, other, second);
        expected = expected != 0 ? expected : order(second, first);
        assert_int_equal(sign(memcmp(a, b, KEY_LIST_BYTES)), expected);
        assert_int_equal(key_list_lowest(a), first);
        assert_int_equal(memcmp(a, b, key_prefix_bytes(a, KEY_LIST_BYTES)) == 0, id == other);
    }
}

static void other_keys_come_back(void **state)
{
    struct test_random random = {test_seed(3)};

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t key[KEY_BYTES_MAX];
        uint64_t id[2] = {any(&random), any(&random)}, back[2];
        uint16_t tenant = (uint16_t)any(&random), tenant_back;
        size_t size = key_operation(key, 3, tenant, id);

        assert_true(key_read_operation(key, size, 3, &tenant_back, back));
        assert_int_equal(tenant, tenant_back);
        assert_memory_equal(id, back, sizeof id);
        assert_int_equal(key_prefix_bytes(key, size), size);
        size = key_account(key, 3, tenant, id[0]);
        assert_true(key_read_id(key, size, KEY_ACCOUNT, 3, &tenant_back, back));
        assert_int_equal(back[0], id[0]);
        assert_false(key_read_id(key, size, KEY_ITEM, 3, &tenant_back, back));
        size = key_item(key, 3, tenant, id[0]);
        assert_true(key_read_id(key, size, KEY_ITEM, 3, &tenant_back, back));
        assert_false(key_read_id(key, size, KEY_ITEM, 4, &tenant_back, back));
    }
}

static void accounts_come_back(void **state)
{
    struct test_random random = {test_seed(4)};

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct account_row row = {0}, back = {0};
        uint8_t bytes[PACK_ROW_BYTES_MAX];
        size_t size;

        row.state = (uint8_t)test_random_below(&random, ACCOUNT_STATE_COUNT);
        row.taken_back = (uint32_t)any(&random);
        row.until_us = any_time(&random);
        row.first_us = any_time(&random);
        any_counts(&random, row.given);
        any_counts(&random, row.received);
        if (test_random_below(&random, 2))
            row.compensation = (struct compensation){.balance_pct = (uint32_t)any(&random),
                                         .granted_pct = (uint32_t)any(&random),
                                         .spent_pct = (uint32_t)any(&random),
                                         .owed_pct = (uint32_t)any(&random),
                                         .from_s = (uint32_t)any(&random),
                                         .until_s = (uint32_t)any(&random)};
        if (test_random_below(&random, 2)) {
            row.epoch = (uint32_t)any(&random);
            row.cut_pct = (uint8_t)test_random_below(&random, 101);
            row.limit_verbs = (uint16_t)any(&random);
            row.limit_until_us = any_time(&random);
            row.erase_s = (uint32_t)any(&random);
            row.switches = (uint8_t)test_random_below(&random, 4);
        }
        if (test_random_below(&random, 2))
            assert_true(
                region_read(&"eu-wcn1z"[4 * test_random_below(&random, 2)], 4, &row.region));
        size = pack_account(bytes, &row);
        assert_true(size <= sizeof bytes);
        assert_true(unpack_account(bytes, size, &back));
        assert_memory_equal(&back, &row, sizeof row);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(unpack_account(bytes, cut, &back));
    }
}

static void items_come_back(void **state)
{
    struct test_random random = {test_seed(5)};

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct item_row row = {0}, back = {0};
        uint8_t bytes[PACK_ROW_BYTES_MAX];
        size_t size;

        row.state = (uint8_t)test_random_below(&random, ITEM_STATE_COUNT);
        row.has_creator = (uint8_t)test_random_below(&random, 2);
        row.creator = any(&random);
        row.duration_ms = (uint32_t)any(&random);
        row.first_us = any_time(&random);
        row.watch_ms = any(&random);
        row.taken_back = any(&random);
        any_counts(&random, row.counts);
        if (test_random_below(&random, 2))
            row.withdrawn = (struct withdrawn){.fading_q16 = any(&random),
                                               .fading_us = any_time(&random),
                                               .horizon_s = (uint32_t)any(&random),
                                               .frozen_likes = (uint32_t)any(&random),
                                               .frozen_pct = any(&random),
                                               .freeze_from_us = any_time(&random),
                                               .freeze_until_us = any_time(&random),
                                               .loss_pct = any(&random),
                                               .paid_pct = any(&random)};
        if (test_random_below(&random, 2))
            row.views_lost_pct = any(&random);
        if (test_random_below(&random, 2)) {
            row.published_s = (uint32_t)any(&random);
            row.repost = (uint8_t)test_random_below(&random, 2);
        }
        if (test_random_below(&random, 2)) {
            row.campaign.budget = (uint32_t)any(&random);
            row.campaign.spent = row.campaign.budget / 3;
            row.campaign.until_s = (uint32_t)any(&random);
            row.campaign.holdout_pct = (uint8_t)test_random_below(&random, 51);
        }
        if (test_random_below(&random, 2)) {
            row.pause.until_s = (uint32_t)any(&random);
            row.pause.by = (uint8_t)test_random_below(&random, PAUSE_BY_COUNT);
            for (int j = 0; j < PAUSE_COUNTERS; j++)
                row.pause.held[j] = (uint32_t)any(&random);
        }
        size = pack_item(bytes, &row);
        assert_true(size <= sizeof bytes);
        assert_true(unpack_item(bytes, size, &back));
        assert_memory_equal(&back, &row, sizeof row);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(unpack_item(bytes, cut, &back));
    }
}

static void edges_and_operations_come_back(void **state)
{
    struct test_random random = {test_seed(6)};

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct edge_row edge = {0}, edge_back = {0};
        struct operation_row operation = {0}, operation_back = {0};
        uint8_t bytes[PACK_ROW_BYTES_MAX];
        int64_t time_us;
        size_t size;

        edge.sequence = any(&random);
        edge.time_us = any_time(&random);
        edge.flips = (uint16_t)any(&random);
        edge.on = (uint8_t)test_random_below(&random, 2);
        size = pack_edge(bytes, &edge);
        assert_true(unpack_edge(bytes, size, &edge_back));
        assert_memory_equal(&edge_back, &edge, sizeof edge);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(unpack_edge(bytes, cut, &edge_back));

        operation.content = any(&random);
        operation.sequence = any(&random);
        operation.time_us = any_time(&random);
        operation.status = (uint8_t)test_random_below(&random, STATUS_COUNT);
        operation.applied = (uint8_t)any(&random);
        size = pack_operation(bytes, &operation);
        assert_true(unpack_operation(bytes, size, &operation_back));
        assert_memory_equal(&operation_back, &operation, sizeof operation);
        assert_true(unpack_operation_time(bytes, size, &time_us));
        assert_true(time_us == operation.time_us);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(unpack_operation(bytes, cut, &operation_back));
    }
}

static uint32_t any_list(struct test_random *random, struct store_entry *entries)
{
    uint32_t count = 1 + (uint32_t)test_random_below(random, PACK_LIST_MAX);
    unsigned shift = (unsigned)test_random_below(random, 64);
    uint64_t sequence = test_random_below(random, 4) == 0 ? UINT64_MAX : 1u << 30;

    for (uint32_t i = 0; i < count; i++) {
        entries[i].sequence = sequence;
        entries[i].time_us = any_time(random);
        entries[i].other = test_random_next(random) >> shift;
        sequence -= 1 + test_random_below(random, 1000);
    }
    return count;
}

static void lists_come_back_and_cut_ones_do_not(void **state)
{
    static struct store_entry entries[PACK_LIST_MAX];
    static uint8_t bytes[PACK_LIST_BYTES_MAX];
    struct test_random random = {test_seed(7)};

    (void)state;
    for (int round = 0; round < ROUNDS / 20; round++) {
        uint32_t count = any_list(&random, entries), got = 0;
        uint64_t lowest = entries[count - 1].sequence;
        size_t size = pack_list(bytes, entries, count);
        size_t cut = test_random_below(&random, size);
        struct unpack_list list;
        struct store_entry entry;
        int more = -1;

        assert_true(size <= sizeof bytes);
        assert_true(unpack_list_begin(&list, bytes, size, lowest));
        while ((more = unpack_list_next(&list, &entry)) > 0)
            assert_memory_equal(&entry, &entries[got++], sizeof entry);
        assert_int_equal(more, 0);
        assert_int_equal(got, count);

        more = -1;
        if (unpack_list_begin(&list, bytes, cut, lowest))
            while ((more = unpack_list_next(&list, &entry)) > 0)
                ;
        assert_int_equal(more, -1);
    }
}

static struct case_row any_case(struct test_random *random)
{
    struct case_row row = {.id = any(random), .tenant = 3};
    uint64_t *const numbers[] = {&row.about,
                                 &row.before,
                                 &row.opener,
                                 &row.proposer,
                                 &row.approver,
                                 &row.appellant,
                                 &row.cursor,
                                 &row.likes,
                                 &row.restored,
                                 &row.proposed_sequence,
                                 &row.decided_sequence,
                                 &row.appealed_sequence,
                                 &row.ended_sequence};
    int64_t *const times[] = {&row.decided_us, &row.due_us,     &row.until_us,   &row.since_us,
                              &row.to_us,      &row.ends_us[0], &row.ends_us[1], &row.ends_us[2]};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = any(random);
    row.opened_us = PACK_TIME_BASE + (int64_t)(test_random_next(random) >> 20);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = test_random_below(random, 2)
                        ? PACK_TIME_BASE + (int64_t)(test_random_next(random) >> 20)
                        : 0;
    row.points = (int64_t)any(random);
    row.granted_pct = any(random);
    row.policy = (uint32_t)any(random);
    row.weight = (uint32_t)any(random);
    row.rule = (uint16_t)any(random);
    row.value = (uint16_t)any(random);
    row.proposed_value = (uint16_t)any(random);
    row.kind = (uint8_t)test_random_below(random, CASE_KIND_COUNT);
    row.state = (uint8_t)test_random_below(random, CASE_STATE_COUNT);
    row.subject = (uint8_t)test_random_below(random, SUBJECT_COUNT);
    row.decision = (uint8_t)test_random_below(random, DECISION_COUNT);
    row.proposed = (uint8_t)test_random_below(random, DECISION_COUNT);
    row.appealed = (uint8_t)test_random_below(random, 2);
    row.appeals = (uint8_t)any(random);
    row.sanctions = (uint8_t)any(random);
    row.reporter_count = (uint8_t)test_random_below(random, CASE_REPORTERS + 1);
    for (int i = 0; i < row.reporter_count; i++)
        row.reporters[i] = any(random);
    for (int i = 0; i < CASE_TEXTS; i++) {
        row.text_size[i] = (uint8_t)test_random_below(random, CASE_TEXT_MAX + 1);
        memset(row.text[i], 'a' + i, row.text_size[i]);
    }
    return row;
}

static struct inbox_row any_inbox(struct test_random *random)
{
    struct inbox_row row;
    uint32_t id = 0;

    memset(&row, 0, sizeof row);
    row.id = any(random);
    row.tenant = 3;
    row.read_us = (int64_t)any(random);
    row.count = (uint16_t)test_random_below(random, NOTICES_MAX + 1);
    for (uint32_t i = 0; i < row.count; i++) {
        id += 1 + (uint32_t)test_random_below(random, 1u << test_random_below(random, 25));
        row.at[i] = (struct notice){
            .target = any(random),
            .other = any(random),
            .time_us = (int64_t)any(random),
            .until_us = (int64_t)any(random),
            .id = id,
            .count = (uint32_t)any(random),
            .kind = (uint8_t)test_random_below(random, NOTICE_KIND_COUNT),
            .verb = (uint8_t)any(random),
            .how = (uint8_t)any(random),
            .quiet = (uint8_t)test_random_below(random, 2),
        };
    }
    row.last = id + (uint32_t)test_random_below(random, 3);
    row.read = (uint32_t)test_random_below(random, row.last + 1ULL);
    return row;
}

static void inboxes_come_back(void **state)
{
    struct test_random random = {test_seed(8)};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct inbox_row row = any_inbox(&random), back;
        uint8_t bytes[PACK_INBOX_BYTES_MAX + 1] = {0};
        size_t size = pack_inbox(bytes, &row);

        memset(&back, 0, sizeof back);
        back.id = row.id;
        back.tenant = 3;
        assert_true(unpack_inbox(bytes, size, &back));
        assert_int_equal(back.count, row.count);
        assert_true(back.last == row.last && back.read == row.read && back.read_us == row.read_us);
        assert_memory_equal(back.at, row.at, row.count * sizeof *row.at);
        for (size_t cut = 0; cut < size; cut += 1 + (size_t)test_random_below(&random, 90))
            assert_false(unpack_inbox(bytes, cut, &back));
        assert_false(unpack_inbox(bytes, size + 1, &back));
    }
}

static void cases_come_back(void **state)
{
    struct test_random random = {test_seed(7)};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct case_row row = any_case(&random), back = {.id = row.id, .tenant = 3};
        uint8_t bytes[PACK_CASE_BYTES_MAX + 1], key[KEY_BYTES_MAX];
        size_t size = pack_case(bytes, &row);
        uint16_t tenant;
        uint64_t id;

        assert_true(unpack_case(bytes, size, &back));
        assert_memory_equal(&back, &row, sizeof row);
        for (size_t cut = 0; cut < size; cut += 1 + (size_t)test_random_below(&random, 40))
            assert_false(unpack_case(bytes, cut, &back));
        assert_false(unpack_case(bytes, size + 1, &back));
        size = key_case(key, KEY_LIVE, 2, 3, row.id);
        assert_true(key_read_id(key, size, KEY_LIVE, 2, &tenant, &id));
        assert_true(tenant == 3 && id == row.id);
        assert_false(key_read_id(key, size, KEY_CASE, 2, &tenant, &id));
    }
}

static void meta_comes_back_and_another_format_is_named(void **state)
{
    struct pack_meta meta = {.partition = 3,
                             .partition_count = 5,
                             .applied = 1ULL << 40,
                             .newest_us = -1,
                             .edges = 77,
                             .keys = 1ULL << 60,
                             .log_id = {1, 2, 3}};
    struct pack_meta back;
    uint64_t marks[5] = {0, 1, UINT64_MAX, 300, 4}, marks_back[5];
    uint8_t bytes[128];
    uint16_t version;
    size_t size = pack_meta(bytes, &meta, marks);

    (void)state;
    assert_true(size <= pack_meta_bytes_max(5) && size <= sizeof bytes);
    assert_true(unpack_meta(bytes, size, &back, &version));
    assert_int_equal(back.partition, 3);
    assert_int_equal(back.partition_count, 5);
    assert_memory_equal(back.log_id, meta.log_id, sizeof meta.log_id);
    assert_true(back.applied == meta.applied && back.newest_us == -1 && back.edges == 77 &&
                back.keys == meta.keys);
    assert_true(unpack_marks(bytes, size, marks_back, 5));
    assert_memory_equal(marks, marks_back, sizeof marks);
    assert_false(unpack_marks(bytes, size - 1, marks_back, 5));
    assert_false(unpack_marks(bytes, size, marks_back, 4));
    put_u16(bytes + 4, PACK_VERSION + 1);
    assert_false(unpack_meta(bytes, size, &back, &version));
    assert_int_equal(version, PACK_VERSION + 1);
    bytes[0] ^= 1;
    assert_false(unpack_meta(bytes, size, &back, &version));
    assert_int_equal(version, 0);
}

/* Random bytes: refused or read, never out of bounds (this one is for the sanitizers). */
static void any_bytes_are_safe(void **state)
{
    struct test_random random = {test_seed(8)};

    (void)state;
    for (int i = 0; i < ROUNDS * 5; i++) {
        uint8_t bytes[64];
        size_t size = test_random_below(&random, sizeof bytes);
        struct account_row account;
        struct item_row item;
        struct edge_row edge;
        struct operation_row operation;
        struct unpack_list list;
        struct store_entry entry;

        for (size_t b = 0; b < size; b++)
            bytes[b] = (uint8_t)(test_random_next(&random) >> test_random_below(&random, 8));
        (void)unpack_account(bytes, size, &account);
        (void)unpack_item(bytes, size, &item);
        (void)unpack_edge(bytes, size, &edge);
        (void)unpack_operation(bytes, size, &operation);
        if (unpack_list_begin(&list, bytes, size, 5))
            while (unpack_list_next(&list, &entry) > 0)
                assert_true(entry.sequence >= 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edge_keys_sort_by_tenant_kind_account_target),
        cmocka_unit_test(list_keys_sort_newest_first_within_an_id),
        cmocka_unit_test(other_keys_come_back),
        cmocka_unit_test(accounts_come_back),
        cmocka_unit_test(items_come_back),
        cmocka_unit_test(edges_and_operations_come_back),
        cmocka_unit_test(cases_come_back),
        cmocka_unit_test(inboxes_come_back),
        cmocka_unit_test(lists_come_back_and_cut_ones_do_not),
        cmocka_unit_test(meta_comes_back_and_another_format_is_named),
        cmocka_unit_test(any_bytes_are_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
