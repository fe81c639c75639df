/* discover.c: memory, rows that come and go, items and their scopes, time. See discover.h. */
#include "readers/discover/discover.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readers/discover/discover_inner.h"
#include "schema/verb.h"

const struct discover_rules discover_defaults = {
    .half_life_us = HEAT_HALF_LIFE_S * 1000000LL,
    .weight = {[HEAT_LIKE] = 1,
               [HEAT_FAVORITE] = 2,
               [HEAT_COMMENT] = 4,
               [HEAT_SHARE] = 2,
               [HEAT_LONG_VIEW] = 0.05},
    .depth = HEAT_DEPTH,
};

/* --- memory ------------------------------------------------------------------------------------
 */

/* Shares of the memory. The largest: items (with their places in lists) 36 %, exposures 30 %, what
 * is known of accounts for their feeds 27 %; what is left is for tags, live windows, accounts that
 * are shown nothing of what suits them. */
static struct discover_size size_for(double bytes)
{
    const double an_item = sizeof(struct item) + 24 + 96 + 8 * 16 + 56 / 2 + 28 + 300 / 8 + 80 / 4 +
                           8 + (sizeof(struct weight_row) + 24) / 8;
    struct discover_size size = {
        .items = (uint32_t)fmin(bytes * 0.36 / an_item, 1 << 27),
        .exposures = (uint32_t)fmin(bytes * 0.30 / (sizeof(struct exposure) + 24), 1 << 29),
        .accounts = (uint32_t)fmin(bytes * 0.12 / (sizeof(struct account) + 24), 1 << 28),
        .viewers = (uint32_t)fmin(bytes * 0.15 / (sizeof(struct viewer) + 24), 1 << 28),
        .tags = (uint32_t)fmin(bytes * 0.02 / (sizeof(struct tag_row) + 24), 1 << 14),
        .lives = (uint32_t)fmin(bytes * 0.02 / (sizeof(struct live_row) + 24), 1 << 14),
        .offs = (uint32_t)fmin(bytes * 0.03 / (sizeof(struct off) + 24), 1 << 26),
    };

    size.creators = size.items / 4 + 1;
    size.sketches = size.items / 8 + 1;
    size.weights = size.items / 8 + 1;
    size.gifts = size.items / 16 + 64;
    size.top = (struct top_size){size.items, size.items / 2 + 8, size.items * 8 + 64};
    return size;
}

struct layout {
    size_t items, exposures, accounts, creators, tags, lives, sketches, offs, top, due, boost,
        quantile, boosts, platform, campaigns, trial, viewers, weights, gifts, end;
};

static size_t place(size_t *at, size_t bytes)
{
    size_t here = *at;

    *at += (bytes + 63) / 64 * 64;
    return here;
}

static struct layout layout_of(const struct discover_size *size)
{
    struct layout layout;
    size_t at = 0;

    layout.items = place(&at, table_bytes(sizeof(struct item), size->items));
    layout.exposures = place(&at, table_bytes(sizeof(struct exposure), size->exposures));
    layout.accounts = place(&at, table_bytes(sizeof(struct account), size->accounts));
    layout.creators = place(&at, table_bytes(sizeof(struct creator), size->creators));
    layout.tags = place(&at, table_bytes(sizeof(struct tag_row), size->tags));
    layout.lives = place(&at, table_bytes(sizeof(struct live_row), size->lives));
    layout.sketches = place(&at, table_bytes(sizeof(struct sketch_row), size->sketches));
    layout.offs = place(&at, table_bytes(sizeof(struct off), size->offs));
    layout.top = place(&at, top_bytes(size->top));
    layout.due = place(&at, due_bytes(size->items));
    layout.boost = place(&at, sizeof(double) * size->items);
    layout.quantile = place(&at, sizeof(struct quantile));
    layout.boosts = place(&at, sizeof(struct boost_book));
    layout.platform = place(&at, sizeof(struct signals));
    layout.campaigns = place(&at, sizeof(struct campaign_book));
    layout.trial = place(&at, trial_bytes(size->items));
    layout.viewers = place(&at, table_bytes(sizeof(struct viewer), size->viewers));
    layout.weights = place(&at, table_bytes(sizeof(struct weight_row), size->weights));
    layout.gifts = place(&at, gifts_bytes(size->gifts));
    layout.end = at;
    return layout;
}

