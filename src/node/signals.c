#include "node/signals.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/hook.h"
#include "store/memory.h"

#define HEAD_BYTES 64

static const char magic[8] = "ZANSIGN1";

static void path_of(const struct signals *signals, uint64_t sequence, char path[600])
{
    snprintf(path, 600, "%s.signals-%016llx", signals->config.path, (unsigned long long)sequence);
}

static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
    uint64_t hash = size;

    for (size_t at = 0; at + 8 <= size; at += 8)
        hash = (hash ^ get_u64(bytes + at)) * 0x9E3779B97F4A7C15ULL, hash ^= hash >> 32;
    return hash_mix(hash);
}

static bool read_whole(int fd, uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = read(fd, bytes, size);

        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static bool write_whole(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, bytes, size);

        if (put <= 0)
            return false;
        bytes += put;
        size -= (size_t)put;
    }
    return true;
}

/* Into the region; what was read is zeroed again if it is not what it should be. */
static bool load_file(struct signals *signals, uint64_t sequence)
{
    uint8_t head[HEAD_BYTES], more;
    char path[600];
    bool good;
    int fd;

    path_of(signals, sequence, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    good = read_whole(fd, head, sizeof head) && memcmp(head, magic, 8) == 0 &&
           get_u64(head + 8) == sequence && get_u64(head + 16) == signals->config.bytes &&
           read_whole(fd, signals->region, signals->config.bytes) && read(fd, &more, 1) == 0 &&
           get_u64(head + 56) == hash_of(signals->region, signals->config.bytes);
    close(fd);
    if (!good)
        memset(signals->region, 0, signals->config.bytes);
    return good;
}

/* Where there is no room for all, less will do: what is remembered is then forgotten sooner. */
static bool take_memory(struct signals *signals, size_t bytes)
{
    for (; bytes >= JUDGE_BYTES_MIN; bytes = bytes / 2 / 64 * 64) {
        signals->region = memory_take(1, bytes);
        signals->copy = memory_take(1, bytes);
        signals->config.bytes = bytes;
        if (signals->region != NULL && signals->copy != NULL)
            return true;
        memory_give(signals->region, 1, bytes);
        memory_give(signals->copy, 1, bytes);
        signals->region = signals->copy = NULL;
    }
    signals->config.bytes = 0;
    return false;
}

static void set_pending(struct signals *signals)
{
    signals->judges.pending = signals->config.unscored;
    signals->judges.unscored = signals->judges.unscored || signals->config.unscored;
}

enum status signals_open(struct signals *signals, const struct signals_config *config,
                         uint64_t sequence, bool *found)
{
    bool loaded = false;

    *signals = (struct signals){.config = *config};
    *found = true;
    if (config->bytes == 0)
        return STATUS_OK;
    if (!take_memory(signals, config->bytes))
        return STATUS_NOMEMORY;
    if (config->path[0] != '\0' && sequence > 0)
        *found = loaded = load_file(signals, sequence);
    if (!judges_open(&signals->judges, signals->region, signals->config.bytes, config->policy,
                     config->policy_digest, config->scored, loaded))
        *found = false;
    if (!loaded && config->path[0] != '\0' && sequence > 0)
        judges_lost(&signals->judges);
    set_pending(signals);
    return STATUS_OK;
}

void signals_begin(struct signals *signals, size_t bytes)
{
    struct signals_config *config = &signals->config;

    /* The thread that flushes may be at work: it looks at the path and at what is copied only. */
    assert(config->bytes == 0 && signals->copied == 0);
    if (!take_memory(signals, bytes))
        abort();
    judges_open(&signals->judges, signals->region, config->bytes, config->policy,
                config->policy_digest, config->scored, false);
    set_pending(signals);
}

void signals_close(struct signals *signals)
{
    memory_give(signals->region, 1, signals->config.bytes);
    memory_give(signals->copy, 1, signals->config.bytes);
    signals->region = signals->copy = NULL;
}

void signals_copy(struct signals *signals)
{
    signals->copied = signals->config.path[0] != '\0' ? signals->config.bytes : 0;
    if (signals->copied == 0)
        return;
    memcpy(signals->copy, signals->region, signals->copied);
    memcpy(signals->copied_digest, signals->judges.digest, sizeof signals->copied_digest);
}

static bool write_file(const struct signals *signals, uint64_t sequence, const char *path)
{
    uint8_t head[HEAD_BYTES] = {0};
    char other[620];
    bool good;
    int fd;

    snprintf(other, sizeof other, "%s.tmp", path);
    fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    memcpy(head, magic, 8);
    put_u64(head + 8, sequence);
    put_u64(head + 16, signals->copied);
    memcpy(head + 24, signals->copied_digest, 32);
    put_u64(head + 56, hash_of(signals->copy, signals->copied));
    good = write_whole(fd, head, sizeof head) &&
           write_whole(fd, signals->copy, signals->copied) && fdatasync(fd) == 0;
    good = close(fd) == 0 && good && rename(other, path) == 0;
    CRASH_POINT("signals.written");
    if (!good)
        unlink(other);
    return good;
}

void signals_write(struct signals *signals, uint64_t sequence)
{
    char path[600];

    if (signals->copied == 0)
        return;
    path_of(signals, sequence, path);
    if (!write_file(signals, sequence, path))
        signals->unsaved++;
}

void signals_settle(const struct signals *signals, uint64_t sequence)
{
    char dir[512], mine[600], path[1200];
    const char *base, *keep;
    struct dirent *entry;
    DIR *open_dir;

    if (signals->copied == 0)
        return;
    path_of(signals, sequence, mine);
    snprintf(dir, sizeof dir, "%s", signals->config.path);
    *strrchr(dir, '/') = '\0';
    base = strrchr(signals->config.path, '/') + 1;
    keep = strrchr(mine, '/') + 1;
    if ((open_dir = opendir(dir)) == NULL)
        return;
    while ((entry = readdir(open_dir)) != NULL) {
        size_t size = strlen(base);

        if (strncmp(entry->d_name, base, size) != 0 ||
            strncmp(entry->d_name + size, ".signals-", 9) != 0 || strcmp(entry->d_name, keep) == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        unlink(path);
    }
    closedir(open_dir);
}
