/* campaigns.c: see campaigns.h. */
#include "readers/discover/campaigns.h"

#include <string.h>

#include "base/hash.h"
#include "readers/discover/signals.h"

static struct campaign_offer *find(struct campaign_book *book, uint32_t tenant, uint64_t item)
{
    for (uint32_t i = 0; i < CAMPAIGNS_MAX; i++)
        if (book->at[i].budget > 0 && book->at[i].tenant == tenant && book->at[i].item == item)
            return &book->at[i];
    return NULL;
}

const struct campaign_offer *campaigns_find(const struct campaign_book *book, uint32_t tenant,
                                            uint64_t item)
{
    return find((struct campaign_book *)book, tenant, item);
}

static void drop(struct campaign_book *book, struct campaign_offer *campaign)
{
    *campaign = (struct campaign_offer){0};
    book->count--;
}

/* A free place, or that of one that is over. */
static struct campaign_offer *room(struct campaign_book *book, int64_t now_us)
{
    for (uint32_t i = 0; i < CAMPAIGNS_MAX; i++)
        if (book->at[i].budget > 0 && !campaign_runs(&book->at[i], now_us))
            drop(book, &book->at[i]);
    for (uint32_t i = 0; i < CAMPAIGNS_MAX; i++)
        if (book->at[i].budget == 0)
            return &book->at[i];
    return NULL;
}

static void read_text(struct campaign_offer *campaign, const struct record *record,
                      uint64_t (*number)(const char *name, size_t size))
{
    struct tag tags[TAGS_MAX];
    uint32_t label = (uint32_t)(record->b >> 32);
    uint32_t count;

    if (!(record->fields & RECORD_HAS_TEXT) || label > record->text_size || label > TAGS_LINE_MAX)
        return;
    campaign->label_size = (uint8_t)label;
    memcpy(campaign->label, record->text, label);
    count = tags_read(record->text + label, record->text_size - label, tags);
    for (uint32_t i = 0; i < count; i++)
        campaign->tag[campaign->tag_count++] = number(tags[i].bytes, tags[i].size);
}

static void begin(struct campaign_book *book, const struct record *record,
                  uint64_t (*number)(const char *name, size_t size))
{
    struct campaign_offer *campaign = find(book, record->tenant, record->target);

    if (campaign != NULL)
        drop(book, campaign);
    campaign = room(book, record->time_us);
    if (campaign == NULL || (uint32_t)record->a == 0) {
        book->refused++;
        return;
    }
    memset(campaign, 0, sizeof *campaign);
    campaign->sequence = record->sequence;
    campaign->item = record->target;
    campaign->tenant = record->tenant;
    campaign->budget = (uint32_t)record->a;
    campaign->holdout_pct = (uint8_t)(record->a >> 32);
    campaign->begin_us = record->time_us;
    campaign->until_us = (int64_t)(uint32_t)record->b * 1000000;
    read_text(campaign, record, number);
    book->count++;
}

void campaigns_apply(struct campaign_book *book, const struct record *record,
                     uint64_t (*number)(const char *name, size_t size))
{
    struct campaign_offer *campaign;

    if (record->kind == VERB_CAMPAIGN_OPEN) {
        begin(book, record, number);
        return;
    }
    campaign = find(book, record->tenant, record->target);
    if (campaign == NULL)
        return;
    if (record->kind == VERB_CAMPAIGN_STOP)
        campaign->stopped = 1;
    else
        campaign->spent += (uint32_t)record->a;
}

bool campaign_holds_out(const struct campaign_offer *campaign, uint64_t account)
{
    return hash_two(account, campaign->sequence) % 100 < campaign->holdout_pct;
}

/* Its token was made since the campaign was opened, by what can be told: it says the minute it was
 * made in, so its age may be a minute less than it says. */
static bool is_of(const struct campaign_offer *campaign, const struct campaign_act *act)
{
    return act->age_min <= 1 ||
           act->time_us - (act->age_min - 1) * 60000000LL >= campaign->begin_us;
}

static uint64_t less(uint64_t value, uint64_t by)
{
    return value > by ? value - by : 0;
}

void campaigns_see(struct campaign_book *book, uint32_t tenant, uint64_t item,
                   const struct campaign_act *act)
{
    struct campaign_offer *campaign = book->count > 0 ? find(book, tenant, item) : NULL;
    struct campaign_group *group;

    if (campaign == NULL || campaign->stopped || act->time_us < campaign->begin_us ||
        act->time_us >= campaign->until_us)
        return;
    group = &campaign->group[campaign_holds_out(campaign, act->account)];
    if (act->shown && act->pct > 0 && is_of(campaign, act))
        campaign->shown++;
    if (act->like && act->pct > 0) {
        campaign->like_pct += act->pct;
        group->likes++;
        campaign->paid_likes += act->saw;
    }
    if (act->unlike && act->like_us >= campaign->begin_us)
        campaign->unlike_pct += act->like_pct;
    if (act->relike && act->like_us >= campaign->begin_us)
        campaign->unlike_pct = less(campaign->unlike_pct, act->like_pct);
    if (act->follow && act->pct > 0)
        group->follows++;
}

bool campaign_is_bad(const struct campaign_offer *campaign)
{
    return campaign->like_pct >= CAMPAIGN_GUARD_PCT &&
           signals_rate(campaign->unlike_pct, campaign->like_pct).low > CAMPAIGN_GUARD_RATE;
}