static double item_warmth(const void *row)
{
    return heat_sum(&((const struct item *)row)->heat);
}

static double tag_warmth(const void *row)
{
    return ((const struct tag_row *)row)->mass;
}

/* Of a creator with many items it is known longer that he is no newcomer. */
static double creator_warmth(const void *row)
{
    const struct creator *creator = row;

    return creator->items + (creator->suspended_until_us != 0 ? 1e9 : 0);
}

/* One on which something weighs goes last: nobody is rid of it by being forgotten. */
static double weight_warmth(const void *row)
{
    const struct weight *weight = &((const struct weight_row *)row)->weight;
    double warmth = weight->items;

    for (uint32_t i = 0; i < WEIGHT_PENALTIES; i++)
        warmth += weight->penalty[i].expires_us != 0 ? 1e3 : 0;
    return warmth;
}

static void rows_open(struct discover *discover)
{
    const struct discover_size *size = &discover->size;
    struct layout layout = layout_of(size);
    unsigned char *at = discover->memory;

    table_open(&discover->items, at + layout.items, sizeof(struct item), size->items);
    table_open(&discover->exposures, at + layout.exposures, sizeof(struct exposure),
               size->exposures);
    table_open(&discover->accounts, at + layout.accounts, sizeof(struct account), size->accounts);
    table_open(&discover->creators, at + layout.creators, sizeof(struct creator), size->creators);
    table_open(&discover->tags, at + layout.tags, sizeof(struct tag_row), size->tags);
    table_open(&discover->lives, at + layout.lives, sizeof(struct live_row), size->lives);
    table_open(&discover->sketches, at + layout.sketches, sizeof(struct sketch_row),
               size->sketches);
    table_open(&discover->offs, at + layout.offs, sizeof(struct off), size->offs);
    table_open(&discover->viewers, at + layout.viewers, sizeof(struct viewer), size->viewers);
    table_open(&discover->weights, at + layout.weights, sizeof(struct weight_row), size->weights);
    discover->items.warmth = item_warmth;
    discover->tags.warmth = tag_warmth;
    discover->creators.warmth = creator_warmth;
    discover->weights.warmth = weight_warmth;
    top_open(&discover->top, at + layout.top, size->top);
    due_open(&discover->due, at + layout.due, size->items);
    discover->boost = (void *)(at + layout.boost);
    discover->quantile = (void *)(at + layout.quantile);
    discover->boosts = (void *)(at + layout.boosts);
    discover->platform = (void *)(at + layout.platform);
    discover->campaigns = (void *)(at + layout.campaigns);
    trial_open(&discover->trial, at + layout.trial, size->items);
    gifts_open(&discover->gifts, at + layout.gifts, size->gifts);
    quantile_open(discover->quantile, 0);
    discover->clock = (struct heat_clock){.half_life_us = discover->rules.half_life_us};
    discover->interests_clock = (struct heat_clock){.half_life_us = INTEREST_HALF_LIFE_US};
    discover->kinds_clock = (struct heat_clock){.half_life_us = KIND_HALF_LIFE_US};
    discover->interests_mass = 0;
    memset(&discover->kinds, 0, sizeof discover->kinds);
    discover->viewed = (struct health_pairs){0};
    discover->approved = 0;
    discover->now_us = 0;
    discover->record_us = 0;
    discover->applied = 0;
    discover->births = 0;
}

void discover_clear(struct discover *discover)
{
    memset(discover->memory, 0, discover->bytes);
    rows_open(discover);
}

