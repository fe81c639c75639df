/* Cases, applied: the states of case.h, and who makes each move. Records alone lead here, those of
 * people (case_decide.c) as well as those of the partition itself (case_sweep.c), so a replay
 * passes through the same lines. */
#include "engine/case.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "engine/case_inner.h"
#include "engine/compensate.h"
#include "engine/inner.h"
#include "engine/notice.h"
#include "engine/pause.h"
#include "engine/sanction.h"
#include "engine/withdraw.h"

/* --- rows ------------------------------------------------------------------------------------- */

/* The row of a record's case, to be changed; hot_case_note when done. */
static struct case_row *change(struct engine *engine, const struct record *record)
{
    uint32_t slot = hot_case_find(engine->hot, record->tenant, record->a);

    assert(slot != HOT_NONE);
    return hot_case_change(engine->hot, slot);
}

static uint64_t *newest_of(struct engine *engine, uint16_t tenant, uint8_t subject, uint64_t about,
                           int64_t time_us)
{
    if (subject == SUBJECT_ACCOUNT)
        return &hot_account_change(engine->hot, account_ensure(engine, tenant, about, time_us))
                    ->case_id;
    return &hot_item_change(engine->hot, item_ensure(engine, tenant, about, time_us))->case_id;
}

static void text_set(struct case_row *row, enum case_text which, const struct record *record)
{
    row->text_size[which] = record->fields & RECORD_HAS_TEXT ? record->text_size : 0;
    memset(row->text[which], 0, CASE_TEXT_MAX);
    memcpy(row->text[which], record->text != NULL ? record->text : "", row->text_size[which]);
}

void case_quarantine(struct engine *engine, uint16_t tenant, uint64_t item, struct verdict *verdict)
{
    uint32_t slot = hot_item_find(engine->hot, tenant, item);

    if (slot == HOT_NONE || hot_item(engine->hot, slot)->window_until_us <= engine->now_us ||
        verdict->mark >= MARK_QUARANTINED || !hot_case_window(engine->hot, tenant, item))
        return;
    verdict->mark = MARK_QUARANTINED;
    verdict->reason = REASON_QUARANTINE;
    verdict->reasons |= 1u << REASON_QUARANTINE;
}

/* A case that the node opened with a window of the scorer's, and that nobody has decided anything
 * about: it lasts as long as the window, and until its likes have been scored again (what else is
 * quarantined there waits as well: looked at ever more seldom, and for no longer than any case). */
#define WINDOW_LOOK_US (60 * SECOND_US)
static bool window_goes_on(struct engine *engine, const struct record *record, struct case_row *row)
{
    int64_t now_us = record->time_us, last_us = row->opened_us + CASE_DUE_US, over_us;
    const struct item_row *item;

    if (row->kind != CASE_QUARANTINE || row->opener != 0 || row->until_us == 0 ||
        row->proposed != DECISION_NONE || now_us >= last_us)
        return false;
    item = hot_item(engine->hot, item_ensure(engine, row->tenant, row->about, now_us));
    if (item->window_until_us > now_us) {
        row->until_us = row->due_us = item->window_until_us;
    } else if (item->credit.quarantined > 0 && !PLANTED("engine.window_case_ends_early")) {
        over_us = now_us - row->until_us;
        row->due_us = now_us + (over_us > WINDOW_LOOK_US ? over_us : WINDOW_LOOK_US);
    } else {
        return false;
    }
    if (row->due_us > last_us)
        row->due_us = last_us;
    return true;
}

/* --- applied: opening ------------------------------------------------------------------------- */

static struct case_row *row_make(struct engine *engine, const struct record *record, uint8_t kind,
                                 uint8_t subject, uint64_t about)
{
    uint64_t *newest = newest_of(engine, record->tenant, subject, about, record->time_us);
    struct case_row row = {
        .id = case_id_of(engine, record->sequence),
        .tenant = record->tenant,
        .about = about,
        .before = *newest,
        .kind = kind,
        .subject = subject,
        .state = CASE_OPEN,
        .opened_us = record->time_us,
        .due_us = record->time_us + CASE_DUE_US,
    };

    *newest = row.id;
    return hot_case_change(engine->hot, hot_case_add(engine->hot, &row));
}

