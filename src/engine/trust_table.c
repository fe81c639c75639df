/* Sets of rows in one flat region. Where a table begins follows from the configuration that the
 * caller gave, never from bytes of the region; an index is always cut to the table. */
#include "engine/trust_table.h"

#include <string.h>

#include "base/hook.h"

#define ROW_WAYS   2u /* platforms, accounts, items: neighbouring lines */
#define PLACE_WAYS 4u /* in one line */
#define PAIR_WAYS  8u /* in one line */
#define COUNT_MIN  64u
#define KEPT_ACTS  8u /* each keeps an account's row a day longer */
#define COUNT_MAX  (1u << 30)

static uint32_t round_up(uint32_t count)
{
    uint32_t size = COUNT_MIN;

    while (size < count && size < COUNT_MAX)
        size *= 2;
    return size;
}

static struct trust_config rounded(const struct trust_config *config)
{
    return (struct trust_config){round_up(config->accounts), round_up(config->items),
                                 round_up(config->places), round_up(config->pairs),
                                 round_up(config->likes)};
}

static size_t accounts_at(void)
{
    return sizeof(struct trust) + TRUST_PLATFORMS * sizeof(struct trust_platform);
}

static size_t items_at(const struct trust_config *config)
{
    return accounts_at() + (size_t)config->accounts * sizeof(struct trust_account);
}

static size_t places_at(const struct trust_config *config)
{
    return items_at(config) + (size_t)config->items * sizeof(struct trust_item);
}

static size_t pairs_at(const struct trust_config *config)
{
    return places_at(config) + (size_t)config->places * sizeof(struct trust_place);
}

static size_t likes_at(const struct trust_config *config)
{
    return pairs_at(config) + (size_t)config->pairs * sizeof(struct trust_pair);
}

static size_t chains_at(const struct trust_config *config)
{
    return likes_at(config) + (size_t)config->likes * sizeof(struct trust_like);
}

static size_t size_of(const struct trust_config *config)
{
    return chains_at(config) + (size_t)config->likes * sizeof(uint32_t);
}

size_t trust_bytes(const struct trust_config *config)
{
    struct trust_config sizes = rounded(config);

    return size_of(&sizes);
}

/* Doubles what is scarcest while it fits: one item for two accounts, two places and eight pairs for
 * each account, one like for four (docs/trust.md, "Memory"). */
struct trust_config trust_config_for(size_t bytes)
{
    struct trust_config config = {COUNT_MIN, COUNT_MIN, COUNT_MIN, COUNT_MIN, COUNT_MIN};

    for (;;) {
        struct trust_config next = config;

        if (next.pairs < next.accounts * 8)
            next.pairs *= 2;
        else if (next.places < next.accounts * 2)
            next.places *= 2;
        else if (next.items < next.accounts / 2)
            next.items *= 2;
        else if (next.likes < next.accounts / 4)
            next.likes *= 2;
        else
            next.accounts *= 2;
        if (next.accounts > COUNT_MAX / 16 || size_of(&next) > bytes)
            return config;
        config = next;
    }
}

struct trust *trust_open(void *region, size_t bytes, const struct trust_config *config)
{
    struct trust *trust = region;
    struct trust_config sizes = rounded(config);

    assert((uintptr_t)region % 64 == 0);
    assert(bytes >= size_of(&sizes));
    memset(region, 0, size_of(&sizes));
    trust->magic = TRUST_MAGIC;
    trust->version = TRUST_VERSION;
    trust->config = sizes;
    return trust;
}

struct trust *trust_restore(void *region, size_t bytes, const struct trust_config *config)
{
    struct trust *trust = region;
    struct trust_config sizes = rounded(config);

    assert((uintptr_t)region % 64 == 0);
    if (bytes < size_of(&sizes) || trust->magic != TRUST_MAGIC || trust->version != TRUST_VERSION)
        return NULL;
    return memcmp(&trust->config, &sizes, sizeof sizes) == 0 ? trust : NULL;
}

/* The set of `ways` rows that a key belongs to: the upper half of its hash as a share of the table.
 */
static size_t set_of(uint64_t key, uint32_t rows, uint32_t ways)
{
    return (size_t)((key >> 32) * (rows / ways) >> 32) * ways;
}

static const uint8_t *base_of(const struct trust *trust)
{
    return (const uint8_t *)trust;
}

