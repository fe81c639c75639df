/* window.c: four small things in a cache line.
 *
 * Offset, size: 0, 4 left to the table (policy_table.c); 4, 4 aux; 8, 8 last; 16, 48 or 112
 * payload. ring      aux: bytes head (next place), used; last: tick of the newest; payload: 16 bits
 * of each tick buckets   aux: sum of all counts; last: number of the newest bucket; payload:
 * counts, by number modulo their number list      aux: used; last: tick of the newest; payload:
 * hash of 16 bits, 16 bits of its tick sketch    last: number of the newest bitmap; payload:
 * bitmaps, by number modulo 7
 *
 * 16 bits of a tick are enough: a span has at most 32768 of them, whoever adds drops what is older
 * first, and the whole of the newest tick is known.
 *
 * A ring of 16 bits was preferred to one of whole times, which would hold 6 acts in a line:
 * thresholds in use are 5 to 50. Buckets that end at now were preferred to weighing the oldest one
 * by its share: weighing can count an act that is long gone. */
#include "engine/window.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"

enum {
    TICKS_MAX = 32768,
    RING_SMALL = 24,
    RING_WIDE = 56,
    LIST_SMALL = 12,
    LIST_WIDE = 28,
    BUCKETS_SMALL = 24,
    BUCKETS_WIDE = 28,
    BITMAPS = 7,
    BITMAP_BITS = 128
};

struct ring {
    uint32_t tag;
    uint8_t head, used, unused[2];
    uint64_t last;
    uint16_t tick[RING_WIDE];
};

struct buckets {
    uint32_t tag;
    uint32_t sum;
    uint64_t last;
    union {
        uint16_t small[BUCKETS_SMALL];
        uint32_t wide[BUCKETS_WIDE];
    } count;
};

struct list {
    uint32_t tag;
    uint32_t used;
    uint64_t last;
    struct seen {
        uint16_t hash, tick;
    } seen[LIST_WIDE];
};

struct sketch {
    uint32_t tag;
    uint32_t unused;
    uint64_t last;
    uint64_t bits[BITMAPS][2];
};

static_assert(sizeof(struct ring) == 2 * WINDOW_BYTES, "ring");
static_assert(sizeof(struct buckets) == 2 * WINDOW_BYTES, "buckets");
static_assert(sizeof(struct list) == 2 * WINDOW_BYTES, "list");
static_assert(sizeof(struct sketch) == 2 * WINDOW_BYTES, "sketch");

/* --- shapes --------------------------------------------------------------------------------------
 */

static struct window_shape shape_of(enum window_kind kind, bool wide, int64_t span_us)
{
    struct window_shape shape = {
        .kind = (uint8_t)kind,
        .wide = wide,
        .span_us = span_us,
        .span_s = (uint32_t)((span_us + 999999) / 1000000),
    };

    assert(span_us >= WINDOW_SPAN_US_MIN && span_us <= WINDOW_SPAN_US_MAX);
    while ((span_us >> shape.shift) > TICKS_MAX)
        shape.shift++;
    shape.ticks = (uint32_t)(span_us >> shape.shift);
    return shape;
}

static void shape_divide(struct window_shape *shape, uint32_t parts)
{
    shape->width_us = (uint64_t)shape->span_us / parts;
    shape->inverse = UINT64_MAX / shape->width_us;
}

struct window_shape window_sum_shape(int64_t span_us, bool wide)
{
    struct window_shape shape = shape_of(WINDOW_BUCKETS, wide, span_us);

    shape_divide(&shape, wide ? BUCKETS_WIDE : BUCKETS_SMALL);
    return shape;
}

struct window_shape window_count_shape(int64_t span_us, uint64_t most)
{
    if (most <= RING_SMALL)
        return shape_of(WINDOW_RING, false, span_us);
    if (most <= RING_WIDE)
        return shape_of(WINDOW_RING, true, span_us);
    return window_sum_shape(span_us, most > UINT16_MAX);
}

