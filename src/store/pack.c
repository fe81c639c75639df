#include "store/pack.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hook.h"
#include "schema/region.h"

static_assert(COUNTER_COUNT <= 16, "a mask of counts is at most 3 bytes, see PACK_ROW_BYTES_MAX");
static_assert(1 + 2 + 2 * 3 + 14 * VARINT_BYTES_MAX + 2 * 3 + 2 * COUNTER_COUNT * VARINT_BYTES_MAX <=
                  PACK_ROW_BYTES_MAX, "room for an account");
static_assert(1 + 3 + 3 + 3 + 3 + (20 + COUNTER_COUNT) * VARINT_BYTES_MAX +
                  (7 + REASON_COUNT + 1 + PAUSE_COUNTERS) * 5 <= PACK_ROW_BYTES_MAX,
              "room for an item: counts and 20 more, 13 and the reasons of 32 bits");

/* --- small pieces ------------------------------------------------------------------------------ */

static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

/* Differences are taken modulo 2^64, so that any time can be written. */
static size_t put_time(uint8_t *bytes, int64_t time_us)
{
    return varint_put(bytes, zigzag((uint64_t)time_us - (uint64_t)PACK_TIME_BASE));
}

/* A reader of bytes that remembers that something was wrong; after that it gives zeros. */
struct reader {
    const uint8_t *bytes;
    size_t size;
    bool bad;
};

static uint64_t read_varint(struct reader *in)
{
    uint64_t value = 0;
    size_t used = varint_get(in->bytes, in->size, &value);

    if (used == 0) {
        in->bad = true;
        in->size = 0;
        return 0;
    }
    in->bytes += used;
    in->size -= used;
    return value;
}

static const uint8_t *read_bytes(struct reader *in, size_t size)
{
    const uint8_t *bytes = in->bytes;

    if (in->size < size) {
        in->bad = true;
        in->size = 0;
        return NULL;
    }
    in->bytes += size;
    in->size -= size;
    return bytes;
}

static uint8_t read_byte(struct reader *in)
{
    const uint8_t *byte = read_bytes(in, 1);

    return byte != NULL ? *byte : 0;
}

static int64_t read_time(struct reader *in)
{
    return (int64_t)(unzigzag(read_varint(in)) + (uint64_t)PACK_TIME_BASE);
}

static uint32_t read_u32(struct reader *in)
{
    uint64_t value = read_varint(in);

    if (value > UINT32_MAX)
        in->bad = true;
    return (uint32_t)value;
}

/* At most high. */
static uint64_t read_below(struct reader *in, uint64_t high)
{
    uint64_t value = read_varint(in);

    if (value > high)
        in->bad = true;
    return value;
}

static bool read_done(const struct reader *in)
{
    return !in->bad && in->size == 0;
}

static unsigned counts_mask(const uint64_t *counts)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        mask |= (unsigned)(counts[i] != 0) << i;
    return mask;
}

static size_t put_counts(uint8_t *bytes, const uint64_t *counts)
{
    size_t size = 0;

    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        if (counts[i] != 0)
            size += varint_put(bytes + size, counts[i]);
    return size;
}

static unsigned read_mask(struct reader *in)
{
    uint64_t mask = read_varint(in);

    if (mask >= 1u << COUNTER_COUNT)
        in->bad = true;
    return (unsigned)mask;
}

static void read_counts(struct reader *in, unsigned mask, uint64_t *counts)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        counts[i] = (mask >> i & 1) != 0 ? read_varint(in) : 0;
}

/* --- what likes are worth ---------------------------------------------------------------------- */

/* Nearly every like counts in full, so what is written is what is missing to that. */
static uint64_t full_pct(uint64_t likes, const struct credit *credit)
{
    return (likes - credit->held - credit->quarantined - credit->voided) * WEIGHT_FULL;
}

static bool credit_is_full(uint64_t likes, const struct credit *credit)
{
    return (credit->held | credit->quarantined | credit->voided) == 0 &&
           credit->credited_pct == full_pct(likes, credit);
}

static size_t put_credit(uint8_t *bytes, uint64_t likes, const struct credit *credit)
{
    size_t size = varint_put(bytes, credit->held);

    size += varint_put(bytes + size, credit->quarantined);
    size += varint_put(bytes + size, credit->voided);
    return size + varint_put(bytes + size, full_pct(likes, credit) - credit->credited_pct);
}

static void read_credit(struct reader *in, bool written, uint64_t likes, struct credit *credit)
{
    uint64_t missing = 0;

    *credit = (struct credit){0};
    if (written) {
        credit->held = read_varint(in);
        credit->quarantined = read_varint(in);
        credit->voided = read_varint(in);
        missing = read_varint(in);
    }
    /* Modulo 2^64: any row can be written; that the numbers make sense is for who counts them. */
    credit->credited_pct = full_pct(likes, credit) - missing;
}

/* --- accounts ---------------------------------------------------------------------------------- */

enum {
    ACCOUNT_HAS_UNTIL = 1,
    ACCOUNT_HAS_FIRST = 2,
    ACCOUNT_HAS_TAKEN_BACK = 4,
    ACCOUNT_HAS_CREDIT = 8,
    ACCOUNT_HAS_EPOCH = 16,
    ACCOUNT_HAS_CUT = 32,
    ACCOUNT_HAS_LIMIT = 64,
    ACCOUNT_HAS_POINTS = 128,
    ACCOUNT_HAS_CASE = 256,
    ACCOUNT_HAS_REPORTS = 512,
    ACCOUNT_HAS_BUDGET = 1024,
    ACCOUNT_HAS_PRIVACY = 2048,
    ACCOUNT_HAS_REGION = 4096,
    ACCOUNT_HAS_ALL = 8191
};

