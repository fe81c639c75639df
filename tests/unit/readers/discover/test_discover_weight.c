/* Creators' weights and kinds of items, as records make them: against a twin that remembers every
 * act and adds up by the definitions (weight.h, kinds.h); what strangers do never lowers a weight;
 * what people decided weighs, what a rule decided does not; a checkpoint loses nothing. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/discover.h"
#include "schema/verb.h"

#define SECOND   1000000LL
#define HOUR     (3600 * SECOND)
#define DAY      (24 * HOUR)
#define START    (1700000000 * SECOND)
#define ITEMS    24
#define ACCOUNTS 150
#define CREATORS 4
#define TAGS     3
#define CREATOR  5000 /* the first of their ids */
#define TENANT   3

static struct discover discover;
static int64_t now_us;
static uint64_t sequence;

/* --- records as the engine makes them ------------------------------------------------------------
 */

static struct record record_of(uint8_t kind, uint64_t account, uint64_t target)
{
    return (struct record){.kind = kind,
                           .sequence = ++sequence,
                           .time_us = now_us,
                           .tenant = TENANT,
                           .fields = RECORD_CHANGED | RECORD_HAS_TENANT,
                           .account = account,
                           .target = target};
}

static void say_item(uint64_t item, uint64_t creator, enum item_origin origin, int64_t published_us)
{
    struct record record = record_of(VERB_ITEM_SET, 0, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = creator;
    record.b = (uint64_t)(published_us / SECOND) << 32;
    record.c = REQUEST_HAS_CREATOR | (uint64_t)origin << 16;
    discover_apply(&discover, &record);
}

static void say_tag(uint64_t item, uint32_t tag)
{
    static const char *const names[TAGS] = {"cats", "news", "food"};
    struct record record = record_of(VERB_ITEM_TAG, 0, item);

    record.fields |= RECORD_HAS_TEXT;
    record.text = names[tag];
    record.text_size = (uint8_t)strlen(names[tag]);
    discover_apply(&discover, &record);
}

static void say_stage(uint64_t item, uint8_t stage)
{
    struct record record = record_of(VERB_STAGE, 0, item);

    record.fields |= RECORD_HAS_ARGS;
    record.a = STAGE_ADVANCE | (uint64_t)stage << 8;
    record.b = 100;
    discover_apply(&discover, &record);
}

static void say_approved(uint64_t case_id)
{
    struct record record = record_of(VERB_CASE_APPROVE, 0, 0);

    record.fields |= RECORD_HAS_ARGS;
    record.a = case_id;
    discover_apply(&discover, &record);
}

static void say_sanction(uint64_t account, uint64_t case_id, enum sanction kind, uint64_t amount,
                         int64_t until_us)
{
    struct record record = record_of(RECORD_SANCTION, account, 0);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = case_id;
    record.b = kind | amount << 8;
    record.c = (uint64_t)until_us;
    discover_apply(&discover, &record);
}

static double weight_now(uint64_t creator, int64_t at_us)
{
    return discover_weight_at(&discover, TENANT, creator, at_us);
}

/* --- the twin ------------------------------------------------------------------------------------
 */

enum twin_act { DO_VIEW, DO_SKIP, DO_LIKE, DO_UNLIKE, DO_FAVORITE, DO_COMMENT, DO_SHARE, DO_ACTS };

struct pair {
    bool shown, teaches, liked, on[SIGNAL_COUNT];
    uint8_t shown_pct, stage, act[SIGNAL_COUNT];
};

struct fan {
    uint32_t creator;
    double credited;
    int64_t time_us;
};

static struct pair pairs[ITEMS][ACCOUNTS];
static struct fan fans[60000];
static uint32_t fan_count;
static bool follows[ACCOUNTS][CREATORS];
static bool published[ITEMS];
static int64_t published_us[ITEMS], since_us[ITEMS];
static uint32_t tag_of[ITEMS]; /* TAGS: none */
static uint8_t stage_of[ITEMS];
static bool copy_of[ITEMS];
static double best_of[ITEMS];

static uint32_t creator_of(uint32_t item)
{
    return item % CREATORS;
}

static double success(const struct pair *pair, enum signal signal)
{
    if (!pair->shown || !pair->on[signal])
        return 0;
    return (pair->act[signal] < pair->shown_pct ? pair->act[signal] : pair->shown_pct) / 100.0;
}

static double of_metric(const struct pair *pair, uint32_t metric)
{
    double sum = 0;

    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++)
        if (kind_metric(signal) == metric)
            sum += success(pair, signal);
    return sum;
}

