/* options.c: see options.h. getopt_long would need its own table built at run time, abbreviates
 * names and prints messages without advice; a table walk of our own is as short. */
#include "cli/options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 26
#define HELP_WIDTH  96

/* --- slips -------------------------------------------------------------------------------------
 */

#define SLIP_MAX 32 /* longer words are compared by their beginning */

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Levenshtein distance, one row at a time. */
static unsigned distance(const char *a, const char *b)
{
    size_t a_size = strnlen(a, SLIP_MAX), b_size = strnlen(b, SLIP_MAX);
    unsigned row[SLIP_MAX + 1];

    for (size_t j = 0; j <= b_size; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned corner = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned kept = corner + (tolower((unsigned char)a[i - 1]) != b[j - 1]);

            corner = row[j];
            row[j] = smaller(kept, 1 + smaller(row[j], row[j - 1]));
        }
    }
    return row[b_size];
}

const char *options_nearest(const char *word, const char *(*next)(const void *context, uint32_t i),
                            const void *context)
{
    unsigned best = 3; /* three slips in one word are another word */
    const char *name, *nearest = NULL;

    for (uint32_t i = 0; (name = next(context, i)) != NULL; i++) {
        unsigned far = distance(word, name);

        if (far < best && far < strlen(name)) {
            best = far;
            nearest = name;
        }
    }
    return nearest;
}

static const char *option_name(const void *context, uint32_t i)
{
    const struct command *command = context;

    if (i < command->option_count)
        return command->options[i].name;
    i -= command->option_count;
    if (command->settings && i == config_item_count)
        return "config";
    if (command->settings && i < config_item_count)
        return config_items[i].name;
    return NULL;
}

static const struct option_row *find_row(const struct command *command, const char *name)
{
    for (uint32_t i = 0; i < command->option_count; i++)
        if (strcmp(command->options[i].name, name) == 0)
            return &command->options[i];
    return NULL;
}

/* --- help --------------------------------------------------------------------------------------
 */

/* Prints text from column at, breaking lines before HELP_WIDTH and going on at HELP_COLUMN. */
static void print_wrapped(FILE *out, const char *text, size_t at)
{
    while (*text != '\0') {
        size_t size = strcspn(text, " ");

        if (at > HELP_COLUMN && at + 1 + size > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        } else if (at > HELP_COLUMN) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)size, text);
        at += size;
        text += size;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const char *name, const char *form, const char *description,
                         const char *fallback)
{
    int width = fprintf(out, "  --%s%s%s", name, form != NULL ? " " : "", form != NULL ? form : "");
    char text[512];

    if (width < HELP_COLUMN - 1)
        fprintf(out, "%*s", HELP_COLUMN - width, "");
    else
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    if (fallback == NULL)
        snprintf(text, sizeof text, "%s", description);
    else if (fallback[0] == '\0')
        snprintf(text, sizeof text, "%s", description);
    else
        snprintf(text, sizeof text, "%s [%s]", description, fallback);
    print_wrapped(out, text, HELP_COLUMN);
}

/* The settings that say where the data lie. */
static bool is_of_data(const char *name)
{
    return strcmp(name, "data") == 0 || strncmp(name, "log-", 4) == 0 ||
           strcmp(name, "memory") == 0;
}

void options_help(const struct command *command, FILE *out)
{
    fprintf(out, "zan %s: %s\n\nUsage: zan %s [options]%s%s\n", command->name, command->summary,
            command->name, command->words[0] != '\0' ? " " : "", command->words);
    if (command->details != NULL)
        fprintf(out, "\n%s\n", command->details);
    fprintf(out, "\nOptions:\n");
    for (uint32_t i = 0; i < command->option_count; i++)
        print_option(out, command->options[i].name, command->options[i].form,
                     command->options[i].description, NULL);
    print_option(out, "help", NULL, "shows this", NULL);
    if (command->settings == SETTINGS_NONE)
        return;
    fprintf(out,
            command->settings == SETTINGS_TOLD
                ? "\nSettings (also as name = value in the file of --config):\n"
                : "\nSettings that matter here (every other one is taken too: zan help serve):\n");
    print_option(out, "config", "FILE", "reads settings from a file; options go before it", NULL);
    for (uint32_t i = 0; i < config_item_count; i++)
        if (command->settings == SETTINGS_TOLD || is_of_data(config_items[i].name))
            print_option(out, config_items[i].name, config_items[i].form,
                         config_items[i].description, config_items[i].fallback);
}

/* --- parsing -----------------------------------------------------------------------------------
 */

static int usage(const struct command *command)
{
    fprintf(stderr, "zan help %s shows every option\n", command->name);
    return EXIT_USAGE;
}

/* Sets the value of one row; false if the text does not fit. */
static bool set_value(const struct option_row *row, const char *text, void *values)
{
    char *place = (char *)values + row->offset, *end;

    assert(row->form != NULL);
    errno = 0;
    if (row->kind == OPTION_TEXT) {
        if (strchr(row->form, '|') != NULL && !config_is_choice(row->form, text))
            return false;
        memcpy(place, &text, sizeof text);
    } else if (row->kind == OPTION_NUMBER) {
        uint64_t number = strtoull(text, &end, 10);

        if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number < row->low ||
            number > row->high)
            return false;
        memcpy(place, &number, sizeof number);
    } else {
        double rate = strtod(text, &end);

        assert(row->kind == OPTION_RATE);
        if (end == text || *end != '\0' || !(rate > 0 && rate < 1e12))
            return false;
        memcpy(place, &rate, sizeof rate);
    }
    return true;
}

