/* insight.c: memory, rows that come and go, what is known of items and accounts. See insight.h. */
#include "readers/insight/insight.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"
#include "readers/acts.h"
#include "readers/insight/insight_inner.h"
#include "schema/verb.h"

const char *const metric_names[METRIC_COUNT] = {
    [STEP_SHOWN] = "shown",       [STEP_VIEW] = "view",
    [STEP_HOLD] = "hold_3s",      [STEP_FINISH] = "finish",
    [STEP_LIKE] = "like",         [STEP_COMMENT] = "comment",
    [STEP_SHARE] = "share",       [STEP_FOLLOW] = "follow",
    [STEP_FAVORITE] = "favorite", [STEP_SKIP] = "skip",
    [STEP_REPORT] = "report",     [METRIC_UNLIKE] = "unlike",
    [METRIC_NEW] = "new",         [METRIC_RETURNING] = "returning",
};

#define MINUTE_US (60LL * 1000000)
const int64_t age_ends_us[AGES] = {15 * MINUTE_US, HOUR_US,     3 * HOUR_US, 6 * HOUR_US,
                                   12 * HOUR_US,   DAY_US,      2 * DAY_US,  3 * DAY_US,
                                   7 * DAY_US,     14 * DAY_US, 28 * DAY_US, INT64_MAX};
const char *const age_band_names[BANDS_AGE] = {"under_1d",   "under_7d",  "under_30d",
                                               "under_365d", "365d_more", "not_known"};
const char *const trust_band_names[BANDS_TRUST] = {"0", "1_to_49", "50_to_99", "100"};
const uint32_t retention_ms[RETENTION] = {1000,  2000,  3000,   5000,   10000,  15000,
                                          30000, 60000, 120000, 300000, 600000, UINT32_MAX};

/* --- memory --------------------------------------------------------------------------------------
 */

static uint32_t rows_of(double bytes, size_t row)
{
    return (uint32_t)fmin(bytes / ((double)row + 24) + 8, 1 << 28);
}

static struct insight_size size_for(double bytes)
{
    return (struct insight_size){
        .items = rows_of(bytes * 0.26, sizeof(struct insight_item)),
        .exposures = rows_of(bytes * 0.24, sizeof(struct insight_exposure)),
        .buckets = rows_of(bytes * 0.24, sizeof(struct bucket)),
        .accounts = rows_of(bytes * 0.06, sizeof(struct insight_account)),
        .creators = rows_of(bytes * 0.05, sizeof(struct insight_creator)),
        .ties = rows_of(bytes * 0.06, sizeof(struct insight_tie)),
        .maps = rows_of(bytes * 0.05, sizeof(struct insight_map)),
        .tastes = rows_of(bytes * 0.01, sizeof(struct insight_taste)),
        .names = rows_of(bytes * 0.01, sizeof(struct insight_name)),
        .actives = rows_of(bytes * 0.01, sizeof(struct insight_active)),
    };
}

static double item_warmth(const void *row)
{
    return (double)((const struct insight_item *)row)->tally[STEP_SHOWN].raw;
}

static double taste_warmth(const void *row)
{
    return (double)((const struct insight_taste *)row)->count;
}

static double active_warmth(const void *row)
{
    return (double)((const struct insight_active *)row)->head.a;
}

static double map_warmth(const void *row)
{
    return (double)((const struct insight_map *)row)->accounts;
}

static double creator_warmth(const void *row)
{
    return (double)((const struct insight_creator *)row)->tally[STEP_SHOWN].raw;
}

struct part {
    struct table *table;
    size_t row;
    uint32_t count;
    double (*warmth)(const void *row);
};

#define PARTS 9
static void parts_of(struct insight *insight, struct part part[PARTS])
{
    const struct insight_size *size = &insight->size;
    const struct part all[PARTS] = {
        {&insight->items, sizeof(struct insight_item), size->items, item_warmth},
        {&insight->exposures, sizeof(struct insight_exposure), size->exposures, NULL},
        {&insight->accounts, sizeof(struct insight_account), size->accounts, NULL},
        {&insight->creators, sizeof(struct insight_creator), size->creators, creator_warmth},
        {&insight->ties, sizeof(struct insight_tie), size->ties, NULL},
        {&insight->maps, sizeof(struct insight_map), size->maps, map_warmth},
        {&insight->tastes, sizeof(struct insight_taste), size->tastes, taste_warmth},
        {&insight->names, sizeof(struct insight_name), size->names, NULL},
        {&insight->actives, sizeof(struct insight_active), size->actives, active_warmth},
    };

    memcpy(part, all, sizeof all);
}

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t bytes_of(struct insight *insight)
{
    struct part part[PARTS];
    size_t bytes = rounded(table_bytes(sizeof(struct bucket), insight->size.buckets));

    parts_of(insight, part);
    for (uint32_t i = 0; i < PARTS; i++)
        bytes += rounded(table_bytes((uint32_t)part[i].row, part[i].count));
    return bytes;
}

