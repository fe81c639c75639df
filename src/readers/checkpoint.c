#include "readers/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hook.h"

#define MAGIC          0x5244525AU /* "ZRDR" */
#define FORMAT_VERSION 1
#define HEAD_BYTES     32
#define PLACE_BYTES    64
#define HEADER_BYTES   (HEAD_BYTES + READER_PARTITIONS_MAX * PLACE_BYTES)
#define PATH_MAX_BYTES 600

static enum status status_of(int error)
{
    return error == 0                             ? STATUS_OK
           : error == -ENOSPC || error == -EDQUOT ? STATUS_NOSPACE
                                                  : STATUS_IOFAIL;
}

/* --- the header ---------------------------------------------------------------------------------
 */

static size_t encode_header(const struct reader *reader, const struct checkpoint_place *places,
                            uint16_t partitions, uint8_t *bytes)
{
    size_t size = HEAD_BYTES + partitions * (size_t)PLACE_BYTES;

    assert(partitions <= READER_PARTITIONS_MAX && strlen(reader->name) < READER_NAME_MAX);
    memset(bytes, 0, size);
    put_u32(bytes, MAGIC);
    put_u16(bytes + 4, FORMAT_VERSION);
    put_u16(bytes + 6, partitions);
    put_u32(bytes + 8, reader->version);
    memcpy(bytes + 16, reader->name, strlen(reader->name));
    for (uint16_t i = 0; i < partitions; i++) {
        uint8_t *at = bytes + HEAD_BYTES + i * (size_t)PLACE_BYTES;

        memcpy(at, places[i].mark.log_id, 16);
        put_u64(at + 16, places[i].mark.sequence);
        put_u64(at + 24, (uint64_t)places[i].time_us);
        memcpy(at + 32, places[i].mark.chain, 32);
    }
    return size;
}

static void decode_places(const uint8_t *bytes, struct checkpoint_place *places,
                          uint16_t partitions)
{
    for (uint16_t i = 0; i < partitions; i++) {
        const uint8_t *at = bytes + HEAD_BYTES + i * (size_t)PLACE_BYTES;

        memcpy(places[i].mark.log_id, at, 16);
        places[i].mark.sequence = get_u64(at + 16);
        places[i].time_us = (int64_t)get_u64(at + 24);
        memcpy(places[i].mark.chain, at + 32, 32);
    }
}

/* --- writing ------------------------------------------------------------------------------------
 */

static int append(struct checkpoint_work *work, const void *bytes, size_t size)
{
    int error = work->disk->write(work->disk->context, work->handle, work->offset, bytes, size);

    work->offset += size;
    return error;
}

/* The block that is full, or the last one, or the end (none). */
static int flush(struct checkpoint_work *work)
{
    int error;

    put_u32(work->block, work->used);
    digest_sha256(work->hash, DIGEST_BYTES, work->block, 4 + work->used, work->hash);
    error = append(work, work->block, 4 + work->used);
    work->used = 0;
    return error != 0 ? error : append(work, work->hash, DIGEST_BYTES);
}

static enum status put(void *context, const void *bytes, size_t size)
{
    struct checkpoint_work *work = context;
    const uint8_t *from = bytes;

    while (size > 0) {
        size_t room = CHECKPOINT_BLOCK_BYTES - work->used;
        size_t part = size < room ? size : room;
        int error = 0;

        memcpy(work->block + 4 + work->used, from, part);
        work->used += (uint32_t)part;
        from += part;
        size -= part;
        if (work->used == CHECKPOINT_BLOCK_BYTES)
            error = flush(work);
        if (error != 0)
            return status_of(error);
    }
    return STATUS_OK;
}

static enum status write_all(struct checkpoint_work *work, const struct reader *reader,
                             const struct checkpoint_place *places, uint16_t partitions)
{
    struct reader_sink sink = {.context = work, .put = put};
    uint8_t header[HEADER_BYTES];
    size_t size = encode_header(reader, places, partitions, header);
    enum status status;

    digest_sha256(header, size, NULL, 0, work->hash);
    status = status_of(append(work, header, size));
    if (status == STATUS_OK)
        status = status_of(append(work, work->hash, DIGEST_BYTES));
    if (status == STATUS_OK)
        status = reader->save(reader->self, &sink);
    if (status == STATUS_OK && work->used > 0)
        status = status_of(flush(work));
    if (status == STATUS_OK)
        status = status_of(flush(work)); /* the end */
    if (status == STATUS_OK)
        status = status_of(work->disk->sync(work->disk->context, work->handle));
    return status;
}

static void paths(const char *dir, const struct reader *reader, char path[PATH_MAX_BYTES],
                  char new_path[PATH_MAX_BYTES])
{
    snprintf(path, PATH_MAX_BYTES, "%s/%s.checkpoint", dir, reader->name);
    snprintf(new_path, PATH_MAX_BYTES, "%s/%s.new", dir, reader->name);
}

