/* docs.c: zan docs (hidden): pages made from the tables: the man page and the completions here,
 * commands and errors by wire/docs.h. scripts/docs writes them into the tree; a test compares. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "wire/docs.h"

/* Calls each with every option of a command: its own, --help, and the settings if it takes them. */
typedef void (*each_option)(FILE *out, const char *name, const char *form, const char *description,
                            const char *fallback);

static void for_options(const struct command *command, FILE *out, each_option each)
{
    for (uint32_t i = 0; i < command->option_count; i++)
        each(out, command->options[i].name, command->options[i].form,
             command->options[i].description, NULL);
    each(out, "help", NULL, "shows this", NULL);
}

static bool has_row(const struct command *command, const char *name)
{
    for (uint32_t i = 0; command != NULL && i < command->option_count; i++)
        if (strcmp(command->options[i].name, name) == 0)
            return true;
    return false;
}

/* Every setting, but for those the command (NULL: none) has a row of its own for. */
static void for_settings(const struct command *command, FILE *out, each_option each)
{
    each(out, "config", "FILE", "reads settings from a file; options go before it", NULL);
    for (uint32_t i = 0; i < config_item_count; i++)
        if (!has_row(command, config_items[i].name))
            each(out, config_items[i].name, config_items[i].form, config_items[i].description,
                 config_items[i].fallback);
}

/* --- the man page -------------------------------------------------------------------------------
 */

/* Text for roff: - is a hyphen unless escaped, and a line must not begin with . or '. */
static void roff(FILE *out, const char *text)
{
    bool begins = true;

    for (; *text != '\0'; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", out);
        else
            fputc(*text, out);
        begins = *text == '\n';
    }
}

static void man_option(FILE *out, const char *name, const char *form, const char *description,
                       const char *fallback)
{
    fputs(".TP\n.B \\-\\-", out);
    roff(out, name);
    if (form != NULL) {
        fputs(" \\fI", out);
        roff(out, form);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff(out, description);
    if (fallback != NULL && fallback[0] != '\0') {
        fputs("\nDefault: ", out);
        roff(out, fallback);
        fputc('.', out);
    }
    fputc('\n', out);
}

static void man_command(FILE *out, const struct command *command)
{
    fprintf(out, ".SS zan %s [options] %s\n", command->name, command->words);
    roff(out, command->summary);
    fputs(".\n", out);
    if (command->details != NULL) {
        fputs(".PP\n.nf\n", out);
        roff(out, command->details);
        fputs("\n.fi\n", out);
    }
    if (command->own_options) {
        fprintf(out, ".PP\nIts options: zan help %s.\n", command->name);
        return;
    }
    for_options(command, out, man_option);
    if (command->settings != SETTINGS_NONE)
        fputs(".PP\nEvery setting (below) is an option too.\n", out);
}

static void man_page(FILE *out)
{
    fprintf(out,
            ".\\\" Made by zan docs man from the tables of the program.\n"
            ".TH ZAN 1 \"\" \"zan %s\" \"Zan\"\n"
            ".SH NAME\nzan \\- engagement engine: likes and other reactions, exact, durable, "
            "provable\n"
            ".SH SYNOPSIS\n.B zan\n.I command\n.RI [ options ]\n"
            ".SH DESCRIPTION\n"
            "Zan takes likes and every other reaction of a platform in real time and keeps their "
            "counts exact.\nNothing is acknowledged before it is durable. Any Redis client speaks "
            "to it, and HTTP/JSON.\n.SH COMMANDS\n",
            ZAN_VERSION);
    for (uint32_t i = 0; commands[i] != NULL; i++)
        if (!commands[i]->hidden)
            man_command(out, commands[i]);
    fputs(
        ".SH SETTINGS\nOn the command line, or as\n.I name = value\nin the file of \\-\\-config.\n",
        out);
    for_settings(NULL, out, man_option);
    fputs(".SH EXIT STATUS\n", out);
    for (uint32_t i = 0; i < EXIT_CODE_COUNT; i++) {
        fprintf(out, ".TP\n.B %u\n", i);
        roff(out, exit_code_texts[i]);
        fputc('\n', out);
    }
    fputs(
        ".SH ENVIRONMENT\n"
        ".TP\n.B ZAN_KEY\nthe key for import and info, if the node wants credentials\n"
        ".TP\n.B NOTIFY_SOCKET\nset by systemd: serve tells when it is ready\n"
        ".SH SIGNALS\nSIGTERM and SIGINT stop a node cleanly; a second one ends it at once, which "
        "loses nothing\nthat was acknowledged.\n"
        ".SH SEE ALSO\n.BR redis\\-cli (1)\n",
        out);
}

/* --- completions --------------------------------------------------------------------------------
 */

static void name_option(FILE *out, const char *name, const char *form, const char *description,
                        const char *fallback)
{
    (void)form;
    (void)description;
    (void)fallback;
    fprintf(out, " --%s", name);
}

static bool is_words(const char *form)
{
    return form != NULL && strchr(form, '|') != NULL && strstr(form, "MS") == NULL &&
           strstr(form, "HOST") == NULL;
}

static void bash_value(FILE *out, const char *name, const char *form, const char *description,
                       const char *fallback)
{
    (void)description;
    (void)fallback;
    if (is_words(form)) {
        fprintf(out, "    --%s) COMPREPLY=($(compgen -W \"", name);
        for (const char *at = form; *at != '\0'; at++)
            fputc(*at == '|' ? ' ' : *at, out);
        fputs("\" -- \"$word\")); return ;;\n", out);
    } else if (form != NULL && strcmp(form, "DIR") == 0) {
        fprintf(out, "    --%s) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n", name);
    } else if (form != NULL && strcmp(form, "FILE") == 0) {
        fprintf(out, "    --%s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", name);
    }
}

static void bash_completion(FILE *out)
{
    fputs("# bash completion for zan; made by zan docs bash.\n"
          "_zan() {\n"
          "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ] || [ \"$before\" = help ]; then\n"
          "    COMPREPLY=($(compgen -W \"",
          out);
    for (uint32_t i = 0; commands[i] != NULL; i++)
        if (!commands[i]->hidden)
            fprintf(out, "%s ", commands[i]->name);
    fputs("help version\" -- \"$word\"))\n    return\n  fi\n  case $before in\n", out);
    for (uint32_t i = 0; commands[i] != NULL; i++)
        for (uint32_t j = 0; j < commands[i]->option_count; j++)
            if (strcmp(commands[i]->options[j].name, "data") != 0) /* the settings have it too */
                bash_value(out, commands[i]->options[j].name, commands[i]->options[j].form, NULL,
                           NULL);
    for_settings(NULL, out, bash_value);
    fputs("  esac\n  case ${COMP_WORDS[1]} in\n", out);
    for (uint32_t i = 0; commands[i] != NULL; i++) {
        if (commands[i]->hidden)
            continue;
        fprintf(out, "    %s) options=\"", commands[i]->name);
        for_options(commands[i], out, name_option);
        if (commands[i]->settings != SETTINGS_NONE)
            for_settings(commands[i], out, name_option);
        fputs("\" ;;\n", out);
    }
    fputs("  esac\n"
          "  if [ \"${word#-}\" != \"$word\" ]; then\n"
          "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "  else\n"
          "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "  fi\n"
          "}\ncomplete -o filenames -F _zan zan\n",
          out);
}

/* Text within '...[text]': quotes, brackets and colons would end it. */
static void zsh_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fputc(strchr("'[]:", *text) != NULL ? ' ' : *text, out);
}

