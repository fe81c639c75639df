/* meet.h: nodes that share far more accounts than chance explains.
 *
 * A wide campaign (many accounts, few items) has no account that does much, so peeling does not see
 * it; but its nodes share accounts. Of two nodes of weight n and m
 *
 *   lambda = n m  sum d (d - 1) / E^2
 *
 * accounts are shared by chance (d of an account, in its likes), and x that are shared surprise by
 * x ln(x / lambda) - (x - lambda). Nodes joined by pairs that surprise by more than twice the
 * logarithm of how many nodes of SIZE there are, and LEAST more, are one set; the set with the
 * greatest sum is a beginning for block.h. (Company of windows in engine/trust.h is the same
 * thought with a small memory.)
 *
 * Accounts with more than BUSY likes are left out, of x and of lambda: they meet everybody, and
 * looking at their pairs would take the square of their likes.
 *
 * Memory: 20 bytes a node, 1 a like while it runs. Time: the sum of d^2 over accounts, d up to
 * BUSY. */
#ifndef ZAN_READERS_DETECT_MEET_H
#define ZAN_READERS_DETECT_MEET_H

#include "readers/detect/graph.h"

#define MEET_BUSY  64
#define MEET_LEAST 3.0 /* nats */
#define MEET_SIZE  5   /* likes of a node; smaller ones are left to peel.h */

/* Sets node_in[c] to 1 for the members of that set, to 0 for others; *nodes: how many (0: none).
 * only_bursts as in peel.h. */
enum status meet_find(const struct layer *layer, const uint8_t *gone, bool only_bursts,
                      uint8_t *node_in, uint32_t *nodes);

#endif