/* Sums of the impressions that teach, of one tag (TAGS: of all items), each item halved by its age.
 */
static struct kind_sums kind_twin(uint32_t tag, int64_t at_us)
{
    struct kind_sums kind = {0};

    for (uint32_t i = 0; i < ITEMS; i++) {
        double half = pow(2, (double)(since_us[i] - at_us) / (30.0 * DAY));

        if (tag != TAGS && tag_of[i] != tag)
            continue;
        for (uint32_t a = 0; a < ACCOUNTS; a++) {
            if (!pairs[i][a].teaches)
                continue;
            kind.n += half * pairs[i][a].shown_pct / 100;
            for (uint32_t m = 0; m < POOL_METRICS; m++)
                kind.s[m] += half * of_metric(&pairs[i][a], m);
        }
    }
    return kind;
}

static double seen_twin(uint32_t item, uint32_t metric) /* POOL_METRICS: impressions */
{
    double sum[2] = {0, 0}, n[2] = {0, 0};

    for (uint32_t a = 0; a < ACCOUNTS; a++) {
        const struct pair *pair = &pairs[item][a];
        uint32_t audience = pair->stage & STAGE_AUDIENCE ? 1 : 0;

        n[audience] += pair->shown ? pair->shown_pct / 100.0 : 0;
        sum[audience] += metric == POOL_METRICS ? 0 : of_metric(pair, metric);
    }
    if (metric == POOL_METRICS)
        return n[0] + n[1];
    return fmin(sum[0], n[0]) + fmin(sum[1], n[1]);
}

/* P(long / its mean + like / its mean >= 2), each a Beta with 10 and 50 impressions at the mean. */
static double chance_twin(uint32_t item)
{
    struct kind_sums all = kind_twin(TAGS, now_us);
    double means[2] = {all.s[POOL_LONG] / all.n, all.s[POOL_LIKE] / all.n};
    double strengths[2] = {10, 50}, n = seen_twin(item, POOL_METRICS), weights[2];
    struct gate_beta rates[2];

    if (!(all.n >= 320) || n < 40 || means[0] <= 0 || means[1] <= 0)
        return 0;
    for (uint32_t m = 0; m < 2; m++) {
        double s = seen_twin(item, m == 0 ? POOL_LONG : POOL_LIKE);

        rates[m] =
            (struct gate_beta){means[m] * strengths[m] + s, (1 - means[m]) * strengths[m] + n - s};
        weights[m] = 1 / means[m];
    }
    return gate_sum_above(gate_sum(rates, weights, 2), 2);
}

static double weight_twin(uint32_t creator, int64_t at_us, double parts[WEIGHT_PARTS])
{
    double items = 0, closed = 0, good = 0, alike = 0, original = 0, acts = 0;

    for (uint32_t i = 0; i < ITEMS; i++) {
        if (!published[i] || creator_of(i) != creator)
            continue;
        items++;
        original += !copy_of[i];
        if (at_us - published_us[i] >= 7 * DAY) {
            closed++;
            good += fmax(0, 2 * best_of[i] - 1);
        }
        for (uint32_t k = 0; k < ITEMS; k++)
            if (published[k] && creator_of(k) == creator)
                alike += tag_of[i] == TAGS || tag_of[k] == TAGS ? 0.5 : tag_of[i] == tag_of[k];
    }
    for (uint32_t i = 0; i < fan_count; i++)
        if (fans[i].creator == creator)
            acts += fans[i].credited * pow(2, (double)(fans[i].time_us - at_us) / (30.0 * DAY));
    parts[WEIGHT_HISTORY] = 50 + (closed > 0 ? 50 * good / closed : 0);
    parts[WEIGHT_FANS] = 100 - 50 * pow(2, -acts / 100);
    parts[WEIGHT_FOCUS] = 100 * ((items > 0 ? alike / items : 0) + 2) / (items + 4);
    parts[WEIGHT_ORIGINALITY] = 100 * (original + 2) / (items + 4);
    return 0.40 * parts[0] + 0.25 * parts[1] + 0.15 * parts[2] + 0.20 * parts[3];
}

