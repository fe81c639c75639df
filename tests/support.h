/* support.h: what every test program needs, and nothing of Zan itself. */
#ifndef ZAN_TESTS_SUPPORT_H
#define ZAN_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A small random stream (splitmix64). The seed is printed by test_seed, so that a red run can be
 * repeated with ZAN_SEED=n. */
struct test_random {
    uint64_t state;
};

/* ZAN_SEED from the environment, else fallback; prints "seed n" on standard output. */
uint64_t test_seed(uint64_t fallback);
uint64_t test_random_next(struct test_random *random);
/* Uniform in [0, bound); bound must be greater than 0. */
uint64_t test_random_below(struct test_random *random, uint64_t bound);

/* A new empty directory under $TMPDIR (or /tmp); removed by test_dir_remove. */
void test_dir_make(char path[64]);
void test_dir_remove(const char *path);

#endif
