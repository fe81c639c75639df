/* pause.h: growth of an item's totals that is not shown for a while.
 *
 * What everybody is shown of an item (likes, favorites, views, shares, comments) is told as no more
 * than it was when the pause began. Counting goes on, and so does all that rests on it: rules,
 * weights, heat, exposure, certificates. What falls is shown at once, so that a pause hides no like
 * that was taken back: it cannot keep a number up.
 *
 *   by the creator   of his own items, PAUSE_CREATOR_MAX_S at most, ended by him when he likes
 *   by a review      a case (DECISION_PAUSE) that two people decided, PAUSE_REVIEW_MAX_S at most;
 *                    the creator is told, may appeal, and does not end it himself
 *
 * It ends by itself: nothing has to run. One that begins while another is open goes on with what
 * was shown, so that none makes a jump. No rule has it as an action, and no act of others begins
 * it.
 *
 * Who is shown less: users, creators of other items, and the platform's backend where it asks for a
 * total alone (LIKES, VIEWS, ...). The creator of the item, who works on cases and who audits is
 * told what is. Maps of an item tell both, with until when and by whom; PAUSED tells it of many
 * items.
 *
 *   now_us   engine time, of records
 *   counter  enum counter
 *
 * Holds always: shown <= the count; shown == the count when no pause is open. Integers only; pure.
 * Memory:       struct pause (schema/row.h) in the row of the item. */
#ifndef ZAN_ENGINE_PAUSE_H
#define ZAN_ENGINE_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

#define PAUSE_S             (24u * 3600) /* of a creator, if not said */
#define PAUSE_CREATOR_MAX_S (7u * 24 * 3600)
#define PAUSE_REVIEW_MAX_S  (30u * 24 * 3600)

bool pause_is_open(const struct pause *pause, int64_t now_us);
/* What is shown of the item's count. */
uint64_t pause_shown(const struct item_row *item, uint8_t counter, int64_t now_us);

/* From now on; the row is changed. */
void pause_begin(struct engine *engine, uint32_t item, enum pause_by by, uint32_t until_s,
                 int64_t now_us);
/* Ends one that is open. */
void pause_end(struct item_row *item, int64_t now_us);

/* GROWTH PAUSE and GROWTH RESUME, as things stand; the record gets the end. */
enum status pause_decide(struct engine *engine, const struct request *request,
                         struct record *record);
void pause_apply(struct engine *engine, const struct record *record);

/* Does this caller see what is shown, and not what is? */
bool pause_hides(struct engine *engine, const struct request *request, uint64_t item);

#endif
