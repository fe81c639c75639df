/* What accounts are told, against a naive twin over random sequences; what decisions tell; the same
 * at rest as in memory, and the same again in a replay of the records. */
#include <stdlib.h>
#include <string.h>

#include "engine/case.h"
#include "engine/notice.h"
#include "engine/policy.h"
#include "schema/access.h"
#include "support.h"
#include "support/test_engine.h"

#define ACCOUNTS 6 /* 1 .. 6; 1 and 2 make the items */
#define ITEMS    4 /* 101 .. 104, of 1 and 2 in turn; 105 has no creator */
#define STEP_US  1000
#define REGION   899 /* cn; twice that is another one */
#define LOG_MAX  20000

static struct policy policy; /* large */
static struct judges judges;

/* --- the records, for a replay ------------------------------------------------------------------ */

static uint8_t kept[LOG_MAX * 128];
static size_t kept_bytes;
static int64_t kept_us[LOG_MAX * 8];
static uint32_t kept_count;

static void keep(const struct test_engine *test)
{
    assert_true(kept_bytes + test->engine.body_size <= sizeof kept);
    memcpy(kept + kept_bytes, test->engine.body, test->engine.body_size);
    kept_bytes += test->engine.body_size;
    for (uint32_t i = 0; i < test->engine.record_count; i++)
        kept_us[kept_count++] = test->engine.now_us;
}

static const struct reply *ask(struct test_engine *test, struct request request)
{
    const struct reply *reply = test_engine_ask(test, &request);

    keep(test);
    return reply;
}

static void begin(struct test_engine *test)
{
    test_engine_open(test, NULL);
    memset(&policy, 0, sizeof policy);
    memset(&judges, 0, sizeof judges);
    kept_bytes = kept_count = 0;
}

/* The policy alone, no windows: what it says of notices is all that is asked of it. */
static void levels(struct test_engine *test, enum verb verb, uint8_t creator, uint8_t follower,
                   uint8_t mutual)
{
    judges.policy = &policy;
    test->engine.judges = &judges;
    policy.notify[POLICY_ITEM_CREATOR][verb] = creator;
    policy.notify[POLICY_FOLLOWER][verb] = follower;
    policy.notify[POLICY_MUTUAL][verb] = mutual;
}

static const struct reply *inbox(struct test_engine *test, uint64_t account)
{
    const struct reply *reply =
        ask(test, (struct request){.verb = VERB_NOTICES, .account = account, .count = 100});

    assert_int_equal(reply->kind, REPLY_NOTICES);
    return reply;
}

static void set_item(struct test_engine *test, uint64_t item, uint64_t creator)
{
    ask(test, (struct request){.verb = VERB_ITEM_SET,
                               .target = item,
                               .flags = REQUEST_HAS_CREATOR,
                               .u.item.creator = creator});
}

static uint64_t read_up_to(struct test_engine *test, uint64_t account, uint64_t id)
{
    return (uint64_t)ask(test, (struct request){.verb = VERB_NOTICE_READ,
                                                .account = account,
                                                .flags = REQUEST_HAS_CURSOR,
                                                .u.cursor = id})
        ->u.value;
}

static struct request do_it(enum verb verb, uint64_t account, uint64_t target)
{
    return test_set(verb, account, target);
}

/* --- the twin: every act that was told is remembered one by one --------------------------------- */

struct told {
    uint64_t to, by, target;
    int64_t at_us;
    enum verb verb;
    uint8_t loud; /* explicit, and a notice of its own */
    bool read, gone, pooled;
    int64_t pool_us; /* pooled: since when its digest is */
};

struct twin {
    struct told told[LOG_MAX];
    uint32_t count;
    bool on[3][ACCOUNTS + 1][ACCOUNTS + ITEMS + 2];
    int64_t since_us[3][ACCOUNTS + 1][ACCOUNTS + ITEMS + 2];
    bool regional[ACCOUNTS + 1]; /* at home in the one region that the policy names */
};

static struct twin *twin;

static uint32_t place(uint64_t target)
{
    return target > 100 ? (uint32_t)(ACCOUNTS + target - 100) : (uint32_t)target;
}

static int edge_of(enum verb verb)
{
    return verb <= VERB_UNLIKE ? 0 : verb <= VERB_UNFAVORITE ? 1 : verb <= VERB_UNFOLLOW ? 2 : -1;
}

