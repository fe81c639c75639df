#include "wire/case_map.h"

#include <assert.h>
#include <string.h>

#include "schema/verb.h"

struct list {
    struct case_field *fields;
    uint32_t count;
};

static void number(struct list *list, const char *name, enum case_field_type type, uint64_t value)
{
    assert(list->count < CASE_FIELDS_MAX);
    list->fields[list->count++] =
        (struct case_field){.name = name, .type = (uint8_t)type, .value = value};
}

static void moment(struct list *list, const char *name, int64_t time_us)
{
    number(list, name, CASE_FIELD_TIME, time_us > 0 ? (uint64_t)time_us : 0);
}

static void text(struct list *list, const char *name, const char *bytes, size_t size)
{
    number(list, name, CASE_FIELD_TEXT, 0);
    list->fields[list->count - 1].text = bytes;
    list->fields[list->count - 1].size = size;
}

static void word(struct list *list, const char *name, const char *bytes)
{
    text(list, name, bytes, strlen(bytes));
    list->fields[list->count - 1].type = CASE_FIELD_WORD;
}

static const char *subject_name(uint8_t subject)
{
    return subject == SUBJECT_ACCOUNT ? "account" : "item";
}

static void head(struct list *list, uint64_t id, uint8_t kind, const char *state, uint8_t subject,
                 uint64_t about, uint8_t decision)
{
    number(list, "case", CASE_FIELD_ID, id);
    word(list, "kind", case_kind_name((enum case_kind)kind));
    word(list, "state", state);
    word(list, "subject", subject_name(subject));
    number(list, "about", CASE_FIELD_ID, about);
    word(list, "decision", case_decision_name((enum case_decision)decision));
}

/* "like-ban cut" */
static void sanctions(struct list *list, uint8_t bits, char words[CASE_WORDS_MAX])
{
    size_t used = 0;

    for (uint8_t kind = 0; kind <= SANCTION_POINTS; kind++) {
        const char *name = sanction_name((enum sanction)kind);

        if ((bits >> kind & 1) == 0)
            continue;
        if (used > 0)
            words[used++] = ' ';
        assert(used + strlen(name) < CASE_WORDS_MAX);
        memcpy(words + used, name, strlen(name));
        used += strlen(name);
    }
    text(list, "sanctions", words, used);
}

static int can_appeal(const struct case_row *row)
{
    return (row->state == CASE_APPLIED || row->state == CASE_APPLYING) && !row->appealed &&
           row->appeals < 3 && (row->decision != DECISION_NONE || row->sanctions != 0) &&
           row->decision != DECISION_CREDIT && row->decision != DECISION_COMPENSATE;
}

/* Which likes are meant is told apart, and not to whom they are about. */
static uint64_t value_shown(uint16_t value)
{
    return value & CASE_ONLY ? 0 : value;
}

static void evidence(struct list *list, const struct case_row *row)
{
    word(list, "proposed", case_decision_name((enum case_decision)row->proposed));
    number(list, "proposed_value", CASE_FIELD_COUNT, value_shown(row->proposed_value));
    word(list, "only", reason_name(case_only(row->decision, row->value)));
    word(list, "proposed_only", reason_name(case_only(row->proposed, row->proposed_value)));
    moment(list, "since_ms", row->since_us);
    moment(list, "to_ms", row->to_us);
    text(list, "opened_text", row->text[CASE_TEXT_OPENED], row->text_size[CASE_TEXT_OPENED]);
    text(list, "appeal_text", row->text[CASE_TEXT_APPEAL], row->text_size[CASE_TEXT_APPEAL]);
    number(list, "opener", CASE_FIELD_ID, row->opener);
    number(list, "proposer", CASE_FIELD_ID, row->proposer);
    number(list, "approver", CASE_FIELD_ID, row->approver);
    number(list, "report_weight_pct", CASE_FIELD_COUNT, row->weight);
    number(list, "opened_sequence", CASE_FIELD_ID, row->id >> 8);
    number(list, "proposed_sequence", CASE_FIELD_ID, row->proposed_sequence);
    number(list, "decided_sequence", CASE_FIELD_ID, row->decided_sequence);
    number(list, "appealed_sequence", CASE_FIELD_ID, row->appealed_sequence);
    number(list, "ended_sequence", CASE_FIELD_ID, row->ended_sequence);
    number(list, "partition", CASE_FIELD_COUNT, row->id & 0xFF);
    number(list, "before", CASE_FIELD_ID, row->before);
}

