/* note.h: decisions about exposure that the engine checks, writes down, and keeps little of.
 *
 * Who follows the log (src/readers) acts by them; the engine sees to it that they are well-formed,
 * that what they are about is there, that what ends does end, and that nothing is spent twice. What
 * each record says is in schema/record.h.
 *
 *   ITEM TAG         what an item is about; the newest counts
 *   INTEREST FORGET  the holder deletes what was found out about his interests, in part or whole
 *   BOOST ...        an editor lifts an item, a tag, a search word: 101 to 200 percent (100: no
 *                    longer), for NOTE_BOOST_MAX_S at most, with a reason; who is in the record
 *   STAGE            an item goes up its ladder, or stops, with the evidence
 *   SPEND BUDGET     exposure of a creator's budget is given out (compensate.h); its record tells
 *                    what is left, so that of 0 is how who follows the log learns it
 *   CAMPAIGN OPEN    impressions of an item are bought for accounts with an interest, labelled,
 *                    with a hold-out, until a time NOTE_CAMPAIGN_MAX_S away at most; one at a time
 *   CAMPAIGN STOP    ends it
 *   SPEND CAMPAIGN   impressions of it are given out
 *   GROWTH ...       a creator's switch over what is shown of his item (pause.h)
 *
 * State: the budget of a creator's row, the campaign of an item's (budget, spent, until, so that
 * no more is given out than was bought, whoever asks how often) and its pause, and nothing else: of all others
 * the log is the only place. Unknown items and accounts are refused, also where a like would let
 * them be: there is nothing to say about them. */
#ifndef ZAN_ENGINE_NOTE_H
#define ZAN_ENGINE_NOTE_H

#include "engine/engine.h"

#define NOTE_BOOST_MAX_S    (7u * 24 * 3600)
#define NOTE_CAMPAIGN_MAX_S (90u * 24 * 3600)
#define NOTE_HOLDOUT        10 /* percent, if not said */
#define NOTE_HOLDOUT_MAX    50
#define NOTE_FACTOR_NONE    100 /* percent */
#define NOTE_FACTOR_MAX     200

enum status note_decide(struct engine *engine, const struct request *request,
                        struct record *record);
void note_apply(struct engine *engine, const struct record *record);

#endif
