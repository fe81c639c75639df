/* info.c: zan info: what a running node, or a stopped data directory, says of itself. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/info_data.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/secret.h"

struct values {
    const char *data, *to, *name, *key_file;
    bool json;
};

#define AT(field) offsetof(struct values, field), 0, 0

static const struct option_row rows[] = {
    {"data", "DIR", "looks into a data directory instead of asking a node", OPTION_TEXT, AT(data)},
    {"to", "HOST:PORT", "the node's RESP door [127.0.0.1:6390]", OPTION_TEXT, AT(to)},
    {"name", "NAME", "name of the caller, if the node wants credentials", OPTION_TEXT, AT(name)},
    {"key-file", "FILE", "file with the key; else the environment's ZAN_KEY", OPTION_TEXT,
     AT(key_file)},
    {"json", NULL, "prints the report as JSON", OPTION_FLAG, AT(json)},
};

#define LINE_MAX_BYTES 512

/* One line of INFO ("# Server", "tcp_port:6390") into the report; *section is where values go. */
static void add_line(struct report *report, struct report **section, const char *line)
{
    char name[LINE_MAX_BYTES];
    const char *colon = strchr(line, ':');

    if (line[0] == '#') {
        *section = report_object(report, line[1] == ' ' ? line + 2 : line + 1);
        return;
    }
    if (colon == NULL)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(colon - line), line);
    report_text(*section, name, colon + 1);
}

static void print_json(const char *text, size_t size)
{
    struct report *report = report_new(), *section = report;
    size_t at = 0;

    while (at < size) {
        const char *stop = memchr(text + at, '\n', size - at);
        size_t length = stop != NULL ? (size_t)(stop - text) - at : size - at;
        char line[LINE_MAX_BYTES];

        snprintf(line, sizeof line, "%.*s", (int)length, text + at);
        line[strcspn(line, "\r")] = '\0';
        add_line(report, &section, line);
        at += length + 1;
    }
    report_print(report, stdout);
}

static void print_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\r')
            putchar(text[i]);
}

static int ask_node(const struct values *values)
{
    struct client *client;
    const struct client_value *reply;
    char key[SECRET_BYTES], message[CLIENT_MESSAGE];
    enum status status;
    int code;

    if (!secret_read(values->key_file, key))
        return EXIT_USAGE;
    status = client_open(values->to, values->name, key[0] != '\0' ? key : NULL, &client, message);
    if (status != STATUS_OK) {
        fprintf(stderr, "zan: %s\n", message);
        return status == STATUS_UNKNOWN ? EXIT_UNREACHABLE : EXIT_USAGE;
    }
    status = client_call(client, (const char *[]){"INFO"}, 1, &reply, message);
    if (status == STATUS_OK && reply[0].kind == CLIENT_TEXT && values->json)
        print_json(reply[0].text, reply[0].size);
    else if (status == STATUS_OK && reply[0].kind == CLIENT_TEXT)
        print_text(reply[0].text, reply[0].size);
    else if (status == STATUS_OK)
        fprintf(stderr, "zan: %.*s\n", (int)reply[0].size, reply[0].text);
    else
        fprintf(stderr, "zan: %s\n", message);
    code = status != STATUS_OK            ? EXIT_UNREACHABLE
           : reply[0].kind == CLIENT_TEXT ? EXIT_DONE
                                          : EXIT_FAILED;
    client_close(client);
    return code;
}

static int info(int argc, char **argv)
{
    struct values values = {.to = "127.0.0.1:6390"};
    struct config config;
    int code = options_parse(&cli_command_info, argc, argv, &values, &config, NULL);

    if (code != OPTIONS_GO)
        return code;
    if (values.data == NULL)
        return ask_node(&values);
    if (strlen(values.data) >= sizeof config.data) {
        fprintf(stderr, "zan: --data: the path is too long\n");
        return EXIT_USAGE;
    }
    snprintf(config.data, sizeof config.data, "%s", values.data);
    return info_data(&config, values.json);
}

const struct command cli_command_info = {
    .name = "info",
    .words = "",
    .summary = "shows what a running node, or a data directory, says of itself",
    .details =
        "The numbers of INFO; with --data what lies in a directory, read without changing it.\n"
        "zan verify is the thorough look.",
    .settings = SETTINGS_TAKEN,
    .options = rows,
    .option_count = sizeof rows / sizeof rows[0],
    .run = info,
};