struct window_shape window_distinct_shape(int64_t span_us, uint64_t most)
{
    struct window_shape shape;

    if (most <= LIST_SMALL)
        return shape_of(WINDOW_LIST, false, span_us);
    if (most <= LIST_WIDE)
        return shape_of(WINDOW_LIST, true, span_us);
    shape = shape_of(WINDOW_SKETCH, true, span_us);
    shape_divide(&shape, BITMAPS);
    while ((most >> shape.sample_bits) > BITMAP_BITS)
        shape.sample_bits++;
    return shape;
}

/* --- time ----------------------------------------------------------------------------------------
 */

/* now_us / width_us, by a multiplication: the quotient by the rounded inverse is at most 2 too
 * small. */
static inline uint64_t part_at(const struct window_shape *shape, int64_t now_us)
{
    uint64_t now = now_us > 0 ? (uint64_t)now_us : 0;
    uint64_t part = (uint64_t)((__uint128_t)now * shape->inverse >> 64);

    while (now - part * shape->width_us >= shape->width_us)
        part++;
    return part;
}

static inline uint64_t tick_at(const struct window_shape *shape, int64_t now_us)
{
    return now_us > 0 ? (uint64_t)now_us >> shape->shift : 0;
}

/* From the newest that was added to now; 0 if the clock moved back. */
static inline uint64_t gap_from(uint64_t last, uint64_t now)
{
    if (PLANTED("window.clock_back_grants"))
        return now > last ? now - last : last - now;
    return now > last ? now - last : 0;
}

/* --- ring ----------------------------------------------------------------------------------------
 */

static inline uint32_t ring_room(const struct window_shape *shape)
{
    return shape->wide ? RING_WIDE : RING_SMALL;
}

/* used and head, whatever the bytes are. */
static inline uint32_t ring_used(const struct ring *ring, uint32_t room)
{
    return ring->used <= room ? ring->used : room;
}

static inline uint32_t ring_oldest(const struct ring *ring, uint32_t room, uint32_t used)
{
    uint32_t head = ring->head < room ? ring->head : 0;

    return head >= used ? head - used : head + room - used;
}

/* How many of the oldest are out of the window, gap ticks after the newest. */
static uint32_t ring_gone(const struct window_shape *shape, const struct ring *ring, uint64_t gap)
{
    uint32_t room = ring_room(shape), used = ring_used(ring, room);
    uint32_t at = ring_oldest(ring, room, used), gone = 0;

    if (gap >= shape->ticks)
        return used;
    while (gone < used && (uint16_t)((uint16_t)ring->last - ring->tick[at]) + gap >= shape->ticks) {
        gone++;
        at = at + 1 < room ? at + 1 : 0;
    }
    return gone;
}

static uint64_t ring_value(const struct window_shape *shape, const struct ring *ring,
                           int64_t now_us)
{
    uint64_t gap = gap_from(ring->last, tick_at(shape, now_us));

    return ring_used(ring, ring_room(shape)) - ring_gone(shape, ring, gap);
}

static void ring_add(const struct window_shape *shape, struct ring *ring, int64_t now_us)
{
    uint32_t room = ring_room(shape), used = ring_used(ring, room);
    uint32_t head = ring->head < room ? ring->head : 0;
    uint64_t gap = gap_from(ring->last, tick_at(shape, now_us));

    used -= ring_gone(shape, ring, gap);
    ring->last += gap;
    ring->tick[head] = (uint16_t)ring->last;
    ring->head = (uint8_t)(head + 1 < room ? head + 1 : 0);
    ring->used = (uint8_t)(used < room ? used + 1 : room);
}

