/* facts.h: what a node knows about itself, as numbers: for INFO, /metrics, /healthz, zan info.
 *
 * Filled by the node (any thread may ask), formatted by wire. Counters only grow while the process
 * lives; the rest are present values. */
#ifndef ZAN_SCHEMA_FACTS_H
#define ZAN_SCHEMA_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/status.h"
#include "schema/verb.h"

/* RELIABILITY 3.4. More than one may hold; the gravest, the last of these, is told. */
enum mode {
    MODE_NORMAL,
    MODE_RISK_DEGRADED,
    MODE_MIRROR_DEGRADED,
    MODE_SHED,
    MODE_NOSPACE,
    MODE_READONLY,
    MODE_STARTING,
    MODE_STOPPING,
    MODE_FAILED,
    MODE_COUNT
};

#define FACTS_REASON 200
struct mode_facts {
    uint64_t since_s; /* seconds since the epoch; 0: not in this mode */
    char reason[FACTS_REASON];
};

/* What the process has given up (cli/sandbox.h); bits of facts.sandbox. */
enum { FACTS_SANDBOX_PRIVILEGES = 1, FACTS_SANDBOX_FILES = 2, FACTS_SANDBOX_CALLS = 4 };
#define FACTS_SANDBOX_ALL 7

#define FACTS_LATENCY_BUCKETS 24 /* bucket i: answered within 2^i us */

/* The self-audit (node/audit.h). */
#define FACTS_ALARM 200
struct audit_facts {
    uint64_t items, accounts, edges, records; /* checked: rows, their edges, edges in the log */
    uint64_t retaken, left_out; /* changed while they were read: read again; given up */
    uint64_t unreadable;        /* records that the log did not give */
    uint64_t rounds, round_s;   /* all items were seen once; when last, seconds since the epoch */
    uint64_t differences;
    char alarm[FACTS_ALARM]; /* the first difference; "" if there is none */
};

/* A rule of the policy in force; of a shadow rule, what it would have done. */
#define FACTS_RULES_MAX 256
struct rule_facts {
    char name[32];
    bool shadow;
    uint64_t fired, refused, held, cut;
};

/* What follows the logs (node/follow.h); one for each reader. */
#define FACTS_READERS_MAX 4
struct reader_facts {
    bool on;
    char name[16];
    char state[16];            /* "catching-up", "following", "stalled" */
    char reason[FACTS_REASON]; /* why it is stalled */
    uint64_t stalled;          /* 1: it is */
    uint64_t lag_records,
        late_us;      /* durable and not read yet; how old what it answers is at most */
    uint64_t records; /* read since the start */
    uint64_t rows, rows_max, bytes, bytes_max;
    uint64_t formula, model;
    uint64_t models_taken, models_refused; /* since the start */
    char model_message[FACTS_REASON]; /* why the newest one was not taken; "": nothing is wrong */
    uint64_t checkpoints, checkpoint_bytes, checkpoint_us; /* since the start; of the last one */
    uint64_t checkpoint_s;   /* when, seconds since the epoch; 0: never */
    bool checkpoint_refused; /* the one found at the start */
};

struct facts {
    /* the node */
    char version[32];
    char sync[32];      /* "always", "group:5", "none" */
    uint64_t started_s; /* seconds since the epoch */
    uint64_t uptime_s;
    uint16_t partitions;
    uint8_t mode; /* enum mode */
    struct mode_facts modes[MODE_COUNT];
    uint8_t sandbox; /* FACTS_SANDBOX_... */
    uint64_t resident_bytes;
    /* the door */
    uint64_t connections_open, connections_total, connections_refused;
    uint64_t bytes_in, bytes_out;
    uint64_t logins, tls_refused; /* proofs that were good; handshakes that were not */
    uint64_t requests[VERB_COUNT];
    uint64_t answers[STATUS_COUNT];
    uint64_t latency[FACTS_LATENCY_BUCKETS]; /* requests, from reading to releasing the answer */
    uint64_t latency_sum_us, latency_count;
    /* the engine and its memory; sums over the partitions */
    uint64_t turns;
    uint64_t accounts_hot, items_hot, edges_hot, operations_hot; /* in memory */
    uint64_t cases_waiting;   /* that somebody, or the node, has to see to */
    uint64_t cases_refused;   /* found no room; a rule's restriction holds without one */
    uint64_t edges_room;      /* edges that fit before a flush must end */
    struct audit_facts audit; /* sums, and the first alarm */
    /* the log; sums, but for the sequences of partition 0 */
    uint64_t sequence_decided, sequence_durable, sequence_at_rest;
    uint64_t log_batches, log_bytes, log_segments, log_buffered_bytes;
    uint64_t log_syncs[2], log_sync_us_total[2], log_sync_us_max[2];
    uint64_t mirror_losses, mirror_resyncs, mirror_attempts; /* of a copy of the log */
    bool mirror_allowed;                                     /* one copy may go on alone */
    /* the scrubber of the log; sums */
    uint64_t scrub_bytes, scrub_segments, scrub_rounds, scrub_repaired, scrub_unrepaired,
        scrub_lost;
    /* the store */
    uint64_t store_bytes, store_edges, store_flushes, store_flush_us_total, store_rows;
    uint64_t store_filter_bytes, store_filter_checks, store_filter_absent, store_gets;
    bool store_filter_complete;
    /* the judges; sums */
    uint64_t judged, judge_refused, judge_devalued, judge_held, judge_quarantined, judge_settled;
    uint64_t holds_waiting, holds_early, signals_unsaved;
    uint64_t holds_missed, judge_failures;
    /* the rules */
    char policy[32]; /* "": none */
    uint32_t policy_version, rule_count;
    uint8_t policy_digest[32]; /* of its text */
    struct rule_facts rules[FACTS_RULES_MAX];
    /* rules that run beside them, without effect */
    char shadow_policy[32]; /* "": none */
    uint32_t shadow_version, shadow_count;
    uint64_t shadow_judged, shadow_refused, shadow_held, shadow_cut; /* acts; would have been */
    struct rule_facts shadow_rules[FACTS_RULES_MAX];
    struct reader_facts readers[FACTS_READERS_MAX]; /* those that are on; the others zeroed */
    uint64_t policy_unreadable; /* approved versions that this program cannot read */
};

const char *mode_name(enum mode mode);

#endif