static void open_apply(struct engine *engine, const struct record *record, uint64_t b)
{
    uint8_t subject = (uint8_t)(b >> 8);
    struct case_row *row = row_make(engine, record, (uint8_t)b, subject,
                                    subject == SUBJECT_ACCOUNT ? record->account : record->target);

    row->opener = record->caller;
    if (record->fields & RECORD_HAS_VERDICT) {
        row->rule = record->verdict.rule;
        row->policy = record->verdict.policy;
    }
    if (row->kind == CASE_SANCTION) { /* the rule has decided; it can be appealed */
        row->state = CASE_APPLIED;
        row->decided_us = record->time_us;
        row->decided_sequence = record->sequence;
    }
    if (row->kind == CASE_QUARANTINE && record->kind == RECORD_CASE) /* the scorer's: flood.h */
        row->until_us = row->due_us =
            hot_item(engine->hot,
                     item_ensure(engine, record->tenant, record->target, record->time_us))
                ->window_until_us;
    text_set(row, CASE_TEXT_OPENED, record);
    hot_case_note(engine->hot, row);
}

void case_reported(struct engine *engine, const struct record *record, uint32_t item,
                   uint64_t reporter, uint32_t weight)
{
    const struct item_row *at = hot_item(engine->hot, item);
    const struct case_row *newest = case_find(engine, at->tenant, at->case_id);
    struct case_row *row;

    if (newest != NULL && newest->kind == CASE_REPORTS &&
        (newest->state == CASE_GATHERING || newest->state == CASE_OPEN)) {
        row = hot_case_change(engine->hot, hot_case_find(engine->hot, at->tenant, newest->id));
    } else {
        row = row_make(engine, record, CASE_REPORTS, SUBJECT_ITEM, at->id);
        row->state = CASE_GATHERING;
    }
    row->weight += weight;
    if (row->reporter_count < CASE_REPORTERS)
        row->reporters[row->reporter_count++] = reporter;
    if (row->state == CASE_GATHERING &&
        (row->weight >= CASE_REPORTS_OPEN || PLANTED("engine.one_report_opens"))) {
        row->state = CASE_OPEN;
        row->due_us = record->time_us + CASE_DUE_US;
    }
    hot_case_note(engine->hot, row);
}

/* --- applied: what people do ------------------------------------------------------------------ */

/* The creator of the item it is about; only where there is one. */
static uint64_t creator_of(struct engine *engine, const struct case_row *row)
{
    uint32_t slot = hot_item_find(engine->hot, row->tenant, row->about);

    assert(slot != HOT_NONE);
    return hot_item(engine->hot, slot)->creator;
}

static void propose_apply(struct engine *engine, const struct record *record)
{
    struct case_row *row = change(engine, record);
    int64_t since_us = (int64_t)(record->c >> 32) * SECOND_US;
    int64_t until_us = (int64_t)(record->c & UINT32_MAX) * SECOND_US;

    row->proposed = (uint8_t)record->b;
    row->proposed_value = (uint16_t)(record->b >> 8);
    row->proposer = record->caller;
    row->proposed_sequence = record->sequence;
    row->due_us = record->time_us + (row->appealed ? APPEAL_DUE_US : CASE_DUE_US);
    if (row->proposed == DECISION_VOID || row->proposed == DECISION_CREDIT) {
        row->since_us = since_us;
        row->to_us = until_us;
    } else if (row->proposed == DECISION_COMPENSATE) {
        row->reporters[0] = creator_of(engine, row); /* its row is brought in with the case */
        row->reporter_count = 1;
    } else if (row->proposed != DECISION_RESTORE && row->proposed != DECISION_DISMISS) {
        row->until_us = until_us;
    }
    text_set(row, CASE_TEXT_DECIDED, record);
    hot_case_note(engine->hot, row);
}

/* What the reporters are told by: were they right? */
static void reporters_learn(struct engine *engine, const struct record *record,
                            const struct case_row *row, bool upheld)
{
    if (row->kind != CASE_REPORTS)
        return;
    for (uint32_t i = 0; i < row->reporter_count; i++) {
        if (is_home(engine, row->reporters[i]))
            sanction_report(engine, row->tenant, row->reporters[i], upheld, record->time_us);
        else
            effect_emit(engine, record, hash_partition(row->reporters[i], engine->partition_count),
                        EFFECT_REPORT, 0, 0, row->reporters[i], upheld, NULL);
    }
}

