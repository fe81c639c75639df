/* read.c: answers that change nothing. */
#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "engine/access.h"
#include "engine/case.h"
#include "engine/compensate.h"
#include "engine/inner.h"
#include "engine/notice.h"
#include "engine/pause.h"
#include "engine/policy_book.h"
#include "engine/withdraw.h"

bool read_item_copy(struct engine *engine, uint16_t tenant, uint64_t id, struct reply *reply)
{
    uint32_t slot = hot_item_find(engine->hot, tenant, id);
    struct item_row *copy = arena_take(&engine->arena, sizeof *copy);

    if (copy == NULL)
        return false;
    if (slot == HOT_NONE)
        *copy = (struct item_row){.id = id, .tenant = tenant};
    else
        *copy = *hot_item(engine->hot, slot);
    if (copy->withdrawn.horizon_s != 0)
        withdraw_settle(&copy->withdrawn, engine->now_us);
    if (!pause_is_open(&copy->pause, engine->now_us))
        copy->pause.until_s = 0; /* what is told as paused is */
    reply->item = copy;
    return true;
}

bool read_account_copy(struct engine *engine, uint16_t tenant, uint64_t id, struct reply *reply)
{
    uint32_t slot = hot_account_find(engine->hot, tenant, id);
    struct account_row *copy = arena_take(&engine->arena, sizeof *copy);

    if (copy == NULL)
        return false;
    if (slot == HOT_NONE)
        *copy = (struct account_row){.id = id, .tenant = tenant};
    else
        *copy = *hot_account(engine->hot, slot);
    compensate_settle(&copy->compensation, engine->now_us);
    if (copy->state != ACCOUNT_ACTIVE && copy->until_us <= engine->now_us) {
        copy->state = ACCOUNT_ACTIVE; /* it has expired */
        copy->until_us = 0;
    }
    if (copy->limit_until_us <= engine->now_us)
        copy->limit_until_us = copy->limit_verbs = 0;
    if (copy->cut_until_us <= engine->now_us)
        copy->cut_until_us = copy->cut_pct = 0;
    reply->account = copy;
    return true;
}

static bool states_answer(struct engine *engine, const struct request *request,
                          const struct verb_info *info, struct reply *reply)
{
    uint64_t *values = arena_take(&engine->arena, request->count * sizeof *values);

    if (values == NULL)
        return false;
    hot_edges_on(engine->hot, request->tenant, info->edge, request->account, request->u.ids,
                 request->count, values);
    reply->kind = REPLY_INTEGERS;
    reply->count = request->count;
    reply->u.values = values;
    return true;
}

static uint64_t total_of(struct engine *engine, const struct request *request, uint8_t counter,
                         uint64_t id)
{
    uint32_t slot;

    if (counter == COUNTER_FOLLOW) {
        slot = hot_account_find(engine->hot, request->tenant, id);
        return slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->received[COUNTER_FOLLOW];
    }
    slot = hot_item_find(engine->hot, request->tenant, id);
    return slot == HOT_NONE ? 0 : hot_item(engine->hot, slot)->counts[counter];
}

/* Until when growth of the item's totals is not shown; 0: it is shown. */
static uint64_t paused_until_ms(const struct engine *engine, const struct request *request,
                                uint64_t id)
{
    uint32_t slot = hot_item_find(engine->hot, request->tenant, id);
    const struct pause *pause = slot == HOT_NONE ? NULL : &hot_item(engine->hot, slot)->pause;

    return pause != NULL && pause_is_open(pause, engine->now_us) ? pause->until_s * 1000ULL : 0;
}

/* Is there any item at all whose growth may not be shown now? Nearly always not, and then no row is
 * looked at for it. */
static bool any_paused(const struct engine *engine)
{
    return hot_paused_until_s(engine->hot) * 1000000LL > engine->now_us ||
           PLANTED("engine.pause_without_end");
}

/* Growth that is not shown is taken off the values, and which they are is told behind them. */
static void totals_pause(struct engine *engine, const struct request *request, uint8_t counter,
                         uint64_t *values, struct reply *reply)
{
    uint64_t *until_ms = values + request->count;

    for (uint32_t i = 0; i < request->count; i++) {
        uint64_t id = request->u.ids[i];

        until_ms[i] = paused_until_ms(engine, request, id);
        if (until_ms[i] == 0)
            continue;
        reply->held = 1;
        if (pause_hides(engine, request, id))
            values[i] =
                pause_shown(hot_item(engine->hot, hot_item_find(engine->hot, request->tenant, id)),
                            counter, engine->now_us);
    }
}

