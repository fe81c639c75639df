/* What the judges remember, when there is no memory for it, or its file is missing or damaged. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/signals.h"

#define BYTES    ((size_t)64 << 20)
#define SEQUENCE 12

static char dir[64];
static struct signals signals;

static int setup(void **state)
{
    (void)state;
    test_dir_make(dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_dir_remove(dir);
    return 0;
}

static struct signals_config config_of(size_t bytes)
{
    struct signals_config config = {.bytes = bytes, .scored = true};

    snprintf(config.path, sizeof config.path, "%s/store", dir);
    return config;
}

static size_t address_space(void)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "r");

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    return strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* Leaves the process so much more room than it has now; 0: as much as it likes. */
static void limit(size_t more)
{
    struct rlimit room;

    assert_int_equal(getrlimit(RLIMIT_AS, &room), 0);
    room.rlim_cur = more == 0 ? room.rlim_max : address_space() + more;
    assert_int_equal(setrlimit(RLIMIT_AS, &room), 0);
}

static void with_less_memory_it_remembers_less(void **state)
{
    struct signals_config config = config_of(BYTES);
    enum status status;
    bool found;

    (void)state;
    limit((size_t)40 << 20);
    status = signals_open(&signals, &config, 0, &found);
    limit(0);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(signals.config.bytes, BYTES / 4); /* twice 16 MiB */
    assert_true(judges_check(&signals.judges, 1000000, JUDGE_CHECK_LINES));
    signals_close(&signals);
}

static void without_any_it_says_so(void **state)
{
    struct signals_config config = config_of(BYTES);
    enum status status;
    bool found;

    (void)state;
    limit((size_t)2 << 20);
    status = signals_open(&signals, &config, 0, &found);
    limit(0);
    assert_int_equal(status, STATUS_NOMEMORY);
    signals_close(&signals);
}

static void save(void)
{
    struct signals_config config = config_of(JUDGE_BYTES_MIN);
    bool found;

    assert_int_equal(signals_open(&signals, &config, 0, &found), STATUS_OK);
    assert_true(found);
    assert_int_equal(judges_lack(&signals.judges, 0), JUDGE_LACKS_NOTHING);
    signals_copy(&signals);
    signals_write(&signals, SEQUENCE);
    assert_int_equal(signals.unsaved, 0);
    signals_close(&signals);
}

/* Opens it as a start would that finds the store at that sequence; what the judges lack then. */
static enum judge_lack opened(size_t bytes, uint64_t sequence, bool whole)
{
    struct signals_config config = config_of(bytes);
    enum judge_lack lack;
    bool found;

    assert_int_equal(signals_open(&signals, &config, sequence, &found), STATUS_OK);
    assert_int_equal(found, whole);
    lack = judges_lack(&signals.judges, 1000000);
    assert_int_equal(signals.judges.unscored, !whole);
    assert_int_equal(signals.judges.holds->missed > 0, !whole);
    signals_close(&signals);
    return lack;
}

static void damage(long at)
{
    char path[128];
    FILE *file;
    int byte;

    snprintf(path, sizeof path, "%s/store.signals-%016x", dir, SEQUENCE);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void what_was_lost_is_not_taken_for_nothing_seen(void **state)
{
    static const long places[] = {0, 9, 17, 57, 64, 64 + (1 << 20)};

    (void)state;
    save();
    assert_int_equal(opened(JUDGE_BYTES_MIN, SEQUENCE, true), JUDGE_LACKS_NOTHING);
    assert_int_equal(opened(JUDGE_BYTES_MIN, SEQUENCE + 1, false), JUDGE_BLIND); /* none */
    assert_int_equal(opened(2 * JUDGE_BYTES_MIN, SEQUENCE, false),
                     JUDGE_BLIND); /* of another size */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        damage(places[i]);
        assert_int_equal(opened(JUDGE_BYTES_MIN, SEQUENCE, false), JUDGE_BLIND);
        damage(places[i]);
        assert_int_equal(opened(JUDGE_BYTES_MIN, SEQUENCE, true), JUDGE_LACKS_NOTHING);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(with_less_memory_it_remembers_less),
        TEST(without_any_it_says_so),
        TEST(what_was_lost_is_not_taken_for_nothing_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
