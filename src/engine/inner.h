/* inner.h: what the files of the engine share among themselves. */
#ifndef ZAN_ENGINE_INNER_H
#define ZAN_ENGINE_INNER_H

#include "base/hash.h"
#include "engine/engine.h"

/* Effects of one record to one partition: at most two of each counter (an item changes its creator)
 * and the item itself. Their number in the log of the source is sequence * this + index. */
#define EFFECTS_PER_RECORD 32

/* What an effect does where it arrives; bits 32.. of record.b. Part of the formats. */
enum effect_kind {
    EFFECT_TARGET,   /* the verb happened to the target: count it, mirror its edge */
    EFFECT_RECEIVED, /* the target is an account whose received counter (bits 16..31) moves by c */
    EFFECT_ITEM,     /* the target is an item that is known, its state is c */
    EFFECT_ACCOUNT,  /* the target is an account that is known */
    EFFECT_WEIGH,    /* the like of account on target is worth what the verdict says */
    EFFECT_CREDIT,   /* what the likes that the target received are worth moves: c of a field */
    EFFECT_SETTLE,   /* the item's partition asks the account's: WEIGH comes back */
    EFFECT_REPORT,   /* a review upheld (c: 1) or dismissed (0) a report of the account target */
    EFFECT_RULES,    /* account: the version in force, target: the one in shadow; 0: none */
    EFFECT_COMPENSATE, /* the creator target is given c percent of a like; below 0: owes it */
    EFFECT_NOTICE    /* the account target is told: notice.c */
};

/* Of an effect's b: partition it is from, verb << 16, kind << 32, and << 40 of an EFFECT_TARGET of
 * UNLIKE the horizon in seconds, of VIEW what counts no longer (record_along), of an EFFECT_COMPENSATE the cap in likes. */
static inline enum effect_kind effect_kind_of(const struct record *effect)
{
    return (enum effect_kind)(effect->b >> 32 & 0xFF);
}

static inline bool is_home(const struct engine *engine, uint64_t id)
{
    return engine->partition_count == 1 ||
           hash_partition(id, engine->partition_count) == engine->partition;
}

/* --- engine.c */
/* The next record: numbered, written to the body, applied. There must be room for it. */
void record_commit(struct engine *engine, struct record *record);
void record_begin(struct record *record, const struct request *request, uint8_t kind);
/* Whose decision it is. */
void record_actor(struct record *record, const struct request *request);
/* The same, and why in words. */
void record_reasoned(struct record *record, const struct request *request, const char *text,
                     uint8_t text_size);
void record_operation(struct record *record, const struct request *request, uint64_t content,
                      enum status status);

/* --- registry.c: rows of accounts and items */
uint32_t account_ensure(struct engine *engine, uint16_t tenant, uint64_t id, int64_t time_us);
uint32_t item_ensure(struct engine *engine, uint16_t tenant, uint64_t id, int64_t time_us);
enum status registry_decide(struct engine *engine, const struct request *request,
                            struct record *record);
void registry_apply(struct engine *engine, const struct record *record);
void registry_take_item(struct engine *engine, const struct record *effect);

/* --- interaction.c: what accounts do to items and creators */
enum status interaction_check(struct engine *engine, const struct request *request, uint8_t verb,
                              int64_t *until_us);
/* Would this verb change anything? *before: the edge as it is, until another one is set; NULL: there
 * was none, or the verb sets none. */
bool interaction_changes(const struct engine *engine, uint16_t tenant, uint8_t verb,
                         uint64_t account, uint64_t target, const struct edge_row **before);
void interaction_apply(struct engine *engine, const struct record *record);
void interaction_take(struct engine *engine, const struct record *effect, uint8_t verb);
void received_move(struct engine *engine, const struct record *cause, uint64_t creator,
                   enum counter counter, int64_t amount);
void received_apply(struct engine *engine, uint16_t tenant, uint64_t creator, int64_t time_us,
                    enum counter counter, int64_t amount);
void effect_emit(struct engine *engine, const struct record *cause, uint16_t to,
                 enum effect_kind kind, uint8_t verb, uint64_t account, uint64_t target,
                 int64_t amount, const struct verdict *verdict);
void effect_emit_all(struct engine *engine, const struct record *cause, enum effect_kind kind,
                     uint64_t target, int64_t amount);

/* --- credit.c: what likes are worth */
/* The worth of a like that is on; of one that is off, nothing. */
struct verdict edge_verdict(const struct edge_row *edge);
/* Writes into a record, not applied yet, that changes a like what that was worth until now. The
 * like: NULL, there was none. */
void record_like_before(struct record *record, const struct edge_row *like, int64_t now_us);
/* amount likes of that worth come (or, below 0, go): to the item, and to its creator. */
void credit_item(struct engine *engine, const struct record *cause, struct item_row *item,
                 const struct verdict *verdict, int64_t amount);
/* All that an item's likes are worth moves to, or from, a creator. */
void credit_creator_all(struct engine *engine, const struct record *cause,
                        const struct item_row *item, uint64_t creator, int sign);
void credit_take(struct engine *engine, const struct record *effect);
/* A creator, whose row is in memory if it lives here, is given that much of exposure, at most cap
 * likes in a period, or (amount below 0) owes it. */
