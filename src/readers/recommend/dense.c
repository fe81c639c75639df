/* dense.c: OpenBLAS seen through its C interface, and LAPACK through the Fortran one (the package
 * has no LAPACKE).
 *
 * Why OpenBLAS: the reference libraries take ten times as long, BLIS sixteen times for a small
 * system. Why its build for OpenMP: the work is spread over threads by work.c, in pieces that do
 * not depend on their number. The build for pthreads makes threads when it is loaded, which has no
 * place in a server. The serial one has no locks around its buffers: two threads in it at once get
 * each other's numbers (10 of 30 runs of unit.readers.recommend_fit). The one for OpenMP has the
 * locks, and makes threads only for a caller that may have more than one: how many is kept for each
 * thread, so each thread has to say it. */
#include "readers/recommend/dense.h"

#include <cblas.h>
#include <stdlib.h>

/* Fortran's rules: all by address, lengths of texts behind. */
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t uplo_size);
void spotrs_(const char *uplo, const int *n, const int *nrhs, const float *a, const int *lda,
             float *b, const int *ldb, int *info, size_t uplo_size);
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info,
             size_t jobz_size, size_t uplo_size);

void dense_begin(void)
{
    openblas_set_num_threads(1);
}

bool dense_solve(uint32_t n, float *matrix, float *right)
{
    int size = (int)n, one = 1, info = 0;

    /* Below the diagonal, by rows, is above it, by columns. */
    spotrf_("U", &size, matrix, &size, &info, 1);
    if (info != 0)
        return false;
    spotrs_("U", &size, &one, matrix, &size, right, &size, &info, 1);
    return info == 0;
}

void dense_multiply(uint32_t m, uint32_t n, uint32_t k, const float *a, const float *b, float *out)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1, a, (int)k, b,
                (int)n, 0, out, (int)n);
}

void dense_score(uint32_t m, uint32_t n, uint32_t k, float factor, const float *a, uint32_t a_step,
                 const float *b, uint32_t b_step, float *out)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, factor, a,
                (int)a_step, b, (int)b_step, 1, out, (int)n);
}

void dense_gram(uint32_t rows, uint32_t columns, const float *a, float *out)
{
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)columns, (int)rows, 1, a, (int)columns,
                0, out, (int)columns);
    for (uint32_t i = 0; i < columns; i++)
        for (uint32_t j = 0; j < i; j++)
            out[(size_t)i * columns + j] = out[(size_t)j * columns + i];
}

/* LAPACK gives the least first; the vectors, columns by columns, are rows here. */
static void turn_round(uint32_t n, double *vectors, double *values)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        uint32_t j = n - 1 - i;
        double value = values[i];

        values[i] = values[j];
        values[j] = value;
        cblas_dswap((int)n, vectors + (size_t)i * n, 1, vectors + (size_t)j * n, 1);
    }
}

bool dense_eigen(uint32_t n, double *vectors, double *values)
{
    int size = (int)n, info = 0, doubles_size = -1, ints_size = -1, ints_wanted = 0;
    double doubles_wanted = 0, *doubles;
    int *ints;

    dsyevd_("V", "U", &size, vectors, &size, values, &doubles_wanted, &doubles_size, &ints_wanted,
            &ints_size, &info, 1, 1);
    doubles_size = (int)doubles_wanted;
    ints_size = ints_wanted;
    doubles = malloc((size_t)doubles_size * sizeof *doubles);
    ints = malloc((size_t)ints_size * sizeof *ints);
    info = -1;
    if (doubles != NULL && ints != NULL)
        dsyevd_("V", "U", &size, vectors, &size, values, doubles, &doubles_size, ints, &ints_size,
                &info, 1, 1);
    free(doubles);
    free(ints);
    if (info == 0)
        turn_round(n, vectors, values);
    return info == 0;
}

void dense_add(uint32_t n, float factor, const float *from, float *to)
{
    cblas_saxpy((int)n, factor, from, 1, to, 1);
}

float dense_dot(uint32_t n, const float *a, const float *b)
{
    return cblas_sdot((int)n, a, 1, b, 1);
}
