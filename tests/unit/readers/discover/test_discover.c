/* Records in, heat, rates and lists out: against a twin that remembers every act and adds up by the
 * definition of docs/discovery.md; and what may not happen when memory is short. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/discover.h"
#include "schema/verb.h"

#define SECOND    1000000LL
#define HOUR      (3600 * SECOND)
#define DAY       (24 * HOUR)
#define START     (1700000000 * SECOND)
#define ITEMS     8
#define ACCOUNTS  24
#define EVENTS    40000
#define HORIZON_S (24u * 3600)
#define TENANT    3

static struct discover discover;
static int64_t now_us;

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

static struct discover *also; /* is told the same */

static void apply(const struct record *record)
{
    discover_apply(&discover, record);
    if (also != NULL)
        discover_apply(also, record);
}

static void say_item(uint64_t item, uint64_t creator, const char *tags)
{
    struct record record = record_of(VERB_ITEM_SET, 0, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = creator;
    record.c = REQUEST_HAS_CREATOR;
    apply(&record);
    if (tags == NULL)
        return;
    record = record_of(VERB_ITEM_TAG, 0, item);
    record.fields |= RECORD_HAS_TEXT;
    record.text = tags;
    record.text_size = (uint8_t)strlen(tags);
    apply(&record);
}

/* --- the twin
 * ------------------------------------------------------------------------------------- */

struct set { /* a like or a favorite of one account */
    bool ever, on;
    uint8_t pct, mark;
    double match;
    int64_t time_us, fades_us;
};

struct pair {
    struct set like, favorite;
    double once; /* worth of comment, share, long view, as of START */
    bool depth, commented, shared, long_viewed, shown;
    uint16_t bits;
    uint8_t pct[SIGNAL_COUNT], shown_pct, stage;
};

struct learnt {
    uint32_t account, item;
    double weight;
    int64_t time_us;
};

static struct pair pairs[ITEMS][ACCOUNTS];
static struct learnt learnt[EVENTS];
static uint32_t learnt_count;
static struct quantile twin_quantile;
static uint8_t stages[ITEMS];
static int64_t frozen_until[ITEMS];
static bool off[ACCOUNTS];
static const char *const tags_of[ITEMS] = {"a", "a,b", "b", "c", "a,c", "c,b,d", NULL, "d"};

static bool has_tag(uint32_t item, char tag)
{
    return tags_of[item] != NULL && strchr(tags_of[item], tag) != NULL;
}

static uint32_t tags_count(uint32_t item)
{
    return tags_of[item] == NULL ? 0 : (uint32_t)(strlen(tags_of[item]) + 1) / 2;
}

/* Weight on the tags of item, of all that account (or everybody: ACCOUNTS) has learnt; of all: item
 * ITEMS. */
static double mass(uint32_t account, uint32_t item, int64_t at_us)
{
    double sum = 0;

    for (uint32_t i = 0; i < learnt_count; i++) {
        const struct learnt *one = &learnt[i];
        double each = one->weight / tags_count(one->item) *
                      pow(2, (double)(one->time_us - at_us) / (14.0 * DAY));

        if (account != ACCOUNTS && one->account != account)
            continue;
        for (char tag = 'a'; tag <= 'd'; tag++)
            if (has_tag(one->item, tag) && (item == ITEMS || has_tag(item, tag)))
                sum += each;
    }
    return sum;
}

static double twin_match(uint32_t account, uint32_t item)
{
    double all = mass(ACCOUNTS, ITEMS, now_us), own = mass(account, ITEMS, now_us);
    double share, fit;

    if (tags_of[item] == NULL || off[account] || all <= 0 || own <= 0)
        return 1;
    share = mass(ACCOUNTS, item, now_us) / all;
    if (share <= 0)
        return 1;
    fit = (mass(account, item, now_us) + 5 * share) / (own + 5) / share;
    return (double)lround(fmin(2, fmax(0.5, fit)) * 64) / 64;
}

static void twin_learn(uint32_t account, uint32_t item, double weight)
{
    if (tags_of[item] != NULL && !off[account] && weight > 0)
        learnt[learnt_count++] = (struct learnt){account, item, weight, now_us};
}

static uint8_t credited(const struct set *set)
{
    return set->mark == MARK_PLAIN ? set->pct : 0;
}

static double left(const struct set *set, int64_t at_us)
{
    int64_t step = (int64_t)HORIZON_S * SECOND / 28;

    if (set->on || set->fades_us >= at_us)
        return 1;
    return pow(2, -(double)(at_us / step - set->fades_us / step) / 4);
}

static double decayed(int64_t time_us, int64_t at_us)
{
    return pow(2, (double)(time_us - at_us) / (double)DAY);
}

static double twin_heat(uint32_t item, int64_t at_us)
{
    double sum = 0;

    for (uint32_t account = 0; account < ACCOUNTS; account++) {
        const struct pair *pair = &pairs[item][account];

        if (pair->like.ever)
            sum += 1.0 * credited(&pair->like) / 100 * pair->like.match * (pair->depth ? 1.5 : 1) *
                   left(&pair->like, at_us) * decayed(pair->like.time_us, at_us);
        if (pair->favorite.ever)
            sum += 2.0 * credited(&pair->favorite) / 100 * pair->favorite.match *
                   left(&pair->favorite, at_us) * decayed(pair->favorite.time_us, at_us);
        sum += pair->once * decayed(START, at_us);
    }
    return sum;
}

static void twin_once(struct pair *pair, double weight, uint8_t pct, double match)
{
    pair->once += weight * pct / 100 * match / decayed(START, now_us);
}

static void twin_bit(struct pair *pair, enum signal signal, uint8_t pct)
{
    pair->bits |= (uint16_t)(1u << signal);
    pair->pct[signal] = pct;
}

/* --- one random act, for both
 * --------------------------------------------------------------------- */

static void random_like(struct test_random *random, uint32_t item, uint32_t account)
{
    struct pair *pair = &pairs[item][account];
    struct set *like = &pair->like;
    struct record record = record_of(like->on ? VERB_UNLIKE : VERB_LIKE, account, item);

    if (like->on && test_random_below(random, 3) == 0) { /* scored again, voided, restored */
        record.kind = RECORD_SETTLE;
        before(&record, like->pct, like->mark, like->time_us);
        like->pct = (uint8_t)test_random_below(random, 101);
        like->mark = (uint8_t)test_random_below(random, MARK_COUNT);
        worth(&record, like->pct, like->mark);
        twin_bit(pair, SIGNAL_LIKE, credited(like));
    } else if (like->on) {
        before(&record, like->pct, like->mark, like->time_us);
        record.fields |= RECORD_HAS_ARGS;
        record.b = (uint64_t)HORIZON_S << 8;
        if (test_random_below(random, 40) == 0 &&
            frozen_until[item] == 0) { /* of two it is heat.c's to say which */
            frozen_until[item] = now_us + HOUR;
            record.fields |= RECORD_HAS_EXTRA;
            record.c = (uint64_t)frozen_until[item];
        }
        like->on = false;
        like->fades_us = frozen_until[item] > now_us ? frozen_until[item] : now_us;
        pair->bits &= (uint16_t) ~(1u << SIGNAL_LIKE);
    } else if (like->ever) { /* comes back, worth as much or less */
        before(&record, credited(like), MARK_PLAIN, like->fades_us);
        if (like->mark == MARK_PLAIN && test_random_below(random, 2) == 0)
            like->pct /= 2;
        else if (like->mark != MARK_PLAIN)
            like->mark = MARK_HELD; /* credited 0 before as after */
        worth(&record, like->pct, like->mark);
        like->on = true;
        twin_bit(pair, SIGNAL_LIKE, credited(like));
    } else {
        *like = (struct set){.ever = true,
                             .on = true,
                             .pct = test_random_below(random, 3) ? 100 : 40,
                             .match = twin_match(account, item),
                             .time_us = now_us};
        like->mark = test_random_below(random, 8) ? MARK_PLAIN : MARK_HELD;
        worth(&record, like->pct, like->mark);
        twin_bit(pair, SIGNAL_LIKE, credited(like));
        twin_learn(account, item, credited(like) / 100.0);
    }
    apply(&record);
}

static void random_favorite(uint32_t item, uint32_t account)
{
    struct pair *pair = &pairs[item][account];
    struct set *favorite = &pair->favorite;
    struct record record = record_of(favorite->on ? VERB_UNFAVORITE : VERB_FAVORITE, account, item);

    if (favorite->on) {
        favorite->fades_us = frozen_until[item] > now_us ? frozen_until[item] : now_us;
        pair->bits &= (uint16_t) ~(1u << SIGNAL_FAVORITE);
    } else if (!favorite->ever) {
        *favorite = (struct set){
            .ever = true, .pct = 100, .match = twin_match(account, item), .time_us = now_us};
    }
    favorite->on = !favorite->on;
    if (favorite->on)
        twin_bit(pair, SIGNAL_FAVORITE, 100);
    apply(&record);
}

static void random_view(struct test_random *random, uint32_t item, uint32_t account)
{
    struct pair *pair = &pairs[item][account];
    struct record record = record_of(VERB_VIEW, account, item);
    uint32_t duration_ms = 20000;
    uint32_t watch_ms = (uint32_t)test_random_below(random, 2)
                            ? 700 * (uint32_t)test_random_below(random, 40)
                            : 90000;
    uint8_t pct = test_random_below(random, 4) ? 100 : 50;
    double place;
    bool first = !(pair->bits >> SIGNAL_CLICK & 1);
    uint16_t bits;

    record.fields |= RECORD_HAS_ARGS;
    record.a = watch_ms;
    record.b = duration_ms;
    worth(&record, pct, MARK_PLAIN);
    if (test_random_below(random, 2)) {
        record.fields |= RECORD_HAS_IMPRESSION;
        record.stage = (uint8_t)test_random_below(random, 2);
        if (!pair->shown) {
            pair->shown = true;
            pair->shown_pct = pct;
            pair->stage = record.stage;
        }
    }
    quantile_tick(&twin_quantile, now_us);
    place = quantile_place(&twin_quantile, duration_ms, watch_ms, now_us);
    quantile_add(&twin_quantile, duration_ms, watch_ms, pct / 100.0, now_us);
    bits = signals_of_view(watch_ms, duration_ms, place);
    if (!first)
        bits &= (uint16_t) ~(1u << SIGNAL_EARLY_EXIT);
    if (bits >> SIGNAL_LONG_VIEW & 1 && !pair->long_viewed) {
        pair->long_viewed = true;
        twin_once(pair, 0.05, pct, twin_match(account, item));
        twin_learn(account, item, 0.25 * pct / 100);
    }
    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++)
        if (bits >> signal & 1 && !(pair->bits >> signal & 1))
            twin_bit(pair, signal, pct);
    apply(&record);
}