void compensation_move(struct engine *engine, const struct record *cause, uint64_t creator,
                       int64_t amount_pct, uint32_t cap);
void compensation_take(struct engine *engine, const struct record *effect);
void settle_apply(struct engine *engine, const struct record *record);
void settle_take(struct engine *engine, const struct record *effect);

/* A value that the parser takes and this request, as things stand, does not. expected: a constant
 * that says what was wrong and what would do; the answer tells it. */
static inline enum status bad_value(struct engine *engine, const char *expected)
{
    engine->expected = expected;
    return STATUS_BADVALUE;
}

/* --- judge.c: what acts are worth */
/* Judges a change that would be made. Not OK: it is refused; reply tells until or again when. */
enum status judge_act(struct engine *engine, const struct request *request, uint8_t verb,
                      struct verdict *verdict, int64_t *window_us, struct reply *reply);
/* Writes into the record of an un-like what it was taken for and how its weight fades; after
 * judge_act, or, of a clean-up, without it. */
void judge_unlike(struct engine *engine, struct record *record, int64_t freeze_us);
/* Writes into the record of a view what before it counts no longer; after judge_act. */
void judge_view(const struct engine *engine, struct record *record);
/* What rules want done about the account whose act was judged last, carried out or refused. */
void judge_sanction(struct engine *engine);
/* The act that a record stands for, from rows as they are before it is applied. */
void judge_prepare(struct engine *engine, const struct record *record);
/* It was applied: learn from it. */
void judge_learn(struct engine *engine, const struct record *record);
/* A like is held from now on (record: SETTLE, applied; its edge): one that counted in full, or one
 * that a case gave back as it was. It waits to be settled. */
void judge_hold(struct engine *engine, const struct record *record, const struct edge_row *edge);
/* Nothing that is kept of acts names this account any more (what counts them does by hashes). */
void judge_forget(struct engine *engine, uint16_t tenant, uint64_t account);
void judge_prefetch(const struct engine *engine, const struct request *request, bool deep);

/* --- operation.c: operation ids */
uint64_t operation_content(const struct request *request);
/* True: the id is known or too old; the reply is filled. */
bool operation_answer(struct engine *engine, const struct request *request, uint64_t content,
                      struct reply *reply);
void operation_keep(struct engine *engine, const struct record *record, uint8_t applied);

/* --- read.c */
/* False: the arena has no room for the answer now. */
bool read_answer(struct engine *engine, const struct request *request, struct reply *reply);
bool read_item_copy(struct engine *engine, uint16_t tenant, uint64_t id, struct reply *reply);
/* Up to max of what a list of that kind holds below *below, newest first, at home: an account's,
 * or, taken, a target's. *below and *more: where and whether it goes on. */
enum status read_list(struct engine *engine, uint16_t tenant, bool taken, uint8_t kind, uint64_t id,
                      struct reply_entry *entries, uint32_t max, uint64_t *below, uint32_t *count,
                      bool *more);
/* The edges of that kind that entries tell of, at home: all of one account, or, taken, all at one
 * target; from memory or from the store. At most READ_EDGES_MAX. */
#define READ_EDGES_MAX 128
enum status read_edges(struct engine *engine, uint16_t tenant, bool taken, uint8_t kind,
                       uint64_t id, const struct reply_entry *entries, uint32_t count,
                       struct edge_row *rows);
bool read_account_copy(struct engine *engine, uint16_t tenant, uint64_t id, struct reply *reply);

/* --- cleanup.c */
/* What the next step of this clean-up needs; false: no room now. */
bool cleanup_gather(struct engine *engine, const struct request *request,
                    const struct hot_room *room, struct needs *needs);
void cleanup_gather_creators(struct engine *engine, struct needs *needs);
/* Does it; false: there is more to do, gather again. */
bool cleanup_answer(struct engine *engine, const struct request *request, struct reply *reply);
bool cleanup_preview(struct engine *engine, const struct request *request, struct reply *reply);
/* The mark that a clean-up leaves, or takes away again; before the like changes. */
void cleanup_apply(struct engine *engine, const struct record *record, uint32_t giver);

/* --- erase.c: an account goes */
/* ACCOUNT ERASE and ACCOUNT KEEP. */
enum status erase_decide(struct engine *engine, const struct request *request,
                         struct record *record);
/* ACCOUNT PURGE, before its first step. OK: it may go on, the account is erased from here on. */
enum status erase_begin(struct engine *engine, const struct request *request);
void erase_apply(struct engine *engine, const struct record *record, struct account_row *row);

/* --- gather.c */
void need_account(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t id);
void need_item(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t id);
void need_edge(struct engine *engine, struct needs *needs, uint16_t tenant, uint8_t kind,
               uint64_t account, uint64_t target);
void need_creator(struct engine *engine, struct needs *needs, uint16_t tenant, uint64_t item_id);
/* Whom taking something back concerns, and his inbox. */
void need_told_back(struct engine *engine, struct needs *needs, uint16_t tenant, uint8_t verb,
                    uint64_t account, uint64_t target);

/* --- export.c */
bool export_answer(struct engine *engine, const struct request *request, struct reply *reply);

/* --- weighed.c */
bool weighed_answer(struct engine *engine, const struct request *request, struct reply *reply);

/* --- activity.c */
bool activity_answer(struct engine *engine, const struct request *request, struct reply *reply);

#endif
