/* options.h: long options from a table, and the help made from the same table.
 *
 * --name value and --name=value, flags without a value, -- ends the options, -h is --help. No
 * abbreviations: they turn into surprises when an option is added. */
#ifndef ZAN_CLI_OPTIONS_H
#define ZAN_CLI_OPTIONS_H

#include <stdio.h>

#include "cli/command.h"
#include "node/config.h"

#define OPTIONS_WORDS_MAX 8
#define OPTIONS_GO        (-1) /* no exit code: go on */

struct options_words {
    uint32_t count;
    const char *word[OPTIONS_WORDS_MAX];
};

/* Fills values (preset by the caller) and, for a command with settings, config: defaults, then
 * --config FILE, then the options, whatever their order on the line; then config_check.
 * words may be NULL. Returns OPTIONS_GO, or the exit code after help or a message was printed.
 * Texts are borrowed from argv. */
int options_parse(const struct command *command, int argc, char **argv, void *values,
                  struct config *config, struct options_words *words);

/* zan help NAME. */
void options_help(const struct command *command, FILE *out);

/* The nearest of the names next gives (NULL ends), if it is near enough to be a slip; else NULL. */
const char *options_nearest(const char *word, const char *(*next)(const void *context, uint32_t i),
                            const void *context);

#endif
