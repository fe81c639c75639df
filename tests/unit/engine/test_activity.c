/* Who sees what an account likes: every relation x setting x matrix, against sentences; hidden
 * looks like empty; the same at rest as in memory. */
#include <stdlib.h>
#include <string.h>

#include "engine/policy.h"
#include "support.h"
#include "support/test_engine.h"

#define HOLDER 10
#define VIEWER 20
#define FRIEND 30
#define EMPTY  40 /* likes nothing */
#define REGION 899 /* cn; twice that is another one */

static struct policy policy; /* large */
static uint64_t at_home;     /* the holder */

static uint64_t ask(struct test_engine *test, struct request request)
{
    const struct reply *reply = test_engine_ask(test, &request);

    assert_int_not_equal(reply->kind, REPLY_ERROR);
    return (uint64_t)reply->u.value;
}

static void setting(struct test_engine *test, uint64_t account, enum visibility visibility)
{
    ask(test, (struct request){.verb = VERB_ACCOUNT_SET,
                               .account = account,
                               .flags = REQUEST_HAS_VISIBLE,
                               .u.portrait.visibility = (uint8_t)visibility});
}

static const struct reply *look(struct test_engine *test, uint64_t account, uint64_t viewer,
                                uint64_t cursor, uint16_t count)
{
    struct request request = {.verb = VERB_ACTIVITY,
                              .account = account,
                              .target = viewer,
                              .flags = REQUEST_HAS_VIEWER,
                              .count = count};
    const struct reply *reply;

    if (cursor != 0) {
        request.flags |= REQUEST_HAS_CURSOR;
        request.u.cursor = cursor;
    }
    reply = test_engine_ask(test, &request);
    assert_int_equal(reply->kind, REPLY_PAGE);
    return reply;
}

static void set_item(struct test_engine *test, uint64_t item, uint64_t creator)
{
    ask(test, (struct request){.verb = VERB_ITEM_SET,
                               .target = item,
                               .flags = REQUEST_HAS_CREATOR,
                               .u.item.creator = creator});
}

static void relate(struct test_engine *test, enum policy_relation relation)
{
    bool out = relation == POLICY_FOLLOWER || relation == POLICY_MUTUAL;
    bool common = relation == POLICY_COMMON;

    ask(test, test_set(out ? VERB_FOLLOW : VERB_UNFOLLOW, VIEWER, HOLDER));
    ask(test, test_set(relation == POLICY_MUTUAL ? VERB_FOLLOW : VERB_UNFOLLOW, HOLDER, VIEWER));
    ask(test, test_set(common ? VERB_FOLLOW : VERB_UNFOLLOW, HOLDER, FRIEND));
    ask(test, test_set(common ? VERB_FOLLOW : VERB_UNFOLLOW, VIEWER, FRIEND));
    ask(test, test_set(VERB_FOLLOW, FRIEND, HOLDER));
    ask(test, test_set(VERB_FOLLOW, FRIEND, VIEWER));
}

/* What the policy says of likes of this account, where it is at home. */
static uint8_t said(enum policy_relation relation)
{
    uint8_t there = policy.show_region[0][relation][VERB_LIKE];

    return at_home == REGION && there != POLICY_AS_ALL ? there : policy.show[relation][VERB_LIKE];
}

/* The sentences of docs/activity.md, for one like of an item; own: the viewer made the item. */
static enum policy_showing expected(enum policy_relation relation, enum visibility visibility,
                                    bool own)
{
    bool let_in = visibility == VISIBLE_TO_ALL ||
                  (visibility == VISIBLE_TO_FOLLOWERS &&
                   (relation == POLICY_FOLLOWER || relation == POLICY_MUTUAL)) ||
                  (visibility == VISIBLE_TO_MUTUALS && relation == POLICY_MUTUAL);
    uint8_t showing = said(relation), creators = said(POLICY_ITEM_CREATOR);

    if (!let_in)
        return POLICY_HIDDEN;
    return (enum policy_showing)(own && creators > showing ? creators : showing);
}

static void check(struct test_engine *test, enum policy_relation relation,
                  enum visibility visibility)
{
    const struct reply *reply = look(test, HOLDER, VIEWER, 0, 10);
    uint32_t at = 0;

    /* Item 2 is the viewer's own, item 1 is somebody's; newest first. */
    for (uint64_t item = 2; item >= 1; item--) {
        enum policy_showing showing = expected(relation, visibility, item == 2);

        if (showing == POLICY_HIDDEN)
            continue;
        assert_true(at < reply->count);
        assert_int_equal(reply->u.page[at].id, item);
        assert_int_equal(reply->u.page[at].time_us != 0, showing == POLICY_TRACE);
        at++;
    }
    assert_int_equal(reply->count, at);
    assert_int_equal(reply->cursor, 0);
}

