/* disk.h: the disk as an interface, so that a test can pass in one that fails.
 *
 * disk_posix (log/disk_posix.c) is the real one; tests/support/disk_sim.c is the one that tears,
 * loses, flips, fills up and fails. Every call returns 0 or a negative errno; read and write move all bytes or fail
 * (a short read at the end of a file returns -ENODATA). Paths are relative to nothing: whole.
 *
 * Memory: the caller owns every buffer. A handle is closed by close. */
#ifndef ZAN_BASE_DISK_H
#define ZAN_BASE_DISK_H

#include <stddef.h>
#include <stdint.h>

struct disk {
    void *context;
    /* flags: DISK_CREATE makes the file (it must not exist). *handle is owned by the caller. */
    int (*open)(void *context, const char *path, int flags, int *handle);
    int (*close)(void *context, int handle);
    int (*read)(void *context, int handle, uint64_t offset, void *bytes, size_t size);
    int (*write)(void *context, int handle, uint64_t offset, const void *bytes, size_t size);
    int (*sync)(void *context, int handle); /* data and size are on the medium */
    int (*size)(void *context, int handle, uint64_t *size);
    int (*truncate)(void *context, int handle, uint64_t size);
    int (*rename)(void *context, const char *from, const char *to);
    int (*remove)(void *context, const char *path);
    int (*make_dir)(void *context, const char *path); /* 0 also if it is there already */
    int (*sync_dir)(void *context, const char *path);
    /* Calls each(argument, name) for every entry but . and .. */
    int (*list)(void *context, const char *path, void (*each)(void *argument, const char *name),
                void *argument);
    int (*free_bytes)(void *context, const char *path, uint64_t *bytes);
};

#define DISK_CREATE 1
#define DISK_READ_ONLY 2

extern const struct disk disk_posix;

#endif
