/* hot.h: the part of the state that is in memory, in room taken once at start.
 *
 * Accounts and items are a cache: a row stays while it differs from the store, otherwise second
 * chance decides. Edges and operation ids live in two regions: the active one takes changes, the
 * other is frozen while it is written to the store and is a cache afterwards, as long as there is
 * room. A third, small one (scratch) holds what was read from the store for this turn.
 *
 *   slot      index of an account or item in its table; valid until the end of the turn
 *   epoch     number of a freeze; a row is dirty in an epoch, and clean once that epoch is at rest
 *
 * Life of a row:   absent -> hot_X_add -> clean -> hot_X_change -> dirty -> (flush ends) clean ->
 * evicted Life of a flush: hot_freeze -> hot_collect until true -> hot_frozen (another thread may
 * read it until) -> hot_rest. Between them changes go on; a row that changes before it was
 * collected is copied aside first. Holds always:    at most HOT_DIRTY_SHARE of the account and item
 * slots are dirty, so reads always find room (the caller asks hot_room before a turn). Memory:
 * everything belongs to the struct hot; nothing is allocated after hot_open. Threads:         one;
 * but for the arrays of hot_frozen, see above. */
#ifndef ZAN_STORE_HOT_H
#define ZAN_STORE_HOT_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/row.h"
#include "store/edge.h"

#define HOT_NONE 0xFFFFFFFFu
#define HOT_CASES 4096
#define HOT_INBOXES 4096
#define HOT_WINDOWS_MAX 1024 /* quarantines open at a time; one more quarantines no new likes */
#define HOT_LIVE_MAX 65536 /* cases that somebody has to see to */

struct hot;

struct hot_config {
    uint32_t accounts; /* slots */
    uint32_t items;
    uint32_t edges;      /* in each of the two regions */
    uint32_t operations; /* in each of the two regions */
    uint32_t scratch;    /* edges, and operations, read for one turn */
    uint32_t cases;      /* slots; 0: HOT_CASES */
    uint32_t inboxes;    /* slots; 0: HOT_INBOXES. Their memory is used as they are */
};

/* How many of everything fit into bytes of memory, in the shares that worked best for short videos:
 * see docs/results. Never less than a turn needs. */
struct hot_config hot_config_for(uint64_t bytes);

struct hot *hot_open(const struct hot_config *config); /* NULL: no memory */
void hot_close(struct hot *hot);

/* Forgets the scratch, unpins all slots. */
void hot_turn_begin(struct hot *hot);

/* --- room ----------------------------------------------------------------------------------------
 */
struct hot_room {
    uint32_t accounts, items, edges, operations; /* how many more can be made or made dirty */
    uint32_t loads;   /* accounts or items that can be brought in for this turn */
    uint32_t scratch; /* edges or operations that can be */
    uint32_t cases;   /* can be made or made dirty */
    uint32_t live;    /* more can become live */
    uint32_t inboxes; /* can be made or made dirty */
};
void hot_room(const struct hot *hot, struct hot_room *room);

/* --- accounts and items --------------------------------------------------------------------------
 */
void hot_account_prefetch(const struct hot *hot, uint16_t tenant, uint64_t id); /* the bucket */
void hot_item_prefetch(const struct hot *hot, uint16_t tenant, uint64_t id);
void hot_account_prefetch_slot(const struct hot *hot, uint16_t tenant,
                               uint64_t id); /* then the row */
void hot_item_prefetch_slot(const struct hot *hot, uint16_t tenant, uint64_t id);

/* HOT_NONE if it is not in memory. Pins the slot for this turn. */
uint32_t hot_account_find(struct hot *hot, uint16_t tenant, uint64_t id);
uint32_t hot_item_find(struct hot *hot, uint16_t tenant, uint64_t id);

/* Brings in a row that is not in memory, clean: as read from the store, or new (all zero but key).
 */
uint32_t hot_account_add(struct hot *hot, const struct account_row *row);
uint32_t hot_item_add(struct hot *hot, const struct item_row *row);

const struct account_row *hot_account(const struct hot *hot, uint32_t slot);
const struct item_row *hot_item(const struct hot *hot, uint32_t slot);

/* NULL if it is not in memory. Pins nothing: valid until a row is brought in. */
const struct item_row *hot_item_peek(const struct hot *hot, uint16_t tenant, uint64_t id);

/* The same row, to be changed now; it becomes dirty. */
/* Growth of an item is not shown until then; and the latest such time of all items that were ever
 * in memory: while it lies in the past, nobody has to look at any row for it. */
void hot_item_paused(struct hot *hot, uint32_t until_s);
uint32_t hot_paused_until_s(const struct hot *hot);

struct account_row *hot_account_change(struct hot *hot, uint32_t slot);
struct item_row *hot_item_change(struct hot *hot, uint32_t slot);

/* --- edges ---------------------------------------------------------------------------------------
 */
/* For a change that comes: first the one, later the other. */
void hot_edge_prefetch(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                       uint64_t target);
void hot_edge_prefetch_slot(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                            uint64_t target);

/* NULL if not in memory. fresh: only what the store does not have yet. */
const struct edge_row *hot_edge_find(const struct hot *hot, uint16_t tenant, uint8_t kind,
                                     uint64_t account, uint64_t target);
const struct edge_row *hot_edge_find_fresh(const struct hot *hot, uint16_t tenant, uint8_t kind,
                                           uint64_t account, uint64_t target);

