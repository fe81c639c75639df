/* reader.h: what follows the logs at its own pace and answers questions about what it read.
 *
 * A reader sees each durable decision once, of every partition, in the order of each partition's
 * log, and computes from it what nobody waits for: heat, rates, feeds. What it holds is a function
 * of the logs and of its configuration and can be thrown away at any time: it is made again from
 * the first record. It decides nothing by itself: what it wants changed is a request through the
 * front door (reader_door), which becomes a record, which it then reads like everybody else's.
 *
 * One thread (node/follow.c) calls everything here; nothing needs a lock. The order of calls:
 *
 *   restore or clear -> { apply ... | tick | answer | save | digest } ... -> close
 *
 *   sequence    of a record in its partition's log, from 1, without holes
 *   time_us     of a record: the decision's time, microseconds since the epoch, never moves back
 *               within a partition
 *   now_us      the wall clock, read by the thread before the call
 *
 * Which records: all that the log has but RECORD_EFFECT, which says again what another partition
 * has decided (those with RECORD_HAS_BEFORE are seen: they change what a like is worth where it
 * lives). Between partitions the batch that was made first comes first: what was done after
 * something was acknowledged comes after it (a batch's time is when its turn began). A record's
 * text is borrowed until apply returns.
 *
 * Rooms and calls: floats and libm are allowed here, the heap at open only; no clock, no disk, no
 * randomness but what the functions are handed.
 *
 * A checkpoint (checkpoint.h) holds for each partition how far it had read, and what save wrote. It
 * is a shortcut and never the truth: one that is damaged, half written, of another version, or
 * ahead of its log is refused, and the reader is made again from the log. */
#ifndef ZAN_READERS_READER_H
#define ZAN_READERS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"
#include "schema/call.h"
#include "schema/impression.h"
#include "schema/record.h"
#include "schema/status.h"

#define READER_NAME_MAX       16
#define READER_PARTITIONS_MAX 64
#define READER_TICK_US        100000 /* tick comes about so often */

/* How far one partition's log has been read. */
struct reader_lag {
    uint64_t applied; /* last sequence that was applied (or passed over); 0: none */
    uint64_t durable; /* last sequence that was durable when this was looked at */
    int64_t time_us;  /* of the last record applied; 0: none */
    uint32_t late_ms; /* answers are as new as the log was so long ago, or newer; 0: up to date */
};

/* What is known when a call is made; borrowed until it returns. */
struct reader_now {
    int64_t now_us;
    uint16_t partitions;
    const struct reader_lag *lag; /* of each partition */
};

/* What a reader tells of itself, for LAG, INFO and the metrics. */
struct reader_about {
    uint32_t formula;                      /* version of its formulas */
    uint32_t model;                        /* of the model loaded; 0: none */
    uint64_t models_taken, models_refused; /* since the start */
    char model_message[128];   /* why the newest model was not taken; "": nothing is wrong */
    uint64_t rows, rows_max;   /* in its tables */
    uint64_t bytes, bytes_max; /* of memory in use, and taken */
};

/* Where save puts, and restore gets, the reader's bytes; whole values, in the same order. */
struct reader_sink {
    void *context;
    enum status (*put)(void *context, const void *bytes, size_t size);
};
struct reader_source {
    void *context;
    /* BADDATA if there are not so many left (or they are damaged). */
    enum status (*get)(void *context, void *bytes, size_t size);
};

static inline enum status reader_put(struct reader_sink *sink, const void *bytes, size_t size)
{
    return sink->put(sink->context, bytes, size);
}

static inline enum status reader_get(struct reader_source *source, void *bytes, size_t size)
{
    return source->get(source->context, bytes, size);
}

/* The front door, for a reader's own decisions: as call.h says, from any thread. The role of the
 * request is put in by the node. context NULL: there is none (tests); decisions are then left out.
 */
struct reader_door {
    void *context;
    void (*submit)(void *context, struct call *call);
};

/* Tokens of impressions, for the entries of a feed (schema/impression.h); about a microsecond each.
 * make NULL: there are none (tests); entries then have no token. */
struct reader_tokens {
    void *context;
    void (*make)(void *context, const struct impression *impression, char text[IMPRESSION_TEXT]);
};

struct reader {
    const char
        *name; /* "discover": of its checkpoint and its figures; at most READER_NAME_MAX - 1 */
    uint32_t version; /* of what apply computes and save writes: another one is not restored */
    void *self;

    /* One decision. Anything but OK stops the reader for good: its requests are then answered
     * STALLED, and the node goes on. */
    enum status (*apply)(void *self, uint16_t partition, const struct record *record);
    /* Every READER_TICK_US or so, between two records; also when nothing happens. */
    void (*tick)(void *self, const struct reader_now *now);
    /* Answers a request of a verb of group READER into call->reply (schema/tree.h for most). Does
     * not call done. */
    void (*answer)(void *self, struct call *call, const struct reader_now *now);

    /* Everything that apply has made, so that restore in another process gives the same state: the
     * digest tells. Anything but OK: no checkpoint is made, the reader goes on. */
    enum status (*save)(void *self, struct reader_sink *sink);
    /* Into a reader newly opened, or cleared. BADDATA: these bytes are not for this configuration
     * (or damaged); clear is called next. */
    enum status (*restore)(void *self, struct reader_source *source);
    /* As newly opened: nothing was ever read. */
    void (*clear)(void *self);
    /* A hash of all that save would write. */
    void (*digest)(void *self, uint8_t digest[32]);
    void (*about)(void *self, struct reader_about *about);
    void (*close)(void *self); /* frees self; the last call */
};

/* --- the readers there are ----------------------------------------------------------------------
 */

enum reader_kind { READER_DISCOVER, READER_INSIGHT, READER_KINDS };

/* Who answers a request of a verb of group READER. */
static inline enum reader_kind reader_of(const struct request *request)
{
    switch (request->verb) {
    case VERB_LAG: /* [READER discover|insight] */
        return request->u.ask.words[1] == 2 ? READER_INSIGHT : READER_DISCOVER;
    case VERB_INSIGHT_ITEM:
    case VERB_INSIGHT_CREATOR:
    case VERB_INSIGHT_AUDIENCE:
    case VERB_INSIGHT_PLATFORM:
    case VERB_TIMELINE:
    case VERB_ROLLUP:
    case VERB_DIAGNOSE:
        return READER_INSIGHT;
    default:
        return READER_DISCOVER;
    }
}

/* reader_discover.c binds src/readers/discover/ to the contract. */

struct reader_discover_config {
    uint64_t bytes; /* discover-memory, at least READER_DISCOVER_BYTES_MIN */
    uint16_t partitions;
    struct reader_door door;
    struct reader_tokens tokens;
    const struct disk *disk; /* for the model; NULL: there is none to be looked for */
    const char *model_path;  /* borrowed until close */
    const char *heat, *feed; /* weights (discover/tuning.h); NULL, "": the defaults */
    const char *pool; /* by which rule items climb (discover/tuning.h); NULL, "", "off": none */
    uint64_t newcomer_credits; /* impressions in 30 days, of all newcomers of a tenant together */
};

#define READER_DISCOVER_BYTES_MIN (1u << 20)

/* reader_insight.c binds src/readers/insight/. NOMEMORY. */
enum status reader_insight_open(uint64_t bytes, uint16_t partitions, struct reader *reader);
#define READER_INSIGHT_BYTES_MIN (1u << 20)

/* NOMEMORY; BADVALUE: weights that cannot be. *reader is filled on OK only, and closed by its
 * close. */
enum status reader_discover_open(const struct reader_discover_config *config,
                                 struct reader *reader);

#endif
