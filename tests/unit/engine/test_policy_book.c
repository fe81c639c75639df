/* Versions of the rules: two persons, what is recorded of a text, what a replay makes of it,
 * windows that go on, a shadow that changes nothing, a setting that was changed. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "engine/inner.h"
#include "engine/policy_book.h"
#include "engine/policy_parse.h"
#include "store/pack.h"
#include "support/test_engine.h"

#define ANN     11 /* callers */
#define BEA     22
#define RECORDS 20000

static const char first[] = "policy first version 7\n"
                            "undo 0s\n"
                            "rule few when count(like, account, 1h) > 3 then refuse\n";
static const char second[] = "policy second version 1\n"
                             "undo 0s\n"
                             "rule few  when count(like, account, 1h) > 5 then refuse\n"
                             "rule back when count(unlike, account, 1h) > 1 then refuse\n";
static const char strict[] = "policy strict version 1\n"
                             "undo 0s\n"
                             "rule few when count(like, account, 1h) > 1 then refuse\n"
                             "rule shy when count(like, account, 2h) > 2 then hold\n";
static const char unrelated[] = "policy unrelated version 8\n"
                                "rule x when count(share, account, 1h) > 1 then refuse\n";
static const char unfair[] = "policy p version 1\n"
                             "rule mob when count(report, item, 1h) > 50 then like-ban for 1d\n";

struct world {
    struct test_engine test;
    struct policy_book *book;
    struct policy *setting;
    struct judges judges;
    void *region;
};
static struct world world;

/* What the engine has written, to be replayed. */
static uint8_t *bytes;
static size_t bytes_used;
static struct {
    uint64_t sequence;
    int64_t time_us;
} written[RECORDS];
static uint32_t written_count;

static const char *no_preset(uint32_t i, const char **text, size_t *size)
{
    if (i > 0)
        return NULL;
    if (text != NULL) {
        *text = strict;
        *size = sizeof strict - 1;
    }
    return "strict";
}

static void set_setting(struct world *one, const char *text)
{
    struct policy_problem problem;

    assert_true(policy_parse(text, strlen(text), one->setting, &problem));
    one->book->setting = one->setting;
    one->book->setting_text = text;
    one->book->setting_size = strlen(text);
    digest_sha256(text, strlen(text), NULL, 0, one->book->setting_digest);
    memcpy(one->book->setting_mark, one->book->setting_digest, sizeof one->book->setting_mark);
}

static void world_open(struct world *one)
{
    test_engine_open(&one->test, NULL);
    one->book = calloc(1, sizeof *one->book);
    one->setting = calloc(1, sizeof *one->setting);
    one->region = aligned_alloc(64, JUDGE_BYTES_MIN);
    one->book->hooks.preset = no_preset;
    set_setting(one, first);
    assert_true(judges_open(&one->judges, one->region, JUDGE_BYTES_MIN, one->setting,
                            one->book->setting_digest, false, false));
    one->test.engine.judges = &one->judges;
    one->test.engine.book = one->book;
    policy_book_enforce(&one->test.engine);
}

static void world_close(struct world *one)
{
    test_engine_close(&one->test);
    free(one->book);
    free(one->setting);
    free(one->region);
}

static int open_world(void **state)
{
    (void)state;
    world_open(&world);
    bytes = malloc((size_t)RECORDS * RECORD_BYTES_MAX);
    bytes_used = 0;
    written_count = 0;
    return bytes == NULL;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    free(bytes);
    return 0;
}

static void keep(void)
{
    const struct engine *engine = &world.test.engine;

    assert_true(written_count + engine->record_count <= RECORDS);
    memcpy(bytes + bytes_used, engine->body, engine->body_size);
    bytes_used += engine->body_size;
    for (uint32_t i = 0; i < engine->record_count; i++) {
        written[written_count].sequence = engine->first_sequence + i;
        written[written_count++].time_us = engine->now_us;
    }
}

