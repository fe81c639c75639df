/* attest.h: what an account was shown: tokens of impressions, made with a feed and checked with the
 * view.
 *
 * A token says: this node showed this item to this account, in this minute, at this stage of its
 * ladder and at this place of the feed. Nothing is written for it, here or in the log, until the
 * act that it comes with.
 *
 *     0   2   minute since 1970, its low 16 bits, little endian
 *     2   1   stage
 *     3   1   place, from 0; 255: so far down or further
 *     4   8   HMAC-SHA-256, cut to 64 bits, of 'i', tenant (2), account (8), item (8), minute (8),
 *             stage (1), place (1)
 *
 * As text: base64url, 16 letters. The key is made of the epoch's key (serve/epochs.h) and of
 * nothing a pseudonym is made of; that of the epoch before is good as well, so a token outlives a
 * rotation and a restart, and nothing else has to.
 *
 * Holds always: a token is good for the account, item, tenant, stage and place it was made for, for
 *               IMPRESSION_LIFE_MIN; whatever is wrong with one, the answer is the same.
 * What not:     it may come again with each view until then. An account's impression of an item
 *               counts once (docs/discovery.md): that is for the reader to see to.
 * Threads:      any. */
#ifndef ZAN_SERVE_ATTEST_H
#define ZAN_SERVE_ATTEST_H

#include <stdint.h>

#include "schema/impression.h"
#include "schema/request.h"
#include "serve/epochs.h"

void attest_make(struct epochs *epochs, const struct impression *impression,
                 char text[IMPRESSION_TEXT]);

/* After access_judge (the tenant is the caller's). A request that brought a token is attested from
 * here on, or not; others stay as they are. epochs NULL: no token is good. */
void attest_check(const struct epochs *epochs, int64_t now_us, struct request *request);

#endif