enum status discover_open(struct discover *discover, uint64_t bytes,
                          const struct discover_rules *rules)
{
    double want = (double)bytes;

    assert(rules->half_life_us > 0);
    if (bytes < DISCOVER_BYTES_MIN)
        return STATUS_BADVALUE;
    *discover = (struct discover){.rules = *rules};
    do { /* tables round up to powers of two: what that costs is found by trying */
        discover->size = size_for(want);
        want *= 0.98;
    } while (layout_of(&discover->size).end > bytes);
    discover->bytes = layout_of(&discover->size).end;
    /* Zeroed pages that nobody has written cost nothing: a full table's memory is taken as it
     * fills. */
    discover->memory = calloc(1, discover->bytes);
    if (discover->memory == NULL)
        return STATUS_NOMEMORY;
    rows_open(discover);
    return STATUS_OK;
}

void discover_close(struct discover *discover)
{
    free(discover->memory);
    discover->memory = NULL;
}

/* --- rows ---------------------------------------------------------------------------------------
 */

static struct table_key key_of(uint64_t a, uint64_t b, uint32_t tenant)
{
    return (struct table_key){a, b, tenant};
}

uint32_t item_find(const struct discover *discover, uint32_t tenant, uint64_t id)
{
    return table_find((struct table *)&discover->items, key_of(id, 0, tenant), false);
}

static struct table_key scope_of(enum scope_kind kind, uint64_t id, uint32_t tenant)
{
    return key_of(id, kind, tenant);
}

/* Its heat at now_us, in forward numbers, with its boost; the row is left as it is. */
static double rank_key(const struct discover *discover, uint32_t row, int64_t *due_us)
{
    struct heat heat = item_at(discover, row)->heat;

    heat_step(&heat, &discover->clock, discover->now_us);
    *due_us = heat_due(&heat);
    return heat_sum(&heat) * discover->boost[row];
}

/* Into every list it belongs to; a list without room counts it. */
static void item_join(struct discover *discover, uint32_t row)
{
    const struct item *item = item_at(discover, row);
    struct top *top = &discover->top;
    uint32_t tenant = item->head.c;
    int64_t due_us;
    double key = rank_key(discover, row, &due_us);

    if (item->state != ITEM_PUBLISHED)
        return;
    top_join(top, scope_of(SCOPE_ALL, 0, tenant), row, SLOT_ALL, key);
    if (item->region != 0)
        top_join(top, scope_of(SCOPE_REGION, item->region, tenant), row, SLOT_REGION, key);
    if (item->has_creator)
        top_join(top, scope_of(SCOPE_CREATOR, item->creator, tenant), row, SLOT_CREATOR, key);
    if (item->newcomer_us > discover->now_us)
        top_join(top, scope_of(SCOPE_NEWCOMERS, 0, tenant), row, SLOT_NEWCOMERS, key);
    for (uint32_t i = 0; i < item->tag_count; i++)
        top_join(top, scope_of(SCOPE_TAG, item->tag[i], tenant), row, SLOT_TAG + i, key);
}

static void item_rejoin(struct discover *discover, uint32_t row)
{
    top_leave_all(&discover->top, row);
    item_join(discover, row);
}

/* Lists, and when they will change next by time alone. */
void item_rank(struct discover *discover, uint32_t row)
{
    const struct item *item = item_at(discover, row);
    int64_t due_us;

    top_move(&discover->top, row, rank_key(discover, row, &due_us));
    if (item->newcomer_us > discover->now_us && item->newcomer_us < due_us)
        due_us = item->newcomer_us;
    due_set(&discover->due, row, due_us);
}

void item_step(struct discover *discover, uint32_t row, int64_t time_us)
{
    heat_step(&item_at(discover, row)->heat, &discover->clock, time_us);
}

static void item_is_due(struct discover *discover, uint32_t row)
{
    if (item_at(discover, row)->newcomer_us <= discover->now_us)
        top_leave(&discover->top, row, SLOT_NEWCOMERS);
    item_rank(discover, row);
}

static void item_boost(struct discover *discover, uint32_t row)
{
    const struct item *item = item_at(discover, row);
    double factor = boost_factor(boost_find(discover->boosts, item->head.c, item->head.a, item->tag,
                                            item->tag_count, discover->now_us));

    if (factor == discover->boost[row])
        return;
    discover->boost[row] = factor;
    item_rank(discover, row);
}

