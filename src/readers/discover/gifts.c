/* gifts.c: see gifts.h. */
#include "readers/discover/gifts.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "schema/verb.h"

#define UNITS_OF_PCT (GIFT_IMPRESSIONS * GIFT_UNITS / 100) /* units that a percent of a like is */
#define LOOKS        8                                     /* at rows, before a page goes without */

/* --- memory --------------------------------------------------------------------------------------
 */

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t gifts_bytes(uint32_t rows)
{
    struct gift_book book;

    return rounded(table_bytes(sizeof(struct gift_row), rows)) +
           GIFTS * rounded(trial_bytes(rows)) + rounded(sizeof *book.waiting * rows) +
           rounded(sizeof *book.waits_us * rows);
}

/* What is looked at when one has to go: which ends last stays longest. */
static double ends(const void *at)
{
    const struct gift_row *row = at;

    if (row->head.b != 0)
        return HUGE_VAL; /* a purse */
    return row->asks > 0 ? 1e18 : fmax((double)row->until_s, (double)row->credit.expires_us / 1e6);
}

void gifts_open(struct gift_book *book, void *memory, uint32_t rows)
{
    unsigned char *at = memory;

    table_open(&book->rows, at, sizeof(struct gift_row), rows);
    book->rows.warmth = ends;
    at += rounded(table_bytes(sizeof(struct gift_row), rows));
    for (int gift = 0; gift < GIFTS; gift++) {
        trial_open(&book->open[gift], at, rows);
        at += rounded(trial_bytes(rows));
    }
    book->waiting = (void *)at;
    book->waits_us = (void *)(at + rounded(sizeof *book->waiting * rows));
}

static struct gift_row *row_at(const struct gift_book *book, uint32_t row)
{
    return table_row(&book->rows, row);
}

/* May there be something left? Until when is looked at when it is used. */
static void mark(struct gift_book *book, uint32_t at)
{
    const struct gift_row *row = row_at(book, at);
    const struct pool_credit *credit = &row->credit;

    trial_set(&book->open[GIFT_COMPENSATION], at, row->asks > 0 || row->left_pct > 0);
    trial_set(&book->open[GIFT_CREDIT], at, credit->granted > credit->spent + credit->lapsed);
}