static void random_once(struct test_random *random, uint32_t item, uint32_t account)
{
    struct pair *pair = &pairs[item][account];
    bool comment = test_random_below(random, 2);
    struct record record = record_of(comment ? VERB_COMMENT : VERB_SHARE, account, item);
    bool *done = comment ? &pair->commented : &pair->shared;

    if (!*done) {
        twin_once(pair, comment ? 4 : 2, 100, twin_match(account, item));
        twin_bit(pair, comment ? SIGNAL_COMMENT : SIGNAL_SHARE, 100);
        if (comment && pair->like.on)
            pair->depth = true;
    }
    *done = true;
    apply(&record);
}

static void random_act(struct test_random *random)
{
    uint32_t item = (uint32_t)test_random_below(random, ITEMS);
    uint32_t account = (uint32_t)test_random_below(random, ACCOUNTS);
    uint32_t kind = (uint32_t)test_random_below(random, 20);

    if (kind < 9)
        random_like(random, item, account);
    else if (kind < 11)
        random_favorite(item, account);
    else if (kind < 17)
        random_view(random, item, account);
    else
        random_once(random, item, account);
}

/* --- comparisons
 * ---------------------------------------------------------------------------------- */

static void heat_is_the_sum(uint32_t item)
{
    const struct item *row = discover_item(&discover, TENANT, item);
    double want = twin_heat(item, now_us), got = discover_heat(&discover, row, now_us);

    /* What fades under HEAT_DUST is taken for nothing; so may what fades after it be. */
    if (fabs(got - want) > 1e-9 * want + 4 * HEAT_DUST)
        fail_msg("item %u: %.12g, by definition %.12g", item, got, want);
}