static int64_t ring_room_us(const struct window_shape *shape, const struct ring *ring,
                            int64_t now_us, uint64_t most)
{
    uint32_t room = ring_room(shape), used = ring_used(ring, room);
    uint64_t gap = gap_from(ring->last, tick_at(shape, now_us));
    uint64_t live = used - ring_gone(shape, ring, gap);
    uint32_t at, age;

    if (live < most)
        return now_us;
    if (most == 0)
        return now_us + shape->span_us;
    at = (ring_oldest(ring, room, used) + used - (uint32_t)most) % room; /* the most-th newest */
    age = (uint16_t)((uint16_t)ring->last - ring->tick[at]);
    return (int64_t)((ring->last - age + shape->ticks) << shape->shift);
}

/* --- buckets -------------------------------------------------------------------------------------
 */

static inline uint32_t bucket_get(const struct window_shape *shape, const struct buckets *buckets,
                                  uint64_t number)
{
    return shape->wide ? buckets->count.wide[number % BUCKETS_WIDE]
                       : buckets->count.small[number % BUCKETS_SMALL];
}

static inline uint32_t bucket_room(const struct window_shape *shape)
{
    return shape->wide ? BUCKETS_WIDE : BUCKETS_SMALL;
}

static uint64_t buckets_value(const struct window_shape *shape, const struct buckets *buckets,
                              int64_t now_us)
{
    uint64_t gap = gap_from(buckets->last, part_at(shape, now_us)), gone = 0;

    if (PLANTED("window.keeps_the_oldest"))
        gap = gap > 0 ? gap - 1 : 0;
    if (gap >= bucket_room(shape))
        return 0;
    for (uint64_t i = 1; i <= gap; i++)
        gone += bucket_get(shape, buckets, buckets->last + i);
    return buckets->sum > gone ? buckets->sum - gone : 0;
}

static void buckets_clear(const struct window_shape *shape, struct buckets *buckets)
{
    buckets->sum = 0;
    memset(&buckets->count, 0, window_bytes(shape) - 16);
}

/* Makes the bucket of now the newest. */
static void buckets_turn(const struct window_shape *shape, struct buckets *buckets, uint64_t gap)
{
    buckets->last += gap;
    if (gap >= bucket_room(shape)) {
        buckets_clear(shape, buckets);
        return;
    }
    for (uint64_t i = 0; i < gap; i++) {
        uint32_t gone = bucket_get(shape, buckets, buckets->last - i);

        buckets->sum -= buckets->sum > gone ? gone : buckets->sum;
        if (shape->wide)
            buckets->count.wide[(buckets->last - i) % BUCKETS_WIDE] = 0;
        else
            buckets->count.small[(buckets->last - i) % BUCKETS_SMALL] = 0;
    }
}

static void buckets_add(const struct window_shape *shape, struct buckets *buckets, int64_t now_us)
{
    uint64_t gap = gap_from(buckets->last, part_at(shape, now_us));
    uint32_t most = shape->wide ? UINT32_MAX : UINT16_MAX;

    if (gap > 0)
        buckets_turn(shape, buckets, gap);
    if (bucket_get(shape, buckets, buckets->last) == most || buckets->sum == UINT32_MAX)
        return; /* full: more than any threshold of this shape */
    buckets->sum++;
    if (shape->wide)
        buckets->count.wide[buckets->last % BUCKETS_WIDE]++;
    else
        buckets->count.small[buckets->last % BUCKETS_SMALL]++;
}

static int64_t buckets_room_us(const struct window_shape *shape, const struct buckets *buckets,
                               int64_t now_us, uint64_t most)
{
    uint64_t now = part_at(shape, now_us), room = bucket_room(shape);
    uint64_t gap = gap_from(buckets->last, now), value = buckets_value(shape, buckets, now_us);
    uint64_t next = buckets->last + gap;

    if (value < most)
        return now_us;
    for (; value >= most && value > 0 && next < buckets->last + room; next++) {
        uint32_t gone = bucket_get(shape, buckets, next + 1);

        value = value > gone ? value - gone : 0;
    }
    return (int64_t)(next * shape->width_us);
}

/* --- list ----------------------------------------------------------------------------------------
 */

static inline uint32_t list_room(const struct window_shape *shape)
{
    return shape->wide ? LIST_WIDE : LIST_SMALL;
}