static bool budget_is_empty(const struct compensation *budget)
{
    return (budget->balance_pct | budget->granted_pct | budget->spent_pct | budget->owed_pct |
            budget->from_s | budget->until_s) == 0;
}

static size_t put_budget(uint8_t *bytes, const struct compensation *budget)
{
    size_t size = varint_put(bytes, budget->balance_pct);

    size += varint_put(bytes + size, budget->granted_pct);
    size += varint_put(bytes + size, budget->spent_pct);
    size += varint_put(bytes + size, budget->owed_pct);
    size += varint_put(bytes + size, budget->from_s);
    return size + varint_put(bytes + size, budget->until_s);
}

static void read_budget(struct reader *in, bool written, struct compensation *budget)
{
    *budget = (struct compensation){0};
    if (!written)
        return;
    budget->balance_pct = read_u32(in);
    budget->granted_pct = read_u32(in);
    budget->spent_pct = read_u32(in);
    budget->owed_pct = read_u32(in);
    budget->from_s = read_u32(in);
    budget->until_s = read_u32(in);
}

static unsigned account_fields(const struct account_row *row)
{
    return (row->until_us != 0 ? ACCOUNT_HAS_UNTIL : 0u) |
           (row->first_us != 0 ? ACCOUNT_HAS_FIRST : 0u) |
           (row->taken_back != 0 ? ACCOUNT_HAS_TAKEN_BACK : 0u) |
           (credit_is_full(row->received[COUNTER_LIKE], &row->received_credit)
                ? 0u
                : ACCOUNT_HAS_CREDIT) |
           (row->epoch != 0 ? ACCOUNT_HAS_EPOCH : 0u) |
           (row->cut_pct != 0 || row->cut_until_us != 0 ? ACCOUNT_HAS_CUT : 0u) |
           (row->limit_verbs != 0 || row->limit_until_us != 0 ? ACCOUNT_HAS_LIMIT : 0u) |
           (row->points != 0 ? ACCOUNT_HAS_POINTS : 0u) |
           (row->case_id != 0 ? ACCOUNT_HAS_CASE : 0u) |
           (row->reports_upheld != 0 || row->reports_dismissed != 0 ? ACCOUNT_HAS_REPORTS : 0u) |
           (budget_is_empty(&row->compensation) ? 0u : ACCOUNT_HAS_BUDGET) |
           (row->erase_s != 0 || row->switches != 0 ? ACCOUNT_HAS_PRIVACY : 0u) |
           (row->region != 0 ? ACCOUNT_HAS_REGION : 0u);
}

size_t pack_account(uint8_t *bytes, const struct account_row *row)
{
    unsigned fields = account_fields(row);
    size_t size = 1;

    assert(row->state < ACCOUNT_STATE_COUNT && row->tier < TIER_COUNT &&
           row->visibility < VISIBILITY_COUNT && region_is_whole(row->region));
    bytes[0] = (uint8_t)(row->state | row->tier << 2 | row->visibility << 4);
    size += varint_put(bytes + size, fields);
    size += varint_put(bytes + size, counts_mask(row->given));
    size += varint_put(bytes + size, counts_mask(row->received));
    if ((fields & ACCOUNT_HAS_UNTIL) != 0)
        size += put_time(bytes + size, row->until_us);
    if ((fields & ACCOUNT_HAS_FIRST) != 0)
        size += put_time(bytes + size, row->first_us);
    if ((fields & ACCOUNT_HAS_TAKEN_BACK) != 0)
        size += varint_put(bytes + size, row->taken_back);
    size += put_counts(bytes + size, row->given);
    size += put_counts(bytes + size, row->received);
    if ((fields & ACCOUNT_HAS_CREDIT) != 0)
        size += put_credit(bytes + size, row->received[COUNTER_LIKE], &row->received_credit);
    if ((fields & ACCOUNT_HAS_EPOCH) != 0)
        size += varint_put(bytes + size, row->epoch);
    if ((fields & ACCOUNT_HAS_CUT) != 0) {
        bytes[size++] = row->cut_pct;
        size += put_time(bytes + size, row->cut_until_us);
    }
    if ((fields & ACCOUNT_HAS_LIMIT) != 0) {
        size += varint_put(bytes + size, row->limit_verbs);
        size += put_time(bytes + size, row->limit_until_us);
    }
    if ((fields & ACCOUNT_HAS_POINTS) != 0)
        size += varint_put(bytes + size, zigzag((uint64_t)row->points));
    if ((fields & ACCOUNT_HAS_CASE) != 0)
        size += varint_put(bytes + size, row->case_id);
    if ((fields & ACCOUNT_HAS_REPORTS) != 0) {
        size += varint_put(bytes + size, row->reports_upheld);
        size += varint_put(bytes + size, row->reports_dismissed);
    }
    if ((fields & ACCOUNT_HAS_BUDGET) != 0)
        size += put_budget(bytes + size, &row->compensation);
    if ((fields & ACCOUNT_HAS_PRIVACY) != 0) {
        size += varint_put(bytes + size, row->erase_s);
        bytes[size++] = row->switches;
    }
    if ((fields & ACCOUNT_HAS_REGION) != 0)
        size += varint_put(bytes + size, row->region);
    return size;
}