/* The same for many at once, which is several times as fast; rows[i] is NULL if keys[i] is not in
 * memory. */
#define HOT_EDGES_MAX 256 /* in one call */
void hot_edges_find(const struct hot *hot, const struct edge_key *keys, uint32_t count,
                    const struct edge_row **rows);

/* Which edges of one account are on, 1 or 0: what the answer says once all are in memory. */
void hot_edges_on(const struct hot *hot, uint16_t tenant, uint8_t kind, uint64_t account,
                  const uint64_t *targets, uint32_t count, uint64_t *on);

/* Holds a row read from the store until the end of the turn. */
void hot_edge_hold(struct hot *hot, const struct edge_row *row);

/* Sets the edge to row (its key, its new state). giver and taker are the slots whose lists it
 * enters when it is turned on and of a listed kind; HOT_NONE: no list (the row lives elsewhere).
 * For FOLLOW taker is an account slot, otherwise an item slot. A row that is on with the sequence it
 * had stays where it is in the lists; giver and taker are HOT_NONE then. */
void hot_edge_set(struct hot *hot, const struct edge_row *row, uint32_t giver, uint32_t taker);

/* Lists: edges turned on since the last flush that ended, newest first, that are still on.
 * Start with hot_list_X, then follow with hot_list_next until HOT_NONE. */
struct hot_cursor {
    uint32_t entry;
    uint8_t region;
    uint8_t taken; /* 1: by target, 0: by account */
    uint8_t kind;
    uint32_t older; /* where the list goes on in the older region */
};
void hot_list_given(const struct hot *hot, uint32_t account, uint8_t kind,
                    struct hot_cursor *cursor);
void hot_list_taken(const struct hot *hot, uint32_t slot, uint8_t kind, struct hot_cursor *cursor);
const struct edge_row *hot_list_next(const struct hot *hot, struct hot_cursor *cursor);

/* A cursor kept from an earlier turn goes on where it was as long as this number is the same: lists
 * only grow at their new end between two freezes, and until a flush ends. */
uint64_t hot_list_age(const struct hot *hot);

/* --- cases ---------------------------------------------------------------------------------------
 * Rows are a cache like accounts. Those that are live (case_is_live) are known by their heads all
 * the time, in order of id; the table of heads takes HOT_LIVE_MAX. Whoever opens a case looks at the
 * room first; one that becomes live all the same is kept in its row, and listed after a restart
 * that finds room (hot_stats tells how many). */
uint32_t hot_case_find(struct hot *hot, uint16_t tenant, uint64_t id);
uint32_t hot_case_add(struct hot *hot, const struct case_row *row);
const struct case_row *hot_case(const struct hot *hot, uint32_t slot);
struct case_row *hot_case_change(struct hot *hot, uint32_t slot);
/* The head of a row that was changed, or read at start, is up to date from here on. */
void hot_case_note(struct hot *hot, const struct case_row *row);
/* Is a quarantine that two people decided open over this item? */
bool hot_case_window(const struct hot *hot, uint16_t tenant, uint64_t item);
const struct case_live *hot_cases_live(const struct hot *hot, uint32_t *count);

/* --- inboxes: a cache like accounts -------------------------------------------------------------
 */
uint32_t hot_inbox_find(struct hot *hot, uint16_t tenant, uint64_t id);
uint32_t hot_inbox_add(struct hot *hot, const struct inbox_row *row);
const struct inbox_row *hot_inbox(const struct hot *hot, uint32_t slot);
struct inbox_row *hot_inbox_change(struct hot *hot, uint32_t slot);

/* --- operations ----------------------------------------------------------------------------------
 */
const struct operation_row *hot_operation_find(const struct hot *hot, uint16_t tenant,
                                               const uint64_t id[2]);
void hot_operation_hold(struct hot *hot, const struct operation_row *row);
void hot_operation_set(struct hot *hot, const struct operation_row *row);

/* --- flush ---------------------------------------------------------------------------------------
 */
/* May a flush begin (no other is under way)? Is there anything to flush? */
bool hot_can_freeze(const struct hot *hot);
bool hot_is_dirty(const struct hot *hot);
/* Share of the active room in use, in percent, of whatever is fullest. */
uint32_t hot_fill_percent(const struct hot *hot);

void hot_freeze(struct hot *hot);

/* Copies up to count rows aside; true when all are. */
bool hot_collect(struct hot *hot, uint32_t count);

struct hot_frozen {
    struct account_row *accounts;
    uint64_t account_count;
    struct item_row *items;
    uint64_t item_count;
    struct edge_row *edges;
    uint64_t edge_count;
    struct operation_row *operations;
    uint64_t operation_count;
    struct case_row *cases;
    uint64_t case_count;
    struct inbox_row *inboxes;
    uint64_t inbox_count;
};
/* The frozen rows, in arrays of the struct hot that the reader may reorder. Call on the thread that
 * writes them out: it copies the edges. */
void hot_frozen(struct hot *hot, struct hot_frozen *frozen);

/* The frozen rows are at rest: they are clean from now on. */
void hot_rest(struct hot *hot);

struct hot_stats {
    uint64_t accounts, items, edges, operations; /* in memory now */
    uint64_t edges_room;
    uint64_t evictions;
    uint64_t cases_live, cases_unlisted;
};
void hot_stats(const struct hot *hot, struct hot_stats *stats);

#endif
