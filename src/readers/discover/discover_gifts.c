/* discover_gifts.c: exposure that creators are given, by records of items and views. See gifts.h.
 */
#include "readers/discover/discover_inner.h"

static const struct creator *creator_of(const struct discover *discover, uint32_t tenant,
                                        uint64_t id)
{
    uint32_t row =
        table_find((struct table *)&discover->creators, (struct table_key){id, 0, tenant}, false);

    return row == TABLE_NONE ? NULL : table_row(&discover->creators, row);
}

/* As he stands at that time. */
static struct gift_newcomer newcomer_of(const struct discover *discover, uint32_t tenant,
                                        uint64_t id, int64_t now_us)
{
    const struct creator *creator = creator_of(discover, tenant, id);
    struct gift_newcomer who = {
        .creator = id, .tenant = tenant, .now_us = now_us, .limit = discover->rules.credits};

    if (creator == NULL)
        return who;
    who.items = creator->items;
    who.age_us = now_us - creator->first_us;
    who.restricted = creator->suspended_until_us > now_us;
    return who;
}

enum pool_credit_answer discover_credit_of(const struct discover *discover, uint32_t tenant,
                                           uint64_t creator, int64_t now_us)
{
    struct gift_newcomer who = newcomer_of(discover, tenant, creator, now_us);

    return gifts_would(&discover->gifts, &who);
}

/* What was shown of it while nobody knew whose it was (records of another partition) is his now. */
void gifts_item(struct discover *discover, struct item *item, int64_t time_us)
{
    struct gift_newcomer who = newcomer_of(discover, item->head.c, item->creator, time_us);

    gifts_newcomer(&discover->gifts, &who);
    for (int gift = 0; gift < GIFTS; gift++) {
        if (item->given_units[gift] > 0)
            gifts_shown(&discover->gifts, (enum gift)gift, item->head.c, item->creator,
                        item->given_units[gift], time_us);
        item->given_units[gift] = 0;
    }
}

void gifts_impression(struct discover *discover, struct item *item, const struct record *record,
                      uint8_t pct)
{
    enum gift gift = gift_of_stage(record->stage);

    if (gift == GIFT_NONE)
        return;
    if (item->has_creator)
        gifts_shown(&discover->gifts, gift, record->tenant, item->creator, pct, record->time_us);
    else
        item->given_units[gift] += pct;
}