static void item_drop(struct discover *discover, uint32_t row)
{
    const struct item *item = item_at(discover, row);

    top_leave_all(&discover->top, row);
    trial_set(&discover->trial, row, false);
    due_set(&discover->due, row, INT64_MAX);
    if (item->sketch != 0)
        table_remove(&discover->sketches, item->sketch - 1);
    table_remove(&discover->items, row);
    discover->items.evicted++;
}

uint32_t item_take(struct discover *discover, uint32_t tenant, uint64_t id, int64_t time_us)
{
    struct table_key key = key_of(id, 0, tenant);
    uint32_t row = table_find(&discover->items, key, true);

    if (row != TABLE_NONE)
        return row;
    uint32_t victim = table_victim(&discover->items);

    if (victim != TABLE_NONE)
        item_drop(discover, victim);
    row = table_add(&discover->items, key);
    struct item *item = item_at(discover, row);

    discover->boost[row] = 1;
    discover->births = discover->births < UINT16_MAX ? discover->births + 1 : 1;
    item->birth = discover->births;
    item->since_us = time_us;
    item->published_us = time_us;
    item->state = ITEM_PUBLISHED;
    item_join(discover, row);
    if (discover->boosts->count > 0)
        item_boost(discover, row);
    return row;
}

/* What is forgotten of an exposure is remembered of the item, as far as it matters. */
void exposure_drop(struct discover *discover, uint32_t row)
{
    const struct exposure *exposure = table_row(&discover->exposures, row);
    bool heatless = exposure->flags & EXPOSURE_HEATLESS && exposure->bits >> SIGNAL_LIKE & 1;

    if (heatless || exposure->bits >> SIGNAL_COMMENT & 1) {
        uint32_t at = item_find(discover, exposure->head.c, exposure->head.a);

        if (at != TABLE_NONE) {
            item_at(discover, at)->heatless += heatless;
            if (exposure->bits >> SIGNAL_COMMENT & 1)
                item_at(discover, at)->comments_lost = 1;
        }
    }
    table_remove(&discover->exposures, row);
}

struct exposure *exposure_take(struct discover *discover, uint32_t tenant, uint64_t item,
                               uint64_t account)
{
    struct table_key key = key_of(item, account, tenant);
    uint32_t row = table_find(&discover->exposures, key, true);

    if (row == TABLE_NONE) {
        uint32_t victim = table_victim(&discover->exposures);

        if (victim != TABLE_NONE) {
            exposure_drop(discover, victim);
            discover->exposures.evicted++;
        }
        row = table_add(&discover->exposures, key);
    }
    return table_row(&discover->exposures, row);
}

/* A row of a table whose rows nobody else points at. */
static void *row_take(struct table *table, struct table_key key)
{
    uint32_t row = table_find(table, key, true);

    if (row == TABLE_NONE) {
        uint32_t victim = table_victim(table);

        if (victim != TABLE_NONE) {
            table_remove(table, victim);
            table->evicted++;
        }
        row = table_add(table, key);
    }
    return table_row(table, row);
}

struct account *account_take(struct discover *discover, uint32_t tenant, uint64_t id)
{
    return row_take(&discover->accounts, key_of(id, 0, tenant));
}

struct tag_row *tag_take(struct discover *discover, uint32_t tenant, uint64_t tag)
{
    return row_take(&discover->tags, key_of(tag, 0, tenant));
}

struct live *live_take(struct discover *discover, uint32_t tenant, uint64_t item)
{
    struct live_row *row = row_take(&discover->lives, key_of(item, 0, tenant));

    return &row->live;
}

struct kind_sums *item_kind(struct discover *discover, const struct item *item)
{
    uint32_t row = item->tag_count == 0
                       ? TABLE_NONE
                       : table_find(&discover->tags, key_of(item->tag[0], 0, item->head.c), true);

    return row == TABLE_NONE ? NULL : &((struct tag_row *)table_row(&discover->tags, row))->kind;
}

/* --- items and who makes them -------------------------------------------------------------------
 */

static struct creator *creator_take(struct discover *discover, uint32_t tenant, uint64_t id)
{
    return row_take(&discover->creators, key_of(id, 0, tenant));
}

