#include "store/slots.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "store/memory.h"

bool slots_open(struct slots *slots, uint32_t capacity, size_t slot_bytes, size_t row_offset,
                size_t row_bytes)
{
    *slots = (struct slots){.capacity = capacity,
                            .mask = memory_power_above(capacity) - 1,
                            .slot_bytes = slot_bytes,
                            .row_offset = row_offset,
                            .row_bytes = row_bytes};
    slots->heads = memory_take(slots->mask + 1, sizeof *slots->heads);
    slots->memory = memory_take(capacity, slot_bytes);
    slots->dirty[0] = memory_take(capacity, sizeof(uint32_t));
    slots->dirty[1] = memory_take(capacity, sizeof(uint32_t));
    slots->copies = memory_take(capacity, row_bytes);
    return slots->heads != NULL && slots->memory != NULL && slots->dirty[0] != NULL &&
           slots->dirty[1] != NULL && slots->copies != NULL;
}

void slots_close(struct slots *slots)
{
    memory_give(slots->heads, slots->mask + 1, sizeof *slots->heads);
    memory_give(slots->memory, slots->capacity, slots->slot_bytes);
    memory_give(slots->dirty[0], slots->capacity, sizeof(uint32_t));
    memory_give(slots->dirty[1], slots->capacity, sizeof(uint32_t));
    memory_give(slots->copies, slots->capacity, slots->row_bytes);
}

static void unlink_slot(struct slots *slots, uint32_t victim)
{
    struct slot *slot = slots_at(slots, victim);
    uint32_t *link = slots_head(slots, slot->tenant, slot->id);

    while (*link != victim + 1) {
        assert(*link != 0);
        link = &slots_at(slots, *link - 1)->next;
    }
    *link = slot->next;
}

/* May the slot under the hand go? A row that was used since the hand last came by gets a second
 * chance. */
static bool may_go(const struct slots_time *time, struct slot *slot)
{
    if (slot->turn == time->turn)
        return false;
    if (slot->dirty > time->rest_epoch && !PLANTED("hot.evicts_dirty"))
        return false;
    if (slot->chance == 0)
        return true;
    slot->chance = 0;
    return false;
}

static uint32_t take_slot(struct slots *slots, const struct slots_time *time)
{
    if (slots->used < slots->capacity)
        return slots->used++;
    for (uint64_t steps = 0;; steps++) {
        uint32_t at = slots->hand;

        assert(steps < 3 * (uint64_t)slots->capacity);
        slots->hand = at + 1 < slots->capacity ? at + 1 : 0;
        if (!may_go(time, slots_at(slots, at)))
            continue;
        unlink_slot(slots, at);
        slots->evictions++;
        return at;
    }
}

uint32_t slots_add(struct slots *slots, const struct slots_time *time, uint16_t tenant, uint64_t id)
{
    uint32_t at = take_slot(slots, time);
    struct slot *slot = slots_at(slots, at);
    uint32_t *head = slots_head(slots, tenant, id);

    memset(slot, 0, slots->slot_bytes);
    slot->id = id;
    slot->tenant = tenant;
    slot->turn = time->turn;
    slot->chance = 1;
    slot->next = *head;
    *head = at + 1;
    return at;
}

/* Is the row part of the flush under way, and not copied yet? */
static bool must_copy(const struct slots_time *time, const struct slot *slot)
{
    return time->flushing && slot->dirty == time->epoch - 1 && !slot->copied;
}

static void copy_row(struct slots *slots, const struct slot *slot)
{
    memcpy(slots->copies + slots->copy_count++ * slots->row_bytes,
           (const uint8_t *)slot + slots->row_offset, slots->row_bytes);
}

void slots_change(struct slots *slots, const struct slots_time *time, uint32_t index)
{
    struct slot *slot = slots_at(slots, index);

    if (slot->dirty == time->epoch)
        return;
    if (must_copy(time, slot) && !PLANTED("hot.no_copy_aside"))
        copy_row(slots, slot);
    slot->dirty = time->epoch;
    slot->copied = 0;
    slots->dirty[0][slots->dirty_count[0]++] = index;
}

uint32_t slots_room(const struct slots *slots)
{
    uint32_t limit = slots->capacity / 4 * 3;
    uint32_t dirty = slots->dirty_count[0] + slots->dirty_count[1];

    return dirty < limit ? limit - dirty : 0;
}

void slots_freeze(struct slots *slots)
{
    uint32_t *list = slots->dirty[1];

    assert(slots->dirty_count[1] == 0);
    slots->dirty[1] = slots->dirty[0];
    slots->dirty_count[1] = slots->dirty_count[0];
    slots->dirty[0] = list;
    slots->dirty_count[0] = 0;
    slots->collected = 0;
    slots->copy_count = 0;
}

bool slots_collect(struct slots *slots, const struct slots_time *time, uint32_t *count)
{
    for (; *count > 0 && slots->collected < slots->dirty_count[1]; --*count) {
        struct slot *slot = slots_at(slots, slots->dirty[1][slots->collected++]);

        if (must_copy(time, slot)) {
            copy_row(slots, slot);
            slot->copied = 1;
        }
    }
    return slots->collected == slots->dirty_count[1];
}

void slots_rest(struct slots *slots)
{
    slots->dirty_count[1] = 0;
}
