/* command.h: what a subcommand is, and how all of them end.
 *
 * Each subcommand is a table row (struct command) with its options as rows. The help texts, the man
 * page (zan docs man), the shell completions (zan docs bash, zsh) and the parser come from those
 * rows. Adding a subcommand: a file with a row and a function, and one line in commands.c. */
#ifndef ZAN_CLI_COMMAND_H
#define ZAN_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/status.h"

/* Exit codes; the texts are in commands.c and so in zan help and in the man page. */
enum exit_code {
    EXIT_DONE = 0,        /* everything went well */
    EXIT_FAILED = 1,      /* it failed; a message says why */
    EXIT_USAGE = 2,       /* command line or configuration is wrong; nothing was done */
    EXIT_FINDINGS = 3,    /* done, but something was found: damage, refused rows, a missed goal */
    EXIT_UNREACHABLE = 4, /* no server there, or the connection was lost for good */
    EXIT_DISK = 5,        /* the disk failed; what is durable is safe, starting again recovers it */
    EXIT_DATA = 6,        /* the data directory is in use, of another kind, or damaged */
    EXIT_CODE_COUNT
};

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_TEXT,   /* const char * */
    OPTION_NUMBER, /* uint64_t, low..high */
    OPTION_RATE    /* double, above 0 */
};

struct option_row {
    const char *name; /* without the dashes */
    const char *form; /* "FILE"; NULL for a flag; words with | between them are a choice */
    const char *description;
    enum option_kind kind;
    size_t offset; /* in the subcommand's own struct of values */
    uint64_t low, high;
};

struct command {
    const char *name;
    const char *words;   /* what stands after the options: "DIR"; "" for none */
    const char *summary; /* one line */
    const char *details; /* some paragraphs; may be NULL */
    const struct option_row *options;
    uint32_t option_count;
    uint8_t settings; /* enum command_settings */
    bool hidden;
    bool own_options; /* parses and explains its options by itself */
    uint32_t words_min, words_max;
    int (*run)(int argc, char **argv); /* argv[0] is the name of the subcommand */
};

/* The settings of config.def as options. */
enum command_settings {
    SETTINGS_NONE,
    SETTINGS_TOLD, /* taken, and told one by one in the help */
    SETTINGS_TAKEN /* taken; the help names the few that matter and points to zan help serve */
};

extern const struct command *const commands[]; /* in the order of zan help; ends with NULL */
extern const char *const exit_code_texts[EXIT_CODE_COUNT];

/* The exit code that fits a status which ended the program. */
enum exit_code exit_code_of(enum status status);

/* Says on standard error why a command ended; the code to end with. */
int command_failed(enum status status, const char *message);

/* The rows, each in the file of its name. */
extern const struct command cli_command_serve, cli_command_demo, cli_command_import,
    cli_command_info, cli_command_why, cli_command_verify, cli_command_rebuild, cli_command_redact, cli_command_key, cli_command_docs,
    cli_command_simulate, cli_command_backtest, cli_command_recommend, cli_command_certificate,
    cli_command_pool, cli_command_detect;

int cli_serve(int argc, char **argv);
int cli_bench(int argc, char **argv);

#endif