static void rates_are_the_counts(uint32_t item)
{
    const struct item *row = discover_item(&discover, TENANT, item);
    uint64_t shown = 0, shown_stage = 0;

    for (uint32_t account = 0; account < ACCOUNTS; account++) {
        const struct pair *pair = &pairs[item][account];

        shown += pair->shown ? pair->shown_pct : 0;
        shown_stage += pair->shown && pair->stage == stages[item] ? pair->shown_pct : 0;
    }
    assert_int_equal(row->signals.impressions_pct, shown);
    assert_int_equal(discover_stage(row)->n_pct, shown_stage);
    for (uint32_t signal = 0; signal < SIGNAL_COUNT; signal++) {
        uint64_t raw = 0, pct = 0, success = 0;

        for (uint32_t account = 0; account < ACCOUNTS; account++) {
            const struct pair *pair = &pairs[item][account];

            if (!(pair->bits >> signal & 1))
                continue;
            raw++;
            pct += pair->pct[signal];
            if (pair->shown)
                success +=
                    pair->pct[signal] < pair->shown_pct ? pair->pct[signal] : pair->shown_pct;
        }
        assert_int_equal(row->signals.tally[signal].raw, raw);
        assert_int_equal(row->signals.tally[signal].credited_pct, pct);
        assert_int_equal(row->signals.tally[signal].success_pct, success);
    }
}

static void top_is_sorted(enum scope_kind kind, uint64_t id, char tag)
{
    uint32_t rows[ITEMS], count, members = 0;
    uint64_t refused;
    double last = INFINITY;

    count = discover_top(&discover, TENANT, kind, id, ITEMS, rows, &refused);
    assert_int_equal(refused, 0);
    for (uint32_t i = 0; i < count; i++) {
        const struct item *row = table_row(&discover.items, rows[i]);
        double heat = twin_heat((uint32_t)row->head.a, now_us);

        assert_true(heat <= last * (1 + 1e-9) + 8 * HEAT_DUST);
        last = heat;
    }
    for (uint32_t item = 0; item < ITEMS; item++)
        members += kind == SCOPE_ALL || (kind == SCOPE_TAG && has_tag(item, tag)) ||
                   (kind == SCOPE_CREATOR && item % 2 == id - 100);
    assert_int_equal(count, members);
}

static void open_world(uint64_t bytes)
{
    assert_int_equal(discover_open(&discover, bytes, &discover_defaults), STATUS_OK);
    assert_true(discover.bytes <= bytes);
    now_us = START;
    memset(pairs, 0, sizeof pairs);
    memset(stages, 0, sizeof stages);
    memset(frozen_until, 0, sizeof frozen_until);
    memset(off, 0, sizeof off);
    learnt_count = 0;
    quantile_open(&twin_quantile, 0);
}

