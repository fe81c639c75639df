/* commands.c: the list of subcommands and the meaning of exit codes. */
#include "cli/command.h"

#include <stdio.h>

static const struct command cli_command_bench = {
    .name = "bench",
    .words = "",
    .summary = "measures a node, beside Redis and PostgreSQL if they are there",
    .own_options = true,
    .run = cli_bench,
};

const struct command *const commands[] = {
    &cli_command_serve,
    &cli_command_demo,
    &cli_command_import,
    &cli_command_bench,
    &cli_command_info,
    &cli_command_why,
    &cli_command_verify,
    &cli_command_rebuild,
    &cli_command_redact,
    &cli_command_backtest,
    &cli_command_recommend,
    &cli_command_certificate,
    &cli_command_key,
    &cli_command_simulate,
    &cli_command_pool,
    &cli_command_detect,
    &cli_command_docs,
    NULL,
};

const char *const exit_code_texts[EXIT_CODE_COUNT] = {
    [EXIT_DONE] = "everything went well",
    [EXIT_FAILED] = "it failed; a message says why",
    [EXIT_USAGE] = "the command line or the configuration is wrong; nothing was done",
    [EXIT_FINDINGS] = "done, but something was found: damage, refused rows, a missed goal",
    [EXIT_UNREACHABLE] = "no server there, or the connection was lost for good",
    [EXIT_DISK] = "the disk failed; what was acknowledged is safe, starting again recovers it",
    [EXIT_DATA] = "the data directory is in use, not Zan's, or damaged beyond repair",
};

enum exit_code exit_code_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_DONE;
    case STATUS_BADCONFIG:
        return EXIT_USAGE;
    case STATUS_IOFAIL:
    case STATUS_NOSPACE:
        return EXIT_DISK;
    case STATUS_BADDATA:
    case STATUS_LOCKED:
    case STATUS_CORRUPT:
        return EXIT_DATA;
    default:
        return EXIT_FAILED;
    }
}

int command_failed(enum status status, const char *message)
{
    fprintf(stderr, "zan: %s: %s\n", status_info(status)->code, message);
    return (int)exit_code_of(status);
}