/* A new item of a creator: is it a newcomer's? */
static void item_created_by(struct discover *discover, struct item *item, uint64_t id,
                            int64_t time_us)
{
    struct creator *creator = creator_take(discover, item->head.c, id);

    if (creator->items == 0 || item->published_us < creator->first_us)
        creator->first_us = item->published_us < time_us ? item->published_us : time_us;
    item->region = creator->region;
    item->newcomer_us = 0;
    if (time_us - creator->first_us < NEWCOMER_US || creator->items < NEWCOMER_ITEMS)
        item->newcomer_us = item->published_us + NEWCOMER_US;
    if (creator->items < UINT32_MAX)
        creator->items++;
    gifts_item(discover, item, time_us);
}

static void apply_item_set(struct discover *discover, const struct record *record)
{
    uint32_t row = item_take(discover, record->tenant, record->target, record->time_us);
    struct item *item = item_at(discover, row);
    uint64_t mask = record->c & 0xFF;

    if (mask & REQUEST_HAS_DURATION)
        item->duration_ms = (uint32_t)record->b;
    if (record->b >> 32 != 0 && (int64_t)(record->b >> 32) * 1000000 < item->published_us)
        item->published_us = (int64_t)(record->b >> 32) * 1000000;
    if (mask & REQUEST_HAS_STATE)
        item->state = (uint8_t)(record->c >> 8);
    if (mask & REQUEST_HAS_CREATOR && !(item->has_creator && item->creator == record->a)) {
        item->has_creator = 1;
        item->creator = record->a;
        item_created_by(discover, item, record->a, record->time_us);
        weight_item_created(discover, item, record->time_us);
    }
    weight_item_origin(discover, item, (enum item_origin)(record->c >> 16 & 0xFF));
    item_rejoin(discover, row);
    item_trial(discover, row);
    item_rank(discover, row);
}

static void apply_item_state(struct discover *discover, const struct record *record)
{
    uint32_t row = item_take(discover, record->tenant, record->target, record->time_us);

    item_at(discover, row)->state = (uint8_t)record->a;
    item_rejoin(discover, row);
    item_trial(discover, row);
}

/* What an item has taught goes with it. */
static void kinds_move(struct discover *discover, const struct item *item, int times)
{
    struct kind_sums *kind = item_kind(discover, item);

    if (kind != NULL)
        kind_item(kind, &item->taught,
                  times * heat_forward(&discover->kinds_clock, item->since_us));
}

void discover_set_tags(struct discover *discover, uint32_t tenant, uint64_t id,
                       const struct tag *tags, uint32_t count, int64_t time_us)
{
    uint32_t row = item_take(discover, tenant, id, time_us);
    struct item *item = item_at(discover, row);

    top_leave_all(&discover->top, row);
    kinds_move(discover, item, -1);
    item->tag_count = 0;
    memset(item->tag, 0, sizeof item->tag);
    for (uint32_t i = 0; i < count && item->tag_count < INTEREST_ITEM_TAGS; i++) {
        uint64_t tag = discover_tag_id(tags[i].bytes, tags[i].size);
        struct tag_row *known = tag_take(discover, tenant, tag);

        known->name_size = tags[i].size;
        memcpy(known->name, tags[i].bytes, tags[i].size);
        item->tag[item->tag_count++] = tag;
    }
    kinds_move(discover, item, 1);
    weight_item_tagged(discover, item);
    item_join(discover, row);
    item_boost(discover, row);
}

/* One step on its ladder: what is counted of the stage begins anew. */
static void apply_stage(struct discover *discover, const struct record *record)
{
    uint32_t row = item_find(discover, record->tenant, record->target);
    bool stopped = (record->a & 0xFF) == STAGE_STOP;

    if (row == TABLE_NONE)
        return;
    struct item *item = item_at(discover, row);

    weight_item_looked(discover, item, record->time_us);
    memset(&item->stage_counts, 0, sizeof item->stage_counts);
    item->stage = (uint8_t)(record->a >> 8) & STAGE_OF_LADDER;
    item->budget = stopped ? 0 : (uint32_t)record->b;
    item->stopped_us = stopped ? record->time_us : 0;
    item->stages++;
    item_trial(discover, row);
}

