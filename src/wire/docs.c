#include "wire/docs.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "schema/access.h"
#include "schema/answers.h"
#include "schema/guidance.h"
#include "schema/status.h"
#include "wire/command.h"
#include "wire/command_entry.h"

/* --- how a command is written ----------------------------------------------------------------- */

static void put_slice(FILE *out, struct resp_slice text)
{
    fprintf(out, "%.*s", (int)text.size, text.bytes);
}

static void put_lower(FILE *out, struct resp_slice text)
{
    for (uint32_t i = 0; i < text.size; i++)
        fputc(tolower((unsigned char)text.bytes[i]), out);
}

static void put_value(FILE *out, const struct command_argument *argument)
{
    switch ((enum command_type)argument->type) {
    case TYPE_WORD:
        put_slice(out, argument->words);
        return;
    case TYPE_CONTEXT:
        fputs("name value [name value ...]", out);
        return;
    case TYPE_AUTH:
        fputs("name key", out);
        return;
    default:
        put_lower(out, argument->name);
    }
}

static void put_argument(FILE *out, const struct command_argument *argument)
{
    fputs(argument->optional ? " [" : " ", out);
    if (argument->token)
        put_slice(out, argument->name);
    if (argument->token && argument->type != TYPE_FLAG)
        fputc(' ', out);
    if (argument->type != TYPE_FLAG)
        put_value(out, argument);
    if (argument->multiple) {
        fputs(" [", out);
        put_value(out, argument);
        fputs(" ...]", out);
    }
    if (argument->optional)
        fputc(']', out);
}

static void put_syntax(FILE *out, const struct command_entry *entry)
{
    struct command_spec spec;

    command_spec_read(entry->arguments, &spec);
    fprintf(out, "    %s", entry->name);
    for (uint32_t i = 0; i < spec.count; i++)
        put_argument(out, &spec.arguments[i]);
    fputs("\n\n", out);
}

/* --- what it answers -------------------------------------------------------------------------- */

static const char *answer_of(const struct command_entry *entry)
{
    static const char set[] =
        "1 if this changed something, 0 if it was so already; a map with RETURN";

    switch ((enum verb_shape)verb_info((enum verb)entry->verb)->shape) {
    case SHAPE_SET:
    case SHAPE_ITEM_SET:
    case SHAPE_ITEM_STATE:
    case SHAPE_ACCOUNT_SET:
    case SHAPE_ACCOUNT_STATE:
    case SHAPE_ACCOUNT_REVOKE:
    case SHAPE_ACCOUNT_ERASE:
    case SHAPE_NOTICE_READ:
        return set;
    case SHAPE_POLICY_PROPOSE:
        return "the number of the version; a map with RETURN";
    case SHAPE_POLICY_LIST:
        return "an array of maps";
    case SHAPE_POLICY_STEP:
    case SHAPE_CASE_STEP:
        return "1; a map with RETURN";
    case SHAPE_CASE_OPEN:
        return "the id of the case; a map with RETURN";
    case SHAPE_CASE_LIST:
    case SHAPE_CASE_OF:
    case SHAPE_WEIGHED:
        return "an array of two: the cursor of the next page (\"0\": there is none), and an array "
               "of maps";
    case SHAPE_EVENT:
    case SHAPE_VIEW:
    case SHAPE_NOTE:
    case SHAPE_ITEM_NOTE:
    case SHAPE_ACCOUNT_NOTE:
        return verb_info((enum verb)entry->verb)->access == ACCESS_GROWTH ? set : "1; a map with RETURN";
    case SHAPE_ACT:
        return "an array with 1 or 0 for each action; a map with RETURN";
    case SHAPE_STATES:
        return "an array with 1 or 0 for each id";
    case SHAPE_TOTALS:
        return "an array with a number for each id";
    case SHAPE_NOTICES:
        return "an array of three: the cursor of the next page (\"0\": there is none), how many are "
               "unread, and an array of maps";
    case SHAPE_SHIELD:
    case SHAPE_POINTS:
    case SHAPE_COUNTS:
    case SHAPE_RECEIVED:
    case SHAPE_ITEM_GET:
    case SHAPE_ACCOUNT_GET:
    case SHAPE_CASE_GET:
    case SHAPE_POLICY_GET:
        return "a map";
    case SHAPE_TAKEN:
    case SHAPE_GIVEN:
    case SHAPE_ACTIVITY:
        return "an array of two: the cursor of the next page (\"0\": there is none), and an array "
               "of "
               "[id, time in unix milliseconds]";
    case SHAPE_EXPORT:
        return "an array of two: the cursor of the next page (\"0\": there is none; a page may be "
               "empty before that), and an array of maps, each with its kind";
    case SHAPE_CLEANUP_PREVIEW:
        return "an array of two: how many (20000: or more), and an array of [item, time in unix "
               "milliseconds], newest first";
    case SHAPE_CLEANUP:
        return "an array: number of the clean-up (0: none), how many reactions changed, 1 if there are more (call "
               "again)";
    case SHAPE_SEQ:
        return "an array with a number for each partition";
    case SHAPE_READER:
        return "a map, see below";
    case SHAPE_SERVICE:
        return NULL;
    }
    assert(false && "a shape nobody knows");
    return NULL;
}

