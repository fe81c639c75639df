/* deal.c: see deal.h. */
#include "readers/discover/deal.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/hook.h"

void deal_begin(struct deal *deal, int64_t now_us)
{
    deal->made_us = now_us;
    deal->count = 0;
    deal->supply = deal->given = 0;
}

/* Kept in order of rows as they come: items in trial are in no order, but few. */
static void put_by_row(struct deal *deal, uint32_t place)
{
    uint32_t at = place;

    for (; at > 0 && deal->item[deal->by_row[at - 1]].row > deal->item[place].row; at--)
        deal->by_row[at] = deal->by_row[at - 1];
    deal->by_row[at] = place;
}

void deal_add(struct deal *deal, const struct deal_item *item, const struct pool_entry *entry)
{
    uint32_t place = deal->count;

    assert(!deal_is_full(deal));
    deal->item[place] = *item;
    deal->entry[place] = *entry;
    deal->entry[place].id = place;
    put_by_row(deal, place);
    deal->count++;
}

void deal_close(struct deal *deal, const struct pool_rule *rule, double supply)
{
    double sum = 0;

    deal->supply = supply;
    deal->given = pool_deal(rule, deal->entry, deal->count, supply);
    for (uint32_t i = 0; i < deal->count; i++)
        deal->item[deal->entry[i].id].until =
            PLANTED("discover.deal_is_even") ? 1 : deal->entry[i].budget;
    for (uint32_t i = 0; i < deal->count; i++)
        deal->item[i].until = sum += deal->item[i].until;
    deal->given = sum;
}

const struct deal_item *deal_draw(const struct deal *deal, double at)
{
    double wanted = at * deal->given;
    uint32_t low = 0, high = deal->count;

    assert(at >= 0 && at < 1);
    while (low < high) { /* the first whose sum is above what is wanted */
        uint32_t middle = low + (high - low) / 2;

        if (deal->item[middle].until > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low < deal->count ? &deal->item[low] : NULL;
}

const struct deal_item *deal_find(const struct deal *deal, uint32_t row)
{
    uint32_t low = 0, high = deal->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (deal->item[deal->by_row[middle]].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < deal->count && deal->item[deal->by_row[low]].row == row
               ? &deal->item[deal->by_row[low]]
               : NULL;
}
