#include "disk_sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SECTOR      512
#define HANDLES_MAX 64
#define DIRS_MAX    32
#define PATH_BYTES  256

/* What a path leads to. Kept as long as a name, a pending name or a handle knows it. */
struct inode {
    uint8_t *cache, *medium;
    uint64_t cache_bytes, medium_bytes; /* sizes */
    uint64_t room;                      /* allocated in both */
    uint8_t *dirty;                     /* one a sector */
    int links;
};

struct name {
    char path[PATH_BYTES];
    struct inode *inode;
};

struct names {
    struct name *name;
    size_t count, capacity;
};

/* A change of names that no sync_dir has covered yet. inode NULL: removed. */
struct change {
    char from[PATH_BYTES]; /* of a rename; else empty */
    char path[PATH_BYTES];
    struct inode *inode;
};

enum { FAULT_FAIL, FAULT_DIE, FAULT_LOSE, FAULT_MISDIRECT };

struct disk_sim {
    struct disk disk;
    uint64_t random;
    struct names now, lasting;
    struct change *change;
    size_t changes, change_capacity;
    struct {
        struct inode *inode;
        bool writable;
        char path[PATH_BYTES];
    } handle[HANDLES_MAX];
    char dir[DIRS_MAX][PATH_BYTES];
    size_t dirs;

    struct {
        uint64_t left; /* operations until it strikes; 0: none set */
        unsigned kinds;
        char prefix[PATH_BYTES];
        int error;
        bool for_good;
        int what; /* FAULT_ */
    } fault;
    bool struck;
    uint64_t capacity;
    uint64_t operations, trace;
};

/* ---- Small things ------------------------------------------------------------------------- */

static uint64_t next(struct disk_sim *sim)
{
    sim->random += 0x9E3779B97F4A7C15ULL;
    return hash_mix(sim->random);
}

static void copy_path(char to[PATH_BYTES], const char *from)
{
    size_t size = strlen(from) + 1;

    assert(size <= PATH_BYTES);
    memcpy(to, from, size);
}

static void *grow(void *array, size_t *capacity, size_t count, size_t each)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    array = realloc(array, *capacity * each);
    assert(array != NULL);
    return array;
}

static void unlink_inode(struct inode *inode)
{
    assert(inode->links > 0);
    if (--inode->links > 0)
        return;
    free(inode->cache);
    free(inode->medium);
    free(inode->dirty);
    free(inode);
}

/* Room for bytes in both layers; new room is zero. */
static void reserve(struct inode *inode, uint64_t bytes)
{
    uint64_t room = inode->room == 0 ? 4096 : inode->room;

    if (bytes <= inode->room)
        return;
    while (room < bytes)
        room *= 2;
    inode->cache = realloc(inode->cache, room);
    inode->medium = realloc(inode->medium, room);
    inode->dirty = realloc(inode->dirty, room / SECTOR);
    assert(inode->cache != NULL && inode->medium != NULL && inode->dirty != NULL);
    memset(inode->cache + inode->room, 0, room - inode->room);
    memset(inode->medium + inode->room, 0, room - inode->room);
    memset(inode->dirty + inode->room / SECTOR, 0, (room - inode->room) / SECTOR);
    inode->room = room;
}

static struct name *find(const struct names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i].path, path) == 0)
            return &names->name[i];
    return NULL;
}

/* Lets path lead to inode; NULL: to nothing. */
static void set_name(struct names *names, const char *path, struct inode *inode)
{
    struct name *name = find(names, path);

    if (inode != NULL)
        inode->links++;
    if (name != NULL) {
        unlink_inode(name->inode);
        name->inode = inode;
        if (inode == NULL) {
            size_t i = (size_t)(name - names->name);

            memmove(name, name + 1, (names->count - i - 1) * sizeof *name);
            names->count--;
        }
        return;
    }
    if (inode == NULL)
        return;
    names->name = grow(names->name, &names->capacity, names->count, sizeof *names->name);
    name = &names->name[names->count++];
    copy_path(name->path, path);
    name->inode = inode;
}

