/* audit.h: a node in operation checks itself: is counter = edges = log?
 *
 * Item after item, in a rotation that begins at a place of its own each start, is held against the
 * list of its edges, in memory and at rest, at one sequence number; so is the account of one of
 * these edges; and the edge's record is read back from the log. A little at a time, between two
 * turns of the partition: at most AUDIT_LOOK rows at once, and never more than one part in
 * AUDIT_SHARE of the loop's time.
 *
 * A list longer than one look is read over several turns. What changed meanwhile (its row is
 * another, or an edge was turned on since) is read again, AUDIT_TRIES times; then it is left out
 * this round, and counted. A difference counts only if a second reading finds the same one.
 *
 * A difference is an alarm: the state is not what the log says, and what is decided on it would
 * enter the log for good. So writes end (READONLY), reads go on, and the store is marked, so that
 * the next start makes it again from the log. zan verify does the same comparison whole, by sums.
 *
 * Threads: audit_turn is the partition's; audit_read_back the scrubber's (scrub.h). They meet in
 *          `question`, whose state says whose turn it is.
 * Holds always: nothing is changed, in no row and no list. */
#ifndef ZAN_NODE_AUDIT_H
#define ZAN_NODE_AUDIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "schema/facts.h"
#include "store/hot.h"

#define AUDIT_LOOK  64 /* rows looked at in one turn */
#define AUDIT_SHARE 50 /* after a look of t, none for 50 t */
#define AUDIT_TRIES 4
#define AUDIT_ITEMS 16 /* asked of the store at once */

struct partition;
struct log;

/* The counter that says how many edges of a kind are on. */
extern const enum counter audit_counter[EDGE_COUNT];

/* What a row says of one of its lists, or what the edges of that list come to. credit and reasons:
 * of an item's likes, else 0. No padding: it is compared as bytes. */
struct audit_claim {
    uint64_t count, taken_back;
    struct credit credit;
    uint32_t reasons[REASON_COUNT];
};

/* One list on its way to being counted. */
struct audit_walk {
    uint8_t plan; /* which list of which kind of row (audit.c) */
    uint64_t id;
    uint64_t sequence;        /* the partition's when it began */
    struct audit_claim claim; /* of the row, then */
    struct hot_cursor cursor;
    uint64_t age, below;
    struct audit_claim found, doubt; /* by the edges; and what the reading before had found */
    bool at_rest;                    /* what is in memory has been seen */
    bool begun, doubted;
    uint32_t tries;
};

enum audit_asked { AUDIT_FREE, AUDIT_ASKED, AUDIT_SAME, AUDIT_OTHER, AUDIT_UNREADABLE };

struct audit {
    struct partition *partition;
    uint32_t items_per_second; /* 0: off */
    uint64_t random;
    struct item_row items[AUDIT_ITEMS]; /* the next ones */
    uint32_t item_count, item_at;
    uint16_t tenant;                    /* of what is looked at */
    uint16_t from_tenant, first_tenant; /* where the rotation stands; where the round began */
    uint64_t from, first;
    bool begun, wrapped, seen; /* seen: there was an item in this round */
    struct audit_walk walk;
    bool busy;              /* a walk is under way */
    struct edge_row sample; /* one of the item's edges */
    uint64_t sampled;       /* of so many */
    int64_t next_us, item_us;
    struct {
        _Atomic int state; /* enum audit_asked */
        struct edge_row edge;
        uint64_t segment;
    } question;
    struct audit_facts facts;
};

void audit_open(struct audit *audit, struct partition *partition, uint32_t items_per_second,
                uint64_t seed);

/* A look, if it is time for one. Between two turns of the partition. */
void audit_turn(struct audit *audit, int64_t now_us);

/* Until the next look, for a loop that has nothing else to do; at most `limit`. */
int audit_sleep_ms(const struct audit *audit, int64_t now_us, int limit);

/* Answers the question that waits, if there is one, by reading the log. */
void audit_read_back(struct audit *audit);

#endif
