#include "node/load.h"

#define INBOXES 16 /* at once: they are large */

static enum status load_inboxes(struct store *store, struct hot *hot, const struct needs *needs,
                                uint32_t from)
{
    struct inbox_row rows[INBOXES];
    bool found[INBOXES];
    uint32_t count = needs->inbox_count - from < INBOXES ? needs->inbox_count - from : INBOXES;
    enum status status;

    for (uint32_t i = 0; i < count; i++) {
        rows[i].id = needs->inboxes[from + i].id;
        rows[i].tenant = needs->inboxes[from + i].tenant;
    }
    status = store_get_inboxes(store, rows, found, count);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        if (found[i] && hot_inbox_find(hot, rows[i].tenant, rows[i].id) == HOT_NONE)
            hot_inbox_add(hot, &rows[i]);
    return status;
}

enum status load_needs(struct store *store, struct hot *hot, struct needs *needs, int64_t now_us)
{
    bool *found = needs->found;
    enum status status = STATUS_OK;

    if (needs->account_count > 0) {
        status = store_get_accounts(store, needs->accounts, found, needs->account_count);
        /* The same row may have been asked for more than once. */
        for (uint32_t i = 0; status == STATUS_OK && i < needs->account_count; i++)
            if (found[i] &&
                hot_account_find(hot, needs->accounts[i].tenant, needs->accounts[i].id) == HOT_NONE)
                hot_account_add(hot, &needs->accounts[i]);
    }
    if (status == STATUS_OK && needs->item_count > 0) {
        status = store_get_items(store, needs->items, found, needs->item_count);
        for (uint32_t i = 0; status == STATUS_OK && i < needs->item_count; i++)
            if (found[i] &&
                hot_item_find(hot, needs->items[i].tenant, needs->items[i].id) == HOT_NONE)
                hot_item_add(hot, &needs->items[i]);
    }
    if (status == STATUS_OK && needs->edge_count > 0) {
        status = store_get_edges(store, needs->edges, found, needs->edge_count);
        for (uint32_t i = 0; status == STATUS_OK && i < needs->edge_count; i++)
            if (found[i])
                hot_edge_hold(hot, &needs->edges[i]);
    }
    if (status == STATUS_OK && needs->operation_count > 0) {
        status =
            store_get_operations(store, needs->operations, found, needs->operation_count, now_us);
        for (uint32_t i = 0; status == STATUS_OK && i < needs->operation_count; i++)
            if (found[i])
                hot_operation_hold(hot, &needs->operations[i]);
    }
    if (status == STATUS_OK && needs->case_count > 0) {
        status = store_get_cases(store, needs->cases, found, needs->case_count);
        for (uint32_t i = 0; status == STATUS_OK && i < needs->case_count; i++)
            if (found[i] &&
                hot_case_find(hot, needs->cases[i].tenant, needs->cases[i].id) == HOT_NONE)
                hot_case_add(hot, &needs->cases[i]);
    }
    for (uint32_t from = 0; status == STATUS_OK && from < needs->inbox_count; from += INBOXES)
        status = load_inboxes(store, hot, needs, from);
    return status;
}
