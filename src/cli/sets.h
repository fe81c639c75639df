/* sets.h: sets of the recommendation literature: a line an account, "account item item ...".
 *
 * Numbers are ids; they need not be dense, nor lines in order; an account may have several lines,
 * and what is said twice counts once. Rows and columns of the matrices are places in the ascending
 * lists of ids, of both files together, so that train and test have the same shape.
 *
 * Memory: 16 bytes a pair while reading, then the matrices; sets_free frees all. */
#ifndef ZAN_CLI_SETS_H
#define ZAN_CLI_SETS_H

#include <stdbool.h>

#include "cli/lines.h"
#include "readers/recommend/matrix.h"
#include "schema/status.h"

struct sets_pair {
    uint64_t account, item;
};

struct sets_list {
    struct sets_pair *pair;
    uint64_t count, room;
};

struct sets {
    uint64_t *account, *item; /* ids, ascending */
    uint32_t accounts, items;
    struct matrix train, test; /* test empty without a second list */
};

/* False: no memory. */
bool sets_add(struct sets_list *list, uint64_t account, uint64_t item);

/* Adds what the file has. IOFAIL, BADDATA (message says where), NOMEMORY. */
enum status sets_read(const char *path, struct sets_list *list, char message[LINES_MESSAGE]);

/* Frees both lists, whatever comes of it. test NULL: none. NOMEMORY, TOOBIG (2^31 ids or pairs). */
enum status sets_make(struct sets_list *train, struct sets_list *test, struct sets *sets);
void sets_free(struct sets *sets);

/* Place of an id in an ascending list; UINT32_MAX: it is not there. */
uint32_t sets_find(const uint64_t *ids, uint32_t count, uint64_t id);

#endif
