/* redact.c: zan redact: the log of a stopped node without those who were erased. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "node/redact.h"

struct values {
    bool json, quiet;
};

static const struct option_row rows[] = {
    {"json", NULL, "prints the report as JSON", OPTION_FLAG, offsetof(struct values, json), 0, 0},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, offsetof(struct values, quiet), 0, 0},
};

static int redact(int argc, char **argv)
{
    struct values values = {0};
    struct config config;
    struct options_words words = {0};
    struct progress progress;
    struct node_progress opening = {.argument = &progress, .report = progress_report};
    struct redact_report done = {0};
    struct report *report;
    char a[32], b[32], c[32];
    enum status status;
    int code = options_parse(&cli_command_redact, argc, argv, &values, &config, &words);

    if (code != OPTIONS_GO)
        return code;
    progress_begin(&progress, "redacting", "records", values.quiet);
    status = node_redact(&config, words.word[0], &opening, &done);
    progress_end(&progress);
    if (status != STATUS_OK)
        return command_failed(status, done.message);
    if (!values.json) {
        printf("%s records, %s of them redacted, %s erased accounts\n",
               progress_number(done.records, a), progress_number(done.redacted, b),
               progress_number(done.accounts, c));
        return EXIT_DONE;
    }
    report = report_new();
    report_number(report, "records", done.records);
    report_number(report, "redacted", done.redacted);
    report_number(report, "accounts", done.accounts);
    report_print(report, stdout);
    return EXIT_DONE;
}

const struct command cli_command_redact = {
    .name = "redact",
    .words = "DIR",
    .summary = "writes a stopped node's log anew without erased accounts' ids",
    .details =
        "The log keeps what accounts did that were erased since (ACCOUNT PURGE). This copies the\n"
        "log into DIR (empty, or not there) with commitments in place of their ids, which nobody\n"
        "can link any more, and makes the store from it. Check it with zan verify, start from it,\n"
        "and destroy the old directory and its backups. docs/security.md tells more.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .words_min = 1,
    .words_max = 1,
    .run = redact,
};
