/* errand.h: requests a reader sends through the front door, some at a time, each once.
 *
 * What a reader wants changed is a request (reader.h: reader_door), answered by a partition's
 * thread and then read as a record. For what it is about (tenant, target, key) one is under way at
 * a time, and after it was answered its slot stays taken until the record was read: only the reader
 * can tell whether it was (is_to_be_read). So nothing is asked twice because its record is late.
 * Beside that each has an operation id, of numbers the reader can make again.
 *
 *     errands_collect -> errands_slot -> errand_begin -> (fill in) -> errands_send, every turn
 *
 * Who stops in between: the caller takes a turn only when all that is durable was read, so it
 * finds, when it starts again, either the record or nothing.
 *
 * Threads: all calls belong to the reader's; a slot is answered by another, and its state is the
 *          only thing both look at.
 * Memory:  one block, at open. */
#ifndef ZAN_READERS_ERRAND_H
#define ZAN_READERS_ERRAND_H

#include <stdatomic.h>

#include "readers/reader.h"

#define ERRAND_TEXT 180 /* with the 0 at its end */

struct errand {
    struct call call;
    _Atomic int state;
    uint64_t key;
    uint32_t basis; /* the caller's: what must have changed once the record was read */
    char text[ERRAND_TEXT];
    uint8_t storage[CALL_STORAGE_BYTES];
};

struct errands;

/* NULL: no memory. */
struct errands *errands_open(struct reader_door door, uint32_t slots);
/* When none will be answered any more. NULL is allowed. */
void errands_close(struct errands *errands);

/* Is there a door? Without one nothing may be sent. */
bool errands_can(const struct errands *errands);
bool errands_has_free(const struct errands *errands);

/* Frees the slots that were answered, and of which the caller does not say: taken, and not read
 * yet. */
void errands_collect(struct errands *errands,
                     bool (*is_to_be_read)(const void *context, const struct errand *errand),
                     const void *context);
/* NULL: all are under way, or one about this is. */
struct errand *errands_slot(struct errands *errands, uint32_t tenant, uint64_t target,
                            uint64_t key);

/* Empties it but for the text. The rest of the request is the caller's to fill in. */
struct request *errand_begin(struct errand *errand, enum verb verb, uint32_t tenant,
                             uint64_t target, uint64_t key, uint32_t basis);
/* The text goes along, as that of a note. */
void errand_tell(struct errand *errand);
/* id: all but six bits of it become the operation id. */
void errands_send(struct errands *errands, struct errand *errand, uint64_t id_high,
                  uint64_t id_low);

#endif