/* Everything, for weeks, act by act. */
static void is_what_the_definition_says(void **state)
{
    struct test_random random = {test_seed(101)};

    (void)state;
    open_world(16 << 20);
    for (uint32_t item = 0; item < ITEMS; item++)
        say_item(item, 100 + item % 2, tags_of[item]);
    for (uint32_t step = 0; step < 9000; step++) {
        now_us += (int64_t)test_random_below(&random, 4 * 60 * (uint64_t)SECOND);
        if (test_random_below(&random, 400) == 0)
            now_us += (int64_t)test_random_below(&random, 3 * (uint64_t)DAY);
        random_act(&random);
        if (step % 64 != 0)
            continue;
        discover_tick(&discover, now_us);
        for (uint32_t item = 0; item < ITEMS; item++) {
            heat_is_the_sum(item);
            rates_are_the_counts(item);
        }
        top_is_sorted(SCOPE_ALL, 0, 0);
        top_is_sorted(SCOPE_TAG, discover_tag_id("b", 1), 'b');
        top_is_sorted(SCOPE_CREATOR, 101, 0);
    }
    assert_true(learnt_count > 100);
    discover_close(&discover);
}

/* With memory for a few thousand exposures, accounts that like, wait until it is forgotten, take
 * back and come again: an item never falls under what the honest brought, and never gains more than
 * one like from each. */
static void forgetting_helps_and_harms_nobody(void **state)
{
    struct test_random random = {test_seed(102)};
    const uint64_t item = 7, honest = 10;
    struct set attackers[20] = {0};
    double floor_ = 0;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    say_item(item, 100, "a");
    for (uint64_t account = 0; account < honest; account++) {
        struct record record = record_of(VERB_LIKE, 1000 + account, item);

        apply(&record);
    }
    for (uint32_t step = 0; step < 160000; step++) {
        now_us += (int64_t)test_random_below(&random, 2 * (uint64_t)SECOND);
        struct record noise = record_of(VERB_SHARE, test_random_next(&random), 1 + step % 5);

        apply(&noise);
        uint32_t i = (uint32_t)test_random_below(&random, 20);
        struct set *set = &attackers[i];
        struct record record = record_of(set->on ? VERB_UNLIKE : VERB_LIKE, 2000 + i, item);

        if (test_random_below(&random, 250) > 0)
            continue;
        if (set->ever)
            before(&record, 100, MARK_PLAIN, set->time_us);
        if (set->on) {
            record.fields |= RECORD_HAS_ARGS;
            record.b = test_random_below(&random, 2) ? (uint64_t)HORIZON_S << 8 : 0;
        }
        set->on = !set->on;
        set->ever = true;
        set->time_us = now_us;
        apply(&record);
        const struct item *row = discover_item(&discover, TENANT, item);

        assert_non_null(row);
        floor_ = (double)honest * decayed(START, now_us);
        double heat = discover_heat(&discover, row, now_us);

        assert_true(heat >= floor_ * (1 - 1e-9) - 4 * HEAT_DUST);
        assert_true(heat <= floor_ + 20 * HEAT_MATCH_MAX);
    }
    assert_true(discover.exposures.evicted > 1000);
    discover_close(&discover);
}

static void is_near(uint64_t item, double heat)
{
    double is = discover_heat(&discover, discover_item(&discover, TENANT, item), now_us);

    assert_true(fabs(is - heat) < heat * 1e-4); /* a few seconds' decay */
}

/* Partitions are read one after the other, so an item's first record need not be its oldest. */
static void the_first_record_need_not_be_the_oldest(void **state)
{
    struct record record;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    now_us += SECOND;
    record = record_of(VERB_SHARE, 1, 5);
    apply(&record);
    now_us -= SECOND;
    record = record_of(VERB_LIKE, 2, 5);
    apply(&record);
    record = record_of(VERB_FAVORITE, 2, 5);
    apply(&record);
    is_near(5, 5);
    discover_close(&discover);
}

/* Made again, an item has nothing of what its old likes had brought: they take nothing from it. */
static void an_item_made_again_owes_nothing(void **state)
{
    struct record record;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    record = record_of(VERB_LIKE, 1, 5);
    apply(&record);
    for (uint64_t item = 1000; discover_item(&discover, TENANT, 5) != NULL; item++) {
        record = record_of(VERB_COMMENT, 3, item); /* warmer than the one with a like */
        apply(&record);
        assert_int_not_equal(
            table_find(&discover.exposures, (struct table_key){5, 1, TENANT}, true), TABLE_NONE);
        assert_true(item < 100000);
    }
    record = record_of(VERB_LIKE, 2, 5);
    apply(&record);
    record = record_of(VERB_UNLIKE, 1, 5);
    apply(&record);
    is_near(5, 1);
    discover_close(&discover);
}

/* Older records say nothing of what was before: they are taken as far as they go. */
static void older_records_are_taken(void **state)
{
    struct record record;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    record = record_of(VERB_LIKE, 1, 5);
    apply(&record);
    record = record_of(VERB_UNLIKE, 2, 5); /* of a like that nobody saw */
    apply(&record);
    record = record_of(VERB_UNLIKE, 2, 6); /* of an item that nobody saw */
    apply(&record);
    record = record_of(RECORD_SETTLE, 2, 5);
    worth(&record, 0, MARK_VOIDED);
    apply(&record);
    record = record_of(VERB_LIKE, 9, 5); /* refused */
    record.fields = RECORD_HAS_TENANT | RECORD_HAS_STATUS;
    record.status = STATUS_RATE;
    apply(&record);
    const struct item *row = discover_item(&discover, TENANT, 5);

    assert_true(discover_heat(&discover, row, now_us) == 1);
    assert_int_equal(row->signals.tally[SIGNAL_LIKE].raw, 1);
    record = record_of(VERB_UNLIKE, 1, 5); /* at once: nothing stands */
    apply(&record);
    assert_true(discover_heat(&discover, row, now_us) == 0);
    for (uint32_t kind = 0; kind < 256; kind++) { /* whatever else there is */
        record = record_of((uint8_t)kind, 4, 5);
        apply(&record);
    }
    discover_close(&discover);
}

