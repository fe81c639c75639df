#include "engine/case.h"

#include <assert.h>
#include <string.h>

#include "base/hook.h"
#include "engine/access.h"
#include "engine/compensate.h"
#include "engine/inner.h"
#include "engine/notice.h"
#include "engine/sanction.h"
#include "engine/withdraw.h"

#define SECOND_US  1000000LL
#define DEFAULT_US (7LL * 24 * 3600 * SECOND_US) /* of a sanction without UNTIL */

/* Everything an account does to items and creators. */
#define LIMIT_ALL ((1u << VERB_ACT) - 1)

/* --- rows ------------------------------------------------------------------------------------- */

static uint64_t id_of(const struct engine *engine, uint64_t sequence)
{
    return sequence << 8 | engine->partition;
}

/* NULL: not there. */
static const struct case_row *find(struct engine *engine, uint16_t tenant, uint64_t id)
{
    uint32_t slot = id == 0 ? HOT_NONE : hot_case_find(engine->hot, tenant, id);

    return slot == HOT_NONE ? NULL : hot_case(engine->hot, slot);
}

/* The row of a record's case, to be changed; apply_end when done. */
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

/* --- applied: opening ------------------------------------------------------------------------- */

static struct case_row *row_make(struct engine *engine, const struct record *record, uint8_t kind,
                                 uint8_t subject, uint64_t about)
{
    uint64_t *newest = newest_of(engine, record->tenant, subject, about, record->time_us);
    struct case_row row = {
        .id = id_of(engine, record->sequence),
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
    text_set(row, CASE_TEXT_OPENED, record);
    hot_case_note(engine->hot, row);
}

void case_reported(struct engine *engine, const struct record *record, uint32_t item,
                   uint64_t reporter, uint32_t weight)
{
    const struct item_row *at = hot_item(engine->hot, item);
    const struct case_row *newest = find(engine, at->tenant, at->case_id);
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

static bool is_sanction(uint8_t decision)
{
    return decision >= DECISION_LIKE_BAN && decision <= DECISION_POINTS;
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
                                               : !is_sanction(row->decision))
        told(engine, record, row, NOTICE_DECIDED, row->decision); /* a sanction tells of itself */
    if (appealed) /* decided anew under an appeal */
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
    } else if (decision == DECISION_QUARANTINE) {
        quarantine_begin(engine, record, row);
    } else if (is_sanction(decision)) {
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

    if (find(engine, record->tenant, record->a) == NULL || kind > SANCTION_POINTS)
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

/* --- decided ---------------------------------------------------------------------------------- */

static bool has_room(struct engine *engine)
{
    struct hot_room room;

    hot_room(engine->hot, &room);
    if (room.cases >= 2 && room.live > 0)
        return true;
    engine->cases_refused++;
    return false;
}

uint64_t case_open(struct engine *engine, const struct case_opening *opening)
{
    struct record record = {
        .kind = RECORD_CASE,
        .tenant = opening->tenant,
        .fields = RECORD_HAS_ARGS | RECORD_CHANGED | RECORD_HAS_VERDICT |
                  (opening->tenant != 0 ? RECORD_HAS_TENANT : 0) |
                  (opening->text_size > 0 ? RECORD_HAS_TEXT : 0),
        .b = CASE_OPENED | (uint64_t)opening->kind << 8 | (uint64_t)opening->subject << 16,
        .verdict = {.weight_pct = WEIGHT_FULL, .rule = opening->rule, .policy = opening->policy},
        .text = opening->text,
        .text_size = opening->text_size,
    };
    bool account = opening->subject == SUBJECT_ACCOUNT;
    uint32_t count, slot = account ? hot_account_find(engine->hot, opening->tenant, opening->about)
                                   : hot_item_find(engine->hot, opening->tenant, opening->about);
    const struct case_live *live = hot_cases_live(engine->hot, &count);
    uint64_t newest = slot == HOT_NONE ? 0
                      : account        ? hot_account(engine->hot, slot)->case_id
                                       : hot_item(engine->hot, slot)->case_id;

    for (uint32_t low = 0, high = count; low < high;) {
        uint32_t middle = low + (high - low) / 2;

        if (live[middle].id == newest) {
            /* One that is not in memory cannot be added to; a second one is opened then. */
            if (live[middle].rule == opening->rule && find(engine, opening->tenant, newest) != NULL)
                return has_room(engine) ? newest : 0;
            break;
        }
        if (live[middle].id < newest)
            low = middle + 1;
        else
            high = middle;
    }
    if (!has_room(engine))
        return 0;
    record.account = account ? opening->about : 0;
    record.target = account ? 0 : opening->about;
    record_commit(engine, &record);
    return id_of(engine, record.sequence);
}

static const struct item_row *item_of(struct engine *engine, const struct request *request)
{
    uint32_t slot = hot_item_find(engine->hot, request->tenant, request->target);

    return slot == HOT_NONE ? NULL : hot_item(engine->hot, slot);
}

/* May the caller speak for this item? */
static bool is_own(struct engine *engine, const struct request *request)
{
    return access_check_item(request, item_of(engine, request)) == STATUS_OK;
}

/* The disavowal of the item that nobody has decided yet; 0: none. */
static uint64_t disavowed(struct engine *engine, const struct request *request)
{
    const struct item_row *item = item_of(engine, request);
    const struct case_row *row = item == NULL ? NULL : find(engine, request->tenant, item->case_id);

    return row != NULL && row->kind == CASE_DISAVOWAL && row->state == CASE_OPEN ? row->id : 0;
}

static enum status open_decide(struct engine *engine, const struct request *request,
                               struct record *record)
{
    bool account = request->u.deed.subject == SUBJECT_ACCOUNT;
    bool there = account
                     ? hot_account_find(engine->hot, request->tenant, request->target) != HOT_NONE
                     : hot_item_find(engine->hot, request->tenant, request->target) != HOT_NONE;

    if (request->verb == VERB_DISAVOW && !is_own(engine, request))
        return STATUS_NOPERM; /* the same whether or not there is one */
    if (!there)
        return account ? STATUS_NOACCOUNT : STATUS_NOITEM;
    if (request->verb == VERB_DISAVOW && disavowed(engine, request) != 0)
        return STATUS_UNCHANGED;
    if (request->u.deed.kind == CASE_QUARANTINE && account)
        return STATUS_BADVALUE;
    if (!has_room(engine))
        return STATUS_BUSY;
    record->account = account ? request->target : 0;
    record->target = account ? 0 : request->target;
    record->a = 0;
    record->b = request->u.deed.kind | (uint64_t)request->u.deed.subject << 8;
    return STATUS_OK;
}

/* May this be proposed for the case as it stands? */
static enum status proposal_check(const struct case_row *row, uint8_t decision)
{
    bool window = row->state == CASE_APPLIED && row->decision == DECISION_QUARANTINE;
    bool restorable = row->state == CASE_APPLIED && row->decision != DECISION_CREDIT &&
                      (row->decision != DECISION_NONE || row->sanctions != 0);

    if (decision == DECISION_RESTORE)
        return restorable ? STATUS_OK : STATUS_CASESTATE;
    if (row->state != CASE_OPEN &&
        !(window && (decision == DECISION_VOID || decision == DECISION_CREDIT)))
        return STATUS_CASESTATE;
    if (is_sanction(decision) && row->subject != SUBJECT_ACCOUNT)
        return STATUS_BADVALUE;
    if (decision == DECISION_QUARANTINE && row->subject != SUBJECT_ITEM)
        return STATUS_BADVALUE;
    if (decision == DECISION_COMPENSATE &&
        (row->subject != SUBJECT_ITEM || row->kind != CASE_REVIEW))
        return STATUS_BADVALUE;
    return STATUS_OK;
}

/* Likes of full weight that a creator may be given in a period; 0: the rules give nothing. */
static uint32_t compensation_cap(const struct engine *engine)
{
    return engine->judges != NULL && engine->judges->policy != NULL
               ? engine->judges->policy->compensate
               : 0;
}

/* Is there somebody to be compensated, and something to be compensated for? */
static enum status compensation_check(struct engine *engine, const struct case_row *row)
{
    uint32_t slot = hot_item_find(engine->hot, row->tenant, row->about);

    if (slot == HOT_NONE || !hot_item(engine->hot, slot)->has_creator ||
        hot_item(engine->hot, slot)->withdrawn.loss_pct == 0 || compensation_cap(engine) == 0)
        return STATUS_CASESTATE;
    return STATUS_OK;
}

static enum status propose_decide(struct engine *engine, const struct request *request,
                                  const struct case_row *row, struct record *record)
{
    uint8_t decision = request->u.deed.decision;
    bool ends =
        (is_sanction(decision) && decision != DECISION_POINTS) || decision == DECISION_QUARANTINE;
    int64_t until_us = request->flags & REQUEST_HAS_UNTIL ? request->u.deed.until_us : 0;
    int64_t since_us = request->flags & REQUEST_HAS_SINCE ? request->u.deed.since_us : 0;
    uint16_t value = request->u.deed.value;
    enum status status = proposal_check(row, decision);

    if (status == STATUS_OK && decision == DECISION_COMPENSATE)
        status = compensation_check(engine, row);
    if (status != STATUS_OK)
        return status;
    if (ends && until_us == 0)
        until_us = engine->now_us + DEFAULT_US;
    if (ends && (until_us <= engine->now_us || until_us - engine->now_us > SANCTION_MAX_US) &&
        !PLANTED("engine.sanction_without_end"))
        return STATUS_BADVALUE;
    if ((decision == DECISION_CUT && (value == 0 || value >= WEIGHT_FULL)) ||
        (decision == DECISION_POINTS && value == 0))
        return STATUS_BADVALUE;
    if (until_us / SECOND_US > UINT32_MAX || since_us / SECOND_US > UINT32_MAX)
        return STATUS_BADVALUE;
    record->fields |= RECORD_HAS_EXTRA;
    record->b = decision | (uint64_t)value << 8;
    /* The end is told in whole seconds: of likes the second that holds it is in. */
    record->c =
        (uint64_t)(since_us / SECOND_US) << 32 | (uint64_t)((until_us + SECOND_US - 1) / SECOND_US);
    return STATUS_OK;
}

/* Two persons: each with a credential of his own, and not the same. */
static bool four_eyes(const struct request *request, const struct case_row *row)
{
    return (request->caller != 0 && row->proposer != 0 && request->caller != row->proposer) ||
           PLANTED("engine.one_person_approves");
}

static enum status appeal_decide(struct engine *engine, const struct request *request,
                                 const struct case_row *row)
{
    bool own = row->subject == SUBJECT_ACCOUNT && row->about == request->account;
    uint32_t slot;

    if (row->subject == SUBJECT_ITEM) {
        slot = hot_item_find(engine->hot, row->tenant, row->about);
        own = slot != HOT_NONE && hot_item(engine->hot, slot)->has_creator &&
              hot_item(engine->hot, slot)->creator == request->account;
    }
    if (!own)
        return STATUS_NOCASE; /* the same whether or not there is one */
    if ((row->state != CASE_APPLIED && row->state != CASE_APPLYING) || row->appealed ||
        row->appeals >= CASE_APPEALS_MAX ||
        (row->decision == DECISION_NONE && row->sanctions == 0) ||
        row->decision == DECISION_CREDIT || row->decision == DECISION_COMPENSATE)
        return STATUS_CASESTATE;
    return STATUS_OK;
}

static enum status step_decide(struct engine *engine, const struct request *request,
                               struct record *record)
{
    const struct case_row *row = find(engine, request->tenant, request->target);

    if (row == NULL || row->state == CASE_GATHERING)
        return STATUS_NOCASE;
    record->a = row->id;
    record->account = record->target = 0;
    if (request->verb == VERB_CASE_APPEAL) {
        record->account = request->account;
        return appeal_decide(engine, request, row);
    }
    if (case_is_live(row) && row->due_us <= engine->now_us)
        return STATUS_CASESTATE; /* it ends in a moment: too late */
    if (request->verb == VERB_CASE_PROPOSE)
        return propose_decide(engine, request, row, record);
    if (request->verb == VERB_CASE_REJECT)
        return row->state == CASE_OPEN || row->proposed != DECISION_NONE || row->appealed
                   ? STATUS_OK
                   : STATUS_CASESTATE;
    if (row->proposed == DECISION_NONE)
        return STATUS_CASESTATE;
    if (row->proposed == DECISION_COMPENSATE)
        record->b = compensation_cap(engine);
    return four_eyes(request, row) ? STATUS_OK : STATUS_FOUREYES;
}

/* --- what follows a decision, as records of its own ------------------------------------------- */

/* Ends what the case's sanctions have left. */
static void sanctions_lift(struct engine *engine, const struct case_row *row)
{
    struct case_row copy = *row;

    for (uint8_t kind = 0; kind <= SANCTION_POINTS; kind++) {
        if ((copy.sanctions >> kind & 1) == 0)
            continue;
        sanction_order(engine, &(struct sanction_order){
                                   .tenant = copy.tenant,
                                   .account = copy.about,
                                   .kind = kind,
                                   .lift = 1,
                                   .until_us = kind < SANCTION_POINTS ? copy.ends_us[kind] : 0,
                                   .points = copy.points,
                                   .case_id = copy.id,
                                   .rule = copy.rule,
                                   .policy = copy.policy,
                               });
    }
}

static void sanction_begin(struct engine *engine, const struct case_row *row)
{
    static const uint8_t kinds[DECISION_COUNT] = {[DECISION_LIKE_BAN] = SANCTION_LIKE_BAN,
                                                  [DECISION_LIMIT] = SANCTION_LIMIT,
                                                  [DECISION_CUT] = SANCTION_CUT,
                                                  [DECISION_POINTS] = SANCTION_POINTS};

    sanction_order(engine, &(struct sanction_order){
                               .tenant = row->tenant,
                               .account = row->about,
                               .kind = kinds[row->decision],
                               .amount = row->decision == DECISION_LIMIT ? LIMIT_ALL : row->value,
                               .until_us = row->until_us,
                               .points = row->value,
                               .case_id = row->id,
                               .rule = row->rule,
                               .policy = row->policy,
                           });
}

/* After the record of a decision has been applied. before: what was in force until then. */
static void follow(struct engine *engine, uint16_t tenant, uint64_t id, uint8_t verb,
                   uint64_t decided_before)
{
    const struct case_row *row = find(engine, tenant, id);
    bool decided;

    assert(row != NULL);
    decided = row->decided_sequence != decided_before;
    if (verb == VERB_CASE_APPROVE && decided && is_sanction(row->decision))
        sanction_begin(engine, row);
    else if (row->state == CASE_RESTORED || row->state == CASE_REJECTED ||
             row->state == CASE_EXPIRED)
        sanctions_lift(engine, row);
}

enum status case_write(struct engine *engine, const struct request *request, uint64_t content,
                       struct reply *reply)
{
    bool opens = verb_info(request->verb)->shape == SHAPE_CASE_OPEN;
    const struct case_row *row;
    struct record record;
    uint64_t decided = 0;
    enum status status;

    record_begin(&record, request, (uint8_t)request->verb);
    record.fields |= RECORD_HAS_ARGS | RECORD_HAS_ACTOR | RECORD_HAS_TEXT;
    record.caller = request->caller;
    record.role = request->role;
    record.text = request->u.deed.text;
    record.text_size = request->u.deed.text_size;
    status = opens ? open_decide(engine, request, &record) : step_decide(engine, request, &record);
    if (status == STATUS_OK)
        record.fields |= RECORD_CHANGED;
    else if (!(request->flags & REQUEST_OPID))
        return status;
    row = find(engine, request->tenant, request->target);
    if (!opens && row != NULL)
        decided = row->decided_sequence;
    record_operation(&record, request, content, status);
    record_commit(engine, &record);
    reply->sequence = record.sequence;
    reply->applied = status == STATUS_OK;
    if (status == STATUS_OK && !opens)
        follow(engine, request->tenant, record.a, (uint8_t)request->verb, decided);
    return status;
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool answer_row(struct engine *engine, const struct case_row *row, bool own,
                       struct reply *reply)
{
    struct case_row *copy = arena_take(&engine->arena, sizeof *copy);

    if (copy == NULL)
        return false;
    *copy = *row;
    reply->kind = REPLY_CASE;
    reply->cased = copy;
    reply->own = own;
    return true;
}

static bool answer_error(struct reply *reply, enum status status)
{
    reply->kind = REPLY_ERROR;
    reply->status = (uint8_t)status;
    return true;
}

bool case_reply(struct engine *engine, const struct request *request, struct reply *reply)
{
    bool opens = verb_info(request->verb)->shape == SHAPE_CASE_OPEN;
    bool own = request->verb == VERB_CASE_APPEAL || request->verb == VERB_DISAVOW;
    uint64_t id = opens ? id_of(engine, reply->sequence) : request->target;
    const struct case_row *row;

    if (opens && !reply->applied && !reply->replayed)
        id = disavowed(engine, request); /* there is one already */
    row = find(engine, request->tenant, id);
    if (request->flags & REQUEST_RETURN && row != NULL)
        return answer_row(engine, row, own, reply);
    reply->kind = REPLY_INTEGER;
    reply->u.value = opens ? (int64_t)id : reply->applied;
    return true;
}

/* From memory or from the store, which a page of a list may ask during a step. */
static enum status row_read(struct engine *engine, uint16_t tenant, uint64_t id,
                            struct case_row *row, bool *found)
{
    const struct case_row *hot = find(engine, tenant, id);

    *found = hot != NULL;
    if (hot != NULL) {
        *row = *hot;
        return STATUS_OK;
    }
    *row = (struct case_row){.tenant = tenant, .id = id};
    return store_get_cases(engine->store, row, found, 1);
}

static struct case_brief brief_of(const struct case_row *row)
{
    return (struct case_brief){.id = row->id,
                               .about = row->about,
                               .opened_us = row->opened_us,
                               .due_us = case_is_live(row) ? row->due_us : 0,
                               .until_us = row->until_us,
                               .kind = row->kind,
                               .state = row->state,
                               .subject = row->subject,
                               .decision = row->decision,
                               .proposed = row->proposed,
                               .appealed = row->appealed};
}

static bool is_asked(const struct case_live *live, uint8_t filter)
{
    switch (filter) {
    case 1:
        return live->state == CASE_OPEN && live->proposed == DECISION_NONE;
    case 2:
        return live->proposed != DECISION_NONE;
    case 3:
        return live->appealed;
    case 4:
        return live->state != CASE_OPEN && live->proposed == DECISION_NONE && !live->appealed;
    default:
        return true;
    }
}

/* Partition by partition: the low byte of a cursor tells which (node/route.c sends it there). */
static bool list_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint32_t count, taken = 0,
                    max = request->count < REQUEST_CASES_MAX ? request->count : REQUEST_CASES_MAX;
    struct case_brief *briefs = arena_take(&engine->arena, max * sizeof *briefs);
    const struct case_live *live = hot_cases_live(engine->hot, &count);
    uint64_t below = request->flags & REQUEST_HAS_CURSOR ? request->u.list.cursor : UINT64_MAX;
    uint64_t cursor = 0;

    if (briefs == NULL)
        return false;
    for (uint32_t i = count; i > 0; i--) {
        struct case_row row;
        bool found;
        enum status status;

        if (live[i - 1].id >= below || live[i - 1].tenant != request->tenant ||
            !is_asked(&live[i - 1], request->u.list.filter))
            continue;
        if (taken == max) {
            cursor = briefs[taken - 1].id;
            break;
        }
        status = row_read(engine, request->tenant, live[i - 1].id, &row, &found);
        if (status != STATUS_OK)
            return answer_error(reply, status);
        if (found)
            briefs[taken++] = brief_of(&row);
    }
    if (cursor == 0 && engine->partition + 1 < engine->partition_count)
        cursor = (UINT64_MAX << 8) | (engine->partition + 1u);
    reply->kind = REPLY_CASES;
    reply->count = (uint16_t)taken;
    reply->u.cases = briefs;
    reply->cursor = cursor;
    return true;
}

/* From the newest along the links to the ones before. */
static bool of_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    uint8_t subject = request->verb == VERB_CASES ? SUBJECT_ACCOUNT : request->u.list.subject;
    uint64_t about = request->verb == VERB_CASES ? request->account : request->target, id = 0;
    uint32_t taken = 0, slot,
             max = request->count < REQUEST_CASES_MAX ? request->count : REQUEST_CASES_MAX;
    struct case_brief *briefs = arena_take(&engine->arena, max * sizeof *briefs);
    struct case_row row = {0};
    bool found;

    if (briefs == NULL)
        return false;
    slot = subject == SUBJECT_ACCOUNT ? hot_account_find(engine->hot, request->tenant, about)
                                      : hot_item_find(engine->hot, request->tenant, about);
    if (slot != HOT_NONE)
        id = subject == SUBJECT_ACCOUNT ? hot_account(engine->hot, slot)->case_id
                                        : hot_item(engine->hot, slot)->case_id;
    if (request->flags & REQUEST_HAS_CURSOR)
        id = request->u.list.cursor;
    for (; id != 0 && taken < max; id = row.before) {
        enum status status = row_read(engine, request->tenant, id, &row, &found);

        if (status != STATUS_OK)
            return answer_error(reply, status);
        if (!found || row.subject != subject || row.about != about)
            return answer_error(reply, STATUS_BADCURSOR);
        if (row.state != CASE_GATHERING || request->verb == VERB_CASE_OF)
            briefs[taken++] = brief_of(&row);
    }
    reply->kind = REPLY_CASES;
    reply->count = (uint16_t)taken;
    reply->u.cases = briefs;
    reply->cursor = id;
    return true;
}

static bool get_answer(struct engine *engine, const struct request *request, struct reply *reply)
{
    const struct case_row *row = find(engine, request->tenant, request->target);
    bool own = request->verb == VERB_CASE_OWN;

    if (row != NULL && own && !PLANTED("engine.any_case_is_own")) {
        bool mine = row->subject == SUBJECT_ACCOUNT && row->about == request->account;

        if (row->subject == SUBJECT_ITEM) {
            uint32_t slot = hot_item_find(engine->hot, row->tenant, row->about);

            mine = slot != HOT_NONE && hot_item(engine->hot, slot)->has_creator &&
                   hot_item(engine->hot, slot)->creator == request->account &&
                   row->state != CASE_GATHERING;
        }
        if (!mine)
            row = NULL;
    }
    return row != NULL ? answer_row(engine, row, own, reply) : answer_error(reply, STATUS_NOCASE);
}

enum status case_about(struct engine *engine, uint16_t tenant, uint64_t account, uint64_t id,
                       struct case_row *row, bool *found)
{
    enum status status = row_read(engine, tenant, id, row, found);

    *found = status == STATUS_OK && *found && row->subject == SUBJECT_ACCOUNT &&
             row->about == account;
    return status;
}

bool case_newest(struct engine *engine, uint16_t tenant, uint64_t account, struct reply *reply)
{
    uint32_t slot = hot_account_find(engine->hot, tenant, account);
    uint64_t id = slot == HOT_NONE ? 0 : hot_account(engine->hot, slot)->case_id;
    struct case_row *row;
    bool found;

    if (id == 0)
        return true;
    row = arena_take(&engine->arena, sizeof *row);
    if (row == NULL)
        return false;
    if (case_about(engine, tenant, account, id, row, &found) == STATUS_OK && found) {
        reply->cased = row;
        reply->own = 1;
    }
    return true;
}

/* Everything about the likes of an item that its creator can show: in his own view, from the newest
 * case on. What users reported is theirs until a person has looked at it. */
static bool shield_answer(struct engine *engine, const struct request *request,
                          struct reply *reply)
{
    const struct item_row *item = item_of(engine, request);
    uint32_t max = request->count < REQUEST_SHIELD_MAX ? request->count : REQUEST_SHIELD_MAX;
    struct case_row *rows = arena_take(&engine->arena, max * sizeof *rows);
    uint64_t id = request->flags & REQUEST_HAS_CURSOR ? request->u.cursor
                  : item == NULL                      ? 0
                                                      : item->case_id;
    uint32_t count = 0;

    if (item == NULL)
        return answer_error(reply, STATUS_NOITEM);
    if (rows == NULL || !read_item_copy(engine, request->tenant, request->target, reply))
        return false;
    while (id != 0 && count < max) {
        bool found;
        enum status status = row_read(engine, request->tenant, id, &rows[count], &found);

        if (status != STATUS_OK)
            return answer_error(reply, status);
        if (!found || rows[count].subject != SUBJECT_ITEM || rows[count].about != request->target)
            return answer_error(reply, STATUS_BADCURSOR);
        id = rows[count].before;
        count += rows[count].state != CASE_GATHERING;
    }
    reply->kind = REPLY_SHIELD;
    reply->count = (uint16_t)count;
    reply->u.shields = rows;
    reply->cursor = id;
    reply->own = 1;
    return true;
}

bool case_read(struct engine *engine, const struct request *request, struct reply *reply)
{
    switch (verb_info(request->verb)->shape) {
    case SHAPE_CASE_GET:
        return get_answer(engine, request, reply);
    case SHAPE_SHIELD:
        return shield_answer(engine, request, reply);
    case SHAPE_CASE_LIST:
        return list_answer(engine, request, reply);
    default:
        return of_answer(engine, request, reply);
    }
}

/* --- what the partition does by itself -------------------------------------------------------- */

bool engine_case_next(struct engine *engine, int64_t now_us, uint32_t *looks, uint16_t *tenant,
                      uint64_t *id)
{
    uint32_t count;
    const struct case_live *live = hot_cases_live(engine->hot, &count);

    for (; *looks > 0 && count > 0; (*looks)--) {
        const struct case_live *at;

        if (engine->case_hand >= count)
            engine->case_hand = 0;
        at = &live[engine->case_hand];
        if (at->state == CASE_APPLYING || at->state == CASE_RESTORING || at->due_us <= now_us) {
            *tenant = at->tenant;
            *id = at->id;
            return true;
        }
        engine->case_hand++;
    }
    return false;
}

bool engine_case_expire(struct engine *engine, uint16_t tenant, uint64_t id)
{
    const struct case_row *row = find(engine, tenant, id);
    struct record record = {.kind = RECORD_CASE,
                            .tenant = tenant,
                            .fields = RECORD_HAS_ARGS | RECORD_CHANGED |
                                      (tenant != 0 ? RECORD_HAS_TENANT : 0),
                            .a = id,
                            .b = CASE_EXPIRES};

    if (row == NULL || !case_is_live(row) || row->due_us > engine->now_us ||
        row->state == CASE_APPLYING || row->state == CASE_RESTORING)
        return false;
    record_commit(engine, &record);
    follow(engine, tenant, id, 0, 0);
    return true;
}

enum status engine_case_page(struct engine *engine, uint16_t tenant, uint64_t id,
                             struct case_page *page)
{
    const struct case_row *row = find(engine, tenant, id);

    page->id = 0;
    page->count = 0;
    page->more = false;
    page->below = 0;
    if (row == NULL || (row->state != CASE_APPLYING && row->state != CASE_RESTORING))
        return STATUS_OK;
    page->tenant = tenant;
    page->id = id;
    page->about = row->about;
    page->item = row->subject == SUBJECT_ITEM;
    page->below = row->cursor;
    return read_list(engine, tenant, page->item, EDGE_LIKE, page->about, page->likes, ENGINE_SWEEP,
                     &page->below, &page->count, &page->more);
}

struct record engine_case_settle(const struct case_page *page, uint32_t i)
{
    return (struct record){
        .kind = RECORD_SETTLE,
        .tenant = page->tenant,
        .fields = RECORD_HAS_ARGS | RECORD_HAS_VERDICT | RECORD_CHANGED |
                  (page->tenant != 0 ? RECORD_HAS_TENANT : 0),
        .account = page->item ? page->likes[i].id : page->about,
        .target = page->item ? page->about : page->likes[i].id,
        .a = page->id,
        .verdict = {.weight_pct = WEIGHT_FULL},
    };
}

/* What the case makes of this like. False: nothing, it is none of those that were meant. */
static bool worth_of(const struct case_row *row, const struct edge_row *edge,
                     struct verdict *verdict)
{
    uint8_t mark = edge_mark(edge);

    *verdict = (struct verdict){.weight_pct = edge->weight_pct, .rule = row->rule};
    verdict->policy = row->policy;
    if (row->state == CASE_RESTORING && row->decision == DECISION_VOID) {
        verdict->mark = edge_before_mark(edge);
        verdict->reason = edge_before_reason(edge);
        if (PLANTED("engine.restore_gives_full_weight"))
            verdict->weight_pct = WEIGHT_FULL;
        return mark == MARK_VOIDED;
    }
    if (row->state == CASE_APPLYING && row->decision == DECISION_VOID) {
        verdict->mark = MARK_VOIDED;
        verdict->reason = REASON_REVIEW;
        verdict->reasons = 1u << REASON_REVIEW;
        return mark != MARK_VOIDED;
    }
    verdict->mark = MARK_PLAIN;
    if (edge->weight_pct < WEIGHT_FULL)
        verdict->reason = edge_reason(edge);
    return mark == MARK_QUARANTINED || (mark == MARK_HELD && row->decision == DECISION_CREDIT);
}

void engine_case_step(struct engine *engine, const struct case_page *page, uint32_t count)
{
    const struct case_row *row = find(engine, page->tenant, page->id);
    uint64_t likes = 0;
    bool done = count == page->count && !page->more;
    struct record record = {.kind = RECORD_CASE,
                            .tenant = page->tenant,
                            .fields = RECORD_HAS_ARGS | RECORD_HAS_EXTRA | RECORD_CHANGED |
                                      (page->tenant != 0 ? RECORD_HAS_TENANT : 0),
                            .a = page->id,
                            .c = page->below};

    assert(row != NULL && count <= page->count);
    for (uint32_t i = 0; i < count; i++) {
        struct record settle = engine_case_settle(page, i);
        const struct edge_row *edge =
            hot_edge_find(engine->hot, page->tenant, EDGE_LIKE, settle.account, settle.target);
        uint32_t before = engine->record_count;

        if (PLANTED("engine.restore_forgets_one") && row->state == CASE_RESTORING && i == 0)
            continue;
        record.c = page->likes[i].sequence;
        if (page->likes[i].time_us < row->since_us && row->decision != DECISION_QUARANTINE)
            continue;
        if (row->to_us != 0 && page->likes[i].time_us > row->to_us)
            continue;
        if (edge == NULL || !edge->on || !worth_of(row, edge, &settle.verdict))
            continue;
        engine_settle(engine, &settle);
        likes += engine->record_count - before;
    }
    if (count == page->count)
        record.c = page->below;
    record.b = (done ? CASE_DONE : CASE_STEP) | likes << 8;
    record_commit(engine, &record);
    if (done)
        follow(engine, page->tenant, page->id, 0, 0);
}