static bool takes_back(enum verb verb)
{
    return verb == VERB_UNLIKE || verb == VERB_UNFAVORITE || verb == VERB_UNFOLLOW;
}

static uint64_t whom(enum verb verb, uint64_t target)
{
    if (edge_of(verb) == 2)
        return target;
    return target == 105 ? 0 : 1 + (target - 101) % 2;
}

static bool lives(const struct told *told, uint64_t to, enum verb verb, uint64_t target)
{
    return !told->gone && !told->read && told->to == to && told->verb == verb &&
           told->target == target;
}

static uint8_t said(uint64_t by, enum policy_relation relation, enum verb verb)
{
    uint8_t there = policy.notify_region[0][relation][verb];

    return twin->regional[by] && there != POLICY_AS_ALL ? there : policy.notify[relation][verb];
}

static uint8_t loudness(enum verb verb, uint64_t by, uint64_t to)
{
    uint8_t loud = said(by, POLICY_ITEM_CREATOR, verb);
    uint8_t other = 0;

    if (twin->on[2][to][by])
        other = said(by, twin->on[2][by][to] ? POLICY_MUTUAL : POLICY_FOLLOWER, verb);
    return other > loud ? other : loud;
}

/* The newest unread one that the same account did, or that was counted since then. */
static bool twin_takes_back(enum verb verb, uint64_t by, uint64_t to, uint64_t target,
                            int64_t since_us)
{
    for (uint32_t i = twin->count; i > 0; i--) {
        struct told *told = &twin->told[i - 1];

        if (lives(told, to, verb, target) && told->by == by && told->at_us == since_us) {
            told->gone = true;
            return true;
        }
    }
    return false;
}

static void twin_tells(enum verb verb, uint64_t by, uint64_t to, uint64_t target, uint8_t loud,
                       int64_t now_us)
{
    bool common = said(by, POLICY_ITEM_CREATOR, verb) != POLICY_SILENT;
    struct told told = {.to = to, .by = by, .target = target, .at_us = now_us, .verb = verb};
    struct told *oldest = NULL;
    int64_t pool_us = 0;
    uint32_t single = 0;

    for (uint32_t i = 0; i < twin->count; i++) {
        struct told *other = &twin->told[i];

        if (!lives(other, to, verb, target))
            continue;
        if (other->pooled && now_us - other->pool_us < NOTICE_PERIOD_US)
            pool_us = other->pool_us;
        if (!other->pooled && single++ == 0)
            oldest = other;
    }
    told.loud = loud == POLICY_EXPLICIT;
    told.pooled = common && (loud == POLICY_DIGEST || pool_us != 0 || single >= NOTICE_EACH);
    told.pool_us = pool_us != 0 ? pool_us : now_us;
    if (!told.pooled && single >= NOTICE_EACH)
        oldest->gone = true;
    assert_true(twin->count < LOG_MAX);
    twin->told[twin->count++] = told;
}

static void twin_does(enum verb verb, uint64_t by, uint64_t target, int64_t now_us)
{
    uint64_t to = whom(verb, target);
    uint64_t about = edge_of(verb) == 2 ? 0 : target;
    int edge = edge_of(verb);
    int64_t since_us = 0;
    uint8_t loud;

    if (edge >= 0) {
        bool *on = &twin->on[edge][by][place(target)];

        if (*on == !takes_back(verb))
            return; /* it is so */
        *on = !*on;
        since_us = twin->since_us[edge][by][place(target)];
        twin->since_us[edge][by][place(target)] = now_us;
    }
    if (to == 0 || to == by)
        return;
    if (takes_back(verb) && twin_takes_back((enum verb)(verb - 1), by, to, about, since_us))
        return;
    loud = loudness(verb, by, to);
    if (loud != POLICY_SILENT && verb != VERB_SKIP && verb != VERB_REPORT)
        twin_tells(verb, by, to, about, loud, now_us);
}

static uint32_t in_pool(const struct told *of)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < twin->count; i++)
        count += lives(&twin->told[i], of->to, of->verb, of->target) && twin->told[i].pooled &&
                 twin->told[i].pool_us == of->pool_us;
    return count;
}

/* How many acts of that verb on that target the account sees unread, by itself and counted; a few
 * that are taken back are not shown. */
