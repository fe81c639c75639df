/* epochs.h: the keys that turn addresses, devices and networks into pseudonyms, one after the
 * other.
 *
 * Each key is used for pseudonym-days (an epoch), kept for pseudonym-keep days after that, so that
 * a reviewer can still tell whether an address he was given is the one in the evidence, and then
 * destroyed: from then on nobody can. All are in one file:
 *
 *     0   8   "zanepoc1"
 *     8   4   count, little endian as everything
 *    12   4   0
 *    16  48*  number (8), first second (8), key (32); oldest first
 *     .  32   SHA-256 of all before
 *
 * A change is written to another file that then takes the name; the old one's bytes are overwritten
 * with zeros (which a disk that writes elsewhere, and a copy somebody made, do not care about).
 *
 * Clock:   passed in. One that goes back changes nothing; one that jumps ahead ends the epoch.
 * Threads: any may make pseudonyms and tick. Two copies of the newest keys are in memory. */
#ifndef ZAN_SERVE_EPOCHS_H
#define ZAN_SERVE_EPOCHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "schema/status.h"
#include "serve/credential.h"

#define EPOCHS_MAX 512

struct epoch {
    uint64_t number; /* from 1 */
    int64_t from_s;  /* seconds since 1970; until the next one's */
    struct pseudonym_key key;
};

struct epoch_list {
    uint32_t count;
    struct epoch list[EPOCHS_MAX]; /* oldest first; the last is in use */
};

/* BADDATA: not there, readable by others, or damaged. Overwrite list when done with it. */
enum status epochs_read(const char *path, struct epoch_list *list, char message[256]);

struct epochs;

/* old_path: the single key of version 0.1.0, which becomes the first epoch and is destroyed; NULL
 * or absent: there is none. */
enum status epochs_open(const char *path, const char *old_path, uint32_t days, uint32_t keep_days,
                        int64_t now_us, struct epochs **epochs, char message[256]);
void epochs_close(struct epochs *epochs); /* NULL is allowed */

/* Begins an epoch and destroys keys if it is time. Costs a comparison if not; a few ms of disk if
 * so. A disk that fails leaves everything as it was; tried again a minute later. */
void epochs_tick(struct epochs *epochs, int64_t now_us);

/* With the key in use. Empty text is 0; nothing else is. */
uint64_t epochs_pseudonym(struct epochs *epochs, char kind, const char *text, size_t size);

/* Another key, made of an epoch's by HMAC, for tokens of impressions (serve/attest.h): of the one in
 * use (back 0), or of the one before (1). False: there was none before. */
bool epochs_impression_key(const struct epochs *epochs, uint32_t back,
                           uint8_t key[DIGEST_BYTES]);

uint64_t epochs_number(const struct epochs *epochs);

#endif