uint32_t case_fields(const struct case_row *row, int own, struct case_field fields[CASE_FIELDS_MAX],
                     char words[CASE_WORDS_MAX])
{
    struct list list = {fields, 0};

    head(&list, row->id, row->kind,
         case_state_name((enum case_state)row->state,
                         own ? DECISION_NONE : (enum case_decision)row->proposed, row->appealed),
         row->subject, row->about, row->decision);
    number(&list, "value", CASE_FIELD_COUNT, value_shown(row->value));
    sanctions(&list, row->sanctions, words);
    moment(&list, "opened_ms", row->opened_us);
    moment(&list, "decided_ms", row->decided_us);
    moment(&list, "due_ms", case_is_live(row) ? row->due_us : 0);
    moment(&list, "until_ms", row->until_us);
    number(&list, "points", CASE_FIELD_COUNT, row->points > 0 ? (uint64_t)row->points : 0);
    number(&list, "granted_pct", CASE_FIELD_COUNT, row->granted_pct);
    number(&list, "rule", CASE_FIELD_COUNT, row->rule);
    number(&list, "policy", CASE_FIELD_COUNT, row->policy);
    text(&list, "decided_text", row->text[CASE_TEXT_DECIDED],
         row->decision != DECISION_NONE || !own ? row->text_size[CASE_TEXT_DECIDED] : 0);
    number(&list, "likes", CASE_FIELD_COUNT, row->likes);
    number(&list, "restored", CASE_FIELD_COUNT, row->restored);
    number(&list, "appealed", CASE_FIELD_BOOL, row->appealed);
    number(&list, "appeals", CASE_FIELD_COUNT, row->appeals);
    number(&list, "can_appeal", CASE_FIELD_BOOL, can_appeal(row) != 0);
    if (!own)
        evidence(&list, row);
    return list.count;
}

uint32_t case_brief_fields(const struct case_brief *brief,
                           struct case_field fields[CASE_FIELDS_MAX])
{
    struct list list = {fields, 0};

    head(&list, brief->id, brief->kind,
         case_state_name((enum case_state)brief->state, (enum case_decision)brief->proposed,
                         brief->appealed),
         brief->subject, brief->about, brief->decision);
    moment(&list, "opened_ms", brief->opened_us);
    moment(&list, "due_ms", brief->due_us);
    moment(&list, "until_ms", brief->until_us);
    return list.count;
}

/* "LIKE FAVORITE" */
static size_t verb_words(uint16_t verbs, char words[STANDING_WORDS_MAX])
{
    size_t used = 0;

    for (uint32_t verb = 0; verb <= VERB_ACT; verb++) {
        const char *name = verb_info((enum verb)verb)->name;

        if ((verbs >> verb & 1) == 0)
            continue;
        if (used > 0)
            words[used++] = ' ';
        assert(used + strlen(name) < STANDING_WORDS_MAX - REGION_SIZE_MAX);
        memcpy(words + used, name, strlen(name));
        used += strlen(name);
    }
    return used;
}

uint32_t standing_fields(const struct account_row *row, struct case_field fields[CASE_FIELDS_MAX],
                         char words[STANDING_WORDS_MAX])
{
    struct list list = {fields, 0};
    char *region = words + STANDING_WORDS_MAX - REGION_SIZE_MAX;

    text(&list, "limited", words, verb_words(row->limit_verbs, words));
    moment(&list, "limit_until_ms", row->limit_until_us);
    number(&list, "cut_pct", CASE_FIELD_COUNT, row->cut_until_us > 0 ? row->cut_pct : WEIGHT_FULL);
    moment(&list, "cut_until_ms", row->cut_until_us);
    number(&list, "points", CASE_FIELD_SIGNED, (uint64_t)row->points);
    moment(&list, "erase_ms", (int64_t)row->erase_s * 1000000);
    number(&list, "minor", CASE_FIELD_BOOL, (row->switches & SWITCH_MINOR) != 0);
    number(&list, "personal", CASE_FIELD_BOOL, (row->switches & SWITCH_IMPERSONAL) == 0);
    text(&list, "region", region, region_write(row->region, region));
    return list.count;
}

uint32_t weighed_fields(const struct edge_row *edge, struct case_field fields[CASE_FIELDS_MAX])
{
    struct list list = {fields, 0};

    number(&list, "account", CASE_FIELD_ID, edge->account);
    moment(&list, "time_ms", edge->time_us);
    number(&list, "weight_pct", CASE_FIELD_COUNT, edge->weight_pct);
    word(&list, "mark", mark_name((enum edge_mark)edge_mark(edge)));
    word(&list, "reason", reason_name((enum reason)(edge_reason(edge) % REASON_COUNT)));
    if (edge_mark(edge) == MARK_VOIDED) {
        word(&list, "before_mark", mark_name((enum edge_mark)edge_before_mark(edge)));
        word(&list, "before_reason",
             reason_name((enum reason)(edge_before_reason(edge) % REASON_COUNT)));
    } else {
        number(&list, "before_mark", CASE_FIELD_NONE, 0);
        number(&list, "before_reason", CASE_FIELD_NONE, 0);
    }
    return list.count;
}