static void twin_counts(uint64_t to, enum verb verb, uint64_t target, uint32_t *single,
                        uint32_t *pooled)
{
    *single = *pooled = 0;
    for (uint32_t i = 0; i < twin->count; i++) {
        const struct told *told = &twin->told[i];

        if (!lives(told, to, verb, target))
            continue;
        *single += !told->pooled;
        *pooled += told->pooled && (!takes_back(verb) || in_pool(told) >= NOTICE_CROWD);
    }
}

static void check_inbox(struct test_engine *test, uint64_t account)
{
    const struct reply *reply = inbox(test, account);
    static const enum verb verbs[] = {VERB_LIKE,   VERB_UNLIKE,   VERB_FAVORITE, VERB_UNFAVORITE,
                                      VERB_FOLLOW, VERB_UNFOLLOW, VERB_COMMENT,  VERB_SHARE,
                                      VERB_SKIP,   VERB_REPORT};

    assert_true(reply->count <= NOTICES_MAX);
    for (uint32_t i = 1; i < reply->count; i++)
        assert_true(reply->u.notices[i].notice.id < reply->u.notices[i - 1].notice.id);
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
        for (uint64_t target = 100; target <= 100 + ITEMS; target++) {
            uint64_t about = target == 100 ? 0 : target;
            uint32_t single, pooled, seen_single = 0, seen_pooled = 0;

            twin_counts(account, verbs[v], about, &single, &pooled);
            for (uint32_t i = 0; i < reply->count; i++) {
                const struct notice_view *view = &reply->u.notices[i];

                if (view->notice.verb != verbs[v] || view->notice.target != about || !view->unread)
                    continue;
                if (view->notice.kind == NOTICE_ACT)
                    seen_single++;
                else
                    seen_pooled += view->notice.count;
                /* Nobody is named for what he likes, or takes back. */
                if (!view->named)
                    assert_int_equal(view->notice.kind == NOTICE_ACT ? view->notice.other : 0, 0);
                assert_false(view->named && (takes_back(verbs[v]) || verbs[v] == VERB_LIKE ||
                                             verbs[v] == VERB_FAVORITE));
            }
            assert_int_equal(seen_single, single);
            assert_int_equal(seen_pooled, pooled);
        }
}

/* --- random sequences --------------------------------------------------------------------------- */

static uint64_t state_of(struct test_engine *test)
{
    uint64_t sum = 0;

    for (uint64_t account = 1; account <= ACCOUNTS; account++) {
        struct request request = {.verb = VERB_NOTICES, .account = account, .count = 100};
        const struct reply *reply = test_engine_ask(test, &request);

        for (uint32_t i = 0; i < reply->count; i++) {
            const struct notice *at = &reply->u.notices[i].notice;

            sum = hash_two(sum ^ at->id, at->target ^ (uint64_t)at->time_us);
            sum = hash_two(sum ^ at->other, (uint64_t)at->until_us ^ at->count);
            sum = hash_two(sum, (uint64_t)at->kind << 16 | (uint64_t)at->verb << 8 | at->how);
            sum = hash_two(sum, reply->u.notices[i].unread);
        }
        sum = hash_two(sum, reply->unread);
    }
    return sum;
}

/* Without any policy: what the records say is what is told. */
static void check_replay(struct test_engine *test)
{
    static struct test_engine again;
    uint64_t expected = state_of(test);
    size_t at = 0;

    test_engine_open(&again, NULL);
    for (uint32_t i = 0; at < kept_bytes; i++) {
        struct record record = {.sequence = i + 1, .time_us = kept_us[i]};
        size_t size = record_decode(kept + at, kept_bytes - at, &record);

        assert_true(size > 0);
        test_engine_replay(&again, &record);
        at += size;
        if (i % 97 == 0)
            test_engine_flush(&again);
    }
    again.now_us = test->now_us - ACCOUNTS * STEP_US;
    assert_true(state_of(&again) == expected);
    test_engine_close(&again);
}