/* --- asking -------------------------------------------------------------------------------------
 */

static const struct reply *ask(const struct request *request)
{
    const struct reply *reply = test_engine_ask(&world.test, request);

    keep();
    return reply;
}

static const struct reply *propose_as(uint64_t caller, const char *text)
{
    struct request request = {.verb = VERB_POLICY_PROPOSE, .caller = caller};

    request.u.rules.text = text;
    request.u.rules.text_size = (uint32_t)strlen(text);
    request.u.rules.reason = "why";
    request.u.rules.reason_size = 3;
    return ask(&request);
}

static uint32_t propose(const char *text)
{
    const struct reply *reply = propose_as(ANN, text);

    assert_int_equal(reply->status, STATUS_OK);
    return (uint32_t)reply->u.value;
}

static enum status step(enum verb verb, uint32_t version, uint64_t caller)
{
    struct request request = {.verb = (uint16_t)verb, .target = version, .caller = caller};

    request.u.rules.reason = "because";
    request.u.rules.reason_size = 7;
    return (enum status)ask(&request)->status;
}

static struct policy_view view_of(enum verb verb, uint32_t version)
{
    struct request request = {.verb = (uint16_t)verb, .target = version};
    const struct reply *reply = test_engine_ask(&world.test, &request);

    assert_int_equal(reply->kind, REPLY_POLICY);
    return *reply->u.policy;
}

static enum status act(enum verb verb, uint64_t account, uint64_t item)
{
    struct request request = test_set(verb, account, item);

    return (enum status)ask(&request)->status;
}

/* --- tests --------------------------------------------------------------------------------------
 */

static void it_takes_two(void **state)
{
    uint32_t version = propose(second);

    (void)state;
    assert_int_equal(version, 8); /* above the setting's own number */
    assert_int_equal(step(VERB_POLICY_APPROVE, version, ANN), STATUS_FOUREYES);
    assert_int_equal(step(VERB_POLICY_APPROVE, version, 0), STATUS_FOUREYES);
    assert_int_equal(step(VERB_POLICY_APPROVE, version + 1, BEA), STATUS_NOPOLICY);
    assert_string_equal(world.judges.policy->name, "first");
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_OK);
    assert_string_equal(world.judges.policy->name, "second");
    assert_int_equal(world.judges.policy->version, 8);
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_POLICYSTATE);
    version = (uint32_t)propose_as(0, first)->u.value; /* nobody in particular */
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_FOUREYES);
    assert_int_equal(step(VERB_POLICY_REJECT, version, BEA), STATUS_OK);
    assert_int_equal(step(VERB_POLICY_WITHDRAW, version, ANN), STATUS_POLICYSTATE);
    assert_int_equal(view_of(VERB_POLICY_GET, version).head.state, RULES_REJECTED);
}

static void what_the_loader_refuses_is_not_proposed(void **state)
{
    const struct reply *reply = propose_as(ANN, unfair);
    struct request request = {.verb = VERB_POLICY_LIST};

    (void)state;
    assert_int_equal(reply->status, STATUS_BADPOLICY);
    assert_non_null(strstr(reply->u.detail, "line 2, column 49: 'like-ban' restricts an account"));
    reply = propose_as(ANN, "policy p version 1 rule x whenever");
    assert_non_null(strstr(reply->u.detail, "line 1, column 27: expected"));
    assert_null(strstr(reply->u.detail, "strict"));
    reply = propose_as(ANN, "strikt");
    assert_int_equal(reply->status, STATUS_BADPOLICY);
    assert_non_null(strstr(reply->u.detail, "; no preset has that name, there are: strict"));
    assert_int_equal(world.test.engine.sequence, 0);
    reply = test_engine_ask(&world.test, &request);
    assert_int_equal(reply->count, 1); /* the setting's */
    request.tenant = 5;
    assert_int_equal(test_engine_ask(&world.test, &request)->status, STATUS_ALLTENANTS);
}

