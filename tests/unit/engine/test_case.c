/* Cases and sanctions: who may take which step, what ends by itself, what comes back exactly, and
 * that nothing that others do changes how an account stands. A random history is replayed and
 * compared. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/case.h"
#include "engine/sanction.h"
#include "support/test_engine.h"

#define DAY_US   (24LL * 3600 * 1000000)
#define ANN      11 /* callers */
#define BEA      22
#define RECORDS  60000
#define ACCOUNTS 30
#define ITEMS    6
#define CREATORS 3
#define CREATOR  100 /* id of the first one */

static struct test_engine test;

/* What the engine has written, to be replayed. */
struct written {
    uint64_t sequence;
    int64_t time_us;
    uint32_t at;
};
static struct written written[RECORDS];
static uint32_t written_count;
static uint8_t *bytes;
static size_t bytes_used;

static void keep(void)
{
    size_t at = 0;

    for (uint32_t i = 0; i < test.engine.record_count; i++) {
        struct record record;
        size_t size = record_decode(test.engine.body + at, test.engine.body_size - at, &record);

        assert_true(size > 0 && written_count < RECORDS);
        written[written_count++] = (struct written){test.engine.first_sequence + i,
                                                    test.engine.now_us, (uint32_t)bytes_used};
        memcpy(bytes + bytes_used, test.engine.body + at, size);
        bytes_used += size;
        at += size;
    }
}

static int open_engine(void **state)
{
    static const struct hot_config hot = {.accounts = 256,
                                          .items = 256,
                                          .edges = 512,
                                          .operations = 512,
                                          .scratch = 4096,
                                          .cases = 64};

    (void)state;
    test_engine_open(&test, &hot);
    bytes = malloc((size_t)RECORDS * 128);
    written_count = 0;
    bytes_used = 0;
    return bytes == NULL;
}

