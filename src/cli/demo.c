/* demo.c: zan demo: a node in this process, a real log through its front door, live counters. */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/board.h"
#include "cli/command.h"
#include "cli/data_set.h"
#include "cli/import.h"
#include "cli/options.h"
#include "cli/running.h"
#include "cli/secret.h"

/* Two weeks of the log in about 20 seconds: long enough to watch, short enough to wait for. */
#define SPEED 60000.0

struct values {
    const char *data, *data_set;
    double speed;
    bool once, json, quiet;
};

#define AT(field) offsetof(struct values, field), 0, 0

static const struct option_row rows[] = {
    {"data", "DIR", "keeps the data there [a new directory, removed at the end]", OPTION_TEXT,
     AT(data)},
    {"data-set", "DIR", "the log to play, in the form of zan import --format kuairand", OPTION_TEXT,
     AT(data_set)},
    {"speed", "X", "times the log's own pace [60000: two weeks in 20 s]", OPTION_RATE, AT(speed)},
    {"once", NULL, "ends when the log has been played, with the numbers as plain text", OPTION_FLAG,
     AT(once)},
    {"json", NULL, "with --once: the numbers of the import as JSON", OPTION_FLAG, AT(json)},
    {"quiet", NULL, "draws nothing while it plays", OPTION_FLAG, AT(quiet)},
};

struct demo {
    struct running running;
    struct board *board;
};

static void answered(void *argument, const struct history_command *command, bool applied)
{
    struct demo *demo = argument;

    if (command->verb == VERB_LIKE && applied)
        board_like(demo->board, command->target);
}

static bool turn(void *argument, const struct import_result *result)
{
    struct demo *demo = argument;

    board_draw(demo->board, result, false);
    return !running_stopping(&demo->running);
}

/* --- directories --------------------------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static bool make_temporary(char data[CONFIG_TEXT])
{
    const char *root = getenv("TMPDIR");

    snprintf(data, CONFIG_TEXT, "%.200s/zan-demo-XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(data) != NULL)
        return true;
    fprintf(stderr, "zan: %s: %s\n", data, strerror(errno));
    return false;
}

/* --- the run ------------------------------------------------------------------------------------
 */

static void keep_serving(struct demo *demo, const struct import_result *result)
{
    struct timespec pause = {.tv_nsec = 200000000};

    while (!running_stopping(&demo->running)) {
        board_draw(demo->board, result, true);
        nanosleep(&pause, NULL);
    }
}

static void tell_what_to_try(const struct demo *demo, const char *data_set)
{
    const char *port = strrchr(demo->running.resp, ':') + 1;

    printf("The log has been played; the node keeps serving. Try, in another terminal:\n"
           "  redis-cli -p %s COUNTS 5239\n"
           "  redis-cli -p %s -3 TOP tag OF 39 COUNT 5\n"
           "  redis-cli -p %s -3 FEED 7 COUNT 5\n"
           "  zan import --format kuairand --to %s %s    (changes nothing: same operations)\n\n",
           port, port, port, demo->running.resp, data_set);
    fflush(stdout);
}

static enum status play(struct demo *demo, const struct values *values, const char *data_set,
                        char message[CLIENT_MESSAGE])
{
    struct import_watch watch = {.argument = demo, .answered = answered, .turn = turn};
    struct import_options options = {.format = "kuairand",
                                     .path = data_set,
                                     .to = demo->running.resp,
                                     .speed = values->speed,
                                     .retry_seconds = 5};
    struct import_result result;
    char key[SECRET_BYTES];
    enum status status;

    if (!secret_read(NULL, key))
        return STATUS_BADCONFIG;
    options.key = key[0] != '\0' ? key : NULL;
    demo->board = board_open(demo->running.resp, demo->running.http, NULL, options.key,
                             values->quiet || values->json);
    if (demo->board == NULL)
        return STATUS_UNKNOWN;
    status = import_run(&options, &watch, &result, message);
    if (values->once && values->json)
        import_print(&result, true, status, message);
    else if (values->once && status == STATUS_OK)
        board_print(demo->board, &result);
    else if (status == STATUS_OK && !running_stopping(&demo->running)) {
        board_clear(demo->board);
        tell_what_to_try(demo, data_set);
        keep_serving(demo, &result);
    }
    board_close(demo->board);
    return status;
}

static int run_node(const struct values *values, const struct config *config, const char *data_set)
{
    struct demo demo = {0};
    char message[CONFIG_MESSAGE] = "";
    struct config open = *config;
    enum status status, played;

    /* It reads its log and calls its own door while the node runs. */
    snprintf(open.sandbox, sizeof open.sandbox, "off");
    status = running_start(&demo.running, &open, values->quiet, true);
    if (status != STATUS_OK)
        return (int)exit_code_of(status);
    if (!values->quiet && !values->json) {
        running_banner(&demo.running, stdout);
        printf("\n");
    }
    played = play(&demo, values, data_set, message);
    if (played != STATUS_OK)
        fprintf(stderr, "zan: %s\n", message);
    running_stop(&demo.running);
    status = running_wait(&demo.running, message);
    if (status != STATUS_OK)
        fprintf(stderr, "zan: stopped: %s\n", message);
    else if (!values->quiet && !values->json)
        printf("\nstopped; everything acknowledged is durable\n");
    running_end(&demo.running);
    return (int)exit_code_of(status != STATUS_OK ? status : played);
}

static int demo(int argc, char **argv)
{
    struct values values = {.speed = SPEED};
    struct config config;
    char data_set[PATH_MAX];
    int code = options_parse(&cli_command_demo, argc, argv, &values, &config, NULL);

    if (code != OPTIONS_GO)
        return code;
    if (!data_set_find(values.data_set, data_set))
        return EXIT_USAGE;
    if (values.data != NULL && strlen(values.data) >= sizeof config.data) {
        fprintf(stderr, "zan: --data: the path is too long\n");
        return EXIT_USAGE;
    }
    if (values.data != NULL)
        snprintf(config.data, sizeof config.data, "%s", values.data);
    else if (!make_temporary(config.data))
        return EXIT_FAILED;
    code = run_node(&values, &config, data_set);
    if (values.data == NULL)
        nftw(config.data, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}

const struct command cli_command_demo = {
    .name = "demo",
    .words = "",
    .summary = "a node, a real log of reactions through its front door, live counters",
    .details =
        "Starts a node as zan serve does, plays two weeks of a real short-video log into it\n"
        "over a socket as zan import does, shows the counters as any client would read them,\n"
        "and then keeps serving until Ctrl-C.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TAKEN,
    .run = demo,
};