uint32_t export_fields(const struct edge_row *edge, struct case_field fields[CASE_FIELDS_MAX])
{
    static const char *const kinds[EDGE_COUNT] = {"like", "favorite", "follow", "report",
                                                  "cleared"};
    struct list list = {fields, 0};

    word(&list, "kind", kinds[edge->kind < EDGE_COUNT ? edge->kind : EDGE_LIKE]);
    number(&list, "target", CASE_FIELD_ID, edge->target);
    moment(&list, "time_ms", edge->time_us);
    if (edge->kind != EDGE_LIKE && edge->kind != EDGE_CLEARED)
        return list.count;
    number(&list, "weight_pct", CASE_FIELD_COUNT, edge->weight_pct);
    word(&list, "mark", mark_name((enum edge_mark)edge_mark(edge)));
    word(&list, "reason", reason_name((enum reason)(edge_reason(edge) % REASON_COUNT)));
    if (edge->kind == EDGE_CLEARED)
        number(&list, "cleanup", CASE_FIELD_COUNT, edge->flips);
    return list.count;
}

/* --- notices ------------------------------------------------------------------------------------ */

static const char *notice_word(const struct notice *notice)
{
    static const char *const acts[] = {
        [VERB_LIKE] = "like",           [VERB_UNLIKE] = "unlike",
        [VERB_FAVORITE] = "favorite",   [VERB_UNFAVORITE] = "unfavorite",
        [VERB_FOLLOW] = "follow",       [VERB_UNFOLLOW] = "unfollow",
        [VERB_SHARE] = "share",         [VERB_COMMENT] = "comment",
    };

    switch ((enum notice_kind)notice->kind) {
    case NOTICE_DIGEST:
    case NOTICE_ACT:
        assert(notice->verb < sizeof acts / sizeof *acts && acts[notice->verb] != NULL);
        return acts[notice->verb];
    case NOTICE_SANCTION:
    case NOTICE_LIFTED:
        return sanction_name((enum sanction)notice->how);
    case NOTICE_APPEAL:
        return notice->how != 0 ? "granted" : "rejected";
    default:
        return notice->how == DECISION_NONE ? "expired"
                                            : case_decision_name((enum case_decision)notice->how);
    }
}

/* What a person would be told; a platform says it in its own words. */
static const char *notice_text(const struct notice_view *view)
{
    switch ((enum notice_kind)view->notice.kind) {
    case NOTICE_DIGEST:
        return "several did this";
    case NOTICE_ACT:
        return "somebody did this";
    case NOTICE_SANCTION:
        return view->over ? "this restriction is over" : "this is restricted until then";
    case NOTICE_LIFTED:
        return "this restriction was lifted";
    case NOTICE_DECIDED:
        return "people decided this; it can be appealed";
    case NOTICE_APPEAL:
        return "your appeal was answered";
    case NOTICE_WINDOW:
        return "unusual likes are being looked at; your standing is not affected";
    case NOTICE_SETTLED:
        return "the likes that were looked at are settled";
    case NOTICE_KIND_COUNT:
        break;
    }
    assert(0);
    return "";
}

static void id_or_none(struct list *list, const char *name, int there, uint64_t id)
{
    number(list, name, there ? CASE_FIELD_ID : CASE_FIELD_NONE, id);
}

uint32_t notice_fields(const struct notice_view *view, struct case_field fields[CASE_FIELDS_MAX])
{
    static const char *const kinds[NOTICE_KIND_COUNT] = {
        [NOTICE_DIGEST] = "digest",   [NOTICE_ACT] = "act",       [NOTICE_SANCTION] = "sanction",
        [NOTICE_LIFTED] = "lifted",   [NOTICE_DECIDED] = "decided", [NOTICE_APPEAL] = "appeal",
        [NOTICE_WINDOW] = "window",   [NOTICE_SETTLED] = "settled",
    };
    const struct notice *notice = &view->notice;
    int act = notice->kind == NOTICE_DIGEST || notice->kind == NOTICE_ACT;
    int follow = act && (notice->verb == VERB_FOLLOW || notice->verb == VERB_UNFOLLOW);
    struct list list = {fields, 0};

    number(&list, "notice", CASE_FIELD_ID, notice->id);
    word(&list, "kind", kinds[notice->kind]);
    word(&list, "what", notice_word(notice));
    word(&list, "text", notice_text(view));
    id_or_none(&list, "item", act ? !follow : notice->target != 0, notice->target);
    id_or_none(&list, "account", view->named, notice->other);
    number(&list, "count", CASE_FIELD_COUNT, act ? notice->count : 1);
    moment(&list, "time_ms", notice->time_us);
    moment(&list, "newest_ms", notice->kind == NOTICE_DIGEST ? notice->until_us : notice->time_us);
    moment(&list, "until_ms", act ? 0 : notice->until_us);
    number(&list, "over", CASE_FIELD_BOOL, view->over);
    number(&list, "unread", CASE_FIELD_BOOL, view->unread);
    number(&list, "quiet", CASE_FIELD_BOOL, notice->quiet);
    id_or_none(&list, "case", !act && notice->other != 0, notice->other);
    return list.count;
}