/* "[LagPartition]": the schema it names, if it names one of answers.def. */
static bool names_schema(const char *type, const char *schema)
{
    size_t size = strlen(schema);

    type += strspn(type, "-?[");
    return strncmp(type, schema, size) == 0 && strspn(type + size, "]") == strlen(type + size);
}

/* The members of a map that a reader answers, those of maps within it below theirs. */
static void put_members(FILE *out, const char *schema, int depth)
{
    for (uint32_t i = 0; i < answer_member_count; i++) {
        const struct answer_member *member = &answer_members[i];

        if (strcmp(member->schema, schema) != 0)
            continue;
        fprintf(out, "%*s- `%s`%s%s: %s\n", 2 * depth, "", member->name,
                strchr(member->type, '[') != NULL ? " (list)" : "",
                strchr("-?", member->type[0]) != NULL ? " (or none)" : "", member->tells);
        for (uint32_t k = 0; k < answer_member_count; k++)
            if ((k == 0 || strcmp(answer_members[k].schema, answer_members[k - 1].schema) != 0) &&
                names_schema(member->type, answer_members[k].schema))
                put_members(out, answer_members[k].schema, depth + 1);
    }
}

/* "backend; user, creator (own account)" */
static void put_callers(FILE *out, enum verb verb)
{
    const char *before = "";

    if (access_rule(ROLE_NONE, verb) != RULE_NO) {
        fputs("anybody", out);
        return;
    }
    for (int role = ROLE_BACKEND; role < ROLE_ALL; role++) {
        enum access_rule rule = access_rule((enum role)role, verb);

        if (rule == RULE_NO)
            continue;
        fprintf(out, "%s%s", before, role_name((enum role)role));
        if (rule != RULE_TENANT)
            fprintf(out, " (%s)", access_rule_name(rule));
        before = ", ";
    }
}

static void put_subcommands(FILE *out, const struct command_entry *parent)
{
    const struct command_entry *entry;

    for (uint32_t i = 0; (entry = command_entry(i)) != NULL; i++) {
        if (!command_entry_is_child(entry, parent))
            continue;
        put_syntax(out, entry);
        fprintf(out, "%s\n\n", entry->summary);
    }
}

static void put_command(FILE *out, const struct command_entry *entry)
{
    const char *answer = answer_of(entry);

    fprintf(out, "### %s\n\n", entry->name);
    if (command_entry_children(entry) == 0)
        put_syntax(out, entry);
    fprintf(out, "%s\n\n", entry->summary);
    put_subcommands(out, entry);
    if (answer != NULL)
        fprintf(out, "- Answers: %s.\n", answer);
    fputs("- May be called by: ", out);
    put_callers(out, (enum verb)entry->verb);
    fputs(".\n", out);
    if (answer != NULL)
        fprintf(out, "- Costs: %s.\n", command_entry_complexity(entry));
    fprintf(out, "- Since: %s.\n", entry->since);
    if (answer_schema((enum verb)entry->verb) != NULL) {
        fputs("- The map:\n", out);
        put_members(out, answer_schema((enum verb)entry->verb), 1);
    }
    fputs("\n", out);
}

/* --- the page --------------------------------------------------------------------------------- */