static bool totals_answer(struct engine *engine, const struct request *request,
                          const struct verb_info *info, struct reply *reply)
{
    bool of_pauses = info->counter == COUNTER_NONE;
    bool paused = !of_pauses && info->counter != COUNTER_FOLLOW && any_paused(engine);
    uint64_t *values = arena_take(&engine->arena, (1u + paused) * request->count * sizeof *values);

    if (values == NULL)
        return false;
    for (uint32_t i = 0; i < request->count; i++)
        values[i] = of_pauses ? paused_until_ms(engine, request, request->u.ids[i])
                              : total_of(engine, request, info->counter, request->u.ids[i]);
    if (paused)
        totals_pause(engine, request, info->counter, values, reply);
    for (uint32_t i = 0; disclose_is_viewer(request) && !of_pauses && i < request->count; i++)
        values[i] = disclose_total(&engine->disclosure, engine->hot, request, info->counter,
                                   request->u.ids[i], values[i], engine->now_us);
    reply->kind = REPLY_INTEGERS;
    reply->count = request->count;
    reply->u.values = values;
    return true;
}

/* --- pages of a list -----------------------------------------------------------------------------
 */

struct page {
    struct reply_entry *entries;
    uint32_t count, max;
    uint64_t below; /* sequence of the last entry looked at */
    bool more;
};

static void page_add(struct page *page, uint64_t id, uint64_t sequence, int64_t time_us)
{
    page->entries[page->count++] =
        (struct reply_entry){.id = id, .sequence = sequence, .time_us = time_us};
}

static struct page_end *page_end_of(struct engine *engine, uint64_t id, uint64_t below)
{
    return &engine->pages[hash_two(id, below) % ENGINE_PAGES];
}

static void page_remember(struct engine *engine, const struct request *request, uint8_t kind,
                          uint64_t id, uint64_t below, const struct hot_cursor *cursor)
{
    *page_end_of(engine, id, below) = (struct page_end){.id = id,
                                                        .below = below,
                                                        .age = hot_list_age(engine->hot),
                                                        .tenant = request->tenant,
                                                        .kind = kind,
                                                        .taken = cursor->taken,
                                                        .cursor = *cursor};
}

/* Where the list begins for this request: after the page it has already, or at the head. */
static void page_begin(struct engine *engine, const struct request *request, bool taken,
                       uint8_t kind, uint64_t id, uint32_t slot, struct hot_cursor *cursor)
{
    const struct page_end *end = page_end_of(engine, id, request->u.cursor);

    if (request->flags & REQUEST_HAS_CURSOR && end->below == request->u.cursor && end->id == id &&
        end->kind == kind && end->taken == taken && end->tenant == request->tenant &&
        end->age == hot_list_age(engine->hot))
        *cursor = end->cursor;
    else if (taken)
        hot_list_taken(engine->hot, slot, kind, cursor);
    else
        hot_list_given(engine->hot, slot, kind, cursor);
}

/* What is not yet at rest is newer than all that is. */
static void page_from_hot(struct engine *engine, const struct request *request, bool taken,
                          uint8_t kind, struct page *page)
{
    struct hot_cursor cursor, before;
    const struct edge_row *row;
    bool account = !taken || kind == EDGE_FOLLOW;
    uint64_t id = taken ? request->target : request->account;
    uint32_t slot = account ? hot_account_find(engine->hot, request->tenant, id)
                            : hot_item_find(engine->hot, request->tenant, id);

    if (slot == HOT_NONE)
        return;
    page_begin(engine, request, taken, kind, id, slot, &cursor);
    for (before = cursor; (row = hot_list_next(engine->hot, &cursor)) != NULL; before = cursor) {
        if (row->sequence >= page->below)
            continue;
        if (page->count == page->max) {
            page->more = true;
            page_remember(engine, request, kind, id, page->below, &before);
            return;
        }
        page_add(page, taken ? row->account : row->target, row->sequence, row->time_us);
        page->below = row->sequence;
    }
}

/* An entry at rest still holds if the edge says so now: from memory if it is there, else from the
 * store. */
