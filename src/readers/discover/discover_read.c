/* discover_read.c: what answers are made of. See discover.h. */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"
#include "readers/discover/discover_inner.h"

/* Looking at a row makes it no warmer: what is kept is a function of the records alone. */
static uint32_t look(const struct table *table, uint64_t id, uint32_t tenant)
{
    return table_find((struct table *)table, (struct table_key){id, 0, tenant}, false);
}

const struct item *discover_item(const struct discover *discover, uint32_t tenant, uint64_t id)
{
    uint32_t row = item_find(discover, tenant, id);

    return row == TABLE_NONE ? NULL : item_at(discover, row);
}

double discover_heat(const struct discover *discover, const struct item *item, int64_t now_us)
{
    struct heat heat = item->heat;

    if (now_us < discover->now_us)
        now_us = discover->now_us;
    /* Further than the landmark allows: it has been cold for years. */
    if (now_us - discover->clock.landmark_us > 900 * discover->clock.half_life_us)
        return 0;
    heat_step(&heat, &discover->clock, now_us);
    return heat_sum(&heat) / heat_forward(&discover->clock, now_us);
}

bool discover_is_hidden(const struct discover *discover, uint32_t row)
{
    const struct item *item = item_at(discover, row);
    uint32_t at;

    if (!item->has_creator)
        return false;
    at = look(&discover->creators, item->creator, item->head.c);
    return at != TABLE_NONE &&
           ((const struct creator *)table_row(&discover->creators, at))->suspended_until_us >
               discover->now_us;
}

static bool is_hidden(void *owner, uint32_t row)
{
    return discover_is_hidden(owner, row);
}

uint32_t discover_top(struct discover *discover, uint32_t tenant, enum scope_kind kind, uint64_t id,
                      uint32_t want, uint32_t *rows, uint64_t *refused)
{
    return top_read(&discover->top, (struct table_key){id, kind, tenant}, want, is_hidden, discover,
                    rows, refused);
}

struct discover_commenters discover_commenters(const struct discover *discover,
                                               const struct item *item)
{
    double known = item->signals.tally[SIGNAL_COMMENT].raw;

    if (!item->comments_lost)
        return (struct discover_commenters){known, true};
    if (item->sketch != 0) {
        const struct sketch_row *row = table_row(&discover->sketches, item->sketch - 1);

        known = sketch_count(&row->sketch);
    }
    return (struct discover_commenters){known, false};
}

/* Puts a trend among the best so far. */
static void trend_keep(struct discover_trend *trends, uint32_t *count, uint32_t want,
                       struct discover_trend trend)
{
    uint32_t at = *count < want ? (*count)++ : want;

    while (at > 0 && trends[at - 1].trend.z < trend.trend.z) {
        if (at < want)
            trends[at] = trends[at - 1];
        at--;
    }
    if (at < want)
        trends[at] = trend;
}

uint32_t discover_rising(const struct discover *discover, uint32_t tenant,
                         enum rising_window window, int64_t now_us, uint32_t want,
                         struct discover_trend *trends)
{
    uint32_t count = 0;

    assert(want > 0 && want <= DISCOVER_RISING_MAX);
    for (uint32_t row = 0; row < discover->tags.fresh; row++) {
        const struct tag_row *tag = table_row(&discover->tags, row);

        if (!tag->head.used || tag->head.c != tenant)
            continue;
        struct discover_trend trend = {.tag = tag,
                                       .trend = rising_read(&tag->rising, window, now_us)};

        if (rising_is(&trend.trend))
            trend_keep(trends, &count, want, trend);
    }
    return count;
}

uint64_t discover_tag_id(const char *name, size_t size)
{
    return tags_id(name, size);
}

const struct tag_row *discover_tag(const struct discover *discover, uint32_t tenant, uint64_t id)
{
    uint32_t row = look(&discover->tags, id, tenant);

    return row == TABLE_NONE ? NULL : table_row(&discover->tags, row);
}

struct live discover_live(const struct discover *discover, uint32_t tenant, uint64_t item)
{
    uint32_t row = look(&discover->lives, item, tenant);
    struct live none = {0};

    return row == TABLE_NONE ? none
                             : ((const struct live_row *)table_row(&discover->lives, row))->live;
}

const struct account *discover_account(const struct discover *discover, uint32_t tenant,
                                       uint64_t id)
{
    uint32_t row = look(&discover->accounts, id, tenant);

    return row == TABLE_NONE ? NULL : table_row(&discover->accounts, row);
}

static const struct off *off_of(const struct discover *discover, uint32_t tenant, uint64_t account)
{
    uint32_t row = discover->offs.count == 0 ? TABLE_NONE : look(&discover->offs, account, tenant);

    return row == TABLE_NONE ? NULL : table_row(&discover->offs, row);
}

bool discover_may_personalise(const struct discover *discover, uint32_t tenant, uint64_t account)
{
    const struct off *off = off_of(discover, tenant, account);

    /* Somebody's switch found no room: nobody's profile is looked at. */
    return (discover->offs.evicted == 0 || PLANTED("discover.switch_forgotten")) &&
           (off == NULL || off->switches == 0);
}

bool discover_is_revoked(const struct discover *discover, uint32_t tenant, uint64_t account,
                         uint32_t epoch)
{
    const struct off *off = off_of(discover, tenant, account);

    return off != NULL ? epoch < off->epoch : discover->offs.evicted > 0;
}

double discover_tag_share(const struct discover *discover, const struct item *item)
{
    double share = 0;

    if (discover->interests_mass <= 0)
        return 0;
    for (uint32_t i = 0; i < item->tag_count; i++) {
        const struct tag_row *tag = discover_tag(discover, item->head.c, item->tag[i]);

        if (tag != NULL)
            share += tag->mass;
    }
    return share / discover->interests_mass;
}

double discover_fit(struct discover *discover, uint32_t tenant, uint64_t id,
                    const struct item *item, int64_t now_us)
{
    const struct account *account;

    if (item->tag_count == 0 || discover->interests_mass <= 0 ||
        !discover_may_personalise(discover, tenant, id))
        return 1;
    account = discover_account(discover, tenant, id);
    if (account == NULL)
        return 1;
    return interest_fit(&account->interest, item->tag, item->tag_count,
                        discover_tag_share(discover, item),
                        heat_forward(&discover->interests_clock, now_us));
}
