/* preload_fault.c: the nth call of a kind fails, in a server that does not know of it.
 *
 * Loaded with LD_PRELOAD. (It stands apart from tests/support because that is linked into every test
 * program, where these names would take the place of the C library's.)
 *
 * The test and the server share a page: the file named by ZAN_FAULT_PAGE (struct page below, mapped by
 * tests/twin/faults.py). Only files under ZAN_FAULT_ROOT are counted and failed; malloc everywhere.
 *
 * A write of bytes that were never synced may be lost by a failing sync: Linux marks such pages clean
 * and forgets them. With page.undo set the shim does the same: it keeps what each write overwrote and
 * puts it back when a sync is made to fail. So an answer given in spite of a failed sync is a lie that
 * the test can see after the restart, without a special disk.
 *
 * MALLOC is any allocation of the process, OWN one that the program itself asks for: what a library
 * does without memory (RocksDB ends the process, LZ4 may write through a null pointer) is not ours to
 * mend, what we do is.
 *
 * Limits: files written through mmap or stdio are not seen; the table of files is FILES_MAX long. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { READ, WRITE, SYNC, OPEN, RENAME, TRUNCATE, UNLINK, MKDIR, MALLOC, OWN, KINDS };

/* offset 0: armed (bit per kind), left, error, sticky, short_, undo, fired; 56: calls per kind */
struct page {
    _Atomic int64_t armed;  /* which kinds may fail */
    _Atomic int64_t left;   /* the call that makes this 0 fails */
    _Atomic int64_t error;  /* errno of it */
    _Atomic int64_t sticky; /* 1: every later one too */
    _Atomic int64_t short_; /* 1: a write or read moves only half, and is no error */
    _Atomic int64_t undo;   /* 1: a failed sync loses what was not synced */
    _Atomic int64_t fired;  /* how many failed */
    _Atomic int64_t calls[KINDS];
};
_Static_assert(sizeof(struct page) == 56 + 8 * KINDS, "faults.py knows these offsets");

#define FILES_MAX 4096

struct kept { /* what a write overwrote */
    struct kept *next;
    off_t offset;
    size_t size;
    off_t file_size;
    char bytes[];
};

static struct page none;
static struct page *page = &none;
static char root[512];
static uintptr_t program_begin, program_end; /* where the program itself is mapped */
static _Atomic unsigned char watched[FILES_MAX];
static struct kept *kept[FILES_MAX];
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* The first object is the program. */
static int find_program(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size, (void)argument;
    program_begin = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        uintptr_t end = begin + info->dlpi_phdr[i].p_memsz;

        program_begin = begin < program_begin ? begin : program_begin;
        program_end = end > program_end ? end : program_end;
    }
    return 1;
}

__attribute__((constructor)) static void attach(void)
{
    const char *name = getenv("ZAN_FAULT_PAGE");
    const char *where = getenv("ZAN_FAULT_ROOT");

    if (name == NULL || where == NULL || strlen(where) >= sizeof root)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC, 0);

    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    syscall(SYS_close, fd);
    if (map == MAP_FAILED)
        return;
    memcpy(root, where, strlen(where) + 1);
    dl_iterate_phdr(find_program, NULL);
    page = map;
}

static bool due(enum kind kind)
{
    atomic_fetch_add(&page->calls[kind], 1);
    if (!(atomic_load(&page->armed) >> kind & 1))
        return false;
    int64_t left = atomic_fetch_sub(&page->left, 1);

    if (left == 1 || (left < 1 && atomic_load(&page->sticky))) {
        atomic_fetch_add(&page->fired, 1);
        return true;
    }
    return false;
}

static int fail(void)
{
    errno = (int)atomic_load(&page->error);
    return -1;
}

static bool ours(const char *path)
{
    return root[0] != '\0' && path != NULL && strncmp(path, root, strlen(root)) == 0;
}

static bool ours_fd(int fd)
{
    return fd >= 0 && fd < FILES_MAX && atomic_load(&watched[fd]);
}

/* --- undoing what was not synced ------------------------------------------------------------------ */
static void keep(int fd, off_t offset, size_t size)
{
    struct stat info;

    if (!atomic_load(&page->undo) || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return;
    struct kept *one = __libc_calloc(1, sizeof *one + size);

    if (one == NULL)
        return;
    one->offset = offset;
    one->size = size;
    one->file_size = info.st_size;
    /* A write-only descriptor cannot tell what was there; read through another one. */
    char name[32] = "/proc/self/fd/";
    size_t at = strlen(name);

    for (int digits = fd, power = 1000000; power > 0; power /= 10)
        if (digits / power > 0 || power == 1 || at > 14) {
            name[at++] = (char)('0' + digits / power % 10);
            name[at] = '\0';
        }
    int reader = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);

    if (reader >= 0) {
        syscall(SYS_pread64, reader, one->bytes, size, offset);
        syscall(SYS_close, reader);
    }
    pthread_mutex_lock(&kept_lock);
    one->next = kept[fd];
    kept[fd] = one;
    pthread_mutex_unlock(&kept_lock);
}

/* Newest first, so that the oldest bytes win. */
static void settle(int fd, bool lost)
{
    pthread_mutex_lock(&kept_lock);
    struct kept *one = kept[fd];

    kept[fd] = NULL;
    while (one != NULL) {
        struct kept *next = one->next;

        if (lost) {
            syscall(SYS_pwrite64, fd, one->bytes, one->size, one->offset);
            if (one->offset + (off_t)one->size > one->file_size)
                syscall(SYS_ftruncate, fd, one->file_size);
        }
        free(one);
        one = next;
    }
    pthread_mutex_unlock(&kept_lock);
}