static void rows_open(struct insight *insight)
{
    struct part part[PARTS];
    unsigned char *at = insight->memory;

    parts_of(insight, part);
    for (uint32_t i = 0; i < PARTS; i++) {
        table_open(part[i].table, at, (uint32_t)part[i].row, part[i].count);
        part[i].table->warmth = part[i].warmth;
        at += rounded(table_bytes((uint32_t)part[i].row, part[i].count));
    }
    buckets_open(&insight->buckets, at, insight->size.buckets);
    insight->record_us = 0;
    insight->applied = 0;
    insight->switches_lost = 0;
}

enum status insight_open(struct insight *insight, uint64_t bytes)
{
    double share = 1;

    if (bytes < INSIGHT_BYTES_MIN)
        return STATUS_BADVALUE;
    memset(insight, 0, sizeof *insight);
    do {
        insight->size = size_for((double)bytes * share);
        insight->bytes = bytes_of(insight);
        share *= 0.95;
    } while (insight->bytes > bytes && share > 0.1);
    insight->memory = calloc(1, insight->bytes); /* what is not used of it is never touched */
    if (insight->memory == NULL)
        return STATUS_NOMEMORY;
    rows_open(insight);
    return STATUS_OK;
}

void insight_clear(struct insight *insight)
{
    memset(insight->memory, 0, insight->bytes);
    rows_open(insight);
}

