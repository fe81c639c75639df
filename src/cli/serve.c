/* serve.c: zan serve: opens a node, tells what it found, waits for the end.
 *
 * running.h has the node and the signals; this file only says how it begins and ends. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/running.h"
#include "node/node.h"

struct values {
    bool quiet;
};

static const struct option_row rows[] = {
    {"quiet", NULL, "prints nothing but warnings and failures", OPTION_FLAG,
     offsetof(struct values, quiet), 0, 0},
};

const struct command cli_command_serve = {
    .name = "serve",
    .words = "",
    .summary = "runs a node until SIGTERM or Ctrl-C",
    .details = "Listens for RESP (any Redis client) and HTTP on this machine. To be reachable from "
               "others\n"
               "it needs credentials: zan key NAME ROLE >> FILE, then --credentials FILE.",
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .settings = SETTINGS_TOLD,
    .run = cli_serve,
};

int cli_serve(int argc, char **argv)
{
    struct values values = {0};
    struct config config;
    struct running running;
    char message[CONFIG_MESSAGE];
    enum status status;
    int code = options_parse(&cli_command_serve, argc, argv, &values, &config, NULL);

    if (code != OPTIONS_GO)
        return code;
    if ((status = running_start(&running, &config, values.quiet, true)) != STATUS_OK)
        return (int)exit_code_of(status);
    if (!values.quiet)
        running_banner(&running, stdout);
    running_notify(&running, "READY=1");
#ifdef ZAN_HOOKS
    sandbox_try_forbidden();
#endif
    status = running_wait(&running, message);
    running_notify(&running, "STOPPING=1");
    if (status != STATUS_OK)
        fprintf(stderr, "zan: stopped: %s\n", message);
    else if (!values.quiet)
        printf("stopped; everything acknowledged is durable\n");
    running_end(&running);
    return (int)exit_code_of(status);
}
