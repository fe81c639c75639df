/* Damage of any file of a store is found: the answer is CORRUPT, or it is right. Never silently wrong.
 *
 * A store of many flushes is copied, one bit of one file is flipped (or a file is cut, lost, or
 * swapped), and everything is read. Right is what the twin in memory says for the sequence the store
 * claims to stand for: an earlier one is right too, the log has the rest.
 * ZAN_FLIPS sets how many bits are tried. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/store_world.h"

enum { FLUSHES = 20, FILES_MAX = 64 };

static struct world *world;
static uint64_t digests[FLUSHES + 1], sequences[FLUSHES + 1];
static char origin[64], copy[80];
static char names[FILES_MAX][64];
static off_t sizes[FILES_MAX];
static unsigned file_count;

static struct store *open_at(const char *path)
{
    struct store_config config = world_config(path);
    struct store *store;
    char message[256];

    assert_int_equal(store_open(&config, &store, message), STATUS_OK);
    return store;
}

static void flush_and_free(struct store *store, struct store_flush *flush)
{
    char message[256];

    assert_int_equal(store_flush(store, flush, message), STATUS_OK);
    world_flush_free(flush);
}

static void list_files(void)
{
    DIR *list = opendir(origin);
    struct dirent *entry;

    assert_non_null(list);
    while ((entry = readdir(list)) != NULL) {
        struct stat info;
        char path[400];

        snprintf(path, sizeof path, "%s/%s", origin, entry->d_name);
        assert_int_equal(stat(path, &info), 0);
        if (!S_ISREG(info.st_mode))
            continue;
        assert_true(file_count < FILES_MAX && strlen(entry->d_name) < 64);
        snprintf(names[file_count], 64, "%.63s", entry->d_name);
        sizes[file_count++] = info.st_size;
    }
    closedir(list);
}

/* The flushes are made first, so that every digest asks for the same operations. */
static int make_origin(void **state)
{
    static struct store_flush flushes[FLUSHES];
    static uint64_t marks[FLUSHES][3];
    struct store_config memory = world_config(NULL);
    struct store *store, *twin;
    char message[256];

    (void)state;
    world = world_make(test_seed(21));
    test_dir_make(origin);
    snprintf(copy, sizeof copy, "%s.copy", origin);
    for (int f = 0; f < FLUSHES; f++) {
        for (int i = 0; i < (f == 5 ? 2000 : 60); i++)
            world_step(world);
        flushes[f] = world_flush(world);
        memcpy(marks[f], world->marks, sizeof marks[f]);
        flushes[f].marks = marks[f];
    }
    store = open_at(origin);
    assert_int_equal(store_open(&memory, &twin, message), STATUS_OK);
    assert_int_equal(world_read(world, twin, &digests[0]), STATUS_OK);
    for (int f = 0; f < FLUSHES; f++) {
        struct store_flush again = world_flush_copy(&flushes[f]);

        flush_and_free(twin, &again);
        flush_and_free(store, &flushes[f]);
        sequences[f + 1] = store_applied(twin);
        assert_int_equal(world_read(world, twin, &digests[f + 1]), STATUS_OK);
    }
    store_close(store);
    store_close(twin);
    list_files();
    return 0;
}

static int drop_origin(void **state)
{
    (void)state;
    test_dir_remove(origin);
    test_dir_remove(copy);
    free(world);
    return 0;
}

static void copy_file(const char *name)
{
    static char bytes[1 << 16];
    char from[400], to[400];
    ssize_t size;
    int in, out;

    snprintf(from, sizeof from, "%s/%s", origin, name);
    snprintf(to, sizeof to, "%s/%s", copy, name);
    in = open(from, O_RDONLY);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    while ((size = read(in, bytes, sizeof bytes)) > 0)
        assert_true(write(out, bytes, (size_t)size) == size);
    close(in);
    close(out);
}

static void copy_all(void)
{
    test_dir_remove(copy);
    assert_int_equal(mkdir(copy, 0700), 0);
    for (unsigned i = 0; i < file_count; i++)
        copy_file(names[i]);
}