static void the_log_has_text_and_digest(void **state)
{
    static char text[9000] = "policy long version 1\n";
    uint8_t digest[32];
    char digits[65] = "";
    size_t at = 0, seen = 0;
    struct policy_view view;

    (void)state;
    while (strlen(text) < sizeof text - 100)
        strcat(text, "# a comment that makes it long enough for many pieces\n");
    strcat(text, "rule few when count(like, account, 1h) > 9 then refuse\n");
    digest_sha256(text, strlen(text), NULL, 0, digest);
    for (int i = 0; i < 32; i++)
        snprintf(digits + 2 * i, 3, "%02x", digest[i]);
    view = view_of(VERB_POLICY_GET, propose(text));
    assert_memory_equal(view.head.digest, digest, 32);
    assert_int_equal(view.head.text_size, strlen(text));
    assert_memory_equal(view.text, text, strlen(text));
    for (uint32_t i = 0; i < written_count; i++) {
        struct record record;

        at += record_decode(bytes + at, bytes_used - at, &record);
        if (record.kind == RECORD_POLICY && record.a == RULES_TEXT) {
            assert_int_equal(record.b, seen);
            assert_memory_equal(record.text, text + seen, record.text_size);
            seen += record.text_size;
        } else if (record.kind == RECORD_POLICY) {
            assert_memory_equal(record.text, digits, 64);
        } else {
            assert_int_equal(record.kind, VERB_POLICY_PROPOSE);
            assert_int_equal(record.caller, ANN);
            assert_memory_equal(record.text, "why", 3);
        }
    }
    assert_int_equal(seen, strlen(text));
}

static void windows_go_on(void **state)
{
    struct policy_view shown;

    (void)state;
    for (uint64_t item = 1; item <= 3; item++)
        assert_int_equal(act(VERB_LIKE, 1, item), STATUS_OK);
    assert_int_equal(act(VERB_LIKE, 1, 4), STATUS_RATE);
    assert_int_equal(step(VERB_POLICY_APPROVE, propose(second), BEA), STATUS_OK);
    assert_int_equal(act(VERB_LIKE, 1, 4), STATUS_OK);
    assert_int_equal(act(VERB_LIKE, 1, 5), STATUS_OK);
    assert_int_equal(act(VERB_LIKE, 1, 6), STATUS_RATE); /* three of them are from before */
    assert_int_equal(act(VERB_UNLIKE, 1, 1), STATUS_OK);
    assert_int_equal(act(VERB_UNLIKE, 1, 2), STATUS_RATE);
    shown = view_of(VERB_POLICY_SHOW, 0);
    assert_int_equal(shown.line_count, 2);
    assert_int_equal(shown.lines[0].since_us, 0);
    assert_int_equal(shown.lines[1].since_us, shown.head.decided_us);
    assert_int_equal(shown.lines[0].refused, 1);
}

static void a_shadow_only_counts(void **state)
{
    struct policy_view view;
    uint32_t version = propose("strict"); /* a preset, by its name */

    (void)state;
    assert_int_equal(step(VERB_POLICY_SHADOW, version, ANN), STATUS_OK);
    assert_int_equal(step(VERB_POLICY_SHADOW, version, ANN), STATUS_UNCHANGED);
    for (uint64_t item = 1; item <= 3; item++)
        assert_int_equal(act(VERB_LIKE, 1, item), STATUS_OK);
    assert_int_equal(act(VERB_LIKE, 1, 4), STATUS_RATE); /* by the rules in force */
    view = view_of(VERB_POLICY_DIFF, version);
    assert_int_equal(view.judged, 4);
    assert_int_equal(view.refused, 3);
    assert_int_equal(view.line_count, 2);
    assert_int_equal(view.lines[0].change, RULES_CHANGED);
    assert_int_equal(view.lines[0].refused, 3);
    assert_int_equal(view.lines[1].change, RULES_NEW);
    assert_int_equal(view.lines[1].held, 2);
    /* Approved, it goes on from what it counted in shadow. */
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_OK);
    assert_null(world.judges.shadow.policy);
    assert_int_equal(act(VERB_LIKE, 1, 4), STATUS_RATE);
    view = view_of(VERB_POLICY_SHOW, 0);
    assert_true(view.lines[1].since_us > 0 && view.lines[1].since_us < view.head.decided_us);
    assert_int_equal(view.lines[1].fired, 1);
}

