#include "cli/board.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/progress.h"

#define TOP         10
#define DRAW_US     200000
#define PLAIN_US    10000000
#define BAR_CELLS   20
#define FIELD_COUNT 4

/* The columns of the table: counted by these commands. */
static const char *const fields[FIELD_COUNT] = {"LIKES", "VIEWS", "COMMENTS", "SHARES"};

/* How many likes were told of an item: open addressing, grown at half full. */
struct slot {
    uint64_t item;
    uint64_t likes; /* 0: free */
};

struct board {
    struct client *client;
    const char *to, *http;
    bool quiet, terminal;
    uint32_t lines; /* drawn last time; to be drawn over */
    int64_t drawn_us, start_us, end_us;
    struct slot *slots;
    uint32_t room, used;
    uint32_t top_count;
    uint64_t top[TOP];
    uint64_t value[FIELD_COUNT][TOP];
};

/* --- which items --------------------------------------------------------------------------------
 */

static struct slot *find(struct slot *slots, uint32_t room, uint64_t item)
{
    uint32_t i = (uint32_t)(hash_mix(item) & (room - 1));

    while (slots[i].likes != 0 && slots[i].item != item)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

static void grow(struct board *board)
{
    uint32_t room = board->room > 0 ? board->room * 2 : 4096;
    struct slot *slots = calloc(room, sizeof *slots);

    if (slots == NULL)
        abort();
    for (uint32_t i = 0; i < board->room; i++)
        if (board->slots[i].likes != 0)
            *find(slots, room, board->slots[i].item) = board->slots[i];
    free(board->slots);
    board->slots = slots;
    board->room = room;
}

void board_like(struct board *board, uint64_t item)
{
    struct slot *slot;

    if (board->used * 2 >= board->room)
        grow(board);
    slot = find(board->slots, board->room, item);
    board->used += slot->likes == 0;
    slot->item = item;
    slot->likes++;
}

static bool is_before(const struct slot *a, const struct slot *b)
{
    return a->likes != b->likes ? a->likes > b->likes : a->item < b->item;
}

static void choose(struct board *board)
{
    const struct slot *best[TOP] = {NULL};
    uint32_t count = 0;

    for (uint32_t i = 0; i < board->room; i++) {
        const struct slot *slot = &board->slots[i];
        uint32_t at;

        if (slot->likes == 0 || (count == TOP && !is_before(slot, best[TOP - 1])))
            continue;
        count += count < TOP;
        for (at = count - 1; at > 0 && is_before(slot, best[at - 1]); at--)
            best[at] = best[at - 1];
        best[at] = slot;
    }
    board->top_count = count;
    for (uint32_t i = 0; i < count; i++)
        board->top[i] = best[i]->item;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static bool ask(struct board *board, uint32_t field)
{
    char text[TOP][24], message[CLIENT_MESSAGE];
    const char *words[TOP + 1] = {fields[field]};
    const struct client_value *values;

    for (uint32_t i = 0; i < board->top_count; i++) {
        snprintf(text[i], sizeof text[i], "%llu", (unsigned long long)board->top[i]);
        words[i + 1] = text[i];
    }
    if (client_call(board->client, words, board->top_count + 1, &values, message) != STATUS_OK ||
        values[0].kind != CLIENT_LIST || values[0].count != board->top_count)
        return false;
    for (uint32_t i = 0; i < board->top_count; i++)
        board->value[field][i] = (uint64_t)values[1 + i].integer;
    return true;
}

static void ask_all(struct board *board)
{
    choose(board);
    for (uint32_t i = 0; i < FIELD_COUNT && board->top_count > 0; i++)
        if (!ask(board, i))
            board->top_count = 0; /* a node that is going away: draw no numbers */
}

/* --- drawing ------------------------------------------------------------------------------------
 */

static void line_end(struct board *board, FILE *out)
{
    fputs(board->terminal && out == stdout ? "\033[K\n" : "\n", out);
    board->lines++;
}

static void draw_top(struct board *board, FILE *out)
{
    char a[32], b[32], c[32], d[32];
    uint64_t most = 1;

    fprintf(out, "%12s  %-*s %9s %9s %9s %9s", "item", BAR_CELLS, "", "likes", "views", "comments",
            "shares");
    line_end(board, out);
    for (uint32_t i = 0; i < board->top_count; i++)
        most = board->value[0][i] > most ? board->value[0][i] : most;
    for (uint32_t i = 0; i < board->top_count; i++) {
        unsigned cells = (unsigned)(board->value[0][i] * BAR_CELLS / most);

        fprintf(out, "%12llu  ", (unsigned long long)board->top[i]);
        for (unsigned cell = 0; cell < BAR_CELLS; cell++)
            fputc(cell < cells ? '#' : ' ', out);
        fprintf(out, " %9s %9s %9s %9s", progress_number(board->value[0][i], a),
                progress_number(board->value[1][i], b), progress_number(board->value[2][i], c),
                progress_number(board->value[3][i], d));
        line_end(board, out);
    }
}

static void draw_totals(struct board *board, const struct import_result *result, FILE *out)
{
    static const enum verb shown[] = {VERB_VIEW,    VERB_LIKE,  VERB_FOLLOW,
                                      VERB_COMMENT, VERB_SHARE, VERB_SKIP};
    static const char *const names[] = {"views", "likes", "follows", "comments", "shares", "skips"};
    char number[32];

    for (uint32_t i = 0; i < 6; i++)
        fprintf(out, "%s%s %s", i > 0 ? "   " : "", names[i],
                progress_number(result->verb[shown[i]].applied, number));
    line_end(board, out);
}

static void draw_time(struct board *board, const struct import_result *result, bool ended,
                      FILE *out)
{
    char line[PROGRESS_LINE], stamp[32] = "";
    time_t seconds = (time_t)(result->time_ms / 1000);
    int64_t until_us = ended ? board->end_us : progress_now_us();
    struct tm when;

    if (seconds > 0 && gmtime_r(&seconds, &when) != NULL)
        strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M UTC", &when);
    progress_line(line, stamp[0] != '\0' ? stamp : "registering items and accounts", "commands",
                  result->read.done, result->read.whole, result->commands,
                  until_us - board->start_us + 1, board->terminal);
    fputs(line, out);
    line_end(board, out);
}

static void draw(struct board *board, const struct import_result *result, bool ended)
{
    if (board->lines > 0)
        printf("\033[%uA", board->lines);
    board->lines = 0;
    draw_time(board, result, ended, stdout);
    draw_totals(board, result, stdout);
    line_end(board, stdout);
    draw_top(board, stdout);
    line_end(board, stdout);
    printf("RESP %s   HTTP %s   Ctrl-C ends", board->to,
           board->http[0] != '\0' ? board->http : "off");
    line_end(board, stdout);
    printf("\033[J");
    fflush(stdout);
}

static void draw_plain(struct board *board, const struct import_result *result, bool ended)
{
    draw_time(board, result, ended, stdout);
    draw_totals(board, result, stdout);
    board->lines = 0; /* nothing is drawn over */
    fflush(stdout);
}

void board_draw(struct board *board, const struct import_result *result, bool ended)
{
    int64_t now_us = progress_now_us();
    bool first_end = ended && board->end_us == 0;

    if (first_end)
        board->end_us = now_us;
    if (board->quiet ||
        (!first_end && now_us - board->drawn_us < (board->terminal ? DRAW_US : PLAIN_US)))
        return;
    if (ended && !first_end && !board->terminal)
        return; /* nothing moves any more; a log file need not grow */
    board->drawn_us = now_us;
    if (!board->terminal) {
        draw_plain(board, result, ended);
        return;
    }
    ask_all(board);
    draw(board, result, ended);
}

void board_clear(struct board *board)
{
    if (board->lines > 0)
        printf("\033[%uA\033[J", board->lines);
    board->lines = 0;
}

void board_print(struct board *board, const struct import_result *result)
{
    ask_all(board);
    board->terminal = false;
    draw_totals(board, result, stdout);
    draw_top(board, stdout);
    fflush(stdout);
}

struct board *board_open(const char *to, const char *http, const char *name, const char *key,
                         bool quiet)
{
    struct board *board = calloc(1, sizeof *board);
    char message[CLIENT_MESSAGE];

    if (board == NULL)
        abort();
    if (client_open(to, name, key, &board->client, message) != STATUS_OK) {
        fprintf(stderr, "zan: %s\n", message);
        free(board);
        return NULL;
    }
    board->to = to;
    board->http = http;
    board->quiet = quiet;
    board->terminal = isatty(STDOUT_FILENO);
    board->start_us = board->drawn_us = progress_now_us();
    return board;
}

void board_close(struct board *board)
{
    if (board == NULL)
        return;
    client_close(board->client);
    free(board->slots);
    free(board);
}
