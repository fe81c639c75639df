/* lines.h: a tab separated file, plain or gzip, row by row, by the names of its columns.
 *
 * The first line names the columns. Memory: fields are borrowed until the next lines_next. */
#ifndef ZAN_CLI_LINES_H
#define ZAN_CLI_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "schema/status.h"

#define LINES_BYTES_MAX   16384 /* a longer line is no row of ours */
#define LINES_COLUMNS_MAX 128
#define LINES_MESSAGE     256

struct lines;

/* path, or path.gz if that is what is there; "-" is standard input. wanted ends with NULL; the
 * first required of them must be there. BADDATA or IOFAIL: message names the file. */
enum status lines_open(const char *path, const char *const *wanted, uint32_t required,
                       struct lines **lines, char message[LINES_MESSAGE]);
void lines_close(struct lines *lines);

enum lines_end { LINES_ROW, LINES_BAD, LINES_END };

/* The next row. BAD: too long, other number of columns, or damaged gzip; message says so. */
enum lines_end lines_next(struct lines *lines, char message[LINES_MESSAGE]);

/* --- numbers: a file without names, of lines of numbers between blanks, of any length
 * -------------- lines_open_numbers in place of lines_open; then only lines_next_number, and what
 * tells numbers of lines and bytes. */
enum status lines_open_numbers(const char *path, struct lines **lines, char message[LINES_MESSAGE]);

enum lines_token {
    LINES_NUMBER, /* *value is the next of this line */
    LINES_ENDED,  /* the line has no more */
    LINES_WRONG, /* not a number below 2^64, or damaged gzip; message says where. Nothing follows */
    LINES_LAST   /* the file has no more */
};
enum lines_token lines_next_number(struct lines *lines, uint64_t *value,
                                   char message[LINES_MESSAGE]);

/* Field of the wanted column i of the row; "" if the file has no such column. */
const char *lines_field(const struct lines *lines, uint32_t i);

/* The whole line, and its number (the header is 1). */
const char *lines_text(const struct lines *lines, size_t *size);
uint64_t lines_number(const struct lines *lines);

/* Bytes of the file read so far, and in all (0: not known). */
uint64_t lines_done(const struct lines *lines);
uint64_t lines_whole(const struct lines *lines);

#endif
