/* Cases, decided: what may be opened, proposed, approved, rejected and appealed as things stand, by
 * whom, and the records that follow a decision (sanctions begun or lifted). Only case_write and
 * case_open change anything, through records. */
#include "engine/case.h"

#include <assert.h>

#include "base/hook.h"
#include "engine/access.h"
#include "engine/case_inner.h"
#include "engine/inner.h"
#include "engine/pause.h"
#include "engine/sanction.h"

#define LOOK_BACK_MAX 8                             /* cases about one subject */
#define DEFAULT_US    (7LL * 24 * 3600 * SECOND_US) /* of a sanction without UNTIL */

/* Everything an account does to items and creators. */
#define LIMIT_ALL ((1u << VERB_ACT) - 1)

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

/* The one that is open about this for the same rule (of no rule: of the same kind), by the links
 * from the newest on; 0: none. One that is not in memory cannot be added to; a second one is opened
 * then. */
static uint64_t already_open(struct engine *engine, const struct case_opening *opening,
                             uint64_t newest)
{
    const struct case_row *row = case_find(engine, opening->tenant, newest);
    uint32_t looked = 0;

    while (row != NULL) {
        if (case_is_live(row) && row->rule == opening->rule &&
            (opening->rule != 0 || row->kind == opening->kind))
            return row->id;
        /* Restrictions lie between: each is a case of its own, and none is live. */
        if (++looked == LOOK_BACK_MAX)
            break;
        row = case_find(engine, opening->tenant, row->before);
    }
    return 0;
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
    uint32_t slot = account ? hot_account_find(engine->hot, opening->tenant, opening->about)
                            : hot_item_find(engine->hot, opening->tenant, opening->about);
    uint64_t newest = slot == HOT_NONE ? 0
                      : account        ? hot_account(engine->hot, slot)->case_id
                                       : hot_item(engine->hot, slot)->case_id;
    uint64_t open = opening->kind == CASE_SANCTION ? 0 : already_open(engine, opening, newest);

    if (open != 0)
        return has_room(engine) ? open : 0;
    if (!has_room(engine))
        return 0;
    record.account = account ? opening->about : 0;
    record.target = account ? 0 : opening->about;
    record_commit(engine, &record);
    return case_id_of(engine, record.sequence);
}

/* May the caller speak for this item? */
static bool is_own(struct engine *engine, const struct request *request)
{
    return access_check_item(request, case_item_of(engine, request)) == STATUS_OK;
}

/* The disavowal of the item that nobody has decided yet; 0: none. */
uint64_t case_disavowed(struct engine *engine, const struct request *request)
{
    const struct item_row *item = case_item_of(engine, request);
    const struct case_row *row =
        item == NULL ? NULL : case_find(engine, request->tenant, item->case_id);

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
    if (request->verb == VERB_DISAVOW && case_disavowed(engine, request) != 0)
        return STATUS_UNCHANGED;
    if (request->u.deed.kind == CASE_QUARANTINE && account)
        return bad_value(engine, "a quarantine is about an item, not an account");
    if (!has_room(engine))
        return STATUS_BUSY;
    record->account = account ? request->target : 0;
    record->target = account ? 0 : request->target;
    record->a = 0;
    record->b = request->u.deed.kind | (uint64_t)request->u.deed.subject << 8;
    return STATUS_OK;
}