/* --- files ---------------------------------------------------------------------------------------- */
static int open_any(int at, const char *path, int flags, mode_t mode)
{
    bool mine = ours(path);

    if (mine && due(OPEN))
        return fail();
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);

    if (fd < 0)
        return fd;
    if (fd < FILES_MAX)
        atomic_store(&watched[fd], mine);
    return fd;
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) {                          \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = (mode_t)va_arg(rest, int);                                                          \
        va_end(rest);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(at, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

int close(int fd)
{
    if (ours_fd(fd)) {
        settle(fd, false);
        atomic_store(&watched[fd], 0);
    }
    return (int)syscall(SYS_close, fd);
}

static size_t moved(size_t size)
{
    return size > 1 ? size / 2 : size;
}

static ssize_t read_any(int fd, void *bytes, size_t size, off_t offset, bool here)
{
    if (ours_fd(fd) && due(READ)) {
        if (!atomic_load(&page->short_))
            return fail();
        size = moved(size);
    }
    return here ? (ssize_t)syscall(SYS_pread64, fd, bytes, size, offset)
                : (ssize_t)syscall(SYS_read, fd, bytes, size);
}

static ssize_t write_any(int fd, const void *bytes, size_t size, off_t offset, bool here)
{
    if (ours_fd(fd)) {
        if (due(WRITE)) {
            if (!atomic_load(&page->short_))
                return fail();
            size = moved(size);
        }
        keep(fd, here ? offset : lseek(fd, 0, SEEK_CUR), size);
    }
    return here ? (ssize_t)syscall(SYS_pwrite64, fd, bytes, size, offset)
                : (ssize_t)syscall(SYS_write, fd, bytes, size);
}

ssize_t read(int fd, void *bytes, size_t size) { return read_any(fd, bytes, size, 0, false); }
ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return read_any(fd, bytes, size, offset, true);
}
ssize_t pread64(int fd, void *bytes, size_t size, off_t offset)
{
    return read_any(fd, bytes, size, offset, true);
}
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    if (size > room)
        abort();
    return read_any(fd, bytes, size, 0, false);
}
ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t offset, size_t room)
{
    if (size > room)
        abort();
    return read_any(fd, bytes, size, offset, true);
}
ssize_t __pread_chk(int fd, void *bytes, size_t size, off_t offset, size_t room);
ssize_t __pread_chk(int fd, void *bytes, size_t size, off_t offset, size_t room)
{
    if (size > room)
        abort();
    return read_any(fd, bytes, size, offset, true);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return write_any(fd, bytes, size, 0, false);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_any(fd, bytes, size, offset, true);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_any(fd, bytes, size, offset, true);
}

/* One piece at a time: a caller of writev must live with a short count anyway. */
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    if (!ours_fd(fd) || count < 1)
        return (ssize_t)syscall(SYS_writev, fd, pieces, count);
    return write_any(fd, pieces[0].iov_base, pieces[0].iov_len, 0, false);
}

static ssize_t pwritev_any(int fd, const struct iovec *pieces, int count, off_t offset)
{
    if (!ours_fd(fd) || count < 1)
        return (ssize_t)syscall(SYS_pwritev, fd, pieces, count, (long)offset, 0L);
    return write_any(fd, pieces[0].iov_base, pieces[0].iov_len, offset, true);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return pwritev_any(fd, pieces, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return pwritev_any(fd, pieces, count, offset);
}

static int sync_any(int fd, long how)
{
    if (!ours_fd(fd))
        return (int)syscall(how, fd);
    if (due(SYNC)) {
        settle(fd, true);
        return fail();
    }
    int result = (int)syscall(how, fd);

    settle(fd, result != 0);
    return result;
}

int fsync(int fd) { return sync_any(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_any(fd, SYS_fdatasync); }

static int truncate_any(int fd, off_t size)
{
    if (ours_fd(fd) && due(TRUNCATE))
        return fail();
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) { return truncate_any(fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_any(fd, size); }

static int allocate_any(int fd, int mode, off_t offset, off_t size)
{
    if (ours_fd(fd) && due(TRUNCATE))
        return fail();
    return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    return allocate_any(fd, mode, offset, size);
}
int fallocate64(int fd, int mode, off_t offset, off_t size)
{
    return allocate_any(fd, mode, offset, size);
}
int posix_fallocate(int fd, off_t offset, off_t size)
{
    return allocate_any(fd, 0, offset, size) == 0 ? 0 : errno;
}
int posix_fallocate64(int fd, off_t offset, off_t size)
{
    return allocate_any(fd, 0, offset, size) == 0 ? 0 : errno;
}

int rename(const char *from, const char *to)
{
    if (ours(to) && due(RENAME))
        return fail();
    return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
    if (ours(path) && due(UNLINK))
        return fail();
    return (int)syscall(SYS_unlink, path);
}

int mkdir(const char *path, mode_t mode)
{
    if (ours(path) && due(MKDIR))
        return fail();
    return (int)syscall(SYS_mkdir, path, mode);
}

/* --- memory --------------------------------------------------------------------------------------- */
static bool none_left(void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    bool own = at >= program_begin && at < program_end && due(OWN);

    if (!due(MALLOC) && !own)
        return false;
    errno = ENOMEM;
    return true;
}

#define NONE_LEFT() none_left(__builtin_return_address(0))

void *malloc(size_t size)
{
    return NONE_LEFT() ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    return NONE_LEFT() ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size)
{
    return NONE_LEFT() ? NULL : __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size)
{
    return NONE_LEFT() ? NULL : __libc_memalign(alignment, size);
}
void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
    return NONE_LEFT() ? NULL : __libc_memalign(alignment, size);
}
int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *made = NONE_LEFT() ? NULL : __libc_memalign(alignment, size);

    if (made == NULL)
        return ENOMEM;
    *out = made;
    return 0;
}
