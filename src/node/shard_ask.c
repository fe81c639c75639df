/* shard_ask.c: what the RESP door asks a reader.
 *
 * The door parks the connection (serve.h) and hands the request over; it becomes a call to the
 * reader's thread (follow.h). Its answer comes back by a list that the reader's thread pushes to
 * and this partition's thread empties, and goes out as a turn of the door, behind those before it.
 * So no batch, no other connection, and no like waits for a reader. */
#include "node/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/follow.h"
#include "node/inner.h"
#include "node/shard_inner.h"
#include "schema/guidance.h"

/* Under way at one time, from all connections of a partition's door; one more is told BUSY. */
#define ASKS_MAX 64

struct ask {
    struct call call;
    struct shard *shard;
    struct serve_ticket ticket;
    struct ask *next;
    uint64_t ids[REQUEST_IDS_MAX];
    char text[UINT8_MAX];
    _Alignas(16) uint8_t storage[CALL_STORAGE_BYTES];
};

enum status shard_asks_open(struct shard *shard)
{
    /* Not touched before it is used: most nodes never need more than a few. */
    shard->asks = malloc(ASKS_MAX * sizeof *shard->asks);
    if (shard->asks == NULL)
        return STATUS_NOMEMORY;
    for (uint32_t i = ASKS_MAX; i-- > 0;) {
        shard->asks[i].next = shard->free_asks;
        shard->free_asks = &shard->asks[i];
    }
    return STATUS_OK;
}

void shard_asks_close(struct shard *shard)
{
    free(shard->asks);
}

/* On the reader's thread. */
static void ask_done(struct call *call)
{
    struct ask *ask = call->owner;
    struct shard *shard = ask->shard;

    ask->next = atomic_load(&shard->answered);
    while (!atomic_compare_exchange_weak(&shard->answered, &ask->next, ask))
        continue;
    shard_wake(shard);
}

/* What the request points at lies in the door's batch, which does not wait. */
static void keep(struct ask *ask, const struct request *request)
{
    struct request *kept = &ask->call.request;

    if (request->u.ask.id_count > 0) {
        assert(request->u.ask.id_count <= REQUEST_IDS_MAX);
        memcpy(ask->ids, request->u.ask.ids, request->u.ask.id_count * sizeof *ask->ids);
        kept->u.ask.ids = ask->ids;
    }
    if (request->u.ask.text_size > 0) {
        memcpy(ask->text, request->u.ask.text, request->u.ask.text_size);
        kept->u.ask.text = ask->text;
    }
}

enum status shard_ask(void *context, const struct serve_ticket *ticket,
                      const struct request *request)
{
    struct shard *shard = context;
    struct ask *ask = shard->free_asks;
    struct follow *follow = shard->node->follow[reader_of(request)];

    if (follow == NULL && request->verb != VERB_GUIDANCE)
        return STATUS_OFF;
    if (ask == NULL)
        return STATUS_BUSY;
    shard->free_asks = ask->next;
    ask->shard = shard;
    ask->ticket = *ticket;
    ask->call = (struct call){
        .request = *request,
        .done = ask_done,
        .owner = ask,
        .storage = ask->storage,
        .storage_size = sizeof ask->storage,
    };
    keep(ask, request);
    atomic_fetch_add(&shard->node->outstanding, 1); /* until the door has the answer */
    if (request->verb != VERB_GUIDANCE) {
        follow_ask(follow, &ask->call);
        return STATUS_OK;
    }
    guidance_answer(&ask->call); /* here and now, and told in its turn */
    ask_done(&ask->call);
    return STATUS_OK;
}

static void take_answers(struct shard *shard)
{
    struct ask *ask = atomic_exchange(&shard->answered, NULL), *first = NULL;
    struct ask **tail = &shard->answers_waiting;

    while (ask != NULL) {
        struct ask *next = ask->next;

        ask->next = first;
        first = ask;
        ask = next;
    }
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = first;
}

/* The turn that an answer leaves with. With one partition turns leave in order, each when its
 * records are durable: so this one needs what those before it need. With several, what the door has
 * written is durable already (shard_door.c). */
static uint64_t turn_for_answer(struct shard *shard)
{
    if (shard->node->count == 1) {
        struct entry *entry = shard_entry_take(shard, shard->partition.engine.sequence);

        entry->turn = ++shard->turn;
    } else {
        ++shard->turn;
    }
    return shard->turn;
}

void shard_do_answers(struct shard *shard)
{
    struct ask **link = &shard->answers_waiting;
    uint64_t turn = 0;

    if (*link == NULL && atomic_load(&shard->answered) == NULL)
        return;
    take_answers(shard);
    while (*link != NULL) {
        struct ask *ask = *link;

        if (turn == 0 && shard->node->count == 1 && shard->free_entries == NULL)
            return; /* some are freed when the log has caught up */
        if (turn == 0)
            turn = turn_for_answer(shard);
        if (!serve_answer(shard->serve, &ask->ticket, &ask->call.request, &ask->call.reply, turn)) {
            link = &ask->next;
            continue;
        }
        *link = ask->next;
        ask->next = shard->free_asks;
        shard->free_asks = ask;
        atomic_fetch_sub(&shard->node->outstanding, 1);
    }
    if (turn > 0 && shard->node->count > 1)
        serve_release(shard->serve, turn);
}