/* One accessor for each table; the rows differ, the search does not. */
#define TABLE(name, offset, rows, ways)                                                            \
    static const struct trust_##name *name##_set(const struct trust *trust, uint64_t key)          \
    {                                                                                              \
        return (const struct trust_##name *)(const void *)(base_of(trust) + (offset)) +            \
               set_of(key, rows, ways);                                                            \
    }                                                                                              \
    const struct trust_##name *trust_##name##_get(const struct trust *trust, uint64_t key)         \
    {                                                                                              \
        const struct trust_##name *set = name##_set(trust, key);                                   \
                                                                                                   \
        for (uint32_t i = 0; i < (ways); i++)                                                      \
            if (set[i].tag == trust_tag(key))                                                      \
                return &set[i];                                                                    \
        return NULL;                                                                               \
    }

/* When a row was last used, and of an account that has acted more often, later: a flood of accounts
 * that act once must not make the scorer forget who is known. */
static uint64_t kept_until(const void *row, uint32_t last_s)
{
    (void)row;
    return last_s;
}

static uint64_t kept_until_account(const struct trust_account *row, uint32_t last_s)
{
    uint32_t acts = trust_acts_seen(row);

    return last_s + (uint64_t)(acts < KEPT_ACTS ? acts : KEPT_ACTS) * TRUST_DAY_S;
}

#define TABLE_BY_AGE(name, ways, kept)                                                             \
    struct trust_##name *trust_##name##_take(struct trust *trust, uint64_t key)                    \
    {                                                                                              \
        struct trust_##name *set = (struct trust_##name *)(uintptr_t)name##_set(trust, key);       \
        uint32_t oldest = 0;                                                                       \
                                                                                                   \
        for (uint32_t i = 0; i < (ways); i++) {                                                    \
            if (set[i].tag == trust_tag(key))                                                      \
                return &set[i];                                                                    \
            if (set[oldest].tag != 0 &&                                                            \
                (set[i].tag == 0 ||                                                                \
                 kept(&set[i], set[i].last_s) < kept(&set[oldest], set[oldest].last_s)))           \
                oldest = i;                                                                        \
        }                                                                                          \
        memset(&set[oldest], 0, sizeof set[oldest]);                                               \
        set[oldest].tag = trust_tag(key);                                                          \
        return &set[oldest];                                                                       \
    }

TABLE(platform, sizeof(struct trust), TRUST_PLATFORMS, ROW_WAYS)
TABLE(account, accounts_at(), trust->config.accounts, ROW_WAYS)
TABLE(item, items_at(&trust->config), trust->config.items, ROW_WAYS)
TABLE(place, places_at(&trust->config), trust->config.places, PLACE_WAYS)
TABLE(pair, pairs_at(&trust->config), trust->config.pairs, PAIR_WAYS)
TABLE_BY_AGE(platform, ROW_WAYS, kept_until)
TABLE_BY_AGE(account, ROW_WAYS, kept_until_account)
TABLE_BY_AGE(item, ROW_WAYS, kept_until)
TABLE_BY_AGE(place, PLACE_WAYS, kept_until)

/* Of pairs the least worth keeping makes room: an hour of age costs as much as one account counted.
 */
static uint32_t pair_worth(const struct trust_pair *pair, uint16_t hour)
{
    uint32_t age = (uint16_t)(hour - pair->hour);

    if (pair->tag == 0)
        return 0;
    return 1 + (pair->count * 16u) / (1 + age);
}

struct trust_pair *trust_pair_take(struct trust *trust, uint64_t key, uint16_t hour)
{
    struct trust_pair *set = (struct trust_pair *)(uintptr_t)pair_set(trust, key);
    uint32_t least = 0;

    for (uint32_t i = 0; i < PAIR_WAYS; i++) {
        if (set[i].tag == trust_tag(key))
            return &set[i];
        if (pair_worth(&set[i], hour) < pair_worth(&set[least], hour))
            least = i;
    }
    set[least] = (struct trust_pair){.tag = trust_tag(key), .hour = hour};
    return &set[least];
}

void trust_account_prefetch(const struct trust *trust, uint64_t key)
{
    const struct trust_account *set = account_set(trust, key);

    __builtin_prefetch(&set[0], 1);
    __builtin_prefetch(&set[1], 1);
}

void trust_item_prefetch(const struct trust *trust, uint64_t key)
{
    const struct trust_item *set = item_set(trust, key);

    __builtin_prefetch(&set[0], 1);
    __builtin_prefetch(&set[1], 1);
}

void trust_place_prefetch(const struct trust *trust, uint64_t key)
{
    __builtin_prefetch(place_set(trust, key), 1);
}

void trust_pair_prefetch(const struct trust *trust, uint64_t key)
{
    __builtin_prefetch(pair_set(trust, key), 1);
}

/* --- likes ---------------------------------------------------------------------------------------
 */

/* Sizes are powers of two. */
static const struct trust_like *like_at(const struct trust *trust, uint32_t number)
{
    const struct trust_like *ring =
        (const struct trust_like *)(const void *)(base_of(trust) + likes_at(&trust->config));

    return &ring[number & (trust->config.likes - 1)];
}

static const uint32_t *chain_of(const struct trust *trust, uint64_t item_key)
{
    const uint32_t *chains =
        (const uint32_t *)(const void *)(base_of(trust) + chains_at(&trust->config));

    return &chains[set_of(item_key, trust->config.likes, 1)];
}

/* A number stands for a like until its place is taken by a later one. */
static const struct trust_like *like_of(const struct trust *trust, uint32_t number)
{
    const struct trust_like *like = like_at(trust, number);

    return number != 0 && like->number == number ? like : NULL;
}

void trust_like_add(struct trust *trust, uint64_t item_key, const struct trust_like *like)
{
    uint32_t *chain = (uint32_t *)(uintptr_t)chain_of(trust, item_key);
    struct trust_like *place;

    trust->likes += trust->likes == UINT32_MAX ? 2 : 1;
    place = (struct trust_like *)(uintptr_t)like_at(trust, trust->likes);
    *place = *like;
    place->number = trust->likes;
    place->previous = *chain;
    *chain = trust->likes;
}

const struct trust_like *trust_like_newest(const struct trust *trust, uint64_t item_key)
{
    return like_of(trust, *chain_of(trust, item_key));
}

const struct trust_like *trust_like_before(const struct trust *trust, const struct trust_like *like)
{
    return like_of(trust, like->previous);
}

void trust_like_prefetch(const struct trust *trust, uint64_t item_key)
{
    __builtin_prefetch(chain_of(trust, item_key), 1);
}

void trust_forget(struct trust *trust, uint16_t tenant, uint64_t account)
{
    for (uint32_t i = 0; i < trust->config.likes; i++) {
        struct trust_like *like = (struct trust_like *)(uintptr_t)like_at(trust, i);

        if (like->number == 0 || like->account != account || like->tenant != tenant)
            continue;
        /* The item's own share stays, and the chain. */
        like->account = like->address = like->device = like->network = 0;
    }
}

/* --- is it whole? --------------------------------------------------------------------------------
 * Facts that hold of every row whatever was observed: an empty row is all zero, no time lies ahead,
 * a part is no larger than the whole it is of, what is never written stays zero. */

static bool is_zero(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++)
        if (at[i] != 0)
            return false;
    return true;
}

