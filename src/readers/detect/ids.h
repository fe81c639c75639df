/* ids.h: ids of accounts or items as numbers 0, 1, 2 ... in the order they come.
 *
 * Memory: 8 bytes an id, and 8 to 16 of places to find it; doubled as it grows. */
#ifndef ZAN_READERS_DETECT_IDS_H
#define ZAN_READERS_DETECT_IDS_H

#include <stdint.h>

#include "schema/status.h"

struct ids {
    uint64_t *id; /* [count] */
    uint32_t count, room;
    uint32_t *place; /* number plus 1, by hash; 0: free */
    uint32_t mask;   /* places - 1 */
};

/* All zero is an empty one. Its number; NOMEMORY leaves all as it was. */
enum status ids_number(struct ids *ids, uint64_t id, uint32_t *number);
void ids_free(struct ids *ids);

#endif