static int wrong_value(const struct option_row *row, const char *text)
{
    if (row->kind == OPTION_NUMBER)
        fprintf(stderr, "zan: --%s: expected a number from %llu to %llu, got '%s'\n", row->name,
                (unsigned long long)row->low, (unsigned long long)row->high, text);
    else
        fprintf(stderr, "zan: --%s: expected %s, got '%s'\n", row->name, row->form, text);
    return EXIT_USAGE;
}

/* One option on the line: its name, and its value if it has one. */
struct word_pair {
    char name[SLIP_MAX * 2];
    const char *value; /* NULL: none after '=' */
};

static void split(const char *argument, struct word_pair *pair)
{
    size_t size = strcspn(argument, "=");

    snprintf(pair->name, sizeof pair->name, "%.*s", (int)(size < 60 ? size : 60), argument);
    pair->value = argument[size] == '=' ? argument + size + 1 : NULL;
}

static bool is_setting(const struct command *command, const char *name)
{
    if (command->settings == SETTINGS_NONE)
        return false;
    for (uint32_t i = 0; i < config_item_count; i++)
        if (strcmp(config_items[i].name, name) == 0)
            return true;
    return strcmp(name, "config") == 0;
}

static int unknown_option(const struct command *command, const char *name)
{
    const char *nearest = options_nearest(name, option_name, command);

    fprintf(stderr, "zan: unknown option --%s", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean --%s?", nearest);
    fputc('\n', stderr);
    return usage(command);
}

/* The file first, so that an option on the line wins wherever it stands. */
static int read_config_file(int argc, char **argv, struct config *config)
{
    char message[CONFIG_MESSAGE];

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *path = NULL;

        if (strncmp(argv[i], "--config=", 9) == 0)
            path = argv[i] + 9;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            path = argv[i + 1];
        if (path != NULL && config_read(config, path, message) != STATUS_OK) {
            fprintf(stderr, "zan: %s\n", message);
            return EXIT_USAGE;
        }
    }
    return OPTIONS_GO;
}

static int set_setting(struct config *config, const char *name, const char *value)
{
    char message[CONFIG_MESSAGE];

    if (strcmp(name, "config") == 0)
        return OPTIONS_GO; /* read_config_file has had it */
    if (config_set(config, name, value, message) == STATUS_OK)
        return OPTIONS_GO;
    fprintf(stderr, "zan: --%s\n", message);
    return EXIT_USAGE;
}

/* Takes the option at argv[*i]; moves *i on if its value is the next word. */
static int take_option(const struct command *command, int argc, char **argv, int *i, void *values,
                       struct config *config)
{
    struct word_pair pair;
    const struct option_row *row;

    split(argv[*i] + 2, &pair);
    row = find_row(command, pair.name);
    if (row == NULL && !is_setting(command, pair.name))
        return unknown_option(command, pair.name);
    if (row != NULL && row->kind == OPTION_FLAG) {
        if (pair.value != NULL) {
            fprintf(stderr, "zan: --%s takes no value\n", pair.name);
            return EXIT_USAGE;
        }
        memcpy((char *)values + row->offset, &(bool){true}, sizeof(bool));
        return OPTIONS_GO;
    }
    if (pair.value == NULL && *i + 1 >= argc) {
        fprintf(stderr, "zan: --%s needs a value\n", pair.name);
        return usage(command);
    }
    if (pair.value == NULL)
        pair.value = argv[++*i];
    if (row == NULL)
        return set_setting(config, pair.name, pair.value);
    return set_value(row, pair.value, values) ? OPTIONS_GO : wrong_value(row, pair.value);
}

static int check(const struct command *command, const struct config *config,
                 const struct options_words *words)
{
    char message[CONFIG_MESSAGE];

    if (words->count < command->words_min || words->count > command->words_max) {
        if (command->words_max == 0)
            fprintf(stderr, "zan: %s takes no further words, got '%s'\n", command->name,
                    words->word[0]);
        else
            fprintf(stderr, "zan: %s needs %s\n", command->name, command->words);
        return usage(command);
    }
    if (command->settings && config_check(config, message) != STATUS_OK) {
        fprintf(stderr, "zan: %s\n", message);
        return EXIT_USAGE;
    }
    return OPTIONS_GO;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int options_parse(const struct command *command, int argc, char **argv, void *values,
                  struct config *config, struct options_words *words)
{
    struct options_words kept = {0};
    bool options_end = false;
    int code;

    if (asks_for_help(argc, argv)) {
        options_help(command, stdout);
        return EXIT_DONE;
    }
    if (command->settings) {
        config_default(config);
        if ((code = read_config_file(argc, argv, config)) != OPTIONS_GO)
            return code;
    }
    for (int i = 1; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && strncmp(argv[i], "--", 2) == 0) {
            code = take_option(command, argc, argv, &i, values, config);
            if (code != OPTIONS_GO)
                return code;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0') {
            fprintf(stderr, "zan: unknown option %s; options are long, like --json\n", argv[i]);
            return usage(command);
        } else {
            if (kept.count < OPTIONS_WORDS_MAX)
                kept.word[kept.count] = argv[i];
            kept.count++;
        }
    }
    if ((code = check(command, config, &kept)) != OPTIONS_GO)
        return code;
    if (words != NULL)
        *words = kept;
    return OPTIONS_GO;
}
