/* backtest.c: zan backtest: the log that is there, under other rules. */
#include "node/backtest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/moment.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "node/tree.h"

struct values {
    const char *from, *language, *scratch;
    uint64_t samples, top;
    bool imported, json, quiet;
};

#define AT(field) offsetof(struct values, field)

static const struct option_row rows[] = {
    {"from", "TIME",
     "judges acts from then on, and learns from those before: 2026-01-31, "
     "2026-01-31T08:00:00Z, or seconds since 1970",
     OPTION_TEXT, AT(from), 0, 0},
    {"imported", NULL, "judges imports too, by the times they tell", OPTION_FLAG, AT(imported), 0,
     0},
    {"samples", "N", "examples of each rule, of different accounts [3]", OPTION_NUMBER, AT(samples),
     0, BACKTEST_SAMPLES_MAX},
    {"top", "N", "items by credited likes whose ranks are shown [10]", OPTION_NUMBER, AT(top), 0,
     BACKTEST_TOP_MAX},
    {"language", "en|zh", "of the sentences that explain [en]", OPTION_TEXT, AT(language), 0, 0},
    {"scratch", "DIR", "where the store that is thrown away lies meanwhile [TMPDIR, or /tmp]",
     OPTION_TEXT, AT(scratch), 0, 0},
    {"json", NULL, "prints the report as JSON", OPTION_FLAG, AT(json), 0, 0},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, AT(quiet), 0, 0},
};

/* --- as text -------------------------------------------------------------------------------------
 */

static void print_acts(const struct backtest *result)
{
    char a[32], b[32];

    printf("records    %s, of them %s acts\n", progress_number(result->records, a),
           progress_number(result->acts, b));
    printf("judged     %s", progress_number(result->judged, a));
    printf(" (%s were undone in time)\n", progress_number(result->exempt, a));
    if (result->imports > 0)
        printf("           %s imports were passed over; --imported judges them\n",
               progress_number(result->imports, a));
    if (result->earlier > 0)
        printf("           %s were before --from, and only learnt from\n",
               progress_number(result->earlier, a));
    if (result->moot > 0)
        printf("           %s would have changed nothing any more\n",
               progress_number(result->moot, a));
    if (result->late > 0)
        printf(
            "           %s imports tell an earlier time than the one before; judged as of that\n",
            progress_number(result->late, a));
    printf("accounts   %s would be hit that were not\n\n",
           progress_number(result->accounts_hit, a));
}

static void print_matrix(const struct backtest *result)
{
    char number[32];

    printf("as recorded, and as it would be\n%-12s", "");
    for (int to = 0; to < BACKTEST_OUTCOMES; to++)
        printf(" %12s", backtest_outcome_name((enum backtest_outcome)to));
    printf("\n");
    for (int from = 0; from < BACKTEST_OUTCOMES; from++) {
        printf("%-12s", backtest_outcome_name((enum backtest_outcome)from));
        for (int to = 0; to < BACKTEST_OUTCOMES; to++)
            printf(" %12s", progress_number(result->recorded[from][to], number));
        printf("\n");
    }
    printf("What was refused stands in the log only if it had an operation id.\n\n");
}

static void print_sample(const struct backtest_sample *sample)
{
    char time[32];

    moment_write(sample->time_us, time);
    printf("    %s  account %llu, %s %llu\n        %s\n", time, (unsigned long long)sample->account,
           verb_info((enum verb)sample->verb)->name, (unsigned long long)sample->target,
           sample->text);
}

static void print_rules(const struct backtest *result)
{
    const struct policy *policy = result->policy;

    if (policy == NULL) {
        printf("no rules\n\n");
        return;
    }
    printf("policy %s version %u\n", policy->name, (unsigned)policy->version);
    printf("%-24s %9s %9s %9s %9s %9s %9s %9s %9s\n", "rule", "fired", "accounts", "refused",
           "later", "held", "cut", "reviews", "points");
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct backtest_rule *rule = &result->rules[i];

        printf("%-24s %9llu %9llu %9llu %9llu %9llu %9llu %9llu %9llu%s\n", policy->rules[i].name,
               (unsigned long long)rule->fired, (unsigned long long)rule->accounts,
               (unsigned long long)rule->refused, (unsigned long long)rule->restricted,
               (unsigned long long)rule->held, (unsigned long long)rule->cut,
               (unsigned long long)rule->reviews, (unsigned long long)rule->points,
               policy->rules[i].shadow ? "  shadow: nothing of it" : "");
        for (uint32_t s = 0; s < rule->sample_count; s++)
            print_sample(&rule->samples[s]);
    }
    printf("later: refused while a restriction by the rule lasted\n\n");
}

