/* ridge.h: for each item a regression on its neighbours: what is taken along with what.
 *
 * With R the matrix (accounts by items), S the nearest neighbours of item j, d the number of items
 * of an account or of accounts of an item, the weights w of j minimise
 *
 *   sum over accounts u of  d_u^-2a (R_uj - sum over i in S of R_ui w_i)^2
 *     + penalty * q * sum over i in S of d_i^2b w_i^2
 *
 * which is solved in a scaled form, (P_SS + penalty * q * I) x = P_Sj with
 * P_ik = d_i^-b d_k^-b sum_u d_u^-2a R_ui R_uk and w_i = d_i^-b x_i d_j^b. q is the mean of P_ii,
 * so that a penalty means about the same on every data set. An item is not among its own
 * neighbours: its weight on itself is 0, as in EASE (Steck, "Embarrassingly Shallow Autoencoders
 * for Sparse Data", WWW 2019), which this is for S = all other items and a = b = 0 (there: closed
 * form for all items at once; test_ridge.c holds both together). With S small it is SLIM's idea
 * (Ning, Karypis, ICDM 2011) with squares only.
 *
 * Memory: weight is laid out as neighbours->item, and is the caller's. While it runs: 4 * nearest^2
 * bytes and 20 bytes an account a thread, and what the accounts of a neighbourhood take. */
#ifndef ZAN_READERS_RECOMMEND_RIDGE_H
#define ZAN_READERS_RECOMMEND_RIDGE_H

#include "readers/recommend/neighbours.h"

struct ridge_rule {
    double account_power; /* a */
    double item_power;    /* b */
    double penalty;       /* above 0 */
    uint32_t nearest;     /* of an item's neighbours, so many */
};

/* Fills weight[item * most + place]: what having neighbour `place` adds to the score of item; 0
 * beyond the nearest. NOMEMORY; BADDATA if a system could not be solved (the penalty is too near to
 * 0). */
enum status ridge_fit(const struct matrix *matrix, const struct neighbours *neighbours,
                      const struct ridge_rule *rule, const struct work *work, float *weight);

#endif
