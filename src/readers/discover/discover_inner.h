/* discover_inner.h: what the files of discovery share.
 *
 *   discover.c         memory, rows that come and go, items, scopes, time
 *   discover_act.c     what accounts do to items: heat, rates, interests
 *   discover_viewer.c  what feeds are made of: who likes and follows what lately, what is in trial
 *   discover_weight.c  what creators' weights are made of
 *   discover_read.c    what answers are made of
 *   discover_feed.c    pages (discover_feed.h, on its own: it changes nothing here)
 *   discover_gifts.c   exposure that creators are given (gifts.h), by records of items and views
 *   discover_save.c    checkpoints
 */
#ifndef ZAN_READERS_DISCOVER_INNER_H
#define ZAN_READERS_DISCOVER_INNER_H

#include "readers/discover/discover.h"

static inline struct item *item_at(const struct discover *discover, uint32_t row)
{
    return table_row(&discover->items, row);
}

/* A tag's number in half the bits; never 0. */
static inline uint32_t tag_fold(uint64_t tag)
{
    uint32_t folded = (uint32_t)(tag >> 32 ^ tag);

    return folded != 0 ? folded : 1;
}

/* --- discover.c */
/* The rows; made if there is none (TABLE_NONE only where every row is pinned: never). */
uint32_t item_take(struct discover *discover, uint32_t tenant, uint64_t id, int64_t time_us);
struct exposure *exposure_take(struct discover *discover, uint32_t tenant, uint64_t item,
                               uint64_t account);
void exposure_drop(struct discover *discover, uint32_t row);
struct account *account_take(struct discover *discover, uint32_t tenant, uint64_t id);
struct tag_row *tag_take(struct discover *discover, uint32_t tenant, uint64_t tag);
/* What its kind has learnt; NULL: it has no tag, or that is not known any more. */
struct kind_sums *item_kind(struct discover *discover, const struct item *item);
struct live *live_take(struct discover *discover, uint32_t tenant, uint64_t item);

uint32_t item_find(const struct discover *discover, uint32_t tenant, uint64_t id);
/* Its heat, boost or newcomer's time changed: ranked anew. */
void item_rank(struct discover *discover, uint32_t row);
/* Steps of what fades, up to time_us: before an act on it. */
void item_step(struct discover *discover, uint32_t row, int64_t time_us);
/* Into the lists again, after a restore. */
void items_list(struct discover *discover);
void item_due(struct discover *discover, uint32_t row);

/* --- discover_viewer.c */
/* After the record was applied: what the account's feed is to know of it. */
void viewer_learn(struct discover *discover, const struct record *record);
/* What an act on an item was news of, by its exposure before and after it. */
void viewer_feels(struct discover *discover, const struct record *record, const struct item *item,
                  const struct exposure *before, const struct exposure *after, uint8_t pct);
void viewer_forget(struct discover *discover, uint32_t tenant, uint64_t account);
/* What has one of these tags less. */
void viewer_forget_tag(struct discover *discover, uint32_t tenant, uint64_t account, uint64_t tag);
/* Has its stage's budget been used up? Puts it in trial, or takes it out. */
void item_trial(struct discover *discover, uint32_t row);

/* --- discover_weight.c */
/* It has its creator from now on. */
void weight_item_created(struct discover *discover, const struct item *item, int64_t time_us);
void weight_item_tagged(struct discover *discover, const struct item *item);
void weight_item_origin(struct discover *discover, const struct item *item,
                        enum item_origin origin);
/* A STAGE record; before its counts begin anew. */
void weight_item_looked(struct discover *discover, const struct item *item, int64_t time_us);
/* An act that is applied: the account's exposure before it and after it. */
void weight_fan(struct discover *discover, const struct record *record, const struct item *item,
                const struct exposure *before, const struct exposure *after);
/* CASE APPROVE, SANCTION. */
void weight_case(struct discover *discover, const struct record *record);
void weight_forget(struct discover *discover, uint32_t tenant, uint64_t creator);

/* --- discover_gifts.c */
/* An item of that creator is known now. */
void gifts_item(struct discover *discover, struct item *item, int64_t time_us);
/* A first attested impression, credited with so much. */
void gifts_impression(struct discover *discover, struct item *item, const struct record *record,
                      uint8_t pct);

/* --- discover_act.c */
void act_apply(struct discover *discover, const struct record *record);
bool act_is(const struct record *record);
/* Everything of an account but what its reactions stand for, which are taken back one by one. */
void act_forget(struct discover *discover, uint32_t tenant, uint64_t account);

#endif
