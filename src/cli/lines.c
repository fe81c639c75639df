/* lines.c: the only file that sees zlib; gzread reads plain files too. */
#include "cli/lines.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

struct lines {
    gzFile file;
    char path[512];
    uint64_t number, whole;
    uint32_t columns;
    uint32_t place[LINES_COLUMNS_MAX]; /* of each wanted column; UINT32_MAX: absent */
    char line[LINES_BYTES_MAX];        /* as read */
    size_t size;
    char split[LINES_BYTES_MAX]; /* the same, cut into fields */
    const char *field[LINES_COLUMNS_MAX];
};

/* One line without its end into lines->line. False at the end of the file. */
static bool read_line(struct lines *lines, bool *cut)
{
    char *end;
    int next;

    *cut = false;
    if (gzgets(lines->file, lines->line, LINES_BYTES_MAX) == NULL)
        return false;
    lines->number++;
    end = memchr(lines->line, '\n', LINES_BYTES_MAX - 1);
    if (end == NULL)
        end = lines->line + strlen(lines->line);
    lines->size = (size_t)(end - lines->line);
    if (*end != '\n' && lines->size == LINES_BYTES_MAX - 1) {
        *cut = true;
        while ((next = gzgetc(lines->file)) != -1 && next != '\n')
            ;
    }
    if (lines->size > 0 && lines->line[lines->size - 1] == '\r')
        lines->size--;
    lines->line[lines->size] = '\0';
    return true;
}

static uint32_t split_line(struct lines *lines)
{
    uint32_t count = 0;
    char *at = lines->split;

    memcpy(lines->split, lines->line, lines->size + 1);
    while (count < LINES_COLUMNS_MAX) {
        char *tab = strchr(at, '\t');

        lines->field[count++] = at;
        if (tab == NULL)
            break;
        *tab = '\0';
        at = tab + 1;
    }
    return count;
}

static enum status find_columns(struct lines *lines, const char *const *wanted, uint32_t required,
                                char message[LINES_MESSAGE])
{
    bool cut;

    if (!read_line(lines, &cut) || cut) {
        snprintf(message, LINES_MESSAGE, "%.180s: no line with the names of the columns",
                 lines->path);
        return STATUS_BADDATA;
    }
    lines->columns = split_line(lines);
    for (uint32_t i = 0; wanted[i] != NULL; i++) {
        assert(i < LINES_COLUMNS_MAX);
        lines->place[i] = UINT32_MAX;
        for (uint32_t j = 0; j < lines->columns; j++)
            if (strcmp(lines->field[j], wanted[i]) == 0)
                lines->place[i] = j;
        if (i < required && lines->place[i] == UINT32_MAX) {
            snprintf(message, LINES_MESSAGE, "%.180s: there is no column '%.32s'", lines->path,
                     wanted[i]);
            return STATUS_BADDATA;
        }
    }
    return STATUS_OK;
}

static gzFile open_either(struct lines *lines, const char *path)
{
    struct stat info;

    snprintf(lines->path, sizeof lines->path, "%s", path);
    if (strcmp(path, "-") == 0)
        return gzdopen(dup(STDIN_FILENO), "rb");
    if (stat(lines->path, &info) != 0) {
        snprintf(lines->path, sizeof lines->path, "%.500s.gz", path);
        if (stat(lines->path, &info) != 0)
            return NULL;
    }
    lines->whole = (uint64_t)info.st_size;
    return gzopen(lines->path, "rb");
}

enum status lines_open_numbers(const char *path, struct lines **result, char message[LINES_MESSAGE])
{
    struct lines *lines = calloc(1, sizeof *lines);

    if (lines == NULL)
        abort();
    errno = 0;
    if ((lines->file = open_either(lines, path)) == NULL) {
        snprintf(message, LINES_MESSAGE, "%.180s (or .gz): %s", path, strerror(errno));
        free(lines);
        return STATUS_IOFAIL;
    }
    gzbuffer(lines->file, 128 * 1024);
    *result = lines;
    return STATUS_OK;
}

