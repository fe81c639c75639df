/* pool_deal.c: sharing impressions out, and the ledger of exposure credits. See pool.h.
 *
 * One level for all that compete is found by halving: the sum of share * min(room, level) rises
 * with it, so 60 halvings are exact to the last bit that matters. Newcomers get a level of their
 * own if theirs would be less than their part. An author over the cap is brought to it and leaves
 * the deal; then the level is found again for the rest, at most once for each author who can be
 * over it (1 / cap). */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/hook.h"
#include "readers/discover/pool.h"

#define HALVINGS 60

static int by_author(const void *a, const void *b)
{
    const struct pool_entry *x = a, *y = b;

    if (x->author != y->author)
        return x->author < y->author ? -1 : 1;
    if (x->share != y->share)
        return x->share > y->share ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* An author's second, third ... item weighs less. */
static void decay_authors(const struct pool_rule *rule, struct pool_entry *entry, uint32_t count)
{
    double part = 1;

    for (uint32_t i = 0; i < count; i++) {
        part = i > 0 && entry[i].author == entry[i - 1].author ? part * rule->author_decay : 1;
        entry[i].share *= fmax(part, rule->author_floor);
    }
}

enum { EVERYBODY, NEWCOMERS, OTHERS };

static bool takes_part(const struct pool_entry *entry, int group)
{
    return !entry->done && (group == EVERYBODY || entry->newcomer == (group == NEWCOMERS));
}

static double given_at(const struct pool_entry *entry, double level)
{
    return entry->share * fmin(entry->room, level);
}

static double sum_at(const struct pool_entry *entry, uint32_t count, int group, double level)
{
    double sum = 0;

    for (uint32_t i = 0; i < count; i++)
        if (takes_part(&entry[i], group))
            sum += given_at(&entry[i], level);
    return sum;
}

static double level_for(const struct pool_entry *entry, uint32_t count, int group, double supply)
{
    double low = 0, high = 0;

    for (uint32_t i = 0; i < count; i++)
        high = fmax(high, entry[i].room);
    if (sum_at(entry, count, group, high) <= supply)
        return high; /* everybody gets all they can use */
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;

        if (sum_at(entry, count, group, middle) <= supply)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void give(struct pool_entry *entry, uint32_t count, int group, double level)
{
    for (uint32_t i = 0; i < count; i++)
        if (takes_part(&entry[i], group))
            entry[i].budget = entry[i].first + given_at(&entry[i], level);
}

/* One level; or two, if newcomers would have less than their part. */
static void deal_once(struct pool_entry *entry, uint32_t count, double supply, double for_newcomers)
{
    double level = level_for(entry, count, EVERYBODY, supply), new_level;

    give(entry, count, EVERYBODY, level);
    if (sum_at(entry, count, NEWCOMERS, level) >= for_newcomers)
        return;
    new_level = level_for(entry, count, NEWCOMERS, fmin(for_newcomers, supply));
    give(entry, count, NEWCOMERS, new_level);
    supply -= sum_at(entry, count, NEWCOMERS, new_level);
    give(entry, count, OTHERS, level_for(entry, count, OTHERS, fmax(supply, 0)));
}

/* First budgets and credits: outright, but for their sum. */
static double give_due(struct pool_entry *entry, uint32_t count, double supply)
{
    double sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += entry[i].due;
    for (uint32_t i = 0; i < count; i++) {
        entry[i].first = sum > supply ? entry[i].due * supply / sum : entry[i].due;
        entry[i].budget = entry[i].first;
        entry[i].done = false;
    }
    return fmin(sum, supply);
}

/* The authors over the cap get just that, and are done; what they have, and whether there were any.
 * What was due stays: a cap is no reason not to look at a video at all. */
static bool cap_authors(struct pool_entry *entry, uint32_t count, double cap, double *taken)
{
    bool any = false;

    for (uint32_t from = 0, to; from < count; from = to) {
        double due = 0, more = 0, part;

        for (to = from; to < count && entry[to].author == entry[from].author; to++) {
            due += entry[to].first;
            more += entry[to].budget - entry[to].first;
        }
        if (entry[from].done || due + more <= cap || more <= 0 || PLANTED("discover.no_author_cap"))
            continue;
        part = fmax(cap - due, 0) / more;
        for (uint32_t i = from; i < to; i++) {
            double extra = (entry[i].budget - entry[i].first) * part;

            entry[i].budget = entry[i].first + extra;
            entry[i].done = true;
            *taken += extra;
        }
        any = true;
    }
    return any;
}

double pool_deal(const struct pool_rule *rule, struct pool_entry *entry, uint32_t count,
                 double supply)
{
    double due, taken = 0, sum = 0;

    assert(supply >= 0);
    qsort(entry, count, sizeof *entry, by_author);
    due = give_due(entry, count, supply);
    decay_authors(rule, entry, count);
    do
        deal_once(entry, count, fmax(supply - due - taken, 0),
                  rule->newcomer_share * (supply - due));
    while (cap_authors(entry, count, rule->author_cap * supply, &taken));
    for (uint32_t i = 0; i < count; i++)
        sum += entry[i].budget;
    return sum;
}

/* --- credits -------------------------------------------------------------------------------------
 */

static void lapse(struct pool_credit *credit, int64_t now_us)
{
    if (now_us >= credit->expires_us)
        credit->lapsed = credit->granted - credit->spent;
}

enum pool_credit_answer pool_credit_grant(struct pool_credit *credit, struct pool_purse *purse,
                                          uint32_t items, int64_t age_us, bool restricted,
                                          int64_t now_us)
{
    if (credit->granted > 0)
        return POOL_CREDIT_HAS;
    if (items > POOL_CREDIT_ITEMS_MAX || age_us > POOL_CREDIT_AGE_US)
        return POOL_CREDIT_NOT_NEW;
    if (restricted)
        return POOL_CREDIT_RESTRICTED;
    if (purse->given + POOL_CREDIT_NEWCOMER > purse->limit)
        return POOL_CREDIT_EMPTY;
    purse->given += POOL_CREDIT_NEWCOMER;
    *credit = (struct pool_credit){.granted = POOL_CREDIT_NEWCOMER,
                                   .expires_us = now_us + POOL_CREDIT_US};
    return POOL_CREDIT_GIVEN;
}

double pool_credit_left(const struct pool_credit *credit, int64_t now_us)
{
    return now_us >= credit->expires_us ? 0 : credit->granted - credit->spent - credit->lapsed;
}

double pool_credit_spend(struct pool_credit *credit, double amount, int64_t now_us)
{
    double spent = fmin(fmax(amount, 0), pool_credit_left(credit, now_us));

    lapse(credit, now_us);
    credit->spent += spent;
    return spent;
}