static const char *hundredths(uint64_t percent, char text[40])
{
    snprintf(text, 40, "%llu.%02u", (unsigned long long)(percent / 100), (unsigned)(percent % 100));
    return text;
}

static void print_items(const struct backtest *result)
{
    const struct backtest_item *total = &result->total;
    char a[40], b[40];

    for (uint32_t i = 1; i < REASON_COUNT; i++)
        if (result->scored[i] > 0)
            printf("%-12s %12llu acts would not count in full\n", reason_name((enum reason)i),
                   (unsigned long long)result->scored[i]);
    printf("likes        %12s %12s\n", "as it is", "would be");
    printf("raw          %12llu %12llu\n", (unsigned long long)total->raw,
           (unsigned long long)total->would_raw);
    printf("valid        %12llu %12llu\n", (unsigned long long)total->valid,
           (unsigned long long)total->would_valid);
    printf("credited     %12s %12s\n", hundredths(total->credited_pct, a),
           hundredths(total->would_credited_pct, b));
    printf("items        %12llu %12llu of them changed\n\n", (unsigned long long)result->items,
           (unsigned long long)result->items_changed);
    if (result->top_count > 0)
        printf("%6s %6s %20s %12s %12s\n", "rank", "was", "item", "credited", "was");
    for (uint32_t i = 0; i < result->top_count; i++) {
        const struct backtest_item *item = &result->top[i];

        printf("%6llu %6llu %20llu %12s %12s\n", (unsigned long long)item->would_rank,
               (unsigned long long)item->rank, (unsigned long long)item->id,
               hundredths(item->would_credited_pct, a), hundredths(item->credited_pct, b));
    }
}

/* --- as JSON -------------------------------------------------------------------------------------
 */

static void report_id(struct report *report, const char *name, uint64_t id)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    report_text(report, name, text);
}

static void report_rule(struct report *to, const struct policy_rule *of,
                        const struct backtest_rule *rule)
{
    char time[32];

    report_text(to, "rule", of->name);
    report_flag(to, "shadow", of->shadow);
    report_number(to, "fired", rule->fired);
    report_number(to, "accounts", rule->accounts);
    report_number(to, "items", rule->items);
    report_number(to, "refused", rule->refused);
    report_number(to, "refused_later", rule->restricted);
    report_number(to, "held", rule->held);
    report_number(to, "cut", rule->cut);
    report_number(to, "reviews", rule->reviews);
    report_number(to, "alerts", rule->alerts);
    report_number(to, "confirms", rule->confirms);
    report_number(to, "points", rule->points);
    for (uint32_t i = 0; i < rule->sample_count; i++) {
        struct report *sample = report_element(to, "samples");

        moment_write(rule->samples[i].time_us, time);
        report_text(sample, "time", time);
        report_number(sample, "tenant", rule->samples[i].tenant);
        report_id(sample, "account", rule->samples[i].account);
        report_text(sample, "verb", verb_info((enum verb)rule->samples[i].verb)->name);
        report_id(sample, "target", rule->samples[i].target);
        report_text(sample, "text", rule->samples[i].text);
    }
}

static void report_likes(struct report *report, const struct backtest_item *item)
{
    struct report *is = report_object(report, "is"), *would = report_object(report, "would_be");

    report_number(is, "raw", item->raw);
    report_number(is, "valid", item->valid);
    report_number(is, "credited_pct", item->credited_pct);
    report_number(would, "raw", item->would_raw);
    report_number(would, "valid", item->would_valid);
    report_number(would, "credited_pct", item->would_credited_pct);
}

static void report_top(struct report *report, const struct backtest *result)
{
    for (uint32_t i = 0; i < result->top_count; i++) {
        struct report *item = report_element(report, "top");

        report_number(item, "tenant", result->top[i].tenant);
        report_id(item, "item", result->top[i].id);
        report_number(item, "rank", result->top[i].rank);
        report_number(item, "would_rank", result->top[i].would_rank);
        report_likes(item, &result->top[i]);
    }
}

