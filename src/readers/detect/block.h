/* block.h: how likely each account and node is part of one hidden block.
 *
 * The model: most likes are chosen at random, each account as often as it does (d_u of E) and each
 * node as often as it is (n_c). Beside that there may be a *block*: accounts A, each of which likes
 * each of the nodes C with probability q, whatever it does else. A node of C has its other likes as
 * before, lambda_c of them. What speaks for account u to be in A, in nats:
 *
 *   ln(|A| / accounts) + sum over its likes ln(1 + r_c q E / (d_u lambda_c)) - q |C|
 *
 * r_c being the belief that c is in C; what speaks for node c, of all its members:
 *
 *   ln(|C| / nodes) + sum over its likes ln((p_u q E / d_u + (1 - p_u) lambda_c) / n_c)
 *                   - (q |A| + lambda_c - n_c)
 *
 * Both are found together by belief propagation: what a like says to one end leaves out what that
 * end said to it, so that nobody is convinced by its own voice. |A|, |C|, q and lambda follow (the
 * expected counts). A crowd at one node stays outside: its members meet nowhere else, and each of
 * them would have to be as rare there as lambda says.
 *
 * Sources: Hajek, Wu, Xu, "Recovering a hidden community beyond the Kesten-Stigum threshold in
 * O(|E| log*|V|) time", 2018 (belief propagation for one dense block); Karrer and Newman,
 * "Stochastic blockmodels and community structure in networks", 2011 (degrees). The beginning is
 * peel.h's.
 *
 * How improbable the block is where there is none: by the chance of so many likes between A and C
 * among all choices of so many accounts and nodes (a bound on the number of such blocks to be
 * expected; Arias-Castro and Verzelen, "Community detection in dense random networks", 2014):
 *
 *   gain = e ln(e / mu) + (D - e) ln((D - e) / (D - mu)) - ln binom(accounts, |A|) - ln
 * binom(nodes, |C|)
 *
 * with e likes inside, D of A's in all, mu = D sum(n_c) / E. The expected number is at most
 * exp(-gain).
 *
 * Memory: 8 bytes a like, 13 an account, 21 a node, from block_open. Time of a round: likes of
 * those nodes and accounts that the block may touch. */
#ifndef ZAN_READERS_DETECT_BLOCK_H
#define ZAN_READERS_DETECT_BLOCK_H

#include "readers/detect/graph.h"

struct block {
    float *account_odds; /* [accounts] log odds; of accounts the block does not touch: `rest` */
    float *node_odds;    /* [nodes] log odds; -INFINITY: not touched */
    float rest;
    uint32_t accounts, nodes; /* with odds above 0 */
    uint64_t inside;          /* likes between those */
    double density;           /* q */
    double expected;          /* mu */
    double evidence, cost;    /* nats; by the bound over all choices */
    double likelihood, paid;  /* nats; the same by the likelihood */
};

struct block_work;

/* For one layer at a time; gone[like] (borrowed): not there. */
struct block_work *block_open(const struct layer *layer, const uint8_t *gone);
void block_close(struct block_work *work);

/* Beginning with the accounts and nodes where account_in and node_in are 1. widely: with all
 * accounts of those nodes in place of account_in. The arrays of out are the work's, until the next
 * fit. out->accounts 0: there is no block where it began. */
void block_fit(struct block_work *work, const uint8_t *account_in, const uint8_t *node_in,
               bool widely, struct block *out);

#endif
