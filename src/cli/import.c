/* import.c: zan import: options, progress, report. The work is in import_run.c. */
#include "cli/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/secret.h"

struct values {
    const char *format, *to, *name, *key_file;
    uint64_t limit, retry_seconds;
    double speed;
    bool json, quiet;
};

#define AT(field) offsetof(struct values, field), 0, 0

static const struct option_row rows[] = {
    {"format", "kuairand|tsv", "what DIR holds (above)", OPTION_TEXT, AT(format)},
    {"to", "HOST:PORT", "the node's RESP door [127.0.0.1:6390]", OPTION_TEXT, AT(to)},
    {"name", "NAME", "name of the caller, if the node wants credentials", OPTION_TEXT, AT(name)},
    {"key-file", "FILE", "file with the key; else the environment's ZAN_KEY", OPTION_TEXT,
     AT(key_file)},
    {"limit", "N", "only the first N rows of the log", OPTION_NUMBER,
     offsetof(struct values, limit), 1, UINT64_MAX},
    {"speed", "X", "replays at X times the log's own pace; else as fast as it goes", OPTION_RATE,
     AT(speed)},
    {"retry-seconds", "N", "how long the node may be away before giving up [60]", OPTION_NUMBER,
     offsetof(struct values, retry_seconds), 0, 86400},
    {"json", NULL, "prints the report as JSON", OPTION_FLAG, AT(json)},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, AT(quiet)},
};

static bool show(void *argument, const struct import_result *result)
{
    progress_step(argument, result->read.done, result->read.whole, result->commands);
    return true;
}

static void print_table(const struct import_result *result)
{
    char a[32], b[32], c[32];

    printf("%-12s %12s %12s %12s\n", "verb", "applied", "already so", "refused");
    for (uint32_t i = 0; i < VERB_COUNT; i++) {
        const struct import_tally *tally = &result->verb[i];

        if (tally->applied + tally->unchanged + tally->refused > 0)
            printf("%-12s %12s %12s %12s\n", verb_table[i].name, progress_number(tally->applied, a),
                   progress_number(tally->unchanged, b), progress_number(tally->refused, c));
    }
    printf("%s rows, %s commands in %.1f s, %s a second", progress_number(result->read.rows, a),
           progress_number(result->commands, b), result->seconds,
           progress_number((uint64_t)((double)result->commands / (result->seconds + 1e-6)), c));
    if (result->reconnects > 0)
        printf(", %llu times connected again", (unsigned long long)result->reconnects);
    if (result->retried > 0)
        printf(", %s asked again", progress_number(result->retried, a));
    putchar('\n');
    if (result->bad_rows > 0)
        printf("%s rows could not be read\n", progress_number(result->bad_rows, a));
    for (uint32_t i = 0; i < IMPORT_CODES_MAX && result->refusal[i].count > 0; i++)
        printf("refused: %s %s\n", progress_number(result->refusal[i].count, a),
               result->refusal[i].code);
    if (result->first_refusal[0] != '\0')
        printf("first: %s\n", result->first_refusal);
}

static void print_json(const struct import_result *result, enum status status, const char *message)
{
    struct report *report = report_new(), *verbs, *codes;

    report_flag(report, "ok", status == STATUS_OK);
    report_number(report, "rows", result->read.rows);
    report_number(report, "registered", result->read.registered);
    report_number(report, "bad_rows", result->bad_rows);
    report_number(report, "commands", result->commands);
    report_number(report, "refused", import_refused(result) - result->bad_rows);
    report_number(report, "retried", result->retried);
    report_number(report, "reconnects", result->reconnects);
    report_real(report, "seconds", result->seconds);
    report_real(report, "per_second", (double)result->commands / (result->seconds + 1e-6));
    verbs = report_object(report, "verbs");
    for (uint32_t i = 0; i < VERB_COUNT; i++) {
        const struct import_tally *tally = &result->verb[i];
        struct report *verb;

        if (tally->applied + tally->unchanged + tally->refused == 0)
            continue;
        verb = report_object(verbs, verb_table[i].name);
        report_number(verb, "applied", tally->applied);
        report_number(verb, "unchanged", tally->unchanged);
        report_number(verb, "refused", tally->refused);
    }
    codes = report_object(report, "refusals");
    for (uint32_t i = 0; i < IMPORT_CODES_MAX && result->refusal[i].count > 0; i++)
        report_number(codes, result->refusal[i].code, result->refusal[i].count);
    report_text(report, "first_refusal", result->first_refusal);
    if (status != STATUS_OK)
        report_text(report, "message", message);
    report_print(report, stdout);
}

