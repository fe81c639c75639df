/* trust_table.h: where trust remembers; the layout of its region.
 *
 *   header      64 bytes: magic, version, configuration
 *   platforms   what is usual, one row for each (tenant, kind of act)          2 ways
 *   accounts    one row for each (tenant, account)                             2 ways of 64 bytes
 *   items       one row for each (tenant, verb, target)                        2 ways of 64 bytes
 *   places      devices, networks, (device, target), (network, target)         4 ways in 64 bytes
 *   pairs       two busy windows that share accounts                           8 ways in 64 bytes
 *   likes       a ring of the last likes, 64 bytes each, and 4 bytes for each: the newest like of a
 *               chain; a chain has the likes of all targets whose hash begins alike
 *
 * A set is found by the upper bits of a 64 bit hash of tenant, kind and id; a row in it by the
 * lower 32 (its tag; 0 is an empty row). In a full set the row that was used longest ago makes
 * room; of two used in the same second, the first. One act touches 1 platform, 1..2 account, 1..2
 * item, 0..4 place lines and at most TRUST_TOKENS pair lines, all known before the first is needed
 * (pairs: after the account).
 *
 * A count over time is two buckets, this one and the one before; last_s says which they are. The
 * count of the last WIDTH seconds is this + before * (share of before that is still inside). Times
 * are seconds since the epoch in 32 bits: until the year 2106. */
#ifndef ZAN_ENGINE_TRUST_TABLE_H
#define ZAN_ENGINE_TRUST_TABLE_H

#include <assert.h>

#include "base/hash.h"
#include "engine/trust.h"

#define TRUST_MAGIC     0x54535552544E415AULL /* "ZANTRUST" */
#define TRUST_TOKENS    6
#define TRUST_PLATFORMS 256
#define TRUST_DAY_S     86400u

/* Widths of the sliding counts. */
#define TRUST_FAST_S  60u
#define TRUST_PLACE_S 3600u

/* An item's window opens with the first act after the one before is over. Bought likes come within
 * an hour or so; with two hours most of a delivery is in one window even if an honest act opened
 * it. */
#define TRUST_WINDOW_S 7200u

struct trust {
    uint64_t magic;
    uint32_t version;
    uint32_t reserved;
    struct trust_config config; /* as rounded */
    uint32_t likes;             /* how many there were, modulo 2^32 without 0 */
    uint8_t zero[24];
};
static_assert(sizeof(struct trust) == 64, "header");

/* What is usual: one kind of act of one tenant. */
struct trust_platform {
    uint32_t tag;
    uint32_t last_s;
    uint32_t oldest_s;     /* the oldest account seen: how old the platform is */
    uint32_t typical_q20;  /* running mean of an account's acts per minute, seen at each act */
    uint32_t acts[2];      /* by day */
    uint32_t sampled[2];   /* by day; an item's window counts with its first TRUST_SAMPLE_MAX */
    uint32_t newcomers[2]; /* of the sampled: accounts without a past */
    uint32_t accounts[2];  /* by day; an account counts once */
    uint32_t first[2];     /* of the sampled: accounts that come for the first time */
    uint8_t zero[8];
};
static_assert(sizeof(struct trust_platform) == 64, "row");

struct trust_account {
    uint32_t tag;
    uint32_t last_s;
    uint8_t fast[2];  /* acts but views, TRUST_FAST_S */
    uint8_t views[2]; /* views and skips, TRUST_FAST_S */
    uint16_t slow[2]; /* acts but views, by day */
    uint8_t hours[8]; /* acts but views, by three hours of the day; all halved when one is full */
    uint16_t network; /* hash of the network it was last seen in */
    uint8_t lock;     /* how much of what it did was lockstep, 0..255 */
    uint8_t burst;    /* likes of items that surged; saturates */
    uint16_t start_h[TRUST_TOKENS]; /* hour the window opened, modulo 2^16 */
    uint32_t token[TRUST_TOKENS];   /* 0: none; else 20 bits hash, 4 log2 of rank, 8 creator */
};
static_assert(sizeof(struct trust_account) == 64, "row");

struct trust_window {
    uint32_t start_s;
    uint32_t count;
    uint32_t newcomers : 23; /* saturates */
    uint32_t believed : 8;   /* of views: what those of them count, in halves; bounded */
    uint32_t surged : 1;     /* it got far more than the item was used to */
    uint16_t locked;         /* acts with strong lockstep; saturates */
    uint16_t bad;            /* acts with two signals; saturates */
    uint16_t met;            /* acts with any lockstep; saturates */
    uint16_t thin;           /* acts of accounts that did little else; saturates */
};

