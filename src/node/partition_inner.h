/* partition_inner.h: what partition.c and partition_open.c share; beside partition.h. */
#ifndef ZAN_NODE_PARTITION_INNER_H
#define ZAN_NODE_PARTITION_INNER_H

#include "node/partition.h"

#define FLUSH_AT_PERCENT 50 /* of the room in memory: begin a flush */

static inline void needs_clear(struct needs *needs)
{
    needs->account_count = needs->item_count = needs->edge_count = needs->operation_count = 0;
    needs->case_count = needs->inbox_count = needs->inbox_asked = 0;
    needs->again = false;
}

/* --- partition.c */
/* Where the file lies that says the store is damaged. */
void partition_damage_path(const struct partition *partition, char path[540]);
/* The store is damaged: the next start, or the second try of this one, makes it again. */
void partition_damage_mark(struct partition *partition);
/* Reads what partition->needs asks for; CORRUPT has marked the store. */
enum status partition_load(struct partition *partition);
/* Writes out what is in memory, here and now. */
enum status partition_flush_now(struct partition *partition, char message[256]);

#endif
