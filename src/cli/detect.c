/* detect.c: zan detect: rings of accounts whose likes were bought, in a file or in a node's log. */
#include "readers/detect/detect.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/edges.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "node/likes.h"

#define TOLD_MEMBERS 8 /* of a group, in the text; --json and --tsv tell all */
#define TIME_TEXT    32

struct values {
    const char *edges, *users, *items;
    uint64_t tenant;
    bool json, tsv, quiet;
};

#define AT(field) offsetof(struct values, field), 0, 0

static const struct option_row rows[] = {
    {"edges", "FILE",
     "likes, a line each: account, item, seconds (may be missing); - is standard input [the log of "
     "--data]",
     OPTION_TEXT, AT(edges)},
    {"users", "FILE", "writes each account and its score: log odds of being in a group",
     OPTION_TEXT, AT(users)},
    {"items", "FILE", "the same of items", OPTION_TEXT, AT(items)},
    {"tenant", "N", "whose likes, of a log [0]", OPTION_NUMBER, offsetof(struct values, tenant), 0,
     UINT16_MAX},
    {"json", NULL, "prints JSON, with all members and places", OPTION_FLAG, AT(json)},
    {"tsv", NULL, "prints a line for each member and place of each group", OPTION_FLAG, AT(tsv)},
    {"quiet", NULL, "no progress bar", OPTION_FLAG, AT(quiet)},
};

static const char *const kind_names[DETECT_KIND_COUNT] = {
    [DETECT_BURSTS] = "bursts", [DETECT_ITEMS] = "items", [DETECT_NEWCOMERS] = "newcomers"};

struct task {
    const struct values *values;
    const struct config *config;
    struct progress progress;
    struct edges edges;
    struct graph graph;
    struct detect detect;
};

/* --- reading -------------------------------------------------------------------------------------
 */

struct log_reading {
    struct edges *edges;
    struct ids erased;
};

static enum status liked(void *with, uint64_t account, uint64_t item, int64_t time_us)
{
    struct log_reading *reading = with;
    int64_t time_s = time_us / 1000000;

    if (time_s < 0)
        time_s = 0;
    return edges_add(reading->edges, account, item,
                     time_s > UINT32_MAX ? UINT32_MAX : (uint32_t)time_s);
}

static enum status erased(void *with, uint64_t account)
{
    struct log_reading *reading = with;
    uint32_t number;

    return ids_number(&reading->erased, account, &number);
}

/* Likes of accounts that were erased go. The accounts stay as names of nobody, without a like. */
static enum status drop_erased(struct log_reading *reading)
{
    struct edges *edges = reading->edges;
    uint8_t *out = calloc((size_t)edges->account.count + reading->erased.count, 1);
    uint64_t kept = 0;

    if (out == NULL)
        return STATUS_NOMEMORY;
    for (uint32_t i = 0; i < reading->erased.count; i++) {
        uint32_t number;
        enum status status = ids_number(&edges->account, reading->erased.id[i], &number);

        if (status != STATUS_OK) {
            free(out);
            return status;
        }
        out[number] = 1;
    }
    for (uint64_t i = 0; i < edges->count; i++)
        if (out[edges->like[i].account] == 0)
            edges->like[kept++] = edges->like[i];
    edges->count = kept;
    free(out);
    return STATUS_OK;
}

static int read_log(struct task *task)
{
    struct log_reading reading = {.edges = &task->edges};
    const struct node_progress progress = {&task->progress, progress_report};
    const struct likes_told told = {&reading, liked, erased};
    char message[EDGES_MESSAGE];
    enum status status =
        likes_read(task->config, (uint16_t)task->values->tenant, &progress, &told, message);

    if (status == STATUS_OK && reading.erased.count > 0) {
        snprintf(message, sizeof message, "memory ran out");
        status = drop_erased(&reading);
    }
    ids_free(&reading.erased);
    return status == STATUS_OK ? OPTIONS_GO : command_failed(status, message);
}

static int read_likes(struct task *task)
{
    char message[EDGES_MESSAGE];
    int code = OPTIONS_GO;

    if (task->values->edges != NULL) {
        enum status status =
            edges_read(task->values->edges, &task->progress, &task->edges, message);

        if (status != STATUS_OK)
            code = command_failed(status, message);
    } else {
        code = read_log(task);
    }
    if (code == OPTIONS_GO && task->edges.count == 0) {
        fprintf(stderr, "zan: detect: there are no likes to look at\n");
        code = EXIT_FAILED;
    }
    return code;
}