static void read_restrictions(struct reader *in, unsigned fields, struct account_row *row)
{
    bool cut = (fields & ACCOUNT_HAS_CUT) != 0, limit = (fields & ACCOUNT_HAS_LIMIT) != 0;
    bool reports = (fields & ACCOUNT_HAS_REPORTS) != 0;

    row->epoch = (fields & ACCOUNT_HAS_EPOCH) != 0 ? read_u32(in) : 0;
    row->cut_pct = cut ? read_byte(in) : 0;
    row->cut_until_us = cut ? read_time(in) : 0;
    row->limit_verbs = (uint16_t)(limit ? read_below(in, UINT16_MAX) : 0);
    row->limit_until_us = limit ? read_time(in) : 0;
    row->points =
        (fields & ACCOUNT_HAS_POINTS) != 0 ? (int64_t)unzigzag(read_varint(in)) : 0;
    row->case_id = (fields & ACCOUNT_HAS_CASE) != 0 ? read_varint(in) : 0;
    row->reports_upheld = (uint16_t)(reports ? read_below(in, UINT16_MAX) : 0);
    row->reports_dismissed = (uint16_t)(reports ? read_below(in, UINT16_MAX) : 0);
    read_budget(in, (fields & ACCOUNT_HAS_BUDGET) != 0, &row->compensation);
    row->erase_s = (fields & ACCOUNT_HAS_PRIVACY) != 0 ? read_u32(in) : 0;
    row->switches = (fields & ACCOUNT_HAS_PRIVACY) != 0 ? read_byte(in) : 0;
    row->region = (fields & ACCOUNT_HAS_REGION) != 0 ? read_varint(in) : 0;
}

bool unpack_account(const uint8_t *bytes, size_t size, struct account_row *row)
{
    struct reader in = {bytes, size, false};
    uint8_t head = read_byte(&in);
    unsigned fields = (unsigned)read_below(&in, ACCOUNT_HAS_ALL);
    unsigned given = read_mask(&in);
    unsigned received = read_mask(&in);

    row->state = head & 3;
    row->tier = head >> 2 & 3;
    row->visibility = head >> 4;
    if (in.bad || row->state >= ACCOUNT_STATE_COUNT || row->tier >= TIER_COUNT ||
        row->visibility >= VISIBILITY_COUNT)
        return false;
    row->until_us = (fields & ACCOUNT_HAS_UNTIL) != 0 ? read_time(&in) : 0;
    row->first_us = (fields & ACCOUNT_HAS_FIRST) != 0 ? read_time(&in) : 0;
    row->taken_back = (fields & ACCOUNT_HAS_TAKEN_BACK) != 0 ? read_u32(&in) : 0;
    read_counts(&in, given, row->given);
    read_counts(&in, received, row->received);
    read_credit(&in, (fields & ACCOUNT_HAS_CREDIT) != 0, row->received[COUNTER_LIKE],
                &row->received_credit);
    read_restrictions(&in, fields, row);
    return read_done(&in) && region_is_whole(row->region);
}

/* --- items ------------------------------------------------------------------------------------- */

enum {
    ITEM_HAS_FIRST = 1,
    ITEM_HAS_CREATOR = 2,
    ITEM_HAS_DURATION = 4,
    ITEM_HAS_WATCH = 8,
    ITEM_HAS_TAKEN_BACK = 16,
    ITEM_HAS_CREDIT = 32, /* not every like counts in full: credit and reasons */
    ITEM_HAS_PEAK = 64,   /* the peak is not the present count: how much higher it was */
    ITEM_HAS_WINDOW = 128,
    ITEM_HAS_WITHDRAWN = 256,
    ITEM_HAS_VIEWS = 512, /* not every view counts in full: how much is lost */
    ITEM_HAS_ORIGIN = 1024,
    ITEM_HAS_CAMPAIGN = 2048,
    ITEM_HAS_PAUSE = 4096,
    ITEM_HAS_ALL = 8191,
    ITEM_CREATOR_BIT = 0x80
};

/* Nothing was ever taken back that fades: the horizon comes with the first. */
static bool withdrawn_is_empty(const struct withdrawn *row)
{
    return (row->fading_q16 | (uint64_t)row->fading_us | row->horizon_s | row->frozen_likes |
            row->frozen_pct | (uint64_t)row->freeze_from_us | (uint64_t)row->freeze_until_us |
            row->loss_pct | row->paid_pct) == 0;
}

static size_t put_withdrawn(uint8_t *bytes, const struct withdrawn *row)
{
    size_t size = varint_put(bytes, row->fading_q16);

    size += put_time(bytes + size, row->fading_us);
    size += varint_put(bytes + size, row->horizon_s);
    size += varint_put(bytes + size, row->frozen_likes);
    size += varint_put(bytes + size, row->frozen_pct);
    size += put_time(bytes + size, row->freeze_from_us);
    size += put_time(bytes + size, row->freeze_until_us);
    size += varint_put(bytes + size, row->loss_pct);
    return size + varint_put(bytes + size, row->paid_pct);
}

static void read_withdrawn(struct reader *in, bool written, struct withdrawn *row)
{
    *row = (struct withdrawn){0};
    if (!written)
        return;
    row->fading_q16 = read_varint(in);
    row->fading_us = read_time(in);
    row->horizon_s = read_u32(in);
    row->frozen_likes = read_u32(in);
    row->frozen_pct = read_varint(in);
    row->freeze_from_us = read_time(in);
    row->freeze_until_us = read_time(in);
    row->loss_pct = read_varint(in);
    row->paid_pct = read_varint(in);
}

static unsigned reasons_mask(const uint32_t *reasons)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < REASON_COUNT; i++)
        mask |= (unsigned)(reasons[i] != 0) << i;
    return mask;
}

static bool campaign_is_empty(const struct campaign *row)
{
    return (row->budget | row->spent | row->until_s | row->holdout_pct) == 0;
}

static size_t put_campaign(uint8_t *bytes, const struct campaign *row)
{
    size_t size = varint_put(bytes, row->budget);

    size += varint_put(bytes + size, row->spent);
    size += varint_put(bytes + size, row->until_s);
    bytes[size++] = row->holdout_pct;
    return size;
}

