#include "cli/epochs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "serve/epochs.h"

static bool read_list(const char *data, struct epoch_list *list)
{
    char path[512], message[256];

    snprintf(path, sizeof path, "%.480s/keys/pseudonym.epochs", data);
    if (epochs_read(path, list, message) == STATUS_OK)
        return true;
    fprintf(stderr, "zan: %s\n", message);
    return false;
}

static void print_time(int64_t at_s)
{
    time_t time = (time_t)at_s;
    struct tm parts;

    gmtime_r(&time, &parts);
    printf("%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
           parts.tm_hour, parts.tm_min, parts.tm_sec);
}

int key_epochs(const struct options_words *words)
{
    static struct epoch_list list;

    if (words->count != 2) {
        fprintf(stderr, "zan: expected: zan key epochs DIR\n");
        return EXIT_USAGE;
    }
    if (!read_list(words->word[1], &list))
        return EXIT_DATA;
    for (uint32_t i = 0; i < list.count; i++) {
        printf("epoch %" PRIu64 "  from ", list.list[i].number);
        print_time(list.list[i].from_s);
        if (i + 1 < list.count) {
            printf("  until ");
            print_time(list.list[i + 1].from_s);
            printf("  kept\n");
        } else {
            printf("  in use\n");
        }
    }
    explicit_bzero(&list, sizeof list);
    return EXIT_DONE;
}

int key_pseudonym(const struct options_words *words)
{
    static struct epoch_list list;
    char text[1024] = "";
    uint64_t number;
    bool found = false;

    if (words->count != 4 ||
        (strcmp(words->word[3], "address") != 0 && strcmp(words->word[3], "device") != 0 &&
         strcmp(words->word[3], "network") != 0)) {
        fprintf(stderr, "zan: expected: zan key pseudonym DIR EPOCH address|device|network\n");
        return EXIT_USAGE;
    }
    if (!read_list(words->word[1], &list))
        return EXIT_DATA;
    if (fgets(text, sizeof text, stdin) == NULL)
        text[0] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    number = strtoull(words->word[2], NULL, 10);
    for (uint32_t i = 0; i < list.count; i++)
        if (list.list[i].number == number) {
            printf("%" PRIu64 "\n",
                   pseudonym(&list.list[i].key, words->word[3][0], text, strlen(text)));
            found = true;
        }
    explicit_bzero(&list, sizeof list);
    if (found)
        return EXIT_DONE;
    fprintf(stderr, "zan: there is no key of epoch %" PRIu64 " (any more)\n", number);
    return EXIT_FAILED;
}
