/* history.h: logs of other systems, one command of ours after the other.
 *
 * Formats and what becomes of each row are told in docs/operating.md ("Importing"), and by
 * zan help import. Every command has an operation id made of the row's bytes, its number and the
 * verb, so that the same file asked twice (or half of it again after a broken connection) is the
 * same operations. */
#ifndef ZAN_CLI_HISTORY_H
#define ZAN_CLI_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/status.h"
#include "schema/verb.h"

#define HISTORY_MESSAGE 256
#define HISTORY_TAGS    200 /* bytes, with the end: what 8 tags can have */

struct history_command {
    uint16_t verb; /* enum verb */
    bool has_creator, has_duration;
    uint64_t account, target, creator;
    uint32_t watch_ms, duration_ms;
    int64_t published_ms;    /* of an item; 0: not known */
    int64_t time_ms;         /* when it happened; 0: not known */
    char opid[40];           /* a UUID, version 8, or the file's own word */
    char tags[HISTORY_TAGS]; /* of an item (ITEM TAG), between commas */
};

struct history;

/* format is kuairand or tsv; path a directory (kuairand) or a file. */
enum status history_open(const char *format, const char *path, struct history **history,
                         char message[HISTORY_MESSAGE]);
void history_close(struct history *history);

/* The next command. BADDATA: that row was no row (message says where), go on with the next call.
 * OK with verb VERB_COUNT: the end. */
enum status history_next(struct history *history, struct history_command *command,
                         char message[HISTORY_MESSAGE]);

/* Rows of the log itself and rows that register items and accounts, read so far; bytes read and in
 * all, of all files. */
struct history_progress {
    uint64_t rows, registered, done, whole;
};
void history_progress(const struct history *history, struct history_progress *progress);

#endif
