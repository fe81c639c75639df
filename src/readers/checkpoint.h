/* checkpoint.h: what a reader had made of the logs, and how far it had read them, in one file.
 *
 * Written beside the old one, synced, then given its name: there is the old one or the new one,
 * whole. Where the program ends in between, or the disk loses what it was given, the file is
 * refused and the reader is made again from the log: nothing depends on it but time.
 *
 * Bytes (integers little endian; what a table does not name is zero, and checked):
 *
 *      0    4  "ZRDR"
 *      4    2  format version, 1
 *      6    2  partitions
 *      8    4  version of the reader
 *     16   16  name of the reader
 *     32   64  for each partition:  16 log id, 8 sequence, 8 time_us of the last record, 32 hash of
 * the batch that ends with it .   32  SHA-256 of all before then blocks:  4 size (1 .. 65536), the
 * bytes, 32 SHA-256 of the hash before, size and bytes; the last one has size 0. A reader is given
 * the bytes of a block only once its hash was right, and all of them follow from the first.
 *
 * Ends: as said; on failure the old file is as it was. */
#ifndef ZAN_READERS_CHECKPOINT_H
#define ZAN_READERS_CHECKPOINT_H

#include "base/digest.h"
#include "base/disk.h"
#include "log/log.h"
#include "readers/reader.h"

#define CHECKPOINT_BLOCK_BYTES 65536u

/* Where one partition's log was left. */
struct checkpoint_place {
    struct log_mark mark;
    int64_t time_us;
};

/* Room for one block; the caller's, too large for a stack. */
struct checkpoint_work {
    const struct disk *disk;
    int handle;
    uint64_t offset;
    uint32_t size, used; /* of the block */
    uint8_t hash[DIGEST_BYTES];
    uint8_t block[4 + CHECKPOINT_BLOCK_BYTES];
    bool ended;
};

/* dir/NAME.checkpoint, through dir/NAME.new. IOFAIL, NOSPACE, or what save says. *bytes: its size.
 */
enum status checkpoint_write(struct checkpoint_work *work, const struct disk *disk, const char *dir,
                             const struct reader *reader, const struct checkpoint_place *places,
                             uint16_t partitions, uint64_t *bytes);

/* Fills places and restores the reader, which was newly opened or cleared. UNCHANGED: there is no
 * file. BADDATA: refused (message: why); the reader may hold some of it, and is to be cleared. */
enum status checkpoint_read(struct checkpoint_work *work, const struct disk *disk, const char *dir,
                            const struct reader *reader, struct checkpoint_place *places,
                            uint16_t partitions, char message[160]);

#endif
