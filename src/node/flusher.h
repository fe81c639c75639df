/* flusher.h: the thread that writes a frozen region to the store.
 *
 * One job at a time: flusher_begin hands it over, flusher_poll tells how it ended. Without a thread
 * (simulation) the job is done inside flusher_pump. A full disk is tried again every second. */
#ifndef ZAN_NODE_FLUSHER_H
#define ZAN_NODE_FLUSHER_H

#include <stdbool.h>
#include <stdint.h>

#include "node/signals.h"
#include "store/hot.h"
#include "store/store.h"

struct flusher;
struct policy_book;

/* wake(argument) is called on the flush thread when a job ended. NULL: no memory, no thread. */
struct flusher *flusher_open(struct hot *hot, struct store *store, struct signals *signals,
                             struct policy_book *book, bool threads, void (*wake)(void *argument), void *argument);

/* Waits for a job under way (it ends soon: no retries any more), then ends the thread. */
void flusher_close(struct flusher *flusher);

/* marks: count of them, copied. No job may be under way. */
void flusher_begin(struct flusher *flusher, uint64_t applied, const uint64_t *marks,
                   uint32_t count);

enum flusher_result { FLUSHER_BUSY, FLUSHER_OK, FLUSHER_NOSPACE, FLUSHER_FAILED };

/* OK and FAILED are told once. NOSPACE: still trying. */
enum flusher_result flusher_poll(struct flusher *flusher, enum status *status, char message[256]);

bool flusher_pump(struct flusher *flusher);

/* Writes the signals, then the frozen, collected rows of hot and those of the book to the store, here and now: what a job
 * does. */
enum status flusher_write(struct hot *hot, struct store *store, struct signals *signals,
                          struct policy_book *book, uint64_t applied, const uint64_t *marks,
                          char message[256]);

#endif