/* --- checkpoints */

struct bytes {
    unsigned char *at;
    size_t size, capacity, read;
};

static enum status bytes_put(void *context, const void *from, size_t size)
{
    struct bytes *bytes = context;

    if (bytes->size + size > bytes->capacity)
        return STATUS_NOSPACE;
    memcpy(bytes->at + bytes->size, from, size);
    bytes->size += size;
    return STATUS_OK;
}

static enum status bytes_get(void *context, void *to, size_t size)
{
    struct bytes *bytes = context;

    if (bytes->read + size > bytes->size)
        return STATUS_BADDATA;
    memcpy(to, bytes->at + bytes->read, size);
    bytes->read += size;
    return STATUS_OK;
}

static void digest_is_same(const struct discover *one, const struct discover *other)
{
    uint8_t first[32], second[32];

    discover_digest(one, first);
    discover_digest(other, second);
    assert_memory_equal(first, second, sizeof first);
}

static void any_record(struct test_random *random, uint32_t step)
{
    static const uint8_t kinds[] = {VERB_LIKE, VERB_VIEW, VERB_COMMENT, VERB_FAVORITE};
    uint64_t item = test_random_below(random, step % 3 ? 40 : 100000);
    struct record record;

    now_us += (int64_t)test_random_below(random, 40 * (uint64_t)SECOND);
    if (step % 50 == 0)
        say_item(item, item % 1000, item % 2 ? "a,b" : "c");
    record = record_of(kinds[step % 4], test_random_below(random, 20000), item);
    if (step % 7 == 0) {
        record.kind = VERB_UNLIKE;
        record.fields |= RECORD_HAS_ARGS;
        record.b = (uint64_t)HORIZON_S << 8;
    }
    apply(&record);
}

static uint32_t top_items(struct discover *which, uint64_t *ids)
{
    uint32_t rows[TOP_READ_MAX];
    uint64_t refused;
    uint32_t count = discover_top(which, TENANT, SCOPE_ALL, 0, 30, rows, &refused);

    for (uint32_t i = 0; i < count; i++)
        ids[i] = ((const struct item *)table_row(&which->items, rows[i]))->head.a;
    return count;
}

/* Full tables, many evictions: what was saved goes on as if nothing had been, and ticks are in no
 * digest. */
static void goes_on_from_a_checkpoint(void **state)
{
    struct test_random random = {test_seed(104)};
    struct bytes bytes = {.capacity = 8 << 20};
    struct reader_sink sink = {&bytes, bytes_put};
    struct reader_source source = {&bytes, bytes_get};
    struct discover other;
    uint64_t ids[2][30];

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    bytes.at = malloc(bytes.capacity);
    for (uint32_t step = 0; step < 30000; step++)
        any_record(&random, step);
    assert_int_equal(discover_save(&discover, &sink), STATUS_OK);
    assert_int_equal(discover_open(&other, DISCOVER_BYTES_MIN, &discover_defaults), STATUS_OK);
    assert_int_equal(discover_restore(&other, &source), STATUS_OK);
    assert_int_equal(bytes.read, bytes.size);
    digest_is_same(&discover, &other);
    also = &other;
    for (uint32_t step = 0; step < 30000; step++) {
        any_record(&random, step);
        if (step % 3 == 0)
            discover_tick(&other, now_us + (int64_t)test_random_below(&random, (uint64_t)HOUR));
    }
    also = NULL;
    assert_true(discover.items.evicted > 100 && discover.exposures.evicted > 1000);
    digest_is_same(&discover, &other);
    discover_tick(&discover, now_us + 2 * HOUR);
    discover_tick(&other, now_us + 2 * HOUR);
    assert_int_equal(top_items(&discover, ids[0]), 30);
    assert_int_equal(top_items(&other, ids[1]), 30);
    assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
    bytes.read = 0; /* another memory, other rows: refused */
    discover_close(&other);
    assert_int_equal(discover_open(&other, 2 * DISCOVER_BYTES_MIN, &discover_defaults), STATUS_OK);
    assert_int_equal(discover_restore(&other, &source), STATUS_BADDATA);
    discover_close(&other);
    discover_close(&discover);
    free(bytes.at);
}

/* --- people
 * --------------------------------------------------------------------------------------- */

static struct record switches(uint64_t account, uint64_t bits, uint64_t mask)
{
    struct record record = record_of(VERB_ACCOUNT_SET, account, 0);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.a = bits << 16;
    record.c = mask;
    return record;
}

