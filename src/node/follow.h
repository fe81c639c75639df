/* follow.h: the thread that feeds a reader (readers/reader.h) and lets it answer.
 *
 * Each reader there is (enum reader_kind) has a thread and a checkpoint of its own: one that is
 * slow, or stalled, or made again from record 1, keeps no other waiting. What that costs is that a
 * record is read and decoded once for each (docs/insight.md has the figures).
 *
 * It follows the logs of all partitions, gives each durable decision to the reader, and answers
 * what it is asked. It starts where its checkpoint says, or at the first record. Before it answers
 * it reads what is durable by then (as far as FOLLOW_SLICE_BYTES go), so that who has
 * seen a like acknowledged and asks next finds it counted, unless there is much to catch up.
 *
 * Woken by who asks at once; what is only written is found within FOLLOW_POLL_MS. It has a lower
 * priority than the partitions.
 *
 *   catching-up   since the start, until it has read all there was once
 *   following
 *   stalled       the reader failed, or a log can be read in neither copy: it reads no more,
 * answers STALLED to all but LAG, and tells why in INFO; likes go on
 *
 * Checkpoints: every FOLLOW_CHECKPOINT_US if there was something new, and at a clean stop. */
#ifndef ZAN_NODE_FOLLOW_H
#define ZAN_NODE_FOLLOW_H

#include "readers/reader.h"
#include "schema/call.h"
#include "schema/facts.h"
#include "schema/status.h"

#define FOLLOW_POLL_MS       5
#define FOLLOW_SLICE_BYTES   (256u << 10) /* of all logs, between two looks at who asks */
#define FOLLOW_CHECKPOINT_US 60000000

struct node;
struct follow;

/* Where its memory is set to 0 *follow is NULL, and there is nobody to be asked. After the
 * partitions are open and before their threads run; reads the checkpoint. NOMEMORY, IOFAIL;
 * message. */
enum status follow_open(struct node *node, enum reader_kind kind, struct follow **follow,
                        char message[256]);
enum status follow_start(struct follow *follow); /* NULL is allowed */

/* Any thread. The call is answered on the follower's thread, whatever its state. */
void follow_ask(struct follow *follow, struct call *call);
void follow_facts(struct follow *follow, struct facts *facts); /* NULL is allowed */

/* After the doors and partitions have ended, before their logs are closed: reads the rest, writes a
 * checkpoint. NULL is allowed. */
void follow_close(struct follow *follow);

#endif
