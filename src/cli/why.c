/* why.c: zan why: where an item loses likes, asked of a running node (DIAGNOSE) and said in words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/secret.h"
#include "cli/why_words.h"

#define TEXT_BYTES 256

struct values {
    const char *to, *name, *key_file, *lang;
    bool json;
};

#define AT(field) offsetof(struct values, field), 0, 0

static const struct option_row rows[] = {
    {"to", "HOST:PORT", "the node's RESP door [127.0.0.1:6390]", OPTION_TEXT, AT(to)},
    {"name", "NAME", "name of the caller, if the node wants credentials", OPTION_TEXT, AT(name)},
    {"key-file", "FILE", "file with the key; else the environment's ZAN_KEY", OPTION_TEXT,
     AT(key_file)},
    {"lang", "en|zh", "of the sentences [en]", OPTION_TEXT, AT(lang)},
    {"json", NULL, "prints the answer as JSON", OPTION_FLAG, AT(json)},
};

/* --- the answer: a map as RESP2 has it, names and values in turn
 * ---------------------------------- */

/* The value of a name; NULL: it is not there. */
static const struct client_value *member(const struct client_value *values, uint32_t map,
                                         const char *name)
{
    uint32_t at = map + 1;

    for (uint32_t i = 0; i + 1 < values[map].count; i += 2) {
        uint32_t value = values[at].next;

        if (values[at].size == strlen(name) && memcmp(values[at].text, name, values[at].size) == 0)
            return &values[value];
        at = values[value].next;
    }
    return NULL;
}

/* As text: numbers and ids too; "" if it is null, a list, or not there. */
static const char *text_of(const struct client_value *values, uint32_t map, const char *name,
                           char text[TEXT_BYTES])
{
    const struct client_value *value = member(values, map, name);

    text[0] = '\0';
    if (value != NULL && value->kind == CLIENT_TEXT)
        snprintf(text, TEXT_BYTES, "%.*s", (int)(value->size < 255 ? value->size : 255),
                 value->text);
    else if (value != NULL && value->kind == CLIENT_INTEGER)
        snprintf(text, TEXT_BYTES, "%lld", (long long)value->integer);
    return text;
}

static double real_of(const struct client_value *values, uint32_t map, const char *name)
{
    char text[TEXT_BYTES];

    return strtod(text_of(values, map, name, text), NULL);
}

/* --- in words ------------------------------------------------------------------------------------
 */

static void round_text(double value, bool percent, char text[TEXT_BYTES])
{
    if (percent)
        snprintf(text, TEXT_BYTES, "%.*f %%", value < 0.1 ? 1 : 0, 100 * value);
    else
        snprintf(text, TEXT_BYTES, value < 10 && value != (int)value ? "%.1f" : "%.0f", value);
}

static void print_head(const struct client_value *values, enum why_language lang)
{
    const struct client_value *comparable = member(values, 0, "comparable");
    uint32_t at = comparable == NULL ? 0 : (uint32_t)(comparable - values);
    char item[TEXT_BYTES], by[TEXT_BYTES], tag[TEXT_BYTES], count[TEXT_BYTES], days[TEXT_BYTES],
        of[TEXT_BYTES], likes[3][TEXT_BYTES];
    static const char *const told[] = {"likes", "expected", "lost"};

    text_of(values, 0, "item", item);
    snprintf(days, sizeof days, "%.1f", real_of(values, 0, "age_s") / 86400);
    text_of(values, at, "by", by);
    text_of(values, at, "items", count);
    if (strcmp(by, "none") == 0 || at == 0) {
        printf(why_words[WHY_ALONE][lang], item, days);
        printf("\n");
        return;
    }
    if (strcmp(by, "tag") == 0)
        snprintf(of, sizeof of, why_words[WHY_BY_TAG][lang], text_of(values, at, "tag", tag));
    else
        snprintf(of, sizeof of, "%s",
                 why_words[strcmp(by, "length") == 0 ? WHY_BY_LENGTH : WHY_BY_ALL][lang]);
    printf(why_words[WHY_HEAD][lang], item, days, count, of);
    printf("\n");
    for (int i = 0; i < 3; i++)
        round_text(real_of(values, 0, told[i]), false, likes[i]);
    printf(why_words[WHY_LIKES][lang], likes[0], likes[1], likes[2]);
    printf("\n");
}