/* --- accounts ------------------------------------------------------------------------------------
 */

void discover_forget(struct discover *discover, uint32_t tenant, uint64_t id, uint64_t tag,
                     bool all)
{
    uint32_t row = table_find(&discover->accounts, key_of(id, 0, tenant), false);

    if (all)
        viewer_forget(discover, tenant, id);
    else
        viewer_forget_tag(discover, tenant, id, tag);
    if (row == TABLE_NONE)
        return;
    struct account *account = table_row(&discover->accounts, row);

    if (all)
        table_remove(&discover->accounts, row);
    else
        interest_delete(&account->interest, tag);
}

/* What is switched off is kept as long as the account is: no row makes room for another. When there
 * is none left, nobody is shown what suits him (discover_may_personalise). */
static struct off *off_take(struct discover *discover, const struct record *record, bool needed)
{
    struct table_key key = key_of(record->account, 0, record->tenant);
    uint32_t row = table_find(&discover->offs, key, false);

    if (row != TABLE_NONE)
        return table_row(&discover->offs, row);
    if (!needed)
        return NULL;
    if (table_is_full(&discover->offs)) {
        discover->offs.evicted++;
        return NULL;
    }
    return table_row(&discover->offs, table_add(&discover->offs, key));
}

/* An account that was erased: nothing can be done in its name any more. */
static void off_forget(struct discover *discover, const struct record *record)
{
    struct off *off = off_take(discover, record, false);

    if (off != NULL)
        table_remove(&discover->offs, table_number(&discover->offs, off));
}

static void apply_switches(struct discover *discover, const struct record *record)
{
    uint32_t mask = (record->c & PORTRAIT_MINOR ? SWITCH_MINOR : 0u) |
                    (record->c & PORTRAIT_PERSONAL ? SWITCH_IMPERSONAL : 0u);
    uint32_t said = (uint32_t)(record->a >> 16) & mask;
    struct off *off = mask != 0 ? off_take(discover, record, said != 0) : NULL;

    if (said != 0)
        discover_forget(discover, record->tenant, record->account, 0, true);
    if (off == NULL)
        return;
    off->switches = (off->switches & ~mask) | said;
    if (off->switches == 0 && off->epoch == 0)
        table_remove(&discover->offs, table_number(&discover->offs, off));
}

static void apply_revoke(struct discover *discover, const struct record *record)
{
    struct off *off = off_take(discover, record, true);

    if (off != NULL)
        off->epoch = (uint32_t)record->a;
}

/* Where a creator is at home, his items are. */
static void apply_region(struct discover *discover, const struct record *record)
{
    struct table_key key = key_of(record->account, 0, record->tenant);
    uint32_t row = table_find(&discover->creators, key, false);
    uint64_t region = record_region(record);

    if (row == TABLE_NONE && region == 0)
        return;
    struct creator *creator = creator_take(discover, record->tenant, record->account);

    if (creator->region == region)
        return;
    creator->region = region;
    for (uint32_t at = 0; creator->items > 0 && at < discover->items.fresh; at++) {
        struct item *item = item_at(discover, at);

        if (!item->head.used || !item->has_creator || item->creator != record->account ||
            item->head.c != record->tenant)
            continue;
        item->region = region;
        item_rejoin(discover, at);
    }
}

static void apply_account_set(struct discover *discover, const struct record *record)
{
    apply_switches(discover, record);
    if (record->c & PORTRAIT_REGION)
        apply_region(discover, record);
}

static void apply_account_state(struct discover *discover, const struct record *record)
{
    struct table_key key = key_of(record->account, 0, record->tenant);
    bool suspended = record->a == ACCOUNT_SUSPENDED;

    if (!suspended && table_find(&discover->creators, key, false) == TABLE_NONE)
        return;
    creator_take(discover, record->tenant, record->account)->suspended_until_us =
        suspended ? (record->b != 0 ? (int64_t)record->b : INT64_MAX) : 0;
}

/* --- boosts --------------------------------------------------------------------------------------
 */