static void window_close(struct engine *engine, const struct case_row *row, int64_t time_us)
{
    uint32_t slot = item_ensure(engine, row->tenant, row->about, time_us);

    if (hot_item(engine->hot, slot)->window_until_us == row->until_us)
        hot_item_change(engine->hot, slot)->window_until_us = 0;
}

static struct withdrawn *withdrawn_of(struct engine *engine, const struct case_row *row,
                                      int64_t time_us)
{
    uint32_t slot = item_ensure(engine, row->tenant, row->about, time_us);

    return &hot_item_change(engine->hot, slot)->withdrawn;
}

/* What was measured as lost, and is not paid yet, or what was proposed, if that is less. */
static void compensate_begin(struct engine *engine, const struct record *record,
                             struct case_row *row)
{
    struct withdrawn *withdrawn = withdrawn_of(engine, row, record->time_us);
    uint64_t most_pct = row->value != 0 ? (uint64_t)row->value * WEIGHT_FULL : UINT64_MAX;
    uint64_t amount_pct = compensate_of_loss(withdrawn->loss_pct);

    if (amount_pct > most_pct)
        amount_pct = most_pct;
    if (PLANTED("engine.compensation_of_more"))
        amount_pct *= 2;
    withdrawn->loss_pct = 0;
    withdrawn->paid_pct += amount_pct;
    row->granted_pct = amount_pct;
    row->state = CASE_APPLIED;
    row->ended_sequence = record->sequence;
    compensation_move(engine, record, row->reporters[0], (int64_t)amount_pct, (uint32_t)record->b);
}

static void compensate_restore(struct engine *engine, const struct record *record,
                               struct case_row *row)
{
    struct withdrawn *withdrawn = withdrawn_of(engine, row, record->time_us);
    uint64_t amount_pct =
        row->granted_pct < withdrawn->paid_pct ? row->granted_pct : withdrawn->paid_pct;

    withdrawn->paid_pct -= amount_pct; /* what came back meanwhile is owed already */
    compensation_move(engine, record, row->reporters[0], -(int64_t)amount_pct, 0);
}

/* Growth is shown again; unless another decision, or the creator, paused it since. */
static void pause_restore(struct engine *engine, const struct record *record,
                          const struct case_row *row)
{
    struct item_row *item =
        hot_item_change(engine->hot, item_ensure(engine, row->tenant, row->about, record->time_us));

    if (item->pause.by == PAUSE_REVIEW && item->pause.until_s == row->until_us / SECOND_US)
        pause_end(item, record->time_us);
}

/* Nothing is the matter: what was taken back while the case's freeze was open need not wait. */
static void freeze_dismiss(struct engine *engine, const struct record *record,
                           const struct case_row *row)
{
    struct withdrawn *withdrawn;

    if (row->kind != CASE_REVIEW || row->subject != SUBJECT_ITEM)
        return;
    withdrawn = withdrawn_of(engine, row, record->time_us);
    if (withdraw_is_frozen(withdrawn, record->time_us) &&
        row->opened_us >= withdrawn->freeze_from_us)
        withdraw_release(withdrawn, record->time_us);
}

/* Gives back what the case did: by a decision of two, or because nobody answered in time. */
static void restore_begin(struct engine *engine, const struct record *record, struct case_row *row)
{
    bool window = row->decision == DECISION_QUARANTINE;

    if (window)
        window_close(engine, row, record->time_us);
    row->appealed = 0;
    row->proposed = DECISION_NONE;
    if (window || row->decision == DECISION_VOID) {
        row->state = CASE_RESTORING;
        /* A void is undone where it was done; a window held likes until now. */
        row->cursor = window ? record->sequence + 1 : row->decided_sequence + 1;
    } else {
        if (row->decision == DECISION_COMPENSATE)
            compensate_restore(engine, record, row);
        if (row->decision == DECISION_PAUSE)
            pause_restore(engine, record, row);
        row->state = CASE_RESTORED;
        row->ended_sequence = record->sequence;
    }
}

