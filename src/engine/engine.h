/* engine.h: what a request means: decide, apply, record.
 *
 * One engine is one partition's rules. It looks at memory (store/hot.h) that the caller has filled
 * with what a batch needs, judges each request in order, applies it at once, and leaves a record of
 * each decision. The same apply functions run in a replay.
 *
 *   now_us     the batch's time; the engine's clock never moves back: an earlier one counts as the
 * last sequence   number of the last record decided; the log gives no numbers of its own
 *
 * A turn:   hot_turn_begin, then for the whole batch: engine_gather (what has to be read), the
 *           caller reads it, engine_gather_creators, the caller reads it, engine_step.
 * Holds:    pure: no clock, no random, no float, no malloc. Reading a page of a list (LIKERS, ...)
 * is the only thing that may reach the store during a step. Memory:   the caller owns everything;
 * replies point into engine.arena, borrowed until it is reset. */
#ifndef ZAN_ENGINE_ENGINE_H
#define ZAN_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "engine/disclose.h"
#include "engine/judge.h"
#include "schema/batch.h"
#include "schema/record.h"
#include "store/hot.h"
#include "store/store.h"

#define ENGINE_NEEDS_MAX   STORE_MANY_MAX
#define ENGINE_EFFECTS_MAX 16384
/* Records one request can make: eight actions, their ACT, and what rules and cases add: for each
 * action a case and its four sanctions, a case to be looked at, one about its item (flood.h). */
#define ENGINE_RECORDS_MAX    68
#define ENGINE_ARENA_BYTES    (8u << 20)
#define ENGINE_BODY_BYTES     (1u << 20)
#define ENGINE_PARTITIONS_MAX 64
#define ENGINE_CASES_MAX      256 /* rows of cases needed by one step */


struct inbox_key {
    uint64_t id;
    uint16_t tenant;
};

/* What must be in memory and is not: keys of rows to be read from the store. */
struct needs {
    uint32_t account_count, item_count, edge_count, operation_count, case_count, inbox_count;
    struct account_row accounts[ENGINE_NEEDS_MAX];
    struct item_row items[ENGINE_NEEDS_MAX];
    struct edge_row edges[ENGINE_NEEDS_MAX];
    struct operation_row operations[ENGINE_NEEDS_MAX];
    uint32_t asked_count; /* edges that reads ask for, not looked for yet; gather's own */
    struct edge_key asked[HOT_EDGES_MAX];
    struct case_row cases[ENGINE_CASES_MAX];
    struct inbox_key inboxes[ENGINE_NEEDS_MAX];
    uint32_t inbox_asked; /* engine_gather_record: inboxes that the records so far may change */
    bool again; /* of the second look: what it asks for names something more; look once more */
    uint32_t buckets, rows; /* gather's own: up to which request memory is on its way */
    bool found[ENGINE_NEEDS_MAX]; /* the reader's own; as a local it would be cleared every turn */
};

/* Where a page of a list ended, so that the next one does not walk the list from its head: a client
 * that pages asks for what follows the cursor it was given. Forgotten pages cost time, never truth.
 */
#define ENGINE_PAGES 256
struct page_end {
    uint64_t id, below, age;
    uint16_t tenant;
    uint8_t kind, taken;
    struct hot_cursor cursor;
};

/* What a record causes in another partition (docs/ARCHITECTURE.md, "Partitions"): a record for its
 * log. */
struct effect {
    uint16_t to;
    struct record record;
};

struct policy;
struct policy_book;
/* Likes that a case is about, as many as one step of its sweep takes. */
#define ENGINE_SWEEP 128
struct case_page {
    uint64_t id, about, below;
    uint16_t tenant;
    bool item; /* the likes of an item, not those of an account */
    bool more;
    uint32_t count;
    struct reply_entry likes[ENGINE_SWEEP];
};

/* The clean-up under way: a call that takes several steps (cleanup.c). */
#define ENGINE_SWEEP 128 /* likes in a step */
struct sweep {
    bool under_way;
    uint16_t verb, tenant, number; /* number: of the clean-up */
    uint8_t kind;                  /* of the edges this step is about */
    uint64_t account;
    int64_t before_us, after_us;
    uint64_t below, next_below; /* where this step begins; where the next one does */
    uint32_t looked, done;      /* so far */
    bool more;
    enum status status; /* of reading the list */
    uint32_t count;     /* of this step */
    struct reply_entry entries[ENGINE_SWEEP];
};