/* A switch takes what was known, and lets nothing be learnt; forgetting takes a tag, or all. */
static void a_person_switches_off_and_deletes(void **state)
{
    struct record record;
    const struct account *account;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    say_item(1, 100, "a,b");
    for (uint64_t id = 1; id <= 3; id++) {
        record = record_of(VERB_LIKE, id, 1);
        apply(&record);
    }
    account = discover_account(&discover, TENANT, 1);
    assert_int_equal(account->interest.count, 2);
    record = record_of(VERB_INTEREST_FORGET, 1, 0);
    record.fields |= RECORD_HAS_TEXT;
    record.text = "b";
    record.text_size = 1;
    apply(&record);
    assert_int_equal(account->interest.count, 1);
    assert_int_equal(account->interest.tag[0], discover_tag_id("a", 1));
    record = record_of(VERB_INTEREST_FORGET, 1, 0);
    apply(&record);
    assert_null(discover_account(&discover, TENANT, 1));
    record = switches(2, SWITCH_IMPERSONAL, PORTRAIT_PERSONAL);
    apply(&record);
    record = switches(3, SWITCH_MINOR, PORTRAIT_MINOR);
    apply(&record);
    say_item(2, 100, "a");
    for (uint64_t id = 2; id <= 3; id++) {
        assert_null(discover_account(&discover, TENANT, id));
        record = record_of(VERB_LIKE, id, 2);
        apply(&record);
        record = record_of(VERB_VIEW, id, 2);
        record.fields |= RECORD_HAS_ARGS;
        record.a = record.b = 60000;
        apply(&record);
        assert_null(discover_account(&discover, TENANT, id));
        assert_true(
            discover_fit(&discover, TENANT, id, discover_item(&discover, TENANT, 2), now_us) == 1);
    }
    record = switches(2, 0, PORTRAIT_PERSONAL);
    apply(&record);
    say_item(3, 100, "a");
    record = record_of(VERB_LIKE, 2, 3);
    apply(&record);
    assert_non_null(discover_account(&discover, TENANT, 2));
    assert_int_equal(discover.offs.count, 1);
    record = record_of(VERB_ACCOUNT_REVOKE, 2, 0);
    record.fields |= RECORD_HAS_ARGS;
    record.a = 1;
    apply(&record);
    assert_int_equal(discover.offs.count, 2);
    for (uint64_t id = 2; id <= 3; id++) { /* erased: not even that it was switched off */
        record = record_of(VERB_ACCOUNT_PURGE, id, 0);
        apply(&record);
        assert_null(discover_account(&discover, TENANT, id));
    }
    assert_int_equal(discover.offs.count, 0);
    discover_close(&discover);
}

/* An erased account leaves nothing that names it; what its like had brought goes as any un-like's.
 */
static void an_erased_account_is_nowhere(void **state)
{
    struct record record;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    say_item(1, 100, "a");
    say_item(2, 100, "a");
    for (uint64_t item = 1; item <= 2; item++) {
        record = record_of(VERB_VIEW, 7, item);
        record.fields |= RECORD_HAS_ARGS;
        apply(&record);
    }
    record = record_of(VERB_LIKE, 7, 1);
    apply(&record);
    record = record_of(VERB_ACCOUNT_PURGE, 7, 0);
    apply(&record);
    assert_null(discover_account(&discover, TENANT, 7));
    assert_int_equal(discover.exposures.count, 1);
    record = record_of(VERB_UNLIKE, 7, 1);
    record.fields |= RECORD_HAS_ARGS;
    record.a = RECORD_ERASURE;
    apply(&record);
    assert_int_equal(discover.exposures.count, 0);
    assert_true(discover_heat(&discover, discover_item(&discover, TENANT, 1), now_us) < 0.06);
    assert_int_equal(discover_item(&discover, TENANT, 1)->signals.tally[SIGNAL_LIKE].raw, 0);
    discover_close(&discover);
}

/* A like of an account that lives elsewhere is voided by an effect, which alone tells what it was
 * worth. */
static void an_effect_settles(void **state)
{
    struct record record;
    const struct item *row;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    say_item(1, 100, NULL);
    for (uint64_t account = 1; account <= 2; account++) {
        record = record_of(VERB_LIKE, account, 1);
        apply(&record);
    }
    row = discover_item(&discover, TENANT, 1);
    record = record_of(RECORD_EFFECT, 1, 1);
    worth(&record, 100, MARK_VOIDED);
    apply(&record); /* says again what was decided elsewhere */
    assert_true(discover_heat(&discover, row, now_us) == 2);
    before(&record, 100, MARK_PLAIN, now_us);
    apply(&record);
    assert_true(discover_heat(&discover, row, now_us) == 1);
    assert_int_equal(row->signals.tally[SIGNAL_LIKE].raw, 2);
    assert_int_equal(row->signals.tally[SIGNAL_LIKE].valid, 1);
    worth(&record, 40, MARK_PLAIN); /* and restored to what it weighed */
    apply(&record);
    assert_true(fabs(discover_heat(&discover, row, now_us) - 1.4) < 1e-12);
    discover_close(&discover);
}