static int close_engine(void **state)
{
    (void)state;
    test_engine_close(&test);
    free(bytes);
    return 0;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static const struct reply *ask(const struct request *request)
{
    const struct reply *reply = test_engine_ask(&test, request);

    keep();
    return reply;
}

static enum status act(enum verb verb, uint64_t account, uint64_t target)
{
    struct request request = test_set(verb, account, target);

    return (enum status)ask(&request)->status;
}

static uint64_t open_case(uint8_t kind, uint8_t subject, uint64_t about)
{
    struct request request = {.verb = VERB_CASE_OPEN, .target = about, .caller = ANN};
    const struct reply *reply;

    request.u.deed.kind = kind;
    request.u.deed.subject = subject;
    request.u.deed.text = "why";
    request.u.deed.text_size = 3;
    reply = ask(&request);
    if (reply->status == STATUS_BUSY) { /* no room: a flush makes some */
        test_engine_flush(&test);
        reply = ask(&request);
    }
    assert_int_equal(reply->status, STATUS_OK);
    return (uint64_t)reply->u.value;
}

struct step {
    uint64_t caller;
    uint8_t decision;
    uint16_t value;
    int64_t until_us, since_us;
    uint64_t account;
    uint8_t only;
};

static enum status take(enum verb verb, uint64_t id, struct step step)
{
    struct request request = {
        .verb = (uint16_t)verb, .target = id, .caller = step.caller, .account = step.account};
    const struct reply *reply;

    request.u.deed.decision = step.decision;
    request.u.deed.value = step.value;
    request.u.deed.only = step.only;
    request.u.deed.text = "because";
    request.u.deed.text_size = 7;
    if (step.until_us != 0)
        request.flags |= REQUEST_HAS_UNTIL;
    if (step.since_us != 0)
        request.flags |= REQUEST_HAS_SINCE;
    request.u.deed.until_us = step.until_us;
    request.u.deed.since_us = step.since_us;
    reply = ask(&request);
    if (reply->status == STATUS_BADVALUE) { /* what was wrong, and what would do */
        assert_non_null(reply->u.detail);
        assert_true(strlen(reply->u.detail) > 20 && strlen(reply->u.detail) < 200);
    }
    return (enum status)reply->status;
}

static enum status propose(uint64_t id, uint8_t decision, uint16_t value, int64_t until_us)
{
    return take(
        VERB_CASE_PROPOSE, id,
        (struct step){.caller = ANN, .decision = decision, .value = value, .until_us = until_us});
}

static enum status approve(uint64_t id, uint64_t caller)
{
    return take(VERB_CASE_APPROVE, id, (struct step){.caller = caller});
}

static struct case_row case_of(uint64_t id)
{
    struct request get = {.verb = VERB_CASE_GET, .target = id};
    const struct reply *reply = test_engine_ask(&test, &get);

    assert_int_equal(reply->kind, REPLY_CASE);
    return *reply->cased;
}

static struct account_row account_of(uint64_t id)
{
    struct request get = {.verb = VERB_RECEIVED, .account = id};

    return *test_engine_ask(&test, &get)->account;
}

static struct item_row item_of(uint64_t id)
{
    struct request get = {.verb = VERB_COUNTS, .target = id};

    return *test_engine_ask(&test, &get)->item;
}

static void later(int64_t us)
{
    test.now_us += us;
}

/* All that is due, in steps of at most so many likes. */
static void run_cases(uint32_t most)
{
    for (int i = 0; i < 1000 && test_engine_case(&test, most); i++)
        keep();
}

static void make_account(uint64_t id)
{
    struct request set = {.verb = VERB_ACCOUNT_SET, .account = id};

    ask(&set);
}

/* --- steps --------------------------------------------------------------------------------------
 */

static void who_proposes_does_not_approve(void **state)
{
    uint64_t id;

    (void)state;
    make_account(7);
    id = open_case(CASE_REVIEW, SUBJECT_ACCOUNT, 7);
    assert_int_equal(approve(id, BEA), STATUS_CASESTATE);
    assert_int_equal(propose(id, DECISION_LIKE_BAN, 0, test.now_us + DAY_US), STATUS_OK);
    assert_int_equal(approve(id, ANN), STATUS_FOUREYES);
    assert_int_equal(approve(id, 0), STATUS_FOUREYES);
    assert_int_equal(act(VERB_LIKE, 7, 1), STATUS_OK);
    assert_int_equal(approve(id, BEA), STATUS_OK);
    assert_int_equal(act(VERB_LIKE, 7, 2), STATUS_SUSPENDED);
    assert_int_equal(approve(id, BEA), STATUS_CASESTATE);
    assert_int_equal(propose(id, DECISION_CUT, 50, 0), STATUS_CASESTATE);
    assert_int_equal(take(VERB_CASE_REJECT, id, (struct step){.caller = BEA}), STATUS_CASESTATE);
    assert_int_equal(approve(12345, BEA), STATUS_NOCASE);
}

static void a_proposal_must_make_sense(void **state)
{
    uint64_t account, item;
    int64_t now_us;

    (void)state;
    make_account(7);
    act(VERB_LIKE, 7, 1);
    account = open_case(CASE_REVIEW, SUBJECT_ACCOUNT, 7);
    item = open_case(CASE_QUARANTINE, SUBJECT_ITEM, 1);
    now_us = test.now_us;
    assert_int_equal(propose(account, DECISION_LIMIT, 0, now_us - 1), STATUS_BADVALUE);
    assert_int_equal(propose(account, DECISION_LIMIT, 0, now_us + 367 * DAY_US), STATUS_BADVALUE);
    assert_int_equal(propose(account, DECISION_CUT, 0, 0), STATUS_BADVALUE);
    assert_int_equal(propose(account, DECISION_CUT, 100, 0), STATUS_BADVALUE);
    assert_int_equal(propose(account, DECISION_POINTS, 0, 0), STATUS_BADVALUE);
    assert_int_equal(propose(account, DECISION_QUARANTINE, 0, 0), STATUS_BADVALUE);
    assert_int_equal(propose(item, DECISION_LIKE_BAN, 0, 0), STATUS_BADVALUE);
    assert_int_equal(propose(item, DECISION_RESTORE, 0, 0), STATUS_CASESTATE);
    assert_int_equal(propose(account, DECISION_CUT, 50, 0), STATUS_OK);
    assert_int_equal(propose(item, DECISION_QUARANTINE, 0, 0), STATUS_OK);
}

/* Each row begins one sanction, finds it in force, and finds it gone when its time is over. */
static void every_sanction_ends_by_itself(void **state)
{
    static const uint8_t decisions[] = {DECISION_LIKE_BAN, DECISION_LIMIT, DECISION_CUT};

    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t account = 50 + i, id;
        struct account_row row;

        make_account(account);
        id = open_case(CASE_REVIEW, SUBJECT_ACCOUNT, account);
        propose(id, decisions[i], 40, test.now_us + DAY_US);
        assert_int_equal(approve(id, BEA), STATUS_OK);
        row = account_of(account);
        if (decisions[i] == DECISION_CUT)
            assert_int_equal(sanction_cut(&row, test.now_us), 40);
        else
            assert_int_equal(act(VERB_LIKE, account, 1), STATUS_SUSPENDED);
        assert_int_equal(act(VERB_UNLIKE, account, 1),
                         decisions[i] == DECISION_LIMIT ? STATUS_SUSPENDED : STATUS_UNCHANGED);
        later(DAY_US + 2000000);
        row = account_of(account);
        assert_int_equal(sanction_cut(&row, test.now_us), WEIGHT_FULL);
        assert_int_equal(act(VERB_LIKE, account, 1), STATUS_OK);
    }
}