#define PAGE_READ 256
static enum status page_check(struct engine *engine, const struct request *request, bool taken,
                              uint8_t kind, const struct store_entry *entries, uint32_t count,
                              bool *holds)
{
    struct edge_row rows[PAGE_READ];
    uint32_t asked[PAGE_READ];
    bool found[PAGE_READ];
    uint32_t n = 0;
    enum status status;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t account = taken ? entries[i].other : request->account;
        uint64_t target = taken ? request->target : entries[i].other;
        const struct edge_row *edge =
            hot_edge_find(engine->hot, request->tenant, kind, account, target);

        if (edge != NULL) {
            /* Fresh ones were listed from memory, if they are on. */
            holds[i] = (edge->on && edge->sequence == entries[i].sequence) ||
                       PLANTED("engine.page_shows_taken_back");
            continue;
        }
        holds[i] = false;
        rows[n] = (struct edge_row){
            .account = account, .target = target, .tenant = request->tenant, .kind = kind};
        asked[n++] = i;
    }
    if (n == 0)
        return STATUS_OK;
    status = store_get_edges(engine->store, rows, found, n);
    for (uint32_t i = 0; status == STATUS_OK && i < n; i++)
        holds[asked[i]] = found[i] && rows[i].on && rows[i].sequence == entries[asked[i]].sequence;
    return status;
}

static enum status page_from_store(struct engine *engine, const struct request *request, bool taken,
                                   uint8_t kind, struct page *page)
{
    struct store_entry entries[PAGE_READ];
    bool holds[PAGE_READ];
    uint64_t id = taken ? request->target : request->account;
    /* An item nobody likes any more has many entries that do not hold; a page looks at no more than
     * four times its size and says where to go on. */
    uint32_t looks = 4 * page->max;
    bool more = true;

    while (more && page->count < page->max && looks > 0) {
        uint32_t count,
            want = page->max - page->count < PAGE_READ ? page->max - page->count : PAGE_READ;
        enum status status =
            store_list(engine->store, taken ? STORE_TAKEN : STORE_GIVEN, request->tenant, kind, id,
                       page->below, entries, want, &count, &more);

        if (status == STATUS_OK)
            status = page_check(engine, request, taken, kind, entries, count, holds);
        if (status != STATUS_OK)
            return status;
        for (uint32_t i = 0; i < count; i++)
            if (holds[i])
                page_add(page, entries[i].other, entries[i].sequence, entries[i].time_us);
        if (count == 0)
            break;
        page->below = entries[count - 1].sequence;
        looks = looks > count ? looks - count : 0;
    }
    page->more = more;
    return STATUS_OK;
}

static bool page_answer(struct engine *engine, const struct request *request,
                        const struct verb_info *info, struct reply *reply)
{
    bool taken = info->shape == SHAPE_TAKEN;
    struct page page = {
        .max = request->count,
        .below = request->flags & REQUEST_HAS_CURSOR ? request->u.cursor : UINT64_MAX,
    };
    enum status status = STATUS_OK;

    if (info->access == ACCESS_LIST &&
        !disclose_list(&engine->disclosure, request, engine->now_us)) {
        reply->kind = REPLY_ERROR;
        reply->status = STATUS_RATE;
        reply->retry_ms = disclose_retry_ms(engine->now_us);
        return true;
    }
    page.entries = arena_take(&engine->arena, page.max * sizeof *page.entries);
    if (page.entries == NULL)
        return false;
    page_from_hot(engine, request, taken, info->edge, &page);
    if (!page.more)
        status = page_from_store(engine, request, taken, info->edge, &page);
    if (status != STATUS_OK) {
        reply->kind = REPLY_ERROR;
        reply->status = (uint8_t)status;
        return true;
    }
    if (info->access == ACCESS_LIST)
        disclose_listed(&engine->disclosure, request, page.count, engine->now_us);
    reply->kind = REPLY_PAGE;
    reply->count = (uint16_t)page.count;
    reply->u.page = page.entries;
    reply->cursor = page.more ? page.below : 0;
    return true;
}

enum status read_list(struct engine *engine, uint16_t tenant, bool taken, uint8_t kind, uint64_t id,
                      struct reply_entry *entries, uint32_t max, uint64_t *below, uint32_t *count,
                      bool *more)
{
    struct request request = {.tenant = tenant, .account = id, .target = id};
    struct page page = {.entries = entries, .max = max, .below = *below};
    enum status status = STATUS_OK;

    if (*below != UINT64_MAX) {
        request.flags = REQUEST_HAS_CURSOR;
        request.u.cursor = *below;
    }
    page_from_hot(engine, &request, taken, kind, &page);
    if (!page.more)
        status = page_from_store(engine, &request, taken, kind, &page);
    *below = page.below;
    *count = page.count;
    *more = page.more;
    return status;
}

