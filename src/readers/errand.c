/* errand.c: see errand.h. */
#include "readers/errand.h"

#include <stdlib.h>
#include <string.h>

enum { ERRAND_FREE, ERRAND_SENT, ERRAND_ANSWERED };

struct errands {
    struct reader_door door;
    uint32_t count;
    struct errand slots[];
};

struct errands *errands_open(struct reader_door door, uint32_t slots)
{
    struct errands *errands = calloc(1, sizeof *errands + slots * sizeof(struct errand));

    if (errands == NULL)
        return NULL;
    errands->door = door;
    errands->count = slots;
    return errands;
}

void errands_close(struct errands *errands)
{
    free(errands);
}

bool errands_can(const struct errands *errands)
{
    return errands->door.submit != NULL;
}

bool errands_has_free(const struct errands *errands)
{
    for (uint32_t i = 0; i < errands->count; i++)
        if (atomic_load(&errands->slots[i].state) == ERRAND_FREE)
            return true;
    return false;
}

void errands_collect(struct errands *errands,
                     bool (*is_to_be_read)(const void *context, const struct errand *errand),
                     const void *context)
{
    for (uint32_t i = 0; i < errands->count; i++) {
        struct errand *errand = &errands->slots[i];

        if (atomic_load(&errand->state) == ERRAND_ANSWERED && !is_to_be_read(context, errand))
            atomic_store(&errand->state, ERRAND_FREE);
    }
}

struct errand *errands_slot(struct errands *errands, uint32_t tenant, uint64_t target, uint64_t key)
{
    struct errand *found = NULL;

    for (uint32_t i = 0; i < errands->count; i++) {
        struct errand *errand = &errands->slots[i];

        if (atomic_load(&errand->state) == ERRAND_FREE)
            found = errand;
        else if (errand->key == key && errand->call.request.target == target &&
                 errand->call.request.tenant == tenant)
            return NULL;
    }
    return found;
}

static void answered(struct call *call)
{
    struct errand *errand = call->owner;

    atomic_store(&errand->state, ERRAND_ANSWERED);
}

struct request *errand_begin(struct errand *errand, enum verb verb, uint32_t tenant,
                             uint64_t target, uint64_t key, uint32_t basis)
{
    struct request *request = &errand->call.request;

    errand->key = key;
    errand->basis = basis;
    memset(&errand->call, 0, sizeof errand->call);
    errand->call.done = answered;
    errand->call.owner = errand;
    errand->call.storage = errand->storage;
    errand->call.storage_size = sizeof errand->storage;
    request->verb = (uint16_t)verb;
    request->flags = REQUEST_OPID;
    request->tenant = (uint16_t)tenant;
    request->target = target;
    return request;
}

void errand_tell(struct errand *errand)
{
    errand->call.request.u.note.text = errand->text;
    errand->call.request.u.note.text_size = (uint8_t)strlen(errand->text);
}

void errands_send(struct errands *errands, struct errand *errand, uint64_t id_high, uint64_t id_low)
{
    struct request *request = &errand->call.request;

    /* A UUID of version 8: an id that carries no time. */
    request->opid[0] = (id_high & ~0xF000ULL) | 0x8000ULL;
    request->opid[1] = (id_low & ~(3ULL << 62)) | 2ULL << 62;
    atomic_store(&errand->state, ERRAND_SENT);
    errands->door.submit(errands->door.context, &errand->call);
}
