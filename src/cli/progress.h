/* progress.h: how far a long work has come, on standard error.
 *
 * On a terminal a bar with rate and time left, from the third second on; elsewhere a plain line
 * each 10 seconds; with quiet nothing. Work that is done within 2 seconds shows nothing at all. */
#ifndef ZAN_CLI_PROGRESS_H
#define ZAN_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_LINE 160

struct progress {
    const char *what; /* "importing"; borrowed */
    const char *unit; /* what count counts: "rows"; borrowed */
    bool quiet, terminal;
    bool drawn; /* a bar stands on the last line of the terminal */
    int64_t start_us, told_us;
};

void progress_begin(struct progress *progress, const char *what, const char *unit, bool quiet);

/* part of whole is done (whole 0: not known), count units so far. Cheap to call often. */
void progress_step(struct progress *progress, uint64_t part, uint64_t whole, uint64_t count);

/* The same where what is done may change: progress is a struct progress. For struct node_progress.
 */
void progress_report(void *progress, const char *what, uint64_t done, uint64_t total);

/* Takes the bar away. */
void progress_end(struct progress *progress);

/* Microseconds on a clock that only moves forward. */
int64_t progress_now_us(void);

/* The line itself, for tests and for zan demo. elapsed_us at least 1. */
void progress_line(char line[PROGRESS_LINE], const char *what, const char *unit, uint64_t part,
                   uint64_t whole, uint64_t count, int64_t elapsed_us, bool bar);

/* 1234567 as "1,234,567". */
const char *progress_number(uint64_t number, char text[32]);

#endif