static void read_campaign(struct reader *in, bool written, struct campaign *row)
{
    *row = (struct campaign){0};
    if (!written)
        return;
    row->budget = read_u32(in);
    row->spent = read_u32(in);
    row->until_s = read_u32(in);
    row->holdout_pct = read_byte(in);
}

static bool pause_is_empty(const struct pause *row)
{
    uint32_t any = row->until_s | row->by;

    for (int i = 0; i < PAUSE_COUNTERS; i++)
        any |= row->held[i];
    return any == 0;
}

static size_t put_pause(uint8_t *bytes, const struct pause *row)
{
    size_t size = varint_put(bytes, row->until_s);

    for (int i = 0; i < PAUSE_COUNTERS; i++)
        size += varint_put(bytes + size, row->held[i]);
    bytes[size++] = row->by;
    return size;
}

static void read_pause(struct reader *in, bool written, struct pause *row)
{
    *row = (struct pause){0};
    if (!written)
        return;
    row->until_s = read_u32(in);
    for (int i = 0; i < PAUSE_COUNTERS; i++)
        row->held[i] = read_u32(in);
    row->by = read_byte(in);
}

/* creator is kept whether or not has_creator says it counts: unpack(pack(row)) is row. */
static unsigned item_fields(const struct item_row *row)
{
    return (row->first_us != 0 ? ITEM_HAS_FIRST : 0u) |
           (row->creator != 0 ? ITEM_HAS_CREATOR : 0u) |
           (row->duration_ms != 0 ? ITEM_HAS_DURATION : 0u) |
           (row->watch_ms != 0 ? ITEM_HAS_WATCH : 0u) |
           (row->taken_back != 0 ? ITEM_HAS_TAKEN_BACK : 0u) |
           (credit_is_full(row->counts[COUNTER_LIKE], &row->credit) &&
                    reasons_mask(row->reasons) == 0
                ? 0u
                : ITEM_HAS_CREDIT) |
           (row->peak != row->counts[COUNTER_LIKE] || row->peak_us != 0 ? ITEM_HAS_PEAK : 0u) |
           (row->window_until_us != 0 || row->case_id != 0 ? ITEM_HAS_WINDOW : 0u) |
           (withdrawn_is_empty(&row->withdrawn) ? 0u : ITEM_HAS_WITHDRAWN) |
           (row->views_lost_pct != 0 ? ITEM_HAS_VIEWS : 0u) |
           (row->published_s != 0 || row->repost != 0 ? ITEM_HAS_ORIGIN : 0u) |
           (campaign_is_empty(&row->campaign) ? 0u : ITEM_HAS_CAMPAIGN) |
           (pause_is_empty(&row->pause) ? 0u : ITEM_HAS_PAUSE);
}

size_t pack_item(uint8_t *bytes, const struct item_row *row)
{
    unsigned fields = item_fields(row);
    size_t size = 1;

    assert(row->state < ITEM_STATE_COUNT && row->has_creator <= 1);
    bytes[0] = (uint8_t)(row->state | (row->has_creator != 0 ? ITEM_CREATOR_BIT : 0));
    size += varint_put(bytes + size, fields);
    size += varint_put(bytes + size, counts_mask(row->counts));
    if ((fields & ITEM_HAS_FIRST) != 0)
        size += put_time(bytes + size, row->first_us);
    if ((fields & ITEM_HAS_CREATOR) != 0)
        size += varint_put(bytes + size, row->creator);
    if ((fields & ITEM_HAS_DURATION) != 0)
        size += varint_put(bytes + size, row->duration_ms);
    if ((fields & ITEM_HAS_WATCH) != 0)
        size += varint_put(bytes + size, row->watch_ms);
    if ((fields & ITEM_HAS_TAKEN_BACK) != 0)
        size += varint_put(bytes + size, row->taken_back);
    size += put_counts(bytes + size, row->counts);
    if ((fields & ITEM_HAS_CREDIT) != 0) {
        size += put_credit(bytes + size, row->counts[COUNTER_LIKE], &row->credit);
        size += varint_put(bytes + size, reasons_mask(row->reasons));
        for (unsigned i = 0; i < REASON_COUNT; i++)
            if (row->reasons[i] != 0)
                size += varint_put(bytes + size, row->reasons[i]);
    }
    if ((fields & ITEM_HAS_PEAK) != 0) {
        size += varint_put(bytes + size, zigzag(row->peak - row->counts[COUNTER_LIKE]));
        size += put_time(bytes + size, row->peak_us);
    }
    if ((fields & ITEM_HAS_WINDOW) != 0) {
        size += put_time(bytes + size, row->window_until_us);
        size += varint_put(bytes + size, row->case_id);
    }
    if ((fields & ITEM_HAS_WITHDRAWN) != 0)
        size += put_withdrawn(bytes + size, &row->withdrawn);
    if ((fields & ITEM_HAS_VIEWS) != 0)
        size += varint_put(bytes + size, row->views_lost_pct);
    if ((fields & ITEM_HAS_ORIGIN) != 0) {
        size += varint_put(bytes + size, row->published_s);
        bytes[size++] = row->repost;
    }
    if ((fields & ITEM_HAS_CAMPAIGN) != 0)
        size += put_campaign(bytes + size, &row->campaign);
    if ((fields & ITEM_HAS_PAUSE) != 0)
        size += put_pause(bytes + size, &row->pause);
    return size;
}

static void read_reasons(struct reader *in, uint32_t *reasons)
{
    unsigned mask = (unsigned)read_below(in, (1u << REASON_COUNT) - 1);

    for (unsigned i = 0; i < REASON_COUNT; i++)
        reasons[i] = (mask >> i & 1) != 0 ? read_u32(in) : 0;
}