static void what_nobody_decides_ends_in_favour(void **state)
{
    uint64_t open, banned;

    (void)state;
    make_account(7);
    make_account(8);
    open = open_case(CASE_REVIEW, SUBJECT_ACCOUNT, 7);
    propose(open, DECISION_LIKE_BAN, 0, test.now_us + 100 * DAY_US);
    banned = open_case(CASE_REVIEW, SUBJECT_ACCOUNT, 8);
    propose(banned, DECISION_LIKE_BAN, 0, test.now_us + 100 * DAY_US);
    approve(banned, BEA);
    assert_int_equal(take(VERB_CASE_APPEAL, banned, (struct step){.account = 8}), STATUS_OK);
    assert_int_equal(take(VERB_CASE_APPEAL, banned, (struct step){.account = 8}), STATUS_CASESTATE);
    run_cases(10);
    assert_int_equal(case_of(open).state, CASE_OPEN);
    later(CASE_DUE_US);
    assert_int_equal(approve(open, BEA), STATUS_CASESTATE); /* too late, though nothing has run */
    run_cases(10);
    assert_int_equal(case_of(open).state, CASE_EXPIRED);
    assert_int_equal(act(VERB_LIKE, 7, 1), STATUS_OK);
    assert_int_equal(act(VERB_LIKE, 8, 1), STATUS_SUSPENDED);
    later(APPEAL_DUE_US);
    run_cases(10);
    assert_int_equal(case_of(banned).state, CASE_RESTORED);
    assert_int_equal(act(VERB_LIKE, 8, 1), STATUS_OK);
}

static void an_appeal_is_for_whom_it_is_about(void **state)
{
    struct request set = {.verb = VERB_ITEM_SET, .target = 1, .flags = REQUEST_HAS_CREATOR};
    uint64_t id;

    (void)state;
    set.u.item.creator = CREATOR;
    ask(&set);
    act(VERB_LIKE, 7, 1);
    id = open_case(CASE_REVIEW, SUBJECT_ITEM, 1);
    assert_int_equal(take(VERB_CASE_APPEAL, id, (struct step){.account = CREATOR}),
                     STATUS_CASESTATE);
    propose(id, DECISION_VOID, 0, 0);
    approve(id, BEA);
    run_cases(10);
    assert_int_equal(item_of(1).credit.voided, 1);
    assert_int_equal(take(VERB_CASE_APPEAL, id, (struct step){.account = 7}), STATUS_NOCASE);
    assert_int_equal(take(VERB_CASE_APPEAL, id, (struct step){.account = CREATOR}), STATUS_OK);
    assert_int_equal(take(VERB_CASE_REJECT, id, (struct step){.caller = BEA}), STATUS_OK);
    assert_int_equal(case_of(id).state, CASE_APPLIED);
    for (int i = 1; i < CASE_APPEALS_MAX; i++) {
        assert_int_equal(take(VERB_CASE_APPEAL, id, (struct step){.account = CREATOR}), STATUS_OK);
        take(VERB_CASE_REJECT, id, (struct step){.caller = BEA});
    }
    assert_int_equal(take(VERB_CASE_APPEAL, id, (struct step){.account = CREATOR}),
                     STATUS_CASESTATE);
}

static void only_the_own_case_is_told(void **state)
{
    struct request get = {.verb = VERB_CASE_OWN, .account = 7};

    (void)state;
    make_account(7);
    make_account(8);
    get.target = open_case(CASE_REVIEW, SUBJECT_ACCOUNT, 7);
    assert_int_equal(test_engine_ask(&test, &get)->kind, REPLY_CASE);
    assert_true(test_engine_ask(&test, &get)->own);
    get.account = 8;
    assert_int_equal(test_engine_ask(&test, &get)->status, STATUS_NOCASE);
    get.verb = VERB_CASES;
    get.count = 10;
    assert_int_equal(test_engine_ask(&test, &get)->count, 0);
    get.account = 7;
    assert_int_equal(test_engine_ask(&test, &get)->count, 1);
}

static void settle(uint64_t account, uint64_t item, uint8_t weight, uint8_t mark, uint8_t reason)
{
    struct record record = {.kind = RECORD_SETTLE,
                            .fields = RECORD_HAS_VERDICT | RECORD_CHANGED,
                            .account = account,
                            .target = item,
                            .verdict = {.weight_pct = weight, .mark = mark, .reason = reason}};

    test_engine_settle(&test, &record);
    keep();
}

static void a_restore_gives_back_exactly_what_was_taken(void **state)
{
    struct item_row before, after;
    uint64_t id;

    (void)state;
    for (uint64_t account = 1; account <= 20; account++)
        act(VERB_LIKE, account, 1);
    settle(1, 1, 30, MARK_PLAIN, REASON_YOUNG);
    settle(2, 1, 60, MARK_HELD, REASON_VELOCITY);
    settle(3, 1, 0, MARK_QUARANTINED, REASON_LOCKSTEP);
    settle(4, 1, 0, MARK_PLAIN, REASON_DEVICE);
    test_engine_flush(&test);
    before = item_of(1);
    id = open_case(CASE_REVIEW, SUBJECT_ITEM, 1);
    propose(id, DECISION_VOID, 0, 0);
    approve(id, BEA);
    act(VERB_LIKE, 21, 1); /* after the decision: none of those that were meant */
    run_cases(3);
    after = item_of(1);
    assert_int_equal(after.credit.voided, 20);
    assert_int_equal(after.credit.credited_pct, 100);
    assert_int_equal(after.reasons[REASON_REVIEW], 20);
    settle(5, 1, 100, MARK_PLAIN, REASON_NONE); /* scoring again lifts no void */
    assert_int_equal(item_of(1).credit.voided, 20);
    act(VERB_UNLIKE, 6, 1);
    act(VERB_UNLIKE, 21, 1);
    test_engine_flush(&test);
    propose(id, DECISION_RESTORE, 0, 0);
    assert_int_equal(approve(id, BEA), STATUS_OK);
    run_cases(3);
    assert_int_equal(case_of(id).state, CASE_RESTORED);
    assert_int_equal(case_of(id).restored, 19);
    after = item_of(1);
    assert_int_equal(after.credit.credited_pct, before.credit.credited_pct - 100);
    assert_int_equal(after.credit.held, before.credit.held);
    assert_int_equal(after.credit.quarantined, before.credit.quarantined);
    assert_int_equal(after.credit.voided, 0);
    assert_memory_equal(after.reasons, before.reasons, sizeof before.reasons);
}

