/* dense.h: dense linear algebra, by OpenBLAS: dense.c is the only file that sees it.
 *
 * Matrices are rows of floats, one behind the other, without gaps. Every call works in the thread
 * it is called in, and may be called in many at once.
 *
 * The results of a call are the same each time on one kind of CPU; the library has other kernels
 * for other CPUs, which round in another order. */
#ifndef ZAN_READERS_RECOMMEND_DENSE_H
#define ZAN_READERS_RECOMMEND_DENSE_H

#include <stdbool.h>
#include <stdint.h>

/* In each thread, before its other calls: the library makes no threads of its own for it. work_run
 * does this for its workers. */
void dense_begin(void);

/* Solves matrix * x = right, by Cholesky; right becomes x. matrix is n by n, symmetric; of it only
 * what is on and below the diagonal is read, and it is spoilt. False: it is not positive definite.
 */
bool dense_solve(uint32_t n, float *matrix, float *right);

/* out = a * b; a is m by k, b is k by n. */
void dense_multiply(uint32_t m, uint32_t n, uint32_t k, const float *a, const float *b, float *out);

/* out += factor * a * transpose(b); a is m by k, of rows a_step apart; b is n by k, of rows b_step
 * apart; out m by n. */
void dense_score(uint32_t m, uint32_t n, uint32_t k, float factor, const float *a, uint32_t a_step,
                 const float *b, uint32_t b_step, float *out);

/* out (columns by columns, both triangles) = transpose(a) * a; a is rows by columns. */
void dense_gram(uint32_t rows, uint32_t columns, const float *a, float *out);

/* Eigenvectors and eigenvalues of a symmetric matrix, greatest first: vectors is the matrix before,
 * and after it row i is the vector of values[i]. False: no convergence, or no memory. */
bool dense_eigen(uint32_t n, double *vectors, double *values);

/* to += factor * from. */
void dense_add(uint32_t n, float factor, const float *from, float *to);

/* The sum of a[i] * b[i]. */
float dense_dot(uint32_t n, const float *a, const float *b);

#endif