bool unpack_item(const uint8_t *bytes, size_t size, struct item_row *row)
{
    struct reader in = {bytes, size, false};
    uint8_t head = read_byte(&in);
    unsigned fields = (unsigned)read_below(&in, ITEM_HAS_ALL);
    unsigned counts = read_mask(&in);
    bool credit = (fields & ITEM_HAS_CREDIT) != 0, window = (fields & ITEM_HAS_WINDOW) != 0;

    if (in.bad || (head & ~ITEM_CREATOR_BIT) >= ITEM_STATE_COUNT)
        return false;
    row->state = (uint8_t)(head & ~ITEM_CREATOR_BIT);
    row->has_creator = (head & ITEM_CREATOR_BIT) != 0;
    row->first_us = (fields & ITEM_HAS_FIRST) != 0 ? read_time(&in) : 0;
    row->creator = (fields & ITEM_HAS_CREATOR) != 0 ? read_varint(&in) : 0;
    row->duration_ms = (fields & ITEM_HAS_DURATION) != 0 ? read_u32(&in) : 0;
    row->watch_ms = (fields & ITEM_HAS_WATCH) != 0 ? read_varint(&in) : 0;
    row->taken_back = (fields & ITEM_HAS_TAKEN_BACK) != 0 ? read_varint(&in) : 0;
    read_counts(&in, counts, row->counts);
    read_credit(&in, credit, row->counts[COUNTER_LIKE], &row->credit);
    memset(row->reasons, 0, sizeof row->reasons);
    if (credit)
        read_reasons(&in, row->reasons);
    row->peak = row->counts[COUNTER_LIKE];
    row->peak_us = 0;
    if ((fields & ITEM_HAS_PEAK) != 0) {
        row->peak += unzigzag(read_varint(&in));
        row->peak_us = read_time(&in);
    }
    row->window_until_us = window ? read_time(&in) : 0;
    row->case_id = window ? read_varint(&in) : 0;
    read_withdrawn(&in, (fields & ITEM_HAS_WITHDRAWN) != 0, &row->withdrawn);
    row->views_lost_pct = (fields & ITEM_HAS_VIEWS) != 0 ? read_varint(&in) : 0;
    row->published_s = (fields & ITEM_HAS_ORIGIN) != 0 ? read_u32(&in) : 0;
    row->repost = (fields & ITEM_HAS_ORIGIN) != 0 ? read_byte(&in) : 0;
    read_campaign(&in, (fields & ITEM_HAS_CAMPAIGN) != 0, &row->campaign);
    read_pause(&in, (fields & ITEM_HAS_PAUSE) != 0, &row->pause);
    return read_done(&in) && row->repost <= 1 && row->campaign.spent <= row->campaign.budget &&
           row->pause.by < PAUSE_BY_COUNT;
}

/* --- edges ------------------------------------------------------------------------------------- */

/* The first byte: on, "worth what its state says" (a like that is on in full, anything else
 * nothing), flips. As many flips fit into it; more are written out. */
#define EDGE_FLIPS_SHORT 63
#define EDGE_WEIGHED_BIT 2

static uint8_t edge_usual_weight(const struct edge_row *row)
{
    return row->on && row->kind == EDGE_LIKE ? WEIGHT_FULL : 0;
}

size_t pack_edge(uint8_t *bytes, const struct edge_row *row)
{
    unsigned flips = row->flips < EDGE_FLIPS_SHORT ? row->flips : EDGE_FLIPS_SHORT;
    bool weighed = row->weight_pct != edge_usual_weight(row) || row->marks != 0;
    size_t size = 1;

    assert(row->on <= 1);
    bytes[0] = (uint8_t)(row->on | (weighed ? EDGE_WEIGHED_BIT : 0) | flips << 2);
    size += varint_put(bytes + size, row->sequence);
    size += put_time(bytes + size, row->time_us);
    if (flips == EDGE_FLIPS_SHORT)
        size += varint_put(bytes + size, row->flips);
    if (weighed) {
        bytes[size++] = row->weight_pct;
        bytes[size++] = row->marks;
    }
    return size;
}

/* row->kind is known from the key. */
bool unpack_edge(const uint8_t *bytes, size_t size, struct edge_row *row)
{
    struct reader in = {bytes, size, false};
    uint8_t head = read_byte(&in);
    uint64_t flips = head >> 2;

    row->on = head & 1;
    row->sequence = read_varint(&in);
    row->time_us = read_time(&in);
    if (flips == EDGE_FLIPS_SHORT)
        flips = read_below(&in, UINT16_MAX);
    row->flips = (uint16_t)flips;
    row->weight_pct = edge_usual_weight(row);
    row->marks = 0;
    if ((head & EDGE_WEIGHED_BIT) != 0) {
        row->weight_pct = read_byte(&in);
        row->marks = read_byte(&in);
    }
    return read_done(&in) && row->weight_pct <= WEIGHT_FULL && edge_mark(row) < MARK_COUNT &&
           edge_reason(row) < REASON_COUNT;
}

/* --- cases ------------------------------------------------------------------------------------- */

/* In the order of struct case_row: bytes, varints, times as differences to opened_us. */
static size_t put_after(uint8_t *bytes, const struct case_row *row, int64_t time_us)
{
    /* 0 is "none"; every other time is told from when the case was opened. */
    return varint_put(bytes, time_us == 0 ? 0
                                          : zigzag((uint64_t)time_us - (uint64_t)row->opened_us) +
                                                1);
}

static int64_t read_after(struct reader *in, const struct case_row *row)
{
    uint64_t value = read_varint(in);

    return value == 0 ? 0 : (int64_t)(unzigzag(value - 1) + (uint64_t)row->opened_us);
}