enum status read_edges(struct engine *engine, uint16_t tenant, bool taken, uint8_t kind,
                       uint64_t id, const struct reply_entry *entries, uint32_t count,
                       struct edge_row *rows)
{
    struct edge_row asked[READ_EDGES_MAX];
    uint32_t place[READ_EDGES_MAX], n = 0;
    bool found[READ_EDGES_MAX];
    enum status status = STATUS_OK;

    assert(count <= READ_EDGES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t account = taken ? entries[i].id : id, target = taken ? id : entries[i].id;
        const struct edge_row *edge = hot_edge_find(engine->hot, tenant, kind, account, target);

        rows[i] =
            (struct edge_row){.tenant = tenant, .kind = kind, .account = account, .target = target};
        if (edge != NULL) {
            rows[i] = *edge;
            continue;
        }
        asked[n] = rows[i];
        place[n++] = i;
    }
    if (n > 0)
        status = store_get_edges(engine->store, asked, found, n);
    for (uint32_t i = 0; status == STATUS_OK && i < n; i++)
        rows[place[i]] = asked[i];
    return status;
}

/* May the caller see this item? (access.def: "own item") */
static enum status item_is_open_to(struct engine *engine, const struct request *request)
{
    uint32_t slot = request->object_rule == RULE_ITEM
                        ? hot_item_find(engine->hot, request->tenant, request->target)
                        : HOT_NONE;

    return access_check_item(request, slot == HOT_NONE ? NULL : hot_item(engine->hot, slot));
}

bool read_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    const struct verb_info *info = verb_info(request->verb);
    enum status status = item_is_open_to(engine, request);

    if (status != STATUS_OK) {
        reply->kind = REPLY_ERROR;
        reply->status = (uint8_t)status;
        return true;
    }
    switch (info->shape) {
    case SHAPE_STATES:
        return states_answer(engine, request, info, reply);
    case SHAPE_TOTALS:
        return totals_answer(engine, request, info, reply);
    case SHAPE_TAKEN:
    case SHAPE_GIVEN:
        return page_answer(engine, request, info, reply);
    case SHAPE_CLEANUP_PREVIEW:
        return cleanup_preview(engine, request, reply);
    case SHAPE_WEIGHED:
        return weighed_answer(engine, request, reply);
    case SHAPE_ACTIVITY:
        return activity_answer(engine, request, reply);
    case SHAPE_COUNTS:
        reply->kind = REPLY_COUNTS;
        return read_item_copy(engine, request->tenant, request->target, reply);
    case SHAPE_RECEIVED:
        reply->kind = request->verb == VERB_BUDGET ? REPLY_BUDGET : REPLY_RECEIVED;
        return read_account_copy(engine, request->tenant, request->account, reply);
    case SHAPE_ITEM_GET:
        if (hot_item_find(engine->hot, request->tenant, request->target) == HOT_NONE) {
            reply->kind = REPLY_ERROR;
            reply->status = STATUS_NOITEM;
            return true;
        }
        reply->kind = REPLY_ITEM;
        return read_item_copy(engine, request->tenant, request->target, reply);
    case SHAPE_ACCOUNT_GET:
        if (hot_account_find(engine->hot, request->tenant, request->account) == HOT_NONE) {
            reply->kind = REPLY_ERROR;
            reply->status = STATUS_NOACCOUNT;
            return true;
        }
        reply->kind = REPLY_ACCOUNT;
        return read_account_copy(engine, request->tenant, request->account, reply) &&
               case_newest(engine, request, reply);
    case SHAPE_EXPORT:
        return export_answer(engine, request, reply);
    case SHAPE_NOTICES:
        return notice_answer(engine, request, reply);
    case SHAPE_POINTS:
    case SHAPE_SHIELD:
    case SHAPE_CASE_GET:
    case SHAPE_CASE_LIST:
    case SHAPE_CASE_OF:
        return case_read(engine, request, reply);
    case SHAPE_POLICY_GET:
    case SHAPE_POLICY_LIST:
        return policy_read(engine, request, reply);
    case SHAPE_SEQ: {
        uint64_t *value = arena_take(&engine->arena, sizeof *value);

        if (value == NULL)
            return false;
        *value = engine->sequence;
        reply->kind = REPLY_INTEGERS;
        reply->count = 1;
        reply->u.values = value;
        return true;
    }
    default:
        assert(0);
        return true;
    }
}