static void apply(struct names *names, const struct change *change)
{
    if (change->from[0] != '\0')
        set_name(names, change->from, NULL);
    set_name(names, change->path, change->inode);
}

static void change_name(struct disk_sim *sim, const char *from, const char *path,
                        struct inode *inode)
{
    struct change *change;

    sim->change = grow(sim->change, &sim->change_capacity, sim->changes, sizeof *sim->change);
    change = &sim->change[sim->changes++];
    copy_path(change->from, from);
    copy_path(change->path, path);
    change->inode = inode;
    if (inode != NULL)
        inode->links++;
    apply(&sim->now, change);
}

static bool is_in(const char *path, const char *dir)
{
    size_t size = strlen(dir);

    return strncmp(path, dir, size) == 0 && path[size] == '/' &&
           strchr(path + size + 1, '/') == NULL;
}

/* The first `count` changes in dir last; the others are forgotten. */
static void settle(struct disk_sim *sim, const char *dir, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < sim->changes; i++) {
        struct change change = sim->change[i];

        if (!is_in(change.path, dir)) {
            sim->change[kept++] = change;
            continue;
        }
        if (count > 0) {
            apply(&sim->lasting, &change);
            count--;
        }
        if (change.inode != NULL)
            unlink_inode(change.inode);
    }
    sim->changes = kept;
}

/* ---- Faults ------------------------------------------------------------------------------- */

static void note(struct disk_sim *sim, unsigned kind, const char *path, uint64_t number, int result)
{
    uint64_t name = 0;

    for (; *path != '\0'; path++)
        name = name * 31 + (uint8_t)*path;
    sim->trace = hash_two(hash_two(sim->trace, kind ^ name), number ^ (uint64_t)(int64_t)result);
}

/* 0: go on; else what the operation ends with. FAULT_LOSE and FAULT_MISDIRECT set *twist. */
static int strike(struct disk_sim *sim, unsigned kind, const char *path, int *twist)
{
    bool struck;

    sim->operations++;
    if (sim->fault.left == 0 || (sim->fault.kinds & kind) == 0 ||
        strncmp(path, sim->fault.prefix, strlen(sim->fault.prefix)) != 0)
        return 0;
    struck = --sim->fault.left == 0;
    if (!struck)
        return 0;
    sim->struck = true;
    if (sim->fault.for_good || sim->fault.what == FAULT_DIE)
        sim->fault.left = 1;
    if (sim->fault.what == FAULT_LOSE || sim->fault.what == FAULT_MISDIRECT) {
        *twist = sim->fault.what;
        return 0;
    }
    return sim->fault.what == FAULT_DIE ? -EIO : -sim->fault.error;
}

static int begin(struct disk_sim *sim, unsigned kind, const char *path, uint64_t number)
{
    int twist = 0;
    int result = strike(sim, kind, path, &twist);

    note(sim, kind, path, number, result);
    return result;
}

static void set_fault(struct disk_sim *sim, uint64_t nth, unsigned kinds, const char *prefix,
                      int what)
{
    assert(nth > 0);
    memset(&sim->fault, 0, sizeof sim->fault);
    sim->fault.left = nth;
    sim->fault.kinds = kinds;
    copy_path(sim->fault.prefix, prefix != NULL ? prefix : "");
    sim->fault.what = what;
    sim->struck = false;
}

void disk_sim_fail(struct disk_sim *sim, uint64_t nth, unsigned kinds, const char *prefix,
                   int error, bool for_good)
{
    set_fault(sim, nth, kinds, prefix, FAULT_FAIL);
    sim->fault.error = error;
    sim->fault.for_good = for_good;
}

void disk_sim_die(struct disk_sim *sim, uint64_t nth)
{
    set_fault(sim, nth > 0 ? nth : 1, DISK_SIM_ANY, NULL, FAULT_DIE);
    sim->struck = nth == 0;
}

void disk_sim_lose(struct disk_sim *sim, uint64_t nth, const char *prefix)
{
    set_fault(sim, nth, DISK_SIM_WRITE, prefix, FAULT_LOSE);
}