static bool platform_is_good(const struct trust_platform *row, uint32_t now_s)
{
    if (row->tag == 0)
        return is_zero(row, sizeof *row);
    return row->last_s <= now_s && is_zero(row->zero, sizeof row->zero);
}

static bool account_is_good(const struct trust_account *row, uint32_t now_s)
{
    return row->tag == 0 ? is_zero(row, sizeof *row) : row->last_s <= now_s;
}

static bool window_is_good(const struct trust_window *window, uint32_t now_s)
{
    return window->start_s <= now_s && window->newcomers <= window->count &&
           window->locked <= window->count && window->bad <= window->count &&
           window->met <= window->count && window->thin <= window->count;
}

static bool item_is_good(const struct trust_item *row, uint32_t now_s)
{
    if (row->tag == 0)
        return is_zero(row, sizeof *row);
    return row->last_s <= now_s && window_is_good(&row->window[0], now_s) &&
           window_is_good(&row->window[1], now_s) && row->flood_opened_s <= now_s &&
           row->flood_until_s >= row->flood_opened_s &&
           row->flood_until_s - row->flood_opened_s <= TRUST_DAY_S;
}

static bool places_are_good(const struct trust_place *rows, uint32_t now_s)
{
    for (uint32_t i = 0; i < PLACE_WAYS; i++)
        if (rows[i].tag == 0
                ? !is_zero(&rows[i], sizeof rows[i])
                : rows[i].last_s > now_s || rows[i].zero[0] != 0 || rows[i].zero[1] != 0)
            return false;
    return true;
}

static bool pairs_are_good(const struct trust_pair *rows)
{
    for (uint32_t i = 0; i < PAIR_WAYS; i++)
        if (rows[i].tag == 0 && !is_zero(&rows[i], sizeof rows[i]))
            return false;
    return true;
}

static bool like_is_good(const struct trust_like *row, int64_t now_us)
{
    if (row->number == 0)
        return is_zero(row, sizeof *row);
    return row->time_us <= now_us && is_zero(row->zero, sizeof row->zero);
}

/* The line of 64 bytes that begins there; chains hold any number. */
static bool line_is_good(const struct trust *trust, size_t at, int64_t now_us)
{
    const void *line = base_of(trust) + at;
    uint32_t now_s = trust_seconds(now_us);

    if (at < accounts_at())
        return platform_is_good(line, now_s);
    if (at < items_at(&trust->config))
        return account_is_good(line, now_s);
    if (at < places_at(&trust->config))
        return item_is_good(line, now_s);
    if (at < pairs_at(&trust->config))
        return places_are_good(line, now_s);
    return at < likes_at(&trust->config) ? pairs_are_good(line) : like_is_good(line, now_us);
}

bool trust_check(const struct trust *trust, const struct trust_config *config, int64_t now_us,
                 uint64_t *hand, uint32_t lines)
{
    struct trust_config sizes = rounded(config);
    uint64_t count;

    if (trust->magic != TRUST_MAGIC || trust->version != TRUST_VERSION || trust->reserved != 0 ||
        memcmp(&trust->config, &sizes, sizeof sizes) != 0 ||
        !is_zero(trust->zero, sizeof trust->zero))
        return false;
    count = (chains_at(&sizes) - sizeof *trust) / 64;
    for (uint32_t i = 0; i < lines; i++) {
        size_t line = (*hand)++ % count;

        if (!line_is_good(trust, sizeof *trust + line * 64, now_us))
            return PLANTED("trust.damage_is_not_seen");
    }
    return true;
}