/* --- the same act for both -----------------------------------------------------------------------
 */

static double taught_of(uint32_t item)
{
    double sum = 0;

    for (uint32_t a = 0; a < ACCOUNTS; a++)
        sum += pairs[item][a].teaches ? pairs[item][a].shown_pct / 100.0 : 0;
    return sum;
}

static void twin_shown(uint32_t item, struct pair *pair, uint8_t pct)
{
    if (pair->shown)
        return;
    pair->teaches = pct > 0 && taught_of(item) < 40;
    pair->shown = true;
    pair->shown_pct = pct;
    pair->stage = stage_of[item];
}

static void twin_set(struct pair *pair, enum signal signal, uint8_t pct)
{
    if (pair->on[signal])
        return;
    pair->on[signal] = true;
    pair->act[signal] = pct;
}

static void act(uint32_t account, uint32_t item, enum twin_act what, uint8_t pct, bool watched)
{
    static const uint8_t verbs[DO_ACTS] = {VERB_VIEW,     VERB_SKIP,    VERB_LIKE, VERB_UNLIKE,
                                           VERB_FAVORITE, VERB_COMMENT, VERB_SHARE};
    struct pair *pair = &pairs[item][account], before = *pair;
    struct record record = record_of(verbs[what], 100 + account, 1 + item);
    uint8_t had = pair->act[SIGNAL_LIKE];
    double rise = 0;

    record.fields |= RECORD_HAS_VERDICT;
    record.verdict.weight_pct = pct;
    switch (what) {
    case DO_VIEW:
        record.fields |= RECORD_HAS_ARGS | RECORD_HAS_IMPRESSION;
        record.a = watched ? 60000 : 300;
        record.b = 30000;
        record.stage = stage_of[item];
        twin_shown(item, pair, pct);
        if (watched)
            twin_set(pair, SIGNAL_LONG_VIEW, pct);
        break;
    case DO_SKIP:
        record.fields |= RECORD_HAS_IMPRESSION;
        record.stage = stage_of[item];
        twin_shown(item, pair, pct);
        twin_set(pair, SIGNAL_SKIP, pct);
        break;
    case DO_LIKE:
        if (pair->on[SIGNAL_LIKE])
            return;
        twin_set(pair, SIGNAL_LIKE, pct);
        if (pair->liked && had < pct) /* one that comes back is worth no more than it was */
            pair->act[SIGNAL_LIKE] = had;
        pair->liked = true;
        break;
    case DO_UNLIKE:
        if (!pair->on[SIGNAL_LIKE])
            return;
        pair->on[SIGNAL_LIKE] = false;
        break;
    default:
        twin_set(pair,
                 what == DO_FAVORITE  ? SIGNAL_FAVORITE
                 : what == DO_COMMENT ? SIGNAL_COMMENT
                                      : SIGNAL_SHARE,
                 pct);
        break;
    }
    discover_apply(&discover, &record);
    rise += fmax(0, pair->act[SIGNAL_LIKE] - before.act[SIGNAL_LIKE]);
    rise += fmax(0, pair->act[SIGNAL_FAVORITE] - before.act[SIGNAL_FAVORITE]);
    rise += fmax(0, pair->act[SIGNAL_COMMENT] - before.act[SIGNAL_COMMENT]);
    rise += fmax(0, pair->act[SIGNAL_SHARE] - before.act[SIGNAL_SHARE]);
    if (rise > 0 && follows[account][creator_of(item)])
        fans[fan_count++] = (struct fan){creator_of(item), rise / 100, now_us};
}

static void follow(uint32_t account, uint32_t creator, bool on)
{
    struct record record =
        record_of(on ? VERB_FOLLOW : VERB_UNFOLLOW, 100 + account, CREATOR + creator);

    discover_apply(&discover, &record);
    follows[account][creator] = on;
}

static void publish(uint32_t item, enum item_origin origin)
{
    say_item(1 + item, CREATOR + creator_of(item), origin, 0);
    published[item] = true;
    published_us[item] = since_us[item] = now_us;
    tag_of[item] = TAGS;
    copy_of[item] = origin == ORIGIN_REPOST;
}

static void tag(uint32_t item, uint32_t which)
{
    say_tag(1 + item, which);
    tag_of[item] = which;
}