/* Does the entry stand for a row of verbs.def? Subcommands of the door are told with their verb,
 * and containers by their parts. */
static bool is_command(const struct command_entry *entry)
{
    return entry->arguments != NULL &&
           strcmp(entry->name, verb_info((enum verb)entry->verb)->name) == 0;
}

static void put_group(FILE *out, enum verb_group group, const char *title)
{
    const struct command_entry *entry;

    fprintf(out, "## %s\n\n", title);
    for (uint32_t i = 0; (entry = command_entry(i)) != NULL; i++) {
        if (is_command(entry) && verb_info((enum verb)entry->verb)->group == group)
            put_command(out, entry);
    }
}

static void put_sources(FILE *out)
{
    for (int source = 0; source < SOURCE_COUNT; source++)
        fprintf(out, "%s`%s`", source == 0 ? "" : ", ", source_name((enum source)source));
}

void docs_commands(FILE *out)
{
    fputs("# Commands\n\n"
          "Made by `zan docs commands` from `src/schema/verbs.def`; do not edit.\n"
          "How replies and errors look is in [protocol.md](protocol.md), the errors are in "
          "[errors.md](errors.md).\n\n"
          "Names of commands and options may be in upper or lower case. Options stand after the "
          "arguments, in any order,\neach at most once.\n\n"
          "| argument | form |\n|---|---|\n"
          "| account, item, creator | unsigned 64-bit integer, decimal digits |\n",
          out);
    fprintf(out, "| watch_ms, duration_ms, duration | milliseconds, at most %u |\n",
            REQUEST_MS_MAX);
    fprintf(out, "| item ..., creator ... | at most %d ids |\n", REQUEST_IDS_MAX);
    fprintf(out,
            "| LIKE\\|UNLIKE\\|... of ACT | at most %d actions, none twice, none against "
            "another |\n",
            REQUEST_ACTIONS_MAX);
    fprintf(out, "| count | 1 to %d entries; without: %d |\n", REQUEST_PAGE_MAX, REQUEST_PAGE);
    fputs("| cursor | what the last page told; 0 or none: from the newest |\n"
          "| until | unix milliseconds |\n"
          "| opid | operation id: a UUID, or 1 to 64 printable bytes; a retry with it takes effect "
          "once |\n"
          "| CTX name value | SOURCE ",
          out);
    put_sources(out);
    fprintf(
        out,
        "; ADDRESS, DEVICE, NETWORK: at most %d bytes, kept only as keyed pseudonyms; TIME: the "
        "client's clock in unix milliseconds, at most %d s ahead; ISSUED: when the request was "
        "sent, over %d s from now it is STALE |\n"
        "| RETURN | asks for a map (applied, sequence, replayed, counts; on and flips for a "
        "state; attested after a TOKEN) instead of a number |\n"
        "| token | of the impression that a VIEW or SKIP answers, as the feed gave it, good for two "
        "hours; one that is not good refuses nothing: the act is counted, and not attested |\n\n",
        COMMAND_CONTEXT_MAX, (int)(REQUEST_FUTURE_US / 1000000),
        (int)(REQUEST_ISSUED_US / 1000000));
    put_group(out, GROUP_WRITE, "Writes");
    put_group(out, GROUP_READ, "Reads");
    put_group(out, GROUP_READER, "What is computed from the log");
    put_group(out, GROUP_SERVICE, "Connection and help");
}

static void put_verbs(FILE *out, enum access access)
{
    const char *before = "";

    for (int verb = 0; verb < VERB_COUNT; verb++) {
        if (verb_info((enum verb)verb)->access != access)
            continue;
        fprintf(out, "%s`%s`", before, verb_info((enum verb)verb)->name);
        before = " ";
    }
    if (before[0] == '\0')
        fputs("(no command yet)", out);
}