static void random_levels(struct test_engine *test, struct test_random *random)
{
    static const enum verb verbs[] = {VERB_LIKE,   VERB_UNLIKE,   VERB_FAVORITE, VERB_UNFAVORITE,
                                      VERB_FOLLOW, VERB_UNFOLLOW, VERB_COMMENT,  VERB_SHARE,
                                      VERB_SKIP,   VERB_REPORT};

    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
        levels(test, verbs[v], (uint8_t)test_random_below(random, 3),
               (uint8_t)test_random_below(random, 3), (uint8_t)test_random_below(random, 3));
    policy.region_count = 1;
    policy.regions[0] = REGION;
    memset(policy.notify_region, POLICY_AS_ALL, sizeof policy.notify_region);
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
        for (int relation = POLICY_FOLLOWER; relation < POLICY_RELATION_COUNT; relation++)
            if (test_random_below(random, 2))
                policy.notify_region[0][relation][verbs[v]] =
                    (uint8_t)test_random_below(random, POLICY_NOTICE_COUNT);
}

/* All of it: a digest that is not shown yet is older or newer, so all that the row has. */
static void read_all(struct test_engine *test, uint64_t account)
{
    read_up_to(test, account, UINT32_MAX);
    for (uint32_t i = 0; i < twin->count; i++)
        twin->told[i].read = twin->told[i].read || twin->told[i].to == account;
}

static void random_move(struct test_engine *test, struct test_random *random)
{
    uint64_t account = 1 + test_random_below(random, ACCOUNTS);
    uint64_t region = test_random_below(random, 3);

    for (uint64_t one = 1; one <= ACCOUNTS; one++) /* what he did before was told as of then */
        read_all(test, one);
    ask(test, (struct request){.verb = VERB_ACCOUNT_SET,
                               .account = account,
                               .u.portrait = {.has_region = 1, .region = region * REGION}});
    twin->regional[account] = region == 1;
}

static void random_act(struct test_engine *test, struct test_random *random)
{
    static const enum verb verbs[] = {VERB_LIKE,       VERB_LIKE,   VERB_UNLIKE,   VERB_FAVORITE,
                                      VERB_UNFAVORITE, VERB_FOLLOW, VERB_UNFOLLOW, VERB_COMMENT,
                                      VERB_SHARE,      VERB_SKIP,   VERB_REPORT};
    enum verb verb = verbs[test_random_below(random, sizeof verbs / sizeof *verbs)];
    uint64_t account = 1 + test_random_below(random, ACCOUNTS);
    uint64_t target = edge_of(verb) == 2 ? 1 + test_random_below(random, ACCOUNTS)
                                         : 101 + test_random_below(random, ITEMS + 1);

    ask(test, do_it(verb, account, target));
    twin_does(verb, account, target, test->engine.now_us);
}

static void follows_a_naive_twin(void **state)
{
    struct test_random random = {test_seed(11)};
    static struct test_engine test;

    (void)state;
    twin = calloc(1, sizeof *twin);
    for (int world = 0; world < 12; world++) {
        memset(twin, 0, sizeof *twin);
        begin(&test);
        random_levels(&test, &random);
        for (uint64_t item = 101; item < 101 + ITEMS; item++)
            set_item(&test, item, 1 + (item - 101) % 2);
        for (int i = 0; i < 700; i++) {
            uint64_t dice = test_random_below(&random, 100);

            if (dice < 91)
                random_act(&test, &random);
            else if (dice < 92)
                random_move(&test, &random);
            else if (dice < 96)
                read_all(&test, 1 + test_random_below(&random, ACCOUNTS));
            else if (dice < 97)
                test_engine_flush(&test);
            else if (dice < 98)
                test.now_us += (int64_t)test_random_below(&random, 2 * NOTICE_PERIOD_US);
            else
                check_inbox(&test, 1 + test_random_below(&random, ACCOUNTS));
            if (i % 100 == 99) /* the room of an inbox is another test's affair */
                for (uint64_t account = 1; account <= ACCOUNTS; account++)
                    check_inbox(&test, account);
        }
        check_replay(&test);
        test_engine_close(&test);
    }
    free(twin);
}

/* --- sentences ---------------------------------------------------------------------------------- */

static struct test_engine test;

/* The newest notice of an account; it must be the first of count, and unread of them unread. */
static struct notice_view newest(uint64_t account, uint32_t count, uint32_t unread)
{
    const struct reply *reply = inbox(&test, account);

    assert_int_equal(reply->count, count);
    assert_int_equal(reply->unread, unread);
    return count > 0 ? reply->u.notices[0] : (struct notice_view){0};
}

/* Nobody is told of what the accounts of a region like; taking it back takes nothing from others.
 */