struct trust_item {
    uint32_t tag;
    uint32_t last_s;
    struct trust_window window[2]; /* this one and the one before */
    uint32_t days[2];              /* acts by day */
    uint32_t flood_opened_s;
    uint32_t flood_until_s; /* 0: never was */
};
static_assert(sizeof(struct trust_item) == 64, "row");

struct trust_place {
    uint32_t tag;
    uint32_t last_s;
    uint8_t fast[2];  /* acts, TRUST_FAST_S */
    uint16_t slow[2]; /* with a target: acts by TRUST_PLACE_S; alone: accounts by day */
    uint8_t zero[2];
};
static_assert(sizeof(struct trust_place) == 16, "row");

struct trust_pair {
    uint32_t tag;
    uint16_t hour; /* last change, hours modulo 2^16 */
    uint8_t count; /* accounts that were in both windows; saturates */
    uint8_t rank;  /* log2 of the highest rank any of them had in the earlier window */
};
static_assert(sizeof(struct trust_pair) == 8, "row");

/* Acts but views that were seen of it; of the very active, part of them. */
static inline uint32_t trust_acts_seen(const struct trust_account *row)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < 8; i++)
        sum += row->hours[i];
    return sum;
}

static inline uint32_t trust_seconds(int64_t now_us)
{
    if (now_us <= 0)
        return 0;
    return now_us / 1000000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(now_us / 1000000);
}

static inline uint64_t trust_key(uint16_t tenant, uint8_t kind, uint64_t id)
{
    return hash_two((uint64_t)tenant << 8 | kind, id);
}

static inline uint32_t trust_tag(uint64_t key)
{
    return (uint32_t)key == 0 ? 1 : (uint32_t)key;
}

/* Two buckets as they are at now_s. */
struct trust_count {
    uint32_t now, before;
};

static inline struct trust_count trust_roll(uint32_t now, uint32_t before, uint32_t last_s,
                                            uint32_t now_s, uint32_t width_s)
{
    uint32_t then = last_s / width_s, current = now_s / width_s;

    if (current <= then) /* a clock that went back changes nothing */
        return (struct trust_count){now, before};
    if (current == then + 1)
        return (struct trust_count){0, now};
    return (struct trust_count){0, 0};
}

/* About how many in the last width_s seconds. */
static inline uint32_t trust_sliding(struct trust_count count, uint32_t now_s, uint32_t width_s)
{
    uint64_t still = (uint64_t)count.before * (width_s - now_s % width_s) / width_s;

    return count.now + (uint32_t)still;
}

/* Rows by key. get: NULL if unknown. take: makes the row, zeroed but for its tag, if need be. */
const struct trust_platform *trust_platform_get(const struct trust *trust, uint64_t key);
const struct trust_account *trust_account_get(const struct trust *trust, uint64_t key);
const struct trust_item *trust_item_get(const struct trust *trust, uint64_t key);
const struct trust_place *trust_place_get(const struct trust *trust, uint64_t key);
const struct trust_pair *trust_pair_get(const struct trust *trust, uint64_t key);
struct trust_platform *trust_platform_take(struct trust *trust, uint64_t key);
struct trust_account *trust_account_take(struct trust *trust, uint64_t key);
struct trust_item *trust_item_take(struct trust *trust, uint64_t key);
struct trust_place *trust_place_take(struct trust *trust, uint64_t key);
struct trust_pair *trust_pair_take(struct trust *trust, uint64_t key, uint16_t hour);

/* Adds to the ring of likes; like->number and previous are set. item_key: of its target. */
void trust_like_add(struct trust *trust, uint64_t item_key, const struct trust_like *like);
/* The newest of a chain, and the one before; NULL: none, or it is forgotten. */
const struct trust_like *trust_like_newest(const struct trust *trust, uint64_t item_key);
const struct trust_like *trust_like_before(const struct trust *trust,
                                           const struct trust_like *like);
void trust_like_prefetch(const struct trust *trust, uint64_t item_key);

void trust_account_prefetch(const struct trust *trust, uint64_t key);
void trust_item_prefetch(const struct trust *trust, uint64_t key);
void trust_place_prefetch(const struct trust *trust, uint64_t key);
void trust_pair_prefetch(const struct trust *trust, uint64_t key);

#endif