/* --- telling -------------------------------------------------------------------------------------
 */

static const char *time_text(const struct task *task, uint32_t time_s, char text[TIME_TEXT])
{
    time_t time = (time_t)time_s;
    struct tm parts;

    if (!task->graph.timed || gmtime_r(&time, &parts) == NULL ||
        strftime(text, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(text, TIME_TEXT, "-");
    return text;
}

/* Such groups to be expected by chance: ten to the power of this, at most. */
static double chance_log10(const struct detect_group *group)
{
    return (group->cost - group->evidence) / log(10);
}

static void print_group(const struct task *task, uint32_t index)
{
    const struct detect_group *group = &task->detect.group[index];
    char from[TIME_TEXT], to[TIME_TEXT];

    printf("\ngroup %" PRIu32 " (%s): %" PRIu32 " accounts, %" PRIu32 " %s, %" PRIu64
           " likes where chance explains %.1f; by chance at most 1e%.0f such groups\n",
           index + 1, kind_names[group->kind], group->members, group->places,
           group->kind == DETECT_BURSTS ? "bursts" : "items", group->likes, group->expected,
           chance_log10(group));
    printf("  accounts  ");
    for (uint32_t i = 0; i < group->members && i < TOLD_MEMBERS; i++)
        printf(" %" PRIu64, task->edges.account.id[group->member[i].account]);
    printf(group->members > TOLD_MEMBERS ? " ...\n" : "\n");
    for (uint32_t i = 0; i < group->places && i < TOLD_MEMBERS; i++) {
        const struct detect_place *place = &group->place[i];

        printf("  item %" PRIu64 "  %" PRIu32 " likes, %s to %s\n",
               task->edges.item.id[place->item], place->likes,
               time_text(task, place->first_s, from), time_text(task, place->last_s, to));
    }
    if (group->places > TOLD_MEMBERS)
        printf("  ... (--json tells all)\n");
}

static void print_text(const struct task *task)
{
    char likes[32], accounts[32], items[32];

    printf("%s likes of %s items by %s accounts", progress_number(task->graph.likes, likes),
           progress_number(task->graph.items, items),
           progress_number(task->graph.accounts, accounts));
    if (task->graph.repeated > 0)
        printf(" (%" PRIu32 " said again)", task->graph.repeated);
    printf(task->graph.timed ? "\n" : ", without times\n");
    printf(task->detect.groups == 0 ? "no group\n"
                                    : "%" PRIu32
                                      " groups (evidence class E0: what they liked may be "
                                      "worth less; it says nothing about creators)\n",
           task->detect.groups);
    if (task->detect.communities > 0)
        printf("%" PRIu32 " communities were left alone: dense, but shared unevenly\n",
               task->detect.communities);
    for (uint32_t i = 0; i < task->detect.groups; i++)
        print_group(task, i);
}

static void print_tsv(const struct task *task)
{
    printf("group\tkind\twhat\tid\tlikes\todds\tfirst_s\tlast_s\n");
    for (uint32_t g = 0; g < task->detect.groups; g++) {
        const struct detect_group *group = &task->detect.group[g];

        for (uint32_t i = 0; i < group->members; i++)
            printf("%" PRIu32 "\t%s\taccount\t%" PRIu64 "\t%" PRIu32 "\t%.3f\t\t\n", g + 1,
                   kind_names[group->kind], task->edges.account.id[group->member[i].account],
                   group->member[i].likes, (double)group->member[i].odds);
        for (uint32_t i = 0; i < group->places; i++)
            printf("%" PRIu32 "\t%s\titem\t%" PRIu64 "\t%" PRIu32 "\t%.3f\t%" PRIu32 "\t%" PRIu32
                   "\n",
                   g + 1, kind_names[group->kind], task->edges.item.id[group->place[i].item],
                   group->place[i].likes, (double)group->place[i].odds, group->place[i].first_s,
                   group->place[i].last_s);
    }
}

static void report_id(struct report *to, const char *name, uint64_t id)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRIu64, id);
    report_text(to, name, text);
}

