/* discover.h: the computing core of discovery: records in, heat and rates and lists out.
 *
 * Everything here is a function of the records and of the ticks, in one thread, in memory of a
 * fixed size. No I/O, no clock. reader_discover.c binds it to the contract of readers (reader.h).
 *
 *   apply   takes every record there is, of any version; what it does not know it passes over
 *   tick    lets time pass when no record does: steps of what fades, boosts that end
 *
 * Time: record_us is the latest time of a record, now_us that or the latest tick. Rows are a
 * function of the records alone: a tick changes the lists (what fades has faded, a boost or a
 * newcomer's week is over), and no row. A record of another partition may be a moment older; what
 * it brings is dated by its own time.
 *
 * Likes: the first like of an account counts; one that comes back brings what its un-like had
 * taken. What a like brought is known from its exposure. If that has been forgotten (the table was
 * full and it was the coldest), the field BEFORE of the record tells what the like was worth and
 * when, and the least it can have brought (match 0.5, depth 1) is taken away: never more than it
 * had brought, so nobody can lower an item by taking back. One that comes back then brings nothing
 * (EXPOSURE_HEATLESS). Without BEFORE (older logs) nothing. Favorites, comments and shares say
 * nothing of what was before: forgotten, the first of an account counts anew.
 *
 * Memory: discover_open takes one block of at most the bytes given and gives it back at close. A
 * full table lets its coldest row go: an item (of the coldest of eight unused ones), an exposure,
 * an account. */
#ifndef ZAN_READERS_DISCOVER_DISCOVER_H
#define ZAN_READERS_DISCOVER_DISCOVER_H

#include "readers/discover/boost.h"
#include "readers/discover/campaigns.h"
#include "readers/discover/due.h"
#include "readers/discover/gifts.h"
#include "readers/discover/quantile.h"
#include "readers/discover/rows.h"
#include "readers/discover/top.h"
#include "readers/discover/trial.h"
#include "readers/discover/viewer.h"
#include "readers/reader.h"
#include "schema/record.h"
#include "schema/status.h"

#define DISCOVER_VERSION   8 /* of what apply computes and save writes */
#define DISCOVER_BYTES_MIN (1u << 20)
#define NEWCOMER_US        (7LL * 24 * 3600 * 1000000)
#define NEWCOMER_ITEMS     3

struct discover_rules {
    int64_t half_life_us;
    double weight[HEAT_VERBS];
    double depth;   /* of a like, once its account has commented after it */
    double credits; /* of newcomers, impressions in GIFT_PERIOD_US; 0: none */
};
extern const struct discover_rules discover_defaults;

enum scope_kind { SCOPE_ALL, SCOPE_TAG, SCOPE_REGION, SCOPE_CREATOR, SCOPE_NEWCOMERS };

struct discover_size {
    uint32_t items, exposures, accounts, creators, tags, lives, sketches, offs, viewers, weights,
        gifts;
    struct top_size top;
};

struct discover {
    struct discover_rules rules;
    struct discover_size size;
    struct heat_clock clock; /* of heat */
    struct heat_clock interests_clock, kinds_clock;
    struct table items, exposures, accounts, creators, tags, lives, sketches, offs, viewers,
        weights;
    struct top top;
    struct due due;
    struct quantile *quantile;
    struct boost_book *boosts;
    struct campaign_book *campaigns;
    struct gift_book gifts;
    struct trial trial;         /* items with impressions of their stage left */
    struct signals *platform;   /* of all items together */
    double interests_mass;      /* forward: of everybody */
    struct kind_sums kinds;     /* forward: of all items, also those without tags */
    struct health_pairs viewed; /* viewers one after the other, of all items */
    uint64_t approved;          /* the case of the last CASE APPROVE */
    double *boost;              /* of each item's row, as of now_us: 1 .. 2 */
    int64_t record_us, now_us;
    uint64_t applied; /* records */
    uint16_t births;  /* items made, from 1 to 65,535 and again */
    void *memory;
    size_t bytes;
};

/* NOMEMORY; BADVALUE: under DISCOVER_BYTES_MIN. */
enum status discover_open(struct discover *discover, uint64_t bytes,
                          const struct discover_rules *rules);
void discover_clear(struct discover *discover);
void discover_close(struct discover *discover);

void discover_apply(struct discover *discover, const struct record *record);
void discover_tick(struct discover *discover, int64_t now_us);

/* --- checkpoints: what apply and tick have made, in the form of reader.h
 * -------------------------- */

