#include "wire/policy_map.h"

#include <assert.h>
#include <string.h>

#include "schema/verb.h"

struct list {
    struct case_field *fields;
    uint32_t count;
};

static void number(struct list *list, const char *name, enum case_field_type type, uint64_t value)
{
    assert(list->count < POLICY_FIELDS_MAX);
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

static void digest(struct list *list, const uint8_t bytes[32], char digits[POLICY_DIGITS])
{
    for (int i = 0; i < 32; i++) {
        digits[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        digits[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    text(list, "digest", digits, POLICY_DIGITS);
}

static void head_into(struct list *list, const struct policy_head *head, char digits[POLICY_DIGITS])
{
    const char *state = policy_state_name((enum rules_state)head->state);

    number(list, "version", CASE_FIELD_ID, head->version);
    text(list, "name", head->name, strnlen(head->name, sizeof head->name));
    text(list, "state", state, strlen(state));
    digest(list, head->digest, digits);
    number(list, "text_bytes", CASE_FIELD_COUNT, head->text_size);
    number(list, "by_setting", CASE_FIELD_BOOL, head->by_setting);
    number(list, "proposer", CASE_FIELD_ID, head->proposer);
    number(list, "decider", CASE_FIELD_ID, head->decider);
    moment(list, "proposed_ms", head->proposed_us);
    moment(list, "decided_ms", head->decided_us);
    moment(list, "ended_ms", head->ended_us);
    text(list, "reason", head->reason, head->reason_size);
    text(list, "decision", head->decision, head->decision_size);
    number(list, "proposed_sequence", CASE_FIELD_ID, head->proposed_sequence);
    number(list, "decided_sequence", CASE_FIELD_ID, head->decided_sequence);
}

uint32_t policy_head_fields(const struct policy_head *head,
                            struct case_field fields[POLICY_FIELDS_MAX], char digits[POLICY_DIGITS])
{
    struct list list = {fields, 0};

    head_into(&list, head, digits);
    return list.count;
}

uint32_t policy_fields(const struct policy_view *view, struct case_field fields[POLICY_FIELDS_MAX],
                       char digits[POLICY_DIGITS])
{
    struct list list = {fields, 0};

    head_into(&list, &view->head, digits);
    if (view->has_lines || view->has_text)
        number(&list, "in_shadow", CASE_FIELD_BOOL, view->in_shadow);
    if (view->has_text)
        text(&list, "text", view->text, view->head.text_size);
    if (!view->has_lines)
        return list.count;
    moment(&list, "counted_ms", view->counted_us);
    number(&list, "judged", CASE_FIELD_COUNT, view->judged);
    number(&list, "refused", CASE_FIELD_COUNT, view->refused);
    number(&list, "held", CASE_FIELD_COUNT, view->held);
    number(&list, "cut", CASE_FIELD_COUNT, view->cut);
    number(&list, "more", CASE_FIELD_BOOL, view->more);
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
    struct list list = {fields, 0};

    assert(line->change < RULES_CHANGE_COUNT);
    text(&list, "rule", line->name, strnlen(line->name, sizeof line->name));
    text(&list, "change", changes[line->change], strlen(changes[line->change]));
    number(&list, "shadow", CASE_FIELD_BOOL, line->shadow);
    moment(&list, "since_ms", line->since_us);
    number(&list, "fired", CASE_FIELD_COUNT, line->fired);
    number(&list, "refused", CASE_FIELD_COUNT, line->refused);
    number(&list, "held", CASE_FIELD_COUNT, line->held);
    number(&list, "cut", CASE_FIELD_COUNT, line->cut);
    return list.count;
}
