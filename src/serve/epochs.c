#include "serve/epochs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/hook.h"

#define MAGIC       "zanepoc1"
#define HEAD_BYTES  16
#define ENTRY_BYTES 48
#define FILE_MAX    (HEAD_BYTES + EPOCHS_MAX * ENTRY_BYTES + DIGEST_BYTES)
#define DAY_S       86400LL
#define AGAIN_US    60000000LL

static_assert(ENTRY_BYTES == 16 + sizeof(struct pseudonym_key), "an entry");

struct epochs {
    char path[512];
    int64_t period_s, keep_s;
    pthread_mutex_t lock; /* of the list and the file */
    struct epoch_list list;
    _Atomic int64_t next_us; /* nothing is to be done before */
    /* The key in use is keys[used & 1]; the other one is that of the epoch before, which somebody
     * may just be reading, and is overwritten an epoch later. */
    struct pseudonym_key keys[2];
    /* Made of the same epochs' keys, and of the one before them: a thread may be reading that. */
    uint8_t impressions[3][DIGEST_BYTES];
    _Atomic uint32_t used;
    _Atomic uint64_t number;
};

static enum status complain(char message[256], const char *path, const char *what)
{
    snprintf(message, 256, "%.180s: %.60s", path, what);
    return STATUS_BADDATA;
}

/* --- bytes --------------------------------------------------------------------------------------
 */

static size_t encode(const struct epoch_list *list, uint8_t bytes[FILE_MAX])
{
    uint8_t *at = bytes + HEAD_BYTES;

    memcpy(bytes, MAGIC, 8);
    put_u32(bytes + 8, list->count);
    put_u32(bytes + 12, 0);
    for (uint32_t i = 0; i < list->count; i++, at += ENTRY_BYTES) {
        put_u64(at, list->list[i].number);
        put_u64(at + 8, (uint64_t)list->list[i].from_s);
        memcpy(at + 16, list->list[i].key.bytes, sizeof list->list[i].key.bytes);
    }
    digest_sha256(bytes, (size_t)(at - bytes), NULL, 0, at);
    return (size_t)(at - bytes) + DIGEST_BYTES;
}

static bool decode(const uint8_t *bytes, size_t size, struct epoch_list *list)
{
    uint8_t digest[DIGEST_BYTES];
    const uint8_t *at = bytes + HEAD_BYTES;

    if (size < HEAD_BYTES + ENTRY_BYTES + DIGEST_BYTES || memcmp(bytes, MAGIC, 8) != 0)
        return false;
    list->count = get_u32(bytes + 8);
    if (list->count > EPOCHS_MAX ||
        size != HEAD_BYTES + (size_t)list->count * ENTRY_BYTES + DIGEST_BYTES)
        return false;
    digest_sha256(bytes, size - DIGEST_BYTES, NULL, 0, digest);
    if (!digest_equal(digest, bytes + size - DIGEST_BYTES, DIGEST_BYTES))
        return false;
    for (uint32_t i = 0; i < list->count; i++, at += ENTRY_BYTES) {
        list->list[i].number = get_u64(at);
        list->list[i].from_s = (int64_t)get_u64(at + 8);
        memcpy(list->list[i].key.bytes, at + 16, sizeof list->list[i].key.bytes);
    }
    return true;
}

/* --- the file -----------------------------------------------------------------------------------
 */

static enum status read_all(int fd, const char *path, uint8_t *bytes, size_t room, size_t *size,
                            char message[256])
{
    struct stat about;
    ssize_t got = read(fd, bytes, room);

    if (got < 0)
        return complain(message, path, strerror(errno));
    if (fstat(fd, &about) != 0 || (about.st_mode & 077) != 0)
        return complain(message, path, "others can read these keys; chmod 600");
    *size = (size_t)got;
    return STATUS_OK;
}

enum status epochs_read(const char *path, struct epoch_list *list, char message[256])
{
    uint8_t bytes[FILE_MAX + 1];
    enum status status;
    size_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return complain(message, path, strerror(errno));
    status = read_all(fd, path, bytes, sizeof bytes, &size, message);
    close(fd);
    if (status == STATUS_OK && !decode(bytes, size, list))
        status = complain(message, path, "no file of pseudonym keys, or damaged");
    explicit_bzero(bytes, sizeof bytes);
    return status;
}