static void quarantine_begin(struct engine *engine, const struct record *record,
                             struct case_row *row)
{
    uint32_t slot = item_ensure(engine, row->tenant, row->about, record->time_us);
    struct item_row *item = hot_item_change(engine->hot, slot);

    if (row->until_us > item->window_until_us)
        item->window_until_us = row->until_us;
    row->state = CASE_APPLIED;
    row->due_us = row->until_us;
}

/* Whom a case is about, or whose item, is told of a step. */
static void told(struct engine *engine, const struct record *record, const struct case_row *row,
                 uint8_t kind, uint8_t how)
{
    struct notice_order order = {
        .tenant = row->tenant,
        .kind = kind,
        .how = how,
        .account = row->about,
        .case_id = row->id,
        .until_us = kind == NOTICE_WINDOW ? row->until_us : 0,
    };

    if (row->subject == SUBJECT_ITEM)
        notice_tell_creator(engine, record, row->about, order);
    else
        notice_tell(engine, record, &order);
}

/* before: the decision in force until then. */
static void told_decision(struct engine *engine, const struct record *record,
                          const struct case_row *row, uint8_t before, bool appealed)
{
    if (row->decision == DECISION_QUARANTINE)
        told(engine, record, row, NOTICE_WINDOW, DECISION_QUARANTINE);
    else if (before == DECISION_QUARANTINE)
        told(engine, record, row, NOTICE_SETTLED, row->decision);
    else if (row->decision == DECISION_DISMISS ? row->kind == CASE_DISAVOWAL
                                               : !case_is_sanction(row->decision))
        told(engine, record, row, NOTICE_DECIDED, row->decision); /* a sanction tells of itself */
    if (appealed)                                                 /* decided anew under an appeal */
        told(engine, record, row, NOTICE_APPEAL, 0);
}

static void approve_apply(struct engine *engine, const struct record *record)
{
    struct case_row *row = change(engine, record);
    uint8_t decision = row->proposed, before = row->decision;
    bool appealed = row->appealed;

    row->proposed = DECISION_NONE;
    row->approver = record->caller;
    row->decided_us = record->time_us;
    if (decision == DECISION_RESTORE) {
        restore_begin(engine, record, row);
        hot_case_note(engine->hot, row);
        told(engine, record, row, appealed ? NOTICE_APPEAL : NOTICE_DECIDED,
             appealed ? 1 : DECISION_RESTORE);
        return;
    }
    if (row->decision == DECISION_QUARANTINE)
        window_close(engine, row, record->time_us);
    reporters_learn(engine, record, row, decision != DECISION_DISMISS);
    row->decision = decision;
    row->value = row->proposed_value;
    row->decided_sequence = record->sequence;
    if (decision == DECISION_DISMISS) {
        row->state = CASE_REJECTED;
        row->ended_sequence = record->sequence;
        freeze_dismiss(engine, record, row);
    } else if (decision == DECISION_COMPENSATE) {
        compensate_begin(engine, record, row);
    } else if (decision == DECISION_PAUSE) {
        row->state = CASE_APPLIED;
        row->ended_sequence = record->sequence;
        pause_begin(engine, item_ensure(engine, row->tenant, row->about, record->time_us),
                    PAUSE_REVIEW, (uint32_t)(row->until_us / SECOND_US), record->time_us);
    } else if (decision == DECISION_QUARANTINE) {
        quarantine_begin(engine, record, row);
    } else if (case_is_sanction(decision)) {
        row->state = CASE_APPLIED;
        row->ended_sequence = record->sequence;
    } else {
        row->state = CASE_APPLYING;
        row->cursor = record->sequence + 1;
    }
    hot_case_note(engine->hot, row);
    told_decision(engine, record, row, before, appealed);
}