static void only_the_likes_that_were_meant(void **state)
{
    int64_t since_us, until_us;
    uint64_t id;

    (void)state;
    act(VERB_LIKE, 1, 1);
    later(10000000);
    since_us = test.now_us;
    later(10000000);
    act(VERB_LIKE, 2, 1);
    later(10000000);
    until_us = test.now_us;
    later(10000000);
    act(VERB_LIKE, 3, 1);
    id = open_case(CASE_REVIEW, SUBJECT_ITEM, 1);
    assert_int_equal(take(VERB_CASE_PROPOSE, id,
                          (struct step){.caller = ANN,
                                        .decision = DECISION_VOID,
                                        .since_us = since_us,
                                        .until_us = until_us}),
                     STATUS_OK);
    approve(id, BEA);
    run_cases(1);
    assert_int_equal(case_of(id).likes, 1);
    assert_int_equal(item_of(1).credit.voided, 1);
}

/* A void of the likes of one reason: no other is touched, and the restore gives those back alone.
 */
static void only_the_likes_of_a_reason(void **state)
{
    struct step step = {.caller = ANN, .decision = DECISION_VOID, .only = REASON_LOCKSTEP};
    struct item_row before;
    uint64_t id, other;

    (void)state;
    for (uint64_t account = 1; account <= 9; account++)
        act(VERB_LIKE, account, 1);
    settle(1, 1, 30, MARK_PLAIN, REASON_LOCKSTEP);
    settle(2, 1, 60, MARK_HELD, REASON_LOCKSTEP);
    settle(3, 1, 70, MARK_PLAIN, REASON_YOUNG);
    settle(4, 1, 0, MARK_QUARANTINED, REASON_VELOCITY);
    before = item_of(1);
    id = open_case(CASE_REVIEW, SUBJECT_ITEM, 1);
    step.decision = DECISION_DISMISS;
    assert_int_equal(take(VERB_CASE_PROPOSE, id, step), STATUS_BADVALUE);
    step.decision = DECISION_VOID;
    assert_int_equal(take(VERB_CASE_PROPOSE, id, step), STATUS_OK);
    approve(id, BEA);
    run_cases(2);
    assert_int_equal(case_of(id).likes, 2);
    assert_int_equal(item_of(1).credit.voided, 2);
    assert_int_equal(item_of(1).reasons[REASON_LOCKSTEP], 0);
    assert_int_equal(item_of(1).reasons[REASON_YOUNG], 1);
    /* Another void beside it: the restore of the first leaves what that one took. */
    other = open_case(CASE_REVIEW, SUBJECT_ITEM, 1);
    step.only = REASON_YOUNG;
    assert_int_equal(take(VERB_CASE_PROPOSE, other, step), STATUS_OK);
    approve(other, BEA);
    run_cases(2);
    assert_int_equal(item_of(1).credit.voided, 3);
    propose(id, DECISION_RESTORE, 0, 0);
    approve(id, BEA);
    run_cases(2);
    assert_int_equal(case_of(id).restored, 2);
    assert_int_equal(item_of(1).credit.voided, 1);
    propose(other, DECISION_RESTORE, 0, 0);
    approve(other, BEA);
    run_cases(2);
    assert_int_equal(item_of(1).credit.credited_pct, before.credit.credited_pct);
    assert_memory_equal(item_of(1).reasons, before.reasons, sizeof before.reasons);
    /* Of what is quarantined, those of one reason may be credited. */
    id = open_case(CASE_REVIEW, SUBJECT_ITEM, 1);
    step.decision = DECISION_CREDIT;
    step.only = REASON_VELOCITY;
    assert_int_equal(take(VERB_CASE_PROPOSE, id, step), STATUS_OK);
    approve(id, BEA);
    run_cases(2);
    assert_int_equal(item_of(1).credit.quarantined, 0);
    assert_int_equal(item_of(1).credit.held, 1);
}

static void a_window_ends_and_its_likes_count(void **state)
{
    uint64_t id;

    (void)state;
    act(VERB_LIKE, 1, 1);
    id = open_case(CASE_QUARANTINE, SUBJECT_ITEM, 1);
    propose(id, DECISION_QUARANTINE, 0, test.now_us + DAY_US);
    approve(id, BEA);
    assert_true(item_of(1).window_until_us > test.now_us);
    act(VERB_LIKE, 2, 1);
    settle(2, 1, 80, MARK_QUARANTINED, REASON_QUARANTINE);
    act(VERB_REPORT, 3, 1); /* a newer case about the item changes nothing */
    act(VERB_LIKE, 3, 1);
    run_cases(10);
    assert_int_equal(item_of(1).credit.quarantined, 2);
    later(DAY_US + 2000000);
    run_cases(10);
    assert_int_equal(case_of(id).state, CASE_RESTORED);
    assert_int_equal(item_of(1).credit.quarantined, 0);
    assert_int_equal(item_of(1).credit.credited_pct, 280);
    assert_int_equal(item_of(1).window_until_us, 0);
}