static void boost_changed(struct discover *discover, const struct boost *boost)
{
    if (boost->of == BOOST_ITEM) {
        uint32_t row = item_find(discover, boost->tenant, boost->target);

        if (row != TABLE_NONE)
            item_boost(discover, row);
        return;
    }
    for (uint32_t row = 0; row < discover->items.fresh; row++)
        if (item_at(discover, row)->head.used && item_at(discover, row)->tag_count > 0)
            item_boost(discover, row);
}

/* One of BOOSTS_MAX that finds no room is left out, and counted. */
void discover_boost(struct discover *discover, const struct boost *boost)
{
    if (boost_set(discover->boosts, *boost))
        boost_changed(discover, boost);
}

/* BOOST ITEM, TAG, WORD: see record.h. */
static void apply_boost(struct discover *discover, const struct record *record)
{
    size_t name_size = record->a >> 16;
    struct boost boost = {.of = BOOST_ITEM,
                          .sequence = record->sequence,
                          .target = record->target,
                          .tenant = record->tenant,
                          .from_us = record->time_us,
                          .until_us = (int64_t)record->b * 1000000,
                          .factor_pct = (uint16_t)(record->a & 0xFFFF)};

    if (record->kind != VERB_BOOST_ITEM) {
        if (!(record->fields & RECORD_HAS_TEXT) || name_size > record->text_size)
            return;
        boost.of = record->kind == VERB_BOOST_TAG ? BOOST_TAG : BOOST_WORD;
        boost.target = discover_tag_id(record->text, name_size);
    }
    discover_boost(discover, &boost);
}

static void apply_tags(struct discover *discover, const struct record *record)
{
    struct tag tags[TAGS_MAX];
    uint32_t count = 0;

    if (record->fields & RECORD_HAS_TEXT)
        count = tags_read(record->text, record->text_size, tags);
    if (count > 0)
        discover_set_tags(discover, record->tenant, record->target, tags, count, record->time_us);
}

/* INTEREST FORGET: some tags, or everything. */
static void apply_forget(struct discover *discover, const struct record *record)
{
    struct tag tags[TAGS_MAX];
    uint32_t count = 0;

    if (record->fields & RECORD_HAS_TEXT)
        count = tags_read(record->text, record->text_size, tags);
    if (count == 0)
        discover_forget(discover, record->tenant, record->account, 0, true);
    for (uint32_t i = 0; i < count; i++)
        discover_forget(discover, record->tenant, record->account,
                        discover_tag_id(tags[i].bytes, tags[i].size), false);
}

/* --- time ----------------------------------------------------------------------------------------
 */

static void rebase_heat(struct discover *discover, uint32_t halvings)
{
    for (uint32_t row = 0; row < discover->items.fresh; row++)
        if (item_at(discover, row)->head.used)
            heat_rebase(&item_at(discover, row)->heat, halvings);
    top_rescale(&discover->top, (int)halvings);
}

static void rebase_interests(struct discover *discover, uint32_t halvings)
{
    for (uint32_t row = 0; row < discover->accounts.fresh; row++) {
        struct account *account = table_row(&discover->accounts, row);

        if (account->head.used)
            interest_rebase(&account->interest, halvings);
    }
    for (uint32_t row = 0; row < discover->tags.fresh; row++) {
        struct tag_row *tag = table_row(&discover->tags, row);

        if (tag->head.used)
            tag->mass = ldexp(tag->mass, -(int)halvings);
    }
    discover->interests_mass = ldexp(discover->interests_mass, -(int)halvings);
}

static void rebase_kinds(struct discover *discover, uint32_t halvings)
{
    kind_rebase(&discover->kinds, halvings);
    for (uint32_t row = 0; row < discover->tags.fresh; row++) {
        struct tag_row *tag = table_row(&discover->tags, row);

        if (tag->head.used)
            kind_rebase(&tag->kind, halvings);
    }
}

/* The lists as of then: what is due, in the order of its times, and boosts that are over. */
static void lists_move(struct discover *discover, int64_t now_us)
{
    int64_t since_us = discover->now_us;
    uint32_t row;

    discover->now_us = now_us;
    while (due_next(&discover->due, &row) <= now_us)
        item_is_due(discover, row);
    for (uint32_t i = 0; i < BOOSTS_MAX && discover->boosts->count > 0; i++) {
        const struct boost *boost = &discover->boosts->at[i];

        if (boost->factor_pct != 0 && boost->until_us > since_us && boost->until_us <= now_us)
            boost_changed(discover, boost);
    }
}

