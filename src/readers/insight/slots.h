/* slots.h: at which hours of the day something happens. Pure. */
#ifndef ZAN_READERS_INSIGHT_SLOTS_H
#define ZAN_READERS_INSIGHT_SLOTS_H

#include "readers/insight/insight.h"

#define SLOTS_ACTS_MIN 200 /* acts from which on a creator's own hours are looked at */
#define SLOTS_AFTER    3   /* hours after a publication that matter to it */

/* Whose hours: the creator's, or those of all where little is known of his; NULL: of neither. */
struct slots {
    const struct insight_map *map;
    bool own;
};
struct slots slots_of(const struct insight *insight, uint32_t tenant, uint64_t creator);

/* All acts of the day. */
uint64_t slots_whole(const struct insight_map *map);
uint64_t slots_hour(const struct insight_map *map, uint32_t hour);
/* Share of them in the SLOTS_AFTER hours from that hour of the day on. */
double slots_after(const struct insight_map *map, uint32_t hour);

#endif
