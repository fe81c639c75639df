/* Opening, closing, and opening again after an error; what a store says of itself.
 *
 * Errors: RocksDB 7.8.3 that recovered by itself from a full disk still counts as stopped, and the
 * next ingest dies of an assertion (file number 0). So after any error of an ingest or of its
 * background work the database is closed and opened again before the next ingest (rocks_revive),
 * and readers wait for that behind a lock. If it cannot be opened for writing it is for reading.
 *
 * Damage: every block is checksummed and checked when it is read; any word of corruption ends as
 * CORRUPT, and the caller drops the directory. */
#include "store/rocks.h"

#include <dirent.h>
#include <errno.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hook.h"
#include "store/key.h"
#include "store/ops.h"
#include "store/pack.h"

#define REOPEN_BYTES                                                                               \
    ((uint64_t)4 << 20) /* a new manifest, options and log fit; else reads might end */
#define TEMPORARY "flush.tmp"

/* --- errors: RocksDB's C API has only texts ------------------------------------------------- */

static bool says(const char *error, const char *word)
{
    return strstr(error, word) != NULL;
}

static enum status status_of(const char *error)
{
    if (says(error, "No space left") || says(error, "Disk quota"))
        return STATUS_NOSPACE;
    if (strncmp(error, "Corruption", 10) == 0)
        return STATUS_CORRUPT;
    if (says(error, "While lock file") || says(error, "lock hold by"))
        return STATUS_LOCKED;
    if (strncmp(error, "IO error", 8) == 0) /* a file the manifest names is gone: damage */
        return says(error, "No such file") ? STATUS_CORRUPT : STATUS_IOFAIL;
    return STATUS_INTERNAL;
}

/* Takes the error over. */
enum status rocks_fail(char *error, char *message)
{
    enum status status = status_of(error);

    if (message != NULL)
        snprintf(message, 256, "%s", error);
    rocksdb_free(error);
    return status;
}

enum status rocks_refuse(char *message, enum status status, const char *text)
{
    snprintf(message, 256, "%s", text);
    return status;
}

/* RocksDB 7.8.3 does not look at a read that fails while it takes the bounds of an ingested file,
 * and writes the file down as empty: gets pass it over, iterators meet rows outside of it and
 * abort. Every file has rows, so one without bounds is known by that (found by fault.io). */
enum status rocks_check_bounds(struct rocks *rocks, char *message)
{
    const rocksdb_livefiles_t *files = rocksdb_livefiles(rocks->db);
    bool good = true;

    for (int i = 0; i < rocksdb_livefiles_count(files); i++) {
        size_t smallest, largest_size;

        (void)rocksdb_livefiles_smallestkey(files, i, &smallest);
        (void)rocksdb_livefiles_largestkey(files, i, &largest_size);
        good = good && smallest > 0 && largest_size > 0;
    }
    rocksdb_livefiles_destroy(files);
    return good ? STATUS_OK
                : rocks_refuse(message, STATUS_CORRUPT,
                               "a file of the store was taken in without its keys");
}

/* --- open ----------------------------------------------------------------------------------- */

struct directory {
    bool exists, current, tables, foreign;
};

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool is_numbered(const char *name, const char *ending)
{
    size_t digits = strspn(name, "0123456789");

    return digits > 0 && strcmp(name + digits, ending) == 0;
}

static void look_at_name(struct directory *directory, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return;
    if (strcmp(name, "CURRENT") == 0)
        directory->current = true;
    else if (is_numbered(name, ".sst"))
        directory->tables = true;
    else if (!is_numbered(name, ".log") && !is_numbered(name, ".dbtmp") &&
             !begins(name, "MANIFEST-") && !begins(name, "OPTIONS-") && !begins(name, "LOG") &&
             strcmp(name, "LOCK") != 0 && strcmp(name, "IDENTITY") != 0 &&
             strcmp(name, TEMPORARY) != 0)
        directory->foreign = true;
}

