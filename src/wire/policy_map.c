#include "wire/policy_map.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "schema/verb.h"
#include "wire/field_list.h"

static void digest(struct field_list *list, const uint8_t bytes[32], char digits[POLICY_DIGITS])
{
    hex_put(digits, bytes, 32);
    field_text(list, "digest", digits, POLICY_DIGITS);
}

static void head_into(struct field_list *list, const struct policy_head *head,
                      char digits[POLICY_DIGITS])
{
    const char *state = policy_state_name((enum rules_state)head->state);

    field_number(list, "version", CASE_FIELD_ID, head->version);
    field_text(list, "name", head->name, strnlen(head->name, sizeof head->name));
    field_text(list, "state", state, strlen(state));
    digest(list, head->digest, digits);
    field_number(list, "text_bytes", CASE_FIELD_COUNT, head->text_size);
    field_number(list, "by_setting", CASE_FIELD_BOOL, head->by_setting);
    field_number(list, "proposer", CASE_FIELD_ID, head->proposer);
    field_number(list, "decider", CASE_FIELD_ID, head->decider);
    field_moment(list, "proposed_ms", head->proposed_us);
    field_moment(list, "decided_ms", head->decided_us);
    field_moment(list, "ended_ms", head->ended_us);
    field_text(list, "reason", head->reason, head->reason_size);
    field_text(list, "decision", head->decision, head->decision_size);
    field_number(list, "proposed_sequence", CASE_FIELD_ID, head->proposed_sequence);
    field_number(list, "decided_sequence", CASE_FIELD_ID, head->decided_sequence);
}

uint32_t policy_head_fields(const struct policy_head *head,
                            struct case_field fields[POLICY_FIELDS_MAX], char digits[POLICY_DIGITS])
{
    struct field_list list = {.fields = fields, .room = POLICY_FIELDS_MAX};

    head_into(&list, head, digits);
    return list.count;
}

uint32_t policy_fields(const struct policy_view *view, struct case_field fields[POLICY_FIELDS_MAX],
                       char digits[POLICY_DIGITS])
{
    struct field_list list = {.fields = fields, .room = POLICY_FIELDS_MAX};

    head_into(&list, &view->head, digits);
    if (view->has_lines || view->has_text)
        field_number(&list, "in_shadow", CASE_FIELD_BOOL, view->in_shadow);
    if (view->has_text)
        field_text(&list, "text", view->text, view->head.text_size);
    if (!view->has_lines)
        return list.count;
    field_moment(&list, "counted_ms", view->counted_us);
    field_number(&list, "judged", CASE_FIELD_COUNT, view->judged);
    field_number(&list, "refused", CASE_FIELD_COUNT, view->refused);
    field_number(&list, "held", CASE_FIELD_COUNT, view->held);
    field_number(&list, "cut", CASE_FIELD_COUNT, view->cut);
    field_number(&list, "more", CASE_FIELD_BOOL, view->more);
    return list.count;
}

uint32_t policy_line_fields(const struct policy_line *line,
                            struct case_field fields[POLICY_FIELDS_MAX])
{
    static const char *const changes[RULES_CHANGE_COUNT] = {
        [RULES_SAME] = "same",
        [RULES_NEW] = "new",
        [RULES_CHANGED] = "changed",
        [RULES_GONE] = "gone",
    };
    struct field_list list = {.fields = fields, .room = POLICY_FIELDS_MAX};

    assert(line->change < RULES_CHANGE_COUNT);
    field_text(&list, "rule", line->name, strnlen(line->name, sizeof line->name));
    field_text(&list, "change", changes[line->change], strlen(changes[line->change]));
    field_number(&list, "shadow", CASE_FIELD_BOOL, line->shadow);
    field_moment(&list, "since_ms", line->since_us);
    field_number(&list, "fired", CASE_FIELD_COUNT, line->fired);
    field_number(&list, "refused", CASE_FIELD_COUNT, line->refused);
    field_number(&list, "held", CASE_FIELD_COUNT, line->held);
    field_number(&list, "cut", CASE_FIELD_COUNT, line->cut);
    return list.count;
}
