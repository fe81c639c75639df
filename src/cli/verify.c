/* verify.c: zan verify and zan rebuild: what one does with a stopped data directory. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "node/node.h"

struct values {
    bool json, quiet;
};

static const struct option_row rows[] = {
    {"json", NULL, "prints the report as JSON", OPTION_FLAG, offsetof(struct values, json), 0, 0},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, offsetof(struct values, quiet), 0, 0},
};

/* --- verify ------------------------------------------------------------------------------------
 */

struct findings {
    struct report *report; /* NULL: plain text */
    uint64_t count;
};

#define FINDINGS_SHOWN 1000 /* a disk full of damage need not fill a terminal too */

static void add_finding(void *argument, const char *text)
{
    struct findings *findings = argument;

    findings->count++;
    if (findings->count > FINDINGS_SHOWN)
        return;
    if (findings->report != NULL)
        report_add(findings->report, "findings", text);
    else
        printf("FOUND  %s\n", text);
}

static void print_verification(const struct node_verification *v)
{
    char a[32], b[32], c[32], d[32], e[32];

    printf("records    %s in %s batches\n", progress_number(v->records, a),
           progress_number(v->batches, b));
    printf("state      %s accounts, %s items, %s edges\n", progress_number(v->accounts, c),
           progress_number(v->items, d), progress_number(v->edges, e));
    printf("state hash ");
    for (size_t i = 0; i < sizeof v->state_hash; i++)
        printf("%02x", v->state_hash[i]);
    printf("\nfindings   %llu\n", (unsigned long long)v->findings);
    if (v->findings == 0)
        printf("both copies of the log, the chain, the store and every count agree\n");
}

static void fill_report(struct report *report, const struct node_verification *v)
{
    report_flag(report, "ok", v->findings == 0);
    report_number(report, "batches", v->batches);
    report_number(report, "records", v->records);
    report_number(report, "accounts", v->accounts);
    report_number(report, "items", v->items);
    report_number(report, "edges", v->edges);
    report_number(report, "operations", v->operations);
    report_bytes(report, "state_hash", v->state_hash, sizeof v->state_hash);
    report_bytes(report, "chain", v->chain, sizeof v->chain);
    report_number(report, "finding_count", v->findings);
}

static int verify(int argc, char **argv)
{
    struct values values = {0};
    struct config config;
    struct progress progress;
    struct node_progress opening = {.argument = &progress, .report = progress_report};
    struct node_verification verification = {0};
    struct findings findings = {0};
    enum status status;
    int code = options_parse(&cli_command_verify, argc, argv, &values, &config, NULL);

    if (code != OPTIONS_GO)
        return code;
    findings.report = values.json ? report_new() : NULL;
    progress_begin(&progress, "verifying", "units", values.quiet);
    status = node_verify(&config, &opening, add_finding, &findings, &verification);
    progress_end(&progress);
    if (status != STATUS_OK && findings.count == 0)
        return command_failed(status, verification.message);
    if (values.json) {
        fill_report(findings.report, &verification);
        report_text(findings.report, "message", verification.message);
        report_print(findings.report, stdout);
    } else {
        print_verification(&verification);
    }
    if (status != STATUS_OK)
        return command_failed(status, verification.message);
    return verification.findings > 0 ? EXIT_FINDINGS : EXIT_DONE;
}

const struct command cli_command_verify = {
    .name = "verify",
    .words = "",
    .summary = "checks a stopped data directory whole, changes nothing",
    .details = "Reads both copies of the log, recomputes the chain, replays it, and compares the\n"
               "store and every count with the replay. Needs no server; exit code 3 if anything\n"
               "is wrong.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .run = verify,
};

/* --- rebuild -----------------------------------------------------------------------------------
 */

static int rebuild(int argc, char **argv)
{
    struct values values = {0};
    struct config config;
    struct progress progress;
    struct node_progress opening = {.argument = &progress, .report = progress_report};
    struct node_report done = {0};
    struct report *report;
    int64_t start_us, spent_us;
    char number[32];
    enum status status;
    int code = options_parse(&cli_command_rebuild, argc, argv, &values, &config, NULL);

    if (code != OPTIONS_GO)
        return code;
    start_us = progress_now_us();
    progress_begin(&progress, "rebuilding", "records", values.quiet);
    status = node_rebuild(&config, &opening, &done);
    progress_end(&progress);
    spent_us = progress_now_us() - start_us;
    if (status != STATUS_OK)
        return command_failed(status, done.message);
    if (!values.json) {
        printf("rebuilt from %s records in %.1f s\n", progress_number(done.records, number),
               (double)spent_us / 1e6);
        return EXIT_DONE;
    }
    report = report_new();
    report_number(report, "records", done.records);
    report_number(report, "replayed", done.replayed);
    report_real(report, "seconds", (double)spent_us / 1e6);
    report_print(report, stdout);
    return EXIT_DONE;
}

const struct command cli_command_rebuild = {
    .name = "rebuild",
    .words = "",
    .summary = "makes the store of a stopped node again from its log",
    .details =
        "The log is the truth and the store an index of it: this drops the index and makes it\n"
        "again. zan serve does so by itself when it finds the store damaged.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .run = rebuild,
};