static enum status look_at(const char *path, struct directory *directory, char *message)
{
    DIR *list = opendir(path);
    struct dirent *entry;

    *directory = (struct directory){0};
    if (list == NULL && errno == ENOENT)
        return STATUS_OK;
    if (list == NULL) {
        snprintf(message, 256, "%s cannot be read: %s", path, strerror(errno));
        return errno == ENOTDIR ? STATUS_BADDATA : STATUS_IOFAIL;
    }
    directory->exists = true;
    while ((entry = readdir(list)) != NULL)
        look_at_name(directory, entry->d_name);
    closedir(list);
    return STATUS_OK;
}

/* Looks before RocksDB does: it would make a database among foreign files, and take a store that
 * lost its CURRENT file for a new one. *fresh: there is nothing yet. */
static enum status check_directory(const struct store_config *config, bool *fresh, char *message)
{
    struct directory directory;
    enum status status = look_at(config->path, &directory, message);

    *fresh = !directory.current;
    if (status != STATUS_OK || directory.current)
        return status;
    if (directory.foreign)
        return rocks_refuse(message, STATUS_BADDATA,
                            "the directory holds files that are not a store's");
    if (directory.tables)
        return rocks_refuse(message, STATUS_CORRUPT, "the store has lost its file CURRENT");
    if (!config->create)
        return rocks_refuse(message, STATUS_BADDATA, "there is no store in this directory");
    if (!directory.exists && mkdir(config->path, 0700) != 0) {
        snprintf(message, 256, "%s cannot be made: %s", config->path, strerror(errno));
        return errno == ENOSPC ? STATUS_NOSPACE : STATUS_IOFAIL;
    }
    return STATUS_OK;
}

struct opening {
    struct rocks *rocks;
    bool read_only;
    char *error;
};

static void *open_database_now(void *argument)
{
    struct opening *opening = argument;
    struct rocks *rocks = opening->rocks;
    const char *names[1] = {"default"};
    const rocksdb_options_t *options[1] = {rocks->options};

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), ROCKS_BACKGROUND_NICE);
    if (opening->read_only)
        rocks->db = rocksdb_open_for_read_only_column_families(
            rocks->options, rocks->path, 1, names, options, &rocks->family, 0, &opening->error);
    else
        rocks->db = rocksdb_open_column_families(rocks->options, rocks->path, 1, names, options,
                                                 &rocks->family, &opening->error);
    return NULL;
}

/* On a thread of its own: the background threads RocksDB starts while it opens inherit its nice
 * value, and the caller could not raise its own again. */
static enum status open_database(struct rocks *rocks, bool fresh, bool read_only, char *message)
{
    struct opening opening = {rocks, read_only, NULL};
    pthread_t thread;

    if (pthread_create(&thread, NULL, open_database_now, &opening) != 0)
        return rocks_refuse(message, STATUS_NOMEMORY, "no thread to open the store");
    pthread_join(thread, NULL);
    if (opening.error == NULL)
        return STATUS_OK;

    enum status status = rocks_fail(opening.error, message);

    /* Whatever else a database that was there says when it does not open, it is damaged. */
    return !fresh && status == STATUS_INTERNAL ? STATUS_CORRUPT : status;
}

void rocks_publish(struct rocks *rocks, const struct pack_meta *meta, const uint64_t *marks)
{
    atomic_store_explicit(&rocks->edges, meta->edges, memory_order_relaxed);
    atomic_store_explicit(&rocks->keys, meta->keys, memory_order_relaxed);
    atomic_store_explicit(&rocks->newest_us, meta->newest_us, memory_order_release);
    for (uint16_t i = 0; i < rocks->base.partition_count; i++)
        atomic_store_explicit(&rocks->marks[i], marks[i], memory_order_relaxed);
    atomic_store_explicit(&rocks->applied, meta->applied, memory_order_release);
}