static bool is_right(const struct store *store, uint64_t digest)
{
    for (int f = 0; f <= FLUSHES; f++)
        if (sequences[f] == store_applied(store))
            return digest == digests[f];
    return false;
}

/* True: the damage was found. False: it did no harm. Anything else fails the test. */
static bool is_found(const char *what)
{
    struct store_config config = world_config(copy);
    struct store *store = NULL;
    char message[256];
    uint64_t digest = 0;
    enum status status;

    config.create = false;
    status = store_open(&config, &store, message);
    if (status == STATUS_OK) {
        status = world_read(world, store, &digest);
        if (status == STATUS_OK && !is_right(store, digest))
            fail_msg("%s: silently wrong at sequence %lu", what,
                     (unsigned long)store_applied(store));
        store_close(store);
    }
    if (status != STATUS_OK && status != STATUS_CORRUPT && status != STATUS_BADDATA)
        fail_msg("%s: %s %s", what, status_info(status)->code, message);
    return status != STATUS_OK;
}

static void flip(unsigned file, off_t offset, unsigned bit)
{
    char path[400];
    uint8_t byte;
    int handle;

    snprintf(path, sizeof path, "%s/%s", copy, names[file]);
    handle = open(path, O_RDWR);
    assert_true(handle >= 0);
    assert_int_equal(pread(handle, &byte, 1, offset), 1);
    byte ^= (uint8_t)(1u << bit);
    assert_int_equal(pwrite(handle, &byte, 1, offset), 1);
    close(handle);
}

static void the_copy_is_right(void **state)
{
    (void)state;
    copy_all();
    assert_false(is_found("no damage"));
}

static void a_flipped_bit_is_found_or_harmless(void **state)
{
    struct test_random random = {test_seed(22)};
    const char *text = getenv("ZAN_FLIPS");
    long flips = text != NULL ? strtol(text, NULL, 10) : 150, tables = 0, found = 0;

    (void)state;
    for (long i = 0; i < flips; i++) {
        unsigned file = (unsigned)test_random_below(&random, file_count);
        bool table = strstr(names[file], ".sst") != NULL;
        char what[200];

        if (sizes[file] == 0)
            continue;
        off_t offset = (off_t)test_random_below(&random, (uint64_t)sizes[file]);
        unsigned bit = (unsigned)test_random_below(&random, 8);

        copy_all();
        flip(file, offset, bit);
        snprintf(what, sizeof what, "%s byte %ld bit %u", names[file], (long)offset, bit);
        bool one = is_found(what);
        tables += table;
        found += table && one;
    }
    printf("of %ld flips in tables %ld were found, the rest did no harm\n", tables, found);
    assert_true(found * 2 > tables);
}

static void a_cut_lost_or_swapped_file_is_found_or_harmless(void **state)
{
    char path[400], other[400], what[200];
    unsigned last = file_count;

    (void)state;
    for (unsigned i = 0; i < file_count; i++) {
        snprintf(path, sizeof path, "%s/%s", copy, names[i]);
        for (int part = 0; part < 3; part++) {
            copy_all();
            assert_int_equal(truncate(path, part == 2 ? sizes[i] - (sizes[i] > 0) : sizes[i] * part / 2), 0);
            snprintf(what, sizeof what, "%s cut (%d)", names[i], part);
            (void)is_found(what);
        }
        copy_all();
        assert_int_equal(unlink(path), 0);
        snprintf(what, sizeof what, "%s lost", names[i]);
        (void)is_found(what);
        if (strstr(names[i], ".sst") == NULL)
            continue;
        if (last < file_count) {
            copy_all();
            snprintf(other, sizeof other, "%s/%s", copy, names[last]);
            assert_int_equal(renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE), 0);
            snprintf(what, sizeof what, "%s and %s swapped", names[i], names[last]);
            assert_true(is_found(what));
        }
        last = i;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_is_right),
        cmocka_unit_test(a_flipped_bit_is_found_or_harmless),
        cmocka_unit_test(a_cut_lost_or_swapped_file_is_found_or_harmless),
    };

    return cmocka_run_group_tests(tests, make_origin, drop_origin);
}
