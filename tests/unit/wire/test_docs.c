/* The pages in docs/ are what the tables say today. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "wire/command_entry.h"
#include "wire/docs.h"

static char *made(void (*make)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    make(out);
    fclose(out);
    return text;
}

static char *page_in_tree(const char *name)
{
    const char *source = getenv("ZAN_SOURCE");
    char path[512];
    char *text = calloc(1, 1 << 20);
    FILE *file;

    if (source == NULL)
        skip();
    snprintf(path, sizeof path, "%s/docs/%s", source, name);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is not there", path);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static void assert_current(const char *name, void (*make)(FILE *out), const char *how)
{
    char *page = page_in_tree(name);
    char *text = made(make);

    if (strcmp(page, text) != 0)
        fail_msg("docs/%s is old: %s > docs/%s", name, how, name);
    free(page);
    free(text);
}

static void commands_are_current(void **state)
{
    (void)state;
    assert_current("commands.md", docs_commands, "zan docs commands");
}

static void errors_are_current(void **state)
{
    (void)state;
    assert_current("errors.md", docs_errors, "zan docs errors");
}

static void every_command_is_told(void **state)
{
    char *text = made(docs_commands);

    (void)state;
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        char heading[64];

        snprintf(heading, sizeof heading, "\n### %s\n", verb_table[verb].name);
        assert_non_null(strstr(text, heading));
    }
    assert_non_null(strstr(text, "    LIKED account item [item ...]\n"));
    assert_non_null(strstr(text, "    LIKERS item [CURSOR cursor] [COUNT count]\n"));
    assert_non_null(strstr(text, "    CLIENT SETINFO LIB-NAME|LIB-VER value\n"));
    free(text);
}

static void every_error_is_told(void **state)
{
    char *text = made(docs_errors);

    (void)state;
    for (int status = 0; status < STATUS_COUNT; status++) {
        char start[64];

        snprintf(start, sizeof start, "\n| %s | ", status_info((enum status)status)->code);
        assert_non_null(strstr(text, start));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_current),
        cmocka_unit_test(errors_are_current),
        cmocka_unit_test(every_command_is_told),
        cmocka_unit_test(every_error_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
