/* peel.h: the densest part of a layer, by taking away the least, one by one.
 *
 * A like weighs how surprising it is that this account likes this node (cell or item) if accounts
 * chose at random, each as often as it does and each node as often as it is (the configuration
 * model), beyond a floor:  ln(E / d_u d_c) - floor, never below 0. The floor takes away what people
 * of one place or taste have in common: e^3 is 20 times as often as chance. Of all sets left over
 * while the node or account with the least weight goes, the one with the greatest weight per member
 * is at least half as dense as the densest there is (Charikar 2000; Hooi et al., "FRAUDAR", KDD
 * 2016). It is a beginning for block.h, never a finding: honest graphs have a densest part too.
 *
 * Which of equally light ones goes first depends on their numbers, so the set does in the end.
 *
 * Memory: 17 bytes an account and node, 2 a like while it runs. Time: linear in likes. */
#ifndef ZAN_READERS_DETECT_PEEL_H
#define ZAN_READERS_DETECT_PEEL_H

#include "readers/detect/graph.h"

struct peel {
    uint32_t accounts, nodes; /* how many are in it; 0 and 0: there is nothing */
    double density;           /* nats per member */
};

/* Sets account_in[u] and node_in[c] to 1 for members, to 0 for others. gone[like]: does not count.
 * only_bursts: likes outside of bursts do not count either. floor: nats. */
enum status peel(const struct layer *layer, const uint8_t *gone, bool only_bursts, double floor,
                 uint8_t *account_in, uint8_t *node_in, struct peel *out);

#endif