enum status lines_open(const char *path, const char *const *wanted, uint32_t required,
                       struct lines **result, char message[LINES_MESSAGE])
{
    struct lines *lines;
    enum status status = lines_open_numbers(path, &lines, message);

    if (status != STATUS_OK)
        return status;
    if ((status = find_columns(lines, wanted, required, message)) != STATUS_OK) {
        lines_close(lines);
        return status;
    }
    *result = lines;
    return STATUS_OK;
}

void lines_close(struct lines *lines)
{
    if (lines == NULL)
        return;
    gzclose(lines->file);
    free(lines);
}

static enum lines_end bad(struct lines *lines, const char *what, char message[LINES_MESSAGE])
{
    snprintf(message, LINES_MESSAGE, "%.160s:%llu: %.60s", lines->path,
             (unsigned long long)lines->number, what);
    return LINES_BAD;
}

enum lines_end lines_next(struct lines *lines, char message[LINES_MESSAGE])
{
    int problem = Z_OK;
    bool cut;

    if (!read_line(lines, &cut)) {
        const char *text = gzerror(lines->file, &problem);

        if (problem == Z_OK || problem == Z_STREAM_END)
            return LINES_END;
        bad(lines, text, message);
        gzclearerr(lines->file);
        gzclose(lines->file); /* what follows damage is noise: the next call ends */
        lines->file = gzopen("/dev/null", "rb");
        return LINES_BAD;
    }
    if (cut)
        return bad(lines, "the line is too long", message);
    if (split_line(lines) != lines->columns)
        return bad(lines, "the number of columns differs from the first line's", message);
    return LINES_ROW;
}

static enum lines_token no_number(struct lines *lines, const char *what,
                                  char message[LINES_MESSAGE])
{
    lines->number++; /* of the line that is being read */
    bad(lines, what, message);
    return LINES_WRONG;
}

/* The end of the file, or what was wrong with it. */
static enum lines_token number_end(struct lines *lines, char message[LINES_MESSAGE])
{
    int problem = Z_OK;
    const char *text = gzerror(lines->file, &problem);

    if (problem == Z_OK || problem == Z_STREAM_END)
        return LINES_LAST;
    return no_number(lines, text, message);
}

enum lines_token lines_next_number(struct lines *lines, uint64_t *value,
                                   char message[LINES_MESSAGE])
{
    int next = gzgetc(lines->file);
    uint64_t sum = 0;

    while (next == ' ' || next == '\t' || next == '\r')
        next = gzgetc(lines->file);
    if (next == -1)
        return number_end(lines, message);
    if (next == '\n') {
        lines->number++;
        return LINES_ENDED;
    }
    for (; next >= '0' && next <= '9'; next = gzgetc(lines->file)) {
        uint64_t digit = (uint64_t)(next - '0');

        if (sum > (UINT64_MAX - digit) / 10)
            return no_number(lines, "a number is too great", message);
        sum = 10 * sum + digit;
    }
    if (next != -1 && strchr(" \t\r\n", next) == NULL)
        return no_number(lines, "expected numbers between blanks", message);
    if (next != -1)
        gzungetc(next, lines->file);
    *value = sum;
    return LINES_NUMBER;
}

const char *lines_field(const struct lines *lines, uint32_t i)
{
    return lines->place[i] == UINT32_MAX ? "" : lines->field[lines->place[i]];
}

const char *lines_text(const struct lines *lines, size_t *size)
{
    *size = lines->size;
    return lines->line;
}

uint64_t lines_number(const struct lines *lines)
{
    return lines->number;
}

uint64_t lines_done(const struct lines *lines)
{
    z_off_t offset = gzoffset(lines->file);

    return offset > 0 ? (uint64_t)offset : 0;
}

uint64_t lines_whole(const struct lines *lines)
{
    return lines->whole;
}