size_t pack_case(uint8_t *bytes, const struct case_row *row)
{
    const uint64_t numbers[] = {row->about,    row->before,    row->opener,
                                row->proposer, row->approver,  row->appellant,
                                row->proposed_sequence,        row->decided_sequence,
                                row->appealed_sequence,        row->ended_sequence,
                                row->cursor,   row->likes,     row->restored,
                                row->policy,   row->weight,    row->rule,
                                row->value,    row->proposed_value};
    const int64_t times[] = {row->decided_us, row->due_us,     row->until_us,   row->since_us,
                             row->to_us,      row->ends_us[0], row->ends_us[1], row->ends_us[2]};
    size_t size = 9;

    assert(row->kind < CASE_KIND_COUNT && row->state < CASE_STATE_COUNT &&
           row->reporter_count <= CASE_REPORTERS);
    bytes[0] = row->kind;
    bytes[1] = row->state;
    bytes[2] = row->subject;
    bytes[3] = row->decision;
    bytes[4] = row->proposed;
    bytes[5] = row->appealed;
    bytes[6] = row->appeals;
    bytes[7] = row->sanctions;
    bytes[8] = row->reporter_count;
    size += put_time(bytes + size, row->opened_us);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        size += varint_put(bytes + size, numbers[i]);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        size += put_after(bytes + size, row, times[i]);
    size += varint_put(bytes + size, zigzag((uint64_t)row->points));
    size += varint_put(bytes + size, row->granted_pct);
    for (unsigned i = 0; i < row->reporter_count; i++)
        size += varint_put(bytes + size, row->reporters[i]);
    for (unsigned i = 0; i < CASE_TEXTS; i++) {
        assert(row->text_size[i] <= CASE_TEXT_MAX);
        bytes[size++] = row->text_size[i];
        memcpy(bytes + size, row->text[i], row->text_size[i]);
        size += row->text_size[i];
    }
    assert(size <= PACK_CASE_BYTES_MAX);
    return size;
}

static void read_case_numbers(struct reader *in, struct case_row *row)
{
    uint64_t *const numbers[] = {&row->about,    &row->before,    &row->opener,
                                 &row->proposer, &row->approver,  &row->appellant,
                                 &row->proposed_sequence,         &row->decided_sequence,
                                 &row->appealed_sequence,         &row->ended_sequence,
                                 &row->cursor,   &row->likes,     &row->restored};
    int64_t *const times[] = {&row->decided_us, &row->due_us,     &row->until_us,
                              &row->since_us,   &row->to_us,      &row->ends_us[0],
                              &row->ends_us[1], &row->ends_us[2]};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = read_varint(in);
    row->policy = read_u32(in);
    row->weight = read_u32(in);
    row->rule = (uint16_t)read_below(in, UINT16_MAX);
    row->value = (uint16_t)read_below(in, UINT16_MAX);
    row->proposed_value = (uint16_t)read_below(in, UINT16_MAX);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = read_after(in, row);
    row->points = (int64_t)unzigzag(read_varint(in));
    row->granted_pct = read_varint(in);
}

bool unpack_case(const uint8_t *bytes, size_t size, struct case_row *row)
{
    struct reader in = {bytes, size, false};
    const uint8_t *head = read_bytes(&in, 9);
    uint64_t id = row->id;
    uint16_t tenant = row->tenant;

    if (head == NULL || head[0] >= CASE_KIND_COUNT || head[1] >= CASE_STATE_COUNT ||
        head[2] >= SUBJECT_COUNT || head[3] >= DECISION_COUNT || head[4] >= DECISION_COUNT ||
        head[8] > CASE_REPORTERS)
        return false;
    *row = (struct case_row){.id = id, .tenant = tenant};
    row->kind = head[0];
    row->state = head[1];
    row->subject = head[2];
    row->decision = head[3];
    row->proposed = head[4];
    row->appealed = head[5];
    row->appeals = head[6];
    row->sanctions = head[7];
    row->reporter_count = head[8];
    row->opened_us = read_time(&in);
    read_case_numbers(&in, row);
    for (unsigned i = 0; i < row->reporter_count; i++)
        row->reporters[i] = read_varint(&in);
    for (unsigned i = 0; i < CASE_TEXTS; i++) {
        const uint8_t *text;

        row->text_size[i] = read_byte(&in);
        if (row->text_size[i] > CASE_TEXT_MAX ||
            (text = read_bytes(&in, row->text_size[i])) == NULL)
            return false;
        memcpy(row->text[i], text, row->text_size[i]);
    }
    return read_done(&in);
}

/* --- inboxes ----------------------------------------------------------------------------------- */

static size_t put_notice(uint8_t *bytes, const struct notice *notice, uint32_t before)
{
    size_t size = 4;

    assert(notice->kind < NOTICE_KIND_COUNT && notice->id > before);
    bytes[0] = notice->kind;
    bytes[1] = notice->verb;
    bytes[2] = notice->how;
    bytes[3] = notice->quiet;
    size += varint_put(bytes + size, notice->id - before);
    size += varint_put(bytes + size, notice->target);
    size += varint_put(bytes + size, notice->other);
    size += put_time(bytes + size, notice->time_us);
    size += put_time(bytes + size, notice->until_us);
    return size + varint_put(bytes + size, notice->count);
}

size_t pack_inbox(uint8_t *bytes, const struct inbox_row *row)
{
    size_t size = varint_put(bytes, row->last);

    assert(row->count <= NOTICES_MAX);
    size += varint_put(bytes + size, row->read);
    size += put_time(bytes + size, row->read_us);
    size += varint_put(bytes + size, row->count);
    for (uint32_t i = 0; i < row->count; i++)
        size += put_notice(bytes + size, &row->at[i], i == 0 ? 0 : row->at[i - 1].id);
    assert(size <= PACK_INBOX_BYTES_MAX);
    return size;
}