static void a_region_has_its_own_matrix(void **state)
{
    struct notice_view view;

    (void)state;
    begin(&test);
    levels(&test, VERB_LIKE, POLICY_DIGEST, 0, POLICY_EXPLICIT);
    policy.region_count = 1;
    policy.regions[0] = REGION;
    memset(policy.notify_region, POLICY_AS_ALL, sizeof policy.notify_region);
    policy.notify_region[0][POLICY_ITEM_CREATOR][VERB_LIKE] = POLICY_SILENT;
    set_item(&test, 101, 1);
    for (uint64_t account = 2; account <= 5; account++) {
        ask(&test,
            (struct request){.verb = VERB_ACCOUNT_SET,
                             .account = account,
                             .u.portrait = {.has_region = 1, .region = account < 4 ? 0 : REGION}});
        ask(&test, do_it(VERB_LIKE, account, 101));
    }
    view = newest(1, 1, 1);
    assert_true(view.notice.kind == NOTICE_DIGEST && view.notice.count == 2);
    ask(&test, do_it(VERB_UNLIKE, 4, 101));
    assert_int_equal(newest(1, 1, 1).notice.count, 2);
    ask(&test, do_it(VERB_UNLIKE, 2, 101));
    assert_int_equal(newest(1, 1, 1).notice.count, 1);
    ask(&test, do_it(VERB_FOLLOW, 5, 1)); /* mutual: told, there too */
    ask(&test, do_it(VERB_FOLLOW, 1, 5));
    ask(&test, do_it(VERB_UNLIKE, 5, 101));
    ask(&test, do_it(VERB_LIKE, 5, 101));
    assert_int_equal(newest(1, 2, 2).notice.kind, NOTICE_ACT);
    ask(&test, do_it(VERB_UNLIKE, 5, 101));
    assert_int_equal(newest(1, 1, 1).notice.count, 1);
    test_engine_close(&test);
}

static void what_is_taken_back_unread_was_never_told(void **state)
{
    struct notice_view view;

    (void)state;
    begin(&test);
    levels(&test, VERB_LIKE, POLICY_DIGEST, 0, POLICY_EXPLICIT);
    set_item(&test, 101, 1);
    ask(&test, do_it(VERB_LIKE, 2, 101));
    ask(&test, do_it(VERB_LIKE, 3, 101));
    view = newest(1, 1, 1);
    assert_true(view.notice.kind == NOTICE_DIGEST && view.notice.count == 2 && view.notice.quiet);
    ask(&test, do_it(VERB_UNLIKE, 2, 101));
    assert_int_equal(newest(1, 1, 1).notice.count, 1);
    ask(&test, do_it(VERB_UNLIKE, 3, 101));
    newest(1, 0, 0);
    ask(&test, do_it(VERB_LIKE, 1, 101)); /* his own */
    newest(1, 0, 0);
    ask(&test, do_it(VERB_LIKE, 2, 101));
    assert_int_equal(read_up_to(&test, 1, UINT32_MAX), 1);
    assert_int_equal(read_up_to(&test, 1, UINT32_MAX), 0);
    ask(&test, do_it(VERB_UNLIKE, 2, 101)); /* he has seen it; of the un-like nothing is told */
    assert_int_equal(newest(1, 1, 0).notice.count, 1);
    ask(&test, do_it(VERB_LIKE, 4, 101)); /* a new one, not the one he has read */
    assert_int_equal(newest(1, 2, 1).notice.count, 1);
    check_replay(&test);
    test_engine_close(&test);
}

/* F96, F97: one-way silent, mutual a quiet mark, never by name. */
static void friends_see_a_mark_and_no_name(void **state)
{
    struct notice_view view;

    (void)state;
    begin(&test);
    levels(&test, VERB_UNLIKE, POLICY_SILENT, POLICY_SILENT, POLICY_DIGEST);
    set_item(&test, 101, 1);
    ask(&test, do_it(VERB_FOLLOW, 2, 1));
    ask(&test, do_it(VERB_FOLLOW, 3, 1));
    ask(&test, do_it(VERB_FOLLOW, 1, 3));
    for (uint64_t account = 2; account <= 4; account++) {
        ask(&test, do_it(VERB_LIKE, account, 101));
        ask(&test, do_it(VERB_UNLIKE, account, 101));
    }
    view = newest(1, 1, 1); /* that of 3 alone */
    assert_true(view.notice.quiet && view.notice.verb == VERB_UNLIKE && !view.named);
    assert_int_equal(view.notice.other, 0);
    check_replay(&test);
    test_engine_close(&test);
}

