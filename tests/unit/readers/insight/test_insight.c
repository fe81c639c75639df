/* Records in, funnels, rollups and audiences out: against a twin that remembers every account's
 * state on every item and adds up by the definition of docs/insight.md; what a restart holds, and
 * what short memory may not do. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers/insight/compare.h"
#include "readers/insight/insight.h"
#include "schema/verb.h"

#define SECOND   1000000LL
#define HOUR     (3600 * SECOND)
#define DAY      (24 * HOUR)
#define START    (19700 * DAY)
#define DAYS     60
#define ITEMS    6
#define ACCOUNTS 30
#define CREATORS 2
#define EVENTS   20000
#define TENANT   3
#define CREATOR  900 /* and the next */

static struct insight insight;
static int64_t now_us;
static struct test_random random_;

/* --- records as the engine makes them ------------------------------------------------------------
 */

static struct record record_of(uint8_t kind, uint64_t account, uint64_t target)
{
    static uint64_t sequence;

    return (struct record){.kind = kind,
                           .sequence = ++sequence,
                           .time_us = now_us,
                           .tenant = TENANT,
                           .fields = RECORD_CHANGED | RECORD_HAS_TENANT,
                           .account = account,
                           .target = target};
}

static void worth(struct record *record, uint8_t pct, uint8_t mark)
{
    record->fields |= RECORD_HAS_VERDICT;
    record->verdict = (struct verdict){.weight_pct = pct, .mark = mark};
}

static void before(struct record *record, uint8_t pct, uint8_t mark, int64_t since_us)
{
    record->fields |= RECORD_HAS_BEFORE;
    record->before_pct = pct;
    record->before_marks = mark;
    record->before_age_s = (uint32_t)((now_us - since_us) / SECOND);
}