/* A creator follows from an item that was just watched, a revoked assertion stays so. */
static void follows_and_revocations(void **state)
{
    struct record record;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    say_item(1, 100, NULL);
    for (uint64_t account = 1; account <= 2; account++) {
        record = record_of(VERB_VIEW, account, 1);
        record.fields |= RECORD_HAS_ARGS | RECORD_HAS_IMPRESSION;
        apply(&record);
    }
    record = record_of(VERB_FOLLOW, 1, 100);
    apply(&record);
    record = record_of(VERB_FOLLOW, 1, 200); /* another creator */
    apply(&record);
    now_us += SIGNAL_FOLLOW_US + SECOND;
    record = record_of(VERB_FOLLOW, 2, 100); /* too late */
    apply(&record);
    assert_int_equal(discover_item(&discover, TENANT, 1)->signals.tally[SIGNAL_FOLLOW].raw, 1);
    assert_int_equal(discover_item(&discover, TENANT, 1)->signals.tally[SIGNAL_FOLLOW].success_pct,
                     100);
    assert_false(discover_is_revoked(&discover, TENANT, 1, 0));
    record = record_of(VERB_ACCOUNT_REVOKE, 1, 0);
    record.fields |= RECORD_HAS_ARGS;
    record.a = 3;
    apply(&record);
    assert_true(discover_is_revoked(&discover, TENANT, 1, 2));
    assert_false(discover_is_revoked(&discover, TENANT, 1, 3));
    assert_true(discover_may_personalise(&discover, TENANT, 1));
    discover_close(&discover);
}

/* More switches than fit: nobody's profile is looked at any more. */
static void too_many_switches_are_everybodys(void **state)
{
    struct record record;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    say_item(1, 100, "a");
    record = record_of(VERB_LIKE, 5, 1);
    apply(&record);
    assert_true(discover_may_personalise(&discover, TENANT, 5));
    for (uint64_t id = 0; id <= discover.size.offs; id++) {
        record = switches(1000 + id, SWITCH_MINOR, PORTRAIT_MINOR);
        apply(&record);
        assert_false(discover_may_personalise(&discover, TENANT, 1000 + id));
    }
    assert_false(discover_may_personalise(&discover, TENANT, 5));
    discover_close(&discover);
}

/* --- lists
 * ---------------------------------------------------------------------------------------- */

static uint32_t top_of(enum scope_kind kind, uint64_t id, uint64_t *ids)
{
    uint32_t rows[TOP_READ_MAX];
    uint64_t refused;
    uint32_t count = discover_top(&discover, TENANT, kind, id, 100, rows, &refused);

    for (uint32_t i = 0; i < count; i++)
        ids[i] = ((const struct item *)table_row(&discover.items, rows[i]))->head.a;
    return count;
}

static void lists_have_whom_they_should(void **state)
{
    uint64_t ids[100];
    struct record record;

    (void)state;
    open_world(4 << 20);
    say_item(1, 100, "a");
    say_item(2, 100, "a");
    now_us += 30 * DAY;
    say_item(3, 200, "b");
    for (uint64_t item = 10; item < 15;
         item++) /* 100 is no newcomer, but has few items until here */
        say_item(item, 100, "c");
    for (uint64_t item = 1; item <= 3; item++)
        for (uint64_t i = 0; i < item; i++) {
            record = record_of(VERB_LIKE, i, item);
            apply(&record);
        }
    assert_int_equal(top_of(SCOPE_TAG, discover_tag_id("a", 1), ids), 2);
    assert_int_equal(ids[0], 2);
    assert_int_equal(top_of(SCOPE_CREATOR, 200, ids), 1);
    assert_int_equal(top_of(SCOPE_NEWCOMERS, 0, ids), 2); /* 3, and the third of 100: 10 */
    assert_int_equal(ids[0], 3);
    /* at home somewhere */
    record = record_of(VERB_ACCOUNT_SET, 200, 0);
    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_EXTRA;
    record.c = PORTRAIT_REGION | 77ULL << PORTRAIT_REGION_SHIFT;
    apply(&record);
    assert_int_equal(top_of(SCOPE_REGION, 77, ids), 1);
    assert_int_equal(ids[0], 3);
    /* private, and back */
    record = record_of(VERB_ITEM_STATE, 0, 3);
    record.fields |= RECORD_HAS_ARGS;
    record.a = ITEM_PRIVATE;
    apply(&record);
    assert_int_equal(top_of(SCOPE_REGION, 77, ids), 0);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 7);
    record.a = ITEM_PUBLISHED;
    apply(&record);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 8);
    assert_int_equal(ids[0], 3);
    /* a suspended creator, until then */
    record = record_of(VERB_ACCOUNT_STATE, 200, 0);
    record.fields |= RECORD_HAS_ARGS;
    record.a = ACCOUNT_SUSPENDED;
    record.b = (uint64_t)(now_us + HOUR);
    apply(&record);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 7);
    discover_tick(&discover, now_us + 2 * HOUR);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 8);
    discover_tick(&discover, now_us + 8 * DAY);
    assert_int_equal(top_of(SCOPE_NEWCOMERS, 0, ids), 0);
    discover_close(&discover);
}

static struct record boost(uint8_t kind, uint64_t item, const char *text, size_t name, uint16_t pct,
                           int64_t until_us)
{
    struct record record = record_of(kind, 0, item);

    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_TEXT;
    record.a = pct | (uint64_t)name << 16;
    record.b = (uint64_t)(until_us / SECOND);
    record.text = text;
    record.text_size = (uint8_t)strlen(text);
    return record;
}

