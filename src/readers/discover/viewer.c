/* viewer.c: see viewer.h. */
#include "readers/discover/viewer.h"

#include <string.h>

static uint32_t place_of(const uint64_t *ids, uint32_t count, uint64_t id)
{
    uint32_t at = 0;

    while (at < count && ids[at] != id)
        at++;
    return at;
}

static void to_front(uint64_t *ids, uint32_t *count, uint32_t max, uint64_t id)
{
    uint32_t at = place_of(ids, *count, id);

    if (at == *count && *count < max)
        (*count)++;
    if (at == max)
        at--;
    memmove(ids + 1, ids, at * sizeof *ids);
    ids[0] = id;
}

static void take_out(uint64_t *ids, uint32_t *count, uint64_t id)
{
    uint32_t at = place_of(ids, *count, id);

    if (at == *count)
        return;
    (*count)--;
    memmove(ids + at, ids + at + 1, (*count - at) * sizeof *ids);
    ids[*count] = 0;
}

void viewer_likes(struct viewer *viewer, uint64_t item)
{
    to_front(viewer->liked, &viewer->liked_count, VIEWER_LIKED, item);
}

void viewer_unlikes(struct viewer *viewer, uint64_t item)
{
    take_out(viewer->liked, &viewer->liked_count, item);
}

void viewer_follows(struct viewer *viewer, uint64_t creator)
{
    to_front(viewer->followed, &viewer->followed_count, VIEWER_FOLLOWED, creator);
}

void viewer_unfollows(struct viewer *viewer, uint64_t creator)
{
    take_out(viewer->followed, &viewer->followed_count, creator);
}