static void say_item(uint64_t item, uint64_t creator, const char *tags)
{
    struct record record = record_of(VERB_ITEM_SET, 0, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = creator;
    record.c = REQUEST_HAS_CREATOR;
    insight_apply(&insight, &record);
    if (tags == NULL)
        return;
    record = record_of(VERB_ITEM_TAG, 0, item);
    record.fields |= RECORD_HAS_TEXT;
    record.text = tags;
    record.text_size = (uint8_t)strlen(tags);
    insight_apply(&insight, &record);
}

static void say_account(uint64_t account, uint64_t region, int64_t created_us)
{
    struct record record = record_of(VERB_ACCOUNT_SET, account, 0);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.b = (uint64_t)created_us;
    record.c = PORTRAIT_CREATED | PORTRAIT_REGION | region << PORTRAIT_REGION_SHIFT;
    insight_apply(&insight, &record);
}

static void switch_personal(uint64_t account, bool on)
{
    struct record record = record_of(VERB_ACCOUNT_SET, account, 0);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = on ? 0 : (uint64_t)SWITCH_IMPERSONAL << 16;
    record.c = PORTRAIT_PERSONAL;
    insight_apply(&insight, &record);
}

static void view_of(uint64_t account, uint64_t item, uint32_t watch_ms, uint8_t pct)
{
    struct record record = record_of(VERB_VIEW, account, item);

    record.fields |= RECORD_HAS_ARGS;
    record.a = watch_ms;
    record.b = 10000;
    worth(&record, pct, MARK_PLAIN);
    insight_apply(&insight, &record);
}

static void like_of(uint64_t account, uint64_t item)
{
    struct record record = record_of(VERB_LIKE, account, item);

    insight_apply(&insight, &record);
}

/* --- the twin ------------------------------------------------------------------------------------
 */

struct did {
    bool does;
    uint8_t pct; /* credited */
    bool valid;
};

struct pair {
    struct did step[STEP_COUNT];
    bool attested;
    uint8_t attested_pct;
    int64_t like_us;
    uint8_t like_weight, like_mark;
};

struct day {
    uint32_t raw, valid, pct;
};

static struct pair pairs[ITEMS][ACCOUNTS];
static struct day days[ITEMS][METRIC_COUNT][DAYS + 1];
static uint32_t given[ITEMS], taken[ITEMS], peak[ITEMS];
static uint32_t met_day[CREATORS][ACCOUNTS]; /* 1 + the last day; 0: never */
static uint32_t met_new[CREATORS], met_returning[CREATORS];
static bool liked_ever[CREATORS][ACCOUNTS], follows[CREATORS][ACCOUNTS],
    followed_before[CREATORS][ACCOUNTS], converted[CREATORS][ACCOUNTS];
static uint32_t watched_item[ACCOUNTS];
static int64_t watched_us[ACCOUNTS];
/* What an item had of likes, credited percent, at the end of each bin of its age. */
static int64_t had_at[ITEMS][AGES];

static uint32_t creator_of(uint32_t item)
{
    return item % CREATORS;
}

static uint32_t today(void)
{
    return (uint32_t)((now_us - START) / DAY);
}

static void day_add(uint32_t item, uint32_t metric, uint32_t day, int raw, int valid, int pct)
{
    struct day *at = &days[item][metric][day];

    at->raw += (uint32_t)raw;
    at->valid += (uint32_t)valid;
    at->pct += (uint32_t)pct;
}

static void twin_do(uint32_t item, uint32_t account, enum step step, uint8_t pct, bool valid)
{
    struct did *did = &pairs[item][account].step[step];

    if (did->does)
        return;
    *did = (struct did){true, pct, valid};
    day_add(item, step, today(), 1, valid, pct);
}

static void twin_meet(uint32_t item, uint32_t account)
{
    uint32_t creator = creator_of(item), *last = &met_day[creator][account], day = today() + 1;

    if (*last == day)
        return;
    *(*last == 0 ? &met_new[creator] : &met_returning[creator]) += 1;
    *last = day;
}

static void twin_view(uint32_t item, uint32_t account, const struct record *record, uint8_t pct,
                      bool valid)
{
    struct pair *pair = &pairs[item][account];

    twin_meet(item, account);
    twin_do(item, account, STEP_SHOWN, pct, valid);
    if (record->fields & RECORD_HAS_IMPRESSION && !pair->attested) {
        pair->attested = true;
        pair->attested_pct = pct;
    }
    if (record->kind == VERB_SKIP) {
        twin_do(item, account, STEP_SKIP, pct, valid);
        return;
    }
    twin_do(item, account, STEP_VIEW, pct, valid);
    if (record->a >= 3000 || record->a >= (uint32_t)record->b)
        twin_do(item, account, STEP_HOLD, pct, valid);
    if (record->a * 10 >= (uint32_t)record->b * 9)
        twin_do(item, account, STEP_FINISH, pct, valid);
    watched_item[account] = item + 1;
    watched_us[account] = now_us;
}

static void twin_like(uint32_t item, uint32_t account, uint8_t weight, uint8_t mark)
{
    struct pair *pair = &pairs[item][account];
    uint32_t raw = 0;

    twin_do(item, account, STEP_LIKE, mark == MARK_PLAIN ? weight : 0,
            mark == MARK_PLAIN || mark == MARK_HELD);
    pair->like_us = now_us;
    pair->like_weight = weight;
    pair->like_mark = mark;
    given[item]++;
    twin_meet(item, account);
    if (!liked_ever[creator_of(item)][account] && !follows[creator_of(item)][account])
        followed_before[creator_of(item)][account] = true; /* liked before following */
    liked_ever[creator_of(item)][account] = true;
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        raw += pairs[item][i].step[STEP_LIKE].does;
    if (raw > peak[item])
        peak[item] = raw;
}

static void twin_unlike(uint32_t item, uint32_t account)
{
    struct did *like = &pairs[item][account].step[STEP_LIKE];

    day_add(item, METRIC_UNLIKE, today(), 1, like->valid, like->pct);
    *like = (struct did){0};
    taken[item]++;
}

static void twin_settle(uint32_t item, uint32_t account, uint8_t weight, uint8_t mark)
{
    struct pair *pair = &pairs[item][account];
    struct did *like = &pair->step[STEP_LIKE];
    uint8_t pct = mark == MARK_PLAIN ? weight : 0;
    bool valid = mark == MARK_PLAIN || mark == MARK_HELD;

    day_add(item, STEP_LIKE, (uint32_t)((pair->like_us - START) / DAY), 0, valid - like->valid,
            pct - like->pct);
    like->pct = pct;
    like->valid = valid;
    pair->like_weight = weight;
    pair->like_mark = mark;
}

/* --- random acts, to both ------------------------------------------------------------------------
 */

static uint8_t below(uint32_t bound)
{
    return (uint8_t)test_random_below(&random_, bound);
}

static void act_view(uint32_t item, uint32_t account, bool skip)
{
    struct record record = record_of(skip ? VERB_SKIP : VERB_VIEW, account + 1, (uint64_t)item + 1);
    uint8_t pct = below(4) == 0 ? below(101) : 100;

    if (!skip) {
        record.fields |= RECORD_HAS_ARGS;
        record.a = test_random_below(&random_, 12000);
        record.b = 10000;
    }
    if (below(3) == 0)
        record.fields |= RECORD_HAS_IMPRESSION;
    worth(&record, pct, MARK_PLAIN);
    twin_view(item, account, &record, pct, true);
    insight_apply(&insight, &record);
}

static void act_like(uint32_t item, uint32_t account)
{
    struct pair *pair = &pairs[item][account];
    bool on = pair->step[STEP_LIKE].does;
    struct record record = record_of(on ? VERB_UNLIKE : VERB_LIKE, account + 1, (uint64_t)item + 1);
    uint8_t weight = below(3) == 0 ? below(101) : 100, mark = below(6) == 0 ? below(4) : MARK_PLAIN;

    if (on) {
        before(&record, pair->like_weight, pair->like_mark, pair->like_us);
        twin_unlike(item, account);
    } else {
        worth(&record, weight, mark);
        twin_like(item, account, weight, mark);
    }
    insight_apply(&insight, &record);
}

static void act_settle(uint32_t item, uint32_t account)
{
    struct pair *pair = &pairs[item][account];
    struct record record = record_of(RECORD_SETTLE, account + 1, (uint64_t)item + 1);
    uint8_t weight = below(101), mark = below(4);

    if (!pair->step[STEP_LIKE].does)
        return;
    worth(&record, weight, mark);
    before(&record, pair->like_weight, pair->like_mark, pair->like_us);
    twin_settle(item, account, weight, mark);
    insight_apply(&insight, &record);
}

static void act_once(uint32_t item, uint32_t account, uint8_t kind, enum step step)
{
    struct record record = record_of(kind, account + 1, (uint64_t)item + 1);
    uint8_t pct = below(4) == 0 ? below(101) : 100;

    worth(&record, pct, MARK_PLAIN);
    twin_do(item, account, step, pct, true);
    insight_apply(&insight, &record);
}

static void act_follow(uint32_t creator, uint32_t account)
{
    bool on = !follows[creator][account];
    struct record record =
        record_of(on ? VERB_FOLLOW : VERB_UNFOLLOW, account + 1, CREATOR + creator);
    uint32_t item = watched_item[account];

    if (on && followed_before[creator][account])
        converted[creator][account] = true;
    follows[creator][account] = on;
    if (on && item > 0 && creator_of(item - 1) == creator &&
        now_us - watched_us[account] <= 600 * SECOND)
        twin_do(item - 1, account, STEP_FOLLOW, 100, true);
    insight_apply(&insight, &record);
}

static void act(void)
{
    uint32_t item = below(ITEMS), account = below(ACCOUNTS);

    switch (below(10)) {
    case 0:
    case 1:
    case 2:
        act_like(item, account);
        break;
    case 3:
        act_settle(item, account);
        break;
    case 4:
        act_once(item, account, VERB_COMMENT, STEP_COMMENT);
        break;
    case 5:
        act_once(item, account, VERB_SHARE, STEP_SHARE);
        break;
    case 6:
        act_follow(below(CREATORS), account);
        break;
    default:
        act_view(item, account, below(5) == 0);
        break;
    }
}

/* --- held against each other
 * ---------------------------------------------------------------------- */

static uint8_t smaller(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static struct tally twin_tally(uint32_t item, enum step step)
{
    struct tally tally = {0};

    for (uint32_t account = 0; account < ACCOUNTS; account++) {
        const struct pair *pair = &pairs[item][account];
        const struct did *did = &pair->step[step], *shown = &pair->step[STEP_SHOWN];

        if (!did->does)
            continue;
        tally.raw++;
        tally.valid += did->valid;
        tally.credited_pct += did->pct;
        tally.reported_pct += shown->does ? smaller(did->pct, shown->pct) : 0;
        tally.attested_pct += pair->attested ? smaller(did->pct, pair->attested_pct) : 0;
    }
    return tally;
}

static void same_tally(const struct tally *is, const struct tally *want)
{
    assert_int_equal(is->raw, want->raw);
    assert_int_equal(is->valid, want->valid);
    assert_int_equal(is->credited_pct, want->credited_pct);
    assert_int_equal(is->reported_pct, want->reported_pct);
    assert_int_equal(is->attested_pct, want->attested_pct);
}

static void same_days(uint32_t item)
{
    struct scope scope = {.of = BUCKET_ITEM, .id = item + 1, .tenant = TENANT};

    for (uint32_t metric = 0; metric < METRIC_NEW; metric++)
        for (uint32_t day = 0; day <= DAYS; day++) {
            const struct bucket *bucket =
                buckets_find(&insight.buckets, scope, SPAN_DAY, START + day * DAY);
            const struct day *want = &days[item][metric][day];
            struct count is = {0};

            if (bucket != NULL)
                is = bucket->count[metric];
            assert_int_equal(is.raw, want->raw);
            assert_int_equal(is.valid, want->valid);
            assert_int_equal(is.credited_pct, want->pct);
        }
}

static void same_item(uint32_t at)
{
    const struct insight_item *item = insight_item(&insight, TENANT, at + 1);
    uint32_t trust[BANDS_TRUST] = {0};

    assert_non_null(item);
    for (enum step step = 0; step < STEP_COUNT; step++) {
        struct tally want = twin_tally(at, step);

        same_tally(&item->tally[step], &want);
        if (step < FUNNEL)
            assert_true(compare_had(item, step, INT64_MAX / 2, INT64_MAX / 2) ==
                        (double)want.credited_pct);
    }
    for (uint32_t account = 0; account < ACCOUNTS; account++) {
        const struct did *like = &pairs[at][account].step[STEP_LIKE];

        if (like->does)
            trust[like->pct == 0 ? 0 : like->pct < 50 ? 1 : like->pct < 100 ? 2 : 3]++;
    }
    assert_memory_equal(trust, item->likers_trust, sizeof trust);
    assert_int_equal(item->likes_given, given[at]);
    assert_int_equal(item->likes_taken, taken[at]);
    assert_int_equal(item->like_peak, peak[at]);
    same_days(at);
}

static void same_creator(uint32_t at)
{
    const struct insight_creator *creator = insight_creator(&insight, TENANT, CREATOR + at);
    uint32_t likers = 0, followed = 0;

    assert_non_null(creator);
    for (enum step step = 0; step < STEP_COUNT; step++) {
        struct tally want = {0};

        for (uint32_t item = at; item < ITEMS; item += CREATORS) {
            struct tally one = twin_tally(item, step);

            want.raw += one.raw;
            want.valid += one.valid;
            want.credited_pct += one.credited_pct;
            want.reported_pct += one.reported_pct;
            want.attested_pct += one.attested_pct;
        }
        same_tally(&creator->tally[step], &want);
    }
    for (uint32_t account = 0; account < ACCOUNTS; account++) {
        likers += liked_ever[at][account];
        followed += converted[at][account];
    }
    assert_int_equal(creator->met_new, met_new[at]);
    assert_int_equal(creator->met_returning, met_returning[at]);
    assert_int_equal(creator->likers, likers);
    assert_int_equal(creator->likers_followed, followed);
}

static void same_ages(uint32_t at)
{
    const struct insight_item *item = insight_item(&insight, TENANT, at + 1);

    for (uint32_t bin = 0; bin < AGES - 1; bin++)
        assert_true(compare_had(item, STEP_LIKE, age_ends_us[bin], DAYS * DAY) ==
                    (double)had_at[at][bin]);
}

static void open_world(uint64_t bytes)
{
    now_us = START;
    assert_int_equal(insight_open(&insight, bytes), STATUS_OK);
    for (uint32_t item = 0; item < ITEMS; item++)
        say_item(item + 1, CREATOR + creator_of(item),
                 item % 3 == 0   ? NULL
                 : item % 3 == 1 ? "a"
                                 : "b,a");
}

/* What each item had when it came to the end of a bin: before anything of that moment. */
static void ages_look(int64_t from_us, int64_t to_us)
{
    for (uint32_t bin = 0; bin < AGES - 1; bin++) {
        if (START + age_ends_us[bin] <= from_us || START + age_ends_us[bin] > to_us)
            continue;
        for (uint32_t item = 0; item < ITEMS; item++)
            had_at[item][bin] = (int64_t)twin_tally(item, STEP_LIKE).credited_pct;
    }
}

static void is_what_the_definition_says(void **state)
{
    int64_t last_us;

    (void)state;
    random_.state = test_seed(7);
    open_world(16u << 20);
    for (uint32_t i = 0; i < EVENTS; i++) {
        last_us = now_us;
        now_us =
            START + (int64_t)((double)i / EVENTS * (double)i / EVENTS * DAYS * (double)DAY) + i;
        ages_look(last_us, now_us);
        act();
        if (i % 2000 != 1999)
            continue;
        for (uint32_t item = 0; item < ITEMS; item++)
            same_item(item);
        for (uint32_t creator = 0; creator < CREATORS; creator++)
            same_creator(creator);
    }
    for (uint32_t item = 0; item < ITEMS; item++)
        same_ages(item);
    insight_close(&insight);
}

/* --- checkpoints ---------------------------------------------------------------------------------
 */

struct kept {
    uint8_t *bytes;
    size_t size, at;
};

static enum status keep(void *context, const void *bytes, size_t size)
{
    struct kept *kept = context;

    kept->bytes = realloc(kept->bytes, kept->size + size);
    memcpy(kept->bytes + kept->size, bytes, size);
    kept->size += size;
    return STATUS_OK;
}

static enum status give(void *context, void *bytes, size_t size)
{
    struct kept *kept = context;

    if (kept->size - kept->at < size)
        return STATUS_BADDATA;
    memcpy(bytes, kept->bytes + kept->at, size);
    kept->at += size;
    return STATUS_OK;
}

/* Two that read the same, one of them out of a checkpoint in the middle, hold the same bits; with
 * so little memory that rows go all the time. */
static void goes_on_from_a_checkpoint(void **state)
{
    struct kept kept = {0};
    struct reader_sink sink = {.context = &kept, .put = keep};
    struct reader_source source = {.context = &kept, .get = give};
    uint8_t digest[2][32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        random_.state = 11;
        open_world(INSIGHT_BYTES_MIN);
        for (uint32_t i = 0; i < 30000; i++) {
            now_us = START + i * 77 * SECOND;
            view_of(test_random_below(&random_, 5000) + 1, test_random_below(&random_, 3000) + 1,
                    (uint32_t)test_random_below(&random_, 12000), 100);
            like_of(test_random_below(&random_, 5000) + 1, test_random_below(&random_, 3000) + 1);
            if (round == 0 || i != 15000)
                continue;
            assert_int_equal(insight_save(&insight, &sink), STATUS_OK);
            insight_clear(&insight);
            assert_int_equal(insight_restore(&insight, &source), STATUS_OK);
        }
        assert_true(insight.items.evicted > 100 && insight.exposures.evicted > 100 &&
                    insight.buckets.lost > 100);
        insight_digest(&insight, digest[round]);
        insight_close(&insight);
    }
    assert_memory_equal(digest[0], digest[1], 32);
    open_world(INSIGHT_BYTES_MIN * 2); /* of another size */
    kept.at = 0;
    assert_int_equal(insight_restore(&insight, &source), STATUS_BADDATA);
    insight_close(&insight);
    free(kept.bytes);
}

/* --- forgotten exposures
 * --------------------------------------------------------------------------- */

/* The like of an exposure that is gone is taken back by what its record says. */
static void a_forgotten_like_is_taken_back(void **state)
{
    struct record record;
    const struct insight_item *item;

    (void)state;
    open_world(INSIGHT_BYTES_MIN);
    record = record_of(VERB_LIKE, 1, 1);
    worth(&record, 40, MARK_PLAIN);
    insight_apply(&insight, &record);
    for (uint64_t account = 2; account < 20000; account++)
        view_of(account, 2, 5000, 100); /* pushes it out */
    item = insight_item(&insight, TENANT, 1);
    assert_int_equal(item->tally[STEP_LIKE].credited_pct, 40);
    now_us += DAY;
    record = record_of(RECORD_SETTLE, 1, 1);
    worth(&record, 90, MARK_PLAIN);
    before(&record, 40, MARK_PLAIN, START);
    insight_apply(&insight, &record);
    assert_int_equal(item->tally[STEP_LIKE].raw, 1);
    assert_int_equal(item->tally[STEP_LIKE].credited_pct, 90);
    assert_int_equal(item->likers_trust[2], 1);
    record = record_of(VERB_UNLIKE, 1, 1);
    before(&record, 90, MARK_PLAIN, START);
    insight_apply(&insight, &record);
    assert_int_equal(item->tally[STEP_LIKE].raw, 0);
    assert_int_equal(item->tally[STEP_LIKE].valid, 0);
    assert_int_equal(item->tally[STEP_LIKE].credited_pct, 0);
    assert_int_equal(item->likes_taken, 1);
    insight_close(&insight);
}

/* --- persons -------------------------------------------------------------------------------------
 */

static const struct insight_taste *taste_at(uint64_t creator, const char *tag)
{
    struct table_key key = {creator, insight_tag_id(tag, strlen(tag)), TENANT};
    uint32_t row = table_find(&insight.tastes, key, false);

    return row == TABLE_NONE ? NULL : table_row(&insight.tastes, row);
}

/* Whose profile is switched off leaves no taste, in its row or in a creator's. */
static void what_is_switched_off_is_not_kept(void **state)
{
    static const uint64_t none[TASTES_KEPT];

    (void)state;
    for (int off = 0; off < 2; off++) {
        now_us = START;
        assert_int_equal(insight_open(&insight, INSIGHT_BYTES_MIN), STATUS_OK);
        say_item(1, CREATOR, "a");
        say_item(2, CREATOR, "b");
        say_item(3, CREATOR + 1, "c");
        like_of(5, 1);
        if (off)
            switch_personal(5, false);
        like_of(5, 2);
        view_of(5, 3, 5000, 100);
        if (off) {
            assert_memory_equal(insight_account(&insight, TENANT, 5)->taste, none, sizeof none);
            assert_null(taste_at(CREATOR + 1, "a"));
        } else {
            assert_int_equal(taste_at(CREATOR + 1, "a")->count, 1);
            assert_int_equal(taste_at(CREATOR + 1, "b")->count, 1);
        }
        insight_close(&insight);
    }
}

/* More switches than there is room: then nobody's tastes are kept, and every assertion that could
 * have been revoked counts as revoked. */
static void too_many_switches_are_everybodys(void **state)
{
    static const uint64_t none[TASTES_KEPT];

    (void)state;
    open_world(INSIGHT_BYTES_MIN);
    assert_false(insight_is_revoked(&insight, TENANT, 5, 0));
    for (uint64_t account = 100; insight.switches_lost == 0; account++)
        switch_personal(account, false);
    like_of(5, 2);
    assert_null(insight_account(&insight, TENANT, 5));
    assert_true(insight_is_revoked(&insight, TENANT, 5, 0));
    switch_personal(100, true); /* his own is on again; somebody else's is not known */
    like_of(100, 2);
    assert_memory_equal(insight_account(&insight, TENANT, 100)->taste, none, sizeof none);
    insight_close(&insight);
}

static void revoked(void **state)
{
    struct record record;

    (void)state;
    open_world(INSIGHT_BYTES_MIN);
    record = record_of(VERB_ACCOUNT_REVOKE, 5, 0);
    record.a = 3;
    insight_apply(&insight, &record);
    for (uint64_t account = 100; account < 10000; account++)
        view_of(account, 1, 5000, 100);
    assert_true(insight_is_revoked(&insight, TENANT, 5, 2));
    assert_false(insight_is_revoked(&insight, TENANT, 5, 3));
    insight_close(&insight);
}

static void an_erased_account_is_nowhere(void **state)
{
    struct record record;

    (void)state;
    open_world(INSIGHT_BYTES_MIN);
    view_of(5, 1, 5000, 100);
    view_of(5, 2, 5000, 100);
    like_of(5, 2);
    record = record_of(VERB_ACCOUNT_PURGE, 5, 0);
    insight_apply(&insight, &record);
    record = record_of(VERB_UNLIKE, 5, 2);
    record.fields |= RECORD_HAS_ARGS;
    record.a = RECORD_ERASURE;
    before(&record, 100, MARK_PLAIN, START);
    insight_apply(&insight, &record);
    for (uint32_t row = 0; row < insight.exposures.fresh; row++)
        assert_int_not_equal(((const struct table_head *)table_row(&insight.exposures, row))->b, 5);
    for (uint32_t row = 0; row < insight.ties.fresh; row++)
        assert_int_not_equal(((const struct table_head *)table_row(&insight.ties, row))->b, 5);
    assert_int_equal(insight_item(&insight, TENANT, 2)->tally[STEP_LIKE].raw, 0);
    assert_int_equal(insight_item(&insight, TENANT, 2)->tally[STEP_VIEW].raw, 1);
    insight_close(&insight);
}

/* --- hours, regions, bands, distinct accounts
 * ----------------------------------------------------- */

static void hours_and_regions(void **state)
{
    const struct insight_map *map;

    (void)state;
    open_world(INSIGHT_BYTES_MIN);
    for (uint64_t account = 1; account <= 40; account++)
        say_account(account, account % 4 == 0 ? 77 : 78, START - (int64_t)account * DAY);
    for (uint64_t account = 1; account <= 40; account++) {
        now_us = START + (int64_t)(account % 5) * HOUR;
        view_of(account, 1, 5000, 100);
        view_of(account, 3, 5000, 100); /* the same creator's: one account */
        if (account % 2 == 0)
            like_of(account, 1);
    }
    map = insight_map(&insight, MAP_CREATOR, TENANT, CREATOR, 77);
    assert_int_equal(map->accounts, 10);
    assert_int_equal(map->shown[0], 4); /* two items of accounts 20 and 40 */
    map = insight_map(&insight, MAP_ITEM, TENANT, 1, 77);
    assert_int_equal(map->accounts, 10);
    assert_int_equal(map->likes[0], 2);
    map = insight_map(&insight, MAP_ITEM, TENANT, 1, 0);
    assert_int_equal(map->accounts, 40);
    assert_int_equal(map->shown[3], 8);
    /* 20 likes: by accounts of 2, 4, 6 days; 8 to 28; 30 to 40 days */
    const uint32_t ages[BANDS_AGE] = {0, 3, 11, 6, 0, 0};

    assert_memory_equal(insight_item(&insight, TENANT, 1)->likers_age, ages, sizeof ages);
    insight_close(&insight);
}

/* The sketch of a creator's week is as exact as it says, three standard errors at most. */
static void distinct_accounts_are_nearly_exact(void **state)
{
    const struct insight_creator *creator;
    struct sketch all = {0};

    (void)state;
    random_.state = test_seed(5);
    open_world(8u << 20);
    for (uint32_t count = 1; count <= 20000; count++) {
        view_of(test_random_next(&random_), 1, 5000, 100);
        if (count != 100 && count != 1000 && count != 20000)
            continue;
        creator = insight_creator(&insight, TENANT, CREATOR);
        memset(&all, 0, sizeof all);
        for (uint32_t week = 0; week < CREATOR_WEEKS; week++)
            sketch_join(&all, &creator->met[week]);
        assert_true(sketch_count(&all) > count * (1 - 3 * SKETCH_ERROR) &&
                    sketch_count(&all) < count * (1 + 3 * SKETCH_ERROR));
        assert_true(sketch_count(insight_active(&insight, TENANT, (uint32_t)(now_us / DAY))) ==
                    sketch_count(&all));
    }
    insight_close(&insight);
}

/* --- what is told of stages
 * ----------------------------------------------------------------------- */

static void a_stage_keeps_its_evidence_in_whole_characters(void **state)
{
    char text[STAGE_TEXT_MAX + 8];
    struct record record;

    (void)state;
    open_world(INSIGHT_BYTES_MIN);
    memset(text, 'x', sizeof text);
    memcpy(text + STAGE_TEXT_MAX - 1, "\xE8\xB5\x9E", 3);
    record = record_of(VERB_STAGE, 0, 1);
    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_TEXT;
    record.a = STAGE_STOP | 2 << 8;
    record.text = text;
    record.text_size = sizeof text;
    insight_apply(&insight, &record);
    assert_int_equal(insight_item(&insight, TENANT, 1)->stage_text_size, STAGE_TEXT_MAX - 1);
    assert_int_equal(insight_item(&insight, TENANT, 1)->step, STAGE_STOP);
    assert_int_equal(insight_item(&insight, TENANT, 1)->stage, 2);
    insight_close(&insight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_the_definition_says),
        cmocka_unit_test(goes_on_from_a_checkpoint),
        cmocka_unit_test(a_forgotten_like_is_taken_back),
        cmocka_unit_test(what_is_switched_off_is_not_kept),
        cmocka_unit_test(too_many_switches_are_everybodys),
        cmocka_unit_test(revoked),
        cmocka_unit_test(an_erased_account_is_nowhere),
        cmocka_unit_test(hours_and_regions),
        cmocka_unit_test(distinct_accounts_are_nearly_exact),
        cmocka_unit_test(a_stage_keeps_its_evidence_in_whole_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
