#include "support.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t test_seed(uint64_t fallback)
{
    const char *text = getenv("ZAN_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : fallback;

    printf("seed %llu\n", (unsigned long long)seed);
    return seed;
}

uint64_t test_random_next(struct test_random *random)
{
    uint64_t z = (random->state += 0x9E3779B97F4A7C15ULL);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

uint64_t test_random_below(struct test_random *random, uint64_t bound)
{
    return test_random_next(random) % bound;
}

void test_dir_make(char path[64])
{
    const char *root = getenv("TMPDIR");

    snprintf(path, 64, "%s/zan-test-XXXXXX", root != NULL && strlen(root) < 40 ? root : "/tmp");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void test_dir_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