static void reject_apply(struct engine *engine, const struct record *record)
{
    struct case_row *row = change(engine, record);
    bool appealed = row->appealed;

    row->approver = record->caller;
    text_set(row, CASE_TEXT_DECIDED, record);
    row->proposed = DECISION_NONE;
    row->appealed = 0;
    if (row->state == CASE_OPEN) {
        row->state = CASE_REJECTED;
        row->decided_us = record->time_us;
        row->decided_sequence = row->ended_sequence = record->sequence;
        reporters_learn(engine, record, row, false);
        freeze_dismiss(engine, record, row);
        if (row->kind == CASE_DISAVOWAL)
            told(engine, record, row, NOTICE_DECIDED, DECISION_DISMISS);
    }
    if (row->decision == DECISION_QUARANTINE)
        row->due_us = row->until_us;
    hot_case_note(engine->hot, row);
    if (appealed)
        told(engine, record, row, NOTICE_APPEAL, 0);
}

static void appeal_apply(struct engine *engine, const struct record *record)
{
    struct case_row *row = change(engine, record);

    row->appealed = 1;
    row->appeals++;
    row->appellant = record->account;
    row->appealed_sequence = record->sequence;
    row->due_us = record->time_us + APPEAL_DUE_US;
    text_set(row, CASE_TEXT_APPEAL, record);
    hot_case_note(engine->hot, row);
}

/* --- applied: what nobody does ---------------------------------------------------------------- */

static void expire_apply(struct engine *engine, const struct record *record)
{
    struct case_row *row = change(engine, record);
    bool appealed = row->appealed;

    if (row->state == CASE_OPEN && window_goes_on(engine, record, row)) {
        hot_case_note(engine->hot, row);
        return;
    }
    if (row->state == CASE_OPEN) {
        row->state = CASE_EXPIRED;
        row->proposed = DECISION_NONE;
        row->ended_sequence = record->sequence;
        if (row->kind == CASE_DISAVOWAL)
            told(engine, record, row, NOTICE_DECIDED, DECISION_NONE);
    } else if (appealed || row->decision == DECISION_QUARANTINE) {
        restore_begin(engine, record, row);
        told(engine, record, row, appealed ? NOTICE_APPEAL : NOTICE_SETTLED, appealed);
    } else { /* a restore that was proposed and never decided */
        row->proposed = DECISION_NONE;
    }
    hot_case_note(engine->hot, row);
}

static void step_apply(struct engine *engine, const struct record *record, uint64_t likes,
                       bool done)
{
    struct case_row *row = change(engine, record);
    bool restoring = row->state == CASE_RESTORING;

    row->cursor = record->c;
    *(restoring ? &row->restored : &row->likes) += likes;
    if (done) {
        row->state = restoring ? CASE_RESTORED : CASE_APPLIED;
        row->ended_sequence = record->sequence;
    }
    hot_case_note(engine->hot, row);
}

void case_apply(struct engine *engine, const struct record *record)
{
    switch (record->kind) {
    case VERB_CASE_OPEN:
    case VERB_DISAVOW:
        open_apply(engine, record, record->b);
        return;
    case VERB_CASE_PROPOSE:
        propose_apply(engine, record);
        return;
    case VERB_CASE_APPROVE:
        approve_apply(engine, record);
        return;
    case VERB_CASE_REJECT:
        reject_apply(engine, record);
        return;
    case VERB_CASE_APPEAL:
        appeal_apply(engine, record);
        return;
    default:
        break;
    }
    assert(record->kind == RECORD_CASE);
    switch ((enum case_event)(record->b & 0xFF)) {
    case CASE_OPENED:
        open_apply(engine, record, record->b >> 8);
        return;
    case CASE_EXPIRES:
        expire_apply(engine, record);
        return;
    default:
        step_apply(engine, record, record->b >> 8, (record->b & 0xFF) == CASE_DONE);
    }
}

void case_sanctioned(struct engine *engine, const struct record *record)
{
    uint8_t kind = (uint8_t)record->b;
    struct case_row *row;

    if (case_find(engine, record->tenant, record->a) == NULL || kind > SANCTION_POINTS)
        return;
    row = change(engine, record);
    row->sanctions |= (uint8_t)(1u << kind);
    if (kind == SANCTION_POINTS) {
        row->points -= (int64_t)(record->c >> 1) ^ -(int64_t)(record->c & 1);
        return;
    }
    row->ends_us[kind] = (int64_t)record->c;
    if (row->until_us < row->ends_us[kind])
        row->until_us = row->ends_us[kind];
}
