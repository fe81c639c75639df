/* bucket.h: rollups: what was done in a scope within a minute, an hour, a day.
 *
 * A row is a scope and a time with counts of each metric, raw, valid and credited. Rows whose time
 * is over go by themselves: each new row looks at two others. If there is no room all the same, one
 * of the coldest of eight goes, minutes before hours before days, the oldest first; then `lost`
 * says so.
 *
 * Key: {id, scope << 56 | span << 48 | number of the span since the epoch, tenant}.
 *
 * Holds always: what a row has is a function of the records and of the capacity.
 * Cost:         O(1) expected for each. Memory: the table's, the caller's. */
#ifndef ZAN_READERS_INSIGHT_BUCKET_H
#define ZAN_READERS_INSIGHT_BUCKET_H

#include <stdbool.h>

#include "readers/insight/rows.h"

enum span { SPAN_MINUTE, SPAN_HOUR, SPAN_DAY, SPAN_COUNT };
enum bucket_scope {
    BUCKET_ALL,
    BUCKET_ITEM,
    BUCKET_CREATOR,
    BUCKET_TAG,
    BUCKET_REGION,
    BUCKET_AGE,   /* id: band */
    BUCKET_TRUST, /* id: band */
    BUCKET_SCOPES
};

extern const int64_t span_us[SPAN_COUNT];
extern const int64_t span_kept_us[SPAN_COUNT];
extern const char *const span_names[SPAN_COUNT];
/* Bit for each span that a scope has. */
extern const uint8_t scope_spans[BUCKET_SCOPES];

struct count {
    uint32_t raw, valid, credited_pct;
};

struct bucket {
    struct table_head head;
    struct count count[METRIC_COUNT];
};

struct buckets {
    struct table table;
    uint32_t sweep; /* the next row to be looked at */
    uint64_t lost;  /* rows that had to go before their time */
    /* 1 + the row found last of each kind: most acts of a moment are in the same rows of all. Not
     * held: it follows from what was asked. */
    uint32_t last[BUCKET_SCOPES][SPAN_COUNT];
};

void buckets_open(struct buckets *buckets, void *memory, uint32_t capacity);

/* Of one scope. */
struct scope {
    enum bucket_scope of;
    uint64_t id;
    uint32_t tenant;
};

/* By how much a metric changed. */
struct bucket_change {
    uint32_t metric; /* enum step or enum metric */
    int32_t raw, valid, pct;
};

/* Adds to the rows of at_us, of every span the scope has. now_us: the latest time of a record; what
 * is too old by then to be kept is left out. Rows are made only by a change that adds to a raw
 * count: what comes later and says what an act is worth finds its row, or nothing. */
void buckets_add(struct buckets *buckets, struct scope scope, const struct bucket_change *change,
                 uint32_t count, int64_t at_us, int64_t now_us);

/* NULL: nothing happened, or it is not kept any more. */
const struct bucket *buckets_find(const struct buckets *buckets, struct scope scope, enum span span,
                                  int64_t at_us);

#endif