static void report_matrix(struct report *report, const struct backtest *result)
{
    for (int from = 0; from < BACKTEST_OUTCOMES; from++) {
        struct report *row =
            report_object(report, backtest_outcome_name((enum backtest_outcome)from));

        for (int to = 0; to < BACKTEST_OUTCOMES; to++)
            report_number(row, backtest_outcome_name((enum backtest_outcome)to),
                          result->recorded[from][to]);
    }
}

static void print_json(const struct backtest *result)
{
    struct report *report = report_new(), *reasons;

    report_text(report, "policy", result->policy != NULL ? result->policy->name : "none");
    report_number(report, "policy_version", result->policy != NULL ? result->policy->version : 0);
    report_number(report, "records", result->records);
    report_number(report, "acts", result->acts);
    report_number(report, "judged", result->judged);
    report_number(report, "exempt", result->exempt);
    report_number(report, "imports_passed_over", result->imports);
    report_number(report, "earlier", result->earlier);
    report_number(report, "moot", result->moot);
    report_number(report, "late", result->late);
    report_number(report, "settled", result->settled);
    report_number(report, "accounts_hit", result->accounts_hit);
    report_matrix(report_object(report, "recorded"), result);
    for (uint32_t i = 0; result->policy != NULL && i < result->policy->rule_count; i++)
        report_rule(report_element(report, "rules"), &result->policy->rules[i], &result->rules[i]);
    reasons = report_object(report, "reasons");
    for (uint32_t i = 1; i < REASON_COUNT; i++)
        if (result->scored[i] > 0)
            report_number(reasons, reason_name((enum reason)i), result->scored[i]);
    report_number(report, "items", result->items);
    report_number(report, "items_changed", result->items_changed);
    report_likes(report_object(report, "likes"), &result->total);
    report_top(report, result);
    report_print(report, stdout);
}

/* --- the command ---------------------------------------------------------------------------------
 */

static int run(const struct backtest_options *options, const struct values *values)
{
    struct backtest *result = calloc(1, sizeof *result); /* too large for a stack */
    struct progress progress;
    struct node_progress told = {.argument = &progress, .report = progress_report};
    enum status status;
    int code = EXIT_DONE;

    if (result == NULL)
        return command_failed(STATUS_NOMEMORY, status_info(STATUS_NOMEMORY)->text);
    progress_begin(&progress, "back-testing", "records", values->quiet);
    status = backtest_run(options, &told, result);
    progress_end(&progress);
    if (status != STATUS_OK) {
        code = command_failed(status, result->message);
    } else if (values->json) {
        print_json(result);
    } else {
        print_acts(result);
        print_rules(result);
        print_matrix(result);
        print_items(result);
    }
    backtest_free(result);
    free(result);
    return code;
}

static int backtest(int argc, char **argv)
{
    struct values values = {.language = "en", .samples = 3, .top = 10};
    struct config config;
    struct backtest_options options = {.config = &config};
    const char *root = getenv("TMPDIR");
    char scratch[300];
    int code = options_parse(&cli_command_backtest, argc, argv, &values, &config, NULL);

    if (code != OPTIONS_GO)
        return code;
    if (values.from != NULL && !moment_read(values.from, &options.from_us)) {
        fprintf(stderr, "zan: --from: expected " MOMENT_FORMS ", got '%s'\n", values.from);
        return EXIT_USAGE;
    }
    if (values.scratch != NULL)
        root = values.scratch;
    snprintf(scratch, sizeof scratch, "%.200s/zan-backtest-XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(scratch) == NULL) {
        fprintf(stderr, "zan: %s: %s\n", scratch, strerror(errno));
        return EXIT_DISK;
    }
    options.scratch = scratch;
    options.imported = values.imported;
    options.samples = (uint32_t)values.samples;
    options.top = (uint32_t)values.top;
    options.language = strcmp(values.language, "zh") == 0 ? POLICY_CHINESE : POLICY_ENGLISH;
    code = run(&options, &values);
    tree_remove(scratch);
    return code;
}

const struct command cli_command_backtest = {
    .name = "backtest",
    .words = "",
    .summary = "shows what other rules would have made of the log",
    .details =
        "Replays the log of a stopped node and judges every act again, by --policy NAME|FILE and\n"
        "--trust on|off: whom it would hit, what each rule would do, which likes, counts and\n"
        "ranks would change. The data directory is only read.\n"
        "\n"
        "Not seen again: what the rules in force refused then, unless it had an operation id, and\n"
        "what people would have done otherwise, had they been answered otherwise. A rule that\n"
        "asks for confirmation is taken to be confirmed.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .run = backtest,
};
