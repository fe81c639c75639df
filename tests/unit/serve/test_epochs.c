/* Keys of pseudonyms on a clock that is moved. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "serve/epochs.h"

#define DAY 86400000000LL
#define NOW 1790000000000000LL

static char directory[64], path[128], old_path[128], message[256];

static int make_place(void **state)
{
    (void)state;
    test_dir_make(directory);
    snprintf(path, sizeof path, "%s/epochs", directory);
    snprintf(old_path, sizeof old_path, "%s/old", directory);
    return 0;
}

static int remove_place(void **state)
{
    (void)state;
    test_dir_remove(directory);
    return 0;
}

static struct epochs *open_at(int64_t now_us)
{
    struct epochs *epochs;

    if (epochs_open(path, old_path, 7, 30, now_us, &epochs, message) != STATUS_OK)
        fail_msg("%s", message);
    return epochs;
}

static uint64_t address(struct epochs *epochs)
{
    return epochs_pseudonym(epochs, 'a', "192.0.2.1", 9);
}

static bool file_has(const uint8_t *bytes, size_t size)
{
    static uint8_t file[65536];
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, file, sizeof file);

    close(fd);
    assert_true(got > 0);
    return memmem(file, (size_t)got, bytes, size) != NULL;
}

static void rotates_and_destroys(void **state)
{
    struct epochs *epochs = open_at(NOW);
    struct epoch_list list;
    struct pseudonym_key first;
    uint64_t before = address(epochs), after;

    (void)state;
    assert_int_equal(epochs_read(path, &list, message), STATUS_OK);
    first = list.list[0].key;
    assert_int_equal(list.count, 1);
    epochs_tick(epochs, NOW + 7 * DAY - 1);
    assert_int_equal(address(epochs), before);
    epochs_tick(epochs, NOW + 7 * DAY);
    after = address(epochs);
    assert_int_not_equal(after, before);
    assert_int_equal(epochs_number(epochs), 2);
    epochs_tick(epochs, NOW + 7 * DAY + 1); /* once */
    assert_int_equal(address(epochs), after);
    epochs_tick(epochs, NOW); /* a clock that goes back brings no old key back */
    assert_int_equal(address(epochs), after);
    /* A reviewer can still say what the address was called then. */
    assert_true(file_has(first.bytes, sizeof first.bytes));
    assert_int_equal(epochs_read(path, &list, message), STATUS_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(pseudonym(&list.list[0].key, 'a', "192.0.2.1", 9), before);
    for (int64_t day = 8; day < 37; day++)
        epochs_tick(epochs, NOW + day * DAY);
    assert_true(file_has(first.bytes, sizeof first.bytes));
    epochs_tick(epochs, NOW + 37 * DAY); /* 30 days after its last use */
    assert_false(file_has(first.bytes, sizeof first.bytes));
    assert_int_equal(epochs_read(path, &list, message), STATUS_OK);
    assert_int_equal(list.list[0].number, 2);
    assert_int_equal(list.count, 5);
    epochs_close(epochs);
}

static void destroyed_bytes_are_zeros_where_they_lay(void **state)
{
    struct epochs *epochs = open_at(NOW);
    struct epoch_list list;
    uint8_t bytes[4096];
    int fd = open(path, O_RDONLY); /* the old file, whatever takes its name */

    (void)state;
    assert_int_equal(epochs_read(path, &list, message), STATUS_OK);
    epochs_tick(epochs, NOW + 8 * DAY);
    ssize_t size = pread(fd, bytes, sizeof bytes, 0);
    assert_int_equal(size, 16 + 48 + 32);
    for (ssize_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], 0);
    close(fd);
    epochs_close(epochs);
}

static void goes_on_where_it_was(void **state)
{
    struct epochs *epochs = open_at(NOW);
    struct stat about;
    uint64_t first = address(epochs);

    (void)state;
    epochs_close(epochs);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    epochs = open_at(NOW + DAY);
    assert_int_equal(address(epochs), first);
    epochs_close(epochs);
    epochs = open_at(NOW + 22 * DAY); /* a long stop: one new epoch, in step with the old ones */
    assert_int_not_equal(address(epochs), first);
    assert_int_equal(epochs_number(epochs), 2);
    first = address(epochs);
    epochs_tick(epochs, NOW + 28 * DAY - 1);
    assert_int_equal(address(epochs), first);
    epochs_tick(epochs, NOW + 28 * DAY);
    assert_int_not_equal(address(epochs), first);
    epochs_close(epochs);
}

static void takes_the_key_of_0_1_0_and_destroys_its_file(void **state)
{
    struct pseudonym_key key;
    struct epochs *epochs;
    int fd = open(old_path, O_WRONLY | O_CREAT, 0600);

    (void)state;
    digest_random(key.bytes, sizeof key.bytes);
    assert_int_equal(write(fd, key.bytes, 32), 32);
    close(fd);
    epochs = open_at(NOW);
    assert_int_equal(address(epochs), pseudonym(&key, 'a', "192.0.2.1", 9));
    assert_int_not_equal(access(old_path, F_OK), 0);
    epochs_close(epochs);
}

static void a_disk_that_fails_changes_nothing(void **state)
{
    struct epochs *epochs = open_at(NOW);
    struct epoch_list list;
    uint64_t first = address(epochs);
    char other[160];

    (void)state;
    snprintf(other, sizeof other, "%s.new", path);
    assert_int_equal(mkdir(other, 0700), 0); /* in the way of the new file */
    epochs_tick(epochs, NOW + 7 * DAY);
    assert_int_equal(address(epochs), first);
    assert_int_equal(epochs_read(path, &list, message), STATUS_OK);
    assert_int_equal(list.count, 1);
    rmdir(other);
    epochs_tick(epochs, NOW + 7 * DAY + 1); /* not at once: */
    assert_int_equal(address(epochs), first);
    epochs_tick(epochs, NOW + 7 * DAY + 61000000);
    assert_int_not_equal(address(epochs), first);
    epochs_close(epochs);
}

static void refuses_what_is_damaged_or_open_to_others(void **state)
{
    struct epoch_list list;
    struct epochs *epochs = open_at(NOW);
    uint8_t byte;

    (void)state;
    epochs_close(epochs);
    for (off_t at = 0; at < 16 + 48 + 32; at++) {
        int fd = open(path, O_RDWR);

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_equal(epochs_read(path, &list, message), STATUS_BADDATA);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
    }
    assert_int_equal(epochs_read(path, &list, message), STATUS_OK);
    chmod(path, 0640);
    assert_int_equal(epochs_read(path, &list, message), STATUS_BADDATA);
    assert_non_null(strstr(message, "others can read"));
    chmod(path, 0600);
    assert_int_equal(truncate(path, 90), 0);
    assert_int_equal(epochs_open(path, NULL, 7, 30, NOW, &epochs, message), STATUS_BADDATA);
    assert_int_equal(epochs_open("/no/such/place", NULL, 7, 30, NOW, &epochs, message),
                     STATUS_BADDATA);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rotates_and_destroys),
        TEST(destroyed_bytes_are_zeros_where_they_lay),
        TEST(goes_on_where_it_was),
        TEST(takes_the_key_of_0_1_0_and_destroys_its_file),
        TEST(a_disk_that_fails_changes_nothing),
        TEST(refuses_what_is_damaged_or_open_to_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