static void zsh_option(FILE *out, const char *name, const char *form, const char *description,
                       const char *fallback)
{
    (void)fallback;
    fprintf(out, "        '--%s[", name);
    zsh_text(out, description);
    fputc(']', out);
    if (is_words(form)) {
        fputs(":value:(", out);
        for (const char *at = form; *at != '\0'; at++)
            fputc(*at == '|' ? ' ' : *at, out);
        fputc(')', out);
    } else if (form != NULL && strcmp(form, "DIR") == 0) {
        fputs(":directory:_directories", out);
    } else if (form != NULL && strcmp(form, "FILE") == 0) {
        fputs(":file:_files", out);
    } else if (form != NULL) {
        fputs(":value:", out);
    }
    fputs("' \\\n", out);
}

static void zsh_completion(FILE *out)
{
    fputs("#compdef zan\n# zsh completion for zan; made by zan docs zsh.\n"
          "_zan() {\n  local -a commands\n  commands=(\n",
          out);
    for (uint32_t i = 0; commands[i] != NULL; i++) {
        if (commands[i]->hidden)
            continue;
        fprintf(out, "    '%s:", commands[i]->name);
        zsh_text(out, commands[i]->summary);
        fputs("'\n", out);
    }
    fputs("    'help:tells about a command'\n    'version:shows the version'\n  )\n"
          "  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
          "  case $words[2] in\n    help) _describe command commands ;;\n",
          out);
    for (uint32_t i = 0; commands[i] != NULL; i++) {
        if (commands[i]->hidden)
            continue;
        fprintf(out, "    %s)\n      shift words; (( CURRENT-- ))\n      _arguments \\\n",
                commands[i]->name);
        for_options(commands[i], out, zsh_option);
        if (commands[i]->settings != SETTINGS_NONE)
            for_settings(commands[i], out, zsh_option);
        fputs("        '*:file:_files' ;;\n", out);
    }
    fputs("  esac\n}\n_zan \"$@\"\n", out);
}

/* --- settings -----------------------------------------------------------------------------------
 */

static void settings_page(FILE *out)
{
    fputs("# Settings\n\nMade by `zan docs settings` from `src/node/config.def`. Each is an option "
          "(`--memory 2GiB`),\na line in the file of `--config` (`memory = 2GiB`), and a row of "
          "`CONFIG GET`.\n\n| name | value | default | meaning |\n|---|---|---|---|\n",
          out);
    for (uint32_t i = 0; i < config_item_count; i++) {
        fprintf(out, "| `%s` | ", config_items[i].name);
        for (const char *at = config_items[i].form; *at != '\0'; at++)
            fputc(*at == '|' ? '/' : *at, out);
        fprintf(out, " | %s | %s |\n", config_items[i].fallback, config_items[i].description);
    }
}

/* --- which --------------------------------------------------------------------------------------
 */

static const struct page {
    const char *name;
    void (*print)(FILE *out);
} pages[] = {
    {"man", man_page},           {"bash", bash_completion},   {"zsh", zsh_completion},
    {"settings", settings_page}, {"commands", docs_commands}, {"errors", docs_errors},
    {"access", docs_access},     {"guidance", docs_guidance},
};

static int docs(int argc, char **argv)
{
    struct options_words words;
    int code = options_parse(&cli_command_docs, argc, argv, NULL, NULL, &words);

    if (code != OPTIONS_GO)
        return code;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(pages[i].name, words.word[0]) == 0) {
            pages[i].print(stdout);
            return EXIT_DONE;
        }
    fprintf(stderr, "zan: pages are:");
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        fprintf(stderr, " %s", pages[i].name);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

const struct command cli_command_docs = {
    .name = "docs",
    .words = "PAGE",
    .summary = "prints a page that is made from the tables",
    .hidden = true,
    .words_min = 1,
    .words_max = 1,
    .run = docs,
};