/* At most twice, for the time it is given, and then as before. */
static void a_boost_lifts_and_ends(void **state)
{
    uint64_t ids[100];
    struct record record;

    (void)state;
    open_world(4 << 20);
    for (uint64_t item = 1; item <= 4; item++) {
        say_item(item, 100, item % 2 ? "a" : "b");
        for (uint64_t i = 0; i < 2 * item; i++) {
            record = record_of(VERB_LIKE, 100 * item + i, item); /* nobody's interests are known */
            apply(&record);
        }
    }
    record = boost(VERB_BOOST_ITEM, 3, "why", 0, 900, now_us + HOUR); /* 6 likes * 2 */
    apply(&record);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 4);
    assert_int_equal(ids[0], 3);
    assert_int_equal(ids[1], 4);
    assert_true(discover_boost_of(&discover, discover_item(&discover, TENANT, 3)) == 2);
    assert_true(fabs(discover_heat(&discover, discover_item(&discover, TENANT, 3), now_us) - 6) <
                1e-9);
    record = boost(VERB_BOOST_TAG, 0, "bwhy", 1, 180, now_us + 2 * HOUR); /* 4 * 1.8, 8 * 1.8 */
    apply(&record);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 4);
    assert_int_equal(ids[0], 4);
    assert_int_equal(ids[2], 2);
    record = boost(VERB_BOOST_WORD, 0, "bwhy", 1, 150, now_us + 2 * HOUR); /* the highest counts */
    apply(&record);
    assert_true(discover_boost_of(&discover, discover_item(&discover, TENANT, 4)) == 1.8);
    record = boost(VERB_BOOST_TAG, 0, "bwhy", 1, 100, now_us + 2 * HOUR); /* ends it */
    apply(&record);
    assert_true(discover_boost_of(&discover, discover_item(&discover, TENANT, 4)) == 1.5);
    say_item(9, 100, "b"); /* comes while it holds */
    assert_true(discover_boost_of(&discover, discover_item(&discover, TENANT, 9)) == 1.5);
    discover_tick(&discover, now_us + 3 * HOUR);
    for (uint64_t item = 1; item <= 4; item++)
        assert_true(discover_boost_of(&discover, discover_item(&discover, TENANT, item)) == 1);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 5);
    assert_int_equal(ids[0], 4);
    record = boost(VERB_BOOST_ITEM, 1, "why", 0, 200, now_us + 90 * DAY);
    apply(&record);
    discover_tick(&discover, now_us + 7 * DAY);
    assert_true(discover_boost_of(&discover, discover_item(&discover, TENANT, 1)) ==
                1); /* 7 days at most */
    discover_close(&discover);
}

/* Exact as long as every commenter is remembered; from then on about right. */
static void commenters_are_counted_once(void **state)
{
    struct record record;
    struct discover_commenters count;

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    for (uint64_t i = 0; i < 3000; i++) {
        record = record_of(VERB_COMMENT, i % 1000, 1);
        apply(&record);
    }
    count = discover_commenters(&discover, discover_item(&discover, TENANT, 1));
    assert_true(count.exact && count.count == 1000);
    for (uint64_t i = 0; i < 30000; i++) {
        record = record_of(VERB_COMMENT, i % 10000, 1);
        apply(&record);
    }
    count = discover_commenters(&discover, discover_item(&discover, TENANT, 1));
    assert_false(count.exact);
    assert_true(fabs(count.count / 10000 - 1) < 4 * SKETCH_ERROR);
    discover_close(&discover);
}

/* More items than fit: the hot ones stay, and nothing breaks. */
static void the_hot_ones_stay(void **state)
{
    struct test_random random = {test_seed(103)};
    struct record record;
    uint64_t ids[100];

    (void)state;
    open_world(DISCOVER_BYTES_MIN);
    for (uint64_t step = 0; step < 60000; step++) {
        now_us += SECOND / 10;
        if (step % 16 == 0) {
            record = record_of(VERB_LIKE, step, test_random_below(&random, 8));
        } else {
            char tags[24];

            say_item(1000 + step, step % 300,
                     (snprintf(tags, sizeof tags, "t%u", (unsigned)(step % 700)), tags));
            record = record_of(VERB_VIEW, step, 1000 + step);
        }
        apply(&record);
    }
    assert_true(discover.items.evicted > 1000 && discover.tags.evicted > 100);
    assert_int_equal(top_of(SCOPE_ALL, 0, ids), 100);
    for (uint32_t i = 0; i < 8; i++)
        assert_true(ids[i] < 8);
    discover_close(&discover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_the_definition_says),
        cmocka_unit_test(forgetting_helps_and_harms_nobody),
        cmocka_unit_test(the_first_record_need_not_be_the_oldest),
        cmocka_unit_test(an_item_made_again_owes_nothing),
        cmocka_unit_test(older_records_are_taken),
        cmocka_unit_test(goes_on_from_a_checkpoint),
        cmocka_unit_test(a_person_switches_off_and_deletes),
        cmocka_unit_test(an_erased_account_is_nowhere),
        cmocka_unit_test(an_effect_settles),
        cmocka_unit_test(follows_and_revocations),
        cmocka_unit_test(too_many_switches_are_everybodys),
        cmocka_unit_test(lists_have_whom_they_should),
        cmocka_unit_test(a_boost_lifts_and_ends),
        cmocka_unit_test(commenters_are_counted_once),
        cmocka_unit_test(the_hot_ones_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