void gifts_index(struct gift_book *book)
{
    for (uint32_t at = 0; at < book->rows.fresh; at++)
        if (row_at(book, at)->head.used)
            mark(book, at);
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static struct gift_row *find(const struct gift_book *book, struct table_key key, bool touch)
{
    uint32_t at = table_find((struct table *)&book->rows, key, touch);

    return at == TABLE_NONE ? NULL : row_at(book, at);
}

static struct table_key key_of(uint32_t tenant, uint64_t creator)
{
    return (struct table_key){creator, 0, tenant};
}

const struct gift_row *gifts_find(const struct gift_book *book, uint32_t tenant, uint64_t creator)
{
    return find(book, key_of(tenant, creator), false);
}

static void drop(struct gift_book *book, uint32_t at)
{
    for (int gift = 0; gift < GIFTS; gift++)
        trial_set(&book->open[gift], at, false);
    table_remove(&book->rows, at);
}

static struct gift_row *take(struct gift_book *book, struct table_key key)
{
    struct gift_row *row = find(book, key, true);
    uint32_t victim, at;

    if (row != NULL)
        return row;
    victim = table_victim(&book->rows);
    if (victim != TABLE_NONE) {
        drop(book, victim);
        book->rows.evicted++;
    }
    at = table_add(&book->rows, key);
    memset(book->waiting[at], 0, sizeof book->waiting[at]);
    return row_at(book, at);
}

static uint32_t number_of(const struct gift_book *book, const struct gift_row *row)
{
    return table_number(&book->rows, row);
}

void gifts_forget(struct gift_book *book, uint32_t tenant, uint64_t creator)
{
    uint32_t at = table_find(&book->rows, key_of(tenant, creator), false);

    if (at != TABLE_NONE)
        drop(book, at);
}

/* --- compensation --------------------------------------------------------------------------------
 */

void gifts_decided(struct gift_book *book, const struct record *record)
{
    struct gift_row *row;

    if (record->target == 0 && record->b == 0)
        return; /* of another kind; or older */
    row = take(book, key_of(record->tenant, record->target));
    row->named = record->sequence;
    row->asks = GIFT_ASKS;
    mark(book, number_of(book, row));
}

static bool is_whole(const struct gift_row *row)
{
    return (uint64_t)row->left_pct * UNITS_OF_PCT >= GIFT_UNITS;
}

void gifts_told(struct gift_book *book, const struct record *record)
{
    struct gift_row *row = take(book, key_of(record->tenant, record->account));

    row->tells++;
    row->spent_pct += record->a; /* a refusal has no numbers */
    row->left_pct = (uint32_t)record->b;
    row->until_s = (uint32_t)(record->b >> 32);
    /* Between partitions a decision takes a moment: nothing there yet is no answer. That there was
     * less than was thought (likes came back) is asked about. */
    if (is_whole(row))
        row->asks = 0;
    else if (record->status == STATUS_NOBUDGET && row->asks == 0)
        row->asks = 1;
    else if (row->asks > 0)
        row->asks--;
    mark(book, number_of(book, row));
}

/* Shown, and not told: in units. */
static uint64_t untold(const struct gift_row *row)
{
    uint64_t told = row->spent_pct * UNITS_OF_PCT;

    return row->shown_units > told ? row->shown_units - told : 0;
}

static bool is_over(const struct gift_row *row, int64_t now_us)
{
    return now_us / 1000000 >= row->until_s && !PLANTED("discover.gift_without_end");
}

uint32_t gift_owes(const struct gift_row *row, int64_t now_us)
{
    uint64_t owed = untold(row) / UNITS_OF_PCT;

    if (is_over(row, now_us))
        return 0;
    return owed < row->left_pct ? (uint32_t)owed : row->left_pct;
}

/* --- credits -------------------------------------------------------------------------------------
 */

/* The purse as it is then; *row: where it stands, NULL: nobody had anything of it yet. */
static struct pool_purse purse_of(const struct gift_book *book, const struct gift_newcomer *who,
                                  struct gift_row **row)
{
    struct pool_purse purse = {.limit = who->limit};

    *row = find(book, (struct table_key){0, 1, who->tenant}, true);
    /* A record of another partition may be of the period before: it counts in this one. */
    if (*row != NULL && (*row)->period >= who->now_us / GIFT_PERIOD_US)
        purse.given = (*row)->purse.given;
    return purse;
}

static enum pool_credit_answer grant(const struct gift_book *book, const struct gift_newcomer *who,
                                     struct pool_credit *credit, struct pool_purse *purse)
{
    const struct gift_row *has = gifts_find(book, who->tenant, who->creator);
    struct gift_row *row;

    *credit = has != NULL ? has->credit : (struct pool_credit){0};
    *purse = purse_of(book, who, &row);
    return pool_credit_grant(credit, purse, who->items, who->age_us, who->restricted, who->now_us);
}

enum pool_credit_answer gifts_would(const struct gift_book *book, const struct gift_newcomer *who)
{
    struct pool_credit credit;
    struct pool_purse purse;

    return grant(book, who, &credit, &purse);
}

void gifts_newcomer(struct gift_book *book, const struct gift_newcomer *who)
{
    struct pool_credit credit;
    struct pool_purse purse;
    struct gift_row *row;

    if (grant(book, who, &credit, &purse) != POOL_CREDIT_GIVEN)
        return;
    row = take(book, (struct table_key){0, 1, who->tenant});
    row->purse = purse;
    if (row->period < who->now_us / GIFT_PERIOD_US)
        row->period = who->now_us / GIFT_PERIOD_US;
    row = take(book, key_of(who->tenant, who->creator));
    row->credit = credit;
    mark(book, number_of(book, row));
}

/* --- what was shown ------------------------------------------------------------------------------
 */

void gifts_shown(struct gift_book *book, enum gift gift, uint32_t tenant, uint64_t creator,
                 uint32_t units, int64_t time_us)
{
    struct gift_row *row = take(book, key_of(tenant, creator));
    uint32_t at = number_of(book, row), *waiting = &book->waiting[at][gift];

    *waiting -= *waiting > 0;
    if (gift == GIFT_COMPENSATION)
        row->shown_units += units;
    else
        (void)pool_credit_spend(&row->credit, (double)units / GIFT_UNITS, time_us);
    mark(book, at);
}

/* --- what there is -------------------------------------------------------------------------------
 */

static uint32_t waiting_of(const struct gift_book *book, uint32_t at, enum gift gift,
                           int64_t now_us)
{
    int64_t since_us = now_us - book->waits_us[at];

    return since_us >= 0 && since_us < GIFT_WAITS_US ? book->waiting[at][gift] : 0;
}

double gifts_left(const struct gift_book *book, const struct gift_row *row, enum gift gift,
                  int64_t now_us)
{
    double left = 0;

    if (gift == GIFT_CREDIT)
        left = pool_credit_left(&row->credit, now_us);
    else if (!is_over(row, now_us))
        left = ((double)row->left_pct * UNITS_OF_PCT - (double)untold(row)) / GIFT_UNITS;
    return fmax(0, left - waiting_of(book, number_of(book, row), gift, now_us));
}

static bool has_ended(const struct gift_row *row, enum gift gift, int64_t now_us)
{
    if (gift == GIFT_CREDIT)
        return pool_credit_left(&row->credit, now_us) <= 0;
    return row->asks == 0 && is_over(row, now_us);
}

const struct gift_row *gifts_pick(struct gift_book *book, enum gift gift, uint32_t tenant,
                                  uint64_t random, int64_t now_us)
{
    struct trial *open = &book->open[gift];

    for (uint32_t i = 0; i < LOOKS && open->count > 0; i++) {
        uint32_t at = open->rows[(hash_two(random, i) >> 32) % open->count];
        const struct gift_row *row = row_at(book, at);

        if (has_ended(row, gift, now_us))
            trial_set(open, at, false);
        else if (row->head.c == tenant && gifts_left(book, row, gift, now_us) >= 1)
            return row;
    }
    return NULL;
}

void gifts_given(struct gift_book *book, const struct gift_row *row, enum gift gift, int64_t now_us)
{
    uint32_t at = number_of(book, row);
    int64_t since_us = now_us - book->waits_us[at];

    if (since_us < 0 || since_us >= GIFT_WAITS_US) {
        memset(book->waiting[at], 0, sizeof book->waiting[at]);
        book->waits_us[at] = now_us;
    }
    book->waiting[at][gift]++;
}