static void report_group(struct report *to, const struct task *task,
                         const struct detect_group *group)
{
    report_text(to, "kind", kind_names[group->kind]);
    report_text(to, "class", "E0");
    report_number(to, "likes", group->likes);
    report_real(to, "likes_by_chance", group->expected);
    report_real(to, "evidence_nats", group->evidence);
    report_real(to, "cost_nats", group->cost);
    report_real(to, "groups_by_chance_log10", chance_log10(group));
    report_real(to, "uneven", group->uneven);
    for (uint32_t i = 0; i < group->members; i++) {
        struct report *member = report_element(to, "accounts");

        report_id(member, "account", task->edges.account.id[group->member[i].account]);
        report_number(member, "likes", group->member[i].likes);
        report_real(member, "odds_nats", (double)group->member[i].odds);
    }
    for (uint32_t i = 0; i < group->places; i++) {
        struct report *place = report_element(to, "items");

        report_id(place, "item", task->edges.item.id[group->place[i].item]);
        report_number(place, "likes", group->place[i].likes);
        report_real(place, "odds_nats", (double)group->place[i].odds);
        report_number(place, "first_s", group->place[i].first_s);
        report_number(place, "last_s", group->place[i].last_s);
    }
}

static void print_json(const struct task *task)
{
    struct report *report = report_new();

    report_number(report, "likes", task->graph.likes);
    report_number(report, "said_again", task->graph.repeated);
    report_number(report, "accounts", task->graph.accounts);
    report_number(report, "items", task->graph.items);
    report_flag(report, "timed", task->graph.timed);
    report_number(report, "group_count", task->detect.groups);
    report_number(report, "communities", task->detect.communities);
    for (uint32_t i = 0; i < task->detect.groups; i++)
        report_group(report_element(report, "groups"), task, &task->detect.group[i]);
    report_print(report, stdout);
}

/* --- scores --------------------------------------------------------------------------------------
 */

static int write_scores(const char *path, const struct ids *ids, const float *score, uint32_t count)
{
    FILE *file = fopen(path, "w");
    bool good = file != NULL;

    if (file != NULL) {
        for (uint32_t i = 0; i < count && good; i++)
            good = fprintf(file, "%" PRIu64 "\t%.6g\n", ids->id[i], (double)score[i]) > 0;
        good = fclose(file) == 0 && good;
    }
    if (good)
        return OPTIONS_GO;
    fprintf(stderr, "zan: detect: %s: %s\n", path, strerror(errno));
    return EXIT_DISK;
}

static int tell(struct task *task)
{
    const struct values *values = task->values;
    int code = OPTIONS_GO;

    if (values->users != NULL)
        code = write_scores(values->users, &task->edges.account, task->detect.account_score,
                            task->graph.accounts);
    if (code == OPTIONS_GO && values->items != NULL)
        code = write_scores(values->items, &task->edges.item, task->detect.item_score,
                            task->graph.items);
    if (code != OPTIONS_GO)
        return code;
    if (values->json)
        print_json(task);
    else if (values->tsv)
        print_tsv(task);
    else
        print_text(task);
    return EXIT_DONE;
}

static int look(struct task *task)
{
    const struct detect_progress progress = {progress_report, &task->progress};
    struct graph_like *likes = task->edges.like;
    enum status status;

    task->edges.like = NULL; /* graph_make takes it */
    status = graph_make(likes, task->edges.count, task->edges.account.count, task->edges.item.count,
                        &task->graph);
    if (status == STATUS_OK)
        status = detect_run(&task->graph, &progress, &task->detect);
    progress_end(&task->progress);
    if (status != STATUS_OK)
        return command_failed(status, "memory ran out");
    return tell(task);
}

static int detect(int argc, char **argv)
{
    struct values values = {0};
    struct config config;
    struct task task = {.values = &values, .config = &config};
    int code = options_parse(&cli_command_detect, argc, argv, &values, &config, NULL);

    if (code != OPTIONS_GO)
        return code;
    progress_begin(&task.progress, "reading", "likes", values.quiet);
    code = read_likes(&task);
    if (code == OPTIONS_GO)
        code = look(&task);
    progress_end(&task.progress);
    detect_free(&task.detect);
    graph_free(&task.graph);
    edges_free(&task.edges);
    return code;
}

const struct command cli_command_detect = {
    .name = "detect",
    .words = "",
    .summary = "finds accounts whose likes look bought, in a file or a node's log",
    .details =
        "  zan detect --edges FILE          a line a like: account, item, seconds\n"
        "  zan detect --data DIR            the log of a node, which may run meanwhile\n"
        "\n"
        "Tells groups: accounts that like the same items far more often than chance explains, with "
        "when\n"
        "and where, and how improbable it is. A group is a reason to look, and to let those likes "
        "count\n"
        "less; it says nothing about creators. docs/detect.md tells the method and its limits.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .run = detect,
};