/* A look of the pool: a STAGE record. */
static void look(uint32_t item, uint8_t stage)
{
    double chance = chance_twin(item);

    if (now_us - published_us[item] < 7 * DAY)
        best_of[item] = fmax(best_of[item], chance);
    say_stage(1 + item, stage);
    stage_of[item] = stage;
}

static int open_world(void **state)
{
    (void)state;
    now_us = START;
    sequence = fan_count = 0;
    memset(pairs, 0, sizeof pairs);
    memset(follows, 0, sizeof follows);
    memset(published, 0, sizeof published);
    memset(best_of, 0, sizeof best_of);
    memset(stage_of, 0, sizeof stage_of);
    assert_int_equal(discover_open(&discover, 16u << 20, &discover_defaults), STATUS_OK);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    discover_close(&discover);
    return 0;
}

static uint32_t any_published(struct test_random *random)
{
    uint32_t item;

    do
        item = (uint32_t)test_random_below(random, ITEMS);
    while (!published[item]);
    return item;
}

/* One step of strangers, fans, and time. */
static void people(struct test_random *random)
{
    static const uint8_t weights[] = {100, 100, 100, 50, 0};
    uint32_t account = (uint32_t)test_random_below(random, ACCOUNTS);
    uint32_t item = any_published(random);
    uint8_t pct = weights[test_random_below(random, sizeof weights)];
    uint64_t what = test_random_below(random, 20);

    if (what < 11) /* the first items are better */
        act(account, item, DO_VIEW, pct, test_random_below(random, ITEMS) > item);
    else if (what < 12)
        follow(account, (uint32_t)test_random_below(random, CREATORS),
               test_random_below(random, 4) > 0);
    else if (what < 14)
        act(account, item, test_random_below(random, ITEMS) > item ? DO_LIKE : DO_UNLIKE, pct,
            false);
    else
        act(account, item, (enum twin_act)test_random_below(random, DO_ACTS), pct, false);
}

/* --- promises ------------------------------------------------------------------------------------
 */

static void close_to(double is, double should)
{
    if (!(fabs(is - should) <= 1e-6 * fmax(1, fabs(should))))
        print_error("is %.9f, should be %.9f\n", is, should);
    assert_true(fabs(is - should) <= 1e-6 * fmax(1, fabs(should)));
}

static void held_against_the_twin(void)
{
    double now = heat_forward(&discover.kinds_clock, now_us), parts[WEIGHT_PARTS];

    for (uint32_t c = 0; c < CREATORS; c++) {
        struct weight_told told;
        double weight = weight_twin(c, now_us, parts);

        weight_at(discover_weight(&discover, TENANT, CREATOR + c), now_us, &told);
        for (uint32_t p = 0; p < WEIGHT_PARTS; p++)
            close_to(told.part[p], parts[p]);
        close_to(told.weight, weight);
        close_to(weight_now(CREATOR + c, now_us), weight);
    }
    for (uint32_t t = 0; t <= TAGS; t++) {
        static const char *const names[TAGS] = {"cats", "news", "food"};
        struct kind_sums twin = kind_twin(t, now_us);
        const struct tag_row *row =
            t == TAGS
                ? NULL
                : discover_tag(&discover, TENANT, discover_tag_id(names[t], strlen(names[t])));
        const struct kind_sums *kind = t == TAGS ? &discover.kinds : &row->kind;

        close_to(kind->n / now, twin.n);
        for (uint32_t m = 0; m < POOL_METRICS; m++)
            close_to(kind->s[m] / now, twin.s[m]);
    }
}

static void as_the_definition_says(void **state)
{
    struct test_random random = {test_seed(1)};
    uint32_t items = 0, rises = 0;
    double parts[WEIGHT_PARTS];

    (void)state;
    for (uint32_t c = 0; c < CREATORS; c++)
        publish(items++, ORIGIN_UNSAID);
    for (uint32_t t = 0; t < TAGS; t++)
        tag(t, t);
    for (uint32_t step = 1; step <= 24000; step++) {
        now_us += (int64_t)test_random_below(&random, 2 * 60 * SECOND);
        people(&random);
        if (step % 900 == 0 && items < ITEMS)
            publish(items++, (enum item_origin)test_random_below(&random, 3));
        if (step % 400 == 0)
            tag(any_published(&random), (uint32_t)test_random_below(&random, TAGS));
        if (step % 50 == 0)
            look(any_published(&random),
                 (uint8_t)(test_random_below(&random, 3) | (step % 100 == 0 ? STAGE_AUDIENCE : 0)));
        if (step % 2000 == 0)
            held_against_the_twin();
    }
    now_us += 8 * DAY; /* all are closed */
    look(0, 1);
    held_against_the_twin();
    for (uint32_t c = 0; c < CREATORS; c++) {
        (void)weight_twin(c, now_us, parts);
        rises += parts[WEIGHT_HISTORY] > 51 && parts[WEIGHT_FANS] > 51;
    }
    assert_true(rises > 0); /* it is no constant */
}

