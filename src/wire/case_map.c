#include "wire/case_map.h"

#include <assert.h>
#include <string.h>

#include "schema/verb.h"
#include "wire/field_list.h"

static const char *subject_name(uint8_t subject)
{
    return subject == SUBJECT_ACCOUNT ? "account" : "item";
}

static void head(struct field_list *list, uint64_t id, uint8_t kind, const char *state,
                 uint8_t subject, uint64_t about, uint8_t decision)
{
    field_number(list, "case", CASE_FIELD_ID, id);
    field_word(list, "kind", case_kind_name((enum case_kind)kind));
    field_word(list, "state", state);
    field_word(list, "subject", subject_name(subject));
    field_number(list, "about", CASE_FIELD_ID, about);
    field_word(list, "decision", case_decision_name((enum case_decision)decision));
}

/* "like-ban cut" */
static void sanctions(struct field_list *list, uint8_t bits, char words[CASE_WORDS_MAX])
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
    field_text(list, "sanctions", words, used);
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

static void evidence(struct field_list *list, const struct case_row *row)
{
    field_word(list, "proposed", case_decision_name((enum case_decision)row->proposed));
    field_number(list, "proposed_value", CASE_FIELD_COUNT, value_shown(row->proposed_value));
    field_word(list, "only", reason_name(case_only(row->decision, row->value)));
    field_word(list, "proposed_only", reason_name(case_only(row->proposed, row->proposed_value)));
    field_moment(list, "since_ms", row->since_us);
    field_moment(list, "to_ms", row->to_us);
    field_text(list, "opened_text", row->text[CASE_TEXT_OPENED], row->text_size[CASE_TEXT_OPENED]);
    field_text(list, "appeal_text", row->text[CASE_TEXT_APPEAL], row->text_size[CASE_TEXT_APPEAL]);
    field_number(list, "opener", CASE_FIELD_ID, row->opener);
    field_number(list, "proposer", CASE_FIELD_ID, row->proposer);
    field_number(list, "approver", CASE_FIELD_ID, row->approver);
    field_number(list, "report_weight_pct", CASE_FIELD_COUNT, row->weight);
    field_number(list, "opened_sequence", CASE_FIELD_ID, row->id >> 8);
    field_number(list, "proposed_sequence", CASE_FIELD_ID, row->proposed_sequence);
    field_number(list, "decided_sequence", CASE_FIELD_ID, row->decided_sequence);
    field_number(list, "appealed_sequence", CASE_FIELD_ID, row->appealed_sequence);
    field_number(list, "ended_sequence", CASE_FIELD_ID, row->ended_sequence);
    field_number(list, "partition", CASE_FIELD_COUNT, row->id & 0xFF);
    field_number(list, "before", CASE_FIELD_ID, row->before);
}

uint32_t case_fields(const struct case_row *row, int own, struct case_field fields[CASE_FIELDS_MAX],
                     char words[CASE_WORDS_MAX])
{
    struct field_list list = {.fields = fields, .room = CASE_FIELDS_MAX};

    head(&list, row->id, row->kind,
         case_state_name((enum case_state)row->state,
                         own ? DECISION_NONE : (enum case_decision)row->proposed, row->appealed),
         row->subject, row->about, row->decision);
    field_number(&list, "value", CASE_FIELD_COUNT, value_shown(row->value));
    sanctions(&list, row->sanctions, words);
    field_moment(&list, "opened_ms", row->opened_us);
    field_moment(&list, "decided_ms", row->decided_us);
    field_moment(&list, "due_ms", case_is_live(row) ? row->due_us : 0);
    field_moment(&list, "until_ms", row->until_us);
    field_number(&list, "points", CASE_FIELD_COUNT, row->points > 0 ? (uint64_t)row->points : 0);
    field_number(&list, "granted_pct", CASE_FIELD_COUNT, row->granted_pct);
    field_number(&list, "rule", CASE_FIELD_COUNT, row->rule);
    field_number(&list, "policy", CASE_FIELD_COUNT, row->policy);
    field_text(&list, "decided_text", row->text[CASE_TEXT_DECIDED],
               row->decision != DECISION_NONE || !own ? row->text_size[CASE_TEXT_DECIDED] : 0);
    field_number(&list, "likes", CASE_FIELD_COUNT, row->likes);
    field_number(&list, "restored", CASE_FIELD_COUNT, row->restored);
    field_number(&list, "appealed", CASE_FIELD_BOOL, row->appealed);
    field_number(&list, "appeals", CASE_FIELD_COUNT, row->appeals);
    field_number(&list, "can_appeal", CASE_FIELD_BOOL, can_appeal(row) != 0);
    if (!own)
        evidence(&list, row);
    return list.count;
}

uint32_t case_brief_fields(const struct case_brief *brief,
                           struct case_field fields[CASE_FIELDS_MAX])
{
    struct field_list list = {.fields = fields, .room = CASE_FIELDS_MAX};

