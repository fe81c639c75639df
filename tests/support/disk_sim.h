/* disk_sim.h: a disk in memory that tears, loses, flips, fills up and fails, by seed.
 *
 * Files have two layers: the cache, which reads and writes see, and the medium, which a power cut
 * leaves. Sync moves one file's sectors (512 bytes) to the medium; sync_dir makes the names of one
 * directory last. The same seed and the same calls give the same bytes, always.
 *
 *   kill       the process ends: handles are gone, the cache stays
 *   crash      the power is cut: of what was not synced, by seed, nothing, all, or any sectors
 * stay; of the names not synced, any first part per directory a failed sync      puts any sectors
 * on the medium and calls the rest clean, as kernels do: the cache goes on showing bytes that are
 * not there, until evict or crash a failed write     may have written a first part
 *
 * Directories are made by make_dir and last at once. One user at a time, no threads.
 * Memory: all of it is the sim's own; paths given are copied. */
#ifndef ZAN_TESTS_DISK_SIM_H
#define ZAN_TESTS_DISK_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"

struct disk_sim;

struct disk_sim *disk_sim_new(uint64_t seed);
/* A second disk with the same content, cache and medium; no faults, no handles. */
struct disk_sim *disk_sim_clone(const struct disk_sim *sim, uint64_t seed);
void disk_sim_free(struct disk_sim *sim);
/* Borrowed until disk_sim_free. */
const struct disk *disk_sim_disk(struct disk_sim *sim);

void disk_sim_kill(struct disk_sim *sim);
void disk_sim_crash(struct disk_sim *sim);
void disk_sim_evict(struct disk_sim *sim);

/* ---- Faults ------------------------------------------------------------------------------- */

enum {
    DISK_SIM_OPEN = 1,
    DISK_SIM_READ = 2,
    DISK_SIM_WRITE = 4,
    DISK_SIM_SYNC = 8,
    DISK_SIM_NAME = 16, /* rename, remove, make_dir, list */
    DISK_SIM_SYNC_DIR = 32,
    DISK_SIM_SIZE = 64, /* size, truncate, free_bytes */
    DISK_SIM_ANY = 127
};

/* The nth operation from now (1: the next) of these kinds, on paths that begin with prefix (NULL:
 * all), ends with -error; with for_good, all later ones as well. One fault at a time. */
void disk_sim_fail(struct disk_sim *sim, uint64_t nth, unsigned kinds, const char *prefix,
                   int error, bool for_good);
/* From the nth operation on nothing is done any more, and all end with -EIO: the instant of a power
 * cut, of which the program only hears that it never came back. Call disk_sim_crash then. A write
 * that is the nth may have begun; 0: it is over already. */
void disk_sim_die(struct disk_sim *sim, uint64_t nth);
/* Did the last fault set strike? */
bool disk_sim_struck(const struct disk_sim *sim);
/* No fault any more; also forgets a capacity. */
void disk_sim_heal(struct disk_sim *sim);
/* The nth write from now to paths that begin with prefix is said to be done, but is not; or lands
 * at another multiple of 512 in the same file. */
void disk_sim_lose(struct disk_sim *sim, uint64_t nth, const char *prefix);
void disk_sim_misdirect(struct disk_sim *sim, uint64_t nth, const char *prefix);
/* All files together take at most bytes; 0: no bound. */
void disk_sim_capacity(struct disk_sim *sim, uint64_t bytes);

/* Operations so far, and a hash of every operation with its outcome. */
uint64_t disk_sim_operations(const struct disk_sim *sim);
uint64_t disk_sim_trace(const struct disk_sim *sim);

/* ---- Behind the program's back: cache and medium alike ------------------------------------ */

/* Names of all files, in order of making; false if there is no ith. */
bool disk_sim_file(const struct disk_sim *sim, size_t i, char path[256]);
bool disk_sim_exists(const struct disk_sim *sim, const char *path);
uint64_t disk_sim_bytes(const struct disk_sim *sim, const char *path);
/* The cache's bytes, borrowed until the file changes; NULL if there is no such file. */
const uint8_t *disk_sim_peek(const struct disk_sim *sim, const char *path);
void disk_sim_flip(struct disk_sim *sim, const char *path, uint64_t offset, uint8_t mask);
void disk_sim_cut(struct disk_sim *sim, const char *path, uint64_t bytes);
void disk_sim_delete(struct disk_sim *sim, const char *path);
/* Puts source's file from at path to; source may be sim itself. */
void disk_sim_put(struct disk_sim *sim, const char *to, const struct disk_sim *source,
                  const char *from);

#endif