void docs_access(FILE *out)
{
    fputs(
        "# Who may do what\n\n"
        "Made by `zan docs access` from `src/schema/access.def`; do not edit. What the roles are "
        "and how they are\nproved is in [security.md](security.md). Deny by default; the test "
        "`talk.access` asks every cell of every command.\n\n"
        "*tenant*: everything of the caller's own tenant. *own account*: the account named is the "
        "caller himself.\n*own*: the creator named is the caller himself. *own item*: the item "
        "named is one of the caller's.\nWhat is somebody else's is refused in the same words "
        "whether it exists or not. Without credentials (loopback\nonly) everybody may do "
        "everything in tenant 0.\n\n| access |",
        out);
    for (int role = ROLE_BACKEND; role < ROLE_ALL; role++)
        fprintf(out, " %s |", role_name((enum role)role));
    fputs("\n|---|", out);
    for (int role = ROLE_BACKEND; role < ROLE_ALL; role++)
        fputs("---|", out);
    for (int access = 0; access < ACCESS_COUNT; access++) {
        fprintf(out, "\n| %s |", access_table[access].what);
        for (int role = ROLE_BACKEND; role < ROLE_ALL; role++) {
            enum access_rule rule = (enum access_rule)access_table[access].rules[role];

            fprintf(out, " %s |", rule == RULE_NO ? "" : access_rule_name(rule));
        }
    }
    fputs("\n\n| access | commands | why |\n|---|---|---|\n", out);
    for (int access = 0; access < ACCESS_COUNT; access++) {
        fprintf(out, "| %s | ", access_table[access].what);
        put_verbs(out, (enum access)access);
        fprintf(out, " | %s |\n", access_table[access].why);
    }
}

static void put_guidance(FILE *out, const struct guidance *row)
{
    fprintf(out, "| %s | %s | `%s` | %s | ", row->situation,
            row->client == CLIENT_ANY ? "all others" : client_name((enum client)row->client),
            row->key, row->can ? "yes" : "no");
    if (row->high_ms != 0 && row->low_ms != row->high_ms)
        fprintf(out, "%u to %u", (unsigned)row->low_ms, (unsigned)row->high_ms);
    else if (row->high_ms != 0)
        fprintf(out, "%u", (unsigned)row->high_ms);
    fprintf(out, " | %s | %s |\n", row->text[LANGUAGE_ZH], row->text[LANGUAGE_EN]);
}

void docs_guidance(FILE *out)
{
    fputs("# What clients should do and say\n\n"
          "Made by `zan docs guidance` from `src/schema/guidance.def`; do not edit.\n\n"
          "Pages and apps render this table, and write none of it themselves: `GET "
          "/v1/guidance/{client}?language=zh&region=tw`\nor `GUIDANCE client LANGUAGE zh REGION "
          "tw`. The figures of android, ios and pc are presets somebody asked for, not\nstatements "
          "about any platform. A region without words of its own has those of the part before its "
          "`-`, or the first ones.\n\n| client | what it is |\n|---|---|\n",
          out);
    for (int client = 0; client < CLIENT_COUNT; client++)
        fprintf(out, "| %s | %s |\n", client_name((enum client)client),
                client_tells((enum client)client));
    fputs("\n| situation | client | key | has it | ms | zh | en |\n|---|---|---|---|---|---|---|\n",
          out);
    for (uint32_t i = 0; i < guidance_count; i++)
        put_guidance(out, &guidance_table[i]);
    fputs("\n| region | key | zh | en |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < wording_count; i++)
        fprintf(out, "| %s | `%s` | %s | %s |\n", wording_table[i].region, wording_table[i].key,
                wording_table[i].text[LANGUAGE_ZH], wording_table[i].text[LANGUAGE_EN]);
}

void docs_errors(FILE *out)
{
    fputs(
        "# Errors\n\n"
        "Made by `zan docs errors` from `src/schema/status.def`; do not edit.\n\n"
        "RESP: `-CODE what happened: detail; what to do`. HTTP: problem+json with the same code.\n"
        "*Certain* no: it is not known whether it happened; ask again with the same operation id, "
        "which is safe.\n"
        "*Closes*: the connection ends after this answer.\n\n"
        "| code | HTTP | certain | closes | what happened | what to do |\n"
        "|---|---|---|---|---|---|\n",
        out);
    for (int status = 0; status < STATUS_COUNT; status++) {
        const struct status_info *info = status_info((enum status)status);

        fprintf(out, "| %s | %d | %s | %s | %s | %s |\n", info->code, info->http,
                info->certain ? "yes" : "no", info->close ? "yes" : "no", info->text, info->advice);
    }
}
