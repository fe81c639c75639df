/* edges.c: see edges.h. The file is read in pieces; a line that a piece cuts is moved to the front
 * of the next one. */
#include "cli/edges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE_BYTES (256 * 1024)
#define TOLD_EACH   65536 /* lines between two looks at the clock */

enum status edges_add(struct edges *edges, uint64_t account, uint64_t item, uint32_t time_s)
{
    enum status status;

    if (edges->count == edges->room) {
        uint64_t room = edges->room == 0 ? 1 << 14 : edges->room + edges->room / 2;
        struct graph_like *more;

        if (edges->count == GRAPH_LIKES_MAX)
            return STATUS_TOOBIG;
        more = realloc(edges->like, room * sizeof *more);
        if (more == NULL)
            return STATUS_NOMEMORY;
        edges->like = more;
        edges->room = room;
    }
    struct graph_like *like = &edges->like[edges->count];

    like->time_s = time_s;
    if ((status = ids_number(&edges->account, account, &like->account)) != STATUS_OK ||
        (status = ids_number(&edges->item, item, &like->item)) != STATUS_OK)
        return status;
    edges->count++;
    return STATUS_OK;
}

/* --- a line --------------------------------------------------------------------------------------
 */

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && blank(*at))
        at++;
    return at;
}

/* NULL: no number there, or it is above most. */
static const char *number(const char *at, const char *end, uint64_t most, uint64_t *value)
{
    const char *from = at;

    *value = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (*value > (most - digit) / 10)
            return NULL;
        *value = *value * 10 + digit;
    }
    return at == from ? NULL : at;
}

/* Seconds, with decimals that are cut off. */
static const char *seconds(const char *at, const char *end, uint64_t *value)
{
    at = number(at, end, UINT32_MAX, value);
    if (at == NULL || at == end || *at != '.')
        return at;
    for (at++; at < end && *at >= '0' && *at <= '9'; at++)
        ;
    return at;
}

/* What is wrong with the line, or NULL. */
static const char *take_line(struct edges *edges, const char *at, const char *end,
                             enum status *status)
{
    uint64_t account, item, time_s = 0;

    at = number(at, end, UINT64_MAX, &account);
    if (at == NULL || at == end || !blank(*at))
        return "the account is not a number below 2^64";
    at = number(skip_blanks(at, end), end, UINT64_MAX, &item);
    if (at == NULL || (at < end && !blank(*at)))
        return "the item is not a number below 2^64";
    at = skip_blanks(at, end);
    if (at < end) {
        at = seconds(at, end, &time_s);
        if (at == NULL || (at < end && !blank(*at)))
            return "the time is not seconds from 0 to 2^32 - 1";
        if (skip_blanks(at, end) != end)
            return "there is more on the line than account, item and time";
    }
    *status = edges_add(edges, account, item, (uint32_t)time_s);
    return NULL;
}

static bool is_left_out(const char *at, const char *end, uint64_t line)
{
    return at == end || *at == '#' || (line == 1 && (*at < '0' || *at > '9'));
}

/* --- the file ------------------------------------------------------------------------------------
 */

struct reading {
    FILE *file;
    const char *path;
    struct edges *edges;
    struct progress *progress;
    uint64_t line, bytes, whole;
    char *message;
};

static enum status take_text(struct reading *reading, const char *at, const char *end)
{
    enum status status = STATUS_OK;
    const char *from = skip_blanks(at, end), *wrong;

    reading->line++;
    if (reading->line % TOLD_EACH == 0)
        progress_step(reading->progress, reading->bytes, reading->whole, reading->edges->count);
    if (is_left_out(from, end, reading->line))
        return STATUS_OK;
    wrong = take_line(reading->edges, from, end, &status);
    if (wrong != NULL) {
        snprintf(reading->message, EDGES_MESSAGE, "%s: line %llu: %s", reading->path,
                 (unsigned long long)reading->line, wrong);
        return STATUS_BADDATA;
    }
    if (status != STATUS_OK)
        snprintf(reading->message, EDGES_MESSAGE, "%s: line %llu: %s", reading->path,
                 (unsigned long long)reading->line,
                 status == STATUS_TOOBIG ? "more likes than 2^32" : "memory ran out");
    return status;
}

/* Whole lines of piece[0..size); *rest is what is left of it. */
static enum status take_piece(struct reading *reading, char *piece, size_t size, bool last,
                              size_t *rest)
{
    const char *at = piece, *end = piece + size, *newline;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        status = take_text(reading, at, newline);
        at = newline + 1;
    }
    if (status == STATUS_OK && last && at < end) {
        status = take_text(reading, at, end);
        at = end;
    }
    *rest = (size_t)(end - at);
    if (status == STATUS_OK && *rest > EDGES_LINE_MAX) {
        snprintf(reading->message, EDGES_MESSAGE, "%s: line %llu is longer than %d bytes",
                 reading->path, (unsigned long long)reading->line + 1, EDGES_LINE_MAX);
        status = STATUS_BADDATA;
    }
    memmove(piece, at, *rest);
    return status;
}

static enum status read_all(struct reading *reading)
{
    char *piece = malloc(PIECE_BYTES);
    enum status status = piece == NULL ? STATUS_NOMEMORY : STATUS_OK;
    size_t rest = 0;
    bool last = false;

    while (status == STATUS_OK && !last) {
        size_t got = fread(piece + rest, 1, PIECE_BYTES - rest, reading->file);

        last = got < PIECE_BYTES - rest;
        reading->bytes += got;
        if (last && ferror(reading->file)) {
            snprintf(reading->message, EDGES_MESSAGE, "%s: %s", reading->path, strerror(errno));
            status = STATUS_IOFAIL;
        } else {
            status = take_piece(reading, piece, rest + got, last, &rest);
        }
    }
    free(piece);
    return status;
}

enum status edges_read(const char *path, struct progress *progress, struct edges *edges,
                       char message[EDGES_MESSAGE])
{
    bool standard = strcmp(path, "-") == 0;
    struct reading reading = {.path = standard ? "standard input" : path,
                              .file = standard ? stdin : fopen(path, "r"),
                              .edges = edges,
                              .progress = progress,
                              .message = message};
    struct stat about;
    enum status status;

    snprintf(message, EDGES_MESSAGE, "memory ran out");
    if (reading.file == NULL || fstat(fileno(reading.file), &about) != 0) {
        snprintf(message, EDGES_MESSAGE, "%s: %s", path, strerror(errno));
        status = STATUS_IOFAIL;
    } else {
        reading.whole = S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
        status = read_all(&reading);
    }
    if (reading.file != NULL && !standard)
        fclose(reading.file);
    return status;
}

void edges_free(struct edges *edges)
{
    free(edges->like);
    ids_free(&edges->account);
    ids_free(&edges->item);
    *edges = (struct edges){0};
}
