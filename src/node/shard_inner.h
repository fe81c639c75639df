/* shard_inner.h: what shard.c, shard_door.c and shard_facts.c share; on the shard's own thread. */
#ifndef ZAN_NODE_SHARD_INNER_H
#define ZAN_NODE_SHARD_INNER_H

#include "node/shard.h"
#include "serve/serve.h"

/* --- shard.c */
/* The last of the queue from now on: records of this turn up to need. The caller has looked that
 * one is free. */
struct entry *shard_entry_take(struct shard *shard, uint64_t need);
/* Effects the partition has just made, on account of entry. They leave once their cause is durable
 * (release): one that was durable where it went, while a crash took its cause, would stay for ever,
 * and its number would be given again to another one, which the receiver would then drop. */
void shard_send_effects(struct shard *shard, struct entry *entry);
/* The answers of entry leave now. */
void shard_count_latency(struct shard *shard, const struct entry *entry, int64_t now_us);

/* --- shard_door.c: with one partition, and with several */
void shard_do_door(struct shard *shard, int64_t now_us, int64_t steady_us);
void shard_do_door_calls(struct shard *shard, int64_t now_us, int64_t steady_us);

/* --- shard_ask.c: requests of the RESP door that a reader answers */
enum status shard_asks_open(struct shard *shard);
void shard_asks_close(struct shard *shard);
/* As serve_config.ask; context is the shard. */
enum status shard_ask(void *context, const struct serve_ticket *ticket,
                      const struct request *request);
/* Gives the answers that have come to the door. */
void shard_do_answers(struct shard *shard);

/* --- shard_facts.c */
/* Makes what shard_facts adds up; does nothing if it did so a moment ago. */
void shard_publish(struct shard *shard, int64_t steady_us);

#endif