/* F98: many who take back are one notice, a few are none. */
static void a_crowd_is_told_as_a_number(void **state)
{
    (void)state;
    begin(&test);
    levels(&test, VERB_UNLIKE, POLICY_DIGEST, 0, 0);
    set_item(&test, 101, 1);
    for (uint64_t account = 2; account < 2 + NOTICE_CROWD; account++) {
        newest(1, 0, 0);
        ask(&test, do_it(VERB_LIKE, account, 101));
        ask(&test, do_it(VERB_UNLIKE, account, 101));
    }
    assert_int_equal(newest(1, 1, 1).notice.count, NOTICE_CROWD);
    test_engine_close(&test);
}

static void a_clean_up_and_its_undo_tell_nothing_new(void **state)
{
    (void)state;
    begin(&test);
    levels(&test, VERB_LIKE, POLICY_DIGEST, 0, 0);
    levels(&test, VERB_UNLIKE, POLICY_EXPLICIT, 0, 0);
    set_item(&test, 101, 1);
    ask(&test, do_it(VERB_LIKE, 2, 101));
    ask(&test, do_it(VERB_LIKE, 3, 101));
    ask(&test, (struct request){.verb = VERB_CLEANUP_RUN, .account = 2});
    assert_int_equal(newest(1, 1, 1).notice.count, 1);
    ask(&test, (struct request){.verb = VERB_CLEANUP_UNDO, .account = 2, .u.cursor = 1});
    assert_int_equal(newest(1, 1, 1).notice.count, 2);
    ask(&test, do_it(VERB_UNLIKE, 2, 101));
    assert_int_equal(newest(1, 1, 1).notice.count, 1);
    read_up_to(&test, 1, UINT32_MAX);
    ask(&test, (struct request){.verb = VERB_CLEANUP_RUN, .account = 3});
    ask(&test, (struct request){.verb = VERB_CLEANUP_UNDO, .account = 3, .u.cursor = 1});
    newest(1, 1, 0); /* brought back, and not told again */
    check_replay(&test);
    test_engine_close(&test);
}

/* --- decisions ---------------------------------------------------------------------------------- */

#define ANN   11 /* proposes */
#define BOB   12 /* approves */
#define DAY_US (24LL * 3600 * 1000000)

static uint64_t case_step(enum verb verb, uint64_t target, uint64_t caller, struct request request)
{
    const struct reply *reply;

    request.verb = (uint16_t)verb;
    request.target = target;
    request.caller = caller;
    request.u.deed.text = "because";
    request.u.deed.text_size = 7;
    if (request.u.deed.until_us != 0)
        request.flags |= REQUEST_HAS_UNTIL;
    reply = ask(&test, request);
    assert_int_equal(reply->status, STATUS_OK);
    return (uint64_t)reply->u.value;
}

static uint64_t open_about(uint8_t subject, uint64_t about)
{
    return case_step(VERB_CASE_OPEN, about, ANN, (struct request){.u.deed.subject = subject});
}

static void decide(uint64_t id, uint8_t decision, int64_t until_us)
{
    case_step(VERB_CASE_PROPOSE, id, ANN,
              (struct request){.u.deed = {.decision = decision, .until_us = until_us}});
    case_step(VERB_CASE_APPROVE, id, BOB, (struct request){0});
}

static void a_restriction_its_end_and_an_appeal_are_told(void **state)
{
    struct notice_view view;
    uint64_t id;

    (void)state;
    begin(&test);
    ask(&test, do_it(VERB_LIKE, 2, 101));
    id = open_about(SUBJECT_ACCOUNT, 2);
    newest(2, 0, 0); /* that somebody looks is not told */
    test_engine_flush(&test);
    decide(id, DECISION_LIKE_BAN, test.now_us + DAY_US);
    view = newest(2, 1, 1);
    assert_true(view.notice.kind == NOTICE_SANCTION && view.notice.how == SANCTION_LIKE_BAN);
    assert_true(view.notice.other == id && !view.over && view.notice.until_us > test.now_us);
    assert_int_equal(read_up_to(&test, 2, view.notice.id), 1);
    newest(2, 1, 0);
    test.now_us += 2 * DAY_US; /* its end is news, though nothing ran for it */
    view = newest(2, 1, 1);
    assert_true(view.over);
    assert_int_equal(read_up_to(&test, 2, view.notice.id), 1);
    newest(2, 1, 0);
    case_step(VERB_CASE_APPEAL, id, 0, (struct request){.account = 2});
    decide(id, DECISION_RESTORE, 0);
    view = newest(2, 3, 2); /* the answer, and that it is lifted */
    test_engine_flush(&test);
    check_replay(&test);
    test_engine_close(&test);
}

