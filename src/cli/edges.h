/* edges.h: likes for zan detect: of a file of lines "account item seconds", or of a node's log.
 *
 * Fields are parted by tabs or blanks; seconds may have decimals (which are cut off) or be missing
 * (0). Empty lines, lines that begin with #, and a first line that does not begin with a digit are
 * left out. What comes after the third field is an error, as everything else is: a table with other
 * columns would make a finding about nobody.
 *
 * Memory: 12 bytes a like, growing by halves, and ids.h for accounts and items. */
#ifndef ZAN_CLI_EDGES_H
#define ZAN_CLI_EDGES_H

#include "cli/progress.h"
#include "readers/detect/graph.h"
#include "readers/detect/ids.h"

#define EDGES_MESSAGE  256
#define EDGES_LINE_MAX 4096

struct edges {
    struct graph_like *like; /* in the order of the file; graph_make takes it over */
    uint64_t count, room;
    struct ids account, item;
};

/* NOMEMORY; TOOBIG: more than GRAPH_LIKES_MAX. */
enum status edges_add(struct edges *edges, uint64_t account, uint64_t item, uint32_t time_s);

/* "-" is standard input. IOFAIL, BADDATA (message says which line and why), NOMEMORY, TOOBIG. */
enum status edges_read(const char *path, struct progress *progress, struct edges *edges,
                       char message[EDGES_MESSAGE]);
void edges_free(struct edges *edges);

#endif