void insight_close(struct insight *insight)
{
    free(insight->memory);
    insight->memory = NULL;
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static void *find(const struct table *table, struct table_key key, bool touch)
{
    uint32_t row = table_find((struct table *)table, key, touch);

    return row == TABLE_NONE ? NULL : table_row(table, row);
}

/* NULL: every row is pinned. */
static void *make(struct table *table, struct table_key key)
{
    uint32_t victim = table_victim(table);

    if (victim != TABLE_NONE) {
        table_remove(table, victim);
        table->evicted++;
    } else if (table_is_full(table)) {
        return NULL;
    }
    return table_row(table, table_add(table, key));
}

static void *take(struct table *table, struct table_key key)
{
    void *row = find(table, key, true);

    return row != NULL ? row : make(table, key);
}

static struct table_key key_of(uint64_t a, uint64_t b, uint32_t tenant)
{
    return (struct table_key){a, b, tenant};
}

struct insight_item *insight_find_item(const struct insight *insight, uint32_t tenant, uint64_t id)
{
    return find(&insight->items, key_of(id, 0, tenant), false);
}

struct insight_item *insight_take_item(struct insight *insight, const struct record *record)
{
    struct table_key key = key_of(record->target, 0, record->tenant);
    struct insight_item *item = find(&insight->items, key, true);

    if (item == NULL) {
        item = make(&insight->items, key);
        item->published_us = record->time_us;
    }
    /* Between partitions there is no order: the first that is read need not be the oldest. */
    if (record->time_us < item->published_us)
        item->published_us = record->time_us;
    return item;
}

struct insight_exposure *insight_find_exposure(const struct insight *insight, uint32_t tenant,
                                               uint64_t item, uint64_t account)
{
    return find(&insight->exposures, key_of(item, account, tenant), true);
}

struct insight_exposure *insight_take_exposure(struct insight *insight, uint32_t tenant,
                                               uint64_t item, uint64_t account)
{
    return take(&insight->exposures, key_of(item, account, tenant));
}

struct insight_account *insight_find_account(const struct insight *insight, uint32_t tenant,
                                             uint64_t id)
{
    return find(&insight->accounts, key_of(id, 0, tenant), true);
}

struct insight_account *insight_take_account(struct insight *insight, uint32_t tenant, uint64_t id)
{
    return take(&insight->accounts, key_of(id, 0, tenant));
}

struct insight_creator *insight_find_creator(const struct insight *insight, uint32_t tenant,
                                             uint64_t id)
{
    return find(&insight->creators, key_of(id, 0, tenant), true);
}

struct insight_creator *insight_take_creator(struct insight *insight, uint32_t tenant, uint64_t id)
{
    return take(&insight->creators, key_of(id, 0, tenant));
}

struct insight_tie *insight_take_tie(struct insight *insight, uint32_t tenant, uint64_t creator,
                                     uint64_t account)
{
    return take(&insight->ties, key_of(creator, account, tenant));
}

static struct table_key map_key(enum map_kind kind, uint32_t tenant, uint64_t id, uint64_t region)
{
    return (struct table_key){id, region, tenant | (uint32_t)kind << 16};
}

struct insight_map *insight_take_map(struct insight *insight, enum map_kind kind, uint32_t tenant,
                                     uint64_t id, uint64_t region)
{
    return take(&insight->maps, map_key(kind, tenant, id, region));
}

struct insight_taste *insight_take_taste(struct insight *insight, uint32_t tenant, uint64_t creator,
                                         uint64_t tag)
{
    return take(&insight->tastes, key_of(creator, tag, tenant));
}

struct insight_active *insight_take_active(struct insight *insight, uint32_t tenant, uint32_t day)
{
    return take(&insight->actives, key_of(day, 0, tenant));
}

/* --- what is known of items ----------------------------------------------------------------------
 */

static void apply_item_set(struct insight *insight, const struct record *record)
{
    struct insight_item *item = insight_take_item(insight, record);
    uint64_t mask = record->c & 0xFF;
    int64_t published_us = (int64_t)(record->b >> 32) * 1000000;

    if (mask & REQUEST_HAS_DURATION)
        item->duration_ms = (uint32_t)record->b;
    if (published_us != 0 && published_us < item->published_us)
        item->published_us = published_us;
    if (mask & REQUEST_HAS_STATE)
        item->state = (uint8_t)(record->c >> 8);
    if ((uint8_t)(record->c >> 16) != ORIGIN_UNSAID)
        item->origin = (uint8_t)(record->c >> 16);
    if (mask & REQUEST_HAS_CREATOR) {
        item->has_creator = 1;
        item->creator = record->a;
        (void)insight_take_creator(insight, record->tenant, record->a);
    }
}

static void apply_item_state(struct insight *insight, const struct record *record)
{
    insight_take_item(insight, record)->state = (uint8_t)record->a;
}

static void apply_tags(struct insight *insight, const struct record *record)
{
    struct tag tags[TAGS_MAX];
    uint32_t count = 0;
    struct insight_item *item;

    if (record->fields & RECORD_HAS_TEXT)
        count = tags_read(record->text, record->text_size, tags);
    if (count == 0)
        return;
    item = insight_take_item(insight, record);
    memset(item->tag, 0, sizeof item->tag);
    item->tag_count = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t tag = insight_tag_id(tags[i].bytes, tags[i].size);
        struct insight_name *name = take(&insight->names, key_of(tag, 0, record->tenant));

        item->tag[i] = tag;
        name->size = tags[i].size;
        memcpy(name->name, tags[i].bytes, tags[i].size);
    }
}

/* The newest one is told; what it went by is in its text. */
static void apply_stage(struct insight *insight, const struct record *record)
{
    struct insight_item *item = insight_find_item(insight, record->tenant, record->target);

    if (item == NULL)
        return;
    item->stage_us = record->time_us;
    item->step = (uint8_t)(record->a & 0xFF);
    item->stage = (uint8_t)(record->a >> 8);
    if (item->step == STAGE_ENTER && item->first_budget == 0)
        item->first_budget = (uint32_t)record->b;
    memset(item->stage_text, 0, sizeof item->stage_text);
    item->stage_text_size = 0;
    if (!(record->fields & RECORD_HAS_TEXT))
        return;
    item->stage_text_size = record->text_size < STAGE_TEXT_MAX ? record->text_size : STAGE_TEXT_MAX;
    while (item->stage_text_size > 0 && item->stage_text_size < record->text_size &&
           ((uint8_t)record->text[item->stage_text_size] & 0xC0) == 0x80)
        item->stage_text_size--; /* no half of a character */
    memcpy(item->stage_text, record->text, item->stage_text_size);
}

/* --- what is known of accounts -------------------------------------------------------------------
 */

bool insight_may_keep(const struct insight *insight, const struct insight_account *account)
{
    return account != NULL && account->switches == 0 &&
           (insight->switches_lost == 0 || PLANTED("insight.switch_forgotten"));
}