static void a_window_over_an_item_is_told_to_its_creator(void **state)
{
    struct notice_view view;
    struct account_row before;
    uint64_t id;

    (void)state;
    begin(&test);
    set_item(&test, 101, 1);
    ask(&test, do_it(VERB_LIKE, 2, 101));
    id = open_about(SUBJECT_ITEM, 101);
    newest(1, 0, 0);
    before = *hot_account(test.engine.hot, hot_account_find(test.engine.hot, 0, 1));
    test_engine_flush(&test);
    decide(id, DECISION_QUARANTINE, test.now_us + DAY_US);
    view = newest(1, 1, 1);
    assert_true(view.notice.kind == NOTICE_WINDOW && view.notice.target == 101 &&
                view.notice.other == id);
    assert_memory_equal(&before, hot_account(test.engine.hot, hot_account_find(test.engine.hot, 0, 1)),
                        sizeof before);
    test.now_us += 2 * DAY_US;
    while (test_engine_case(&test, 10))
        keep(&test);
    view = newest(1, 2, 2);
    assert_true(view.notice.kind == NOTICE_SETTLED && view.notice.how == 0);
    check_replay(&test);
    test_engine_close(&test);
}

/* The creator's word opens a case and changes nothing else. */
static void a_disavowal_does_no_harm(void **state)
{
    struct request request = {.verb = VERB_DISAVOW, .target = 101, .subject = 1, .caller = 77,
                              .object_rule = RULE_ITEM, .flags = REQUEST_RETURN};
    struct account_row before;
    struct item_row item;
    const struct reply *reply;
    uint64_t id;

    (void)state;
    begin(&test);
    set_item(&test, 101, 1);
    set_item(&test, 102, 2);
    for (uint64_t account = 2; account < 6; account++)
        ask(&test, do_it(VERB_LIKE, account, 101));
    request.u.deed.text = "not mine";
    request.u.deed.text_size = 8;
    request_disavow(&request);
    before = *hot_account(test.engine.hot, hot_account_find(test.engine.hot, 0, 1));
    item = *hot_item(test.engine.hot, hot_item_find(test.engine.hot, 0, 101));
    reply = ask(&test, request);
    assert_int_equal(reply->kind, REPLY_CASE);
    id = reply->cased->id;
    assert_true(reply->own && reply->cased->kind == CASE_DISAVOWAL && reply->cased->opener == 77);
    assert_memory_equal(&before, hot_account(test.engine.hot, hot_account_find(test.engine.hot, 0, 1)),
                        sizeof before);
    item.case_id = id;
    assert_memory_equal(&item, hot_item(test.engine.hot, hot_item_find(test.engine.hot, 0, 101)),
                        sizeof item);
    test_engine_flush(&test);
    reply = ask(&test, request); /* again: the same case */
    assert_true(reply->status == STATUS_UNCHANGED && reply->cased->id == id);
    request.target = 102;
    assert_int_equal(ask(&test, request)->status, STATUS_NOPERM);
    request.target = 999;
    assert_int_equal(ask(&test, request)->status, STATUS_NOPERM);
    newest(1, 0, 0);
    test.now_us += 8 * DAY_US; /* nobody looks: it ends, and he is told */
    while (test_engine_case(&test, 10))
        keep(&test);
    assert_int_equal(newest(1, 1, 1).notice.kind, NOTICE_DECIDED);
    check_replay(&test);
    test_engine_close(&test);
}

