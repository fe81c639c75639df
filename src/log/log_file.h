/* log_file.h: segment files: their names, how one is made, how one is read.
 *
 * Calls that touch the disk return 0 or a negative errno.
 * A file gets its name only when it is whole and synced (made as NAME.new, then renamed, then the
 * directory synced): what has a name is never half-born. */
#ifndef ZAN_LOG_FILE_H
#define ZAN_LOG_FILE_H

#include "base/disk.h"
#include "log/log_format.h"

#define LOG_DIR_MAX  900
#define LOG_PATH_MAX 960

/* Where one copy of a log lives. */
struct log_dir {
    const struct disk *disk;
    char path[LOG_DIR_MAX];
};

/* Number 0 is log.id. */
void log_file_path(const struct log_dir *dir, uint64_t number, bool temporary,
                   char path[LOG_PATH_MAX]);
/* The number in NNNNNNNNNNNNNNNN.zlog; 0 if name is no segment's. */
uint64_t log_file_number(const char *name);

/* Makes the file under its temporary name: header, zeros, synced. bytes 0 (log.id): the header
 * alone. On failure nothing is left, and *handle is -1 or as it was. */
int log_file_make(const struct log_dir *dir, const struct log_header *header, int *handle);
/* Gives it its name, durably. Whatever had the name before is replaced. */
int log_file_place(const struct log_dir *dir, uint64_t number);
void log_file_drop_temporary(const struct log_dir *dir, uint64_t number);

/* Zeros in [from, to). */
int log_file_zero(const struct disk *disk, int handle, uint64_t from, uint64_t to);
int log_file_write_head(const struct disk *disk, int handle, const struct log_head *head);

/* A file seen through a window of memory that moves and grows. Handle -1: as if it were empty. */
struct log_window {
    const struct disk *disk;
    int handle;
    uint64_t file_bytes;
    uint8_t *bytes;
    size_t capacity;
    uint64_t start;
    size_t size;
    size_t step; /* how much is read at once; 0: what hides the calls of a whole file's reading */
};

/* The bytes [offset, offset + size), borrowed until the next call; NULL if the file ends before, or
 * the disk cannot read them, or memory ran out: for the reader all three mean "not there". */
const uint8_t *log_window_at(struct log_window *window, uint64_t offset, size_t size);
/* Opens a file for the window; -ENOENT is returned as such, handle is then -1. */
int log_window_open(struct log_window *window, const struct log_dir *dir, uint64_t number,
                    bool writable);
/* Closes the file, keeps the memory. */
void log_window_close(struct log_window *window);
void log_window_free(struct log_window *window);

/* A whole, true frame of this sequence and chain at offset, or false. end: size of the segment. */
bool log_window_frame(struct log_window *window, uint64_t offset, uint64_t end, uint64_t sequence,
                      const uint8_t *chain, struct log_frame *frame, size_t *taken);

#endif
