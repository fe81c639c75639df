/* quality.h: what the likes of an item are worth, in bands, for its creator: how many count in
 * full, in part, not at all, wait, or were voided. Nobody is told apart.
 *
 * Looked at are the newest QUALITY_LOOKS likes: what they are worth stands in their edges, and an
 * item may have millions. A band of fewer than QUALITY_LEAST likes is not told, and with it the
 * next larger ones, until those that are not told have so many together: else the sum tells the
 * one. If that leaves no like to be told, no band is, not even an empty one.
 *
 * Source: bounds as in small_counts (disclose.h); RELIABILITY 4.8.
 * Memory: the caller's; the answer lies in the engine's arena. Pure, as the rest of the engine. */
#ifndef ZAN_ENGINE_QUALITY_H
#define ZAN_ENGINE_QUALITY_H

#include "engine/engine.h"

#define QUALITY_LOOKS 1024
#define QUALITY_LEAST 5

/* In which band a like that is on stands. */
enum quality_band quality_band(const struct edge_row *like);
/* Notes in hidden which bands are not to be told. */
void quality_hide(struct quality *quality);
/* Of the request's item, into the reply. False: no room in the arena. An error is in the reply. */
bool quality_answer(struct engine *engine, const struct request *request, struct reply *reply);

#endif
