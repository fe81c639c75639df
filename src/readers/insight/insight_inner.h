/* insight_inner.h: what the files of insight share.
 *
 *   insight.c        memory, rows that come and go, what is known of items and accounts
 *   insight_act.c    what accounts do
 *   insight_read.c   what answers are made of
 *   insight_save.c   checkpoints
 */
#ifndef ZAN_READERS_INSIGHT_INNER_H
#define ZAN_READERS_INSIGHT_INNER_H

#include "readers/insight/insight.h"

#define HOUR_US (3600LL * 1000000)
#define DAY_US  (24 * HOUR_US)

static inline uint32_t day_of(int64_t time_us)
{
    return (uint32_t)(time_us / DAY_US);
}

/* --- insight.c: the row, NULL if there is none; take: made if there is none */
struct insight_item *insight_find_item(const struct insight *insight, uint32_t tenant, uint64_t id);
struct insight_item *insight_take_item(struct insight *insight, const struct record *record);
struct insight_exposure *insight_find_exposure(const struct insight *insight, uint32_t tenant,
                                               uint64_t item, uint64_t account);
struct insight_exposure *insight_take_exposure(struct insight *insight, uint32_t tenant,
                                               uint64_t item, uint64_t account);
struct insight_account *insight_find_account(const struct insight *insight, uint32_t tenant,
                                             uint64_t id);
/* NULL: every row is pinned. */
struct insight_account *insight_take_account(struct insight *insight, uint32_t tenant, uint64_t id);
struct insight_creator *insight_find_creator(const struct insight *insight, uint32_t tenant,
                                             uint64_t id);
struct insight_creator *insight_take_creator(struct insight *insight, uint32_t tenant, uint64_t id);
struct insight_tie *insight_take_tie(struct insight *insight, uint32_t tenant, uint64_t creator,
                                     uint64_t account);
struct insight_map *insight_take_map(struct insight *insight, enum map_kind kind, uint32_t tenant,
                                     uint64_t id, uint64_t region);
struct insight_taste *insight_take_taste(struct insight *insight, uint32_t tenant, uint64_t creator,
                                         uint64_t tag);
struct insight_active *insight_take_active(struct insight *insight, uint32_t tenant, uint32_t day);
/* May anything be kept of what the account likes? */
bool insight_may_keep(const struct insight *insight, const struct insight_account *account);

/* --- insight_act.c */
void insight_act(struct insight *insight, const struct record *record);
void insight_follow(struct insight *insight, const struct record *record);
/* Everything of an account but what its reactions stand for, which are taken back one by one. */
void insight_forget(struct insight *insight, uint32_t tenant, uint64_t account);

#endif