/* --- rules --------------------------------------------------------------------------------------
 */

static struct policy policy;

/* What rules about the acting account say; the one with this index asks for the review. */
static void rules_fire(uint64_t account, uint16_t actions, int64_t for_us, uint16_t reviewer)
{
    struct policy_verdict verdict = {.actions = actions, .account_weight_pct = 20, .points = 5};
    struct hot_room room;
    struct act seen = {.account = account, .verb = VERB_UNLIKE};

    policy.version = 3;
    policy.rule_count = 2;
    policy.rules[0].verbs = policy.rules[1].verbs = 1u << VERB_UNLIKE;
    verdict.rule[POLICY_REVIEW] = verdict.rule[POLICY_ALERT] = reviewer;
    for (int i = 0; i < POLICY_ACTION_COUNT; i++)
        verdict.until_us[i] = test.now_us + for_us;
    hot_room(test.engine.hot, &room);
    if (room.cases < 8 || room.accounts < 8)
        test_engine_flush(&test);
    test.now_us += 1000;
    seen.now_us = test.now_us;
    hot_turn_begin(test.engine.hot);
    test.needs = (struct needs){0};
    assert_true(engine_gather_record(
        &test.engine,
        &(struct record){.kind = RECORD_SANCTION, .fields = RECORD_CHANGED, .account = account},
        &test.needs));
    test_engine_load(&test);
    engine_begin(&test.engine, test.now_us);
    sanction_from_verdict(&test.engine, &seen, &policy, &verdict);
    keep();
}

static void rule_fires(uint64_t account, uint16_t actions, int64_t for_us)
{
    rules_fire(account, actions, for_us, 0);
}

static void a_rule_restricts_and_opens_what_can_be_appealed(void **state)
{
    struct account_row row;
    uint64_t sequence;

    (void)state;
    make_account(7);
    rule_fires(7, 1u << POLICY_LIMIT | 1u << POLICY_WEIGHT | 1u << POLICY_POINTS, 7 * DAY_US);
    row = account_of(7);
    assert_int_equal(row.points, -5);
    assert_int_equal(sanction_cut(&row, test.now_us), 20);
    assert_int_equal(act(VERB_LIKE, 7, 1), STATUS_OK);
    assert_int_equal(act(VERB_UNLIKE, 7, 1), STATUS_SUSPENDED);
    assert_int_equal(case_of(row.case_id).rule, 1);
    assert_int_equal(case_of(row.case_id).policy, 3);
    assert_int_equal(case_of(row.case_id).sanctions,
                     1 << SANCTION_LIMIT | 1 << SANCTION_CUT | 1 << SANCTION_POINTS);
    sequence = test.engine.sequence;
    rule_fires(7, 1u << POLICY_LIMIT | 1u << POLICY_WEIGHT, 7 * DAY_US); /* nothing new */
    assert_int_equal(test.engine.sequence, sequence);
    assert_int_equal(take(VERB_CASE_APPEAL, row.case_id, (struct step){.account = 7}), STATUS_OK);
    propose(row.case_id, DECISION_RESTORE, 0, 0);
    assert_int_equal(approve(row.case_id, BEA), STATUS_OK);
    row = account_of(7);
    assert_int_equal(row.points, 0);
    assert_int_equal(sanction_cut(&row, test.now_us), WEIGHT_FULL);
    assert_int_equal(act(VERB_UNLIKE, 7, 1), STATUS_OK);
}

/* One act breaks one rule that restricts and another that only asks for a look. */
static void a_review_hides_no_restriction(void **state)
{
    uint64_t id, review;

    (void)state;
    for (uint16_t reviewer = 0; reviewer <= 1; reviewer++) {
        make_account(7u + reviewer);
        rules_fire(7u + reviewer, 1u << POLICY_LIMIT | 1u << POLICY_ALERT, DAY_US, reviewer);
        id = account_of(7u + reviewer).case_id;
        assert_int_equal(case_of(id).kind, CASE_SANCTION);
        assert_int_equal(case_of(id).state, CASE_APPLIED);
        assert_int_equal(case_of(id).rule, 1);
        assert_int_equal(case_of(id).sanctions, 1 << SANCTION_LIMIT);
        review = case_of(id).before;
        assert_int_equal(case_of(review).kind, CASE_REVIEW);
        assert_int_equal(case_of(review).state, CASE_OPEN);
        assert_int_equal(case_of(review).rule, reviewer + 1);
        assert_int_equal(case_of(review).sanctions, 0);
    }
    assert_int_equal(take(VERB_CASE_APPEAL, id, (struct step){.account = 8}), STATUS_OK);
    propose(id, DECISION_RESTORE, 0, 0);
    assert_int_equal(approve(id, BEA), STATUS_OK);
    assert_int_equal(account_of(8).limit_until_us, 0);
    assert_int_equal(case_of(review).state, CASE_OPEN);
}