static enum status check_meta(const struct rocks *rocks, const struct pack_meta *meta,
                              char *message)
{
    if (meta->partition_count != rocks->base.partition_count ||
        meta->partition != rocks->partition) {
        snprintf(message, 256, "the store is partition %u of %u, not %u of %u", meta->partition,
                 meta->partition_count, rocks->partition, rocks->base.partition_count);
        return STATUS_BADDATA;
    }
    if (memcmp(meta->log_id, rocks->log_id, sizeof meta->log_id) != 0 &&
        !PLANTED("store.any_log_will_do"))
        return rocks_refuse(message, STATUS_BADDATA, "the store belongs to another log");
    return STATUS_OK;
}

static enum status take_meta(struct rocks *rocks, const uint8_t *bytes, size_t size, char *message)
{
    struct pack_meta meta;
    uint16_t version;
    enum status status;
    uint64_t *marks;

    if (!unpack_meta(bytes, size, &meta, &version)) {
        snprintf(message, 256, "the meta row has format %u, not %u", version,
                 (unsigned)PACK_VERSION);
        /* An older one is made again from the log; a newer one is not ours to touch. */
        return version > PACK_VERSION ? STATUS_BADDATA : STATUS_CORRUPT;
    }
    if ((status = check_meta(rocks, &meta, message)) != STATUS_OK)
        return status;
    if ((marks = malloc(meta.partition_count * sizeof *marks)) == NULL)
        return rocks_refuse(message, STATUS_NOMEMORY, "no memory for the marks");
    if (unpack_marks(bytes, size, marks, meta.partition_count))
        rocks_publish(rocks, &meta, marks);
    else
        status = rocks_refuse(message, STATUS_CORRUPT, "the meta row is damaged");
    free(marks);
    return status;
}

/* The key of the meta row has the partition in it: the one of another partition is found by a seek.
 */
static enum status read_meta(struct rocks *rocks, bool *found, char *message)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    enum status status = STATUS_OK;
    char *error = NULL;

    rocksdb_readoptions_set_total_order_seek(options, 1);

    rocksdb_iterator_t *iterator = rocksdb_create_iterator_cf(rocks->db, options, rocks->family);

    rocksdb_iter_seek_to_first(iterator);
    rocksdb_iter_get_error(iterator, &error);
    *found = rocksdb_iter_valid(iterator);
    if (error != NULL) {
        status = rocks_fail(error, message);
    } else if (*found) {
        size_t key_size, size;
        const char *key = rocksdb_iter_key(iterator, &key_size);
        const char *value = rocksdb_iter_value(iterator, &size);

        status = key_size == KEY_META_BYTES && key[0] == KEY_META
                     ? take_meta(rocks, (const uint8_t *)value, size, message)
                     : rocks_refuse(message, STATUS_CORRUPT, "the store has lost its meta row");
    }
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    return status;
}

static void close_database(struct rocks *rocks)
{
    if (rocks->db == NULL)
        return;
    rocksdb_cancel_all_background_work(rocks->db, 1);
    rocksdb_column_family_handle_destroy(rocks->family);
    rocksdb_close(rocks->db);
    rocks->db = NULL;
}

/* --- after an error ------------------------------------------------------------------------- */

/* What RocksDB has against writing: an empty batch asks. */
static enum status ask_error(struct rocks *rocks, char *message)
{
    rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    char *error = NULL;

    rocksdb_writeoptions_disable_WAL(options, 1);
    rocksdb_write(rocks->db, options, batch, &error);
    rocksdb_writebatch_destroy(batch);
    rocksdb_writeoptions_destroy(options);
    return error != NULL ? rocks_fail(error, message) : STATUS_OK;
}

static bool had_background_errors(struct rocks *rocks)
{
    uint64_t errors = 0;

    (void)rocksdb_property_int(rocks->db, "rocksdb.background-errors", &errors);
    return errors > 0;
}

