/* Opening a log whose files hold anything at all: it opens or refuses, it never breaks; and what
 * opened once opens again, with the same end.
 *
 * The input is a list of changes to a small good log: 6 bytes each (copy and file, offset, length,
 * value), every hash of a head or header mended afterwards if the first byte is odd. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "log/log.h"

/* A fuzz target is linked with src alone; a test that includes this file has the disk already. */
#ifndef ZAN_TESTS_DISK_SIM_H
#include "../support/disk_sim.c"
#endif

#define DISK_BYTES (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const path_of[] = {
    "a/log.id", "a/0000000000000001.zlog", "a/0000000000000002.zlog", "a/0000000000000003.zlog",
    "b/log.id", "b/0000000000000001.zlog", "b/0000000000000002.zlog", "b/0000000000000003.zlog"};

static struct log_config config_of(struct disk_sim *sim)
{
    return (struct log_config){.disk = disk_sim_disk(sim),
                               .dir = {"a", "b"},
                               .partition_count = 1,
                               .segment_bytes = 16384,
                               .buffer_bytes = 8192,
                               .create = true};
}

static struct disk_sim *good_log(void)
{
    struct disk_sim *sim = disk_sim_new(1);
    struct log_config config = config_of(sim);
    struct log_report report;
    struct log *log;
    uint8_t body[700] = {7};

    if (log_open(&config, &log, &report) != STATUS_OK)
        abort();
    for (uint64_t sequence = 1; sequence <= 8; sequence++) {
        while (log_has_room(log, sizeof body) != STATUS_OK || log_durable(log) != sequence - 1)
            log_pump(log, 2);
        log_append(log, sequence, 1, 0, body, sizeof body);
    }
    log_close(log);
    return sim;
}

static void put_byte(struct disk_sim *sim, const char *path, uint64_t at, uint8_t value)
{
    if (disk_sim_exists(sim, path) && at < disk_sim_bytes(sim, path))
        disk_sim_flip(sim, path, at, disk_sim_peek(sim, path)[at] ^ value);
}

static void mend(struct disk_sim *sim, const char *path, uint64_t at, size_t hashed)
{
    uint8_t digest[DIGEST_BYTES];

    if (!disk_sim_exists(sim, path) || disk_sim_bytes(sim, path) < at + 4096)
        return;
    digest_sha256(disk_sim_peek(sim, path) + at, hashed, NULL, 0, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        put_byte(sim, path, at + hashed + i, digest[i]);
}

static void change(struct disk_sim *sim, const uint8_t *data)
{
    const char *path = path_of[data[0] % 8];
    uint64_t at = get_u16(data + 1) % 17000;

    if (!disk_sim_exists(sim, path))
        return;
    if (data[4] == 255)
        disk_sim_delete(sim, path);
    else if (data[4] == 254)
        disk_sim_cut(sim, path, at);
    else if (data[4] == 253)
        disk_sim_put(sim, path, sim, path_of[data[5] % 8]);
    else
        for (uint64_t i = 0; i <= data[3] % 64U; i++)
            put_byte(sim, path, at + i, data[5]);
}

static void mend_all(struct disk_sim *sim)
{
    for (int i = 0; i < 8; i++) {
        mend(sim, path_of[i], 0, 48);
        mend(sim, path_of[i], 4096, 96);
        mend(sim, path_of[i], 8192, 96);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct disk_sim *good;
    struct log_report first, second;
    struct disk_sim *sim;
    struct log_config config;
    struct log *log;

    if (good == NULL)
        good = good_log();
    if (size < 1)
        return 0;
    sim = disk_sim_clone(good, 1);
    for (size_t at = 1; at + 6 <= size; at += 6) {
        if (data[at + 4] == 253 && !disk_sim_exists(sim, path_of[data[at + 5] % 8]))
            continue;
        change(sim, data + at);
    }
    if (data[0] % 2 == 1)
        mend_all(sim);
    /* A header may say, with a hash that fits, that its segment is larger than this test's memory. */
    disk_sim_capacity(sim, DISK_BYTES);
    config = config_of(sim);
    (void)log_verify(&config, &first, NULL, NULL, NULL);
    if (log_open(&config, &log, &first) == STATUS_OK) {
        log_close(log);
        if (log_open(&config, &log, &second) != STATUS_OK)
            abort();
        assert(second.last_sequence == first.last_sequence && second.repaired_segments == 0);
        log_close(log);
    } else {
        assert(first.message[0] != '\0');
    }
    disk_sim_free(sim);
    return 0;
}