static uint32_t cases_seen(uint64_t account, bool asserted)
{
    struct request request = {
        .verb = VERB_CASES, .account = account, .count = 10, .subject = account};

    request.asserted = asserted;
    return ask(&request)->count;
}

static bool sees(enum verb verb, uint64_t account, uint64_t id, bool asserted)
{
    struct request request = {
        .verb = (uint16_t)verb, .account = account, .target = id, .count = 10, .subject = account};
    const struct reply *reply;

    request.asserted = asserted;
    if (verb == VERB_ACCOUNT_EXPORT) { /* from its newest case on */
        request.flags = REQUEST_HAS_CURSOR;
        request.u.cursor = (6ULL << 60) - 1;
    }
    reply = ask(&request);
    assert_true(verb == VERB_CASE_OWN || reply->kind != REPLY_ERROR);
    return reply->kind != REPLY_ERROR && reply->cased != NULL && reply->cased->id == id;
}

static enum status appeal_of(uint64_t account, uint64_t id, bool asserted)
{
    struct request request = {
        .verb = VERB_CASE_APPEAL, .account = account, .target = id, .subject = account};

    request.asserted = asserted;
    request.u.deed.text = "why";
    request.u.deed.text_size = 3;
    return (enum status)ask(&request)->status;
}

/* Whom a review is about is told nothing by it; what restricts him he always finds. */
static void an_open_review_is_told_to_nobody(void **state)
{
    static const enum verb verbs[] = {VERB_CASE_OWN, VERB_ACCOUNT_GET, VERB_ACCOUNT_EXPORT};
    uint64_t limit, review;

    (void)state;
    make_account(7);
    rules_fire(7, 1u << POLICY_LIMIT, DAY_US, 0);
    limit = account_of(7).case_id;
    rules_fire(7, 1u << POLICY_ALERT, DAY_US, 1);
    review = account_of(7).case_id;
    assert_int_equal(cases_seen(7, false), 2);
    assert_int_equal(cases_seen(7, true), 1);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        assert_true(sees(verbs[i], 7, review, false));
        assert_false(sees(verbs[i], 7, review, true));
        assert_true(sees(verbs[i], 7, limit, true));
    }
    assert_int_equal(appeal_of(7, review, false), STATUS_CASESTATE); /* the platform sees it */
    assert_int_equal(appeal_of(7, review, true), STATUS_NOCASE);
    assert_int_equal(take(VERB_CASE_REJECT, review, (struct step){.caller = BEA}), STATUS_OK);
    assert_int_equal(cases_seen(7, true), 2);
}

/* A cursor is the number of a case: none names one that is not told, and none is taken that does.
 */
static void no_cursor_tells_of_an_open_review(void **state)
{
    struct request page = {.verb = VERB_CASES, .account = 7, .count = 1, .subject = 7};
    struct request copy = {.verb = VERB_ACCOUNT_EXPORT, .account = 7, .count = 1, .subject = 7};
    uint64_t review;

    (void)state;
    make_account(7);
    rules_fire(7, 1u << POLICY_ALERT, DAY_US, 1);
    review = account_of(7).case_id;
    rules_fire(7, 1u << POLICY_LIMIT, DAY_US, 0);
    assert_int_equal(case_of(account_of(7).case_id).before, review);
    copy.flags = REQUEST_HAS_CURSOR;
    copy.u.cursor = (6ULL << 60) - 1;
    assert_int_equal(ask(&page)->cursor, review);
    assert_int_equal(ask(&copy)->cursor & ((1ULL << 60) - 1), review);
    page.asserted = copy.asserted = 1;
    assert_int_equal(ask(&page)->cursor, 0);
    assert_int_equal(ask(&copy)->cursor >> 60, 6); /* the section after the cases */
    page.flags |= REQUEST_HAS_CURSOR;
    page.u.list.cursor = review;
    assert_int_equal(ask(&page)->status, STATUS_BADCURSOR);
    copy.u.cursor = 5ULL << 60 | review;
    assert_int_equal(ask(&copy)->status, STATUS_BADCURSOR);
    page.asserted = 0;
    assert_int_equal(ask(&page)->count, 1);
}

/* Points are taken again by each act, while one review waits behind them. */
static void one_review_for_many_restrictions(void **state)
{
    uint64_t id;

    (void)state;
    make_account(7);
    for (int i = 0; i < 5; i++)
        rules_fire(7, 1u << POLICY_POINTS | 1u << POLICY_REVIEW, DAY_US, 1);
    id = account_of(7).case_id;
    for (int i = 0; i < 5; i++, id = case_of(id).before) {
        assert_int_equal(case_of(id).kind, CASE_SANCTION);
        assert_int_equal(case_of(id).points, 5);
    }
    assert_int_equal(case_of(id).kind, CASE_REVIEW);
    assert_int_equal(case_of(id).before, 0);
}

