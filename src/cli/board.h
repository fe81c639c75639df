/* board.h: counters on a terminal, drawn over themselves; plain lines elsewhere.
 *
 * What it shows was asked at the front door (LIKES, VIEWS, ...), so it is what any client would
 * see. Which items are worth asking for it learns from the likes it is told of. */
#ifndef ZAN_CLI_BOARD_H
#define ZAN_CLI_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/import.h"

struct board;

/* to: the node's RESP address. quiet: nothing is drawn. Returns NULL after a message was printed.
 */
struct board *board_open(const char *to, const char *http, const char *name, const char *key,
                         bool quiet);
void board_close(struct board *board);

/* Somebody liked an item. */
void board_like(struct board *board, uint64_t item);

/* Draws if it is time to; result is how far the import has come; ended: it is over. */
void board_draw(struct board *board, const struct import_result *result, bool ended);

/* Takes the drawing away, so that something else can be said there; the next one goes below. */
void board_clear(struct board *board);

/* The last state, as plain text, whatever the terminal is. */
void board_print(struct board *board, const struct import_result *result);

#endif
