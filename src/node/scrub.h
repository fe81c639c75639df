/* scrub.h: the thread that reads the log again while the node runs (log_scrub of log.h), and reads
 * back for the self-audit what a record says (audit.h).
 *
 * It reads at most scrub-mb-s, both copies together, shared by the partitions. What is damaged in
 * one copy is mended; what is lost in both ends writes (READONLY: RELIABILITY 3.4), for a log that
 * has lost records must not be built upon before somebody has looked. */
#ifndef ZAN_NODE_SCRUB_H
#define ZAN_NODE_SCRUB_H

#include "schema/facts.h"
#include "schema/status.h"

struct node;
struct scrub;

/* After the partitions are open; the thread begins at once. NOMEMORY. */
enum status scrub_open(struct node *node, struct scrub **scrub);
/* Before the partitions are closed; NULL is allowed. */
void scrub_close(struct scrub *scrub);
void scrub_facts(struct scrub *scrub, struct facts *facts);

#endif