static void the_shield_tells_everything_and_nobody(void **state)
{
    struct request request = {.verb = VERB_SHIELD, .target = 101, .subject = 1,
                              .object_rule = RULE_ITEM, .count = 100};
    const struct reply *reply;
    uint64_t first, second;

    (void)state;
    begin(&test);
    set_item(&test, 101, 1);
    for (uint64_t account = 2; account < 6; account++)
        ask(&test, do_it(VERB_LIKE, account, 101));
    for (uint64_t account = 20; account < 22; account++) /* reports: too few to be a case */
        ask(&test, do_it(VERB_REPORT, account, 101));
    first = open_about(SUBJECT_ITEM, 101);
    decide(first, DECISION_VOID, 0);
    while (test_engine_case(&test, 10))
        keep(&test);
    second = open_about(SUBJECT_ITEM, 101);
    test_engine_flush(&test);
    reply = ask(&test, request);
    assert_int_equal(reply->kind, REPLY_SHIELD);
    assert_int_equal(reply->item->credit.voided, 4);
    assert_int_equal(reply->item->reasons[REASON_REVIEW], 4);
    assert_int_equal(reply->count, 2);
    assert_true(reply->own && reply->cursor == 0 && reply->u.shields[0].id == second);
    assert_true(reply->u.shields[1].id == first && reply->u.shields[1].likes == 4);
    request.count = 1; /* page by page */
    reply = ask(&test, request);
    assert_true(reply->count == 1 && reply->cursor == first);
    request.flags |= REQUEST_HAS_CURSOR;
    request.u.cursor = first;
    reply = ask(&test, request);
    assert_true(reply->count == 1 && reply->u.shields[0].id == first);
    request.flags = 0;
    request.subject = 2; /* somebody else's */
    assert_int_equal(ask(&test, request)->status, STATUS_NOPERM);
    test_engine_close(&test);
}

/* However much others do, a decision stays; the oldest act goes. */
static void acts_push_no_decision_out(void **state)
{
    const struct reply *reply;
    bool there = false;

    (void)state;
    begin(&test);
    levels(&test, VERB_COMMENT, POLICY_EXPLICIT, 0, 0);
    for (uint64_t item = 1001; item < 1101; item++)
        set_item(&test, item, 1);
    ask(&test, do_it(VERB_LIKE, 1, 101));
    decide(open_about(SUBJECT_ACCOUNT, 1), DECISION_LIKE_BAN, test.now_us + DAY_US);
    for (uint64_t item = 1001; item < 1101; item++)
        ask(&test, do_it(VERB_COMMENT, 2, item));
    reply = inbox(&test, 1);
    assert_int_equal(reply->count, NOTICES_MAX);
    assert_int_equal(reply->u.notices[0].notice.target, 1100);
    for (uint32_t i = 0; i < reply->count; i++)
        there = there || reply->u.notices[i].notice.kind == NOTICE_SANCTION;
    assert_true(there);
    check_replay(&test);
    test_engine_close(&test);
}

/* Pages by cursor give every notice once. */
static void pages_fit_together(void **state)
{
    struct request request = {.verb = VERB_NOTICES, .account = 1, .count = 4};
    uint32_t seen = 0;

    (void)state;
    begin(&test);
    levels(&test, VERB_LIKE, POLICY_DIGEST, 0, 0);
    for (uint64_t item = 1001; item < 1012; item++) {
        set_item(&test, item, 1);
        ask(&test, do_it(VERB_LIKE, 2, item));
    }
    for (uint64_t cursor = 1; cursor != 0;) {
        const struct reply *reply = test_engine_ask(&test, &request);

        for (uint32_t i = 0; i < reply->count; i++)
            assert_int_equal(reply->u.notices[i].notice.target, 1011 - seen++);
        assert_int_equal(reply->unread, 11);
        cursor = reply->cursor;
        request.flags |= REQUEST_HAS_CURSOR;
        request.u.cursor = cursor;
    }
    assert_int_equal(seen, 11);
    test_engine_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_a_naive_twin),
        cmocka_unit_test(a_region_has_its_own_matrix),
        cmocka_unit_test(what_is_taken_back_unread_was_never_told),
        cmocka_unit_test(friends_see_a_mark_and_no_name),
        cmocka_unit_test(a_crowd_is_told_as_a_number),
        cmocka_unit_test(a_clean_up_and_its_undo_tell_nothing_new),
        cmocka_unit_test(a_restriction_its_end_and_an_appeal_are_told),
        cmocka_unit_test(a_window_over_an_item_is_told_to_its_creator),
        cmocka_unit_test(a_disavowal_does_no_harm),
        cmocka_unit_test(the_shield_tells_everything_and_nobody),
        cmocka_unit_test(acts_push_no_decision_out),
        cmocka_unit_test(pages_fit_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