void disk_sim_misdirect(struct disk_sim *sim, uint64_t nth, const char *prefix)
{
    set_fault(sim, nth, DISK_SIM_WRITE, prefix, FAULT_MISDIRECT);
}

bool disk_sim_struck(const struct disk_sim *sim)
{
    return sim->struck;
}

void disk_sim_heal(struct disk_sim *sim)
{
    memset(&sim->fault, 0, sizeof sim->fault);
    sim->capacity = 0;
}

void disk_sim_capacity(struct disk_sim *sim, uint64_t bytes)
{
    sim->capacity = bytes;
}

uint64_t disk_sim_operations(const struct disk_sim *sim)
{
    return sim->operations;
}

uint64_t disk_sim_trace(const struct disk_sim *sim)
{
    return sim->trace;
}

/* ---- The disk ----------------------------------------------------------------------------- */

static int sim_open(void *context, const char *path, int flags, int *handle)
{
    struct disk_sim *sim = context;
    struct name *name = find(&sim->now, path);
    int result = begin(sim, DISK_SIM_OPEN, path, (uint64_t)flags);
    int free_handle = 0;

    if (result != 0)
        return result;
    while (free_handle < HANDLES_MAX && sim->handle[free_handle].inode != NULL)
        free_handle++;
    if (free_handle == HANDLES_MAX)
        return -EMFILE;
    if ((flags & DISK_CREATE) != 0) {
        struct inode *inode;

        if (name != NULL)
            return -EEXIST;
        inode = calloc(1, sizeof *inode);
        assert(inode != NULL);
        change_name(sim, "", path, inode);
        name = find(&sim->now, path);
    }
    if (name == NULL)
        return -ENOENT;
    sim->handle[free_handle].inode = name->inode;
    sim->handle[free_handle].writable = (flags & DISK_READ_ONLY) == 0;
    copy_path(sim->handle[free_handle].path, path);
    name->inode->links++;
    *handle = free_handle;
    return 0;
}

static struct inode *inode_of(struct disk_sim *sim, int handle)
{
    assert(handle >= 0 && handle < HANDLES_MAX && sim->handle[handle].inode != NULL);
    return sim->handle[handle].inode;
}

static int sim_close(void *context, int handle)
{
    struct disk_sim *sim = context;

    unlink_inode(inode_of(sim, handle));
    sim->handle[handle].inode = NULL;
    return 0;
}

static int sim_read(void *context, int handle, uint64_t offset, void *bytes, size_t size)
{
    struct disk_sim *sim = context;
    struct inode *inode = inode_of(sim, handle);
    int result = begin(sim, DISK_SIM_READ, sim->handle[handle].path, offset);

    if (result != 0)
        return result;
    if (offset > inode->cache_bytes || size > inode->cache_bytes - offset)
        return -ENODATA;
    if (size > 0)
        memcpy(bytes, inode->cache + offset, size);
    return 0;
}

static uint64_t used_bytes(const struct disk_sim *sim)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < sim->now.count; i++)
        sum += sim->now.name[i].inode->cache_bytes;
    return sum;
}

static void put_bytes(struct inode *inode, uint64_t offset, const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    reserve(inode, offset + size);
    memcpy(inode->cache + offset, bytes, size);
    memset(inode->dirty + offset / SECTOR, 1, (offset + size - 1) / SECTOR - offset / SECTOR + 1);
    if (offset + size > inode->cache_bytes)
        inode->cache_bytes = offset + size;
}

