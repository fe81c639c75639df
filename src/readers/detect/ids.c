/* ids.c: see ids.h. Open addressing, at most half full. */
#include "readers/detect/ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define FIRST_PLACES 1024u
#define IDS_MAX      (UINT32_C(1) << 30)

static uint32_t *place_of(const struct ids *ids, uint64_t id)
{
    uint32_t at = (uint32_t)hash_mix(id) & ids->mask;

    while (ids->place[at] != 0 && ids->id[ids->place[at] - 1] != id)
        at = (at + 1) & ids->mask;
    return &ids->place[at];
}

static enum status grow(struct ids *ids)
{
    uint32_t places = ids->place == NULL ? FIRST_PLACES : (ids->mask + 1) * 2;

    if (places / 2 > IDS_MAX)
        return STATUS_NOMEMORY;
    uint32_t *place = calloc(places, sizeof *place);
    uint64_t *id = place == NULL ? NULL : realloc(ids->id, (size_t)places / 2 * sizeof *id);

    if (id == NULL) {
        free(place);
        return STATUS_NOMEMORY;
    }
    free(ids->place);
    ids->place = place;
    ids->id = id;
    ids->mask = places - 1;
    ids->room = places / 2;
    for (uint32_t i = 0; i < ids->count; i++)
        *place_of(ids, ids->id[i]) = i + 1;
    return STATUS_OK;
}

enum status ids_number(struct ids *ids, uint64_t id, uint32_t *number)
{
    enum status status = ids->count == ids->room ? grow(ids) : STATUS_OK;

    if (status != STATUS_OK)
        return status;
    uint32_t *place = place_of(ids, id);

    if (*place == 0) {
        ids->id[ids->count++] = id;
        *place = ids->count;
    }
    *number = *place - 1;
    return STATUS_OK;
}

void ids_free(struct ids *ids)
{
    free(ids->id);
    free(ids->place);
    *ids = (struct ids){0};
}
