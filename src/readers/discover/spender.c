/* spender.c: see spender.h. A slot is sent by the reader's thread, answered by a partition's, and
 * taken back by the reader's; its state is the only thing both look at. */
#include "readers/discover/spender.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hook.h"

#define REASON_BYTES 160

enum slot_state { SLOT_FREE, SLOT_SENT, SLOT_ANSWERED };

struct slot {
    struct call call;
    _Atomic int state; /* enum slot_state */
    uint64_t campaign; /* its sequence */
    uint32_t basis;    /* spent before */
    char reason[REASON_BYTES];
    uint8_t storage[CALL_STORAGE_BYTES];
};

struct spender {
    struct reader_door door;
    int64_t all_us; /* when all were looked at last, however little they owe */
    struct slot slots[SPENDER_SLOTS];
};

struct spender *spender_open(struct reader_door door)
{
    struct spender *spender = calloc(1, sizeof *spender);

    if (spender != NULL)
        spender->door = door;
    return spender;
}

void spender_close(struct spender *spender)
{
    free(spender);
}

static void answered(struct call *call)
{
    struct slot *slot = call->owner;

    atomic_store(&slot->state, SLOT_ANSWERED);
}

static const struct campaign_offer *campaign_of(const struct campaign_book *book,
                                                const struct slot *slot)
{
    const struct request *request = &slot->call.request;
    const struct campaign_offer *campaign = campaigns_find(book, request->tenant, request->target);

    return campaign != NULL && campaign->sequence == slot->campaign ? campaign : NULL;
}

/* Was it taken, and its record not read yet? */
static bool is_to_be_read(const struct campaign_book *book, const struct slot *slot)
{
    const struct campaign_offer *campaign = campaign_of(book, slot);
    enum status status = slot->call.reply.status;

    if (campaign == NULL || (status != STATUS_OK && status != STATUS_UNCHANGED) ||
        PLANTED("discover.spends_twice"))
        return false;
    return slot->call.request.verb == VERB_CAMPAIGN_STOP ? !campaign->stopped
                                                         : campaign->spent == slot->basis;
}

static void collect(struct spender *spender, const struct campaign_book *book)
{
    for (int i = 0; i < SPENDER_SLOTS; i++) {
        struct slot *slot = &spender->slots[i];

        if (atomic_load(&slot->state) == SLOT_ANSWERED && !is_to_be_read(book, slot))
            atomic_store(&slot->state, SLOT_FREE);
    }
}

/* NULL: all are under way, or one for this campaign is. */
static struct slot *slot_for(struct spender *spender, const struct campaign_offer *campaign)
{
    struct slot *found = NULL;

    for (int i = 0; i < SPENDER_SLOTS; i++) {
        struct slot *slot = &spender->slots[i];

        if (atomic_load(&slot->state) == SLOT_FREE)
            found = slot;
        else if (slot->campaign == campaign->sequence &&
                 slot->call.request.target == campaign->item &&
                 slot->call.request.tenant == campaign->tenant)
            return NULL;
    }
    return found;
}

static void send(struct spender *spender, struct slot *slot, const struct campaign_offer *campaign,
                 enum verb verb, uint32_t amount)
{
    struct request *request = &slot->call.request;
    uint64_t basis = (uint64_t)campaign->spent << 32 | amount;

    slot->campaign = campaign->sequence;
    slot->basis = campaign->spent;
    memset(&slot->call, 0, sizeof slot->call);
    slot->call.done = answered;
    slot->call.owner = slot;
    slot->call.storage = slot->storage;
    slot->call.storage_size = sizeof slot->storage;
    request->verb = (uint16_t)verb;
    request->flags = REQUEST_OPID;
    request->tenant = (uint16_t)campaign->tenant;
    request->target = campaign->item;
    request->u.note.amount = amount;
    request->opid[0] = hash_two(hash_two(campaign->sequence, campaign->item), basis ^ verb);
    request->opid[1] = hash_two(request->opid[0], campaign->tenant);
    /* A UUID of version 8: an id that carries no time. */
    request->opid[0] = (request->opid[0] & ~0xF000ULL) | 0x8000ULL;
    request->opid[1] = (request->opid[1] & ~(3ULL << 62)) | 2ULL << 62;
    if (verb == VERB_CAMPAIGN_STOP) {
        request->u.note.text = slot->reason;
        request->u.note.text_size = (uint8_t)strlen(slot->reason);
    }
    atomic_store(&slot->state, SLOT_SENT);
    spender->door.submit(spender->door.context, &slot->call);
}

static void stop(struct spender *spender, struct slot *slot, const struct campaign_offer *campaign)
{
    snprintf(slot->reason, sizeof slot->reason,
             "guard: of %" PRIu64 ".%02u likes since it was opened %" PRIu64
             ".%02u were taken back; the bound is %d %%",
             campaign->like_pct / 100, (unsigned)(campaign->like_pct % 100),
             campaign->unlike_pct / 100, (unsigned)(campaign->unlike_pct % 100),
             (int)(100 * CAMPAIGN_GUARD_RATE));
    send(spender, slot, campaign, VERB_CAMPAIGN_STOP, 0);
}

void spender_turn(struct spender *spender, const struct campaign_book *book, int64_t now_us)
{
    bool all = now_us < spender->all_us || now_us - spender->all_us >= SPENDER_US;

    if (spender->door.submit == NULL)
        return;
    collect(spender, book);
    for (uint32_t i = 0; book->count > 0 && i < CAMPAIGNS_MAX; i++) {
        const struct campaign_offer *campaign = &book->at[i];
        uint32_t owed = campaign_owes(campaign);
        bool bad = campaign_is_bad(campaign);
        struct slot *slot;

        if (campaign->budget == 0 || campaign->stopped || now_us >= campaign->until_us ||
            !(bad || owed >= SPENDER_AT_ONCE || (all && owed > 0)))
            continue;
        if ((slot = slot_for(spender, campaign)) == NULL)
            continue;
        if (owed > 0)
            send(spender, slot, campaign, VERB_SPEND_CAMPAIGN, owed); /* what it owes first */
        else
            stop(spender, slot, campaign);
    }
    if (all)
        spender->all_us = now_us;
}