/* May this be proposed for the case as it stands? */
static enum status proposal_check(struct engine *engine, const struct case_row *row,
                                  uint8_t decision)
{
    bool window = row->state == CASE_APPLIED && row->decision == DECISION_QUARANTINE;
    bool restorable = row->state == CASE_APPLIED && row->decision != DECISION_CREDIT &&
                      (row->decision != DECISION_NONE || row->sanctions != 0);

    if (decision == DECISION_RESTORE)
        return restorable ? STATUS_OK : STATUS_CASESTATE;
    if (row->state != CASE_OPEN &&
        !(window && (decision == DECISION_VOID || decision == DECISION_CREDIT)))
        return STATUS_CASESTATE;
    if (case_is_sanction(decision) && row->subject != SUBJECT_ACCOUNT)
        return bad_value(engine, "this restricts an account, and the case is about an item; "
                                 "expected void, credit, quarantine, compensate or dismiss");
    if (decision == DECISION_QUARANTINE && row->subject != SUBJECT_ITEM)
        return bad_value(engine, "a quarantine needs a case about an item, this one is about an "
                                 "account");
    if (decision == DECISION_COMPENSATE &&
        (row->subject != SUBJECT_ITEM || row->kind != CASE_REVIEW))
        return bad_value(engine, "a compensation needs a case of kind review about an item");
    if (decision == DECISION_PAUSE &&
        (row->subject != SUBJECT_ITEM || (row->kind != CASE_REVIEW && row->kind != CASE_DISAVOWAL)))
        return bad_value(engine, "a pause needs a case of kind review or disavowal about an item");
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
    bool ends = (case_is_sanction(decision) && decision != DECISION_POINTS) ||
                decision == DECISION_QUARANTINE || decision == DECISION_PAUSE;
    int64_t most_us = decision == DECISION_PAUSE ? PAUSE_REVIEW_MAX_S * SECOND_US : SANCTION_MAX_US;
    int64_t until_us = request->flags & REQUEST_HAS_UNTIL ? request->u.deed.until_us : 0;
    int64_t since_us = request->flags & REQUEST_HAS_SINCE ? request->u.deed.since_us : 0;
    uint16_t value = request->u.deed.value;
    enum status status = proposal_check(engine, row, decision);

    if (status == STATUS_OK && decision == DECISION_COMPENSATE)
        status = compensation_check(engine, row);
    if (status != STATUS_OK)
        return status;
    if (ends && until_us == 0)
        until_us = engine->now_us + DEFAULT_US;
    if (ends && (until_us <= engine->now_us || until_us - engine->now_us > most_us) &&
        !PLANTED("engine.sanction_without_end"))
        return bad_value(engine, decision == DECISION_PAUSE
                                     ? "UNTIL (until_ms) must be after now and at most 30 days "
                                       "ahead, in unix milliseconds"
                                     : "UNTIL (until_ms) must be after now and at most 366 days "
                                       "ahead, in unix milliseconds");
    if (decision == DECISION_CUT && (value == 0 || value >= WEIGHT_FULL))
        return bad_value(engine, "a cut needs VALUE 1 to 99, the percent of weight that is left");
    if (decision == DECISION_POINTS && value == 0)
        return bad_value(engine, "points need VALUE, how many are taken: 1 or more");
    if (request->u.deed.only != REASON_NONE) {
        if (decision != DECISION_VOID && decision != DECISION_CREDIT)
            return bad_value(engine, "only void and credit are about the likes of one reason");
        value = CASE_ONLY | request->u.deed.only;
    }
    if (until_us / SECOND_US > UINT32_MAX || since_us / SECOND_US > UINT32_MAX)
        return bad_value(engine, "SINCE and UNTIL must be before the year 2106, in unix "
                                 "milliseconds");
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
    if (!own || case_is_hidden(request, row))
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
    const struct case_row *row = case_find(engine, request->tenant, request->target);

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
    if (row->proposed == DECISION_COMPENSATE || row->decision == DECISION_COMPENSATE)
        record->target = row->reporters[0];
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
void case_follow(struct engine *engine, uint16_t tenant, uint64_t id, uint8_t verb,
                 uint64_t decided_before)
{
    const struct case_row *row = case_find(engine, tenant, id);
    bool decided;

    assert(row != NULL);
    decided = row->decided_sequence != decided_before;
    if (verb == VERB_CASE_APPROVE && decided && case_is_sanction(row->decision))
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
    record.fields |= RECORD_HAS_ARGS;
    record_reasoned(&record, request, request->u.deed.text, request->u.deed.text_size);
    status = opens ? open_decide(engine, request, &record) : step_decide(engine, request, &record);
    if (status == STATUS_OK)
        record.fields |= RECORD_CHANGED;
    else if (!(request->flags & REQUEST_OPID))
        return status;
    row = case_find(engine, request->tenant, request->target);
    if (!opens && row != NULL)
        decided = row->decided_sequence;
    record_operation(&record, request, content, status);
    record_commit(engine, &record);
    reply->sequence = record.sequence;
    reply->applied = status == STATUS_OK;
    if (status == STATUS_OK && !opens)
        case_follow(engine, request->tenant, record.a, (uint8_t)request->verb, decided);
    return status;
}
