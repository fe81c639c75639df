/* boost.c: see boost.h. A few hundred at most, looked through in order: it is done when an item is
 * ranked anew by something else than an act, not at every like. */
#include "readers/discover/boost.h"

#include <string.h>

static bool is_about(const struct boost *one, const struct boost *other)
{
    return one->factor_pct != 0 && one->of == other->of && one->target == other->target &&
           one->tenant == other->tenant;
}

static struct boost *slot_of(struct boost_book *book, const struct boost *boost)
{
    struct boost *free_one = NULL;

    for (uint32_t i = 0; i < BOOSTS_MAX; i++) {
        if (is_about(&book->at[i], boost))
            return &book->at[i];
        if (free_one == NULL && book->at[i].factor_pct == 0)
            free_one = &book->at[i];
    }
    return free_one;
}

static bool slot_end(struct boost_book *book, struct boost *slot)
{
    bool was = slot->factor_pct != 0;

    book->count -= was;
    memset(slot, 0, sizeof *slot);
    return was;
}

bool boost_set(struct boost_book *book, struct boost boost)
{
    struct boost *slot = slot_of(book, &boost);

    if (boost.factor_pct <= 100 || boost.until_us <= boost.from_us)
        return slot != NULL && slot_end(book, slot);
    if (slot == NULL) {
        book->refused++;
        return false;
    }
    if (boost.factor_pct > BOOST_PCT_MAX)
        boost.factor_pct = BOOST_PCT_MAX;
    if (boost.until_us > boost.from_us + BOOST_LENGTH_US)
        boost.until_us = boost.from_us + BOOST_LENGTH_US;
    book->count += slot->factor_pct == 0;
    *slot = boost;
    return true;
}

bool boost_expire(struct boost_book *book, int64_t now_us, struct boost *ended)
{
    for (uint32_t i = 0; i < BOOSTS_MAX && book->count > 0; i++) {
        if (book->at[i].factor_pct == 0 || book->at[i].until_us > now_us)
            continue;
        *ended = book->at[i];
        return slot_end(book, &book->at[i]);
    }
    return false;
}

static bool holds_for(const struct boost *boost, uint32_t tenant, uint64_t item,
                      const uint64_t *tags, uint32_t count)
{
    if (boost->factor_pct == 0 || boost->tenant != tenant)
        return false;
    if (boost->of == BOOST_ITEM)
        return boost->target == item;
    for (uint32_t i = 0; i < count; i++)
        if (boost->target == tags[i])
            return true;
    return false;
}

const struct boost *boost_find(const struct boost_book *book, uint32_t tenant, uint64_t item,
                               const uint64_t *tags, uint32_t count, int64_t now_us)
{
    const struct boost *best = NULL;

    for (uint32_t i = 0; i < BOOSTS_MAX && book->count > 0; i++)
        if (book->at[i].until_us > now_us && holds_for(&book->at[i], tenant, item, tags, count) &&
            (best == NULL || book->at[i].factor_pct > best->factor_pct))
            best = &book->at[i];
    return best;
}
