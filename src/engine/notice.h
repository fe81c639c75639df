/* notice.h: what an account is told, and what is taken back from it before it was read.
 *
 * An inbox is one row (struct inbox_row), at most NOTICES_MAX notices. Two things fill it:
 *
 *   acts       somebody liked, favorited, shared, commented on an item, or follows. Whom the item is
 *              from is told as loud as the policy in force said (record.notify), never by a
 *              replay's own policy.
 *              explicit: one notice each; over NOTICE_EACH unread ones of the same item and verb the
 *              rest is counted. digest: counted, one notice for each verb and item, until it is
 *              read or NOTICE_PERIOD_US old. Only told because of how the two follow each other
 *              (the rest is silent): one quiet notice each
 *   decisions  sanctions and their end, cases, appeals, quarantines of own items: by their records
 *
 * Holds always: nobody is told of himself; skips, views and reports are never told; who took
 *               something back is never named. An act that is taken back takes its unread notice
 *               with it, and then nothing is told of taking it back: the inbox is as if neither had
 *               been. A decision is not pushed out by acts of others, however many. One more than
 *               fits: the oldest act goes; without any, the oldest decision.
 * Pure, as the rest of the engine. The inbox must be in memory (notice_need_...). */
#ifndef ZAN_ENGINE_NOTICE_H
#define ZAN_ENGINE_NOTICE_H

#include "engine/engine.h"

#define NOTICE_EACH      8 /* unread notices of single acts, of one item and verb */
#define NOTICE_CROWD     5 /* fewer taken back than that are counted, not shown (F98) */
#define NOTICE_PERIOD_US (24LL * 3600 * 1000000)

/* --- decided: written into the record before it is committed ----------------------------------- */

/* Of an act that changes something, before it is applied. old: the edge as it is, or NULL. */
void notice_decide(struct engine *engine, struct record *record, const struct edge_row *old);

/* --- applied ------------------------------------------------------------------------------------ */

/* The act of a record, or of the effect that tells of it, was applied here to what recipient made or
 * is. item: 0 for FOLLOW. */
void notice_act(struct engine *engine, const struct record *record, uint8_t verb,
                uint64_t recipient, uint64_t item);
void notice_take(struct engine *engine, const struct record *effect);
/* An effect that was just made for this record carries what the record says of notices. */
void notice_ride(struct engine *engine, const struct record *record);

/* A decision about an account. until_us: 0 or its end. */
struct notice_order {
    uint16_t tenant;
    uint8_t kind, how;
    uint64_t account, target, case_id;
    int64_t until_us;
};
void notice_tell(struct engine *engine, const struct record *cause,
                 const struct notice_order *order);
/* The same to the creator of an item that is in memory; nothing if it has none. */
void notice_tell_creator(struct engine *engine, const struct record *cause, uint64_t item,
                         struct notice_order order);
void notice_read(struct engine *engine, const struct record *record);
/* Would reading up to that notice change anything? */
bool notice_reads(const struct inbox_row *inbox, uint64_t id, int64_t now_us);

/* --- what has to be in memory ------------------------------------------------------------------- */

void notice_need_inbox(struct engine *engine, struct needs *needs, uint16_t tenant,
                       uint64_t account);
/* Of an act on an item of recipient; levels: record.notify. */
void notice_need(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t account,
                 uint64_t recipient, uint8_t levels);
/* What the policy in force says of this verb, and where it says different things by region the most
 * that has to be known for any of them; 0: nobody is told. */
uint8_t notice_levels(const struct engine *engine, uint8_t verb);
/* May this verb change an inbox of whom it is done to? */
bool notice_may(const struct engine *engine, uint8_t verb);
/* May rules restrict whoever does this? */
bool notice_may_sanction(const struct engine *engine, uint8_t verb);

/* --- answers ------------------------------------------------------------------------------------ */

bool notice_answer(struct engine *engine, const struct request *request, struct reply *reply);

#endif
