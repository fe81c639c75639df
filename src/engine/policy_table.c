/* policy_table.c: sets of seven blocks behind one line of tags.
 *
 * The tags stand apart from the blocks, so that a key that is not there (most pairs, most devices)
 * costs one cache line, and so does finding the victim. Expiry is what is compared, not age: a
 * minute's window of an hour ago is worth nothing, a year's of yesterday still is. */
#include "engine/policy_table.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"

#define WAYS POLICY_TABLE_WAYS

enum { TAG_EMPTY, TAG_MORE, TAG_FIRST };

struct set {
    uint32_t tag[WAYS];
    uint32_t zero0;
    uint32_t expiry_s[WAYS];
    uint32_t zero1;
    uint8_t block[WAYS][WINDOW_BYTES];
};

static_assert(sizeof(struct set) == 512, "a set is eight lines");
static_assert(sizeof(struct policy_table) == 512, "the header is as long as a set");

static inline struct set *set_at(const struct policy_table *table, uint64_t key)
{
    uint64_t at = (uint64_t)((__uint128_t)key * table->sets >> 64);

    return (struct set *)((uintptr_t)table + sizeof *table) + at;
}

static inline uint32_t tag_of(uint64_t key)
{
    uint32_t tag = (uint32_t)key;

    return tag >= TAG_FIRST ? tag : tag + TAG_FIRST;
}

static inline uint32_t rest_of(uint64_t key)
{
    return (uint32_t)(key >> 32);
}

/* Where a block may begin: any way, or 1, 3 and 5. */
static inline uint32_t first_way(bool wide)
{
    return wide;
}

static inline uint32_t next_way(uint32_t way, bool wide)
{
    return way + 1 + wide;
}

typedef uint32_t four __attribute__((vector_size(16)));

/* Bit per way that has the tag and where a block may begin. All at once: a loop that ends at the
 * first one mispredicts half of its branches, which costs more than the rest of a lookup. */
static inline uint32_t set_tagged(const struct set *set, uint32_t tag, bool wide)
{
    const uint8_t *tags = (const uint8_t *)set;
    four low, high, want = {tag, tag, tag, tag};
    uint64_t halves[2];

    memcpy(&low, tags, sizeof low);
    memcpy(&high, tags + 16, sizeof high);
    low = (four)(low == want) & (four){1, 2, 4, 8};
    high = (four)(high == want) & (four){16, 32, 64, 0};
    low |= high;
    memcpy(halves, &low, sizeof halves);
    halves[0] |= halves[1];
    return (uint32_t)(halves[0] | halves[0] >> 32) & (wide ? 0x2A : 0x7F);
}

static inline uint32_t set_find(const struct set *set, uint64_t key, bool wide)
{
    uint32_t ways = set_tagged(set, tag_of(key), wide), way, rest;

    for (; ways != 0; ways &= ways - 1) {
        way = (uint32_t)__builtin_ctz(ways);
        memcpy(&rest, set->block[way], sizeof rest);
        if (rest == rest_of(key))
            return way;
    }
    return WAYS;
}

const void *policy_table_way(const struct policy_table *table, uint64_t key, bool wide)
{
    const struct set *set = set_at(table, key);
    uint32_t ways = set_tagged(set, tag_of(key), wide);

    return ways != 0 ? set->block[__builtin_ctz(ways)] : NULL;
}

void policy_table_prefetch(const struct policy_table *table, uint64_t key)
{
    __builtin_prefetch(set_at(table, key));
}

const void *policy_table_find(const struct policy_table *table, uint64_t key, bool wide)
{
    const struct set *set = set_at(table, key);
    uint32_t way = set_find(set, key, wide);

    return way < WAYS ? set->block[way] : NULL;
}

/* --- making room ---------------------------------------------------------------------------------
 */

/* When the way is free at the latest: 0 if it is empty. */
static inline uint32_t way_expiry(const struct set *set, uint32_t way)
{
    return set->tag[way] == TAG_EMPTY ? 0 : set->expiry_s[way];
}

static uint32_t set_victim(const struct set *set, bool wide)
{
    uint32_t best = WAYS, best_expiry = 0;

    for (uint32_t way = first_way(wide); way < WAYS; way = next_way(way, wide)) {
        uint32_t expiry = way_expiry(set, way);

        if (wide && way_expiry(set, way + 1) > expiry)
            expiry = way_expiry(set, way + 1);
        if (PLANTED("policy.forgets_the_newest"))
            expiry = UINT32_MAX - expiry;
        if (best == WAYS || expiry < best_expiry) {
            best = way;
            best_expiry = expiry;
        }
    }
    return best;
}

/* Empties a way, with the other half of what lives there. */
static void way_free(struct policy_table *table, struct set *set, uint32_t way, uint32_t now_s)
{
    uint32_t first = set->tag[way] == TAG_MORE && way > 0 ? way - 1 : way;

    if (set->tag[first] == TAG_EMPTY)
        return;
    table->lost_live += set->expiry_s[first] > now_s;
    if (first + 1 < WAYS && set->tag[first + 1] == TAG_MORE) {
        set->tag[first + 1] = TAG_EMPTY;
        set->expiry_s[first + 1] = 0;
    }
    set->tag[first] = TAG_EMPTY;
    set->expiry_s[first] = 0;
    set->tag[way] = TAG_EMPTY;
    set->expiry_s[way] = 0;
}

static uint32_t set_make(struct policy_table *table, struct set *set, uint64_t key, bool wide,
                         uint32_t now_s)
{
    uint32_t way = set_victim(set, wide), rest = rest_of(key);

    way_free(table, set, way, now_s);
    if (wide) {
        way_free(table, set, way + 1, now_s);
        set->tag[way + 1] = TAG_MORE;
    }
    set->tag[way] = tag_of(key);
    memset(set->block[way], 0, (size_t)WINDOW_BYTES << wide);
    memcpy(set->block[way], &rest, sizeof rest);
    table->made++;
    return way;
}

void *policy_table_take(struct policy_table *table, uint64_t key, const struct window_shape *shape,
                        int64_t now_us)
{
    struct set *set = set_at(table, key);
    uint64_t now_s = now_us > 0 ? (uint64_t)now_us / 1000000 : 0;
    uint64_t expiry_s = now_s + shape->span_s + 1;
    uint32_t way = set_find(set, key, shape->wide);

    if (now_s > UINT32_MAX)
        now_s = UINT32_MAX;
    if (expiry_s > UINT32_MAX)
        expiry_s = UINT32_MAX;
    if (way == WAYS)
        way = set_make(table, set, key, shape->wide, (uint32_t)now_s);
    if (set->expiry_s[way] < expiry_s) /* a clock that moved back shortens nothing */
        set->expiry_s[way] = (uint32_t)expiry_s;
    if (shape->wide)
        set->expiry_s[way + 1] = set->expiry_s[way];
    return set->block[way];
}