static inline uint16_t list_hash(uint64_t element)
{
    return (uint16_t)(hash_mix(element ^ 0xD1B54A32D192ED03ULL) >> 17);
}

static inline bool list_live(const struct window_shape *shape, const struct list *list, uint32_t at,
                             uint64_t gap)
{
    return (uint16_t)((uint16_t)list->last - list->seen[at].tick) + gap < shape->ticks;
}

/* How many live; *has: hash is one of them. */
static uint64_t list_count(const struct window_shape *shape, const struct list *list,
                           int64_t now_us, uint16_t hash, bool *has)
{
    uint32_t room = list_room(shape), used = list->used < room ? list->used : room, live = 0;
    uint64_t gap = gap_from(list->last, tick_at(shape, now_us));

    *has = false;
    for (uint32_t i = 0; i < used; i++) {
        if (!list_live(shape, list, i, gap))
            continue;
        live++;
        *has |= list->seen[i].hash == hash;
    }
    return live;
}

static void list_add(const struct window_shape *shape, struct list *list, int64_t now_us,
                     uint64_t element)
{
    uint32_t room = list_room(shape), used = list->used < room ? list->used : room, kept = 0;
    uint32_t oldest = 0;
    uint64_t gap = gap_from(list->last, tick_at(shape, now_us)), last = list->last + gap;
    uint16_t hash = list_hash(element);

    for (uint32_t i = 0; i < used; i++) /* drops what is gone, and the element itself */
        if (list_live(shape, list, i, gap) && list->seen[i].hash != hash)
            list->seen[kept++] = list->seen[i];
    if (kept == room) {
        for (uint32_t i = 1; i < kept; i++)
            if ((uint16_t)((uint16_t)last - list->seen[i].tick) >
                (uint16_t)((uint16_t)last - list->seen[oldest].tick))
                oldest = i;
        list->seen[oldest] = list->seen[--kept];
    }
    list->seen[kept++] = (struct seen){hash, (uint16_t)last};
    if (kept < used) /* the same acts leave the same bytes */
        memset(&list->seen[kept], 0, (used - kept) * sizeof(struct seen));
    list->used = kept;
    list->last = last;
}

/* --- sketch --------------------------------------------------------------------------------------
 */

/* -128 ln(1 - k/128), rounded; the last one is what a full bitmap stands for at least. */
static const uint16_t linear_count[BITMAP_BITS + 1] = {
    0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  12,  13,  14,  15,  16,  17,  18,  19,
    21,  22,  23,  24,  25,  27,  28,  29,  30,  32,  33,  34,  35,  37,  38,  40,  41,  42,  44,
    45,  47,  48,  49,  51,  52,  54,  55,  57,  59,  60,  62,  63,  65,  67,  68,  70,  72,  74,
    75,  77,  79,  81,  83,  85,  87,  89,  91,  93,  95,  97,  99,  101, 104, 106, 108, 110, 113,
    115, 118, 120, 123, 126, 128, 131, 134, 137, 140, 143, 146, 149, 152, 155, 159, 162, 166, 170,
    174, 177, 182, 186, 190, 195, 199, 204, 209, 214, 220, 225, 231, 238, 244, 251, 258, 266, 274,
    283, 293, 303, 314, 326, 340, 355, 372, 392, 415, 444, 480, 532, 621, 710};

static inline bool sketch_takes(const struct window_shape *shape, uint64_t hash)
{
    return (hash >> 8 & ((1ULL << shape->sample_bits) - 1)) == 0; /* the bits below are the place */
}

/* By halves; the compiler's own may be a call into its library. */
static inline uint32_t ones(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555ULL;
    bits = (bits & 0x3333333333333333ULL) + (bits >> 2 & 0x3333333333333333ULL);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0FULL;
    return (uint32_t)(bits * 0x0101010101010101ULL >> 56);
}