static void a_rule_without_an_end_restricts_nobody(void **state)
{
    (void)state;
    make_account(7);
    rule_fires(7, 1u << POLICY_LIKE_BAN, 0);
    rule_fires(7, 1u << POLICY_LIKE_BAN, 400 * DAY_US);
    assert_int_equal(act(VERB_LIKE, 7, 1), STATUS_OK);
    assert_int_equal(account_of(7).case_id, 0);
}

static void reports_weigh_what_their_reporters_were_worth(void **state)
{
    struct account_row row;
    uint64_t id;

    (void)state;
    act(VERB_LIKE, 1, 1);
    for (uint64_t account = 1; account <= 5; account++)
        act(VERB_REPORT, account, 1);
    id = item_of(1).case_id;
    assert_int_equal(case_of(id).state, CASE_GATHERING);
    assert_int_equal(approve(id, BEA), STATUS_NOCASE);
    act(VERB_REPORT, 6, 1);
    assert_int_equal(case_of(id).state, CASE_OPEN);
    propose(id, DECISION_VOID, 0, 0);
    approve(id, BEA);
    row = account_of(6);
    assert_int_equal(row.reports_upheld, 1);
    assert_int_equal(sanction_report_weight(&row), 66);
    run_cases(10);
    for (uint64_t account = 1; account <= 5; account++)
        act(VERB_REPORT, account, 2); /* 5 * 66 */
    id = item_of(2).case_id;
    assert_int_equal(case_of(id).state, CASE_OPEN);
    assert_int_equal(take(VERB_CASE_REJECT, id, (struct step){.caller = BEA}), STATUS_OK);
    row = account_of(5);
    assert_int_equal(row.reports_dismissed, 1);
}

/* --- random -------------------------------------------------------------------------------------
 */

static void set_creators(void)
{
    for (uint64_t c = 0; c < CREATORS; c++)
        make_account(CREATOR + c);
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct request set = {.verb = VERB_ITEM_SET, .target = i, .flags = REQUEST_HAS_CREATOR};

        set.u.item.creator = CREATOR + i % CREATORS;
        ask(&set);
    }
}

static uint64_t some_case(struct test_random *random)
{
    uint64_t about = test_random_below(random, 2)
                         ? account_of(test_random_below(random, ACCOUNTS)).case_id
                         : item_of(test_random_below(random, ITEMS)).case_id;

    return about;
}

static void random_case_step(struct test_random *random)
{
    uint64_t id = some_case(random);
    uint64_t caller = test_random_below(random, 3) == 0 ? BEA : ANN;

    if (id == 0)
        return;
    switch (test_random_below(random, 5)) {
    case 0:
    case 1:
        propose(id, (uint8_t)(1 + test_random_below(random, DECISION_COUNT - 1)),
                (uint16_t)test_random_below(random, 100),
                test_random_below(random, 2) ? 0 : test.now_us + 3 * DAY_US);
        break;
    case 2: {
        struct case_row row = case_of(id);
        enum status status = approve(id, caller);

        if (status == STATUS_OK)
            assert_true(row.proposer != caller);
        break;
    }
    case 3:
        take(VERB_CASE_REJECT, id, (struct step){.caller = caller});
        break;
    default:
        take(VERB_CASE_APPEAL, id, (struct step){.account = case_of(id).about});
    }
}

/* cases: people decide, too; else only third parties act. */
static void random_step(struct test_random *random, bool cases)
{
    uint64_t account = test_random_below(random, ACCOUNTS), item = test_random_below(random, ITEMS);
    uint64_t what = test_random_below(random, cases ? 24 : 16);

    if (what < 7)
        act(VERB_LIKE, account, item);
    else if (what < 10)
        act(VERB_UNLIKE, account, item);
    else if (what < 11)
        act(VERB_REPORT, account, item);
    else if (what < 12)
        act(VERB_FOLLOW, account, CREATOR + test_random_below(random, CREATORS));
    else if (what < 13)
        rule_fires(account, (uint16_t)test_random_below(random, 1u << POLICY_ACTION_COUNT),
                   (int64_t)test_random_below(random, 20) * DAY_US);
    else if (what < 14)
        test_engine_flush(&test);
    else if (what < 15)
        later((int64_t)test_random_below(random, 100) * 3600 * 1000000);
    else if (what < 16)
        run_cases(1 + (uint32_t)test_random_below(random, 5));
    else if (what < 18)
        open_case(test_random_below(random, 2) ? CASE_REVIEW : CASE_QUARANTINE, SUBJECT_ITEM, item);
    else
        random_case_step(random);
}

static struct case_row replayed_case(struct test_engine *other, uint64_t id)
{
    struct request get = {.verb = VERB_CASE_GET, .target = id};

    return *test_engine_ask(other, &get)->cased;
}

static void same_case(struct test_engine *other, uint64_t id)
{
    struct case_row is = case_of(id), again = replayed_case(other, id);

    assert_int_equal(is.state, again.state);
    assert_int_equal(is.decision, again.decision);
    assert_int_equal(is.proposed, again.proposed);
    assert_int_equal(is.sanctions, again.sanctions);
    assert_int_equal(is.likes, again.likes);
    assert_int_equal(is.restored, again.restored);
    assert_int_equal(is.cursor, again.cursor);
    assert_int_equal(is.due_us, again.due_us);
    assert_int_equal(is.until_us, again.until_us);
    assert_int_equal(is.points, again.points);
    assert_int_equal(is.weight, again.weight);
    assert_int_equal(is.before, again.before);
    assert_int_equal(is.text_size[CASE_TEXT_OPENED], again.text_size[CASE_TEXT_OPENED]);
}