enum status discover_save(const struct discover *discover, struct reader_sink *sink);
/* Into one that was opened with the same bytes and rules, or cleared. BADDATA: it was not. */
enum status discover_restore(struct discover *discover, struct reader_source *source);
/* Of all that save puts: after the same records, in the same order, the same. */
void discover_digest(const struct discover *discover, uint8_t digest[32]);

/* --- what answers are made of; borrowed until the next call --------------------------------------
 */

const struct item *discover_item(const struct discover *discover, uint32_t tenant, uint64_t id);
/* Heat of now: in likes of full weight, match 1, depth 1, done at now_us. Boosts are not in it. */
double discover_heat(const struct discover *discover, const struct item *item, int64_t now_us);
/* Rows of table items, the hottest first (boosts are in); refused as top_read says. Items that are
 * not published, and those of suspended creators, are left out. */
uint32_t discover_top(struct discover *discover, uint32_t tenant, enum scope_kind kind, uint64_t id,
                      uint32_t want, uint32_t *rows, uint64_t *refused);

/* Of a row of table items. */
static inline double discover_boost_of(const struct discover *discover, const struct item *item)
{
    return discover->boost[table_number(&discover->items, item)];
}

struct discover_commenters {
    double count;
    bool exact;
};
struct discover_commenters discover_commenters(const struct discover *discover,
                                               const struct item *item);

struct discover_trend {
    const struct tag_row *tag;
    struct rising_trend trend;
};
#define DISCOVER_RISING_MAX 100
/* The tags that rise, the most surprising first. Looks at every tag there is. */
uint32_t discover_rising(const struct discover *discover, uint32_t tenant,
                         enum rising_window window, int64_t now_us, uint32_t want,
                         struct discover_trend *trends);

/* Zeroed if nothing happened for long. */
struct live discover_live(const struct discover *discover, uint32_t tenant, uint64_t item);

const struct account *discover_account(const struct discover *discover, uint32_t tenant,
                                       uint64_t id);
/* Was an assertion of that epoch revoked? Where that is no longer known, yes. */
bool discover_is_revoked(const struct discover *discover, uint32_t tenant, uint64_t account,
                         uint32_t epoch);
/* May anything be kept or used of that account? */
bool discover_may_personalise(const struct discover *discover, uint32_t tenant, uint64_t account);
/* 1 where nothing may be, or is, known. */
double discover_fit(struct discover *discover, uint32_t tenant, uint64_t account,
                    const struct item *item, int64_t now_us);

/* Of the item's tags in everybody's interests; 0: nobody has any. */
double discover_tag_share(const struct discover *discover, const struct item *item);

/* For feeds; NULL: nothing is known of it. Who may not be personalised has none. */
const struct viewer *discover_viewer(const struct discover *discover, uint32_t tenant,
                                     uint64_t account);
struct taste_item discover_taste_item(const struct item *item);
/* Is the creator of this row of items suspended? */
bool discover_is_hidden(const struct discover *discover, uint32_t row);
/* Where an account that makes items is at home; 0: not known. */
uint64_t discover_region(const struct discover *discover, uint32_t tenant, uint64_t account);

/* What a creator's weight is made of; NULL: nothing is known, it counts as WEIGHT_NEUTRAL. */
const struct weight *discover_weight(const struct discover *discover, uint32_t tenant,
                                     uint64_t creator);
double discover_weight_at(const struct discover *discover, uint32_t tenant, uint64_t creator,
                          int64_t now_us);
/* What an audience did, in the pool's metrics; s <= n. */
struct pool_seen discover_seen(const struct signal_stage *stage);

/* The number of a tag, or of a search word, by its name. */
uint64_t discover_tag_id(const char *name, size_t size);
/* NULL: nothing is known of it any more. */
const struct tag_row *discover_tag(const struct discover *discover, uint32_t tenant, uint64_t id);

/* What a gate decides by: distinct, attested, weighed impressions and successes of the item's
 * stage. */
static inline const struct signal_stage *discover_stage(const struct item *item)
{
    return &item->stage_counts;
}

/* --- what records of other kinds say; discover_apply calls them, tests may
 * ------------------------ */

void discover_set_tags(struct discover *discover, uint32_t tenant, uint64_t item,
                       const struct tag *tags, uint32_t count, int64_t time_us);
/* tag 0 with all: everything that is known of the account. */
void discover_forget(struct discover *discover, uint32_t tenant, uint64_t account, uint64_t tag,
                     bool all);
void discover_boost(struct discover *discover, const struct boost *boost);

/* --- gifts.h, of this creator
 * -------------------------------------------------------------------------------- */

/* Why he has a credit, or what another item of his would bring. */
enum pool_credit_answer discover_credit_of(const struct discover *discover, uint32_t tenant,
                                           uint64_t creator, int64_t now_us);

#endif