static void a_changed_setting_takes_over(void **state)
{
    uint32_t version = propose(second);

    (void)state;
    assert_false(policy_setting_takes(&world.test.engine)); /* nobody has decided anything */
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_OK);
    engine_begin(&world.test.engine, world.test.now_us);
    assert_false(policy_setting_takes(&world.test.engine)); /* it is what it was then */
    set_setting(&world, strict); /* another text of the same preset: nobody has set it */
    memcpy(world.book->setting_mark, world.book->state.digest, sizeof world.book->setting_mark);
    assert_false(policy_setting_takes(&world.test.engine));
    set_setting(&world, strict);
    assert_true(policy_setting_takes(&world.test.engine));
    keep();
    assert_string_equal(world.judges.policy->name, "strict");
    assert_int_equal(world.judges.policy->version, version + 1);
    assert_int_equal(view_of(VERB_POLICY_GET, version).head.state, RULES_REPLACED);
    assert_int_equal(view_of(VERB_POLICY_GET, version + 1).head.by_setting, 1);
    assert_false(policy_setting_takes(&world.test.engine));
}

/* Until somebody decides the setting has no row; from then on its text is kept as any other. */
static void what_was_in_force_is_kept(void **state)
{
    uint32_t version = propose(second), again;
    struct policy_view was = view_of(VERB_POLICY_GET, 7), now;

    (void)state;
    assert_memory_equal(was.text, first, sizeof first - 1);
    assert_int_equal(step(VERB_POLICY_REJECT, version, BEA), STATUS_OK);
    assert_int_equal(world.book->state.version, 0); /* nothing is decided by that */
    version = propose("7");
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_OK);
    now = view_of(VERB_POLICY_GET, 7);
    assert_int_equal(now.head.text_size, was.head.text_size);
    assert_memory_equal(now.text, first, sizeof first - 1);
    assert_memory_equal(now.head.digest, was.head.digest, 32);
    assert_string_equal(now.head.name, "first");
    assert_int_equal(now.head.state, RULES_REPLACED);
    assert_int_equal(now.head.by_setting, 1);
    assert_int_equal(now.head.decided_us, 0); /* since when nobody knows */
    assert_int_equal(now.head.ended_us, view_of(VERB_POLICY_SHOW, 0).head.decided_us);
    assert_int_equal(view_of(VERB_POLICY_DIFF, 7).lines[0].change, RULES_SAME);
    assert_int_equal(view_of(VERB_POLICY_GET, version).head.text_size, sizeof first - 1);
    /* Once: what is in force then has a version. */
    again = propose(strict);
    assert_int_equal(again, version + 1);
    assert_int_equal(step(VERB_POLICY_APPROVE, again, BEA), STATUS_OK);
    assert_int_equal(propose(second), again + 1);
    assert_int_equal(view_of(VERB_POLICY_SHOW, 0).lines[0].since_us, 0);
    /* Another setting has nothing to do with what was counted before. */
    set_setting(&world, unrelated);
    assert_int_equal(view_of(VERB_POLICY_SHOW, 0).lines[0].since_us, 0);
}