static const char *group_word(const char *group, enum why_language lang)
{
    return why_words[strcmp(group, "algorithm") == 0  ? WHY_OF_ALGORITHM
                     : strcmp(group, "audience") == 0 ? WHY_OF_AUDIENCE
                                                      : WHY_OF_CONTENT][lang];
}

/* One that costs something. part: of the creator's weight, "" if it was not asked for. */
static void print_cause(const struct client_value *values, uint32_t at, uint32_t place,
                        const char *part, enum why_language lang)
{
    char name[TEXT_BYTES], group[TEXT_BYTES], verdict[TEXT_BYTES], lost[TEXT_BYTES],
        number[TEXT_BYTES], compared[TEXT_BYTES], evidence[TEXT_BYTES];
    const struct why_cause *cause = why_cause(text_of(values, at, "cause", name));

    if (cause == NULL)
        return;
    text_of(values, at, "group", group);
    text_of(values, at, "verdict", verdict);
    round_text(real_of(values, at, "lost"), false, lost);
    round_text(real_of(values, at, "number"), cause->percent, number);
    round_text(real_of(values, at, "compared"), cause->percent, compared);
    printf("\n%2u. %s (%s, %s), ", (unsigned)place, cause->title[lang], group_word(group, lang),
           why_words[strcmp(verdict, "found") == 0 ? WHY_FOUND : WHY_LIKELY][lang]);
    printf(why_words[WHY_COSTS][lang], lost);
    printf("\n    ");
    printf(cause->number[lang], number, compared);
    printf("\n");
    if (text_of(values, at, "evidence", evidence)[0] != '\0')
        printf("    %s: %s\n", why_words[WHY_EVIDENCE][lang], evidence);
    if (strcmp(name, "account_weight") == 0 && part[0] != '\0')
        printf("    %s: %s\n", why_words[WHY_PART][lang], part);
    printf("    %s: %s\n", why_words[WHY_TRY][lang], cause->advice[lang]);
}

/* The titles of those with a verdict, in one line. */
static void print_others(const struct client_value *values, const struct client_value *causes,
                         const char *verdict, enum why_word word, enum why_language lang)
{
    uint32_t at = (uint32_t)(causes - values) + 1;
    const char *between = "";

    for (uint32_t i = 0; i < causes->count; i++, at = values[at].next) {
        char text[TEXT_BYTES];
        const struct why_cause *cause;

        if (strcmp(text_of(values, at, "verdict", text), verdict) != 0)
            continue;
        cause = why_cause(text_of(values, at, "cause", text));
        if (between[0] == '\0')
            printf("\n%s: ", why_words[word][lang]);
        printf("%s%s", between, cause != NULL ? cause->title[lang] : text);
        between = why_words[WHY_BETWEEN][lang];
    }
    if (between[0] != '\0')
        printf("\n");
}

static void print_words(const struct client_value *values, const char *part, enum why_language lang)
{
    const struct client_value *causes = member(values, 0, "causes");
    uint32_t at, place = 0;

    print_head(values, lang);
    if (causes == NULL)
        return;
    at = (uint32_t)(causes - values) + 1;
    for (uint32_t i = 0; i < causes->count; i++, at = values[at].next) {
        char verdict[TEXT_BYTES];

        text_of(values, at, "verdict", verdict);
        if (strcmp(verdict, "found") == 0 || strcmp(verdict, "likely") == 0)
            print_cause(values, at, ++place, part, lang);
    }
    if (place == 0)
        printf("\n%s\n", why_words[WHY_NOTHING][lang]);
    print_others(values, causes, "fine", WHY_ALSO_FINE, lang);
    print_others(values, causes, "unknown", WHY_NOT_KNOWN, lang);
    print_others(values, causes, "not_used", WHY_NOT_USED, lang);
}

/* --- as JSON -------------------------------------------------------------------------------------
 */

static const char *const numbers[] = {"age_s", "items",  "expected", "likes", "lost",
                                      "share", "number", "compared", "n",     "late_ms"};

static bool is_number(const char *name)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i]) == 0)
            return true;
    return false;
}

/* Members of a map; what is null is left out. */
static void add_map(struct report *report, const struct client_value *values, uint32_t map);