/* Crowds that like nothing, mobs that skip and report, likes taken back, follows and un-follows,
 * with looks of the pool in between: none of it lowers a weight, now or when all items are closed.
 */
static void strangers_never_lower_it(void **state)
{
    struct test_random random = {test_seed(2)};
    uint32_t rises = 0;

    (void)state;
    for (uint32_t run = 0; run < 6; run++) {
        uint32_t items = 0;

        if (run > 0) {
            close_world(NULL);
            open_world(NULL);
        }
        for (uint32_t c = 0; c < ITEMS; c++)
            publish(items++, ORIGIN_UNSAID);
        for (uint32_t step = 0; step < 6000; step++) {
            double now[CREATORS], later[CREATORS];

            now_us += (int64_t)test_random_below(&random, 30 * SECOND);
            for (uint32_t c = 0; c < CREATORS; c++) {
                now[c] = weight_now(CREATOR + c, now_us);
                later[c] = weight_now(CREATOR + c, now_us + 9 * DAY);
            }
            if (step % 7 == 0)
                say_stage(1 + test_random_below(&random, ITEMS),
                          (uint8_t)test_random_below(&random, 8));
            else if (step % 11 == 0)
                act((uint32_t)test_random_below(&random, ACCOUNTS), any_published(&random), DO_SKIP,
                    100, false);
            else
                people(&random);
            for (uint32_t c = 0; c < CREATORS; c++) {
                assert_true(weight_now(CREATOR + c, now_us) >= now[c] - 1e-9);
                assert_true(weight_now(CREATOR + c, now_us + 9 * DAY) >= later[c] - 1e-9);
                rises += weight_now(CREATOR + c, now_us + 9 * DAY) > later[c] + 1e-9;
            }
        }
    }
    assert_true(rises > 50);
}

static void what_two_people_decided_weighs_and_ends(void **state)
{
    double before;
    struct weight_step steps[WEIGHT_PENALTIES];

    (void)state;
    publish(0, ORIGIN_OWN);
    before = weight_now(CREATOR, now_us);
    say_sanction(CREATOR, 77, SANCTION_LIMIT, 0xFF, now_us + 10 * DAY); /* a rule's */
    assert_true(weight_now(CREATOR, now_us) == before);
    say_approved(78);
    say_sanction(CREATOR, 78, SANCTION_LIMIT, 0xFF, now_us + 10 * DAY);
    close_to(weight_now(CREATOR, now_us), before - 20);
    close_to(weight_now(CREATOR, now_us + 5 * DAY), before - 10);
    assert_true(weight_now(CREATOR, now_us + 10 * DAY) == before);
    assert_int_equal(weight_recovery(discover_weight(&discover, TENANT, CREATOR), now_us, steps),
                     1);
    close_to(steps[0].weight, before);
    say_approved(79);
    say_sanction(CREATOR, 79, SANCTION_CUT, 50, now_us + 400 * DAY); /* 10 points, 90 days */
    close_to(weight_now(CREATOR, now_us), before - 30);
    assert_true(weight_now(CREATOR, now_us + 90 * DAY) == before);
    say_sanction(CREATOR, 78, SANCTION_LIFT | (uint64_t)SANCTION_LIMIT << 8, 0, 0); /* appealed */
    close_to(weight_now(CREATOR, now_us), before - 10);
    say_approved(80); /* points are of another purse; somebody who makes nothing has no weight */
    say_sanction(CREATOR, 80, SANCTION_POINTS, 0, 9);
    say_sanction(424242, 80, SANCTION_LIMIT, 0xFF, now_us + DAY);
    close_to(weight_now(CREATOR, now_us), before - 10);
    assert_null(discover_weight(&discover, TENANT, 424242));
}

