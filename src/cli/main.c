/* main.c: zan, its subcommands and how it tells about them. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"

static const char *command_name(const void *context, uint32_t i)
{
    (void)context;
    return commands[i] != NULL ? commands[i]->name : NULL;
}

static const struct command *find(const char *name)
{
    for (uint32_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *nearest = options_nearest(name, command_name, NULL);

    fprintf(stderr, "zan: there is no command '%s'", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean '%s'?", nearest);
    fprintf(stderr, "\nzan help lists every command\n");
    return EXIT_USAGE;
}

static int print_version(void)
{
    printf("zan %s\n", ZAN_VERSION);
    return EXIT_DONE;
}

static int print_overview(FILE *out)
{
    fprintf(out,
            "zan %s: an engagement engine. Likes and every other reaction: exact, durable, "
            "provable.\n\nUsage: zan COMMAND [options]\n\nCommands:\n",
            ZAN_VERSION);
    for (uint32_t i = 0; commands[i] != NULL; i++)
        if (!commands[i]->hidden)
            fprintf(out, "  %-10s%s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "  %-10s%s\n  %-10s%s\n", "help", "tells about a command: zan help serve",
            "version", "shows the version");
    fprintf(out, "\nStart here:\n"
                 "  zan demo                      a node, a real log of reactions, live counters\n"
                 "  zan serve --data DIR          a node; then: redis-cli -p 6390 LIKE 7 42\n"
                 "\nExit codes:\n");
    for (uint32_t i = 0; i < EXIT_CODE_COUNT; i++)
        fprintf(out, "  %u  %s\n", i, exit_code_texts[i]);
    return EXIT_DONE;
}

static int help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2)
        return print_overview(stdout);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "version") == 0)
        return print_overview(stdout);
    if ((command = find(argv[1])) == NULL)
        return unknown(argv[1]);
    if (command->own_options)
        return command->run(2, (char *[]){argv[1], "--help", NULL});
    options_help(command, stdout);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    const struct command *command;

    signal(SIGPIPE, SIG_IGN); /* a peer that goes away is an error of one write, not of all */
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0)
        return print_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_overview(stdout);
    if (strcmp(argv[1], "help") == 0)
        return help(argc - 1, argv + 1);
    if ((command = find(argv[1])) == NULL)
        return unknown(argv[1]);
    return command->run(argc - 1, argv + 1);
}
