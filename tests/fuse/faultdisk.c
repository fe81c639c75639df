/* faultdisk.c: a disk that loses power, tears, fails, lies and lingers, as a FUSE file system.
 *
 * Two files: `disk` (a loop device and a real ext4 go on top of it) and `control` (commands in,
 * numbers out). Everything is in memory, in two images:
 *
 *   seen      what a read gives back
 *   durable   what a power cut leaves; a flush copies every unflushed sector here
 *
 * Commands, one a write to `control`:
 *   cut N            from now on every flush fails with EIO, as on a disk without power; N more
 *                    writes still reach the disk's own memory, the later ones fail too, and so do
 *                    all after a flush that failed: what a kernel writes in answer to that is
 *                    nothing a machine without power would have written
 *   power SEED MODE  what was not flushed is decided, 4 KiB at a time, by the seed: MODE drop (all
 *                    lost), torn (kept, lost, or some of its 512-byte sectors kept), keep; then the
 *                    disk works again
 *   flush_eio N K    the nth flush from now fails and K - 1 more after it; what it should have made
 *                    durable is gone, as Linux forgets dirty pages after a failed fsync
 *   write_eio N K    the same for writes; nothing of them arrives
 *   misdirect N      the nth write lands 1 MiB further on
 *   lose N           the nth write is answered well and goes nowhere
 *   delay MS         every write and flush takes that much longer
 *   heal             forget the above
 * `control` reads: writes flushes unflushed_blocks fired
 *
 * Usage: faultdisk SIZE_MIB MOUNTPOINT [fuse options]. One thread (-s is forced): the order of
 * commands and writes is what the test asked for. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SECTOR 512u
#define BLOCK  4096u
#define MISDIRECT_BYTES (1u << 20)

struct counted { /* a fault that waits for the nth call and then stays for a while */
    int64_t left;
    int64_t times;
};

static struct {
    uint64_t size;
    uint8_t *seen, *durable;
    uint8_t *unflushed; /* a byte per sector */
    bool off;
    uint64_t still; /* writes that are taken although it is off */
    struct counted flush_eio, write_eio, misdirect, lose;
    int64_t delay_ms;
    uint64_t writes, flushes, fired;
} disk;

static uint64_t random_next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ULL);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

static bool falls_due(struct counted *fault)
{
    if (fault->left > 1) {
        fault->left--;
        return false;
    }
    if (fault->left < 1 || fault->times < 1)
        return false;
    fault->times--;
    disk.fired++;
    return true;
}

static void linger(void)
{
    struct timespec pause = {disk.delay_ms / 1000, disk.delay_ms % 1000 * 1000000};

    if (disk.delay_ms > 0)
        nanosleep(&pause, NULL);
}

/* --- the disk ------------------------------------------------------------------------------------ */
static void put(uint64_t offset, const char *bytes, size_t size)
{
    if (offset >= disk.size)
        return;
    if (size > disk.size - offset)
        size = (size_t)(disk.size - offset);
    memcpy(disk.seen + offset, bytes, size);
    for (uint64_t s = offset / SECTOR; s <= (offset + size - 1) / SECTOR; s++)
        disk.unflushed[s] = 1;
}

static int disk_write(const char *bytes, size_t size, uint64_t offset)
{
    linger();
    if (disk.off && disk.still == 0)
        return -EIO;
    if (falls_due(&disk.write_eio))
        return -EIO;
    disk.still -= disk.off;
    disk.writes++;
    if (size == 0 || falls_due(&disk.lose))
        return (int)size;
    if (falls_due(&disk.misdirect))
        offset = (offset + MISDIRECT_BYTES) % (disk.size - size) / SECTOR * SECTOR;
    put(offset, bytes, size);
    return (int)size;
}

static void settle(uint64_t sector, bool keep)
{
    uint8_t *seen = disk.seen + sector * SECTOR;
    uint8_t *durable = disk.durable + sector * SECTOR;

    if (keep)
        memcpy(durable, seen, SECTOR);
    else
        memcpy(seen, durable, SECTOR);
    disk.unflushed[sector] = 0;
}

static int disk_flush(void)
{
    linger();
    disk.flushes++;
    if (disk.off) {
        disk.still = 0;
        return -EIO;
    }
    bool failed = falls_due(&disk.flush_eio);

    for (uint64_t s = 0; s < disk.size / SECTOR; s++)
        if (disk.unflushed[s])
            settle(s, !failed);
    return failed ? -EIO : 0;
}

/* Decides what of the unflushed blocks the medium holds. */
static void power(uint64_t seed, const char *mode)
{
    uint64_t state = seed;
    const uint64_t per_block = BLOCK / SECTOR;

    for (uint64_t b = 0; b < disk.size / BLOCK; b++) {
        uint64_t fate = random_next(&state) % 3; /* kept, lost, torn */
        uint64_t sectors = random_next(&state);

        if (strcmp(mode, "drop") == 0)
            fate = 1;
        if (strcmp(mode, "keep") == 0)
            fate = 0;
        for (uint64_t i = 0; i < per_block; i++)
            if (disk.unflushed[b * per_block + i])
                settle(b * per_block + i, fate == 0 || (fate == 2 && (sectors >> i & 1)));
    }
    disk.off = false;
}