static void add_member(struct report *report, const struct client_value *values, uint32_t at,
                       const char *name, uint32_t map)
{
    char text[TEXT_BYTES];

    if (values[at].kind == CLIENT_NULL)
        return;
    if (values[at].kind != CLIENT_LIST) {
        text_of(values, map, name, text);
        if (strcmp(name, "known") == 0)
            report_flag(report, name, strcmp(text, "1") == 0);
        else if (is_number(name))
            report_real(report, name, strtod(text, NULL));
        else
            report_text(report, name, text);
        return;
    }
    if (strcmp(name, "comparable") == 0) {
        add_map(report_object(report, name), values, at);
        return;
    }
    for (uint32_t i = 0, one = at + 1; i < values[at].count; i++, one = values[one].next) {
        if (values[one].kind == CLIENT_LIST) {
            add_map(report_element(report, name), values, one);
            continue;
        }
        snprintf(text, sizeof text, "%.*s", (int)(values[one].size < 255 ? values[one].size : 255),
                 values[one].text);
        report_add(report, name, text);
    }
}

static void add_map(struct report *report, const struct client_value *values, uint32_t map)
{
    uint32_t at = map + 1;

    for (uint32_t i = 0; i + 1 < values[map].count; i += 2) {
        uint32_t value = values[at].next;
        char name[TEXT_BYTES];

        snprintf(name, sizeof name, "%.*s", (int)(values[at].size < 255 ? values[at].size : 255),
                 values[at].text);
        add_member(report, values, value, name, map);
        at = values[value].next;
    }
}

/* --- asking --------------------------------------------------------------------------------------
 */

/* Which part of the creator's weight would raise it most; "" if nobody tells. */
static void ask_part(struct client *client, const char *creator, char part[TEXT_BYTES])
{
    const struct client_value *reply;
    char message[CLIENT_MESSAGE];

    part[0] = '\0';
    if (creator[0] != '\0' &&
        client_call(client, (const char *[]){"WEIGHT", creator}, 2, &reply, message) == STATUS_OK &&
        reply[0].kind == CLIENT_LIST)
        text_of(reply, 0, "advice", part);
}

static int tell(struct client *client, const char *item, const struct values *values)
{
    enum why_language lang =
        values->lang != NULL && strcmp(values->lang, "zh") == 0 ? WHY_CHINESE : WHY_ENGLISH;
    const struct client_value *reply;
    char message[CLIENT_MESSAGE], creator[TEXT_BYTES] = "", part[TEXT_BYTES] = "";
    enum status status;

    for (int asked = 0; asked < 2; asked++) {
        status = client_call(client, (const char *[]){"DIAGNOSE", item}, 2, &reply, message);
        if (status != STATUS_OK) {
            fprintf(stderr, "zan: %s\n", message);
            return EXIT_UNREACHABLE;
        }
        if (reply[0].kind != CLIENT_LIST) {
            fprintf(stderr, "zan: %.*s\n", (int)reply[0].size, reply[0].text);
            return EXIT_FAILED;
        }
        if (asked == 1 || values->json)
            break;
        /* A reply is gone with the next question: so this one is asked again after the weight. */
        text_of(reply, 0, "creator", creator);
        ask_part(client, creator, part);
    }
    if (values->json) {
        struct report *report = report_new();

        add_map(report, reply, 0);
        report_print(report, stdout);
    } else {
        print_words(reply, part, lang);
    }
    return EXIT_DONE;
}

static int why(int argc, char **argv)
{
    struct values values = {.to = "127.0.0.1:6390"};
    struct options_words words = {0};
    struct client *client;
    char key[SECRET_BYTES], message[CLIENT_MESSAGE];
    int code = options_parse(&cli_command_why, argc, argv, &values, NULL, &words);
    enum status status;

    if (code != OPTIONS_GO)
        return code;
    if (!secret_read(values.key_file, key))
        return EXIT_USAGE;
    status = client_open(values.to, values.name, key[0] != '\0' ? key : NULL, &client, message);
    if (status != STATUS_OK) {
        fprintf(stderr, "zan: %s\n", message);
        return status == STATUS_UNKNOWN ? EXIT_UNREACHABLE : EXIT_USAGE;
    }
    code = tell(client, words.word[0], &values);
    client_close(client);
    return code;
}

const struct command cli_command_why = {
    .name = "why",
    .words = "ITEM",
    .summary = "tells where an item loses likes, and what may be the cause",
    .details =
        "Asks a running node (DIAGNOSE): each step of the item's funnel beside comparable items of "
        "the\n"
        "same age; the causes that cost most first, each with its number, what that is held\n"
        "against, and what to try. docs/insight.md has the formulas.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .words_min = 1,
    .words_max = 1,
    .run = why,
};
