#include "wire/command_entry.h"

#include <assert.h>
#include <string.h>

/* clang-format off: every row is one line of the two tables */
static const struct command_entry entries[] = {
#define VERB(symbol, name_, group, role, shape, edge, on, counter, since_, summary_, arguments_)   \
    {.name = name_, .since = since_, .summary = summary_, .arguments = arguments_,                 \
     .verb = VERB_##symbol},
#include "schema/verbs.def"
#undef VERB
#define CONTAINER(symbol, name_, since_, summary_)                                                 \
    {.name = name_, .since = since_, .summary = summary_, .arguments = NULL,                       \
     .verb = VERB_##symbol},
#define SUBCOMMAND(symbol, name_, since_, summary_, arguments_)                                    \
    {.name = name_, .since = since_, .summary = summary_, .arguments = arguments_,                 \
     .verb = VERB_##symbol},
#include "wire/subcommands.def"
#undef CONTAINER
#undef SUBCOMMAND
};
/* clang-format on */

#define ENTRY_COUNT ((uint32_t)(sizeof entries / sizeof entries[0]))

const struct command_entry *command_entry(uint32_t i)
{
    return i < ENTRY_COUNT ? &entries[i] : NULL;
}

bool command_entry_is_top(const struct command_entry *entry)
{
    return strchr(entry->name, ' ') == NULL;
}

bool command_entry_is_child(const struct command_entry *child, const struct command_entry *parent)
{
    size_t size = strlen(parent->name);

    return strncmp(child->name, parent->name, size) == 0 && child->name[size] == ' ';
}

uint32_t command_entry_children(const struct command_entry *parent)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ENTRY_COUNT; i++)
        count += command_entry_is_child(&entries[i], parent);
    return count;
}

/* The table has a space where Redis has a bar. */
static bool has_name(const struct command_entry *entry, struct resp_slice name)
{
    const char *space = strchr(entry->name, ' ');
    struct resp_slice first = command_slice(entry->name);
    struct resp_slice given = name;

    if (space == NULL)
        return command_same(first, name);
    first.size = (uint32_t)(space - entry->name);
    if (name.size <= first.size || name.bytes[first.size] != '|')
        return false;
    given.size = first.size;
    name.bytes += first.size + 1;
    name.size -= first.size + 1;
    return command_same(first, given) && command_same(command_slice(space + 1), name);
}

const struct command_entry *command_entry_find(struct resp_slice name)
{
    for (uint32_t i = 0; i < ENTRY_COUNT; i++) {
        if (has_name(&entries[i], name))
            return &entries[i];
    }
    return NULL;
}

const char *command_entry_complexity(const struct command_entry *entry)
{
    switch ((enum verb_shape)verb_info((enum verb)entry->verb)->shape) {
    case SHAPE_STATES:
    case SHAPE_TOTALS:
        return "O(N), N being the number of ids";
    case SHAPE_TAKEN:
    case SHAPE_GIVEN:
    case SHAPE_ACTIVITY:
    case SHAPE_EXPORT:
    case SHAPE_WEIGHED:
    case SHAPE_CASE_LIST:
    case SHAPE_CASE_OF:
    case SHAPE_CLEANUP_PREVIEW:
    case SHAPE_SHIELD:
    case SHAPE_POINTS:
        return "O(log(M)+N), M being the entries there are and N those returned";
    case SHAPE_POLICY_PROPOSE:
        return "O(N), N being the bytes of the text, at most 16384";
    case SHAPE_POLICY_LIST:
        return "O(N), N being the versions, at most 32";
    case SHAPE_ACT:
        return "O(N), N being the number of actions, at most 8";
    case SHAPE_CLEANUP:
        return "O(N), N being the likes it takes back, at most 20000";
    case SHAPE_SEQ:
        return "O(N), N being the number of partitions";
    case SHAPE_READER:
        return "O(N), N being what is answered";
    case SHAPE_SERVICE:
    case SHAPE_SET:
    case SHAPE_EVENT:
    case SHAPE_VIEW:
    case SHAPE_ITEM_SET:
    case SHAPE_ITEM_STATE:
    case SHAPE_ACCOUNT_SET:
    case SHAPE_ACCOUNT_STATE:
    case SHAPE_ACCOUNT_REVOKE:
    case SHAPE_ACCOUNT_ERASE:
    case SHAPE_COUNTS:
    case SHAPE_RECEIVED:
    case SHAPE_ITEM_GET:
    case SHAPE_ACCOUNT_GET:
    case SHAPE_POLICY_STEP:
    case SHAPE_POLICY_GET:
    case SHAPE_CASE_OPEN:
    case SHAPE_CASE_STEP:
    case SHAPE_CASE_GET:
    case SHAPE_NOTICE_READ:
    case SHAPE_NOTE:
    case SHAPE_ITEM_NOTE:
    case SHAPE_ACCOUNT_NOTE:
    case SHAPE_NOTICES: /* an inbox is one row */
        return "O(1)";
    }
    assert(false && "a shape nobody knows");
    return "";
}
