/* import.h: plays a history through the front door of a node, as zan import and zan demo do. */
#ifndef ZAN_CLI_IMPORT_H
#define ZAN_CLI_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/client.h"
#include "cli/history.h"

#define IMPORT_CODES_MAX 8

struct import_options {
    const char *format, *path, *to;
    const char *name, *key; /* credentials; NULL: none */
    uint64_t limit;         /* rows of the log itself; 0: all */
    double speed;           /* times real time; 0: as fast as it goes */
    uint64_t retry_seconds; /* how long a node may be away */
};

struct import_tally {
    uint64_t applied, unchanged, refused;
};

struct import_result {
    struct history_progress read;
    uint64_t bad_rows, commands;
    uint64_t retried, reconnects;
    struct import_tally verb[VERB_COUNT];
    struct {
        char code[16];
        uint64_t count;
    } refusal[IMPORT_CODES_MAX];
    char first_refusal[CLIENT_MESSAGE]; /* of a row or by the node */
    int64_t time_ms;                    /* when the newest command happened */
    double seconds;
};

/* Both may be NULL. turn is called often, at most 50 ms apart; false ends the import early. */
struct import_watch {
    void *argument;
    void (*answered)(void *argument, const struct history_command *command, bool applied);
    bool (*turn)(void *argument, const struct import_result *result);
};

/* OK also if rows were refused (see result). UNKNOWN: the node stayed away; NOAUTH: it does not let
 * us in; BADDATA, IOFAIL: the files. message says what. */
enum status import_run(const struct import_options *options, const struct import_watch *watch,
                       struct import_result *result, char message[CLIENT_MESSAGE]);

/* The report of zan import, as a table or as JSON; message only counts if status is not OK. */
void import_print(const struct import_result *result, bool json, enum status status,
                  const char *message);

uint64_t import_refused(const struct import_result *result);

#endif
