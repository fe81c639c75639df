/* orders.h: what an administrator has ordered of the node, kept on disk.
 *
 * A text file, DATA/orders, a line an order:
 *
 *     2026-11-22T14:03:07Z <tab> who <tab> readonly|normal|resync <tab> reason <tab> hash
 *
 * hash is SHA-256 (in hex) of the hash of the line before (64 zeros before the first) and of this
 * line up to the tab before its hash: a line changed, dropped or slipped in is seen at the next
 * start, which then refuses. A last line without its end was never confirmed, and is cut off.
 * Synced before the order is confirmed, and before it takes effect.
 *
 * Any thread may call. The last of readonly and normal is in force, over restarts too. */
#ifndef ZAN_NODE_ORDERS_H
#define ZAN_NODE_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/status.h"

#define ORDERS_REASON 120 /* bytes of a reason at most */

struct orders;

/* BADDATA: the file was changed by somebody else; the message names the line. */
enum status orders_open(const char *path, struct orders **orders, char message[256]);
void orders_close(struct orders *orders); /* NULL is allowed */

/* BADVALUE: a reason is missing, too long, or not printable; UNCHANGED: it is so already (resync is
 * never); IOFAIL, NOSPACE: not ordered. */
enum status orders_add(struct orders *orders, int64_t wall_us, const char *who, const char *what,
                       const char *reason, char message[256]);

bool orders_readonly(struct orders *orders);
/* "by WHO: REASON" of the order in force. */
void orders_tell(struct orders *orders, char text[200]);

#endif