enum status checkpoint_write(struct checkpoint_work *work, const struct disk *disk, const char *dir,
                             const struct reader *reader, const struct checkpoint_place *places,
                             uint16_t partitions, uint64_t *bytes)
{
    char path[PATH_MAX_BYTES], new_path[PATH_MAX_BYTES];
    enum status status;
    int error;

    paths(dir, reader, path, new_path);
    work->disk = disk;
    work->offset = 0;
    work->used = 0;
    error = disk->remove(disk->context, new_path); /* what a crash may have left */
    if (error != 0 && error != -ENOENT)
        return status_of(error);
    if ((error = disk->open(disk->context, new_path, DISK_CREATE, &work->handle)) != 0)
        return status_of(error);
    status = write_all(work, reader, places, partitions);
    disk->close(disk->context, work->handle);
    if (status == STATUS_OK)
        status = status_of(disk->rename(disk->context, new_path, path));
    if (status == STATUS_OK)
        status = status_of(disk->sync_dir(disk->context, dir));
    else
        disk->remove(disk->context, new_path);
    *bytes = work->offset;
    return status;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static bool take(struct checkpoint_work *work, void *bytes, size_t size)
{
    uint64_t offset = work->offset;

    work->offset += size;
    return work->disk->read(work->disk->context, work->handle, offset, bytes, size) == 0;
}

/* The next block, whole and true. */
static bool load(struct checkpoint_work *work)
{
    uint8_t stored[DIGEST_BYTES];
    uint32_t size;

    if (work->ended || !take(work, work->block, 4))
        return false;
    size = get_u32(work->block);
    if (size > CHECKPOINT_BLOCK_BYTES || !take(work, work->block + 4, size) ||
        !take(work, stored, DIGEST_BYTES))
        return false;
    digest_sha256(work->hash, DIGEST_BYTES, work->block, 4 + size, work->hash);
    if (memcmp(stored, work->hash, DIGEST_BYTES) != 0 && !PLANTED("readers.checkpoint_unchecked"))
        return false;
    work->size = size;
    work->used = 0;
    work->ended = size == 0;
    return true;
}

static enum status get(void *context, void *bytes, size_t size)
{
    struct checkpoint_work *work = context;
    uint8_t *to = bytes;

    while (size > 0) {
        size_t part = work->size - work->used;

        if (part == 0) {
            if (!load(work) || work->ended)
                return STATUS_BADDATA;
            continue;
        }
        part = part < size ? part : size;
        memcpy(to, work->block + 4 + work->used, part);
        work->used += (uint32_t)part;
        to += part;
        size -= part;
    }
    return STATUS_OK;
}

/* NULL, or what is wrong with it. */
static const char *check_header(struct checkpoint_work *work, const struct reader *reader,
                                struct checkpoint_place *places, uint16_t partitions)
{
    uint8_t header[HEADER_BYTES], expected[HEADER_BYTES], stored[DIGEST_BYTES];
    size_t size = HEAD_BYTES + partitions * (size_t)PLACE_BYTES;

    if (!take(work, header, size) || !take(work, stored, DIGEST_BYTES))
        return "it is cut off";
    digest_sha256(header, size, NULL, 0, work->hash);
    if (memcmp(stored, work->hash, DIGEST_BYTES) != 0)
        return "its beginning is damaged, or of another number of partitions";
    decode_places(header, places, partitions);
    encode_header(reader, places, partitions, expected);
    if (memcmp(header, expected, size) != 0)
        return "it is of another version or reader";
    return NULL;
}

static const char *read_all(struct checkpoint_work *work, const struct reader *reader,
                            struct checkpoint_place *places, uint16_t partitions)
{
    struct reader_source source = {.context = work, .get = get};
    const char *wrong = check_header(work, reader, places, partitions);

    if (wrong != NULL)
        return wrong;
    if (reader->restore(reader->self, &source) != STATUS_OK)
        return "its content is damaged, or of another configuration";
    if (work->used != work->size || !load(work) || !work->ended)
        return "it has another end than it should";
    return NULL;
}

enum status checkpoint_read(struct checkpoint_work *work, const struct disk *disk, const char *dir,
                            const struct reader *reader, struct checkpoint_place *places,
                            uint16_t partitions, char message[160])
{
    char path[PATH_MAX_BYTES], new_path[PATH_MAX_BYTES];
    const char *wrong;
    int error;

    paths(dir, reader, path, new_path);
    work->disk = disk;
    work->offset = 0;
    work->used = work->size = 0;
    work->ended = false;
    error = disk->open(disk->context, path, DISK_READ_ONLY, &work->handle);
    if (error == -ENOENT)
        return STATUS_UNCHANGED;
    if (error != 0) {
        snprintf(message, 160, "it cannot be opened");
        return STATUS_BADDATA;
    }
    wrong = read_all(work, reader, places, partitions);
    disk->close(disk->context, work->handle);
    if (wrong == NULL)
        return STATUS_OK;
    snprintf(message, 160, "%s", wrong);
    return STATUS_BADDATA;
}