static bool has_room_to_reopen(const struct rocks *rocks)
{
    struct statvfs info;

    return statvfs(rocks->path, &info) != 0 || info.f_bavail * info.f_bsize >= REOPEN_BYTES;
}

/* The flush whose ingest failed may stand in the manifest after all: the meta row tells. */
static enum status open_again(struct rocks *rocks, char *message)
{
    char ignored[256];
    bool found;
    enum status status;

    close_database(rocks);
    rocksdb_options_set_create_if_missing(rocks->options, 0);
    if ((status = open_database(rocks, false, false, message)) == STATUS_OK)
        status = read_meta(rocks, &found, message);
    else
        (void)open_database(rocks, false, true, ignored);
    return status;
}

/* Before a flush: is the database fit for it? */
enum status rocks_revive(struct rocks *rocks, char *message)
{
    enum status status;

    if (rocks->db != NULL && !rocks->suspect && !had_background_errors(rocks))
        return STATUS_OK;
    status = rocks->db != NULL ? ask_error(rocks, message) : STATUS_OK;
    if (status == STATUS_CORRUPT || status == STATUS_IOFAIL)
        return status;
    if (!has_room_to_reopen(rocks))
        return rocks_refuse(message, STATUS_NOSPACE, "the disk is full");
    rocks_filler_stop(rocks);
    pthread_rwlock_wrlock(&rocks->lock);
    status = open_again(rocks, message);
    pthread_rwlock_unlock(&rocks->lock);
    rocks_filler_start(rocks);
    rocks->suspect = status != STATUS_OK;
    return status;
}

/* --- the whole ------------------------------------------------------------------------------ */

/* A new store says at once whose it is. */
static enum status write_first_meta(struct rocks *rocks, const struct store_config *config,
                                    char *message)
{
    struct store_flush nothing_yet = {0};

    if (!config->create)
        return rocks_refuse(message, STATUS_BADDATA, "the store in this directory is empty");
    return rocks_flush(&rocks->base, &nothing_yet, message);
}

static void rocks_close(struct store *store)
{
    struct rocks *rocks = rocks_of(store);

    rocks_filler_stop(rocks);
    close_database(rocks);
    pthread_rwlock_destroy(&rocks->lock);
    rocks_options_free(rocks);
    filter_free(&rocks->filter);
    rocks_lookup_free(&rocks->lookup);
    free(rocks->order);
    free(rocks->scratch);
    free((void *)rocks->marks);
    free(rocks);
}

static enum status open_steps(struct rocks *rocks, const struct store_config *config, char *message)
{
    bool fresh, found;
    enum status status;

    if ((status = check_directory(config, &fresh, message)) != STATUS_OK)
        return status;
    rocks_options_make(rocks, config->cache_bytes, fresh);
    CRASH_POINT("store.before_open");
    if ((status = open_database(rocks, fresh, config->read_only, message)) != STATUS_OK)
        return status;
    CRASH_POINT("store.opened");
    if (!config->read_only)
        (void)unlink(rocks->temporary);
    if ((status = rocks_check_bounds(rocks, message)) != STATUS_OK)
        return status;
    if ((status = read_meta(rocks, &found, message)) != STATUS_OK)
        return status;
    if (!rocks_filter_make(rocks, config->filter_bytes, !found))
        return rocks_refuse(message, STATUS_NOMEMORY, "no memory for the key filter");
    rocks_filler_start(rocks);
    return found ? STATUS_OK : write_first_meta(rocks, config, message);
}

