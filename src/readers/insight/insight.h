/* insight.h: the computing core of insight: records in, funnels, rollups and audiences out.
 *
 * Everything here is a function of the records, in one thread, in memory of a fixed size. No I/O,
 * no clock, no float in what is held. reader_insight.c binds it to the contract of readers
 * (reader.h); docs/insight.md has what is counted and why.
 *
 *   apply   takes every record there is, of any version; what it does not know it passes over
 *
 * An account's steps on an item stand in an exposure. If that was forgotten (the table was full and
 * it was the coldest), an un-like or a settlement takes away what its BEFORE says, and a step done
 * again counts again.
 *
 * What is switched off (PERSONAL off, a minor) is kept as long as the account is: its row is
 * pinned. If there is no room for one more, nobody's tastes are kept or used (`switches_lost`).
 *
 * Memory: insight_open takes one block of at most the bytes given and gives it back at close. */
#ifndef ZAN_READERS_INSIGHT_INSIGHT_H
#define ZAN_READERS_INSIGHT_INSIGHT_H

#include "readers/insight/bucket.h"
#include "readers/insight/rows.h"
#include "readers/reader.h"
#include "schema/record.h"
#include "schema/status.h"

#define INSIGHT_VERSION   2 /* of what apply computes and save writes */
#define INSIGHT_FORMULA   "insight-1"
#define INSIGHT_BYTES_MIN (1u << 20)

struct insight_size {
    uint32_t items, exposures, buckets, accounts, creators, ties, maps, tastes, names, actives;
};

struct insight {
    struct insight_size size;
    struct table items, exposures, accounts, creators, ties, maps, tastes, names, actives;
    struct buckets buckets;
    int64_t record_us; /* latest time of a record */
    uint64_t applied;  /* records */
    uint64_t switches_lost;
    void *memory;
    size_t bytes;
};

/* NOMEMORY; BADVALUE: under INSIGHT_BYTES_MIN. */
enum status insight_open(struct insight *insight, uint64_t bytes);
void insight_clear(struct insight *insight);
void insight_close(struct insight *insight);

void insight_apply(struct insight *insight, const struct record *record);

/* --- checkpoints, in the form of reader.h */
enum status insight_save(const struct insight *insight, struct reader_sink *sink);
/* Into one that was opened with the same bytes, or cleared. BADDATA: it was not. */
enum status insight_restore(struct insight *insight, struct reader_source *source);
void insight_digest(const struct insight *insight, uint8_t digest[32]);

/* --- what answers are made of; borrowed until the next apply; NULL: nothing is known of it */
const struct insight_item *insight_item(const struct insight *insight, uint32_t tenant,
                                        uint64_t id);
const struct insight_creator *insight_creator(const struct insight *insight, uint32_t tenant,
                                              uint64_t id);
const struct insight_account *insight_account(const struct insight *insight, uint32_t tenant,
                                              uint64_t id);
const struct insight_map *insight_map(const struct insight *insight, enum map_kind kind,
                                      uint32_t tenant, uint64_t id, uint64_t region);
const struct insight_name *insight_name(const struct insight *insight, uint32_t tenant,
                                        uint64_t tag);
/* Day since the epoch. */
const struct sketch *insight_active(const struct insight *insight, uint32_t tenant, uint32_t day);
/* The number of a tag, by its name. */
uint64_t insight_tag_id(const char *name, size_t size);
/* Was an assertion of that epoch revoked? Where that is no longer known, yes. */
bool insight_is_revoked(const struct insight *insight, uint32_t tenant, uint64_t account,
                        uint32_t epoch);

/* Rows of a table, the used ones one after the other; *at begins with 0. NULL: there are no more.
 */
const void *insight_next(const struct table *table, uint32_t *at);

uint32_t insight_age_bin(int64_t age_us);

#endif
