/* lowpass.h: the ideal low-pass filter of the item graph: what changes little between like items.
 *
 * With N = D_u^-1/2 R D_i^-1/2 the filter of rank r is D_i^-1/2 V V' D_i^1/2, V the first r
 * eigenvectors of N' N (Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM
 * 2021: GF-CF). The first is D_i^1/2 times a constant: rank 1 ranks by popularity.
 *
 * Found by randomised block subspace iteration (Halko, Martinsson, Tropp, SIAM Review 2011): a
 * random block, a few times through N' N with its columns made orthonormal between, then the
 * eigenvectors of what it spans. The last of the vectors are rough, which costs a filter nothing.
 *
 * Memory: vector is items * rank floats, owned; while it runs 3 blocks of items and one of
 * accounts, of rank + LOWPASS_MORE floats each. */
#ifndef ZAN_READERS_RECOMMEND_LOWPASS_H
#define ZAN_READERS_RECOMMEND_LOWPASS_H

#include "readers/recommend/matrix.h"
#include "readers/recommend/work.h"

#define LOWPASS_MORE   20 /* columns beyond the rank */
#define LOWPASS_ROUNDS 4

struct lowpass {
    uint32_t items, rank; /* rank may come out lower than asked for: the matrix has no more */
    float *vector;        /* vector[item * rank + k], k-th eigenvector, greatest eigenvalue first */
    double *value;        /* eigenvalues, in 0..1 */
};

/* NOMEMORY. The same seed gives the same vectors, whatever the number of threads. */
enum status lowpass_make(const struct matrix *matrix, uint32_t rank, uint64_t seed,
                         const struct work *work, struct lowpass *lowpass);
void lowpass_free(struct lowpass *lowpass);

/* Bytes while it runs. */
uint64_t lowpass_bytes(uint64_t rows, uint64_t columns, uint32_t rank);

#endif
