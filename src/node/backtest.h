/* backtest.h: what other rules would have made of the log that is there.
 *
 * A replay of a stopped data directory into a store that is thrown away. Before each record is
 * applied, the act that it stands for is judged again, by another policy and with signals of its
 * own, by the same code as a live one (engine/judge.h). The replay itself goes on as the log says,
 * so rows are as they were; what the new rules would have made of each like is kept beside them,
 * where it differs.
 *
 * Not seen again: what the old rules refused, unless it had an operation id (only then it stands in
 * the log), and what people would have done otherwise, had they been told something else.
 *
 *   raw       accounts that like
 *   valid     raw less quarantined and voided
 *   credited  sum of weights of what is valid and not held, in percent
 *
 * Nothing is written to the data directory. Memory: what differs, and under `imported` one entry
 * for each account and like of an import. */
#ifndef ZAN_NODE_BACKTEST_H
#define ZAN_NODE_BACKTEST_H

#include "engine/policy.h"
#include "node/node.h"

#define BACKTEST_SAMPLES_MAX 100
#define BACKTEST_TOP_MAX     100
#define BACKTEST_TEXT        400

/* What becomes of an act. */
enum backtest_outcome {
    BACKTEST_FULL,
    BACKTEST_CUT,
    BACKTEST_HELD,
    BACKTEST_QUARANTINED,
    BACKTEST_REFUSED,
    BACKTEST_OUTCOMES
};

struct backtest_options {
    const struct config *config; /* its policy and trust are the new ones */
    const char *scratch;         /* an empty directory for the store that is thrown away */
    int64_t from_us;             /* acts before are learnt from, not judged */
    bool imported;               /* judge imports too, at the times they tell */
    enum policy_language language;
    uint32_t samples; /* of each rule, of different accounts */
    uint32_t top;     /* items by credited likes */
};

struct backtest_sample {
    int64_t time_us;
    uint64_t account, target;
    uint16_t tenant;
    uint8_t verb;
    char text[BACKTEST_TEXT]; /* policy_explain */
};

struct backtest_rule {
    uint64_t fired, refused, held, cut, reviews, alerts, confirms, points;
    uint64_t restricted;      /* acts refused later, while a restriction by this rule lasted */
    uint64_t accounts, items; /* different ones */
    uint32_t sample_count;
    struct backtest_sample *samples;
};

struct backtest_item {
    uint64_t id;
    uint16_t tenant;
    uint64_t raw, valid, credited_pct;                   /* as they are */
    uint64_t would_raw, would_valid, would_credited_pct; /* as they would be */
    uint64_t rank, would_rank;                           /* from 1, by credited */
};

struct backtest {
    const struct policy *policy; /* NULL: no rules */
    uint64_t records;
    uint64_t acts;    /* in the log, changes and refused ones with an operation id */
    uint64_t judged;  /* by the new rules */
    uint64_t exempt;  /* of them: undo */
    uint64_t imports; /* passed over, for they were taken over as they were */
    uint64_t earlier; /* before `from` */
    uint64_t moot;    /* would have been no change any more (the like before was refused, ...) */
    uint64_t late;    /* imports whose time was before that of an earlier one */
    uint64_t settled; /* held ones that were scored again */
    uint64_t scored[REASON_COUNT]; /* acts that would not count in full, by main reason */
    uint64_t recorded[BACKTEST_OUTCOMES][BACKTEST_OUTCOMES]; /* [as recorded][as it would be] */
    uint64_t accounts_hit; /* with an act refused, held, cut or quarantined that was not so before,
                              or with points, a review or a restriction */
    uint64_t items, items_changed;
    struct backtest_item total; /* sums of all items */
    uint32_t top_count;
    struct backtest_item *top; /* those first as they are, or as they would be; in that order */
    struct backtest_rule rules[POLICY_RULES_MAX];
    char message[512]; /* why it could not be done */
    void *inside;      /* this file's own */
};

/* BADCONFIG: the policy cannot be read; message has line and column. */
enum status backtest_run(const struct backtest_options *options,
                         const struct node_progress *progress, struct backtest *backtest);
void backtest_free(struct backtest *backtest);

const char *backtest_outcome_name(enum backtest_outcome outcome);

#endif