static bool read_notice(struct reader *in, struct notice *notice, uint32_t before)
{
    const uint8_t *head = read_bytes(in, 4);
    uint64_t step;

    if (head == NULL || head[0] >= NOTICE_KIND_COUNT || head[3] > 1)
        return false;
    notice->kind = head[0];
    notice->verb = head[1];
    notice->how = head[2];
    notice->quiet = head[3];
    step = read_below(in, UINT32_MAX - before);
    notice->id = before + (uint32_t)step;
    notice->target = read_varint(in);
    notice->other = read_varint(in);
    notice->time_us = read_time(in);
    notice->until_us = read_time(in);
    notice->count = read_u32(in);
    return step > 0;
}

bool unpack_inbox(const uint8_t *bytes, size_t size, struct inbox_row *row)
{
    struct reader in = {bytes, size, false};
    uint64_t id = row->id;
    uint16_t tenant = row->tenant;

    *row = (struct inbox_row){.id = id, .tenant = tenant};
    row->last = read_u32(&in);
    row->read = read_u32(&in);
    row->read_us = read_time(&in);
    row->count = (uint16_t)read_below(&in, NOTICES_MAX);
    for (uint32_t i = 0; i < row->count; i++)
        if (!read_notice(&in, &row->at[i], i == 0 ? 0 : row->at[i - 1].id))
            return false;
    return read_done(&in) && row->read <= row->last &&
           (row->count == 0 || row->at[row->count - 1].id <= row->last);
}

/* --- versions of the rules --------------------------------------------------------------------- */

static size_t put_text(uint8_t *bytes, const char *text, size_t size)
{
    size_t head = varint_put(bytes, size);

    memcpy(bytes + head, text, size);
    return head + size;
}

/* Into room for max bytes; more: the row is damaged. */
static size_t read_text(struct reader *in, char *text, size_t max)
{
    size_t size = (size_t)read_below(in, max);
    const uint8_t *bytes = read_bytes(in, size);

    if (bytes == NULL)
        return 0;
    memcpy(text, bytes, size);
    return size;
}

/* In the order of struct policy_head; then digest, name, reasons, text. */
size_t pack_policy(uint8_t *bytes, const struct policy_row *row)
{
    const struct policy_head *head = &row->head;
    const uint64_t numbers[] = {head->version,
                                head->shadow,
                                head->last,
                                head->proposer,
                                head->decider,
                                head->proposed_sequence,
                                head->decided_sequence,
                                (uint64_t)head->proposed_us,
                                (uint64_t)head->decided_us,
                                (uint64_t)head->ended_us,
                                (uint64_t)head->shadow_us};
    size_t size = 2;

    assert(head->slot <= POLICY_STATE_SLOT && head->state < RULES_STATE_COUNT &&
           head->text_size <= POLICY_TEXT_KEPT);
    bytes[0] = head->state;
    bytes[1] = head->by_setting;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        size += varint_put(bytes + size, numbers[i]);
    memcpy(bytes + size, head->digest, sizeof head->digest);
    size += sizeof head->digest;
    size += put_text(bytes + size, head->name, strnlen(head->name, sizeof head->name));
    size += put_text(bytes + size, head->reason, head->reason_size);
    size += put_text(bytes + size, head->decision, head->decision_size);
    size += put_text(bytes + size, row->text, head->text_size);
    assert(size <= PACK_POLICY_BYTES_MAX);
    return size;
}

bool unpack_policy(const uint8_t *bytes, size_t size, struct policy_row *row)
{
    struct reader in = {bytes, size, false};
    const uint8_t *first = read_bytes(&in, 2), *digest;
    struct policy_head *head = &row->head;
    uint64_t numbers[11];

    if (first == NULL || first[0] >= RULES_STATE_COUNT || first[1] > 1)
        return false;
    *head = (struct policy_head){.slot = head->slot, .state = first[0], .by_setting = first[1]};
    head->version = read_u32(&in);
    head->shadow = read_u32(&in);
    head->last = read_u32(&in);
    for (size_t i = 3; i < sizeof numbers / sizeof *numbers; i++)
        numbers[i] = read_varint(&in);
    head->proposer = numbers[3];
    head->decider = numbers[4];
    head->proposed_sequence = numbers[5];
    head->decided_sequence = numbers[6];
    head->proposed_us = (int64_t)numbers[7];
    head->decided_us = (int64_t)numbers[8];
    head->ended_us = (int64_t)numbers[9];
    head->shadow_us = (int64_t)numbers[10];
    if ((digest = read_bytes(&in, sizeof head->digest)) == NULL)
        return false;
    memcpy(head->digest, digest, sizeof head->digest);
    read_text(&in, head->name, sizeof head->name - 1);
    head->reason_size = (uint8_t)read_text(&in, head->reason, POLICY_REASON_MAX);
    head->decision_size = (uint8_t)read_text(&in, head->decision, POLICY_REASON_MAX);
    head->text_size = (uint32_t)read_text(&in, row->text, POLICY_TEXT_KEPT);
    return read_done(&in);
}

/* --- operations -------------------------------------------------------------------------------- */

size_t pack_operation(uint8_t *bytes, const struct operation_row *row)
{
    size_t size = put_time(bytes, row->time_us);

    assert(row->status < STATUS_COUNT);
    put_u64(bytes + size, row->content);
    size += 8;
    bytes[size++] = row->status;
    bytes[size++] = row->applied;
    size += varint_put(bytes + size, row->sequence);
    return size;
}

