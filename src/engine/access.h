/* access.h: the part of access.def that needs rows: is the item the caller's own, and have the
 * assertions of his account been revoked? In the same step as the answer, so that a revocation
 * holds for everything that is decided after it.
 *
 * Who calls from inside (effects, sweeps, settling) has rule NO and no assertion, and passes. */
#ifndef ZAN_ENGINE_ACCESS_H
#define ZAN_ENGINE_ACCESS_H

#include "schema/access.h"
#include "schema/row.h"

/* NOPERM unless the rule is another one or the item's creator is the caller; item is NULL if there
 * is none. The same for an item of somebody else and for one that does not exist. */
enum status access_check_item(const struct request *request, const struct item_row *item);

/* TOKENREVOKED if the caller came with an assertion of an epoch before the account's own. epoch is
 * that of the row of request->subject; 0 if there is none. */
enum status access_check_epoch(const struct request *request, uint32_t epoch);

#endif