static int command(const char *text)
{
    unsigned long long a = 0, b = 1;
    char word[32] = "", mode[16] = "";

    if (sscanf(text, "power %llu %15s", &a, mode) == 2) {
        power(a, mode);
        return 0;
    }
    if (sscanf(text, "%31s %llu %llu", word, &a, &b) < 1)
        return -EINVAL;
    struct counted fault = {(int64_t)a, (int64_t)b};

    if (strcmp(word, "cut") == 0) {
        disk.off = true;
        disk.still = a;
    } else if (strcmp(word, "flush_eio") == 0)
        disk.flush_eio = fault;
    else if (strcmp(word, "write_eio") == 0)
        disk.write_eio = fault;
    else if (strcmp(word, "misdirect") == 0)
        disk.misdirect = fault;
    else if (strcmp(word, "lose") == 0)
        disk.lose = fault;
    else if (strcmp(word, "delay") == 0)
        disk.delay_ms = (int64_t)a;
    else if (strcmp(word, "heal") == 0) {
        memset(&disk.flush_eio, 0, sizeof disk.flush_eio);
        memset(&disk.write_eio, 0, sizeof disk.write_eio);
        memset(&disk.misdirect, 0, sizeof disk.misdirect);
        memset(&disk.lose, 0, sizeof disk.lose);
        disk.delay_ms = 0;
    } else
        return -EINVAL;
    return 0;
}

static int numbers(char *text, size_t size)
{
    uint64_t blocks = 0;

    for (uint64_t b = 0; b < disk.size / BLOCK; b++)
        blocks += memchr(disk.unflushed + b * (BLOCK / SECTOR), 1, BLOCK / SECTOR) != NULL;
    return snprintf(text, size, "%llu %llu %llu %llu\n", (unsigned long long)disk.writes,
                    (unsigned long long)disk.flushes, (unsigned long long)blocks,
                    (unsigned long long)disk.fired);
}

/* --- what FUSE calls ----------------------------------------------------------------------------- */
static bool is_disk(const char *path)
{
    return strcmp(path, "/disk") == 0;
}

static bool is_control(const char *path)
{
    return strcmp(path, "/control") == 0;
}

static int fs_getattr(const char *path, struct stat *info, struct fuse_file_info *file)
{
    (void)file;
    memset(info, 0, sizeof *info);
    info->st_nlink = 1;
    info->st_mode = S_IFREG | 0600;
    if (strcmp(path, "/") == 0)
        info->st_mode = S_IFDIR | 0700;
    else if (is_disk(path))
        info->st_size = (off_t)disk.size;
    else if (!is_control(path))
        return -ENOENT;
    return 0;
}

static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
    (void)path, (void)offset, (void)file, (void)flags;
    fill(buffer, "disk", NULL, 0, 0);
    fill(buffer, "control", NULL, 0, 0);
    return 0;
}

static int fs_open(const char *path, struct fuse_file_info *file)
{
    if (!is_disk(path) && !is_control(path))
        return -ENOENT;
    file->direct_io = 1; /* No page cache between the loop device and us. */
    return 0;
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *file)
{
    (void)path, (void)size, (void)file;
    return 0;
}

static int fs_read(const char *path, char *bytes, size_t size, off_t offset,
                   struct fuse_file_info *file)
{
    (void)file;
    uint64_t from = (uint64_t)offset;

    if (is_control(path)) {
        char text[128];
        int length = numbers(text, sizeof text);

        if (from >= (uint64_t)length)
            return 0;
        size = size < (size_t)length - from ? size : (size_t)length - from;
        memcpy(bytes, text + from, size);
        return (int)size;
    }
    if (from >= disk.size)
        return 0;
    if (size > disk.size - from)
        size = (size_t)(disk.size - from);
    memcpy(bytes, disk.seen + from, size);
    return (int)size;
}

static int fs_write(const char *path, const char *bytes, size_t size, off_t offset,
                    struct fuse_file_info *file)
{
    (void)file;
    if (is_disk(path))
        return disk_write(bytes, size, (uint64_t)offset);
    char text[128];
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;

    memcpy(text, bytes, length);
    text[length] = '\0';
    int result = command(text);

    return result != 0 ? result : (int)size;
}

static int fs_fsync(const char *path, int data_only, struct fuse_file_info *file)
{
    (void)data_only, (void)file;
    return is_disk(path) ? disk_flush() : 0;
}

static const struct fuse_operations operations = {
    .getattr = fs_getattr,
    .readdir = fs_readdir,
    .open = fs_open,
    .truncate = fs_truncate,
    .read = fs_read,
    .write = fs_write,
    .fsync = fs_fsync,
};

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: faultdisk SIZE_MIB MOUNTPOINT [fuse options]\n");
        return 2;
    }
    disk.size = strtoull(arguments[1], NULL, 10) << 20;
    disk.seen = calloc(disk.size, 1);
    disk.durable = calloc(disk.size, 1);
    disk.unflushed = calloc(disk.size / SECTOR, 1);
    if (disk.size == 0 || disk.seen == NULL || disk.durable == NULL || disk.unflushed == NULL)
        return 1;

    char single[] = "-s";
    char *passed[16] = {arguments[0], single};
    int passed_count = 2;

    for (int i = 2; i < count && passed_count < 15; i++)
        passed[passed_count++] = arguments[i];
    return fuse_main(passed_count, passed, &operations, NULL);
}