static void record_time(struct discover *discover, int64_t time_us)
{
    uint32_t halvings;
    struct boost ended;

    if (time_us <= discover->record_us)
        return;
    discover->record_us = time_us;
    quantile_tick(discover->quantile, time_us);
    if ((halvings = heat_advance(&discover->clock, time_us)) > 0)
        rebase_heat(discover, halvings);
    if ((halvings = heat_advance(&discover->interests_clock, time_us)) > 0)
        rebase_interests(discover, halvings);
    if ((halvings = heat_advance(&discover->kinds_clock, time_us)) > 0)
        rebase_kinds(discover, halvings);
    if (time_us > discover->now_us)
        lists_move(discover, time_us);
    while (boost_expire(discover->boosts, time_us, &ended)) {
        /* the lists know it already */
    }
}

/* Before the first record there is nothing to let pass; nor years after the last one. */
void discover_tick(struct discover *discover, int64_t now_us)
{
    if (discover->record_us == 0 || now_us <= discover->now_us ||
        now_us - discover->clock.landmark_us > 900 * discover->clock.half_life_us)
        return;
    lists_move(discover, now_us);
}

void items_list(struct discover *discover)
{
    for (uint32_t row = 0; row < discover->items.fresh; row++) {
        if (!item_at(discover, row)->head.used)
            continue;
        discover->boost[row] = 1;
        item_join(discover, row);
        item_boost(discover, row);
        item_rank(discover, row);
        item_trial(discover, row);
    }
    gifts_index(&discover->gifts);
}

/* --- records -------------------------------------------------------------------------------------
 */

void discover_apply(struct discover *discover, const struct record *record)
{
    discover->applied++;
    record_time(discover, record->time_us);
    if (record->kind == VERB_SPEND_BUDGET) {
        gifts_told(&discover->gifts, record);
        return;
    }
    if (!(record->fields & RECORD_CHANGED) && record->kind < RECORD_EFFECT)
        return; /* refused, or so already */
    if (act_is(record)) {
        act_apply(discover, record);
        viewer_learn(discover, record);
        return;
    }
    switch (record->kind) {
    case VERB_ITEM_SET:
        apply_item_set(discover, record);
        break;
    case VERB_ITEM_STATE:
        apply_item_state(discover, record);
        break;
    case VERB_ACCOUNT_SET:
        apply_account_set(discover, record);
        break;
    case VERB_ACCOUNT_REVOKE:
        apply_revoke(discover, record);
        break;
    case VERB_ACCOUNT_STATE:
        apply_account_state(discover, record);
        break;
    case VERB_ITEM_TAG:
        apply_tags(discover, record);
        break;
    case VERB_INTEREST_FORGET:
        apply_forget(discover, record);
        break;
    case VERB_BOOST_ITEM:
    case VERB_BOOST_TAG:
    case VERB_BOOST_WORD:
        apply_boost(discover, record);
        break;
    case VERB_STAGE:
        apply_stage(discover, record);
        break;
    case VERB_CAMPAIGN_OPEN:
    case VERB_CAMPAIGN_STOP:
    case VERB_SPEND_CAMPAIGN:
        campaigns_apply(discover->campaigns, record, discover_tag_id);
        break;
    case VERB_CASE_APPROVE:
        gifts_decided(&discover->gifts, record);
        weight_case(discover, record);
        break;
    case RECORD_SANCTION:
        weight_case(discover, record);
        break;
    case VERB_UNFOLLOW:
        viewer_learn(discover, record);
        break;
    case VERB_ACCOUNT_PURGE:
        discover_forget(discover, record->tenant, record->account, 0, true);
        off_forget(discover, record);
        weight_forget(discover, record->tenant, record->account);
        gifts_forget(&discover->gifts, record->tenant, record->account);
        act_forget(discover, record->tenant, record->account);
        break;
    default:
        break;
    }
}