static int sim_write(void *context, int handle, uint64_t offset, const void *bytes, size_t size)
{
    struct disk_sim *sim = context;
    struct inode *inode = inode_of(sim, handle);
    const char *path = sim->handle[handle].path;
    bool dead = sim->struck && sim->fault.what == FAULT_DIE;
    int twist = 0;
    int result = strike(sim, DISK_SIM_WRITE, path, &twist);
    uint64_t grown = offset + size > inode->cache_bytes ? offset + size - inode->cache_bytes : 0;

    note(sim, DISK_SIM_WRITE, path, offset, result);
    if (!sim->handle[handle].writable)
        return -EBADF;
    if (result != 0) {
        if (!dead)
            put_bytes(inode, offset, bytes, (size_t)(next(sim) % (size + 1)));
        return result;
    }
    if (sim->capacity != 0 && grown > 0 && used_bytes(sim) + grown > sim->capacity)
        return -ENOSPC;
    if (twist == FAULT_LOSE)
        return 0;
    if (twist == FAULT_MISDIRECT && inode->cache_bytes > size + SECTOR)
        offset = next(sim) % ((inode->cache_bytes - size) / SECTOR) * SECTOR;
    put_bytes(inode, offset, bytes, size);
    return 0;
}

/* Sectors go to the medium: all, or each with a chance of `of` in 8. Clean they are afterwards. */
static void sync_sectors(struct disk_sim *sim, struct inode *inode, unsigned of)
{
    for (uint64_t at = 0; at < inode->room; at += SECTOR) {
        if (!inode->dirty[at / SECTOR])
            continue;
        inode->dirty[at / SECTOR] = 0;
        if (of >= 8 || next(sim) % 8 < of)
            memcpy(inode->medium + at, inode->cache + at, SECTOR);
    }
}

static int sim_sync(void *context, int handle)
{
    struct disk_sim *sim = context;
    struct inode *inode = inode_of(sim, handle);
    int result = begin(sim, DISK_SIM_SYNC, sim->handle[handle].path, inode->cache_bytes);

    if (result != 0 && sim->fault.what == FAULT_DIE)
        return result;
    if (inode->room > 0)
        sync_sectors(sim, inode, result == 0 ? 8 : 4);
    if (result == 0)
        inode->medium_bytes = inode->cache_bytes;
    return result;
}

static int sim_size(void *context, int handle, uint64_t *size)
{
    struct disk_sim *sim = context;
    int result = begin(sim, DISK_SIM_SIZE, sim->handle[handle].path, 0);

    if (result == 0)
        *size = inode_of(sim, handle)->cache_bytes;
    return result;
}

static void cut(struct inode *inode, uint64_t size)
{
    if (size < inode->cache_bytes) {
        uint64_t first = size / SECTOR, last = (inode->cache_bytes - 1) / SECTOR;

        memset(inode->cache + size, 0, inode->cache_bytes - size);
        memset(inode->dirty + first, 1, last - first + 1);
    } else {
        reserve(inode, size);
    }
    inode->cache_bytes = size;
}

static int sim_truncate(void *context, int handle, uint64_t size)
{
    struct disk_sim *sim = context;
    int result = begin(sim, DISK_SIM_SIZE, sim->handle[handle].path, size);

    if (result == 0)
        cut(inode_of(sim, handle), size);
    return result;
}

static int sim_rename(void *context, const char *from, const char *to)
{
    struct disk_sim *sim = context;
    struct name *name = find(&sim->now, from);
    int result = begin(sim, DISK_SIM_NAME, to, 1);

    if (result != 0)
        return result;
    if (name == NULL)
        return -ENOENT;
    change_name(sim, from, to, name->inode);
    return 0;
}

static int sim_remove(void *context, const char *path)
{
    struct disk_sim *sim = context;
    int result = begin(sim, DISK_SIM_NAME, path, 2);

    if (result != 0)
        return result;
    if (find(&sim->now, path) == NULL)
        return -ENOENT;
    change_name(sim, "", path, NULL);
    return 0;
}

static bool is_dir(const struct disk_sim *sim, const char *path)
{
    for (size_t i = 0; i < sim->dirs; i++)
        if (strcmp(sim->dir[i], path) == 0)
            return true;
    return false;
}

static int sim_make_dir(void *context, const char *path)
{
    struct disk_sim *sim = context;
    int result = begin(sim, DISK_SIM_NAME, path, 3);

    if (result != 0 || is_dir(sim, path))
        return result;
    assert(sim->dirs < DIRS_MAX);
    copy_path(sim->dir[sim->dirs++], path);
    return 0;
}