void import_print(const struct import_result *result, bool json, enum status status,
                  const char *message)
{
    if (json)
        print_json(result, status, message);
    else
        print_table(result);
}

static int end(const struct import_result *result, enum status status, const char *message)
{
    if (status == STATUS_OK)
        return import_refused(result) > 0 ? EXIT_FINDINGS : EXIT_DONE;
    fprintf(stderr, "zan: %s\n", message);
    if (status != STATUS_UNKNOWN)
        return status == STATUS_BADCONFIG ? EXIT_USAGE : EXIT_FAILED;
    if (result->commands > 0)
        fprintf(stderr, "zan: the same command goes on where this ended: what was applied is "
                        "not applied twice\n");
    return EXIT_UNREACHABLE;
}

static int import(int argc, char **argv)
{
    struct values values = {.to = "127.0.0.1:6390", .retry_seconds = 60};
    struct import_options options;
    struct import_result result = {0};
    struct options_words words;
    struct progress progress;
    struct import_watch watch = {.argument = &progress, .turn = show};
    char key[SECRET_BYTES], message[CLIENT_MESSAGE] = "";
    enum status status;
    int code = options_parse(&cli_command_import, argc, argv, &values, NULL, &words);

    if (code != OPTIONS_GO)
        return code;
    if (values.format == NULL) {
        fprintf(stderr, "zan: --format is needed: kuairand or tsv\n");
        return EXIT_USAGE;
    }
    if (!secret_read(values.key_file, key))
        return EXIT_USAGE;
    options = (struct import_options){.format = values.format,
                                      .path = words.word[0],
                                      .to = values.to,
                                      .name = values.name,
                                      .key = key[0] != '\0' ? key : NULL,
                                      .limit = values.limit,
                                      .speed = values.speed,
                                      .retry_seconds = values.retry_seconds};
    progress_begin(&progress, "importing", "commands", values.quiet);
    status = import_run(&options, &watch, &result, message);
    progress_end(&progress);
    if (values.json || status == STATUS_OK || result.commands > 0)
        import_print(&result, values.json, status, message);
    return end(&result, status, message);
}

const struct command cli_command_import = {
    .name = "import",
    .words = "DIR",
    .summary = "plays a log of another system through a node's front door",
    .details =
        "kuairand  DIR holds impressions.tsv and, if wanted, videos.tsv and accounts.tsv (or "
        ".gz):\n"
        "          video -> ITEM SET and ITEM TAG, account -> ACCOUNT SET; is_click or play time "
        "-> VIEW,\n"
        "          is_like -> LIKE, is_follow -> FOLLOW the author, is_comment -> COMMENT,\n"
        "          is_forward -> SHARE, is_hate -> SKIP.\n"
        "tsv       DIR is a file (or - for standard input) whose first line names its columns:\n"
        "          verb, account, target, and any of watch_ms, duration_ms, time_ms, creator, "
        "opid,\n"
        "          published_ms, tags.\n"
        "\n"
        "Every command carries an operation id made from its row, so an import that was cut off "
        "can\n"
        "be started again, and one made twice changes nothing. The node keeps those ids for its\n"
        "operation-hours (24): later, views, shares, comments and skips would be counted again,\n"
        "likes and follows never.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .words_min = 1,
    .words_max = 1,
    .run = import,
};