static void rocks_stats(const struct store *store, struct store_stats *stats)
{
    struct rocks *rocks = rocks_of((struct store *)(uintptr_t)store); /* only to lock */
    uint64_t readers_bytes = 0;

    if (begin_reading(rocks)) {
        (void)rocksdb_property_int(rocks->db, "rocksdb.live-sst-files-size", &stats->disk_bytes);
        (void)rocksdb_property_int(rocks->db, "rocksdb.estimate-table-readers-mem", &readers_bytes);
        end_reading(rocks);
    }
    stats->edges_estimate = atomic_load_explicit(&rocks->edges, memory_order_relaxed);
    stats->filter_bytes = filter_bytes(&rocks->filter);
    stats->cache_bytes = rocksdb_cache_get_usage(rocks->cache) + readers_bytes;
    stats->filter_complete = atomic_load(&rocks->filter_complete);
    stats->filter_keys = filter_keys(&rocks->filter);
    stats->filter_checks = atomic_load_explicit(&rocks->filter_checks, memory_order_relaxed);
    stats->filter_absent = atomic_load_explicit(&rocks->filter_absent, memory_order_relaxed);
    stats->gets = atomic_load_explicit(&rocks->gets, memory_order_relaxed);
    stats->flushes = atomic_load_explicit(&rocks->flushes, memory_order_relaxed);
    stats->flush_us_total = atomic_load_explicit(&rocks->flush_us_total, memory_order_relaxed);
    stats->flush_rows = atomic_load_explicit(&rocks->flush_rows, memory_order_relaxed);
}

static uint64_t rocks_applied(const struct store *store)
{
    return atomic_load_explicit(&rocks_of_const(store)->applied, memory_order_acquire);
}

static uint64_t rocks_mark(const struct store *store, uint16_t source)
{
    return atomic_load_explicit(&rocks_of_const(store)->marks[source], memory_order_relaxed);
}

static const struct store_ops rocks_ops = {
    .close = rocks_close,
    .applied = rocks_applied,
    .mark = rocks_mark,
    .get_accounts = rocks_get_accounts,
    .get_items = rocks_get_items,
    .get_edges = rocks_get_edges,
    .get_operations = rocks_get_operations,
    .get_cases = rocks_get_cases,
    .get_inboxes = rocks_get_inboxes,
    .scan_live = rocks_scan_live,
    .scan_policies = rocks_scan_policies,
    .may_have_account = rocks_may_have_account,
    .may_have_item = rocks_may_have_item,
    .may_have_inbox = rocks_may_have_inbox,
    .may_have_edges = rocks_may_have_edges,
    .may_have_operation = rocks_may_have_operation,
    .prefetch_edge = rocks_prefetch_edge,
    .list = rocks_list,
    .flush = rocks_flush,
    .scan = rocks_scan,
    .items_from = rocks_items_from,
    .edges_from = rocks_edges_from,
    .stats = rocks_stats,
};

enum status store_rocks_open(const struct store_config *config, struct store **store,
                             char message[256])
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    enum status status;

    if (rocks == NULL)
        return rocks_refuse(message, STATUS_NOMEMORY, "no memory for a store");
    rocks->base = (struct store){&rocks_ops, config->read_only, config->partition_count};
    pthread_rwlock_init(&rocks->lock, NULL);
    rocks->partition = config->partition;
    rocks->operation_keep_us = config->operation_keep_us;
    memcpy(rocks->log_id, config->log_id, sizeof rocks->log_id);
    rocks->seed = get_u64(config->log_id);
    rocks->marks = calloc(config->partition_count, sizeof *rocks->marks);
    if (rocks->marks == NULL || !rocks_lookup_make(&rocks->lookup)) {
        rocks_close(&rocks->base);
        return rocks_refuse(message, STATUS_NOMEMORY, "no memory for a store");
    }
    if (strlen(config->path) >= sizeof rocks->path) {
        rocks_close(&rocks->base);
        return rocks_refuse(message, STATUS_BADDATA, "the path is too long");
    }
    snprintf(rocks->path, sizeof rocks->path, "%s", config->path);
    snprintf(rocks->temporary, sizeof rocks->temporary, "%s/" TEMPORARY, config->path);
    if ((status = open_steps(rocks, config, message)) != STATUS_OK) {
        rocks_close(&rocks->base);
        return status;
    }
    *store = &rocks->base;
    return STATUS_OK;
}
