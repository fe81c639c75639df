/* tuning.h: weights of heat and of feeds, and the rule of the pools, as a platform sets them
 * (settings `heat`, `feed`, `pool`).
 *
 *   text     "default", or NAME=NUMBER,NAME=NUMBER,...: what is not named stays as it is by default
 *   of pool  a preset (pool.h), then what is to be other than in it: "default,first=20"; also
 *            ladder=N/N/...: impressions in all at which a stage ends, rising; one more, without
 *            an end, follows
 *   NUMBER   digits with at most one point, within the bounds of its name; nothing is negative: a
 *            weight below nothing would be a weapon of third parties (heat.c)
 *
 * Names, bounds and defaults are one table for each (tuning.c); where the defaults are from stands
 * in docs/discovery.md.
 *
 * A formula's name tells whether its weights are the defaults: "heat-1", else "heat-1+9f3a51c2",
 * the same word for the same weights on every machine.
 *
 * Pure. On failure nothing was written but the message. */
#ifndef ZAN_READERS_DISCOVER_TUNING_H
#define ZAN_READERS_DISCOVER_TUNING_H

#include <stdbool.h>
#include <stdint.h>

#include "readers/discover/discover.h"
#include "readers/discover/discover_feed.h"
#include "readers/discover/pool.h"

#define TUNING_MESSAGE 160
#define TUNING_FORMULA 32

/* False: message says what is wrong, and what would be right. */
bool tuning_read_heat(const char *text, struct discover_rules *rules, char message[TUNING_MESSAGE]);
bool tuning_read_feed(const char *text, struct feed_settings *settings,
                      char message[TUNING_MESSAGE]);
bool tuning_read_pool(const char *text, struct pool_rule *rule, char message[TUNING_MESSAGE]);

/* Of the values; 0: they are the defaults, those of the preset of that name. */
uint32_t tuning_of_heat(const struct discover_rules *rules);
uint32_t tuning_of_feed(const struct feed_settings *settings);
uint32_t tuning_of_pool(const struct pool_rule *rule);

/* name, and "+" with the tuning where that is not 0. */
void tuning_formula(const char *name, uint32_t tuning, char text[TUNING_FORMULA]);

#endif