/* The holder moves, and what is said for the region changes. */
static void move(struct test_engine *test, struct test_random *random)
{
    at_home = REGION * test_random_below(random, 3);
    ask(test, (struct request){.verb = VERB_ACCOUNT_SET,
                               .account = HOLDER,
                               .u.portrait = {.has_region = 1, .region = at_home}});
    policy.region_count = 1;
    policy.regions[0] = REGION;
    for (int i = 0; i < POLICY_RELATION_COUNT; i++)
        policy.show_region[0][i][VERB_LIKE] =
            test_random_below(random, 2) ? (uint8_t)test_random_below(random, POLICY_SHOWING_COUNT)
                                         : POLICY_AS_ALL;
}

static void every_relation_setting_and_matrix(void **state)
{
    static struct judges judges;
    struct test_engine test;
    void *region;
    struct test_random random = {test_seed(1)};

    (void)state;
    test_engine_open(&test, NULL);
    region = aligned_alloc(64, JUDGE_BYTES_MIN);
    assert_true(judges_open(&judges, region, JUDGE_BYTES_MIN, &policy, NULL, false, false));
    test.engine.judges = &judges;
    set_item(&test, 1, FRIEND);
    set_item(&test, 2, VIEWER);
    ask(&test, test_set(VERB_LIKE, HOLDER, 1));
    ask(&test, test_set(VERB_LIKE, HOLDER, 2));
    for (int relation = POLICY_STRANGER; relation <= POLICY_COMMON; relation++) {
        relate(&test, (enum policy_relation)relation);
        for (int visibility = 0; visibility < VISIBILITY_COUNT; visibility++) {
            setting(&test, HOLDER, (enum visibility)visibility);
            for (int matrix = 0; matrix < 24; matrix++) {
                for (int i = 0; i < POLICY_RELATION_COUNT; i++)
                    policy.show[i][VERB_LIKE] =
                        (uint8_t)test_random_below(&random, POLICY_SHOWING_COUNT);
                move(&test, &random);
                if (matrix == 12)
                    test_engine_flush(&test);
                check(&test, (enum policy_relation)relation, (enum visibility)visibility);
            }
        }
    }
    test_engine_close(&test);
    free(region);
}

/* Without a policy: what default.policy shows. Without a setting: nothing. */
static void defaults_show_least(void **state)
{
    struct test_engine test;

    (void)state;
    test_engine_open(&test, NULL);
    ask(&test, test_set(VERB_LIKE, HOLDER, 1));
    relate(&test, POLICY_MUTUAL);
    assert_int_equal(look(&test, HOLDER, VIEWER, 0, 10)->count, 0);
    assert_int_equal(look(&test, HOLDER, HOLDER, 0, 10)->count, 1); /* oneself sees */
    setting(&test, HOLDER, VISIBLE_TO_MUTUALS);
    assert_int_equal(look(&test, HOLDER, VIEWER, 0, 10)->count, 1);
    assert_int_equal(look(&test, HOLDER, VIEWER, 0, 10)->u.page[0].time_us, 0);
    relate(&test, POLICY_FOLLOWER);
    assert_int_equal(look(&test, HOLDER, VIEWER, 0, 10)->count, 0);
    setting(&test, HOLDER, VISIBLE_TO_ALL);
    relate(&test, POLICY_STRANGER);
    assert_int_equal(look(&test, HOLDER, VIEWER, 0, 10)->count, 0);
    relate(&test, POLICY_COMMON);
    assert_int_equal(look(&test, HOLDER, VIEWER, 0, 10)->count, 1);
    test_engine_close(&test);
}

/* Hidden, empty and unknown are one answer, with pages of every size. */
static void hidden_is_empty(void **state)
{
    struct test_engine test;
    const uint64_t accounts[] = {HOLDER, EMPTY, 999999};

    (void)state;
    test_engine_open(&test, NULL);
    ask(&test, (struct request){.verb = VERB_ACCOUNT_SET, .account = EMPTY});
    for (uint64_t item = 1; item <= 300; item++)
        ask(&test, test_set(VERB_LIKE, HOLDER, item));
    for (int flush = 0; flush < 2; flush++) {
        for (int i = 0; i < 3; i++)
            for (uint16_t count = 1; count <= 1000; count = (uint16_t)(count * 10)) {
                const struct reply *reply = look(&test, accounts[i], VIEWER, 0, count);

                assert_int_equal(reply->count, 0);
                assert_int_equal(reply->cursor, 0);
                assert_int_equal(reply->status, STATUS_OK);
            }
        test_engine_flush(&test);
    }
    test_engine_close(&test);
}

