/* certificate.c: zan certificate: what the likes of an item were at given moments, by the log. */
#include "node/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/moment.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "node/tree.h"

struct values {
    const char *at, *scratch;
    uint64_t tenant;
    bool json, quiet;
};

#define AT(field) offsetof(struct values, field)

static const struct option_row rows[] = {
    {"at", "TIME,...",
     "further moments, with commas between: 2026-01-31, 2026-01-31T08:00:00Z, or seconds since "
     "1970",
     OPTION_TEXT, AT(at), 0, 0},
    {"tenant", "N", "whose item it is [0]", OPTION_NUMBER, AT(tenant), 0, UINT16_MAX},
    {"scratch", "DIR", "where the store that is thrown away lies meanwhile [TMPDIR, or /tmp]",
     OPTION_TEXT, AT(scratch), 0, 0},
    {"json", NULL, "prints the report as JSON", OPTION_FLAG, AT(json), 0, 0},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, AT(quiet), 0, 0},
};

/* --- what was asked ------------------------------------------------------------------------------
 */

static bool read_moments(const char *at, struct certificate_options *options)
{
    char word[MOMENT_TEXT];

    while (at != NULL) {
        size_t size = strcspn(at, ",");

        snprintf(word, sizeof word, "%.*s", size < sizeof word ? (int)size : 0, at);
        if (!moment_read(word, &options->asked_us[options->asked_count])) {
            fprintf(stderr, "zan: --at: expected " MOMENT_FORMS ", got '%.*s'\n", (int)size, at);
            return false;
        }
        at = at[size] == ',' ? at + size + 1 : NULL;
        if (++options->asked_count == CERTIFICATE_ASKED_MAX && at != NULL) {
            fprintf(stderr, "zan: --at: at most %d moments\n", CERTIFICATE_ASKED_MAX);
            return false;
        }
    }
    return true;
}

static bool read_item(const char *word, uint64_t *item)
{
    char *end;

    errno = 0;
    *item = strtoull(word, &end, 10);
    if (word[0] >= '0' && word[0] <= '9' && *end == '\0' && errno == 0)
        return true;
    fprintf(stderr, "zan: certificate: expected the id of an item, got '%s'\n", word);
    return false;
}

/* --- as text -------------------------------------------------------------------------------------
 */

static const char *const kinds[] = {
    [CERTIFICATE_PUBLISHED] = "published",    [CERTIFICATE_WEEK] = "published + 7 d",
    [CERTIFICATE_MONTH] = "published + 30 d", [CERTIFICATE_ASKED] = "asked for",
    [CERTIFICATE_END] = "end of the log",
};

static const char *hundredths(uint64_t percent, char text[40])
{
    snprintf(text, 40, "%llu.%02u", (unsigned long long)(percent / 100), (unsigned)(percent % 100));
    return text;
}

static void print_reasons(const struct item_row *row)
{
    const char *before = "    because  ";

    for (int i = 1; i < REASON_COUNT; i++) {
        if (row->reasons[i] == 0)
            continue;
        printf("%s%s %u", before, reason_name((enum reason)i), (unsigned)row->reasons[i]);
        before = ", ";
    }
    if (before[0] == ',')
        printf("\n");
}

static void print_row(const struct item_row *row)
{
    char credited[40], views[40];
    uint64_t raw = row->counts[COUNTER_LIKE];

    printf("    likes    raw %llu, valid %llu, credited %s; taken back %llu; peak %llu\n",
           (unsigned long long)raw, (unsigned long long)credit_valid(raw, &row->credit),
           hundredths(row->credit.credited_pct, credited), (unsigned long long)row->taken_back,
           (unsigned long long)row->peak);
    if (row->credit.held + row->credit.quarantined + row->credit.voided > 0)
        printf("    of them  held %llu, quarantined %llu, voided %llu\n",
               (unsigned long long)row->credit.held, (unsigned long long)row->credit.quarantined,
               (unsigned long long)row->credit.voided);
    print_reasons(row);
    printf("    views    raw %llu, credited %s\n", (unsigned long long)row->counts[COUNTER_VIEW],
           hundredths(item_views_pct(row), views));
}

static void print_moment(const struct certificate_moment *moment, const char *end)
{
    char time[MOMENT_TEXT];

    moment_write(moment->at_us, time);
    printf("%s  %s\n", time, kinds[moment->kind]);
    if (!moment->reached) {
        printf("    not reached: the log ends at %s\n\n", end);
        return;
    }
    printf("    sequence %llu, chain ", (unsigned long long)moment->sequence);
    for (size_t i = 0; i < sizeof moment->chain; i++)
        printf("%02x", moment->chain[i]);
    printf("\n");
    if (!moment->there)
        printf("    the item was not known yet\n");
    else
        print_row(&moment->row);
    printf("\n");
}

static void print_text(const struct certificate_options *options,
                       const struct certificate *certificate)
{
    char time[MOMENT_TEXT];

    printf("item %llu, tenant %u, partition %u of %u of log ", (unsigned long long)options->item,
           (unsigned)options->tenant, (unsigned)certificate->partition,
           (unsigned)options->config->partitions);
    for (size_t i = 0; i < sizeof certificate->log_id; i++)
        printf("%02x", certificate->log_id[i]);
    printf("\n");
    if (certificate->damaged > 0)
        printf("one copy of the log is damaged and the other was read; zan verify says where\n");
    if (!certificate->published)
        printf("it was never published, as far as this log goes\n");
    printf("\n");
    moment_write(certificate->last_us, time);
    for (uint32_t i = 0; i < certificate->count; i++)
        print_moment(&certificate->moments[i], time);
    printf("Anybody who has the log comes to the same with this command, and to no other with a\n"
           "log of the same chain. It does not say who the people behind the accounts are.\n");
}

