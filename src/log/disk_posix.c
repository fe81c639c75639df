/* disk_posix.c: the real disk. Interrupted and short calls are taken up again here, so that no
 * caller ever sees half a write that is not a failure. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/disk.h"

static int posix_open(void *context, const char *path, int flags, int *handle)
{
    int mode = (flags & DISK_READ_ONLY) != 0 ? O_RDONLY : O_RDWR;
    int fd;

    (void)context;
    if ((flags & DISK_CREATE) != 0)
        mode |= O_CREAT | O_EXCL;
    do {
        fd = open(path, mode | O_CLOEXEC | O_NOCTTY, 0600);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -errno;
    *handle = fd;
    return 0;
}

static int posix_close(void *context, int handle)
{
    (void)context;
    /* Linux frees the number even on EINTR: trying again could close a stranger's file. */
    return close(handle) == 0 || errno == EINTR ? 0 : -errno;
}

static int posix_read(void *context, int handle, uint64_t offset, void *bytes, size_t size)
{
    uint8_t *to = bytes;

    (void)context;
    while (size > 0) {
        ssize_t got = pread(handle, to, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -ENODATA;
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

static int posix_write(void *context, int handle, uint64_t offset, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    (void)context;
    while (size > 0) {
        ssize_t put = pwrite(handle, from, size, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        if (put == 0)
            return -EIO;
        from += put;
        offset += (uint64_t)put;
        size -= (size_t)put;
    }
    return 0;
}

static int sync_fd(int fd, int (*how)(int))
{
    int result;

    do {
        result = how(fd);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

static int posix_sync(void *context, int handle)
{
    (void)context;
    return sync_fd(handle, fdatasync);
}

static int posix_size(void *context, int handle, uint64_t *size)
{
    struct stat info;

    (void)context;
    if (fstat(handle, &info) != 0)
        return -errno;
    *size = (uint64_t)info.st_size;
    return 0;
}

static int posix_truncate(void *context, int handle, uint64_t size)
{
    int result;

    (void)context;
    do {
        result = ftruncate(handle, (off_t)size);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

static int posix_rename(void *context, const char *from, const char *to)
{
    (void)context;
    return rename(from, to) == 0 ? 0 : -errno;
}

static int posix_remove(void *context, const char *path)
{
    (void)context;
    return unlink(path) == 0 ? 0 : -errno;
}

static int posix_make_dir(void *context, const char *path)
{
    (void)context;
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int posix_sync_dir(void *context, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result;

    (void)context;
    if (fd < 0)
        return -errno;
    result = sync_fd(fd, fsync);
    close(fd);
    return result;
}

static int posix_list(void *context, const char *path,
                      void (*each)(void *argument, const char *name), void *argument)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int result;

    (void)context;
    if (dir == NULL)
        return -errno;
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(argument, entry->d_name);
    result = -errno;
    closedir(dir);
    return result;
}

static int posix_free_bytes(void *context, const char *path, uint64_t *bytes)
{
    struct statvfs info;

    (void)context;
    if (statvfs(path, &info) != 0)
        return -errno;
    *bytes = (uint64_t)info.f_bavail * info.f_frsize;
    return 0;
}

const struct disk disk_posix = {
    .open = posix_open,
    .close = posix_close,
    .read = posix_read,
    .write = posix_write,
    .sync = posix_sync,
    .size = posix_size,
    .truncate = posix_truncate,
    .rename = posix_rename,
    .remove = posix_remove,
    .make_dir = posix_make_dir,
    .sync_dir = posix_sync_dir,
    .list = posix_list,
    .free_bytes = posix_free_bytes,
};