/* The number was given to a proposal before the setting was raised to it. */
static void two_texts_never_share_a_number(void **state)
{
    uint32_t version = propose(second);

    (void)state;
    set_setting(&world, unrelated);
    assert_int_equal(world.setting->version, version);
    policy_book_enforce(&world.test.engine);
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_OK);
    assert_string_equal(view_of(VERB_POLICY_GET, version).head.name, "second");
    assert_int_equal(view_of(VERB_POLICY_GET, version).head.text_size, sizeof second - 1);
    assert_string_equal(view_of(VERB_POLICY_GET, version + 1).head.name, "unrelated");
    assert_int_equal(propose(strict), version + 2);
}

/* Its digest is, and what it counted is not forgotten. */
static void a_long_setting_is_not_kept(void **state)
{
    static char text[POLICY_TEXT_KEPT + 200];
    uint32_t version;

    (void)state;
    strcpy(text, first);
    while (strlen(text) <= POLICY_TEXT_KEPT)
        strcat(text, "# a comment that makes it too long to be kept\n");
    set_setting(&world, text);
    policy_book_enforce(&world.test.engine);
    version = propose(second);
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_OK);
    assert_int_equal(view_of(VERB_POLICY_GET, 7).head.text_size, 0);
    assert_memory_equal(view_of(VERB_POLICY_GET, 7).head.digest, world.book->setting_digest, 32);
    assert_string_equal(view_of(VERB_POLICY_GET, 7).head.name, "first");
    assert_int_equal(view_of(VERB_POLICY_SHOW, 0).lines[0].since_us, 0);
    assert_int_not_equal(view_of(VERB_POLICY_SHOW, 0).lines[1].since_us, 0);
    assert_int_equal(propose_as(ANN, "7")->status, STATUS_NOPOLICY);
}

static void other_partitions_are_told(void **state)
{
    uint32_t version;

    (void)state;
    world.test.engine.partition_count = 3;
    version = propose(second);
    assert_int_equal(world.test.engine.effect_count, 0);
    assert_int_equal(step(VERB_POLICY_APPROVE, version, BEA), STATUS_OK);
    assert_int_equal(world.test.engine.effect_count, 2);
    for (uint16_t i = 0; i < 2; i++) {
        const struct effect *effect = &world.test.engine.effects[i];

        assert_int_equal(effect->to, i + 1);
        assert_int_equal(effect_kind_of(&effect->record), EFFECT_RULES);
        assert_int_equal(effect->record.account, version);
    }
    world.test.engine.partition_count = 1;
}

static void replay_into(struct world *other)
{
    size_t at = 0;

    for (uint32_t i = 0; i < written_count; i++) {
        struct record record;

        at += record_decode(bytes + at, bytes_used - at, &record);
        record.sequence = written[i].sequence;
        record.time_us = written[i].time_us;
        test_engine_replay(&other->test, &record);
    }
}

static void books_are_equal(const struct policy_book *a, const struct policy_book *b)
{
    assert_memory_equal(&a->state, &b->state, sizeof a->state);
    for (uint32_t i = 0; i < POLICY_SLOTS; i++) {
        assert_memory_equal(&a->rows[i].head, &b->rows[i].head, sizeof a->rows[i].head);
        assert_memory_equal(a->rows[i].text, b->rows[i].text, a->rows[i].head.text_size);
    }
    assert_int_equal(a->current->version, b->current->version);
    assert_string_equal(a->current->name, b->current->name);
}

/* Through the bytes at rest, as a restart reads them. */
static void restore_into(struct world *other)
{
    static uint8_t packed[PACK_POLICY_BYTES_MAX];

    world.book->dirty = (2ULL << POLICY_STATE_SLOT) - 1;
    policy_book_freeze(world.book);
    assert_int_equal(world.book->frozen_count, POLICY_SLOTS + 1);
    for (uint32_t i = 0; i < world.book->frozen_count; i++) {
        struct policy_row row = {.head = {.slot = world.book->frozen[i].head.slot}};
        size_t size = pack_policy(packed, &world.book->frozen[i]);

        assert_true(unpack_policy(packed, size, &row));
        assert_false(unpack_policy(packed, size - 1, &row) && row.head.text_size > 0);
        assert_true(unpack_policy(packed, size, &row));
        policy_book_restore(other->book, &row);
    }
    policy_book_enforce(&other->test.engine);
}

