/* slots.c: see slots.h. */
#include "readers/insight/slots.h"

uint64_t slots_hour(const struct insight_map *map, uint32_t hour)
{
    return (uint64_t)map->shown[hour % 24] + map->likes[hour % 24];
}

uint64_t slots_whole(const struct insight_map *map)
{
    uint64_t whole = 0;

    for (uint32_t hour = 0; hour < 24; hour++)
        whole += slots_hour(map, hour);
    return whole;
}

double slots_after(const struct insight_map *map, uint32_t hour)
{
    uint64_t part = 0, whole = slots_whole(map);

    for (uint32_t i = 0; i < SLOTS_AFTER; i++)
        part += slots_hour(map, hour + i);
    return whole > 0 ? (double)part / (double)whole : 0;
}

struct slots slots_of(const struct insight *insight, uint32_t tenant, uint64_t creator)
{
    struct slots slots = {.map = insight_map(insight, MAP_CREATOR, tenant, creator, 0),
                          .own = true};

    if (slots.map != NULL && slots_whole(slots.map) >= SLOTS_ACTS_MIN)
        return slots;
    slots.map = insight_map(insight, MAP_ALL, tenant, 0, 0);
    slots.own = false;
    if (slots.map != NULL && slots_whole(slots.map) < SLOTS_ACTS_MIN)
        slots.map = NULL;
    return slots;
}