/* --- as JSON -------------------------------------------------------------------------------------
 */

static void report_id(struct report *report, const char *name, uint64_t id)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    report_text(report, name, text);
}

static void report_row(struct report *to, const struct item_row *row)
{
    struct report *likes = report_object(to, "likes"), *reasons = report_object(to, "reasons"),
                  *views = report_object(to, "views");
    char time[MOMENT_TEXT];

    report_text(to, "state", item_state_name((enum item_state)row->state));
    report_number(likes, "raw", row->counts[COUNTER_LIKE]);
    report_number(likes, "valid", credit_valid(row->counts[COUNTER_LIKE], &row->credit));
    report_number(likes, "credited_pct", row->credit.credited_pct);
    report_number(likes, "held", row->credit.held);
    report_number(likes, "quarantined", row->credit.quarantined);
    report_number(likes, "voided", row->credit.voided);
    report_number(likes, "taken_back", row->taken_back);
    report_number(likes, "peak", row->peak);
    moment_write(row->peak_us, time);
    if (row->peak_us != 0)
        report_text(likes, "peak_time", time);
    for (int i = 1; i < REASON_COUNT; i++)
        if (row->reasons[i] > 0)
            report_number(reasons, reason_name((enum reason)i), row->reasons[i]);
    report_number(views, "raw", row->counts[COUNTER_VIEW]);
    report_number(views, "credited_pct", item_views_pct(row));
}

static void report_moment(struct report *to, const struct certificate_moment *moment)
{
    static const char *const names[] = {
        [CERTIFICATE_PUBLISHED] = "published",
        [CERTIFICATE_WEEK] = "7d",
        [CERTIFICATE_MONTH] = "30d",
        [CERTIFICATE_ASKED] = "asked",
        [CERTIFICATE_END] = "end",
    };
    char time[MOMENT_TEXT];

    moment_write(moment->at_us, time);
    report_text(to, "moment", names[moment->kind]);
    report_text(to, "time", time);
    report_number(to, "time_us", (uint64_t)moment->at_us);
    report_flag(to, "reached", moment->reached);
    if (!moment->reached)
        return;
    report_id(to, "sequence", moment->sequence);
    report_bytes(to, "chain", moment->chain, sizeof moment->chain);
    report_flag(to, "known", moment->there);
    if (moment->there)
        report_row(to, &moment->row);
}

static void print_json(const struct certificate_options *options,
                       const struct certificate *certificate)
{
    struct report *report = report_new();

    report_id(report, "item", options->item);
    report_number(report, "tenant", options->tenant);
    report_number(report, "partition", certificate->partition);
    report_number(report, "partitions", options->config->partitions);
    report_bytes(report, "log_id", certificate->log_id, sizeof certificate->log_id);
    report_id(report, "records", certificate->records);
    report_number(report, "damaged", certificate->damaged);
    report_flag(report, "published", certificate->published);
    for (uint32_t i = 0; i < certificate->count; i++)
        report_moment(report_element(report, "moments"), &certificate->moments[i]);
    report_print(report, stdout);
}

/* --- the command ---------------------------------------------------------------------------------
 */

static int run(const struct certificate_options *options, const struct values *values)
{
    struct certificate *certificate = calloc(1, sizeof *certificate);
    struct progress progress;
    struct node_progress told = {.argument = &progress, .report = progress_report};
    enum status status;
    int code = EXIT_DONE;

    if (certificate == NULL)
        return command_failed(STATUS_NOMEMORY, status_info(STATUS_NOMEMORY)->text);
    progress_begin(&progress, "replaying the log", "records", values->quiet);
    status = certificate_make(options, &told, certificate);
    progress_end(&progress);
    if (status != STATUS_OK)
        code = command_failed(status, certificate->message);
    else if (values->json)
        print_json(options, certificate);
    else
        print_text(options, certificate);
    free(certificate);
    return code;
}

static int certificate(int argc, char **argv)
{
    struct values values = {0};
    struct config config;
    struct options_words words;
    struct certificate_options options = {.config = &config};
    const char *root = getenv("TMPDIR");
    char scratch[300];
    int code = options_parse(&cli_command_certificate, argc, argv, &values, &config, &words);

    if (code != OPTIONS_GO)
        return code;
    if (!read_item(words.word[0], &options.item) || !read_moments(values.at, &options))
        return EXIT_USAGE;
    options.tenant = (uint16_t)values.tenant;
    if (values.scratch != NULL)
        root = values.scratch;
    snprintf(scratch, sizeof scratch, "%.200s/zan-certificate-XXXXXX",
             root != NULL ? root : "/tmp");
    if (mkdtemp(scratch) == NULL) {
        fprintf(stderr, "zan: %s: %s\n", scratch, strerror(errno));
        return EXIT_DISK;
    }
    options.scratch = scratch;
    code = run(&options, &values);
    tree_remove(scratch);
    return code;
}

const struct command cli_command_certificate = {
    .name = "certificate",
    .words = "ITEM",
    .summary = "tells an item's likes at given moments, as anybody with the log can check",
    .details =
        "Replays the log of a stopped node, which is only read: raw, valid and credited likes,\n"
        "those taken back, views, reasons and peak when the item was published, 7 and 30 days\n"
        "later, at any moment of --at, and at the end; each with the number of the last record\n"
        "and the log's chain hash there. It tells what the ledger says, and enforces nothing.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .words_min = 1,
    .words_max = 1,
    .run = certificate,
};
