/* lowpass.h: the low-pass filter of the item graph: what changes little between like items.
 *
 * With N = D_u^-a R D_i^-b the filter of rank r is D_i^-b V V' D_i^b, V the first r eigenvectors of
 * N' N. For a = b = 0.5 it is the ideal low-pass of GF-CF (Shen et al., "How Powerful is Graph
 * Convolution for Recommendation?", CIKM 2021), whose first vector is D_i^1/2 times a constant:
 * rank 1 then ranks by popularity.
 *
 * Found by randomised block subspace iteration (Halko, Martinsson, Tropp, SIAM Review 2011): a
 * random block, a few times through N' N with its columns made orthonormal between, then the
 * eigenvectors of what it spans. The last of the vectors are rough, which costs a filter nothing.
 *
 * Memory: vector is items * rank floats, owned; while it runs 2 blocks of items and one of
 * accounts, of rank + LOWPASS_MORE floats each. */
#ifndef ZAN_READERS_RECOMMEND_LOWPASS_H
#define ZAN_READERS_RECOMMEND_LOWPASS_H

#include "readers/recommend/matrix.h"
#include "readers/recommend/work.h"

#define LOWPASS_MORE   20 /* columns beyond the rank */
#define LOWPASS_ROUNDS 4

struct lowpass_rule {
    double account_power; /* a */
    double item_power;    /* b */
    uint32_t rank;
};

struct lowpass {
    uint32_t items, rank; /* rank may come out lower than asked for: the matrix has no more */
    float *vector;        /* vector[item * rank + k], k-th eigenvector, greatest eigenvalue first */
    double *value;        /* eigenvalues */
};

/* NOMEMORY. The same seed gives the same vectors, whatever the number of threads. */
enum status lowpass_make(const struct matrix *matrix, const struct lowpass_rule *rule,
                         uint64_t seed, const struct work *work, struct lowpass *lowpass);
void lowpass_free(struct lowpass *lowpass);

/* Bytes while it runs. */
uint64_t lowpass_bytes(uint64_t rows, uint64_t columns, uint32_t rank);

#endif