/* A row that says something nobody may forget. */
static struct insight_account *account_pin(struct insight *insight, const struct record *record)
{
    struct insight_account *account =
        insight_take_account(insight, record->tenant, record->account);

    if (account == NULL)
        insight->switches_lost++;
    return account;
}

static void pin_if_needed(struct insight_account *account)
{
    account->head.pinned = account->switches != 0 || account->epoch != 0;
}

static void apply_switches(struct insight *insight, const struct record *record)
{
    uint8_t mask = (record->c & PORTRAIT_MINOR ? SWITCH_MINOR : 0) |
                   (record->c & PORTRAIT_PERSONAL ? SWITCH_IMPERSONAL : 0);
    uint8_t said = (uint8_t)(record->a >> 16) & mask;
    struct insight_account *account =
        said != 0 ? account_pin(insight, record)
                  : insight_find_account(insight, record->tenant, record->account);

    if (mask == 0 || account == NULL)
        return;
    account->switches = (uint8_t)((account->switches & ~mask) | said);
    if (account->switches != 0)
        memset(account->taste, 0, sizeof account->taste);
    pin_if_needed(account);
}

static void apply_account_set(struct insight *insight, const struct record *record)
{
    apply_switches(insight, record);
    if (!(record->c & (PORTRAIT_REGION | PORTRAIT_CREATED)))
        return;
    struct insight_account *account =
        insight_take_account(insight, record->tenant, record->account);

    if (account == NULL)
        return;
    if (record->c & PORTRAIT_REGION)
        account->region = record_region(record);
    if (record->c & PORTRAIT_CREATED)
        account->created_us = (int64_t)record->b;
}

static void apply_revoke(struct insight *insight, const struct record *record)
{
    struct insight_account *account = account_pin(insight, record);

    if (account == NULL)
        return;
    account->epoch = (uint32_t)record->a;
    pin_if_needed(account);
}

static void taste_forget(struct insight_account *account, uint64_t tag)
{
    for (uint32_t i = 0; i < TASTES_KEPT; i++)
        if (account->taste[i] == tag)
            account->taste[i] = 0;
}

/* INTEREST FORGET: some tags, or everything. */
static void apply_forget(struct insight *insight, const struct record *record)
{
    struct insight_account *account =
        insight_find_account(insight, record->tenant, record->account);
    struct tag tags[TAGS_MAX];
    uint32_t count = 0;

    if (account == NULL)
        return;
    if (record->fields & RECORD_HAS_TEXT)
        count = tags_read(record->text, record->text_size, tags);
    if (count == 0)
        memset(account->taste, 0, sizeof account->taste);
    for (uint32_t i = 0; i < count; i++)
        taste_forget(account, insight_tag_id(tags[i].bytes, tags[i].size));
}

static void apply_purge(struct insight *insight, const struct record *record)
{
    struct insight_account *account =
        insight_find_account(insight, record->tenant, record->account);

    if (account != NULL)
        table_remove(&insight->accounts, table_number(&insight->accounts, account));
    insight_forget(insight, record->tenant, record->account);
}

/* --- records -------------------------------------------------------------------------------------
 */

void insight_apply(struct insight *insight, const struct record *record)
{
    insight->applied++;
    if (record->time_us > insight->record_us)
        insight->record_us = record->time_us;
    if (!(record->fields & RECORD_CHANGED) && record->kind < RECORD_EFFECT)
        return; /* refused, or so already */
    if (act_is_of_item(record)) {
        insight_act(insight, record);
        return;
    }
    switch (record->kind) {
    case VERB_FOLLOW:
    case VERB_UNFOLLOW:
        insight_follow(insight, record);
        break;
    case VERB_ITEM_SET:
        apply_item_set(insight, record);
        break;
    case VERB_ITEM_STATE:
        apply_item_state(insight, record);
        break;
    case VERB_ITEM_TAG:
        apply_tags(insight, record);
        break;
    case VERB_STAGE:
        apply_stage(insight, record);
        break;
    case VERB_ACCOUNT_SET:
        apply_account_set(insight, record);
        break;
    case VERB_ACCOUNT_REVOKE:
        apply_revoke(insight, record);
        break;
    case VERB_INTEREST_FORGET:
        apply_forget(insight, record);
        break;
    case VERB_ACCOUNT_PURGE:
        apply_purge(insight, record);
        break;
    default:
        break;
    }
}
