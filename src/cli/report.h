/* report.h: a report as JSON (--json), an object on one line of standard output.
 *
 * Numbers that may pass 2^53 (ids, sequences) go in as text where a reader might be JavaScript;
 * counts and times are numbers. A failed allocation ends the program: a report is its last act. */
#ifndef ZAN_CLI_REPORT_H
#define ZAN_CLI_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct report; /* an object, or a list within one */

struct report *report_new(void);
void report_text(struct report *report, const char *name, const char *value);
void report_number(struct report *report, const char *name, uint64_t value);
void report_real(struct report *report, const char *name, double value);
void report_flag(struct report *report, const char *name, bool value);
void report_bytes(struct report *report, const char *name, const uint8_t *bytes, size_t size);

/* An object within; owned by report. */
struct report *report_object(struct report *report, const char *name);

/* One more object in the list of that name, which is made if absent; owned by report. */
struct report *report_element(struct report *report, const char *name);

/* Adds a text to the list of that name, which is made if absent. */
void report_add(struct report *report, const char *name, const char *value);

/* Prints and frees. */
void report_print(struct report *report, FILE *out);

#endif