/* Bits that are on in the bitmaps of the window, with those of more. */
static uint32_t sketch_bits(const struct sketch *sketch, uint64_t gap, const uint64_t more[2])
{
    uint64_t low = more[0], high = more[1];

    for (uint64_t i = gap + 1; i <= BITMAPS; i++) { /* the gap oldest are gone */
        low |= sketch->bits[(sketch->last + i) % BITMAPS][0];
        high |= sketch->bits[(sketch->last + i) % BITMAPS][1];
    }
    return ones(low) + ones(high);
}

static uint64_t sketch_value(const struct window_shape *shape, const struct sketch *sketch,
                             int64_t now_us, const uint64_t more[2])
{
    uint64_t gap = gap_from(sketch->last, part_at(shape, now_us));
    uint64_t value = linear_count[sketch_bits(sketch, gap, more)];

    if (shape->sample_bits > 0)
        return (value << shape->sample_bits) - ((value << shape->sample_bits) + 3) / 4;
    return value - value / 6;
}

static void sketch_add(const struct window_shape *shape, struct sketch *sketch, int64_t now_us,
                       uint64_t element)
{
    uint64_t gap = gap_from(sketch->last, part_at(shape, now_us)), hash = hash_mix(element);

    sketch->last += gap;
    for (uint64_t i = 0; i < gap && i < BITMAPS; i++)
        memset(sketch->bits[(sketch->last - i) % BITMAPS], 0, sizeof sketch->bits[0]);
    if (sketch_takes(shape, hash))
        sketch->bits[sketch->last % BITMAPS][hash >> 6 & 1] |= 1ULL << (hash & 63);
}

/* --- all of them ---------------------------------------------------------------------------------
 */

uint64_t window_value(const struct window_shape *shape, const void *block, int64_t now_us)
{
    static const uint64_t none[2] = {0, 0};
    bool has;

    switch (shape->kind) {
    case WINDOW_RING:
        return ring_value(shape, block, now_us);
    case WINDOW_BUCKETS:
        return buckets_value(shape, block, now_us);
    case WINDOW_LIST:
        return list_count(shape, block, now_us, 0, &has);
    default:
        return sketch_value(shape, block, now_us, none);
    }
}

uint64_t window_value_with(const struct window_shape *shape, const void *block, int64_t now_us,
                           uint64_t element)
{
    uint64_t hash = hash_mix(element), more[2] = {0, 0}, count;
    bool has;

    switch (shape->kind) {
    case WINDOW_RING:
        return ring_value(shape, block, now_us) + 1;
    case WINDOW_BUCKETS:
        return buckets_value(shape, block, now_us) + 1;
    case WINDOW_LIST:
        count = list_count(shape, block, now_us, list_hash(element), &has);
        return has ? count : count + 1;
    default:
        if (sketch_takes(shape, hash))
            more[hash >> 6 & 1] = 1ULL << (hash & 63);
        return sketch_value(shape, block, now_us, more);
    }
}

void window_add(const struct window_shape *shape, void *block, int64_t now_us, uint64_t element)
{
    switch (shape->kind) {
    case WINDOW_RING:
        ring_add(shape, block, now_us);
        return;
    case WINDOW_BUCKETS:
        buckets_add(shape, block, now_us);
        return;
    case WINDOW_LIST:
        list_add(shape, block, now_us, element);
        return;
    default:
        sketch_add(shape, block, now_us, element);
    }
}

int64_t window_room_us(const struct window_shape *shape, const void *block, int64_t now_us,
                       uint64_t most)
{
    int64_t at = now_us;

    if (shape->kind == WINDOW_RING)
        at = ring_room_us(shape, block, now_us, most);
    else if (shape->kind == WINDOW_BUCKETS)
        at = buckets_room_us(shape, block, now_us, most);
    else if (window_value(shape, block, now_us) >= most)
        at = now_us + shape->span_us;
    if (at < now_us)
        return now_us;
    return at > now_us + shape->span_us ? now_us + shape->span_us : at;
}
