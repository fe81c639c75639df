/* campaigns.c: see campaigns.h. */
#include "readers/discover/campaigns.h"

#include <string.h>

#include "base/hash.h"

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
        drop(book, campaign);
    else
        campaign->spent += (uint32_t)record->a;
}

bool campaign_holds_out(const struct campaign_offer *campaign, uint64_t account)
{
    return hash_two(account, campaign->sequence) % 100 < campaign->holdout_pct;
}
