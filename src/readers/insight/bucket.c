/* bucket.c: see bucket.h. */
#include "readers/insight/bucket.h"

#include <string.h>

#define MINUTE_US (60LL * 1000000)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)
#define LOOKS     2 /* at rows that may be over, for each new one */

const int64_t span_us[SPAN_COUNT] = {MINUTE_US, HOUR_US, DAY_US};
const int64_t span_kept_us[SPAN_COUNT] = {3 * HOUR_US, 15 * DAY_US, 400 * DAY_US};
const char *const span_names[SPAN_COUNT] = {"minute", "hour", "day"};

#define M (1 << SPAN_MINUTE)
#define H (1 << SPAN_HOUR)
#define D (1 << SPAN_DAY)
const uint8_t scope_spans[BUCKET_SCOPES] = {
    [BUCKET_ALL] = M | H | D, [BUCKET_ITEM] = M | H | D, [BUCKET_CREATOR] = H | D,
    [BUCKET_TAG] = H | D,     [BUCKET_REGION] = H | D,   [BUCKET_AGE] = D,
    [BUCKET_TRUST] = D,
};

static struct table_key key_of(struct scope scope, enum span span, int64_t at_us)
{
    uint64_t number = (uint64_t)(at_us / span_us[span]);

    return (struct table_key){scope.id, (uint64_t)scope.of << 56 | (uint64_t)span << 48 | number,
                              scope.tenant};
}

static enum span span_of(const struct table_head *head)
{
    return (enum span)(head->b >> 48 & 0xFF);
}

static int64_t end_of(const struct table_head *head)
{
    return (int64_t)((head->b & 0xFFFFFFFFFFFF) + 1) * span_us[span_of(head)];
}

/* Minutes before hours before days; of those the oldest. */
static double warmth(const void *row)
{
    const struct table_head *head = row;

    return (double)span_of(head) * 1e18 + (double)end_of(head);
}

void buckets_open(struct buckets *buckets, void *memory, uint32_t capacity)
{
    table_open(&buckets->table, memory, sizeof(struct bucket), capacity);
    buckets->table.warmth = warmth;
    buckets->sweep = 0;
    buckets->lost = 0;
    memset(buckets->last, 0, sizeof buckets->last);
}

static bool is_over(int64_t end_us, enum span span, int64_t now_us)
{
    return end_us + span_kept_us[span] <= now_us;
}

static void sweep(struct buckets *buckets, int64_t now_us)
{
    struct table *table = &buckets->table;

    for (uint32_t i = 0; i < LOOKS && table->fresh > 0; i++) {
        const struct table_head *head;

        buckets->sweep = buckets->sweep + 1 < table->fresh ? buckets->sweep + 1 : 0;
        head = table_row(table, buckets->sweep);
        if (head->used && is_over(end_of(head), span_of(head), now_us))
            table_remove(table, buckets->sweep);
    }
}

static struct bucket *find(const struct buckets *buckets, struct table_key key)
{
    uint32_t row = table_find((struct table *)&buckets->table, key, false);

    return row == TABLE_NONE ? NULL : table_row(&buckets->table, row);
}

static bool is_row(const struct table *table, uint32_t row, struct table_key key)
{
    const struct table_head *head = table_row(table, row);

    return head->used && head->a == key.a && head->b == key.b && head->c == key.c;
}

static struct bucket *make(struct buckets *buckets, struct table_key key, int64_t now_us)
{
    struct table *table = &buckets->table;
    uint32_t row;

    sweep(buckets, now_us);
    row = table_victim(table);
    if (row != TABLE_NONE) {
        table_remove(table, row);
        buckets->lost++;
    }
    return table_row(table, table_add(table, key));
}

static uint32_t moved(uint32_t value, int32_t by)
{
    if (by < 0 && value < (uint32_t)-by)
        return 0; /* the row was lost meanwhile */
    return value + (uint32_t)by;
}

/* last: where a row of this kind was found before. */
static struct bucket *take(struct buckets *buckets, struct table_key key, int64_t now_us,
                           uint32_t *last)
{
    struct table *table = &buckets->table;
    struct bucket *bucket;
    uint32_t row;

    if (*last != 0 && is_row(table, *last - 1, key)) {
        bucket = table_row(table, *last - 1);
        bucket->head.recent = 1;
        return bucket;
    }
    row = table_find(table, key, true);
    bucket = row != TABLE_NONE ? table_row(table, row) : make(buckets, key, now_us);
    *last = table_number(table, bucket) + 1;
    return bucket;
}

static void bucket_move(struct bucket *bucket, const struct bucket_change *change)
{
    struct count *count = &bucket->count[change->metric];

    count->raw = moved(count->raw, change->raw);
    count->valid = moved(count->valid, change->valid);
    count->credited_pct = moved(count->credited_pct, change->pct);
}

void buckets_add(struct buckets *buckets, struct scope scope, const struct bucket_change *change,
                 uint32_t count, int64_t at_us, int64_t now_us)
{
    bool makes = count > 0 && change[0].raw > 0;

    for (enum span span = 0; span < SPAN_COUNT; span++) {
        struct table_key key = key_of(scope, span, at_us);
        struct bucket *bucket;

        if (!(scope_spans[scope.of] >> span & 1) ||
            is_over((at_us / span_us[span] + 1) * span_us[span], span, now_us))
            continue;
        bucket =
            makes ? take(buckets, key, now_us, &buckets->last[scope.of][span]) : find(buckets, key);
        for (uint32_t i = 0; i < count && bucket != NULL; i++)
            bucket_move(bucket, &change[i]);
    }
}

const struct bucket *buckets_find(const struct buckets *buckets, struct scope scope, enum span span,
                                  int64_t at_us)
{
    return find(buckets, key_of(scope, span, at_us));
}
