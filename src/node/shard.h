/* shard.h: a partition with its thread, its RESP door and its mail.
 *
 * Threads meet in three places only: mail (lock-free lists), an entry's count of open effects (an
 * atomic), and the published facts (a mutex). */
#ifndef ZAN_NODE_SHARD_H
#define ZAN_NODE_SHARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/audit.h"
#include "node/modes.h"
#include "node/partition.h"
#include "schema/call.h"
#include "schema/facts.h"
#include "serve/serve.h"

struct shard;

/* An effect on its way to another shard. Owned by the shard that has to take it. */
struct effect_mail {
    struct record record;
    struct shard *from;
    struct entry *entry; /* of the sender: it is told when the effect is durable */
    struct effect_mail *next;
    uint16_t to; /* the shard, while it has not left */
};

/* Answers that wait until their records, and the effects of these, are durable. */
struct entry {
    uint64_t first, need;       /* records first .. need of this partition's log */
    _Atomic uint32_t open;      /* effects not yet durable where they went */
    uint64_t turn;              /* of the RESP door; 0: none */
    uint32_t answers;           /* of that turn, for the latency */
    int64_t taken_us;           /* when its requests had been read, monotonic */
    struct call *calls;         /* to be told */
    struct effect_mail *mails;  /* whose senders are to be told */
    struct effect_mail *unsent; /* effects of its records, while these are not durable */
    struct entry *next;
};

#define SHARD_ENTRIES 2048

/* With several partitions: a batch of the RESP door, whose requests are calls to all partitions. */
struct door_turn {
    struct call *calls; /* BATCH_MAX */
    _Atomic uint32_t open;
    uint32_t from, to; /* requests from .. to are under way */
    bool under_way;
    int64_t taken_us;
    struct arena storage;
};

struct node;
struct node_progress;

struct shard {
    struct node *node;
    uint16_t index;
    pthread_t thread;
    _Atomic bool running; /* the thread: nothing of the shard may be freed */
    struct partition partition;
    struct audit audit;
    bool setting_open; /* not looked yet whether the setting `policy` was changed */
    bool more_due; /* held likes to be settled, more than one round does */
    struct serve *serve;
    struct batch door;  /* from the RESP door */
    uint32_t door_from; /* requests before this one are answered */
    int64_t door_taken_us;
    struct door_turn door_turn;
    struct ask *asks, *free_asks;             /* readers are asked (shard_ask.c) */
    _Atomic(struct ask *) answered;           /* by them, newest first */
    struct ask *answers_waiting;              /* the same, for the door, oldest first */
    struct batch mailed; /* from calls; its origins are not used */
    struct call **mailed_calls;
    /* mail */
    _Atomic(struct call *) calls;
    _Atomic(struct effect_mail *) effects;
    struct call *calls_waiting, **calls_tail; /* taken out of the mail, in order */
    struct effect_mail *effects_waiting, **effects_tail;
    int wake_fd;
    _Atomic bool asleep, signalled;
    /* answers held back */
    struct entry *entries, **entries_tail; /* in order of need */
    struct entry *free_entries;
    struct entry *entry_memory;
    uint64_t turn;
    bool quiet;                           /* stopping, and the door's last batch is answered */
    struct entry replayed;                /* effects of replayed records */
    const struct node_progress *progress; /* while opening */
    /* for other threads to read */
    pthread_mutex_t facts_mutex;
    struct facts facts;
    struct modes modes;
    uint64_t call_answers[STATUS_COUNT];
    uint64_t latency[FACTS_LATENCY_BUCKETS], latency_sum_us, latency_count;
    int64_t facts_us;
};

enum status shard_open(struct shard *shard, struct node *node, uint16_t index);
void shard_close(struct shard *shard);
/* Its thread begins. It ends when the node stops, or when any partition has failed: join it, and
 * only then close. */
void shard_start(struct shard *shard);

/* Any thread. */
void shard_wake(struct shard *shard);
void shard_mail_call(struct shard *shard, struct call *call);
void shard_mail_effect(struct shard *shard, struct effect_mail *mail);
void shard_facts(struct shard *shard, struct facts *sum);

#endif