/* An import of last year's, a copy, an erased creator. */
static void items_and_who_makes_them(void **state)
{
    struct record purge;

    (void)state;
    say_item(900, 6000, ORIGIN_OWN, now_us - 8 * DAY);
    assert_null(discover_weight(&discover, TENANT, 6000));
    assert_true(weight_now(6000, now_us) == WEIGHT_NEUTRAL);
    say_item(901, 6000, ORIGIN_UNSAID, now_us - 6 * DAY);
    assert_int_equal(discover_weight(&discover, TENANT, 6000)->items, 1);
    say_item(901, 6000, ORIGIN_REPOST, 0);
    assert_true(discover_weight(&discover, TENANT, 6000)->item[0].copy);
    say_item(901, 6000, ORIGIN_OWN, 0);
    assert_false(discover_weight(&discover, TENANT, 6000)->item[0].copy);
    purge = record_of(VERB_ACCOUNT_PURGE, 6000, 0);
    discover_apply(&discover, &purge);
    assert_null(discover_weight(&discover, TENANT, 6000));
}

/* More creators than there is room for: nothing grows, and who was found guilty is not forgotten
 * for it. */
static void memory_is_bounded(void **state)
{
    (void)state;
    say_item(1, 7000, ORIGIN_OWN, 0);
    say_approved(5);
    say_sanction(7000, 5, SANCTION_LIMIT, 0xFF, now_us + 60 * DAY);
    for (uint64_t i = 0; i < 4 * discover.size.weights; i++)
        say_item(1000 + i, 100000 + i, ORIGIN_OWN, 0);
    assert_true(discover.weights.evicted > discover.size.weights);
    assert_int_equal(discover.weights.count, discover.size.weights);
    assert_true(weight_now(7000, now_us) < 40);
}

struct page {
    uint8_t *bytes;
    size_t size, at, room;
};

static enum status put(void *context, const void *bytes, size_t size)
{
    struct page *page = context;

    assert_true(page->size + size <= page->room);
    memcpy(page->bytes + page->size, bytes, size);
    page->size += size;
    return STATUS_OK;
}

static enum status get(void *context, void *bytes, size_t size)
{
    struct page *page = context;

    if (page->at + size > page->size)
        return STATUS_BADDATA;
    memcpy(bytes, page->bytes + page->at, size);
    page->at += size;
    return STATUS_OK;
}

static void a_checkpoint_has_all_of_it(void **state)
{
    struct test_random random = {test_seed(3)};
    struct page page = {.room = 64u << 20};
    struct reader_sink sink = {.context = &page, .put = put};
    struct reader_source source = {.context = &page, .get = get};
    struct kind_sums kinds;
    double before, middle;
    uint8_t one[32], two[32];

    (void)state;
    page.bytes = malloc(page.room);
    assert_non_null(page.bytes);
    for (uint32_t i = 0; i < ITEMS; i++)
        publish(i, ORIGIN_UNSAID);
    for (uint32_t t = 0; t < TAGS; t++)
        tag(t, t);
    for (uint32_t step = 0; step < 3000; step++) {
        now_us += SECOND;
        people(&random);
    }
    say_approved(9);
    kinds = discover.kinds;
    before = weight_now(CREATOR, now_us);
    discover_digest(&discover, one);
    assert_int_equal(discover_save(&discover, &sink), STATUS_OK);
    discover_clear(&discover);
    assert_true(weight_now(CREATOR, now_us) == WEIGHT_NEUTRAL && before != WEIGHT_NEUTRAL);
    assert_int_equal(discover_restore(&discover, &source), STATUS_OK);
    discover_digest(&discover, two);
    assert_memory_equal(one, two, sizeof one);
    assert_memory_equal(&kinds, &discover.kinds, sizeof kinds);
    middle = weight_now(CREATOR, now_us);
    assert_true(middle == before);
    say_sanction(CREATOR, 9, SANCTION_LIMIT, 0xFF, now_us + DAY); /* what was approved is known */
    close_to(weight_now(CREATOR, now_us), before - 20);
    free(page.bytes);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(as_the_definition_says),
        WITH_WORLD(strangers_never_lower_it),
        WITH_WORLD(what_two_people_decided_weighs_and_ends),
        WITH_WORLD(items_and_who_makes_them),
        WITH_WORLD(memory_is_bounded),
        WITH_WORLD(a_checkpoint_has_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