    head(&list, brief->id, brief->kind,
         case_state_name((enum case_state)brief->state, (enum case_decision)brief->proposed,
                         brief->appealed),
         brief->subject, brief->about, brief->decision);
    field_moment(&list, "opened_ms", brief->opened_us);
    field_moment(&list, "due_ms", brief->due_us);
    field_moment(&list, "until_ms", brief->until_us);
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
    struct field_list list = {.fields = fields, .room = CASE_FIELDS_MAX};
    char *region = words + STANDING_WORDS_MAX - REGION_SIZE_MAX;

    field_text(&list, "limited", words, verb_words(row->limit_verbs, words));
    field_moment(&list, "limit_until_ms", row->limit_until_us);
    field_number(&list, "cut_pct", CASE_FIELD_COUNT,
                 row->cut_until_us > 0 ? row->cut_pct : WEIGHT_FULL);
    field_moment(&list, "cut_until_ms", row->cut_until_us);
    field_number(&list, "points", CASE_FIELD_SIGNED, (uint64_t)row->points);
    field_moment(&list, "erase_ms", (int64_t)row->erase_s * 1000000);
    field_number(&list, "minor", CASE_FIELD_BOOL, (row->switches & SWITCH_MINOR) != 0);
    field_number(&list, "personal", CASE_FIELD_BOOL, (row->switches & SWITCH_IMPERSONAL) == 0);
    field_text(&list, "region", region, region_write(row->region, region));
    return list.count;
}

uint32_t weighed_fields(const struct edge_row *edge, struct case_field fields[CASE_FIELDS_MAX])
{
    struct field_list list = {.fields = fields, .room = CASE_FIELDS_MAX};

    field_number(&list, "account", CASE_FIELD_ID, edge->account);
    field_moment(&list, "time_ms", edge->time_us);
    field_number(&list, "weight_pct", CASE_FIELD_COUNT, edge->weight_pct);
    field_word(&list, "mark", mark_name((enum edge_mark)edge_mark(edge)));
    field_word(&list, "reason", reason_name((enum reason)(edge_reason(edge) % REASON_COUNT)));
    if (edge_mark(edge) == MARK_VOIDED) {
        field_word(&list, "before_mark", mark_name((enum edge_mark)edge_before_mark(edge)));
        field_word(&list, "before_reason",
                   reason_name((enum reason)(edge_before_reason(edge) % REASON_COUNT)));
    } else {
        field_number(&list, "before_mark", CASE_FIELD_NONE, 0);
        field_number(&list, "before_reason", CASE_FIELD_NONE, 0);
    }
    return list.count;
}

uint32_t export_fields(const struct edge_row *edge, struct case_field fields[CASE_FIELDS_MAX])
{
    static const char *const kinds[EDGE_COUNT] = {"like", "favorite", "follow", "report",
                                                  "cleared"};
    struct field_list list = {.fields = fields, .room = CASE_FIELDS_MAX};

    field_word(&list, "kind", kinds[edge->kind < EDGE_COUNT ? edge->kind : EDGE_LIKE]);
    field_number(&list, "target", CASE_FIELD_ID, edge->target);
    field_moment(&list, "time_ms", edge->time_us);
    if (edge->kind != EDGE_LIKE && edge->kind != EDGE_CLEARED)
        return list.count;
    field_number(&list, "weight_pct", CASE_FIELD_COUNT, edge->weight_pct);
    field_word(&list, "mark", mark_name((enum edge_mark)edge_mark(edge)));
    field_word(&list, "reason", reason_name((enum reason)(edge_reason(edge) % REASON_COUNT)));
    if (edge->kind == EDGE_CLEARED)
        field_number(&list, "cleanup", CASE_FIELD_COUNT, edge->flips);
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

static void id_or_none(struct field_list *list, const char *name, int there, uint64_t id)
{
    field_number(list, name, there ? CASE_FIELD_ID : CASE_FIELD_NONE, id);
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
    struct field_list list = {.fields = fields, .room = CASE_FIELDS_MAX};

    field_number(&list, "notice", CASE_FIELD_ID, notice->id);
    field_word(&list, "kind", kinds[notice->kind]);
    field_word(&list, "what", notice_word(notice));
    field_word(&list, "text", notice_text(view));
    id_or_none(&list, "item", act ? !follow : notice->target != 0, notice->target);
    id_or_none(&list, "account", view->named, notice->other);
    field_number(&list, "count", CASE_FIELD_COUNT, act ? notice->count : 1);
    field_moment(&list, "time_ms", notice->time_us);
    field_moment(&list, "newest_ms",
                 notice->kind == NOTICE_DIGEST ? notice->until_us : notice->time_us);
    field_moment(&list, "until_ms", act ? 0 : notice->until_us);
    field_number(&list, "over", CASE_FIELD_BOOL, view->over);
    field_number(&list, "unread", CASE_FIELD_BOOL, view->unread);
    field_number(&list, "quiet", CASE_FIELD_BOOL, notice->quiet);
    id_or_none(&list, "case", !act && notice->other != 0, notice->other);
    return list.count;
}