static int sim_sync_dir(void *context, const char *path)
{
    struct disk_sim *sim = context;
    int result = begin(sim, DISK_SIM_SYNC_DIR, path, 0);

    if (result == 0)
        settle(sim, path, SIZE_MAX);
    return result;
}

static int sim_list(void *context, const char *path, void (*each)(void *argument, const char *name),
                    void *argument)
{
    struct disk_sim *sim = context;
    int result = begin(sim, DISK_SIM_NAME, path, 4);

    if (result != 0)
        return result;
    if (!is_dir(sim, path))
        return -ENOENT;
    for (size_t i = 0; i < sim->now.count; i++)
        if (is_in(sim->now.name[i].path, path))
            each(argument, sim->now.name[i].path + strlen(path) + 1);
    return 0;
}

static int sim_free_bytes(void *context, const char *path, uint64_t *bytes)
{
    struct disk_sim *sim = context;
    int result = begin(sim, DISK_SIM_SIZE, path, 5);
    uint64_t used = used_bytes(sim);

    if (result != 0)
        return result;
    *bytes = sim->capacity == 0 ? UINT64_MAX / 2 : sim->capacity > used ? sim->capacity - used : 0;
    return 0;
}

/* ---- Life --------------------------------------------------------------------------------- */

struct disk_sim *disk_sim_new(uint64_t seed)
{
    struct disk_sim *sim = calloc(1, sizeof *sim);

    assert(sim != NULL);
    sim->random = hash_mix(seed + 1);
    sim->disk = (struct disk){.context = sim,
                              .open = sim_open,
                              .close = sim_close,
                              .read = sim_read,
                              .write = sim_write,
                              .sync = sim_sync,
                              .size = sim_size,
                              .truncate = sim_truncate,
                              .rename = sim_rename,
                              .remove = sim_remove,
                              .make_dir = sim_make_dir,
                              .sync_dir = sim_sync_dir,
                              .list = sim_list,
                              .free_bytes = sim_free_bytes};
    return sim;
}

const struct disk *disk_sim_disk(struct disk_sim *sim)
{
    return &sim->disk;
}

void disk_sim_kill(struct disk_sim *sim)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        if (sim->handle[i].inode != NULL)
            sim_close(sim, i);
    memset(&sim->fault, 0, sizeof sim->fault);
}

/* The size a file has after a power cut: the synced one, or the other. */
static void crash_inode(struct disk_sim *sim, struct inode *inode, unsigned of)
{
    bool grown = of >= 8 || (of > 0 && next(sim) % 2 == 0);

    if (inode->room == 0)
        return;
    sync_sectors(sim, inode, of);
    if (grown)
        inode->medium_bytes = inode->cache_bytes;
    memset(inode->medium + inode->medium_bytes, 0, inode->room - inode->medium_bytes);
    memcpy(inode->cache, inode->medium, inode->room);
    inode->cache_bytes = inode->medium_bytes;
}

static size_t changes_in(const struct disk_sim *sim, const char *dir)
{
    size_t count = 0;

    for (size_t i = 0; i < sim->changes; i++)
        count += is_in(sim->change[i].path, dir);
    return count;
}

static void clear_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        unlink_inode(names->name[i].inode);
    names->count = 0;
}

static void copy_names(struct names *to, const struct names *from)
{
    clear_names(to);
    for (size_t i = 0; i < from->count; i++)
        set_name(to, from->name[i].path, from->name[i].inode);
}

void disk_sim_crash(struct disk_sim *sim)
{
    static const unsigned chance[] = {0, 8, 4, 4, 1, 7};
    unsigned of = chance[next(sim) % 6];

    disk_sim_kill(sim);
    for (size_t i = 0; i < sim->dirs; i++)
        settle(sim, sim->dir[i], (size_t)(next(sim) % (changes_in(sim, sim->dir[i]) + 1)));
    copy_names(&sim->now, &sim->lasting);
    for (size_t i = 0; i < sim->now.count; i++)
        crash_inode(sim, sim->now.name[i].inode, of);
}