/* Over the bytes where they lie; fd is closed. */
static void overwrite(int fd)
{
    static const uint8_t zeros[FILE_MAX];
    struct stat about;

    if (fd < 0)
        return;
    if (fstat(fd, &about) == 0 && about.st_size <= FILE_MAX && !PLANTED("epochs.keys_stay") &&
        pwrite(fd, zeros, (size_t)about.st_size, 0) == about.st_size)
        fsync(fd);
    close(fd);
}

static void sync_directory(const char *path)
{
    char directory[512];
    const char *slash = strrchr(path, '/');
    int fd;

    snprintf(directory, sizeof directory, "%.*s", slash != NULL ? (int)(slash - path) : 1,
             slash != NULL ? path : ".");
    fd = open(directory[0] != '\0' ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* Another file takes the name, then the old bytes are overwritten. */
static bool write_file(const char *path, const struct epoch_list *list)
{
    uint8_t bytes[FILE_MAX];
    char other[520];
    size_t size = encode(list, bytes);
    bool good;
    int old, fd;

    snprintf(other, sizeof other, "%s.new", path);
    unlink(other);
    fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    good = write(fd, bytes, size) == (ssize_t)size && fsync(fd) == 0;
    explicit_bzero(bytes, sizeof bytes);
    close(fd);
    old = open(path, O_WRONLY | O_CLOEXEC);
    if (!good || rename(other, path) != 0) {
        if (old >= 0)
            close(old);
        unlink(other);
        return false;
    }
    sync_directory(path);
    overwrite(old);
    return true;
}

/* --- epochs -------------------------------------------------------------------------------------
 */

static void append(struct epoch_list *list, uint64_t number, int64_t from_s)
{
    struct epoch *epoch = &list->list[list->count++];

    epoch->number = number;
    epoch->from_s = from_s;
    digest_random(epoch->key.bytes, sizeof epoch->key.bytes);
}

/* When the key of epoch i may be destroyed; it is not the last. */
static int64_t end_of(const struct epochs *epochs, const struct epoch_list *list, uint32_t i)
{
    return list->list[i + 1].from_s + epochs->keep_s;
}

static void drop_oldest(struct epoch_list *list)
{
    memmove(&list->list[0], &list->list[1], (list->count - 1) * sizeof list->list[0]);
    explicit_bzero(&list->list[--list->count], sizeof list->list[0]);
}

/* What the list must be now; true if that is a change. */
static bool move_on(const struct epochs *epochs, struct epoch_list *list, int64_t now_s)
{
    const struct epoch *last = &list->list[list->count - 1];
    bool changed = false;

    if (now_s >= last->from_s + epochs->period_s) {
        int64_t passed = (now_s - last->from_s) / epochs->period_s;

        if (list->count == EPOCHS_MAX)
            drop_oldest(list);
        last = &list->list[list->count - 1];
        append(list, last->number + 1, last->from_s + passed * epochs->period_s);
        changed = true;
    }
    while (list->count > 1 && end_of(epochs, list, 0) <= now_s) {
        drop_oldest(list);
        changed = true;
    }
    return changed;
}

static void impression_key(const struct epoch *epoch, uint8_t key[DIGEST_BYTES])
{
    static const char what[] = "zan impression";

    digest_hmac(epoch->key.bytes, what, sizeof what, key);
}

/* Epoch i of the list is in use from here on. */
static void publish_at(struct epochs *epochs, uint32_t i)
{
    const struct epoch *epoch = &epochs->list.list[i];
    uint32_t used = atomic_load(&epochs->used);

    if (epoch->number == atomic_load(&epochs->number))
        return;
    epochs->keys[(used + 1) & 1] = epoch->key;
    impression_key(epoch, epochs->impressions[(used + 1) % 3]);
    atomic_store(&epochs->used, used + 1);
    atomic_store(&epochs->number, epoch->number);
}

/* The list is in the file: the last key is the one in use. */
static void publish(struct epochs *epochs)
{
    const struct epoch_list *list = &epochs->list;
    const struct epoch *last = &list->list[list->count - 1];
    int64_t next_s = last->from_s + epochs->period_s;

    publish_at(epochs, list->count - 1);
    if (list->count > 1 && end_of(epochs, list, 0) < next_s)
        next_s = end_of(epochs, list, 0);
    atomic_store(&epochs->next_us, next_s * 1000000);
}

void epochs_tick(struct epochs *epochs, int64_t now_us)
{
    if (now_us < atomic_load_explicit(&epochs->next_us, memory_order_relaxed) ||
        pthread_mutex_trylock(&epochs->lock) != 0)
        return;
    if (now_us >= atomic_load(&epochs->next_us)) {
        struct epoch_list before = epochs->list;

        if (!move_on(epochs, &epochs->list, now_us / 1000000) ||
            write_file(epochs->path, &epochs->list)) {
            publish(epochs);
        } else {
            epochs->list = before;
            atomic_store(&epochs->next_us, now_us + AGAIN_US);
        }
        explicit_bzero(&before, sizeof before);
    }
    pthread_mutex_unlock(&epochs->lock);
}

uint64_t epochs_pseudonym(struct epochs *epochs, char kind, const char *text, size_t size)
{
    return pseudonym(&epochs->keys[atomic_load(&epochs->used) & 1], kind, text, size);
}

bool epochs_impression_key(const struct epochs *epochs, uint32_t back, uint8_t key[DIGEST_BYTES])
{
    uint32_t used = atomic_load(&epochs->used);

    assert(back < 2);
    if (back >= used)
        return false;
    memcpy(key, epochs->impressions[(used - back) % 3], DIGEST_BYTES);
    return true;
}

uint64_t epochs_number(const struct epochs *epochs)
{
    return atomic_load(&epochs->number);
}

/* --- opening ------------------------------------------------------------------------------------
 */

/* The one key of 0.1.0, if there is one. */
static enum status take_old_key(struct epochs *epochs, const char *old_path, char message[256])
{
    struct pseudonym_key *key = &epochs->list.list[0].key;
    uint8_t bytes[sizeof key->bytes + 1];
    enum status status;
    size_t size;
    int fd = old_path != NULL ? open(old_path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return STATUS_OK;
    status = read_all(fd, old_path, bytes, sizeof bytes, &size, message);
    if (status == STATUS_OK && size != sizeof key->bytes)
        status = complain(message, old_path, "expected a key of 32 bytes");
    if (status == STATUS_OK)
        memcpy(key->bytes, bytes, sizeof key->bytes);
    explicit_bzero(bytes, sizeof bytes);
    close(fd);
    return status;
}

static enum status make_file(struct epochs *epochs, const char *old_path, int64_t now_s,
                             char message[256])
{
    enum status status;

    append(&epochs->list, 1, now_s);
    if ((status = take_old_key(epochs, old_path, message)) != STATUS_OK)
        return status;
    if (!write_file(epochs->path, &epochs->list))
        return complain(message, epochs->path, "cannot write the keys");
    if (old_path != NULL) {
        overwrite(open(old_path, O_WRONLY | O_CLOEXEC));
        unlink(old_path);
    }
    return STATUS_OK;
}

enum status epochs_open(const char *path, const char *old_path, uint32_t days, uint32_t keep_days,
                        int64_t now_us, struct epochs **out, char message[256])
{
    struct epochs *epochs = calloc(1, sizeof *epochs);
    enum status status;

    assert(days > 0);
    if (epochs == NULL || pthread_mutex_init(&epochs->lock, NULL) != 0) {
        free(epochs);
        return STATUS_NOMEMORY;
    }
    if (snprintf(epochs->path, sizeof epochs->path, "%s", path) >= (int)sizeof epochs->path)
        status = complain(message, path, "the path is too long");
    else if (access(path, F_OK) != 0 && errno == ENOENT)
        status = make_file(epochs, old_path, now_us / 1000000, message);
    else
        status = epochs_read(path, &epochs->list, message);
    if (status != STATUS_OK) {
        epochs_close(epochs);
        return status;
    }
    epochs->period_s = days * DAY_S;
    epochs->keep_s = keep_days * DAY_S;
    /* What was in use when the node was stopped is so again, as if it had run on: the tick may
     * begin another epoch. The one before comes first, for tokens made with it. */
    for (uint32_t back = epochs->list.count > 1 ? 2 : 1; back > 0; back--)
        publish_at(epochs, epochs->list.count - back);
    epochs_tick(epochs, now_us);
    publish(epochs);
    *out = epochs;
    return STATUS_OK;
}

void epochs_close(struct epochs *epochs)
{
    if (epochs == NULL)
        return;
    pthread_mutex_destroy(&epochs->lock);
    explicit_bzero(epochs, sizeof *epochs);
    free(epochs);
}
