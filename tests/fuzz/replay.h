/* replay.h: runs a fuzz target over its corpus, and over each file with a few random changes, as an
 * ordinary test: so that every build with every compiler sees what the fuzzer once found.
 *
 * Used by tests/unit/.../test_*_fuzzed.c, each of which includes one tests/fuzz/fuzz_*.c. */
#ifndef ZAN_TESTS_FUZZ_REPLAY_H
#define ZAN_TESTS_FUZZ_REPLAY_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define REPLAY_BYTES_MAX 65536
#define REPLAY_CHANGES   50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline size_t replay_read(const char *directory, const char *name, uint8_t *bytes)
{
    char path[512];
    FILE *file;
    size_t size;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, REPLAY_BYTES_MAX, file);
    fclose(file);
    return size;
}

/* A byte changed, one taken away, or one said twice. */
static inline size_t replay_change(struct test_random *random, uint8_t *bytes, size_t size)
{
    size_t at;

    if (size == 0 || size + 1 >= REPLAY_BYTES_MAX)
        return size;
    at = test_random_below(random, size);
    switch (test_random_below(random, 3)) {
    case 0:
        bytes[at] = (uint8_t)test_random_next(random);
        return size;
    case 1:
        memmove(bytes + at, bytes + at + 1, size - at - 1);
        return size - 1;
    default:
        memmove(bytes + at + 1, bytes + at, size - at);
        return size + 1;
    }
}

static inline void replay(const char *corpus)
{
    static uint8_t bytes[REPLAY_BYTES_MAX];
    uint64_t seed = test_seed(9);
    const char *source = getenv("ZAN_SOURCE");
    char directory[256];
    struct dirent *entry;
    uint32_t files = 0;
    DIR *list;

    if (source == NULL)
        skip();
    snprintf(directory, sizeof directory, "%s/tests/fuzz/corpus/%s", source, corpus);
    list = opendir(directory);
    assert_non_null(list);
    while ((entry = readdir(list)) != NULL) {
        struct test_random random = {seed}; /* whatever order the files come in */
        size_t size;

        if (entry->d_name[0] == '.')
            continue;
        size = replay_read(directory, entry->d_name, bytes);
        LLVMFuzzerTestOneInput(bytes, size);
        for (int i = 0; i < REPLAY_CHANGES; i++) {
            size = replay_change(&random, bytes, size);
            LLVMFuzzerTestOneInput(bytes, size);
        }
        files++;
    }
    closedir(list);
    assert_true(files > 5);
}

#endif