bool unpack_operation(const uint8_t *bytes, size_t size, struct operation_row *row)
{
    struct reader in = {bytes, size, false};
    const uint8_t *content;

    row->time_us = read_time(&in);
    if ((content = read_bytes(&in, 8)) == NULL)
        return false;
    row->content = get_u64(content);
    row->status = read_byte(&in);
    row->applied = read_byte(&in);
    row->sequence = read_varint(&in);
    return read_done(&in) && row->status < STATUS_COUNT;
}

bool unpack_operation_time(const uint8_t *bytes, size_t size, int64_t *time_us)
{
    struct reader in = {bytes, size, false};

    *time_us = read_time(&in);
    return !in.bad;
}

/* --- lists ------------------------------------------------------------------------------------- */

/* One width for all ids of a row, not a varint each: ids of a platform are mostly of one size, a
 * varint of a 64-bit hash takes 10 bytes, and a fixed width is read without branches. */
static unsigned list_width(const struct store_entry *entries, uint32_t count)
{
    uint64_t all = 1;

    for (uint32_t i = 0; i < count; i++)
        all |= entries[i].other;
    return (71u - (unsigned)__builtin_clzll(all)) / 8;
}

size_t pack_list(uint8_t *bytes, const struct store_entry *entries, uint32_t count)
{
    unsigned width = list_width(entries, count);
    size_t size = 1;

    assert(count > 0 && count <= PACK_LIST_MAX);
    bytes[0] = (uint8_t)width;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0) {
            size += varint_put(bytes + size, entries[0].sequence - entries[count - 1].sequence);
            size += put_time(bytes + size, entries[0].time_us);
        } else {
            const struct store_entry *before = &entries[i - 1];

            assert(entries[i].sequence < before->sequence);
            size += varint_put(bytes + size, before->sequence - entries[i].sequence);
            size += varint_put(bytes + size, zigzag((uint64_t)before->time_us -
                                                    (uint64_t)entries[i].time_us));
        }
        memcpy(bytes + size, &entries[i].other, width);
        size += width;
    }
    return size;
}

bool unpack_list_begin(struct unpack_list *list, const uint8_t *bytes, size_t size,
                       uint64_t lowest)
{
    if (size < 1 || bytes[0] < 1 || bytes[0] > 8)
        return false;
    *list = (struct unpack_list){.bytes = bytes + 1, .size = size - 1, .lowest = lowest};
    list->width = bytes[0];
    return true;
}

int unpack_list_next(struct unpack_list *list, struct store_entry *entry)
{
    struct reader in = {list->bytes, list->size, false};
    struct store_entry *last = &list->last;

    if (list->size == 0) /* the last entry is the one the key names, or bytes are missing */
        return list->begun && last->sequence == list->lowest ? 0 : -1;

    uint64_t step = read_varint(&in);
    uint64_t time = unzigzag(read_varint(&in));
    const uint8_t *other = read_bytes(&in, list->width);

    if (other == NULL)
        return -1;
    if (!list->begun) {
        if (step > UINT64_MAX - list->lowest)
            return -1;
        last->sequence = list->lowest + step;
        last->time_us = (int64_t)(time + (uint64_t)PACK_TIME_BASE);
    } else {
        if (step == 0 || step > last->sequence - list->lowest)
            return -1;
        last->sequence -= step;
        last->time_us = (int64_t)((uint64_t)last->time_us - time);
    }
    last->other = 0;
    memcpy(&last->other, other, list->width);
    list->begun = true;
    list->bytes = in.bytes;
    list->size = in.size;
    *entry = *last;
    return 1;
}

/* --- the meta row ------------------------------------------------------------------------------ */

#define META_FIXED 58
static const uint8_t meta_magic[4] = {'Z', 'a', 'n', 'S'};

size_t pack_meta_bytes_max(uint16_t partition_count)
{
    return META_FIXED + (size_t)partition_count * VARINT_BYTES_MAX;
}

size_t pack_meta(uint8_t *bytes, const struct pack_meta *meta, const uint64_t *marks)
{
    size_t size = META_FIXED;

    memcpy(bytes, meta_magic, 4);
    put_u16(bytes + 4, PACK_VERSION);
    put_u16(bytes + 6, meta->partition);
    put_u16(bytes + 8, meta->partition_count);
    memcpy(bytes + 10, meta->log_id, 16);
    put_u64(bytes + 26, meta->applied);
    put_u64(bytes + 34, (uint64_t)meta->newest_us);
    put_u64(bytes + 42, meta->edges);
    put_u64(bytes + 50, meta->keys);
    for (uint16_t i = 0; i < meta->partition_count; i++)
        size += varint_put(bytes + size, marks[i]);
    return size;
}

bool unpack_meta(const uint8_t *bytes, size_t size, struct pack_meta *meta, uint16_t *version)
{
    *version = 0;
    if (size < 6 || memcmp(bytes, meta_magic, 4) != 0)
        return false;
    *version = get_u16(bytes + 4);
    if (*version != PACK_VERSION || size < META_FIXED)
        return false;
    meta->partition = get_u16(bytes + 6);
    meta->partition_count = get_u16(bytes + 8);
    memcpy(meta->log_id, bytes + 10, 16);
    meta->applied = get_u64(bytes + 26);
    meta->newest_us = (int64_t)get_u64(bytes + 34);
    meta->edges = get_u64(bytes + 42);
    meta->keys = get_u64(bytes + 50);
    return true;
}

bool unpack_marks(const uint8_t *bytes, size_t size, uint64_t *marks, uint16_t partition_count)
{
    struct reader in = {bytes + META_FIXED, size - META_FIXED, false};

    for (uint16_t i = 0; i < partition_count; i++)
        marks[i] = read_varint(&in);
    return read_done(&in);
}
