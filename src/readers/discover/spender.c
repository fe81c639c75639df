/* spender.c: see spender.h. */
#include "readers/discover/spender.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/hook.h"
#include "readers/errand.h"

struct spender {
    struct errands *errands; /* key: the campaign's sequence; basis: spent before */
    int64_t all_us;          /* when all were looked at last, however little they owe */
};

struct spender *spender_open(struct reader_door door)
{
    struct spender *spender = calloc(1, sizeof *spender);

    if (spender == NULL)
        return NULL;
    spender->errands = errands_open(door, SPENDER_SLOTS);
    if (spender->errands == NULL) {
        free(spender);
        return NULL;
    }
    return spender;
}

void spender_close(struct spender *spender)
{
    if (spender == NULL)
        return;
    errands_close(spender->errands);
    free(spender);
}

static const struct campaign_offer *campaign_of(const struct campaign_book *book,
                                                const struct errand *errand)
{
    const struct request *request = &errand->call.request;
    const struct campaign_offer *campaign = campaigns_find(book, request->tenant, request->target);

    return campaign != NULL && campaign->sequence == errand->key ? campaign : NULL;
}

/* Was it taken, and its record not read yet? */
static bool is_to_be_read(const void *context, const struct errand *errand)
{
    const struct campaign_offer *campaign = campaign_of(context, errand);
    enum status status = errand->call.reply.status;

    if (campaign == NULL || (status != STATUS_OK && status != STATUS_UNCHANGED) ||
        PLANTED("discover.spends_twice"))
        return false;
    return errand->call.request.verb == VERB_CAMPAIGN_STOP ? !campaign->stopped
                                                           : campaign->spent == errand->basis;
}

static struct request *begin(struct errand *errand, const struct campaign_offer *campaign,
                             enum verb verb)
{
    return errand_begin(errand, verb, campaign->tenant, campaign->item, campaign->sequence,
                        campaign->spent);
}

static void send(struct spender *spender, struct errand *errand,
                 const struct campaign_offer *campaign)
{
    const struct request *request = &errand->call.request;
    uint64_t basis = (uint64_t)campaign->spent << 32 | request->u.note.amount;
    uint64_t id = hash_two(hash_two(campaign->sequence, campaign->item), basis ^ request->verb);

    errands_send(spender->errands, errand, id, hash_two(id, campaign->tenant));
}

static void spend(struct spender *spender, struct errand *errand,
                  const struct campaign_offer *campaign, uint32_t amount)
{
    begin(errand, campaign, VERB_SPEND_CAMPAIGN)->u.note.amount = amount;
    send(spender, errand, campaign);
}

static void stop(struct spender *spender, struct errand *errand,
                 const struct campaign_offer *campaign)
{
    snprintf(errand->text, sizeof errand->text,
             "guard: of %" PRIu64 ".%02u likes since it was opened %" PRIu64
             ".%02u were taken back; the bound is %d %%",
             campaign->like_pct / 100, (unsigned)(campaign->like_pct % 100),
             campaign->unlike_pct / 100, (unsigned)(campaign->unlike_pct % 100),
             (int)(100 * CAMPAIGN_GUARD_RATE));
    begin(errand, campaign, VERB_CAMPAIGN_STOP);
    errand_tell(errand);
    send(spender, errand, campaign);
}

void spender_turn(struct spender *spender, const struct campaign_book *book, int64_t now_us)
{
    bool all = now_us < spender->all_us || now_us - spender->all_us >= SPENDER_US;

    if (!errands_can(spender->errands))
        return;
    errands_collect(spender->errands, is_to_be_read, book);
    for (uint32_t i = 0; book->count > 0 && i < CAMPAIGNS_MAX; i++) {
        const struct campaign_offer *campaign = &book->at[i];
        uint32_t owed = campaign_owes(campaign);
        bool bad = campaign_is_bad(campaign);
        struct errand *errand;

        if (campaign->budget == 0 || campaign->stopped || now_us >= campaign->until_us ||
            !(bad || owed >= SPENDER_AT_ONCE || (all && owed > 0)))
            continue;
        errand =
            errands_slot(spender->errands, campaign->tenant, campaign->item, campaign->sequence);
        if (errand == NULL)
            continue;
        if (owed > 0)
            spend(spender, errand, campaign, owed); /* what it owes first */
        else
            stop(spender, errand, campaign);
    }
    if (all)
        spender->all_us = now_us;
}