/* Another engine, with other moments of flushing, comes to the same from the records alone. */
static void assert_replays(struct test_random *random)
{
    static struct test_engine other;
    struct hot_config hot = {.accounts = 256,
                             .items = 256,
                             .edges = 512,
                             .operations = 512,
                             .scratch = 4096,
                             .cases = 256};

    test_engine_open(&other, &hot);
    for (uint32_t i = 0; i < written_count; i++) {
        struct record record = {.sequence = written[i].sequence, .time_us = written[i].time_us};

        assert_true(record_decode(bytes + written[i].at, RECORD_BYTES_MAX, &record) > 0);
        record.sequence = written[i].sequence;
        record.time_us = written[i].time_us;
        test_engine_replay(&other, &record);
        if (test_random_below(random, 300) == 0)
            test_engine_flush(&other);
    }
    assert_int_equal(other.engine.sequence, test.engine.sequence);
    other.now_us = test.now_us;
    for (uint64_t id = 0; id < ACCOUNTS; id++) {
        struct request get = {.verb = VERB_RECEIVED, .account = id};
        struct account_row row = account_of(id), again = *test_engine_ask(&other, &get)->account;

        assert_memory_equal(&row, &again, sizeof row);
        for (uint64_t at = row.case_id; at != 0; at = case_of(at).before)
            same_case(&other, at);
    }
    for (uint64_t id = 0; id < ITEMS; id++) {
        struct request get = {.verb = VERB_COUNTS, .target = id};
        struct item_row row = item_of(id), again = *test_engine_ask(&other, &get)->item;

        assert_memory_equal(&row, &again, sizeof row);
        for (uint64_t at = row.case_id; at != 0; at = case_of(at).before)
            same_case(&other, at);
    }
    test_engine_close(&other);
}

static void assert_standing(uint64_t id, const struct account_row *before)
{
    struct account_row now = account_of(id);

    assert_int_equal(now.state, before->state);
    assert_int_equal(now.until_us, before->until_us);
    assert_int_equal(now.tier, before->tier);
    assert_int_equal(now.cut_until_us, before->cut_until_us);
    assert_int_equal(now.limit_until_us, before->limit_until_us);
    assert_int_equal(now.points, before->points);
}

/* Whatever others do, report and get restricted for: no creator stands otherwise than before. */
static void others_never_change_how_a_creator_stands(void **state)
{
    struct test_random random = {test_seed(11)};
    struct account_row before[CREATORS];

    (void)state;
    set_creators();
    for (uint64_t c = 0; c < CREATORS; c++)
        before[c] = account_of(CREATOR + c);
    for (int i = 0; i < 12000; i++) {
        random_step(&random, false);
        if (i % 100 == 0)
            for (uint64_t c = 0; c < CREATORS; c++)
                assert_standing(CREATOR + c, &before[c]);
    }
    for (uint64_t c = 0; c < CREATORS; c++)
        assert_standing(CREATOR + c, &before[c]);
    assert_replays(&random);
}

static void any_history_replays_and_every_end_comes(void **state)
{
    struct test_random random = {test_seed(12)};

    (void)state;
    set_creators();
    for (int i = 0; i < 12000; i++)
        random_step(&random, true);
    assert_replays(&random);
    later(2 * SANCTION_MAX_US);
    run_cases(100);
    for (uint64_t id = 0; id < ACCOUNTS; id++) {
        struct account_row row = account_of(id);
        int64_t until_us;

        for (uint8_t verb = 0; verb < VERB_ACT; verb++)
            assert_int_equal(sanction_check(&row, verb, test.now_us, &until_us), STATUS_OK);
        assert_int_equal(sanction_cut(&row, test.now_us), WEIGHT_FULL);
    }
    for (uint64_t id = 0; id < ITEMS; id++)
        assert_true(item_of(id).window_until_us <= test.now_us);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_proposes_does_not_approve),
        TEST(a_proposal_must_make_sense),
        TEST(every_sanction_ends_by_itself),
        TEST(what_nobody_decides_ends_in_favour),
        TEST(an_appeal_is_for_whom_it_is_about),
        TEST(only_the_own_case_is_told),
        TEST(a_restore_gives_back_exactly_what_was_taken),
        TEST(only_the_likes_that_were_meant),
        TEST(only_the_likes_of_a_reason),
        TEST(a_window_ends_and_its_likes_count),
        TEST(a_rule_restricts_and_opens_what_can_be_appealed),
        TEST(a_review_hides_no_restriction),
        TEST(an_open_review_is_told_to_nobody),
        TEST(no_cursor_tells_of_an_open_review),
        TEST(one_review_for_many_restrictions),
        TEST(a_rule_without_an_end_restricts_nobody),
        TEST(reports_weigh_what_their_reporters_were_worth),
        TEST(others_never_change_how_a_creator_stands),
        TEST(any_history_replays_and_every_end_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
