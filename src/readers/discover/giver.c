/* giver.c: see giver.h. */
#include "readers/discover/giver.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/hook.h"
#include "readers/errand.h"

struct giver {
    struct errands *errands; /* key: the creator; basis: SPEND BUDGET records of him before */
    int64_t all_us;          /* when all were told last, however little they owe */
    int64_t asked_us;        /* and asked about */
};

struct giver *giver_open(struct reader_door door)
{
    struct giver *giver = calloc(1, sizeof *giver);

    if (giver == NULL)
        return NULL;
    giver->errands = errands_open(door, GIVER_SLOTS);
    if (giver->errands == NULL) {
        free(giver);
        return NULL;
    }
    return giver;
}

void giver_close(struct giver *giver)
{
    if (giver == NULL)
        return;
    errands_close(giver->errands);
    free(giver);
}

/* The engine's own refusals stand in the log too, for they have an operation id. */
static bool is_recorded(enum status status)
{
    return status == STATUS_OK || status == STATUS_UNCHANGED || status == STATUS_NOBUDGET ||
           status == STATUS_NOACCOUNT || status == STATUS_ERASED;
}

static bool is_to_be_read(const void *context, const struct errand *errand)
{
    const struct gift_row *row = gifts_find(context, errand->call.request.tenant, errand->key);

    return row != NULL && is_recorded(errand->call.reply.status) && row->tells == errand->basis &&
           !PLANTED("discover.gives_twice");
}

static void send(struct giver *giver, const struct gift_row *row, uint32_t amount_pct)
{
    struct errand *errand = errands_slot(giver->errands, row->head.c, 0, row->head.a);
    uint64_t id = hash_two(hash_two(row->head.a, row->named), row->tells);
    struct request *request;

    if (errand == NULL)
        return;
    request = errand_begin(errand, VERB_SPEND_BUDGET, row->head.c, 0, row->head.a, row->tells);
    request->account = row->head.a;
    request->u.note.amount = amount_pct;
    errands_send(giver->errands, errand, id,
                 hash_two(id ^ row->head.c, hash_two(row->spent_pct, amount_pct)));
}

static bool is_due(int64_t *last_us, int64_t now_us, int64_t every_us)
{
    if (now_us >= *last_us && now_us - *last_us < every_us)
        return false;
    *last_us = now_us;
    return true;
}

void giver_turn(struct giver *giver, const struct gift_book *book, int64_t now_us)
{
    const struct trial *open = &book->open[GIFT_COMPENSATION];
    bool all, ask;

    if (!errands_can(giver->errands))
        return;
    errands_collect(giver->errands, is_to_be_read, book);
    all = is_due(&giver->all_us, now_us, GIVER_US);
    ask = is_due(&giver->asked_us, now_us, GIVER_ASK_US);
    for (uint32_t i = 0; i < open->count; i++) {
        const struct gift_row *row = table_row(&book->rows, open->rows[i]);
        uint32_t owed = gift_owes(row, now_us);

        if (owed > 0 && (all || owed >= GIVER_AT_ONCE_PCT || owed == row->left_pct))
            send(giver, row, owed);
        else if (ask && row->asks > 0)
            send(giver, row, 0);
    }
}