struct engine {
    struct hot *hot;
    struct store *store;
    struct judges *judges; /* NULL: every act counts in full (replay of what is long decided) */
    struct policy_book *book; /* versions of the rules (policy_book.h); NULL: they cannot change */
    uint16_t partition, partition_count;
    bool create_unknown; /* accounts and items come to be on first sight */
    int64_t operation_keep_us;
    int64_t erase_wait_us; /* between ACCOUNT ERASE and ACCOUNT PURGE */
    bool writes_refused; /* set by the caller before a step: every write answers refusal */
    enum status refusal; /* NOSPACE, BUSY or READONLY */
    const char *expected; /* what the value should have been that was refused last (BADVALUE) */
    uint64_t sequence;
    int64_t now_us;
    uint64_t marks[ENGINE_PARTITIONS_MAX]; /* per source: number of the last effect taken over */
    struct arena arena;                    /* replies of this step */
    uint8_t *body;                         /* encoded records of this step */
    size_t body_max; /* room in it; at most ENGINE_BODY_BYTES, a quarter of a log segment */
    size_t body_size;
    uint32_t record_count;   /* in body */
    uint64_t first_sequence; /* of the first one in body */
    struct effect *effects;  /* ENGINE_EFFECTS_MAX; made by this step, for other partitions */
    uint32_t effect_count;
    uint32_t effect_index; /* of the record being applied: numbers its effects */
    struct sweep sweep;
    struct page_end pages[ENGINE_PAGES];
    struct disclosure disclosure;
    uint64_t cases_refused; /* found no room; their sanctions hold all the same */
    uint32_t case_hand;     /* engine_case_next goes round */
    uint64_t requests[VERB_COUNT];
    uint64_t answers[STATUS_COUNT];
};

/* Looks at requests from .. count of the batch, as many as there is room for; fills needs; returns
 * up to which request (exclusive) the step may go. Equal to from: no room at all; a flush must end
 * first. */
uint32_t engine_gather(struct engine *engine, const struct batch *batch, uint32_t from,
                       struct needs *needs);

/* Second look, now that the items are in memory: their creators. */
void engine_gather_creators(struct engine *engine, const struct batch *batch, uint32_t from,
                            uint32_t to, struct needs *needs);

/* Decides, applies and records requests from .. to in order and fills their replies. Returns where
 * it stopped: at to, or earlier when a room of this step (arena, body, effects) is used up. The
 * records are in engine.body until the next call. */
uint32_t engine_step(struct engine *engine, struct batch *batch, uint32_t from, uint32_t to,
                     int64_t now_us);

/* --- replay, and effects from other partitions ---------------------------------------------------
 */

/* Like engine_gather for one record. False: no room left in needs, read first. */
bool engine_gather_record(struct engine *engine, const struct record *record, struct needs *needs);
bool engine_gather_record_creators(struct engine *engine, const struct record *record,
                                   struct needs *needs);

/* Applies a record that stands in the log; its sequence must be the next one. */
void engine_apply(struct engine *engine, const struct record *record);

/* Empties body and effects before a run of engine_take. */
void engine_begin(struct engine *engine, int64_t now_us);

/* Takes an effect over: applies it and adds it to the body, unless it was taken before. It may add
 * a second record, of a case (flood.h). */
void engine_take(struct engine *engine, const struct record *effect);

/* A like that is on is worth something else from now on (struct record of kind SETTLE: tenant,
 * account, target, verdict, a: the case it carries out). Adds it to the body; not, if there is no
 * such like, or nothing would change. Its rows must be in memory (engine_gather_record). */
void engine_settle(struct engine *engine, const struct record *settle);

/* The held likes that are due, oldest first, up to count of them; how many. Their rows must be in
 * memory (engine_gather_record with engine_hold_record) when they are settled. */
uint32_t engine_holds_due(const struct engine *engine, int64_t now_us, const struct hold **hold,
                          uint32_t count);
struct record engine_hold_record(const struct hold *hold);
/* Scores the oldest held like again and takes it out of the queue. */
void engine_hold_settle(struct engine *engine);

/* A like at rest: if it is held or quarantined still, and of an account that lives here, it waits
 * in the queue again. False: there is no room for it now. */
bool engine_hold_again(struct engine *engine, const struct edge_row *row);

/* --- cases: what the partition does by itself ----------------------------------------------------
 * next:   a case that is due, or whose sweep is under way; looks at no more than *looks of them
 * expire: if it is due; the case and what it is about must be in memory
 * page:   the next likes of its sweep (reads the store); count 0 and no more: the step ends it
 * step:   the first count likes of the page; the rows of engine_case_settle must be in memory
 * Between two of them nothing is lost by a crash: what is not recorded is done again. */
bool engine_case_next(struct engine *engine, int64_t now_us, uint32_t *looks, uint16_t *tenant,
                      uint64_t *id);
bool engine_case_expire(struct engine *engine, uint16_t tenant, uint64_t id);
enum status engine_case_page(struct engine *engine, uint16_t tenant, uint64_t id,
                             struct case_page *page);
struct record engine_case_settle(const struct case_page *page, uint32_t i);
void engine_case_step(struct engine *engine, const struct case_page *page, uint32_t count);
/* Rows that a step of that case needs; false: no room in needs. Twice: the case, then its subject.
 */
bool engine_gather_case(struct engine *engine, uint16_t tenant, uint64_t id, struct needs *needs);

/* Is there room in body and effects for count more effects? */
bool engine_can_take(const struct engine *engine, uint32_t count);

#endif