/* Every third item is private, every fifth like is taken back, some before and some after the
 * flush: pages are full, and the last one has no cursor. */
static void pages_do_not_tell_of_what_is_left_out(void **state)
{
    struct test_engine test;

    (void)state;
    test_engine_open(&test, NULL);
    setting(&test, HOLDER, VISIBLE_TO_ALL);
    relate(&test, POLICY_MUTUAL);
    for (uint64_t item = 1; item <= 200; item++) {
        ask(&test, test_set(VERB_LIKE, HOLDER, item));
        if (item == 90)
            test_engine_flush(&test);
    }
    for (uint64_t item = 1; item <= 200; item++) {
        if (item % 3 == 0)
            ask(&test, (struct request){.verb = VERB_ITEM_STATE,
                                        .target = item,
                                        .u.item.state = item % 2 ? ITEM_PRIVATE : ITEM_REMOVED});
        if (item % 5 == 0)
            ask(&test, test_set(VERB_UNLIKE, HOLDER, item));
        if (item == 120)
            test_engine_flush(&test);
    }
    for (uint16_t count = 1; count <= 64; count = (uint16_t)(count * 4)) {
        uint64_t cursor = 0, want = 200;
        uint32_t pages = 0, seen = 0;

        do {
            const struct reply *reply = look(&test, HOLDER, VIEWER, cursor, count);

            for (uint32_t i = 0; i < reply->count; i++, want--, seen++) {
                while (want % 3 == 0 || want % 5 == 0)
                    want--;
                assert_int_equal(reply->u.page[i].id, want);
            }
            cursor = reply->cursor;
            assert_true(cursor == 0 || reply->count == count);
            pages++;
        } while (cursor != 0);
        assert_int_equal(seen, 107); /* 200 less 66, 40, and 13 that are both */
        assert_int_equal(pages, (seen + count - 1) / count);
    }
    test_engine_close(&test);
}

/* Visibility, tier and age: by record, kept at rest, and only what was said changes. */
static void portraits_are_kept(void **state)
{
    struct test_engine test;
    struct request request = {.verb = VERB_ACCOUNT_SET,
                              .account = HOLDER,
                              .flags = REQUEST_HAS_TIER | REQUEST_HAS_CREATED,
                              .u.portrait = {.tier = TIER_ELDER, .created_us = 1500000000000000}};
    struct request get = {.verb = VERB_ACCOUNT_GET, .account = HOLDER};
    const struct account_row *row;

    (void)state;
    test_engine_open(&test, NULL);
    assert_int_equal(ask(&test, request), 1);
    assert_int_equal(ask(&test, request), 0);
    setting(&test, HOLDER, VISIBLE_TO_FOLLOWERS);
    assert_int_equal(ask(&test, (struct request){.verb = VERB_ACCOUNT_SET, .account = HOLDER}), 0);
    test_engine_flush(&test);
    row = test_engine_ask(&test, &get)->account;
    assert_int_equal(row->tier, TIER_ELDER);
    assert_int_equal(row->visibility, VISIBLE_TO_FOLLOWERS);
    assert_int_equal(row->first_us, 1500000000000000);
    assert_int_equal(row->region, 0);
    for (int i = 0; i < 3; i++) { /* said, said again, taken away */
        struct request region = {
            .verb = VERB_ACCOUNT_SET,
            .account = HOLDER,
            .u.portrait = {.has_region = 1, .region = i < 2 ? 899 /* cn */ : 0}};

        assert_int_equal(ask(&test, region), i != 1);
        test_engine_flush(&test);
        row = test_engine_ask(&test, &get)->account;
        assert_int_equal(row->region, region.u.portrait.region);
        assert_int_equal(row->tier, TIER_ELDER);
    }
    request.u.portrait.created_us = test.now_us + 3600000000;
    assert_int_equal(test_engine_ask(&test, &request)->status, STATUS_BADVALUE);
    assert_non_null(strstr(test_engine_ask(&test, &request)->u.detail, "must not be after now"));
    test_engine_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_relation_setting_and_matrix),
        cmocka_unit_test(defaults_show_least),
        cmocka_unit_test(hidden_is_empty),
        cmocka_unit_test(pages_do_not_tell_of_what_is_left_out),
        cmocka_unit_test(portraits_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
