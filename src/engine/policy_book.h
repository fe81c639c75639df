/* policy_book.h: versions of the rules: proposed by one person, approved by another, in force.
 *
 *   (setting) -> in force      PROPOSED -(approve)-> ACTIVE -(another is)-> REPLACED
 *                              PROPOSED -(reject)-> REJECTED, -(withdraw)-> WITHDRAWN
 *                              PROPOSED may run in shadow: judged and counted, without effect
 *
 * A proposal is a batch of records: its text in pieces (RECORD_POLICY), its digest, and the POLICY
 * PROPOSE that says who and why; an approval is one record. So the log alone says what is in force,
 * and since which record; a replay comes to the same. The book is kept at rest with the state.
 * The first approval has the text of the setting before it (RULES_WAS), under the number that the
 * verdicts until then carry, unless a proposal has that number by now: then under the next. At the
 * approval and not at the first start or proposal: until somebody decides, the setting counts and
 * may change with file or program, and a log without decisions stays as it ever was.
 *
 * Which wins at a start: what people decided, as long as the setting `policy` is what it was then: the
 * same preset by name (another program may bring another text of it), or a file with the same text;
 * its mark is in the record of the decision. A setting that was changed is an act of whoever runs the
 * node: it is recorded (RULES_TAKES), with its text, and in force from there on.
 *
 * Numbers: each version gets the next number, above those of all texts that were in force; the
 * number in the text's own head is not used. Every verdict carries the number, so that two texts
 * never share one.
 *
 * Partitions: partition 0 has the book. It tells the others which version is in force, and which
 * runs in shadow, by an effect; each judges by it from that record of its own log on. The answer to
 * POLICY APPROVE leaves when all of them have it.
 *
 * Windows: a metric that both versions have (same verb, scope, time and size class) goes on with
 * what it has counted, a new one begins empty; one that ran in shadow goes on from there.
 *
 * Holds always: who approves is not who proposed, both have credentials of their own.
 *               Nothing the loader would refuse is ever in force.
 * Memory: a struct of fixed size, the caller's. Pure, as the rest of the engine. */
#ifndef ZAN_ENGINE_POLICY_BOOK_H
#define ZAN_ENGINE_POLICY_BOOK_H

#include "engine/engine.h"
#include "engine/policy.h"
#include "schema/reply.h"

/* What the engine cannot know by itself; each may be NULL. */
struct book_hooks {
    void *context;
    /* Presets by place: the name, NULL past the last one. */
    const char *(*preset)(uint32_t i, const char **text, size_t *size);
    /* Partition 0 has this version now. */
    void (*publish)(void *context, const struct policy_row *row);
    /* A version as partition 0 has it. */
    bool (*find)(void *context, uint32_t version, struct policy_row *row);
    /* Makes ready what rules are judged with, on a node that had none. */
    struct judges *(*judges)(void *context);
    /* What all partitions have counted: into the view and its lines (rule i is line i). */
    void (*tallies)(void *context, bool shadow, struct policy_view *view, struct policy_line *lines,
                    uint32_t count);
};

struct policy_book {
    struct book_hooks hooks;
    /* The setting, as it is at this start. */
    const struct policy *setting; /* NULL: none */
    const char *setting_text;
    size_t setting_size;
    uint8_t setting_digest[32]; /* of its text */
    uint8_t setting_mark[32];   /* of what was set: a preset's name, a file's text */
    /* What the log says. */
    struct policy_head state; /* see struct policy_head, POLICY_STATE_SLOT */
    struct policy_row rows[POLICY_SLOTS];
    uint64_t dirty; /* bit per slot, and POLICY_STATE_SLOT: changed since the last freeze */
    /* Read from it. */
    const struct policy *current; /* in force; NULL: none */
    int64_t counted_us;           /* since when its figures count */
    int64_t shadow_counted_us;
    uint32_t shadow_running;
    uint64_t unreadable; /* versions that this program's loader refuses: the setting stands in */
    struct policy active, shadow, scratch;
    /* On the way to the store. */
    struct policy_row frozen[POLICY_SLOTS + 1];
    uint32_t frozen_count;
};

/* A row read from the store. */
void policy_book_restore(struct policy_book *book, const struct policy_row *row);
/* Judges by what the book says, from here on. Once after the rows are there; then by itself. */
void policy_book_enforce(struct engine *engine);

/* Copies what has changed to frozen, for the flush that begins now. */
void policy_book_freeze(struct policy_book *book);

/* POLICY verbs. */
enum status policy_write(struct engine *engine, const struct request *request, uint64_t content,
                         struct reply *reply);
bool policy_reply(struct engine *engine, const struct request *request, struct reply *reply);
bool policy_read(struct engine *engine, const struct request *request, struct reply *reply);
/* Records that a request of these makes at most. */
uint32_t policy_records(const struct request *request);

void policy_apply(struct engine *engine, const struct record *record);
/* EFFECT_RULES: partition 0 says what is in force. */
void policy_take(struct engine *engine, const struct record *effect);

/* The setting is another one than when people decided: record it. False: it is not. */
bool policy_setting_takes(struct engine *engine);

#endif
