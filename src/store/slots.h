/* slots.h: rows by id in a fixed number of slots: a cache of what is at rest, and the only place of
 * what is not yet.
 *
 * A slot is a struct slot, whatever the owner keeps beside it, and a row; slots never move, so that
 * an index stays good for a turn and lists can be threaded through them.
 *
 *   epoch   number of a freeze; a slot is dirty in the epoch of its last change, and clean once
 * that epoch is at rest pinned  used in the present turn: not evicted
 *
 * Holds always: a dirty or pinned slot is never evicted. A freeze is a snapshot: a row that changes
 *               after it, and before it was collected, is copied aside first.
 * Memory:       taken by slots_open, given back by slots_close. */
#ifndef ZAN_STORE_SLOTS_H
#define ZAN_STORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#define SLOT_NONE 0xFFFFFFFFu

/* First in every slot; a lookup touches nothing else. */
struct slot {
    uint64_t id;
    uint32_t next;  /* index + 1 in the same bucket */
    uint32_t dirty; /* epoch of the last change */
    uint32_t turn;  /* last turn that used it */
    uint16_t tenant;
    uint8_t chance; /* second chance before eviction */
    uint8_t copied; /* the flush under way has this row */
};

struct slots {
    uint32_t *heads; /* buckets: index + 1, so that zeroed memory is an empty table */
    uint8_t *memory;
    size_t slot_bytes, row_offset, row_bytes;
    uint32_t capacity, mask;
    uint32_t used;      /* slots ever taken; after that they come from eviction */
    uint32_t hand;      /* of the clock */
    uint32_t *dirty[2]; /* indices dirty in the present epoch; in the frozen one */
    uint32_t dirty_count[2];
    uint32_t collected; /* of the frozen list */
    uint8_t *copies;    /* rows of the flush under way */
    uint32_t copy_count;
    uint64_t evictions;
};

/* What all tables of one memory share. */
struct slots_time {
    uint32_t epoch, rest_epoch; /* now; everything dirty up to there is at rest */
    uint32_t turn;
    bool flushing;
};

bool slots_open(struct slots *slots, uint32_t capacity, size_t slot_bytes, size_t row_offset,
                size_t row_bytes);
void slots_close(struct slots *slots);

static inline struct slot *slots_at(const struct slots *slots, uint32_t index)
{
    return (struct slot *)(void *)(slots->memory + index * slots->slot_bytes);
}

static inline uint32_t *slots_head(const struct slots *slots, uint16_t tenant, uint64_t id)
{
    return &slots->heads[hash_mix(id + 0x9E3779B97F4A7C15ULL * tenant + 1) & slots->mask];
}

/* Pins what it finds. SLOT_NONE: not in memory. */
static inline uint32_t slots_find(const struct slots *slots, const struct slots_time *time,
                                  uint16_t tenant, uint64_t id)
{
    for (uint32_t at = *slots_head(slots, tenant, id); at != 0;) {
        struct slot *slot = slots_at(slots, at - 1);

        if (slot->id == id && slot->tenant == tenant) {
            slot->turn = time->turn;
            slot->chance = 1;
            return at - 1;
        }
        at = slot->next;
    }
    return SLOT_NONE;
}

/* A zeroed slot with this key, pinned and clean; its row is the caller's to fill. It must not be in
 * memory yet. There must be one that is neither dirty nor pinned. */
uint32_t slots_add(struct slots *slots, const struct slots_time *time, uint16_t tenant,
                   uint64_t id);

/* The row will change now. */
void slots_change(struct slots *slots, const struct slots_time *time, uint32_t index);

/* How many more may become dirty: three quarters in all, the last quarter is for reads. */
uint32_t slots_room(const struct slots *slots);

/* The caller counts the epoch up. */
void slots_freeze(struct slots *slots);

/* Copies up to *count rows aside and takes them off *count; true when all are. */
bool slots_collect(struct slots *slots, const struct slots_time *time, uint32_t *count);

void slots_rest(struct slots *slots);

#endif
