/* erase.c: an account is asked to be erased, waits, and goes.
 *
 * Three steps, each a record: ACCOUNT ERASE writes down from when on it may be, ACCOUNT KEEP takes
 * that back, ACCOUNT PURGE (the privacy officer's alone) carries it out. PURGE closes the account
 * first, so that nothing can be added behind the sweep, and then takes back what it has on, edge by
 * edge, as ordinary records (cleanup.c): counts fall as by single un-likes. Called again it goes on
 * where it was; nothing of a job is kept.
 *
 * What is left is a tombstone: the id, that it is erased, totals that others' numbers are the other
 * side of (received; reports, which are never taken back), and an epoch that revokes every
 * assertion. What stays in the log, and in rows of edges that are off: docs/security.md. */
#include "base/hook.h"
#include "engine/inner.h"

#define SECOND_US 1000000LL

static const struct account_row *row_of(struct engine *engine, const struct request *request)
{
    uint32_t slot = hot_account_find(engine->hot, request->tenant, request->account);

    return slot == HOT_NONE ? NULL : hot_account(engine->hot, slot);
}

enum status erase_decide(struct engine *engine, const struct request *request,
                         struct record *record)
{
    const struct account_row *row = row_of(engine, request);
    bool asks = request->verb == VERB_ACCOUNT_ERASE;

    if (row == NULL)
        return STATUS_NOACCOUNT;
    if (row->state == ACCOUNT_ERASED)
        return STATUS_ERASED;
    if (asks == (row->erase_s != 0)) /* asking again does not make it wait longer */
        return STATUS_UNCHANGED;
    if (!asks)
        return STATUS_OK;
    record->fields |= RECORD_HAS_ARGS;
    record->a = (uint64_t)((engine->now_us + engine->erase_wait_us + SECOND_US - 1) / SECOND_US);
    if (engine->erase_wait_us == 0)
        record->a = (uint64_t)(engine->now_us / SECOND_US);
    return STATUS_OK;
}

enum status erase_begin(struct engine *engine, const struct request *request)
{
    const struct account_row *row = row_of(engine, request);
    struct record record;

    if (row == NULL)
        return STATUS_NOACCOUNT;
    if (row->state == ACCOUNT_ERASED)
        return STATUS_OK;
    if ((row->erase_s == 0 || (int64_t)row->erase_s * SECOND_US > engine->now_us) &&
        !PLANTED("engine.erased_unasked"))
        return STATUS_NOTDUE;
    record_begin(&record, request, VERB_ACCOUNT_PURGE);
    record.fields |= RECORD_CHANGED;
    record_commit(engine, &record);
    return STATUS_OK;
}

static void tombstone(struct account_row *row)
{
    struct account_row left = {
        .id = row->id,
        .tenant = row->tenant,
        .state = ACCOUNT_ERASED,
        .until_us = INT64_MAX,
        .epoch = row->epoch + 1,
        .received_credit = row->received_credit,
    };

    for (int c = 0; c < COUNTER_COUNT; c++)
        left.received[c] = row->received[c];
    left.given[COUNTER_LIKE] = row->given[COUNTER_LIKE]; /* those fall with their edges */
    left.given[COUNTER_FAVORITE] = row->given[COUNTER_FAVORITE];
    left.given[COUNTER_FOLLOW] = row->given[COUNTER_FOLLOW];
    left.given[COUNTER_REPORT] = row->given[COUNTER_REPORT];
    if (PLANTED("engine.tombstone_remembers"))
        left.taken_back = row->taken_back;
    *row = left;
}

/* What it was told goes too. The row is in memory, if there is one (notice_need_inbox). */
static void forget_told(struct engine *engine, const struct record *record)
{
    uint32_t slot = hot_inbox_find(engine->hot, record->tenant, record->account);

    if (slot == HOT_NONE || PLANTED("engine.erased_inbox_stays"))
        return;
    *hot_inbox_change(engine->hot, slot) =
        (struct inbox_row){.id = record->account, .tenant = record->tenant};
}

void erase_apply(struct engine *engine, const struct record *record, struct account_row *row)
{
    if (record->kind == VERB_ACCOUNT_PURGE) {
        tombstone(row);
        forget_told(engine, record);
        judge_forget(engine, record->tenant, record->account);
    } else {
        row->erase_s = record->kind == VERB_ACCOUNT_ERASE ? (uint32_t)record->a : 0;
    }
}
