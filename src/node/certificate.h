/* certificate.h: what the likes of one item were at given moments, from the log alone.
 *
 * A replay of the log of the item's partition into a store that is thrown away. What stands at a
 * moment T is the state after every record whose time is at most T: batches are whole, so it is
 * named by the number of the last of these records and by the hash of its batch (the chain), which
 * stands for every record up to there. Whoever has the log comes to the same by the same call;
 * what the log has after a moment changes nothing of what it says about it.
 *
 * published   the time of the first batch after which the item is there and published
 * reached     the log has a record later than the moment. Without one it may still get records of
 *             that very moment, and a log that was cut off looks the same: nothing is said then
 * the end     as of the last record; always there, if the log has one
 *
 * Times are those of the node's clock (a partition's own), in microseconds; with several partitions
 * an act counts for an item when its partition took it over, some milliseconds later.
 *
 * Nothing is written to the data directory. */
#ifndef ZAN_NODE_CERTIFICATE_H
#define ZAN_NODE_CERTIFICATE_H

#include "node/node.h"
#include "schema/row.h"

#define CERTIFICATE_ASKED_MAX 32 /* moments that are asked for by their time */

enum certificate_kind {
    CERTIFICATE_PUBLISHED,
    CERTIFICATE_WEEK,  /* 7 days after it was published */
    CERTIFICATE_MONTH, /* 30 days after */
    CERTIFICATE_ASKED,
    CERTIFICATE_END
};

struct certificate_moment {
    int64_t at_us;
    uint8_t kind;      /* enum certificate_kind */
    bool reached;      /* what follows is only set if it is */
    bool there;        /* the item was known: row */
    uint64_t sequence; /* of the last record; 0: there was none, chain is zero */
    uint8_t chain[32];
    struct item_row row;
};

struct certificate_options {
    const struct config *config;
    const char *scratch; /* an empty directory for the store that is thrown away */
    uint64_t item;
    uint16_t tenant;
    uint32_t asked_count;
    int64_t asked_us[CERTIFICATE_ASKED_MAX];
};

struct certificate {
    uint16_t partition; /* where the item is at home */
    uint8_t log_id[16];
    uint64_t records;
    int64_t last_us; /* time of the last record */
    bool published;
    int64_t published_us;
    uint64_t damaged; /* segments of one copy that the other had to stand in for */
    uint32_t count;   /* by time, the end last */
    struct certificate_moment moments[CERTIFICATE_ASKED_MAX + 4];
    char message[512]; /* why it could not be done */
};

/* NOITEM: the log has nothing of it. BADDATA, CORRUPT: the log is damaged, the message says where.
 */
enum status certificate_make(const struct certificate_options *options,
                             const struct node_progress *progress, struct certificate *certificate);

#endif