/* Anything in any order: the log alone leads to the same book, and so do its rows at rest. */
static void a_replay_comes_to_the_same(void **state)
{
    static const char *const texts[] = {first, second, strict, unfair, "strict", "9", "no rule"};
    struct test_random random = {test_seed(7)};
    static struct world replayed, restored;
    uint32_t last = 8, approved = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        uint32_t version = 8 + (uint32_t)test_random_below(&random, last);
        uint64_t caller = test_random_below(&random, 2) ? ANN : BEA;

        switch (test_random_below(&random, 7)) {
        case 0:
        case 1: {
            const struct reply *reply = propose_as(caller, texts[test_random_below(&random, 7)]);

            last = reply->status == STATUS_OK ? (uint32_t)reply->u.value : last;
            break;
        }
        case 2:
            approved += step(VERB_POLICY_APPROVE, version, caller) == STATUS_OK;
            break;
        case 3:
            step(VERB_POLICY_SHADOW, version, caller);
            break;
        case 4:
            step(test_random_below(&random, 2) ? VERB_POLICY_REJECT : VERB_POLICY_WITHDRAW, version,
                 caller);
            break;
        default:
            act(test_random_below(&random, 3) ? VERB_LIKE : VERB_UNLIKE,
                test_random_below(&random, 5), test_random_below(&random, 40));
        }
    }
    assert_true(approved > 3);
    assert_int_equal(world.book->current->version, world.book->state.version);
    world_open(&replayed);
    replay_into(&replayed);
    books_are_equal(world.book, replayed.book);
    /* What was counted is the same, too: a replay judges nobody and learns from all. */
    assert_memory_equal(world.region, replayed.region, judge_sizes_for(JUDGE_BYTES_MIN).windows);
    world_open(&restored);
    restore_into(&restored);
    books_are_equal(world.book, restored.book);
    world_close(&replayed);
    world_close(&restored);
}

/* More versions than are kept: the oldest that are over make room, those that wait never do. */
static void only_what_is_over_is_forgotten(void **state)
{
    uint32_t active = propose(second), version = 0;

    (void)state;
    assert_int_equal(step(VERB_POLICY_APPROVE, active, BEA), STATUS_OK);
    for (int i = 0; i < 3 * POLICY_SLOTS; i++) {
        version = propose(strict);
        assert_int_equal(step(VERB_POLICY_REJECT, version, BEA), STATUS_OK);
    }
    assert_int_equal(view_of(VERB_POLICY_GET, active).head.state, RULES_ACTIVE);
    assert_int_equal(step(VERB_POLICY_REJECT, active + 1, BEA), STATUS_NOPOLICY);
    for (int i = 0; i < POLICY_OPEN_MAX; i++)
        propose(strict);
    assert_int_equal(propose_as(ANN, strict)->status, STATUS_POLICYSTATE);
    assert_int_equal(propose_as(ANN, "4000000")->status, STATUS_NOPOLICY);
    assert_int_equal(propose_as(ANN, "99999999999999999999999")->status, STATUS_NOPOLICY);
    assert_int_equal(step(VERB_POLICY_WITHDRAW, version + 1, ANN), STATUS_OK);
    propose(strict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
        TEST(it_takes_two),
        TEST(what_the_loader_refuses_is_not_proposed),
        TEST(the_log_has_text_and_digest),
        TEST(windows_go_on),
        TEST(a_shadow_only_counts),
        TEST(a_changed_setting_takes_over),
        TEST(what_was_in_force_is_kept),
        TEST(two_texts_never_share_a_number),
        TEST(a_long_setting_is_not_kept),
        TEST(other_partitions_are_told),
        TEST(a_replay_comes_to_the_same),
        TEST(only_what_is_over_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
