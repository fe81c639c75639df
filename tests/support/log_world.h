/* log_world.h: a log, the disk under it, and a plain list of what was put in, to compare with.
 *
 * The body of every batch is made from its sequence and the world's life, which each open counts
 * up: a batch lost and one written later in its place are never the same. */
#ifndef ZAN_TESTS_LOG_WORLD_H
#define ZAN_TESTS_LOG_WORLD_H

#include "log/log.h"
#include "support.h"
#include "support/disk_sim.h"

struct log_world_batch {
    uint64_t first;
    uint32_t count;
    uint32_t size;
    int64_t time_us;
    uint64_t salt;
};

struct log_world {
    struct disk_sim *sim; /* NULL: the real disk */
    struct log_config config;
    struct log *log; /* NULL: closed */
    struct log_report report;
    struct test_random random;
    uint64_t life;
    struct log_world_batch *batch;
    size_t count, capacity;
    uint64_t next;    /* sequence of the next record */
    uint64_t durable; /* the highest log_durable ever seen: nothing up to here may be lost */
    uint8_t *body;
};

/* Directories "a" and "b" on a simulated disk; small segments and buffer. */
void log_world_init(struct log_world *world, uint64_t seed);
void log_world_free(struct log_world *world);

enum status log_world_open(struct log_world *world);
/* Opens, and fails the test if that is refused or anything durable is missing. What was appended
 * but not durable may be there or not: the list is cut to what is. */
void log_world_must_open(struct log_world *world);
/* One batch of about size bytes; what log_has_room said. */
enum status log_world_append(struct log_world *world, size_t size);
/* Notes how far log_durable is. */
void log_world_look(struct log_world *world);
/* threads = false: pumps until nothing waits. */
void log_world_settle(struct log_world *world);
/* count batches of random size, each made durable before the next with chance 1 in every. */
void log_world_fill(struct log_world *world, size_t count, size_t size_max, unsigned every);
/* The log's replay is the list, up to durable. */
void log_world_check(struct log_world *world);
/* For log_each: the next batch read is the next of the list. */
struct log_world_reading {
    struct log_world *world;
    size_t at; /* of the list: so many were read */
};
enum status log_world_check_one(void *reading, uint64_t first, uint32_t count, int64_t time_us,
                                const uint8_t *body, size_t size);
void log_world_close(struct log_world *world);
/* After kill, crash or a failure: drops the log without a word to the disk. */
void log_world_drop(struct log_world *world);

#endif
