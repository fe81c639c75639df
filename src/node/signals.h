/* signals.h: the memory of the judges (engine/judge.h), and its file.
 *
 * The file stands beside the store, one for each sequence number the store may stand for; it is
 * written before the store's flush, so a store at rest finds the one of its own sequence. The copy
 * is taken in one piece when the flush begins (some milliseconds for 32 MiB; taken piece by piece
 * between turns, acts of the moment would be learnt twice after a crash).
 *
 * It is no part of the truth: a file that is missing or damaged is an alarm, the judges begin anew,
 * and their word is not taken before they have seen enough: until then likes are held (judges_lost,
 * mode risk-degraded). Held likes that waited in the queue are found again (backlog.h).
 *
 *   0   8   "ZANSIGN1"        8  8  sequence     16  8  bytes of signals
 *   24  32  digest of the policy's text          56  8  hash of the signals
 *   64      signals (engine/judge.h)             integers little endian */
#ifndef ZAN_NODE_SIGNALS_H
#define ZAN_NODE_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/judge.h"
#include "schema/status.h"

struct signals_config {
    char path[512];              /* of the files, the sequence is appended; empty: none are kept */
    size_t bytes;                /* 0: nothing is judged */
    const struct policy *policy; /* NULL: no rules */
    uint8_t policy_digest[32];
    bool scored;
    bool unscored; /* nobody scores for the time being: likes are held */
};

struct signals {
    struct signals_config config;
    uint8_t *region, *copy;
    size_t copied; /* bytes of the copy that are taken: what signals_write writes */
    uint8_t copied_digest[32]; /* of the rules in force then */
    struct judges judges;
    uint64_t unsaved; /* files that could not be written */
};

/* NOMEMORY, or OK; where there is less memory than asked for, config.bytes tells how much there is,
 * a file of another size is as good as none, and JUDGE_BYTES_MIN is the least. found: the file of
 * that sequence was there and good (or sequence is 0). */
enum status signals_open(struct signals *signals, const struct signals_config *config,
                         uint64_t sequence, bool *found);
void signals_close(struct signals *signals);

/* Opens signals of so many bytes on a node that judged nothing so far; ends the process if there is
 * no memory: the rules to be judged by are in the log. */
void signals_begin(struct signals *signals, size_t bytes);

/* As they are now, for the next signals_write. */
void signals_copy(struct signals *signals);

/* On the thread that flushes. A failure is counted, no more. */
void signals_write(struct signals *signals, uint64_t sequence);

/* The store stands for sequence now: the files of others are removed. */
void signals_settle(const struct signals *signals, uint64_t sequence);

#endif