void disk_sim_evict(struct disk_sim *sim)
{
    for (size_t i = 0; i < sim->now.count; i++) {
        struct inode *inode = sim->now.name[i].inode;

        for (uint64_t at = 0; at < inode->room; at += SECTOR)
            if (!inode->dirty[at / SECTOR])
                memcpy(inode->cache + at, inode->medium + at, SECTOR);
    }
}

void disk_sim_free(struct disk_sim *sim)
{
    if (sim == NULL)
        return;
    disk_sim_kill(sim);
    for (size_t i = 0; i < sim->changes; i++)
        if (sim->change[i].inode != NULL)
            unlink_inode(sim->change[i].inode);
    clear_names(&sim->now);
    clear_names(&sim->lasting);
    free(sim->now.name);
    free(sim->lasting.name);
    free(sim->change);
    free(sim);
}

/* ---- Behind the back ---------------------------------------------------------------------- */

static struct inode *must_find(const struct disk_sim *sim, const char *path)
{
    struct name *name = find(&sim->now, path);

    assert(name != NULL);
    return name->inode;
}

/* Names set behind the back last: what was pending in the directory lasts with them. */
static void put_name(struct disk_sim *sim, const char *path, struct inode *inode)
{
    for (size_t i = 0; i < sim->dirs; i++)
        if (is_in(path, sim->dir[i]))
            settle(sim, sim->dir[i], SIZE_MAX);
    set_name(&sim->now, path, inode);
    set_name(&sim->lasting, path, inode);
}

static struct inode *copy_inode(const struct inode *from)
{
    struct inode *inode = calloc(1, sizeof *inode);

    assert(inode != NULL);
    if (from->room == 0)
        return inode;
    reserve(inode, from->room);
    memcpy(inode->cache, from->cache, from->room);
    memcpy(inode->medium, from->medium, from->room);
    memcpy(inode->dirty, from->dirty, from->room / SECTOR);
    inode->cache_bytes = from->cache_bytes;
    inode->medium_bytes = from->medium_bytes;
    return inode;
}

struct disk_sim *disk_sim_clone(const struct disk_sim *sim, uint64_t seed)
{
    struct disk_sim *clone = disk_sim_new(seed);

    for (size_t i = 0; i < sim->dirs; i++)
        copy_path(clone->dir[i], sim->dir[i]);
    clone->dirs = sim->dirs;
    for (size_t i = 0; i < sim->now.count; i++)
        put_name(clone, sim->now.name[i].path, copy_inode(sim->now.name[i].inode));
    return clone;
}

bool disk_sim_file(const struct disk_sim *sim, size_t i, char path[256])
{
    if (i >= sim->now.count)
        return false;
    copy_path(path, sim->now.name[i].path);
    return true;
}

bool disk_sim_exists(const struct disk_sim *sim, const char *path)
{
    return find(&sim->now, path) != NULL;
}

uint64_t disk_sim_bytes(const struct disk_sim *sim, const char *path)
{
    return must_find(sim, path)->cache_bytes;
}

const uint8_t *disk_sim_peek(const struct disk_sim *sim, const char *path)
{
    struct name *name = find(&sim->now, path);

    return name != NULL ? name->inode->cache : NULL;
}

void disk_sim_flip(struct disk_sim *sim, const char *path, uint64_t offset, uint8_t mask)
{
    struct inode *inode = must_find(sim, path);

    assert(offset < inode->cache_bytes);
    inode->cache[offset] ^= mask;
    inode->medium[offset] ^= mask;
}

void disk_sim_cut(struct disk_sim *sim, const char *path, uint64_t bytes)
{
    struct inode *inode = must_find(sim, path);

    (void)sim;
    cut(inode, bytes);
    sync_sectors(sim, inode, 8);
    inode->medium_bytes = inode->cache_bytes;
}

void disk_sim_delete(struct disk_sim *sim, const char *path)
{
    assert(disk_sim_exists(sim, path));
    put_name(sim, path, NULL);
}

void disk_sim_put(struct disk_sim *sim, const char *to, const struct disk_sim *source,
                  const char *from)
{
    put_name(sim, to, copy_inode(must_find(source, from)));
}
